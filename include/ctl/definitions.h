/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network configurations that a person names: files as runtimes read them,
 * NetworkAttachmentDefinitions of Kubernetes, in JSON or YAML, and networks of Podman.
 */
#ifndef CTL_DEFINITIONS_H
#define CTL_DEFINITIONS_H

#include <jansson.h>

#include "cni/error.h"

/* The document in the file; of YAML a List of its definitions. A new reference, or NULL with CNI_IO,
 * CNI_DECODE. */
json_t *definitions_load(const char *path, struct cni_error *err);

/* The plugins of a document, as conflist_plugins() has them. A new reference; NULL: CNI_CONFIG. */
json_t *definitions_plugins(json_t *doc, struct cni_error *err);

/* Both. */
json_t *definitions_read(const char *path, struct cni_error *err);

#endif
