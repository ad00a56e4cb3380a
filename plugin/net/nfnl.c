/* SPDX-License-Identifier: Apache-2.0 */
#include "net/nfnl.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* More than any change takes: four names of up to 128 bytes. */
#define NFNL_ROOM 1024
#define NFNL_ANSWER 8192

static struct nlmsghdr *nfnl_put(struct nfnl *batch, int type, int flags, int family, int resource)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(batch->buf + batch->len);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));

	nlh->nlmsg_type = (uint16_t)type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nfgen_family = (uint8_t)family;
	header->version = NFNETLINK_V0;
	header->res_id = htons((uint16_t)resource);
	return nlh;
}

static void nfnl_end(struct nfnl *batch, const struct nlmsghdr *nlh)
{
	batch->len += NLMSG_ALIGN(nlh->nlmsg_len);
}

/* A change; NULL: there is no room. */
static struct nlmsghdr *nfnl_change(struct nfnl *batch, int type, bool add)
{
	if (batch->len + NFNL_ROOM > sizeof(batch->buf))
		batch->full = true;
	if (batch->full)
		return NULL;
	batch->last = batch->len;
	return nfnl_put(batch, NFNL_SUBSYS_NFTABLES << 8 | type, add ? NLM_F_CREATE : 0, NFPROTO_NETDEV, 0);
}

void nfnl_begin(struct nfnl *batch)
{
	batch->len = batch->last = 0;
	batch->full = false;
	nfnl_end(batch, nfnl_put(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

static void nfnl_put_jump(struct nlmsghdr *nlh, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(nlh, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP));
	mnl_attr_put_strz(nlh, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, data);
}

void nfnl_element(struct nfnl *batch, bool add, const char *table, const char *set, const void *key,
		  size_t len, const char *chain, const char *object)
{
	struct nlmsghdr *nlh = nfnl_change(batch, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, add);
	struct nlattr *list, *element, *value;

	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	value = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(nlh, value);
	if (add && chain)
		nfnl_put_jump(nlh, chain);
	if (add && object)
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_OBJREF, object);
	mnl_attr_nest_end(nlh, element);
	mnl_attr_nest_end(nlh, list);
	nfnl_end(batch, nlh);
}

static struct nlmsghdr *nfnl_object(struct nfnl *batch, bool add, const char *table, const char *name,
				    unsigned int type)
{
	struct nlmsghdr *nlh = nfnl_change(batch, add ? NFT_MSG_NEWOBJ : NFT_MSG_DELOBJ, add);

	if (!nlh)
		return NULL;
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(type));
	return nlh;
}

void nfnl_limit(struct nfnl *batch, bool add, const char *table, const char *name, unsigned long long rate,
		unsigned long long burst)
{
	struct nlmsghdr *nlh = nfnl_object(batch, add, table, name, NFT_OBJECT_LIMIT);
	struct nlattr *data;

	if (!nlh)
		return;
	if (add) {
		data = mnl_attr_nest_start(nlh, NFTA_OBJ_DATA);
		mnl_attr_put_u64(nlh, NFTA_LIMIT_RATE, htobe64(rate));
		mnl_attr_put_u64(nlh, NFTA_LIMIT_UNIT, htobe64(1)); /* seconds */
		mnl_attr_put_u32(nlh, NFTA_LIMIT_BURST, htonl((uint32_t)burst));
		mnl_attr_put_u32(nlh, NFTA_LIMIT_TYPE, htonl(NFT_LIMIT_PKT_BYTES));
		mnl_attr_put_u32(nlh, NFTA_LIMIT_FLAGS, htonl(NFT_LIMIT_F_INV));
		mnl_attr_nest_end(nlh, data);
	}
	nfnl_end(batch, nlh);
}

void nfnl_counter(struct nfnl *batch, bool add, const char *table, const char *name)
{
	struct nlmsghdr *nlh = nfnl_object(batch, add, table, name, NFT_OBJECT_COUNTER);

	if (!nlh)
		return;
	if (add)
		mnl_attr_nest_end(nlh, mnl_attr_nest_start(nlh, NFTA_OBJ_DATA));
	nfnl_end(batch, nlh);
}

/* The first error that the kernel reports, 0 if it has acknowledged all, EIO if it does not answer. */
static int nfnl_answer(struct mnl_socket *sock)
{
	char buf[NFNL_ANSWER] __attribute__((aligned(8)));
	bool acknowledged = false;
	ssize_t n;

	/* the kernel has answered when it returns from the call that sends */
	while ((n = recv(mnl_socket_get_fd(sock), buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		int left = (int)n;

		for (const struct nlmsghdr *nlh = (const void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			const struct nlmsgerr *answer = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type == NLMSG_ERROR && answer->error)
				return -answer->error;
			acknowledged |= nlh->nlmsg_type == NLMSG_ERROR;
		}
	}
	return acknowledged ? 0 : EIO;
}

int nfnl_send(struct nfnl *batch)
{
	struct mnl_socket *sock;
	int error;

	if (batch->full)
		return EMSGSIZE;
	if (!batch->last)
		return 0;
	/* the kernel reports each error, and acknowledges the last change when all are made */
	((struct nlmsghdr *)(void *)(batch->buf + batch->last))->nlmsg_flags |= NLM_F_ACK;
	nfnl_end(batch, nfnl_put(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!sock)
		return errno;
	error = mnl_socket_sendto(sock, batch->buf, batch->len) < 0 ? errno : nfnl_answer(sock);
	mnl_socket_close(sock);
	return error;
}
