#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# STATUS fails if and only if the ADD that follows fails: each configuration on a machine in each
# state. Each state takes a third of the configurations in turn; STEP=1: all.

load ../lib/cni

declare -gA confs=(
	[l2]='{}'
	[dual stack]='{ "ipam": { "ranges": [ [ { "subnet": "10.138.36.0/23" } ], [ { "subnet": "fd00:36::/64" } ] ] } }'
	[l3]='{ "mode": "l3" }'
	[l3s]='{ "mode": "l3s" }'
	[private]='{ "flag": "private" }'
	[vepa]='{ "flag": "vepa" }'
	[hostAccess]='{ "hostAccess": true }'
	[hostAccess in l3]='{ "mode": "l3", "hostAccess": true }'
	[hostRoutes]='{ "hostRoutes": [ { "dst": "203.0.113.0/24", "gw": "10.138.36.66" } ] }'
	[hostRoutes of IPv6]='{ "hostRoutes": [ { "dst": "2001:db8::/64", "gw": "fd00:36::66" } ] }'
	[reflector]='{ "mode": "l3", "flag": "vepa", "reflector": "10.138.36.66", "ipam": { "ranges": [ [ { "subnet": "192.168.9.0/24" } ] ] } }'
	[vlan]='{ "vlan": 100 }'
	[vlan and hostAccess]='{ "vlan": 100, "hostAccess": true }'
	[vlan and mtu]='{ "vlan": 100, "mtu": 1501 }'
	[vlan on lo]='{ "vlan": 100, "master": "lo" }'
	[vlan and hostRoutes]='{ "vlan": 100, "hostRoutes": [ { "dst": "203.0.113.0/24", "gw": "10.138.36.66" } ] }'
	[vlan and hostRoutes by a link-local gateway]='{ "vlan": 100, "hostRoutes": [ { "dst": "2001:db8::/64", "gw": "fe80::66" } ] }'
	[vlan and reflector]='{ "vlan": 100, "mode": "l3", "flag": "vepa", "reflector": "10.138.36.66", "ipam": { "ranges": [ [ { "subnet": "192.168.9.0/24" } ] ] } }'
	[vlan and proxyArp]='{ "vlan": 100, "mode": "l3s", "proxyArp": true }'
	[vlan and antiSpoof]='{ "vlan": 100, "antiSpoof": true }'
	[internal and a small mtu]='{ "internal": true, "master": null, "mtu": 50 }'
	[internal and a large mtu]='{ "internal": true, "master": null, "mtu": 65536 }'
	[vlan below the default route]='{ "vlan": 100, "master": null }'
	[internal]='{ "internal": true, "master": null }'
	[ipMasq]='{ "mode": "l3s", "ipMasq": true }'
	[proxyArp]='{ "mode": "l3s", "proxyArp": true }'
	[conflictCheck]='{ "conflictCheck": "probe" }'
	[dad]='{ "dad": "wait", "ipam": { "ranges": [ [ { "subnet": "fd00:36::/64" } ] ], "routes": null } }'
	[dad in IPv4]='{ "dad": "wait" }'
	[resolvConf]='{ "resolvConf": true, "dns": { "nameservers": [ "10.1.1.1" ] } }'
	[reflector of IPv6 for IPv4]='{ "mode": "l3", "flag": "vepa", "reflector": "fd00:37::66", "ipam": { "ranges": [ [ { "subnet": "192.168.9.0/24" } ] ] } }'
	[mtu]='{ "mtu": 1400 }'
	[no master]='{ "master": null }'
	[no ipam]='{ "ipam": null }'
)

