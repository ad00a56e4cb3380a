/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/keys.h"
#include "cni/result.h"
#include "net/netns.h"
#include "plugin/delegate.h"
#include "plugin/fence.h"
#include "plugin/host.h"
#include "plugin/iface.h"
#include "plugin/learn.h"
#include "plugin/probe.h"
#include "plugin/reach.h"
#include "plugin/verbs.h"

/* Reads the answer of an IPAM plugin, in the version that the answer names. */
static int add_read_answer(struct result *ret, const json_t *answer, const struct request *req,
			   struct cni_error *err)
{
	struct cni_error why = { 0 };
	const char *text = "";
	int version;

	if (field_string(answer, "", "cniVersion", &text, &why) < 0)
		return cni_fail(err, CNI_DECODE, "cannot read the IPAM plugin's result: %s", why.msg);
	version = *text ? version_find(text) : (int)req->version;
	if (version < 0)
		return cni_fail(err, CNI_DECODE, "unsupported CNI result version \"%s\"", text);
	if (result_read(ret, answer, (enum cni_version)version, err) < 0)
		return -1;
	if (ret->n_ips)
		return 0;
	result_free(ret);
	cni_fail(err, CNI_CONFIG, "IPAM plugin returned missing IP config");
	return cni_hint(err,
			"its result has no address; for an interface without an address remove \"ipam\"");
}

/*
 * Makes the result of the chain so far. Keeps the content of prevResult, and appends our interface
 * with the addresses and routes of given.
 */
static int add_combine(struct result *ret, const struct iface *iface, const struct conf *conf,
		       const struct result *given, struct cni_error *err)
{
	const struct cni_interface own = {
		.name = iface->req->ifname,
		.mac = iface->link.mac,
		.mtu = iface->link.mtu,
		.sandbox = iface->req->netns,
	};
	struct result mine = *given, before = conf->prev;

	if (!conf->ipam) /* our interface has its addresses */
		before.n_ips = before.n_routes = 0;
	mine.n_interfaces = 0;
	if (result_append(ret, &before, err) < 0 || result_add_interface(ret, &own, err) < 0 ||
	    result_append(ret, &mine, err) < 0)
		return -1;
	for (size_t i = before.n_ips; i < ret->n_ips; i++)
		ret->ips[i].interface = (long long)ret->n_interfaces - 1;
	ret->dns = json_incref(conf_dns(conf, given));
	return 0;
}

static int add_furnish(struct iface *iface, const struct conf *conf, struct result *given, struct page *page,
		       json_t **result, struct cni_error *err)
{
	struct result whole = { 0 };
	int rc = iface_configure(iface, conf, given, err);

	if (rc == 0 && conf->accept_ra)
		rc = learn_routers(iface, given, page, err);
	if (rc == 0)
		rc = add_combine(&whole, iface, conf, given, err);
	if (rc == 0) {
		*result = result_json(&whole, iface->req->version, err);
		rc = *result ? 0 : -1;
	}
	result_free(&whole);
	return rc;
}

/* Gets addresses and routes from the IPAM plugin, or else from prevResult, and adds the routes of
 * the configuration. */
static int add_read_addresses(struct result *ret, json_t **answer, const struct request *req,
			      const struct conf *conf, struct cni_error *err)
{
	*ret = (struct result){ 0 };
	if (conf->ipam) {
		*answer = delegate_add(req, conf->ipam, err);
		if (!*answer || add_read_answer(ret, *answer, req, err) < 0)
			return -1;
	} else if (result_append(ret, &conf->prev, err) < 0) {
		return -1;
	}
	return result_append(ret, &conf->routes, err);
}

static int add_give_addresses(struct iface *iface, const struct conf *conf, struct page *page,
			      json_t **result, struct cni_error *err)
{
	json_auto_t *answer = NULL; /* owns the strings of given */
	struct result given;
	int rc = add_read_addresses(&given, &answer, iface->req, conf, err);

	if (rc == 0)
		rc = fence_pod(iface, conf, &given, page, err);
	if (rc == 0 && conf->conflict_check)
		rc = probe_addresses(&iface->master, conf->link_in_container ? iface->netns : -1, &given,
				     err);
	if (rc == 0)
		rc = reach_pod(iface, conf, &given, err);
	if (rc == 0)
		rc = add_furnish(iface, conf, &given, page, result, err);
	if (rc == 0)
		rc = reach_host(iface, conf, &given, page, err);
	result_free(&given);
	return rc;
}

