# SPDX-License-Identifier: Apache-2.0
# Shared by the tests: a small network, and calls of plugins as a runtime makes them.
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
# throw-away network namespace, else a guest of its own. Elsewhere it fails, because it removes
# each link, namespace and lease.

grep -q ' GUEST=' /proc/cmdline || grep -qz 'kernel/native$' /proc/1/cmdline || {
	echo "This test removes each link and namespace of the machine. make test FILES=NAME runs it in a machine of its own." >&2
	exit 1
}

# shellcheck source=test/lib/calls.bash
. "$(dirname "${BASH_SOURCE[0]}")/calls.bash"

STUBS=$TOP/test/stubs
export STUBS
export CNI_PATH=$BUILD:$GO_PLUGINS:$STUBS

# Starts few processes: each takes as long in a guest as a hundred system calls.
make_network() {
	ip -batch - <<-EOF
		netns add lan
		netns add a
		netns add b
		link add eth0 mtu 1500 type veth peer name eth0 netns lan
		addr add 10.138.36.58/23 dev eth0
		addr add fd00:36::58/64 dev eth0 nodad
		link set eth0 up
		route add default via 10.138.36.66
	EOF
	ip -n lan -batch - <<-EOF
		addr add 10.138.36.66/23 dev eth0
		addr add fd00:36::66/64 dev eth0 nodad
		link set lo up
		link set eth0 up
		link add eth1 type dummy
		link set eth1 up
		addr add 39.156.66.10/32 dev eth1
		route add 192.168.9.0/24 via 10.138.36.58
		route add fd00:9::/64 via fd00:36::58
	EOF
}

