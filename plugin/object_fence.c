/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cleanup.h"
#include "net/addr.h"
#include "plugin/fence.h"
#include "plugin/kinds.h"
#include "plugin/ledger.h"
#include "plugin/policy.h"

/*
 * A fence: the nftables table of a master, of family netdev. Its hooks see each packet that enters
 * or leaves by the master, in all modes; pods cannot change it. Addresses are elements of sets, so
 * neither the number of rules nor the time for a packet grows with the number of pods.
 *
 * The host and all pods of a master have its MAC address. So a packet does not show which of them
 * has sent it, but whether any of them can have sent it: its sender must be an address of the host
 * or of a pod, and each MAC address in it must be the master's.
 *
 * A frame that enters by the master with the master's MAC address as its source is from a pod too:
 * in l2 it is for the host, or hostAccess or a reflector has returned it.
 */

/* The prefix of the names of counters. */
#define FENCE_BAD "bad_"

#define FENCE_RULE "\n\t\t"

/* Each rule is a line with two tabs, FENCE_RULE. nft before 1.0.7 knows neither "icmpv6 taddr"
 * nor sets of MAC addresses for raw payload, so there are targets, local_targets and options. nft
 * 1.0.6 does not list the device of a hook, so there is the set master. */
static const char fence_text[] =
	"	counter bad_mac { }\n"
	"	counter bad_tag { }\n"
	"	counter bad_arp { }\n"
	"	counter bad_ipv4 { }\n"
	"	counter bad_ipv6 { }\n"
	"	counter bad_neighbour { }\n"
	"	counter bad_router { }\n"
	"	counter bad_dhcp { }\n"
	"	set master { type ifname; elements = { \"%s\" }; }\n"
	"	set guarded { type iface_index; }\n"
	"	set macs { type ether_addr; }\n"
	"	set options { typeof @th,208,48; }\n"
	"	set vlans { typeof vlan id; }\n"
	"	set hosts4 { type ipv4_addr; }\n"
	"	set hosts6 { type ipv6_addr; }\n"
	"	set pods4 { type ipv4_addr; }\n"
	"	set pods6 { type ipv6_addr; }\n"
	"	set targets { typeof @th,64,128; }\n"
	"	set local6 { type ipv6_addr; }\n"
	"	set local_targets { typeof @th,64,128; }\n"
	"	set out4 { type ipv4_addr; counter; }\n"
	"	set out6 { type ipv6_addr; counter; }\n"
	"	set in4 { type ipv4_addr; counter; }\n"
	"	set in6 { type ipv6_addr; counter; }\n"
	"	map rate_out4 { type ipv4_addr : limit; }\n"
	"	map rate_out6 { type ipv6_addr : limit; }\n"
	"	map rate_in4 { type ipv4_addr : limit; }\n"
	"	map rate_in6 { type ipv6_addr : limit; }\n"
	"	map late_out4 { type ipv4_addr : counter; }\n"
	"	map late_out6 { type ipv6_addr : counter; }\n"
	"	map late_in4 { type ipv4_addr : counter; }\n"
	"	map late_in6 { type ipv6_addr : counter; }\n"
	"	map policy_out4 { type ipv4_addr : verdict; }\n"
	"	map policy_out6 { type ipv6_addr : verdict; }\n"
	"	map policy_in4 { type ipv4_addr : verdict; }\n"
	"	map policy_in6 { type ipv6_addr : verdict; }\n"
	"	set denied_out4 { type ipv4_addr; counter; }\n"
	"	set denied_out6 { type ipv6_addr; counter; }\n"
	"	set denied_in4 { type ipv4_addr; counter; }\n"
	"	set denied_in6 { type ipv6_addr; counter; }\n"
	"	chain denied_out {\n"
	"		ip saddr @denied_out4 drop\n"
	"		ip6 saddr @denied_out6 drop\n"
	"		drop\n"
	"	}\n"
	"	chain denied_in {\n"
	"		ip daddr @denied_in4 drop\n"
	"		ip6 daddr @denied_in6 drop\n"
	"		drop\n"
	"	}\n"
	"	chain check_arp {\n"
	"		arp saddr ether != @macs counter name bad_arp drop\n"
	"		arp saddr ip 0.0.0.0 return\n" /* a probe: RFC 5227 */
	"		arp saddr ip @pods4 return\n"
	"		arp saddr ip @hosts4 return\n"
	"		counter name bad_arp drop\n"
	"	}\n"
	"	chain check_ipv4 {\n"
	"		udp sport 67 udp dport 68 counter name bad_dhcp drop\n"
	"		ip saddr @pods4 return\n"
	"		ip saddr @hosts4 return\n"
	"		ip saddr 0.0.0.0 udp sport 68 udp dport 67 return\n"
	"		ip saddr 0.0.0.0 ip protocol igmp return\n"
	"		counter name bad_ipv4 drop\n"
	"	}\n"
	"	chain check_sender {\n"
	"		ip6 saddr @pods6 return\n"
	"		ip6 saddr @hosts6 return\n"
	"		ip6 saddr & ffff:ffff:ffff:ffff:ffff:ff00:00ff:ffff @local6 return\n"
	"		ip6 saddr :: icmpv6 type { mld-listener-report, mld2-listener-report, "
	"nd-router-solicit } "
	"return\n"
	"		counter name bad_ipv6 drop\n"
	"	}\n"
	/* 24 bytes, or 32 with one option: rules cannot see an option behind others */
	"	chain check_neighbour {\n"
	"		ip6 length != { 24, 32 } counter name bad_neighbour drop\n"
	"		ip6 length 32 icmpv6 type nd-neighbor-solicit @th,192,8 1 @th,208,48 != @options "
	"counter name bad_neighbour drop\n"
	"		ip6 length 32 icmpv6 type nd-neighbor-advert @th,192,8 2 @th,208,48 != @options "
	"counter name bad_neighbour drop\n"
	"		ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 @targets return\n"
	"		ip6 saddr :: icmpv6 type nd-neighbor-solicit "
	"@th,64,128 & 0xffffffffffffffffffffff0000ffffff @local_targets return\n"
	"		icmpv6 type nd-neighbor-advert @th,64,128 @targets goto check_sender\n"
	"		icmpv6 type nd-neighbor-advert "
	"@th,64,128 & 0xffffffffffffffffffffff0000ffffff @local_targets goto check_sender\n"
	"		icmpv6 type nd-neighbor-advert counter name bad_neighbour drop\n"
	"		goto check_sender\n"
	"	}\n"
	"	chain check_ipv6 {\n"
	"		ip6 saddr fe80::/10 exthdr frag exists counter name bad_neighbour drop\n" /* RFC 6980
												   */
	"		icmpv6 type { nd-router-advert, nd-redirect } counter name bad_router drop\n"
	"		udp sport 547 udp dport 546 counter name bad_dhcp drop\n"
	"		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } goto check_neighbour\n"
	"		icmpv6 type nd-router-solicit @th,64,8 1 @th,80,48 != @options counter name "
	"bad_router "
	"drop\n"
	"		goto check_sender\n"
	"	}\n"
	"	chain guard {\n"
	"		ether saddr != @macs counter name bad_mac drop\n"
	"		vlan id @vlans return\n" /* a packet of a VLAN on the master */
	"		ether type { vlan, 8021ad } counter name bad_tag drop\n"
	"		meta protocol arp goto check_arp\n"
	"		meta protocol ip goto check_ipv4\n"
	"		meta protocol ip6 goto check_ipv6\n"
	"	}\n"
	"	chain egress { type filter hook egress device \"%s\" priority 0;\n"
	"		oif @guarded jump guard\n"
	"		ip saddr vmap @policy_out4\n"
	"		ip6 saddr vmap @policy_out6\n"
	"		limit name ip saddr map @rate_out4 counter name ip saddr map @late_out4 drop\n"
	"		limit name ip6 saddr map @rate_out6 counter name ip6 saddr map @late_out6 drop\n"
	"		ip saddr @out4\n"
	"		ip6 saddr @out6\n"
	"	}\n"
	"	chain ingress { type filter hook ingress device \"%s\" priority 0;\n"
	"		iif @guarded ether saddr @macs jump guard\n"
	"		ip daddr vmap @policy_in4\n"
	"		ip6 daddr vmap @policy_in6\n"
	"		limit name ip daddr map @rate_in4 counter name ip daddr map @late_in4 drop\n"
	"		limit name ip6 daddr map @rate_in6 counter name ip6 daddr map @late_in6 drop\n"
	"		ip daddr @in4\n"
	"		ip6 daddr @in6\n"
	"	}\n";

