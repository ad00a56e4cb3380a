/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/http.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "ipam/block.h"

#define BODY_MAX (64 << 20) /* the names of 400 000 Leases */
/* A resolver on the machine may ask its second name server after five seconds. */
#define RESOLVE_MS 6000
#define CONNECT_MS 1000
#define PAUSE_MS 100
#define LOOK_MS 50 /* how often the limits of an attempt are checked */

struct body {
	char *text;
	size_t len, room;
	bool too_long;
};

/* Takes a part out of the URL. The caller frees *ret with curl_free(); NULL: the URL does not have it. False:
 * libcurl refuses it. */
static bool http_take_part(char **ret, CURLU *url, CURLUPart part)
{
	const CURLUcode rc = curl_url_get(url, part, ret, CURLU_URLDECODE);

	if (rc != CURLUE_OK) {
		*ret = NULL;
		return rc == CURLUE_NO_USER || rc == CURLUE_NO_PASSWORD;
	}
	return curl_url_set(url, part, NULL, 0) == CURLUE_OK;
}

static void http_free_service(struct service *service)
{
	curl_free(service->url);
	curl_free(service->user);
	curl_free(service->password);
	*service = (struct service){ .url = NULL };
}

/* False: it is not the address of a service. */
static bool http_read_url(struct service *ret, const char *text)
{
	CURLU *url = curl_url();
	bool good;

	*ret = (struct service){ .url = NULL };
	good = (!strncmp(text, "https://", 8) || !strncmp(text, "http://", 7)) && url &&
	       curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
	       http_take_part(&ret->user, url, CURLUPART_USER) &&
	       http_take_part(&ret->password, url, CURLUPART_PASSWORD) &&
	       curl_url_get(url, CURLUPART_URL, &ret->url, 0) == CURLUE_OK;
	curl_url_cleanup(url);
	if (!good)
		http_free_service(ret);
	return good;
}

int http_add_endpoint(struct http *http, const char *url, struct cni_error *err)
{
	const char *shown = strrchr(url, '@');
	struct service service, *bigger;

	if (!http_read_url(&service, url))
		return cni_fail(err, CNI_CONFIG,
				"%s: \"%s\" is not the http:// or https:// address of one service",
				http->what, shown ? shown + 1 : url);
	for (size_t len = strlen(service.url); len && service.url[len - 1] == '/'; len--)
		service.url[len - 1] = '\0';
	bigger = realloc(http->endpoints, (http->n + 1) * sizeof(*bigger));
	if (!bigger) {
		http_free_service(&service);
		return cni_fail(err, CNI_RETRY, "out of memory");
	}
	http->endpoints = bigger;
	http->endpoints[http->n++] = service;
	return 0;
}

const char *http_endpoint(const struct http *http)
{
	return http->endpoints[http->current].url;
}

void http_begin_with(struct http *http, const char *endpoint, const char *node)
{
	size_t hash = 0;

	for (; *node; node++)
		hash = hash * 31 + (unsigned char)*node;
	http->current = hash % http->n;
	for (size_t i = 0; i < http->n; i++)
		if (!strcmp(http->endpoints[i].url, endpoint))
			http->current = i;
}

static void http_set_pem(CURL *curl, const struct pem *pem, CURLoption file, CURLoption blob)
{
	struct curl_blob bytes = { .data = pem->data, .len = pem->len, .flags = CURL_BLOB_COPY };

	if (pem->data)
		curl_easy_setopt(curl, blob, &bytes);
	else if (pem->file)
		curl_easy_setopt(curl, file, pem->file);
}

/*
 * Sets the file of trusted CAs. A distribution's libcurl knows its path there; the libcurl in a static
 * program, which runs on any distribution, does not.
 */
static void http_trust_system(CURL *curl)
{
	static const char *const bundles[] = {
		"/etc/ssl/certs/ca-certificates.crt",		     /* Debian, Alpine, Arch, Talos */
		"/etc/pki/tls/certs/ca-bundle.crt",		     /* Fedora, RHEL */
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora without links of old names */
		"/etc/ssl/ca-bundle.pem",			     /* SUSE */
		"/etc/ssl/cert.pem",				     /* Alpine without its ca-certificates */
	};
	char *known = NULL;

	curl_easy_getinfo(curl, CURLINFO_CAINFO, &known);
	for (size_t i = 0; !known && i < sizeof(bundles) / sizeof(*bundles); i++)
		if (access(bundles[i], R_OK) == 0) {
			curl_easy_setopt(curl, CURLOPT_CAINFO, bundles[i]);
			return;
		}
}

