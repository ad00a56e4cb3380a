# SPDX-License-Identifier: Apache-2.0
# A table of differences for people. $go is the name of the Go plugin. One that does not hold for all of its
# versions says for which.
def versions: if .versions then " (\(.versions | join(", ")))" else "" end;
def cell: gsub("\\|"; "\\|") | gsub("\n"; " ");

"| | Go `\($go)` | this plugin | why |",
"|---|---|---|---|",
(.[] | "| \(.difference | cell)\(versions) | \(.go | cell) | \(.ours | cell) | \(.reason | cell) |")
