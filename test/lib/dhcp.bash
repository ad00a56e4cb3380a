# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A DHCP server in the LAN of cni.bash, and the daemon of the IPAM plugin dhcp. A test has one of
# each.
#
#	dhcp_start [OPTION]...    of dnsmasq; its leases are in $STUB_DIR/leases
#	dhcp_stop                 what was started, if anything

DHCP_DAEMON=''

dhcp_start() {
	ip netns exec lan dnsmasq --conf-file=/dev/null --port=0 --interface=eth0 --bind-interfaces --no-ping \
		--dhcp-range=10.138.36.100,10.138.36.120,255.255.254.0 --dhcp-option=3,10.138.36.66 \
		--dhcp-leasefile="$STUB_DIR/leases" --pid-file="$STUB_DIR/dnsmasq.pid" "$@" 3>&-
	mkdir -p /run/cni
	"$GO_PLUGINS/dhcp" daemon >"$STUB_DIR/daemon" 2>&1 3>&- &
	DHCP_DAEMON=$!
	for _ in {1..100}; do
		[ ! -S /run/cni/dhcp.sock ] || return 0
		sleep 0.1
	done
	return 1
}

dhcp_stop() {
	[ -z "$DHCP_DAEMON" ] || kill "$DHCP_DAEMON" "$(<"$STUB_DIR/dnsmasq.pid")"
	DHCP_DAEMON=''
}
