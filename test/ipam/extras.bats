#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What addrpool has beyond host-local: exclude, reuseDelay, sticky, no gateway, the smallest subnets,
# fsync.

load ../lib/pool

# exclude

@test "the search skips excluded addresses and prefixes" {
	local i conf
	conf=$(conf '"subnet": "10.9.0.0/28", "exclude": ["10.9.0.2", "10.9.0.4/30", "10.9.0.9/31", "10.9.0.14/32"]')
	for i in 3 10 11 12 13; do
		gets "10.9.0.$i/28" "$conf" "c$i"
	done
	pool ADD "$conf"
	fails 11
}

@test "the ends of a range excluded, and an address excluded twice" {
	local i conf
	conf=$(conf '"subnet": "10.9.0.0/29", "exclude": ["10.9.0.0/30", "10.9.0.3/32", "10.9.0.3", "10.9.0.6/31", "192.168.0.0/16", "fd00::/8"]')
	for i in 4 5; do
		gets "10.9.0.$i/29" "$conf" "c$i"
	done
	pool ADD "$conf"
	fails 11
}

@test "exclude holds for all range sets, of both families" {
	gets '10.9.0.3/24 fd00::10/64' "$(conf '"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00::/64"}]],
		"exclude": ["10.9.0.2", "fd00::/124"]')"
}

@test "an address that was excluded while it was leased stays until DEL" {
	gets 10.9.0.2/24 "$(conf)"
	pool CHECK "$(conf '"exclude": ["10.9.0.2"]')"
	succeeds
	drops "$(conf '"exclude": ["10.9.0.2"]')"
	leased ''
}

@test "ADD refuses a request for an excluded address" {
	CNI_ARGS=IP=10.9.0.2 pool ADD "$(conf '"exclude": ["10.9.0.0/25"]')"
	fails 7 'requested ip 10.9.0.2 is excluded by 10.9.0.0/25'
	CNI_ARGS=IP=10.9.0.200 gets 10.9.0.200/24 "$(conf '"exclude": ["10.9.0.0/25"]')"
}

# reuseDelay

delayed='"subnet": "10.9.0.0/29", "rangeEnd": "10.9.0.3", "reuseDelay": 1000'

@test "a released address is not assigned again before reuseDelay is over" {
	gets 10.9.0.2/29 "$(conf "$delayed")" a
	drops "$(conf "$delayed")" a
	gets 10.9.0.3/29 "$(conf "$delayed")" b
	pool ADD "$(conf "$delayed")" c
	fails 11 'no IP addresses available'
	explains 'addresses released less than reuseDelay ago: 1; the first may be assigned again in '
	# reuseDelay has passed long ago
	ln -sfn "$(readlink "$OWN/released/10.9.0.2" | sed 's/ .*/ -2000/')" "$OWN/released/10.9.0.2"
	gets 10.9.0.2/29 "$(conf "$delayed")" c
	[ ! -L "$OWN/released/10.9.0.2" ]
}

@test "after a restart of the machine no address waits" {
	gets 10.9.0.2/29 "$(conf "$delayed")" a
	gets 10.9.0.3/29 "$(conf "$delayed")" b
	drops "$(conf "$delayed")" a
	ln -sfn "00000000 $(readlink "$OWN/released/10.9.0.2" | sed 's/.* //')" "$OWN/released/10.9.0.2"
	gets 10.9.0.2/29 "$(conf "$delayed")" c
}

@test "reuseDelay applies to addresses that GC releases" {
	gets 10.9.0.2/29 "$(conf "$delayed")" a
	gets 10.9.0.3/29 "$(conf "$delayed")" b
	pool GC "$(conf "$delayed" '"cni.dev/valid-attachments": []')"
	pool ADD "$(conf "$delayed")" c
	fails 11
	explains 'addresses released less than reuseDelay ago: 2;'
}

@test "a requested address does not wait" {
	gets 10.9.0.2/29 "$(conf "$delayed")" a
	drops "$(conf "$delayed")" a
	CNI_ARGS=IP=10.9.0.2 gets 10.9.0.2/29 "$(conf "$delayed")" b
}

