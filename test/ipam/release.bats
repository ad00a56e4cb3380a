#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# DEL and GC release addresses, whatever else is gone.

load ../lib/pool

@test "DEL removes the lease, and leaves the lock and the last address" {
	gets 10.9.0.2/24 "$(conf)"
	drops "$(conf)"
	[ "$(ls "$STORE" | paste -sd' ')" = 'last_reserved_ip.0 lock' ]
	[ -z "$(ls -A "$OWN/owner")" ]
}

@test "DEL succeeds twice, for an unknown container, and without any ADD before" {
	drops "$(conf)"
	[ ! -e "$DATA" ]
	gets 10.9.0.2/24 "$(conf)"
	drops "$(conf)" unknown
	drops "$(conf)" c1 eth7
	leased 10.9.0.2
	drops "$(conf)"
	drops "$(conf)"
	leased ''
}

@test "DEL works without CNI_NETNS" {
	gets 10.9.0.2/24 "$(conf)"
	NETNS='' drops "$(conf)"
	leased ''
}

@test "DEL releases the addresses of all range sets" {
	local sets='"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00::/64"}]]'
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$sets")"
	drops "$(conf "$sets")"
	leased ''
}

@test "DEL releases addresses outside the present ranges" {
	gets 10.9.0.2/24 "$(conf)"
	drops "$(conf '"subnet": "192.168.0.0/24"')"
	leased ''
}

@test "DEL works with a wrong range" {
	local wrong
	for wrong in '"subnet": "zz"' '"subnet": "10.9.0.7/24"' '"ranges": []' '"ranges": 5' '"exclude": 5' '"routes": "x"' \
		'"resolvConf": "/nonexistent"' '"gateway": "x"'; do
		gets 10.9.0.2/24 "$(conf)"
		drops "$(conf "$wrong")"
		leased ''
		rm -rf "$DATA"
	done
}

@test "DEL fails without \"ipam\", or if dataDir is not a string" {
	pool DEL '{"cniVersion": "1.1.0", "name": "net"}'
	fails 7 "IPAM config missing 'ipam' key"
	pool DEL "$(conf '"dataDir": 5')"
	fails 7 'ipam.dataDir must be a string'
}

@test "DEL releases a lease without interface, as of host-local before 0.8" {
	lease 10.9.0.5 c1
	lease 10.9.0.6 c11
	drops "$(conf)"
	leased 10.9.0.6
}

@test "DEL releases no lease without interface if there is one with its interface" {
	lease 10.9.0.5 c1
	lease 10.9.0.6 'c1\r\neth0'
	drops "$(conf)"
	leased 10.9.0.5
	drops "$(conf)"
	leased ''
}

@test "DEL works without the lock file" {
	gets 10.9.0.2/24 "$(conf)"
	rm "$STORE/lock"
	drops "$(conf)"
	leased ''
}

@test "DEL works without .addrpool" {
	gets 10.9.0.2/24 "$(conf)"
	rm -rf "$DATA/.addrpool"
	drops "$(conf)"
	leased ''
}

@test "DEL releases a lease that was rewritten without its interface, as host-local does" {
	local sets='"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00::/64"}]]'
	gets '10.9.0.2/24 fd00::2/64' "$(conf "$sets")"
	gets '10.9.0.3/24 fd00::3/64' "$(conf "$sets")" c2
	printf c1 >"$STORE/10.9.0.2"
	pool CHECK "$(conf "$sets")"
	succeeds
	pool ADD "$(conf "$sets")"
	fails 100 'has been allocated to c1, duplicate allocation'
	drops "$(conf "$sets")"
	leased '10.9.0.3 fd00::3'
	[ "$(ls "$OWN/owner")" = c2:eth0 ]
	printf c2 >"$STORE/10.9.0.3"
	pool GC "$(conf "$sets" '"cni.dev/valid-attachments": []')"
	succeeds
	leased ''
}

@test "DEL leaves the lease of another container that a record names" {
	gets 10.9.0.2/24 "$(conf)"
	printf 'other\r\neth0' >"$STORE/10.9.0.2"
	drops "$(conf)"
	leased 10.9.0.2
}

@test "DEL releases all leases of a container that has more than 64" {
	local i
	gets 10.9.0.2/24 "$(conf)" c2
	for i in {10..109}; do
		printf 'c1\r\neth0' >"$STORE/10.9.0.$i"
	done
	drops "$(conf)"
	leased 10.9.0.2
}

@test "ADD and DEL work for a container whose name is too long for a file name" {
	local name
	name=$(printf 'x%.0s' {1..300})
	gets 10.9.0.2/24 "$(conf)" "$name"
	pool ADD "$(conf)" "$name"
	fails 100 '10.9.0.2 has been allocated to xxx'
	gets 10.9.0.3/24 "$(conf)" "${name}y"
	drops "$(conf)" "$name"
	leased 10.9.0.3
}

# valid ID:IFNAME...: the runtime's list of attachments.
valid() {
	local entry list=''
	for entry; do
		list+=${list:+, }"{\"containerID\": \"${entry%:*}\", \"ifname\": \"${entry#*:}\"}"
	done
	printf '"cni.dev/valid-attachments": [%s]' "$list"
}

