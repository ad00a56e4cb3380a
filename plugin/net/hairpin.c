/* SPDX-License-Identifier: Apache-2.0 */
#include "net/hairpin.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cni/cleanup.h"

/* The name that tc(8) shows. The second name means that we made the qdisc too, and delete it with
 * the filter. */
#define NAME "ipvlan-cni"
#define NAME_OF_BOTH "ipvlan-cni-and-clsact"

#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)
#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)

/* The instructions of linux/bpf.h. The target of a jump is a label: hairpin_link(). */
#define OP(c, d, s, o, i) \
	{ \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}
#define LOAD(size, to, from, at) OP(BPF_LDX | BPF_MEM | (size), to, from, at, 0)
#define FIELD(to, name) LOAD(BPF_W, to, BPF_REG_6, offsetof(struct __sk_buff, name))
#define MOVE(to, from) OP(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define SET(to, value) OP(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value)
#define ADD(to, value) OP(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value)
#define OR(to, from) OP(BPF_ALU64 | BPF_OR | BPF_X, to, from, 0, 0)
#define JUMP(label) OP(BPF_JMP | BPF_JA, 0, 0, label, 0)
#define IF(op, a, value, label) OP(BPF_JMP | (op) | BPF_K, a, 0, label, value)
#define IF_REG(op, a, b, label) OP(BPF_JMP | (op) | BPF_X, a, b, label, 0)
#define CALL(function) OP(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##function)
#define RETURN OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LABEL(label) OP(0, 0, 0, label, 0) /* not an instruction */

#define R0 BPF_REG_0
#define R1 BPF_REG_1
#define R2 BPF_REG_2
#define R3 BPF_REG_3
#define R4 BPF_REG_4
#define R5 BPF_REG_5
#define R6 BPF_REG_6

enum label { TO_ALL = 1, SOLICITATION, COPY, PASS, LABELS };

/* Lengths and offsets in a frame. */
#define MAC_LEN 14
#define ARP_LEN (MAC_LEN + 28)
#define ARP_SENDER (MAC_LEN + 14)
#define NS_LEN (MAC_LEN + 40 + 8)
#define IPV6_NEXT (MAC_LEN + 6)
#define IPV6_SOURCE (MAC_LEN + 8)
#define ICMPV6_TYPE (MAC_LEN + 40)

/* R6: the packet; R2: its first byte; R3: the byte after its last one. Words of two bytes have
 * offsets at which each architecture can load them. */
static const struct bpf_insn hairpin[] = {
	MOVE(R6, R1),
	FIELD(R2, vlan_present), /* a packet of a VLAN on the link */
	IF(BPF_JNE, R2, 0, PASS),
	FIELD(R2, data),
	FIELD(R3, data_end),
	MOVE(R4, R2),
	ADD(R4, MAC_LEN),
	IF_REG(BPF_JGT, R4, R3, PASS),

	/* are sender and destination the same MAC address? */
	LOAD(BPF_H, R4, R2, 0),
	LOAD(BPF_H, R5, R2, 6),
	IF_REG(BPF_JNE, R4, R5, TO_ALL),
	LOAD(BPF_H, R4, R2, 2),
	LOAD(BPF_H, R5, R2, 8),
	IF_REG(BPF_JNE, R4, R5, TO_ALL),
	LOAD(BPF_H, R4, R2, 4),
	LOAD(BPF_H, R5, R2, 10),
	IF_REG(BPF_JNE, R4, R5, TO_ALL),
	FIELD(R1, ifindex),
	SET(R2, BPF_F_INGRESS),
	CALL(redirect),
	RETURN,

	/* is it ARP to all hosts, with a sender? */
	LABEL(TO_ALL),
	LOAD(BPF_B, R4, R2, 0),
	OP(BPF_ALU64 | BPF_AND | BPF_K, R4, 0, 0, 1),
	IF(BPF_JEQ, R4, 0, PASS),
	LOAD(BPF_H, R4, R2, 12),
	OP(BPF_ALU | BPF_END | BPF_TO_BE, R4, 0, 0, 16),
	IF(BPF_JEQ, R4, ETH_P_IPV6, SOLICITATION),
	IF(BPF_JNE, R4, ETH_P_ARP, PASS),
	MOVE(R4, R2),
	ADD(R4, ARP_LEN),
	IF_REG(BPF_JGT, R4, R3, PASS),
	LOAD(BPF_H, R4, R2, ARP_SENDER),
	LOAD(BPF_H, R5, R2, ARP_SENDER + 2),
	OR(R4, R5),
	IF(BPF_JEQ, R4, 0, PASS),
	JUMP(COPY),

	LABEL(SOLICITATION),
	MOVE(R4, R2),
	ADD(R4, NS_LEN),
	IF_REG(BPF_JGT, R4, R3, PASS),
	LOAD(BPF_B, R4, R2, IPV6_NEXT),
	IF(BPF_JNE, R4, IPPROTO_ICMPV6, PASS),
	LOAD(BPF_B, R4, R2, ICMPV6_TYPE),
	IF(BPF_JNE, R4, ND_NEIGHBOR_SOLICIT, PASS),
	LOAD(BPF_H, R4, R2, IPV6_SOURCE), /* fe80::, a global one: never 0 */
	IF(BPF_JEQ, R4, 0, PASS),

	LABEL(COPY),
	MOVE(R1, R6),
	FIELD(R2, ifindex),
	SET(R3, BPF_F_INGRESS),
	CALL(clone_redirect),

	LABEL(PASS),
	SET(R0, TC_ACT_UNSPEC),
	RETURN,
};

