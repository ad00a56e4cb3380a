# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions for test/events and test/ctl/repair.bats: events on the host while pods run, for each
# feature. Packets of both families, and TCP, show what works: right after the event, after the next
# ADD, after `ipvlanctl repair`, with ipvlan-node.
#
# plugin/README.md has the table of the results; a test fails if its cell differs.

# shellcheck source=test/lib/cni.bash
. "$(dirname "${BASH_SOURCE[0]}")/cni.bash"
# shellcheck source=test/lib/ipvlan-node.bash
. "$(dirname "${BASH_SOURCE[0]}")/ipvlan-node.bash"

declare -gA CONF WORKS
for mode in l2 l3 l3s; do
	CONF[hostAccess-$mode]="{ \"mode\": \"$mode\", \"hostAccess\": true }"
	WORKS[hostAccess-$mode]=host_works
done
CONF[proxyArp]='{ "mode": "l3s", "proxyArp": true }' WORKS[proxyArp]=lan_works
CONF[ipMasq]='{ "mode": "l3s", "ipMasq": true }' WORKS[ipMasq]=internet_works
CONF[hostRoutes]='{ "hostRoutes": [ { "dst": "198.51.100.0/24", "gw": "10.138.36.66" }, { "dst": "2001:db8:99::/64", "gw": "fd00:36::66" } ] }'
WORKS[hostRoutes]=routes_work
CONF[reflector]='{ "mode": "l3", "flag": "vepa", "reflector": [ "10.138.36.66", "fd00:36::66" ] }' WORKS[reflector]=reflector_works
CONF[isolation]='{ "antiSpoof": true, "deny": { "egress": [ { "cidrs": [ "198.51.100.2/32", "2001:db8:99::2/128" ] } ] } }'
WORKS[isolation]=isolation_works
CONF[vlan]='{ "vlan": 100 }' WORKS[vlan]=vlan_works

