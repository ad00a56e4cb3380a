/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cni/json.h"
#include "ipam/block.h"
#include "ipam/home.h"
#include "ipam/identity.h"
#include "ipam/record.h"
#include "ipam/verbs.h"

/* Is it an address of the interface that CHECK is for? True also if the result does not say. */
static bool check_is_ours(const struct result *prev, const struct cni_ip *ip, const char *ifname)
{
	if (ip->interface < 0 || (size_t)ip->interface >= prev->n_interfaces)
		return true;
	return !strcmp(prev->interfaces[ip->interface].name, ifname);
}

static bool check_in_pools(const struct conf *conf, const struct ip *ip)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (pool_asked(&conf->pools[i], ip))
			return true;
	return false;
}

/* The addresses of prevResult and the leases must be the same. */
static int check_compare(const struct record *record, const struct conf *conf, const struct result *prev,
			 const struct request *req, struct cni_error *err)
{
	for (size_t i = 0; i < prev->n_ips; i++) {
		const struct cni_ip *ip = &prev->ips[i];

		if (check_is_ours(prev, ip, req->ifname) && check_in_pools(conf, &ip->address.ip) &&
		    !record_has(record, &ip->address.ip))
			return cni_fail(err, CNI_DAMAGED, "%s of prevResult is not leased by %s %s",
					ip_text(&ip->address.ip).s, req->container, req->ifname);
	}
	for (size_t i = 0; i < record->n; i++) {
		bool given = false;

		for (size_t j = 0; j < prev->n_ips; j++)
			given |= ip_equal(&prev->ips[j].address.ip, &record->ips[i]);
		if (!given)
			return cni_fail(err, CNI_DAMAGED, "%s is leased by %s %s, but not in prevResult",
					ip_text(&record->ips[i]).s, req->container, req->ifname);
	}
	return 0;
}

static bool check_is_kept(const struct conf *conf, const struct ip *ip)
{
	for (size_t i = 0; i < conf->n_pools; i++)
		if (conf->pools[i].identities && pool_range(&conf->pools[i], ip))
			return true;
	return false;
}

/* Without the note, another node may have the address for the same identity. */
static int check_identity(const struct conf *conf, const struct store *store, const struct owner *owner,
			  const struct record *record, struct cni_error *err)
{
	struct identity identity;

	for (size_t i = 0; i < record->n; i++)
		if (check_is_kept(conf, &record->ips[i]) &&
		    (identity_of(&identity, store, owner) != FOUND || identity.state != IDENTITY_HELD))
			return cni_fail(err, CNI_DAMAGED,
					"%s is kept for an identity that %s no longer holds",
					ip_text(&record->ips[i]).s, owner->container);
	return 0;
}

/* If this node has lost a block, pods of another node may have its addresses. */
static int check_blocks(const struct record *record, const struct conf *conf, const struct store *store,
			struct cni_error *err)
{
	struct blocks blocks;
	int rc = blocks_read(&blocks, store, err);

	for (size_t i = 0; rc == 0 && i < record->n; i++) {
		const struct block *block = blocks_find(&blocks, &record->ips[i]);

		if (check_in_pools(conf, &record->ips[i]) && !check_is_kept(conf, &record->ips[i]) &&
		    (!block || !block_counts(block)))
			rc = cni_fail(err, CNI_DAMAGED, "%s is in no block that belongs to node %s",
				      ip_text(&record->ips[i]).s, conf->cluster.node);
	}
	blocks_free(&blocks);
	return rc;
}

/* The addresses of all stores in which the network may have leases. */
static int check_read(struct record *ret, struct homes *homes, const struct owner *owner,
		      struct cni_error *err)
{
	struct record record;
	bool legacy;

	*ret = (struct record){ .n = 0 };
	for (size_t i = 0; i < homes->n; i++) {
		enum found found = record_find(&record, &homes->list[i].store, owner, &legacy, err);

		if (found == FOUND_FAILED)
			return -1;
		for (size_t k = 0; found == FOUND && k < record.n && ret->n < RECORD_MAX; k++)
			if (!record_has(ret, &record.ips[k]))
				ret->ips[ret->n++] = record.ips[k];
	}
	return 0;
}

static int check_leases(struct record *ret, const struct conf *conf, const struct request *req,
			struct cni_error *err)
{
	const struct owner owner = { .container = req->container, .ifname = req->ifname };
	struct homes homes;
	int rc = homes_open(&homes, &conf->place, err) == FOUND_FAILED ? -1 : 0;

	ret->n = 0;
	if (rc == 0)
		rc = check_read(ret, &homes, &owner, err);
	if (rc == 0 && ret->n && conf->cluster.pool && homes.present &&
	    (check_blocks(ret, conf, &homes.present->store, err) < 0 ||
	     check_identity(conf, &homes.present->store, &owner, ret, err) < 0))
		rc = -1;
	homes_close(&homes);
	if (rc == 0 && !ret->n)
		return cni_fail(err, CNI_DAMAGED, "Failed to find address added by container %s",
				req->container);
	return rc;
}

static int check(const struct conf *conf, const struct request *req, struct cni_error *err)
{
	struct cni_error why = { 0 };
	struct record record;
	struct result prev;
	json_t *doc = NULL;
	int rc;

	if (check_leases(&record, conf, req, err) < 0)
		return -1;
	if (field_object(req->conf, "", "prevResult", &doc, err) < 0)
		return -1;
	if (!doc)
		return 0;
	if (result_read(&prev, doc, req->version, &why) < 0)
		return cni_fail(err, CNI_DECODE, "could not parse prevResult: %s", why.msg);
	rc = check_compare(&record, conf, &prev, req, err);
	result_free(&prev);
	return rc;
}

int addrpool_check(const struct request *req, struct cni_error *err)
{
	struct conf conf;
	int rc;

	if (addrpool_conf_read(&conf, req, err) < 0)
		return -1;
	rc = check(&conf, req, err);
	addrpool_conf_free(&conf);
	return rc;
}
