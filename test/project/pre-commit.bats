#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The hook that checks a commit, as git calls it, and the walk-through of a first change in CONTRIBUTING.md.

setup() {
	TOP=$BATS_TEST_DIRNAME/../..
	TREE=$BATS_TEST_TMPDIR/tree
	mkdir "$TREE"
	git -C "$TOP" ls-files -z | tar -C "$TOP" --null -T - -cf - | tar -C "$TREE" -xf -
	cd "$TREE" || return
}

@test "git commit with the hook fails, and names what is wrong in what is staged" {
	git init -q
	git config user.name somebody
	git config user.email somebody@example.org
	git add -A
	git commit -qm before
	git config core.hooksPath .ci/hooks
	printf 'int  main(void) {}\n' >plugin/strange.c
	git add plugin/strange.c
	echo '[' >conf-examples/l2.conflist # is not staged
	run git commit -m after
	echo "$output"
	[ "$status" != 0 ]
	[[ $output = *'ok      json'*'FAILED  spdx'*'plugin/strange.c does not name its licence'*'FAILED  format'*'plugin/strange.c'* ]]
	[ "$(git log --format=%s)" = before ]
}

@test "the first change of CONTRIBUTING.md: make lint fails until the page of errors has the message" {
	local old new
	new=$(sed -n 's/^1\. Write the message into the test: `\(.*\)"maybe"`.*/\1/p' CONTRIBUTING.md)
	old='dad must be "skip" or "wait", not '
	[ -n "$new" ]
	grep -qF "fails 7 '$old\"maybe\"'" test/plugin/dad.bats
	sed -n '/^static int conf_read_dad/,/^}/p' plugin/conf.c | grep -qF "$(sed 's/"/\\"/g' <<<"$old")"
	sed -i "s/$(sed 's/"/\\\\"/g' <<<"$old")/$(sed 's/"/\\\\"/g' <<<"$new")/" plugin/conf.c
	run test/lint messages
	echo "$output"
	[ "$status" = 1 ]
	[[ $output = *"lacks: $new"* ]]
	sed -i "s/$old/$new/" man/ipvlan-cni-errors.7
	test/lint messages
}