#define HAIRPIN_MAX (sizeof(hairpin) / sizeof(*hairpin))

static bool hairpin_is_label(const struct bpf_insn *insn)
{
	return !insn->code && insn->off;
}

static bool hairpin_is_jump(const struct bpf_insn *insn)
{
	return (insn->code & 0x07) == BPF_JMP && insn->off;
}

/* Removes the labels, and replaces them by distances in jumps. Returns the number of instructions. */
static unsigned int hairpin_link(struct bpf_insn ret[HAIRPIN_MAX])
{
	unsigned int n = 0, at[LABELS] = { 0 };

	for (size_t i = 0; i < HAIRPIN_MAX; i++) {
		if (hairpin_is_label(&hairpin[i]))
			at[hairpin[i].off] = n;
		else
			ret[n++] = hairpin[i];
	}
	for (unsigned int i = 0; i < n; i++)
		if (hairpin_is_jump(&ret[i]))
			ret[i].off = (__s16)(at[ret[i].off] - i - 1);
	return n;
}

/* Before Linux 5.11 a program counts as locked memory, for which root's limit may be low. */
static int hairpin_load_unlimited(union bpf_attr *attr)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit before;
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, attr, sizeof(*attr));
	int error;

	if (fd >= 0 || errno != EPERM || getrlimit(RLIMIT_MEMLOCK, &before) < 0 ||
	    setrlimit(RLIMIT_MEMLOCK, &all) < 0)
		return fd;
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, attr, sizeof(*attr));
	error = errno;
	setrlimit(RLIMIT_MEMLOCK, &before);
	errno = error;
	return fd;
}

static int hairpin_load(struct cni_error *err)
{
	struct bpf_insn program[HAIRPIN_MAX];
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS };
	int fd;

	attr.insn_cnt = hairpin_link(program);
	attr.insns = (uint64_t)(uintptr_t)program;
	attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
	fd = hairpin_load_unlimited(&attr);
	if (fd >= 0)
		return fd;
	cni_fail(err, errno == ENOSYS || errno == EINVAL ? CNI_CONFIG : CNI_INTERNAL,
		 "the kernel does not accept the BPF program of hostAccess: %s", errno_text(errno));
	return cni_hint(err, "in l2 hostAccess requires CONFIG_BPF_SYSCALL and CONFIG_NET_CLS_BPF");
}

static struct nlmsghdr *tc_request(struct rtnl *nl, unsigned int type, unsigned int flags,
				   const struct tcmsg *message, const char *kind)
{
	struct nlmsghdr *nlh = rtnl_request(nl, type, flags);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));

	*tc = *message;
	if (kind)
		mnl_attr_put_strz_check(nlh, RTNL_REQUEST_MAX, TCA_KIND, kind);
	return nlh;
}

static void tc_put_qdisc(struct rtnl *nl, unsigned int type, unsigned int flags, int link)
{
	const struct tcmsg message = { .tcm_ifindex = link,
				       .tcm_parent = TC_H_CLSACT,
				       .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0) };

	tc_request(nl, type, flags, &message, type == RTM_GETQDISC ? NULL : "clsact");
}

