/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms that people read of `ipvlanctl show`, by an overview.
 */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>

#include "ctl/text.h"

/* A pool is nearly full. */
#define SHOW_TIGHT 0.9

/* A screen that counts, lists networks and pods, and then what is wrong. */
void show_table(const json_t *doc);

/* All that is known of each pod, below its master. */
void show_tree(const json_t *doc);

/* What is wrong, and what to do about it; nothing is printed where there is nothing. */
void show_problems(const json_t *doc);

/* "45s", "12m", "3h", "5d" */
struct show_age {
	char s[24];
} show_age(long long seconds);

/* That of a pod's condition. */
enum paint show_paint(const char *condition);

#endif
