#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A wrong configuration: the error names key and value, and nothing changes.

load ../lib/pool

# refused MESSAGE [IPAM [MORE]]: ADD and STATUS fail with exactly this message, and leave nothing.
refused() {
	local message=$1 verb
	shift
	for verb in ADD STATUS; do
		pool "$verb" "$(conf "$@")"
		fails 7
		says "$message"
	done
	[ ! -e "$DATA" ]
}

# host-local's range_test and range_set_test

@test "without rangeStart and rangeEnd a range is all host addresses of the subnet" {
	local subnet range
	while read -r subnet range; do
		run "$BUILD/addrpool" --json <(conf "\"subnet\": \"$subnet\"")
		[ "$(result '.[0].rangeSets[0].rangeSet')" = "$range" ] || { echo "$output, not $range"; return 1; }
	done <<-'END'
		192.0.2.0/24 192.0.2.1-192.0.2.254
		192.0.2.0/25 192.0.2.1-192.0.2.126
		192.0.2.128/25 192.0.2.129-192.0.2.254
		2001:db8:1::/64 2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff
	END
}

@test "a range with all its keys" {
	gets 192.0.2.40/24 "$(conf '"subnet": "192.0.2.0/24", "rangeStart": "192.0.2.40", "rangeEnd": "192.0.2.50", "gateway": "192.0.2.254"')"
	[ "$(result '.ips[0].gateway')" = 192.0.2.254 ]
}

@test "a subnet with host bits" {
	refused 'invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network address is 192.0.2.0' \
		'"subnet": "192.0.2.12/24"'
	refused 'invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network address is 2001:d00::' \
		'"subnet": "2001:db8:1::/24"'
}

@test "a range outside its subnet" {
	local subnet='"subnet": "192.0.2.0/24"'
	refused 'invalid range set 0: RangeStart 192.0.3.0 not in network 192.0.2.0/24' "$subnet, \"rangeStart\": \"192.0.3.0\""
	refused 'invalid range set 0: RangeEnd 192.0.4.0 not in network 192.0.2.0/24' "$subnet, \"rangeEnd\": \"192.0.4.0\""
	refused 'invalid range set 0: RangeStart 192.0.2.50 is after RangeEnd 192.0.2.40' \
		"$subnet, \"rangeStart\": \"192.0.2.50\", \"rangeEnd\": \"192.0.2.40\""
	refused 'invalid range set 0: RangeStart fd00::1 not in network 192.0.2.0/24' "$subnet, \"rangeStart\": \"fd00::1\""
	refused 'invalid range set 0: RangeStart 192.0.2.255 is the broadcast address of network 192.0.2.0/24' \
		"$subnet, \"rangeStart\": \"192.0.2.255\""
}

@test "a gateway of another family" {
	refused 'invalid range set 0: gateway fd00::1 is not of the family of network 10.9.0.0/24' '"gateway": "fd00::1"'
}

@test "a range set that is empty, or has both families" {
	refused 'invalid range set 0: empty range set' '"ranges": [[]]'
	refused 'invalid range set 1: empty range set' '"ranges": [[{"subnet": "10.9.0.0/24"}], []]'
	refused 'invalid range set 0: mixed address families' '"ranges": [[{"subnet": "10.9.0.0/24"}, {"subnet": "fd00::/64"}]]'
}

@test "ranges that overlap, in one range set and in two" {
	refused 'invalid range set 0: subnets 10.1.2.1-10.1.2.254 and 10.1.2.1-10.1.2.126 overlap' \
		'"ranges": [[{"subnet": "10.1.2.0/24"}, {"subnet": "10.1.2.0/25"}]]'
	refused 'range set 0 overlaps with 1' '"ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.2.0/25"}]]'
	refused 'range set 1 overlaps with 2' \
		'"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.3.0/24"}, {"subnet": "10.1.2.64/26"}]]'
	refused 'range set 0 overlaps with 1' '"subnet": "10.9.0.0/24"' '"runtimeConfig": {"ipRanges": [[{"subnet": "10.9.0.0/16"}]]}'
}

@test "parts of one subnet that do not overlap are valid" {
	gets '10.1.2.2/24 10.1.2.100/24' "$(conf '"ranges": [
		[{"subnet": "10.1.2.0/24", "rangeEnd": "10.1.2.99"}],
		[{"subnet": "10.1.2.0/24", "rangeStart": "10.1.2.100"}]]')"
}

@test "no range, no ipam" {
	refused 'no IP ranges specified' '"ranges": []'
	refused 'no IP ranges specified' '"ranges": null'
	pool ADD '{"cniVersion": "1.1.0", "name": "net"}'
	fails 7
	says "IPAM config missing 'ipam' key"
	pool ADD '{"cniVersion": "1.1.0", "name": "net", "ipam": "host-local"}'
	fails 7 'ipam must be an object'
}

@test "the error for an invalid address, prefix or list names its key" {
	refused 'subnet: invalid CIDR address: 10.9.0.0' '"subnet": "10.9.0.0"'
	refused 'subnet: invalid CIDR address: ' '"ranges": [[{}]]'
	refused 'subnet must be a string, not 5' '"subnet": 5'
	refused 'rangeStart: invalid IP address: zz' '"rangeStart": "zz"'
	refused 'rangeEnd: invalid IP address: 10.9.0.010' '"rangeEnd": "10.9.0.010"'
	refused 'gateway: invalid IP address: fe80::1%eth0' '"gateway": "fe80::1%eth0"'
	refused 'gateway must be a string, not {}' '"gateway": {}'
	refused 'a range must be an object' '"ranges": [["10.9.0.0/24"]]'
	refused 'ipam.ranges must be a list of lists of ranges' '"ranges": [{"subnet": "10.9.0.0/24"}]'
	refused 'ipam.ranges must be a list, not "10.9.0.0/24"' '"ranges": "10.9.0.0/24"'
	refused 'runtimeConfig.ipRanges must be a list of lists of ranges' '"ranges": []' '"runtimeConfig": {"ipRanges": [5]}'
	refused 'runtimeConfig must be an object, not []' '' '"runtimeConfig": []'
	refused 'args must be an object, not 1' '' '"args": 1'
}

