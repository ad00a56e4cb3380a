#!/usr/bin/env bats
# ipvlan and addrpool killed at each system call that changes something: what is on
# the host for pods in mode l3s.

load ../lib/faults

@test "killed at any system call, nothing is lost: ipMasq" {
	faults kill 100 'ADD DEL' "$(pooled '{ "mode": "l3s", "ipMasq": true }')"
}

@test "killed at any system call, nothing is lost: proxyArp" {
	faults kill 100 'ADD DEL' "$(pooled '{ "mode": "l3s", "proxyArp": true }')"
}
