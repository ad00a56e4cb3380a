#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Which address a container gets, and which files ADD writes.

load ../lib/pool

versions=(0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0)

# at VERSION CONF: the configuration with that version.
at() {
	echo "${2/1.1.0/$1}"
}

# from PREPARED LAST RANGES: other containers have leased these addresses, LAST as the last one.
from() {
	local address
	rm -rf "$DATA"
	mkdir -p "$STORE"
	for address in $1; do
		lease "$address" 'other\r\neth0'
	done
	[ -z "$2" ] || printf %s "$2" >"$STORE/last_reserved_ip.0"
	CONF=$(conf "\"ranges\": [[$(printf '{"subnet": "%s"},' $3 | sed 's/,$//')]]")
}

# next ADDRESS PREPARED LAST RANGES
next() {
	from "$2" "$3" "$4"
	gets "$1" "$CONF"
}

two_families='"ranges": [[{"subnet": "10.1.2.0/24"}, {"subnet": "10.2.2.0/24"}], [{"subnet": "2001:db8:1::0/64"}]],
	"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}, {"dst": "192.168.0.0/16", "gw": "1.1.1.1"},
		{"dst": "2001:db8:2::0/64", "gw": "2001:db8:3::1"}]'

# The result of any version as one shape: addresses, gateways, routes in an order of their own.
common() {
	result 'if .ip4 then [[.ip4, .ip6] | map(.ip), map(.gateway), (map(.routes) | add)]
		else [(.ips | map(.address), map(.gateway)), .routes] end | .[2] |= sort_by(.dst)'
}

@test "ADD assigns an address of each range set and writes host-local's files, DEL removes them, in each version" {
	local version
	for version in "${versions[@]}"; do
		rm -rf "$DATA"
		pool ADD "$(at "$version" "$(conf "$two_families")")" dummy
		succeeds
		[ "$(result .cniVersion)" = "$version" ]
		[ "$(common)" = '[["10.1.2.2/24","2001:db8:1::2/64"],["10.1.2.1","2001:db8:1::1"],[{"dst":"0.0.0.0/0"},{"dst":"192.168.0.0/16","gw":"1.1.1.1"},{"dst":"2001:db8:2::/64","gw":"2001:db8:3::1"},{"dst":"::/0"}]]' ]
		case $version in
		0.[34].*) [ "$(result '[.ips[].version]')" = '["4","6"]' ] ;;
		*) [[ $output != *'"version"'* ]] ;;
		esac
		holds 10.1.2.2 'dummy\r\neth0'
		holds 2001:db8:1::2 'dummy\r\neth0'
		holds last_reserved_ip.0 10.1.2.2
		holds last_reserved_ip.1 2001:db8:1::2
		drops "$(at "$version" "$(conf "$two_families")")" dummy
		leased ''
		holds last_reserved_ip.0 10.1.2.2
	done
}

@test "a result equals host-local's, to the byte, in each version" {
	local version ours
	for version in "${versions[@]}"; do
		rm -rf "$DATA"
		pool ADD "$(at "$version" "$(conf "$two_families")")"
		ours=$output
		rm -rf "$DATA"
		host_local ADD "$(at "$version" "$(conf "$two_families")")"
		diff <(echo "$output") <(echo "$ours")
	done
}

@test "the first ADD writes nothing to stderr about missing files" {
	gets 10.9.0.2/24 "$(conf)"
	[ -z "$stderr" ]
}

@test "directories and files have host-local's modes" {
	gets 10.9.0.2/24 "$(conf)"
	[ "$(cd "$STORE" && stat -c '%n %a' . lock 10.9.0.2 last_reserved_ip.0 | paste -sd' ')" = \
		'. 755 lock 750 10.9.0.2 600 last_reserved_ip.0 600' ]
	[ ! -s "$STORE/lock" ]
}

