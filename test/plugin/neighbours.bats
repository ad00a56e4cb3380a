#!/usr/bin/env bats
# ipvlan with the reference plugins behind it in a network's list: what works, and what cannot,
# which is said and leaves nothing.

load ../lib/cni
load ../lib/network

# list JSON PLUGIN...: $LIST is a network of ipvlan, with these keys, and the plugins.
list() {
	local more
	LIST=$STUB_DIR/list.conflist
	export NETWORK_RESULTS=$STUB_DIR
	more=$(printf ', %s' "${@:2}")
	jq "{ cniVersion: \"1.0.0\", name: \"net\", plugins: [ del(.cniVersion, .name)$more ] }" <<<"$(conf "$1")" >"$LIST"
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

@test "tuning: sysctls, all multicast" {
	BEFORE=$(inventory)
	list '{}' '{ "type": "tuning", "allmulti": true, "sysctl": { "net.ipv4.conf.IFNAME.accept_redirects": "0" } }'
	works
	[ "$(ip netns exec a cat /proc/sys/net/ipv4/conf/eth0/accept_redirects)" = 0 ]
	[[ "$(in_pod a '.[0].flags' link show eth0)" = *ALLMULTI* ]]
	ends
}

@test "tuning cannot give an ipvlan interface a MAC address of its own; what ADD has made goes with DEL" {
	BEFORE=$(inventory)
	list '{}' '{ "type": "tuning", "mac": "02:00:00:00:00:09" }'
	run network ADD "$LIST" a
	[ "$status" = 1 ]
	network DEL "$LIST" a
	rm -rf /run/cni/tuning # which is its own affair
	leaves_nothing "$BEFORE"
}

@test "sbr: a second interface has a routing table of its own" {
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

@test "bandwidth wants a link on the host for each pod, which ipvlan has not: its ADD fails, DEL cleans up" {
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
	list "{ \"mode\": \"l3s\", \"hostAccess\": true, $(static 192.168.9.2/24 '[ { "dst": "0.0.0.0/0" } ]' | cut -c2-)" \
		'{ "type": "portmap", "backend": "nftables", "snat": false, "runtimeConfig": {
			"portMappings": [ { "hostPort": 8080, "containerPort": 80, "protocol": "tcp" } ] } }'
	network ADD "$LIST" a
	ip netns exec a timeout 20 socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'echo here' 3>&- &
	sleep 0.5
	[ "$(ip netns exec lan timeout 5 socat -u TCP:10.138.36.58:8080 -)" = here ]
	kill $!
	network DEL "$LIST" a
	nft delete table ip cni_hostport # empty; portmap keeps it
	leaves_nothing "$BEFORE"
}
