#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copies of ipvlan with one line wrong: each is caught by the kills, errors or refusals of this directory.

[ "${BUILT:-}" = no ] || load ../lib/faults
load ../lib/broken

# caught TEXT MODE VERB CONF [OPTION]...: a case fails with TEXT.
caught() {
	local text=$1
	run "$BROKEN/tools/faults" -x "${@:5}" "$2" "$3" "$BROKEN" "$4"
	[ "$status" = 1 ] && [[ ${lines[-1]} = *' cases, '* ]] && [[ $output = *"$text"* ]] ||
		{ tail -n 40 <<<"$output"; return 1; }
}

@test "without the undoing of an ADD that fails" {
	broken plugin/add.c 's/!host_undo(&iface, &page, conf->ipam)/false/'
	caught 'an ADD that said that it failed has left something' errors ADD "$(pooled)" -s 8
}

@test "when the host's objects are made before they are written down" {
	broken plugin/hold.c '/^int page_hold/,/^}/ s/if (page_write(/if (page_make(page, view, before, err) < 0 || page_write(/'
	caught 'in the end not all is as it was' kill ADD "$(pooled '{ "hostAccess": true }')"
}

@test "when DEL releases the address of a link that it could not remove" {
	broken plugin/del.c 's/ || del_delete_link(del, err) < 0/ || (del_delete_link(del, err), false)/'
	caught 'a DEL or GC that said that it succeeded has left something' errors DEL "$(pooled)"
}

@test "when DEL asks for the pod's link alone, and forgets the host" {
	broken plugin/del.c 's/release_host(&del->release, err) < 0/false/'
	caught 'DEL' kill DEL "$(pooled '{ "hostAccess": true }')" -s 8
}

@test "when an address that the kernel refused is taken for given" {
	broken plugin/configure.c 's/return configure_refused_address(/return 0 \&\& configure_refused_address(/'
	caught 'has 1 addresses, 0 of them not leased to it, which has 2 leases' refusals ADD "$(pooled '{ "ipam": { "routes": [] } }')"
}

@test "when GC takes a directory that it cannot read for an empty one" {
	broken plugin/cni/file.c 's/error = more ? errno : 0/error = 0/'
	caught 'a DEL or GC that said that it succeeded has left something' errors GC "$(pooled '{ "hostAccess": true }')" \
		-b 'ip netns del a' -m 'ip netns add a'
}

@test "when a setting that cannot be read is taken for one that is gone" {
	broken plugin/net/netns_sysctl.c '/netns_sysctl_is/,/^}/ s/return cni_fail(err, /return 0 * cni_fail(err, /'
	caught 'a DEL or GC that said that it succeeded has left something' errors DEL "$(pooled '{ "mode": "l3s", "proxyArp": true }')"
}
