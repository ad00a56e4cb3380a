#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copies of the programs with one line wrong: each is caught when two calls are made at once, and by nothing that
# makes one after the other.

[ "${BUILT:-}" = no ] || load ../lib/faults
load ../lib/broken

# caught X Y CONF [OPTION]...: all orders of whole calls are right, and some interleaving is not.
caught() {
	run "$BROKEN/tools/faults" weave "${@:4}" "$1" "$2" "$BROKEN" "$3"
	[ "$status" = 1 ] && [[ ${lines[-1]} = *' cases, '* ]] && [[ $output = *"FAILED $1, stopped"* ]] &&
		[[ $output != *'FAILED in sequence'* ]] || { tail -n 40 <<<"$output"; return 1; }
}

@test "when the ledger is read and written without its lock" {
	broken plugin/ledger.c 's/ledger_wait(ret->lock, LOCK, err) == 0/true/'
	caught DEL:a ADD:b "$(pooled '{ "hostAccess": true }')" -1 ADD:a
}

@test "when addresses are chosen without the lock of the store" {
	broken ipam/store.c 's/file_lock(store->lock, [A-Z_]*)/0/'
	caught ADD:a ADD.2:b "$(pooled '{ "type": "addrpool" }')" \
		-2 "$(pooled '{ "type": "host-local", "ipam": { "type": "host-local" } }')"
}

@test "when an ADD takes back what has its name, and not what has its id" {
	broken plugin/host.c 's/ \&\& !strcmp(release.page.id.s, page->id.s)//'
	caught ADD:a DEL:a+ADD:a "$(pooled '{ "hostAccess": true }')"
}

@test "when an ADD does not look again, under the lock, whether its page is there" {
	broken plugin/reach_host.c 's/page_is_ours(ledger, page, err) < 0/false/' \
		's/page_gone(page, err)/found = FOUND/'
	caught ADD:a DEL:a "$(pooled '{ "hostAccess": true }')"
}

@test "when a DEL does not lock the page that it releases" {
	broken plugin/page.c 's/flock(fd, LOCK_EX | LOCK_NB) < 0/false/'
	caught DEL:a ADD:a "$(pooled)"
}
