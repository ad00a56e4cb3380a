#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Addresses that follow a named workload from node to node ("identities" of a range).

load ../lib/cluster

SETS='"sticky": "K8S_POD_NAMESPACE/K8S_POD_NAME", "ranges": [
	[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.64", "rangeEnd": "10.9.0.95", "identities": true, "for": {"K8S_POD_NAMESPACE": "db"}}],
	[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.128", "rangeEnd": "10.9.0.191"}]]'

setup() {
	make_places
	start_engine
}

teardown() {
	stop_engine
}

# at NODE [CLUSTER [IPAM]]: the node at hand, with a range set for identities.
at() {
	on "$1" "${2:-}" "${3:-$SETS}"
}

# start NAME CONTAINER: ADD of the workload db/NAME on the node at hand. gets ADDRESS.
start() {
	export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=db;K8S_POD_NAME=$1"
	pool ADD "$CONF" "$2"
}

started() {
	start "$@"
	succeeds || { echo "$output"; return 1; }
	ADDRESS=$(address)
}

ended() { # CONTAINER
	pool DEL "$CONF" "$1"
	succeeds
}

# identities: "NAME ADDRESS NODE CONTAINER" of each that the engine has.
identities() {
	"$BUILD/addrpool-claim" identities <<<"$CONF" |
		jq -r '.[] | [.identity, (.addresses // [] | join(",")), (.holder.node // "-"), (.holder.container // "-")] | join(" ")' | sort
}

@test "a workload that starts on another node after its DEL has the same address" {
	at a
	started web-0 c1
	first=$ADDRESS
	[[ $first = 10.9.0.[6-9]? ]]
	ended c1
	at b
	started web-0 c2
	[ "$ADDRESS" = "$first" ]
	pool CHECK "$CONF" c2
	succeeds
	[ "$(identities)" = "net db/web-0 $first b c2" ]
}

@test "while the workload may run on a node, another one refuses it with 11, and names node, container and time" {
	at a
	started web-0 c1
	first=$ADDRESS
	at b
	start web-0 c2
	fails 11 "identity net db/web-0 is held on node a by container c1 since 20"
	[[ $output = *release-identity* ]]
	[ ! -e "$OWN/blocks/failed" ] # the engine has answered
	[ "$(identities)" = "net db/web-0 $first a c1" ]
	[ -z "$(ls "$OWN/identities")" ]
	at a
	ended c1
	at b
	started web-0 c2
	[ "$ADDRESS" = "$first" ]
}

@test "different workloads have different addresses, and a pod without an identity none of theirs" {
	at a
	all=''
	for i in {0..7}; do
		started "web-$i" "c$i"
		all+=" $ADDRESS"
	done
	at b
	for i in {8..15}; do
		started "web-$i" "c$i"
		all+=" $ADDRESS"
	done
	[ "$(xargs -n 1 <<<"$all" | sort -u | wc -l)" = 16 ]
	CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart" pool ADD "$CONF" other
	succeeds
	[[ $(address) = 10.9.0.1[2-9]? ]]
}

@test "DEL while the engine does not answer: the next DEL, or GC, has the engine note that nobody holds it" {
	at a
	started web-0 c1
	first=$ADDRESS
	CONF=$(jq -c '.ipam.cluster.timeout = 1' <<<"$CONF")
	pause_engine
	pool DEL "$CONF" c1
	resume_engine
	succeeds
	[[ $stderr = *"cannot return blocks without leases, or identities"* ]]
	[ ! -e "$STORE/$first" ]
	[ "$(identities)" = "net db/web-0 $first a c1" ]
	rm -f "$OWN"/blocks/{failed,kept} # a minute has passed
	ended c1
	[ "$(identities)" = "net db/web-0 $first - -" ]
}

# fails_silent NAME CONTAINER: ADD fails, since the engine does not answer.
fails_silent() {
	local conf=$CONF
	CONF=$(jq -c '.ipam.cluster.timeout = 1' <<<"$CONF")
	pause_engine
	start "$@"
	resume_engine
	CONF=$conf
	fails 11
	rm -f "$OWN"/blocks/{failed,kept} # a minute has passed
}

@test "an ADD that is repeated for a running pod while the engine does not answer takes nothing from the pod" {
	ip addr replace 192.0.2.1/24 dev lo
	at a '"blockRoutes": true'
	started web-0 c1
	first=$ADDRESS
	fails_silent web-0 c1
	pool CHECK "$CONF" c1
	succeeds
	[ "$(readlink "$OWN"/identities/*)" = "held c1 eth0 $first net db/web-0" ]
	ended c1
	[ "$(identities)" = "net db/web-0 $first - -" ]
	[ -z "$(ip -4 route show proto 105)" ]
	at b
	started web-0 c2
	[ "$ADDRESS" = "$first" ]
}

@test "an ADD that was killed, and is repeated while the engine does not answer: the identity is free after its DEL" {
	at a
	started web-0 c1
	first=$ADDRESS
	rm "$STORE/$first"
	ln -sfn "claiming c1 eth0 - net db/web-0" "$OWN"/identities/*
	fails_silent web-0 c1
	ended c1
	[ "$(identities)" = "net db/web-0 $first - -" ]
}

@test "a container whose DEL did not reach the engine, and that starts as another workload, frees its first identity" {
	at a
	started web-0 c1
	first=$ADDRESS
	CONF=$(jq -c '.ipam.cluster.timeout = 1' <<<"$CONF")
	pause_engine
	pool DEL "$CONF" c1
	resume_engine
	succeeds
	started web-1 c1
	[ "$(identities)" = "net db/web-0 $first - -
net db/web-1 $ADDRESS a c1" ]
	start web-2 c1
	fails 100 'container c1 has an address of identity net db/web-1 already'
	pool CHECK "$CONF" c1
	succeeds
}

@test "the first network card of a machine without a hardware number changes while a workload runs: its DEL frees the identity" {
	at a
	machine 11111111 'first-card'
	started web-0 c1
	machine 11111111 'second-card'
	ended c1
	[[ $(identities) = *' - -' ]]
	at b
	machine 22222222 'another'
	started web-0 c2
}

@test "a DEL of an earlier container does not take the identity from the present one" {
	at a
	started web-0 c1
	first=$ADDRESS
	"$BUILD/addrpool-claim" release-identity db/web-0 <<<"$(node janitor "" "$SETS")" >/dev/null # a is thought to be gone
	at b
	started web-0 c2
	[ "$ADDRESS" = "$first" ]
	at a
	ended c1
	[ "$(identities)" = "net db/web-0 $first b c2" ]
}

@test "an identity whose record somebody has damaged keeps neither other identities nor blocks on the node" {
	local pod
	at a
	started web-0 c0
	started web-1 c1
	CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=shop" pool ADD "$CONF" c2
	succeeds
	damage_record "net db/web-0"
	CONF=$(jq -c '.ipam.cluster.timeout = 1' <<<"$CONF")
	pause_engine
	for pod in c0 c1 c2; do
		pool DEL "$CONF" "$pod"
	done
	resume_engine
	rm -f "$OWN"/blocks/{failed,kept} # a minute has passed
	run "$BUILD/addrpool-claim" return <<<"$CONF"
	[ "$status" = 1 ]
	[[ $output = *'is not the record of'*'net db/web-0'* ]]
	[ "$(identities | grep web-1 | cut -d' ' -f2,4)" = "db/web-1 -" ]
	[ -z "$(claims a)" ]
	drop_record "net db/web-0"
	"$BUILD/addrpool-claim" return <<<"$CONF"
	[ -z "$(ls "$OWN/identities")" ]
}

@test "a damaged record: ADD of its workload names it and the remedy, and no other workload gets its address" {
	local value small='"sticky": "K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.16", "rangeEnd": "10.9.0.18", "identities": true}]]'
	at a '' "$small"
	started web-0 c0
	first=$ADDRESS
	started web-1 c1
	second=$ADDRESS
	damage_record "$second" x
	at b '' "$small"
	for value in '[1]' '"x"' x; do
		damage_record "net web-0" "$value"
		start web-0 c2
		fails 7 'is not the record of net web-0'
		[[ $output = *'delete it if no container has an address of it'* ]]
		[[ $(identities) = *"net web-0  - -"* ]]
	done
	started web-2 c2
	[ "$ADDRESS" != "$first" ]
	[ "$ADDRESS" != "$second" ]
	start web-3 c3
	fails 11 'no address is free for an identity'
	damage_record "net web-0"
	start web-3 c3
	fails 11 'no address is free for an identity'
	drop_record "net web-0"
	started web-3 c3
	[ "$ADDRESS" = "$first" ]
}

# damage_record NAME [VALUE]: the engine has a record, or lock, of that name with this value; Kubernetes without VALUE
# has none.
damage_record() {
	local lease=$BATS_TEST_TMPDIR/lease kind=identity
	[[ $1 = *\ * ]] || kind=address
	case $CLUSTER in
	etcd) "$("$TOP/test/cluster/get-etcdctl")" --endpoints "$ETCD_URL" put "/ipvlan-cni/net/~$kind/$1" "${2:-[1]}" ;;
	kubernetes)
		kube GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases |
			jq --arg name "$1" --arg value "${2:-}" '.items[] | select(.metadata.annotations["ipvlan-cni/name"] == $name) |
				.metadata.annotations["ipvlan-cni/record"] = $value |
				if $value == "" then del(.metadata.annotations["ipvlan-cni/record"]) else . end' >"$lease"
		kube PUT "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/$(jq -r .metadata.name "$lease")" "$lease"
		;;
	esac >/dev/null
}

@test "two containers of one workload on one node: the second is refused while the first has its address" {
	at a
	started web-0 c1
	start web-0 c2
	fails 11 'is held on node a by container c1'
	rm "$STORE/$ADDRESS" # as if its lease had been released without a DEL
	first=$ADDRESS
	started web-0 c2
	[ "$ADDRESS" = "$first" ]
	ended c1
	[ "$(identities)" = "net db/web-0 $first a c2" ]
}

@test "GC releases identities of containers that the runtime does not know, also those that only the engine knows" {
	at a
	started web-0 c1
	started web-1 c2
	second=$ADDRESS
	rm -r "$OWN/identities" # of c1 and c2 no note is left
	rm "$STORE"/10.9.0.*
	started web-2 c3
	pool GC "$(jq -c '. + {"cni.dev/valid-attachments": [{containerID: "c3", ifname: "eth0"}]}' <<<"$CONF")"
	succeeds
	[ "$(identities | awk '{ print $2, $4 }' | sort | xargs)" = "db/web-0 - db/web-1 - db/web-2 a" ]
	at b
	started web-1 c4
	[ "$ADDRESS" = "$second" ]
}

@test "IPv4 and IPv6: both addresses follow, or ADD fails and holds nothing" {
	both='"sticky": "K8S_POD_NAMESPACE/K8S_POD_NAME", "ranges": [
		[{"subnet": "10.9.0.0/24", "identities": true}],
		[{"subnet": "fd00:9::/120", "rangeStart": "fd00:9::10", "rangeEnd": "fd00:9::10", "identities": true}]]'
	at a '' "$both"
	started web-0 c1
	before=$(jq -c '[.ips[].address]' <<<"$output")
	[[ $before = *fd00:9::10* ]]
	ended c1
	at b '' "$both"
	started web-0 c2
	[ "$(jq -c '[.ips[].address]' <<<"$output")" = "$before" ]
	start web-1 c3
	fails 11 'no address is free for an identity in range set 1'
	[[ $(identities) != *" c3" ]]
	[ ! -e "$OWN/identities" ] || [ "$(ls "$OWN/identities" | wc -l)" = 1 ]
}

@test "a range set for identities that is full: the one that was unused longest loses its address, if keep is over" {
	small='"sticky": "K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.16", "rangeEnd": "10.9.0.17", "identities": true}]]'
	at a '' "$small"
	started web-0 c1
	first=$ADDRESS
	ended c1
	sleep 1.1
	started web-1 c2
	ended c2
	start web-2 c3
	fails 11 'no address is free for an identity in range set 0'
	at a '"keep": 1' "$small"
	sleep 2.1
	started web-2 c3
	[ "$ADDRESS" = "$first" ]
	[[ $stderr = *"identity net web-0, which has no holder since 20"*"loses its address"* ]]
	[ "$(identities | awk '{ print $2 }' | xargs)" = "web-1 web-2" ]
	started web-1 c4
}

@test "a lock that a killed call has left, without a record, is removed when the range set is full" {
	one='"sticky": "K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.16", "rangeEnd": "10.9.0.16", "identities": true}]]'
	at a '' "$one"
	started web-0 c1
	ended c1
	drop_record "net web-0"
	started web-1 c2
	[ "$ADDRESS" = 10.9.0.16 ]
}

# drop_record NAME: the engine loses the record of an identity, and keeps its lock.
drop_record() {
	case $CLUSTER in
	etcd) "$("$TOP/test/cluster/get-etcdctl")" --endpoints "$ETCD_URL" del "/ipvlan-cni/net/~identity/$1" ;;
	kubernetes)
		kube GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases |
			jq -r --arg name "$1" '.items[].metadata | select(.annotations["ipvlan-cni/name"] == $name).name' >"$BATS_TEST_TMPDIR/lease"
		kube DELETE "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/$(cat "$BATS_TEST_TMPDIR/lease")"
		;;
	esac >/dev/null
}

@test "no node gets a block in which an identity has an address, whatever its configuration; and the reverse" {
	at a
	started web-0 c1
	plain='"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.64", "rangeEnd": "10.9.0.95"' # 2 blocks
	on b '' "$plain"
	add c1
	[[ $(claims) = *" ~identities"* ]]
	ours=$(claims b)
	[ "$(claims b | wc -w)" = 1 ]
	at a
	for i in {1..20}; do
		start "web-$i" "c1$i"
		[ "$status" = 0 ] || break
	done
	fails 11 'no address is free for an identity'
	[ "$i" -ge 13 ]
	[ "$(claims b)" = "$ours" ]
	on b '' "$plain"
	run "$BUILD/addrpool" release-node --yes '~identities' <(echo "$CONF")
	[ "$status" = 1 ] || { echo "$output"; false; }
	[[ $output = *"identities have addresses in the blocks of ~identities"* ]]
}

@test "a requested address: one that is free, of a new identity; no other than it has" {
	at a
	CONF=$(jq -c '. + {runtimeConfig: {ips: ["10.9.0.77/24"]}}' <<<"$CONF")
	started web-0 c1
	[ "$ADDRESS" = 10.9.0.77 ]
	start web-1 c2
	fails 101 "requested ip 10.9.0.77 is another identity's"
	ended c1
	CONF=$(jq -c '.runtimeConfig.ips = ["10.9.0.78/24"]' <<<"$CONF")
	started web-1 c2
	[ "$ADDRESS" = 10.9.0.78 ]
	start web-0 c3
	fails 7 'has 10.9.0.77, and 10.9.0.78 is requested'
	CONF=$(jq -c 'del(.runtimeConfig)' <<<"$CONF")
	started web-0 c3
	[ "$ADDRESS" = 10.9.0.77 ]
	at b '' "${SETS%]}, [{\"subnet\": \"fd00:9::/120\", \"identities\": true}]]"
	CONF=$(jq -c '. + {runtimeConfig: {ips: ["10.9.0.79/24", "fd00:9::79/120"]}}' <<<"$CONF")
	started web-4 c4
	[ "$(jq -c '[.ips[].address]' <<<"$output")" = '["10.9.0.79/24","fd00:9::79/120"]' ]
}

@test "a range set is kept for identities while a node has a block of it: the node keeps no spare block there" {
	on a '' "${SETS/\"identities\": true, /}"
	started web-0 c1
	CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=x;K8S_POD_NAME=y' add c2
	[ "$(claims a | wc -w)" = 2 ]
	at a
	drops "$CONF" c1
	[ "$(claims a | wc -w)" = 1 ]
	started web-0 c3
}

@test "GC of one network leaves the identities of another one with the same leases" {
	at a '' "\"pool\": \"shared\", $SETS"
	started web-0 c1
	rm "$DATA"/shared/10.9.0.*
	rm -rf "$DATA/.addrpool/shared/owner"
	pool GC "$(jq -c '. + {name: "second", "cni.dev/valid-attachments": []}' <<<"$CONF")" ''
	succeeds
	[[ $(find "$DATA/.addrpool/shared/identities" -type l -printf '%l\n') = held* ]]
	pool GC "$(jq -c '. + {"cni.dev/valid-attachments": []}' <<<"$CONF")" ''
	[[ $(find "$DATA/.addrpool/shared/identities" -type l -printf '%l\n') != held* ]]
}

@test "many nodes start workloads at once, some the same: each address has one holder" {
	local pids=()
	for n in {1..6}; do
		for i in {1..4}; do
			(
				at "n$n"
				start "web-$(((n + i) % 8))" "c$n-$i"
				[ "$status" != 0 ] || echo "$(address) web-$(((n + i) % 8)) n$n" >"$BATS_TEST_TMPDIR/given.$n.$i"
			) 3>&- &
			pids+=($!)
		done
	done
	wait "${pids[@]}"
	cat "$BATS_TEST_TMPDIR"/given.* >"$BATS_TEST_TMPDIR/all"
	[ "$(awk '{ print $1 }' "$BATS_TEST_TMPDIR/all" | sort | uniq -d | wc -l)" = 0 ]
	[ "$(awk '{ print $2 }' "$BATS_TEST_TMPDIR/all" | sort -u | wc -l)" = 8 ]
	at n1
	[ "$(identities | awk '$4 != "-" { print $3, $2, $4 }' | sed 's/ [^ ]*\// /' | sort)" = "$(sort "$BATS_TEST_TMPDIR/all")" ]
}

@test "a pod gets addresses of 12 range sets with identities at most" {
	local n sets='' all=''
	for n in {0..12}; do
		sets+="${sets:+, }[{\"subnet\": \"fd00:9:$n:ffff:ffff:ffff:ffff:0/112\", \"rangeStart\": \"fd00:9:$n:ffff:ffff:ffff:ffff:ff00\", \"identities\": true}]"
		[ "$n" != 11 ] || all=$sets
	done
	at a '"blockSize": 16' "\"sticky\": \"K8S_POD_NAME\", \"ranges\": [$all]"
	started web-0 c1
	[ "$(jq '.ips | length' <<<"$output")" = 12 ]
	pool CHECK "$CONF" c1
	succeeds
	ended c1
	at a '"blockSize": 16' "\"sticky\": \"K8S_POD_NAME\", \"ranges\": [$sets]"
	start web-0 c1
	fails 7 'too many range sets with'
}

@test "configurations that cannot work are refused with 7" {
	on a '' '"ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]'
	pool ADD "$CONF" c1
	fails 7 'requires ipam.sticky and ipam.cluster'
	on a '' '"sticky": "K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.1", "rangeEnd": "10.9.0.20", "identities": true}],
		[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.21", "rangeEnd": "10.9.0.40"}]]'
	pool ADD "$CONF" c1
	fails 7 'and range set 1 have addresses in the same block of 16 addresses'
	at a
	CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=db" pool ADD "$CONF" c1
	fails 7 'CNI_ARGS lacks one of K8S_POD_NAMESPACE/K8S_POD_NAME'
	on '~x'
	pool ADD "$CONF" c1
	fails 7 'ipam.cluster.node'
}

@test "an identity with a name as long as the note of it may be: XFS stores the note, and a longer one is refused" {
	local name link
	at a '' "${SETS//K8S_POD_NAMESPACE\/K8S_POD_NAME/K8S_POD_NAME}"
	name=$(printf 'n%.0s' {1..487}) # with "net ", the container and the interface 497
	start "$name" c1
	succeeds || { echo "$output"; return 1; }
	for link in "$OWN"/*/*; do
		[ "$(readlink "$link" | wc -c)" -le 1024 ]
	done
	ended c1
	start "n$name" c1
	fails 4 'is too long for a range set with "identities"'
}

@test "blockRoutes: the address is a route of the node that has it, until its DEL" {
	ip addr replace 192.0.2.1/24 dev lo
	at a '"blockRoutes": true'
	started web-0 c1
	[ "$(ip -4 route show proto 105)" = "unreachable $ADDRESS metric 4096 " ]
	ended c1
	[ -z "$(ip -4 route show proto 105)" ]
	started web-0 c2
	rm "$STORE/$ADDRESS"
	started web-0 c3 # its note is new, and that of c2 is to be returned
	ended c2
	[ "$(ip -4 route show proto 105)" = "unreachable $ADDRESS metric 4096 " ]
	ended c3
	[ -z "$(ip -4 route show proto 105)" ]
}

@test "ipvlanctl pools lists, reserves and releases identities" {
	at a
	printf '%s' "$CONF" >"$BATS_TEST_TMPDIR/net.conf"
	ctl() { run "$BUILD/ipvlanctl" pools "$@"; }
	ctl reserve "$BATS_TEST_TMPDIR/net.conf" db/web-7 10.9.0.70
	[ "$status" = 0 ]
	ctl reserve "$BATS_TEST_TMPDIR/net.conf" db/web-8 10.9.0.70
	[ "$status" = 1 ]
	[[ $output = *"requested ip 10.9.0.70 is another identity's"* ]]
	ctl reserve "$BATS_TEST_TMPDIR/net.conf" db/web-8 10.9.0.170
	[ "$status" = 1 ]
	[[ $output = *'10.9.0.170 is in no range set with'* ]]
	[ "$(identities)" = "net db/web-7 10.9.0.70 - -" ]
	started web-7 c1
	[ "$ADDRESS" = 10.9.0.70 ]
	ctl identities "$BATS_TEST_TMPDIR/net.conf"
	[ "$status" = 0 ]
	[[ ${lines[1]} = "db/web-7  10.9.0.70  a     c1         20"*"  reserved" ]]
	[ "$("$BUILD/ipvlanctl" pools identities --json "$BATS_TEST_TMPDIR/net.conf" | jq -r '.[] | .identity + " " + .node')" = "db/web-7 a" ]
	ctl release-identity "$BATS_TEST_TMPDIR/net.conf" db/web-7
	[ "$status" = 1 ]
	[[ $output = *"this is node a, and container c1 has an address of net db/web-7"* ]]
	at b
	printf '%s' "$CONF" >"$BATS_TEST_TMPDIR/net.conf"
	ctl release-identity "$BATS_TEST_TMPDIR/net.conf" db/web-7
	[ "$status" = 0 ]
	[ "$(identities)" = "net db/web-7 10.9.0.70 - -" ]
	ctl release-identity --forget "$BATS_TEST_TMPDIR/net.conf" db/web-7
	[ "$status" = 0 ]
	[ -z "$(identities)" ]
	ctl release-identity "$BATS_TEST_TMPDIR/net.conf" db/web-7
	[ "$status" = 1 ]
	[[ $output = *'the engine has no identity net db/web-7'* ]]
	ctl reserve "$BATS_TEST_TMPDIR/net.conf" db/web-8 10.9.0.70
	[ "$status" = 0 ]
}

# record NAME: what the engine has of the workload db/NAME, except its times.
record() {
	"$BUILD/addrpool-claim" identities <<<"$CONF" | jq -Sc --arg name "net db/$1" '.[] | select(.identity == $name) | del(.since)'
}

@test "a reservation that fails leaves an earlier record as it was, and no new one" {
	local both=${SETS%]} before
	both+=', [{"subnet": "fd00:9::/120", "identities": true}]]'
	at a
	started web-0 c1
	first=$ADDRESS
	before=$(record web-0)
	at b '' "$both"
	run "$BUILD/addrpool-claim" reserve db/web-1 fd00:9::17 <<<"$CONF"
	[ "$status" = 0 ]
	for name in web-0 web-2; do
		run "$BUILD/addrpool-claim" reserve "db/$name" fd00:9::17 <<<"$CONF"
		[ "$status" = 1 ]
		[[ $output = *"requested ip fd00:9::17 is another identity's"* ]]
	done
	[ "$(record web-0)" = "$before" ]
	[ -z "$(record web-2)" ]
	run "$BUILD/addrpool-claim" reserve db/web-0 fd00:9::18,fd00:9::17 <<<"$CONF" # the first is free
	[ "$status" = 1 ]
	[ "$(record web-0)" = "$before" ]
	run "$BUILD/addrpool-claim" reserve db/web-2 fd00:9::18 <<<"$CONF"
	[ "$status" = 0 ]
}

@test "a reservation adds an address to those that a workload has" {
	local two='"sticky": "K8S_POD_NAMESPACE/K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.64", "rangeEnd": "10.9.0.95", "identities": true}],
		[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.128", "rangeEnd": "10.9.0.159", "identities": true}]]'
	at a
	started web-0 c1
	first=$ADDRESS
	at b '' "$two"
	run "$BUILD/addrpool-claim" reserve db/web-0 10.9.0.130 <<<"$CONF"
	[ "$status" = 0 ]
	[ "$(identities)" = "net db/web-0 $first,10.9.0.130 a c1" ] # c1 runs, and has the first one
}

@test "a simulation in which workloads move, with kills, partitions and lost DELs: no address has two holders, and none changes" {
	run "$TOP/test/sim/identities" --seed "${SEED:-1}" --moves 8 "$BUILD"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output = *" 8 moves"* || $output = *" 9 moves"* ]]
}

