/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/conflist.h"
#include "cni/file.h"
#include "cni/json.h"
#include "ctl/commands.h"
#include "ctl/lan.h"
#include "ctl/places.h"
#include "ctl/proposal.h"
#include "ctl/runtimes.h"
#include "ctl/scan.h"
#include "net/hairpin.h"
#include "plugin/conf.h"
#include "plugin/host.h"
#include "plugin/master.h"

/* The proposal, and the facts behind it. */
struct proposal {
	const char *master, *mode, *name, *range; /* as asked for, or NULL */
	const char *version;			  /* of CNI */
	struct rtnl host;
	struct lan lan;
	struct prefix pods; /* l3, l3s: a subnet of their own */
	uint16_t ipvlan_mode;
	bool host_access;
	json_t *files; /* of this machine */
	char own_name[16];
};

/* Prints on standard error. Standard output is for the configuration. */
#define say(...) cni_log("ipvlanctl: " __VA_ARGS__)

static bool init_has_name(const struct proposal *p, const char *name)
{
	const json_t *file;
	size_t i;

	json_array_foreach(p->files, i, file) {
		json_auto_t *plugins = conflist_read(json_string_value(file), NULL);

		if (!strcmp(scan_text(json_array_get(plugins, 0), "name"), name))
			return true;
	}
	return false;
}

static int init_choose_name(struct proposal *p, struct cni_error *err)
{
	if (p->name) {
		struct request req = { .command = "ADD" };
		json_auto_t *conf =
			json_pack("{s:s, s:o}", "cniVersion", "1.0.0", "name", json_text(p->name));

		return request_read_conf(&req, conf, err);
	}
	strcpy(p->own_name, "lan");
	for (int i = 2; init_has_name(p, p->own_name) && i < 100; i++)
		snprintf(p->own_name, sizeof(p->own_name), "lan%d", i);
	p->name = p->own_name;
	return 0;
}

/* Has the link this file in /sys/class/net? */
static bool init_has_file(const struct link *link, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", link->name, file);
	return access(path, F_OK) == 0;
}

static int init_choose_master(struct proposal *p, struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct link link;

	if (master_find(&p->host, p->master, &link, &why) < 0) {
		cni_fail(err, (enum cni_code)why.code, "%s", why.msg);
		return cni_hint(err, "%s", p->master ? why.details : "name a link with --master");
	}
	if (master_usable(&p->host, &link, err) < 0)
		return -1;
	if (!(link.flags & IFF_UP)) {
		cni_fail(err, CNI_CONFIG, "\"%s\" is down", link.name);
		return cni_hint(err, "ip link set %s up", link.name);
	}
	say("master %s: %s", link.name, p->master ? "set by --master" : "the default route leads to it");
	if (!(link.flags & IFF_RUNNING))
		say("%s has no carrier: no host on its LAN answers", link.name);
	if (init_has_file(&link, "wireless") || init_has_file(&link, "phy80211"))
		say("%s is Wi-Fi. Pods have its MAC address, so that most access points accept their frames. "
		    "Some drop addresses that their DHCP server did not assign. --mode l3s works with all",
		    link.name);
	return lan_read(&p->lan, &p->host, &link, err);
}

static int init_choose_mode(struct proposal *p, struct cni_error *err)
{
	if (ipvlan_mode_parse(p->mode ? p->mode : "l2", &p->ipvlan_mode))
		return 0;
	cni_fail(err, CNI_CONFIG, "unknown ipvlan mode: \"%s\"", p->mode);
	return cni_hint(err, "mode must be \"l2\", \"l3\" or \"l3s\"");
}

static void init_choose_host_access(struct proposal *p)
{
	struct cni_error why = { 0 };
	struct link holder;

	if (p->lan.link.holder && link_find_index(&p->host, p->lan.link.holder, &holder, NULL) == FOUND &&
	    !strcmp(holder.kind, "vrf")) {
		say("hostAccess is off: %s is in the VRF %s, which would not use the routes of hostAccess",
		    p->lan.link.name, holder.name);
		return;
	}
	if (p->ipvlan_mode == IPVLAN_MODE_L2 && hairpin_check(&p->host, p->lan.link.index, &why) < 0) {
		say("hostAccess is off: %s", why.msg);
		return;
	}
	p->host_access = true;
	say("hostAccess is on: without it this machine and its pods do not reach each other, nor do health "
	    "checks");
}