# state NAME: brings the machine into this state.
state() {
	local ipam=/var/lib/cni/networks
	mkdir -p "$ipam" /run/cni
	case $1 in
	'nothing is wrong') ;;
	'the master is down') ip link set eth0 down ;;
	'the master has another name') ip link set eth0 down && ip link set eth0 name eth7 && ip link set eth7 up ;;
	'the master is a port of a bridge') ip link add br0 type bridge && ip link set eth0 master br0 ;;
	'the master is a port of a VRF') ip link add vrf0 type vrf table 10 && ip link set vrf0 up && ip link set eth0 master vrf0 ;;
	'the master has a smaller MTU') ip link set eth0 mtu 1300 ;;
	'there is no default route') ip route del default ;;
	'macvlan on the host') ip link add link eth0 name mac0 type macvlan ;;
	'macvlan in a pod') ip link add link eth0 name mac0 netns b type macvlan ;;
	'macvtap in a pod') ip link add link eth0 name mac0 netns b type macvtap ;;
	'a stranger in l3') ip link add link eth0 name own0 netns b type ipvlan mode l3 ;;
	'a stranger of kind ipvtap') ip link add link eth0 name own0 netns b type ipvtap mode l3 private ;;
	'a stranger that is private') ip link add link eth0 name own0 netns b type ipvlan mode l2 private ;;
	'a stranger in l2, on the host') ip link add link eth0 name own0 type ipvlan mode l2 ;;
	'the name of the anchor is taken') ip link add "ipva$(</sys/class/net/eth0/ifindex)" type dummy ;;
	'the name of the VLAN is taken') ip link add eth0.100 type dummy ;;
	'the VLAN has another name') ip link add link eth0 name vlan100 type vlan id 100 && ip link set vlan100 up ;;
	'the VLAN is in a pod') ip link add link eth0 name eth0.100 type vlan id 100 && ip link set eth0.100 netns b ;;
	'the VLAN is one of 802.1ad') ip link add link eth0 name vlan100 type vlan proto 802.1ad id 100 ;;
	'the host has another route') ip route add 203.0.113.0/24 via 10.138.36.7 && ip -6 route add 2001:db8::/64 via fd00:36::7 ;;
	'the host has the same route') ip route add 203.0.113.0/24 via 10.138.36.66 ;;
	'the host has no address') ip addr flush dev eth0 ;;
	'a qdisc ingress on the master') tc qdisc add dev eth0 ingress ;;
	'/run/cni is read-only') mount -t tmpfs none /run/cni && mount -o remount,ro /run/cni ;;
	'/run/cni is full') mount -t tmpfs -o size=4k none /run/cni && head -c 4096 /dev/zero >/run/cni/full ;;
	'/run/cni has no inodes') mount -t tmpfs -o nr_inodes=2 none /run/cni && mkdir /run/cni/full ;;
	'/run/cni is a file') rmdir /run/cni && touch /run/cni ;;
	'the leases are read-only') mount -t tmpfs none "$ipam" && mount -o remount,ro "$ipam" ;;
	'the disk of the leases is full') mount -t tmpfs -o size=4k none "$ipam" && head -c 4096 /dev/zero >"$ipam/full" ;;
	'the directory of the leases is a file') rmdir "$ipam" && touch "$ipam" ;;
	'nft is not installed') mv /usr/sbin/nft /usr/sbin/nft.away ;;
	'the nft table has other sets') nft -f - <<<'add table inet ipvlan_cni; add set inet ipvlan_cni pods4 { type ipv6_addr; }' ;;
	'/etc/netns is a file') rm -rf /etc/netns && touch /etc/netns ;;
	'/etc is read-only') mount --bind /etc /etc && mount -o remount,bind,ro /etc ;;
	'sysctls are read-only') mount -t tmpfs none /mnt && mount --bind -o ro /proc/sys /proc/sys ;;
	*) return 1 ;;
	esac
}

over() {
	local place
	for place in /run/cni /var/lib/cni/networks /mnt /proc/sys /etc; do
		while mountpoint -q "$place"; do umount "$place"; done
		[ ! -f "$place" ] || rm "$place"
	done
	[ ! -f /etc/netns ] || rm /etc/netns
	[ ! -e /usr/sbin/nft.away ] || mv /usr/sbin/nft.away /usr/sbin/nft
}

teardown() {
	over
}

# compare STATE: for each configuration STATUS agrees with ADD in this state.
compare() {
	local name conf says does wrong=0 failed=0 n=0 i=$BATS_TEST_NUMBER step=${STEP:-3}
	state "$1"
	for name in "${!confs[@]}"; do
		[ $((i++ % step)) = 0 ] || continue
		n=$((n + 1))
		conf=$(conf '{ "ipam": { "type": "addrpool" } }' "${confs[$name]}")
		cni STATUS "$conf"
		says=$status output_of_status=$output
		[ "$says" = 0 ] || [ "$(jq .code <<<"$output")" = 50 ] || { echo "$name: STATUS says $output" && return 1; }
		cni ADD "$conf"
		does=$status
		failed=$((failed + does))
		if [ "$says" != "$does" ]; then
			echo "$1, $name: STATUS ends with $says: $output_of_status; ADD with $does: $output"
			wrong=$((wrong + 1))
		fi
		cni DEL "$conf"
	done
	echo "# $1: $n configurations, ADD fails with $failed, STATUS differs in $wrong" >&3
	[ "$n" -ge $((30 / step)) ] && [ "$wrong" = 0 ]
}

