/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything about the pools of a network at one moment, for the list that people
 * read. Changes nothing, and waits for no lock: what another call changes meanwhile is seen or not.
 */
#ifndef IPAM_SURVEY_H
#define IPAM_SURVEY_H

#include <stdint.h>

#include "ipam/conf.h"
#include "ipam/state.h"

struct survey {
	struct states states; /* of the leases, by address */
	struct usage {
		uint64_t size;	  /* addresses that may be handed out; UINT64_MAX: that many or more */
		size_t blocks;	  /* where a cluster shares the pool: ours, whose addresses these are */
		uint64_t used;	  /* of them, leased */
		uint64_t dead;	  /* of the used, given back when they are needed */
		uint64_t waiting; /* not leased, but released less than reuseDelay ago */
	} * usage;		  /* by pool */
	struct usage asked;	  /* of "static": used and dead alone */
};

/* survey_free() after success only. Errors: CNI_IO, CNI_RETRY. */
int survey_read(struct survey *ret, const struct conf *conf, struct cni_error *err);
void survey_free(struct survey *survey);

#endif
