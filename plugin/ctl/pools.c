#include "ctl/pools.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/conflist.h"
#include "cni/json.h"
#include "ctl/places.h"

/* addrpool may wait a minute for its lock. */
#define PATIENCE_S 90

static bool has_pool(const char *file)
{
	json_auto_t *plugins = conflist_read(file, NULL);
	const json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		const char *type = json_string_value(json_field(json_field(plugin, "ipam"), "type"));

		if (type && (!strcmp(type, "addrpool") || !strcmp(type, "host-local")))
			return true;
	}
	return false;
}

/* "addrpool: FILE: what is wrong\n" */
static int explain(struct outcome *o, struct cni_error *err)
{
	o->stderr_end[strcspn(o->stderr_end, "\n")] = '\0';
	return cni_fail(err, CNI_CONFIG, "addrpool: %s",
			*o->stderr_end ? o->stderr_end : "it failed and did not say why");
}

json_t *pools_of(const char *file, struct cni_error *err)
{
	struct child addrpool = { .what = "", .env = environ, .patience_s = PATIENCE_S, .quiet = true };
	char program[PATH_MAX];
	json_t *pools, *pool;
	struct outcome o;
	size_t i;

	if (!has_pool(file))
		return json_array();
	if (places_find("addrpool", program, sizeof(program), err) < 0)
		return NULL;
	addrpool.argv[0] = program;
	addrpool.argv[1] = "--json";
	addrpool.argv[2] = file;
	if (child_run(&addrpool, &o, err) < 0)
		return NULL;
	if (o.status) {
		explain(&o, err);
		return NULL;
	}
	pools = json_read(o.output, o.output_len, err);
	json_array_foreach(pools, i, pool)
		json_object_set_new(pool, "file", json_text(file));
	return pools;
}
