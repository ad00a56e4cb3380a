#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Multus, which gives Kubernetes' pods more interfaces, with a real kube-apiserver. The tests call Multus as a
# node's runtime does. The cluster network is Go's ptp, the networks those of conf-examples/kubernetes.

load ../lib/cni
load ../lib/network
load ../lib/etcd
load ../lib/kubernetes
# each test loads it again
KUBE_DIR=${RUNNING_DIR:-} KUBE_URL=${RUNNING_URL:-}

EXAMPLES=$TOP/conf-examples/kubernetes
PODS=/api/v1/namespaces/default/pods
NETWORKS=/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions

# Kubernetes starts once, without controllers: the tests make the controllers' objects.
setup_file() {
	ip link set lo up
	kubernetes_start "$BATS_FILE_TMPDIR/kubernetes"
	export RUNNING_DIR=$KUBE_DIR RUNNING_URL=$KUBE_URL
	answers /api/v1/namespaces/default
	apply /api/v1/namespaces/default/serviceaccounts <<<'{"metadata": {"name": "default"}}'
	apply /apis/apiextensions.k8s.io/v1/customresourcedefinitions <"$TOP/test/runtimes/multus-crd.yaml"
	answers $NETWORKS
	apply $NETWORKS <"$EXAMPLES/multus/ipvlan-l2.yaml"
	apply $NETWORKS <"$EXAMPLES/multus/ipvlan-l3.yaml"
}

teardown_file() {
	kubernetes_stop
}

setup() {
	local multus
	export STUB_DIR=$BATS_TEST_TMPDIR NETWORK_RESULTS=$BATS_TEST_TMPDIR
	remove_network
	make_network
	sysctl -qw net.ipv4.ip_forward=1 # ptp would switch it on
	multus=$("$TOP/test/runtimes/get-multus")
	CNI_PATH+=:${multus%/*}
	cat >"$STUB_DIR/multus.conflist" <<-CONF
		{ "cniVersion": "1.0.0", "name": "multus-cni-network", "plugins": [ {
			"type": "multus", "kubeconfig": "$KUBE_DIR/admin.kubeconfig",
			"delegates": [ { "cniVersion": "1.0.0", "name": "cluster", "type": "ptp", "ipam": {
				"type": "host-local", "subnet": "10.244.0.0/24", "routes": [ { "dst": "0.0.0.0/0" } ] } } ] } ] }
	CONF
}

teardown() {
	kube DELETE $PODS >/dev/null
}

# apply PATH: creates the object on standard input, YAML or JSON. An unknown field is an error.
apply() {
	local certs=$KUBE_DIR/certs
	curl -sm 60 --fail-with-body --cacert "$certs/ca.crt" --cert "$certs/admin.crt" --key "$certs/admin.key" \
		-H 'Content-Type: application/yaml' --data-binary @- "$KUBE_URL$1?fieldValidation=Strict"
}

# answers PATH: waits until the API answers it.
answers() {
	for _ in {1..300}; do
		! kube GET "$1" >/dev/null || return 0
		sleep 0.1
	done
	kube GET "$1"
}

# pod NAME NETWORKS: a Pod with these networks; its namespace has its name.
pod() {
	apply $PODS >"$STUB_DIR/pod-$1" <<-POD
		metadata:
		  name: $1
		  annotations:
		    k8s.v1.cni.cncf.io/networks: '$2'
		spec:
		  containers:
		  - {name: main, image: none}
	POD
}

# multus VERB POD: calls Multus as a runtime does.
multus() {
	local uid
	uid=$(jq -r .metadata.uid "$STUB_DIR/pod-$2")
	export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=$2;K8S_POD_INFRA_CONTAINER_ID=$2;K8S_POD_UID=$uid"
	network "$1" "$STUB_DIR/multus.conflist" "$2"
}

# told POD NETWORK: interface and addresses of the network in the Pod's status.
told() {
	kube GET "$PODS/$1" | jq -r --arg name "$2" '.metadata.annotations["k8s.v1.cni.cncf.io/network-status"] |
		fromjson[] | select(.name == $name) | "\(.interface) \(.ips | join(" "))"'
}

# by POD INTERFACE ADDRESS: packets to the address and back use the interface.
by() {
	pings "$1" "$3"
	ip -n "$1" route get "$3" | grep -q "dev $2 "
}

@test "a pod has net1 of ipvlan beside eth0 of the cluster network, and the Pod's status has their addresses" {
	pod a ipvlan-l2
	multus ADD a
	[ "$(in_pod a '.[] | "\(.linkinfo.info_kind) \(.addr_info[0].local)"' -d -4 addr show net1)" = 'ipvlan 10.138.36.2' ]
	[ "$(told a default/ipvlan-l2)" = 'net1 10.138.36.2' ]
	[ "$(told a cluster)" = 'eth0 10.244.0.2' ]
	multus CHECK a
}

@test "pods reach each other and the LAN through net1, and the rest through the cluster network" {
	pod a ipvlan-l2
	pod b ipvlan-l2
	multus ADD a
	multus ADD b
	by a net1 10.138.36.3
	by b net1 10.138.36.2
	by a net1 10.138.36.66
	by a net1 39.156.66.10
	by a eth0 10.244.0.3
}

@test "an address requested by the annotation" {
	pod a '[{"name": "ipvlan-l2", "interface": "lan0", "ips": ["10.138.36.20"]}]'
	multus ADD a
	[ "$(told a default/ipvlan-l2)" = 'lan0 10.138.36.20' ]
	by a lan0 10.138.36.66
}

@test "the example of l3: the node and the LAN reach the pod through net1" {
	pod a ipvlan-l3
	multus ADD a
	[ "$(told a default/ipvlan-l3)" = 'net1 192.168.9.1' ]
	by a net1 10.138.36.58
	by a net1 10.138.36.66
	ping -n -c 1 -W 3 192.168.9.1
	ip route get 192.168.9.1 | grep -q 'dev ipva' # not via the LAN's router
}

@test "DEL removes everything, twice" {
	local before
	before=$(inventory)
	pod a ipvlan-l2
	pod b ipvlan-l3
	multus ADD a
	multus DEL a
	leaves_nothing "$before"
	multus DEL a
	multus ADD b
	multus DEL b
	leaves_nothing "$before"
}

@test "DEL removes everything when Pod and namespace are gone" {
	local before
	before=$(inventory)
	pod a ipvlan-l2
	multus ADD a
	kube DELETE $PODS/a >/dev/null
	ip netns del a
	multus DEL a
	ip netns add a
	leaves_nothing "$before"
}

@test "without the master Multus prints the reason, and the cluster network is removed too" {
	local before
	ip link set eth0 name gone0
	before=$(inventory)
	pod a ipvlan-l2
	run multus ADD a
	[ "$status" = 1 ]
	echo "$output"
	[[ $output = *ipvlan-l2*'failed to lookup master'*eth0* ]]
	run ! ip -n a link show eth0
	multus DEL a
	leaves_nothing "$before"
}
