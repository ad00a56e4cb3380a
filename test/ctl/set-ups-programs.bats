#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Faults of programs, runtimes and files: the messages of ADD, STATUS and doctor.

load ../lib/ctl

# bin PROGRAM...: sets CNI_PATH to a new directory with only these programs.
bin() {
	local program
	BIN=$BATS_TEST_TMPDIR/bin
	mkdir -p "$BIN"
	for program; do
		ln -s "$program" "$BIN"
	done
	export CNI_PATH=$BIN
}

# list CHAINED...: makes net a list, with these plugins after ipvlan.
list() {
	jq -c '{cniVersion, name, plugins: ([del(.cniVersion, .name)] + [inputs])}' <<<"$(cat "$NETCONFPATH/net.conf") $*" \
		>"$NETCONFPATH/net.conflist"
	rm "$NETCONFPATH/net.conf"
}

@test "the IPAM plugin is missing" {
	bin "$BUILD/ipvlan"
	configured net "$(sound)"
	refused_by ADD 7 'failed to find plugin "addrpool"'
	refused_by STATUS 50 'failed to find plugin "addrpool"'
	doctor 2 "error    plugin: failed to find plugin \"addrpool\" in path [$BIN]" "-> install -m 755 $BUILD/addrpool $BIN/addrpool"
}

@test "the IPAM plugin is not executable" {
	bin "$BUILD/ipvlan"
	install -m 644 "$GO_PLUGINS/static" "$BIN/static"
	configured net "$(sound "$(static 10.138.36.7/23,10.138.36.66 '[{"dst":"0.0.0.0/0"}]')")"
	refused_by ADD 5 'permission denied'
	doctor 2 "error    plugin: $BIN/static is not executable" "-> chmod +x $BIN/static"
	chmod +x "$BIN/static"
	accepted_by ADD
	doctor 0
}

@test "ipvlan itself is missing" {
	bin "$BUILD/addrpool"
	configured net "$(sound)"
	doctor 2 "error    plugin: failed to find plugin \"ipvlan\" in path [$BIN]" "-> install -m 755 $BUILD/ipvlan $BIN/ipvlan"
}

@test "a chained plugin is missing" {
	bin "$BUILD/ipvlan" "$BUILD/addrpool"
	configured net "$(sound)"
	list '{"type":"tuning"}' '{"type":"nobodys"}'
	doctor 2 'error    plugin: failed to find plugin "tuning"' '-> install the CNI plugins (containernetworking-plugins), with the plugin as '"$BIN/tuning" \
		'error    plugin: failed to find plugin "nobodys"' "-> install the plugin as $BIN/nobodys, or correct \"type\""
}

@test "the Go plugin instead of ours" {
	bin "$GO_PLUGINS/ipvlan" "$BUILD/addrpool"
	configured net "$(sound '{"hostAccess":true}')"
	doctor 2 "error    plugin: $BIN/ipvlan is not of ipvlan-cni (\"CNI ipvlan plugin " "-> install -m 755 $BUILD/ipvlan $BIN/ipvlan"
}

@test "another build of ours is named by its version and commit" {
	bin "$BUILD/addrpool"
	cat >"$BIN/ipvlan" <<-END
		#!/bin/sh
		[ "\$1" != --version ] || { echo "ipvlan 0.0.9 (git 1234567)" && exit; }
		[ -n "\$CNI_COMMAND" ] || { echo "CNI ipvlan plugin 0.0.9 (ipvlan-cni)" >&2 && exit; }
		exec $BUILD/ipvlan
	END
	chmod +x "$BIN/ipvlan"
	configured net "$(sound)"
	doctor 0 "ok       plugin: ipvlan: $BIN/ipvlan, 0.0.9 (git 1234567), while ipvlanctl is $("$BUILD/ipvlanctl" --version | cut -d' ' -f2-)" \
		"ok       plugin: addrpool: $BIN/addrpool, $("$BUILD/ipvlanctl" --version | cut -d' ' -f2-)"
}

@test "a comma is missing" {
	printf '{\n"name": "net"\n"type": "ipvlan"\n}\n' >"$NETCONFPATH/net.conf"
	refused_by ADD 6 line
	doctor 2 'error    file: ' '(line 3, column 6)' '-> before that place there is a comma, a quote or a bracket too few'
}

@test "an MTU as a string; a mode in capitals" {
	configured net "$(sound '{"mtu":"1500"}')"
	refused_by ADD 7 'mtu'
	doctor 2 'error    configuration: failed to load netconf: mtu'
	configured net "$(sound '{"mode":"L2"}')"
	refused_by ADD 7 'unknown ipvlan mode: "L2"'
	doctor 2 'error    configuration: unknown ipvlan mode: "L2"' '-> mode must be "l2", "l3" or "l3s"'
}

