#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# All slaves of a master share mode and flag. An ADD does not switch other slaves.

load ../lib/cni

anchors() {
	ip -br link show group 105 | awk '{ print $1 }'
}

# mode_of POD [LINK]: mode and flag of the link, from the kernel.
mode_of() {
	in_pod "$1" '.[0].linkinfo.info_data | .mode + " " + (to_entries[] | select(.value == true) | .key)' -d link show "${2:-eth0}"
}

l3='{ "mode": "l3" }'

@test "the host's namespace has a slave of ours, down, from the first pod to the last" {
	local before
	before=$(inventory)
	add "$(conf)" a
	[ "$(ip -j link show group 105 | jq -rc '[.[] | select(.ifname) | .ifname, .link, .operstate]')" = \
		"[\"ipva$(cat /sys/class/net/eth0/ifindex)\",\"eth0\",\"DOWN\"]" ]
	add "$(conf)" b
	[ "$(anchors | wc -l)" = 1 ]
	cni DEL "$(conf)" a
	[ "$(anchors | wc -l)" = 1 ]
	cni DEL "$(conf)" b
	leaves_nothing "$before"
	[ -z "$(find /run/cni/ipvlan -mindepth 2 ! -name pages ! -name objects ! -name claims)" ]
}

@test "another mode is refused, and the error names the interface that uses the present one" {
	local before
	add "$(conf)" a
	before=$(inventory)
	cni ADD "$(conf "$l3")" b
	fails 7
	says 'master "eth0" is in use with mode l2, not l3'
	explains '"eth0" in /run/netns/a runs with l2 bridge, and this ADD would switch it'
	leaves_nothing "$before"
	[ "$(mode_of a)" = "l2 bridge" ]
	pings a 10.138.36.66
}

@test "an interface with only the name of our slave does not count as our slave" {
	local before name
	name=ipva$(cat /sys/class/net/eth0/ifindex)
	ip link add link eth0 name mine netns a type ipvlan mode l3 bridge
	ip link add "$name" type dummy
	before=$(inventory)
	cni ADD "$(conf)" b
	fails 7
	says 'master "eth0" is in use with mode l3, not l2'
	[ "$(mode_of a mine)" = "l3 bridge" ]
	cni ADD "$(conf "$l3")" b
	fails 7
	says "there is another interface \"$name\" already"
	explains 'requires that name for the interface that keeps the mode of the master, and has not made this one'
	cni DEL "$(conf "$l3")" b
	leaves_nothing "$before"
}

@test "another flag is refused as well" {
	add "$(conf)" a
	cni ADD "$(conf '{ "flag": "vepa" }')" b
	fails 7
	says 'master "eth0" is in use with flag bridge, not vepa'
	[ "$(mode_of a)" = "l2 bridge" ]
}

@test "force switches all of them, and reports that" {
	add "$(conf)" a
	add "$(conf "$l3" '{ "flag": "private", "force": true }')" b
	[[ $stderr = *'force: switching "eth0" in /run/netns/a and all other ipvlan interfaces of eth0'* ]]
	[ "$(mode_of a)" = "l3 private" ]
	[ "$(mode_of b)" = "l3 private" ]
}

@test "an unknown flag is refused by name, and force of another type is ignored" {
	cni ADD "$(conf '{ "flag": "hub" }')"
	fails 7
	says 'failed to load netconf: flag must be "bridge", "private" or "vepa", not "hub"'
	add "$(conf '{ "force": 1 }')"
	[[ $stderr = *'force must be true or false, not 1'* ]]
}

@test "without other pods an ADD with another mode succeeds" {
	add "$(conf '{ "flag": "private" }')" a
	cni DEL "$(conf)" a
	add "$(conf "$l3")" a
	[ "$(mode_of a)" = "l3 bridge" ]
}

@test "without a pod, a remaining anchor prevents no ADD" {
	add "$(conf "$l3" '{ "flag": "vepa" }')" a
	ip netns del a
	ip netns add a
	add "$(conf)" b
	[ "$(mode_of b)" = "l2 bridge" ]
}

@test "pods of the Go plugin are found" {
	PLUGIN=$GO_PLUGINS/ipvlan add "$(conf "$l3")" a
	cni ADD "$(conf)" b
	fails 7
	says 'master "eth0" is in use with mode l3, not l2'
	explains "in /run/netns/a"
	[ "$(mode_of a)" = "l3 bridge" ]
	add "$(conf "$l3")" b
}

