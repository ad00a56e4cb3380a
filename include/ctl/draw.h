/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints an overview in the language of graphviz: ipvlanctl show --dot | dot -Tsvg
 */
#ifndef CTL_DRAW_H
#define CTL_DRAW_H

#include <jansson.h>

void draw(const json_t *doc);

#endif