@test "a misspelt key of ipvlan" {
	configured net "$(sound '{"hostAcess":true}')"
	accepted_by ADD STATUS
	doctor 1 'warning  key: "hostAcess" in the configuration is not a key of ipvlan: did you mean "hostAccess"?'
}

@test "misspelt keys of ipam, and one of another program" {
	configured net "$(sound '{"ipam":{"excludes":["10.138.36.9"],"gatway":"10.138.36.66","range":"10.138.36.0/23"}}')"
	accepted_by ADD STATUS
	doctor 1 'warning  key: "excludes" in ipam is not a key of addrpool: did you mean "exclude"?' \
		'warning  key: "gatway" in ipam is not a key of addrpool: did you mean "gateway"?' \
		'warning  key: "range" in ipam is not a key of addrpool: did you mean "ranges"'
}

@test "a cniVersion that does not exist" {
	local version
	for version in 1.1 2.0.0; do
		configured net "$(sound "{\"cniVersion\":\"$version\"}")"
		cni ADD "$(cat "$NETCONFPATH/net.conf")" a
		[ "$status" = 1 ]
		ctl doctor
		[ "$status" = 2 ]
		tells 'error    configuration: ' "$version"
	done
}

@test "a cniVersion that the runtime does not know" {
	configured net "$(sound)"
	runtime containerd 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1'
	doctor 2 'error    runtime: containerd 1.6.20 knows CNI up to 1.0.0, and network "net" has cniVersion 1.1.0: its ADD fails' '-> "cniVersion": "1.0.0"'
	runtime podman 'podman version 4.3.1'
	doctor 2 'error    runtime: containerd 1.6.20 knows CNI up to 1.0.0' 'error    runtime: Podman 4.3.1 knows CNI up to 1.0.0'
	configured net "$(sound '{"cniVersion":"1.0.0"}')"
	doctor 0
	tells 'ok       runtime: Podman 4.3.1 knows CNI up to 1.0.0'
}

@test "runtimes that know the newest version" {
	configured net "$(sound)"
	runtime containerd 'containerd github.com/containerd/containerd/v2 v2.0.5 fb4c30d4ede3531652d86197bf3fc9515e5276d9'
	runtime crio 'crio version 1.31.2'
	runtime k3s 'k3s version v1.33.1+k3s1 (99d91538)
go version go1.24.2'
	runtime nerdctl 'nerdctl version 2.0.0'
	doctor 0
	tells 'k3s 1.33.1 knows CNI up to 1.1.0' 'containerd 2.0.5 knows CNI up to 1.1.0' 'CRI-O 1.31.2 knows CNI up to 1.1.0' 'nerdctl 2.0.0 knows CNI up to 1.1.0'
}

@test "containerd runs Kubernetes' plugins from a directory without ours" {
	local dir=$BATS_TEST_TMPDIR/usr-lib-cni
	mkdir -p "$dir" /etc/containerd
	ln -s "$BUILD/addrpool" "$GO_PLUGINS/ipvlan" "$dir"
	printf '[plugins."io.containerd.grpc.v1.cri".cni]\n  bin_dir = "%s"\n  conf_dir = "/etc/cni/net.d"\n' "$dir" >/etc/containerd/config.toml
	configured net "$(sound)"
	runtime containerd 'containerd github.com/containerd/containerd/v2 v2.0.5 fb4c30d'
	doctor 0
	runtime kubelet 'Kubernetes v1.34.1'
	doctor 2 "error    plugin: $dir/ipvlan is not of ipvlan-cni" "-> install -m 755 $BUILD/ipvlan $dir/ipvlan"
	rm "$dir/ipvlan"
	doctor 2 "error    plugin: failed to find plugin \"ipvlan\" in path [$dir]" "-> install -m 755 $BUILD/ipvlan $dir/ipvlan"
	rm /etc/containerd/config.toml
}

@test "a runtime without CNI" {
	configured net "$(sound '{"cniVersion":"1.0.0"}')"
	runtime podman 'podman version 5.4.2'
	podman_info netavark bridge
	doctor 1 'warning  runtime: Podman 5.4.2 uses netavark instead of CNI' '-> install ipvlan-netavark into /usr/local/libexec/netavark'
	podman_info netavark ipvlan-netavark
	doctor 1 'warning  runtime: Podman 5.4.2 uses netavark instead of CNI' '-> podman network create -d ipvlan-netavark'
	rm "$NETCONFPATH/net.conf"
	doctor 0 'ok       runtime: Podman 5.4.2 uses netavark and finds the driver ipvlan-netavark'
}

