#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # the library reads MODE
# bandwidth: the rates of a pod, by the bytes that arrive, whatever the pod changes.

load ../lib/modes

RATE=200000	# bytes a second
MODE=l2

limits() {
	echo "{ \"bandwidth\": { \"egressRate\": $((8 * RATE)), \"egressBurst\": 8, \"ingressRate\": $((8 * RATE)), \"ingressBurst\": 8 } }"
}

now() {
	cut -d' ' -f1 /proc/uptime
}

# arrived POD: bytes that its interface has received; for the LAN's host only those of these
# datagrams, with IP headers. In l3s packets to a pod do not pass the pod's netfilter.
arrived() {
	if [ "$1" = a ]; then
		ip -n a -s -j link show eth0 | jq '.[0].stats64.rx.bytes'
	else
		ip netns exec lan nft -j list counters | jq '.nftables[].counter // empty | .bytes'
	fi
}

is_shaped() {
	ip -n "$1" -j link show eth0 | jq -e '.[0].qdisc == "tbf"' >/dev/null
}

# flood FROM TO ADDRESS: sends as many datagrams as possible for ten seconds of the kernel's clock.
# Sets got to the bytes that arrive, and due to the bytes that the rate allows in that time. Without
# a shaper there are more: the bucket of nft starts with a second's bytes, and the burst.
flood() {
	local start before
	ip netns exec "$2" nft -f - <<-END
		table inet count { counter got { }
			chain in { type filter hook prerouting priority -300; udp dport 4000 counter name got drop; }
		}
	END
	before=$(arrived "$2") start=$(now)
	ip netns exec "$1" timeout 10 socat -b 1000 -u OPEN:/dev/zero "UDP-SENDTO:$3:4000" || :
	due=$(awk -v "r=$RATE" -v "s=$start" -v "e=$(now)" 'BEGIN { printf "%d", r * (e - s) }')
	is_shaped "$1" || due=$((due + RATE + 131072))
	got=$(($(arrived "$2") - before))
	ip netns exec "$2" nft delete table inet count
}

within() {
	flood "$@"
	echo "$1 -> $2: $got bytes of $due"
	[ "$got" -ge $((due * 9 / 10)) ] && [ "$got" -le $((due * 11 / 10)) ]
}

@test "l2: rates hold in both directions and families, also when the pod deletes its qdiscs" {
	add "$(conf "$(pod 2)" "$(limits)")"
	is_shaped a
	within a lan 10.138.36.66
	within lan a 10.138.36.2
	ip netns exec a tc qdisc replace dev eth0 root fq_codel
	ip netns exec a tc qdisc del dev eth0 root
	ip netns exec a nft flush ruleset
	within a lan '[fd00:36::66]'
	within lan a '[fd00:36::2]'
	cni CHECK "$(with_result "$(conf "$(pod 2)" "$(limits)")")"
	succeeds
	"$BUILD/ipvlanctl" show -v | grep -q 'too fast and dropped'
}

@test "l3 and l3s: rates hold" {
	for MODE in l3 l3s; do
		add "$(conf "$(pod 2)" "{ \"mode\": \"$MODE\" }" "$(limits)")"
		within a lan 10.138.36.66
		within lan a 192.168.9.2
		cni DEL "$(conf)"
	done
}

# shares WHEN: for six seconds the pods send at their RATES, by the bytes that arrive, with IP headers.
shares() {
	local n at
	for at in start end; do
		[ $at = start ] || sleep 6
		now >"$BATS_TEST_TMPDIR/$at"
		ip netns exec lan nft -j list counters | jq '[ .nftables[].counter // empty | { (.name): .bytes } ] | add' >>"$BATS_TEST_TMPDIR/$at"
	done
	for n in 2 3 4; do
		jq -se --arg n "p$n" --argjson rate "${RATES[n]}" '(.[3][$n] - .[1][$n]) / (.[2] - .[0]) / $rate | ., (. > 0.9 and . < 1.1)' \
			"$BATS_TEST_TMPDIR/start" "$BATS_TEST_TMPDIR/end" || { echo "$1: pod $n"; return 1; }
	done
}

