/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the files mean: all are read anew after a change (a thousand policies take some tens of
 * milliseconds), as `polc check` reads them, and the diagnostics are sent.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../backend/plan.h"
#include "lsp.h"

/* Open documents count when they look like an object; those on disk were chosen when read. */
static bool is_policy_file(const struct lsp_file *file)
{
	if (file->inventory)
		return false;
	if (file->found || lsp_is_pol(file))
		return file->n > 0;
	return file->open && file->n && memmem(file->text, file->n, "kind", 4) &&
	       memmem(file->text, file->n, "apiVersion", 10);
}

static int by_path(const void *left, const void *right)
{
	const struct lsp_file *const *a = left, *const *b = right;

	return strcmp((*a)->shown, (*b)->shown);
}

/* The next source is this file. */
static void note_source(struct lsp_analysis *a, struct lsp_file *file)
{
	uint32_t source = (uint32_t)a->polc.sources.list.n;

	while (a->sources.n <= source)
		*polc_vec_push(&a->polc.arena, &a->sources) = NULL;
	a->sources.items[source] = file;
	file->source = source;
}

static void read_files(struct lsp *lsp, struct lsp_analysis *a)
{
	for (size_t i = 0; i < lsp->files.n; i++)
		lsp->files.items[i]->source = 0;
	for (size_t i = 0; i < lsp->files.n; i++) {
		struct lsp_file *file = lsp->files.items[i];

		if (!file->inventory)
			continue;
		note_source(a, file);
		polc_read_inventory_text(&a->polc, &a->input, file->shown, file->text, file->n);
	}
	for (size_t i = 0; i < lsp->files.n; i++) {
		struct lsp_file *file = lsp->files.items[i];

		if (!is_policy_file(file))
			continue;
		note_source(a, file);
		polc_read_text(&a->polc, &a->input, file->shown, file->text, file->n);
	}
	polc_read_finish(&a->polc, &a->input);
}

/* Plans report the limits that a build would hit; input with errors has none. */
static void plan(struct lsp_analysis *a)
{
	if (a->polc.n_errors)
		return;
	polc_plan_build(&a->polc, a->network, a->identities);
	if (!a->polc.n_errors)
		polc_plan_tracing(&a->polc, a->tracing, &a->tracing_options);
}

/* What only advises, or takes its time: warnings, lints, assertions. */
static void advise(const struct polc_lsp_options *options, struct lsp_analysis *a)
{
	const struct polc_lint_context context = {
		.polc = &a->polc,
		.input = &a->input,
		.network = polc_network_view(&a->polc.arena, a->network, POLC_VIEW_ALL),
		.identities = a->identities,
		.tracing = a->tracing,
		.tracing_options = &a->tracing_options,
		.cluster_name = options->lowering.cluster_name,
		.has_inventory = a->input.inventory.given && a->input.inventory.pods.n,
	};
	struct polc_lsp_world world = {
		&a->polc, &a->input, a->network, a->identities, a->tracing, &a->tracing_options};

	if (!a->polc.n_errors && options->check)
		options->check(options->data, &world);
	polc_lint(&context);
	polc_suppress(&a->polc, &context, !a->polc.n_errors);
	polc_diagnostics_settle(&a->polc, true);
}

void lsp_analysis_free(struct lsp_analysis *a)
{
	if (!a)
		return;
	polc_free(&a->polc);
	free(a);
}

void lsp_analyse(struct lsp *lsp)
{
	const struct polc_lower_options *options = &lsp->options->lowering;
	struct lsp_analysis *a;

	if (!lsp->stale && lsp->analysis)
		return;
	a = calloc(1, sizeof(*a));
	if (!a) {
		polc_environment_error("out of memory");
		exit(POLC_EXIT_ENVIRONMENT);
	}
	lsp_analysis_free(lsp->analysis);
	lsp->analysis = a;
	lsp->stale = false;
	polc_init(&a->polc);
	a->polc.levels = lsp->options->levels;
	if (lsp->files.n)
		qsort(lsp->files.items, lsp->files.n, sizeof(*lsp->files.items), by_path);
	a->tracing_options = lsp->targets;
	read_files(lsp, a);
	a->network = polc_lower_network(&a->polc, &a->input, options);
	a->identities = polc_identities_build(&a->polc, &a->input.inventory, options->cluster_name);
	a->tracing = polc_lower_tracing(&a->polc, &a->input, &a->tracing_options);
	plan(a);
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void lsp_analyse_all(struct lsp *lsp)
{
	long begin = milliseconds();

	lsp_analyse(lsp);
	if (lsp->analysis->complete)
		return;
	advise(lsp->options, lsp->analysis);
	lsp->analysis->complete = true;
	lsp->advice_ms = milliseconds() - begin;
}

/* Places */

struct lsp_file *lsp_span_file(const struct lsp *lsp, struct polc_span span)
{
	const struct lsp_analysis *a = lsp->analysis;

	return a && span.source < a->sources.n ? a->sources.items[span.source] : NULL;
}

json_t *lsp_span_range(const struct lsp *lsp, struct polc_span span)
{
	const struct lsp_file *file = lsp_span_file(lsp, span);

	return file ? lsp_range(lsp, file, span.begin, span.end) : NULL;
}

json_t *lsp_location(const struct lsp *lsp, struct polc_span span)
{
	const struct lsp_file *file = lsp_span_file(lsp, span);

	if (!file)
		return NULL;
	return json_pack(
		"{s:o,s:o}", "uri", lsp_string(file->uri), "range", lsp_span_range(lsp, span));
}

/* Diagnostics */

static int severity_number(enum polc_severity severity)
{
	switch (severity) {
	case POLC_ERROR:
		return 1;
	case POLC_WARNING:
		return 2;
	case POLC_NOTE:
	case POLC_OFF:
		return 3;
	}
	return 1;
}

/* What has no effect is shown faded, what is gone struck through. */
static json_t *tags_of(enum polc_code code)
{
	bool unnecessary = code == POLC_CODE_IGNORED_FIELD || code == POLC_CODE_NO_EFFECT ||
			   code == POLC_CODE_SHADOWED_RULE || code == POLC_CODE_REDUNDANT_RULE ||
			   code == POLC_CODE_UNREACHABLE_SELECTOR ||
			   code == POLC_CODE_UNUSED_SUPPRESSION;

	if (unnecessary)
		return json_pack("[i]", 1);
	return code == POLC_CODE_REMOVED_FEATURE ? json_pack("[i]", 2) : NULL;
}

static json_t *related_of(const struct lsp *lsp, const struct polc_diagnostic *d)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < d->n_related; i++) {
		json_t *location = lsp_location(lsp, d->related[i].span);

		if (location)
			json_array_append_new(
				list, json_pack("{s:o,s:o}", "location", location, "message",
					      lsp_string(d->related[i].message)));
	}
	return list;
}

