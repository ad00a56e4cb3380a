# A table of differences for people. $go is the name of the Go plugin.
def cell: gsub("\\|"; "\\|") | gsub("\n"; " ");

"| | Go `\($go)` | this plugin | why |",
"|---|---|---|---|",
(.[] | "| \(.difference | cell) | \(.go | cell) | \(.ours | cell) | \(.reason | cell) |")
