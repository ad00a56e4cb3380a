/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ipvlan-node places: programs, kubeconfig, configuration. A pass compares each with what should be
 * there, and writes what differs; it has no state of its own.
 */
#ifndef NODE_PASS_H
#define NODE_PASS_H

#include "node/options.h"
#include "node/place.h"

/* A pass ends with one of these as its exit status. */
enum passed {
	PASS_DONE,
	PASS_FAILED,
	PASS_REPLACED, /* done, and programs of others were in place */
};

#define PASS_STEPS 3
#define PASS_LINE (sizeof(struct cni_error) + 8)

struct pass {
	const struct options *options;
	struct place place;
	char (*said)[PASS_LINE]; /* of each step, its last error: shared with the passes, so that each is
			      reported once */
};

/* Errors: CNI_IO, CNI_RETRY. */
int pass_open(struct pass *ret, const struct options *options, struct cni_error *err);
void pass_close(struct pass *pass);

/* In a child. arg: struct pass. Returns enum passed. */
int pass_run(void *arg);

/* What a file's name has in addition that explains why the ready file does not exist. */
#define PASS_REASON ".reason"

/* Makes the ready file if all is in place. Else removes it, and writes the reason beside it. */
void pass_report(const struct pass *pass, bool ready);

/* The program's exit status: 0 if the ready file exists; else 1, with the reason on standard output. */
int pass_is_ready(const char *path);

#endif
