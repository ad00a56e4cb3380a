#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl and networks of Podman with the driver ipvlan-netavark, which are in Podman's files, not in /etc/cni/net.d.

load ../lib/ctl
load ../lib/netavark

NETWORKS=/etc/containers/networks

teardown() {
	rm -rf "$NETWORKS" /run/ipvlanctl
}

# podmans NAME [JSON]...: a network of Podman, in the form of `podman network create`.
podmans() {
	mkdir -p "$NETWORKS"
	created "{\"name\": \"$1\"}" "${@:2}"
	NETWORK=$output
	echo "$NETWORK" >"$NETWORKS/$1.json"
}

with_addrpool='{"options": {"ipam": "addrpool", "hostAccess": "true"}, "subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.66",
	"lease_range": {"start_ip": "10.138.36.2", "end_ip": "10.138.36.40"}}]}'

@test "doctor examines each network, and reports faults" {
	runtime podman 'podman version 5.4.2'
	podman_info netavark ipvlan-netavark
	podmans lan '{"subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.66", "lease_range": {"start_ip": "10.138.36.2", "end_ip": "10.138.36.40"}}]}'
	doctor 0 "ok       runtime: Podman 5.4.2 uses netavark and finds the driver ipvlan-netavark" 'ok       ipam: Podman assigns the addresses' \
		'ok       STATUS: an ADD would succeed now' 'ok       gateway: 10.138.36.66 answers'
	podman_info netavark bridge
	doctor 2 'error    runtime: Podman 5.4.2 does not find the driver ipvlan-netavark' '-> install the driver into /usr/local/libexec/netavark'
	podman_info netavark ipvlan-netavark
	ip link set eth0 name uplink
	doctor 2 'error    master: failed to lookup master "eth0": Link not found'
	ip link set uplink name eth0
	podmans lan
	doctor 1 'warning  pool: 10.138.36.58 is an address of this host, in the range 10.138.36.1-10.138.37.254' '-> use a range without it: --ip-range'
}

@test "doctor finds addresses that a network of CNI assigns too, and a gateway that does not answer" {
	configured net "$(sound)"
	runtime podman 'podman version 5.4.2'
	podman_info netavark ipvlan-netavark
	podmans lan '{"subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.77"}]}'
	run "$BUILD/ipvlanctl" doctor
	tells "pool: addresses overlap with network \"net\" in net.conf, first 10.138.36.2" 'gateway: 10.138.36.77 does not answer'
}

@test "doctor examines a named file as a network of Podman, and try names podman run" {
	podmans lan
	ctl doctor "$NETWORKS/lan.json"
	tells 'warning  runtime: this machine has no Podman, and no other program reads this file' 'STATUS: an ADD would succeed now'
	ctl try "$NETWORKS/lan.json"
	[ "$status" = 2 ]
	tells "it is a network of Podman" 'podman run --rm --network lan IMAGE'
}

@test "an invalid option in the file" {
	podmans lan
	jq '.options.mode = "l4"' "$NETWORKS/lan.json" >"$BATS_TEST_TMPDIR/l4"
	cp "$BATS_TEST_TMPDIR/l4" "$NETWORKS/lan.json"
	ctl doctor
	[ "$status" = 2 ]
	tells "$NETWORKS/lan.json" 'unknown ipvlan mode: "l4"'
	jq '.options.routes = "[{"' "$NETWORKS/lan.json" >"$BATS_TEST_TMPDIR/routes"
	cp "$BATS_TEST_TMPDIR/routes" "$NETWORKS/lan.json"
	ctl doctor
	[ "$status" = 2 ]
	tells 'option routes is not JSON'
}

@test "show, status and pools list the network with its file and leases" {
	podmans lan "$with_addrpool"
	setup_pod "$NETWORK" a '{"network_options": {"static_ips": null}}'
	ctl show
	succeeds
	tells lan web 10.138.36.2
	[[ $output != *"not configured"* ]]
	ctl pools
	succeeds
	tells "lan  $NETWORKS/lan.json" '3%  1 of 39  10.138.36.2-10.138.36.40' 'c1'
	ctl status
	succeeds
	ip link set eth0 name uplink
	ctl status
	[ "$status" = 1 ]
	tells 'eth0 of network lan does not exist'
	ip link set uplink name eth0
}

@test "gc releases the address of a container that is gone without teardown" {
	podmans lan "$with_addrpool"
	setup_pod "$NETWORK" a '{"network_options": {"static_ips": null}}'
	ip netns del a
	ctl gc
	succeeds
	tells 'c1 eth0, network lan: its namespace is gone' 'lease 10.138.36.2' 'route to 10.138.36.2/32 dev eth0'
	ctl gc --yes
	succeeds
	[ ! -e /var/lib/cni/networks/lan/10.138.36.2 ]
	[ -z "$(ip route show 10.138.36.2)" ]
}

@test "init proposes no address of Podman's networks" {
	podmans lan '{"subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.66",
		"lease_range": {"start_ip": "10.138.37.120", "end_ip": "10.138.37.200"}}]}'
	ctl init
	succeeds
	[ "$(result '.plugins[0].ipam.ranges[0][0].rangeStart')" = 10.138.37.0 ]
}

@test "report has Podman's networks without secrets" {
	podmans lan "$with_addrpool"
	jq '.options.ipam = "{\"type\": \"addrpool\", \"password\": \"hunter22\"}"' "$NETWORKS/lan.json" >"$BATS_TEST_TMPDIR/secret"
	cp "$BATS_TEST_TMPDIR/secret" "$NETWORKS/lan.json"
	ctl report "$BATS_TEST_TMPDIR/archive.tar"
	succeeds
	[ "$(tar -xOf "$BATS_TEST_TMPDIR/archive.tar" configurations.json | jq -c --arg file "$NETWORKS/lan.json" '.[$file][0] | [.master, .ipam.type, .hostAccess]')" = '["eth0","addrpool",true]' ]
	run -1 grep -aq hunter22 "$BATS_TEST_TMPDIR/archive.tar"
}

@test "networks of other drivers, and files that are no networks, are ignored" {
	mkdir -p "$NETWORKS"
	network '{"name": "other", "driver": "macvlan"}' >"$NETWORKS/other.json"
	echo '{' >"$NETWORKS/broken.json"
	ctl pools
	succeeds
	[[ $output != *other* ]]
	ctl doctor
	[[ $output != *other* && $output != *broken* ]]
}