@test "a Podman 4 with netavark" {
	configured net "$(sound '{"cniVersion":"1.0.0"}')"
	runtime podman 'podman version 4.9.3'
	podman_info cni ipvlan-netavark
	doctor 0 'ok       runtime: Podman 4.9.3 knows CNI up to 1.0.0'
	runtime podman 'podman version 4.9.3'
	podman_info netavark ipvlan-netavark
	doctor 1 'warning  runtime: Podman 4.9.3 uses netavark instead of CNI'
}

@test "a runtime that does not end, and one without output" {
	configured net "$(sound)"
	runtime podman ''
	printf '#!/bin/sh\nexec sleep 1000\n' >"$BATS_TEST_TMPDIR/runtimes/crio"
	chmod +x "$BATS_TEST_TMPDIR/runtimes/crio"
	doctor 0
}

@test "the daemon of dhcp does not run" {
	configured net "$(sound '{"ipam":{"type":"dhcp"}}')"
	cni ADD "$(cat "$NETCONFPATH/net.conf")" a
	[ "$status" = 1 ]
	doctor 2 'error    dhcp: no daemon of the plugin dhcp listens on /run/cni/dhcp.sock' "-> start it, as a service: $GO_PLUGINS/dhcp daemon"
}

@test "bandwidth in the chain" {
	configured net "$(sound)"
	list '{"type":"bandwidth","ingressRate":1000000,"ingressBurst":1000000,"egressRate":1000000,"egressBurst":1000000}'
	run "$BUILD/ipvlanctl" try "$NETCONFPATH/net.conflist"
	[ "$status" = 2 ]
	doctor 2 'error    chain: bandwidth shapes a link of the host for each pod, which ipvlan does not have: ADD fails' '-> remove it from "plugins", and move its keys'
}

@test "a single configuration in a .conflist, a list in a .conf" {
	configured net "$(sound)"
	mv "$NETCONFPATH/net.conf" "$NETCONFPATH/net.conflist"
	doctor 2 'error    file: net.conflist is a single configuration, and runtimes read a .conflist as a list' '-> mv net.conflist net.conf'
	mv "$NETCONFPATH/net.conflist" "$NETCONFPATH/net.conf"
	list
	mv "$NETCONFPATH/net.conflist" "$NETCONFPATH/net.conf"
	doctor 2 'error    file: net.conf is a list, and runtimes read lists only from a .conflist' '-> mv net.conf net.conflist'
}

@test "a list without a name" {
	jq '{cniVersion, plugins: [del(.cniVersion, .name)]}' <<<"$(sound)" >"$NETCONFPATH/net.conflist"
	ctl doctor
	[ "$status" = 2 ]
	tells 'error    file: net.conflist has no "name"' '-> add a "name"'
}

@test "a file that no runtime reads" {
	configured net "$(sound)"
	mv "$NETCONFPATH/net.conf" "$NETCONFPATH/net.txt"
	doctor 1 'warning  file: net.txt has a network of type ipvlan, and runtimes read only .conf, .conflist and .json' '-> mv net.txt net.conf'
}

@test "no directory, an empty one, only other types" {
	rmdir "$NETCONFPATH"
	doctor 1 "warning  configuration: there is no network of type ipvlan in $NETCONFPATH: the directory does not exist"
	mkdir "$NETCONFPATH"
	doctor 1 "$NETCONFPATH: it has no .conf, .conflist or .json" 'warning  configuration: '
	echo '{"name":"x","plugins":[{"type":"bridge"},{"type":"portmap"}]}' >"$NETCONFPATH/x.conflist"
	doctor 1 "$NETCONFPATH: its plugins are of type bridge, portmap" 'warning  configuration: '
}

@test "another network sorts first: doctor names the one that runtimes use" {
	configured net "$(sound)"
	echo '{"name":"podnet","type":"bridge"}' >"$NETCONFPATH/05-bridge.conf"
	doctor 1 'warning  configuration: 05-bridge.conf is the first file: containerd and CRI-O give pods its network "podnet" of type bridge' '-> rename'
	runtime podman 'podman version 4.3.1'
	configured net "$(sound '{"cniVersion":"1.0.0"}')"
	doctor 0
	rm "$BATS_TEST_TMPDIR/runtimes/podman" "$NETCONFPATH/05-bridge.conf"
	echo '{"name":"multus-cni-network","type":"multus"}' >"$NETCONFPATH/00-multus.conf"
	doctor 0
}

