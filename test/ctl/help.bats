#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Help, usage and versions of the programs; the table of ipvlanctl's commands in help and completion.

load ../lib/ctl

PROGRAMS='ipvlan addrpool addrpool-claim ipvlanctl ipvlan-node'
COMMANDS='doctor show init try pools gc repair report completion help version'

# asked PROGRAM ARGUMENT...: runs it without CNI, as a person does.
asked() {
	run --separate-stderr env -u CNI_COMMAND "$BUILD/$1" "${@:2}"
}

@test "--help and -h of each program print its purpose, usage and man page on standard output, status 0" {
	local program option page
	for program in $PROGRAMS; do
		for option in --help -h; do
			asked "$program" "$option"
			succeeds
			[ "$stderr" = "" ]
			[[ ${lines[0]} = "$program: "* ]]
			tells 'usage: '
			page=$(sed -n 's/^More: man //p' <<<"$output")
			[ -e "$TOP/man/$page.8" ] || { echo "no page \"$page\" for $program"; return 1; }
		done
	done
}

@test "--version and -V of each program print its name, version and commit" {
	local program option
	for program in $PROGRAMS; do
		for option in --version -V; do
			asked "$program" "$option"
			succeeds
			[[ $output =~ ^$program\ [0-9]+\.[0-9]+\.[0-9]+(\ \(git\ [0-9a-f]{7}\+?\))?$ ]] || { echo "$output"; return 1; }
			[ "$stderr" = "" ]
		done
	done
}

@test "wrong arguments: the usage on standard error, status 2, nothing on standard output" {
	local program
	for program in $PROGRAMS; do
		asked "$program" --nonsense
		[ "$status" = 2 ] || { echo "$program: $status"; return 1; }
		[[ $output = "" && $stderr = *'usage: '* ]] || { echo "$program: $output $stderr"; return 1; }
	done
}

@test "ipvlan ignores arguments in a runtime's call; without a call it prints its purpose" {
	CNI_COMMAND=VERSION run --separate-stderr "$BUILD/ipvlan" --help
	succeeds
	[[ $output = *'"supportedVersions"'* ]]
	asked ipvlan
	succeeds
	[ "$output" = "" ]
	[[ $stderr = 'CNI ipvlan plugin '*'CNI protocol versions supported: '* ]]
}

@test "the version has the commit of git, or of the archive's file, or none" {
	local tree=$BATS_TEST_TMPDIR/tree id=0123456789abcdef0123456789abcdef01234567
	mkdir -p "$tree/.ci"
	cp -r "$TOP/Makefile" "$TOP/test" "$tree"
	printf '%s\n' "$id" >"$tree/.ci/git-id"
	make -s -C "$tree" B=b b/git-id
	[ "$(cat "$tree/b/git-id")" = 0123456 ]
	cp "$TOP/.ci/git-id" "$tree/.ci/git-id"
	make -s -C "$tree" B=b b/git-id
	[ "$(cat "$tree/b/git-id")" = "" ]
	git -C "$tree" init -q
	git -C "$tree" add -A
	git -C "$tree" -c user.name=a -c user.email=a@b commit -qm one
	make -s -C "$tree" B=b b/git-id
	[ "$(cat "$tree/b/git-id")" = "$(git -C "$tree" rev-parse HEAD | cut -c1-7)" ]
	echo >>"$tree/Makefile"
	make -s -C "$tree" B=b b/git-id
	[ "$(cat "$tree/b/git-id")" = "$(git -C "$tree" rev-parse HEAD | cut -c1-7)+" ]
}

@test "help lists each command, and help COMMAND equals COMMAND --help" {
	local command
	ctl help
	succeeds
	for command in $COMMANDS; do
		tells $'\n  '"$command "
	done
	for command in $COMMANDS; do
		ctl help "$command"
		succeeds
		tells "usage: ipvlanctl $command" "$command: "
		[ "$output" = "$("$BUILD/ipvlanctl" "$command" --help)" ]
		[ "$output" = "$("$BUILD/ipvlanctl" "$command" nonsense -h)" ]
		grep -qE "^\.(SS|B) ipvlanctl $command\b" "$TOP/man/ipvlanctl.8" || { echo "ipvlanctl(8) has no $command"; return 1; }
	done
	ctl help nonsense
	[ "$status" = 2 ]
	[[ $stderr = *'there is no command "nonsense"'* ]]
}