@test "Nomad: a group keeps its address on another client, with the example of the documents and Nomad's CNI_ARGS" {
	local example sets
	example=$(grep -o '"sticky": "NOMAD[^"]*"' "$TOP/ipam/README.md")
	sets="$example, \"ranges\": [[{\"subnet\": \"10.9.0.0/24\", \"identities\": true}]]"
	allocation() { # ID: ADD as Nomad calls it, up to three times
		export CNI_ARGS="IgnoreUnknown=true;NOMAD_ALLOC_ID=$1;NOMAD_GROUP_NAME=store;NOMAD_JOB_ID=mysql;NOMAD_NAMESPACE=default;NOMAD_REGION=global"
		for _ in 1 2 3; do
			pool ADD "$CONF" "$1"
			[ "$status" != 0 ] || break
		done
	}
	at a '' "$sets"
	allocation 5f1b6c1e-0000-4000-8000-000000000001
	succeeds
	first=$(address)
	[ "$(identities)" = "net default/mysql/store $first a 5f1b6c1e-0000-4000-8000-000000000001" ]
	at b '' "$sets"
	allocation 5f1b6c1e-0000-4000-8000-000000000002
	fails 11 'identity net default/mysql/store is held on node a'
	at a '' "$sets"
	ended 5f1b6c1e-0000-4000-8000-000000000001
	at b '' "$sets"
	allocation 5f1b6c1e-0000-4000-8000-000000000002
	succeeds
	[ "$(address)" = "$first" ]
}

