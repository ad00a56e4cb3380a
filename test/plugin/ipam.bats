#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Delegation to the IPAM plugin.

load ../lib/cni

stub() {
	conf "{\"ipam\":{\"type\":\"stub-$1\"}}"
}

answer() {
	jq -nc "$1" >$STUB_DIR/answer
}

called() {
	[ "$(awk '{ print $1 }' $STUB_DIR/calls | paste -sd' ')" = "$1" ] || { cat $STUB_DIR/calls; return 1; }
}

# undone CODE MESSAGE: the ADD has failed with these, DEL ran after it, and nothing is left.
undone() {
	local before
	before=$(inventory)
	cni ADD "$3"
	fails "$1" "$2"
	leaves_nothing "$before"
}

@test "the IPAM plugin gets the configuration byte for byte, the environment, and its verb" {
	local conf
	conf=$'{ "type":"ipvlan",\n "cniVersion" : "1.1.0", "name":"net", "master":"eth0", "x": 1.50, "ipam": {"type":"stub-answers"}}'
	answer '{ips:[{address:"10.138.36.2/23"}]}'
	CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=p' EXTRA=kept add "$conf"
	diff <(echo "$conf") $STUB_DIR/stdin.ADD
	grep -qx CNI_COMMAND=ADD $STUB_DIR/env.ADD
	grep -qx 'CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=p' $STUB_DIR/env.ADD
	grep -qx CNI_CONTAINERID=a $STUB_DIR/env.ADD
	grep -qx EXTRA=kept $STUB_DIR/env.ADD
	cni DEL "$conf"
	grep -qx CNI_COMMAND=DEL $STUB_DIR/env.DEL
	diff <(echo "$conf") $STUB_DIR/stdin.DEL
}

@test "ipvlan passes on the IPAM plugin's stderr, even if it succeeds" {
	answer '{ips:[{address:"10.138.36.2/23"}]}'
	add "$(stub answers)"
	[[ "$stderr" = *"stub says ADD"* ]]
}

@test "a configuration of a megabyte reaches the IPAM plugin" {
	local conf
	answer '{ips:[{address:"10.138.36.2/23"}]}'
	stub answers | jq -c '.padding = ("x" * 1000000)' >$STUB_DIR/conf
	run --separate-stderr env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
		"$BUILD/ipvlan" <$STUB_DIR/conf
	succeeds
	cmp $STUB_DIR/conf $STUB_DIR/stdin.ADD
}

@test "it is found in the first directory of CNI_PATH that has it" {
	mkdir -p $STUB_DIR/1 $STUB_DIR/2/stub-answers $STUB_DIR/3
	cp "$STUBS"/stub-{answers,lib} $STUB_DIR/3
	answer '{ips:[{address:"10.138.36.2/23"}]}'
	CNI_PATH=$STUB_DIR/1:/nonexistent:$STUB_DIR/2:$STUB_DIR/3 add "$(stub answers)"
}

@test "an IPAM plugin that is not found is named, with the directories searched" {
	undone 7 'failed to find plugin "zz" in path [/x /y]' "$(conf '{"ipam":{"type":"zz"}}')" || true
	CNI_PATH=/x:/y undone 7 'failed to find plugin "zz" in path [/x /y]' "$(conf '{"ipam":{"type":"zz"}}')"
}

@test "a path as type is refused" {
	undone 7 'invalid plugin name: ../host-local' "$(conf '{"ipam":{"type":"../host-local"}}')"
}

@test "ipvlan passes on its error object unchanged, after a DEL" {
	undone 123 'out of luck' "$(stub fails)"
	explains 'and of addresses'
	called 'ADD DEL'
}

@test "without an error object its stderr is the message" {
	undone 0 'netplugin failed: "boom' "$(stub mutters)"
	[[ "$stderr" = *boom* ]]
	called 'ADD DEL'
}

@test "it fails without a message" {
	undone 0 'netplugin failed with no error message: exit status 3' "$(stub silent)"
	called 'ADD DEL'
}

@test "it is killed" {
	undone 0 'netplugin failed with no error message: signal: ' "$(stub dies)"
	called 'ADD DEL'
}

@test "it answers garbage" {
	undone 6 'failed to unmarshal raw result' "$(stub garbage)"
	called 'ADD DEL'
}

