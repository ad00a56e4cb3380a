#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A named workload moves from one node to the other: the hosts of the LAN, and its routers, follow.

load ../lib/cni
load ../lib/two-nodes

export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=db;K8S_POD_NAME=web-0"

# ranges IPV4 IPV6 [JSON]: range sets for identities, and other members.
ranges() {
	jq -nc --arg four "$1" --arg six "$2" '{ipam: {sticky: "K8S_POD_NAMESPACE/K8S_POD_NAME", subnet: null, gateway: null, routes: [{dst: "0.0.0.0/0"}, {dst: "::/0"}],
		ranges: [[{subnet: "\($four)0/24", rangeStart: "\($four)64", rangeEnd: "\($four)79", identities: true}],
			[{subnet: "\($six)/64", rangeStart: "\($six)40", rangeEnd: "\($six)4f", identities: true}]]}} * input' <<<"${3:-{\}}"
}

# starts NODE CONF: sets ADDRESSES.
starts() {
	output=$(call_on "$1" ADD "$2") || { echo "$output"; return 1; }
	ADDRESSES=$(jq -r '[.ips[].address | split("/")[0]] | join(" ")' <<<"$output")
}

mac_of() { # NODE
	ip -n "n$1" -j link show eth0 | jq -r '.[].address'
}

# The MAC address that the LAN host has for an address, without a packet.
neighbour() {
	ip -j neigh show "$1" dev br0 | jq -r '.[].lladdr'
}

# all_answer: the LAN host reaches each of ADDRESSES by one packet.
all_answer() {
	local address
	for address in $ADDRESSES; do
		ping -n -c 1 -W 1 "$address" >/dev/null || { echo "$address does not answer"; return 1; }
	done
}

# know NODE: the LAN host has the MAC address of the node for each of ADDRESSES.
know() {
	local address
	for address in $ADDRESSES; do
		[ "$(neighbour "$address")" = "$(mac_of "$1")" ] || return 1
	done
}

@test "l2: a LAN host that has the old node's MAC address reaches the workload on its new node at once, by IPv4 and IPv6; not with announce false" {
	local more before
	more=$(ranges 10.0.0. fd00::)
	starts 1 "$(on_node 1 addrpool-identities "$more")"
	all_answer
	know 1
	before=$ADDRESSES
	call_on 1 DEL "$(on_node 1 addrpool-identities "$more")"
	know 1
	starts 2 "$(on_node 2 addrpool-identities "$more")"
	[ "$ADDRESSES" = "$before" ]
	[ "$(wc -w <<<"$ADDRESSES")" = 2 ]
	eventually know 2 # the LAN host has sent no packet
	all_answer
	call_on 2 DEL "$(on_node 2 addrpool-identities "$more")"
	more=$(ranges 10.0.0. fd00:: '{"announce": false}')
	starts 1 "$(on_node 1 addrpool-identities "$more")"
	know 2
	run ! ping -n -c 1 -W 1 "${ADDRESSES% *}"
}

# routed NODE: the LAN's router sends packets for each of ADDRESSES to the node, by a route for that address alone.
routed() {
	local address four
	four=${ADDRESSES% *}
	[[ $(ip -4 route show proto bird) = "$four via 10.0.0.$1 "* ]] && [[ $(ip -6 route show proto bird) = "${ADDRESSES#* } via fd00::$1 "* ]]
}

@test "l3 with blockRoutes: the routes to both addresses move with the workload, and the LAN's router follows" {
	local more before
	more=$(ranges 10.9.0. fd00:9::)
	bird_on 1 254
	bird_on 2 254
	bird_on 254 1 2
	starts 1 "$(on_node 1 addrpool-block-routes "$more")"
	before=$ADDRESSES
	[ "$(ip -n n1 -4 route show proto 105)" = "unreachable ${ADDRESSES% *} metric 4096 " ]
	eventually routed 1
	all_answer
	call_on 1 DEL "$(on_node 1 addrpool-block-routes "$more")"
	starts 2 "$(on_node 2 addrpool-block-routes "$more")"
	[ "$ADDRESSES" = "$before" ]
	[ -z "$(ip -n n1 -4 route show proto 105; ip -n n1 -6 route show proto 105)" ]
	eventually routed 2
	all_answer
}

@test "l3 with blockRoutes and hostAccess: the node reaches the workload, and DEL removes both routes" {
	local conf address
	conf=$(on_node 1 addrpool-block-routes "$(ranges 10.9.0. fd00:9:: '{"hostAccess": true}')")
	starts 1 "$conf"
	for address in $ADDRESSES; do
		ip netns exec n1 ping -n -c 1 -W 2 "$address"
	done
	call_on 1 DEL "$conf"
	[ -z "$(ip -n n1 -4 route show proto 105; ip -n n1 -6 route show proto 105)" ]
}
