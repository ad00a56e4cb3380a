/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cni/attachment.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "plugin/conf.h"
#include "plugin/delegate.h"
#include "plugin/host.h"
#include "plugin/verbs.h"

#define VALID "cni.dev/valid-attachments"
#define VALID_OLD "cni.dev/attachments"

/* Tells the IPAM plugin that attachments whose namespace exists are valid too. */
static int gc_delegate(const struct request *req, const char *ipam, const json_t *kept, struct cni_error *err)
{
	json_auto_t *conf = json_array_size(kept) ? json_deep_copy(req->conf) : NULL;
	const char *const key = json_member(conf, VALID) ? VALID : VALID_OLD;
	struct request more = *req;
	autofree char *text = NULL;
	json_t *list;

	if (!conf)
		return delegate_run(req, ipam, "GC", err);
	list = json_deep_copy(json_member(conf, key));
	if (!json_is_array(list)) { /* null: no attachments */
		json_decref(list);
		list = json_array();
	}
	json_array_extend(list, (json_t *)(uintptr_t)kept);
	json_object_set_new(conf, key, list);
	text = json_dumps(conf, JSON_COMPACT);
	if (!text)
		return cni_fail(err, CNI_RETRY, "out of memory");
	more.conf = conf;
	more.config = text;
	more.config_len = strlen(text);
	return delegate_run(&more, ipam, "GC", err);
}

static int gc_collect(const struct request *req, const struct valid *valid, struct cni_error *err)
{
	json_auto_t *kept = json_array();
	const char *ipam;
	int rc = host_collect(req, valid, kept, err);

	if (conf_read_ipam(&ipam, req, err) < 0)
		return -1;
	if (ipam && gc_delegate(req, ipam, kept, err) < 0)
		return -1;
	return rc;
}

/* A runtime that passes no list does not say that there are no attachments. The IPAM plugin decides
 * what that means. But host-local 1.10.0 would release the addresses of running pods: it is not
 * called. */
static int gc_without_list(const struct request *req, struct cni_error *err)
{
	const char *ipam;

	if (conf_read_ipam(&ipam, req, err) < 0)
		return -1;
	if (ipam && strcmp(ipam, "host-local") != 0)
		return delegate_run(req, ipam, "GC", err);
	cni_log("network %s: GC without " VALID " releases nothing", req->name);
	return 0;
}

/*
 * SPEC, GC: releases attachments that the runtime does not know. The kernel deletes links with
 * their namespaces; so this releases only objects on the host, and leases of the IPAM plugin.
 */
int verb_gc(const struct request *req, struct cni_error *err)
{
	struct valid valid;
	enum found found = valid_read(&valid, req, err);
	int rc;

	if (found != FOUND)
		return found == FOUND_NOT ? gc_without_list(req, err) : -1;
	rc = gc_collect(req, &valid, err);
	valid_free(&valid);
	return rc;
}
