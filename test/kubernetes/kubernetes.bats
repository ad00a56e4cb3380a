#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Only Kubernetes: kubeconfigs, rights, Leases.

export CLUSTER=kubernetes
load ../lib/cluster

setup() {
	make_places
	start_engine
}

teardown() {
	stop_engine
}

# engine KUBECONFIG [MORE]: the configuration has this kubeconfig, and these keys.
engine() {
	ENGINE="\"kubernetes\": {${1:+\"kubeconfig\": \"$KUBE_DIR/$1.kubeconfig\"}${2:+${1:+, }$2}}"
	on a '"blockSize": 1, "timeout": 5'
}

lease_names() {
	kube GET "/apis/coordination.k8s.io/v1/namespaces/${1:-kube-system}/leases" | jq -r '.items[].metadata.name' | sort -V | xargs
}

@test "a block is a Lease, and its holder is the node" {
	engine admin
	add c1
	[ "$(lease_names)" = "net-$ADDRESS-32 net-pool" ]
	[ "$(kube GET "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/net-$ADDRESS-32" |
		jq -r '.spec.holderIdentity + " " + .metadata.labels["ipvlan-cni/pool"]')" = "a net" ]
	on a '"blockSize": 4' '"subnet": "fd00:1::/64"'
	ENGINE=${ENGINE/kube-system/default}
	CONF=${CONF/'"name": "net"'/'"name": "six"'}
	add c1
	[[ " $(lease_names) " = *" six-fd00-1-0-0-"*"-126 six-pool "* ]]
}

@test "the example, with a kubeconfig of this test" {
	kube_apply "$TOP/conf-examples/addrpool-kubernetes-rbac.json"
	engine admin
	CONF=$(jq -c --arg kubeconfig "$KUBE_DIR/admin.kubeconfig" --arg dir "$DATA" '{cniVersion, name, ipam: .plugins[0].ipam} |
		.ipam.dataDir = $dir | .ipam.cluster.kubernetes.kubeconfig = $kubeconfig' "$TOP/conf-examples/addrpool-kubernetes.conflist")
	add c1
	[ "$ADDRESS" = 10.138.36.2 ]
	[ "$(lease_names ipvlan-cni)" = 'addrpool-kubernetes-10.138.36.0-28 addrpool-kubernetes-pool' ]
}

@test "certificates in the kubeconfig or in files beside it, a token, a file with one" {
	kube_apply "$TOP/conf-examples/addrpool-kubernetes-rbac.json"
	kube POST /apis/rbac.authorization.k8s.io/v1/namespaces/ipvlan-cni/rolebindings <(
		echo '{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "user"},
			"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "addrpool"},
			"subjects": [{"kind": "User", "name": "addrpool"}]}'
	) >/dev/null
	for how in admin files token tokenfile; do
		engine $how '"namespace": "ipvlan-cni"'
		add $how
	done
	[ "$(claims a | wc -w)" = 4 ]
	drops "$CONF" admin
	drops "$CONF" files
	drops "$CONF" token
	[ "$(claims a | wc -w)" = 2 ]
}

@test "a user without the rights: error 7 with Kubernetes' message, and nothing changes" {
	engine token
	pool ADD "$CONF" c1
	fails 7
	[[ $output = *"$KUBE_URL"*"HTTP 403"*"User \\\"addrpool\\\" cannot"*leases* ]]
	leased ''
	sed -i 's/addrpool-token/wrong/' "$KUBE_DIR/token.kubeconfig"
	pool ADD "$CONF" c1
	fails 7
	[[ $output = *"HTTP 401"* ]]
}

