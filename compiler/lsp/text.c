/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Texts of documents: positions of the protocol and bytes, and the changes that a client makes. */
#include <string.h>

#include "lsp.h"

bool lsp_is_pol(const struct lsp_file *file)
{
	size_t n = strlen(file->shown);

	return n > 4 && !strcmp(file->shown + n - 4, ".pol");
}

json_t *lsp_string_n(const char *text, size_t n)
{
	json_t *string = json_stringn(text, n);
	struct polc_arena arena = {0};
	struct polc_buf clean = {.arena = &arena};

	if (string)
		return string;
	for (size_t at = 0; at < n;) {
		uint32_t c;
		unsigned len = polc_utf8_decode(text + at, n - at, &c);

		if (len)
			polc_buf_add(&clean, text + at, len);
		else
			polc_buf_puts(&clean, "\xef\xbf\xbd");
		at += len ? len : 1;
	}
	string = json_stringn(clean.p ? clean.p : "", clean.n);
	polc_arena_free(&arena);
	return string;
}

json_t *lsp_string(const char *text)
{
	return lsp_string_n(text, strlen(text));
}

/* Bytes and units of the character at `at`; a broken byte is one of each. */
static unsigned step(const struct lsp *lsp, const char *text, size_t n, size_t at, unsigned *units)
{
	uint32_t c;
	unsigned len = polc_utf8_decode(text + at, n - at, &c);

	if (!len)
		len = 1;
	*units = lsp->utf8 ? len : len == 4 ? 2 : 1;
	return len;
}

/* Lines end with \n, \r\n or \r alone. */
static size_t next_line(const char *text, size_t n, size_t at)
{
	while (at < n && text[at] != '\n' && text[at] != '\r')
		at++;
	if (at < n)
		at += text[at] == '\r' && at + 1 < n && text[at + 1] == '\n' ? 2 : 1;
	return at;
}

static bool ends_line(const char *text, size_t n, size_t at)
{
	return at >= n || text[at] == '\n' || text[at] == '\r';
}

/* Beyond the end of a line, or of the text, is its end. */
size_t lsp_offset(const struct lsp *lsp, const char *text, size_t n, const json_t *position)
{
	json_int_t line = json_integer_value(json_object_get(position, "line"));
	json_int_t character = json_integer_value(json_object_get(position, "character"));
	size_t at = 0;

	for (; line > 0; line--) {
		size_t next = next_line(text, n, at);

		if (next == at || (next >= n && text[n - 1] != '\n' && text[n - 1] != '\r'))
			return n;
		at = next;
	}
	while (character > 0 && !ends_line(text, n, at)) {
		unsigned units, len = step(lsp, text, n, at, &units);

		character -= units;
		if (character < 0) /* inside of a character: its begin */
			break;
		at += len;
	}
	return at;
}

json_t *lsp_position(const struct lsp *lsp, const char *text, size_t n, size_t offset)
{
	size_t line = 0, begin = 0, units = 0;

	offset = offset > n ? n : offset;
	for (;;) {
		size_t next = next_line(text, n, begin);

		if (next > offset || next == begin ||
			(next == n && text[n - 1] != '\n' && text[n - 1] != '\r'))
			break;
		begin = next;
		line++;
	}
	while (begin < offset && !ends_line(text, n, begin)) {
		unsigned of_one;

		begin += step(lsp, text, n, begin, &of_one);
		units += of_one;
	}
	return json_pack("{s:I,s:I}", "line", (json_int_t)line, "character", (json_int_t)units);
}

json_t *lsp_range(const struct lsp *lsp, const struct lsp_file *file, size_t begin, size_t end)
{
	return json_pack("{s:o,s:o}", "start", lsp_position(lsp, file->text, file->n, begin), "end",
		lsp_position(lsp, file->text, file->n, end < begin ? begin : end));
}

/* Changes */

void lsp_file_set_text(struct lsp_file *file, const char *text, size_t n)
{
	struct polc_arena old = file->arena;

	file->arena = (struct polc_arena){0};
	file->text = polc_arena_strndup(&file->arena, text, n);
	file->n = n;
	file->changed = true;
	polc_arena_free(&old);
}

static bool is_position(const json_t *position)
{
	const json_t *line = json_object_get(position, "line");
	const json_t *character = json_object_get(position, "character");

	return json_is_integer(line) && json_is_integer(character) &&
	       json_integer_value(line) >= 0 && json_integer_value(character) >= 0;
}

static void splice(
	struct lsp_file *file, size_t begin, size_t end, const char *insert, size_t n_insert)
{
	struct polc_arena scratch = {0};
	struct polc_buf out = {.arena = &scratch};

	polc_buf_add(&out, file->text, begin);
	polc_buf_add(&out, insert, n_insert);
	polc_buf_add(&out, file->text + end, file->n - end);
	lsp_file_set_text(file, out.p ? out.p : "", out.n);
	polc_arena_free(&scratch);
}

bool lsp_file_change(const struct lsp *lsp, struct lsp_file *file, const json_t *change)
{
	const json_t *text = json_object_get(change, "text");
	const json_t *range = json_object_get(change, "range");
	const json_t *start = json_object_get(range, "start"), *end = json_object_get(range, "end");
	size_t from, to;

	if (!json_is_string(text))
		return false;
	if (!range || json_is_null(range)) {
		lsp_file_set_text(file, json_string_value(text), json_string_length(text));
		return true;
	}
	if (!is_position(start) || !is_position(end))
		return false;
	from = lsp_offset(lsp, file->text, file->n, start);
	to = lsp_offset(lsp, file->text, file->n, end);
	if (to < from)
		return false;
	splice(file, from, to, json_string_value(text), json_string_length(text));
	return true;
}
