#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlanctl show: lists pods with their interfaces and their objects on the host.

load ../lib/ctl

@test "without pods and networks it prints that" {
	ctl show
	succeeds
	[ "$output" = 'There is no ipvlan interface, and no network of ipvlan.' ]
	ctl show --json
	succeeds
	[ "$(result '.masters, .lost, .pools, .networks, .problems' | paste -sd' ')" = '[] [] [] [] []' ]
	[ "$(result .node)" = "$(hostname)" ]
	[ "$stderr" = "" ]
}

# named NAMESPACE NAME POD CONF: a pod with a name of Kubernetes.
named() {
	CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=$1;K8S_POD_NAME=$2" pod "$3" "$4"
}

@test "a table: counts, networks, and pods by their names" {
	configured net "$(conf '{"hostAccess":true}')"
	named shop web-1 a net
	CONTAINER=5b1cf6ad91e25b1cf6ad91e25b1cf6ad91e25b1cf6ad91e25b1cf6ad91e25b1c pod b net
	ctl show
	succeeds
	[ "${lines[0]}" = "$(hostname):  2 pods ok  0 warnings  0 errors" ]
	[ "${lines[1]}" = 'NETWORK  MASTER  MODE       PODS  FREE   POOL' ]
	[ "${lines[2]}" = 'net      eth0    l2 bridge  2     37/39  10.138.36.2-10.138.36.40' ]
	[[ ${lines[3]} =~ ^'   POD, INTERFACE          NETWORK  ADDRESS      AGE'\ +STATE$ ]]
	[[ ${lines[4]} =~ ^'|- 5b1cf6ad91e2 eth0 in b  net      10.138.36.3  '[0-9]+[sm]\ +ok$ ]]
	[[ ${lines[5]} =~ ^'`- shop/web-1 eth0         net      10.138.36.2  '[0-9]+[sm]\ +ok$ ]]
	[ ${#lines[@]} = 6 ]
	[ "$stderr" = "" ]
}

@test "a fault is printed with its remedy, in the table and at its end" {
	configured net "$(conf '{"hostAccess":true}')"
	named shop web-1 a net
	pod b net
	ip route del 10.138.36.2
	ip netns del b
	ctl show
	succeeds
	[ "${lines[0]}" = "$(hostname):  0 pods ok  1 warning  1 error" ]
	tells '2 (1 lost)  38/39' 'damaged -> repair' 'lost -> gc'
	[ "${lines[-4]}" = 'error    shop/web-1: the host lacks "route to 10.138.36.2/32 dev eth0 src 10.138.36.58"' ]
	[ "${lines[-3]}" = '         -> ipvlanctl repair restores it' ]
	[ "${lines[-2]}" = 'warning  b: its network namespace is gone' ]
	[ "${lines[-1]}" = '         -> ipvlanctl gc --yes releases what it holds' ]
	ctl repair
	ctl gc --yes
	ctl show
	[ "${lines[0]}" = "$(hostname):  1 pod ok  0 warnings  0 errors" ]
}

@test "a pod whose interface is down, or lacks its address, is damaged" {
	configured net "$(conf)"
	named shop web-1 a net
	ip -n a link set eth0 down
	ctl show
	tells 'damaged -> restart' 'error    shop/web-1: its interface is down' '-> restart the pod'
	ip -n a link set eth0 up
	ip -n a addr del 10.138.36.2/23 dev eth0
	ctl show
	tells 'damaged -> restart' 'error    shop/web-1: its interface lacks the address 10.138.36.2'
}

@test "an unleased address of a pod counts as used, and is an error" {
	configured net "$(conf '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.5"}]]}}')"
	pod a net
	rm /var/lib/cni/networks/net/10.*
	ctl show
	tells '3/4' 'error    a: its address 10.138.36.2 is not leased, and another pod may get it'
}

@test "a master that is down, and a pool that is nearly full" {
	configured net "$(conf '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.2"}]]}}')"
	pod a net
	ip link set eth0 down
	ctl show
	[ "${lines[0]}" = "$(hostname):  0 pods ok  1 warning  1 error" ]
	tells 'error    eth0: the master is down: its pods reach nothing' '-> ip link set eth0 up' \
		'warning  net: 1 of 1 addresses of 10.138.36.2-10.138.36.2 are in use' '-> make the range larger'
}