struct fence_table fence_table(int dev)
{
	struct fence_table table;

	snprintf(table.s, sizeof(table.s), "netdev " FENCE_PREFIX "%d", dev);
	return table;
}

/* Fails if the link's name cannot be written in a script of nft. */
static int fence_check_name(const struct link *link, struct cni_error *err)
{
	if (!strpbrk(link->name, "\"*\\"))
		return 0;
	return cni_fail(err, CNI_CONFIG,
			"antiSpoof: a script of nft cannot contain the name of the master, \"%s\"",
			link->name);
}

static void fence_print_structure(FILE *script, const char *table, const char *link)
{
	fprintf(script, "table %s {\n", table);
	fprintf(script, fence_text, link, link, link);
	fputs("}\n", script);
}

int fence_check_kernel(struct rtnl *host, int dev, const struct conf *conf, struct cni_error *err)
{
	static const char table[] = "netdev " FENCE_PREFIX "check";
	autofree char *script = NULL;
	struct link link;
	size_t len = 0;
	FILE *out;

	if (link_find_index(host, dev, &link, err) != FOUND || fence_check_name(&link, err) < 0)
		return -1;
	out = open_memstream(&script, &len);
	if (!out)
		return cni_fail(err, CNI_RETRY, "out of memory");
	fence_print_structure(out, table, link.name);
	if (conf->policy)
		policy_print(out, table, "check", conf->policy);
	if (fclose(out) != 0)
		return cni_fail(err, CNI_RETRY, "out of memory");
	return nft_check(script, fence_key(conf), err);
}

