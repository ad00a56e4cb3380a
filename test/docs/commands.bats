#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The commands in the documents, as they stand there: each is run here, or "elsewhere" names what runs it. The commands of a
# document's blocks run one after the other in one shell, from the top of the sources, and each succeeds. In a guest, because they
# install programs.

load ../lib/ctl
load ../lib/network

cd "$TOP" || exit
OTHERS=(.github/PULL_REQUEST_TEMPLATE.md CHANGELOG.md SECURITY.md CONTRIBUTING.md conf-examples/{README,coming-from,kubernetes/README}.md test/README.md test/*/README.md)
DOCUMENTS=(README.md {plugin,ipam}/README.md "${OTHERS[@]}" man/{addrpool,addrpool-state,ipvlan-cni,ipvlan-state}.5
	man/{addrpool,addrpool-claim,ipvlan-cni,ipvlan-netavark,ipvlan-node,ipvlanctl}.8)

setup_file() {
	grep -q GUEST= /proc/cmdline
	cd "$TOP" || return
	test/docs/commands "${DOCUMENTS[@]}" >"$BATS_FILE_TMPDIR/all"
	awk -F ' [|] ' 'NR == FNR { if (!/^#/) listed[$1] = 1; next } { command = $0; sub(/^[^\t]*\t[^\t]*\t/, "", command) } !listed[command]' \
		test/docs/elsewhere "$BATS_FILE_TMPDIR/all" >"$BATS_FILE_TMPDIR/here"
	make -rpn help 2>/dev/null | sed -n 's/^\([a-z][a-z0-9-]*\):.*/\1/p' >"$BATS_FILE_TMPDIR/targets"
}

setup() {
	export STUB_DIR=$BATS_TEST_TMPDIR PATH=$BUILD:$PATH B=$BUILD
	cd "$TOP" || return
	no_runtimes
	remove_network
	make_network
	mkdir -p /opt/cni/bin /etc/cni/net.d
	rm -f /etc/cni/net.d/*
	cp "$BUILD"/{ipvlan,addrpool} "$GO_PLUGINS/host-local" /opt/cni/bin
}

# here KIND DOCUMENT: its commands of this kind that are run here.
here() {
	awk -F'\t' -v kind="$1" -v document="$2" '$1 == document && $2 == kind { print $3 }' "$BATS_FILE_TMPDIR/here"
}

# accepted COMMAND: a command within a line. It may name what this network does not have, but the program knows it: make
# has the target, and ipvlanctl the command. Only what has no words in capitals, for which a user puts others, is run.
accepted() {
	local words
	read -ra words <<<"$1"
	case $1 in
	make\ *) grep -qxF "${words[1]}" "$BATS_FILE_TMPDIR/targets" ;;
	ipvlanctl*[[A-Z…]*) ipvlanctl help "${words[1]}" >/dev/null ;;
	*)
		run bash -c "$1" </dev/null
		[[ $status != @(2|126|127) ]]
		;;
	esac || { echo "$1: $output"; return 1; }
}

# runs DOCUMENT
runs() {
	local command
	here block "$1" >"$BATS_TEST_TMPDIR/commands"
	bash -exo pipefail "$BATS_TEST_TMPDIR/commands"
	while read -r command; do
		accepted "$command"
	done < <(here inline "$1" | sort -u)
}

# a_network NAME: it is configured, with a pod, as the documents have it
a_network() {
	cp "conf-examples/$1.conflist" "/etc/cni/net.d/10-$1.conflist"
	ip netns add 5b1cf6ad91e2
	CNI_PATH=/opt/cni/bin NETWORK_RESULTS=$STUB_DIR network ADD "conf-examples/$1.conflist" 5b1cf6ad91e2
}

@test "each document is run here; what is listed as run elsewhere is in a document, and in the file that runs it" {
	local document command who all
	mapfile -t all < <(find . -path './build*' -prune -o \( -name '*.md' -o -path './man/*.[58]' \) -printf '%P\n')
	comm -13 <(printf '%s\n' "${DOCUMENTS[@]}" | sort) <(test/docs/commands "${all[@]}" | cut -f 1 | sort -u) >"$STUB_DIR/lacking"
	cat "$STUB_DIR/lacking"
	[ ! -s "$STUB_DIR/lacking" ]
	while IFS='|' read -r command who; do
		cut -f 3 "$BATS_FILE_TMPDIR/all" | grep -qxF -- "${command% }" || { echo "no document has: $command"; return 1; }
		[[ $who != *': '* ]] || grep -qF -- "${who#*: }" "$(sed 's/^ //; s/: .*//' <<<"$who")" || { echo "not there: $who"; return 1; }
	done < <(grep -v '^#' test/docs/elsewhere)
}

# shown COMMAND: what README shows of it; numbers differ each time
shown() {
	awk -v command="    # $1" 'index($0, command) == 1 { found = 1; next } found && !/^    / { exit } found { print substr($0, 5) }' README.md | numbers
}

numbers() {
	sed -E 's/[0-9]+/N/g'
}

@test "README.md, and the programs print what it shows" {
	ip -6 addr flush dev eth0
	runs README.md
	rm /etc/cni/net.d/10-lan.conflist # of init --write
	[ "$(shown 'ipvlanctl init' | wc -l)" -gt 5 ]
	diff <(shown 'ipvlanctl init') <(ipvlanctl init 2>&1 >"$STUB_DIR/proposal" | numbers && { tr -d ' \n' <"$STUB_DIR/proposal"; echo; } | numbers)
	[ "$(shown 'ipvlanctl try' | wc -l)" -gt 8 ]
	diff <(shown 'ipvlanctl try') <(ipvlanctl try | numbers)
}

@test "make demo" {
	remove_network
	run env -u KERNEL make demo # in this guest, not in one of its own
	echo "$output"
	[ "$status" = 0 ]
	[[ $output = *'ADD: an ipvlan interface for each pod'*'"address": "10.138.36.2/23"'*DEL* ]]
}

@test "plugin/README.md" {
	a_network l3
	runs plugin/README.md
}

@test "ipam/README.md" {
	a_network l2
	runs ipam/README.md
}

@test "the other documents" {
	local document
	a_network l2
	for document in "${OTHERS[@]}"; do
		runs "$document"
	done
}

@test "addrpool(8), addrpool-state(5), ipvlan-state(5)" {
	a_network l2
	runs man/addrpool.8
	runs man/addrpool-state.5
	runs man/ipvlan-state.5
}

@test "ipvlan-cni(8)" {
	sed -n '/^{ "cniVersion"/,/} }$/p' man/ipvlan-cni.8 >l2.conf
	runs man/ipvlan-cni.8
	ip -n pod addr show eth0 | grep 10.138.36.2
}

@test "ipvlanctl(8), ipvlan-netavark(8)" {
	mkdir -p /var/lib/prometheus/node-exporter
	runs man/ipvlanctl.8
	grep '^# TYPE' /var/lib/prometheus/node-exporter/ipvlan.prom
	runs man/ipvlan-netavark.8
}
