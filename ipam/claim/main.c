/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim/claim.h"
#include "claim/identity.h"
#include "claim/node.h"
#include "cni/about.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/log.h"
#include "cni/process.h"

static const struct about about = {
	.name = "addrpool-claim",
	.what = "blocks of a pool that nodes share: claims and releases them in etcd or the Kubernetes API",
	.usage = "usage: addrpool-claim claim POOL BLOCKS [ADDRESS] <CONFIGURATION\n"
		 "       addrpool-claim confirm [--now] <CONFIGURATION\n"
		 "       addrpool-claim hold CONTAINER INTERFACE IDENTITY POOL[=ADDRESS],... <CONFIGURATION\n"
		 "       addrpool-claim return [--all | --now] <CONFIGURATION\n"
		 "       addrpool-claim list [NODE] <CONFIGURATION\n"
		 "       addrpool-claim release NODE <CONFIGURATION\n"
		 "       addrpool-claim identities <CONFIGURATION\n"
		 "       addrpool-claim reserve IDENTITY ADDRESS,... <CONFIGURATION\n"
		 "       addrpool-claim release-identity IDENTITY [--forget] <CONFIGURATION\n"
		 "       addrpool-claim --help | --version\n"
		 "\n"
		 "addrpool calls this program. Use ipvlanctl instead.\n",
	.page = "addrpool-claim",
};

/* Does not read CNI_COMMAND: addrpool calls this program in ADD, DEL and GC. */
static int main_read_request(struct request *req, json_t **doc, struct cni_error *err)
{
	json_error_t why;

	*doc = json_loadf(stdin, 0, &why);
	if (!*doc)
		return cni_fail(err, CNI_DECODE, "the configuration is not JSON: %s", why.text);
	req->command = "ADD";
	if (request_read_conf(req, *doc, err) < 0)
		return -1;
	log_begin(req);
	return 0;
}

/* argv: POOL BLOCKS [ADDRESS] */
static int main_claim(struct node *node, char **argv, struct cni_error *err)
{
	size_t pool = strtoul(argv[0], NULL, 10);
	struct ip wanted = { .family = 0 };

	if (pool >= node->conf->n_pools)
		return cni_fail(err, CNI_ENVIRONMENT, "there is no range set %zu", pool);
	if (argv[2] && !ip_parse(argv[2], &wanted))
		return cni_fail(err, CNI_ENVIRONMENT, "%s is not an address", argv[2]);
	return claim_more(node, pool, strtoul(argv[1], NULL, 10), &wanted, err);
}

/* Adds the network to the details: a log has the errors of many networks. */
static void main_name_network(const struct request *req, const struct conf *conf, struct cni_error *err)
{
	const struct cni_error why = *err;

	if (!err->msg[0])
		return;
	err->details[0] = '\0';
	cni_hint(err, "network %s, pool %s, node %s%s%.700s", req->name, conf->cluster.pool,
		 conf->cluster.node, why.details[0] ? ": " : "", why.details);
}

static json_t *main_hold(struct node *node, char **argv, struct cni_error *err)
{
	const struct owner owner = { .container = argv[0], .ifname = argv[1] };

	return identity_hold(node, &owner, argv[2], argv[3], err);
}

/* The answer with the lines that the node has reported. If the call failed, they go to the log, and NULL is
 * returned. */
static json_t *main_report(const struct node *node, int rc)
{
	const json_t *line;
	size_t i;

	if (rc == 0)
		return node->report ? json_pack("{s:O}", "report", node->report) : json_object();
	json_array_foreach(node->report, i, line)
		if (!log_has_file())
			cni_log("%s", json_string_value(line));
	return NULL;
}

