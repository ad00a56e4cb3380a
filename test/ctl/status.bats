#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl status: a line for each concern, for people and for monitoring.

load ../lib/ctl

# says LEVEL NAME TEXT: the line of the concern begins with the text.
says() {
	[[ $'\n'$output = *$'\n'"$(printf '%-7s  %-7s  ' "$1" "$2")$3"* ]] || { echo "no \"$1 $2 $3\" in: $output"; return 1; }
}

@test "without pods and networks all lines are ok" {
	ctl status
	succeeds
	[ ${#lines[@]} = 7 ]
	says ok pods '0, and nothing is missing'
	says ok ledger 'all records in /run/cni/ipvlan can be read'
	says ok masters '0 in use'
	says ok pools '0 range sets'
	says ok ipam '0 plugins'
	says ok calls '0 since the machine was started, 0 of them failed'
	says ok repairs '0 since the machine was started, and 0 failed'
	[ "$stderr" = "" ]
	[ ! -e /run/cni/ipvlan ] # status makes nothing
}

@test "pods without a fault, and the calls that made them" {
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	pod b net
	cni ADD "$(conf '{"mtu":"x"}')"
	ctl status
	succeeds
	says ok pods '2, and nothing'
	says ok masters '1 in use'
	says ok pools '1 range set, none nearly full'
	says ok ipam '1 plugin installed'
	says ok calls '3 since the machine was started, 1 of them failed'
}

@test "a missing object is an error, and a pod that is gone a warning, with exit status 1" {
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	pod b net
	ip netns del b
	ctl status
	[ "$status" = 1 ]
	says warning pods '1 ok, 0 damaged, 1 lost, 0 unknown: ipvlanctl show lists them'
	ip route del 10.138.36.2
	ctl status
	[ "$status" = 1 ]
	says error pods '0 ok, 1 damaged, 1 lost'
	ctl repair
	ctl gc --yes
	ctl status
	succeeds
	says ok pods '1, and'
	says ok repairs '1 since the machine was started, and 0 failed'
}

@test "a master that is gone, or down" {
	configured net "$(conf)"
	configured other "$(conf '{"name":"other","master":"eth7"}')"
	pod a net
	ctl status
	[ "$status" = 1 ]
	says error masters 'eth7 of network other does not exist'
	rm "$NETCONFPATH/other.conf"
	ip link set eth0 down
	ctl status
	[ "$status" = 1 ]
	says error masters 'eth0: the master is down'
}

@test "a pool that is nearly full, and an IPAM plugin that does not exist" {
	configured net "$(conf '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.2"}]]}}')"
	pod a net
	jq -n '{ cniVersion: "1.0.0", name: "x", type: "ipvlan", master: "eth0", ipam: { type: "no-such-ipam" } }' >"$NETCONFPATH/x.conf"
	ctl status
	[ "$status" = 1 ]
	says warning pools 'network net: 1 of 1 addresses of 10.138.36.2-10.138.36.2 are in use'
	says error ipam 'network x: failed to find plugin "no-such-ipam"'
}

@test "an unreadable page, and an unreadable configuration" {
	configured net "$(conf)"
	pod a net
	echo '{' >"$(echo /run/cni/ipvlan/*/pages/a:eth0)"
	echo '{' >"$NETCONFPATH/x.conf"
	ctl status
	[ "$status" = 1 ]
	says warning ledger '/run/cni/ipvlan/'
	says warning pools "$NETCONFPATH/x.conf: "
	[ "$stderr" = "" ]
}

@test "it waits for no lock" {
	configured net "$(conf)"
	pod a net
	flock --no-fork /run/cni/ipvlan/ledger.lock sleep 1000 3>&- &
	flock --no-fork /var/lib/cni/networks/net/lock sleep 1000 3>&- &
	until ! flock -n /run/cni/ipvlan/ledger.lock true && ! flock -n /var/lib/cni/networks/net/lock true; do sleep 0.05; done
	run timeout 30 "$BUILD/ipvlanctl" status
	kill %1 %2
	succeeds
	says ok pods '1, and'
}

