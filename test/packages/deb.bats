#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The Debian package, on a Debian with only its base system.

load ../lib/cni

# prepare SUITE: a new Debian at DEBIAN. The guest discards changes, so that each run of this file has a new one.
prepare() {
	local dir
	DEBIAN=$("$TOP/test/packages/get-debian" "$1")
	for dir in dev proc sys; do
		mount --rbind "/$dir" "$DEBIAN/$dir"
	done
	cp "$BUILD"/release/ipvlan-cni_*.deb "$DEBIAN/root/ipvlan-cni.deb"
}

setup_file() {
	export DEBIAN
	prepare bookworm
}

setup() {
	STUB_DIR=$BATS_TEST_TMPDIR
	export STUB_DIR
	remove_network
	make_network
	mount --rbind /run "$DEBIAN/run" # with the existing namespaces
}

teardown() {
	umount -l "$DEBIAN/run"
}

in_debian() {
	chroot "$DEBIAN" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# files: all files, except those of apt and dpkg.
files() {
	(cd "$DEBIAN" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log \
		-o -path ./tmp -o -name 'ld.so.cache' \) -prune -o -printf '%p %y %l\n' | sort)
}

apt() {
	in_debian apt-get -qq -y --no-install-recommends "$@"
}

@test "apt installs it, the quick start works, purge leaves nothing" {
	apt install libcurl4 libjansson4 libmnl0 libyaml-0-2
	files >"$STUB_DIR/before"
	apt install /root/ipvlan-cni.deb
	run in_debian ipvlanctl try /usr/share/doc/ipvlan-cni/examples/l2.conflist
	echo "$output"
	[ "$status" = 0 ]
	[[ $output = *'address: 10.138.36.2/23'*'gateway: 10.138.36.66 answers'*'CHECK: nothing is missing'*'the interface is removed'* ]]
	apt purge ipvlan-cni
	rm -rf "$DEBIAN/var/lib/cni"
	files | diff "$STUB_DIR/before" -
}

@test "the plugin of containernetworking-plugins is diverted, and restored" {
	local theirs
	apt install containernetworking-plugins
	theirs=$(sha256sum <"$DEBIAN/usr/lib/cni/ipvlan")
	apt install /root/ipvlan-cni.deb
	[[ $(in_debian env CNI_COMMAND=VERSION /usr/lib/cni/ipvlan) = *1.1.0* ]]
	[ "$(sha256sum <"$DEBIAN/usr/lib/cni/ipvlan.containernetworking-plugins")" = "$theirs" ]
	apt install --reinstall /root/ipvlan-cni.deb
	apt purge ipvlan-cni
	[ "$(sha256sum <"$DEBIAN/usr/lib/cni/ipvlan")" = "$theirs" ]
	[ ! -e "$DEBIAN/usr/lib/cni/ipvlan.containernetworking-plugins" ]
}

@test "a running network survives an upgrade" {
	local conf
	apt install /root/ipvlan-cni.deb
	conf=$(conf '{"ipam": {"type": "addrpool"}, "hostAccess": true}')
	printf '%s' "$conf" >"$STUB_DIR/conf"
	chroot "$DEBIAN" env CNI_PATH=/usr/lib/cni CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
		/usr/lib/cni/ipvlan <"$STUB_DIR/conf"
	apt install --reinstall /root/ipvlan-cni.deb
	pings a 10.138.36.66
	run in_debian ipvlanctl show -v
	[[ $output = *'a eth0, network net'*'ok       '*'route to'* ]]
	chroot "$DEBIAN" env CNI_PATH=/usr/lib/cni CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 \
		/usr/lib/cni/ipvlan <"$STUB_DIR/conf"
	apt purge ipvlan-cni
}

