/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <stdio.h>
#include <string.h>

#include "cni/cleanup.h"

/* ALTIFNAMSIZ, from a header that clashes with <net/if.h> */
#define ALT_NAME_SIZE 128

static const char *const mode_names[] = {
	[IPVLAN_MODE_L2] = "l2",
	[IPVLAN_MODE_L3] = "l3",
	[IPVLAN_MODE_L3S] = "l3s",
};

/* the names of iproute2; a slave has at most one of the flags */
static const char *const flag_names[] = {
	[0] = "bridge",
	[IPVLAN_F_PRIVATE] = "private",
	[IPVLAN_F_VEPA] = "vepa",
};

#define N_NAMES(names) (sizeof(names) / sizeof(*(names)))

static int link_find_name(const char *const names[], size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && !strcmp(text, names[i]))
			return (int)i;
	return -1;
}

const char *ipvlan_mode_text(uint16_t mode)
{
	return mode < N_NAMES(mode_names) ? mode_names[mode] : "unknown";
}

bool ipvlan_mode_parse(const char *text, uint16_t *ret)
{
	int mode = link_find_name(mode_names, N_NAMES(mode_names), text);

	if (mode >= 0)
		*ret = (uint16_t)mode;
	return mode >= 0;
}

const char *ipvlan_flags_text(uint16_t flags)
{
	return flags < N_NAMES(flag_names) ? flag_names[flags] : "private vepa";
}

bool ipvlan_flags_parse(const char *text, int *ret)
{
	int flags = link_find_name(flag_names, N_NAMES(flag_names), text);

	if (flags >= 0)
		*ret = flags;
	return flags >= 0;
}

bool link_is_ipvlan(const struct link *link)
{
	return !strcmp(link->kind, "ipvlan") || !strcmp(link->kind, "ipvtap");
}

bool link_tells_netns(const struct link *link)
{
	return strcmp(link->kind, "ipvtap") != 0;
}

static uint32_t link_attr_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= sizeof(uint32_t) ? mnl_attr_get_u32(attr) : 0;
}

static uint16_t link_attr_u16(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= sizeof(uint16_t) ? mnl_attr_get_u16(attr) : 0;
}

static void link_attr_text(const struct nlattr *attr, char *ret, size_t size)
{
	snprintf(ret, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
		 (const char *)mnl_attr_get_payload(attr));
}

static void link_attr_mac(const struct nlattr *attr, char *ret, size_t size)
{
	const unsigned char *byte = mnl_attr_get_payload(attr);
	size_t n = mnl_attr_get_payload_len(attr), used = 0;

	for (size_t i = 0; i < n && used + 4 <= size; i++)
		used += (size_t)snprintf(ret + used, size - used, "%s%02x", i ? ":" : "", byte[i]);
}

/* 0: a VLAN of IEEE 802.1ad. */
static uint16_t link_vlan_id(const struct nlattr *data)
{
	uint16_t id = 0, protocol = htons(ETH_P_8021Q);
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data) {
		if (mnl_attr_get_type(attr) == IFLA_VLAN_ID)
			id = link_attr_u16(attr);
		else if (mnl_attr_get_type(attr) == IFLA_VLAN_PROTOCOL)
			protocol = link_attr_u16(attr);
	}
	return protocol == htons(ETH_P_8021Q) ? id : 0;
}

static void link_read_info(const struct nlattr *info, struct link *link)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			link_attr_text(attr, link->kind, sizeof(link->kind));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (!data)
		return;
	if (!strcmp(link->kind, "vlan"))
		link->vlan = link_vlan_id(data);
	if (!link_is_ipvlan(link))
		return;
	mnl_attr_for_each_nested(attr, data) {
		if (mnl_attr_get_type(attr) == IFLA_IPVLAN_MODE)
			link->ipvlan_mode = link_attr_u16(attr);
		else if (mnl_attr_get_type(attr) == IFLA_IPVLAN_FLAGS)
			link->ipvlan_flags = link_attr_u16(attr);
	}
}

