# SPDX-License-Identifier: Apache-2.0
# The results of `order` as Markdown.
.about as $about | .measured as $all | .on_two_processors as $two
| def ms: . / 1000 | if . < 10 then . * 100 | round / 100 elif . < 100 then . * 10 | round / 10 else round end | tostring;
def find($family; $slaves; $leases; $parallel; $who; $verb): $all[]
	| select(.family == $family and .slaves == $slaves and .leases == $leases and .parallel == $parallel and .who == $who and .verb == $verb);
def names: { go: "Go ipvlan + host-local \($about | "1.9.1")", shared: "ours, shared libraries", static: "ours, static release",
	floor: "floor: the kernel's part", "floor-lease": "floor, one more process, a lease" };
def order: ["go", "shared", "static", "floor", "floor-lease"];
def cell($c; $verb): [find($c.family; $c.slaves; $c.leases; 0; $c.who; $verb)][0] // null
	| if . == null then "" else "\(.p50 | ms) (\(.p10 | ms)–\(.p90 | ms))" end;
def calls($c): [("ADD", "DEL") as $v | find($c.family; $c.slaves; $c.leases; 0; $c.who; $v).calls] | map(tostring) | join(" / ");
def cpu($c): [("ADD", "DEL") as $v | find($c.family; $c.slaves; $c.leases; 0; $c.who; $v).cpu | ms] | join(" / ");
def rss($c): [find($c.family; $c.slaves; $c.leases; 0; $c.who; "ADD", "DEL").rss] | max | . / 1024 * 10 | round / 10 | tostring;
def short($family; $slaves; $leases; $who; $verb): [find($family; $slaves; $leases; 0; $who; $verb)][0] | if . == null then "" else .p50 | ms end;
def crowd($parallel; $who; $verb): [find("v4"; 1; 0; $parallel; $who; $verb)][0] | if . == null then "" else "\(.p50 | ms) / \(.p99 | ms)" end;

"Milliseconds from start to exit of a process, the median (10th to 90th percentile), of `ipvlan` and the IPAM plugin that it calls;",
"one more pod on a master that has one. System calls of both, by strace. Ours is one process, since addrpool is built in.",
"",
"| | ADD | DEL | CHECK | VERSION | system calls, ADD / DEL | user + system ms | peak MiB |",
"|---|---:|---:|---:|---:|---:|---:|---:|",
(order[] as $who | { family: "v4", slaves: 1, leases: 0, who: $who }
	| "| \(names[$who]) | \(cell(.; "ADD")) | \(cell(.; "DEL")) | \(if $who | startswith("floor") then "" else cell(.; "CHECK") end) | \(cell(.; "VERSION")) | \(calls(.)) | \(cpu(.)) | \(rss(.)) |"),
(("go", "static", "floor") as $who | { family: "dual", slaves: 1, leases: 0, who: $who }
	| "| \(names[$who]), IPv4 and IPv6 | \(cell(.; "ADD")) | \(cell(.; "DEL")) | \(if $who == "floor" then "" else cell(.; "CHECK") end) | \(cell(.; "VERSION")) | \(calls(.)) | \(cpu(.)) | \(rss(.)) |"),
"",
"The same calls in other conditions, medians:",
"",
"| | ADD Go | ADD ours | not announced | ADD floor | DEL Go | DEL ours | DEL floor | CHECK Go | CHECK ours |",
"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
((["first pod of a master", 0, 0], ["250 slaves on the master", 250, 0], ["500", 500, 0], ["1000", 1000, 0],
	["1000 leases in the network", 1, 1000], ["10 000", 1, 10000], ["50 000", 1, 50000]) as [$name, $slaves, $leases]
	| "| \($name) | \([(("go", "static", "silent", "floor") | [., "ADD"]), (("go", "static", "floor") | [., "DEL"]) | . as [$who, $verb] | short("v4"; $slaves; $leases; $who; $verb)] | join(" | ")) | \(short("v4"; $slaves; $leases; "go"; "CHECK")) | \(short("v4"; $slaves; $leases; "static"; "CHECK")) |"),
"",
"Not announced: with `\"announce\": false`. An announcement is a broadcast, which the kernel delivers to every other pod",
"of the master. On one processor the times of ADD include the delivery, Go\u0027s and ours. The floor sends no announcement.",
"",
"Many at once, the median and the 99th percentile:",
"",
"| at once | ADD Go | ADD ours | ADD floor | DEL Go | DEL ours | DEL floor |",
"|---:|---:|---:|---:|---:|---:|---:|",
((1, 4, 16, 64) as $n | "| \($n) | \([("ADD", "DEL") as $verb | ("go", "static", "floor") as $who | crowd($n; $who; $verb)] | join(" | ")) |"),
"",
(if ($two | length) == 0 then empty else "On two processors, medians (10th to 90th percentile). There the kernel waits for a grace",
"period when any program deletes a link.",
"",
"| | ADD Go | ADD ours | ADD floor | DEL Go | DEL ours | DEL floor |",
"|---|---:|---:|---:|---:|---:|---:|",
((["one more pod", 1], ["1000 slaves on the master", 1000]) as [$name, $slaves]
	| "| \($name) | \([("ADD", "DEL") as $verb | ("go", "static", "floor") as $who
		| [$two[] | select(.slaves == $slaves and .who == $who and .verb == $verb)][0] | "\(.p50 | ms) (\(.p10 | ms)–\(.p90 | ms))"] | join(" | ")) |"),
"" end),
"\($about.kernel) on one processor of \($about.cpu) (\($about.host)); sources \($about.version), \($about.libc). The machine's load before the run: \($about.load).",
"In bytes: static \($about.static | split(" ") | join(" + ")), shared \($about.ours | split(" ") | join(" + ")) with debugging information, Go \($about.go | split(" ") | join(" + "))."
