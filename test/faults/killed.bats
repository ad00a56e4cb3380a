#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# If calls are killed at any moment, ipvlan still finds all of its objects on the host.

load ../lib/cni

keys=(
	'{}'
	'{ "mode": "l3" }'
	'{ "hostAccess": true }'
	'{ "mode": "l3", "hostAccess": true, "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }'
	'{ "mode": "l3s", "ipMasq": true }'
	'{ "antiSpoof": true, "bandwidth": { "egressRate": 8000000 }, "allow": { "egress": [ {} ] } }'
	'{ "mode": "l3s", "proxyArp": true }'
	'{ "mode": "l3", "flag": "vepa", "reflector": [ "10.138.36.66", "fd00:36::66" ] }'
	'{ "vlan": 100, "hostAccess": true }'
	'{ "internal": true, "master": null }'
	'{ "resolvConf": true, "dns": { "nameservers": [ "10.138.36.66" ] } }'
)

# killed VERB CONF POD: the call, killed at a random time within its usual duration.
killed() {
	CNI_COMMAND=$1 CNI_CONTAINERID=$3 CNI_NETNS=/run/netns/$3 CNI_IFNAME=eth0 "$BUILD/ipvlan" \
		<<<"$2" >/dev/null 2>&1 3>&- &
	sleep "0.0$(printf %02d $((RANDOM % 30)))"
	kill -KILL $! 2>/dev/null || :
	wait $! 2>/dev/null || :
}

# sequence CONF: ADD and DEL of two pods in some order, some of them killed.
sequence() {
	local pod
	for _ in {1..5}; do
		pod=$([ $((RANDOM % 2)) = 0 ] && echo a || echo b)
		case $((RANDOM % 4)) in
		0) cni ADD "$(at "$1" "$pod")" "$pod" ;;
		1) cni DEL "$(at "$1" "$pod")" "$pod" ;;
		2) killed ADD "$(at "$1" "$pod")" "$pod" ;;
		3) killed DEL "$(at "$1" "$pod")" "$pod" ;;
		esac
	done
	for pod in a b; do
		cni DEL "$(conf)" "$pod"
		succeeds
		cni DEL "$(conf)" "$pod"
		succeeds
	done
}

# An address for each pod.
at() {
	local n
	n=$([ "$2" = a ] && echo 2 || echo 3)
	conf "$(static "192.168.9.$n/24 fd00:9::$n/64" '[ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ]')" "$1"
}

@test "after twenty random sequences of ADD, DEL and kill of each kind of object, the host is as it was" {
	local i before seed=${SEED:-$RANDOM}
	echo "SEED=$seed"
	RANDOM=$seed
	before=$(inventory)
	for i in {0..19}; do
		sequence "${keys[i % ${#keys[@]}]}"
		leaves_nothing "$before" || { echo "in sequence $i, ${keys[i % ${#keys[@]}]}"; return 1; }
	done
	[ -z "$(find /run/cni/ipvlan -mindepth 2 ! -name pages ! -name objects ! -name claims)" ]
}

@test "without a DEL, GC completes calls that were killed" {
	local i before seed=${SEED:-$RANDOM}
	echo "SEED=$seed"
	RANDOM=$seed
	before=$(inventory)
	for i in {0..9}; do
		killed ADD "$(at "${keys[i % ${#keys[@]}]}" a)" a
		ip netns del a
		cni GC "$(conf '{ "cni.dev/valid-attachments": [], "ipam": null }')"
		succeeds
		ip netns add a
		leaves_nothing "$before" || { echo "in round $i, ${keys[i % ${#keys[@]}]}"; return 1; }
	done
}
