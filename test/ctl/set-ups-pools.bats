#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Faults of addresses, leases and their files: the messages of ADD, STATUS and doctor.

load ../lib/ctl
load ../lib/etcd

# ranges RANGE [IPAM]: a sound network with this range, and more keys of ipam.
ranges() {
	sound "{\"ipam\":{\"ranges\":[[$1]]}}" "{\"ipam\":${2:-{\}}}"
}

@test "a subnet that is not the LAN's" {
	configured net "$(ranges '{"subnet":"10.77.0.0/24"}')"
	accepted_by ADD STATUS
	doctor 1 "warning  gateway: 10.77.0.1 does not answer on \"eth0\", and 10.77.0.0/24 is not a subnet of the LAN" '-> check the subnet'
}

@test "another subnet on the same LAN, whose gateway answers: no fault" {
	ip -n lan addr add 10.77.0.1/24 dev eth0
	configured net "$(ranges '{"subnet":"10.77.0.0/24"}')"
	accepted_by ADD STATUS
	doctor 0
}

@test "a part of the LAN's subnet as the subnet" {
	configured net "$(ranges '{"subnet":"10.138.36.64/27","gateway":"10.138.36.66"}')"
	accepted_by ADD STATUS
	doctor 1 "warning  subnet: 10.138.36.64/27 is a part of the LAN's subnet 10.138.36.0/23" '-> "subnet": "10.138.36.0/23", with "rangeStart" and "rangeEnd"'
}

@test "more than the LAN's subnet as the subnet" {
	configured net "$(ranges '{"subnet":"10.138.0.0/16","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.9","gateway":"10.138.36.66"}')"
	accepted_by ADD STATUS
	doctor 1 "warning  subnet: 10.138.0.0/16 is more than the LAN's subnet 10.138.36.0/23"
}

@test "a range that ends outside of its subnet" {
	configured net "$(ranges '{"subnet":"10.138.36.0/23","rangeEnd":"10.138.40.9"}')"
	refused_by ADD 7 'RangeEnd 10.138.40.9 not in network 10.138.36.0/23'
	refused_by STATUS 50 'RangeEnd 10.138.40.9 not in network 10.138.36.0/23'
	doctor 2 'error    STATUS: ' 'RangeEnd 10.138.40.9 not in network 10.138.36.0/23'
}

@test "a range that starts after its end" {
	configured net "$(ranges '{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.220","rangeEnd":"10.138.36.200"}')"
	refused_by ADD 7 '10.138.36.220'
	refused_by STATUS 50 '10.138.36.220'
	doctor 2 'error    pool: rangeStart 10.138.36.220 is after rangeEnd 10.138.36.200' '-> exchange them'
}

@test "a host of the LAN with the address of a pod, or with one that a pod may get" {
	configured net "$(sound)"
	ip -n lan addr add 10.138.36.3/23 dev eth0
	doctor 1 'warning  LAN: 10.138.36.3 is in the range, and a host of the LAN has it' '-> give that host another address'
	ip -n lan addr add 10.138.36.2/23 dev eth0
	accepted_by ADD STATUS
	doctor 2 'error    LAN: 10.138.36.2 is leased by container a, and a host of the LAN has it as well' 'warning  LAN: 10.138.36.3 is in the range'
}

@test "a host of the LAN with the IPv6 address" {
	configured net "$(ranges '{"subnet":"fd00:36::/64","rangeStart":"fd00:36::2","rangeEnd":"fd00:36::9","gateway":"fd00:36::66"}' '{"routes":[{"dst":"::/0"}]}')"
	ip -n lan addr add fd00:36::2/64 dev eth0 nodad
	accepted_by ADD
	doctor 2 'error    LAN: fd00:36::2 is leased by container a, and a host of the LAN has it as well'
}

