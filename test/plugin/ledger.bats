#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The ledger: its permissions, entries of a later version, other programs' files, pages of version
# 0.1.0.

load ../lib/ctl

routed() {
	conf '{ "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ], "ipam": { "type": "addrpool" } }' "$@"
}

page() {
	echo /run/cni/ipvlan/*/pages/"$1:eth0"
}

@test "only root can enter its directory, or lock it" {
	add "$(routed)"
	[ "$(stat -c %a /run/cni/ipvlan)" = 700 ]
	[ "$(stat -c %a /run/cni/ipvlan/ledger.lock)" = 600 ]
	run -66 setpriv --reuid=65534 --regid=65534 --clear-groups flock -n /run/cni/ipvlan/ledger.lock true
}

@test "only root, also if an earlier version made the directory readable for all" {
	mkdir -p /run/cni/ipvlan
	chmod 755 /run/cni/ipvlan
	touch /run/cni/ipvlan/lock
	setpriv --reuid=65534 --regid=65534 --clear-groups flock -x /run/cni/ipvlan/lock sleep 1000 3>&- &
	HOLDER=$!
	until ! flock -n /run/cni/ipvlan/lock true; do sleep 0.1; done
	add "$(routed)"
	cni DEL "$(routed)"
	kill $HOLDER
	succeeds
	[ "$(stat -c %a /run/cni/ipvlan)" = 700 ]
}

@test "a page has its format, the attachment's name, and the id of the ADD" {
	add "$(routed)"
	jq -e '.format == 2 and .container == "a" and .ifname == "eth0" and .network == "net" and (.id | length) == 16 and
		.netns.path == "/run/netns/a" and .netns.inode > 0 and [.objects[].kind] == ["anchor", "route"]' "$(page a)"
}

@test "an entry of a later version is kept and named, and blocks only its attachment" {
	local file
	configured net "$(routed)"
	pod a net
	pod b net
	file=$(page a)
	jq -c '.objects += [{"kind": "rule", "to": "198.51.100.0/24"}]' "$file" >"$BATS_TEST_TMPDIR/page"
	cat "$BATS_TEST_TMPDIR/page" >"$file"
	cni DEL "$(routed)" b
	succeeds
	ctl show -v
	succeeds
	[[ $stderr = *"$file has entries that this version of the plugin does not know: "*'rule'* ]]
	cni DEL "$(routed)" a
	[ "$status" = 1 ]
	[ "$(jq .code <<<"$output")" = 6 ]
	[[ $(jq -r .msg <<<"$output") = "$file has entries that this version of the plugin does not know: "*'"rule"'* ]]
	[ ! -e /var/lib/cni/networks/net/10.138.36.2 ]
	jq -e '[.objects[].kind] == ["rule"]' "$file"
	no_link a
	no_route 192.168.7.0/24
}

# damaged COMMAND: a page that COMMAND has damaged blocks only its attachment, and is named.
damaged() {
	local file
	configured net "$(routed)"
	pod a net
	pod b net
	file=$(page a)
	eval "$1"
	ctl show -v
	succeeds
	[[ $stderr = *"$file was not written by this version of the plugin: "* ]]
	[[ $output = *'b eth0'* ]]
	cni DEL "$(routed)" b
	succeeds
	cni DEL "$(routed)" a
	[ "$status" = 1 ]
	[[ $(jq -r .msg <<<"$output") = "$file was not written by this version of the plugin: "* ]]
	cni GC "$(routed '{ "cni.dev/valid-attachments": [] }')"
	succeeds
	[ -e "$file" ]
	rm "$file"
	cni DEL "$(routed)" a
	succeeds
}

@test "a page with a line of another program" {
	# shellcheck disable=SC2016 # for eval
	damaged 'echo "rule to 198.51.100.0/24" >>"$file"'
}

@test "a page of a later format" {
	# shellcheck disable=SC2016
	damaged 'sed -i "s/\"format\":2/\"format\":3/" "$file"'
}

@test "an empty page" {
	# shellcheck disable=SC2016
	damaged ': >"$file"'
}

@test "a page of another attachment" {
	# shellcheck disable=SC2016
	damaged 'cp "${file%a:eth0}b:eth0" "$file"'
}

@test "files that are not pages block nothing, and are named" {
	local pages
	configured net "$(routed)"
	pod a net
	pages=$(dirname "$(page a)")
	: >"$pages/x:eth0"
	cp "$(page a)" "$pages/a:eth0~"
	mkdir "$pages/directory"
	mkfifo "$pages/fifo"
	ctl show -v
	succeeds
	[[ $stderr = *"$pages/x:eth0 was not written"* && $stderr = *"$pages/a:eth0~ was not written"* ]]
	[[ $output = *'a eth0'* ]]
	ctl doctor
	[[ $stderr = *"$pages/x:eth0 was not written"* ]]
	ip netns del a
	cni GC "$(routed '{ "cni.dev/valid-attachments": [] }')" b
	[ ! -e "$(page a)" ]
	no_route 192.168.7.0/24
}

# stray: a file, a directory and a FIFO beside the holders of each object, and a file beside the objects
stray() {
	local dir
	for dir in /run/cni/ipvlan/*/objects/*/; do
		: >"$dir/a:eth0~"
		: >"$dir/.hidden"
		mkdir -p "$dir/directory"
		[ -e "$dir/fifo" ] || mkfifo "$dir/fifo"
	done
	: >"${dir%/*/}/masquerade-notes"
}

