#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As errors.bats, with what ipvlan makes on the host: a sample of the cases, STEP=1 for all.

load ../lib/faults

@test "whatever system call fails: hostAccess" {
	stranger
	faults errors $((500 / ${STEP:=97})) 'ADD DEL' "$(pooled '{ "hostAccess": true }')" -s "$STEP"
}

@test "whatever system call fails: antiSpoof, bandwidth and allow" {
	faults errors $((500 / ${STEP:=97})) 'ADD DEL' "$(pooled '{ "antiSpoof": true, "bandwidth": { "egressRate": 8000000 }, "allow": { "egress": [ {} ] } }')" -s "$STEP"
}

@test "whatever system call fails: ipMasq" {
	faults errors $((500 / ${STEP:=97})) 'ADD DEL' "$(pooled '{ "mode": "l3s", "ipMasq": true }')" -s "$STEP"
}
