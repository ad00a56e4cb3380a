/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/block.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/file.h"
#include "cni/hash.h"
#include "ipam/lease.h"
#include "ipam/past.h"

#define BLOCKS_MAX (1 << 20)
#define FAILURE_MS 60000

static const char *const block_states[] = {
	[BLOCK_CLAIMING] = "claiming",
	[BLOCK_OWNED] = "owned",
	[BLOCK_RETURNING] = "returning",
};

struct block_name {
	char s[sizeof("blocks/") + 96];
};

static struct block_name block_name(const struct prefix *prefix)
{
	struct block_name name;

	snprintf(name.s, sizeof(name.s), "blocks/%s-%u", ip_text(&prefix->ip).s, prefix->len);
	return name;
}

struct prefix block_of(const struct ip *ip, unsigned int bits)
{
	const struct prefix prefix = { .ip = *ip, .len = (unsigned int)(8 * ip_size(ip)) - bits };

	return prefix_network(&prefix);
}

enum found incarnation_read(struct incarnation *ret, const struct store *store, struct cni_error *err)
{
	ssize_t len = readlinkat(store->leases, "incarnation", ret->s, sizeof(ret->s));

	ret->s[len == INCARNATION_LEN ? len : 0] = '\0';
	if (len < 0 && errno != ENOENT && errno != EINVAL)
		return cni_fail(err, CNI_IO, "read incarnation: %s", errno_text(errno));
	return *ret->s ? FOUND : FOUND_NOT;
}

int incarnation_make(struct incarnation *ret, struct store *store, struct cni_error *err)
{
	unsigned char random[INCARNATION_LEN / 2];
	enum found found = incarnation_read(ret, store, err);

	if (found != FOUND_NOT)
		return found == FOUND ? 0 : -1;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return cni_fail(err, CNI_IO, "getrandom: %s", errno_text(errno));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(ret->s + 2 * i, 3, "%02x", random[i]);
	store->changed = true;
	if ((unlinkat(store->leases, "incarnation", 0) < 0 && errno != ENOENT) ||
	    symlinkat(ret->s, store->leases, "incarnation") < 0)
		return store_cannot_write(store, store->leases, "incarnation", err);
	return 0;
}

static bool block_parse_block_name(const char *name, struct prefix *ret)
{
	char text[80];
	char *dash;

	snprintf(text, sizeof(text), "%s", name);
	dash = strrchr(text, '-');
	if (!dash)
		return false;
	*dash = '/';
	return prefix_parse(text, ret);
}

static bool block_parse(struct block *ret, const char *name, char *text,
			const struct incarnation *incarnation)
{
	char *rest = NULL;
	const char *state = strtok_r(text, " ", &rest), *boot = strtok_r(NULL, " ", &rest);
	const char *whose = strtok_r(NULL, " ", &rest), *id = strtok_r(NULL, " ", &rest);
	const char *version = strtok_r(NULL, " ", &rest);
	struct block block = { .state = BLOCK_CLAIMING };

	if (!whose || strcmp(whose, incarnation->s) != 0 || strlen(boot) >= sizeof(block.boot.s) ||
	    !block_parse_block_name(name, &block.prefix))
		return false;
	while (strcmp(state, block_states[block.state]) != 0)
		if (block.state++ == BLOCK_RETURNING)
			return false;
	if (strcmp(boot, "-") != 0)
		memcpy(block.boot.s, boot, strlen(boot) + 1);
	snprintf(block.id, sizeof(block.id), "%s", id ? id : "");
	snprintf(block.version, sizeof(block.version), "%s", version ? version : "");
	*ret = block;
	return true;
}

static int block_by_address(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	if (x->prefix.ip.family != y->prefix.ip.family)
		return x->prefix.ip.family < y->prefix.ip.family ? -1 : 1;
	return ip_compare(&x->prefix.ip, &y->prefix.ip);
}

struct block_reading {
	struct blocks blocks;
	const struct incarnation *incarnation;
	struct cni_error *err;
	int rc;
};

