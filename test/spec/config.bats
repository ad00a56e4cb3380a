#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The configuration on standard input.

load ../lib/cni

@test "input that is not JSON is refused" {
	local text
	for text in '' '{' '{"name":"net"' 'x' '{"name":"net"} trailing' '[]' '"text"' '12' $'\xff\xfe'; do
		cni ADD "$text"
		fails 6 'error unmarshall network config: '
	done
}

@test "a network requires a name" {
	cni ADD '{"cniVersion":"1.1.0"}'
	fails 7 'missing network name'
	cni ADD 'null'
	fails 7 'missing network name'
	cni ADD '{"name":""}'
	fails 7 'missing network name'
}

@test "a network's name cannot be a path" {
	local name
	for name in n/x ../x .x 'a b'; do
		cni ADD "{\"name\":\"$name\"}"
		fails 7 'invalid characters found in network name'
		[ "$(result .details)" = "$name" ]
	done
}

@test "a name that is not a string is a decoding error" {
	cni ADD '{"name":5}'
	fails 6 'error unmarshall network config: '
}

@test "an unknown version is refused, and the error lists the known ones" {
	cni ADD "$(conf '{"cniVersion":"9.9.0"}')"
	fails 1 'incompatible CNI versions'
	explains 'config is "9.9.0", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]'
}

@test "a version that is not a string is a decoding error" {
	cni ADD "$(conf '{"cniVersion":1}')"
	fails 6 'decoding version from network config'
}

@test "an invalid version is a decoding error if it must be compared" {
	cni CHECK "$(conf '{"cniVersion":"1.2.3.4"}')"
	fails 6 'invalid version "1.2.3.4": too many parts'
	cni STATUS "$(conf '{"cniVersion":"x.1"}')"
	fails 6 'failed to convert major version part "x"'
}

@test "a configuration with a version from before the verb is refused" {
	cni CHECK "$(conf '{"cniVersion":"0.3.1"}')"
	fails 1 'config version does not allow CHECK'
	cni STATUS "$(conf '{"cniVersion":"1.0.0"}')"
	fails 1 'config version does not allow STATUS'
	cni GC "$(conf '{"cniVersion":"1.0.0"}')"
	fails 1 'config version does not allow GC'
	cni CHECK "$(conf '{"cniVersion":"2.0.0"}')"
	fails 1 'plugin version does not allow CHECK'
}

@test "an error has the configuration's version" {
	cni ADD "$(conf '{"cniVersion":"0.4.0","mode":"zz"}')"
	[ "$(result .cniVersion)" = 0.4.0 ]
}

@test "the case of a key does not matter, and the last of equal keys counts" {
	add '{"CNIVERSION":"1.0.0","Name":"net","TYPE":"ipvlan","master":"nope","MASTER":"eth0","Mode":"l3",
		"IPAM":{"Type":"static","Addresses":[{"address":"192.168.9.2/24"}]}}'
	[ "$(in_pod a '.[0].linkinfo.info_data.mode' -d link show eth0)" = l3 ]
	[ "$(result .cniVersion)" = 1.0.0 ]
}

@test "null and unknown keys change nothing" {
	add "$(conf '{"futureKey":{"a":[1,2]},"capabilities":{"ips":true},"runtimeConfig":{},"args":{"x":1}}' | jq -c '.mtu = null | .mode = null')"
	[ "$(in_pod a '.[0].linkinfo.info_data.mode' -d link show eth0)" = l2 ]
}

@test "a NUL character is accepted in values that are not used, and refused elsewhere" {
	add "$(conf | jq -c '.runtimeConfig = {"io.kubernetes.cri.pod-annotations": {"x": "a\u0000b"}}')"
	cni ADD "$(conf | jq -c '.master = "eth0\u0000x"')" b
	fails 7 'master must be a string without NUL'
}

