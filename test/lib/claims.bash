# shellcheck shell=bash disable=SC2154 # for those who include this
# SPDX-License-Identifier: Apache-2.0
# Pools of which other nodes have many blocks, and new nodes that claim one; include etcd.bash and kubernetes.bash too.
# $engine is the member of cluster with the engine, $scratch a directory.

# configure POOL BLOCKS: CONF, of so many blocks, a power of two.
configure() {
	local bits=0
	while [ $((1 << bits)) -lt "$2" ]; do
		bits=$((bits + 1))
	done
	POOL=$1 BLOCKS=$2 SIZE=16
	[ $bits -le 20 ] || SIZE=8
	CONF=$scratch/$1.conf
	jq -n --argjson engine "$engine" --arg pool "$1" --argjson size "$SIZE" --arg subnet "10.0.0.0/$((SIZE == 16 ? 28 - bits : 29 - bits))" '
		{ cniVersion: "1.0.0", name: "net", type: "bench",
		  ipam: { type: "addrpool", subnet: $subnet, cluster: ($engine + { pool: $pool, blockSize: $size }) } }' >"$CONF"
}

# fill ENGINE FROM TO: other nodes take these blocks.
fill() {
	[ "$2" -lt "$3" ] || return 0
	if [ "$1" = etcd ]; then
		"$TOP/test/bench/claims-fill" "$ETCD_URL" "$POOL" "$BLOCKS" "$SIZE" "$2" "$3"
	else
		"$TOP/test/bench/claims-fill" "$ETCD_URL" "$POOL" "$BLOCKS" "$SIZE" "$2" "$3" "$scratch/lease"
		wait_for_leases
	fi
}

# Until the API server has in its cache what was written below it.
wait_for_leases() {
	local path
	path=/apis/coordination.k8s.io/v1/namespaces/kube-system/leases
	jq -nc '{ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "last" } }' >"$scratch/last"
	kube POST $path "$scratch/last" >/dev/null
	until kube GET "$path?fieldSelector=metadata.name%3Dlast&resourceVersion=0" | jq -e '.items[0]' >/dev/null; do
		sleep 1
	done
	kube DELETE $path/last >/dev/null
}

# The first claim makes the record of the pool, and shows what a Lease is like.
begin_pool() {
	"$BUILD/tools/claims" 1 "$scratch/nodes" begin "$CONF" >/dev/null
	rm -rf "$scratch/nodes"
	[ "$1" = kubernetes ] || return 0
	kube GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases | jq --arg pool "$POOL-" '
		.items[] | select((.metadata.name | startswith($pool)) and .spec.acquireTime) |
		del(.metadata.resourceVersion) + { apiVersion: "coordination.k8s.io/v1", kind: "Lease" }' >"$scratch/lease"
}
