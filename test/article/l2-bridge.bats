#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The article's chapter "L2, bridge": pods in the master's own subnet.

load ../lib/article

# ns1 has its default route on the link, ns2 via the gateway.
both() {
	attach ns1 10.138.36.2/23 "$by_link"
	attach ns2 10.138.36.3/23 "$(by_gw 10.138.36.1)"
}

@test "both interfaces have the master's MAC address and the article's routes" {
	both
	[ "$(mac_of ns1 eth0)" = "$(cat /sys/class/net/eno2/address)" ]
	[ "$(mac_of ns2 eth0)" = "$(cat /sys/class/net/eno2/address)" ]
	[ "$(ip -n ns1 route show default)" = "default dev eth0 scope link " ]
	[ "$(ip -n ns2 route show default)" = "default via 10.138.36.1 dev eth0 " ]
	[ "$(ip -j -d -n ns1 link show eth0 | jq -c '.[0].linkinfo.info_data | [.mode, .bridge]')" = '["l2",true]' ]
}

@test "the IPv6 link-local addresses differ, by a number in their middle" {
	both
	[ "$(ip -n ns1 -j -6 addr show eth0 | jq -r '.[].addr_info[0].local')" != \
		"$(ip -n ns2 -j -6 addr show eth0 | jq -r '.[].addr_info[0].local')" ]
}

@test "ns2 reaches ns1; the master and other hosts see only one ARP request" {
	both
	watch master - eno2
	watch ns1 ns1 eth0
	watch peer peer eno1
	reaches ns2 10.138.36.2
	stop_watching
	saw master 1 'ff:ff:ff:ff:ff:ff.*Request who-has 10.138.36.2 tell 10.138.36.3'
	saw master 0 ICMP
	saw master 0 'Reply 10.138.36.2'
	saw peer 1 'Request who-has 10.138.36.2 tell 10.138.36.3'
	saw peer 0 ICMP
	saw ns1 1 'Request who-has 10.138.36.2 tell 10.138.36.3'
	saw ns1 1 'Reply 10.138.36.2 is-at'
	saw ns1 1 'ICMP echo request'
	saw ns1 1 'ICMP echo reply'
}

@test "ns2 reaches the LAN, and the internet via its gateway" {
	both
	reaches ns2 10.138.36.66
	reaches ns2 39.156.66.10
	[[ $REPLY_LINE = *ttl=63* ]]
	reaches peer 10.138.36.3
}

@test "ns1, with the default route on the link, reaches the LAN; its ARP requests for the internet get no answer" {
	both
	watch gateway gw eth0
	reaches ns1 10.138.36.66
	ip netns exec ns1 ping -n -c 1 -W 4 39.156.66.10 >"$BATS_TEST_TMPDIR/ping" || :
	stop_watching
	grep -q 'Destination Host Unreachable' "$BATS_TEST_TMPDIR/ping"
	noticed gateway 'ff:ff:ff:ff:ff:ff.*Request who-has 39.156.66.10 tell 10.138.36.2'
	saw gateway 0 'Reply 39.156.66.10'
}

@test "if the gateway answers ARP for others, ns1 reaches the internet" {
	both
	ip netns exec gw sysctl -qw net.ipv4.conf.eth0.proxy_arp=1 net.ipv4.neigh.eth0.proxy_delay=0
	reaches ns1 39.156.66.10
}

@test "host and pods do not reach each other; with hostAccess they do" {
	both
	misses ns2 10.138.36.58
	run ! ping -n -c 1 -W 1 10.138.36.3
	cni DEL "$(conf)" ns2
	attach ns2 10.138.36.3/23 "$(by_gw 10.138.36.1)" '{ "hostAccess": true }'
	reaches ns2 10.138.36.58
	ping -n -c 1 -W 2 10.138.36.3
	reaches ns2 39.156.66.10
}

@test "private: pods do not reach each other, but everything else" {
	attach ns1 10.138.36.2/23 "$(by_gw 10.138.36.1)" '{ "flag": "private" }'
	attach ns2 10.138.36.3/23 "$(by_gw 10.138.36.1)" '{ "flag": "private" }'
	misses ns2 10.138.36.2
	reaches ns2 10.138.36.66
	reaches ns2 39.156.66.10
}

@test "names in a network namespace, which the article did not try: resolvConf, and ip netns exec" {
	mkdir -p /etc/netns
	mount -t tmpfs tmpfs /etc/netns
	attach ns1 10.138.36.2/23 "$(by_gw 10.138.36.1)" '{ "resolvConf": true, "dns": { "nameservers": [ "39.156.66.10" ] } }'
	[ "$(ip netns exec ns1 grep nameserver /etc/resolv.conf)" = "nameserver 39.156.66.10" ]
	# other commands that enter the namespace do not read the file
	[ "$(nsenter --net=/run/netns/ns1 cat /etc/resolv.conf)" = "$(cat /etc/resolv.conf)" ]
	umount /etc/netns
}
