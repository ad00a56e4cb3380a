/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network namespace for a trial pod. A child process keeps it, and ends with ipvlanctl.
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

/* what_for: a word for the name of its container. Fails with CNI_IO or CNI_RETRY. Call guest_close() also
 * after a failure. */
int guest_open(struct guest *ret, const char *what_for, struct cni_error *err);
void guest_close(struct guest *guest);

#endif
