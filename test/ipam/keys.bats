#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Unknown keys of ipam: addrpool ignores them, as host-local does, and reports them.

load ../lib/pool

# warns LINE...: ADD wrote these lines and no others.
warns() {
	local lines
	printf -v lines '%s\n' "$@"
	[ "$stderr" = "${lines%$'\n'}" ] || { echo "stderr: $stderr"; return 1; }
}

@test "ADD names an unknown key, and the known key that it resembles" {
	pool ADD "$(conf '"subnet": "10.9.0.0/24", "gatway": "10.9.0.254"')"
	succeeds
	warns 'unknown key "gatway" in ipam, ignored; addrpool'\''s is "gateway"'
}

@test "ADD also names an unknown key that resembles none" {
	pool ADD "$(conf '"subnet": "10.9.0.0/24", "colour": "green"')"
	succeeds
	warns 'unknown key "colour" in ipam, ignored'
}

@test "ADD names unknown keys in ranges, routes and cluster" {
	pool ADD "$(conf '"ranges": [[{"subnet": "10.9.0.0/24", "range_start": "10.9.0.7"}]], "routes": [{"dst": "0.0.0.0/0", "gateway": "10.9.0.1"}]')"
	succeeds
	warns 'unknown key "range_start" in ipam.ranges[0][0], ignored; addrpool'\''s is "rangeStart"' \
		'unknown key "gateway" in ipam.routes[0], ignored; addrpool'\''s is "gw"'
	pool ADD "$(conf '"cluster": {"etcd": {}, "kubernetes": {}, "blocksizes": 4}')" c2
	fails 7 'must have either etcd or kubernetes'
	warns 'unknown key "blocksizes" in ipam.cluster, ignored; addrpool'\''s is "blockSize"'
}

@test "CHECK, STATUS, GC and DEL do not name unknown keys" {
	local conf
	conf=$(conf '"subnet": "10.9.0.0/24", "gatway": "10.9.0.254"' '"cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "eth0"}]')
	pool ADD "$conf"
	succeeds
	for verb in CHECK STATUS GC DEL; do
		pool "$verb" "$conf"
		succeeds
		[ -z "$stderr" ] || { echo "$verb: $stderr"; return 1; }
	done
}

@test "known keys in any case, comments and keys with an owner's name are not reported" {
	pool ADD "$(conf '"SUBNET": "10.9.0.0/24", "Gateway": "10.9.0.254", "_comment": "x", "example.com/x": 1, "subnet": "10.9.0.0/24"')"
	succeeds
	[ -z "$stderr" ]
	[ "$(result '.ips[0].gateway')" = 10.9.0.254 ]
}

@test "ADD reports many unknown keys in a few lines" {
	local keys
	keys=$(printf ', "k%d": 0' {1..500})
	pool ADD "$(conf "\"subnet\": \"10.9.0.0/24\"$keys")"
	succeeds
	[ "$(wc -l <<<"$stderr")" = 17 ]
	[ "$(tail -n 1 <<<"$stderr")" = '484 more unknown keys, ignored' ]
}

# refused IPAM DETAILS: ADD fails without a range, with details that contain DETAILS.
refused() {
	pool ADD "$(printf '{"cniVersion": "1.1.0", "name": "net", "ipam": {"type": "addrpool", "dataDir": "%s", %s}}' "$DATA" "$1")"
	fails 7
	says 'no IP ranges specified'
	explains "$2"
	[ ! -e "$DATA" ]
}

@test "without a range the error names another plugin's key, and addrpool's key for it" {
	local ranges='"ranges": [[{"subnet": "..."}]]'
	refused '"range": "10.1.0.1/19", "exclude": ["10.1.0.1/30"], "gateway": "10.1.0.1"' \
		"unknown key \"range\" in ipam; addrpool's is $ranges"
	refused '"range": "192.168.2.0/24", "range_start": "192.168.2.20", "range_end": "192.168.2.40"' \
		"unknown key \"range_start\" in ipam; addrpool's is \"rangeStart\"; unknown key \"range_end\" in ipam; addrpool's is \"rangeEnd\""
	refused '"ipRanges": [{"range": "192.168.2.0/24"}, {"range": "fd00:2::/64"}]' \
		"unknown key \"ipRanges\" in ipam; addrpool's is $ranges"
	refused '"range": "10.200.0.64/26", "node_slice_size": "/28"' \
		'unknown key "node_slice_size" in ipam; addrpool'\''s is "blockSize" in "cluster", a number of addresses'
	refused '"addresses": [{"address": "10.9.0.2/24"}]' "addrpool's is $ranges"
	refused '"rages": [[{"subnet": "10.9.0.0/24"}]]' 'unknown key "rages" in ipam; addrpool'\''s is "ranges"'
	refused '"fsync": false' "ipam must have \"subnet\": \"...\" or $ranges"
}

@test "a range without subnet: the error names the key that was probably meant" {
	pool ADD "$(conf '"ranges": [[{"subnett": "10.9.0.0/24"}]]')"
	fails 7 'invalid CIDR address'
	explains 'unknown key "subnett" in ipam.ranges[0][0]; addrpool'\''s is "subnet"'
}

@test "each verb refuses a list of plugins" {
	local list verb
	for list in '"cniVersion": "1.1.0", "name": "net", "plugins": [{"type": "ipvlan"}]' \
		'"name": "net", "plugins": [{"type": "ipvlan"}]' '"plugins": []' \
		'"cniVersion": "1.1.0", "name": "net", "type": "ipvlan", "Plugins": [{"type": "ipvlan"}]'; do
		for verb in ADD DEL CHECK STATUS GC; do
			pool "$verb" "{$list}"
			fails 7
			says 'this is a list of plugins; a runtime passes one of them'
			explains 'ipvlanctl try FILE'
		done
	done
	pool VERSION '{"plugins": []}'
	succeeds
}
