# shellcheck shell=bash
# Words for the tests of ipvlanctl: the network of cni.bash, and configurations where
# runtimes have them.

# shellcheck source=test/lib/cni.bash
. "$(dirname "${BASH_SOURCE[0]}")/cni.bash"

setup() {
	export STUB_DIR=$BATS_TEST_TMPDIR NETCONFPATH=$BATS_TEST_TMPDIR/net.d
	mkdir -p "$NETCONFPATH"
	remove_network
	make_network
}

# configured NAME CONF: what runtimes find there. The pool is addrpool's.
configured() {
	jq -c 'if .ipam.type == "host-local" then .ipam.type = "addrpool" else . end' <<<"$2" >"$NETCONFPATH/$1.conf"
}

# pod NAME CONF: an attachment of the configuration.
pod() {
	add "$(cat "$NETCONFPATH/$2.conf")" "$1"
}

# ctl COMMAND...: sets status, output and stderr as bats' run does.
ctl() {
	run --separate-stderr "$BUILD/ipvlanctl" "$@"
}

# tells TEXT...: the output contains each of them.
tells() {
	local text
	for text in "$@"; do
		[[ $output = *"$text"* ]] || { echo "\"$text\" is not in: $output"; return 1; }
	done
}
