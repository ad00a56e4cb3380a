#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copies of the programs with one wrong line: the simulation finds each.

load ../lib/broken

# in_function NAME SED...: builds a copy in which the sed scripts have changed the function NAME of addrpool or
# addrpool-claim, which is in $FILE if several have one.
in_function() {
	local file name=$1 scripts=() script
	shift
	file=${FILE:-$(grep -l "^[a-z].*[ *]$name(" "$TOP"/ipam/*.c "$TOP"/ipam/claim/*.c)}
	for script; do
		scripts+=("/^[a-z].*[ *]$name(/,/^}/ { $script }")
	done
	broken "${file#"$TOP/"}" "${scripts[@]}"
}

# always CONDITION [SED...]: builds a copy in which a comparison in etcd succeeds if the condition is met.
always() {
	local condition=$1 etcd_compare='/^static json_t \*etcd_compare/,/^}/'
	shift
	broken ipam/claim/etcd.c "$etcd_compare s/\"EQUAL\"/$condition ? \"GREATER\" : \"EQUAL\"/" \
		"$etcd_compare s/revision);/$condition ? \"-1\" : revision);/" "$@"
}

# found RULE [TEXT]: with one of several seeds the checker reports this rule as broken, with TEXT.
found() {
	local seed
	for seed in $(seq "${SEEDS:-6}"); do
		run "$BATS_TEST_DIRNAME/run" --seed $seed --steps "${STEPS:-1200}" --counted "${COUNTED:-60}" \
			--without "${WITHOUT:-}" --kills "${KILLS:-0.08}" --more "${MORE:-}" "$BROKEN"
		[[ ${lines[-1]} = *" failed" ]] || break
		[[ $output != *$'\n'"not ok "[0-9]*" $1"*"${2:-}"* ]] || { echo "# seed $seed" >&3 && return; }
	done
	echo "$output"
	return 1
}

@test "a claim is made even if another node has the block" {
	always '!strcmp(revision, "0")'
	found 'a node changes only its own claims'
}

@test "a claim is removed without comparing its owner" {
	always '!strcmp(target, "CREATE") \&\& strcmp(revision, "0") != 0' \
		'/^static json_t \*etcd_exists/,/^}/ s/"version", "0"/"version", "-1"/'
	found 'a node changes only its own claims'
}

@test "a block is released before its note says so" {
	in_function claim_mark_returning 's/rc = block_put(&store, block, err);/rc = 0;/'
	# a call is killed between two writes, and a pod requests an address of the block before the next look
	SEEDS=16 KILLS=0.7 MORE=ask found 'a node assigns only addresses of its own blocks'
}

@test "a block is noted as owned before the engine answers" {
	in_function claim_block 's/BLOCK_CLAIMING/BLOCK_OWNED/'
	# a call is killed between two writes
	SEEDS=16 KILLS=0.7 MORE=ask found 'a node assigns only addresses of its own blocks'
}

@test "a block is released with addresses in it" {
	in_function block_mark 's/used = true/used = false/'
	found 'a node keeps a claim and its incarnation while pods have addresses'
}

@test "a block that another node has is forgotten although pods have its addresses" {
	in_function agree_lose 's/if (pods == FOUND_NOT)/if (true)/'
	MORE=restore,save found 'after an ADD that has asked the engine'
}

@test "a node that has lost its leases takes its blocks back while its pods run" {
	in_function agree_check_heir 's/if (!same_store \&\& same_boot)/if (false)/'
	found 'a node keeps a claim and its incarnation while pods have addresses'
}

@test "an ADD never looks at the engine, however old the last look is" {
	broken ipam/block.c 's/BLOCKS_COUNTED_MS)/1000000000000LL)/'
	found 'a node assigns only addresses of its own blocks' 'the node has not asked for'
}

# moved TEXT: with one of several seeds the simulation of workloads that move reports TEXT.
moved() {
	local seed
	for seed in $(seq "${SEEDS:-6}"); do
		run "$BATS_TEST_DIRNAME/identities" --seed $seed --moves "${MOVES:-60}" "$BROKEN"
		[[ $output != *$'\n'"not ok: "*"$1"* ]] || { echo "# seed $seed" >&3 && return; }
	done
	echo "$output"
	return 1
}

@test "an identity that another node holds is free" {
	FILE=ipam/claim/identity.c in_function identity_is_over 's/if (!holder)/if (true)/'
	moved ', and '
}

@test "an identity that another container of the node holds is free" {
	in_function identity_end_attachment 's/found = record_find.*/found = FOUND_NOT;/'
	moved ', and '
}

@test "DEL of an earlier container ends the present holder" {
	in_function identity_return_one 's/identity_is_holder(holder, node, owner)/holder != NULL/'
	moved ', and '
}

@test "an identity takes an address that another one has locked" {
	in_function identity_lock 's/if (found != FOUND_NOT)/found = found == FOUND_NOT ? FOUND : found; if (true)/'
	moved ', and '
}

@test "a note of an identity is removed before the engine has released it" {
	in_function identity_return_one 's/found = FOUND_NOT;/found = FOUND;/'
	moved 'is held: {'
}

@test "an identity gets other addresses when it moves" {
	in_function identity_set_holder 's/^{/{ json_object_del(hold->keep.doc, "addresses"); json_object_del(hold->keep.doc, "locked");/'
	moved 'and gets'
}
