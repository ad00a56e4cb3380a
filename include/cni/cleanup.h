/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables that release what they own at the end of their scope, however the function returns.
 * take_fd() passes a descriptor on instead.
 */
#ifndef CNI_CLEANUP_H
#define CNI_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define autoclose __attribute__((cleanup(cleanup_close)))
#define autofree __attribute__((cleanup(cleanup_free)))

#endif