@test "without dataDir the leases are in host-local's directory" {
	rm -rf /var/lib/cni/networks
	gets 10.9.0.2/24 '{"cniVersion": "1.1.0", "name": "net", "ipam": {"type": "addrpool", "subnet": "10.9.0.0/24"}}'
	[ -f /var/lib/cni/networks/net/10.9.0.2 ]
	rm -rf /var/lib/cni/networks /var/lib/cni/.addrpool
}

@test "one container in two networks with two interfaces: DEL in one leaves the other" {
	local one two
	one=$(conf '"subnet": "10.1.2.0/24"' '"name": "one"')
	two=$(conf '"subnet": "10.2.2.0/24"' '"name": "two"')
	gets 10.1.2.2/24 "$one" dummy ifname0
	gets 10.2.2.2/24 "$two" dummy ifname1
	drops "$one" dummy ifname0
	[ ! -e "$DATA/one/10.1.2.2" ]
	[ "$(od -An -c "$DATA/two/10.2.2.2" | tr -d ' \n')" = 'dummy\r\nifname1' ]
	drops "$two" dummy ifname1
	[ ! -e "$DATA/two/10.2.2.2" ]
}

@test "two interfaces of one container have an address each, and DEL of one leaves the other's" {
	gets 10.9.0.2/24 "$(conf)" c1 eth0
	gets 10.9.0.3/24 "$(conf)" c1 eth1
	drops "$(conf)" c1 eth0
	leased 10.9.0.3
	holds 10.9.0.3 'c1\r\neth1'
}

@test "a second ADD for the same interface is an error, another container gets the next address" {
	gets 10.1.2.2/24 "$(conf '"subnet": "10.1.2.0/24"')" dummy
	pool ADD "$(conf '"subnet": "10.1.2.0/24"')" dummy
	fails 100 'failed to allocate for range 0: 10.1.2.2 has been allocated to dummy, duplicate allocation is not allowed'
	leased 10.1.2.2
	gets 10.1.2.3/24 "$(conf '"subnet": "10.1.2.0/24"')" dummy1
	drops "$(conf)" dummy
	drops "$(conf)" dummy1
	leased ''
}

@test "ADD refuses a container name with blanks around it, and finds one in a lease" {
	pool ADD "$(conf)" $'   dummy\n '
	fails 4 'invalid characters in containerID'
	lease 10.9.0.7 '   dummy\n \r\neth0\n'
	lease 10.9.0.8 ' \n dummy\r\neth0\n '
	pool ADD "$(conf)" dummy
	fails 100 '10.9.0.8 has been allocated to dummy'
	drops "$(conf)" dummy
	[ ! -e "$STORE/10.9.0.8" ]
}

# host-local's table of where the search begins

@test "an empty range starts with the address after the gateway" {
	next 10.0.0.2/29 '' '' 10.0.0.0/29
	next 2001:db8:1::2/64 '' '' 2001:db8:1::0/64
	next 10.0.0.2/30 '' '' 10.0.0.0/30
}

@test "the search skips leased addresses" {
	next 10.0.0.3/29 10.0.0.2 '' 10.0.0.0/29
	next 10.0.0.6/29 '10.0.0.4 10.0.0.5' 10.0.0.3 10.0.0.0/29
}

@test "the search begins after the last assigned address, and goes around" {
	next 10.0.0.6/29 '' 10.0.0.5 10.0.0.0/29
	next 10.0.0.2/29 10.0.0.6 10.0.0.5 10.0.0.0/29
}

@test "if the last address is outside the range or invalid, the search starts at the beginning" {
	next 10.0.0.3/29 10.0.0.2 10.0.0.128 10.0.0.0/29
	next 10.0.0.3/29 10.0.0.2 garbage 10.0.0.0/29
	next 10.0.0.3/29 10.0.0.2 10.0.0. 10.0.0.0/29
	next 10.0.0.3/29 10.0.0.2 fd00::2 10.0.0.0/29
	next 10.0.0.3/29 10.0.0.2 '10.0.0.5 ' 10.0.0.0/29
}

