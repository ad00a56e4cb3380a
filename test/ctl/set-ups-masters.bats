#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Faults at the master: the messages of ADD, STATUS and doctor. And set-ups without a fault.

load ../lib/ctl

@test "a wrong master" {
	configured net "$(sound '{"master":"eth7"}')"
	refused_by ADD 7 'failed to lookup master "eth7": Link not found' 'links in that namespace: lo, '
	refused_by STATUS 50 'failed to lookup master "eth7"'
	doctor 2 'error    master: failed to lookup master "eth7"' '-> links in that namespace: lo, ' 'the default route uses eth0'
}

@test "a master that is a port of a bridge" {
	ip link add br0 type bridge
	ip link add port up type dummy
	ip link set port master br0
	configured net "$(sound '{"master":"port"}')"
	refused_by ADD 7 'master "port" is a port of "br0"'
	refused_by STATUS 50 'master "port" is a port of "br0"'
	doctor 2 'error    master: master "port" is a port of "br0"' '-> the bridge "br0" takes every packet of port'
}

@test "a macvlan interface on the master" {
	ip link add link eth0 name mv0 type macvlan
	configured net "$(sound)"
	refused_by ADD 7 'master "eth0" carries the macvlan interface "mv0"'
	refused_by STATUS 50 'master "eth0" carries the macvlan interface "mv0"'
	doctor 2 'error    mode: master "eth0" carries the macvlan interface "mv0"' '-> macvlan and ipvlan cannot share a master'
}

@test "a macvlan interface on the master in a pod's namespace" {
	ip link add link eth0 name mv0 netns b type macvlan
	configured net "$(sound)"
	refused_by ADD 7 'master "eth0" carries the macvlan interface "mv0" in /run/netns/b'
	refused_by STATUS 50 'master "eth0" carries the macvlan interface "mv0" in /run/netns/b'
	doctor 2 'error    mode: master "eth0" carries the macvlan interface "mv0" in /run/netns/b'
}

@test "a master that is down" {
	ip link set eth0 down
	configured net "$(sound '{"hostAccess":true}')"
	refused_by ADD 11 'master "eth0" is down' 'hostAccess needs it up: ip link set eth0 up'
	refused_by STATUS 50 'master "eth0" is down'
	doctor 2 'error    master: master "eth0" is down' '-> ip link set dev eth0 up'
}

@test "a master without a carrier" {
	ip -n lan link set eth0 down
	configured net "$(sound)"
	accepted_by ADD STATUS
	doctor 1 'warning  master: master "eth0" has no carrier' '-> check the cable'
}

@test "another mode in use by another pod" {
	ip link add link eth0 name theirs netns b type ipvlan mode l3
	configured net "$(sound)"
	refused_by ADD 7 'master "eth0" is in use with mode l3, not l2' '"theirs" in /run/netns/b'
	refused_by STATUS 50 'master "eth0" is in use with mode l3, not l2'
	doctor 2 'error    mode: master "eth0" is in use with mode l3, not l2' '"theirs" in /run/netns/b'
}

@test "another flag in use by another pod" {
	ip link add link eth0 name theirs netns b type ipvlan mode l2 private
	configured net "$(sound '{"flag":"vepa"}')"
	refused_by ADD 7 'master "eth0" is in use with flag private, not vepa' '"theirs" in /run/netns/b'
	refused_by STATUS 50 'master "eth0" is in use with flag private, not vepa'
	doctor 2 'error    mode: master "eth0" is in use with flag private, not vepa'
}

@test "another mode in use by an interface of the host" {
	ip link add link eth0 name mine type ipvlan mode l3s
	configured net "$(sound)"
	refused_by ADD 7 'master "eth0" is in use with mode l3s, not l2' '"mine"'
	doctor 2 'error    mode: master "eth0" is in use with mode l3s, not l2' '"mine"'
}

