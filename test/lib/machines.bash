# shellcheck shell=bash disable=SC2034 # NODE_DIR is for node.bash
# SPDX-License-Identifier: Apache-2.0
# Several machines in one guest. Each has its own network, processes, mounts, host name, control groups, disk and
# boot id. This namespace has the switch of their LAN; it is also their router, and runs the control plane of
# their cluster. For those who include runtimes.bash, kubernetes.bash and, before this, node.bash.
#
#	    machine node1          machine node2          this namespace
#	eth0 10.138.36.61/23   eth0 10.138.36.62/23   lan 10.138.36.66/23   internet 39.156.66.10/32
#	         ╚══════════════════════╩══════════════════════╝
#
#	NODES, address_of NAME       the machines, and their addresses
#	lan_start
#	machine_start NAME           starts it; again, with the disk that it had
#	machine_kill NAME            ends all its processes and its network
#	on NAME COMMAND...           runs a command there
#	api_start [OPTION...]        kube-apiserver
#	control_start [OPTION...]    that, kube-controller-manager, kube-scheduler
#	join NAME                    starts containerd, kube-proxy and a kubelet on it; its images are $MACHINES/images/*.tar

MACHINES=/mnt/machines # $MACHINES/NAME is the disk of a machine
LAN_IP=10.138.36.66
NODE_DIR=$MACHINES
NODES=(node1 node2 node3)

address_of() {
	echo "10.138.36.6${1#node}"
}

lan_start() {
	mkdir -p $MACHINES
	mount -t tmpfs tmpfs $MACHINES
	mkdir -p $MACHINES/images /etc/cni /opt/cni
	touch /etc/machine-id
	ip -batch - <<-EOF
		link add lan address 02:00:0a:8a:24:42 type bridge
		link set lan up
		addr add $LAN_IP/23 dev lan
		link add internet type dummy
		link set internet up
		addr add 39.156.66.10/32 dev internet
	EOF
	sysctl -qw net.ipv4.ip_forward=1 fs.inotify.max_user_instances=8192
	echo '+cpu +memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
}

# In the namespaces of a machine: mounts, its name and its boot id.
machine_set_up() {
	local disk=$MACHINES/$1 directory
	mount --make-rslave /
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	for directory in etc/cni opt/cni var/lib var/log; do
		mkdir -p "$disk/$directory"
		mount --bind "$disk/$directory" /$directory
	done
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/netns /run/lock "$RUNTIMES_DIR"
	cat /proc/sys/kernel/random/uuid >/run/boot-id
	{ cat /proc/cpuinfo && echo 'cpu MHz : 1000.000'; } >/run/cpuinfo
	mount --bind /run/boot-id /proc/sys/kernel/random/boot_id
	mount --bind /run/cpuinfo /proc/cpuinfo # kubelet requires the speed, which User-Mode Linux does not report
	mount --bind "$MACHINES/$1.id" /etc/machine-id
	mount --make-rshared /
	hostname "$1"
	ip link set lo up
	sysctl -qw net.ipv4.ip_forward=1 # as on all nodes
}

# The first process of a machine: the kernel forgets children whose end it ignores.
machine_init() {
	machine_set_up "$1" || exit
	touch "$MACHINES/$1.up"
	trap '' CHLD
	exec sleep infinity
}

