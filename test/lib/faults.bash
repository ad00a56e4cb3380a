# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions for test/faults; test/faults/matrix.c says what it does and proves.

# shellcheck source=test/lib/cni.bash
. "$(dirname "${BASH_SOURCE[0]}")/cni.bash"

# pooled [JSON]...: a configuration with addresses of both families from addrpool.
pooled() {
	conf '{ "ipam": { "type": "addrpool", "ranges": [ [ { "subnet": "192.168.9.0/24" } ], [ { "subnet": "fd00:9::/64" } ] ],
		"routes": [ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ] } }' "$@"
}

# told PATTERN...: an error of the cases so far matches each pattern.
told() {
	local pattern line
	for pattern; do
		while IFS= read -r line; do
			# shellcheck disable=SC2053 # a pattern it is
			[[ $line != "says: "$pattern ]] || continue 2
		done <<<"$said"
		echo "no error matches: $pattern"
		return 1
	done
}

# addrpool_apart: from now on ipvlan and addrpool are two processes.
addrpool_apart() {
	apart
	cp "$BUILD/ipvlan" "$APART"
}

# faults MODE LEAST VERBS CONF [OPTION]...: all cases pass, and there are at least so many. Appends
# their messages to $said.
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

# on_lan [JSON]...: as pooled, with the LAN's subnets.
on_lan() {
	conf '{ "ipam": { "type": "addrpool", "ranges": [ [ { "subnet": "10.138.36.0/23", "rangeStart": "10.138.36.2", "rangeEnd": "10.138.36.40" } ],
		[ { "subnet": "fd00:36::/64", "rangeStart": "fd00:36::2", "rangeEnd": "fd00:36::40" } ] ], "routes": [ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ] } }' "$@"
}

# stranger [MODE [FLAG]]: another program's interface on the master, in its own namespace.
stranger() {
	ip -batch - <<-EOF
		netns add stranger
		link add link eth0 name own0 netns stranger type ipvlan mode ${1:-l2} ${2:-bridge}
	EOF
	ip -n stranger -batch - <<-EOF
		addr add 10.138.36.50/23 dev own0
		addr add fd00:36::50/64 dev own0 nodad
		link set lo up
		link set own0 up
	EOF
	# the kernel adds its local route a moment later
	timeout 5 sh -c 'until ip -n stranger -6 route show table local | grep -q fd00:36::50; do sleep 0.02; done'
}

# weave LEAST XS YS CONF [OPTION]...: for each call X and each Y all cases pass, and there are at least so many.
weave() {
	local least=$1 x y conf=$4 cases=0 failed=''
	local xs=$2 ys=$3
	shift 4
	for x in $xs; do
		for y in $ys; do
			run "$BUILD/tools/faults" weave "$@" "$x" "$y" "$BUILD" "$conf"
			[ "$status" = 0 ] || { tail -n 60 <<<"$output"; failed+=" $x/$y"; }
			echo "# weave ${lines[-1]}" >&3
			[[ ! ${lines[-1]} =~ ([0-9]+)\ cases ]] || cases=$((cases + BASH_REMATCH[1]))
		done
	done
	[ -z "$failed" ] || { echo "failed:$failed"; return 1; }
	[ "$cases" -ge "$least" ]
}