@test "notes of releases are deleted after reuseDelay, however many addresses the range has" {
	local n conf
	conf=$(conf '"subnet": "fd00::/64", "reuseDelay": 3')
	for n in {1..8}; do
		pool ADD "$conf" "c$n"
		drops "$conf" "c$n"
	done
	[ "$(find "$OWN"/released* -name 'fd*' | wc -l)" = 8 ]
	for n in 9 10 11; do
		sleep 3.2
		pool ADD "$conf" "c$n"
		drops "$conf" "c$n"
	done
	[ "$(find "$OWN"/released* -name 'fd*' | wc -l)" -le 3 ]
}

@test "without reuseDelay no address waits, and no note is written" {
	gets 10.9.0.2/29 "$(conf '"subnet": "10.9.0.0/29", "rangeEnd": "10.9.0.2"')" a
	drops "$(conf)" a
	gets 10.9.0.2/29 "$(conf '"subnet": "10.9.0.0/29", "rangeEnd": "10.9.0.2"')" b
	[ ! -e "$OWN/released" ]
}

# sticky

sticky='"sticky": "K8S_POD_NAMESPACE/K8S_POD_NAME"'

# pod NAMESPACE NAME: CNI_ARGS of that pod.
pod() {
	export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=$1;K8S_POD_NAME=$2"
}

@test "a pod of the same name gets the same address again" {
	pod default web-0
	gets 10.9.0.2/24 "$(conf "$sticky")" a
	drops "$(conf "$sticky")" a
	pod default web-1
	gets 10.9.0.3/24 "$(conf "$sticky")" b
	pod default web-0
	gets 10.9.0.2/24 "$(conf "$sticky")" c
	# a pod of that name in another namespace does not
	drops "$(conf "$sticky")" c
	pod other web-0
	gets 10.9.0.4/24 "$(conf "$sticky")" d
}

@test "the same address in each range set" {
	local sets="\"ranges\": [[{\"subnet\": \"10.9.0.0/24\"}], [{\"subnet\": \"fd00::/64\"}]], $sticky"
	pod default web-0
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$sets")" a
	drops "$(conf "$sets")" a
	pod default web-1
	gets '10.9.0.3/24 fd00::3/64' "$(conf "$sets")" b
	pod default web-0
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$sets")" c
}

@test "a sticky address that another pod has got meanwhile is not assigned twice" {
	pod default web-0
	gets 10.9.0.2/24 "$(conf "$sticky")" a
	drops "$(conf "$sticky")" a
	CNI_ARGS=IP=10.9.0.2 gets 10.9.0.2/24 "$(conf)" b
	gets 10.9.0.3/24 "$(conf "$sticky")" c
	# this becomes its sticky address
	drops "$(conf "$sticky")" c
	drops "$(conf "$sticky")" b
	pod default other
	gets 10.9.0.4/24 "$(conf "$sticky")" d
	pod default web-0
	gets 10.9.0.3/24 "$(conf "$sticky")" e
}

@test "two pods of one name at the same time have two addresses" {
	pod default web-0
	gets 10.9.0.2/24 "$(conf "$sticky")" a
	gets 10.9.0.3/24 "$(conf "$sticky")" b
}

@test "a pod without one of the names in sticky gets any address" {
	export CNI_ARGS='K8S_POD_NAME=web-0'
	gets 10.9.0.2/24 "$(conf "$sticky")" a
	drops "$(conf "$sticky")" a
	gets 10.9.0.3/24 "$(conf "$sticky")" a
	[ ! -e "$OWN/sticky" ]
	CNI_ARGS='' gets 10.9.0.4/24 "$(conf "$sticky")" b
}

@test "names in sticky are not unknown arguments" {
	CNI_ARGS='K8S_POD_NAMESPACE=x;K8S_POD_NAME=y' gets 10.9.0.2/24 "$(conf "$sticky")" a
	CNI_ARGS='K8S_POD_NAMESPACE=x;K8S_POD_NAMES=y' pool ADD "$(conf "$sticky")" b
	fails 4 'ARGS: unknown args ["K8S_POD_NAMES=y"]'
}