@test "the host name changes while a pod runs: its DEL frees the identity" {
	at a
	started web-0 c1
	first=$ADDRESS
	CONF=${CONF/'"node": "a"'/'"node": "renamed"'}
	ended c1
	at b
	started web-0 c2
	[ "$ADDRESS" = "$first" ]
}

@test "a node that is a container starts again without its files: its identities are free, and its blocks are its own" {
	printf '#!/bin/sh\nexec unshare -pf --mount-proc sh -c '\''sleep 0.1; "$@"; exit $?'\'' sh %s "$@"\n' "$BUILD/addrpool" >"$BATS_TEST_TMPDIR/addrpool"
	chmod +x "$BATS_TEST_TMPDIR/addrpool"
	export PLUGIN=$BATS_TEST_TMPDIR/addrpool
	at a
	started web-0 c1
	first=$ADDRESS
	rm -rf "$DATA"
	started web-0 c2
	[ "$ADDRESS" = "$first" ]
}

@test "a node loses its files and restarts: ipvlanctl pools confirm frees its identities for other nodes, and not before" {
	printf '#!/bin/sh\nexec unshare -pf --mount-proc sh -c '\''sleep 0.1; "$@"; exit $?'\'' sh %s "$@"\n' "$BUILD/addrpool" >"$BATS_TEST_TMPDIR/addrpool"
	chmod +x "$BATS_TEST_TMPDIR/addrpool"
	at a
	PLUGIN=$BATS_TEST_TMPDIR/addrpool started web-0 c1
	first=$ADDRESS
	rm -rf "$DATA"
	at b
	start web-0 c2
	fails 11 'is held on node a by container c1'
	at a
	jq '{ cniVersion, name, plugins: [{ type: "bridge", ipam }] }' <<<"$CONF" >"$BATS_TEST_TMPDIR/net.conflist"
	"$BUILD/ipvlanctl" pools confirm "$BATS_TEST_TMPDIR/net.conflist"
	at b
	started web-0 c2
	[ "$ADDRESS" = "$first" ]
}

