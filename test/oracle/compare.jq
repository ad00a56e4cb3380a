# Records of compare in, report out. Each record is one call of one plugin.

def units: split("\u001f");

def lines: split("\n") | map(select(. != ""));

# What differs from run to run: Go's and our temporary names, Go's pointers.
def steady:
	if test("veth|ipv[0-9a-f]|0x") then
		gsub("\\bveth[0-9a-f]{8}\\b"; "(temporary)") | gsub("\\bipv[0-9a-f]{12}\\b"; "(temporary)")
		| gsub("0x[0-9a-f]+"; "0x(pointer)")
	else . end;

def present: with_entries(select(.value != null));

# --- what was said -----------------------------------------------------------

def kind_of_answer:
	if type != "object" or has("not one JSON document") then "other"
	elif has("code") and has("msg") then "error"
	else "result" end;

def answer:
	if . == "" then null
	else steady | . as $text | try fromjson catch {"not one JSON document": $text} end;

# --- what was left behind ----------------------------------------------------

def address_text: [
	(if .broadcast then "broadcast " + .broadcast else empty end), "scope " + .scope,
	(to_entries[] | select(.value == true and .key != "tentative") | .key)
] | join(" ");

def addresses: map({key: "\(.local)/\(.prefixlen)", value: address_text}) | from_entries;

def link: {
	kind: (.linkinfo.info_kind // "none"), mode: .linkinfo.info_data.mode,
	flag: (.linkinfo.info_data // {} | [to_entries[] | select(.value == true) | .key] | join(" ")),
	mtu, up: (.flags | contains(["UP"])), noarp: (.flags | contains(["NOARP"])),
	parent: (.link // .link_index), address: (.addr_info | addresses)
} | present;

def hop_text: [
	(.gateway // .via.host // empty | "via " + .), "dev " + (.dev // "?"),
	(.flags // [] | .[])
] | join(" ");

def route_text: [
	(.type // "unicast"),
	(if .nexthops then (.nexthops[] | "nexthop " + hop_text) else hop_text end),
	"scope " + .scope, "proto " + .protocol,
	(.metric // empty | "metric \(.)"), (.metrics // [] | map(to_entries)[][] | "\(.key) \(.value)")
] | join(" ");

# Those that the kernel makes for each address are not worth a line of their own.
def routes:
	map(select(.protocol != "kernel")
		| {key: "\(.table // "main") \(if .pref then "inet6" else "inet" end) \(.dst)", value: route_text})
	| group_by(.key) | map({key: .[0].key, value: (map(.value) | join(" + "))}) | from_entries;

# Two lines of JSON and some of text; nothing at all when there is no such namespace. The sysctls are
# those of eth0.
def namespace: lines as $lines
	| ($lines[2:] | map(split(" ") | {key: .[0], value: .[1]}) | from_entries) as $sysctls
	| {
		link: ($lines[0] // "[]" | fromjson | map({key: (.ifname | steady), value: link}) | from_entries
			| if .eth0 then .eth0.sysctl = $sysctls else . end),
		route: ($lines[1] // "[]" | fromjson | routes)
	};

def state: {
	host: (.[5] | namespace), pod: (.[6] | namespace),
	files: (.[7] | split("\u001d") | map(select(. != "") | split("\n")
		| {key: .[0], value: (.[1:] | join("\n"))}) | from_entries),
	ipam: (.[8] | lines | join(", ") | if . == "" then null else . end)
};

# --- the differences of two values -------------------------------------------

def shown: if . == null then "(none)" elif type == "string" then gsub("\n"; "\\n") else tojson end;

def by_key: if type == "array" then to_entries | map(.key |= tostring) | from_entries else . end;

def differences($a; $b; $path):
	if $a == $b then empty
	elif ($a | type) == ($b | type) and ($a | type | . == "object" or . == "array") then
		($a | by_key) as $x | ($b | by_key) as $y
		| ($x + $y | keys[]) as $key | differences($x[$key]; $y[$key]; $path + "/" + $key)
	else {path: $path, go: ($a | shown), ours: ($b | shown)} end;

def answer_differences($a; $b; $path):
	if $a == null or $b == null or ($a | kind_of_answer) == ($b | kind_of_answer) then
		differences($a; $b; $path)
	else {path: $path, go: ($a | shown), ours: ($b | shown)} end;

# --- the table ---------------------------------------------------------------

def whole_match($pattern): test("^(?:" + $pattern + ")$");

def covers($difference):
	. as $row | $difference
	| (.path | whole_match($row.paths)) and (.case | whole_match($row.cases))
		and (.go | whole_match($row.go)) and (.ours | whole_match($row.ours));

# One entry for each pattern, so that each must have a use.
def patterns:
	[.[] | . as $class | .covers[]
		| if (keys == ["cases", "go", "ours", "paths"]) then . else error("a row needs cases, paths, go, ours: \(.)") end
		| . + {difference: $class.difference}];

def report_line: "\(.case): \(.path)\n\tGo:   \(.go)\n\tours: \(.ours)";

($table[0] | patterns) as $patterns

| [split("\u001e")[1:][] | units
	| {case: .[0], plugin: .[1], call: .[2], answer: (.[3] | answer), exit: (.[4] | tonumber), state: state}]
| . as $calls

| [group_by(.case)[]
	| (map(select(.plugin == "go")) | map({key: .call, value: .}) | from_entries) as $go
	| map(select(.plugin == "ours"))
	| . as $ours
	| foreach .[] as $our ({seen: [], new: []};
		$go[$our.call] as $their
		| [differences($their.state; $our.state; "")] as $now
		| .seen as $seen
		| .new = [
			differences($their.exit; $our.exit; "/exit"),
			answer_differences($their.answer; $our.answer; "/stdout"),
			($now - $seen)[]
		] | .seen = $now
		| .call = $our;
		.call as $call | .new[]
		| .path |= $call.call + . | .case = $call.case)]

| map(. as $d | .rows = [$patterns | to_entries[] | select(.value | covers($d)) | .key])

| . as $found
| ($found | map(select(.rows == []))) as $new
| (if $whole then [range($patterns | length)] - ($found | map(.rows[]) | unique) else [] end) as $idle

| (if $show then $calls[] | "\(.case): \(.call) of \(.plugin): exit status \(.exit)", .answer else empty end),
	(if $all then $found[] | select(.rows != []) | report_line + "\n\tknown: " + $patterns[.rows[0]].difference
	else empty end),
	($new[] | "not listed: " + report_line),
	($idle[] | "covered nothing: " + ($patterns[.] | tojson)),
	"\($calls | map(.case) | unique | length) inputs in \($calls | length / 2) calls, "
		+ "\($found | length) differences, \($new | length) of them not listed; "
		+ "\($idle | length) of \($patterns | length) patterns covered nothing",
	"verdict " + (if $new == [] and $idle == [] then "ok" else "bad" end)
