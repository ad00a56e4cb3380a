#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Only etcd: certificates, users, several endpoints, members that stop.

load ../lib/cluster
load ../lib/scripted

setup() {
	make_etcd_places
}

teardown() {
	etcd_stop
}

# engine URLS [MORE]: the configuration has these endpoints, separated by blanks, and these keys.
engine() {
	local urls
	urls=$(printf ', "%s"' $1)
	ENGINE="\"etcd\": {\"endpoints\": [${urls#, }]${2:+, $2}}"
	on a '"timeout": 4, "blockSize": 1'
}

# tls [CA [CLIENT]]: keys of the configuration.
tls() {
	echo "\"ca\": \"$CERTS/${1:-ca}.crt\", \"cert\": \"$CERTS/${2:-client}.crt\", \"key\": \"$CERTS/${2:-client}.key\""
}

@test "TLS with client certificates" {
	etcd_start_tls "$SERVER"
	engine "$ETCD_URL" "$(tls)"
	add c1
}

@test "without a client certificate, or with one of another CA: error, with the endpoint and the cause" {
	etcd_start_tls "$SERVER"
	engine "$ETCD_URL" "\"ca\": \"$CERTS/ca.crt\""
	pool ADD "$CONF" c1
	fails 7
	[[ $output = *"etcd $ETCD_URL: "*certificate* ]]
	engine "$ETCD_URL" "$(tls ca other-client)"
	pool ADD "$CONF" c1
	fails 7
	[[ $output = *"etcd $ETCD_URL: "*certificate* ]]
	leased ''
}

@test "a server with a certificate of another CA, or an expired one: error 7" {
	etcd_start_tls "$SERVER"
	engine "$ETCD_URL" "$(tls other-ca)"
	pool ADD "$CONF" c1
	fails 7 "etcd $ETCD_URL: SSL certificate problem: unable to get local issuer certificate"
	etcd_stop
	etcd_start_tls "$SERVER" expired
	engine "$ETCD_URL" "$(tls)"
	pool ADD "$CONF" c1
	fails 7 "etcd $ETCD_URL: SSL certificate problem: certificate has expired"
}

@test "with a configured CA the system's CAs do not count" {
	etcd_start_tls "$SERVER"
	engine "$ETCD_URL" "$(tls other-ca)"
	mkdir "$BATS_TEST_TMPDIR/system"
	cp "$CERTS/ca.crt" "$BATS_TEST_TMPDIR/system/$(openssl x509 -hash -noout -in "$CERTS/ca.crt").0"
	SSL_CERT_DIR=$BATS_TEST_TMPDIR/system pool ADD "$CONF" c1
	fails 7
}

@test "several endpoints whose certificates are wrong: the ADD fails at once, and others that wait with it" {
	local n calls='' started=$SECONDS
	etcd_start_tls "$SERVER"
	engine "$ETCD_URL ${ETCD_URL/127.0.0.1/localhost}" "$(tls other-ca)"
	CONF=$(jq -c '.ipam.cluster.timeout = 50' <<<"$CONF")
	for n in 1 2 3 4; do
		(
			pool ADD "$CONF" "c$n"
			fails 7 'unable to get local issuer certificate'
			touch "$BATS_TEST_TMPDIR/failed-$n"
		) 3>&- &
		calls+=" $!"
	done
	# shellcheck disable=SC2086 # several
	wait $calls
	[ "$(ls "$BATS_TEST_TMPDIR"/failed-* | wc -l)" = 4 ]
	[ $((SECONDS - started)) -lt 40 ]
}

@test "missing certificate files: error 7, which names them" {
	etcd_start_tls "$SERVER"
	engine "$ETCD_URL" '"ca": "/nowhere/ca.crt"'
	pool ADD "$CONF" c1
	fails 7
	[[ $output = */nowhere/ca.crt* ]]
}

