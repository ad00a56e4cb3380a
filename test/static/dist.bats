#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The tarballs of make dist, in RELEASE, by architecture: they install and uninstall by what they contain. IMAGE is that of
# make image.

setup() {
	cd "$RELEASE" || return
	BIN=$BATS_TEST_TMPDIR/root/opt/cni/bin
	SBIN=$BATS_TEST_TMPDIR/root/usr/local/sbin
}

# unpack MACHINE: the tarball's directory is the current one
unpack() {
	tar -C "$BATS_TEST_TMPDIR" -xzf ipvlan-cni-*-linux-"$1".tar.gz
	cd "$BATS_TEST_TMPDIR"/ipvlan-cni-*-linux-"$1" || return
}

installed() {
	(cd "$BATS_TEST_TMPDIR/root" && find . -type f | LC_ALL=C sort)
}

@test "each tarball has its sum, six programs of its architecture, and the licences of what is in them" {
	local machine program name
	for machine in x86_64 aarch64; do
		sha256sum --quiet -c ipvlan-cni-*-linux-$machine.tar.gz.sha256
		unpack $machine
		for program in ipvlan addrpool addrpool-claim ipvlanctl ipvlan-node ipvlan-netavark; do
			readelf -h bin/$program | tr '_' '-' | grep -iq "Machine: .*${machine//_/-}"
			[ -s "sbom.spdx.json" ]
		done
		[ "$(find bin -type f | wc -l)" = 6 ]
		while read -r name; do
			[ -s "licenses/$name" ]
		done < <(jq -r '.packages[1:][].name' sbom.spdx.json)
		jq -r '.files[] | (.checksums[] | select(.algorithm == "SHA256").checksumValue) + "  " + .fileName' sbom.spdx.json | sha256sum --quiet -c
		cd "$RELEASE"
	done
}

@test "the SBOM of each tarball is valid" {
	local machine
	for machine in x86_64 aarch64; do
		unpack $machine
		"$("$BATS_TEST_DIRNAME/get-spdx-tools")" -m spdx_tools.spdx.clitools.pyspdxtools -i sbom.spdx.json
		cd "$RELEASE"
	done
}

@test "the programs of arm64 run, by QEMU" {
	local program
	unpack aarch64
	for program in bin/*; do
		[[ $(qemu-aarch64-static "$program" --version) = "${program#bin/} "*contains*musl* ]]
	done
	[[ $(CNI_COMMAND=VERSION qemu-aarch64-static bin/ipvlan) = *1.1.0* ]]
}

@test "install and uninstall" {
	unpack x86_64
	DESTDIR=$BATS_TEST_TMPDIR/root ./install
	"$SBIN/ipvlanctl" --version
	[[ $(CNI_COMMAND=VERSION "$BIN/addrpool") = *1.1.0* ]]
	[ "$(stat -c %a "$BIN/addrpool-claim")" = 755 ]
	[ -x "$BATS_TEST_TMPDIR/root/usr/local/libexec/netavark/ipvlan-netavark" ]
	grep -q '^ExecStart=/usr/local/sbin/ipvlan-node' "$BATS_TEST_TMPDIR/root/usr/local/lib/systemd/system/ipvlan-node.service"
	[ -s "$BATS_TEST_TMPDIR/root/usr/local/share/man/man8/ipvlanctl.8" ]
	# twice, as an upgrade does
	installed >"$BATS_TEST_TMPDIR/once"
	DESTDIR=$BATS_TEST_TMPDIR/root ./install
	installed | diff "$BATS_TEST_TMPDIR/once" -
	DESTDIR=$BATS_TEST_TMPDIR/root ./uninstall
	[ -z "$(installed)" ]
}

@test "README's commands unpack a tarball and install it, and its uninstall removes all" {
	local commands=$BATS_TEST_TMPDIR/commands
	"$BATS_TEST_DIRNAME/../docs/commands" "$BATS_TEST_DIRNAME/../../README.md" | cut -f 3 | grep -A 2 -x 'make dist' | tail -n 2 >"$commands"
	grep -qx 'tar .*' "$commands" && grep -qx 'ipvlan-cni-[^ ]*/install' "$commands"
	mkdir -p "$BATS_TEST_TMPDIR/tree/build"
	ln -s "$RELEASE" "$BATS_TEST_TMPDIR/tree/build/release"
	cd "$BATS_TEST_TMPDIR/tree"
	DESTDIR=$BATS_TEST_TMPDIR/root bash -ex "$commands"
	[[ $(CNI_COMMAND=VERSION "$BIN/ipvlan") = *1.1.0* ]]
	DESTDIR=$BATS_TEST_TMPDIR/root bash -e -c 'ipvlan-cni-*/uninstall'
	[ -z "$(installed)" ]
}

@test "install keeps a program of another project, and uninstall puts it back" {
	unpack x86_64
	mkdir -p "$BIN"
	echo another >"$BIN/ipvlan"
	chmod 755 "$BIN/ipvlan"
	DESTDIR=$BATS_TEST_TMPDIR/root ./install
	DESTDIR=$BATS_TEST_TMPDIR/root ./install
	[[ $(CNI_COMMAND=VERSION "$BIN/ipvlan") = *1.1.0* ]]
	DESTDIR=$BATS_TEST_TMPDIR/root ./uninstall
	[ "$(<"$BIN/ipvlan")" = another ]
	[ "$(installed)" = ./opt/cni/bin/ipvlan ]
}

@test "a plugin that runs at that moment goes on, and the next call is of the new one" {
	unpack x86_64
	mkdir -p "$BIN"
	cp "$(type -P sleep)" "$BIN/ipvlan"
	"$BIN/ipvlan" 1000 3>&- &
	DESTDIR=$BATS_TEST_TMPDIR/root ./install
	kill $!
	cmp "$BIN/ipvlan" bin/ipvlan
}

@test "uninstall leaves what another project has installed since" {
	unpack x86_64
	DESTDIR=$BATS_TEST_TMPDIR/root ./install
	echo another >"$BIN/ipvlan"
	DESTDIR=$BATS_TEST_TMPDIR/root ./uninstall
	[ "$(installed)" = ./opt/cni/bin/ipvlan ]
}

@test "the image is for both architectures, with all programs, by another reader of images" {
	local architecture layers=$BATS_TEST_TMPDIR/layers
	for architecture in amd64 arm64; do
		skopeo --override-arch $architecture copy -q oci-archive:"$IMAGE" "dir:$layers-$architecture"
		[ "$(skopeo --override-arch $architecture inspect oci-archive:"$IMAGE" | jq -r .Architecture)" = $architecture ]
		mkdir "$BATS_TEST_TMPDIR/$architecture"
		tar -C "$BATS_TEST_TMPDIR/$architecture" -xf "$layers-$architecture/$(jq -r '.layers[0].digest | sub("sha256:"; "")' "$layers-$architecture/manifest.json")"
	done
	unpack x86_64
	diff -r bin "$BATS_TEST_TMPDIR/amd64"
	cd "$RELEASE"
	unpack aarch64
	diff -r bin "$BATS_TEST_TMPDIR/arm64"
}
