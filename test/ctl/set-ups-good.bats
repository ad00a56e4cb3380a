#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Machines without a fault: doctor has no warning and no error, before a pod runs, and with pods.

load ../lib/ctl

# good: doctor reports only ok before and after an ADD, and after another one in pod b.
good() {
	doctor 0
	pod a net
	doctor 0
	pod b net
	doctor 0 '0 warnings, 0 errors'
}

@test "each mode and flag, in the LAN's subnet or another one" {
	local mode flag subnet
	for mode in l2 l3 l3s; do
		for flag in bridge private vepa; do
			subnet='{"subnet":"192.168.9.0/24"}'
			[ $mode != l2 ] || subnet='{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.40","gateway":"10.138.36.66"}'
			configured net "$(sound "{\"mode\":\"$mode\",\"flag\":\"$flag\",\"ipam\":{\"ranges\":[[$subnet]]}}")"
			pod a net
			doctor 0
			cni DEL "$(cat "$NETCONFPATH/net.conf")" a
			succeeds
		done
	done
}

@test "both families, with hostAccess, in l2 and l3" {
	configured net "$(sound '{"hostAccess":true,"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.40","gateway":"10.138.36.66"}],[{"subnet":"fd00:36::/64","rangeStart":"fd00:36::1:0","gateway":"fd00:36::66"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}}')"
	good
	cni DEL "$(cat "$NETCONFPATH/net.conf")" a
	cni DEL "$(cat "$NETCONFPATH/net.conf")" b
	configured net "$(sound '{"mode":"l3","hostAccess":true,"ipam":{"ranges":[[{"subnet":"192.168.9.0/24"}],[{"subnet":"fd00:9::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}}')"
	good
}

@test "l3s with proxyArp in the LAN's subnet, and with ipMasq" {
	configured net "$(sound '{"mode":"l3s","proxyArp":true}')"
	good
	cni DEL "$(cat "$NETCONFPATH/net.conf")" a
	cni DEL "$(cat "$NETCONFPATH/net.conf")" b
	configured net "$(sound '{"mode":"l3s","ipMasq":true,"hostAccess":true,"ipam":{"ranges":[[{"subnet":"192.168.9.0/24"}]]}}')"
	good
}

@test "a VLAN that ADD makes" {
	ip -n lan link add link eth0 name seven type vlan id 7
	ip -n lan link set seven up
	ip -n lan addr add 10.7.0.1/24 dev seven
	configured net "$(sound '{"vlan":7,"ipam":{"ranges":[[{"subnet":"10.7.0.0/24"}]]}}')"
	good
}

@test "an internal network; a master in the pod; no IPAM" {
	configured net "$(sound '{"master":null,"internal":true,"ipam":{"ranges":[[{"subnet":"172.30.0.0/24"}]],"routes":null}}')"
	good
	cni DEL "$(cat "$NETCONFPATH/net.conf")" a
	cni DEL "$(cat "$NETCONFPATH/net.conf")" b
	configured net "$(sound '{"linkInContainer":true,"master":"eno1","ipam":{"ranges":[[{"subnet":"172.31.0.0/24"}]]}}')"
	ip -n a link add eno1 type dummy
	pod a net eth0
	doctor 0
	cni DEL "$(cat "$NETCONFPATH/net.conf")" a
	configured net "$(sound '{"ipam":null}')"
	good
}

@test "static addresses, a gateway on the link, no default route" {
	configured net "$(sound "$(static 10.138.36.7/23,10.138.36.66 '[{"dst":"0.0.0.0/0"}]')")"
	pod a net
	doctor 0
	cni DEL "$(cat "$NETCONFPATH/net.conf")" a
	configured net "$(sound '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.40","gateway":"none"}]],"routes":[]}}')"
	good
}

@test "the Go host-local; a master without an address; the master of the default route" {
	configured net "$(sound)"
	jq -c '.ipam.type = "host-local"' <<<"$(sound '{"master":null}')" >"$NETCONFPATH/net.conf"
	good
	cni DEL "$(cat "$NETCONFPATH/net.conf")" a
	cni DEL "$(cat "$NETCONFPATH/net.conf")" b
	ip addr flush dev eth0
	configured net "$(sound)"
	good
}

@test "a chain with tuning and sbr, in a list" {
	jq -c '{cniVersion, name, plugins: [del(.cniVersion, .name), {type: "tuning"}, {type: "sbr"}]}' <<<"$(sound '{"ipam":{"type":"addrpool","routes":[]}}')" >"$NETCONFPATH/net.conflist"
	doctor 0
}

@test "reflector and hostRoutes" {
	configured net "$(sound '{"flag":"vepa","reflector":"10.138.36.66","hostRoutes":[{"dst":"192.168.9.0/24","gw":"10.138.36.66"}]}')"
	good
}

@test "pods after repair, after a new address of the host, and after a restart of doctor" {
	configured net "$(sound '{"hostAccess":true}')"
	pod a net
	ip addr add 10.138.36.59/23 dev eth0
	"$BUILD/ipvlanctl" repair
	doctor 0
	ip route flush proto 105
	"$BUILD/ipvlanctl" repair
	doctor 0
	doctor 0
}
