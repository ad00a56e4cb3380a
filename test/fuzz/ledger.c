/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any page of the ledger, as somebody else with root, a full disk or another version may
 * have left it.
 */
#include <stdint.h>
#include <string.h>

#include "fuzz.h"

/* for page_read_fields() and old_read_page(), which no other file may call */
#include "../../plugin/ledger_old.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../plugin/page.c"	     /* NOLINT(bugprone-suspicious-include) */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is written down is what was meant. */
static void check_object(const struct object *object)
{
	json_auto_t *doc = object_json(object);
	struct object back;

	must(object_read(&back, doc) && object_agrees(object, &back));
	must(!strchr(object_key(object).s, '/'));
	must(*object_text(object).s);
}

static void check_page(const struct page *page)
{
	json_auto_t *doc = NULL;
	struct page again = { .n_objects = 0 };

	must(page->container && page->ifname && page->network && page->path);
	for (size_t i = 0; i < page->n_objects; i++)
		check_object(&page->objects[i]);
	doc = page_json(page);
	if (!doc) /* a container or network whose name is not UTF-8 */
		return;
	again.doc = json_incref(doc);
	must(page_read_fields(&again, NULL) == 0);
	must(again.n_objects == page->n_objects && again.n_unknown == page->n_unknown);
	page_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = strndup((const char *)data, size);
	struct page page = { .doc = json_read((const char *)data, size, NULL) };

	if (page.doc && page_read_fields(&page, NULL) == 0)
		check_page(&page);
	page_free(&page);
	if (old_read_page(&page, text, NULL))
		check_page(&page);
	page_free(&page);
	return 0;
}
