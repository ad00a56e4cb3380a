#!/usr/bin/env bats
# logFile and logLevel: what an operator reads.

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

@test "error: what failed, in one line, and nothing else" {
	local conf
	conf=$(conf "$(keys error)" '{ "master": "missing" }')
	cni ADD "$conf"
	fails 7
	grep -qE "$when error ADD network=net container=a ifname=eth0: error 7: failed to lookup master \"missing\": Link not found; links in" "$log"
	[ "$(wc -l <"$log")" = 1 ]
}

@test "warning: what goes to stderr otherwise goes to the file" {
	local conf
	echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter
	conf=$(conf "$(keys warning)" '{ "hostAccess": true }')
	add "$conf"
	[ -z "$stderr" ]
	grep -qE "$when warning ADD network=net container=a ifname=eth0: hostAccess: rp_filter" "$log"
	cni DEL "$(conf)"
	add "$(conf '{ "hostAccess": true, "logLevel": "error" }')"
	[ -z "$stderr" ]
}

@test "what addrpool warns of is in the same file" {
	local conf
	conf=$(conf "$(keys warning)" '{ "ipam": { "type": "addrpool" } }')
	cni GC "$conf"
	succeeds
	grep -q 'warning GC network=net .*nothing is released' "$log"
}

@test "a file that cannot be written is said on stderr, with what was to be written, and stops nobody" {
	ln -s /etc/passwd "$BATS_TEST_TMPDIR/link"
	echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter
	add "$(conf "{ \"hostAccess\": true, \"logFile\": \"$BATS_TEST_TMPDIR/link\" }")"
	[[ $stderr = *"cannot write to logFile $BATS_TEST_TMPDIR/link"*"rp_filter of eth0 is strict"* ]]
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	cni DEL "$(conf "{ \"logLevel\": \"info\", \"logFile\": \"$BATS_TEST_TMPDIR/fifo\" }")"
	succeeds
}

@test "what is wrong about them is refused by name, but DEL works" {
	cni ADD "$(conf '{ "logLevel": "loud" }')"
	fails 7
	says 'failed to load netconf: logLevel must be "error", "warning" or "info", not "loud"'
	cni ADD "$(conf '{ "logFile": "log" }')"
	fails 7
	says 'failed to load netconf: logFile must be an absolute path, not "log"'
	cni DEL "$(conf '{ "logLevel": "loud" }')"
	succeeds
	[[ $stderr = *'logLevel must be'* ]]
}

@test "a line break does not make a line of its own" {
	cni ADD "$(conf "$(keys error)" '{ "master": "a\n2026-01-01T00:00:00Z info ADD" }')"
	fails 7
	[ "$(wc -l <"$log")" = 1 ]
}