@test "conflictCheck, and a host of the LAN with the address" {
	configured net "$(sound '{"conflictCheck":"probe"}')"
	ip -n lan addr add 10.138.36.2/23 dev eth0
	refused_by ADD 101 'address 10.138.36.2 is in use on the LAN of "eth0"' 'answered for it'
	doctor 1 'warning  LAN: 10.138.36.2 is in the range, and a host of the LAN has it'
}

@test "the host's own address in the range" {
	configured net "$(ranges '{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.58","rangeEnd":"10.138.36.60","gateway":"10.138.36.66"}')"
	refused_by ADD 101 "address 10.138.36.58 is the host's own"
	doctor 1 "warning  pool: 10.138.36.58 is an address of this host, in the range 10.138.36.58-10.138.36.60" '-> "exclude": ["10.138.36.58"]'
	configured net "$(ranges '{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.58","rangeEnd":"10.138.36.60","gateway":"10.138.36.66"}' '{"exclude":["10.138.36.58"]}')"
	accepted_by ADD STATUS
	doctor 0
}

@test "two networks with the same explicit range" {
	configured net "$(sound)"
	configured other "$(sound '{"name":"other"}')"
	pod b other
	refused_by ADD 101 '10.138.36.2'
	doctor 2 'error    pool: addresses overlap with network "net" in net.conf, first 10.138.36.2' '-> use different ranges for each network'
}

@test "two networks with the same range on two masters of one LAN" {
	ip link add eth1 type veth peer name eth2 netns lan
	ip link set eth1 up
	ip -n lan -batch - <<-EOF
		link add br0 type bridge
		addr flush dev eth0
		link set eth0 master br0
		link set eth2 master br0
		link set eth2 up
		addr add 10.138.36.66/23 dev br0
		link set br0 up
	EOF
	configured net "$(sound)"
	configured other "$(sound '{"name":"other","master":"eth1"}')"
	doctor 2 'error    pool: addresses overlap with network "net" in net.conf, first 10.138.36.2'
}

@test "two networks with the same range on different LANs: no fault" {
	ip link add eth1 type veth peer name eth2 netns b
	ip link set eth1 up
	ip -n b addr add 10.138.36.66/23 dev eth2
	ip -n b link set eth2 up
	configured net "$(sound)"
	configured other "$(sound '{"name":"other","master":"eth1"}')"
	doctor 0
}

@test "two ranges that touch, and overlap only in a gateway and an excluded address: no fault" {
	configured net "$(ranges '{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.9","gateway":"10.138.36.66"}' '{"exclude":["10.138.36.9"]}')"
	configured other "$(sound '{"name":"other","ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.9","rangeEnd":"10.138.36.20","gateway":"10.138.36.66"}]]}}')"
	doctor 0
}

@test "two files with one name" {
	configured 1 "$(sound)"
	configured 2 "$(sound)"
	doctor 2 'error    name: network "net" is also in 1.conf' '-> rename one'
}

@test "a full pool" {
	configured net "$(ranges '{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.2","gateway":"10.138.36.66"}')"
	pod b net
	accepted_by STATUS
	cni ADD "$(cat "$NETCONFPATH/net.conf")" a
	fails 11
	doctor 1 'warning  pool: all 1 addresses of 10.138.36.2-10.138.36.2 are leased: the next ADD fails' '-> make the range larger'
}

@test "leases of pods that are gone: the next ADD reuses them" {
	configured net "$(ranges '{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.2","gateway":"10.138.36.66"}')"
	pod b net
	ip netns del b
	doctor 1 'warning  leases: 1 of 10.138.36.2-10.138.36.2 are leased for pods that no longer exist' '-> ipvlanctl gc --yes' \
		'warning  attachment: container b, network net, interface eth0: its namespace is gone'
	accepted_by ADD
}

