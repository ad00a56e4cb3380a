/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as JSON, by libyaml. Programs that call it are linked with it.
 */
#ifndef CNI_YAML_H
#define CNI_YAML_H

#include <jansson.h>

#include "cni/error.h"

/*
 * The documents of the text, as a new array. Everything that is neither list nor map is a string. What is
 * nested too deep, or becomes too large by its aliases, is left out. NULL with CNI_DECODE, which names the
 * line.
 */
json_t *yaml_read(const char *path, const char *text, size_t len, struct cni_error *err);

#endif
