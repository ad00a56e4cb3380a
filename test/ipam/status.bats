#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# STATUS: would an ADD work, now or later? It reports a full pool only on stderr, since kubelet declares a node
# that reports 50 unusable, and its running pods are evicted.

load ../lib/pool

two='"subnet": "10.9.0.0/29", "rangeEnd": "10.9.0.3"'

@test "STATUS succeeds without any ADD before, and makes no file" {
	pool STATUS "$(conf)"
	succeeds
	[ -z "$output" ]
	[ ! -e "$DATA" ]
}

@test "STATUS succeeds while there is a free address, and changes nothing" {
	local before
	gets 10.9.0.2/29 "$(conf "$two")" a
	before=$(snapshot)
	pool STATUS "$(conf "$two")"
	succeeds
	[ -z "$stderr" ]
	changes_nothing "$before"
}

# is_full CONF RANGE: STATUS succeeds and reports the full range. has_room CONF: it reports nothing.
is_full() {
	pool STATUS "$1"
	succeeds
	[ -z "$output" ]
	[ "$stderr" = "network net: no IP addresses available in range set: $2" ] || { echo "$stderr"; return 1; }
}

has_room() {
	pool STATUS "$1"
	succeeds
	[ -z "$output" ]
	[ -z "$stderr" ] || { echo "$stderr"; return 1; }
}

@test "STATUS succeeds for a full pool, and writes one line to the log" {
	gets 10.9.0.2/29 "$(conf "$two")" a
	has_room "$(conf "$two")"
	gets 10.9.0.3/29 "$(conf "$two")" b
	is_full "$(conf "$two")" 10.9.0.1-10.9.0.3
	pool ADD "$(conf "$two")" c
	fails 11 'no IP addresses available'
	is_full "$(conf "$two")" 10.9.0.1-10.9.0.3
	drops "$(conf "$two")" a
	has_room "$(conf "$two")"
}

@test "STATUS reports a larger pool as full after an ADD has failed, until an address is released" {
	local n conf
	conf=$(conf '"subnet": "10.9.0.0/27"')
	for n in {2..30}; do
		lease "10.9.0.$n" "c$n\\r\\neth0"
	done
	has_room "$conf"
	pool ADD "$conf"
	fails 11
	is_full "$conf" 10.9.0.1-10.9.0.30
	has_room "$(conf '"subnet": "10.9.0.0/26"')"
	host_local DEL "$conf" c7
	succeeds
	has_room "$conf"
}

@test "no address left in one of two range sets" {
	local sets='"ranges": [[{"subnet": "10.8.0.0/24"}], [{"subnet": "10.9.0.0/30"}]]'
	gets '10.8.0.2/24 10.9.0.2/30' "$(conf "$sets")"
	is_full "$(conf "$sets")" 10.9.0.1-10.9.0.2
}

@test "leases outside the range, of gateways and of excluded addresses do not count" {
	lease 10.9.0.1 'x\r\neth0'
	lease 10.9.0.4 'x\r\neth0'
	lease 10.9.0.5 'x\r\neth0'
	lease 192.168.0.1 'x\r\neth0'
	has_room "$(conf '"subnet": "10.9.0.0/29", "exclude": ["10.9.0.4/31"]')"
	lease 10.9.0.2 'x\r\neth0'
	lease 10.9.0.3 'x\r\neth0'
	lease 10.9.0.6 'x\r\neth0'
	is_full "$(conf '"subnet": "10.9.0.0/29", "exclude": ["10.9.0.4/31"]')" 10.9.0.1-10.9.0.6
}

@test "empty files count as free" {
	lease 10.9.0.2 ''
	lease 10.9.0.3 'x\r\neth0'
	has_room "$(conf "$two")"
}

@test "addresses that wait for reuseDelay do not count as free" {
	gets 10.9.0.2/29 "$(conf "$two, \"reuseDelay\": 1000")" a
	gets 10.9.0.3/29 "$(conf "$two, \"reuseDelay\": 1000")" b
	drops "$(conf "$two, \"reuseDelay\": 1000")" a
	is_full "$(conf "$two, \"reuseDelay\": 1000")" 10.9.0.1-10.9.0.3
	has_room "$(conf "$two")"
}