@test "an unknown option, too many or too few operands: the command's usage, status 2" {
	local arguments
	for arguments in 'show --nonsense' 'show one two' 'gc --yes=1' 'gc all' 'repair one two' completion 'completion tcsh' 'version 2'; do
		# shellcheck disable=SC2086
		ctl $arguments
		[ "$status" = 2 ] || { echo "$arguments: $status"; return 1; }
		[[ $output = "" && $stderr = *"usage: ipvlanctl ${arguments%% *}"* ]] || { echo "$arguments: $stderr"; return 1; }
	done
}

@test "only help, version and completion work without root" {
	local command words
	for_everybody
	install -m 755 "$BUILD/ipvlanctl" "${PLUGIN%/*}/ipvlanctl"
	for command in $COMMANDS; do
		read -ra words <<<"$command"
		[ "$command" != completion ] || words+=(bash)
		run setpriv --reuid 65534 --regid 65534 --clear-groups "${PLUGIN%/*}/ipvlanctl" "${words[@]}"
		case $command in
		help | version | completion) succeeds ;;
		*) [[ $status = 2 && $output = *'requires root'* ]] || { echo "$command: $output"; return 1; } ;;
		esac
	done
}

# completes LINE: the words that bash offers at its end.
completes() {
	PATH=$BUILD:$PATH bash -c '
		. <(ipvlanctl completion bash)
		read -ra COMP_WORDS <<<"$1"
		[[ $1 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_ipvlanctl
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$1"
}

@test "completion for bash: commands, options, networks, files" {
	configured here "$(conf '{"name":"lan-1"}')"
	[ "$(completes 'ipvlanctl repa')" = repair ]
	[ "$(completes 'ipvlanctl show --')" = $'--verbose\n--json\n--dot' ]
	[ "$(completes 'ipvlanctl repair la')" = lan-1 ]
	[ "$(completes "ipvlanctl doctor $NETCONFPATH/h")" = "$NETCONFPATH/here.conf" ]
	[ "$(completes 'ipvlanctl completion ')" = $'bash\nzsh\nfish' ]
	[ "$(completes 'ipvlanctl help sh')" = show ]
}

@test "completion does not offer the name of a network that a shell would expand" {
	# shellcheck disable=SC2016
	configured here "$(conf '{"name":"$(touch /tmp/expanded)"}')"
	ctl completion networks
	succeeds
	[ "$output" = "" ]
}

@test "completion for zsh: it loads, and offers commands, options and networks" {
	configured here "$(conf '{"name":"lan-1"}')"
	ctl completion zsh
	succeeds
	printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/_ipvlanctl"
	run env PATH="$BUILD:$PATH" zsh -f -c '
		compdef() { print registered $@ }
		_describe() { print -l ${(P)2} }
		_arguments() { print -l -- $@; eval "${@[-1]#*: :}" }
		compadd() { print offered ${@[2,-1]} }
		_files() { print files }
		source '"$BATS_TEST_TMPDIR"'/_ipvlanctl
		words=(ipvlanctl "") CURRENT=2; _ipvlanctl
		words=(ipvlanctl repair "") CURRENT=3; _ipvlanctl
		words=(ipvlanctl doctor "") CURRENT=3; _ipvlanctl
		words=(ipvlanctl completion "") CURRENT=3; _ipvlanctl
	'
	succeeds
	tells 'registered _ipvlanctl ipvlanctl' 'doctor:find faults' '--dry-run[list them' 'offered lan-1' files 'offered bash zsh fish'
}

@test "completion for fish: it offers commands, options and networks" {
	configured here "$(conf '{"name":"lan-1"}')"
	export HOME=$BATS_TEST_TMPDIR PATH=$BUILD:$PATH
	ipvlanctl completion fish >"$BATS_TEST_TMPDIR/ipvlanctl.fish"
	offers() {
		fish --no-config -c "source $BATS_TEST_TMPDIR/ipvlanctl.fish; complete -C '$1'"
	}
	run offers 'ipvlanctl repa'
	[ "$output" = $'repair\trestore objects on the host that running pods lack' ]
	run offers 'ipvlanctl show --j'
	[ "$output" = $'--json\tprint one JSON document' ]
	run offers 'ipvlanctl repair la'
	[ "$output" = lan-1 ]
	run offers 'ipvlanctl help ver'
	[ "$output" = $'version\tprint the version' ]
}
