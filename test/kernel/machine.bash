# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts have in common that start a guest. From the environment that run gives them:
#
#	STATE        the directory through which run and the guest talk
#	IMAGE        the kernel
#	TIME_LIMIT   seconds
#	MEMORY       the guest's memory
#	CPU          a processor's number, or none
#	PROCESSORS   that the guest has, where it can have several
#
# Descriptors 3 and 4 lead to the command's output; 1 and 2 to the log with the kernel's messages.

# In front of a command: ends it when its time is up, and keeps it on its processor.
# shellcheck disable=SC2034 # used by those who source this
limited=(timeout -s KILL "$TIME_LIMIT")
[ "$CPU" = none ] || limited+=(taskset -c "$CPU")

# In a mount namespace of the guest's own: makes this machine's files read-only but for the state
# directory and what the caller named.
protect_files() {
	local directory writable
	mapfile -d '' -t writable <"$STATE/writable"
	for directory in "$STATE" ${writable[@]+"${writable[@]}"}; do
		mount --bind "$directory" "$directory"
	done
	mount -o remount,bind,ro /
}
