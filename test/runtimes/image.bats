#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The container image of `make image`, by containerd's client, and as Kubernetes starts it, by the name in the DaemonSet of
# conf-examples/kubernetes.

load ../lib/cni
load ../lib/runtimes
export CONTAINERD=sid CNI_VERSION=1.1.0
load ../lib/containerd-tests

IMAGE=$(sed -n 's/^ *image: //p' "$TOP/conf-examples/kubernetes/base/daemonset.yaml")

import() {
	ctr -n "$1" images import --snapshotter overlayfs "$BUILD/image.tar"
}

# node: runs ipvlan-node with directories bin and keep of this machine, as the DaemonSet does; sets BIN
node() {
	BIN=$BATS_TEST_TMPDIR/bin
	mkdir -p "$BIN" "$BATS_TEST_TMPDIR/keep"
	import default
	ctr run -d --read-only --snapshotter overlayfs --mount "type=bind,src=$BIN,dst=/opt/cni/bin,options=rbind:rw" \
		--mount "type=bind,src=$BATS_TEST_TMPDIR/keep,dst=/var/lib/ipvlan-node,options=rbind:rw" "$IMAGE" node \
		/ipvlan-node --no-repair --install-from=/ --uninstall-last
}

task_is() {
	ctr -n "${3:-default}" task ls | grep -q "^$1 .*$2"
}

# soon COMMAND...
soon() {
	for _ in {1..100}; do
		! "$@" || return 0
		sleep 0.1
	done
	ls -lA "$BIN"
	return 1
}

installed() {
	local name
	for name in ipvlan addrpool addrpool-claim; do
		cmp -s "$BIN/$name" "$BUILD/static/$name" || return 1
	done
}

@test "its container installs the programs in a directory of the node, where they work" {
	local name
	node
	soon installed
	for name in ipvlan addrpool; do
		[ "$(stat -c '%A %u' "$BIN/$name")" = '-rwxr-xr-x 0' ]
		CNI_COMMAND=VERSION "$BIN/$name" | grep -q '"1.1.0"'
	done
	"$BIN/addrpool-claim" --version
}

@test "a plugin that runs meanwhile finishes, and the next call runs the new one" {
	local old
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "$(type -P sleep)" "$BATS_TEST_TMPDIR/bin/ipvlan"
	echo 'half of one' >"$BATS_TEST_TMPDIR/bin/.addrpool.new"
	"$BATS_TEST_TMPDIR/bin/ipvlan" 1000 3>&- &
	old=$!
	node
	soon installed
	kill $old
}

@test "SIGTERM ends it with status 0, and the node has what it had before" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	echo another >"$BATS_TEST_TMPDIR/bin/ipvlan"
	node
	soon installed
	task_is node RUNNING
	ctr task kill -s TERM node
	soon task_is node STOPPED
	ctr task delete node
	[ "$(ls -A "$BIN")" = ipvlan ]
	[ "$(cat "$BIN/ipvlan")" = another ]
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/keep")" ]
}

@test "its own command is ipvlan-node, and the other programs run in it" {
	local name layout=$BATS_TEST_TMPDIR/layout file digest
	mkdir "$layout"
	tar -C "$layout" -xf "$BUILD/image.tar"
	file=$layout/index.json
	for name in manifests manifests config; do
		digest=$(jq -r ".$name | (arrays[0] // .).digest" "$file")
		file=$layout/blobs/sha256/${digest#sha256:}
	done
	[ "$(jq -r '.config.Cmd | join(" ")' "$file")" = /ipvlan-node ]
	import default
	for name in ipvlan addrpool addrpool-claim ipvlanctl ipvlan-node ipvlan-netavark; do
		run ctr run --rm --snapshotter overlayfs "$IMAGE" "$name" "/$name" --version
		[[ $output = *"$name ${IMAGE##*:}"* ]]
	done
}

@test "CRI: the image starts by the name in the DaemonSet" {
	import k8s.io
	POD=$(cri run node)
	echo "$POD" >"$STUB_DIR/pod-node"
	CONTAINER=$(cri start "$POD" node "$IMAGE" /ipvlan-node --no-repair --install-from=/)
	task_is "$CONTAINER" RUNNING k8s.io
}

@test "the name in the DaemonSet has this version" {
	tar -xOf "$BUILD/image.tar" index.json | grep -qF "\"io.containerd.image.name\": \"$IMAGE\""
}