@test "in a range with more than 4096 addresses a newer sticky name can replace an older one" {
	local n conf
	conf=$(conf "$sticky, \"subnet\": \"10.8.0.0/15\"")
	for n in 0 1 2; do
		pod default "web-$n"
		CNI_ARGS="$CNI_ARGS;IP=10.8.$((16 * n)).7" gets "10.8.$((16 * n)).7/15" "$conf" "c$n"
		drops "$conf" "c$n"
	done
	[ "$(find "$OWN"/sticky -type l | wc -l)" = 2 ]
	pod default web-0
	gets 10.8.32.8/15 "$conf" c0
	pod default web-2
	gets 10.8.32.7/15 "$conf" c2
}

@test "names of any bytes and length, and names that differ only in the last byte" {
	local long
	long=$(printf 'x%.0s' {1..400})
	pod '../..' '/etc/passwd%2f'
	gets 10.9.0.2/24 "$(conf "$sticky")" a
	drops "$(conf "$sticky")" a
	pod default "${long}1"
	gets 10.9.0.3/24 "$(conf "$sticky")" b
	drops "$(conf "$sticky")" b
	pod default "${long}2"
	gets 10.9.0.4/24 "$(conf "$sticky")" c
	drops "$(conf "$sticky")" c
	pod default "${long}1"
	gets 10.9.0.3/24 "$(conf "$sticky")" b
	pod '../..' '/etc/passwd%2f'
	gets 10.9.0.2/24 "$(conf "$sticky")" a
	[ "$(find "$BATS_TEST_TMPDIR" -path '*sticky/*' | wc -l)" = 6 ]
	pod default "$(printf 'x%.0s' {1..1024})"
	pool ADD "$(conf "$sticky")" d
	fails 4 'the values of K8S_POD_NAMESPACE/K8S_POD_NAME are longer than 1023 characters'
}

@test "sticky does not assign an address that is now excluded or outside the range" {
	pod default web-0
	gets 10.9.0.2/24 "$(conf "$sticky")" a
	drops "$(conf "$sticky")" a
	gets 10.9.0.3/24 "$(conf "$sticky, \"exclude\": [\"10.9.0.2\"]")" a
	drops "$(conf "$sticky")" a
	gets 10.9.1.2/24 "$(conf "$sticky, \"subnet\": \"10.9.1.0/24\"")" a
}

@test "sticky comes before reuseDelay" {
	pod default web-0
	gets 10.9.0.2/24 "$(conf "$sticky, \"reuseDelay\": 1000")" a
	drops "$(conf "$sticky, \"reuseDelay\": 1000")" a
	gets 10.9.0.2/24 "$(conf "$sticky, \"reuseDelay\": 1000")" b
}

@test "there are never more sticky names than addresses" {
	local i
	for i in {1..12}; do
		pod default "job-$i"
		pool ADD "$(conf "\"subnet\": \"10.9.0.0/29\", $sticky")" "c$i"
		succeeds
		pool DEL "$(conf "$sticky")" "c$i"
	done
	[ "$(find "$OWN/sticky" -type l | wc -l)" = 10 ]
}

# no gateway

@test "gateway none reserves no address, and the result has no gateway" {
	gets 10.9.0.1/30 "$(conf '"subnet": "10.9.0.0/30", "gateway": "none"')" a
	[ "$(result '.ips[0] | has("gateway")')" = false ]
	gets 10.9.0.2/30 "$(conf '"subnet": "10.9.0.0/30", "gateway": "none"')" b
	pool ADD "$(conf '"subnet": "10.9.0.0/30", "gateway": "none"')" c
	fails 11
}

@test "gateway none in a range of a set" {
	gets '10.9.0.1/24 fd00::2/64' "$(conf '"ranges": [[{"subnet": "10.9.0.0/24", "gateway": "none"}], [{"subnet": "fd00::/64"}]]')"
	[ "$(result '.ips | map(.gateway)')" = '[null,"fd00::1"]' ]
}

