#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hostAccess in l2: host and pods are neighbours on the master, with the addresses and the MAC
# address that they have at the time.

load ../lib/cni

teardown() {
	sysctl -qw net.ipv4.conf.all.{arp_ignore,arp_announce,rp_filter}=0
}

# pod [ADDRESSES [JSON]...]: pod a, with hostAccess.
pod() {
	add "$(conf "$(static "${1:-10.138.36.2/23 fd00:36::2/64}")" '{ "hostAccess": true }' "${@:2}")" a
}

both_ways() {
	pings a 10.138.36.58
	pings a fd00:36::58
	ping -n -c 1 -W 2 10.138.36.2
	ping -n -c 1 -W 2 fd00:36::2
}

@test "pods reach a new address of the host at once, and the LAN's host after the address moves there" {
	pod
	ip addr add 10.138.36.250/32 dev eth0
	ip addr add fd00:36::250/128 dev eth0 nodad
	pings a 10.138.36.250
	pings a fd00:36::250
	ip addr del 10.138.36.250/32 dev eth0
	ip addr del fd00:36::250/128 dev eth0
	ip -n lan addr add 10.138.36.250/32 dev eth0
	ip -n lan addr add fd00:36::250/128 dev eth0 nodad
	ip -n a neigh flush dev eth0
	pings a 10.138.36.250
	pings a fd00:36::250
	both_ways
}

@test "another MAC address of the master changes nothing" {
	pod
	both_ways
	ip link set eth0 address 02:00:00:00:00:77
	both_ways
	pings a 10.138.36.66
	pings lan 10.138.36.2
}

@test "a bond that fails over, with the MAC address of each port, changes nothing" {
	local before i
	ip link del eth0
	ip -n lan link add br0 type bridge
	ip -n lan link set br0 up
	ip -n lan addr add 10.138.36.67/23 dev br0
	for i in 1 2; do
		ip link add "s$i" type veth peer name "p$i" netns lan
		ip -n lan link set "p$i" master br0 up
	done
	ip link add eth0 type bond mode active-backup miimon 50 fail_over_mac active
	ip link set s1 master eth0
	ip link set s2 master eth0
	ip link set eth0 up
	ip addr add 10.138.36.58/23 dev eth0
	ip addr add fd00:36::58/64 dev eth0 nodad
	sleep 0.5
	pod
	both_ways
	before=$(</sys/class/net/eth0/address)
	ip -n lan link set p1 down
	timeout 5 sh -c "while [ \"\$(cat /sys/class/net/eth0/address)\" = '$before' ]; do sleep 0.05; done"
	both_ways
	pings lan 10.138.36.2
}

@test "strict rp_filter lets host and pods through, of the LAN's subnet and of another one" {
	sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
	pod '10.138.36.2/23 192.168.9.2/24'
	[ -z "$stderr" ]
	pings a 10.138.36.58
	ping -n -c 1 -W 2 10.138.36.2
	ping -n -c 1 -W 2 192.168.9.2
	ip netns exec a ping -n -c 1 -W 2 -I 192.168.9.2 10.138.36.58
}

@test "arp_ignore and arp_announce at any value, for pods of the LAN's subnet and of another one" {
	local ignore announce address
	for ignore in 0 1 2 3 8; do
		for announce in 0 1 2; do
			sysctl -qw "net.ipv4.conf.all.arp_ignore=$ignore" "net.ipv4.conf.all.arp_announce=$announce"
			for address in 10.138.36.2 192.168.9.2; do
				echo "-- arp_ignore $ignore, arp_announce $announce, $address"
				ip neigh flush dev eth0
				pod "$address/24"
				pings a 10.138.36.58
				ping -n -c 1 -W 2 "$address"
				cni DEL "$(conf)" a
			done
		done
	done
}

# heard LINES FILTER COMMAND...: while the command runs, so many packets that match the filter pass
# the LAN's interface.
heard() {
	local tcpdump
	ip netns exec lan tcpdump -n -l -p -i eth0 "$2" >"$BATS_TEST_TMPDIR/heard" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	tcpdump=$!
	timeout 5 sh -c "until grep -q 'listening on' '$BATS_TEST_TMPDIR/said'; do sleep 0.02; done"
	"${@:3}"
	sleep 0.7
	kill "$tcpdump"
	wait "$tcpdump" || :
	cat "$BATS_TEST_TMPDIR/heard"
	[ "$(grep -c . "$BATS_TEST_TMPDIR/heard")" = "$1" ]
}

@test "the LAN gets one answer to each ARP request, and one to each neighbour solicitation" {
	pod
	ip -n lan neigh flush dev eth0
	heard 1 'arp and arp[7] = 2 and src host 10.138.36.58' pings lan 10.138.36.58
	ip -n lan neigh flush dev eth0
	heard 1 'icmp6 and ip6[40] = 136 and src host fd00:36::58' pings lan fd00:36::58
}

@test "the host gets a broadcast of the LAN once" {
	pod
	socat -u UDP4-RECV:9999,broadcast "OPEN:$BATS_TEST_TMPDIR/got,creat,append" 3>&- &
	timeout 5 sh -c 'until ss -lun | grep -q :9999; do sleep 0.02; done'
	echo hello | ip netns exec lan socat -u - UDP4-DATAGRAM:10.138.37.255:9999,broadcast
	sleep 0.5
	kill $!
	[ "$(<"$BATS_TEST_TMPDIR/got")" = hello ]
}