static int init_choose_lan_range(struct proposal *p, struct cni_error *err)
{
	struct lan_side *v4 = &p->lan.v4, *v6 = &p->lan.v6;

	if ((p->range ? lan_check_range(&p->lan, p->range, err) : lan_choose(&p->lan, err)) < 0)
		return -1;
	say("range %s-%s of %s: of %zu addresses that were asked, %zu answered%s", ip_text(&v4->from).s,
	    ip_text(&v4->to).s, prefix_text(&v4->address).s, v4->asked, v4->taken,
	    p->range ? "" : ", none of these");
	say("exclude these addresses on the LAN's DHCP server%s: it must not assign them",
	    v4->leased ? ", which assigned this machine's address" : ", if there is one");
	if (!v4->has_default)
		say("no default route leads to %s: pods reach only the LAN", p->lan.link.name);
	if (!v6->address.ip.family || v6->address.len > 96)
		return 0;
	lan_choose_v6(&p->lan, p->name);
	say("IPv6 range %s-%s", ip_text(&v6->from).s, ip_text(&v6->to).s);
	if (!v6->has_default)
		say("no IPv6 default route leads to %s: by IPv6 pods reach only the LAN", p->lan.link.name);
	return 0;
}

static int init_choose_range(struct proposal *p, struct cni_error *err)
{
	if (p->ipvlan_mode == IPVLAN_MODE_L2)
		return init_choose_lan_range(p, err);
	if (p->range) {
		cni_fail(err, CNI_CONFIG, "--range requires mode l2");
		return cni_hint(err, "in %s pods have a subnet of their own", p->mode);
	}
	if (!lan_private_subnet(&p->host, &p->pods))
		return cni_fail(err, CNI_CONFIG, "no subnet of 10.200.0.0 to 10.249.0.0 is free");
	if (p->ipvlan_mode == IPVLAN_MODE_L3)
		say("subnet %s: the LAN's router requires a route to it, via %s", prefix_text(&p->pods).s,
		    p->lan.v4.address.ip.family ? ip_text(&p->lan.v4.address.ip).s : "this machine");
	else
		say("subnet %s: outside, pods have the address of this machine (ipMasq)",
		    prefix_text(&p->pods).s);
	return 0;
}

static void init_choose_version(struct proposal *p)
{
	const struct runtime *runtimes;
	const size_t n = runtimes_found(&runtimes);

	p->version = cni_versions[runtimes_cni_version()];
	for (const struct runtime *r = runtimes; r < runtimes + n; r++)
		if (r->newest == RUNTIME_NO_CNI)
			say("%s %s has no CNI: it does not read %s", r->name, r->version, places_confs());
		else
			say("%s %s: CNI %s", r->name, *r->version ? r->version : "of an unknown version",
			    cni_versions[r->newest]);
	say("cniVersion %s: %s", p->version,
	    n ? "all of them know it" : "no runtime was found, and every runtime knows it");
}

static json_t *init_range_json(const struct lan_side *side)
{
	const struct prefix subnet = prefix_network(&side->address);

	return json_pack("[{s:s, s:s, s:s, s:s}]", "subnet", prefix_text(&subnet).s, "rangeStart",
			 ip_text(&side->from).s, "rangeEnd", ip_text(&side->to).s, "gateway",
			 side->has_default && side->gateway.family ? ip_text(&side->gateway).s : "none");
}

static json_t *init_ipam_json(const struct proposal *p)
{
	json_t *ranges = json_array(), *routes = json_array();
	const bool l2 = p->ipvlan_mode == IPVLAN_MODE_L2;

	if (l2)
		json_array_append_new(ranges, init_range_json(&p->lan.v4));
	else
		json_array_append_new(ranges, json_pack("[{s:s, s:s}]", "subnet", prefix_text(&p->pods).s,
							"gateway", "none"));
	if (!l2 || p->lan.v4.has_default)
		json_array_append_new(routes, json_pack("{s:s}", "dst", "0.0.0.0/0"));
	if (l2 && p->lan.v6.from.family) {
		json_array_append_new(ranges, init_range_json(&p->lan.v6));
		if (p->lan.v6.has_default)
			json_array_append_new(routes, json_pack("{s:s}", "dst", "::/0"));
	}
	return json_pack("{s:s, s:o, s:o}", "type", "addrpool", "ranges", ranges, "routes", routes);
}

static json_t *init_proposal_json(const struct proposal *p)
{
	json_t *plugin = json_pack("{s:s, s:s, s:s}", "type", "ipvlan", "master", p->lan.link.name, "mode",
				   ipvlan_mode_text(p->ipvlan_mode));

	if (p->host_access)
		json_object_set_new(plugin, "hostAccess", json_true());
	if (p->ipvlan_mode == IPVLAN_MODE_L3S)
		json_object_set_new(plugin, "ipMasq", json_true());
	json_object_set_new(plugin, "ipam", init_ipam_json(p));
	return json_pack("{s:s, s:s, s:[o]}", "cniVersion", p->version, "name", p->name, "plugins", plugin);
}

