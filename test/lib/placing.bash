# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Words for tests of what ipvlan-node places on a node of a cluster; for those who include cni.bash and ipvlan-node.bash.

# A node whose Go plugin ipvlan is a link, as some distributions have it, and which has no addrpool.
node_dirs() {
	DIR=$BATS_TEST_TMPDIR
	mkdir -p "$DIR"/{from,bin,net.d,template,account}
	cp "$BUILD"/{ipvlan,addrpool,addrpool-claim} "$DIR/from"
	echo 'the Go plugin' >"$DIR/bin/multi"
	chmod 755 "$DIR/bin/multi"
	touch -d '2020-01-01 00:00:00.5' "$DIR/bin/multi"
	ln -s multi "$DIR/bin/ipvlan"
	NODE_OPTIONS=(--no-repair --install-from "$DIR/from" --bin-dir "$DIR/bin" --keep-dir "$DIR/keep"
		--ready-file "$DIR/is-ready" --uninstall-last)
}

# from_template: the node writes its configuration
from_template() {
	NODE_OPTIONS+=(--conf-template "$DIR/template/10-net.conflist" --conf-dir "$DIR/net.d" --node node7)
}

# template: on standard input
template() {
	jq . >"$DIR/template/new"
	mv "$DIR/template/new" "$DIR/template/10-net.conflist"
}

list() {
	echo '{ "cniVersion": "1.0.0", "name": "net", "plugins": [{ "type": "ipvlan", "master": "{{master}}", '"${1:-}"'
		"ipam": { "type": "addrpool", "ranges": [[{ "subnet": "10.138.36.0/23", "rangeStart": "'"${2:-10.138.36.2}"'" }]] } }] }'
}

# placed FILE EXPRESSION: of the written configuration
placed() {
	jq -r "$1" "$DIR/net.d/10-net.conflist"
}

is_ready() {
	"$BUILD/ipvlan-node" is-ready "$DIR/is-ready"
}

installed() {
	local name
	for name in ipvlan addrpool addrpool-claim; do
		cmp "$DIR/bin/$name" "${1:-$DIR/from}/$name" && [ "$(stat -c %a "$DIR/bin/$name")" = 755 ] || return 1
	done
}

setup() {
	remove_network
	make_network
	node_dirs
}

teardown() {
	stop_node
}
