/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/wishes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/own.h"
#include "ipam/whom.h"

#define WANTED_MAX 1024
#define STICKY_MAX 1024

/* An address with or without a prefix length. Ignores the length, since the range has it. */
static bool wishes_parse_wanted(const char *text, struct ip *ret)
{
	struct prefix prefix;

	if (ip_parse(text, ret))
		return true;
	if (!prefix_parse(text, &prefix))
		return false;
	*ret = prefix.ip;
	return true;
}

static int wishes_want(struct conf *conf, const struct ip *ip, struct cni_error *err)
{
	struct ip *bigger;

	for (size_t i = 0; i < conf->n_wanted; i++)
		if (ip_equal(&conf->wanted[i], ip))
			return 0;
	if (conf->n_wanted >= WANTED_MAX)
		return cni_fail(err, CNI_CONFIG, "more than %d requested addresses", WANTED_MAX);
	bigger = realloc(conf->wanted, (conf->n_wanted + 1) * sizeof(*bigger));
	if (!bigger)
		return cni_fail(err, CNI_RETRY, "out of memory");
	bigger[conf->n_wanted++] = *ip;
	conf->wanted = bigger;
	return 0;
}

static int wishes_want_list(struct conf *conf, const json_t *obj, const char *where, struct cni_error *err)
{
	json_t *list = NULL, *entry;
	size_t i;

	if (field_array(obj, where, "ips", &list, err) < 0)
		return -1;
	json_array_foreach(list, i, entry) {
		const char *text = json_string_value(entry);
		struct ip ip;

		if (!text)
			return cni_fail(err, CNI_CONFIG, "%sips must be a list of strings", where);
		if (!wishes_parse_wanted(text, &ip))
			return cni_fail(err, CNI_CONFIG, "%sips: invalid IP address %s", where, text);
		if (wishes_want(conf, &ip, err) < 0)
			return -1;
	}
	return 0;
}

/* Is key among the names in list, which slashes separate? */
static bool wishes_is_named(const char *list, const char *key)
{
	size_t len = strlen(key);

	for (const char *name = list; *name; name += *name == '/') {
		size_t n = strcspn(name, "/");

		if (n == len && !strncmp(name, key, n))
			return true;
		name += n;
	}
	return false;
}

struct arguments {
	const char *sticky; /* the names in "sticky" are known too */
	struct ip ip;	    /* family 0: none */
	bool ignore_unknown;
	char unknown[256]; /* unknown arguments, for the message */
	const json_t *ipam;
	struct args *all;
};

static int wishes_read_bool(const char *text, bool *ret, struct cni_error *err)
{
	bool yes = !strcmp(text, "1") || !strcasecmp(text, "true");

	*ret = yes;
	if (yes || !strcmp(text, "0") || !strcasecmp(text, "false"))
		return 0;
	return cni_fail(err, CNI_ENVIRONMENT,
			"ARGS: error parsing value of pair \"IgnoreUnknown=%s\": boolean unmarshal error: "
			"invalid input %s",
			text, text);
}

/* The last IP counts. An empty one means none. */
static int wishes_read_wanted(const char *text, struct ip *ret, struct cni_error *err)
{
	*ret = (struct ip){ .family = 0 };
	if (!*text || wishes_parse_wanted(text, ret))
		return 0;
	return cni_fail(err, CNI_ENVIRONMENT,
			"ARGS: error parsing value of pair \"IP=%s\": invalid IP address %s", text, text);
}

static void wishes_add_unknown(struct arguments *args, const char *key, const char *value)
{
	size_t used = strlen(args->unknown);

	snprintf(args->unknown + used, sizeof(args->unknown) - used, "%s\"%s=%s\"", used ? " " : "", key,
		 value);
}

/* pair is "KEY=VALUE"; wishes_read_pair() overwrites the "=". */
static int wishes_read_pair(struct arguments *args, char *pair, struct cni_error *err)
{
	char *value = strchr(pair, '=');

	if (!value || strchr(value + 1, '='))
		return cni_fail(err, CNI_ENVIRONMENT, "ARGS: invalid pair \"%s\"", pair);
	*value++ = '\0';
	args->all->list[args->all->n++] = (struct arg){ pair, value };
	if (!strcmp(pair, "IgnoreUnknown"))
		return wishes_read_bool(value, &args->ignore_unknown, err);
	if (!strcmp(pair, "IP"))
		return wishes_read_wanted(value, &args->ip, err);
	if (!wishes_is_named(args->sticky, pair) && !whom_asks(args->ipam, pair))
		wishes_add_unknown(args, pair, value);
	return 0;
}

