#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl report: one archive for a bug report, without secrets.

load ../lib/ctl

# report: makes the archive, and unpacks it below $IN
report() {
	cd "$BATS_TEST_TMPDIR" || return
	ctl report archive.tar
	[ "$status" = 0 ] || { echo "$output $stderr"; return 1; }
	IN=$BATS_TEST_TMPDIR/in
	mkdir -p "$IN"
	tar -xf archive.tar -C "$IN"
}

@test "the nftables tables of ipMasq and of a master with counters" {
	configured net "$(conf '{"counters":true}')"
	pod a net
	report
	grep -q "^table netdev ipvlan_cni_$(cat /sys/class/net/eth0/ifindex) " "$IN/host/nft.txt"
	grep -q '10.138.36.2 counter packets' "$IN/host/nft.txt"
}

@test "versions, configurations, doctor, show, leases, ledger, links of host and pods: the archive has and lists each" {
	local file
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	report
	for file in versions.txt runtimes.json configurations.json doctor.txt show.txt show.json pools.json repair.txt ledger.txt \
		host/{link,addr,route4,route6,rule}.json host/nft.txt sysctl.txt; do
		[ -s "$IN/$file" ] || { echo "no $file"; ls -R "$IN"; return 1; }
		grep -q "^$file " "$IN/CONTENTS" || { echo "$file is not listed"; return 1; }
		tells "$file "
	done
	grep -q "^ipvlan-cni [0-9.]" "$IN/versions.txt"
	grep -q "^kernel $(uname -r) " "$IN/versions.txt"
	[ "$(jq -r '."net.conf".ipam.ranges[0][0].subnet' "$IN/configurations.json")" = 10.138.36.0/23 ]
	grep -q '^ok       kernel: has ipvlan' "$IN/doctor.txt"
	grep -q 'a eth0, network net' "$IN/show.txt"
	[ "$(jq -r '.masters[0].pods[0].container' "$IN/show.json")" = a ]
	[ "$(jq -r '.[0].leases[0].address' "$IN/pools.json")" = 10.138.36.2 ]
	grep -q 'pages/a:eth0$' "$IN/ledger.txt"
	[ "$(jq -r '.[] | select(.ifname == "eth0").linkinfo.info_kind' "$IN/host/link.json")" = veth ]
	grep -q '^ipv4/conf/eth0/rp_filter = ' "$IN/sysctl.txt"
	grep -q '^container a, interface eth0, namespace /run/netns/a$' "$IN/pods/1.txt"
	grep -q '"info_kind":"ipvlan"' "$IN/pods/1.txt"
	grep -q '"gateway":"10.138.36.1"' "$IN/pods/1.txt"
}

@test "a pool with 8000 leases, whose list exceeds a megabyte" {
	local i
	configured net "$(conf '{"ipam":{"ranges":[[{"subnet":"10.138.0.0/16"}]]}}')"
	mkdir -p /var/lib/cni/networks/net
	for ((i = 0; i < 8000; i++)); do
		printf '%064d\r\neth0' $i >"/var/lib/cni/networks/net/10.138.$((i / 250)).$((i % 250 + 1))"
	done
	report
	[ "$(wc -c <"$IN/pools.json")" -gt 1048576 ]
	[ "$(jq '.[0].leases | length' "$IN/pools.json")" = 8000 ]
}

@test "only root may read it; an existing file or link does not change; the default name has host and date" {
	cd "$BATS_TEST_TMPDIR"
	ctl report
	succeeds
	[[ ${lines[0]} =~ ^ipvlanctl-report-[A-Za-z0-9_-]*-20[0-9]{6}T[0-9]{6}Z\.tar$ ]]
	[ "$(stat -c '%a %U' "${lines[0]}")" = '600 root' ]
	[ "$(tar -tvf "${lines[0]}" | cut -c 1-10 | sort -u)" = -rw------- ]
	tells 'read the archive before you pass it on'
	echo mine >there
	ln -s there link
	for name in there link; do
		ctl report "$name"
		[ "$status" = 1 ]
		[[ $stderr = *"cannot make $name: file exists"* ]]
	done
	[ "$(cat there)" = mine ]
}

