#!/usr/bin/env bats
# As errors.bats, with what ipvlan makes on the host: each third case, STEP=1 for all.

load ../lib/faults

@test "whatever system call fails: hostAccess" {
	faults errors $((500 / ${STEP:=3})) 'ADD DEL' "$(pooled '{ "hostAccess": true }')" -s "$STEP"
}

@test "whatever system call fails: ipMasq" {
	faults errors $((500 / ${STEP:=3})) 'ADD DEL' "$(pooled '{ "mode": "l3s", "ipMasq": true }')" -s "$STEP"
}
