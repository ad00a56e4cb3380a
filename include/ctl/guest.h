/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network namespace for a pod that is made to see what it reaches: a process keeps it, which
 * ends with us.
 */
#ifndef CTL_GUEST_H
#define CTL_GUEST_H

#include <sys/types.h>

#include "cni/error.h"

struct guest {
	char container[40], path[40];
	pid_t pid;
	int netns;
};

/* what_for is a word in the name of its container. CNI_IO, CNI_RETRY. guest_close() in any case. */
int guest_open(struct guest *ret, const char *what_for, struct cni_error *err);
void guest_close(struct guest *guest);

#endif
