#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# "pool": networks of a node that share one set of leases.

load ../lib/pool

setup() {
	make_places
	POOL=$DATA/lan
	NAMESPACES=()
}

teardown() {
	local name
	for name in "${NAMESPACES[@]}"; do
		ip netns del "$name" 2>/dev/null || :
	done
}

small='"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.2", "rangeEnd": "10.9.0.9"'

# of NETWORK [IPAM [MORE]]: its configuration, in the pool lan.
of() {
	local text
	text=$(conf "${2:-$small}, \"pool\": \"lan\"" "${3:-}")
	echo "${text/'"name": "net"'/"\"name\": \"$1\""}"
}

# alone NETWORK [IPAM [MORE]]: the same without the pool.
alone() {
	local text
	text=$(conf "${2:-$small}" "${3:-}")
	echo "${text/'"name": "net"'/"\"name\": \"$1\""}"
}

# in_store STORE NAMES: the store has exactly these leases.
in_store() {
	STORE=$DATA/$1 leased "$2"
}

valid() {
	local one list=''
	for one; do
		list+=", {\"containerID\": \"${one%:*}\", \"ifname\": \"${one#*:}\"}"
	done
	printf '"cni.dev/valid-attachments": [%s]' "${list#, }"
}

# lives ID: its namespace exists, and NETNS is a path to it.
# shellcheck disable=SC2034 # pool reads it
lives() {
	NETNS=/run/netns/pool-$1
	NAMESPACES+=("pool-$1")
	ip netns add "pool-$1"
}

@test "two networks with one pool assign no address twice" {
	gets 10.9.0.2/24 "$(of a)" c1
	gets 10.9.0.3/24 "$(of b)" c2
	gets 10.9.0.4/24 "$(of a)" c3
	in_store lan '10.9.0.2 10.9.0.3 10.9.0.4'
	in_store a ''
	in_store b ''
	STORE=$POOL holds 10.9.0.3 'c2\r\neth0'
}

@test "without a pool each network has its own leases" {
	gets 10.9.0.2/24 "$(alone a)" c1
	gets 10.9.0.2/24 "$(alone b)" c2
}

@test "a pod in both networks has two addresses, and DEL of one leaves the other" {
	gets 10.9.0.2/24 "$(of a)" c1 eth0
	gets 10.9.0.3/24 "$(of b)" c1 net1
	drops "$(of a)" c1 eth0
	in_store lan 10.9.0.3
	drops "$(of b)" c1 net1
	in_store lan ''
}

@test "the pool is full for both networks, and a request for an address names the other network" {
	local small='"subnet": "10.9.0.0/29"' i
	for i in 1 2 3 4 5; do
		pool ADD "$(of a "$small")" "c$i"
		succeeds
	done
	pool ADD "$(of b "$small")" c6
	fails 11 'no IP addresses available'
	CNI_ARGS=IP=10.9.0.3 pool ADD "$(of b "$small")" c6
	fails 101 'requested IP address 10.9.0.3 is not available'
	explains 'container c2, interface eth0, network a has it'
	drops "$(of a "$small")" c2
	gets 10.9.0.3/29 "$(of b "$small")" c6
}

@test "different ranges in one pool: no common address is assigned twice" {
	local other='"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.4", "rangeEnd": "10.9.0.20"'
	gets 10.9.0.2/24 "$(of a)" c1
	gets 10.9.0.4/24 "$(of b "$other")" c2
	CNI_ARGS=IP=10.9.0.3 gets 10.9.0.3/24 "$(of a)" c3
	gets 10.9.0.5/24 "$(of a)" c4
	gets 10.9.0.6/24 "$(of b "$other")" c5
	gets '10.8.0.2/24' "$(of d '"subnet": "10.8.0.0/24"')" c6
}

@test "GC of one network leaves the leases of the other" {
	gets 10.9.0.2/24 "$(of a)" c1
	gets 10.9.0.3/24 "$(of b)" c2
	gets 10.9.0.4/24 "$(of a)" c3
	pool GC "$(of a "$small" "$(valid c3:eth0)")"
	succeeds
	in_store lan '10.9.0.3 10.9.0.4'
	[[ $stderr = *'network a: 10.9.0.2 is free again, leased by c1 eth0: the runtime does not know the attachment'* ]]
	[[ $stderr != *10.9.0.3* ]]
	pool GC "$(of b "$small" "$(valid)")"
	in_store lan 10.9.0.4
}

