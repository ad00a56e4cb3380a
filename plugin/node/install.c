/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/about.h"
#include "cni/cleanup.h"

/* ipvlan comes last: with it calls become those of this version. */
static const char *const programs[] = { "addrpool-claim", "addrpool", "ipvlan" };

static int install_one(const struct place *place, const struct options *options, const char *name,
		       struct cni_error *err)
{
	struct content content = { .mode = 0755 };
	char from[PATH_MAX], to[PATH_MAX];
	autofree char *bytes = NULL;
	enum placed placed;

	snprintf(from, sizeof(from), "%s/%s", options->install_from, name);
	snprintf(to, sizeof(to), "%s/%s", options->bin_dir, name);
	if (access(from, F_OK) < 0 && strcmp(name, "ipvlan") != 0)
		return 0;
	bytes = place_read(from, &content.len, err);
	content.bytes = bytes;
	placed = bytes ? place_put(place, to, &content, err) : PLACE_FAILED;
	if (placed > PLACE_SAME)
		cni_log("installed %s of ipvlan-cni %s%s", to, about_version(),
			placed == PLACE_REPLACED ? "; a copy of the other program that was there is kept"
						 : "");
	return placed == PLACE_FAILED ? -1 : placed == PLACE_REPLACED;
}

int install_run(const struct place *place, const struct options *options, struct cni_error *err)
{
	int replaced = 0;

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		const int rc = install_one(place, options, programs[i], err);

		if (rc < 0)
			return -1;
		replaced += rc;
	}
	return replaced;
}
