#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# containerd 1.7 of Debian 13, with conf-examples/l2.conflist unchanged: by its own client, and as Kubernetes
# calls it.

load ../lib/cni
load ../lib/runtimes
export CONTAINERD=trixie CNI_VERSION=
load ../lib/containerd-tests

@test "ctr run --cni: the container has the leased address, reaches the LAN, and leaves nothing" {
	local before
	[[ $(containerd --version) = *' 1.7.'* ]]
	before=$(inventory)
	run in_ctr --rm docker.io/local/busybox:1 one sh -c 'ip -4 addr show eth0; ping -c 1 -W 3 10.138.36.66'
	echo "$output"
	[ "$status" = 0 ]
	[[ $output = *'inet 10.138.36.2/23'* ]]
	nobody_left
	leaves_nothing "$before"
}

@test "CRI: two pods have the leased addresses, reach each other and the LAN, and leave nothing" {
	local before one first
	before=$(inventory)
	pod one
	one=$CONTAINER first=$POD
	[ "$(cri addresses "$POD")" = 10.138.36.2 ]
	pod two
	[ "$(cri addresses "$POD")" = 10.138.36.3 ]
	cri exec "$one" ping -c 1 -W 3 10.138.36.3
	cri exec "$CONTAINER" ping -c 1 -W 3 10.138.36.66
	cri stop "$first"
	[ "$(leases l2)" = 10.138.36.3 ]
	cri stop "$POD"
	nobody_left
	leaves_nothing "$before"
}
