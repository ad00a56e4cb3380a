#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The set-up shared-l2 of conf-examples/kubernetes on a node that has only containerd and a kubelet, and Go's plugins: one
# `kubectl apply -k`, renewed tokens, an upgrade, one `kubectl delete -k`; then the same by Helm. The tests are steps of one
# story. In BUILD/next is the image of another version.

load ../lib/cni
load ../lib/runtimes
load ../lib/etcd
load ../lib/kubernetes
load ../lib/node

ACCOUNT=/etc/cni/net.d/ipvlan-cni.kubeconfig

setup_file() {
	remove_network
	make_network
	plugins_for_runtimes
	rm -rf /var/lib/ipvlan-node /opt/cni/bin/{addrpool,addrpool-claim}
	cp "$GO_PLUGINS/"{ipvlan,host-local} /opt/cni/bin
	containerd_start sid
	ctr -n k8s.io images import --snapshotter overlayfs "$BUILD/image.tar" >/dev/null
	cp -r "$TOP/conf-examples/kubernetes" "$BATS_FILE_TMPDIR/examples"
	node_start
	kubectl get node node | grep -q NotReady
	state >"$BATS_FILE_TMPDIR/before"
}

teardown_file() {
	until_true no_container
	node_stop
	pkill -x containerd
}

# replaces cni.bash's functions: the node exists through all tests
setup() {
	EXAMPLES=$BATS_FILE_TMPDIR/examples
}

teardown() {
	:
}

# state: all files of the node that a set-up may touch, and the host's objects, without kube-proxy's tables
state() {
	find /opt/cni /etc/cni -type f -printf '%p %m %T@ ' -exec sha256sum {} ';' | sort
	find /opt/cni /etc/cni /var/lib/ipvlan-node -mindepth 1 ! -type f 2>/dev/null | sort
	inventory | grep -vE '^table ip6? '
}

# overlay: the set-up with more lines of a kustomization.yaml, from standard input; prints its directory
overlay() {
	mkdir -p "$EXAMPLES/mine"
	{ echo 'resources: [../shared-l2]' && cat; } >"$EXAMPLES/mine/kustomization.yaml"
	echo "$EXAMPLES/mine"
}

# applied DIRECTORY: and the DaemonSet's newest pods are ready
applied() {
	kubectl apply -k "$1"
	until_true kubectl -n ipvlan-cni rollout status daemonset/ipvlan-node --timeout=1s
}

installed() {
	cmp "$1/ipvlan" /opt/cni/bin/ipvlan && cmp "$1/addrpool" /opt/cni/bin/addrpool && cmp "$1/addrpool-claim" /opt/cni/bin/addrpool-claim
}

# as_node COMMAND...: kubectl with the rights of the node
as_node() {
	KUBECONFIG=$ACCOUNT kubectl -n ipvlan-cni "$@"
}

token() {
	jq -r '.users[0].user.token' $ACCOUNT
}

# status_of TOKEN: how the API answers it
status_of() {
	curl -s -o /dev/null -w '%{http_code}' --cacert "$NODE_DIR/kubernetes/certs/ca.crt" -H "Authorization: Bearer $1" \
		"https://10.96.0.1/apis/coordination.k8s.io/v1/namespaces/ipvlan-cni/leases"
}

# blocks: how many blocks of the pool the node has
blocks() {
	kubectl -n ipvlan-cni get leases -o json | jq '[.items[] | select(.spec.holderIdentity == "node")] | length'
}

# no_failure: no event about a pod whose network could not be made or removed
no_failure() {
	local failures
	failures=$(kubectl get events -A --field-selector type=Warning -o json |
		jq -r '.items[] | select(.reason == "FailedCreatePodSandBox" or .reason == "FailedKillPod") | .message')
	[ -z "$failures" ] || { echo "$failures"; return 1; }
}

@test "one apply: the programs are installed, the configuration is written, the node is ready" {
	applied "$EXAMPLES/shared-l2"
	installed "$BUILD/static"
	[ "$(jq -r '.plugins[0] | [.master, .ipam.routes[1].gw, .ipam.cluster.node] | join(" ")' /etc/cni/net.d/10-ipvlan.conflist)" = "eth0 $NODE_IP node" ]
	[ "$(stat -c %a $ACCOUNT)" = 600 ]
	until_true node_is_ready
}

