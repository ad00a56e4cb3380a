# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions of the scripts that start a guest. run sets in their environment:
#
#	STATE        the directory that run and the guest share
#	IMAGE        the kernel
#	TIME_LIMIT   seconds
#	MEMORY       the guest's memory
#	CPU          a processor's number, or none
#	PROCESSORS   the number of the guest's processors, if it can have several
#
# Descriptors 3 and 4 are the command's output; 1 and 2 the log with the kernel's messages.

# Prefix of a command: kills it at the time limit, and binds it to its processor.
# shellcheck disable=SC2034 # the scripts that source this use it
limited=(timeout -s KILL "$TIME_LIMIT")
[ "$CPU" = none ] || limited+=(taskset -c "$CPU")

# In the guest's mount namespace: makes this machine's files read-only, except for the state directory and
# the caller's directories.
protect_files() {
	local directory writable
	mapfile -d '' -t writable <"$STATE/writable"
	for directory in "$STATE" ${writable[@]+"${writable[@]}"}; do
		mount --bind "$directory" "$directory"
	done
	mount -o remount,bind,ro /
}
