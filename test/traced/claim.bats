#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# addrpool-claim, killed at every system call, or failed at each that is about files: whatever it was
# about to do, the next call goes on.

load ../lib/cluster

setup() {
	make_places
	start_engine
	BIN=$BATS_TEST_TMPDIR/bin
	mkdir "$BIN"
	cp "$BUILD/addrpool" "$BIN"
	# one that does what $BIN/fault says, and the real one otherwise
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

# traced VERB ID: what addrpool-claim does in it is in $TRACE.
traced() {
	TRACE=$BATS_TEST_TMPDIR/trace
	mv "$BIN/addrpool-claim" "$BIN/addrpool-claim.real"
	printf '#!/bin/sh\nexec strace -qq -o %s %s "$@"\n' "$TRACE" "$BUILD/addrpool-claim" >"$BIN/addrpool-claim"
	chmod +x "$BIN/addrpool-claim"
	pool "$1" "$CONF" "$2"
	mv "$BIN/addrpool-claim.real" "$BIN/addrpool-claim"
	succeeds
}

# What strace can do to it, a line each: kill it at each seventh system call, STEP=1 for all,
kill_faults() {
	seq -f 'inject=all:signal=KILL:when=%g' 1 "${STEP:-7}" "$(wc -l <"$TRACE")"
}

# or fail each that is about files.
errors_faults() {
	awk -F'(' '
		/^(openat|readlinkat|symlinkat|unlinkat|renameat|mkdirat|getdents64|utimensat|flock|getrandom)\(/ {
			print "inject=" $1 ":error=" ($1 == "flock" ? "ENOLCK" : $1 ~ /^(sym|ren|mk)/ ? "ENOSPC" : "EIO") ":when=" ++n[$1]
		}' "$TRACE"
}

# The engine and the node agree on what is the node's, which is N blocks.
agree_on() {
	local own claims
	own=$(own)
	claims=$(claims a)
	[ "$own" = "$claims" ] && [ "$(wc -w <<<"$own")" = "$1" ] || { echo "own: $own; claimed: $claims; not $1"; return 1; }
}

# claims_despite KIND LEAST: with each fault of the kind, of which there are so many, on the way of a claim.
claims_despite() {
	local fault cases=0
	add c0
	traced ADD counted
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
	done < <("$1_faults")
	pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": [{\"containerID\": \"c0\", \"ifname\": \"eth0\"}]}" ''
	succeeds
	agree_on 2
	echo "# $1: $cases cases" >&3
	[ "$cases" -ge "$2" ]
}

# returns_despite KIND LEAST: on the way of a return.
returns_despite() {
	local fault cases=0
	add c0
	add one
	add two
	drops "$CONF" one
	traced DEL two
	while read -r fault; do
		add one
		add two
		drops "$CONF" one
		echo "$fault" >"$BIN/fault"
		pool DEL "$CONF" two
		succeeds
		rm -f "$BIN/fault" "$OWN/blocks/failed" # which keeps from trying again for a minute
		cases=$((cases + 1))
	done < <("$1_faults")
	add two
	drops "$CONF" two
	agree_on 2
	echo "# $1: $cases cases" >&3
	[ "$cases" -ge "$2" ]
}

@test "killed at any system call of a claim, the block is claimed by the next ADD, and no other is lost" {
	claims_despite kill $((100 / ${STEP:-7}))
}

@test "killed at any system call of a return, the block goes back with the next call" {
	returns_despite kill $((100 / ${STEP:-7}))
}

@test "failed at any system call about files of a claim, the error names it, the next ADD claims, and no block is lost" {
	claims_despite errors 40
}

@test "failed at any system call about files of a return, the block goes back with the next call" {
	returns_despite errors 40
}
