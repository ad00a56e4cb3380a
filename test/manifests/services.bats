#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# services.nft of conf-examples/kubernetes with kube-apiserver and kube-proxy: Services without --masquerade-all. Two namespaces
# on a bridge stand for pods in l2: they answer each other directly, past the node.

load ../lib/etcd
load ../lib/kubernetes

export NODE=10.138.36.58 SERVICE=10.96.0.50

# pod NUMBER: in the namespace services-NUMBER, with the address 10.138.37.NUMBER
pod() {
	ip netns add "services-$1"
	ip link add "pod$1" type veth peer name eth0 netns "services-$1"
	ip link set "pod$1" master lan up
	ip -n "services-$1" -batch - <<-EOF
		addr add 10.138.37.$1/23 dev eth0
		link set eth0 up
		link set lo up
		route add 10.96.0.0/16 via $NODE
	EOF
}

setup_file() {
	KUBERNETES=$("$TOP/test/cluster/get-kubernetes")
	ip -batch - <<-EOF
		link add lan type bridge
		addr add $NODE/23 dev lan
		link set lan up
		link set lo up
	EOF
	sysctl -qw net.ipv4.ip_forward=1
	# frames that the bridge forwards are none of netfilter's
	[ ! -d /proc/sys/net/bridge ] || sysctl -qw net.bridge.bridge-nf-call-iptables=0
	pod 2
	pod 3
	mkdir "$BATS_FILE_TMPDIR/www"
	echo hello >"$BATS_FILE_TMPDIR/www/index.html"
	setpriv --pdeathsig KILL ip netns exec services-3 python3 -m http.server -d "$BATS_FILE_TMPDIR/www" 80 >/dev/null 2>&1 3>&- &
	SERVER_NAMES=",IP:$NODE" kubernetes_start "$BATS_FILE_TMPDIR/kubernetes" --bind-address 0.0.0.0 --advertise-address $NODE
	export KUBERNETES KUBECONFIG=$BATS_FILE_TMPDIR/admin API_PID=$KUBE_PID API_ETCD=$ETCD_PID
	sed 's/namespace: kube-system/namespace: default/' "$KUBE_DIR/admin.kubeconfig" >"$KUBECONFIG"
	"$KUBERNETES/kubectl" apply -f - <<-YAML
		{apiVersion: v1, kind: Node, metadata: {name: node}}
		---
		{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: $SERVICE, ports: [{port: 80}]}}
		---
		apiVersion: discovery.k8s.io/v1
		kind: EndpointSlice
		metadata: {name: web, labels: {kubernetes.io/service-name: web}}
		addressType: IPv4
		ports: [{port: 80, protocol: TCP}]
		endpoints: [{addresses: [10.138.37.3], conditions: {ready: true}, nodeName: node}]
	YAML
}

teardown_file() {
	ip netns del services-2
	ip netns del services-3
	kill "$API_PID" "$API_ETCD"
}

teardown() {
	kill "$PROXY"
	wait "$PROXY" || :
	nft flush ruleset # of this mode of kube-proxy
}

# proxy MODE: kube-proxy
proxy() {
	setpriv --pdeathsig KILL "$KUBERNETES/kube-proxy" --kubeconfig "$KUBECONFIG" --hostname-override node --bind-address $NODE \
		--proxy-mode "$1" --conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0 \
		--conntrack-tcp-timeout-close-wait 0 >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	PROXY=$!
}

# asks POD: the Service
asks() {
	[ "$(ip netns exec "services-$1" curl -sm 3 "http://$SERVICE")" = hello ]
}

# soon_asks POD
soon_asks() {
	for _ in {1..40}; do
		! asks "$1" || return 0
		sleep 1
	done
	tail -n 5 "$BATS_TEST_TMPDIR/log"
	return 1
}

works_with() {
	proxy "$1"
	nft -f "$TOP/conf-examples/kubernetes/services.nft"
	soon_asks 2
	asks 3 # the pod behind it
	nft delete table inet ipvlan_services
	run asks 2
	[ "$status" != 0 ]
	nft -f "$TOP/conf-examples/kubernetes/services.nft"
	nft -f "$TOP/conf-examples/kubernetes/services.nft" # again, as after a change
	asks 2
}

@test "kube-proxy in its mode iptables: pods reach a Service with services.nft, and not without" {
	works_with iptables
}

@test "kube-proxy in its mode nftables: the same" {
	works_with nftables
}
