#include "plugin/conf.h"

#include <limits.h>
#include <linux/if_link.h>
#include <string.h>

#include "cni/json.h"
#include "net/link.h"

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

static int read_mode(struct conf *conf, const struct request *req, struct cni_error *err)
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

static int read_mtu(struct conf *conf, const struct request *req, struct cni_error *err)
{
	long long mtu = 0;

	if (field_int(req->conf, "", "mtu", INT_MIN, INT_MAX, &mtu, err) < 0)
		return -1;
	conf->mtu = mtu > 0 ? (unsigned int)mtu : 0; /* as in Go, negative is not given */
	return 0;
}

static int read_dad(struct conf *conf, const struct request *req, struct cni_error *err)
{
	const char *text = "skip";

	if (field_string(req->conf, "", "dad", &text, err) < 0)
		return -1;
	conf->dad = !strcmp(text, "wait");
	if (conf->dad || !strcmp(text, "skip"))
		return 0;
	return cni_fail(err, CNI_CONFIG, "dad must be \"skip\" or \"wait\", not \"%s\"", text);
}

/* What we do not use ourselves must still be what the specification says. */
static int check_types(const struct request *req, struct cni_error *err)
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

static int read_keys(struct conf *conf, const struct request *req, struct cni_error *err)
{
	struct cni_error why = { 0 };

	if (check_types(req, &why) < 0 || field_string(req->conf, "", "master", &conf->master, &why) < 0 ||
	    read_mtu(conf, req, &why) < 0 ||
	    field_bool(req->conf, "", "linkInContainer", &conf->link_in_container, &why) < 0 ||
	    field_bool(req->conf, "", "announce", &conf->announce, &why) < 0 ||
	    read_dad(conf, req, &why) < 0 || result_add_routes(&conf->routes, req->conf, &why) < 0 ||
	    dns_read(&conf->dns, req->conf, &why) < 0)
		return cni_fail(err, CNI_CONFIG, "failed to load netconf: %s", why.msg);
	if (conf->master && !*conf->master)
		conf->master = NULL;
	return 0;
}

static int read_prev(struct conf *conf, const struct request *req, struct cni_error *err)
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

/* A chained plugin works on the one interface that came before it. */
static int master_from_prev(struct conf *conf, struct cni_error *err)
{
	if (conf->master || !conf->has_prev)
		return 0;
	if (conf->prev.n_interfaces == 1 && *conf->prev.interfaces[0].name) {
		conf->master = conf->prev.interfaces[0].name;
		return 0;
	}
	cni_fail(err, CNI_CONFIG, "chained master failure. PrevResult lacks a single named interface");
	return cni_hint(err,
			"prevResult has %zu interfaces; say which one is the master with the key \"master\"",
			conf->prev.n_interfaces);
}

int conf_read(struct conf *ret, const struct request *req, struct cni_error *err)
{
	struct conf conf = { .announce = true };

	if (read_keys(&conf, req, err) < 0 || conf_read_ipam(&conf.ipam, req, err) < 0 ||
	    read_prev(&conf, req, err) < 0 || read_mode(&conf, req, err) < 0 ||
	    (strcmp(req->command, "ADD") == 0 && master_from_prev(&conf, err) < 0)) {
		conf_free(&conf);
		return -1;
	}
	*ret = conf;
	return 0;
}

void conf_free(struct conf *conf)
{
	json_decref(conf->dns);
	result_free(&conf->routes);
	result_free(&conf->prev);
}