/* As Go's types.LoadArgs(). Overwrites the separators in args->all->text. */
static int wishes_read_arguments(struct arguments *args, size_t pairs, struct cni_error *err)
{
	char *text = args->all->text;

	for (size_t i = 0; i < pairs; i++) {
		char *end = strchrnul(text, ';');

		*end = '\0';
		if (wishes_read_pair(args, text, err) < 0)
			return -1;
		text = end + 1;
	}
	if (*args->unknown && !args->ignore_unknown)
		return cni_fail(err, CNI_ENVIRONMENT, "ARGS: unknown args [%s]", args->unknown);
	return 0;
}

/* Sets conf->sticky to the values of the names in sticky, with slashes between. It stays NULL if CNI_ARGS
 * lacks one of them. */
static int wishes_read_sticky(struct conf *conf, const char *sticky, struct cni_error *err)
{
	autofree char *names = strdup(sticky);
	char key[STICKY_MAX] = "", *rest = NULL;
	size_t used = 0;

	if (!names)
		return cni_fail(err, CNI_RETRY, "out of memory");
	for (char *name = strtok_r(names, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		const char *value = conf_arg(conf, name);

		if (!value || !*value)
			return 0;
		/* networks of a pool share the store, but not the names */
		if (!used && place_is_pool(&conf->place))
			used = (size_t)snprintf(key, sizeof(key), "%.*s", NAME_MAX, conf->place.network);
		used += (size_t)snprintf(key + used, sizeof(key) - used, "%s%s", used ? "/" : "", value);
		if (used >= sizeof(key))
			return cni_fail(err, CNI_ENVIRONMENT,
					"ARGS: the values of %s are longer than %d characters", sticky,
					STICKY_MAX - 1);
	}
	conf->sticky = used ? strdup(key) : NULL;
	return !used || conf->sticky ? 0 : cni_fail(err, CNI_RETRY, "out of memory");
}

static int wishes_want_arguments(struct conf *conf, const struct arguments *args, struct cni_error *err)
{
	if (args->ip.family && wishes_want(conf, &args->ip, err) < 0)
		return -1;
	return wishes_read_sticky(conf, args->sticky, err);
}

static int wishes_read_cni_args(struct conf *conf, const json_t *ipam, const struct request *req,
				struct cni_error *err)
{
	struct arguments args = { .sticky = "", .ipam = ipam, .all = &conf->args };
	size_t pairs = 1;

	own_string(ipam, "ipam.", "sticky", &args.sticky);
	if (!*req->args)
		return 0;
	for (const char *c = req->args; *c; c++)
		pairs += *c == ';';
	conf->args.text = strdup(req->args);
	conf->args.list = calloc(pairs, sizeof(*conf->args.list));
	if (!conf->args.text || !conf->args.list)
		return cni_fail(err, CNI_RETRY, "out of memory");
	return wishes_read_arguments(&args, pairs, err) < 0 ? -1 : wishes_want_arguments(conf, &args, err);
}

const char *conf_arg(const struct conf *conf, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; i < conf->args.n; i++)
		if (!strcmp(conf->args.list[i].key, key))
			value = conf->args.list[i].value;
	return value;
}

int wishes_read(struct conf *conf, const json_t *ipam, const struct request *req, struct cni_error *err)
{
	json_t *args = NULL, *cni = NULL, *runtime = NULL;

	if (wishes_read_cni_args(conf, ipam, req, err) < 0 ||
	    field_object(req->conf, "", "args", &args, err) < 0 ||
	    field_object(args, "args.", "cni", &cni, err) < 0 ||
	    wishes_want_list(conf, cni, "args.cni.", err) < 0 ||
	    field_object(req->conf, "", "runtimeConfig", &runtime, err) < 0)
		return -1;
	return wishes_want_list(conf, runtime, "runtimeConfig.", err);
}
