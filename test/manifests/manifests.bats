#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The manifests and the Helm chart of conf-examples/kubernetes, as kube-apiserver accepts them; and what the token of a
# node may do.

export CLUSTER=kubernetes
load ../lib/cluster

EXAMPLES=$TOP/conf-examples/kubernetes

setup_file() {
	KUBERNETES=$("$TOP/test/cluster/get-kubernetes")
	HELM=$("$TOP/test/manifests/get-helm")
	export KUBERNETES HELM
	kubernetes_start "$BATS_FILE_TMPDIR/kubernetes"
	export KUBECONFIG=$KUBE_DIR/admin.kubeconfig API_URL=$KUBE_URL API_DIR=$KUBE_DIR API_PID=$KUBE_PID API_ETCD=$ETCD_PID
	"$KUBERNETES/kubectl" apply -f "$TOP/test/runtimes/multus-crd.yaml"
	"$KUBERNETES/kubectl" wait --for condition=Established crd --all --timeout=60s
}

teardown_file() {
	kill "$API_PID" "$API_ETCD"
}

setup() {
	PATH=$KUBERNETES:$PATH KUBE_URL=$API_URL KUBE_DIR=$API_DIR
}

# There is no controller that would delete a namespace: what tests make stays.
the_namespace() {
	kubectl create namespace ipvlan-cni --dry-run=client -o yaml | kubectl apply -f -
}

# kustomized SET-UP [COMPONENT]: on standard output
kustomized() {
	local directory=$BATS_TEST_TMPDIR/examples
	rm -rf "$directory"
	cp -r "$EXAMPLES" "$directory"
	[ -z "${2:-}" ] || printf 'components: [../%s]\n' "$2" >>"$directory/$1/kustomization.yaml"
	kubectl kustomize "$directory/$1"
}

# accepted FILE: by the server, which warns of nothing
accepted() {
	the_namespace # objects require it
	run kubectl apply --dry-run=server --validate=strict -f "$1"
	echo "$output"
	[ "$status" = 0 ]
}

# daemonset FILE EXPRESSION: of the DaemonSet as the server would store it
daemonset() {
	kubectl apply --dry-run=server -f "$1" -o json | jq -r ".items[] | select(.kind == \"DaemonSet\") | $2"
}

# options FILE: of ipvlan-node, in an order of their own
options() {
	daemonset "$1" '.spec.template.spec.containers[0].args | sort[]'
}

# known FILE: ipvlan-node knows its options; nothing is there to do for it
known() {
	local options
	mapfile -t options < <(options "$1" | sed 's,=/.*,=/nowhere/x,')
	run timeout 5 "$BUILD/ipvlan-node" "${options[@]}" extra
	[ "$status" = 2 ]
	[[ $output = *'arguments that are not options'* ]]
}

values() {
	cat <<-YAML
		sharedPool: true
		network:
		  template: |
		    $(jq -c . "$EXAMPLES/shared-l2/10-ipvlan.conflist")
	YAML
}

@test "kube-apiserver accepts each set-up, also with the component watch, and ipvlan-node its options" {
	local name component
	for name in shared-l2 l3-bird programs multus; do
		for component in '' watch; do
			kustomized $name $component >"$BATS_TEST_TMPDIR/$name.yaml"
			accepted "$BATS_TEST_TMPDIR/$name.yaml"
			known "$BATS_TEST_TMPDIR/$name.yaml"
		done
	done
}