static void tc_put_filter(struct rtnl *nl, int link, unsigned int pref, int program, const char *name)
{
	const struct tcmsg message = {
		.tcm_ifindex = link,
		.tcm_parent = EGRESS,
		.tcm_info = TC_H_MAKE(pref << 16, htons(ETH_P_ALL)),
	};
	struct nlmsghdr *nlh = tc_request(nl, RTM_NEWTFILTER, NLM_F_CREATE, &message, "bpf");
	struct nlattr *options = mnl_attr_nest_start_check(nlh, RTNL_REQUEST_MAX, TCA_OPTIONS);

	mnl_attr_put_u32_check(nlh, RTNL_REQUEST_MAX, TCA_BPF_FD, (uint32_t)program);
	mnl_attr_put_strz_check(nlh, RTNL_REQUEST_MAX, TCA_BPF_NAME, name);
	mnl_attr_put_u32_check(nlh, RTNL_REQUEST_MAX, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(nlh, options);
}

/* The filters of a link at its ingress and egress. */
struct tc {
	int link;
	char qdisc[16];	      /* "clsact", "ingress" or "" */
	unsigned int n;	      /* filters */
	uint64_t prefs;	      /* a bit for each pref of a filter, 0 to 63 */
	struct tcmsg hairpin; /* tcm_handle 0: none */
	bool both;	      /* the hairpin has NAME_OF_BOTH */
};

static const char *tc_kind(const struct nlmsghdr *nlh, const struct nlattr **options)
{
	const char *kind = "";
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct tcmsg)) {
		if (mnl_attr_get_type(attr) == TCA_KIND && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			kind = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == TCA_OPTIONS)
			*options = attr;
	}
	return kind;
}

static const char *tc_name(const struct nlattr *options)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, options)
		if (mnl_attr_get_type(attr) == TCA_BPF_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	return "";
}

static void tc_keep_qdisc(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *head = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *options = NULL;
	struct tc *tc = arg;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(*head) && head->tcm_ifindex == tc->link)
		snprintf(tc->qdisc, sizeof(tc->qdisc), "%s", tc_kind(nlh, &options));
}

static void tc_keep_filter(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *head = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *options = NULL;
	struct tc *tc = arg;
	const char *name;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*head) || head->tcm_ifindex != tc->link)
		return;
	tc->prefs |= head->tcm_info >> 16 < 64 ? 1ULL << (head->tcm_info >> 16) : 0;
	if (!head->tcm_handle) /* not a filter, but the head of those with one pref */
		return;
	tc->n++;
	if (strcmp(tc_kind(nlh, &options), "bpf") != 0 || !options)
		return;
	name = tc_name(options);
	tc->both |= !strcmp(name, NAME_OF_BOTH);
	if (!strcmp(name, NAME) || !strcmp(name, NAME_OF_BOTH))
		tc->hairpin = *head;
}

/* Does the error mean that the link, the qdisc or the filter does not exist? */
static bool tc_is_gone(int error)
{
	return error == ENODEV || error == ENOENT || error == EINVAL;
}

static int tc_unknown(const struct tc *tc, int error, struct cni_error *err)
{
	cni_fail(err, CNI_INTERNAL, "failed to list the filters of link %d: %s", tc->link, errno_text(error));
	return cni_hint(err, "%s",
			error == EOPNOTSUPP ? "in l2 hostAccess requires CONFIG_NET_SCH_INGRESS" : "");
}

static int tc_read_filters(struct tc *tc, struct rtnl *nl, uint32_t parent, struct cni_error *err)
{
	const struct tcmsg message = { .tcm_ifindex = tc->link, .tcm_parent = parent };
	int error;

	tc_request(nl, RTM_GETTFILTER, NLM_F_DUMP, &message, NULL);
	error = rtnl_ask(nl, tc_keep_filter, tc, err);
	return error > 0 ? tc_unknown(tc, error, err) : error;
}

static int tc_read_qdisc(struct tc *tc, struct rtnl *nl, struct cni_error *err)
{
	int error;

	/* without NLM_F_ECHO the kernel answers only listeners, not the sender of the request */
	tc_put_qdisc(nl, RTM_GETQDISC, NLM_F_ECHO, tc->link);
	error = rtnl_ask(nl, tc_keep_qdisc, tc, err);
	return error > 0 && !tc_is_gone(error) ? tc_unknown(tc, error, err) : error < 0 ? -1 : 0;
}

enum found hairpin_find(struct rtnl *nl, int link, struct cni_error *err)
{
	struct tc tc = { .link = link };

	if (tc_read_filters(&tc, nl, EGRESS, err) < 0)
		return FOUND_FAILED;
	return tc.hairpin.tcm_handle ? FOUND : FOUND_NOT;
}

