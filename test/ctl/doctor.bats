#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl doctor names each fault, and its remedy.

load ../lib/ctl

@test "a sound network: ok in each line, status 0" {
	configured net "$(sound)"
	finds 0 'ok       kernel: has ipvlan' 'ok       master: eth0 is up' 'ok       mode: l2 is possible on eth0' \
		'ok       MTU: 1500' 'ok       gateway: 10.138.36.66 answers' "ok       plugin: addrpool: $BUILD/addrpool, " \
		'ok       STATUS: an ADD would succeed' 'ok       pool: 0 of 39 addresses' '0 warnings, 0 errors'
	[[ $output != *'warning  '* && $output != *'error  '* ]]
	pod a net
	ctl doctor
	succeeds
	tells 'ok       host: 1 ipvlan interface, and nothing is missing'
}

@test "an ignored key is named with the reason, status 1" {
	configured net "$(sound '{"vlan":"5","ipMasq":true,"logLevel":"loud"}')"
	finds 1 'warning  configuration: ignored: vlan must be an integer, not "5"' \
		'warning  configuration: ignored: ipMasq needs "mode": "l3s"' \
		'warning  configuration: ignored: logLevel must be "error"' 'ok       master: eth0 is up'
}

@test "no configuration" {
	finds 1 "warning  configuration: there is no network of type ipvlan in $NETCONFPATH"
}

@test "broken 1: a file that is not JSON" {
	echo '{"name": "net",' >"$NETCONFPATH/net.conf"
	finds 2 'error    file: '
}

@test "broken 2: a wrong value" {
	configured net "$(sound '{"mode":"l4"}')"
	finds 2 'error    configuration: unknown ipvlan mode: "l4"' '-> mode must be "l2", "l3" or "l3s"'
}

@test "broken 3: no such master" {
	configured net "$(sound '{"master":"nope0"}')"
	finds 2 'error    master: failed to lookup master "nope0"' '-> links in that namespace: lo, ' '; the default route uses eth0'
}

@test "broken 4: a master that is a port of a bridge" {
	ip link add br0 type bridge
	ip link add port type dummy
	ip link set port master br0
	configured net "$(sound '{"master":"port"}')"
	finds 2 'error    master: master "port" is a port of "br0"' '-> the bridge "br0" takes every packet'
}

@test "broken 5: a master that is down" {
	ip link add port type dummy
	configured net "$(sound '{"master":"port"}')"
	finds 2 'error    master: master "port" is down' '-> ip link set dev port up'
}

@test "broken 6: another mode is in use; the finding names the user" {
	ip link add link eth0 name theirs netns b type ipvlan mode l3
	configured net "$(sound)"
	finds 2 'error    mode: master "eth0" is in use with mode l3, not l2' '"theirs" in /run/netns/b runs with l3 bridge'
}

@test "broken 7: an MTU above the master's" {
	configured net "$(sound '{"mtu":9000}')"
	finds 2 'error    MTU: invalid MTU 9000'
}

@test "broken 8: the qdisc ingress where hostAccess requires clsact" {
	tc qdisc add dev eth0 ingress
	configured net "$(sound '{"hostAccess":true}')"
	finds 2 'error    hostAccess: hostAccess cannot add its filter to link' 'which excludes "clsact"'
}

@test "broken 9: pods of the LAN's subnet in l3" {
	configured net "$(sound '{"mode":"l3"}')"
	finds 1 "warning  subnet: 10.138.36.0/23 is the LAN's: in l3 nothing answers ARP"
}

@test "broken 10: a gateway that does not answer" {
	configured net "$(conf)"
	finds 1 'warning  gateway: 10.138.36.1 does not answer on "eth0"'
}

@test "broken 11: an IPAM plugin that does not exist" {
	configured net "$(sound '{"ipam":{"type":"zz"}}')"
	finds 2 'error    plugin: failed to find plugin "zz"' '-> install the plugin as '"$BUILD/zz"
}

@test "broken 12: two files with one name, and two networks with the same addresses" {
	configured 1 "$(sound)"
	configured 2 "$(sound)"
	configured 3 "$(sound '{"name":"other","ipam":{"ranges":[[{"subnet":"10.138.36.0/24","gateway":"10.138.36.66"}]]}}')"
	finds 2 'error    name: network "net" is also in 1.conf' 'error    pool: addresses overlap with network "net" in 1.conf'
}

@test "broken 13: leases and attachments whose namespace is gone" {
	configured net "$(sound)"
	pod a net
	ip netns del a
	finds 1 'warning  leases: 1 of 10.138.36.2-10.138.36.40 are leased for pods that no longer exist' \
		'warning  attachment: container a, network net, interface eth0: its namespace is gone' '-> ipvlanctl gc --yes releases what it holds'
}

@test "broken 14: objects on the host that were deleted" {
	configured net "$(sound '{"hostAccess":true}')"
	pod a net
	ip route del 10.138.36.2
	finds 2 'error    host: container a: "route to 10.138.36.2/32' 'is missing'
}

@test "broken 15: two networks require different modes of a master" {
	configured 1 "$(sound)"
	configured 2 "$(sound '{"name":"other","mode":"l3","ipam":{"ranges":[[{"subnet":"192.168.9.0/24"}]]}}')"
	finds 1 'warning  mode: network "net" in 1.conf requires another mode of "eth0"'
}

@test "doctor examines named files, and no others" {
	configured broken "$(sound '{"mode":"l4"}')"
	configured net "$(sound)"
	ctl doctor "$NETCONFPATH/net.conf"
	succeeds
	ctl doctor /nowhere.conf
	[ "$status" = 2 ]
	tells /nowhere.conf 'error    file: no such file or directory'
}

@test "the directory of configurations does not exist" {
	: >"$BATS_TEST_TMPDIR/file"
	NETCONFPATH=$BATS_TEST_TMPDIR/file ctl doctor
	[ "$status" = 2 ]
	[[ $output$stderr = *"cannot read $BATS_TEST_TMPDIR/file: not a directory"* ]]
}
