#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan with the reference plugins after it in a list: some work; others fail with a clear error
# and leave nothing.

load ../lib/cni
load ../lib/network
load ../lib/dhcp

# list JSON PLUGIN...: sets $LIST to a network of ipvlan, with these keys, and the plugins.
list() {
	local more=''
	LIST=$STUB_DIR/list.conflist
	export NETWORK_RESULTS=$STUB_DIR
	[ $# = 1 ] || more=$(printf ', %s' "${@:2}")
	jq "{ cniVersion: \"1.0.0\", name: \"net\", plugins: [ del(.cniVersion, .name)$more ] }" <<<"$(conf "$1")" >"$LIST"
}

SERVER=''
PORTMAP='{ "type": "portmap", "backend": "nftables", "snat": false, "runtimeConfig": {
	"portMappings": [ { "hostPort": 8080, "containerPort": 80, "protocol": "tcp" } ] } }'

# behind_host PLUGIN...: pods of another subnet behind the host, and the plugins.
behind_host() {
	list "{ \"mode\": \"l3s\", \"hostAccess\": true } $(static 192.168.9.2/24 '[ { "dst": "0.0.0.0/0" } ]')" "$@"
}

# works: ADD, CHECK and packets; then DEL leaves nothing.
works() {
	network ADD "$LIST" a
	network CHECK "$LIST" a
	pings a 10.138.36.66
}

ends() {
	network DEL "$LIST" a
	network DEL "$LIST" a
	leaves_nothing "$BEFORE"
}

# serve POD TEXT: the pod sends TEXT to clients of its port 80
serve() {
	ip netns exec "$1" timeout 20 socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:"echo $2" 3>&- &
	SERVER=$!
	sleep 0.5
}

# port_answers: the answer of port 8080 of the host to a client on the LAN
port_answers() {
	ip netns exec lan timeout 3 socat -u TCP:10.138.36.58:8080,connect-timeout=2 -
}

teardown() {
	[ -z "$SERVER" ] || kill "$SERVER"
	dhcp_stop
}

@test "tuning: sysctls, all multicast" {
	BEFORE=$(inventory)
	list '{}' '{ "type": "tuning", "allmulti": true, "sysctl": { "net.ipv4.conf.IFNAME.accept_redirects": "0" } }'
	works
	[ "$(ip netns exec a cat /proc/sys/net/ipv4/conf/eth0/accept_redirects)" = 0 ]
	[[ "$(in_pod a '.[0].flags' link show eth0)" = *ALLMULTI* ]]
	ends
}

@test "tuning cannot set the MAC address of an ipvlan interface; DEL removes all that ADD has made" {
	BEFORE=$(inventory)
	list '{}' '{ "type": "tuning", "mac": "02:00:00:00:00:09" }'
	run network ADD "$LIST" a
	[ "$status" = 1 ]
	network DEL "$LIST" a
	rm -rf /run/cni/tuning # a file of tuning
	leaves_nothing "$BEFORE"
}

@test "sbr: a second interface has its own routing table" {
	BEFORE=$(inventory)
	list '{ "ipam": { "routes": [ { "dst": "0.0.0.0/0", "gw": "10.138.36.66" } ] } }' '{ "type": "sbr" }'
	network ADD "$LIST" a net1
	[ "$(ip -n a rule show | grep -c 'from 10.138.36.2')" = 1 ]
	[[ "$(ip -n a route show table 100)" = *'default via 10.138.36.66 dev net1'* ]]
	ip netns exec a ping -n -c 1 -W 3 -I 10.138.36.2 39.156.66.10
	network DEL "$LIST" a net1
	[ -z "$(ip -n a rule show | grep 'from 10.138.36.2' || :)" ]
	leaves_nothing "$BEFORE"
}

@test "bandwidth requires a link on the host for each pod, which ipvlan lacks: its ADD fails, DEL removes all" {
	BEFORE=$(inventory)
	list '{}' '{ "type": "bandwidth", "ingressRate": 1000000, "ingressBurst": 1000000 }'
	run network ADD "$LIST" a
	[ "$status" = 1 ]
	[[ $output = *'"code"'* ]]
	ends
}

@test "portmap: in l3s with hostAccess a port of the host leads to the pod, from outside" {
	sysctl -qw net.ipv4.ip_forward=1
	BEFORE=$(inventory)
	behind_host "$PORTMAP"
	network ADD "$LIST" a
	serve a here
	[ "$(port_answers)" = here ]
	network DEL "$LIST" a
	nft delete table ip cni_hostport # empty; portmap keeps it
	leaves_nothing "$BEFORE"
}

@test "firewall succeeds without effect: in no mode do packets of pods pass the host's FORWARD chain" {
	local mode
	sysctl -qw net.ipv4.ip_forward=1
	iptables -w -P FORWARD DROP
	BEFORE=$(inventory)
	for mode in l2 l3 l3s; do
		list "{ \"mode\": \"$mode\" } $(static 192.168.9.2/24,10.138.36.66 '[ { "dst": "0.0.0.0/0" } ]')" \
			'{ "type": "firewall", "backend": "iptables" }'
		works
		[ "$(iptables-save | grep -c 192.168.9.2)" = 2 ]
		network DEL "$LIST" a
		run ! grep 192.168.9.2 <(iptables-save)
	done
	iptables -w -P FORWARD ACCEPT
	leaves_nothing "$BEFORE"
}

@test "static as IPAM: the addresses and routes of the configuration" {
	BEFORE=$(inventory)
	list "$(static '10.138.36.20/23,10.138.36.66 fd00:36::20/64' '[ { "dst": "39.156.66.0/24" } ]')"
	works
	pings a fd00:36::66
	pings a 39.156.66.10
	ends
}

@test "dhcp as IPAM: each pod leases an address from a server that answers by broadcast, and releases it" {
	local listener
	dhcp_start --dhcp-broadcast
	BEFORE=$(inventory)
	list '{ "ipam": { "type": "dhcp", "ranges": null, "routes": null } }'
	network ADD "$LIST" a
	network ADD "$LIST" b
	[ "$(cut -d' ' -f3 "$STUB_DIR/leases" | sort -u | wc -l)" = 2 ]
	network CHECK "$LIST" a
	pings a 10.138.36.66
	pings a "$(in_pod b '.[0].addr_info[0].local' -4 addr show eth0)"
	# the server's leases do not show it: the daemon sends DHCPRELEASE from 0.0.0.0, which Linux drops
	ip netns exec lan timeout 10 tcpdump -n -v -c 2 -i eth0 'udp port 67' >"$STUB_DIR/heard" 2>"$STUB_DIR/tcpdump" 3>&- &
	listener=$!
	until grep -q listening "$STUB_DIR/tcpdump"; do sleep 0.05; done
	network DEL "$LIST" a
	network DEL "$LIST" b
	wait $listener
	[ "$(grep -c 'DHCP-Message.*Release' "$STUB_DIR/heard")" = 2 ]
	ends
}

@test "dhcp as IPAM: without its daemon ADD reports that, and DEL fails until the daemon runs" {
	BEFORE=$(inventory)
	list '{ "ipam": { "type": "dhcp", "ranges": null, "routes": null } }'
	run network ADD "$LIST" a
	[ "$status" = 1 ]
	[[ $output = *'/run/cni/dhcp.sock'*'the daemon of the dhcp plugin is not running'* ]]
	run ! network DEL "$LIST" a
	dhcp_start
	ends
}
