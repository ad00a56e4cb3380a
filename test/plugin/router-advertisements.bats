#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A pod has the addresses and routes of the result, whatever routers on the LAN advertise.

load ../lib/cni

# advertise PREFIX: a router on the LAN, which advertises five times a second.
advertise() {
	ip netns exec lan bash -c "while :; do '$BUILD/tools/router' eth0 $1 || :; sleep 0.2; done" 3>&- &
	ROUTER=$!
}

teardown() {
	[ -z "${ROUTER:-}" ] || kill "$ROUTER"
}

# globals POD: its global IPv6 addresses. ways POD: its IPv6 default routes.
globals() {
	in_pod "$1" '[.[].addr_info[] | select(.local) | .local] | join(" ")' -6 addr show dev eth0 scope global
}

ways() {
	in_pod "$1" '[.[] | "\(.gateway) \(.protocol)"] | join(",")' -6 route show default
}

# hears POD: the advertisements reach the pod: a second interface, which accepts them, has an
# address.
hears() {
	local _
	for _ in {1..80}; do
		[ -z "$(in_pod "$1" '.[].addr_info[] | select(.local) | .local' -6 addr show dev own0 scope global)" ] || return 0
		sleep 0.1
	done
	return 1
}

# given ADDRESS...: by a static IPAM, with default routes.
given() {
	conf "$(static "$*" '[ { "dst": "0.0.0.0/0", "gw": "10.138.36.66" }, { "dst": "::/0", "gw": "fd00:36::66" } ]')" \
		'{ "hostAccess": true }'
}

four=10.138.36.10/23 six=fd00:36::10/64