@test "NetworkAttachmentDefinitions in a file of YAML: one, several among other objects, a List" {
	local definition='apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: NAME}
spec:
  config: |
    CONFIG
' good bad file=$BATS_TEST_TMPDIR/all.yaml
	good=${definition/NAME/shop} bad=${definition/NAME/till}
	echo "${good/CONFIG/$(sound '{"name":null}')}" >"$file"
	ctl doctor "$file"
	[ "$status" = 0 ]
	ctl try "$file"
	[ "$status" = 0 ]
	ctl pools "$file"
	succeeds
	tells "shop  $file" '0 of 39'
	printf '%s---\nkind: DaemonSet\n---\n%s' "$(cat "$file")
" "${bad/CONFIG/$(sound '{"name":null,"mode":"l4"}')}" >"$BATS_TEST_TMPDIR/more.yaml"
	ctl doctor --json "$BATS_TEST_TMPDIR/more.yaml"
	[ "$status" = 2 ]
	[ "$(jq -c '.[] | select(.level == "error") | [.network, .subject]' <<<"$output")" = '["till","configuration"]' ]
	{ echo 'kind: List' && echo 'items:' && sed 's/^/  /; 1s/^  /- /' "$file"; } >"$BATS_TEST_TMPDIR/list.yml"
	ctl doctor "$BATS_TEST_TMPDIR/list.yml"
	[ "$status" = 0 ]
}

@test "a network configuration as YAML, other YAML, and a file that is not YAML" {
	printf 'cniVersion: 1.0.0\ntype: ipvlan\n' >"$BATS_TEST_TMPDIR/net.yaml"
	ctl doctor "$BATS_TEST_TMPDIR/net.yaml"
	[ "$status" = 2 ]
	tells 'error    file: it is YAML, and a network configuration is JSON'
	printf 'kind: [\n' >"$BATS_TEST_TMPDIR/net.yaml"
	ctl doctor "$BATS_TEST_TMPDIR/net.yaml"
	[ "$status" = 2 ]
	tells "error    file: $BATS_TEST_TMPDIR/net.yaml: line 2: "
	: >"$BATS_TEST_TMPDIR/net.yaml"
	ctl doctor "$BATS_TEST_TMPDIR/net.yaml"
	[ "$status" = 2 ]
	printf 'kind: NetworkAttachmentDefinition\napiVersion: v1\nspec: {config: "{"}\n' >"$BATS_TEST_TMPDIR/net.yaml"
	ctl doctor "$BATS_TEST_TMPDIR/net.yaml"
	[ "$status" = 2 ]
	tells 'spec.config of a NetworkAttachmentDefinition is not a network configuration'
}

@test "a directory, NetworkAttachmentDefinitions as JSON" {
	local definition
	definition='{apiVersion: "k8s.cni.cncf.io/v1", kind: "NetworkAttachmentDefinition", metadata: {name: "shop"}, spec: {config: $conf}}'
	jq -n --arg conf "$(sound '{"name":null,"hostAcess":true}')" "$definition" >"$BATS_TEST_TMPDIR/nad.json"
	ctl doctor --json "$BATS_TEST_TMPDIR/nad.json"
	[ "$status" = 1 ]
	[ "$(jq -c '.[] | select(.level == "warning") | [.network, .subject]' <<<"$output")" = '["shop","key"]' ]
	jq -n --arg conf "$(sound '{"mode":"l4"}')" "{apiVersion: \"v1\", kind: \"List\", items: [$definition]}" >"$NETCONFPATH/all.json"
	ctl doctor "$NETCONFPATH"
	[ "$status" = 2 ]
	tells "$NETCONFPATH/all.json" 'error    configuration: unknown ipvlan mode: "l4"'
}

@test "a fault is one finding, as text, quiet or JSON" {
	configured 1 "$(sound)"
	configured 2 "$(sound '{"name":"other","ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.50","rangeEnd":"10.138.36.55"}]]}}')"
	ip link set eth0 down
	doctor 2 'error    master: master "eth0" is down' '0 warnings, 1 error'
	ctl doctor --quiet
	[ "$output" = "$NETCONFPATH/1.conf
error    master: master \"eth0\" is down
         -> ip link set dev eth0 up

0 warnings, 1 error" ]
	ctl doctor --json --quiet
	[ "$status" = 2 ]
	[ "$(jq -c '[.[] | select(.level != "ok")]' <<<"$output")" = \
		'[{"level":"error","network":"net","subject":"master","text":"master \"eth0\" is down","remedy":"ip link set dev eth0 up"}]' ]
}
