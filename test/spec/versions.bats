#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The result in the form of each version of the specification.

load ../lib/cni

DUAL='10.138.36.2/23,10.138.36.66 fd00:36::2/64,fd00:36::66'
ROUTES='[{"dst":"0.0.0.0/0"},{"dst":"172.16.0.0/12","gw":"10.138.36.77"},{"dst":"::/0"}]'
DNS='{"nameservers":["10.3.3.3"],"search":["example.net"]}'

dual() {
	conf "$(static "$DUAL" "$ROUTES")" "{\"cniVersion\":\"$1\",\"dns\":$DNS}" '{"ipam":{"dns":null}}'
}

# expect JSON: the result is exactly that, with MAC for the interface's address.
expect() {
	local mac
	mac=$(in_pod a '.[0].address' link show eth0)
	diff <(jq -S . <<<"$output") <(jq -S . <<<"${1//MAC/$mac}")
}

expect_0_2() {
	add "$(dual "$1")"
	expect '{"cniVersion":"'"${2:-$1}"'",
		"ip4":{"ip":"10.138.36.2/23","gateway":"10.138.36.66",
			"routes":[{"dst":"0.0.0.0/0"},{"dst":"172.16.0.0/12","gw":"10.138.36.77"}]},
		"ip6":{"ip":"fd00:36::2/64","gateway":"fd00:36::66","routes":[{"dst":"::/0"}]},
		"dns":'"$DNS"'}'
}

expect_0_4() {
	add "$(dual "$1")"
	expect '{"cniVersion":"'"$1"'",
		"interfaces":[{"name":"eth0","mac":"MAC","sandbox":"/run/netns/a"}],
		"ips":[{"version":"4","interface":0,"address":"10.138.36.2/23","gateway":"10.138.36.66"},
			{"version":"6","interface":0,"address":"fd00:36::2/64","gateway":"fd00:36::66"}],
		"routes":'"$ROUTES"',"dns":'"$DNS"'}'
}

expect_1() {
	add "$(dual "$1")"
	expect '{"cniVersion":"'"$1"'",
		"interfaces":[{"name":"eth0","mac":"MAC","mtu":1500,"sandbox":"/run/netns/a"}],
		"ips":[{"interface":0,"address":"10.138.36.2/23","gateway":"10.138.36.66"},
			{"interface":0,"address":"fd00:36::2/64","gateway":"fd00:36::66"}],
		"routes":'"$ROUTES"',"dns":'"$DNS"'}'
}

@test "0.1.0" { expect_0_2 0.1.0; }
@test "0.2.0" { expect_0_2 0.2.0; }
@test "0.3.0" { expect_0_4 0.3.0; }
@test "0.3.1" { expect_0_4 0.3.1; }
@test "0.4.0" { expect_0_4 0.4.0; }
@test "1.0.0" { expect_1 1.0.0; }
@test "1.1.0" { expect_1 1.1.0; }

@test "no version means 0.1.0" {
	add "$(dual 0.1.0 | jq -c 'del(.cniVersion)')"
	[ "$(result .cniVersion)" = 0.1.0 ]
	[ "$(result .ip4.ip)" = 10.138.36.2/23 ]
}

@test "an empty version means 0.1.0" {
	add "$(dual '')"
	[ "$(result .cniVersion)" = 0.1.0 ]
}

@test "dns is an empty object before 1.0.0 and absent since" {
	add "$(conf '{"cniVersion":"0.4.0"}')" a
	[ "$(result .dns)" = '{}' ]
	add "$(conf '{"cniVersion":"1.0.0"}')" b
	[ "$(result 'has("dns")')" = false ]
}

@test "from 1.0.0 on keys are in alphabetical order, as Go prints them" {
	add "$(dual 1.1.0)"
	[ "$output" = "$(jq --indent 4 -S . <<<"$output")" ]
}

@test "an IPAM plugin may answer in another version than the configuration's" {
	mkdir -p $STUB_DIR
	echo '{"cniVersion":"0.2.0","ip4":{"ip":"10.138.36.9/23","gateway":"10.138.36.66","routes":[{"dst":"0.0.0.0/0"}]},"dns":{"domain":"x"}}' >$STUB_DIR/answer
	add "$(conf '{"ipam":{"type":"stub-answers"}}')"
	[ "$(result '.ips[0].address')" = 10.138.36.9/23 ]
	[ "$(result '.dns.domain')" = x ]
	[ "$(result '.routes[0].dst')" = 0.0.0.0/0 ]
	pings a 39.156.66.10
}

@test "CHECK and DEL accept the result of each version" {
	local v
	for v in 0.4.0 1.0.0 1.1.0; do
		add "$(dual "$v")"
		cni CHECK "$(with_result "$(dual "$v")")"
		succeeds
		cni DEL "$(with_result "$(dual "$v")")"
		succeeds
	done
	for v in 0.1.0 0.2.0 0.3.0 0.3.1; do
		add "$(dual "$v")"
		cni DEL "$(with_result "$(dual "$v")")"
		succeeds
	done
}
