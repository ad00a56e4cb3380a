# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of all plugins: paths, and functions that check the last call.

bats_require_minimum_version 1.5.0

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
GO_PLUGINS=${GO_PLUGINS:-$("$TOP/test/oracle/get-plugins")}
export BUILD GO_PLUGINS TOP

# succeeds: the last call has succeeded, and has written no error.
succeeds() {
	[ "$status" = 0 ] || { echo "exit status $status: $output"; echo "stderr: $stderr"; return 1; }
}

# fails CODE [MESSAGE]: the last call printed one error object with that code and, if given, a
# message that contains MESSAGE. It does not use jq, whose start takes as long in a guest as several
# calls.
fails() {
	local string='"(([^"\\]|\\.)*)"' form
	printf -v form '^\\{\n    "cniVersion": "[0-9.]+",\n    "code": ([0-9]+),\n    "msg": %s(,\n    "details": %s)?\n\\}$' \
		"$string" "$string"
	[ "$status" = 1 ] || { echo "exit status $status, not 1: $output"; return 1; }
	[[ $output =~ $form ]] || { echo "not an error object: $output"; return 1; }
	ERROR_MESSAGE=${BASH_REMATCH[2]//\\\"/\"}
	ERROR_MESSAGE=${ERROR_MESSAGE//\\\\/\\}
	ERROR_DETAILS=${BASH_REMATCH[5]//\\\"/\"}
	ERROR_DETAILS=${ERROR_DETAILS//\\\\/\\}
	if [ "${BASH_REMATCH[1]}" != "$1" ] || [ -z "$ERROR_MESSAGE" ] || [[ $ERROR_MESSAGE != *"${2:-}"* ]]; then
		echo "not an error with code $1 and \"${2:-}\": $output"
		return 1
	fi
}

# says MESSAGE: the last call has failed with exactly this message.
says() {
	[ "$ERROR_MESSAGE" = "$1" ] || { echo "said: $ERROR_MESSAGE"; echo "not:  $1"; return 1; }
}

# explains TEXT: the details of the last call's error contain TEXT.
explains() {
	[[ $ERROR_DETAILS = *"$1"* ]] || { echo "details do not contain \"$1\": $output"; return 1; }
}

# keeps_lock FILE: a process, HOLDER, locks the file until it is killed.
keeps_lock() {
	{ flock 8 && exec sleep 100000; } 8>>"$1" 3>&- &
	# shellcheck disable=SC2034 # for those who call it
	HOLDER=$!
	while flock -n "$1" true; do
		sleep 0.01
	done
}

# result FILTER: what jq's FILTER finds in the last output.
result() {
	jq -rc "$1" <<<"$output"
}

# in_words ERROR: the text of the errno in the programs' C library, which is musl in static ones.
in_words() {
	local musl=''
	! grep -aq 'Symbolic link loop' "$BUILD/ipvlan" || musl=musl-
	case $musl$1 in
	ELOOP) echo 'too many levels of symbolic links' ;;
	EMFILE) echo 'too many open files' ;;
	EOPNOTSUPP) echo 'operation not supported' ;;
	musl-ELOOP) echo 'symbolic link loop' ;;
	musl-EMFILE) echo 'no file descriptors available' ;;
	musl-EOPNOTSUPP) echo 'not supported' ;;
	esac
}
