#include "ctl/draw.h"

#include <stdio.h>
#include <string.h>

#include "cni/cleanup.h"
#include "ctl/scan.h"
#include "ctl/text.h"

/* Inside a label: what text_escape() leaves can still end it. */
static void put_label(const char *text)
{
	autofree char *safe = text_escape(text);

	for (const char *c = safe; *c; c++) {
		if (*c == '"' || *c == '\\')
			putchar('\\');
		putchar(*c);
	}
}

static void put_lines(const json_t *list, const char *before)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry) {
		printf("\\n%s", before);
		put_label(json_string_value(entry));
	}
}

static void draw_pod(const json_t *pod, size_t master, size_t i)
{
	const char *container = scan_text(pod, "container");
	const char *place = scan_text(json_object_get(pod, "namespace"), "path");

	printf("\tpod%zu_%zu [%slabel=\"", master, i, *container ? "" : "style=dashed, ");
	put_label(*container ? container : "not of this plugin");
	printf("\\n");
	put_label(*place ? place : "the host's namespace");
	printf("\\n");
	put_label(scan_text(pod, "interface"));
	put_lines(json_object_get(pod, "addresses"), " ");
	put_lines(json_object_get(pod, "defaultRoutes"), "default via ");
	printf("\"];\n\tmaster%zu -- pod%zu_%zu;\n", master, master, i);
}

static void draw_master(const json_t *master, size_t number)
{
	const json_t *pod;
	const char *name = scan_text(master, "name");
	size_t i;

	printf("\tmaster%zu [shape=box, style=filled, fillcolor=lightgrey, label=\"", number);
	put_label(*name ? name : "a link of another namespace");
	printf("\\n");
	put_label(scan_text(master, "mode"));
	printf(" ");
	put_label(scan_text(master, "flag"));
	printf("\"];\n");
	json_array_foreach(json_object_get(master, "pods"), i, pod)
		draw_pod(pod, number, i);
}

void draw(const json_t *doc)
{
	const json_t *master;
	size_t i;

	printf("graph ipvlan {\n\trankdir=LR;\n\tnode [shape=ellipse, fontname=\"sans-serif\"];\n");
	json_array_foreach(json_object_get(doc, "masters"), i, master)
		draw_master(master, i);
	printf("}\n");
}