@test "user and password" {
	etcd_start "$SERVER"
	local post=(curl -sm 3 -o /dev/null)
	"${post[@]}" "$ETCD_URL/v3/auth/user/add" -d '{"name": "root", "password": "secret"}'
	"${post[@]}" "$ETCD_URL/v3/auth/role/add" -d '{"name": "root"}'
	"${post[@]}" "$ETCD_URL/v3/auth/user/grant" -d '{"user": "root", "role": "root"}'
	"${post[@]}" "$ETCD_URL/v3/auth/user/add" -d '{"name": "pool", "password": "word"}'
	"${post[@]}" "$ETCD_URL/v3/auth/role/add" -d '{"name": "pool"}'
	"${post[@]}" "$ETCD_URL/v3/auth/role/grant" -d "{\"name\": \"pool\", \"perm\": {\"permType\": \"READWRITE\",
		\"key\": \"$(printf /ours/ | base64)\", \"range_end\": \"$(printf /ours0 | base64)\"}}"
	"${post[@]}" "$ETCD_URL/v3/auth/user/grant" -d '{"user": "pool", "role": "pool"}'
	# before authentication is on, too
	engine "$ETCD_URL" '"user": "pool", "password": "word", "prefix": "/ours"'
	add c0
	engine "$ETCD_URL http://127.0.0.1:1" '"user": "pool", "password": "word", "prefix": "/ours"'
	add c1
	"${post[@]}" "$ETCD_URL/v3/auth/enable" -d '{}'
	engine "$ETCD_URL" '"user": "pool", "password": "word", "prefix": "/ours"'
	a_minute_passes
	add c2
	engine "$ETCD_URL" '"user": "pool", "password": "wrong", "prefix": "/ours"'
	pool ADD "$CONF" c3
	fails 7 "etcd $ETCD_URL/v3/auth/authenticate: HTTP 400: "
	engine "$ETCD_URL" '"user": "pool", "password": "word", "prefix": "/theirs"'
	pool ADD "$CONF" c3
	fails 7 "etcd $ETCD_URL/v3/kv/"
	[[ $output = *"permission denied"* ]]
}

@test "an etcd that refuses a certificate with a CN: the error has its words" {
	etcd_start "$SERVER"
	scripted_start
	engine "$SCRIPTED_URL"
	answers 400 'CommonName of client sending a request against gateway will be ignored and not used as expected
more'
	pool ADD "$CONF" c1
	scripted_stop
	fails 7 "$SCRIPTED_URL/v3/kv/txn: HTTP 400: CommonName of client sending a request against gateway will be ignored and not used as expected"
	[[ $output != *more* ]]
}

@test "pools with different prefixes are different pools" {
	etcd_start "$SERVER"
	engine "$ETCD_URL" '"prefix": "/one/"'
	add c1
	on b '"blockSize": 32'
	ENGINE=${ENGINE/one/two}
	on b '"blockSize": 32'
	add c1
	[ "$(claims)" = "$(claims b) b" ]
}

@test "of several endpoints one is closed and one hangs: another one answers" {
	etcd_start "$SERVER"
	socat -u "TCP-LISTEN:$((ETCD_PORTS[one] + 5)),bind=127.0.0.1,fork" OPEN:/dev/null 3>&- &
	ETCD_RUNNING+=($!)
	engine "http://127.0.0.1:1 http://127.0.0.1:$((ETCD_PORTS[one] + 5)) $ETCD_URL"
	add c1
}

@test "the endpoint that answered last hangs: another one counts the node's blocks" {
	etcd_start "$SERVER"
	local hangs=http://127.0.0.1:$((ETCD_PORTS[one] + 5))
	socat -u "TCP-LISTEN:${hangs##*:},bind=127.0.0.1,fork" OPEN:/dev/null 3>&- &
	ETCD_RUNNING+=($!)
	engine "$hangs $ETCD_URL"
	add c1
	ln -sfn "$hangs" "$OWN/blocks/endpoint"
	a_minute_passes
	add c2
	[ -z "$stderr" ]
	[ "$(readlink "$OWN/blocks/endpoint")" = "$ETCD_URL" ]
}

