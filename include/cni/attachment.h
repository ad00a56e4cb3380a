/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attachment is called: SPEC section 2, container and interface.
 */
#ifndef CNI_ATTACHMENT_H
#define CNI_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cni/error.h"
#include "cni/plugin.h"

struct attachment {
	const char *container, *ifname; /* ifname "": any */
};

bool attachment_equal(const struct attachment *a, const struct attachment *b);

/* For names made of it that have no room for all of it. */
uint64_t attachment_hash(const char *container, const char *ifname);

/*
 * Those that the runtime knows: the argument of GC. Runtimes say three things: a
 * list; null, when there are none (CRI-O); and nothing, when they do not know
 * (cnitool), which must not cost what pods that run still need.
 */
struct valid {
	struct attachment *list; /* sorted */
	size_t n;
};

/* FOUND_NOT when the runtime does not know. CNI_CONFIG. valid_free() after FOUND. */
enum found valid_read(struct valid *ret, const struct request *req, struct cni_error *err);
void valid_free(struct valid *valid);

bool valid_contains(const struct valid *valid, const char *container, const char *ifname);

#endif
