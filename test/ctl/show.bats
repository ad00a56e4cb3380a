#!/usr/bin/env bats
# ipvlanctl show: who has which interface, and what is on the host for it.

load ../lib/ctl

@test "where there is nothing, it says so" {
	ctl show
	succeeds
	[ "$output" = 'There is no ipvlan interface.' ]
	ctl show --json
	succeeds
	[ "$output" = '{
    "masters": [],
    "lost": [],
    "pools": []
}' ]
	[ "$stderr" = "" ]
}

@test "a tree: the master, its pods, their addresses and routes, objects on the host, pools" {
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	ctl show
	succeeds
	tells "eth0  l2 bridge, MTU 1500, anchor ipva$(cat /sys/class/net/eth0/ifindex) (up)" \
		'`- a eth0, network net' \
		'/run/netns/a  10.138.36.2/23  default via 10.138.36.1' \
		'ok       route to 10.138.36.2/32 dev ipva' \
		'net      [#...................]   3%  1 of 39  10.138.36.2-10.138.36.40'
	[ "$stderr" = "" ]
}

@test "what the host has lost is missing" {
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	ip route del 10.138.36.2
	ctl show
	tells 'missing  route to 10.138.36.2/32'
	ctl show --json
	[ "$(result '[.masters[0].pods[0].objects[] | select(.found | not).object[:8]]')" = '["route to"]' ]
}

@test "slaves of other tools are shown as such, and those on the host" {
	ip link add link eth0 name theirs type ipvlan mode l3 private
	ip link add link eth0 name more netns a type ipvlan mode l3 private
	ctl show
	tells 'eth0  l3 private, MTU 1500' '|- theirs not in this plugin'"'"'s ledger down' \
		"the host's own namespace" '`- more not in this' /run/netns/a
}

@test "a master inside a pod, by linkInContainer" {
	ip link add inner netns a type dummy
	ip -n a link set inner up
	add "$(conf '{"master":"inner","linkInContainer":true,"mode":"l3"}')" a net1
	ctl show
	tells 'inner in /run/netns/a  l3 bridge, MTU 1500' '`- net1'
}

@test "a namespace without a name is told by a process in it" {
	local pid
	unshare -n sleep 1000 3>&- &
	pid=$!
	until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
	configured net "$(conf)"
	NETNS=/proc/$pid/ns/net pod a net
	ctl show
	kill $pid
	tells 'a eth0, network net' "namespace of pid $pid  10.138.36.2/23"
}

@test "an attachment whose namespace is gone" {
	configured net "$(conf)"
	pod a net
	ip netns del a
	ctl show
	tells 'attachments without an interface' '`- a eth0, network net: its namespace is gone: ipvlanctl gc gives back what it holds' \
		'1 of 39  10.138.36.2-10.138.36.40  1 of them by nobody any more'
	ctl show --json
	[ "$(result '.lost[0] | .container, .state' | paste -sd' ')" = 'a gone' ]
}

@test "a pod in whose namespace's inode a later one is, is not taken for that" {
	local inode
	configured net "$(conf)"
	inode=$(stat -Lc %i /run/netns/a)
	pod a net
	ip netns del a
	until ip netns add a && [ "$(stat -Lc %i /run/netns/a)" = "$inode" ]; do
		ip netns del a
		sleep 0.1
	done
	NETNS=/run/netns/a add "$(cat "$NETCONFPATH/net.conf")" b
	ctl show
	tells '`- b eth0, network net' '`- a eth0, network net: its namespace is gone'
}

@test "an interface that somebody has deleted, while its namespace lives" {
	configured net "$(conf)"
	pod a net
	ip -n a link del eth0
	ctl show
	tells 'a eth0, network net: its namespace lives, the interface is gone'
}

@test "JSON has all of it" {
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	pod b net
	ctl show --json
	succeeds
	[ "$(result '.masters[] | .name, .mode, .flag, .mtu, .up, .anchor.up, .namespace' | paste -sd' ')" = \
		'eth0 l2 bridge 1500 true true null' ]
	[ "$(result '[.masters[0].pods[] | .container, .network, .interface, .addresses, .defaultRoutes]')" = \
		'["a","net","eth0",["10.138.36.2/23"],["10.138.36.1"],"b","net","eth0",["10.138.36.3/23"],["10.138.36.1"]]' ]
	[ "$(result '.masters[0].pods[0].namespace | .path, .inode' | paste -sd' ')" = \
		"/run/netns/a $(stat -Lc %i /run/netns/a)" ]
	[ "$(result '.pools[0] | .network, .rangeSets[0].leased' | paste -sd' ')" = 'net 2' ]
}

