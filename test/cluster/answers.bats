#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # what is set here is for the words that are loaded
# Engines with wrong answers. Each time ADD fails in time, names endpoint and cause, and assigns nothing.

load ../lib/cluster
load ../lib/scripted

setup() {
	make_places
	scripted_start
}

teardown() {
	scripted_stop
}

etcd() {
	ENGINE="\"etcd\": {\"endpoints\": [\"$SCRIPTED_URL\"]}"
	on a "\"timeout\": ${1:-8}"
}

kubernetes() {
	scripted_kubernetes
	on a "\"timeout\": ${1:-8}"
}

# refuses CODE TEXT [SECONDS]: with both engines an ADD fails with it, within its time, and leases nothing.
refuses() {
	local engine started
	for engine in etcd kubernetes; do
		$engine "${3:-}"
		started=$SECONDS
		pool ADD "$CONF" c1
		fails "$1"
		[[ $output = *"$SCRIPTED_URL"*"$2"* ]] || { echo "$engine does not say $2: $output"; return 1; }
		[ $((SECONDS - started)) -lt 40 ]
		leased ''
		[ -z "$(own)" ]
		rm -rf "$DATA"
	done
}

# The answers before a claim: the node has no claims, and the candidates are free.
begins() {
	answers 200 "{\"items\": [${1:-}]}"
	[ -n "${1:-}" ] || answers 200 '{"rows": [{"cells": ["net-pool", "blockSize=16", "1m"]}]}'
}

@test "the engine hangs" {
	answers hangs
	refuses 11 'timed out' 2
}

@test "no answer in a connection" {
	answers ''
	: >"$SCRIPTED/answer-1"
	refuses 11 'Empty reply'
}

@test "the engine hangs: of several ADDs of workloads at once only the first one asks it" {
	local n pids=()
	ENGINE="\"etcd\": {\"endpoints\": [\"$SCRIPTED_URL\"]}"
	on a '"timeout": 5' '"sticky": "K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]'
	answers hangs
	for n in 1 2 3 4; do
		(
			export CNI_ARGS="K8S_POD_NAME=web-$n"
			pool ADD "$CONF" "c$n"
			fails 11 'timed out' && touch "$BATS_TEST_TMPDIR/failed.$n"
		) 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	ls "$BATS_TEST_TMPDIR"/failed.[1-4]
	[ "$(asked | wc -l)" = 1 ]
}

@test "half an answer" {
	answers half '{"header": {'
	refuses 11 ''
}

@test "not HTTP" {
	answers x
	echo "220 smtp.example.org" >"$SCRIPTED/answer-1"
	refuses 11 ''
}

@test "not JSON" {
	answers 200 '<html>Welcome to nginx!</html>'
	refuses 11 'HTTP 200 with an answer that is not JSON'
}

@test "an empty answer" {
	answers 200
	refuses 11 'HTTP 200 with an answer that is not JSON'
}

@test "500" {
	answers 500 '{"message": "etcdserver: no leader"}'
	refuses 11 'HTTP 500: etcdserver: no leader'
}

@test "503 without a message" {
	answers 503
	refuses 11 'HTTP 503'
}

@test "429 with a Retry-After longer than the call may take" {
	answers 429 '{}' 'Retry-After: 30'
	refuses 11 'HTTP 429'
}

@test "etcd's database is full: the ADD fails at once, and its error has the remedy" {
	etcd
	answers 429 '{"code": 8, "message": "etcdserver: mvcc: database space exceeded"}'
	pool ADD "$CONF" c1
	fails 11 'HTTP 429: etcdserver: mvcc: database space exceeded'
	explains 'etcdctl alarm disarm'
	[ "$(asked | wc -l)" = 1 ]
}

@test "400" {
	answers 400 '{"message": "bad request"}'
	refuses 7 'HTTP 400: bad request'
}

@test "404, the address of another service" {
	answers 404 '{}'
	refuses 7 'HTTP 404'
}

@test "a redirection is not followed" {
	answers 302 '' "Location: http://127.0.0.1:1/"
	refuses 7 'HTTP 302'
}

