#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The checker accepts histories that keep the rules, and finds those that break one.

setup() {
	HISTORY=$BATS_TEST_TMPDIR/history
	SEQ=0 NOW=0
	event start '"counted": 60, "subnet": "10.9.0.0/25", "blockSize": 4, "blocks": 32'
}

# event KIND MEMBERS: one more line, a second later.
event() {
	SEQ=$((SEQ + 1)) NOW=$((NOW + 1))
	printf '{"seq": %d, "t": %d, "step": %d, "kind": "%s"%s}\n' $SEQ $NOW $SEQ "$1" "${2:+, $2}" >>"$HISTORY"
}

# begins VERB NODE POD [MEMBERS]: a call begins, with the number CALL.
begins() {
	CALL=$SEQ
	event call "\"call\": $CALL, \"verb\": \"$1\", \"node\": \"$2\", \"network\": \"net\", \"pod\": \"$3\", \"away\": false, \"alone\": true${4:+, $4}"
}

# ends STATUS [MEMBERS]: that call ends.
ends() {
	event result "\"call\": $CALL, \"status\": \"$1\", \"whole\": true${2:+, $2}"
}

# claim NODE [INCARNATION]: the engine's claim of a block.
claim() {
	[ -n "$1" ] && printf '{"node": "%s", "network": "net", "incarnation": "%s", "boot": "1", "id": "7"}' "$1" "${2:-$1}" || printf null
}

# changes BLOCK BEFORE AFTER [BY]: the present call changes the claim's node; '' is not a claim.
changes() {
	event engine "\"by\": ${4:-$CALL}, \"changes\": [{\"block\": \"$1\", \"before\": $(claim "$2"), \"after\": $(claim "$3" "${5:-$3}")}]"
}

# add NODE POD ADDRESS [MEMBERS]: an ADD that does not ask the engine.
add() {
	begins ADD "$1" "$2"
	ends ok "\"address\": \"$3\"${4:+, $4}"
}

# claims NODE POD ADDRESS BLOCK: an ADD that first claims the block.
claims() {
	begins ADD "$1" "$2"
	changes "$4" '' "$1"
	ends ok "\"address\": \"$3\", \"asked\": 1, \"answered\": 1, \"listed\": true"
}

del() {
	begins DEL "$1" "$2"
	ends ok
}

# all_ends [CLAIMS [OWN [INDEX]]]: the end; then one node fills the pool.
all_ends() {
	event end "\"claims\": {${1:-}}, \"own\": {${2-\"a/net\": [], \"b/net\": []}}, \"index\": [${3:-}]"
	event filled '"given": 125, "capacity": 125'
}

good() {
	all_ends
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[ "$status" = 0 ] && [[ ${lines[-1]} = "11 passed, 0 failed" ]] || { echo "$output"; return 1; }
}

# bad RULE TEXT: the checker reports only that rule as broken, with TEXT.
bad() {
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[ "$status" = 1 ] && [[ ${lines[-1]} = "10 passed, 1 failed" && $output = *"not ok "[0-9]*" $1"* && $output = *"$2"* ]] ||
		{ echo "$output"; return 1; }
}

@test "two nodes assign addresses of their own blocks, again after a DEL, and release all" {
	claims a p1 10.9.0.5 10.9.0.4/30
	claims b p2 10.9.0.9 10.9.0.8/30
	del a p1
	add a p3 10.9.0.5
	event gone '"pod": "p3"'
	add a p4 10.9.0.5
	good
}

@test "a node assigns an address that one of its pods has" {
	claims a p1 10.9.0.5 10.9.0.4/30
	add a p2 10.9.0.5
	all_ends
	bad 'no address has two living holders' 'p2 on a/net gets 10.9.0.5, which p1 on a/net has'
}

@test "two nodes assign one address, of a block that changed its node without a cause" {
	claims a p1 10.9.0.5 10.9.0.4/30
	claims b p2 10.9.0.9 10.9.0.8/30
	begins ADD b p3
	changes 10.9.0.4/30 a b
	ends ok '"address": "10.9.0.5"'
	all_ends
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[ "$status" = 1 ]
	[[ $output = *"p3 on b/net gets 10.9.0.5, which p1 on a/net has"* ]]
	[[ $output = *"b/net claims 10.9.0.4/30, which belongs to a/net"* ]]
}