# ignores [ADDRESS]...: the pod has only these, and its address works. The second interface shows that advertisements arrive.
ignores() {
	local conf has='' via=''
	conf=$(given "$@")
	[[ " $* " != *" $six "* ]] || has=${six%/*} via='fd00:36::66 boot'
	[ -n "$via" ] || conf=$(jq -c '.ipam.routes |= map(select(.dst != "::/0"))' <<<"$conf")
	[[ " $* " == *" $four "* ]] || conf=$(jq -c '.ipam.routes |= map(select(.dst == "::/0"))' <<<"$conf")
	add "$conf" a
	ip link add link eth0 name own0 netns a type ipvlan mode l2
	ip netns exec a sysctl -qw net.ipv6.conf.own0.accept_ra=2
	ip -n a link set own0 up
	hears a
	[ "$(globals a)" = "$has" ]
	[ "$(in_pod a '[.[] | select(.dev == "eth0") | "\(.gateway) \(.protocol // "boot")"] | join(",")' -6 route show default)" = "$via" ]
	cni CHECK "$(with_result "$conf")"
	succeeds
	[ -z "$has" ] || [ "$(in_pod a '.[0].prefsrc' -6 route get fd00:36::66)" = "$has" ]
	ip -n a link del own0
	# also after its link was down
	ip -n a link set eth0 down
	ip -n a link set eth0 up
	sleep 1
	[ "$(globals a)" = "$has" ]
	cni DEL "$conf"
	succeeds
}

@test "advertisements do not change pods with addresses of one family or both" {
	advertise fd00:77::
	ignores "$four"
	ignores "$six"
	ignores "$four" "$six"
}

@test "advertisements do not change a pod that forwards, or one that accepts them on new interfaces" {
	advertise fd00:77::
	ip netns exec a sysctl -qw net.ipv6.conf.default.accept_ra=2 net.ipv6.conf.all.forwarding=1
	ignores "$four" "$six"
}

# accepts CONF: the result of ADD has the advertised addresses and routes, and CHECK accepts changed lifetimes.
accepts() {
	local learned
	add "$1" a
	learned=$(jq -r '.ips[].address | select(startswith("fd00:77:"))' <<<"$RESULT_a")
	[ -n "$learned" ]
	[[ " $(globals a) " == *" ${learned%/*} "* ]]
	jq -e '.routes[] | select(.dst == "::/0" and (.gw | startswith("fe80:")))' <<<"$RESULT_a"
	[[ $(ways a) == *"fe80:"*" ra"* ]]
	jq -e --arg a "$learned" '.ips[] | select(.address == $a) | .interface == 0' <<<"$RESULT_a"
	cni CHECK "$(with_result "$1")"
	succeeds
	kill "$ROUTER"
	ROUTER=''
	ip -n a addr del "$learned" dev eth0
	ip -n a -6 route flush default proto ra
	cni CHECK "$(with_result "$1")"
	succeeds
}

@test "accept: the result has the address and the route that a router advertises" {
	local conf
	conf=$(conf '{ "routerAdvertisements": "accept" }')
	advertise fd00:77::
	accepts "$conf"
	ip -n a addr del "$(jq -r '.ips[0].address' <<<"$RESULT_a")" dev eth0
	cni CHECK "$(with_result "$conf")"
	fails 102 'Failed to match addr 10.138.36.2/23'
	cni DEL "$conf"
	succeeds
}

@test "accept: a pod without IPAM has only the router's address, and the host reaches it" {
	local conf address
	conf=$(conf '{ "routerAdvertisements": "accept", "ipam": null, "hostAccess": true }')
	advertise fd00:77::
	add "$conf" a
	address=$(jq -r '.ips[0].address' <<<"$RESULT_a")
	[[ $address = fd00:77:* ]]
	ping -n -c 1 -W 3 "${address%/*}"
	cni DEL "$conf"
	succeeds
}

@test "accept: also in a pod that forwards" {
	ip netns exec a sysctl -qw net.ipv6.conf.all.forwarding=1
	advertise fd00:77::
	accepts "$(conf '{ "routerAdvertisements": "accept" }')"
}

@test "accept: without a router ADD succeeds after some seconds, and logs that" {
	local conf
	conf=$(conf '{ "routerAdvertisements": "accept" }')
	add "$conf" a
	[[ $stderr = *"no router advertisement arrived at eth0 within 6 s"* ]]
	cni CHECK "$(with_result "$conf")"
	succeeds
}

GUARD='{ "name": "guard", "antiSpoof": true }'

# guard_refused WHERE: neither STATUS nor ADD admits a pod with antiSpoof beside pod a.
guard_refused() {
	cni STATUS "$(conf "$GUARD")"
	fails 50 'antiSpoof: the master has pods already whose addresses are not known: container a, network net' || { echo "$1"; return 1; }
	cni ADD "$(conf "$GUARD")" b
	fails 7 'antiSpoof: the master has pods already whose addresses are not known: container a, network net' || { echo "$1"; return 1; }
	explains 'that pod accepts router advertisements'
}

@test "accept and antiSpoof of another network exclude each other on a master, whichever comes first" {
	local more conf before waits
	before=$(inventory)
	conf=$(conf '{ "routerAdvertisements": "accept", "counters": true }')
	add "$conf" a 3>&- &
	waits=$!
	until ip -n a link show dev eth0 up 2>/dev/null | grep . >/dev/null; do sleep 0.05; done
	guard_refused 'while the pod waits for a router'
	wait $waits
	guard_refused 'no router has answered'
	cni DEL "$conf" a
	succeeds
	leaves_nothing "$before"
	advertise fd00:77::
	for more in '{ "counters": true }' '{}' '{ "ipam": null }'; do
		conf=$(conf '{ "routerAdvertisements": "accept" }' "$more")
		add "$conf" a
		guard_refused 'a router has answered'
		cni DEL "$conf" a
		succeeds
		add "$(conf "$GUARD")" b
		cni STATUS "$conf"
		fails 50 'routerAdvertisements: "accept" does not work on a master that antiSpoof guards'
		cni ADD "$conf" a
		fails 7 'routerAdvertisements: "accept" does not work on a master that antiSpoof guards'
		mkdir -p "$BATS_TEST_TMPDIR/net.d"
		echo "$conf" >"$BATS_TEST_TMPDIR/net.d/net.conf"
		NETCONFPATH=$BATS_TEST_TMPDIR/net.d run "$BUILD/ipvlanctl" doctor
		[[ $output = *'routerAdvertisements: "accept" does not work on a master that antiSpoof guards'* ]]
		add "$(conf)" a
		cni DEL "$(conf)" a
		cni DEL "$(conf "$GUARD")" b
		succeeds
	done
}

@test "accept is refused in modes without advertisements, and other values are refused" {
	local mode
	for mode in '{ "mode": "l3" }' '{ "mode": "l3s" }' '{ "internal": true, "master": null }'; do
		cni ADD "$(conf '{ "routerAdvertisements": "accept" }' "$mode")"
		fails 7 'routerAdvertisements: "accept" needs "mode": "l2"'
	done
	cni ADD "$(conf '{ "routerAdvertisements": "yes" }')"
	fails 7 'routerAdvertisements must be "ignore" or "accept", not "yes"'
}
