/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/identity.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "claim/agree.h"
#include "claim/http.h"
#include "claim/local.h"
#include "claim/node.h"
#include "claim/routes.h"
#include "cni/hash.h"
#include "cni/json.h"
#include "ipam/record.h"
#include "ipam/release.h"

#define WANTS_MAX 12 /* so many have room in a note */
/* How often others may change the record in one call. */
#define CHANGES 10
#define BOOT_ID_LEN 36

/* A range set from which the identity requires an address. */
struct want {
	const struct pool *pool;
	struct ip requested; /* family 0: any */
	struct ip ip;
};

struct hold {
	struct node *node;
	const struct owner *owner; /* NULL: of a reservation */
	struct want wants[WANTS_MAX];
	size_t n;
	struct keep keep;   /* the identity's record */
	json_t *before;	    /* of a reservation: the record as others have written it; NULL: there was none */
	bool written;	    /* the engine may have noted us */
	struct taken taken; /* blocks of nodes, and addresses that others have got since */
	struct taken locks; /* addresses that have a lock, sorted */
	bool swept;	    /* what need not be kept has been removed */
	bool listed;	    /* locks has all */
};

static const char *identity_text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_field(obj, key));

	return text ? text : "";
}

static const char *identity_now_text(const struct node *node)
{
	return node->self.since;
}

#define CLOCK_SET "2024-01-01" /* a clock before that is not set */

/* Writes the time from which "keep" counts. A node whose clock is not set leaves that time as it is. */
static void identity_touch(const struct node *node, json_t *record)
{
	if (strcmp(identity_now_text(node), CLOCK_SET) > 0 || !*identity_text_of(record, "since"))
		json_object_set_new(record, "since", json_string(identity_now_text(node)));
}

static bool identity_is_among(const json_t *addresses, const struct ip *ip)
{
	const json_t *entry;
	struct ip there;
	size_t i;

	json_array_foreach(addresses, i, entry)
		if (json_is_string(entry) && ip_parse(json_string_value(entry), &there) &&
		    ip_equal(&there, ip))
			return true;
	return false;
}

static const json_t *identity_addresses_of(const struct keep *keep)
{
	return json_field(keep->doc, "addresses");
}

/* Is the holder's node this one, which may have had another name at the time? */
static bool identity_is_here(const json_t *holder, const struct node *node)
{
	return !strcmp(identity_text_of(holder, "node"), node->self.node) ||
	       node_was_renamed(&node->self, identity_text_of(holder, "incarnation"),
				identity_text_of(holder, "machine"), identity_text_of(holder, "boot"));
}

/* Another machine may have a copy of this one's disk, and so its incarnation. A holder of this boot is no
 * copy, even if the machine differs: its first network card may have been replaced. Nor is one if this
 * machine's MAC address cannot be read. */
static bool identity_is_of_copy(const json_t *holder, const struct node *node)
{
	const char *was = identity_text_of(holder, "machine"), *is = node->self.machine;

	return !node_is_same_boot(identity_text_of(holder, "boot"), node->self.boot) && *was && *is &&
	       !node_is_same_machine(was, is) && !node_is_same_machine(is, was);
}

static bool identity_is_holder(const json_t *holder, const struct node *node, const struct owner *owner)
{
	return identity_is_here(holder, node) && !identity_is_of_copy(holder, node) &&
	       !strcmp(identity_text_of(holder, "incarnation"), node->self.incarnation) &&
	       !strcmp(identity_text_of(holder, "container"), owner->container) &&
	       !strcmp(identity_text_of(holder, "interface"), owner->ifname);
}

static json_t *identity_holder_of(const struct hold *hold)
{
	const struct claim *self = &hold->node->self;

	return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o}", "node", json_text(self->node), "machine",
			 self->machine, "boot", self->boot, "incarnation", self->incarnation, "container",
			 json_text(hold->owner->container), "interface", json_text(hold->owner->ifname));
}

/* What this node has noted of the attachment. */

/*
 * Notes that the engine is asked. An earlier note of the attachment stays, since the engine may have the
 * attachment as the holder; one that says "returning" becomes "claiming". FOUND_NOT: there was none.
 */
static enum found identity_note_claiming(const struct node *node, const struct owner *owner, const char *name,
					 struct cni_error *err)
{
	struct identity note = { .addresses = "-" };
	struct store store;
	enum found found;

	if (local_open(&store, node, err) < 0)
		return FOUND_FAILED;
	found = identity_of(&note, &store, owner);
	if ((found == FOUND_NOT || note.state == IDENTITY_RETURNING) &&
	    identity_put(&store, owner, IDENTITY_CLAIMING, note.addresses, name, err) < 0)
		found = FOUND_FAILED;
	store_close(&store);
	return found;
}

/* FOUND_NOT: a DEL, or another ADD, has ended the attachment meanwhile. */
static enum found identity_note_held(const struct hold *hold, struct cni_error *err)
{
	const struct node *node = hold->node;
	const struct owner *owner = hold->owner;
	char addresses[sizeof(((struct identity *)NULL)->addresses)] = "";
	size_t used = 0;
	struct identity identity;
	struct store store;
	enum found found;

	for (size_t k = 0; k < hold->n && used < sizeof(addresses); k++)
		used += (size_t)snprintf(addresses + used, sizeof(addresses) - used, "%s%s", k ? "," : "",
					 ip_text(&hold->wants[k].ip).s);
	if (local_open(&store, node, err) < 0)
		return FOUND_FAILED;
	found = identity_of(&identity, &store, owner);
	if (found == FOUND && identity.state == IDENTITY_RETURNING)
		found = FOUND_NOT;
	if (found == FOUND && identity_put(&store, owner, IDENTITY_HELD, addresses, hold->keep.name, err) < 0)
		found = FOUND_FAILED;
	store_close(&store);
	return found;
}

static void identity_forget_note(const struct node *node, const struct owner *owner)
{
	struct store store;

	if (local_open(&store, node, NULL) < 0)
		return;
	identity_drop(&store, owner);
	store_close(&store);
}

/* Has the holder's attachment ended? */

static bool identity_is_of_owner(void *arg, const struct lease *lease)
{
	return owner_equal(&lease->owner, arg);
}

/* Releases the leases of owner if its pod does not exist. An owner without a lease gets none from now on. */
static enum found identity_end_attachment(const struct node *node, struct owner *owner, struct cni_error *err)
{
	const struct place *place = &node->conf->place;
	struct states states;
	struct record record;
	struct store store;
	enum found found = FOUND_FAILED;
	bool legacy;
	size_t n;

	if (states_find(&states, place, identity_is_of_owner, owner, err) == 0 &&
	    local_open(&store, node, err) == 0) {
		if (release_all(&store, place, &states, why_dead, &n, err) == 0)
			found = record_find(&record, &store, owner, &legacy, err);
		if (found == FOUND_NOT && identity_end(&store, owner, err) < 0)
			found = FOUND_FAILED;
		store_close(&store);
	}
	states_free(&states);
	return found == FOUND_FAILED ? found : found == FOUND ? FOUND_NOT : FOUND;
}

