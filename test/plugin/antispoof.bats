#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # the library reads MODE
# antiSpoof: packets of a pod from an address that neither a pod nor the host has do not reach the
# LAN, and honest ones do. The tests capture packets on the LAN.

load ../lib/modes

# guarded MODE FLAG [JSON]: pods a and b on eth0, with antiSpoof.
guarded() {
	MODE=$1
	ip -n lan addr add fd00:39::10/128 dev eth1 nodad
	ip -6 route add default via "$GATEWAY6"
	CONF_A=$(conf "$(pod 2)" "{ \"mode\": \"$1\", \"flag\": \"$2\", \"antiSpoof\": true }" "${3:-}")
	CONF_B=$(conf "$(pod 3)" "{ \"mode\": \"$1\", \"flag\": \"$2\", \"antiSpoof\": true }" "${3:-}")
	add "$CONF_A" a
	add "$CONF_B" b
	LAN_MAC=$(ip netns exec lan cat /sys/class/net/eth0/address) MAC=$(cat /sys/class/net/eth0/address)
}

# listen: captures all packets that reach the LAN, until stop_listening, which waits for packets
# sent before.
listen() {
	rm -f "$BATS_TEST_TMPDIR/lan"
	ip netns exec lan tcpdump -n -U -i eth0 -Q in -w "$BATS_TEST_TMPDIR/lan" 2>"$BATS_TEST_TMPDIR/tcpdump" 3>&- &
	LISTENER=$!
	until grep -qs 'listening on' "$BATS_TEST_TMPDIR/tcpdump"; do sleep 0.05; done
}

stop_listening() {
	sleep 0.3	# a thread of the kernel sends multicast packets
	"$BUILD/tools/hostile" eth0 arp -s 10.138.36.58 -t 10.138.37.254	# the host's address
	until [ "$(heard 'arp[24:4] = 0x0a8a25fe')" != 0 ]; do sleep 0.05; done
	kill "$LISTENER" && wait "$LISTENER" || :
}

# heard FILTER: the number of captured packets.
heard() {
	tcpdump -n -r "$BATS_TEST_TMPDIR/lan" "$1" 2>/dev/null | wc -l
}

nothing_heard() {
	[ "$(heard "$1")" = 0 ] || { echo "heard: $1"; tcpdump -n -e -r "$BATS_TEST_TMPDIR/lan" "$1" 2>/dev/null | head; return 1; }
}

hostile() {
	ip netns exec a "$BUILD/tools/hostile" eth0 "$@"
}

# dropped COUNTER: the number of dropped packets.
dropped() {
	nft list table netdev "ipvlan_cni_$(cat /sys/class/net/eth0/ifindex)" | sed -n "/counter bad_$1 {/{n;s/.*packets \([0-9]*\) .*/\1/p}"
}

