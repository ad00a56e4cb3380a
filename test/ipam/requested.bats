#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Requested addresses: CNI_ARGS, args.cni.ips, runtimeConfig.ips.

load ../lib/pool

# ips LIST: a member "args" with these addresses; runtime LIST: a member "runtimeConfig".
ips() {
	printf '"args": {"cni": {"ips": %s}}' "$1"
}

runtime() {
	printf '"runtimeConfig": {"ips": %s}' "$1"
}

sets='"ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.3.0/24"}]]'

@test "ADD assigns the address of args.cni.ips, and records it as the last one" {
	gets 10.1.2.88/24 "$(conf '"subnet": "10.1.2.0/24"' "$(ips '["10.1.2.88"]')")"
	holds 10.1.2.88 'c1\r\neth0'
	holds last_reserved_ip.0 10.1.2.88
	gets 10.1.2.89/24 "$(conf '"subnet": "10.1.2.0/24"')" c2
}

@test "ADD assigns two addresses of two range sets, in versions whose result has room for both" {
	local version conf
	for version in 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		conf=$(conf "$sets" "$(ips '["10.1.2.88", "10.1.3.77"]')")
		gets '10.1.2.88/24 10.1.3.77/24' "${conf/1.1.0/$version}"
		rm -rf "$DATA"
	done
	for version in 0.1.0 0.2.0; do
		pool ADD "${conf/1.1.0/$version}"
		fails 7
		says "CNI version $version does not support more than 1 address per family"
		leased ''
	done
}

@test "an address of the second subnet of a set, and one of another family" {
	gets '10.1.3.7/24 2001:db8:1::999/64' "$(conf \
		'"ranges": [[{"subnet": "10.1.2.0/24"}, {"subnet": "10.1.3.0/24"}], [{"subnet": "2001:db8:1::/64"}]]' \
		"$(ips '["10.1.3.7", "2001:db8:1::999"]')")"
	[ "$(result '.ips[0].gateway')" = 10.1.3.1 ]
}

@test "ADD refuses two addresses of one range set" {
	pool ADD "$(conf '"ranges": [[{"subnet": "10.1.2.0/24"}, {"subnet": "10.1.3.0/24"}]]' \
		"$(ips '["10.1.2.88", "10.1.2.77"]')")"
	fails 7 'failed to allocate all requested IPs: 10.1.2.'
	explains 'a container gets one address of each range set: request at most one of each'
	leased ''
}

@test "ADD assigns the address of IP= in CNI_ARGS, with and without a prefix length" {
	CNI_ARGS='IP=10.9.0.55' gets 10.9.0.55/24 "$(conf)" c1
	CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=p;IP=10.9.0.56/16' gets 10.9.0.56/24 "$(conf)" c2
	CNI_ARGS='IP=::ffff:10.9.0.57' gets 10.9.0.57/24 "$(conf)" c3
}

@test "ADD assigns the address of runtimeConfig.ips; the result has the subnet's prefix length" {
	gets 10.9.0.55/24 "$(conf '' "$(runtime '["10.9.0.55/16"]')")" c1
	[ "$(result '.ips[0].gateway')" = 10.9.0.1 ]
	gets 10.9.0.56/24 "$(conf '' "$(runtime '["10.9.0.56"]')")" c2
}

@test "ADD assigns addresses from all three places" {
	local all='"ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.3.0/24"}], [{"subnet": "fd00::/64"}]]'
	CNI_ARGS='IP=10.1.2.5' gets '10.1.2.5/24 10.1.3.6/24 fd00::7/64' \
		"$(conf "$all" "$(ips '["10.1.3.6/8"]'), $(runtime '["fd00::7/64"]')")"
}

@test "the same address from several places counts once" {
	CNI_ARGS='IP=10.9.0.5' gets 10.9.0.5/24 "$(conf '' "$(ips '["10.9.0.5/24"]'), $(runtime '["10.9.0.5/16", "10.9.0.5"]')")"
}

