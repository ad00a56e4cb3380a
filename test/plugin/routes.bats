#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Routes inside the pod.

load ../lib/cni

# routes JSON: the routes of pod a after an ADD with these routes.
add_routes() {
	add "$(conf "$(static "10.138.36.2/23,10.138.36.66 fd00:36::2/64,fd00:36::66" "$1")")"
}

@test "a route without gateway uses that of its family" {
	add_routes '[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]'
	[ "$(in_pod a '.[0].gateway' route show default)" = 10.138.36.66 ]
	[ "$(in_pod a '.[0].gateway' -6 route show default)" = fd00:36::66 ]
}

@test "a route's gateway counts" {
	add_routes '[{"dst":"172.16.0.0/12","gw":"10.138.36.77"}]'
	[ "$(in_pod a '.[0].gateway' route show 172.16.0.0/12)" = 10.138.36.77 ]
}

@test "a gateway of 0.0.0.0 or :: means the link itself" {
	add_routes '[{"dst":"172.16.0.0/12","gw":"0.0.0.0"},{"dst":"fd01::/64","gw":"::"}]'
	[ "$(in_pod a '.[0] | [.gateway, .scope]' route show 172.16.0.0/12)" = '[null,"link"]' ]
	[ "$(in_pod a '.[0].gateway' -6 route show fd01::/64)" = null ]
}

@test "a route of scope link has no gateway" {
	add_routes '[{"dst":"172.16.0.0/12","scope":253}]'
	[ "$(in_pod a '.[0] | [.gateway, .scope]' route show 172.16.0.0/12)" = '[null,"link"]' ]
}

@test "mtu, advmss, priority and table reach the kernel" {
	add_routes '[{"dst":"172.16.0.0/12","mtu":1300,"advmss":1200,"priority":77,"table":5000}]'
	[ "$(in_pod a '.[0] | [.metric, .metrics[0].mtu, .metrics[0].advmss]' route show table 5000)" = '[77,1300,1200]' ]
}

@test "IPv6 routes take mtu, priority and table as well" {
	add_routes '[{"dst":"fd01::/64","mtu":1300,"priority":77,"table":5000}]'
	[ "$(in_pod a '.[0] | [.metric, .metrics[0].mtu]' -6 route show table 5000)" = '[77,1300]' ]
}

@test "several gateways of one destination become one multipath route" {
	add_routes '[{"dst":"172.16.0.0/12","gw":"10.138.36.77"},{"dst":"172.16.0.0/12","gw":"10.138.36.78"},
		{"dst":"fd01::/64","gw":"fd00:36::77"},{"dst":"fd01::/64","gw":"fd00:36::78"}]'
	[ "$(in_pod a '[.[].nexthops[].gateway]' route show 172.16.0.0/12)" = '["10.138.36.77","10.138.36.78"]' ]
	[ "$(in_pod a '[.[].nexthops[].gateway]' -6 route show fd01::/64)" = '["fd00:36::77","fd00:36::78"]' ]
}

@test "a route without gateway between several gateways of its destination does not divide their multipath route" {
	add_routes '[{"dst":"172.16.0.0/12","gw":"10.138.36.77"},{"dst":"172.16.0.0/12","gw":"0.0.0.0"},
		{"dst":"172.16.0.0/12","gw":"10.138.36.78"}]'
	[ "$(in_pod a '[.[].nexthops[]?.gateway]' route show 172.16.0.0/12)" = '["10.138.36.77","10.138.36.78"]' ]
	[ "$(in_pod a '[.[] | select(.scope == "link") | .dev]' route show 172.16.0.0/12)" = '["eth0"]' ]
}

@test "a multipath route may have gateways outside the subnet" {
	add_routes '[{"dst":"172.16.0.0/12","gw":"192.0.2.1"},{"dst":"172.16.0.0/12","gw":"192.0.2.2"},
		{"dst":"fd01::/64","gw":"fd02::1"},{"dst":"fd01::/64","gw":"fd02::2"}]'
	[ "$(in_pod a '[.[].nexthops[].flags[]] | unique' route show 172.16.0.0/12)" = '["onlink"]' ]
	[ "$(in_pod a '[.[].nexthops[].gateway]' -6 route show fd01::/64)" = '["fd02::1","fd02::2"]' ]
}