/* The record names this node as the holder. The node's files may be lost since. */
static enum found identity_is_over_here(const struct node *node, const json_t *holder, struct cni_error *err)
{
	struct owner owner = { identity_text_of(holder, "container"), identity_text_of(holder, "interface") };
	const struct claim *self = &node->self;

	if (!strcmp(identity_text_of(holder, "incarnation"), self->incarnation))
		return identity_is_of_copy(holder, node) ? FOUND_NOT
							 : identity_end_attachment(node, &owner, err);
	return node_is_same_machine(identity_text_of(holder, "machine"), self->machine) &&
			       !node_is_same_boot(identity_text_of(holder, "boot"), self->boot)
		       ? FOUND
		       : FOUND_NOT;
}

static enum found identity_is_over(const struct node *node, const json_t *holder, struct cni_error *err)
{
	if (!holder)
		return FOUND;
	if (identity_is_here(holder, node))
		return identity_is_over_here(node, holder, err);
	return node->engine->kind->node_gone(node->engine, identity_text_of(holder, "node"), err);
}

static int identity_held_by_another(const struct keep *keep, const json_t *holder, struct cni_error *err)
{
	cni_fail(err, CNI_RETRY, "identity %.200s is held on node %.100s by container %.64s since %.31s",
		 keep->name, identity_text_of(holder, "node"), identity_text_of(holder, "container"),
		 identity_text_of(keep->doc, "since"));
	return cni_hint(
		err,
		"it is free when the DEL of that container reaches the engine; if the node is gone for good, "
		"\"ipvlanctl pools release-identity\" releases it");
}

/* Locks. */

static struct keep identity_lock_of(const struct ip *ip)
{
	struct keep lock = { .kind = KEEP_ADDRESS };

	snprintf(lock.name, sizeof(lock.name), "%s", ip_text(ip).s);
	return lock;
}

static bool identity_is_lock_of(const struct keep *lock, const struct keep *keep)
{
	return !strcmp(identity_text_of(lock->doc, "identity"), keep->name) &&
	       !strcmp(identity_text_of(lock->doc, "id"), identity_text_of(keep->doc, "id"));
}

/* Reads what may be another identity's. FOUND without a document: it is damaged, so the address stays
 * unused. */
static enum found identity_read_other(const struct node *node, struct keep *keep, struct cni_error *err)
{
	struct cni_error why = { 0 };
	enum found found = node->engine->kind->keep_read(node->engine, keep, &why);

	if (found == FOUND_FAILED && *keep->version) {
		cni_log("%s", why.msg);
		return FOUND;
	}
	if (found == FOUND_FAILED)
		cni_fail_as(err, &why);
	return found;
}

/* Removes the lock if its record does not have the address. FOUND_NOT: the record has it, or may have it. */
static enum found identity_remove_orphan(const struct node *node, const struct keep *lock,
					 const struct ip *ip, struct cni_error *err)
{
	const struct engine_kind *kind = node->engine->kind;
	struct keep keep = { .kind = KEEP_IDENTITY };
	enum found found;

	if (!lock->doc)
		return FOUND_NOT;
	snprintf(keep.name, sizeof(keep.name), "%s", identity_text_of(lock->doc, "identity"));
	found = identity_read_other(node, &keep, err);
	if (found != FOUND_FAILED)
		found = found == FOUND && (!keep.doc || (identity_is_lock_of(lock, &keep) &&
							 identity_is_among(identity_addresses_of(&keep), ip)))
				? FOUND_NOT
				: FOUND;
	keep_free(&keep);
	if (found == FOUND && kind->keep_remove(node->engine, lock, err) == FOUND_FAILED)
		found = FOUND_FAILED;
	return found;
}

/* The record had the address before, gave it up, and has it again. Another node that took the lock for an
 * orphan meanwhile must not remove it: gives it another version. FOUND_NOT: once more. */
static enum found identity_lock_again(const struct node *node, struct keep *lock, struct cni_error *err)
{
	json_object_set_new(lock->doc, "before", json_string(lock->version));
	return node->engine->kind->keep_write(node->engine, lock, err);
}

/* FOUND_NOT: another identity has the address. */
static enum found identity_lock(const struct node *node, const struct keep *keep, const struct ip *ip,
				struct cni_error *err)
{
	const struct engine_kind *kind = node->engine->kind;
	struct keep lock = identity_lock_of(ip);
	enum found found = FOUND_NOT;

	for (int tries = 0; tries < CHANGES && found == FOUND_NOT; tries++) {
		keep_free(&lock);
		*lock.version = '\0';
		lock.doc = json_pack("{s:s, s:s}", "identity", keep->name, "id",
				     identity_text_of(keep->doc, "id"));
		found = kind->keep_write(node->engine, &lock, err);
		if (found != FOUND_NOT)
			break;
		found = identity_read_other(node, &lock, err);
		if (found == FOUND && identity_is_lock_of(&lock, keep)) {
			found = identity_lock_again(node, &lock, err);
			continue;
		}
		if (found == FOUND)
			found = identity_remove_orphan(node, &lock, ip, err);
		if (found == FOUND_NOT && *lock.version)
			break;
		if (found == FOUND)
			found = FOUND_NOT; /* once more */
	}
	keep_free(&lock);
	return found;
}

/* Removes the lock if it belongs to this record. Ignores failures: a lock that stays is an orphan. */
static void identity_unlock(const struct node *node, const struct keep *keep, const struct ip *ip)
{
	const struct engine_kind *kind = node->engine->kind;
	struct keep lock = identity_lock_of(ip);

	if (kind->keep_read(node->engine, &lock, NULL) == FOUND && identity_is_lock_of(&lock, keep))
		kind->keep_remove(node->engine, &lock, NULL);
	keep_free(&lock);
}

/* Removes the lock of an address that the record no longer has. */
static void identity_unlock_orphan(const struct node *node, const struct keep *keep, const struct ip *ip)
{
	struct keep lock = identity_lock_of(ip);

	if (node->engine->kind->keep_read(node->engine, &lock, NULL) == FOUND &&
	    identity_is_lock_of(&lock, keep))
		identity_remove_orphan(node, &lock, ip, NULL);
	keep_free(&lock);
}

static void identity_unlock_all(const struct node *node, const struct keep *keep)
{
	const json_t *entry;
	struct ip ip;
	size_t i;

	json_array_foreach(identity_addresses_of(keep), i, entry)
		if (json_is_string(entry) && ip_parse(json_string_value(entry), &ip))
			identity_unlock(node, keep, &ip);
}

/* Free addresses. */