static const char *add_mac_in_args(const char *args)
{
	for (; *args; args += strcspn(args, ";"), args += *args == ';')
		if (!strncasecmp(args, "MAC=", 4))
			return args + 4;
	return NULL;
}

/* All interfaces of a master have its MAC address. Warns if the runtime requests another one. */
static void add_warn_of_mac(const struct iface *iface)
{
	const json_t *conf = iface->req->conf;
	const char *const asked[] = {
		add_mac_in_args(iface->req->args),
		json_string_value(json_field(json_field(conf, "runtimeConfig"), "mac")),
		json_string_value(json_field(json_field(json_field(conf, "args"), "cni"), "mac")),
		json_string_value(json_field(conf, "mac")),
	};

	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		const int len = asked[i] ? (int)strcspn(asked[i], ";") : 0;

		if (!len || (len == (int)strlen(iface->link.mac) &&
			     !strncasecmp(asked[i], iface->link.mac, (size_t)len)))
			continue;
		cni_log("the requested MAC address %.*s is ignored: an ipvlan interface has that of its "
			"master, %s; macvlan interfaces have their own",
			len, asked[i], iface->link.mac);
		return;
	}
}

static void add_warn_of_master(const struct link *master)
{
	if (master->index && !(master->flags & IFF_UP))
		cni_log("master \"%s\" is down: no packet of the pod leaves until it is up: ip link set dev "
			"%s up",
			master->name, master->name);
}

static int add_attach(const struct request *asked, const struct conf *conf, int netns, json_t **result,
		      struct cni_error *err)
{
	struct request req = *asked;
	struct netns_id pod;
	struct iface iface;
	struct page page;
	int rc;

	if (iface_open(&iface, conf, &req, netns, err) < 0)
		return -1;
	pod = netns_id_by(netns, mnl_socket_get_fd(iface.pod.sock));
	req.pod = &pod;
	rc = host_attach(&iface, conf, &page, err);
	if (rc == 0) {
		add_warn_of_mac(&iface);
		add_warn_of_master(&iface.master);
		rc = add_give_addresses(&iface, conf, &page, result, err);
		/* if another call has deleted the attachment, that is the cause of any error */
		if (rc < 0 && !host_undo(&iface, &page, conf->ipam)) {
			*err = (struct cni_error){ 0 };
			page_gone(&page, err);
		}
	}
	page_free(&page);
	iface_close(&iface);
	return rc;
}

/* Before 0.3.0 a result must have an address: fails before anything is made. */
static int add_check_expressible(const struct request *req, const struct conf *conf, struct cni_error *err)
{
	if (conf->ipam || conf->prev.n_ips || req->version >= CNI_0_3_0)
		return 0;
	return result_json(&conf->prev, req->version, err) ? 0 : -1;
}

/* Fails before anything is made if the IPAM plugin is missing. */
static int add_check_ipam(const struct request *req, const struct conf *conf, struct cni_error *err)
{
	char program[PATH_MAX];

	return conf->ipam ? delegate_find(conf->ipam, req->path, program, sizeof(program), err) : 0;
}

int verb_add(const struct request *req, json_t **result, struct cni_error *err)
{
	autoclose int netns = -1;
	struct conf conf;
	int rc = -1;

	keys_warn_ipvlan(req->conf);
	if (conf_read(&conf, req, err) < 0)
		return -1;
	if (add_check_expressible(req, &conf, err) == 0 && add_check_ipam(req, &conf, err) == 0 &&
	    netns_open(req->netns, req->our_netns_allowed, &netns, err) == NETNS_OPEN)
		rc = add_attach(req, &conf, netns, result, err);
	if (rc < 0) {
		json_decref(*result);
		*result = NULL;
	}
	conf_free(&conf);
	return rc;
}
