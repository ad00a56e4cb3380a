#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Behind another plugin of a chain: prevResult.

load ../lib/cni

PREV='{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01"}],
	"ips":[{"address":"10.138.36.9/23","gateway":"10.138.36.66","interface":0}],
	"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["10.3.3.3"]}}'

chained() {
	conf '{"ipam":null,"master":null}' "${1:-{\}}" "{\"prevResult\":$PREV}"
}

@test "master and addresses come from the plugin before" {
	add "$(conf "{\"ipam\":null,\"master\":null,\"prevResult\":$PREV}")"
	[ "$(result '.ips | length')" = 1 ]
	[ "$(result '.ips[0] | [.address, .interface]')" = '["10.138.36.9/23",1]' ]
	[ "$(result '[.interfaces[].name]')" = '["eth0","eth0"]' ]
	[ "$(result '.interfaces[1].sandbox')" = /run/netns/a ]
	[ "$(result '.dns.nameservers[0]')" = 10.3.3.3 ]
	pings a 39.156.66.10
}

@test "with ipam the result keeps the content of prevResult" {
	add "$(conf "{\"prevResult\":$PREV}")"
	[ "$(result '[.ips[] | [.address, .interface]]')" = '[["10.138.36.9/23",0],["10.138.36.2/23",1]]' ]
	[ "$(result '.interfaces | length')" = 2 ]
	[ "$(in_pod a '[.[0].addr_info[].local]' -4 addr show eth0)" = '["10.138.36.2"]' ]
}

@test "several interfaces in prevResult, and no master named" {
	cni ADD "$(conf "{\"ipam\":null,\"master\":null,\"prevResult\":$PREV}" | jq -c '.prevResult.interfaces += [{"name":"eth1"}]')"
	fails 7 'chained master failure. PrevResult lacks a single named interface'
	explains '2 interfaces'
}

@test "several interfaces in prevResult, and the master named" {
	add "$(conf "{\"ipam\":null,\"prevResult\":$PREV}" | jq -c '.prevResult.interfaces += [{"name":"eth1"}]')"
	[ "$(result '.ips[0].interface')" = 2 ]
	pings a 10.138.36.66
}

@test "a result that cannot be read is refused" {
	cni ADD "$(conf "{\"prevResult\":$PREV}" | jq -c '.prevResult.cniVersion = "3.0.0"')"
	fails 6 'could not parse prevResult: unsupported CNI result version "3.0.0"'
	cni ADD "$(conf '{"prevResult":[]}')"
	fails 6 'could not parse prevResult: '
}

@test "a result from before 0.3.0 is read" {
	add "$(conf '{"ipam":null,"cniVersion":"0.2.0","prevResult":{"cniVersion":"0.2.0","ip4":{"ip":"10.138.36.9/23"}}}')"
	[ "$(result .ip4.ip)" = 10.138.36.9/23 ]
	pings a 10.138.36.66
}

@test "without IPAM and without prevResult, the interface is up and has no address" {
	add "$(conf '{"ipam":null}')"
	[ "$(result 'has("ips")')" = false ]
	[ "$(result '.interfaces[0].name')" = eth0 ]
	[ "$(in_pod a '.[0].flags | index("UP") != null' link show eth0)" = true ]
	[ "$(in_pod a '[.[0].addr_info[]?] | length' -4 addr show eth0)" = 0 ]
	cni DEL "$(conf '{"ipam":null}')"
	succeeds
}

@test "an empty ipam object means no IPAM" {
	add "$(conf '{"ipam":null}' | jq -c '.ipam = {}')"
	[ "$(result 'has("ips")')" = false ]
}