@test "a pool without a lease file is empty, and the pool of another plugin is not counted" {
	configured net "$(conf)"
	configured other "$(conf "$(static 10.138.36.77/23)" '{"name":"other"}')"
	ctl show
	[[ $output =~ net\ +eth0\ +l2\ +0\ +39/39\ +10.138.36.2-10.138.36.40 ]]
	[[ $output =~ other\ +eth0\ +l2\ +0\ +-\ +addresses\ of\ static ]]
}

@test "a network of libcni's cache, as from Multus, is listed with its pool" {
	local nad
	nad=$(conf '{"name":"nad","ipam":{"type":"addrpool"}}')
	add "$nad" a
	cached nad "$nad" a
	CACHE=/var/lib/cni/cache/results cached older "$(conf '{"name":"older","ipam":{"type":"addrpool"}}')" b
	ctl show
	[[ $output =~ nad\ +eth0\ +l2\ bridge\ +1\ +38/39\ +10.138.36.2-10.138.36.40 ]]
	[[ $output =~ older\ +eth0\ +l2\ +0\ +39/39 ]]
	[ "$stderr" = "" ]
}

@test "files in the runtime's cache that are no results are ignored" {
	mkdir -p /var/lib/cni/results
	cached net 'no JSON' a
	echo '{' >/var/lib/cni/results/half
	mkfifo /var/lib/cni/results/pipe
	ln -s /dev/zero /var/lib/cni/results/link
	truncate -s 2M /var/lib/cni/results/large
	jq -n '{ networkName: "x", config: "%%%" }' >/var/lib/cni/results/bytes
	ctl show
	succeeds
	[ "$output" = 'There is no ipvlan interface, and no network of ipvlan.' ]
}

@test "an argument selects one pod, container, network, address or master" {
	local what
	configured net "$(conf)"
	configured vlan "$(conf '{"name":"storage","vlan":100,"ipam":{"ranges":[[{"subnet":"10.200.0.0/24"}]],"routes":[]}}')"
	named shop web-1 a net
	CONTAINER=abcdef0123 NETNS=/run/netns/b pod b vlan
	for what in shop/web-1 web-1 a net 10.138.36.2 eth0; do
		ctl show "$what"
		succeeds
		tells shop/web-1
		[[ $output != *abcdef0123* && $output != *storage* ]] || { echo "$what: $output"; return 1; }
	done
	for what in abcdef0123 abcd storage 10.200.0.2 eth0.100; do
		ctl show "$what"
		succeeds
		tells abcdef0123
		[[ $output != *web-1* ]] || { echo "$what: $output"; return 1; }
	done
	ctl show --json abcd
	[ "$(result '[.masters[].pods[].container], [.networks[].name], [.pools[].network]' | paste -sd' ')" = '["abcdef0123"] ["storage"] ["storage"]' ]
	ctl show -v web-1
	tells 'shop/web-1 eth0, network net, container a, for '
}

@test "if nothing matches, it prints that, with exit status 1" {
	configured net "$(conf)"
	pod a net
	ctl show web-2
	[ "$status" = 1 ]
	[ "$output" = "" ]
	[ "$stderr" = 'ipvlanctl: there is no pod, container, network, address or master "web-2"' ]
}

@test "300 pods in a table of 80 columns, long names cut in their middle, and each IPv6 address in a line of its own" {
	local i
	configured net "$(conf '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.70"}],[{"subnet":"fd00:9::/64"}]]}}')"
	for i in {1..300}; do echo "netns add p$i"; done | ip -batch -
	for i in {1..300}; do
		NETNS=/run/netns/p$i named production "checkout-frontend-with-a-long-name-7d9f8b6c5-x$i" "p$i" net
	done
	ip netns del p7
	ctl show
	succeeds
	[ "${lines[0]}" = "$(hostname):  299 pods ok  1 warning  0 errors" ]
	[ "$(grep -c '^.- production/.*~.*-x[0-9]* .* ok$' <<<"$output")" = 299 ]
	[ "$(grep -c '^|* *fd00:9::[0-9a-f]*$' <<<"$output")" = 300 ]
	[ "$(sed '$d' <<<"$output" | grep -v '^warning' | awk 'length > 80' | wc -l)" = 0 ]
	COLUMNS=140 ctl show
	tells 'production/checkout-frontend-with-a-long-name-7d9f8b6c5-x42 '
}

