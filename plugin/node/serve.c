/* SPDX-License-Identifier: Apache-2.0 */
#include "node/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cni/ip.h"
#include "cni/process.h"

#define PATIENCE_MS 30000
#define IDLE_S 60

/* The library asks for these by a pointer whose value says how far a request has come. */
static char begun, answered;

static enum MHD_Result serve_answer(struct MHD_Connection *connection, unsigned int status, const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
	rc = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result serve_metrics(const struct serve *serve, struct MHD_Connection *connection)
{
	const int fd = serve->good ? dup(serve->output) : -1;
	struct MHD_Response *response = NULL;
	enum MHD_Result rc;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0)
		response = MHD_create_response_from_fd((size_t)st.st_size, fd);
	if (!response) {
		if (fd >= 0)
			close(fd);
		return serve_answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				    "ipvlanctl status failed; the log of ipvlan-node has the reason\n");
	}
	MHD_add_response_header(response, "Content-Type",
				"application/openmetrics-text; version=1.0.0; charset=utf-8");
	rc = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result serve_wait(struct serve *serve, struct MHD_Connection *connection, void **state)
{
	if (serve->n == SERVE_WAITING)
		return serve_answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many requests wait\n");
	serve->waiting[serve->n++] = connection;
	*state = &answered;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static enum MHD_Result serve_request(void *arg, struct MHD_Connection *connection, const char *url,
				     const char *method, const char *version, const char *data, size_t *len,
				     void **state)
{
	struct serve *serve = arg;

	(void)version;
	(void)data;
	if (!*state) {
		*state = &begun;
		return MHD_YES;
	}
	if (*len) { /* a body, which is ignored */
		*len = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return serve_answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				    "only GET and HEAD are served\n");
	if (!strcmp(url, "/healthz"))
		return serve_answer(connection, serve->ill ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
				    serve->ill ? serve->ill : "ok\n");
	if (strcmp(url, "/metrics") != 0)
		return serve_answer(connection, MHD_HTTP_NOT_FOUND, "there are /metrics and /healthz\n");
	return *state == &answered ? serve_metrics(serve, connection) : serve_wait(serve, connection, state);
}

/* "PORT" on 127.0.0.1, "ADDRESS:PORT", "[ADDRESS]:PORT". Returns its size, or 0. */
static socklen_t serve_address(const char *text, struct sockaddr_storage *ret)
{
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	char address[64] = "127.0.0.1", *end;
	const unsigned long number = strtoul(port, &end, 10);
	struct sockaddr_in6 *v6 = (void *)ret;
	struct sockaddr_in *v4 = (void *)ret;
	struct ip ip;

	if (colon)
		snprintf(address, sizeof(address), "%.*s", (int)(colon - text), text);
	if (*address == '[' && address[strlen(address) - 1] == ']') {
		address[strlen(address) - 1] = '\0';
		memmove(address, address + 1, strlen(address));
	}
	if (end == port || *end || !number || number > USHRT_MAX || !ip_parse(address, &ip))
		return 0;
	*ret = (struct sockaddr_storage){ .ss_family = ip.family };
	if (ip.family == AF_INET) {
		v4->sin_port = htons((uint16_t)number);
		memcpy(&v4->sin_addr, ip.bytes, ip_size(&ip));
		return sizeof(*v4);
	}
	v6->sin6_port = htons((uint16_t)number);
	memcpy(&v6->sin6_addr, ip.bytes, ip_size(&ip));
	return sizeof(*v6);
}

/* The port is shared, so that the next version listens before this one ends. */
int serve_open(struct serve *ret, struct host *host, const struct options *options, struct cni_error *err)
{
	struct sockaddr_storage address;

	*ret = (struct serve){ .host = host, .output = -1, .ill = "starting\n" };
	if (!options->listen)
		return 0;
	if (!serve_address(options->listen, &address)) {
		cni_fail(err, CNI_CONFIG, "--listen %s is neither a port nor an address with a port",
			 options->listen);
		return cni_hint(err, "examples: 9465, 10.0.0.7:9465, [fd00::7]:9465");
	}
	ret->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
					       (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0),
				       0, NULL, NULL, serve_request, ret, MHD_OPTION_SOCK_ADDR, &address,
				       MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_CONNECTION_LIMIT,
				       (unsigned int)SERVE_WAITING, MHD_OPTION_CONNECTION_TIMEOUT,
				       (unsigned int)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				       (size_t)16384, MHD_OPTION_END);
	if (!ret->daemon)
		return cni_fail(err, CNI_IO, "cannot listen on %s: %s", options->listen, errno_text(errno));
	return 0;
}

static void serve_resume(struct serve *serve)
{
	for (size_t i = 0; i < serve->n; i++)
		MHD_resume_connection(serve->waiting[i]);
	serve->n = 0;
	MHD_run(serve->daemon);
}

void serve_close(struct serve *serve)
{
	job_end(&serve->job);
	if (!serve->daemon)
		return;
	serve->good = false;
	serve_resume(serve);
	MHD_stop_daemon(serve->daemon);
	if (serve->output >= 0)
		close(serve->output);
}

int serve_descriptor(const struct serve *serve)
{
	const union MHD_DaemonInfo *info =
		serve->daemon ? MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;

	return info ? info->epoll_fd : -1;
}

int serve_timeout(const struct serve *serve)
{
	const long long left = serve->job.limit - process_now_ms();
	MHD_UNSIGNED_LONG_LONG library;
	long long timeout = -1;

	if (serve->daemon && MHD_get_timeout(serve->daemon, &library) == MHD_YES)
		timeout = library < INT_MAX ? (long long)library : INT_MAX;
	if (serve->job.pid && (timeout < 0 || left < timeout))
		timeout = left > 0 ? left : 0;
	return (int)timeout;
}

static int serve_ask(void *arg)
{
	const struct serve *serve = arg;

	return host_ipvlanctl(serve->host,
			      (char *const[]){ (char *)"ipvlanctl", (char *)"status", (char *)"--prometheus",
					       NULL },
			      serve->output);
}

/* Waits with those that ask. */
static void serve_begin(struct serve *serve)
{
	if (serve->output >= 0)
		close(serve->output);
	serve->output = memfd_create("metrics", MFD_CLOEXEC);
	if (serve->output >= 0 && job_start(&serve->job, serve_ask, serve, PATIENCE_MS))
		return;
	cni_log("cannot start ipvlanctl: %s", errno_text(errno));
	serve->good = false;
	serve_resume(serve);
}

/* ipvlanctl status ends with 1 if something is not well. */
static void serve_end(struct serve *serve)
{
	struct stat st;
	int status;

	if (!job_ended(&serve->job, &status))
		return;
	serve->good =
		fstat(serve->output, &st) == 0 && st.st_size && WIFEXITED(status) && WEXITSTATUS(status) <= 1;
	serve_resume(serve);
}

void serve_run(struct serve *serve)
{
	if (!serve->daemon)
		return;
	serve_end(serve);
	if (serve->job.pid && process_now_ms() >= serve->job.limit)
		job_kill(&serve->job);
	MHD_run(serve->daemon);
	if (serve->n && !serve->job.pid)
		serve_begin(serve);
}
