#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ipvlan-node installs the programs on a node of a cluster, and puts back what was there.

load ../lib/cni
load ../lib/ctl
load ../lib/ipvlan-node
load ../lib/placing

as_before() {
	[ "$(readlink "$DIR/bin/ipvlan")" = multi ]
	[ "$(ls -A "$DIR/bin")" = $'ipvlan\nmulti' ]
	[ -z "$(ls -A "$DIR/net.d")" ]
	[ ! -e "$DIR/keep" ]
}

@test "it installs the programs, and puts back at its end what was there" {
	start_node
	soon is_ready
	installed
	CNI_COMMAND=VERSION "$DIR/bin/ipvlan" | grep -q '"1.1.0"'
	stop_node
	as_before
	run is_ready
	[ "$status" = 1 ]
}

@test "a program that a package overwrites is installed again, and the package's is put back at the end" {
	start_node
	soon is_ready
	echo 'a newer Go plugin' >"$DIR/bin/.dpkg-new"
	touch -d 2021-01-01 "$DIR/bin/.dpkg-new"
	mv "$DIR/bin/.dpkg-new" "$DIR/bin/ipvlan"
	soon installed
	soon grep -q 'copy of the other program' "$SAID"
	rm "$DIR/bin/addrpool"
	soon installed
	stop_node
	[ "$(cat "$DIR/bin/ipvlan")" = 'a newer Go plugin' ]
	[ "$(stat -c %Y "$DIR/bin/ipvlan")" = "$(date -d 2021-01-01 +%s)" ]
}

# start_first: an instance, in $first. The next one will have another version, in $DIR/next.
start_first() {
	start_node
	soon is_ready
	first=$NODE
	mkdir "$DIR/next"
	cp "$DIR/from"/* "$DIR/next"
	echo >>"$DIR/next/ipvlan"
	NODE_OPTIONS+=(--install-from "$DIR/next")
}

@test "an upgrade: the next instance installs its programs, the one before leaves them and undoes nothing at its end" {
	local first
	start_first
	start_node
	soon installed "$DIR/next"
	touch "$DIR/bin/multi" # the first one looks as well
	sleep 1
	installed "$DIR/next"
	kill "$first"
	wait "$first"
	installed "$DIR/next"
	stop_node
	as_before
}

@test "an upgrade that is undone: if the next instance ends or is killed, the one before installs its programs again" {
	local first signal
	start_first
	for signal in TERM KILL; do
		start_node
		soon installed "$DIR/next"
		kill -$signal "$NODE"
		wait "$NODE" || :
		touch "$DIR/bin/multi" # the first one looks again at once
		soon installed
	done
	[ "$(find "$DIR/keep/running" -type f | wc -l)" = 1 ]
	NODE=$first
	stop_node
	as_before
}

@test "an instance that cannot start, after a kill, leaves the programs in place, until one ends as asked" {
	local instances
	instances=$(cat /proc/sys/fs/inotify/max_user_instances)
	start_node
	soon is_ready
	kill -KILL "$NODE"
	wait "$NODE" || :
	NODE=''

	echo 0 >/proc/sys/fs/inotify/max_user_instances
	run timeout 20 "$BUILD/ipvlan-node" "${NODE_OPTIONS[@]}"
	echo "$instances" >/proc/sys/fs/inotify/max_user_instances
	[ "$status" = 1 ]
	[[ $output = *"open files"* ]]
	installed
	run timeout 20 "$BUILD/ipvlan-node" "${NODE_OPTIONS[@]}" --listen 192.0.2.1:9465
	[ "$status" = 1 ]
	[[ $output = *192.0.2.1* ]]
	installed
	mount -t tmpfs -o nr_inodes=1 full "$DIR/keep/running"
	run timeout 20 "$BUILD/ipvlan-node" "${NODE_OPTIONS[@]}"
	umount "$DIR/keep/running"
	[ "$status" = 1 ]
	[[ $output = *'no space left on device'* ]]
	installed

	start_node
	soon is_ready
	stop_node
	as_before
}

@test "killed at each rename, and started again: nothing is lost" {
	local k
	from_template
	list | template
	# the first four are of addrpool's; ipvlan has a copy, a record and a program, the configuration a record and a file
	for k in {5..9}; do
		strace -f -qq -o "$DIR/trace" -e trace=rename -e "inject=rename:signal=KILL:when=$k" \
			"$BUILD/ipvlan-node" "${NODE_OPTIONS[@]}" 2>/dev/null 3>&- &
		NODE=$!
		soon sh -c "grep -q 'killed by SIGKILL' $DIR/trace || $BUILD/ipvlan-node is-ready $DIR/is-ready"
		kill -KILL "$(pgrep -P "$NODE" ipvlan-node)"
		wait "$NODE" || :
		rm "$DIR/trace"
		start_node
		soon is_ready
		installed
		stop_node
		as_before
	done
}

@test "uninstall undoes it without a running instance, and refuses while one runs" {
	from_template
	list | template
	start_node
	soon is_ready
	run "$BUILD/ipvlan-node" uninstall --keep-dir "$DIR/keep"
	[ "$status" = 1 ]
	[[ $output = *'another ipvlan-node runs on this node'* ]]
	installed
	kill -KILL "$NODE"
	wait "$NODE" || :
	NODE=''
	installed
	run "$BUILD/ipvlan-node" uninstall --keep-dir "$DIR/keep"
	[ "$status" = 0 ]
	as_before
	run "$BUILD/ipvlan-node" uninstall --keep-dir "$DIR/keep"
	[ "$status" = 0 ]
}

@test "without --uninstall-last everything stays at its end" {
	unset 'NODE_OPTIONS[-1]'
	start_node
	soon is_ready
	stop_node
	installed
}

@test "what others have written since stays at the end, and a directory in the way is reported" {
	mkdir "$DIR/bin/addrpool"
	start_node
	soon grep -q "cannot .*$DIR/bin/addrpool: " "$SAID"
	run is_ready
	[ "$status" = 1 ]
	rmdir "$DIR/bin/addrpool"
	soon is_ready
	kill -STOP "$NODE"
	echo mine >"$DIR/bin/addrpool"
	kill "$NODE"
	kill -CONT "$NODE"
	wait "$NODE"
	NODE=''
	[ "$(cat "$DIR/bin/addrpool")" = mine ]
	[ "$(readlink "$DIR/bin/ipvlan")" = multi ]
}