@test "a slave is found in a namespace that only a process keeps alive" {
	local pid
	unshare -n sleep 1000 3>&- &
	pid=$!
	while [ "$(cat /proc/$pid/comm)" != sleep ]; do sleep 0.01; done
	ip link add link eth0 name hidden netns $pid type ipvlan mode l3s
	cni ADD "$(conf)"
	fails 7
	explains "\"hidden\" in /proc/$pid/ns/net runs with l3s bridge"
	kill $pid
}

@test "a slave is found in a namespace that is mounted elsewhere, under a name with a blank" {
	local place="$BATS_TEST_TMPDIR/a place"
	ip link add link eth0 name hidden netns b type ipvlan mode l3s
	touch "$place"
	mount --bind /run/netns/b "$place"
	ip netns del b
	cni ADD "$(conf)"
	fails 7
	explains "\"hidden\" in $place runs with l3s bridge"
	umount "$place"
}

@test "a slave in the host's own namespace is found" {
	ip link add link eth0 name shim type ipvlan mode l2 vepa
	cni ADD "$(conf "$l3")"
	fails 7
	explains '"shim" in this namespace runs with l2 vepa'
	add "$(conf)" # without the key the flag stays
	[ "$(mode_of a)" = "l2 vepa" ]
}

@test "an ipvtap of another program counts as an ipvlan interface, in a pod and on the host" {
	local place
	for place in 'netns b' ''; do
		ip link add link eth0 name tap0 $place type ipvtap mode l2 private
		cni STATUS "$(conf "$l3")"
		fails 50 'master "eth0" is in use with mode l2, not l3'
		cni ADD "$(conf "$l3")"
		fails 7 'master "eth0" is in use with mode l2, not l3'
		explains "\"tap0\" in $([ -n "$place" ] && echo /run/netns/b || echo this namespace) runs with l2 private"
		cni ADD "$(conf '{ "hostAccess": true }')"
		fails 7 'hostAccess does not work with flag private, which master "eth0" has'
		cni STATUS "$(conf '{ "hostAccess": true }')"
		fails 50 'hostAccess does not work with flag private'
		cni ADD "$(conf '{ "flag": "vepa" }')"
		fails 7 'master "eth0" is in use with flag private, not vepa'
		add "$(conf)"
		[ "$(mode_of a)" = "l2 private" ]
		cni DEL "$(conf)"
		[ "$(ip ${place:+-n b} -j -d link show tap0 | jq -r '.[0].linkinfo.info_data.mode')" = l2 ]
		ip ${place:+-n b} link del tap0
	done
}

@test "slaves of another master do not matter" {
	ip link add eth1 type dummy
	add "$(conf "$l3")" a
	add "$(conf '{ "master": "eth1" }')" b
	[ "$(anchors | wc -l)" = 2 ]
}

@test "a master with the same index in another namespace is not taken for ours" {
	ip netns exec b ip link add dev x index "$(cat /sys/class/net/eth0/ifindex)" type dummy
	ip -n b link add link x name y type ipvlan mode l3
	ip -n b link add link x name z netns lan type ipvlan mode l3
	ip -n b link add link x name tap0 type ipvtap mode l3
	ip -n b link add link x name tap0 netns lan type ipvtap mode l3
	add "$(conf)" a
}

@test "ADD fails if another program has switched the master's mode" {
	add "$(conf)" a
	ip link add link eth0 name other netns b type ipvlan mode l3
	cni ADD "$(conf)" b
	fails 7
	says 'master "eth0" is in use with mode l3, not l2'
	cni CHECK "$(with_result "$(conf)")" a
	fails 102 "mode l3 does not match"
}

@test "CHECK compares the flag" {
	add "$(conf '{ "flag": "vepa" }')" a
	cni CHECK "$(with_result "$(conf '{ "flag": "vepa" }')")" a
	succeeds
	ip link add link eth0 name other netns b type ipvlan mode l2 private
	cni CHECK "$(with_result "$(conf '{ "flag": "vepa" }')")" a
	fails 102 "flag private does not match expected value: vepa"
}

