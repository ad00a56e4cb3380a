#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# "static": addresses that are assigned only on request.

load ../lib/pool

range='"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.64", "rangeEnd": "10.9.0.67", "gateway": "10.9.0.254"'
static='"static": ["10.9.0.7", "10.9.0.16/28"]'

# asks ADDRESS ADDRESSES CONF [ID [IFNAME]]: an ADD that requests ADDRESS gets ADDRESSES.
asks() {
	CNI_ARGS=IP=$1 gets "${@:2}"
}

# refused MESSAGE IPAM: ADD, CHECK and STATUS fail with it, and leave nothing.
refused() {
	local verb
	for verb in ADD CHECK STATUS; do
		pool "$verb" "$(conf "$2")"
		fails 7
		says "$1"
	done
	[ ! -e "$DATA" ]
}

@test "a pod can request an address outside of the range, and gets the range's mask and gateway" {
	local conf
	conf=$(conf "$range, $static, \"routes\": [{\"dst\": \"0.0.0.0/0\"}]")
	asks 10.9.0.7 10.9.0.7/24 "$conf" c1
	[ "$(result '.ips[0].gateway')" = 10.9.0.254 ]
	[ "$(result '.routes[0].dst')" = 0.0.0.0/0 ]
	holds 10.9.0.7 'c1\r\neth0'
	gets 10.9.0.16/24 "$(conf "$range, $static" '"runtimeConfig": {"ips": ["10.9.0.16/24"]}')" c2
	gets 10.9.0.31/24 "$(conf "$range, $static" '"args": {"cni": {"ips": ["10.9.0.31"]}}')" c3
	drops "$conf" c1
	leased '10.9.0.16 10.9.0.31'
}

@test "no pod gets it without a request, also inside the range, until the range is full" {
	local conf id
	conf=$(conf "$range, \"static\": [\"10.9.0.7\", \"10.9.0.65\"]")
	for id in 64 66 67; do
		gets "10.9.0.$id/24" "$conf" "c$id"
	done
	pool ADD "$conf" c
	fails 11 'no IP addresses available'
	asks 10.9.0.65 10.9.0.65/24 "$conf" d
	leased '10.9.0.64 10.9.0.65 10.9.0.66 10.9.0.67'
}

@test "a request does not change the order of the other addresses" {
	gets 10.9.0.64/24 "$(conf "$range, $static")" a
	asks 10.9.0.7 10.9.0.7/24 "$(conf "$range, $static")" b
	gets 10.9.0.65/24 "$(conf "$range, $static")" c
	holds last_reserved_ip.0 10.9.0.65
}

@test "a pod can also request an address of the range" {
	asks 10.9.0.66 10.9.0.66/24 "$(conf "$range, $static")"
}

@test "an address neither in the range nor in static: the message names the range and static" {
	CNI_ARGS=IP=10.9.0.8 pool ADD "$(conf "$range, $static")"
	fails 7
	says 'failed to allocate all requested IPs: 10.9.0.8'
	explains '10.9.0.8 is in 10.9.0.0/24, but not in the range 10.9.0.64-10.9.0.67; with "static": ["10.9.0.8"] in ipam'
	leased ''
}

@test "the error for a leased address names its container; after that container's DEL it is free" {
	local conf
	conf=$(conf "$range, $static")
	asks 10.9.0.7 10.9.0.7/24 "$conf" c1
	CNI_ARGS=IP=10.9.0.7 pool ADD "$conf" c2
	fails 101 'requested IP address 10.9.0.7 is not available'
	explains 'container c1, interface eth0, network net has it'
	drops "$conf" c1
	asks 10.9.0.7 10.9.0.7/24 "$conf" c2
}

@test "a container has one address of a range set, static or not" {
	local conf
	conf=$(conf "$range, $static")
	asks 10.9.0.7 10.9.0.7/24 "$conf"
	pool ADD "$conf"
	fails 100 'has been allocated to c1'
	pool ADD "$(conf "$range, $static" '"runtimeConfig": {"ips": ["10.9.0.16", "10.9.0.66"]}')" c2
	fails 7 'failed to allocate all requested IPs: 10.9.0.16'
	leased 10.9.0.7
}

@test "both families, two range sets" {
	local sets='"ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.64"}], [{"subnet": "fd00::/64", "rangeStart": "fd00::1:0", "gateway": "fd00::1"}]]'
	local both='"static": ["10.9.0.7", "fd00::7", "fd00::8:0/112"]'
	gets '10.9.0.7/24 fd00::7/64' "$(conf "$sets, $both" '"runtimeConfig": {"ips": ["fd00::7", "10.9.0.7"]}')" a
	[ "$(result '.ips[1].gateway')" = fd00::1 ]
	gets '10.9.0.64/24 fd00::8:9/64' "$(conf "$sets, $both" '"runtimeConfig": {"ips": ["fd00::8:9"]}')" b
}

