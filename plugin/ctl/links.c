/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ctl/examine.h"
#include "net/hairpin.h"
#include "plugin/fence.h"
#include "plugin/guard.h"
#include "plugin/kinds.h"
#include "plugin/master.h"

/* Reports the error of a check, if rc is not 0. */
static bool links_pass(const struct exam *exam, int rc, const char *about, const struct cni_error *err)
{
	if (rc < 0)
		report_error(exam->report, ERROR, about, err);
	return rc == 0;
}

void examine_kernel(struct exam *exam)
{
	struct cni_error err = { 0 };

	switch (link_kind_known(&exam->host, "ipvlan", &err)) {
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

/* If the master does not exist, names the link of the default route, which most networks use. */
static bool links_find_named(struct exam *exam)
{
	struct cni_error err = { 0 }, with_usual = { 0 };
	struct link usual;

	if (master_find(&exam->host, exam->conf.master, &exam->parent, &err) == 0)
		return true;
	if (exam->conf.master && master_find(&exam->host, NULL, &usual, NULL) == 0)
		cni_hint(&with_usual, "%s; the default route uses %s", err.details, usual.name);
	report(exam->report, ERROR, "master", *with_usual.details ? with_usual.details : err.details, "%s",
	       err.msg);
	exam->parent.index = 0;
	return false;
}

/* Finds the VLAN or the dummy. If it does not exist, ADD makes it. */
static bool links_find_made(struct exam *exam)
{
	struct cni_error err = { 0 };
	enum found found =
		master_made(&exam->host, &exam->conf, &exam->parent, exam->req.name, &exam->master, &err);

	if (found == FOUND_FAILED)
		report_error(exam->report, ERROR, "master", &err);
	if (found == FOUND_NOT)
		report(exam->report, OK, "master", NULL, "the first ADD makes %s", exam->master.name);
	return found == FOUND;
}

void examine_master(struct exam *exam)
{
	const struct conf *conf = &exam->conf;
	struct cni_error err = { 0 };
	bool there = true;

	if (conf->link_in_container) {
		report(exam->report, OK, "master", NULL, "is in the pod (linkInContainer)");
		return;
	}
	if (!conf->internal && !links_find_named(exam))
		return;
	exam->master = exam->parent;
	if (conf->vlan || conf->internal)
		there = links_find_made(exam);
	memcpy(exam->master_name, exam->master.name, sizeof(exam->master_name));
	if (there && links_pass(exam, master_usable(&exam->host, &exam->master, &err), "master", &err))
		exam->sound |= SOUND_MASTER;
}

static void links_examine_state(struct exam *exam)
{
	const struct link *master = &exam->master;

	if (!(master->flags & IFF_UP)) {
		struct cni_error remedy = { 0 };

		cni_hint(&remedy, "ip link set dev %s up", master->name);
		report(exam->report, ERROR, "master", remedy.details, "master \"%s\" is down", master->name);
	} else if (!(master->flags & IFF_RUNNING)) {
		report(exam->report, WARNING, "master", "check the cable and the device at its other end",
		       "master \"%s\" has no carrier", master->name);
	} else {
		exam->sound |= SOUND_LINK;
		report(exam->report, OK, "master", NULL, "%s is up", master->name);
	}
}

static void links_examine_means(struct exam *exam)
{
	const char *name = exam->master.name;
	struct cni_error err = { 0 };

	if (exam->conf.host_access && exam->conf.mode != IPVLAN_MODE_L2)
		report(exam->report, OK, "hostAccess", NULL, "through a slave of %s on the host", name);
	else if (exam->conf.host_access &&
		 links_pass(exam, hairpin_check(&exam->host, exam->master.index, &err), "hostAccess", &err))
		report(exam->report, OK, "hostAccess", NULL, "through a filter on %s", name);
	if (exam->conf.proxy_arp)
		report(exam->report, OK, "proxyArp", NULL,
		       "the host will answer ARP and neighbour solicitations on %s", name);
	if (fence_key(&exam->conf) &&
	    links_pass(exam, fence_check(&exam->host, &exam->conf, exam->master.index, &err),
		       fence_key(&exam->conf), &err))
		report(exam->report, OK, fence_key(&exam->conf), NULL, "through rules on %s", name);
	if (!fence_key(&exam->conf) && exam->conf.accept_ra)
		links_pass(exam, fence_check(&exam->host, &exam->conf, exam->master.index, &err),
			   "routerAdvertisements", &err);
	if (exam->conf.ip_masq && !nft_program())
		report(exam->report, ERROR, "ipMasq", "install nftables", "the program nft does not exist");
	else if (exam->conf.ip_masq)
		report(exam->report, OK, "ipMasq", NULL, "through %s", nft_program());
}

void examine_link(struct exam *exam)
{
	const struct link *master = &exam->master;
	struct cni_error err = { 0 };

	links_examine_state(exam);
	if (links_pass(exam, master_check_mtu(master, exam->conf.mtu, &err), "MTU", &err))
		report(exam->report, OK, "MTU", NULL, "%u", exam->conf.mtu ? exam->conf.mtu : master->mtu);
	links_pass(exam, master_check_vrf(&exam->host, master, &exam->conf, &err), "master", &err);
	err = (struct cni_error){ 0 };
	if (links_pass(exam, guard_check(&exam->host, master, &exam->conf, alive_read, &err), "mode", &err))
		report(exam->report, OK, "mode", NULL, "%s is possible on %s",
		       ipvlan_mode_text(exam->conf.mode), master->name);
	links_examine_means(exam);
}
