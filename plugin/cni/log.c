#include "cni/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"

#define LINE_MAX_LEN 4096

static const char *const names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
};

/* One process serves one request, of which every line tells. */
static struct {
	const struct request *req; /* NULL: not known yet */
	const char *file;	   /* NULL: stderr */
	enum log_level level;
	struct timespec start;
} state = { .level = LOG_WARNING };

static int parse_level(const char *text)
{
	for (int level = LOG_ERROR; level <= LOG_INFO; level++)
		if (!strcmp(text, names[level]))
			return level;
	return -1;
}

static int read_keys(const json_t *conf, const char **file, const char **level, struct cni_error *err)
{
	if (field_string(conf, "", "logFile", file, err) < 0 ||
	    field_string(conf, "", "logLevel", level, err) < 0)
		return -1;
	if (**file && **file != '/')
		return cni_fail(err, CNI_CONFIG, "logFile must be an absolute path, not \"%s\"", *file);
	if (parse_level(*level) < 0)
		return cni_fail(err, CNI_CONFIG,
				"logLevel must be \"error\", \"warning\" or \"info\", not \"%s\"", *level);
	return 0;
}

int log_check(const json_t *conf, struct cni_error *err)
{
	const char *file = "", *level = names[LOG_WARNING];

	return read_keys(conf, &file, &level, err);
}

void log_begin(const struct request *req)
{
	const char *file = "", *level = names[LOG_WARNING];
	struct cni_error why = { 0 };

	if (read_keys(req->conf, &file, &level, &why) < 0) {
		cni_log("%s", why.msg);
		return;
	}
	state.req = req;
	state.file = *file ? file : NULL;
	state.level = (enum log_level)parse_level(level);
	if (state.level == LOG_INFO)
		clock_gettime(CLOCK_MONOTONIC, &state.start);
}

/* A line a write, so that those of several processes do not mix. */
static int write_line(enum log_level level, const char *text)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	autoclose int fd = open(state.file, flags, 0640);
	const struct request *req = state.req;
	char line[LINE_MAX_LEN], when[32];
	const time_t now = time(NULL);
	struct tm utc;
	int len;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	len = snprintf(line, sizeof(line), "%s %s %s network=%s container=%s ifname=%s: %s\n", when,
		       names[level], req->command, req->name, req->container, req->ifname, text);
	if (len >= (int)sizeof(line))
		len = (int)sizeof(line) - 1;
	return fd >= 0 && write(fd, line, (size_t)len) == len ? 0 : -1;
}

__attribute__((format(printf, 2, 0))) static void put_line(enum log_level level, const char *line,
							   va_list args)
{
	char text[LINE_MAX_LEN];

	if (level > state.level || (!state.file && level != LOG_WARNING))
		return;
	vsnprintf(text, sizeof(text), line, args);
	for (char *c = text; (c = strpbrk(c, "\r\n"));)
		*c = ' ';
	if (state.file && write_line(level, text) == 0)
		return;
	if (state.file)
		fprintf(stderr, "cannot write to logFile %s: %s\n", state.file, strerror(errno));
	fprintf(stderr, "%s\n", text);
}

void log_line(enum log_level level, const char *line, ...)
{
	va_list args;

	va_start(args, line);
	put_line(level, line, args);
	va_end(args);
}

void cni_log(const char *line, ...)
{
	va_list args;

	va_start(args, line);
	put_line(LOG_WARNING, line, args);
	va_end(args);
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