# front N WAY: the endpoint N, an address that leads to the WAY: etcd, or nowhere. Each connection is a line of fronts.
front() {
	local way=:
	: >"$BATS_TEST_TMPDIR/fronts"
	[ "$2" = nowhere ] || way="exec socat - TCP:127.0.0.1:${ETCD_URL##*:}"
	printf '#!/bin/sh\necho %s >>%s\n%s\n' "$1" "$BATS_TEST_TMPDIR/fronts" "$way" >"$BATS_TEST_TMPDIR/front-$1"
	chmod +x "$BATS_TEST_TMPDIR/front-$1"
	socat "TCP-LISTEN:$((ETCD_PORTS[one] + 5 + $1)),bind=127.0.0.1,reuseaddr,fork" EXEC:"$BATS_TEST_TMPDIR/front-$1" 3>&- 2>/dev/null &
	ETCD_RUNNING+=($!)
	FRONTS[$1]=$!
	until (: <>"/dev/tcp/127.0.0.1/$((ETCD_PORTS[one] + 5 + $1))") 2>/dev/null; do sleep 0.05; done
	until [ -s "$BATS_TEST_TMPDIR/fronts" ]; do sleep 0.05; done
}

# through ID: the endpoints to which an ADD of the container connects, in their order.
through() {
	: >"$BATS_TEST_TMPDIR/fronts"
	add "$1" >/dev/null
	xargs <"$BATS_TEST_TMPDIR/fronts"
}

@test "a node's name says with which endpoint it begins, and later it begins with the one that answered last" {
	local n url first other
	declare -A FRONTS=() begun=()
	etcd_start "$SERVER"
	for n in 1 2 3; do
		front $n etcd
	done
	url=http://127.0.0.1
	engine "$url:$((ETCD_PORTS[one] + 6)) $url:$((ETCD_PORTS[one] + 7)) $url:$((ETCD_PORTS[one] + 8))"
	for n in {1..8}; do
		on "node-$n" '"timeout": 4, "blockSize": 1'
		begun[$(through c1)]=1
	done
	[ "${#begun[@]}" -gt 1 ]
	on node-1 '"timeout": 4, "blockSize": 1'
	first=$(through c2)
	[ "$(through c3)" = "$first" ]
	kill "${FRONTS[$first]}"
	wait "${FRONTS[$first]}" 2>/dev/null || :
	front "$first" nowhere
	other=$(through c4)
	[[ $other = "$first "[123] ]] # and it answers
	[ "$(through c5)" = "${other#* }" ]
}

# dead_name_server: one at 127.0.0.1 that does not answer.
dead_name_server() {
	socat -u UDP-RECV:53,bind=127.0.0.1 OPEN:/dev/null 3>&- &
	ETCD_RUNNING+=($!)
}

# resolves_by LINE...: from now on addrpool has this /etc/resolv.conf.
resolves_by() {
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/resolv.conf"
	printf '#!/bin/sh\nexec unshare -m sh -c "mount --bind %s /etc/resolv.conf && exec %s"\n' "$BATS_TEST_TMPDIR/resolv.conf" "$BUILD/addrpool" \
		>"$BATS_TEST_TMPDIR/addrpool"
	chmod +x "$BATS_TEST_TMPDIR/addrpool"
	PLUGIN=$BATS_TEST_TMPDIR/addrpool
}

@test "a name server that does not answer delays an ADD no longer than timeout" {
	local started=$SECONDS
	dead_name_server
	resolves_by 'nameserver 127.0.0.1' 'options timeout:30 attempts:5'
	engine 'http://etcd.example.org:2379'
	pool ADD "$CONF" c1
	fails 11 'etcd http://etcd.example.org:2379: Resolving timed out'
	[ $((SECONDS - started)) -lt 25 ]
	leased ''
}

