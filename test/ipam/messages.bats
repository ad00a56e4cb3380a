#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Messages that no other test has; man/ipvlan-cni-errors.7 lists all.

load ../lib/pool

# Runs addrpool with no rights except those of the files' owner. Unlike root's, these can be missing.
be_nobody() {
	PLUGIN=$BATS_TEST_TMPDIR/as-nobody
	install -m 755 "$BUILD/addrpool" "$BATS_TEST_TMPDIR/addrpool"
	printf '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups %s\n' \
		"$BATS_TEST_TMPDIR/addrpool" >"$PLUGIN"
	chmod +x "$PLUGIN"
	as_nobody true
	mkdir -p "$DATA"
	chown 65534:65534 "$DATA"
}

@test "more than 4096 entries of exclude are refused" {
	local list
	list=$(printf ', "fd00::%x"' {1..4096})
	pool STATUS "$(conf "\"exclude\": [${list#, }]")"
	succeeds
	pool ADD "$(conf "\"exclude\": [\"fd01::\"$list]")"
	fails 7
	says 'ipam.exclude has more than 4096 entries'
}

@test "a container's name that is one byte too long for a lease" {
	local name
	printf -v name '%04090d' 0
	pool ADD "$(conf)" "$name"
	fails 4
	says 'CNI_CONTAINERID is longer than 4096 characters'
	leased ''
	pool ADD "$(conf)" "${name:1}"
	succeeds
	drops "$(conf)" "${name:1}"
	leased ''
}

@test "resolvConf that is a directory" {
	pool ADD "$(conf "\"resolvConf\": \"$BATS_TEST_TMPDIR\"")"
	fails 5
	says "read $BATS_TEST_TMPDIR: is a directory"
	[ ! -e "$STORE" ]
}

@test "a lease that cannot be read" {
	be_nobody
	gets 10.9.0.2/24 "$(conf)"
	chmod 0 "$STORE/10.9.0.2"
	pool CHECK "$(conf)"
	fails 5
	says 'open lease 10.9.0.2: permission denied'
	chmod 600 "$STORE/10.9.0.2"
	pool CHECK "$(conf)"
	succeeds
}

@test "leases that cannot be made or removed stay as they are" {
	be_nobody
	gets 10.9.0.2/24 "$(conf)"
	chmod 555 "$STORE"
	pool ADD "$(conf)" c2
	fails 5
	says "cannot write $STORE/10.9.0.3: permission denied"
	explains 'must run as root'
	pool DEL "$(conf)"
	fails 5
	says "cannot remove $STORE/10.9.0.2: permission denied"
	leased 10.9.0.2
	chmod 755 "$STORE"
	drops "$(conf)"
	leased ''
}

@test "a directory in place of the temporary file of leases" {
	gets 10.9.0.2/24 "$(conf)"
	mkdir "$OWN/new"
	pool ADD "$(conf)" c2
	fails 5
	says "cannot write $OWN/new: file exists"
	explains "another file has that path"
	leased 10.9.0.2
	rmdir "$OWN/new"
	pool ADD "$(conf)" c2
	succeeds
}

@test "a file in place of the directory of blocks" {
	local cluster
	cluster=$(conf '"cluster": {"etcd": {"endpoints": ["http://127.0.0.1:1"]}, "timeout": 1}')
	gets 10.9.0.2/24 "$(conf)"
	: >"$OWN/blocks"
	pool ADD "$cluster" c2
	fails 5
	says 'read blocks: not a directory'
	pool DEL "$cluster"
	succeeds
	leased ''
}

@test "release-node requires a shared pool" {
	conf >"$BATS_TEST_TMPDIR/net.conf"
	run "$BUILD/addrpool" release-node other "$BATS_TEST_TMPDIR/net.conf"
	[ "$status" = 1 ]
	[[ $output = "$BATS_TEST_TMPDIR/net.conf: network net shares its pool with no other node" ]]
}

@test "addrpool-claim by hand" {
	run "$BUILD/addrpool-claim" list <<<'{'
	fails 6 'the configuration is not JSON: '
	run "$BUILD/addrpool-claim" list <<<"$(conf)"
	fails 7 'the configuration has no ipam.cluster'
	run "$BUILD/addrpool-claim" claim 1 0 <<<"$(conf '"cluster": {"etcd": {"endpoints": ["http://127.0.0.1:1"]}}')"
	fails 4 'there is no range set 1'
}
