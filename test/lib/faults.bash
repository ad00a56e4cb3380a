# shellcheck shell=bash
# Words for test/faults: what it does and proves is told in test/faults/matrix.c.

# shellcheck source=test/lib/cni.bash
. "$(dirname "${BASH_SOURCE[0]}")/cni.bash"

# pooled [JSON]...: a configuration with addresses of both families from addrpool.
pooled() {
	conf '{ "ipam": { "type": "addrpool", "ranges": [ [ { "subnet": "192.168.9.0/24" } ], [ { "subnet": "fd00:9::/64" } ] ],
		"routes": [ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ] } }' "$@"
}

# told PATTERN...: some error of the cases so far said so.
told() {
	local pattern line
	for pattern; do
		while IFS= read -r line; do
			# shellcheck disable=SC2053 # a pattern it is
			[[ $line != "says: "$pattern ]] || continue 2
		done <<<"$said"
		echo "nobody said: $pattern"
		return 1
	done
}

# addrpool_apart: from now on ipvlan and addrpool are two processes.
addrpool_apart() {
	apart
	cp "$BUILD/ipvlan" "$APART"
}

# faults MODE LEAST VERBS CONF [OPTION]...: all cases pass, and there are at least so many. What they
# said is added to $said.
faults() {
	local mode=$1 least=$2 verbs=$3 conf=$4 verb cases=0
	shift 4
	for verb in $verbs; do
		run "$BUILD/tools/faults" "$@" "$mode" "$verb" "${APART:-$BUILD}" "$conf"
		tail -n 40 <<<"$output"
		[ "$status" = 0 ]
		said+=$(grep "^says: " <<<"$output" || :)$'\n'
		echo "# $mode ${lines[-1]}" >&3
		[[ ${lines[-1]} =~ ([0-9]+)\ cases ]]
		cases=$((cases + BASH_REMATCH[1]))
	done
	[ "$cases" -ge "$least" ]
}
