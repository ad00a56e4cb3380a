#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A node that loses blocks while it runs notices that within a minute, or with its next claim, and then assigns
# no address of them.

load ../lib/cluster

setup() {
	make_places
	start_engine
	machine 11111111
}

teardown() {
	stop_engine
}

# taken_by NODE ADDRESS: the node claims the block of the address.
taken_by() {
	on "$1"
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$2/24\"]}}" c1
	succeeds && [ "$(address)" = "$2" ]
}

# The engine and node a, the present one, have the same blocks of it.
agreed() {
	diff <(own | xargs -n 1 | sort) <(claims a | xargs -n 1 | sort)
}

# released NODE: an administrator has released the blocks of the node by mistake.
released() {
	"$BUILD/addrpool" release-node --yes "$1" <(node janitor) >/dev/null
}

# loses_block: node a, the present one, has the pod c1, whose address first is in block; node b has the block by now.
loses_block() {
	on a
	add c1
	first=$ADDRESS block=$(own)
	released a
	taken_by b "$first"
	on a
}

# second_machine: another machine with the name a and the same hardware number, without leases, takes its blocks.
second_machine() {
	machine 22222222
	CONF=$(DATA=$BATS_TEST_TMPDIR/second conf "\"cluster\": {$ENGINE, \"node\": \"a\"}")
	pool ADD "$CONF" c1
	succeeds || return
	machine 11111111
	on a
}

@test "a node claims blocks that were released by mistake again, while they are free" {
	on a
	add c1
	before=$(own)
	released a
	[ -z "$(claims a)" ]
	add c2
	[ -z "$(claims a)" ] # the minute
	a_minute_passes
	add c3
	[ "$(own)" = "$before" ]
	[ "$(claims a)" = "$before" ]
}

@test "the minute runs from the question to the engine, not from its answer" {
	local asked resumes
	on a
	add c1
	a_minute_passes
	pause_engine
	(sleep 1 && resume_engine) 3>&- &
	resumes=$!
	add c2
	wait "$resumes"
	asked=$(readlink "$OWN/blocks/counted" | cut -d' ' -f2)
	[ "$(awk -v asked="$asked" '{ print ($1 * 1000 - asked >= 900) }' /proc/uptime)" = 1 ]
}

@test "a DEL that does not reach the engine does not put off the count" {
	local block first i
	on a '"blockSize": 2, "timeout": 1'
	for i in {1..6}; do
		add "c$i"
		[ "$i" != 1 ] || { first=$ADDRESS && block=$(own); }
	done
	pause_engine
	for i in {2..6}; do
		drops "$CONF" "c$i"
	done
	resume_engine
	[ -h "$OWN/blocks/kept" ]
	released a
	on b '"blockSize": 2'
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$first/24\"]}}" c1
	succeeds
	on a '"blockSize": 2'
	a_minute_passes
	add c7
	[[ " $(own) " != *" $block "* ]]
	[[ " $(claims a) " = *" $(own) "* ]]
	[ "$(claims b)" = "$block" ]
}

@test "a node assigns no address of a block that another node now has, and reports that" {
	local block first
	loses_block
	a_minute_passes
	add c2
	[[ $stderr = *"block $block no longer belongs to node a, but to b"* ]]
	[[ " $(own) " != *" $block "* ]]
	agreed
	[ "$(claims b)" = "$block" ]
}

# neighbour_of ADDRESS: another address of its block.
neighbour_of() {
	echo "${1%.*}.$((${1##*.} ^ 1))"
}

