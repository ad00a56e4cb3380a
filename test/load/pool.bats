#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many calls of addrpool and host-local at once on one store.

bats_require_minimum_version 1.5.0

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
GO_PLUGINS=${GO_PLUGINS:-$("$TOP/test/oracle/get-plugins")}

# shellcheck source=test/lib/broken.bash
. "$TOP/test/lib/broken.bash"

# conf SUBNET: writes the configuration for pool-load.
conf() {
	CONF=$BATS_TEST_TMPDIR/conf
	STORE=$BATS_TEST_TMPDIR/data/load
	jq -n --arg dir "$BATS_TEST_TMPDIR/data" --arg subnet "$1" '{ cniVersion: "1.0.0", name: "load",
		ipam: { type: "addrpool", dataDir: $dir, subnet: $subnet } }' >"$CONF"
}

load() {
	"$BUILD/tools/pool-load" "$@" "$CONF" >"$BATS_TEST_TMPDIR/out" || { cat "$BATS_TEST_TMPDIR/out"; return 1; }
	grep -v ^held "$BATS_TEST_TMPDIR/out" | sed 's/^/# /' >&3
}

# held_as_leased: the attachments that have an address according to the results are those in the store.
held_as_leased() {
	diff <(sed -n 's/^held //p' "$BATS_TEST_TMPDIR/out" | sort) \
		<(cd "$STORE" && for ip in 10.*; do echo "$(sed -n '1s/\r$//p' "$ip") $ip"; done | sort)
}

# free_all PROGRAM: calls DEL for all attachments, after which nothing is left.
free_all() {
	local container
	while read -r _ container _; do
		CNI_COMMAND=DEL CNI_CONTAINERID=$container CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin "$1" <"$CONF" || return
	done < <(grep ^held "$BATS_TEST_TMPDIR/out")
	[ "$(ls "$STORE")" = $'last_reserved_ip.0\nlock' ] || { ls "$STORE"; return 1; }
}

@test "64 processes, half addrpool, half host-local, in 10000 operations: no address twice, none lost" {
	conf 10.9.0.0/24
	load 64 10000 1 "$BUILD/addrpool" "$GO_PLUGINS/host-local"
	held_as_leased
	free_all "$GO_PLUGINS/host-local"
}

@test "64 processes, all addrpool, in 10000 operations: no address twice, none lost, no record left" {
	conf 10.9.0.0/24
	load 64 10000 2 "$BUILD/addrpool"
	held_as_leased
	free_all "$BUILD/addrpool"
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/data/.addrpool/load/owner")" ]
}

@test "pool-load finds a program that assigns an address twice" {
	conf 10.9.0.0/24
	cat >"$BATS_TEST_TMPDIR/twice" <<-'WRONG'
		#!/bin/sh
		cat >/dev/null
		[ "$CNI_COMMAND" != ADD ] || echo '{"ips":[{"address":"10.9.0.2/24"}]}'
	WRONG
	chmod +x "$BATS_TEST_TMPDIR/twice"
	run ! "$BUILD/tools/pool-load" 2 20 1 "$BATS_TEST_TMPDIR/twice" "$CONF"
	[[ $output = *"10.9.0.2/24 was given to"* ]]
}

@test "pool-load finds an addrpool without its lock" {
	broken plugin/cni/file.c 's/^\tif (flock(fd, .*/\tif (fd >= 0)/'
	conf 10.9.0.0/24
	"$BROKEN/tools/pool-load" 64 10000 1 "$BROKEN/addrpool" "$CONF" >"$BATS_TEST_TMPDIR/out" && held_as_leased && return 1
	tail -n 3 "$BATS_TEST_TMPDIR/out"
}
