/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cni/json.h"
#include "ipam/block.h"
#include "ipam/lease.h"
#include "ipam/store.h"
#include "ipam/verbs.h"

struct stores {
	const char *dir;
	json_t *list;
};

static bool stores_visit(int dir, const char *name, void *arg)
{
	const struct stores *stores = arg;
	const struct place place = { .data_dir = stores->dir, .network = name, .store = name };
	struct leases leases = { 0 };
	struct blocks blocks = { 0 };
	struct store store;

	(void)dir;
	if (!is_identifier(name) || store_look(&store, &place, NULL) != FOUND)
		return true;
	leases_read_names(&leases, &store, NULL);
	if (store.meta >= 0)
		blocks_read(&blocks, &store, NULL);
	if (leases.n || blocks.n)
		json_array_append_new(stores->list,
				      json_pack("{s:s, s:I, s:I}", "store", name, "leases",
						(json_int_t)leases.n, "blocks", (json_int_t)blocks.n));
	leases_free(&leases);
	blocks_free(&blocks);
	store_close(&store);
	return true;
}

int stores_main(const char *dir)
{
	json_auto_t *list = json_array();
	struct stores stores = { dir, list };

	if (file_each(AT_FDCWD, dir, stores_visit, &stores) < 0 && errno != ENOENT) {
		cni_log("read %s: %s", dir, errno_text(errno));
		return 1;
	}
	if (json_dumpf(list, stdout, JSON_INDENT(isatty(STDOUT_FILENO) ? 4 : 0)) == 0)
		putchar('\n');
	return fflush(stdout) < 0;
}
