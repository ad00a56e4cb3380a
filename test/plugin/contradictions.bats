#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two attachments on one host share equal objects, in any spelling. Different objects in one place
# are refused, and the error names the holder.

load ../lib/cni

# net NAME POD-ADDRESS [JSON]...: a network of one address.
net() {
	conf "{ \"name\": \"$1\", \"ipam\": { \"type\": \"addrpool\", \"ranges\": [ [ { \"subnet\": \"10.138.36.0/23\", \"rangeStart\": \"$2\", \"rangeEnd\": \"$2\" } ] ] } }" "${@:3}"
}

route() {
	printf '{ "hostRoutes": [ { "dst": "%s", "gw": "%s" } ] }' "$1" "$2"
}

# shared ROUTE DST GW DST GW: two networks that require the same route; it goes with the second's DEL.
shared() {
	local first second
	first=$(net first 10.138.36.10 "$(route "$2" "$3")")
	second=$(net second 10.138.36.11 "$(route "$4" "$5")")
	add "$first" a
	add "$second" b
	cni CHECK "$(with_result "$first" a)" a
	succeeds
	cni DEL "$first" a
	succeeds
	ip route show "$1" | grep "proto 105" || ip -6 route show "$1" | grep "proto 105"
	cni CHECK "$(with_result "$second" b)" b
	succeeds
	cni DEL "$second" b
	succeeds
	no_route "$1" proto 105
	[ -z "$(ip -6 route show proto 105)" ]
}

@test "one route with and without host bits is shared" {
	shared 192.168.7.0/24 192.168.7.1/24 10.138.36.66 192.168.7.0/24 10.138.36.66
	shared 192.168.7.0/24 192.168.7.0/24 10.138.36.66 192.168.7.255/24 10.138.36.66
}

@test "one IPv6 route in two spellings is shared" {
	shared fd00:7::/64 FD00:7:0:0::1/64 fd00:36::66 fd00:7::/64 FD00:36:0::66
}

# refused PATTERN: the ADD fails with code 7 and a message that contains PATTERN.
refused() {
	[ "$status" = 1 ]
	[ "$(jq .code <<<"$output")" = 7 ]
	# shellcheck disable=SC2053 # a pattern it is
	[[ $(jq -r .msg <<<"$output") = *$1* ]] || { echo "$output"; return 1; }
}

@test "a route through another gateway is refused, and the first attachment keeps its route" {
	local first second
	first=$(net first 10.138.36.10 "$(route 192.168.7.0/24 10.138.36.66)")
	second=$(net second 10.138.36.11 "$(route 192.168.7.9/24 10.138.36.67)")
	add "$first" a
	cni ADD "$second" b
	refused 'the host has "route to 192.168.7.0/24 via 10.138.36.66 dev *" already, for container a, interface eth0, network first'
	no_link b
	[ ! -e /var/lib/cni/networks/second/10.138.36.11 ]
	cni STATUS "$second"
	[ "$status" = 1 ]
	[ "$(jq .code <<<"$output")" = 50 ]
	[[ $(jq -r .msg <<<"$output") = *'for container a, interface eth0, network first'* ]]
	cni DEL "$second" b
	succeeds
	cni CHECK "$(with_result "$first" a)" a
	succeeds
	cni DEL "$first" a
	add "$second" b
}

@test "a network with two gateways for one route is refused before anything is made" {
	cni ADD "$(net first 10.138.36.10 '{ "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" }, { "dst": "192.168.7.1/24", "gw": "10.138.36.67" } ] }')" a
	refused 'the configuration requires both "route to 192.168.7.0/24 via 10.138.36.66'
	no_route 192.168.7.0/24
}

@test "one network that names a route twice has it once" {
	local conf
	conf=$(net first 10.138.36.10 '{ "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" }, { "dst": "192.168.7.1/24", "gw": "10.138.36.66" } ] }')
	add "$conf" a
	cni CHECK "$(with_result "$conf")" a
	succeeds
	cni DEL "$conf" a
	no_route 192.168.7.0/24
}

