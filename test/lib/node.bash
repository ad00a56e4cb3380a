# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A node of Kubernetes and its control plane, in a guest: kube-apiserver, kube-controller-manager,
# kube-scheduler, kube-proxy, kubelet, on containerd. For those who include runtimes.bash and kubernetes.bash.
#
#	node_start        with no pod network yet; kubectl then asks as admin
#	node_stop
#	until_true COMMAND...   waits for a minute or two
#	node_logs         what its programs complain of
#	node_is_ready
#	proxy_start OPTION...   another kube-proxy in place of the one that runs
#	deploy, pods_of   web servers, and what they have
#	reach_each_other NAME   two of them, the node and the LAN
#	service_answers POD ADDRESS   to another pod, to the pod itself and to the node

NODE_DIR=/run/runtimes/node # below $RUNTIMES_DIR
NODE_IP=10.138.36.58
DNS_IP=10.96.0.10

# kubelet requires the processor's speed, which User-Mode Linux does not report.
tell_speed() {
	{ cat /proc/cpuinfo && echo 'cpu MHz : 1000.000'; } >$NODE_DIR/cpuinfo
	mount --bind $NODE_DIR/cpuinfo /proc/cpuinfo
}

# Settings for a machine that is only for this test: no authorization, swap is on, little memory is free.
kubelet_conf() {
	cat >$NODE_DIR/kubelet.yaml <<-CONF
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		authentication:
		  anonymous: {enabled: false}
		  webhook: {enabled: false}
		  x509: {clientCAFile: $KUBE_DIR/certs/ca.crt}
		authorization: {mode: AlwaysAllow}
		containerRuntimeEndpoint: unix://$CONTAINERD_ADDRESS
		cgroupDriver: cgroupfs
		clusterDomain: cluster.local
		clusterDNS: [$DNS_IP]
		failSwapOn: false
		localStorageCapacityIsolation: false
		makeIPTablesUtilChains: false
		evictionHard: {memory.available: 1Mi}
		syncFrequency: 5s
		fileCheckFrequency: 5s
	CONF
}

# node_program NAME OPTION...
node_program() {
	setpriv --pdeathsig KILL "$KUBERNETES/$1" "${@:2}" >"$NODE_DIR/$1.log" 2>&1 3>&- &
	NODE_PIDS+=" $!"
}

# proxy_start OPTION...: kube-proxy with these options, in place of the one before
proxy_start() {
	[ -z "${PROXY_PID:-}" ] || { kill -KILL "$PROXY_PID" && wait "$PROXY_PID"; } 2>/dev/null || :
	node_program kube-proxy --kubeconfig $NODE_DIR/admin.kubeconfig --hostname-override node --conntrack-max-per-core 0 \
		--conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0 "$@"
	export PROXY_PID=$!
}

node_start() {
	local admin=$NODE_DIR/admin.kubeconfig
	mkdir -p $NODE_DIR
	KUBERNETES=$("$TOP/test/cluster/get-kubernetes")
	tell_speed
	sysctl -qw net.ipv4.ip_forward=1 # as on all nodes
	# pods and addrpool-claim find the server by its Service, 10.96.0.1
	SERVER_NAMES=",IP:$NODE_IP,IP:10.96.0.1" kubernetes_start $NODE_DIR/kubernetes --bind-address 0.0.0.0 --advertise-address $NODE_IP --kubelet-client-certificate $NODE_DIR/kubernetes/certs/admin.crt \
		--kubelet-client-key $NODE_DIR/kubernetes/certs/admin.key --kubelet-preferred-address-types InternalIP
	sed 's/namespace: kube-system/namespace: default/' "$KUBE_DIR/admin.kubeconfig" >$admin
	export KUBERNETES KUBECONFIG=$admin PATH=$KUBERNETES:$PATH
	node_program kube-controller-manager --kubeconfig $admin --leader-elect=false --root-ca-file "$KUBE_DIR/certs/ca.crt" \
		--service-account-private-key-file "$KUBE_DIR/certs/accounts.key"
	node_program kube-scheduler --kubeconfig $admin --leader-elect=false
	proxy_start --proxy-mode iptables --masquerade-all
	kubelet_conf
	node_program kubelet --config $NODE_DIR/kubelet.yaml --kubeconfig $admin --root-dir $NODE_DIR/kubelet \
		--cert-dir $NODE_DIR/kubelet-certs --hostname-override node --node-ip $NODE_IP -v 2
	until_true kubectl get node node
}

