/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network configurations as files: a list (.conflist), a single plugin (.conf), or, as JSON,
 * a NetworkAttachmentDefinition of Kubernetes or a List of them.
 */
#ifndef CNI_CONFLIST_H
#define CNI_CONFLIST_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/error.h"

/* The content of the file, at most a megabyte; the caller frees it. NULL with CNI_IO, CNI_DECODE. */
char *conflist_text(const char *path, size_t *len, struct cni_error *err);

/* The document of the text. A new reference, or NULL with CNI_DECODE. path: for errors. */
json_t *conflist_parse(const char *path, const char *text, size_t len, struct cni_error *err);

/* Can doc be a configuration, or definitions? Returns doc; if not, releases it and returns NULL
 * with CNI_DECODE. */
json_t *conflist_check(json_t *doc, struct cni_error *err);

/* Does it look like YAML? */
bool conflist_is_yaml(const char *path, const char *text, size_t len);

/*
 * The configuration of each plugin in the document, in their order, as a runtime would
 * send it: with the name and the cniVersion of the list. A new reference to an array, never NULL.
 */
json_t *conflist_plugins(json_t *doc);

/* The same for a file. NULL with CNI_IO, CNI_DECODE. */
json_t *conflist_read(const char *path, struct cni_error *err);

#endif