@test "JSON has all facts" {
	configured net "$(conf)"
	CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web' pod a net
	pod b net
	ip netns del b
	ctl status --json
	[ "$status" = 1 ]
	[ "$(result '.ok, .pods.ok, .pods.lost, .networks[0].free' | paste -sd' ')" = 'false 1 1 38' ]
	[ "$(result '[.concerns[] | select(.level != "ok").name]')" = '["pods"]' ]
	[ "$(result '.calls[] | select(.plugin == "ipvlan" and .verb == "ADD" and .code == 0).count')" = 2 ]
}

# parsed: prints the list of families of an OpenMetrics parser as JSON.
parsed() {
	/usr/bin/python3 - 3>&- <<-'END'
		import importlib, json, os
		parser = importlib.import_module("prometheus_client." + os.environ.get("FORMAT", "openmetrics.parser"))
		text = open(os.environ["BATS_TEST_TMPDIR"] + "/metrics").read()
		print(json.dumps([{"name": f.name, "type": f.type, "unit": f.unit, "help": f.documentation,
		                   "samples": [{"name": s.name, "labels": s.labels, "value": s.value} for s in f.samples]}
		                  for f in parser.text_string_to_metric_families(text)]))
	END
}

# metrics: sets output to the parsed metrics of ipvlanctl.
metrics() {
	run --separate-stderr "$BUILD/ipvlanctl" status --prometheus
	printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/metrics"
	[ "$stderr" = "" ] || { echo "$stderr"; return 1; }
	output=$(parsed)
}

# value NAME [LABEL=VALUE]...: prints the value of one sample.
value() {
	local name=$1 labels='{}' pair
	shift
	for pair in "$@"; do labels=$(jq -c --arg k "${pair%%=*}" --arg v "${pair#*=}" '.[$k] = $v' <<<"$labels"); done
	result ".[].samples[] | select(.name == \"$name\" and (.labels | contains($labels))).value"
}

@test "metrics are OpenMetrics, each with type, help and, if it has one, unit" {
	configured net "$(conf '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.40"}],[{"subnet":"fd00:9::/64"}]]}}')"
	pod a net
	pod b net
	ip netns del b
	cni DEL "$(conf '{"name":"-"}')" c
	metrics
	[ "$(result '[.[] | select(.help == "" or (.name | startswith("ipvlan_cni_") | not))]')" = '[]' ]
	[ "$(result '[.[].name[11:]]')" = '["build_info","concern_level","pods","pool_addresses","pool_blocks","pod_traffic_bytes","pod_traffic_packets","pod_late_packets","pod_denied_packets","dropped_packets","denied_packets","calls","repairs"]' ]
	[ "$(result '[.[].unit]')" = '["","","pods","addresses","blocks","bytes","packets","packets","packets","packets","packets","calls","repairs"]' ]
	[ "$(value ipvlan_cni_pods network=net state=ok)" = 1 ]
	[ "$(value ipvlan_cni_pods network=net state=lost)" = 1 ]
	[ "$(value ipvlan_cni_pool_addresses network=net family=ipv4 state=used)" = 1 ]
	[ "$(value ipvlan_cni_pool_addresses network=net family=ipv4 state=free)" = 38 ]
	[ "$(value ipvlan_cni_pool_addresses network=net family=ipv4 state=stale)" = 1 ]
	[ "$(value ipvlan_cni_pool_addresses network=net family=ipv6 state=used)" = 1 ]
	[ "$(value ipvlan_cni_calls_total plugin=ipvlan verb=ADD code=0)" = 2 ]
	[ "$(value ipvlan_cni_calls_total plugin=ipvlan verb=DEL code=7)" = 1 ]
	[ "$(value ipvlan_cni_concern_level concern=pods)" = 1 ]
	# node_exporter's textfile collector reads the same samples
	[ "$(FORMAT=parser parsed | jq '[.[].samples[]] | length')" = "$(result '[.[].samples[]] | length')" ]
}

