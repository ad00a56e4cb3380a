# shellcheck shell=bash disable=SC2034 # for those who include this
# SPDX-License-Identifier: Apache-2.0
# Real etcd servers on loopback, one or three, which end with the shell that started them.
#
#	etcd_start DIR            one, without TLS: ETCD_URL, ETCD_PID
#	etcd_start_tls DIR [CERT] one that requires client certificates, with DIR/certs/CERT as its own
#	etcd_cluster DIR          three with TLS: ETCD_URLS and ETCD_PIDS, from 1
#	etcd_member_start N       one of the three once more
#	etcd_leader               its number
#	etcd_isolate N            from now on the other two and N do not hear of each other
#	etcd_stop                 all that were started
#	ETCD_OPTIONS              more options of those that are started
#	etcd_certs DIR            ca, server, client, expired, other-ca, other-client: .crt and .key
#	SERVER_NAMES              more names of the server, as ",IP:192.0.2.1,DNS:api"

TOP=${TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}

ETCD_DIR='' ETCD_URL='' ETCD_PID='' ETCD_RUNNING=() ETCD_OPTIONS=()
declare -A ETCD_URLS=() ETCD_PIDS=() ETCD_PORTS=()

etcd_port() {
	local port
	for _ in {1..100}; do
		port=$((20000 + RANDOM % 10000))
		(: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port; return; }
	done
}

# The ports of the members for each other: not ports from which a client may connect.
etcd_peer_port() {
	echo $(($1 % 10000 + 10000))
}

# sign DIR NAME CA EXTENSIONS [OPTION...]: a key, and a certificate by the CA.
etcd_sign() {
	local dir=$1 name=$2 ca=$3 extensions=$4
	shift 4
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$dir/$name.key" \
		-out "$dir/$name.csr" -subj "/CN=$name" 2>/dev/null
	printf '%b' "$extensions" >"$dir/$name.ext"
	openssl x509 -req -in "$dir/$name.csr" -CA "$dir/$ca.crt" -CAkey "$dir/$ca.key" -CAcreateserial \
		-extfile "$dir/$name.ext" -out "$dir/$name.crt" "$@" 2>/dev/null
}

etcd_authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1/$2.key" \
		-out "$1/$2.crt" -subj "/CN=$2" -days 30 2>/dev/null
}

# etcd's gateway is a client of its server, and sends it the server's certificate.
etcd_certs() {
	local server="subjectAltName=IP:127.0.0.1,DNS:localhost${SERVER_NAMES:-}\\nextendedKeyUsage=serverAuth,clientAuth\\n"
	[ ! -d "$1" ] || return 0
	mkdir -p "$1"
	etcd_authority "$1" ca
	etcd_authority "$1" other-ca
	etcd_sign "$1" server ca "$server" -days 30
	etcd_sign "$1" expired ca "$server" -days -1
	etcd_sign "$1" client ca 'extendedKeyUsage=clientAuth\n' -days 30
	etcd_sign "$1" other-client other-ca 'extendedKeyUsage=clientAuth\n' -days 30
}

# Its group identifies a member's packets.
etcd_group() {
	echo $((60000 + $(cksum <<<"$1" | cut -c1-3)))
}

# etcd_run NAME OPTION...: sets ETCD_PID.
etcd_run() {
	local name=$1
	shift
	setpriv --pdeathsig KILL --regid "$(etcd_group "$name")" --keep-groups "$("$TOP/test/cluster/get-etcd")" --name "$name" --data-dir "$ETCD_DIR/$name" --log-level error \
		${ETCD_OPTIONS[@]+"${ETCD_OPTIONS[@]}"} "$@" >>"$ETCD_DIR/$name.log" 2>&1 3>&- &
	ETCD_PID=$!
	ETCD_RUNNING+=("$ETCD_PID")
}