@test "after a restore another node may claim a block, and assign addresses that pods have" {
	claims a p1 10.9.0.5 10.9.0.4/30
	changes 10.9.0.4/30 a '' '"restore"'
	claims b p2 10.9.0.5 10.9.0.4/30
	good
}

@test "after a restore a pod's address may be assigned again, also when its node has claimed and released the block since" {
	claims a p1 10.9.0.5 10.9.0.4/30
	event wipe '"node": "a"'
	changes 10.9.0.4/30 a '' '"restore"'
	claims a p2 10.9.0.6 10.9.0.4/30
	begins DEL a p2
	changes 10.9.0.4/30 a ''
	ends ok
	claims b p3 10.9.0.5 10.9.0.4/30
	good
}

@test "a node that has lost its leases releases the block of a running pod: its address must not be assigned again" {
	claims a p1 10.9.0.5 10.9.0.4/30
	event wipe '"node": "a"'
	begins DEL a p2
	changes 10.9.0.4/30 a ''
	ends ok
	claims b p3 10.9.0.5 10.9.0.4/30
	all_ends
	bad 'no address has two living holders' 'p3 on b/net gets 10.9.0.5, which p1 on a/net has'
}

@test "a node assigns addresses of a lost block while it cannot know, but not a minute later" {
	claims a p1 10.9.0.5 10.9.0.4/30
	changes 10.9.0.4/30 a '' '"restore"'
	NOW=$((NOW + 30))
	add a p2 10.9.0.6
	NOW=$((NOW + 40))
	add a p3 10.9.0.7
	all_ends
	bad 'a node assigns only addresses of its own blocks' 'a/net assigns 10.9.0.7, but 10.9.0.4/30 belongs to no node, and the node has not asked for 7'
}

@test "while the engine does not answer, a node continues to assign addresses" {
	claims a p1 10.9.0.5 10.9.0.4/30
	changes 10.9.0.4/30 a '' '"restore"'
	NOW=$((NOW + 100))
	begins ADD a p2 '"away": true'
	ends ok '"address": "10.9.0.6", "asked": 1, "faults": 1'
	NOW=$((NOW + 30))
	add a p3 10.9.0.7
	good
}

@test "a node assigns addresses without a count if the process that asks is killed" {
	claims a p1 10.9.0.5 10.9.0.4/30
	changes 10.9.0.4/30 a '' '"restore"'
	NOW=$((NOW + 100))
	begins ADD a p2
	event result "\"call\": $CALL, \"status\": \"ok\", \"whole\": false, \"address\": \"10.9.0.6\", \"asked\": 1, \"answered\": 1, \"stderr\": \"addresses are assigned although the engine did not count this node's blocks: Killed\""
	good
}

@test "a node that says without a kill that the engine did not count its blocks must have asked it" {
	claims a p1 10.9.0.5 10.9.0.4/30
	changes 10.9.0.4/30 a '' '"restore"'
	NOW=$((NOW + 100))
	begins ADD a p2
	ends ok '"address": "10.9.0.6", "stderr": "addresses are assigned although the engine did not count"'
	all_ends
	bad 'a node assigns only addresses of its own blocks' 'a/net assigns 10.9.0.6, but 10.9.0.4/30 belongs to no node'
}

@test "an ADD must ask although a DEL got no answer less than a minute ago" {
	claims a p1 10.9.0.5 10.9.0.4/30
	changes 10.9.0.4/30 a '' '"restore"'
	NOW=$((NOW + 100))
	begins DEL a p1
	ends ok '"asked": 1, "faults": 1'
	NOW=$((NOW + 30))
	add a p2 10.9.0.6
	all_ends
	bad 'a node assigns only addresses of its own blocks' 'a/net assigns 10.9.0.6, but 10.9.0.4/30 belongs to no node'
}