@test "an endless answer is cut off" {
	cat >"$SCRIPTED/endless" <<-'SERVE'
		#!/bin/sh
		printf 'HTTP/1.1 200 OK\r\n\r\n['
		exec yes '1,'
	SERVE
	chmod +x "$SCRIPTED/endless"
	mv "$SCRIPTED/endless" "$SCRIPTED/serve" # which may run
	refuses 11 'the answer is too long'
}

@test "of 262 144 blocks one is free: Kubernetes' answer with the names of all others is read" {
	awk 'BEGIN {
		printf "HTTP/1.1 200 OK\r\n\r\n{\"rows\": [{\"cells\": [\"net-pool\", \"blockSize=64\", \"1m\"]}"
		for (n = 0; n < 262144; n++)
			if (n != 77777)
				printf ", {\"cells\": [\"net-10.%d.%d.%d-26\", \"ip-10-0-%05d.example.org\", \"%dd\"], \"object\": null}",
					n / 1024, n / 4 % 256, n % 4 * 64, n / 52, n % 365
		print "]}"
	}' >"$SCRIPTED/all"
	# all candidates of a look are taken
	cat >"$SCRIPTED/asked-for" <<-'SERVE'
		#!/bin/bash
		cd "$(dirname "$0")" || exit
		read -r method path _
		echo "$method $path" >>asked
		case $method\ $path in
		GET*+in+*)
			printf 'HTTP/1.1 200 OK\r\n\r\n{"rows": [{"cells": ["net-pool", "blockSize=64", "1m"]}'
			grep -o '10\.[0-9.]*-26' <<<"$path" | xargs printf ', {"cells": ["net-%s", "b", "1m"]}'
			echo ']}'
			;;
		GET*includeObject*) cat all ;;
		GET*) printf 'HTTP/1.1 200 OK\r\n\r\n{"items": []}' ;;
		POST*)
			IFS= read -rd '' -t 1 created
			grep -o '"name":"net-[^"]*"' <<<"$created" >created
			printf 'HTTP/1.1 403 X\r\n\r\n{"message": "enough"}'
			;;
		esac
	SERVE
	chmod +x "$SCRIPTED/asked-for"
	mv "$SCRIPTED/asked-for" "$SCRIPTED/serve"
	scripted_kubernetes
	on a '"blockSize": 64' '"ranges": [[{"subnet": "10.0.0.0/8"}]]'
	pool ADD "$CONF" c1
	fails 7 enough
	[ "$(cat "$SCRIPTED/created")" = '"name":"net-10.75.244.64-26"' ]
	[ "$(asked | grep -c includeObject)" = 17 ]
}

@test "JSON of another shape: addrpool-claim takes no block for claimed" {
	local body
	for body in '[]' '1' '{"kvs": 1, "items": 1}' '{"succeeded": "yes"}' '{"kvs": [1, null, {}], "items": [1, null, {}]}' \
		'{"kvs": [{"key": "%%%", "value": 1}], "items": [{"metadata": {"name": 1, "annotations": []}}]}'; do
		forget_answers
		answers 200 "$body"
		for engine in etcd kubernetes; do
			$engine 1
			pool ADD "$CONF" c1
			[ "$status" = 1 ]
			leased ''
			[ -z "$(own)" ]
		done
	done
}

@test "etcd lists keys outside the range that it was asked for: they are no identities" {
	local key
	etcd 1
	for key in /ipvlan-cni/net/p /ipvlan-cni/net/pool /ipvlan-cni/net/~address/10.9.0.70; do
		forget_answers
		answers 200 "{\"kvs\": [{\"key\": \"$(printf %s "$key" | base64)\", \"value\": \"e30=\"}]}"
		run "$BUILD/addrpool-claim" identities <<<"$CONF"
		[ "$status" = 0 ]
		[ "$output" = '[]' ]
	done
}

@test "429 with a short Retry-After: addrpool-claim waits and asks again" {
	local started=$SECONDS
	kubernetes 10
	answers 429 '{}' 'Retry-After: 2'
	begins
	answers 403 '{"message": "enough"}'
	pool ADD "$CONF" c1
	fails 7 enough
	[ $((SECONDS - started)) -ge 2 ]
	[ "$(asked | wc -l)" = 4 ]
}

