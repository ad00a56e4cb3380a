#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The addresses that pods reach in each mode with each flag, for pods of the LAN's subnet and of another one.
# "ok" and "-" as measured by hand on the same LAN. The plugin's keys change some of them.

load ../lib/article

# row MODE FLAG LAN FOREIGN RETURN: which of these the pods reach: each other, 36.66, the internet.
#	LAN	addresses of the LAN's subnet, default route via the gateway
#	FOREIGN	addresses of another subnet, default route via the gateway, no host has a route back
#	RETURN	the same, 36.66, the gateway and 39.156.66.10 have a route back
row() {
	local keys="{ \"mode\": \"$1\", \"flag\": \"$2\" }" failed=0
	attach ns1 10.138.36.2/23 "$(by_gw 10.138.36.1)" "$keys"
	attach ns2 10.138.36.3/23 "$(by_gw 10.138.36.1)" "$keys"
	cells "$1 $2, LAN" "$3" 10.138.36.2
	again "$keys"
	cells "$1 $2, foreign" "$4" 192.168.9.2
	return_route
	ip -n gw route add 192.168.9.0/24 via 10.138.36.58
	again "$keys"
	cells "$1 $2, foreign with a way back" "$5" 192.168.9.2
	[ "$failed" = 0 ]
}

again() {
	cni DEL "$(conf)" ns1
	cni DEL "$(conf)" ns2
	attach ns1 192.168.9.2/24 "$(by_gw 10.138.36.1)" "$1"
	attach ns2 192.168.9.3/24 "$(by_gw 10.138.36.1)" "$1"
}

# cells WHAT EXPECTED POD: from ns2 to the other pod, 36.66, the internet.
cells() {
	local address seen=''
	for address in "$3" 10.138.36.66 39.156.66.10; do
		if ip netns exec ns2 ping -n -c 1 -W 1 "$address" >/dev/null 2>&1; then
			seen+=' ok'
		else
			seen+=' -'
		fi
	done
	[ "$seen" = " $2" ] || { echo "$1: $seen, not $2"; failed=1; }
}

@test "l2 bridge" { row l2 bridge "ok ok ok" "ok - -" "ok ok ok"; }
@test "l2 private" { row l2 private "- ok ok" "- - -" "- ok ok"; }
@test "l2 vepa" { row l2 vepa "- ok ok" "- - -" "- ok ok"; }
@test "l3 bridge" { row l3 bridge "ok - -" "ok - -" "ok ok ok"; }
@test "l3 private" { row l3 private "- - -" "- - -" "- ok ok"; }
@test "l3 vepa" { row l3 vepa "- - -" "- - -" "ok ok ok"; }
@test "l3s bridge" { row l3s bridge "ok - -" "ok - -" "ok ok ok"; }
@test "l3s private" { row l3s private "- - -" "- - -" "- ok ok"; }
@test "l3s vepa" { row l3s vepa "- - -" "- - -" "ok ok ok"; }
