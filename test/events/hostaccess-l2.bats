#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hostAccess-l2, whatever happens to the host while pods run: see lib/events.bash.

load ../lib/events

setup_file() {
	choose hostAccess-l2
}

teardown() {
	stop_node
	no_firewalld
}

# bats test_tags=often
@test "hostAccess-l2: address replaced" {
	cell hostAccess-l2 address_replaced
}

@test "hostAccess-l2: address lapsed" {
	cell hostAccess-l2 address_lapsed
}

@test "hostAccess-l2: virtual address added" {
	cell hostAccess-l2 virtual_address_added
}

@test "hostAccess-l2: virtual address moved" {
	cell hostAccess-l2 virtual_address_moved
}

@test "hostAccess-l2: mac changed" {
	cell hostAccess-l2 mac_changed
}

@test "hostAccess-l2: bond fails over" {
	cell hostAccess-l2 bond_fails_over
}

@test "hostAccess-l2: bond fails over with its mac" {
	cell hostAccess-l2 bond_fails_over_with_its_mac
}

@test "hostAccess-l2: link flap" {
	cell hostAccess-l2 link_flap
}

# bats test_tags=often
@test "hostAccess-l2: mtu down and up" {
	cell hostAccess-l2 mtu_down_and_up
}

@test "hostAccess-l2: anchor deleted" {
	cell hostAccess-l2 anchor_deleted
}

@test "hostAccess-l2: anchor down" {
	cell hostAccess-l2 anchor_down
}

# bats test_tags=often
@test "hostAccess-l2: filter deleted" {
	cell hostAccess-l2 filter_deleted
}

@test "hostAccess-l2: routes flushed by protocol" {
	cell hostAccess-l2 routes_flushed_by_protocol
}

@test "hostAccess-l2: routes flushed" {
	cell hostAccess-l2 routes_flushed
}

@test "hostAccess-l2: firewall flushed" {
	cell hostAccess-l2 firewall_flushed
}

@test "hostAccess-l2: firewall table deleted" {
	cell hostAccess-l2 firewall_table_deleted
}

@test "hostAccess-l2: firewall element deleted" {
	cell hostAccess-l2 firewall_element_deleted
}

@test "hostAccess-l2: strict rp filter" {
	cell hostAccess-l2 strict_rp_filter
}

@test "hostAccess-l2: strict arp" {
	cell hostAccess-l2 strict_arp
}

@test "hostAccess-l2: forwarding off" {
	cell hostAccess-l2 forwarding_off
}

@test "hostAccess-l2: proxy arp off" {
	cell hostAccess-l2 proxy_arp_off
}

@test "hostAccess-l2: proxies deleted" {
	cell hostAccess-l2 proxies_deleted
}

@test "hostAccess-l2: forwarding as docker" {
	cell hostAccess-l2 forwarding_as_docker
}

@test "hostAccess-l2: vrf and back" {
	cell hostAccess-l2 vrf_and_back
}

# bats test_tags=often
@test "hostAccess-l2: renamed and back" {
	cell hostAccess-l2 renamed_and_back
}

@test "hostAccess-l2: networkd restarted" {
	cell hostAccess-l2 networkd_restarted
}

@test "hostAccess-l2: firewalld reloaded" {
	cell hostAccess-l2 firewalld_reloaded
}

@test "hostAccess-l2: pod neighbours flushed" {
	cell hostAccess-l2 pod_neighbours_flushed
}
