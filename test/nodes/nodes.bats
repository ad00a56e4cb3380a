#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A cluster of three nodes with ipvlan as its network, in l2 with a pool that the nodes share: from nodes without a network
# to the removal. The tests are steps of one story. PODS is the number of pods of the Deployment (60).

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
load ../lib/runtimes
load ../lib/etcd
load ../lib/kubernetes
load ../lib/node
load ../lib/machines

PODS=${PODS:-60}
NODES=(node1 node2 node3)
NETWORK=cluster

address_of() {
	echo "10.138.36.6${1#node}"
}

setup_file() {
	local node
	plugins_for_runtimes
	export PATH=$RUNTIMES/sid/usr/bin:$PATH
	lan_start
	for node in pause busybox; do
		mv "$(image "docker.io/local/$node:1")" $MACHINES/images/$node.tar
	done
	cp "$BUILD/image.tar" $MACHINES/images/ipvlan-cni.tar
	control_start
	for node in "${NODES[@]}"; do
		node_begins "$node"
	done
	until_true nodes_are 3 NotReady
	files_of_nodes >$MACHINES/before
}

teardown_file() {
	local node
	figures >&3
	for node in "${NODES[@]}"; do
		[ ! -e "$MACHINES/$node.pid" ] || machine_kill "$node"
	done
	node_stop
}

# node_begins NODE: starts the machine, with the plugins that a distribution installs, and its kubelet
node_begins() {
	machine_start "$1" "$(address_of "$1")"
	mkdir -p "$MACHINES/$1"/{opt/cni/bin,etc/cni/net.d}
	cp "$GO_PLUGINS"/{loopback,ipvlan,host-local} "$MACHINES/$1/opt/cni/bin"
	join "$1" "$(address_of "$1")"
}

# nodes_are NUMBER STATUS
nodes_are() {
	[ "$(kubectl get nodes --no-headers | grep -cw "$2")" = "$1" ]
}

files_of_nodes() {
	(cd $MACHINES && find node?/{opt,etc}/cni -type f -exec sha256sum {} + | sort)
}

# What happened in all tests together. kube-apiserver keeps events for an hour.
figures() {
	kubectl get events -A -o json | jq -r '[.items[] | {reason, n: (.count // 1)}] | group_by(.reason) |
		map({reason: .[0].reason, n: (map(.n) | add)}) | sort_by(-.n) |
		"# events: \(map(.n) | add): \(map("\(.n) \(.reason)") | join(", "))"'
	echo "# nodes: ${#NODES[@]}, pods of the Deployment: $PODS, seconds: $SECONDS"
}

# web REPLICAS: a Deployment of web servers, which answer their name and are probed for readiness
web() {
	kubectl apply -f - <<-YAML
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: web}
		spec:
		  replicas: $1
		  selector: {matchLabels: {app: web}}
		  template:
		    metadata:
		      labels: {app: web}
		    spec:
		      terminationGracePeriodSeconds: 1
		      containers:
		      - name: web
		        image: docker.io/local/busybox:1
		        command: [sh, -c, 'hostname >/tmp/index.html; exec httpd -f -h /tmp']
		        readinessProbe: {httpGet: {port: 80}, periodSeconds: 5, timeoutSeconds: 5}
	YAML
	until_true kubectl rollout status deployment/web --timeout=1s
}

# pods [--namespace=NAME]: name, address and node of each pod that runs in the network
pods() {
	kubectl get pods "${1:---all-namespaces}" -o json 2>/dev/null | jq -r '.items[] |
		select(.spec.hostNetwork != true and .status.podIP and .metadata.deletionTimestamp == null) |
		"\(.metadata.name) \(.status.podIP) \(.spec.nodeName)"'
}

# on_node NODE: name and address of a pod there
on_node() {
	pods --namespace=default | awk -v node="$1" '$3 == node { print $1, $2; exit }'
}

# leases NODE...: addresses that the leases of these nodes have; without NODE, those of all
leases() {
	local node
	[ $# -gt 0 ] || set -- "${NODES[@]}"
	for node; do
		find "$MACHINES/$node/var/lib/cni/networks/$NETWORK" -name '[0-9]*' -printf '%f\n' 2>/dev/null || :
	done | sort
}

# The leases of all nodes are exactly the addresses of the pods: no address is lost or given twice.
leases_are_right() {
	diff <(leases) <(pods | cut -d' ' -f2 | sort)
}

# get POD ADDRESS: what the web server answers the pod
get() {
	timeout 20 kubectl exec "$1" -- wget -qO- "http://$2"
}

no_pods() {
	[ -z "$(pods)" ]
}

installed() {
	kubectl -n ipvlan-cni rollout status daemonset/ipvlan-node --timeout=1s | grep -q successfully
}

@test "kubectl apply -k: the programs and the network are on three nodes, and all are Ready" {
	kubectl apply -k "$TOP/conf-examples/kubernetes/shared-l2"
	until_true installed
	until_true nodes_are 3 Ready
}

@test "$PODS pods on three nodes: each has an address of its own, and nodes, pods and LAN reach each other" {
	local from to name other ip
	web "$PODS"
	[ "$(pods | wc -l)" = "$PODS" ]
	until_true leases_are_right
	for from in "${NODES[@]}"; do
		read -r name _ < <(on_node "$from")
		for to in "${NODES[@]}"; do
			read -r other ip < <(pods | awk -v node="$to" -v not="$name" '$3 == node && $1 != not { print $1, $2; exit }')
			[ "$(get "$name" "$ip")" = "$other" ]
			[ "$(on "$from" curl -sm 10 "http://$ip")" = "$other" ]
			[ "$(curl -sm 10 "http://$ip")" = "$other" ]
		done
		kubectl exec "$name" -- ping -c 1 -W 10 39.156.66.10
		kubectl exec "$name" -- ping -c 1 -W 10 "$(address_of "$from")"
	done
}

@test "kubectl delete -k: each node has the files of before, and no interface, route, filter or lease is left" {
	local node
	kubectl delete deployment web
	until_true no_pods
	until_true leases_are_right
	kubectl delete -k "$TOP/conf-examples/kubernetes/shared-l2"
	until_true as_before
	for node in "${NODES[@]}"; do
		[ -z "$(on "$node" ip -d -br link show type ipvlan)" ]
		[ -z "$(on "$node" ip route show table all proto 105)" ]
		[ -z "$(on "$node" tc filter show dev eth0 egress)" ]
	done
}

as_before() {
	diff $MACHINES/before <(files_of_nodes)
}