three() {
	gets 10.9.0.2/24 "$(conf)" a eth0
	gets 10.9.0.3/24 "$(conf)" a eth1
	gets 10.9.0.4/24 "$(conf)" b eth0
}

@test "GC releases and reports attachments that are not in the list" {
	three
	pool GC "$(conf '' "$(valid a:eth0)")"
	succeeds
	[ -z "$output" ]
	leased 10.9.0.2
	[[ $stderr = *'network net: 10.9.0.3 is free again, leased by a eth1: the runtime does not know the attachment'* ]]
	[[ $stderr = *'10.9.0.4 is free again, leased by b eth0'* ]]
	drops "$(conf)" a
	leased ''
}

@test "GC with a complete list changes nothing" {
	local before
	three
	before=$(snapshot)
	pool GC "$(conf '' "$(valid x:y b:eth0 a:eth1 a:eth0)")"
	succeeds
	[ -z "$stderr" ]
	changes_nothing "$before"
}

@test "GC with an empty list releases all" {
	three
	pool GC "$(conf '' "$(valid)")"
	succeeds
	leased ''
	[ -z "$(ls -A "$OWN/owner")" ]
}

@test "GC with null, as CRI-O sends it for a network without pods, releases all" {
	three
	pool GC "$(conf '' '"cni.dev/valid-attachments": null')"
	succeeds
	leased ''
}

@test "GC without a list, as cnitool calls it, releases nothing" {
	local before
	three
	before=$(snapshot)
	pool GC "$(conf)"
	succeeds
	[[ $stderr = *'GC without cni.dev/valid-attachments releases nothing'* ]]
	changes_nothing "$before"
}

@test "GC also reads the key of libcni's early versions" {
	three
	pool GC "$(conf '' '"cni.dev/attachments": [{"containerID": "b", "ifname": "eth0"}]')"
	succeeds
	leased 10.9.0.4
	pool GC "$(conf '' '"cni.dev/attachments": null')"
	succeeds
	leased ''
}

@test "GC reads its key in upper and lower case, and null as its value" {
	three
	pool GC "$(conf '' '"CNI.dev/Valid-Attachments": [{"containerID": "b", "ifname": "eth0"}]')"
	succeeds
	leased 10.9.0.4
	pool GC "$(conf '' '"CNI.dev/Valid-Attachments": null')"
	succeeds
	leased ''
}

@test "if both keys are present, GC uses the specification's" {
	three
	pool GC "$(conf '' "$(valid b:eth0), \"cni.dev/attachments\": []")"
	succeeds
	leased 10.9.0.4
}

@test "GC keeps a lease without interface for any interface of its container" {
	lease 10.9.0.5 a
	lease 10.9.0.6 b
	pool GC "$(conf '' "$(valid a:eth3)")"
	succeeds
	leased 10.9.0.5
}

@test "GC removes empty files" {
	lease 10.9.0.5 ''
	gets 10.9.0.2/24 "$(conf)" a
	pool GC "$(conf '' "$(valid a:eth0)")"
	succeeds
	leased 10.9.0.2
}

@test "GC leaves files that are not leases" {
	three
	touch "$STORE/10.9.0.04" "$STORE/notes" "$STORE/FD00::1" "$STORE/10.9.0.9.bak"
	mkdir "$STORE/10.9.0.77"
	pool GC "$(conf '' "$(valid)")"
	succeeds
	[ "$(ls "$STORE" | LC_ALL=C sort | paste -sd' ')" = '10.9.0.04 10.9.0.77 10.9.0.9.bak FD00::1 last_reserved_ip.0 lock notes' ]
}

@test "GC of one network leaves the leases of others" {
	three
	gets 10.8.0.2/24 "$(conf '"subnet": "10.8.0.0/24"' '"name": "other"')"
	pool GC "$(conf '' "$(valid)")"
	succeeds
	[ -e "$DATA/other/10.8.0.2" ]
}

@test "GC without any ADD before makes no file" {
	pool GC "$(conf '' "$(valid)")"
	succeeds
	[ ! -e "$DATA" ]
}

@test "GC works with a wrong range" {
	three
	pool GC "$(conf '"subnet": "zz"' "$(valid a:eth1)")"
	succeeds
	leased 10.9.0.3
}

@test "GC with an invalid list fails and releases nothing" {
	local list
	three
	for list in 5 '{}' '"a"' '[5]' '[{}]' '[{"containerID": "a"}]' '[{"ifname": "eth0"}]' '[{"containerID": "a", "ifname": ""}]' \
		'[{"containerID": "a", "ifname": "eth0"}, null]'; do
		pool GC "$(conf '' "\"cni.dev/valid-attachments\": $list")"
		fails 7 'cni.dev/valid-attachments'
	done
	leased '10.9.0.2 10.9.0.3 10.9.0.4'
}

@test "before 1.1.0 there is no GC" {
	local conf
	three
	conf=$(conf '' "$(valid)")
	pool GC "${conf/1.1.0/1.0.0}"
	fails 1 'config version does not allow GC'
	leased '10.9.0.2 10.9.0.3 10.9.0.4'
}
