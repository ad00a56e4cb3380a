#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Messages of ipvlan and addrpool for system calls that do not fail by themselves: in each test
# strace makes one fail. ADD then leaves nothing.

load ../lib/cni

POOL='{ "ipam": { "type": "addrpool", "ranges": [[{ "subnet": "10.9.0.0/24" }]] } }'
STORE=/var/lib/cni/networks/net
CONF=$(conf "$POOL")

# spoil PROGRAM CALL:ERROR[:WHEN] [PATH]: from now on the program's system call fails, or that on PATH.
spoil() {
	local call=${2%%:*}
	PROGRAM=$1 run_by "strace -qq -o /dev/null ${3:+-P $3} -e trace=$call -e inject=$call:error=${2#*:}"
	[ "$1" = ipvlan ] || { mkdir -p "$STUB_DIR/bin" && mv "$PLUGIN" "$STUB_DIR/bin/$1"; }
}

# ipvlan VERB: with the call that fails.
ipvlan() {
	CNI_PATH=$STUB_DIR/bin:$CNI_PATH cni "$1" "$CONF"
}

# undone CALL:ERROR CODE MESSAGE [PATH]: an ADD of ipvlan whose call fails reports that and leaves nothing.
undone() {
	local before
	before=$(inventory)
	spoil ipvlan "$1" "${4:-}"
	ipvlan ADD
	fails "$2"
	says "$3"
	leaves_nothing "$before"
}

# pool_undone CALL:ERROR MESSAGE [PATH]: the same of addrpool, beside another pod's address.
pool_undone() {
	local before
	before=$(inventory)
	spoil addrpool "$1" "${3:-}"
	PLUGIN=$BUILD/ipvlan ipvlan ADD
	fails 5
	says "$2"
	rm "$STUB_DIR/bin/addrpool"
	PLUGIN=$BUILD/ipvlan ipvlan DEL
	succeeds
	leaves_nothing "$before"
}

# add_fails PROGRAM CALL:ERROR MESSAGE [PATH]: an ADD of ipvlan reports that the program's call fails.
add_fails() {
	spoil "$1" "$2" "${4:-}"
	PLUGIN=$BUILD/ipvlan ipvlan ADD
	fails 5
	says "$3"
}

@test "ipvlan: descriptors, files, pipes, locks" {
	undone flock:ENOLCK 5 'flock /run/cni/ipvlan/ledger.lock: no locks available'
	apart
	undone memfd_create:EMFILE 11 'cannot make a file for standard input: too many open files'
	undone pwrite64:ENOSPC 11 'cannot make a file for standard input: no space left on device'
	undone pipe2:EMFILE 11 'cannot make a pipe: too many open files'
	undone clone:EMFILE 5 "netplugin failed with no error message: fork/exec $APART/addrpool: too many open files"
}

@test "ipvlan: the kernel's rtnetlink" {
	undone openat:EMFILE 5 'cannot open /proc/self/ns/net: too many open files' /proc/self/ns/net
	undone socket:EPROTONOSUPPORT 5 'cannot open a netlink socket: protocol not supported'
	undone recvmsg:ENOMEM 5 "cannot receive from the kernel's rtnetlink: cannot allocate memory"
	undone recvmsg:EAGAIN 11 "the kernel's rtnetlink did not answer"
	undone setns:EPERM 5 'cannot enter the network namespace: operation not permitted'
	CONF=$(conf "$POOL" '{ "dad": "wait" }' '{ "ipam": { "ranges": [[{ "subnet": "fd00:9::/64" }]] } }')
	undone setsockopt:ENOBUFS 5 "cannot listen to the kernel's rtnetlink: no buffer space available"
	CONF=$(conf '{ "conflictCheck": "probe" }')
	undone bind:ENOBUFS 5 'conflictCheck: cannot listen on eth0: no buffer space available'
}

@test "ipvlan: other pods of the master that cannot be searched" {
	undone openat:ENFILE 11 "cannot look for other interfaces on link $(</sys/class/net/eth0/ifindex): /proc/self: too many open files in system" /proc/self
	undone getdents64:EIO 11 "cannot look for other interfaces on link $(</sys/class/net/eth0/ifindex): /proc: input/output error" /proc
}

@test "ipvlan: a namespace that may be the host's is not changed" {
	local before
	before=$(inventory)
	spoil ipvlan openat:EMFILE:when=1 /proc/self/ns/net
	NETNS=/proc/thread-self/ns/net ipvlan ADD
	fails 5
	says 'cannot open /proc/self/ns/net: too many open files'
	leaves_nothing "$before"
}