@test "an endpoint that is busy for long keeps no call from the others, and the next call begins with the one that answered" {
	local size
	etcd_start "$BATS_TEST_TMPDIR/etcd"
	ENGINE="\"etcd\": {\"endpoints\": [\"$SCRIPTED_URL\", \"http://127.0.0.1:1\", \"$ETCD_URL\"]}"
	answers 503 '{}' 'Retry-After: 30'
	for size in 16 8; do
		on "of-$size" "\"timeout\": 4, \"blockSize\": $size"
		mkdir -p "$OWN/blocks"
		ln -s "$SCRIPTED_URL" "$OWN/blocks/endpoint"
		rm -f "$SCRIPTED/asked"
		pool ADD "$CONF" c1
		if [ $size = 16 ]; then succeeds; else fails 7 'pool net has blocks of 16'; fi
		[ "$(asked | wc -l)" = 1 ]
		[ "$(readlink "$OWN/blocks/endpoint")" = "$ETCD_URL" ]
	done
	etcd_stop
}

@test "nodes that are told to come back in two seconds come back later, and not all after the same time" {
	local n pids=() waited
	cat >"$SCRIPTED/timed" <<-'SERVE'
		#!/bin/bash
		cd "$(dirname "$0")" || exit
		read -r _ path _
		while read -r header && [ "${header%$'\r'}" ]; do :; done
		node=$(cut -d/ -f6 <<<"$path")
		date +%s%3N >>"times.$node"
		if [ "$(wc -l <"times.$node")" = 1 ]; then
			printf 'HTTP/1.1 429 X\r\nContent-Length: 2\r\nRetry-After: 2\r\n\r\n{}'
		else
			printf 'HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\n{}'
		fi
	SERVE
	chmod +x "$SCRIPTED/timed"
	mv "$SCRIPTED/timed" "$SCRIPTED/serve"
	scripted_kubernetes
	for n in {1..10}; do
		(
			ENGINE=${ENGINE%\}}", \"namespace\": \"node-$n\"}"
			on "node-$n"
			pool ADD "$CONF" c1
			fails 7 'HTTP 403'
		) 3>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n"
	done
	waited=$(for n in {1..10}; do awk '{ from = NR == 1 ? $1 : from; to = $1 } END { print to - from }' "$SCRIPTED/times.node-$n"; done | sort -n)
	[ "$(head -n 1 <<<"$waited")" -ge 2000 ]
	[ $(($(tail -n 1 <<<"$waited") - $(head -n 1 <<<"$waited"))) -ge 700 ]
}

@test "500 and hanging, once each: the next attempt succeeds" {
	kubernetes 20
	answers 500
	begins
	answers 503
	answers 403 '{"message": "enough"}'
	pool ADD "$CONF" c1
	fails 7 enough
	[ "$(asked | cut -d' ' -f1 | xargs)" = "GET GET GET POST POST" ]
}

@test "409 for the pool's record: another node has just made it, with another block size" {
	kubernetes
	answers 200 '{"items": []}'
	answers 200 '{"rows": []}'
	answers 404 '{"reason": "NotFound"}'
	answers 409
	answers 200 '{"metadata": {"annotations": {"ipvlan-cni/block-size": "8"}}}'
	pool ADD "$CONF" c1
	fails 7 'ipam.cluster.blockSize is 16 here, but pool net has blocks of 8'
	leased ''
}

@test "409 for the pool's record, and it names no block size" {
	kubernetes
	answers 200 '{"items": []}'
	answers 200 '{"rows": []}'
	answers 404 '{"reason": "NotFound"}'
	answers 409
	answers 200 '{"metadata": {}}'
	pool ADD "$CONF" c1
	fails 7 'record of pool net has no block size'
	[[ $output = *'ipvlan-cni/block-size'* ]]
	leased ''
}

