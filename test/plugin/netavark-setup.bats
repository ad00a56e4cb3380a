#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan-netavark, the driver of Podman without CNI: setup and teardown, called as netavark calls
# them.

load ../lib/cni
load ../lib/netavark
load ../lib/etcd

leased() {
	find "/var/lib/cni/networks/$1" -name '[0-9]*' -printf '%f\n' 2>/dev/null | sort -V | xargs
}

@test "setup attaches the container and answers with its interface, address and gateway" {
	local mac
	setup_pod "$(network)"
	mac=$(in_pod a '.[0].address' link show eth0)
	[ "$(result '.interfaces')" = '{"eth0":{"mac_address":"'"$mac"'","subnets":[{"ipnet":"10.138.36.2/23","gateway":"10.138.36.66"}]}}' ]
	[ "$(result '.dns_server_ips + .dns_search_domains')" = '[]' ]
	[ "$(in_pod a '.[0].linkinfo.info_kind' -d link show eth0)" = ipvlan ]
	pings a 10.138.36.66
	pings a 39.156.66.10
}

@test "teardown leaves nothing, can be repeated, and requires no namespace" {
	local before
	before=$(inventory)
	setup_pod "$(network '{"options": {"hostAccess": "true"}}')"
	teardown_pod "$(network '{"options": {"hostAccess": "true"}}')"
	leaves_nothing "$before"
	teardown_pod "$(network)"
	setup_pod "$(network)"
	ip netns del a
	driver teardown a < <(call "$(network)")
	succeeds
	ip netns add a
	leaves_nothing "$before"
}

@test "containers reach each other; with hostAccess the host reaches them" {
	local options='{"options": {"hostAccess": "true"}}'
	setup_pod "$(network "$options")"
	setup_pod "$(network "$options")" b '{"container_id": "c2", "network_options": {"static_ips": ["10.138.36.3"]}}'
	pings a 10.138.36.3
	pings b 10.138.36.58
	ping -c 1 -W 3 10.138.36.2
}

@test "an option is a key of ipvlan: modes, flags, numbers, lists" {
	setup_pod "$(network '{"subnets": [{"subnet": "192.168.9.0/24", "gateway": "192.168.9.1"}], "options": {"mode": "l3",
		"flag": "private", "mtu": "1400", "routes": "[{\"dst\": \"10.9.0.0/16\"}]"}}')" a \
		'{"network_options": {"static_ips": ["192.168.9.2"]}}'
	[ "$(in_pod a '.[0] | [.mtu, .linkinfo.info_data.mode]' -d link show eth0)" = '[1400,"l3"]' ]
	ip -d -n a link show eth0 | grep -q private
	[ "$(in_pod a '.[0].dev' route show 10.9.0.0/16)" = eth0 ]
	pings a 39.156.66.10
}

@test "an address of each family, and a default route of each" {
	local both='{"subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.66"},
		{"subnet": "fd00:36::/64", "gateway": "fd00:36::66"}], "ipv6_enabled": true}'
	setup_pod "$(network "$both")" a '{"network_options": {"static_ips": ["10.138.36.2", "fd00:36::2"]}}'
	[ "$(result '[.interfaces.eth0.subnets[].ipnet]')" = '["10.138.36.2/23","fd00:36::2/64"]' ]
	pings a 39.156.66.10
	pings a fd00:36::66
	[ "$(in_pod a '.[0].gateway' -6 route show default)" = fd00:36::66 ]
}

@test "netavark gets only name servers that are addresses, since it cannot read others" {
	setup_pod "$(network '{"options": {"dns": "{\"nameservers\": [\"fe80::1%eth0\", \"10.138.36.66\", \"ns.lan\"]}"}}')"
	[ "$(result '.dns_server_ips')" = '["10.138.36.66"]' ]
	[[ $stderr = *'ignored: the name server "fe80::1%eth0"'*'ignored: the name server "ns.lan"'* ]]
}

@test "a metric may have 32 bits" {
	setup_pod "$(network '{"options": {"metric": "3000000000"}}')"
	[ "$(in_pod a '.[0].metric' route show default)" = 3000000000 ]
}

@test "metric and no_default_route, as in Podman's ipvlan" {
	setup_pod "$(network '{"options": {"metric": "321"}}')"
	[ "$(in_pod a '.[0].metric' route show default)" = 321 ]
	teardown_pod "$(network)"
	setup_pod "$(network '{"options": {"no_default_route": "true"}}')"
	[ "$(in_pod a length route show default)" = 0 ]
	pings a 10.138.36.66
}

