/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/conf.h"

#include <limits.h>
#include <linux/if_link.h>
#include <string.h>

#include "cni/json.h"
#include "cni/keys.h"
#include "cni/log.h"
#include "cni/own.h"
#include "net/link.h"
#include "plugin/delegate.h"
#include "plugin/fence.h"
#include "plugin/policy.h"

int conf_read_ipam(const char **ret, const struct request *req, struct cni_error *err)
{
	const char *type = "", *own = "";
	struct cni_error why = { 0 };
	json_t *ipam = NULL;

	*ret = NULL;
	if (field_object(req->conf, "", "ipam", &ipam, &why) < 0 ||
	    field_string(ipam, "ipam.", "type", &type, &why) < 0 ||
	    field_string(req->conf, "", "type", &own, &why) < 0)
		return cni_fail(err, CNI_CONFIG, "failed to load netconf: %s", why.msg);
	if (*type && !strcmp(type, own)) {
		cni_fail(err, CNI_CONFIG, "failed to load netconf: ipam.type is \"%s\", the plugin itself",
			 type);
		return cni_hint(err, "name an IPAM plugin, such as host-local, static or dhcp");
	}
	if (*type)
		*ret = type;
	return 0;
}

static int conf_read_mode(struct conf *conf, const struct request *req, struct cni_error *err)
{
	struct cni_error why = { 0 };
	const char *text = "";

	if (field_string(req->conf, "", "mode", &text, &why) < 0)
		return cni_fail(err, CNI_CONFIG, "failed to load netconf: %s", why.msg);
	conf->mode = IPVLAN_MODE_L2;
	if (!*text || ipvlan_mode_parse(text, &conf->mode))
		return 0;
	cni_fail(err, CNI_CONFIG, "unknown ipvlan mode: \"%s\"", text);
	return cni_hint(err, "mode must be \"l2\", \"l3\" or \"l3s\"");
}

static int conf_read_flag(struct conf *conf, const struct request *req, struct cni_error *err)
{
	const char *text = "";

	own_string(req->conf, "", "flag", &text);
	if (!*text || ipvlan_flags_parse(text, &conf->flags))
		return 0;
	return cni_fail(err, CNI_CONFIG, "flag must be \"bridge\", \"private\" or \"vepa\", not \"%s\"",
			text);
}

static int conf_read_mtu(struct conf *conf, const struct request *req, struct cni_error *err)
{
	long long mtu = 0;

	if (field_int(req->conf, "", "mtu", INT_MIN, INT_MAX, &mtu, err) < 0)
		return -1;
	conf->mtu = mtu > 0 ? (unsigned int)mtu : 0; /* as in Go, a negative value counts as absent */
	return 0;
}

static int conf_read_dad(struct conf *conf, const struct request *req, struct cni_error *err)
{
	const char *text = "";

	own_string(req->conf, "", "dad", &text);
	conf->dad = !strcmp(text, "wait");
	if (conf->dad || !*text || !strcmp(text, "skip"))
		return 0;
	return cni_fail(err, CNI_CONFIG, "dad must be \"skip\" or \"wait\", not \"%s\"", text);
}

static int conf_read_conflict_check(struct conf *conf, const struct request *req, struct cni_error *err)
{
	const char *text = "";

	own_string(req->conf, "", "conflictCheck", &text);
	conf->conflict_check = !strcmp(text, "probe");
	if (conf->conflict_check || !*text || !strcmp(text, "off"))
		return 0;
	return cni_fail(err, CNI_CONFIG, "conflictCheck must be \"off\" or \"probe\", not \"%s\"", text);
}

static int conf_read_router_advertisements(struct conf *conf, const struct request *req,
					   struct cni_error *err)
{
	const char *text = "";

	own_string(req->conf, "", "routerAdvertisements", &text);
	conf->accept_ra = !strcmp(text, "accept");
	if (conf->accept_ra || !*text || !strcmp(text, "ignore"))
		return 0;
	return cni_fail(err, CNI_CONFIG, "routerAdvertisements must be \"ignore\" or \"accept\", not \"%s\"",
			text);
}

