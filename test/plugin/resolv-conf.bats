#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# resolvConf: programs that `ip netns exec` starts in the pod resolve names.

load ../lib/cni

dns='{ "resolvConf": true, "dns": { "nameservers": [ "10.138.36.66", "fd00:36::66" ], "domain": "pods.example",
	"search": [ "a.example", "b.example" ], "options": [ "ndots:2" ] } }'

setup() {
	export STUB_DIR=$BATS_TEST_TMPDIR
	mkdir -p /etc/netns
	mount -t tmpfs tmpfs /etc/netns
	remove_network
	make_network
}

teardown() {
	remove_network
	umount /etc/netns
}

@test "the file exists from ADD to DEL, and ip netns exec uses it" {
	add "$(conf "$dns")"
	[ "$(ip netns exec a cat /etc/resolv.conf)" = "# made by ipvlan-cni
nameserver 10.138.36.66
nameserver fd00:36::66
domain pods.example
search a.example b.example
options ndots:2" ]
	cni CHECK "$(with_result "$(conf "$dns")")"
	succeeds
	rm /etc/netns/a/resolv.conf
	cni CHECK "$(with_result "$(conf "$dns")")"
	fails 102 'on the host "resolv.conf name a" is missing'
	cni DEL "$(conf)"
	succeeds
	[ ! -e /etc/netns/a ]
}

@test "two interfaces of one pod share it" {
	add "$(conf "$dns")" a eth0
	add "$(conf "$dns")" a eth1
	cni DEL "$(conf)" a eth0
	[ -e /etc/netns/a/resolv.conf ]
	cni DEL "$(conf)" a eth1
	[ ! -e /etc/netns/a ]
}

@test "without DNS in the configuration the file has the IPAM plugin's" {
	echo 'nameserver 9.9.9.9' >"$BATS_TEST_TMPDIR/resolv.conf"
	add "$(conf "{ \"resolvConf\": true, \"ipam\": { \"resolvConf\": \"$BATS_TEST_TMPDIR/resolv.conf\" } }")"
	[ "$(cat /etc/netns/a/resolv.conf)" = "# made by ipvlan-cni
nameserver 9.9.9.9" ]
}

@test "another program's file, and other files in the directory, stay" {
	mkdir /etc/netns/a
	echo 'nameserver 8.8.8.8' >/etc/netns/a/resolv.conf
	add "$(conf "$dns")"
	[[ $stderr = *'/etc/netns/a/resolv.conf was not made by the plugin, and stays'* ]]
	cni DEL "$(conf)"
	succeeds
	[ "$(cat /etc/netns/a/resolv.conf)" = 'nameserver 8.8.8.8' ]
	rm /etc/netns/a/resolv.conf
	touch /etc/netns/a/hosts
	add "$(conf "$dns")"
	cni DEL "$(conf)"
	[ "$(ls /etc/netns/a)" = hosts ]
}

@test "without a name of the namespace, or without DNS, there is no file" {
	local pid
	add "$(conf '{ "resolvConf": true }')" b
	ip netns exec a sleep 1000 3>&- &
	pid=$!
	NETNS=/proc/$pid/ns/net add "$(conf "$dns")"
	kill "$pid"
	[ -z "$(ls /etc/netns)" ]
}

@test "a name server with a line break does not add a line" {
	add "$(conf '{ "resolvConf": true, "dns": { "nameservers": [ "1.1.1.1\nnameserver 6.6.6.6", "2.2.2.2" ] } }')"
	[ "$(cat /etc/netns/a/resolv.conf)" = "# made by ipvlan-cni
nameserver 2.2.2.2" ]
}

@test "a link in the file's place is not followed" {
	mkdir /etc/netns/a
	echo '# made by ipvlan-cni' >"$BATS_TEST_TMPDIR/target"
	ln -s "$BATS_TEST_TMPDIR/target" /etc/netns/a/resolv.conf
	add "$(conf "$dns")"
	cni DEL "$(conf)"
	[ "$(cat "$BATS_TEST_TMPDIR/target")" = '# made by ipvlan-cni' ]
	[ -L /etc/netns/a/resolv.conf ]
}

@test "if the directory cannot be written, ADD fails and leaves nothing" {
	local before
	before=$(inventory)
	mount -o remount,ro /etc/netns
	cni ADD "$(conf "$dns")"
	mount -o remount,rw /etc/netns
	fails 5 'resolvConf: cannot write /etc/netns/a/resolv.conf: read-only file system'
	leaves_nothing "$before"
}

@test "if /etc/netns is a file, STATUS and ADD report that, and the pod starts without the key" {
	local before
	umount /etc/netns
	rm -r /etc/netns
	touch /etc/netns
	before=$(inventory)
	cni STATUS "$(conf "$dns")"
	fails 50 'resolvConf: cannot write /etc/netns: not a directory'
	cni ADD "$(conf "$dns")"
	fails 5 'resolvConf: cannot write /etc/netns/a/resolv.conf: not a directory'
	leaves_nothing "$before"
	add "$(conf)"
	cni DEL "$(conf)"
	rm /etc/netns
	mkdir /etc/netns
	mount -t tmpfs tmpfs /etc/netns
}
