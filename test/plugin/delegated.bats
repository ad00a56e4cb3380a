#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# addrpool, called by plugins: by ours, and by Go's with the name host-local.

load ../lib/cni

# from_pool: conf with addrpool in place of host-local.
from_pool() {
	conf '{"ipam":{"type":"addrpool"}}' "$@"
}

leases() {
	find /var/lib/cni/networks/net -name '*[0-9].*[0-9]' ! -name 'last_reserved_ip.*' -printf '%f\n' | sort | paste -sd' '
}

@test "ipvlan and addrpool: ADD, packets, CHECK, STATUS, DEL, and nothing is left" {
	local before conf
	before=$(inventory)
	conf=$(from_pool)
	cni STATUS "$conf"
	succeeds
	add "$conf" a
	[ "$(result '.ips[0] | .address, .interface' | paste -sd' ')" = '10.138.36.2/23 0' ]
	add "$conf" b
	pings a 10.138.36.66
	pings a 10.138.36.3
	pings b 10.138.36.2
	cni CHECK "$(with_result "$conf" a)" a
	succeeds
	cni DEL "$(with_result "$conf" a)" a
	succeeds
	[ "$(leases)" = 10.138.36.3 ]
	pings b 10.138.36.66
	cni DEL "$conf" b
	succeeds
	leaves_nothing "$before"
}

@test "both families" {
	add "$(from_pool '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23"}],[{"subnet":"fd00:36::/64","gateway":"fd00:36::66"}]]}}')"
	[ "$(result '.ips | map(.address)')" = '["10.138.36.2/23","fd00:36::1/64"]' ]
	pings a 10.138.36.66
	pings a fd00:36::66
}

@test "gateway none, and a single address" {
	add "$(from_pool '{"mode":"l3","ipam":{"ranges":[[{"subnet":"192.168.9.7/32"}]]}}')"
	pings a 10.138.36.66
}

@test "addrpool releases the address if ipvlan's ADD fails" {
	ip -n a link add eth0 type dummy
	cni ADD "$(from_pool)"
	[ "$status" = 1 ]
	[ "$(leases)" = '' ]
	ip -n a link del eth0
	add "$(from_pool)"
}

@test "CHECK fails when the lease is gone" {
	add "$(from_pool)"
	rm /var/lib/cni/networks/net/10.138.36.2
	cni CHECK "$(with_result "$(from_pool)")"
	fails 102 'Failed to find address added by container a'
}

@test "ipvlan passes on its errors with their code" {
	cni ADD "$(from_pool '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/30"}]]}}')" a
	succeeds
	cni ADD "$(from_pool '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/30"}]]}}')" b
	fails 11 'no IP addresses available in range set: 10.138.36.1-10.138.36.2'
	explains 'lists which containers have them'
	cni STATUS "$(from_pool '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/30"}]]}}')"
	succeeds
	[[ $stderr = *'network net: no IP addresses available in range set: 10.138.36.1-10.138.36.2'* ]]
	cni STATUS "$(from_pool '{"ipam":{"dataDir":"/proc/self/none"}}')"
	fails 50 'cannot write to /proc/self'
}

@test "GC of ipvlan releases leases of attachments that the runtime does not know" {
	add "$(from_pool)" a
	add "$(from_pool)" b
	ip netns del a
	cni GC "$(from_pool '{"cni.dev/valid-attachments":[{"containerID":"b","ifname":"eth0"}]}')"
	succeeds
	[ "$(leases)" = 10.138.36.3 ]
	ip netns add a
}

@test "ADD after a restart of the machine without DEL gets the same address" {
	local record=/var/lib/cni/networks/.addrpool/net/owner/a:eth0
	add "$(from_pool)" a
	ip -n a link del eth0
	ln -sfn "00000000 $(readlink $record | cut -d' ' -f2-)" $record
	rm -r /run/cni/ipvlan
	add "$(from_pool)" a
	[ "$(result '.ips[0].address')" = 10.138.36.2/23 ]
	pings a 10.138.36.66
}

