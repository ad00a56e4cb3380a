#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The power fails at any moment: the machine is a guest whose leases are on ext4, and which is killed.

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
export BUILD
ROUNDS=10

machine() {
	KERNEL=uml exec "$TOP/test/kernel/run" -t 120 -w "$BATS_TEST_TMPDIR" -a "ubd0=$BATS_TEST_TMPDIR/disk" -- \
		"$BATS_TEST_DIRNAME/machine" "$1" "$BATS_TEST_TMPDIR"
}

# Whatever is in the guest's memory then is lost.
power_fails_after() {
	local pid seconds=0
	: >"$BATS_TEST_TMPDIR/log"
	(machine work) 3>&- &
	pid=$!
	until [ "$(wc -l <"$BATS_TEST_TMPDIR/log")" -gt "$1" ]; do
		sleep 0.02
		seconds=$((seconds + 1))
		kill -0 $pid && [ $seconds -lt 1500 ] || return
	done
	kill -9 $pid
	wait $pid || :
	while fuser -s "$BATS_TEST_TMPDIR/disk" 2>/dev/null; do
		sleep 0.1
	done
}

# rounds FSYNC: on one disk, so that what one power failure leaves the next one finds.
rounds() {
	local i lines kept=0
	truncate -s 64M "$BATS_TEST_TMPDIR/disk"
	mkfs.ext4 -q "$BATS_TEST_TMPDIR/disk"
	echo '{ "cniVersion": "1.1.0", "name": "power", "type": "ipvlan", "master": "eth0", "ipam": { "type": "addrpool",
		"fsync": '"$1"', "subnet": "10.9.0.0/26" } }' >"$BATS_TEST_TMPDIR/conf"
	RANDOM=${SEED:=$RANDOM}
	echo "SEED=$SEED"
	for ((i = 0; i < ROUNDS; i++)); do
		power_fails_after $((RANDOM % 60))
		run machine look
		echo "round $i, after $(wc -l <"$BATS_TEST_TMPDIR/log") lines: $output"
		[ "$status" = 0 ]
		kept=$((kept + $(grep -c ^kept <<<"$output" || :)))
	done
	echo "# $ROUNDS power failures, $kept leases kept" >&3
	[ "$1" = false ] || [ "$kept" -gt 0 ]
}

@test "the power fails: what is there is whole, and everything goes on" {
	rounds false
}

@test "the power fails: with fsync, a pod whose ADD has succeeded still has its address" {
	rounds true
}

@test "the clock is set back by a day at any moment" {
	KERNEL=uml run "$TOP/test/kernel/run" -- bats "$BATS_TEST_DIRNAME/clock-guest"
	echo "$output"
	[ "$status" = 0 ]
	grep '^# events' <<<"$output" >&3
}
