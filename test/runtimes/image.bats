#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The container image of `make image`, which installs the plugins on nodes: by containerd's client, and as
# Kubernetes starts it, by the name in the DaemonSet of conf-examples/kubernetes.

load ../lib/cni
load ../lib/runtimes
export CONTAINERD=sid CNI_VERSION=1.1.0
load ../lib/containerd-tests

IMAGE=$(sed -n 's/^ *image: //p' "$TOP/conf-examples/kubernetes/install.yaml")

import() {
	ctr -n "$1" images import --snapshotter overlayfs "$BUILD/image.tar"
}

# installer DIRECTORY: runs the image's container with the directory, as the DaemonSet does
installer() {
	import default
	ctr run -d --read-only --snapshotter overlayfs \
		--mount "type=bind,src=$1,dst=/host/opt/cni/bin,options=rbind:rw" "$IMAGE" installer
}

task_is() {
	ctr -n "${3:-default}" task ls | grep -q "^$1 .*$2"
}

# until_there DIRECTORY: waits for both built programs, and nothing else
until_there() {
	for _ in {1..100}; do
		! same "$1" || return 0
		sleep 0.1
	done
	ls -lA "$1"
	return 1
}

same() {
	[ "$(find "$1" -mindepth 1 | wc -l)" = 2 ] &&
		cmp -s "$1/ipvlan" "$BUILD/static/ipvlan" && cmp -s "$1/addrpool" "$BUILD/static/addrpool"
}

@test "its container copies ipvlan and addrpool to a directory of the node, where they work" {
	local bin=$BATS_TEST_TMPDIR/bin name
	mkdir "$bin"
	installer "$bin"
	until_there "$bin"
	for name in ipvlan addrpool; do
		[ "$(stat -c '%A %u' "$bin/$name")" = '-rwxr-xr-x 0' ]
		CNI_COMMAND=VERSION "$bin/$name" | grep -q '"1.1.0"'
	done
}

@test "a plugin that runs meanwhile finishes, and the next call runs the new one" {
	local bin=$BATS_TEST_TMPDIR/bin old
	mkdir "$bin"
	cp "$(type -P sleep)" "$bin/ipvlan"
	echo 'half of one' >"$bin/.addrpool.new"
	"$bin/ipvlan" 1000 3>&- &
	old=$!
	installer "$bin"
	until_there "$bin"
	kill $old
}

@test "it keeps running, and ends with status 0 at SIGTERM" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	installer "$BATS_TEST_TMPDIR/bin"
	until_there "$BATS_TEST_TMPDIR/bin"
	task_is installer RUNNING
	ctr task kill -s TERM installer
	for _ in {1..100}; do
		! task_is installer STOPPED || break
		sleep 0.1
	done
	ctr task delete installer
}

@test "if the directory does not exist, it fails with a message" {
	import default
	run ctr run --rm --snapshotter overlayfs "$IMAGE" installer
	[ "$status" = 1 ]
	[[ $output = *'/host/opt/cni/bin: No such file or directory'* ]]
}

@test "CRI: the image starts by the name in the DaemonSet" {
	import k8s.io
	POD=$(cri run installer)
	echo "$POD" >"$STUB_DIR/pod-installer"
	CONTAINER=$(cri start "$POD" installer "$IMAGE" /install-plugins /)
	task_is "$CONTAINER" RUNNING k8s.io
}

@test "the name in the DaemonSet has this version" {
	tar -xOf "$BUILD/image.tar" index.json | grep -qF "\"io.containerd.image.name\": \"$IMAGE\""
}
