#include "ctl/examine.h"

#include <limits.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "ctl/places.h"
#include "net/addr.h"
#include "net/netns.h"
#include "plugin/conf.h"
#include "plugin/delegate.h"
#include "plugin/guard.h"
#include "plugin/kinds.h"
#include "plugin/master.h"
#include "plugin/probe.h"
#include "plugin/reach.h"

struct exam {
	struct report *report;
	struct request req;
	struct conf conf;
	struct rtnl host;
	struct link master; /* index 0: not there */
};

/* From what the last check said: ok, or the error. */
static bool passes(const struct exam *exam, int rc, const char *about, const struct cni_error *err)
{
	if (rc < 0)
		report_error(exam->report, ERROR, about, err);
	return rc == 0;
}

static void examine_kernel(struct exam *exam)
{
	struct cni_error err = { 0 };

	switch (ipvlan_known(&exam->host, &err)) {
	case FOUND:
		report(exam->report, OK, "kernel", NULL, "has ipvlan");
		break;
	case FOUND_NOT:
		report(exam->report, ERROR, "kernel",
		       "load the module (modprobe ipvlan) or use a kernel with CONFIG_IPVLAN",
		       "has no ipvlan");
		break;
	default:
		report_error(exam->report, ERROR, "kernel", &err);
	}
}

/* The one that ADD would use; false when there is none yet, or none to be found. */
static bool find_master(struct exam *exam)
{
	struct cni_error err = { 0 };
	const struct conf *conf = &exam->conf;
	char name[IFNAMSIZ];

	if (conf->link_in_container) {
		report(exam->report, OK, "master", NULL, "is in the pod (linkInContainer)");
		return false;
	}
	if (!conf->internal &&
	    !passes(exam, master_find(&exam->host, conf->master, &exam->master, &err), "master", &err))
		return false;
	if (!conf->vlan && !conf->internal)
		return true;
	if (!passes(exam, master_name(conf, exam->master.name, exam->req.name, name, &err), "master", &err))
		return false;
	if (link_find(&exam->host, name, &exam->master, &err) == FOUND)
		return true;
	report(exam->report, OK, "master", NULL, "%s is made by the first ADD", name);
	return false;
}

static void examine_master(struct exam *exam)
{
	const struct link *master = &exam->master;
	struct cni_error err = { 0 };
	int flags;

	if (!passes(exam, master_usable(&exam->host, master, &err), "master", &err))
		return;
	if (!(master->flags & IFF_UP))
		report(exam->report, ERROR, "master", "ip link set it up", "\"%s\" is down", master->name);
	else if (!(master->flags & IFF_RUNNING))
		report(exam->report, WARNING, "master", "look at the cable, or at the other end of it",
		       "\"%s\" has no carrier", master->name);
	else
		report(exam->report, OK, "master", NULL, "%s is up, and nobody else holds it", master->name);
	if (passes(exam, master_check_mtu(master, exam->conf.mtu, &err), "MTU", &err))
		report(exam->report, OK, "MTU", NULL, "%u", exam->conf.mtu ? exam->conf.mtu : master->mtu);
	if (passes(exam, guard_admit(&exam->host, master, &exam->conf, &flags, &err), "mode", &err))
		report(exam->report, OK, "mode", NULL, "%s can be had on %s",
		       ipvlan_mode_text(exam->conf.mode), master->name);
}

static void examine_keys(struct exam *exam)
{
	const char *name = exam->master.name;

	if (exam->conf.host_access && reach_is_strict(name))
		report(exam->report, WARNING, "hostAccess",
		       "make it loose: sysctl -w net.ipv4.conf.INTERFACE.rp_filter=2",
		       "rp_filter of \"%s\" is strict: the host drops what pods send it", name);
	else if (exam->conf.host_access)
		report(exam->report, OK, "hostAccess", NULL, "rp_filter of %s lets the pods' packets in",
		       name);
	if (exam->conf.proxy_arp)
		report(exam->report, OK, "proxyArp", NULL, "ADD switches proxy_arp and forwarding of %s on",
		       name);
	if (exam->conf.ip_masq && !nft_program())
		report(exam->report, ERROR, "ipMasq", "install nftables", "there is no nft");
	else if (exam->conf.ip_masq)
		report(exam->report, OK, "ipMasq", NULL, "by %s", nft_program());
}

/* A gateway answers ARP or neighbour solicitation on the link: who has an address is
 * told as a conflict. */