@test "-v is a tree: the master, its pods, their addresses and routes, objects on the host, pools" {
	configured net "$(conf '{"hostAccess":true}')"
	named shop web-1 a net
	ctl show -v
	succeeds
	tells "eth0  l2 bridge, MTU 1500, the host has 10.138.36.58/23, fd00:36::58/64, its gateway is 10.138.36.66, anchor ipva$(cat /sys/class/net/eth0/ifindex) (down)" \
		'`- shop/web-1 eth0, network net, container a, for ' \
		'/run/netns/a  10.138.36.2/23  default via 10.138.36.1' \
		'ok       hairpin dev eth0, route to 10.138.36.2/32 dev eth0 src 10.138.36.58' \
		'net      [#...................]   3%  1 of 39  10.138.36.2-10.138.36.40'
	[ "$stderr" = "" ]
}

@test "it prints a default route without a gateway, and a VLAN with its parent" {
	configured net "$(conf "$(static 10.200.0.2/24 '[{"dst":"0.0.0.0/0"}]')" '{"mode":"l3","vlan":100}')"
	pod a net
	ctl show -v
	tells 'eth0.100  l3 bridge, MTU 1500, VLAN 100 of eth0' 'default route without a gateway'
}

@test "deleted objects on the host are missing" {
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	ip route del 10.138.36.2
	ctl show -v
	tells 'missing  route to 10.138.36.2/32'
	ctl show --json
	[ "$(result '[.masters[0].pods[0].objects[] | select(.found | not).object[:8]]')" = '["route to"]' ]
}

@test "slaves of other programs are shown as such, also on the host" {
	ip link add link eth0 name theirs type ipvlan mode l3 private
	ip link add link eth0 name more netns a type ipvtap mode l3 private
	ctl show -v
	tells 'eth0  l3 private, MTU 1500' "|- theirs is of another program, or the plugin's records of it are lost, down" \
		"the namespace of the host" '`- more is of another program' /run/netns/a
	ctl show
	[ "${lines[0]}" = "$(hostname):  0 pods ok  0 warnings  0 errors  2 of other programs" ]
	[[ $output =~ '(host) theirs'\ +-\ +-\ +-\ +other\ program ]]
}

@test "a master inside a pod, by linkInContainer" {
	ip link add inner netns a type dummy
	ip -n a link set inner up
	add "$(conf '{"master":"inner","linkInContainer":true,"mode":"l3"}')" a net1
	ctl show -v
	tells 'inner in /run/netns/a  l3 bridge, MTU 1500' '`- a net1, network net'
}

@test "a namespace without a name is shown by a process in it" {
	local pid
	unshare -n sleep 1000 3>&- &
	pid=$!
	until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
	configured net "$(conf)"
	NETNS=/proc/$pid/ns/net pod a net
	ctl show -v
	kill $pid
	tells 'a eth0, network net' "namespace of pid $pid  10.138.36.2/23"
}

@test "an attachment whose namespace is gone" {
	configured net "$(conf)"
	pod a net
	ip netns del a
	ctl show -v
	tells 'pods without an interface' '`- a eth0, network net, for ' '/run/netns/a  10.138.36.2' \
		'lost     its network namespace is gone' '0 of 39  10.138.36.2-10.138.36.40  and 1 of pods that are gone'
	ctl show --json
	[ "$(result '.lost[0] | .container, .state, .condition, .remedy' | paste -sd' ')" = 'a gone lost gc' ]
}