@test "--route gives routes with their metric; a type that ipvlan does not have is refused" {
	setup_pod "$(network '{"routes": [{"destination": "10.9.0.0/16", "gateway": "10.138.36.66", "metric": 7}]}')"
	[ "$(in_pod a '.[0] | [.gateway, .metric]' route show 10.9.0.0/16)" = '["10.138.36.66",7]' ]
	driver setup b < <(call "$(network '{"routes": [{"destination": "10.9.0.0/16", "route_type": "blackhole"}]}')")
	refuses 'route to 10.9.0.0/16' blackhole
}

@test "--internal: containers reach only each other, on a master for the network" {
	local before internal='{"internal": true, "network_interface": null, "subnets": [{"subnet": "10.7.0.0/24", "gateway": null}]}'
	before=$(inventory)
	setup_pod "$(network "$internal")" a '{"network_options": {"static_ips": ["10.7.0.2"]}}'
	[ "$(result '.interfaces.eth0.subnets')" = '[{"ipnet":"10.7.0.2/24"}]' ]
	setup_pod "$(network "$internal")" b '{"container_id": "c2", "network_options": {"static_ips": ["10.7.0.3"]}}'
	pings a 10.7.0.3
	[ "$(in_pod a length route show default)" = 0 ]
	teardown_pod "$(network "$internal")" a
	teardown_pod "$(network "$internal")" b '{"container_id": "c2"}'
	leaves_nothing "$before"
}

@test "a VLAN of the master is made and removed" {
	local before vlan='{"options": {"vlan": "100"}, "subnets": [{"subnet": "10.100.0.0/24", "gateway": "10.100.0.66"}]}'
	before=$(inventory)
	ip -n lan link add link eth0 name eth0.100 type vlan id 100
	ip -n lan addr add 10.100.0.66/24 dev eth0.100
	ip -n lan link set eth0.100 up
	setup_pod "$(network "$vlan")" a '{"network_options": {"static_ips": ["10.100.0.2"]}}'
	pings a 10.100.0.66
	teardown_pod "$(network "$vlan")"
	leaves_nothing "$before"
}

@test "two networks: an interface of each" {
	setup_pod "$(network)"
	setup_pod "$(network '{"name": "other", "subnets": [{"subnet": "10.5.0.0/24", "gateway": "10.5.0.1"}]}')" a \
		'{"network_options": {"interface_name": "eth1", "static_ips": ["10.5.0.2"]}}'
	[ "$(in_pod a '.[0].addr_info[0].local' addr show eth1)" = 10.5.0.2 ]
	pings a 10.138.36.66
	teardown_pod "$(network '{"name": "other"}')" a '{"network_options": {"interface_name": "eth1"}}'
	[ "$(links a -n a | grep -c eth)" = 1 ]
}

@test "the name servers of the network are in the answer" {
	setup_pod "$(network '{"options": {"dns": "{\"nameservers\": [\"10.138.36.66\"], \"search\": [\"lan\"], \"domain\": \"home\"}"}}')"
	[ "$(result '[.dns_server_ips, .dns_search_domains]')" = '[["10.138.36.66"],["home","lan"]]' ]
}

@test "published ports, aliases and a MAC address cause a warning" {
	setup_pod "$(network)" a '{"port_mappings": [{"container_port": 80, "host_ip": "", "host_port": 8080, "protocol": "tcp", "range": 1}],
		"network_options": {"aliases": ["c1", "web", "www"], "static_mac": "02:00:00:00:00:01"}}'
	[[ $stderr = *'network net publishes no ports'* ]]
	[[ $stderr = *'the alias www has no effect'* ]]
	[[ $stderr != *'alias c1'* && $stderr != *'alias web'* ]]
	[[ $stderr = *'the requested MAC address 02:00:00:00:00:01 is ignored'* ]]
}

@test "an option for one container is refused, and nothing is made" {
	local before
	before=$(inventory)
	driver setup a < <(call "$(network)" '{"network_options": {"options": {"mode": "l3"}}}')
	refuses 'option mode cannot be set for one container' 'podman network create'
	leaves_nothing "$before"
}

@test "addresses: none with subnets, and one outside the subnets, are refused" {
	driver setup a < <(call "$(network)" '{"network_options": {"static_ips": null}}')
	refuses 'the call has no address'
	driver setup a < <(call "$(network)" '{"network_options": {"static_ips": ["10.9.9.9"]}}')
	refuses '10.9.9.9 is in no subnet of network net'
	driver setup a < <(call "$(network)" '{"network_options": {"static_ips": ["x"]}}')
	refuses '"x" is not an address'
	no_link a
}

