/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Words and numbers of described calls: those of policies, with shorter names where it is clear. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../ir/lower_tracing.h"
#include "call_private.h"

enum { ERRNO_END = 134 };

const char *polc_errno_name(int error)
{
	return error > 0 && error < ERRNO_END ? strerrorname_np(error) : NULL;
}

static bool parse_errno(const char *text, uint64_t *out)
{
	bool negative = *text == '-';

	text += negative;
	for (int i = 1; i < ERRNO_END && *text == 'E'; i++) {
		const char *name = polc_errno_name(i);

		if (!name || strcmp(name, text) != 0)
			continue;
		*out = negative ? (uint64_t) - (int64_t)i : (uint64_t)i;
		return true;
	}
	return false;
}

/* "tcp" for IPPROTO_TCP: with the prefix before it, when it is no word or number itself. */
static bool parse_with(struct polc_arena *arena, const char *prefix,
	bool (*parse)(const char *text, size_t n, unsigned *out), const char *text, uint64_t *out)
{
	unsigned value;

	if (!parse(text, strlen(text), &value)) {
		text = polc_arena_printf(arena, "%s%s", prefix, text);
		if (!parse(text, strlen(text), &value))
			return false;
	}
	*out = value;
	return true;
}

bool polc_call_parse_family(struct polc_arena *arena, const char *text, uint64_t *out)
{
	return parse_with(arena, "AF_", polc_parse_family, text, out);
}

bool polc_call_parse_protocol(struct polc_arena *arena, const char *text, uint64_t *out)
{
	return parse_with(arena, "IPPROTO_", polc_parse_ip_protocol, text, out);
}

bool polc_call_parse_state(struct polc_arena *arena, const char *text, uint64_t *out)
{
	return parse_with(arena, "TCP_", polc_parse_tcp_state, text, out);
}

bool polc_call_parse_file_type(const char *text, uint64_t *out)
{
	unsigned type;

	if (!polc_parse_file_type(text, strlen(text), &type))
		return false;
	*out = type;
	return true;
}

bool polc_call_parse_integer(const char *text, uint64_t *out)
{
	static bool (*const parsers[])(const char *text, size_t n, unsigned *out) = {
		polc_parse_capability,
		polc_parse_family,
		polc_parse_ip_protocol,
		polc_parse_tcp_state,
	};
	size_t n = strlen(text);
	unsigned value;

	if (polc_parse_integer(text, n, 8, *text == '-', out) == POLC_PARSED)
		return true;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(parsers); i++) {
		if (parsers[i](text, n, &value)) {
			*out = value;
			return true;
		}
	}
	return parse_errno(text, out);
}

bool polc_call_parse_caps(struct polc_arena *arena, const char *text, uint64_t *out)
{
	struct polc_buf names = {.arena = arena};

	*out = 0;
	if (!*text || !strcmp(text, "none"))
		return true;
	if (!strcmp(text, "all")) {
		for (unsigned i = 0; polc_capability_name(i); i++)
			*out |= UINT64_C(1) << i;
		return true;
	}
	if (polc_parse_capabilities(text, strlen(text), out) == POLC_PARSED)
		return true;
	/* without CAP_ */
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, ","), blanks = strspn(p, " ");

		polc_buf_printf(&names, "%s%s%.*s", names.n ? "," : "",
			strncasecmp(p + blanks, "CAP_", 4) ? "CAP_" : "", (int)(n - blanks),
			p + blanks);
		p += n + (p[n] == ',');
	}
	return polc_parse_capabilities(names.p, names.n, out) == POLC_PARSED;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

	return at && (c >= 'A' || c <= '9') ? (int)(at - digits) : -1;
}

/* *p behind the backslash; false: no such escape. */
static bool unescape(const char **p, char *out)
{
	static const char letters[] = "0nt\\", values[] = "\0\n\t\\";
	const char *at = **p ? strchr(letters, **p) : NULL;
	int high, low;

	if (**p == 'x') {
		high = hex_digit((*p)[1]);
		low = high < 0 ? -1 : hex_digit((*p)[2]);
		if (low < 0)
			return false;
		*out = (char)(high * 16 + low);
		*p += 3;
		return true;
	}
	if (!at)
		return false;
	*out = values[at - letters];
	*p += 1;
	return true;
}

bool polc_call_parse_bytes(struct polc_arena *arena, const char *text, struct polc_string *out)
{
	char *copy = polc_arena_strndup(arena, text, strlen(text));
	size_t n = 0;

	for (const char *p = text; *p;) {
		if (*p != '\\') {
			copy[n++] = *p++;
			continue;
		}
		p++;
		if (!unescape(&p, &copy[n++]))
			return false;
	}
	copy[n] = 0;
	*out = (struct polc_string){copy, n};
	return true;
}