@test "the container has no capability, no shell and no more of the machine than it requires" {
	kustomized shared-l2 >"$BATS_TEST_TMPDIR/file"
	the_namespace
	[ "$(daemonset "$BATS_TEST_TMPDIR/file" '.spec.template.spec | [.hostNetwork, .hostPID, .hostIPC, .automountServiceAccountToken,
		([.volumes[].hostPath.path // empty] | join(" ")), (.containers[0].securityContext | .allowPrivilegeEscalation, .privileged,
		.readOnlyRootFilesystem, .capabilities.drop[0], .capabilities.add, .seccompProfile.type),
		.containers[0].resources.limits.memory] | map(tostring) | join(",")')" = \
		'true,null,null,false,/opt/cni/bin /etc/cni/net.d /var/lib/ipvlan-node,false,null,true,ALL,null,RuntimeDefault,64Mi' ]
	[ "$(daemonset "$BATS_TEST_TMPDIR/file" '.spec.updateStrategy.rollingUpdate | [.maxSurge, .maxUnavailable] | map(tostring) | join(",")')" = '10%,0' ]
}

@test "the chart: Helm and kube-apiserver accept each variant, and the schema refuses what is wrong" {
	local options wrong
	values >"$BATS_TEST_TMPDIR/values.yaml"
	"$HELM" lint --strict "$EXAMPLES/chart" -f "$BATS_TEST_TMPDIR/values.yaml"
	for options in '' "-f $BATS_TEST_TMPDIR/values.yaml" "-f $BATS_TEST_TMPDIR/values.yaml --set watch.enabled=true" \
		'--set directories.bin=/var/lib/rancher/k3s/data/cni --set image.tag=x --set architectures={arm64} --set maxSurge=3 --set imagePullSecrets[0].name=x'; do
		# shellcheck disable=SC2086 # words
		"$HELM" template --kube-version 1.33.4 ipvlan-cni "$EXAMPLES/chart" -n ipvlan-cni $options >"$BATS_TEST_TMPDIR/chart.yaml"
		accepted "$BATS_TEST_TMPDIR/chart.yaml"
		known "$BATS_TEST_TMPDIR/chart.yaml"
	done
	for wrong in directories.bin=x "architectures={mips}" watch.gcSeconds=1 watch.listen=x image.repositry=x maxSurge=x network.fileName=a/b.conf; do
		run "$HELM" template --kube-version 1.33.4 ipvlan-cni "$EXAMPLES/chart" --set $wrong
		[ "$status" != 0 ]
		[[ $output = *schema* ]]
	done
}

@test "the chart and the set-up with a shared pool say the same" {
	the_namespace
	values >"$BATS_TEST_TMPDIR/values.yaml"
	"$HELM" template --kube-version 1.33.4 ipvlan-cni "$EXAMPLES/chart" -n ipvlan-cni -f "$BATS_TEST_TMPDIR/values.yaml" >"$BATS_TEST_TMPDIR/chart.yaml"
	kustomized shared-l2 >"$BATS_TEST_TMPDIR/set-up.yaml"
	[ "$(options "$BATS_TEST_TMPDIR/chart.yaml" | grep -v keep-dir)" = "$(options "$BATS_TEST_TMPDIR/set-up.yaml")" ]
	local spec='.spec.template.spec | .volumes |= sort_by(.name) | .containers[0] |= (del(.args) | .volumeMounts |= sort_by(.name))'
	diff <(daemonset "$BATS_TEST_TMPDIR/chart.yaml" "$spec") <(daemonset "$BATS_TEST_TMPDIR/set-up.yaml" "$spec")
}

# resources: each of the server's, as "PATH NAME NAMESPACED"
resources() {
	local version
	for version in api/v1 $(kube GET /apis | jq -r '.groups[].preferredVersion.groupVersion | "apis/" + .'); do
		kube GET "/$version" | jq -r --arg path "/$version" '.resources[] | select(.name | contains("/") | not) | "\($path) \(.name) \(.namespaced)"'
	done
}

# attempts: requests, as "METHOD PATH", of all kinds about each resource in three namespaces
attempts() {
	local path name namespaced namespace place
	while read -r path name namespaced; do
		for namespace in ipvlan-cni kube-system default; do
			place=$path/namespaces/$namespace/$name
			[ "$namespaced" = true ] || place=$path/$name
			printf '%s\n' "GET $place" "GET $place/x" "POST $place" "PUT $place/x" "PATCH $place/x" "DELETE $place/x" "DELETE $place"
		done
	done | sort -u
}

# asked TOKEN: each request of standard input, with the status of its answer
asked() {
	local method path next=''
	while read -r method path; do
		printf '%surl = "%s%s"\nrequest = %s\nheader = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\ndata = "{}"\n' \
			"$next" "$KUBE_URL" "$path" "$method" "$1"
		printf 'cacert = "%s"\noutput = /dev/null\nwrite-out = "%s %s %%{http_code}\\n"\n' "$KUBE_DIR/certs/ca.crt" "$method" "$path"
		next=$'next\n'
	done | curl -s -K -
}

@test "the token of a node: all that it does not require is forbidden, tried for each kind of object" {
	local token allowed
	kustomized shared-l2 | kubectl apply -f -
	token=$(kubectl create token ipvlan-node -n ipvlan-cni)
	[ "$(kubectl auth can-i --list --no-headers -n ipvlan-cni --as system:serviceaccount:ipvlan-cni:ipvlan-node | grep -v '^ \|^self' | sed 's/  */ /g')" = \
		'leases.coordination.k8s.io [] [] [get list create update delete]' ]
	resources | attempts | asked "$token" >"$BATS_TEST_TMPDIR/answers"
	echo "# requests: $(wc -l <"$BATS_TEST_TMPDIR/answers")" >&3
	[ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" -gt 500 ]
	# what anybody may ask about himself, and the Leases
	allowed=$(grep -v ' 403$' "$BATS_TEST_TMPDIR/answers" | grep -vE '^POST /apis/(authorization|authentication).k8s.io/v1/self[a-z]*reviews ' | cut -d' ' -f1,2 | sort)
	[ "$allowed" = "$(printf '%s\n' {GET,POST}" /apis/coordination.k8s.io/v1/namespaces/ipvlan-cni/leases" \
		{DELETE,GET,PUT}" /apis/coordination.k8s.io/v1/namespaces/ipvlan-cni/leases/x" | sort)" ]
}

# node_rights: of a node's account about Node objects
node_rights() {
	kubectl auth can-i --list --no-headers -n ipvlan-cni --as "system:serviceaccount:ipvlan-cni:$1" | sed -n 's/^nodes  *//p' | sed 's/  */ /g'
}

@test "ownedByNode and nodesGone: the file of rights, and readNodes of the chart, let a node read a Node object and no more" {
	local account rights=$TOP/conf-examples/addrpool-kubernetes-nodes-rbac.json
	kustomized shared-l2 | kubectl apply -f -
	kubectl apply -f "$rights"
	for account in ipvlan-node addrpool; do
		[ "$(node_rights $account)" = '[] [] [get]' ]
	done
	kubectl delete -f "$rights"
	[ -z "$(node_rights ipvlan-node)" ]
	values >"$BATS_TEST_TMPDIR/values.yaml"
	"$HELM" template --kube-version 1.33.4 ipvlan-cni "$EXAMPLES/chart" -n ipvlan-cni -f "$BATS_TEST_TMPDIR/values.yaml" \
		--set readNodes=true -s templates/leases.yaml >"$BATS_TEST_TMPDIR/chart.yaml"
	kubectl apply -f "$BATS_TEST_TMPDIR/chart.yaml"
	[ "$(node_rights ipvlan-node)" = '[] [] [get]' ]
	kubectl delete -f "$BATS_TEST_TMPDIR/chart.yaml"
}
