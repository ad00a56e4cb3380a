#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# "cluster" in the configuration, without an engine.

load ../lib/cluster

setup() {
	make_places
	ENGINE='"etcd": {"endpoints": ["http://127.0.0.1:1"]}'
}

# refused CLUSTER TEXT [IPAM]: ADD fails with error 7 and this text, and makes no file.
refused() {
	CONF=$(conf "\"cluster\": $1${3:+, $3}")
	pool ADD "$CONF" c1
	fails 7 "$2"
	[ ! -e "$DATA" ]
}

@test "the error for a wrong key of cluster names it" {
	refused '{}' 'ipam.cluster must have either etcd or kubernetes'
	refused '{"etcd": {}, "kubernetes": {}}' 'ipam.cluster must have either etcd or kubernetes'
	refused '{"etcd": []}' 'ipam.cluster.etcd'
	refused "{$ENGINE, \"blockSize\": 3}" 'ipam.cluster.blockSize must be a power of two, not 3'
	refused "{$ENGINE, \"blockSize\": 0}" 'ipam.cluster.blockSize'
	refused "{$ENGINE, \"blockSize\": \"16\"}" 'ipam.cluster.blockSize'
	refused "{$ENGINE, \"timeout\": 61}" 'ipam.cluster.timeout'
	refused "{$ENGINE, \"node\": \"a b\"}" 'ipam.cluster.node: invalid node name'
	refused "{$ENGINE, \"node\": \"../x\"}" 'ipam.cluster.node: invalid node name'
	refused "{$ENGINE, \"pool\": \"a/b\"}" 'ipam.cluster.pool: invalid name'
	refused "{$ENGINE, \"blockRoutes\": 1}" 'ipam.cluster.blockRoutes'
}

@test "ADD ignores a cluster that is not an object, and reports that" {
	CONF=$(conf '"cluster": 1')
	pool ADD "$CONF" c1
	succeeds
	[[ $stderr = *'ignored: ipam.cluster must be an object, not 1'* ]]
}

@test "a block larger than a subnet is refused, with the remedy" {
	refused "{$ENGINE}" 'ipam.cluster.blockSize: subnet 10.9.0.0/29 has fewer than 16 addresses' '"subnet": "10.9.0.0/29"'
	explains 'a smaller blockSize'
	refused "{$ENGINE, \"blockSize\": 2}" 'subnet fd00::1/128 has fewer than 2' '"subnet": "fd00::1/128"'
}

@test "without addrpool-claim: error 7 with the directory; addrpool finds it beside itself and in CNI_PATH" {
	local bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin" "$bin/empty" "$bin/other"
	cp "$BUILD/addrpool" "$bin"
	on a '"timeout": 1'
	export PLUGIN=$bin/addrpool
	CNI_PATH=$bin/empty pool ADD "$CONF" c1
	fails 7 'there is no addrpool-claim beside addrpool, nor in CNI_PATH'
	explains "$bin"
	cp "$BUILD/addrpool-claim" "$bin/other"
	CNI_PATH=$bin/empty:$bin/other pool ADD "$CONF" c1
	fails 11 'etcd http://127.0.0.1:1: '
	mv "$bin/other/addrpool-claim" "$bin"
	CNI_PATH=$bin/empty pool ADD "$CONF" c1
	fails 11 'etcd http://127.0.0.1:1: '
}

@test "DEL and GC work without engine and addrpool-claim" {
	on a
	PLUGIN=$BATS_TEST_TMPDIR/addrpool
	cp "$BUILD/addrpool" "$PLUGIN"
	lease 10.9.0.5 'c1\r\neth0'
	CNI_PATH=/nowhere pool DEL "$CONF" c1
	succeeds
	leased ''
	lease 10.9.0.5 'c1\r\neth0'
	CNI_PATH=/nowhere pool GC "${CONF%\}}, \"cni.dev/valid-attachments\": []}" ''
	succeeds
	leased ''
}

