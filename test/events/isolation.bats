#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# antiSpoof and deny, whatever happens to the host while pods run: see lib/events.bash.

load ../lib/events

setup_file() {
	choose isolation
}

teardown() {
	stop_node
	no_firewalld
}

@test "isolation: address replaced" {
	cell isolation address_replaced
}

@test "isolation: address lapsed" {
	cell isolation address_lapsed
}

@test "isolation: virtual address added" {
	cell isolation virtual_address_added
}

@test "isolation: virtual address moved" {
	cell isolation virtual_address_moved
}

@test "isolation: mac changed" {
	cell isolation mac_changed
}

@test "isolation: bond fails over" {
	cell isolation bond_fails_over
}

@test "isolation: bond fails over with its mac" {
	cell isolation bond_fails_over_with_its_mac
}

@test "isolation: link flap" {
	cell isolation link_flap
}

@test "isolation: mtu down and up" {
	cell isolation mtu_down_and_up
}

@test "isolation: anchor deleted" {
	cell isolation anchor_deleted
}

@test "isolation: anchor down" {
	cell isolation anchor_down
}

@test "isolation: filter deleted" {
	cell isolation filter_deleted
}

@test "isolation: routes flushed by protocol" {
	cell isolation routes_flushed_by_protocol
}

@test "isolation: routes flushed" {
	cell isolation routes_flushed
}

# bats test_tags=often
@test "isolation: firewall flushed" {
	cell isolation firewall_flushed
}

@test "isolation: firewall table deleted" {
	cell isolation firewall_table_deleted
}

@test "isolation: firewall element deleted" {
	cell isolation firewall_element_deleted
}

@test "isolation: strict rp filter" {
	cell isolation strict_rp_filter
}

@test "isolation: strict arp" {
	cell isolation strict_arp
}

@test "isolation: forwarding off" {
	cell isolation forwarding_off
}

@test "isolation: proxy arp off" {
	cell isolation proxy_arp_off
}

@test "isolation: proxies deleted" {
	cell isolation proxies_deleted
}

@test "isolation: forwarding as docker" {
	cell isolation forwarding_as_docker
}

@test "isolation: vrf and back" {
	cell isolation vrf_and_back
}

@test "isolation: renamed and back" {
	cell isolation renamed_and_back
}

@test "isolation: networkd restarted" {
	cell isolation networkd_restarted
}

@test "isolation: firewalld reloaded" {
	cell isolation firewalld_reloaded
}

@test "isolation: pod neighbours flushed" {
	cell isolation pod_neighbours_flushed
}
