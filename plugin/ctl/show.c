/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cni/error.h"
#include "ctl/commands.h"
#include "ctl/draw.h"
#include "ctl/overview.h"
#include "ctl/show.h"
#include "ctl/text.h"

enum form { TABLE, TREE, JSON, DRAWING };

struct show_options {
	enum form form;
	const char *what; /* NULL: everything */
};

static bool show_read_options(struct show_options *ret, int argc, char **argv)
{
	static const struct {
		const char *word;
		enum form form;
	} forms[] = {
		{ "-v", TREE },
		{ "--verbose", TREE },
		{ "--json", JSON },
		{ "--dot", DRAWING },
	};
	const size_t n = sizeof(forms) / sizeof(*forms);

	*ret = (struct show_options){ .form = TABLE };
	for (int i = 1; i < argc; i++) {
		size_t k = 0;

		while (k < n && strcmp(argv[i], forms[k].word) != 0)
			k++;
		if (k < n && ret->form == TABLE)
			ret->form = forms[k].form;
		else if (k == n && !ret->what && *argv[i] && *argv[i] != '-')
			ret->what = argv[i];
		else
			return false;
	}
	return true;
}

static bool show_is_empty(const json_t *doc)
{
	return !json_array_size(json_object_get(doc, "masters")) &&
	       !json_array_size(json_object_get(doc, "lost")) &&
	       !json_array_size(json_object_get(doc, "networks")) &&
	       !json_array_size(json_object_get(doc, "pools"));
}

static void show_print(const json_t *doc, enum form form)
{
	if (form == JSON) {
		json_dumpf(doc, stdout, JSON_INDENT(4));
		text_end();
	} else if (form == DRAWING) {
		draw(doc);
	} else if (show_is_empty(doc)) {
		text_put(PLAIN, "There is no ipvlan interface, and no network of ipvlan.");
		text_end();
	} else if (form == TREE) {
		show_tree(doc);
	} else {
		show_table(doc);
	}
}

static void show_print_unread(const json_t *unread)
{
	const json_t *line;
	size_t i;

	json_array_foreach(unread, i, line)
		cni_log("ipvlanctl: %s", json_string_value(line));
}

int show_main(int argc, char **argv)
{
	struct cni_error err = { 0 };
	struct show_options options;
	json_auto_t *doc = NULL;

	if (!show_read_options(&options, argc, argv))
		return command_misuse("show");
	doc = overview_read(&err);
	if (!doc) {
		cni_log("ipvlanctl: %s", err.msg);
		return 1;
	}
	json_object_del(doc, "configurations");
	show_print_unread(json_object_get(json_object_get(doc, "unread"), "pods"));
	show_print_unread(json_object_get(json_object_get(doc, "unread"), "pools"));
	if (options.what && !overview_keep(doc, options.what)) {
		cni_log("ipvlanctl: there is no pod, container, network, address or master \"%s\"",
			options.what);
		return 1;
	}
	show_print(doc, options.form);
	return 0;
}
