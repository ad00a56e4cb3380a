#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Addresses of containers that are gone without a DEL: an ADD that finds no free address releases them, but
# never while the namespace exists.
#
# addrpool can only see in the first pid namespace that a namespace is gone. In any other the pool stays full;
# the tests cover that too.

load ../lib/pool

one='"subnet": "10.9.0.0/30"' # has room for one
two='"subnet": "10.9.0.0/29", "rangeEnd": "10.9.0.3"'

# Deletes namespaces a and b, and ends the processes that a test has started.
setup() {
	make_places
	HOLDERS=()
	ip netns add a
	ip netns add b
}

teardown() {
	local pid
	for pid in "${HOLDERS[@]}"; do
		kill "$pid" 2>/dev/null || :
	done
	umount "$BATS_TEST_TMPDIR/elsewhere" 2>/dev/null || :
	ip netns del a 2>/dev/null || :
	ip netns del b 2>/dev/null || :
}

# hold COMMAND...: runs it in the background until the end of the test, and waits until it is up.
hold() {
	"$@" 3>&- >/dev/null 2>&1 &
	HOLDERS+=($!)
	while [ "$(cat "/proc/$!/comm")" != sleep ]; do
		kill -0 $!
		sleep 0.01
	done
}

let_go() {
	kill "${HOLDERS[@]}"
	wait "${HOLDERS[@]}" || :
	HOLDERS=()
}

# reclaims CONF ADDRESS: b gets the address of a, whose namespace is gone. If addrpool cannot see that, b
# gets none.
reclaims() {
	if sees_dead; then
		gets "$2/${3:-30}" "$1" b
		[[ $stderr = *"network net: $2 is free again, leased by a eth0: its network namespace is gone"* ]]
		holds "$2" 'b\r\neth0'
	else
		keeps "$1" "$2"
	fi
}

# keeps CONF ADDRESS: a keeps the address, and b gets none.
keeps() {
	pool ADD "$1" b
	fails 11 'no IP addresses available'
	holds "$2" 'a\r\neth0'
}

@test "an ADD without a free address gets the address of a namespace that is gone" {
	gets 10.9.0.2/30 "$(conf "$one")" a
	keeps "$(conf "$one")" 10.9.0.2
	ip netns del a
	reclaims "$(conf "$one")" 10.9.0.2
	pool ADD "$(conf "$one")" c
	fails 11
}

@test "a new namespace with the inode of one that is gone does not keep its address" {
	local inode
	inode=$(stat -Lc %i /run/netns/a)
	gets 10.9.0.2/30 "$(conf "$one")" a
	ip netns del a
	until ip netns add a && [ "$(stat -Lc %i /run/netns/a)" = "$inode" ]; do
		ip netns del a
		sleep 0.1
	done
	NETNS=/run/netns/a gets 10.9.0.2/30 "$(conf "$one")" b
	[[ $stderr = *'10.9.0.2 is free again, leased by a eth0: its network namespace is gone'* ]]
	NETNS=/run/netns/a pool ADD "$(conf "$one")" c
	fails 11
}

@test "ADD releases nothing while there are free addresses" {
	gets 10.9.0.2/29 "$(conf "$two")" a
	ip netns del a
	gets 10.9.0.3/29 "$(conf "$two")" b
	[ -z "$stderr" ]
	holds 10.9.0.2 'a\r\neth0'
}

@test "a namespace exists while a process is in it" {
	gets 10.9.0.2/30 "$(conf "$one")" a
	hold nsenter --net=/run/netns/a sleep 1000
	ip netns del a
	keeps "$(conf "$one")" 10.9.0.2
	let_go
	reclaims "$(conf "$one")" 10.9.0.2
}

@test "a namespace exists while a descriptor refers to it" {
	gets 10.9.0.2/30 "$(conf "$one")" a
	hold sleep 1000 9</run/netns/a
	ip netns del a
	keeps "$(conf "$one")" 10.9.0.2
	let_go
	reclaims "$(conf "$one")" 10.9.0.2
}

