# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# An addrpool-claim that strace kills, or whose system calls it fails, as $BIN/fault says.
#
#	pool ADD ...   with what $BIN/fault says, an argument of strace's -e, if that file exists
#	traced ADD c1  lists the system calls of addrpool-claim
#	faults KIND [STEP]   what can then be written into $BIN/fault, a line each; STEP: each of so many
#	fault_step KIND      each of how many it is, without STEP
#	faulty_returns KIND CHECK    with each fault of the kind, a DEL that returns a block, and then CHECK;
#	               cases is their number, and c0 stays
#
# Include cluster.bash first.

make_faulty_claim() {
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

# A sample of the long lists, STEP=1 for all.
fault_step() {
	local -A steps=([kill]=7 [errors]=3)
	[ "${STEP:-}" != 1 ] || steps=()
	echo "${steps[$1]:-1}"
}

faults() {
	local step=${2:-$(fault_step "$1")}
	[ "${STEP:-}" != 1 ] || step=1
	"$1_faults" | awk -v step="$step" 'NR % step == 0'
}

# What strace can do to it, a line each; strace counts the calls of each name. Kill it at each system call,
kill_faults() {
	awk -F'(' '{ print "inject=" $1 ":signal=KILL:when=" ++n[$1] }' "$TRACE"
}

# kill it after each that changes a file, a route, or what the engine has,
step_faults() {
	awk -F'(' '
		{ n[$1]++ }
		changed { print "inject=" $1 ":signal=KILL:when=" n[$1] }
		{ changed = /^(symlinkat|unlinkat|renameat|mkdirat|sendto)\(/ }' "$TRACE"
}

# fail each that is about files,
errors_faults() {
	awk -F'(' '
		/^(openat|readlinkat|symlinkat|unlinkat|renameat|mkdirat|getdents64|utimensat|flock|getrandom)\(/ {
			print "inject=" $1 ":error=" ($1 == "flock" ? "ENOLCK" : $1 ~ /^(sym|ren|mk)/ ? "ENOSPC" : "EIO") ":when=" ++n[$1]
		}' "$TRACE"
}

# or each by which it asks the kernel about routes.
netlink_faults() {
	awk -F'(' '/^(socket|sendto)\(/ { n[$1]++ } /NETLINK/ && n[$1] { print "inject=" $1 ":error=ENOBUFS:when=" n[$1] }' "$TRACE"
}

faulty_returns() {
	local fault
	cases=0
	add c0
	add one
	add two
	drops "$CONF" one
	traced DEL two
	while read -r fault; do
		echo "$fault" # printed if the test fails
		add one
		add two
		drops "$CONF" one
		echo "$fault" >"$BIN/fault"
		pool DEL "$CONF" two
		succeeds
		rm -f "$BIN/fault"
		"$2"
		cases=$((cases + 1))
	done < <(faults "$1")
}
