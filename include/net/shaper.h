/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shaper: the qdisc tbf of a link, which delays the packets that the link sends too fast. Inside it
 * the qdisc fq_codel has a queue for each connection, so that none waits for the others.
 *
 * Whoever owns the link's namespace can delete the shaper, so something else must enforce the rate.
 * `tc qdisc show` shows it with the handle 69:, OUR_NUMBER.
 */
#ifndef NET_SHAPER_H
#define NET_SHAPER_H

#include <stdint.h>

#include "net/rtnl.h"

/*
 * Queues SHAPER_REQUESTS requests; rtnl_commit() sends them. rate: bytes a second. burst: bytes that
 * pass at once. The kernel may refuse the second request, for fq_codel: then all packets wait in one
 * queue.
 */
#define SHAPER_REQUESTS 2
void shaper_queue_add(struct rtnl *nl, int link, uint64_t rate, uint32_t burst);

#endif