@test "a holder that is gone is not a rival" {
	add "$(net first 10.138.36.10 "$(route 192.168.7.0/24 10.138.36.66)")" a
	ip netns del a
	add "$(net second 10.138.36.11 "$(route 192.168.7.0/24 10.138.36.67)")" b
	ip route show 192.168.7.0/24 | grep 'via 10.138.36.67'
	[ "$(ls /run/cni/ipvlan/*/pages)" = b:eth0 ]
}

@test "if another program has a route with any metric, ADD fails" {
	local metric
	for metric in 0 100 2000; do
		ip route add 192.168.7.0/24 via 10.138.36.67 metric $metric
		cni ADD "$(net first 10.138.36.10 "$(route 192.168.7.0/24 10.138.36.66)")" a
		refused 'the host has another route to 192.168.7.0/24 already'
		[ "$(ip route show 192.168.7.0/24 | wc -l)" = 1 ]
		ip route del 192.168.7.0/24 metric $metric
	done
}

@test "if another program has a route to the pod's address, ADD fails" {
	ip route add 10.138.36.10/32 via 10.138.36.67 metric 100
	cni ADD "$(net first 10.138.36.10 '{ "hostAccess": true }')" a
	refused 'the host has another route to 10.138.36.10/32 already'
	ip route show 10.138.36.10 | grep 'via 10.138.36.67'
	no_route proto 105
}

# refuses_packets TYPE DESTINATION: another program has such a route, then ADD of the configuration on standard input
refuses_packets() {
	local family=4
	[[ $2 != *:* ]] || family=6
	ip route add "$1" "$2"
	cni ADD "$(cat)" a
	fails 7 "the host has another route to $2 already"
	explains "$1 metric"
	[ "$(ip -$family route show "$2" | wc -l)" = 1 ]
	ip route del "$1" "$2"
}

@test "if another program has a route that refuses packets to the destination, ADD fails" {
	local type
	for type in unreachable blackhole prohibit throw; do
		refuses_packets $type 192.168.7.0/24 <<<"$(net first 10.138.36.10 "$(route 192.168.7.0/24 10.138.36.66)")"
		refuses_packets $type 2001:db8::/64 <<<"$(net first 10.138.36.10 "$(route 2001:db8::/64 fd00:36::66)")"
		refuses_packets $type 10.138.36.10/32 <<<"$(net first 10.138.36.10 '{ "hostAccess": true }')"
	done
	no_route proto 105
}

@test "a route that refuses packets, and that the host's other routes precede, is no contradiction" {
	ip route add unreachable 10.138.36.10 metric 5000
	add "$(net first 10.138.36.10 '{ "hostAccess": true }')" a
	ping -n -c 1 -W 3 10.138.36.10
	cni DEL "$(net first 10.138.36.10 '{ "hostAccess": true }')" a
	ip route show 10.138.36.10 | grep unreachable
}

@test "an address that the host reaches through another master is refused" {
	ip link add eth9 type dummy
	ip link set eth9 up
	ip addr add 10.200.0.1/24 dev eth9
	add "$(net first 10.138.36.10 '{ "hostAccess": true }')" a
	cni ADD "$(net second 10.138.36.10 '{ "hostAccess": true, "master": "eth9" }')" b
	refused '10.138.36.10/32 dev * src 10.138.36.58" already, for container a, interface eth0, network first'
	ping -n -c 1 -W 3 10.138.36.10
	cni CHECK "$(with_result "$(net first 10.138.36.10 '{ "hostAccess": true }')")" a
	succeeds
}

