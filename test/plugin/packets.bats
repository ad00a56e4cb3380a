#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Packets from and to a pod.

load ../lib/cni

@test "two pods of one master reach each other" {
	add "$(conf)" a
	add "$(conf)" b
	pings a 10.138.36.3
	pings b 10.138.36.2
}

@test "a pod in the LAN's subnet reaches the LAN and hosts behind its gateway" {
	add "$(conf "$(static "10.138.36.2/23,10.138.36.66" '[{"dst":"0.0.0.0/0"}]')")"
	pings a 10.138.36.66
	pings a 39.156.66.10
	pings lan 10.138.36.2
}

@test "pods reach each other and the LAN over IPv6 at once" {
	add "$(conf "$(static "fd00:36::2/64,fd00:36::66" '[{"dst":"::/0"}]')")" a
	add "$(conf "$(static "fd00:36::3/64,fd00:36::66" '[{"dst":"::/0"}]')")" b
	pings a fd00:36::3
	pings a fd00:36::66
	pings lan fd00:36::2
}

@test "a dual-stack pod reaches hosts with both families" {
	add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")")"
	pings a 10.138.36.66
	pings a fd00:36::66
}

@test "IPv6 addresses are usable when ADD returns, not seconds later" {
	add "$(conf "$(static "fd00:36::2/64,fd00:36::66" '[{"dst":"::/0"}]')")"
	[ "$(in_pod a '[.[].addr_info[] | select(.scope == "global" and .tentative)] | length' -6 addr)" = 0 ]
}

for_mode() {
	add "$(conf "$(static "192.168.9.2/24" '[{"dst":"0.0.0.0/0"}]')" "{\"mode\":\"$1\"}")" a
	add "$(conf "$(static "192.168.9.3/24" '[{"dst":"0.0.0.0/0"}]')" "{\"mode\":\"$1\"}")" b
	[ "$(in_pod a '.[0].linkinfo.info_data.mode' -d link show eth0)" = "$1" ]
	pings a 192.168.9.3
	pings a 10.138.36.66
	pings lan 192.168.9.3
	pings a 39.156.66.10
}

@test "l3 pods of a foreign subnet reach each other, the LAN and more, by a default route without gateway" {
	for_mode l3
}

@test "l3s pods of a foreign subnet reach each other, the LAN and more, by a default route without gateway" {
	for_mode l3s
}

@test "l3 pods reach each other and the LAN with IPv6" {
	add "$(conf "$(static "fd00:9::2/64" '[{"dst":"::/0"}]')" '{"mode":"l3"}')" a
	add "$(conf "$(static "fd00:9::3/64" '[{"dst":"::/0"}]')" '{"mode":"l3"}')" b
	pings a fd00:9::3
	pings a fd00:36::66
	pings lan fd00:9::2
}

@test "an IPv6 address is usable when ADD returns, every time, also on a busy machine" {
	local busy
	while :; do :; done 3>&- &
	busy=$!
	for _ in {1..20}; do
		add "$(conf "$(static "fd00:9::2/64" '[{"dst":"::/0"}]')" '{"mode":"l3"}')" a
		add "$(conf "$(static "fd00:9::3/64" '[{"dst":"::/0"}]')" '{"mode":"l3"}')" b
		pings a fd00:9::3
		cni DEL "$(conf)" a
		cni DEL "$(conf)" b
	done
	kill "$busy"
}

@test "an l2 pod of a foreign subnet uses a gateway outside its subnet" {
	add "$(conf "$(static "192.168.9.2/24,10.138.36.66" '[{"dst":"0.0.0.0/0"}]')")"
	pings a 39.156.66.10
	pings lan 192.168.9.2
}

@test "a pod with a /32 address uses its gateway" {
	add "$(conf "$(static "192.168.9.2/32,10.138.36.66" '[{"dst":"0.0.0.0/0"}]')")"
	pings a 39.156.66.10
}

@test "a pod with a /128 address uses its gateway" {
	add "$(conf "$(static "fd00:9::2/128,fd00:36::66" '[{"dst":"::/0"}]')")"
	pings a fd00:36::66
}

@test "a master inside the pod's own namespace carries the pod's interface" {
	ip link add inner netns a type veth peer name outer netns lan
	ip -n a link set inner up
	ip -n lan addr add 10.7.0.1/24 dev outer
	ip -n lan link set outer up
	add "$(conf "$(static "10.7.0.2/24")" '{"master":"inner","linkInContainer":true}')"
	pings a 10.7.0.1
}

@test "a pod's MTU is the one configured" {
	add "$(conf '{"mtu":1400}')"
	[ "$(in_pod a '.[0].mtu' link show eth0)" = 1400 ]
	[ "$(result '.interfaces[0].mtu')" = 1400 ]
}
