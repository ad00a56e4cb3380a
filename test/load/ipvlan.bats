#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many calls of ipvlan and addrpool at once on one master.

load ../lib/cni

WORKERS=64
OPERATIONS=${OPERATIONS:-3000}

pods() {
	local w
	for ((w = 0; w < WORKERS; w++)); do
		echo "netns add w$w"
	done | ip -batch -
}

# load_of OPERATIONS SEED: runs pool-load, then DEL for the pods that still have interfaces.
load_of() {
	local out=$BATS_TEST_TMPDIR/out container address held=0
	"$BUILD/tools/pool-load" -p "$BUILD" "$WORKERS" "$1" "$2" "$BUILD/ipvlan" "$BATS_TEST_TMPDIR/conf" >"$out" || { cat "$out"; return 1; }
	grep -v ^held "$out" | sed 's/^/# /' >&3
	while read -r _ container address; do
		ip -n "${container%-*}" -br addr show dev "eth${container#*-}" | grep -qw "$address/16" || return
		CNI_COMMAND=DEL CNI_CONTAINERID=$container CNI_NETNS=/run/netns/${container%-*} CNI_IFNAME=eth${container#*-} \
			"$BUILD/ipvlan" <"$BATS_TEST_TMPDIR/conf" || return
		held=$((held + 1))
	done < <(grep ^held "$out")
	[ "$held" -gt 0 ]
}

# The kernel's own memory that it cannot reclaim, in KiB.
kernel_memory() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 2 # for what is freed after a grace period
	awk '/^(SUnreclaim|KernelStack|PageTables|Percpu):/ { n += $2 } END { print n }' /proc/meminfo
}

# The state of the host and the pods, without the counters.
left() {
	local w
	ip -j link
	ip -j addr
	ip -j route show table all
	find /run/cni /var/lib/cni ! -name '*.counters.1' | sort
	for ((w = 0; w < WORKERS; w++)); do
		links "w$w" -n "w$w"
	done
	ps -eo comm= | grep -E 'ipvlan|addrpool' || :
}

@test "64 workers on one master, thousands of ADD and DEL: none fails or starves, no address is assigned twice, nothing is left" {
	local before memory usual longest
	conf '{ "ipam": { "type": "addrpool", "ranges": [ [ { "subnet": "10.9.0.0/16" } ] ], "routes": [ { "dst": "0.0.0.0/0" } ] } }' >"$BATS_TEST_TMPDIR/conf"
	pods
	load_of 500 1 # the kernel's own caches are filled
	before=$(left)
	memory=$(kernel_memory)
	load_of "$OPERATIONS" 2
	diff <(echo "$before") <(left)
	echo "# kernel memory: $memory KiB, then $(kernel_memory) KiB" >&3
	[ "$(kernel_memory)" -le $((memory * 11 / 10)) ]
	# compared with the usual duration, since kernels differ in speed
	while read -r usual longest; do
		[ "$longest" -le $((12 * usual)) ]
	done < <(sed -n 's/.*p50 \([0-9]*\) ms.*longest \([0-9]*\) ms/\1 \2/p' "$BATS_TEST_TMPDIR/out")
}
