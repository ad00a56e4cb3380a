#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As weave.bats, with two networks on one master. A sample of the cases, STEP=1 for all.

load ../lib/faults

# pair LEAST JSON JSON: containers a of one network, b of the other.
pair() {
	local one two
	one=$(pooled "$2")
	two=$(pooled '{ "name": "net2", "ipam": { "ranges": [ [ { "subnet": "192.168.8.0/24" } ], [ { "subnet": "fd00:8::/64" } ] ] } }' "$3")
	weave $(($1 / ${STEP:=37})) ADD:a ADD.2:b "$one" -2 "$two" -s "$STEP"
	weave $(($1 / STEP / 2)) DEL:a ADD.2:b "$one" -2 "$two" -s "$STEP" -1 ADD:a
	weave $(($1 / STEP)) ADD.2:b DEL:a "$one" -2 "$two" -s "$STEP" -1 ADD:a
	weave $(($1 / STEP / 2)) 'GC:' ADD.2:b "$one" -2 "$two" -s "$STEP"
}

@test "two networks on one master" {
	pair 15 '{ "hostAccess": true }' '{ "hostAccess": true }'
}

@test "two networks on one master, in different modes" {
	STEP=${STEP:-5} pair 15 '{}' '{ "mode": "l3" }'
}

route='{ "mode": "l3", "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }'

@test "two networks on one master with the same hostRoutes" {
	pair 15 "$route" "$route"
}

@test "two networks on one master with hostRoutes that contradict each other" {
	pair 15 "$route" "${route/36.66/36.67}"
}
