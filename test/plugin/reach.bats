#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The keys hostRoutes, reflector, hostAccess and proxyArp.

load ../lib/cni

# Routes of ours on the host.
ours() {
	{ ip -4 route show proto 105; ip -6 route show proto 105; } | sed 's/ *$//'
}

# A subnet that is not the LAN's.
foreign() {
	static "192.168.9.$1/24 fd00:9::$1/64" '[ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ]'
}

# The host, by its addresses on the master, and all pods of the master reach each other.
reach_each_other() {
	local address
	for address in 10.138.36.58 fd00:36::58; do
		pings a "$address"
	done
	for address in "$@"; do
		ping -n -c 1 -W 3 "$address" || { echo "the host does not reach $address"; return 1; }
	done
}

@test "hostAccess: host and pods reach each other in each mode, in the LAN's subnet and in another" {
	local mode before
	before=$(inventory)
	for mode in l2 l3 l3s; do
		add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")" "{ \"mode\": \"$mode\", \"hostAccess\": true }")" a
		reach_each_other 10.138.36.2 fd00:36::2
		add "$(conf "$(foreign 3)" "{ \"mode\": \"$mode\", \"hostAccess\": true }")" b
		reach_each_other 10.138.36.2 fd00:36::2 192.168.9.3 fd00:9::3
		pings b 10.138.36.58
		pings b fd00:36::58
		# the LAN answers hosts that it can find
		pings "$([ $mode = l2 ] && echo a || echo b)" 10.138.36.66
		cni CHECK "$(with_result "$(conf "$(foreign 3)" "{ \"mode\": \"$mode\", \"hostAccess\": true }")" b)" b
		succeeds
		cni DEL "$(conf)" a
		succeeds
		cni DEL "$(conf)" b
		succeeds
		leaves_nothing "$before"
	done
}

@test "without hostAccess they do not" {
	add "$(conf "$(static 10.138.36.2/23)")"
	run ip netns exec a ping -n -c 1 -W 1 10.138.36.58
	[ "$status" = 1 ]
	run ping -n -c 1 -W 1 10.138.36.2
	[ "$status" = 1 ]
}

@test "hostAccess: pods reach the host by its address, which is also its source address" {
	add "$(conf "$(static 10.138.36.2/23)" '{ "hostAccess": true }')"
	[ "$(ip -j route get 10.138.36.2 | jq -r '.[0] | .prefsrc')" = 10.138.36.58 ]
}

@test "hostAccess: the anchor has no address, and takes none from a router" {
	local anchor
	add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")" '{ "mode": "l3", "hostAccess": true }')"
	anchor=ipva$(cat /sys/class/net/eth0/ifindex)
	[ "$(cat "/proc/sys/net/ipv6/conf/$anchor/accept_ra")" = 0 ]
	[ -z "$(ip -4 addr show dev "$anchor")" ]
	[ -z "$(ip -6 addr show dev "$anchor" scope global)" ]
}

@test "hostAccess: one pod among others that have none" {
	local mode
	for mode in l2 l3; do
		add "$(conf "$(static 10.138.36.2/23)" "{ \"mode\": \"$mode\" }")" a
		add "$(conf "$(static 10.138.36.3/23)" "{ \"mode\": \"$mode\", \"hostAccess\": true }")" b
		pings b 10.138.36.58
		cni DEL "$(conf)" b
		[ "$(ip -j link show group 105 | jq -r '.[] | select(.ifname) | .operstate')" = DOWN ]
		run ip netns exec a ping -n -c 1 -W 1 10.138.36.58
		[ "$status" = 1 ]
		cni DEL "$(conf)" a
	done
}

@test "hostAccess is refused with flags with which it cannot work" {
	local flag
	for flag in private vepa; do
		cni ADD "$(conf "{ \"hostAccess\": true, \"flag\": \"$flag\" }")"
		fails 7
		says "hostAccess does not work with flag $flag"
	done
}

