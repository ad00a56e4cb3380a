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
 * Attachments and leases whose namespace is gone, and leases from before the machine was restarted.
 * "leftovers" is an array of
 *
 *	{ container, interface, network, why, plugins: [...], held: ["lease 10.1.0.2", ...] }
 *
 * DEL releases each, as the runtime would have done.
 */
struct collection {
	json_t *scan;
	json_t *leftovers;
	json_t *networks; /* as networks_list() has them */
	bool incomplete;
};

static json_t *gc_leftover(const struct collection *all, const char *network, const json_t *who,
			   const char *why)
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
	/* if the network is no longer configured, DEL still finds the objects on the host in the ledger */
	json_object_set_new(new, "plugins",
			    networks_ipvlan(known) ? json_deep_copy(json_object_get(known, "plugins"))
						   : json_pack("[{s:s, s:o, s:s}]", "cniVersion", "1.0.0",
							       "name", json_text(network), "type", "ipvlan"));
	json_array_append_new(all->leftovers, new);
	return new;
}

static void gc_hold(json_t *entry, const char *what, const char *name)
{
	json_array_append_new(json_object_get(entry, "held"), json_sprintf("%s%s", what, name));
}

/* Has an existing interface the same name? Then DEL would remove that one. */
static bool gc_is_in_use(const struct collection *all, const json_t *lease)
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

static void gc_read_leases(struct collection *all, const json_t *configured)
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

			if (gc_is_in_use(all, lease))
				continue;
			if (!strcmp(state, "stale"))
				gc_hold(gc_leftover(all, network, lease, "its namespace is gone"), "lease ",
					scan_text(lease, "address"));
			else if (!strcmp(state, "earlier boot"))
				gc_hold(gc_leftover(all, network, lease,
						    "it is from before the machine was restarted"),
					"lease ", scan_text(lease, "address"));
		}
	}
}

static void gc_read_ledger(struct collection *all)
{
	const json_t *pod, *object;
	size_t i, k;

	json_array_foreach(json_object_get(all->scan, "lost"), i, pod) {
		json_t *entry;

		if (strcmp(scan_text(pod, "state"), "gone") != 0)
			continue;
		entry = gc_leftover(all, scan_text(pod, "network"), pod, "its namespace is gone");
		json_array_foreach(json_object_get(pod, "objects"), k, object)
			gc_hold(entry, "", scan_text(object, "object"));
	}
}

static void gc_print_held(const json_t *entry, const char *done)
{
	const json_t *held;
	size_t i;

	text_put(GREEN, "%s", done);
	text_end();
	json_array_foreach(json_object_get(entry, "held"), i, held) {
		text_put(PLAIN, "      %s", json_string_value(held));
		text_end();
	}
}

static void gc_print(const json_t *entry, const char *done)
{
	text_put(BOLD, "%s %s", scan_text(entry, "container"), scan_text(entry, "interface"));
	text_put(PLAIN, ", network %s: %s", scan_text(entry, "network"), scan_text(entry, "why"));
	gc_print_held(entry, done);
}

/* Passes no namespace to DEL: it is gone. */
static int gc_release(const json_t *entry)
{
	const struct call call = { .container = scan_text(entry, "container"),
				   .netns = "",
				   .ifname = scan_text(entry, "interface") };
	struct cni_error err = { 0 };

	if (call_del_gone(&call, json_object_get(entry, "plugins"), &err) == 0) {
		gc_print(entry, ": released");
		return 0;
	}
	/* a new ADD has used the same names since the scan */
	if (err.code == CNI_EXISTS) {
		gc_print(entry, ": in use again, not released");
		return 0;
	}
	gc_print(entry, "");
	cni_log("ipvlanctl: DEL of %s %s: %s", call.container, call.ifname, err.msg);
	return -1;
}

static void gc_release_all(struct collection *all, bool really)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(all->leftovers, i, entry) {
		if (!really)
			gc_print(entry, "");
		else if (gc_release(entry) < 0)
			all->incomplete = true;
	}
}

/*
 * What the node holds of a shared pool although no pod uses it: a DEL returns nothing while the engine does
 * not answer, nor a block whose addresses wait for reuseDelay, and on a drained node no later call does.
 * Returns the number of networks that hold such things.
 */
static size_t gc_tidy(struct collection *all, const json_t *network, bool really)
{
	struct cni_error err = { 0 };
	json_auto_t *superfluous = pools_tidy(network, really, &err);
	const json_t *entry;
	size_t i;

	if (!superfluous) {
		cni_log("ipvlanctl: network %s: cannot return blocks or identities that no pod uses: %s",
			scan_text(network, "name"), err.msg);
		all->incomplete = true;
	}
	json_array_foreach(superfluous, i, entry) {
		text_put(BOLD, "network %s", scan_text(entry, "network"));
		text_put(PLAIN, ", pool %s: no pod of this node uses it", scan_text(entry, "pool"));
		gc_print_held(entry, really ? ": returned" : "");
	}
	return json_array_size(superfluous);
}

static void gc_conclude(const struct collection *all, size_t n, bool really, bool quiet)
{
	if (n ? really : quiet || all->incomplete)
		return;
	if (n)
		text_put(YELLOW, "Nothing was changed: ipvlanctl gc --yes releases all that is listed.");
	else
		text_put(PLAIN, "No pod that is gone holds anything.");
	text_end();
}

/* Attachments and leases only of networks of ipvlan: only other plugins know their own objects. Blocks and
 * identities of all: addrpool knows them. */
static int gc_collect(struct collection *all, bool really, bool quiet)
{
	struct cni_error err = { 0 };
	const json_t *network;
	size_t i, n;
	bool whole;

	all->scan = scan(&err);
	if (!all->scan) {
		cni_log("ipvlanctl: %s", err.msg);
		return 1;
	}
	all->networks = networks_list(&whole);
	all->incomplete |= !whole;
	json_array_foreach(all->networks, i, network)
		if (networks_ipvlan(network))
			gc_read_leases(all, network);
	gc_read_ledger(all);
	gc_release_all(all, really);
	n = json_array_size(all->leftovers);
	json_array_foreach(all->networks, i, network)
		n += gc_tidy(all, network, really);
	gc_conclude(all, n, really, quiet);
	return all->incomplete ? 1 : 0;
}

int gc_main(int argc, char **argv)
{
	struct collection all = { .leftovers = NULL };
	const bool really = option_take(&argc, argv, "--yes"), quiet = option_take(&argc, argv, "--quiet");
	int status;

	all.leftovers = json_array();
	status = gc_collect(&all, really, really && quiet);
	json_decref(all.scan);
	json_decref(all.leftovers);
	json_decref(all.networks);
	return status;
}
