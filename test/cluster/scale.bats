#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The cost of a claim in calls and bytes, with any number of taken blocks. No times, since they depend on the machine.

load ../lib/cluster

setup() {
	make_places
	start_engine
	# the bytes that addrpool-claim sends and receives
	BIN=$BATS_TEST_TMPDIR/bin
	mkdir "$BIN"
	cp "$BUILD/addrpool" "$BIN"
	cat >"$BIN/addrpool-claim" <<-WRAP
		#!/bin/sh
		exec strace -f -qq -s 16 -e trace=sendto,recvfrom,read,write -o "$BIN/trace.\$\$" $BUILD/addrpool-claim "\$@"
	WRAP
	chmod +x "$BIN/addrpool-claim"
	export PLUGIN=$BIN/addrpool
}

teardown() {
	stop_engine
}

# costs CALLS BYTES: the last call asked the engine, and sent and received at most these.
costs() {
	local calls bytes
	calls=$(cat "$BIN"/trace.* | grep -c 'sendto([0-9]*, "\(GET\|POST\|PUT\|DELETE\) ')
	bytes=$(cat "$BIN"/trace.* | sed -n 's/.*\(sendto\|recvfrom\)(.* = \([0-9]*\)$/\2/p' | awk '{ n += $1 } END { print n + 0 }')
	rm "$BIN"/trace.*
	echo "# $1: $calls calls, $bytes bytes" >&3
	[ "$calls" -gt 0 ] && [ "$calls" -le "$2" ] && [ "$bytes" -le "$3" ]
}

# taken N: other nodes have N of the 65536 blocks of 10.0.0.0/12, in places without order.
taken() {
	awk 'BEGIN { srand(1); for (i = 0; i < 65536; i++) print rand(), i }' | sort | sed "s/.* //;$1q" | jq -nrc '
		def key($i): "/ipvlan-cni/net/10.\($i / 4096 | floor).\($i / 16 % 256 | floor).\($i % 16 * 16)/28";
		{ node: "other", network: "net", machine: "m", boot: "b", incarnation: "i", since: "2026-01-01T00:00:00Z" } | tojson | @base64 as $value |
		[ inputs ] | _nwise(100) |
		{ success: map({ request_put: { key: (key(.) | @base64), value: $value } }) }' |
		while read -r txn; do
			curl -sf "$ETCD_URL/v3/kv/txn" -d @- <<<"$txn" >/dev/null
		done
}

POOL='"subnet": "10.0.0.0/12"'

@test "etcd: a claim takes two calls and six KiB, with none and with 10000 of 65536 blocks taken" {
	local n i
	on first '' "$POOL"
	add c1
	costs "a pool that is begun" 3 6000
	for n in 0 10000; do
		[ $n = 0 ] || taken $n
		for i in {1..4}; do
			on "node-$n-$i" '' "$POOL"
			add c1
			costs "$n taken, the first claim of node $i" 2 5632
		done
		on "node-$n-1" '"blockSize": 16' "$POOL"
		for i in {2..17}; do
			add "c$i"
		done
		[ "$(own | wc -w)" = 2 ]
		costs "$n taken, the second claim of a node" 2 6144
	done
}

@test "etcd: in a full pool of 65536 blocks an ADD lists all at most once a minute, until it gets a block" {
	taken 65536
	on a '' "$POOL"
	refused() {
		pool ADD "$CONF" c1
		fails 11 'no block of pool net is free'
		rm "$OWN/blocks/exhausted.0" # five seconds pass
	}
	refused
	run costs "the first ADD lists all" 25 1000000
	[ "$status" = 1 ]
	refused
	costs "the second ADD" 3 20000
	a_list_ago() {
		local note
		note=$(readlink "$OWN/blocks/listed.0")
		ln -sfn "$(awk -v ms="$1" '{ $2 -= ms; print }' <<<"$note")" "$OWN/blocks/listed.0"
	}
	a_list_ago 60000
	refused
	run costs "an ADD after a minute lists all" 25 1000000
	[ "$status" = 1 ]
	a_list_ago 100000
	refused
	costs "an ADD within the next two minutes" 3 20000
	curl -sf "$ETCD_URL/v3/kv/deleterange" -d "$(jq -nc '{ key: ("/ipvlan-cni/net/10.7.7.16/28" | @base64) }')" >/dev/null
	a_list_ago 120000
	add c1
	[ "$(own)" = 10.7.7.16/28 ]
	[ ! -h "$OWN/blocks/listed.0" ]
}