# conf_of FEATURE N: a pod with the addresses of that number, from addrpool, which starts faster
# than a program in Go.
conf_of() {
	local subnets=(10.138.36 fd00:36) gateways=(10.138.36.66 fd00:36::66) len=23
	case $1 in
	reflector) subnets=(192.168.9 fd00:9) gateways=(none none) len=24 ;;
	vlan) subnets=(10.100.0 fd00:100) gateways=(none none) len=24 ;;
	esac
	conf "{ \"ipam\": { \"type\": \"addrpool\", \"ranges\": [
		[ { \"subnet\": \"${subnets[0]}.0/$len\", \"rangeStart\": \"${subnets[0]}.$2\", \"rangeEnd\": \"${subnets[0]}.$2\", \"gateway\": \"${gateways[0]}\" } ],
		[ { \"subnet\": \"${subnets[1]}::/64\", \"rangeStart\": \"${subnets[1]}::$2\", \"rangeEnd\": \"${subnets[1]}::$2\", \"gateway\": \"${gateways[1]}\" } ] ],
		\"routes\": [ { \"dst\": \"0.0.0.0/0\" }, { \"dst\": \"::/0\" } ] } }" "${CONF[$1]}"
}

# choose FEATURE: the configurations of pods 2, 3 and 4, made once since that takes time.
choose() {
	[ "${CHOSEN:-}" != "$1" ] || return 0
	CONF_2=$(conf_of "$1" 2) CONF_3=$(conf_of "$1" 3) CONF_4=$(conf_of "$1" 4) CHOSEN=$1
	export CONF_2 CONF_3 CONF_4 CHOSEN
}

# in_netns NAME COMMAND...: "host" is ours.
in_netns() {
	if [ "$1" = host ]; then "${@:2}"; else ip netns exec "$@"; fi
}

reaches() {
	in_netns "$1" ping -q -n -c 1 -W 1 "$2" >/dev/null 2>&1
}

# tcp FROM TO IP
tcp() {
	local got server
	in_netns "$2" socat -u TCP-LISTEN:9000,reuseaddr "OPEN:$BATS_TEST_TMPDIR/tcp,creat,trunc" 3>&- 2>/dev/null &
	server=$!
	echo hello | in_netns "$1" timeout 2 socat -u - "TCP:$3:9000,connect-timeout=1,retry=20,interval=0.05" 2>/dev/null || :
	for got in 1 2 3 4 5; do
		[ "$(cat "$BATS_TEST_TMPDIR/tcp" 2>/dev/null)" != hello ] || break
		sleep 0.05
	done
	got=$(cat "$BATS_TEST_TMPDIR/tcp" 2>/dev/null)
	kill "$server" 2>/dev/null || :
	wait "$server" 2>/dev/null || :
	rm -f "$BATS_TEST_TMPDIR/tcp"
	[ "$got" = hello ]
}

host_works() {
	reaches host 10.138.36.2 && reaches host fd00:36::2 && reaches a "$HOST4" && reaches a "$HOST6" &&
		tcp host a 10.138.36.2 && tcp a host "$HOST4"
}

lan_works() {
	ip -n lan neigh flush dev "$LAN"
	reaches lan 10.138.36.2 && reaches lan fd00:36::2 && tcp lan a 10.138.36.2
}

# Hosts outside do not reach the pods: answers go to the host's address.
internet_works() {
	ip -6 route replace default via fd00:36::66
	reaches a 198.51.100.1 && reaches a 2001:db8:99::1 && tcp a lan 198.51.100.1
}

# only through these
routes_work() {
	ip route del default 2>/dev/null
	ip -6 route del default 2>/dev/null
	reaches host 198.51.100.1 && reaches host 2001:db8:99::1 && tcp host lan 198.51.100.1
}

reflector_works() {
	reaches a 192.168.9.3 && reaches a fd00:9::3 && tcp a b 192.168.9.3
}

# What may pass passes, what must not does not.
isolation_works() {
	ip -6 route replace default via fd00:36::66
	reaches a 198.51.100.1 && reaches a 2001:db8:99::1 && tcp a lan 198.51.100.1 &&
		unreachable a 198.51.100.2 2001:db8:99::2
}

# unreachable FROM ADDRESS...: asked at once.
unreachable() {
	local address asked=() ask
	for address in "${@:2}"; do
		reaches "$1" "$address" 3>&- &
		asked+=($!)
	done
	for ask in "${asked[@]}"; do
		! wait "$ask" || return 1
	done
}

vlan_works() {
	reaches a 10.100.0.66 && reaches lan 10.100.0.2 && reaches a fd00:100::66 && tcp lan a 10.100.0.2
}

# works FEATURE: at the first or second attempt: the first packets after a change may be lost, with
# and without pods.
works() {
	"${WORKS[$1]}" || { sleep 0.3 && "${WORKS[$1]}"; }
}

# The host gets its addresses and routes again, as the cause of the event would restore them.
host_again() {
	ip addr replace 10.138.36.58/23 dev eth0
	ip addr replace fd00:36::58/64 dev eth0 nodad
	ip route replace default via 10.138.36.66
	until_own fd00:36::58
}

# The kernel makes an IPv6 address local a moment later.
until_own() {
	timeout 5 sh -c "until ip -6 route show table local | grep -q '^local $1 '; do sleep 0.02; done"
}

each_anchor() {
	local link
	for link in /sys/class/net/ipva*; do
		[ ! -e "$link" ] || "$@" "${link##*/}"
	done
}

event_address_replaced() {
	sysctl -qw net.ipv4.conf.all.promote_secondaries=1
	ip addr add 10.138.36.59/23 dev eth0
	ip addr del 10.138.36.58/23 dev eth0
	ip addr add fd00:36::59/64 dev eth0 nodad
	ip addr del fd00:36::58/64 dev eth0
	ip route replace default via 10.138.36.66
	until_own fd00:36::59
	HOST4=10.138.36.59 HOST6=fd00:36::59
}

event_address_lapsed() {
	ip addr flush dev eth0 scope global
	host_again
}

event_virtual_address_added() {
	ip addr add 10.138.36.250/32 dev eth0
	ip addr add fd00:36::250/128 dev eth0 nodad
	until_own fd00:36::250
	HOST4=10.138.36.250 HOST6=fd00:36::250
}

event_virtual_address_moved() {
	ip addr add 10.138.36.250/32 dev eth0
	ip addr add fd00:36::250/128 dev eth0 nodad
	until_own fd00:36::250
	ip addr del 10.138.36.250/32 dev eth0
	ip addr del fd00:36::250/128 dev eth0
}

# The LAN learns it from the host's requests.
event_mac_changed() {
	ip link set eth0 address 02:00:00:00:00:77
	reaches host 10.138.36.66 || :
	reaches host fd00:36::66 || :
}

# the host's network with a bond of two ports as eth0
with_bond() {
	local i
	ip link del eth0
	ip -n lan link add br0 type bridge
	ip -n lan link set br0 up
	ip -n lan addr add 10.138.36.66/23 dev br0
	ip -n lan addr add fd00:36::66/64 dev br0 nodad
	ip -n lan route replace 192.168.9.0/24 via 10.138.36.58
	ip -n lan route replace fd00:9::/64 via fd00:36::58
	for i in 1 2; do
		ip link add "s$i" type veth peer name "p$i" netns lan
		ip -n lan link set "p$i" master br0 up
	done
	ip link add eth0 type bond mode active-backup miimon 50 fail_over_mac "$1"
	ip link set s1 master eth0
	ip link set s2 master eth0
	ip link set eth0 up
	LAN=br0
	timeout 5 sh -c 'until grep -q 1 /sys/class/net/eth0/carrier; do sleep 0.02; done'
	host_again
}

fails_over() {
	local before
	before=$(</sys/class/net/eth0/bonding/active_slave)
	ip -n lan link set "p${before#s}" down
	timeout 5 sh -c "until [ \"\$(cat /sys/class/net/eth0/bonding/active_slave)\" != '$before' ]; do sleep 0.02; done"
}

before_bond_fails_over() {
	with_bond none
}

event_bond_fails_over() {
	fails_over
}

before_bond_fails_over_with_its_mac() {
	with_bond active
}

event_bond_fails_over_with_its_mac() {
	fails_over
}

event_link_flap() {
	ip link set eth0 down
	ip link set eth0 up
	host_again
}

event_mtu_down_and_up() {
	ip link set eth0 mtu 1300
	ip link set eth0 mtu 1500
}

event_anchor_deleted() {
	each_anchor ip link del
}

event_anchor_down() {
	each_anchor eval 'ip link set down'
}

event_filter_deleted() {
	tc qdisc del dev eth0 clsact 2>/dev/null || :
}

event_routes_flushed_by_protocol() {
	ip route flush proto 105
	ip -6 route flush proto 105
}

event_routes_flushed() {
	ip route flush table main
	ip -6 route flush table main
	ip route add 10.138.36.0/23 dev eth0 src "$HOST4"
	ip -6 route add fd00:36::/64 dev eth0
	ip -6 route add fe80::/64 dev eth0
	ip route add default via 10.138.36.66
}

event_firewall_flushed() {
	nft flush ruleset
}

event_firewall_table_deleted() {
	nft list tables | sed -n 's/^table \(.* ipvlan_cni.*\)/delete table \1/p' | nft -f -
}

event_firewall_element_deleted() {
	nft -j list ruleset | jq -r '.nftables[] | .set, .map | objects | select(.table | startswith("ipvlan_cni")) |
		"flush \(if .map then "map" else "set" end) \(.family) \(.table) \(.name)"' | nft -f -
}

event_strict_rp_filter() {
	sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
}

event_strict_arp() {
	sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
}

event_forwarding_off() {
	sysctl -qw net.ipv4.conf.eth0.forwarding=0 net.ipv6.conf.eth0.forwarding=0
}

event_proxy_arp_off() {
	sysctl -qw net.ipv4.conf.eth0.proxy_arp=0 net.ipv6.conf.eth0.proxy_ndp=0
}

event_proxies_deleted() {
	ip -6 neigh del proxy fd00:36::2 dev eth0 2>/dev/null || :
}

event_forwarding_as_docker() {
	: >/run/as-docker
	sysctl -qw net.ipv4.ip_forward=1
	iptables -P FORWARD DROP
	iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
}

event_vrf_and_back() {
	ip link add vrf9 type vrf table 9
	ip link set vrf9 up
	ip link set eth0 master vrf9
	ip link set eth0 nomaster
	ip link del vrf9
	host_again
}

event_renamed_and_back() {
	ip link set eth0 down
	ip link set eth0 name up0
	ip link set up0 up
	ip link set up0 down
	ip link set up0 name eth0
	ip link set eth0 up
	host_again
}

# The real systemd-networkd, which takes eth0 over, and is restarted. It waits for udev if /sys is
# writable.
networkd() {
	local said=$BATS_TEST_TMPDIR/networkd
	unshare -m sh -c 'mount --bind /sys /sys && mount -o remount,ro,bind /sys && exec /lib/systemd/systemd-networkd' >"$said" 2>&1 3>&- &
	timeout 5 sh -c "until grep -q 'eth0: Configuring' '$said'; do sleep 0.05; done"
	sleep 1
	kill $!
	wait $! || :
}

event_networkd_restarted() {
	mkdir -p /run/systemd/netif/{links,leases,lldp} /run/systemd/network
	chown -R systemd-network: /run/systemd/netif
	printf '[Match]\nName=eth0\n[Network]\nAddress=10.138.36.58/23\nGateway=10.138.36.66\nIPv6AcceptRA=no\nLinkLocalAddressing=ipv6\n' \
		>/run/systemd/network/10-eth0.network
	networkd
	networkd
	rm -r /run/systemd
	host_again
}

# The real firewalld, from another Debian.
in_firewalld() {
	chroot "$FIREWALLD" "$@" >/dev/null 2>&1 3>&-
}

before_firewalld_reloaded() {
	local dir
	FIREWALLD=$("$TOP/test/events/get-firewalld")
	for dir in dev proc sys run; do
		mountpoint -q "$FIREWALLD/$dir" || mount --rbind "/$dir" "$FIREWALLD/$dir"
	done
	mkdir -p /run/dbus
	[ -S /run/dbus/system_bus_socket ] || in_firewalld dbus-daemon --system --fork --nopidfile
	chroot "$FIREWALLD" firewalld --nofork --nopid >/dev/null 2>&1 3>&- &
	echo $! >/run/firewalld-runs
	timeout 20 sh -c "until chroot '$FIREWALLD' firewall-cmd --state >/dev/null 2>&1; do sleep 0.2; done"
	in_firewalld firewall-cmd --set-default-zone=trusted
}

event_firewalld_reloaded() {
	in_firewalld firewall-cmd --reload
	in_firewalld firewall-cmd --complete-reload
	nft list table inet firewalld >/dev/null
}

no_firewalld() {
	[ -e /run/firewalld-runs ] || return 0
	kill "$(</run/firewalld-runs)" || :
	pkill dbus-daemon || :
	while [ -d "/proc/$(</run/firewalld-runs)" ]; do sleep 0.1; done
	rm -f /run/firewalld-runs /run/dbus/system_bus_socket
	nft delete table inet firewalld 2>/dev/null || :
}

event_pod_neighbours_flushed() {
	ip -n a neigh flush dev eth0 nud all
}

# The kernel reports no event for it.
UNHEARD=' proxies_deleted proxy_arp_off '

# host_with_pods FEATURE EVENT
host_with_pods() {
	HOST4=10.138.36.58 HOST6=fd00:36::58 LAN=eth0
	choose "$1"
	sysctl -qw net.ipv4.conf.all.{rp_filter,arp_ignore,arp_announce,promote_secondaries}=0 net.ipv4.ip_forward=0
	if [ -e /run/as-docker ]; then
		iptables -P FORWARD ACCEPT
		iptables -t nat -F
		rm /run/as-docker
	fi
	no_firewalld
	remove_network
	make_network
	ip netns add c && ip -n c link set lo up
	ip netns exec lan sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n lan -batch - <<-EOF
		addr add 198.51.100.1/32 dev eth1
		addr add 198.51.100.2/32 dev eth1
		addr add 2001:db8:99::1/128 dev eth1 nodad
		addr add 2001:db8:99::2/128 dev eth1 nodad
	EOF
	if declare -F "before_$2" >/dev/null; then
		"before_$2"
	fi
	ip -n lan -batch - <<-EOF
		link add link $LAN name v100 type vlan id 100
		link set v100 up
		addr add 10.100.0.66/24 dev v100
		addr add fd00:100::66/64 dev v100 nodad
	EOF
	add "$CONF_2" a
	add "$CONF_3" b
	works "$1" || { echo "$1 does not work at all"; return 1; }
}

# DEL leaves nothing.
nothing_left() {
	cni DEL "$CONF_2" a
	succeeds
	cni DEL "$CONF_3" b
	succeeds
	cni DEL "$CONF_4" c
	succeeds
	[ -z "$(ip route show proto 105; ip -6 route show proto 105; ip neigh show proxy; tc qdisc show | grep clsact)" ]
	[ -z "$(find /run/cni/ipvlan/*/pages -type f)" ]
	[ -z "$(ip link show group 105)" ]
}

# by_add FEATURE EVENT: does the next ADD restore it?
by_add() {
	host_with_pods "$1" "$2"
	"event_$2"
	add "$CONF_4" c
	CELL=ADD
	works "$1" || CELL=repair
	nothing_left
}

# by_repair FEATURE EVENT: sets CELL: does it still work? It works after a repair, unless nothing
# can repair it; a second repair finds nothing.
by_repair() {
	host_with_pods "$1" "$2"
	"event_$2"
	CELL='goes on'
	works "$1" || CELL=''
	run "$BUILD/ipvlanctl" repair
	echo "$output"
	[ "$status" = 0 ]
	works "$1" || CELL=no
	run "$BUILD/ipvlanctl" repair
	[ "$output" = 'Nothing is missing.' ]
	cni CHECK "$(with_result "$CONF_3" b)" b
	[[ $2 = address_replaced || $2 = virtual_address_added ]] || succeeds
	nothing_left
}

by_node() {
	local end
	host_with_pods "$1" "$2"
	start_node env
	"event_$2"
	end=$((SECONDS + 10))
	until "${WORKS[$1]}"; do
		[ "$SECONDS" -lt "$end" ] || { echo "$1 does not work after $2 with ipvlan-node"; cat "$SAID"; return 1; }
	done
	nothing_left
	stop_node
}

# told_by_table FEATURE EVENT: the cell of the table in plugin/README.md.
told_by_table() {
	awk -F ' *[|] *' -v feature="$1" -v event="${2//_/ }" '
		/^\| what happens / { for (i = 3; i < NF; i++) column[$i] = i }
		$2 == event && (feature in column) { print $column[feature] }' "$TOP/plugin/README.md"
}

# cell FEATURE EVENT
cell() {
	local told
	told=$(told_by_table "$1" "$2")
	by_repair "$1" "$2"
	if [ -z "$CELL" ]; then
		by_add "$1" "$2"
		[[ $UNHEARD = *" $2 "* ]] || by_node "$1" "$2"
	fi
	echo "# $1, $2: $CELL" >&3
	[ "$told" = "$CELL" ] || { echo "$1, $2: $CELL; plugin/README.md says: $told"; return 1; }
}
