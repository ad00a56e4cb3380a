#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# GC, killed or failed at each system call, of a pod whose namespace is gone and that no DEL came for.

load ../lib/faults

# collected MODE LEAST [JSON [OPTION]...]
collected() {
	faults "$1" "$2" GC "$(pooled "${3:-{\}}")" -b 'ip netns del a' -m 'ip netns add a' "${@:4}"
}

@test "whatever happens to GC, the next one or DEL makes up for it" {
	collected kill 10
	collected errors $((1400 / ${STEP:=53})) '{}' -s "$STEP"
	collected refusals 1
}

@test "whatever happens to GC, with hostAccess" {
	collected kill 10 '{ "hostAccess": true }'
	collected errors $((1400 / ${STEP:=53})) '{ "hostAccess": true }' -s "$STEP"
	collected refusals 1 '{ "hostAccess": true }'
}
