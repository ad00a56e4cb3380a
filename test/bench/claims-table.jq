# SPDX-License-Identifier: Apache-2.0
# The results of `claims` as Markdown.
.about as $about | .measured as $all
| def ms: if . < 10 then . * 10 | round / 10 else round end | tostring;
def s: . / 100 | round / 10 | tostring;
def kib: . / 1024 * 10 | round / 10 | tostring;
def number: tostring | if length > 4 then [while(length > 0; .[:-3]) | .[-3:]] | reverse | join(" ") else . end;
def all($what; $engine): [$all[] | select(.what == $what and .engine == $engine)];
def one($what; $engine; $taken): all($what; $engine) | map(select(.taken == $taken))[0];
def names: { etcd: "etcd", kubernetes: "Kubernetes", whereabouts: "whereabouts" };

"Cost of a node\u0027s first claim, the median of \(all("one"; "etcd")[0].n), by the number of blocks that are taken, of 2 097 152. Milliseconds and memory are",
"those of an `addrpool-claim` from start to exit; bytes are those of requests and answers with headers, without TLS; the engine\u0027s CPU",
"is that of all its processes, for one claim. A node has its own blocks counted before each claim: with etcd",
"later claims cost the same, with Kubernetes up to 1.3 KiB more.",
"",
"| blocks taken | etcd: ms | calls | KiB | RSS MiB | CPU of etcd, ms | Kubernetes: ms | calls | KiB | RSS MiB | CPU of kube-apiserver and etcd, ms |",
"|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
(all("one"; "etcd")[].taken as $taken | "| \($taken | number) |" + ([("etcd", "kubernetes") as $engine
	| one("one"; $engine; $taken) as $inside | one("process"; $engine; $taken) as $process
	| if $inside then " \($process.ms.p50 | ms) | \($inside.calls.mean * 100 | round / 100) | \($inside.bytes.p50 | kib) | \($process.rss | kib) | \($inside.engine_cpu_ms / $inside.n | ms) |"
	  else "  |  |  |  |  |" end] | join(""))),
"",
"By the share of blocks taken, 100 claims each: requests a claim, KiB, and the number of claims with more than three requests or 8 KiB.",
"",
"| full | etcd: calls, mean | most | KiB, median | most | over | Kubernetes: calls, mean | most | KiB, median | most | over |",
"|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
(all("full"; "etcd")[] | .taken as $taken | "| \($taken / .blocks * 100 | round) % |" + ([("etcd", "kubernetes") as $engine | one("full"; $engine; $taken)
	| if . then " \(.calls.mean * 100 | round / 100) | \(.calls.most) | \(.bytes.p50 | kib) | \(.bytes.most | kib) | \(.over) |" else "  |  |  |  |  |" end] | join(""))),
"",
"New nodes that claim at the same moment, or so many at a time, with the default timeout. All processes and the engine share \($about.processors) processors. So the time of a",
"claim here, median and 99th percentile, is mostly that of the other nodes\u0027 processes. If nodes have processors of their own, only the",
"engine\u0027s CPU remains: divided by the engine\u0027s processors it is the time that the last node waits. Repeated: after a claim that failed a node claims again",
"5 to 15 seconds later, as runtimes do, for ten minutes; seconds, calls and bytes are those until it has a block.",
"",
"| engine | blocks | taken | nodes × claims | failed | p50 s | p99 s | calls a claim | KiB a claim | lists of all, MiB | CPU of the engine, s | of a node, ms |",
"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
($all[] | select(.what == "crowd" or .what == "patient") | "| \(names[.engine]) | \(.blocks | number) | \(.taken | number) | \(.nodes)\(if .claims > 1 then " × \(.claims)" else "" end)\(if (.at_a_time // "") == "" then "" else ", \(.at_a_time) at a time" end)\(if .what == "patient" then ", repeated" else "" end) | \(.failed) | \(.ms.p50 | s) | \(.ms.p99 | s) | "
	+ (if .calls then "\(.calls.mean * 100 | round / 100) | \(.bytes.p50 | kib) | \(.listed / 1048576 * 10 | round / 10)" else " |  | " end)
	+ " | \(.engine_cpu_ms | s) | \(if .cpu_ms then .cpu_ms | ms else "" end) |"),
"",
"\($about.cpu), \($about.processors) processors (\($about.host)); etcd \($about.etcd), kube-apiserver 1.33.4, whereabouts 0.9.4; sources \($about.version). The machine\u0027s load",
"before the first measurement was \([$all[].load | select(.)][0])\(if [$all[].load | select(.)][0] > 2 * $about.processors then "; so milliseconds are those of a busy machine: requests, bytes and CPU depend less on it" else "" end)."