@test "a read-only dataDir, with each cniVersion" {
	local version dir=$BATS_TEST_TMPDIR/data
	mkdir "$dir"
	mount -t tmpfs -o ro none "$dir"
	for version in 1.0.0 1.1.0; do
		configured net "$(sound "{\"cniVersion\":\"$version\",\"ipam\":{\"dataDir\":\"$dir\"}}")"
		refused_by ADD 5 "$dir" && doctor 2 "error    space: cannot write in $dir, for leases: read-only file system" '-> mount it read-write' || break
		version=''
	done
	umount "$dir"
	[ -z "$version" ]
}

@test "a dataDir that is a file" {
	: >"$BATS_TEST_TMPDIR/data"
	configured net "$(sound "{\"ipam\":{\"dataDir\":\"$BATS_TEST_TMPDIR/data\"}}")"
	refused_by ADD 5 "$BATS_TEST_TMPDIR/data"
	refused_by STATUS 50 "$BATS_TEST_TMPDIR/data"
	doctor 2 "error    space: cannot write in $BATS_TEST_TMPDIR/data, for leases: not a directory" '-> move the file away'
}

@test "a full disk" {
	local dir=$BATS_TEST_TMPDIR/data failed=''
	mkdir "$dir"
	mount -t tmpfs -o size=64k none "$dir"
	head -c 100000 /dev/zero >"$dir/full" 2>/dev/null || :
	configured net "$(sound "{\"ipam\":{\"dataDir\":\"$dir\"}}")"
	refused_by ADD 5 'no space left on device' || failed=ADD
	doctor 2 "error    space: cannot write in $dir" 'for leases: no space left on device' '-> free some space' || failed=doctor
	umount "$dir"
	[ -z "$failed" ]
}

@test "the directory of the ledger is a file" {
	mkdir -p /run/cni
	: >/run/cni/ipvlan
	configured net "$(sound)"
	cni ADD "$(cat "$NETCONFPATH/net.conf")" a
	[ "$status" = 1 ]
	ctl doctor
	[ "$status" = 2 ]
	tells "error    space: cannot write in /run/cni/ipvlan, for the plugin's ledger: not a directory"
}

@test "a cluster's engine that refuses the connection" {
	configured net "$(sound '{"ipam":{"cluster":{"etcd":{"endpoints":["http://127.0.0.1:1"]}}}}')"
	refused_by ADD 11 'etcd http://127.0.0.1:1'
	accepted_by STATUS
	doctor 2 'error    cluster: network "net": etcd http://127.0.0.1:1' "; 0 addresses of this node's blocks are free" \
		'-> check the engine that "cluster" in ipam names'
	[ -z "$stderr" ]
}

@test "a cluster's engine that does not answer" {
	ip route add blackhole 198.51.100.0/24
	configured net "$(sound '{"ipam":{"cluster":{"timeout":1,"etcd":{"endpoints":["http://198.51.100.1:2379"]}}}}')"
	refused_by ADD 11 'etcd http://198.51.100.1:2379'
	doctor 2 'error    cluster: network "net": etcd http://198.51.100.1:2379'
}

@test "a cluster's engine that stopped, while the node's block has free addresses, and when it has none" {
	local i
	etcd_start "$BATS_TEST_TMPDIR/etcd"
	configured net "$(sound "{\"ipam\":{\"cluster\":{\"blockSize\":4,\"timeout\":2,\"etcd\":{\"endpoints\":[\"$ETCD_URL\"]}}}}")"
	pod b net
	doctor 0
	etcd_stop
	accepted_by ADD STATUS
	doctor 1 "warning  cluster: network \"net\": etcd $ETCD_URL" "; 2 addresses of this node's blocks are free"
	for i in c d; do
		ip netns add $i
		pod $i net
	done
	doctor 2 "error    cluster: network \"net\": etcd $ETCD_URL" "; 0 addresses of this node's blocks are free"
}

