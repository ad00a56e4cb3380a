# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Pods with addresses of both families in the mode MODE: in l2 of the LAN's subnet, so that they are
# neighbours of the LAN; else of another subnet, which the LAN's host routes to the host.

# shellcheck source=test/lib/cni.bash
. "$(dirname "${BASH_SOURCE[0]}")/cni.bash"

GATEWAY=10.138.36.66 GATEWAY6=fd00:36::66

# pod N: the addresses of pod N, and its default routes.
pod() {
	local routes='[ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ]'
	if [ "$MODE" = l2 ]; then
		static "$(own "$1")/23,$GATEWAY $(own6 "$1")/64,$GATEWAY6" "$routes"
	else
		static "$(own "$1")/24 $(own6 "$1")/64" "$routes"
	fi
}

own() {
	[ "$MODE" = l2 ] && echo "10.138.36.$1" || echo "192.168.9.$1"
}

own6() {
	[ "$MODE" = l2 ] && echo "fd00:36::$1" || echo "fd00:9::$1"
}
