/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is all as it should be? What can be said of a scan and the pools without asking anything else.
 */
#ifndef CTL_JUDGE_H
#define CTL_JUDGE_H

#include <jansson.h>

/* Adds "condition", "problems" and "remedy" to each pod of the document, "used" to its range
 * sets, and the list "problems" to it; see ctl/overview.h. earlier: the problems of a look
 * before this one; what a pod lacks now, and did not lack then, does not count. NULL: all counts. */
void judge(json_t *doc, const json_t *earlier);

/* A sentence for each remedy. */
const char *judge_remedy(const char *remedy);

#endif