@test "the address of a container of CNI on the same master is refused, and the other way round" {
	add "$(conf "$(static 10.138.36.2/23)")" b
	driver setup a < <(call "$(network)")
	refuses 'address already in use' 'in /run/netns/b'
	no_link a
	cni DEL "$(conf "$(static 10.138.36.2/23)")" b
	succeeds
	setup_pod "$(network)"
	cni ADD "$(conf "$(static 10.138.36.2/23)")" b
	fails 101 'address already in use'
}

@test "a network of CNI with another mode on the same master is refused, and the other way round" {
	setup_pod "$(network '{"options": {"mode": "l3"}}')"
	cni ADD "$(conf)" b
	fails 7 'mode'
	teardown_pod "$(network)"
	add "$(conf)" b
	driver setup a < <(call "$(network '{"options": {"mode": "l3"}}')")
	refuses mode l2
}

@test "the interface exists already: the second setup fails and the interface stays" {
	setup_pod "$(network)"
	driver setup a < <(call "$(network)" '{"network_options": {"static_ips": ["10.138.36.3"]}}')
	refuses 'eth0'
	pings a 10.138.36.66
	[ "$(in_pod a '[.[0].addr_info[] | select(.family == "inet").local]' addr show eth0)" = '["10.138.36.2"]' ]
}

@test "Podman was killed and has lost its setup: the next one, in another namespace, removes its remains" {
	local before
	before=$(inventory)
	setup_pod "$(network '{"options": {"hostAccess": "true"}}')" b
	hold process b # as a leaked mount would
	setup_pod "$(network '{"options": {"hostAccess": "true"}}')" a '{"network_options": {"static_ips": ["10.138.36.3"]}}'
	[[ $stderr = *'container c1 still has an interface "eth0" in /run/netns/b from an earlier setup: removing it'* ]]
	no_link b
	pings a 10.138.36.66
	ping -c 1 -W 3 10.138.36.3
	no_route 10.138.36.2
	let_go
	teardown_pod "$(network)"
	leaves_nothing "$before"
}

@test "without addresses: --ipam-driver none" {
	setup_pod "$(network '{"subnets": null, "ipam_options": {"driver": "none"}}')" a '{"network_options": {"static_ips": null}}'
	[ "$(result '.interfaces.eth0.subnets')" = '[]' ]
	[ "$(in_pod a '.[0].operstate' link show eth0)" = UNKNOWN ]
}

@test "if netavark does not read the answer, no interface is left" {
	local before
	before=$(inventory)
	status=0
	"$BUILD/ipvlan-netavark" setup /run/netns/a < <(call "$(network)") >/dev/full || status=$?
	[ "$status" = 1 ]
	leaves_nothing "$before"
}