@test "GC of a network with the pool's name leaves the leases of other networks" {
	gets 10.9.0.2/24 "$(alone lan)" c1
	gets 10.9.0.3/24 "$(of b)" c2
	pool GC "$(alone lan "$small" "$(valid)")"
	succeeds
	in_store lan 10.9.0.3
	gets 10.9.0.4/24 "$(alone lan)" c3
	pool GC "$(of b "$small" "$(valid)")"
	succeeds
	in_store lan 10.9.0.4
}

@test "GC keeps a lease of an unknown network, unless its attachment is gone" {
	lives c1
	gets 10.9.0.2/24 "$(of a)" c1
	unset NETNS
	host_local ADD "$(alone lan)" c2
	got 10.9.0.3/24
	ip netns del pool-c1
	rm -rf "$DATA/.addrpool"
	pool GC "$(of a "$small" "$(valid)")"
	succeeds
	in_store lan '10.9.0.2 10.9.0.3'
	STORE=$POOL OWN=$DATA/.addrpool/lan restarted c2
	pool GC "$(of a "$small" "$(valid)")"
	in_store lan 10.9.0.2
}

@test "an ADD without a free address releases dead leases of all networks" {
	local small='"subnet": "10.9.0.0/29"' i
	for i in 1 2 3 4 5; do
		pool ADD "$(of a "$small")" "c$i"
		succeeds
	done
	OWN=$DATA/.addrpool/lan restarted c4
	gets 10.9.0.5/29 "$(of b "$small")" c6
	[[ $stderr = *'10.9.0.5 is free again, leased by c4 eth0: the machine has restarted since'* ]]
}

@test "sticky: a pod has a separate address in each network, and gets both again" {
	local sticky='"sticky": "NAME"'
	export CNI_ARGS='NAME=web'
	gets 10.9.0.2/24 "$(of a "$small, $sticky")" c1 eth0
	gets 10.9.0.3/24 "$(of b "$small, $sticky")" c1 net1
	drops "$(of a)" c1 eth0
	drops "$(of b)" c1 net1
	gets 10.9.0.3/24 "$(of b "$small, $sticky")" c2 net1
	gets 10.9.0.2/24 "$(of a "$small, $sticky")" c2 eth0
}

@test "CHECK examines only the network's own attachment" {
	local result
	gets 10.9.0.2/24 "$(of a)" c1
	result=$output
	pool CHECK "$(of a "$small" "\"prevResult\": $result")" c1
	succeeds
	pool CHECK "$(of a)" c2
	fails 102 'Failed to find address added by container c2'
}

@test "the name of a pool is checked like a network's" {
	local name
	for name in ../etc .. .addrpool -a a/b 'a b' "$(printf '%0256d' 0)"; do
		pool ADD "$(conf "\"pool\": \"$name\"")"
		fails 7 'ipam.pool: invalid name: '
		pool DEL "$(conf "\"pool\": \"$name\"")"
		fails 7 'ipam.pool: invalid name: '
	done
	[ ! -e "$DATA" ]
	gets 10.9.0.2/24 "$(conf '"pool": ""')"
	[ -e "$DATA/net/10.9.0.2" ]
	gets 10.9.0.3/24 "$(conf '"pool": ["lan"]')" c2
	[[ $stderr = *'ignored: ipam.pool must be a string'* ]]
	gets 10.9.0.4/24 "$(conf "\"pool\": \"$(printf '%0255d' 0)\"")" c3
}

@test "networks with names of any length are distinct in a pool" {
	local a b
	a=$(printf 'a%0200d' 1) b=$(printf 'a%0200d' 2)
	gets 10.9.0.2/24 "$(of "$a")" c1
	gets 10.9.0.3/24 "$(of "$b")" c2
	pool GC "$(of "$b" "$small" "$(valid)")"
	succeeds
	in_store lan 10.9.0.2
	pool GC "$(of "$a" "$small" "$(valid)")"
	in_store lan ''
}

# "pool" is added, changed, or removed

