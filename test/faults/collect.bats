#!/usr/bin/env bats
# GC, killed or failed at each system call, of a pod whose namespace is gone and that no DEL came for.

load ../lib/faults

# collected MODE LEAST [JSON]...
collected() {
	faults "$1" "$2" GC "$(pooled "${@:3}")" -b 'ip netns del a' -m 'ip netns add a'
}

@test "whatever happens to GC, the next one or DEL makes up for it" {
	collected kill 10
	collected errors 10
	collected refusals 1
}

@test "whatever happens to GC, with hostAccess" {
	collected kill 10 '{ "hostAccess": true }'
	collected errors 10 '{ "hostAccess": true }'
	collected refusals 1 '{ "hostAccess": true }'
}
