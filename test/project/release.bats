#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What make release checks before it builds, and what it adds after. test/project/whole-release.bats is about all of it.

setup() {
	TOP=$BATS_TEST_DIRNAME/../..
	TREE=$BATS_TEST_TMPDIR/tree
	mkdir -p "$TREE/.ci" "$TREE/build/release"
	cp "$TOP/Makefile" "$TREE"
	cp "$TOP"/.ci/{release,*.mk} "$TREE/.ci"
	printf '# Changelog\n\n## 2.0.0\n\n### Added\n\n- A new thing.\n\n## 1.9.0\n\n- An old thing.\n' >"$TREE/CHANGELOG.md"
	echo /build/ >"$TREE/.gitignore"
	cd "$TREE" || return
	git init -q
	git config user.name somebody
	git config user.email somebody@example.org
	git add -A
	git commit -qm first
}

# refuses WORDS...: make release fails before it builds anything, and reports that in one line.
refuses() {
	run make -s release VERSION="${version:-2.0.0}"
	echo "$output"
	[ "$status" != 0 ]
	[[ ${lines[0]} = "release: "*"$1"* ]]
	[ -z "$(ls build/release)" ]
}

@test "make release fails if a file is changed" {
	echo >>CHANGELOG.md
	refuses 'CHANGELOG.md is not committed'
}

@test "make release fails if git does not know a file" {
	touch new.c
	refuses 'new.c is not committed'
}

@test "make release fails if CHANGELOG.md does not have the version" {
	version=2.0.1 refuses 'CHANGELOG.md has no section "## 2.0.1"'
	version=2.0 refuses 'CHANGELOG.md has no section "## 2.0"'
}

@test "make release fails if CHANGELOG.md lists nothing for the version" {
	printf '# Changelog\n\n## 2.0.0\n\n## 1.9.0\n\n- An old thing.\n' >CHANGELOG.md
	git commit -qam 'no changes'
	refuses 'or an empty one'
}

@test "make release fails if another commit has the version's tag" {
	git tag v2.0.0
	.ci/release check 2.0.0
	git commit -q --allow-empty -m second
	refuses 'the tag v2.0.0 is another commit'
}

@test "make release fails without git's repository" {
	rm -rf .git
	GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR refuses 'requires the git repository'
}

@test "the notes are the version's section of CHANGELOG.md" {
	diff <(.ci/release notes 2.0.0) <(printf '### Added\n\n- A new thing.\n\n')
	diff <(.ci/release notes 1.9.0) <(printf -- '- An old thing.\n')
}

@test "make release-parts adds image, man pages, sources and notes, and SHA256SUMS has each file" {
	mkdir man
	echo '.TH IPVLAN 8 "" "ipvlan-cni" ""' >man/ipvlan.8
	echo binaries >build/release/ipvlan-cni-2.0.0-linux-x86_64.tar.gz
	mkdir build/release/ipvlan-cni-2.0.0-linux-x86_64
	echo bill >build/release/ipvlan-cni-2.0.0-linux-x86_64/sbom.spdx.json
	echo image >build/image.tar
	make -s release-parts B=build VERSION=2.0.0
	cd build/release
	diff <(awk '{ print $2 }' SHA256SUMS) <(printf '%s\n' NOTES.md ipvlan-cni-2.0.0-image.tar \
		ipvlan-cni-2.0.0-linux-x86_64.spdx.json ipvlan-cni-2.0.0-linux-x86_64.tar.gz ipvlan-cni-2.0.0-man.tar.gz ipvlan-cni-2.0.0.tar.gz)
	sha256sum --quiet -c SHA256SUMS
	[[ $(tar -xOzf ipvlan-cni-2.0.0-man.tar.gz man/ipvlan.8) = *'"ipvlan-cni 2.0.0"'* ]]
	diff <(tar -xOzf ipvlan-cni-2.0.0.tar.gz ipvlan-cni-2.0.0/CHANGELOG.md) "$TREE/CHANGELOG.md"
}
