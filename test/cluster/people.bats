#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # what is set here is for the words that are loaded
# Lists and releases of pools with many blocks, and of engines that answer slowly.

load ../lib/cluster
load ../lib/scripted

setup() {
	make_places
}

teardown() {
	etcd_stop
	[ -z "${SCRIPTED_PID:-}" ] || scripted_stop
}

# filled FROM UNTIL KEY VALUE: for each number from FROM on, below UNTIL, etcd has what these expressions of jq say.
filled() {
	jq -nrc --argjson from "$1" --argjson until "$2" '[ range($from; $until) ] | _nwise(50) | { success: map(
		{ request_put: { key: ("/ipvlan-cni/net/" + ('"$3"') | @base64), value: ('"$4"' | tojson | @base64) } }) }' |
		while read -r txn; do
			curl -sf "$ETCD_URL/v3/kv/txn" -d @- <<<"$txn" >/dev/null
		done
}

# taken FROM UNTIL NODE: the node has these blocks of 10.0.0.0/12.
taken() {
	filled "$1" "$2" '"10.\(. / 4096 | floor).\(. / 16 % 256 | floor).\(. % 16 * 16)/28"' \
		'{ node: "'"$3"'", network: "net", machine: "03000200-0400-0500-0006-000700080009", boot: "0f8fad5b-d9cb-469f-a165-70867728950e",
			incarnation: "0123456789abcdef", since: "2026-01-01T00:00:00Z" }'
}

pools() {
	"$BUILD/ipvlanctl" pools "$@"
}

@test "ipvlanctl lists the 4096 blocks of a /16, and releases those of one node" {
	etcd_start "$BATS_TEST_TMPDIR/etcd"
	ENGINE="\"etcd\": {\"endpoints\": [\"$ETCD_URL\"]}"
	on a '' '"subnet": "10.0.0.0/16"'
	taken 0 4000 node-with-a-name-of-some-length.example.org
	taken 4000 4090 gone
	printf '%s' "$CONF" >"$BATS_TEST_TMPDIR/net.conf"
	pools --json "$BATS_TEST_TMPDIR/net.conf" >"$BATS_TEST_TMPDIR/list"
	[ "$(jq '.[0].cluster.claims | length' "$BATS_TEST_TMPDIR/list")" = 4090 ]
	[ "$(wc -c <"$BATS_TEST_TMPDIR/list")" -gt 1048576 ]
	run pools release-node "$BATS_TEST_TMPDIR/net.conf" gone
	succeeds
	[[ $output = *"would release 90 blocks of gone"* ]]
	run pools release-node --yes "$BATS_TEST_TMPDIR/net.conf" gone
	succeeds
	[[ $output = *"released 90 blocks of gone"*10.0.255.144/28*gone* ]]
	[ "$(claims | wc -l)" = 4000 ]
	[ -z "$(claims gone)" ]
	[ "$("$BUILD/addrpool-claim" list gone <<<"$CONF" | jq '.claims | length')" = 0 ]
}

@test "ipvlanctl lists 4000 identities with long names, and a full range set is searched for those that are unused" {
	local long
	etcd_start "$BATS_TEST_TMPDIR/etcd"
	ENGINE="\"etcd\": {\"endpoints\": [\"$ETCD_URL\"]}"
	on a '"blockSize": 4, "keep": 60' '"sticky": "POD", "ranges": [[{"subnet": "10.8.0.0/30", "identities": true}]]'
	printf '%s' "$CONF" >"$BATS_TEST_TMPDIR/net.conf"
	CNI_ARGS="IgnoreUnknown=1;POD=first" add c1
	long=$(printf 'x%.0s' {1..490})
	filled 0 4000 '"~identity/net '"$long"'\(.)"' '{ identity: "net '"$long"'\(.)", id: "\(.)", locked: true, addresses: ["10.9.\(. / 250 | floor).\(. % 250 + 1)"],
		since: "2026-01-01T00:00:00Z", holder: { node: "other", machine: "m", boot: "b", incarnation: "i", container: "c", interface: "eth0" } }'
	run -0 pools identities --json "$BATS_TEST_TMPDIR/net.conf"
	[ "$(jq length <<<"$output")" = 4001 ]
	CNI_ARGS="IgnoreUnknown=1;POD=second" pool ADD "$CONF" c2
	fails 11 'no address is free for an identity'
	CNI_COMMAND=GC run "$BUILD/addrpool" <<<"$(jq -c '. + {"cni.dev/valid-attachments": [{containerID: "c1", ifname: "eth0"}]}' <<<"$CONF")"
	succeeds
	[ -z "$output" ]
}

