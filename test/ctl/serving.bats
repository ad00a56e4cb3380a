#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan-node serves metrics, collects what is left of pods, and does all this from a container.

load ../lib/cni
load ../lib/ipvlan-node
load ../lib/etcd

PORT=9465

setup() {
	remove_network
	make_network
	ip link set lo up
	mkdir "$BATS_TEST_TMPDIR/net.d"
	jq -n --argjson conf "$(conf '{ "ipam": { "type": "addrpool" }, "hostAccess": true, "mode": "l3" }')" \
		'{ cniVersion: $conf.cniVersion, name: $conf.name, plugins: [$conf] }' >"$BATS_TEST_TMPDIR/net.d/10-net.conflist"
	NODE_OPTIONS=(--listen "$PORT" --bin-dir "$BUILD" --conf-dir "$BATS_TEST_TMPDIR/net.d")
	NET=$(conf '{ "ipam": { "type": "addrpool" }, "hostAccess": true, "mode": "l3" }')
}

teardown() {
	stop_node
	etcd_stop
}

get() {
	curl -sS -m 20 -w '%{http_code}' "http://127.0.0.1:$PORT$1" "${@:2}"
}

has_leases() {
	[ "$(find /var/lib/cni/networks -name '10.*' | wc -l)" = "$1" ]
}

has_left() {
	ip route show proto 105 | grep .
}

@test "/metrics is what ipvlanctl prints, also for twenty at once; /healthz is ok" {
	local i clients=()
	start_node
	add "$NET"
	[ "$(get /healthz)" = $'ok\n200' ]
	get /metrics >"$BATS_TEST_TMPDIR/metrics"
	grep -qx '# EOF' "$BATS_TEST_TMPDIR/metrics"
	grep -qx 'ipvlan_cni_pods{network="net",state="ok"} 1' "$BATS_TEST_TMPDIR/metrics"
	sed '/^# EOF$/q' "$BATS_TEST_TMPDIR/metrics" |
		/usr/bin/python3 -c 'import sys; from prometheus_client.openmetrics.parser import text_string_to_metric_families as f; list(f(sys.stdin.read()))'
	for i in {1..20}; do
		get /metrics >"$BATS_TEST_TMPDIR/metrics.$i" 3>&- &
		clients+=($!)
	done
	wait "${clients[@]}"
	[ "$(cat "$BATS_TEST_TMPDIR"/metrics.* | grep -cx '# EOF')" -ge 16 ]
	[ "$(get /else -o /dev/null)" = 404 ]
	[ "$(get /metrics -o /dev/null -X POST -d x)" = 405 ]
}

@test "only this machine reaches it, unless an address is named" {
	start_node
	run curl -sm 2 "http://10.138.36.58:$PORT/healthz"
	[ "$status" = 7 ]
	stop_node
	NODE_OPTIONS+=(--listen "[fd00:36::58]:$PORT")
	start_node
	[ "$(ip netns exec lan curl -sm 5 "http://[fd00:36::58]:$PORT/healthz")" = ok ]
	run curl -sm 2 "http://127.0.0.1:$PORT/healthz"
	[ "$status" = 7 ]
}

@test "two instances share the port, as an upgrade requires" {
	local first
	start_node
	first=$NODE
	start_node
	kill "$first"
	wait "$first"
	[ "$(get /healthz)" = $'ok\n200' ]
}

@test "/healthz reports that something is not in place" {
	NODE_OPTIONS+=(--conf-template "$BATS_TEST_TMPDIR/absent" --conf-dir "$BATS_TEST_TMPDIR")
	start_node
	soon grep -q 'cannot read .*/absent' "$SAID"
	[[ $(get /healthz) = *'not everything is in place'*503 ]]
}

@test "it releases what pods that are gone have left, without --bin-dir by the plugins of CNI_PATH" {
	NODE_OPTIONS=(--gc 10 --conf-dir "$BATS_TEST_TMPDIR/net.d")
	add "$NET"
	start_node env CNI_PATH="/nowhere:$BUILD"
	ip netns del a
	for _ in {1..30}; do
		has_leases 1 || break
		sleep 0.5
	done
	has_leases 0
	run has_left
	[ "$status" = 1 ]
	[ "$(sed 's/^[^ ]* [^ ]* //' "$SAID" | grep -c 'released')" = 1 ]
	[ "$(grep -c 'holds anything' "$SAID")" = 0 ]
}

# blocks: how many the node has in etcd
blocks() {
	"$BUILD/addrpool-claim" list <<<"$NET" | jq '.claims | length'
}

@test "it returns the blocks of a node that was drained while the engine did not run" {
	local file=$BATS_TEST_TMPDIR/net.d/10-net.conflist
	etcd_start "$BATS_TEST_TMPDIR/etcd"
	NET=$(jq -c --arg url "$ETCD_URL" '.ipam.cluster = { blockSize: 4, timeout: 1, etcd: { endpoints: [$url] } }' <<<"$NET")
	jq --argjson conf "$NET" '.plugins = [$conf]' "$file" >"$file.new"
	mv "$file.new" "$file"
	add "$NET"
	[ "$(blocks)" = 1 ]
	# a stopped process would execute the request later
	kill "$ETCD_PID"
	wait "$ETCD_PID" || true
	cni DEL "$NET"
	succeeds
	etcd_start "$BATS_TEST_TMPDIR/etcd"
	[ "$(blocks)" = 1 ]
	NODE_OPTIONS+=(--gc 10)
	start_node
	for _ in {1..30}; do
		[ "$(blocks)" = 1 ] || break
		sleep 0.5
	done
	[ "$(blocks)" = 0 ]
	grep -q 'network net, pool net: no pod of this node uses it: returned' "$SAID"
}

@test "from a container: it repairs, collects and measures with the machine's files" {
	NODE_OPTIONS+=(--host-mounts --gc 600)
	add "$NET" a
	add "$NET" b
	ip netns del a
	ip route flush proto 105
	# of the ledger, the leases and the namespaces a container sees nothing
	start_node unshare -m sh -c 'mount -t tmpfs none /run && mount -t tmpfs none /var/lib/cni && exec "$@"' sh
	[ ! -e "/proc/$NODE/root/run/cni" ]
	soon has_left
	soon has_leases 1
	get /metrics | grep -qx 'ipvlan_cni_pods{network="net",state="ok"} 1'
	# SYS_CHROOT 18 beside those of a repair
	[ "$(sed -n 's/^Cap[EPB][^0]*//p' "/proc/$NODE/status" | sort -u)" = 00000080002c1002 ]
}
