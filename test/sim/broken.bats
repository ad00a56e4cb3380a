#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copies of the programs with one line wrong: the simulation finds each.

export TOP
TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

load ../lib/broken

# in_function NAME SED: builds a copy in which the script has changed the function, in whatever file of addrpool or
# addrpool-claim it is.
in_function() {
	local file
	file=$(grep -l "^[a-z].*[ *]$1(" "$TOP"/ipam/*.c "$TOP"/ipam/claim/*.c)
	broken "${file#"$TOP/"}" "/^[a-z].*[ *]$1(/,/^}/ { $2 }"
}

# always CONDITION [SED]: builds a copy in which a comparison in etcd succeeds where the condition is met.
always() {
	broken ipam/claim/etcd.c '/^static json_t \*compare/,/^}/ { s/"EQUAL"/'"$1"' ? "GREATER" : "EQUAL"/; s/revision);/'"$1"' ? "-1" : revision);/ }'"${2:+; $2}"
}

# found RULE [TEXT]: with one of some seeds the checker says that this rule is broken, and says TEXT.
found() {
	local seed
	for seed in $(seq "${SEEDS:-6}"); do
		run "$BATS_TEST_DIRNAME/run" --seed $seed --steps "${STEPS:-1200}" --fence "${FENCE:-60}" \
			--without "${WITHOUT:-}" --kills "${KILLS:-0.08}" --more "${MORE:-}" "$BROKEN"
		[[ ${lines[-1]} = *" failed" ]] || break
		[[ $output != *$'\n'"not ok "[0-9]*" $1"*"${2:-}"* ]] || { echo "# seed $seed" >&3 && return; }
	done
	echo "$output"
	return 1
}

@test "a claim is made whether or not another has the block" {
	always '!strcmp(revision, "0")'
	found 'a node writes and removes no claims but its own'
}

@test "a claim is removed without a look at whose it is" {
	always '!strcmp(target, "CREATE") \&\& strcmp(revision, "0") != 0' \
		's/"VERSION", "result", "GREATER", "version", "0"/"VERSION", "result", "GREATER", "version", "-1"/'
	found 'a node writes and removes no claims but its own'
}

@test "a block is released before it is written down that it is to be released" {
	in_function mark_returning 's/rc = block_put(&store, block, err);/rc = 0;/'
	# killed between two writes of one call, and asked for an address there before the next look
	SEEDS=16 KILLS=0.7 MORE=ask found 'a node gives addresses of its own blocks alone'
}

@test "a block is written down as owned before the engine says so" {
	in_function '\(claim_one\|claim_block\)' 's/BLOCK_CLAIMING/BLOCK_OWNED/'
	found 'a node gives addresses of its own blocks alone'
}

@test "a block is released with addresses in it" {
	in_function mark 's/used = true/used = false/'
	found 'no claim is removed by its own node'
}

@test "a node that has lost its leases takes its blocks back under its pods" {
	in_function check_heir 's/if (!strcmp(claim->boot, node->self.boot))/if (false)/; s/if (!same_store \&\& same_boot)/if (false)/'
	found 'no claim is removed by its own node'
}

@test "an ADD does not look at the engine, however long ago the last look was" {
	broken ipam/block.c 's/^#define FENCE_MS .*/#define FENCE_MS 1000000000000LL/'
	found 'a node gives addresses of its own blocks alone' 'the node has not asked for'
}