/* The host's elements in the sets of the fence: calls each() for them. */
struct fence_host {
	void (*each)(void *arg, const char *set, const struct nft_key *key);
	void *arg;
	struct link link;
	bool near; /* only addresses of the master, no VLANs */
};

static void fence_keep(const struct fence_host *host, const char *set, struct nft_key key)
{
	host->each(host->arg, set, &key);
}

static void fence_keep_address(const struct addr_seen *seen, void *arg)
{
	const struct fence_host *host = arg;
	const struct ip *ip = &seen->address.ip;
	const bool own = seen->link == host->link.index;

	if (seen->scope == RT_SCOPE_HOST || (!own && (host->near || seen->scope != RT_SCOPE_UNIVERSE)))
		return;
	if (ip->family == AF_INET)
		fence_keep(host, "hosts4", nft_key_ip(ip));
	if (ip->family != AF_INET6)
		return;
	fence_keep(host, "hosts6", nft_key_ip(ip));
	fence_keep(host, "targets", nft_key_bytes(ip->bytes, 16));
}

static void fence_keep_vlan(const struct link *link, void *arg)
{
	const struct fence_host *host = arg;
	const uint16_t id = htons((uint16_t)link->vlan);
	struct nft_key key = nft_key_bytes((const unsigned char *)&id, sizeof(id));

	if (!link->vlan || link->parent != host->link.index || link->parent_elsewhere)
		return;
	snprintf(key.text.s, sizeof(key.text.s), "%u", link->vlan);
	fence_keep(host, "vlans", key);
}

/*
 * The link-local address of a slave consists of the master's MAC address and a number of the slave:
 * net/ipv6/addrconf.c, addrconf_ifid_eui48().
 */
static int fence_keep_mac(const struct fence_host *host, struct cni_error *err)
{
	struct ip local = { .family = AF_INET6, .bytes = { 0xfe, 0x80 } };
	struct ether_addr mac;
	struct nft_key key;

	if (!ether_aton_r(host->link.mac, &mac))
		return cni_fail(err, CNI_CONFIG, "antiSpoof: master \"%s\" has no MAC address",
				host->link.name);
	memcpy(local.bytes + 8, mac.ether_addr_octet, 3);
	memcpy(local.bytes + 13, mac.ether_addr_octet + 3, 3);
	key = nft_key_bytes(mac.ether_addr_octet, sizeof(mac.ether_addr_octet));
	fence_keep(host, "options", key);
	snprintf(key.text.s, sizeof(key.text.s), "%s", host->link.mac);
	fence_keep(host, "macs", key);
	fence_keep(host, "local6", nft_key_ip(&local));
	fence_keep(host, "local_targets", nft_key_bytes(local.bytes, 16));
	return 0;
}

static int fence_each_of_host(struct fence_host *host, struct rtnl *nl, struct cni_error *err)
{
	if (fence_keep_mac(host, err) < 0 || addr_each(nl, fence_keep_address, host, err) < 0)
		return -1;
	return host->near ? 0 : link_each(nl, fence_keep_vlan, host, err);
}

