#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# conflictCheck: ADD does not use an address that another host of the LAN has.

load ../lib/cni

probe='{ "conflictCheck": "probe" }'

@test "an address of another host is refused, the error names that host, and the address is released" {
	local before mac
	before=$(inventory)
	mac=$(ip -n lan -j link show eth0 | jq -r '.[0].address')
	cni ADD "$(conf "$(static 10.138.36.66/23)" "$probe")"
	fails 101
	says 'address 10.138.36.66 is in use on the LAN of "eth0"'
	explains "$mac answered for it"
	cni ADD "$(conf "$(static fd00:36::66/64)" "$probe")"
	fails 101
	says 'address fd00:36::66 is in use on the LAN of "eth0"'
	explains "$mac answered for it"
	leaves_nothing "$before"
}

@test "a free address is used, after a third of a second" {
	local start
	start=$(date +%s%3N)
	add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")" "$probe")"
	[ $(($(date +%s%3N) - start)) -ge 300 ]
	pings a 10.138.36.66
	pings a fd00:36::66
}

@test "without the key ADD does not notice it" {
	add "$(conf "$(static 10.138.36.66/23)")"
}

@test "ARP of the address's owner for another address is not a conflict" {
	ip netns exec lan ping -i 0.05 -c 1000 10.138.36.58 >/dev/null 2>&1 3>&- &
	add "$(conf "$(static 10.138.36.2/23)" "$probe")"
	kill $!
}

@test "the probe is an ARP probe, or a neighbour solicitation, from which no host learns an address" {
	local seen=$BATS_TEST_TMPDIR/seen
	ip netns exec lan tcpdump -n -l -v -i eth0 'arp or icmp6' >"$seen" 2>/dev/null 3>&- &
	sleep 0.5
	add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")" "$probe" '{ "announce": false }')"
	sleep 0.5
	kill $!
	[ "$(grep -c 'Request who-has 10.138.36.2 tell 0.0.0.0' "$seen")" = 3 ]
	[ "$(grep -c ':: > ff02::1:ff00:2: .icmp6 sum ok. ICMP6, neighbor solicitation, .*who has fd00:36::2' "$seen")" = 3 ]
	[ "$(grep -c '\[bad' "$seen")" = 0 ]
}

@test "a master inside the pod sends the probe there" {
	ip link add net0 netns a type veth peer name outer netns lan
	ip -n a link set net0 up
	ip -n lan addr add 10.7.0.1/24 dev outer
	ip -n lan link set outer up
	cni ADD "$(conf "$(static 10.7.0.1/24)" "$probe" '{ "linkInContainer": true, "master": "net0" }')"
	fails 101 'in use on the LAN of "net0"'
}

@test "conflictCheck is refused by name in modes without a LAN" {
	cni ADD "$(conf "$probe" '{ "mode": "l3" }')"
	fails 7
	says 'conflictCheck needs "mode": "l2"'
	cni ADD "$(conf '{ "conflictCheck": "arp" }')"
	fails 7
	says 'failed to load netconf: conflictCheck must be "off" or "probe", not "arp"'
}