@test "pods have addresses of the shared pool, and reach each other, the node and the LAN, which reach them" {
	deploy web 2
	[ "$(leases cluster)" = "$(pods_of web .status.podIP | sort -V | xargs)" ]
	[ "$(blocks)" = 1 ]
	reach_each_other web
}

@test "the image's programs run on the node, and ipvlanctl doctor finds no fault" {
	ctr -n k8s.io images mount localhost/ipvlan-cni:1.0.0 /mnt
	# without the Podman of other tests, which would write a lock to /etc/cni/net.d
	PATH=$RUNTIMES/sid/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin CNI_PATH=/opt/cni/bin /mnt/ipvlanctl doctor | tee "$BATS_TEST_TMPDIR/doctor"
	grep -qx '0 warnings, 0 errors' "$BATS_TEST_TMPDIR/doctor"
	ctr -n k8s.io images unmount --rm /mnt
}

@test "a configuration that the plugins refuse: the one before stays, the log has the reason, and new pods start" {
	local before
	before=$(cat /etc/cni/net.d/10-ipvlan.conflist)
	sed -i 's/"mode": "l2"/"mode": "l4"/' "$EXAMPLES/shared-l2/10-ipvlan.conflist"
	kubectl apply -k "$EXAMPLES/shared-l2"
	until_true sh -c "kubectl -n ipvlan-cni logs daemonset/ipvlan-node | grep -F 'ipvlan refuses the configuration of 10-ipvlan.conflist: '"
	until_true sh -c "kubectl -n ipvlan-cni get pods | grep ' 0/1 '"
	until_true sh -c "kubectl -n ipvlan-cni describe pods | grep 'probe failed: ipvlan refuses the configuration'"
	[ "$(cat /etc/cni/net.d/10-ipvlan.conflist)" = "$before" ]
	node_is_ready
	deploy later 1
	kubectl delete deployment later
	sed -i 's/"mode": "l4"/"mode": "l2"/' "$EXAMPLES/shared-l2/10-ipvlan.conflist"
	kubectl apply -k "$EXAMPLES/shared-l2"
	until_true sh -c "kubectl -n ipvlan-cni get pods | grep ' 1/1 '"
}

# sleepers: twenty pods of the deployment sleepers, which the kubelet does not probe
sleepers() {
	kubectl apply -f - <<-YAML
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: sleepers}
		spec:
		  replicas: 20
		  selector: {matchLabels: {app: sleepers}}
		  template:
		    metadata: {labels: {app: sleepers}}
		    spec:
		      terminationGracePeriodSeconds: 1
		      containers: [{name: sleep, image: "docker.io/local/busybox:1", command: [sleep, "1000000"]}]
	YAML
	until_true kubectl rollout status deployment/sleepers --timeout=1s
}

@test "the token is renewed before it ends, and after three renewals the node claims another block" {
	local first before
	first=$(token)
	[ "$(status_of "$first")" = 200 ]
	for _ in 1 2 3; do
		before=$(token)
		date -s "@$(($(date +%s) + 2890))" >/dev/null # the kubelet renews a token of an hour after 48 minutes
		until_true sh -c "! grep -qF '$before' $ACCOUNT"
		[ "$(status_of "$before")" = 200 ]
		[ "$(status_of "$(token)")" = 200 ]
	done
	[ "$(status_of "$first")" = 401 ]
	as_node get leases
	[ "$(blocks)" = 1 ]
	sleepers
	[ "$(blocks)" = 2 ]
	no_failure
}

# churn FILE: twenty pods stop while twenty others start, until the file exists
churn() {
	until [ -e "$1" ]; do
		kubectl scale deployment/sleepers --replicas=0
		sleepers
	done
}

