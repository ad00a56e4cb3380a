/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leases and usage of a network's pools, for the list that people read. survey_read() changes nothing and
 * waits for no lock. It may or may not see the changes of calls that run meanwhile.
 */
#ifndef IPAM_SURVEY_H
#define IPAM_SURVEY_H

#include <stdint.h>

#include "ipam/conf.h"
#include "ipam/state.h"

struct survey {
	struct states states; /* of the leases, by address */
	struct usage {
		uint64_t size;	  /* addresses that may be assigned; UINT64_MAX: that many or more */
		size_t blocks;	  /* blocks of this node in a shared pool; size counts only their addresses */
		uint64_t used;	  /* leased addresses */
		uint64_t dead;	  /* leased addresses that an ADD without a free address releases */
		uint64_t waiting; /* addresses without a lease, released less than reuseDelay ago */
	} * usage;		  /* by pool */
	struct usage asked;	  /* of "static"; only used and dead are set */
};

/* survey_free() after success only. Errors: CNI_IO, CNI_RETRY. */
int survey_read(struct survey *ret, const struct conf *conf, struct cni_error *err);
void survey_free(struct survey *survey);

#endif
