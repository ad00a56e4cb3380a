/* SPDX-License-Identifier: Apache-2.0 */
#include "net/use.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/pkt_sched.h>

#include "net/addr.h"
#include "net/hairpin.h"

struct use {
	int link;
	const char *what; /* NULL: nothing */
	bool clsact;
};

static void use_by_link(const struct link *link, void *arg)
{
	struct use *use = arg;

	if (link->parent == use->link && !link->parent_elsewhere && link->group != OUR_NUMBER)
		use->what = "a link above it";
}

/* The kernel makes link-local addresses, and addresses from router advertisements. */
static void use_by_address(const struct addr_seen *seen, void *arg)
{
	const bool made_by_kernel = seen->address.ip.family == AF_INET6 &&
				    (ip_is_link_local(&seen->address.ip) ||
				     (!(seen->flags & IFA_F_PERMANENT) && seen->address.len == 64));
	struct use *use = arg;

	if (seen->link == use->link && !made_by_kernel)
		use->what = "an address";
}

static void use_by_route(const struct route_seen *seen, void *arg)
{
	struct use *use = arg;

	if (seen->link == use->link && seen->type == RTN_UNICAST && seen->protocol != RTPROT_KERNEL &&
	    seen->protocol != RTPROT_RA && seen->protocol != RTPROT_REDIRECT && seen->protocol != OUR_NUMBER)
		use->what = "a route";
}

/* A queueing discipline of the kernel has no handle. */
static void use_by_qdisc(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct use *use = arg;

	if (nlh->nlmsg_type != RTM_NEWQDISC || mnl_nlmsg_get_payload_len(nlh) < sizeof(*tcm) ||
	    tcm->tcm_ifindex != use->link || !tcm->tcm_handle)
		return;
	if (tcm->tcm_parent == TC_H_CLSACT)
		use->clsact = true;
	else
		use->what = "a queueing discipline";
}

static int use_ask_qdiscs(struct rtnl *nl, struct use *use, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETQDISC, NLM_F_DUMP);
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));
	int rc;

	tcm->tcm_ifindex = use->link;
	rc = rtnl_ask(nl, use_by_qdisc, use, err);
	if (rc > 0 && rc != EOPNOTSUPP) /* a kernel without queueing disciplines */
		return cni_fail(err, CNI_INTERNAL, "cannot list queueing disciplines: %s", errno_text(rc));
	if (rc >= 0 && use->clsact && !use->what) {
		enum found ours = hairpin_is_alone(nl, use->link, err);

		rc = ours == FOUND_FAILED ? -1 : 0;
		use->what = ours == FOUND_NOT ? "a queueing discipline" : NULL;
	}
	return rc < 0 ? -1 : 0;
}

enum found link_in_use(struct rtnl *nl, const struct link *link, const char **what, struct cni_error *err)
{
	struct use use = { .link = link->index, .what = link->holder ? "a master" : NULL };

	if (!use.what &&
	    (link_each(nl, use_by_link, &use, err) < 0 || addr_each(nl, use_by_address, &use, err) < 0 ||
	     route_each(nl, AF_INET, 0, use_by_route, &use, err) < 0 ||
	     route_each(nl, AF_INET6, 0, use_by_route, &use, err) < 0 || use_ask_qdiscs(nl, &use, err) < 0))
		return FOUND_FAILED;
	*what = use.what;
	return use.what ? FOUND : FOUND_NOT;
}
