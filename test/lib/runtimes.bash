# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Real container runtimes on the network of cni.bash, in a guest; include cni.bash too. All that
# they write is in memory: storage below $RUNTIMES_DIR, /etc/cni and /opt/cni.
#
#	plugins_for_runtimes      our programs and Go's loopback in /opt/cni/bin, as `make install` does
#	network_as_it_stands      the quick start's configuration, in /etc/cni/net.d
#	network_conf NAME MORE    it under another name; MORE is merged into it
#	busybox_root DIR          a root file system
#	image NAME                docker-archive of it, to sleep in; prints the file
#	leases NETWORK            leased addresses
#	podman_start, containerd_start SUITE, containerd_stop
#	nobody_left               no link, lease, file or ledger but those of the network itself

RUNTIMES=${RUNTIMES:-$("$TOP/test/runtimes/get-runtimes")}
RUNTIMES_DIR=/run/runtimes
CONTAINERD_PID=''
export CONTAINERD_ADDRESS=$RUNTIMES_DIR/containerd.sock

plugins_for_runtimes() {
	mkdir -p /etc/cni /opt/cni $RUNTIMES_DIR
	mount -t tmpfs tmpfs /etc/cni
	mount -t tmpfs tmpfs /opt/cni
	mount -t tmpfs tmpfs $RUNTIMES_DIR
	mkdir -p /etc/cni/net.d /opt/cni/bin
	cp "$BUILD"/{ipvlan,addrpool,addrpool-claim} "$GO_PLUGINS/loopback" /opt/cni/bin
	export PATH=$RUNTIMES/bookworm/usr/bin:$RUNTIMES/bookworm/usr/sbin:$PATH
	# not LD_LIBRARY_PATH: runtimes start their helpers without it
	printf '%s\n' "$RUNTIMES"/bookworm/{usr/,}lib/*-linux-gnu >/etc/ld.so.conf.d/zz-runtimes.conf
	ldconfig
}

network_as_it_stands() {
	cp "$TOP/conf-examples/l2.conflist" /etc/cni/net.d/10-l2.conflist
}

network_conf() {
	jq --arg name "$1" --argjson more "${2:-"{}"}" '.name = $name | . * ($more | del(.plugin))
		| .plugins[0] *= ($more.plugin // {})' "$TOP/conf-examples/l2.conflist" >"/etc/cni/net.d/10-$1.conflist"
}

busybox_root() {
	local applet
	mkdir -p "$1"/{bin,etc,proc,sys,dev,tmp,run,root}
	cp "$RUNTIMES/bookworm/bin/busybox" "$1/bin"
	for applet in sh ls ip ping cat echo sleep true id httpd wget; do
		ln -s busybox "$1/bin/$applet"
	done
	echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"
	echo root:x:0: >"$1/etc/group"
}

image() {
	local root=$RUNTIMES_DIR/root-of-images
	[ -d $root ] || busybox_root $root
	"$TOP/.ci/pack-image" $root "$1" "$RUNTIMES_DIR/image.tar" sleep 1000000
	echo $RUNTIMES_DIR/image.tar
}

leases() {
	find "/var/lib/cni/networks/$1" -name '[0-9]*' -printf '%f\n' 2>/dev/null | sort -V | xargs
}

podman_start() {
	mkdir -p $RUNTIMES_DIR/podman /etc/containers
	cp -n "$RUNTIMES/bookworm/etc/containers/policy.json" /etc/containers
	cat >$RUNTIMES_DIR/containers.conf <<-CONF
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "none"
		runtime = "crun"
		conmon_path = ["$RUNTIMES/bookworm/usr/bin/conmon"]
		[engine.runtimes]
		crun = ["$RUNTIMES/bookworm/usr/bin/crun"]
		[containers]
		log_driver = "k8s-file"
		seccomp_profile = "$RUNTIMES/bookworm/usr/share/containers/seccomp.json"
		[network]
		network_backend = "cni"
		cni_plugin_dirs = ["/opt/cni/bin"]
		network_config_dir = "/etc/cni/net.d"
	CONF
	cat >$RUNTIMES_DIR/storage.conf <<-CONF
		[storage]
		driver = "overlay"
		graphroot = "$RUNTIMES_DIR/podman/storage"
		runroot = "$RUNTIMES_DIR/podman/run"
	CONF
	export CONTAINERS_CONF=$RUNTIMES_DIR/containers.conf CONTAINERS_STORAGE_CONF=$RUNTIMES_DIR/storage.conf
}

# Images come from the archive; none is pulled from a registry. CONTAINERD_MORE: more tables of the configuration.
containerd_conf() {
	cat >$RUNTIMES_DIR/containerd.toml <<-CONF
		version = 2
		root = "$RUNTIMES_DIR/containerd"
		state = "$RUNTIMES_DIR/containerd-state"
		[grpc]
		  address = "$CONTAINERD_ADDRESS"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "local/pause:1"
		  disable_apparmor = true
		  restrict_oom_score_adj = true
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "/opt/cni/bin"
		    conf_dir = "/etc/cni/net.d"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    snapshotter = "overlayfs"
		${CONTAINERD_MORE:-}
	CONF
}

# containerd_run [COMMAND...]: by the command
containerd_run() {
	"$@" containerd -c $RUNTIMES_DIR/containerd.toml -l warn >>$RUNTIMES_DIR/containerd.log 2>&1 3>&- &
}

containerd_start() {
	export PATH=$RUNTIMES/$1/usr/bin:$PATH
	containerd_conf
	containerd_run setpriv --pdeathsig KILL
	CONTAINERD_PID=$!
	for _ in {1..600}; do
		! ctr version >/dev/null 2>&1 || break
		kill -0 $CONTAINERD_PID || { cat $RUNTIMES_DIR/containerd.log; return 1; }
		sleep 0.1
	done
	for namespace in default k8s.io; do
		for name in pause busybox; do
			ctr -n $namespace images import --snapshotter overlayfs "$(image "docker.io/local/$name:1")" >/dev/null
			ctr -n $namespace images tag --force "docker.io/local/$name:1" "local/$name:1" >/dev/null
		done
	done
}

containerd_stop() {
	[ -z "$CONTAINERD_PID" ] || { kill "$CONTAINERD_PID" && wait "$CONTAINERD_PID"; } || :
}

nobody_left() {
	local left
	left=$(
		ip -d -br link show type ipvlan
		find /run/cni /var/lib/cni -type f ! -name lock ! -name '*.lock' ! -name 'ipvlan.counters.*' ! -name 'last_reserved_ip.*'
	)
	[ -z "$left" ] || { echo "left behind: $left"; return 1; }
}
