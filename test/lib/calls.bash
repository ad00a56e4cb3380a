# shellcheck shell=bash
# What the tests of all plugins share: where things are, and words about the last call.

bats_require_minimum_version 1.5.0

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
GO_PLUGINS=${GO_PLUGINS:-$("$TOP/test/oracle/get-plugins")}
export BUILD GO_PLUGINS TOP

# succeeds: the last call did, and wrote no error.
succeeds() {
	[ "$status" = 0 ] || { echo "exit status $status: $output"; echo "stderr: $stderr"; return 1; }
}

# fails CODE [MESSAGE]: the last call printed one error object with that code and, if
# given, a message that contains MESSAGE.
fails() {
	local code=$1 message=${2:-}
	[ "$status" = 1 ] || { echo "exit status $status, not 1: $output"; return 1; }
	jq -se --argjson code "$code" --arg message "$message" '
		length == 1 and (.[0] | .code == $code and (.msg | contains($message))
			and (.cniVersion | type == "string") and (.msg | length > 0))' <<<"$output" >/dev/null || {
		echo "not an error with code $code and \"$message\": $output"
		return 1
	}
}

# explains TEXT: the error's details contain TEXT.
explains() {
	jq -e --arg text "$1" '.details | contains($text)' <<<"$output" >/dev/null || {
		echo "details do not contain \"$1\": $output"
		return 1
	}
}

# result FILTER: what jq's FILTER finds in the last output.
result() {
	jq -rc "$1" <<<"$output"
}
