#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An etcd restored from a backup lacks later claims of its nodes.

load ../lib/cluster

setup() {
	make_places
	start_engine
}

teardown() {
	stop_engine
	! mountpoint -q "$BATS_TEST_TMPDIR/a" || umount "$BATS_TEST_TMPDIR/a"
}

# The engine and node a, the present one, have the same blocks of it.
agreed() {
	diff <(own | xargs -n 1 | sort) <(claims a | xargs -n 1 | sort)
}

# restore: etcd has the state of the last call of `backup`.
backup() {
	kill "$ETCD_PID" && wait "$ETCD_PID" || :
	rm -rf "$BATS_TEST_TMPDIR/backup"
	cp -a "$ETCD_DIR" "$BATS_TEST_TMPDIR/backup"
	etcd_start "$BATS_TEST_TMPDIR/etcd"
}

restore() {
	kill "$ETCD_PID" && wait "$ETCD_PID" || :
	rm -rf "$ETCD_DIR"
	cp -a "$BATS_TEST_TMPDIR/backup" "$ETCD_DIR"
	etcd_start "$BATS_TEST_TMPDIR/etcd"
}

@test "etcd restored from a backup: a node claims later blocks again, or gives them up if another node has them" {
	local first block
	on a '"blockSize": 2'
	add c1
	backup
	add c2
	add c3
	first=$ADDRESS block=$(own)
	restore
	[ "$(claims a | wc -w)" = 1 ]
	a_minute_passes
	add c4
	agreed
	[ "$(own)" = "$block" ]
	restore
	on b '"blockSize": 2'
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$first/24\"]}}" c1
	succeeds
	on a '"blockSize": 2'
	a_minute_passes
	add c5
	[[ $stderr = *'no longer belongs to node a, but to b'* ]]
	agreed
}

@test "an etcd that has lost everything: a node claims all blocks of its pods again" {
	local block i
	on a '"blockSize": 2'
	for i in {1..5}; do
		add "c$i"
	done
	block=$(own)
	[ "$(wc -w <<<"$block")" -ge 3 ]
	etcd_stop
	rm -rf "$BATS_TEST_TMPDIR/etcd"
	start_engine
	on a '"blockSize": 2'
	a_minute_passes
	add c6
	[[ $stderr != *'no longer belongs'* ]]
	[ "$(claims a)" = "$(own)" ]
	for i in $block; do
		[[ " $(claims a) " = *" $i "* ]] || { echo "$i is lost"; return 1; }
	done
}

# full on|off: etcd's database has reached its quota: etcd reads and deletes, but writes nothing.
full() {
	local action=ACTIVATE
	[ "$1" = on ] || action=DEACTIVATE
	curl -sfm 5 -o /dev/null "$ETCD_URL/v3/maintenance/alarm" -d "{\"action\": \"$action\", \"alarm\": \"NOSPACE\"}"
}

# wants ADDRESS ID: an ADD on the present node that requests the address succeeds.
wants() {
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$1/24\"]}}" "$2"
	succeeds && [ "$(address)" = "$1" ]
}

# lost FIRST: the engine has lost node a's block of this address, and node b has it now.
lost() {
	"$BUILD/addrpool" release-node --yes a <(node janitor) >/dev/null
	on b
	wants "$1" c1
	on a
	a_minute_passes
}

@test "a node that cannot claim its lost block again assigns no address of it, however often it is asked" {
	local block first i
	on a
	add c1
	first=$ADDRESS block=$(own)
	lost "$first"
	full on
	for i in 2 3 4; do
		pool ADD "$CONF" "c$i"
		fails 11
		[[ $output = *'space exceeded'* ]] || { echo "$output"; return 1; }
		a_minute_passes
	done
	leased "$first"
	full off
	rm -f "$OWN"/blocks/{failed,uncounted}
	add c5
	[[ $stderr = *"block $block no longer belongs to node a, but to b"* ]]
	agreed
}

