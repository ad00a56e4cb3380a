#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As weave.bats, with two containers that share objects on the host: the first ADD makes them, and
# the last DEL removes them. A sample of the cases, STEP=1 for all.

load ../lib/faults

# share LEAST [JSON]...
share() {
	local conf
	conf=$(pooled "${@:2}")
	weave $(($1 / ${STEP:=37})) ADD:a ADD:b "$conf" -s "$STEP"
	weave $(($1 / STEP)) ADD:a DEL:b "$conf" -s "$STEP" -1 ADD:b
	weave $(($1 / STEP / 2)) DEL:a ADD:b "$conf" -s "$STEP" -1 ADD:a
	weave $(($1 / STEP / 2)) DEL:a DEL:b "$conf" -s "$STEP" -1 'ADD:a ADD:b'
}

@test "two containers come and go: l2" {
	share 30
}

@test "two containers come and go: hostAccess" {
	share 30 '{ "hostAccess": true }'
}

@test "two containers come and go: hostAccess and hostRoutes in l3" {
	share 30 '{ "mode": "l3", "hostAccess": true, "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }'
}

@test "two containers come and go: ipMasq" {
	share 30 '{ "mode": "l3s", "ipMasq": true }'
}

@test "two containers come and go: antiSpoof, bandwidth and allow" {
	share 30 '{ "antiSpoof": true, "bandwidth": { "egressRate": 8000000 }, "allow": { "egress": [ {} ] } }'
}

@test "two containers come and go: proxyArp" {
	share 30 '{ "mode": "l3s", "proxyArp": true }'
}

@test "two containers come and go: a VLAN that is made" {
	share 30 '{ "vlan": 100 }'
}

@test "two containers come and go: an internal network" {
	share 30 '{ "internal": true, "master": null }'
}

@test "two containers come and go: reflector" {
	share 30 '{ "mode": "l3", "flag": "vepa", "reflector": [ "10.138.36.66", "fd00:36::66" ] }'
}

@test "two containers come and go: resolvConf" {
	share 30 '{ "resolvConf": true, "dns": { "nameservers": [ "10.138.36.66" ] } }'
}
