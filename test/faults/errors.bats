#!/usr/bin/env bats
# ipvlan and addrpool with each of their system calls failing: the error is told, nothing is left of
# an ADD that failed, nothing is given away that is in use.

load ../lib/faults

@test "whatever system call of ADD fails, it is told, and nothing is left" {
	faults errors 300 'ADD' "$(pooled)"
}

@test "whatever system call of DEL fails, it is told, and a second DEL makes up for it" {
	faults errors 120 'DEL' "$(pooled)"
}

@test "the same when addrpool has a process of its own" {
	addrpool_apart
	faults errors 400 'ADD' "$(pooled)"
	faults errors 150 'DEL' "$(pooled)"
}