@test ""-" writes to standard output" {
	"$BUILD/ipvlanctl" report - >"$BATS_TEST_TMPDIR/out.tar"
	tar -tf "$BATS_TEST_TMPDIR/out.tar" | grep -qx versions.txt
}

# Each secret contains the word. Other texts beside them stay.
@test "it has no secret of cluster, chained plugins, URLs, PEM, broken files, or doctor's output about them" {
	local word=ZAUBERWORT found
	cat >"$NETCONFPATH/10-cluster.conflist" <<J
{ "cniVersion": "1.0.0", "name": "shared", "plugins": [
  { "type": "ipvlan", "master": "eth0",
    "ipam": { "type": "addrpool", "subnet": "10.9.0.0/16", "cluster": { "timeout": 1, "pool": "visible-pool", "etcd": {
      "endpoints": ["http://someone:pass$word-1@127.0.0.1:1", "http://user$word-2@127.0.0.1:2/x"],
      "user": "root", "password": "a $word-3 b", "key": "/etc/visible/client.key", "prefix": "/visible" } } } },
  { "type": "meshy", "apiToken": "$word-4", "nested": [{ "Client_Secret": { "deep": ["$word-5"] }, "psk": "$word-6" }],
    "authorization": "$word-7", "note": "Bearer $word-8", "key": "$word-9",
    "certificate-authority-data": "$word-10", "visible": "kept",
    "pem": "-----BEGIN PRIVATE KEY-----\n$word-11\n-----END PRIVATE KEY-----" } ] }
J
	# as kubectl get net-attach-def -o json prints it
	jq -c --arg conf "{\"cniVersion\": \"1.0.0\", \"type\": \"ipvlan\", \"ipam\": {\"etcd\": {\"password\": \"$word-14\"}}}" -n '
		{ apiVersion: "k8s.cni.cncf.io/v1", kind: "NetworkAttachmentDefinition", metadata: { name: "lan" }, spec: { config: $conf } }
		| .metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] = tojson' >"$NETCONFPATH/30-lan.json"
	jq -c --arg conf "{\"ipam\": {\"etcd\": {\"password\": \"$word-15\"}},}" -n '
		{ apiVersion: "k8s.cni.cncf.io/v1", kind: "NetworkAttachmentDefinition", metadata: { name: "bad" }, spec: { config: $conf } }' \
		>"$NETCONFPATH/31-bad.json"
	printf '{ "name": "broken", "password": "%s-12",' "$word" >"$NETCONFPATH/20-broken.conf"
	configured wrong "$(conf "{\"name\":\"wrong\",\"mode\":\"$word-4\"}")"
	printf 'users:\n- user: {token: %s-13}\n' "$word" >"$NETCONFPATH/addrpool.kubeconfig"
	ip link set eth0 alias "$word-6"
	report
	found=$(grep -ra "$word" "$IN" "$BATS_TEST_TMPDIR/archive.tar" || :)
	[ "$found" = "" ] || { echo "$found"; return 1; }
	[ "$(jq -r '."10-cluster.conflist".plugins[0].ipam.cluster | [.pool, .etcd.password, .etcd.key, .etcd.endpoints[0]] | join(" ")' \
		"$IN/configurations.json")" = 'visible-pool (removed) /etc/visible/client.key http://(removed)@127.0.0.1:1' ]
	[ "$(jq -r '."10-cluster.conflist".plugins[1].visible' "$IN/configurations.json")" = kept ]
	[ "$(jq -r '."30-lan.json".spec.config | fromjson | .ipam.etcd.password' "$IN/configurations.json")" = '(removed)' ]
	[ "$(jq -r '."20-broken.conf"' "$IN/configurations.json")" = 'left out: it cannot be read as JSON, and may have secrets' ]
	grep -q '"ifalias":"(removed)"' "$IN/host/link.json"
	grep -q 'unknown ipvlan mode' "$IN/doctor.txt"
}
