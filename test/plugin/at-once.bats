#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # the library reads MODE and PLUGIN
# Calls of different pods at once, and calls that follow a killed one: neither fails without need, and each pod has what
# its configuration says.

load ../lib/modes

setup() {
	remove_network
	make_network
	MODE=l2
	ip netns add c
}

teardown() {
	[ -z "${GO:-}" ] || touch "$GO"
	ip netns del c 2>/dev/null || :
}

# slow_ipam POD: from now on this pod's IPAM plugin waits until the file $GO exists, in ADD and DEL.
slow_ipam() {
	GO=$BATS_TEST_TMPDIR/go
	mkdir -p "$BATS_TEST_TMPDIR/cni"
	cat >"$BATS_TEST_TMPDIR/cni/slow" <<-S
		#!/bin/sh
		[ \$CNI_CONTAINERID != $1 ] || { touch $BATS_TEST_TMPDIR/waits; until [ -e $GO ]; do sleep 0.02; done; }
		exec $GO_PLUGINS/static
	S
	chmod +x "$BATS_TEST_TMPDIR/cni/slow"
	CNI_PATH+=:$BATS_TEST_TMPDIR/cni
}

# waits_in_ipam: until that pod's call is there.
waits_in_ipam() {
	until [ -e "$BATS_TEST_TMPDIR/waits" ]; do sleep 0.02; done
}

LIMITED='{ "bandwidth": { "egressRate": 80000000 } }'
WEB='{ "deny": { "egress": [ { "protocols": [ "tcp" ], "ports": [ 80 ] } ] } }'

@test "ADD with antiSpoof succeeds while a pod of another network whose addresses will be known is in its IPAM plugin" {
	local first more
	slow_ipam a
	for more in "$LIMITED" "$WEB" '{ "counters": true }'; do
		rm -f "$GO" "$BATS_TEST_TMPDIR/waits"
		add "$(conf "$(pod 2)" "$more" '{ "ipam": { "type": "slow" } }')" a 3>&- &
		first=$!
		waits_in_ipam
		add "$(conf "$(pod 3)" '{ "name": "other", "antiSpoof": true }')" b
		touch "$GO"
		wait $first
		pings a 10.138.36.66
		pings b 10.138.36.66
		cni DEL "$(conf "$(pod 2)" "$more")" a
		succeeds
		cni DEL "$(conf "$(pod 3)" '{ "name": "other", "antiSpoof": true }')" b
		succeeds
		[ -z "$(nft list ruleset)" ]
	done
}

@test "a pod that assigns its own addresses on a guarded master is a stranger to the next antiSpoof" {
	add "$(conf "$(pod 2)" '{ "antiSpoof": true }')" a
	add "$(conf '{ "ipam": null, "name": "own" }')" b
	cni DEL "$(conf "$(pod 2)" '{ "antiSpoof": true }')" a
	succeeds
	cni ADD "$(conf "$(pod 4)" '{ "antiSpoof": true }')" c
	fails 7 'antiSpoof: the master has pods already whose addresses are not known: container b'
}

@test "ADD waits for the DEL of a pod that had the same address with another rate" {
	local other='{ "bandwidth": { "egressRate": 8000000 } }'
	slow_ipam a
	touch "$GO"
	add "$(conf "$(pod 2)" "$LIMITED" '{ "ipam": { "type": "slow" } }')" a
	rm -f "$GO" "$BATS_TEST_TMPDIR/waits"
	(cni DEL "$(conf "$(pod 2)" "$LIMITED" '{ "ipam": { "type": "slow" } }')" a; succeeds) 3>&- &
	waits_in_ipam
	(sleep 0.5; touch "$GO") 3>&- &
	add "$(conf "$(pod 2)" "$other")" b
	wait
	nft list ruleset | grep -A2 'limit out_' | grep -q '1000000 bytes/second\|1 mbytes/second\|976 kbytes/second'
	cni CHECK "$(with_result "$(conf "$(pod 2)" "$other")" b)" b
	succeeds
}

