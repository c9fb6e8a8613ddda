/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Diagnostics: collecting them, and their order. */
#include "diagnostic.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 20000 /* a hostile file must not fill the memory with complaints */

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

struct polc_diagnostic *polc_report(struct polc *polc, enum polc_severity severity,
	struct polc_span span, enum polc_code code, const char *message)
{
	struct polc_diagnostic *d = POLC_NEW(&polc->arena, struct polc_diagnostic);

	*d = (struct polc_diagnostic){.severity = severity,
		.code = code,
		.span = span,
		.message = message,
		.adjustable = severity != POLC_ERROR};
	polc->n_errors += severity == POLC_ERROR;
	polc->n_warnings += severity == POLC_WARNING;
	if (severity == POLC_OFF)
		return d;
	if (polc->diagnostics.n < KEPT_MAX)
		*polc_vec_push(&polc->arena, &polc->diagnostics) = d;
	else
		polc->n_dropped++;
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
	return polc_report(polc, POLC_ERROR, span, code, message);
}

struct polc_diagnostic *polc_warn(
	struct polc *polc, struct polc_span span, enum polc_code code, const char *fmt, ...)
{
	char *message;
	va_list ap;

	va_start(ap, fmt);
	message = polc_arena_vprintf(&polc->arena, fmt, ap);
	va_end(ap);
	return polc_report(polc, POLC_WARNING, span, code, message);
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

void polc_diagnostic_fix(struct polc *polc, struct polc_diagnostic *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->fix = polc_arena_vprintf(&polc->arena, fmt, ap);
	va_end(ap);
}

void polc_diagnostic_edit(
	struct polc *polc, struct polc_diagnostic *d, struct polc_span span, const char *fmt, ...)
{
	va_list ap;

	if (d->n_edits == POLC_ARRAY_SIZE(d->edits)) {
		d->fix = NULL;
		return;
	}
	va_start(ap, fmt);
	d->edits[d->n_edits++] =
		(struct polc_edit){span, polc_arena_vprintf(&polc->arena, fmt, ap)};
	va_end(ap);
}

void polc_diagnostic_replace(struct polc *polc, struct polc_diagnostic *d, const char *text)
{
	polc_diagnostic_fix(polc, d, "replace it with %s", text);
	polc_diagnostic_edit(polc, d, d->span, "%s", text);
}

void polc_diagnostic_did_you_mean(struct polc *polc, struct polc_diagnostic *d, const char *text)
{
	polc_diagnostic_suggest(polc, d, "did you mean \"%s\"?", text);
	polc_diagnostic_replace(polc, d, text);
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

const struct polc_diagnostic *const *polc_diagnostics_sorted(struct polc *polc, size_t *n_out)
{
	size_t n = polc->diagnostics.n, kept = 0;
	struct ordered *list = POLC_NEW_ARRAY(&polc->arena, n, struct ordered);
	const struct polc_diagnostic **out =
		POLC_NEW_ARRAY(&polc->arena, n, const struct polc_diagnostic *);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct ordered){polc->diagnostics.items[i], i};
	if (n)
		qsort(list, n, sizeof(*list), compare_ordered);
	for (size_t i = 0; i < n; i++)
		if (list[i].d->severity != POLC_OFF && !repeated(list, kept, list[i].d))
			list[kept++] = list[i];
	for (size_t i = 0; i < kept; i++)
		out[i] = list[i].d;
	*n_out = kept;
	return out;
}