static int fence_find_link(struct link *ret, struct view *view, int dev, struct cni_error *err)
{
	enum found found = link_find_index(view->host, dev, ret, err);

	if (found == FOUND_NOT)
		return cni_fail(err, CNI_CONFIG, "the master, link %d, is gone", dev);
	return found == FOUND ? fence_check_name(ret, err) : -1;
}

struct fence_print {
	struct nft_script *script;
	int dev;
};

static void fence_put(const struct fence_print *print, bool add, const char *set, struct nft_key key,
		      const char *object)
{
	nft_put_element(print->script, add, fence_table(print->dev).s, set, &key, NULL, object);
}

static void fence_add_element(void *arg, const char *set, const struct nft_key *key)
{
	fence_put(arg, true, set, *key, NULL);
}

static void lease_put(const struct fence_print *print, bool add, const struct ip *ip)
{
	static const char *const sets[2][5] = { { "pods4", "out4", "in4" }, { "pods6", "out6", "in6" } };

	for (const char *const *set = sets[ip->family == AF_INET6]; *set; set++)
		fence_put(print, add, *set, nft_key_ip(ip), NULL);
	if (ip->family == AF_INET6)
		fence_put(print, add, "targets", nft_key_bytes(ip->bytes, 16), NULL);
}

static void guard_put(const struct fence_print *print, bool add)
{
	fence_put(print, add, "guarded", nft_key_link(print->dev), NULL);
}

/* The names of a pod's limits and counters have its first address: "out_0a090002", "late_out_0a090002". */
struct rate_name {
	char s[128];
};

static struct rate_name rate_name(const struct object *object, const char *before, const char *way)
{
	const struct nft_key first = nft_key_bytes(object->via.bytes, ip_size(&object->via));
	struct rate_name name;

	snprintf(name.s, sizeof(name.s), "%s%s_%s", before, way, first.text.s + strlen("0x"));
	return name;
}

static const char *const rate_directions[] = { "out", "in" };

/* Limit and counter are made before the elements that name them. They go with the object of the first
 * address, which is removed last. */
static void rate_put_one(const struct fence_print *print, bool add, const struct object *object,
			 const char *way, const struct rate *rate)
{
	const struct fence_table table = fence_table(print->dev);
	const struct rate_name limit = rate_name(object, "", way), late = rate_name(object, "late_", way);
	const char family = object->to.ip.family == AF_INET ? '4' : '6';
	const bool last = ip_equal(&object->to.ip, &object->via);
	char set[16];

	if (add) {
		nft_put_limit(print->script, true, table.s, limit.s, rate);
		nft_put_counter(print->script, true, table.s, late.s);
	}
	snprintf(set, sizeof(set), "rate_%s%c", way, family);
	fence_put(print, add, set, nft_key_ip(&object->to.ip), limit.s);
	snprintf(set, sizeof(set), "late_%s%c", way, family);
	fence_put(print, add, set, nft_key_ip(&object->to.ip), late.s);
	if (!add && last) {
		nft_put_limit(print->script, false, table.s, limit.s, rate);
		nft_put_counter(print->script, false, table.s, late.s);
	}
}

static void rate_put(const struct fence_print *print, bool add, const struct object *object)
{
	struct rate rates[2];

	if (!object_rates(object, rates))
		return;
	for (size_t i = 0; i < 2; i++)
		if (rates[i].rate)
			rate_put_one(print, add, object, rate_directions[i], &rates[i]);
}

static void fence_put_held(const struct fence_print *print, bool add, const struct object *object)
{
	if (object->kind == OBJECT_GUARD)
		guard_put(print, add);
	else if (object->kind == OBJECT_RATE)
		rate_put(print, add, object);
	else
		lease_put(print, add, &object->to.ip);
}

static void fence_add_held(const struct object *object, void *arg)
{
	const struct fence_print *print = arg;

	if (object->dev == print->dev)
		fence_put_held(print, true, object);
}

static int fence_print_whole(const struct fence_print *print, struct view *view, const struct link *link,
			     struct cni_error *err)
{
	const struct fence_table table = fence_table(link->index);

