#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The Go plugin and ours on the same inputs. BUILD is our directory, GO_VERSION the version of Go's: see
# get-plugins.

bats_require_minimum_version 1.5.0

setup() {
	here=$BATS_TEST_DIRNAME
	BUILD=${BUILD:-$here/../../build}
}

# wrong_plugin: a plugin that lets the script on standard input print its output.
wrong_plugin() {
	cat >"$BATS_TEST_TMPDIR/filter"
	cat >"$BATS_TEST_TMPDIR/ipvlan" <<-END
		#!/bin/sh
		answer=\$("$(readlink -e "$BUILD")/ipvlan")
		status=\$?
		. "$BATS_TEST_TMPDIR/filter"
		exit "\$status"
	END
	chmod +x "$BATS_TEST_TMPDIR/ipvlan"
}

# caught WHAT CASE...: the comparison finds that the wrong plugin differs in WHAT.
caught() {
	local what=$1
	shift
	run "$here/compare" -p "$BATS_TEST_TMPDIR" "$@"
	echo "$output"
	[ "$status" = 1 ]
	grep -qF "not listed: $what" <<<"$output"
}

@test "the Go plugin and ours differ only as listed" {
	run "$here/compare"
	echo "$output"
	[ "$status" = 0 ]
	echo "# ipvlan ${GO_VERSION:-1.9.1}: ${lines[-1]}" >&3
}

@test "a field with another value is caught" {
	wrong_plugin <<-'END'
		printf %s "$answer" | sed s,10.138.36.2/23,10.138.36.2/24,
	END
	caught "mtu-of-the-master: ADD/stdout/ips/0/address" mtu-of-the-master
}

@test "another message is caught" {
	wrong_plugin <<-'END'
		printf %s "$answer" | sed s,missing,absent,
	END
	caught "name-empty: ADD/stdout/msg" name-empty
}

@test "two documents on standard output are caught" {
	wrong_plugin <<-'END'
		printf %s%s "$answer" "$answer"
	END
	caught "version-verb: VERSION/stdout" version-verb
}

@test "another exit status is caught" {
	wrong_plugin <<-'END'
		printf %s "$answer"
		[ "$CNI_COMMAND" != DEL ] || status=3
	END
	caught "del-without-add: DEL/exit" del-without-add
}

@test "an additional route is caught" {
	wrong_plugin <<-'END'
		printf %s "$answer"
		[ "$CNI_COMMAND" != ADD ] || nsenter --net="$CNI_NETNS" ip route add 1.2.3.4 dev eth0
	END
	caught "mode-l2: ADD/pod/route/main inet 1.2.3.4" mode-l2
}

@test "a link that was not removed is caught" {
	wrong_plugin <<-'END'
		printf %s "$answer"
		[ "$CNI_COMMAND" != DEL ] || ip link add left type dummy
	END
	caught "del-without-add: DEL/host/link/left" del-without-add
}
