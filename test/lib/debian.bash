# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Packages of any signed Debian suite, without a change of this machine's apt setup, and a cache for
# what is made of them. The scripts that fetch kernels and reference programs source it.
#
#   debian_names SUITE ERE              the packages whose names match
#   debian_version SUITE PACKAGE        the version that suite offers; fails when it has none
#   debian_download SUITE PACKAGE DEST  the package as a file below DEST; prints its path
#   debian_extract SUITE PACKAGE DEST   the package's files below DEST
#   debian_tree SUITE DEST PACKAGE...   the files of the packages, and of all on which they depend, below DEST
#   cache_dir                           where things are kept, $IPVLAN_CNI_CACHE
#   cache_lock NAME                     keeps other processes off NAME until this one ends
#   cache_fill ENTRY COMMAND...         makes ENTRY by `COMMAND... PATH`, unless it is there
#
# SUITE is a name such as sid or trixie-backports, or with another architecture than this machine's, sid:arm64; `system`
# stands for this machine's own sources.

cache_dir() {
	printf '%s\n' "${IPVLAN_CNI_CACHE:-/var/cache/ipvlan-cni}"
}

# The lock is a file descriptor that is never closed: it ends with the process and its children.
cache_lock() {
	local directory descriptor
	directory=$(cache_dir)/lock
	mkdir -p "$directory"
	exec {descriptor}>"$directory/$1"
	flock "$descriptor"
}

# COMMAND writes beside the entry, which is then renamed, so other processes never see half of one.
# Call it as a plain command: in an `if` or before `||` the shell would ignore failures inside
# COMMAND. COMMAND sees these variables, so they have long names.
cache_fill() {
	local cache_entry cache_partial
	cache_entry=$(cache_dir)/$1
	cache_partial=$cache_entry.partial
	shift
	[ ! -e "$cache_entry" ] || return 0
	(
		set -e
		cache_lock "${cache_entry##*/}"
		[ ! -e "$cache_entry" ] || exit 0
		rm -rf "$cache_partial"
		mkdir -p "${cache_entry%/*}"
		trap 'rm -rf "$cache_partial"' EXIT
		"$@" "$cache_partial"
		mv "$cache_partial" "$cache_entry"
	)
}

# The address of the Debian archive, or of a mirror of it, that this machine's own apt uses. Without
# package lists (a fresh image) apt does not know the origin yet; then the path shows it.
debian_archive() {
	# shellcheck disable=SC2016 # the $(...) belong to apt
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' 'Created-By: Packages' |
		awk '
			$2 ~ /-/ { next }
			$3 == "Debian" && !known { known = $1 }
			$1 ~ /\/debian\/?$/ && !likely { likely = $1 }
			END { if (!known) known = likely; if (!known) exit 1; print known }
		'
}

debian_state() {
	printf '%s/apt/%s\n' "$(cache_dir)" "${1/:/-}"
}

# Runs an apt tool that knows only SUITE. The suite's signature is checked with the archive's
# keyring. An archive snapshot may be older than the suite's "Valid-Until", which only prevents
# replays and is ignored here.
debian_apt() {
	local suite=$1 tool=$2 state only=()
	shift 2
	if [ "$suite" = system ]; then
		"$tool" -o APT::Sandbox::User=root "$@"
		return
	fi
	state=$(debian_state "$suite")
	[[ $suite != *:* ]] || only=(-o "APT::Architecture=${suite#*:}" -o "APT::Architectures=${suite#*:}")
	"$tool" ${only[@]+"${only[@]}"} \
		-o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State="$state/state" \
		-o Dir::State::status=/dev/null \
		-o Dir::State::Lists="$state/state/lists" \
		-o Dir::Cache="$state/cache" \
		-o APT::Sandbox::User=root \
		-o Acquire::Check-Valid-Until=false \
		-o Acquire::Languages=none \
		-o Acquire::Retries=3 \
		-o DPkg::Lock::Timeout=300 \
		"$@"
}

# Package lists are valid for hours, and a script asks several times within seconds.
debian_update() {
	local suite=$1 state stamp archive
	state=$(debian_state "$suite")
	stamp=$state/updated
	mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial"
	(
		exec {descriptor}>"$state/lock"
		flock "$descriptor"
		[ -z "$(find "$stamp" -mmin -60 2>/dev/null)" ] || exit 0
		if [ "$suite" = system ]; then
			apt-get -qq update >&2 || exit 1
			touch "$stamp"
			exit 0
		fi
		archive=$(debian_archive) || {
			echo "debian: this machine's apt knows no Debian archive" >&2
			exit 1
		}
		printf 'deb [signed-by=%s] %s %s main\n' \
			/usr/share/keyrings/debian-archive-keyring.gpg "$archive" "${suite%%:*}" >"$state/sources.list"
		debian_apt "$suite" apt-get -qq --error-on=any update >&2 || exit 1
		touch "$stamp"
	)
}

debian_names() {
	debian_update "$1" || return
	debian_apt "$1" apt-cache pkgnames | grep -E "$2" | sort -V
}

debian_version() {
	debian_update "$1" || return
	debian_apt "$1" apt-cache show --no-all-versions "$2" 2>/dev/null |
		awk '$1 == "Version:" && !version { version = $2 }
			END { if (!version) exit 1; print version }'
}

debian_download() {
	local suite=$1 package=$2 destination=$3 files
	debian_update "$suite" || return
	mkdir -p "$destination"
	(cd "$destination" && debian_apt "$suite" apt-get -qq download "$package" >&2) || return
	files=("$destination/${package%%=*}"_*.deb)
	printf '%s\n' "${files[-1]}"
}

debian_extract() {
	local suite=$1 package=$2 destination=$3 scratch file status=0
	scratch=$(mktemp -d)
	mkdir -p "$destination"
	file=$(debian_download "$suite" "$package" "$scratch") &&
		dpkg-deb -x "$file" "$destination" || status=1
	rm -rf "$scratch"
	return $status
}

# debian_apt knows of no installed package, so apt downloads each one.
debian_tree() {
	local suite=$1 destination=$2 scratch file status=0
	shift 2
	debian_update "$suite" || return
	scratch=$(mktemp -d)
	mkdir -p "$scratch/partial" "$destination"
	debian_apt "$suite" apt-get -qq -y --no-install-recommends --download-only -o "Dir::Cache::archives=$scratch" \
		install "$@" >&2 || status=1
	for file in "$scratch"/*.deb; do
		[ $status = 0 ] || break
		dpkg-deb -x "$file" "$destination" || status=1
	done
	rm -rf "$scratch"
	return $status
}
