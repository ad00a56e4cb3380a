/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol: environment and standard input in, one JSON document out.
 *
 *	CNI_COMMAND, CNI_*   ─┐                        ┌─ stdout: result or error
 *	                      ├─ plugin_main() ─ verb ─┤
 *	configuration, stdin ─┘                        └─ exit status 0 or 1
 *
 * plugin_main() reads the environment and standard input, writes standard output and chooses the
 * exit status. A verb receives a request that is complete and well-formed by the specification.
 * plugin_main() checks it as the skeleton of the Go library does, in the same order and with the
 * same texts, since runtimes and tests look at these.
 */
#ifndef CNI_PLUGIN_H
#define CNI_PLUGIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cni/error.h"
#include "cni/version.h"

struct netns_id;

struct request {
	const char *command;
	const char *container; /* these are "" where the verb needs none */
	const char *netns;
	const char *ifname;
	const char *args;
	const char *path;
	bool our_netns_allowed;	    /* by CNI_NETNS_OVERRIDE: for tests in one namespace */
	bool only_gone;		    /* by IPVLANCTL_GC: DEL does nothing while the pod's namespace exists */
	const struct netns_id *pod; /* the namespace of netns, if the verb has looked; or NULL */

	const char *config; /* standard input, byte for byte, for delegates */
	size_t config_len;
	const json_t *conf; /* the same, parsed; an object, or null */
	const char *name;
	enum cni_version version;
};

/*
 * A plugin is a set of verbs. Each returns 0, or -1 with err filled; add sets *result to the
 * document to print.
 */
struct plugin {
	const char *name; /* for the counters */
	const char *about;
	int (*add)(const struct request *req, json_t **result, struct cni_error *err);
	int (*del)(const struct request *req, struct cni_error *err);
	int (*check)(const struct request *req, struct cni_error *err);
	int (*gc)(const struct request *req, struct cni_error *err);
	int (*status)(const struct request *req, struct cni_error *err);
};

/* Runs the verb that the environment names. Returns main()'s exit status. */
int plugin_main(const struct plugin *plugin);

/* Runs the verb of req->command, which must not be VERSION; only ADD has a result. */
int plugin_run(const struct plugin *plugin, const struct request *req, json_t **result,
	       struct cni_error *err);

/*
 * For a program that serves the same verbs, but is not called as the specification says.
 *
 * plugin_serve() serves a request that request_read_env() has filled and whose config the caller
 * has set. answer() writes the result of an ADD and returns 0. If it returns -1 with errno,
 * plugin_serve() undoes the ADD. plugin_read() returns all of standard input, which the caller
 * frees. Errors: CNI_IO. plugin_print() writes doc to standard output, with flags of json_dumps(),
 * and returns 0, or -1 with errno.
 */
typedef int (*plugin_answer)(const struct request *req, const json_t *result);

int plugin_serve(const struct plugin *plugin, struct request *req, plugin_answer answer,
		 struct cni_error *err);
char *plugin_read(size_t *len, struct cni_error *err);
int plugin_print(const json_t *doc, size_t flags, bool line);

/* The error as a document: SPEC "Error". */
json_t *error_json(const struct cni_error *error, enum cni_version version);

/* Is text a valid name of a network or a container, [A-Za-z0-9][A-Za-z0-9_.-]*? It cannot be a
 * path. */
bool is_identifier(const char *text);

/* The parts of plugin_main() that require no process, for tests and fuzzers. */
int request_read_env(struct request *req, struct cni_error *err);
int request_read_conf(struct request *req, json_t *conf, struct cni_error *err);

#endif