static struct prefix identity_alone(const struct ip *ip)
{
	return (struct prefix){ .ip = *ip, .len = (unsigned int)(8 * ip_size(ip)) };
}

static int identity_by_ip(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;

	return x->ip.family != y->ip.family ? (x->ip.family < y->ip.family ? -1 : 1)
					    : ip_compare(&x->ip, &y->ip);
}

static enum found identity_is_untaken(void *arg, struct ip *ip, struct cni_error *err)
{
	const struct hold *hold = arg;
	const struct prefix whole = identity_alone(ip);

	(void)err;
	if (hold->locks.n && bsearch(&whole, hold->locks.list, hold->locks.n, sizeof(whole), identity_by_ip))
		return FOUND_NOT;
	for (size_t i = 0; i < hold->taken.n; i++)
		if (prefix_contains(&hold->taken.list[i], ip))
			return FOUND_NOT;
	for (size_t i = 0; i < hold->n; i++)
		if (ip_equal(&hold->wants[i].ip, ip))
			return FOUND_NOT;
	return FOUND;
}

static int identity_take(struct hold *hold, const struct ip *ip, struct cni_error *err)
{
	const struct prefix whole = identity_alone(ip);

	return taken_add(&hold->taken, &whole, err);
}

static int identity_list_locks(struct hold *hold, struct cni_error *err)
{
	struct prefix whole;
	struct keeps locks;
	struct ip ip;
	int rc = 0;

	if (hold->node->engine->kind->keep_list(hold->node->engine, KEEP_ADDRESS, &locks, err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < locks.n; i++)
		if (ip_parse(locks.list[i].name, &ip)) {
			whole = identity_alone(&ip);
			rc = taken_add(&hold->locks, &whole, err);
		}
	keeps_free(&locks);
	if (hold->locks.n)
		qsort(hold->locks.list, hold->locks.n, sizeof(whole), identity_by_ip);
	hold->listed = true;
	return rc;
}

/* Where the search begins: by the identity's name, so that nodes seldom meet, and a name that comes again
 * gets the same address, if no other identity has it. */
static struct ip identity_start_of(const struct pool *pool, const char *name)
{
	const uint64_t hash = hash_add(HASH_START, name, strlen(name));
	const struct span *span = &pool->spans[hash % pool->n_spans];
	const uint64_t size = ip_distance(&span->first, &span->last);

	return ip_add(&span->first, (hash >> 8) % (size + 1));
}

static bool identity_has_expired(const struct node *node, const struct keep *keep)
{
	const long long seconds = node->conf->cluster.keep;
	struct tm tm = { 0 };

	if (!seconds || json_field(keep->doc, "holder") || json_is_true(json_field(keep->doc, "reserved")) ||
	    !strptime(identity_text_of(keep->doc, "since"), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return false;
	return timegm(&tm) + seconds < time(NULL);
}

/* The identity that has been without a holder longest, or NULL. */
static const struct keep *identity_find_expired(const struct hold *hold, const struct keeps *all,
						const struct pool *pool)
{
	const struct keep *oldest = NULL;
	const json_t *entry;
	struct ip ip;
	size_t k;

	for (size_t i = 0; i < all->n; i++) {
		bool within = false;

		json_array_foreach(identity_addresses_of(&all->list[i]), k, entry)
			within |= json_is_string(entry) && ip_parse(json_string_value(entry), &ip) &&
				  pool_range(pool, &ip);
		if (within && identity_has_expired(hold->node, &all->list[i]) &&
		    (!oldest || strcmp(identity_text_of(all->list[i].doc, "since"),
				       identity_text_of(oldest->doc, "since")) < 0))
			oldest = &all->list[i];
	}
	return oldest;
}

/* FOUND: the engine has no record of this name. */
static enum found identity_is_removed(const struct node *node, const struct keep *keep, struct cni_error *err)
{
	struct keep there = { .kind = KEEP_IDENTITY };
	enum found found;

	memcpy(there.name, keep->name, sizeof(there.name));
	found = node->engine->kind->keep_read(node->engine, &there, err);
	keep_free(&there);
	return found == FOUND ? FOUND_NOT : found == FOUND_NOT ? FOUND : found;
}

/* Removes the record. Succeeds if an earlier attempt removed it and the answer was lost. FOUND_NOT: the
 * record has changed. */
static enum found identity_forget(const struct node *node, const struct keep *keep, struct cni_error *err)
{
	enum found found = node->engine->kind->keep_remove(node->engine, keep, err);

	if (found == FOUND_NOT)
		found = identity_is_removed(node, keep, err);
	if (found == FOUND)
		identity_unlock_all(node, keep);
	return found;
}

static int identity_by_name(const void *a, const void *b)
{
	const struct keep *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool identity_is_listed(const struct keeps *all, const struct keep *lock, const struct ip *ip)
{
	struct keep named = { .kind = KEEP_IDENTITY };
	const struct keep *keep = NULL;

	snprintf(named.name, sizeof(named.name), "%s", identity_text_of(lock->doc, "identity"));
	if (all->n)
		keep = bsearch(&named, all->list, all->n, sizeof(named), identity_by_name);
	return keep && identity_is_lock_of(lock, keep) && identity_is_among(identity_addresses_of(keep), ip);
}

/* Reads the locks before the records: so a lock that another call makes meanwhile does not look like an
 * orphan. */
static int identity_remove_orphans(const struct hold *hold, const struct keeps *locks, struct keeps *all,
				   struct cni_error *err)
{
	struct ip ip;

	if (all->n)
		qsort(all->list, all->n, sizeof(*all->list), identity_by_name);
	for (size_t i = 0; i < locks->n; i++) {
		const struct keep *lock = &locks->list[i];

		if (json_is_object(lock->doc) && ip_parse(lock->name, &ip) &&
		    !identity_is_listed(all, lock, &ip) &&
		    identity_remove_orphan(hold->node, lock, &ip, err) == FOUND_FAILED)
			return -1;
	}
	return 0;
}

/* The pool is full: removes orphans, and the record that has expired first. */
static int identity_sweep(struct hold *hold, const struct pool *pool, struct cni_error *err)
{
	const struct engine_kind *kind = hold->node->engine->kind;
	struct keeps locks = { 0 }, all = { 0 };
	const struct keep *expired;
	int rc = kind->keep_list(hold->node->engine, KEEP_ADDRESS, &locks, err);

	hold->listed = false;
	taken_free(&hold->taken);
	taken_free(&hold->locks);
	if (rc == 0)
		rc = kind->keep_list(hold->node->engine, KEEP_IDENTITY, &all, err);
	if (rc == 0)
		rc = identity_remove_orphans(hold, &locks, &all, err);
	hold->swept = rc == 0;
	expired = rc == 0 ? identity_find_expired(hold, &all, pool) : NULL;
	if (expired) {
		cni_log("identity %s, which has no holder since %s, loses its address: the range set %s is "
			"full",
			expired->name, identity_text_of(expired->doc, "since"), pool_text(pool).s);
		rc = identity_forget(hold->node, expired, err) == FOUND_FAILED ? -1 : 0;
	}
	keeps_free(&locks);
	keeps_free(&all);
	return rc;
}

/* Claims the block of an address, so that no node can claim it. FOUND_NOT: a node has it. */
static enum found identity_guard(struct hold *hold, const struct ip *ip, struct cni_error *err)
{
	const struct node *node = hold->node;
	const struct engine_kind *kind = node->engine->kind;
	struct claim claim = { .block = block_of(ip, node->conf->cluster.block_bits), .node = IDENTITIES };
	struct candidate candidate = { .block = claim.block };
	struct look look = { .candidates = &candidate, .n = 1 };
	enum found found;

	memcpy(claim.since, node->self.since, sizeof(claim.since));
	if (kind->look(node->engine, &node->self, &look, err) < 0 ||
	    claim_check_block_size(node, look.block_size, err) < 0)
		return FOUND_FAILED;
	found = kind->create(node->engine, &claim, err);
	if (found == FOUND_NOT && taken_add(&hold->taken, &claim.block, err) < 0)
		found = FOUND_FAILED;
	return found;
}

static int identity_no_address(const struct want *want, struct cni_error *err)
{
	if (want->requested.family)
		return cni_fail(err, CNI_CONFLICT,
				"requested ip %s is another identity's, or in a block of a node",
				ip_text(&want->requested).s);
	cni_fail(err, CNI_RETRY, "no address is free for an identity in range set %zu: %s",
		 want->pool->number, pool_text(want->pool).s);
	return cni_hint(
		err,
		"\"ipvlanctl pools identities\" lists who has them; ipam.cluster.keep limits how long an "
		"unused identity keeps its address; blocks of nodes are not used");
}

/* Finds an address for the want that no identity is known to have. */
static enum found identity_find_free(struct hold *hold, struct want *want, struct cni_error *err)
{
	const struct ip last = identity_start_of(want->pool, hold->keep.name);

	want->ip.family = 0;
	if (want->requested.family) {
		want->ip = want->requested;
		return identity_guard(hold, &want->ip, err) == FOUND
			       ? FOUND
			       : (enum found)identity_no_address(want, err);
	}
	for (;;) {
		enum found found = pool_walk(want->pool, &last, identity_is_untaken, hold, &want->ip, err);

		if (found == FOUND)
			found = identity_guard(hold, &want->ip, err);
		else if (found == FOUND_NOT && hold->swept)
			return (enum found)identity_no_address(want, err);
		else if (found == FOUND_NOT &&
			 (identity_sweep(hold, want->pool, err) < 0 || identity_list_locks(hold, err) < 0))
			return FOUND_FAILED;
		if (found != FOUND_NOT)
			return found;
		want->ip.family = 0;
	}
}

/* The record. */

static bool identity_is_locked(const struct hold *hold)
{
	return json_is_true(json_field(hold->keep.doc, "locked"));
}

/* May the want have the address of the record? Until the record is locked, another identity may get the
 * address. Then the pod may request another one. */
static bool identity_may_match(const struct hold *hold, const struct want *want, const struct ip *ip)
{
	if (!pool_range(want->pool, ip))
		return false;
	if (!want->requested.family)
		return pool_may_give(want->pool, ip);
	return !hold->owner || identity_is_locked(hold) || ip_equal(&want->requested, ip);
}

/* Gives each want its address of the record. False: the record has none for one of them. */
static bool identity_match_wants(struct hold *hold)
{
	const json_t *entry;
	bool all = true;
	struct ip ip;
	size_t i;

	for (size_t k = 0; k < hold->n; k++) {
		hold->wants[k].ip.family = 0;
		json_array_foreach(identity_addresses_of(&hold->keep), i, entry)
			if (!hold->wants[k].ip.family && json_is_string(entry) &&
			    ip_parse(json_string_value(entry), &ip) &&
			    identity_may_match(hold, &hold->wants[k], &ip))
				hold->wants[k].ip = ip;
		all &= hold->wants[k].ip.family != 0;
	}
	return all;
}

static int identity_check_requested(const struct hold *hold, struct cni_error *err)
{
	for (size_t k = 0; k < hold->n; k++) {
		const struct want *want = &hold->wants[k];

		if (!want->requested.family || !want->ip.family || ip_equal(&want->requested, &want->ip))
			continue;
		cni_fail(err, CNI_CONFIG, "identity %.200s has %s, and %s is requested", hold->keep.name,
			 ip_text(&want->ip).s, ip_text(&want->requested).s);
		return cni_hint(err,
				"\"ipvlanctl pools release-identity --forget\" lets it have another address");
	}
	return 0;
}

/* Writes the addresses of the wants into the record. Addresses of other families stay; a reservation only
 * adds, since a pod may have the others. */
static void identity_set_addresses(struct hold *hold)
{
	json_t *list = json_array();
	const json_t *entry;
	struct ip ip;
	size_t i;

	json_array_foreach(identity_addresses_of(&hold->keep), i, entry) {
		bool other = json_is_string(entry) && ip_parse(json_string_value(entry), &ip);

		for (size_t k = 0; other && hold->owner && k < hold->n; k++)
			other = ip.family != hold->wants[k].ip.family;
		if (other)
			json_array_append_new(list, json_string(ip_text(&ip).s));
	}
	for (size_t k = 0; k < hold->n; k++)
		if (!identity_is_among(list, &hold->wants[k].ip))
			json_array_append_new(list, json_string(ip_text(&hold->wants[k].ip).s));
	json_object_set_new(hold->keep.doc, "addresses", list);
}

static enum found identity_write_record(struct hold *hold, bool locked, struct cni_error *err)
{
	json_object_set_new(hold->keep.doc, "locked", json_boolean(locked));
	hold->written = true;
	return hold->node->engine->kind->keep_write(hold->node->engine, &hold->keep, err);
}

static int identity_new_record(struct hold *hold, struct cni_error *err)
{
	uint64_t random;
	char id[24];

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return cni_fail(err, CNI_IO, "getrandom failed");
	snprintf(id, sizeof(id), "%016" PRIx64, random);
	keep_free(&hold->keep);
	hold->keep.doc = json_pack("{s:o, s:s, s:s}", "identity", json_text(hold->keep.name), "id", id,
				   "since", identity_now_text(hold->node));
	return hold->keep.doc ? 0 : cni_fail(err, CNI_RETRY, "out of memory");
}

static void identity_set_holder(struct hold *hold)
{
	json_object_set_new(hold->keep.doc, "holder", identity_holder_of(hold));
	identity_touch(hold->node, hold->keep.doc);
}

/* Chooses an address for each want that has none. FOUND_NOT: another call has changed the record. */
static enum found identity_choose_all(struct hold *hold, struct cni_error *err)
{
	for (size_t k = 0; k < hold->n; k++)
		if (!hold->wants[k].ip.family && identity_find_free(hold, &hold->wants[k], err) != FOUND)
			return FOUND_FAILED;
	identity_set_addresses(hold);
	return identity_write_record(hold, false, err);
}

/*
 * Locks the address of a want. If another identity has it, chooses another one, and writes the record before
 * the lock. FOUND_NOT: another call has changed the record.
 */
static enum found identity_lock_want(struct hold *hold, struct want *want, struct cni_error *err)
{
	for (;;) {
		enum found found = identity_lock(hold->node, &hold->keep, &want->ip, err);

		if (found != FOUND_NOT)
			return found;
		if (want->requested.family)
			return (enum found)identity_no_address(want, err);
		if (identity_take(hold, &want->ip, err) < 0 ||
		    (!hold->listed && identity_list_locks(hold, err) < 0))
			return FOUND_FAILED;
		want->ip.family = 0;
		found = identity_choose_all(hold, err);
		if (found != FOUND)
			return found;
	}
}

/* Locks the addresses of the record that no want has: a call that was killed may have left them unlocked.
 * Drops those that another identity has. */
static int identity_lock_others(struct hold *hold, struct cni_error *err)
{
	json_t *list = json_object_get(hold->keep.doc, "addresses");
	size_t i = 0;

	while (i < json_array_size(list)) {
		const char *text = json_string_value(json_array_get(list, i));
		enum found found = FOUND_NOT;
		bool wanted = false;
		struct ip ip;

		if (text && ip_parse(text, &ip)) {
			for (size_t k = 0; k < hold->n; k++)
				wanted |= ip_equal(&hold->wants[k].ip, &ip);
			found = wanted ? FOUND : identity_lock(hold->node, &hold->keep, &ip, err);
		}
		if (found == FOUND_FAILED)
			return -1;
		if (found == FOUND)
			i++;
		else
			json_array_remove(list, i);
	}
	return 0;
}

/* Locks each address of the record. FOUND_NOT: another call has changed the record. */
static enum found identity_lock_all(struct hold *hold, struct cni_error *err)
{
	enum found found = FOUND;

	for (size_t k = 0; found == FOUND && k < hold->n; k++)
		found = identity_lock_want(hold, &hold->wants[k], err);
	if (found == FOUND && identity_lock_others(hold, err) < 0)
		found = FOUND_FAILED;
	return found == FOUND ? identity_write_record(hold, true, err) : found;
}

/* Tries once. FOUND: we are the record's holder, and the addresses are locked. FOUND_NOT: try again. */
static enum found identity_hold_once(struct hold *hold, struct cni_error *err)
{
	const struct engine_kind *kind = hold->node->engine->kind;
	enum found found = kind->keep_read(hold->node->engine, &hold->keep, err);
	const json_t *holder = json_field(hold->keep.doc, "holder");
	bool ours = identity_is_holder(holder, hold->node, hold->owner), all;

	if (found == FOUND_FAILED)
		return found;
	if (found == FOUND && !ours) {
		enum found over = identity_is_over(hold->node, holder, err);

		if (over != FOUND)
			return over == FOUND_FAILED
				       ? over
				       : (enum found)identity_held_by_another(&hold->keep, holder, err);
	}
	if (found == FOUND_NOT && identity_new_record(hold, err) < 0)
		return FOUND_FAILED;
	all = identity_match_wants(hold);
	if (identity_check_requested(hold, err) < 0)
		return FOUND_FAILED;
	if (!ours)
		identity_set_holder(hold);
	if (all && identity_is_locked(hold))
		return ours ? FOUND : identity_write_record(hold, true, err);
	found = all ? identity_write_record(hold, false, err) : identity_choose_all(hold, err);
	return found == FOUND ? identity_lock_all(hold, err) : found;
}

/* "0,2=10.9.0.7" */
static int identity_read_wants(struct hold *hold, const char *text, struct cni_error *err)
{
	const struct conf *conf = hold->node->conf;
	char copy[8192], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		char *end;
		const size_t number = strtoul(word, &end, 10);
		struct want *want = &hold->wants[hold->n];

		if (hold->n == WANTS_MAX)
			return cni_fail(err, CNI_CONFIG, "too many range sets with \"identities\"");
		if (number >= conf->n_pools || !conf->pools[number].identities)
			return cni_fail(err, CNI_ENVIRONMENT, "there is no range set %zu with identities",
					number);
		want->pool = &conf->pools[number];
		if (!want->pool->n_spans)
			return cni_fail(err, CNI_CONFIG, "range set %zu has no address", number);
		if (*end == '=' && !ip_parse(end + 1, &want->requested))
			return cni_fail(err, CNI_ENVIRONMENT, "%s is not an address", end + 1);
		if (want->requested.family && !pool_may_give(want->pool, &want->requested))
			return cni_fail(
				err, CNI_CONFIG,
				"requested ip %s is not among the addresses that range set %zu keeps for "
				"identities",
				end + 1, number);
		hold->n++;
	}
	return hold->n ? 0 : cni_fail(err, CNI_ENVIRONMENT, "no range set is named");
}

/* Makes each address a want: of the range set that has the address. */
static int identity_read_addresses(struct hold *hold, const char *text, struct cni_error *err)
{
	const struct conf *conf = hold->node->conf;
	char copy[2048], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		struct want *want = &hold->wants[hold->n];

		if (hold->n == WANTS_MAX || !ip_parse(word, &want->requested))
			return cni_fail(err, CNI_CONFIG, "%s is not an address", word);
		for (size_t i = 0; i < conf->n_pools; i++)
			if (conf->pools[i].identities && pool_may_give(&conf->pools[i], &want->requested))
				want->pool = &conf->pools[i];
		if (!want->pool)
			return cni_fail(err, CNI_CONFIG, "%s is in no range set with \"identities\"", word);
		hold->n++;
	}
	return 0;
}

static json_t *identity_addresses_json(const struct hold *hold)
{
	json_t *list = json_array();

	for (size_t k = 0; k < hold->n; k++)
		json_array_append_new(list, json_string(ip_text(&hold->wants[k].ip).s));
	return json_pack("{s:o}", "addresses", list);
}

/* The identity's name in the engine begins with the network's name. */
static int identity_name_keep(struct keep *keep, const struct node *node, const char *name,
			      struct cni_error *err)
{
	json_auto_t *text = json_string(name);

	keep->kind = KEEP_IDENTITY;
	if (!text)
		return cni_fail(err, CNI_ENVIRONMENT, "the identity is not UTF-8");
	if ((size_t)snprintf(keep->name, sizeof(keep->name), "%s %s", node->req->name, name) <
	    sizeof(keep->name))
		return 0;
	return cni_fail(err, CNI_ENVIRONMENT, "the identity is longer than %d characters", IDENTITY_MAX - 1);
}

static enum found identity_hold_until(struct hold *hold, struct cni_error *err)
{
	enum found found = FOUND_NOT;

	for (int tries = 0; found == FOUND_NOT && tries < CHANGES; tries++)
		found = identity_hold_once(hold, err);
	if (found == FOUND_NOT)
		cni_fail(err, CNI_RETRY, "other calls change the record of identity %.200s", hold->keep.name);
	return found == FOUND ? FOUND : FOUND_FAILED;
}

static void identity_hold_free(struct hold *hold)
{
	taken_free(&hold->taken);
	taken_free(&hold->locks);
	keep_free(&hold->keep);
	json_decref(hold->before);
}

/* Returning. */

/* Removes the holder from the engine's record, if it is owner; owner NULL: if it is past. */
static int identity_return_one(const struct node *node, const char *name, const struct owner *owner,
			       const json_t *past, struct cni_error *err)
{
	const struct engine_kind *kind = node->engine->kind;
	struct keep keep = { .kind = KEEP_IDENTITY };
	enum found found = FOUND_NOT;

	snprintf(keep.name, sizeof(keep.name), "%s", name);
	for (int tries = 0; found == FOUND_NOT && tries < CHANGES; tries++) {
		const json_t *holder;

		found = kind->keep_read(node->engine, &keep, err);
		holder = json_field(keep.doc, "holder");
		if (found == FOUND_NOT)
			found = FOUND; /* without a record there is no holder */
		if (found != FOUND ||
		    !(owner ? identity_is_holder(holder, node, owner) : json_equal(holder, past)))
			break;
		json_object_del(keep.doc, "holder");
		identity_touch(node, keep.doc);
		found = kind->keep_write(node->engine, &keep, err);
	}
	keep_free(&keep);
	if (found == FOUND_NOT)
		cni_fail(err, CNI_RETRY, "other calls change the record of identity %.200s", name);
	return found == FOUND ? 0 : -1;
}

static int identity_return_noted(const struct node *node, const struct identity *identity,
				 struct cni_error *err)
{
	const struct owner owner = { identity->container, identity->ifname };

	/* the routes end before another node may have the addresses */
	if (block_routes_follow(node, err) < 0 ||
	    identity_return_one(node, identity->name, &owner, NULL, err) < 0)
		return -1;
	identity_forget_note(node, &owner);
	return 0;
}

static enum found identity_noted(struct identity *ret, const struct node *node, const struct owner *owner)
{
	struct store store;
	enum found found;

	if (local_open(&store, node, NULL) < 0)
		return FOUND_FAILED;
	found = identity_of(ret, &store, owner);
	store_close(&store);
	return found;
}

/* An attachment has one identity: returns the one that an earlier attachment of this name had, if it is
 * another one. */
static int identity_return_other(const struct node *node, const struct owner *owner, const char *name,
				 struct cni_error *err)
{
	struct owner earlier = *owner;
	struct identity note;

	if (identity_noted(&note, node, owner) != FOUND || !strcmp(note.name, name))
		return 0;
	switch (identity_end_attachment(node, &earlier, err)) {
	case FOUND:
		return identity_return_noted(node, &note, err);
	case FOUND_NOT:
		return cni_fail(err, CNI_EXISTS, "container %.64s has an address of identity %.200s already",
				owner->container, note.name);
	default:
		return -1;
	}
}

/* Holding. */

/* Becomes the holder. A note that this call has made goes again if the engine was asked for nothing. */
static int identity_hold_as_noted(struct node *node, struct hold *hold, enum found noted,
				  struct cni_error *err)
{
	struct cni_error why = { 0 };
	const enum found found = identity_hold_until(hold, &why);

	local_keep_endpoint(node);
	if (found == FOUND) {
		claim_keep_success(node, false);
		return 0;
	}
	if (noted == FOUND_NOT && !hold->written)
		identity_forget_note(node, hold->owner);
	return cni_fail_as(err, &why);
}

json_t *identity_hold(struct node *node, const struct owner *owner, const char *name, const char *wants,
		      struct cni_error *err)
{
	struct hold hold = { .node = node, .owner = owner };
	const long long start = block_now_ms();
	enum found noted = FOUND_FAILED;
	json_t *answer = NULL;
	struct blocks blocks;

	if (local_lock(node, err) < 0 || claim_was_told(node, BLOCKS_FAILED, start, err) != FOUND_NOT ||
	    local_read(node, &blocks, err) < 0)
		return NULL;
	blocks_free(&blocks);
	if (identity_name_keep(&hold.keep, node, name, err) < 0 || identity_read_wants(&hold, wants, err) < 0)
		return NULL;
	local_begin_with(node);
	engine_begin(node->engine, LLONG_MAX);
	if (identity_return_other(node, owner, hold.keep.name, err) == 0)
		noted = identity_note_claiming(node, owner, hold.keep.name, err);
	if (noted != FOUND_FAILED && identity_hold_as_noted(node, &hold, noted, err) == 0) {
		if (identity_note_held(&hold, err) == FOUND) {
			block_routes_mend(node);
			answer = identity_addresses_json(&hold);
		} else
			cni_fail(err, CNI_RETRY, "DEL of the container came while this ADD ran");
	} else if (node->engine->http->silent) {
		claim_keep_failure(node, BLOCKS_FAILED, err); /* calls that wait for this one need not ask */
	}
	identity_hold_free(&hold);
	return answer;
}

/* The notes of this node in one state. */
struct noted {
	enum identity_state state;
	struct identity *list;
	size_t n;
};

static bool identity_add_noted(void *arg, const struct identity *identity)
{
	struct noted *noted = arg;
	struct identity *bigger;

	if (identity->state != noted->state)
		return true;
	bigger = realloc(noted->list, (noted->n + 1) * sizeof(*bigger));
	if (!bigger)
		return false;
	bigger[noted->n++] = *identity;
	noted->list = bigger;
	return true;
}

static int identity_list_noted(struct noted *ret, const struct node *node, enum identity_state state,
			       struct cni_error *err)
{
	struct store store;

	*ret = (struct noted){ .state = state };
	if (local_open(&store, node, err) < 0)
		return -1;
	identities_each(&store, identity_add_noted, ret);
	store_close(&store);
	return 0;
}

/* Is it an identity of this network, and has this node its holder, or had it before it lost its store? */
static bool identity_is_of_node(const struct node *node, const struct keep *keep)
{
	return identity_is_here(json_field(keep->doc, "holder"), node) &&
	       identity_is_of_network(keep->name, node->req->name);
}

/* Releases the identity, if the holder that the engine has is over and this node has no note of it. */
static int identity_return_without_note(const struct node *node, const struct keep *keep,
					struct cni_error *err)
{
	const json_t *holder = json_field(keep->doc, "holder");
	struct owner owner = { identity_text_of(holder, "container"), identity_text_of(holder, "interface") };
	const bool ours = identity_is_holder(holder, node, &owner);
	struct block_note refusal;
	struct identity note;
	enum found over;

	if (ours && identity_noted(&note, node, &owner) != FOUND_NOT)
		return 0;
	/* another machine of this name runs: the holder may be a pod of it */
	if (!ours && (node->refused || local_noted(node, BLOCKS_REFUSED, &refusal, NULL) == FOUND))
		return 0;
	over = identity_is_over_here(node, holder, err);
	if (over == FOUND)
		return identity_return_one(node, keep->name, ours ? &owner : NULL, holder, err);
	return over == FOUND_FAILED ? -1 : 0;
}

static int identity_return_unknown(const struct node *node, const struct keeps *all, struct cni_error *err)
{
	int rc = 0;

	for (size_t i = 0; !node->engine->http->silent && i < all->n; i++) {
		engine_go_on(node->engine);
		if (identity_is_of_node(node, &all->list[i]) &&
		    identity_return_without_note(node, &all->list[i], err) < 0)
			rc = -1;
	}
	return rc;
}

/* Does the record have the holder of the note, and its addresses, locked? */
static bool identity_is_as_noted(const struct node *node, const struct keep *keep,
				 const struct identity *identity)
{
	const struct owner owner = { identity->container, identity->ifname };
	char copy[sizeof(identity->addresses)], *rest = NULL;
	struct ip ip;

	snprintf(copy, sizeof(copy), "%s", identity->addresses);
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		if (!ip_parse(word, &ip) || !identity_is_among(identity_addresses_of(keep), &ip))
			return false;
	return identity_is_holder(json_field(keep->doc, "holder"), node, &owner) &&
	       json_is_true(json_field(keep->doc, "locked"));
}

static bool identity_is_known(const struct node *node, const struct keeps *all,
			      const struct identity *identity)
{
	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->list[i].name, identity->name))
			return identity_is_as_noted(node, &all->list[i], identity);
	return false;
}

