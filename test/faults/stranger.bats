#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ADD in another mode than a stranger's interface on the same master has: whatever happens to it, it does not
# switch the stranger, and does not succeed.

load ../lib/faults

# refused LEAST [JSON]...: a sample of the cases, STEP=1 for all.
refused() {
	faults errors $((9 * $1 / ${STEP:=29})) ADD "$(pooled "${@:2}")" -r -s "$STEP"
	faults refusals 5 ADD "$(pooled "${@:2}")" -r
	faults kill 1 ADD "$(pooled "${@:2}")" -r
}

@test "whatever happens to ADD in l3, a stranger in l2 is not switched" {
	stranger
	refused 60 '{ "mode": "l3" }'
}

@test "whatever happens to ADD with flag private, a stranger with flag bridge is not switched" {
	stranger
	refused 60 '{ "flag": "private" }'
}

@test "whatever happens to ADD in l3, a stranger in l2 is not switched where no path leads to it but by a process" {
	stranger
	ip netns exec stranger sleep 10000 3>&- &
	while [ "$(ip netns pids stranger)" = '' ]; do
		sleep 0.1
	done
	ip netns del stranger
	refused 60 '{ "mode": "l3" }'
	kill $!
}
