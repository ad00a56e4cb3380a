/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/result.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cni/json.h"

/* More entries than any network has would only exhaust our memory. */
#define MAX_ENTRIES 4096

/* Makes room for one entry after the n of *array. NULL with err filled. */
static void *result_slot(void *array, size_t n, size_t size, struct cni_error *err)
{
	void **p = array, *bigger;

	if (n >= MAX_ENTRIES) {
		cni_fail(err, CNI_DECODE, "a result with more than %d entries", MAX_ENTRIES);
		return NULL;
	}
	/* doubles the room when n is a power of two */
	bigger = n & (n - 1) ? *p : realloc(*p, (n ? 2 * n : 1) * size);
	if (!bigger) {
		cni_fail(err, CNI_RETRY, "out of memory");
		return NULL;
	}
	*p = bigger;
	return (char *)bigger + n * size;
}

int result_add_interface(struct result *result, const struct cni_interface *interface, struct cni_error *err)
{
	struct cni_interface *entry =
		result_slot(&result->interfaces, result->n_interfaces, sizeof(*entry), err);

	if (!entry)
		return -1;
	*entry = *interface;
	result->n_interfaces++;
	return 0;
}

static int result_add_ip(struct result *to, const struct cni_ip *ip, struct cni_error *err)
{
	struct cni_ip *entry = result_slot(&to->ips, to->n_ips, sizeof(*entry), err);

	if (!entry)
		return -1;
	*entry = *ip;
	to->n_ips++;
	return 0;
}

int result_add_route(struct result *result, const struct cni_route *route, struct cni_error *err)
{
	struct cni_route *entry = result_slot(&result->routes, result->n_routes, sizeof(*entry), err);

	if (!entry)
		return -1;
	*entry = *route;
	result->n_routes++;
	return 0;
}

static int result_read_ip(const json_t *obj, const char *key, struct ip *ret, struct cni_error *err)
{
	const char *text = NULL;

	if (field_string(obj, "", key, &text, err) < 0)
		return -1;
	if (text && *text && !ip_parse(text, ret))
		return cni_fail(err, CNI_DECODE, "invalid IP address: %s", text);
	return 0;
}

static int result_read_prefix(const json_t *obj, const char *key, struct prefix *ret, struct cni_error *err)
{
	const char *text = "";

	if (field_string(obj, "", key, &text, err) < 0)
		return -1;
	if (!prefix_parse(text, ret))
		return cni_fail(err, CNI_DECODE, "invalid CIDR address: %s", text);
	return 0;
}

static int result_read_unsigned(const json_t *obj, const char *key, long long max, unsigned int *ret,
				struct cni_error *err)
{
	long long value = *ret;

	if (field_int(obj, "", key, 0, max, &value, err) < 0)
		return -1;
	*ret = (unsigned int)value;
	return 0;
}

static int result_need_object(const json_t *entry, const char *what, struct cni_error *err)
{
	return json_is_object(entry) ? 0 : cni_fail(err, CNI_DECODE, "an entry of %s is not an object", what);
}

static int result_read_interface(struct result *result, const json_t *obj, struct cni_error *err)
{
	struct cni_interface interface = { .name = "" };

	if (result_need_object(obj, "interfaces", err) < 0 ||
	    field_string(obj, "", "name", &interface.name, err) < 0 ||
	    field_string(obj, "", "mac", &interface.mac, err) < 0 ||
	    field_string(obj, "", "sandbox", &interface.sandbox, err) < 0 ||
	    field_string(obj, "", "socketPath", &interface.socket_path, err) < 0 ||
	    field_string(obj, "", "pciID", &interface.pci_id, err) < 0 ||
	    result_read_unsigned(obj, "mtu", INT_MAX, &interface.mtu, err) < 0)
		return -1;
	return result_add_interface(result, &interface, err);
}

/* address is "address", or "ip" in the form of 0.2.0. */
static int result_read_address(struct result *result, const json_t *obj, const char *address,
			       struct cni_error *err)
{
	struct cni_ip ip = { .interface = -1 };

	if (result_need_object(obj, "ips", err) < 0 ||
	    result_read_prefix(obj, address, &ip.address, err) < 0 ||
	    result_read_ip(obj, "gateway", &ip.gateway, err) < 0 ||
	    field_int(obj, "", "interface", INT_MIN, INT_MAX, &ip.interface, err) < 0)
		return -1;
	return result_add_ip(result, &ip, err);
}