/* Keys that we do not use must have the types of the specification too. */
static int conf_check_types(const struct request *req, struct cni_error *err)
{
	json_t *capabilities = NULL, *value;
	const char *type, *name;

	if (field_string(req->conf, "", "type", &type, err) < 0 ||
	    field_object(req->conf, "", "capabilities", &capabilities, err) < 0)
		return -1;
	json_object_foreach(capabilities, name, value)
		if (!json_is_boolean(value) && !json_is_null(value))
			return cni_fail(err, CNI_CONFIG, "capabilities.%s must be true or false", name);
	return 0;
}

static int conf_add_reflector(struct conf *conf, const json_t *value, struct cni_error *err)
{
	const char *text = json_string_value(value);
	struct ip ip;

	if (!ip_parse(text, &ip))
		return cni_fail(err, CNI_CONFIG,
				"reflector must be an address, or a list of one of each family");
	if (conf->n_reflectors == 2 || (conf->n_reflectors && conf->reflectors[0].family == ip.family))
		return cni_fail(err, CNI_CONFIG, "reflector has two addresses of one family");
	conf->reflectors[conf->n_reflectors++] = ip;
	return 0;
}

static int conf_read_reflector(struct conf *conf, const struct request *req, struct cni_error *err)
{
	const json_t *value = json_field(req->conf, "reflector"), *list, *entry;
	size_t i;

	if (json_is_string(value))
		return json_string_length(value) ? conf_add_reflector(conf, value, err) : 0;
	list = own_strings(req->conf, "", "reflector");
	json_array_foreach(list, i, entry)
		if (conf_add_reflector(conf, entry, err) < 0)
			return -1;
	return 0;
}

static int conf_read_routes(struct result *ret, const struct request *req, const char *key,
			    struct cni_error *err)
{
	if (!own_objects(req->conf, "", key, "dst"))
		return 0;
	return result_add_routes(ret, req->conf, key, err);
}

/* Bytes per second, of rate and burst together: the kernel counts nanoseconds of them in 64 bits,
 * net/netfilter/nft_limit.c, nft_limit_init(). */
#define RATE_MAX 18000000000LL

/* Runtimes of Kubernetes, which has no annotation for a burst, pass the largest number of some type:
 * the pod would have no limit for minutes. */
#define BURST_NONE INT32_MAX

/* Converts bits, as in the conventions of CNI, to bytes. */
static int conf_read_rate(struct rate *ret, const json_t *object, const char *where, const char *rate_key,
			  const char *burst_key, struct cni_error *err)
{
	const bool by_runtime = strcmp(where, "bandwidth.") != 0;
	long long rate = 0, burst = 0;

	if (field_int(object, where, rate_key, 0, LLONG_MAX, &rate, err) < 0 ||
	    field_int(object, where, burst_key, 0, LLONG_MAX, &burst, err) < 0)
		return -1;
	if (rate && rate < 8)
		return cni_fail(err, CNI_CONFIG, "%s%s must be at least 8 bits a second", where, rate_key);
	if (burst && !rate)
		return cni_fail(err, CNI_CONFIG, "%s%s needs %s", where, burst_key, rate_key);
	if (by_runtime && burst >= BURST_NONE)
		burst = 0;
	rate /= 8;
	burst = burst / 8 > UINT32_MAX ? UINT32_MAX : burst / 8;
	if (rate > RATE_MAX - BURST_MIN) {
		log_ignored("%s%s is more than nftables can limit, %lld bits a second: this pod has no limit",
			    where, rate_key, 8 * (RATE_MAX - BURST_MIN));
		return 0;
	}
	if (burst > RATE_MAX - rate)
		burst = RATE_MAX - rate;
	ret->rate = (unsigned long long)rate;
	ret->burst = (unsigned long long)(burst > BURST_MIN ? burst : BURST_MIN);
	return 0;
}

