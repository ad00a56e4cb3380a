/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rtnl.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "net/addr.h"
#include "net/link.h"
#include "tap.h"

/*
 * A kernel whose answers the test sets. These functions replace libmnl's, so
 * that no socket is needed.
 */
static struct {
	char sent[4 * RTNL_QUEUE_MAX];
	size_t sent_len;
	int sends, receives;
	char answers[24][4096];
	size_t answer_len[24];
	bool ends[24]; /* it is the last message of the list */
	int n_answers, pauses;
} kernel;

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t siz)
{
	(void)nl;
	if (siz > sizeof(kernel.sent) - kernel.sent_len) {
		errno = ENOBUFS;
		return -1;
	}
	memcpy(kernel.sent + kernel.sent_len, req, siz);
	kernel.sent_len += siz;
	kernel.sends++;
	return (ssize_t)siz;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t siz)
{
	size_t len = kernel.receives < kernel.n_answers ? kernel.answer_len[kernel.receives] : 0;

	(void)nl;
	if (!len || len > siz) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buf, kernel.answers[kernel.receives++], len);
	return (ssize_t)len;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return -1;
}

/* of musl and of glibc */
#ifdef __GLIBC__
typedef int recv_flags;
#else
typedef unsigned int recv_flags;
#endif

int recvmmsg(int fd, struct mmsghdr *vmessages, unsigned int vlen, recv_flags flags, struct timespec *tmo)
{
	unsigned int i = 0;

	(void)fd, (void)flags, (void)tmo;
	for (ssize_t len; i < vlen && i < 4 && !(i && kernel.ends[kernel.receives - 1]); i++) {
		len = mnl_socket_recvfrom(NULL, vmessages[i].msg_hdr.msg_iov->iov_base,
					  vmessages[i].msg_hdr.msg_iov->iov_len);
		if (len < 0)
			break;
		vmessages[i].msg_len = (unsigned int)len;
	}
	return i ? (int)i : -1;
}

int nanosleep(const struct timespec *requested_time, struct timespec *remaining)
{
	(void)requested_time, (void)remaining;
	kernel.pauses++;
	return 0;
}

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len)
{
	(void)nl, (void)type, (void)buf, (void)len;
	return 0;
}

static struct rtnl nl;

/* Forgets everything, so that the next request has sequence number 1. */
static void start(void)
{
	memset(&kernel, 0, sizeof(kernel));
	memset(&nl, 0, sizeof(nl));
	nl.seq = nl.first = 1;
}

/* One more message of the answer that is to be received next, or of a new one. */
static struct nlmsghdr *message(bool in_new_answer, unsigned int type, unsigned int flags, unsigned int seq)
{
	struct nlmsghdr *nlh;
	int i;

	kernel.n_answers += in_new_answer || !kernel.n_answers;
	i = kernel.n_answers - 1;
	nlh = mnl_nlmsg_put_header(kernel.answers[i] + kernel.answer_len[i]);
	nlh->nlmsg_type = (__u16)type;
	nlh->nlmsg_flags = (__u16)flags;
	nlh->nlmsg_seq = seq;
	return nlh;
}

static void finish(const struct nlmsghdr *nlh)
{
	kernel.answer_len[kernel.n_answers - 1] += MNL_ALIGN(nlh->nlmsg_len);
}

/* The answer to a request: error 0 acknowledges it. The kernel sends the request back unless capped. */
static void answer(bool in_new_answer, unsigned int seq, int error, const char *sentence, bool capped)
{
	unsigned int flags = (sentence ? NLM_F_ACK_TLVS : 0) | (capped ? NLM_F_CAPPED : 0);
	struct nlmsghdr *nlh = message(in_new_answer, NLMSG_ERROR, flags, seq);
	struct nlmsgerr *e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e));

	e->error = -error;
	e->msg.nlmsg_len = sizeof(e->msg) + 24; /* of the request, also when only its header comes back */
	if (!capped)
		mnl_nlmsg_put_extra_header(nlh, 24);
	if (sentence) {
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, 16);
		mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, sentence);
	}
	finish(nlh);
}

static void link_message(bool in_new_answer, unsigned int flags, unsigned int seq, int index,
			 const char *name)
{
	struct nlmsghdr *nlh = message(in_new_answer, RTM_NEWLINK, flags, seq);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = index;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	finish(nlh);
}