@test "another node has a block of running pods, and releases it: their node claims it again before a third one can" {
	local block first note
	loses_block
	note=$OWN/blocks/${block//\//-}
	a_minute_passes
	add c2
	[[ $(readlink "$note") = claiming* ]]
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$(neighbour_of "$first")/24\"]}}" c5
	fails 101 'which belongs to node b'
	[[ $(readlink "$note") = claiming* ]]
	a_minute_passes
	rm -f "$OWN/blocks/signed"
	add c3
	[[ $stderr = *"block $block no longer belongs to node a, but to b"* ]]
	[ -h "$OWN/blocks/signed" ]
	on b
	pool DEL "$CONF" c1
	succeeds
	[ -z "$(claims b)" ]
	on a
	a_minute_passes
	add c4
	[ -z "$stderr" ]
	[[ " $(own) " = *" $block "* ]]
	agreed
}

@test "another node has a block of pods that end then: their node forgets it" {
	local block first
	loses_block
	a_minute_passes
	add c2
	pool DEL "$CONF" c1
	succeeds
	a_minute_passes
	add c3
	[ ! -h "$OWN/blocks/${block//\//-}" ]
	[ "$(claims b)" = "$block" ]
	agreed
}

@test "another node has a block of pods of an earlier boot: their node forgets it" {
	local block first
	machine 11111111
	on a
	add c1
	first=$ADDRESS block=$(own)
	released a
	taken_by b "$first"
	machine 22222222
	on a
	add c2
	[[ $stderr = *"block $block no longer belongs to node a, but to b"* ]]
	[[ $stderr != *'the same addresses'* ]]
	[ ! -h "$OWN/blocks/${block//\//-}" ]
	agreed
}

@test "the next claim notices a lost block too, within the minute" {
	local block first i
	on a '"blockSize": 2'
	add c1
	first=$ADDRESS block=$(own)
	released a
	on b '"blockSize": 2'
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$first/24\"]}}" c1
	succeeds
	on a '"blockSize": 2'
	sleep 2 # Kubernetes: after a count the next claims do not count for that time
	for i in 2 3 4; do
		add c$i
	done
	[[ " $(own) " != *" $block "* ]]
	agreed
}

@test "while the engine does not answer, a node assigns addresses of its blocks also after the minute" {
	on a
	add c1
	stop_engine
	a_minute_passes
	add c2
	add c3
	drops "$CONF" c3
}

@test "an engine that did not count the node's blocks in time gets back those that the next DEL empties" {
	on a '"blockSize": 1'
	add c1
	add c2
	add c3
	drops "$CONF" c3 # its block stays, empty
	a_minute_passes
	pause_engine
	add c4
	[[ $stderr = *"addresses are assigned although the engine did not count this node's blocks"* ]]
	pool STATUS "$CONF"
	[[ $stderr = *'the last request to the engine failed'*'timed out'* ]]
	resume_engine
	drops "$CONF" c4
	drops "$CONF" c2
	[ "$(claims a | wc -w)" = 2 ]
	[ "$(own)" = "$(claims a)" ]
}

@test "a container that is a node restarts, its machine does not: the engine counts its blocks before an address" {
	local block first
	loses_block
	printf '#!/bin/sh\nexec unshare --pid --fork --mount-proc %s "$@"\n' "$PLUGIN" >"$BATS_TEST_TMPDIR/container"
	chmod +x "$BATS_TEST_TMPDIR/container"
	PLUGIN=$BATS_TEST_TMPDIR/container add c2
	[[ $stderr = *"block $block no longer belongs to node a, but to b"* ]]
	[[ " $(own) " != *" $block "* ]]
}

@test "a second machine of the same name and hardware number: ADD on the first one fails, and says why" {
	on a
	add c1
	second_machine
	a_minute_passes
	pool ADD "$CONF" c2
	fails 7 'belongs to another machine with the node name a'
	pool ADD "$CONF" c3
	fails 7 'belongs to another machine with the node name a'
	drops "$CONF" c1
}

@test "two machines of one name and hardware number that take each other's blocks in turn: ADD fails on the one that has lost them" {
	on a
	second_machine
	add c1
	rm -r "$BATS_TEST_TMPDIR/second"
	second_machine
	a_minute_passes
	pool ADD "$CONF" c2
	fails 7 'belongs to another machine with the node name a'
}

@test "a copy of the disk on another machine: it gets no address under the name, and the first machine goes on" {
	machine 11111111 first
	on a
	add c1
	cp -a "$DATA" "$BATS_TEST_TMPDIR/copy"
	machine 22222222 second
	CONF=$(DATA=$BATS_TEST_TMPDIR/copy conf "\"cluster\": {$ENGINE, \"node\": \"a\"}")
	pool ADD "$CONF" c2
	fails 7 'belongs to another machine with the node name a: first'
	[[ $output = *"ipvlanctl pools release-node net a"* ]]
	machine 11111111 first
	on a
	a_minute_passes
	add c2
}

@test "a disk in another machine: the node continues once its old name is released" {
	machine 11111111 first
	on a
	add c1
	machine 22222222 second
	pool ADD "$CONF" c2
	fails 7 'belongs to another machine with the node name a: first'
	released a
	add c2
	[ "$(claims a)" = "$(own)" ]
}

@test "a hardware number that all machines of a kind have does not count: another machine gets no block" {
	machine 11111111 03000200-0400-0500-0006-000700080009
	on a
	add c1
	[[ $(claims) = *" a" ]]
	run "$BUILD/addrpool-claim" list <<<"$CONF"
	[[ $output != *03000200-0400* ]]
}

@test "release-node for its own node releases only the network's blocks; those of other networks stay" {
	local second
	on a
	add c1
	second=${CONF/\"name\": \"net\"/\"name\": \"second\"}
	second=$(jq -c --arg pool net '.ipam.cluster.pool = $pool' <<<"$second")
	pool ADD "$second" c2
	succeeds
	[ "$(claims a | wc -w)" = 2 ]
	run "$PLUGIN" release-node --yes a <(echo "$CONF")
	[ "$status" = 1 ]
	[[ $output = *"this is node a, and c1 has $ADDRESS, which is of its blocks"* ]]
	[ "$(claims a | wc -w)" = 2 ]
	rm "$STORE/$ADDRESS" # as if the pod were gone without DEL
	run "$PLUGIN" release-node --yes a <(echo "$CONF")
	[ "$status" = 0 ]
	[[ $output = *'stays: it is of network second of this node'* ]]
	[ "$(claims a | wc -w)" = 1 ]
	pool ADD "$second" c3
	succeeds
}

@test "a node removes its claim that arrived late, after it had given up the block" {
	local late
	on a
	add c1
	late=$(own)
	mv "$OWN/blocks/${late/\//-}" "$BATS_TEST_TMPDIR/kept"
	rm "$STORE/$ADDRESS"
	a_minute_passes
	add c2
	agreed
	[ "$(claims a | wc -w)" = 1 ]
}

# claim_is_killed: from now on each call of addrpool-claim is killed, as for lack of memory.
claim_is_killed() {
	local bin=$BATS_TEST_TMPDIR/killed
	mkdir "$bin"
	cp "$BUILD/addrpool" "$bin"
	printf '#!/bin/sh\nkill -KILL $$\n' >"$bin/addrpool-claim"
	chmod +x "$bin/addrpool-claim"
	BUILD=$bin machine 11111111
}

@test "addrpool-claim is killed, or cannot read its configuration: a node assigns addresses of its blocks" {
	local why
	on a
	add c1
	a_minute_passes
	case $CLUSTER in
	etcd) CONF=$(jq -c '.ipam.cluster.etcd.endpoints = ["ftp://a"]' <<<"$CONF") why=ftp://a ;;
	kubernetes) CONF=$(jq -c '.ipam.cluster.kubernetes.kubeconfig = "/nowhere/config"' <<<"$CONF") why=/nowhere/config ;;
	esac
	add c2
	[[ $stderr = *"addresses are assigned although the engine did not count this node's blocks"*"$why"* ]]
	claim_is_killed
	add c3
	[[ $stderr = *"addresses are assigned although the engine did not count this node's blocks"*'signal: Killed'* ]]
}

