/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What changes a document: formatting, fixes of diagnostics, comments that suppress them. */
#include <string.h>

#include "../frontend/layout.h"
#include "lsp.h"

static json_t *text_edit(
	const struct lsp *lsp, const struct lsp_file *file, size_t begin, size_t end, json_t *text)
{
	return json_pack("{s:o,s:o}", "range", lsp_range(lsp, file, begin, end), "newText", text);
}

/* Formatting: the whole document, but only the lines that change are sent. */

static size_t same_begin(const struct lsp_file *file, const struct polc_buf *out)
{
	size_t n = 0, line = 0;

	while (n < file->n && n < out->n && file->text[n] == out->p[n])
		if (file->text[n++] == '\n')
			line = n;
	return line;
}

static size_t same_end(const struct lsp_file *file, const struct polc_buf *out, size_t begin)
{
	size_t n = 0, line = 0;

	while (file->n - n > begin && out->n - n > begin &&
		file->text[file->n - n - 1] == out->p[out->n - n - 1]) {
		n++;
		if (file->text[file->n - n] == '\n')
			line = n - 1;
	}
	return line;
}

/* What is no YAML or no policy language is not laid out; other mistakes do not matter here. */
static bool can_be_read(const struct lsp *lsp, const struct lsp_file *file)
{
	const struct polc *polc = &lsp->analysis->polc;

	for (size_t i = 0; file->source && i < polc->diagnostics.n; i++) {
		const struct polc_diagnostic *d = polc->diagnostics.items[i];

		if (d->span.source == file->source &&
			(d->code == POLC_CODE_DSL_SYNTAX || d->code == POLC_CODE_DSL_LEXICAL ||
				d->code == POLC_CODE_YAML_SYNTAX || d->code == POLC_CODE_ENCODING))
			return false;
	}
	return true;
}

json_t *lsp_format(struct lsp *lsp, const json_t *params)
{
	struct lsp_file *file = lsp_document_read(lsp, params);
	struct polc_buf out = {.arena = &lsp->scratch};
	size_t begin, end;

	if (!file)
		return NULL;
	if (!can_be_read(lsp, file))
		return json_array();
	polc_layout_text(&lsp->scratch, lsp_is_pol(file), file->text, file->n, &out);
	if (out.n == file->n && (!out.n || !memcmp(out.p, file->text, out.n)))
		return json_array();
	begin = same_begin(file, &out);
	end = same_end(file, &out, begin);
	return json_pack(
		"[o]", text_edit(lsp, file, begin, file->n - end,
			       lsp_string_n(out.p ? out.p + begin : "", out.n - end - begin)));
}

/* Actions */

static json_t *workspace_edit(const struct lsp_file *file, json_t *edits)
{
	json_t *changes = json_object();

	json_object_set_new(changes, file->uri, edits);
	return json_pack("{s:o}", "changes", changes);
}

static void add_fix(struct lsp *lsp, const struct polc_diagnostic *d, json_t *out)
{
	json_t *changes = json_object();

	for (unsigned i = 0; i < d->n_edits; i++) {
		const struct polc_edit *edit = &d->edits[i];
		struct lsp_file *file = lsp_span_file(lsp, edit->span);
		json_t *list = file ? json_object_get(changes, file->uri) : NULL;

		if (!file || file->inventory) {
			json_decref(changes);
			return;
		}
		if (!list) {
			list = json_array();
			json_object_set_new(changes, file->uri, list);
		}
		json_array_append_new(list, text_edit(lsp, file, edit->span.begin, edit->span.end,
						    lsp_string(edit->replacement)));
	}
	json_array_append_new(
		out, json_pack("{s:o,s:s,s:b,s:{s:o}}", "title", lsp_string(d->fix), "kind",
			     "quickfix", "isPreferred", 1, "edit", "changes", changes));
}

/* A comment above the line, indented as it is. What is an error cannot be hidden. */
static void add_suppression(
	struct lsp *lsp, struct lsp_file *file, const struct polc_diagnostic *d, json_t *out)
{
	const char *name = polc_code_name(d->code);
	size_t line = d->span.begin, blanks;
	const char *comment;

	if (!d->adjustable || !name)
		return;
	while (line > 0 && file->text[line - 1] != '\n')
		line--;
	blanks = strspn(file->text + line, " \t");
	comment = polc_arena_printf(&lsp->scratch, "%.*s# polc: allow(%s) say why here\n",
		(int)blanks, file->text + line, name);
	json_array_append_new(
		out, json_pack("{s:o,s:s,s:o}", "title",
			     lsp_string(polc_arena_printf(
				     &lsp->scratch, "Suppress %s here, with a reason", name)),
			     "kind", "quickfix", "edit",
			     workspace_edit(file, json_pack("[o]", text_edit(lsp, file, line, line,
									   lsp_string(comment))))));
}

static bool touches(const struct polc_diagnostic *d, size_t begin, size_t end)
{
	return d->span.begin <= end && begin <= d->span.end;
}

json_t *lsp_code_actions(struct lsp *lsp, const json_t *params)
{
	struct lsp_file *file = lsp_document_read(lsp, params);
	const json_t *range = json_object_get(params, "range");
	const struct polc_diagnostic *const *all;
	size_t begin, end, n;
	json_t *out;

	if (!file)
		return NULL;
	lsp_analyse_all(lsp);
	out = json_array();
	begin = lsp_offset(lsp, file->text, file->n, json_object_get(range, "start"));
	end = lsp_offset(lsp, file->text, file->n, json_object_get(range, "end"));
	all = polc_diagnostics_sorted(&lsp->analysis->polc, &n);
	for (size_t i = 0; i < n; i++) {
		const struct polc_diagnostic *d = all[i];

		if (!file->source || d->span.source != file->source || !touches(d, begin, end) ||
			!polc_diagnostic_shown(d))
			continue;
		if (d->fix && d->n_edits)
			add_fix(lsp, d, out);
		add_suppression(lsp, file, d, out);
	}
	return out;
}