static int result_read_route(struct result *result, const json_t *obj, struct cni_error *err)
{
	struct cni_route route = { .table = -1, .scope = -1 };

	if (result_need_object(obj, "routes", err) < 0 ||
	    result_read_prefix(obj, "dst", &route.dst, err) < 0 ||
	    result_read_ip(obj, "gw", &route.gw, err) < 0 ||
	    result_read_unsigned(obj, "mtu", INT_MAX, &route.mtu, err) < 0 ||
	    result_read_unsigned(obj, "advmss", INT_MAX, &route.advmss, err) < 0 ||
	    result_read_unsigned(obj, "priority", UINT_MAX, &route.priority, err) < 0 ||
	    field_int(obj, "", "table", 0, UINT_MAX, &route.table, err) < 0 ||
	    field_int(obj, "", "scope", 0, UCHAR_MAX, &route.scope, err) < 0)
		return -1;
	if (route.gw.family && route.gw.family != route.dst.ip.family)
		return cni_fail(err, CNI_DECODE, "route to %s has gateway %s of the other family",
				prefix_text(&route.dst).s, ip_text(&route.gw).s);
	return result_add_route(result, &route, err);
}

int result_add_routes(struct result *result, const json_t *obj, const char *key, struct cni_error *err)
{
	json_t *list = NULL, *entry;
	size_t i;

	if (field_array(obj, "", key, &list, err) < 0)
		return -1;
	json_array_foreach(list, i, entry)
		if (result_read_route(result, entry, err) < 0)
			return -1;
	return 0;
}

static int result_read_family(struct result *result, const json_t *doc, const char *key,
			      struct cni_error *err)
{
	json_t *obj = NULL;

	if (field_object(doc, "", key, &obj, err) < 0)
		return -1;
	if (!obj)
		return 0;
	return result_read_address(result, obj, "ip", err) < 0
		       ? -1
		       : result_add_routes(result, obj, "routes", err);
}

static int result_read_lists(struct result *result, const json_t *doc, struct cni_error *err)
{
	json_t *interfaces = NULL, *ips = NULL, *entry;
	size_t i;

	if (field_array(doc, "", "interfaces", &interfaces, err) < 0 ||
	    field_array(doc, "", "ips", &ips, err) < 0)
		return -1;
	json_array_foreach(interfaces, i, entry)
		if (result_read_interface(result, entry, err) < 0)
			return -1;
	json_array_foreach(ips, i, entry)
		if (result_read_address(result, entry, "address", err) < 0)
			return -1;
	return result_add_routes(result, doc, "routes", err);
}

static int result_read_shape(struct result *result, const json_t *doc, enum cni_version version,
			     struct cni_error *err)
{
	if (!json_is_object(doc))
		return cni_fail(err, CNI_DECODE, "a result must be an object");
	if (version >= CNI_0_3_0)
		return result_read_lists(result, doc, err);
	if (result_read_family(result, doc, "ip4", err) < 0)
		return -1;
	return result_read_family(result, doc, "ip6", err);
}

int result_read(struct result *ret, const json_t *doc, enum cni_version version, struct cni_error *err)
{
	struct result result = { 0 };

	*ret = result;
	if (result_read_shape(&result, doc, version, err) < 0 || dns_read(&result.dns, doc, err) < 0) {
		result_free(&result);
		if (err && err->code == CNI_CONFIG)
			err->code = CNI_DECODE;
		return -1;
	}
	*ret = result;
	return 0;
}

void result_free(struct result *result)
{
	free(result->interfaces);
	free(result->ips);
	free(result->routes);
	json_decref(result->dns);
	*result = (struct result){ 0 };
}

bool result_has_family(const struct result *result, int family)
{
	for (size_t i = 0; i < result->n_ips; i++)
		if (result->ips[i].address.ip.family == family)
			return true;
	return false;
}

int result_append(struct result *result, const struct result *more, struct cni_error *err)
{
	for (size_t i = 0; i < more->n_interfaces; i++)
		if (result_add_interface(result, &more->interfaces[i], err) < 0)
			return -1;
	for (size_t i = 0; i < more->n_ips; i++)
		if (result_add_ip(result, &more->ips[i], err) < 0)
			return -1;
	for (size_t i = 0; i < more->n_routes; i++)
		if (result_add_route(result, &more->routes[i], err) < 0)
			return -1;
	return 0;
}

static int result_dns_list(json_t *dns, const json_t *obj, const char *key, struct cni_error *err)
{
	json_t *list = NULL, *entry;
	size_t i;

	if (field_array(obj, "dns.", key, &list, err) < 0)
		return -1;
	json_array_foreach(list, i, entry)
		if (!json_is_string(entry))
			return cni_fail(err, CNI_CONFIG, "dns.%s must be a list of strings", key);
	return json_array_size(list) ? json_object_set(dns, key, list) : 0;
}

int dns_read(json_t **ret, const json_t *doc, struct cni_error *err)
{
	json_auto_t *dns = json_object();
	const char *domain = NULL;
	json_t *obj = NULL;

	*ret = NULL;
	if (field_object(doc, "", "dns", &obj, err) < 0 ||
	    result_dns_list(dns, obj, "nameservers", err) < 0 ||
	    field_string(obj, "dns.", "domain", &domain, err) < 0)
		return -1;
	if (domain && *domain)
		json_object_set_new(dns, "domain", json_string(domain));
	if (result_dns_list(dns, obj, "search", err) < 0 || result_dns_list(dns, obj, "options", err) < 0)
		return -1;
	if (json_object_size(dns))
		*ret = json_incref(dns);
	return 0;
}

