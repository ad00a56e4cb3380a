#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As weave.bats, with addrpool and Go's host-local on one dataDir. A sample of the cases, STEP=1 for all.

load ../lib/faults

# both LEAST OPTION...: addrpool stopped for host-local, and the reverse.
both() {
	local ours theirs
	ours=$(pooled '{ "type": "addrpool" }')
	theirs=$(pooled '{ "type": "host-local", "ipam": { "type": "host-local" } }')
	weave $(($1 / ${STEP:=11})) "$2" "$3" "$ours" -2 "$theirs" -s "$STEP" "${@:4}"
	weave $(($1 / STEP)) "$2" "$3" "$theirs" -2 "$ours" -s "$STEP" "${@:4}"
}

@test "addrpool and host-local lease addresses to two containers at once" {
	both 10 ADD:a ADD.2:b
}

@test "one of addrpool and host-local leases an address while the other releases one" {
	both 10 ADD:a DEL.2:b -1 ADD:b
	both 10 DEL:a ADD.2:b -1 ADD:a
}

@test "addrpool and host-local release addresses of two containers at once, and of one" {
	both 10 DEL:a DEL.2:b -1 'ADD:a ADD:b'
	both 10 DEL:a DEL.2:a -1 'ADD:a'
}

@test "addrpool and host-local lease addresses to one container at once" {
	both 10 ADD:a ADD.2:a
}
