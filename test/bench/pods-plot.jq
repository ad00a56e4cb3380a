# SPDX-License-Identifier: Apache-2.0
# The results of `pods` as a picture, readable on light and dark: pods a second and the time of a call, by pods at once.
.measured as $all
| ([$all[] | select(.who == "go" and .what == "stop") | .pods] | unique) as $crowds # of all contenders
| def of($who; $pods; $what): [$all[] | select(.who == $who and .pods == $pods and .what == $what)];
def p99: sort | .[((length - 1) * 0.99) | round];
def names: { none: "no network", ours: "ours", before: "ours, before", go: "Go, host-local", whereabouts: "Go, whereabouts" };
def rate($who; $pods; $what): of($who; $pods; $what) | ([.[].ms[]] | length) / ([.[].seconds] | add);
def slowest($who; $pods; $what): [of($who; $pods; $what)[].ms[]] | if length == 0 then null else p99 / 1000 end;
def value($how; $who; $pods; $what): if of($who; $pods; $what) == [] then null elif $how == "rate" then rate($who; $pods; $what) else slowest($who; $pods; $what) end;
def text($x; $y; $anchor; $s): "<text x=\"\($x)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\($s)</text>";
def short: if . < 10 then . * 100 | round / 100 elif . < 100 then . * 10 | round / 10 else round end | tostring;
def bars($x; $y; $title; $how; $what):
	([$crowds[] as $n | ("none", "ours", "go", "whereabouts") as $who | value($how; $who; $n; $what) | select(.)] | max) as $max
	| "<g transform=\"translate(\($x) \($y))\"><text class=\"title\" x=\"0\" y=\"0\">\($title)</text>",
	([$crowds[] as $n | ("none", "ours", "go", "whereabouts") as $who | value($how; $who; $n; $what) as $value | select($value) | { $n, $who, $value }] | to_entries[]
		| .key as $i | .value | .n as $n | (12 + $i * 15 + ($crowds | index($n)) * 8) as $top | (.value * 170 / $max) as $width
		| text(138; $top + 11; "end"; "\(.n) \(names[.who])"),
		"<rect class=\"\(.who)\" x=\"144\" y=\"\($top)\" width=\"\($width * 10 | round / 10)\" height=\"12\" rx=\"2\"/>",
		text(148 + $width | round; $top + 11; "start"; .value | short)),
	"</g>";
(60 + ($crowds | length) * 68) as $height
| "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 \($height * 2)\" font-family=\"sans-serif\" font-size=\"12\">",
"<title>Pods started and stopped at once by containerd</title>",
"<style>text { fill: #1f2328 } .title { font-weight: bold } .none { fill: #8c959f } .ours { fill: #1a5fb4 } .go { fill: #c26a00 } .whereabouts { fill: #9a4fbf }",
"@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #62a0ea } .go { fill: #ffa348 } .whereabouts { fill: #dc8add } }</style>",
bars(20; 24; "Pods started a second, by pods at once"; "rate"; "run"),
bars(420; 24; "RunPodSandbox, 99th percentile, seconds"; "slowest"; "run"),
bars(20; $height + 24; "Pods stopped a second, by pods at once"; "rate"; "stop"),
bars(420; $height + 24; "StopPodSandbox, 99th percentile, seconds"; "slowest"; "stop"),
"</svg>"