node_stop() {
	# shellcheck disable=SC2086 # words
	[ -z "${NODE_PIDS:-}" ] || { kill -KILL $NODE_PIDS && wait $NODE_PIDS; } 2>/dev/null || :
	kubernetes_stop
}

until_true() {
	local end=$((SECONDS + ${PATIENCE:-400})) # on a busy machine with two processors
	until "$@" >$NODE_DIR/last 2>&1; do
		[ $SECONDS -lt $end ] || {
			echo "never: $*"
			cat $NODE_DIR/last
			node_logs
			return 1
		}
		sleep 0.5
	done
}

node_logs() {
	local log
	for log in "$NODE_DIR"/*.log; do
		echo "-- ${log##*/}"
		grep '^[EF]' "$log" | tail -n 5
		tail -n 3 "$log"
	done
}

no_container() {
	! pgrep -f containerd-shim
}

node_is_ready() {
	kubectl get node node | grep -q ' Ready'
}

# deploy NAME REPLICAS [ANNOTATIONS [NAMESPACE]]: web servers, which answer their name; the kubelet probes whether they are ready
deploy() {
	kubectl apply -n "${4:-default}" -f - <<-YAML
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: $1}
		spec:
		  replicas: $2
		  selector: {matchLabels: {app: $1}}
		  template:
		    metadata:
		      labels: {app: $1}
		      annotations: {${3:-}}
		    spec:
		      terminationGracePeriodSeconds: 1
		      containers:
		      - name: web
		        image: docker.io/local/busybox:1
		        command: [sh, -c, 'hostname >/tmp/index.html; hostname >/tmp/ready; exec httpd -f -h /tmp']
		        readinessProbe: {httpGet: {port: 80, path: /ready}, periodSeconds: ${PROBE_SECONDS:-1}, timeoutSeconds: 5}
	YAML
	deployed "$1" "${4:-default}"
}

# deployed NAME [NAMESPACE]: waits until all pods are ready
deployed() {
	until_true kubectl rollout status -n "${2:-default}" "deployment/$1" --timeout=1s
}

# pods_of NAME FIELD: prints the field of each pod of the deployment
pods_of() {
	kubectl get pods -l "app=$1" -o jsonpath="{range .items[*]}{$2}{\"\\n\"}{end}"
}

# reach_each_other NAME: the first two pods of the deployment, the node and the LAN
reach_each_other() {
	local pods addresses
	mapfile -t pods < <(pods_of "$1" .metadata.name)
	mapfile -t addresses < <(pods_of "$1" .status.podIP)
	[ "$(kubectl exec "${pods[0]}" -- wget -qO- "http://${addresses[1]}")" = "${pods[1]}" ]
	kubectl exec "${pods[1]}" -- ping -c 1 -W 3 "${addresses[0]}"
	kubectl exec "${pods[0]}" -- ping -c 1 -W 3 "$NODE_IP"
	kubectl exec "${pods[0]}" -- ping -c 1 -W 3 39.156.66.10
	[ "$(curl -sm 5 "http://${addresses[0]}")" = "${pods[0]}" ]
	[ "$(ip netns exec lan curl -sm 5 "http://${addresses[0]}")" = "${pods[0]}" ]
}

# service_answers POD ADDRESS: the Service, whose only pod this is, to the deployment client, to the pod itself and to the node
service_answers() {
	[ "$(timeout 10 kubectl exec deployment/client -- wget -qO- "http://$2")" = "$1" ] &&
		[ "$(timeout 10 kubectl exec "$1" -- wget -qO- "http://$2")" = "$1" ] && [ "$(curl -sm 5 "http://$2")" = "$1" ]
}