static int block_read_block_link(struct blocks *blocks, int dir, const char *name,
				 const struct incarnation *incarnation, struct cni_error *err)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(dir, name, text, sizeof(text) - 1);
	struct block block, *bigger;

	if (len < 0)
		return errno == EINVAL || errno == ENOENT
			       ? 0
			       : cni_fail(err, CNI_IO, "read block %s: %s", name, errno_text(errno));
	text[len] = '\0';
	if (!block_parse(&block, name, text, incarnation))
		return 0;
	bigger = blocks->n < BLOCKS_MAX ? realloc(blocks->list, (blocks->n + 1) * sizeof(*bigger)) : NULL;
	if (!bigger)
		return cni_fail(err, CNI_RETRY, "out of memory");
	bigger[blocks->n++] = block;
	blocks->list = bigger;
	return 0;
}

static bool block_visit(int dir, const char *name, void *arg)
{
	struct block_reading *reading = arg;

	reading->rc = block_read_block_link(&reading->blocks, dir, name, reading->incarnation, reading->err);
	return reading->rc == 0;
}

int blocks_read(struct blocks *ret, const struct store *store, struct cni_error *err)
{
	struct incarnation incarnation;
	struct block_reading reading = { .incarnation = &incarnation, .err = err };
	enum found found = incarnation_read(&incarnation, store, err);
	int rc;

	*ret = (struct blocks){ 0 };
	if (found != FOUND)
		return (int)found;
	rc = file_each(store->meta, "blocks", block_visit, &reading);
	*ret = reading.blocks;
	if (rc < 0 && errno != ENOENT)
		return cni_fail(err, CNI_IO, "read blocks: %s", errno_text(errno));
	if (ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), block_by_address);
	return reading.rc;
}

void blocks_free(struct blocks *blocks)
{
	free(blocks->list);
	*blocks = (struct blocks){ 0 };
}

bool block_counts(const struct block *block)
{
	const struct block_boot now = block_boot();

	return block->state == BLOCK_OWNED && now.s[0] && !strcmp(block->boot.s, now.s);
}

size_t blocks_of_pool(const struct blocks *blocks, const struct pool *pool)
{
	size_t n = 0;

	for (size_t i = 0; i < blocks->n; i++)
		n += block_counts(&blocks->list[i]) && pool_touches(pool, &blocks->list[i].prefix);
	return n;
}

int block_put(const struct store *store, const struct block *block, struct cni_error *err)
{
	const struct block_name name = block_name(&block->prefix);
	char text[sizeof(*block) + INCARNATION_LEN + 32];
	struct incarnation incarnation;

	if (incarnation_read(&incarnation, store, err) == FOUND_FAILED)
		return -1;
	snprintf(text, sizeof(text), "%s %s %s %s %s", block_states[block->state],
		 block->boot.s[0] ? block->boot.s : "-", incarnation.s, block->id, block->version);
	if ((mkdirat(store->meta, "blocks", S_IRWXU) < 0 && errno != EEXIST) ||
	    (unlinkat(store->meta, "blocks/new", 0) < 0 && errno != ENOENT) ||
	    symlinkat(text, store->meta, "blocks/new") < 0 ||
	    renameat(store->meta, "blocks/new", store->meta, name.s) < 0)
		return store_cannot_write(store, store->meta, name.s, err);
	return 0;
}

int block_drop(const struct store *store, const struct prefix *prefix, struct cni_error *err)
{
	const struct block_name name = block_name(prefix);

	if (unlinkat(store->meta, name.s, 0) < 0 && errno != ENOENT)
		return store_cannot_remove(store, store->meta, name.s, err);
	return 0;
}

static int block_in_block(const void *key, const void *element)
{
	const struct ip *ip = key;
	const struct block *block = element;

	if (prefix_contains(&block->prefix, ip))
		return 0;
	if (ip->family != block->prefix.ip.family)
		return ip->family < block->prefix.ip.family ? -1 : 1;
	return ip_compare(ip, &block->prefix.ip);
}

const struct block *blocks_find(const struct blocks *blocks, const struct ip *ip)
{
	return blocks->n ? bsearch(ip, blocks->list, blocks->n, sizeof(*blocks->list), block_in_block) : NULL;
}

static void block_mark(void *arg, const struct ip *ip)
{
	const struct blocks *blocks = arg;
	const struct block *block = blocks_find(blocks, ip);

	if (block)
		blocks->list[block - blocks->list].used = true;
}

static bool block_mark_used(struct blocks *blocks, const struct store *store, long long reuse_delay,
			    struct cni_error *err)
{
	struct leases leases;
	int rc = leases_read_names(&leases, store, err);

