# SPDX-License-Identifier: Apache-2.0
# paths.txt as SVG, readable on light and dark.
function escaped(s) {
	gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s)
	return s
}

# The line from field n on.
function rest(n, s) {
	s = $0
	while (--n) sub(/^[^ ]+ +/, "", s)
	return escaped(s)
}

function text(x, y, class, s) {
	printf "<text class=\"%s\" x=\"%s\" y=\"%s\">%s</text>\n", class, x, y, s
}

BEGIN {
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 440\" font-family=\"sans-serif\" font-size=\"13\">"
	print "<title>The way of a packet from a pod to the LAN, by ipvlan, by a bridge and by macvlan</title>"
	print "<style>text { fill: #1f2328 } .panel, .title { font-weight: bold } .line { text-anchor: middle } .side { fill: #59636e }"
	print "rect { fill: #ffffff; stroke: #8c959f } .host { fill: #f6f8fa } .stack { stroke-dasharray: 4 3 } .seen { stroke: none; fill: none }"
	print ".box-ours { stroke: #1a5fb4; stroke-width: 2 } .way { fill: none; stroke-width: 2.5 } .ours { stroke: #1a5fb4 } .other { stroke: #c26a00 }"
	print ".head-ours { fill: #1a5fb4 } .head-other { fill: #c26a00 } .LAN { stroke: #59636e; stroke-width: 4 }"
	print "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .side { fill: #9198a1 } rect { fill: #0d1117; stroke: #6e7681 } .host { fill: #161b22 }"
	print ".box-ours, .ours { stroke: #62a0ea } .other { stroke: #ffa348 } .head-ours { fill: #62a0ea } .head-other { fill: #ffa348 } .LAN { stroke: #9198a1 } }</style>"
}

$1 == "panel" { text($2, 30, "panel", rest(3)) }

$1 == "text" { text($2, $3, $4, rest(5)) }

$1 == "LAN" {
	printf "<path class=\"LAN\" d=\"M60 %sH856\"/>\n", $2
	text(20, $2 + 5, "side", rest(3))
}

$1 == "box" {
	if ($6 == "ours" || $6 == "other") class = "box box-" $6
	else class = $6
	printf "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" rx=\"4\"/>\n", class, $2, $3, $4, $5
	n = NF > 6 ? split(rest(7), lines, "|") : 0
	for (i = 1; i <= n; i++)
		text($2 + $4 / 2, $3 + $5 / 2 + 5 + (i - (n + 1) / 2) * 18, "line" (i == 1 && n == 3 ? " title" : ""), lines[i])
}

$1 == "way" {
	d = "M"
	for (i = 3; i <= NF; i++) d = d $i (i < NF ? "L" : "")
	printf "<path class=\"way %s\" d=\"%s\"/>\n", $2, d
	split($NF, end, ",")
	printf "<path class=\"head-%s\" d=\"M%s %sl-5 -9h10z\"/>\n", $2, end[1], end[2]
}

END { print "</svg>" }
