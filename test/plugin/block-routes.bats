#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Two nodes that share a pool in l3. BIRD on each announces its blocks to the other.
#
#	  p1                                     p2
#	eth0 ipvlan l3                         eth0 ipvlan l3
#	node n1: eth0 10.0.0.1 ──┬─ switch ─┬── node n2: eth0 10.0.0.2
#	                         └── etcd: 10.0.0.254

load ../lib/cni
load ../lib/etcd

setup() {
	remove_network
	ip link add br0 type bridge
	ip addr add 10.0.0.254/24 dev br0
	ip link set br0 up
	for n in 1 2; do
		ip netns add n$n
		ip netns add p$n
		ip -n n$n link set lo up
		ip link add s$n type veth peer name eth0 netns n$n
		ip link set s$n master br0 up
		ip -n n$n addr add 10.0.0.$n/24 dev eth0
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

# conf_of NODE: conf-examples/addrpool-block-routes for it.
conf_of() {
	jq --arg url $ETCD_URL --arg node "n$1" --arg dir "$BATS_TEST_TMPDIR/n$1" '. as $all | .plugins[0] +
		{name: $all.name, cniVersion: $all.cniVersion} | .ipam.dataDir = $dir | .ipam.cluster.node = $node |
		.ipam.cluster.etcd.endpoints = [$url]' "$TOP/conf-examples/addrpool-block-routes.conflist"
}

# on NODE VERB: for the node's one pod.
on() {
	CNI_COMMAND=$2 CNI_CONTAINERID=c$1 CNI_NETNS=/run/netns/p$1 CNI_IFNAME=eth0 CNI_PATH=$BUILD \
		ip netns exec "n$1" "$BUILD/ipvlan" < <(conf_of "$1")
}

# single NODE VERB ID: of addrpool alone, with blocks of one address.
single() {
	CNI_COMMAND=$2 CNI_CONTAINERID=$3 CNI_NETNS=/run/netns/p$1 CNI_IFNAME=eth0 CNI_PATH=$BUILD \
		ip netns exec "n$1" "$BUILD/addrpool" < <(conf_of "$1" | jq '.ipam.cluster.blockSize = 1') >/dev/null
}

bird_on() {
	sed "s/ROUTER/10.0.0.$1/; s/PEER/10.0.0.$2/" "$TOP/conf-examples/addrpool-block-routes.bird" >"$BATS_TEST_TMPDIR/bird$1"
	ip netns exec "n$1" setpriv --pdeathsig KILL "$("$TOP/test/cluster/get-bird")" -f -c "$BATS_TEST_TMPDIR/bird$1" -s "$BATS_TEST_TMPDIR/ctl$1" \
		>"$BATS_TEST_TMPDIR/bird$1.log" 2>&1 3>&- &
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

learnt() {
	ip -n "n$1" route show proto bird | grep -q "via 10.0.0.$2"
}

@test "pods of two nodes reach each other in l3 as soon as their blocks are claimed, without manual routes" {
	bird_on 1 2
	bird_on 2 1
	A1=$(on 1 ADD | jq -r '.ips[0].address | split("/")[0]')
	A2=$(on 2 ADD | jq -r '.ips[0].address | split("/")[0]')
	ip -n n1 route show type unreachable proto 105 | grep -q '^unreachable 10.9.0.*/28'
	eventually learnt 1 2
	eventually learnt 2 1
	ip netns exec p1 ping -n -c 1 -W 2 "$A2"
	ip netns exec p2 ping -n -c 1 -W 2 "$A1"
}

# routes NODE NUMBER [OF]: the node has so many routes to its blocks, or to those of others.
routes() {
	[ "$(ip -n "n$1" route show ${3:-type unreachable proto 105} | grep -c 10.9.0)" = "$2" ]
}

@test "the routes are removed with the blocks" {
	local i
	bird_on 1 2
	bird_on 2 1
	for i in 1 2 3; do
		single 2 ADD c$i
	done
	routes 2 3
	eventually routes 1 3 "proto bird"
	for i in 1 2 3; do
		single 2 DEL c$i
	done
	routes 2 0
	eventually routes 1 0 "proto bird"
}

@test "after a restart the routes are there again with the first ADD" {
	single 2 ADD c1
	ip -n n2 route flush proto 105
	ln -sfn "owned 00000000 $(readlink "$BATS_TEST_TMPDIR/n2/addrpool-block-routes/incarnation") 1" "$BATS_TEST_TMPDIR"/n2/.addrpool/addrpool-block-routes/blocks/10*
	single 2 ADD c2
	routes 2 2
}
