# shellcheck shell=bash disable=SC2034 # for those who include this
# SPDX-License-Identifier: Apache-2.0
# Functions for tests of pools that nodes share. A node is a dataDir and a name.
#
#	CLUSTER   the engine: etcd, or kubernetes
#	ENGINE    what "cluster" of the configurations says of it

# shellcheck source=test/lib/pool.bash
. "$(dirname "${BASH_SOURCE[0]}")/pool.bash"

# shellcheck source=test/lib/etcd.bash
. "$(dirname "${BASH_SOURCE[0]}")/etcd.bash"
# shellcheck source=test/lib/kubernetes.bash
. "$(dirname "${BASH_SOURCE[0]}")/kubernetes.bash"

CLUSTER=${CLUSTER:-etcd}

# For an etcd with certificates, which the test starts: SERVER is its directory.
make_etcd_places() {
	make_places
	SERVER=$BATS_TEST_TMPDIR/etcd
	CERTS=$SERVER/certs
}

start_engine() {
	case $CLUSTER in
	etcd)
		etcd_start "$BATS_TEST_TMPDIR/etcd"
		ENGINE="\"etcd\": {\"endpoints\": [\"$ETCD_URL\"]}"
		;;
	kubernetes)
		kubernetes_start "$BATS_TEST_TMPDIR/kubernetes"
		ENGINE="\"kubernetes\": {\"kubeconfig\": \"$KUBE_DIR/admin.kubeconfig\"}"
		;;
	esac
}

stop_engine() {
	case $CLUSTER in
	etcd) etcd_stop ;;
	kubernetes) kubernetes_stop ;;
	esac
}

pause_engine() {
	case $CLUSTER in
	etcd) kill -STOP "$ETCD_PID" ;;
	kubernetes) kill -STOP "$KUBE_PID" ;;
	esac
}

resume_engine() {
	case $CLUSTER in
	etcd) kill -CONT "$ETCD_PID" ;;
	kubernetes) kill -CONT "$KUBE_PID" ;;
	esac
}

# node NAME [CLUSTER [IPAM]]: the node's configuration, with more members of "cluster", of "ipam".
node() {
	DATA=$BATS_TEST_TMPDIR/$1 conf "\"cluster\": {$ENGINE, \"node\": \"$1\"${2:+, $2}}${3:+, $3}"
}

# on NAME [CLUSTER [IPAM]]: CONF, and where the node keeps its leases.
on() {
	CONF=$(node "$@")
	DATA=$BATS_TEST_TMPDIR/$1
	STORE=$DATA/net
	OWN=$DATA/.addrpool/net
}

# address: the address of the last result.
address() {
	[[ $output =~ \"address\":\ \"([^\"/]*) ]] && echo "${BASH_REMATCH[1]}"
}

# add ID: an ADD on the present node succeeds; sets ADDRESS.
add() {
	pool ADD "$CONF" "$1"
	succeeds || { echo "$output"; return 1; }
	ADDRESS=$(address)
}

# The engine must count the node's blocks again before the next address: COUNTED_MS have passed.
a_minute_passes() {
	rm -f "$OWN/blocks/counted"
}

# own: the blocks of the present node, from its files.
own() {
	local link all=''
	for link in "$OWN"/blocks/*-*; do
		[[ $(readlink "$link") != owned\ * ]] || all+=" ${link##*/}"
	done
	all=${all//-//}
	# sorted by address, as the engine's list
	[ -z "$all" ] || xargs -n 1 <<<"$all" | sort -V | xargs
}

# claims [NODE]: the blocks of the node in the engine; without NODE those of all nodes, with their names.
claims() {
	"$BUILD/addrpool-claim" list <<<"$CONF" >"$BATS_TEST_TMPDIR/claims" || { cat "$BATS_TEST_TMPDIR/claims"; return 1; }
	if [ $# = 0 ]; then
		jq -r '.claims[] | .block + " " + .node' "$BATS_TEST_TMPDIR/claims"
	else
		jq -r --arg node "$1" '[.claims[] | select(.node == $node).block] | join(" ")' "$BATS_TEST_TMPDIR/claims"
	fi
}

# requests: how many the engine has answered. kube-apiserver renews a Lease of its own by PUT.
requests() {
	case $CLUSTER in
	etcd) curl -sf "$ETCD_URL/metrics" | awk '/^grpc_server_handled_total.*etcdserverpb.KV/ { n += $NF } END { print n + 0 }' ;;
	kubernetes) kube GET /metrics | awk '/^apiserver_request_total.*resource="leases".*verb="(GET|LIST|POST)"/ { n += $NF } END { print n + 0 }' ;;
	esac
}

# machine BOOT [MACHINE]: from now on addrpool runs in this boot of the machine, and on this one.
machine() {
	local dir=$BATS_TEST_TMPDIR/machine
	mkdir -p "$dir"
	printf '%s-0000-4000-8000-000000000000\n' "$1" >"$dir/boot"
	echo "${2:-first}" >"$dir/id"
	cat >"$dir/addrpool" <<-WRAP
		#!/bin/sh
		exec unshare -m sh -c 'mount --bind $dir/boot /proc/sys/kernel/random/boot_id
			for id in /sys/class/dmi/id/product_uuid /etc/machine-id; do
				[ ! -e \$id ] || mount --bind $dir/id \$id
			done
			exec $BUILD/addrpool "\$@"' addrpool "\$@"
	WRAP
	chmod +x "$dir/addrpool"
	PLUGIN=$dir/addrpool
}