@test "a node assigns an address of a lost block although it has asked the engine since" {
	claims a p1 10.9.0.5 10.9.0.4/30
	changes 10.9.0.4/30 a '' '"restore"'
	begins ADD a p2
	ends error '"code": 7, "message": "no", "asked": 1, "answered": 1, "listed": true'
	add a p3 10.9.0.6
	all_ends
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[[ $output = *"a/net assigns 10.9.0.6, but 10.9.0.4/30 belongs to no node, and the node has asked the engine since"* ]]
}

@test "a node assigns an address of a block that it has released" {
	claims a p1 10.9.0.5 10.9.0.4/30
	begins DEL a p1
	changes 10.9.0.4/30 a ''
	ends killed
	add a p2 10.9.0.5
	all_ends
	bad 'a node assigns only addresses of its own blocks' 'belongs to no node, and the node has released it itself'
}

@test "a node assigns an address of a block that it never owned" {
	claims a p1 10.9.0.5 10.9.0.4/30
	add b p2 10.9.0.6
	all_ends
	bad 'a node assigns only addresses of its own blocks' 'belongs to a/net, and the node never owned it'
}

@test "a node removes the claim of another node" {
	claims a p1 10.9.0.5 10.9.0.4/30
	begins DEL b p2
	changes 10.9.0.4/30 a ''
	ends ok
	all_ends
	bad 'a node changes only its own claims' 'DEL of b/net removes the claim of a/net for 10.9.0.4/30'
}

@test "release-node removes only the claims of the named node" {
	claims a p1 10.9.0.5 10.9.0.4/30
	begins release-node b "" '"of": "a"'
	changes 10.9.0.4/30 a ''
	ends ok
	event gone '"pod": "p1"'
	claims a p1 10.9.0.5 10.9.0.4/30
	begins release-node b "" '"of": "c"'
	changes 10.9.0.4/30 a ''
	ends ok
	all_ends
	bad 'a node changes only its own claims' 'release-node c takes 10.9.0.4/30 of a/net'
}

@test "a node releases a block of which a pod has an address" {
	claims a p1 10.9.0.5 10.9.0.4/30
	begins DEL a p2
	changes 10.9.0.4/30 a ''
	ends ok
	all_ends
	bad 'a node keeps a claim and its incarnation while pods have addresses' 'DEL of a/net releases 10.9.0.4/30, but pod p1 has 10.9.0.5'
}

@test "a node releases itself while a pod runs" {
	claims a p1 10.9.0.5 10.9.0.4/30
	begins release-node a "" '"of": "a"'
	changes 10.9.0.4/30 a ''
	ends ok
	all_ends
	bad 'a node keeps a claim and its incarnation while pods have addresses' 'node a releases its own 10.9.0.4/30, but pod p1 has 10.9.0.5'
}

@test "a node that has lost its leases takes its block back: after a restart, not under its pods" {
	claims a p1 10.9.0.5 10.9.0.4/30
	event restart '"node": "a", "boot": "new", "data": "lost"'
	begins ADD a p2
	changes 10.9.0.4/30 a a '' again
	ends ok '"address": "10.9.0.5"'
	event wipe '"node": "a"'
	begins ADD a p3
	changes 10.9.0.4/30 a a '' third
	ends ok '"address": "10.9.0.6"'
	all_ends
	bad 'a node keeps a claim and its incarnation while pods have addresses' 'a/net claims 10.9.0.4/30 without its leases, but pod p2 has 10.9.0.5'
}

# lost: b has taken the block of a's pod p1, and returns it; then a's ADD asks the engine.
lost() {
	claims a p1 10.9.0.5 10.9.0.4/30
	event restore '"path": "empty"'
	event engine '"by": "restore", "changes": [{"block": "10.9.0.4/30", "before": '"$(claim a)"', "after": null}]'
	claims b p2 10.9.0.6 10.9.0.4/30
	begins DEL b p2
	changes 10.9.0.4/30 b ''
	ends ok
	begins ADD a p3
}

@test "a node claims a block of its running pod again when it is free" {
	lost
	changes 10.9.0.4/30 '' a
	ends ok '"address": "10.9.0.7", "asked": 2, "answered": 2'
	del a p1
	begins DEL a p3
	changes 10.9.0.4/30 a ''
	ends ok
	good
}

