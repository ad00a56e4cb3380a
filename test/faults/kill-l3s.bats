#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan and addrpool killed at each system call that changes something: objects on the host for
# pods in mode l3s. A sample of the cases, STEP=1 for all.

load ../lib/faults

@test "killed at any system call, nothing is lost: ipMasq" {
	stranger l3s
	faults kill $((200 / ${STEP:=23})) 'ADD DEL' "$(pooled '{ "mode": "l3s", "ipMasq": true }')" -s "$STEP"
}

@test "killed at any system call, nothing is lost: proxyArp" {
	faults kill $((200 / ${STEP:=23})) 'ADD DEL' "$(pooled '{ "mode": "l3s", "proxyArp": true }')" -s "$STEP"
}

@test "killed at any system call, nothing is lost: antiSpoof, bandwidth and allow" {
	stranger l3s
	faults kill $((200 / ${STEP:=23})) 'ADD DEL' "$(pooled '{ "mode": "l3s", "antiSpoof": true, "bandwidth": { "egressRate": 8000000 }, "allow": { "egress": [ {} ] } }')" -s "$STEP"
}
