/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks that the pods of this machine are as ADD has made them, in their namespaces and on the host,
 * and that their addresses are leased to them.
 */
#ifndef CTL_PODS_H
#define CTL_PODS_H

#include <stddef.h>

#include "ctl/examine.h"

/* exams: of all known networks, after exam_run(). cache: see ctl/cache.h. */
void examine_pods(struct report *report, struct exam *const *exams, size_t n, const json_t *cache);

#endif