@test "a node does not claim a block of its running pod again when it is free" {
	lost
	changes 10.9.0.8/30 '' a
	ends ok '"address": "10.9.0.9", "asked": 2, "answered": 2'
	del a p1
	begins DEL a p3
	changes 10.9.0.8/30 a ''
	ends ok
	all_ends
	bad 'after an ADD that has asked the engine' 'p1 on a/net has 10.9.0.5, and no node has 10.9.0.4/30'
}

@test "a GC has compared the notes within the minute: an ADD need not ask the engine" {
	claims a p1 10.9.0.5 10.9.0.4/30
	NOW=$((NOW + 60))
	begins GC a ''
	ends ok '"asked": 1, "answered": 1, "listed": true'
	event restore '"path": "empty"'
	event engine '"by": "restore", "changes": [{"block": "10.9.0.4/30", "before": '"$(claim a)"', "after": null}]'
	NOW=$((NOW + 40))
	add a p2 10.9.0.6
	del a p1
	del a p2
	good
}

@test "CHECK fails for a pod without a fault" {
	claims a p1 10.9.0.5 10.9.0.4/30
	begins CHECK a p1
	ends error '"code": 102, "message": "no"'
	all_ends
	bad 'CHECK succeeds for a pod' 'CHECK of p1 on a/net with 10.9.0.5: no'
}

@test "an ADD fails while blocks are free" {
	begins ADD a p1
	ends error '"code": 11, "message": "no block of pool net is free"'
	all_ends
	bad 'an undisturbed ADD succeeds' '32 blocks are free, and ADD on a/net fails: no block of pool net is free'
}

# reinstalled_and_restored BLOCK ADDRESS [BACKUP]...: there are the backups 1 and 2; node a loses its leases, then claims
# BLOCK; then the last of these backups shows its old claim.
reinstalled_and_restored() {
	event save '"path": "1"'
	claims a p1 10.9.0.5 10.9.0.4/30
	event save '"path": "2"'
	event gone '"pod": "p1"'
	event restart '"node": "a", "boot": "new", "data": "lost"'
	begins ADD a p2
	changes "$1" "$([ "$1" != 10.9.0.4/30 ] || echo a)" a "$CALL" a2
	ends ok '"address": "'$2'", "asked": 1, "answered": 1'
	for backup in "${@:3}"; do
		event restore "\"path\": \"$backup\""
	done
	changes 10.9.0.4/30 "$([ "$1" != 10.9.0.4/30 ] || echo a)" a '"restore"'
	begins ADD a p3
	ends error '"code": 7, "message": "another machine", "asked": 1, "answered": 1'
}

@test "a backup shows a claim of lost leases that the node has never seen: ADD may refuse" {
	reinstalled_and_restored 10.9.0.8/30 10.9.0.9 2
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[[ $output = *"ok "[0-9]*" an undisturbed ADD succeeds"* && $output != *"not ok "[0-9]*" an undisturbed ADD"* ]]
}

@test "a backup shows a claim that the node has taken over before: ADD must not refuse" {
	reinstalled_and_restored 10.9.0.4/30 10.9.0.6 2
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[[ $output = *"not ok "[0-9]*" an undisturbed ADD succeeds"* ]]
}

@test "two backups, the newer one first: ADD must not refuse" {
	reinstalled_and_restored 10.9.0.4/30 10.9.0.6 2 1
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[[ $output = *"not ok "[0-9]*" an undisturbed ADD succeeds"* ]]
}

@test "one backup twice: ADD must not refuse" {
	reinstalled_and_restored 10.9.0.4/30 10.9.0.6 2 2
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[[ $output = *"not ok "[0-9]*" an undisturbed ADD succeeds"* ]]
}

@test "two backups, the older one first: then ADD may refuse" {
	reinstalled_and_restored 10.9.0.4/30 10.9.0.6 1 2
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[[ $output = *"ok "[0-9]*" an undisturbed ADD succeeds"* && $output != *"not ok "[0-9]*" an undisturbed ADD"* ]]
}

@test "a program crashes" {
	begins STATUS a ''
	ends broken '"message": "exit status 139: "'
	all_ends
	bad 'each call that is not killed ends' 'STATUS on a/net: exit status 139'
}