@test "409, and the existing claim is this node's: an answer was lost before" {
	local incarnation name
	kubernetes
	begins
	answers 403
	pool ADD "$CONF" c1
	fails 7
	incarnation=$(readlink "$STORE/incarnation")
	name=$(asked | sed -n 's/.*"name":"\(net-[^"]*\)".*/\1/p')
	forget_answers
	begins
	answers 409
	answers 200 "{\"metadata\": {\"name\": \"$name\", \"uid\": \"u1\", \"resourceVersion\": \"7\",
		\"annotations\": {\"ipvlan-cni/block\": \"$(sed 's/net-//; s,-\([0-9]*\)$,/\1,' <<<"$name")\", \"ipvlan-cni/network\": \"net\",
		\"ipvlan-cni/incarnation\": \"$incarnation\"}}, \"spec\": {\"holderIdentity\": \"a\"}}"
	add c1
	[ "$(own)" = "$(sed 's/net-//; s,-\([0-9]*\)$,/\1,' <<<"$name")" ]
}

@test "409, and another node now has this machine's claim of before the restart" {
	local machine lease
	kubernetes 1
	begins
	answers 403
	pool ADD "$CONF" c1
	machine=$(asked | sed -n 's/.*"ipvlan-cni\/machine":"\([^"]*\)".*/\1/p')
	forget_answers
	lease="{\"metadata\": {\"name\": \"net-10.9.0.0-28\", \"uid\": \"u1\", \"resourceVersion\": \"7\",
		\"annotations\": {\"ipvlan-cni/block\": \"10.9.0.0/28\", \"ipvlan-cni/network\": \"net\", \"ipvlan-cni/machine\": \"$machine\",
		\"ipvlan-cni/boot\": \"an earlier one\", \"ipvlan-cni/incarnation\": \"of then\"}}, \"spec\": {\"holderIdentity\": \"a\"}}"
	begins "$lease"
	answers 409
	answers 200 "${lease/\"a\"/\"b\"}"
	pool ADD "$CONF" c1
	fails 11 'another process has just changed the claim of 10.9.0.0/28'
	[ "$(asked | cut -d' ' -f1 | tail -n 3 | xargs)" = "GET PUT GET" ]
	[[ $(asked) = *'PUT '*'"acquireTime":null'* ]] # there was none
	[[ $(asked) = *'PUT '*'"uid":"u1"'* ]] # without it, PUT makes a Lease that was deleted
	leased ''
}

@test "another node got the block first, and the note of the attempt stays" {
	local bin=$BATS_TEST_TMPDIR/bin
	kubernetes 1
	begins
	answers 409
	answers 200 '{"metadata": {"name": "net-10.9.0.64-28", "uid": "u1", "resourceVersion": "7", "annotations":
		{"ipvlan-cni/block": "10.9.0.64/28", "ipvlan-cni/network": "net"}}, "spec": {"holderIdentity": "b"}}'
	mkdir "$bin"
	cp "$BUILD/addrpool" "$bin"
	printf '#!/bin/sh\nexec strace -qq -o /dev/null -P blocks/10.9.0.64-28 -e inject=unlinkat:error=EIO %s "$@"\n' \
		"$BUILD/addrpool-claim" >"$bin/addrpool-claim"
	chmod +x "$bin/addrpool-claim"
	PLUGIN=$bin/addrpool pool ADD "$(jq -c '.runtimeConfig.ips = ["10.9.0.77"]' <<<"$CONF")" c1
	fails 5 "cannot remove $OWN/blocks/10.9.0.64-28: input/output error"
	leased ''
}

@test "with any answer of the engine, ADD assigns addresses of own blocks and DEL succeeds" {
	local boot
	kubernetes
	begins
	answers 403
	pool ADD "$CONF" c1
	mkdir -p "$OWN/blocks"
	boot=$(cut -c1-8 /proc/sys/kernel/random/boot_id).$(cut -d' ' -f22 /proc/1/stat)
	for i in 0 16 32; do
		ln -sfn "owned $boot $(readlink "$STORE/incarnation") u$i" "$OWN/blocks/10.9.0.$i-28"
	done
	answers 500
	add c1
	pool DEL "$CONF" c1
	succeeds
	[[ $stderr = *"cannot return blocks without leases, or identities: Kubernetes $SCRIPTED_URL: HTTP "* ]]
	drops "$CONF" c1
}

