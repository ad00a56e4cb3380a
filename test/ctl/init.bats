#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl init: proposes, tries and writes a network for this machine's LAN.

load ../lib/ctl

teardown() {
	rm -rf /run/ipvlanctl
}

# proposes JQ VALUE: the filter finds the value in the configuration on standard output.
proposes() {
	[ "$(result "$1")" = "$2" ] || { echo "$1 is $(result "$1"), not $2: $output $stderr"; return 1; }
}

# explains_on_stderr TEXT...
because() {
	local text
	for text in "$@"; do
		[[ $stderr = *"$text"* ]] || { echo "\"$text\" is not in: $stderr"; return 1; }
	done
}

@test "the link of the default route, its subnet and gateway, both families, a free range; and why" {
	ip -6 route add default via fd00:36::66
	ctl init
	succeeds
	proposes '[.name, .cniVersion, .plugins[0].master, .plugins[0].mode, .plugins[0].hostAccess]' '["lan","1.0.0","eth0","l2",true]'
	proposes '.plugins[0].ipam.ranges[0][0]' \
		'{"subnet":"10.138.36.0/23","rangeStart":"10.138.37.128","rangeEnd":"10.138.37.191","gateway":"10.138.36.66"}'
	proposes '.plugins[0].ipam.ranges[1][0] | [.subnet, .gateway]' '["fd00:36::/64","fd00:36::66"]'
	proposes '.plugins[0].ipam.routes' '[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]'
	because 'master eth0: the default route leads to it' 'range 10.138.37.128-10.138.37.191 of 10.138.36.58/23: of 512 addresses that were asked, 1 answered' \
		'DHCP server' 'hostAccess is on: without it' 'cniVersion 1.0.0: no runtime was found'
}

@test "init && try: the proposal works, and nothing is left" {
	local before
	before=$(inventory)
	ctl init
	succeeds
	ctl try
	succeeds
	tells /run/ipvlanctl/proposed.conflist 'ok       address: 10.138.37.128/23, gateway 10.138.36.66' 'ok       gateway: 10.138.36.66 answers' \
		'ok       CHECK: nothing is missing' 'ok       DEL'
	leaves_nothing "$before"
}

@test "init --write && try: init writes the file for runtimes once" {
	ctl init --write
	succeeds
	[ "$output" = "" ]
	because "written to $NETCONFPATH/10-lan.conflist"
	[ "$(stat -c '%a %U' "$NETCONFPATH/10-lan.conflist")" = '644 root' ]
	ctl try
	succeeds
	tells "$NETCONFPATH/10-lan.conflist" 'ok       CHECK: nothing is missing'
	ctl doctor
	[[ $status != 2 ]]
	ctl init --write --name lan
	[ "$status" = 1 ]
	because 'network "lan" exists in '"$NETCONFPATH"'; choose another --name'
	[ "$(ls -A "$NETCONFPATH")" = 10-lan.conflist ]
}

@test "a second network has another name and other addresses, and sorts after the first" {
	ctl init --write
	succeeds
	ctl init --write
	succeeds
	because "written to $NETCONFPATH/90-lan2.conflist" 'containerd uses the first file of '"$NETCONFPATH"', 10-lan.conflist'
	[ "$(jq -r '.plugins[0].ipam.ranges[0][0].rangeStart' "$NETCONFPATH/90-lan2.conflist")" = 10.138.37.64 ]
}

@test "addresses that answer on the LAN, the host's addresses and the gateway are not in the range" {
	local address
	for address in 10.138.37.130/23 10.138.37.70/23; do
		ip -n lan addr add "$address" dev eth0
	done
	ip addr add 10.138.37.5/23 dev eth0
	ctl init
	succeeds
	proposes '.plugins[0].ipam.ranges[0][0] | .rangeStart + "-" + .rangeEnd' 10.138.36.192-10.138.36.255
	because 'of 512 addresses that were asked, 3 answered, none of these'
}

@test "a full LAN" {
	ip addr flush dev eth0
	ip addr add 10.138.36.65/29 dev eth0
	ip route add default via 10.138.36.66
	for i in 67 68 69 70; do ip -n lan addr add "10.138.36.$i/29" dev eth0; done
	ctl init
	[ "$status" = 1 ]
	because 'no address of 10.138.36.64/29 is free'
	[ "$output" = "" ]
}