# calls CONF: the number of system calls of STATUS.
calls() {
	CNI_COMMAND=STATUS ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" "$BUILD/addrpool" <<<"$1" 2>/dev/null
	wc -l <"$BATS_TEST_TMPDIR/trace"
}

@test "STATUS costs the same with 20000 leases as with none: it reads no lease and no /proc, and takes no lock" {
	local conf few many
	conf=$(conf '"subnet": "10.9.0.0/16", "rangeEnd": "10.9.78.33"')
	gets 10.9.0.2/16 "$conf" a
	few=$(calls "$conf")
	awk -v dir="$STORE" 'BEGIN {
		for (i = 3; i < 20002; i++) {
			ip = dir "/10.9." int(i / 256) "." i % 256
			printf "c%d\r\neth0", i >ip
			close(ip)
		}
	}'
	pool ADD "$conf" b
	fails 11
	keeps_lock "$STORE/lock"
	many=$(calls "$conf")
	kill "$HOLDER"
	echo "$few system calls, and $many"
	[ $((many - few)) -lt 20 ]
	grep -q 'readlinkat(.*"full/0"' "$BATS_TEST_TMPDIR/trace"
	run ! grep -e getdents -e '/proc/[0-9]' -e execve.*claim "$BATS_TEST_TMPDIR/trace"
}

@test "with cluster, STATUS fails without addrpool-claim" {
	local conf
	conf=$(conf '"cluster": {"etcd": {"endpoints": ["http://127.0.0.1:1"]}, "timeout": 1}')
	has_room "$conf"
	for_everybody
	CNI_PATH=/none pool STATUS "$conf"
	fails 50 'there is no addrpool-claim beside addrpool, nor in CNI_PATH'
	explains 'install it'
}

@test "with cluster, STATUS does not ask the engine, and reports the failure of the last ADD" {
	local conf plain
	conf=$(conf '"cluster": {"etcd": {"endpoints": ["http://127.0.0.1:1"]}, "timeout": 1}')
	pool ADD "$conf"
	fails 11 'Failed to connect'
	pool STATUS "$conf"
	succeeds
	[[ $stderr = *'network net: the last request to the engine failed: etcd http://127.0.0.1:1: Failed to connect'* ]]
	plain=$(calls "$(conf)")
	[ "$(calls "$conf")" -le $((plain + 50)) ]
	run ! grep -e connect -e 'execve.*claim' "$BATS_TEST_TMPDIR/trace"
}

@test "a pool too large to be counted has room" {
	lease fd00::2 'x\r\neth0'
	pool STATUS "$(conf '"subnet": "fd00::/8"')"
	succeeds
}

@test "STATUS fails if it cannot write to the directory" {
	for_everybody
	mkdir -p "$DATA"
	run as_nobody env CNI_COMMAND=STATUS CNI_PATH=/x "$PLUGIN" <<<"$(conf)"
	fails 50 "cannot write to $DATA: permission denied"
	chmod 777 "$DATA"
	run as_nobody env CNI_COMMAND=STATUS CNI_PATH=/x "$PLUGIN" <<<"$(conf)"
	succeeds
}

@test "STATUS succeeds if dataDir does not exist yet, in / and below the current directory" {
	local dir
	for dir in /not-there-yet not/there/yet; do
		pool STATUS "$(conf "\"dataDir\": \"$dir\"")"
		succeeds
		[ ! -e "$dir" ]
	done
}

@test "STATUS fails for a wrong configuration" {
	pool STATUS "$(conf '"subnet": "zz"')"
	fails 7 'invalid CIDR address: zz'
}

@test "before 1.1.0 there is no STATUS" {
	local conf
	conf=$(conf)
	pool STATUS "${conf/1.1.0/1.0.0}"
	fails 1 'config version does not allow STATUS'
}
