/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any files in a store of addrpool, which host-local, an editor or a broken disk may have
 * written: the input is names and contents in turn, each ended by a NUL byte. "@NAME" is a
 * symbolic link of what only addrpool knows, "!NAME" a directory. Whatever is there, the
 * store opens, each lease is found by its owner, and DEL releases it.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "fuzz.h"
#include "ipam/block.h"
#include "ipam/past.h"
#include "ipam/record.h"
#include "ipam/release.h"
#include "ipam/resolv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char top[] = "/dev/shm/fuzz-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type;
	return ftw->level ? remove(path) : 0;
}

static void empty(void)
{
	must(nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void leave(void)
{
	empty();
	rmdir(top);
}

/* Names from outside do not lead out of the store. */
static bool is_harmless(const char *name)
{
	return *name && strlen(name) < NAME_MAX && !strstr(name, "..") && *name != '/' &&
	       strcmp(name, ".") != 0 && strcmp(name, "lock") != 0;
}

static void put(int leases, int own, const char *name, const char *content)
{
	bool link = *name == '@', directory = *name == '!';
	int fd = -1;

	if (!is_harmless(name + (link || directory)))
		return;
	if (link)
		(void)!symlinkat(content, own, name + 1);
	else if (directory)
		mkdirat(leases, name + 1, S_IRWXU);
	else
		fd = openat(leases, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		must(write(fd, content, strlen(content)) >= 0);
		close(fd);
	}
}

static const char *take_text(const char **rest, const char *end)
{
	const char *text = *rest;

	*rest = text < end ? text + strlen(text) + 1 : end;
	return text < end ? text : NULL;
}

/* text has a NUL byte of its own at its end */
static void fill(const char *text, size_t size)
{
	autoclose int dir = open(top, O_RDONLY | O_DIRECTORY);
	autoclose int leases = -1, own = -1;
	const char *name, *content, *rest = text;

	must(mkdirat(dir, "net", 0755) == 0 && mkdirat(dir, ".addrpool", 0700) == 0 &&
	     mkdirat(dir, ".addrpool/net", 0700) == 0);
	leases = openat(dir, "net", O_RDONLY | O_DIRECTORY);
	own = openat(dir, ".addrpool/net", O_RDONLY | O_DIRECTORY);
	mkdirat(own, "owner", 0700);
	mkdirat(own, "blocks", 0700);
	mkdirat(own, "released", 0700);
	while ((name = take_text(&rest, text + size)) && (content = take_text(&rest, text + size)))
		put(leases, own, name, content);
}

static void find(const struct store *store, const struct lease *lease)
{
	struct cni_error err = { 0 };
	struct record record;
	bool legacy;

	must(lease_is_of(store, &lease->ip, &lease->owner, &err) == FOUND);
	must(record_find(&record, store, &lease->owner, &legacy, &err) == FOUND);
}

static void give_back(struct store *store, const struct place *place, const struct lease *lease)
{
	struct cni_error err = { 0 };

	must(release_owner(store, place, &lease->owner, &err) == 0);
	must(lease_is_of(store, &lease->ip, &lease->owner, &err) == FOUND_NOT);
}

static void try_leases(struct store *store, const struct place *place)
{
	struct cni_error err = { 0 };
	struct leases leases;

	must(leases_read(&leases, store, &err) == 0 || *err.msg);
	for (size_t i = 0; i < leases.n; i++)
		if (*leases.list[i].owner.container)
			find(store, &leases.list[i]);
	for (size_t i = 0; i < leases.n; i++)
		if (*leases.list[i].owner.container)
			give_back(store, place, &leases.list[i]);
	leases_free(&leases);
}

static void look_around(const struct store *store)
{
	static const struct ip ip = { AF_INET, { 10, 9, 0, 2 } };
	struct block_note failure;
	struct blocks blocks;
	const struct ip last = store_last(store, 0), past = past_of(store, 0, "web");

	must(!last.family || ip_size(&last));
	must(!past.family || ip_size(&past));
	must(past_waits(store, &ip, 60) <= 60);
	must(blocks_read(&blocks, store, NULL) == 0);
	for (size_t i = 0; i < blocks.n; i++) {
		must(blocks.list[i].prefix.len <= 8 * ip_size(&blocks.list[i].prefix.ip));
		block_counts(&blocks.list[i]);
	}
	blocks_free(&blocks);
	if (blocks_last_failure(&failure, store) == FOUND)
		must(memchr(failure.error.msg, '\0', sizeof(failure.error.msg)));
	blocks_failed(store);
}

static void try(void)
{
	const struct place place = { .data_dir = top, .network = "net", .store = "net" };
	struct cni_error err = { 0 };
	struct store store;

	if (store_open(&store, &place, false, &err) != FOUND) {
		must(*err.msg);
		return;
	}
	look_around(&store);
	try_leases(&store, &place);
	store_close(&store);
}

static void try_resolv(const char *text)
{
	char path[PATH_MAX];
	json_auto_t *dns = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "%s/resolv.conf", top);
	file = fopen(path, "we");
	must(file && fputs(text, file) >= 0 && fclose(file) == 0);
	must(resolv_read(&dns, path, NULL) == 0 && (!dns || json_is_object(dns)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	autofree char *text = calloc(1, size + 1);

	if (!begun) {
		must(mkdtemp(top));
		atexit(leave);
		begun = true;
	}
	memcpy(text, data, size);
	fill(text, size + 1);
	try();
	try_resolv(text);
	empty();
	return 0;
}
