#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Identities move between three machines, with the real plugins and a real kube-apiserver. Calls are killed, machines die,
# DELs are lost, nodes are cut off, two nodes start a pod at once. MOVES is how many pods start (1000), SEED chooses what happens.

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
load ../lib/runtimes
load ../lib/etcd
load ../lib/kubernetes
load ../lib/node
load ../lib/machines

setup_file() {
	local node
	plugins_for_runtimes
	lan_start
	api_start
	export SERVER_PID=$KUBE_PID
	kubectl create namespace ipvlan-cni
	machine_script
	for node in "${NODES[@]}"; do
		machine_start "$node"
		mkdir -p "$MACHINES/$node/opt/cni/bin"
		cp "$BUILD"/static/{ipvlan,addrpool,addrpool-claim} "$MACHINES/$node/opt/cni/bin"
		conf_of "$node" >"$MACHINES/$node.json"
		kubectl create -f - <<<"{apiVersion: v1, kind: Node, metadata: {name: $node}}"
	done
}

teardown_file() {
	local node
	for node in "${NODES[@]}"; do
		[ ! -e "$MACHINES/$node.pid" ] || machine_kill "$node"
	done
	kubernetes_stop
}

# $MACHINES/machine FUNCTION...: for the driver
machine_script() {
	cat >$MACHINES/machine <<-SCRIPT
		TOP=$TOP RUNTIMES_DIR=$RUNTIMES_DIR
		exec 3>/dev/null
		. "$TOP/test/lib/node.bash"
		. "$TOP/test/lib/machines.bash"
		"\$@"
	SCRIPT
}

# conf_of NODE: what a runtime gives the plugin, by the set-up shared-l2 with a range set for identities
conf_of() {
	jq --arg node "$1" --arg file "$MACHINES/node.kubeconfig" '. as $list | .plugins[0] * {name: $list.name, cniVersion: "1.1.0", master: "eth0"}
		| .ipam.routes = [{dst: "0.0.0.0/0"}]
		| .ipam *= {sticky: "K8S_POD_NAMESPACE/K8S_POD_NAME",
			cluster: {node: $node, timeout: 2, kubernetes: {kubeconfig: $file, nodesGone: true}}}
		| .ipam.ranges[0][0] += {rangeStart: "10.138.37.16", rangeEnd: "10.138.37.47", identities: true}' \
		"$TOP/conf-examples/kubernetes/shared-l2/10-ipvlan.conflist"
}

# bats test_tags=often
@test "${MOVES:=1000} starts of pods on three machines: no address has two pods that live, no identity gets another address" {
	export MACHINES LAN_IP
	"$BATS_TEST_DIRNAME/many-moves" --seed "${SEED:-1}" "$MOVES" $MACHINES/machine "${NODES[@]}" >&3
}