# all packets that a pod can forge: raw frames, to all hosts and to one
attack() {
	local to
	for to in ff:ff:ff:ff:ff:ff "$LAN_MAC"; do
		hostile ipv4 -d "$to" -s 192.0.2.99 -t "$GATEWAY"		# foreign
		hostile ipv4 -d "$to" -s "$GATEWAY" -t 10.138.37.1		# the gateway's
		hostile ipv6 -d "$to" -s 2001:db8::99 -t "$GATEWAY6"
		hostile ipv6 -d "$to" -s "$GATEWAY6" -t fd00:36::99
		hostile ipv6 -d "$to" -s fe80::1 -t "$GATEWAY6"			# a router's
		hostile arp -d "$to" -s "$GATEWAY" -t "$GATEWAY"
		hostile arp -d "$to" -s "$(own 2)" -t "$(own 2)" -l 02:00:00:00:00:99
		hostile arp -d "$to" -s "$(own 3)" -t "$(own 3)" -l 02:00:00:00:00:99
		hostile arp -d "$to" -s 10.138.36.58 -t 10.138.36.58 -l 02:00:00:00:00:99
		hostile na -d "$to" -s "$(own6 2)" -t "$GATEWAY6"
		hostile na -d "$to" -s "$GATEWAY6" -t "$GATEWAY6"
		hostile na -d "$to" -s "$(own6 2)" -t fe80::1
		hostile na -d "$to" -s "$(own6 2)" -t "$(own6 3)" -l 02:00:00:00:00:99
		hostile na -d "$to" -s "$(own6 2)" -t "$(own6 2)" -n -l 02:00:00:00:00:99
		hostile na -d "$to" -s "$(own6 2)" -t "$GATEWAY6" -f
		hostile ns -d "$to" -s "$GATEWAY6" -t fd00:36::98
		hostile ns -d "$to" -s :: -t fd00:36::98			# as for duplicate address detection
		hostile ns -d "$to" -s "$(own6 2)" -t fd00:36::98 -l 02:00:00:00:00:99
		hostile ra -d "$to" -s "$(own6 2)"
		hostile ra -d "$to" -s fe80::1
		hostile ra -d "$to" -s "$(local_of a)"
		hostile ra -d "$to" -s "$(local_of a)" -f
		hostile redirect -d "$to" -s "$(local_of a)" -t fd00:36::98
		hostile mld -d "$to" -s fe80::1
		hostile dhcp -d "$to" -s "$(own 2)" -t 255.255.255.255
		hostile dhcp -d "$to" -s 10.138.36.58 -t 255.255.255.255
		hostile dhcp6 -d "$to" -s "$(own6 2)"
		hostile ipv4 -d "$to" -m 02:00:00:00:00:99 -s "$(own 2)" -t "$GATEWAY"
		hostile ipv4 -d "$to" -v 100 -s "$(own 2)" -t "$GATEWAY"
		hostile ipv4 -d "$to" -v 100 -s 192.0.2.99 -t "$GATEWAY"
	done
}

local_of() {
	ip -n "$1" -j -6 addr show dev eth0 scope link | jq -r '[.[].addr_info[].local | strings][0]'
}

# No forged packet reached the LAN. The host and the pods have announced only their addresses.
nothing_forged() {
	nothing_heard 'host 192.0.2.99 or ip6 host 2001:db8::99'
	nothing_heard "src host $GATEWAY or ip6 src host $GATEWAY6 or ip6 src host fe80::1"
	nothing_heard 'ether src 02:00:00:00:00:99 or ether[22:4] = 0x02000000 or ether[80:4] = 0x02000000'
	nothing_heard 'ether[12:2] = 0x8100'
	nothing_heard 'udp src port 67 or udp src port 547'
	nothing_heard 'ip6[6] = 58 and (ip6[40] = 134 or ip6[40] = 137)'
	nothing_heard 'ip6[6] = 44'
	nothing_heard 'ip6[6] = 58 and ip6[40] = 136 and (ip6[60:4] = 0x66 or ip6[60:4] = 1)'
	nothing_heard 'ip6 src host :: and ip6[6] = 58 and ip6[40] = 135 and ip6[60:4] = 0x98'
	nothing_heard "arp and arp[14:4] = 0x0a8a2442"
}

# Honest packets: between pods, to the LAN, to the internet.
honest_passes() {
	local to
	for to in "$GATEWAY" 39.156.66.10 "$GATEWAY6" fd00:39::10; do
		pings a "$to"
		pings b "$to"
	done
	ping -n -c 1 -W 3 "$GATEWAY"
	ping -n -c 1 -W 3 "$GATEWAY6"
	ip -n lan neigh flush dev eth0
	pings lan "$(own 2)"
	pings lan "$(own6 2)"
}


case_of() {
	guarded "$1" "$2"
	honest_passes
	listen
	attack
	stop_listening
	nothing_forged
	# in l2 multicast packets reach other pods before they pass the master: see below
	ip -n b neigh flush dev eth0
	honest_passes
	cni CHECK "$(with_result "$CONF_A")"
	succeeds
	[ "$(dropped mac)" = 6 ] || [ "$1" != l2 ]
	[ "$(dropped ipv4)" -ge 3 ]
	[ "$(dropped ipv6)" -ge 3 ]
}

@test "l2, bridge: no forged packet reaches the LAN, and all honest ones do" {
	case_of l2 bridge
}

@test "l2, private: no forged packet reaches the LAN, and all honest ones do" {
	case_of l2 private
}

@test "l2, vepa: no forged packet reaches the LAN, and all honest ones do" {
	case_of l2 vepa
}

