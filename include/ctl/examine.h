/*
 * Would an ADD of this configuration work, and its pods reach anybody?
 */
#ifndef CTL_EXAMINE_H
#define CTL_EXAMINE_H

#include <jansson.h>

#include "ctl/report.h"

/* plugin: the configuration of an ipvlan plugin, as a runtime would send it. */
void examine(struct report *all, const json_t *plugin);

#endif
