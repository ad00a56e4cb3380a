# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The work of a runtime with a network configuration list, in a page of shell.
#
#	network ADD|CHECK|DEL|STATUS|GC FILE POD [IFNAME]
#
# Calls each plugin of the list in turn, DEL in reverse, and passes the result on.
# The result of the last ADD of POD is kept in $NETWORK_RESULTS/POD.

# confs_of_list VERB FILE: a line for each plugin, "TYPE CONFIGURATION". STATUS and GC get the
# version that has them, whatever the file's version is.
confs_of_list() {
	jq -r --arg verb "$1" 'if $verb == "STATUS" or $verb == "GC" then .cniVersion = "1.1.0" else . end
		| { cniVersion, name } as $of_all | .plugins[] | "\(.type) \($of_all + . | tojson)"' "$2"
}

# plugin_of TYPE: its path in CNI_PATH.
plugin_of() {
	local dir dirs
	IFS=: read -ra dirs <<<"$CNI_PATH"
	for dir in "${dirs[@]}"; do
		[ ! -f "$dir/$1" ] || { plugin=$dir/$1 && return; }
	done
	echo "no plugin $1 in $CNI_PATH" && return 1
}

network() {
	local verb=$1 pod=$3 ifname=${4:-eth0} kept=${NETWORK_RESULTS:-/run}/$3
	local conf plugin plugins result="" order=1 i
	[ "$verb" != DEL ] || order=-1
	mapfile -t plugins < <(confs_of_list "$verb" "$2")
	[ "$verb" = ADD ] || [ ! -e "$kept" ] || IFS='' read -rd '' result <"$kept" || :
	for ((i = 0; i < ${#plugins[@]}; i++)); do
		conf=${plugins[order * i - (order < 0)]}
		plugin_of "${conf%% *}"
		conf=${conf#* }
		[ -z "$result" ] || conf="${conf%\}},\"prevResult\":$result}"
		CNI_COMMAND=$verb CNI_CONTAINERID=$pod CNI_NETNS=/run/netns/$pod CNI_IFNAME=$ifname \
			"$plugin" <<<"$conf" >"$kept.new" || { cat "$kept.new"; return 1; }
		[ "$verb" != ADD ] || IFS='' read -rd '' result <"$kept.new" || :
	done
	[ "$verb" != ADD ] || mv "$kept.new" "$kept"
}
