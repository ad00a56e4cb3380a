/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the problems in the document of a scan and its pools. Asks nothing else.
 */
#ifndef CTL_JUDGE_H
#define CTL_JUDGE_H

#include <jansson.h>

/* Adds "condition", "problems" and "remedy" to each pod of the document, "used" to its range
 * sets, and the list "problems" to it; see ctl/overview.h. earlier: the problems of an earlier look.
 * A pod then lacks only what it lacked already in that look. NULL: there was none. */
void judge(json_t *doc, const json_t *earlier);

/* Returns the sentence for a remedy. */
const char *judge_remedy(const char *remedy);

#endif
