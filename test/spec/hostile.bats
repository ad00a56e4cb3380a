#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Attacks: names that are paths, files that others have replaced, and pods that are root in their
# namespace.

load ../lib/cni

# pooled [JSON]: with addrpool, whose network is "net".
pooled() {
	conf '{ "ipam": { "type": "addrpool" } }' "$@"
}

outside=/var/lib/cni/outside

@test "no name leads out of our directories" {
	local before name
	before=$(inventory)
	for name in ../x a/../../x .. . 'a b' $'a\nb' '/etc/x'; do
		CNI_COMMAND=ADD CNI_CONTAINERID=$name CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
			run "$BUILD/ipvlan" <<<"$(pooled)"
		[ "$status" = 1 ]
		cni ADD "$(pooled "$(jq -n --arg n "$name" '{ name: $n }')")"
		fails 7 'invalid characters found in network name'
		cni ADD "$(pooled "$(jq -n --arg n "$name" '{ ipam: { type: $n } }')")"
		[ "$status" = 1 ]
		cni ADD "$(pooled)" a "$name"
		fails 4
		leaves_nothing "$before"
	done
}

# no_utf8 [JSON]: a pod with all kinds of objects on the host, on a master whose name is not UTF-8.
no_utf8() {
	pooled '{ "master": null, "vlan": 100, "hostAccess": true, "dns": { "nameservers": [ "9.9.9.9" ] }, "resolvConf": true }' "$@"
}

@test "names that are not UTF-8 work for the interface, the master and the namespace" {
	local before pod=$'p\xff' ifname=$'e\xe9'
	export CONTAINER=c1
	ip link set eth0 down
	ip link set eth0 name $'m\xe9'
	ip link set $'m\xe9' up
	ip route add default via 10.138.36.66
	ip netns add "$pod"
	before=$(inventory)
	cni ADD "$(no_utf8)" "$pod" "$ifname"
	succeeds
	# shellcheck disable=SC2034 # for with_result
	RESULT_a=$output
	cni CHECK "$(with_result "$(no_utf8)")" "$pod" "$ifname"
	succeeds
	cni GC "$(no_utf8 '{ "cni.dev/valid-attachments": [] }')"
	succeeds
	in_pod "$pod" . -4 addr show "$ifname" | grep -qF 10.138.36.2
	cni DEL "$(no_utf8)" "$pod" "$ifname"
	succeeds
	leaves_nothing "$before"
}

@test "a link in place of the ledger's files is not followed, and its target does not change" {
	local dir file
	echo precious >$outside
	add "$(pooled '{ "hostAccess": true }')"
	dir=$(echo /run/cni/ipvlan/*-*)
	for file in "$dir/pages/a:eth0" "$dir/new" /run/cni/ipvlan/ledger.lock; do
		ln -sf $outside "$file"
		cni DEL "$(pooled)"
		cni ADD "$(pooled '{ "hostAccess": true }')" b
		[ "$(cat $outside)" = precious ]
		rm -f "$file"
	done
	cni DEL "$(pooled)" b
	cni DEL "$(pooled)"
	succeeds
}

@test "a FIFO in place of the ledger's lock does not block a call" {
	mkdir -p /run/cni/ipvlan
	mkfifo /run/cni/ipvlan/ledger.lock
	add "$(pooled '{ "hostAccess": true }')"
	cni DEL "$(pooled)"
	succeeds
}

@test "DEL keeps a link that a pod put in place of ours, and releases the address" {
	add "$(pooled)"
	ip -n a link del eth0
	ip -n a link add eth0 type dummy
	cni DEL "$(pooled)"
	succeeds
	[ "$(in_pod a '.[0].linkinfo.info_kind' -d link show eth0)" = dummy ]
	add "$(pooled)" b
	[ "$(result '.ips[0].address')" = 10.138.36.3/23 ]
}

@test "DEL deletes a link that the pod has set down and changed" {
	local before
	before=$(inventory)
	add "$(pooled '{ "hostAccess": true }')"
	ip -n a -batch - <<-EOF
		link set eth0 down
		addr flush dev eth0
		addr add 10.138.36.58/23 dev eth0
		addr add 10.138.36.77/23 dev eth0
		route add blackhole 10.0.0.0/8
		link add eth1 type dummy
		link set lo down
	EOF
	cni CHECK "$(with_result "$(pooled)")"
	[ "$status" = 1 ]
	cni DEL "$(pooled)"
	succeeds
	ip -n a link del eth1
	leaves_nothing "$before"
}

@test "with a thousand links in a pod's namespace calls are not much slower" {
	seq 1000 | sed 's/.*/link add d& type dummy/' | ip -n a -batch -
	add "$(pooled)"
	cni CHECK "$(with_result "$(pooled)")"
	succeeds
	cni DEL "$(pooled)"
	succeeds
}

@test "a pod does not see the host's descriptors, nor does an IPAM plugin" {
	exec 7<"$BUILD/ipvlan"
	cat >"$STUB_DIR/looks" <<-'EOF'
		#!/bin/sh
		cat >/dev/null
		[ "$CNI_COMMAND" != ADD ] || ls -l /proc/self/fd >"$STUB_DIR/seen"
		[ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion":"1.1.0","ips":[{"address":"10.138.36.2/23"}]}'
	EOF
	chmod +x "$STUB_DIR/looks"
	CNI_PATH=$STUB_DIR add "$(pooled '{ "ipam": { "type": "looks" } }')"
	! grep -e '/netns\|/run/cni\|net:\[\|socket:' "$STUB_DIR/seen"
}

@test "addrpool and its children cannot gain privileges" {
	local store=/var/lib/cni/networks/net pid
	add "$(pooled)"
	keeps_lock $store/lock
	CNI_COMMAND=ADD CNI_CONTAINERID=b CNI_NETNS=/run/netns/b CNI_IFNAME=eth0 "$BUILD/addrpool" <<<"$(pooled)" >/dev/null 3>&- &
	pid=$!
	for _ in {1..300}; do
		! cmp -s $BUILD/addrpool /proc/$pid/exe || break # the process is no longer the shell
		sleep 0.01
	done
	sleep 0.1
	grep -q '^NoNewPrivs:.1$' /proc/$pid/status
	kill "$HOLDER"
	wait $pid
}
