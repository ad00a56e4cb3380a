#!/usr/bin/env bats
# Who reaches whom: hostRoutes, reflector, hostAccess, proxyArp.

load ../lib/cni

# Routes of ours on the host.
ours() {
	{ ip -4 route show proto 105; ip -6 route show proto 105; } | sed 's/ *$//'
}

# A subnet that is not the LAN's.
foreign() {
	static "192.168.9.$1/24 fd00:9::$1/64" '[ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ]'
}

# The master's own addresses and all of its pods' reach each other.
reach_each_other() {
	local address
	for address in 10.138.36.58 fd00:36::58; do
		pings a "$address"
	done
	for address in "$@"; do
		ping -n -c 1 -W 3 "$address" || { echo "the host does not reach $address"; return 1; }
	done
}

@test "hostAccess: host and pods reach each other in each mode, of the LAN's subnet and of another" {
	local mode before
	before=$(inventory)
	for mode in l2 l3 l3s; do
		add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")" "{ \"mode\": \"$mode\", \"hostAccess\": true }")" a
		reach_each_other 10.138.36.2 fd00:36::2
		add "$(conf "$(foreign 3)" "{ \"mode\": \"$mode\", \"hostAccess\": true }")" b
		reach_each_other 10.138.36.2 fd00:36::2 192.168.9.3 fd00:9::3
		pings b 10.138.36.58
		pings b fd00:36::58
		# the LAN answers whom it can find
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

@test "hostAccess: the pods talk to the host's address, and the host to them with that" {
	add "$(conf "$(static 10.138.36.2/23)" '{ "hostAccess": true }')"
	[ "$(ip -j route get 10.138.36.2 | jq -r '.[0] | .prefsrc')" = 10.138.36.58 ]
}

@test "hostAccess: the anchor has no address of its own, and takes none from a router" {
	local anchor
	add "$(conf "$(static "10.138.36.2/23 fd00:36::2/64")" '{ "hostAccess": true }')"
	anchor=ipva$(cat /sys/class/net/eth0/ifindex)
	[ "$(cat "/proc/sys/net/ipv6/conf/$anchor/accept_ra")" = 0 ]
	[ -z "$(ip -4 addr show dev "$anchor")" ]
	[ -z "$(ip -6 addr show dev "$anchor" scope global)" ]
}

@test "hostAccess: one pod among others that have none" {
	add "$(conf "$(static 10.138.36.2/23)")" a
	add "$(conf "$(static 10.138.36.3/23)" '{ "hostAccess": true }')" b
	pings b 10.138.36.58
	cni DEL "$(conf)" b
	[ "$(ip -j link show group 105 | jq -r '.[] | select(.ifname) | .operstate')" = DOWN ]
	pings a 10.138.36.66
}

@test "hostAccess is refused with flags that it cannot work with" {
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

@test "hostAccess: strict rp_filter is said, with the remedy, which works" {
	echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter
	add "$(conf "$(static 10.138.36.2/23)" '{ "hostAccess": true }')"
	[[ $stderr = *"rp_filter of eth0 is strict"*"sysctl -w net.ipv4.conf.eth0.rp_filter=2"* ]]
	sysctl -qw net.ipv4.conf.eth0.rp_filter=2
	reach_each_other 10.138.36.2 || pings a 10.138.36.58
	cni DEL "$(conf)" a
	add "$(conf "$(static 10.138.36.2/23)" '{ "hostAccess": true }')"
	[ -z "$stderr" ]
}

@test "hostAccess: CHECK misses a route, a neighbour, and the anchor that is down" {
	local conf
	conf=$(conf "$(static 10.138.36.2/23)" '{ "hostAccess": true }')
	add "$conf"
	cni CHECK "$(with_result "$conf")"
	succeeds
	ip neigh replace 10.138.36.2 lladdr 02:00:00:00:00:99 nud permanent dev "ipva$(cat /sys/class/net/eth0/ifindex)"
	cni CHECK "$(with_result "$conf")"
	fails 102 'on the host "neighbour to 10.138.36.2/32 lladdr'
	ip neigh del 10.138.36.2 dev "ipva$(cat /sys/class/net/eth0/ifindex)"
	cni CHECK "$(with_result "$conf")"
	fails 102 'on the host "neighbour to 10.138.36.2/32 lladdr'
	ip route del 10.138.36.2
	cni CHECK "$(with_result "$conf")"
	fails 102
	ip link set dev "ipva$(cat /sys/class/net/eth0/ifindex)" down
	cni CHECK "$(with_result "$conf")"
	fails 102
}

@test "hostRoutes are there for all pods that ask for them, and go with the last" {
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

@test "hostRoutes: the same route of somebody else serves, and stays" {
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
	fails 7 "failed to add route '192.168.7.0/24 via 172.30.0.1' on the host"
	leaves_nothing "$before"
}

@test "hostRoutes without gw, and keys that need a host's master, are refused by name" {
	cni ADD "$(conf '{ "hostRoutes": [ { "dst": "192.168.7.0/24" } ] }')"
	fails 7
	says 'failed to load netconf: hostRoutes[0] needs a gw'
	cni ADD "$(conf '{ "hostAccess": true, "linkInContainer": true, "master": "lo" }')"
	fails 7 'need a master on the host'
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

@test "reflector in l3: the pods' subnet leads to it, and comes back" {
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

@test "reflector in l2: pods have no subnet, and reach theirs by the reflector, redirects or not" {
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

@test "reflector is refused without vepa, in the host's own subnet, and by name" {
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

@test "proxyArp: l3s pods in the LAN's subnet are reached from the LAN, with no change there" {
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

@test "proxyArp: what was on before stays on" {
	sysctl -qw net.ipv4.conf.eth0.proxy_arp=1
	add "$(conf "$(static 10.138.36.2/23)" '{ "mode": "l3s", "proxyArp": true }')"
	cni DEL "$(conf)"
	[ "$(cat /proc/sys/net/ipv4/conf/eth0/proxy_arp)" = 1 ]
	[ "$(cat /proc/sys/net/ipv4/conf/eth0/forwarding)" = 0 ]
}

@test "proxyArp is refused in other modes" {
	local mode
	for mode in l2 l3; do
		cni ADD "$(conf "{ \"mode\": \"$mode\", \"proxyArp\": true }")"
		fails 7
		says 'proxyArp needs "mode": "l3s"'
	done
}
