#!/usr/bin/env bats
# "cluster" in the configuration, as far as no engine is needed.

load ../lib/cluster

setup() {
	make_places
	ENGINE='"etcd": {"endpoints": ["http://127.0.0.1:1"]}'
}

# refused CLUSTER TEXT [IPAM]: error 7 with this text, and nothing is made.
refused() {
	CONF=$(conf "\"cluster\": $1${3:+, $3}")
	pool ADD "$CONF" c1
	fails 7 "$2"
	[ ! -e "$DATA" ]
}

@test "what is no cluster is refused by name" {
	refused '1' 'ipam.cluster'
	refused '{}' 'ipam.cluster must have either etcd or kubernetes'
	refused '{"etcd": {}, "kubernetes": {}}' 'ipam.cluster must have either etcd or kubernetes'
	refused '{"etcd": []}' 'ipam.cluster.etcd'
	refused "{$ENGINE, \"blockSize\": 3}" 'ipam.cluster.blockSize must be a power of two, not 3'
	refused "{$ENGINE, \"blockSize\": 0}" 'ipam.cluster.blockSize'
	refused "{$ENGINE, \"blockSize\": \"16\"}" 'ipam.cluster.blockSize'
	refused "{$ENGINE, \"timeout\": 61}" 'ipam.cluster.timeout'
	refused "{$ENGINE, \"node\": \"a b\"}" 'ipam.cluster.node: invalid name of a node'
	refused "{$ENGINE, \"node\": \"../x\"}" 'ipam.cluster.node: invalid name of a node'
	refused "{$ENGINE, \"pool\": \"a/b\"}" 'ipam.cluster.pool: invalid name'
	refused "{$ENGINE, \"blockRoutes\": 1}" 'ipam.cluster.blockRoutes'
}

@test "a block larger than a subnet is refused, with what to do" {
	refused "{$ENGINE}" 'ipam.cluster.blockSize: subnet 10.9.0.0/29 has fewer than 16 addresses' '"subnet": "10.9.0.0/29"'
	explains 'a smaller blockSize'
	refused "{$ENGINE, \"blockSize\": 2}" 'subnet fd00::1/128 has fewer than 2' '"subnet": "fd00::1/128"'
}

@test "without addrpool-claim: error 7, which says where it is missing; beside addrpool and in CNI_PATH it is found" {
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

@test "DEL and GC need neither engine nor addrpool-claim" {
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

