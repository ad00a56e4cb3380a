#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# proxyArp, whatever happens to the host while pods run: see lib/events.bash.

load ../lib/events

setup_file() {
	choose proxyArp
}

teardown() {
	stop_node
	no_firewalld
}

@test "proxyArp: address replaced" {
	cell proxyArp address_replaced
}

@test "proxyArp: address lapsed" {
	cell proxyArp address_lapsed
}

@test "proxyArp: virtual address added" {
	cell proxyArp virtual_address_added
}

@test "proxyArp: virtual address moved" {
	cell proxyArp virtual_address_moved
}

@test "proxyArp: mac changed" {
	cell proxyArp mac_changed
}

# bats test_tags=often
@test "proxyArp: bond fails over" {
	cell proxyArp bond_fails_over
}

@test "proxyArp: bond fails over with its mac" {
	cell proxyArp bond_fails_over_with_its_mac
}

@test "proxyArp: link flap" {
	cell proxyArp link_flap
}

@test "proxyArp: mtu down and up" {
	cell proxyArp mtu_down_and_up
}

@test "proxyArp: anchor deleted" {
	cell proxyArp anchor_deleted
}

@test "proxyArp: anchor down" {
	cell proxyArp anchor_down
}

@test "proxyArp: filter deleted" {
	cell proxyArp filter_deleted
}

@test "proxyArp: routes flushed by protocol" {
	cell proxyArp routes_flushed_by_protocol
}

# bats test_tags=often
@test "proxyArp: routes flushed" {
	cell proxyArp routes_flushed
}

@test "proxyArp: firewall flushed" {
	cell proxyArp firewall_flushed
}

@test "proxyArp: firewall table deleted" {
	cell proxyArp firewall_table_deleted
}

@test "proxyArp: firewall element deleted" {
	cell proxyArp firewall_element_deleted
}

@test "proxyArp: strict rp filter" {
	cell proxyArp strict_rp_filter
}

@test "proxyArp: strict arp" {
	cell proxyArp strict_arp
}

@test "proxyArp: forwarding off" {
	cell proxyArp forwarding_off
}

# bats test_tags=often
@test "proxyArp: proxy arp off" {
	cell proxyArp proxy_arp_off
}

# bats test_tags=often
@test "proxyArp: proxies deleted" {
	cell proxyArp proxies_deleted
}

@test "proxyArp: forwarding as docker" {
	cell proxyArp forwarding_as_docker
}

@test "proxyArp: vrf and back" {
	cell proxyArp vrf_and_back
}

@test "proxyArp: renamed and back" {
	cell proxyArp renamed_and_back
}

@test "proxyArp: networkd restarted" {
	cell proxyArp networkd_restarted
}

@test "proxyArp: firewalld reloaded" {
	cell proxyArp firewalld_reloaded
}

@test "proxyArp: pod neighbours flushed" {
	cell proxyArp pod_neighbours_flushed
}
