#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan and addrpool killed at each system call that changes something: the pod's interface, and
# masters that ADD makes. A sample of the cases, STEP=1 for all.

load ../lib/faults

@test "killed at any system call, nothing is lost: l2, both families" {
	faults kill $((100 / ${STEP:=11})) 'ADD DEL' "$(pooled)" -s "$STEP"
}

@test "killed at any system call, nothing is lost: addrpool in its own process" {
	stranger
	addrpool_apart
	faults kill $((100 / ${STEP:=11})) 'ADD DEL' "$(pooled)" -s "$STEP"
}

@test "killed at any system call, nothing is lost: a VLAN that is made" {
	faults kill $((100 / ${STEP:=11})) 'ADD DEL' "$(pooled '{ "vlan": 100 }')" -s "$STEP"
}

@test "killed at any system call, nothing is lost: an internal network" {
	faults kill $((100 / ${STEP:=11})) 'ADD DEL' "$(pooled '{ "internal": true, "master": null }')" -s "$STEP"
}

@test "killed at any system call, nothing is lost: resolvConf" {
	faults kill $((100 / ${STEP:=11})) 'ADD DEL' "$(pooled '{ "resolvConf": true, "dns": { "nameservers": [ "10.138.36.66" ] } }')" -s "$STEP"
}
