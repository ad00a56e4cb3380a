#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As weave.bats, with a container that has been attached in another network namespace under the same name. A
# sample of the cases, STEP=1 for all.

load ../lib/faults

# moved LEAST XS YS [OPTION]...: container a is attached in namespace a, and c is there.
moved() {
	ip netns add other
	ip netns add c
	stranger
	weave $(($1 / ${STEP:=41})) "$2" "$3" "$(on_lan '{ "hostAccess": true }')" -s "$STEP" -1 'ADD:other ADD:a' "${@:4}"
}

@test "calls about a container that was attached in a namespace that is gone" {
	moved 300 'ADD:a@c DEL:a GC:other gc' 'ADD:a@c DEL:a@c DEL:a GC:other gc' -b 'ip netns del a' -m 'ip netns add a'
}

@test "calls about a container that is attached in another namespace" {
	moved 300 'ADD:a@c DEL:a DEL:a@c GC:other,a gc' 'ADD:a@c DEL:a@c DEL:a GC:other,a gc'
}

@test "a late DEL of the namespace that is gone, while the container comes back in another one" {
	moved 20 DEL:a DEL:a+ADD:a@c -b 'ip netns del a' -m 'ip netns add a'
}
