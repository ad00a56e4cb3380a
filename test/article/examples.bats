#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# conf-examples/article-*: each has the result that conf-examples/README.md names, on the article's LAN.

load ../lib/article
load ../lib/network

# Sets up 36.66 for the experiments that require it.
router() {
	ip netns exec peer sysctl -qw net.ipv4.ip_forward=1
	return_route "$@"
}

translate() {
	ip netns exec peer nft 'add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; };
		add rule ip nat post ip saddr 192.168.9.0/24 masquerade'
}

# try FILE ADDRESS...: two pods, of which the second reaches the addresses. DEL leaves nothing.
try() {
	local file=$TOP/conf-examples/article-$1.conflist address before pod
	shift
	before=$(inventory)
	export NETWORK_RESULTS=$STUB_DIR
	for pod in ns1 ns2; do
		network STATUS "$file" $pod
		network ADD "$file" $pod
		network CHECK "$file" $pod
	done
	for address in "$@"; do
		reaches ns2 "$address"
	done
	for pod in ns1 ns2; do
		network DEL "$file" $pod
	done
	leaves_nothing "$before"
}

@test "l2-bridge" { try l2-bridge 10.138.36.2 10.138.36.66 39.156.66.10; }
@test "l2-private" { try l2-private 10.138.36.66 39.156.66.10; }
@test "l2-vepa" { router && try l2-vepa 10.138.36.66; }
@test "l2-vepa-reflector" { router dev eno1 && try l2-vepa-reflector 192.168.9.2 10.138.36.66; }
@test "l3-bridge" { router && try l3-bridge 192.168.9.2 10.138.36.66; }
@test "l3-vepa-host-routes" { router && try l3-vepa-host-routes 192.168.9.2 10.138.36.66; }
@test "l3-vepa-reflector" { router && try l3-vepa-reflector 192.168.9.2 10.138.36.66; }
@test "l3-vepa-internet" { router && translate && try l3-vepa-internet 39.156.66.10; }
@test "l3s-masquerade" { try l3s-masquerade 192.168.9.2 10.138.36.66 39.156.66.10; }
@test "l3s-proxy-arp" { try l3s-proxy-arp 10.138.36.2 10.138.36.66 39.156.66.10; }
@test "host-access" { try host-access 10.138.36.58 10.138.36.2 10.138.36.66 39.156.66.10; }
@test "names" {
	mkdir -p /etc/netns
	mount -t tmpfs tmpfs /etc/netns
	try names 10.138.36.66
	umount /etc/netns
}

@test "this file tries every configuration" {
	local file
	for file in "$TOP"/conf-examples/article-*.conflist; do
		file=${file##*/article-}
		grep -q "try ${file%.conflist}\\>" "$BATS_TEST_FILENAME" || { echo "$file is not tried"; return 1; }
	done
}
