# SPDX-License-Identifier: Apache-2.0
# The differences between calls of two programs, and a report about them. compare.jq and pool-compare.jq, which
# read the records, include it.

def whole_match($pattern): test("^(?:" + $pattern + ")$");

# --- the differences of two values -------------------------------------------

def kind_of_answer:
	if type != "object" or has("not one JSON document") then "other"
	elif has("code") and has("msg") then "error"
	else "result" end;

# Parses the output.
def answer_of_text:
	if . == "" then null
	else . as $text | try fromjson catch {"not one JSON document": $text} end;

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

# One entry for each pattern, since each must match something. "versions", in a difference or a pattern, lists
# the versions of the Go plugin to which it applies. Default: all.
def patterns($version):
	[.[] | . as $class | .covers[]
		| if (keys - ["versions"] == ["cases", "go", "ours", "paths"]) then .
			else error("a row needs cases, paths, go, ours: \(.)") end
		| . + {difference: $class.difference, versions: (.versions // $class.versions // [$version])}
		| select(.versions | index($version))];

def covers($difference):
	. as $row | $difference
	| (.case | whole_match($row.cases)) and (.go | whole_match($row.go)) and (.ours | whole_match($row.ours));

# Adds to each difference the patterns that match it. Compares paths first, since few differ.
def with_rows($patterns):
	group_by(.path) | [.[]
		| .[0].path as $path
		| [$patterns | to_entries[] | select(.value.paths as $paths | $path | whole_match($paths))] as $rows
		| .[] | . as $d | .rows = [$rows[] | select(.value | covers($d)) | .key]];

# --- the report --------------------------------------------------------------

# Calls are {case, plugin: "go" or "ours", call, answer, exit, state}. A difference of the state that a later call
# still has is reported once.
def all_differences:
	[group_by(.case)[]
	| (map(select(.plugin == "go")) | map({key: .call, value: .}) | from_entries) as $go
	| map(select(.plugin == "ours"))
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
		| .path |= $call.call + . | .case = $call.case)];

def report_line: "\(.case): \(.path)\n\tGo:   \(.go)\n\tours: \(.ours)";

# Prints lines of text, of which the last is the verdict. Patterns without a match are a fault if all cases ran.
def report($table; $version; $all; $show; $whole):
	. as $calls
	| ($table | patterns($version)) as $patterns
	| all_differences | with_rows($patterns)
	| . as $found
	| map(select(.rows == [])) as $new
	| (if $whole then [range($patterns | length)] - ($found | map(.rows[]) | unique) else [] end) as $idle
	| (if $show then $calls[] | "\(.case): \(.call) of \(.plugin): exit status \(.exit)", .answer else empty end),
		(if $all then $found[] | select(.rows != []) | report_line + "\n\tknown: " + $patterns[.rows[0]].difference
		else empty end),
		($new[] | "not listed: " + report_line),
		($idle[] | "covered nothing: " + ($patterns[.] | tojson)),
		"\($calls | map(.case) | unique | length) inputs in \($calls | length / 2) calls, "
			+ "\($found | length) differences, \($new | length) of them not listed; "
			+ "\($idle | length) of \($patterns | length) patterns covered nothing",
		"verdict " + (if $new == [] and $idle == [] then "ok" else "bad" end);
