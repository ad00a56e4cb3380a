#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two calls about one container at once: one is stopped at each of its steps, and the other runs
# completely. The end is the same as after one call and then the other. A sample of the cases,
# STEP=1 for all.

load ../lib/faults

# woven LEAST XS YS [OPTION]...: with another pod, and another program's.
woven() {
	[ -e /run/netns/other ] || { ip netns add other && stranger; }
	weave $(($1 / ${STEP:=41})) "$2" "$3" "$(on_lan '{ "hostAccess": true }')" -s "$STEP" "${@:4}"
}

@test "ADD and DEL of a container, beside all other calls about it" {
	woven 300 'ADD:a DEL:a' 'ADD:a DEL:a GC:other GC:other,a gc' -1 ADD:other
}

@test "ADD of a container that the runtime gives up, during DEL and another ADD" {
	woven 60 ADD:a DEL:a+ADD:a -1 ADD:other
}

@test "GC and ipvlanctl gc, beside ADD and DEL of a container that is not attached" {
	woven 90 'GC:other GC:other,a gc' 'ADD:a DEL:a' -1 ADD:other
}

@test "ADD, DEL and CHECK of a container that is attached, beside all other calls about it" {
	woven 200 'ADD:a DEL:a CHECK:a' 'ADD:a DEL:a CHECK:a GC:other GC:other,a gc' -1 'ADD:other ADD:a'
}

@test "GC and ipvlanctl gc, beside all calls about a container that is attached" {
	woven 280 'GC:other GC:other,a gc' 'ADD:a DEL:a CHECK:a GC:other gc' -1 'ADD:other ADD:a'
}

@test "GC, ipvlanctl gc and CHECK about one container, beside ADD and DEL of another one, and the reverse" {
	woven 60 'GC:a,other,b gc CHECK:a' 'ADD:b DEL:b' -1 'ADD:other ADD:a'
	woven 100 'ADD:b DEL:b' 'GC:a,other,b gc CHECK:a' -1 'ADD:other ADD:a'
}