@test "the first name server does not answer, the second one does: claims succeed, and the engine counts the node's blocks" {
	etcd_start "$SERVER"
	dead_name_server
	dnsmasq --no-daemon --no-hosts --no-resolv --conf-file=/dev/null --bind-interfaces --listen-address=127.0.0.2 \
		--address=/etcd.example.org/127.0.0.1 2>/dev/null 3>&- &
	ETCD_RUNNING+=($!)
	resolves_by 'nameserver 127.0.0.1' 'nameserver 127.0.0.2'
	engine "${ETCD_URL/127.0.0.1/etcd.example.org}"
	on a '"blockSize": 1' # with the default timeout
	add c1
	a_minute_passes
	add c2
	[ -z "$stderr" ]
	# a resolver that keeps to its own five seconds
	RES_OPTIONS=timeout:5 add c3
}

@test "an etcd whose database is full: ADD fails at once, and succeeds after README's commands" {
	local etcdctl revision big=$BATS_TEST_TMPDIR/big
	etcdctl=$("$TOP/test/cluster/get-etcdctl")
	# shellcheck disable=SC2034 # for lib/etcd.bash
	ETCD_OPTIONS=(--quota-backend-bytes $((4 << 20)))
	etcd_start "$SERVER"
	engine "$ETCD_URL"
	on a '"blockSize": 1'
	add c1
	head -c 500000 /dev/zero | tr '\0' x >"$big"
	for _ in {1..20}; do
		"$etcdctl" --endpoints "$ETCD_URL" put big <"$big" || break
	done
	pool ADD "$CONF" c2
	fails 11 'database space exceeded'
	explains 'etcdctl alarm disarm'
	"$TOP/test/docs/commands" "$TOP/ipam/README.md" | cut -f 3 | grep '^etcdctl ' >"$BATS_TEST_TMPDIR/commands"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/commands")" = 4 ]
	revision=$("$etcdctl" --endpoints "$ETCD_URL" endpoint status --write-out=fields | sed -n 's/^"Revision" : //p')
	sed -i "s/REVISION/$revision/" "$BATS_TEST_TMPDIR/commands"
	ETCDCTL_ENDPOINTS=$ETCD_URL PATH=$(dirname "$etcdctl"):$PATH bash -e "$BATS_TEST_TMPDIR/commands"
	add c2
}

@test "a name with two addresses, the first of which answers no packet: claims succeed, and the engine counts" {
	etcd_start "$SERVER"
	nft 'add table ip drops; add chain ip drops output { type filter hook output priority 0; }; add rule ip drops output ip daddr 192.0.2.9 drop'
	ip addr add 192.0.2.1/32 dev lo
	ip addr add 192.0.2.9/32 dev lo
	socat "TCP-LISTEN:${ETCD_URL##*:},bind=192.0.2.1,fork,reuseaddr" "TCP:${ETCD_URL#*//}" 3>&- &
	ETCD_RUNNING+=($!)
	printf '192.0.2.9 etcd.example.org\n192.0.2.1 etcd.example.org\n' >"$BATS_TEST_TMPDIR/hosts"
	dnsmasq --no-daemon --no-resolv --conf-file=/dev/null --no-hosts --addn-hosts="$BATS_TEST_TMPDIR/hosts" \
		--bind-interfaces --listen-address=127.0.0.2 2>/dev/null 3>&- &
	ETCD_RUNNING+=($!)
	resolves_by 'nameserver 127.0.0.2'
	engine "${ETCD_URL/127.0.0.1/etcd.example.org}"
	local i
	for i in {1..4}; do # the order of the addresses changes
		on "n$i" '"blockSize": 1' # with the default timeout
		add c1
		a_minute_passes
		add c2
		[ -z "$stderr" ]
	done
}