@test "two range sets of one subnet: each assigns one of the requested addresses" {
	local sets='"ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.64", "rangeEnd": "10.9.0.67"}], [{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.128", "rangeEnd": "10.9.0.130"}]]'
	gets '10.9.0.7/24 10.9.0.16/24' "$(conf "$sets, $static" '"runtimeConfig": {"ips": ["10.9.0.7", "10.9.0.16"]}')" a
	gets '10.9.0.17/24 10.9.0.129/24' "$(conf "$sets, $static" '"runtimeConfig": {"ips": ["10.9.0.17", "10.9.0.129"]}')" b
	gets '10.9.0.65/24 10.9.0.18/24' "$(conf "$sets, $static" '"runtimeConfig": {"ips": ["10.9.0.18", "10.9.0.65"]}')" c
	gets '10.9.0.19/24 10.9.0.130/24' "$(conf "$sets, $static" '"runtimeConfig": {"ips": ["10.9.0.19"]}')" d
}

@test "all addresses of a range set are static: the error of an ADD without a request reports that" {
	local conf
	conf=$(conf '"subnet": "10.9.0.0/29", "static": ["10.9.0.0/29"]')
	asks 10.9.0.6 10.9.0.6/29 "$conf" a
	pool ADD "$conf" b
	fails 11 'no IP addresses available'
	explains 'all its addresses are in ipam.static'
	CNI_ARGS=IP=10.9.0.7 pool ADD "$conf" b
	fails 7 'is the broadcast address of 10.9.0.0/29'
	CNI_ARGS=IP=10.9.0.1 pool ADD "$conf" b
	fails 7 "is subnet's gateway"
	pool STATUS "$conf"
	succeeds
	[ -z "$stderr" ]
}

@test "a prefix that includes the network and broadcast address: ADD refuses these" {
	local conf
	conf=$(conf '"subnet": "10.9.0.0/24", "static": ["10.9.0.0/28"]')
	asks 10.9.0.2 10.9.0.2/24 "$conf"
	CNI_ARGS=IP=10.9.0.0 pool ADD "$conf" b
	fails 7
	says 'requested IP address 10.9.0.0 is the network address of 10.9.0.0/24'
	CNI_ARGS=IP=10.9.0.1 pool ADD "$conf" b
	fails 7 "is subnet's gateway"
	gets 10.9.0.16/24 "$conf" c
}

@test "invalid entries of static are refused" {
	refused 'ipam.static: 10.8.0.7 is in no subnet of the ranges' "$range, \"static\": [\"10.8.0.7\"]"
	refused 'ipam.static: 10.9.0.0/23 is in no subnet of the ranges' "$range, \"static\": [\"10.9.0.0/23\"]"
	refused 'ipam.static: fd00::7 is in no subnet of the ranges' "$range, \"static\": [\"fd00::7\"]"
	refused 'ipam.static: 10.9.0.0 is the network address of 10.9.0.0/24' "$range, \"static\": [\"10.9.0.0\"]"
	refused 'ipam.static: 10.9.0.255 is the broadcast address of 10.9.0.0/24' "$range, \"static\": [\"10.9.0.255/32\"]"
	refused 'ipam.static: 10.9.0.254 is the gateway of 10.9.0.0/24' "$range, \"static\": [\"10.9.0.7\", \"10.9.0.254\"]"
	refused 'ipam.static: fd00:: is the subnet-router anycast address of fd00::/64' '"subnet": "fd00::/64", "static": ["fd00::"]'
	refused 'ipam.static: 10.9.0.16/28 overlaps 10.9.0.20 of ipam.exclude' "$range, $static, \"exclude\": [\"10.9.0.20\"]"
	refused 'ipam.static: 10.9.0.7 overlaps 10.9.0.0/28 of ipam.exclude' "$range, $static, \"exclude\": [\"10.9.0.0/28\"]"
	refused 'ipam.static: invalid address or prefix: 10.9.0' "$range, \"static\": [\"10.9.0\"]"
	refused 'ipam.static: 10.9.0.7/24 has host bits set' "$range, \"static\": [\"10.9.0.7/24\"]"
	refused 'ipam.static: invalid address or prefix: 10.9.0.2-10.9.0.9' "$range, \"static\": [\"10.9.0.2-10.9.0.9\"]"
	explains 'as prefixes'
	refused 'ipam.static and ipam.cluster exclude each other' "$range, $static, \"cluster\": {\"etcd\": {}}"
	explains 'another node would refuse the same request'
}

@test "with gateway none the first address can be static, and so can all of a /31" {
	asks 10.9.0.1 10.9.0.1/24 "$(conf '"subnet": "10.9.0.0/24", "gateway": "none", "static": ["10.9.0.1"]')" a
	asks 10.9.1.1 10.9.1.1/31 "$(conf '"subnet": "10.9.1.0/31", "static": ["10.9.1.1"]')" b
	gets 10.9.1.0/31 "$(conf '"subnet": "10.9.1.0/31", "static": ["10.9.1.1"]')" c
}