static bool link_read(const struct nlmsghdr *nlh, struct link *ret)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct link link = { .index = 0 };
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return false;
	link.index = ifi->ifi_index;
	link.flags = ifi->ifi_flags;
	link.type = ifi->ifi_type;
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			link_attr_text(attr, link.name, sizeof(link.name));
			break;
		case IFLA_ADDRESS:
			link_attr_mac(attr, link.mac, sizeof(link.mac));
			break;
		case IFLA_MTU:
			link.mtu = link_attr_u32(attr);
			break;
		case IFLA_LINK:
			link.parent = (int)link_attr_u32(attr);
			break;
		case IFLA_LINK_NETNSID:
			link.parent_netns = (int)link_attr_u32(attr);
			link.parent_elsewhere = true;
			break;
		case IFLA_GROUP:
			link.group = link_attr_u32(attr);
			break;
		case IFLA_MASTER:
			link.holder = (int)link_attr_u32(attr);
			break;
		case IFLA_LINKINFO:
			link_read_info(attr, &link);
			break;
		default:
			break;
		}
	}
	*ret = link;
	return true;
}

static void link_keep(const struct nlmsghdr *nlh, void *arg)
{
	link_read(nlh, arg);
}

static struct nlmsghdr *link_request(struct rtnl *nl, unsigned int type, unsigned int flags, int index)
{
	struct nlmsghdr *nlh = rtnl_request(nl, type, flags);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = index;
	return nlh;
}

static enum found link_look_up(struct rtnl *nl, const char *name, int index, struct link *ret,
			       struct cni_error *err)
{
	struct nlmsghdr *nlh = link_request(nl, RTM_GETLINK, 0, index);
	struct link link = { .index = 0 };
	int rc;

	/* a name that is too long can be an alternative name */
	if (name)
		mnl_attr_put_strz_check(nlh, RTNL_REQUEST_MAX,
					strlen(name) < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
	rc = rtnl_ask(nl, link_keep, &link, err);
	if (rc == ENODEV || (!rc && !link.index))
		return FOUND_NOT;
	if (rc > 0)
		cni_fail(err, CNI_INTERNAL, "cannot look up a link: %s", errno_text(rc));
	if (rc)
		return FOUND_FAILED;
	*ret = link;
	return FOUND;
}

enum found link_find(struct rtnl *nl, const char *name, struct link *ret, struct cni_error *err)
{
	if (!*name || strlen(name) >= ALT_NAME_SIZE)
		return FOUND_NOT;
	return link_look_up(nl, name, 0, ret, err);
}

enum found link_find_index(struct rtnl *nl, int index, struct link *ret, struct cni_error *err)
{
	return link_look_up(nl, NULL, index, ret, err);
}

struct visit {
	void (*each)(const struct link *, void *);
	void *arg;
};

static void link_visit(const struct nlmsghdr *nlh, void *arg)
{
	const struct visit *visit = arg;
	struct link link;

	if (link_read(nlh, &link))
		visit->each(&link, visit->arg);
}

int link_each(struct rtnl *nl, void (*each)(const struct link *, void *), void *arg, struct cni_error *err)
{
	struct visit visit = { each, arg };
	int rc;

	link_request(nl, RTM_GETLINK, NLM_F_DUMP, 0);
	rc = rtnl_ask(nl, link_visit, &visit, err);
	if (rc > 0)
		return cni_fail(err, CNI_INTERNAL, "cannot list links: %s", errno_text(rc));
	return rc;
}

int ipvlan_create(struct rtnl *nl, const struct ipvlan *ipvlan, struct cni_error *err)
{
	struct nlmsghdr *nlh = link_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ipvlan->index);
	struct nlattr *info, *data;

	mnl_attr_put_strz_check(nlh, RTNL_REQUEST_MAX, IFLA_IFNAME, ipvlan->name);
	mnl_attr_put_u32(nlh, IFLA_LINK, (uint32_t)ipvlan->parent);
	if (ipvlan->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, ipvlan->mtu);
	if (ipvlan->group)
		mnl_attr_put_u32(nlh, IFLA_GROUP, ipvlan->group);
	if (ipvlan->netns >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)ipvlan->netns);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "ipvlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, IFLA_IPVLAN_MODE, ipvlan->mode);
	if (ipvlan->flags >= 0)
		mnl_attr_put_u16(nlh, IFLA_IPVLAN_FLAGS, (uint16_t)ipvlan->flags);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_commit_one(nl, err);
}

static struct nlmsghdr *link_create_request(struct rtnl *nl, const char *name)
{
	struct nlmsghdr *nlh = link_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
	mnl_attr_put_strz_check(nlh, RTNL_REQUEST_MAX, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_GROUP, OUR_NUMBER);
	return nlh;
}

static void link_put_vlan(struct nlmsghdr *nlh, int parent, uint16_t id)
{
	struct nlattr *info, *data;

	mnl_attr_put_u32(nlh, IFLA_LINK, (uint32_t)parent);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, IFLA_VLAN_ID, id);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

