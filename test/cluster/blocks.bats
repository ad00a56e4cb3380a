#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Nodes and their blocks, with each engine.

load ../lib/cluster

setup() {
	make_places
	start_engine
	on a
}

teardown() {
	stop_engine
}

@test "a node claims a block for its first address, and does not ask the engine for the others" {
	add c1
	[ "$(own)" = "$(claims a)" ]
	[ "$(claims a | wc -w)" = 1 ]
	stop_engine
	for i in {2..13}; do
		add "c$i"
	done
}

@test "nodes have separate blocks, and assign no address twice" {
	local node i all=''
	for i in {1..6}; do
		for node in a b c; do
			on $node '"blockSize": 4'
			add "$node$i"
			all+="$ADDRESS"$'\n'
		done
	done
	[ "$(sort -u <<<"${all%$'\n'}" | wc -l)" = 18 ]
	[ "$(claims | wc -l)" -ge 6 ]
	[ -z "$(claims | cut -d' ' -f1 | sort | uniq -d)" ]
}

@test "while the engine does not answer, a node assigns and releases addresses of its blocks" {
	on a '"blockSize": 2, "timeout": 2'
	add c1
	while pool ADD "$CONF" more$((n++)) && [ "$(own | wc -w)" = 1 ]; do :; done
	stop_engine
	drops "$CONF" c1
	add c1
	drops "$CONF" c1
}

@test "no block and no engine: error 11 in time, with the endpoint and the cause, and nothing changes" {
	local before started=$SECONDS
	on a '"timeout": 2'
	stop_engine
	pool ADD "$CONF" c1
	before=$(snapshot | grep -v failed)
	pool ADD "$CONF" c1
	fails 11
	[[ $output = *"127.0.0.1"*onnect* ]]
	[ $((SECONDS - started)) -lt 12 ]
	[ -z "$(own)" ]
	leased ''
	diff <(echo "$before") <(snapshot | grep -v failed)
}

@test "an engine that hangs: the same" {
	local started=$SECONDS
	on a '"timeout": 2'
	pause_engine
	pool ADD "$CONF" c1
	fails 11
	# an unanswered TLS handshake has another message
	[[ $output = *"timed out"* || $output = *"SSL connection timeout"* ]] || { echo "$output"; return 1; }
	[ $((SECONDS - started)) -lt 8 ]
}

@test "several calls that wait while the engine hangs do not wait one after the other" {
	local i started pids=()
	on a '"timeout": 3'
	pause_engine
	started=$SECONDS
	for i in {1..8}; do
		(pool ADD "$CONF" "c$i" && fails 11) &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ $((SECONDS - started)) -lt 12 ]
}

@test "several DELs that return blocks while the engine hangs do not wait one after the other, and no ADD for all of them" {
	local i started pids=()
	on a '"blockSize": 1, "timeout": 3'
	for i in {1..9}; do
		add "c$i"
	done
	pause_engine
	started=$SECONDS
	for i in {1..8}; do
		(pool DEL "$CONF" "c$i" && succeeds) 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ $((SECONDS - started)) -lt 8 ]
	leased "$ADDRESS"
}

@test "all blocks are claimed: error 11, with the command that lists their nodes" {
	on a '"blockSize": 128'
	add c1
	on b '"blockSize": 128'
	add c1
	on c '"blockSize": 128'
	pool ADD "$CONF" c1
	fails 11 'no block of pool net is free'
	explains "ipvlanctl pools net lists which node has which"
	pool STATUS "$CONF" ''
	succeeds
	on a '"blockSize": 128'
	pool STATUS "$CONF" ''
	succeeds
	[ -z "$stderr" ]
}

@test "STATUS does not ask the engine, also if all blocks are full" {
	on a '"blockSize": 1, "timeout": 60'
	pool STATUS "$CONF" ''
	succeeds
	[ -z "$(claims)" ]
	add c1
	pause_engine
	SECONDS=0
	pool STATUS "$CONF" ''
	succeeds
	[ "$SECONDS" -lt 30 ]
	resume_engine
}

