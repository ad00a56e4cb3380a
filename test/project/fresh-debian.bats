#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# README's way to the Debian package, on a Debian that has nothing but its base. make test-packages runs it, since it
# fetches packages.

setup() {
	TOP=$BATS_TEST_DIRNAME/../..
	DEBIAN=$BATS_TEST_TMPDIR/debian
}

# fresh SUITE
fresh() {
	cp -a "$("$TOP/test/packages/get-debian" "$1")" "$DEBIAN"
	cp -L /etc/resolv.conf "$DEBIAN/etc"
	echo 'APT::Get::Assume-Yes "true";' >"$DEBIAN/etc/apt/apt.conf.d/yes"
	mount -t proc proc "$DEBIAN/proc"
	mount --rbind /dev "$DEBIAN/dev"
	mkdir "$DEBIAN/root/ipvlan-cni"
	git -C "$TOP" ls-files -z | tar -C "$TOP" --null -T - -cf - | tar -C "$DEBIAN/root/ipvlan-cni" -xf -
	in_debian apt-get -qq update
}

teardown() {
	umount -l "$DEBIAN/dev" "$DEBIAN/proc"
}

in_debian() {
	chroot "$DEBIAN" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# installed: each installed package with its version
installed() {
	in_debian dpkg-query -Wf '${Package} ${Version}\n' | sort
}

# readme WORD: the commands of README's block that has the word
readme() {
	awk -v word="$1" 'BEGIN { RS = "" } /^    / && index($0, word) { gsub(/(^|\n)    /, "\n"); print; exit }' "$TOP/README.md"
}

# left_files: the programs and pages that still exist
left_files() {
	find "$DEBIAN/opt" "$DEBIAN/usr" -type f \( -name '*ipvlan*' -o -name 'addrpool*' \)
}

# README's commands make and install the Debian package, and upgrade nothing. It can be removed.
makes_the_package() {
	fresh "$1"
	installed >"$BATS_TEST_TMPDIR/before"
	readme 'make deb' >"$DEBIAN/root/commands"
	[[ $(cat "$DEBIAN/root/commands") = *'apt install ./build/release/'* ]]
	in_debian sh -exc 'cd /root/ipvlan-cni && . /root/commands'
	[[ $(in_debian ipvlanctl --version) = "ipvlanctl $(sed -n 's/^VERSION = //p' "$TOP/Makefile")"* ]]
	[ -z "$(comm -23 "$BATS_TEST_TMPDIR/before" <(installed))" ]
	in_debian apt remove ipvlan-cni
	[ -z "$(left_files)" ]
}

# README's commands make and install the programs from source, and make uninstall removes them.
makes_from_source() {
	fresh "$1"
	readme 'make install' >"$DEBIAN/root/commands"
	in_debian sh -exc 'cd /root/ipvlan-cni && . /root/commands'
	[[ $(in_debian /opt/cni/bin/ipvlan --version) = "ipvlan $(sed -n 's/^VERSION = //p' "$TOP/Makefile")"* ]]
	in_debian make -s -C /root/ipvlan-cni uninstall
	[ -z "$(left_files)" ]
}

@test "README's commands make and install the Debian package on Debian 12, which upgrades nothing and can be removed" {
	makes_the_package bookworm
}

@test "README's commands make and install the Debian package on Debian 13, which upgrades nothing and can be removed" {
	makes_the_package trixie
}

@test "README's commands make and install the programs from source on Debian 12, and make uninstall removes them" {
	makes_from_source bookworm
}

@test "README's commands make and install the programs from source on Debian 13, and make uninstall removes them" {
	makes_from_source trixie
}