@test "a node without pods in a cluster, and one whose block is full: no fault, since an ADD claims a block" {
	etcd_start "$BATS_TEST_TMPDIR/etcd"
	configured net "$(sound "{\"ipam\":{\"cluster\":{\"blockSize\":1,\"etcd\":{\"endpoints\":[\"$ETCD_URL\"]}}}}")"
	for share in '0 of 0' '1 of 1'; do
		doctor 0 "ok       pool: $share addresses of this node's blocks of 10.138.36.2-10.138.36.40 are leased"
		ctl status
		succeeds
		tells 'ok       pools    1 range set, none nearly full'
		ctl status --prometheus
		tells 'ipvlan_cni_concern_level{concern="pools"} 0'
		ctl pools
		[[ $output != *100%* ]] || [ "$share" = '1 of 1' ]
		[ "$share" != '0 of 0' ] || pod b net
	done
}

@test "no addrpool-claim" {
	local bin=$BATS_TEST_TMPDIR/bin
	mkdir -p "$bin"
	cp "$BUILD"/{ipvlan,addrpool} "$bin"
	export CNI_PATH=$bin
	configured net "$(sound '{"ipam":{"cluster":{"etcd":{"endpoints":["http://127.0.0.1:1"]}}}}')"
	refused_by ADD 7 addrpool-claim
	refused_by STATUS 50 addrpool-claim
	doctor 2 'error    STATUS: there is no addrpool-claim' "-> ipam.cluster requires it: install it beside addrpool ($bin)"
}

@test "a kubeconfig with credentials from a program" {
	cat >"$BATS_TEST_TMPDIR/kubeconfig" <<-END
		apiVersion: v1
		kind: Config
		current-context: c
		contexts: [{name: c, context: {cluster: k, user: u}}]
		clusters: [{name: k, cluster: {server: "https://127.0.0.1:1"}}]
		users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}}}]
	END
	configured net "$(sound "{\"ipam\":{\"cluster\":{\"kubernetes\":{\"kubeconfig\":\"$BATS_TEST_TMPDIR/kubeconfig\"}}}}")"
	refused_by ADD 7 'exec and auth-provider of a user are not supported' 'use a client certificate'
	doctor 2 'error    cluster: network "net": ' 'exec and auth-provider of a user are not supported'
}

@test "no kubeconfig" {
	configured net "$(sound '{"ipam":{"cluster":{"kubernetes":{"kubeconfig":"/nowhere/kubeconfig"}}}}')"
	refused_by ADD 5 '/nowhere/kubeconfig'
	doctor 2 'error    cluster: network "net": ' /nowhere/kubeconfig
}

@test "an IPAM plugin that assigns a used address: the error names the pod that has it" {
	configured net "$(sound)"
	pod b net
	CNI_ARGS=IP=10.138.36.2 cni ADD "$(cat "$NETCONFPATH/net.conf")" a
	[ "$status" = 1 ]
	[[ $output = *10.138.36.2* ]]
}

@test "leases deleted while pods run" {
	configured net "$(sound)"
	accepted_by ADD
	rm -rf /var/lib/cni/networks/net /var/lib/cni/networks/.addrpool
	doctor 2 'error    leases: container a of network net has 10.138.36.2, which is not leased' '-> restart the pod'
}

@test "the lease of a running pod belongs to another container" {
	configured net "$(sound)"
	accepted_by ADD
	printf 'stranger\r\neth0' >/var/lib/cni/networks/net/10.138.36.2
	doctor 2 'error    leases: container a of network net has 10.138.36.2, which is leased by container stranger'
}

@test "a process holds the lock of the leases" {
	configured net "$(sound)"
	accepted_by ADD
	keeps_lock /var/lib/cni/networks/net/lock
	doctor 2 "error    lock: process $HOLDER (sleep) keeps /var/lib/cni/networks/net/lock locked" '-> find out why the process hangs'
	kill "$HOLDER"
}

@test "a gateway, and no routes: pods have no default route" {
	configured net "$(sound '{"ipam":{"routes":[]}}')"
	accepted_by ADD STATUS
	doctor 1 'warning  routes: pods have no default route of IPv4: "gateway" alone makes none' '-> "routes": [{"dst": "0.0.0.0/0"}] in ipam'
}
