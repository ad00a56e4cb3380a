#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What make says to a user who is not root, and what test/install-deps does to installed packages.

setup() {
	# these tests are about a make and an installation of their own
	unset MAKELEVEL MAKEFLAGS MFLAGS UPGRADE
	TOP=$BATS_TEST_DIRNAME/../..
	TREE=$BATS_TEST_TMPDIR/tree
	mkdir -p "$TREE/test" "$TREE/.ci" "$TREE/bin"
	cp "$TOP/Makefile" "$TREE"
	cp "$TOP"/test/{*.mk,install-deps} "$TREE/test"
	cp "$TOP"/.ci/*.mk "$TREE/.ci"
	chmod -R a+rX "$BATS_TEST_TMPDIR"
	cd "$TREE" || return
}

@test "a target that requires root reports that in one line" {
	local target
	for target in demo facts test test-deep test-every-case test-runtimes test-kernels sim sim-identities sim-broken coverage bench bench-pool test-cluster test-moves test-conformance \
		bench-cluster bench-addresses static; do
		run setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/ make -s "$target"
		echo "$output"
		[ "$status" = 2 ]
		[ "${lines[0]}" = "make $target requires root" ]
		[[ ${#lines[@]} = 2 && ${lines[1]} = "make: ***"* ]]
	done
}

# machine INST...: nothing is installed, and apt-get would do this; what it really does is in $TREE/done
machine() {
	printf '#!/bin/sh\n' >bin/dpkg-query
	printf '#!/bin/sh\ncase "$*" in\n*-s*) cat <<\\END\n%s\nEND\n;;\n*) echo "$*" >>%s ;;\nesac\n' "$1" "$TREE/done" >bin/apt-get
	chmod +x bin/*
	PATH=$TREE/bin:$PATH
}

@test "install-deps fails if apt would upgrade an installed package, and installs nothing" {
	machine $'Inst libc6 [2.36-9] (2.36-10 Debian:12.1/stable [amd64])\nInst spin (6.5-1 Debian:12.1/stable [amd64])'
	run test/install-deps model
	echo "$output"
	[ "$status" = 1 ]
	[[ $output = *'would upgrade installed packages: libc6 (2.36-9 -> 2.36-10); allow it with: make UPGRADE=yes'* ]]
	! grep -q install "$TREE/done"
}

@test "install-deps upgrades with UPGRADE=yes" {
	machine 'Inst libc6 [2.36-9] (2.36-10 Debian:12.1/stable [amd64])'
	UPGRADE=yes test/install-deps model
	grep -q 'install spin gcc libc6-dev' "$TREE/done"
}

@test "install-deps installs what is missing if apt upgrades nothing" {
	machine 'Inst spin (6.5-1 Debian:12.1/stable [amd64])'
	test/install-deps model
	grep -q 'install spin gcc libc6-dev' "$TREE/done"
}

@test "each wrong line of the broken copies can still be written into the sources" {
	local file
	for file in "$BATS_TEST_DIRNAME"/../{broken/*,sim/broken}.bats; do
		# their seconds of building are spent by other targets
		BUILT=no BUILD=$TREE run env -u BATS_TEST_FILTER bats --tap "$file"
		echo "$output"
		[ "$status" = 0 ]
		[ "$(grep -c '^ok' <<<"$output")" = "$(grep -c 'skip not built$' <<<"$output")" ]
		[ "$(grep -c '^@test' "$file")" = "$(grep -c '^ok' <<<"$output")" ]
	done
}

# suite ARGUMENT...: test/suite, where each file passes in a kernel that only says its name
suite() {
	mkdir -p test/{oracle,cluster,kernel,plugin,ipam}
	cp "$TOP/test/suite" test
	touch test/plugin/{del,dad}.bats test/ipam/del-too.bats
	printf '#!/bin/sh\n' | tee test/oracle/get-plugins test/cluster/get-{etcd,etcdctl,bird} >bin/addrpool
	printf '#!/bin/bash\necho "ok 1 ${*: -1}"\n' >test/kernel/run
	chmod +x test/{oracle,cluster}/get-* test/kernel/run
	run env BUILD=bin JOBS=1 test/suite "$@"
	echo "$output"
}

@test "a test file may be named without its directory, or by a pattern" {
	suite del
	[ "$status" = 0 ]
	[[ $output = *"ok 1 "*"/test/plugin/del.bats"*"1 passed, 0 failed" ]]
	suite 'del*'
	[[ $output = *"2 passed, 0 failed" ]]
	suite test/plugin
	[[ $output = *"2 passed, 0 failed" ]]
}

@test "a test file that does not exist is named" {
	suite nothing
	[ "$status" = 1 ]
	[ "$output" = "suite: there is no test file nothing.bats" ]
}

# If the test did not fail, it would remove the links, namespaces and leases of this machine: so it has others here.
@test "a test that removes links and namespaces fails outside of a machine of its own" {
	mkdir -p /run/netns /run/cni /var/lib/cni
	# shellcheck disable=SC2016 # the inner shell expands it
	run unshare --net --mount sh -c '
		for directory in /run/netns /run/cni /var/lib/cni; do mount -t tmpfs tmpfs $directory || exit; done
		GO_PLUGINS=/nonexistent exec bats --tap "$0/test/spec/messages.bats"' "$TOP"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output = *"make test FILES=NAME runs it in a machine of its own"* ]]
	! grep '^ok' <<<"$output"
}
