#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The cost of a call, in figures that do not depend on the machine: explain each increase. And
# valgrind finds no memory error.

load ../lib/faults

# at_most LIMIT WHAT NUMBER: fails above the limit, prints the number, and also fails if it is far below the limit.
at_most() {
	echo "# $2: $3, of $1 that it may take" >&3
	[ "$3" -le "$1" ] && [ "$3" -ge $(($1 * 7 / 10)) ]
}

# calls_of VERB CONF [POD]: system calls of ipvlan, and of the IPAM plugin if it is a process, from
# main() on, in which each requests its stack.
calls_of() {
	local trace=$BATS_TEST_TMPDIR/trace
	run_by strace -f -qq -e signal=none -o "$trace"
	cni "$1" "$2" "${3:-a}"
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	awk '/ madvise\(/ { main[$1] = 1 } main[$1] && !/ resumed>/ { n++ } END { print n }' "$trace"
}

@test "ADD and DEL make few system calls" {
	local conf
	conf=$(pooled '{ "ipam": { "ranges": [ [ { "subnet": "10.9.0.0/16" } ] ], "routes": [ { "dst": "0.0.0.0/0" } ] } }')
	add "$conf" b # so that the measured pod is neither the master's first nor the pool's
	at_most 120 "system calls of ADD" "$(calls_of ADD "$conf")"
	at_most 99 "system calls of DEL" "$(calls_of DEL "$conf")"
}

# A runtime calls STATUS every five seconds.
@test "STATUS makes few system calls, as many with 500 pods on the master as with one" {
	local conf one many pod
	conf=$(pooled '{ "hostAccess": true, "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ],
		"ipam": { "ranges": [ [ { "subnet": "10.9.0.0/16" } ] ], "routes": [ { "dst": "0.0.0.0/0" } ] } }')
	add "$conf" a
	one=$(calls_of STATUS "$conf")
	at_most 92 "system calls of STATUS" "$one"
	for pod in {2..500}; do
		CONTAINER=p$pod cni ADD "$conf" a "net$pod"
		[ "$status" = 0 ]
	done
	many=$(calls_of STATUS "$conf")
	echo "# system calls of STATUS with 500 pods: $many" >&3
	[ "$many" -le $((one + 10)) ]
}

# It looks whether other pods of the master have lost something, at a few of them.
@test "ADD with hostAccess makes few system calls, as many with 300 pods on the master, with and without hostAccess, as with 20" {
	local conf plain few many pod
	conf=$(pooled '{ "hostAccess": true, "ipam": { "ranges": [ [ { "subnet": "10.9.0.0/16" } ] ], "routes": [ { "dst": "0.0.0.0/0" } ] } }')
	plain=$(jq -c 'del(.hostAccess)' <<<"$conf")
	for pod in {1..300}; do
		CONTAINER=p$pod add "$([ $((pod % 3)) = 0 ] && echo "$plain" || echo "$conf")" a "net$pod"
		if [ "$pod" = 20 ]; then
			few=$(calls_of ADD "$conf" b)
			cni DEL "$conf" b
		fi
	done
	many=$(calls_of ADD "$conf" b)
	at_most 320 "system calls of ADD with hostAccess" "$few"
	echo "# system calls of ADD with hostAccess, with 300 pods: $many" >&3
	[ "$many" -le $((few + 30)) ]
}

# instructions VERB CONF: from main() on.
instructions() {
	local out=$BATS_TEST_TMPDIR/callgrind
	run_by valgrind -q --tool=callgrind --toggle-collect=plugin_main --callgrind-out-file="$out"
	cni "$1" "$2"
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	awk '/^summary:/ { print int($2 / 1000) }' "$out"
}

@test "ADD and DEL execute few instructions" {
	local conf
	conf=$(pooled)
	add "$conf" b # this ADD makes the store, and the objects of the master's first pod
	at_most 530 "thousand instructions of ADD" "$(instructions ADD "$conf")"
	at_most 235 "thousand instructions of DEL" "$(instructions DEL "$conf")"
}

# routed N: with so many routes. The configuration is too long for an argument.
routed() {
	pooled | jq -c --argjson n "$1" '.ipam.routes += [ range($n) | { dst: "10.\(100 + (. / 256 | floor)).\(. % 256).0/24" } ]'
}

# lists_asked CONF: how many lists CHECK requests from the kernel.
lists_asked() {
	run_by strace -qq -e trace=sendto -o "$BATS_TEST_TMPDIR/trace"
	cni CHECK "$1"
	succeeds >&2
	grep -c 'nlmsg_flags=NLM_F_REQUEST|\(0x300\|NLM_F_DUMP\)' "$BATS_TEST_TMPDIR/trace"
}

@test "with thousands of routes CHECK requests no more lists, and executes at most three times as much as ADD" {
	local many few once check add
	few=$(routed 2)
	many=$(routed 3000)
	add "$few"
	once=$(lists_asked "$(with_result "$few")")
	cni DEL "$few"
	add "$many"
	[ "$(lists_asked "$(with_result "$many")")" = "$once" ]
	check=$(instructions CHECK "$(with_result "$many")")
	cni DEL "$many"
	add=$(instructions ADD "$many")
	echo "# thousand instructions with 3000 routes: ADD $add, CHECK $check" >&3
	[ "$check" -le $((3 * add)) ]
}

# checked PROGRAM VERB CONF: under valgrind. libmnl 1.0.4 does not clear the bytes between
# attributes, and valgrind does not know all ioctls.
checked() {
	cat >"$BATS_TEST_TMPDIR/known" <<-END
		{
		   padding
		   Memcheck:Param
		   socketcall.sendto(msg)
		   fun:sendto
		}
	END
	PROGRAM=$1 run_by valgrind -q --error-exitcode=99 --leak-check=full --suppressions="$BATS_TEST_TMPDIR/known"
	cni "$2" "$3"
	[ "$status" != 99 ] && [[ $stderr != *"definitely lost"* ]] || { echo "$stderr"; return 1; }
}

@test "valgrind finds no error in ipvlan" {
	local conf
	for conf in '{ "ipam": null }' '{}' '{ "mode": "l3", "hostAccess": true, "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }' \
		'{ "vlan": 100 }' '{ "master": "none" }' '{ "mode": "l4" }'; do
		conf=$(pooled "$conf")
		checked ipvlan ADD "$conf"
		[ "$status" != 0 ] || checked ipvlan CHECK "$(jq -c --argjson r "$output" '.prevResult = $r' <<<"$conf")"
		checked ipvlan DEL "$conf"
		checked ipvlan STATUS "$conf"
		checked ipvlan GC "$conf"
	done
}

@test "valgrind finds no error in addrpool" {
	local conf
	for conf in '{}' '{ "ipam": { "sticky": "container", "reuseDelay": 5 } }' '{ "ipam": { "ranges": [ [ { "subnet": "10.9.0.0/31" } ] ] } }' \
		'{ "ipam": { "ranges": [ [ { "subnet": "10.9.0.1/16" } ] ] } }'; do
		conf=$(pooled "$conf")
		checked addrpool ADD "$conf"
		checked addrpool ADD "$conf"
		checked addrpool STATUS "$conf"
		checked addrpool DEL "$conf"
		checked addrpool GC "$(jq -c '. + { "cni.dev/valid-attachments": [] }' <<<"$conf")"
	done
}
