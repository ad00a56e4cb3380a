#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A cluster of three nodes with ipvlan as its network: from nodes without a network, through what happens in the life of
# a cluster, to the removal. The tests are steps of one story, first in l2 with a pool that the nodes share, then in l3
# with BIRD between the nodes. The tests with the tag "often" are a short story of their own. PODS is the number of pods
# of the Deployment (12), which has at most 12 after the rolling update.

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
load ../lib/runtimes
load ../lib/etcd
load ../lib/kubernetes
load ../lib/node
load ../lib/machines

PODS=${PODS:-12}
FEWER=$((PODS < 12 ? PODS : 12)) # so many are left for the tests after the rolling update
export PROBE_SECONDS=5 PATIENCE=$((400 + 20 * PODS)) # many pods have one processor
NETWORK=cluster
EXAMPLES=$MACHINES/examples

setup_file() {
	local node
	plugins_for_runtimes
	export PATH=$RUNTIMES/sid/usr/bin:$PATH
	lan_start
	for node in pause busybox; do
		mv "$(image "docker.io/local/$node:1")" $MACHINES/images/$node.tar
	done
	cp "$BUILD/image.tar" $MACHINES/images/ipvlan-cni.tar
	cp -r "$TOP/conf-examples/kubernetes" $EXAMPLES
	control_start --default-not-ready-toleration-seconds 10 --default-unreachable-toleration-seconds 10 --event-ttl 24h
	export KUBERNETES SERVER_PID=$KUBE_PID SERVER_URL=$KUBE_URL
	for node in "${NODES[@]}"; do
		node_begins "$node"
	done
	until_true nodes_are 3 NotReady
	files_of_nodes >$MACHINES/before
}

teardown_file() {
	local node
	figures >&3
	[ ! -e $MACHINES/birds ] || xargs kill -KILL <$MACHINES/birds || : # else bats waits for them
	for node in "${NODES[@]}"; do
		[ ! -e "$MACHINES/$node.pid" ] || machine_kill "$node"
	done
	node_stop
}

# import NODE FILE: an image
import() {
	on "$1" ctr -n k8s.io images import --snapshotter overlayfs "$2"
}

# node_begins NODE: starts the machine, with the plugins that a distribution installs, and its kubelet
node_begins() {
	machine_start "$1"
	mkdir -p "$MACHINES/$1"/{opt/cni/bin,etc/cni/net.d}
	cp "$GO_PLUGINS"/{loopback,ipvlan,host-local} "$MACHINES/$1/opt/cni/bin"
	join "$1"
}

# nodes_are NUMBER STATUS
nodes_are() {
	[ "$(kubectl get nodes --no-headers | grep -cw "$2")" = "$1" ]
}

files_of_nodes() {
	(cd $MACHINES && find node?/{opt,etc}/cni -type f -exec sha256sum {} + | sort)
}

# What happened in all tests together.
figures() {
	kubectl get events -A -o json | jq -r '[.items[] | {reason, n: (.count // 1)}] | group_by(.reason) |
		map({reason: .[0].reason, n: (map(.n) | add)}) | sort_by(-.n) |
		"# events: \(map(.n) | add): \(map("\(.n) \(.reason)") | join(", "))"'
	echo "# nodes: ${#NODES[@]}, pods of the Deployment: $PODS"
}

# pods [--namespace=NAME]: name, address and node of each pod that runs in the network
pods() {
	kubectl get pods "${1:---all-namespaces}" -o json 2>/dev/null | jq -r '.items[] |
		select(.spec.hostNetwork != true and .status.podIP and .metadata.deletionTimestamp == null) |
		"\(.metadata.name) \(.status.podIP) \(.spec.nodeName)"'
}

