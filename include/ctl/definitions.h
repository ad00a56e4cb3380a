/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network configurations that a person names: files as runtimes read them,
 * NetworkAttachmentDefinitions of Kubernetes, in JSON or YAML, and networks of Podman.
 */
#ifndef CTL_DEFINITIONS_H
#define CTL_DEFINITIONS_H

#include <jansson.h>

#include "cni/error.h"

/* Reads a file. Returns its document, or for YAML a List of its definitions: a new reference, or NULL with
 * CNI_IO, CNI_DECODE. */
json_t *definitions_load(const char *path, struct cni_error *err);

/* Returns the plugins of a document as conflist_plugins() does: a new reference; NULL: CNI_CONFIG. */
json_t *definitions_plugins(json_t *doc, struct cni_error *err);

/* Reads a file and returns its plugins. */
json_t *definitions_read(const char *path, struct cni_error *err);

#endif
