#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # the library reads MODE
# allow and deny: which packets of a pod pass its master, in both directions, whatever the pod
# changes.

load ../lib/modes

# ask NAMESPACE PROTOCOL ADDRESS PORT SECONDS: prints "answer" if the other kernel refuses the packet in that time, since
# no program listens there, else "silence". A datagram that is refused shows when the next one is sent.
ask() {
	if ip netns exec "$1" timeout "$5" bash -c "exec 3<>/dev/$2/$3/$4 && while echo >&3; do sleep 0.2; done" 2>&1 | grep -q refused; then
		echo answer
	else
		echo silence
	fi
}

# The kernel refuses each datagram, however many there are. A pod's namespace may be new.
refuse_all() {
	local pod
	for pod in lan "$@"; do
		ip netns exec "$pod" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	done
}

# asks: reads lines "EXPECTED NAMESPACE PROTOCOL ADDRESS PORT", asks all at once, and compares.
asks() {
	local expected question seconds n=0 wrong='' results=$BATS_TEST_TMPDIR/asks
	rm -rf "$results" && mkdir "$results"
	refuse_all a b
	while read -r expected question; do
		n=$((n + 1)) seconds=3
		[ "$expected" = silence ] || seconds=20 # it comes at once, but not on a busy machine
		# shellcheck disable=SC2086
		ask $question $seconds >"$results/$n" 3>&- &
		echo "$expected $question" >"$results/$n.expected"
	done
	wait
	for ((; n > 0; n--)); do
		[ "$(cat "$results/$n")" = "$(cut -d' ' -f1 <"$results/$n.expected")" ] || wrong+="$(cat "$results/$n.expected"), not $(cat "$results/$n")"$'\n'
	done
	[ -z "$wrong" ] || { echo "$MODE: $wrong"; nft list ruleset; return 1; }
}

# the lists of a web server: its clients, and the servers that it may use
lists() {
	jq -n '{
		deny: {
			egress: [ { cidrs: [ "39.156.66.10/32" ] }, { protocols: [ "tcp" ], ports: [ "22" ] } ],
			ingress: [ { protocols: [ "tcp" ], ports: [ 8005 ] } ]
		},
		allow: {
			egress: [
				{ cidrs: [ "10.138.36.0/23", "10.138.36.0/24", "fd00:36::/64" ], protocols: [ "tcp" ], ports: [ 22, 80, "8000-8010", "8005-8020" ] },
				{ protocols: [ "udp" ], ports: [ 53 ] },
				{ protocols: [ "TCP" ], established: true },
				{ protocols: [ "icmp", 58 ] }
			],
			ingress: [
				{ protocols: [ "tcp" ], ports: [ 80, "8000-8010" ] },
				{ protocols: [ "udp" ], sourcePorts: [ 53 ] },
				{ protocols: [ "udp" ], ports: [ 5353 ] },
				{ protocols: [ "tcp" ], established: true },
				{ cidrs: [ "10.138.36.0/23", "fd00:36::/64" ], protocols: [ "icmp", "icmpv6" ] }
			]
		}
	}'
}

# restricted MODE [JSON]: pod a on eth0 with these lists.
restricted() {
	MODE=$1
	ip -n lan addr add fd00:39::10/128 dev eth1 nodad
	ip -6 route add default via "$GATEWAY6"
	CONF=$(conf "$(pod 2)" "{ \"mode\": \"$1\" }" "$(lists)" "${2:-}")
	add "$CONF" a
}

everything_holds() {
	asks <<-END
		answer a tcp $GATEWAY 80
		answer a tcp $GATEWAY 8000
		answer a tcp $GATEWAY 8020
		silence a tcp $GATEWAY 8021
		silence a tcp $GATEWAY 81
		silence a tcp $GATEWAY 22
		answer a tcp $GATEWAY6 80
		silence a tcp $GATEWAY6 81
		silence a tcp $GATEWAY6 22
		silence a tcp 39.156.66.10 80
		silence a tcp fd00:39::10 80
		answer a udp $GATEWAY 53
		silence a udp $GATEWAY 54
		answer a udp fd00:39::10 53
		silence a udp 39.156.66.10 53
		answer lan tcp $(own 2) 80
		silence lan tcp $(own 2) 81
		silence lan tcp $(own 2) 8005
		answer lan tcp $(own 2) 8006
		answer lan tcp $(own6 2) 80
		silence lan tcp $(own6 2) 8005
		answer lan udp $(own 2) 5353
		silence lan udp $(own 2) 5354
		answer lan udp $(own6 2) 5353
	END
	ip netns exec a ping -c 1 -W 2 -s 4000 "$GATEWAY"
	ip netns exec a ping -c 1 -W 2 -s 4000 "$GATEWAY6"
	run ! ip netns exec a ping -c 1 -W 1 39.156.66.10
}