	for (size_t i = 0; rc == 0 && i < leases.n; i++)
		block_mark(blocks, &leases.list[i].ip);
	leases_free(&leases);
	past_each_waiting(store, reuse_delay, block_mark, blocks);
	return rc == 0;
}

/* Keeps the first unused block of each range set that uses blocks; if the pools are unknown, the first n
 * unused blocks. */
static bool block_keep_spare(const struct spares *spares, bool *kept, const struct prefix *block)
{
	for (size_t i = 0; i < spares->n; i++)
		if (!kept[i] && (!spares->pools ||
				 (!spares->pools[i].identities && pool_touches(&spares->pools[i], block))))
			return kept[i] = true;
	return false;
}

int blocks_superfluous(struct blocks *blocks, const struct store *store, const struct spares *spares,
		       struct cni_error *err)
{
	autofree bool *kept = NULL;
	bool drained = true;
	int n = 0;

	if (!block_mark_used(blocks, store, spares->reuse_delay, err))
		return -1;
	kept = calloc(spares->n + 1, sizeof(*kept));
	if (!kept)
		return cni_fail(err, CNI_RETRY, "out of memory");
	for (size_t i = 0; i < blocks->n; i++)
		drained &= !blocks->list[i].used;
	for (size_t i = 0; i < blocks->n; i++) {
		struct block *block = &blocks->list[i];
		const bool empty = block->state == BLOCK_OWNED && !block->used;

		/* on a drained node no later ADD completes the claim */
		block->superfluous = block->state == BLOCK_RETURNING ||
				     (block->state == BLOCK_CLAIMING && drained) ||
				     (empty && (drained || !block_keep_spare(spares, kept, &block->prefix)));
		n += block->superfluous;
	}
	return n;
}