@test "it answers nothing" {
	: >$STUB_DIR/answer
	undone 6 'failed to unmarshal raw result: unexpected end of JSON input' "$(stub answers)"
	called 'ADD DEL'
}

@test "it cannot be run" {
	mkdir -p $STUB_DIR/bin
	echo 'no program' >$STUB_DIR/bin/zz
	CNI_PATH=$STUB_DIR/bin undone 5 "fork/exec $STUB_DIR/bin/zz: permission denied" "$(conf '{"ipam":{"type":"zz"}}')"
}

@test "it answers without an address" {
	answer '{routes:[{dst:"0.0.0.0/0"}]}'
	undone 7 'IPAM plugin returned missing IP config' "$(stub answers)"
}

@test "it answers with an invalid address, route, version or result" {
	local text
	for text in '{ips:[{address:"10.0.0.1"}]}' '{ips:[{address:"10.0.0.1/33"}]}' '{ips:[{address:7}]}' \
		'{ips:[{}]}' '{ips:{}}' '{ips:[{address:"10.0.0.1/8",gateway:"x"}]}' \
		'{ips:[{address:"10.0.0.1/8"}],routes:[{dst:"x"}]}' \
		'{ips:[{address:"10.0.0.1/8"}],routes:[{dst:"::/0",gw:"10.0.0.2"}]}' \
		'{ips:[{address:"10.0.0.1/8"}],routes:[{dst:"0.0.0.0/0",scope:300}]}' \
		'{cniVersion:"7.0.0",ips:[{address:"10.0.0.1/8"}]}' '[]' '"text"' 'null' '{cniVersion:5}' \
		'{ips:[range(5000)|{address:"10.0.0.1/8"}]}' '{ips:[{address:"10.0.0.1/8"}],dns:{search:[5]}}'; do
		answer "$text"
		undone 6 '' "$(stub answers)"
	done
}

@test "it prints without end: ipvlan kills it and calls its DEL" {
	undone 5 'wrote more than 1048576 bytes and was killed' "$(stub floods)"
	called 'ADD DEL'
}

@test "it leaves a daemon that keeps its output open: ipvlan does not wait for it" {
	answer '{ips:[{address:"10.138.36.2/23"}]}'
	add "$(stub leaves-daemon)"
	pkill -f 'sleep 100000'
}

@test "its DNS is in the result when the configuration has none" {
	answer '{ips:[{address:"10.138.36.2/23"}],dns:{nameservers:["10.3.3.3"],search:["x.org"]}}'
	add "$(stub answers)" a
	[ "$(result .dns)" = '{"nameservers":["10.3.3.3"],"search":["x.org"]}' ]
	add "$(stub answers | jq -c '.dns = {domain:"y.org"}' | sed 's/stub-answers/stub-old/')" b || true
	[ "$(in_pod a length addr show eth0)" = 1 ]
}

@test "the configuration's DNS replaces the IPAM plugin's" {
	answer '{ips:[{address:"10.138.36.2/23"}],dns:{nameservers:["10.3.3.3"]}}'
	add "$(stub answers | jq -c '.dns = {domain:"y.org"}')"
	[ "$(result .dns)" = '{"domain":"y.org"}' ]
}

@test "host-local's resolvConf reaches the result" {
	printf 'nameserver 10.3.3.3\nsearch x.org\n' >$STUB_DIR/resolv.conf
	add "$(conf "{\"ipam\":{\"resolvConf\":\"$STUB_DIR/resolv.conf\"}}")"
	[ "$(result .dns)" = '{"nameservers":["10.3.3.3"],"search":["x.org"]}' ]
}

@test "ipvlan calls its GC and STATUS" {
	cni GC "$(stub answers | jq -c '."cni.dev/valid-attachments" = []')"
	succeeds
	cni STATUS "$(stub answers)"
	succeeds
	called 'GC STATUS'
	[ "$(jq -c '."cni.dev/valid-attachments"' $STUB_DIR/stdin.GC)" = '[]' ]
}

@test "GC and STATUS succeed with an IPAM plugin that does not know them" {
	cni GC "$(stub old)"
	succeeds
	cni STATUS "$(stub old)"
	succeeds
}

@test "if its GC or STATUS fails, ipvlan's fails" {
	cni GC "$(jq -c '."cni.dev/valid-attachments" = []' <<<"$(stub fails)")"
	fails 123 'out of luck'
	cni STATUS "$(stub fails)"
	fails 50 'out of luck'
}
