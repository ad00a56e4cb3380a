/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/attachment.h"

#include <stdlib.h>
#include <string.h>

#include "cni/hash.h"
#include "cni/json.h"

uint64_t attachment_hash(const char *container, const char *ifname)
{
	uint64_t hash = hash_add(HASH_START, container, strlen(container));

	hash = hash_add(hash, "/", 1);
	return hash_add(hash, ifname, strlen(ifname));
}

bool attachment_equal(const struct attachment *a, const struct attachment *b)
{
	return !strcmp(a->container, b->container) && !strcmp(a->ifname, b->ifname);
}

/* An attachment without an interface equals each attachment of its container. */
static int attachment_by_name(const void *a, const void *b)
{
	const struct attachment *x = a, *y = b;
	int order = strcmp(x->container, y->container);

	return order || !*x->ifname || !*y->ifname ? order : strcmp(x->ifname, y->ifname);
}

static int valid_read_list(struct valid *ret, const json_t *list, const char *key, struct cni_error *err)
{
	struct attachment *attachments = calloc(json_array_size(list) + 1, sizeof(*attachments));
	const json_t *entry;
	size_t i;

	*ret = (struct valid){ .list = attachments, .n = json_array_size(list) };
	if (!attachments)
		return cni_fail(err, CNI_RETRY, "out of memory");
	json_array_foreach(list, i, entry) {
		attachments[i].container = json_string_value(json_field(entry, "containerID"));
		attachments[i].ifname = json_string_value(json_field(entry, "ifname"));
		if (!attachments[i].container || !attachments[i].ifname || !*attachments[i].ifname)
			return cni_fail(err, CNI_CONFIG, "%s[%zu] must have a containerID and an ifname", key,
					i);
	}
	qsort(attachments, ret->n, sizeof(*attachments), attachment_by_name);
	return 0;
}

enum found valid_read(struct valid *ret, const struct request *req, struct cni_error *err)
{
	static const char *const keys[] = { "cni.dev/valid-attachments", "cni.dev/attachments" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const json_t *list = json_member(req->conf, keys[i]);

		if (!list)
			continue;
		if (!json_is_array(list) && !json_is_null(list))
			return cni_fail(err, CNI_CONFIG, "%s must be a list", keys[i]);
		if (valid_read_list(ret, list, keys[i], err) == 0)
			return FOUND;
		valid_free(ret);
		return FOUND_FAILED;
	}
	return FOUND_NOT;
}

void valid_free(struct valid *valid)
{
	free(valid->list);
}

bool valid_contains(const struct valid *valid, const char *container, const char *ifname)
{
	/* the name as the runtime writes it in JSON: it may not be UTF-8 */
	json_auto_t *text = json_text(ifname);
	const struct attachment wanted = { container, text ? json_string_value(text) : ifname };

	return valid->n && bsearch(&wanted, valid->list, valid->n, sizeof(*valid->list), attachment_by_name);
}
