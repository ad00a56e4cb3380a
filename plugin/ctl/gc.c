/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cni/json.h"
#include "ctl/call.h"
#include "ctl/commands.h"
#include "ctl/networks.h"
#include "ctl/pools.h"
#include "ctl/scan.h"
#include "ctl/text.h"

/*
 * What is left of pods that are gone: attachments and leases whose namespace is gone, and leases
 * from before the machine was restarted. "leftovers" is an array of
 *
 *	{ container, interface, network, why, plugins: [...], held: ["lease 10.1.0.2", ...] }
 *
 * and each is released by DEL, as the runtime would have done.
 */
struct collection {
	json_t *scan;
	json_t *leftovers;
	json_t *networks; /* as networks_list() has them */
	bool incomplete;
};

static json_t *leftover(const struct collection *all, const char *network, const json_t *who, const char *why)
{
	const json_t *known = networks_find(all->networks, network);
	json_t *entry, *new;
	size_t i;

	json_array_foreach(all->leftovers, i, entry)
		if (!strcmp(scan_text(entry, "network"), network) &&
		    !strcmp(scan_text(entry, "container"), scan_text(who, "container")) &&
		    !strcmp(scan_text(entry, "interface"), scan_text(who, "interface")))
			return entry;
	new = json_pack("{s:O, s:O, s:o, s:s, s:[]}", "container", json_object_get(who, "container"),
			"interface", json_object_get(who, "interface"), "network", json_text(network), "why",
			why, "held");
	/* of a network that is not configured any more, what is on the host is known all the same */
	json_object_set_new(new, "plugins",
			    networks_ipvlan(known) ? json_deep_copy(json_object_get(known, "plugins"))
						   : json_pack("[{s:s, s:o, s:s}]", "cniVersion", "1.0.0",
							       "name", json_text(network), "type", "ipvlan"));
	json_array_append_new(all->leftovers, new);
	return new;
}

static void hold(json_t *entry, const char *what, const char *name)
{
	json_array_append_new(json_object_get(entry, "held"), json_sprintf("%s%s", what, name));
}

/* Has an interface that exists the same name? Then DEL would be about that one. */
static bool lives(const struct collection *all, const json_t *lease)
{
	const json_t *master, *pod;
	size_t i, k;

	json_array_foreach(json_object_get(all->scan, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod)
			if (!strcmp(scan_text(pod, "container"), scan_text(lease, "container")) &&
			    !strcmp(scan_text(pod, "interface"), scan_text(lease, "interface")))
				return true;
	return false;
}

static void read_leases(struct collection *all, const json_t *configured)
{
	const char *network = scan_text(configured, "name");
	struct cni_error err = { 0 };
	json_auto_t *pools = pools_of(configured, false, &err);
	const json_t *pool, *lease;
	size_t i, k;

	if (!pools) {
		cni_log("ipvlanctl: network %s in %s: %s", network, networks_place(configured), err.msg);
		all->incomplete = true;
	}
	json_array_foreach(pools, i, pool) {
		json_array_foreach(json_object_get(pool, "leases"), k, lease) {
			const char *state = scan_text(lease, "state");

			if (lives(all, lease))
				continue;
			if (!strcmp(state, "stale"))
				hold(leftover(all, network, lease, "its namespace is gone"), "lease ",
				     scan_text(lease, "address"));
			else if (!strcmp(state, "earlier boot"))
				hold(leftover(all, network, lease,
					      "it is from before the machine was restarted"),
				     "lease ", scan_text(lease, "address"));
		}
	}
}

static void read_ledger(struct collection *all)
{
	const json_t *pod, *object;
	size_t i, k;

	json_array_foreach(json_object_get(all->scan, "lost"), i, pod) {
		json_t *entry;

		if (strcmp(scan_text(pod, "state"), "gone") != 0)
			continue;
		entry = leftover(all, scan_text(pod, "network"), pod, "its namespace is gone");
		json_array_foreach(json_object_get(pod, "objects"), k, object)
			hold(entry, "", scan_text(object, "object"));
	}
}

static void print(const json_t *entry, const char *done)
{
	const json_t *held;
	size_t i;

	text_put(BOLD, "%s %s", scan_text(entry, "container"), scan_text(entry, "interface"));
	text_put(PLAIN, ", network %s: %s", scan_text(entry, "network"), scan_text(entry, "why"));
	text_put(GREEN, "%s", done);
	text_end();
	json_array_foreach(json_object_get(entry, "held"), i, held) {
		text_put(PLAIN, "      %s", json_string_value(held));
		text_end();
	}
}

/* Its namespace is gone, and with it what was there: DEL is told none. */
static int release(const json_t *entry)
{
	const struct call call = { .container = scan_text(entry, "container"),
				   .netns = "",
				   .ifname = scan_text(entry, "interface") };
	struct cni_error err = { 0 };

	setenv("IPVLANCTL_GC", "1", 1); /* see cni/plugin.h */
	if (call_del(&call, json_object_get(entry, "plugins"), NULL, &err) == 0) {
		print(entry, ": released");
		return 0;
	}
	/* it was attached anew since we looked */
	if (err.code == CNI_EXISTS) {
		print(entry, ": in use again, left alone");
		return 0;
	}
	print(entry, "");
	cni_log("ipvlanctl: DEL of %s %s: %s", call.container, call.ifname, err.msg);
	return -1;
}

static int release_all(const struct collection *all, bool really)
{
	const size_t n = json_array_size(all->leftovers);
	const json_t *entry;
	size_t i, failed = 0;

	json_array_foreach(all->leftovers, i, entry)
		if (!really)
			print(entry, "");
		else if (release(entry) < 0)
			failed++;
	if (!n)
		text_put(PLAIN, "Nothing is left of pods that are gone.");
	else if (!really)
		text_put(YELLOW, "Nothing was changed: ipvlanctl gc --yes releases all that is listed.");
	if (!n || !really)
		text_end();
	return failed || all->incomplete ? 1 : 0;
}

/* Networks of ipvlan alone: what others have made, only they know. */
static int collect(struct collection *all, bool really)
{
	struct cni_error err = { 0 };
	const json_t *network;
	size_t i;

	all->scan = scan(&err);
	if (!all->scan) {
		cni_log("ipvlanctl: %s", err.msg);
		return 1;
	}
	all->networks = networks_list();
	json_array_foreach(all->networks, i, network)
		if (networks_ipvlan(network))
			read_leases(all, network);
	read_ledger(all);
	return release_all(all, really);
}

int gc_main(int argc, char **argv)
{
	struct collection all = { .leftovers = NULL };
	const bool really = option_take(&argc, argv, "--yes");
	int status;

	all.leftovers = json_array();
	status = collect(&all, really);
	json_decref(all.scan);
	json_decref(all.leftovers);
	json_decref(all.networks);
	return status;
}