@test "after a refusal ADD fails also while the engine does not answer" {
	on a
	add c1
	second_machine
	a_minute_passes
	pool ADD "$CONF" c2
	fails 7 'belongs to another machine with the node name a'
	stop_engine
	pool ADD "$CONF" c3
	fails 7 'belongs to another machine with the node name a'
	claim_is_killed
	pool ADD "$CONF" c3
	fails 7 'belongs to another machine with the node name a'
	explains 'signal: Killed'
	drops "$CONF" c1
}

@test "if a DEL learns of a second machine, the next ADD fails, within the minute" {
	local link heard=''
	on a '"blockSize": 1'
	add c1
	add c2
	link=$OWN/blocks/$ADDRESS-32
	add c3
	machine 22222222
	CONF=$(DATA=$BATS_TEST_TMPDIR/second conf "\"cluster\": {$ENGINE, \"node\": \"a\", \"blockSize\": 1}")
	pool ADD "$CONF" c1
	succeeds
	machine 11111111
	on a '"blockSize": 1'
	# it began to return the block, and failed
	ln -sfn "$(readlink "$link" | sed "s/^owned/returning/")" "$link"
	for pod in c1 c3; do
		pool DEL "$CONF" $pod
		succeeds
		heard+=$stderr
	done
	[[ $heard = *'belongs to another machine with the node name a'* ]]
	pool ADD "$CONF" c4
	fails 7 'belongs to another machine with the node name a'
	stop_engine
	pool ADD "$CONF" c5
	fails 7 'belongs to another machine with the node name a'
}

