/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/kubeconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cni/base64.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/yaml.h"

#define FILE_MAX (1 << 20)

#define POD_FILES "/var/run/secrets/kubernetes.io/serviceaccount/"

/* Reads a whole file, and adds a zero byte. The caller frees the text. */
static char *kubeconfig_read_file(const char *path, size_t *len, struct cni_error *err)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	autofree char *text = malloc(FILE_MAX + 1);
	ssize_t n = fd < 0 || !text ? -1 : read(fd, text, FILE_MAX);
	char *whole = text;

	if (n < 0) {
		cni_fail(err, CNI_IO, "read %s: %s", path, errno_text(errno));
		return NULL;
	}
	text[n] = '\0';
	*len = (size_t)n;
	text = NULL;
	return whole;
}

static json_t *kubeconfig_read_yaml(const char *path, struct cni_error *err)
{
	size_t len;
	autofree char *text = kubeconfig_read_file(path, &len, err);
	json_auto_t *docs = text ? yaml_read(path, text, len, err) : NULL;

	if (docs && !json_array_size(docs))
		cni_fail(err, CNI_CONFIG, "%s: the file is empty", path);
	return json_incref(json_array_get(docs, 0));
}

/* The member key of the entry called wanted in one of a kubeconfig's lists. */
static const json_t *kubeconfig_find(const json_t *doc, const char *list, const char *wanted, const char *key)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_field(doc, list), i, entry) {
		const char *name = json_string_value(json_field(entry, "name"));

		if (name && wanted && !strcmp(name, wanted))
			return json_field(entry, key);
	}
	return NULL;
}

static const char *kubeconfig_string(const json_t *obj, const char *key)
{
	const char *value = json_string_value(json_field(obj, key));

	return value && *value ? value : NULL;
}

struct source {
	const char *path; /* of the kubeconfig; paths in it are relative to its directory */
	json_t *doc;
};

/* The absolute path, borrowed from the document, to which it is added. */
static const char *kubeconfig_absolute(const struct source *source, const char *path)
{
	const char *slash = strrchr(source->path, '/');
	char whole[PATH_MAX];
	json_t *kept;

	if (*path == '/' || !slash)
		return path;
	snprintf(whole, sizeof(whole), "%.*s/%s", (int)(slash - source->path), source->path, path);
	kept = json_string(whole);
	json_object_set_new(source->doc, whole, kept);
	return json_string_value(kept);
}

/* The base64 may have line breaks, as a YAML block has. */
static char *kubeconfig_decode(const char *data, size_t *len)
{
	autofree char *text = strdup(data);
	char *end = text;

	if (!text)
		return NULL;
	for (; *data; data++)
		if (*data != '\r' && *data != '\n')
			*end++ = *data;
	*end = '\0';
	return base64_decode(text, len);
}

/* Reads the member "key-data", or the path in the member "key". */
static int kubeconfig_read_pem(struct pem *ret, const struct source *source, const json_t *obj,
			       const char *key, struct cni_error *err)
{
	const char *file = kubeconfig_string(obj, key), *data;
	char data_key[64];

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	data = kubeconfig_string(obj, data_key);
	if (file)
		ret->file = kubeconfig_absolute(source, file);
	if (!data)
		return 0;
	ret->data = kubeconfig_decode(data, &ret->len);
	return ret->data ? 0 : cni_fail(err, CNI_CONFIG, "%s: %s is not base64", source->path, data_key);
}

static int kubeconfig_set_token(struct http *http, const char *token, struct cni_error *err)
{
	/* without the line break at the end of its file */
	if (asprintf(&http->token, "Bearer %.*s", (int)strcspn(token, "\r\n"), token) >= 0)
		return 0;
	http->token = NULL;
	return cni_fail(err, CNI_RETRY, "out of memory");
}

static int kubeconfig_read_token_file(struct http *http, const char *path, struct cni_error *err)
{
	size_t len;
	autofree char *token = kubeconfig_read_file(path, &len, err);

	return token ? kubeconfig_set_token(http, token, err) : -1;
}

static int kubeconfig_read_user(struct http *http, const struct source *source, const json_t *user,
				struct cni_error *err)
{
	const char *token = kubeconfig_string(user, "token"), *file = kubeconfig_string(user, "tokenFile");

