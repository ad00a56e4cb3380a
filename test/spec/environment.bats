#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The specification's environment variables, as the Go library's skeleton checks them.

load ../lib/cni

# plugin VARIABLE...: runs the plugin with only these CNI variables.
plugin() {
	run --separate-stderr env -u CNI_PATH "$@" "$BUILD/ipvlan" <<<"${STDIN-$(conf)}"
}

@test "without CNI_COMMAND it prints its name and succeeds" {
	plugin
	succeeds
	[ "$output" = "" ]
	# Nomad compares the first word that is a version
	[ "${stderr_lines[0]}" = "CNI ipvlan plugin $(sed -n 's/^VERSION = //p' "$TOP/Makefile") (ipvlan-cni)" ]
	[ "${stderr_lines[1]}" = "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0" ]
}

@test "VERSION answers without standard input" {
	run env CNI_COMMAND=VERSION "$BUILD/ipvlan" <&-
	succeeds
	[ "$output" = '{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}' ]
}

@test "VERSION answers without root" {
	for_everybody
	run setpriv --reuid 65534 --regid 65534 --clear-groups env CNI_COMMAND=VERSION "$PLUGIN"
	succeeds
	[ "$(result '.supportedVersions | length')" = 7 ]
}

@test "ADD names all the variables that are missing" {
	plugin CNI_COMMAND=ADD
	fails 4 'required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing'
}

@test "CHECK names all the variables that are missing" {
	plugin CNI_COMMAND=CHECK
	fails 4 'required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing'
}

@test "DEL requires no CNI_NETNS" {
	plugin CNI_COMMAND=DEL
	fails 4 'required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing'
}

@test "STATUS and GC require only CNI_PATH" {
	plugin CNI_COMMAND=STATUS
	fails 4 'required env variables [CNI_PATH] missing'
	plugin CNI_COMMAND=GC
	fails 4 'required env variables [CNI_PATH] missing'
}

@test "an empty variable counts as missing" {
	plugin CNI_COMMAND=ADD CNI_CONTAINERID= CNI_NETNS=/run/netns/a CNI_IFNAME=eth0 CNI_PATH=/
	fails 4 'required env variables [CNI_CONTAINERID] missing'
}

@test "an unknown command is refused by name" {
	plugin CNI_COMMAND=FOO
	fails 4 'unknown CNI_COMMAND: FOO'
}

@test "an unknown command with empty input is an input error" {
	STDIN='' plugin CNI_COMMAND=FOO
	fails 6 'error unmarshall network config: unexpected end of JSON input'
}

@test "container ids begin with a letter or digit" {
	local id
	for id in _x -x .x 'a b' 'a/b' 'ä' '../../etc' $'a\nb'; do
		plugin CNI_COMMAND=DEL CNI_CONTAINERID="$id" CNI_IFNAME=eth0 CNI_PATH=/
		fails 4 'invalid characters in containerID'
		[ "$(result .details)" = "$id" ]
	done
}

@test "a wrong container id is reported before a missing variable" {
	plugin CNI_COMMAND=ADD CNI_CONTAINERID=_x
	fails 4 'invalid characters in containerID'
}

@test "an interface name has less than 16 bytes" {
	plugin CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_IFNAME=abcdefghijklmnop CNI_PATH=/
	fails 4 'interface name is too long'
	explains 'interface name should be less than 16 characters'
}

@test "an interface name is not a path and has no blanks" {
	local name
	for name in a/b a:b 'a b' $'a\tb' $'a\xc2\xa0b' $'a\xe3\x80\x80b' /; do
		plugin CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_IFNAME="$name" CNI_PATH=/
		fails 4 'interface name contains / or : or whitespace characters'
	done
	for name in . ..; do
		plugin CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_IFNAME="$name" CNI_PATH=/
		fails 4 'interface name is . or ..'
	done
}

@test "the plugin's own namespace as CNI_NETNS is refused before anything is done" {
	local before
	before=$(inventory)
	ip link add dev victim type dummy
	NETNS=/proc/self/ns/net cni ADD "$(conf)"
	fails 8 "plugin's netns and netns from CNI_NETNS should not be the same"
	NETNS=/proc/self/ns/net cni DEL "$(conf)" a victim
	fails 8 "plugin's netns and netns from CNI_NETNS should not be the same"
	ip link show victim
	ip link del victim
	leaves_nothing "$before"
}

@test "CNI_NETNS_OVERRIDE allows the plugin's own namespace" {
	local yes
	for yes in 1 true TRUE; do
		NETNS=/proc/self/ns/net CNI_NETNS_OVERRIDE=$yes cni ADD "$(conf)" a pod0
		succeeds
		ip link show pod0
		NETNS=/proc/self/ns/net CNI_NETNS_OVERRIDE=$yes cni DEL "$(conf)" a pod0
		succeeds
	done
}