@test "l2: what the lists allow passes, in both families and directions, and nothing else" {
	restricted l2
	everything_holds
	cni CHECK "$(with_result "$CONF")"
	succeeds
}

@test "l3: the same" {
	restricted l3
	everything_holds
}

@test "l3s: the same, with antiSpoof and bandwidth" {
	restricted l3s '{ "antiSpoof": true, "bandwidth": { "egressRate": 80000000, "ingressRate": 80000000 } }'
	everything_holds
	cni CHECK "$(with_result "$CONF")"
	succeeds
}

@test "a pod can delete its own rules and interface's name, and the lists hold" {
	restricted l2
	ip netns exec a nft flush ruleset
	ip -n a link set eth0 down
	ip -n a link set eth0 name eth7
	ip -n a link set eth7 up
	ip -n a route replace default via "$GATEWAY"
	asks <<-END
		answer a tcp $GATEWAY 80
		silence a tcp $GATEWAY 81
		silence a tcp 39.156.66.10 80
	END
}

@test "large datagrams pass if their first fragment may" {
	local port
	restricted l2
	for port in 53 54; do
		ip netns exec lan socat -u "UDP-RECV:$port" "CREATE:$BATS_TEST_TMPDIR/got.$port" 3>&- &
		ip netns exec lan socat -u "UDP6-RECV:$port,ipv6-v6only" "CREATE:$BATS_TEST_TMPDIR/got6.$port" 3>&- &
	done
	until [ "$(ip netns exec lan ss -Hlun | grep -c ':5[34] ')" = 4 ]; do sleep 0.05; done
	for port in 53 54; do
		head -c 4000 /dev/zero | ip netns exec a socat -u -b 4000 - "UDP:$GATEWAY:$port"
		head -c 4000 /dev/zero | ip netns exec a socat -u -b 4000 - "UDP:[$GATEWAY6]:$port"
	done
	until [ "$(stat -c %s "$BATS_TEST_TMPDIR/got.53")" = 4000 ] && [ "$(stat -c %s "$BATS_TEST_TMPDIR/got6.53")" = 4000 ]; do sleep 0.05; done
	jobs -p | xargs kill 2>/dev/null || :
	wait
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/got.54")" = 0 ]
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/got6.54")" = 0 ]
}

@test "each network has its own lists, on one master; one without lists has none" {
	MODE=l2
	ip netns add c
	add "$(conf "$(pod 2)" "$(lists)")" a
	add "$(conf "$(pod 3)" '{ "name": "other", "deny": { "egress": [ { "protocols": [ "tcp" ], "ports": [ 80 ] } ] } }')" b
	add "$(conf "$(pod 4)" '{ "name": "free" }')" c
	asks <<-END
		answer a tcp $GATEWAY 80
		silence a tcp $GATEWAY 81
		silence b tcp $GATEWAY 80
		answer b tcp $GATEWAY 81
		answer b udp $GATEWAY 54
		answer c tcp $GATEWAY 80
		answer c tcp $GATEWAY 81
	END
	cni DEL "$(conf "$(pod 2)" "$(lists)")" a
	succeeds
	asks <<-END
		silence b tcp $GATEWAY 80
		answer b tcp $GATEWAY 81
	END
	[ "$(nft list ruleset | grep -cF "$(own 2)")" = 0 ]
	[ "$(nft list ruleset | grep -c 'chain policy_')" = 2 ]
	cni DEL "$(conf "$(pod 3)" '{ "name": "other", "deny": { "egress": [ { "protocols": [ "tcp" ], "ports": [ 80 ] } ] } }')" b
	cni DEL "$(conf "$(pod 4)" '{ "name": "free" }')" c
	[ -z "$(nft list ruleset)" ]
}

