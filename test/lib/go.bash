# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Go that is new enough, from this machine or from Debian; include debian.bash too.
#
#	choose_go DIR                      sets `go`, the program of $oldest_go or later; a downloaded one goes below DIR
#	go_install DIR PACKAGE@VERSION...  programs into DIR, which exists, from the Go module proxy

oldest_go=${oldest_go:-1.21}
go_suites=(trixie bookworm-backports sid)

is_new_enough() {
	local found
	found=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
	[ "$(printf '%s\n' "$oldest_go" "${found#go}" | sort -V | head -n 1)" = "$oldest_go" ]
}

# Debian's Go requires only its own files, in any directory.
fetch_go() {
	local destination=$1 suite names name
	for suite in "${go_suites[@]}"; do
		names=$(debian_names "$suite" '^golang-1\.[0-9]+-go$') || continue
		name=$(tail -n 1 <<<"$names")
		name=${name%-go}
		log "fetching $name from $suite"
		debian_extract "$suite" "$name-go" "$destination"
		debian_extract "$suite" "$name-src" "$destination"
		# The package is split in two trees that refer to each other by absolute links.
		ln -sfn "../../share/go-${name#golang-}/src" "$destination/usr/lib/go-${name#golang-}/src"
		go=$destination/usr/lib/go-${name#golang-}/bin/go
		if is_new_enough "$go"; then
			return
		fi
	done
	log "there is no Go $oldest_go or later"
	return 1
}

choose_go() {
	for go in "$(type -P go)" /usr/local/go/bin/go; do
		if [ -x "$go" ] && is_new_enough "$go"; then
			return
		fi
	done
	fetch_go "$1"
}

# Go makes the directories of downloaded modules read-only.
go_install() {
	local destination=$1 scratch=$1/scratch
	shift
	mkdir "$scratch"
	choose_go "$scratch/debian"
	log "building $* with $("$go" env GOVERSION)"
	GOTOOLCHAIN=local GOFLAGS=-modcacherw GOBIN=$destination GOPATH=$scratch/path GOCACHE=$scratch/cache \
		CGO_ENABLED=0 "$go" install "$@" >&2
	rm -r "$scratch"
}