	fprintf(print->script->out, "add table %s\ndelete table %s\n", table.s, table.s);
	fence_print_structure(print->script->out, table.s, link->name);
	if (policy_print_whole(print->script, view, link->index, err) < 0 ||
	    hold_each(view->ledger, OBJECT_LEASE, fence_add_held, (void *)(uintptr_t)print, err) < 0 ||
	    hold_each(view->ledger, OBJECT_RATE, fence_add_held, (void *)(uintptr_t)print, err) < 0)
		return -1;
	return hold_each(view->ledger, OBJECT_GUARD, fence_add_held, (void *)(uintptr_t)print, err);
}

/* NFT_ADD also adds the present addresses of the master. Only a repair, by NFT_WHOLE, adds all
 * addresses and VLANs of the host. */
static int fence_print(struct nft_script *script, struct view *view, const struct object *object,
		       enum nft_step step, struct cni_error *err)
{
	const struct fence_table table = fence_table(object->dev);
	struct fence_print print = { script, object->dev };
	struct fence_host host = { fence_add_element, &print, .near = step == NFT_ADD };

	if (step != NFT_ADD)
		nft_text(script);
	if (step == NFT_DELETE) {
		fprintf(script->out, "add table %s\ndelete table %s\n", table.s, table.s);
		return 0;
	}
	if (fence_find_link(&host.link, view, object->dev, err) < 0 ||
	    (step == NFT_WHOLE && fence_print_whole(&print, view, &host.link, err) < 0))
		return -1;
	return fence_each_of_host(&host, view->host, err);
}

struct fence_compare {
	const json_t *list;
	bool differs;
	size_t n;
};

static void fence_compare_element(void *arg, const char *set, const struct nft_key *key)
{
	struct fence_compare *compare = arg;

	compare->n += strncmp(set, "hosts", 5) == 0 || !strcmp(set, "vlans") || !strcmp(set, "macs");
	compare->differs |= !nft_has_element(compare->list, set, key->text.s);
}

static size_t fence_size(const json_t *list, const char *set)
{
	return json_array_size(json_object_get(nft_entry(list, "set", set), "elem"));
}

/* Does not count the rules of policies, which are separate objects. */
static bool fence_has_chain(const char *chain, const void *arg)
{
	(void)arg;
	return !policy_is_chain(chain);
}

static enum found fence_find(struct view *view, const struct object *object, struct cni_error *err)
{
	struct fence_compare compare = { .n = 0 };
	struct fence_host host = { fence_compare_element, &compare, .near = false };
	enum found found = link_find_index(view->host, object->dev, &host.link, err);

	if (found != FOUND || nft_list(view, fence_table(object->dev).s, &compare.list, err) < 0)
		return found == FOUND_NOT ? FOUND_NOT : FOUND_FAILED;
	/* since Linux 6.16 a hook finds its device by name, and loses a device that is renamed */
	if (nft_rules(compare.list, fence_has_chain, NULL) != nft_rules_of_script(fence_text, FENCE_RULE) ||
	    !nft_has_element(compare.list, "master", host.link.name))
		return FOUND_NOT;
	if (fence_each_of_host(&host, view->host, err) < 0)
		return FOUND_FAILED;
	return compare.differs || compare.n != fence_size(compare.list, "hosts4") +
						       fence_size(compare.list, "hosts6") +
						       fence_size(compare.list, "vlans") +
						       fence_size(compare.list, "macs")
		       ? FOUND_NOT
		       : FOUND;
}

const struct kind kind_fence = {
	.name = "fence",
	.key = KEY_DEV,
	.find = fence_find,
	.print = fence_print,
};

/* For guards, leases and rates. NFT_WHOLE prints nothing: fence_print_whole() of the table has printed
 * them. */
static int fence_print_one(struct nft_script *script, struct view *view, const struct object *object,
			   enum nft_step step, struct cni_error *err)
{
	const struct fence_print print = { script, object->dev };

	(void)view;
	(void)err;
	if (step != NFT_WHOLE)
		fence_put_held(&print, step == NFT_ADD, object);
	return 0;
}

static enum found guard_find(struct view *view, const struct object *object, struct cni_error *err)
{
	const json_t *list;

	if (nft_list(view, fence_table(object->dev).s, &list, err) < 0)
		return FOUND_FAILED;
	return fence_size(list, "guarded") == 1 ? FOUND : FOUND_NOT;
}

const struct kind kind_guard = {
	.name = "guard",
	.key = KEY_DEV,
	.find = guard_find,
	.print = fence_print_one,
};

