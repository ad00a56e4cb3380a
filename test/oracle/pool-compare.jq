# SPDX-License-Identifier: Apache-2.0
# Makes the report from the records of pool-compare.

include "report";

def units: split("\u001f");

# The paths of one program in the case's directory: "go/CASE/data/net/lock", tab, "f 750", one a line.
def modes($side; $case):
	($side + "/" + $case + "/") as $start
	| split("\n") | map(select(startswith($start)) | .[$start | length:] | split("\t") | {key: .[0], value: .[1]})
	| from_entries;

# A name, a newline, and the content of the file.
def contents:
	split("\u001d") | map(select(. != "") | split("\n") | {key: .[0], value: (.[1:] | join("\n"))}) | from_entries;

def state($modes; $contents):
	{files: ($modes | with_entries(.value = ({mode: .value, content: $contents[.key]} | with_entries(select(.value != null)))))};

# Each call has three records: the Go plugin's, ours, and the names and modes of all files after it.
def calls:
	[split("\u001e")[1:] | map(units) | range(0; length; 3) as $i | .[$i:$i + 3]
		| .[2][3] as $files
		| .[0:2][]
		| . as $r
		| {case: $r[0], call: $r[1], plugin: $r[2], answer: ($r[3] | answer_of_text), exit: ($r[4] | tonumber),
			state: state($files | modes($r[2]; $r[0]); $r[5] | contents)}];

calls | report($table[0]; $version; $all; $show; $whole)
