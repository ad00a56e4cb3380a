#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# containerd 2, with CNI 1.1.0: by its own client, and as Kubernetes calls it.

load ../lib/cni
load ../lib/runtimes
export CONTAINERD=sid CNI_VERSION=1.1.0
load ../lib/containerd-tests

@test "ctr run --cni: the container has the leased address, reaches the LAN, and leaves nothing" {
	local before
	before=$(inventory)
	run in_ctr --rm docker.io/local/busybox:1 one sh -c 'ip -4 addr show eth0; ping -c 1 -W 3 10.138.36.66'
	echo "$output"
	[ "$status" = 0 ]
	[[ $output = *'inet 10.138.36.2/23'* ]]
	nobody_left
	leaves_nothing "$before"
}

@test "ctr: two detached containers reach each other" {
	in_ctr -d docker.io/local/busybox:1 one sleep 1000
	in_ctr -d docker.io/local/busybox:1 two sleep 1000
	ctr task exec --exec-id ping one ping -c 1 -W 3 10.138.36.3
	[ "$(leases l2)" = "10.138.36.2 10.138.36.3" ]
}

@test "CRI: two pods have the leased addresses, and reach each other and the LAN" {
	local one two
	pod one
	one=$CONTAINER
	[ "$(cri addresses "$POD")" = 10.138.36.2 ]
	pod two
	two=$CONTAINER
	[ "$(cri addresses "$POD")" = 10.138.36.3 ]
	cri exec "$one" ping -c 1 -W 3 10.138.36.3
	cri exec "$two" ping -c 1 -W 3 10.138.36.2
	cri exec "$two" ping -c 1 -W 3 10.138.36.66
	[ "$(leases l2)" = "10.138.36.2 10.138.36.3" ]
}

@test "CRI: stopping a pod releases everything, stopping it again is not an error" {
	local before
	before=$(inventory)
	pod one
	cri stop "$POD"
	nobody_left
	leaves_nothing "$before"
	cri stop "$POD"
	cri remove "$POD"
	nobody_left
}

@test "CRI: a pod whose network fails leaves nothing, and the kubelet gets the reason" {
	network_conf l2 '{"plugin": {"mtu": 9000}}'
	sleep 1
	run cri run one
	[ "$status" = 1 ]
	echo "$output"
	[[ $output = *ipvlan*9000* ]]
	nobody_left
}

@test "CRI: by STATUS the network is not ready without its master, and ready again with it" {
	ip link set eth0 name gone0
	cri_ready false
	cri status | grep -q 'NetworkReady false.*failed to lookup master'
	ip link set gone0 name eth0
	cri_ready true
}