@test "a sysctl is restored only if nothing else requires it" {
	local conf
	conf=$(net first 10.138.36.10 '{ "mode": "l3s", "proxyArp": true }')
	switches() { cat /proc/sys/net/ipv4/conf/eth0/{forwarding,proxy_arp} | tr -d '\n'; }
	sysctl -qw net.ipv4.ip_forward=0
	add "$conf" a
	[ "$(switches)" = 11 ]
	cni DEL "$conf" a
	[ "$(switches)" = 00 ]
	# the machine becomes a router meanwhile
	add "$conf" a
	sysctl -qw net.ipv4.ip_forward=1
	cni DEL "$conf" a
	[ "$(switches)" = 10 ]
	# the machine was a router before
	add "$conf" a
	cni DEL "$conf" a
	[ "$(switches)" = 10 ]
	# the second pod is added after that, and the first one is deleted first
	sysctl -qw net.ipv4.ip_forward=0
	add "$conf" a
	sysctl -qw net.ipv4.ip_forward=1
	add "$(jq -c '.name = "second" | .ipam.ranges[0][0].rangeStart = "10.138.36.11" | .ipam.ranges[0][0].rangeEnd = "10.138.36.11"' <<<"$conf")" b
	cni DEL "$conf" a
	cni DEL "$(jq -c '.name = "second"' <<<"$conf")" b
	[ "$(switches)" = 10 ]
	sysctl -qw net.ipv4.ip_forward=0
}

@test "a sysctl is left as it would be without pods: as before the first one, or as it was set for all interfaces since" {
	local conf rows before meanwhile after value
	conf=$(net first 10.138.36.10 '{ "mode": "l3s", "proxyArp": true }')
	rows=0
	# before and after: ip_forward, forwarding of eth0, proxy_arp of eth0; meanwhile: what another program sets
	while read -r before meanwhile after; do
		echo "$before $meanwhile $after"
		sysctl -qw net.ipv4.ip_forward="${before:0:1}" net.ipv4.conf.eth0.forwarding="${before:1:1}" net.ipv4.conf.eth0.proxy_arp="${before:2:1}"
		add "$conf" a
		for value in ${meanwhile//,/ }; do
			[ "$value" = - ] || sysctl -qw "net.ipv4.$value"
		done
		"$BUILD/ipvlanctl" repair
		cni CHECK "$(with_result "$conf" a)" a
		succeeds
		cni DEL "$conf" a
		succeeds
		[ "$(cat /proc/sys/net/ipv4/{ip_forward,conf/eth0/forwarding,conf/eth0/proxy_arp} | tr -d '\n')" = "$after" ]
		rows=$((rows + 1))
	done <<-END
		000 - 000
		011 - 011
		101 - 101
		110 - 110
		000 ip_forward=1 110
		110 ip_forward=0 000
		110 ip_forward=0,ip_forward=1 110
		010 conf.eth0.forwarding=0 010
		110 conf.eth0.forwarding=0 110
		001 conf.eth0.proxy_arp=0 001
		000 conf.all.proxy_arp=1 000
		001 conf.all.proxy_arp=0 001
	END
	[ "$rows" = 12 ]
	sysctl -qw net.ipv4.ip_forward=0
}

@test "a sysctl of an interface is restored after the interface is renamed" {
	local conf
	conf=$(net first 10.138.36.10 '{ "mode": "l3s", "proxyArp": true }')
	sysctl -qw net.ipv4.ip_forward=0
	add "$conf" a
	ip link set eth0 down
	ip link set eth0 name lan0
	ip link set lan0 up
	ip link add eth0 type dummy
	echo 1 >/proc/sys/net/ipv4/conf/eth0/proxy_arp
	cni DEL "$conf" a
	succeeds
	[ "$(cat /proc/sys/net/ipv4/conf/lan0/proxy_arp)" = 0 ]
	[ "$(cat /proc/sys/net/ipv4/conf/lan0/forwarding)" = 0 ]
	[ "$(cat /proc/sys/net/ipv4/conf/eth0/proxy_arp)" = 1 ]
}
