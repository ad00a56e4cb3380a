/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol: environment and standard input in, one JSON document out.
 *
 *	CNI_COMMAND, CNI_*   ─┐                        ┌─ stdout: result or error
 *	                      ├─ plugin_main() ─ verb ─┤
 *	configuration, stdin ─┘                        └─ exit status 0 or 1
 *
 * plugin_main() reads the environment and standard input, writes standard
 * output and chooses the exit status. A verb gets a request that is complete and
 * well-formed as far as the specification can say, does its work, and returns.
 * What it checks, in which order and with which texts is what the Go library's
 * skeleton does, since runtimes and tests look at them.
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
	bool own_netns_allowed;	    /* CNI_NETNS_OVERRIDE: for tests in one namespace */
	bool only_gone;		    /* IPVLANCTL_GC, for DEL: not while the pod's namespace exists */
	const struct netns_id *pod; /* what netns names, where the verb has looked; or NULL */

	const char *config; /* standard input, byte for byte, for delegates */
	size_t config_len;
	const json_t *conf; /* the same, read; an object, or null */
	const char *name;
	enum cni_version version;
};

/*
 * A plugin is its verbs. Each returns 0, or -1 with err filled; add hands over
 * the document to print in *result.
 */
struct plugin {
	const char *name; /* under which its calls are counted */
	const char *about;
	int (*add)(const struct request *req, json_t **result, struct cni_error *err);
	int (*del)(const struct request *req, struct cni_error *err);
	int (*check)(const struct request *req, struct cni_error *err);
	int (*gc)(const struct request *req, struct cni_error *err);
	int (*status)(const struct request *req, struct cni_error *err);
};

/* Runs the verb that the environment asks for; returns main()'s exit status. */
int plugin_main(const struct plugin *plugin);

/* Runs the verb of req->command, which is none but VERSION; only ADD has a result. */
int plugin_run(const struct plugin *plugin, const struct request *req, json_t **result,
	       struct cni_error *err);

/*
 * For a program that is called in another way than the specification's, and serves the same verbs.
 *
 * plugin_serve() serves a request. request_read_env() has filled it, and the caller has set its config.
 * answer() writes the result of an ADD and returns 0, or -1 with errno; what the ADD has made is then
 * undone. plugin_read() returns standard input up to its end, which the caller frees; CNI_IO.
 * plugin_print() writes doc to standard output, with flags of json_dumps(), and returns 0, or -1 with errno.
 */
typedef int (*plugin_answer)(const struct request *req, const json_t *result);

int plugin_serve(const struct plugin *plugin, struct request *req, plugin_answer answer,
		 struct cni_error *err);
char *plugin_read(size_t *len, struct cni_error *err);
int plugin_print(const json_t *doc, size_t flags, bool line);

/* SPEC "Error", as a document. */
json_t *error_json(const struct cni_error *error, enum cni_version version);

/* Is it a name as networks and containers have it, which no path can hide in: [A-Za-z0-9][A-Za-z0-9_.-]* */
bool is_identifier(const char *text);

/* The pieces of it that need no process, for tests and fuzzers. */
int request_read_env(struct request *req, struct cni_error *err);
int request_read_conf(struct request *req, json_t *conf, struct cni_error *err);

#endif
