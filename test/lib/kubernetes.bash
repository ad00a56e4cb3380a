# shellcheck shell=bash disable=SC2034 # for those who include this
# SPDX-License-Identifier: Apache-2.0
# A real kube-apiserver with its own etcd, on loopback; include etcd.bash too.
#
#	kubernetes_start DIR [OPTION...]   KUBE_URL, KUBE_DIR, KUBE_PID; and in DIR kubeconfigs of
#	                        admin (in one file), files (with its files beside it), token and tokenfile (the
#	                        user addrpool, who may do nothing at first), expired (a client certificate)
#	kubernetes_stop
#	kube METHOD PATH [FILE] asks as admin, FILE is the body: prints the answer, fails when it is an error
#	kube_apply FILE         creates the objects of a JSON List
#	kube_calls              how many requests about leases it has answered so far

KUBE_DIR='' KUBE_URL='' KUBE_PID='' KUBE_PORT=''

# kube_config NAME CLUSTER-CA USER: a kubeconfig as kubeadm writes it.
kube_config() {
	cat >"$KUBE_DIR/$1.kubeconfig" <<-CONFIG
		apiVersion: v1
		kind: Config
		clusters:
		- name: test
		  cluster:
		    server: $KUBE_URL
		    $2
		contexts:
		- name: user@test
		  context: {cluster: test, user: user, namespace: kube-system}
		current-context: user@test
		preferences: {}
		users:
		- name: user
		  user:
		    $3
	CONFIG
}

kube_files() {
	local certs=$KUBE_DIR/certs
	etcd_certs "$certs"
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$certs/admin.key" \
		-out "$certs/admin.csr" -subj "/O=system:masters/CN=admin" 2>/dev/null
	openssl x509 -req -in "$certs/admin.csr" -CA "$certs/ca.crt" -CAkey "$certs/ca.key" -CAcreateserial \
		-extfile "$certs/client.ext" -out "$certs/admin.crt" -days 30 2>/dev/null
	openssl genrsa -out "$certs/accounts.key" 2048 2>/dev/null
	echo 'addrpool-token,addrpool,1' >"$KUBE_DIR/tokens"
	echo 'addrpool-token' >"$KUBE_DIR/token"
	kube_config admin "certificate-authority-data: $(base64 -w0 "$certs/ca.crt")" \
		"client-certificate-data: $(base64 -w0 "$certs/admin.crt")
		    client-key-data: $(base64 -w0 "$certs/admin.key")"
	kube_config files "certificate-authority: certs/ca.crt" \
		"client-certificate: certs/admin.crt
		    client-key: certs/admin.key"
	kube_config token "certificate-authority: certs/ca.crt" "token: addrpool-token"
	kube_config tokenfile "certificate-authority: certs/ca.crt" "tokenFile: token"
	sed -i 's/^\t*//' "$KUBE_DIR"/*.kubeconfig
}

kube_wait() {
	for _ in {1..600}; do
		[ "$(curl -sm 1 --cacert "$KUBE_DIR/certs/ca.crt" "$KUBE_URL/readyz" 2>/dev/null)" != ok ] || return 0
		kill -0 "$KUBE_PID" || break
		sleep 0.1
	done
	echo "kube-apiserver did not start" >&2
	tail -n 5 "$KUBE_DIR/log" >&2
	return 1
}

# Uses the same port and data after a restart.
kubernetes_start() {
	KUBE_DIR=$1
	etcd_start "$1/etcd"
	KUBE_PORT=${KUBE_PORT:-$(etcd_port)}
	KUBE_URL=https://127.0.0.1:$KUBE_PORT
	[ -d "$KUBE_DIR/certs" ] || kube_files
	setpriv --pdeathsig KILL "$("$TOP/test/cluster/get-kubernetes")/kube-apiserver" --etcd-servers "$ETCD_URL" \
		--bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$KUBE_PORT" --cert-dir "$KUBE_DIR/own" \
		--tls-cert-file "$KUBE_DIR/certs/server.crt" --tls-private-key-file "$KUBE_DIR/certs/server.key" \
		--client-ca-file "$KUBE_DIR/certs/ca.crt" --token-auth-file "$KUBE_DIR/tokens" \
		--authorization-mode RBAC --service-cluster-ip-range 10.96.0.0/16 \
		--service-account-issuer https://kubernetes.default.svc \
		--service-account-key-file "$KUBE_DIR/certs/accounts.key" \
		--service-account-signing-key-file "$KUBE_DIR/certs/accounts.key" \
		--feature-gates APIServerIdentity=false "${@:2}" >>"$KUBE_DIR/log" 2>&1 3>&- &
	KUBE_PID=$!
	kube_wait
}

kubernetes_stop() {
	[ -z "$KUBE_PID" ] || { kill -KILL "$KUBE_PID" 2>/dev/null && wait "$KUBE_PID" 2>/dev/null; } || :
	etcd_stop
}

kube() {
	local certs=$KUBE_DIR/certs
	curl -sm 10 --fail-with-body --cacert "$certs/ca.crt" --cert "$certs/admin.crt" --key "$certs/admin.key" \
		-X "$1" "$KUBE_URL$2" ${3:+-H "Content-Type: application/json" --data-binary "@$3"}
}

# The path of all objects of a kind in a namespace.
kube_path() {
	local kind=${1,,}s namespace=${2:+namespaces/$2/}
	case $1 in
	Namespace) echo /api/v1/namespaces ;;
	ServiceAccount) echo "/api/v1/$namespace$kind" ;;
	Lease) echo "/apis/coordination.k8s.io/v1/$namespace$kind" ;;
	*) echo "/apis/rbac.authorization.k8s.io/v1/$namespace$kind" ;;
	esac
}

kube_apply() {
	local n i
	n=$(jq '.items | length' "$1")
	for ((i = 0; i < n; i++)); do
		jq ".items[$i]" "$1" >"$KUBE_DIR/object"
		kube POST "$(kube_path "$(jq -r .kind "$KUBE_DIR/object")" "$(jq -r '.metadata.namespace // ""' "$KUBE_DIR/object")")" \
			"$KUBE_DIR/object" >/dev/null
	done
}

kube_calls() {
	kube GET /metrics | awk '/^apiserver_request_total.*resource="leases"/ { n += $NF } END { print n + 0 }'
}
