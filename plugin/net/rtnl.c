#include "net/rtnl.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/netns.h"

#define ANSWER_MAX 16384
#define DUMP_TRIES 5

static int open_here(void *arg, struct cni_error *err)
{
	struct rtnl *nl = arg;

	/* the kernel answers within the call that asks: there is nothing to wait for */
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
	nl->seq = nl->first = 1;
	if (netns_run(netns, open_here, nl, err) < 0)
		return -1;

	/* the kernel's own sentences; older kernels have none */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	return 0;
}

void rtnl_close(struct rtnl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

struct nlmsghdr *rtnl_request(struct rtnl *nl, unsigned int type, unsigned int flags)
{
	int on = 1;

	/* only with this, which older kernels do not know, is the answer what was asked for */
	if ((flags & NLM_F_DUMP) == NLM_F_DUMP)
		mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (nl->last)
		nl->queued = (size_t)((char *)nl->last - nl->queue) + NLMSG_ALIGN(nl->last->nlmsg_len);
	if (nl->queued + RTNL_REQUEST_MAX > sizeof(nl->queue)) {
		/* refusals stay in the socket until commit reads them */
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

static int flush(struct rtnl *nl, unsigned int flags, struct cni_error *err)
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

static ssize_t receive(struct rtnl *nl, char *answer, struct cni_error *err)
{
	ssize_t len;

	do
		len = mnl_socket_recvfrom(nl->sock, answer, ANSWER_MAX);
	while (len < 0 && errno == EINTR);
	if (len < 0 && errno == EAGAIN)
		return cni_fail(err, CNI_RETRY, "the kernel's rtnetlink did not answer");
	if (len < 0)
		return cni_fail(err, CNI_IO, "no answer from the kernel's rtnetlink: %s", errno_text(errno));
	return len;
}

static int find_sentence(const struct nlattr *attr, void *arg)
{
	const char **why = arg;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*why = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* The kernel's errno, of which there are 4095 (include/linux/err.h). */
static int errno_of(int error)
{
	return error <= 0 && error >= -4095 ? -error : EBADMSG;
}

/* What an error message says; error 0 is an acknowledgement. */
static struct rtnl_refusal read_refusal(const struct nlmsghdr *nlh, unsigned int first)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	struct rtnl_refusal refusal = { .request = nlh->nlmsg_seq - first, .error = EBADMSG, .why = "" };
	size_t skip = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return refusal;
	refusal.error = errno_of(e->error);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return refusal;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if (skip < mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_parse(nlh, (unsigned int)skip, find_sentence, &refusal.why);
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

/* Returns true once the last request has been answered. */
static bool read_acks(struct commit *commit, const char *answer, ssize_t len, struct cni_error *err)
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
		refusal = read_refusal(nlh, commit->first);
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
	if (flush(nl, NLM_F_ACK, err) < 0)
		return -1;
	do {
		len = receive(nl, answer, err);
		if (len < 0)
			return -1;
	} while (!read_acks(&commit, answer, len, err));
	return commit.rc;
}

static int keep_refusal(const struct rtnl_refusal *refusal, void *arg, struct cni_error *err)
{
	int *error = arg;

	*error = refusal->error;
	return rtnl_describe(refusal, err);
}

int rtnl_commit_one(struct rtnl *nl, struct cni_error *err)
{
	int error = 0;

	if (rtnl_commit(nl, keep_refusal, &error, err) < 0 && !error)
		error = EIO;
	return error;
}

struct answer {
	unsigned int seq;
	void (*each)(const struct nlmsghdr *, void *);
	void *arg;
	bool changed; /* under way: the dump is not consistent */
	int error;
};

/* Returns true once the answer is complete. */
static bool read_answer(struct answer *a, const char *answer, ssize_t len)
{
	int left = (int)len;

	for (const struct nlmsghdr *nlh = (const void *)answer; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != a->seq)
			continue;
		a->changed |= !!(nlh->nlmsg_flags & NLM_F_DUMP_INTR);
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			a->error = read_refusal(nlh, a->seq).error;
			return true;
		}
		if (nlh->nlmsg_type == NLMSG_DONE) {
			if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(int))
				a->error = errno_of(*(const int *)mnl_nlmsg_get_payload(nlh));
			return true;
		}
		a->each(nlh, a->arg);
		if (!(nlh->nlmsg_flags & NLM_F_MULTI))
			return true;
	}
	return false;
}

int rtnl_ask(struct rtnl *nl, void (*each)(const struct nlmsghdr *, void *), void *arg, struct cni_error *err)
{
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *question = nl->last;
	struct answer a;
	ssize_t len;

	for (int tries = 0; tries < DUMP_TRIES; tries++) {
		a = (struct answer){ .seq = nl->seq - 1, .each = each, .arg = arg };
		nl->first = nl->seq;
		nl->last = question;
		if (flush(nl, 0, err) < 0)
			return -1;
		do {
			len = receive(nl, answer, err);
			if (len < 0)
				return -1;
		} while (!read_answer(&a, answer, len));
		if (!a.changed)
			break;
		question->nlmsg_seq = nl->seq++;
	}
	return a.error;
}

int rtnl_listen(struct rtnl *nl, unsigned int group, struct cni_error *err)
{
	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
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

static void keep_id(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;
	int *id = arg;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtgenmsg))
		if (mnl_attr_get_type(attr) == NETNSA_NSID && mnl_attr_get_payload_len(attr) == sizeof(*id))
			*id = (int)mnl_attr_get_u32(attr);
}

int rtnl_own_id(struct rtnl *nl, struct cni_error *err)
{
	struct nlmsghdr *nlh = rtnl_request(nl, RTM_GETNSID, 0);
	int id = -1, rc;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_PID, (uint32_t)getpid());
	rc = rtnl_ask(nl, keep_id, &id, err);
	if (rc > 0)
		cni_fail(err, CNI_INTERNAL, "cannot ask for a namespace's number: %s", errno_text(rc));
	return rc ? -1 : id;
}