@test "TCP of pods sends at their rates, with the shaper, and after the pods have deleted it" {
	local -a RATES=([2]=250000 [3]=1250000 [4]=6250000)
	local n name
	ip netns add c
	ip netns exec lan nft 'add table inet count { counter p2 { }; counter p3 { }; counter p4 { };
		chain in { type filter hook prerouting priority -300;
			tcp dport vmap { 4002 : jump c2, 4003 : jump c3, 4004 : jump c4 }; };
		chain c2 { counter name p2; }; chain c3 { counter name p3; }; chain c4 { counter name p4; }; }'
	for n in 2 3 4; do
		name=$(tr 234 abc <<<$n)
		add "$(conf "$(pod $n)" "{ \"bandwidth\": { \"egressRate\": $((8 * RATES[n])), \"egressBurst\": $((8 * RATES[n])) } }")" $name
		ip netns exec lan socat -u "TCP-LISTEN:400$n" OPEN:/dev/null 3>&- &
		timeout 5 sh -c "until ip netns exec lan ss -Hltn | grep -q :400$n; do sleep 0.05; done"
		ip netns exec $name socat -u -b 65536 OPEN:/dev/zero "TCP:$GATEWAY:400$n" 3>&- &
	done
	for name in a b c; do	# until the pods have used up what their buckets hold
		timeout 60 sh -c "until ip netns exec $name tc -s -j qdisc show dev eth0 | jq -e '.[0].overlimits > 100'; do sleep 0.2; done"
	done
	shares shaped
	[ "$(nft list counters | grep -A1 late_out_ | grep -c 'packets 0')" = 3 ]	# the master drops nothing that the shaper lets pass
	for name in a b c; do
		ip netns exec $name tc qdisc del dev eth0 root
	done
	timeout 60 sh -c 'while nft list counters | grep -A1 late_out_ | grep "packets 0"; do sleep 0.2; done'
	shares 'not shaped'
	jobs -p | xargs kill 2>/dev/null || :
	wait
}

@test "the runtime's values of the capability replace the network's, as with the bandwidth plugin" {
	add "$(conf "$(pod 2)" "$(limits)" "{ \"capabilities\": { \"bandwidth\": true },
		\"runtimeConfig\": { \"bandwidth\": { \"ingressRate\": 800000, \"ingressBurst\": 8000000, \"egressRate\": 1600000, \"egressBurst\": 8 } } }")"
	nft list ruleset | grep -A1 'limit out_' | grep 'rate over 200000 bytes/second burst 128 kbytes' ||
		nft list ruleset | grep -A1 'limit out_' | grep 'rate over 195 kbytes/second'
	nft list ruleset | grep -A1 'limit in_' | grep 'rate over 100000 bytes/second burst 1000000 bytes'
}

@test "the burst that runtimes of Kubernetes pass, the largest number of a type, is none" {
	local burst
	for burst in 2147483647 4294967295 34359738359; do
		add "$(conf "$(pod 2)" "{ \"runtimeConfig\": { \"bandwidth\": { \"ingressRate\": 800000, \"ingressBurst\": $burst, \"egressRate\": 800000, \"egressBurst\": $burst } } }")"
		[ "$(nft list ruleset | grep -c 'rate over 100000 bytes/second burst 128 kbytes')" = 2 ]
		cni DEL "$(conf)"
	done
}

@test "a rate that nftables cannot limit is not a limit, and ADD reports that; the largest that it can is one" {
	add "$(conf "$(pod 2)" '{ "bandwidth": { "egressRate": 1000000000000, "ingressRate": 143000000000, "ingressBurst": 2147483647000 } }')"
	[[ $stderr = *'bandwidth.egressRate is more than nftables can limit'* ]]
	[ "$(nft list ruleset | grep -c 'limit out_')" = 0 ]
	[ "$(nft list ruleset | grep -c 'limit in_')" -ge 1 ]
}

@test "invalid rates are refused, and nothing is left" {
	local before
	before=$(inventory)
	cni ADD "$(conf '{ "bandwidth": { "egressRate": 7 } }')"
	fails 7 'bandwidth.egressRate must be at least 8 bits a second'
	cni ADD "$(conf '{ "bandwidth": { "ingressBurst": 8000 } }')"
	fails 7 'bandwidth.ingressBurst needs ingressRate'
	cni ADD "$(conf '{ "bandwidth": { "ingressRate": -1 } }')"
	fails 7 'bandwidth.ingressRate'
	cni ADD "$(conf '{ "bandwidth": { "ingressRate": 8000 }, "linkInContainer": true }')"
	fails 7 'bandwidth requires a master on the host'
	cni ADD "$(conf '{ "bandwidth": { "ingressRate": 8000 }, "ipam": null }')"
	fails 7 'bandwidth needs addresses, and the pod has none'
	leaves_nothing "$before"
}

@test "each pod has its own limits, and the DEL of the last pod removes all" {
	local before i
	before=$(inventory)
	for i in a b; do
		add "$(conf "$(static "10.138.36.$((0x$i))/23 fd00:36::$i/64")" "$(limits)")" "$i"
	done
	[ "$(nft list ruleset | grep -c 'limit \(in\|out\)_')" = 4 ]
	cni DEL "$(conf)" a
	succeeds
	[ "$(nft list ruleset | grep -c 'limit \(in\|out\)_')" = 2 ]
	nft flush ruleset
	cni DEL "$(conf)" b
	succeeds
	leaves_nothing "$before"
}