@test "somebody changes pool and blockSize while pods run: the node assigns no address until the blocks are empty" {
	local block other='"pool": "other", "blockSize": 4' i
	on a
	add c1
	add c2
	block=$(own)
	on a "$other"
	for i in 3 4; do
		a_minute_passes
		pool ADD "$CONF" "c$i"
		fails 7 "pods have addresses of block $block, which is not of 4 addresses, as those of pool other"
		[[ $output = *'ipam.cluster.pool and blockSize back until ipvlanctl pools net lists no block'* ]]
	done
	[ -z "$(claims)" ]
	on a
	rm -f "$OWN"/blocks/{failed,uncounted}
	a_minute_passes
	add c3
	agreed
	drops "$CONF" c1
	drops "$CONF" c2
	drops "$CONF" c3
	on a "$other"
	add c5
	agreed
	[[ $(own) = */30 ]]
}

@test "a block without pods of a changed pool and blockSize is dropped" {
	on a
	add c1
	link=$(echo "$OWN"/blocks/*-28)
	on a '"pool": "other", "blockSize": 4'
	rm "$STORE/$ADDRESS"
	a_minute_passes
	add c2
	agreed
	[[ $(own) = */30 && ! -h $link ]]
}

@test "the host name changes, and then all pods end: no block stays under the old name" {
	on a '"blockSize": 2'
	add c1
	add c2
	add c3
	[ "$(claims a | wc -w)" = 2 ]
	CONF=${CONF/'"node": "a"'/'"node": "renamed"'}
	pool DEL "$CONF" c1
	pool DEL "$CONF" c2
	pool DEL "$CONF" c3
	[ -z "$(own)" ]
	[ -z "$(claims a)$(claims renamed)" ]
}

@test "the host name changes while pods run: the node keeps its blocks, under its new name" {
	on a '"blockSize": 2'
	add c1
	add c2
	add c3
	before=$(own)
	CONF=${CONF/'"node": "a"'/'"node": "renamed"'}
	a_minute_passes
	add c4
	[[ $stderr != *'no longer belongs'* ]] || { echo "$stderr"; return 1; }
	[ "$(own)" = "$before" ]
	[ "$(claims renamed)" = "$before" ]
	[ -z "$(claims a)" ]
}