@test "l3, bridge: no forged packet reaches the LAN, and all honest ones do" {
	case_of l3 bridge
}

@test "l3, private: no forged packet reaches the LAN, and all honest ones do" {
	case_of l3 private
}

@test "l3, vepa: no forged packet reaches the LAN, and all honest ones do" {
	case_of l3 vepa
}

@test "l3s, bridge: no forged packet reaches the LAN, and all honest ones do" {
	case_of l3s bridge
}

@test "l3s, private: no forged packet reaches the LAN, and all honest ones do" {
	case_of l3s private
}

@test "l3s, vepa: no forged packet reaches the LAN, and all honest ones do" {
	case_of l3s vepa
}

@test "packets between pods do not pass the master: with bridge all of them, in l2 with any flag those to all hosts" {
	local flag
	for flag in bridge private vepa; do
		guarded l2 "$flag"
		ip -n b neigh replace "$GATEWAY" lladdr "$LAN_MAC" dev eth0 nud reachable
		hostile arp -s "$GATEWAY" -t "$GATEWAY"
		timeout 5 bash -c "until ip -n b neigh show $GATEWAY dev eth0 | grep -q '$MAC'; do sleep 0.05; done"
		cni DEL "$CONF_A" a
		cni DEL "$CONF_B" b
		remove_network
		make_network
	done
	guarded l3 bridge
	ip netns exec b tcpdump -n -l -c 1 -i eth0 'src host 192.0.2.99' >"$BATS_TEST_TMPDIR/b" 2>/dev/null 3>&- &
	sleep 0.5
	hostile ipv4 -d "$MAC" -s 192.0.2.99 -t 192.168.9.3
	wait $!
	grep -q '192.0.2.99.4242 > 192.168.9.3.4242' "$BATS_TEST_TMPDIR/b"
}

@test "strict: in no configuration do pods reach each other without passing the master" {
	local mode flag
	for mode in l2 l3 l3s; do
		for flag in '"bridge"' '"private"' '"vepa"' null; do
			cni ADD "$(conf "{ \"mode\": \"$mode\", \"flag\": $flag, \"antiSpoof\": \"strict\" }")"
			case $mode$flag in
			l3*'"private"' | l3*'"vepa"') succeeds && cni DEL "$(conf)" ;;
			*) fails 7 'antiSpoof: "strict" needs "mode": "l3" or "l3s", and "flag": "private" or "vepa"' ;;
			esac
		done
	done
	MODE=l3
	add "$(conf "$(pod 2)" '{ "mode": "l3", "flag": "private", "antiSpoof": "strict" }')" a
	add "$(conf "$(pod 3)" '{ "mode": "l3", "flag": "private", "antiSpoof": "strict" }')" b
	ip netns exec b tcpdump -n -l -i eth0 src host 192.0.2.99 >"$BATS_TEST_TMPDIR/b" 2>/dev/null 3>&- &
	sleep 0.5
	hostile ipv4 -d "$(cat /sys/class/net/eth0/address)" -s 192.0.2.99 -t 192.168.9.3
	sleep 0.5
	kill $! && wait $! || :	# it ends with an empty line
	[ "$(grep -c 192.0.2.99 "$BATS_TEST_TMPDIR/b")" = 0 ]
}

@test "the master drops forged packets, whatever the pod changes in its namespace" {
	guarded l2 bridge
	listen
	ip -n a addr add 192.0.2.99/24 dev eth0
	ip -n a addr add "$GATEWAY/32" dev eth0
	ip -n a addr add 2001:db8::99/64 dev eth0 nodad
	ip netns exec a ping -n -c 1 -W 1 -I 192.0.2.99 "$GATEWAY" || :
	ip netns exec a ping -n -c 1 -W 1 -I 192.0.2.99 39.156.66.10 || :
	ip netns exec a ping -n -c 1 -W 1 -I 2001:db8::99 "$GATEWAY6" || :
	ip netns exec a nft flush ruleset
	ip netns exec a tc qdisc add dev eth0 clsact
	ip -n a link set eth0 down
	ip -n a link set eth0 name other
	ip -n a link set other up
	ip netns exec a "$BUILD/tools/hostile" other ipv4 -s 192.0.2.99 -t "$GATEWAY"
	stop_listening
	nothing_heard 'host 192.0.2.99 or host 2001:db8::99 or arp[14:4] = 0xc0000263 or src host 10.138.36.66'
	cni DEL "$CONF_A" a
	succeeds
}

