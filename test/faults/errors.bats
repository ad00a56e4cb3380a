#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Each system call of ipvlan and addrpool fails in turn: the call reports the error, a failed ADD
# leaves nothing, and addrpool leases no address that is in use. For ADD a sample of the cases,
# STEP=1 for all: two thirds of its calls search for other interfaces on the master.

load ../lib/faults

@test "if any system call of ADD fails, ADD reports it, and nothing is left" {
	faults errors $((900 / ${STEP:=41})) 'ADD' "$(pooled)" -s "$STEP"
}

@test "if any system call of DEL fails, DEL reports it, and a second DEL completes it" {
	stranger
	faults errors 120 'DEL' "$(pooled)"
}

@test "the same with addrpool in its own process" {
	addrpool_apart
	faults errors $((900 / ${STEP:=41})) 'ADD' "$(pooled)" -s "$STEP"
	faults errors 150 'DEL' "$(pooled)"
}