@test "an upgrade to another version while twenty pods start and stop: none fails" {
	local churn
	ctr -n k8s.io images import --snapshotter overlayfs "$BUILD/next/image.tar" >/dev/null
	churn "$BATS_TEST_TMPDIR/end" >/dev/null 3>&- &
	churn=$!
	until_true sh -c "kubectl get pods -l app=sleepers | grep Terminating"
	applied "$(overlay <<<'images: [{name: localhost/ipvlan-cni, newTag: 99.0.0}]')"
	until_true sh -c "kubectl -n ipvlan-cni get pods --no-headers | awk 'END { exit NR != 1 }'"
	installed "$BUILD/next/static"
	/opt/cni/bin/addrpool --version | grep -q 99.0.0
	touch "$BATS_TEST_TMPDIR/end"
	wait $churn
	installed "$BUILD/next/static"
	no_failure
}

@test "Services without --masquerade-all, by services.nft" {
	local pod ip
	deploy web 1
	deploy client 1
	kubectl expose deployment web --port 80
	ip=$(kubectl get service web -o jsonpath='{.spec.clusterIP}')
	pod=$(pods_of web .metadata.name)
	proxy_start --proxy-mode iptables
	until_true sh -c "! timeout 10 kubectl exec deployment/client -- wget -qO- http://$ip"
	nft -f "$EXAMPLES/services.nft"
	until_true service_answers "$pod" "$ip"
	nft delete table inet ipvlan_services
	proxy_start --proxy-mode iptables --masquerade-all
	until_true service_answers "$pod" "$ip"
	kubectl delete service web
	kubectl delete deployment client
}

@test "with the component watch it repairs, collects and serves metrics from its container" {
	overlay <<<$'images: [{name: localhost/ipvlan-cni, newTag: 99.0.0}]\ncomponents: [../watch]' >/dev/null
	# left by a pod that has vanished
	ip netns add vanished
	CNI_PATH=/opt/cni/bin CNI_COMMAND=ADD CNI_CONTAINERID=vanished CNI_NETNS=/run/netns/vanished CNI_IFNAME=eth0 /opt/cni/bin/ipvlan \
		< <(jq -c '. as $list | .plugins[0] | .name = $list.name | .cniVersion = $list.cniVersion' /etc/cni/net.d/10-ipvlan.conflist)
	grep -rl vanished /var/lib/cni/networks/cluster
	ip netns del vanished
	applied "$EXAMPLES/mine"
	until_true sh -c '! grep -rl vanished /var/lib/cni/networks/cluster'
	[ "$(curl -s http://127.0.0.1:9465/healthz)" = ok ]
	curl -s http://127.0.0.1:9465/metrics | grep '^ipvlan_cni_pods'
	ip route show proto 105 >"$BATS_TEST_TMPDIR/routes"
	[ -s "$BATS_TEST_TMPDIR/routes" ]
	ip route flush proto 105
	until_true sh -c "ip route show proto 105 | diff '$BATS_TEST_TMPDIR/routes' -"
}

# as_before: the node is as it was before the first set-up, with Go's plugin in its place
as_before() {
	until_true no_container
	diff "$BATS_FILE_TMPDIR/before" <(state)
	cmp "$GO_PLUGINS/ipvlan" /opt/cni/bin/ipvlan
	until_true sh -c 'kubectl get node node | grep NotReady'
}

@test "one delete: the node is as it was before, with Go's plugin in its place" {
	kubectl delete deployment --all
	until_true nobody_left
	kubectl delete -k "$EXAMPLES/mine"
	as_before
}

@test "one install by Helm: the node is ready, and a pod answers; one uninstall, and the node is as it was before" {
	local helm
	helm=$("$TOP/test/manifests/get-helm")
	cd "$TOP"
	"$helm" install ipvlan-cni conf-examples/kubernetes/chart -n ipvlan-cni --create-namespace --set sharedPool=true \
		--set-file network.template=conf-examples/kubernetes/shared-l2/10-ipvlan.conflist
	until_true kubectl -n ipvlan-cni rollout status daemonset/ipvlan-node --timeout=1s
	installed "$BUILD/static"
	until_true node_is_ready
	deploy web 1
	[ "$(curl -sm 5 "http://$(pods_of web .status.podIP)")" = "$(pods_of web .metadata.name)" ]
	[ "$(blocks)" = 1 ]
	no_failure
	kubectl delete deployment web
	until_true nobody_left
	"$helm" uninstall ipvlan-cni -n ipvlan-cni
	as_before
}