/* Holds the identity as an ADD of its pod would, with the addresses that the pod has. Fails if the engine
 * does not answer. */
static int identity_hold_again(struct node *node, const struct identity *identity, struct cni_error *err)
{
	const struct owner owner = { identity->container, identity->ifname };
	struct hold hold = { .node = node, .owner = &owner, .keep = { .kind = KEEP_IDENTITY } };
	struct cni_error why = { 0 };

	snprintf(hold.keep.name, sizeof(hold.keep.name), "%s", identity->name);
	if (identity_read_addresses(&hold, identity->addresses, &why) == 0 &&
	    identity_hold_until(&hold, &why) == FOUND)
		claim_report(
			node,
			"the engine did not know that container %s holds identity %s, and knows it again",
			identity->container, identity->name);
	else
		claim_report(node,
			     "container %s holds identity %s with %s, which the engine does not know: %s",
			     identity->container, identity->name, identity->addresses, why.msg);
	identity_hold_free(&hold);
	return node->engine->http->silent ? cni_fail_as(err, &why) : 0;
}

/* An engine that was restored from a backup does not know the identities that it has recorded since. */
static int identity_hold_unknown(struct node *node, const struct keeps *all, struct cni_error *err)
{
	struct noted noted;
	int rc = identity_list_noted(&noted, node, IDENTITY_HELD, err);

	for (size_t i = 0; !node->engine->http->silent && i < noted.n; i++) {
		struct owner owner = { noted.list[i].container, noted.list[i].ifname };
		enum found over;

		engine_go_on(node->engine);
		if (!identity_is_of_network(noted.list[i].name, node->req->name) ||
		    identity_is_known(node, all, &noted.list[i]))
			continue;
		over = identity_end_attachment(node, &owner, err);
		if (over == FOUND_FAILED ||
		    (over == FOUND_NOT && identity_hold_again(node, &noted.list[i], err) < 0))
			rc = -1;
	}
	free(noted.list);
	return rc;
}