@test "a node returns blocks without addresses, except one while it has a pod" {
	local i
	on a '"blockSize": 4'
	for i in {1..12}; do
		add "c$i"
	done
	[ "$(own | wc -w)" -ge 3 ]
	for i in {1..11}; do
		drops "$CONF" "c$i"
	done
	[ "$(own | wc -w)" = 2 ]
	[ "$(own)" = "$(claims a)" ]
	drops "$CONF" c12
	[ -z "$(own)" ]
	[ -z "$(claims a)" ]
}

@test "GC returns blocks too" {
	local i
	on a '"blockSize": 4'
	for i in {1..12}; do
		add "c$i"
	done
	pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": [{\"containerID\": \"c1\", \"ifname\": \"eth0\"}]}" ''
	succeeds
	[ "$(own | wc -w)" = 2 ]
	[ "$(own)" = "$(claims a)" ]
	pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": []}" ''
	succeeds
	[ -z "$(own)" ]
	[ -z "$(claims a)" ]
}

# subnet NUMBER: the configuration's subnet is 10.NUMBER.0.0/24 from now on.
subnet() {
	on a '"blockSize": 4' "\"subnet\": \"10.$1.0.0/24\""
}

@test "a subnet that the configuration no longer has: its block goes back with its last pod, by DEL or GC" {
	local verb
	for verb in DEL GC; do
		subnet 9
		add old
		subnet 8
		add new
		[ "$(claims a | wc -w)" = 2 ]
		if [ $verb = DEL ]; then
			drops "$CONF" old
		else
			pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": [{\"containerID\": \"new\", \"ifname\": \"eth0\"}]}" ''
			succeeds
		fi
		[[ $(claims a) = 10.8.0.* ]] && [ "$(claims a | wc -w)" = 1 ]
		[ "$(own)" = "$(claims a)" ]
		drops "$CONF" new
		[ -z "$(claims a)" ]
	done
}

@test "a block of a subnet that was removed after its pod's DEL goes back with the next DEL" {
	subnet 9
	add old
	add old2
	on a '"blockSize": 4' '"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "10.8.0.0/24"}]]'
	add both
	drops "$CONF" old
	drops "$CONF" old2
	[ "$(own | wc -w)" = 2 ]
	subnet 8
	add new
	drops "$CONF" both
	[[ $(claims a) = 10.8.0.* ]] && [ "$(claims a | wc -w)" = 1 ]
}

@test "a node with a pod keeps one empty block of each range set" {
	local i
	on a '"blockSize": 1' '"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "10.8.0.0/24"}]]'
	for i in 1 2 3; do
		add c$i
	done
	[ "$(own | wc -w)" = 6 ]
	drops "$CONF" c2
	[ "$(own | wc -w)" = 6 ]
	drops "$CONF" c3
	[ "$(own | xargs -n 1 | cut -d. -f2 | sort | uniq -c | xargs)" = '2 8 2 9' ]
	[ "$(own | xargs -n 1 | sort)" = "$(claims a | xargs -n 1 | sort)" ]
}

@test "DEL releases the address also if the range sets of the configuration are wrong" {
	subnet 9
	add c1
	add c2
	drops "${CONF//10.9.0.0\/24/10.9.0.7\/24}" c1
	leased "$ADDRESS"
	drops "${CONF//\"subnet\": \"10.9.0.0\/24\"/\"ranges\": 1}" c2
	leased ''
}

@test "a node keeps a block while its addresses wait for reuseDelay" {
	local i
	on a '"blockSize": 2' '"reuseDelay": 1000'
	for i in {1..6}; do
		add "c$i"
	done
	before=$(own)
	for i in {1..6}; do
		drops "$CONF" "c$i"
	done
	[ "$(own)" = "$before" ]
}