# The other ADD reads the ledger slowly, and each time the first ADD writes its part later.
@test "the first pods of two networks with other keys start at once on one master, and both get their rules" {
	local i first slow
	MODE=l2
	add "$(conf "$(pod 2)")" a
	run_by strace -qq -o /dev/null -P "$(echo /run/cni/ipvlan/*/objects)" -e trace=getdents64 -e inject=getdents64:delay_exit=100000
	slow=$PLUGIN
	for ((i = 0; i < 8; i++)); do
		PLUGIN=''
		cni DEL "$(conf)" a
		cni DEL "$(conf '{ "name": "other" }')" b
		[ -z "$(nft list ruleset)" ]
		PLUGIN=$slow
		{
			sleep "0.$i"
			PLUGIN=''
			add "$(conf "$(pod 2)" '{ "deny": { "egress": [ { "protocols": [ "tcp" ], "ports": [ 80 ] } ] }, "bandwidth": { "egressRate": 80000000 } }')" a
		} 3>&- &
		first=$!
		add "$(conf "$(pod 3)" '{ "name": "other", "allow": { "egress": [ { "protocols": [ "tcp" ], "ports": [ 80 ] } ] }, "counters": true }')" b
		wait $first
		[ "$(nft list ruleset | grep -c 'chain policy_')" = 4 ]
		[ "$(nft list ruleset | grep -c 'limit out_')" -ge 1 ]
	done
	asks <<-END
		silence a tcp $GATEWAY 80
		answer a tcp $GATEWAY 81
		answer b tcp $GATEWAY 80
		silence b tcp $GATEWAY 81
	END
}

@test "an empty allow list allows nothing, and an empty rule matches all packets" {
	MODE=l2
	add "$(conf "$(pod 2)" '{ "allow": { "egress": [] } }')" a
	add "$(conf "$(pod 3)" '{ "name": "other", "deny": { "ingress": [ {} ] } }')" b
	asks <<-END
		silence a tcp $GATEWAY 80
		silence lan tcp 10.138.36.3 80
		silence lan udp fd00:36::3 53
	END
	# neighbours still find each other
	[ "$(ip -n lan -j neigh show 10.138.36.2 | jq length)" = 1 ]
}

@test "ipvlanctl and the metrics name the rule, the network and the pod" {
	local master
	restricted l2
	ip netns add c
	add "$(conf "$(pod 4)" "$(lists)")" c # of the same network: the counters continue
	ip netns exec a bash -c 'for i in 1 2 3; do echo >/dev/udp/39.156.66.10/9; done'
	ip netns exec c bash -c 'for i in 1 2; do echo >/dev/udp/39.156.66.10/9; done'
	[ "$(ask a udp "$GATEWAY" 54 3)" = silence ]
	run "$BUILD/ipvlanctl" show -v
	echo "$output"
	grep -qF 'denied 5 by deny.egress[0] of network net' <<<"$output"
	grep -qF 'by allow.egress of network net' <<<"$output"
	run "$BUILD/ipvlanctl" show --json
	[ "$(jq -c '.masters[0].denied | map([.network, .rules["deny.egress[0]"]])' <<<"$output")" = '[["net",5]]' ]
	[ "$(jq '.masters[0].pods[] | select(.container == "c").traffic.out.denied' <<<"$output")" = 2 ]
	"$BUILD/ipvlanctl" status --prometheus >"$BATS_TEST_TMPDIR/metrics" || :
	master='master="eth0",network="net"'
	grep -qE "^ipvlan_cni_denied_packets_total\{$master,policy=\"[0-9a-f]{16}\",rule=\"deny.egress\[0\]\"\} 5$" "$BATS_TEST_TMPDIR/metrics"
	grep -qE '^ipvlan_cni_pod_denied_packets_total\{.*container="c".*direction="out"\} 2$' "$BATS_TEST_TMPDIR/metrics"
}

@test "CHECK reports what another program flushes or deletes, and repair makes it again" {
	local table chain damage
	restricted l2
	table="netdev ipvlan_cni_$(cat /sys/class/net/eth0/ifindex)"
	chain=$(nft list table $table | sed -n 's/.*chain \(policy_.*_out\) .*/\1/p')
	for damage in 'flush ruleset' "flush chain $table $chain" "flush map $table policy_out4" "flush set $table denied_in6"; do
		nft "$damage"
		cni CHECK "$(with_result "$CONF")"
		fails 102
		explains 'ipvlanctl repair makes it again'
		"$BUILD/ipvlanctl" repair
		cni CHECK "$(with_result "$CONF")"
		succeeds
	done
	everything_holds
}

# made: the elements and limits that there are, without what they have counted.
made() {
	nft -j list ruleset | jq -S '[.nftables[] | (.set, .map | objects | select(.elem) |
		{ name, elem: [.elem[] | if type == "object" then .elem.val else . end] | sort_by(tostring) }),
		(.limit | objects | del(.handle))] | sort_by(.name)'
}

