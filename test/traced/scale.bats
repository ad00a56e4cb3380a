#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What addrpool does for one call does not grow with the number of leases. System calls are counted,
# since times would be a matter of the machine.

bats_require_minimum_version 1.5.0

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-$TOP/build}

setup() {
	DATA=$BATS_TEST_TMPDIR/data
	CONF=$BATS_TEST_TMPDIR/conf
	jq -n --arg dir "$DATA" '{ cniVersion: "1.0.0", name: "scale",
		ipam: { type: "addrpool", dataDir: $dir, subnet: "10.9.0.0/16", rangeEnd: "10.9.19.255" } }' >"$CONF"
	export CNI_IFNAME=eth0 CNI_NETNS=/run/netns/none CNI_PATH=/opt/cni/bin
}

# fill N: leases for the first N addresses, as host-local would have made them.
fill() {
	mkdir -p "$DATA/scale"
	awk -v dir="$DATA/scale" -v n="$1" 'BEGIN {
		for (i = 2; i < n + 2; i++) {
			ip = "10.9." int(i / 256) "." i % 256
			printf "container-%d\r\neth0", i > (dir "/" ip)
			close(dir "/" ip)
		}
		printf "%s", ip > (dir "/last_reserved_ip.0")
	}'
}

call() {
	CNI_COMMAND=$1 CNI_CONTAINERID=$2 "$BUILD/addrpool" <"$CONF" >"$BATS_TEST_TMPDIR/out"
}

# counted VERB [PATTERN]: system calls of one call for container c1, of those that match.
counted() {
	CNI_COMMAND=$1 CNI_CONTAINERID=c1 strace -qq -o "$BATS_TEST_TMPDIR/trace" \
		"$BUILD/addrpool" <"$CONF" >"$BATS_TEST_TMPDIR/out"
	grep -c "${2:-}" "$BATS_TEST_TMPDIR/trace"
}

# ADD, CHECK and DEL of one container; sets counts.
count_all() {
	call ADD first	# which makes the records of what host-local left
	counts="$(counted ADD) $(counted CHECK) $(counted DEL)"
}

@test "ADD, CHECK and DEL make as many system calls with 5000 leases as with one" {
	count_all
	few=$counts
	rm -rf "$DATA"
	fill 5000
	count_all
	echo "few: $few, many: $counts"
	[ "$few" = "$counts" ]
}

# finds ADDRESS: an ADD gets it, and makes how many system calls on files; sets n.
finds() {
	n=$(counted ADD 'openat\|stat\|readlink\|symlink')
	echo "$n calls"
	[ "$(jq -r '.ips[0].address' "$BATS_TEST_TMPDIR/out")" = "$1/16" ]
}

@test "the one free address of a full pool is found by a look at runs of addresses, wherever it is" {
	local far
	fill 5118	# the whole range
	call DEL container-5000
	finds 10.9.19.136	# by a look at all names, since the first run of all
	[ "$n" -lt 1200 ]
	for far in 2000 256 300 511 4999; do
		call DEL c1
		call ADD "another-$far" # which has what c1 had
		call DEL "container-$far"
		finds "10.9.$((far / 256)).$((far % 256))"
		[ "$n" -lt 850 ]
		run ! grep getdents "$BATS_TEST_TMPDIR/trace"
	done
}

@test "a run is looked at again when somebody else has released one of its addresses" {
	fill 5118
	call ADD c1 || :
	[ "$(find "$BATS_TEST_TMPDIR/data/.addrpool" -path '*/taken/*' | wc -l)" = 19 ]
	rm "$DATA/scale/10.9.7.7"
	finds 10.9.7.7
	call DEL c1
	finds 10.9.7.7
}

@test "killed before it could finish, it looks at all leases once, and then no more" {
	fill 3000
	call ADD first
	touch "$DATA/scale"	# what a kill leaves: a directory that says nothing about the records
	[ "$(counted ADD)" -gt 3000 ]
	[ "$(counted CHECK)" -lt 80 ]
}
