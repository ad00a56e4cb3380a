#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Leases on disk: shared with host-local, and all that can be wrong with files.

load ../lib/pool

teardown() {
	umount "$DATA" 2>/dev/null || :
}

two_sets='"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00::/64"}]]'

# host-local and addrpool on one directory

@test "host-local and addrpool release each other's leases" {
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$two_sets")" a
	host_local ADD "$(conf "$two_sets")" b
	succeeds
	got '10.9.0.3/24 fd00::3/64'
	gets '10.9.0.4/24 fd00::4/64' "$(conf "$two_sets")" c
	host_local CHECK "$(conf "$two_sets")" a
	succeeds
	pool CHECK "$(conf "$two_sets")" b
	succeeds
	host_local DEL "$(conf "$two_sets")" a
	succeeds
	drops "$(conf "$two_sets")" b
	leased '10.9.0.4 fd00::4'
	pool CHECK "$(conf "$two_sets")" a
	fails 102
	host_local CHECK "$(conf "$two_sets")" c
	succeeds
}

@test "neither assigns an address that the other has leased, up to the last address" {
	local n conf
	conf=$(conf '"subnet": "10.9.0.0/28"')
	for n in 2 4 6 8 10 12; do
		gets "10.9.0.$n/28" "$conf" "ours$n"
		host_local ADD "$conf" "theirs$n"
		got "10.9.0.$((n + 1))/28"
	done
	gets 10.9.0.14/28 "$conf" last
	host_local ADD "$conf" more
	[ "$status" = 1 ]
	pool ADD "$conf" more
	fails 11
	host_local DEL "$conf" ours6
	gets 10.9.0.6/28 "$conf" more
	drops "$conf" theirs2
	host_local ADD "$conf" another
	got 10.9.0.3/28
}

@test "each refuses a second ADD of a container that the other has served" {
	gets 10.9.0.2/24 "$(conf)" a
	host_local ADD "$(conf)" a
	[[ $output = *'10.9.0.2 has been allocated to a, duplicate allocation is not allowed'* ]]
	host_local ADD "$(conf)" b
	succeeds
	pool ADD "$(conf)" b
	fails 100 '10.9.0.3 has been allocated to b, duplicate allocation is not allowed'
}

@test "host-local does not touch .addrpool" {
	gets 10.9.0.2/24 "$(conf '"sticky": "K", "reuseDelay": 1')" a
	rm "$STORE/10.9.0.2"
	host_local CHECK "$(conf)" a
	[ "$status" = 1 ]
	host_local DEL "$(conf)" a
	succeeds
	[ -L "$OWN/owner/a:eth0" ]
	# addrpool does not rely on it
	pool CHECK "$(conf)" a
	fails 102
	gets 10.9.0.3/24 "$(conf)" a
}

@test "addrpool finds a lease that host-local made again under another address" {
	gets 10.9.0.2/24 "$(conf)" a
	host_local DEL "$(conf)" a
	host_local ADD "$(conf)" a
	got 10.9.0.3/24
	pool CHECK "$(conf)" a
	succeeds
	drops "$(conf)" a
	leased ''
}

@test "a lease without interface, as of host-local before 0.8, is the container's" {
	lease 10.9.0.5 b
	pool ADD "$(conf)" b
	fails 100 '10.9.0.5 has been allocated to b, duplicate allocation is not allowed'
	pool ADD "$(conf)" b eth1
	fails 100 '10.9.0.5 has been allocated to b'
	gets 10.9.0.2/24 "$(conf)" c
	drops "$(conf)" b eth1
	leased 10.9.0.2
}

@test "leases with the modes of an old host-local" {
	lease 10.9.0.2 'a\r\neth0'
	chmod 644 "$STORE/10.9.0.2"
	printf 10.9.0.2 >"$STORE/last_reserved_ip.0"
	gets 10.9.0.3/24 "$(conf)" b
	drops "$(conf)" a
	leased 10.9.0.3
}

@test "the address of an empty file is free for addrpool, and lost for host-local" {
	lease 10.9.0.2 ''
	host_local ADD "$(conf)" a
	got 10.9.0.3/24
	rm "$STORE/last_reserved_ip.0"
	gets 10.9.0.2/24 "$(conf)" b
	holds 10.9.0.2 'b\r\neth0'
	[ "$(stat -c %a "$STORE/10.9.0.2")" = 600 ]
}

# other files in place of addrpool's

@test "files that are not leases stay" {
	mkdir -p "$STORE/sub"
	printf 'a\r\neth0' >"$STORE/sub/10.9.0.2"
	printf 'a\r\neth0' >"$STORE/notes"
	printf 'a\r\neth0' >"$STORE/10.9.0.02"
	printf 'a\r\neth0' >"$STORE/last_reserved_ip.7"
	gets 10.9.0.2/24 "$(conf)" a
	drops "$(conf)" a
	[ "$(ls "$STORE" | LC_ALL=C sort | paste -sd' ')" = '10.9.0.02 last_reserved_ip.0 last_reserved_ip.7 lock notes sub' ]
}

