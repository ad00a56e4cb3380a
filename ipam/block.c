#include "ipam/block.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "cni/cleanup.h"
#include "ipam/lease.h"
#include "ipam/past.h"

#define BLOCKS_MAX (1 << 20)
#define FAILURE_MS 60000

static const char *const states[] = {
	[BLOCK_CLAIMING] = "claiming",
	[BLOCK_OWNED] = "owned",
	[BLOCK_RETURNING] = "returning",
};

struct name {
	char s[sizeof("blocks/") + 96];
};

static struct name name_of(const struct prefix *prefix)
{
	struct name name;

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
		return cni_fail(err, CNI_IO, "write incarnation: %s", errno_text(errno));
	return 0;
}

static bool parse_name(const char *name, struct prefix *ret)
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

static bool parse(struct block *ret, const char *name, char *text, const struct incarnation *incarnation)
{
	char *rest = NULL;
	const char *state = strtok_r(text, " ", &rest), *boot = strtok_r(NULL, " ", &rest);
	const char *whose = strtok_r(NULL, " ", &rest), *id = strtok_r(NULL, " ", &rest);
	struct block block = { .state = BLOCK_CLAIMING };

	if (!whose || strcmp(whose, incarnation->s) != 0 || strlen(boot) >= sizeof(block.boot.id) ||
	    !parse_name(name, &block.prefix))
		return false;
	while (strcmp(state, states[block.state]) != 0)
		if (block.state++ == BLOCK_RETURNING)
			return false;
	if (strcmp(boot, "-") != 0)
		memcpy(block.boot.id, boot, strlen(boot) + 1);
	snprintf(block.id, sizeof(block.id), "%s", id ? id : "");
	*ret = block;
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	if (x->prefix.ip.family != y->prefix.ip.family)
		return x->prefix.ip.family < y->prefix.ip.family ? -1 : 1;
	return ip_compare(&x->prefix.ip, &y->prefix.ip);
}

static int read_entry(struct blocks *blocks, int dir, const char *name, const struct incarnation *incarnation,
		      struct cni_error *err)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(dir, name, text, sizeof(text) - 1);
	struct block block, *bigger;

	if (len < 0)
		return errno == EINVAL || errno == ENOENT
			       ? 0
			       : cni_fail(err, CNI_IO, "read block %s: %s", name, errno_text(errno));
	text[len] = '\0';
	if (!parse(&block, name, text, incarnation))
		return 0;
	bigger = blocks->n < BLOCKS_MAX ? realloc(blocks->list, (blocks->n + 1) * sizeof(*bigger)) : NULL;
	if (!bigger)
		return cni_fail(err, CNI_RETRY, "out of memory");
	bigger[blocks->n++] = block;
	blocks->list = bigger;
	return 0;
}

int blocks_read(struct blocks *ret, const struct store *store, struct cni_error *err)
{
	struct incarnation incarnation;
	enum found found = incarnation_read(&incarnation, store, err);
	const struct dirent *entry;
	int fd, rc = 0;
	DIR *dir;

	*ret = (struct blocks){ 0 };
	if (found == FOUND_FAILED)
		return -1;
	fd = openat(store->own, "blocks", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		rc = errno == ENOENT ? 0 : cni_fail(err, CNI_IO, "open blocks: %s", errno_text(errno));
		cleanup_close(&fd);
		return rc;
	}
	for (errno = 0; rc == 0 && found == FOUND && (entry = readdir(dir)); errno = 0)
		rc = read_entry(ret, fd, entry->d_name, &incarnation, err);
	if (rc == 0 && errno)
		rc = cni_fail(err, CNI_IO, "read blocks: %s", errno_text(errno));
	closedir(dir);
	if (ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), by_address);
	return rc;
}

void blocks_free(struct blocks *blocks)
{
	free(blocks->list);
	*blocks = (struct blocks){ 0 };
}

bool block_counts(const struct block *block, const struct store *store)
{
	return block->state == BLOCK_OWNED && store->boot.id[0] && !strcmp(block->boot.id, store->boot.id);
}

size_t blocks_of_pool(const struct blocks *blocks, const struct store *store, const struct pool *pool)
{
	size_t n = 0;

	for (size_t i = 0; i < blocks->n; i++)
		n += block_counts(&blocks->list[i], store) && pool_touches(pool, &blocks->list[i].prefix);
	return n;
}