@test "a namespace exists while a socket belongs to it" {
	gets 10.9.0.2/30 "$(conf "$one")" a
	ip -n a link set lo up
	# shellcheck disable=SC2016 # for another shell
	hold nsenter --net=/run/netns/a bash -c 'exec 9<>/dev/udp/127.0.0.1/9; exec nsenter --net="$1" sleep 1000' \
		bash /proc/$$/ns/net
	ip netns del a
	keeps "$(conf "$one")" 10.9.0.2
	let_go
	reclaims "$(conf "$one")" 10.9.0.2
}

@test "a namespace exists while it is mounted, at any path" {
	gets 10.9.0.2/30 "$(conf "$one")" a
	touch "$BATS_TEST_TMPDIR/elsewhere"
	mount --bind /run/netns/a "$BATS_TEST_TMPDIR/elsewhere"
	ip netns del a
	keeps "$(conf "$one")" 10.9.0.2
	umount "$BATS_TEST_TMPDIR/elsewhere"
	reclaims "$(conf "$one")" 10.9.0.2
}

@test "a namespace exists while it is mounted in another mount namespace" {
	gets 10.9.0.2/30 "$(conf "$one")" a
	hold unshare --mount --propagation private sleep 1000
	# not `ip netns del`: removing the file would unmount it everywhere
	umount /run/netns/a
	keeps "$(conf "$one")" 10.9.0.2
	let_go
	reclaims "$(conf "$one")" 10.9.0.2
}

@test "a namespace exists while it is mounted where another process, which is listed first, sees no mounts" {
	local pid
	gets 10.9.0.2/30 "$(conf "$one")" a
	mkdir "$BATS_TEST_TMPDIR/root"
	# shellcheck disable=SC2016 # for another shell
	hold unshare --mount --propagation private bash -c '
		mount --bind / "$1"
		sleep 1000 &
		echo $! >"$1.pid"
		exec chroot "$1" sleep 1000' bash "$BATS_TEST_TMPDIR/root"
	pid=$(cat "$BATS_TEST_TMPDIR/root.pid")
	HOLDERS+=("$pid")
	umount /run/netns/a
	keeps "$(conf "$one")" 10.9.0.2
	let_go 2>/dev/null
	while readlink "/proc/$pid/ns/mnt"; do
		sleep 0.01
	done
	reclaims "$(conf "$one")" 10.9.0.2
}

@test "without descriptors to examine all processes, ADD releases nothing" {
	local n
	gets 10.9.0.2/30 "$(conf "$one")" a
	hold nsenter --net=/run/netns/a sleep 1000
	ip netns del a
	for n in {6..20}; do
		# shellcheck disable=SC2016 # for another shell
		run --separate-stderr bash -c 'ulimit -n "$1"; env CNI_COMMAND=ADD CNI_CONTAINERID=b CNI_IFNAME=eth0 \
			CNI_NETNS=/run/netns/b "$BUILD/addrpool" || exit 1' bash "$n" < <(conf "$one")
		[ "$status" = 1 ]
	done
	fails 11
	let_go
	reclaims "$(conf "$one")" 10.9.0.2
}

@test "CNI_NETNS is the path of a process's namespace" {
	hold nsenter --net=/run/netns/a sleep 1000
	NETNS=/proc/${HOLDERS[0]}/ns/net gets 10.9.0.2/30 "$(conf "$one")" a
	ip netns del a
	keeps "$(conf "$one")" 10.9.0.2
	let_go
	reclaims "$(conf "$one")" 10.9.0.2
}

@test "an addrpool that cannot see all processes releases nothing" {
	mkdir "$DATA"
	chown 65534 "$DATA"
	for_everybody
	run as_nobody env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 "$PLUGIN" <<<"$(conf "$one")"
	succeeds
	ip netns del a
	run as_nobody env CNI_COMMAND=ADD CNI_CONTAINERID=b CNI_NETNS=/run/netns/b CNI_IFNAME=eth0 "$PLUGIN" <<<"$(conf "$one")"
	fails 11
	holds 10.9.0.2 'a\r\neth0'
}

