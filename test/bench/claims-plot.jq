# SPDX-License-Identifier: Apache-2.0
# The results of `claims` as a picture, readable on light and dark: what a claim costs by the size of the pool.
.measured as $all
| def all($what; $engine): [$all[] | select(.what == $what and .engine == $engine)];
def one($what; $engine; $taken): all($what; $engine) | map(select(.taken == $taken))[0];
def text($x; $y; $anchor; $s): "<text x=\"\($x)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\($s)</text>";
def names: { etcd: "etcd", kubernetes: "Kubernetes" };
def sizes: [[0, "0"], [1000, "1k"], [10000, "10k"], [100000, "100k"], [300000, "300k"], [1000000, "1M"]];
def x($taken): 50 + (if $taken == 0 then 0 else ([($taken | log10) - 2, 0] | max) * 68 end);
def y($low; $value): 190 - (([$value, $low] | max | log10) - ($low | log10)) * 56;
def short: if . < 10 then . * 10 | round / 10 else round end | tostring;
def value($what; $engine; $taken): one("one"; $engine; $taken) as $inside | one("process"; $engine; $taken) as $process
	| if $inside == null then null else { ms: $process.ms.p50, kib: ($inside.bytes.p50 / 1024), cpu: ($inside.engine_cpu_ms / $inside.n), rss: ($process.rss / 1024) }[$what] end;
def line($low; $what; $engine): [sizes[] | .[0] as $n | value($what; $engine; $n) | select(.) | { x: (x($n) | round), y: (y($low; .) | round), value: . }]
	| if length == 0 then empty else "<polyline class=\"\($engine)\" points=\"\(map("\(.x),\(.y)") | join(" "))\"/>",
	(.[] | "<circle class=\"\($engine)\" cx=\"\(.x)\" cy=\"\(.y)\" r=\"3\"/>"),
	text(.[-1].x; .[-1].y - 8; "middle"; "\(names[$engine]) \(.[-1].value | short)") end;
def chart($left; $top; $title; $what; $low): "<g transform=\"translate(\($left) \($top))\"><text class=\"title\" x=\"0\" y=\"0\">\($title)</text>",
	"<path class=\"axis\" d=\"M40 20V195H340\"/>",
	((0, 1, 2) as $i | ($low * pow(10; $i)) as $v | text(34; y($low; $v) + 4 | round; "end"; $v | short), "<path class=\"axis\" opacity=\"0.4\" d=\"M40 \(y($low; $v) | round)H340\"/>"),
	(sizes[] as [$n, $s] | text(x($n) | round; 212; "middle"; $s)),
	line($low; $what; "etcd"), line($low; $what; "kubernetes"), "</g>";

"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 480\" font-family=\"sans-serif\" font-size=\"12\">",
"<title>Cost of a claim of a block, by the number of blocks that are taken</title>",
"<style>text { fill: #1f2328 } .title { font-weight: bold } .etcd { fill: #1a5fb4; stroke: #1a5fb4 } .kubernetes { fill: #c26a00; stroke: #c26a00 }",
"polyline { fill: none !important; stroke-width: 2 } .axis { stroke: #8c959f; fill: none }",
"@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .etcd { fill: #62a0ea; stroke: #62a0ea } .kubernetes { fill: #ffa348; stroke: #ffa348 } }</style>",
chart(20; 24; "A claim by blocks taken: ms, median"; "ms"; 10),
chart(420; 24; "CPU of the engine for it, ms"; "cpu"; 1),
chart(20; 264; "Requests and answers, KiB"; "kib"; 1),
chart(420; 264; "Memory of addrpool-claim, MiB"; "rss"; 1),
"</svg>"