@test "STATUS says what ADD does: nothing is wrong" {
	compare 'nothing is wrong'
}

@test "STATUS says what ADD does: the master is down" {
	compare 'the master is down'
}

@test "STATUS says what ADD does: the master has another name" {
	compare 'the master has another name'
}

@test "STATUS says what ADD does: the master is a port of a bridge" {
	compare 'the master is a port of a bridge'
}

@test "STATUS says what ADD does: the master is a port of a VRF" {
	compare 'the master is a port of a VRF'
}

@test "STATUS says what ADD does: the master has a smaller MTU" {
	compare 'the master has a smaller MTU'
}

@test "STATUS says what ADD does: there is no default route" {
	compare 'there is no default route'
}

@test "STATUS says what ADD does: macvlan on the host" {
	compare 'macvlan on the host'
}

@test "STATUS says what ADD does: macvlan in a pod" {
	compare 'macvlan in a pod'
}

@test "STATUS says what ADD does: macvtap in a pod" {
	compare 'macvtap in a pod'
}

@test "STATUS says what ADD does: a stranger in l3" {
	compare 'a stranger in l3'
}

@test "STATUS says what ADD does: a stranger of kind ipvtap" {
	compare 'a stranger of kind ipvtap'
}

@test "STATUS says what ADD does: a stranger that is private" {
	compare 'a stranger that is private'
}

@test "STATUS says what ADD does: a stranger in l2, on the host" {
	compare 'a stranger in l2, on the host'
}

@test "STATUS says what ADD does: the name of the anchor is taken" {
	compare 'the name of the anchor is taken'
}

@test "STATUS says what ADD does: the name of the VLAN is taken" {
	compare 'the name of the VLAN is taken'
}

@test "STATUS says what ADD does: the VLAN has another name" {
	compare 'the VLAN has another name'
}

@test "STATUS says what ADD does: the VLAN is in a pod" {
	compare 'the VLAN is in a pod'
}

@test "STATUS says what ADD does: the VLAN is one of 802.1ad" {
	compare 'the VLAN is one of 802.1ad'
}

@test "STATUS says what ADD does: the host has another route" {
	compare 'the host has another route'
}

@test "STATUS says what ADD does: the host has the same route" {
	compare 'the host has the same route'
}

@test "STATUS says what ADD does: the host has no address" {
	compare 'the host has no address'
}

@test "STATUS says what ADD does: a qdisc ingress on the master" {
	compare 'a qdisc ingress on the master'
}

@test "STATUS says what ADD does: /run/cni is read-only" {
	compare '/run/cni is read-only'
}

@test "STATUS says what ADD does: /run/cni is full" {
	compare '/run/cni is full'
}

@test "STATUS says what ADD does: /run/cni has no inodes" {
	compare '/run/cni has no inodes'
}

@test "STATUS says what ADD does: /run/cni is a file" {
	compare '/run/cni is a file'
}

@test "STATUS says what ADD does: the leases are read-only" {
	compare 'the leases are read-only'
}

@test "STATUS says what ADD does: the disk of the leases is full" {
	compare 'the disk of the leases is full'
}

@test "STATUS says what ADD does: the directory of the leases is a file" {
	compare 'the directory of the leases is a file'
}

@test "STATUS says what ADD does: nft is not installed" {
	compare 'nft is not installed'
}

@test "STATUS says what ADD does: sysctls are read-only" {
	compare 'sysctls are read-only'
}

@test "STATUS says what ADD does: the nft table has other sets" {
	compare 'the nft table has other sets'
}

@test "STATUS says what ADD does: /etc/netns is a file" {
	compare '/etc/netns is a file'
}

@test "STATUS says what ADD does: /etc is read-only" {
	compare '/etc is read-only'
}
