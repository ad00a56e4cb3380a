/*
 * Network configurations as files: a list (.conflist), or a single plugin (.conf).
 */
#ifndef CNI_CONFLIST_H
#define CNI_CONFLIST_H

#include <jansson.h>

#include "cni/error.h"

/*
 * The configuration of each plugin in the file, in their order, as a runtime would
 * send it: with the name and the cniVersion of the list. A new reference to an array,
 * or NULL: CNI_IO, CNI_DECODE.
 */
json_t *conflist_read(const char *path, struct cni_error *err);

#endif
