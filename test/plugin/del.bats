#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# DEL always succeeds, requires almost nothing, and leaves nothing.

load ../lib/cni

lease_count() {
	find /var/lib/cni/networks/net -name '[0-9]*.[0-9]*' 2>/dev/null | wc -l
}

@test "DEL removes interface, routes and lease" {
	local before
	before=$(inventory)
	add "$(conf)"
	cni DEL "$(conf)"
	succeeds
	[ "$output" = "" ]
	leaves_nothing "$before"
}

@test "DEL succeeds again and again" {
	add "$(conf)"
	cni DEL "$(conf)"
	succeeds
	cni DEL "$(conf)"
	succeeds
	cni DEL "$(conf)"
	succeeds
}

@test "DEL succeeds without an ADD before" {
	cni DEL "$(conf)"
	succeeds
}

@test "DEL releases the lease when the namespace is gone" {
	add "$(conf)"
	ip netns del a
	cni DEL "$(conf)"
	succeeds
	[ "$(lease_count)" = 0 ]
}

@test "DEL releases the lease when CNI_NETNS is empty" {
	add "$(conf)"
	NETNS='' cni DEL "$(conf)"
	succeeds
	[ "$(lease_count)" = 0 ]
}

@test "DEL releases the lease when a file without a namespace is left in CNI_NETNS" {
	add "$(conf)"
	ip netns del a
	touch /run/netns/a
	cni DEL "$(conf)"
	succeeds
	rm /run/netns/a
	[[ "$stderr" = *"unknown FS magic"* ]]
	[ "$(lease_count)" = 0 ]
}

@test "DEL requires no master" {
	add "$(conf)"
	ip link del eth0
	cni DEL "$(conf)"
	succeeds
	[ "$(lease_count)" = 0 ]
}

@test "DEL requires no default route if the configuration names no master" {
	local conf
	conf=$(conf '{"master":null}')
	add "$conf"
	ip route del default
	cni DEL "$conf"
	succeeds
	[ "$(lease_count)" = 0 ]
	[ "$(in_pod a '[.[].ifname] | index("eth0")' link)" = null ]
}

@test "DEL requires neither a valid mode nor mtu nor prevResult" {
	add "$(conf)"
	cni DEL "$(conf '{"mode":"zz","mtu":"x","dns":5,"prevResult":{"interfaces":"none","cniVersion":"7.7.7"}}')"
	succeeds
	[ "$(lease_count)" = 0 ]
	[ "$(in_pod a '[.[].ifname] | index("eth0")' link)" = null ]
}

@test "DEL requires no master in the pod either" {
	ip link add inner netns a type dummy
	ip -n a link set inner up
	local conf
	conf=$(conf '{"master":"inner","linkInContainer":true}')
	add "$conf"
	ip -n a link del inner
	cni DEL "$conf"
	succeeds
	[ "$(lease_count)" = 0 ]
}

@test "DEL does not delete an interface that is not ipvlan" {
	add "$(conf)"
	ip -n a link del eth0
	ip -n a link add eth0 type dummy
	cni DEL "$(conf)"
	succeeds
	[[ "$stderr" = *": it stays"* ]]
	[ "$(in_pod a '.[0].linkinfo.info_kind' -d link show eth0)" = dummy ]
	[ "$(lease_count)" = 0 ]
}

@test "DEL removes the link before it releases the address" {
	add "$(conf)"
	# when the IPAM plugin is called, the link no longer exists
	mkdir -p $STUB_DIR/bin
	cat >$STUB_DIR/bin/host-local <<-'END'
		#!/bin/bash
		ip -n a link show eth0 >$STUB_DIR/link-at-del 2>&1
		exec "$GO_PLUGINS/host-local"
	END
	chmod 755 $STUB_DIR/bin/host-local
	CNI_PATH=$STUB_DIR/bin cni DEL "$(conf)"
	succeeds
	grep -q 'does not exist' $STUB_DIR/link-at-del
}

@test "an address stays leased while the pod may still have it" {
	add "$(conf)"
	ln -s loop /run/netns/loop
	NETNS=/run/netns/loop cni DEL "$(conf)"
	rm /run/netns/loop
	fails 5 "$(in_words ELOOP)"
	[ "$(lease_count)" = 1 ]
	cni DEL "$(conf)"
	succeeds
	[ "$(lease_count)" = 0 ]
}

@test "DEL of one pod does not change the other" {
	add "$(conf)" a
	add "$(conf)" b
	cni DEL "$(conf)" a
	pings b 10.138.36.66
	[ "$(lease_count)" = 1 ]
}

@test "DEL of one interface does not change the pod's other one" {
	add "$(conf)" a eth0
	add "$(conf)" a net1
	cni DEL "$(conf)" a net1
	succeeds
	pings a 10.138.36.66
	[ "$(lease_count)" = 1 ]
}

@test "if the IPAM plugin fails, DEL deletes the link and reports the cause" {
	add "$(conf)"
	cni DEL "$(conf '{"ipam":{"type":"stub-fails"}}')"
	fails 123 'out of luck'
	explains 'and of addresses'
	[ "$(in_pod a '[.[].ifname] | index("eth0")' link)" = null ]
}

@test "DEL removes an interface with its temporary name, which a killed ADD left" {
	local text=a/eth0 hash=0xcbf29ce484222325 i interim
	# the plugin's temporary name: FNV-1a of container and name
	for ((i = 0; i < ${#text}; i++)); do
		hash=$(((hash ^ $(printf '%d' "'${text:i:1}")) * 1099511628211))
	done
	interim=$(printf 'ipv%012x' $(((hash >> 16) & 0xffffffffffff)))
	ip link add link eth0 name "$interim" netns a type ipvlan mode l2
	cni DEL "$(conf)"
	succeeds
	[ "$(in_pod a length link)" = "$(in_pod b length link)" ]
}