static void queue(int n)
{
	for (int i = 0; i < n; i++)
		mnl_nlmsg_put_extra_header(rtnl_request(&nl, RTM_NEWADDR, 0), sizeof(struct ifaddrmsg));
}

struct seen {
	int n;
	struct rtnl_refusal refusals[8];
	char why[8][128];
};

static int keep(const struct rtnl_refusal *refusal, void *arg, struct cni_error *err)
{
	struct seen *seen = arg;

	snprintf(seen->why[seen->n], sizeof(seen->why[0]), "%s", refusal->why);
	seen->refusals[seen->n++] = *refusal;
	return cni_fail(err, CNI_INTERNAL, "refused %u", refusal->request);
}

static int overlook(const struct rtnl_refusal *refusal, void *arg, struct cni_error *err)
{
	(void)refusal, (void)err;
	++*(int *)arg;
	return 0;
}

static void test_acknowledged(void)
{
	struct cni_error err = { 0 };
	const struct nlmsghdr *sent = (const void *)kernel.sent;
	int left, n = 0, acks = 0;

	start();
	queue(3);
	answer(true, 3, 0, NULL, true);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), 0, "an acknowledgement of the last request is success");
	is_int(kernel.sends, 1, "three requests go out in one call");
	for (left = (int)kernel.sent_len; mnl_nlmsg_ok(sent, left); sent = mnl_nlmsg_next(sent, &left)) {
		acks += !!(sent->nlmsg_flags & NLM_F_ACK);
		is_int(sent->nlmsg_seq, ++n, "request %d has its number", n);
	}
	is_int(acks, 1, "only one asks for an acknowledgement");

	queue(1);
	answer(true, 4, 0, NULL, true);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), 0, "the same conversation goes on");
	is_str(err.msg, "", "without an error");
}

static void test_refused(void)
{
	struct cni_error err = { 0 };

	start();
	queue(1);
	answer(true, 1, EADDRINUSE, "Address already assigned to an ipvlan device.", false);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), -1, "a refusal is a failure");
	is_str(err.msg, errno_text(EADDRINUSE), "the message is the errno's");
	is_str(err.details, "Address already assigned to an ipvlan device.",
	       "the details are the kernel's own message, which follows the returned request");
	is_int(err.code, CNI_INTERNAL, "the code is that for the kernel");

	start();
	err = (struct cni_error){ 0 };
	queue(1);
	answer(true, 1, EPERM, "capped", true);
	rtnl_commit(&nl, NULL, NULL, &err);
	is_str(err.details, "capped", "a capped answer has its message right after the request's header");

	start();
	err = (struct cni_error){ 0 };
	queue(1);
	answer(true, 1, EINVAL, NULL, false);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), -1, "a kernel without own messages refuses too");
	is_str(err.details, "", "and there are no details");
	is_int(rtnl_commit((queue(1), answer(true, 2, EINVAL, NULL, true), &nl), NULL, NULL, NULL), -1,
	       "a NULL error is allowed");
}

static void test_several(void)
{
	struct cni_error err = { 0 };
	struct seen seen = { 0 };
	int overlooked = 0;

	start();
	queue(4);
	answer(true, 1, EOPNOTSUPP, "first", false);
	answer(false, 3, EEXIST, NULL, true);
	answer(true, 4, 0, NULL, true);
	is_int(rtnl_commit(&nl, keep, &seen, &err), -1, "two of four requests are refused");
	is_int(seen.n, 2, "both refusals are reported, in any number of packets");
	is_int(seen.refusals[0].request, 0, "the first request is number 0");
	is_int(seen.refusals[0].error, EOPNOTSUPP, "with its errno");
	is_str(seen.why[0], "first", "and its message");
	is_int(seen.refusals[1].request, 2, "the third is number 2");
	is_str(seen.why[1], "", "a missing message is empty");
	is_str(err.msg, "refused 0", "the first refusal is the error");

	queue(2);
	answer(true, 5, EEXIST, NULL, true);
	answer(true, 6, ENODEV, NULL, true);
	is_int(rtnl_commit(&nl, overlook, &overlooked, &err), 0, "refusals can be ignored");
	is_int(overlooked, 2, "one by one");

	seen.n = 0;
	queue(1);
	answer(true, 7, EINVAL, NULL, true);
	rtnl_commit(&nl, keep, &seen, NULL);
	is_int(seen.refusals[0].request, 0, "each commit counts its requests from 0");
}