/* Makes the engine's records and this node's notes agree on what the node holds. */
static int identity_agree_with_engine(struct node *node, struct cni_error *err)
{
	struct keeps all;
	int rc = node->engine->kind->keep_list(node->engine, KEEP_IDENTITY, &all, err);

	if (rc < 0)
		return -1;
	/* first, so that no identity of a running pod has no holder for a moment */
	rc = identity_hold_unknown(node, &all, err);
	if (identity_return_unknown(node, &all, err) < 0)
		rc = -1;
	keeps_free(&all);
	return rc;
}

int identity_return(struct node *node, bool all, struct cni_error *err)
{
	struct noted returning;
	int rc = all ? identity_agree_with_engine(node, err) : 0;

	if (identity_list_noted(&returning, node, IDENTITY_RETURNING, err) < 0)
		return -1;
	for (size_t i = 0; !node->engine->http->silent && i < returning.n; i++) {
		engine_go_on(node->engine);
		if (identity_return_noted(node, &returning.list[i], err) < 0)
			rc = -1;
	}
	free(returning.list);
	return rc;
}

/* The commands of ipvlanctl. */

json_t *identity_list(struct node *node, struct cni_error *err)
{
	json_t *list = json_array();
	struct keeps all;

	engine_begin_for_people(node->engine);
	if (node->engine->kind->keep_list(node->engine, KEEP_IDENTITY, &all, err) < 0) {
		json_decref(list);
		return NULL;
	}
	for (size_t i = 0; i < all.n; i++)
		if (json_is_object(all.list[i].doc))
			json_array_append(list, all.list[i].doc);
		else /* it is damaged */
			json_array_append_new(list,
					      json_pack("{s:o}", "identity", json_text(all.list[i].name)));
	keeps_free(&all);
	return list;
}