@test "hostAccess is refused on a master that has such a flag already" {
	local before
	add "$(conf '{ "flag": "private" }')" b
	before=$(inventory)
	cni ADD "$(conf '{ "hostAccess": true }')" a
	fails 7
	says 'hostAccess does not work with flag private, which master "eth0" has'
	leaves_nothing "$before"
}

@test "hostAccess: strict rp_filter lets host and pods through" {
	local mode
	sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
	for mode in l2 l3 l3s; do
		add "$(conf "$(foreign 2)" "{ \"mode\": \"$mode\", \"hostAccess\": true }")" a
		[ -z "$stderr" ]
		pings a 10.138.36.58
		ping -n -c 1 -W 3 192.168.9.2
		cni DEL "$(conf)" a
	done
	sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
}

@test "hostAccess: CHECK reports a missing hairpin or route, and an anchor that is down" {
	local conf
	conf=$(conf "$(static 10.138.36.2/23)" '{ "hostAccess": true }')
	add "$conf"
	cni CHECK "$(with_result "$conf")"
	succeeds
	tc filter del dev eth0 egress
	cni CHECK "$(with_result "$conf")"
	fails 102 'on the host "hairpin dev '
	ip route del 10.138.36.2
	cni CHECK "$(with_result "$conf")"
	fails 102
	cni DEL "$conf"
	conf=$(conf "$(static 10.138.36.2/23)" '{ "mode": "l3", "hostAccess": true }')
	add "$conf"
	ip link set dev "ipva$(cat /sys/class/net/eth0/ifindex)" down
	cni CHECK "$(with_result "$conf")"
	fails 102
}

@test "hostAccess: the host's addresses, also several, and under strict ARP" {
	local ip
	sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	ip addr add 10.138.36.59/23 dev eth0
	ip addr add 10.7.7.7/32 dev eth0
	ip -6 addr add fd00:36::aaaa:bbbb/64 dev eth0 nodad
	for mode in l2 l3 l3s; do
		add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")" "{ \"mode\": \"$mode\", \"hostAccess\": true }")"
		for ip in 10.138.36.58 10.138.36.59 10.7.7.7 fd00:36::58 fd00:36::aaaa:bbbb; do
			pings a "$ip"
		done
		ping -n -c 1 -W 3 10.138.36.2
		ping -n -c 1 -W 3 -I fd00:36::58 fd00:36::2
		cni DEL "$(conf)"
	done
}

@test "hostAccess: the host's source is not an address that moves between hosts" {
	ip addr flush dev eth0 scope global
	ip addr add 10.138.36.250/32 dev eth0
	ip addr add 10.138.36.58/23 dev eth0
	ip -6 addr add fd00:36::250/128 dev eth0 nodad
	ip -6 addr add fd00:36::58/64 dev eth0 nodad
	add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")" '{ "hostAccess": true }')"
	ip addr del 10.138.36.250/32 dev eth0
	ip -6 addr del fd00:36::250/128 dev eth0
	ping -n -c 1 -W 3 10.138.36.2
	ping -n -c 1 -W 3 fd00:36::2
	pings a 10.138.36.58
	pings a fd00:36::58
}

# next_add MODE NAME EVENT: the event, then an ADD of another pod of the same master, in the network of that name.
next_add() {
	remove_network
	make_network
	sysctl -qw net.ipv4.conf.all.promote_secondaries=1
	add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")" "{ \"mode\": \"$1\", \"hostAccess\": true }")" a
	eval "$3"
	add "$(conf "$(static "10.138.36.3/23 fd00:36::3/64")" "{ \"mode\": \"$1\", \"hostAccess\": true, \"name\": \"$2\" }")" b
	ping -n -c 1 -W 3 10.138.36.2
	ping -n -c 1 -W 3 fd00:36::2
	ping -n -c 1 -W 3 10.138.36.3
	pings a "$(ip -j -4 addr show dev eth0 | jq -r '.[0].addr_info[0].local')"
	cni DEL "$(conf)" a
	cni DEL "$(conf "{ \"name\": \"$2\" }")" b
	[ -z "$(ip route show proto 105; ip -6 route show proto 105; tc qdisc show dev eth0 clsact)" ]
}