@test "the search tries the last assigned address last" {
	next 10.0.0.3/29 '10.0.0.2 10.0.0.4 10.0.0.5 10.0.0.6' 10.0.0.3 10.0.0.0/29
}

@test "several subnets of a set are used in turn" {
	next 10.0.0.2/30 '' '' '10.0.0.0/30 10.0.1.0/30'
	next 10.0.1.2/30 '' 10.0.0.2 '10.0.0.0/30 10.0.1.0/30'
	next 10.0.0.2/30 '' 10.0.2.2 '10.0.0.0/30 10.0.1.0/30 10.0.2.0/30'
	# the gateway belongs to the subnet
	[ "$(result '.ips[0].gateway')" = 10.0.0.1 ]
	next 10.0.1.2/30 '' 10.0.0.2 '10.0.0.0/30 10.0.1.0/30'
	[ "$(result '.ips[0].gateway')" = 10.0.1.1 ]
}

@test "an address is assigned again only after all others" {
	from '' '' 10.0.0.0/29
	gets 10.0.0.2/29 "$CONF" a
	drops "$CONF" a
	gets 10.0.0.3/29 "$CONF" a
	drops "$CONF" a
	gets 10.0.0.4/29 "$CONF" a
	gets 10.0.0.5/29 "$CONF" b
	gets 10.0.0.6/29 "$CONF" c
	gets 10.0.0.2/29 "$CONF" d
}

@test "the broadcast address is never assigned" {
	local i
	from '' '' 192.168.1.0/29
	for i in 2 3 4 5 6; do
		gets "192.168.1.$i/29" "$CONF" "c$i"
	done
	pool ADD "$CONF"
	fails 11 'failed to allocate for range 0: no IP addresses available in range set: 192.168.1.1-192.168.1.6'
	explains 'lists which containers have them'
}

@test "a full pool is error 11, and the message names all subnets" {
	from 10.0.0.2 '' 10.0.0.0/30
	pool ADD "$CONF"
	fails 11 'no IP addresses available in range set: 10.0.0.1-10.0.0.2'
	from '10.0.0.2 10.0.1.2' 10.0.0.2 '10.0.0.0/30 10.0.1.0/30'
	pool ADD "$CONF"
	fails 11 'no IP addresses available in range set: 10.0.0.1-10.0.0.2,10.0.1.1-10.0.1.2'
	from 'fd00::2 fd00::3' '' fd00::/126
	pool ADD "$CONF"
	fails 11 'no IP addresses available in range set: fd00::1-fd00::3'
}

@test "the search skips a gateway in the middle" {
	gets 10.9.0.4/29 "$(conf '"subnet": "10.9.0.0/29", "gateway": "10.9.0.5", "rangeStart": "10.9.0.4"')" a
	[ "$(result '.ips[0].gateway')" = 10.9.0.5 ]
	gets 10.9.0.6/29 "$(conf '"subnet": "10.9.0.0/29", "gateway": "10.9.0.5", "rangeStart": "10.9.0.4"')" b
}

@test "rangeStart and rangeEnd are the first and last address" {
	local range='"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.40", "rangeEnd": "10.9.0.41"'
	gets 10.9.0.40/24 "$(conf "$range")" a
	gets 10.9.0.41/24 "$(conf "$range")" b
	pool ADD "$(conf "$range")" c
	fails 11 'range set: 10.9.0.40-10.9.0.41'
}

@test "if one range set is full, ADD leases no address of the others" {
	local sets='"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "10.8.0.0/30"}]]'
	gets '10.9.0.2/24 10.8.0.2/30' "$(conf "$sets")" a
	pool ADD "$(conf "$sets")" b
	fails 11 'failed to allocate for range 1: no IP addresses available in range set: 10.8.0.1-10.8.0.2'
	leased '10.8.0.2 10.9.0.2'
}