# etcd_wait URL CURL-OPTION...: waits until etcd accepts writes, for 10 s at most.
etcd_wait() {
	local url=$1
	shift
	for _ in {1..200}; do
		[[ $(curl -sm 1 "$@" "$url/health" 2>/dev/null) != *true* ]] || return 0
		sleep 0.05
	done
	echo "etcd did not start" >&2
	tail -n 5 "$ETCD_DIR"/*.log >&2
	return 1
}

# Uses the same port after a restart.
etcd_start() {
	local port=${ETCD_PORTS[one]:-$(etcd_port)} peer
	peer=http://127.0.0.1:$(etcd_peer_port "$port")
	ETCD_PORTS[one]=$port ETCD_DIR=$1 ETCD_URL=http://127.0.0.1:$port
	mkdir -p "$1"
	etcd_run one --listen-client-urls "$ETCD_URL" --advertise-client-urls "$ETCD_URL" \
		--listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "one=$peer"
	etcd_wait "$ETCD_URL"
}

etcd_start_tls() {
	local port=${ETCD_PORTS[tls]:-$(etcd_port)} certs=$1/certs peer
	peer=http://127.0.0.1:$(etcd_peer_port "$port")
	ETCD_PORTS[tls]=$port ETCD_DIR=$1 ETCD_URL=https://127.0.0.1:$port
	etcd_certs "$certs"
	etcd_run tls --listen-client-urls "$ETCD_URL" --advertise-client-urls "$ETCD_URL" \
		--listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
		--initial-cluster "tls=$peer" --client-cert-auth \
		--trusted-ca-file "$certs/ca.crt" --cert-file "$certs/${2:-server}.crt" --key-file "$certs/${2:-server}.key"
	[ "${2:-server}" != server ] && sleep 1 && return
	etcd_wait "$ETCD_URL" --cacert "$certs/ca.crt" --cert "$certs/client.crt" --key "$certs/client.key"
}

etcd_member_start() {
	local n=$1 certs=$ETCD_DIR/certs members='' peer i
	for i in 1 2 3; do
		members+=,m$i=https://127.0.0.1:$(etcd_peer_port "${ETCD_PORTS[$i]}")
	done
	peer=https://127.0.0.1:$(etcd_peer_port "${ETCD_PORTS[$n]}")
	etcd_run "m$n" \
		--listen-client-urls "${ETCD_URLS[$n]}" --advertise-client-urls "${ETCD_URLS[$n]}" \
		--listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
		--initial-cluster "${members#,}" --client-cert-auth --peer-client-cert-auth \
		--trusted-ca-file "$certs/ca.crt" --cert-file "$certs/server.crt" --key-file "$certs/server.key" \
		--peer-trusted-ca-file "$certs/ca.crt" --peer-cert-file "$certs/server.crt" --peer-key-file "$certs/server.key"
	ETCD_PIDS[$n]=$ETCD_PID
}

etcd_cluster() {
	local n
	ETCD_DIR=$1
	etcd_certs "$1/certs"
	for n in 1 2 3; do
		ETCD_PORTS[$n]=$(etcd_port)
		ETCD_URLS[$n]=https://127.0.0.1:${ETCD_PORTS[$n]}
	done
	for n in 1 2 3; do
		etcd_member_start $n
	done
	etcd_wait "${ETCD_URLS[1]}" --cacert "$1/certs/ca.crt" --cert "$1/certs/client.crt" --key "$1/certs/client.key"
}

# etcd_curl N PATH OPTION...: asks member N.
etcd_curl() {
	local n=$1 path=$2 certs=$ETCD_DIR/certs
	shift 2
	curl -sm 3 --cacert "$certs/ca.crt" --cert "$certs/client.crt" --key "$certs/client.key" "${ETCD_URLS[$n]}$path" "$@"
}

etcd_leader() {
	local n status
	for n in 1 2 3; do
		status=$(etcd_curl $n /v3/maintenance/status -d '{}') || continue
		[ "$(jq -r '.header.member_id == .leader' <<<"$status")" != true ] || { echo $n; return; }
	done
	return 1
}

etcd_isolate() {
	local port others=() n
	port=$(etcd_peer_port "${ETCD_PORTS[$1]}")
	for n in 1 2 3; do
		[ $n = "$1" ] || others+=("$(etcd_peer_port "${ETCD_PORTS[$n]}")")
	done
	nft "add table inet apart; add chain inet apart out { type filter hook output priority 0; };
		add rule inet apart out tcp dport $port drop; add rule inet apart out tcp sport $port drop;
		add rule inet apart out meta skgid $(etcd_group "m$1") tcp dport { ${others[0]}, ${others[1]} } drop"
}

etcd_stop() {
	local pid
	for pid in ${ETCD_RUNNING[@]+"${ETCD_RUNNING[@]}"}; do
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	ETCD_RUNNING=()
}