# looks_at POD: another call locks the pod's page for a moment, to see whether the pod lives.
looks_at() {
	flock "$(echo /run/cni/ipvlan/*/pages/"$1":eth0)" sleep 0.5 3>&- &
	until ! flock -n "$(echo /run/cni/ipvlan/*/pages/"$1":eth0)" true; do sleep 0.01; done
}

@test "ADD of a living pod succeeds while another call looks whether the pod lives" {
	local more first
	slow_ipam a
	for more in '{ "hostAccess": true }' "$LIMITED"; do
		rm -f "$GO" "$BATS_TEST_TMPDIR/waits"
		add "$(conf "$(pod 2)" "$more" '{ "ipam": { "type": "slow" } }')" a 3>&- &
		first=$!
		waits_in_ipam
		looks_at a
		touch "$GO"
		wait $first
		cni DEL "$(conf "$(pod 2)" "$more")" a
		succeeds
	done
}

@test "ADD fails if a DEL of its pod runs meanwhile, after that DEL" {
	local first second
	slow_ipam a
	(cni ADD "$(conf "$(pod 3)" '{ "hostAccess": true, "ipam": { "type": "slow" } }')" a
		fails 11 'container a was deleted while its interface "eth0" was added') 3>&- &
	first=$!
	waits_in_ipam
	(cni DEL "$(conf "$(pod 3)" '{ "hostAccess": true, "ipam": { "type": "slow" } }')" a; succeeds) 3>&- &
	second=$!
	until ! flock -n "$(echo /run/cni/ipvlan/*/pages/a:eth0)" true; do sleep 0.01; done
	touch "$GO"
	wait $first
	wait $second
	[ -z "$(ip route show 10.138.36.3)" ]
	no_link a
}

# killed VERB CALL N CONF POD: killed at the Nth such system call; false: there is none.
killed() {
	run_by strace -f -qq -o /dev/null -e "inject=$2:signal=KILL:when=$3"
	cni "$1" "$4" "$5"
	PLUGIN=''
	[ "$status" != 0 ]
}

# after_kill CONF: a's DEL was killed. The next pod b, which has a's address if that is free, has what its configuration
# says. Before it c ends, if that exists.
after_kill() {
	local n=2 conf other='{}'
	[[ $1 != *deny* ]] || other='{ "deny": { "egress": [ { "protocols": [ "tcp" ], "ports": [ 81 ] } ] } }'
	! ip -n a link show eth0 >/dev/null 2>&1 || n=5
	conf=$(conf "$(pod $n)" "$1" "$other" '{ "bandwidth": { "egressRate": 8000000 } }')
	if [ -e /run/netns/c ]; then
		cni DEL "$(conf "$(pod 3)" "$1")" c
		succeeds || return
		ip netns del c
	fi
	add "$conf" b || return
	cni CHECK "$(with_result "$conf" b)" b
	succeeds || return
	cni DEL "$(conf "$(pod 2)" "$1")" a
	succeeds || return
	cni CHECK "$(with_result "$conf" b)" b
	succeeds || return
	nft list ruleset | grep -A2 'limit out_' | grep -q '1000000 bytes/second\|1 mbytes/second\|976 kbytes/second' || return
	[[ $1 != *proxyArp* ]] || [ "$(cat /proc/sys/net/ipv4/conf/eth0/proxy_arp)" = 1 ] || return
	cni DEL "$conf" b
	succeeds && [ -z "$(nft list ruleset)" ]
}

# A sample, STEP=1 for all.
@test "a DEL that was killed anywhere leaves no rule, rate or setting to the next pods" {
	local call n more with cases=0
	for more in '{ "mode": "l3s", "proxyArp": true }' "$LIMITED" "$WEB"; do
		for call in unlinkat sendto write; do
			for with in '' c; do
				for ((n = 1 + cases % 4; ; n += ${STEP:-4})); do
					ip netns del c 2>/dev/null || :
					[ -z "$with" ] || { ip netns add c && add "$(conf "$(pod 3)" "$more")" c; }
					add "$(conf "$(pod 2)" "$more")" a
					if ! killed DEL $call $n "$(conf "$(pod 2)" "$more")" a; then
						[ -z "$with" ] || cni DEL "$(conf "$(pod 3)" "$more")" c
						break
					fi
					after_kill "$more" || { echo "$more $call $n $with: $output"; return 1; }
					cases=$((cases + 1))
				done
			done
		done
	done
	echo "# $cases cases" >&3
	[ "$cases" -gt 20 ]
}