# lease_of NAME NODE MACHINE INCARNATION BOOT: what the API server has, as an answer.
lease_of() {
	local block=${1#net-}
	printf '{"metadata": {"name": "%s", "uid": "u1", "resourceVersion": "7", "annotations": {"ipvlan-cni/block": "%s", "ipvlan-cni/network": "net",
		"ipvlan-cni/machine": "%s", "ipvlan-cni/incarnation": "%s", "ipvlan-cni/boot": "%s"}}, "spec": {"holderIdentity": "%s"}}' \
		"$1" "${block/-/\/}" "$3" "$4" "$5" "$2"
}

# first_claim: how the first claim of the node at hand ends with 403: sets NAME of the Lease, MACHINE, BOOT and INCARNATION.
first_claim() {
	begins
	answers 403
	pool ADD "$CONF" c1
	fails 7
	NAME=$(asked | sed -n 's/.*"name":"\(net-[^"]*\)".*/\1/p')
	BOOT=$(asked | sed -n 's/.*"ipvlan-cni\/boot":"\([^"]*\)".*/\1/p')
	MACHINE=$(asked | sed -n 's/.*"ipvlan-cni\/machine":"\([^"]*\)".*/\1/p')
	INCARNATION=$(readlink "$STORE/incarnation")
	forget_answers
	: >"$SCRIPTED/asked"
}

@test "409, and another machine with a copy of this node's disk has just made the claim: this one is refused" {
	local lease
	kubernetes
	first_claim
	rm -r "$OWN/blocks"
	lease=$(lease_of "$NAME" a another-machine "$INCARNATION" 11111111-0000-4000-8000-000000000000.9)
	begins
	answers 409
	answers 200 "$lease"
	pool ADD "$CONF" c1
	fails 7 "belongs to another machine with the node name a: another-machine"
	[[ $(asked) != *PUT* ]]
	leased ''
}

