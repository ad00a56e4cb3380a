#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# logFile and logLevel: the log for operators.

load ../lib/cni

log=/run/cni/log

keys() {
	mkdir -p /run/cni
	rm -f "$log"
	echo "{ \"logFile\": \"$log\", \"logLevel\": \"$1\" }"
}

when='^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z'

@test "info: a line for each call, with its time, network, container and interface" {
	local conf
	conf=$(conf "$(keys info)")
	add "$conf"
	cni DEL "$conf"
	succeeds
	[ "$(wc -l <"$log")" = 2 ]
	grep -qE "$when info ADD network=net container=a ifname=eth0: done in [0-9]+ ms\$" "$log"
	grep -qE "$when info DEL network=net container=a ifname=eth0: done in [0-9]+ ms\$" "$log"
}

@test "error: only failures, in one line each" {
	local conf
	conf=$(conf "$(keys error)" '{ "master": "missing" }')
	cni ADD "$conf"
	fails 7
	grep -qE "$when error ADD network=net container=a ifname=eth0: error 7: failed to lookup master \"missing\": Link not found; links in" "$log"
	[ "$(wc -l <"$log")" = 1 ]
}

@test "warning: the lines of stderr go to the file instead" {
	local conf
	conf=$(conf "$(keys warning)" '{ "mode": "l3" }')
	add "$conf"
	[ -z "$stderr" ]
	grep -qE "$when warning ADD network=net container=a ifname=eth0: 10.138.36.2 is in the subnet of eth0, but in l3 no host answers for it" "$log"
	cni DEL "$(conf)"
	add "$(conf '{ "mode": "l3", "logLevel": "error" }')"
	[ -z "$stderr" ]
}

@test "addrpool's warnings are in the same file" {
	local conf
	conf=$(conf "$(keys warning)" '{ "ipam": { "type": "addrpool" } }')
	cni GC "$conf"
	succeeds
	grep -q 'warning GC network=net .*releases nothing' "$log"
}

@test "if the file cannot be written, stderr has that and the line, and the call succeeds" {
	ln -s /etc/passwd "$BATS_TEST_TMPDIR/link"
	add "$(conf "{ \"mode\": \"l3\", \"logFile\": \"$BATS_TEST_TMPDIR/link\" }")"
	[[ $stderr = *"cannot write to logFile $BATS_TEST_TMPDIR/link"*"but in l3 no host answers for it"* ]]
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	cni DEL "$(conf "{ \"logLevel\": \"info\", \"logFile\": \"$BATS_TEST_TMPDIR/fifo\" }")"
	succeeds
}

@test "levels of other programs mean the nearest of ours" {
	local level conf
	for level in debug Debug verbose trace; do
		conf=$(conf "$(keys "$level")")
		add "$conf"
		[ -z "$stderr" ]
		grep -q ' info ADD .*: done in' "$log"
		cni DEL "$conf"
	done
	for level in panic fatal; do
		conf=$(conf "$(keys "$level")" '{ "hostAccess": "no" }')
		add "$conf"
		[ -z "$stderr" ]
		[ ! -e "$log" ]
		cni DEL "$conf"
	done
}

@test "ADD warns of a wrong level or file, in the file if there is one, and succeeds" {
	add "$(conf "$(keys loud)")"
	[ -z "$stderr" ]
	grep -qE "$when warning ADD network=net container=a ifname=eth0: ignored: logLevel must be \"error\", \"warning\" or \"info\", not \"loud\"\$" "$log"
	cni DEL "$(conf "$(keys loud)")"
	succeeds
	[ ! -e "$log" ]
	add "$(conf '{ "logFile": "log", "logLevel": "info" }')"
	[ "$stderr" = 'ignored: logFile must be an absolute path, not "log"' ]
	cni STATUS "$(conf '{ "logFile": "log" }')"
	succeeds
	[ -z "$stderr" ]
}

@test "a line break does not start a new line of the log" {
	cni ADD "$(conf "$(keys error)" '{ "master": "a\n2026-01-01T00:00:00Z info ADD" }')"
	fails 7
	[ "$(wc -l <"$log")" = 1 ]
}