# started VERB CONF: the programs that ipvlan starts for it.
started() {
	local trace=$BATS_TEST_TMPDIR/trace
	run_by strace -f -qq -e trace=execve -e signal=none -o "$trace"
	cni "$1" "$2"
	unset PLUGIN
	sed -n 's/.* execve("\([^"]*\)".* = 0$/\1/p; s/.* execve("\([^"]*\)".*<unfinished.*/\1/p' "$trace" | tail -n +2 | paste -sd' '
}

@test "ipvlan starts no process if the addrpool that it finds is the same build" {
	local conf verb
	conf=$(from_pool '{"cni.dev/valid-attachments":[]}')
	for verb in ADD STATUS DEL GC; do
		[ "$(started $verb "$conf")" = '' ]
	done
	# with any name
	mkdir -p "$STUB_DIR/bin"
	ln -sf "$BUILD/addrpool" "$STUB_DIR/bin/my-pool"
	export CNI_PATH=$STUB_DIR/bin
	[ "$(started ADD "$(from_pool '{"ipam":{"type":"my-pool"}}')")" = '' ]
}

@test "ipvlan starts a wrapper of addrpool, and another build" {
	local before
	before=$(inventory)
	mkdir -p "$STUB_DIR/bin"
	printf '#!/bin/sh\necho wrapped >&2\nexec %s\n' "$BUILD/addrpool" >"$STUB_DIR/bin/addrpool"
	chmod +x "$STUB_DIR/bin/addrpool"
	CNI_PATH=$STUB_DIR/bin add "$(from_pool)"
	[ "$stderr" = wrapped ]
	CNI_PATH=$STUB_DIR/bin cni DEL "$(from_pool)"
	[ "$stderr" = wrapped ]
	apart
	[ "$(started ADD "$(from_pool)")" = "$APART/addrpool" ]
	[ "$(started DEL "$(from_pool)")" = "$APART/addrpool" ]
	leaves_nothing "$before"
}

@test "ipvlan starts a process, which can be killed, for a pool of many nodes and to undo an ADD" {
	local key
	# the key in any case, as all keys
	for key in cluster Cluster; do
		[[ "$(started ADD "$(from_pool "{\"ipam\":{\"$key\":{\"etcd\":{\"endpoints\":[\"http://127.0.0.1:9\"]},\"timeout\":1}}}")")" = \
			"$BUILD/addrpool $BUILD/addrpool-claim "* ]]
	done
	add "$(conf '{"name":"other","ipam":{"type":"addrpool"}}')" b # this network has the first address
	[ "$(started ADD "$(from_pool)")" = "$BUILD/addrpool" ]
	[ "$(leases)" = '' ]
}

# told: the output of the last call.
told() {
	printf '%s %s\n' "$status" "$output"
}

# life CONF: the outputs from ADD to DEL, and the files between them.
life() {
	local conf=$1
	cni STATUS "$conf"
	told
	cni ADD "$conf"
	told
	if [ "$status" = 0 ]; then
		declare -g RESULT_a=$output
		find /var/lib/cni -type f -name '[0-9f]*' -printf '%p\n' | sort
		cni CHECK "$(with_result "$conf")"
		told
		cni ADD "$conf"
		told
		rm -f /var/lib/cni/networks/net/10.*
		cni CHECK "$(with_result "$conf")"
		told
	fi
	cni DEL "$conf"
	told
	cni GC "$(jq -c '.["cni.dev/valid-attachments"] = []' <<<"$conf")"
	told
	rm -rf /var/lib/cni/networks
}

