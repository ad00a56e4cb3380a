#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A node of Kubernetes with ipvlan as its cluster network, from its state without a network: the set-up "programs", the
# network and the networks for Multus of conf-examples/kubernetes, with kubectl, as
# conf-examples/kubernetes/README.md explains. set-up.bats has the set-up with a shared pool.

load ../lib/cni
load ../lib/runtimes
load ../lib/etcd
load ../lib/kubernetes
load ../lib/node

EXAMPLES=$TOP/conf-examples/kubernetes

setup_file() {
	remove_network
	make_network
	plugins_for_runtimes
	rm /opt/cni/bin/{ipvlan,addrpool,addrpool-claim}
	containerd_start sid
	ctr -n k8s.io images import --snapshotter overlayfs "$BUILD/image.tar" >/dev/null
	node_start
	kubectl apply -k "$EXAMPLES/programs"
	until_true kubectl -n ipvlan-cni rollout status daemonset/ipvlan-node --timeout=1s
	kubectl get node node | grep -q NotReady
	cp "$EXAMPLES/cluster-network.conflist" /etc/cni/net.d/10-cluster.conflist
	until_true node_is_ready
	inventory >"$BATS_FILE_TMPDIR/before"
}

teardown_file() {
	kubectl delete -k "$EXAMPLES/programs"
	until_true no_container # containers that are left hold descriptors for which bats waits
	node_stop
	pkill -x containerd # also one that a test has started
}

# replaces cni.bash's functions: the node exists through all tests
setup() {
	:
}

teardown() {
	kubectl delete --all deployment,pod --grace-period=1 >/dev/null
	until_true nobody_left
}

@test "the DaemonSet has installed the programs, and the node is ready once it has a network configuration" {
	cmp "$BUILD/static/ipvlan" /opt/cni/bin/ipvlan
	cmp "$BUILD/static/addrpool" /opt/cni/bin/addrpool
	[ "$(kubectl -n ipvlan-cni get daemonset ipvlan-node -o jsonpath='{.status.numberReady}')" = 1 ]
}

@test "pods reach each other, the node and the LAN; the kubelet and the LAN reach them" {
	deploy web 2
	[ "$(leases cluster)" = "$(pods_of web .status.podIP | sort -V | xargs)" ]
	reach_each_other web
}

@test "a Service: pods reach it by its cluster IP, also the pod behind it" {
	deploy web 1
	deploy client 1
	kubectl expose deployment web --port 80
	until_true service_answers "$(pods_of web .metadata.name)" "$(kubectl get service web -o jsonpath='{.spec.clusterIP}')"
	kubectl delete service web
}

@test "nothing of deleted pods is left: interfaces, addresses, objects on the node" {
	deploy web 2
	kubectl delete deployment web
	until_true nobody_left
	leaves_nothing "$(<"$BATS_FILE_TMPDIR/before")"
}

@test "twenty pods at once, then none" {
	deploy web 20
	[ "$(pods_of web .status.podIP | sort -u | wc -l)" = 20 ]
	kubectl scale deployment web --replicas=0
	until_true nobody_left
	leaves_nothing "$(<"$BATS_FILE_TMPDIR/before")"
}

@test "containerd is killed, and the pods are deleted meanwhile: nothing is left" {
	deploy web 2
	pkill -KILL -x containerd
	kubectl scale deployment web --replicas=0
	sleep 3
	[ "$(leases cluster | wc -w)" = 2 ]
	containerd_run
	until_true nobody_left
	leaves_nothing "$(<"$BATS_FILE_TMPDIR/before")"
}

@test "a node without a network configuration: pods wait, and kubectl prints the reason" {
	mv /etc/cni/net.d/10-cluster.conflist "$BATS_TEST_TMPDIR"
	until_true sh -c 'kubectl get node node | grep NotReady'
	mv "$BATS_TEST_TMPDIR/10-cluster.conflist" /etc/cni/net.d
	until_true node_is_ready
}

@test "a failed ADD: kubectl prints the reason, and the pod starts after the repair" {
	ip link set eth0 name gone0
	kubectl run one --image docker.io/local/busybox:1 -- sleep 1000
	until_true sh -c "kubectl describe pod one | grep 'failed to lookup master'"
	ip link set gone0 name eth0
	until_true kubectl wait --for condition=Ready pod/one --timeout=1s
}

@test "a full range: the node stays ready and its pods stay; the next pod waits, and starts when another one ends" {
	# with 1.1.0 containerd calls STATUS for each question of the kubelet
	jq '.cniVersion = "1.1.0" | .plugins[0].ipam.ranges[0][0].rangeEnd = "10.138.37.3"' "$EXAMPLES/cluster-network.conflist" \
		>/etc/cni/net.d/10-cluster.conflist
	sleep 2
	deploy web 2
	kubectl run next --image docker.io/local/busybox:1 -- sleep 1000
	until_true sh -c "kubectl describe pod next | grep 'no IP addresses available'"
	sleep 15
	node_is_ready
	[ -z "$(kubectl get node node -o jsonpath='{.spec.taints}')" ]
	[ "$(pods_of web '.status.phase}{.status.containerStatuses[0].restartCount' | sort -u)" = Running0 ]
	kubectl scale deployment web --replicas=1
	until_true kubectl wait --for condition=Ready pod/next --timeout=1s
	cp "$EXAMPLES/cluster-network.conflist" /etc/cni/net.d/10-cluster.conflist
	sleep 2
}

# multus_on: adds Multus; the cluster network does not change
multus_on() {
	kubectl apply -f "$TOP/test/runtimes/multus-crd.yaml"
	until_true kubectl get network-attachment-definitions
	kubectl apply -f "$EXAMPLES/multus/ipvlan-l2.yaml"
	cp "$("$TOP/test/runtimes/get-multus")" /opt/cni/bin
	jq --arg kubeconfig "$KUBECONFIG" '{ cniVersion, name: "multus-cni-network", plugins: [ {
		type: "multus", kubeconfig: $kubeconfig, delegates: [ . ] } ] }' \
		"$EXAMPLES/cluster-network.conflist" >/etc/cni/net.d/00-multus.conflist
	sleep 2 # containerd reads it after a delay
}

@test "with Multus: net1 on the LAN beside eth0, also in the pod's status; deletion leaves nothing" {
	local pod address
	multus_on
	deploy web 2 'k8s.v1.cni.cncf.io/networks: ipvlan-l2'
	pod=$(pods_of web .metadata.name | head -n 1)
	address=$(kubectl get pod "$pod" -o json | jq -r '.metadata.annotations["k8s.v1.cni.cncf.io/network-status"] |
		fromjson[] | select(.name == "default/ipvlan-l2" and .interface == "net1") | .ips[0]')
	kubectl exec "$pod" -- ip -4 addr show net1 | grep -F "inet $address/23"
	[ "$(leases ipvlan-l2 | wc -w)" = 2 ]
	[ "$(leases cluster | wc -w)" = 2 ]
	[ "$(ip netns exec lan curl -sm 5 "http://$address")" = "$pod" ]
	kubectl exec "$pod" -- ping -c 1 -W 3 -I net1 39.156.66.10
	kubectl delete deployment web
	until_true nobody_left
	rm /etc/cni/net.d/00-multus.conflist
	leaves_nothing "$(<"$BATS_FILE_TMPDIR/before")"
}
