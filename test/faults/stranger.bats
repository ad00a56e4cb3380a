#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ADD in another mode than that of another program's interface on the same master: with any fault
# ADD fails, and does not switch that interface.

load ../lib/faults

# refused LEAST [JSON]...: a sample of the cases, STEP=1 for all.
refused() {
	faults errors $((9 * $1 / ${STEP:=29})) ADD "$(pooled "${@:2}")" -r -s "$STEP"
	faults refusals 5 ADD "$(pooled "${@:2}")" -r
	faults kill 1 ADD "$(pooled "${@:2}")" -r
}

@test "a fault in ADD in l3 never switches another program's slave in l2" {
	stranger
	refused 60 '{ "mode": "l3" }'
}

@test "a fault in ADD with flag private never switches another program's slave with flag bridge" {
	stranger
	refused 60 '{ "flag": "private" }'
}

@test "a fault in ADD in l3 never switches another program's slave in l2 in a namespace that only a process keeps" {
	stranger
	ip netns exec stranger sleep 10000 3>&- &
	while [ "$(ip netns pids stranger)" = '' ]; do
		sleep 0.1
	done
	ip netns del stranger
	refused 60 '{ "mode": "l3" }'
	kill $!
}
