# shellcheck shell=bash disable=SC2034 # for those who include this
# SPDX-License-Identifier: Apache-2.0
# Two nodes that share a pool, and a host of their LAN.
#
#	  p1                                     p2
#	eth0 ipvlan                            eth0 ipvlan
#	node n1: eth0 10.0.0.1 ──┬─ switch ─┬── node n2: eth0 10.0.0.2
#	             fd00::1     │          │        fd00::2
#	                         └── this namespace: br0 10.0.0.254, fd00::254, with etcd
#
# Include cni.bash first.

# shellcheck source=test/lib/etcd.bash
. "$(dirname "${BASH_SOURCE[0]}")/etcd.bash"

setup() {
	remove_network
	ip link add br0 type bridge
	ip addr add 10.0.0.254/24 dev br0
	ip addr add fd00::254/64 dev br0 nodad
	ip link set br0 up
	for n in 1 2; do
		ip netns add n$n
		ip netns add p$n
		ip -n n$n link set lo up
		ip link add s$n type veth peer name eth0 netns n$n
		ip link set s$n master br0 up
		ip -n n$n addr add 10.0.0.$n/24 dev eth0
		ip -n n$n addr add fd00::$n/64 dev eth0 nodad
		ip -n n$n link set eth0 up
	done
	export ETCD_DIR=$BATS_TEST_TMPDIR ETCD_URL=http://10.0.0.254:2379
	etcd_run one --listen-client-urls $ETCD_URL --advertise-client-urls $ETCD_URL --listen-peer-urls http://10.0.0.254:2380 \
		--initial-advertise-peer-urls http://10.0.0.254:2380 --initial-cluster one=http://10.0.0.254:2380
	etcd_wait $ETCD_URL
}

teardown() {
	pkill -KILL -x bird || :
	etcd_stop
	remove_network
}

# on_node NODE EXAMPLE [JSON]: the configuration of conf-examples/EXAMPLE on the node, with these members merged into it.
on_node() {
	jq -nc --arg url "$ETCD_URL" --arg node "n$1" --arg dir "$BATS_TEST_TMPDIR/n$1" 'input as $all | (input? // {}) as $more |
		$all.plugins[0] + {name: $all.name, cniVersion: $all.cniVersion} | .ipam.dataDir = $dir |
		.ipam.cluster.node = $node | .ipam.cluster.etcd.endpoints = [$url] | . * $more' \
		"$TOP/conf-examples/$2.conflist" <(echo "${3:-}")
}

# call_on NODE VERB CONF [CONTAINER]: ipvlan for the pod of the node.
call_on() {
	CNI_COMMAND=$2 CNI_CONTAINERID=${4:-c$1} CNI_NETNS=/run/netns/p$1 CNI_IFNAME=eth0 CNI_PATH=$BUILD \
		ip netns exec "n$1" "${PROGRAM:-$BUILD/ipvlan}" <<<"$3"
}

# address NUMBER FAMILY: of a node, or of the LAN host, 254.
address() {
	[ "$2" = 4 ] && echo "10.0.0.$1" || echo "fd00::$1"
}

# bird_conf NUMBER PEER-NUMBER...: the example of BIRD's configuration, for both families.
bird_conf() {
	local example=$TOP/conf-examples/addrpool-block-routes.bird self=$1 family peer
	shift
	sed -n "s/^router id ROUTER/router id 10.0.0.$self/p; /^log/p; /^protocol device/,/^}/p" "$example"
	for family in 4 6; do
		sed -n "/^protocol kernel/,/^}/ { s/ipv4/ipv$family/; p }" "$example"
		for peer in "$@"; do
			sed -n "/^protocol bgp/,/^}/ { s/ROUTER/$(address "$self" $family)/; s/PEER/$(address "$peer" $family)/; s/ipv4/ipv$family/; p }" "$example"
		done
	done
}

# bird_on NUMBER PEER-NUMBER...: starts BIRD on a node, or on the LAN host.
bird_on() {
	local where=() bird
	[ "$1" = 254 ] || where=(ip netns exec "n$1")
	bird=$("$TOP/test/cluster/get-bird")
	bird_conf "$@" >"$BATS_TEST_TMPDIR/bird$1"
	setpriv --pdeathsig KILL "${where[@]}" "$bird" -f -c "$BATS_TEST_TMPDIR/bird$1" -s "$BATS_TEST_TMPDIR/ctl$1" >"$BATS_TEST_TMPDIR/bird$1.log" 2>&1 3>&- &
}

# eventually COMMAND...: within 20 s.
eventually() {
	for _ in {1..200}; do
		! "$@" || return 0
		sleep 0.1
	done
	echo "still not: $*"
	return 1
}