static void examine_gateway(struct exam *exam, const struct ip *gw)
{
	struct cni_ip ips = { .address = { .ip = *gw, .len = (unsigned int)(8 * ip_size(gw)) } };
	const struct result asked = { .ips = &ips, .n_ips = 1 };
	const struct ip_str text = ip_text(gw);
	struct cni_error err = { 0 };

	if (addr_is_local(&exam->host, gw, NULL) == FOUND) {
		report(exam->report, exam->conf.host_access ? OK : WARNING, "gateway",
		       exam->conf.host_access ? NULL : "\"hostAccess\": true, or name the LAN's router",
		       "%s is the host itself, which pods do not reach without hostAccess", text.s);
		return;
	}
	if (probe_addresses(&exam->master, -1, &asked, &err) < 0 && err.code == CNI_CONFLICT)
		report(exam->report, OK, "gateway", NULL, "%s answers", text.s);
	else if (err.code)
		report_error(exam->report, WARNING, "gateway", &err);
	else
		report(exam->report, WARNING, "gateway",
		       "is it up, and on this LAN? Another one is named by \"gateway\" in the range",
		       "%s does not answer on \"%s\"", text.s, exam->master.name);
}

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a, &b->ip) || prefix_contains(b, &a->ip);
}

/* In l3 nobody answers ARP for pods; in l2 who is of another subnet needs a route. */
static void examine_subnet(struct exam *exam, const struct prefix *subnet)
{
	const bool routed = exam->conf.mode != IPVLAN_MODE_L2;
	struct ip host = { .family = 0 };
	bool same;

	addr_main(&exam->host, exam->master.index, subnet->ip.family, &host, NULL);
	same = host.family && overlap(subnet, &(struct prefix){ host, (unsigned int)(8 * ip_size(&host)) });
	if (routed && same && !exam->conf.proxy_arp)
		report(exam->report, WARNING, "subnet",
		       "a subnet of the pods' own with a route on the LAN, or l2, or l3s with proxyArp",
		       "%s is the LAN's own: in %s nobody answers ARP for pods there", prefix_text(subnet).s,
		       ipvlan_mode_text(exam->conf.mode));
	else
		report(exam->report, OK, "subnet", NULL, "%s %s", prefix_text(subnet).s,
		       same ? "is the LAN's" : "is not the LAN's: its hosts need a route");
}

static void examine_range(struct exam *exam, const json_t *range)
{
	const char *text = json_string_value(json_field(range, "subnet"));
	const char *gateway = json_string_value(json_field(range, "gateway"));
	struct prefix subnet;
	struct ip gw;

	if (!text || !prefix_parse(text, &subnet))
		return;
	subnet = prefix_network(&subnet);
	examine_subnet(exam, &subnet);
	gw = ip_next(&subnet.ip);
	if (exam->conf.mode != IPVLAN_MODE_L2 || exam->conf.internal || (gateway && !strcmp(gateway, "none")))
		return;
	if (gateway && *gateway && !ip_parse(gateway, &gw))
		return;
	examine_gateway(exam, &gw);
}

static void examine_ranges(struct exam *exam, const json_t *ipam)
{
	const json_t *set, *range;
	size_t i, k;

	examine_range(exam, ipam);
	json_array_foreach(json_field(ipam, "ranges"), i, set)
		json_array_foreach(set, k, range)
			examine_range(exam, range);
}

static void examine_ipam(struct exam *exam)
{
	const char *type = exam->conf.ipam;
	struct cni_error err = { 0 };
	char program[PATH_MAX];

	if (!type) {
		report(exam->report, OK, "ipam", NULL, "none: interfaces have no address");
		return;
	}
	if (!passes(exam, delegate_find(type, exam->req.path, program, sizeof(program), &err), "ipam", &err))
		return;
	if (access(program, X_OK) < 0) {
		report(exam->report, ERROR, "ipam", "chmod +x", "%s is not executable", program);
		return;
	}
	if (exam->req.version >= CNI_1_1_0 &&
	    !passes(exam, delegate_run(&exam->req, type, "STATUS", &err), "ipam", &err))
		return;
	report(exam->report, OK, "ipam", NULL, "%s", program);
}

static void examine_all(struct exam *exam)
{
	struct cni_error err = { 0 };

	examine_kernel(exam);
	examine_ipam(exam);
	if (!find_master(exam))
		return;
	examine_master(exam);
	examine_keys(exam);
	if (passes(exam, master_usable(&exam->host, &exam->master, &err), "addresses", &err))
		examine_ranges(exam, json_field(exam->req.conf, "ipam"));
}

void examine(struct report *all, const json_t *plugin)
{
	autofree char *text = json_dumps(plugin, JSON_COMPACT);
	json_auto_t *copy = json_deep_copy(plugin);
	struct exam exam = { .report = all, .req = { .command = "ADD", .container = "", .netns = "" } };
	struct cni_error err = { 0 };

	exam.req.ifname = exam.req.args = "";
	exam.req.path = places_plugins();
	exam.req.config = text;
	exam.req.config_len = text ? strlen(text) : 0;
	setenv("CNI_PATH", exam.req.path, 0);
	if (request_read_conf(&exam.req, copy, &err) < 0 || conf_read(&exam.conf, &exam.req, &err) < 0) {
		report_error(all, ERROR, "configuration", &err);
		return;
	}
	report(all, OK, "configuration", NULL, "can be read");
	if (passes(&exam, rtnl_open(&exam.host, -1, &err), "kernel", &err)) {
		examine_all(&exam);
		rtnl_close(&exam.host);
	}
	conf_free(&exam.conf);
}