@test "if a node cannot return a block now, it returns it later" {
	local i
	on a '"blockSize": 2, "timeout": 1'
	for i in {1..6}; do
		add "c$i"
	done
	pause_engine
	for i in {1..6}; do
		pool DEL "$CONF" "c$i"
		succeeds
	done
	[ "$(find "$OWN/blocks" -name '*-*' | wc -l)" -ge 3 ]
	resume_engine
	rm "$OWN/blocks/kept"
	add c1
	drops "$CONF" c1
	[ -z "$(claims a)" ]
	[ -z "$(own)" ]
}

@test "a requested address, in a free block, in one of this node, of another node" {
	on a '"blockSize": 16'
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"10.9.0.77/24\"]}}" c1
	succeeds
	[ "$(address)" = 10.9.0.77 ]
	[[ " $(claims a) " = *" 10.9.0.64/28 "* ]]
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"10.9.0.78/24\"]}}" c2
	succeeds
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"10.9.0.77/24\"]}}" c3
	fails 101
	on b '"blockSize": 16'
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"10.9.0.79/24\"]}}" c1
	fails 101 'requested ip 10.9.0.79 lies in block 10.9.0.64/28, which belongs to node a'
}

@test "a pod can request a subnet's first and last address, if the node has their block" {
	local address
	on a '"blockSize": 16'
	CONF=$(jq -c '.ipam |= (del(.ranges, .subnet) | .ranges = [[{ subnet: "10.9.0.0/24", rangeStart: "10.9.0.0", rangeEnd: "10.9.0.255", gateway: "none" }]])' <<<"$CONF")
	for address in 10.9.0.0 10.9.0.255; do
		pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$address/24\"]}}" "c$address"
		succeeds
		[ "$(address)" = "$address" ]
	done
}

@test "both families, and a wide IPv6 range" {
	on a '"blockSize": 4' '"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00:1::/64"}]]'
	add c1
	[[ $output = *'"10.9.0.'*'"fd00:1::'* ]]
	[ "$(own | wc -w)" = 2 ]
	on b '"blockSize": 4' '"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00:1::/64"}]]'
	add c1
	[ "$(claims | wc -l)" = 4 ]
}

@test "all nodes together assign all addresses of the pool" {
	local node i all=''
	for i in {1..5}; do
		for node in a b; do
			on $node '"blockSize": 1' '"subnet": "10.9.0.0/28", "exclude": ["10.9.0.8/30"]'
			pool ADD "$CONF" c$i
			[ "$status" = 0 ] && all+="$(address)"$'\n'
		done
	done
	[ "$(sort -V <<<"${all%$'\n'}" | xargs)" = "10.9.0.2 10.9.0.3 10.9.0.4 10.9.0.5 10.9.0.6 10.9.0.7 10.9.0.12 10.9.0.13 10.9.0.14" ]
}

@test "another blockSize than the pool's is refused" {
	add c1
	on b '"blockSize": 32'
	pool ADD "$CONF" c1
	fails 7 'ipam.cluster.blockSize is 32 here, but pool net has blocks of 16'
}

@test "blockSize changes when the pool has no block and its record is deleted, as the error says" {
	add c1
	drops "$CONF" c1
	on a '"blockSize": 32'
	pool ADD "$CONF" c1
	fails 7 'ipam.cluster.blockSize is 32 here, but pool net has blocks of 16'
	explains 'when ipvlanctl pools net lists no block, delete the pool'
	case $CLUSTER in
	etcd) curl -sf "$ETCD_URL/v3/kv/deleterange" -d "$(jq -nc '{ key: ("/ipvlan-cni/net/pool" | @base64) }')" >/dev/null ;;
	kubernetes) kube DELETE /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/net-pool >/dev/null ;;
	esac
	add c1
	[[ $(own) = */27 ]]
}

@test "networks share a pool under one name, and each has its own blocks" {
	local more='"pool": "shared"'
	on a "$more"
	add c1
	CONF=${CONF/'"name": "net"'/'"name": "other"'}
	add c1
	[ "$(claims a | wc -w)" = 2 ]
	on a "$more"
	add c2
	[ "$(claims a | wc -w)" = 2 ]
}

