# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions for tests of ipvlan-node.

NODE_OPTIONS=()

# start_node [COMMAND...]: with the options NODE_OPTIONS; returns when it receives all events. Its output goes to the file $SAID.
start_node() {
	SAID=$BATS_TEST_TMPDIR/said
	rm -f "$BATS_TEST_TMPDIR/ready"
	socat -u "UNIX-RECV:$BATS_TEST_TMPDIR/notify" "OPEN:$BATS_TEST_TMPDIR/ready,creat" 3>&- &
	LISTENER=$!
	timeout 5 sh -c "until [ -S '$BATS_TEST_TMPDIR/notify' ]; do sleep 0.02; done"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify "$@" "$BUILD/ipvlan-node" "${NODE_OPTIONS[@]}" 2>>"$SAID" 3>&- &
	NODE=$!
	timeout 5 sh -c "until grep -q READY=1 '$BATS_TEST_TMPDIR/ready' 2>/dev/null; do sleep 0.02; done"
	kill "$LISTENER"
	wait "$LISTENER" || :
}

stop_node() {
	[ -n "$NODE" ] || return 0
	kill "$NODE" 2>/dev/null || :
	wait "$NODE" 2>/dev/null || :
	NODE=''
}

# soon COMMAND...: the command succeeds, within a second on a fast machine.
soon() {
	local end=$((SECONDS + 10))
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "not soon: $*"; cat "$SAID"; return 1; }
		sleep 0.05
	done
}

# waits until no repair runs, and none is due
settle() {
	local before now
	now=$(cat "/proc/$NODE/task/$NODE/children")$(cut -d' ' -f14,15 "/proc/$NODE/stat")
	until [ "$now" = "${before:-}" ]; do
		sleep 1
		before=$now
		now=$(cat "/proc/$NODE/task/$NODE/children")$(cut -d' ' -f14,15 "/proc/$NODE/stat")
	done
}