@test "a block is lost: the claim of a node that is gone" {
	all_ends "\"10.9.0.4/30\": $(claim c)"
	bad 'at the end each node knows its claims' 'c/net is gone, and 10.9.0.4/30 are lost'
}

@test "a block is lost: a claim that its node does not know" {
	all_ends "\"10.9.0.4/30\": $(claim a)"
	bad 'at the end each node knows its claims' "a/net has [] in its files, and ['10.9.0.4/30'] in the engine"
}

@test "a node keeps two blocks without a pod" {
	all_ends "\"10.9.0.4/30\": $(claim a), \"10.9.0.8/30\": $(claim a)" '"a/net": ["10.9.0.4/30", "10.9.0.8/30"]'
	bad 'at the end each node knows its claims' 'a/net has no pod, but keeps'
}

@test "the engine's index has one entry for each claim" {
	all_ends "\"10.9.0.4/30\": $(claim a)" '"a/net": ["10.9.0.4/30"]' '"~node/a/net/1f2e/10.9.0.4/30"'
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
	[ "$status" = 0 ]
}

@test "the engine's index has an entry without a claim, or lacks one" {
	all_ends "\"10.9.0.4/30\": $(claim a)" '"a/net": ["10.9.0.4/30"]' '"~node/a/net/1f2e/10.9.0.8/30"'
	bad "at the end the engine's index" '1 of a/net for 10.9.0.8/30 too many'
	[[ $output = *"none of a/net for 10.9.0.4/30"* ]]
}

@test "in the end one node cannot claim the whole pool" {
	event filled '"given": 121, "capacity": 125'
	bad 'at the end one node can claim the whole pool' '121 of 125 addresses were assigned'
}

@test "a history without an end is invalid" {
	claims a p1 10.9.0.5 10.9.0.4/30
	bad 'at the end one node can claim the whole pool' 'the history has no end'
}

@test "a requested address is assigned or refused" {
	claims a p1 10.9.0.5 10.9.0.4/30
	begins ADD a p2 '"wanted": "10.9.0.6"'
	ends ok '"address": "10.9.0.6"'
	begins ADD a p3 '"wanted": "10.9.0.6"'
	ends error '"code": 11, "message": "10.9.0.6 is taken"'
	good
}

@test "ADD assigns another address than the requested one" {
	claims a p1 10.9.0.5 10.9.0.4/30
	begins ADD a p2 '"wanted": "10.9.0.7"'
	ends ok '"address": "10.9.0.6"'
	all_ends
	bad 'each call that is not killed ends' 'assigns 10.9.0.6, but 10.9.0.7 was requested'
}

# full_then SECONDS: a node finds no free block, then one becomes free; SECONDS later an ADD fails without asking.
full_then() {
	begins ADD a p1
	ends error '"code": 11, "message": "no block of pool net is free", "asked": 1, "answered": 1, "listed": true'
	NOW=$((NOW + $1))
	begins ADD a p2
	ends error '"code": 11, "message": "no block of pool net is free"'
	all_ends
	run "$BATS_TEST_DIRNAME/check" "$HISTORY"
}

@test "a node remembers for five seconds that no block is free, and no longer" {
	full_then 0
	[[ $output = *"32 blocks are free, and ADD on a/net fails"* && $output != *"fails"*"fails"* ]]
	setup
	rm "$HISTORY"
	setup
	full_then 8
	[[ $output = *"fails: no block"*"fails: no block"* ]]
}

# busy_then SECONDS: so long after an ADD without an answer another fails without asking.
busy_then() {
	begins ADD a p1 '"claims": 0'
	ends error '"asked": 1, "faults": 1, "code": 11, "message": "etcd: timed out"'
	NOW=$((NOW + $1))
	begins ADD a p2 '"claims": 0'
	ends error '"asked": 0, "code": 11, "message": "etcd was too busy for the last 3 claims of this node"'
	all_ends
}

@test "a node that got no answer pauses for five minutes at most" {
	busy_then 290
	good
	setup
	rm "$HISTORY"
	setup
	busy_then 310
	bad 'an undisturbed ADD succeeds' '32 blocks are free, and ADD on a/net fails: etcd was too busy'
}