static void result_set_text(json_t *obj, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(obj, key, json_text(text));
}

static void result_set_ip(json_t *obj, const char *key, const struct ip *ip)
{
	if (ip->family)
		result_set_text(obj, key, ip_text(ip).s);
}

static void result_set_positive(json_t *obj, const char *key, unsigned int value)
{
	if (value)
		json_object_set_new(obj, key, json_integer(value));
}

static json_t *result_interface_json(const struct cni_interface *interface, enum cni_version version)
{
	json_t *obj = json_object();

	json_object_set_new(obj, "name", json_text(interface->name));
	result_set_text(obj, "mac", interface->mac);
	if (version >= CNI_1_0_0)
		result_set_positive(obj, "mtu", interface->mtu);
	result_set_text(obj, "sandbox", interface->sandbox);
	if (version >= CNI_1_0_0) {
		result_set_text(obj, "socketPath", interface->socket_path);
		result_set_text(obj, "pciID", interface->pci_id);
	}
	return obj;
}

static json_t *result_ip_json(const struct cni_ip *ip, enum cni_version version)
{
	json_t *obj = json_object();

	if (version < CNI_1_0_0)
		result_set_text(obj, "version", ip->address.ip.family == AF_INET ? "4" : "6");
	if (ip->interface >= 0)
		json_object_set_new(obj, "interface", json_integer(ip->interface));
	result_set_text(obj, "address", prefix_text(&ip->address).s);
	result_set_ip(obj, "gateway", &ip->gateway);
	return obj;
}

static json_t *result_route_json(const struct cni_route *route, enum cni_version version)
{
	json_t *obj = json_object();

	result_set_text(obj, "dst", prefix_text(&route->dst).s);
	result_set_ip(obj, "gw", &route->gw);
	if (version < CNI_0_3_0)
		return obj;
	result_set_positive(obj, "mtu", route->mtu);
	result_set_positive(obj, "advmss", route->advmss);
	result_set_positive(obj, "priority", route->priority);
	if (route->table >= 0)
		json_object_set_new(obj, "table", json_integer(route->table));
	if (route->scope >= 0)
		json_object_set_new(obj, "scope", json_integer(route->scope));
	return obj;
}

static json_t *result_routes_json(const struct result *result, int family, enum cni_version version)
{
	json_t *list = json_array();

	for (size_t i = 0; i < result->n_routes; i++)
		if (!family || result->routes[i].dst.ip.family == family)
			json_array_append_new(list, result_route_json(&result->routes[i], version));
	return list;
}

static void result_set_list(json_t *doc, const char *key, json_t *list)
{
	if (json_array_size(list))
		json_object_set_new(doc, key, list);
	else
		json_decref(list);
}

/* Before 0.3.0 a result has only one address of each family: the first. */
static bool result_set_family(json_t *doc, const char *key, const struct result *result, int family,
			      enum cni_version version)
{
	for (size_t i = 0; i < result->n_ips; i++) {
		const struct cni_ip *ip = &result->ips[i];
		json_t *obj;

		if (ip->address.ip.family != family)
			continue;
		obj = json_object();
		result_set_text(obj, "ip", prefix_text(&ip->address).s);
		result_set_ip(obj, "gateway", &ip->gateway);
		result_set_list(obj, "routes", result_routes_json(result, family, version));
		json_object_set_new(doc, key, obj);
		return true;
	}
	return false;
}

json_t *result_json(const struct result *result, enum cni_version version, struct cni_error *err)
{
	json_t *doc = json_object(), *interfaces, *ips;

	json_object_set_new(doc, "cniVersion", json_string(cni_versions[version]));
	if (version < CNI_0_3_0) {
		bool v4 = result_set_family(doc, "ip4", result, AF_INET, version);
		bool v6 = result_set_family(doc, "ip6", result, AF_INET6, version);

		if (!v4 && !v6) {
			json_decref(doc);
			cni_fail(err, CNI_CONFIG, "cannot convert: no valid IP addresses");
			cni_hint(err,
				 "a result of cniVersion %s needs an address; an interface "
				 "without any needs cniVersion 0.3.0 or later",
				 cni_versions[version]);
			return NULL;
		}
	} else {
		interfaces = json_array();
		for (size_t i = 0; i < result->n_interfaces; i++)
			json_array_append_new(interfaces,
					      result_interface_json(&result->interfaces[i], version));
		result_set_list(doc, "interfaces", interfaces);
		ips = json_array();
		for (size_t i = 0; i < result->n_ips; i++)
			json_array_append_new(ips, result_ip_json(&result->ips[i], version));
		result_set_list(doc, "ips", ips);
		result_set_list(doc, "routes", result_routes_json(result, 0, version));
	}
	if (result->dns)
		json_object_set(doc, "dns", result->dns);
	else if (version < CNI_1_0_0)
		json_object_set_new(doc, "dns", json_object());
	return doc;
}