@test "a node that cannot claim its lost block again assigns addresses of its other blocks, and reports the engine" {
	local etcdctl key
	etcdctl="$("$TOP/test/cluster/get-etcdctl") --endpoints $ETCD_URL"
	on a '"blockSize": 2'
	wants 10.9.0.100 c1
	wants 10.9.0.150 c2
	for key in $($etcdctl get --keys-only --prefix / | grep '10.9.0.100/31'); do
		$etcdctl del "$key" >/dev/null
	done
	on b '"blockSize": 2'
	wants 10.9.0.100 c1
	on a '"blockSize": 2'
	a_minute_passes
	full on
	add c3
	[ "$ADDRESS" = 10.9.0.151 ]
	[[ $stderr = *"addresses are assigned although the engine did not count this node's blocks: etcd "*'space exceeded'* ]]
	pool ADD "$CONF" c4
	fails 11
	leased '10.9.0.100 10.9.0.150 10.9.0.151'
}

@test "etcd restored from a backup: the node has as many blocks as before, but others" {
	local third
	on a '"blockSize": 1'
	add c1
	add c2
	drops "$CONF" c2
	backup
	add c2
	add c3
	third=$ADDRESS
	drops "$CONF" c1
	drops "$CONF" c2
	[ "$(claims a | wc -w)" = 2 ]
	restore
	[ "$(claims a | wc -w)" = 2 ]
	[[ " $(claims a) " != *" $third/32 "* ]]
	a_minute_passes
	add c4
	agreed
	[[ " $(own) " = *" $third/32 "* ]]
}

@test "etcd restored from a backup of before the node's restart: the node recognizes its earlier claims" {
	machine 11111111
	on a
	add c1
	backup
	machine 22222222
	add c2
	restore
	a_minute_passes
	add c3
	agreed
}

@test "etcd restored from a backup of before the node's new installation: the node recognizes claims it took over" {
	machine 11111111
	on a
	add c1
	backup
	rm -r "$DATA"
	machine 22222222
	add c2
	restore
	a_minute_passes
	add c3
	agreed
	[ "$(claims a | wc -w)" = 1 ]
}

@test "a node does not take over a claim that another machine of its name and number has confirmed" {
	machine 11111111
	on a
	add c1
	rm -r "$DATA"
	machine 22222222
	add c2
	machine 33333333
	CONF=$(DATA=$BATS_TEST_TMPDIR/second conf "\"cluster\": {$ENGINE, \"node\": \"a\"}")
	pool ADD "$CONF" c1
	succeeds
	machine 22222222
	on a
	a_minute_passes
	pool ADD "$CONF" c3
	fails 7
	[[ $output = *'belongs to another machine'* ]]
}