@test "ipvlan and addrpool start without libcurl" {
	run ldd "$BUILD/ipvlan" "$BUILD/addrpool"
	[[ $output != *curl* && $output != *ssl* && $output != *yaml* ]]
	run ldd "$BUILD/addrpool-claim"
	[[ $output = *libcurl* ]]
}


# told_wrongly ENGINE CODE TEXT: addrpool-claim fails with this configuration of the engine.
told_wrongly() {
	CONF=$(conf "\"cluster\": {$1}")
	pool ADD "$CONF" c1
	fails "$2" "$3"
	leased ''
}

@test "the error for a wrong key of etcd names it" {
	local long
	printf -v long '%0201d' 0
	told_wrongly '"etcd": {}' 7 'ipam.cluster.etcd.endpoints must have at least one endpoint'
	told_wrongly '"etcd": {"endpoints": []}' 7 'ipam.cluster.etcd.endpoints must have at least one endpoint'
	told_wrongly '"etcd": {"endpoints": [1]}' 7 'ipam.cluster.etcd.endpoints must be a list of strings'
	told_wrongly '"etcd": {"endpoints": ["ftp://a"]}' 7 '"ftp://a" is not the http:// or https:// address of one service'
	told_wrongly '"etcd": {"endpoints": ["file:///etc/passwd"]}' 7 '"file:///etc/passwd" is not the http:// or https:// address of one service'
	told_wrongly '"etcd": {"endpoints": ["https://10.0.0.1:2379,https://10.0.0.2:2379"]}' 7 'is not the http:// or https:// address of one service'
	told_wrongly "\"etcd\": {\"endpoints\": [\"http://127.0.0.1:1\"], \"prefix\": \"$long\"}" 7 'prefix is longer than 200 characters'
}

@test "no error has the password" {
	for CONF in "$(conf '"cluster": {"etcd": {"endpoints": ["http://127.0.0.1:1"], "user": "u", "password": 31415926}}')" \
		"$(conf '"cluster": {"etcd": [{"endpoints": ["http://127.0.0.1:1"], "user": "u", "password": "31415926"}]}')" \
		"$(conf '"cluster": [{"etcd": {"endpoints": ["http://127.0.0.1:1"], "user": "u", "password": "31415926"}}], "ranges": []')" \
		"$(conf '"cluster": {"etcd": {"endpoints": ["http://127.0.0.1:1"], "user": "u", "password": "31415926"}}' | jq -c '.ipam |= [.]')" \
		"$(conf '"cluster": {"timeout": 1, "etcd": {"endpoints": ["http://u:p%0931415926@127.0.0.1:1"]}}')" \
		"$(conf '"cluster": {"etcd": "http://u:31415926@127.0.0.1:1"}')" \
		"$(conf '"cluster": {"etcd": {"endpoints": "http://u:31415926@127.0.0.1:1"}}')" \
		"$(conf '"cluster": {"timeout": 1, "etcd": {"endpoints": ["ftp://u:31415926@a"]}}')" \
		"$(conf '"cluster": {"timeout": 1, "etcd": {"endpoints": ["http://u:31415926@127.0.0.1:1"]}}')"; do
		pool ADD "$CONF" c1
		[ "$output$stderr" ]
		[[ $output$stderr != *31415926* ]] || { echo "$output$stderr"; return 1; }
	done
	[[ $output = *'http://127.0.0.1:1'* ]]
}

# kubeconfig CLUSTER USER [CONTEXT]: writes a file with these flow mappings of YAML.
kubeconfig() {
	printf '%s\n' "current-context: ${3:-c}" "contexts: [ { name: c, context: { cluster: k, user: u } } ]" \
		"clusters: [ { name: k, cluster: $1 } ]" "users: [ { name: u, user: $2 } ]" >"$BATS_TEST_TMPDIR/kubeconfig"
}