@test "packets that pods have sent and received are counted, and packets that their master dropped" {
	configured net "$(conf '{"antiSpoof":true}')"
	CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1' pod a net
	ip netns exec a ping -q -n -c 3 -i 0.2 -s 1000 10.138.36.66
	ip netns exec a "$BUILD/tools/hostile" eth0 ipv4 -s 192.0.2.99 -t 10.138.36.66
	metrics
	[ "$(value ipvlan_cni_pod_traffic_packets_total network=net namespace=shop pod=web-1 interface=eth0 direction=out)" = 3 ]
	[ "$(value ipvlan_cni_pod_traffic_packets_total network=net container=a direction=in)" = 3 ]
	[ "$(value ipvlan_cni_pod_traffic_bytes_total network=net pod=web-1 direction=out)" = $((3 * 1042)) ]
	[ "$(value ipvlan_cni_pod_traffic_bytes_total network=net pod=web-1 direction=in)" = $((3 * 1028)) ]
	[ "$(value ipvlan_cni_dropped_packets_total master=eth0 reason=ipv4)" = 3 ]
	[ "$(value ipvlan_cni_dropped_packets_total master=eth0 reason=arp)" = 0 ]
	ctl show -v
	tells '  dropped 3 ipv4' 'out 3 packets, 3126 bytes  in 3 packets, 3084 bytes'
	ctl show --json
	[ "$(result '.masters[0].dropped.ipv4')" = 3 ]
	[ "$(result '.masters[0].pods[0].traffic.out.packets')" = 3 ]
}

@test "counters alone: nothing is dropped, in each mode" {
	local mode
	for mode in l2 l3 l3s; do
		configured net "$(conf "$(static '10.138.36.2/24,10.138.36.66')" "{\"counters\":true,\"mode\":\"$mode\"}")"
		[ "$mode" = l2 ] || ip -n lan neigh replace 10.138.36.2 lladdr "$(cat /sys/class/net/eth0/address)" dev eth0
		pod a net
		ip netns exec a ping -q -n -c 3 -i 0.2 10.138.36.66
		ctl show --json
		[ "$(result '.masters[0].pods[0].traffic | .out.packets, .in.packets' | paste -sd' ')" = '3 3' ] || { result '.masters[0].pods[0].traffic'; false; }
		[ "$(result '.masters[0].dropped')" = null ]
		cni DEL "$(cat "$NETCONFPATH/net.conf")" a
		succeeds
		[[ $(nft list ruleset) != *ipvlan_cni* ]]
	done
}

@test "names that would end a label are escaped" {
	local name=$'a"b\\c\nd {x="1"} 1'
	configured net "$(conf)"
	jq --arg name "$name" '.name = $name' "$NETCONFPATH/net.conf" >"$NETCONFPATH/hostile.conf"
	"$BUILD/ipvlanctl" status --prometheus 2>/dev/null >"$BATS_TEST_TMPDIR/metrics" || [ $? = 1 ]
	output=$(parsed)
	[ "$(result '[.[].samples[] | select(.labels.network != null).labels.network] | unique | length')" = 2 ]
	[ "$(result '[.[].samples[].labels.network | select(. != null and . != "net")][0]')" = "$name" ]
}

@test "a control character in a name reaches no terminal" {
	configured net "$(conf)"
	jq '.name = "x\u001b[2J\u009b"' "$NETCONFPATH/net.conf" >"$NETCONFPATH/hostile.conf"
	ctl status --prometheus
	tells 'network="x\\x1b[2J\\xc2\\x9b"'
	[[ $output != *$'\e'* ]]
}