@test "CHECK misses the anchor" {
	add "$(conf)" a
	ip link del "$(anchors | sed 's/@.*//')"
	cni CHECK "$(with_result "$(conf)")" a
	fails 102 'on the host "anchor dev '
	add "$(conf)" b # this ADD makes the anchor again
	cni CHECK "$(with_result "$(conf)")" a
	succeeds
}

@test "STATUS reports a conflict before an ADD does" {
	cni STATUS "$(conf "$l3")"
	succeeds
	add "$(conf)" a
	cni STATUS "$(conf)"
	succeeds
	cni STATUS "$(conf "$l3")"
	fails 50
	says 'master "eth0" is in use with mode l2, not l3'
}

@test "GC releases pods without DEL, only of its own network" {
	local valid before
	before=$(inventory)
	add "$(conf "$(static 10.138.36.51/23)")" a
	add "$(conf "$(static 10.138.36.50/23)" '{ "name": "other" }')" b
	ip netns del a
	ip netns del b
	valid='{ "cni.dev/valid-attachments": [ { "containerID": "x", "ifname": "eth0" } ] }'
	cni GC "$(conf)"
	succeeds
	[ "$(anchors | wc -l)" = 1 ]
	cni GC "$(conf "$valid")"
	succeeds
	[[ $stderr = *"network net: releasing the objects of container a, interface eth0, on the host"* ]]
	[ "$(anchors | wc -l)" = 1 ]
	cni GC "$(conf "$valid" '{ "name": "other" }')"
	succeeds
	ip netns add a
	ip netns add b
	leaves_nothing "$before"
}

@test "GC keeps the objects of valid attachments" {
	add "$(conf)" a
	cni GC "$(conf '{ "cni.dev/valid-attachments": [ { "containerID": "a", "ifname": "eth0" } ] }')"
	succeeds
	[ "$(anchors | wc -l)" = 1 ]
}

@test "an ADD that fails removes its anchor" {
	local before
	before=$(inventory)
	cni ADD "$(conf '{ "ipam": { "type": "missing" } }')"
	fails 7 "failed to find plugin"
	leaves_nothing "$before"
}

@test "an ADD that finds its interface does not change the host's side" {
	add "$(conf)" a
	cni ADD "$(conf)" a
	fails 100
	[ "$(anchors | wc -l)" = 1 ]
	cni CHECK "$(with_result "$(conf)")" a
	succeeds
}

@test "ADD makes nothing if /run cannot be written" {
	local before
	before=$(inventory)
	mkdir -p /run/cni
	mount -t tmpfs -o ro tmpfs /run/cni
	cni ADD "$(conf)"
	umount /run/cni
	fails 5
	explains "a /run that is writable and not full"
	leaves_nothing "$before"
}

@test "ADD reports a full /run and makes nothing" {
	local before
	before=$(inventory)
	mkdir -p /run/cni
	mount -t tmpfs -o size=4k tmpfs /run/cni
	head -c 4096 /dev/zero >/run/cni/full
	cni ADD "$(conf)"
	umount /run/cni
	fails 5 "no space left on device"
	leaves_nothing "$before"
}

@test "names that are too long for a file are still distinguished" {
	local id before
	id=$(printf 'c%.0s' {1..250})
	before=$(inventory)
	for ifname in eth0 eth1; do
		run env CNI_COMMAND=ADD CNI_CONTAINERID="$id" CNI_NETNS=/run/netns/a CNI_IFNAME=$ifname \
			"$BUILD/ipvlan" <<<"$(conf '{ "ipam": null }')"
		succeeds
	done
	for ifname in eth0 eth1; do
		[ "$(anchors | wc -l)" = 1 ]
		run env CNI_COMMAND=DEL CNI_CONTAINERID="$id" CNI_NETNS=/run/netns/a CNI_IFNAME=$ifname \
			"$BUILD/ipvlan" <<<"$(conf '{ "ipam": null }')"
		succeeds
	done
	leaves_nothing "$before"
}

# stranger POD: another program's slave of eth0, in l2.
stranger() {
	ip link add link eth0 name theirs netns "$1" type ipvlan mode l2
}

@test "a slave is found in a namespace, whatever keeps that alive" {
	local kind
	for kind in process thread descriptor socket mount; do
		echo "kind: $kind"
		[ -e /run/netns/b ] || ip netns add b
		stranger b
		hold $kind b
		ip netns del b
		cni ADD "$(conf "$l3")"
		let_go
		fails 7 'master "eth0" is in use with mode l2, not l3'
		explains '"theirs" in /'
	done
}

