#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ipam/ask.h"
#include "ipam/survey.h"
#include "ipam/verbs.h"

/* Can leases be written where they are, or will be? */
static int check_writable(const struct place *place, struct cni_error *err)
{
	const char *here = *place->data_dir == '/' ? "" : "./";
	char path[PATH_MAX];
	char *slash;
	int rc;

	if (snprintf(path, sizeof(path), "%s%s/%s", here, place->data_dir, place->network) >=
	    (int)sizeof(path))
		return cni_fail(err, CNI_CONFIG, "ipam.dataDir is longer than a path may be");
	/* up to the first directory that is there */
	while ((rc = access(path, W_OK | X_OK)) < 0 && errno == ENOENT && (slash = strrchr(path, '/')))
		slash[slash == path] = '\0';
	return rc == 0 ? 0
		       : cni_fail(err, CNI_UNAVAILABLE, "cannot write to %s: %s", path, errno_text(errno));
}

/* Has the cluster a block for us? */
static int ask_for_room(const struct request *req, const struct conf *conf, size_t pool,
			struct cni_error *err)
{
	char number[24];
	const char *argv[] = { "room", number, NULL };
	struct cni_error why = { 0 };
	json_auto_t *answer = NULL;

	snprintf(number, sizeof(number), "%zu", pool);
	answer = cluster_ask(req->config, req->config_len, argv, (int)conf->cluster.timeout, &why);
	if (answer)
		return 0;
	cni_fail(err, why.code == CNI_RETRY ? CNI_UNAVAILABLE : (enum cni_code)why.code, "%s", why.msg);
	return cni_hint(err, "%s", why.details);
}

static int check_room(const struct request *req, const struct conf *conf, struct cni_error *err)
{
	struct survey survey;
	int rc = 0;

	if (survey_read(&survey, conf, err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < conf->n_pools; i++) {
		const struct usage *usage = &survey.usage[i];

		if (usage->size > usage->used - usage->dead + usage->waiting)
			continue;
		if (conf->cluster.pool) {
			rc = ask_for_room(req, conf, i, err);
			continue;
		}
		rc = cni_fail(err, CNI_UNAVAILABLE, "no IP addresses available in range set: %s",
			      pool_text(&conf->pools[i]).s);
		cni_hint(err, "%llu of %llu are leased, %llu wait for reuseDelay",
			 (unsigned long long)usage->used, (unsigned long long)usage->size,
			 (unsigned long long)usage->waiting);
	}
	survey_free(&survey);
	return rc;
}

/* SPEC, STATUS: 50 when an ADD would fail now. */
int addrpool_status(const struct request *req, struct cni_error *err)
{
	struct conf conf;
	int rc;

	if (addrpool_conf_read(&conf, req, err) < 0)
		return -1;
	rc = check_writable(&conf.place, err);
	if (rc == 0)
		rc = check_room(req, &conf, err);
	addrpool_conf_free(&conf);
	return rc;
}