static void test_strays(void)
{
	struct cni_error err = { 0 };
	struct nlmsghdr *nlh;

	start();
	nl.seq = nl.first = 10;
	queue(2);
	answer(true, 9, EINVAL, NULL, true);
	answer(true, 12, EINVAL, NULL, true);
	nlh = message(true, RTM_NEWLINK, 0, 0);
	finish(nlh);
	answer(true, 11, 0, NULL, true);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), 0, "answers to other requests do not count");
	is_int(kernel.receives, 4, "but are skipped");

	start();
	queue(1);
	nlh = message(true, NLMSG_ERROR, 0, 1);
	finish(nlh);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), -1, "an error message without an error is a failure");
	is_str(err.msg, "bad message", "which says so");
}

static void test_silence(void)
{
	struct cni_error err = { 0 };

	start();
	queue(1);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), -1, "silence is a failure");
	is_int(err.code, CNI_RETRY, "and a later call may succeed");
}

static void test_overflow(void)
{
	struct cni_error err = { 0 };
	struct seen seen = { 0 };
	int n = 500, left, sent = 0;
	const struct nlmsghdr *nlh = (const void *)kernel.sent;

	start();
	queue(n);
	ok(kernel.sends > 0, "requests that do not fit go out before the commit");
	answer(true, 1, EEXIST, NULL, true);
	answer(true, (unsigned int)n, 0, NULL, true);
	is_int(rtnl_commit(&nl, keep, &seen, &err), -1, "refusals of those are seen");
	is_int(seen.refusals[0].request, 0, "under their number");
	for (left = (int)kernel.sent_len; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		sent += nlh->nlmsg_type == RTM_NEWADDR && nlh->nlmsg_seq == (unsigned int)sent + 1;
	is_int(sent, n, "all have been sent once, in their order");
}

/* The type of the attribute that the last request put its name into. */
static int name_attribute(const char *name)
{
	const struct nlmsghdr *nlh = (const void *)kernel.sent;
	const struct nlattr *attr;

	start();
	link_find(&nl, name, &(struct link){ .index = 0 }, NULL);
	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg))
		if (!strcmp(mnl_attr_get_str(attr), name))
			return mnl_attr_get_type(attr);
	return -1;
}

static void test_names(void)
{
	is_int(name_attribute("fifteen-letters"), IFLA_IFNAME, "a name of 15 bytes is sent as a name");
	is_int(name_attribute("sixteen--letters"), IFLA_ALT_IFNAME, "one of 16 as an alternative name");
}

static void test_lost(void)
{
	struct cni_error err = { 0 };

	start();
	kernel.sent_len = sizeof(kernel.sent) - 1000;
	queue(500);
	kernel.sent_len = 0;
	answer(true, 500, 0, NULL, true);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), -1, "requests that could not be sent early are a failure");
	is_int(err.code, CNI_IO, "with code 5");
	is_str(err.msg, "cannot send to the kernel's rtnetlink: no buffer space available",
	       "which it reports");

	err = (struct cni_error){ 0 };
	queue(1);
	answer(true, 501, 0, NULL, true);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), 0, "the conversation goes on after that");
}

static void count(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	++*(int *)arg;
}