@test "409 for other reasons than another Lease, such as a quota: the claim is repeated, and the note stays" {
	kubernetes
	begins
	answers 409 '{"reason": "Conflict"}'
	answers 404 '{"reason": "NotFound"}'
	answers 409 '{"reason": "Conflict"}'
	answers 404 '{"reason": "NotFound"}'
	answers 403 '{"message": "enough"}'
	pool ADD "$CONF" c1
	fails 7 enough
	[ "$(asked | cut -d' ' -f1 | xargs)" = 'GET GET POST GET POST GET POST' ]
	forget_answers
	rm -rf "$DATA"
	begins
	for _ in 1 2 3 4; do
		answers 409
		answers 404 '{"reason": "NotFound"}'
	done
	pool ADD "$CONF" c1
	fails 11 ', which does not exist'
	[[ $(readlink "$OWN"/blocks/*-28) = claiming* ]]
}

# An ADD on a node of Kubernetes has claimed a block.
has_a_block() {
	kubernetes
	first_claim
	rm -r "$OWN/blocks"
	begins
	answers 201 "$(lease_of "$NAME" a "$MACHINE" "$INCARNATION" "$BOOT")"
	pool ADD "$CONF" c1
	succeeds
}

@test "404 of a balancer without a server does not mean that a block was returned: the node returns it later" {
	has_a_block
	[ -n "$(own)" ]
	forget_answers
	answers 404 '<html>no server</html>'
	pool DEL "$CONF" c1
	succeeds
	[[ $(readlink "$OWN"/blocks/*-28) = returning* ]]
	forget_answers
	answers 200 '{"items": []}'
	answers 404 '{"reason": "NotFound"}'
	answers 404 '{"reason": "NotFound"}'
	"$BUILD/addrpool-claim" return <<<"$CONF"
	[ -z "$(own)" ]
	run ls "$OWN"/blocks/*-28
	[ "$status" = 2 ]
}

@test "the engine refuses to return a block: the next DEL asks it again at once" {
	local i
	has_a_block
	for i in 1 2; do
		forget_answers
		answers 403 '{"message": "may not"}'
		pool DEL "$CONF" c1
		succeeds
		[ -e "$SCRIPTED/count" ]
		[[ $(readlink "$OWN"/blocks/*-28) = returning* ]]
		[ ! -h "$OWN/blocks/kept" ]
	done
}

@test "a small pool in which other nodes take each free block that was seen: the node looks again" {
	local i
	kubernetes
	begins
	for i in 1 2 3 4; do
		answers 409
		answers 200 '{"metadata": {"name": "of another program"}}'
	done
	answers 200 '{"rows": [{"cells": ["net-pool", "blockSize=16", "1m"]}]}'
	answers 403 '{"message": "enough"}'
	pool ADD "$CONF" c1
	fails 7 enough
	[ "$(asked | grep -c '^POST')" = 5 ]
}

# counted_then_busy: the API server answers the count of a node without blocks, but not the list of the pool. Then it answers all.
counted_then_busy() {
	kubernetes 2
	answers 200 '{"items": []}'
	answers hangs
	pool ADD "$CONF" c1
	fails 11 'timed out'
	until [ "$(asked | wc -l)" -ge 2 ]; do sleep 0.1; done
	[[ $(asked | head -n 1) = *Selector=ipvlan-cni/tenant* ]]
	rm "$SCRIPTED/asked"
	forget_answers
}

# count_of SECONDS [BOOT]: the node's count is so old.
count_of() {
	local boot at rest
	read -r boot at rest < <(readlink "$OWN/blocks/counted")
	ln -sfn "${2:-$boot} $((at - $1 * 1000)) $rest" "$OWN/blocks/counted"
}

@test "a busy API server answers the count of a node's blocks and no more: the next ADD does not count them again" {
	counted_then_busy
	answers 200 '{"rows": [{"cells": ["net-pool", "blockSize=16", "1m"]}]}'
	answers 403 '{"message": "enough"}'
	pool ADD "$CONF" c1
	fails 7 enough
	[ "$(asked | cut -d' ' -f1 | xargs)" = "GET POST" ]
	[[ $(asked) != *Selector=ipvlan-cni/tenant* ]]
}

@test "a count of a claim that failed is not valid after a minute, in another boot, or if blocks were lost since" {
	local change
	for change in 'count_of 40' 'count_of 61' 'count_of 0 another' 'ln -sfn "$(readlink "$OWN/blocks/counted" | sed "s/ 0 -/ 1 -/")" "$OWN/blocks/counted"' 'rm "$OWN/blocks/failed"'; do
		counted_then_busy
		eval "$change"
		answers 403 '{"message": "enough"}'
		pool ADD "$CONF" c1
		fails 7 enough
		if [ "$change" = 'count_of 40' ]; then
			[[ $(asked) != *Selector=ipvlan-cni/tenant* ]] || { echo "$change: counted again"; return 1; }
		else
			[[ $(asked | head -n 1) = *Selector=ipvlan-cni/tenant* ]] || { echo "$change: not counted"; return 1; }
		fi
		rm -rf "$DATA" "$SCRIPTED/asked"
		forget_answers
	done
}

# busy_note: how many claims in turn the engine was too busy for, and the milliseconds until the next one.
busy_note() {
	readlink "$OWN/blocks/busy" | cut -d' ' -f3-
}

# busy_since SECONDS CLAIMS PAUSE: it was too busy for so many claims, the last one so long ago.
busy_since() {
	local boot at
	read -r boot at _ < <(readlink "$OWN/blocks/busy")
	ln -sfn "$boot $((at - $1 * 1000)) $2 $3" "$OWN/blocks/busy"
}

# gets_no_answer CLAIMS MOST: an ADD; so many claims in turn have got none, and the pause is shorter than MOST milliseconds.
gets_no_answer() {
	local claims pause
	pool ADD "$CONF" c1
	fails 11 'timed out'
	read -r claims pause <<<"$(busy_note)"
	[ "$claims" = "$1" ]
	((pause >= 0 && pause < $2))
}

@test "after three claims that a busy engine did not answer the node pauses, and its ADDs fail at once; then it asks again" {
	local engine
	for engine in etcd kubernetes; do
		$engine 1
		answers hangs
		gets_no_answer 1 1
		gets_no_answer 2 1
		gets_no_answer 3 20000
		busy_since 0 3 60000
		rm "$SCRIPTED/asked"
		pool ADD "$CONF" c1
		fails 11 'was too busy for the last 3 claims of this node, which asks again in'
		[ ! -e "$SCRIPTED/asked" ]
		busy_since 61 3 60000
		gets_no_answer 4 40000
		busy_since 0 1000 0
		gets_no_answer 1001 300000
		rm -rf "$DATA" "$SCRIPTED/asked"
		forget_answers
	done
}

@test "a claim that succeeds ends the count of those that a busy engine did not answer" {
	kubernetes 2
	first_claim
	answers 429
	pool ADD "$CONF" c1
	fails 11 'HTTP 429'
	[ "$(busy_note)" = "1 0" ]
	forget_answers
	begins
	answers 409
	answers 200 "$(lease_of "$NAME" a "$MACHINE" "$INCARNATION" "$BOOT")"
	add c1
	[ ! -L "$OWN/blocks/busy" ]
}

@test "pools confirm ends the pause after claims that a busy engine did not answer, if it answers now" {
	local i
	kubernetes 1
	for i in 1 2 3; do
		answers hangs
		pool ADD "$CONF" c1
		fails 11 'timed out'
	done
	busy_since 0 3 60000
	run "$BUILD/addrpool-claim" confirm --now <<<"$CONF"
	[ "$status" = 1 ]
	[ "$(busy_note)" = '3 60000' ]
	forget_answers
	begins
	"$BUILD/addrpool-claim" confirm --now <<<"$CONF"
	[ ! -L "$OWN/blocks/busy" ]
}

@test "of three members of etcd one does not run, and two are too busy: the node pauses" {
	local port
	port=$(etcd_port)
	ENGINE="\"etcd\": {\"endpoints\": [\"http://127.0.0.1:$port\", \"$SCRIPTED_URL\", \"${SCRIPTED_URL/127.0.0.1/localhost}\"]}"
	on a '"timeout": 3'
	answers hangs
	pool ADD "$CONF" c1
	fails 11 ''
	[ "$(busy_note)" = "1 0" ]
}

@test "an engine that accepts connections and has no time for TLS is busy" {
	local port
	port=$(etcd_port)
	socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" 'EXEC:sleep 60' 3>&- &
	until (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.05; done
	ENGINE="\"etcd\": {\"endpoints\": [\"https://127.0.0.1:$port\"]}"
	on a '"timeout": 2'
	pool ADD "$CONF" c1
	kill $!
	fails 11 'timed out'
	[ "$(busy_note)" = "1 0" ]
}

@test "an engine that answers errors, or does not run, is not busy: each ADD asks it" {
	local i
	kubernetes 1
	for i in 1 2 3 4; do
		answers 500
		pool ADD "$CONF" c1
		fails 11 'HTTP 500'
	done
	[ ! -L "$OWN/blocks/busy" ]
	scripted_stop
	for i in 1 2 3 4; do
		pool ADD "$CONF" c1
		fails 11 "$SCRIPTED_URL"
	done
	[ ! -L "$OWN/blocks/busy" ]
	nft 'add table ip drops; add chain ip drops output { type filter hook output priority 0; }; add rule ip drops output ip daddr 192.0.2.9 drop'
	ip addr add 192.0.2.9/32 dev lo
	ENGINE='"etcd": {"endpoints": ["http://192.0.2.9:2379"]}'
	on a '"timeout": 1'
	for i in 1 2 3 4; do
		pool ADD "$CONF" c1
		fails 11 'timed out'
	done
	ip addr del 192.0.2.9/32 dev lo
	nft delete table ip drops
	[ ! -L "$OWN/blocks/busy" ]
}

@test "a claim that a killed call may have made counts only when the API server itself has it, not its cache" {
	local lease
	kubernetes
	first_claim
	lease=$(lease_of "$NAME" a "$MACHINE" "$INCARNATION" "$BOOT")
	mkdir -p "$OWN/blocks"
	[[ $(readlink "$OWN"/blocks/*-28) = claiming* ]] # the request may have been executed
	printf 'c0\r\neth0' >"$STORE/10.9.0.$(($(sed 's/.*\.\([0-9]*\)-28/\1/' <<<"$NAME") + 3))"
	answers 200 "{\"items\": [$lease]}"
	answers 409
	answers 200 "$(lease_of "$NAME" b m i x)"
	answers 403 '{"message": "enough"}'
	pool ADD "$CONF" c1
	[ "$status" = 1 ]
	[[ $stderr = *"no longer belongs to node a, but to b"* ]] || { echo "$stderr"; return 1; }
	[ -z "$(own)" ]
}

@test "a member of etcd that is a learner, or just starts, answers 400: the next endpoint is asked" {
	local name
	etcd_start "$BATS_TEST_TMPDIR/etcd"
	ENGINE="\"etcd\": {\"endpoints\": [\"$SCRIPTED_URL\", \"$ETCD_URL\"]}"
	answers 400 '{"error": "etcdserver: rpc not supported for learner", "code": 9, "message": "etcdserver: rpc not supported for learner"}'
	for name in a b c d e f; do
		on $name
		add c1
	done
	[ -s "$SCRIPTED/asked" ]
	etcd_stop
}

# kept RECORD VERSION: etcd's answer to a read of the record.
kept() {
	answers 200 "{\"kvs\": [{\"key\": \"aw==\", \"value\": \"$(base64 -w0 <<<"$1")\", \"mod_revision\": \"$2\"}]}"
}

@test "release-identity --forget, and the answer to the removal is lost: it succeeds, and removes the address too" {
	etcd
	kept '{"identity": "net web-0", "id": "4f1a", "locked": true, "addresses": ["10.9.0.70"]}' 5
	answers 503
	answers 200 '{"responses": [{"response_range": {}}]}'
	answers 200 '{}'
	kept '{"identity": "net web-0", "id": "4f1a"}' 6
	answers 200 '{"succeeded": true}'
	run "$BUILD/addrpool-claim" release-identity web-0 --forget <<<"$CONF"
	[ "$status" = 0 ]
	[ "$(asked | cut -d' ' -f2 | xargs)" = '/v3/kv/range /v3/kv/txn /v3/kv/txn /v3/kv/range /v3/kv/range /v3/kv/txn' ]
}

@test "etcd no longer accepts the token of a call: the call authenticates once more" {
	ENGINE="\"etcd\": {\"endpoints\": [\"$SCRIPTED_URL\"], \"user\": \"u\", \"password\": \"p\"}"
	on a
	answers 200 '{"token": "one"}'
	answers 401 '{"message": "etcdserver: invalid auth token"}'
	answers 200 '{"token": "two"}'
	answers 400 '{"message": "etcdserver: revision of auth store is old"}'
	answers 400 '{"message": "enough"}'
	pool ADD "$CONF" c1
	fails 7 'auth store is old'
	[ "$(asked | cut -d' ' -f2 | xargs)" = '/v3/auth/authenticate /v3/kv/txn /v3/auth/authenticate /v3/kv/txn' ]
}

@test "HTTP 401 and 403: the hint fits" {
	kubernetes 1
	answers 401 '{"message": "Unauthorized"}'
	pool ADD "$CONF" c1
	fails 7 'HTTP 401: Unauthorized'
	[[ $output = *'does not accept the certificate, token or password of the configuration; it may have expired'* ]]
	forget_answers
	answers 403 '{"message": "leases.coordination.k8s.io is forbidden: User u cannot list resource leases"}'
	pool ADD "$CONF" c1
	fails 7 'HTTP 403'
	[[ $output = *'has no right to do this'* ]]
	forget_answers
	answers 403 '{"message": "exceeded quota: leases"}'
	pool ADD "$CONF" c1
	fails 7 'exceeded quota'
	[[ $output != *'has no right'* ]]
}
