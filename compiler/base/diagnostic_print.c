/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Printing diagnostics: text with source lines and carets, and JSON. What comes from the input is
 * made harmless for a terminal before it is printed.
 */
#include "diagnostic.h"

#include <string.h>

#define LINE_COLUMNS_MAX 160 /* longer source lines are shown in part */
#define LINE_CONTEXT 40      /* columns shown before the place in such a line */
#define TAB_COLUMNS 8

static const char *const severity_colours[] = {"\033[1;31m", "\033[1;35m", "\033[1;36m", ""};

/* Text */

struct printer {
	struct polc *polc;
	struct polc_buf out;
	bool colour;
};

static void colour(struct printer *p, const char *escape)
{
	if (p->colour)
		polc_buf_puts(&p->out, escape);
}

/* Control characters would act on the terminal; they are shown as \xNN, line breaks as blanks. */
static void put_harmless(struct polc_buf *out, const char *s)
{
	size_t n = strlen(s), i = 0;

	while (i < n) {
		uint32_t c;
		unsigned len = polc_utf8_decode(s + i, n - i, &c);

		if (len && c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0))
			polc_buf_add(out, s + i, len);
		else if (s[i] == '\n' || s[i] == '\t')
			polc_buf_puts(out, " ");
		else
			polc_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)s[i]);
		i += len ? len : 1;
	}
}

/* The columns a character takes at a column, and its text when it is to be shown as it is. */
static unsigned character_columns(
	const char *s, size_t n, unsigned column, unsigned *bytes, bool *as_is)
{
	uint32_t c;
	unsigned len = polc_utf8_decode(s, n, &c);

	*bytes = len ? len : 1;
	*as_is = len && c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0);
	if (len && c == '\t')
		return TAB_COLUMNS - column % TAB_COLUMNS;
	return 1;
}

/* The display column (from 0) of a byte offset in a line. */
static unsigned display_column(const char *line, size_t len, size_t offset)
{
	unsigned column = 0, bytes;
	bool as_is;

	for (size_t i = 0; i < offset && i < len; i += bytes)
		column += character_columns(line + i, len - i, column, &bytes, &as_is);
	return column;
}

/* The columns [first, last) of a line, tabs as blanks, what is not printable as "?". */
static void put_columns(
	struct polc_buf *out, const char *line, size_t len, unsigned first, unsigned last)
{
	unsigned column = 0, bytes;

	for (size_t i = 0; i < len && column < last; i += bytes) {
		bool as_is;
		unsigned width = character_columns(line + i, len - i, column, &bytes, &as_is);

		if (as_is && column >= first)
			polc_buf_add(out, line + i, bytes);
		for (unsigned k = 0; !as_is && k < width; k++)
			if (column + k >= first && column + k < last)
				polc_buf_puts(out, line[i] == '\t' ? " " : "?");
		column += width;
	}
}

/*
 * A very long line (JSON without breaks) is shown from a little before the place, and counted from
 * there, so that printing stays cheap.
 */
static size_t cut_front(const char *line, size_t len, size_t offset)
{
	const size_t enough = LINE_COLUMNS_MAX - LINE_CONTEXT;
	size_t start = offset > LINE_CONTEXT ? offset - LINE_CONTEXT : 0;

	if (offset < enough && display_column(line, len, offset) < enough)
		return 0;
	while (start && ((unsigned char)line[start] & 0xc0) == 0x80)
		start--;
	return start;
}

static void print_carets(struct printer *p, unsigned gutter, unsigned first, unsigned last)
{
	polc_buf_printf(&p->out, "%*s | %*s", (int)gutter, "", (int)first, "");
	colour(p, "\033[1;32m");
	polc_buf_puts(&p->out, "^");
	for (unsigned i = first + 1; i < last; i++)
		polc_buf_puts(&p->out, "~");
	colour(p, "\033[0m");
	polc_buf_puts(&p->out, "\n");
}

static void print_source_line(
	struct printer *p, struct polc_span span, struct polc_position position)
{
	const struct polc_source *source = polc_source_get(&p->polc->sources, span.source);
	const char *line = source->text + source->line_starts[position.line - 1];
	size_t rest = (size_t)(source->text + source->len - line);
	const char *end = memchr(line, '\n', rest);
	size_t len = end ? (size_t)(end - line) : rest, begin = position.column - 1, finish, cut;
	unsigned first, last;

	if (len && line[len - 1] == '\r')
		len--;
	finish = begin + (span.end > span.begin ? span.end - span.begin : 0);
	cut = cut_front(line, len, begin);
	line += cut;
	len -= cut < len ? cut : len;
	if (len > 8 * LINE_COLUMNS_MAX)
		len = 8 * LINE_COLUMNS_MAX;
	first = display_column(line, len, begin - cut);
	last = display_column(line, len, finish - cut);
	if (last > LINE_COLUMNS_MAX)
		last = LINE_COLUMNS_MAX;
	polc_buf_printf(&p->out, "%4u | ", position.line);
	put_columns(&p->out, line, len, 0, LINE_COLUMNS_MAX);
	polc_buf_puts(&p->out, "\n");
	print_carets(p, position.line > 9999 ? (unsigned)snprintf(NULL, 0, "%u", position.line) : 4,
		first, last);
}

/* Lints are shown with the name by which they are switched off. */
static bool is_lint(enum polc_code code)
{
	return code / 100 == 11 || code / 100 == 12;
}

