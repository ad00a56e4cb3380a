#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# addrpool waits for a limited time. A kernel that can skip idle time does so.

load ../lib/pool

setup() {
	make_places
	HOLDER=
}

teardown() {
	[ -z "$HOLDER" ] || kill "$HOLDER"
}

@test "a call that does not get the lock fails after a minute, and names the way to find its holder" {
	local verb
	gets 10.9.0.2/24 "$(conf)" a
	keeps_lock "$STORE/lock"
	for verb in ADD DEL; do
		pool "$verb" "$(conf)" b
		fails 11 "$STORE/lock is held by another process for 60 s"
		explains "fuser -v $STORE/lock names that process"
	done
	leased 10.9.0.2
}

@test "a call that cannot begin to claim blocks of a shared pool fails after a minute" {
	local cluster='"cluster": { "etcd": { "endpoints": [ "http://127.0.0.1:1" ] }, "timeout": 1 }'
	mkdir -p "$OWN"
	keeps_lock "$OWN/claim.lock"
	pool ADD "$(conf "$cluster")" a
	fails 11 'other processes of this node have been claiming blocks for 60 s'
	leased ''
}

@test "reuseDelay ends" {
	local conf
	conf=$(conf '"subnet": "10.9.0.0/30", "reuseDelay": 30')
	gets 10.9.0.2/30 "$conf" a
	drops "$conf" a
	pool ADD "$conf" b
	fails 11
	sleep 31
	gets 10.9.0.2/30 "$conf" b
}
