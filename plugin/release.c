/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/release.h"

#include <string.h>

#include "cni/cleanup.h"
#include "plugin/kinds.h"

/* Writes a page without objects and locks it. FOUND: another call has made a page meanwhile. */
static enum found release_reserve(struct release *release, struct rtnl *host, const struct attachment *who,
				  const char *network, struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct page page = {
		.container = who->container, .ifname = who->ifname, .network = network, .path = ""
	};
	struct ledger ledger;
	enum found found;

	/* if the ledger cannot be locked, no other call can add the attachment either */
	if (ledger_lock(&ledger, host, NULL) < 0)
		return FOUND_NOT;
	found = page_lock(&release->lock, &ledger, who, false, &why);
	if (found == FOUND) {
		cleanup_close(&release->lock);
		release->lock = -1;
	}
	if (found == FOUND_FAILED && !*why.msg) /* another call releases it */
		found = FOUND;
	if (found == FOUND_NOT)
		page_write(&ledger, &page, &release->lock, NULL);
	release->page = page;
	ledger_unlock(&ledger);
	ledger_close(&release->ledger);
	release->ledger = ledger;
	if (found == FOUND_FAILED)
		cni_fail_as(err, &why);
	return found;
}

enum found release_begin(struct release *ret, struct rtnl *host, const struct attachment *who,
			 const char *network, bool wait, struct cni_error *err)
{
	enum found found;

	for (;;) {
		*ret = (struct release){ .lock = -1 };
		view_open(&ret->view, host);
		found = ledger_open(&ret->ledger, host, err);
		if (found == FOUND)
			found = page_lock(&ret->lock, &ret->ledger, who, wait, err);
		if (found == FOUND)
			found = page_read_locked(&ret->page, &ret->ledger, who, ret->lock, err);
		if (found == FOUND_FAILED)
			release_end(ret);
		if (found != FOUND_NOT)
			return found;
		found = release_reserve(ret, host, who, network, err);
		if (found == FOUND_NOT)
			return found;
		release_end(ret);
		if (found == FOUND_FAILED)
			return found;
	}
}

static int release_look(struct release *release, struct cni_error *err)
{
	for (size_t i = 0; i < release->page.n_objects; i++)
		if (object_look(&release->view, &release->page.objects[i], true, err) < 0)
			return -1;
	release->view.looked = true;
	return 0;
}

/* If nft is not installed, its objects stay on the host and in the page until it is installed
 * again. */
static bool release_wait_for_program(const struct release *release, const struct cni_error *why)
{
	if (nft_program())
		return false;
	cni_log("container %s, interface %s: %s; `ipvlanctl gc`, or GC, removes the objects of nft after nft "
		"is installed again",
		release->page.container, release->page.ifname, why->msg);
	return true;
}

int release_host(struct release *release, struct cni_error *err)
{
	struct cni_error why = { 0 };
	const bool by_program = page_remove_by_program(&release->page, &release->view, &why) == 0;
	const bool waits = !by_program && release_wait_for_program(release, &why);
	int rc;

	if (!by_program && !waits)
		cni_fail_as(err, &why);
	why = (struct cni_error){ 0 };
	do {
		if (release->lock < 0)
			return 0; /* there is no page */
		if (ledger_lock_open(&release->ledger, err) < 0)
			return -1;
		rc = page_remove(&release->ledger, &release->page, &release->view, by_program, &why);
		ledger_unlock(&release->ledger);
	} while (rc == 1 && release_look(release, err) == 0);
	release->removed = rc == 0;
	if (waits && !*why.msg)
		return rc > 0 ? -1 : 0;
	if (rc < 0 && *why.msg)
		cni_fail_as(err, &why);
	return rc ? -1 : 0;
}

/* Removes the page that reserves the name, whether or not the release has succeeded. */
static void release_unreserve(struct release *release)
{
	if (release->removed || release->page.doc || release->lock < 0 ||
	    ledger_lock_open(&release->ledger, NULL) < 0)
		return;
	page_remove(&release->ledger, &release->page, &release->view, true, NULL);
	ledger_unlock(&release->ledger);
}

