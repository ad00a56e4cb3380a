# shellcheck shell=bash disable=SC2034 # for those who include this
# SPDX-License-Identifier: Apache-2.0
# whereabouts, another IPAM plugin for many nodes, on a kube-apiserver; include kubernetes.bash too.
#
#	whereabouts_install FILE      its resources are defined; WHEREABOUTS, below FILE: a program that pool-load can call
#	whereabouts_conf RANGE        a configuration

# It requires the name of the pod.
whereabouts_install() {
	local dir file
	dir=$("$TOP/test/bench/get-whereabouts")
	for file in "$dir"/*.yaml; do
		curl -sf -o /dev/null --cacert "$KUBE_DIR/certs/ca.crt" --cert "$KUBE_DIR/certs/admin.crt" --key "$KUBE_DIR/certs/admin.key" \
			-H 'Content-Type: application/yaml' --data-binary "@$file" "$KUBE_URL/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	done
	until kube GET /apis/whereabouts.cni.cncf.io/v1alpha1/ippools >/dev/null; do
		sleep 0.5
	done
	WHEREABOUTS=$1
	cat >"$WHEREABOUTS" <<-RUN
		#!/bin/sh
		export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=\$CNI_CONTAINERID"
		exec $dir/whereabouts 2>/dev/null
	RUN
	chmod +x "$WHEREABOUTS"
	jq -n --arg config "$KUBE_DIR/admin.kubeconfig" '{ log_level: "error", kubernetes: { kubeconfig: $config } }' >"$WHEREABOUTS.conf"
}

whereabouts_conf() {
	jq -n --arg flat "$WHEREABOUTS.conf" --arg range "$1" '{ cniVersion: "1.0.0", name: "bench",
		type: "bench", ipam: { type: "whereabouts", range: $range, configuration_path: $flat } }'
}
