/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Growing text and JSON. Knows no events. */
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct polb_text *text, size_t more)
{
	size_t room = text->room ? text->room : 256;
	char *larger;

	if (text->failed || more > SIZE_MAX / 4 || text->size > SIZE_MAX / 4)
		return false;
	while (room < text->size + more + 1)
		room *= 2;
	if (room == text->room)
		return true;
	larger = realloc(text->data, room);
	if (!larger) {
		text->failed = true;
		return false;
	}
	text->data = larger;
	text->room = room;
	return true;
}

void polb_text_add(struct polb_text *text, const void *data, size_t size)
{
	if (size == 0 || !make_room(text, size))
		return;
	memcpy(text->data + text->size, data, size);
	text->size += size;
}

void polb_text_puts(struct polb_text *text, const char *string)
{
	polb_text_add(text, string, strlen(string));
}

static void add_char(struct polb_text *text, char c)
{
	polb_text_add(text, &c, 1);
}

void polb_text_printf(struct polb_text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0 || !make_room(text, (size_t)n))
		return;
	va_start(args, format);
	vsnprintf(text->data + text->size, (size_t)n + 1, format, args);
	va_end(args);
	text->size += (size_t)n;
}

void polb_text_clear(struct polb_text *text)
{
	text->size = 0;
	text->failed = false;
}

void polb_text_free(struct polb_text *text)
{
	free(text->data);
	*text = (struct polb_text){0};
}

const char *polb_text_string(struct polb_text *text)
{
	if (!make_room(text, 0))
		return "";
	text->data[text->size] = '\0';
	return text->data;
}

/* Bytes of the UTF-8 sequence at data; 0: none (overlong, surrogate, too high or cut). */
static size_t sequence(const unsigned char *data, size_t size)
{
	size_t n = data[0] < 0x80   ? 1
		   : data[0] < 0xc2 ? 0
		   : data[0] < 0xe0 ? 2
		   : data[0] < 0xf0 ? 3
		   : data[0] < 0xf5 ? 4
				    : 0;

	if (n > size || n < 2)
		return n > size ? 0 : n;
	for (size_t i = 1; i < n; i++)
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	if ((data[0] == 0xe0 && data[1] < 0xa0) || (data[0] == 0xed && data[1] > 0x9f) ||
		(data[0] == 0xf0 && data[1] < 0x90) || (data[0] == 0xf4 && data[1] > 0x8f))
		return 0;
	return n;
}

typedef void (*add_ascii)(struct polb_text *text, unsigned char c);

static void each_character(struct polb_text *text, const char *data, size_t size, add_ascii ascii)
{
	size_t at = 0;

	while (at < size) {
		const unsigned char *here = (const unsigned char *)data + at;
		size_t n = sequence(here, size - at);

		if (n == 1)
			ascii(text, *here);
		else if (n)
			polb_text_add(text, here, n);
		else
			polb_text_puts(text, "\xef\xbf\xbd");
		at += n ? n : 1;
	}
}

static void plain(struct polb_text *text, unsigned char c)
{
	add_char(text, (char)c);
}

static void visible(struct polb_text *text, unsigned char c)
{
	add_char(text, c < 0x20 || c == 0x7f ? '?' : (char)c);
}

static void escaped(struct polb_text *text, unsigned char c)
{
	static const char names[] = "\bb\ff\nn\rr\tt\"\"\\\\";

	for (size_t i = 0; names[i]; i += 2)
		if (c == (unsigned char)names[i]) {
			polb_text_printf(text, "\\%c", names[i + 1]);
			return;
		}
	if (c < 0x20 || c == 0x7f)
		polb_text_printf(text, "\\u%04x", c);
	else
		add_char(text, (char)c);
}

void polb_text_utf8(struct polb_text *text, const char *data, size_t size)
{
	each_character(text, data, size, plain);
}

void polb_text_printable(struct polb_text *text, const char *data, size_t size)
{
	each_character(text, data, size, visible);
}

static void begin(struct polb_text *text, const char *name)
{
	if (text->size && !strchr("{[:\n", text->data[text->size - 1]))
		add_char(text, ',');
	if (name)
		polb_text_printf(text, "\"%s\":", name);
}

void polb_json_open(struct polb_text *text, const char *name, char bracket)
{
	begin(text, name);
	add_char(text, bracket);
}

void polb_json_close(struct polb_text *text, char bracket)
{
	add_char(text, bracket == '{' ? '}' : ']');
}

void polb_json_string(struct polb_text *text, const char *name, const char *data, size_t size)
{
	begin(text, name);
	add_char(text, '"');
	each_character(text, data, size, escaped);
	add_char(text, '"');
}

void polb_json_cstring(struct polb_text *text, const char *name, const char *string)
{
	polb_json_string(text, name, string, strlen(string));
}

void polb_json_unsigned(struct polb_text *text, const char *name, uint64_t value)
{
	begin(text, name);
	polb_text_printf(text, "%" PRIu64, value);
}

void polb_json_signed(struct polb_text *text, const char *name, int64_t value)
{
	begin(text, name);
	polb_text_printf(text, "%" PRId64, value);
}

void polb_json_bool(struct polb_text *text, const char *name, bool value)
{
	begin(text, name);
	polb_text_puts(text, value ? "true" : "false");
}

void polb_json_unsigned64(struct polb_text *text, const char *name, uint64_t value)
{
	begin(text, name);
	polb_text_printf(text, "\"%" PRIu64 "\"", value);
}

void polb_json_signed64(struct polb_text *text, const char *name, int64_t value)
{
	begin(text, name);
	polb_text_printf(text, "\"%" PRId64 "\"", value);
}

void polb_text_base64(struct polb_text *text, const void *data, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i += 3) {
		size_t n = size - i < 3 ? size - i : 3;
		uint32_t group = (uint32_t)bytes[i] << 16;
		char out[4] = {'=', '=', '=', '='};

		if (n > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (n > 2)
			group |= bytes[i + 2];
		for (size_t k = 0; k <= n; k++)
			out[k] = digits[group >> (18 - 6 * k) & 63];
		polb_text_add(text, out, 4);
	}
}

void polb_json_bytes(struct polb_text *text, const char *name, const void *data, size_t size)
{
	begin(text, name);
	add_char(text, '"');
	polb_text_base64(text, data, size);
	add_char(text, '"');
}
