/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/own.h"
#include "cni/stderr.h"

#define LINE_MAX_LEN 4096
#define TEXT_MAX_LEN (LINE_MAX_LEN - 512) /* without the attachment */

static const char *const names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
};

/* A process serves one request at a time; every line is about it. */
static struct {
	const struct request *req; /* NULL: not known yet */
	const char *file;	   /* NULL: stderr */
	enum log_level level;
	struct timespec start;
	void (*divert)(void *arg, const char *line);
	void *divert_arg;
} state = { .level = LOG_WARNING };

/* Accepts the names of other plugins and runtimes too, in any case. */
static int log_parse_level(const char *text)
{
	static const struct {
		const char *name;
		enum log_level level;
	} known[] = {
		{ "panic", LOG_ERROR },	    { "fatal", LOG_ERROR }, { "error", LOG_ERROR },
		{ "warn", LOG_WARNING },    { "info", LOG_INFO },   { "notice", LOG_INFO },
		{ "warning", LOG_WARNING }, { "debug", LOG_INFO },  { "verbose", LOG_INFO },
		{ "trace", LOG_INFO },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcasecmp(text, known[i].name))
			return (int)known[i].level;
	return -1;
}

/* Leaves *ret unchanged if the key is absent or not valid. */
static void log_read_level(const json_t *conf, enum log_level *ret)
{
	const char *text = "";
	int level;

	own_string(conf, "", "logLevel", &text);
	level = log_parse_level(text);
	if (level >= 0)
		*ret = (enum log_level)level;
	else if (*text)
		log_ignored("logLevel must be \"error\", \"warning\" or \"info\", not \"%s\"", text);
}

static void log_read_file(const json_t *conf, const char **ret)
{
	const char *path = "";

	own_string(conf, "", "logFile", &path);
	if (*path == '/')
		*ret = path;
	else if (*path)
		log_ignored("logFile must be an absolute path, not \"%s\"", path);
}

void log_begin(const struct request *req)
{
	state.req = req;
	log_read_file(req->conf, &state.file);
	log_read_level(req->conf, &state.level);
	if (state.level == LOG_INFO)
		clock_gettime(CLOCK_MONOTONIC, &state.start);
}

void log_end(void)
{
	state.req = NULL;
	state.file = NULL;
	state.level = LOG_WARNING;
}

void log_check(const json_t *conf)
{
	enum log_level level;
	const char *file;

	log_read_file(conf, &file);
	log_read_level(conf, &level);
}

void log_divert(void (*to)(void *arg, const char *line), void *arg)
{
	state.divert = to;
	state.divert_arg = arg;
}

struct line {
	char text[VISIBLE_GROWTH * LINE_MAX_LEN + 1];
	size_t len;
};

static void log_make_line(struct line *line, const char *text)
{
	line->len = visible(line->text, text, strlen(text), true);
	line->text[line->len++] = '\n';
}

static void log_to_stderr(const char *text)
{
	struct line line;

	log_make_line(&line, text);
	stderr_put(line.text, line.len);
}

/* One write for each line, so that the lines of several processes do not mix. */
static int log_write_line(enum log_level level, const char *text)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	autoclose int fd = open(state.file, flags, 0640);
	const struct request *req = state.req;
	char whole[LINE_MAX_LEN], when[32];
	const time_t now = time(NULL);
	struct line line;
	struct tm utc;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	snprintf(whole, sizeof(whole), "%s %s %s network=%s container=%s ifname=%s: %s", when, names[level],
		 req->command, req->name, req->container, req->ifname, text);
	log_make_line(&line, whole);
	return fd >= 0 && write(fd, line.text, line.len) == (ssize_t)line.len ? 0 : -1;
}

__attribute__((format(printf, 2, 0))) static void log_put_line(enum log_level level, const char *line,
							       va_list args)
{
	char text[TEXT_MAX_LEN], why[LINE_MAX_LEN];

	if (level > state.level || (!state.file && level != LOG_WARNING))
		return;
	vsnprintf(text, sizeof(text), line, args);
	if (state.divert) {
		state.divert(state.divert_arg, text);
		return;
	}
	if (state.file && log_write_line(level, text) == 0)
		return;
	if (state.file) {
		snprintf(why, sizeof(why), "cannot write to logFile %s: %s", state.file, strerror(errno));
		log_to_stderr(why);
	}
	log_to_stderr(text);
}

void log_line(enum log_level level, const char *line, ...)
{
	va_list args;

	va_start(args, line);
	log_put_line(level, line, args);
	va_end(args);
}

void cni_log(const char *line, ...)
{
	va_list args;

	va_start(args, line);
	log_put_line(LOG_WARNING, line, args);
	va_end(args);
}

void log_ignored(const char *line, ...)
{
	char text[LINE_MAX_LEN];
	va_list args;

	if (state.req && strcmp(state.req->command, "ADD") != 0)
		return;
	va_start(args, line);
	vsnprintf(text, sizeof(text), line, args);
	va_end(args);
	cni_log("ignored: %s", text);
}

bool log_has_file(void)
{
	return state.file;
}

void log_done(void)
{
	struct timespec now;

	if (state.level != LOG_INFO)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	log_line(LOG_INFO, "done in %lld ms",
		 (now.tv_sec - state.start.tv_sec) * 1000LL + (now.tv_nsec - state.start.tv_nsec) / 1000000);
}
