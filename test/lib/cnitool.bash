# shellcheck shell=bash disable=SC2154 # bats sets status, output and stderr
# SPDX-License-Identifier: Apache-2.0
# The real runtime library, through its command-line tool.

CNITOOL=${CNITOOL:-$("$TOP/test/oracle/get-cnitool")}
export NETCONFPATH=$TOP/conf-examples

# cnitool VERB NETWORK [POD]: as a user types it
cnitool() {
	run --separate-stderr "$CNITOOL" "$1" "$2" "/run/netns/${3:-a}"
}

in_order() {
	[ "$status" = 0 ] || { echo "exit status $status: $output $stderr"; return 1; }
}
