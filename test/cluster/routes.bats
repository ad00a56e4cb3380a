#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# "blockRoutes": the routes of a node's blocks and identities, when calls are killed, when the kernel refuses,
# and when the configuration changes.

load ../lib/cluster
load ../lib/faulty-claim

ROUTED='"blockSize": 1, "timeout": 5, "blockRoutes": true'

setup() {
	make_places
	start_engine
	make_faulty_claim
	on a "$ROUTED"
}

teardown() {
	stop_engine
	ip route flush proto 105
	ip route flush proto static
}

# routes: those of blocks, as own() and noted() print blocks.
routes() {
	ip -4 route show type unreachable proto 105 | awk '{ print $2 ($2 ~ "/" ? "" : "/32") }' | sort -V | xargs
}

# noted: the blocks with a note, whatever it says.
noted() {
	find "$OWN/blocks" -name '*-*' -printf '%f\n' | tr - / | sort -V | xargs
}

# within "A B" "A B C": the second has all of the first.
within() {
	local one
	for one in $1; do
		[[ " $2 " = *" $one "* ]] || { echo "$one is not in: $2"; return 1; }
	done
}

# counted: an ADD and its DEL, in which the engine counts the node's blocks.
counted() {
	rm -f "$OWN"/blocks/{counted,uncounted,failed}
	add counted
	drops "$CONF" counted
}

# follow: the routes are those of the node's blocks.
follow() {
	[ "$(routes)" = "$(own)" ] || { echo "routes: $(routes); blocks: $(own)"; return 1; }
}

# recorded: no route lacks a note, by which a later call finds it; addresses of no block are assigned without a route.
recorded() {
	within "$(own)" "$(routes)" && within "$(routes)" "$(noted)"
}

# claims_despite KIND LEAST [CHECK]: with each fault of the kind, of which there are so many, on the way of a claim.
claims_despite() {
	local fault cases=0
	add c0
	traced ADD counted
	drops "$CONF" counted
	while read -r fault; do
		add filler # takes the spare block
		echo "$fault" >"$BIN/fault"
		pool ADD "$CONF" victim
		rm "$BIN/fault"
		"${3:-recorded}" || { echo "$fault"; return 1; }
		counted
		follow || { echo "$fault"; return 1; }
		drops "$CONF" victim
		drops "$CONF" filler
		follow || { echo "$fault"; return 1; }
		cases=$((cases + 1))
	done < <(faults "$1")
	echo "# $1: $cases cases" >&3
	[ "$cases" -ge $(($2 / $(fault_step "$1"))) ]
}

routes_are_mended() {
	recorded
	counted
	follow
}

# returns_despite KIND LEAST: on the way of a return.
returns_despite() {
	local cases
	faulty_returns "$1" routes_are_mended
	drops "$CONF" c0
	[ -z "$(own)$(routes)" ]
	echo "# $1: $cases cases" >&3
	[ "$cases" -ge $(($2 / $(fault_step "$1"))) ]
}

@test "killed after any step of a claim, no block has addresses without its route, and no route is forgotten" {
	claims_despite step 20
}

@test "killed after any step of a return, it is the same" {
	returns_despite step 12
}

@test "failed at any system call about files of a claim, it is the same" {
	claims_despite errors 40
}

@test "failed at any system call about files of a return, it is the same" {
	returns_despite errors 40
}

@test "if the kernel refuses a block's route, the next call that asks the engine makes it" {
	claims_despite netlink 4 :
}

@test "if the kernel does not remove a block's route, the block stays noted until it does" {
	returns_despite netlink 4
}

@test "blockRoutes in the configuration of a node that has blocks makes their routes, and without it they go" {
	on a '"blockSize": 4'
	for i in 1 2 3 4 5; do
		add c$i
	done
	[ -z "$(routes)" ]
	on a '"blockSize": 4, "blockRoutes": true'
	counted
	[ "$(routes | wc -w)" = 2 ]
	follow
	on a '"blockSize": 4'
	counted
	[ -z "$(routes)" ]
}

@test "a DEL with the configuration of before blockRoutes leaves the routes of blocks that stay" {
	local before i
	on a '"blockSize": 4'
	before=$CONF
	for i in {1..10}; do
		add c$i
	done
	on a '"blockSize": 4, "blockRoutes": true'
	counted
	[ "$(routes | wc -w)" -ge 3 ]
	follow
	for i in {1..9}; do
		drops "$before" c$i
		follow
	done
	[ "$(routes)" ]
	drops "$before" c10
	[ -z "$(own)$(routes)" ]
}

