#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The workflows of .github, for a public host.

setup() {
	TOP=$(readlink -f "$BATS_TEST_DIRNAME/../..")
	cd "$TOP" || return
}

@test "the workflows are valid, and so are the commands in them" {
	run "$("$BATS_TEST_DIRNAME/get-actionlint")" .github/workflows/*.yml
	echo "$output"
	[ "$status" = 0 ]
}

@test "each make target in the workflows exists" {
	local target targets
	make -rpn help 2>/dev/null | sed -n 's/^\([a-z][a-z0-9-]*\):.*/\1/p' >"$BATS_TEST_TMPDIR/targets"
	mapfile -t targets < <(grep -ohE '\bmake (-s |-C [^ ]+ )*[a-z][a-z-]+' .github/workflows/*.yml | awk '{ print $NF }' | sort -u)
	[ ${#targets[@]} -ge 3 ]
	for target in "${targets[@]}"; do
		grep -qxF "$target" "$BATS_TEST_TMPDIR/targets" || { echo "no target $target"; return 1; }
	done
}

# The command of release.yml, with a stand-in for the host's program.
@test "the release has each file of SHA256SUMS" {
	local release=$BATS_TEST_TMPDIR/build/clone/build/release
	mkdir -p "$release" "$BATS_TEST_TMPDIR/bin"
	printf '%s  %s\n' 0 one.tar.gz 1 two.deb >"$release/SHA256SUMS"
	printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$BATS_TEST_TMPDIR/bin/gh"
	chmod +x "$BATS_TEST_TMPDIR/bin/gh"
	cd "$BATS_TEST_TMPDIR"
	PATH=$PWD/bin:$PATH GITHUB_REF_NAME=v1.0.0 GITHUB_WORKSPACE=$TOP run bash -e <(sed -n 's/^ *- run: \(.*gh release create.*\)/\1/p' "$TOP/.github/workflows/release.yml")
	echo "$output"
	[ "$status" = 0 ]
	[[ $output = *"ipvlan-cni $(make -s -C "$TOP" version)"*$'\n--notes-file\nNOTES.md\n'* ]]
	[ "$(tail -n 3 <<<"$output" | tr '\n' ' ')" = 'SHA256SUMS one.tar.gz two.deb ' ]
}
