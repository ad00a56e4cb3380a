/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers for monitoring, in the text format OpenMetrics 1.0, which Prometheus and node_exporter's
 * textfile collector read.
 */
#ifndef CTL_METRICS_H
#define CTL_METRICS_H

#include <jansson.h>

/* Prints an overview to which plugin/ctl/status.c has added "concerns". */
void metrics_print(const json_t *doc);

#endif
