/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of a configuration that its plugin does not know. A plugin ignores them, as the Go plugins
 * do, so that a slip has no effect and says nothing. Here it is found, and what the user may have
 * meant: the known key of nearly the same letters ("gatway"), or of the same meaning in the
 * configuration of another plugin ("range" of whereabouts).
 *
 * The tables name each key that is read, also those of runtimes and libcni. A key with a slash or a
 * leading underscore is somebody's own, or a comment, and no slip.
 */
#ifndef CNI_KEYS_H
#define CNI_KEYS_H

#include <jansson.h>

#include "cni/error.h"

/* Strings are good during the call that hands them over. */
struct unknown_key {
	const char *plugin; /* that does not know it */
	const char *where;  /* "ipam.ranges[0][1]" for instance; "": the configuration itself */
	const char *key;    /* any bytes but control characters are to be expected */
	const char *meant;  /* what to write instead, with its quotes; "": nothing is like it */
};

struct key_text {
	char s[320];
};

/* `unknown key "gatway" in ipam<remark>; addrpool's is "gateway"` */
struct key_text unknown_key_text(const struct unknown_key *unknown, const char *remark);

/*
 * Calls each() for those in the configuration of one plugin, as a runtime passes it: ipvlan's own
 * keys where its type is ipvlan, and those of ipam where that is of type addrpool or host-local.
 * Writes no log.
 */
void keys_unknown(const json_t *conf, void (*each)(void *arg, const struct unknown_key *unknown), void *arg);

/* ADD's warnings, for ipvlan's own keys, and for those in ipam. */
void keys_warn_ipvlan(const json_t *conf);
void keys_warn_addrpool(const json_t *conf);

/* Adds the unknown keys to an error without details, which they may be the cause of. Returns -1. */
int keys_hint_ipvlan(const json_t *conf, struct cni_error *err);
int keys_hint_addrpool(const json_t *conf, struct cni_error *err);

#endif