@test "a route given twice exists once" {
	add_routes '[{"dst":"172.16.0.0/12","gw":"10.138.36.77"},{"dst":"172.16.0.0/12","gw":"10.138.36.77"},
		{"dst":"fd01::/64","gw":"fd00:36::77"},{"dst":"fd01::/64","gw":"fd00:36::77"}]'
	[ "$(in_pod a length route show 172.16.0.0/12)" = 1 ]
	[ "$(in_pod a length -6 route show fd01::/64)" = 1 ]
}

@test "a route that the kernel adds with the address is not an error" {
	add_routes '[{"dst":"10.138.36.0/23","gw":"0.0.0.0"},{"dst":"fd00:36::/64","gw":"::"}]'
	pings a 10.138.36.66
}

@test "host bits in a destination are ignored" {
	add_routes '[{"dst":"172.16.5.5/12"},{"dst":"fd01::5/64"}]'
	[ "$(in_pod a length route show 172.16.0.0/12)" = 1 ]
	[ "$(in_pod a length -6 route show fd01::/64)" = 1 ]
}

@test "a gateway outside the subnet is reached on the link" {
	add_routes '[{"dst":"0.0.0.0/0","gw":"192.0.2.1"},{"dst":"::/0","gw":"fd02::1"}]'
	[ "$(in_pod a '.[0] | [.gateway, .flags[]]' route show default)" = '["192.0.2.1","onlink"]' ]
	[ "$(in_pod a '.[0] | [.gateway, .flags[]]' -6 route show default)" = '["fd02::1","onlink"]' ]
}

@test "a link-local gateway requires no subnet" {
	add_routes '[{"dst":"::/0","gw":"fe80::1"}]'
	[ "$(in_pod a '.[0].gateway' -6 route show default)" = fe80::1 ]
}

@test "two hundred routes fit" {
	add_routes "$(jq -nc '[range(200) | {dst: "172.16.\(.).0/24"}]')"
	[ "$(in_pod a '[.[] | select(.dst | startswith("172.16"))] | length' route show)" = 200 ]
}

@test "a hundred gateways to one destination fit, a thousand are refused" {
	add_routes "$(jq -nc '[range(100) | {dst: "172.16.0.0/12", gw: "10.138.36.\(100 + .)"}]')"
	[ "$(in_pod a '[.[].nexthops[]] | length' route show 172.16.0.0/12)" = 100 ]
	cni ADD "$(conf "$(static "10.138.36.3/23" "$(jq -nc '[range(1000) | {dst: "172.16.0.0/12", gw: "10.138.\(. / 250 | floor).\(1 + . % 250)"}]')")")" b
	fails 7 'more than 128 gateways to 172.16.0.0/12'
	[ "$(in_pod b '[.[].ifname] | index("eth0")' link)" = null ]
}

@test "the maximum of IPv6 gateways, with all attributes of a route" {
	add "$(conf '{"ipam":{"type":"addrpool","ranges":[[{"subnet":"fd00:36::/64"}]]}}' | jq -c '.ipam.routes =
		[range(256; 384) | { dst: "fd00:7::/64", gw: "fd00:36::\(.)", mtu: 1400, advmss: 1300, table: 1000, priority: 7 }]')"
	[ "$(ip -n a -6 route show table 1000 | grep -c 'via fd00:36::')" = 128 ]
}

@test "a route that the kernel refuses undoes the whole ADD and is named" {
	local before
	before=$(inventory)
	cni ADD "$(conf "$(static "10.138.36.2/23" '[{"dst":"172.16.0.0/12","gw":"255.255.255.255"}]')")"
	fails 999 "failed to add route '172.16.0.0/12 via 255.255.255.255 dev eth0'"
	leaves_nothing "$before"
}

@test "routes of the configuration follow those of the IPAM plugin, in the pod and in the result" {
	add "$(conf '{"routes":[{"dst":"172.16.0.0/12","gw":"10.138.36.66","priority":7},{"dst":"192.0.2.0/24","mtu":1300}]}')"
	[ "$(result '[.routes[].dst]')" = '["0.0.0.0/0","172.16.0.0/12","192.0.2.0/24"]' ]
	[ "$(in_pod a '.[0] | [.gateway, .metric]' route show 172.16.0.0/12)" = '["10.138.36.66",7]' ]
	[ "$(in_pod a '.[0].gateway' route show 192.0.2.0/24)" = 10.138.36.1 ]
	cni CHECK "$(with_result "$(conf)")"
	succeeds
	ip -n a route del 172.16.0.0/12
	cni CHECK "$(with_result "$(conf)")"
	fails 102 172.16.0.0/12
}

