# shellcheck shell=bash disable=SC2034,SC2153 # tests set CONTAINERD, and read POD and CONTAINER
# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of each version of containerd. CONTAINERD is the suite of Debian with that
# version. CNI_VERSION is set in the quick start's configuration; empty: unchanged. Each test has a
# new network; one containerd runs for all of them.

setup_file() {
	plugins_for_runtimes
	containerd_start "$CONTAINERD"
	export CONTAINERD_PID CRI_MODULE=$RUNTIMES_DIR/cri
	mkdir "$CRI_MODULE"
	protoc -I "$TOP/test/runtimes" --python_out "$CRI_MODULE" cri.proto
}

teardown_file() {
	containerd_stop
}

setup() {
	remove_network
	make_network
	if [ -n "$CNI_VERSION" ]; then
		network_conf l2 "{\"cniVersion\": \"$CNI_VERSION\"}"
	else
		network_as_it_stands
	fi
	cri_ready true
}

teardown() {
	local container pod
	for container in $(ctr containers ls -q); do
		ctr task kill -s KILL "$container" || :
		sleep 0.5
		ctr containers rm "$container" || :
	done
	for pod in "$STUB_DIR"/pod-*; do
		[ ! -e "$pod" ] || { cri stop "$(<"$pod")" && cri remove "$(<"$pod")"; } || :
	done
	remove_network
}

cri() {
	"$TOP/test/runtimes/cri" "$@"
}

# cri_ready TRUTH: containerd reads the network's configuration by itself, after a moment.
cri_ready() {
	for _ in {1..100}; do
		! cri status | grep -q "^NetworkReady $1" || return 0
		sleep 0.1
	done
	cri status
	return 1
}

# pod NAME: sets POD and CONTAINER, which sleeps in it
pod() {
	POD=$(cri run "$1")
	echo "$POD" >"$STUB_DIR/pod-$1"
	CONTAINER=$(cri start "$POD" "$1" docker.io/local/busybox:1 sleep 1000)
}

in_ctr() {
	ctr run --cni --snapshotter overlayfs "$@"
}