@test "a range set without a requested address assigns the next one" {
	gets '10.1.2.2/24 10.1.3.77/24' "$(conf "$sets" "$(ips '["10.1.3.77"]')")"
}

@test "ADD refuses an address that another container has" {
	gets 10.9.0.5/29 "$(conf '"subnet": "10.9.0.0/29"' "$(ips '["10.9.0.5"]')")" a
	pool ADD "$(conf '"subnet": "10.9.0.0/29"' "$(ips '["10.9.0.5"]')")" b
	fails 101
	says 'failed to allocate for range 0: requested IP address 10.9.0.5 is not available in range set 10.9.0.1-10.9.0.6'
	explains 'container a, interface eth0, network net has it'
	leased 10.9.0.5
	holds 10.9.0.5 'a\r\neth0'
}

@test "the error names what has the requested address: a directory, or a lease without interface" {
	mkdir -p "$STORE/10.9.0.5"
	CNI_ARGS=IP=10.9.0.5 pool ADD "$(conf)"
	fails 101
	explains "$STORE/10.9.0.5 is not a lease file; remove it"
	lease 10.9.0.6 'old-container'
	CNI_ARGS=IP=10.9.0.6 pool ADD "$(conf)"
	fails 101
	explains 'container old-container, interface ?, network net has it'
}

@test "ADD refuses an address outside the range" {
	local range='"subnet": "192.168.1.0/29", "rangeStart": "192.168.1.3", "rangeEnd": "192.168.1.4"' ip
	for ip in 192.168.1.5 192.168.1.2 10.9.9.9 fd00::1; do
		CNI_ARGS="IgnoreUnknown=1;IP=$ip" pool ADD "$(conf "$range")"
		fails 7
		says "failed to allocate all requested IPs: $ip"
	done
	leased ''
}

@test "an address outside the range: details name the range, and the key static" {
	CNI_ARGS="IP=192.168.1.5" pool ADD "$(conf '"subnet": "192.168.1.0/29", "rangeEnd": "192.168.1.4"')"
	fails 7
	explains '192.168.1.5 is in 192.168.1.0/29, but not in the range 192.168.1.1-192.168.1.4; with "static": ["192.168.1.5"] in ipam a pod can request it'
	CNI_ARGS="IP=10.8.0.5" pool ADD "$(conf)"
	fails 7
	explains '10.8.0.5 is in no subnet of the ranges; the first range set is 10.9.0.1-10.9.0.254'
}

@test "network and broadcast addresses have separate messages" {
	CNI_ARGS="IP=192.168.1.0" pool ADD "$(conf '"subnet": "192.168.1.0/29"')"
	fails 7
	says 'requested IP address 192.168.1.0 is the network address of 192.168.1.0/29'
	CNI_ARGS="IP=192.168.1.7" pool ADD "$(conf '"subnet": "192.168.1.0/29"')"
	fails 7
	says 'requested IP address 192.168.1.7 is the broadcast address of 192.168.1.0/29'
	CNI_ARGS="IP=fd00::" pool ADD "$(conf '"subnet": "fd00::/64"')"
	fails 7
	says 'requested IP address fd00:: is the subnet-router anycast address of fd00::/64'
	leased ''
}

@test "ADD refuses the gateway's address" {
	CNI_ARGS=IP=10.9.0.1 pool ADD "$(conf)"
	fails 7
	says "failed to allocate for range 0: requested ip 10.9.0.1 is subnet's gateway"
	explains 'gateway: "none"'
}

@test "if one of two requested addresses is not available, ADD does not lease the other" {
	lease 10.1.3.77 'other\r\neth0'
	pool ADD "$(conf "$sets" "$(ips '["10.1.2.88", "10.1.3.77"]')")"
	fails 101 'failed to allocate for range 1: requested IP address 10.1.3.77 is not available'
	leased 10.1.3.77
}

@test "ADD assigns an address whose lease file is empty" {
	lease 10.9.0.5 ''
	CNI_ARGS=IP=10.9.0.5 gets 10.9.0.5/24 "$(conf)"
	holds 10.9.0.5 'c1\r\neth0'
}

