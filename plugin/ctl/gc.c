#include <string.h>

#include "cni/conflist.h"
#include "cni/json.h"
#include "ctl/call.h"
#include "ctl/commands.h"
#include "ctl/places.h"
#include "ctl/pools.h"
#include "ctl/scan.h"
#include "ctl/text.h"

/*
 * What nobody needs any more: attachments and leases whose namespace is gone, and leases
 * from before the machine was restarted. "leftovers" is an array of
 *
 *	{ container, interface, network, why, plugins: [...], held: ["lease 10.1.0.2", ...] }
 *
 * and each is given back by DEL, as the runtime would have done.
 */
struct collection {
	json_t *leftovers;
	json_t *networks; /* name: its plugins */
	bool incomplete;
};

static json_t *leftover(const struct collection *all, const char *network, const json_t *who, const char *why)
{
	const json_t *plugins = json_object_get(all->networks, network);
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
			    plugins ? json_deep_copy(plugins)
				    : json_pack("[{s:s, s:o, s:s}]", "cniVersion", "1.0.0", "name",
						json_text(network), "type", "ipvlan"));
	json_array_append_new(all->leftovers, new);
	return new;
}

static void hold(json_t *entry, const char *what, const char *name)
{
	json_array_append_new(json_object_get(entry, "held"), json_sprintf("%s%s", what, name));
}

/* Networks of ipvlan alone: what others have made, only they know. */
static void read_networks(struct collection *all, const char *file)
{
	json_auto_t *plugins = conflist_read(file, NULL);
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		const char *type = json_string_value(json_field(plugin, "type"));
		const char *name = json_string_value(json_field(plugin, "name"));

		if (type && name && !strcmp(type, "ipvlan") && !json_object_get(all->networks, name))
			json_object_set(all->networks, name, plugins);
	}
}

static void read_leases(struct collection *all, const char *file)
{
	struct cni_error err = { 0 };
	json_auto_t *pools = pools_of(file, &err);
	const json_t *pool, *lease;
	size_t i, k;

	if (!pools) {
		cni_log("ipvlanctl: pools of %s: %s", file, err.msg);
		all->incomplete = true;
	}
	json_array_foreach(pools, i, pool) {
		const char *network = scan_text(pool, "network");

		if (!json_object_get(all->networks, network))
			continue;
		json_array_foreach(json_object_get(pool, "leases"), k, lease) {
			const char *state = scan_text(lease, "state");

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

static int read_ledger(struct collection *all, struct cni_error *err)
{
	json_auto_t *doc = scan(err);
	const json_t *pod, *object;
	size_t i, k;

	json_array_foreach(json_object_get(doc, "lost"), i, pod) {
		json_t *entry;

		if (strcmp(scan_text(pod, "state"), "gone") != 0)
			continue;
		entry = leftover(all, scan_text(pod, "network"), pod, "its namespace is gone");
		json_array_foreach(json_object_get(pod, "objects"), k, object)
			hold(entry, "", scan_text(object, "object"));
	}
	return doc ? 0 : -1;
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

	if (call_del(&call, json_object_get(entry, "plugins"), NULL, &err) == 0) {
		print(entry, ": released");
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
		text_put(PLAIN, "There is nothing that nobody needs any more.");
	else if (!really)
		text_put(YELLOW, "Nothing was changed: ipvlanctl gc --yes gives back all that is listed.");
	if (!n || !really)
		text_end();
	return failed || all->incomplete ? 1 : 0;
}

static int collect(struct collection *all, bool really)
{
	struct cni_error err = { 0 };
	json_auto_t *files = places_list(&err);
	const json_t *file;
	size_t i;

	json_array_foreach(files, i, file)
		read_networks(all, json_string_value(file));
	json_array_foreach(files, i, file)
		read_leases(all, json_string_value(file));
	if (files && read_ledger(all, &err) == 0)
		return release_all(all, really);
	cni_log("ipvlanctl: %s", err.msg);
	return 1;
}

int gc_main(int argc, char **argv)
{
	struct collection all = { .leftovers = NULL };
	const bool really = argc == 2 && !strcmp(argv[1], "--yes");
	int status;

	if (argc > 2 || (argc == 2 && !really)) {
		fputs("usage: ipvlanctl gc [--yes]\n", stderr);
		return EXIT_USAGE;
	}
	all.leftovers = json_array();
	all.networks = json_object();
	status = collect(&all, really);
	json_decref(all.leftovers);
	json_decref(all.networks);
	return status;
}