@test "hostAccess: the next ADD restores what other pods have lost" {
	local event name mode
	for event in 'ip route flush proto 105; ip -6 route flush proto 105' \
		'ip link del "ipva$(</sys/class/net/eth0/ifindex)"' 'tc qdisc del dev eth0 clsact 2>/dev/null || :' \
		'ip addr add 10.138.36.59/23 dev eth0; ip addr del 10.138.36.58/23 dev eth0
		 ip addr add fd00:36::59/64 dev eth0 nodad; ip addr del fd00:36::58/64 dev eth0'; do
		for mode in l2 l3; do
			for name in net net2; do
				echo "-- $mode, $name: $event"
				next_add "$mode" "$name" "$event"
			done
		done
	done
}

# crowd NAME CONF: nine pods of this network, in one namespace. $N is in CONF the number of the pod.
crowd() {
	local i
	for i in {1..9}; do
		CONTAINER=$1$i add "${2//\$N/$i}" b "$1$i"
	done
}

@test "hostAccess: the next ADD restores what one pod has lost among many pods that have lost nothing" {
	local mode other
	for other in '{}' '{ "hostAccess": true, "ipam": { "addresses": [ { "address": "fd00:36::%$N/64" } ] } }' \
		'{ "hostRoutes": [ { "dst": "10.99.%$N.1/32", "gw": "10.138.36.66" } ] }' '{ "mode": "l3s", "proxyArp": true }'; do
		mode=l3
		[[ $other != *l3s* ]] || mode=l3s
		echo "-- $other"
		remove_network
		make_network
		sysctl -qw net.ipv4.conf.all.promote_secondaries=1
		crowd o "$(conf "$(static '10.138.36.10$N/23')" '{ "name": "other", "mode": "l3" }' "${other//%/1}")"
		add "$(conf "$(static 10.138.36.2/23)" "{ \"mode\": \"$mode\", \"hostAccess\": true }")" a
		crowd n "$(conf "$(static '10.138.36.20$N/23')" '{ "name": "other", "mode": "l3" }' "${other//%/2}")"
		ip addr add 10.138.36.59/23 dev eth0
		ip addr del 10.138.36.58/23 dev eth0
		ip netns add c
		add "$(conf "$(static 10.138.36.3/23)" "{ \"mode\": \"$mode\", \"hostAccess\": true }")" c
		ping -n -c 1 -W 3 10.138.36.2
		[[ $stderr = *'repair: made "route to 10.138.36.2/32'* ]]
	done
}

@test "an ADD that repairs something logs it" {
	add "$(conf "$(static "10.138.36.2/23")" '{ "hostAccess": true }')" a
	ip route flush proto 105
	add "$(conf "$(static "10.138.36.3/23")" '{ "hostAccess": true }')" b
	[[ $stderr = *'repair: made "route to 10.138.36.2/32'*'of container a, interface eth0, again'* ]]
}

@test "an ADD without hostAccess restores the anchor and other pods' objects on it" {
	add "$(conf "$(static "10.138.36.2/23")" '{ "mode": "l3", "hostAccess": true }')" a
	ip link del "ipva$(</sys/class/net/eth0/ifindex)"
	add "$(conf "$(static "10.138.36.3/23")" '{ "mode": "l3" }')" b
	ping -n -c 1 -W 3 10.138.36.2
}

@test "hostRoutes exist until the DEL of the last pod that requires them" {
	local conf before
	before=$(inventory)
	conf='{ "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" }, { "dst": "fd00:7::/64", "gw": "fd00:36::66" } ] }'
	add "$(conf "$conf")" a
	[ "$(ours)" = "192.168.7.0/24 via 10.138.36.66 dev eth0
fd00:7::/64 via fd00:36::66 dev eth0 metric 1024 pref medium" ]
	add "$(conf "$conf")" b
	cni CHECK "$(with_result "$(conf "$conf")" a)" a
	succeeds
	cni DEL "$(conf)" a
	[ "$(ours | wc -l)" = 2 ]
	cni DEL "$(conf)" b
	leaves_nothing "$before"
}

@test "hostRoutes: an equal route of another program is used, and stays" {
	ip route add 192.168.7.0/24 via 10.138.36.66
	add "$(conf '{ "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }')"
	[ -z "$(ours)" ]
	cni DEL "$(conf)"
	succeeds
	[ -n "$(ip route show 192.168.7.0/24)" ]
}

@test "hostRoutes: another route to the same destination is refused, and stays" {
	local before
	ip route add 192.168.7.0/24 dev eth0
	before=$(inventory)
	cni ADD "$(conf '{ "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }')"
	fails 7
	says 'the host has another route to 192.168.7.0/24 already'
	leaves_nothing "$before"
}

@test "hostRoutes: a gateway that the host cannot reach is refused" {
	local before
	before=$(inventory)
	cni ADD "$(conf '{ "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "172.30.0.1" } ] }')"
	fails 7 'the gateway 172.30.0.1 is not on the link of "eth0"'
	explains "requires an address of the gateway's subnet on that interface"
	leaves_nothing "$before"
}

