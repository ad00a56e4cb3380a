/*
 * How full the address pools are, as `addrpool --json` tells: it alone knows its files.
 */
#ifndef CTL_POOLS_H
#define CTL_POOLS_H

#include <jansson.h>

#include "cni/error.h"

/*
 * The networks of the configuration, each as addrpool lists it, with "file" added;
 * empty when none of its plugins has addresses of addrpool or host-local. A new
 * reference; NULL when there is no addrpool or it fails, as err says.
 */
json_t *pools_of(const char *file, struct cni_error *err);

#endif