static json_t *message_of(struct lsp *lsp, const struct polc_diagnostic *d)
{
	if (!d->suggestion)
		return lsp_string(d->message);
	return lsp_string(polc_arena_printf(&lsp->scratch, "%s\n%s", d->message, d->suggestion));
}

static json_t *diagnostic_json(struct lsp *lsp, const struct polc_diagnostic *d)
{
	json_t *tags = tags_of(d->code);
	json_t *out = json_pack("{s:o,s:i,s:o,s:s,s:o,s:o}", "range", lsp_span_range(lsp, d->span),
		"severity", severity_number(d->severity), "code",
		lsp_string(polc_arena_printf(&lsp->scratch, "POLC%04d", (int)d->code)), "source",
		"polc", "message", message_of(lsp, d), "relatedInformation", related_of(lsp, d));

	if (tags)
		json_object_set_new(out, "tags", tags);
	return out;
}

/*
 * An editor shows files that also hold other objects; that polc does not read those is no news
 * there. A file without a policy may get its policy next.
 */
static bool is_shown(const struct lsp *lsp, const struct polc_diagnostic *d)
{
	const struct lsp_file *file = lsp_span_file(lsp, d->span);

	if (!file || !polc_diagnostic_shown(d) || (file->inventory && !file->open))
		return false;
	if (!lsp->analysis->complete && d->adjustable)
		return false;
	return !(d->code == POLC_CODE_UNKNOWN_KIND && d->severity != POLC_ERROR);
}

/* For each source the list that the client is sent. */
static json_t **diagnostics_by_source(struct lsp *lsp)
{
	struct lsp_analysis *a = lsp->analysis;
	json_t **lists = POLC_NEW_ARRAY(&lsp->scratch, a->sources.n + 1, json_t *);
	size_t n;
	const struct polc_diagnostic *const *all = polc_diagnostics_sorted(&a->polc, &n);

	for (size_t i = 0; i < n; i++) {
		const struct polc_diagnostic *d = all[i];

		if (!is_shown(lsp, d))
			continue;
		if (!lists[d->span.source])
			lists[d->span.source] = json_array();
		json_array_append_new(lists[d->span.source], diagnostic_json(lsp, d));
	}
	return lists;
}

/* Diagnostics that the client has already are sent again only where the text moved under them. */
static void send_list(struct lsp_file *file, json_t *list)
{
	char *text = json_dumps(list, JSON_COMPACT);
	bool known =
		file->published ? text && !strcmp(text, file->published) : !json_array_size(list);
	json_t *params;

	if (known && !(file->open && file->changed)) {
		free(text);
		json_decref(list);
		return;
	}
	free(file->published);
	file->published = text;
	file->changed = false;
	if (!json_array_size(list)) {
		free(file->published);
		file->published = NULL;
	}
	params = json_pack("{s:o,s:o}", "uri", lsp_string(file->uri), "diagnostics", list);
	if (file->open)
		json_object_set_new(params, "version", json_integer(file->version));
	lsp_notify("textDocument/publishDiagnostics", params);
}

/* Errors alone, of documents that were edited, where they are others than before. */
static void send_errors(struct lsp_file *file, json_t *list)
{
	bool shows_errors = file->published && strstr(file->published, "\"severity\":1");

	if (file->open && file->changed && (json_array_size(list) || shows_errors))
		send_list(file, list);
	else
		json_decref(list);
}

void lsp_publish(struct lsp *lsp)
{
	bool complete = lsp->advice_ms <= LSP_ADVICE_AT_ONCE_MS || !lsp->stale;
	json_t **lists;

	if (complete)
		lsp_analyse_all(lsp);
	else
		lsp_analyse(lsp);
	lists = diagnostics_by_source(lsp);
	for (size_t i = 0; i < lsp->files.n; i++) {
		struct lsp_file *file = lsp->files.items[i];
		json_t *list = file->source ? lists[file->source] : NULL;

		(complete ? send_list : send_errors)(file, list ? list : json_array());
	}
	if (complete)
		lsp_files_sweep(lsp);
}
