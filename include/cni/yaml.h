/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads YAML as JSON, by libyaml. Only programs that call this are linked with libyaml.
 */
#ifndef CNI_YAML_H
#define CNI_YAML_H

#include <jansson.h>

#include "cni/error.h"

/*
 * The documents of the text, as a new array. Each value that is neither a list nor a map is a
 * string. Values that are nested too deep, or that aliases make too large, are left out. NULL with
 * CNI_CONFIG, which names the line.
 */
json_t *yaml_read(const char *path, const char *text, size_t len, struct cni_error *err);

#endif
