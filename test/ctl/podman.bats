#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl and networks of Podman whose driver is ipvlan-netavark: Podman's files have them, not /etc/cni/net.d.

load ../lib/ctl
load ../lib/netavark

NETWORKS=/etc/containers/networks

teardown() {
	rm -rf "$NETWORKS" /run/ipvlanctl
}

# podmans NAME [JSON]...: a network of Podman's as `podman network create` leaves it.
podmans() {
	mkdir -p "$NETWORKS"
	created "{\"name\": \"$1\"}" "${@:2}"
	NETWORK=$output
	echo "$NETWORK" >"$NETWORKS/$1.json"
}

with_addrpool='{"options": {"ipam": "addrpool", "hostAccess": "true"}, "subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.66",
	"lease_range": {"start_ip": "10.138.36.2", "end_ip": "10.138.36.40"}}]}'

@test "doctor examines each: it works, or what is wrong with it" {
	runtime podman 'podman version 5.4.2'
	podman_info netavark ipvlan-netavark
	podmans lan '{"subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.66", "lease_range": {"start_ip": "10.138.36.2", "end_ip": "10.138.36.40"}}]}'
	doctor 0 "ok       runtime: Podman 5.4.2 has netavark and the driver ipvlan-netavark" 'ok       ipam: Podman assigns the addresses' \
		'ok       STATUS: an ADD would succeed now' 'ok       gateway: 10.138.36.66 answers'
	podman_info netavark bridge
	doctor 2 'error    runtime: Podman 5.4.2 does not find the driver ipvlan-netavark' '-> install it into /usr/local/libexec/netavark'
	podman_info netavark ipvlan-netavark
	ip link set eth0 name uplink
	doctor 2 'error    master: failed to lookup master "eth0": Link not found'
	ip link set uplink name eth0
	podmans lan
	doctor 1 'warning  pool: 10.138.36.58 is the host'"'"'s own, and in the range 10.138.36.1-10.138.37.254' '-> a range without it: --ip-range'
}

@test "doctor finds addresses that a network of CNI gives as well, and a gateway that is silent" {
	configured net "$(sound)"
	runtime podman 'podman version 5.4.2'
	podman_info netavark ipvlan-netavark
	podmans lan '{"subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.77"}]}'
	run "$BUILD/ipvlanctl" doctor
	tells "pool: addresses overlap with those of network \"net\" in net.conf, first 10.138.36.2" 'gateway: 10.138.36.77 does not answer'
}

@test "doctor examines the file that is named, as that of Podman, and try says who tries it" {
	podmans lan
	ctl doctor "$NETWORKS/lan.json"
	tells 'warning  runtime: there is no Podman, which alone reads this file' 'STATUS: an ADD would succeed now'
	ctl try "$NETWORKS/lan.json"
	[ "$status" = 2 ]
	tells "it is a network of Podman's" 'podman run --rm --network lan IMAGE'
}

@test "an option that cannot be, which somebody wrote into the file" {
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
	tells 'option routes is no JSON'
}

@test "show, status and pools know the network, where it is configured, and its leases" {
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

@test "init proposes no address of theirs" {
	podmans lan '{"subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.66",
		"lease_range": {"start_ip": "10.138.37.120", "end_ip": "10.138.37.200"}}]}'
	ctl init
	succeeds
	[ "$(result '.plugins[0].ipam.ranges[0][0].rangeStart')" = 10.138.37.0 ]
}

@test "report has them without secrets" {
	podmans lan "$with_addrpool"
	jq '.options.ipam = "{\"type\": \"addrpool\", \"password\": \"hunter22\"}"' "$NETWORKS/lan.json" >"$BATS_TEST_TMPDIR/secret"
	cp "$BATS_TEST_TMPDIR/secret" "$NETWORKS/lan.json"
	ctl report "$BATS_TEST_TMPDIR/archive.tar"
	succeeds
	[ "$(tar -xOf "$BATS_TEST_TMPDIR/archive.tar" configurations.json | jq -c --arg file "$NETWORKS/lan.json" '.[$file][0] | [.master, .ipam.type, .hostAccess]')" = '["eth0","addrpool",true]' ]
	run -1 grep -aq hunter22 "$BATS_TEST_TMPDIR/archive.tar"
}

@test "networks of other drivers, and files that are none, are not looked at" {
	mkdir -p "$NETWORKS"
	network '{"name": "other", "driver": "macvlan"}' >"$NETWORKS/other.json"
	echo '{' >"$NETWORKS/broken.json"
	ctl pools
	succeeds
	[[ $output != *other* ]]
	ctl doctor
	[[ $output != *other* && $output != *broken* ]]
}