@test "the error for a wrong kubeconfig names the key" {
	local file=$BATS_TEST_TMPDIR/kubeconfig server='{ server: "http://127.0.0.1:1" }'
	local engine="\"kubernetes\": {\"kubeconfig\": \"$file\"}"
	told_wrongly "$engine" 5 "read $file: no such file or directory"
	: >"$file"
	told_wrongly "$engine" 7 "$file: the file is empty"
	kubeconfig "$server" '{ }' other
	told_wrongly "$engine" 7 "$file: there is no context with the name in current-context"
	kubeconfig '{ }' '{ }'
	told_wrongly "$engine" 7 "$file: the current context's cluster has no server"
	kubeconfig '{ server: "http://127.0.0.1:1", proxy-url: "http://p" }' '{ }'
	told_wrongly "$engine" 7 "$file: tls-server-name and proxy-url are not supported"
	kubeconfig "$server" '{ exec: { command: aws } }'
	told_wrongly "$engine" 7 "$file: exec and auth-provider of a user are not supported"
	explains 'use a client certificate, a token, or the tokenFile'
	kubeconfig "$server" '{ username: me, password: word }'
	told_wrongly "$engine" 7 "$file: username and password of a user are not supported"
	kubeconfig "$server" '{ username: me, password: word, token: t }'
	CONF=$(conf "\"cluster\": {\"timeout\": 1, ${engine}}")
	pool ADD "$CONF" c1
	fails 11 'Kubernetes http://127.0.0.1:1: '
	kubeconfig "$server" '{ }'
	sed -i 's/user: u }/user: other }/' "$file"
	told_wrongly "$engine" 7 "$file: the context's user other is not among its users"
	kubeconfig "$server" '{ client-certificate-data: "%%%" }'
	told_wrongly "$engine" 7 "$file: client-certificate-data is not base64"
	kubeconfig "$server" '{ tokenFile: /nowhere }'
	told_wrongly "$engine" 5 'read /nowhere: no such file or directory'
	kubeconfig '{ server: "ftp://127.0.0.1" }' '{ }'
	told_wrongly "$engine" 7 '"ftp://127.0.0.1" is not the http:// or https:// address of one service'
	printf '%s\n' 'a: [' >"$file"
	told_wrongly "$engine" 7 "$file: line"
	kubeconfig "$server" '{ }'
	told_wrongly "\"kubernetes\": {\"kubeconfig\": \"$file\", \"namespace\": \"a/b\"}" 7 'namespace: invalid name "a/b"'
}

@test "in a kubeconfig null is nothing, and base64 may have line breaks" {
	local file=$BATS_TEST_TMPDIR/kubeconfig ca text
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -out "$BATS_TEST_TMPDIR/ca" -subj /CN=a -days 1 2>/dev/null
	ca=$(base64 "$BATS_TEST_TMPDIR/ca")
	kubeconfig '{ server: "https://127.0.0.1:1", tls-server-name: ~, certificate-authority-data: "CA" }' \
		'{ exec: null, as: , auth-provider: ~, tokenFile: null, username: , client-certificate-data: null, token: t }'
	sed -i 's/context: { cluster/context: { namespace: null, cluster/' "$file"
	text=$(<"$file")
	printf '%s\n' "${text/CA/${ca//$'\n'/\\n}}" >"$file"
	grep -q 'certificate-authority-data: ".*\\n' "$file"
	CONF=$(conf "\"cluster\": {\"timeout\": 1, \"kubernetes\": {\"kubeconfig\": \"$file\"}}")
	pool ADD "$CONF" c1
	fails 11 'Kubernetes https://127.0.0.1:1: '
}

@test "without a pod's service account a kubeconfig is required" {
	told_wrongly '"kubernetes": {}' 7 'ipam.cluster.kubernetes.kubeconfig is missing'
}

@test "addrpool-claim refuses an invalid address" {
	on a
	run -1 "$BUILD/addrpool-claim" claim 0 0 10.9.0 <<<"$CONF"
	fails 4 '10.9.0 is not an address'
}
