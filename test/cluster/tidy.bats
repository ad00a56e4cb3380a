#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl gc returns the blocks and identities of a node that no pod uses, when no DEL comes that would, and doctor
# names those that no configuration has.

load ../lib/cluster

setup() {
	make_places
	start_engine
	export NETCONFPATH=$BATS_TEST_TMPDIR/net.d
	mkdir "$NETCONFPATH"
}

teardown() {
	stop_engine
}

# configured: the present node's configuration is the machine's.
configured() {
	jq '{ cniVersion, name, plugins: [{ type: "bridge", ipam }] }' <<<"$CONF" >"$NETCONFPATH/net.conflist"
}

# apart COMMAND...: without this machine's pods
apart() {
	run --separate-stderr unshare -m sh -c 'for dir in /run/cni /var/lib/cni; do [ ! -d $dir ] || mount -t tmpfs none $dir; done; exec "$@"' sh "$@"
}

# gc [OPTION...]: ipvlanctl gc with the present node's configuration
gc() {
	configured
	apart "$BUILD/ipvlanctl" gc "$@"
}

# doctor: what it says of stores
doctor() {
	configured
	apart "$BUILD/ipvlanctl" doctor
	STORES=$(grep -A1 ' store: ' <<<"$output" || :)
}

# remedied: the remedy of doctor succeeds.
remedied() {
	apart env "PATH=$BUILD:$PATH" sh -c "${STORES#*-> if *: }"
	succeeds
}

# pods: the present node gets six pods, in three blocks of two.
pods() {
	local i
	for i in {1..6}; do
		add "c$i"
	done
}

drain() {
	local i
	for i in {1..6}; do
		drops "$CONF" "c$i"
	done
}

has_nothing() {
	[ -z "$(claims a)" ]
	[ -z "$(own)" ]
}

@test "a node is drained while the engine is away: gc lists its blocks, and returns them with --yes" {
	local before
	on a '"blockSize": 2, "timeout": 1'
	pods
	# a stopped process would execute requests later
	stop_engine
	drain
	start_engine
	before=$(claims a)
	[ "$(wc -w <<<"$before")" -ge 3 ]
	changed=$(snapshot)
	gc
	succeeds
	[[ $output = *'network net, pool net: no pod of this node uses it'* ]]
	[ "$(sed -n 's/^ *block //p' <<<"$output" | xargs)" = "$before" ]
	[[ $output = *'Nothing was changed: ipvlanctl gc --yes'* ]]
	changes_nothing "$changed"
	[ "$(claims a)" = "$before" ]
	gc --yes --quiet
	succeeds
	[[ $output = *'network net, pool net: no pod of this node uses it: returned'* ]]
	[ "$(sed -n 's/^ *block //p' <<<"$output" | xargs)" = "$before" ]
	has_nothing
	gc --yes --quiet
	succeeds
	[ -z "$output" ]
}

@test "a node is drained with reuseDelay: gc returns its blocks after the delay, and none before" {
	on a '"blockSize": 2' '"reuseDelay": 1000'
	pods
	drain
	before=$(claims a)
	gc --yes
	succeeds
	[ "$output" = 'No pod that is gone holds anything.' ]
	[ "$(claims a)" = "$before" ]
	on a '"blockSize": 2' '"reuseDelay": 1'
	sleep 1.1
	gc --yes
	succeeds
	has_nothing
}

@test "gc sends no request if the node has nothing too much: never used, with pods, drained" {
	local before
	on a '"blockSize": 2'
	gc --yes
	succeeds
	pods
	before=$(requests)
	gc --yes
	succeeds
	[ "$output" = 'No pod that is gone holds anything.' ]
	[ "$(requests)" = "$before" ]
	drain
	before=$(requests)
	gc --yes
	succeeds
	[ "$(requests)" = "$before" ]
	stop_engine
	gc --yes
	succeeds
}

