#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An ADD that fails says why and leaves no link, address, route or lease.

load ../lib/cni

# refused CODE MESSAGE CONF: the ADD fails with these, and changes nothing.
refused() {
	local before
	before=$(inventory)
	cni ADD "$3"
	fails "$1" "$2"
	leaves_nothing "$before"
}

@test "no such master: the message lists the existing links" {
	refused 7 'failed to lookup master "nope0": Link not found' "$(conf '{"master":"nope0"}')"
	explains eth0
}

@test "no master named and no default route" {
	ip route del default
	refused 7 'no default route interface found' "$(conf '{"master":null}')"
	explains '"master"'
}

@test "no such namespace" {
	NETNS=/run/netns/none refused 4 'failed to open netns "/run/netns/none"' "$(conf)"
}

@test "a file that is not a namespace" {
	NETNS=/etc/passwd refused 4 'unknown FS magic on "/etc/passwd"' "$(conf)"
	explains CNI_NETNS
}

@test "a namespace of another kind" {
	NETNS=/proc/self/ns/mnt refused 4 'a mount namespace' "$(conf)"
}

@test "a pipe in place of a namespace does not block" {
	mkfifo $STUB_DIR/pipe
	NETNS=$STUB_DIR/pipe refused 4 'unknown FS magic' "$(conf)"
}

@test "the pod has an interface of that name already: it is not changed" {
	ip -n a link add eth0 type dummy
	refused 100 'file exists' "$(conf)"
	[ "$(in_pod a '.[0].linkinfo.info_kind' -d link show eth0)" = dummy ]
}

@test "a name that the kernel treats as a pattern" {
	local before
	before=$(inventory)
	cni ADD "$(conf)" a eth%d
	fails 4 'interface name contains %: "eth%d"'
	leaves_nothing "$before"
}

@test "ADD twice: the first interface and its lease stay" {
	add "$(conf)"
	refused 100 'file exists' "$(conf)"
	pings a 10.138.36.66
	[ "$(in_pod a '.[0].addr_info[0].local' -4 addr show eth0)" = 10.138.36.2 ]
}

@test "a master that is a bridge's port: the bridge is named" {
	ip link add br0 type bridge
	ip link add port type dummy
	ip link set port master br0
	refused 7 'master "port" is a port of "br0"' "$(conf '{"master":"port"}')"
	explains bridge
}

@test "a master that is a bond's port: the bond is named" {
	ip link add bond7 type bond
	ip link add port type dummy
	ip link set port master bond7
	refused 7 'master "port" is a port of "bond7"' "$(conf '{"master":"port"}')"
	explains bond
}

@test "a master that carries macvlan: the macvlan interface is named" {
	ip link add link eth0 name mac0 type macvlan
	refused 7 'master "eth0" carries the macvlan interface "mac0"' "$(conf)"
}

@test "a master that is lo" {
	refused 7 'master "lo" cannot carry ipvlan' "$(conf '{"master":"lo"}')"
	explains Ethernet
}

@test "a master that is a tunnel" {
	ip link add tun0 type ipip local 10.138.36.58 remote 10.138.36.66
	refused 7 'master "tun0" cannot carry ipvlan' "$(conf '{"master":"tun0"}')"
}

@test "a master inside the pod that does not exist: the error reports that" {
	refused 7 'failed to lookup master "eth7": Link not found' "$(conf '{"master":"eth7","linkInContainer":true}')"
	explains 'links in that namespace: lo'
}

@test "an address that another pod of the master has is released by the IPAM plugin" {
	add "$(conf "$(static 10.138.36.2/23)" '{"name":"other"}')" b
	refused 101 'failed to add IP addr 10.138.36.2/23 to "eth0": address already in use' "$(conf)"
	explains 'the interface "eth0" in /run/netns/b has it'
	pings b 10.138.36.66
}

@test "an address that an ipvtap of another program has: the error names it" {
	ip link add link eth0 name tap0 netns b type ipvtap mode l2
	ip -n b addr add 10.138.36.2/23 dev tap0
	ip -n b link set tap0 up
	refused 101 'failed to add IP addr 10.138.36.2/23 to "eth0": address already in use' "$(conf)"
	explains 'the interface "tap0" in /run/netns/b has it'
}

@test "the retry after a taken address gets the next one" {
	add "$(conf "$(static 10.138.36.2/23)" '{"name":"other"}')" b
	cni ADD "$(conf)"
	fails 101
	add "$(conf)"
	pings a 10.138.36.66
}

@test "an IPv6 address that another pod of the master has" {
	add "$(conf "$(static fd00:36::2/64)")" b
	refused 101 'failed to add IP addr fd00:36::2/64' "$(conf "$(static fd00:36::2/64)")"
	explains 'the interface "eth0" in /run/netns/b has it'
}

@test "an address that the host itself has" {
	refused 101 "address 10.138.36.58 is the host's own" "$(conf "$(static 10.138.36.58/23)")"
	refused 101 "address fd00:36::58 is the host's own" "$(conf "$(static fd00:36::58/64)")"
}

