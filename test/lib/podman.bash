# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Podman 5 and later, which has only netavark, in the Debian that has it; include cni.bash and
# runtimes.bash too.
#
#	podman_of SUITE       mounts what it needs, and installs our programs there, as `make install` does
#	podman ARGUMENT...    runs it; in_debian COMMAND... runs another program beside it
#	network_create NAME [ARGUMENT...]    a network of our driver on eth0, in the LAN's subnet
#	run_in CONTAINER NETWORK [ARGUMENT...]    a container that stays
#	address_of CONTAINER [NETWORK]

podman_of() {
	local dir
	export PODMAN_ROOT
	PODMAN_ROOT=$("$TOP/test/runtimes/get-podman" "$1")
	mount --bind "$PODMAN_ROOT" "$PODMAN_ROOT"
	mount --make-shared /run
	for dir in dev proc sys run; do
		mount --rbind "/$dir" "$PODMAN_ROOT/$dir"
	done
	mkdir -p "$PODMAN_ROOT"/var/lib/{cni,containers} "$PODMAN_ROOT"/{opt/cni/bin,usr/local/libexec/netavark,usr/local/sbin}
	mount -t tmpfs tmpfs "$PODMAN_ROOT/var/lib/containers"
	mount --bind /var/lib/cni "$PODMAN_ROOT/var/lib/cni"
	cp "$BUILD"/{ipvlan,addrpool,addrpool-claim} "$GO_PLUGINS/host-local" "$PODMAN_ROOT/opt/cni/bin"
	cp "$BUILD/ipvlan-netavark" "$PODMAN_ROOT/usr/local/libexec/netavark"
	cp "$BUILD/ipvlanctl" "$PODMAN_ROOT/usr/local/sbin"
	podman_conf >"$PODMAN_ROOT/etc/containers/containers.conf"
	make_it_root
	busybox_image
}

# Makes a mount namespace with that root: runtimes require one, and a chroot does not suffice. Both
# sides see mounts below /run.
make_it_root() {
	# shellcheck disable=SC2016 # of the other shell
	unshare --mount --propagation unchanged sh -c 'cd "$1" && pivot_root . mnt && mount --make-rprivate /mnt && umount -l /mnt && echo $$ >"/run/podman-pid" &&
		exec sleep 1000000' sh "$PODMAN_ROOT" </dev/null >/dev/null 2>&1 3>&- &
	until [ -s /run/podman-pid ]; do sleep 0.05; done
}

# The guest has no systemd and no firewall, and its files are an overlay already.
podman_conf() {
	cat <<-CONF
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "none"
		runtime = "crun"
		[containers]
		log_driver = "k8s-file"
		[network]
		firewall_driver = "none"
	CONF
}

in_debian() {
	nsenter --mount --target "$(cat /run/podman-pid)" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

podman() {
	in_debian podman "$@"
}

busybox_image() {
	local root=$BATS_FILE_TMPDIR/busybox applet
	mkdir -p "$root"/{bin,etc,proc,sys,dev,tmp,run,root}
	cp "$PODMAN_ROOT/bin/busybox" "$root/bin"
	for applet in sh ls ip ping cat echo sleep true id httpd wget; do
		ln -s busybox "$root/bin/$applet"
	done
	echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
	echo root:x:0: >"$root/etc/group"
	tar -C "$root" -c . | podman import -q - busybox:1
}

network_create() {
	podman network create -d ipvlan-netavark -o parent=eth0 --subnet 10.138.36.0/23 --ip-range 10.138.36.2-10.138.36.40 "$@"
}

run_in() {
	podman run -d --cap-add NET_RAW --name "$1" --network "$2" "${@:3}" busybox:1 sleep 1000
}

address_of() {
	podman inspect "$1" | jq -r --arg network "${2:-}" '.[0].NetworkSettings.Networks | to_entries[]
		| select($network == "" or .key == $network) | .value.IPAddress'
}