# nfts VERB CONF POD: how often the call executes nft.
nfts() {
	run_by strace -f -qq -e trace=execve -o "$BATS_TEST_TMPDIR/execs"
	cni "$1" "$2" "$3"
	[ "$status" = 0 ]
	unset PLUGIN
	grep -c 'execve("[a-z/]*/nft"' "$BATS_TEST_TMPDIR/execs" || :
}

@test "a pod that is not its master's and network's first, nor the last, costs no nft" {
	local all conf
	MODE=l2
	all=$(jq -n --argjson lists "$(lists)" '{ antiSpoof: true, bandwidth: { egressRate: 80000000, ingressRate: 80000000 } } + $lists')
	conf=$(conf "$(pod 2)" "$all")
	[ "$(nfts ADD "$conf" a)" -ge 1 ]
	conf=$(conf "$(pod 3)" "$all")
	[ "$(nfts ADD "$conf" b)" = 0 ]
	ip netns add c
	add "$(conf "$(pod 4)" "$all")" c
	# the kernel has made what nft would have
	made >"$BATS_TEST_TMPDIR/by-kernel"
	grep -q '"target": "policy_' "$BATS_TEST_TMPDIR/by-kernel"
	nft flush ruleset
	"$BUILD/ipvlanctl" repair
	made >"$BATS_TEST_TMPDIR/by-nft"
	diff "$BATS_TEST_TMPDIR/by-kernel" "$BATS_TEST_TMPDIR/by-nft"
	[ "$(nfts DEL "$conf" b)" = 0 ]
	[ "$(nft list ruleset | grep -cF "$(own 3)")" = 0 ]
}

# refused JSON MESSAGE: ADD fails with the message and makes nothing, on the host or in the pod.
refused() {
	cni ADD "$(conf "$(pod 2)" "$1")"
	[ "$status" = 1 ]
	[[ "$(jq -r .msg <<<"$output")" == *"$2"* ]] || { echo "$1: $output"; return 1; }
	[ "$(jq .code <<<"$output")" = 7 ]
	[ -z "$(nft list ruleset)" ]
	[ "$(ip -n a -j link show type ipvlan)" = '[]' ] || [ -z "$(ip -n a -j link show type ipvlan)" ]
}

@test "an invalid list is refused, and the error names the rule" {
	MODE=l2
	refused '{ "deny": [] }' 'deny must be an object'
	refused '{ "deny": { "outgoing": [] } }' 'deny has the unknown key "outgoing"'
	refused '{ "deny": { "egress": {} } }' 'deny.egress must be a list'
	refused '{ "deny": { "egress": [ 1 ] } }' 'deny.egress[0] is not an object'
	refused '{ "allow": { "ingress": [ {}, { "cidr": "10.0.0.0/8" } ] } }' 'allow.ingress[1] has the unknown key "cidr"'
	refused '{ "allow": { "ingress": [ { "cidrs": [ "10.0.0.0/8", "ten" ] } ] } }' 'allow.ingress[0].cidrs[1] is not a prefix'
	refused '{ "allow": { "ingress": [ { "cidrs": [] } ] } }' 'allow.ingress[0].cidrs must have between 1 and 1024 entries'
	refused '{ "allow": { "ingress": [ { "protocols": [ "tpc" ] } ] } }' 'allow.ingress[0].protocols[0] is not a protocol'
	refused '{ "allow": { "ingress": [ { "protocols": [ 256 ] } ] } }' 'allow.ingress[0].protocols[0] is not a protocol'
	refused '{ "allow": { "ingress": [ { "ports": [ 80 ] } ] } }' 'allow.ingress[0] has ports, and protocols without ports'
	refused '{ "allow": { "ingress": [ { "protocols": [ "tcp", "icmp" ], "ports": [ 80 ] } ] } }' 'allow.ingress[0] has ports, and protocols without ports'
	refused '{ "allow": { "ingress": [ { "protocols": [ "tcp" ], "ports": [ 65536 ] } ] } }' 'allow.ingress[0].ports[0] is not a port'
	refused '{ "allow": { "ingress": [ { "protocols": [ "tcp" ], "ports": [ "90-80" ] } ] } }' 'allow.ingress[0].ports[0] is not a port'
	refused '{ "allow": { "ingress": [ { "protocols": [ "tcp" ], "sourcePorts": [ "80;" ] } ] } }' 'allow.ingress[0].sourcePorts[0] is not a port'
	refused '{ "allow": { "ingress": [ { "protocols": [ "udp" ], "established": true } ] } }' 'allow.ingress[0].established requires "protocols": ["tcp"]'
	refused '{ "allow": { "ingress": [ { "protocols": [ "tcp" ], "established": 1 } ] } }' 'allow.ingress[0].established must be'
}