@test "two networks of one NIC in two modes, each on its own VLAN: no fault" {
	ip -n lan link add link eth0 name five type vlan id 5
	ip -n lan link set five up
	ip -n lan addr add 10.5.0.1/24 dev five
	configured net "$(sound '{"vlan":5,"ipam":{"ranges":[[{"subnet":"10.5.0.0/24"}]]}}')"
	configured routed "$(sound '{"name":"routed","vlan":6,"mode":"l3","ipam":{"ranges":[[{"subnet":"10.6.0.0/24"}]]}}')"
	accepted_by ADD
	pod b routed
	doctor 0
}

@test "strict rp_filter with hostAccess: host and pods reach each other, no fault" {
	sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1 net.ipv4.conf.default.rp_filter=1
	configured net "$(sound '{"hostAccess":true}')"
	accepted_by ADD STATUS
	pings a 10.138.36.58
	doctor 0
	sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
}

@test "an MTU above the master's" {
	configured net "$(sound '{"mtu":9000}')"
	refused_by ADD 7 'invalid MTU 9000, must be [68, master MTU(1500)]'
	refused_by STATUS 50 'invalid MTU 9000'
	doctor 2 'error    MTU: invalid MTU 9000, must be [68, master MTU(1500)]'
}

@test "l3 with the LAN's subnet" {
	configured net "$(sound '{"mode":"l3"}')"
	accepted_by STATUS
	doctor 1 "warning  subnet: 10.138.36.0/23 is the LAN's: in l3 nothing answers ARP for pods there" '-> use another subnet for pods'
}

@test "ipMasq in l2" {
	configured net "$(sound '{"ipMasq":true}')"
	accepted_by ADD STATUS
	doctor 1 'warning  configuration: ignored: ipMasq needs "mode": "l3s"'
}

@test "no master, and no default route" {
	ip route del default
	configured net "$(sound '{"master":null}')"
	refused_by ADD 7 'no default route interface found' 'set the key "master"'
	refused_by STATUS 50 'no default route interface found'
	doctor 2 'error    master: no default route interface found' '-> the configuration names no master'
}

@test "lo as the master" {
	configured net "$(sound '{"master":"lo"}')"
	refused_by ADD 7 'master "lo" cannot carry ipvlan' 'ipvlan needs an Ethernet interface that is not lo'
	refused_by STATUS 50 'master "lo" cannot carry ipvlan'
	doctor 2 'error    master: master "lo" cannot carry ipvlan' '-> ipvlan needs an Ethernet interface'
}

@test "a VLAN of the NIC that exists under another name: no fault" {
	ip link add link eth0 name vlan100 type vlan id 100
	ip link set vlan100 up
	ip -n lan link add link eth0 name hundred type vlan id 100
	ip -n lan link set hundred up
	ip -n lan addr add 10.100.0.1/24 dev hundred
	configured net "$(sound '{"vlan":100,"ipam":{"ranges":[[{"subnet":"10.100.0.0/24"}]]}}')"
	accepted_by ADD STATUS
	doctor 0
	tells 'ok       master: vlan100 is up'
}

@test "a master that is a port of a VRF" {
	ip link add vrf7 type vrf table 7
	ip link set eth0 master vrf7
	configured net "$(sound '{"hostAccess":true}')"
	refused_by ADD 7 'hostAccess does not work where master "eth0" is a port of the VRF "vrf7"'
	refused_by STATUS 50 'is a port of the VRF "vrf7"'
	doctor 2 'error    master: hostAccess does not work where master "eth0" is a port of the VRF "vrf7"' '-> its routes are in the main table'
}

@test "the qdisc ingress, with hostAccess, which requires clsact" {
	tc qdisc add dev eth0 ingress
	configured net "$(sound '{"hostAccess":true}')"
	refused_by ADD 7 'hostAccess cannot add its filter to link'
	refused_by STATUS 50 'hostAccess cannot add its filter to link'
	doctor 2 'error    hostAccess: hostAccess cannot add its filter to link'
}
