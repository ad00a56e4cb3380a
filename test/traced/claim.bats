#!/usr/bin/env bats
# addrpool-claim, killed at every system call: whatever it was about to do, the next call goes on.

load ../lib/cluster

setup() {
	make_places
	start_engine
	BIN=$BATS_TEST_TMPDIR/bin
	mkdir "$BIN"
	cp "$BUILD/addrpool" "$BIN"
	# one that does as it is told in $BIN/fault, and the real one otherwise
	cat >"$BIN/addrpool-claim" <<-WRAP
		#!/bin/sh
		[ -e $BIN/fault ] || exec $BUILD/addrpool-claim "\$@"
		exec strace -qq -o /dev/null -e trace=all -e "\$(cat $BIN/fault)" $BUILD/addrpool-claim "\$@"
	WRAP
	chmod +x "$BIN/addrpool-claim"
	export PLUGIN=$BIN/addrpool
	on a '"blockSize": 1, "timeout": 5'
}

teardown() {
	stop_engine
}

# calls_of VERB ID: how many system calls addrpool-claim makes in it.
calls_of() {
	cat >"$BIN/addrpool-claim.count" <<-WRAP
		#!/bin/sh
		exec strace -qq -o $BATS_TEST_TMPDIR/trace $BUILD/addrpool-claim "\$@"
	WRAP
	chmod +x "$BIN/addrpool-claim.count"
	mv "$BIN/addrpool-claim" "$BIN/addrpool-claim.real"
	mv "$BIN/addrpool-claim.count" "$BIN/addrpool-claim"
	pool "$1" "$CONF" "$2"
	mv "$BIN/addrpool-claim.real" "$BIN/addrpool-claim"
	succeeds
	wc -l <"$BATS_TEST_TMPDIR/trace"
}

# The engine and the node agree on what is the node's, which is N blocks.
agree_on() {
	local own claims
	own=$(own)
	claims=$(claims a)
	[ "$own" = "$claims" ] && [ "$(wc -w <<<"$own")" = "$1" ] || { echo "own: $own; claimed: $claims; not $1"; return 1; }
}

@test "killed at any system call of a claim, the block is claimed by the next ADD, and no other is lost" {
	local k n cases=0
	add c0
	n=$(calls_of ADD counted)
	drops "$CONF" counted
	for ((k = 1; k <= n; k++)); do
		add filler # takes the spare block
		echo "inject=all:signal=KILL:when=$k" >"$BIN/fault"
		pool ADD "$CONF" victim
		rm "$BIN/fault"
		[ "$status" = 0 ] || [ "$status" = 1 ]
		drops "$CONF" victim
		add after || { echo "killed at $k of $n: $output"; return 1; }
		drops "$CONF" after
		drops "$CONF" filler
		cases=$((cases + 1))
	done
	pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": [{\"containerID\": \"c0\", \"ifname\": \"eth0\"}]}" ''
	succeeds
	agree_on 2
	echo "# $cases cases" >&3
	[ "$cases" -ge 100 ]
}

@test "killed at any system call of a return, the block goes back with the next call" {
	local k n cases=0
	add c0
	add one
	add two
	drops "$CONF" one
	n=$(calls_of DEL two)
	for ((k = 1; k <= n; k++)); do
		add one
		add two
		drops "$CONF" one
		echo "inject=all:signal=KILL:when=$k" >"$BIN/fault"
		pool DEL "$CONF" two
		succeeds
		rm "$BIN/fault"
		cases=$((cases + 1))
	done
	drops "$CONF" two
	agree_on 2
	echo "# $cases cases" >&3
	[ "$cases" -ge 100 ]
}
