#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As errors.bats, with what ipvlan makes on the host: a sample of the cases, STEP=1 for all.

load ../lib/faults

@test "whatever system call fails: a VLAN that is made" {
	faults errors $((500 / ${STEP:=97})) 'ADD DEL' "$(pooled '{ "vlan": 100 }')" -s "$STEP"
}

@test "whatever system call fails: reflector" {
	faults errors $((500 / ${STEP:=97})) 'ADD DEL' "$(pooled '{ "mode": "l3", "flag": "vepa", "reflector": [ "10.138.36.66", "fd00:36::66" ] }')" -s "$STEP"
}