# claims_of OPTION... NODES: writes the costs of claims of new nodes to COSTS.
claims_of() {
	COSTS=$BATS_TEST_TMPDIR/costs
	node any '' "$POOL" >"$BATS_TEST_TMPDIR/conf"
	"$BUILD/tools/claims" "$@" "$BATS_TEST_TMPDIR/nodes" new "$BATS_TEST_TMPDIR/conf" >"$COSTS"
}

@test "etcd: 90 % full, no claim takes more than three calls and eight KiB" {
	taken 58982
	claims_of -p 1 200
	jq -es 'length == 200 and all(.code == 0 and .calls <= 3 and .bytes <= 8192)' "$COSTS"
	jq -es 'map(.bytes) | add / length | . <= 7168' "$COSTS"
}

@test "etcd: 98 % full, a claim takes five calls and 18 KiB at most" {
	taken 64226
	claims_of -p 1 100
	jq -es 'length == 100 and all(.code == 0 and .calls <= 5 and .bytes <= 18432)' "$COSTS"
}

@test "etcd: 98 % full, 100 nodes that claim at once get a block each, and seldom list all" {
	taken 64226
	claims_of 100
	jq -es 'length == 100 and all(.code == 0)' "$COSTS"
	jq -es 'map(select(.listed > 0)) | length | . <= 2' "$COSTS"
	[ "$(jq -nc '{ key: ("/ipvlan-cni/net/~node/new-" | @base64), range_end: ("/ipvlan-cni/net/~node/new." | @base64), count_only: true }' |
		curl -sf "$ETCD_URL/v3/kv/range" -d @- | jq -r .count)" = 100 ]
}

@test "etcd: counting a node's blocks takes one call and a KiB, for any number of blocks" {
	local i
	on a '"blockSize": 1'
	for i in {1..20}; do
		add "c$i"
	done
	rm -f "$BIN"/trace.* "$OWN/blocks/counted"
	drops "$CONF" c20
	rm -f "$BIN"/trace.*
	add c21
	costs "a node with 20 blocks" 1 1500
}

# held N: the engine has N identities in 10.8.0.0/16, with the lock of each.
held() {
	jq -nrc --argjson n "$1" '
		def put($key; $value): { request_put: { key: ("/ipvlan-cni/net/" + $key | @base64), value: ($value | tojson | @base64) } };
		[ range($n) | { name: "net db/\(.)", id: "\(.)", address: "10.8.\(. / 250 | floor).\(. % 250 + 1)" } ] | _nwise(50) |
		{ success: map(put("~identity/" + .name; { identity: .name, id, locked: true, addresses: [.address], since: "2026-01-01T00:00:00Z",
			holder: { node: "other", machine: "m", boot: "b", incarnation: "i", container: "c", interface: "eth0" } }),
			put("~address/" + .address; { identity: .name, id })) }' |
		while read -r txn; do
			curl -sf "$ETCD_URL/v3/kv/txn" -d @- <<<"$txn" >/dev/null
		done
}

@test "etcd: with 3000 identities in the pool an ADD of a known one takes two calls; all are listed, and a person releases one by two" {
	local i
	held 3000
	on a '' '"sticky": "POD", "ranges": [[{"subnet": "10.8.0.0/16", "identities": true}]]'
	for i in a b; do
		on $i '' '"sticky": "POD", "ranges": [[{"subnet": "10.8.0.0/16", "identities": true}]]'
		CNI_ARGS="IgnoreUnknown=1;POD=new" add c1
		[ $i = b ] || costs "a new identity" 20 20000
		[ $i = a ] || costs "the identity on another node" 2 5120
		drops "$CONF" c1
		costs "its DEL" 2 5120
	done
	"$BUILD/addrpool-claim" identities <<<"$CONF" >"$BATS_TEST_TMPDIR/list"
	[ "$(jq length "$BATS_TEST_TMPDIR/list")" = 3001 ]
	[ "$(jq -r '.[].addresses[]' "$BATS_TEST_TMPDIR/list" | sort -u | wc -l)" = 3001 ]
	"$BIN/addrpool-claim" release-identity db/77 <<<"$CONF" >"$BATS_TEST_TMPDIR/released"
	costs "release-identity" 2 5120
	[ "$(jq -r '.identity + " " + (.holder.node // "free")' "$BATS_TEST_TMPDIR/released")" = "net db/77 free" ]
}