int block_put(const struct store *store, const struct block *block, struct cni_error *err)
{
	const struct name name = name_of(&block->prefix);
	char text[sizeof(*block) + INCARNATION_LEN + 32];
	struct incarnation incarnation;

	if (incarnation_read(&incarnation, store, err) == FOUND_FAILED)
		return -1;
	snprintf(text, sizeof(text), "%s %s %s %s", states[block->state],
		 block->boot.id[0] ? block->boot.id : "-", incarnation.s, block->id);
	if ((mkdirat(store->own, "blocks", S_IRWXU) < 0 && errno != EEXIST) ||
	    (unlinkat(store->own, "blocks/new", 0) < 0 && errno != ENOENT) ||
	    symlinkat(text, store->own, "blocks/new") < 0 ||
	    renameat(store->own, "blocks/new", store->own, name.s) < 0)
		return cni_fail(err, CNI_IO, "write %s: %s", name.s, errno_text(errno));
	return 0;
}

int block_drop(const struct store *store, const struct prefix *prefix, struct cni_error *err)
{
	const struct name name = name_of(prefix);

	if (unlinkat(store->own, name.s, 0) < 0 && errno != ENOENT)
		return cni_fail(err, CNI_IO, "remove %s: %s", name.s, errno_text(errno));
	return 0;
}

static int in_block(const void *key, const void *element)
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
	return blocks->n ? bsearch(ip, blocks->list, blocks->n, sizeof(*blocks->list), in_block) : NULL;
}

static void mark(void *arg, const struct ip *ip)
{
	const struct blocks *blocks = arg;
	const struct block *block = blocks_find(blocks, ip);

	if (block)
		blocks->list[block - blocks->list].used = true;
}

int blocks_superfluous(struct blocks *blocks, const struct store *store, long long reuse_delay,
		       struct cni_error *err)
{
	bool kept[2] = { false, false };
	struct leases leases;
	int rc = leases_read_names(&leases, store, err), n = 0;

	for (size_t i = 0; rc == 0 && i < leases.n; i++)
		mark(blocks, &leases.list[i].ip);
	leases_free(&leases);
	past_each_waiting(store, reuse_delay, mark, blocks);
	for (size_t i = 0; rc == 0 && i < blocks->n; i++) {
		struct block *block = &blocks->list[i];
		bool *spare = &kept[block->prefix.ip.family == AF_INET6];
		bool empty = block->state == BLOCK_OWNED && !block->used;

		block->superfluous = block->state == BLOCK_RETURNING || (empty && *spare);
		n += block->superfluous;
		*spare |= empty;
	}
	return rc < 0 ? -1 : n;
}

long long block_now_ms(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum found blocks_failure(struct block_failure *ret, const struct store *store)
{
	char text[PATH_MAX], *rest = NULL;
	ssize_t len = readlinkat(store->own, "blocks/failed", text, sizeof(text) - 1);
	struct block_failure failure = { 0 };
	const char *boot, *at, *code;

	if (len < 0)
		return FOUND_NOT;
	text[len] = '\0';
	boot = strtok_r(text, " ", &rest);
	at = strtok_r(NULL, " ", &rest);
	code = strtok_r(NULL, " ", &rest);
	if (!code || strcmp(boot, store->boot.id) != 0)
		return FOUND_NOT;
	failure.at_ms = strtoll(at, NULL, 10);
	failure.error.code = (int)strtol(code, NULL, 10);
	snprintf(failure.error.msg, sizeof(failure.error.msg), "%s", rest);
	*ret = failure;
	return FOUND;
}

bool blocks_failed(const struct store *store)
{
	struct block_failure failure;

	return blocks_failure(&failure, store) == FOUND && block_now_ms() - failure.at_ms < FAILURE_MS;
}

void blocks_note_failure(const struct store *store, const struct cni_error *error)
{
	char text[sizeof(*error) + 64];

	if (unlinkat(store->own, "blocks/failed", 0) < 0 && errno != ENOENT)
		return;
	if (!error)
		return;
	snprintf(text, sizeof(text), "%s %lld %d %s", store->boot.id, block_now_ms(), error->code,
		 error->msg);
	mkdirat(store->own, "blocks", S_IRWXU);
	if (symlinkat(text, store->own, "blocks/failed") < 0)
		cni_log("cannot note a failure: %s", errno_text(errno));
}
