#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the project relies on in the kernel holds on this one, and README.md lists it.

load ../lib/calls

FACTS=$TOP/test/kernel/facts

@test "each fact about the kernel in README.md holds" {
	diff <("$FACTS/run" | sort) \
		<(sed -n 's/^| \[\(.*\)\](facts\/.*/ok - \1/p' "$TOP/test/kernel/README.md" | sort)
}

@test "README.md has the table of the facts, and the files that rely on them exist" {
	local file
	diff <("$FACTS/run" --table) <(sed -n '/^| fact /,/^$/p' "$TOP/test/kernel/README.md" | sed '/^$/d')
	for file in $(sed -nE 's/^( \*|#) Relied on by: //p' "$FACTS"/* | tr -d ,); do
		[ -e "$TOP/$file" ] || { echo "there is no $file"; return 1; }
	done
}
