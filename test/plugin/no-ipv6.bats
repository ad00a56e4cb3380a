#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A machine that was started with ipv6.disable=1.

load ../lib/cni

# Without the IPv6 half.
make_network() {
	ip -batch - <<-EOF
		netns add lan
		netns add a
		link add eth0 mtu 1500 type veth peer name eth0 netns lan
		addr add 10.138.36.58/23 dev eth0
		link set eth0 up
		route add default via 10.138.36.66
	EOF
	ip -n lan addr add 10.138.36.66/23 dev eth0
	ip -n lan link set eth0 up
}

dual='{ "ipam": { "type": "addrpool", "ranges": [ [ { "subnet": "10.138.36.0/23", "rangeStart": "10.138.36.2" } ], [ { "subnet": "fd00:36::/64" } ] ] } }'

@test "the kernel has no IPv6" {
	[ ! -e /proc/sys/net/ipv6 ]
}

@test "IPv4 works in all modes, without a message about IPv6" {
	local conf
	for conf in '{ "mode": "l2" }' '{ "mode": "l3" }' '{ "mode": "l3s", "proxyArp": true }' \
		'{ "mode": "l3", "flag": "vepa", "reflector": "10.138.36.66", "hostAccess": false, "ipam": { "ranges": [ [ { "subnet": "10.9.0.0/24", "gateway": "none" } ] ] } }'; do
		conf=$(conf '{ "hostAccess": true, "ipam": { "type": "addrpool" } }' "$conf")
		add "$conf"
		[[ $stderr != *[Ii][Pp]v6* ]]
		[[ $conf = *reflector* ]] || ping -n -c 1 -W 3 "$(jq -r ".ips[0].address | split(\"/\")[0]" <<<"$RESULT_a")"
		cni CHECK "$(with_result "$conf")"
		succeeds
		cni DEL "$conf"
		succeeds
		[ -z "$stderr" ]
	done
}

@test "an IPv6 address is refused with a clear message, and nothing is left" {
	cni ADD "$(conf "$dual")"
	fails 7 'failed to add IP addr fd00:36::2/64 to "eth0": this kernel has no IPv6'
	explains 'ipv6.disable=1'
	no_link a
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
	[ ! -e /var/lib/cni/networks/net/fd00:36::2 ]
}

@test "STATUS says 50, and doctor reports an error" {
	local type
	for type in addrpool host-local; do
		cni STATUS "$(conf "$dual" "{ \"ipam\": { \"type\": \"$type\" } }")"
		fails 50 'ipam has IPv6 addresses, and this kernel has no IPv6'
	done
	cni STATUS "$(conf "$(static 'fd00:36::9/64')")"
	fails 50 'ipam has IPv6 addresses, and this kernel has no IPv6'
	cni STATUS "$(conf "$(static '10.138.36.9/23')")"
	succeeds
	conf "$dual" >"$BATS_TEST_TMPDIR/net.conf"
	run "$BUILD/ipvlanctl" doctor "$BATS_TEST_TMPDIR/net.conf"
	[ "$status" != 0 ]
	[[ $output = *'this kernel has no IPv6'* ]]
}

@test "IPv6 routes of each key are refused by name, by STATUS and by ADD before it makes anything" {
	local before key conf
	local -A keys=(
		[hostRoutes]='{ "hostRoutes": [ { "dst": "2001:db8::/64", "gw": "fd77::1" } ] }'
		[routes]='{ "routes": [ { "dst": "2001:db8::/64" } ] }'
	)
	before=$(inventory)
	for key in "${!keys[@]}"; do
		conf=$(conf "${keys[$key]}")
		cni STATUS "$conf"
		fails 50 "$key has IPv6 addresses, and this kernel has no IPv6"
		cni ADD "$conf"
		fails 7 "$key has IPv6 addresses, and this kernel has no IPv6"
		explains 'ipv6.disable=1'
	done
	for conf in "$(conf '{ "ipam": { "routes": [ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ] } }')" \
		"$(conf '{ "ipam": { "type": "addrpool", "routes": [ { "dst": "::/0" } ] } }')"; do
		cni STATUS "$conf"
		fails 50 'ipam has IPv6 addresses, and this kernel has no IPv6'
		cni ADD "$conf"
		fails 7 'failed to add the route to ::/0: this kernel has no IPv6'
		explains 'ipv6.disable=1'
	done
	leaves_nothing "$before"
}

@test "what does not reach a pod without IPv6 addresses prevents neither STATUS nor ADD" {
	local conf
	for conf in '{ "mode": "l3", "flag": "vepa", "reflector": "fd00:36::66" }' '{ "flag": "vepa", "reflector": "fd00:36::66" }' \
		'{ "internal": true, "master": null, "routes": [ { "dst": "::/0" } ] }' \
		'{ "internal": true, "master": null, "ipam": { "routes": [ { "dst": "::/0" } ] } }'; do
		cni STATUS "$(conf "$conf")"
		succeeds
		add "$(conf "$conf")"
		cni DEL "$(conf "$conf")"
		succeeds
	done
}