@test "when pool is added, the network's leases move into it before an address is assigned" {
	lease_of_a=$DATA/a/10.9.0.2
	gets 10.9.0.2/24 "$(alone a)" c1
	host_local ADD "$(alone a)" c2
	got 10.9.0.3/24
	gets 10.9.0.4/24 "$(of a)" c3
	in_store lan '10.9.0.2 10.9.0.3 10.9.0.4'
	in_store a ''
	[ ! -e "$lease_of_a" ]
	STORE=$POOL holds 10.9.0.3 'c2\r\neth0'
	pool CHECK "$(of a)" c1
	succeeds
	drops "$(of a)" c2
	in_store lan '10.9.0.2 10.9.0.4'
	pool GC "$(of b "$small" "$(valid)")"
	in_store lan '10.9.0.2 10.9.0.4'
	pool GC "$(of a "$small" "$(valid c3:eth0)")"
	in_store lan 10.9.0.4
}

@test "when pool is added, DEL, CHECK and GC find earlier leases without an ADD" {
	gets 10.9.0.2/24 "$(alone a)" c1
	gets 10.9.0.3/24 "$(alone a)" c2
	pool CHECK "$(of a)" c1
	succeeds
	drops "$(of a)" c1
	in_store a 10.9.0.3
	gets 10.9.0.2/24 "$(alone b)" c3
	pool CHECK "$(of b)" c3
	succeeds
	gets 10.9.0.2/24 "$(alone d)" c4
	pool GC "$(of d "$small" "$(valid)")"
	succeeds
	in_store d ''
}

@test "when pool is removed, the network's leases move back, and those of other networks stay" {
	gets 10.9.0.2/24 "$(of a)" c1
	gets 10.9.0.3/24 "$(of b)" c2
	gets 10.9.0.4/24 "$(of a)" c3
	gets 10.9.0.3/24 "$(alone a)" c4
	in_store a '10.9.0.2 10.9.0.3 10.9.0.4'
	in_store lan 10.9.0.3
	pool CHECK "$(alone a)" c1
	succeeds
	drops "$(alone b)" c2
	in_store lan ''
	drops "$(alone a)" c1
	in_store a '10.9.0.3 10.9.0.4'
	pool GC "$(alone a "$small" "$(valid)")"
	in_store a ''
}

@test "DEL and CHECK with the configuration of before: the pool's other networks do not get the addresses of running pods" {
	local before
	for before in "$(alone a)" "$(of a | sed 's/lan/wan/')"; do
		rm -rf "$DATA"
		gets 10.9.0.2/24 "$before" c1
		gets 10.9.0.3/24 "$before" c2
		gets 10.9.0.4/24 "$(of a)" c3
		pool CHECK "$before" c2
		succeeds
		drops "$before" c1
		in_store lan '10.9.0.3 10.9.0.4'
		pool ADD "$(of b "$small" '"runtimeConfig": {"ips": ["10.9.0.3/24"]}')" c4
		fails 101 'is not available'
		drops "$before" c2
		in_store lan 10.9.0.4
	done
}

@test "when pool changes, the leases move to the new pool" {
	local wan
	wan=$(of a)
	wan=${wan/lan/wan}
	gets 10.9.0.2/24 "$(of a)" c1
	gets 10.9.0.3/24 "$(of b)" c2
	gets 10.9.0.3/24 "$wan" c3
	in_store wan '10.9.0.2 10.9.0.3'
	in_store lan 10.9.0.3
	pool CHECK "$wan" c1
	succeeds
	drops "$wan" c1
	in_store wan 10.9.0.3
}

@test "a lease whose address is leased in the new pool stays in the old store until its DEL" {
	gets 10.9.0.2/24 "$(alone a)" c1
	gets 10.9.0.2/24 "$(of b)" c2
	gets 10.9.0.3/24 "$(of a)" c3
	[[ $stderr = *'network a: 10.9.0.2 of c1 eth0 stays in a until its DEL: another attachment has it in lan; restart one of both'* ]]
	in_store a 10.9.0.2
	in_store lan '10.9.0.2 10.9.0.3'
	pool DEL "$(of a)" c1
	succeeds
	in_store a ''
	in_store lan '10.9.0.2 10.9.0.3'
}