@test "teardown releases the ledger's objects even if the network cannot be read, and reports that" {
	setup_pod "$(network)"
	driver teardown a < <(call "$(network '{"options": {"ipam": "{"}}')")
	refuses 'option ipam is not JSON'
	no_link a
}

@test "input that is not JSON, not an object, or not a call gives one error" {
	driver setup a <<<'{'
	refuses 'cannot read standard input'
	driver setup a <<<'[]'
	refuses 'not an object'
	driver setup a <<<'{}'
	[ "$status" = 1 ]
	refuses missing
	driver teardown a <<<'{}'
	refuses missing
}

@test "a rootless container is refused" {
	_CONTAINERS_USERNS_CONFIGURED='done' driver setup a < <(call "$(network)")
	refuses 'rootless' 'run podman as root'
	no_link a
}

@test "info has the versions of the program and of netavark's interface" {
	[ "$("$BUILD/ipvlan-netavark" info | jq -c keys)" = '["api_version","version"]' ]
	[ "$("$BUILD/ipvlan-netavark" info | jq -r .api_version)" = 1.0.0 ]
}

@test "with other arguments it prints the usage" {
	run -2 "$BUILD/ipvlan-netavark" update
	run -2 "$BUILD/ipvlan-netavark" setup
	run -2 "$BUILD/ipvlan-netavark"
	[[ $output = *'usage: ipvlan-netavark create'* ]]
}

# of_addrpool [JSON]...: the same network, with addresses from addrpool
of_addrpool() {
	network '{"options": {"ipam": "addrpool"}, "ipam_options": {"driver": "none"}}' "$@"
}

# Then Podman passes no address, or those of --ip.
no_address='{"network_options": {"static_ips": null}}'

@test "addrpool gives the addresses of the network's subnets, and the default route" {
	local before
	before=$(inventory)
	setup_pod "$(of_addrpool)" a "$no_address"
	[ "$(result '.interfaces.eth0.subnets')" = '[{"ipnet":"10.138.36.1/23","gateway":"10.138.36.66"}]' ]
	[ "$(leased net)" = 10.138.36.1 ]
	pings a 39.156.66.10
	setup_pod "$(of_addrpool)" b "$no_address" '{"container_id": "c2", "network_options": {"static_ips": ["10.138.36.20"]}}'
	[ "$(leased net)" = '10.138.36.1 10.138.36.20' ]
	pings b 10.138.36.1
	driver setup lan < <(call "$(of_addrpool)" "$no_address" '{"container_id": "c3", "network_options": {"static_ips": ["10.138.36.20"], "interface_name": "eth9"}}')
	refuses 10.138.36.20 c2
	teardown_pod "$(of_addrpool)" a "$no_address"
	teardown_pod "$(of_addrpool)" b "$no_address" '{"container_id": "c2"}'
	[ -z "$(leased net)" ]
	leaves_nothing "$before"
}

@test "one pool for CNI and Podman: no address is given twice" {
	local pool='{"ipam": {"type": "addrpool", "ranges": [[{"subnet": "10.138.36.0/23", "rangeStart": "10.138.36.2", "rangeEnd": "10.138.36.40"}]]}}'
	local range='{"subnets": [{"subnet": "10.138.36.0/23", "lease_range": {"start_ip": "10.138.36.2", "end_ip": "10.138.36.3"}}]}'
	add "$(conf "$pool")" b
	setup_pod "$(of_addrpool "$range")" a "$no_address"
	[ "$(leased net)" = '10.138.36.2 10.138.36.3' ]
	driver setup lan < <(call "$(of_addrpool "$range")" "$no_address" '{"container_id": "c3", "network_options": {"interface_name": "eth9"}}')
	refuses 'no IP addresses available'
}

@test "create turns Podman's addresses off if addrpool leases them, and refuses a configuration that addrpool refuses" {
	created '{"options": {"ipam": "addrpool"}, "ipam_options": null}'
	[ "$(result .ipam_options.driver)" = none ]
	setup_pod "$output" a "$no_address"
	[ "$(leased net)" = 10.138.36.1 ]
	driver create < <(network '{"options": {"ipam": "{\"ranges\": [[{\"subnet\": \"10.0.0.0/33\"}]]}"}, "subnets": null}')
	refuses 10.0.0.0/33
	driver create < <(network '{"options": {"ipam": "nosuch"}}')
	refuses 'failed to find plugin "nosuch"'
	driver create < <(network '{"options": {"ipam": "{\"exclud\": []}"}}')
	refuses 'unknown key "exclud"' '"exclude"'
}

@test "sticky: a container of the same name gets its address again" {
	local sticky='{"options": {"ipam": "{\"sticky\": \"K8S_POD_NAME\"}"}}'
	setup_pod "$(of_addrpool "$sticky")" b "$no_address" '{"container_id": "c0", "container_name": "first"}'
	setup_pod "$(of_addrpool "$sticky")" a "$no_address"
	[ "$(result '.interfaces.eth0.subnets[0].ipnet')" = 10.138.36.2/23 ]
	teardown_pod "$(of_addrpool "$sticky")" a "$no_address"
	teardown_pod "$(of_addrpool "$sticky")" b "$no_address" '{"container_id": "c0"}'
	setup_pod "$(of_addrpool "$sticky")" a "$no_address" '{"container_id": "c9"}'
	[ "$(result '.interfaces.eth0.subnets[0].ipnet')" = 10.138.36.2/23 ]
}

@test "another IPAM plugin: host-local" {
	setup_pod "$(of_addrpool '{"options": {"ipam": "host-local"}}')" a "$no_address"
	[ "$(leased net)" = 10.138.36.1 ]
	teardown_pod "$(of_addrpool '{"options": {"ipam": "host-local"}}')" a "$no_address"
	[ -z "$(leased net)" ]
}

@test "a pool of a cluster: the address is in a block that this node has claimed" {
	local cluster='{"options": {"ipam": "{\"cluster\": {\"node\": \"n1\", \"blockSize\": 16, \"etcd\": {\"endpoints\": [\"http://127.0.0.1:2379\"]}}}"}}'
	ip link set lo up
	export ETCD_DIR=$BATS_TEST_TMPDIR
	etcd_run netavark
	etcd_wait http://127.0.0.1:2379
	setup_pod "$(of_addrpool "$cluster")" a "$no_address"
	[ "$(leased net | wc -w)" = 1 ]
	pings a 10.138.36.66
	teardown_pod "$(of_addrpool "$cluster")" a "$no_address"
	[ -z "$(leased net)" ]
	etcd_stop
	driver setup a < <(call "$(of_addrpool "$cluster" '{"name": "other"}')" "$no_address")
	refuses 127.0.0.1:2379
	no_link a
}
