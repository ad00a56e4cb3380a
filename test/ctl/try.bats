#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl try: ADD to DEL with a trial pod.

load ../lib/ctl

# trial STATUS [ADDRESS...]: tries the configuration net; the exit status is STATUS, and nothing is left.
trial() {
	local expected=$1 before
	shift
	before=$(inventory)
	ctl try "$NETCONFPATH/net.conf" "$@"
	[ "$status" = "$expected" ] || { echo "exit status $status, not $expected: $output $stderr"; return 1; }
	leaves_nothing "$before"
}

# a network with a gateway
sound() {
	conf '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.40","gateway":"10.138.36.66"}]]}}' "$@"
}

@test "a sound network: each step is ok, and nothing is left" {
	configured net "$(sound)"
	trial 0
	tells 'ADD  as a runtime calls it' 'ok       address: 10.138.36.2/23, gateway 10.138.36.66' \
		'ok       route: 0.0.0.0/0' 'ok       gateway: 10.138.36.66 answers after ' 'ok       CHECK: nothing is missing' \
		'ok       DEL: the interface is removed'
	[ "$stderr" = "" ]
}

@test "IPv6, and addresses that are named" {
	configured net "$(sound '{"ipam": {"ranges": [[{"subnet": "fd00:36::/64", "gateway": "fd00:36::66"}]], "routes": []}}')"
	trial 0 fd00:36::66
	tells 'ok       gateway: fd00:36::66 answers after ' 'ok       address: fd00:36::66 answers after '
}

@test "an address that does not answer is a warning with the remedy" {
	configured net "$(sound)"
	trial 1 10.138.36.99
	tells 'warning  address: 10.138.36.99 does not answer' '-> check that it is up and on this LAN' 'ok       CHECK'
}

@test "a gateway that filters echo requests, but answers ARP or neighbour solicitations, is ok" {
	ip netns exec lan nft add table inet filter
	ip netns exec lan nft 'add chain inet filter input { type filter hook input priority 0; }'
	ip netns exec lan nft add rule inet filter input icmp type echo-request drop
	ip netns exec lan nft add rule inet filter input icmpv6 type echo-request drop
	configured net "$(sound)"
	trial 0
	tells 'ok       gateway: 10.138.36.66 does not answer echo requests, but exists: it answers ARP'
	configured net "$(sound '{"ipam": {"ranges": [[{"subnet": "fd00:36::/64", "gateway": "fd00:36::66"}]], "routes": []}}')"
	trial 0
	tells 'ok       gateway: fd00:36::66 does not answer echo requests, but exists: it answers neighbour solicitations'
}

@test "a path that drops large packets: the largest working size, and the remedy" {
	configured net "$(sound)"
	ip -n lan link set eth0 mtu 1400
	trial 1
	tells 'ok       gateway: 10.138.36.66 answers after' \
		'warning  gateway: 10.138.36.66 answers packets of 1400 bytes, but not of 1500' '-> add "mtu" to the configuration'
	configured net "$(sound '{"mtu": 1400}')"
	trial 0
	[[ $output != *'packets of'* ]]
}

@test "no default route: a line with the key that makes one" {
	configured net "$(sound '{"ipam": {"routes": null}}')"
	trial 0
	tells 'ok       route: no default route: the pod reaches only its own subnet' '-> add { "dst": "0.0.0.0/0" } to "routes" of ipam'
	configured net "$(sound)"
	trial 0
	[[ $output != *'no default route'* ]]
}

@test "only with hostAccess the pod reaches its machine" {
	configured net "$(sound)"
	trial 1 10.138.36.58
	tells 'warning  address: 10.138.36.58, this machine itself, does not answer' '-> add "hostAccess": true'
	configured net "$(sound '{"hostAccess": true}')"
	trial 0 10.138.36.58
	tells 'ok       address: 10.138.36.58 answers'
}

@test "the machine's firewall drops packets from pods, with hostAccess" {
	configured net "$(sound '{"hostAccess": true}')"
	nft add table inet strict
	nft 'add chain inet strict input { type filter hook input priority 0; }'
	nft add rule inet strict input icmp type echo-request drop
	ctl try net 10.138.36.58
	nft delete table inet strict
	[ "$status" = 1 ]
	tells 'warning  address: 10.138.36.58, this machine itself, does not answer' '-> hostAccess is on: the firewall of this machine'
	[[ $output != *'add "hostAccess"'* ]]
}

@test "an address without a route is a warning" {
	configured net "$(sound '{"ipam": {"routes": []}}')"
	trial 1 8.8.8.8
	tells 'warning  address: 8.8.8.8: network is unreachable' '-> the pod requires a route to it'
}

@test "a plugin whose result has an unknown version" {
	echo '{ "cniVersion": "9.9.9" }' >"$STUB_DIR/answer"
	configured net '{ "cniVersion": "1.0.0", "name": "net", "type": "stub-answers" }'
	trial 2
	tells 'the version of the result is unknown'
}

@test "a failed ADD is reported in the plugin's words, with the remedy, and DEL is called" {
	configured net "$(sound '{"master": "eth9"}')"
	trial 2
	tells 'error    ADD: ipvlan: ' 'eth9' 'ok       DEL'
	[[ $output != *CHECK* ]]
}