# Removes everything that a test can have made. The remains of the last test of a file end with its
# kernel or namespace.
remove_network() {
	local file
	for file in /run/netns/* /sys/class/net/*; do
		case $file in
		*/lo | *'*') ;;
		/run/*) echo "netns del ${file##*/}" ;;
		*) echo "link del dev ${file##*/}" ;;
		esac
	done | ip -force -batch - 2>/dev/null || :
	nft flush ruleset 2>/dev/null || :
	rm -rf /var/lib/cni/* /run/cni/*
}

setup() {
	export STUB_DIR=$BATS_TEST_TMPDIR	# the stubs write here
	remove_network
	make_network
}

# conf [JSON]...: a configuration for a pod on eth0 with an address from host-local; each JSON
# object is merged into it; null removes a key.
conf() {
	local base='{"cniVersion":"1.1.0","name":"net","type":"ipvlan","master":"eth0","ipam":{"type":"host-local"'
	base+=',"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.40"}]]'
	base+=',"routes":[{"dst":"0.0.0.0/0"}]}}'
	[ $# -gt 0 ] || { echo "$base" && return; }
	jq -nc 'reduce inputs as $m ({}; . * $m) | with_entries(select(.value != null))' <<<"$base $*"
}

# Addresses that the static IPAM gives, in place of host-local's: "ADDRESS[,GATEWAY]..."
# and, as JSON, its routes.
static() {
	local one list=''
	for one in $1; do
		list+=",{\"address\":\"${one%,*}\""
		[[ $one != *,* ]] || list+=",\"gateway\":\"${one#*,}\""
		list+='}'
	done
	printf '{"ipam":{"type":"static","addresses":[%s],"routes":%s,"ranges":null}}' "${list#,}" "${2:-[]}"
}

# cni VERB CONF [POD [IFNAME]]: calls ipvlan as a runtime would, for the container
# that has the pod's name, or CONTAINER. Sets status, output and stderr as bats' run does.
cni() {
	local pod=${3:-a}
	status=0
	output=$(CNI_COMMAND=$1 CNI_CONTAINERID=${CONTAINER-$pod} CNI_NETNS=${NETNS-/run/netns/$pod} CNI_IFNAME=${4:-eth0} \
		"${PLUGIN:-$BUILD/ipvlan}" 2>"$BATS_TEST_TMPDIR/stderr" <<<"$2") || status=$?
	IFS='' read -rd '' stderr <"$BATS_TEST_TMPDIR/stderr" || :
	stderr=${stderr%$'\n'}
}

# add CONF [POD [IFNAME]]: an ADD that must succeed; RESULT_<pod> has its result.
add() {
	cni ADD "$@"
	if [ "$status" != 0 ]; then
		echo "ADD failed: $output"
		echo "stderr: $stderr"
		return 1
	fi
	declare -g "RESULT_${2:-a}=$output"
}

# run_by COMMAND...: from now on COMMAND runs ipvlan, or the program in PROGRAM. The leak sanitizer
# cannot be traced.
run_by() {
	PLUGIN=$BATS_TEST_TMPDIR/run-by
	printf '#!/bin/sh\nexec %s %s %s "$@"\n' "$([ "$1" != strace ] || echo env ASAN_OPTIONS=detect_leaks=0)" "$*" \
		"$BUILD/${PROGRAM:-ipvlan}" >"$PLUGIN"
	chmod +x "$PLUGIN"
}

# apart: from now on addrpool is a separate process: ipvlan finds another build of it.
apart() {
	APART=$BATS_TEST_TMPDIR/apart
	mkdir -p "$APART"
	objcopy --remove-section .note.gnu.build-id "$BUILD/addrpool" "$APART/addrpool"
	CNI_PATH=$APART:$CNI_PATH
}

# for_everybody: sets PLUGIN to a copy that other users than root can run, in any source directory.
for_everybody() {
	PLUGIN=/var/lib/cni/ipvlan
	install -m 755 "$BUILD/ipvlan" "$PLUGIN"
}

# with_result CONF [POD]: the configuration with the result of the pod's ADD in it.
with_result() {
	local result=RESULT_${2:-a}
	jq -c '.prevResult = input' <<<"$1${!result}"
}

# pings POD ADDRESS: the address answers the pod.
pings() {
	ip netns exec "$1" ping -n -c 1 -W 3 "$2" || { echo "$1 does not reach $2"; return 1; }
}

# pod FILTER ip-arguments...: what jq's FILTER finds in ip's JSON, in pod a.
in_pod() {
	local pod=$1 filter=$2
	shift 2
	ip -n "$pod" -j "$@" | jq -rc "$filter"
}

# links NAME [-n NETNS]: the names of the links in a namespace.
links() {
	local name
	while read -r name _; do
		echo "$1 ${name%@if*}"
	done < <(ip "${@:2}" -br link show)
}

# inventory: everything on this machine that a plugin could leave. Link-local addresses follow their
# link after a moment.
inventory() {
	local file value
	{
		links host
		for file in /run/netns/[ab]; do
			[ ! -e "$file" ] || links "${file##*/}" -n "${file##*/}"
		done
		ip -batch - <<<$'route show table all\nneigh show nud permanent\nneigh show proxy'
		ip -6 route show table all
		nft list tables
		tc qdisc show | grep clsact || :
		tc filter show dev eth0 egress 2>/dev/null || :
		for file in /proc/sys/net/{ipv4/conf/eth0/{forwarding,proxy_arp},ipv6/conf/eth0/{forwarding,proxy_ndp,accept_ra}}; do
			[ ! -e "$file" ] || { read -r value <"$file" && echo "$file $value"; }
		done
		find /etc/netns /run/cni /var/lib/cni -mindepth 1 ! -name '*lock' ! -name '*.counters.1' ! -name 'last_reserved_ip.*' \
			\( -type f -o -path '/etc/netns/*' \) 2>/dev/null
	} | sed '/^fe80/d; / fe80:/d; /^multicast/d' | sort
}

# leaves_nothing BEFORE: the inventory is unchanged.
leaves_nothing() {
	local now
	now=$(inventory)
	[ "$now" = "$1" ] || { diff -a <(echo "$1") <(echo "$now") | cat -v; echo "something was left behind"; return 1; }
}

# hold KIND POD: a process, thread, descriptor or socket keeps the pod's namespace alive; or a mount does, at
# /run/elsewhere. let_go ends it.
hold() {
	if [ "$1" = mount ]; then
		touch /run/elsewhere && mount --bind "/run/netns/$2" /run/elsewhere
		return
	fi
	"$BUILD/tools/holder" "$1" "/run/netns/$2" >"$BATS_TEST_TMPDIR/holder" 3>&- &
	HOLDER=$!
	until [ -s "$BATS_TEST_TMPDIR/holder" ]; do sleep 0.05; done
}

let_go() {
	[ -z "${HOLDER:-}" ] || { kill "$HOLDER" && wait "$HOLDER" || :; }
	HOLDER=''
	! mountpoint -q /run/elsewhere || umount /run/elsewhere
	rm -f "$BATS_TEST_TMPDIR/holder"
}

# no_link POD: the pod has no eth0. no_route ARGUMENT...: ip route shows none.
no_link() {
	! ip -n "$1" link show dev eth0 2>/dev/null
}

no_route() {
	local routes
	routes=$(ip route show "$@")
	[ -z "$routes" ] || { echo "$routes"; return 1; }
}