/* Executes the verb. Returns the answer, or NULL with err filled. */
static json_t *main_execute(struct node *node, char **argv, struct cni_error *err)
{
	const char *verb = argv[0];
	const bool now = argv[1] && !strcmp(argv[1], "--now");
	json_auto_t *report = now ? json_array() : NULL;

	node->report = report;
	if (!strcmp(verb, "claim"))
		return main_claim(node, argv + 1, err) < 0 ? NULL : json_object();
	if (!strcmp(verb, "confirm"))
		return main_report(node, claim_confirm(node, now, err));
	if (!strcmp(verb, "return"))
		return main_report(node, claim_return(node, argv[1], err));
	if (!strcmp(verb, "hold"))
		return main_hold(node, argv + 1, err);
	if (!strcmp(verb, "identities"))
		return identity_list(node, err);
	if (!strcmp(verb, "reserve"))
		return identity_reserve(node, argv[1], argv[2], err);
	if (!strcmp(verb, "release-identity"))
		return identity_release(node, argv[1], argv[2], err);
	if (!strcmp(verb, "list"))
		return claim_list(node, argv[1], err);
	return claim_release(node, argv[1], err);
}

static json_t *main_answer(char **argv, struct cni_error *err)
{
	struct request req = { .args = "" };
	json_auto_t *doc = NULL;
	json_t *answer = NULL;
	struct conf conf;
	struct node node = { .req = &req, .conf = &conf, .lock = -1 };

	/* DEL has the configuration of the pod's ADD, if the runtime has kept that */
	node.earlier = !strcmp(argv[0], "return") && !argv[1];

	if (main_read_request(&req, &doc, err) < 0 || addrpool_conf_read(&conf, &req, err) < 0)
		return NULL;
	if (!conf.cluster.pool)
		cni_fail(err, CNI_CONFIG, "the configuration has no ipam.cluster");
	else if (node_describe(&node.self, &conf.cluster, err) == 0)
		node.engine = conf.cluster.etcd ? etcd_open(&conf.cluster, err)
						: kubernetes_open(&conf.cluster, err);
	if (node.engine) {
		answer = main_execute(&node, argv, err);
		node.engine->kind->close(node.engine);
	}
	if (conf.cluster.pool)
		main_name_network(&req, &conf, err);
	addrpool_conf_free(&conf);
	return answer;
}

static bool main_is_usage(int argc, char **argv)
{
	static const struct {
		const char *verb;
		int min, max;
		const char *options[2]; /* what the last argument may be; none: anything */
	} verbs[] = {
		{ "claim", 4, 5, { NULL } },
		{ "confirm", 2, 3, { "--now" } },
		{ "return", 2, 3, { "--all", "--now" } },
		{ "hold", 6, 6, { NULL } },
		{ "identities", 2, 2, { NULL } },
		{ "reserve", 4, 4, { NULL } },
		{ "release-identity", 3, 4, { "--forget" } },
		{ "list", 2, 3, { NULL } },
		{ "release", 3, 3, { NULL } },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++) {
		const char *const *options = verbs[i].options;

		if (strcmp(argv[1], verbs[i].verb) != 0)
			continue;
		if (argc != verbs[i].max || !options[0])
			return argc >= verbs[i].min && argc <= verbs[i].max;
		return !strcmp(argv[argc - 1], options[0]) ||
		       (options[1] && !strcmp(argv[argc - 1], options[1]));
	}
	return false;
}

int main(int argc, char **argv)
{
	struct cni_error err = { 0 };
	json_auto_t *answer = NULL;
	int status;

	if (process_begin() < 0)
		return 1;
	if (about_answers(&about, argc, argv, &status))
		return status;
	if (!main_is_usage(argc, argv))
		return about_refuse(&about);
	answer = main_answer(argv + 1, &err);
	if (!answer)
		answer = error_json(&err, CNI_1_1_0);
	/* a list of many blocks is long enough without indentation */
	if (json_dumpf(answer, stdout, err.msg[0] ? JSON_INDENT(4) : 0) < 0 || putchar('\n') == EOF ||
	    fflush(stdout) == EOF)
		return 1;
	return err.msg[0] != '\0';
}