	if (json_field(user, "as") || json_field(user, "as-groups") || json_field(user, "as-uid") ||
	    json_field(user, "as-user-extra")) {
		cni_fail(err, CNI_CONFIG, "%s: as of a user is not supported", source->path);
		return cni_hint(err, "use a user that has the rights itself");
	}
	if (json_field(user, "exec") || json_field(user, "auth-provider")) {
		cni_fail(err, CNI_CONFIG, "%s: exec and auth-provider of a user are not supported",
			 source->path);
		return cni_hint(err,
				"use a client certificate, a token, or the tokenFile of a service account");
	}
	if (kubeconfig_string(user, "username") && !token && !file &&
	    !kubeconfig_string(user, "client-certificate") &&
	    !kubeconfig_string(user, "client-certificate-data")) {
		cni_fail(err, CNI_CONFIG, "%s: username and password of a user are not supported",
			 source->path);
		return cni_hint(err,
				"use a client certificate, a token, or the tokenFile of a service account");
	}
	if (kubeconfig_read_pem(&http->cert, source, user, "client-certificate", err) < 0 ||
	    kubeconfig_read_pem(&http->key, source, user, "client-key", err) < 0)
		return -1;
	if (file)
		return kubeconfig_read_token_file(http, kubeconfig_absolute(source, file), err);
	return token ? kubeconfig_set_token(http, token, err) : 0;
}

static int kubeconfig_read_cluster(struct http *http, const struct source *source, const json_t *cluster,
				   struct cni_error *err)
{
	const char *server = kubeconfig_string(cluster, "server"),
		   *insecure = kubeconfig_string(cluster, "insecure-skip-tls-verify");

	if (!server)
		return cni_fail(err, CNI_CONFIG, "%s: the current context's cluster has no server",
				source->path);
	http->insecure = insecure && !strcasecmp(insecure, "true");
	if (kubeconfig_string(cluster, "tls-server-name") || kubeconfig_string(cluster, "proxy-url"))
		return cni_fail(err, CNI_CONFIG, "%s: tls-server-name and proxy-url are not supported",
				source->path);
	if (http_add_endpoint(http, server, err) < 0)
		return -1;
	return kubeconfig_read_pem(&http->ca, source, cluster, "certificate-authority", err);
}

int kubeconfig_read(struct http *http, char **namespace, json_t **doc, const char *path,
		    struct cni_error *err)
{
	struct source source = { .path = path, .doc = kubeconfig_read_yaml(path, err) };
	const char *name = kubeconfig_string(source.doc, "current-context");
	const json_t *context = kubeconfig_find(source.doc, "contexts", name, "context");
	const char *space = kubeconfig_string(context, "namespace"),
		   *user = kubeconfig_string(context, "user");

	*doc = source.doc;
	if (!source.doc)
		return cni_fail(err, CNI_RETRY, "out of memory");
	if (!context)
		return cni_fail(err, CNI_CONFIG, "%s: there is no context with the name in current-context",
				path);
	if (user && !kubeconfig_find(source.doc, "users", user, "name"))
		return cni_fail(err, CNI_CONFIG, "%s: the context's user %s is not among its users", path,
				user);
	if (space)
		*namespace = strdup(space);
	if (kubeconfig_read_cluster(http, &source,
				    kubeconfig_find(source.doc, "clusters",
						    kubeconfig_string(context, "cluster"), "cluster"),
				    err) < 0)
		return -1;
	return kubeconfig_read_user(http, &source, kubeconfig_find(source.doc, "users", user, "user"), err);
}

int kubeconfig_of_pod(struct http *http, char **namespace, struct cni_error *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	char url[512];
	size_t len;

	if (!host || !*host || !port || !*port) {
		cni_fail(err, CNI_CONFIG, "ipam.cluster.kubernetes.kubeconfig is missing");
		return cni_hint(err, "set it to the path of a kubeconfig; only a pod can do without it, but "
				     "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
	}
	snprintf(url, sizeof(url), strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
	http->ca.file = POD_FILES "ca.crt";
	*namespace = kubeconfig_read_file(POD_FILES "namespace", &len, err);
	if (!*namespace)
		return -1;
	(*namespace)[strcspn(*namespace, "\r\n")] = '\0';
	if (http_add_endpoint(http, url, err) < 0)
		return -1;
	return kubeconfig_read_token_file(http, POD_FILES "token", err);
}
