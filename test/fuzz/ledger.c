/*
 * Any page of the ledger, as somebody else with root, a full disk or an older version may
 * have left it.
 */
#include <stdint.h>
#include <string.h>

#include "fuzz.h"

/* for read_heads() and take_line(), which are nobody else's business */
#include "../../plugin/ledger.c" /* NOLINT(bugprone-suspicious-include) */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is written down is what was meant. */
static void check_object(const struct object *object)
{
	const struct object_text text = object_text(object);
	struct object back;

	must(object_parse(text.s, &back) && back.kind == object->kind && back.dev == object->dev);
	must(prefix_equal(&back.to, &object->to) && ip_equal(&back.via, &object->via));
	must(!strcmp(back.name, object->name) && !strcmp(back.lladdr, object->lladdr));
	must(!strstr(object_path(object).s, "/../") && strcmp(object_path(object).s, "held/..") != 0);
}

static void as_GC_reads_it(char *text)
{
	struct page page = { .container = NULL };
	char *rest = text;

	if (read_heads(&page, &rest) < 0)
		return;
	must(page.container && page.ifname && page.network);
	must(read_objects(&page, rest, NULL) == 0);
	for (size_t i = 0; i < page.n_objects; i++)
		check_object(&page.objects[i]);
	free(page.objects);
}

static void as_DEL_reads_it(char *text)
{
	const char *line;
	struct object object;

	while ((line = take_line(text)))
		if (object_parse(line, &object))
			check_object(&object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *once = strndup((const char *)data, size), *twice = strdup(once);

	as_GC_reads_it(once);
	as_DEL_reads_it(twice);
	return 0;
}
