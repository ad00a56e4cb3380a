# What the tests share: a small network, and calling plugins as a runtime does.
#
#	      pod namespaces            this namespace is the host        namespace lan
#	  a: eth0 ─┐
#	           ├─ ipvlan ─ eth0 10.138.36.58/23, fd00:36::58/64 ═══ eth0 10.138.36.66/23, fd00:36::66/64
#	  b: eth0 ─┘                                                    eth1 39.156.66.10/32 "the internet"
#
# The addresses are those of the article that the project started from. The LAN's
# host routes the foreign pod subnet 192.168.9.0/24 to the host.
#
# Runs in a kernel with ipvlan that test/kernel/run provides: natively that is a
# throw-away network namespace, else a guest of its own.

# shellcheck source=test/lib/calls.bash
. "$(dirname "${BASH_SOURCE[0]}")/calls.bash"

STUBS=$TOP/test/stubs
export STUBS
export CNI_PATH=$BUILD:$GO_PLUGINS:$STUBS

make_network() {
	ip netns add lan
	ip link add eth0 mtu 1500 type veth peer name eth0 netns lan
	ip addr add 10.138.36.58/23 dev eth0
	ip addr add fd00:36::58/64 dev eth0 nodad
	ip link set eth0 up
	ip -n lan addr add 10.138.36.66/23 dev eth0
	ip -n lan addr add fd00:36::66/64 dev eth0 nodad
	ip -n lan link set lo up
	ip -n lan link set eth0 up
	ip -n lan link add eth1 type dummy
	ip -n lan link set eth1 up
	ip -n lan addr add 39.156.66.10/32 dev eth1
	ip -n lan route add 192.168.9.0/24 via 10.138.36.58
	ip -n lan route add fd00:9::/64 via fd00:36::58
	ip route add default via 10.138.36.66
	ip netns add a
	ip netns add b
}

# Everything that a test can have made, whatever happened to it.
remove_network() {
	local name
	pkill -KILL -f "$STUBS" || :
	ip -all netns del
	for name in $(ip -o link show | awk -F'[:@] *' '$2 != "lo" { print $2 }'); do
		ip link del dev "$name" 2>/dev/null || :
	done
	nft delete table inet ipvlan_cni 2>/dev/null || :
	rm -rf /var/lib/cni/* /run/cni/*
}

setup() {
	export STUB_DIR=$BATS_TEST_TMPDIR	# where the stubs leave what they saw
	remove_network
	make_network
}

teardown() {
	remove_network
}

# conf [JSON]...: a configuration for a pod on eth0 with an address from host-local;
# each JSON object is merged into it, null takes a key away.
conf() {
	local more='[{}]'
	[ $# = 0 ] || more=$(printf '%s\n' "$@" | jq -sc .)
	jq -nc --argjson more "$more" '
		reduce $more[] as $m ({
			cniVersion: "1.1.0", name: "net", type: "ipvlan", master: "eth0",
			ipam: { type: "host-local",
				ranges: [[{ subnet: "10.138.36.0/23", rangeStart: "10.138.36.2", rangeEnd: "10.138.36.40" }]],
				routes: [{ dst: "0.0.0.0/0" }] }
		}; . * $m)
		| with_entries(select(.value != null))'
}

# Addresses that the static IPAM gives, in place of host-local's.
static() {
	local addresses routes=${2:-[]}
	addresses=$(jq -nc --arg list "$1" '[$list | split(" ")[] | split(",") |
		{ address: .[0] } + if .[1] then { gateway: .[1] } else {} end]')
	jq -nc --argjson a "$addresses" --argjson r "$routes" \
		'{ ipam: { type: "static", addresses: $a, routes: $r, ranges: null } }'
}

# cni VERB CONF [POD [IFNAME]]: calls ipvlan as a runtime would, for the container
# that has the pod's name. Sets status, output and stderr as bats' run does.
cni() {
	local verb=$1 conf=$2 pod=${3:-a} ifname=${4:-eth0}
	run --separate-stderr env CNI_COMMAND="$verb" CNI_CONTAINERID="$pod" \
		CNI_NETNS="${NETNS-/run/netns/$pod}" CNI_IFNAME="$ifname" \
		"${PLUGIN:-$BUILD/ipvlan}" <<<"$conf"
}

# add CONF [POD [IFNAME]]: an ADD that must succeed; its result stays in RESULT_<pod>.
add() {
	cni ADD "$@"
	if [ "$status" != 0 ]; then
		echo "ADD failed: $output"
		echo "stderr: $stderr"
		return 1
	fi
	declare -g "RESULT_${2:-a}=$output"
}

# for_everybody: PLUGIN is a copy that users other than root can run, wherever the
# sources are.
for_everybody() {
	PLUGIN=/var/lib/cni/ipvlan
	install -m 755 "$BUILD/ipvlan" "$PLUGIN"
}

# with_result CONF [POD]: the configuration with the result of the pod's ADD in it.
with_result() {
	local result=RESULT_${2:-a}
	jq -c --argjson r "${!result}" '.prevResult = $r' <<<"$1"
}

# pings POD ADDRESS: packets get there and back.
pings() {
	ip netns exec "$1" ping -n -c 1 -W 3 "$2" || { echo "$1 does not reach $2"; return 1; }
}

# pod FILTER ip-arguments...: what jq's FILTER finds in ip's JSON, in pod a.
in_pod() {
	local pod=$1 filter=$2
	shift 2
	ip -n "$pod" -j "$@" | jq -rc "$filter"
}

# inventory: everything on this machine that a plugin could leave behind.
inventory() {
	local pod
	ip -br -d link show | sed 's/@if[0-9]*//' | awk '{ print "host", $1 }' | sort
	ip -4 route show table all | sort
	# link-local addresses come a moment after their link
	ip -6 route show table all | grep -v -e ^fe80 -e ' fe80:' -e ^multicast | sort
	for pod in a b; do
		[ ! -e "/run/netns/$pod" ] || ip -n "$pod" -br link show | awk -v pod="$pod" '{ print pod, $1 }'
	done
	ip neigh show nud permanent | sort
	nft list tables
	sed 's/^/eth0 forwarding or proxy_arp /' /proc/sys/net/ipv4/conf/eth0/{forwarding,proxy_arp} 2>/dev/null
	find /etc/netns -mindepth 1 2>/dev/null | sort
	find /run/cni /var/lib/cni -type f ! -name '*lock' ! -name 'last_reserved_ip.*' 2>/dev/null | sort
}

# leaves_nothing BEFORE: the inventory is what it was.
leaves_nothing() {
	diff <(echo "$1") <(inventory) || { echo "something was left behind"; return 1; }
}