@test "an address that the host itself has, where the master is a port of a VRF" {
	local ip
	ip link add vrf1 type vrf table 10
	ip link add vrf2 type vrf table 20
	for ip in eth1,vrf1,11 eth2,,12 eth3,vrf2,13; do
		IFS=, read -r link vrf n <<<"$ip"
		ip link add "$link" type dummy
		[ -z "$vrf" ] || ip link set "$link" master "$vrf"
		ip link set "$link" up
		ip addr add "10.77.0.$n/32" dev "$link"
		ip addr add "fd77::$n/128" dev "$link" nodad
	done
	ip link set vrf1 up
	ip link set vrf2 up
	ip link set eth0 master vrf1
	ip addr add 10.77.0.5/24 dev eth0
	ip addr add fd77::5/64 dev eth0 nodad
	for ip in 10.77.0.5/24 fd77::5/64 10.77.0.11/24 fd77::11/64 10.77.0.12/24 fd77::12/64; do
		refused 101 "address ${ip%/*} is the host's own" "$(conf "$(static "$ip")")"
	done
	refused 101 "address 10.77.0.5 is the host's own" \
		"$(conf '{ "ipam": { "ranges": [ [ { "subnet": "10.77.0.0/24", "rangeStart": "10.77.0.5", "rangeEnd": "10.77.0.5", "gateway": "10.77.0.1" } ] ] } }')"
	for ip in 10.77.0.13/24 fd77::13/64; do # another VRF is another network
		add "$(conf "$(static "$ip")")"
		cni DEL "$(conf "$(static "$ip")")"
	done
}

@test "IPv6 on an MTU that is too small for it" {
	refused 999 'failed to add IP addr fd00:36::2/64' "$(conf "$(static fd00:36::2/64)" '{"mtu":1000}')"
	explains 'MTU of 1280'
}

@test "without IPAM a version before 0.3.0 is refused" {
	refused 7 'cannot convert: no valid IP addresses' "$(conf '{"ipam":null,"cniVersion":"0.2.0"}')"
}

@test "without root" {
	local before
	for_everybody
	before=$(inventory)
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups env CNI_COMMAND=ADD \
		CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 "$PLUGIN" <<<"$(conf)"
	fails 5 'cannot enter the network namespace: operation not permitted'
	explains root
	leaves_nothing "$before"
}

@test "without ipvlan in the kernel" {
	# a copy that requests a kind of link that the kernel does not know
	sed 's/ipvlan\x00/ipvlon\x00/g; s,cni/ipvlan,cni/ipvlon,g' "$BUILD/ipvlan" >$STUB_DIR/ipvlan
	chmod 755 $STUB_DIR/ipvlan
	PLUGIN=$STUB_DIR/ipvlan refused 999 "failed to create ipvlan: $(in_words EOPNOTSUPP)" "$(conf)"
	explains 'modprobe ipvlan'
	PLUGIN=$STUB_DIR/ipvlan cni STATUS "$(conf)"
	fails 50 'this kernel has no ipvl'
	explains 'modprobe ipvlan'
}

@test "the pod's interface gets a name that the host has too, on kernels that refuse that and on others" {
	ip link add net1 type dummy
	add "$(conf)" a net1
	pings a 10.138.36.66
	[ "$(in_pod a '[.[].ifname | select(startswith("ipv"))] | length' link)" = 0 ]
}

@test "a result that cannot be written: ADD fails, and nothing is left" {
	local before
	before=$(inventory)
	run env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
		bash -c '"$BUILD/ipvlan" >/dev/full' <<<"$(conf)"
	[ "$status" = 1 ]
	[[ "$output" = *"cannot write to stdout: no space left on device"* ]]
	leaves_nothing "$before"
	run env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
		bash -c '"$BUILD/ipvlan" >&-' <<<"$(conf)"
	[ "$status" = 1 ]
	leaves_nothing "$before"
}

@test "with closed standard output DEL succeeds, and with closed standard input it fails" {
	add "$(conf)"
	run env CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
		bash -c '"$BUILD/ipvlan" >&- 2>&-' <<<"$(conf)"
	[ "$status" = 0 ]
	run env CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
		bash -c '"$BUILD/ipvlan" <&-'
	fails 6 'unexpected end of JSON input'
}

@test "without a boot id ADD makes nothing, and reports that" {
	local before blind=$BATS_TEST_TMPDIR/blind
	printf '#!/bin/sh\nexec unshare -m sh -c "mount -t tmpfs none /proc/sys/kernel/random && exec %s"\n' "$BUILD/ipvlan" >"$blind"
	chmod 755 "$blind"
	before=$(inventory)
	PLUGIN=$blind cni ADD "$(conf)"
	fails 5 "/proc/sys/kernel/random/boot_id"
	leaves_nothing "$before"
}

@test "if the IPAM plugin is not installed, ADD reports only that, and makes nothing" {
	local before
	before=$(inventory)
	cni ADD "$(conf '{ "ipam": { "type": "zz" } }')"
	fails 7 'failed to find plugin "zz"'
	[ -z "$stderr" ]
	leaves_nothing "$before"
}

@test "with a master that is down ADD succeeds, and logs its name" {
	ip link set eth0 down
	cni ADD "$(conf)"
	succeeds
	[[ $stderr = *'master "eth0" is down: no packet of the pod leaves until it is up: ip link set dev eth0 up'* ]]
}
