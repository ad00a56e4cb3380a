# SPDX-License-Identifier: Apache-2.0
# The results of `order` as a picture, readable on light and dark: two bars charts and growth with leases.
.measured as $all
| def find($slaves; $leases; $parallel; $who; $verb): [$all[] | select(.family == "v4" and .slaves == $slaves and .leases == $leases
	and .parallel == $parallel and .who == $who and .verb == $verb)][0];
def ms: . / 1000 | if . < 10 then . * 100 | round / 100 elif . < 100 then . * 10 | round / 10 else round end | tostring;
def text($x; $y; $anchor; $s): "<text x=\"\($x)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\($s)</text>";
def names: { go: "Go", shared: "ours, shared", static: "ours, static", floor: "floor" };
# bars of one chart: a list of { who, verb, us }
def bars($x; $y; $title; $list): ([$list[].us] | max) as $max
	| "<g transform=\"translate(\($x) \($y))\"><text class=\"title\" x=\"0\" y=\"0\">\($title)</text>",
	($list | to_entries[] | .key as $i | .value | (14 + $i * 20) as $top | (.us * 190 / $max) as $width
		| text(100; $top + 13; "end"; "\(.verb) \(names[.who])"),
		"<rect class=\"\(.who)\" x=\"106\" y=\"\($top)\" width=\"\($width * 10 | round / 10)\" height=\"16\" rx=\"2\"/>",
		text(110 + $width | round; $top + 13; "start"; .us | ms)),
	"</g>";
def x($leases): ([$leases, 100] | max | log10) as $l | 60 + ($l - 2) * 85;
def y($us): 190 - (($us / 1000 | log10) + 0.5) * 42;
def line($who): [(0, 1000, 10000, 50000) as $n | find(1; $n; 0; $who; "ADD").p50 as $us | { x: (x($n) | round), y: (y($us) | round), us: $us }]
	| "<polyline class=\"\($who)\" points=\"\(map("\(.x),\(.y)") | join(" "))\"/>",
	(.[] | "<circle class=\"\($who)\" cx=\"\(.x)\" cy=\"\(.y)\" r=\"3\"/>"),
	text(.[-1].x + 8; .[-1].y + 4; "start"; "\(names[$who]) \(.[-1].us | ms)");

"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 480\" font-family=\"sans-serif\" font-size=\"12\">",
"<title>ADD and DEL of ipvlan and its IPAM plugin, in milliseconds</title>",
"<style>text { fill: #1f2328 } .title { font-weight: bold } .go { fill: #c26a00; stroke: #c26a00 } .shared { fill: #6a8fd0; stroke: #6a8fd0 }",
".static { fill: #1a5fb4; stroke: #1a5fb4 } .floor { fill: #8c959f; stroke: #8c959f } polyline { fill: none !important; stroke-width: 2 }",
".axis { stroke: #8c959f; fill: none } @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .static { fill: #62a0ea; stroke: #62a0ea }",
".shared { fill: #99c1f1; stroke: #99c1f1 } .go { fill: #ffa348; stroke: #ffa348 } }</style>",
bars(20; 24; "One pod, median, ms"; [("ADD", "DEL") as $verb | ("go", "shared", "static", "floor") as $who | { who: $who, verb: $verb, us: find(1; 0; 0; $who; $verb).p50 }]),
bars(420; 24; "64 at once, 99th percentile, ms"; [("ADD", "DEL") as $verb | ("go", "static", "floor") as $who | { who: $who, verb: $verb, us: find(1; 0; 64; $who; $verb).p99 }]),
"<g transform=\"translate(20 240)\"><text class=\"title\" x=\"0\" y=\"0\">ADD by leases in the network, median, ms</text>",
"<path class=\"axis\" d=\"M60 20V211H300\"/>",
((1, 10, 100, 1000) as $ms | text(54; y($ms * 1000) + 4 | round; "end"; $ms), "<path class=\"axis\" opacity=\"0.4\" d=\"M60 \(y($ms * 1000) | round)H300\"/>"),
(([0, "0"], [1000, "1000"], [10000, "10 000"], [50000, "50 000"]) as [$n, $s] | text(x($n) | round; 226; "middle"; $s)),
line("go"), line("static"), "</g>",
"<g transform=\"translate(420 240)\"><text class=\"title\" x=\"0\" y=\"0\">ADD by slaves on the master, median, ms</text>",
"<path class=\"axis\" d=\"M60 20V211H300\"/>",
((1, 10, 100) as $ms | text(54; y($ms * 1000) + 4 | round; "end"; $ms), "<path class=\"axis\" opacity=\"0.4\" d=\"M60 \(y($ms * 1000) | round)H300\"/>"),
((1, 250, 500, 1000) as $n | text(60 + $n * 0.22 | round; 226; "middle"; $n)),
(("go", "static", "floor") as $who | [(1, 250, 500, 1000) as $n | find($n; 0; 0; $who; "ADD").p50 as $us | { x: (60 + $n * 0.22 | round), y: (y($us) | round), us: $us }]
	| "<polyline class=\"\($who)\" points=\"\(map("\(.x),\(.y)") | join(" "))\"/>", (.[] | "<circle class=\"\($who)\" cx=\"\(.x)\" cy=\"\(.y)\" r=\"3\"/>"),
	text(.[-1].x + 8; .[-1].y + 4; "start"; "\(names[$who]) \(.[-1].us | ms)")),
"</g></svg>"