/* A holder on this node must have no pod. The pods of another node are not visible: the person decides. */
static int identity_may_release(const struct node *node, const struct keep *keep, struct cni_error *err)
{
	const json_t *holder = json_field(keep->doc, "holder");
	struct owner owner = { identity_text_of(holder, "container"), identity_text_of(holder, "interface") };
	enum found over;

	if (!identity_is_holder(holder, node, &owner))
		return 0;
	over = identity_end_attachment(node, &owner, err);
	if (over == FOUND_NOT)
		return cni_fail(err, CNI_CONFIG, "this is node %s, and container %s has an address of %s",
				node->self.node, owner.container, keep->name);
	return over == FOUND ? 0 : -1;
}

/*
 * Ends the holder. If another call changes the record meanwhile, reads it again, and fails if another
 * attachment has become the holder, which the person has not seen.
 */
static enum found identity_end_holder(const struct node *node, struct keep *keep, struct cni_error *err)
{
	const struct engine_kind *kind = node->engine->kind;
	json_auto_t *ended = NULL;
	enum found found = FOUND_NOT;

	for (int tries = 0; found == FOUND_NOT && tries < CHANGES; tries++) {
		json_t *holder;

		found = kind->keep_read(node->engine, keep, err);
		holder = json_field(keep->doc, "holder");
		if (found == FOUND_NOT)
			return (enum found)cni_fail(err, CNI_CONFIG, "the engine has no identity %s",
						    keep->name);
		if (found == FOUND_FAILED || identity_may_release(node, keep, err) < 0)
			return FOUND_FAILED;
		if (!holder)
			return FOUND;
		if (tries && !json_equal(holder, ended))
			return (enum found)identity_held_by_another(keep, holder, err);
		json_decref(ended);
		ended = json_incref(holder);
		json_object_del(keep->doc, "holder");
		identity_touch(node, keep->doc);
		found = kind->keep_write(node->engine, keep, err);
	}
	return found;
}

