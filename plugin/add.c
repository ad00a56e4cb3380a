#include <string.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/result.h"
#include "net/netns.h"
#include "plugin/delegate.h"
#include "plugin/host.h"
#include "plugin/iface.h"
#include "plugin/probe.h"
#include "plugin/reach.h"
#include "plugin/verbs.h"

/* The answer of an IPAM plugin, in the version that it answers in. */
static int read_answer(struct result *ret, const json_t *answer, const struct request *req,
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
	return cni_hint(err, "its result has no address; an interface without any needs no \"ipam\" at all");
}

/*
 * The result of the whole chain so far. What was there before stays, and the
 * addresses and routes given belong to our interface, which comes last.
 */
static int combine(struct result *ret, const struct iface *iface, const struct conf *conf,
		   const struct result *given, struct cni_error *err)
{
	const struct cni_interface own = {
		.name = iface->req->ifname,
		.mac = iface->link.mac,
		.mtu = iface->link.mtu,
		.sandbox = iface->req->netns,
	};
	struct result mine = *given, before = conf->prev;

	if (!conf->ipam) /* its addresses are ours now */
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

static int furnish(struct iface *iface, const struct conf *conf, const struct result *given, json_t **result,
		   struct cni_error *err)
{
	struct result whole = { 0 };
	int rc = -1;

	if (combine(&whole, iface, conf, given, err) == 0) {
		*result = result_json(&whole, iface->req->version, err);
		rc = *result ? iface_configure(iface, conf, given, err) : -1;
	}
	result_free(&whole);
	return rc;
}

/* From the IPAM, from the plugin before us, or none; and the routes of the configuration. */
static int ask_addresses(struct result *ret, json_t **answer, const struct request *req,
			 const struct conf *conf, struct cni_error *err)
{
	*ret = (struct result){ 0 };
	if (conf->ipam) {
		*answer = delegate_add(req, conf->ipam, err);
		if (!*answer || read_answer(ret, *answer, req, err) < 0)
			return -1;
	} else if (result_append(ret, &conf->prev, err) < 0) {
		return -1;
	}
	return result_append(ret, &conf->routes, err);
}

static int give_addresses(struct iface *iface, const struct conf *conf, json_t **result,
			  struct cni_error *err)
{
	json_auto_t *answer = NULL; /* that strings are borrowed from */
	struct result given;
	int rc = ask_addresses(&given, &answer, iface->req, conf, err);

	if (rc == 0 && conf->conflict_check)
		rc = probe_addresses(&iface->master, conf->link_in_container ? iface->netns : -1, &given,
				     err);
	if (rc == 0)
		rc = reach_pod(iface, conf, &given, err);
	if (rc == 0)
		rc = furnish(iface, conf, &given, result, err);
	if (rc == 0)
		rc = reach_host(iface, conf, &given, err);
	result_free(&given);
	return rc;
}

/* As in DEL: where the link stays, so does the address. */
static void undo(const struct iface *iface, const struct conf *conf)
{
	struct cni_error why = { 0 };
	int rc;

	delegate_release_by_link(iface->req, conf->ipam);
	rc = iface_delete(iface->req, iface->netns, &why);
	rc |= host_detach(iface->req, &why);
	if (rc == 0 && conf->ipam)
		rc = delegate_run(iface->req, conf->ipam, "DEL", &why);
	if (rc < 0)
		cni_log("after a failed ADD: %s", why.msg);
}

static int attach(const struct request *asked, const struct conf *conf, int netns, json_t **result,
		  struct cni_error *err)
{
	struct request req = *asked;
	struct netns_id pod;
	struct iface iface;
	int rc;

	if (iface_open(&iface, conf, &req, netns, err) < 0)
		return -1;
	pod = netns_id_by(netns, mnl_socket_get_fd(iface.pod.sock));
	req.pod = &pod;
	rc = host_attach(&iface, conf, err);
	if (rc == 0) {
		rc = give_addresses(&iface, conf, result, err);
		if (rc < 0)
			undo(&iface, conf);
	}
	iface_close(&iface);
	return rc;
}

/* Before 0.3.0 a result needs an address, so there is no use in trying. */
static int check_expressible(const struct request *req, const struct conf *conf, struct cni_error *err)
{
	if (conf->ipam || conf->prev.n_ips || req->version >= CNI_0_3_0)
		return 0;
	return result_json(&conf->prev, req->version, err) ? 0 : -1;
}

int verb_add(const struct request *req, json_t **result, struct cni_error *err)
{
	autoclose int netns = -1;
	struct conf conf;
	int rc = -1;

	if (conf_read(&conf, req, err) < 0)
		return -1;
	if (check_expressible(req, &conf, err) == 0 &&
	    netns_open(req->netns, req->own_netns_allowed, &netns, err) == NETNS_OPEN)
		rc = attach(req, &conf, netns, result, err);
	if (rc < 0) {
		json_decref(*result);
		*result = NULL;
	}
	conf_free(&conf);
	return rc;
}
