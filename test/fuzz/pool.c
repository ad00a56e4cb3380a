/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any configuration of addrpool: the input is CNI_ARGS, a NUL byte, and what comes
 * on standard input. One that is taken must have pools in order, of which every
 * address that is handed out is one of theirs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cni/json.h"
#include "fuzz.h"
#include "ipam/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum found take_some(void *arg, struct ip *ip, struct cni_error *err)
{
	int *left = arg;

	(void)err;
	must(ip->family);
	return --*left > 0 ? FOUND_NOT : FOUND;
}

static void check_pool(const struct pool *pool)
{
	const struct span *span = &pool->spans[pool->n_spans - 1];
	struct ip ip = { .family = 0 };
	int left = 300;

	must(pool->n_ranges && pool->n_spans && pool_size(pool) > 0);
	for (size_t i = 0; i < pool->n_spans; i++)
		must(ip_compare(&pool->spans[i].first, &pool->spans[i].last) <= 0);
	if (pool_walk(pool, &span->last, take_some, &left, &ip, NULL) != FOUND) {
		must(pool_size(pool) < 300);
		return;
	}
	must(pool_may_give(pool, &ip) && pool_range(pool, &ip));
	must(!ip_equal(&ip, &pool_range(pool, &ip)->gateway));
}

static void check_error(const struct cni_error *err)
{
	json_auto_t *msg = json_text(err->msg), *details = json_text(err->details);

	must(err->code == CNI_ENVIRONMENT || err->code == CNI_CONFIG || err->code == CNI_DECODE ||
	     err->code == CNI_VERSION);
	must(*err->msg && msg && details);
}

static void try(const char *args, const char *text, size_t len)
{
	struct request req = { .command = "ADD", .args = args, .version = CNI_1_1_0 };
	struct cni_error err = { 0 };
	json_auto_t *doc = json_read(text, len, &err);
	struct conf conf;

	if (!doc || request_read_conf(&req, doc, &err) < 0 || addrpool_conf_read(&conf, &req, &err) < 0) {
		check_error(&err);
		return;
	}
	for (size_t i = 0; i < conf.n_pools; i++)
		check_pool(&conf.pools[i]);
	addrpool_conf_free(&conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 2);
	size_t len;

	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	len = strlen(text);
	try(text, text + len + 1, size > len ? size - len - 1 : 0);
	free(text);
	return 0;
}