static void test_questions(void)
{
	struct cni_error err = { 0 };
	int n = 0, nothing = 0, no = -EOPNOTSUPP;
	struct nlmsghdr *nlh;

	start();
	queue(1);
	link_message(true, 0, 1, 7, "eth0");
	link_message(false, 0, 1, 8, "eth1");
	is_int(rtnl_ask(&nl, count, &n, &err), 0, "a single message is an answer");
	is_int(n, 1, "and the end of it");

	queue(1);
	answer(true, 2, ENODEV, NULL, false);
	is_int(rtnl_ask(&nl, count, &n, &err), ENODEV, "an errno is an answer for the caller to judge");
	is_str(err.msg, "", "and not an error");

	n = 0;
	queue(1);
	link_message(true, NLM_F_MULTI, 3, 7, "eth0");
	link_message(false, NLM_F_MULTI, 99, 7, "stray");
	link_message(true, NLM_F_MULTI, 3, 8, "eth1");
	nlh = message(true, NLMSG_DONE, NLM_F_MULTI, 3);
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(nothing)), &nothing, sizeof(nothing));
	finish(nlh);
	is_int(rtnl_ask(&nl, count, &n, &err), 0, "a dump ends with NLMSG_DONE");
	is_int(n, 2, "and has all that came before it for this request");

	queue(1);
	nlh = message(true, NLMSG_DONE, NLM_F_MULTI, 4);
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(no)), &no, sizeof(no));
	finish(nlh);
	is_int(rtnl_ask(&nl, count, &n, &err), EOPNOTSUPP, "which may have an errno");

	queue(1);
	is_int(rtnl_ask(&nl, count, &n, &err), -1, "silence is not an answer");
	is_int(err.code, CNI_RETRY, "but an error, and a later call may succeed");
}

static void end_dump(unsigned int flags, unsigned int seq)
{
	finish(message(false, NLMSG_DONE, NLM_F_MULTI | flags, seq));
	kernel.ends[kernel.n_answers - 1] = true;
}

/* The index of each reported link, as digits. */
static void note(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	char *noted = arg;

	snprintf(noted + strlen(noted), 2, "%d", ifi->ifi_index);
}

static void test_changed_dumps(void)
{
	struct cni_error err = { 0 };
	const struct nlmsghdr *again;
	char noted[32] = "";

	start();
	queue(1);
	link_message(true, NLM_F_MULTI, 1, 7, "eth0");
	end_dump(NLM_F_DUMP_INTR, 1);
	link_message(true, NLM_F_MULTI, 2, 8, "eth0");
	end_dump(0, 2);
	is_int(rtnl_ask(&nl, note, noted, &err), 0, "a list that changed meanwhile is requested again");
	is_str(noted, "8", "and each() sees nothing of the first");
	again = (const void *)(kernel.sent + kernel.sent_len / 2);
	is_int(kernel.sends, 2, "in another call");
	is_int(again->nlmsg_seq, 2, "under another number");
	is_int(again->nlmsg_len, mnl_nlmsg_size(sizeof(struct ifaddrmsg)), "and otherwise unchanged");

	queue(1);
	answer(true, 3, 0, NULL, true);
	is_int(rtnl_commit(&nl, NULL, NULL, &err), 0, "the conversation goes on after that");

	start();
	*noted = '\0';
	queue(1);
	for (int part = 1; part <= 3; part++)
		link_message(true, NLM_F_MULTI | (part == 2 ? NLM_F_DUMP_INTR : 0), 1, part, "eth0");
	end_dump(0, 1);
	for (int part = 4; part <= 6; part++)
		link_message(true, NLM_F_MULTI, 2, part, "eth0");
	end_dump(0, 2);
	is_int(rtnl_ask(&nl, note, noted, &err), 0, "also if only a part in the middle says so");
	is_str(noted, "456", "and each() sees all parts of the second");

	start();
	*noted = '\0';
	queue(1);
	for (unsigned int seq = 1; seq <= 24; seq++) {
		link_message(true, NLM_F_MULTI, seq, 7, "eth0");
		end_dump(NLM_F_DUMP_INTR, seq);
	}
	is_int(rtnl_ask(&nl, note, noted, &err), -1, "a list that changes every time is an error");
	is_int(err.code, CNI_RETRY, "for now");
	is_str(err.msg, "a list of the kernel changed each of the 20 times that it was read",
	       "which it reports");
	is_str(noted, "", "and each() sees nothing");
	is_int(kernel.pauses, 19, "after pauses");
}

/* More parts than one call receives. */
static void test_long_lists(void)
{
	struct cni_error err = { 0 };
	int n = 0;

	start();
	queue(1);
	for (int part = 0; part < 23; part++)
		for (int i = 0; i < 80; i++)
			link_message(!i, NLM_F_MULTI, 1, 7, "eth0");
	end_dump(0, 1);
	is_int(rtnl_ask(&nl, count, &n, &err), 0, "a list of many parts");
	is_int(n, 1840, "is reported completely");
}