@test "a drawing names masters and pods" {
	configured net "$(conf)"
	pod a net
	ctl show --dot
	succeeds
	[ "${lines[0]}" = 'graph ipvlan {' ]
	[ "${lines[-1]}" = '}' ]
	tells 'label="eth0\nl2 bridge"' 'label="a\n/run/netns/a\neth0\n 10.138.36.2/23\ndefault via 10.138.36.1"' \
		'master0 -- pod0_0;'
}

# hostile: a link whose name would paint the terminal and end a string of dot.
hostile() {
	ip link add link eth0 name $'x\e[31m"];\x01' netns a type ipvlan mode l2
}

@test "hostile names reach neither the terminal nor the drawing nor JSON as what they are" {
	hostile
	ctl show
	tells 'x\x1b[31m"];\x01 not in'
	[[ $output != *$'\e'* ]]
	ctl show --dot
	tells 'x\\x1b[31m\"];\\x01'
	ctl show --json
	[ "$(result '.masters[0].pods[0].interface')" = $'x\e[31m"];\x01' ]
	[[ $output != *$'\e'* ]]
}

@test "a terminal gets colours and lines, unless NO_COLOR" {
	hostile
	export TERM=xterm LC_ALL=C.UTF-8
	run script -qc "$BUILD/ipvlanctl show" /dev/null
	tells $'\e[1meth0\e[0m' '└─ ' 'x\x1b[31m"'
	NO_COLOR=1 run script -qc "$BUILD/ipvlanctl show" /dev/null
	[[ $output != *$'\e'* ]]
	tells '└─ '
	LC_ALL=C run script -qc "$BUILD/ipvlanctl show" /dev/null
	tells '`- '
}

@test "a configuration that nobody can read keeps nothing from being shown" {
	configured net "$(conf)"
	pod a net
	jq '.ipam.ranges = []' "$NETCONFPATH/net.conf" >"$NETCONFPATH/a.conf"
	ctl show
	succeeds
	[[ $stderr = *"pools of $NETCONFPATH/a.conf: addrpool: "*'no IP ranges specified'* ]]
	tells 'a eth0, network net' '1 of 39'
}

@test "without addrpool there are no pools, and it is said" {
	configured net "$(conf)"
	mkdir "$BATS_TEST_TMPDIR/sbin"
	cp "$BUILD/ipvlanctl" "$BATS_TEST_TMPDIR/sbin"
	CNI_PATH=/nowhere run --separate-stderr "$BATS_TEST_TMPDIR/sbin/ipvlanctl" show
	succeeds
	[[ $stderr = *'failed to find plugin "addrpool" in path [/nowhere '* ]]
}

@test "it needs root" {
	install -m 755 "$BUILD/ipvlanctl" /run/ipvlanctl
	run --separate-stderr setpriv --reuid 65534 --clear-groups /run/ipvlanctl show
	[ "$status" = 2 ]
	[[ $stderr = 'ipvlanctl: show needs root'* ]]
	run --separate-stderr setpriv --reuid 65534 --clear-groups /run/ipvlanctl --help
	succeeds
}

@test "wrong arguments are told from all else" {
	local arguments
	for arguments in '' 'shwo' 'show --jsn' 'show --json --dot'; do
		# shellcheck disable=SC2086 # several words
		ctl $arguments
		[ "$status" = 2 ]
		[ "$output" = "" ]
		[[ $stderr = *usage:* ]]
	done
	ctl --version
	succeeds
	[[ $output = 'ipvlanctl '*' (ipvlan-cni)' ]]
}

@test "what cannot be written is an error" {
	run --separate-stderr bash -c '"$BUILD/ipvlanctl" show >/dev/full'
	[ "$status" = 2 ]
	[[ $stderr = 'ipvlanctl: cannot write: '* ]]
}
