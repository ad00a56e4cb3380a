#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Podman without CNI, with ipvlan-netavark as the driver of its networks. The end of this file's name is the Debian
# suite of Podman: trixie has 5.4 with netavark 1.14.

load ../lib/cni
load ../lib/podman

setup_file() {
	local suite
	suite=${BATS_TEST_FILENAME##*-}
	podman_of "${suite%.bats}"
}

teardown_file() {
	kill "$(cat /run/podman-pid)"
}

setup() {
	remove_network
	make_network
	BEFORE=$(inventory)
}

# Each test leaves nothing.
teardown() {
	podman rm -fat 0 >/dev/null
	podman network ls --noheading --filter driver=ipvlan-netavark --format '{{.Name}}' | while read -r name; do
		podman network rm -f "$name" >/dev/null
	done
	leaves_nothing "$BEFORE"
	remove_network
}

inside() {
	podman exec "$1" "${@:2}"
}

# reaches CONTAINER ADDRESS
reaches() {
	inside "$1" ping -c 1 -W 3 "$2"
}

@test "podman run: the LAN, the internet, another container, and with hostAccess the host" {
	network_create lan -o hostAccess=true
	run_in one lan
	run_in two lan
	[ "$(address_of one)" = 10.138.36.2 ]
	[ "$(address_of two)" = 10.138.36.3 ]
	reaches one 10.138.36.66
	reaches one 39.156.66.10
	reaches one 10.138.36.3
	reaches one 10.138.36.58
	ping -c 1 -W 3 10.138.36.2
}

@test "the commands of README.md and ipvlan-netavark(8) make a network and run a container" {
	local document
	for document in README.md man/ipvlan-netavark.8; do
		"$TOP/test/docs/commands" "$TOP/$document" | cut -f 3 | grep '^podman ' | sed 's/ IMAGE / busybox:1 /' >"$BATS_TEST_TMPDIR/commands"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/commands")" = 2 ]
		. "$BATS_TEST_TMPDIR/commands" >"$BATS_TEST_TMPDIR/shown"
		grep -E 'inet 10\.138\.37\.[0-9]+/23' "$BATS_TEST_TMPDIR/shown"
		podman network rm lan
	done
}

@test "ipvlanctl shows containers by their names" {
	network_create lan
	run_in web lan
	in_debian ipvlanctl show >"$BATS_TEST_TMPDIR/shown"
	grep -E 'web eth0 +lan +10\.138\.36\.2 .* ok' "$BATS_TEST_TMPDIR/shown"
}

# in_mode MODE: in a subnet to which the LAN has a route
in_mode() {
	podman network create -d ipvlan-netavark -o parent=eth0 -o mode="$1" --subnet 192.168.9.0/24 routed
	run_in one routed
	nsenter --net="/proc/$(podman inspect one | jq '.[0].State.Pid')/ns/net" ip -d link show eth0 | grep "mode $1"
	reaches one 39.156.66.10
}

@test "mode l3" { in_mode l3; }
@test "mode l3s" { in_mode l3s; }

@test "flag private: containers do not reach each other" {
	network_create lan -o flag=private
	run_in one lan
	run_in two lan
	reaches one 10.138.36.66
	run reaches one 10.138.36.3
	[ "$status" != 0 ]
}

@test "a VLAN of the master" {
	ip -n lan link add link eth0 name eth0.100 type vlan id 100
	ip -n lan addr add 10.100.0.66/24 dev eth0.100
	ip -n lan link set eth0.100 up
	podman network create -d ipvlan-netavark -o parent=eth0 -o vlan=100 --subnet 10.100.0.0/24 tagged
	run_in one tagged
	reaches one 10.100.0.66
}

@test "--internal: containers reach only each other" {
	podman network create -d ipvlan-netavark --internal --subnet 10.7.0.0/24 inner
	run_in one inner
	run_in two inner
	reaches one "$(address_of two)"
	run reaches one 10.138.36.66
	[ "$status" != 0 ]
}

@test "both families" {
	network_create lan --subnet fd00:36::/64
	run_in one lan
	reaches one 39.156.66.10
	reaches one fd00:36::66
	[ "$(podman inspect one | jq -r '.[0].NetworkSettings.Networks.lan.GlobalIPv6Address')" = fd00:36::2 ]
}

