#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hostAccess-l3s, whatever happens to the host while pods run: see lib/events.bash.

load ../lib/events

setup_file() {
	choose hostAccess-l3s
}

teardown() {
	stop_node
	no_firewalld
}

@test "hostAccess-l3s: address replaced" {
	cell hostAccess-l3s address_replaced
}

@test "hostAccess-l3s: address lapsed" {
	cell hostAccess-l3s address_lapsed
}

# bats test_tags=often
@test "hostAccess-l3s: virtual address added" {
	cell hostAccess-l3s virtual_address_added
}

@test "hostAccess-l3s: virtual address moved" {
	cell hostAccess-l3s virtual_address_moved
}

@test "hostAccess-l3s: mac changed" {
	cell hostAccess-l3s mac_changed
}

@test "hostAccess-l3s: bond fails over" {
	cell hostAccess-l3s bond_fails_over
}

@test "hostAccess-l3s: bond fails over with its mac" {
	cell hostAccess-l3s bond_fails_over_with_its_mac
}

@test "hostAccess-l3s: link flap" {
	cell hostAccess-l3s link_flap
}

@test "hostAccess-l3s: mtu down and up" {
	cell hostAccess-l3s mtu_down_and_up
}

@test "hostAccess-l3s: anchor deleted" {
	cell hostAccess-l3s anchor_deleted
}

# bats test_tags=often
@test "hostAccess-l3s: anchor down" {
	cell hostAccess-l3s anchor_down
}

@test "hostAccess-l3s: filter deleted" {
	cell hostAccess-l3s filter_deleted
}

@test "hostAccess-l3s: routes flushed by protocol" {
	cell hostAccess-l3s routes_flushed_by_protocol
}

@test "hostAccess-l3s: routes flushed" {
	cell hostAccess-l3s routes_flushed
}

@test "hostAccess-l3s: firewall flushed" {
	cell hostAccess-l3s firewall_flushed
}

@test "hostAccess-l3s: firewall table deleted" {
	cell hostAccess-l3s firewall_table_deleted
}

@test "hostAccess-l3s: firewall element deleted" {
	cell hostAccess-l3s firewall_element_deleted
}

@test "hostAccess-l3s: strict rp filter" {
	cell hostAccess-l3s strict_rp_filter
}

# bats test_tags=often
@test "hostAccess-l3s: strict arp" {
	cell hostAccess-l3s strict_arp
}

@test "hostAccess-l3s: forwarding off" {
	cell hostAccess-l3s forwarding_off
}

@test "hostAccess-l3s: proxy arp off" {
	cell hostAccess-l3s proxy_arp_off
}

@test "hostAccess-l3s: proxies deleted" {
	cell hostAccess-l3s proxies_deleted
}

@test "hostAccess-l3s: forwarding as docker" {
	cell hostAccess-l3s forwarding_as_docker
}

@test "hostAccess-l3s: vrf and back" {
	cell hostAccess-l3s vrf_and_back
}

@test "hostAccess-l3s: renamed and back" {
	cell hostAccess-l3s renamed_and_back
}

@test "hostAccess-l3s: networkd restarted" {
	cell hostAccess-l3s networkd_restarted
}

@test "hostAccess-l3s: firewalld reloaded" {
	cell hostAccess-l3s firewalld_reloaded
}

@test "hostAccess-l3s: pod neighbours flushed" {
	cell hostAccess-l3s pod_neighbours_flushed
}
