#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Tests that wait for minutes. A kernel that can skip idle time does so.

load ../lib/cni
load ../lib/dhcp

@test "ipvlan kills an IPAM plugin that hangs with all its children, and calls its DEL" {
	local before
	before=$(inventory)
	cni ADD "$(conf '{"ipam":{"type":"stub-hangs"}}')"
	fails 11 'did not finish in 215 s and was killed'
	leaves_nothing "$before"
	[ "$(awk '{ print $1 }' $STUB_DIR/calls | paste -sd' ')" = 'ADD DEL' ]
	run pgrep -f 'stub-hangs|sleep 100000'
	[ "$status" = 1 ]
}

@test "missing input is an error after a while, not a hang" {
	mkfifo $STUB_DIR/silence
	exec 7<>$STUB_DIR/silence
	run --separate-stderr env CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_IFNAME=eth0 "$BUILD/ipvlan" <&7
	exec 7>&-
	fails 5 'error reading from stdin: nothing came for 30 s'
}

@test "dhcp and a server that answers only one address: ADD fails after minutes, and names the server's setting" {
	local before
	dhcp_start
	before=$(inventory)
	cni ADD "$(conf '{ "ipam": { "type": "dhcp", "ranges": null, "routes": null } }')"
	dhcp_stop
	fails 999 'error calling DHCP.Allocate'
	[[ $output = *'one MAC address'*'answer by broadcast'* ]]
	leaves_nothing "$before"
}

@test "another process holds the ledger's lock: ADD fails after a minute, with any signal settings, and leaves nothing" {
	local before holder way
	add "$(conf)" b
	before=$(inventory)
	flock --no-fork /run/cni/ipvlan/ledger.lock sleep 1000 3>&- &
	holder=$!
	sleep 1
	for way in '' 'env --block-signal=ALRM' 'env --ignore-signal=ALRM'; do
		run_by "timeout -s KILL 100 $way"
		cni ADD "$(conf)"
		fails 11 '/run/cni/ipvlan/ledger.lock is held by another process for 60 s'
		explains 'fuser -v /run/cni/ipvlan/ledger.lock'
	done
	kill $holder
	leaves_nothing "$before"
}