@test "control characters of the engine reach no terminal" {
	etcd_start "$BATS_TEST_TMPDIR/etcd"
	ENGINE="\"etcd\": {\"endpoints\": [\"$ETCD_URL\"]}"
	on a
	filled 0 1 '"10.9.0.16/28"' '{ node: "evil\u001b[2Jnode", network: "net\u0007\u009b", machine: "\u001b", boot: "\u001b", incarnation: "i", since: "2026\u001b[1m" }'
	printf '%s' "$CONF" >"$BATS_TEST_TMPDIR/net.conf"
	for list in "ipvlanctl pools" addrpool "addrpool release-node $(printf 'evil\e[2Jnode')"; do
		# shellcheck disable=SC2086 # words
		run -0 "$BUILD"/$list "$BATS_TEST_TMPDIR/net.conf"
		[[ $output = *'evil\x1b[2Jnode'*'10.9.0.16/28'*'net\x07\xc2\x9b'*'2026\x1b[1m'* ]]
		run ! grep -P '[\x00-\x08\x0b-\x1f\x7f]' <<<"$output"
	done
}

# slow SECONDS: a server with the answers of a Kubernetes API that takes so long for each.
slow() {
	scripted_start
	sed -i "2isleep $1" "$SCRIPTED/serve"
	scripted_kubernetes
	on a '"timeout": 1'
}

lease() { # BLOCK NODE
	echo "{\"metadata\": {\"name\": \"net-${1/\//-}\", \"uid\": \"u$1\", \"resourceVersion\": \"7\", \"annotations\":
		{\"ipvlan-cni/block\": \"$1\", \"ipvlan-cni/network\": \"net\"}}, \"spec\": {\"holderIdentity\": \"$2\"}}"
}

page() { # CONTINUE LEASE...
	local more=$1 leases
	shift
	leases=$(IFS=,; echo "$*")
	answers 200 "{\"metadata\": {\"continue\": \"$more\"}, \"items\": [$leases]}"
}

@test "each page of a list, and each release, may take longer than timeout" {
	slow 1.5
	page more "$(lease 10.9.0.0/28 b)" "$(lease 10.9.0.16/28 c)"
	page '' "$(lease 10.9.0.32/28 b)"
	answers 200 '{}'
	run "$BUILD/addrpool" release-node --yes b <(echo "$CONF")
	succeeds
	[[ $output = *"released 2 blocks of b"*10.9.0.0/28*10.9.0.32/28* ]]
	[ "$(asked | cut -d' ' -f1 | xargs)" = "GET GET DELETE DELETE" ]
	forget_answers
	page more "$(lease 10.9.0.0/28 b)"
	page '' "$(lease 10.9.0.16/28 c)"
	[ "$(claims | xargs)" = "10.9.0.0/28 b 10.9.0.16/28 c" ]
}

@test "release-node tells which blocks stay, since their node is back and has confirmed them" {
	local back
	slow 0
	back=$(lease 10.9.0.16/28 b | jq -c '.metadata |= (.resourceVersion = "8" | .annotations["ipvlan-cni/boot"] = "its next boot")')
	page '' "$(lease 10.9.0.0/28 b)" "$(lease 10.9.0.16/28 b)" "$(lease 10.9.0.32/28 b)"
	answers 200 '{}'
	answers 409 '{"message": "the ResourceVersion in the precondition (7) does not match the ResourceVersion in record (8)"}'
	answers 200 "$back"
	answers 404 '{"reason": "NotFound"}' # another administrator has released it
	answers 404 '{"reason": "NotFound"}'
	page '' "$back"
	run "$BUILD/addrpool" release-node --yes b <(echo "$CONF")
	succeeds
	[[ $output = *"released 2 blocks of b"*10.9.0.0/28*10.9.0.32/28*"1 blocks stay: b has claimed or confirmed them"*10.9.0.16/28* ]]
	[ "$(grep -c 10.9.0.16/28 <<<"$output")" = 1 ]
	[ "$(asked | cut -d' ' -f1 | xargs)" = "GET DELETE DELETE GET DELETE GET GET" ]
}

@test "a list that expires in the API server is read anew" {
	slow 0
	page more "$(lease 10.9.0.0/28 b)" "$(lease 10.9.0.16/28 c)"
	answers 410 '{"message": "The provided continue parameter is too old"}'
	page more "$(lease 10.9.0.16/28 c)"
	page '' "$(lease 10.9.0.32/28 b)"
	[ "$(claims | xargs)" = "10.9.0.16/28 c 10.9.0.32/28 b" ]
	[ "$(asked | grep -c 'continue=more')" = 2 ]
	[ "$(asked | wc -l)" = 4 ]
}

@test "an engine that cannot be reached delays a list no longer than timeout" {
	local started=$SECONDS
	ENGINE='"etcd": {"endpoints": ["http://127.0.0.1:1"]}'
	on a '"timeout": 1'
	run "$BUILD/addrpool-claim" list <<<"$CONF"
	[ "$status" = 1 ]
	[ "$(jq .code <<<"$output")" = 11 ]
	[ $((SECONDS - started)) -lt 30 ]
}
