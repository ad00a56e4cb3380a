# shellcheck shell=bash
# What a runtime does with a network configuration list, in a page of shell.
#
#	network ADD|CHECK|DEL|STATUS|GC FILE POD [IFNAME]
#
# Calls each plugin of the list in turn, DEL in reverse, and passes the result on.
# The result of the last ADD of POD is kept in $NETWORK_RESULTS/POD.

plugin_of_list() {
	local file=$1 i=$2 result=$3
	jq -c --argjson i "$i" --slurpfile result "$result" \
		'{ cniVersion, name } + .plugins[$i]
		+ if ($result | length) > 0 then { prevResult: $result[0] } else {} end' "$file"
}

network() {
	local verb=$1 file=$2 pod=$3 ifname=${4:-eth0}
	local result=${NETWORK_RESULTS:-/run}/$pod count order i conf type dir
	count=$(jq '.plugins | length' "$file")
	mapfile -t order < <(seq 0 $((count - 1)))
	[ "$verb" != DEL ] || mapfile -t order < <(seq $((count - 1)) -1 0)
	[ "$verb" != ADD ] || rm -f "$result"
	[ -e "$result" ] || : >"$result"
	for i in "${order[@]}"; do
		conf=$(plugin_of_list "$file" "$i" "$result")
		type=$(jq -r .type <<<"$conf")
		dir=$(tr : '\n' <<<"$CNI_PATH" | while read -r dir; do [ ! -f "$dir/$type" ] || echo "$dir"; done | head -n 1)
		CNI_COMMAND=$verb CNI_CONTAINERID=$pod CNI_NETNS=/run/netns/$pod CNI_IFNAME=$ifname \
			"$dir/$type" <<<"$conf" >"$result.new" || { cat "$result.new"; return 1; }
		[ "$verb" != ADD ] || mv "$result.new" "$result"
	done
}
