#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan-netavark create: the answers to `podman network create`, and its errors.

load ../lib/cni
load ../lib/netavark

@test "create prints the network, and makes nothing" {
	local before
	before=$(inventory)
	created
	[ "$(result '[.name, .id, .driver, .network_interface]')" = \
		'["net","2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9","ipvlan-netavark","eth0"]' ]
	leaves_nothing "$before"
}

@test "setup accepts the output of create" {
	created '{"network_interface": null, "options": {"parent": "eth0", "ipvlan_mode": "l3"},
		"subnets": [{"subnet": "192.168.9.0/24", "gateway": "192.168.9.1"}]}'
	setup_pod "$output" a '{"network_options": {"static_ips": ["192.168.9.2"]}}'
	[ "$(in_pod a '.[0].linkinfo.info_data.mode' -d link show eth0)" = l3 ]
	pings a 39.156.66.10
}

@test "the master is that of the default route, and the gateway of the LAN's subnet is the host's gateway" {
	created '{"network_interface": null, "subnets": [{"subnet": "10.138.36.0/23"}, {"subnet": "10.9.0.0/24"}]}'
	[ "$(result '[.network_interface, .subnets[0].gateway, .subnets[1].gateway]')" = '["eth0","10.138.36.66",null]' ]
}

@test "a given gateway stays" {
	created '{"subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.1"}]}'
	[ "$(result '.subnets[0].gateway')" = 10.138.36.1 ]
}

@test "options of Docker's and Podman's ipvlan become ours" {
	created '{"network_interface": null, "options": {"parent": "eth0", "ipvlan_mode": "l3s", "ipvlan_flag": "private",
		"com.docker.network.driver.mtu": "1400"}}'
	[ "$(result '[.network_interface, .options]')" = '["eth0",{"mode":"l3s","flag":"private","mtu":"1400"}]' ]
	driver create < <(network '{"options": {"ipvlan_mode": "l3s", "mode": "l2"}}')
	refuses 'options ipvlan_mode and mode are the same'
	driver create < <(network '{"options": {"parent": "lo"}}')
	refuses 'two masters are given, eth0 and lo'
}

@test "--dns sets the name servers of the containers; Podman's name server is off" {
	created '{"dns_enabled": true, "network_dns_servers": ["10.138.36.66"]}'
	[ "$(result '[.dns_enabled, .network_dns_servers]')" = '[false,null]' ]
	[ "$(result '.options.dns | fromjson')" = '{"nameservers":["10.138.36.66"]}' ]
	driver create < <(network '{"network_dns_servers": ["10.138.36.66"], "options": {"dns": "{}"}}')
	refuses '--dns and the option dns are the same'
}

# create_refuses OPTIONS TEXT...
create_refuses() {
	driver create < <(network "{\"options\": $1}")
	refuses "${@:2}"
}

@test "an option without effect is refused, and the error suggests another" {
	create_refuses '{"hostAcess": "true"}' 'unknown key "hostAcess"' '"hostAccess"'
	create_refuses '{"hostAccess": "yes"}' 'hostAccess must be'
	create_refuses '{"mode": "l4"}' 'unknown ipvlan mode: "l4"' 'l3s'
	create_refuses '{"flag": "bridged"}' 'flag must be'
	create_refuses '{"mtu": "big"}' mtu
	create_refuses '{"vlan": "5000"}' vlan
	create_refuses '{"logLevel": "much"}' 'logLevel must be'
	create_refuses '{"routes": "[{]"}' 'option routes is not JSON'
	create_refuses '{"metric": "-1"}' 'option metric must be a number'
	create_refuses '{"ipMasq": "true"}' 'ipMasq needs "mode": "l3s"'
	create_refuses '{"reflector": "10.0.0.1"}' 'reflector needs'
	create_refuses '{"ipam": "5"}' 'option ipam must be'
	create_refuses '{"Master": "eth1"}' 'option Master must be written master'
	create_refuses '{"Ipam": "addrpool"}' 'option Ipam must be written ipam'
	driver create < <(network '{"network_interface": null, "options": {"linkInContainer": "true"}}')
	refuses 'linkInContainer requires the name of the master' '-o parent='
}

@test "an error that is cut within a character is still JSON" {
	create_refuses "{\"xx$(printf 'ä%.0s' {1..400})\": \"1\"}" 'unknown key'
	create_refuses "{\"x$(printf 'ä%.0s' {1..400})\": \"1\"}" 'unknown key'
}

@test "options for which podman network create has flags, and unknown options, are refused" {
	create_refuses '{"internal": "true"}' 'option internal is not allowed' '--internal'
	create_refuses '{"prevResult": "{}"}' 'option prevResult is not allowed'
	create_refuses '{"name": "x"}' 'option name is not allowed'
}

@test "a master that does not exist, is a port, or has containers of another mode is refused" {
	driver create < <(network '{"network_interface": "eth7"}')
	refuses 'failed to lookup master "eth7"'
	ip link add br0 type bridge
	ip link add slave0 type dummy
	ip link set slave0 master br0 up
	driver create < <(network '{"network_interface": "slave0"}')
	refuses br0
	add "$(conf)" b
	create_refuses '{"mode": "l3"}' mode
}

@test "a network without subnets is refused, unless it has no addresses" {
	driver create < <(network '{"subnets": null}')
	refuses 'the network has no subnet' '--subnet' '--ipam-driver none'
	created '{"subnets": null, "ipam_options": {"driver": "none"}}'
	driver create < <(network '{"ipv6_enabled": true}')
	refuses '--ipv6 requires a --subnet of IPv6'
}

@test "--internal with a master is refused" {
	created '{"internal": true, "network_interface": null, "subnets": [{"subnet": "10.7.0.0/24"}]}'
	[ "$(result '[.internal, .network_interface]')" = '[true,null]' ]
	driver create < <(network '{"internal": true}')
	refuses 'internal makes a master for the network'
}

@test "rootless Podman is refused" {
	_CONTAINERS_USERNS_CONFIGURED='done' driver create < <(network)
	refuses rootless 'run podman as root'
}
