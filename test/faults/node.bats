#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan-node is killed and started again at random, during random events on the host and random
# ADDs and DELs. In the end all is as after a repair, nothing is left, and its memory has not grown.

load ../lib/cni
load ../lib/ipvlan-node

teardown() {
	stop_node
}

declare -A CONFS=(
	[a]='{ "mode": "l3s", "hostAccess": true, "proxyArp": true, "ipMasq": true }'
	[b]='{ "mode": "l3s", "hostAccess": true }'
	[c]='{ "mode": "l3s", "hostRoutes": [ { "dst": "198.51.100.0/24", "gw": "10.138.36.66" } ] }'
)
declare -A IPS=([a]=10.138.36.2/23 [b]=192.168.9.3/24 [c]=192.168.9.4/24)

conf_of() {
	conf "$(static "${IPS[$1]}")" "${CONFS[$1]}" "{ \"name\": \"net-$1\" }"
}

# The events; for each the kernel reports only one or two.
happens() {
	case $((RANDOM % 12)) in
	0) ip route flush proto 105 ;;
	1) ip link del "ipva$(</sys/class/net/eth0/ifindex)" 2>/dev/null ;;
	2) ip link set "ipva$(</sys/class/net/eth0/ifindex)" down 2>/dev/null ;;
	3) ip addr replace 10.138.36.59/23 dev eth0 ;;
	4) ip addr del 10.138.36.59/23 dev eth0 2>/dev/null ;;
	5) ip link set eth0 address "02:00:00:00:00:$((RANDOM % 90 + 10))" ;;
	6) nft flush ruleset ;;
	7) sysctl -qw net.ipv4.conf.eth0.proxy_arp=0 ;;
	8) sysctl -qw net.ipv4.conf.eth0.forwarding=0 ;;
	9) ip link set eth0 down && ip link set eth0 up && ip route replace default via 10.138.36.66 ;;
	10) ip link set eth0 mtu $((1400 + RANDOM % 100)) ;;
	11) nft delete table inet ipvlan_cni 2>/dev/null ;;
	esac
	return 0
}

comes_or_goes() {
	local pod
	pod=$(printf 'a\nb\nc\n' | sed -n "$((RANDOM % 3 + 1))p")
	if [ -n "${there[$pod]:-}" ]; then
		cni DEL "$(conf_of "$pod")" "$pod"
		succeeds
		there[$pod]=''
	else
		# a master that is down at the moment is refused
		cni ADD "$(conf_of "$pod")" "$pod"
		[ "$status" != 0 ] || there[$pod]=yes
	fi
}

@test "1000 random events, ADD and DEL meanwhile, and ipvlan-node killed and started again" {
	local i before pod
	local -A there=()
	RANDOM=${SEED:=$(date +%N | sed 's/^0*//; s/...$//')}
	echo "# SEED=$SEED" >&3
	ip netns add c && ip -n c link set lo up
	sysctl -qw net.ipv4.conf.all.promote_secondaries=1
	ip link set eth0 address 02:00:00:00:00:01
	before=$(inventory)
	start_node
	for ((i = 0; i < ${EVENTS:-1000}; i++)); do
		happens || :
		[ $((RANDOM % 8)) != 0 ] || comes_or_goes
		[ $((RANDOM % 4)) != 0 ] || sleep "0.$((RANDOM % 30))"
		if [ $((RANDOM % 20)) = 0 ]; then
			kill -KILL "$NODE"
			wait "$NODE" || :
			start_node
		fi
	done
	settle
	run "$BUILD/ipvlanctl" repair --dry-run
	echo "$output"
	[ "$output" = 'Nothing is missing.' ]
	for pod in b c; do
		[ -z "${there[$pod]:-}" ] || ip netns exec "$pod" ping -n -c 1 -W 2 10.138.36.58
	done
	[ "$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$NODE/status")" -lt 1024 ] # its own, without the libraries' files
	for pod in a b c; do
		cni DEL "$(conf_of "$pod")" "$pod"
		succeeds
	done
	stop_node
	ip addr del 10.138.36.59/23 dev eth0 2>/dev/null || :
	ip addr replace fd00:36::58/64 dev eth0 nodad
	ip link set eth0 address 02:00:00:00:00:01
	sleep 0.5
	leaves_nothing "$before"
}
