#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan-node: after a change of the host it repairs the objects of running pods.

load ../lib/cni
load ../lib/ipvlan-node

teardown() {
	stop_node
}

pod() {
	add "$(conf "$(static "10.138.36.${2:-2}/23 fd00:36::${2:-2}/64")" "${1:-{ \"mode\": \"l3\", \"hostAccess\": true \}}")" "${3:-a}"
}

host_reaches() {
	ping -n -c 1 -W 1 "$1"
}

has_route() {
	ip route show proto 105 | grep -q "^$1 "
}

# repairs: the number of repairs so far, each of which is a process.
repairs() {
	grep -c '^clone\|^fork\|clone(' "$BATS_TEST_TMPDIR/trace"
}

@test "it repairs changes while it runs" {
	start_node
	pod
	ip route flush proto 105
	soon host_reaches 10.138.36.2
	ip link del "ipva$(</sys/class/net/eth0/ifindex)"
	soon host_reaches fd00:36::2
	ip link set eth0 down
	ip link set eth0 up
	ip addr replace fd00:36::58/64 dev eth0 nodad
	soon host_reaches 10.138.36.2
	ip addr add 10.138.36.59/23 dev eth0
	soon ip netns exec a ping -n -c 1 -W 1 10.138.36.59
	grep -q 'repair: made "route to 10.138.36.2/32 .*" of container a, interface eth0, again' "$SAID"
	cni DEL "$(conf)"
	succeeds
}

@test "it repairs nft's table, the filter of l2, and the switches of proxyArp" {
	start_node
	pod '{ "mode": "l3s", "ipMasq": true, "proxyArp": true }'
	nft flush ruleset
	soon sh -c 'nft list ruleset | grep -q 10.138.36.2'
	nft flush table inet ipvlan_cni
	soon sh -c 'nft list ruleset | grep -q masquerade'
	sysctl -qw net.ipv4.conf.eth0.proxy_arp=0
	soon grep -q 1 /proc/sys/net/ipv4/conf/eth0/proxy_arp
	sysctl -qw net.ipv4.conf.eth0.forwarding=0
	soon grep -q 1 /proc/sys/net/ipv4/conf/eth0/forwarding
	cni DEL "$(conf)"
	pod '{ "hostAccess": true }'
	tc filter del dev eth0 egress
	soon host_reaches 10.138.36.2
	tc qdisc del dev eth0 clsact
	soon ip netns exec a ping -n -c 1 -W 1 10.138.36.58
	cni DEL "$(conf)"
	stop_node
	[ -z "$(tc qdisc show dev eth0 clsact)" ]
}

@test "it repairs changes from before its start" {
	pod
	ip route flush proto 105
	start_node
	soon host_reaches 10.138.36.2
}

@test "idle it uses no processor time and less than 2 MB of its own, and has only the capabilities that it requires" {
	local before now
	start_node
	pod
	settle
	# the kernel may count a moment of another process in busy machines: of several times one is idle
	for _ in {1..4}; do
		before=$(cut -d' ' -f14,15 "/proc/$NODE/stat")
		sleep 3
		now=$(cut -d' ' -f14,15 "/proc/$NODE/stat")
		[ "$now" != "$before" ] || break
	done
	[ "$now" = "$before" ]
	grep -q __asan_init "$BUILD/ipvlan-node" || [ "$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$NODE/status")" -lt 2048 ]
	# NET_ADMIN 12, SYS_ADMIN 21, SYS_PTRACE 19, DAC_OVERRIDE 1, BPF 39
	[ "$(sed -n 's/^Cap[EPB][^0]*//p' "/proc/$NODE/status" | sort -u)" = 0000008000281002 ]
	grep -q '^NoNewPrivs:.*1' "/proc/$NODE/status"
}

@test "a storm of 10 000 events costs a bounded number of repairs" {
	local i begun
	start_node strace -o "$BATS_TEST_TMPDIR/trace" -e trace=clone,clone3,fork,vfork
	pod
	sleep 1
	NODE=$(pgrep -P "$NODE" ipvlan-node)
	: >"$BATS_TEST_TMPDIR/trace"
	begun=$SECONDS
	for ((i = 0; i < 5000; i++)); do
		echo "addr add 10.138.36.59/23 dev eth0"
		echo "addr del 10.138.36.59/23 dev eth0"
	done | ip -force -batch -
	ip route flush proto 105
	soon host_reaches 10.138.36.2
	settle
	echo "# repairs: $(repairs)" >&3
	[ "$(repairs)" -le $((2 * (SECONDS - begun) + 3)) ]
}

@test "after the kernel has dropped messages it repairs everything" {
	local i
	start_node
	pod
	settle
	kill -STOP "$NODE"
	for ((i = 0; i < 20000; i++)); do
		echo "addr add 10.138.36.59/23 dev eth0"
		echo "addr del 10.138.36.59/23 dev eth0"
	done | ip -force -batch -
	ip route flush proto 105
	kill -CONT "$NODE"
	soon host_reaches 10.138.36.2
}

@test "it ends at once on a signal, and reports what it cannot do" {
	start_node
	kill "$NODE"
	wait "$NODE"
	NODE=''
	run setpriv --reuid=65534 --clear-groups "$BUILD/ipvlan-node"
	[ "$status" = 2 ]
	[[ $output = *'requires root'* ]]
	run "$BUILD/ipvlan-node" --nonsense
	[ "$status" = 2 ]
	[[ $output = *usage:* ]]
	run "$BUILD/ipvlan-node" --version
	[ "$status" = 0 ]
	run setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$BUILD/ipvlan-node"
	[ "$status" = 1 ]
	[[ $output = *"cannot "* ]]
}

@test "systemd accepts the unit" {
	sed "s,@SBINDIR@,$BUILD," "$TOP/plugin/node/ipvlan-node.service" >"$BATS_TEST_TMPDIR/ipvlan-node.service"
	run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/ipvlan-node.service"
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "antiSpoof: it restores the rules within a moment after a flush, a new address and a new MAC address of the host" {
	local conf table
	conf=$(conf '{ "antiSpoof": true }')
	add "$conf"
	table="netdev ipvlan_cni_$(cat /sys/class/net/eth0/ifindex)"
	start_node
	nft flush ruleset
	soon nft get element "$table" pods4 '{ 10.138.36.2 }'
	ip addr add 10.138.36.59/23 dev eth0
	soon ping -n -c 1 -W 1 -I 10.138.36.59 10.138.36.66
	ip link add name other type dummy
	ip addr add 198.51.100.7/32 dev other
	soon nft get element "$table" hosts4 '{ 198.51.100.7 }'
	ip link set eth0 address 02:00:00:00:00:77
	soon ping -n -c 1 -W 1 10.138.36.66
	soon ip netns exec a ping -n -c 1 -W 1 10.138.36.66
}