@test "networks of one node with one \"pool\" share blocks and leases; the engine has them under the pool's name" {
	on a '' '"pool": "lan"'
	STORE=$DATA/lan OWN=$DATA/.addrpool/lan
	add c1
	local first=$ADDRESS
	[ "$(own)" = "$(claims a)" ]
	CONF=${CONF/'"name": "net"'/'"name": "other"'}
	add c2
	[ "$ADDRESS" != "$first" ]
	[ "$(own)" = "$(claims a)" ]
	[ "$(claims a | wc -w)" = 1 ]
	"$BUILD/addrpool-claim" list <<<"$CONF" | grep -q '"pool": "lan"'
	pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": []}" ''
	succeeds
	leased "$first"
	drops "$CONF" c1
	leased ''
}

@test "after a restart a node assigns no address before the engine has confirmed its blocks" {
	local block
	machine 11111111
	on a '"timeout": 2'
	add c1
	block=$(own)
	machine 22222222
	stop_engine
	pool ADD "$CONF" c2
	fails 11
	start_engine
	add c2
	[ "$(own)" = "$block" ]
	[ "$(claims a)" = "$block" ]
	stop_engine
	add c3
}

@test "a node does not use a block that another node got while it was down" {
	machine 11111111
	on a
	add c1
	before=$(own)
	"$PLUGIN" release-node --yes a <(node b)
	on b
	pool ADD "${CONF%\}}, \"runtimeConfig\": {\"ips\": [\"$ADDRESS/24\"]}}" c1
	succeeds
	machine 22222222
	on a
	add c2
	[[ $stderr = *"block $before no longer belongs to node a, but to b"* ]]
	[ -z "$(claims | cut -d' ' -f1 | sort | uniq -d)" ]
	[[ " $(claims a) " = *" $(own) "* ]]
}

@test "a store is lost while pods run: ADD fails until release-node is called" {
	machine 11111111
	on a
	add c1
	block=$(own)
	rm -r "$STORE"
	pool ADD "$CONF" c2
	fails 7 'has lost its leases'
	[[ $output = *"$block"* && $output = *"ipvlanctl pools release-node "*" a"* ]]
	leased ''
	"$PLUGIN" release-node --yes a <(echo "$CONF")
	add c2
}

@test "the same if .addrpool is lost too" {
	machine 11111111
	on a
	add c1
	rm -r "$DATA"
	pool ADD "$CONF" c2
	fails 7 'has lost its leases'
}

@test "a machine that was installed anew takes its blocks back" {
	local block
	machine 11111111
	on a
	add c1
	block=$(own)
	rm -r "$DATA"
	machine 22222222
	add c2
	[ "$(own)" = "$block" ]
	[ "$(claims a)" = "$block" ]
}

@test "another machine of the same name gets no address" {
	machine 11111111 first
	on a
	add c1
	rm -r "$DATA"
	machine 22222222 second
	pool ADD "$CONF" c2
	fails 7 'belongs to another machine with the node name a'
	[[ $output = *ipam.cluster.node* ]]
}

@test "release-node shows the blocks, releases them with --yes, and refuses for this node while it has leases" {
	on b
	add c1
	on a
	add c1
	run "$BUILD/addrpool" release-node b <(echo "$CONF")
	[ "$status" = 0 ]
	[[ $output = *"would release 1 blocks of b"*"$(claims b)"*'repeat the command with --yes'* ]]
	[ -n "$(claims b)" ]
	run "$BUILD/addrpool" release-node --yes b <(echo "$CONF")
	[ "$status" = 0 ]
	[ -z "$(claims b)" ]
	run "$BUILD/addrpool" release-node --yes a <(echo "$CONF")
	[ "$status" = 1 ]
	[[ $output = *"this is node a, and c1 has $ADDRESS, which is of its blocks"* ]]
	[ -n "$(claims a)" ]
}