@test "files beside the holders of an object block no other call, and the last DEL leaves nothing on the host" {
	local before a b
	before=$(inventory)
	a=$(conf "$(static '10.138.36.2/23 fd00:36::2/64')" '{ "mode": "l3s", "hostAccess": true, "proxyArp": true, "ipMasq": true, "antiSpoof": true,
		"bandwidth": { "egressRate": 8000000 }, "deny": { "egress": [ { "cidrs": [ "192.0.2.0/24" ] } ] }, "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }')
	b=$(jq -c '.ipam.addresses = [ { "address": "10.138.36.3/23" }, { "address": "fd00:36::3/64" } ]' <<<"$a")
	for _ in first again; do
		add "$a" a
		stray
		add "$b" b
		stray
		cni CHECK "$(with_result "$a" a)" a
		succeeds
		cni CHECK "$(with_result "$b" b)" b
		succeeds
		nft flush ruleset
		ip route flush proto 105
		"$BUILD/ipvlanctl" repair
		cni CHECK "$(with_result "$b" b)" b
		succeeds
		cni DEL "$a" a
		succeeds
		cni CHECK "$(with_result "$b" b)" b
		succeeds
		ping -n -c 1 -W 3 10.138.36.3
		cni DEL "$b" b
		succeeds
		diff <(inventory | grep -v '^/run/cni/ipvlan/.*/objects/') - <<<"$before"
	done
	# without a guard the addresses of later pods are not recorded
	add "$(conf "$(static 10.138.36.4/23)")" a
	[[ $(ls /run/cni/ipvlan/*/objects/lease-*) != *10.138.36.4* ]]
	cni DEL "$(conf)" a
	succeeds
}

@test "a call completes a ledger that a killed call has made in part" {
	local missing
	for missing in claims 'claims objects' 'claims objects pages'; do
		add "$(routed)"
		cni DEL "$(routed)"
		# shellcheck disable=SC2086 # several names
		(cd /run/cni/ipvlan/*/ && rmdir $missing)
		cni GC "$(routed '{ "cni.dev/valid-attachments": [] }')"
		succeeds
		cni CHECK "$(with_result "$(routed)")"
		add "$(routed)"
		cni DEL "$(routed)"
		succeeds
	done
}

# old_page POD LINE...: the page that version 0.1.0 wrote for the pod, with its holders.
old_page() {
	local pod=$1 line dir
	shift
	dir=$(echo /run/cni/ipvlan/*-*)
	mkdir -p "$dir/attachments"
	printf 'container %s\nifname eth0\nnetwork net\nnetns %s/%s\n' "$pod" \
		"$(jq .netns.inode "$(page "$pod")")" "$(jq .netns.cookie "$(page "$pod")")" >"$dir/attachments/$pod:eth0"
	for line; do
		echo "$line" >>"$dir/attachments/$pod:eth0"
		mkdir -p "$dir/held/${line//\//_}"
		ln -s "/run/netns/$pod" "$dir/held/${line//\//_}/$pod:eth0"
	done
	rm "$(page "$pod")"
}

# old_ledger: as if version 0.1.0 had made pods a and b.
old_ledger() {
	local index
	index=$(cat /sys/class/net/eth0/ifindex)
	add "$1" a
	add "$1" b
	old_page a "anchor dev $index" "route to 192.168.7.0/24 via 10.138.36.66 dev $index"
	old_page b "anchor dev $index" "route to 192.168.7.1/24 via 10.138.36.66 dev $index"
	rm -r /run/cni/ipvlan/*/{objects,claims,pages}
}

@test "pages of version 0.1.0 are read, and converted" {
	local before
	before=$(inventory)
	old_ledger "$(routed)"
	cni CHECK "$(with_result "$(routed)")" a
	succeeds
	cni DEL "$(routed)" a
	succeeds
	ip route show 192.168.7.0/24 | grep via
	cni CHECK "$(with_result "$(routed)" b)" b
	succeeds
	cni DEL "$(routed)" b
	succeeds
	leaves_nothing "$before"
}

@test "GC, show and ADD read them too" {
	local before
	before=$(inventory)
	old_ledger "$(routed)"
	ctl show -v
	[[ $output = *'a eth0'* && $output = *'b eth0'* ]]
	old_ledger_again=$(ls /run/cni/ipvlan/*/attachments 2>/dev/null || :)
	[ -z "$old_ledger_again" ]
	ip netns del a
	cni GC "$(routed '{ "cni.dev/valid-attachments": [ { "containerID": "b", "ifname": "eth0" } ] }')" b
	succeeds
	ip netns add a
	add "$(routed)" a
	cni DEL "$(routed)" a
	cni DEL "$(routed)" b
	succeeds
	leaves_nothing "$before"
}
