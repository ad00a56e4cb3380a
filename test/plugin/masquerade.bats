#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipMasq: packets of pods that leave their subnet have the host's address.

load ../lib/cni

# No host outside has a route to the pods.
setup() {
	export STUB_DIR=$BATS_TEST_TMPDIR
	remove_network
	make_network
	ip -n lan route del 192.168.9.0/24
	ip -n lan route del fd00:9::/64
	ip -n lan addr add fd00:39::10/128 dev eth1 nodad
	ip route add default via fd00:36::66
}

l3s='{ "mode": "l3s", "ipMasq": true }'

pod() {
	static "192.168.9.$1/24 fd00:9::$1/64" '[ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ]'
}

table() {
	nft list table inet ipvlan_cni 2>&1
}

@test "pods of a foreign subnet reach the internet with IPv4 and IPv6, and only with ipMasq" {
	local before
	before=$(inventory)
	add "$(conf "$(pod 2)" '{ "mode": "l3s" }')"
	run ip netns exec a ping -n -c 1 -W 1 39.156.66.10
	[ "$status" = 1 ]
	cni DEL "$(conf)"
	add "$(conf "$(pod 2)" "$l3s")"
	pings a 39.156.66.10
	pings a fd00:39::10
	pings a 10.138.36.66
	cni DEL "$(conf)"
	succeeds
	leaves_nothing "$before"
	[[ $(table) = *'No such file or directory'* ]]
}

@test "outside hosts see the host's address, other pods see the pod's" {
	local seen=$BATS_TEST_TMPDIR/seen
	add "$(conf "$(pod 2)" "$l3s")" a
	add "$(conf "$(pod 3)" "$l3s")" b
	ip netns exec lan tcpdump -n -l -c 1 -i eth0 'icmp[0] = 8' >"$seen" 2>/dev/null 3>&- &
	sleep 0.5
	pings a 39.156.66.10
	wait $!
	grep -q 'IP 10.138.36.58 > 39.156.66.10' "$seen"
	ip netns exec b tcpdump -n -l -c 1 -i eth0 'icmp[0] = 8' >"$seen" 2>/dev/null 3>&- &
	sleep 0.5
	pings a 192.168.9.3
	wait $!
	grep -q 'IP 192.168.9.2 > 192.168.9.3' "$seen"
}

@test "the table is deleted with the last pod" {
	add "$(conf "$(pod 2)" "$l3s")" a
	add "$(conf "$(pod 3)" "$l3s")" b
	cni DEL "$(conf)" a
	succeeds
	[[ $(table) != *192.168.9.2* && $(table) = *192.168.9.3* && $(table) = *fd00:9::3* ]]
	pings b 39.156.66.10
	cni DEL "$(conf)" a
	succeeds
	cni DEL "$(conf)" b
	succeeds
	[[ $(table) = *'No such file or directory'* ]]
}

@test "CHECK reports a deleted element, and the next ADD makes it again" {
	local conf
	conf=$(conf "$(pod 2)" "$l3s")
	add "$conf" a
	cni CHECK "$(with_result "$conf")"
	succeeds
	nft delete element inet ipvlan_cni pods4 '{ 192.168.9.2 }'
	cni CHECK "$(with_result "$conf")"
	fails 102 'on the host "masquerade to 192.168.9.2/24" is missing'
	nft delete table inet ipvlan_cni
	add "$(conf "$(pod 3)" "$l3s")" b
	pings b 39.156.66.10
	cni DEL "$conf" a
	succeeds
}

@test "if the rules or subnets are flushed, CHECK and doctor report it, and one repair restores the pods' connections" {
	local conf damage
	conf=$(conf "$(pod 2)" "$l3s")
	conf "$(pod 2)" "$l3s" >"$BATS_TEST_TMPDIR/net.conf"
	add "$conf" a
	add "$(conf "$(pod 3)" "$l3s")" b
	for damage in 'flush table inet ipvlan_cni' 'flush chain inet ipvlan_cni postrouting' 'flush set inet ipvlan_cni subnets4' \
		'delete element inet ipvlan_cni subnets6 { fd00:9::2 . fd00:9::/64 }'; do
		nft "$damage"
		cni CHECK "$(with_result "$conf")"
		fails 102 'is missing'
		run "$BUILD/ipvlanctl" doctor "$BATS_TEST_TMPDIR/net.conf"
		[[ $output = *masquerade\ to\ *'" is missing'*'ipvlanctl repair restores it'* ]] || { echo "$output"; return 1; }
		run "$BUILD/ipvlanctl" repair
		[[ $output = mended* ]] || { echo "$damage: $output"; return 1; }
		cni CHECK "$(with_result "$conf")"
		succeeds
		run "$BUILD/ipvlanctl" repair
		[[ $output != *mended* ]]
		pings a 39.156.66.10
		pings b fd00:39::10
	done
}

