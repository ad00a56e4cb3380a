# SPDX-License-Identifier: Apache-2.0
# The results of `path` as Markdown.
def median: sort | .[length / 2 | floor];
def two: . * 100 | round / 100;
def names: { plain: "no rules", counters: "`counters`", antiSpoof: "`antiSpoof`", bandwidth: "`bandwidth`", allow: "`allow` and `deny`",
	all: "all of them", inside: "rules inside the pod", veth: "veth, bridge, iptables" };
def order: ["plain", "counters", "antiSpoof", "bandwidth", "allow", "all", "inside", "veth"];
. as $all
| ([$all[] | .pods] | unique) as $crowds
| def call($who; $pods; $verb): [$all[] | select(.what == "calls" and .who == $who and .pods == $pods and .verb == $verb) | .p50][0];
def calls($who; $pods; $verb): call($who; $pods; $verb) as $t | call("plain"; $pods; $verb) as $plain
	| if $t then "\($t / 1000 | two) (\($t / $plain | two))" else "" end;
def path($who; $pods; $what): [$all[] | select(.what == "packets" and .who == $who and .pods == $pods) | .[$what]] | if length > 0 then median else null end;
def paths($who; $pods; $what; $unit): path($who; $pods; $what) as $v | path("plain"; $pods; $what) as $plain
	| if $v then "\($v / $unit | two) (\($v / $plain | two))" else "" end;
[$crowds[] | select(path("plain"; .; "bytes"))] as $paths
| "Milliseconds of a call, the median, and in brackets the ratio to no rules; one more pod beside so many:",
"",
"| | \([("ADD", "DEL") as $v | $crowds[] | "\($v), \(.) pods"] | join(" | ")) |",
"|---|\([("ADD", "DEL") as $v | $crowds[] | "---:"] | join("|"))|",
(order[] | select(. as $w | call($w; $crowds[0]; "ADD")) as $who
	| "| \(names[$who]) | \([("ADD", "DEL") as $v | $crowds[] as $n | calls($who; $n; $v)] | join(" | ")) |"),
"",
"From a pod to the LAN, the median of several rounds in turns, and in brackets the ratio to no rules:",
"",
"| | \([$paths[] | "MB/s of TCP, \(.) pods"] + [$paths[] | "thousand packets a second, \(.) pods"] | join(" | ")) |",
"|---|\([$paths[], $paths[] | "---:"] | join("|"))|",
(order[] as $who | "| \(names[$who]) | \([$paths[] as $n | paths($who; $n; "bytes"; 1000000)] + [$paths[] as $n | paths($who; $n; "packets"; 1000)] | join(" | ")) |")
