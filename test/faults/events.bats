#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Events on the machine between two steps of ipvlan and addrpool: the call succeeds, or reports an
# error and leaves nothing. After the machine is repaired, all works again.

load ../lib/faults

teardown() {
	! mountpoint -q /var/lib/cni/networks || umount /var/lib/cni/networks
	! mountpoint -q /run/cni || umount /run/cni
}

# events LEAST VERBS EVENT MEND [JSON]...: EVENT and MEND are shell commands for the event and its
# repair.
events() {
	faults events $(($1 / ${STEP:=23})) "$2" "$(pooled "${@:5}")" -e "$3" -m "$4" -s "$STEP"
}

@test "the pod's namespace is deleted at any moment" {
	events 50 'ADD DEL' 'ip netns del a' 'ip netns add a'
}

@test "the pod's namespace is deleted at any moment: hostAccess" {
	events 50 'ADD DEL' 'ip netns del a' 'ip netns add a' '{ "hostAccess": true }'
}

# Makes the same one again, so that the host looks as before.
master_again() {
	local index peer address
	index=$(cat /sys/class/net/eth0/ifindex)
	peer=$(cat /sys/class/net/eth0/iflink)
	address=$(cat /sys/class/net/eth0/address)
	cat <<-EOF
		ip -batch - <<-BATCH
			link add eth0 index $index address $address mtu 1500 type veth peer name eth0 index $peer netns lan
			addr add 10.138.36.58/23 dev eth0
			addr add fd00:36::58/64 dev eth0 nodad
		BATCH
		ip -n lan link set eth0 up
		ip -batch - <<-BATCH
			link set eth0 up
			route add default via 10.138.36.66
		BATCH
		for i in 1 2 3 4 5 6 7 8 9 10; do # until the kernel has checked the carrier
			read -r state </sys/class/net/eth0/operstate && [ "\$state" != up ] || break
			sleep 0.2
		done
	EOF
}

@test "the master is deleted at any moment" {
	events 50 'ADD DEL' 'ip link del eth0' "$(master_again)"
}

@test "the master is deleted at any moment: hostAccess" {
	events 50 'ADD DEL' 'ip link del eth0' "$(master_again)" '{ "hostAccess": true }'
}

@test "the master is set down at any moment: hostAccess, hostRoutes" {
	events 50 'ADD DEL' 'ip link set eth0 down' \
		'ip link set eth0 up && ip addr add fd00:36::58/64 dev eth0 nodad && ip route add default via 10.138.36.66 &&
			timeout 5 sh -c "until ip -6 route show table local | grep -q fd00:36::58; do sleep 0.02; done"' \
		'{ "mode": "l3", "hostAccess": true, "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }'
}

@test "another program deletes the pod's interface at any moment" {
	STEP=1 events 25 ADD 'ip -n a link del eth0 2>/dev/null || :' :
	told 'failed to refetch ipvlan "eth0": it was deleted or renamed meanwhile'
}

@test "another program deletes the anchor at any moment" {
	stranger l3
	STEP=1 events 30 'ADD DEL' 'for link in /sys/class/net/ipva*; do [ ! -e "$link" ] || ip link del "${link##*/}"; done' : \
		'{ "mode": "l3", "hostAccess": true }'
	told 'the anchor of link * is gone'
}

@test "another program deletes the filter of hostAccess at any moment" {
	stranger
	events 30 'ADD DEL' 'tc qdisc del dev eth0 clsact 2>/dev/null || :' : '{ "hostAccess": true }'
}

@test "the disk of the leases is full from any moment on" {
	mkdir -p /var/lib/cni/networks
	mount -t tmpfs -o size=64k tmpfs /var/lib/cni/networks
	events 50 'ADD DEL' '! head -c 64k /dev/zero >/var/lib/cni/networks/full 2>/dev/null' 'rm /var/lib/cni/networks/full'
}

@test "the disk of the ledger is full from any moment on: antiSpoof, bandwidth and allow" {
	mkdir -p /run/cni
	mount -t tmpfs -o size=64k tmpfs /run/cni
	events 50 'ADD DEL' '! head -c 64k /dev/zero >/run/cni/full 2>/dev/null' 'rm /run/cni/full' \
		'{ "antiSpoof": true, "bandwidth": { "egressRate": 8000000 }, "allow": { "egress": [ {} ] } }'
	told 'write pages/*: no space left on device'
}

# With one family: the first of two leases could not be released.
@test "the disk of the leases is read-only from any moment on" {
	mkdir -p /var/lib/cni/networks
	mount -t tmpfs tmpfs /var/lib/cni/networks
	events 20 'ADD DEL' 'mount -o remount,ro /var/lib/cni/networks 2>/dev/null' 'mount -o remount,rw /var/lib/cni/networks' \
		'{ "ipam": { "ranges": [ [ { "subnet": "192.168.9.0/24" } ] ] } }'
}

# A machine that has restarted has no namespaces, no links on a master, no /run, and another boot
# id.
restart='
	ip netns del a; ip netns del b
	for link in /sys/class/net/eth0/upper_*; do [ ! -e "$link" ] || ip link del "${link##*/upper_}"; done
	tc qdisc del dev eth0 clsact 2>/dev/null
	ip route flush proto 105; ip -6 route flush proto 105
	rm -rf /run/cni && mkdir -p /run/cni/ipvlan && touch /run/cni/ipvlan/ledger.lock # as it was before
	umount /proc/sys/kernel/random/boot_id 2>/dev/null
	cat /proc/sys/kernel/random/uuid >/tmp/boot_id
	mount --bind /tmp/boot_id /proc/sys/kernel/random/boot_id
	ip netns add a && ip netns add b
'

@test "ipvlan is killed at any moment, and the machine starts again" {
	faults kill $((100 / ${STEP:=23})) 'ADD DEL' "$(pooled '{ "hostAccess": true }')" -m "$restart" -s "$STEP"
}
