#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# GC, killed or failed at each system call, for a pod without a namespace and without a DEL.

load ../lib/faults

# collected MODE LEAST [JSON [OPTION]...]
collected() {
	faults "$1" "$2" GC "$(pooled "${3:-{\}}")" -b 'ip netns del a' -m 'ip netns add a' "${@:4}"
}

@test "after any fault in GC the next GC or DEL completes it" {
	collected kill 10
	collected errors $((1400 / ${STEP:=53})) '{}' -s "$STEP"
	collected refusals 1
}

@test "after any fault in GC, with hostAccess" {
	collected kill 10 '{ "hostAccess": true }'
	collected errors $((1400 / ${STEP:=53})) '{ "hostAccess": true }' -s "$STEP"
	collected refusals 1 '{ "hostAccess": true }'
}
