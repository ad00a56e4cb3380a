/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints an overview for people, as `ipvlanctl show` does.
 */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>

#include "ctl/text.h"

/* The share of used addresses from which a pool is nearly full. */
#define SHOW_TIGHT 0.9

/* Prints counts, networks, pods and problems on one screen. */
void show_table(const json_t *doc);

/* Prints all details of each pod, below its master. */
void show_tree(const json_t *doc);

/* Prints the problems and their remedies. Prints nothing if there are none. */
void show_problems(const json_t *doc);

/* "45s", "12m", "3h", "5d" */
struct show_age {
	char s[24];
} show_age(long long seconds);

/* The colour of a pod's condition. */
enum paint show_paint(const char *condition);

#endif
