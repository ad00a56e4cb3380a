/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/stderr.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cni/json.h"
#include "cni/process.h"

#define PATIENCE_MS 2000

static struct {
	long long waited_ms;
	size_t lost;
} state;

/* The length of the character at text if it may be printed unchanged, or 0. */
static size_t visible_length(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t len = utf8_length(c);

	if (*c < ' ' || *c == 0x7f || (len == 2 && c[0] == 0xc2 && c[1] < 0xa0))
		return 0;
	return len;
}

size_t visible(char *ret, const char *text, size_t len, bool one_line)
{
	static const char digits[] = "0123456789abcdef";
	const char *end = text + len;
	char *to = ret;

	while (text < end) {
		size_t n = visible_length(text);
		const unsigned char byte = (unsigned char)*text;

		if (n) {
			memcpy(to, text, n);
			to += n;
			text += n;
			continue;
		}
		text++;
		if (byte == '\n' || byte == '\t' || (byte == '\r' && one_line)) {
			*to++ = (char)(one_line ? ' ' : byte);
			continue;
		}
		*to++ = '\\';
		*to++ = 'x';
		*to++ = digits[byte >> 4];
		*to++ = digits[byte & 15];
	}
	return (size_t)(to - ret);
}

/* Waits for room until PATIENCE_MS in all have passed. Another writer may fill it first. */
static ssize_t stderr_put_some(const char *text, size_t len)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	const long long left = PATIENCE_MS - state.waited_ms, start = process_now_ms();
	ssize_t n = poll(&out, 1, left > 0 ? (int)left : 0);

	if (n > 0) {
		process_tick(true);
		n = write(STDERR_FILENO, text, len < PIPE_BUF ? len : PIPE_BUF);
		process_tick(false);
	}
	state.waited_ms += process_now_ms() - start;
	return n;
}

void stderr_put(const char *text, size_t len)
{
	while (len) {
		ssize_t n = stderr_put_some(text, len);

		if (n <= 0) {
			state.lost += len;
			return;
		}
		text += n;
		len -= (size_t)n;
	}
}

size_t stderr_lost(void)
{
	const size_t lost = state.lost;

	state.lost = 0;
	return lost;
}