/* Returns 0, or the kernel's errno with *err filled. Requests qdisc and filter in one message, so a
 * process that is killed has made both or neither. */
static int hairpin_attach_at(struct rtnl *nl, const struct tc *tc, int program, unsigned int pref,
			     struct cni_error *err)
{
	const bool both = !*tc->qdisc;

	if (both)
		tc_put_qdisc(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, tc->link);
	tc_put_filter(nl, tc->link, pref, program, both ? NAME_OF_BOTH : NAME);
	return rtnl_commit_one(nl, err);
}

/* Adds the filter at pref 1, before the filters of others. A filter of another kind cannot have the
 * same pref: if there is one, ours takes the next free pref. */
static int hairpin_attach(struct rtnl *nl, const struct tc *tc, int program, struct cni_error *err)
{
	struct cni_error why = { 0 };
	int error = hairpin_attach_at(nl, tc, program, 1, &why);

	for (unsigned int pref = 2; *tc->qdisc && error == EINVAL && pref < 64; pref++)
		if (!(tc->prefs & 1ULL << pref))
			error = hairpin_attach_at(nl, tc, program, pref, &why);
	if (!error)
		return 0;
	if (!*tc->qdisc) {
		tc_put_qdisc(nl, RTM_DELQDISC, 0, tc->link);
		rtnl_commit_one(nl, NULL);
	}
	cni_fail(err, error == ENOENT ? CNI_CONFIG : CNI_INTERNAL,
		 "failed to add the filter of hostAccess to link %d: %s", tc->link, why.msg);
	return cni_hint(err, "%s",
			error == ENOENT
				? "in l2 hostAccess requires CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF"
				: why.details);
}

static int tc_check_qdisc(const struct tc *tc, struct cni_error *err)
{
	if (strcmp(tc->qdisc, "ingress") != 0)
		return 0;
	cni_fail(err, CNI_CONFIG, "hostAccess cannot add its filter to link %d", tc->link);
	return cni_hint(err, "the link has the qdisc \"ingress\", which excludes \"clsact\"; delete that "
			     "qdisc, or do not use hostAccess");
}

int hairpin_check(struct rtnl *nl, int link, struct cni_error *err)
{
	struct tc tc = { .link = link };

	return tc_read_qdisc(&tc, nl, err) < 0 ? -1 : tc_check_qdisc(&tc, err);
}

int hairpin_add(struct rtnl *nl, int link, struct cni_error *err)
{
	struct tc tc = { .link = link };
	autoclose int program = -1;

	if (tc_read_filters(&tc, nl, EGRESS, err) < 0)
		return -1;
	if (tc.hairpin.tcm_handle)
		return 0;
	if (tc_read_qdisc(&tc, nl, err) < 0 || tc_check_qdisc(&tc, err) < 0)
		return -1;
	program = hairpin_load(err);
	return program < 0 ? -1 : hairpin_attach(nl, &tc, program, err);
}

static int tc_read_all_filters(struct tc *tc, struct rtnl *nl, struct cni_error *err)
{
	return tc_read_filters(tc, nl, EGRESS, err) < 0 ? -1 : tc_read_filters(tc, nl, INGRESS, err);
}

static bool tc_is_alone(const struct tc *tc)
{
	return tc->both && tc->n == 1;
}

enum found hairpin_is_alone(struct rtnl *nl, int link, struct cni_error *err)
{
	struct tc tc = { .link = link };

	if (tc_read_all_filters(&tc, nl, err) < 0)
		return FOUND_FAILED;
	return tc_is_alone(&tc) ? FOUND : FOUND_NOT;
}

int hairpin_delete(struct rtnl *nl, int link, struct cni_error *err)
{
	struct tc tc = { .link = link };
	struct cni_error why = { 0 };
	int error;

	if (tc_read_all_filters(&tc, nl, err) < 0)
		return -1;
	if (!tc.hairpin.tcm_handle)
		return 0;
	if (tc_is_alone(&tc))
		tc_put_qdisc(nl, RTM_DELQDISC, 0, link);
	else
		tc_request(nl, RTM_DELTFILTER, 0, &tc.hairpin, "bpf");
	error = rtnl_commit_one(nl, &why);
	if (!error || tc_is_gone(error))
		return 0;
	return cni_fail(err, CNI_INTERNAL, "failed to delete the filter of hostAccess from link %d: %s", link,
			why.msg);
}
