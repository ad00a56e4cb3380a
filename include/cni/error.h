/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error, as a runtime reads it.
 *
 * A function that can fail takes a struct cni_error as its last argument and returns 0 or -1, or an
 * object or NULL. The function that understands the failure describes it in the line in which it
 * returns:
 *
 *	if (fd < 0)
 *		return cni_fail(err, CNI_IO, "cannot open %s: %s", path, errno_text(errno));
 *
 * msg says what failed. details has the kernel's reason and the remedy, if there are any. The first
 * error stays: one that follows, during the undo, does not replace it. With err NULL the error is
 * dropped. Only plugin_main() prints errors.
 */
#ifndef CNI_ERROR_H
#define CNI_ERROR_H

/* SPEC "Error": 1-99 are the specification's, 100 and up are ours. */
enum cni_code {
	CNI_UNKNOWN = 0,
	CNI_VERSION = 1,
	CNI_FIELD = 2,
	CNI_CONTAINER = 3,
	CNI_ENVIRONMENT = 4,
	CNI_IO = 5,
	CNI_DECODE = 6,
	CNI_CONFIG = 7,
	CNI_NETNS = 8, /* not in the specification; what the Go library returns */
	CNI_RETRY = 11,
	CNI_UNAVAILABLE = 50,
	CNI_LIMITED = 51,
	CNI_EXISTS = 100,   /* the interface is there already */
	CNI_CONFLICT = 101, /* the address is in use on this host */
	CNI_DAMAGED = 102,  /* CHECK found that something is missing or changed */
	CNI_INTERNAL = 999, /* the kernel refused, and no other code fits */
};

struct cni_error {
	int code;
	char msg[512]; /* empty while nothing has failed */
	char details[1024];
};

/* The answer to a question that can fail; FOUND_NOT is an answer, not an error. */
enum found {
	FOUND_FAILED = -1,
	FOUND_NOT,
	FOUND,
};

/* All return -1. cni_hint() sets details unless they are set already. cni_fail_as() passes an error on. */
int cni_fail_as(struct cni_error *err, const struct cni_error *why);
__attribute__((format(printf, 3, 4))) int cni_fail(struct cni_error *err, enum cni_code code, const char *msg,
						   ...);
__attribute__((format(printf, 2, 3))) int cni_hint(struct cni_error *err, const char *details, ...);

/* The text of errno, with Go's lower case: runtimes look for "no such file or directory". */
const char *errno_text(int error);

/* A warning: one line in the log, see cni/log.h. */
__attribute__((format(printf, 1, 2))) void cni_log(const char *line, ...);

#endif
