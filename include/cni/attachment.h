/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of an attachment, container and interface: SPEC section 2.
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

/* For names that have no room for the whole name of an attachment. */
uint64_t attachment_hash(const char *container, const char *ifname);

/*
 * The attachments that the runtime knows: the argument of GC. A runtime passes a list, null if
 * there are none (CRI-O), or no key if it does not know them (cnitool). Without the key GC must not
 * remove what running pods require.
 */
struct valid {
	struct attachment *list; /* sorted */
	size_t n;
};

/* FOUND_NOT: the runtime does not know them. Errors: CNI_CONFIG. valid_free() after FOUND. */
enum found valid_read(struct valid *ret, const struct request *req, struct cni_error *err);
void valid_free(struct valid *valid);

bool valid_contains(const struct valid *valid, const char *container, const char *ifname);

#endif