@test "--range: init names addresses that answer, and fails for another subnet" {
	ip -n lan addr add 10.138.36.201/23 dev eth0
	ctl init --range 10.138.36.200-10.138.36.210 --name here --master eth0
	succeeds
	proposes '[.name, .plugins[0].ipam.ranges[0][0].rangeStart, .plugins[0].ipam.ranges[0][0].rangeEnd]' '["here","10.138.36.200","10.138.36.210"]'
	because 'a host of the LAN has 10.138.36.201' 'master eth0: set by --master'
	ctl init --range 10.1.1.1-10.1.1.2
	[ "$status" = 1 ]
	because 'is not in the subnet of 10.138.36.58/23'
	ctl init --range 10.138.36.9
	[ "$status" = 1 ]
	because '"10.138.36.9" is not a range of addresses; write it as FIRST-LAST'
}

@test "the newest CNI that all runtimes speak" {
	runtime containerd 'containerd github.com/containerd/containerd/v2 v2.1.0 abc'
	ctl init
	proposes .cniVersion 1.1.0
	because 'containerd 2.1.0: CNI 1.1.0'
	runtime podman 'podman version 4.3.1'
	ctl init
	proposes .cniVersion 1.0.0
	because 'Podman 4.3.1: CNI 1.0.0'
	rm "$BATS_TEST_TMPDIR/runtimes/podman"
	runtime containerd 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1'
	ctl init
	proposes .cniVersion 1.0.0
	runtime podman 'podman version 5.4.2'
	runtime containerd 'containerd containerd.io 2.0.1 x'
	ctl init
	proposes .cniVersion 1.1.0
	because 'Podman 5.4.2 has no CNI: it does not read'
}

@test "init prints Podman's command for the same network, if Podman uses netavark" {
	ip -6 route add default via fd00:36::66
	runtime podman 'podman version 5.4.2'
	podman_info netavark bridge
	ctl init
	[[ $stderr != *"podman network create"* ]]
	podman_info netavark ipvlan-netavark
	ctl init
	because 'for Podman: podman network create -d ipvlan-netavark -o parent=eth0 -o mode=l2 -o hostAccess=true --ipv6 --subnet 10.138.36.0/23 --ip-range 10.138.37.128-10.138.37.191 --gateway 10.138.36.66 --subnet fd00:36::/64 --ip-range '
	ctl init --mode l3s --name mine
	because 'podman network create -d ipvlan-netavark -o parent=eth0 -o mode=l3s -o hostAccess=true -o ipMasq=true --subnet 10.' '.0/24 mine'
}

@test "l3s: a subnet for pods and the host's address outside; it works" {
	ip route add 10.200.0.0/16 dev eth0
	ctl init --mode l3s
	succeeds
	proposes '[.plugins[0].mode, .plugins[0].ipMasq, .plugins[0].ipam.ranges[0][0].subnet]' '["l3s",true,"10.201.0.0/24"]'
	because 'subnet 10.201.0.0/24: outside, pods have the address of this machine'
	ctl try - 10.138.36.66 <<<"$output"
	succeeds
	tells 'ok       address: 10.138.36.66 answers'
}

@test "l3: init names the route that the LAN's router requires" {
	ctl init --mode l3
	succeeds
	because "the LAN's router requires a route to it, via 10.138.36.58"
}

@test "no default route; a link that is down, a bridge's port, or has a /32: an error, and nothing on standard output" {
	ip route del default
	ctl init
	[ "$status" = 1 ]
	because 'no default route interface found; name a link with --master'
	ctl init --master eth0
	succeeds
	because 'no default route leads to eth0: pods reach only the LAN'
	proposes '[.plugins[0].ipam.routes, .plugins[0].ipam.ranges[0][0].gateway]' '[[],"none"]'
	ip addr flush dev eth0
	ctl init --master eth0
	[ "$status" = 1 ]
	because 'eth0 has no IPv4 address; add one'
	ip addr add 10.138.36.58/32 dev eth0
	ctl init --master eth0
	[ "$status" = 1 ]
	because 'eth0 has only 10.138.36.58/32' '--mode l3s'
	ip link add br0 type bridge
	ip link set eth0 master br0
	ctl init --master eth0
	[ "$status" = 1 ]
	because 'master "eth0" is a port of "br0"'
	ip link set eth0 nomaster down
	ctl init --master eth0
	[ "$status" = 1 ]
	because '"eth0" is down; ip link set eth0 up'
	ctl init --master nope0
	[ "$status" = 1 ]
	because 'nope0'
	[ "$output" = "" ]
}

@test "a wrong mode, a wrong name" {
	ctl init --mode l4
	[ "$status" = 1 ]
	because 'unknown ipvlan mode: "l4"; mode must be'
	ctl init --name a/b
	[ "$status" = 1 ]
	because 'invalid characters found in network name'
}

@test "in a VRF hostAccess is off" {
	ip link add red type vrf table 10
	ip link set red up
	ip link set eth0 master red
	ctl init --master eth0
	because 'hostAccess is off: eth0 is in the VRF red'
	proposes '.plugins[0] | has("hostAccess")' false
}