@test "a key of the wrong type is named with its value, and nothing is changed" {
	local before key
	before=$(inventory)
	while read -r key value; do
		cni ADD "$(conf | jq -c --argjson v "$value" ".$key = \$v")"
		fails 7 'failed to load netconf: '
		[[ "$(result .msg)" = *"$key must be "* ]]
		[[ "$(result .msg)" = *"$value"* ]]
	done <<-'END'
		mtu "1500"
		mtu 1500.5
		mtu 99999999999
		master 5
		mode true
		linkInContainer "yes"
		ipam "host-local"
		ipam.type 7
		dns []
		dns.domain 5
	END
	leaves_nothing "$before"
}

@test "an unknown mode is named" {
	cni ADD "$(conf '{"mode":"zz"}')"
	fails 7 'unknown ipvlan mode: "zz"'
	explains l3s
	cni ADD "$(conf '{"mode":"L2"}')"
	fails 7 'unknown ipvlan mode: "L2"'
}

@test "an MTU above the master's is refused, since large packets would be lost" {
	local before
	before=$(inventory)
	cni ADD "$(conf '{"mtu":9000}')"
	fails 7 'invalid MTU 9000, must be [68, master MTU(1500)]'
	cni ADD "$(conf '{"mtu":60}')"
	fails 7 'invalid MTU 60'
	leaves_nothing "$before"
}

@test "a delegate that is the plugin itself is refused" {
	cni ADD "$(conf '{"ipam":{"type":"ipvlan"}}')"
	fails 7 'the plugin itself'
	cni DEL "$(conf '{"ipam":{"type":"ipvlan"}}')"
	fails 7 'the plugin itself'
}

@test "input that never ends is an error after a while, not a hang" {
	run --separate-stderr env CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_IFNAME=eth0 timeout 60 \
		"$BUILD/ipvlan" < <(head -c 5000000 /dev/zero | tr '\0' ' ')
	fails 5 'more than 4194304 bytes'
}

@test "any bytes as input or environment give an error object and exit status 1" {
	local i
	for i in $(seq 40); do
		tail -c "+$((i * 997))" "$BUILD/ipvlan" | head -c $((i * 7)) >"$STUB_DIR/bytes"
		run --separate-stderr env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_IFNAME=eth0 \
			CNI_NETNS="x$(tr -d '\0' <$STUB_DIR/bytes)" CNI_ARGS="$(tr -d '\0' <$STUB_DIR/bytes)" \
			"$BUILD/ipvlan" <$STUB_DIR/bytes
		fails 6
		run --separate-stderr env CNI_COMMAND=ADD CNI_CONTAINERID="_$(tr -d '\0' <$STUB_DIR/bytes)" \
			CNI_IFNAME=eth0 CNI_NETNS=/x "$BUILD/ipvlan" <<<"$(conf)"
		fails 4
	done
}

# contradicts TEXT JSON: these keys exclude each other, and ADD names them.
contradicts() {
	cni ADD "$(conf "${@:2}")"
	fails 7 "$1"
}

@test "a key of ours with a value of another type is ignored, and ADD logs that" {
	local key value
	while read -r key value; do
		add "$(conf "{ \"$key\": $value }")"
		# the key "to" of a route is unknown too
		[[ $stderr$'\n' = *"ignored: $key must be "*", not $value"$'\n'* ]]
		[ "$(grep -cv '^unknown key "to"' <<<"$stderr")" = 1 ]
		cni CHECK "$(with_result "$(conf "{ \"$key\": $value }")")"
		succeeds
		[ -z "$stderr" ]
		cni STATUS "$(conf "{ \"$key\": $value }")"
		succeeds
		[ -z "$stderr" ]
		cni DEL "$(conf "{ \"$key\": $value }")"
		succeeds
		[ -z "$stderr" ]
	done <<-'END'
		flag 1
		force "yes"
		vlan "100"
		internal {}
		routes ["10.0.0.0/8"]
		routes [{"to":"10.0.0.0/8"}]
		hostRoutes "10.0.0.0/8"
		hostAccess 1
		reflector [5]
		proxyArp "on"
		ipMasq "true"
		announce "no"
		dad true
		conflictCheck false
		resolvConf "/etc/resolv.conf"
		logFile ["a"]
		logLevel 7
	END
}