long long block_now_ms(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *const block_events[] = {
	[BLOCKS_FAILED] = "blocks/failed",	 [BLOCKS_KEPT] = "blocks/kept",
	[BLOCKS_UNCOUNTED] = "blocks/uncounted", [BLOCKS_REFUSED] = "blocks/refused",
	[BLOCKS_COUNTED] = "blocks/counted",	 [BLOCKS_SIGNED] = "blocks/signed",
	[BLOCKS_BUSY] = "blocks/busy",
};

static enum found block_read_note(struct block_note *ret, const struct store *store, const char *name)
{
	char text[PATH_MAX], *rest = NULL;
	ssize_t len = readlinkat(store->meta, name, text, sizeof(text) - 1);
	struct block_note note = { 0 };
	const char *boot, *at, *code;

	if (len < 0)
		return FOUND_NOT;
	text[len] = '\0';
	boot = strtok_r(text, " ", &rest);
	at = strtok_r(NULL, " ", &rest);
	code = strtok_r(NULL, " ", &rest);
	if (!code || strcmp(boot, store->boot.id) != 0)
		return FOUND_NOT;
	note.at_ms = strtoll(at, NULL, 10);
	/* a machine that went back to a snapshot without its disk has notes from the future */
	if (note.at_ms > block_now_ms())
		return FOUND_NOT;
	note.error.code = (int)strtol(code, NULL, 10);
	snprintf(note.error.msg, sizeof(note.error.msg), "%s", rest);
	*ret = note;
	return FOUND;
}

enum found blocks_noted(struct block_note *ret, const struct store *store, enum block_event event)
{
	return block_read_note(ret, store, block_events[event]);
}

bool blocks_noted_within(const struct store *store, enum block_event event, long long ms)
{
	struct block_note note;

	return blocks_noted(&note, store, event) == FOUND && block_now_ms() - note.at_ms < ms;
}

/* Makes or replaces a symbolic link in one step. */
static void block_relink(const struct store *store, const char *text, const char *name)
{
	mkdirat(store->meta, "blocks", S_IRWXU);
	if ((unlinkat(store->meta, "blocks/note", 0) < 0 && errno != ENOENT) ||
	    symlinkat(text, store->meta, "blocks/note") < 0 ||
	    renameat(store->meta, "blocks/note", store->meta, name) < 0)
		cni_log("cannot write %s: %s", name, errno_text(errno));
}

static void block_write_note(const struct store *store, const char *name, long long at_ms,
			     const struct cni_error *error)
{
	char text[sizeof(*error) + 64];

	snprintf(text, sizeof(text), "%s %lld %d %s", store->boot.id, at_ms, error ? error->code : 0,
		 error ? error->msg : "");
	block_relink(store, text, name);
}

void blocks_note(const struct store *store, enum block_event event, long long at_ms,
		 const struct cni_error *error)
{
	block_write_note(store, block_events[event], at_ms, error);
}

#define EXHAUSTED "blocks/exhausted."
#define LISTED "blocks/listed."

struct range_name {
	char s[48];
};

static struct range_name block_range_name(const char *kind, const struct pool *pool)
{
	struct range_name name;

	snprintf(name.s, sizeof(name.s), "%s%zu", kind, pool->number);
	return name;
}

/* Another network of the store, or the range set of another pod, may have the same number. */
static struct range_name block_ranges_of(const struct pool *pool)
{
	const struct pool_str text = pool_text(pool);
	struct range_name ranges;

	snprintf(ranges.s, sizeof(ranges.s), "%016" PRIx64 " ", hash_add(HASH_START, text.s, strlen(text.s)));
	return ranges;
}

/* The note of this kind about these ranges. */
static enum found block_noted_of(struct block_note *ret, const struct store *store, const char *kind,
				 const struct pool *pool)
{
	const struct range_name ranges = block_ranges_of(pool);
	const size_t len = strlen(ranges.s);

	if (block_read_note(ret, store, block_range_name(kind, pool).s) != FOUND ||
	    strncmp(ret->error.msg, ranges.s, len) != 0)
		return FOUND_NOT;
	memmove(ret->error.msg, ret->error.msg + len, strlen(ret->error.msg + len) + 1);
	return FOUND;
}

static void block_note_of(const struct store *store, const char *kind, const struct pool *pool,
			  const struct cni_error *error)
{
	struct cni_error note = { .code = error->code };

	snprintf(note.msg, sizeof(note.msg), "%s%.460s", block_ranges_of(pool).s, error->msg);
	block_write_note(store, block_range_name(kind, pool).s, block_now_ms(), &note);
}

enum found blocks_noted_exhausted(struct block_note *ret, const struct store *store, const struct pool *pool)
{
	return block_noted_of(ret, store, EXHAUSTED, pool);
}

void blocks_note_exhausted(const struct store *store, const struct pool *pool, const struct cni_error *error)
{
	block_note_of(store, EXHAUSTED, pool, error);
}

#define LISTED_MINUTES 8 /* at most */

/* The code of the note is the number of minutes. */
void blocks_note_listed(const struct store *store, const struct pool *pool)
{
	struct block_note before;
	struct cni_error minutes = { .code = 1, .msg = "-" };

	if (block_noted_of(&before, store, LISTED, pool) == FOUND)
		minutes.code = before.error.code < LISTED_MINUTES ? 2 * before.error.code : LISTED_MINUTES;
	block_note_of(store, LISTED, pool, &minutes);
}

bool blocks_may_be_listed(const struct store *store, const struct pool *pool)
{
	struct block_note last;

	return block_noted_of(&last, store, LISTED, pool) != FOUND ||
	       block_now_ms() - last.at_ms >= last.error.code * 60000LL;
}

void blocks_unnote_listed(const struct store *store, const struct pool *pool)
{
	unlinkat(store->meta, block_range_name(LISTED, pool).s, 0);
}

void blocks_unnote(const struct store *store, enum block_event event)
{
	unlinkat(store->meta, block_events[event], 0);
}

enum found blocks_last_failure(struct block_note *ret, const struct store *store)
{
	static const enum block_event failures[] = { BLOCKS_FAILED, BLOCKS_KEPT, BLOCKS_UNCOUNTED };
	const long long since = block_now_ms() - FAILURE_MS;
	enum found found = FOUND_NOT;
	struct block_note note;

	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++)
		if (blocks_noted(&note, store, failures[i]) == FOUND && note.at_ms > since &&
		    (found == FOUND_NOT || note.at_ms > ret->at_ms)) {
			*ret = note;
			found = FOUND;
		}
	return found;
}

bool blocks_failed(const struct store *store)
{
	return blocks_noted_within(store, BLOCKS_FAILED, FAILURE_MS) ||
	       blocks_noted_within(store, BLOCKS_KEPT, FAILURE_MS);
}

bool blocks_asked_within(const struct store *store, long long ms)
{
	return blocks_noted_within(store, BLOCKS_COUNTED, ms) ||
	       blocks_noted_within(store, BLOCKS_UNCOUNTED, ms) ||
	       blocks_noted_within(store, BLOCKS_FAILED, ms);
}