@test "the last antiSpoof pod ends while nft is not installed: the next pod is not cut off" {
	local nft
	nft=$(readlink -f "$(command -v nft)")
	add "$(conf "$(pod 2)" '{ "antiSpoof": true }')" a
	mv "$nft" "$nft.away"
	cni DEL "$(conf "$(pod 2)" '{ "antiSpoof": true }')" a
	add "$(conf "$(pod 3)")" b || { mv "$nft.away" "$nft"; return 1; }
	pings b 10.138.36.66 || { mv "$nft.away" "$nft"; return 1; }
	mv "$nft.away" "$nft"
	cni DEL "$(conf "$(pod 3)")" b
	succeeds
	cni GC "$(conf '{ "cni.dev/valid-attachments": [] }')"
	succeeds
	[ -z "$(nft list ruleset)" ]
}

@test "a container whose DEL ran without nft starts again once nft is installed; before, ADD names nft" {
	local nft more
	nft=$(readlink -f "$(command -v nft)")
	for more in '{ "antiSpoof": true }' "$LIMITED" "$WEB" '{ "counters": true }' '{ "mode": "l3s", "ipMasq": true }'; do
		echo "-- $more"
		add "$(conf "$(pod 2)" "$more")" a
		mv "$nft" "$nft.away"
		cni DEL "$(conf "$(pod 2)" "$more")" a
		cni ADD "$(conf "$(pod 2)")" a
		mv "$nft.away" "$nft"
		fails 7 'releasing the earlier attachment of container a requires nft, which is not installed'
		explains 'install nftables'
		add "$(conf "$(pod 2)")" a
		pings a 10.138.36.66
		[ -z "$(nft list ruleset)" ]
		cni DEL "$(conf "$(pod 2)")" a
		succeeds
	done
}

# status_and_add CODE CONF POD: STATUS and ADD agree: 0, or the code of ADD's error
status_and_add() {
	cni STATUS "$(jq -c '.cniVersion = "1.1.0"' <<<"$2")" "$3"
	[ "$status" = $(($1 > 0)) ]
	[ "$1" = 0 ] || [ "$(jq .code <<<"$output")" = 50 ]
	cni ADD "$2" "$3"
	[ "$status" = $(($1 > 0)) ]
	[ "$1" = 0 ] || [ "$(jq .code <<<"$output")" = "$1" ]
}

@test "STATUS and ADD refuse another gateway of a pod's route until the pod has lost its interface" {
	local by='{ "mode": "l3", "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }' other
	other=${by/36.66/36.67}
	add "$(conf "$(pod 2)" "$by")" a
	status_and_add 7 "$(conf "$(pod 3)" "$other")" b
	ip -n a link del eth0 # a DEL was killed
	status_and_add 0 "$(conf "$(pod 3)" "$other")" b
	[[ $(ip route show 192.168.7.0/24) = *'via 10.138.36.67 dev eth0'* ]]
}

@test "a page that an administrator has removed keeps nothing on the host, and refuses no ADD" {
	local before routes='{ "mode": "l3", "hostAccess": true, "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }'
	before=$(inventory)
	add "$(conf "$(pod 2)" "$routes")" a
	ip -n a link del eth0
	rm /run/cni/ipvlan/*/pages/a:eth0
	ip route del 192.168.7.0/24
	status_and_add 0 "$(conf "$(pod 2)" "${routes/36.66/36.67}")" b
	cni DEL "$(conf "$(pod 2)" "${routes/36.66/36.67}")" b
	succeeds
	rm -r /run/cni/ipvlan
	leaves_nothing "$before"
}

@test "a page of an antiSpoof pod that an administrator has removed: the next pod is not cut off" {
	add "$(conf "$(pod 2)" '{ "antiSpoof": true }')" a
	rm /run/cni/ipvlan/*/pages/a:eth0
	add "$(conf "$(pod 3)")" b
	pings b 10.138.36.66
}

