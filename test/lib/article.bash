# SPDX-License-Identifier: Apache-2.0
# The article's LAN, and watching its packets.
#
#	   ns1: eth0 ─┐                      namespace sw: a switch, br0
#	              ├─ ipvlan ─ eno2 ════════ phost ┬ ppeer ═══ eno1 10.138.36.66/23, namespace peer
#	   ns2: eth0 ─┘   10.138.36.58/23             └ pgw ═════ eth0 10.138.36.1/23, namespace gw
#	              this namespace is the host                     │ eth1
#	                                                          eth0 39.156.66.10, namespace inet
#
# The gateway has no route to 192.168.9.0/24, as in the article.

# shellcheck source=test/lib/cni.bash
. "$(dirname "${BASH_SOURCE[0]}")/cni.bash"

make_network() {
	ip -batch - <<-EOF
		netns add sw
		netns add peer
		netns add gw
		netns add inet
		netns add ns1
		netns add ns2
		link add eno2 type veth peer name phost netns sw
		link add eno1 netns peer type veth peer name ppeer netns sw
		link add eth0 netns gw type veth peer name pgw netns sw
		link add eth1 netns gw type veth peer name eth0 netns inet
		addr add 10.138.36.58/23 dev eno2
		link set eno2 up
		route add default via 10.138.36.1
	EOF
	ip -n ns1 link set lo up
	ip -n ns2 link set lo up
	ip -n sw -batch - <<-EOF
		link add br0 type bridge
		link set br0 up
		link set phost master br0 up
		link set ppeer master br0 up
		link set pgw master br0 up
	EOF
	ip -n peer -batch - <<-EOF
		link set lo up
		addr add 10.138.36.66/23 dev eno1
		link set eno1 up
		route add default via 10.138.36.1
	EOF
	ip -n gw -batch - <<-EOF
		link set lo up
		addr add 10.138.36.1/23 dev eth0
		link set eth0 up
		addr add 39.156.66.1/24 dev eth1
		link set eth1 up
	EOF
	ip -n inet -batch - <<-EOF
		link set lo up
		addr add 39.156.66.10/24 dev eth0
		link set eth0 up
		route add default via 39.156.66.1
	EOF
	ip netns exec gw sysctl -qw net.ipv4.ip_forward=1
}

# 36.66 has a route to the pods of 192.168.9.0/24.
return_route() {
	[ $# -gt 0 ] || set -- via 10.138.36.58
	ip -n peer route replace 192.168.9.0/24 "$@"
}

# attach NS ADDRESS ROUTES KEYS: ipvlan's ADD, with an address of static IPAM.
attach() {
	add "$(conf '{ "master": "eno2" }' "$(static "$2" "$3")" "${4:-{\}}")" "$1"
}

# A default route, by the link and by a gateway.
by_link='[ { "dst": "0.0.0.0/0", "gw": "0.0.0.0" } ]'
by_gw() {
	echo "[ { \"dst\": \"0.0.0.0/0\", \"gw\": \"$1\" } ]"
}

# reaches NS ADDRESS, misses NS ADDRESS: one ping is answered, or is not.
reaches() {
	REPLY_LINE=$(ip netns exec "$1" ping -n -c 1 -W 2 "$2" | grep 'bytes from' || :)
	[ -n "$REPLY_LINE" ] || { echo "$1 does not reach $2"; return 1; }
}

misses() {
	! ip netns exec "$1" ping -n -c 1 -W 1 "$2" >"$BATS_TEST_TMPDIR/ping" 2>&1 ||
		{ echo "$1 reaches $2"; return 1; }
}

# watch NAME NETNS|- INTERFACE: captures the packets there, until stop_watching.
watch() {
	local enter=()
	[ "$2" = - ] || enter=(ip netns exec "$2")
	"${enter[@]}" tcpdump -n -e -l -i "$3" 'arp or icmp' >"$BATS_TEST_TMPDIR/$1" \
		2>"$BATS_TEST_TMPDIR/$1.said" 3>&- &
	WATCHERS+=($!)
	until grep -q 'listening on' "$BATS_TEST_TMPDIR/$1.said"; do
		kill -0 $!
		sleep 0.02
	done
}

stop_watching() {
	sleep 0.2
	kill -INT "${WATCHERS[@]}"
	wait "${WATCHERS[@]}" || :
	WATCHERS=()
}

# saw NAME NUMBER PATTERN: that many packets passed there.
saw() {
	local number
	number=$(grep -c -e "$3" "$BATS_TEST_TMPDIR/$1" || :)
	[ "$number" = "$2" ] || {
		echo "$1 saw \"$3\" $number times, not $2:"
		cat "$BATS_TEST_TMPDIR/$1"
		return 1
	}
}

# At least once.
noticed() {
	grep -q -e "$2" "$BATS_TEST_TMPDIR/$1" || {
		echo "$1 never saw \"$2\":"
		cat "$BATS_TEST_TMPDIR/$1"
		return 1
	}
}

mac_of() {
	ip -n "$1" -j link show "$2" | jq -r '.[0].address'
}

WATCHERS=()