@test "a pod whose namespace's inode number belongs to a later namespace is not taken for that one" {
	local inode
	configured net "$(conf)"
	inode=$(stat -Lc %i /run/netns/a)
	pod a net
	ip netns del a
	until ip netns add a && [ "$(stat -Lc %i /run/netns/a)" = "$inode" ]; do
		ip netns del a
		sleep 0.1
	done
	NETNS=/run/netns/a add "$(cat "$NETCONFPATH/net.conf")" b
	ctl show -v
	tells '`- b eth0, network net' '`- a eth0, network net' 'lost     its network namespace is gone'
}

@test "a deleted interface, in an existing namespace" {
	configured net "$(conf)"
	pod a net
	ip -n a link del eth0
	ctl show
	tells 'damaged -> restart' 'error    a: its interface was deleted' '-> restart the pod'
}

@test "JSON has all facts" {
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	pod b net
	ctl show --json
	succeeds
	[ "$(result '.masters[] | .name, .mode, .flag, .mtu, .up, .anchor.up, .namespace' | paste -sd' ')" = \
		'eth0 l2 bridge 1500 true false null' ]
	[ "$(result '[.masters[0].pods[] | .container, .network, .interface, .addresses, .defaultRoutes]')" = \
		'["a","net","eth0",["10.138.36.2/23"],["10.138.36.1"],"b","net","eth0",["10.138.36.3/23"],["10.138.36.1"]]' ]
	[ "$(result '.masters[0].pods[0].namespace | .path, .inode' | paste -sd' ')" = \
		"/run/netns/a $(stat -Lc %i /run/netns/a)" ]
	[ "$(result '.pools[0] | .network, .rangeSets[0].leased' | paste -sd' ')" = 'net 2' ]
}

# node TEXT: prints the name of the drawing's node whose label has the text.
node() {
	sed -n "s/^[[:space:]]*\([a-z0-9_]*\) \[.*label=\"[^\"]*$1.*/\1/p" <<<"$output"
}

@test "a drawing: the LAN, the host's master, a VLAN joined to its parent, networks and their pods" {
	configured net "$(conf '{"hostAccess":true}')"
	configured vlan "$(conf '{"name":"storage","vlan":100,"ipam":{"ranges":[[{"subnet":"10.200.0.0/24"}]],"routes":[]}}')"
	named shop web-1 a net
	pod b vlan
	ctl show --dot
	succeeds
	[ "${lines[0]}" = 'graph ipvlan {' ]
	[ "${lines[-1]}" = '}' ]
	tells "host $(hostname)" 'LAN\n10.138.36.0/23\nfd00:36::/64\ngateway 10.138.36.66' 'eth0\n10.138.36.58' 'eth0.100\nVLAN 100' \
		'network net\nl2 bridge, 1 pod, 38 of 39 addresses free' 'shop/web-1\n10.138.36.2' 'b\n10.200.0.2'
	tells "$(node 'LAN.n10.138') -- $(node 'eth0.n10.138')" "$(node 'eth0.n10.138') -- $(node VLAN)" "$(node 'eth0.n10.138') -- $(node web-1)" \
		"$(node VLAN) -- $(node 10.200.0.2)"
	dot -Tsvg <<<"$output" >"$BATS_TEST_TMPDIR/svg"
	grep -q '>shop/web.*1<' "$BATS_TEST_TMPDIR/svg"
}

@test "a drawing of a VLAN whose parent has no pods shows the parent and its LAN" {
	configured vlan "$(conf '{"vlan":100}')"
	pod a vlan
	ctl show --dot
	tells 'label="eth0"' 'label="LAN"' 'parent0 -- master' 'lan_parent0 -- parent0'
}

@test "a drawing shows faults in colours, and lost pods" {
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	pod b net
	ip route del 10.138.36.2
	ip netns del b
	ctl show --dot
	grep -F 'label="a\n10.138.36.2\ndamaged: repair"' <<<"$output" | grep -qF 'color="#c0392b"'
	grep -F 'label="b\n10.138.36.3\nlost: gc"' <<<"$output" | grep -qF 'color="#d68910"'
}