# on_node NODE [NOT]: name and address of a pod of the Deployment there, another one than NOT
on_node() {
	pods --namespace=default | awk -v node="$1" -v not="${2:-}" '/^web-/ && $3 == node && $1 != not { print $1, $2; exit }'
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

gets_nothing() {
	! get "$@"
}

# nodes_reach_each_other: a pod of each node, the node itself and the LAN reach a pod of each node
nodes_reach_each_other() {
	local from to name other ip
	for from in "${NODES[@]}"; do
		read -r name _ < <(on_node "$from")
		for to in "${NODES[@]}"; do
			read -r other ip < <(on_node "$to" "$name")
			[ "$(get "$name" "$ip")" = "$other" ]
			[ "$(on "$from" curl -sm 10 "http://$ip")" = "$other" ]
			[ "$(curl -sm 10 "http://$ip")" = "$other" ]
		done
	done
}

no_pods() {
	[ -z "$(pods)" ]
}

installed() {
	kubectl -n ipvlan-cni rollout status daemonset/ipvlan-node --timeout=1s | grep -q successfully
}

# bats test_tags=often
@test "kubectl apply -k: the programs and the network are on three nodes, and all are Ready" {
	local conflist=$EXAMPLES/shared-l2/10-ipvlan.conflist
	jq '.plugins[0].ipam *= {sticky: "K8S_POD_NAMESPACE/K8S_POD_NAME", cluster: {blockSize: 4, kubernetes: {nodesGone: true}}}
		| .plugins[0].ipam.ranges |= [
			[.[0][0] + {rangeStart: "10.138.36.128", rangeEnd: "10.138.36.143", identities: true, for: {K8S_POD_NAMESPACE: "db"}}],
			[.[0][0] + {rangeStart: "10.138.36.144", rangeEnd: "10.138.36.155", for: {K8S_POD_NAMESPACE: "few"}}],
			.[0]]' "$TOP/conf-examples/kubernetes/shared-l2/10-ipvlan.conflist" >$conflist
	kubectl apply -k $EXAMPLES/shared-l2
	kubectl create clusterrole ipvlan-node --verb=get --resource=nodes
	kubectl create clusterrolebinding ipvlan-node --clusterrole=ipvlan-node --serviceaccount=ipvlan-cni:ipvlan-node
	until_true installed
	until_true nodes_are 3 Ready
}

# bats test_tags=often
@test "$PODS pods on three nodes: each has an address of its own, and nodes, pods and LAN reach each other" {
	local node name
	deploy web "$PODS"
	[ "$(pods | wc -l)" = "$PODS" ]
	until_true leases_are_right
	nodes_reach_each_other
	for node in "${NODES[@]}"; do
		read -r name _ < <(on_node "$node")
		kubectl exec "$name" -- ping -c 1 -W 10 39.156.66.10
		kubectl exec "$name" -- ping -c 1 -W 10 "$(address_of "$node")"
	done
}

@test "a Service and its name: pods and nodes reach it, on each node; a pod that is not ready gets no requests" {
	local node name ip one
	mkdir $MACHINES/coredns
	cp "$("$TOP/test/conformance/get-coredns")" $MACHINES/coredns
	"$TOP/.ci/pack-image" $MACHINES/coredns docker.io/local/coredns:1 $MACHINES/coredns.tar /coredns
	import node1 $MACHINES/coredns.tar
	sed 's/agnhost:1/coredns:1/; s,^\( *\)serviceAccountName: coredns,&\n\1nodeSelector: {kubernetes.io/hostname: node1},' \
		"$TOP/test/conformance/coredns.yaml" | kubectl apply -f -
	until_true kubectl -n kube-system rollout status deployment/coredns --timeout=1s
	deploy one 1
	kubectl expose deployment one --port 80
	ip=$(kubectl get service one -o jsonpath='{.spec.clusterIP}')
	read -r one _ < <(pods | grep '^one-')
	for node in "${NODES[@]}"; do
		read -r name _ < <(on_node "$node")
		until_true get "$name" "$ip"
		[ "$(get "$name" one.default.svc.cluster.local)" = "$one" ]
		[ "$(on "$node" curl -sm 10 "http://$ip")" = "$one" ]
	done
	kubectl exec "$one" -- busybox rm /tmp/ready
	until_true sh -c 'kubectl get endpointslices -l kubernetes.io/service-name=one -o json | jq -e ".items[].endpoints[].conditions.ready == false"'
	until_true gets_nothing "$name" "$ip"
	[ "$(curl -sm 10 "http://$(pods | awk '/^one-/ { print $2 }')")" = "$one" ]
	kubectl delete service,deployment one
}

@test "a rolling update: other pods, and each address has one pod" {
	local before
	before=$(pods --namespace=default | cut -d' ' -f1 | sort)
	kubectl rollout restart deployment/web
	deployed web
	until_true leases_are_right
	[ "$(pods --namespace=default | wc -l)" = "$PODS" ]
	[ -z "$(comm -12 <(echo "$before") <(pods --namespace=default | cut -d' ' -f1 | sort))" ]
	kubectl scale deployment/web --replicas=$FEWER
}

# sandbox NODE POD: the container of containerd that holds the pod's network
sandbox() {
	on "$1" ctr -n k8s.io containers ls -q "labels.\"io.kubernetes.pod.name\"==$2,labels.\"io.cri-containerd.kind\"==sandbox"
}

has_new_sandbox() {
	[ "$(sandbox "$1" "$2" | grep -cv "$3")" -gt 0 ] && [ "$(curl -sm 5 "http://$4")" = "$2" ]
}

# bats test_tags=often
@test "the API server does not answer: pods are reached, and a pod whose sandbox died starts again with an address" {
	local name ip old
	read -r name ip < <(on_node node1)
	old=$(sandbox node1 "$name")
	kill -STOP "$SERVER_PID"
	[ "$(curl -sm 10 "http://$ip")" = "$name" ]
	on node1 ctr -n k8s.io tasks kill -s KILL "$old"
	until_true has_new_sandbox node1 "$name" "$old" "$ip" # "sticky" gives it the same address
	kill -CONT "$SERVER_PID"
	until_true nodes_are 3 Ready
	until_true leases_are_right
}

# bats test_tags=often
@test "a drained node has no leases and no blocks; after uncordon it has pods again" {
	kubectl drain node3 --ignore-daemonsets --delete-emptydir-data --timeout=600s
	deployed web
	until_true leases_are_right
	[ -z "$(leases node3)" ]
	until_true no_blocks node3
	kubectl uncordon node3
	kubectl rollout restart deployment/web
	deployed web
	[ -n "$(on_node node3)" ]
}

# blocks_of NODE: the Leases of the pool that are the node's
blocks_of() {
	kubectl -n ipvlan-cni get leases -o json | jq -r --arg node "$1" '.items[] | select(.spec.holderIdentity == $node) | .metadata.name' | sort
}

no_blocks() {
	[ -z "$(blocks_of "$1")" ]
}

@test "a pool without a free address: nodes stay Ready, pods wait with the reason, and start when others end" {
	kubectl create namespace few
	deploy web 8 '' few
	kubectl scale -n few deployment/web --replicas=15 # the range has 12 addresses, three blocks
	until_true some_wait few
	sleep 20
	nodes_are 3 Ready
	kubectl scale -n few deployment/web --replicas=8
	deployed web few
	kubectl delete pods -n few --all --wait=false
	deployed web few
	until_true leases_are_right
	kubectl delete namespace few
}

some_wait() {
	[ "$(kubectl get pods -n "$1" --no-headers | grep -c ' 1/1 ')" -ge 8 ] &&
		kubectl get events -n "$1" | grep 'no block of pool cluster is free'
}

# web-0 and web-1 of the example
stateful() {
	kubectl create namespace db
	sed 's,image: busybox,image: docker.io/local/busybox:1,' $EXAMPLES/statefulset.yaml | kubectl apply -f -
	until_true kubectl rollout status -n db statefulset/web --timeout=1s
}

# placed POD: address and node of a pod of the StatefulSet, when it is ready
placed() {
	until_true kubectl wait -n db --for condition=Ready "pod/$1" --timeout=1s
	pods --namespace=db | sed -n "s/^$1 //p"
}

# answers ADDRESS NODE: the LAN's router reaches the address, at the node's MAC address
answers() {
	ping -c 1 -W 10 "$1"
	[ "$(ip -j neigh show "$1" dev lan | jq -r '.[].lladdr')" = "$(on "$2" cat /sys/class/net/eth0/address)" ]
}

@test "the pods of the example of a StatefulSet keep their addresses on other nodes, where neighbours reach them at once" {
	local pod first node again other
	stateful
	for pod in web-0 web-1; do
		read -r first node < <(placed $pod)
		answers "$first" "$node"
		kubectl cordon "$node"
		kubectl delete pod -n db $pod
		read -r again other < <(placed $pod)
		[ "$again" = "$first" ]
		[ "$other" != "$node" ]
		answers "$first" "$other"
		kubectl uncordon "$node"
	done
}

@test "a node dies: its pods start elsewhere; a StatefulSet's pod does so with its address once the node is out of service" {
	local first node again other
	read -r first node < <(placed web-0)
	echo "$node" >$MACHINES/dead
	machine_kill "$node"
	until_true nodes_are 1 NotReady
	until_true runs_elsewhere "$node"
	kubectl delete pod -n db web-0 --force --grace-period=0
	until_true web_0_waits "$node"
	[ -z "$(pods --namespace=db | grep web-0)" ]
	kubectl taint node "$node" node.kubernetes.io/out-of-service=nodeshutdown:NoExecute
	read -r again other < <(placed web-0)
	[ "$again" = "$first" ]
	[ "$other" != "$node" ]
	answers "$first" "$other"
}

# runs_elsewhere NODE: all pods of the Deployment are ready, on other nodes
runs_elsewhere() {
	[ "$(kubectl get pods -l app=web -o wide --no-headers | grep ' 1/1 ' | grep -cv "$1")" -ge $FEWER ]
}

web_0_waits() {
	kubectl get events -n db | grep "identity .* is held on node $1"
}

@test "the dead node starts again under its name: its old addresses are free, and new pods start on it" {
	local node
	node=$(<$MACHINES/dead)
	kubectl taint node "$node" node.kubernetes.io/out-of-service-
	node_begins "$node"
	until_true nodes_are 3 Ready
	until_true installed
	kubectl rollout restart deployment/web
	deployed web
	[ -n "$(on_node "$node")" ]
	until_true leases_are_right
}

@test "a deleted node, installed anew under its name on the same machine, gets its blocks back" {
	local before
	before=$(blocks_of node3)
	machine_kill node3
	kubectl delete node node3
	rm -r $MACHINES/node3
	until_true runs_elsewhere node3
	node_begins node3
	until_true nodes_are 3 Ready
	until_true installed
	kubectl rollout restart deployment/web
	deployed web
	[ -n "$(on_node node3)" ]
	[ -n "$(comm -12 <(echo "$before") <(blocks_of node3))" ]
	until_true leases_are_right
}

@test "another machine under the name of a deleted node: pods wait with the reason until an administrator releases the old one's blocks" {
	machine_kill node3
	kubectl delete node node3
	rm -r $MACHINES/node3
	rm $MACHINES/node3.id
	until_true runs_elsewhere node3
	node_begins node3
	until_true nodes_are 3 Ready
	until_true installed
	kubectl cordon node1
	kubectl cordon node2
	kubectl rollout restart deployment/web
	until_true kubectl_events 'belongs to another machine with the node name node3'
	ipvlanctl node1 pools release-node --yes $NETWORK node3
	kubectl uncordon node1
	kubectl uncordon node2
	deployed web
	[ -n "$(on_node node3)" ]
	until_true leases_are_right
}

kubectl_events() {
	kubectl get events -A | grep "$1"
}

# ipvlanctl NODE ARGUMENT...
ipvlanctl() {
	on "$1" env CNI_PATH=/opt/cni/bin "$BUILD/ipvlanctl" "${@:2}"
}

# network_failures: how many pods' networks could not be made or removed
network_failures() {
	kubectl get events -n default -o json |
		jq '[.items[] | select(.reason == "FailedCreatePodSandBox" or .reason == "FailedKillPod") | .count // 1] | add // 0'
}

# The pods of the Deployment are replaced until all nodes have the new image.
installed_among_restarts() {
	! kubectl rollout status deployment/web --timeout=1s || kubectl rollout restart deployment/web
	installed
}

@test "an upgrade of the image while pods start and stop on three nodes: none fails" {
	local node before
	before=$(network_failures)
	for node in "${NODES[@]}"; do
		import "$node" "$BUILD/next/image.tar"
	done
	kubectl -n ipvlan-cni set image daemonset/ipvlan-node ipvlan-node=localhost/ipvlan-cni:99.0.0
	until_true installed_among_restarts
	deployed web
	for node in "${NODES[@]}"; do
		"$MACHINES/$node/opt/cni/bin/addrpool" --version | grep -F 99.0.0
	done
	until_true leases_are_right
	[ "$(network_failures)" = "$before" ]
}

# tokens: by which each node asks the API
tokens() {
	jq -r '.users[0].user.token' $MACHINES/node?/etc/cni/net.d/ipvlan-cni.kubeconfig
}

# answer_is STATUS TOKEN: how the API answers who has the token
answer_is() {
	[ "$(curl -s -o /dev/null -w '%{http_code}' --cacert $MACHINES/kubernetes/certs/ca.crt -H "Authorization: Bearer $2" \
		"$SERVER_URL/apis/coordination.k8s.io/v1/namespaces/ipvlan-cni/leases")" = "$1" ]
}

tokens_are_new() {
	[ "$(tokens | grep -cvF "$1")" = 3 ]
}

time_passes() {
	date -s "@$(($(date +%s) + $1))"
}

@test "the nodes' tokens are renewed before they end: when the old ones have expired, nodes still claim blocks" {
	local before token node
	before=$(tokens)
	for token in $before; do
		answer_is 200 "$token"
	done
	for node in "${NODES[@]}"; do
		blocks_of "$node" >"$BATS_TEST_TMPDIR/$node"
	done
	time_passes 2890 # the kubelet renews a token of an hour after 48 minutes
	until_true tokens_are_new "$before"
	time_passes 800
	for token in $before; do
		until_true answer_is 401 "$token" # the API server remembers an answer for ten seconds
	done
	kubectl scale deployment/web --replicas=$((FEWER + 24)) # at least one more block for each node
	deployed web
	for node in "${NODES[@]}"; do
		[ "$(blocks_of "$node" | wc -l)" -gt "$(wc -l <"$BATS_TEST_TMPDIR/$node")" ]
	done
	until_true leases_are_right
	kubectl scale deployment/web --replicas=$FEWER
}

# uninstalls SET-UP: after that each node has the files of before, and nothing of the network is left
uninstalls() {
	local node
	until_true no_pods
	until_true leases_are_right
	kubectl delete -k "$EXAMPLES/$1"
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

# bats test_tags=often
@test "kubectl delete -k: each node has the files of before, and no interface, route, filter or lease is left" {
	kubectl delete -n kube-system deployment coredns --ignore-not-found
	kubectl delete deployment web
	kubectl delete namespace db --ignore-not-found
	uninstalls shared-l2
}

# at NODE COMMAND...: on a node, or on the LAN's router
at() {
	case $1 in
	router) "${@:2}" ;;
	*) on "$@" ;;
	esac
}

bird_address() {
	case $1 in
	router) echo $LAN_IP ;;
	*) address_of "$1" ;;
	esac
}

# bird_conf SELF PEER...: the example, with a bgp protocol for each peer
bird_conf() {
	local example=$TOP/conf-examples/addrpool-block-routes.bird peer
	{
		sed '/^protocol bgp/,$d' "$example"
		for peer in "${@:2}"; do
			sed -n '/^protocol bgp/,$p' "$example" | sed "s/PEER/$(bird_address "$peer")/"
		done
	} | sed "s/ROUTER/$(bird_address "$1")/"
}

birds() {
	local all=("${NODES[@]}" router) one peers
	for one in "${all[@]}"; do
		mapfile -t peers < <(printf '%s\n' "${all[@]}" | grep -vx "$one")
		bird_conf "$one" "${peers[@]}" >"$MACHINES/$one.bird"
		at "$one" "$("$TOP/test/cluster/get-bird")" -f -c "$MACHINES/$one.bird" -s "$MACHINES/$one.ctl" >"$MACHINES/$one.bird.log" 2>&1 3>&- &
		echo $! >>"$MACHINES/birds"
	done
}

# bats test_tags=often
@test "l3 with BIRD on the nodes: pods of all nodes, and the LAN, reach each other by the routes of the nodes' blocks" {
	kubectl apply -k $EXAMPLES/l3-bird
	until_true installed
	until_true nodes_are 3 Ready # else all pods start on the first one
	birds
	deploy web 12
	until_true leases_are_right
	until_true routes_are 3
	nodes_reach_each_other
}

@test "l3: the routes of a drained node's blocks are removed everywhere" {
	kubectl drain node3 --ignore-daemonsets --timeout=600s
	deployed web
	until_true routes_are 2
	kubectl uncordon node3
}

# routes_are NUMBER: that many blocks are known to the LAN's router
routes_are() {
	ip route show proto bird
	[ "$(ip route show proto bird | grep -c '^10.244.*/26 via')" = "$1" ]
}

# bats test_tags=often
@test "l3: kubectl delete -k leaves the nodes as they were" {
	kubectl delete deployment web
	uninstalls l3-bird
	until_true routes_are 0
}