@test "three members: one is killed, the leader is killed and starts again, and claims succeed" {
	local leader i
	etcd_cluster "$SERVER"
	engine "${ETCD_URLS[*]}" "$(tls)"
	on a '"timeout": 10, "blockSize": 1'
	add c1
	leader=$(etcd_leader)
	kill -KILL "${ETCD_PIDS[$((leader % 3 + 1))]}"
	add c2
	etcd_member_start $((leader % 3 + 1))
	leader=$(etcd_leader)
	kill -KILL "${ETCD_PIDS[$leader]}"
	for i in {3..8}; do
		add "c$i"
	done
	etcd_member_start "$leader"
	add c9
	[ "$(claims a | wc -w)" = 9 ]
}

@test "three members: claims fail without a majority, and succeed when it is back" {
	etcd_cluster "$SERVER"
	engine "${ETCD_URLS[*]}" "$(tls)"
	add c1
	kill -STOP "${ETCD_PIDS[1]}" "${ETCD_PIDS[2]}"
	pool ADD "$CONF" c2
	fails 11
	leased "$ADDRESS"
	kill -CONT "${ETCD_PIDS[1]}" "${ETCD_PIDS[2]}"
	on a '"timeout": 10, "blockSize": 1'
	add c2
}

@test "a member without a connection to the others delays no call" {
	local leader apart i
	etcd_cluster "$SERVER"
	leader=$(etcd_leader)
	apart=$((leader % 3 + 1))
	etcd_isolate $apart
	engine "${ETCD_URLS[$apart]} ${ETCD_URLS[$leader]}" "$(tls)"
	on a '"timeout": 10, "blockSize": 1'
	for i in {1..3}; do
		add "c$i"
	done
	[ "$(claims a | wc -w)" = 3 ]
}

