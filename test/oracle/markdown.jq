# The table of differences.json for people.
def cell: gsub("\\|"; "\\|") | gsub("\n"; " ");

"| | Go `ipvlan` | this plugin | why |",
"|---|---|---|---|",
(.[] | "| \(.difference | cell) | \(.go | cell) | \(.ours | cell) | \(.reason | cell) |")