@test "an address is leased whatever size and bytes its file has" {
	mkdir -p "$STORE"
	head -c 100000 /dev/zero | tr '\0' x >"$STORE/10.9.0.2"
	head -c 1000 /dev/urandom >"$STORE/10.9.0.3"
	printf '\r\n' >"$STORE/10.9.0.4"
	gets 10.9.0.5/24 "$(conf)" a
	drops "$(conf)" a
	leased '10.9.0.2 10.9.0.3 10.9.0.4'
}

@test "addrpool does not follow a symbolic link in place of a lease, and the address is not free" {
	mkdir -p "$STORE"
	echo precious >"$BATS_TEST_TMPDIR/precious"
	ln -s "$BATS_TEST_TMPDIR/precious" "$STORE/10.9.0.2"
	ln -s /nonexistent "$STORE/10.9.0.3"
	gets 10.9.0.4/24 "$(conf)" a
	CNI_ARGS=IP=10.9.0.3 pool ADD "$(conf)" b
	fails 101
	drops "$(conf)" a
	[ "$(cat "$BATS_TEST_TMPDIR/precious")" = precious ]
	[ -L "$STORE/10.9.0.2" ]
}

@test "ADD skips a directory, a FIFO and a device in place of a lease" {
	mkdir -p "$STORE/10.9.0.2"
	mkfifo "$STORE/10.9.0.3"
	mknod "$STORE/10.9.0.4" c 1 5
	gets 10.9.0.5/24 "$(conf)" a
	pool CHECK "$(conf)" a
	succeeds
	pool STATUS "$(conf)"
	succeeds
	drops "$(conf)" a
}

@test "ADD works with a FIFO in place of the lock" {
	mkdir -p "$STORE"
	mkfifo "$STORE/lock"
	run --separate-stderr timeout 20 env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=/x "$BUILD/addrpool" <<<"$(conf)"
	succeeds
	leased 10.9.0.2
}

@test "a symbolic link or a directory in place of the lock is an error" {
	mkdir -p "$STORE"
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$STORE/lock"
	pool ADD "$(conf)"
	fails 5 "open $STORE/lock: $(in_words ELOOP)"
	[ ! -e "$BATS_TEST_TMPDIR/elsewhere" ]
	rm "$STORE/lock"
	mkdir "$STORE/lock"
	pool ADD "$(conf)"
	fails 5 "open $STORE/lock: is a directory"
}

@test "a symbolic link in place of last_reserved_ip is an error, and nothing is leased" {
	mkdir -p "$STORE"
	echo precious >"$BATS_TEST_TMPDIR/precious"
	ln -s "$BATS_TEST_TMPDIR/precious" "$STORE/last_reserved_ip.0"
	pool ADD "$(conf)"
	fails 5 "cannot write $STORE/last_reserved_ip.0: $(in_words ELOOP)"
	leased ''
	[ "$(cat "$BATS_TEST_TMPDIR/precious")" = precious ]
}

@test "a FIFO in place of last_reserved_ip is an error, not a hang" {
	mkdir -p "$STORE"
	mkfifo "$STORE/last_reserved_ip.0"
	run timeout 20 env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=/x "$BUILD/addrpool" <<<"$(conf)"
	fails 5 "cannot write $STORE/last_reserved_ip.0"
	leased ''
}

@test "addrpool makes damaged records again from the leases" {
	gets 10.9.0.2/24 "$(conf)" a
	ln -sfn garbage "$OWN/owner/a:eth0"
	ln -sfn "$(readlink "$OWN/owner/a:eth0")" "$OWN/owner/ghost:eth0"
	touch "$STORE"
	pool CHECK "$(conf)" a
	succeeds
	[ "$(ls "$OWN/owner")" = a:eth0 ]
	[[ $(readlink "$OWN/owner/a:eth0") = *' 10.9.0.2' ]]
}

@test "dataDir can be a symbolic link, and have blanks and slashes in its name" {
	mkdir "$BATS_TEST_TMPDIR/real"
	ln -s "$BATS_TEST_TMPDIR/real" "$DATA"
	gets 10.9.0.2/24 "$(conf)" a
	[ -f "$BATS_TEST_TMPDIR/real/net/10.9.0.2" ]
	gets 10.9.0.2/24 "$(conf "\"dataDir\": \"$BATS_TEST_TMPDIR//a dir/ä/\"")" a
	[ -f "$BATS_TEST_TMPDIR/a dir/ä/net/10.9.0.2" ]
}

# errors of the system

# small KILOBYTES [INODES]: dataDir is a separate file system of that size.
small() {
	mkdir "$DATA"
	mount -t tmpfs -o "size=$1k,nr_inodes=${2:-0}" tmpfs "$DATA"
}

@test "on a full disk ADD fails and leaves nothing, DEL works" {
	small 32
	gets 10.9.0.2/24 "$(conf)" a
	dd if=/dev/zero of="$DATA/filler" bs=4k 2>/dev/null || :
	pool ADD "$(conf)" b
	fails 5 'no space left on device'
	leased 10.9.0.2
	holds 10.9.0.2 'a\r\neth0'
	[ "$(ls "$OWN/owner")" = a:eth0 ]
	pool CHECK "$(conf)" a
	succeeds
	drops "$(conf)" a
	leased ''
	rm "$DATA/filler"
	pool ADD "$(conf)" b
	succeeds
}