static const char *init_podman_subnet(char *ret, size_t size, const struct lan_side *side)
{
	const struct prefix subnet = prefix_network(&side->address);
	int len = snprintf(ret, size, " --subnet %s --ip-range %s-%s", prefix_text(&subnet).s,
			   ip_text(&side->from).s, ip_text(&side->to).s);

	if (side->has_default && side->gateway.family)
		snprintf(ret + len, size - (size_t)len, " --gateway %s", ip_text(&side->gateway).s);
	return ret;
}

/* Prints the command that makes the same network with Podman, if Podman uses netavark. */
static void init_say_podman(const struct proposal *p)
{
	const bool l2 = p->ipvlan_mode == IPVLAN_MODE_L2, v6 = l2 && p->lan.v6.from.family;
	char subnets[2][256] = { "", "" };

	if (!runtimes_with_driver())
		return;
	if (l2)
		init_podman_subnet(subnets[0], sizeof(subnets[0]), &p->lan.v4);
	else
		snprintf(subnets[0], sizeof(subnets[0]), " --subnet %s", prefix_text(&p->pods).s);
	if (v6)
		init_podman_subnet(subnets[1], sizeof(subnets[1]), &p->lan.v6);
	say("for Podman: podman network create -d ipvlan-netavark -o parent=%s -o mode=%s%s%s%s%s%s %s",
	    p->lan.link.name, ipvlan_mode_text(p->ipvlan_mode), p->host_access ? " -o hostAccess=true" : "",
	    p->ipvlan_mode == IPVLAN_MODE_L3S ? " -o ipMasq=true" : "", v6 ? " --ipv6" : "", subnets[0],
	    subnets[1], p->name);
}

static int init_propose(struct proposal *p, struct cni_error *err)
{
	if (init_choose_name(p, err) < 0 || init_choose_mode(p, err) < 0 || init_choose_master(p, err) < 0 ||
	    init_choose_range(p, err) < 0)
		return -1;
	init_choose_host_access(p);
	init_choose_version(p);
	init_say_podman(p);
	return 0;
}

/* If there are other files, the new one sorts last, so that containerd's first file stays the first. */
static int init_write_conflist(const struct proposal *p, const json_t *doc, struct cni_error *err)
{
	const bool first = json_array_size(p->files) == 0;
	autofree char *path = NULL;

	if (init_has_name(p, p->name)) {
		cni_fail(err, CNI_CONFIG, "network \"%s\" exists in %s", p->name, places_confs());
		return cni_hint(err, "choose another --name, or remove that file");
	}
	if (asprintf(&path, "%s/%s-%s.conflist", places_confs(), first ? "10" : "90", p->name) < 0)
		abort();
	if (proposal_write(path, doc, 0644, err) < 0)
		return -1;
	say("written to %s", path);
	if (!first)
		say("containerd uses the first file of %s, %s", places_confs(),
		    places_name(json_string_value(json_array_get(p->files, 0))));
	unlink(PROPOSAL);
	return 0;
}

/* Keeps the proposal for ipvlanctl try. A failure changes nothing else. */
static void init_remember(const json_t *doc)
{
	unlink(PROPOSAL);
	if (proposal_write(PROPOSAL, doc, 0600, NULL) == 0)
		say("\"ipvlanctl try\" tries it; \"ipvlanctl init --write\" writes it to %s", places_confs());
}

static int init(struct proposal *p, bool write, struct cni_error *err)
{
	json_auto_t *doc = NULL;

	p->files = places_list(err);
	if (!p->files || init_propose(p, err) < 0)
		return -1;
	doc = init_proposal_json(p);
	if (write)
		return init_write_conflist(p, doc, err);
	json_dumpf(doc, stdout, JSON_INDENT(2));
	putchar('\n');
	init_remember(doc);
	return 0;
}

int init_main(int argc, char **argv)
{
	const bool write = option_take(&argc, argv, "--write");
	struct proposal p = { .master = option_take(&argc, argv, "--master"),
			      .mode = option_take(&argc, argv, "--mode"),
			      .name = option_take(&argc, argv, "--name"),
			      .range = option_take(&argc, argv, "--range") };
	struct cni_error err = { 0 };
	int rc = rtnl_open(&p.host, -1, &err);

	if (rc == 0) {
		rc = init(&p, write, &err);
		rtnl_close(&p.host);
	}
	json_decref(p.files);
	if (rc == 0)
		return 0;
	say("%s%s%s", err.msg, err.details[0] ? "; " : "", err.details);
	return 1;
}