json_t *identity_release(struct node *node, const char *name, bool forgotten, struct cni_error *err)
{
	struct keep keep = { .kind = KEEP_IDENTITY };
	json_t *answer = NULL;
	struct blocks blocks;
	enum found found;

	if (local_lock(node, err) < 0 || local_read(node, &blocks, err) < 0 ||
	    identity_name_keep(&keep, node, name, err) < 0)
		return NULL;
	blocks_free(&blocks);
	engine_begin(node->engine, LLONG_MAX);
	found = identity_end_holder(node, &keep, err);
	if (found == FOUND && forgotten)
		found = identity_forget(node, &keep, err);
	if (found == FOUND)
		answer = json_incref(keep.doc);
	else if (found == FOUND_NOT)
		cni_fail(err, CNI_RETRY, "other calls change the record of identity %s", keep.name);
	keep_free(&keep);
	return answer;
}

/* Reads the record. It is ours if it is as we wrote it, though the answer was lost. */
static enum found identity_read_before(struct hold *hold, struct cni_error *err)
{
	json_auto_t *written = json_incref(hold->keep.doc);
	enum found found = hold->node->engine->kind->keep_read(hold->node->engine, &hold->keep, err);

	if (found == FOUND_FAILED || (found == FOUND && json_equal(hold->keep.doc, written)))
		return found;
	json_decref(hold->before);
	hold->before = json_deep_copy(hold->keep.doc);
	return found;
}