# in_machine COMMAND...: in the present boot of the machine, as PLUGIN.
in_machine() {
	# shellcheck disable=SC2016 # for the shell below
	unshare -m sh -c 'mount --bind "$0/boot" /proc/sys/kernel/random/boot_id
		for id in /sys/class/dmi/id/product_uuid /etc/machine-id; do
			[ ! -e $id ] || mount --bind "$0/id" $id
		done
		exec "$@"' "$BATS_TEST_TMPDIR/machine" "$@"
}

@test "the host name changes while pods run: release-node under the old name keeps the blocks of the node's pods" {
	on a
	add c1
	before=$(own)
	CONF=${CONF/'"node": "a"'/'"node": "renamed"'}
	run in_machine "$BUILD/addrpool" release-node --yes a <(echo "$CONF")
	[ "$status" = 1 ]
	[[ $output = *"this is node renamed, and c1 has $ADDRESS, which is of its blocks"* ]]
	[ "$(claims a)" = "$before" ]
	# with the configuration of another network in the pool, which has its own leases, it stays too
	run in_machine "$BUILD/addrpool" release-node --yes a <(jq '.name = "other" | .ipam.cluster.pool = "net"' <<<"$CONF")
	[[ $output = *"block $before stays: it is of network net of this node"* ]]
	[ "$(claims a)" = "$before" ]
	# another machine may release it: it cannot know the pods
	machine 22222222 second
	on b
	run in_machine "$BUILD/addrpool" release-node --yes a <(echo "$CONF")
	[ "$status" = 0 ]
	[ -z "$(claims)" ]
	[ ! -e "$DATA" ]
}

@test "the host name changes, and the call that compares is killed at any change of a file: no block stays under the old name" {
	local n cases=0
	for ((n = 1; ; n++)); do
		on a '"blockSize": 1'
		add c1
		add c2
		drops "$CONF" c2
		[ "$(claims a | wc -w)" = 2 ]
		CONF=${CONF/'"node": "a"'/'"node": "renamed"'}
		run in_machine strace -f -qq -o /dev/null -e inject=renameat,renameat2,symlinkat,unlinkat:signal=KILL:when=$n "$BUILD/addrpool-claim" confirm --now <<<"$CONF"
		[ "$status" != 0 ] || break
		drops "$CONF" c1
		in_machine "$BUILD/addrpool-claim" return <<<"$CONF"
		[ -z "$(claims)" ] || { echo "killed at change $n"; claims; return 1; }
		cases=$((cases + 1))
	done
	[ "$cases" -ge 5 ]
}

@test "the host name and the machine change: a copy of the disk takes no block" {
	on a
	add c1
	before=$(own)
	machine 22222222 second
	CONF=${CONF/'"node": "a"'/'"node": "copy"'}
	a_minute_passes
	add c2
	[[ $stderr = *"block $before no longer belongs to node copy, but to a"* ]]
	[ "$(claims a)" = "$before" ]
}

@test "a count that is in the future, as after a snapshot of the machine was restored, is no count" {
	local block boot
	on a
	add c1
	block=$(own) first=$ADDRESS
	released a
	taken_by b "$first"
	on a
	boot=$(readlink "$OWN/blocks/counted")
	ln -sfn "${boot%% *} 999999999999 0 " "$OWN/blocks/counted"
	add c2
	[[ $stderr = *"block $block no longer belongs to node a, but to b"* ]]
}

@test "networks share a store: one whose ranges are full keeps the other from no block" {
	local full
	on b '"blockSize": 16' '"subnet": "10.9.0.0/28"'
	add c1
	on a '"pool": "net"' '"pool": "lan", "subnet": "10.9.0.0/28"'
	full=$CONF
	CONF=$(node a '"pool": "net"' '"pool": "lan", "subnet": "10.9.1.0/24"')
	CONF=${CONF/'"name": "net"'/'"name": "other"'}
	pool ADD "$full" c1
	fails 11 'no block of pool net is free: 10.9.0.1-10.9.0.14'
	add c2
	pool ADD "$full" c3
	fails 11 'no block of pool net is free: 10.9.0.1-10.9.0.14'
}
