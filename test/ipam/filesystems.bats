#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The store on file systems with whole seconds, without links, and with mounts inside the store.

load ../lib/pool

two_sets='"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00::/64"}]]'

setup() {
	make_places
	mkdir "$DATA"
	LOOP=
}

teardown() {
	umount "$STORE" 2>/dev/null || :
	umount "$DATA" 2>/dev/null || :
	[ -z "$LOOP" ] || losetup -d "$LOOP"
}

# disk OPTION...: dataDir is an ext4 file system made with these options.
disk() {
	truncate -s 16M "$BATS_TEST_TMPDIR/disk"
	mkfs.ext4 -q "$@" "$BATS_TEST_TMPDIR/disk"
	LOOP=$(losetup -f --show "$BATS_TEST_TMPDIR/disk")
	mount "$LOOP" "$DATA"
}

# traced VERB [STRACE OPTION...]: for container c2, system calls on files.
traced() {
	printf '#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -f -qq -o "%s" %s "%s"\n' "$BATS_TEST_TMPDIR/trace" "${*:2}" "$BUILD/addrpool" >"$BATS_TEST_TMPDIR/traced"
	chmod +x "$BATS_TEST_TMPDIR/traced"
	PLUGIN=$BATS_TEST_TMPDIR/traced pool "$1" "$(conf "$two_sets")" c2
}

# opened: how many leases the last traced call has read.
opened() {
	grep -c 'openat([0-9]*, "10\.9\.' "$BATS_TEST_TMPDIR/trace" || :
}

# life: ADD, CHECK and DEL, which read no lease but their own.
life() {
	local n verb
	for n in {20..40}; do
		lease "10.9.0.$n" "c$n\r\neth0"
	done
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$two_sets")" c1
	for verb in ADD CHECK DEL; do
		traced "$verb"
		succeeds
		[ "$(opened)" -lt 3 ] || { echo "$verb: $(opened) leases were read"; return 1; }
		[ "$verb" != ADD ] || got '10.9.0.3/24 fd00::3/64'
	done
	# the next call notices changes of other programs
	host_local DEL "$(conf "$two_sets")" c1
	pool CHECK "$(conf "$two_sets")" c1
	fails 102
	[ ! -e "$OWN/owner/c1:eth0" ]
}

@test "tmpfs" {
	mount -t tmpfs tmpfs "$DATA"
	life
}

@test "ext4 with whole seconds, as converted from ext3" {
	disk -I 128
	life
	[[ $(stat -c %y "$STORE/10.9.0.20") = *.000000000* ]]
}

@test "ext4" {
	disk
	life
}

@test "a full file system: the error has the whole path and the remedy, and nothing is leased" {
	mount -t tmpfs -o size=64k tmpfs "$DATA"
	gets 10.9.0.2/24 "$(conf)" c1
	dd if=/dev/zero of="$DATA/all" bs=4k 2>/dev/null || :
	pool ADD "$(conf)" c2
	fails 5 "cannot write $DATA/"
	[[ $ERROR_MESSAGE = *': no space left on device' ]]
	explains 'make room on that file system; a new "dataDir" in ipam requires that the network has no pod on this node'
	leased 10.9.0.2
	drops "$(conf)" c1
	rm "$DATA/all"
	gets 10.9.0.3/24 "$(conf)" c2
}

@test "a read-only file system: ADD, DEL and STATUS name the remedy" {
	local verb
	mount -t tmpfs tmpfs "$DATA"
	gets 10.9.0.2/24 "$(conf)" c1
	mount -o remount,ro "$DATA"
	pool STATUS "$(conf)"
	fails 50
	says "cannot write to $STORE: read-only file system"
	explains 'mount that file system for writing; a new "dataDir" in ipam requires that the network has no pod on this node'
	pool ADD "$(conf)" c2
	fails 5 "$DATA"
	explains 'mount that file system for writing'
	pool DEL "$(conf)" c1
	fails 5
	says "cannot remove $STORE/10.9.0.2: read-only file system"
	explains 'mount that file system for writing'
	pool ADD "$(conf '' '"name": "other"')"
	fails 5
	says "mkdir $DATA/other: read-only file system"
	explains 'mount that file system for writing'
	mount -o remount,rw "$DATA"
	drops "$(conf)" c1
}