void release_end(struct release *release)
{
	release_unreserve(release);
	cleanup_close(&release->lock);
	page_free(&release->page);
	view_close(&release->view);
	ledger_close(&release->ledger);
}

static void release_see(const struct link *link, void *arg)
{
	bool *found = arg;

	*found |= !strcmp(link->kind, "ipvlan");
}

/* Has the namespace an ipvlan interface, whatever its name? True also if that is not known. */
static bool release_has_interface(struct alive *alive, const struct netns_id *netns)
{
	autoclose int fd = -1;
	bool any = false;
	struct rtnl pod;

	if (alive_open(alive, netns, &fd, NULL) != FOUND || rtnl_open(&pod, fd, NULL) < 0)
		return true;
	if (link_each(&pod, release_see, &any, NULL) < 0)
		any = true;
	rtnl_close(&pod);
	return any;
}

/* interface: the attachment is also gone if its namespace has no interface of ours. */
static bool release_is_gone(struct alive *alive, const struct netns_id *netns, bool interface)
{
	return !netns->inode || alive_seen(alive, netns) == FOUND_NOT ||
	       (interface && !release_has_interface(alive, netns));
}

static enum found release_if_gone(struct rtnl *host, struct alive *alive, const struct attachment *who,
				  bool interface, struct cni_error *err)
{
	struct release release;
	enum found found = release_begin(&release, host, who, "", false, err);
	int rc = 0;

	if (found == FOUND_FAILED)
		return err && *err->msg ? FOUND_FAILED : FOUND_NOT;
	if (found == FOUND && !release_is_gone(alive, &release.page.netns, interface))
		found = FOUND_NOT;
	if (found == FOUND) {
		cni_log("network %s: releasing the objects of container %s, interface %s, on the host: its "
			"%s does not exist",
			release.page.network, release.page.container, release.page.ifname,
			interface ? "interface" : "network namespace");
		rc = release_host(&release, err);
	}
	release_end(&release);
	return rc < 0 ? FOUND_FAILED : found;
}

enum found release_gone(struct rtnl *host, struct alive *alive, const struct attachment *who,
			struct cni_error *err)
{
	return release_if_gone(host, alive, who, false, err);
}

/* FOUND: no call releases the rival now, and its page exists. FOUND_NOT: it was released meanwhile. */
static enum found release_wait_for(struct rtnl *host, const struct attachment *who, struct cni_error *err)
{
	struct ledger ledger;
	autoclose int lock = -1;
	enum found found = ledger_open(&ledger, host, err);

	if (found == FOUND)
		found = page_lock(&lock, &ledger, who, true, err);
	ledger_close(&ledger);
	return found;
}

int release_rival(struct rtnl *host, const struct rival *rival, struct cni_error *err)
{
	const struct attachment who = { rival->container, rival->ifname };
	struct cni_error why = { 0 };
	struct alive alive;
	enum found found = release_wait_for(host, &who, &why);

	if (found == FOUND) {
		alive_read(&alive);
		found = alive.partial || release_if_gone(host, &alive, &who, true, &why) != FOUND
				? FOUND_FAILED
				: FOUND;
		alive_free(&alive);
	}
	if (found == FOUND_FAILED)
		return -1;
	*err = (struct cni_error){ 0 };
	return 0;
}

bool release_would_end(const struct ledger *ledger, const struct rival *rival)
{
	const struct attachment who = { rival->container, rival->ifname };
	struct alive alive;
	struct page page;
	bool gone;
	enum found found = page_read(&page, ledger, &who, NULL);

	if (found != FOUND) /* FOUND_NOT: a DEL has just released it */
		return found == FOUND_NOT && *rival->ifname;
	alive_read(&alive);
	gone = !alive.partial && release_is_gone(&alive, &page.netns, true);
	alive_free(&alive);
	page_free(&page);
	return gone;
}
