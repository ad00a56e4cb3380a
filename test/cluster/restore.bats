#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An etcd that is restored from a backup knows less than its nodes.

load ../lib/cluster

setup() {
	make_places
	start_engine
}

teardown() {
	stop_engine
}

# The time after which the engine must have counted a node's blocks before the next address is given.
a_minute_passes() {
	rm -f "$OWN/blocks/counted"
}

# The engine and the node at hand, which is a, have the same blocks as its own.
agreed() {
	diff <(own | xargs -n 1 | sort) <(claims a | xargs -n 1 | sort)
}

# restore: etcd is as it was when `backup` was called.
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

@test "etcd restored from a backup: what was claimed since is claimed again, or given up if another node has it" {
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
	[[ $stderr = *'does not belong to node a any more, but to b'* ]]
	agreed
}

@test "etcd restored from a backup, and as many blocks are the node's as before, but others" {
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

@test "etcd restored from a backup of before the node was restarted: the node knows its own past" {
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

@test "etcd restored from a backup of before the node was installed anew: the node knows what it has taken over" {
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

@test "a claim that another machine of that name and number has confirmed is not taken over" {
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
	[[ $output = *'which is another machine'* ]]
}