@test "addrpool ignores static with a value of another type" {
	gets 10.9.0.64/24 "$(conf "$range, \"static\": true")"
	[[ $stderr = *'ignored: ipam.static must be a list of strings, not true'* ]]
}

@test "sticky does not remember it: the same pod without a request gets another address" {
	local conf
	conf=$(conf "$range, $static, \"sticky\": \"NAME\"")
	CNI_ARGS='NAME=web' gets 10.9.0.64/24 "$conf" a
	drops "$conf" a
	CNI_ARGS='NAME=web;IP=10.9.0.7' gets 10.9.0.7/24 "$conf" b
	drops "$conf" b
	gets 10.9.0.65/24 "$conf" c
	CNI_ARGS='NAME=web' gets 10.9.0.64/24 "$conf" d
}

@test "a requested address does not wait for reuseDelay" {
	local conf
	conf=$(conf "$range, $static, \"reuseDelay\": 1000")
	asks 10.9.0.7 10.9.0.7/24 "$conf" a
	drops "$conf" a
	asks 10.9.0.7 10.9.0.7/24 "$conf" b
}

@test "after a restart of the machine the same container gets it only on request" {
	local conf
	conf=$(conf "$range, $static")
	asks 10.9.0.7 10.9.0.7/24 "$conf" a
	restarted a
	gets 10.9.0.64/24 "$conf" a
	restarted a
	asks 10.9.0.7 10.9.0.7/24 "$conf" a
	leased 10.9.0.7
}

@test "CHECK fails if it is in prevResult and not leased" {
	local conf result
	conf=$(conf "$range, $static")
	asks 10.9.0.7 10.9.0.7/24 "$conf"
	result=$output
	pool CHECK "$(conf "$range, $static" "\"prevResult\": $result")"
	succeeds
	drops "$conf"
	gets 10.9.0.64/24 "$conf"
	pool CHECK "$(conf "$range, $static" "\"prevResult\": $result")"
	fails 102 '10.9.0.7 of prevResult is not leased by c1 eth0'
}

@test "GC releases it with the others" {
	local conf
	asks 10.9.0.7 10.9.0.7/24 "$(conf "$range, $static")" a
	asks 10.9.0.16 10.9.0.16/24 "$(conf "$range, $static")" b
	pool GC "$(conf "$range, $static" '"cni.dev/valid-attachments": [{"containerID": "b", "ifname": "eth0"}]')"
	succeeds
	leased 10.9.0.16
}

@test "STATUS of a full range succeeds, and the list counts static separately" {
	local conf id
	conf=$(conf "$range, $static")
	asks 10.9.0.7 10.9.0.7/24 "$conf" a
	for id in 1 2 3; do
		pool ADD "$conf" "b$id"
		succeeds
	done
	pool STATUS "$conf"
	succeeds
	run -0 "$BUILD/addrpool" <(echo "$conf")
	[[ $output = *'3 of 4 leased (75%)'*'  static: 10.9.0.7, 10.9.0.16/28
    1 leased on request'* ]] || { echo "$output"; return 1; }
	run -0 "$BUILD/addrpool" --json <(echo "$conf")
	[ "$(result '.[0].static | [.addresses, .leased]')" = '[["10.9.0.7","10.9.0.16/28"],1]' ]
	[ "$(result '.[0].rangeSets[0].leased')" = 3 ]
}

@test "host-local skips a static address that is leased, and releases it" {
	asks 10.9.0.64 10.9.0.64/24 "$(conf "$range, \"static\": [\"10.9.0.64\"]")" a
	host_local ADD "$(conf "$range")" b
	succeeds
	got 10.9.0.65/24
	host_local DEL "$(conf "$range")" a
	succeeds
	asks 10.9.0.64 10.9.0.64/24 "$(conf "$range, \"static\": [\"10.9.0.64\"]")" c
}

@test "the gateway of another range of the subnet is not assigned either, in whichever range set it is" {
	local two between ip
	for between in '},' '}], ['; do
		two='"ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.10", "rangeEnd": "10.9.0.99", "gateway": "10.9.0.1"'$between'
			{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.100", "rangeEnd": "10.9.0.199", "gateway": "10.9.0.2"}]]'
		for ip in 10.9.0.1 10.9.0.2; do
			pool ADD "$(conf "$two, \"static\": [\"10.9.0.0/28\"]" "\"runtimeConfig\": {\"ips\": [\"$ip/24\"]}")" c1
			fails 7 "is subnet's gateway"
		done
		pool ADD "$(conf "$two, \"static\": [\"10.9.0.2\"]")" c1
		fails 7 'is the gateway of'
	done
}