/* The runtime's values for this pod replace those of the network. */
static int conf_read_bandwidth(struct conf *conf, const struct request *req, struct cni_error *err)
{
	const json_t *runtime = json_field(req->conf, "runtimeConfig");
	const char *where = "runtimeConfig.bandwidth.";
	json_t *object = NULL;

	if (field_object(runtime, "runtimeConfig.", "bandwidth", &object, err) < 0)
		return -1;
	if (!object) {
		own_object(req->conf, "", "bandwidth", &object);
		where = "bandwidth.";
	}
	if (!object)
		return 0;
	if (conf_read_rate(&conf->rates[0], object, where, "egressRate", "egressBurst", err) < 0)
		return -1;
	return conf_read_rate(&conf->rates[1], object, where, "ingressRate", "ingressBurst", err);
}

static int conf_read_anti_spoof(struct conf *conf, const struct request *req, struct cni_error *err)
{
	const json_t *value = json_field(req->conf, "antiSpoof");

	if (!json_is_string(value)) {
		own_bool(req->conf, "", "antiSpoof", &conf->anti_spoof);
		return 0;
	}
	conf->strict = !strcmp(json_string_value(value), "strict");
	conf->anti_spoof = conf->strict;
	if (conf->strict || !json_string_length(value))
		return 0;
	return cni_fail(err, CNI_CONFIG, "antiSpoof must be true, false or \"strict\", not \"%s\"",
			json_string_value(value));
}

/* Reads the keys for the host's side. */
static int conf_read_host_keys(struct conf *conf, const struct request *req, struct cni_error *err)
{
	own_bool(req->conf, "", "hostAccess", &conf->host_access);
	own_bool(req->conf, "", "proxyArp", &conf->proxy_arp);
	own_bool(req->conf, "", "ipMasq", &conf->ip_masq);
	own_bool(req->conf, "", "counters", &conf->counters);
	if (conf_read_bandwidth(conf, req, err) < 0 || conf_read_anti_spoof(conf, req, err) < 0 ||
	    policy_read(&conf->policy, req, err) < 0)
		return -1;
	if (conf_read_routes(&conf->host_routes, req, "hostRoutes", err) < 0 ||
	    conf_read_reflector(conf, req, err) < 0)
		return -1;
	for (size_t i = 0; i < conf->host_routes.n_routes; i++)
		if (!conf->host_routes.routes[i].gw.family)
			return cni_fail(err, CNI_CONFIG, "hostRoutes[%zu] needs a gw", i);
	return 0;
}

static int conf_read_master_keys(struct conf *conf, const struct request *req, struct cni_error *err)
{
	long long vlan = 0;

	own_bool(req->conf, "", "internal", &conf->internal);
	if (own_int(req->conf, "", "vlan", 0, 4094, &vlan, err) < 0) /* 0: no VLAN, as for bridge */
		return -1;
	conf->vlan = (unsigned int)vlan;
	if (conf->vlan && conf->internal)
		return cni_fail(err, CNI_CONFIG, "vlan and internal exclude each other");
	if (conf->link_in_container && (conf->vlan || conf->internal))
		return cni_fail(err, CNI_CONFIG,
				"vlan and internal make a master on the host, linkInContainer requires one "
				"in the pod");
	if (conf->internal && conf->master)
		return cni_fail(err, CNI_CONFIG,
				"internal makes a master for the network, but there is \"master\": \"%s\"",
				conf->master);
	return 0;
}

/* flannel sets `"ipMasq": true` in the networks that it delegates, in any mode. */
static void conf_settle_masquerade(struct conf *conf)
{
	const bool asked = conf->ip_masq;

	conf->ip_masq = asked && conf->mode == IPVLAN_MODE_L3S && !conf->link_in_container && !conf->internal;
	if (!asked || conf->ip_masq)
		return;
	log_ignored(
		"ipMasq needs \"mode\": \"l3s\" and a master on the host that is not internal: else the "
		"host's netfilter does not see the packets of pods in both directions. With flannel, write "
		"\"ipMasq\": false in its \"delegate\"");
}