@test "the search skips a long run of leased addresses" {
	local i
	mkdir -p "$STORE"
	for i in {2..200}; do
		printf 'o%s\r\neth0' "$i" >"$STORE/10.9.0.$i"
	done
	gets 10.9.0.201/24 "$(conf)"
}

@test "runtimeConfig.ipRanges come first, then the range in ipam itself, then ranges" {
	gets '10.7.0.2/24 10.9.0.2/24 10.8.0.2/24' "$(conf \
		'"subnet": "10.9.0.0/24", "ranges": [[{"subnet": "10.8.0.0/24"}]]' \
		'"runtimeConfig": {"ipRanges": [[{"subnet": "10.7.0.0/24"}]]}')"
	holds last_reserved_ip.0 10.7.0.2
	holds last_reserved_ip.1 10.9.0.2
	holds last_reserved_ip.2 10.8.0.2
}

@test "CNI before 0.3.0 allows at most one address of each family" {
	local version
	for version in 0.1.0 0.2.0; do
		pool ADD "$(at $version "$(conf '"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "10.8.0.0/24"}]]')")"
		fails 7 "CNI version $version does not support more than 1 address per family"
		pool ADD "$(at $version "$(conf '"ranges": [[{"subnet": "fd00::/64"}], [{"subnet": "fd01::/64"}]]')")"
		fails 7 "CNI version $version does not support more than 1 address per family"
		gets '10.9.0.2/24 fd00::2/64' "$(at $version "$(conf '"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00::/64"}]]')")"
		rm -rf "$DATA"
	done
}

@test "the file names of IPv6 leases are in Go's form" {
	gets 2001:db8::a:0:0:1/64 "$(conf '"subnet": "2001:DB8:0:0::/64", "rangeStart": "2001:0db8:0:0:a:0:0:1"')"
	leased 2001:db8::a:0:0:1
	gets ::102:303/96 "$(conf '"subnet": "::/96", "rangeStart": "::1.2.3.3"')" c2
	[ -e "$STORE/::102:303" ]
}

@test "the result has the routes with all their fields, in 1.1.0" {
	pool ADD "$(conf '"routes": [{"dst": "10.1.0.0/16", "gw": "10.9.0.9", "mtu": 1400, "advmss": 1340, "priority": 7, "table": 0, "scope": 253}]')"
	succeeds
	[ "$(result '.routes[0]')" = '{"advmss":1340,"dst":"10.1.0.0/16","gw":"10.9.0.9","mtu":1400,"priority":7,"scope":253,"table":0}' ]
}

@test "resolvConf is the result's dns" {
	cat >"$BATS_TEST_TMPDIR/resolv.conf" <<-'END'
		# comment
		; another
		nameserver 10.3.3.3
		domain example.org
		nameserver fd00::53
		search one.org two.org
		search three.org
		options ndots:5 edns0
	END
	pool ADD "$(conf "\"resolvConf\": \"$BATS_TEST_TMPDIR/resolv.conf\"")"
	succeeds
	[ "$(result .dns)" = '{"domain":"example.org","nameservers":["10.3.3.3","fd00::53"],"options":["ndots:5","edns0"],"search":["one.org","two.org","three.org"]}' ]
}

@test "ADD fails if resolvConf does not exist, and leases nothing" {
	pool ADD "$(conf '"resolvConf": "/nonexistent"')"
	fails 5 'open /nonexistent: no such file or directory'
	[ ! -e "$DATA" ]
}

@test "an ADD that cannot write its result leaves no lease" {
	run sh -c 'CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=/x "$BUILD/addrpool" >/dev/full' <<<"$(conf)"
	[ "$status" = 1 ]
	leased ''
}

@test "VERSION prints all versions" {
	pool VERSION '{"cniVersion": "1.1.0"}'
	succeeds
	[ "$(result '.supportedVersions | join(" ")')" = "${versions[*]}" ]
}
