/* SPDX-License-Identifier: Apache-2.0 */
#include "node/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugin/delegate.h"

#define GC_MIN_S 10
#define GC_MAX_S 86400

enum {
	OPTION_INSTALL_FROM = 1,
	OPTION_BIN_DIR,
	OPTION_TEMPLATE,
	OPTION_CONF_DIR,
	OPTION_NODE,
	OPTION_ACCOUNT_DIR,
	OPTION_KUBECONFIG,
	OPTION_SERVER,
	OPTION_KEEP_DIR,
	OPTION_READY_FILE,
	OPTION_LISTEN,
	OPTION_GC,
	OPTION_UNINSTALL_LAST,
	OPTION_HOST_MOUNTS,
	OPTION_NO_REPAIR,
	OPTION_REPAIR,
};

static const struct option known[] = {
	{ "install-from", required_argument, NULL, OPTION_INSTALL_FROM },
	{ "bin-dir", required_argument, NULL, OPTION_BIN_DIR },
	{ "conf-template", required_argument, NULL, OPTION_TEMPLATE },
	{ "conf-dir", required_argument, NULL, OPTION_CONF_DIR },
	{ "node", required_argument, NULL, OPTION_NODE },
	{ "account-dir", required_argument, NULL, OPTION_ACCOUNT_DIR },
	{ "kubeconfig", required_argument, NULL, OPTION_KUBECONFIG },
	{ "server", required_argument, NULL, OPTION_SERVER },
	{ "keep-dir", required_argument, NULL, OPTION_KEEP_DIR },
	{ "ready-file", required_argument, NULL, OPTION_READY_FILE },
	{ "listen", required_argument, NULL, OPTION_LISTEN },
	{ "gc", required_argument, NULL, OPTION_GC },
	{ "uninstall-last", no_argument, NULL, OPTION_UNINSTALL_LAST },
	{ "host-mounts", no_argument, NULL, OPTION_HOST_MOUNTS },
	{ "no-repair", no_argument, NULL, OPTION_NO_REPAIR },
	{ "repair", no_argument, NULL, OPTION_REPAIR },
	{ NULL, 0, NULL, 0 },
};

/* The text that an option sets, or NULL. */
static const char **options_text(struct options *options, int option)
{
	switch (option) {
	case OPTION_INSTALL_FROM:
		return &options->install_from;
	case OPTION_BIN_DIR:
		return &options->bin_dir;
	case OPTION_TEMPLATE:
		return &options->template;
	case OPTION_CONF_DIR:
		return &options->conf_dir;
	case OPTION_NODE:
		return &options->node;
	case OPTION_ACCOUNT_DIR:
		return &options->account_dir;
	case OPTION_KUBECONFIG:
		return &options->kubeconfig;
	case OPTION_SERVER:
		return &options->server;
	case OPTION_KEEP_DIR:
		return &options->keep_dir;
	case OPTION_READY_FILE:
		return &options->ready_file;
	case OPTION_LISTEN:
		return &options->listen;
	default:
		return NULL;
	}
}

static int options_refuse(const char *why)
{
	fprintf(stderr, "ipvlan-node: %s\n", why);
	return -1;
}

static int options_gc(struct options *options, const char *text)
{
	char *end;
	const long seconds = strtol(text, &end, 10);

	if (end == text || *end || seconds < GC_MIN_S || seconds > GC_MAX_S)
		return options_refuse("--gc requires a number of seconds from 10 to 86400");
	options->gc_s = (int)seconds;
	return 0;
}

static int options_set(struct options *options, int option)
{
	const char **text = options_text(options, option);

	if (text) {
		*text = optarg;
		return *optarg ? 0 : options_refuse("an option has an empty value");
	}
	if (option == OPTION_GC)
		return options_gc(options, optarg);
	options->uninstall_last |= option == OPTION_UNINSTALL_LAST;
	options->host_mounts |= option == OPTION_HOST_MOUNTS;
	if (option == OPTION_NO_REPAIR || option == OPTION_REPAIR)
		options->no_repair = option == OPTION_NO_REPAIR;
	return option == '?' ? -1 : 0;
}

bool options_place(const struct options *options)
{
	return options->install_from || options->template || options->account_dir;
}

/* The record of what was placed has the paths: they must mean the same wherever it is read. */
static bool options_absolute(const struct options *options)
{
	return *options->bin_dir == '/' && *options->conf_dir == '/' && *options->keep_dir == '/' &&
	       (!options->kubeconfig || *options->kubeconfig == '/');
}

static int options_check(const struct options *options)
{
	if (!options_absolute(options))
		return options_refuse(
			"--bin-dir, --conf-dir, --keep-dir and --kubeconfig require paths that begin "
			"with /");
	if (!options->account_dir != !options->kubeconfig)
		return options_refuse("--account-dir and --kubeconfig require each other");
	if (options->server && !options->kubeconfig)
		return options_refuse("--server requires --kubeconfig");
	if (options->uninstall_last && !options_place(options))
		return options_refuse("--uninstall-last requires --install-from, --conf-template or "
				      "--kubeconfig");
	return 0;
}

/* The name that Kubernetes has for this node: a manifest sets NODE_NAME by fieldRef. */
static const char *options_default_node(void)
{
	static char host[256];
	const char *name = getenv("NODE_NAME");

	if (name && *name)
		return name;
	gethostname(host, sizeof(host) - 1);
	return host;
}

int options_read(struct options *ret, int argc, char **argv)
{
	int option;

	*ret = (struct options){ .conf_dir = "/etc/cni/net.d",
				 .keep_dir = "/var/lib/ipvlan-node",
				 .node = options_default_node() };
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (options_set(ret, option) < 0)
			return -1;
	if (optind < argc)
		return options_refuse("there are arguments that are not options");
	ret->cni_path = ret->bin_dir ? ret->bin_dir : delegate_path();
	if (!ret->bin_dir)
		ret->bin_dir = "/opt/cni/bin";
	return options_check(ret);
}