@test "the engine does not answer: gc says so, its exit status is 1, and it asks once for each network" {
	on a '"blockSize": 2, "timeout": 1'
	pods
	pause_engine
	drain
	gc --yes
	[ "$status" = 1 ]
	[ "$(grep -c 'ipvlanctl: network net: cannot return blocks or identities that no pod uses: .*127.0.0.1' <<<"$stderr")" = 1 ]
	[ -z "$output" ]
	resume_engine
	gc --yes
	succeeds
	has_nothing
}

@test "a claim that a killed ADD left on a node without pods goes back" {
	on a '"blockSize": 2'
	add c1
	link=$(echo "$OWN"/blocks/*-*)
	ln -sfn "$(readlink "$link" | sed 's/^owned/claiming/')" "$link"
	rm "$STORE/$ADDRESS"
	gc
	[[ $output = *" block $(claims a)"* ]]
	gc --yes
	succeeds
	has_nothing
}

@test "an identity whose DEL did not reach the engine is returned" {
	on a '"timeout": 1' '"sticky": "POD", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]'
	CNI_ARGS="IgnoreUnknown=1;POD=web" add c1
	pause_engine
	drops "$CONF" c1
	resume_engine
	gc
	[[ $output = *'      identity web'* ]]
	[ "$("$BUILD/addrpool-claim" identities <<<"$CONF" | jq -r '.[].holder.container')" = c1 ]
	gc --yes
	succeeds
	[[ $output = *': returned'*'      identity web'* ]]
	[ "$("$BUILD/addrpool-claim" identities <<<"$CONF" | jq -r '.[].holder')" = null ]
}

@test "GC of a runtime returns blocks also within a minute after the engine failed" {
	on a '"blockSize": 2, "timeout": 1'
	pods
	pause_engine
	drain
	resume_engine
	pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": []}" ''
	succeeds
	has_nothing
}

@test "a network is renamed while it has pods: doctor names its blocks, and its remedy returns those without one" {
	local pod old
	on a '"blockSize": 2, "timeout": 1'
	pods
	doctor
	[ -z "$STORES" ]
	old=$CONF
	CONF=${CONF/'"name": "net"'/'"name": "new"'}
	doctor
	[[ $STORES = *"warning  store: no configuration has the shared pool of $DATA/net: "*" blocks, 6 leases. The blocks stay claimed for this node"* ]]
	pause_engine
	for pod in c1 c2 c3 c4 c5; do
		drops "$old" $pod
	done
	resume_engine
	remedied
	CONF=$old
	leased "$ADDRESS"
	[ "$(claims a | wc -w)" = 2 ] # that of the pod, and an empty one
	drops "$old" c6
	[ -z "$(claims a)" ]
}

@test "a network is renamed although a drain left it blocks: after its remedy doctor says nothing more" {
	local old
	on a '"blockSize": 2, "timeout": 1'
	pods
	pause_engine
	drain
	resume_engine
	old=$CONF
	CONF=${CONF/'"name": "net"'/'"name": "new"'}
	doctor
	[[ $STORES = *" blocks, 0 leases."* ]]
	remedied
	[[ $output = *'network net, pool net: no pod of this node uses it: returned'* ]]
	doctor
	[ -z "$STORES" ]
	CONF=$old
	[ -z "$(claims a)" ]
}

@test "a network no longer shares its pool: doctor names its blocks" {
	on a '"blockSize": 2'
	add c1
	CONF=$(conf)
	doctor
	[[ $STORES = *"warning  store: no configuration has the shared pool of $DATA/net: 1 blocks, 1 leases."*"-> write the configuration that it had into a file of an empty directory DIR: NETCONFPATH=DIR ipvlanctl gc --yes" ]]
}

@test "leases without a configuration, as another program leaves them, are no fault" {
	on a
	mkdir -p "$DATA/cbr0"
	printf 'c1\r\neth0' >"$DATA/cbr0/10.7.0.2"
	doctor
	[[ $STORES = *"ok       store: no configuration has the leases of $DATA/cbr0: 1. Remove the directory if no pod has them"* ]]
}
