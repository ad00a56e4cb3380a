#!/usr/bin/env bats
# addrpool-claim, killed at every system call, or failed at each that is about files: whatever it was
# about to do, the next call goes on.

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

# failures VERB ID: each system call about files that addrpool-claim makes in it, for strace.
failures() {
	calls_of "$@" >/dev/null
	awk -F'(' '
		/^(openat|readlinkat|symlinkat|unlinkat|renameat|mkdirat|getdents64|utimensat|flock|getrandom)\(/ {
			print "inject=" $1 ":error=" ($1 == "flock" ? "ENOLCK" : $1 ~ /^(sym|ren|mk)/ ? "ENOSPC" : "EIO") ":when=" ++n[$1]
		}' "$BATS_TEST_TMPDIR/trace"
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

@test "failed at any system call about files of a claim, it is told, the next ADD claims, and no block is lost" {
	local fault list cases=0
	add c0
	list=$(failures ADD counted)
	drops "$CONF" counted
	while read -r fault; do
		add filler # takes the spare block
		echo "$fault" >"$BIN/fault"
		pool ADD "$CONF" victim
		rm "$BIN/fault"
		[ "$status" = 0 ] || fails "$(jq .code <<<"$output")" || { echo "$fault: $output"; return 1; }
		drops "$CONF" victim
		add after || { echo "$fault: $output"; return 1; }
		drops "$CONF" after
		drops "$CONF" filler
		cases=$((cases + 1))
	done <<<"$list"
	pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": [{\"containerID\": \"c0\", \"ifname\": \"eth0\"}]}" ''
	succeeds
	agree_on 2
	echo "# errors: $cases cases" >&3
	[ "$cases" -ge 40 ]
}

@test "failed at any system call about files of a return, the block goes back with the next call" {
	local fault list cases=0
	add c0
	add one
	add two
	drops "$CONF" one
	list=$(failures DEL two)
	while read -r fault; do
		add one
		add two
		drops "$CONF" one
		echo "$fault" >"$BIN/fault"
		pool DEL "$CONF" two
		succeeds
		rm -f "$BIN/fault" "$OWN/blocks/failed" # which keeps from trying again for a minute
		cases=$((cases + 1))
	done <<<"$list"
	add two
	drops "$CONF" two
	agree_on 2
	echo "# errors: $cases cases" >&3
	[ "$cases" -ge 40 ]
}