# machine_link NAME: its place on the LAN. The MAC address does not change.
machine_link() {
	local mac address
	address=$(address_of "$1")
	# shellcheck disable=SC2086 # four words
	mac=$(printf '02:00:%02x:%02x:%02x:%02x' ${address//./ })
	ip link add "$1" type veth peer name eth0 address "$mac" netns "$(<"$MACHINES/$1.pid")"
	ip link set "$1" master lan up
	on "$1" ip -batch - <<-EOF
		addr add $address/23 dev eth0
		link set eth0 up
		route add default via $LAN_IP
	EOF
}

# A control group that has controllers has processes only in its children: here in machine.
machine_start() {
	local disk=$MACHINES/$1 group=/sys/fs/cgroup/$1 starter
	mkdir -p "$disk" "$group/machine"
	rm -f "$disk.up"
	[ -e "$disk.id" ] || tr -d - </proc/sys/kernel/random/uuid >"$disk.id"
	(
		echo $BASHPID >"$group/cgroup.procs"
		# shellcheck disable=SC2016 # its own variables
		exec unshare --mount --uts --ipc --net --cgroup --pid --fork --kill-child=KILL \
			env RUNTIMES_DIR="$RUNTIMES_DIR" bash -c 'echo $$ >"$3" && . "$1" && machine_init "$2"' \
			bash "${BASH_SOURCE[0]}" "$1" "$group/machine/cgroup.procs"
	) >"$disk.log" 2>&1 3>&- &
	starter=$!
	until [ -e "$disk.up" ]; do
		kill -0 $starter || { cat "$disk.log"; return 1; }
		sleep 0.1
	done
	echo $starter >"$group/machine/cgroup.procs"
	tr -d ' ' <"/proc/$starter/task/$starter/children" >"$disk.pid"
	machine_link "$1"
}

machine_is_gone() {
	grep -q 'populated 0' "/sys/fs/cgroup/$1/cgroup.events" && [ ! -e "/sys/class/net/$1" ]
}

machine_kill() {
	kill -KILL "$(<"$MACHINES/$1.pid")"
	until_true machine_is_gone "$1"
	find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} +
}

on() {
	local name=$1
	shift
	(
		echo $BASHPID >"/sys/fs/cgroup/$name/machine/cgroup.procs"
		exec nsenter --target "$(<"$MACHINES/$name.pid")" --mount --uts --ipc --net --cgroup --pid --wd=/ "$@"
	)
}

# api_start [OPTION...]: kube-apiserver; kubectl then asks as admin, the nodes as $MACHINES/node.kubeconfig has it
api_start() {
	local admin=$MACHINES/admin.kubeconfig
	KUBERNETES=$("$TOP/test/cluster/get-kubernetes")
	SERVER_NAMES=",IP:$LAN_IP,IP:10.96.0.1" kubernetes_start $MACHINES/kubernetes --bind-address 0.0.0.0 --advertise-address $LAN_IP \
		--kubelet-client-certificate $MACHINES/kubernetes/certs/admin.crt --kubelet-client-key $MACHINES/kubernetes/certs/admin.key \
		--kubelet-preferred-address-types InternalIP "$@"
	sed 's/namespace: kube-system/namespace: default/' "$KUBE_DIR/admin.kubeconfig" >$admin
	sed "s/127.0.0.1/$LAN_IP/" $admin >$MACHINES/node.kubeconfig
	export KUBECONFIG=$admin PATH=$KUBERNETES:$PATH
}

control_start() {
	local admin=$MACHINES/admin.kubeconfig
	api_start "$@"
	node_program kube-controller-manager --kubeconfig $admin --leader-elect=false --root-ca-file "$KUBE_DIR/certs/ca.crt" \
		--service-account-private-key-file "$KUBE_DIR/certs/accounts.key" --kube-api-qps 200 --kube-api-burst 300
	node_program kube-scheduler --kubeconfig $admin --leader-elect=false
	kubelet_conf
}

# machine_program NAME PROGRAM OPTION...
machine_program() {
	on "$1" setpriv --pdeathsig KILL "${@:2}" >>"$MACHINES/$1.${2##*/}.log" 2>&1 3>&- &
}

join() {
	local disk=$MACHINES/$1 image
	containerd_conf
	sed "s,^root = .*,root = \"$disk/containerd\"," "$RUNTIMES_DIR/containerd.toml" >"$disk/containerd.toml"
	machine_program "$1" containerd -c "$disk/containerd.toml" -l warn
	until_true on "$1" ctr version
	for image in "$MACHINES"/images/*.tar; do
		on "$1" ctr -n k8s.io images import --snapshotter overlayfs "$image" >/dev/null
	done
	on "$1" ctr -n k8s.io images tag --force docker.io/local/pause:1 local/pause:1 >/dev/null
	machine_program "$1" "$KUBERNETES/kube-proxy" --kubeconfig $MACHINES/node.kubeconfig --hostname-override "$1" --proxy-mode iptables \
		--masquerade-all --conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0
	machine_program "$1" "$KUBERNETES/kubelet" --config $MACHINES/kubelet.yaml --kubeconfig $MACHINES/node.kubeconfig \
		--root-dir "$disk/kubelet" --cert-dir "$disk/kubelet-certs" --hostname-override "$1" --node-ip "$(address_of "$1")" -v 2
}
