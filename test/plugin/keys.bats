#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Keys that ipvlan does not know: it ignores them, as the Go plugin does, with a warning.

load ../lib/cni

@test "ADD warns of an unknown key and suggests a known one; the other verbs do not" {
	local conf verb
	conf=$(conf '{ "hostAcess": true, "parent": "eth0", "colour": 1, "dns": { "nameserver": ["10.138.36.66"] } }')
	add "$conf"
	[ "$stderr" = 'unknown key "hostAcess", ignored; ipvlan'\''s is "hostAccess"
unknown key "parent", ignored; ipvlan'\''s is "master"
unknown key "colour", ignored
unknown key "nameserver" in dns, ignored; ipvlan'\''s is "nameservers"' ] || { echo "$stderr"; return 1; }
	for verb in CHECK STATUS DEL; do
		cni "$verb" "$(with_result "$conf")"
		succeeds
		[ -z "$stderr" ] || { echo "$verb: $stderr"; return 1; }
	done
}

@test "addrpool warns of its unknown keys, built in or not" {
	local told='unknown key "gatway" in ipam, ignored; addrpool'\''s is "gateway"' conf
	conf=$(conf '{ "ipam": { "type": "addrpool", "gatway": "10.138.36.66" } }')
	add "$conf"
	[ "$stderr" = "$told" ]
	apart
	add "$conf" b
	[ "$stderr" = "$told" ]
}

@test "keys of another IPAM plugin are not checked" {
	add "$(conf "$(static 10.138.36.9/23)" '{ "ipam": { "gatway": "10.138.36.66" } }')"
	[ -z "$stderr" ]
}

@test "keys of runtimes, libcni, Multus and flannel are known" {
	add "$(conf '{ "capabilities": { "bandwidth": true }, "runtimeConfig": { "bandwidth": { "ingressRate": 1000000 } }, "args": { "cni": {} },
		"disableCheck": false, "disableGC": true, "loadOnlyInlinedPlugins": true, "cniVersions": ["1.0.0"],
		"cni.dev/valid-attachments": null, "deviceID": "0000:00:01.0", "pciBusID": "0000:00:01.0", "ipMasq": false, "mtu": 1450 }')"
	[ -z "$stderr" ] || { echo "$stderr"; return 1; }
}

@test "if a configuration is refused, details name its unknown keys" {
	cni ADD "$(conf '{ "mode": "l4", "hostAcess": true }')"
	fails 7 'unknown ipvlan mode: "l4"'
	cni ADD "$(conf '{ "proxyArp": true, "mode": null, "mod": "l3s", "flag": "hub" }')"
	fails 7 'flag must be'
	explains 'unknown key "mod"; ipvlan'\''s is "mode"'
}

@test "each verb refuses a list of plugins, with any content" {
	local list verb
	for list in "{\"cniVersion\": \"1.1.0\", \"name\": \"net\", \"plugins\": [$(conf)]}" \
		"{\"name\": \"net\", \"plugins\": [$(conf)]}" "{\"plugins\": [$(conf)]}"; do
		for verb in ADD DEL CHECK STATUS GC; do
			cni "$verb" "$list"
			fails 7
			says 'this is a list of plugins; a runtime passes one of them'
			explains 'ipvlanctl try FILE'
		done
	done
	[ -z "$(in_pod a '.[].ifname | select(. == "eth0")' link show)" ]
}