@test "the example works unchanged" {
	ETCD_PORTS[one]=2379
	etcd_start "$SERVER"
	CONF=$(jq --arg dir "$DATA" '. as $all | .plugins[0] + {name, cniVersion} | .ipam.dataDir = $dir | .name = $all.name |
		.cniVersion = $all.cniVersion' "$TOP/conf-examples/addrpool-etcd.conflist")
	add c1
	[[ $ADDRESS = 10.138.3[67].* ]]
	[ "$(claims | cut -d' ' -f2)" = "$(uname -n | tr '[:upper:]' '[:lower:]')" ]
}

@test "endpoints are required, and must be URLs" {
	engine ''
	for etcd in '{}' '{"endpoints": []}' '{"endpoints": "http://a"}' '{"endpoints": [1]}' '{"endpoints": ["ftp://a"]}' '{"endpoints": ["127.0.0.1:2379"]}'; do
		ENGINE="\"etcd\": $etcd"
		on a
		pool ADD "$CONF" c1
		fails 7
		[[ $output = *etcd* ]]
	done
}

# traced: from now on addrpool-claim is run under strace. calls: how many requests it has sent since.
traced() {
	BIN=$BATS_TEST_TMPDIR/bin
	mkdir -p "$BIN"
	cp "$BUILD/addrpool" "$BIN"
	printf '#!/bin/sh\nexec strace -qq -e trace=sendto,write -o %s/trace.$$ %s "$@"\n' "$BIN" "$BUILD/addrpool-claim" >"$BIN/addrpool-claim"
	chmod +x "$BIN/addrpool-claim"
	# shellcheck disable=SC2034 # for addrpool()
	PLUGIN=$BIN/addrpool
}

calls() {
	local n
	n=$(cat "$BIN"/trace.* 2>/dev/null | grep -c '\(sendto\|write\)([0-9]*, "\(GET\|POST\|PUT\|DELETE\) ' || :)
	rm -f "$BIN"/trace.*
	echo "$n"
}

@test "identities: calls: two when the workload stays or moves, and none more for a pod without an identity" {
	start_engine
	traced
	sets='"sticky": "K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.64", "rangeEnd": "10.9.0.95", "identities": true, "for": {"K8S_POD_NAMESPACE": "db"}}],
		[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.128", "rangeEnd": "10.9.0.191"}]]'
	export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=db;K8S_POD_NAME=web-0"
	on a '' "$sets"
	add c1
	[ "$(calls)" -le 9 ] # a new identity
	drops "$CONF" c1
	[ "$(calls)" = 2 ]
	add c2
	[ "$(calls)" = 2 ]
	drops "$CONF" c2
	calls >/dev/null
	on b '' "$sets"
	add c3
	[ "$(calls)" = 2 ]
	export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart-0"
	add c4
	[ "$(calls)" -gt 0 ] # a block
	CNI_ARGS=${CNI_ARGS/0/1} add c5
	[ "$(calls)" = 0 ]
	drops "$CONF" c5
	[ "$(calls)" = 0 ]
}

# asked PID: the answer of the engine has arrived, and the process, which is stopped, has not read it.
asked() {
	ss -tnHp state established | awk -v pid="pid=$1," 'index($0, pid) && $1 > 0 { n++ } END { exit !n }'
}

@test "identities: a person releases the holder that was there, and none that has the identity since" {
	start_engine
	sets='"sticky": "K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]]'
	export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAME=web-0"
	on a '' "$sets"
	add c1
	on janitor '' "$sets"
	# it stops after its first request
	strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=sendto -e inject=sendto:signal=STOP:when=1 \
		"$BUILD/addrpool-claim" release-identity web-0 <<<"$CONF" >"$BATS_TEST_TMPDIR/late" 3>&- &
	traced=$!
	for _ in {1..200}; do
		pid=$(pgrep -P $traced) && asked "$pid" && break
		sleep 0.05
	done
	asked "$pid"
	on second '' "$sets"
	"$BUILD/addrpool-claim" release-identity web-0 <<<"$CONF" >/dev/null
	on b '' "$sets"
	add c2
	kill -CONT "$pid"
	status=0
	wait $traced || status=$? # not by run: a subshell has not this child
	[ $status != 0 ]
	[[ $(cat "$BATS_TEST_TMPDIR/late") = *"identity net web-0 is held on node b by container c2 since 20"* ]]
	on c '' "$sets"
	pool ADD "$CONF" c3
	fails 11 'is held on node b by container c2'
}

@test "identities: a killed call has left a record with an address of another: it counts only once it is locked" {
	local v4 both
	etcd_start "$SERVER"
	ENGINE="\"etcd\": {\"endpoints\": [\"$ETCD_URL\"]}"
	v4='"sticky": "K8S_POD_NAME", "ranges": [[{"subnet": "10.9.0.0/24", "identities": true}]'
	both="$v4, [{\"subnet\": \"fd00:9::/120\", \"identities\": true}]]"
	on a '' "$both"
	"$BUILD/addrpool-claim" reserve web-1 fd00:9::17 <<<"$CONF" >/dev/null
	"$("$TOP/test/cluster/get-etcdctl")" --endpoints "$ETCD_URL" put "/ipvlan-cni/net/~identity/net web-0" \
		'{"identity": "net web-0", "id": "4f1a", "locked": false, "addresses": ["10.9.0.70", "fd00:9::17"]}' >/dev/null
	export CNI_ARGS='K8S_POD_NAME=web-0'
	on a '' "$v4]" # this node has an older configuration
	add c1
	[ "$ADDRESS" = 10.9.0.70 ]
	drops "$CONF" c1
	on b '' "$both"
	add c2
	[[ $output = *'"10.9.0.70/24"'* ]]
	[[ $output != *'"fd00:9::17/120"'* ]]
}

@test "a connection that takes longer than the first limit stands with a later one, within timeout" {
	local port
	etcd_start_tls "$SERVER"
	port=$(etcd_port)
	socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" "SYSTEM:'sleep 1.3; exec socat - TCP:${ETCD_URL#https://}'" 3>&- &
	ETCD_RUNNING+=($!)
	engine "https://127.0.0.1:$port" "$(tls)"
	CONF=${CONF/'"timeout": 4'/'"timeout": 20'}
	add c1
}
