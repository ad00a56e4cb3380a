#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A node whose blocks are no longer its own, while it runs: it notices within a minute, or with its next claim, and
# gives no address of them.

load ../lib/cluster

setup() {
	make_places
	start_engine
	machine 11111111
}

teardown() {
	stop_engine
}

# The time after which the engine must have counted a node's blocks before the next address is given.
a_minute_passes() {
	rm -f "$OWN/blocks/counted"
}

# taken_by NODE ADDRESS: the node claims the block of the address.
taken_by() {
	on "$1"
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$2/24\"]}}" c1
	succeeds && [ "$(address)" = "$2" ]
}

# The engine and the node at hand, which is a, have the same blocks as its own.
agreed() {
	diff <(own | xargs -n 1 | sort) <(claims a | xargs -n 1 | sort)
}

# released NODE: somebody has taken the blocks of the node for those of one that is gone.
released() {
	"$BUILD/addrpool" release-node --yes "$1" <(node janitor) >/dev/null
}

# second_machine: one that is called a as well, with the same hardware number and no leases, takes its blocks.
second_machine() {
	machine 22222222
	CONF=$(DATA=$BATS_TEST_TMPDIR/second conf "\"cluster\": {$ENGINE, \"node\": \"a\"}")
	pool ADD "$CONF" c1
	succeeds || return
	machine 11111111
	on a
}

@test "blocks that were released by mistake are claimed again, while they are free" {
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

@test "of a block that another node has by now no address is given, and it is said" {
	local block first
	on a
	add c1
	first=$ADDRESS block=$(own)
	released a
	taken_by b "$first"
	on a
	a_minute_passes
	add c2
	[[ $stderr = *"block $block does not belong to node a any more, but to b"* ]]
	[[ " $(own) " != *" $block "* ]]
	agreed
	[ "$(claims b)" = "$block" ]
}

@test "the next claim notices as well, within the minute" {
	local block first i
	on a '"blockSize": 2'
	add c1
	first=$ADDRESS block=$(own)
	released a
	on b '"blockSize": 2'
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$first/24\"]}}" c1
	succeeds
	on a '"blockSize": 2'
	for i in 2 3 4; do
		add c$i
	done
	[[ " $(own) " != *" $block "* ]]
	agreed
}

@test "while the engine does not answer, addresses of own blocks are given after the minute as well" {
	on a
	add c1
	stop_engine
	a_minute_passes
	add c2
	add c3
	drops "$CONF" c3
}

@test "a node that is a container and was restarted, its machine not: its blocks are counted before it gives any" {
	local block first
	on a
	add c1
	first=$ADDRESS block=$(own)
	released a
	taken_by b "$first"
	on a
	printf '#!/bin/sh\nexec unshare --pid --fork --mount-proc %s "$@"\n' "$PLUGIN" >"$BATS_TEST_TMPDIR/container"
	chmod +x "$BATS_TEST_TMPDIR/container"
	PLUGIN=$BATS_TEST_TMPDIR/container add c2
	[[ $stderr = *"block $block does not belong to node a any more, but to b"* ]]
	[[ " $(own) " != *" $block "* ]]
}

@test "a second machine of the same name and hardware number: the first one gives no more, and says why" {
	on a
	add c1
	second_machine
	a_minute_passes
	pool ADD "$CONF" c2
	fails 7 'belongs to a node called a as well, which is another machine'
	pool ADD "$CONF" c3
	fails 7 'belongs to a node called a as well'
	drops "$CONF" c1
}

@test "a hardware number that all machines of a kind have is none: another machine gets nothing" {
	machine 11111111 03000200-0400-0500-0006-000700080009
	on a
	add c1
	[[ $(claims) = *" a" ]]
	run "$BUILD/addrpool-claim" list <<<"$CONF"
	[[ $output != *03000200-0400* ]]
}

@test "release-node of the own node takes the blocks of the network alone; those of its other networks stay" {
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

@test "a claim of ours that came late, after its block was given up, is removed" {
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

@test "what the engine has refused once is not given when it does not answer" {
	on a
	add c1
	second_machine
	a_minute_passes
	pool ADD "$CONF" c2
	fails 7 'belongs to a node called a as well'
	stop_engine
	pool ADD "$CONF" c3
	fails 7 'belongs to a node called a as well'
	drops "$CONF" c1
}

@test "what a DEL hears of a second machine the next ADD knows, within the minute" {
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
	# its release had begun, and failed
	ln -sfn "$(readlink "$link" | sed "s/^owned/returning/")" "$link"
	for pod in c1 c3; do
		pool DEL "$CONF" $pod
		succeeds
		heard+=$stderr
	done
	[[ $heard = *'belongs to a node called a as well, which is another machine'* ]]
	pool ADD "$CONF" c4
	fails 7 'belongs to a node called a as well'
	stop_engine
	pool ADD "$CONF" c5
	fails 7 'belongs to a node called a as well'
}
