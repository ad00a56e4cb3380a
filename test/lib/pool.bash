# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions for the tests of addrpool, which concern only files: each test has its own dataDir, and
# no network except the namespaces that it makes.
#
#	$DATA                          dataDir
#	$DATA/net                      $STORE: leases, which are host-local's
#	$DATA/.addrpool/net            $OWN: what only addrpool knows

# shellcheck source=test/lib/calls.bash
. "$(dirname "${BASH_SOURCE[0]}")/calls.bash"

export CNI_PATH=$BUILD:$GO_PLUGINS

HOST_LOCAL=$GO_PLUGINS/host-local

make_places() {
	DATA=$BATS_TEST_TMPDIR/data
	STORE=$DATA/net
	OWN=$DATA/.addrpool/net
}

setup() {
	make_places
}

# conf [IPAM [MORE]]: a configuration with these members of "ipam", and of the whole;
# of members with the same name the last one counts. The subnet is 10.9.0.0/24 if
# there is neither "subnet" nor "ranges".
conf() {
	local ipam=${1:-} more=${2:-}
	case $ipam in
	*'"subnet"'* | *'"ranges"'*) ;;
	*) ipam="\"subnet\": \"10.9.0.0/24\"${ipam:+, $ipam}" ;;
	esac
	printf '{"cniVersion": "1.1.0", "name": "net", "ipam": {"type": "addrpool", "dataDir": "%s", %s}%s}\n' \
		"$DATA" "$ipam" "${more:+, $more}"
}

# pool VERB CONF [ID [IFNAME]]: calls addrpool, or $PLUGIN, as a runtime would. Sets
# status, output and stderr as bats' run does, in a third of the time.
pool() {
	status=0
	output=$(CNI_COMMAND=$1 CNI_CONTAINERID=${3-c1} CNI_IFNAME=${4-eth0} CNI_NETNS=${NETNS-/run/netns/${3-c1}} \
		"${PLUGIN:-$BUILD/addrpool}" 2>"$BATS_TEST_TMPDIR/stderr" <<<"$2") || status=$?
	IFS='' read -rd '' stderr <"$BATS_TEST_TMPDIR/stderr" || :
	stderr=${stderr%$'\n'}
}

# host_local VERB CONF [ID [IFNAME]]: the same with the Go plugin.
host_local() {
	PLUGIN=$HOST_LOCAL pool "$@"
}

# got ADDRESSES: the last result has these, with their prefix lengths.
got() {
	local rest=$output all=''
	while [[ $rest =~ \"(address|ip)\":\ \"([^\"]*)\"(.*) ]]; do
		all+=" ${BASH_REMATCH[2]}"
		rest=${BASH_REMATCH[3]}
	done
	[ "${all# }" = "$1" ] || { echo "got${all:- nothing}, not $1"; return 1; }
}

# gets ADDRESSES CONF [ID [IFNAME]]: an ADD succeeds with them: "10.9.0.2/24 fd00::2/64".
gets() {
	pool ADD "${@:2}"
	succeeds
	got "$1"
}

# drops CONF [ID [IFNAME]]: a DEL succeeds without output.
drops() {
	pool DEL "$@"
	succeeds
	[ -z "$output" ]
}

# leased NAMES: the store has these files, besides the lock and the order.
leased() {
	local file all=''
	for file in "$STORE"/*; do
		case ${file##*/} in
		lock | incarnation | last_reserved_ip.* | '*') ;;
		*) all+=" ${file##*/}" ;;
		esac
	done
	[ "${all# }" = "$1" ] || { echo "leased:${all:- nothing}, not $1"; return 1; }
}

# lease ADDRESS TEXT: writes a file as host-local would.
lease() {
	[ -d "$STORE" ] || mkdir -p "$STORE"
	printf %b "$2" >"$STORE/$1"
}

# holds FILE TEXT: the lease has exactly these bytes.
holds() {
	local wanted is
	printf -v wanted %b "$2"
	IFS='' read -rd '' is <"$STORE/$1" || :
	[ "$is" = "$wanted" ] || { echo "$1 holds $is, not $wanted"; return 1; }
}

# snapshot: all of dataDir, for a comparison.
snapshot() {
	[ ! -d "$DATA" ] || (cd "$DATA" && find . -printf '%p %y %m %l\n' | sort && find . -type f -exec head -v -c 200 {} +)
}

# changes_nothing BEFORE: dataDir is unchanged.
changes_nothing() {
	local now
	now=$(snapshot)
	diff <(echo "$1") <(echo "$now") || { echo "dataDir changed"; return 1; }
}

# sees_dead: can addrpool know that a namespace does not exist? Only in the first pid namespace.
sees_dead() {
	[ "$(readlink /proc/1/ns/pid)" = 'pid:[4026531836]' ]
}

# restarted ID [IFNAME]: the attachment's record is from an earlier boot.
restarted() {
	local record=$OWN/owner/$1:${2-eth0} text
	text=$(readlink "$record")
	ln -sfn "00000000 ${text#* }" "$record"
}

# for_everybody: sets PLUGIN to a copy that other users than root can run, in any source directory.
for_everybody() {
	PLUGIN=/var/lib/cni/addrpool
	install -m 755 "$BUILD/addrpool" "$PLUGIN"
}

# as_nobody COMMAND...: without any privilege, also in bats' directories.
as_nobody() {
	local dir
	for dir in "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR"; do
		chmod a+x "$dir"
	done
	# the counters of `make coverage` have no other place
	GCOV_PREFIX=/tmp/nobody setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