static int conf_check_anti_spoof(const struct conf *conf, struct cni_error *err)
{
	if (fence_key(conf) && conf->link_in_container) {
		cni_fail(err, CNI_CONFIG, "%s requires a master on the host", fence_key(conf));
		return cni_hint(err, "with linkInContainer it is in the pod, which could undo the rules");
	}
	if (!conf->anti_spoof)
		return 0;
	if (conf->accept_ra) {
		cni_fail(err, CNI_CONFIG,
			 "antiSpoof and routerAdvertisements: \"accept\" exclude each other");
		return cni_hint(err, "a pod that makes addresses from router advertisements has addresses "
				     "that no IPAM plugin has leased");
	}
	if (!conf->strict || (conf->flags > 0 && conf->mode != IPVLAN_MODE_L2))
		return 0;
	cni_fail(err, CNI_CONFIG,
		 "antiSpoof: \"strict\" needs \"mode\": \"l3\" or \"l3s\", and \"flag\": \"private\" or "
		 "\"vepa\"");
	return cni_hint(err, "else packets between pods do not pass the master: with flag bridge all of "
			     "them, in l2 those to all hosts, such as ARP");
}

/* The key that requires objects on the host besides the master; NULL: there is none. */
static const char *conf_host_key(const struct conf *conf)
{
	return conf->host_routes.n_routes ? "hostRoutes"
	       : conf->n_reflectors	  ? "reflector"
	       : conf->host_access	  ? "hostAccess"
	       : conf->proxy_arp	  ? "proxyArp"
					  : NULL;
}

/* Checks keys that exclude or require each other. */
static int conf_check_together(const struct conf *conf, struct cni_error *err)
{
	if (conf->link_in_container && conf_host_key(conf)) {
		cni_fail(err, CNI_CONFIG, "%s requires a master on the host", conf_host_key(conf));
		return cni_hint(err, "with linkInContainer it is in the pod");
	}
	if (conf->internal && conf_host_key(conf)) {
		cni_fail(err, CNI_CONFIG, "%s and internal exclude each other", conf_host_key(conf));
		return cni_hint(err, "pods of an internal network reach only each other");
	}
	if (conf->host_access && conf->flags > 0) {
		cni_fail(err, CNI_CONFIG, "hostAccess does not work with flag %s",
			 ipvlan_flags_text((uint16_t)conf->flags));
		return cni_hint(err, "the host reaches the pods through a slave, and with that flag slaves "
				     "do not reach each other");
	}
	if (conf->n_reflectors && conf->flags != IPVLAN_F_VEPA) {
		cni_fail(err, CNI_CONFIG, "reflector needs \"flag\": \"vepa\"");
		return cni_hint(err, "with another flag packets between pods do not leave the host");
	}
	if (conf->proxy_arp && conf->mode != IPVLAN_MODE_L3S) {
		cni_fail(err, CNI_CONFIG, "proxyArp needs \"mode\": \"l3s\"");
		return cni_hint(err, "in l2 pods answer ARP themselves; in l3 the kernel passes ARP requests "
				     "to the pods, which do not answer");
	}
	if (conf->conflict_check && conf->mode != IPVLAN_MODE_L2) {
		cni_fail(err, CNI_CONFIG, "conflictCheck needs \"mode\": \"l2\"");
		return cni_hint(err, "in l3 and l3s the pods' addresses are not on the LAN's link");
	}
	if (conf->accept_ra && (conf->mode != IPVLAN_MODE_L2 || conf->internal)) {
		cni_fail(err, CNI_CONFIG,
			 "routerAdvertisements: \"accept\" needs \"mode\": \"l2\", and a master that is not "
			 "internal");
		return cni_hint(
			err,
			"in l3 and l3s, and in an internal network, no router advertisement reaches a pod");
	}
	if (delegate_uses_link(conf->ipam) && conf->mode != IPVLAN_MODE_L2) {
		cni_fail(err, CNI_CONFIG, "the IPAM plugin dhcp needs \"mode\": \"l2\"");
		return cni_hint(err, "in l3 and l3s no broadcast leaves or reaches a pod");
	}
	return conf_check_anti_spoof(conf, err);
}

