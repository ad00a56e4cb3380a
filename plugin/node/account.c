/* SPDX-License-Identifier: Apache-2.0 */
#include "node/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/base64.h"
#include "cni/cleanup.h"
#include "cni/json.h"

static char *account_read(const struct options *options, const char *name, size_t *len, struct cni_error *err)
{
	autofree char *path = NULL;

	if (asprintf(&path, "%s/%s", options->account_dir, name) < 0)
		abort();
	return place_read(path, len, err);
}

/* NULL with CNI_CONFIG. */
static char *account_server(const struct options *options, struct cni_error *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	char *server;

	if (options->server)
		return strdup(options->server);
	if (!host || !*host || !port || !*port) {
		cni_fail(err, CNI_CONFIG, "the address of the Kubernetes API is not known");
		cni_hint(err, "set --server, or KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, as the "
			      "kubelet does for pods");
		return NULL;
	}
	if (asprintf(&server, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port) < 0)
		abort();
	return server;
}

static char *account_text(const char *server, const char *ca, const char *token)
{
	json_auto_t *doc =
		json_pack("{s:s, s:s, s:[{s:s, s:{s:s, s:s}}], s:[{s:s, s:{s:s}}], "
			  "s:[{s:s, s:{s:s, s:s}}], s:s}",
			  "apiVersion", "v1", "kind", "Config", "clusters", "name", "cluster", "cluster",
			  "server", server, "certificate-authority-data", ca, "users", "name", "node", "user",
			  "token", token, "contexts", "name", "node", "context", "cluster", "cluster", "user",
			  "node", "current-context", "node");

	return doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
}

char *account_kubeconfig(const struct options *options, struct cni_error *err)
{
	size_t len, ca_len;
	autofree char *token = account_read(options, "token", &len, err);
	autofree char *ca = token ? account_read(options, "ca.crt", &ca_len, err) : NULL;
	autofree char *server = ca ? account_server(options, err) : NULL, *encoded = NULL, *text = NULL;
	char *ret;

	if (!server)
		return NULL;
	token[strcspn(token, "\r\n")] = '\0';
	encoded = base64_encode(ca, ca_len);
	text = encoded ? account_text(server, encoded, token) : NULL;
	if (!text)
		cni_fail(err, CNI_CONFIG, "the token in %s is not text", options->account_dir);
	ret = text;
	text = NULL;
	return ret;
}
