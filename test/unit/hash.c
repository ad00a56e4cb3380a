/* SPDX-License-Identifier: Apache-2.0 */
/* Files, links and records in the engine have names from this hash: a change would lose them. */
#include "cni/hash.h"

#include "cni/attachment.h"
#include "tap.h"

static void test_vectors(void)
{
	ok(hash_add(HASH_START, NULL, 0) == 0xcbf29ce484222325, "nothing");
	ok(hash_add(HASH_START, "a", 1) == 0xaf63dc4c8601ec8c, "one byte");
	ok(hash_add(HASH_START, "foobar", 6) == 0x85944171f73967e8, "a text");
}

static void test_parts(void)
{
	const uint64_t foo = hash_add(HASH_START, "foo", 3);

	ok(hash_add(foo, "bar", 3) == hash_add(HASH_START, "foobar", 6), "a text in two parts");
	ok(attachment_hash("a", "eth0") == hash_add(HASH_START, "a/eth0", 6), "an attachment's hash");
}

int main(void)
{
	test_vectors();
	test_parts();
	return done();
}