static int conf_read_keys(struct conf *conf, const struct request *req, struct cni_error *err)
{
	struct cni_error why = { 0 };

	own_bool(req->conf, "", "announce", &conf->announce);
	own_bool(req->conf, "", "force", &conf->force);
	own_bool(req->conf, "", "resolvConf", &conf->resolv_conf);
	if (conf_check_types(req, &why) < 0 ||
	    field_string(req->conf, "", "master", &conf->master, &why) < 0 ||
	    conf_read_mtu(conf, req, &why) < 0 ||
	    field_bool(req->conf, "", "linkInContainer", &conf->link_in_container, &why) < 0 ||
	    conf_read_flag(conf, req, &why) < 0 || conf_read_dad(conf, req, &why) < 0 ||
	    conf_read_conflict_check(conf, req, &why) < 0 ||
	    conf_read_router_advertisements(conf, req, &why) < 0 ||
	    conf_read_routes(&conf->routes, req, "routes", &why) < 0 ||
	    dns_read(&conf->dns, req->conf, &why) < 0 || conf_read_host_keys(conf, req, &why) < 0)
		return cni_fail(err, CNI_CONFIG, "failed to load netconf: %s", why.msg);
	if (conf->master && !*conf->master)
		conf->master = NULL;
	if (conf_read_master_keys(conf, req, &why) < 0)
		return cni_fail(err, CNI_CONFIG, "failed to load netconf: %s", why.msg);
	return 0;
}

static int conf_read_prev(struct conf *conf, const struct request *req, struct cni_error *err)
{
	const char *version = "";
	struct cni_error why = { 0 };
	json_t *doc = NULL;
	int v;

	if (field_object(req->conf, "", "prevResult", &doc, &why) < 0 ||
	    field_string(doc, "prevResult.", "cniVersion", &version, &why) < 0)
		return cni_fail(err, CNI_DECODE, "could not parse prevResult: %s", why.msg);
	if (!doc)
		return 0;
	v = *version ? version_find(version) : (int)req->version;
	if (v < 0)
		return cni_fail(err, CNI_DECODE,
				"could not parse prevResult: unsupported CNI result version \"%s\"", version);
	if (result_read(&conf->prev, doc, (enum cni_version)v, &why) < 0)
		return cni_fail(err, CNI_DECODE, "could not parse prevResult: %s", why.msg);
	conf->has_prev = true;
	return 0;
}

/* A chained plugin works on the only interface of prevResult. */
static int conf_take_master(struct conf *conf, struct cni_error *err)
{
	if (conf->master || !conf->has_prev || conf->internal)
		return 0;
	if (conf->prev.n_interfaces == 1 && *conf->prev.interfaces[0].name) {
		conf->master = conf->prev.interfaces[0].name;
		return 0;
	}
	cni_fail(err, CNI_CONFIG, "chained master failure. PrevResult lacks a single named interface");
	return cni_hint(err, "prevResult has %zu interfaces; name the master in the key \"master\"",
			conf->prev.n_interfaces);
}

int conf_read(struct conf *ret, const struct request *req, struct cni_error *err)
{
	struct conf conf = { .flags = -1, .announce = true };

	if (conf_read_keys(&conf, req, err) < 0 || conf_read_ipam(&conf.ipam, req, err) < 0 ||
	    conf_read_prev(&conf, req, err) < 0 || conf_read_mode(&conf, req, err) < 0 ||
	    conf_check_together(&conf, err) < 0 ||
	    (strcmp(req->command, "ADD") == 0 && conf_take_master(&conf, err) < 0)) {
		conf_free(&conf);
		return keys_hint_ipvlan(req->conf, err);
	}
	conf_settle_masquerade(&conf);
	*ret = conf;
	return 0;
}

void conf_free(struct conf *conf)
{
	json_decref(conf->policy);
	json_decref(conf->dns);
	result_free(&conf->routes);
	result_free(&conf->host_routes);
	result_free(&conf->prev);
}

json_t *conf_dns(const struct conf *conf, const struct result *given)
{
	return conf->dns ? conf->dns : given->dns ? given->dns : conf->prev.dns;
}

const struct ip *conf_reflector(const struct conf *conf, int family)
{
	for (size_t i = 0; i < conf->n_reflectors; i++)
		if (conf->reflectors[i].family == family)
			return &conf->reflectors[i];
	return NULL;
}