@test "routes of the configuration work with addresses of prevResult" {
	cni ADD "$(conf '{"ipam":null,"routes":[{"dst":"172.16.0.0/12","gw":"10.138.36.66"}],
		"prevResult":{"cniVersion":"1.1.0","ips":[{"address":"10.138.36.2/23"}]}}')"
	succeeds
	[ "$(in_pod a '.[0].gateway' route show 172.16.0.0/12)" = 10.138.36.66 ]
}

@test "a wrong route of the configuration is refused by name, before anything is changed" {
	local before
	before=$(inventory)
	cni ADD "$(conf '{"routes":[{"dst":"172.16.0.0"}]}')"
	fails 7 'invalid CIDR address: 172.16.0.0'
	leaves_nothing "$before"
}

# beside FAMILY ROUTE...: another interface of the pod has a default route of the family.
beside() {
	ip -n a link add net0 type dummy
	ip -n a link set net0 up
	ip -n a addr add 10.99.0.2/24 dev net0
	ip -n a addr add fd99::2/64 dev net0 nodad
	ip -n a "$1" route add default via "$2" dev net0
}

# leads POD ADDRESS: the interface of the route to ADDRESS.
leads() {
	in_pod "$1" '.[0].dev' route get "$2"
}

@test "a default route beside that of another interface takes precedence in both families, without multipath, and is logged" {
	local family
	for family in -4 -6; do
		[ $family = -4 ] && set -- 10.99.0.1 10.138.36.66 39.156.66.10 || set -- fd99::1 fd00:36::66 2001:db8::1
		beside $family "$1"
		conf=$(conf "$(static '10.138.36.9/23 fd00:36::9/64' "[ { \"dst\": \"$([ $family = -4 ] && echo 0.0.0.0/0 || echo ::/0)\", \"gw\": \"$2\" } ]")")
		add "$conf" a
		[[ $stderr = *"the pod has two routes to "*", by net0 with metric "*" and by eth0 with metric "*"the one of the new interface is used"* ]]
		[ "$(ip -n a $family -o route show default | grep -c default)" = 2 ]
		[ "$(ip -n a $family route show default | grep -c nexthop)" = 0 ]
		[ "$(leads a "$3")" = eth0 ]
		cni CHECK "$(with_result "$conf")"
		succeeds
		cni DEL "$conf"
		[ "$(leads a "$3")" = net0 ]
		ip -n a link del net0
	done
}

@test "with the metric of another interface's IPv6 route, the log says whether the kernel shares packets" {
	local conf
	beside -6 fd99::1
	conf=$(conf "$(static fd00:36::9/64 '[ { "dst": "::/0", "gw": "fd00:36::66", "priority": 1024 } ]')")
	add "$conf" a
	[[ $stderr = *"the pod has two routes to ::/0"*"the kernel shares packets among both"* ]]
	[ "$(ip -n a -6 route show default | grep -c nexthop)" = 2 ]
	cni DEL "$conf"
	conf=$(conf "$(static fd00:36::9/64 '[ { "dst": "::/0", "gw": "::", "priority": 1024 } ]')")
	add "$conf" a
	[[ $stderr = *"the pod has two routes to ::/0"*"the kernel uses one of them"* ]]
	[ "$(ip -n a -6 route show default | grep -c nexthop)" = 0 ]
}

@test "with priority the route of the configuration has that metric, and the other route is used" {
	local family conf
	for family in -4 -6; do
		[ $family = -4 ] && set -- 10.99.0.1 10.138.36.66 39.156.66.10 0.0.0.0/0 || set -- fd99::1 fd00:36::66 2001:db8::1 ::/0
		beside $family "$1"
		conf=$(conf "$(static '10.138.36.9/23 fd00:36::9/64' "[ { \"dst\": \"$4\", \"gw\": \"$2\", \"priority\": 2000 } ]")")
		add "$conf" a
		[[ $stderr != *"two routes"* ]]
		[ "$(leads a "$3")" = net0 ]
		cni CHECK "$(with_result "$conf")"
		succeeds
		cni DEL "$conf"
		ip -n a link del net0
	done
}