@test "addrpool does and prints the same in ipvlan's process and in another" {
	local ipam confs=(
		'{}' '{"ranges":[[{"subnet":"10.138.36.0/23"}],[{"subnet":"fd00:36::/64"}]],"routes":[{"dst":"0.0.0.0/0"}]}'
		'{"ranges":[[{"subnet":"10.138.36.0/30","rangeStart":"10.138.36.9"}]]}' '{"subnet":"10.138.36.1/23"}' '{"ranges":7}'
		'{"dataDir":"/proc/self/none"}' '{"resolvConf":"/etc/hostname"}' '{"resolvConf":"/none"}'
		'{"ranges":[[{"subnet":"10.138.36.0/32"}]],"fsync":true,"sticky":"interface"}'
	)
	for ipam in "${confs[@]}"; do
		life "$(from_pool "{\"ipam\":$ipam}")" >>"$BATS_TEST_TMPDIR/within"
		CNI_ARGS='IP=10.138.36.77' life "$(from_pool "{\"ipam\":$ipam}")" >>"$BATS_TEST_TMPDIR/within"
	done
	apart
	for ipam in "${confs[@]}"; do
		life "$(from_pool "{\"ipam\":$ipam}")" >>"$BATS_TEST_TMPDIR/without"
		CNI_ARGS='IP=10.138.36.77' life "$(from_pool "{\"ipam\":$ipam}")" >>"$BATS_TEST_TMPDIR/without"
	done
	grep -q '^0 ' "$BATS_TEST_TMPDIR/within"
	grep -q '"code": 7' "$BATS_TEST_TMPDIR/within"
	diff "$BATS_TEST_TMPDIR/within" "$BATS_TEST_TMPDIR/without"
}

# Go's plugins. The directory in which they find host-local has addrpool under that name.

# go_cni TYPE VERB CONF: the Go plugin, for pod a.
go_cni() {
	mkdir -p "$STUB_DIR/bin"
	ln -sf "$BUILD/addrpool" "$STUB_DIR/bin/host-local"
	run --separate-stderr env CNI_COMMAND="$2" CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
		CNI_PATH="$STUB_DIR/bin" "$GO_PLUGINS/$1" <<<"$3"
}

# serves TYPE CONF ADDRESS: ADD, packets to ADDRESS, CHECK and DEL.
serves() {
	local type=$1 conf=$2 address=$3 given
	go_cni "$type" ADD "$conf"
	succeeds
	# shellcheck disable=SC2034 # which with_result reads
	declare -g RESULT_a=$output
	given=$(result '.ips[0].address')
	[ "$(cat "/var/lib/cni/networks/net/${given%/*}")" = $'a\r\neth0' ]
	# only addrpool leaves it
	[ -L /var/lib/cni/networks/.addrpool/net/owner/a:eth0 ]
	pings a "$address"
	go_cni "$type" CHECK "$(with_result "$conf")"
	succeeds
	go_cni "$type" DEL "$(with_result "$conf")"
	succeeds
	[ "$(leases)" = '' ]
}

@test "Go's bridge plugin, with addrpool for host-local" {
	serves bridge '{"cniVersion":"1.0.0","name":"net","type":"bridge","bridge":"cni0","isGateway":true,
		"ipam":{"type":"host-local","subnet":"10.77.0.0/24","routes":[{"dst":"0.0.0.0/0"}]}}' 10.77.0.1
}

@test "Go's macvlan plugin, with addrpool for host-local" {
	serves macvlan '{"cniVersion":"1.0.0","name":"net","type":"macvlan","master":"eth0","mode":"bridge",
		"ipam":{"type":"host-local","ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.20"}]]}}' 10.138.36.66
}

@test "Go's ptp plugin, with addrpool for host-local" {
	serves ptp '{"cniVersion":"1.0.0","name":"net","type":"ptp",
		"ipam":{"type":"host-local","subnet":"10.77.0.0/24","routes":[{"dst":"0.0.0.0/0"}]}}' 10.138.36.58
}

@test "Go's ipvlan plugin, with addrpool for host-local, in versions old and new" {
	local version
	for version in 0.3.1 0.4.0 1.0.0; do
		go_cni ipvlan ADD "$(conf "{\"cniVersion\":\"$version\"}")"
		succeeds
		pings a 10.138.36.66
		go_cni ipvlan DEL "$(conf "{\"cniVersion\":\"$version\"}")"
		succeeds
		[ "$(leases)" = '' ]
	done
}

@test "our ipvlan plugin works with both programs as host-local" {
	add "$(conf)" a
	mkdir -p "$STUB_DIR/bin"
	cp "$BUILD/addrpool" "$STUB_DIR/bin/host-local"
	CNI_PATH=$STUB_DIR/bin add "$(conf)" b
	[ "$(result '.ips[0].address')" = 10.138.36.3/23 ]
	CNI_PATH=$STUB_DIR/bin cni DEL "$(conf)" a
	succeeds
	cni DEL "$(conf)" b
	succeeds
	[ "$(leases)" = '' ]
}