@test "keys of flannel and bridge in a configuration do not make ADD fail" {
	local conf
	for conf in '{ "vlan": 0, "bridge": "cni0", "isGateway": true, "hairpinMode": true, "forceAddress": false, "mtu": 0 }' \
		'{ "mode": "l3", "mtu": 1450, "ipMasq": true, "isGateway": true, "capabilities": { "ips": true } }' \
		'{ "logLevel": "debug", "logFile": "/run/cni/x.log", "confDir": "/etc/cni", "kubeconfig": "x", "vlanTrunk": [ { "minID": 5 } ] }'; do
		add "$(conf "$conf")"
		cni CHECK "$(with_result "$(conf "$conf")")"
		succeeds
		cni DEL "$(conf "$conf")"
		succeeds
	done
}

@test "keys that contradict each other are refused by name, and DEL succeeds" {
	local before
	before=$(inventory)
	contradicts 'vlan and internal exclude each other' '{ "vlan": 5, "internal": true }'
	contradicts 'vlan and internal make a master on the host, linkInContainer requires one in the pod' \
		'{ "vlan": 5, "linkInContainer": true }'
	contradicts 'internal makes a master for the network, but there is "master": "eth0"' '{ "internal": true }'
	local key more
	while read -r key more; do
		contradicts "$key requires a master on the host" '{ "linkInContainer": true }' "$more"
		contradicts "$key and internal exclude each other" '{ "internal": true, "master": null }' "$more"
	done <<-KEYS
		hostAccess { "hostAccess": true }
		hostRoutes { "hostRoutes": [ { "dst": "10.9.0.0/16", "gw": "10.138.36.66" } ] }
		reflector { "mode": "l3", "flag": "vepa", "reflector": "10.138.36.66" }
		proxyArp { "mode": "l3s", "proxyArp": true }
	KEYS
	for key in antiSpoof counters; do
		contradicts "$key requires a master on the host" '{ "linkInContainer": true }' "{ \"$key\": true }"
	done
	contradicts 'reflector needs "flag": "vepa"' '{ "mode": "l3", "reflector": "10.138.36.66" }'
	contradicts 'proxyArp needs "mode": "l3s"' '{ "proxyArp": true }'
	contradicts 'conflictCheck needs "mode": "l2"' '{ "mode": "l3", "conflictCheck": "probe" }'
	contradicts 'the IPAM plugin dhcp needs "mode": "l2"' '{ "mode": "l3s", "ipam": { "type": "dhcp" } }'
	cni DEL "$(conf '{ "vlan": 5, "internal": true }')"
	succeeds
	leaves_nothing "$before"
}

@test "a GC list without ids is refused, and nothing is released" {
	add "$(conf)"
	cni GC "$(conf '{ "cni.dev/valid-attachments": [ { "containerID": "a" } ] }')"
	fails 7 'cni.dev/valid-attachments[0] must have a containerID and an ifname'
	pings a 10.138.36.66
	cni CHECK "$(with_result "$(conf)")"
	succeeds
}

@test "ipMasq without nft fails with its name, and leaves nothing" {
	local before
	before=$(inventory)
	mount --bind /dev/null "$(command -v nft)"
	cni STATUS "$(conf '{ "mode": "l3s", "ipMasq": true }')"
	fails 50 'ipMasq requires nft, which is not installed'
	cni ADD "$(conf '{ "mode": "l3s", "ipMasq": true }')"
	umount "$(command -v nft)"
	fails 7 'ipMasq requires nft, which is not installed'
	explains 'install nftables'
	leaves_nothing "$before"
}

@test "CHECK without nft names the table that it cannot read" {
	local conf
	conf=$(conf '{ "counters": true }')
	add "$conf"
	conf=$(with_result "$conf")
	mount --bind /dev/null "$(command -v nft)"
	cni CHECK "$conf"
	umount "$(command -v nft)"
	fails 7 "the table netdev ipvlan_cni_$(cat /sys/class/net/eth0/ifindex) requires nft, which is not installed"
}

@test "standard input of more than 16 MiB is refused" {
	cni ADD "$(conf | sed 's/}$//'), \"x\": \"$(head -c 17000000 /dev/zero | tr '\0' x)\"}"
	fails 5 'error reading from stdin: more than '
}
