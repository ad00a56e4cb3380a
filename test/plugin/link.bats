#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The pod's interface.

load ../lib/cni

@test "without the key flag the master's flag does not change" {
	local flag
	for flag in private vepa bridge; do
		ip link add link eth0 name first netns b type ipvlan mode l2 "$flag"
		add "$(conf)"
		[ "$(in_pod b ".[0].linkinfo.info_data.$flag" -d link show first)" = true ]
		cni DEL "$(conf)"
		ip -n b link del first
	done
}

@test "it has the master's MAC address, and is in the namespace that the runtime named" {
	add "$(conf)"
	[ "$(result '.interfaces[0].mac')" = "$(cat /sys/class/net/eth0/address)" ]
	[ "$(result '.interfaces[0].sandbox')" = /run/netns/a ]
	[ "$(in_pod a '.[0].address' link show eth0)" = "$(cat /sys/class/net/eth0/address)" ]
}

@test "CNI_NETNS can name a namespace by a process" {
	local pid
	ip netns exec a sleep 1000 3>&- &
	pid=$!
	until [ /proc/$pid/ns/net -ef /run/netns/a ]; do sleep 0.01; done
	NETNS=/proc/$pid/ns/net add "$(conf)"
	pings a 10.138.36.66
	NETNS=/proc/$pid/ns/net cni DEL "$(conf)"
	succeeds
	kill "$pid"
}

@test "IPv6 is enabled on the interface even if the pod's default is off" {
	ip netns exec a sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	add "$(conf "$(static "fd00:36::2/64")")"
	pings a fd00:36::66
}

@test "IPv6 addresses stay when the interface is set down" {
	add "$(conf "$(static "fd00:36::2/64")")"
	ip -n a link set eth0 down
	ip -n a link set eth0 up
	pings a fd00:36::66
}

@test "several interfaces of one pod" {
	add "$(conf)" a eth0
	add "$(conf '{"name":"second"}' "$(static "192.168.9.2/24")")" a net1
	[ "$(in_pod a '[.[].ifname | select(. != "lo" and . != "tunl0")]' link)" = '["eth0","net1"]' ]
}

@test "the host's interfaces, addresses and routes do not change" {
	local before ours='-e /var/lib -e ^a -e pages/ -e ^host.ipva'
	# shellcheck disable=SC2086 # several options
	before=$(inventory | grep -v $ours)
	add "$(conf)"
	# shellcheck disable=SC2086
	diff <(echo "$before") <(inventory | grep -v $ours)
}

@test "forty pods at once" {
	local i
	for i in $(seq 40); do ip netns add "pod$i"; done
	for i in $(seq 38); do
		CNI_COMMAND=ADD CNI_CONTAINERID=pod$i CNI_NETNS=/run/netns/pod$i CNI_IFNAME=eth0 \
			"$BUILD/ipvlan" <<<"$(conf)" >"$STUB_DIR/pod$i" 3>&- &
	done
	wait
	[ "$(cat "$STUB_DIR"/pod* | jq -s '[.[].ips[0].address] | unique | length')" = 38 ]
	pings pod1 10.138.36.66
	for i in $(seq 38); do
		CNI_COMMAND=DEL CNI_CONTAINERID=pod$i CNI_NETNS=/run/netns/pod$i CNI_IFNAME=eth0 \
			"$BUILD/ipvlan" <<<"$(conf)" 3>&- &
	done
	wait
	[ "$(find /var/lib/cni/networks/net -name '10.*' | wc -l)" = 0 ]
}

# An ipvlan interface can have only its master's MAC address.
@test "ADD warns that it ignores a requested MAC address, for each way to request it" {
	local mac=02:00:00:00:00:07 conf
	for conf in '{ "runtimeConfig": { "mac": "02:00:00:00:00:07" }, "capabilities": { "mac": true } }' \
		'{ "args": { "cni": { "mac": "02:00:00:00:00:07" } } }'; do
		add "$(conf "$conf")"
		[[ $stderr = *"the requested MAC address $mac is ignored"*"macvlan"* ]]
		[ "$(in_pod a '.[0].address' link show eth0)" = "$(cat /sys/class/net/eth0/address)" ]
		cni DEL "$(conf)"
	done
	CNI_ARGS="IgnoreUnknown=1;MAC=$mac;K8S_POD_NAME=x" add "$(conf)"
	[[ $stderr = *"the requested MAC address $mac is ignored"* ]]
	cni DEL "$(conf)"
	add "$(conf "{ \"runtimeConfig\": { \"mac\": \"$(cat /sys/class/net/eth0/address)\" } }")"
	[[ $stderr != *"MAC address"* ]]
}
