#!/usr/bin/env bats
# STATUS: would an ADD work now?

load ../lib/pool

two='"subnet": "10.9.0.0/29", "rangeEnd": "10.9.0.3"'

@test "ready where there never was an ADD, and nothing is made" {
	pool STATUS "$(conf)"
	succeeds
	[ -z "$output" ]
	[ ! -e "$DATA" ]
}

@test "ready as long as there is an address, and nothing changes" {
	local before
	gets 10.9.0.2/29 "$(conf "$two")" a
	before=$(snapshot)
	pool STATUS "$(conf "$two")"
	succeeds
	changes_nothing "$before"
}

@test "no address left" {
	gets 10.9.0.2/29 "$(conf "$two")" a
	gets 10.9.0.3/29 "$(conf "$two")" b
	pool STATUS "$(conf "$two")"
	fails 50 'no IP addresses available in range set: 10.9.0.1-10.9.0.3'
	explains '2 of 2 are leased, 0 wait for reuseDelay'
	drops "$(conf "$two")" a
	pool STATUS "$(conf "$two")"
	succeeds
}

@test "no address left in one of two range sets" {
	local sets='"ranges": [[{"subnet": "10.8.0.0/24"}], [{"subnet": "10.9.0.0/30"}]]'
	gets '10.8.0.2/24 10.9.0.2/30' "$(conf "$sets")"
	pool STATUS "$(conf "$sets")"
	fails 50 'range set: 10.9.0.1-10.9.0.2'
}

@test "leases of other ranges, of gateways and of excluded addresses do not count" {
	lease 10.9.0.1 'x\r\neth0'
	lease 10.9.0.4 'x\r\neth0'
	lease 10.9.0.5 'x\r\neth0'
	lease 192.168.0.1 'x\r\neth0'
	pool STATUS "$(conf '"subnet": "10.9.0.0/29", "exclude": ["10.9.0.4/31"]')"
	succeeds
	lease 10.9.0.2 'x\r\neth0'
	lease 10.9.0.3 'x\r\neth0'
	lease 10.9.0.6 'x\r\neth0'
	pool STATUS "$(conf '"subnet": "10.9.0.0/29", "exclude": ["10.9.0.4/31"]')"
	fails 50 'no IP addresses available'
}

@test "leases that the next ADD takes back count as free" {
	gets 10.9.0.2/29 "$(conf "$two")" a
	gets 10.9.0.3/29 "$(conf "$two")" b
	restarted a
	pool STATUS "$(conf "$two")"
	succeeds
	gets 10.9.0.2/29 "$(conf "$two")" c
	pool STATUS "$(conf "$two")"
	fails 50
}

@test "empty files count as free" {
	lease 10.9.0.2 ''
	lease 10.9.0.3 'x\r\neth0'
	pool STATUS "$(conf "$two")"
	succeeds
}

@test "addresses that wait for reuseDelay do not count as free" {
	gets 10.9.0.2/29 "$(conf "$two, \"reuseDelay\": 1000")" a
	gets 10.9.0.3/29 "$(conf "$two, \"reuseDelay\": 1000")" b
	drops "$(conf "$two, \"reuseDelay\": 1000")" a
	pool STATUS "$(conf "$two, \"reuseDelay\": 1000")"
	fails 50 'no IP addresses available'
	explains '1 of 2 are leased, 1 wait for reuseDelay'
	pool STATUS "$(conf "$two")"
	succeeds
}

@test "a pool too large to be counted has room" {
	lease fd00::2 'x\r\neth0'
	pool STATUS "$(conf '"subnet": "fd00::/8"')"
	succeeds
}

@test "a directory that cannot be written to" {
	for_everybody
	mkdir -p "$DATA"
	run as_nobody env CNI_COMMAND=STATUS CNI_PATH=/x "$PLUGIN" <<<"$(conf)"
	fails 50 "cannot write to $DATA: permission denied"
	chmod 777 "$DATA"
	run as_nobody env CNI_COMMAND=STATUS CNI_PATH=/x "$PLUGIN" <<<"$(conf)"
	succeeds
}

@test "a dataDir that is not there yet, in / and below the current directory" {
	local dir
	for dir in /not-there-yet not/there/yet; do
		pool STATUS "$(conf "\"dataDir\": \"$dir\"")"
		succeeds
		[ ! -e "$dir" ]
	done
}

@test "a wrong configuration" {
	pool STATUS "$(conf '"subnet": "zz"')"
	fails 7 'invalid CIDR address: zz'
}

@test "before 1.1.0 there is no STATUS" {
	local conf
	conf=$(conf)
	pool STATUS "${conf/1.1.0/1.0.0}"
	fails 1 'config version does not allow STATUS'
}
