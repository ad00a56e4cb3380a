/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/nft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "plugin/kinds.h"

#define PATIENCE_S 20
#define LIST_MAX (64 << 20) /* an address takes about 200 bytes */

const char *nft_program(void)
{
	static const char *const places[] = { "/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft",
					      "/usr/bin/nft" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

int nft_require(const char **ret, const char *key, struct cni_error *err)
{
	*ret = nft_program();
	if (*ret)
		return 0;
	cni_fail(err, CNI_CONFIG, "%s requires nft, which is not installed", key);
	return cni_hint(err, "install nftables");
}

/* Returns 0 if nft succeeds, 1 if it fails, or -1. Only we read its stderr. */
static int nft_run(const char *option, const char *argument, const char *script, const char *key,
		   struct outcome *o, struct cni_error *err)
{
	char *const env[] = { NULL };
	struct child child = {
		.what = "",
		.argv = { NULL, option, argument, NULL },
		.env = env,
		.input = script,
		.input_len = strlen(script),
		.patience_s = PATIENCE_S,
		.output_max = LIST_MAX,
		.quiet = true,
	};

	if (nft_require(&child.argv[0], key, err) < 0 || child_run(&child, o, err) < 0)
		return -1;
	return o->status ? 1 : 0;
}

static bool nft_is_gone(const struct outcome *o)
{
	return strstr(o->stderr_end, "No such file or directory");
}

/* nft prints the line with the hook if it, or the kernel, does not know the hook. */
static bool nft_lacks_egress(const struct outcome *o)
{
	return strstr(o->stderr_end, "hook egress") && !nft_is_gone(o);
}

static int nft_failed(const struct outcome *o, const char *key, struct cni_error *err)
{
	if (strcmp(key, "ipMasq") != 0 && nft_lacks_egress(o)) {
		cni_fail(err, CNI_CONFIG, "%s requires Linux 5.16 and nftables 1.0.1", key);
		return cni_hint(err,
				"nft, or the kernel, does not know the hook egress of family netdev: %.700s",
				o->stderr_end);
	}
	cni_fail(err, CNI_INTERNAL, "nft failed for %s", key);
	return cni_hint(err, "%.900s", o->stderr_end);
}

int nft_check(const char *script, const char *key, struct cni_error *err)
{
	struct outcome o;
	int status = nft_run("-cf", "-", script, key, &o, err);

	return status <= 0 ? status : nft_failed(&o, key, err);
}

struct nft_key nft_key_ip(const struct ip *ip)
{
	struct nft_key key = { .text = ip_text(ip), .len = ip_size(ip) };

	memcpy(key.bytes, ip->bytes, key.len);
	return key;
}

struct nft_key nft_key_bytes(const unsigned char *bytes, size_t n)
{
	struct nft_key key = { .text = { "0x" }, .len = n };
	size_t len = 2;

	memcpy(key.bytes, bytes, n);
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(key.text.s + len, sizeof(key.text.s) - len, "%02x", bytes[i]);
	return key;
}

struct nft_key nft_key_link(int index)
{
	struct nft_key key = { .len = sizeof(index) };

	memcpy(key.bytes, &index, sizeof(index));
	snprintf(key.text.s, sizeof(key.text.s), "%d", index);
	return key;
}

FILE *nft_text(struct nft_script *script)
{
	script->by_kernel = false;
	return script->out;
}

/* "netdev" is the family of all tables that nfnl knows. */
static const char *nft_name(const char *table)
{
	return strchr(table, ' ') + 1;
}

static const char *nft_verb(bool add)
{
	return add ? "add" : "delete";
}

void nft_put_element(struct nft_script *script, bool add, const char *table, const char *set,
		     const struct nft_key *key, const char *chain, const char *object)
{
	nfnl_element(&script->batch, add, nft_name(table), set, key->bytes, key->len, chain, object);
	fprintf(script->out, "%s element %s %s { %s", nft_verb(add), table, set, key->text.s);
	if (add && chain)
		fprintf(script->out, " : jump %s", chain);
	if (add && object)
		fprintf(script->out, " : \"%s\"", object);
	fputs(" }\n", script->out);
}

void nft_put_limit(struct nft_script *script, bool add, const char *table, const char *name,
		   const struct rate *rate)
{
	nfnl_limit(&script->batch, add, nft_name(table), name, rate->rate, rate->burst);
	fprintf(script->out, "%s limit %s %s", nft_verb(add), table, name);
	if (add)
		fprintf(script->out, " { rate over %llu bytes/second burst %llu bytes; }", rate->rate,
			rate->burst);
	fputs("\n", script->out);
}

void nft_put_counter(struct nft_script *script, bool add, const char *table, const char *name)
{
	nfnl_counter(&script->batch, add, nft_name(table), name);
	fprintf(script->out, "%s counter %s %s\n", nft_verb(add), table, name);
}

static int nft_begin(struct nft_script *script, struct cni_error *err)
{
	script->by_kernel = true;
	nfnl_begin(&script->batch);
	script->text = NULL;
	script->out = open_memstream(&script->text, &script->len);
	return script->out ? 0 : cni_fail(err, CNI_RETRY, "out of memory");
}

static int nft_end(struct nft_script *script, struct cni_error *err)
{
	return fclose(script->out) == 0 ? 0 : cni_fail(err, CNI_RETRY, "out of memory");
}

/* The key that an error names. */
static const char *nft_key(const struct object *objects, size_t n)
{
	static const char *const keys[OBJECT_KINDS] = {
		[OBJECT_MASQUERADE] = "ipMasq",	   [OBJECT_TABLE] = "ipMasq",
		[OBJECT_GUARD] = "antiSpoof",	   [OBJECT_RATE] = "bandwidth",
		[OBJECT_POLICY] = "allow or deny",
	};

	for (size_t i = 0; i < n; i++)
		if (keys[objects[i].kind])
			return keys[objects[i].kind];
	return "counters";
}

/* What became of a script. */
enum nft_end {
	NFT_FAILED = -1,
	NFT_DONE,
	NFT_REFUSED, /* nft has said why */
	NFT_GONE,    /* the same, or the kernel: something that the script names does not exist */
};

static enum nft_end nft_execute(struct nft_script *script, enum nft_step step, const char *key,
				struct outcome *o, struct cni_error *err)
{
	const int error = script->by_kernel ? nfnl_send(&script->batch) : EOPNOTSUPP;
	int status;

	if (error == 0 || !script->len)
		return NFT_DONE;
	if (error == ENOENT && step == NFT_ADD)
		return NFT_GONE;
	status = nft_run("-f", "-", script->text, key, o, err);
	return status < 0 ? NFT_FAILED : !status ? NFT_DONE : nft_is_gone(o) ? NFT_GONE : NFT_REFUSED;
}

/* Prints the script of those that are chosen, NULL: of all that programs make, and executes it. What is
 * deleted is so in reverse order. */
static enum nft_end nft_try(struct view *view, const struct object *objects, const bool *chosen, size_t n,
			    enum nft_step step, struct outcome *o, struct cni_error *err)
{
	enum nft_end end = NFT_DONE;
	struct nft_script script;

	*o = (struct outcome){ .output = NULL };
	if (nft_begin(&script, err) < 0)
		return NFT_FAILED;
	for (size_t i = 0; end == NFT_DONE && i < n; i++) {
		const size_t k = step == NFT_DELETE ? n - 1 - i : i;

		if ((chosen ? chosen[k] : object_by_program(&objects[k])) &&
		    object_kind(&objects[k])->print(&script, view, &objects[k], step, err) < 0)
			end = NFT_FAILED;
	}
	if (nft_end(&script, err) < 0)
		end = NFT_FAILED;
	if (end == NFT_DONE)
		end = nft_execute(&script, step, nft_key(objects, n), o, err);
	free(script.text);
	view_forget_tables(view->tables);
	return end;
}

int nft_make(struct view *view, const struct object *objects, size_t n, bool whole, struct cni_error *err)
{
	struct outcome o;
	enum nft_end end = nft_try(view, objects, NULL, n, whole ? NFT_WHOLE : NFT_ADD, &o, err);

	if (end == NFT_GONE && !whole)
		end = nft_try(view, objects, NULL, n, NFT_WHOLE, &o, err);
	return end <= NFT_DONE ? (int)end : nft_failed(&o, nft_key(objects, n), err);
}

/* Succeeds if nft fails and the object does not exist: somebody may have changed the table. */
static int nft_remove_one(struct view *view, const struct object *object, struct cni_error *err)
{
	const bool chosen = true;
	struct outcome o;
	enum nft_end end = nft_try(view, object, &chosen, 1, NFT_DELETE, &o, err);

	if (end <= NFT_DONE)
		return (int)end;
	return object_find(view, object, NULL) == FOUND_NOT ? 0 : nft_failed(&o, nft_key(object, 1), err);
}

int nft_remove(struct view *view, const struct object *objects, const bool *chosen, size_t n,
	       struct cni_error *err)
{
	struct outcome o;
	enum nft_end end = nft_try(view, objects, chosen, n, NFT_DELETE, &o, err);
	int rc = 0;

	/* without nft the kernel still deletes elements, and so what cuts off other pods */
	if (end == NFT_DONE || (end == NFT_FAILED && nft_program()))
		return (int)end;
	for (size_t i = n; i-- > 0;)
		if (chosen[i] && nft_remove_one(view, &objects[i], err) < 0)
			rc = -1;
	return rc;
}

static int nft_read(const char *table, json_t **ret, struct cni_error *err)
{
	struct outcome o;
	char command[64], what[64];
	int status;

	snprintf(command, sizeof(command), "list table %s", table);
	snprintf(what, sizeof(what), "the table %s", table);
	status = nft_run("-j", command, "", what, &o, err);
	if (status < 0)
		return -1;
	if (status && !nft_is_gone(&o))
		return nft_failed(&o, what, err);
	*ret = status ? json_object() : json_read(o.output, o.output_len, err);
	return *ret ? 0 : -1;
}

int nft_list(struct view *view, const char *table, const json_t **ret, struct cni_error *err)
{
	struct view_table *seen = NULL;

	for (size_t i = 0; i < VIEW_TABLES && !seen; i++)
		if (!view->tables[i].list || !strcmp(view->tables[i].name, table))
			seen = &view->tables[i];
	if (!seen) {
		view_forget_tables(view->tables);
		seen = view->tables;
	}
	if (!seen->list && nft_read(table, &seen->list, err) < 0)
		return -1;
	snprintf(seen->name, sizeof(seen->name), "%s", table);
	*ret = seen->list;
	return 0;
}

const json_t *nft_entry(const json_t *list, const char *type, const char *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(list, "nftables"), i, entry) {
		const json_t *found = json_object_get(entry, type);
		const char *other = json_string_value(json_object_get(found, "name"));

		if (other && !strcmp(other, name))
			return found;
	}
	return NULL;
}

size_t nft_rules(const json_t *list, bool (*has)(const char *chain, const void *arg), const void *arg)
{
	const json_t *entry;
	size_t i, n = 0;

	json_array_foreach(json_object_get(list, "nftables"), i, entry) {
		const json_t *rule = json_object_get(entry, "rule");
		const char *chain = json_string_value(json_object_get(rule, "chain"));

		n += chain && has(chain, arg);
	}
	return n;
}

size_t nft_rules_of_script(const char *script, const char *begin)
{
	size_t n = 0;

	for (; (script = strstr(script, begin)); script++)
		n++;
	return n;
}

/* "10.1.2.3", or {"elem": {"val": "10.1.2.3", "counter": ...}}, or ["10.1.2.3", "out"] of a map, or
 * {"concat": ["10.1.2.3", {"prefix": ...}]}. */
static const char *nft_element_text(const json_t *element)
{
	const json_t *inside = json_object_get(element, "concat");

	if (json_is_array(element) || inside)
		return json_string_value(json_array_get(inside ? inside : element, 0));
	inside = json_object_get(json_object_get(element, "elem"), "val");
	return json_string_value(inside ? inside : element);
}

const json_t *nft_element(const json_t *list, const char *set, const char *text)
{
	const json_t *entry = nft_entry(list, "set", set), *element;
	size_t i;

	if (!entry)
		entry = nft_entry(list, "map", set);
	json_array_foreach(json_object_get(entry, "elem"), i, element) {
		const char *other = nft_element_text(element);

		if (json_is_integer(element) &&
		    (unsigned long long)json_integer_value(element) == strtoull(text, NULL, 0))
			return element;
		if (other && !strcmp(other, text))
			return element;
	}
	return NULL;
}

long long nft_counted(const json_t *element, const char *what)
{
	return json_integer_value(
		json_object_get(json_object_get(json_object_get(element, "elem"), "counter"), what));
}

bool nft_has_element(const json_t *list, const char *set, const char *text)
{
	return nft_element(list, set, text);
}