@test "CHECK fails if the pod's node has lost the block" {
	on b
	add c1
	pool CHECK "$CONF" c1
	succeeds
	on a
	"$BUILD/addrpool" release-node --yes b <(echo "$CONF")
	on b
	machine 22222222
	pool CHECK "$CONF" c1
	fails 102 "$ADDRESS is in no block that belongs to node b"
}

@test "the list shows which node has which block, and how full this node's are" {
	on b
	add c1
	on a
	add c1
	add c2
	run "$BUILD/addrpool" <(echo "$CONF")
	[ "$status" = 0 ]
	[[ $output = *"2 of "*" in 1 block of this node"* ]]
	[[ $output = *"pool net of a cluster, in blocks of 16; this is node a"* ]]
	[[ $output =~ "$(claims a)"\ +a\ +net\ +[0-9TZ:-]+\ +2 ]]
	[[ $output =~ "$(claims b)"\ +b\ +net\ +[0-9TZ:-]+\ +- ]]
	[ "$("$BUILD/addrpool" --json <(echo "$CONF") | jq -c '.[0].cluster.claims | map([.node, .leased]) | sort')" = '[["a",2],["b",null]]' ]
}

@test "without the engine the list shows how many blocks the node owns, and how full they are" {
	on a
	add c1
	add c2
	stop_engine
	[ "$("$BUILD/addrpool" --json --local <(echo "$CONF") | jq -c '.[0] | [.blocks, .cluster, .rangeSets[0].leased]')" = '[[1],null,2]' ]
	mkdir "$BATS_TEST_TMPDIR/net.d"
	echo "$CONF" >"$BATS_TEST_TMPDIR/net.d/net.conf"
	NETCONFPATH=$BATS_TEST_TMPDIR/net.d CNI_PATH=$BUILD run "$BUILD/ipvlanctl" status --prometheus
	[[ $output = *$'\n''ipvlan_cni_pool_blocks{network="net",family="ipv4",range_set="0"} 1'$'\n'* ]] || { echo "$output"; return 1; }
}

@test "range sets for some pods: a node claims a block of the range set that is for the pod" {
	on a '"blockSize": 4' '"ranges": [[{"subnet": "10.9.0.0/24", "for": {"N": "a"}}], [{"subnet": "10.8.0.0/24"}]]'
	CNI_ARGS=N=b add c1
	[[ $ADDRESS = 10.8.0.* && $(own) = 10.8.0.*/30 ]]
	CNI_ARGS=N=a add c2
	[[ $ADDRESS = 10.9.0.* && $(own) = 10.8.0.*/30\ 10.9.0.*/30 ]]
	CNI_ARGS="N=b;IP=10.8.0.77" add c3
	[[ $ADDRESS = 10.8.0.77 && " $(own) " = *' 10.8.0.76/30 '* ]]
}

@test "a range set without a free block does not keep the others from claiming" {
	local i
	on a '"blockSize": 1' '"ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.2", "rangeEnd": "10.9.0.3", "for": {"N": "a"}}], [{"subnet": "10.8.0.0/24"}]]'
	CNI_ARGS=N=a add c1
	CNI_ARGS=N=a add c2
	for i in 3 4 5; do
		CNI_ARGS=N=a pool ADD "$CONF" full
		fails 11 'no block of pool net is free: 10.9.0.2-10.9.0.3'
		CNI_ARGS=N=b add "c$i"
		[[ $ADDRESS = 10.8.0.* ]]
	done
}

