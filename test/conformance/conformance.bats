#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Kubernetes' own tests of networking, on a node of Kubernetes with ipvlan as its cluster network, and critest's, on the
# same containerd. `run` beside this starts it.
#
# Environment: FOCUS, the regular expression of the names of Kubernetes' tests; OUT, the directory of reports and logs.

load ../lib/cni
load ../lib/runtimes
load ../lib/etcd
load ../lib/kubernetes
load ../lib/node

HERE=$TOP/test/conformance

# Kubernetes' tests ask for images of many names: ours stands for those that they use here.
name_images() {
	local name
	printf '%s: docker.io/local\n' promoterE2eRegistry gcRegistry >"$KUBE_TEST_REPO_LIST"
	ctr -n k8s.io images import --snapshotter overlayfs "$("$HERE/get-image")" >/dev/null
	for name in $("$E2E" --list-images | grep -E '^docker.io/local/(agnhost|jessie-dnsutils|nginx):'); do
		ctr -n k8s.io images tag docker.io/local/agnhost:1 "$name" >/dev/null
	done
	for name in $("$E2E" --list-images | grep '^docker.io/local/pause:'); do
		ctr -n k8s.io images tag docker.io/local/pause:1 "$name" >/dev/null
	done
}

# An image that serves a page without arguments.
web_image() {
	local root=$BATS_FILE_TMPDIR/web
	busybox_root "$root"
	echo web >"$root/index.html"
	"$TOP/.ci/pack-image" "$root" docker.io/local/web:1 "$root.tar" httpd -f -h /
	ctr -n k8s.io images import --snapshotter overlayfs "$root.tar" >/dev/null
}

# Before there is a kubelet, which would remove the pods of others.
run_critest() {
	local images=$BATS_FILE_TMPDIR/images
	web_image
	printf '%s\n' 'defaultTestContainerImage: docker.io/local/agnhost:1' 'webServerTestImage: docker.io/local/web:1' >"$images"
	"$("$HERE/get-critest")" --runtime-endpoint "unix://$CONTAINERD_ADDRESS" --test-images-file "$images" \
		--ginkgo.focus 'Networking|PodSandbox' --ginkgo.json-report "$OUT/critest.json" --ginkgo.no-color \
		>"$OUT/critest.log" 2>&1 3>&- || :
}

setup_file() {
	E2E=$("$TOP/test/cluster/get-kubernetes" --tests)/e2e.test
	export E2E KUBE_TEST_REPO_LIST=$BATS_FILE_TMPDIR/registries
	make_network
	plugins_for_runtimes
	cp "$GO_PLUGINS/portmap" /opt/cni/bin
	cp "$HERE/cluster.conflist" /etc/cni/net.d/10-cluster.conflist
	containerd_start sid
	name_images
	run_critest
	node_start
	kubectl apply -f "$HERE/coredns.yaml"
	until_true kubectl -n kube-system wait --for condition=Available deployment/coredns --timeout=1s
}

teardown_file() {
	node_logs >"$OUT/node.log"
	node_stop
	pkill -KILL -f containerd-shim # they hold descriptors for which bats waits
	pkill -x containerd
}

# replaces cni.bash's functions: the node exists through all tests
setup() {
	:
}

teardown() {
	:
}

# all_passed REPORT: of the tests in Ginkgo's report at least one ran, and none failed
all_passed() {
	jq -r '.[].SpecReports[] | select(.State | IN("passed", "skipped", "pending") | not) | "\(.State): \(.LeafNodeText)"' "$1" >"$1.failed"
	[ ! -s "$1.failed" ] || { cat "$1.failed"; return 1; }
	[ "$(jq '[.[].SpecReports[] | select(.LeafNodeType == "It" and .State == "passed")] | length' "$1")" -gt 0 ]
}

@test "critest's tests of networking and pods succeed" {
	all_passed "$OUT/critest.json"
}

@test "Kubernetes' tests of networking succeed" {
	"$E2E" --kubeconfig "$KUBECONFIG" --provider skeleton --num-nodes 1 --disable-log-dump \
		--ginkgo.focus "$FOCUS" --ginkgo.json-report "$OUT/e2e.json" --ginkgo.timeout 3h --ginkgo.no-color \
		>"$OUT/e2e.log" 2>&1 3>&- || :
	all_passed "$OUT/e2e.json"
}

@test "nothing of the tests' pods is left" {
	kubectl -n kube-system delete deployment coredns
	until_true nobody_left
}
