/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON over HTTP, to a service with one or more endpoints. Time and size of a call are limited. A call is
 * repeated if that may help.
 */
#ifndef CLAIM_HTTP_H
#define CLAIM_HTTP_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* A file by its path, or its content; or neither. */
struct pem {
	const char *file;
	char *data; /* owned */
	size_t len;
};

/* An endpoint. No message has user and password. NULL: the URL has none. */
struct service {
	char *url; /* "https://10.0.0.1:2379" */
	char *user, *password;
	long long free_ms; /* it is not to be asked before, CLOCK_BOOTTIME */
	bool tls;	   /* the last attempt of this call failed by TLS */
};

struct http {
	const char *what; /* the service, for messages: "etcd" */
	const char *from; /* the key of the configuration that names the endpoints, for messages */
	CURL *curl;
	CURLM *multi;
	struct service *endpoints; /* owned */
	size_t n, current;
	struct pem ca, cert, key;
	bool insecure;		      /* do not verify the server's certificate */
	char *token;		      /* the header Authorization, owned */
	const char *accept;	      /* the header Accept; NULL: application/json */
	const long long *deadline_ms; /* CLOCK_BOOTTIME */
	long long reach_ms;	      /* until then an endpoint must be reached; 0: until the deadline */
	/* for one answer, from when the endpoint's name is resolved; doubled after each round of all
	 * endpoints */
	long long try_ms;
	long long resolve_ms; /* for the endpoint's name; 0: 6 s */
	long long connect_ms; /* of try_ms, until the connection stands; doubled too */
	curl_socket_t socket; /* the newest of the last attempt; -1: none */
	bool connected;	      /* the last attempt had a connection */
	bool silent;	      /* the last call had no answer */
	bool busy;	      /* an endpoint accepted a connection and gave no answer, or answered 429 */
};

struct reply {
	long status;
	json_t *doc;	/* the caller owns it; NULL: there is none */
	char text[161]; /* without doc: the beginning of the answer's first line */
};

/* Sets up curl. The certificates must be set before; the token may follow. CNI_RETRY. */
int http_open(struct http *http, struct cni_error *err);
void http_close(struct http *http);
/* CNI_CONFIG: it is not the address of a service. */
int http_add_endpoint(struct http *http, const char *url, struct cni_error *err);

/* The endpoint for the next call. After a successful call it is the one that answered. */
const char *http_endpoint(const struct http *http);

/* Begins with endpoint, if it is among the endpoints; otherwise with one that the node's name selects, so
 * that not all nodes begin with the same one. */
void http_begin_with(struct http *http, const char *endpoint, const char *node);

/*
 * Sends method and path with body (borrowed, may be NULL). Tries the next endpoint, or the same again, if
 * there is no answer, if it is not JSON, or if its status is 429 or 5xx. Asks an endpoint again after its
 * Retry-After, and others meanwhile. Errors:
 * CNI_RETRY, with the endpoint and the cause, if there is no answer in time; CNI_CONFIG if TLS fails on each
 * endpoint. Any other status, also 4xx, is a reply.
 */
int http_call(struct http *http, const char *method, const char *path, const json_t *body, struct reply *ret,
	      struct cni_error *err);

/* Is it etcd's answer to a user while its authentication is off? */
bool http_has_no_login(const struct reply *reply);

/* Fails with the reply's message and the endpoint: CNI_CONFIG for a status below 500, else CNI_RETRY. */
int http_refused(const struct http *http, const struct reply *reply, const char *path, struct cni_error *err);

#endif