@test "ipvlanctl: a trial cannot make a namespace" {
	echo "$CONF" >"$BATS_TEST_TMPDIR/net.conf"
	PROGRAM=ipvlanctl run_by strace -f -qq -o /dev/null -e inject=unshare:error=ENOSPC
	run -2 "$PLUGIN" try "$BATS_TEST_TMPDIR/net.conf"
	[[ $output = *'cannot make a network namespace'* ]]
}

@test "standard input that cannot be read" {
	run env CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_IFNAME=eth0 "$BUILD/ipvlan" </
	fails 5
	says 'error reading from stdin: is a directory'
}

@test "DEL of ipvlan on the host: it reports objects that it cannot remove, and the next DEL removes them" {
	local before
	before=$(inventory)
	CONF=$(conf '{ "resolvConf": true, "dns": { "nameservers": [ "10.138.36.66" ] } }')
	add "$CONF"
	spoil ipvlan unlink:EROFS /etc/netns/a/resolv.conf
	ipvlan DEL
	fails 5
	says 'cannot remove /etc/netns/a/resolv.conf: read-only file system'
	spoil ipvlan openat:EIO /etc/netns/a/resolv.conf
	ipvlan DEL
	fails 5
	says 'cannot read /etc/netns/a/resolv.conf: input/output error'
	PLUGIN='' ipvlan DEL
	succeeds
	leaves_nothing "$before"
}

@test "DEL without the right to change the host's network, after the pod has ended" {
	local case mode code
	for case in '{ "mode": "l3", "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }:999:failed to delete the route to 192.168.7.0/24: operation not permitted' \
		'{ "mode": "l3s", "proxyArp": true }:5:cannot set the sysctl ipv4/conf/eth0/forwarding to 0' \
		'{ "mode": "l3s", "hostAccess": true }:999:failed to delete the route to 10.138.36.4/32: operation not permitted'; do
		mode="${case%\}:*}"\}
		code=${case#"$mode":}
		CONF=$(conf "$mode")
		PLUGIN='' add "$CONF"
		ip netns del a
		run_by "setpriv --bounding-set=-net_admin --inh-caps=-net_admin"
		ipvlan DEL
		fails "${code%%:*}"
		says "${code#*:}"
		PLUGIN='' ipvlan DEL
		succeeds
		ip netns add a
	done
}

@test "addrpool: leases that cannot be written leave no address" {
	local own=/var/lib/cni/networks/.addrpool/net
	add "$CONF" b
	pool_undone linkat:ENOSPC "cannot write $STORE/10.9.0.3: no space left on device"
	pool_undone write:ENOSPC:when=1 "cannot write $own/new: no space left on device"
	pool_undone write:ENOSPC:when=2 "cannot write $STORE/last_reserved_ip.0: no space left on device"
	pool_undone symlinkat:ENOSPC "cannot write $own/owner/a:eth0: no space left on device"
	pool_undone flock:ENOLCK "flock $STORE/lock: no locks available"
	CONF=$(conf "$POOL" '{ "ipam": { "fsync": true } }')
	pool_undone fdatasync:EIO "cannot write $own/new: input/output error"
	pool_undone fsync:EIO "cannot write $STORE/: input/output error"
}

@test "addrpool: it reports leases that cannot be read, and releases nothing" {
	add "$CONF" b
	spoil addrpool read:EIO $STORE/10.9.0.2
	PLUGIN=$BUILD/ipvlan CNI_PATH=$STUB_DIR/bin:$CNI_PATH cni DEL "$CONF" b
	fails 5
	says 'read lease 10.9.0.2: input/output error'
	ip netns del b # else GC keeps it
	spoil addrpool getdents64:EIO
	CONF=$(jq -c '. + { "cni.dev/valid-attachments": [] }' <<<"$CONF")
	PLUGIN=$BUILD/ipvlan ipvlan GC
	fails 5
	says 'read leases: input/output error'
	[ -e $STORE/10.9.0.2 ]
	rm "$STUB_DIR/bin/addrpool"
	PLUGIN=$BUILD/ipvlan ipvlan GC
	succeeds
	[ ! -e $STORE/10.9.0.2 ]
}