@test "without a free inode ADD fails and leaves nothing, DEL works" {
	local n=0
	small 1000 30
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$two_sets")" a
	while touch "$DATA/filler$((n++))" 2>/dev/null; do
		:
	done
	for ((n -= 2; n >= 0; n--)); do
		pool ADD "$(conf "$two_sets")" b
		[ "$status" = 1 ] || break
		fails 5 'no space left on device'
		leased '10.9.0.2 fd00::2'
		[ "$(ls "$OWN/owner")" = a:eth0 ]
		rm "$DATA/filler$n"
	done
	succeeds
	drops "$(conf "$two_sets")" a
	[ "$(find "$STORE" -name "*[.:]*" ! -name "last*" | wc -l)" = 2 ]
}

@test "on a read-only file system ADD and DEL fail, CHECK works" {
	small 100
	gets 10.9.0.2/24 "$(conf)" a
	mount -o remount,ro "$DATA"
	pool CHECK "$(conf)" a
	succeeds
	pool ADD "$(conf)" b
	fails 5 'read-only file system'
	pool DEL "$(conf)" a
	fails 5 'read-only file system'
	pool STATUS "$(conf)"
	fails 50 'read-only file system'
	drops "$(conf)" unknown
	mount -o remount,rw "$DATA"
	leased 10.9.0.2
	gets 10.9.0.3/24 "$(conf)" b
}

@test "without descriptors each verb fails with an error and leaves nothing half done" {
	local n before
	gets 10.9.0.2/24 "$(conf)" a
	before=$(snapshot)
	for n in {3..12}; do
		run --separate-stderr bash -c 'ulimit -n "$1"; env CNI_COMMAND=ADD CNI_CONTAINERID=b CNI_IFNAME=eth0 \
			CNI_NETNS=/x "$BUILD/addrpool" || exit 1' bash "$n" < <(conf)
		[ "$status" != 0 ] || break
		# the shell that starts the program may need one
		[ -z "$output" ] || fails 5 "$(in_words EMFILE)"
		changes_nothing "$before"
	done
	succeeds
	[ "$n" -gt 4 ]
	leased '10.9.0.2 10.9.0.3'
}

@test "ADD fails for a user who is not root" {
	local conf
	conf=$(conf)
	for_everybody
	gets 10.9.0.2/24 "$conf" a
	chmod a+rx "$DATA"
	for verb in ADD DEL CHECK; do
		run as_nobody env CNI_COMMAND=$verb CNI_CONTAINERID=a CNI_IFNAME=eth0 CNI_NETNS=/x "$PLUGIN" <<<"$conf"
		fails 5 "read $OWN/pool: permission denied"
		explains 'the plugin must run as root'
	done
	run as_nobody env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_IFNAME=eth0 CNI_NETNS=/x "$PLUGIN" <<<"$(conf '' '"name": "other"')"
	fails 5 "read $DATA/.addrpool/other/pool: permission denied"
	leased 10.9.0.2
}

# the lock

@test "a waiting call gets the lock when it is released" {
	local holder
	mkdir -p "$STORE"
	mkfifo "$BATS_TEST_TMPDIR/go"
	flock "$STORE/lock" sh -c "echo locked; read -r go <'$BATS_TEST_TMPDIR/go'; echo mine >'$STORE/10.9.0.2'" 3>&- \
		>"$BATS_TEST_TMPDIR/state" &
	holder=$!
	until [ -s "$BATS_TEST_TMPDIR/state" ]; do
		sleep 0.01
	done
	(sleep 0.3; echo go >"$BATS_TEST_TMPDIR/go") 3>&- &
	gets 10.9.0.3/24 "$(conf)" a
	wait $holder
	leased '10.9.0.2 10.9.0.3'
}

@test "each network has a separate lock" {
	mkdir -p "$DATA/other"
	keeps_lock "$DATA/other/lock"
	gets 10.9.0.2/24 "$(conf)" a
	kill "$HOLDER"
}

@test "an ordinary user cannot hold the lock, with any umask, also if another program made the file" {
	local mode
	for mode in 644 666 755 777 750 600; do
		mkdir -p "$STORE"
		touch "$STORE/lock"
		chmod "$mode" "$STORE/lock"
		gets 10.9.0.2/24 "$(conf)" a
		run ! as_nobody flock -n "$STORE/lock" true
		[[ $output = *ermission* ]]
		rm -r "$DATA"
	done
	for mode in 000 022 077 777; do
		(umask "$mode" && pool ADD "$(conf)" a) || :
		chmod 755 "$DATA" "$STORE"
		run ! as_nobody flock -n "$STORE/lock" true
		[[ $output = *ermission* ]]
		rm -r "$DATA"
	done
	host_local ADD "$(conf)" a
	run ! as_nobody flock -n "$STORE/lock" true
}

@test "a child does not inherit the lock, and the end of the process releases it" {
	gets 10.9.0.2/24 "$(conf)" a
	flock -n "$STORE/lock" true
}
