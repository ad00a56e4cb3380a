#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What ipvlan inherits from its caller: signals, timers, umask, descriptors, and a standard error
# perhaps without a reader. None of it changes what a call does.

load ../lib/cni

# ipam NAME: an IPAM plugin that runs the script on standard input, and then answers ADD.
ipam() {
	{
		printf '#!/bin/bash\ncat >/dev/null\n[ "$CNI_COMMAND" = ADD ] || exit 0\n'
		cat
		echo 'echo "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.138.36.2/23\"}]}"'
	} >"$STUB_DIR/$1"
	chmod +x "$STUB_DIR/$1"
	CNI_PATH=$STUB_DIR:$CNI_PATH
}

with() {
	conf "{ \"ipam\": { \"type\": \"$1\" } }" "${@:2}"
}

# With SIGCHLD ignored bash does not wait for a child, so env starts ipvlan.
ignores_children='env --ignore-signal=CHLD'

@test "a caller that ignores SIGCHLD gets the IPAM plugin's error" {
	local verb
	run_by "$ignores_children"
	for verb in ADD DEL; do
		cni "$verb" "$(with stub-fails)"
		fails 123 'out of luck'
	done
	cni GC "$(with stub-fails '{ "cni.dev/valid-attachments": [] }')"
	fails 123 'out of luck'
	cni STATUS "$(with stub-fails)"
	fails 50 'out of luck'
	cni ADD "$(with stub-dies)"
	fails 0 'signal: '
}

@test "a caller that ignores SIGCHLD gets the error of nft" {
	local nft conf
	nft=$(readlink -f "$(type -P nft)")
	conf=$(conf '{ "mode": "l3s", "ipMasq": true }' "$(static 10.9.0.2/24)")
	printf '#!/bin/sh\necho refused >&2\nexit 1\n' >"$STUB_DIR/nft"
	chmod +x "$STUB_DIR/nft"
	mount --bind "$STUB_DIR/nft" "$nft"
	run_by "$ignores_children"
	cni ADD "$conf"
	umount "$nft"
	fails 999 'nft failed for ipMasq'
	add "$conf"
	nft list table inet ipvlan_cni | grep -F 10.9.0.2
	cni DEL "$conf"
	succeeds
}

@test "with few descriptors each call ends in time, and a call with more leaves nothing" {
	local n before conf ready=0
	conf=$(conf '{ "hostAccess": true, "resolvConf": true, "dns": { "domain": "example.org" }, "ipam": { "type": "addrpool" } }')
	before=$(inventory)
	for n in {8..24}; do
		run_by "prlimit --nofile=$n:$n timeout 20"
		cni ADD "$conf"
		[ "$status" != 0 ] || ready=$((ready + 1))
		[ "$status" -le 1 ] || { echo "$n descriptors: status $status"; return 1; }
		cni DEL "$conf"
		[ "$status" -le 1 ] || { echo "$n descriptors: status $status"; return 1; }
		PLUGIN='' cni DEL "$conf"
		succeeds
		leaves_nothing "$before"
	done
	[ "$ready" -gt 0 ]
}

@test "with all signals blocked or ignored ADD and DEL succeed, and the IPAM plugin inherits none of that" {
	local way
	ipam asks <<-'EOF'
		grep -E '^Sig(Blk|Ign):' /proc/self/status >"$STUB_DIR/signals"
	EOF
	for way in --block-signal --ignore-signal=CHLD,ALRM,PIPE,VTALRM,PROF,XFSZ; do
		run_by env "$way"
		add "$(with asks)"
		grep '^SigBlk:.0*$' "$STUB_DIR/signals"
		# SIGPIPE, SIGALRM and SIGCHLD are 13, 14 and 17
		(((0x$(awk '/^SigIgn/ { print $2 }' "$STUB_DIR/signals") & 0x13000) == 0))
		cni DEL "$(with asks)"
		succeeds
	done
}

@test "a timer of the caller kills no program" {
	ipam sleeps <<-'EOF'
		sleep 3
	EOF
	run_by perl -e "'alarm 1; exec @ARGV'"
	add "$(with sleeps)"
	cni DEL "$(with sleeps)"
	succeeds
}

@test "a limit to the size of files kills no program" {
	local log=$BATS_TEST_TMPDIR/log conf
	conf=$(with stub-fails "{ \"logFile\": \"$log\", \"logLevel\": \"info\" }")
	head -c 8192 /dev/zero >"$log"
	run_by prlimit --fsize=8192
	cni ADD "$conf"
	fails 123 'out of luck'
	[[ $stderr = *"cannot write to logFile"* ]]
}

