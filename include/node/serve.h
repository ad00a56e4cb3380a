/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /metrics and /healthz, by libmicrohttpd, whose descriptor the loop waits on.
 *
 * /metrics is what `ipvlanctl status --prometheus` prints. That takes a moment: a child runs it, and those
 * that asked meanwhile get the same answer.
 */
#ifndef NODE_SERVE_H
#define NODE_SERVE_H

#include <stdbool.h>

#include "node/host.h"
#include "node/job.h"

#define SERVE_WAITING 16

struct MHD_Daemon;
struct MHD_Connection;

struct serve {
	struct MHD_Daemon *daemon; /* NULL: not asked for */
	struct host *host;
	struct job job;
	int output; /* of the job, or of the last one */
	bool good;
	const char *ill; /* NULL: all is well */
	struct MHD_Connection *waiting[SERVE_WAITING];
	size_t n;
};

/* Does nothing without options->listen. *ret stays where it is. Errors: CNI_CONFIG, CNI_IO. */
int serve_open(struct serve *ret, struct host *host, const struct options *options, struct cni_error *err);
void serve_close(struct serve *serve);

/* To wait on; -1: none. */
int serve_descriptor(const struct serve *serve);

/* Until it must be called without an event; -1: never. */
int serve_timeout(const struct serve *serve);

/* Serves what has come, without waiting. */
void serve_run(struct serve *serve);

#endif
