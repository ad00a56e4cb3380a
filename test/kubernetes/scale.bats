#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The cost of a claim by Kubernetes when many blocks are taken, and of many nodes' at once. No times, since they depend on the machine.

export CLUSTER=kubernetes
load ../lib/cluster
load ../lib/claims

setup() {
	make_places
	# shellcheck disable=SC2034 # for lib/etcd.bash
	ETCD_OPTIONS=(--max-txn-ops 10000 --max-request-bytes $((32 << 20)))
	start_engine
	scratch=$BATS_TEST_TMPDIR
	# shellcheck disable=SC2034 # for lib/claims.bash
	engine="{\"kubernetes\": {\"kubeconfig\": \"$KUBE_DIR/admin.kubeconfig\"}}"
}

teardown() {
	stop_engine
}

# claims_of [OPTION...] NODES: new nodes claim a block each; what it cost is in the file costs.
claims_of() {
	"$BUILD/tools/claims" "$@" "$scratch/nodes" "n$RANDOM" "$CONF" >"$scratch/costs"
	rm -rf "$scratch/nodes"
	jq -sc '{ claims: length, calls: map(.calls) | max, bytes: map(.bytes) | max, listed: map(.listed) | add, msgs: map(.msg) | unique }' "$scratch/costs" | sed 's/^/# /' >&3
}

# all CONDITION: it holds for each claim
all() {
	[ -s "$scratch/costs" ]
	jq -se "map(($1) and .calls > 0 and .bytes > 0) | all" "$scratch/costs"
}

@test "a new node's claim takes three calls and eight KiB, with none and with 10000 Leases; of 50 at once none fails" {
	configure large 65536
	begin_pool kubernetes
	claims_of -p 1 10
	all '.code == 0 and .calls <= 3 and .bytes <= 8192 and .listed == 0'
	fill kubernetes 0 10000
	claims_of -p 1 20
	all '.code == 0 and .calls <= 3 and .bytes <= 8192 and .listed == 0'
	claims_of 50
	all '.code == 0 and .calls <= 4 and .listed == 0'
}

@test "in a pool that is 80 % full a new node's claim takes three calls and eight KiB, and none lists all blocks" {
	configure fuller 4096
	begin_pool kubernetes
	fill kubernetes 0 3276
	claims_of -p 1 40
	all '.code == 0 and .calls <= 3 and .bytes <= 8192 and .listed == 0'
}

@test "in a pool that is 98 % full each of 20 new nodes gets one of the last 82 blocks" {
	configure full 4096
	begin_pool kubernetes
	fill kubernetes 0 4014
	claims_of -p 1 20
	all '.code == 0'
	jq -se '(map(.calls) | add) / length <= 6' "$scratch/costs"
}