int vlan_create(struct rtnl *nl, const char *name, int parent, uint16_t id, struct cni_error *err)
{
	link_put_vlan(link_create_request(nl, name), parent, id);
	return rtnl_commit_one(nl, err);
}

int vlan_check(struct rtnl *nl, const struct link *parent, uint16_t id, struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct nlmsghdr *nlh;
	int error;

	if (parent->mtu >= MTU_MAX)
		return 0;
	/* an MTU above the parent's is the last thing that vlan_newlink() refuses, with EINVAL: any other
	 * errno is what vlan_create() would get */
	nlh = link_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_u32(nlh, IFLA_MTU, MTU_MAX);
	link_put_vlan(nlh, parent->index, id);
	error = rtnl_commit_one(nl, &why);
	if (!error || error == EINVAL)
		return 0;
	cni_fail(err, CNI_INTERNAL, "%s", why.msg);
	cni_hint(err, "%s", why.details);
	return error;
}

int dummy_create(struct rtnl *nl, const char *name, unsigned int mtu, struct cni_error *err)
{
	struct nlmsghdr *nlh = link_create_request(nl, name);
	struct nlattr *info;

	if (mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "dummy");
	mnl_attr_nest_end(nlh, info);
	return rtnl_commit_one(nl, err);
}

enum found link_kind_known(struct rtnl *nl, const char *kind, struct cni_error *err)
{
	struct nlmsghdr *nlh = link_request(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	struct cni_error why = { 0 };
	int error;

	/* Without a parent a link fails with EINVAL, and one that has no parent so with half an
	 * address. Before that the kernel tries to load the module, and fails with EOPNOTSUPP if it does
	 * not know the kind. */
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nlh, info);
	mnl_attr_put(nlh, IFLA_ADDRESS, 1, "");
	error = rtnl_commit_one(nl, &why);
	if (error == EINVAL)
		return FOUND;
	if (error == EOPNOTSUPP)
		return FOUND_NOT;
	cni_fail(err, CNI_INTERNAL, "cannot ask the kernel for %s: %s", kind, why.msg);
	return FOUND_FAILED;
}

int dummy_check(struct rtnl *nl, struct cni_error *err)
{
	enum found found = link_kind_known(nl, "dummy", err);

	if (found == FOUND_NOT)
		cni_fail(err, CNI_INTERNAL, "%s", errno_text(EOPNOTSUPP));
	return found == FOUND ? 0 : found == FOUND_NOT ? EOPNOTSUPP : EIO;
}

int link_rename(struct rtnl *nl, int index, const char *name, struct cni_error *err)
{
	struct nlmsghdr *nlh = link_request(nl, RTM_SETLINK, 0, index);

	mnl_attr_put_strz_check(nlh, RTNL_REQUEST_MAX, IFLA_IFNAME, name);
	return rtnl_commit_one(nl, err);
}

int link_delete(struct rtnl *nl, int index, struct cni_error *err)
{
	struct cni_error why = { 0 };
	int error;

	link_request(nl, RTM_DELLINK, 0, index);
	error = rtnl_commit_one(nl, &why);
	if (error == 0 || error == ENODEV)
		return 0;
	cni_fail(err, CNI_INTERNAL, "failed to delete link %d: %s", index, why.msg);
	return cni_hint(err, "%s", why.details);
}

static void link_queue_flags(struct rtnl *nl, int index, unsigned int flags)
{
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(link_request(nl, RTM_NEWLINK, 0, index));

	ifi->ifi_flags = flags;
	ifi->ifi_change = IFF_UP;
}

void link_queue_up(struct rtnl *nl, int index)
{
	link_queue_flags(nl, index, IFF_UP);
}

void link_queue_down(struct rtnl *nl, int index)
{
	link_queue_flags(nl, index, 0);
}

void link_queue_arp_notify(struct rtnl *nl, int index)
{
	struct nlmsghdr *nlh = link_request(nl, RTM_SETLINK, 0, index);
	struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *inet = mnl_attr_nest_start(nlh, AF_INET);
	struct nlattr *conf = mnl_attr_nest_start(nlh, IFLA_INET_CONF);

	mnl_attr_put_u32(nlh, IPV4_DEVCONF_ARP_NOTIFY, 1);
	mnl_attr_nest_end(nlh, conf);
	mnl_attr_nest_end(nlh, inet);
	mnl_attr_nest_end(nlh, spec);
}
