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

# an_hour_passes [NAME]: for the node at hand: its blocks are counted at the next ADD, and it leaves a sign.
an_hour_passes() {
	rm -f "$OWN"/blocks/{counted,signed}
}

# pools: what ipvlanctl lists of the network, which is what addrpool does.
pools() {
	printf '%s' "$CONF" >"$BATS_TEST_TMPDIR/net.conf"
	"$BUILD/ipvlanctl" pools "$BATS_TEST_TMPDIR/net.conf"
}

# nodes: as they are listed: those that have been silent longest first.
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

@test "nodes are listed by their last sign of life, with how many blocks they have" {
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

@test "an ADD within the hour leaves none, and asks no more than without" {
	on a '"blockSize": 16'
	add c1
	before=$(sign a)
	sleep 1.1
	rm "$OWN/blocks/counted"
	add c2
	[ "$(sign a)" = "$before" ]
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

@test "a node that has released its blocks leaves no sign behind" {
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
