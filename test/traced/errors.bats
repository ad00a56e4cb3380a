#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# addrpool, when any system call fails; see pool-faults.

bats_require_minimum_version 1.5.0

faults() {
	run "$BATS_TEST_DIRNAME/pool-faults" "$1"
	echo "$output"
	[ "$status" = 0 ]
	echo "# ${lines[-1]}" >&3
	[[ ${lines[-1]} =~ ([0-9]+)\ cases,\ ([0-9]+)\ passed ]]
	[ "${BASH_REMATCH[1]}" -ge 200 ]
}

@test "whatever system call of ADD and DEL fails, it reports that, and leaves nothing half-made" {
	faults errors
}