@test "hostRoutes without gw, and keys that require a master on the host, are refused by name" {
	cni ADD "$(conf '{ "hostRoutes": [ { "dst": "192.168.7.0/24" } ] }')"
	fails 7
	says 'failed to load netconf: hostRoutes[0] needs a gw'
	cni ADD "$(conf '{ "hostAccess": true, "linkInContainer": true, "master": "lo" }')"
	fails 7 'hostAccess requires a master on the host'
}

@test "GC finds host routes after a crash" {
	local conf before
	before=$(inventory | grep -v /var/lib)
	conf='{ "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ], "hostAccess": true }'
	add "$(conf "$conf" "$(static 10.138.36.2/23)")" a
	ip netns del a
	ip netns add a
	cni GC "$(conf '{ "cni.dev/valid-attachments": [], "ipam": null }')"
	succeeds
	diff <(echo "$before") <(inventory | grep -v /var/lib)
}

@test "reflector in l3: packets between pods go to it and return" {
	local conf before
	before=$(inventory)
	conf='{ "mode": "l3", "flag": "vepa", "reflector": [ "10.138.36.66", "fd00:36::66" ] }'
	ip netns exec lan sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	add "$(conf "$(foreign 2)" "$conf")" a
	add "$(conf "$(foreign 3)" "$conf")" b
	[ "$(ours)" = "192.168.9.0/24 via 10.138.36.66 dev eth0
fd00:9::/64 via fd00:36::66 dev eth0 metric 1024 pref medium" ]
	pings a 192.168.9.3
	pings a fd00:9::3
	[[ $(pings b 192.168.9.2) = *ttl=63* ]]
	cni DEL "$(conf)" a
	[ "$(ours | wc -l)" = 2 ]
	cni DEL "$(conf)" b
	leaves_nothing "$before"
}

@test "reflector in l2: pods have no subnet, and reach each other through the reflector, also if it redirects" {
	local conf
	conf='{ "mode": "l2", "flag": "vepa", "reflector": "10.138.36.66" }'
	ip netns exec lan sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=1 \
		net.ipv4.conf.eth0.send_redirects=1
	ip -n lan route replace 192.168.9.0/24 dev eth0
	add "$(conf "$(static 192.168.9.2/24)" "$conf")" a
	[ "$(result '.ips[0].address')" = 192.168.9.2/32 ]
	add "$(conf "$(static 192.168.9.3/24)" "$conf")" b
	[[ $(ip netns exec a ping -n -c 5 -i 0.2 192.168.9.3) = *' 0% packet loss'* ]]
	cni CHECK "$(with_result "$(conf "$(static 192.168.9.2/24)" "$conf")" a)" a
	succeeds
}

@test "reflector is refused by name without vepa, and in the host's subnet" {
	local before
	cni ADD "$(conf '{ "reflector": "10.138.36.66" }')"
	fails 7
	says 'reflector needs "flag": "vepa"'
	cni ADD "$(conf '{ "reflector": "router", "flag": "vepa" }')"
	fails 7
	says 'failed to load netconf: reflector must be an address, or a list of one of each family'
	cni ADD "$(conf '{ "reflector": [ "10.138.36.66", "10.138.36.67" ], "flag": "vepa" }')"
	fails 7
	says 'failed to load netconf: reflector has two addresses of one family'
	before=$(inventory)
	cni ADD "$(conf "$(static 10.138.36.2/23)" '{ "mode": "l3", "reflector": "10.138.36.66", "flag": "vepa" }')"
	fails 7
	says "reflector: the pods' subnet 10.138.36.0/23 is the host's own"
	leaves_nothing "$before"
}

@test "proxyArp: the LAN reaches l3s pods in its subnet, without a change there" {
	local before
	before=$(inventory)
	add "$(conf "$(static 10.138.36.2/23)" '{ "mode": "l3s" }')"
	run ip netns exec lan ping -n -c 1 -W 1 10.138.36.2
	[ "$status" = 1 ]
	cni DEL "$(conf)"
	ip -n lan neigh flush dev eth0
	add "$(conf "$(static 10.138.36.2/23)" '{ "mode": "l3s", "proxyArp": true }')" a
	pings lan 10.138.36.2
	pings a 10.138.36.66
	[ "$(cat /proc/sys/net/ipv4/conf/eth0/proxy_arp)" = 1 ]
	add "$(conf "$(static 10.138.36.3/23)" '{ "mode": "l3s", "proxyArp": true }')" b
	cni DEL "$(conf)" a
	pings lan 10.138.36.3
	cni DEL "$(conf)" b
	[ "$(cat /proc/sys/net/ipv4/conf/eth0/proxy_arp)" = 0 ]
	[ "$(cat /proc/sys/net/ipv4/conf/eth0/forwarding)" = 0 ]
	leaves_nothing "$before"
}

@test "proxyArp: with IPv6 too, by proxy NDP" {
	local before
	before=$(inventory)
	add "$(conf "$(static 'fd00:36::2/64')" '{ "mode": "l3s" }')" a
	run ip netns exec lan ping -n -c 1 -W 1 fd00:36::2
	[ "$status" = 1 ]
	cni DEL "$(conf)" a
	ip -n lan neigh flush dev eth0
	add "$(conf "$(static '10.138.36.2/23 fd00:36::2/64')" '{ "mode": "l3s", "proxyArp": true }')" a
	add "$(conf "$(static 'fd00:36::3/64')" '{ "mode": "l3s", "proxyArp": true }')" b
	pings lan fd00:36::2
	pings lan fd00:36::3
	pings lan 10.138.36.2
	pings a fd00:36::66
	ping -n -c 1 -W 3 fd00:36::2
	cni CHECK "$(with_result "$(conf "$(static 'fd00:36::3/64')" '{ "mode": "l3s", "proxyArp": true }')" b)" b
	succeeds
	ip -6 neigh del proxy fd00:36::3 dev eth0
	cni CHECK "$(with_result "$(conf "$(static 'fd00:36::3/64')" '{ "mode": "l3s", "proxyArp": true }')" b)" b
	fails 102 "on the host \"proxy to fd00:36::3/128 dev $(</sys/class/net/eth0/ifindex)\" is missing"
	cni DEL "$(conf)" a
	[ "$(</proc/sys/net/ipv6/conf/eth0/forwarding)" = 1 ]
	ip -6 neigh add proxy fd00:36::3 dev eth0
	pings lan fd00:36::3
	cni DEL "$(conf)" b
	leaves_nothing "$before"
}

@test "proxyArp: a host with address and default route from router advertisements keeps them" {
	# until the router has a source address
	timeout 5 sh -c "until ip -6 route show default | grep -q 'proto ra'; do
		ip netns exec lan '$BUILD/tools/router' eth0 fd00:77:: || :; sleep 0.2; done"
	add "$(conf "$(static 'fd00:36::2/64')" '{ "mode": "l3s", "proxyArp": true }')" a
	ip -6 route show default | grep -q 'proto ra'
	[ "$(</proc/sys/net/ipv6/conf/eth0/accept_ra)" = 2 ]
	cni DEL "$(conf)" a
	[ "$(</proc/sys/net/ipv6/conf/eth0/accept_ra)" = 1 ]
	ip -6 route show default | grep -q 'proto ra'
}

@test "proxyArp: a sysctl that was on before stays on" {
	sysctl -qw net.ipv4.conf.eth0.proxy_arp=1 net.ipv6.conf.eth0.proxy_ndp=1 net.ipv6.conf.eth0.accept_ra=2
	add "$(conf "$(static '10.138.36.2/23 fd00:36::2/64')" '{ "mode": "l3s", "proxyArp": true }')"
	cni DEL "$(conf)"
	[ "$(cat /proc/sys/net/ipv4/conf/eth0/proxy_arp)" = 1 ]
	[ "$(cat /proc/sys/net/ipv6/conf/eth0/proxy_ndp)" = 1 ]
	[ "$(cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" = 2 ]
	[ "$(cat /proc/sys/net/ipv4/conf/eth0/forwarding)" = 0 ]
	[ "$(cat /proc/sys/net/ipv6/conf/eth0/forwarding)" = 0 ]
}

# turn on|off SWITCH: a sysctl of eth0, or the proxy entry of pod a
turn() {
	case $2 in
	proxy) ip -6 neigh "$([ "$1" = on ] && echo add || echo del)" proxy fd00:36::2 dev eth0 ;;
	*accept_ra) sysctl -qw "net.$2=$([ "$1" = on ] && echo 2 || echo 1)" ;;
	*) sysctl -qw "net.$2=$([ "$1" = on ] && echo 1 || echo 0)" ;;
	esac
}

