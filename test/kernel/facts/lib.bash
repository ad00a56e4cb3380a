# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The words of the facts. A fact that sources this runs in network and mount namespaces of its own, and
# ends with one line: "ok - " and the third line of its file, or "not ok - ". The lines before it, with
# a "#", say which assertion failed.
#
#	      namespaces of pods        this namespace is the host      namespace lan
#	  a: slave0 ─┐
#	             ├─ ipvlan ─ master0 10.1.0.1/24, fd01::1/64 ═══ lan0 10.1.0.2/24, fd01::2/64
#	  b: slave0 ─┘
set -euo pipefail

if [ -z "${FACT_APART:-}" ]; then
	FACT_APART=yes exec unshare --net --mount -- "$0"
fi
[ -d /run/netns ] || mkdir /run/netns
mount -t tmpfs tmpfs /run/netns
ip link set lo up

asserted=0

# shellcheck disable=SC2317 # called by the trap
verdict() {
	local status=$? title
	[ -z "${!:-}" ] || kill "$!" 2>/dev/null || :
	{ read -r _ && read -r _ && read -r title; } <"$0"
	title=${title#\# }
	if [ "$status" = 0 ] && [ "$asserted" -gt 0 ]; then
		echo "ok - $title"
		return
	fi
	echo "not ok - $title"
	exit 1
}
trap verdict EXIT
trap 'echo "# line $LINENO: $BASH_COMMAND"' ERR

wrong() {
	echo "# line ${BASH_LINENO[1]}: $*"
	exit 1
}

# holds COMMAND...: it succeeds.
holds() {
	local output
	asserted=$((asserted + 1))
	output=$("$@" 2>&1) || wrong "$* fails: $output"
}

# fails COMMAND...: it does not.
fails() {
	local output patience=1
	asserted=$((asserted + 1))
	! output=$("$@" 2>&1) || wrong "$* succeeds: $output"
}

# refuses TEXT COMMAND...: it fails, and reports that.
refuses() {
	local text=$1 output
	shift
	asserted=$((asserted + 1))
	! output=$("$@" 2>&1) || wrong "$* succeeds: $output"
	[[ $output == *"$text"* ]] || wrong "$* says: $output"
}

# equal ACTUAL EXPECTED
equal() {
	asserted=$((asserted + 1))
	[ "$1" = "$2" ] || wrong "'$1', not '$2'"
}

# slow_detection POD: duplicate address detection takes four seconds, also on a slow machine.
slow_detection() {
	sysctl_in "$1" ipv6/neigh/slave0/retrans_time_ms 4000
}

# soon COMMAND...: it succeeds within moments, since the kernel does that later.
soon() {
	local tries patience=1
	asserted=$((asserted + 1))
	for ((tries = 0; tries < 40; tries++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.2
	done
	wrong "$* fails again and again"
}

# since VERSION: is the kernel as new?
since() {
	local release
	release=$(uname -r)
	[ "$(printf '%s\n' "$1" "${release%%-*}" | sort -V | head -n 1)" = "$1" ]
}

# lan: the master and its LAN.
lan() {
	ip -batch - <<-EOF
		netns add lan
		link add master0 type veth peer name lan0 netns lan
		addr add 10.1.0.1/24 dev master0
		addr add fd01::1/64 dev master0 nodad
		link set master0 up
	EOF
	ip -n lan -batch - <<-EOF
		link set lo up
		addr add 10.1.0.2/24 dev lan0
		addr add fd01::2/64 dev lan0 nodad
		link set lan0 up
	EOF
}

# dummy: a master without a LAN.
dummy() {
	ip link add master0 type dummy
	ip link set master0 up
}

# pod NAME MODE FLAG [ADDRESS...]: a namespace with a slave of master0.
pod() {
	local name=$1 mode=$2 flag=$3 address
	shift 3
	ip -batch - <<-EOF
		netns add $name
		link add link master0 name slave0 netns $name type ipvlan mode $mode $flag
	EOF
	{
		echo "link set lo up"
		for address; do
			[[ $address != *:* ]] || address+=" nodad"
			echo "addr add dev slave0 $address"
		done
		echo "link set slave0 up"
	} | ip -n "$name" -batch -
}

# pings NAME ADDRESS: packets get there and back. The host is called host. A slow machine gets five
# seconds, unless an answer is not expected.
pings() {
	if [ "$1" = host ]; then
		ping -n -q -c 1 -W "${patience:-5}" "$2"
	else
		ip netns exec "$1" ping -n -q -c 1 -W "${patience:-5}" "$2"
	fi
}

# sends NAME ADDRESS: one packet leaves for it, and no answer is waited for.
sends() {
	ip netns exec "$1" ping -n -q -c 1 -W 0.2 "$2" >/dev/null 2>&1 || :
}

# link_of NAME FILTER: what jq's FILTER finds in slave0 of the pod.
link_of() {
	ip -n "$1" -j -d link show slave0 | jq -rc ".[0] | $2"
}

mode_of() {
	link_of "$1" '.linkinfo.info_data | "\(.mode) \(if .private then "private" elif .vepa then "vepa" else "bridge" end)"'
}

# watch NAME LINK HOOK RULE...: nft counts what the rules match at the link's hook in the namespace; "host" is ours.
watch() {
	local name=$1 link=$2 hook=$3 rule where=()
	shift 3
	[ "$name" = host ] || where=(ip netns exec "$name")
	for rule; do
		echo "add table netdev watch_$hook"
		echo "add chain netdev watch_$hook watched { type filter hook $hook device $link priority 0; }"
		echo "add rule netdev watch_$hook watched $rule"
	done | "${where[@]}" nft -f -
}

# seen NAME HOOK: the packets that were counted there.
seen() {
	local where=()
	[ "$1" = host ] || where=(ip netns exec "$1")
	"${where[@]}" nft -j list table netdev "watch_$2" | jq '[.. | .counter? | objects | .packets] | add'
}

sysctl_in() {
	local name=$1 file=$2 value=$3
	if [ "$name" = host ]; then
		echo "$value" >"/proc/sys/net/$file"
	else
		ip netns exec "$name" sh -c "echo $value >/proc/sys/net/$file"
	fi
}

# routed MODE FLAG: a pod in a subnet of its own, 10.2.0.3/24 and fd02::3/64, to which the LAN has a route by the host.
routed() {
	lan
	ip -n lan route add 10.2.0.0/24 via 10.1.0.1
	ip -n lan route add fd02::/64 via fd01::1
	pod a "$1" "$2" 10.2.0.3/24 fd02::3/64
	ip -n a route add default dev slave0
	ip -n a -6 route add default dev slave0
}
