/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong, in the shape in which a runtime reads it.
 *
 * Every function that can fail takes a struct cni_error last and returns 0 or
 * -1, or an object or NULL. The one who understands the failure describes it,
 * in the same line in which it returns:
 *
 *	if (fd < 0)
 *		return cni_fail(err, CNI_IO, "cannot open %s: %s", path, errno_text(errno));
 *
 * msg says what failed. details, where there is more to say, tells a tired
 * operator what the kernel said and what to do next. The first cause stands:
 * whatever fails later, while tidying up, does not hide it. A NULL err means
 * that nobody listens. Only plugin_main() prints errors.
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
	CNI_DAMAGED = 102,  /* CHECK found something missing or changed */
	CNI_INTERNAL = 999, /* the kernel refused, and no other code fits */
};

struct cni_error {
	int code;
	char msg[512]; /* empty while nothing has failed */
	char details[1024];
};

/* The answer to a question that can fail; "no" is an answer, not an error. */
enum found {
	FOUND_FAILED = -1,
	FOUND_NOT,
	FOUND,
};

/* Both return -1. cni_hint() fills details of an error without any; "" adds none. */
__attribute__((format(printf, 3, 4))) int cni_fail(struct cni_error *err, enum cni_code code, const char *msg,
						   ...);
__attribute__((format(printf, 2, 3))) int cni_hint(struct cni_error *err, const char *details, ...);

/* What errno means, in Go's words: runtimes look for "no such file or directory". */
const char *errno_text(int error);

/* A warning: one line where the operator reads, see cni/log.h. */
__attribute__((format(printf, 1, 2))) void cni_log(const char *line, ...);

#endif