@test "a lease that stays in the pool of before is released by its DEL, or by GC" {
	local wan
	wan=$(of a | sed 's/lan/wan/')
	gets 10.9.0.2/24 "$wan" c1
	gets 10.9.0.3/24 "$wan" c2
	gets 10.9.0.2/24 "$(of b)" c3
	gets 10.9.0.3/24 "$(of b)" c4
	gets 10.9.0.4/24 "$(of a)" c5
	in_store wan '10.9.0.2 10.9.0.3'
	pool CHECK "$(of a)" c2
	succeeds
	drops "$(of a)" c1
	in_store wan 10.9.0.3
	pool GC "$(of a "$small" "$(valid c5:eth0)")"
	in_store wan ''
	in_store lan '10.9.0.2 10.9.0.3 10.9.0.4'
}

# releases NETWORK GONE STAYS ID ADDRESS: NETWORK's ADD of ID, which gets ADDRESS, releases the lease of 10.9.0.2 that
# GONE has from an earlier boot; STAYS has that address, in the pool.
releases() {
	gets "$5/24" "$(of "$1")" "$4"
	[[ $stderr = *"network $1: 10.9.0.2 is free again, leased by $2 eth0: the machine has restarted since"* ]]
	in_store "$1" ''
	STORE=$POOL holds 10.9.0.2 "$3"'\r\neth0'
}

@test "of two leases of one address, in the pools of before and now, the one of an earlier boot is released" {
	gets 10.9.0.2/24 "$(alone a)" c1
	gets 10.9.0.2/24 "$(of b)" c2
	OWN=$DATA/.addrpool/a restarted c1
	releases a c1 c2 c3 10.9.0.3
	gets 10.9.0.4/24 "$(of a)" c4
	[ -z "$stderr" ]
	gets 10.9.0.2/24 "$(alone d)" c5
	OWN=$DATA/.addrpool/lan restarted c2
	releases d c2 c5 c6 10.9.0.5
}

@test "DEL releases all leases of a container, also if an earlier one moves to more than a record has room for" {
	local i
	mkdir -p "$POOL"
	for i in {10..80}; do
		printf 'c1\r\neth0' >"$POOL/10.9.0.$i"
	done
	gets 10.9.0.2/24 "$(alone a)" c1
	gets 10.9.0.3/24 "$(of a)" c2
	drops "$(of a)" c1
	in_store lan 10.9.0.3
}

# fails_at CALL ERROR [WHEN [PATH]]: sets PLUGIN to addrpool, in which that system call fails.
fails_at() {
	PLUGIN=$BATS_TEST_TMPDIR/failing
	printf '#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -f -qq -o /dev/null %s -e inject=%s:error=%s:when=%s "%s"\n' \
		"${4:+-P $4}" "$1" "$2" "${3:-1+}" "$BUILD/addrpool" >"$PLUGIN"
	chmod +x "$PLUGIN"
}

@test "a note of the pools that cannot be read is not absent: DEL fails until it finds the lease" {
	local error wan
	wan=$(of a | sed 's/lan/wan/')
	for error in EACCES ESTALE ELOOP EIO ENOMEM; do
		gets 10.9.0.2/24 "$(of a)" c1
		fails_at readlink $error 1+ "$DATA/.addrpool/a/pool"
		pool DEL "$wan" c1
		fails 5 "read $DATA/.addrpool/a/pool: "
		unset PLUGIN
		in_store lan 10.9.0.2
		drops "$wan" c1
		in_store lan ''
		rm -rf "$DATA"
	done
}

@test "DEL and GC release what is in other stores, if one cannot be opened" {
	gets 10.9.0.2/24 "$(of a)" c1
	gets 10.9.0.3/24 "$(of a)" c2
	ln -sfn lan/dmz/wan "$DATA/.addrpool/a/pool"
	touch "$DATA/dmz" "$DATA/wan"
	pool DEL "$(of a)" c1
	fails 5 "open $DATA/dmz: not a directory"
	in_store lan 10.9.0.3
	pool GC "$(of a "$small" "$(valid)")"
	fails 5 "open $DATA/dmz: not a directory"
	in_store lan ''
	pool CHECK "$(of a)" c1
	fails 5 "open $DATA/dmz: not a directory"
	rm "$DATA/dmz" "$DATA/wan"
	drops "$(of a)" c1
}