static enum found lease_find(struct view *view, const struct object *object, struct cni_error *err)
{
	const bool ipv6 = object->to.ip.family == AF_INET6;
	const struct ip_str text = ip_text(&object->to.ip);
	const json_t *list;

	if (nft_list(view, fence_table(object->dev).s, &list, err) < 0)
		return FOUND_FAILED;
	return nft_has_element(list, ipv6 ? "pods6" : "pods4", text.s) &&
			       nft_has_element(list, ipv6 ? "out6" : "out4", text.s) &&
			       nft_has_element(list, ipv6 ? "in6" : "in4", text.s) &&
			       (!ipv6 || nft_has_element(list, "targets",
							 nft_key_bytes(object->to.ip.bytes, 16).text.s))
		       ? FOUND
		       : FOUND_NOT;
}

static void fence_add_count(const json_t *list, const char *set, const char *text, struct fence_traffic *sum,
			    size_t direction)
{
	const json_t *element = nft_element(list, set, text);

	sum->packets[direction] += nft_counted(element, "packets");
	sum->bytes[direction] += nft_counted(element, "bytes");
}

enum found fence_count(struct view *view, const struct object *lease, struct fence_traffic *sum,
		       struct cni_error *err)
{
	const bool ipv6 = lease->to.ip.family == AF_INET6;
	const struct ip_str text = ip_text(&lease->to.ip);
	enum found found = lease_find(view, lease, err);
	const json_t *list;

	if (found != FOUND || nft_list(view, fence_table(lease->dev).s, &list, err) < 0)
		return found == FOUND ? FOUND_FAILED : found;
	fence_add_count(list, ipv6 ? "out6" : "out4", text.s, sum, 0);
	fence_add_count(list, ipv6 ? "in6" : "in4", text.s, sum, 1);
	return FOUND;
}

int fence_each_drop(struct view *view, int dev,
		    void (*each)(const char *reason, long long packets, void *arg), void *arg,
		    struct cni_error *err)
{
	const json_t *list, *entry;
	size_t i;

	if (nft_list(view, fence_table(dev).s, &list, err) < 0)
		return -1;
	json_array_foreach(json_object_get(list, "nftables"), i, entry) {
		const json_t *counter = json_object_get(entry, "counter");
		const char *name = json_string_value(json_object_get(counter, "name"));

		if (name && !strncmp(name, FENCE_BAD, strlen(FENCE_BAD)))
			each(name + strlen(FENCE_BAD),
			     json_integer_value(json_object_get(counter, "packets")), arg);
	}
	return 0;
}

const struct kind kind_lease = {
	.name = "lease",
	.key = KEY_DEV | KEY_ADDRESS,
	.find = lease_find,
	.print = fence_print_one,
};

/* A packet passes if it has no element in one of both maps. */
static bool rate_has(const json_t *list, const struct object *object, const char *way)
{
	const char family = object->to.ip.family == AF_INET ? '4' : '6';
	const struct ip_str ip = ip_text(&object->to.ip);
	char rate[16], late[16];

	snprintf(rate, sizeof(rate), "rate_%s%c", way, family);
	snprintf(late, sizeof(late), "late_%s%c", way, family);
	return nft_has_element(list, rate, ip.s) && nft_has_element(list, late, ip.s) &&
	       nft_entry(list, "limit", rate_name(object, "", way).s);
}

static enum found rate_find(struct view *view, const struct object *object, struct cni_error *err)
{
	const json_t *list;
	struct rate rates[2];

	if (nft_list(view, fence_table(object->dev).s, &list, err) < 0)
		return FOUND_FAILED;
	if (!object_rates(object, rates))
		return FOUND_NOT;
	for (size_t i = 0; i < 2; i++)
		if (rates[i].rate && !rate_has(list, object, rate_directions[i]))
			return FOUND_NOT;
	return FOUND;
}

const struct kind kind_rate = {
	.name = "rate",
	.key = KEY_DEV | KEY_ADDRESS,
	.find = rate_find,
	.print = fence_print_one,
};

void fence_count_late(struct view *view, const struct object *rate, struct fence_traffic *sum)
{
	struct rate_name counter;
	const json_t *list;

	if (!ip_equal(&rate->to.ip, &rate->via) || nft_list(view, fence_table(rate->dev).s, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		counter = rate_name(rate, "late_", rate_directions[i]);
		sum->late[i] +=
			json_integer_value(json_object_get(nft_entry(list, "counter", counter.s), "packets"));
	}
}
