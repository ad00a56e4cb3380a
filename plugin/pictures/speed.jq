# SPDX-License-Identifier: Apache-2.0
# The results of `make bench` as one chart of README.md, readable on light and dark.
.measured as $all
| def find($who; $verb): [$all[] | select(.family == "v4" and .slaves == 1 and .leases == 0 and .parallel == 0 and .who == $who and .verb == $verb)][0].p50;
def ms: . / 1000 | if . < 10 then . * 100 | round / 100 else . * 10 | round / 10 end | tostring;
def names: { go: "Go ipvlan, host-local", static: "ipvlan, addrpool" };
def text($x; $y; $anchor; $s): "<text x=\"\($x)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\($s)</text>";
[("ADD", "DEL", "CHECK") as $verb | ("go", "static") as $who | { $who, $verb, us: find($who; $verb) }] as $bars
| ([$bars[].us] | max) as $max
| "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 200\" font-family=\"sans-serif\" font-size=\"13\">",
"<title>Milliseconds of ADD, DEL and CHECK, with an address, for one more pod on a master</title>",
"<style>text { fill: #1f2328 } .title { font-weight: bold } .go { fill: #c26a00 } .static { fill: #1a5fb4 }",
"@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .go { fill: #ffa348 } .static { fill: #62a0ea } }</style>",
"<text class=\"title\" x=\"10\" y=\"22\">One call, milliseconds, median; ipvlan and addrpool are the static release</text>",
($bars | to_entries[] | .key as $i | .value | (36 + $i * 22 + ($i / 2 | floor) * 10) as $top | (.us * 460 / $max | round) as $width
	| (if .who == "go" then text(10; $top + 14; "start"; .verb) else empty end), text(210; $top + 14; "end"; names[.who]),
	"<rect class=\"\(.who)\" x=\"218\" y=\"\($top)\" width=\"\($width)\" height=\"18\" rx=\"2\"/>",
	text(224 + $width; $top + 14; "start"; .us | ms)),
"</svg>"