@test "an interface with an address gets no second one, not even on request" {
	gets 10.9.0.2/24 "$(conf)"
	CNI_ARGS=IP=10.9.0.5 pool ADD "$(conf)"
	fails 100 '10.9.0.2 has been allocated to c1, duplicate allocation is not allowed'
	leased 10.9.0.2
}

# refused ARGS MESSAGE: with these CNI_ARGS ADD fails and leases nothing.
refused() {
	CNI_ARGS=$1 pool ADD "$(conf)"
	fails 4
	says "ARGS: $2"
	[ ! -e "$DATA" ]
}

@test "the error quotes CNI_ARGS that are not pairs" {
	refused 'IP' 'invalid pair "IP"'
	refused 'IP=10.9.0.5;' 'invalid pair ""'
	refused ';IP=10.9.0.5' 'invalid pair ""'
	refused 'IP=a=b' 'invalid pair "IP=a=b"'
	refused 'IgnoreUnknown=1;;' 'invalid pair ""'
}

@test "the error quotes unknown CNI_ARGS; with IgnoreUnknown ADD ignores them" {
	local yes
	refused 'FOO=BAR' 'unknown args ["FOO=BAR"]'
	refused 'IgnoreUnknown=0;FOO=BAR' 'unknown args ["FOO=BAR"]'
	refused 'IgnoreUnknown=false;FOO=BAR;X=' 'unknown args ["FOO=BAR" "X="]'
	refused 'ip=10.9.0.5' 'unknown args ["ip=10.9.0.5"]'
	refused 'ignoreunknown=1;FOO=BAR' 'unknown args ["ignoreunknown=1" "FOO=BAR"]'
	refused 'IgnoreUnknown=1;IgnoreUnknown=0;FOO=BAR' 'unknown args ["FOO=BAR"]'
	for yes in 1 true TRUE True; do
		CNI_ARGS="FOO=BAR;IgnoreUnknown=$yes" pool ADD "$(conf)" "c$yes"
		succeeds
	done
}

@test "the error quotes wrong values in CNI_ARGS" {
	refused 'IgnoreUnknown=maybe' 'error parsing value of pair "IgnoreUnknown=maybe": boolean unmarshal error: invalid input maybe'
	refused 'IP=zz' 'error parsing value of pair "IP=zz": invalid IP address zz'
	refused 'IP=10.9.0.05' 'error parsing value of pair "IP=10.9.0.05": invalid IP address 10.9.0.05'
	refused 'IgnoreUnknown=1;IP=10.9.0.5/33' 'error parsing value of pair "IP=10.9.0.5/33": invalid IP address 10.9.0.5/33'
}

@test "the last of repeated arguments counts, and an empty one requests nothing" {
	CNI_ARGS='IP=10.9.0.5;IP=10.9.0.6' gets 10.9.0.6/24 "$(conf)" a
	CNI_ARGS='IP=10.9.0.5;IP=' gets 10.9.0.7/24 "$(conf)" b
	CNI_ARGS='IP=' gets 10.9.0.8/24 "$(conf)" c
}

@test "DEL works with wrong CNI_ARGS" {
	gets 10.9.0.2/24 "$(conf)"
	CNI_ARGS='FOO=BAR;' drops "$(conf)"
	leased ''
}

@test "the error for an invalid list of addresses names its key" {
	pool ADD "$(conf '' "$(ips '["foo"]')")"
	fails 7 'args.cni.ips: invalid IP address foo'
	pool ADD "$(conf '' "$(runtime '["10.9.0.5/x"]')")"
	fails 7 'runtimeConfig.ips: invalid IP address 10.9.0.5/x'
	pool ADD "$(conf '' "$(ips '[5]')")"
	fails 7 'args.cni.ips must be a list of strings'
	pool ADD "$(conf '' "$(runtime '"10.9.0.5"')")"
	fails 7 'runtimeConfig.ips must be a list'
	pool ADD "$(conf '' '"args": {"cni": []}')"
	fails 7 'args.cni must be an object'
	[ ! -e "$DATA" ]
}