static size_t http_keep(char *text, size_t size, size_t n, void *arg)
{
	struct body *body = arg;
	size_t len = size * n;

	if (len > BODY_MAX - body->len) {
		body->too_long = true;
		return 0;
	}
	if (body->len + len >= body->room) {
		size_t room = (body->len + len) * 2 + 1024;
		char *bigger = realloc(body->text, room);

		if (!bigger)
			return 0;
		body->text = bigger;
		body->room = room;
	}
	memcpy(body->text + body->len, text, len);
	body->len += len;
	body->text[body->len] = '\0';
	return len;
}

/* CURLOPT_OPENSOCKETFUNCTION: keeps the socket for http_is_connected(). */
static curl_socket_t http_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *http = arg;

	(void)purpose;
	http->socket = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	return http->socket;
}

int http_open(struct http *http, struct cni_error *err)
{
	CURL *curl;

	/* the C library otherwise asks the second name server after five seconds */
	setenv("RES_OPTIONS", "timeout:1 attempts:5", 0);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	http->multi = curl_multi_init();
	http->curl = curl = http->multi ? curl_easy_init() : NULL;
	if (!curl)
		return cni_fail(err, CNI_RETRY, "%s: cannot set up curl", http->what);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, http_open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, http);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	/* ignore the runtime's proxy, which is for pulling images */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_keep);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "addrpool/" PROJECT_VERSION);
	/* do not wait for the thread of a resolver that hangs */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	/* a configured CA is the only trusted one */
	if (http->ca.file || http->ca.data)
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	else
		http_trust_system(curl);
	http_set_pem(curl, &http->ca, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB);
	http_set_pem(curl, &http->cert, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB);
	http_set_pem(curl, &http->key, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB);
	if (http->insecure) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	return 0;
}

static void http_free_pem(const struct pem *pem)
{
	free(pem->data);
}

void http_close(struct http *http)
{
	if (http->curl)
		curl_easy_cleanup(http->curl);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	for (size_t i = 0; i < http->n; i++)
		http_free_service(&http->endpoints[i]);
	free(http->endpoints);
	http_free_pem(&http->ca);
	http_free_pem(&http->cert);
	http_free_pem(&http->key);
	free(http->token);
}

static struct curl_slist *http_headers(const struct http *http, bool body)
{
	struct curl_slist *list = NULL;
	autofree char *token = NULL;
	char accept[128];

	snprintf(accept, sizeof(accept), "Accept: %s", http->accept ? http->accept : "application/json");
	list = curl_slist_append(list, accept);
	/* without 100-continue there is one answer less to wait for */
	list = curl_slist_append(list, "Expect:");
	if (body)
		list = curl_slist_append(list, "Content-Type: application/json");
	if (!http->token)
		return list;
	if (asprintf(&token, "Authorization: %s", http->token) < 0)
		token = NULL;
	return token ? curl_slist_append(list, token) : list;
}

static long long http_connect_ms(const struct http *http, long long patience)
{
	return patience < http->connect_ms ? patience : http->connect_ms;
}

/* curl counts the time for a connection from the start of the attempt, and divides it among the addresses of
 * a name. So it is moved on until the name is resolved. */
static void http_limit_connection(const struct http *http, long long begin, long long patience)
{
	const long long connect = http_connect_ms(http, patience), spent = block_now_ms() - begin;

	curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(spent + 2LL * LOOK_MS + connect));
}

/* What the attempt has been doing for too long; NULL: it may go on. The time for an answer, and that for the
 * connection, begin when the endpoint's name is resolved. */
