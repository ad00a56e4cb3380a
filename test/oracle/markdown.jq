# SPDX-License-Identifier: Apache-2.0
# Prints the differences as a table. $go is the name of the Go plugin. A difference that does not apply to all
# of its versions names those to which it applies.
def versions: if .versions then " (\(.versions | join(", ")))" else "" end;
def cell: gsub("\\|"; "\\|") | gsub("\n"; " ");

"| | Go `\($go)` | this plugin | why |",
"|---|---|---|---|",
(.[] | "| \(.difference | cell)\(versions) | \(.go | cell) | \(.ours | cell) | \(.reason | cell) |")