/* Writes the record as it was before this call, then removes the locks that it had not. */
static void identity_restore(const struct hold *hold, struct keep *there)
{
	keep_free(there);
	there->doc = json_incref(hold->before);
	if (hold->node->engine->kind->keep_write(hold->node->engine, there, NULL) != FOUND)
		return;
	for (size_t k = 0; k < hold->n; k++)
		identity_unlock_orphan(hold->node, there, &hold->wants[k].ip);
}

/* A reservation has failed: nothing of it stays, unless another call has changed the record meanwhile. */
static void identity_undo_reserve(const struct hold *hold)
{
	const struct engine_kind *kind = hold->node->engine->kind;
	struct keep there = { .kind = KEEP_IDENTITY };

	memcpy(there.name, hold->keep.name, sizeof(there.name));
	if (kind->keep_read(hold->node->engine, &there, NULL) == FOUND &&
	    json_equal(there.doc, hold->keep.doc)) {
		if (hold->before)
			identity_restore(hold, &there);
		else
			identity_forget(hold->node, &there, NULL);
	}
	keep_free(&there);
}

static enum found identity_reserve_once(struct hold *hold, struct cni_error *err)
{
	enum found found = identity_read_before(hold, err);
	bool all;

	if (found == FOUND_FAILED || (found == FOUND_NOT && identity_new_record(hold, err) < 0))
		return FOUND_FAILED;
	all = identity_match_wants(hold);
	if (identity_check_requested(hold, err) < 0)
		return FOUND_FAILED;
	json_object_set_new(hold->keep.doc, "reserved", json_true());
	if (all && identity_is_locked(hold))
		return identity_write_record(hold, true, err);
	for (size_t k = 0; k < hold->n; k++) {
		hold->wants[k].ip = hold->wants[k].requested;
		switch (identity_guard(hold, &hold->wants[k].ip, err)) {
		case FOUND:
			break;
		case FOUND_NOT:
			return (enum found)cni_fail(err, CNI_CONFLICT, "%s is in a block of a node",
						    ip_text(&hold->wants[k].ip).s);
		default:
			return FOUND_FAILED;
		}
	}
	found = identity_choose_all(hold, err);
	return found == FOUND ? identity_lock_all(hold, err) : found;
}

json_t *identity_reserve(struct node *node, const char *name, const char *addresses, struct cni_error *err)
{
	struct hold hold = { .node = node };
	enum found found = FOUND_NOT;
	json_t *answer = NULL;

	if (local_lock(node, err) < 0 || identity_name_keep(&hold.keep, node, name, err) < 0 ||
	    identity_read_addresses(&hold, addresses, err) < 0)
		return NULL;
	engine_begin(node->engine, LLONG_MAX);
	for (int tries = 0; found == FOUND_NOT && tries < CHANGES; tries++)
		found = identity_reserve_once(&hold, err);
	if (found == FOUND)
		answer = json_incref(hold.keep.doc);
	else if (found == FOUND_NOT)
		cni_fail(err, CNI_RETRY, "other calls change the record of identity %s", hold.keep.name);
	if (!answer && hold.written)
		identity_undo_reserve(&hold);
	identity_hold_free(&hold);
	return answer;
}

/* FOUND: a record has an address, or may have one. */
static enum found identity_any_record(const struct node *node, struct cni_error *err)
{
	enum found found = FOUND_NOT;
	struct keeps all;

	if (node->engine->kind->keep_list(node->engine, KEEP_IDENTITY, &all, err) < 0)
		return FOUND_FAILED;
	for (size_t i = 0; i < all.n; i++)
		if (!json_is_object(all.list[i].doc) || json_array_size(identity_addresses_of(&all.list[i])))
			found = FOUND;
	keeps_free(&all);
	return found;
}

enum found identity_any(struct node *node, struct cni_error *err)
{
	enum found found = identity_any_record(node, err);
	struct keeps locks;
	struct ip ip;

	if (found != FOUND_NOT || node->engine->kind->keep_list(node->engine, KEEP_ADDRESS, &locks, err) < 0)
		return found == FOUND_NOT ? FOUND_FAILED : found;
	/* each is an orphan, unless a record has got its address meanwhile */
	for (size_t i = 0; found == FOUND_NOT && i < locks.n; i++) {
		engine_go_on(node->engine);
		if (!ip_parse(locks.list[i].name, &ip) || !json_is_object(locks.list[i].doc))
			found = FOUND;
		else
			switch (identity_remove_orphan(node, &locks.list[i], &ip, err)) {
			case FOUND:
				break;
			case FOUND_NOT:
				found = FOUND;
				break;
			default:
				found = FOUND_FAILED;
			}
	}
	keeps_free(&locks);
	return found;
}