@test "if the table was deleted, the next ADD restores it for all pods" {
	local way before
	before=$(inventory)
	for way in 'flush ruleset' 'delete table inet ipvlan_cni'; do
		add "$(conf "$(pod 2)" "$l3s")" a
		nft "$way"
		run ip netns exec a ping -n -c 1 -W 1 39.156.66.10
		[ "$status" = 1 ]
		# a pod that ends before does not make it in part
		ip netns add c
		add "$(conf "$(pod 4)" "$l3s")" c
		nft "$way"
		cni DEL "$(conf "$(pod 4)" "$l3s")" c
		succeeds
		ip netns del c
		add "$(conf "$(pod 3)" "$l3s")" b
		[ -z "$stderr" ]
		pings a 39.156.66.10
		pings a fd00:39::10
		pings b 39.156.66.10
		cni CHECK "$(with_result "$(conf "$(pod 2)" "$l3s")" a)" a
		succeeds
		cni DEL "$(conf "$(pod 2)" "$l3s")" a
		pings b 39.156.66.10
		cni DEL "$(conf "$(pod 3)" "$l3s")" b
		leaves_nothing "$before"
	done
}

@test "other programs' rules stay" {
	nft add table inet other
	add "$(conf "$(pod 2)" "$l3s")"
	cni DEL "$(conf)"
	nft list table inet other
	nft delete table inet other
}

@test "in other modes ipMasq is ignored, and ADD logs that with the setting for flannel" {
	local mode conf
	for mode in l2 l3; do
		conf=$(conf "$(pod 2)" "{ \"mode\": \"$mode\", \"ipMasq\": true }")
		add "$conf"
		[[ $stderr = 'ignored: ipMasq needs "mode": "l3s"'*'With flannel, write "ipMasq": false in its "delegate"' ]]
		[[ $(table) = *'No such file or directory'* ]]
		cni CHECK "$(with_result "$conf")"
		succeeds
		[ -z "$stderr" ]
		cni STATUS "$conf"
		succeeds
		cni DEL "$conf"
		succeeds
	done
}

@test "GC removes the addresses of pods that are gone" {
	add "$(conf "$(pod 2)" "$l3s")" a
	ip netns del a
	cni GC "$(conf '{ "cni.dev/valid-attachments": [], "ipam": null }')"
	succeeds
	[[ $(table) = *'No such file or directory'* ]]
}

@test "if nft fails, ADD fails with nft's message and leaves nothing" {
	local before
	before=$(inventory)
	nft 'add table inet ipvlan_cni; add set inet ipvlan_cni pods4 { type inet_service; }'
	cni ADD "$(conf "$(pod 2)" "$l3s")"
	fails 999 "nft failed for ipMasq"
	explains pods4
	leaves_nothing "$before"
}

@test "sixteen pods at once" {
	local i before
	before=$(inventory)
	for i in {1..16}; do
		ip netns add "p$i"
		CNI_COMMAND=ADD CNI_CONTAINERID=p$i CNI_NETNS=/run/netns/p$i CNI_IFNAME=eth0 "$BUILD/ipvlan" \
			<<<"$(conf "$(pod $((i + 1)))" "$l3s")" >"$BATS_TEST_TMPDIR/$i" 3>&- &
	done
	wait
	for i in {1..16}; do
		ip netns exec "p$i" ping -n -c 1 -W 3 39.156.66.10
	done
	for i in {1..16}; do
		CNI_COMMAND=DEL CNI_CONTAINERID=p$i CNI_NETNS=/run/netns/p$i CNI_IFNAME=eth0 "$BUILD/ipvlan" \
			<<<"$(conf)" 3>&- &
	done
	wait
	leaves_nothing "$before"
	[[ $(table) = *'No such file or directory'* ]]
}
