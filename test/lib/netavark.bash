# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Calls of ipvlan-netavark as Podman and netavark make them; include cni.bash too.
#
#	network [JSON]...          a network on eth0 as Podman keeps it; each JSON is merged into it, null takes a key away
#	call NETWORK [JSON]...     what setup and teardown get of a container in it, with the address 10.138.36.2
#	driver COMMAND [POD] <<<JSON    sets status, output and stderr
#	created [JSON]...          the network that create answers with, which must succeed
#	setup_pod, teardown_pod NETWORK [POD] [JSON]...    that must succeed
#	refuses TEXT...            the last call failed with one error that contains each of them

merged() {
	jq -nc 'reduce inputs as $m ({}; . * $m) | with_entries(select(.value != null))' <<<"$*"
}

network() {
	merged '{"name": "net", "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
		"driver": "ipvlan-netavark", "network_interface": "eth0", "ipv6_enabled": false, "internal": false,
		"dns_enabled": false, "ipam_options": {"driver": "host-local"},
		"subnets": [{"subnet": "10.138.36.0/23", "gateway": "10.138.36.66", "lease_range": null}]}' "$@"
}

call() {
	merged '{"container_id": "c1", "container_name": "web", "port_mappings": null, "network_options":
		{"interface_name": "eth0", "static_ips": ["10.138.36.2"], "static_mac": null, "aliases": null, "options": null}}' \
		"{\"network\": $1}" "${@:2}"
}

driver() {
	local input
	input=$(cat)
	status=0
	output=$("$BUILD/ipvlan-netavark" "$1" ${2:+"/run/netns/$2"} 2>"$BATS_TEST_TMPDIR/stderr" <<<"$input") || status=$?
	IFS='' read -rd '' stderr <"$BATS_TEST_TMPDIR/stderr" || :
	stderr=${stderr%$'\n'}
}

created() {
	driver create < <(network "$@")
	succeeds
}

setup_pod() {
	driver setup "${2:-a}" < <(call "$1" "${@:3}")
	succeeds
}

teardown_pod() {
	driver teardown "${2:-a}" < <(call "$1" "${@:3}")
	succeeds
	[ -z "$output" ] || { echo "teardown printed: $output"; return 1; }
}

refuses() {
	local text error
	[ "$status" = 1 ] || { echo "exit status $status: $output"; return 1; }
	error=$(jq -er 'select(keys == ["error"]).error' <<<"$output") || { echo "not an error: $output"; return 1; }
	for text in "$@"; do
		[[ $error = *"$text"* ]] || { echo "the error does not contain \"$text\": $error"; return 1; }
	done
}
