/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/about.h"
#include "cni/cleanup.h"
#include "cni/counters.h"
#include "cni/json.h"
#include "cni/process.h"
#include "ipam/verbs.h"
#include "netavark/container.h"
#include "netavark/create.h"
#include "netavark/earlier.h"
#include "netavark/network.h"
#include "plugin/delegate.h"
#include "plugin/verbs.h"

_Static_assert(sizeof((const unsigned char[]){ ADDRPOOL_BUILD_ID }) == BUILD_ID_SIZE, "no SHA1 of addrpool");

static const struct about about = {
	.name = "ipvlan-netavark",
	.what = "netavark driver that gives Podman's containers interfaces of type ipvlan",
	.usage = "usage: ipvlan-netavark create <NETWORK\n"
		 "       ipvlan-netavark setup | teardown NETNS <CALL\n"
		 "       ipvlan-netavark info | --help | --version\n"
		 "\n"
		 "Podman 5 and later call it: podman network create -d ipvlan-netavark ...\n",
	.page = "ipvlan-netavark",
};

/* Podman sets the variable for programs that it starts in its user namespace. */
static int netavark_check_rootless(struct cni_error *err)
{
	const char *state = getenv("_CONTAINERS_USERNS_CONFIGURED");

	if (!state || strcmp(state, "done") != 0)
		return 0;
	cni_fail(err, CNI_CONFIG, "a rootless container cannot have an interface of type ipvlan");
	return cni_hint(err, "the master belongs to root: run podman as root, or use another network");
}

/* As Podman with CNI did, so that ipvlanctl and "sticky" know the containers' names. */
static void netavark_set_args(const json_t *call)
{
	char args[512];

	snprintf(args, sizeof(args), "IgnoreUnknown=1;K8S_POD_NAME=%s", network_text(call, "container_name"));
	setenv("CNI_ARGS", args, 1);
}

static void netavark_set_environment(const char *verb, const char *netns, const json_t *call)
{
	setenv("CNI_COMMAND", verb, 1);
	setenv("CNI_CONTAINERID", network_text(call, "container_id"), 1);
	setenv("CNI_IFNAME", network_text(json_field(call, "network_options"), "interface_name"), 1);
	setenv("CNI_NETNS", netns, 1);
	setenv("CNI_PATH", delegate_path(), 1);
	netavark_set_args(call);
}

static int netavark_answer_setup(const struct request *req, const json_t *result)
{
	json_auto_t *status = container_status(result, req->ifname);

	return plugin_print(status, JSON_COMPACT, true);
}

/* Calls one verb of ipvlan. Sets the environment as the specification has it. conf replaces standard input.
 */
static int netavark_serve(const char *verb, const char *netns, const json_t *call, const json_t *conf,
			  struct cni_error *err)
{
	autofree char *config = json_dumps(conf, JSON_COMPACT);
	struct request req = { .version = CNI_1_1_0, .config = config };
	int rc;

	if (!config)
		return cni_fail(err, CNI_RETRY, "out of memory");
	req.config_len = strlen(config);
	netavark_set_environment(verb, netns, call);
	rc = request_read_env(&req, err);
	if (rc == 0)
		rc = plugin_serve(&ipvlan, &req, netavark_answer_setup, err);
	counters_add_call(ipvlan.name, verb, rc == 0 ? 0 : err->code ? err->code : -1);
	return rc;
}

static int netavark_driver_create(json_t *network, const char *netns, struct cni_error *err)
{
	json_auto_t *conf = NULL;

	if (netavark_check_rootless(err) < 0 || create_complete(network, err) < 0)
		return -1;
	conf = create_check(network, err);
	if (!conf || netavark_serve("STATUS", netns, NULL, conf, err) < 0)
		return -1;
	return plugin_print(network, JSON_COMPACT, true) == 0
		       ? 0
		       : cni_fail(err, CNI_IO, "cannot write the network");
}

/* Requires only the network's IPAM. If the network cannot be read, DEL still removes the objects in the
 * ledger. */
static int netavark_driver_teardown(json_t *call, const char *netns, struct cni_error *err)
{
	const json_t *network = json_field(call, "network");
	struct cni_error unreadable = { 0 };
	json_auto_t *conf = network_conf(network, &unreadable);

	if (!conf)
		conf = network_bare_conf(network);
	if (netavark_serve("DEL", netns, call, conf, err) < 0)
		return -1;
	*err = unreadable;
	return *err->msg ? -1 : 0;
}

/* DEL finds the earlier namespace in the ledger. */
static int netavark_release_earlier(json_t *call, const char *netns, struct cni_error *err)
{
	const char *container = network_text(call, "container_id");
	const char *ifname = network_text(json_field(call, "network_options"), "interface_name");

	return earlier_find(container, ifname, netns) ? netavark_driver_teardown(call, netns, err) : 0;
}

static int netavark_driver_setup(json_t *call, const char *netns, struct cni_error *err)
{
	json_auto_t *conf = NULL;

	if (netavark_check_rootless(err) < 0)
		return -1;
	conf = network_conf(json_field(call, "network"), err);
	if (!conf || container_add(conf, call, err) < 0 || netavark_release_earlier(call, netns, err) < 0)
		return -1;
	container_warn(call);
	return netavark_serve("ADD", netns, call, conf, err);
}

static const struct {
	const char *name;
	int arguments;
	int (*run)(json_t *input, const char *netns, struct cni_error *err);
} commands[] = {
	{ "create", 2, netavark_driver_create },
	{ "setup", 3, netavark_driver_setup },
	{ "teardown", 3, netavark_driver_teardown },
};

static int netavark_run_command(size_t command, const char *netns, struct cni_error *err)
{
	struct cni_error why = { 0 };
	json_auto_t *input = NULL;
	autofree char *text = NULL;
	size_t len;

	text = plugin_read(&len, err);
	if (!text)
		return -1;
	input = json_read(text, len, &why);
	if (!json_is_object(input))
		return cni_fail(err, CNI_DECODE, "cannot read standard input: %s",
				input ? "not an object" : why.msg);
	return commands[command].run(input, netns, err);
}

/* Podman prints it after "Error: ". */
static int netavark_print_error(const struct cni_error *err)
{
	char text[sizeof(err->msg) + sizeof(err->details) + 3];
	json_auto_t *doc = NULL;

	snprintf(text, sizeof(text), "%s%s%s", err->msg, *err->details ? "; " : "", err->details);
	doc = json_pack("{s:o}", "error", json_text(text));
	plugin_print(doc, JSON_COMPACT, true);
	return 1;
}

static int netavark_print_info(void)
{
	json_auto_t *doc = json_pack("{s:s, s:s}", "version", PROJECT_VERSION, "api_version", "1.0.0");

	return plugin_print(doc, JSON_COMPACT, true) < 0;
}

int main(int argc, char **argv)
{
	static const struct delegate_builtin builtin = {
		.build_id = { ADDRPOOL_BUILD_ID },
		.plugin = &addrpool,
		.serves = addrpool_is_alone,
	};
	struct cni_error err = { 0 };
	int status;

	if (process_begin() < 0)
		return 1;
	if (about_answers(&about, argc, argv, &status))
		return status;
	if (argc == 2 && !strcmp(argv[1], "info"))
		return netavark_print_info();
	delegate_use_builtin(&builtin);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (argc == commands[i].arguments && !strcmp(argv[1], commands[i].name))
			return netavark_run_command(i, argc > 2 ? argv[2] : "", &err) < 0
				       ? netavark_print_error(&err)
				       : 0;
	return about_refuse(&about);
}
