/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/networks.h"

#include <string.h>

#include "cni/conflist.h"
#include "cni/json.h"

struct visitor {
	int (*each)(const struct network *network, void *arg, struct cni_error *err);
	void *arg;
};

static int networks_visit(const json_t *doc, const struct visitor *visitor, struct cni_error *err)
{
	struct request req = { .command = "ADD", .args = "" };
	json_t *plugin = json_deep_copy(doc);
	struct conf conf;
	int rc = request_read_conf(&req, plugin, err);

	if (rc == 0)
		rc = addrpool_conf_read(&conf, &req, err);
	if (rc == 0) {
		rc = visitor->each(&(struct network){ &conf, plugin }, visitor->arg, err);
		addrpool_conf_free(&conf);
	}
	json_decref(plugin);
	return rc;
}

/* Has the plugin an ipam whose leases addrpool reads? */
static bool networks_has_our_leases(const json_t *plugin)
{
	const char *type = json_string_value(json_field(json_field(plugin, "ipam"), "type"));

	return type && (!strcmp(type, "addrpool") || !strcmp(type, "host-local"));
}

int networks_each(const char *path,
		  int (*each)(const struct network *network, void *arg, struct cni_error *err), void *arg,
		  struct cni_error *err)
{
	json_auto_t *plugins = conflist_read(path, err);
	const struct visitor visitor = { each, arg };
	const json_t *plugin;
	size_t i, networks = 0;

	if (!plugins)
		return -1;
	json_array_foreach(plugins, i, plugin) {
		if (!networks_has_our_leases(plugin))
			continue;
		if (networks_visit(plugin, &visitor, err) < 0)
			return -1;
		networks++;
	}
	return networks ? 0 : cni_fail(err, CNI_CONFIG, "no \"ipam\" of type addrpool or host-local in it");
}
