#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# vlan, whatever happens to the host while pods run: see lib/events.bash.

load ../lib/events

setup_file() {
	choose vlan
}

teardown() {
	stop_node
	no_firewalld
}

@test "vlan: address replaced" {
	cell vlan address_replaced
}

@test "vlan: address lapsed" {
	cell vlan address_lapsed
}

@test "vlan: virtual address added" {
	cell vlan virtual_address_added
}

@test "vlan: virtual address moved" {
	cell vlan virtual_address_moved
}

# bats test_tags=often
@test "vlan: mac changed" {
	cell vlan mac_changed
}

@test "vlan: bond fails over" {
	cell vlan bond_fails_over
}

@test "vlan: bond fails over with its mac" {
	cell vlan bond_fails_over_with_its_mac
}

# bats test_tags=often
@test "vlan: link flap" {
	cell vlan link_flap
}

@test "vlan: mtu down and up" {
	cell vlan mtu_down_and_up
}

@test "vlan: anchor deleted" {
	cell vlan anchor_deleted
}

@test "vlan: anchor down" {
	cell vlan anchor_down
}

@test "vlan: filter deleted" {
	cell vlan filter_deleted
}

@test "vlan: routes flushed by protocol" {
	cell vlan routes_flushed_by_protocol
}

@test "vlan: routes flushed" {
	cell vlan routes_flushed
}

@test "vlan: firewall flushed" {
	cell vlan firewall_flushed
}

@test "vlan: firewall table deleted" {
	cell vlan firewall_table_deleted
}

@test "vlan: firewall element deleted" {
	cell vlan firewall_element_deleted
}

@test "vlan: strict rp filter" {
	cell vlan strict_rp_filter
}

@test "vlan: strict arp" {
	cell vlan strict_arp
}

@test "vlan: forwarding off" {
	cell vlan forwarding_off
}

@test "vlan: proxy arp off" {
	cell vlan proxy_arp_off
}

@test "vlan: proxies deleted" {
	cell vlan proxies_deleted
}

@test "vlan: forwarding as docker" {
	cell vlan forwarding_as_docker
}

# bats test_tags=often
@test "vlan: vrf and back" {
	cell vlan vrf_and_back
}

@test "vlan: renamed and back" {
	cell vlan renamed_and_back
}

@test "vlan: networkd restarted" {
	cell vlan networkd_restarted
}

@test "vlan: firewalld reloaded" {
	cell vlan firewalld_reloaded
}

@test "vlan: pod neighbours flushed" {
	cell vlan pod_neighbours_flushed
}