@test "a second machine with the node's name and a copy of its disk does not get its identities, nor release them" {
	machine 11111111 first
	at a
	started web-0 c1
	first=$ADDRESS
	cp -a "$DATA" "$BATS_TEST_TMPDIR/copy"
	started web-1 c2
	machine 22222222 second
	CONF=${CONF/"$DATA"/"$BATS_TEST_TMPDIR/copy"}
	start web-0 c3
	fails 11 'is held on node a by container c1'
	pool DEL "$CONF" c1
	pool GC "$(jq -c '. + {"cni.dev/valid-attachments": []}' <<<"$CONF")" ''
	machine 11111111 first
	at a
	[ "$(identities | grep -c ' a c[12]$')" = 2 ]
	ended c1
	at b
	started web-0 c4
	[ "$ADDRESS" = "$first" ]
}

@test "networks that share a pool: a reservation is for the identity that ADD means" {
	at a '' "\"pool\": \"shared\", $SETS"
	"$BUILD/addrpool-claim" reserve db/web-0 10.9.0.90 <<<"$CONF"
	started web-0 c1
	[ "$ADDRESS" = 10.9.0.90 ]
	[ "$(identities)" = "net db/web-0 10.9.0.90 a c1" ]
	ended c1
	"$BUILD/addrpool-claim" release-identity db/web-0 --forget <<<"$CONF"
}

@test "an identity that is not UTF-8 is refused, and nothing is written" {
	at a
	start $'web-\xff' c1
	fails 4 'the identity is not UTF-8'
	[ -z "$(identities)" ]
	leased ''
}

@test "GC while the engine hangs keeps the notes that it does not answer" {
	at a '"timeout": 1'
	started web-0 c1
	pause_engine
	pool GC "$(jq -c '. + {"cni.dev/valid-attachments": [{containerID: "c1", ifname: "eth0"}]}' <<<"$CONF")" ''
	resume_engine
	[ -h "$OWN/blocks/kept" ]
	ended c1
}

@test "DEL on a full disk fails while the identity's end cannot be noted, and frees the identity once there is room" {
	at a
	started web-0 c1
	printf '#!/bin/sh\nexec strace -qq -o /dev/null -P identities/new -e inject=symlinkat:error=ENOSPC %s "$@"\n' "$BUILD/addrpool" >"$BATS_TEST_TMPDIR/addrpool"
	chmod +x "$BATS_TEST_TMPDIR/addrpool"
	PLUGIN=$BATS_TEST_TMPDIR/addrpool pool DEL "$CONF" c1
	fails 5 'no space left on device'
	ended c1
	at b
	started web-0 c2
}
