/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/resolv.h"

#include <stdlib.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "tap.h"

struct text {
	char s[1024];
};

/* The dns of a file with this content, as JSON with sorted keys, "nothing", or the error. */
static struct text said_by(const char *content, size_t len)
{
	char path[] = "/tmp/resolv.XXXXXX";
	autoclose int fd = mkstemp(path);
	struct cni_error err = { 0 };
	struct text text = { "" };
	json_t *dns = NULL;
	char *json = NULL;

	if (write(fd, content, len) == (ssize_t)len && resolv_read(&dns, path, &err) == 0)
		json = dns ? json_dumps(dns, JSON_COMPACT | JSON_SORT_KEYS) : strdup("nothing");
	snprintf(text.s, sizeof(text.s), "%s", json ? json : err.msg);
	unlink(path);
	free(json);
	json_decref(dns);
	return text;
}

static void test_contents(void)
{
	static const struct {
		const char *name, *content, *dns;
	} cases[] = {
		{ "a simple file", "\nnameserver 192.0.2.0\nnameserver 192.0.2.1\n",
		  "{\"nameservers\":[\"192.0.2.0\",\"192.0.2.1\"]}" },
		{ "comments",
		  "\nnameserver 192.0.2.0\n;nameserver 192.0.2.1\n#nameserver 192.0.2.2\n# domain x\n",
		  "{\"nameservers\":[\"192.0.2.0\"]}" },
		{ "all fields",
		  "nameserver 192.0.2.0\nnameserver 192.0.2.2\ndomain example.com\n;nameserver comment\n"
		  "#nameserver comment\nsearch example.net example.org\nsearch example.gov\n"
		  "options one two three\noptions four\n",
		  "{\"domain\":\"example.com\",\"nameservers\":[\"192.0.2.0\",\"192.0.2.2\"],"
		  "\"options\":[\"one\",\"two\",\"three\",\"four\"],"
		  "\"search\":[\"example.net\",\"example.org\",\"example.gov\"]}" },
		{ "the last of several domains", "domain a.org\ndomain b.org\n", "{\"domain\":\"b.org\"}" },
		{ "no newline at the end", "nameserver 192.0.2.0", "{\"nameservers\":[\"192.0.2.0\"]}" },
		{ "tabs, blanks and carriage returns", " \tnameserver\t 192.0.2.0 \r\n",
		  "{\"nameservers\":[\"192.0.2.0\"]}" },
		{ "a second name server in one line", "nameserver 192.0.2.0 192.0.2.1\n",
		  "{\"nameservers\":[\"192.0.2.0\"]}" },
		{ "an empty file", "", "nothing" },
		{ "only blank lines", "\n \n\t\n", "nothing" },
		{ "keys without a value", "nameserver\nsearch\noptions \ndomain\t\n", "nothing" },
		{ "unknown keys", "sortlist 192.0.2.0\nnameservers 192.0.2.0\nNAMESERVER 192.0.2.0\n",
		  "nothing" },
		{ "bytes that are not UTF-8", "domain \xff.org\n", "{\"domain\":\"\xef\xbf\xbd.org\"}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(said_by(cases[i].content, strlen(cases[i].content)).s, cases[i].dns, "%s",
		       cases[i].name);
	is_str(said_by("domain a\0b\nsearch c\n", 20).s, "{\"domain\":\"a\",\"search\":[\"c\"]}",
	       "a line ends at a zero byte");
}

static void test_refusals(void)
{
	struct cni_error err = { 0 };
	json_t *dns = NULL;

	is_int(resolv_read(&dns, "/nonexistent", &err), -1, "a missing file is an error");
	is_int(err.code, CNI_IO, "of input");
	is_str(err.msg, "open /nonexistent: no such file or directory", "with its reason");
	err = (struct cni_error){ 0 };
	is_int(resolv_read(&dns, "/tmp", &err), -1, "a directory is an error");
	is_str(err.msg, "read /tmp: is a directory", "with its reason");
	ok(!dns, "and there is no result");
}

static void test_large(void)
{
	size_t len = 0, room = 240000;
	char *content = malloc(room);

	while (len + 12 < room)
		len += (size_t)snprintf(content + len, room - len, "# %08zu\n", len);
	is_str(said_by(content, len).s, "nothing", "a file of any length is read in bounded time");
	free(content);
}

int main(void)
{
	test_contents();
	test_refusals();
	test_large();
	return done();
}
