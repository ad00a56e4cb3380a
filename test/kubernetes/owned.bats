#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# "ownedByNode": the cluster's garbage collector deletes a node's claims with its Node object.

export CLUSTER=kubernetes
load ../lib/cluster

setup() {
	make_places
	start_engine
	ENGINE="\"kubernetes\": {\"kubeconfig\": \"$KUBE_DIR/admin.kubeconfig\", \"ownedByNode\": true}"
}

teardown() {
	[ -z "${COLLECTOR:-}" ] || kill "$COLLECTOR"
	stop_engine
}

start_collector() {
	setpriv --pdeathsig KILL "$("$TOP/test/cluster/get-kubernetes")/kube-controller-manager" \
		--kubeconfig "$KUBE_DIR/admin.kubeconfig" --controllers garbage-collector-controller --leader-elect=false \
		--secure-port 0 >"$KUBE_DIR/collector" 2>&1 3>&- &
	COLLECTOR=$!
}

node_object() { # NAME
	jq -n --arg name "$1" '{apiVersion: "v1", kind: "Node", metadata: {name: $name}}' >"$KUBE_DIR/object"
	kube POST /api/v1/nodes "$KUBE_DIR/object" | jq -r .metadata.uid
}

# ended NODE: deletes its Node object, as an autoscaler does, and waits for the garbage collector.
ended() {
	kube DELETE "/api/v1/nodes/$1" >/dev/null
	for _ in {1..600}; do
		[ -n "$(claims "$1")" ] || return 0
		sleep 0.1
	done
	tail -n 5 "$KUBE_DIR/collector"
	return 1
}

# owners: the uid of the Node object that owns each block.
owners() {
	kube GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases |
		jq -r '.items[] | select(.metadata.name != "net-pool") | [.metadata.ownerReferences[]? | .kind + " " + .uid] | join(" ")' | xargs
}

a_minute_passes() {
	rm -f "$OWN/blocks/counted"
}

@test "a node loses its blocks when its Node object is deleted, and other nodes get them" {
	start_collector
	node_object a
	node_object b
	on a '"blockSize": 4' '"subnet": "10.9.0.0/29"'
	for i in {1..5}; do
		add "c$i"
	done
	on b '"blockSize": 4' '"subnet": "10.9.0.0/29"'
	pool ADD "$CONF" c1
	fails 11 'no block of pool net is free'
	ended a
	a_minute_passes
	rm -f "$OWN/blocks/exhausted.0" # which is remembered for five seconds
	add c1
	[ "$(claims b | wc -w)" = 1 ]
}

@test "the pool's record stays, and so do the blocks of a network without the key" {
	start_collector
	node_object a
	on a
	add c1
	ENGINE="\"kubernetes\": {\"kubeconfig\": \"$KUBE_DIR/admin.kubeconfig\"}"
	on b
	add c1
	ended a
	[ "$(claims b | wc -w)" = 1 ]
	kube GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/net-pool >/dev/null
}

@test "a node whose Node object is gone assigns no address of a block that another node now has, however long that lasts" {
	local first block
	start_collector
	node_object a
	node_object b
	on a
	add c1
	first=$ADDRESS block=$(own)
	ended a
	on b
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$first/24\"]}}" c1
	succeeds
	on a
	for i in 2 3; do
		a_minute_passes
		pool ADD "$CONF" "c$i"
		fails 7 'Kubernetes has no Node object called a'
	done
	leased "$first"
	node_object a
	add c4
	[[ $stderr = *"block $block no longer belongs to node a, but to b"* ]]
	[ "$(own)" = "$(claims a)" ] && [ "$(claims b)" = "$block" ]
}

@test "a node that registers again claims its blocks again, for the new Node object" {
	start_collector
	node_object a
	on a
	add c1
	before=$(own)
	ended a
	fresh=$(node_object a)
	a_minute_passes
	add c2
	[ "$(claims a)" = "$before" ]
	[ "$(owners)" = "Node $fresh" ]
}

@test "older claims get the Node object as owner within a minute, and lose it without the key" {
	uid=$(node_object a)
	with=$ENGINE
	ENGINE="\"kubernetes\": {\"kubeconfig\": \"$KUBE_DIR/admin.kubeconfig\"}"
	on a '"blockSize": 1'
	add c1
	add c2
	[ -z "$(owners)" ]
	ENGINE=$with
	on a '"blockSize": 1'
	a_minute_passes
	add c3
	[ "$(owners)" = "Node $uid Node $uid Node $uid" ]
	ENGINE="\"kubernetes\": {\"kubeconfig\": \"$KUBE_DIR/admin.kubeconfig\"}"
	on a '"blockSize": 1'
	a_minute_passes
	add c4
	[ -z "$(owners)" ]
	[ "$(own)" = "$(claims a)" ]
}

@test "the name of a node may have 253 characters" {
	local name
	name=$(printf 'node-%.0s' {1..50})abc
	node_object "$name" >/dev/null
	on "$name"
	add c1
	[ "$(claims "$name" | wc -w)" = 1 ]
	on "${name}d"
	pool ADD "$CONF" c1
	fails 7 "\"${name}d\" cannot be the name of a Node object"
}

@test "without a Node object of that name: error 7 that reports that, and no block" {
	on a
	pool ADD "$CONF" c1
	fails 7 'Kubernetes has no Node object called a'
	[[ $output = *ipam.cluster.node* ]]
	[ -z "$(claims)" ]
}

@test "the example requires the right to read Node objects, which its second file of rights has" {
	node_object a
	CONF=$(jq -c --arg kubeconfig "$KUBE_DIR/token.kubeconfig" --arg dir "$BATS_TEST_TMPDIR/a" '{cniVersion, name, ipam: .plugins[0].ipam} |
		.ipam.dataDir = $dir | .ipam.cluster.node = "a" | .ipam.cluster.kubernetes.kubeconfig = $kubeconfig' \
		"$TOP/conf-examples/addrpool-kubernetes-owned-by-node.conflist")
	for rights in addrpool-kubernetes-rbac addrpool-kubernetes-nodes-rbac; do
		pool ADD "$CONF" c1
		fails 7
		[[ $output = *"HTTP 403"* ]]
		# for the user of the token, which is not a service account
		jq '(.items[] | select(.subjects) | .subjects) = [{kind: "User", name: "addrpool"}]' \
			"$TOP/conf-examples/$rights.json" >"$KUBE_DIR/rights"
		kube_apply "$KUBE_DIR/rights"
	done
	[[ $output = *nodes* ]]
	add c1
}
