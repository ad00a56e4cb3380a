#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As kill, errors and weave, with the calls of Podman: setup and teardown of ipvlan-netavark. A
# sample of the cases, STEP=1 for all.

load ../lib/faults

# podman [JSON]...: a network of Podman with addresses of the LAN from addrpool, and hostAccess.
podman() {
	on_lan '{ "type": "ipvlan-netavark", "hostAccess": true }' "$@"
}

@test "the driver killed at any system call: nothing is lost" {
	faults kill $((200 / ${STEP:=11})) 'ADD DEL' "$(podman)" -s "$STEP"
}

@test "the driver killed at any system call while it makes the first VLAN of a pod" {
	faults kill $((100 / ${STEP:=23})) 'ADD DEL' "$(podman '{ "vlan": 100, "hostAccess": null }')" -s "$STEP"
}

@test "if any system call of the driver fails, it succeeds, or reports why and leaves nothing" {
	faults errors $((500 / ${STEP:=29})) 'ADD DEL' "$(podman)" -s "$STEP"
}

@test "setup and teardown of containers at once" {
	weave $((80 / ${STEP:=29})) 'ADD:a DEL:a' 'ADD:b DEL:b' "$(podman)" -s "$STEP"
	weave $((80 / STEP)) 'ADD:a DEL:a' 'ADD:b DEL:b' "$(podman)" -1 'ADD:a ADD:b' -s "$STEP"
}

# cni [JSON]...: a network of a CNI runtime on the same master.
cni() {
	on_lan '{ "name": "net2", "ipam": { "ranges": [ [ { "subnet": "10.138.36.0/23", "rangeStart": "10.138.36.41", "rangeEnd": "10.138.36.57" } ],
		[ { "subnet": "fd00:36::/64", "rangeStart": "fd00:36::41", "rangeEnd": "fd00:36::57" } ] ] } }' "$@"
}

@test "a container of Podman and a pod of a CNI runtime on one master at once" {
	local theirs
	theirs=$(cni '{ "hostAccess": true }')
	weave $((80 / ${STEP:=29})) 'ADD:a DEL:a' 'ADD.2:b DEL.2:b GC.2:' "$(podman)" -2 "$theirs" -1 'ADD:a ADD.2:b' -s "$STEP"
	weave $((80 / STEP)) 'ADD:a DEL:a' 'ADD.2:b DEL.2:b' "$theirs" -2 "$(podman)" -1 ADD.2:b -s "$STEP"
}

@test "a container of Podman and a pod that require two modes of the master at once: one is refused" {
	weave $((40 / ${STEP:=29})) ADD:a ADD.2:b "$(podman '{ "hostAccess": null }')" -2 "$(cni '{ "mode": "l3" }')" -s "$STEP"
}