@test "a DEL with the configuration of before makes no route that later ones have not, also after a restart of the machine" {
	local before i
	on a '"blockSize": 4, "blockRoutes": true'
	before=$CONF
	machine 11111111
	for i in {1..10}; do
		add c$i
	done
	follow
	on a '"blockSize": 4'
	counted
	[ -z "$(routes)" ]
	machine 22222222
	for i in {1..10}; do
		drops "$before" c$i
		[ -z "$(routes)" ]
	done
	[ -z "$(own)" ]
}

@test "routes that a stranger has removed are made again, and those of others stay" {
	local others
	ip route add unreachable 10.9.0.200 proto 105 metric 4096
	ip route add unreachable 10.9.0.0/24 proto static
	ip route add 10.9.0.1 dev lo proto 105
	others=$(ip route)
	add c1
	[ "$(ip route | wc -l)" -gt 3 ]
	ip route flush proto 105 type unreachable
	ip route add unreachable 10.9.0.200 proto 105 metric 4096
	counted
	within "$(own)" "$(routes)"
	drops "$CONF" c1
	[ "$(ip route)" = "$others" ]
}

# writable on|off: etcd's database has reached its quota, or not.
writable() {
	local action=DEACTIVATE
	[ "$1" = on ] || action=ACTIVATE
	curl -sfm 5 -o /dev/null "$ETCD_URL/v3/maintenance/alarm" -d "{\"action\": \"$action\", \"alarm\": \"NOSPACE\"}"
}

@test "while the engine has lost a block and does not accept it again, its pods keep the route" {
	add c1
	before=$(routes)
	"$BUILD/addrpool" release-node --yes a <(node janitor) >/dev/null
	writable off
	for i in 2 3; do
		rm -f "$OWN"/blocks/{counted,uncounted,failed}
		pool ADD "$CONF" "c$i"
		fails 11 ''
		[ "$(routes)" = "$before" ]
	done
	writable on
	counted
	follow
	within "$before" "$(routes)"
}

@test "networks that share the engine's pool keep each other's routes" {
	local first second
	on a "$ROUTED, \"pool\": \"lan\""
	add c1
	first=$(own)
	CONF=${CONF/\"name\": \"net\"/\"name\": \"two\"}
	OWN=$DATA/.addrpool/two
	add c1
	counted
	second=$(own)
	[ -n "$first" ] && [ -n "$second" ] && within "$first $second" "$(routes)"
	drops "$CONF" c1
	[ "$(routes)" = "$first" ]
}

# held: the addresses of the identities that the node has noted as held.
held() {
	local link text all=''
	for link in "$OWN"/identities/*; do
		text=$(readlink "$link") || continue
		set -- $text
		[ "$1" != held ] || all+=" $4/32"
	done
	xargs -n 1 <<<"$all" | sort -V | xargs
}

# moves_despite VERB: killed in it, of an identity.
moves_despite() {
	local fault cases=0
	on a "$ROUTED" '"sticky": "POD", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]'
	export CNI_ARGS="IgnoreUnknown=1;POD=first"
	add first
	CNI_ARGS="IgnoreUnknown=1;POD=second"
	[ "$1" = ADD ] || add second
	traced "$1" second
	drops "$CONF" second
	while read -r fault; do
		[ "$1" = ADD ] || add second
		echo "$fault" >"$BIN/fault"
		pool "$1" "$CONF" second
		rm "$BIN/fault"
		drops "$CONF" second
		rm -f "$OWN"/blocks/{failed,kept}
		"$BUILD/addrpool-claim" return <<<"$CONF" >/dev/null
		[ "$(routes)" = "$(held)" ] && [ "$(wc -w <<<"$(held)")" = 1 ] || { echo "$fault: $(routes); $(held)"; return 1; }
		cases=$((cases + 1))
	done < <(step_faults)
	CNI_ARGS="IgnoreUnknown=1;POD=first"
	drops "$CONF" first
	[ -z "$(routes)" ]
	echo "# $1: $cases cases" >&3
	[ "$cases" -ge 10 ]
}

@test "killed after any step of an identity's ADD or DEL, the next call mends its route" {
	moves_despite ADD
	moves_despite DEL
}
