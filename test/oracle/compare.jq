# SPDX-License-Identifier: Apache-2.0
# Makes the report from the records of compare. Each record is one call of one plugin.

include "report";

def units: split("\u001f");

def lines: split("\n") | map(select(. != ""));

# Replaces text that differs from run to run: Go's and our temporary names, Go's pointers.
def steady:
	if test("veth|ipv[0-9a-f]|0x") then
		gsub("\\bveth[0-9a-f]{8}\\b"; "(temporary)") | gsub("\\bipv[0-9a-f]{12}\\b"; "(temporary)")
		| gsub("0x[0-9a-f]+"; "0x(pointer)")
	else . end;

def present: with_entries(select(.value != null));

# --- the state after the call ------------------------------------------------

def address_text: [
	(if .broadcast then "broadcast " + .broadcast else empty end), "scope " + .scope,
	(to_entries[] | select(.value == true and .key != "tentative") | .key)
] | join(" ");

def addresses: map({key: "\(.local)/\(.prefixlen)", value: address_text}) | from_entries;

def link: {
	kind: (.linkinfo.info_kind // "none"), mode: .linkinfo.info_data.mode,
	flag: (.linkinfo.info_data // {} | [to_entries[] | select(.value == true) | .key] | join(" ")),
	mtu, up: (.flags | contains(["UP"])), noarp: (.flags | contains(["NOARP"])),
	parent: (.link // .link_index), address: (.addr_info | addresses)
} | present;

def hop_text: [
	(.gateway // .via.host // empty | "via " + .), "dev " + (.dev // "?"),
	(.flags // [] | .[])
] | join(" ");

def route_text: [
	(.type // "unicast"),
	(if .nexthops then (.nexthops[] | "nexthop " + hop_text) else hop_text end),
	"scope " + .scope, "proto " + .protocol,
	(.metric // empty | "metric \(.)"), (.metrics // [] | map(to_entries)[][] | "\(.key) \(.value)")
] | join(" ");

# Leaves out the routes that the kernel makes for each address.
def routes:
	map(select(.protocol != "kernel")
		| {key: "\(.table // "main") \(if .pref then "inet6" else "inet" end) \(.dst)", value: route_text})
	| group_by(.key) | map({key: .[0].key, value: (map(.value) | join(" + "))}) | from_entries;

# The input is two lines of JSON and some of text, or nothing if the namespace does not exist. The sysctls are
# those of eth0.
def namespace: lines as $lines
	| ($lines[2:] | map(split(" ") | {key: .[0], value: .[1]}) | from_entries) as $sysctls
	| {
		link: ($lines[0] // "[]" | fromjson | map({key: (.ifname | steady), value: link}) | from_entries
			| if .eth0 then .eth0.sysctl = $sysctls else . end),
		route: ($lines[1] // "[]" | fromjson | routes)
	};

def state: {
	host: (.[5] | namespace), pod: (.[6] | namespace),
	files: (.[7] | split("\u001d") | map(select(. != "") | split("\n")
		| {key: .[0], value: (.[1:] | join("\n"))}) | from_entries),
	ipam: (.[8] | lines | join(", ") | if . == "" then null else . end)
};

[split("\u001e")[1:][] | units
	| {case: .[0], plugin: .[1], call: .[2], answer: (.[3] | steady | answer_of_text), exit: (.[4] | tonumber), state: state}]
| report($table[0]; $version; $all; $show; $whole)
