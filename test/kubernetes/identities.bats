#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# "nodesGone": what Kubernetes says of a node decides whether its workloads may start elsewhere.

# shellcheck disable=SC2034 # CONF, ENGINE and PLUGIN are for ../lib
export CLUSTER=kubernetes
load ../lib/cluster

SETS='"sticky": "K8S_POD_NAMESPACE/K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]'
NODES=/api/v1/nodes

setup() {
	make_places
	start_engine
	ENGINE="\"kubernetes\": {\"kubeconfig\": \"$KUBE_DIR/admin.kubeconfig\", \"nodesGone\": true}"
}

teardown() {
	stop_engine
}

node_object() { # NAME [TAINT]
	jq -n --arg name "$1" '{apiVersion: "v1", kind: "Node", metadata: {name: $name}}' >"$KUBE_DIR/object"
	kube POST $NODES "$KUBE_DIR/object" >/dev/null
}

taint() { # NODE
	kube GET "$NODES/$1" | jq '.spec.taints = [{key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute"}]' >"$KUBE_DIR/object"
	kube PUT "$NODES/$1" "$KUBE_DIR/object" >/dev/null
}

start() { # CONTAINER
	CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_UID=$1" pool ADD "$CONF" "$1"
}

# on_dead_node: web-0 has run on node a, which no longer answers.
on_dead_node() {
	node_object a
	node_object b
	on a '' "$SETS"
	start old
	succeeds
	FIRST=$(address)
	on b '' "$SETS"
}

@test "a StatefulSet's pod that was deleted by force on a dead node starts elsewhere when the node is tainted out-of-service" {
	on_dead_node
	# its Pod object is gone already: there is none here. That is not proof.
	start new
	fails 11 'identity net default/web-0 is held on node a by container old since 20'
	taint a
	start new
	succeeds
	[ "$(address)" = "$FIRST" ]
	# a comes back, and its runtime makes up for the DEL
	on a '' "$SETS"
	drops "$CONF" old
	"$BUILD/addrpool-claim" identities <<<"$CONF" >"$BATS_TEST_TMPDIR/list"
	[ "$(jq -r '.[].holder | .node + " " + .container' "$BATS_TEST_TMPDIR/list")" = "b new" ]
}

@test "or when a Node object with a name of 253 characters is deleted" {
	local name
	name=$(printf 'node-%.0s' {1..50})abc
	node_object b
	on "$name" '' "$SETS"
	start old
	succeeds
	on b '' "$SETS"
	start new # there is no such Node object
	succeeds
}

@test "nodes whose names in the pool are not those of Node objects: no holder counts as gone, and ADD fails with 7" {
	node_object a.example.org
	node_object b.example.org
	on a '' "$SETS"
	start old
	succeeds
	on b '' "$SETS"
	start new
	fails 7 'Kubernetes has no Node object called b, which ipam.cluster.kubernetes.nodesGone requires'
	[ "$("$BUILD/addrpool-claim" identities <<<"$CONF" | jq -r '.[].holder.container')" = old ]
}

@test "or when its Node object is deleted; without the key, not even then" {
	on_dead_node
	kube DELETE "$NODES/a" >/dev/null
	with=$CONF
	CONF=$(jq -c 'del(.ipam.cluster.kubernetes.nodesGone)' <<<"$CONF")
	start new
	fails 11 'is held on node a'
	CONF=$with
	start new
	succeeds
	[ "$(address)" = "$FIRST" ]
}

# node_reads: how many Node objects have been read.
node_reads() {
	local certs=$KUBE_DIR/certs
	curl -sm 10 --cacert "$certs/ca.crt" --cert "$certs/admin.crt" --key "$certs/admin.key" "$KUBE_URL/metrics" |
		awk '/^apiserver_request_total.*resource="nodes"/ && /verb="GET"/ { n += $NF } END { print n + 0 }'
}

@test "a Node object is read once for a move, and not at all while nobody else has the identity" {
	on_dead_node
	before=$(node_reads)
	start new
	fails 11 'is held on node a'
	[ "$(($(node_reads) - before))" = 1 ] # it exists
	on a '' "$SETS"
	drops "$CONF" old
	on b '' "$SETS"
	start new
	succeeds
	[ "$(($(node_reads) - before))" = 1 ]
}

@test "the right to read Node objects is required for moves alone, and its file of rights has it" {
	rights addrpool-kubernetes-rbac
	ENGINE="\"kubernetes\": {\"kubeconfig\": \"$KUBE_DIR/token.kubeconfig\", \"namespace\": \"ipvlan-cni\", \"nodesGone\": true}"
	on_dead_node
	start new
	fails 7 'HTTP 403'
	[[ $output = *nodes* ]]
	rights addrpool-kubernetes-nodes-rbac
	start new
	fails 11 'is held on node a'
}

rights() { # FILE: for the user of the token, who is not a service account
	jq '(.items[] | select(.subjects) | .subjects) = [{kind: "User", name: "addrpool"}]' "$TOP/conf-examples/$1.json" >"$KUBE_DIR/rights"
	kube_apply "$KUBE_DIR/rights"
}

@test "the example of a StatefulSet: kube-apiserver accepts it, and a pod of it has an address of the range set" {
	local certs=$KUBE_DIR/certs example=$TOP/conf-examples/kubernetes/statefulset.yaml
	jq -n '{apiVersion: "v1", kind: "Namespace", metadata: {name: "db"}}' >"$KUBE_DIR/object"
	kube POST /api/v1/namespaces "$KUBE_DIR/object" >/dev/null
	curl -sm 10 --fail-with-body --cacert "$certs/ca.crt" --cert "$certs/admin.crt" --key "$certs/admin.key" -H 'Content-Type: application/yaml' \
		--data-binary "@$example" "$KUBE_URL/apis/apps/v1/namespaces/db/statefulsets?fieldValidation=Strict" >"$BATS_TEST_TMPDIR/made"
	name=$(jq -r '.metadata.name' "$BATS_TEST_TMPDIR/made")
	conf_of() {
		jq -c --arg kubeconfig "$KUBE_DIR/admin.kubeconfig" --arg node "$1" --arg dir "$BATS_TEST_TMPDIR/$1" '{cniVersion, name, ipam: .plugins[0].ipam} |
			.ipam.dataDir = $dir | .ipam.cluster = {kubernetes: {kubeconfig: $kubeconfig}, node: $node}' "$TOP/conf-examples/addrpool-identities.conflist"
	}
	export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=db;K8S_POD_NAME=$name-0"
	pool ADD "$(conf_of a)" c1
	succeeds
	first=$(address)
	[[ $first = 10.138.36.@(1[6-9]|2[0-9]|3[01]) ]]
	pool ADD "$(conf_of b)" c2
	fails 11 "identity addrpool-identities db/$name-0 is held on node a"
	drops "$(conf_of a)" c1
	pool ADD "$(conf_of b)" c2
	succeeds
	[ "$(address)" = "$first" ]
}