@test "in a pod: its service account, with the rights of the example" {
	local account=$BATS_TEST_TMPDIR/account token what
	kube_apply "$TOP/conf-examples/addrpool-kubernetes-rbac.json"
	echo '{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["https://kubernetes.default.svc"]}}' \
		>"$BATS_TEST_TMPDIR/request"
	token=$(kube POST /api/v1/namespaces/ipvlan-cni/serviceaccounts/addrpool/token "$BATS_TEST_TMPDIR/request" | jq -r .status.token)
	mkdir "$account"
	printf %s "$token" >"$account/token"
	printf ipvlan-cni >"$account/namespace"
	cp "$KUBE_DIR/certs/ca.crt" "$account"
	cat >"$BATS_TEST_TMPDIR/in-pod" <<-WRAP
		#!/bin/sh
		export KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=$KUBE_PORT
		exec unshare -m sh -c 'mount -t tmpfs tmpfs /var/tmp && mkdir -p /var/tmp/run/secrets/kubernetes.io &&
			cp -r $account /var/tmp/run/secrets/kubernetes.io/serviceaccount &&
			mount --rbind /var/tmp/run/ /run && exec $BUILD/addrpool "\$@"' addrpool "\$@"
	WRAP
	chmod +x "$BATS_TEST_TMPDIR/in-pod"
	engine ''
	export PLUGIN=$BATS_TEST_TMPDIR/in-pod
	add c1
	[ "$(lease_names ipvlan-cni)" = "net-$ADDRESS-32 net-pool" ]
	# it cannot reach leader elections, for instance
	for what in leases/kube-scheduler leases/kube-controller-manager; do
		run curl -sm 10 --cacert "$KUBE_DIR/certs/ca.crt" -H "Authorization: Bearer $token" -X DELETE \
			"$KUBE_URL/apis/coordination.k8s.io/v1/namespaces/kube-system/$what"
		[[ $output = *'"code": 403'* ]]
	done
	unset PLUGIN
	pool ADD "$CONF" c2
	fails 7 'ipam.cluster.kubernetes.kubeconfig is missing'
}

@test "a kubeconfig that cannot be used: error 7 or 5 with the reason" {
	engine admin
	local file=$KUBE_DIR/admin.kubeconfig good
	good=$(cat "$file")
	fails_after() { # SED CODE TEXT
		sed "$1" <<<"$good" >"$file"
		pool ADD "$CONF" c1
		fails "$2"
		[[ $output = *"$3"* ]]
	}
	fails_after 's/current-context: .*/current-context: other/' 7 'there is no context with the name in current-context'
	fails_after 's/client-certificate-data: .*/exec: {command: aws}/' 7 'exec and auth-provider of a user are not supported'
	fails_after 's/server: .*//' 7 'has no server'
	fails_after 's/client-key-data: .*/client-key-data: "%%"/' 7 'client-key-data is not base64'
	fails_after 's/^clusters:/clusters: [/' 7 'line '
	fails_after 's/.*//' 7 'the file is empty'
	fails_after 's,server: .*,server: https://127.0.0.1:1,' 11 'Failed to connect to 127.0.0.1'
	rm "$file"
	pool ADD "$CONF" c1
	fails 5
	[[ $output = *"$file: no such file or directory"* ]]
	leased ''
}

@test "names that no Lease can have are refused" {
	engine admin
	CONF=${CONF/'"name": "net"'/'"name": "Net_1"'}
	pool ADD "$CONF" c1
	fails 7 "the pool's name \"Net_1\" cannot be part of a Lease's name"
	[[ $output = *ipam.cluster.pool* ]]
	engine admin '"namespace": "a/b"'
	pool ADD "$CONF" c1
	fails 7 'ipam.cluster.kubernetes.namespace: invalid name'
}

@test "addrpool-claim leaves another program's Lease with the name of a block, and does not claim the block" {
	engine admin
	on a '"blockSize": 16' '"subnet": "10.9.0.0/27"'
	echo '{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "net-10.9.0.0-28"}, "spec": {"holderIdentity": "x"}}' >"$BATS_TEST_TMPDIR/lease"
	kube POST /apis/coordination.k8s.io/v1/namespaces/kube-system/leases "$BATS_TEST_TMPDIR/lease" >/dev/null
	add c1
	[ "$(own)" = 10.9.0.16/28 ]
	for i in {2..15}; do
		add "c$i"
	done
	pool ADD "$CONF" more
	fails 11 'no block of pool net is free'
}

@test "an update of a Lease that somebody has deleted, and perhaps made again, changes nothing" {
	local path=/apis/coordination.k8s.io/v1/namespaces/kube-system/leases
	jq -n '{apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: {name: "other"}, spec: {holderIdentity: "a"}}' >"$KUBE_DIR/object"
	kube POST $path "$KUBE_DIR/object" >"$KUBE_DIR/made"
	kube DELETE $path/other >/dev/null
	# what every update of addrpool-claim contains: test/cluster/answers.bats
	run kube PUT $path/other "$KUBE_DIR/made"
	[[ $output = *'"code": 409'* || $output = *'"code":409'* ]] || { echo "$output"; return 1; }
	run kube GET $path/other
	[[ $output = *NotFound* ]]
	# without uid it would exist now
	jq 'del(.metadata.uid)' "$KUBE_DIR/made" >"$KUBE_DIR/object"
	run kube PUT $path/other "$KUBE_DIR/object"
	[[ $output = *'"uid"'* ]]
}
