#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan and addrpool killed at each system call that changes something: objects on the host. A
# sample of the cases, STEP=1 for all.

load ../lib/faults

@test "killed at any system call, nothing is lost: hostAccess" {
	stranger
	faults kill $((200 / ${STEP:=17})) 'ADD DEL' "$(pooled '{ "hostAccess": true }')" -s "$STEP"
}

@test "killed at any system call, nothing is lost: reflector" {
	stranger l3 vepa
	faults kill $((200 / ${STEP:=17})) 'ADD DEL' "$(pooled '{ "mode": "l3", "flag": "vepa", "reflector": [ "10.138.36.66", "fd00:36::66" ] }')" -s "$STEP"
}

@test "killed at any system call, nothing is lost: hostRoutes" {
	stranger l3
	faults kill $((200 / ${STEP:=17})) 'ADD DEL' "$(pooled '{ "mode": "l3", "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }')" -s "$STEP"
}

@test "killed at any system call, GC completes the call without a DEL" {
	stranger
	faults kill $((100 / ${STEP:=17})) 'ADD DEL' "$(pooled '{ "hostAccess": true }')" -g -s "$STEP"
}
