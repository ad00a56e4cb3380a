#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hostRoutes, whatever happens to the host while pods run: see lib/events.bash.

load ../lib/events

setup_file() {
	choose hostRoutes
}

teardown() {
	stop_node
	no_firewalld
}

@test "hostRoutes: address replaced" {
	cell hostRoutes address_replaced
}

@test "hostRoutes: address lapsed" {
	cell hostRoutes address_lapsed
}

@test "hostRoutes: virtual address added" {
	cell hostRoutes virtual_address_added
}

# bats test_tags=often
@test "hostRoutes: virtual address moved" {
	cell hostRoutes virtual_address_moved
}

@test "hostRoutes: mac changed" {
	cell hostRoutes mac_changed
}

@test "hostRoutes: bond fails over" {
	cell hostRoutes bond_fails_over
}

@test "hostRoutes: bond fails over with its mac" {
	cell hostRoutes bond_fails_over_with_its_mac
}

@test "hostRoutes: link flap" {
	cell hostRoutes link_flap
}

@test "hostRoutes: mtu down and up" {
	cell hostRoutes mtu_down_and_up
}

@test "hostRoutes: anchor deleted" {
	cell hostRoutes anchor_deleted
}

@test "hostRoutes: anchor down" {
	cell hostRoutes anchor_down
}

@test "hostRoutes: filter deleted" {
	cell hostRoutes filter_deleted
}

# bats test_tags=often
@test "hostRoutes: routes flushed by protocol" {
	cell hostRoutes routes_flushed_by_protocol
}

@test "hostRoutes: routes flushed" {
	cell hostRoutes routes_flushed
}

@test "hostRoutes: firewall flushed" {
	cell hostRoutes firewall_flushed
}

@test "hostRoutes: firewall table deleted" {
	cell hostRoutes firewall_table_deleted
}

@test "hostRoutes: firewall element deleted" {
	cell hostRoutes firewall_element_deleted
}

@test "hostRoutes: strict rp filter" {
	cell hostRoutes strict_rp_filter
}

@test "hostRoutes: strict arp" {
	cell hostRoutes strict_arp
}

# bats test_tags=often
@test "hostRoutes: forwarding off" {
	cell hostRoutes forwarding_off
}

@test "hostRoutes: proxy arp off" {
	cell hostRoutes proxy_arp_off
}

@test "hostRoutes: proxies deleted" {
	cell hostRoutes proxies_deleted
}

@test "hostRoutes: forwarding as docker" {
	cell hostRoutes forwarding_as_docker
}

@test "hostRoutes: vrf and back" {
	cell hostRoutes vrf_and_back
}

@test "hostRoutes: renamed and back" {
	cell hostRoutes renamed_and_back
}

@test "hostRoutes: networkd restarted" {
	cell hostRoutes networkd_restarted
}

@test "hostRoutes: firewalld reloaded" {
	cell hostRoutes firewalld_reloaded
}

# bats test_tags=often
@test "hostRoutes: pod neighbours flushed" {
	cell hostRoutes pod_neighbours_flushed
}
