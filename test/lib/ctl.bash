# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions for the tests of ipvlanctl: the network of cni.bash, and configurations in the runtimes'
# directories.

# shellcheck source=test/lib/cni.bash
. "$(dirname "${BASH_SOURCE[0]}")/cni.bash"

setup() {
	export STUB_DIR=$BATS_TEST_TMPDIR NETCONFPATH=$BATS_TEST_TMPDIR/net.d
	mkdir -p "$NETCONFPATH"
	no_runtimes
	remove_network
	make_network
}

# Hides the machine's runtimes: tests choose which exist.
no_runtimes() {
	local program path
	for program in containerd crio k3s podman nerdctl; do
		for path in /{usr/local,usr,}/{s,}bin/$program; do
			[ ! -x "$path" ] || mount --bind /dev/null "$path"
		done
	done
}

# runtime NAME TEXT: a container runtime that prints this for --version.
runtime() {
	mkdir -p "$BATS_TEST_TMPDIR/runtimes"
	printf '#!/bin/sh\necho "%s"\n' "$2" >"$BATS_TEST_TMPDIR/runtimes/$1"
	chmod +x "$BATS_TEST_TMPDIR/runtimes/$1"
	[[ $PATH = $BATS_TEST_TMPDIR/runtimes:* ]] || PATH=$BATS_TEST_TMPDIR/runtimes:$PATH
}

# podman_info BACKEND DRIVER: podman prints these
podman_info() {
	sed -i "2i [ \"\$1\" != info ] || { echo '{\"host\":{\"networkBackend\":\"$1\"},\"plugins\":{\"network\":[\"bridge\",\"$2\"]}}' && exit; }" \
		"$BATS_TEST_TMPDIR/runtimes/podman"
}

# configured NAME CONF: a configuration for runtimes. The pool is addrpool's.
configured() {
	jq -c 'if .ipam.type == "host-local" then .ipam.type = "addrpool" else . end' <<<"$2" >"$NETCONFPATH/$1.conf"
}

# pod NAME CONF: an attachment of the configuration.
pod() {
	add "$(cat "$NETCONFPATH/$2.conf")" "$1"
}

# cached NAME CONF CONTAINER: libcni's cache of an ADD whose configuration is in no file.
cached() {
	mkdir -p "${CACHE:-/var/lib/cni/results}"
	jq -n --arg config "$(jq '{ cniVersion, name, plugins: [ . ] }' <<<"$2" | base64 -w0)" --arg name "$1" --arg container "$3" \
		'{ kind: "cniCacheV1", $config, networkName: $name, containerId: $container, ifName: "eth0" }' \
		>"${CACHE:-/var/lib/cni/results}/$1-$3-eth0"
}

# ctl COMMAND...: sets status, output and stderr as bats' run does.
ctl() {
	run --separate-stderr "$BUILD/ipvlanctl" "$@"
}

# tells TEXT...: the output contains each of them.
tells() {
	local text
	for text in "$@"; do
		[[ $output = *"$text"* ]] || { echo "\"$text\" is not in: $output"; return 1; }
	done
}

# sound [JSON]...: a network that works: its gateway answers.
sound() {
	conf '{"ipam":{"ranges":[[{"subnet":"10.138.36.0/23","rangeStart":"10.138.36.2","rangeEnd":"10.138.36.40","gateway":"10.138.36.66"}]]}}' "$@"
}

# finds STATUS TEXT...: doctor exits with STATUS and prints each text; nothing was changed.
finds() {
	local expected=$1 before
	shift
	before=$(inventory)
	ctl doctor
	[ "$status" = "$expected" ] || { echo "exit status $status, not $expected: $output"; return 1; }
	tells "$@" || return 1
	leaves_nothing "$before"
}

# refused_by VERB CODE MESSAGE [DETAILS]: the verb with the configuration net fails with these, for pod a.
refused_by() {
	cni "$1" "$(cat "$NETCONFPATH/net.conf")" a
	fails "$2" "$3" && explains "${4:-}"
}

# accepted_by VERB...: each verb with the configuration net succeeds, for pod a.
accepted_by() {
	local verb
	for verb; do
		cni "$verb" "$(cat "$NETCONFPATH/net.conf")" a
		succeeds || { echo "$verb of net failed"; return 1; }
	done
}

# doctor STATUS [TEXT]...: doctor exits with STATUS and prints each text. It prints no other
# warnings and errors.
doctor() {
	local expected=$1 text findings=0 wanted=0
	shift
	ctl doctor
	[ "$status" = "$expected" ] || { echo "exit status $status, not $expected: $output"; return 1; }
	tells "$@" || return 1
	for text; do
		[[ $text != 'warning  '* && $text != 'error    '* ]] || wanted=$((wanted + 1))
	done
	findings=$(grep -c -e '^warning  ' -e '^error    ' <<<"$output" || :)
	[ "$findings" = "$wanted" ] || { echo "$findings findings, not $wanted: $output"; return 1; }
}
