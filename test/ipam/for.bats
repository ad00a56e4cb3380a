#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# "for": range sets for some pods. A pod's names are in CNI_ARGS and runtimeConfig; the node's name counts too.

load ../lib/pool

# Range sets: "FOR SUBNET" each, FOR is JSON or - for all.
sets() {
	local all='' set
	for set in "$@"; do
		all+="${all:+, }[{\"subnet\": \"${set##* }\"$([ "${set% *}" = - ] || echo ", \"for\": ${set% *}")}]"
	done
	echo "\"ranges\": [$all]"
}

# The addresses that a pod with these CNI_ARGS gets; "": ADD fails.
given() { # SETS CNI_ARGS MORE
	status=0
	output=$(CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=/run/netns/c1 CNI_ARGS=$2 \
		"$BUILD/addrpool" 2>/dev/null <<<"$(conf "$1" "${3:-}")") || status=$?
	jq -r '[.ips[]?.address] | join(" ")' <<<"$output"
	rm -rf "$DATA"
}

# Each line: addresses | CNI_ARGS | the range sets, "FOR SUBNET" each, ";" between.
table() {
	local line wanted arguments all failed=0 got
	while IFS='|' read -r wanted arguments all; do
		IFS=';' read -ra line <<<"$all"
		line=("${line[@]# }")
		got=$(given "$(sets "${line[@]% }")" "$(xargs <<<"$arguments")")
		[ "$got" = "$(xargs <<<"$wanted")" ] || { echo "$wanted|$arguments|$all: $got" && failed=1; }
	done
	[ "$failed" = 0 ]
}