@test "addrpool: it reads leases again if it could not read all" {
	add "$CONF" b
	printf 'c\r\neth0' >$STORE/10.9.0.77 # by host-local
	add_fails addrpool getdents64:EIO 'read leases: input/output error'
	rm "$STUB_DIR/bin/addrpool"
	PLUGIN=$BUILD/ipvlan CNI_PATH=$STUB_DIR/bin:$CNI_PATH cni DEL "$CONF" c
	succeeds
	[ ! -e $STORE/10.9.0.77 ]
}

@test "addrpool: its files beside the leases cannot be read" {
	local own=/var/lib/cni/networks/.addrpool/net
	add "$CONF" b
	pool_undone newfstatat:EIO 'stat lease 10.9.0.3: input/output error' 10.9.0.3
	rm $STORE/10.9.0.2 # so that there is a record without a lease
	add_fails addrpool unlinkat:EIO "cannot remove $own/owner/b:eth0: input/output error" b:eth0
	add_fails addrpool openat:EIO 'read records: input/output error' owner
	ln -s "$(printf %032d 0)" $STORE/incarnation
	mkdir $own/blocks
	ln -s 'owned 00000000 x y' $own/blocks/10.9.0.0-28
	CONF=$(conf "$POOL" "$CLUSTER")
	add_fails addrpool readlinkat:EIO 'read block 10.9.0.0-28: input/output error' 10.9.0.0-28
	add_fails addrpool getdents64:EIO 'read blocks: input/output error' $own/blocks
}

# An engine without a server.
CLUSTER='{ "ipam": { "cluster": { "etcd": { "endpoints": [ "http://127.0.0.1:1" ] }, "timeout": 1 } } }'

# beside_addrpool: there it looks for addrpool-claim first.
beside_addrpool() {
	mkdir -p "$STUB_DIR/bin"
	cp "$BUILD/addrpool" "$STUB_DIR/bin"
}

@test "addrpool-claim: the id of a node's store, and its lock" {
	local before
	before=$(inventory)
	CONF=$(conf "$POOL" "$CLUSTER")
	beside_addrpool
	add_fails addrpool-claim getrandom:ENOSYS 'getrandom: function not implemented'
	add_fails addrpool-claim symlinkat:ENOSPC "cannot write $STORE/incarnation: no space left on device"
	add_fails addrpool-claim openat:EIO 'cannot read /proc/sys/kernel/random/boot_id' /proc/sys/kernel/random/boot_id
	add_fails addrpool-claim openat:EIO 'open claim.lock: input/output error' claim.lock
	add_fails addrpool-claim flock:ENOLCK 'flock claim.lock: no locks available' /var/lib/cni/networks/.addrpool/net/claim.lock
	leaves_nothing "$before"
}

@test "addrpool: a claim without a free address" {
	CONF=$(conf "$POOL" "$CLUSTER" '{ "runtimeConfig": { "ips": [ "10.9.0.7" ] } }')
	beside_addrpool
	printf '#!/bin/sh\necho {}\n' >"$STUB_DIR/bin/addrpool-claim"
	chmod +x "$STUB_DIR/bin/addrpool-claim"
	ipvlan ADD
	fails 11
	says 'failed to allocate for range 0: requested ip 10.9.0.7 is in no block of this node'
}

@test "no memory for a large configuration" {
	local room
	jq -c '. + { "padding": ("x" * 3000000) }' <<<"$CONF" >"$BATS_TEST_TMPDIR/large"
	for ((room = 4; room < 64; room++)); do
		if prlimit --as=$((room << 20)) env CNI_COMMAND=VERSION "$BUILD/ipvlan" </dev/null >/dev/null 2>&1; then
			break
		fi
	done
	run -1 env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
		prlimit --as=$(((room + 2) << 20)) "$BUILD/ipvlan" <"$BATS_TEST_TMPDIR/large"
	fails 11
	says 'out of memory'
}

@test "a result that cannot be written is logged, and the pod has nothing" {
	local before log=$BATS_TEST_TMPDIR/log
	before=$(inventory)
	PLUGIN=$BATS_TEST_TMPDIR/full
	printf '#!/bin/sh\nexec %s >/dev/full\n' "$BUILD/ipvlan" >"$PLUGIN"
	chmod +x "$PLUGIN"
	cni ADD "$(jq -c --arg log "$log" '.logFile = $log' <<<"$CONF")"
	[ "$status" = 1 ]
	grep -q 'error 5: cannot write the result: no space left on device' "$log"
	leaves_nothing "$before"
}