# sends FROM TO ADDRESS: 20 MB by TCP.
sends() {
	head -c 20000000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/sent"
	$2 socat -u TCP-LISTEN:9998,reuseaddr "OPEN:$BATS_TEST_TMPDIR/received,creat,trunc" 3>&- &
	timeout 5 sh -c "until $2 ss -ltn | grep -q :9998; do sleep 0.02; done"
	$1 timeout 20 socat -u "OPEN:$BATS_TEST_TMPDIR/sent" "TCP:$3:9998"
	wait $!
	cmp "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/received"
}

@test "TCP goes both ways, in segments of any size" {
	pod
	sends 'ip netns exec a' '' 10.138.36.58
	sends '' 'ip netns exec a' 10.138.36.2
	sends '' 'ip netns exec a' 10.138.36.2
}

@test "a host on a VLAN of the master does not reach the pods" {
	ip link add link eth0 name eth0.5 type vlan id 5
	ip link set eth0.5 up
	ip addr add 10.5.0.1/24 dev eth0.5
	pod 10.138.36.2/23
	ip -n a addr add 10.5.0.2/24 dev eth0
	run ping -n -c 1 -W 1 10.5.0.2
	[ "$status" = 1 ]
	ip neigh replace 10.5.0.2 lladdr "$(</sys/class/net/eth0/address)" dev eth0.5
	run ping -n -c 1 -W 1 10.5.0.2
	[ "$status" = 1 ]
}

@test "other filters get all packets that are not for the pods, and stay" {
	local before
	tc qdisc add dev eth0 clsact
	tc filter add dev eth0 egress pref 1 protocol ip flower ip_proto tcp action ok
	tc filter add dev eth0 egress pref 10 protocol ip flower ip_proto icmp action drop
	tc filter add dev eth0 ingress pref 1 protocol ip flower ip_proto udp action ok
	before=$(tc filter show dev eth0 egress; tc filter show dev eth0 ingress)
	pod
	ping -n -c 1 -W 2 10.138.36.2
	run ping -n -c 1 -W 1 10.138.36.66
	[ "$status" = 1 ]
	cni DEL "$(conf)" a
	succeeds
	[ "$(tc filter show dev eth0 egress; tc filter show dev eth0 ingress)" = "$before" ]
}

@test "our clsact stays if it has other filters, else it is deleted" {
	pod
	tc filter add dev eth0 ingress pref 1 protocol ip flower ip_proto udp action ok
	cni DEL "$(conf)" a
	[ -n "$(tc filter show dev eth0 ingress)" ]
	[ -z "$(tc filter show dev eth0 egress)" ]
	tc filter del dev eth0 ingress
	tc qdisc del dev eth0 clsact
	pod
	cni DEL "$(conf)" a
	[ -z "$(tc qdisc show dev eth0 clsact)" ]
	tc qdisc add dev eth0 clsact
	pod
	cni DEL "$(conf)" a
	[ -n "$(tc qdisc show dev eth0 clsact)" ]
}

@test "a VLAN that is made for the pods is deleted with the last, unless its clsact has other filters" {
	add "$(conf '{ "vlan": 100, "hostAccess": true }')" a
	tc filter show dev eth0.100 egress | grep -q ipvlan-cni
	cni DEL "$(conf '{ "vlan": 100 }')" a
	[ ! -e /sys/class/net/eth0.100 ]
	add "$(conf '{ "vlan": 100, "hostAccess": true }')" a
	tc filter add dev eth0.100 ingress pref 1 protocol ip flower ip_proto udp action ok
	cni DEL "$(conf '{ "vlan": 100 }')" a
	[ -e /sys/class/net/eth0.100 ]
	[ -z "$(tc filter show dev eth0.100 egress)" ]
}

@test "a master with the qdisc ingress is refused, and the message names the qdisc" {
	local before
	tc qdisc add dev eth0 ingress
	before=$(inventory)
	cni ADD "$(conf "$(static 10.138.36.2/23)" '{ "hostAccess": true }')"
	fails 7
	[[ $output = *'hostAccess cannot add its filter to link '*'the link has the qdisc \"ingress\", which excludes \"clsact\"'* ]]
	cni STATUS "$(conf '{ "hostAccess": true }')"
	fails 50 'hostAccess cannot add its filter to link '
	leaves_nothing "$before"
}

@test "pods do not hear themselves: duplicate address detection finds nothing" {
	pod
	ip -n a addr add 10.138.36.7/23 dev eth0
	ip -n a addr add fd00:36::7/64 dev eth0
	timeout 5 sh -c 'while ip -n a -6 addr show dev eth0 tentative | grep -q inet6; do sleep 0.1; done'
	[ -z "$(ip -n a -6 addr show dev eth0 dadfailed)" ]
	ip addr add fd00:36::9/64 dev eth0
	timeout 5 sh -c 'while ip -6 addr show dev eth0 tentative | grep -q inet6; do sleep 0.1; done'
	[ -z "$(ip -6 addr show dev eth0 dadfailed)" ]
	pings a fd00:36::9
}
