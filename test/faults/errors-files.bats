#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As errors.bats, with files of the host that others use too: a sample of the cases, STEP=1 for all.

load ../lib/faults

@test "whatever system call fails: resolvConf" {
	faults errors $((500 / ${STEP:=97})) 'ADD DEL' "$(pooled '{ "resolvConf": true, "dns": { "nameservers": [ "10.138.36.66" ] } }')" -s "$STEP"
}

@test "whatever system call fails: proxyArp" {
	stranger l3s
	faults errors $((500 / ${STEP:=97})) 'ADD DEL' "$(pooled '{ "mode": "l3s", "proxyArp": true }')" -s "$STEP"
}
