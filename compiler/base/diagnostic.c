/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Diagnostics: collecting them, and printing them as text with source lines and carets or as JSON.
 * What comes from the input is made harmless for a terminal before it is printed.
 */
#include "diagnostic.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 20000       /* a hostile file must not fill the memory with complaints */
#define LINE_COLUMNS_MAX 160 /* longer source lines are shown in part */
#define LINE_CONTEXT 40      /* columns shown before the place in such a line */
#define TAB_COLUMNS 8

static const char *const severity_names[] = {"error", "warning", "note"};
static const char *const severity_colours[] = {"\033[1;31m", "\033[1;35m", "\033[1;36m"};

void polc_init(struct polc *polc)
{
	*polc = (struct polc){0};
	*polc_vec_push(&polc->arena, &polc->sources.list) =
		(struct polc_source){.path = "", .text = ""};
}

void polc_free(struct polc *polc)
{
	polc_arena_free(&polc->arena);
	*polc = (struct polc){0};
}

static struct polc_diagnostic *report(struct polc *polc, enum polc_severity severity,
	struct polc_span span, enum polc_code code, const char *message)
{
	struct polc_diagnostic *d = POLC_NEW(&polc->arena, struct polc_diagnostic);

	*d = (struct polc_diagnostic){
		.severity = severity, .code = code, .span = span, .message = message};
	if (polc->diagnostics.n < KEPT_MAX)
		*polc_vec_push(&polc->arena, &polc->diagnostics) = d;
	return d;
}

struct polc_diagnostic *polc_error(
	struct polc *polc, struct polc_span span, enum polc_code code, const char *fmt, ...)
{
	char *message;
	va_list ap;

	va_start(ap, fmt);
	message = polc_arena_vprintf(&polc->arena, fmt, ap);
	va_end(ap);
	polc->n_errors++;
	return report(polc, POLC_ERROR, span, code, message);
}

struct polc_diagnostic *polc_warn(
	struct polc *polc, struct polc_span span, enum polc_code code, const char *fmt, ...)
{
	char *message;
	va_list ap;

	va_start(ap, fmt);
	message = polc_arena_vprintf(&polc->arena, fmt, ap);
	va_end(ap);
	polc->n_warnings++;
	return report(polc, POLC_WARNING, span, code, message);
}

void polc_diagnostic_relate(
	struct polc *polc, struct polc_diagnostic *d, struct polc_span span, const char *fmt, ...)
{
	struct polc_related *related;
	va_list ap;

	if (d->n_related == POLC_ARRAY_SIZE(d->related))
		return;
	related = &d->related[d->n_related++];
	related->span = span;
	va_start(ap, fmt);
	related->message = polc_arena_vprintf(&polc->arena, fmt, ap);
	va_end(ap);
}

void polc_diagnostic_suggest(struct polc *polc, struct polc_diagnostic *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->suggestion = polc_arena_vprintf(&polc->arena, fmt, ap);
	va_end(ap);
}

void polc_environment_error(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("polc: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Order and duplicates */

struct ordered {
	const struct polc_diagnostic *d;
	size_t index;
};

static int compare_places(const struct polc_diagnostic *a, const struct polc_diagnostic *b)
{
	if (a->span.source != b->span.source)
		return a->span.source < b->span.source ? -1 : 1;
	return (a->span.begin > b->span.begin) - (a->span.begin < b->span.begin);
}

static int compare_ordered(const void *left, const void *right)
{
	const struct ordered *a = left, *b = right;
	int order = compare_places(a->d, b->d);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static bool same(const struct polc_diagnostic *a, const struct polc_diagnostic *b)
{
	return a->severity == b->severity && a->code == b->code && a->span.end == b->span.end &&
	       !strcmp(a->message, b->message);
}

/* Is list[n] the same as one of those before it at the same place? */
static bool repeated(const struct ordered *list, size_t n, const struct polc_diagnostic *d)
{
	while (n-- && !compare_places(list[n].d, d))
		if (same(list[n].d, d))
			return true;
	return false;
}

/* All diagnostics by place, then in the order of report; repetitions left out. */
static struct ordered *in_order(struct polc *polc, size_t *n_out)
{
	size_t n = polc->diagnostics.n, kept = 0;
	struct ordered *list = POLC_NEW_ARRAY(&polc->arena, n, struct ordered);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct ordered){polc->diagnostics.items[i], i};
	if (n)
		qsort(list, n, sizeof(*list), compare_ordered);
	for (size_t i = 0; i < n; i++)
		if (!repeated(list, kept, list[i].d))
			list[kept++] = list[i];
	*n_out = kept;
	return list;
}

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
	polc_buf_puts(&p->out, severity_names[severity]);
	if (code)
		polc_buf_printf(&p->out, "[POLC%04u]", (unsigned)code);
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
	if (d->suggestion) {
		polc_buf_puts(&p->out, "suggestion: ");
		put_harmless(&p->out, d->suggestion);
		polc_buf_puts(&p->out, "\n");
	}
}

void polc_diagnostics_print_text(struct polc *polc, FILE *out, bool colour_wanted)
{
	struct printer p = {.polc = polc, .out = {.arena = &polc->arena}, .colour = colour_wanted};
	size_t n, reported = (size_t)polc->n_errors + polc->n_warnings;
	const struct ordered *list = in_order(polc, &n);

	for (size_t i = 0; i < n; i++)
		print_text(&p, list[i].d);
	if (reported > polc->diagnostics.n)
		polc_buf_printf(
			&p.out, "note: %zu more are not shown\n", reported - polc->diagnostics.n);
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

static void json_diagnostic(
	struct polc *polc, struct polc_buf *out, const struct polc_diagnostic *d)
{
	json_place(polc, out, d->span);
	polc_buf_printf(out, ",\"severity\":\"%s\",\"code\":\"POLC%04u\",\"message\":",
		severity_names[d->severity], (unsigned)d->code);
	polc_buf_json(out, d->message);
	polc_buf_puts(out, ",\"suggestion\":");
	if (d->suggestion)
		polc_buf_json(out, d->suggestion);
	else
		polc_buf_puts(out, "null");
	polc_buf_puts(out, ",\"related\":[");
	for (unsigned i = 0; i < d->n_related; i++) {
		polc_buf_puts(out, i ? "," : "");
		json_place(polc, out, d->related[i].span);
		polc_buf_puts(out, ",\"message\":");
		polc_buf_json(out, d->related[i].message);
		polc_buf_puts(out, "}");
	}
	polc_buf_puts(out, "]}");
}

void polc_diagnostics_print_json(struct polc *polc, FILE *out)
{
	struct polc_buf text = {.arena = &polc->arena};
	size_t n;
	const struct ordered *list = in_order(polc, &n);

	polc_buf_puts(&text, "[");
	for (size_t i = 0; i < n; i++) {
		polc_buf_puts(&text, i ? ",\n " : "");
		json_diagnostic(polc, &text, list[i].d);
	}
	polc_buf_puts(&text, "]\n");
	fwrite(text.p, 1, text.n, out);
}
