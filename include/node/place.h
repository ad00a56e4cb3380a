/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that ipvlan-node places on the node, and what they replaced.
 *
 * Below the directory "keep": "placed.json" has, for each path, the size and the time of modification of
 * what was placed, and which instance placed it; "running" has a locked file of each instance; "kept" has a
 * copy of what was there before. So the files of an earlier version, or of another instance, differ from
 * those of a package or a person. Each file is written beside its path, synchronised and renamed: whoever
 * opens the path finds the old file or the new one, whole.
 *
 * The copy is written first, then the record, then the file: a process that is killed between leaves
 * nothing that the next call takes for something else.
 */
#ifndef NODE_PLACE_H
#define NODE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "cni/error.h"

struct place {
	const char *keep; /* borrowed */
	int instances;	  /* locked by each process that places files on this node */
	int running;	  /* locked, and found by "since": others see whether this instance still runs */
	long long since;  /* when it began to, in nanoseconds of CLOCK_BOOTTIME */
};

/* Makes the directory, and takes part as one of the node's instances. Errors: CNI_IO. */
int place_open(struct place *ret, const char *keep, struct cni_error *err);
void place_close(struct place *place);

struct content {
	const char *bytes;
	size_t len;
	mode_t mode;
};

enum placed {
	PLACE_FAILED = -1,
	PLACE_SAME, /* it was there, or an instance that began later, and runs, has placed another */
	PLACE_WRITTEN,
	PLACE_REPLACED, /* a file of another program, and kept a copy of that */
};

/* Errors: CNI_IO, CNI_DECODE, CNI_RETRY. */
enum placed place_put(const struct place *place, const char *path, const struct content *content,
		      struct cni_error *err);

/* Is that in place? */
bool place_has(const char *path, const struct content *content);

/* Does no other instance run? Then none can begin until place_close(). */
bool place_is_last(const struct place *place);

/*
 * Removes what was placed, the last first, and puts back what it had replaced. Leaves files alone that
 * others have written since. Does nothing if nothing was placed. Errors: CNI_IO, CNI_RETRY.
 */
int place_undo(const struct place *place, struct cni_error *err);

/* All bytes of a file, and a zero byte; the caller frees them. NULL with CNI_IO. */
char *place_read(const char *path, size_t *len, struct cni_error *err);

#endif
