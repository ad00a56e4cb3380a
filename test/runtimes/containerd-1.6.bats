#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# containerd 1.6 of Debian 12, with conf-examples/l2.conflist unchanged: by its own client, and as Kubernetes
# calls it.

load ../lib/cni
load ../lib/runtimes
export CONTAINERD=bookworm CNI_VERSION=
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

@test "ctr: GC removes a container that ended without DEL" {
	in_ctr -d docker.io/local/busybox:1 one sleep 1000
	ctr task kill -s KILL one
	until ctr task ls | grep -q 'one.*STOPPED'; do sleep 0.1; done
	ctr containers rm one
	[ "$(leases l2)" = 10.138.36.2 ]
	jq -c '{cniVersion: "1.1.0", name, "cni.dev/valid-attachments": []} + .plugins[0]' /etc/cni/net.d/10-l2.conflist >"$STUB_DIR/gc"
	CNI_COMMAND=GC CNI_PATH=/opt/cni/bin /opt/cni/bin/ipvlan <"$STUB_DIR/gc"
	rm -rf /var/lib/cni/results
	nobody_left
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
