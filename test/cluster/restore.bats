#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An etcd restored from a backup lacks later claims of its nodes.

load ../lib/cluster

setup() {
	make_places
	start_engine
}

teardown() {
	stop_engine
}

# The engine must count the node's blocks again before the next address: COUNTED_MS have passed.
a_minute_passes() {
	rm -f "$OWN/blocks/counted"
}

# The engine and node a, the present one, have the same blocks of it.
agreed() {
	diff <(own | xargs -n 1 | sort) <(claims a | xargs -n 1 | sort)
}

# restore: etcd has the state of the last call of `backup`.
backup() {
	kill "$ETCD_PID" && wait "$ETCD_PID" || :
	rm -rf "$BATS_TEST_TMPDIR/backup"
	cp -a "$ETCD_DIR" "$BATS_TEST_TMPDIR/backup"
	etcd_start "$BATS_TEST_TMPDIR/etcd"
}

restore() {
	kill "$ETCD_PID" && wait "$ETCD_PID" || :
	rm -rf "$ETCD_DIR"
	cp -a "$BATS_TEST_TMPDIR/backup" "$ETCD_DIR"
	etcd_start "$BATS_TEST_TMPDIR/etcd"
}

@test "etcd restored from a backup: a node claims later blocks again, or gives them up if another node has them" {
	local first block
	on a '"blockSize": 2'
	add c1
	backup
	add c2
	add c3
	first=$ADDRESS block=$(own)
	restore
	[ "$(claims a | wc -w)" = 1 ]
	a_minute_passes
	add c4
	agreed
	[ "$(own)" = "$block" ]
	restore
	on b '"blockSize": 2'
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$first/24\"]}}" c1
	succeeds
	on a '"blockSize": 2'
	a_minute_passes
	add c5
	[[ $stderr = *'no longer belongs to node a, but to b'* ]]
	agreed
}

@test "etcd restored from a backup: the node has as many blocks as before, but others" {
	local third
	on a '"blockSize": 1'
	add c1
	add c2
	drops "$CONF" c2
	backup
	add c2
	add c3
	third=$ADDRESS
	drops "$CONF" c1
	drops "$CONF" c2
	[ "$(claims a | wc -w)" = 2 ]
	restore
	[ "$(claims a | wc -w)" = 2 ]
	[[ " $(claims a) " != *" $third/32 "* ]]
	a_minute_passes
	add c4
	agreed
	[[ " $(own) " = *" $third/32 "* ]]
}

@test "etcd restored from a backup of before the node's restart: the node recognizes its earlier claims" {
	machine 11111111
	on a
	add c1
	backup
	machine 22222222
	add c2
	restore
	a_minute_passes
	add c3
	agreed
}

@test "etcd restored from a backup of before the node's new installation: the node recognizes claims it took over" {
	machine 11111111
	on a
	add c1
	backup
	rm -r "$DATA"
	machine 22222222
	add c2
	restore
	a_minute_passes
	add c3
	agreed
	[ "$(claims a | wc -w)" = 1 ]
}

@test "a node does not take over a claim that another machine of its name and number has confirmed" {
	machine 11111111
	on a
	add c1
	rm -r "$DATA"
	machine 22222222
	add c2
	machine 33333333
	CONF=$(DATA=$BATS_TEST_TMPDIR/second conf "\"cluster\": {$ENGINE, \"node\": \"a\"}")
	pool ADD "$CONF" c1
	succeeds
	machine 22222222
	on a
	a_minute_passes
	pool ADD "$CONF" c3
	fails 7
	[[ $output = *'belongs to another machine'* ]]
}