is_on() {
	case $1 in
	proxy) ip -6 neigh show proxy | grep '^fd00:36::2 ' ;;
	*accept_ra) [ "$(sysctl -n "net.$1")" = 2 ] ;;
	*) [ "$(sysctl -n "net.$1")" = 1 ] ;;
	esac
}

@test "proxyArp: a pod is reached until its own DEL, whoever had switched on what it requires, and has switched it off" {
	local switch before a b
	a=$(conf "$(static '10.138.36.2/23 fd00:36::2/64')" '{ "mode": "l3s", "proxyArp": true }')
	b=$(conf "$(static '10.138.36.3/23 fd00:36::3/64')" '{ "mode": "l3s", "proxyArp": true }')
	for switch in ipv4.conf.eth0.forwarding ipv4.conf.eth0.proxy_arp ipv6.conf.eth0.{forwarding,proxy_ndp,accept_ra} proxy; do
		echo "$switch"
		turn on "$switch"
		before=$(inventory)
		add "$a" a
		turn off "$switch"
		cni CHECK "$(with_result "$a")" a
		fails 102 'is missing'
		"$BUILD/ipvlanctl" repair
		cni CHECK "$(with_result "$a")" a
		succeeds
		[ "$switch" = proxy ] || turn off "$switch"
		add "$b" b
		cni DEL "$b" b
		succeeds
		cni CHECK "$(with_result "$a")" a
		succeeds
		ip -n lan neigh flush dev eth0
		pings lan 10.138.36.2
		pings lan fd00:36::2
		cni DEL "$a" a
		succeeds
		is_on "$switch"
		leaves_nothing "$before"
		turn off "$switch"
	done
}

@test "proxyArp is refused in other modes" {
	local mode
	for mode in l2 l3; do
		cni ADD "$(conf "{ \"mode\": \"$mode\", \"proxyArp\": true }")"
		fails 7
		says 'proxyArp needs "mode": "l3s"'
	done
}