static void test_links(void)
{
	struct cni_error err = { 0 };
	struct link link = { .index = 99 };
	char too_long[129] = "";
	struct nlattr *info, *data;
	struct nlmsghdr *nlh;
	struct ifinfomsg *ifi;

	memset(too_long, 'x', sizeof(too_long) - 1);
	start();
	nlh = message(true, RTM_NEWLINK, 0, 1);
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = 7;
	ifi->ifi_flags = IFF_UP;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "a name that is longer than any of an interface");
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, "\x02\x00\x00\xab\xcd\xef");
	mnl_attr_put_u32(nlh, IFLA_MTU, 1500);
	mnl_attr_put_u32(nlh, IFLA_LINK, 3);
	mnl_attr_put_u32(nlh, IFLA_LINK_NETNSID, 0);
	mnl_attr_put_u16(nlh, IFLA_MASTER, 1);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put(nlh, IFLA_INFO_KIND, 6, "ipvlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, 1 /* IFLA_IPVLAN_MODE */, 1);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	finish(nlh);

	is_int(link_find(&nl, "eth0", &link, &err), FOUND, "a link is found");
	is_int(link.index, 7, "with its index");
	is_str(link.name, "a name that is ", "a name that is too long is cut");
	is_str(link.mac, "02:00:00:ab:cd:ef", "with its address");
	is_int(link.mtu, 1500, "with its MTU");
	ok(link.parent == 3 && link.parent_elsewhere, "with its parent, in another namespace");
	is_int(link.holder, 0, "an attribute that is too short is not read");
	is_str(link.kind, "ipvlan", "with its kind, although no NUL ends it");
	is_str(ipvlan_mode_text(link.ipvlan_mode), "l3", "and its mode");

	answer(true, 2, ENODEV, NULL, true);
	is_int(link_find(&nl, "eth0", &link, &err), FOUND_NOT, "ENODEV means that there is no such link");
	answer(true, 3, EPERM, NULL, true);
	is_int(link_find(&nl, "eth0", &link, &err), FOUND_FAILED, "any other errno is a failure");
	is_str(err.msg, "cannot look up a link: operation not permitted", "which says what failed");
	is_int(link.index, 7, "and leaves the result unchanged");
	is_int(link_find(&nl, "", &link, &err), FOUND_NOT, "an empty name is not sent");
	is_int(link_find(&nl, too_long, &link, &err), FOUND_NOT, "nor is one that is too long for any name");
	is_int(kernel.sends, 3, "the kernel got neither");
}

static void no_link(const struct link *link, void *arg)
{
	(void)link;
	(void)arg;
}

static void no_address(const struct addr_seen *seen, void *arg)
{
	(void)seen;
	(void)arg;
}

static void no_route(const struct route_seen *seen, void *arg)
{
	(void)seen;
	(void)arg;
}

/* The error of a new conversation. */
static const char *why(int rc, const struct cni_error *err)
{
	return rc == -1 && err->code == CNI_INTERNAL ? err->msg : "";
}

static void refuse(int error)
{
	start();
	answer(true, 1, error, NULL, true);
}

static void test_lists(void)
{
	struct cni_error links = { 0 }, addresses = { 0 }, routes = { 0 }, number = { 0 };
	int id;

	refuse(EACCES);
	is_str(why(link_each(&nl, no_link, NULL, &links), &links), "cannot list links: permission denied",
	       "links that cannot be listed");
	refuse(EACCES);
	is_str(why(addr_each(&nl, no_address, NULL, &addresses), &addresses),
	       "cannot list addresses: permission denied", "nor addresses");
	refuse(EACCES);
	is_str(why(route_each(&nl, AF_INET, 0, no_route, NULL, &routes), &routes),
	       "cannot list routes: permission denied", "nor routes");
	refuse(EACCES);
	is_str(why((int)rtnl_our_id(&nl, &id, &number), &number),
	       "cannot ask for a namespace's number: permission denied", "nor a namespace's number");
	refuse(EOPNOTSUPP);
	is_int(route_each(&nl, AF_INET6, 0, no_route, NULL, NULL), 0,
	       "a kernel without IPv6 has none of its routes");
}

int main(void)
{
	test_acknowledged();
	test_refused();
	test_several();
	test_strays();
	test_silence();
	test_overflow();
	test_names();
	test_lost();
	test_questions();
	test_changed_dumps();
	test_long_lists();
	test_links();
	test_lists();
	return done();
}