@test "a plugin of a list that cannot be found" {
	configured net "$(sound)"
	jq '{cniVersion, name, plugins: [(. | del(.name, .cniVersion)), {type: "missing"}]}' "$NETCONFPATH/net.conf" >"$NETCONFPATH/list"
	mv "$NETCONFPATH/list" "$NETCONFPATH/net.conf"
	trial 2
	tells 'error    ADD: missing: failed to find plugin "missing"' '-> install the plugin that follows ipvlan'
}

@test "ipvlan itself, or the IPAM plugin, cannot be found" {
	configured net "$(sound '{"ipam": {"type": "nowhere"}}')"
	trial 2
	tells 'error    ADD: ipvlan: failed to find plugin "nowhere"' '-> install the IPAM plugin that ipam.type names'
	configured net "$(sound)"
	mkdir "$BATS_TEST_TMPDIR/alone"
	cp "$BUILD/ipvlanctl" "$BATS_TEST_TMPDIR/alone"
	CNI_PATH=$BATS_TEST_TMPDIR run "$BATS_TEST_TMPDIR/alone/ipvlanctl" try net
	[ "$status" = 2 ]
	tells 'error    ADD: ipvlan: failed to find plugin "ipvlan"' '-> install ipvlan-cni again'
	[[ $output != *'IPAM plugin'* ]]
}

@test "without a file: each network of ipvlan; a name; standard input; without a network: the command that proposes one" {
	configured one "$(sound '{"name": "one"}')"
	configured two "$(sound '{"name": "two"}')"
	configured other '{"cniVersion":"1.0.0","name":"other","type":"bridge"}'
	ctl try
	succeeds
	tells "$NETCONFPATH/one.conf" "$NETCONFPATH/two.conf"
	[[ $output != *other* ]]
	ctl try two 10.138.36.66
	succeeds
	tells "$NETCONFPATH/two.conf" 'ok       address: 10.138.36.66 answers'
	[[ $output != */one.conf* ]]
	ctl try - <"$NETCONFPATH/one.conf"
	succeeds
	rm "$NETCONFPATH"/*
	ctl try
	[ "$status" = 2 ]
	tells "error    configuration: there is no network of type ipvlan in $NETCONFPATH" '-> ipvlanctl init proposes one'
}

@test "a directory, a JSON array and other YAML are no configurations; a NetworkAttachmentDefinition in YAML is one" {
	ctl try "$NETCONFPATH/"
	[ "$status" = 2 ]
	tells 'it is a directory, not a file with a configuration'
	echo '[]' >"$NETCONFPATH/list.conf"
	ctl try "$NETCONFPATH/list.conf"
	[ "$status" = 2 ]
	tells 'it has an array, and a configuration is an object'
	ctl try "$TOP/conf-examples/kubernetes/base/daemonset.yaml"
	[ "$status" = 2 ]
	tells 'it is YAML, and a network configuration is JSON' '-> write it as JSON'
	ctl try "$TOP/conf-examples/kubernetes/multus/ipvlan-l2.yaml"
	[ "$status" = 0 ]
}

@test "a CHECK that fails is an error" {
	configured net "$(sound)"
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/spoiler" <<'S'
#!/bin/sh
conf=$(cat)
[ "$CNI_COMMAND" != CHECK ] || exit 1
[ "$CNI_COMMAND" != ADD ] || echo "$conf" | jq .prevResult
S
	chmod +x "$BATS_TEST_TMPDIR/bin/spoiler"
	jq '{cniVersion, name, plugins: [(. | del(.name, .cniVersion)), {type: "spoiler"}]}' "$NETCONFPATH/net.conf" >"$NETCONFPATH/list"
	mv "$NETCONFPATH/list" "$NETCONFPATH/net.conf"
	CNI_PATH=$CNI_PATH:$BATS_TEST_TMPDIR/bin trial 2
	tells 'error    CHECK: spoiler: ' 'ok       DEL'
}

@test "a file that does not exist, or is not a configuration" {
	ctl try /nonexistent
	[ "$status" = 2 ]
	tells 'error    /nonexistent: no such file or directory'
	ctl try /nonexistent 10.1
	[ "$status" = 2 ]
	[[ $stderr = *'"10.1" is not an address'* ]]
}

@test "a terminal shows the current wait in a line that vanishes; a pipe shows nothing" {
	configured net "$(sound)"
	export TERM=xterm
	script -qec "$BUILD/ipvlanctl try $NETCONFPATH/net.conf" /dev/null </dev/null >"$BATS_TEST_TMPDIR/terminal"
	grep -q $'\rwaiting for an answer of 10.138.36.66\e\[K' "$BATS_TEST_TMPDIR/terminal"
	[ "$(grep -o $'waiting for\|\r\e\[K' "$BATS_TEST_TMPDIR/terminal" | tail -n 1)" = $'\r\e[K' ]
	ctl try "$NETCONFPATH/net.conf"
	succeeds
	[ "$stderr" = "" ]
}