@test "--ip: the requested address, and an error if another container has it" {
	network_create lan
	run_in one lan --ip 10.138.36.20
	[ "$(address_of one)" = 10.138.36.20 ]
	run run_in two lan --ip 10.138.36.20
	[ "$status" != 0 ]
	[[ $output = *10.138.36.20* ]]
}

@test "two networks, connect and disconnect" {
	network_create lan
	podman network create -d ipvlan-netavark -o parent=eth0 --subnet 10.5.0.0/24 other
	run_in one lan,other
	inside one ip -4 addr | grep 'inet 10.5.0.2/24'
	reaches one 10.138.36.66
	podman network disconnect other one
	[ "$(inside one ip -4 addr | grep -c 'inet 10.5.0')" = 0 ]
	reaches one 10.138.36.66
	podman network connect --ip 10.5.0.9 other one
	inside one ip -4 addr | grep 'inet 10.5.0.9/24'
}

@test "restart: the container has its network again" {
	network_create lan -o hostAccess=true
	run_in one lan
	podman restart -t 0 one
	reaches one 10.138.36.66
	reaches one 10.138.36.58
	podman stop -t 0 one
	leaves_nothing "$BEFORE"
	podman start one
	reaches one 10.138.36.66
}

@test "a pod of Podman shares one interface" {
	network_create lan
	podman network create -d ipvlan-netavark -o parent=eth0 --subnet 10.5.0.0/24 other
	podman pod create --name pod --network lan --infra-command '/bin/sleep 1000' --infra-image busybox:1
	podman run -d --cap-add NET_RAW --name one --pod pod busybox:1 sleep 1000
	podman run -d --name two --pod pod busybox:1 sleep 1000
	reaches one 10.138.36.66
	[ "$(inside one ip -4 addr show eth0 | grep inet)" = "$(inside two ip -4 addr show eth0 | grep inet)" ]
	podman pod rm -ft 0 pod
}

@test "podman run --rm leaves nothing, also if the command does not exist" {
	network_create lan -o hostAccess=true
	podman run --rm --cap-add NET_RAW --network lan busybox:1 ping -c 1 -W 3 10.138.36.66
	leaves_nothing "$BEFORE"
	run -127 podman run --rm --network lan busybox:1 no-such-command
	leaves_nothing "$BEFORE"
}

@test "the container process is killed: nothing is left when it is removed" {
	network_create lan -o hostAccess=true
	run_in one lan
	kill -9 "$(podman inspect one | jq '.[0].State.Pid')"
	podman rm -ft 0 one
	leaves_nothing "$BEFORE"
}

@test "a network of CNI with another mode on the master fails, and the reverse" {
	network_create lan
	run_in one lan
	cni ADD "$(conf '{"mode": "l3"}')" a
	fails 7 mode
	podman rm -ft 0 one
	add "$(conf '{"mode": "l3"}')" a
	run run_in one lan
	[ "$status" != 0 ]
	[[ $output = *mode*l3* ]]
	cni DEL "$(conf '{"mode": "l3"}')" a
}

@test "podman network create fails for an option without effect" {
	run network_create lan -o hostAcess=true
	[ "$status" != 0 ]
	[[ $output = *'unknown key "hostAcess"'*'"hostAccess"'* ]]
	run podman network create -d ipvlan-netavark -o parent=eth7 --subnet 10.5.0.0/24 lan
	[ "$status" != 0 ]
	[[ $output = *'failed to lookup master "eth7"'* ]]
}

@test "--dns of the network is the container's name server; --route is its route" {
	network_create lan --dns 10.138.36.66 --route 10.9.0.0/16,10.138.36.66,7
	run_in one lan
	inside one cat /etc/resolv.conf | grep 'nameserver 10.138.36.66'
	inside one ip route show 10.9.0.0/16 | grep 'via 10.138.36.66 .*metric 7'
}

@test "podman prints warnings for published ports and aliases" {
	network_create lan
	run podman run --rm --network lan -p 8080:80 --network-alias www busybox:1 true
	[ "$status" = 0 ]
	[[ $output = *'network lan publishes no ports'* ]]
	[[ $output = *'the alias www has no effect'* ]]
	run podman run --rm --network lan busybox:1 true
	[ -z "$output" ]
}

