#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Faults of running pods, of the host or of the LAN: the messages of CHECK and doctor.

load ../lib/ctl

# cached POD: writes the pod's configuration and result to libcni's cache, as a runtime does.
cached() {
	local result=RESULT_$1
	mkdir -p /var/lib/cni/results
	jq -n --arg id "$1" --arg conf "$(base64 -w 0 "$NETCONFPATH/net.conf")" --argjson result "${!result}" \
		'{kind: "cniCacheV1", containerId: $id, config: $conf, ifName: "eth0", networkName: "net", result: $result}' \
		>"/var/lib/cni/results/net-$1-eth0"
}

# unchecked CODE TEXT: CHECK of pod a fails with these.
unchecked() {
	cni CHECK "$(with_result "$(cat "$NETCONFPATH/net.conf")")" a
	fails "$1" "$2"
}

# both TEXT...: doctor prints this with the result of libcni's cache, and without it.
both() {
	doctor "$@"
	cached a
	doctor "$@"
}

@test "pods without a fault, with libcni's cache and without" {
	configured net "$(sound)"
	pod a net
	both 0
}

@test "a pod's link is down" {
	configured net "$(sound)"
	pod a net
	ip -n a link set eth0 down
	unchecked 102 'Interface eth0 is down'
	both 2 'error    pod: container a, network net: Interface eth0 is down' '-> restart the pod'
}

@test "a pod has lost its route" {
	configured net "$(sound)"
	pod a net
	ip -n a route del default
	unchecked 102 'Expected Route 0.0.0.0/0'
	both 2 'error    pod: container a, network net: Expected Route 0.0.0.0/0'
}

@test "findings have the name of the pod" {
	configured net "$(sound '{"hostAccess":true}')"
	CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1' pod a net
	ip route del 10.138.36.2
	doctor 2 'error    host: pod shop/web-1: "route to 10.138.36.2/32' '-> ipvlanctl repair restores it'
	ctl repair
	ip -n a link set eth0 mtu 1400
	doctor 1 'warning  pod: pod shop/web-1, network net: interface eth0 has MTU 1400'
	ip netns del a
	doctor 1 'warning  leases: 1 of ' 'warning  attachment: pod shop/web-1, network net, interface eth0: its namespace is gone'
}

@test "a pod without its address, or with another one" {
	configured net "$(sound)"
	pod a net
	ip -n a addr flush dev eth0
	ip -n a addr add 10.138.36.39/23 dev eth0
	ip -n a route replace default via 10.138.36.66
	unchecked 102 'Failed to match addr 10.138.36.2/23'
	ctl doctor
	[ "$status" = 2 ]
	tells 'error    pod: container a, network net: Failed to match addr 10.138.36.2/23'
	cached a
	ctl doctor
	tells 'error    pod: container a, network net: Failed to match addr 10.138.36.2/23'
}

@test "a pod has another MTU" {
	configured net "$(sound)"
	pod a net
	ip -n a link set eth0 mtu 1400
	both 1 'warning  pod: container a, network net: interface eth0 has MTU 1400, its master 1500'
}

@test "a pod's interface was renamed" {
	configured net "$(sound)"
	pod a net
	ip -n a link set eth0 down
	ip -n a link set eth0 name foo
	unchecked 102 'eth0 not found'
	both 2 'error    attachment: container a, network net: interface eth0 was renamed to foo' '-> nsenter --net=/run/netns/a ip link set dev foo name eth0'
}

@test "a pod's interface was deleted" {
	configured net "$(sound)"
	pod a net
	ip -n a link del eth0
	unchecked 102 'eth0 not found'
	both 2 'error    attachment: container a, network net, interface eth0: the interface was deleted' '-> restart the pod'
}

@test "a pod's namespace is gone" {
	configured net "$(sound)"
	pod a net
	ip netns del a
	cni CHECK "$(with_result "$(cat "$NETCONFPATH/net.conf")")" a
	fails 3
	doctor 1 'warning  attachment: container a, network net, interface eth0: its namespace is gone' '-> ipvlanctl gc --yes' 'warning  leases: 1 of '
}

@test "a host route of a pod is gone" {
	configured net "$(sound '{"hostAccess":true}')"
	pod a net
	ip route del 10.138.36.2
	unchecked 102 '10.138.36.2'
	both 2 'error    host: container a: "route to 10.138.36.2/32 dev eth0 src 10.138.36.58" is missing' '-> ipvlanctl repair'
	"$BUILD/ipvlanctl" repair
	doctor 0
}

