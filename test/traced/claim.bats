#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# addrpool-claim, killed at every system call, or failed at each that is about files: whatever it was
# about to do, the next call goes on.

load ../lib/cluster
load ../lib/faulty-claim

setup() {
	make_places
	start_engine
	make_faulty_claim
	on a '"blockSize": 1, "timeout": 5'
}

teardown() {
	stop_engine
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
	done < <(faults "$1")
	pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": [{\"containerID\": \"c0\", \"ifname\": \"eth0\"}]}" ''
	succeeds
	agree_on 2
	echo "# $1: $cases cases" >&3
	[ "$cases" -ge $(($2 / $(fault_step "$1"))) ]
}

# A failure keeps from trying again for a minute.
a_minute_passes() {
	rm -f "$OWN"/blocks/{failed,kept}
}

# returns_despite KIND LEAST: on the way of a return.
returns_despite() {
	local cases
	faulty_returns "$1" a_minute_passes
	add two
	drops "$CONF" two
	agree_on 2
	echo "# $1: $cases cases" >&3
	[ "$cases" -ge $(($2 / $(fault_step "$1"))) ]
}

@test "killed at any system call of a claim, the block is claimed by the next ADD, and no other is lost" {
	claims_despite kill 100
}

@test "killed at any system call of a return, the block goes back with the next call" {
	returns_despite kill 100
}

@test "failed at any system call about files of a claim, the error names it, the next ADD claims, and no block is lost" {
	claims_despite errors 40
}

@test "failed at any system call about files of a return, the block goes back with the next call" {
	returns_despite errors 40
}

# workload NODE VERB CONTAINER: a call for the workload at hand, on a node.
workload() {
	on "$1" '"timeout": 5' '"sticky": "POD", "ranges": [[{"subnet": "10.9.0.0/20", "identities": true}]]'
	CNI_ARGS="IgnoreUnknown=1;POD=$WORKLOAD" pool "$2" "$CONF" "$3"
}

# moves_despite KIND VERB STEP LEAST: with each STEPth fault in ADD or DEL of a new workload on node a. The workload then
# starts on b.
moves_despite() {
	local fault faults cases=0 first
	WORKLOAD=traced
	workload a ADD c1
	[ "$2" = ADD ] || succeeds
	drops "$CONF" c1
	WORKLOAD=traced-$2
	[ "$2" = ADD ] || { workload a ADD c1 && succeeds; }
	CNI_ARGS="IgnoreUnknown=1;POD=$WORKLOAD" traced "$2" c1
	workload a DEL c1
	mapfile -t faults < <(faults "$1" "$3")
	while read -r fault; do
		WORKLOAD=$2-$((cases += 1))
		[ "$2" = ADD ] || { workload a ADD victim && succeeds; }
		echo "$fault" >"$BIN/fault"
		workload a "$2" victim
		rm -f "$BIN/fault"
		first=''
		if [ "$2" = ADD ]; then
			[ "$status" = 0 ] || fails "$(jq .code <<<"$output")" || { echo "$fault: $output"; return 1; }
			[ "$status" != 0 ] || first=$(address)
			workload b ADD other
			[ -z "$first" ] || fails 11 'is held on node a by container victim' || { echo "$fault: $output"; return 1; }
			workload b DEL other
			succeeds
		else
			succeeds
			a_minute_passes
		fi
		workload a DEL victim
		succeeds
		workload b ADD other
		succeeds || { echo "$fault: $output"; return 1; }
		[ -z "$first" ] || [ "$(address)" = "$first" ]
		workload b DEL other
		succeeds
	done < <(printf '%s\n' "${faults[@]}")
	"$BUILD/addrpool-claim" identities <<<"$CONF" >"$BATS_TEST_TMPDIR/identities"
	[ "$(jq '[.[] | select(.holder)] | length' "$BATS_TEST_TMPDIR/identities")" = 0 ]
	echo "# $1, $2: $cases cases" >&3
	[ "$cases" -ge "$4" ]
}

@test "killed at any system call of an identity's ADD or DEL, the workload starts on another node after DEL, with its address" {
	moves_despite kill ADD 84 5
	moves_despite kill DEL 84 5
}

@test "failed at any system call about files of an identity's ADD or DEL, it is the same" {
	moves_despite errors ADD 12 5
	moves_despite errors DEL 12 5
}