@test "the master was deleted and made again: a new pod starts although an old one's route led through it" {
	local routes='{ "mode": "l3", "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }'
	add "$(conf "$(pod 2)" "$routes")" a
	ip link del eth0
	ip link add eth0 mtu 1500 type veth peer name eth0 netns lan
	ip addr add 10.138.36.58/23 dev eth0
	ip link set eth0 up
	ip -n lan link set eth0 up
	ip -n lan addr add 10.138.36.66/23 dev eth0
	status_and_add 0 "$(conf "$(pod 3)" "$routes")" b
	[[ $(ip route show 192.168.7.0/24) = *'via 10.138.36.66 dev eth0'* ]]
	cni DEL "$(conf "$(pod 2)" "$routes")" a
	succeeds
	[[ $(ip route show 192.168.7.0/24) = *'via 10.138.36.66 dev eth0'* ]]
	cni DEL "$(conf "$(pod 3)" "$routes")" b
	succeeds
	[ -z "$(ip route show 192.168.7.0/24)" ]
}

@test "repair beside ADDs and DELs mends nothing that is not missing, and succeeds" {
	local i
	export NETCONFPATH=$BATS_TEST_TMPDIR/net.d
	mkdir "$NETCONFPATH"
	add "$(conf "$(pod 2)" "$WEB" '{ "counters": true }')" a
	for ((i = 0; i < 6; i++)); do
		add "$(conf "$(pod 3)" "$WEB" '{ "counters": true }')" b
		cni DEL "$(conf "$(pod 3)" "$WEB" '{ "counters": true }')" b
	done 3>&- &
	while kill -0 $! 2>/dev/null; do
		run --separate-stderr "$BUILD/ipvlanctl" repair
		[ "$status" = 0 ] || { echo "$output $stderr"; return 1; }
		[[ $output != *mended* ]] || { echo "$output"; return 1; }
	done
	wait
}

# repairs WHILE: repair finds nothing, again and again, until this process has ended.
repairs_while() {
	local rounds=0
	export NETCONFPATH=$BATS_TEST_TMPDIR/net.d
	mkdir -p "$NETCONFPATH"
	while kill -0 "$1" 2>/dev/null && [ "$rounds" -lt "${2:-1000}" ]; do
		run --separate-stderr "$BUILD/ipvlanctl" repair
		[ "$status" = 0 ] && [ "$output" = 'Nothing is missing.' ] || { echo "$output $stderr"; return 1; }
		rounds=$((rounds + 1))
	done
	[ "$rounds" -gt 1 ]
}

@test "repair reports nothing of a pod whose DEL has deleted the interface and is in its IPAM plugin" {
	local mode conf
	slow_ipam a
	for mode in l2 l3; do
		touch "$GO"
		conf=$(conf "$(pod 2)" "{ \"mode\": \"$mode\", \"hostAccess\": true, \"ipam\": { \"type\": \"slow\" } }")
		add "$conf" a
		rm -f "$GO" "$BATS_TEST_TMPDIR/waits"
		(cni DEL "$conf" a; succeeds) 3>&- &
		waits_in_ipam
		repairs_while $! 3
		ip link del "ipva$(</sys/class/net/eth0/ifindex)"
		repairs_while $! 3
		touch "$GO"
		wait $!
	done
}

@test "repair reports nothing of a pod whose DEL has removed its nft objects, and not yet its page" {
	local more
	for more in '{ "counters": true }' "$LIMITED" "$WEB" '{ "mode": "l3s", "ipMasq": true }'; do
		echo "-- $more"
		add "$(conf "$(pod 2)" "$more")" a
		run_by strace -f -qq -o /dev/null -e inject=unlinkat:delay_enter=400000
		(cni DEL "$(conf "$(pod 2)" "$more")" a; succeeds) 3>&- &
		PLUGIN=''
		repairs_while $!
		wait $!
	done
}
