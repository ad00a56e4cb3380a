/* SPDX-License-Identifier: Apache-2.0 */
#include "net/shaper.h"

#include <linux/pkt_sched.h>

/* net/sched/sch_tbf.c and sch_fq_codel.c decide what the kernel accepts. */

#define SHAPER TC_H_MAKE(OUR_NUMBER << 16, 0)
#define SHAPER_CLASS TC_H_MAKE(OUR_NUMBER << 16, 1)

/* fq_codel's own target, five milliseconds, is less than a few packets take at a low rate: it would
 * drop a large part of them. */
#define TARGET_MIN_US 25000
#define TARGET_MAX_US 1000000
#define TARGET_BYTES 12000 /* eight packets of Ethernet */

/* Of the one queue without fq_codel: milliseconds in which the rate empties it, and the least bytes,
 * for a packet that is not cut into segments yet. */
#define QUEUE_MS 25
#define QUEUE_MIN 131072

static uint32_t shaper_limit(uint64_t bytes)
{
	return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static uint32_t shaper_target_us(uint64_t rate)
{
	const uint64_t time = TARGET_BYTES * 1000000ULL / rate;

	return time < TARGET_MIN_US ? TARGET_MIN_US : time > TARGET_MAX_US ? TARGET_MAX_US : (uint32_t)time;
}

static struct nlmsghdr *shaper_request(struct rtnl *nl, int link, uint32_t parent, uint32_t handle,
				       const char *kind)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));

	tc->tcm_ifindex = link;
	tc->tcm_parent = parent;
	tc->tcm_handle = handle;
	mnl_attr_put_strz_check(nlh, RTNL_REQUEST_MAX, TCA_KIND, kind);
	return nlh;
}

void shaper_queue_add(struct rtnl *nl, int link, uint64_t rate, uint32_t burst)
{
	const struct tc_tbf_qopt options = {
		/* with a link layer the kernel requires no table of times */
		.rate = { .rate = shaper_limit(rate), .linklayer = TC_LINKLAYER_ETHERNET },
		.limit = shaper_limit(QUEUE_MIN + rate * QUEUE_MS / 1000),
	};
	struct nlmsghdr *nlh = shaper_request(nl, link, TC_H_ROOT, SHAPER, "tbf");
	struct nlattr *nest = mnl_attr_nest_start_check(nlh, RTNL_REQUEST_MAX, TCA_OPTIONS);

	mnl_attr_put_check(nlh, RTNL_REQUEST_MAX, TCA_TBF_PARMS, sizeof(options), &options);
	mnl_attr_put_u32_check(nlh, RTNL_REQUEST_MAX, TCA_TBF_BURST, burst);
	if (rate > UINT32_MAX)
		mnl_attr_put_u64_check(nlh, RTNL_REQUEST_MAX, TCA_TBF_RATE64, rate);
	mnl_attr_nest_end(nlh, nest);

	nlh = shaper_request(nl, link, SHAPER_CLASS, 0, "fq_codel");
	nest = mnl_attr_nest_start_check(nlh, RTNL_REQUEST_MAX, TCA_OPTIONS);
	mnl_attr_put_u32_check(nlh, RTNL_REQUEST_MAX, TCA_FQ_CODEL_TARGET, shaper_target_us(rate));
	mnl_attr_put_u32_check(nlh, RTNL_REQUEST_MAX, TCA_FQ_CODEL_INTERVAL, 10 * shaper_target_us(rate));
	mnl_attr_nest_end(nlh, nest);
}