@test "files have the modes of the manual with any umask" {
	local mask conf
	conf=$(conf "{ \"ipam\": { \"type\": \"addrpool\" }, \"resolvConf\": true, \"dns\": { \"nameservers\": [ \"10.0.0.1\" ] },
		\"hostAccess\": true, \"logFile\": \"/run/cni/log\", \"logLevel\": \"info\" }")
	for mask in 000 077 777; do
		rm -rf /etc/netns /run/cni /var/lib/cni/networks
		mkdir /run/cni
		run_by "$(printf 'sh -c '\''umask %s; exec "$@"'\'' sh' $mask)"
		add "$conf"
		[ "$(stat -c %a /etc/netns /etc/netns/a /etc/netns/a/resolv.conf | paste -sd' ')" = '755 755 644' ]
		[ "$(stat -c %a /var/lib/cni/networks /var/lib/cni/networks/net /var/lib/cni/networks/net/10.138.36.2 | paste -sd' ')" = '755 755 600' ]
		[ "$(stat -c %a /run/cni/ipvlan /run/cni/log | paste -sd' ')" = '700 640' ]
		cni DEL "$conf"
		succeeds
	done
}

@test "an IPAM plugin inherits only three descriptors" {
	ipam looks <<-'EOF'
		exec {dir}</proc/self/fd
		ls /proc/$$/fd >"$STUB_DIR/seen"
	EOF
	run_by "sh -c 'exec \"\$@\" 5</dev/null 7>/dev/null 9<>/dev/zero' sh"
	add "$(with looks)"
	[ "$(grep -vxF -e 10 -e 255 "$STUB_DIR/seen" | paste -sd' ')" = '0 1 2' ] || { cat "$STUB_DIR/seen"; return 1; }
}

# unread [LOUD]: from now on ipvlan's standard error is a full pipe without a reader.
unread() {
	mkfifo "$BATS_TEST_TMPDIR/unread"
	exec {UNREAD}<>"$BATS_TEST_TMPDIR/unread"
	timeout 0.2 cat /dev/zero >&"$UNREAD" || :
	run_by "sh -c 'exec \"\$@\" 2>$BATS_TEST_TMPDIR/unread' sh"
}

@test "calls do not wait long for a standard error without a reader" {
	ipam loud <<-'EOF'
		head -c 1048576 /dev/zero | tr '\0' x >&2
	EOF
	unread
	add "$(with loud)"
	cni DEL "$(with loud)"
	succeeds
	# nor do ipvlan's lines
	cni DEL "$(conf '{ "logLevel": "loud" }')"
	succeeds
}

@test "logFile has the number of bytes that standard error had no room for" {
	local log=/run/cni/log
	mkdir -p /run/cni
	ipam loud <<-'EOF'
		head -c 100000 /dev/zero | tr '\0' x >&2
	EOF
	unread
	add "$(with loud "{ \"logFile\": \"$log\" }")"
	grep -q 'warning ADD network=net .*: 100000 bytes for standard error are lost' "$log"
}

@test "all bytes arrive on a standard error that is read, however many they are" {
	ipam loud <<-'EOF'
		head -c 300000 /dev/zero | tr '\0' x >&2
	EOF
	add "$(with loud)"
	[ ${#stderr} = 300000 ]
}

@test "a pipe that others write to keeps its flags" {
	mkfifo "$BATS_TEST_TMPDIR/shared"
	exec {SHARED}<>"$BATS_TEST_TMPDIR/shared"
	run_by "bash -c 'exec \"\$@\" 2>&$SHARED' bash"
	cni DEL "$(conf '{ "logLevel": "loud" }')"
	succeeds
	[ "$(awk '/^flags/ { print $2 }' "/proc/$$/fdinfo/$SHARED")" = 0100002 ]
}

@test "control characters of a name or of an IPAM plugin reach neither logFile nor a terminal" {
	local log=/run/cni/log conf
	mkdir -p /run/cni
	ipam colours <<-'EOF'
		printf '\033[31mred\177\302\233m \303\244\ttab\nline\r\n' >&2
	EOF
	conf=$(with colours "{ \"logFile\": \"$log\", \"logLevel\": \"info\" }")
	add "$conf" a $'x\e[31my'
	[ "$stderr" = '\x1b[31mred\x7f\xc2\x9bm '$'ä\ttab\nline\\x0d' ] || { cat -v <<<"$stderr"; return 1; }
	cni CHECK "$conf" a $'x\e[31m\xc2\x9b'
	fails 7
	grep -qF 'ifname=x\x1b[31my: done' "$log"
	grep -qF 'ifname=x\x1b[31m\xc2\x9b: error 7' "$log"
	run ! env LC_ALL=C grep -a $'[\x01-\x1f\x7f]' "$log"
	cni DEL "$conf" a $'x\e[31my'
	succeeds
	cni ADD "$(with colours '{ "logLevel": "\u001b[31m\u009b" }')"
	[[ $stderr = *'not "\x1b[31m\xc2\x9b"'* ]]
}
