#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan and addrpool with each of their system calls failing: the error is told, nothing is left of
# an ADD that failed, nothing is given away that is in use. Of ADD, two thirds of which look for other interfaces on
# the master, a sample of the cases, STEP=1 for all.

load ../lib/faults

@test "whatever system call of ADD fails, it is told, and nothing is left" {
	faults errors $((900 / ${STEP:=41})) 'ADD' "$(pooled)" -s "$STEP"
}

@test "whatever system call of DEL fails, it is told, and a second DEL makes up for it" {
	stranger
	faults errors 120 'DEL' "$(pooled)"
}

@test "the same when addrpool has a process of its own" {
	addrpool_apart
	faults errors $((900 / ${STEP:=41})) 'ADD' "$(pooled)" -s "$STEP"
	faults errors 150 'DEL' "$(pooled)"
}