static void print_place(struct printer *p, struct polc_span span, enum polc_severity severity,
	enum polc_code code, const char *message)
{
	struct polc_position position =
		polc_source_position(&p->polc->arena, &p->polc->sources, span.source, span.begin);

	colour(p, "\033[1m");
	if (span.source) {
		put_harmless(&p->out, polc_source_get(&p->polc->sources, span.source)->path);
		polc_buf_printf(&p->out, ":%u:%u: ", position.line, position.column);
	}
	colour(p, severity_colours[severity]);
	polc_buf_puts(&p->out, polc_severity_name(severity));
	if (code)
		polc_buf_printf(&p->out, "[POLC%04u%s%s]", (unsigned)code, is_lint(code) ? " " : "",
			is_lint(code) ? polc_code_name(code) : "");
	polc_buf_puts(&p->out, ": ");
	colour(p, "\033[0m");
	put_harmless(&p->out, message);
	polc_buf_puts(&p->out, "\n");
	if (span.source)
		print_source_line(p, span, position);
}

static void print_text(struct printer *p, const struct polc_diagnostic *d)
{
	print_place(p, d->span, d->severity, d->code, d->message);
	for (unsigned i = 0; i < d->n_related; i++)
		print_place(p, d->related[i].span, POLC_NOTE, 0, d->related[i].message);
	if (d->suggestion || d->fix) {
		polc_buf_puts(&p->out, "suggestion: ");
		put_harmless(&p->out, d->suggestion ? d->suggestion : d->fix);
		polc_buf_puts(&p->out, "\n");
	}
}

void polc_diagnostics_print_text(struct polc *polc, FILE *out, bool colour_wanted)
{
	struct printer p = {.polc = polc, .out = {.arena = &polc->arena}, .colour = colour_wanted};
	size_t n;
	const struct polc_diagnostic *const *list = polc_diagnostics_sorted(polc, &n);

	for (size_t i = 0; i < n; i++)
		if (polc_diagnostic_shown(list[i]))
			print_text(&p, list[i]);
	if (polc->n_dropped)
		polc_buf_printf(&p.out, "note: %u more are not shown\n", polc->n_dropped);
	fwrite(p.out.p ? p.out.p : "", 1, p.out.n, out);
}

/* JSON */

static void json_place(struct polc *polc, struct polc_buf *out, struct polc_span span)
{
	struct polc_position begin =
		polc_source_position(&polc->arena, &polc->sources, span.source, span.begin);
	struct polc_position end =
		polc_source_position(&polc->arena, &polc->sources, span.source, span.end);

	polc_buf_puts(out, "{\"file\":");
	polc_buf_json(out, polc_source_get(&polc->sources, span.source)->path);
	polc_buf_printf(out, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u",
		begin.line, begin.column, end.line, end.column);
}

/* ,"key":"value" */
static void json_text(struct polc_buf *out, const char *key, const char *value)
{
	polc_buf_printf(out, ",\"%s\":", key);
	if (value)
		polc_buf_json(out, value);
	else
		polc_buf_puts(out, "null");
}

static void json_related(struct polc *polc, struct polc_buf *out, const struct polc_diagnostic *d)
{
	for (unsigned i = 0; i < d->n_related; i++) {
		polc_buf_puts(out, i ? "," : "");
		json_place(polc, out, d->related[i].span);
		json_text(out, "message", d->related[i].message);
		polc_buf_puts(out, "}");
	}
}

static void json_fix(struct polc *polc, struct polc_buf *out, const struct polc_diagnostic *d)
{
	if (!d->fix) {
		polc_buf_puts(out, "null");
		return;
	}
	polc_buf_puts(out, "{\"title\":");
	polc_buf_json(out, d->fix);
	polc_buf_puts(out, ",\"edits\":[");
	for (unsigned i = 0; i < d->n_edits; i++) {
		polc_buf_puts(out, i ? "," : "");
		json_place(polc, out, d->edits[i].span);
		json_text(out, "replacement", d->edits[i].replacement);
		polc_buf_puts(out, "}");
	}
	polc_buf_puts(out, "]}");
}

static void json_diagnostic(
	struct polc *polc, struct polc_buf *out, const struct polc_diagnostic *d)
{
	json_place(polc, out, d->span);
	polc_buf_printf(out, ",\"severity\":\"%s\",\"code\":\"POLC%04u\"",
		polc_severity_name(d->severity), (unsigned)d->code);
	json_text(out, "name", polc_code_name(d->code));
	json_text(out, "message", d->message);
	json_text(out, "suggestion", d->suggestion);
	polc_buf_puts(out, ",\"fix\":");
	json_fix(polc, out, d);
	polc_buf_puts(out, ",\"related\":[");
	json_related(polc, out, d);
	polc_buf_puts(out, "]}");
}

void polc_diagnostics_print_json(struct polc *polc, FILE *out)
{
	struct polc_buf text = {.arena = &polc->arena};
	size_t n, n_shown = 0;
	const struct polc_diagnostic *const *list = polc_diagnostics_sorted(polc, &n);

	polc_buf_puts(&text, "[");
	for (size_t i = 0; i < n; i++) {
		if (!polc_diagnostic_shown(list[i]))
			continue;
		polc_buf_puts(&text, n_shown++ ? ",\n " : "");
		json_diagnostic(polc, &text, list[i]);
	}
	polc_buf_puts(&text, "]\n");
	fwrite(text.p, 1, text.n, out);
}