@test "each call counts once, by verb and code, also with many calls at once" {
	local i
	configured net "$(conf)"
	for i in {1..8}; do echo "netns add p$i"; done | ip -batch -
	for i in {1..8}; do
		CNI_COMMAND=ADD CNI_CONTAINERID=p$i CNI_NETNS=/run/netns/p$i CNI_IFNAME=eth0 "$BUILD/ipvlan" <"$NETCONFPATH/net.conf" >/dev/null 3>&- &
	done
	wait
	pod a net
	cni CHECK "$(with_result "$(cat "$NETCONFPATH/net.conf")")"
	cni DEL "$(cat "$NETCONFPATH/net.conf")"
	cni STATUS "$(cat "$NETCONFPATH/net.conf")"
	cni GC "$(cat "$NETCONFPATH/net.conf")"
	cni VERSION '{"cniVersion":"1.0.0"}'
	metrics
	[ "$(value ipvlan_cni_calls_total plugin=ipvlan verb=ADD code=0)" = 9 ]
	for i in CHECK DEL STATUS GC; do [ "$(value ipvlan_cni_calls_total plugin=ipvlan verb=$i)" = 1 ]; done
	[ "$(value ipvlan_cni_calls_total plugin=addrpool verb=ADD)" = 0 ]
	CNI_COMMAND=ADD CNI_CONTAINERID=b CNI_NETNS=/run/netns/b CNI_IFNAME=eth0 CNI_PATH=$CNI_PATH "$BUILD/addrpool" <"$NETCONFPATH/net.conf"
	metrics
	[ "$(value ipvlan_cni_calls_total plugin=addrpool verb=ADD code=0)" = 1 ]
}

@test "a repair counts for the program that made it" {
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	ip route del 10.138.36.2
	ctl repair --dry-run
	metrics
	[ "$(value ipvlan_cni_repairs_total by=ipvlanctl result=mended)" = 0 ]
	ctl repair
	ip route del 10.138.36.2
	pod b net # this ADD restores an object of the other pod
	metrics
	[ "$(value ipvlan_cni_repairs_total by=ipvlanctl result=mended)" = 1 ]
	[ "$(value ipvlan_cni_repairs_total by=add result=mended)" = 1 ]
	[ "$(value ipvlan_cni_repairs_total by=ipvlan-node result=mended)" = 0 ]
}

# uncounted COMMAND: calls work after COMMAND has damaged the file of the counters.
uncounted() {
	configured net "$(conf)"
	pod a net
	eval "$1"
	pod b net
	cni DEL "$(cat "$NETCONFPATH/net.conf")" a
	succeeds
	[ "$stderr" = "" ]
	ctl status
	says ok pods '1, and'
}

@test "a call works if the counters cannot be written" {
	local file=/run/cni/ipvlan.counters.1
	uncounted "rm $file && mkdir $file"
}

@test "a call works if the counters' file is a pipe or a link" {
	local file=/run/cni/ipvlan.counters.1
	uncounted "rm $file && mkfifo $file"
	rm $file
	cni DEL "$(cat "$NETCONFPATH/net.conf")" b
	touch /run/elsewhere
	ln -sf /run/elsewhere $file
	cni DEL "$(cat "$NETCONFPATH/net.conf")" b
	succeeds
	[ ! -s /run/elsewhere ]
}

@test "a counters' file that is too short, or has holes, is filled first" {
	local file=/run/cni/ipvlan.counters.1
	uncounted "truncate -s 0 $file"
	says ok calls '2 since'
	truncate -s 0 $file
	truncate -s 4096 $file
	cni DEL "$(cat "$NETCONFPATH/net.conf")" b
	succeeds
	ctl status
	says ok calls '1 since'
}

@test "if /run is full, nothing is counted, and calls succeed" {
	mkdir -p /run/cni
	mount -t tmpfs -o size=64k tmpfs /run/cni
	configured net "$(conf)"
	pod a net
	truncate -s 0 /run/cni/ipvlan.counters.1
	truncate -s 4096 /run/cni/ipvlan.counters.1
	head -c 1M /dev/zero >/run/cni/full || : # as much as fits
	cni DEL "$(cat "$NETCONFPATH/net.conf")" a
	local code=$status said=$output
	umount /run/cni
	[ "$code" = 0 ] || { echo "$code $said"; return 1; }
}

@test "wrong arguments, and no root" {
	local arguments
	for arguments in 'status --jsn' 'status --json --prometheus' 'status x'; do
		# shellcheck disable=SC2086 # several words
		ctl $arguments
		[ "$status" = 2 ]
		[[ $stderr = *'usage: ipvlanctl status'* ]]
	done
	install -m 755 "$BUILD/ipvlanctl" /run/ipvlanctl
	run --separate-stderr setpriv --reuid 65534 --clear-groups /run/ipvlanctl status
	[ "$status" = 2 ]
}
