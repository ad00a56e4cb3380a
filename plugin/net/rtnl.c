/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rtnl.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/netns.h"

#define ANSWER_MAX 16384

/* The kernel makes the parts of a list as large as the buffers of earlier reads, up to this size. */
#define PART_MAX ((size_t)32768)
#define PARTS ((size_t)64)

/* Two seconds in all: a burst of changes is over by then. */
#define DUMP_TRIES 20
#define DUMP_PAUSE_NS 10000000L

static int rtnl_open_here(void *arg, struct cni_error *err)
{
	struct rtnl *nl = arg;

	/* the kernel answers during the call that sends, so there is nothing to wait for */
	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!nl->sock)
		return cni_fail(err, CNI_IO, "cannot open a netlink socket: %s", errno_text(errno));
	return 0;
}

int rtnl_open(struct rtnl *nl, int netns, struct cni_error *err)
{
	int on = 1;

	nl->sock = NULL;
	nl->last = NULL;
	nl->queued = 0;
	nl->lost = 0;
	nl->strict = nl->too_old = false;
	nl->seq = nl->first = 1;
	if (netns_run(netns, rtnl_open_here, nl, err) < 0)
		return -1;

	/* the kernel's messages; older kernels have none */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	return 0;
}

void rtnl_close(struct rtnl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

bool rtnl_strict(struct rtnl *nl)
{
	int on = 1;

	if (!nl->strict)
		nl->too_old = mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0 &&
			      errno == ENOPROTOOPT;
	nl->strict = true;
	return !nl->too_old;
}

struct nlmsghdr *rtnl_request(struct rtnl *nl, unsigned int type, unsigned int flags)
{
	if ((flags & NLM_F_DUMP) == NLM_F_DUMP)
		rtnl_strict(nl);
	if (nl->last)
		nl->queued = (size_t)((char *)nl->last - nl->queue) + NLMSG_ALIGN(nl->last->nlmsg_len);
	if (nl->queued + RTNL_REQUEST_MAX > sizeof(nl->queue)) {
		/* refusals stay in the socket until rtnl_commit() reads them */
		if (mnl_socket_sendto(nl->sock, nl->queue, nl->queued) < 0)
			nl->lost = errno;
		nl->queued = 0;
	}
	nl->last = mnl_nlmsg_put_header(nl->queue + nl->queued);
	nl->last->nlmsg_type = (__u16)type;
	nl->last->nlmsg_flags = (__u16)(NLM_F_REQUEST | flags);
	nl->last->nlmsg_seq = nl->seq++;
	return nl->last;
}

static int rtnl_flush(struct rtnl *nl, unsigned int flags, struct cni_error *err)
{
	nl->last->nlmsg_flags |= (__u16)flags;
	nl->queued = (size_t)((char *)nl->last - nl->queue) + nl->last->nlmsg_len;
	nl->last = NULL;
	if (mnl_socket_sendto(nl->sock, nl->queue, nl->queued) < 0)
		nl->lost = errno;
	nl->queued = 0;
	if (!nl->lost)
		return 0;
	cni_fail(err, CNI_IO, "cannot send to the kernel's rtnetlink: %s", errno_text(nl->lost));
	nl->lost = 0;
	return -1;
}

static int rtnl_no_answer(struct cni_error *err)
{
	if (errno == EAGAIN)
		return cni_fail(err, CNI_RETRY, "the kernel's rtnetlink did not answer");
	return cni_fail(err, CNI_IO, "cannot receive from the kernel's rtnetlink: %s", errno_text(errno));
}

static ssize_t rtnl_receive(struct rtnl *nl, char *answer, size_t size, struct cni_error *err)
{
	ssize_t len;

	do
		len = mnl_socket_recvfrom(nl->sock, answer, size);
	while (len < 0 && errno == EINTR);
	return len < 0 ? rtnl_no_answer(err) : len;
}

static int rtnl_find_sentence(const struct nlattr *attr, void *arg)
{
	const char **why = arg;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*why = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* The kernel's errno, at most 4095 (include/linux/err.h). */
static int rtnl_errno_of(int error)
{
	return error <= 0 && error >= -4095 ? -error : EBADMSG;
}

/* Reads an error message; error 0 is an acknowledgement. */
static struct rtnl_refusal rtnl_read_refusal(const struct nlmsghdr *nlh, unsigned int first)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	struct rtnl_refusal refusal = { .request = nlh->nlmsg_seq - first, .error = EBADMSG, .why = "" };
	size_t skip = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return refusal;
	refusal.error = rtnl_errno_of(e->error);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return refusal;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if (skip < mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_parse(nlh, (unsigned int)skip, rtnl_find_sentence, &refusal.why);
	return refusal;
}

struct commit {
	unsigned int first, last; /* sequence numbers */
	int (*refused)(const struct rtnl_refusal *, void *, struct cni_error *);
	void *arg;
	int rc;
};

int rtnl_describe(const struct rtnl_refusal *refusal, struct cni_error *err)
{
	cni_fail(err, CNI_INTERNAL, "%s", errno_text(refusal->error));
	return cni_hint(err, "%s", refusal->why);
}

/* Returns true if the last request was answered. */
static bool rtnl_read_acks(struct commit *commit, const char *answer, ssize_t len, struct cni_error *err)
{
	int left = (int)len;
	bool done = false;

	for (const struct nlmsghdr *nlh = (const void *)answer; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		struct rtnl_refusal refusal;

		if (nlh->nlmsg_type != NLMSG_ERROR ||
		    nlh->nlmsg_seq - commit->first > commit->last - commit->first)
			continue;
		done |= nlh->nlmsg_seq == commit->last;
		refusal = rtnl_read_refusal(nlh, commit->first);
		if (!refusal.error)
			continue;
		commit->rc |= commit->refused ? commit->refused(&refusal, commit->arg, err)
					      : rtnl_describe(&refusal, err);
	}
	return done;
}

int rtnl_commit(struct rtnl *nl, int (*refused)(const struct rtnl_refusal *, void *, struct cni_error *),
		void *arg, struct cni_error *err)
{
	struct commit commit = { .first = nl->first, .last = nl->seq - 1, .refused = refused, .arg = arg };
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t len;

	nl->first = nl->seq;
	if (rtnl_flush(nl, NLM_F_ACK, err) < 0)
		return -1;
	do {
		len = rtnl_receive(nl, answer, sizeof(answer), err);
		if (len < 0)
			return -1;
	} while (!rtnl_read_acks(&commit, answer, len, err));
	return commit.rc;
}

static int rtnl_keep_refusal(const struct rtnl_refusal *refusal, void *arg, struct cni_error *err)
{
	int *error = arg;

	*error = refusal->error;
	return rtnl_describe(refusal, err);
}

int rtnl_commit_one(struct rtnl *nl, struct cni_error *err)
{
	int error = 0;

	if (rtnl_commit(nl, rtnl_keep_refusal, &error, err) < 0 && !error)
		error = EIO;
	return error;
}

/*
 * An answer with several parts is kept until it is complete: only then we know that it is
 * consistent. The kernel makes a list part by part, and marks a part if the list has changed
 * meanwhile. Most answers have one part, which is used without a copy.
 */
struct answer {
	unsigned int seq;
	char *kept; /* a mapping, or NULL */
	size_t len, room;
	bool changed;
	int error;
};

/* libmnl treats a length above 2 GiB as negative. */
static bool rtnl_is_whole(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (unsigned int)left;
}

/* Returns true if the answer is complete. */
static bool rtnl_read_part(struct answer *a, const char *part, ssize_t len)
{
	int left = (int)len;

	for (const struct nlmsghdr *nlh = (const void *)part; rtnl_is_whole(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != a->seq)
			continue;
		a->changed |= !!(nlh->nlmsg_flags & NLM_F_DUMP_INTR);
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			a->error = rtnl_read_refusal(nlh, a->seq).error;
			return true;
		}
		if (nlh->nlmsg_type == NLMSG_DONE) {
			if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(int))
				a->error = rtnl_errno_of(*(const int *)mnl_nlmsg_get_payload(nlh));
			return true;
		}
		if (!(nlh->nlmsg_flags & NLM_F_MULTI))
			return true;
	}
	return false;
}