@test "ADD refuses to guard a master with pods whose addresses are not known; later pods are known" {
	local before
	MODE=l2
	before=$(inventory)
	add "$(conf "$(pod 2)")" a
	cni ADD "$(conf "$(pod 3)" '{ "antiSpoof": true }')" b
	fails 7 'antiSpoof: the master has pods already whose addresses are not known: container a, network net'
	cni STATUS "$(conf "$(pod 3)" '{ "antiSpoof": true }')"
	fails 50 'antiSpoof: the master has pods already whose addresses are not known: container a, network net'
	pings a "$GATEWAY"
	cni DEL "$(conf)" a
	leaves_nothing "$before"
	add "$(conf "$(pod 3)" '{ "antiSpoof": true }')" b
	add "$(conf "$(pod 2)")" a
	pings a "$GATEWAY"
	pings a "$GATEWAY6"
	pings b "$GATEWAY"
	cni DEL "$(conf)" b
	pings a "$GATEWAY"
	cni DEL "$(conf)" a
	leaves_nothing "$before"
}

@test "a new pod announces its address to neighbours, and duplicate address detection asks the LAN" {
	MODE=l2
	ip -n lan neigh replace 10.138.36.2 lladdr 02:00:00:00:00:77 dev eth0 nud reachable
	listen
	add "$(conf "$(pod 2)" '{ "antiSpoof": true, "dad": "wait", "conflictCheck": "probe" }')" a
	stop_listening
	[ "$(heard 'arp[14:4] = 0x0a8a2402 and arp[24:4] = 0x0a8a2402')" -ge 1 ]
	[ "$(heard 'ip6 src host :: and ip6[40] = 135 and ip6[60:4] = 2')" -ge 1 ]
	ip -n lan neigh show 10.138.36.2 dev eth0 | grep -q "$(cat /sys/class/net/eth0/address)"
}

@test "antiSpoof contradicts a master in the pod, routers that give addresses, and a pod without addresses" {
	cni ADD "$(conf '{ "antiSpoof": true, "linkInContainer": true }')"
	fails 7 'antiSpoof requires a master on the host'
	cni ADD "$(conf '{ "antiSpoof": true, "routerAdvertisements": "accept" }')"
	fails 7 'antiSpoof and routerAdvertisements: "accept" exclude each other'
	cni ADD "$(conf '{ "antiSpoof": true, "ipam": null }')"
	fails 7 'antiSpoof needs addresses, and the pod has none'
	cni ADD "$(conf '{ "antiSpoof": "loose" }')"
	fails 7 'antiSpoof must be true, false or "strict", not "loose"'
}

@test "CHECK reports what another program has deleted or changed, and repair makes it again" {
	local conf table how
	MODE=l2
	conf=$(conf "$(pod 2)" '{ "antiSpoof": true }')
	add "$conf"
	table="netdev ipvlan_cni_$(cat /sys/class/net/eth0/ifindex)"
	for how in 'flush ruleset' "delete table $table" "flush chain $table guard" "flush set $table guarded" \
		"flush set $table pods4" "delete element $table targets { 0xfd000036000000000000000000000002 }" \
		"add element $table hosts4 { 192.0.2.99 }"; do
		echo "$how"
		nft "$how"
		cni CHECK "$(with_result "$conf")"
		fails 102 'is missing'
		"$BUILD/ipvlanctl" repair
		cni CHECK "$(with_result "$conf")"
		succeeds
		[ -z "$stderr" ]
	done
	ip addr add 10.138.36.59/23 dev eth0
	"$BUILD/ipvlanctl" repair
	ping -n -c 1 -W 3 -I 10.138.36.59 "$GATEWAY"
	ip link set eth0 down
	ip link set eth0 name lan0
	ip link set lan0 up
	"$BUILD/ipvlanctl" repair
	listen
	hostile ipv4 -s 192.0.2.99 -t "$GATEWAY"
	pings a "$GATEWAY"
	ip link set lan0 down
	ip link set lan0 name eth0
	ip link set eth0 up
	"$BUILD/ipvlanctl" repair
	stop_listening
	nothing_heard 'host 192.0.2.99'
}

