#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many nodes at once on one pool.

load ../lib/cluster

setup() {
	make_places
	start_engine
}

teardown() {
	stop_engine
}

# nodes N CLUSTER IPAM: configurations and machines for pool-load, node-0 to node-(N-1).
nodes() {
	local n dir
	for ((n = 0; n < $1; n++)); do
		dir=$BATS_TEST_TMPDIR/node-$n
		mkdir "$dir"
		DATA=$dir/data conf "\"cluster\": {$ENGINE, \"node\": \"node-$n\", $2}, $3" >"$dir/conf"
		printf '%08x-0000-4000-8000-000000000000\n' $((n + 1)) >"$dir/boot"
		cat >"$dir/addrpool" <<-WRAP
			#!/bin/sh
			exec unshare -m sh -c 'mount --bind $dir/boot /proc/sys/kernel/random/boot_id && exec $BUILD/addrpool'
		WRAP
		chmod +x "$dir/addrpool"
	done
	NODES=$1
	CONF=$(cat "$BATS_TEST_TMPDIR/node-0/conf")
}

load_nodes() {
	"$BUILD/tools/pool-load" -b "$BATS_TEST_TMPDIR/node-%/boot" "$@" "$BATS_TEST_TMPDIR/node-%/addrpool" \
		"$BATS_TEST_TMPDIR/node-%/conf" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" ||
		{ head -n 20 "$BATS_TEST_TMPDIR/err" "$BATS_TEST_TMPDIR/out"; return 1; }
	grep -v ^held "$BATS_TEST_TMPDIR/out" | sed 's/^/# /' >&3
}

# The attachments with an address according to the results are those in their node's store, in a block of the node.
held_as_leased() {
	local container address node blocks
	while read -r _ container address; do
		node=${container#w}
		node=node-${node%%-*}
		[ "$(sed -n '1s/\r$//p' "$BATS_TEST_TMPDIR/$node/data/net/$address")" = "$container" ] ||
			{ echo "$container has $address, but not in the store of $node"; return 1; }
	done < <(grep ^held "$BATS_TEST_TMPDIR/out")
	blocks=$(claims | cut -d' ' -f1)
	[ -z "$(sort <<<"$blocks" | uniq -d)" ]
}

# After GC on each node nothing is left there, and after release-node no block is left in the engine.
nothing_lost() {
	local n
	CONF=$(DATA=$BATS_TEST_TMPDIR/janitor node janitor)
	for ((n = 0; n < NODES; n++)); do
		"$BUILD/addrpool" release-node --yes node-$n <(echo "$CONF") >/dev/null
		CNI_COMMAND=GC "$BATS_TEST_TMPDIR/node-$n/addrpool" \
			< <(jq '. + {"cni.dev/valid-attachments": []}' "$BATS_TEST_TMPDIR/node-$n/conf") 2>/dev/null
		[ -z "$(find "$BATS_TEST_TMPDIR/node-$n/data/net" -name '10.*')" ]
	done
	[ -z "$(claims)" ]
}

@test "64 nodes with 100 addresses each, calls killed and machines restarted at random: no address twice, none lost" {
	nodes 64 '"timeout": 60' '"subnet": "10.9.0.0/17"'
	load_nodes -n 100 -k 5 -r 2 64 11520 1
	held_as_leased
	nothing_lost
}

@test "16 nodes that require more addresses than the pool has: no address twice, none lost" {
	nodes 16 '"blockSize": 1, "timeout": 60' '"subnet": "10.9.0.0/26"'
	"$BUILD/tools/pool-load" -n 10 16 640 2 "$BUILD/addrpool" "$BATS_TEST_TMPDIR/node-%/conf" \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || :
	run ! grep 'was given to' "$BATS_TEST_TMPDIR/err"
	run ! grep -A2 '"code": \([^1]\|1[^1]\)' "$BATS_TEST_TMPDIR/err"
	grep -q 'no block of pool net is free' "$BATS_TEST_TMPDIR/err"
	held_as_leased
	nothing_lost
}
