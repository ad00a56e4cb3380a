#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Each file in conf-examples works unchanged: ADD, CHECK, STATUS, packets, DEL.

load ../lib/cni
load ../lib/network
load ../lib/etcd

# try FILE ADDRESS...: attaches pod a, pings the addresses, and detaches it.
try() {
	local file=$TOP/conf-examples/$1.conflist address before
	export CNI_ARGS=${CNI_ARGS:-}
	shift
	before=$(inventory)
	export NETWORK_RESULTS=$STUB_DIR
	network STATUS "$file" a
	network ADD "$file" a
	network CHECK "$file" a
	for address in "$@"; do
		pings a "$address"
	done
	network DEL "$file" a
	network DEL "$file" a
	leaves_nothing "$before"
}

@test "l2" { try l2 10.138.36.66 39.156.66.10; }
@test "status" { try status 10.138.36.66 39.156.66.10; }
@test "l3" { try l3 10.138.36.66 39.156.66.10; }
@test "private" { try private 10.138.36.66 39.156.66.10; }
@test "antispoof" { try antispoof 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "antispoof-strict" { try antispoof-strict 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "counters" { try counters 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "allow" { try allow 10.138.36.66 fd00:36::66; }
@test "deny" { try deny 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "bandwidth" { try bandwidth 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "vepa" { try vepa 10.138.36.66 39.156.66.10; }
@test "force" { try force 10.138.36.66 39.156.66.10; }
@test "host-access" { try host-access 10.138.36.66 39.156.66.10 10.138.36.58 fd00:36::58; }
@test "host-access-l3" { try host-access-l3 10.138.36.66 39.156.66.10 10.138.36.58 fd00:36::58; }
@test "host-routes" { try host-routes 10.138.36.66 39.156.66.10; }
@test "reflector-l3" { try reflector-l3 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "reflector-l2" { try reflector-l2 10.138.36.66 39.156.66.10; }
@test "proxy-arp" { try proxy-arp 10.138.36.66 39.156.66.10; }
@test "masquerade" { try masquerade 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "conflict-check" { try conflict-check 10.138.36.66 39.156.66.10; }
@test "resolv-conf" { try resolv-conf 10.138.36.66 39.156.66.10; }
@test "log" { try log 10.138.36.66 39.156.66.10 && grep -q 'info ADD network=log' /run/ipvlan.log; }
@test "internal" { try internal; }

@test "vlan" {
	ip -n lan link add link eth0 name eth0.100 type vlan id 100
	ip -n lan addr add 10.100.0.66/24 dev eth0.100
	ip -n lan link set eth0.100 up
	try vlan 10.100.0.66 39.156.66.10
}

@test "l3s" { try l3s 10.138.36.66 39.156.66.10; }
@test "dual-stack" { try dual-stack 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "off-subnet-gateway" { try off-subnet-gateway 10.138.36.66 39.156.66.10; }
@test "no-ipam" { try no-ipam; }
@test "default-master" { try default-master 10.138.36.66 39.156.66.10; }
@test "mtu" { try mtu 10.138.36.66; }
@test "dns" { try dns 10.138.36.66; }
@test "routes" { try routes 10.138.36.66 39.156.66.10; }
@test "pod-routes" { try pod-routes 10.138.36.66 39.156.66.10; }
@test "no-announce" { try no-announce 10.138.36.66 39.156.66.10; }
@test "router-advertisements" { try router-advertisements 10.138.36.66 39.156.66.10; }
@test "dad" { try dad 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "chained" { try chained 10.138.36.66 39.156.66.10; }

@test "addrpool" { try addrpool 10.138.36.66 39.156.66.10; }
@test "addrpool-ranges" { try addrpool-ranges 10.138.36.66 39.156.66.10 fd00:36::66; }
@test "addrpool-gateway-none" { try addrpool-gateway-none 10.138.36.66 39.156.66.10; }
@test "addrpool-exclude" { try addrpool-exclude 10.138.36.66 39.156.66.10; }
@test "addrpool-reuse-delay" { try addrpool-reuse-delay 10.138.36.66 39.156.66.10; }
@test "addrpool-sticky" { CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=d;K8S_POD_NAME=p' try addrpool-sticky 10.138.36.66; }
@test "addrpool-for" { CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=mq-1' try addrpool-for 10.138.36.66; }
@test "addrpool-fsync" { try addrpool-fsync 10.138.36.66 39.156.66.10; }
@test "addrpool-requested" { try addrpool-requested 10.138.36.66 39.156.66.10; }
@test "addrpool-pool" { try addrpool-pool 10.138.36.66 39.156.66.10; }
@test "addrpool-static" { try addrpool-static 10.138.36.66 39.156.66.10; }
@test "addrpool-resolv-conf" { try addrpool-resolv-conf 10.138.36.66 39.156.66.10; }

@test "addrpool-etcd" {
	ip link set lo up
	export ETCD_DIR=$BATS_TEST_TMPDIR
	etcd_run example
	etcd_wait http://127.0.0.1:2379
	try addrpool-etcd 10.138.36.66 39.156.66.10
	etcd_stop
}

@test "addrpool-identities" {
	ip link set lo up
	export ETCD_DIR=$BATS_TEST_TMPDIR
	etcd_run example
	etcd_wait http://127.0.0.1:2379
	CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=db;K8S_POD_NAME=web-0' try addrpool-identities 10.138.36.66
	etcd_stop
}

@test "link-in-container" {
	ip link add net0 netns a type veth peer name outer netns lan
	ip -n a link set net0 up
	ip -n lan addr add 10.7.0.1/24 dev outer
	ip -n lan link set outer up
	try link-in-container 10.7.0.1
}

@test "these tests use every file" {
	local file
	for file in "$TOP"/conf-examples/*.conflist; do
		[[ ${file##*/} = article-* ]] || # in ../article
			[[ ${file##*/} = addrpool-@(kubernetes*|block-routes).conflist ]] || # in ../kubernetes, block-routes.bats
			grep -q "try $(basename "$file" .conflist)\>" "$BATS_TEST_FILENAME"
	done
}

@test "conf-examples/README.md lists every file, and kubernetes/README.md each set-up of a cluster" {
	local file
	while read -r file; do
		if [[ $file = kubernetes/*/* ]]; then
			file=${file#kubernetes/}
			grep -qw -- "${file%%/*}" "$TOP/conf-examples/kubernetes/README.md" || { echo "$file"; return 1; }
			continue
		fi
		grep -qF "($file)" "$TOP/conf-examples/README.md" || { echo "$file"; return 1; }
	done < <(find "$TOP/conf-examples" -type f \( -name '*.conflist' -o -name '*.json' -o -name '*.yaml' -o -name '*.bird' -o -name '*.network' \) -printf '%P\n')
}
