/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/learn.h"

#include <linux/if_addr.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cni/process.h"
#include "net/addr.h"

/* The kernel solicits routers after duplicate address detection for its link-local address, which
 * takes two seconds at most. A router answers within half a second. Then follows the detection for
 * the new address (RFC 4861 6.3.7, 6.2.6). */
#define PATIENCE_MS 6000
#define INTERVAL_MS 100

struct lesson {
	const struct iface *iface;
	struct result came;
	bool tentative;
	int rc;
	struct cni_error *err;
};

static void learn_address(const struct addr_seen *seen, void *arg)
{
	struct lesson *lesson = arg;
	struct result one = { .n_ips = 1 };
	struct cni_ip ip = { .address = seen->address, .interface = -1 };

	if (seen->link != lesson->iface->link.index || seen->address.ip.family != AF_INET6 ||
	    seen->scope != RT_SCOPE_UNIVERSE || seen->flags & (IFA_F_PERMANENT | IFA_F_TEMPORARY))
		return;
	lesson->tentative |= (seen->flags & IFA_F_TENTATIVE) != 0;
	one.ips = &ip;
	lesson->rc |= result_append(&lesson->came, &one, lesson->err);
}

static void learn_route(const struct route_seen *seen, void *arg)
{
	struct lesson *lesson = arg;
	const struct cni_route route = { .dst = seen->dst, .gw = seen->gw, .table = -1, .scope = -1 };

	if (seen->link == lesson->iface->link.index && seen->protocol == RTPROT_RA && seen->gw.family)
		lesson->rc |= result_add_route(&lesson->came, &route, lesson->err);
}

/* FOUND: routers have advertised something, and the addresses are usable. */
static enum found learn_look(struct lesson *lesson)
{
	struct rtnl *pod = (struct rtnl *)&lesson->iface->pod;

	result_free(&lesson->came);
	lesson->tentative = false;
	if (addr_each(pod, learn_address, lesson, lesson->err) < 0 ||
	    route_each(pod, AF_INET6, RT_TABLE_MAIN, learn_route, lesson, lesson->err) < 0 || lesson->rc < 0)
		return FOUND_FAILED;
	return (lesson->came.n_ips || lesson->came.n_routes) && !lesson->tentative ? FOUND : FOUND_NOT;
}

static enum found learn_wait(struct lesson *lesson)
{
	const long long end = process_now_ms() + PATIENCE_MS;
	const struct timespec pause = { .tv_nsec = INTERVAL_MS * 1000000L };
	enum found found;

	while ((found = learn_look(lesson)) == FOUND_NOT && process_now_ms() < end)
		nanosleep(&pause, NULL);
	return found;
}

struct lesson_text {
	char s[2 * sizeof(struct ip_str) + sizeof(" via ")];
};

static struct lesson_text learn_text_of_route(const struct cni_route *route)
{
	struct lesson_text text;

	snprintf(text.s, sizeof(text.s), "%s via %s", prefix_text(&route->dst).s, ip_text(&route->gw).s);
	return text;
}

/* The texts by which CHECK finds them again. */
static void learn_fill(json_t *list, const struct result *came)
{
	for (size_t i = 0; i < came->n_ips; i++)
		json_array_append_new(list, json_string(prefix_text(&came->ips[i].address).s));
	for (size_t i = 0; i < came->n_routes; i++)
		json_array_append_new(list, json_string(learn_text_of_route(&came->routes[i]).s));
}

int learn_begin(struct page *page, struct cni_error *err)
{
	page->learned = json_array();
	return page->learned ? 0 : cni_fail(err, CNI_RETRY, "out of memory");
}

int learn_routers(struct iface *iface, struct result *given, struct page *page, struct cni_error *err)
{
	struct lesson lesson = { .iface = iface, .err = err };
	enum found found = learn_wait(&lesson);
	int rc = found == FOUND_FAILED ? -1 : result_append(given, &lesson.came, err);

	if (rc == 0 && !lesson.came.n_ips && !lesson.came.n_routes)
		cni_log("no router advertisement arrived at %s within %d s", iface->req->ifname,
			PATIENCE_MS / 1000);
	else if (rc == 0)
		learn_fill(page->learned, &lesson.came);
	result_free(&lesson.came);
	return rc;
}

static bool learn_contains(const json_t *list, const char *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (!strcmp(json_string_value(entry) ? json_string_value(entry) : "", text))
			return true;
	return false;
}

static void learn_drop(struct result *prev, const json_t *list)
{
	size_t ips = 0, routes = 0;

	for (size_t i = 0; i < prev->n_ips; i++)
		if (!learn_contains(list, prefix_text(&prev->ips[i].address).s))
			prev->ips[ips++] = prev->ips[i];
	for (size_t i = 0; i < prev->n_routes; i++)
		if (!learn_contains(list, learn_text_of_route(&prev->routes[i]).s))
			prev->routes[routes++] = prev->routes[i];
	prev->n_ips = ips;
	prev->n_routes = routes;
}

int learn_forget(struct iface *iface, struct result *prev, struct cni_error *err)
{
	const struct attachment who = { iface->req->container, iface->req->ifname };
	struct ledger ledger;
	struct page page;
	enum found found = ledger_open(&ledger, &iface->host, err);

	if (found == FOUND)
		found = page_read(&page, &ledger, &who, err);
	if (found == FOUND) {
		learn_drop(prev, page.learned);
		page_free(&page);
	}
	ledger_close(&ledger);
	return found == FOUND_FAILED ? -1 : 0;
}
