#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two nodes that share a pool in l3. BIRD on each announces its blocks to the other.

load ../lib/cni
load ../lib/two-nodes

# on NODE VERB: for the node's one pod.
on() {
	call_on "$1" "$2" "$(on_node "$1" addrpool-block-routes)"
}

# single NODE VERB ID: of addrpool alone, with blocks of one address.
single() {
	PROGRAM=$BUILD/addrpool call_on "$1" "$2" "$(on_node "$1" addrpool-block-routes '{"ipam": {"cluster": {"blockSize": 1}}}')" "$3" >/dev/null
}

learnt() {
	ip -n "n$1" route show proto bird | grep -q "via 10.0.0.$2"
}

@test "pods of two nodes reach each other in l3 as soon as their blocks are claimed, without manual routes" {
	bird_on 1 2
	bird_on 2 1
	A1=$(on 1 ADD | jq -r '.ips[0].address | split("/")[0]')
	A2=$(on 2 ADD | jq -r '.ips[0].address | split("/")[0]')
	ip -n n1 route show type unreachable proto 105 | grep -q '^unreachable 10.9.0.*/28'
	eventually learnt 1 2
	eventually learnt 2 1
	ip netns exec p1 ping -n -c 1 -W 2 "$A2"
	ip netns exec p2 ping -n -c 1 -W 2 "$A1"
}

# routes NODE NUMBER [OF]: the node has so many routes to its blocks, or to those of others.
routes() {
	[ "$(ip -n "n$1" route show ${3:-type unreachable proto 105} | grep -c 10.9.0)" = "$2" ]
}

@test "the routes are removed with the blocks" {
	local i
	bird_on 1 2
	bird_on 2 1
	for i in 1 2 3; do
		single 2 ADD c$i
	done
	routes 2 3
	eventually routes 1 3 "proto bird"
	for i in 1 2 3; do
		single 2 DEL c$i
	done
	routes 2 0
	eventually routes 1 0 "proto bird"
}

@test "after a restart the routes are there again with the first ADD" {
	single 2 ADD c1
	ip -n n2 route flush proto 105
	ln -sfn "owned 00000000 $(readlink "$BATS_TEST_TMPDIR/n2/addrpool-block-routes/incarnation") 1" "$BATS_TEST_TMPDIR"/n2/.addrpool/addrpool-block-routes/blocks/10*
	single 2 ADD c2
	routes 2 2
}