@test "ADD never releases a lease for no namespace in this boot" {
	local netns
	for netns in /nonexistent /proc/self/ns/uts /dev/null; do
		NETNS=$netns gets 10.9.0.2/30 "$(conf "$one")" a
		keeps "$(conf "$one")" 10.9.0.2
		rm -rf "$DATA"
	done
}

@test "ADD never releases host-local's lease in this boot, but after a restart" {
	host_local ADD "$(conf "$one")" a
	succeeds
	ip netns del a
	keeps "$(conf "$one")" 10.9.0.2
	restarted a
	gets 10.9.0.2/30 "$(conf "$one")" b
}

@test "an ADD without a free address gets one that was leased in an earlier boot" {
	gets 10.9.0.2/29 "$(conf "$two")" a
	restarted a
	gets 10.9.0.3/29 "$(conf "$two")" b
	holds 10.9.0.2 'a\r\neth0'
	gets 10.9.0.2/29 "$(conf "$two")" c
	[[ $stderr = *'10.9.0.2 is free again, leased by a eth0: the machine has restarted since'* ]]
	pool CHECK "$(conf "$two")" a
	fails 102
}

@test "an ADD without a free address releases all dead leases at once" {
	gets 10.9.0.2/29 "$(conf "$two")" a
	gets 10.9.0.3/29 "$(conf "$two")" c
	restarted a
	restarted c
	gets 10.9.0.2/29 "$(conf "$two")" b
	leased 10.9.0.2
	[ "$(ls "$OWN/owner")" = b:eth0 ]
}

@test "after a restart a container of the same name gets its old addresses" {
	local sets='"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00::/64"}]]'
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$sets")" a
	gets '10.9.0.3/24 fd00::3/64' "$(conf "$sets")" b
	restarted a
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$sets")" a
	pool CHECK "$(conf "$sets")" a
	succeeds
	pool ADD "$(conf "$sets")" a
	fails 100
}

@test "a container of the same name in a new namespace gets its old address, if the old namespace is gone" {
	gets 10.9.0.2/24 "$(conf)" a
	gets 10.9.0.3/24 "$(conf)" b
	NETNS=/run/netns/b pool ADD "$(conf)" a
	fails 100 '10.9.0.2 has been allocated to a, duplicate allocation is not allowed'
	ip netns del a
	if sees_dead; then
		NETNS=/run/netns/b gets 10.9.0.2/24 "$(conf)" a
	else
		NETNS=/run/netns/b pool ADD "$(conf)" a
		fails 100
	fi
}

@test "after a restart a container of the same name gets the address that it now requests" {
	gets 10.9.0.2/24 "$(conf)" a
	restarted a
	CNI_ARGS=IP=10.9.0.7 gets 10.9.0.7/24 "$(conf)" a
	leased 10.9.0.7
}

@test "ADD releases a requested address if its container is gone" {
	gets 10.9.0.2/24 "$(conf)" a
	CNI_ARGS=IP=10.9.0.2 pool ADD "$(conf)" b
	fails 101 'requested IP address 10.9.0.2 is not available'
	restarted a
	CNI_ARGS=IP=10.9.0.2 gets 10.9.0.2/24 "$(conf)" b
}

@test "released dead leases wait for reuseDelay" {
	gets 10.9.0.2/30 "$(conf "$one")" a
	restarted a
	pool ADD "$(conf "$one, \"reuseDelay\": 1000")" b
	fails 11
	explains 'addresses released less than reuseDelay ago: 1;'
	leased ''
	gets 10.9.0.2/30 "$(conf "$one")" b
}

@test "an empty file is free" {
	lease 10.9.0.2 ''
	gets 10.9.0.2/30 "$(conf "$one")" b
}

