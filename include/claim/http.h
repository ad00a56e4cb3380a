/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON over HTTP, to a service that may have several endpoints: bounded in time and
 * in size, repeated where that may help.
 */
#ifndef CLAIM_HTTP_H
#define CLAIM_HTTP_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* A file's path, or its content; or neither. */
struct pem {
	const char *file;
	char *data; /* owned */
	size_t len;
};

struct http {
	const char *what; /* "etcd", for messages */
	const char *from; /* the key that says where it is */
	CURL *curl;
	char **endpoints; /* "https://10.0.0.1:2379", owned, as many as n */
	size_t n, current;
	struct pem ca, cert, key;
	bool insecure;		      /* whoever answers is believed to be the server */
	char *token;		      /* Authorization, owned */
	const char *accept;	      /* of answers; NULL: application/json */
	const long long *deadline_ms; /* CLOCK_BOOTTIME */
	long long try_ms;	      /* for one answer; twice as long each time that all were asked */
};

struct reply {
	long status;
	json_t *doc; /* the caller's; NULL when there is none */
};

/* Sets up curl. deadline and endpoints are there, the rest may follow. CNI_RETRY. */
int http_open(struct http *http, struct cni_error *err);
void http_close(struct http *http);
int http_add_endpoint(struct http *http, const char *url, struct cni_error *err);

/* The endpoint that is asked next: the one that answered last, if any did. */
const char *http_endpoint(const struct http *http);

/* Begins with this endpoint, if it is one; else with one that depends on the node's name, so that not all
 * nodes begin with the same. */
void http_begin_with(struct http *http, const char *endpoint, const char *node);

/*
 * method path with body (borrowed, may be NULL). Another endpoint, or the same once
 * more, is asked when the answer does not come, is none, is 429 or 5xx; after as
 * long as Retry-After says. Errors: CNI_RETRY, with the endpoint and the cause, when
 * there is no answer in time; CNI_CONFIG when TLS is at fault. Any other status,
 * 4xx included, is a reply.
 */
int http_call(struct http *http, const char *method, const char *path, const json_t *body, struct reply *ret,
	      struct cni_error *err);

/* What the reply says is wrong, with the endpoint: 401 and 403 are CNI_CONFIG, others CNI_RETRY. */
int http_refused(const struct http *http, const struct reply *reply, const char *path, struct cni_error *err);

#endif
