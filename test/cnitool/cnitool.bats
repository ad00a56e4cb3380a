#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The real runtime library, through its command cnitool.

load ../lib/cni
load ../lib/cnitool

@test "add, check, status and del of a network" {
	local before
	before=$(inventory)
	cnitool status status
	in_order
	cnitool add status
	in_order
	[ "$(result '.ips[0].address')" = 10.138.36.2/23 ]
	pings a 10.138.36.66
	cnitool check status
	in_order
	cnitool del status
	in_order
	cnitool del status
	in_order
	rm -rf /var/lib/cni/results
	leaves_nothing "$before"
}

@test "check reports damage" {
	cnitool add l2
	ip -n a addr flush dev eth0
	cnitool check l2
	[ "$status" = 1 ]
	[[ "$stderr$output" = *"Failed to match addr 10.138.36.2/23"* ]]
}

@test "each network of conf-examples that is not of the article and has no cluster, with every verb" {
	local file name
	for file in "$NETCONFPATH"/*.conflist; do
		name=$(basename "$file" .conflist)
		[[ $name = article-* ]] && continue
		jq -e '.plugins[0].ipam.cluster' "$file" >/dev/null && continue
		[ "$name" = link-in-container ] && { ip link add net0 netns a type dummy; ip -n a link set net0 up; }
		cnitool add "$name"
		in_order
		cnitool check "$name"
		in_order
		cnitool del "$name"
		in_order
	done
}

@test "cnitool prints an error with its details" {
	jq '.cniVersion = "1.1.0" | .plugins[0].master = "nope0"' "$NETCONFPATH/l2.conflist" >"$STUB_DIR/l2.conflist"
	NETCONFPATH=$STUB_DIR cnitool add l2
	[ "$status" = 1 ]
	[[ "$stderr$output" = *'failed to lookup master "nope0": Link not found; links in that namespace: '* ]]
	NETCONFPATH=$STUB_DIR cnitool status l2
	[ "$status" = 1 ]
}

@test "gc removes attachments that the runtime has forgotten" {
	cnitool add status a
	cnitool add status b
	cnitool gc status
	in_order
	[ "$(find /var/lib/cni/networks/status -name '10.*' | wc -l)" = 0 ]
	[ "$(in_pod a '[.[].ifname] | index("eth0")' link)" = null ]
}

@test "a chain of plugins passes the result on" {
	cnitool add chained
	in_order
	[ "$(result '.interfaces[0].name')" = eth0 ]
	[ "$(ip netns exec a cat /proc/sys/net/ipv4/conf/eth0/accept_redirects)" = 0 ]
	cnitool check chained
	in_order
	cnitool del chained
	in_order
}
