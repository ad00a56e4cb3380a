#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# addrpool's waiting, which ends. Where the kernel can skip idle time, it does.

load ../lib/pool

setup() {
	make_places
	HOLDER=
}

teardown() {
	[ -z "$HOLDER" ] || kill "$HOLDER"
}

@test "who does not get the lock says after a minute who has it" {
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

@test "who does not get its turn to claim blocks of a shared pool says so after a minute" {
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
