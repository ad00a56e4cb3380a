/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/log.h"
#include "net/rtnl.h"
#include "node/account.h"
#include "node/install.h"
#include "node/render.h"

int pass_open(struct pass *ret, const struct options *options, struct cni_error *err)
{
	*ret = (struct pass){ .options = options, .place = { .instances = -1, .running = -1 } };
	if (!options_place(options))
		return 0;
	ret->said = mmap(NULL, PASS_STEPS * sizeof(*ret->said), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ret->said == MAP_FAILED)
		return cni_fail(err, CNI_RETRY, "out of memory");
	return place_open(&ret->place, options->keep_dir, err);
}

void pass_close(struct pass *pass)
{
	place_close(&pass->place);
}

static int pass_install(const struct pass *pass, struct cni_error *err)
{
	return pass->options->install_from ? install_run(&pass->place, pass->options, err) : 0;
}

static int pass_account(const struct pass *pass, struct cni_error *err)
{
	autofree char *text = NULL;
	struct content content = { .mode = 0600 };
	enum placed placed;

	if (!pass->options->account_dir)
		return 0;
	text = account_kubeconfig(pass->options, err);
	if (!text)
		return -1;
	content.bytes = text;
	content.len = strlen(text);
	placed = place_put(&pass->place, pass->options->kubeconfig, &content, err);
	if (placed > PLACE_SAME)
		cni_log("wrote %s", pass->options->kubeconfig);
	return placed == PLACE_FAILED ? -1 : 0;
}

static int pass_render(const struct pass *pass, struct cni_error *err)
{
	struct rtnl host;
	int rc;

	if (!pass->options->template)
		return 0;
	if (rtnl_open(&host, -1, err) < 0)
		return -1;
	rc = render_run(&pass->place, pass->options, &host, err);
	rtnl_close(&host);
	return rc;
}

/* A fault that lasts is reported once. */
static void pass_say(char *said, const struct cni_error *err)
{
	char line[PASS_LINE] = "";

	snprintf(line, sizeof(line), "%s%s%s", err->msg, err->details[0] ? "; " : "", err->details);
	if (err->msg[0] && strcmp(line, said) != 0)
		cni_log("%s", line);
	memcpy(said, line, sizeof(line));
}

/* The configuration comes last: it makes the node ready, and requires the others. */
int pass_run(void *arg)
{
	static int (*const steps[PASS_STEPS])(const struct pass *, struct cni_error *) = { pass_install,
											   pass_account,
											   pass_render };
	const struct pass *pass = arg;
	bool failed = false;
	int replaced = 0;

	for (size_t i = 0; i < PASS_STEPS && !failed; i++) {
		struct cni_error err = { 0 };
		const int rc = steps[i](pass, &err);

		pass_say(pass->said[i], &err);
		failed = rc < 0;
		replaced += rc > 0;
	}
	return failed ? PASS_FAILED : replaced ? PASS_REPLACED : PASS_DONE;
}

/* The last fault that a step has reported; "" before the first pass ends. */
static const char *pass_fault(const struct pass *pass)
{
	const char *fault = "";

	for (size_t i = 0; pass->said && i < PASS_STEPS; i++)
		if (*pass->said[i])
			fault = pass->said[i];
	return fault;
}

static int pass_write(const char *path, const char *text)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const ssize_t len = (ssize_t)strlen(text);

	return fd < 0 || write(fd, text, (size_t)len) != len ? -1 : 0;
}

/* The reason is beside the ready file, from before that one disappears until after it appears. */
void pass_report(const struct pass *pass, bool ready)
{
	const char *path = pass->options->ready_file;
	char reason[PATH_MAX];

	if (!path)
		return;
	snprintf(reason, sizeof(reason), "%s" PASS_REASON, path);
	if (pass_write(ready ? path : reason, ready ? "" : pass_fault(pass)) < 0)
		cni_log("cannot write %s: %s", ready ? path : reason, errno_text(errno));
	unlink(ready ? reason : path);
}

int pass_is_ready(const char *path)
{
	autofree char *text = NULL;
	char reason[PATH_MAX];
	size_t len;

	if (access(path, F_OK) == 0)
		return 0;
	snprintf(reason, sizeof(reason), "%s" PASS_REASON, path);
	text = place_read(reason, &len, NULL);
	puts(text && len ? text : "not everything is in place yet");
	return 1;
}