@test "the result has a gateway outside the subnet" {
	gets 10.9.0.1/24 "$(conf '"gateway": "169.254.1.1"')"
	[ "$(result '.ips[0].gateway')" = 169.254.1.1 ]
}

# the smallest subnets

@test "both addresses of a /31 and the one of a /32 are assigned, without a gateway" {
	gets 10.9.0.0/31 "$(conf '"subnet": "10.9.0.0/31"')" a
	[ "$(result '.ips[0] | has("gateway")')" = false ]
	gets 10.9.0.1/31 "$(conf '"subnet": "10.9.0.0/31"')" b
	pool ADD "$(conf '"subnet": "10.9.0.0/31"')" c
	fails 11 'range set: 10.9.0.0-10.9.0.1'
	gets 10.8.0.7/32 "$(conf '"subnet": "10.8.0.7/32"')" c
	pool ADD "$(conf '"subnet": "10.8.0.7/32"')" d
	fails 11 'range set: 10.8.0.7-10.8.0.7'
}

@test "both addresses of a /127 and the one of a /128 are assigned" {
	gets fd00::/127 "$(conf '"subnet": "fd00::/127"')" a
	gets fd00::1/127 "$(conf '"subnet": "fd00::/127"')" b
	pool ADD "$(conf '"subnet": "fd00::/127"')" c
	fails 11 'range set: fd00::-fd00::1'
	gets fd00::7/128 "$(conf '"subnet": "fd00::7/128"')" c
}

@test "the configured gateway of a /31 is reserved" {
	gets 10.9.0.1/31 "$(conf '"subnet": "10.9.0.0/31", "gateway": "10.9.0.0"')" a
	[ "$(result '.ips[0].gateway')" = 10.9.0.0 ]
	pool ADD "$(conf '"subnet": "10.9.0.0/31", "gateway": "10.9.0.0"')" b
	fails 11
}

@test "a subnet's first and last address are not assigned, even if the range has them" {
	local all='"subnet": "10.9.0.0/30", "rangeStart": "10.9.0.0", "rangeEnd": "10.9.0.3"'
	gets 10.9.0.2/30 "$(conf "$all")" a
	pool ADD "$(conf "$all")" b
	fails 11 'range set: 10.9.0.0-10.9.0.3'
	all='"subnet": "fd00::/126", "rangeStart": "fd00::", "rangeEnd": "fd00::3"'
	gets fd00::2/126 "$(conf "$all")" b
	gets fd00::3/126 "$(conf "$all")" c
	pool ADD "$(conf "$all")" d
	fails 11
}

@test "the last addresses of IPv4 and IPv6" {
	gets 255.255.255.254/31 "$(conf '"subnet": "255.255.255.254/31"')" a
	gets 255.255.255.255/31 "$(conf '"subnet": "255.255.255.254/31"')" b
	pool ADD "$(conf '"subnet": "255.255.255.254/31"')" c
	fails 11
	gets ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128 "$(conf '"subnet": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"')" c
	gets 0.0.0.1/0 "$(conf '"subnet": "0.0.0.0/0", "gateway": "none"')" d
	gets ::1/0 "$(conf '"subnet": "::/0", "gateway": "none"')" e
}

# fsync

@test "fsync syncs the lease's content before its name, and the name before the result" {
	run env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=/x \
		strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=linkat,fsync,fdatasync,write,writev "$BUILD/addrpool" <<<"$(conf '"fsync": true')"
	[ "$(grep -v 'writev\?([^1]' "$BATS_TEST_TMPDIR/trace" | sed 's/(.*//; s/writev/write/' | uniq | paste -sd' ')" = 'fdatasync linkat fsync write' ]
	run env CNI_COMMAND=ADD CNI_CONTAINERID=c2 CNI_IFNAME=eth0 CNI_NETNS=/x \
		strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=fsync,fdatasync "$BUILD/addrpool" <<<"$(conf)"
	[ ! -s "$BATS_TEST_TMPDIR/trace" ]
}