bool blocks_must_be_counted(const struct store *store)
{
	struct block_note note;

	return blocks_noted(&note, store, BLOCKS_REFUSED) == FOUND ||
	       !blocks_asked_within(store, BLOCKS_COUNTED_MS);
}

#define BOOTS "blocks/boots"
#define BOOTS_MAX 64

struct boots {
	char text[PATH_MAX];
	const char *list[BOOTS_MAX];
	size_t n;
};

/* The first eight digits of the boot's id, and the start of process 1: 64 of them fit into one link. */
static struct block_boot block_shorten(const char *boot)
{
	struct block_boot brief;

	snprintf(brief.s, sizeof(brief.s), "%.8s%s", boot, boot + strcspn(boot, "."));
	return brief;
}

static void block_read_boots(struct boots *ret, const struct store *store)
{
	const ssize_t len = readlinkat(store->meta, BOOTS, ret->text, sizeof(ret->text) - 1);
	char *rest = NULL;

	ret->n = 0;
	ret->text[len > 0 ? len : 0] = '\0';
	for (char *boot = strtok_r(ret->text, " ", &rest); boot && ret->n < BOOTS_MAX;
	     boot = strtok_r(NULL, " ", &rest))
		ret->list[ret->n++] = boot;
}

#define TAKEN_OVER '~' /* before a boot */

static enum whose_boot block_find_boot(const struct boots *boots, const char *brief)
{
	for (size_t i = 0; i < boots->n; i++) {
		const bool taken_over = *boots->list[i] == TAKEN_OVER;

		/* an older program wrote the whole id */
		if (!strcmp(block_shorten(boots->list[i] + taken_over).s, brief))
			return taken_over ? BOOT_TAKEN_OVER : BOOT_OWN;
	}
	return BOOT_UNKNOWN;
}

enum whose_boot blocks_whose_boot(const struct store *store, const char *boot)
{
	struct boots boots;

	block_read_boots(&boots, store);
	return block_find_boot(&boots, block_shorten(boot).s);
}

bool blocks_have_boots(const struct store *store)
{
	struct boots boots;

	block_read_boots(&boots, store);
	return boots.n;
}

void blocks_keep_boot(const struct store *store, const char *boot, enum whose_boot whose)
{
	const struct block_boot brief = block_shorten(boot);
	char text[STORE_LINK_MAX + 1];
	struct boots boots;
	size_t used;

	block_read_boots(&boots, store);
	if (!*boot || strchr(boot, ' ') || block_find_boot(&boots, brief.s) != BOOT_UNKNOWN)
		return;
	used = (size_t)snprintf(text, sizeof(text), "%s%s", whose == BOOT_TAKEN_OVER ? "~" : "", brief.s);
	for (size_t i = 0; i < boots.n && i + 1 < BOOTS_MAX; i++) {
		if (used + 1 + strlen(boots.list[i]) > STORE_LINK_MAX)
			break;
		used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", boots.list[i]);
	}
	block_relink(store, text, BOOTS);
}

struct endpoint blocks_endpoint(const struct store *store)
{
	struct endpoint endpoint;
	ssize_t len = readlinkat(store->meta, "blocks/endpoint", endpoint.s, sizeof(endpoint.s) - 1);

	endpoint.s[len > 0 ? len : 0] = '\0';
	return endpoint;
}

void blocks_set_endpoint(const struct store *store, const char *url)
{
	if (strlen(url) <= STORE_LINK_MAX && strcmp(blocks_endpoint(store).s, url) != 0)
		block_relink(store, url, "blocks/endpoint");
}

/* Field 22 of /proc/1/stat; the name, field 2, may contain blanks and brackets. */
static unsigned long long block_start_of_first_process(void)
{
	autoclose int fd = file_open("/proc/1/stat", O_RDONLY);
	char text[1024];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *field;

	text[len > 0 ? len : 0] = '\0';
	field = strrchr(text, ')');
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field, NULL, 10) : 0;
}

struct block_boot block_boot(void)
{
	static struct block_boot boot; /* it does not change while this process runs */
	const struct boot machine = file_boot();

	if (!boot.s[0] && machine.id[0])
		snprintf(boot.s, sizeof(boot.s), "%s.%llu", machine.id, block_start_of_first_process());
	return boot;
}