@test "a drawing shows the pods of a large network as one node, except pods with faults" {
	local i
	configured net "$(conf)"
	for i in {1..22}; do echo "netns add p$i"; done | ip -batch -
	for i in {1..22}; do NETNS=/run/netns/p$i named shop "web-$i" "p$i" net; done
	ip netns del p3
	ctl show --dot
	tells 'label="21 pods ok"' 'label="shop/web-3\n10.138.36.4\nlost: gc"'
	[ "$(grep -c shop/web- <<<"$output")" = 1 ]
	dot -Tsvg <<<"$output" >"$BATS_TEST_TMPDIR/svg"
}

@test "JSON has the pod's name, as the runtime passes it, and its age" {
	configured net "$(conf)"
	CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1' pod a net
	CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=db' pod b net
	ctl show --json
	[ "$(result '[.masters[].pods[].pod]')" = '[{"namespace":"shop","name":"web-1"},{"namespace":"","name":"db"}]' ]
	[ "$(result '[.masters[].pods[].age | . >= 0 and . < 1000]')" = '[true,true]' ]
}

@test "a page of an earlier version, without a name, is read; a key of a later version stays" {
	local page
	configured net "$(conf '{"hostAccess":true}')"
	pod a net
	page=$(echo /run/cni/ipvlan/*/pages/a:eth0)
	jq -c 'del(.madeAt, .pod) | .later = [ 1 ]' "$page" >"$BATS_TEST_TMPDIR/page"
	cp "$BATS_TEST_TMPDIR/page" "$page"
	ctl show --json
	succeeds
	[ "$(result '.masters[0].pods[0] | [.container, .pod, .age]')" = '["a",null,null]' ]
	ip link set eth0 address 02:00:00:00:00:99 # so that repair writes the page again
	ip addr del 10.138.36.58/23 dev eth0
	ip addr add 10.138.36.59/23 dev eth0
	ctl repair
	[ "$(jq -c '.later' "$page")" = '[1]' ]
	[ "$(stat -c %s "$page")" != 0 ] && ! cmp -s "$page" "$BATS_TEST_TMPDIR/page"
}

# hostile: a link whose name would colour the terminal, and end a string of dot.
hostile() {
	ip link add link eth0 name $'x\e[31m"];\x01' netns a type ipvlan mode l2
}

@test "hostile names are escaped on the terminal, in the drawing and in JSON" {
	hostile
	ctl show
	tells 'x\x1b[31m"];\x01 '
	[[ $output != *$'\e'* ]]
	ctl show -v
	tells 'x\x1b[31m"];\x01 is of another program'
	[[ $output != *$'\e'* ]]
	ctl show --dot
	tells 'x\\x1b[31m\"];\\x01'
	dot -Tsvg <<<"$output" >/dev/null
	ctl show --json
	[ "$(result '.masters[0].pods[0].interface')" = $'x\e[31m"];\x01' ]
	[[ $output != *$'\e'* ]]
}

@test "a hostile name of a pod is escaped on the terminal and in the drawing" {
	configured net "$(conf)"
	named $'evil\e[2J' $'"]\n\x9b31m' a net
	ctl show
	tells 'evil\x1b[2J/"]\x0a'
	[[ $output != *$'\e'* && $output != *$'\x9b'* ]]
	ctl show --dot
	tells 'evil\\x1b[2J/\"]\\x0a'
	[[ $output != *$'\e'* ]]
	dot -Tsvg <<<"$output" >/dev/null
}

@test "a terminal gets colours and lines, unless NO_COLOR" {
	hostile
	export TERM=xterm LC_ALL=C.UTF-8
	run script -qc "$BUILD/ipvlanctl show -v" /dev/null
	tells $'\e[1meth0\e[0m' '└─ ' 'x\x1b[31m"'
	NO_COLOR=1 run script -qc "$BUILD/ipvlanctl show -v" /dev/null
	[[ $output != *$'\e['[0-9]* ]]
	tells '└─ '
	LC_ALL=C run script -qc "$BUILD/ipvlanctl show -v" /dev/null
	tells '`- '
	run script -qc "$BUILD/ipvlanctl show" /dev/null
	tells $'\e[1m   POD'
}

@test "a terminal shows the current wait in a line that vanishes; a pipe does not" {
	configured net "$(conf)"
	pod a net
	TERM=xterm run script -qc "$BUILD/ipvlanctl show" /dev/null
	tells $'\rlooking at pods and networks\e[K' $'\r\e[K'
	ctl show
	[ "$stderr" = "" ]
}

@test "pods that begin or end during the call are not damaged" {
	local churn i
	configured net "$(conf '{"hostAccess":true}')"
	pod b net
	# each pod has a container of its own, as those of a runtime
	(
		for ((i = 0; ; i++)); do
			ip netns add "p$i"
			pod "p$i" net
			cni DEL "$(cat "$NETCONFPATH/net.conf")" "p$i"
			ip netns del "p$i"
		done
	) >/dev/null 2>&1 3>&- &
	churn=$!
	for i in {1..10}; do
		ctl show
		[[ $output != *damaged* ]] || break
	done
	kill $churn
	wait $churn || :
	[[ $output != *damaged* ]] || { echo "$output"; return 1; }
}

@test "show lists the rest beside an unreadable configuration" {
	configured net "$(conf)"
	pod a net
	jq '.ipam.ranges = []' "$NETCONFPATH/net.conf" >"$NETCONFPATH/a.conf"
	ctl show
	succeeds
	[[ $stderr = *"network net in $NETCONFPATH/a.conf: "*'no IP ranges specified'* ]]
	[[ $output =~ a\ eth0\ +net\ +10.138.36.2\ + ]]
}

@test "without addrpool there are no pools, and a message reports that" {
	configured net "$(conf)"
	mkdir "$BATS_TEST_TMPDIR/sbin"
	cp "$BUILD/ipvlanctl" "$BATS_TEST_TMPDIR/sbin"
	CNI_PATH=/nowhere run --separate-stderr "$BATS_TEST_TMPDIR/sbin/ipvlanctl" show
	succeeds
	[[ $stderr = *'failed to find plugin "addrpool" in path [/nowhere '* ]]
}

@test "it requires root" {
	install -m 755 "$BUILD/ipvlanctl" /run/ipvlanctl
	run --separate-stderr setpriv --reuid 65534 --clear-groups /run/ipvlanctl show
	[ "$status" = 2 ]
	[[ $stderr = 'ipvlanctl: show requires root'* ]]
	run --separate-stderr setpriv --reuid 65534 --clear-groups /run/ipvlanctl --help
	succeeds
}

@test "wrong arguments have their own exit status" {
	local arguments
	for arguments in '' 'shwo' 'show --jsn' 'show --json --dot' 'show a b' 'show -v --json'; do
		# shellcheck disable=SC2086 # several words
		ctl $arguments
		[ "$status" = 2 ]
		[ "$output" = "" ]
		[[ $stderr = *usage:* ]]
	done
	ctl --version
	succeeds
	[[ $output = 'ipvlanctl '*' (git '*')' ]]
}

@test "a failure to write is an error" {
	run --separate-stderr bash -c '"$BUILD/ipvlanctl" show >/dev/full'
	[ "$status" = 2 ]
	[[ $stderr = 'ipvlanctl: cannot write: '* ]]
}

@test "a reader that stops early is not an error" {
	run --separate-stderr bash -o pipefail -c '(sleep 0.5; exec "$BUILD/ipvlanctl" show) | true'
	[ "$status" = 2 ]
	[ "$stderr" = "" ]
}

@test "each pod is listed once, also while links are made and deleted" {
	local i churn
	for i in {1..100}; do echo "link add d$i type dummy"; done | ip -batch -
	for i in {1..10}; do ip link add link eth0 name "s$i" type ipvlan mode l2; done
	timeout 60 bash -c 'while :; do printf "link add churn type dummy\nlink del churn\n%.0s" {1..100} | ip -force -batch -; done' >/dev/null 2>&1 3>&- &
	churn=$!
	for i in {1..5}; do
		ctl show --json
		[ "$status" != 0 ] || [ "$(result '[ .masters[].pods[].interface ] | [ length, (unique | length) ] | join(" ")')" = '10 10' ]
	done
	kill "$churn"
	succeeds
}
