#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# host-local, written in Go, and addrpool with the same configurations. BUILD is our directory, GO_VERSION the
# version of host-local: see get-plugins.

bats_require_minimum_version 1.5.0

setup_file() {
	export BUILD=${BUILD:-$BATS_TEST_DIRNAME/../../build}
}

setup() {
	here=$BATS_TEST_DIRNAME
}

# wrong_program: an addrpool that runs the script on standard input before it prints its output. $answer has the
# output, $leases the directory of the leases.
wrong_program() {
	cat >"$BATS_TEST_TMPDIR/more"
	cat >"$BATS_TEST_TMPDIR/addrpool" <<-END
		#!/bin/sh
		leases=data/net
		answer=\$("$(readlink -e "$BUILD")/addrpool")
		status=\$?
		. "$BATS_TEST_TMPDIR/more"
		printf %s "\$answer"
		exit "\$status"
	END
	chmod +x "$BATS_TEST_TMPDIR/addrpool"
}

# caught WHAT CASE: the comparison finds that the wrong program differs in WHAT.
caught() {
	run "$here/pool-compare" -p "$BATS_TEST_TMPDIR" "$2"
	echo "$output"
	[ "$status" = 1 ]
	grep -qF "not listed: $2: $1" <<<"$output"
}

@test "host-local and addrpool differ only as listed, in some hundred cases" {
	run "$here/pool-compare" -k "$BATS_FILE_TMPDIR"
	echo "$output"
	[ "$status" = 0 ]
	[[ ${lines[-1]} =~ ^([0-9]+)' inputs in '([0-9]+)' calls, ' ]]
	[ "${BASH_REMATCH[1]}" -ge 800 ]
	[ "${BASH_REMATCH[2]}" -ge 2000 ]
	echo "# host-local ${GO_VERSION:-1.9.1}: ${lines[-1]}" >&3
}

@test "a listed difference that is not seen is caught" {
	jq '. + [{difference: "none", go: "", ours: "", reason: "",
		covers: [{cases: "life-1.1.0", paths: "1:ADD/exit", go: "0", ours: "1"}]}]' \
		"$here/pool-differences.json" >"$BATS_TEST_TMPDIR/table"
	run "$here/pool-compare" -t "$BATS_TEST_TMPDIR/table" -r "$BATS_FILE_TMPDIR"
	echo "$output"
	[ "$status" = 1 ]
	grep '^covered nothing: {"cases":"life-1.1.0"' <<<"$output"
}

@test "a difference that is no longer listed is caught" {
	jq 'map(select(.difference != "`cniVersion` in an error"))' "$here/pool-differences.json" >"$BATS_TEST_TMPDIR/table"
	run "$here/pool-compare" -t "$BATS_TEST_TMPDIR/table" -r "$BATS_FILE_TMPDIR"
	[ "$status" = 1 ]
	grep '^not listed: life-1.1.0: 3:ADD/stdout/cniVersion' <<<"$output"
}

@test "a difference that is listed for another version of host-local is caught" {
	jq 'map(select(.difference == "`cniVersion` in an error").versions = ["0.0.1"])' \
		"$here/pool-differences.json" >"$BATS_TEST_TMPDIR/table"
	run "$here/pool-compare" -t "$BATS_TEST_TMPDIR/table" -r "$BATS_FILE_TMPDIR"
	[ "$status" = 1 ]
	grep '^not listed: life-1.1.0: 3:ADD/stdout/cniVersion' <<<"$output"
}

@test "another address is caught" {
	wrong_program <<-'END'
		answer=$(printf %s "$answer" | sed s,10.9.0.2/24,10.9.0.3/24,)
	END
	caught 1:ADD/stdout/ips/0/address life-1.1.0
}

@test "another exit status is caught" {
	wrong_program <<-'END'
		[ "$CNI_COMMAND" != DEL ] || status=3
	END
	caught 6:DEL/exit life-1.1.0
}

@test "another message is caught" {
	wrong_program <<-'END'
		answer=$(printf %s "$answer" | sed s,allowed,permitted,)
	END
	caught 3:ADD/stdout/msg life-1.1.0
}

@test "an additional newline in a lease is caught" {
	wrong_program <<-'END'
		[ ! -e $leases/10.9.0.2 ] || echo >>$leases/10.9.0.2
	END
	caught 1:ADD/files/data/net/10.9.0.2/content life-1.1.0
}

@test "another mode of a lease is caught" {
	wrong_program <<-'END'
		[ ! -e $leases/10.9.0.2 ] || chmod 644 $leases/10.9.0.2
	END
	caught 1:ADD/files/data/net/10.9.0.2/mode life-1.1.0
}

@test "a file that was not removed is caught" {
	wrong_program <<-'END'
		>$leases/left
	END
	caught 1:ADD/files/data/net/left life-1.1.0
}

@test "a search that restarts each time is caught" {
	wrong_program <<-'END'
		rm -f $leases/last_reserved_ip.0
	END
	caught 10:ADD/stdout/ips/0/address life-1.1.0
}

# Each program continues with the leases of the other.
@test "host-local and addrpool in turn on one directory assign as host-local alone" {
	cat >"$BATS_TEST_TMPDIR/addrpool" <<-END
		#!/bin/sh
		turn=$BATS_TEST_TMPDIR/turn
		if [ -e \$turn ]; then
			rm \$turn
			exec "$(readlink -e "$BUILD")/addrpool"
		fi
		>\$turn
		exec "$("$here/get-plugins" "${GO_VERSION:-}")/host-local"
	END
	chmod +x "$BATS_TEST_TMPDIR/addrpool"
	run "$here/pool-compare" -p "$BATS_TEST_TMPDIR" 'walk-*' 'full-*' 'life-*' 'lease-[!i]*'
	echo "$output"
	[ "$status" = 0 ]
}
