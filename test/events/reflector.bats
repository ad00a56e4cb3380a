#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# reflector, whatever happens to the host while pods run: see lib/events.bash.

load ../lib/events

setup_file() {
	choose reflector
}

teardown() {
	stop_node
	no_firewalld
}

@test "reflector: address replaced" {
	cell reflector address_replaced
}

@test "reflector: address lapsed" {
	cell reflector address_lapsed
}

@test "reflector: virtual address added" {
	cell reflector virtual_address_added
}

@test "reflector: virtual address moved" {
	cell reflector virtual_address_moved
}

@test "reflector: mac changed" {
	cell reflector mac_changed
}

@test "reflector: bond fails over" {
	cell reflector bond_fails_over
}

# bats test_tags=often
@test "reflector: bond fails over with its mac" {
	cell reflector bond_fails_over_with_its_mac
}

@test "reflector: link flap" {
	cell reflector link_flap
}

@test "reflector: mtu down and up" {
	cell reflector mtu_down_and_up
}

@test "reflector: anchor deleted" {
	cell reflector anchor_deleted
}

@test "reflector: anchor down" {
	cell reflector anchor_down
}

@test "reflector: filter deleted" {
	cell reflector filter_deleted
}

@test "reflector: routes flushed by protocol" {
	cell reflector routes_flushed_by_protocol
}

@test "reflector: routes flushed" {
	cell reflector routes_flushed
}

@test "reflector: firewall flushed" {
	cell reflector firewall_flushed
}

@test "reflector: firewall table deleted" {
	cell reflector firewall_table_deleted
}

@test "reflector: firewall element deleted" {
	cell reflector firewall_element_deleted
}

@test "reflector: strict rp filter" {
	cell reflector strict_rp_filter
}

@test "reflector: strict arp" {
	cell reflector strict_arp
}

@test "reflector: forwarding off" {
	cell reflector forwarding_off
}

@test "reflector: proxy arp off" {
	cell reflector proxy_arp_off
}

@test "reflector: proxies deleted" {
	cell reflector proxies_deleted
}

# bats test_tags=often
@test "reflector: forwarding as docker" {
	cell reflector forwarding_as_docker
}

@test "reflector: vrf and back" {
	cell reflector vrf_and_back
}

@test "reflector: renamed and back" {
	cell reflector renamed_and_back
}

@test "reflector: networkd restarted" {
	cell reflector networkd_restarted
}

@test "reflector: firewalld reloaded" {
	cell reflector firewalld_reloaded
}

@test "reflector: pod neighbours flushed" {
	cell reflector pod_neighbours_flushed
}