@test "the pod gets an address of the first range set that is for it" {
	table <<-'END'
		10.0.0.2/24 | K8S_POD_NAMESPACE=db                    | {"K8S_POD_NAMESPACE": "db"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=web                   | {"K8S_POD_NAMESPACE": "db"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 |                                         | {"K8S_POD_NAMESPACE": "db"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=                      | {"K8S_POD_NAMESPACE": "db"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=DB                    | {"K8S_POD_NAMESPACE": "db"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=db2                   | {"K8S_POD_NAMESPACE": "db"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | K8S_POD_NAMESPACE=db                    | {"K8S_POD_NAMESPACE": ["web", "db"]} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | K8S_POD_NAMESPACE=web                   | {"K8S_POD_NAMESPACE": ["web", "db"]} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=x                     | {"K8S_POD_NAMESPACE": ["web", "db"]} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | K8S_POD_NAMESPACE=web                   | - 10.0.0.0/24; {"K8S_POD_NAMESPACE": "web"} 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=b                     | {"K8S_POD_NAMESPACE": "a"} 10.0.0.0/24; {"K8S_POD_NAMESPACE": "b"} 10.0.1.0/24; - 10.0.2.0/24
		10.0.0.2/24 | K8S_POD_NAMESPACE=b                     | {"K8S_POD_NAMESPACE": "*"} 10.0.0.0/24; {"K8S_POD_NAMESPACE": "b"} 10.0.1.0/24
	END
}

@test "patterns match as a shell's" {
	table <<-'END'
		10.0.0.2/24 | K8S_POD_NAMESPACE=mq-1                  | {"K8S_POD_NAMESPACE": "mq-*"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | K8S_POD_NAMESPACE=mq-                   | {"K8S_POD_NAMESPACE": "mq-*"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=mq                    | {"K8S_POD_NAMESPACE": "mq-*"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | K8S_POD_NAMESPACE=mq1                   | {"K8S_POD_NAMESPACE": "mq[12]"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=mq3                   | {"K8S_POD_NAMESPACE": "mq[12]"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | K8S_POD_NAMESPACE=mq3                   | {"K8S_POD_NAMESPACE": "mq?"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | K8S_POD_NAMESPACE=a/b                   | {"K8S_POD_NAMESPACE": "a*"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | K8S_POD_NAMESPACE=web                   | {"K8S_POD_NAMESPACE": "[!d]*"} 10.0.0.0/24; - 10.0.1.0/24
	END
}

@test "all names must match, and any argument may be one" {
	table <<-'END'
		10.0.0.2/24 | K8S_POD_NAMESPACE=db;K8S_POD_NAME=pg-0  | {"K8S_POD_NAMESPACE": "db", "K8S_POD_NAME": "pg-*"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=db;K8S_POD_NAME=web-0 | {"K8S_POD_NAMESPACE": "db", "K8S_POD_NAME": "pg-*"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.1.2/24 | K8S_POD_NAMESPACE=db                    | {"K8S_POD_NAMESPACE": "db", "K8S_POD_NAME": "pg-*"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | NOMAD_TASK_NAME=redis                   | {"NOMAD_TASK_NAME": "redis"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | TENANT=a;TENANT=b                       | {"TENANT": "b"} 10.0.0.0/24; - 10.0.1.0/24
		10.0.0.2/24 | IgnoreUnknown=1;TENANT=b;OTHER=c        | {"TENANT": "b"} 10.0.0.0/24; - 10.0.1.0/24
		            | TENANT=b;OTHER=c                        | {"TENANT": "b"} 10.0.0.0/24; - 10.0.1.0/24
	END
}

@test "addrpool chooses each family's range set by itself, and a pod gets both families or none" {
	table <<-'END'
		10.0.0.2/24 fd00::2/64   | N=a  | {"N": "a"} 10.0.0.0/24; - 10.0.1.0/24; - fd00::/64
		10.0.1.2/24 fd00::2/64   | N=b  | {"N": "a"} 10.0.0.0/24; - 10.0.1.0/24; - fd00::/64
		10.0.0.2/24 fd00::2/64   | N=a  | {"N": "a"} 10.0.0.0/24; {"N": "a"} fd00::/64; - 10.0.1.0/24; - fd00:1::/64
		10.0.1.2/24 fd00:1::2/64 | N=b  | {"N": "a"} 10.0.0.0/24; {"N": "a"} fd00::/64; - 10.0.1.0/24; - fd00:1::/64
		                         | N=b  | {"N": "a"} 10.0.0.0/24; - fd00::/64
		                         | N=a  | {"N": "a"} 10.0.0.0/24; {"N": "b"} fd00::/64
		10.0.0.2/24 10.0.1.2/24  | IgnoreUnknown=1 | - 10.0.0.0/24; - 10.0.1.0/24
		fd00::2/64 10.0.0.2/24 10.0.1.2/24 | N=a  | {"N": "a"} fd00::/64; - 10.0.0.0/24; - 10.0.1.0/24
	END
}

@test "the node's name is that in ipam.cluster, or the host's" {
	local host
	host=$(uname -n | tr 'A-Z' 'a-z')
	[ "$(given "$(sets "{\"node\": \"$host\"} 10.0.0.0/24" '- 10.0.1.0/24')" '')" = 10.0.0.2/24 ]
	[ "$(given "$(sets '{"node": "rack9-*"} 10.0.0.0/24' '- 10.0.1.0/24')" '')" = 10.0.1.2/24 ]
	# CNI_ARGS cannot change it
	[ "$(given "$(sets '{"node": "rack9-*"} 10.0.0.0/24' '- 10.0.1.0/24')" 'node=rack9-1')" = 10.0.1.2/24 ]
}

@test "a capability: a string, or a member of an object" {
	local both
	both=$(sets '{"tenant": "a*"} 10.0.0.0/24' '{"io.kubernetes.cri.pod-annotations/example.org/pool": "gold"} 10.0.1.0/24' '- 10.0.2.0/24')
	[ "$(given "$both" '' '"runtimeConfig": {"tenant": "acme"}')" = 10.0.0.2/24 ]
	[ "$(given "$both" '' '"runtimeConfig": {"io.kubernetes.cri.pod-annotations": {"example.org/pool": "gold"}}')" = 10.0.1.2/24 ]
	[ "$(given "$both" '' '"runtimeConfig": {"io.kubernetes.cri.pod-annotations": {"example.org/pool": "tin"}}')" = 10.0.2.2/24 ]
	[ "$(given "$both" '' '"runtimeConfig": {"tenant": ["acme"], "io.kubernetes.cri.pod-annotations": "gold"}')" = 10.0.2.2/24 ]
	[ "$(given "$both" 'tenant=b' '"runtimeConfig": {"tenant": "acme"}')" = 10.0.2.2/24 ]
}

@test "no range set is for the pod: the error has the pod's names, and nothing is leased" {
	export CNI_ARGS='K8S_POD_NAMESPACE=web'
	CONF=$(conf "$(sets '{"K8S_POD_NAMESPACE": "db", "K8S_POD_NAME": "pg-*"} 10.0.0.0/24' '- fd00::/64')")
	pool ADD "$CONF"
	fails 7 'no IPv4 range set of network net is for this pod'
	[[ $output = *'K8S_POD_NAMESPACE=web, K8S_POD_NAME is not given'* ]]
	[ ! -e "$STORE" ] || leased ''
}

@test "a pod cannot request an address of a range set that is for others" {
	export CNI_ARGS='K8S_POD_NAMESPACE=web;IP=10.0.0.9'
	CONF=$(conf "$(sets '{"K8S_POD_NAMESPACE": "db"} 10.0.0.0/24' '- 10.0.1.0/24')")
	pool ADD "$CONF"
	fails 7 'requested IP address 10.0.0.9 lies in range set 0, which is not for this pod'
	[[ $output = *'it is for K8S_POD_NAMESPACE=db'* ]]
	CNI_ARGS='K8S_POD_NAMESPACE=db;IP=10.0.1.9'
	pool ADD "$CONF"
	fails 7 'requested IP address 10.0.1.9 lies in range set 1, which is not for this pod'
	CNI_ARGS='K8S_POD_NAMESPACE=db;IP=10.0.0.9'
	gets 10.0.0.9/24 "$CONF"
}

@test "CHECK, DEL and GC know the leases of all range sets, also if the pod's names have changed" {
	CONF=$(conf "$(sets '{"K8S_POD_NAMESPACE": "db"} 10.0.0.0/24' '- 10.0.1.0/24')")
	CNI_ARGS='K8S_POD_NAMESPACE=db' gets 10.0.0.2/24 "$CONF"
	pool CHECK "${CONF%\}}, \"prevResult\": $output}"
	succeeds
	drops "$CONF"
	leased ''
}

@test "each range set keeps its last address and its sticky names" {
	CONF=$(conf "$(sets '{"N": "a"} 10.0.0.0/24' '- 10.0.1.0/24'), \"sticky\": \"N\"")
	CNI_ARGS=N=b gets 10.0.1.2/24 "$CONF" c1
	CNI_ARGS=N=a gets 10.0.0.2/24 "$CONF" c2
	drops "$CONF" c1
	CNI_ARGS=N=c gets 10.0.1.3/24 "$CONF" c3
	CNI_ARGS=N=b gets 10.0.1.2/24 "$CONF" c4
	[ "$(cat "$STORE/last_reserved_ip.0") $(cat "$STORE/last_reserved_ip.1")" = '10.0.0.2 10.0.1.2' ]
}

@test "the error of a full range set has its number" {
	CONF=$(conf '"ranges": [[{"subnet": "10.0.0.0/24", "for": {"N": "a"}}], [{"subnet": "10.0.1.0/30", "for": {"N": "b"}}]]')
	export CNI_ARGS=N=b
	gets 10.0.1.2/30 "$CONF" c1
	pool ADD "$CONF" c2
	fails 11 'failed to allocate for range 1: no IP addresses available in range set: 10.0.1.1-10.0.1.2'
}

@test "all ranges of a range set must be for the same pods" {
	export CNI_ARGS=N=a
	gets 10.0.0.2/24 "$(conf '"ranges": [[{"subnet": "10.0.0.0/24", "for": {"N": "a"}}, {"subnet": "10.0.1.0/24", "for": {"N": "a"}}]]')"
	for second in '' ', "for": {"N": "b"}'; do
		pool ADD "$(conf "\"ranges\": [[{\"subnet\": \"10.0.0.0/24\", \"for\": {\"N\": \"a\"}}, {\"subnet\": \"10.0.1.0/24\"$second}]]")" c2
		fails 7 'for: it must be the same in all ranges of a range set'
	done
}

@test "ADD refuses invalid names and patterns" {
	while IFS='|' read -r whom why; do
		pool ADD "$(conf "\"ranges\": [[{\"subnet\": \"10.0.0.0/24\", \"for\": $whom}]]")"
		fails 7 "${why# }"
	done <<-'END'
		{}                | for: it must have a name
		{"N": []}         | for.N must be a pattern or a list of patterns
		{"N": ""}         | for.N must be a pattern or a list of patterns
		{"N": ["a", ""]}  | for.N must be a pattern or a list of patterns
		{"N": 7}          | for.N must be a pattern or a list of patterns
		{"N": {"a": "b"}} | for.N must be a pattern or a list of patterns
		"db"              | for
		["db"]            | for
	END
}

@test "for in the range in ipam itself, and in the list of pools" {
	CONF=$(conf '"subnet": "10.0.0.0/24", "for": {"N": ["a", "b-*"], "node": "*"}')
	CNI_ARGS=N=b-1 gets 10.0.0.2/24 "$CONF"
	run -0 "$BUILD/addrpool" <(printf '%s' "$CONF")
	[[ $output = *'range set 0: 10.0.0.1-10.0.0.254 for N=a|b-* node=*'* ]]
	[ "$("$BUILD/addrpool" --json <(printf '%s' "$CONF") | jq -c '.[0].rangeSets[0].for')" = '{"N":["a","b-*"],"node":"*"}' ]
}