@test "40 ADDs at once with blocks of one address: each gets one, and addrpool-claim runs a few times for each, not for all" {
	local bin=$BATS_TEST_TMPDIR/bin i pids=()
	on a '"blockSize": 1, "timeout": 60'
	mkdir "$bin"
	cp "$BUILD/addrpool" "$bin"
	printf '#!/bin/sh\necho >>%s/runs\nexec %s "$@"\n' "$bin" "$BUILD/addrpool-claim" >"$bin/addrpool-claim"
	chmod +x "$bin/addrpool-claim"
	for i in {1..40}; do
		(PLUGIN=$bin/addrpool BATS_TEST_TMPDIR=$(mktemp -d) add "c$i") 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ "$(own | wc -w)" -ge 40 ]
	[ "$(find "$STORE" -name '10.9.0.*' | wc -l)" = 40 ]
	[ "$(wc -l <"$bin/runs")" -le 160 ] || { wc -l <"$bin/runs"; return 1; }
}

# had NODE ADDRESS ID: the node leased the address before the network had "cluster".
had() {
	on "$1"
	pool ADD "$(jq -c --arg ip "$2/24" 'del(.ipam.cluster) | .runtimeConfig.ips = [$ip]' <<<"$CONF")" "$3"
	succeeds
}

@test "cluster is added while pods run: each node claims the blocks of their addresses before it assigns another" {
	had a 10.9.0.2 c1
	had a 10.9.0.3 c2
	had a 10.9.0.40 c3
	had b 10.9.0.60 c4
	had d 10.9.0.5 c5
	on a
	"$BUILD/addrpool-claim" confirm --now <<<"$CONF"
	[ "$(claims a)" = '10.9.0.0/28 10.9.0.32/28' ]
	[ "$(own)" = '10.9.0.0/28 10.9.0.32/28' ]
	pool CHECK "$CONF" c1
	succeeds
	on b
	add c6
	[[ " $(claims b) " = *' 10.9.0.48/28 '* ]]
	pool ADD "$(jq -c '.runtimeConfig.ips = ["10.9.0.2/24"]' <<<"$CONF")" c7
	fails 101 'which belongs to node a'
	# two nodes had addresses of one block: the second one is told
	on d
	pool ADD "$CONF" c8
	succeeds
	[[ $stderr = *'block 10.9.0.0/28 no longer belongs to node d, but to a. Pods of both nodes may have the same addresses of it'* ]]
	[[ $(address) != 10.9.0.? && $(address) != 10.9.0.1[0-5] ]]
}

@test "cluster is added again, and a pod has the last address of the range: the node claims the block of its address" {
	local sets='"ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.1", "rangeEnd": "10.9.0.255"}]]'
	on a
	add c1
	drops "$CONF" c1
	[ -z "$(claims a)" ]
	on a '' "$sets"
	for i in 20 100 255; do
		pool ADD "$(jq -c --arg ip "10.9.0.$i/24" 'del(.ipam.cluster) | .runtimeConfig.ips = [$ip]' <<<"$CONF")" "c$i"
		succeeds
	done
	add c3
	[[ "$(claims a)" = *'10.9.0.16/28 10.9.0.96/28'*'10.9.0.240/28'* ]]
	on b '' "$sets"
	pool ADD "$(jq -c '.runtimeConfig.ips = ["10.9.0.255/24"]' <<<"$CONF")" c4
	fails 101 'which belongs to node a'
}

@test "cluster is added to two networks with the same leases: confirm of each claims the blocks of its pods" {
	local first second sets='"pool": "shared", "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.%s", "rangeEnd": "10.9.0.%s"}]]'
	# shellcheck disable=SC2059 # the format is above
	on a '' "$(printf "$sets" 1 63)"
	first=$CONF
	# shellcheck disable=SC2059
	on a '' "$(printf "$sets" 128 191)"
	second=$(jq -c '.name = "second"' <<<"$CONF")
	for CONF in "$first" "$second"; do
		pool ADD "$(jq -c 'del(.ipam.cluster)' <<<"$CONF")" "c$((++n))"
		succeeds
	done
	for CONF in "$first" "$second"; do
		"$BUILD/addrpool-claim" confirm --now <<<"$CONF"
	done
	[ "$(claims a)" = '10.9.0.0/28 10.9.0.128/28' ]
}