@test "an empty address counts as not given" {
	gets 10.9.0.2/24 "$(conf '"rangeStart": "", "rangeEnd": "", "gateway": "", "dataDir": "'"$DATA"'", "resolvConf": ""')"
}

@test "ADD refuses invalid routes" {
	pool ADD "$(conf '"routes": [{"dst": "zz"}]')"
	fails 7 'invalid CIDR address: zz'
	pool ADD "$(conf '"routes": [{"dst": "0.0.0.0/0", "gw": "zz"}]')"
	fails 7 'invalid IP address: zz'
	pool ADD "$(conf '"routes": [{"dst": "10.0.0.0/8", "gw": "fd00::1"}]')"
	fails 7 'route to 10.0.0.0/8 has gateway fd00::1 of the other family'
	pool ADD "$(conf '"routes": {}')"
	fails 7 'routes must be a list, not {}'
	[ ! -e "$DATA" ]
}

@test "the error for a wrong value of addrpool's own keys names the key" {
	refused 'ipam.exclude: invalid address or prefix: 10.9.0.0/33' '"exclude": ["10.9.0.5", "10.9.0.0/33"]'
	refused 'ipam.reuseDelay must be 0 to 31622400, not -1' '"reuseDelay": -1'
	refused 'ipam.dataDir must be a string, not []' '"dataDir": []'
	refused 'ipam.resolvConf must be a string, not 5' '"resolvConf": 5'
}

@test "ADD ignores addrpool's own keys with a value of another type, and reports that" {
	local key value shown
	while read -r key value; do
		shown=", not $value"
		[ "$key" != cluster ] || shown='object' # the value may contain a password
		pool ADD "$(conf "\"$key\": $value")"
		succeeds
		[[ $stderr = "ignored: ipam.$key must be "*"$shown" ]]
		pool STATUS "$(conf "\"$key\": $value")"
		succeeds
		[ -z "$stderr" ]
		drops "$(conf "\"$key\": $value")"
		[ -z "$stderr" ]
	done <<-'END'
		exclude "10.9.0.5"
		exclude [5]
		reuseDelay "5"
		fsync 1
		sticky {}
		cluster "east"
	END
}

@test "a range set without an address to assign" {
	refused 'invalid range set 0: no address of 10.9.0.1-10.9.0.2 may be assigned' '"subnet": "10.9.0.0/30", "exclude": ["10.9.0.2"]'
	explains 'all are gateways, excluded, or the first or last address of a subnet'
	refused 'invalid range set 0: no address of 10.9.0.1-10.9.0.1 may be assigned' '"subnet": "10.9.0.0/24", "rangeEnd": "10.9.0.1"'
}

@test "more than 64 range sets are refused" {
	local i sets=''
	for i in {0..64}; do
		sets+="${sets:+, }[{\"subnet\": \"10.9.$i.0/24\"}]"
	done
	refused 'more than 64 range sets' "\"ranges\": [$sets]"
	pool ADD "$(conf "\"ranges\": [${sets%, *}]")"
	succeeds
	[ "$(result '.ips | length')" = 64 ]
	drops "$(conf)"
	leased ''
}

@test "keys match in upper and lower case, others are ignored" {
	gets 10.9.0.5/24 "$(conf '"SUBNET": "10.9.0.0/24", "rangestart": "10.9.0.5", "subnets": 5, "Range": []')"
}

@test "a network name that would lead out of dataDir is refused" {
	local name
	for name in .. . a/b '' .addrpool; do
		pool ADD "$(conf '' "\"name\": \"$name\"")"
		fails 7 'network name'
	done
	[ ! -e "$DATA" ]
}

@test "ADD fails if it cannot make dataDir, and names the path" {
	pool ADD "$(conf '"dataDir": "/proc/x"')"
	fails 5 'mkdir /proc/x'
	printf x >"$BATS_TEST_TMPDIR/file"
	pool ADD "$(conf "\"dataDir\": \"$BATS_TEST_TMPDIR/file\"")"
	fails 5 'not a directory'
	pool ADD "$(conf "\"dataDir\": \"/tmp/$(printf 'x%.0s' {1..5000})\"")"
	fails 7 'ipam.dataDir is longer than a path may be'
}

@test "a configuration that is not JSON" {
	pool ADD '{"cniVersion": "1.1.0", '
	fails 6
	pool ADD ''
	fails 6
}

# sets FROM N: N range sets.
sets() {
	local i list=''
	for ((i = $1; i < $1 + $2; i++)); do
		list+=", [{\"subnet\": \"10.$i.0.0/24\"}]"
	done
	echo "\"ranges\": [${list#, }]"
}

@test "one interface has 64 addresses at most" {
	pool ADD "$(conf "$(sets 1 40)")"
	succeeds
	pool ADD "$(conf "$(sets 101 40)")"
	fails 7 'c1 has more than 64 addresses'
	pool ADD "$(conf "$(sets 101 24)")"
	succeeds
	drops "$(conf "$(sets 1 40)")"
	leased ''
}
