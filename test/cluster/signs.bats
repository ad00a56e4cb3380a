#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Which node is gone? `ipvlanctl pools` lists the nodes of a pool by their last sign of life.

load ../lib/cluster

setup() {
	make_places
	start_engine
}

teardown() {
	stop_engine
}

# an_hour_passes [NAME]: on the present node; at the next ADD the engine counts its blocks, and it leaves a sign.
an_hour_passes() {
	rm -f "$OWN"/blocks/{counted,signed}
}

# pools: the list of the network by ipvlanctl, which runs addrpool.
pools() {
	printf '%s' "$CONF" >"$BATS_TEST_TMPDIR/net.conf"
	"$BUILD/ipvlanctl" pools "$BATS_TEST_TMPDIR/net.conf"
}

# nodes: the listed nodes, the one with the oldest sign first.
nodes() {
	local listed
	listed=$(nodes_in < <(pools))
	[ "$listed" = "$(nodes_in < <("$BUILD/addrpool" <(printf '%s' "$CONF")))" ] || listed="not as addrpool has it: $listed"
	[ "$listed" = "$("$BUILD/addrpool" --json <(printf '%s' "$CONF") | jq -r '.[].cluster.nodes[] | "\(.node) \(.blocks)"' | xargs)" ] ||
		listed="not as JSON has it: $listed"
	echo "$listed"
}

nodes_in() {
	awk '/LAST SIGN OF LIFE/ { inside = 1; next } /^$/ { inside = 0 } inside { print $1, $2 }' | xargs
}

# sign NODE: the time of its last sign.
sign() {
	pools | awk -v node="$1" '/LAST SIGN OF LIFE/ { inside = 1 } inside && $1 == node { print $3; exit }'
}

@test "the list has the nodes by their last sign of life, with their numbers of blocks" {
	on b '"blockSize": 1'
	add c1
	sleep 1.1
	on a '"blockSize": 1'
	add c1
	add c2
	[ "$(nodes)" = 'b 1 a 2' ]
	sleep 1.1
	on b '"blockSize": 1'
	before=$(sign b)
	an_hour_passes
	add c2
	[ "$(nodes)" = "a 2 b 2" ]
	[[ $(sign b) > $before ]]
	[[ $(sign b) > $(sign a) ]]
}

# costs N ID: an ADD sends so many requests.
costs() {
	local before
	before=$(requests)
	add "$2"
	[ $(($(requests) - before)) = "$1" ] || { echo "$(($(requests) - before)) requests"; return 1; }
}

@test "an ADD within the hour leaves no sign, and sends no more requests" {
	on a '"blockSize": 16'
	add c1
	before=$(sign a)
	sleep 1.1
	rm "$OWN/blocks/counted"
	costs 1 c2 # the engine counts the node's blocks
	[ "$(sign a)" = "$before" ]
	costs 0 c5
	drops "$CONF" c5
	an_hour_passes
	add c3
	[[ $(sign a) > $before ]]
	claimed=$(claims a)
	rm "$OWN/blocks/counted"
	add c4 # the sign does not make the claim another's
	[ "$(claims a)" = "$claimed" ]
	for pod in c1 c2 c3 c4; do drops "$CONF" $pod; done
	[ -z "$(claims)" ]
}

@test "an ADD that claims a block sends two or three requests, and three if it counts the blocks first" {
	on a '"blockSize": 1'
	add c1
	sleep 2.1 # what was counted just before is not counted again
	case $CLUSTER in
	etcd) costs 2 c2 ;;
	kubernetes) costs 3 c2 ;;
	esac
	rm "$OWN/blocks/counted"
	costs 3 c3
}

@test "after a node has released its blocks the list has no sign of it" {
	on a '"blockSize": 1'
	add c1
	an_hour_passes
	add c2
	drops "$CONF" c1
	drops "$CONF" c2
	[ -z "$(nodes)" ]
	if [ "$CLUSTER" = etcd ]; then
		[ "$("$("$TOP/test/cluster/get-etcdctl")" --endpoints "$ETCD_URL" get --keys-only --prefix / | xargs)" = /ipvlan-cni/net/pool ]
	fi
}
