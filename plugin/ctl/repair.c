/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cni/log.h"
#include "ctl/commands.h"
#include "ctl/text.h"
#include "plugin/repair.h"

struct count {
	size_t all, beyond;
	bool dry_run;
};

static const struct {
	enum paint paint;
	const char *word;
} states[] = {
	[REPAIR_MISSING] = { YELLOW, "missing" }, [REPAIR_MENDED] = { GREEN, "mended" },
	[REPAIR_STALE] = { YELLOW, "stale" },	  [REPAIR_REMOVED] = { GREEN, "removed" },
	[REPAIR_BEYOND] = { RED, "cannot" },
};

static void repair_print(const struct repair_finding *finding, void *arg)
{
	const struct cni_error *why = finding->why;
	struct count *count = arg;

	count->all++;
	count->beyond += finding->state == REPAIR_BEYOND;
	text_put(states[finding->state].paint, "%-8s", states[finding->state].word);
	if (finding->object)
		text_put(PLAIN, "%s, ", object_text(finding->object).s);
	if (finding->page)
		text_put(PLAIN, "%s container %s, interface %s, network %s", finding->in_pod ? "in" : "for",
			 finding->page->container, finding->page->ifname, finding->page->network);
	else
		text_put(PLAIN, "for no container");
	text_end();
	if (!why)
		return;
	text_put(PLAIN, "        %s", why->msg);
	if (*why->details)
		text_put(PLAIN, "; %s", why->details);
	text_end();
}

static void repair_sum_up(const struct count *count)
{
	if (!count->all)
		text_put(PLAIN, "Nothing is missing.");
	else if (count->dry_run)
		text_put(YELLOW, "Nothing was changed: ipvlanctl repair restores the missing objects.");
	if (!count->all || count->dry_run)
		text_end();
}

int repair_main(int argc, char **argv)
{
	struct count count = { .all = 0 };
	struct repair repair = { .by = COUNTERS_COMMAND, .each = repair_print, .arg = &count };
	struct cni_error err = { 0 };
	struct rtnl host;
	int rc;

	count.dry_run = repair.dry_run = option_take(&argc, argv, "--dry-run");
	repair.only = argc > 1 ? argv[1] : NULL;
	rc = rtnl_open(&host, -1, &err);
	if (rc == 0) {
		repair.host = &host;
		rc = repair_run(&repair, &err);
		rtnl_close(&host);
	}
	if (rc < 0) {
		cni_log("ipvlanctl: %s", err.msg);
		return 1;
	}
	repair_sum_up(&count);
	return count.beyond ? 1 : 0;
}