@test "the anchor is gone: one fault, without indexes of links" {
	configured net "$(sound '{"hostAccess":true,"mode":"l3","ipam":{"ranges":[[{"subnet":"192.168.9.0/24"}]]}}')"
	pod a net
	pod b net
	ip link del "ipva$(cat /sys/class/net/eth0/ifindex)"
	doctor 2 'error    host: container ' 'and 1 more: "anchor dev eth0" is missing' '-> ipvlanctl repair'
	[[ ! $output =~ dev\ [0-9] ]]
	"$BUILD/ipvlanctl" repair
	doctor 0
}

@test "the ledger was deleted while pods run" {
	configured net "$(sound)"
	pod a net
	rm -rf /run/cni/ipvlan
	doctor 1 "warning  ledger: container a of network net has 10.138.36.2, and is not in the plugin's ledger" '-> restart the pod'
}

@test "pods of the Go plugins: no fault" {
	configured net "$(sound)"
	PLUGIN=$GO_PLUGINS/ipvlan add "$(jq -c '.ipam.type = "host-local"' "$NETCONFPATH/net.conf")" a
	doctor 0
}

@test "a gateway that does not answer" {
	configured net "$(sound)"
	ip -n lan addr flush dev eth0
	pod a net
	doctor 1 'warning  gateway: 10.138.36.66 does not answer on "eth0"' '-> check that it is up and on this LAN'
}

@test "a LAN that loses large packets" {
	configured net "$(sound)"
	ip -n lan link set eth0 mtu 1400
	accepted_by ADD STATUS
	doctor 1 'warning  path MTU: packets of 1500 bytes do not reach 10.138.36.66 on "eth0", but small ones do' '-> let the LAN carry them, or set "mtu": 1400'
	accepted_by DEL
	configured net "$(sound '{"mtu":1400}')"
	doctor 0
}

@test "a gateway that filters echo requests: no fault" {
	configured net "$(sound)"
	ip netns exec lan nft -f - <<<'table inet f { chain i { type filter hook input priority 0; icmp type echo-request drop; }; }'
	accepted_by ADD STATUS
	doctor 0
}

@test "a firewall of the host that drops packets from pods, with hostAccess: with a pod and without" {
	local mode
	nft -f - <<<'table inet strict { chain i { type filter hook input priority 0; ip saddr { 10.138.36.2-10.138.36.40, 192.168.9.0/24 } drop; }; }'
	for mode in l2 l3; do
		configured net "$(sound "{\"hostAccess\":true,\"mode\":\"$mode\"}" "$([ "$mode" = l2 ] && echo '{}' || echo '{"ipam":{"ranges":[[{"subnet":"192.168.9.0/24"}]]}}')")"
		doctor 1 'warning  hostAccess: network "net": the host, 10.138.36.58, does not answer pods by ICMP or TCP' \
			'-> let the host'
		pod a net
		doctor 1 'warning  hostAccess: network "net": the host, 10.138.36.58, does not answer pods'
		cni DEL "$(cat "$NETCONFPATH/net.conf")" a
	done
	nft delete table inet strict
}

@test "a firewall of the host that drops only new connections of pods" {
	configured net "$(sound '{"hostAccess":true}')"
	nft -f - <<<'table inet strict { chain i { type filter hook input priority 0; ct state established accept; ip saddr 10.138.36.2-10.138.36.40 drop; }; }'
	pod a net
	doctor 1 'warning  hostAccess: network "net": the host, 10.138.36.58, does not answer pods by ICMP or TCP, though pods answer the host'
	nft delete table inet strict
}

@test "a firewall of the host that accepts only TCP from pods: no fault" {
	configured net "$(sound '{"hostAccess":true}')"
	nft -f - <<<'table inet strict { chain i { type filter hook input priority 0; icmp type echo-request drop; }; }'
	pod a net
	doctor 0
	nft delete table inet strict
}

@test "networks without a file, whose configuration is in libcni's cache" {
	configured net "$(sound '{"hostAcess":true}')"
	pod a net
	cached a
	rm "$NETCONFPATH/net.conf"
	configured other "$(sound '{"name":"other","ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.50","rangeEnd":"10.138.36.55","gateway":"10.138.36.66"}]]}}')"
	doctor 1 "networks of libcni's cache" 'warning  key: "hostAcess"' 'ok       pool: 1 of 39 addresses'
	rm -rf /var/lib/cni/networks/net
	doctor 2 'warning  key: "hostAcess"' 'error    leases: container a of network net has 10.138.36.2, which is not leased'
}
