#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Podman 4.3 with its CNI backend and conf-examples/l2.conflist, as in README.md.

load ../lib/cni
load ../lib/runtimes

setup_file() {
	plugins_for_runtimes
	podman_start
	busybox_root $RUNTIMES_DIR/busybox
	tar -C $RUNTIMES_DIR/busybox -c . | podman import -q - busybox:1
}

setup() {
	remove_network
	make_network
	network_as_it_stands
}

teardown() {
	podman rm -fat 0 >/dev/null
	remove_network
}

# run_in POD NETWORK: a container that keeps running
run_in() {
	podman run -d --name "$1" --network "$2" busybox:1 sleep 1000
}

address_of() {
	podman inspect "$1" | jq -r '.[0].NetworkSettings.Networks[] | .IPAddress'
}

@test "podman run: the container has the leased address, and containers reach each other and the LAN" {
	run_in one l2
	run_in two l2
	[ "$(address_of one)" = 10.138.36.2 ]
	[ "$(address_of two)" = 10.138.36.3 ]
	[ "$(leases l2)" = "10.138.36.2 10.138.36.3" ]
	podman exec one ip -4 addr show eth0 | grep -q 'inet 10.138.36.2/23'
	podman exec one ping -c 1 -W 3 10.138.36.3
	podman exec two ping -c 1 -W 3 10.138.36.66
	podman exec two ping -c 1 -W 3 39.156.66.10
}

@test "ipvlanctl init --write makes a network for podman run, as README.md has it" {
	rm /etc/cni/net.d/*
	"$BUILD/ipvlanctl" init --write >"$BATS_TEST_TMPDIR/proposal"
	podman run --rm --network lan busybox:1 ip -4 addr show eth0 >"$BATS_TEST_TMPDIR/shown"
	grep -E 'inet 10\.138\.3[67]\.[0-9]+/23' "$BATS_TEST_TMPDIR/shown"
	rm /etc/cni/net.d/*
	nobody_left
}

@test "podman rm releases the address and leaves nothing" {
	local before
	before=$(inventory)
	run_in one l2
	run_in two l2
	podman rm -ft 0 one
	[ "$(leases l2)" = 10.138.36.3 ]
	podman rm -ft 0 two
	nobody_left
	leaves_nothing "$before"
}

@test "podman run --rm: nothing is left after the command, also if it never ran" {
	podman run --rm --network l2 busybox:1 ping -c 1 -W 3 10.138.36.66
	nobody_left
	run -127 podman run --rm --network l2 busybox:1 no-such-command
	nobody_left
}

@test "podman run --ip: the requested address; podman prints our error if it is taken" {
	podman run -d --name one --network l2 --ip 10.138.36.20 busybox:1 sleep 1000
	[ "$(address_of one)" = 10.138.36.20 ]
	run podman run --name two --network l2 --ip 10.138.36.20 busybox:1 true
	[ "$status" != 0 ]
	[[ $output = *10.138.36.20* ]]
	[ "$(leases l2)" = 10.138.36.20 ]
}

@test "a container in two networks has an interface of each" {
	network_conf other '{"plugin": {"mode": "l2", "ipam": {"routes": [], "ranges": [[{"subnet": "10.5.0.0/24"}]]}}}'
	podman run -d --name one --network l2,other busybox:1 sleep 1000
	# Podman attaches them in any order
	podman exec one ip -4 addr show >"$STUB_DIR/addresses"
	grep -q 'inet 10.138.36.2/23' "$STUB_DIR/addresses"
	grep -q 'inet 10.5.0.2/24' "$STUB_DIR/addresses"
	grep -q eth1 "$STUB_DIR/addresses"
	podman rm -ft 0 one
	nobody_left
}

@test "podman prints an error of the plugin" {
	network_conf l2 '{"plugin": {"master": "nope0"}}'
	run -127 podman run --rm --network l2 busybox:1 true
	echo "$output"
	[[ $output = *'failed to lookup master'*nope0*'Link not found'*'links in that namespace: '* ]]
	nobody_left
}
