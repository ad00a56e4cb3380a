/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of a configuration that its plugin does not know. A plugin ignores them, as the Go plugins
 * do, so a misspelled key has no effect. These functions find such keys and suggest another: a
 * known key with nearly the same letters ("gatway"), or with the same meaning in the configuration
 * of another plugin ("range" of whereabouts).
 *
 * The tables name each key that is read, also those of runtimes and libcni. A key with a slash or a
 * leading underscore is accepted: others use it, or it is a comment.
 */
#ifndef CNI_KEYS_H
#define CNI_KEYS_H

#include <jansson.h>

#include "cni/error.h"

/* The strings are valid only during the call that passes them. */
struct unknown_key {
	const char *plugin; /* the plugin that does not know it */
	const char *where;  /* "ipam.ranges[0][1]" for instance; "": the configuration itself */
	const char *key;    /* any bytes, except control characters */
	const char *meant;  /* the suggested key, in quotes; "": no known key is similar */
};

struct key_text {
	char s[320];
};

/* `unknown key "gatway" in ipam<remark>; addrpool's is "gateway"` */
struct key_text unknown_key_text(const struct unknown_key *unknown, const char *remark);

/*
 * Calls each() for the unknown keys in the configuration of one plugin, as a runtime passes it: for
 * the keys of ipvlan if its type is ipvlan, and for those in ipam if that has the type addrpool or
 * host-local. Logs nothing.
 */
void keys_unknown(const json_t *conf, void (*each)(void *arg, const struct unknown_key *unknown), void *arg);

/* The warnings of ADD: for the keys of ipvlan, and for those in ipam. */
void keys_warn_ipvlan(const json_t *conf);
void keys_warn_addrpool(const json_t *conf);

/* If an error has no details, names the unknown keys there: they may be its cause. Returns -1. */
int keys_hint_ipvlan(const json_t *conf, struct cni_error *err);
int keys_hint_addrpool(const json_t *conf, struct cni_error *err);

#endif
