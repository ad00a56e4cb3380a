#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl gc lists and releases what pods that are gone still hold.

load ../lib/ctl

# gone POD NAME: an attachment whose namespace is deleted without DEL.
gone() {
	pod "$@"
	ip netns del "$1"
}

@test "without leftovers it prints that" {
	configured net "$(conf)"
	pod a net
	ctl gc
	succeeds
	[ "$output" = 'No pod that is gone holds anything.' ]
	ctl gc --yes
	succeeds
	[ "$output" = 'No pod that is gone holds anything.' ]
}

@test "gc lists what a pod that is gone holds, and changes nothing" {
	local before
	configured net "$(conf '{"hostAccess":true}')"
	gone a net
	before=$(inventory)
	ctl gc
	succeeds
	tells 'a eth0, network net: its namespace is gone' '      lease 10.138.36.2' '      hairpin dev eth0' '      route to 10.138.36.2/32 dev eth0' \
		'Nothing was changed: ipvlanctl gc --yes'
	leaves_nothing "$before"
	ip route show proto 105 | grep -q '^10.138.36.2 dev eth0'
	[ -e "/var/lib/cni/networks/net/10.138.36.2" ]
}

@test "--yes releases it, and changes nothing of existing pods" {
	local before
	configured net "$(conf '{"hostAccess":true}')"
	pod b net
	before=$(inventory)
	gone a net
	ctl gc --yes
	succeeds
	tells 'a eth0, network net: its namespace is gone: released'
	[[ $output != *'b eth0'* ]]
	ip netns add a
	leaves_nothing "$before"
	pings b 10.138.36.66
	cni CHECK "$(with_result "$(cat "$NETCONFPATH/net.conf")" b)" b
	succeeds
	ctl gc
	[ "$output" = 'No pod that is gone holds anything.' ]
}

@test "leases from before a restart are released" {
	configured net "$(conf)"
	pod a net
	cni DEL "$(conf '{"ipam": null}')" a
	text=$(readlink /var/lib/cni/networks/.addrpool/net/owner/a:eth0)
	ln -sfn "00000000 ${text#* }" /var/lib/cni/networks/.addrpool/net/owner/a:eth0
	ctl gc
	tells 'a eth0, network net: it is from before the machine was restarted' '      lease 10.138.36.2'
	ctl gc --yes
	succeeds
	tells ': released'
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
}

@test "the objects on the host of a network without configuration are removed" {
	local before
	before=$(inventory)
	configured net "$(conf '{"hostAccess":true, "ipam": {"type": "static", "addresses": [{"address": "10.138.36.2/23"}]}}' \
		'{"ipam": {"ranges": null, "routes": null}}')"
	gone a net
	rm "$NETCONFPATH/net.conf"
	ctl gc --yes
	succeeds
	tells 'a eth0, network net: its namespace is gone: released' 'route to 10.138.36.2/32'
	ip netns add a
	leaves_nothing "$before"
}

@test "the leases of a network that no file configures, as Multus has them, are released" {
	configured net "$(conf)"
	gone a net
	cached net "$(cat "$NETCONFPATH/net.conf")" a
	rm "$NETCONFPATH/net.conf"
	ctl gc
	tells 'a eth0, network net: its namespace is gone' '      lease 10.138.36.2'
	ctl gc --yes
	succeeds
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
}

# chained PODS...: a network with the plugin "last" after ipvlan, and pods that are gone. "last" writes its calls to $CALLS,
# and runs $BATS_TEST_TMPDIR/meanwhile, if that exists.
chained() {
	local pod
	configured net "$(conf)"
	for pod in "$@"; do
		gone "$pod" net
	done
	jq '{cniVersion, name, plugins: [(. | del(.name, .cniVersion)), {type: "last"}]}' "$NETCONFPATH/net.conf" >"$NETCONFPATH/net.conflist"
	mv "$NETCONFPATH/net.conf" "$BATS_TEST_TMPDIR"
	CALLS=$BATS_TEST_TMPDIR/calls
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/last" <<-S
		#!/bin/sh
		echo "\$CNI_COMMAND \$CNI_CONTAINERID \$CNI_IFNAME [\$CNI_NETNS]" >>$CALLS
		[ ! -e $BATS_TEST_TMPDIR/meanwhile ] || sh $BATS_TEST_TMPDIR/meanwhile
	S
	chmod +x "$BATS_TEST_TMPDIR/bin/last"
	CNI_PATH+=:$BATS_TEST_TMPDIR/bin
}

@test "gc calls all plugins of a list" {
	chained a
	ctl gc --yes
	succeeds
	[ "$(cat "$CALLS")" = 'DEL a eth0 []' ]
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
}

@test "gc calls no plugin for a pod that started again under its name after gc had listed it" {
	chained a b
	# during DEL of the first, the other one starts
	cat >"$BATS_TEST_TMPDIR/meanwhile" <<-S
		rm $BATS_TEST_TMPDIR/meanwhile
		[ \$CNI_CONTAINERID = a ] && pod=b || pod=a
		ip netns add \$pod
		unset IPVLANCTL_GC
		export CNI_COMMAND=ADD CNI_CONTAINERID=\$pod CNI_NETNS=/run/netns/\$pod CNI_IFNAME=eth0
		$BUILD/ipvlan <$BATS_TEST_TMPDIR/net.conf
	S
	ctl gc --yes
	succeeds
	tells 'network net: its namespace is gone: released' 'network net: its namespace is gone: in use again, not released'
	[ "$(wc -l <"$CALLS")" = 1 ]
	[ "$(find /var/lib/cni/networks/net -name '10.*' | wc -l)" = 1 ]
}

@test "a configuration that cannot be read may have a network with leftovers: gc and pools fail and name it" {
	configured net "$(conf)"
	echo '{ "name": "other", ' >"$NETCONFPATH/20-other.conf"
	ctl gc --yes
	[ "$status" = 1 ]
	[[ $stderr = *20-other.conf* ]]
	[ -z "$output" ]
	ctl pools
	[ "$status" = 1 ]
	[[ $stderr = *20-other.conf* ]]
}

@test "a plugin that fails is named, the others are called, and the exit status is 1" {
	configured net "$(conf)"
	jq '{cniVersion, name, plugins: [(. | del(.name, .cniVersion)), {type: "missing"}]}' "$NETCONFPATH/net.conf" >"$NETCONFPATH/net.conflist"
	gone a net
	rm "$NETCONFPATH/net.conf"
	ctl gc --yes
	[ "$status" = 1 ]
	[[ $stderr = *'ipvlanctl: DEL of a eth0: missing: failed to find plugin "missing"'* ]]
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
}

@test "a pod whose namespace only a process holds stays" {
	local pid
	configured net "$(conf)"
	pod a net
	nsenter --net=/run/netns/a sleep 1000 3>&- &
	pid=$!
	until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
	ip netns del a
	ctl gc --yes
	kill $pid
	[ "$output" = 'No pod that is gone holds anything.' ]
}
