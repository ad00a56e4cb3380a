/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/error.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int cni_fail(struct cni_error *err, enum cni_code code, const char *msg, ...)
{
	va_list args;

	if (!err || err->msg[0])
		return -1;
	err->code = (int)code;
	va_start(args, msg);
	vsnprintf(err->msg, sizeof(err->msg), msg, args);
	va_end(args);
	return -1;
}

int cni_hint(struct cni_error *err, const char *details, ...)
{
	va_list args;

	if (!err || err->details[0])
		return -1;
	va_start(args, details);
	vsnprintf(err->details, sizeof(err->details), details, args);
	va_end(args);
	return -1;
}

int cni_fail_as(struct cni_error *err, const struct cni_error *why)
{
	cni_fail(err, (enum cni_code)why->code, "%s", why->msg);
	return cni_hint(err, "%s", why->details);
}

const char *errno_text(int error)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s", strerror(error));
	text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}