/* Makes room for PARTS of the maximum size. */
static int rtnl_make_room(struct answer *a, struct cni_error *err)
{
	const size_t room = a->room ? 2 * a->room : 2 * PARTS * PART_MAX;
	char *kept;

	if (a->room - a->len >= PARTS * PART_MAX)
		return 0;
	/* pages without data take no memory */
	kept = a->kept ? mremap(a->kept, a->room, room, MREMAP_MAYMOVE)
		       : mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			      -1, 0);
	if (kept == MAP_FAILED)
		return cni_fail(err, CNI_RETRY, "out of memory for a list of the kernel");
	a->kept = kept;
	a->room = room;
	return 0;
}

/* Receives all parts that there are in one system call: the kernel continues its list while we
 * receive, and in less time less changes. */
static int rtnl_keep_parts(struct rtnl *nl, struct answer *a, bool *complete, struct cni_error *err)
{
	struct mmsghdr parts[PARTS] = { { .msg_len = 0 } };
	struct iovec room[PARTS];
	int n;

	if (rtnl_make_room(a, err) < 0)
		return -1;
	for (size_t i = 0; i < PARTS; i++) {
		room[i] = (struct iovec){ a->kept + a->len + i * PART_MAX, PART_MAX };
		parts[i].msg_hdr.msg_iov = &room[i];
		parts[i].msg_hdr.msg_iovlen = 1;
	}
	do
		n = recvmmsg(mnl_socket_get_fd(nl->sock), parts, PARTS, 0, NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return rtnl_no_answer(err);
	for (int i = 0; i < n && !*complete; i++) {
		const char *part = memmove(a->kept + a->len, room[i].iov_base, parts[i].msg_len);

		*complete = rtnl_read_part(a, part, parts[i].msg_len);
		a->len += MNL_ALIGN(parts[i].msg_len);
	}
	return 0;
}

static void rtnl_pass_on(const struct answer *a, const char *text,
			 void (*each)(const struct nlmsghdr *, void *), void *arg)
{
	int left = (int)a->len;

	for (const struct nlmsghdr *nlh = (const void *)text; rtnl_is_whole(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != a->seq || nlh->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		each(nlh, arg);
		if (!(nlh->nlmsg_flags & NLM_F_MULTI))
			return;
	}
}

/* Sends the request and reads its answer once. */
static int rtnl_ask_once(struct rtnl *nl, struct answer *a, void (*each)(const struct nlmsghdr *, void *),
			 void *arg, struct cni_error *err)
{
	char first[PART_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	const bool again = a->kept != NULL;
	bool complete = false;
	ssize_t len = 0;

	*a = (struct answer){ .seq = nl->seq - 1, .kept = a->kept, .room = a->room };
	nl->first = nl->seq;
	if (rtnl_flush(nl, 0, err) < 0)
		return -1;
	if (!again) {
		len = rtnl_receive(nl, first, sizeof(first), err);
		if (len < 0)
			return -1;
		complete = rtnl_read_part(a, first, len);
		if (!complete && rtnl_make_room(a, err) < 0)
			return -1;
		if (!complete)
			memcpy(a->kept, first, (size_t)len);
		a->len = MNL_ALIGN((size_t)len);
	}
	while (!complete)
		if (rtnl_keep_parts(nl, a, &complete, err) < 0)
			return -1;
	if (!a->changed && !a->error)
		rtnl_pass_on(a, a->kept ? a->kept : first, each, arg);
	return a->error;
}

int rtnl_ask(struct rtnl *nl, void (*each)(const struct nlmsghdr *, void *), void *arg, struct cni_error *err)
{
	struct nlmsghdr *question = nl->last;
	struct answer a = { .kept = NULL };
	int rc = rtnl_ask_once(nl, &a, each, arg, err);

	for (int tries = 1; rc >= 0 && a.changed && tries < DUMP_TRIES; tries++) {
		nanosleep(&(struct timespec){ .tv_nsec = tries * DUMP_PAUSE_NS }, NULL);
		question->nlmsg_seq = nl->seq++;
		nl->last = question;
		rc = rtnl_ask_once(nl, &a, each, arg, err);
	}
	if (a.kept)
		munmap(a.kept, a.room);
	if (rc >= 0 && a.changed) {
		cni_fail(err, CNI_RETRY, "a list of the kernel changed each of the %d times that it was read",
			 DUMP_TRIES);
		return cni_hint(err, "other programs add and delete links, addresses or routes all the time: "
				     "see `ip monitor`");
	}
	return rc;
}

int rtnl_listen(struct rtnl *nl, unsigned int group, struct cni_error *err)
{
	/* The kernel sends no events to port 0, which an unbound socket has. */
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
		return 0;
	return cni_fail(err, CNI_IO, "cannot listen to the kernel's rtnetlink: %s", errno_text(errno));
}

void rtnl_wait(struct rtnl *nl, int milliseconds)
{
	struct pollfd event = { .fd = mnl_socket_get_fd(nl->sock), .events = POLLIN };
	char ignored[ANSWER_MAX];

	if (poll(&event, 1, milliseconds) > 0)
		mnl_socket_recvfrom(nl->sock, ignored, sizeof(ignored));
}

static void rtnl_keep_id(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;
	int *id = arg;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtgenmsg))
		if (mnl_attr_get_type(attr) == NETNSA_NSID && mnl_attr_get_payload_len(attr) == sizeof(*id))
			*id = (int)mnl_attr_get_u32(attr);
}

enum found rtnl_our_id(struct rtnl *nl, int *ret, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETNSID, 0);
	int id = -1, rc;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_PID, (uint32_t)getpid());
	rc = rtnl_ask(nl, rtnl_keep_id, &id, err);
	if (rc > 0)
		cni_fail(err, CNI_INTERNAL, "cannot ask for a namespace's number: %s", errno_text(rc));
	*ret = id;
	return rc ? FOUND_FAILED : id < 0 ? FOUND_NOT : FOUND;
}