@test "ADD releases a file that has only zero bytes, as after a power failure" {
	lease 10.9.0.2 '\0\0\0\0\0\0\0'
	gets 10.9.0.2/30 "$(conf "$one")" b
	[[ $stderr = *'10.9.0.2 is free again: its lease file is empty'* ]]
}

@test "ADD releases both addresses of a dual-stack pod that is gone" {
	local sets='"ranges": [[{"subnet": "10.9.0.0/30"}], [{"subnet": "fd00::/127", "gateway": "none", "rangeStart": "fd00::1"}]]'
	gets '10.9.0.2/30 fd00::1/127' "$(conf "$sets")" a
	ip netns del a
	if sees_dead; then
		gets '10.9.0.2/30 fd00::1/127' "$(conf "$sets")" b
		[[ $stderr = *'10.9.0.2 is free again'*'fd00::1 is free again'* ]]
		[ "$(ls "$OWN/owner")" = b:eth0 ]
		ip netns del b
		ip netns add b
		gets '10.9.0.2/30 fd00::1/127' "$(conf "$sets")" c
	else
		pool ADD "$(conf "$sets")" b
		fails 11
	fi
}

@test "an address of two that another attachment now has is not released with the first" {
	local sets='"ranges": [[{"subnet": "10.9.0.0/30"}], [{"subnet": "10.8.0.0/29"}]]'
	gets '10.9.0.2/30 10.8.0.2/29' "$(conf "$sets")" a
	restarted a
	rm "$STORE/10.8.0.2" # the file is that of both addresses
	printf 'other\r\neth0' >"$STORE/10.8.0.2"
	gets 10.9.0.2/30 "$(conf "$one")" b
	holds 10.8.0.2 'other\r\neth0'
	[ "$(ls "$OWN/owner" | paste -sd' ')" = 'b:eth0 other:eth0' ]
}

# replaced: host-local has released a's lease, and leased an address to a new pod of that name, whose
# namespace it does not record. The old namespace is gone.
replaced() {
	gets 10.9.0.2/30 "$(conf "$one")" a
	ip netns del a
	host_local DEL "$1" a
	host_local ADD "$1" a
	succeeds
}

@test "a container's record does not apply to an address that host-local later leases to its name" {
	replaced "$(conf "$one")"
	keeps "$(conf "$one")" 10.9.0.2
	restarted a
	gets 10.9.0.2/30 "$(conf "$one")" b
}

@test "nor to another address of that container" {
	local three='"subnet": "10.9.0.0/29", "rangeStart": "10.9.0.2", "rangeEnd": "10.9.0.4"'
	replaced "$(conf "$three")"
	got 10.9.0.3/29
	lease 10.9.0.2 'x\r\neth0'
	lease 10.9.0.4 'x\r\neth0'
	keeps "$(conf "$three")" 10.9.0.3
}

@test "nor after a restart" {
	gets 10.9.0.2/30 "$(conf "$one")" a
	restarted a
	host_local DEL "$(conf "$one")" a
	host_local ADD "$(conf "$one")" a
	succeeds
	keeps "$(conf "$one")" 10.9.0.2
}

# traced VERB CONF [ID]: like pool, with a trace of the system calls.
traced() {
	printf '#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -f -qq -o "%s" "%s"\n' "$BATS_TEST_TMPDIR/trace" "$BUILD/addrpool" >"$BATS_TEST_TMPDIR/traced"
	chmod +x "$BATS_TEST_TMPDIR/traced"
	PLUGIN=$BATS_TEST_TMPDIR/traced pool "$@"
}

