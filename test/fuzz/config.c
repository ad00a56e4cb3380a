/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes on standard input, for every verb: what a plugin does with its
 * configuration before it touches anything, and the result it would print.
 */
#include <stdint.h>

#include "fuzz.h"

/* for add_combine(), which only add.c may call */
#include "../../plugin/add.c" /* NOLINT(bugprone-suspicious-include) */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_combine(const struct request *req, const struct conf *conf, const struct result *given)
{
	const struct iface iface = { .req = req, .link = { .mac = "02:00:00:00:00:01", .mtu = 1500 } };
	struct cni_error err = { 0 };
	struct result whole = { 0 };

	if (add_combine(&whole, &iface, conf, given, &err) == 0)
		in_every_version(&whole);
	else
		must(*err.msg);
	result_free(&whole);
}

static void try_conf(const struct request *req)
{
	struct cni_ip ip = { .interface = -1 };
	struct result given = { .ips = &ip, .n_ips = 1 };
	struct cni_error err = { 0 };
	const char *ipam = NULL;
	struct conf conf;

	if (conf_read_ipam(&ipam, req, &err) < 0)
		must(*err.msg && err.code && !ipam);
	err = (struct cni_error){ 0 };
	if (conf_read(&conf, req, &err) < 0) {
		must(*err.msg && err.code);
		return;
	}
	must(conf.ipam == ipam);
	must(conf.has_prev || !conf.prev.n_ips);
	prefix_parse("10.0.0.2/8", &ip.address);
	try_combine(req, &conf, &given);
	try_combine(req, &conf, &conf.prev);
	conf_free(&conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const verbs[] = { "ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION", "FOO" };
	struct cni_error err = { 0 };
	json_auto_t *doc = json_read((const char *)data, size, &err);

	must(!doc == !!*err.msg);
	for (size_t i = 0; doc && i < sizeof(verbs) / sizeof(*verbs); i++) {
		struct request req = { .command = verbs[i], .ifname = "eth0", .netns = "/run/netns/a" };

		err = (struct cni_error){ 0 };
		if (request_read_conf(&req, doc, &err) == 0)
			try_conf(&req);
		else
			must(*err.msg && err.code);
	}
	return 0;
}