@test "a file in place of dataDir: the error names the remedy" {
	rmdir "$DATA"
	: >"$DATA"
	pool ADD "$(conf)"
	fails 5
	says "open $STORE: not a directory"
	explains 'another file has that path or a part of it'
	pool STATUS "$(conf)"
	fails 50
	says "cannot write to $STORE: not a directory"
	explains 'another file has that path or a part of it'
}

@test "an overlay" {
	mkdir "$BATS_TEST_TMPDIR"/{lower,upper,work}
	mount -t tmpfs tmpfs "$DATA"
	mkdir "$DATA"/{upper,work,merged}
	mount -t overlay -o "lowerdir=$BATS_TEST_TMPDIR/lower,upperdir=$DATA/upper,workdir=$DATA/work" overlay "$DATA/merged"
	DATA=$DATA/merged STORE=$DATA/merged/net OWN=$DATA/merged/.addrpool/net
	life
	umount "$DATA"
	DATA=${DATA%/merged}
}

@test "the leases of a network on a file system of their own" {
	mkdir "$STORE"
	mount -t tmpfs tmpfs "$STORE"
	life
	gets '10.9.0.4/24 fd00::4/64' "$(conf "$two_sets")" c1
	holds 10.9.0.4 'c1\r\neth0'
	[ "$(stat -c '%a %h' "$STORE/10.9.0.4")" = '600 1' ]
	[ ! -e "$STORE/.addrpool.new" ]
	pool CHECK "$(conf "$two_sets")" c1
	succeeds
	# after another program's change the records still vouch for them
	touch "$STORE"
	restarted c1
	pool CHECK "$(conf "$two_sets")" c1
	succeeds
	[[ $(readlink "$OWN/owner/c1:eth0") = '00000000 '* ]]
}

@test "a file system without hard links" {
	local error
	for error in EPERM EOPNOTSUPP ENOSYS EMLINK; do
		traced ADD "-e inject=linkat:error=$error"
		succeeds
		holds "$(result '.ips[0].address' | cut -d/ -f1)" 'c2\r\neth0'
		leased "$(result '.ips[].address' | cut -d/ -f1 | paste -sd' ')"
		traced DEL
		succeeds
		leased ''
	done
	[ "$(find "$DATA" -name '*new')" = '' ]
}

@test "the next call removes the copy of a killed call" {
	traced ADD '-e inject=linkat:error=EXDEV -e inject=rename,renameat,renameat2:signal=KILL' || :
	[ "$status" != 0 ]
	[ -e "$STORE/.addrpool.new" ]
	gets '10.9.0.3/24 fd00::3/64' "$(conf "$two_sets")" c1
	[ ! -e "$STORE/.addrpool.new" ]
	leased '10.9.0.3 fd00::3'
}

@test "an attachment with more addresses than a link stores, as on XFS: CHECK and DEL find them all" {
	traced ADD '-e inject=symlinkat:error=ENAMETOOLONG:when=1'
	succeeds
	[ "$(readlink "$OWN/owner/c2:eth0")" = '*' ]
	leased '10.9.0.2 fd00::2'
	pool CHECK "$(conf "$two_sets")" c2
	succeeds
	drops "$(conf "$two_sets")" c2
	leased ''
}

@test "without symbolic links ADD fails, names them, and changes nothing" {
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$two_sets")" c1
	traced ADD '-e inject=symlinkat,symlink:error=EPERM'
	fails 5 "cannot write $OWN/owner/c2:eth0: operation not permitted"
	explains 'ipam.dataDir must be on a file system with symbolic links'
	leased '10.9.0.2 fd00::2'
	[ "$(cat "$STORE"/last_reserved_ip.*)" = 10.9.0.2fd00::2 ]
	[ "$(ls "$OWN")" = owner ]
}
