/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Applying fixes: see fix.h. */
#include "fix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"

typedef POLC_VEC(const struct polc_edit *) edit_list;

/* Two insertions at one place overlap too: their order would be a guess. */
static bool overlap(struct polc_span a, struct polc_span b)
{
	if (a.source != b.source)
		return false;
	if (a.begin == b.begin)
		return true;
	return a.begin < b.begin ? b.begin < a.end : a.begin < b.end;
}

static bool is_free(const edit_list *taken, const struct polc_edit *edit)
{
	for (size_t i = 0; i < taken->n; i++)
		if (overlap(taken->items[i]->span, edit->span))
			return false;
	return true;
}

/* Of a file, and its first source: it may be named twice on the command line. */
static bool is_writable(const struct polc *polc, uint32_t number)
{
	const char *file = polc_source_get(&polc->sources, number)->file;

	for (uint32_t i = 1; file && i < number; i++) {
		const char *other = polc_source_get(&polc->sources, i)->file;

		if (other && !strcmp(other, file))
			return false;
	}
	return file;
}

static bool applies(
	const struct polc *polc, const edit_list *taken, const struct polc_diagnostic *d)
{
	if (!d->fix || !d->n_edits || !polc_diagnostic_shown(d))
		return false;
	for (unsigned i = 0; i < d->n_edits; i++)
		if (!is_writable(polc, d->edits[i].span.source) || !is_free(taken, &d->edits[i]))
			return false;
	return true;
}

static int compare_edits(const void *left, const void *right)
{
	const struct polc_edit *a = *(const struct polc_edit *const *)left;
	const struct polc_edit *b = *(const struct polc_edit *const *)right;

	if (a->span.source != b->span.source)
		return a->span.source < b->span.source ? -1 : 1;
	return (a->span.begin > b->span.begin) - (a->span.begin < b->span.begin);
}

void polc_fix_text(const struct polc_source *source, const struct polc_edit *const *edits, size_t n,
	struct polc_buf *out)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		polc_buf_add(out, source->text + at, edits[i]->span.begin - at);
		polc_buf_puts(out, edits[i]->replacement);
		at = edits[i]->span.end;
	}
	polc_buf_add(out, source->text + at, source->len - at);
}

/* With the permissions that it had. */
static int replace(const char *path, const struct polc_buf *text)
{
	struct stat info;
	bool known = !stat(path, &info);
	int result = polc_cmd_write_file(path, text->p, text->n);

	if (!result && known && chmod(path, info.st_mode & 07777) < 0)
		polc_environment_error(
			"cannot set the permissions of %s: %s", path, strerror(errno));
	return result;
}

static int write_files(struct polc *polc, const edit_list *edits, struct polc_fixed *fixed)
{
	size_t n;

	for (size_t i = 0; i < edits->n; i += n) {
		uint32_t number = edits->items[i]->span.source;
		const struct polc_source *source = polc_source_get(&polc->sources, number);
		struct polc_buf text = {.arena = &polc->arena};
		char *target;
		int result;

		for (n = 1; i + n < edits->n && edits->items[i + n]->span.source == number;)
			n++;
		polc_fix_text(source, edits->items + i, n, &text);
		/* the file behind a link, not the link, is replaced */
		target = realpath(source->file, NULL);
		result = replace(target ? target : source->file, &text);
		free(target);
		if (result < 0)
			return result;
		fixed->n_files++;
	}
	return 0;
}

int polc_fix_apply(struct polc *polc, struct polc_fixed *fixed)
{
	edit_list edits = {0};
	size_t n;
	const struct polc_diagnostic *const *list = polc_diagnostics_sorted(polc, &n);

	*fixed = (struct polc_fixed){0};
	for (size_t i = 0; i < n; i++) {
		if (!applies(polc, &edits, list[i]))
			continue;
		for (unsigned k = 0; k < list[i]->n_edits; k++)
			*polc_vec_push(&polc->arena, &edits) = &list[i]->edits[k];
		fixed->n_fixes++;
	}
	if (edits.n)
		qsort(edits.items, edits.n, sizeof(*edits.items), compare_edits);
	return write_files(polc, &edits, fixed);
}
