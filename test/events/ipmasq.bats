#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipMasq, whatever happens to the host while pods run: see lib/events.bash.

load ../lib/events

setup_file() {
	choose ipMasq
}

teardown() {
	stop_node
	no_firewalld
}

@test "ipMasq: address replaced" {
	cell ipMasq address_replaced
}

@test "ipMasq: address lapsed" {
	cell ipMasq address_lapsed
}

@test "ipMasq: virtual address added" {
	cell ipMasq virtual_address_added
}

@test "ipMasq: virtual address moved" {
	cell ipMasq virtual_address_moved
}

@test "ipMasq: mac changed" {
	cell ipMasq mac_changed
}

@test "ipMasq: bond fails over" {
	cell ipMasq bond_fails_over
}

@test "ipMasq: bond fails over with its mac" {
	cell ipMasq bond_fails_over_with_its_mac
}

@test "ipMasq: link flap" {
	cell ipMasq link_flap
}

@test "ipMasq: mtu down and up" {
	cell ipMasq mtu_down_and_up
}

@test "ipMasq: anchor deleted" {
	cell ipMasq anchor_deleted
}

@test "ipMasq: anchor down" {
	cell ipMasq anchor_down
}

@test "ipMasq: filter deleted" {
	cell ipMasq filter_deleted
}

@test "ipMasq: routes flushed by protocol" {
	cell ipMasq routes_flushed_by_protocol
}

@test "ipMasq: routes flushed" {
	cell ipMasq routes_flushed
}

# bats test_tags=often
@test "ipMasq: firewall flushed" {
	cell ipMasq firewall_flushed
}

# bats test_tags=often
@test "ipMasq: firewall table deleted" {
	cell ipMasq firewall_table_deleted
}

# bats test_tags=often
@test "ipMasq: firewall element deleted" {
	cell ipMasq firewall_element_deleted
}

@test "ipMasq: strict rp filter" {
	cell ipMasq strict_rp_filter
}

@test "ipMasq: strict arp" {
	cell ipMasq strict_arp
}

@test "ipMasq: forwarding off" {
	cell ipMasq forwarding_off
}

@test "ipMasq: proxy arp off" {
	cell ipMasq proxy_arp_off
}

@test "ipMasq: proxies deleted" {
	cell ipMasq proxies_deleted
}

@test "ipMasq: forwarding as docker" {
	cell ipMasq forwarding_as_docker
}

@test "ipMasq: vrf and back" {
	cell ipMasq vrf_and_back
}

@test "ipMasq: renamed and back" {
	cell ipMasq renamed_and_back
}

@test "ipMasq: networkd restarted" {
	cell ipMasq networkd_restarted
}

# bats test_tags=often
@test "ipMasq: firewalld reloaded" {
	cell ipMasq firewalld_reloaded
}

@test "ipMasq: pod neighbours flushed" {
	cell ipMasq pod_neighbours_flushed
}