static const char *http_is_late(const struct http *http, long long begin, long long patience)
{
	const long long now = block_now_ms();
	const char *does = "Operation";
	curl_off_t resolved = 0, connected = 0;
	long long end;

	curl_easy_getinfo(http->curl, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	curl_easy_getinfo(http->curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
	end = begin + resolved / 1000 + patience;
	if (!resolved) {
		does = "Resolving";
		end = begin + (http->resolve_ms ? http->resolve_ms : RESOLVE_MS);
	} else if (!connected) {
		does = "Connection";
		end = begin + resolved / 1000 + http_connect_ms(http, patience);
	}
	return now >= end || now >= *http->deadline_ms ? does : NULL;
}

/* Has the attempt a connection, with or without TLS? curl says it only when TLS stands as well. */
static bool http_is_connected(const struct http *http)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	curl_off_t ready = 0;

	curl_easy_getinfo(http->curl, CURLINFO_PRETRANSFER_TIME_T, &ready);
	return ready ||
	       (http->socket >= 0 && getpeername(http->socket, (struct sockaddr *)&peer, &size) == 0);
}

/* Sends the request that is set, and waits for the answer, until the attempt is late. */
static CURLcode http_perform(struct http *http, long long patience, char *why)
{
	const long long begin = block_now_ms();
	const char *late = NULL;
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	CURLMsg *end = NULL;
	curl_off_t resolved = 0;
	int running = 1, left;

	if (curl_multi_add_handle(http->multi, http->curl) != CURLM_OK)
		return CURLE_FAILED_INIT;
	http_limit_connection(http, begin, patience);
	http->socket = -1;
	http->connected = false;
	while (!late && curl_multi_perform(http->multi, &running) == CURLM_OK && running) {
		curl_multi_poll(http->multi, NULL, 0, LOOK_MS, NULL);
		curl_easy_getinfo(http->curl, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
		if (!resolved)
			http_limit_connection(http, begin, patience);
		http->connected = http->connected || http_is_connected(http);
		late = http_is_late(http, begin, patience);
	}
	if (!running)
		end = curl_multi_info_read(http->multi, &left);
	if (end)
		rc = end->data.result;
	curl_multi_remove_handle(http->multi, http->curl);
	if (end || !late)
		return rc;
	snprintf(why, CURL_ERROR_SIZE, "%s timed out after %lld milliseconds", late, block_now_ms() - begin);
	return CURLE_OPERATION_TIMEDOUT;
}

/* One try on one endpoint. */
static CURLcode ask(struct http *http, const char *method, const char *path, const char *text,
		    long long patience, struct body *body, char *why)
{
	const struct service *service = &http->endpoints[http->current];
	struct curl_slist *list = http_headers(http, text);
	CURL *curl = http->curl;
	char url[16384];
	CURLcode rc = CURLE_URL_MALFORMAT;

	*why = '\0';
	if (snprintf(url, sizeof(url), "%s%s", service->url, path) < (int)sizeof(url)) {
		curl_easy_setopt(curl, CURLOPT_URL, url);
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
		if (text)
			curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
		curl_easy_setopt(curl, CURLOPT_USERNAME, service->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, service->password);
		curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
		rc = http_perform(http, patience, why);
		curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	}
	curl_slist_free_all(list);
	return rc;
}

/* Is it an error of TLS, which no repetition changes? In TLS 1.3 a server that refuses the client's
 * certificate may send its alert only with the first answer. */
static bool http_is_tls(CURLcode rc, const char *why)
{
	switch (rc) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
		return true;
	default:
		return strstr(why, " alert ");
	}
}

static void http_pause_ms(long long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

bool http_has_no_login(const struct reply *reply)
{
	const char *text = json_string_value(json_field(reply->doc, "message"));

	return (reply->status == 400 || reply->status == 412) && text &&
	       strstr(text, "authentication is not enabled");
}

/* Is it etcd's answer when its database has reached the quota? Reads and deletions go on. */
static bool http_is_full(const struct reply *reply)
{
	const char *text = json_string_value(json_field(reply->doc, "message"));

	return text && strstr(text, "database space exceeded");
}

#define FAILED_PRECONDITION 9 /* gRPC; etcd's learners answer it with HTTP 400 */

/* May the next attempt help, or that on another endpoint? */
static bool http_may_help(const struct http *http, const struct reply *reply)
{
	if (http_is_full(reply))
		return false;
	return reply->status == 429 || reply->status >= 500 ||
	       (reply->status == 400 && http->n > 1 && !http_has_no_login(reply) &&
		json_integer_value(json_field(reply->doc, "code")) == FAILED_PRECONDITION);
}

/* Keeps the first line of an answer that is not JSON. */
static void http_keep_text(struct reply *ret, const struct body *body)
{
	const size_t len = body->len ? strcspn(body->text, "\r\n") : 0;

	snprintf(ret->text, sizeof(ret->text), "%.*s", (int)(len < sizeof(ret->text) ? len : 160),
		 len ? body->text : "");
}

/*
 * Reads the answer. False: the request should be repeated, and why has the cause: an answer that is not JSON,
 * or a status that may change, with its message.
 */
static bool http_is_reply(const struct http *http, struct body *body, struct reply *ret, char *why,
			  size_t size)
{
	struct cni_error error = { 0 };
	const char *text = NULL;

	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	ret->doc = body->len ? json_read(body->text, body->len, &error) : NULL;
	if (!ret->doc)
		http_keep_text(ret, body);
	if (http_may_help(http, ret)) {
		if (ret->doc && field_string(ret->doc, "", "message", &text, &error) == 0 && text)
			snprintf(why, size, "HTTP %ld: %.160s", ret->status, text);
		else
			snprintf(why, size, "HTTP %ld", ret->status);
		return false;
	}
	if (ret->doc || ret->status >= 300)
		return true;
	snprintf(why, size, "HTTP %ld with an answer that is not JSON: %.160s", ret->status,
		 body->len ? error.msg : "nothing");
	return false;
}

/* The failure of the last attempt. */
struct attempt {
	const char *endpoint;
	char why[CURL_ERROR_SIZE + 64];
	bool tls;
};

static int http_give_up(const struct http *http, const struct attempt *last, struct cni_error *err)
{
	char list[512] = "";
	size_t used = 0;

	cni_fail(err, last->tls ? CNI_CONFIG : CNI_RETRY, "%s %s: %s", http->what,
		 last->endpoint ? last->endpoint : http_endpoint(http), last->why);
	if (last->tls)
		return cni_hint(err,
				"check the certificates: the CA, the client's certificate and its key, which "
				"the configuration names, and the server's");
	for (size_t i = 0; i < http->n && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
					 http->endpoints[i].url);
	return cni_hint(err, "tried %s of %s; check that %s runs there and that this node reaches it", list,
			http->from, http->what);
}

/* A number from 0 to most. */
static long long http_random(long long most)
{
	uint16_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = 0;
	return most * random / UINT16_MAX;
}

/* When the endpoint that has just answered may be asked again: after its Retry-After, and up to as long
 * again, so that nodes do not all come back in the same second. */
static long long http_free_from(const struct http *http)
{
	const long long now = block_now_ms(), left = *http->deadline_ms - now;
	curl_off_t after = 0;
	long long wait, more;

	if (curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &after) != CURLE_OK || after <= 0)
		return 0;
	wait = (after < 3600 ? (long long)after : 3600) * 1000;
	more = (left - wait) / 2;
	return now + wait + http_random(more < 0 ? 0 : more < wait ? more : wait);
}

/* Has the last attempt found an endpoint that runs, and has more to do than it can? Not if it followed a
 * failure of another kind, and the deadline left it no time. */
static bool http_is_busy(const struct http *http, CURLcode rc, long status, const struct attempt *before)
{
	const bool cut = before->endpoint && block_now_ms() >= *http->deadline_ms;

	return rc == CURLE_OK ? status == 429 : rc == CURLE_OPERATION_TIMEDOUT && http->connected && !cut;
}

static bool http_attempt(struct http *http, const char *method, const char *path, const char *text,
			 long long patience, struct reply *ret, struct attempt *last)
{
	struct service *service = &http->endpoints[http->current];
	char why[sizeof(last->why)] = "";
	struct body answer = { 0 };
	bool answered;
	CURLcode rc;

	*ret = (struct reply){ 0 };
	rc = ask(http, method, path, text, patience, &answer, why);
	if (answer.too_long || (rc != CURLE_OK && !*why))
		snprintf(why, sizeof(why), "%s",
			 answer.too_long ? "the answer is too long" : curl_easy_strerror(rc));
	answered = rc == CURLE_OK && http_is_reply(http, &answer, ret, why, sizeof(why));
	free(answer.text);
	if (answered)
		return true;
	json_decref(ret->doc);
	http->busy |= http_is_busy(http, rc, ret->status, last);
	service->tls = http_is_tls(rc, why);
	service->free_ms = rc == CURLE_OK ? http_free_from(http) : 0;
	/* the first cause says more than a timeout at the end */
	if (rc == CURLE_OPERATION_TIMEDOUT && last->endpoint)
		return false;
	*last = (struct attempt){ .endpoint = service->url, .tls = service->tls };
	memcpy(last->why, why, sizeof(why));
	return false;
}

/* The next endpoint in turn that may be asked now; if Retry-After forbids all, the one that may be asked
 * first. */
static void http_choose_next(struct http *http)
{
	const long long now = block_now_ms();
	size_t next = http->current, best = http->n;

	for (size_t i = 0; i < http->n && (best == http->n || http->endpoints[best].free_ms > now); i++) {
		next = (next + 1) % http->n;
		if (best == http->n || http->endpoints[next].free_ms < http->endpoints[best].free_ms)
			best = next;
	}
	http->current = best;
}

/* No pause in the first round of the endpoints, then longer and longer ones, by a random factor so that nodes
 * do not repeat at the same moment; never shorter than the endpoint asks. */
static long long http_pause_before(const struct http *http, size_t tries)
{
	const long long most = tries < http->n ? 0 : (long long)PAUSE_MS << (tries < 5 ? tries - 1 : 4);
	const long long pause = most / 2 + http_random(most);
	const long long wait = http->endpoints[http->current].free_ms - block_now_ms();

	return wait > pause ? wait : pause;
}

/* Has the last attempt on each endpoint failed by TLS? */
static bool http_fails_by_tls(const struct http *http)
{
	for (size_t i = 0; i < http->n; i++)
		if (!http->endpoints[i].tls)
			return false;
	return true;
}

/* Was the last request sent to an endpoint, although perhaps not answered? */
static bool http_was_sent(const struct http *http)
{
	curl_off_t time = 0;

	return curl_easy_getinfo(http->curl, CURLINFO_PRETRANSFER_TIME_T, &time) == CURLE_OK && time > 0;
}

int http_call(struct http *http, const char *method, const char *path, const json_t *body, struct reply *ret,
	      struct cni_error *err)
{
	struct attempt last = { .endpoint = NULL, .why = "no time is left" };
	autofree char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	long long left = *http->deadline_ms - block_now_ms(), pause, patience = http->try_ms;
	bool reached = false;

	if (body && !text)
		return cni_fail(err, CNI_RETRY, "out of memory");
	http->silent = http->busy = false;
	http->connect_ms = CONNECT_MS;
	for (size_t i = 0; i < http->n; i++)
		http->endpoints[i].tls = false;
	for (size_t tries = 1; left > 0; tries++) {
		if (http_attempt(http, method, path, text, patience, ret, &last))
			return 0;
		reached |= http_was_sent(http);
		http_choose_next(http);
		/* repetitions would add to the load of a busy service */
		if (tries % http->n == 0) {
			patience *= 2;
			http->connect_ms *= 2;
		}
		pause = http_pause_before(http, tries);
		left = *http->deadline_ms - block_now_ms() - pause;
		if (!reached && http->reach_ms && block_now_ms() + pause > http->reach_ms)
			break;
		if (left <= 0 || http_fails_by_tls(http))
			break;
		http_pause_ms(pause);
	}
	http->silent = true;
	return http_give_up(http, &last, err);
}

int http_refused(const struct http *http, const struct reply *reply, const char *path, struct cni_error *err)
{
	const char *text = NULL, *error = NULL;
	bool denied = reply->status == 401 || reply->status == 403;

	field_string(reply->doc, "", "message", &text, NULL);
	field_string(reply->doc, "", "error", &error, NULL);
	cni_fail(err, reply->status < 500 && !http_is_full(reply) ? CNI_CONFIG : CNI_RETRY,
		 "%s %s%s: HTTP %ld%s%.200s", http->what, http_endpoint(http), path, reply->status,
		 text || error || *reply->text ? ": " : "",
		 text	 ? text
		 : error ? error
			 : reply->text);
	if (http_is_full(reply))
		return cni_hint(err, "compact etcd, call etcdctl defrag and etcdctl alarm disarm; with "
				     "--auto-compaction-retention etcd compacts itself");
	if (reply->status == 401)
		return cni_hint(err, "the service does not accept the certificate, token or password of the "
				     "configuration; it may have expired");
	if (reply->status == 404 && !reply->doc)
		return cni_hint(err,
				"is this the address of the service? etcd answers so if its JSON gateway "
				"is off (--enable-grpc-gateway)");
	/* a quota, a webhook or the end of a namespace refuses with 403, too */
	return denied && (!text || strstr(text, "cannot ") || strstr(text, "denied"))
		       ? cni_hint(err, "the user or token of the configuration has no right to do this")
		       : -1;
}