@test "DEL releases the leases of all stores but one, if that one cannot be changed" {
	local n failed=0
	for ((n = 1; n < 30; n++)); do
		rm -rf "$DATA"
		gets 10.9.0.2/24 "$(alone a)" c1
		mkdir -p "$POOL"
		printf 'c1\r\neth0' >"$POOL/10.9.0.3"
		fails_at unlinkat EIO $n
		pool DEL "$(of a)" c1
		unset PLUGIN
		[ "$(find "$DATA" -path '*/.addrpool' -prune -o -name '10.*' -print | wc -l)" -le 1 ] || { ls "$DATA"/*; return 1; }
		[ "$status" = 0 ] || failed=$((failed + 1))
		drops "$(of a)" c1
		in_store a ''
		in_store lan ''
	done
	[ "$failed" -ge 2 ]
}

@test "a network with leases in many pools: ADD refuses one more before DEL would fail" {
	local i k refused='' conf confs=()
	for ((i = 1; i < 12; i++)); do
		conf=$(of a '"subnet": "10.9.0.0/24"' | sed "s/lan/p$i/")
		confs+=("$conf")
		mkdir -p "$DATA/p$i"
		for ((k = 1; k < i; k++)); do # so that no lease moves there
			printf 'other\r\neth0' >"$DATA/p$i/10.9.0.1$k"
		done
		CNI_ARGS=IP=10.9.0.1$i pool ADD "$conf" c$i
		[ "$status" = 0 ] || { fails 7 'network a has leases in too many pools: '; refused=$i; break; }
	done
	[ "$refused" ]
	for ((k = 1; k < refused; k++)); do
		drops "${confs[k % refused]}" c$k
		[ ! -e "$DATA/p$k/10.9.0.1$k" ]
	done
	drops "$(of a)" c$refused
}

@test "leases that are in both stores after a kill are in one after the next call" {
	gets 10.9.0.2/24 "$(alone a)" c1
	mkdir -p "$POOL"
	cp -p "$DATA/a/10.9.0.2" "$POOL/"
	gets 10.9.0.3/24 "$(of a)" c2
	in_store a ''
	in_store lan '10.9.0.2 10.9.0.3'
	pool CHECK "$(of a)" c1
	succeeds
}

# killed CALL N [CONF]: an ADD of c3 in the pool, killed at the Nth such system call; false: there is none.
killed() {
	printf '#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -f -qq -o /dev/null -e inject=%s:signal=KILL:when=%s "%s"\n' \
		"$1" "$2" "$BUILD/addrpool" >"$BATS_TEST_TMPDIR/killed"
	chmod +x "$BATS_TEST_TMPDIR/killed"
	PLUGIN=$BATS_TEST_TMPDIR/killed pool ADD "${3:-$(of a)}" c3
	[ "$status" != 0 ]
}

# distinct: no address is leased twice by the network, in whatever store, and each of these pods has one.
distinct() {
	local id
	[ -z "$(find "$DATA" -path '*/.addrpool' -prune -o -name '10.*' -printf '%f\n' | sort | uniq -d)" ] || { ls "$DATA"/*; return 1; }
	for id in "$@"; do
		[ "$(find "$DATA" -path '*/.addrpool' -prune -o -name '10.*' -print0 | xargs -0 grep -l "^$id"$'\r' | wc -l)" = 1 ] || { echo "$id"; ls "$DATA"/*; return 1; }
	done
}

@test "killed at each change while leases move, and the configuration of before returns: no address is assigned twice" {
	local call n id before after cases=0 wan
	wan=$(of a | sed 's/lan/wan/')
	for before in "$(alone a)" "$(of a)"; do
		for after in "$(of a)" "$wan" "$(alone a)"; do
			[ "$before" != "$after" ] || continue
			for call in linkat symlinkat symlink rename renameat unlink unlinkat mkdir write; do
				for ((n = 1; ; n++)); do
					rm -rf "$DATA"
					gets 10.9.0.2/24 "$before" c1
					gets 10.9.0.3/24 "$before" c2
					killed "$call" "$n" "$after" || break
					pool DEL "$before" c3
					succeeds
					pool ADD "$before" c5
					succeeds
					distinct c1 c2 c5
					for id in c1 c2 c5; do
						pool CHECK "$before" "$id"
						succeeds
						drops "$before" "$id"
					done
					distinct
					cases=$((cases + 1))
				done
			done
		done
	done
	[ "$cases" -gt 30 ]
}

# The calls of a change of "pool", at once: those of before with the old configuration, those of after with the new one. The
# first one is slow, so that the others come while it moves the leases.
@test "ADDs, DELs and CHECKs of before and after a change of pool, at once: no address is assigned twice, and no lease is lost" {
	local before after delay i verb n
	printf '#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -f -qq -o /dev/null -e trace=unlinkat -e inject=unlinkat:delay_exit=30000 "%s"\n' \
		"$BUILD/addrpool" >"$BATS_TEST_TMPDIR/slow"
	chmod +x "$BATS_TEST_TMPDIR/slow"
	for before in "$(alone a)" "$(of a)"; do
		for after in "$(of a)" "$(of a | sed 's/lan/wan/')" "$(alone a)"; do
			[ "$before" != "$after" ] || continue
			for delay in 0.01 0.05 0.09 0.13; do
				rm -rf "$DATA"
				gets 10.9.0.2/24 "$before" c1
				gets 10.9.0.3/24 "$before" c2
				gets 10.9.0.4/24 "$before" c3
				n=0
				for verb in "ADD new1 after" "DEL c1 after" "ADD new2 before" "CHECK c2 before" "CHECK c3 after"; do
					(
						# shellcheck disable=SC2086
						set -- $verb
						[ $n = 0 ] && export PLUGIN=$BATS_TEST_TMPDIR/slow || sleep "$delay"
						pool "$1" "${!3}" "$2"
						succeeds || { echo "$verb"; touch "$BATS_TEST_TMPDIR/failed"; }
					) 3>&- &
					n=$((n + 1))
				done
				wait
				[ ! -e "$BATS_TEST_TMPDIR/failed" ]
				distinct c2 c3 new1 new2
				for i in c2 c3 new1 new2; do
					drops "$after" "$i"
				done
				distinct
				[ -z "$(find "$DATA" -path '*/.addrpool' -prune -o -name '10.*' -print)" ]
			done
		done
	done
}

@test "a network's first ADDs with different values of pool, at once: no address is assigned twice" {
	local first second wan both
	wan=$(of a | sed 's/lan/wan/')
	printf '#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -f -qq -o /dev/null -e trace=linkat -e inject=linkat:delay_enter=200000 "%s"\n' \
		"$BUILD/addrpool" >"$BATS_TEST_TMPDIR/slow"
	chmod +x "$BATS_TEST_TMPDIR/slow"
	for first in "$(alone a)" "$(of a)" "$wan"; do
		for second in "$(alone a)" "$(of a)" "$wan"; do
			[ "$first" != "$second" ] || continue
			rm -rf "$DATA"
			(
				export PLUGIN=$BATS_TEST_TMPDIR/slow
				pool ADD "$first" c1
				succeeds
			) 3>&- &
			both=$!
			sleep 0.1
			pool ADD "$second" c2
			succeeds
			wait $both
			distinct c1 c2
			for id in c1 c2; do
				pool CHECK "$first" $id
				succeeds
				drops "$second" $id
			done
			[ -z "$(find "$DATA" -path '*/.addrpool' -prune -o -name '10.*' -print)" ]
		done
	done
}

@test "an ADD of before and one of after a change, at once, without the store of before: no address is assigned twice" {
	local both wan
	wan=$(of a | sed 's/lan/wan/')
	gets 10.9.0.2/24 "$(of a)" c1
	drops "$(of a)" c1
	rm -rf "$POOL"
	printf '#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec strace -f -qq -o /dev/null -e trace=symlink -e inject=symlink:delay_enter=300000 "%s"\n' \
		"$BUILD/addrpool" >"$BATS_TEST_TMPDIR/slow"
	chmod +x "$BATS_TEST_TMPDIR/slow"
	(
		export PLUGIN=$BATS_TEST_TMPDIR/slow
		pool ADD "$wan" c2
		succeeds
	) 3>&- &
	both=$!
	sleep 0.2
	pool ADD "$(of a)" c1
	succeeds
	wait $both
	distinct c1 c2
	for id in c1 c2; do
		drops "$wan" $id
	done
	distinct
	in_store lan ''
	in_store wan ''
}

@test "eight ADDs with three values of pool at once: all succeed, with eight addresses" {
	local n confs pids
	confs=("$(alone a)" "$(of a)" "$(of a | sed 's/lan/wan/')")
	for _ in 1 2 3 4 5; do
		rm -rf "$DATA"
		pids=()
		for n in 1 2 3 4 5 6 7 8; do
			(pool ADD "${confs[n % 3]}" c$n; succeeds) 3>&- &
			pids+=($!)
		done
		for n in "${pids[@]}"; do
			wait "$n"
		done
		distinct c1 c2 c3 c4 c5 c6 c7 c8
	done
}

@test "a move that fails half-way: DEL and CHECK of before find what has moved" {
	local id
	gets 10.9.0.2/24 "$(of a)" c1
	gets 10.9.0.3/24 "$(of a)" c2
	killed linkat 2 "$(alone a)"
	for id in c1 c2; do
		pool CHECK "$(of a)" $id
		succeeds
		drops "$(of a)" $id
	done
	in_store a ''
	in_store lan ''
}

@test "cluster that is no object is ignored: the leases move into the new pool" {
	gets 10.9.0.2/24 "$(alone a)" c1
	pool ADD "$(jq -c '.ipam.cluster = false' <<<"$(of a)")" c2
	succeeds
	distinct c1 c2
	in_store lan '10.9.0.2 10.9.0.3'
}

@test "killed at each change while leases move: no lease is lost, and no address is assigned twice" {
	local call n id cases=0
	for call in linkat symlinkat unlinkat renameat mkdirat write; do
		for ((n = 1; ; n++)); do
			rm -rf "$DATA"
			gets 10.9.0.2/24 "$(alone a)" c1
			gets 10.9.0.3/24 "$(alone a)" c2
			killed "$call" "$n" || break
			pool ADD "$(of a)" c5
			succeeds
			pool ADD "$(of b)" c4
			succeeds
			for id in c1 c2; do
				pool CHECK "$(of a)" "$id"
				succeeds || { echo "$call $n: $id"; return 1; }
			done
			in_store a ''
			pool GC "$(of b "$small" "$(valid)")"
			for id in c1 c2 c3 c5; do
				pool DEL "$(of a)" "$id"
				succeeds
			done
			in_store lan '' || { echo "$call $n"; return 1; }
			cases=$((cases + 1))
		done
	done
	[ "$cases" -gt 10 ]
}

@test "addrpool ignores a note that leads out of dataDir" {
	gets 10.9.0.2/24 "$(of a)" c1
	ln -sfn ../../etc "$DATA/.addrpool/a/pool"
	gets 10.9.0.2/24 "$(alone a)" c2
	in_store lan 10.9.0.2
	in_store a 10.9.0.2
}

@test "the list shows a pool once, with the network of each lease; JSON has those of each network" {
	local list
	gets 10.9.0.2/24 "$(of a)" c1
	gets 10.9.0.3/24 "$(of b)" c2
	of a >"$BATS_TEST_TMPDIR/a.conf"
	of b >"$BATS_TEST_TMPDIR/b.conf"
	run -0 "$BUILD/addrpool" "$BATS_TEST_TMPDIR/a.conf" "$BATS_TEST_TMPDIR/b.conf"
	list=$(sed 's/20[0-9-]*T[0-9:]*Z/SINCE/' <<<"$output")
	[ "$list" = "network a in $DATA/lan
  range set 0: 10.9.0.2-10.9.0.9
    2 of 8 leased (25%)

  ADDRESS   NETWORK  CONTAINER  INTERFACE  SINCE                 STATE
  10.9.0.2  a        c1         eth0       SINCE  unknown
  10.9.0.3  b        c2         eth0       SINCE  unknown

network b in $DATA/lan, with network a" ] || { echo "$list"; return 1; }
	run -0 "$BUILD/addrpool" --json "$BATS_TEST_TMPDIR/a.conf" "$BATS_TEST_TMPDIR/b.conf"
	[ "$(result '[.[] | [.network, .pool, .rangeSets[0].leased, [.leases[].address]]]')" = '[["a","lan",2,["10.9.0.2"]],["b","lan",2,["10.9.0.3"]]]' ]
}