@test "with hostAccess host and pods reach each other, and in l2 no forged packet reaches the host either" {
	guarded l2 bridge '{ "hostAccess": true }'
	honest_passes
	pings a 10.138.36.58
	pings a fd00:36::58
	ping -n -c 1 -W 3 10.138.36.2
	ping -n -c 1 -W 3 fd00:36::3
	sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
	socat -u UDP-RECV:4242 "SYSTEM:cat >>$BATS_TEST_TMPDIR/host" 3>&- &
	sleep 0.5
	hostile ipv4 -d "$MAC" -s 192.0.2.99 -t 10.138.36.58
	[ "$(dropped ipv4)" = 3 ]
	[ ! -s "$BATS_TEST_TMPDIR/host" ]
	hostile ipv4 -d "$MAC" -s 10.138.36.2 -t 10.138.36.58
	timeout 5 sh -c "until grep -q hostile '$BATS_TEST_TMPDIR/host'; do sleep 0.05; done"
	kill $!
}

@test "tags of a VLAN on the master, made before or after, do not count as forged" {
	local before
	MODE=l2
	before=$(inventory)
	add "$(conf "$(pod 2)" '{ "antiSpoof": true }')" a
	ip -n lan link add link eth0 name eth0.100 type vlan id 100
	ip -n lan addr add 10.100.0.66/24 dev eth0.100
	ip -n lan link set eth0.100 up
	add "$(conf "$(static 10.100.0.2/24)" '{ "vlan": 100 }')" b
	pings b 10.100.0.66
	listen
	hostile ipv4 -v 101 -s "$(own 2)" -t "$GATEWAY"
	stop_listening
	nothing_heard 'ether[12:2] = 0x8100 and ether[14:2] = 101'
	[ "$(dropped tag)" = 3 ]
	cni DEL "$(conf '{ "vlan": 100 }')" b
	cni DEL "$(conf)" a
	leaves_nothing "$before"
}

# with_old_nft COMMAND...: where nft does not know the hook egress, as before 1.0.1, in its own words.
with_old_nft() {
	cp -L "$(command -v nft)" "$BATS_TEST_TMPDIR/nft.new"
	cat >"$BATS_TEST_TMPDIR/nft" <<-END
		#!/bin/sh
		sed 's/hook egress/hook never/' | "$BATS_TEST_TMPDIR/nft.new" "\$@" 2>"$BATS_TEST_TMPDIR/said" && exit
		sed 's/hook never/hook egress/' "$BATS_TEST_TMPDIR/said" >&2
		exit 1
	END
	printf '#!/bin/sh\nmount --bind %s "$(readlink -f "$(command -v nft)")" && exec "$@"\n' "$BATS_TEST_TMPDIR/nft" >"$BATS_TEST_TMPDIR/old-nft"
	chmod +x "$BATS_TEST_TMPDIR/nft" "$BATS_TEST_TMPDIR/old-nft"
	"$1" unshare -m "$BATS_TEST_TMPDIR/old-nft" "${@:2}"
}

@test "where nft is too old, ADD, STATUS and doctor name the versions and the key, and nothing is left" {
	local key before
	for key in '"antiSpoof": true' '"counters": true' '"bandwidth": { "egressRate": 8000000 }' '"deny": { "egress": [ {} ] }'; do
		before=$(inventory)
		with_old_nft run_by
		cni ADD "$(conf "{ $key }")"
		fails 7 'requires Linux 5.16 and nftables 1.0.1'
		explains 'unknown chain hook'
		cni STATUS "$(conf "{ $key }")"
		fails 50 'requires Linux 5.16 and nftables 1.0.1'
		unset PLUGIN
		leaves_nothing "$before"
		conf "{ $key }" >"$BATS_TEST_TMPDIR/net.conf"
		with_old_nft run "$BUILD/ipvlanctl" doctor "$BATS_TEST_TMPDIR/net.conf"
		[[ $output = *'requires Linux 5.16 and nftables 1.0.1'* ]] || { echo "$output"; return 1; }
	done
}
