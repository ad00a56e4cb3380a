#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Messages without another test: man/ipvlan-cni-errors.7 lists all.

load ../lib/cni

# undone CODE MESSAGE CONF: an ADD fails with these and leaves nothing.
undone() {
	local before
	before=$(inventory)
	cni ADD "$3"
	fails "$1"
	says "$2"
	leaves_nothing "$before"
}

@test "a VLAN on an interface that is down" {
	ip link set eth0 down
	undone 999 'failed to create the master eth0.7: network is down' "$(conf '{ "vlan": 7 }')"
	explains 'the interface below it is down'
}

@test "conflictCheck with a master that is down" {
	ip link set eth0 down
	undone 11 'master "eth0" is down' "$(conf '{ "conflictCheck": "probe" }')"
	explains 'conflictCheck needs it up: ip link set eth0 up'
}

@test "a namespace whose name is too long for resolvConf" {
	local name
	printf -v name '%0128d' 0
	ip netns add "$name"
	NETNS=/run/netns/$name undone 7 "resolvConf: the name of the namespace is too long: $name" \
		"$(conf '{ "resolvConf": true, "dns": { "domain": "example.org" } }')"
	ip netns add "${name:1}"
	NETNS=/run/netns/${name:1} cni ADD "$(conf '{ "resolvConf": true, "dns": { "domain": "example.org" } }')"
	succeeds
}

@test "sysctls that are read-only" {
	run_by "unshare -m sh -c 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec \"\$0\"'"
	undone 5 'cannot set the sysctl ipv4/conf/eth0/proxy_arp to 1' "$(conf '{ "mode": "l3s", "proxyArp": true }')"
}

@test "a network whose name is too long for a page" {
	local name
	printf -v name '%01100000d' 0
	undone 7 'an attachment with too many objects on the host' "$(conf | sed -f <(echo "s/\"net\"/\"$name\"/"))"
}

@test "an IPAM plugin whose result has an invalid version" {
	echo '{ "cniVersion": 1, "ips": [ { "address": "10.138.36.2/23" } ] }' >"$STUB_DIR/answer"
	undone 6 "cannot read the IPAM plugin's result: cniVersion must be a string, not 1" \
		"$(conf '{ "ipam": { "type": "stub-answers" } }')"
}

@test "without the right to change interfaces DEL keeps the address, and STATUS fails" {
	local index
	add "$(conf)"
	index=$(in_pod a '.[].ifindex' link show eth0)
	run_by "setpriv --bounding-set=-net_admin --inh-caps=-net_admin"
	cni DEL "$(conf)"
	fails 999
	says "failed to delete link $index: operation not permitted"
	[ -e /var/lib/cni/networks/net/10.138.36.2 ]
	cni STATUS "$(conf)"
	fails 50
	says 'cannot ask the kernel for ipvlan: operation not permitted'
	PLUGIN='' cni DEL "$(conf)"
	succeeds
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
}

@test "too few file descriptors: ADD names what requires one, and DEL leaves nothing" {
	local before all='' n
	add "$(conf)" b # so that ADD does not search for other interfaces on the master, which requires more descriptors
	before=$(inventory)
	for n in {5..13}; do
		run_by prlimit --nofile="$n"
		cni ADD "$(conf)"
		all+=$output
		PLUGIN='' cni DEL "$(conf)"
		succeeds
		leaves_nothing "$before"
	done
	for n in 'cannot open a netlink socket' 'cannot open /proc/self/ns/net' 'cannot make a pipe'; do
		[[ $all = *"\"$n: $(in_words EMFILE)\""* ]] || { echo "nobody said $n: $all"; return 1; }
	done
}