@test "ipvlan contains the package's addrpool, so that it does not start it" {
	local id
	apt install /root/ipvlan-cni.deb
	id=$(readelf -n "$DEBIAN/usr/lib/cni/addrpool" | sed -n 's/.*Build ID: //p')
	[ ${#id} = 40 ]
	od -An -v -tx1 "$DEBIAN/usr/lib/cni/ipvlan" | tr -d ' \n' | grep -q "$id"
	apt purge ipvlan-cni
}

@test "the programs are hardened" {
	local program headers
	apt install /root/ipvlan-cni.deb
	for program in lib/cni/ipvlan lib/cni/addrpool lib/cni/addrpool-claim sbin/ipvlanctl sbin/ipvlan-node lib/netavark/ipvlan-netavark; do
		headers=$(readelf -Wldh "$DEBIAN/usr/$program")
		[[ $headers = *'DYN (Position-Independent Executable file)'* ]]
		[[ $headers = *GNU_RELRO* && $headers = *BIND_NOW* ]]
		[[ $headers =~ GNU_STACK\ +[x0-9a-f\ ]+RW\  ]]
		readelf -Ws "$DEBIAN/usr/$program" | grep -q __stack_chk_fail
		readelf -Ws "$DEBIAN/usr/$program" | grep -q _chk@
	done
	apt purge ipvlan-cni
}

# proposes_and_tries: init and try, with the programs of this Debian.
proposes_and_tries() {
	run in_debian sh -c 'ipvlanctl init && ipvlanctl try'
	echo "$output"
	[ "$status" = 0 ]
	[[ $output = *'"subnet": "10.138.36.0/23"'*'gateway: 10.138.36.66 answers'*'CHECK: nothing is missing'*'the interface is removed'* ]]
	run in_debian sh -c 'ipvlanctl init --write && ipvlanctl try lan'
	echo "$output"
	[ "$status" = 0 ]
	[[ $output = *'written to /etc/cni/net.d/10-lan.conflist'*'CHECK: nothing is missing'* ]]
	[ "$(jq -r .cniVersion "$DEBIAN/etc/cni/net.d/10-lan.conflist")" = 1.0.0 ]
	rm "$DEBIAN/etc/cni/net.d/10-lan.conflist"
}

@test "ipvlanctl init && ipvlanctl try: a network that works, on Debian 12" {
	apt install /root/ipvlan-cni.deb
	proposes_and_tries
	apt purge ipvlan-cni
}

@test "ipvlanctl init && ipvlanctl try: a network that works, on Debian 13" {
	local first=$DEBIAN
	prepare trixie
	mount --rbind /run "$DEBIAN/run"
	apt install /root/ipvlan-cni.deb
	proposes_and_tries
	apt purge ipvlan-cni
	umount -l "$DEBIAN/run"
	DEBIAN=$first
}

@test "man pages, and completion in the directories of bash, zsh and fish" {
	local file
	apt install /root/ipvlan-cni.deb
	for file in man/man8/{ipvlan-cni,addrpool,addrpool-claim,ipvlanctl,ipvlan-node,ipvlan-netavark}.8.gz man/man5/{ipvlan-cni,ipvlan-state,addrpool,addrpool-state}.5.gz man/man7/ipvlan-cni-errors.7.gz; do
		in_debian dpkg -L ipvlan-cni | grep -qx "/usr/share/$file"
	done
	for file in bash-completion/completions/ipvlanctl zsh/vendor-completions/_ipvlanctl fish/vendor_completions.d/ipvlanctl.fish; do
		grep -q 'Completion of ipvlanctl' "$DEBIAN/usr/share/$file"
	done
	[[ $(in_debian ipvlanctl --version) =~ ^ipvlanctl\ [0-9.]+(\ \(git\ [0-9a-f]{7}\+?\))?$ ]]
	apt purge ipvlan-cni
}

# links FILE: the files to which a page links.
links() {
	sed '/^```/,/^```/d' "$1" | grep -oE '\]\([^)# ]+' | sed 's/^](//' | grep -v '^https\?:'
}

@test "the pages are installed unchanged, and their links lead to files" {
	local doc=$DEBIAN/usr/share/doc/ipvlan-cni page link
	apt install /root/ipvlan-cni.deb
	for page in README SECURITY CONTRIBUTING CHANGELOG {plugin,ipam,conf-examples,conf-examples/kubernetes,test,test/bench}/README conf-examples/coming-from; do
		cmp "$doc/$page.md" "$TOP/$page.md"
	done
	for page in plugin/README ipam/README conf-examples/README conf-examples/kubernetes/README conf-examples/coming-from test/bench/README; do
		while read -r link; do
			[[ $link = *man/* ]] || [ -e "$doc/${page%/*}/$link" ] || { echo "$page.md: $link"; return 1; }
		done < <(links "$doc/$page.md")
	done
	apt purge ipvlan-cni
}
