#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A pod announces its addresses to its neighbours.

load ../lib/cni

# capture FILTER: records the packets that the LAN's host receives from now on.
capture() {
	ip netns exec lan tcpdump -n -e -l -i eth0 "$1" >$STUB_DIR/heard 2>$STUB_DIR/tcpdump 3>&- &
	echo $! >$STUB_DIR/tcpdump.pid
	until grep -q listening $STUB_DIR/tcpdump; do sleep 0.05; done
}

hears() {
	local _
	for _ in $(seq 60); do
		! grep -q "$1" $STUB_DIR/heard || return 0
		sleep 0.05
	done
	echo "not heard: $1"
	cat $STUB_DIR/heard
	return 1
}

@test "an IPv4 address is announced by gratuitous ARP" {
	capture arp
	add "$(conf)"
	hears 'who-has 10.138.36.2 tell 10.138.36.2\|Announcement 10.138.36.2\|10.138.36.2 is-at'
}

@test "an IPv6 address is announced by an unsolicited neighbour advertisement" {
	capture icmp6
	add "$(conf "$(static "fd00:36::2/64")")"
	hears 'neighbor advertisement, tgt is fd00:36::2'
}

@test "a neighbour that knew the address elsewhere is corrected at once" {
	ip -n lan neigh add 10.138.36.2 lladdr 02:00:00:00:00:99 dev eth0 nud stale
	add "$(conf)"
	pings lan 10.138.36.2
}

@test "with announce false no host learns an address before the pod sends a packet" {
	capture 'arp or icmp6'
	add "$(conf '{"announce":false}' "$(static "10.138.36.2/23 fd00:36::2/64")")"
	pings a 10.138.36.66
	hears 'who-has 10.138.36.66 tell 10.138.36.2'
	run ! grep 'tell 10.138.36.2,.*who-has 10.138.36.2\|who-has 10.138.36.2 tell 10.138.36.2\|tgt is fd00:36::2' $STUB_DIR/heard
}

