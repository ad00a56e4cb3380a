#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan-node writes the network configuration and the kubeconfig of its node.

load ../lib/cni
load ../lib/ipvlan-node
load ../lib/placing

account() {
	echo "$1" >"$DIR/account/token.new"
	mv "$DIR/account/token.new" "$DIR/account/token"
	echo 'the certificate' >"$DIR/account/ca.crt"
	NODE_OPTIONS+=(--account-dir "$DIR/account" --kubeconfig "$DIR/net.d/ipvlan-cni.kubeconfig")
}

token_is() {
	[ "$(jq -r '.users[0].user.token' "$DIR/net.d/ipvlan-cni.kubeconfig")" = "$1" ]
}

# refused TEXT: the node reports that, is not ready, and the configuration is still that with the address .2
refused() {
	local reason
	soon grep -qF -- "$1" "$SAID"
	reason=$(! is_ready)
	[[ $reason = *"$1"* ]]
	[ "$(placed '.plugins[0].ipam.ranges[0][0].rangeStart')" = 10.138.36.2 ]
	list | template
	soon is_ready
}

@test "the template gets the node's name, links and addresses" {
	from_template
	list '"a": "{{node}}", "b": "{{ipv4}} {{ipv6}}", "c": "{{subnet4}} {{subnet6}}", "d": "{{master by route 10.138.36.66}}",
		"e": "{{master by name nothing,l?,eth*}}", "f": "{{ipv6 by subnet 10.138.0.0/16}}", "g": ["}} {", 1],' | template
	start_node
	soon is_ready
	[ "$(placed '.plugins[0] | [.master, .a, .b, .c, .d, .e, .f, .g[0]] | join(",")')" = \
		'eth0,node7,10.138.36.58 fd00:36::58,10.138.36.0/23 fd00:36::/64,eth0,lo,fd00:36::58,}} {' ]
	[ "$(stat -c %a "$DIR/net.d/10-net.conflist")" = 600 ]
	CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 CNI_PATH=$DIR/bin "$DIR/bin/ipvlan" \
		< <(jq -c '. as $list | .plugins[0] | .name = $list.name | .cniVersion = $list.cniVersion' "$DIR/net.d/10-net.conflist")
}

@test "the plugins accept the templates of conf-examples/kubernetes" {
	local name
	from_template
	for name in shared-l2 l3-bird; do
		template <"$TOP/conf-examples/kubernetes/$name/10-ipvlan.conflist"
		start_node
		soon is_ready
		[ "$(placed '.plugins[0] | [.master, .ipam.cluster.node] | join(" ")')" = 'eth0 node7' ]
		stop_node
	done
}

@test "a template that the plugins refuse, or that is wrong, leaves the configuration as it was" {
	from_template
	list | template
	start_node
	soon is_ready
	list '"mode": "l4",' | template
	refused 'ipvlan refuses the configuration of 10-net.conflist: '
	list '' 10.138.99.2 | template
	refused 'addrpool refuses the configuration of 10-net.conflist: '
	list | sed 's/1.0.0/7.0.0/' | template
	refused '7.0.0'
	list '"x": "{{nonsense}}",' | template
	refused 'the template has "{{nonsense}}", which is not an expression'
	list '"x": "{{master by name wlan*}}",' | template
	refused 'this node has nothing for "{{master by name wlan*}}" of the template'
	echo '{ "plugins": [' >"$DIR/template/10-net.conflist"
	refused "']' expected near end of file"
	[ "$(sort "$SAID" | uniq -d | grep -c refuses)" = 0 ]
}

@test "a change of the template, and of the file by others, is followed; the end restores what was there before" {
	from_template
	echo mine >"$DIR/net.d/10-net.conflist"
	list | template
	start_node
	soon is_ready
	list '' 10.138.36.9 | template
	soon grep -q 10.138.36.9 "$DIR/net.d/10-net.conflist"
	rm "$DIR/net.d/10-net.conflist"
	soon grep -q 10.138.36.9 "$DIR/net.d/10-net.conflist"
	stop_node
	[ "$(cat "$DIR/net.d/10-net.conflist")" = mine ]
}

@test "a master that appears later: the node becomes ready then" {
	from_template
	list | sed 's/{{master}}/{{master by name dummy*}}/' | template
	start_node
	soon grep -q 'this node has nothing for' "$SAID"
	run is_ready
	[ "$status" = 1 ]
	ip link add dummy7 type dummy
	soon is_ready
	[ "$(placed '.plugins[0].master')" = dummy7 ]
}

@test "the kubeconfig has the newest token, and only root can read it" {
	local n
	account first
	KUBERNETES_SERVICE_HOST=fd00::1 KUBERNETES_SERVICE_PORT=443 start_node
	soon is_ready
	token_is first
	[ "$(stat -c %a "$DIR/net.d/ipvlan-cni.kubeconfig")" = 600 ]
	[ "$(jq -r '.clusters[0].cluster | .server, .["certificate-authority-data"]' "$DIR/net.d/ipvlan-cni.kubeconfig" | xargs)" = \
		"https://[fd00::1]:443 $(echo 'the certificate' | base64)" ]
	for n in second third fourth; do
		account $n
		soon token_is $n
	done
	stop_node
	[ ! -e "$DIR/net.d/ipvlan-cni.kubeconfig" ]
}

@test "without the address of the API it says which option has it" {
	account first
	start_node env -u KUBERNETES_SERVICE_HOST
	soon grep -q 'the address of the Kubernetes API is not known; set --server' "$SAID"
	run is_ready
	[ "$status" = 1 ]
}

@test "options that are wrong are refused" {
	local options
	for options in '--gc 3' '--gc x' '--kubeconfig /x' '--account-dir /x' '--server https://x' '--bin-dir x --install-from /y' \
		'--uninstall-last' '--nonsense' '--node' 'uninstall now' '--listen'; do
		# shellcheck disable=SC2086 # words
		run timeout 5 "$BUILD/ipvlan-node" $options
		[ "$status" = 2 ]
		[[ $output = *usage:* ]]
	done
	for options in x 70000 1.2.3.4 a.b:1 1.2.3.4:0; do
		run timeout 5 "$BUILD/ipvlan-node" --listen $options
		[ "$status" = 1 ]
		[[ $output = *'is neither a port nor an address with a port'* ]]
	done
}