@test "if a namespace cannot be read, ADD switches no slave and names the namespace" {
	stranger b
	hold process b
	ip netns del b
	run_by setpriv --bounding-set -sys_ptrace
	cni ADD "$(conf "$l3")"
	fails 11
	explains 'CAP_SYS_PTRACE'
	[[ $(jq -r .msg <<<"$output") = 'cannot look for other interfaces on link '*': /proc/'* ]]
	nsenter --net="/proc/$HOLDER/ns/net" ip -d link show theirs | grep 'ipvlan .*mode l2'
	cni ADD "$(conf "$l3" '{ "force": true }')"
	let_go
	succeeds
	[[ $stderr = *'force: cannot look for other interfaces on link '* ]]
}

@test "if any call fails that searches for slaves, ADD switches no slave" {
	local call n i
	stranger b
	for call in openat:EMFILE openat:EACCES readlinkat:EACCES statx:ENOMEM fstatfs:ENOMEM sendto:ENOBUFS recvmsg:ENOMEM setns:EPERM getdents64:EIO; do
		run_by strace -o "$BATS_TEST_TMPDIR/calls" -e "trace=${call%:*}"
		cni ADD "$(conf "$l3")"
		n=$(grep -c '(' "$BATS_TEST_TMPDIR/calls")
		for ((i = 1; i <= n; i += n / 12 + 1)); do
			run_by strace -o /dev/null -e "inject=${call%:*}:error=${call#*:}:when=$i"
			cni ADD "$(conf "$l3")"
			[ "$status" != 0 ] || { echo "$call, number $i of $n: ADD succeeds"; return 1; }
			[ "$(in_pod b '.[0].linkinfo.info_data.mode' -d link show theirs)" = l2 ]
		done
	done
}

@test "of 32 ADDs of two networks at once, those with one mode succeed and no slave is switched" {
	local i mode failed=0 modes
	for i in {1..32}; do
		ip netns add "p$i"
	done
	for i in {1..32}; do
		mode=$([ $((i % 2)) = 0 ] && echo l2 || echo l3)
		CNI_COMMAND=ADD CNI_CONTAINERID=p$i CNI_NETNS=/run/netns/p$i CNI_IFNAME=eth0 "$BUILD/ipvlan" \
			<<<"$(conf '{ "ipam": null }' "{ \"mode\": \"$mode\", \"name\": \"$mode\" }")" \
			>"$BATS_TEST_TMPDIR/$i" 3>&- &
	done
	wait
	for i in {1..32}; do
		if grep -q '"code"' "$BATS_TEST_TMPDIR/$i"; then
			grep -q 'is in use with mode' "$BATS_TEST_TMPDIR/$i"
			failed=$((failed + 1))
		else
			modes+=$(mode_of "p$i")$'\n'
		fi
	done
	[ "$failed" = 16 ]
	[ "$(sort -u <<<"${modes%$'\n'}" | wc -l)" = 1 ]
}

@test "of eight ADDs of a master's first pods at once, one searches the namespaces" {
	local i searched=0
	mkdir -p /run/cni/ipvlan
	keeps_lock /run/cni/ipvlan/ledger.lock
	run_by strace -f -qq -e signal=none -e trace=pidfd_open -o "$BATS_TEST_TMPDIR/trace-\$CNI_CONTAINERID"
	for i in {1..8}; do
		ip netns add "p$i"
		CNI_COMMAND=ADD CNI_CONTAINERID=p$i CNI_NETNS=/run/netns/p$i CNI_IFNAME=eth0 "$PLUGIN" \
			<<<"$(conf '{ "ipam": null }')" >"$BATS_TEST_TMPDIR/$i" 3>&- &
	done
	until [ "$(grep -c -- '-> FLOCK' /proc/locks)" = 8 ]; do
		sleep 0.1
	done
	kill "$HOLDER"
	wait
	for i in {1..8}; do
		[ "$(mode_of "p$i")" = "l2 bridge" ]
		[ ! -s "$BATS_TEST_TMPDIR/trace-p$i" ] || searched=$((searched + 1))
	done
	echo "searched: $searched"
	[ "$searched" = 1 ]
}
