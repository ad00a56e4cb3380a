#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What make test-release has made in RELEASE, from a clone of the commit.

setup() {
	TOP=$BATS_TEST_DIRNAME/../..
	VERSION=$(sed -n 's/^VERSION = //p' "$TOP/Makefile")
	ID=$(git -C "$TOP" rev-parse --short=7 HEAD)
	cd "$RELEASE" || return
}

@test "SHA256SUMS has each file, and each is unchanged" {
	diff <(awk '{ print $2 }' SHA256SUMS) <(find . -maxdepth 1 -type f ! -name 'SHA256SUMS*' ! -name '*.sha256' -printf '%P\n' | LC_ALL=C sort)
	sha256sum --quiet -c SHA256SUMS
}

@test "binaries, image, Debian package, man pages, sources and notes are there" {
	local name
	for name in "ipvlan-cni-$VERSION-linux-*.tar.gz" "ipvlan-cni-$VERSION-linux-*.spdx.json" "ipvlan-cni-$VERSION-image.tar" "ipvlan-cni_*.deb" \
		"ipvlan-cni-$VERSION-man.tar.gz" "ipvlan-cni-$VERSION.tar.gz" NOTES.md; do
		compgen -G "$name"
	done
	diff NOTES.md <("$TOP/.ci/release" notes "$VERSION")
}

@test "the programs of tarball and package state version and commit" {
	local program
	mkdir "$BATS_TEST_TMPDIR/tarball"
	tar -C "$BATS_TEST_TMPDIR/tarball" -xzf "ipvlan-cni-$VERSION-linux-$(uname -m).tar.gz"
	dpkg-deb -x ipvlan-cni_*_"$(dpkg --print-architecture)".deb "$BATS_TEST_TMPDIR/package"
	[ -n "$(find "$BATS_TEST_TMPDIR/tarball" -path '*/bin/ipvlan')" ]
	while read -r program; do
		[ "$("$program" --version | head -n 1)" = "${program##*/} $VERSION (git $ID)" ]
	done < <(find "$BATS_TEST_TMPDIR" -type f -perm -1 \( -name ipvlan -o -name addrpool -o -name ipvlanctl -o -name 'ipvlan-n*' \))
}

@test "the Debian package and its pages have the version" {
	[ "$(dpkg-deb -f ipvlan-cni_*_"$(dpkg --print-architecture)".deb Version)" = "$VERSION" ]
	dpkg-deb -x ipvlan-cni_*_"$(dpkg --print-architecture)".deb "$BATS_TEST_TMPDIR/package"
	zcat "$BATS_TEST_TMPDIR/package/usr/share/man/man8/ipvlan-cni.8.gz" | grep -q "^\.TH .*\"ipvlan-cni $VERSION\""
}

@test "the programs build from the sources, and state the commit without git" {
	tar -C "$BATS_TEST_TMPDIR" -xzf "ipvlan-cni-$VERSION.tar.gz"
	make -s -C "$BATS_TEST_TMPDIR/ipvlan-cni-$VERSION" build/addrpool
	[ "$("$BATS_TEST_TMPDIR/ipvlan-cni-$VERSION/build/addrpool" --version)" = "addrpool $VERSION (git $ID)" ]
}
