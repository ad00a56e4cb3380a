#!/usr/bin/env bats
# ipvlanctl try: from ADD to DEL, in a pod that is made for it.

load ../lib/ctl

# trial STATUS [ADDRESS...]: of the configuration net; it ends so, and leaves nothing.
trial() {
	local expected=$1 before
	shift
	before=$(inventory)
	ctl try "$NETCONFPATH/net.conf" "$@"
	[ "$status" = "$expected" ] || { echo "exit status $status, not $expected: $output $stderr"; return 1; }
	leaves_nothing "$before"
}

# a network whose gateway is there
sound() {
	conf '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.40","gateway":"10.138.36.66"}]]}}' "$@"
}

@test "a sound network: each step is ok, and nothing is left" {
	configured net "$(sound)"
	trial 0
	tells 'ADD  what a runtime calls' 'ok       address: 10.138.36.2/23, gateway 10.138.36.66' \
		'ok       route: 0.0.0.0/0' 'ok       gateway: 10.138.36.66 answers after ' 'ok       CHECK: it is' \
		'ok       DEL: the interface is gone'
	[ "$stderr" = "" ]
}

@test "IPv6, and addresses that are named" {
	configured net "$(sound '{"ipam": {"ranges": [[{"subnet": "fd00:36::/64", "gateway": "fd00:36::66"}]], "routes": []}}')"
	trial 0 fd00:36::66
	tells 'ok       gateway: fd00:36::66 answers after ' 'ok       address: fd00:36::66 answers after '
}

@test "what does not answer is a warning with the remedy" {
	configured net "$(sound)"
	trial 1 10.138.36.99
	tells 'warning  address: 10.138.36.99 does not answer' '-> does it answer this machine?' 'ok       CHECK'
}

@test "the machine itself is reached with hostAccess alone" {
	configured net "$(sound)"
	trial 1 10.138.36.58
	tells 'warning  address: 10.138.36.58 does not answer'
	configured net "$(sound '{"hostAccess": true}')"
	trial 0 10.138.36.58
	tells 'ok       address: 10.138.36.58 answers'
}

@test "where no route leads is told" {
	configured net "$(sound '{"ipam": {"routes": []}}')"
	trial 1 8.8.8.8
	tells 'warning  address: 8.8.8.8: network is unreachable' '-> the pod needs a route there'
}

@test "a plugin whose result has a version that nobody knows" {
	echo '{ "cniVersion": "9.9.9" }' >"$STUB_DIR/answer"
	configured net '{ "cniVersion": "1.0.0", "name": "net", "type": "stub-answers" }'
	trial 2
	tells 'the result has no version that is known'
}

@test "an ADD that fails is told in the plugin's words, with the remedy, and DEL is tried" {
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
	tells 'error    ADD: missing: failed to find plugin "missing"'
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

@test "a file that is not there, or no configuration" {
	ctl try /nonexistent
	[ "$status" = 2 ]
	tells 'error    /nonexistent: no such file or directory'
	ctl try
	[ "$status" = 2 ]
	[[ $stderr = *usage:* ]]
	ctl try /nonexistent 10.1
	[ "$status" = 2 ]
	[[ $stderr = *'"10.1" is no address'* ]]
}
