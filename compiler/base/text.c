/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Growable text, UTF-8 and JSON strings. */
#include "base.h"

#include <string.h>

static void reserve(struct polc_buf *b, size_t more)
{
	size_t need, cap = b->cap ? b->cap : 256;
	char *bigger;

	if (__builtin_add_overflow(b->n, more, &need) || need >= SIZE_MAX / 4)
		POLC_BUG("text of %zu bytes", more);
	if (need < b->cap)
		return;
	while (cap <= need)
		cap *= 2;
	bigger = polc_arena_alloc(b->arena, cap);
	if (b->n)
		memcpy(bigger, b->p, b->n);
	b->p = bigger;
	b->cap = cap;
}

void polc_buf_add(struct polc_buf *b, const char *s, size_t n)
{
	reserve(b, n);
	if (n)
		memcpy(b->p + b->n, s, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void polc_buf_puts(struct polc_buf *b, const char *s)
{
	polc_buf_add(b, s, strlen(s));
}

void polc_buf_printf(struct polc_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		POLC_BUG("bad format \"%s\"", fmt);
	reserve(b, (size_t)n);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
	va_end(ap);
}

static unsigned utf8_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

unsigned polc_utf8_decode(const char *s, size_t n, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned len = n ? utf8_length((unsigned char)s[0]) : 0;
	uint32_t c;

	if (!len || len > n)
		return 0;
	c = len == 1 ? (unsigned char)s[0] : (unsigned char)s[0] & (0x7fu >> len);
	for (unsigned i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return len;
}

static void json_character(struct polc_buf *b, const char *s, unsigned len, uint32_t c)
{
	static const char short_escapes[] = "b\bf\fn\nr\rt\t\"\"\\\\";

	for (size_t i = 1; i < sizeof(short_escapes); i += 2) {
		if ((uint32_t)(unsigned char)short_escapes[i] == c) {
			polc_buf_printf(b, "\\%c", short_escapes[i - 1]);
			return;
		}
	}
	if (c < 0x20 || c == 0x7f)
		polc_buf_printf(b, "\\u%04x", (unsigned)c);
	else
		polc_buf_add(b, s, len);
}

void polc_buf_json(struct polc_buf *b, const char *s)
{
	size_t n = strlen(s), i = 0;

	polc_buf_puts(b, "\"");
	while (i < n) {
		uint32_t c;
		unsigned len = polc_utf8_decode(s + i, n - i, &c);

		if (len)
			json_character(b, s + i, len, c);
		else
			polc_buf_puts(b, "\xef\xbf\xbd"); /* U+FFFD: JSON is valid UTF-8 */
		i += len ? len : 1;
	}
	polc_buf_puts(b, "\"");
}

void polc_buf_json_member(struct polc_buf *b, const char *key, const char *value)
{
	polc_buf_printf(b, "\"%s\":", key);
	if (value)
		polc_buf_json(b, value);
	else
		polc_buf_puts(b, "null");
	polc_buf_puts(b, ",");
}
