#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# addrpool FILE: pools and leases, for people and as JSON.

load ../lib/pool

teardown() {
	ip netns del a 2>/dev/null || :
}

# list [--json] IPAM: of a configuration in a file.
list() {
	local option=()
	[ "$1" != --json ] || { option=(--json); shift; }
	conf "$@" >"$BATS_TEST_TMPDIR/net.conf"
	run --separate-stderr "$BUILD/addrpool" "${option[@]}" "$BATS_TEST_TMPDIR/net.conf"
	succeeds
}

# five: a lease in each state; the namespace of a lives.
five() {
	ip netns add a
	gets 10.9.0.2/28 "$(conf "$small")" a
	gets 10.9.0.3/28 "$(conf "$small")" old
	restarted old
	lease 10.9.0.4 ''
	host_local ADD "$(conf "$small")" theirs
	got 10.9.0.5/28
}

small='"subnet": "10.9.0.0/28"'

@test "a network without leases" {
	list "$small"
	[ "$output" = "network net in $DATA/net
  range set 0: 10.9.0.1-10.9.0.14
    0 of 13 leased (0%)" ]
	[ ! -e "$DATA" ]
}

@test "addresses, their containers, since when, and whether the namespace exists" {
	five
	touch -d '2026-01-02 03:04:05 UTC' "$STORE/10.9.0.2"
	list "$small"
	[ "${lines[2]}" = '    4 of 13 leased (31%), 2 of them for pods that no longer exist' ]
	[ "${lines[3]}" = '  ADDRESS   CONTAINER  INTERFACE  SINCE                 STATE' ]
	[ "${lines[4]}" = '  10.9.0.2  a          eth0       2026-01-02T03:04:05Z  live' ]
	[[ ${lines[5]} = '  10.9.0.3  old        eth0       20'*'Z  earlier boot' ]]
	[[ ${lines[6]} = '  10.9.0.4 '*' empty' ]]
	[[ ${lines[7]} = '  10.9.0.5  theirs     eth0       20'*'Z  unknown' ]]
	[ ${#lines[@]} = 8 ]
}

@test "the same as JSON" {
	five
	touch -d '2026-01-02 03:04:05 UTC' "$STORE/10.9.0.2"
	list --json "$small"
	[ "$(result 'length')" = 1 ]
	[ "$(result ".[0] | .network, .dataDir" | paste -sd' ')" = "net $DATA" ]
	[ "$(result '.[0].rangeSets')" = '[{"rangeSet":"10.9.0.1-10.9.0.14","size":13,"leased":4,"dead":2,"waiting":0}]' ]
	[ "$(result '.[0].leases[0]')" = '{"address":"10.9.0.2","container":"a","interface":"eth0","since":"2026-01-02T03:04:05Z","state":"live"}' ]
	[ "$(result '.[0].leases | map([.address, .container, .interface, .state] | join(" ")) | join(", ")')" = \
		'10.9.0.2 a eth0 live, 10.9.0.3 old eth0 earlier boot, 10.9.0.4   empty, 10.9.0.5 theirs eth0 unknown' ]
}

@test "a lease whose namespace is gone is stale, if all namespaces can be seen" {
	five
	ip netns del a
	list --json "$small"
	if sees_dead; then
		[ "$(result '.[0].leases[0].state')" = stale ]
		[ "$(result '.[0].rangeSets[0].dead')" = 3 ]
	else
		[ "$(result '.[0].leases[0].state')" = unknown ]
	fi
}

@test "ADD accepts a gateway outside of the subnet, and the list warns that newer host-local refuses it" {
	local far='"subnet": "10.9.0.0/28", "gateway": "10.8.0.1"'
	gets 10.9.0.1/28 "$(conf "$far")" a
	[ "$(result '.ips[0].gateway')" = 10.8.0.1 ]
	list "$far"
	[[ $output = *"gateway 10.8.0.1 is outside of 10.9.0.0/28; host-local refuses that from 1.10.0 on"* ]]
	list "$small"
	[[ $output != *outside* ]]
	# the remedy: a subnet that has both, and the same addresses
	list '"subnet": "10.8.0.0/15", "rangeStart": "10.9.0.1", "rangeEnd": "10.9.0.14", "gateway": "10.8.0.1"'
	[[ $output != *outside* && $output = *"1 of 14 leased"* ]]
	drops "$(conf '"subnet": "10.8.0.0/15", "rangeStart": "10.9.0.1", "rangeEnd": "10.9.0.14", "gateway": "10.8.0.1"')" a
}

@test "a list changes no lease" {
	local before
	five
	list "$small"
	before=$(cd "$STORE" && tail -n +1 ./*)
	list "$small"
	[ "$before" = "$(cd "$STORE" && tail -n +1 ./*)" ]
}

@test "addresses are sorted, IPv4 first" {
	local address
	for address in fd00::10 10.9.0.10 fd00::9 10.9.0.9 10.9.0.100; do
		lease "$address" "c\r\neth0"
	done
	list --json '"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00::/64"}]]'
	[ "$(result '.[0].leases | map(.address) | join(" ")')" = '10.9.0.9 10.9.0.10 10.9.0.100 fd00::9 fd00::10' ]
	[ "$(result '.[0].rangeSets | map(.leased)')" = '[3,2]' ]
}

@test "addresses that wait for reuseDelay are counted" {
	gets 10.9.0.2/28 "$(conf "$small, \"reuseDelay\": 1000")" c
	drops "$(conf "$small, \"reuseDelay\": 1000")" c
	list "$small, \"reuseDelay\": 1000"
	[ "${lines[2]}" = '    0 of 13 leased (0%), 1 more wait for reuseDelay' ]
}

@test "pools too large to count" {
	list '"subnet": "fd00::/64"'
	[ "${lines[2]}" = '    0 of 2^63 or more leased (0%)' ]
	list --json '"subnet": "::/0"'
	[[ $output = *'"size": 9223372036854775807,'* ]]
	list '"subnet": "fd00::/66"'
	[ "${lines[2]}" = '    0 of 4611686018427387902 leased (0%)' ]
}

@test "lists of plugins, several files, and host-local's networks" {
	cat >"$BATS_TEST_TMPDIR/one.conflist" <<-END
		{"cniVersion": "1.0.0", "name": "one", "plugins": [
			{"type": "ipvlan", "ipam": {"type": "addrpool", "dataDir": "$DATA", "subnet": "10.1.0.0/24"}},
			{"type": "tuning"},
			{"type": "bridge", "ipam": {"type": "host-local", "dataDir": "$DATA", "subnet": "10.2.0.0/24"}}]}
	END
	conf "$small" >"$BATS_TEST_TMPDIR/two.conf"
	run --separate-stderr "$BUILD/addrpool" "$BATS_TEST_TMPDIR/one.conflist" "$BATS_TEST_TMPDIR/two.conf"
	succeeds
	[ "$(grep -A1 ^network <<<"$output" | grep -v ^-)" = "network one in $DATA/one
  range set 0: 10.1.0.1-10.1.0.254
network one in $DATA/one
  range set 0: 10.2.0.1-10.2.0.254
network net in $DATA/net
  range set 0: 10.9.0.1-10.9.0.14" ]
	run --separate-stderr "$BUILD/addrpool" --json "$BATS_TEST_TMPDIR/one.conflist" "$BATS_TEST_TMPDIR/two.conf"
	[ "$(result 'map(.network) | join(" ")')" = 'one one net' ]
}

@test "names of any bytes" {
	lease 10.9.0.2 'b\0377\r\ne"th\\x'
	list --json "$small"
	[ "$(result '.[0].leases[0] | .container, .interface' | paste -sd' ')" = $'b\ufffd e"th\\x' ]
	lease 10.9.0.2 'b\0033[31m\r\ne\0302\0233th'
	list "$small"
	[[ $output = *"b\x1b[31m"*"e\xc2\x9bth"* ]] || { cat -v <<<"$output"; return 1; }
}

@test "a missing file and one without a configuration are reported, and the others are listed" {
	conf "$small" >"$BATS_TEST_TMPDIR/net.conf"
	echo '{"a": ' >"$BATS_TEST_TMPDIR/broken.conf"
	echo '{"cniVersion": "1.0.0", "name": "x", "plugins": [{"type": "tuning"}]}' >"$BATS_TEST_TMPDIR/none.conflist"
	conf '"subnet": "zz"' >"$BATS_TEST_TMPDIR/wrong.conf"
	run --separate-stderr "$BUILD/addrpool" /nonexistent "$BATS_TEST_TMPDIR"/{broken.conf,none.conflist,wrong.conf,net.conf}
	[ "$status" = 1 ]
	[[ $output = *"network net in $DATA/net"* ]]
	[[ $stderr = *'/nonexistent: no such file or directory'* ]]
	[[ $stderr = *'broken.conf: '*'line '* ]]
	[[ $stderr = *'none.conflist: no "ipam" of type addrpool or host-local in it'* ]]
	[[ $stderr = *'wrong.conf: subnet: invalid CIDR address: zz'* ]]
}

@test "--help prints the usage, and so does a wrong call" {
	run --separate-stderr "$BUILD/addrpool" --help
	[ "$status" = 0 ]
	[[ $output = *'usage: addrpool [--json] FILE...'* ]]
	for option in --json --unknown; do
		run --separate-stderr "$BUILD/addrpool" $option
		[ "$status" = 2 ]
		[ -z "$output" ]
		[[ $stderr = 'usage: addrpool [--json] FILE...'* ]]
	done
}

@test "called by a runtime it is a plugin, whatever its arguments" {
	run --separate-stderr env CNI_COMMAND=VERSION "$BUILD/addrpool" --json x <<<'{"cniVersion": "1.0.0"}'
	[ "$(result .cniVersion)" = 1.0.0 ] || [ "$(result .cniVersion)" = 1.1.0 ]
}