@test "podman network reload: the addresses stay" {
	network_create lan -o hostAccess=true
	run_in one lan
	podman network reload one
	[ "$(address_of one)" = 10.138.36.2 ]
	reaches one 10.138.36.58
}

@test "podman info lists the driver" {
	podman info -f json | jq -e '.plugins.network | index("ipvlan-netavark")'
}

# killed_in_setup before|after: the next podman that sets a container up dies before the driver's work, or after it.
killed_in_setup() {
	local driver=$PODMAN_ROOT/usr/local/libexec/netavark/ipvlan-netavark
	cat >"$driver" <<-SCRIPT
		#!/bin/sh
		[ $1 = before ] || /opt/ipvlan-netavark "\$@" >/dev/null
		cp /opt/ipvlan-netavark /usr/local/libexec/netavark/driver
		mv /usr/local/libexec/netavark/driver /usr/local/libexec/netavark/ipvlan-netavark
		kill -9 \$(awk '/^PPid/ { print \$2 }' /proc/\$PPID/status) \$PPID
	SCRIPT
}

@test "podman is killed while it sets a container up: the next podman start works, and nothing is left" {
	local when name
	cp "$BUILD/ipvlan-netavark" "$PODMAN_ROOT/opt"
	network_create lan -o hostAccess=true
	for when in before after; do
		killed_in_setup $when
		run -137 run_in $when lan
		podman start $when
		reaches $when 10.138.36.66
		reaches $when 10.138.36.58
	done
	# Podman itself has forgotten the earlier namespaces
	podman rm -fat 0
	for name in /run/netns/netns-*; do
		in_debian umount "$name" && rm "$name"
	done
}

@test "addrpool assigns the addresses, one pool for Podman and CNI" {
	network_create lan -o ipam=addrpool
	[ "$(podman network inspect lan | jq -r '.[0].ipam_options.driver')" = none ]
	run_in one lan
	run_in two lan --ip 10.138.36.20
	[ "$(address_of one)" = 10.138.36.2 ]
	[ "$(address_of two)" = 10.138.36.20 ]
	cni ADD "$(conf '{"name": "lan", "ipam": {"type": "addrpool"}}')" a
	succeeds
	[ "$(result '.ips[0].address')" = 10.138.36.21/23 ]
	reaches one 10.138.36.21
	reaches two 39.156.66.10
	run run_in three lan --ip 10.138.36.21
	[ "$status" != 0 ]
	[[ $output = *10.138.36.21* ]]
	cni DEL "$(conf '{"name": "lan", "ipam": {"type": "addrpool"}}')" a
}

# Removes files in memory and processes, as a reboot does.
reboot() {
	local name
	podman ps -q | while read -r name; do
		kill -9 "$(podman inspect "$name" | jq .[0].State.ConmonPid)" "$(podman inspect "$name" | jq .[0].State.Pid)"
	done
	for name in /run/netns/netns-*; do
		in_debian umount "$name" && rm "$name"
	done
	rm -rf /run/cni /run/libpod /run/containers /run/crun
	remove_network
	make_network
}

@test "after a reboot podman starts the container with its network" {
	network_create lan -o hostAccess=true
	run_in one lan
	reboot
	podman start one
	reaches one 10.138.36.66
	reaches one 10.138.36.58
}

@test "the example of a Quadlet makes a network" {
	mkdir -p "$PODMAN_ROOT/etc/containers/systemd"
	cp "$TOP/conf-examples/podman/lan.network" "$PODMAN_ROOT/etc/containers/systemd"
	in_debian /usr/libexec/podman/quadlet -dryrun >"$BATS_TEST_TMPDIR/units"
	# as systemd runs it
	in_debian sh -c "$(sed -n 's/^ExecStart=//p' "$BATS_TEST_TMPDIR/units")"
	run_in one lan
	[ "$(address_of one)" = 10.138.36.2 ]
	reaches one 10.138.36.58
}

@test "ipvlanctl doctor finds Podman's driver" {
	mkdir -p "$PODMAN_ROOT/etc/cni/net.d"
	run in_debian ipvlanctl doctor
	[[ $output = *'uses netavark and finds the driver ipvlan-netavark'* ]]
}
