/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/error.h"

#include <errno.h>

#include "tap.h"

static void test_fail(void)
{
	struct cni_error err = { 0 };
	int rc = cni_fail(&err, CNI_CONFIG, "no %s %d", "master", 7);

	is_int(rc, -1, "cni_fail returns -1, so that a caller can return it");
	is_int(err.code, 7, "the code is the one given");
	is_str(err.msg, "no master 7", "the message is formatted");
	is_str(err.details, "", "there are no details");
}

static void test_first_cause(void)
{
	struct cni_error err = { 0 };

	cni_fail(&err, CNI_IO, "first");
	is_int(cni_fail(&err, CNI_CONFIG, "second"), -1, "a second failure still returns -1");
	is_str(err.msg, "first", "the first cause stands");
	is_int(err.code, CNI_IO, "and so does its code");

	cni_hint(&err, "one");
	is_int(cni_hint(&err, "two"), -1, "cni_hint returns -1");
	is_str(err.details, "one", "the first details stand");
}

static void test_code_zero(void)
{
	struct cni_error err = { 0 };

	cni_fail(&err, CNI_UNKNOWN, "a delegate failed without a message");
	cni_fail(&err, CNI_IO, "later");
	is_str(err.msg, "a delegate failed without a message",
	       "the first cause stands although its code is 0");
	is_int(err.code, 0, "and its code stays 0");
}

static void test_nobody_listens(void)
{
	is_int(cni_fail(NULL, CNI_IO, "no error object"), -1, "cni_fail(NULL) returns -1");
	is_int(cni_hint(NULL, "no error object"), -1, "cni_hint(NULL) returns -1");
}

static void test_long_text(void)
{
	struct cni_error err = { 0 };
	char text[2 * sizeof(err.details)];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cni_fail(&err, CNI_IO, "%s", text);
	cni_hint(&err, "%s", text);
	is_int((long long)strlen(err.msg), sizeof(err.msg) - 1, "a message that is too long is cut");
	is_int((long long)strlen(err.details), sizeof(err.details) - 1, "details that are too long are cut");
}

static void test_errno(void)
{
	struct cni_error err = { 0 };

	errno = ENOENT;
	cni_fail(&err, CNI_IO, "cannot open %s: %m", "x");
	is_str(err.msg, "cannot open x: No such file or directory", "%%m is the errno of the failure");
}

static void test_errno_text(void)
{
	is_str(errno_text(ENOENT), "no such file or directory",
	       "the text of errno begins in lower case, as Go's");
	is_str(errno_text(EACCES), "permission denied", "only the first letter changes");
	/* glibc's, musl's */
	ok(strstr("unknown error 123456, no error information", errno_text(123456)),
	   "an unknown one has a text");
}

int main(void)
{
	test_fail();
	test_first_cause();
	test_code_zero();
	test_nobody_listens();
	test_long_text();
	test_errno();
	test_errno_text();
	return done();
}