# looked_unlocked: the last traced call has searched /proc for namespaces, and had no lock meanwhile.
looked_unlocked() {
	awk '
		/openat\(.*"lock".* = [0-9]+$/ { lock = $NF }
		lock && index($0, "close(" lock ")") { lock = "" }
		/"\/proc", .*O_DIRECTORY/ { looked++ }
		lock && /"\/proc"|"task"|"fd"|mountinfo|pidfd/ { print "locked: " $0; bad = 1 }
		END { exit bad || !looked }
	' "$BATS_TEST_TMPDIR/trace"
}

@test "addrpool does not hold the lock while it searches namespaces" {
	gets 10.9.0.2/30 "$(conf "$one")" a
	traced ADD "$(conf "$one")" b
	fails 11
	looked_unlocked
	NETNS=/run/netns/b traced ADD "$(conf "$one")" a
	fails 100
	looked_unlocked
	traced GC "$(conf "$one" '"cni.dev/valid-attachments": []')"
	succeeds
	looked_unlocked
	run env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" "$BUILD/addrpool" <(conf "$one")
	[ "$status" = 0 ]
	looked_unlocked
}

@test "an ADD gets an address that is released while it searches namespaces" {
	local started
	gets 10.9.0.2/30 "$(conf "$one")" a
	printf '#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -f -qq -P /proc -e inject=openat:delay_enter=2000000:when=1 -o "%s" "%s"\n' "$BATS_TEST_TMPDIR/trace" \
		"$BUILD/addrpool" >"$BATS_TEST_TMPDIR/slow"
	chmod +x "$BATS_TEST_TMPDIR/slow"
	PLUGIN=$BATS_TEST_TMPDIR/slow pool ADD "$(conf "$one")" b &
	started=$!
	until [ -L "$OWN/full/0" ]; do
		sleep 0.01
	done
	# no other call waits meanwhile
	flock -n "$STORE/lock" true
	drops "$(conf "$one")" a
	wait $started
	holds 10.9.0.2 'b\r\neth0'
}

@test "a lease stays if a new container has taken the name of one that was found dead" {
	local started
	gets 10.9.0.2/30 "$(conf "$one")" a
	ip netns del a
	printf '#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -f -qq -P /proc -e inject=openat:delay_enter=2000000:when=1 -o "%s" "%s"\n' "$BATS_TEST_TMPDIR/trace" \
		"$BUILD/addrpool" >"$BATS_TEST_TMPDIR/slow"
	chmod +x "$BATS_TEST_TMPDIR/slow"
	(PLUGIN=$BATS_TEST_TMPDIR/slow pool ADD "$(conf "$one")" c; echo "$output" >"$BATS_TEST_TMPDIR/said") &
	started=$!
	until [ -L "$OWN/full/0" ]; do
		sleep 0.01
	done
	drops "$(conf "$one")" a
	NETNS=/run/netns/b gets 10.9.0.2/30 "$(conf "$one")" a
	wait $started
	[[ $(<"$BATS_TEST_TMPDIR/said") = *'no IP addresses available'* ]]
	holds 10.9.0.2 'a\r\neth0'
}

@test "GC keeps and reports the address of an existing namespace that the runtime does not know" {
	gets 10.9.0.2/24 "$(conf)" a
	gets 10.9.0.3/24 "$(conf)" b
	ip netns del b
	pool GC "$(conf '' '"cni.dev/valid-attachments": []')"
	succeeds
	leased 10.9.0.2
	[[ $stderr = *'network net: 10.9.0.2 is kept, leased by a eth0: the runtime does not know the attachment, but its network namespace exists'* ]]
	[[ $stderr = *'10.9.0.3 is free again, leased by b eth0: the runtime does not know the attachment'* ]]
	pool CHECK "$(conf)" a
	succeeds
	ip netns del a
	pool GC "$(conf '' '"cni.dev/valid-attachments": []')"
	succeeds
	leased ''
	[ -z "$(ls -A "$OWN/owner")" ]
}

@test "ADD releases both interfaces of a container that is gone" {
	gets 10.9.0.2/29 "$(conf "$two")" a eth0
	gets 10.9.0.3/29 "$(conf "$two")" a eth1
	restarted a eth0
	restarted a eth1
	gets 10.9.0.2/29 "$(conf "$two")" b eth0
	leased 10.9.0.2
}