@test "etcd restored from a backup: GC on the node has the engine know later identities of its pods again" {
	local sets='"sticky": "POD", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]' gc first
	gc='. + {"cni.dev/valid-attachments": [{containerID: "c1", ifname: "eth0"}, {containerID: "c2", ifname: "eth0"}, {containerID: "c3", ifname: "eth0"}]}'
	on a '' "$sets"
	CNI_ARGS="IgnoreUnknown=1;POD=web-0" add c1
	backup
	CNI_ARGS="IgnoreUnknown=1;POD=web-1" add c2
	first=$ADDRESS
	CNI_ARGS="IgnoreUnknown=1;POD=web-2" add c3
	CNI_ARGS="IgnoreUnknown=1;POD=web-3" add gone
	restore
	on b '' "$sets"
	CNI_ARGS="IgnoreUnknown=1;POD=web-2" add other # nothing is known of c3
	on a '' "$sets"
	pool GC "$(jq -c "$gc" <<<"$CONF")" ''
	succeeds
	[[ $stderr = *"the engine did not know that container c2 holds identity net web-1, and knows it again"* ]]
	[[ $stderr = *"container c3 holds identity net web-2 with $ADDRESS, which the engine does not know: identity net web-2 is held on node b by container other"* ]]
	[ "$("$BUILD/addrpool-claim" identities <<<"$CONF" | jq -r '.[] | .identity + " " + .addresses[0] + " " + (.holder.container // "-")' | sort | grep -v web-0)" = \
"net web-1 $first c2
net web-2 $ADDRESS other" ]
	on b '' "$sets"
	CNI_ARGS="IgnoreUnknown=1;POD=web-1" pool ADD "$CONF" c9
	fails 11 'identity net web-1 is held on node a by container c2'
	on a '' "$sets"
	run "$BUILD/addrpool-claim" return --all <<<"$CONF"
	[ "$status" = 0 ]
	[[ $output = *"container c3 holds identity"* && $output != *"knows it again"* ]]
	drops "$CONF" c2
	on b '' "$sets"
	CNI_ARGS="IgnoreUnknown=1;POD=web-1" add c9
	[ "$ADDRESS" = "$first" ]
}

@test "a node knows its last 64 boots, in a link that XFS stores, and takes back what a restored etcd shows of the first" {
	local i boots
	on a '"blockSize": 2'
	machine 00000001
	add c1
	backup
	for i in {2..70}; do
		machine "$(printf '%08x' "$i")"
		pool ADD "$CONF" "c$i"
		succeeds
		[[ $stderr != *'cannot write'* ]] || { echo "$stderr"; return 1; }
		drops "$CONF" "c$i"
		[ "$i" != 50 ] || { restore; a_minute_passes; add again; backup; agreed; drops "$CONF" again; }
	done
	boots=$(readlink "$OWN/blocks/boots")
	[ "$(wc -w <<<"$boots")" = 64 ]
	[ ${#boots} -le 1023 ]
	[[ " $boots " = *' 00000046.'* && " $boots " != *' 00000006.'* ]]
}

# confirm [LOG]: ipvlanctl pools confirm on the node at hand.
confirm() {
	jq '{ cniVersion, name, plugins: [{ type: "bridge", ipam, logFile: $ARGS.positional[0] }] }' --args "$@" <<<"$CONF" >"$BATS_TEST_TMPDIR/net.conflist"
	run --separate-stderr "$BUILD/ipvlanctl" pools confirm "$BATS_TEST_TMPDIR/net.conflist"
}

@test "etcd restored from a backup: ipvlanctl pools confirm has each node claim its blocks again at once, and its identities" {
	local sets='"sticky": "POD", "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.64", "rangeEnd": "10.9.0.95", "identities": true, "for": {"POD": "web"}}],
		[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.128"}]]' block
	on b '"blockSize": 2' "$sets"
	CNI_ARGS="IgnoreUnknown=1;POD=other" add c1
	backup
	on a '"blockSize": 2' "$sets"
	CNI_ARGS="IgnoreUnknown=1;POD=other" add c1
	CNI_ARGS="IgnoreUnknown=1;POD=web" add c2
	block=$(own)
	confirm
	succeeds
	[ "$output" = 'network net, pool net: the engine has the blocks and identities of node a' ]
	[ -z "$stderr" ]
	restore
	[ -z "$(claims a)" ]
	confirm
	succeeds
	[ "$output" = "the engine did not know that container c2 holds identity net web, and knows it again
network net, pool net: the engine has the blocks and identities of node a" ]
	[ -z "$stderr" ]
	[ "$(claims a)" = "$block" ]
	[ "$(own)" = "$block" ]
	restore
	on b '"blockSize": 2' "$sets"
	CNI_ARGS="IgnoreUnknown=1;POD=other" pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"${block%/*}/24\"]}}" c2
	succeeds
	on a '"blockSize": 2' "$sets"
	confirm "$BATS_TEST_TMPDIR/log"
	succeeds
	[[ $output = *"block $block no longer belongs to node a, but to b"* ]]
	[ -z "$stderr" ]
	grep -q "block $block no longer belongs to node a, but to b" "$BATS_TEST_TMPDIR/log"
	etcd_stop
	confirm
	[ "$status" = 1 ]
	[[ $stderr = *'etcd http://127.0.0.1:'* ]]
}

@test "etcd restored from a backup that has a block as its earlier node's: after two rounds of confirm the present node has it" {
	local block first
	on a
	add c1
	block=$(own) first=$ADDRESS
	backup
	drops "$CONF" c1
	on b
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$first/24\"]}}" c2
	succeeds
	[ "$(own)" = "$block" ]
	restore
	confirm
	succeeds
	[[ $output = *"block $block no longer belongs to node b, but to a. Pods of both nodes may have the same addresses of it"* ]]
	on a
	confirm
	succeeds
	[ -z "$(claims a)" ]
	on b
	confirm
	succeeds
	[ "$output" = 'network net, pool net: the engine has the blocks of node b' ]
	[ "$(claims b)" = "$block" ]
	[ "$(own)" = "$block" ]
}

@test "etcd restored from a backup in which another identity has the address of a running pod: each confirm reports the pod" {
	local sets='"sticky": "POD", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]'
	on a '' "$sets"
	"$BUILD/addrpool-claim" reserve other 10.9.0.70 <<<"$CONF"
	backup
	"$BUILD/addrpool-claim" release-identity other --forget <<<"$CONF"
	CNI_ARGS="IgnoreUnknown=1;POD=web;IP=10.9.0.70" add c1
	[ "$ADDRESS" = 10.9.0.70 ]
	restore
	for _ in 1 2; do
		confirm
		succeeds
		[[ $output = *'container c1 holds identity net web with 10.9.0.70, which the engine does not know: '* ]]
	done
	"$BUILD/addrpool-claim" release-identity other --forget <<<"$CONF"
	confirm
	[[ $output = *'the engine did not know that container c1 holds identity net web, and knows it again'* ]]
	confirm
	[ "$output" = 'network net, pool net: the engine has the blocks and identities of node a' ]
}

@test "pools confirm that fails reports the block that the node has lost before that" {
	on a
	add_ip() {
		pool ADD "$(jq -c --arg ip "$1/24" '.runtimeConfig.ips = [$ip]' <<<"$CONF")" "$2"
		succeeds
	}
	backup
	add_ip 10.9.0.2 c1
	add_ip 10.9.0.18 c2
	restore
	on b
	add_ip 10.9.0.3 c3
	on a
	mv "$OWN/blocks/10.9.0.16-28" "$OWN/blocks/10.9.0.16-29"
	confirm
	[ "$status" = 1 ]
	[[ $stderr = *'block 10.9.0.0/28 no longer belongs to node a, but to b. Pods of both nodes may have the same addresses'* ]]
	[[ $stderr = *'pods have addresses of block 10.9.0.16/29, which is not of 16 addresses'* ]]
}

@test "etcd restored from a backup: pools confirm brings back the identities of its network, also if another one has the same leases" {
	local sets='"pool": "shared", "sticky": "POD", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]'
	on a '' "$sets"
	backup
	CNI_ARGS="IgnoreUnknown=1;POD=web" add c1
	CONF=$(jq -c '.name = "second"' <<<"$CONF")
	CNI_ARGS="IgnoreUnknown=1;POD=web" add c2
	restore
	confirm
	succeeds
	[ "$output" = 'the engine did not know that container c2 holds identity second web, and knows it again
network second, pool shared: the engine has the blocks and identities of node a' ]
	on a '' "$sets"
	confirm
	succeeds
	[ "$output" = 'the engine did not know that container c1 holds identity net web, and knows it again
network net, pool shared: the engine has the blocks and identities of node a' ]
}

# call ARGUMENT...: a command of addrpool, which must succeed; its answer is in a file only if it does not.
call() {
	pool "$@"
	[ "$status" = 0 ] || echo "$*: $output" >>"$BATS_TEST_TMPDIR/failures"
}

# works POD: 15 times a workload with an identity and 15 times one without begins and ends.
works() {
	local i
	for i in {1..15}; do
		CNI_ARGS="IgnoreUnknown=1;POD=web-$1" call ADD "$CONF" "$1"
		call DEL "$CONF" "$1"
		CNI_ARGS="IgnoreUnknown=1;POD=other-$1" call ADD "$CONF" "$1"
		call DEL "$CONF" "$1"
	done
}

@test "ADDs, DELs, GC and pools confirm at once: all succeed, and the engine has the identities without a holder, and no block" {
	local sets='"sticky": "POD", "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.64", "rangeEnd": "10.9.0.95", "identities": true, "for": {"POD": "web-*"}}],
		[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.128"}]]' gc workers='' n
	on a '"blockSize": 4' "$sets"
	gc=$(jq -c '. + {"cni.dev/valid-attachments": [range(1; 5) | {containerID: "\(.)", ifname: "eth0"}]}' <<<"$CONF")
	for n in 1 2 3 4; do
		works $n 3>&- &
		workers+=" $!"
	done
	for n in {1..15}; do
		confirm
		[ "$output $stderr" = 'network net, pool net: the engine has the blocks and identities of node a ' ] || echo "$output $stderr" >>"$BATS_TEST_TMPDIR/failures"
		call GC "$gc"
	done
	# shellcheck disable=SC2086 # several
	wait $workers
	[ ! -e "$BATS_TEST_TMPDIR/failures" ] || { cat "$BATS_TEST_TMPDIR/failures"; return 1; }
	[ -z "$(claims a)" ]
	[ "$("$BUILD/addrpool-claim" identities <<<"$CONF" | jq -r '.[] | .identity + " " + (.holder | type)' | sort)" = 'net web-1 null
net web-2 null
net web-3 null
net web-4 null' ]
}

@test "the disk is full: pools confirm fails if it must write, names the file, and nothing is lost" {
	local block n=0
	mkdir "$BATS_TEST_TMPDIR/a"
	mount -t tmpfs -o size=256k,nr_inodes=200 none "$BATS_TEST_TMPDIR/a"
	backup
	on a
	add c1
	block=$(own)
	while ln -s "$n" "$DATA/$n" 2>/dev/null; do n=$((n + 1)); done
	confirm
	succeeds
	restore
	confirm
	[ "$status" = 1 ]
	[[ $stderr = *"cannot write $OWN/blocks/${block/\//-}: no space left on device"* ]]
	[ "$(own)" = "$block" ]
	find "$DATA" -maxdepth 1 -type l -delete
	confirm
	succeeds
	[ "$(claims a)" = "$block" ]
	[ "$(own)" = "$block" ]
}

@test "release-node '~identities' removes locks of addresses that no identity has" {
	local sets='"sticky": "POD", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]'
	on a '' "$sets"
	CNI_ARGS="IgnoreUnknown=1;POD=web" add c1
	CNI_ARGS="IgnoreUnknown=1;POD=web" drops "$CONF" c1
	curl -sf "$ETCD_URL/v3/kv/put" -d "$(jq -nc '{ key: ("/ipvlan-cni/net/~address/10.9.0.99" | @base64), value: ({ identity: "net gone", id: "1" } | tojson | @base64) }')" >/dev/null
	run "$BUILD/addrpool" release-node --yes '~identities' <(echo "$CONF")
	[ "$status" = 1 ]
	"$BUILD/addrpool-claim" release-identity web --forget <<<"$CONF"
	"$BUILD/addrpool" release-node --yes '~identities' <(echo "$CONF")
	[ -z "$(claims)" ]
}

@test "etcd restored from a backup: gc on a node where no pod starts has it claim its blocks again, within the hour" {
	gc() {
		"$BUILD/addrpool" tidy --yes <(echo "$CONF") 2>"$BATS_TEST_TMPDIR/gc"
	}
	on b
	add c1
	backup
	on a
	add c1
	before=$(own)
	restore
	gc
	[ -z "$(claims a)" ]
	a_minute_passes # and an hour, too
	kill -STOP "$ETCD_PID"
	gc
	grep -q "network net: the engine did not count this node's blocks: etcd " "$BATS_TEST_TMPDIR/gc"
	kill -CONT "$ETCD_PID"
	gc
	[ ! -s "$BATS_TEST_TMPDIR/gc" ]
	rm "$OWN/blocks/uncounted"
	gc
	agreed
	[ "$(own)" = "$before" ]
}

@test "an etcd that is empty, and a node that was interrupted when it found out: the pool begins anew" {
	on a
	add c1
	before=$(own)
	etcd_stop
	rm -rf "$BATS_TEST_TMPDIR/etcd"
	start_engine
	on a
	link=$(echo "$OWN"/blocks/*-28)
	ln -sfn "$(readlink "$link" | sed 's/^owned/claiming/')" "$link"
	a_minute_passes
	add c2
	agreed
	[ "$(own)" = "$before" ]
}

@test "a note of a block that is to be returned, and whose claim was never answered, keeps no later claim" {
	on a
	add c1
	other=10.9.0.0-28
	[ ! -h "$OWN/blocks/$other" ] || other=10.9.0.16-28
	ln -s "returning - $(readlink "$STORE/incarnation")  " "$OWN/blocks/$other"
	a_minute_passes
	add c2
	agreed
	[ ! -h "$OWN/blocks/$other" ]
}
