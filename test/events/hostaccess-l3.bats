#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hostAccess-l3, whatever happens to the host while pods run: see lib/events.bash.

load ../lib/events

setup_file() {
	choose hostAccess-l3
}

teardown() {
	stop_node
	no_firewalld
}

@test "hostAccess-l3: address replaced" {
	cell hostAccess-l3 address_replaced
}

# bats test_tags=often
@test "hostAccess-l3: address lapsed" {
	cell hostAccess-l3 address_lapsed
}

@test "hostAccess-l3: virtual address added" {
	cell hostAccess-l3 virtual_address_added
}

@test "hostAccess-l3: virtual address moved" {
	cell hostAccess-l3 virtual_address_moved
}

@test "hostAccess-l3: mac changed" {
	cell hostAccess-l3 mac_changed
}

@test "hostAccess-l3: bond fails over" {
	cell hostAccess-l3 bond_fails_over
}

@test "hostAccess-l3: bond fails over with its mac" {
	cell hostAccess-l3 bond_fails_over_with_its_mac
}

@test "hostAccess-l3: link flap" {
	cell hostAccess-l3 link_flap
}

@test "hostAccess-l3: mtu down and up" {
	cell hostAccess-l3 mtu_down_and_up
}

# bats test_tags=often
@test "hostAccess-l3: anchor deleted" {
	cell hostAccess-l3 anchor_deleted
}

@test "hostAccess-l3: anchor down" {
	cell hostAccess-l3 anchor_down
}

@test "hostAccess-l3: filter deleted" {
	cell hostAccess-l3 filter_deleted
}

@test "hostAccess-l3: routes flushed by protocol" {
	cell hostAccess-l3 routes_flushed_by_protocol
}

@test "hostAccess-l3: routes flushed" {
	cell hostAccess-l3 routes_flushed
}

@test "hostAccess-l3: firewall flushed" {
	cell hostAccess-l3 firewall_flushed
}

@test "hostAccess-l3: firewall table deleted" {
	cell hostAccess-l3 firewall_table_deleted
}

@test "hostAccess-l3: firewall element deleted" {
	cell hostAccess-l3 firewall_element_deleted
}

# bats test_tags=often
@test "hostAccess-l3: strict rp filter" {
	cell hostAccess-l3 strict_rp_filter
}

@test "hostAccess-l3: strict arp" {
	cell hostAccess-l3 strict_arp
}

@test "hostAccess-l3: forwarding off" {
	cell hostAccess-l3 forwarding_off
}

@test "hostAccess-l3: proxy arp off" {
	cell hostAccess-l3 proxy_arp_off
}

@test "hostAccess-l3: proxies deleted" {
	cell hostAccess-l3 proxies_deleted
}

@test "hostAccess-l3: forwarding as docker" {
	cell hostAccess-l3 forwarding_as_docker
}

@test "hostAccess-l3: vrf and back" {
	cell hostAccess-l3 vrf_and_back
}

@test "hostAccess-l3: renamed and back" {
	cell hostAccess-l3 renamed_and_back
}

# bats test_tags=often
@test "hostAccess-l3: networkd restarted" {
	cell hostAccess-l3 networkd_restarted
}

@test "hostAccess-l3: firewalld reloaded" {
	cell hostAccess-l3 firewalld_reloaded
}

@test "hostAccess-l3: pod neighbours flushed" {
	cell hostAccess-l3 pod_neighbours_flushed
}
