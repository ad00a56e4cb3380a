#!/usr/bin/env bats
# ipvlan and addrpool killed at each system call that changes something: what is in the pod,
# and masters that are made.

load ../lib/faults

@test "killed at any system call, nothing is lost: l2, both families" {
	faults kill 100 'ADD DEL' "$(pooled)"
}

@test "killed at any system call, nothing is lost: addrpool in a process of its own" {
	addrpool_apart
	faults kill 100 'ADD DEL' "$(pooled)"
}

@test "killed at any system call, nothing is lost: a VLAN that is made" {
	faults kill 100 'ADD DEL' "$(pooled '{ "vlan": 100 }')"
}

@test "killed at any system call, nothing is lost: an internal network" {
	faults kill 100 'ADD DEL' "$(pooled '{ "internal": true, "master": null }')"
}

@test "killed at any system call, nothing is lost: resolvConf" {
	faults kill 100 'ADD DEL' "$(pooled '{ "resolvConf": true, "dns": { "nameservers": [ "10.138.36.66" ] } }')"
}
