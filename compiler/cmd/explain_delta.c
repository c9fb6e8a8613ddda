/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc explain --tetragon-delta`: where tracing policies mean something else than Tetragon makes
 * of them; without policies, the whole list of intentional differences.
 */
#include <stdlib.h>

#include "../ir/trace_deltas.h"
#include "explain.h"

static int compare_places(const void *a, const void *b)
{
	const struct polc_trace_delta *x = a, *y = b;

	if (x->span.source != y->span.source)
		return x->span.source < y->span.source ? -1 : 1;
	if (x->span.begin != y->span.begin)
		return x->span.begin < y->span.begin ? -1 : 1;
	/* ids are the table's own strings; several of one place come in its order */
	const struct polc_trace_difference *of_x = polc_trace_difference_find(x->id),
					   *of_y = polc_trace_difference_find(y->id);

	return (of_x > of_y) - (of_x < of_y);
}

static void print_list(void)
{
	for (size_t i = 0; i < polc_n_trace_differences; i++) {
		const struct polc_trace_difference *d = &polc_trace_differences[i];

		printf("%-3s %s: %s; Tetragon %s\n", d->id, d->title, d->polc, d->tetragon);
	}
}

static void json_list(struct polc_buf *b)
{
	polc_buf_puts(b, "[");
	for (size_t i = 0; i < polc_n_trace_differences; i++) {
		const struct polc_trace_difference *d = &polc_trace_differences[i];

		polc_buf_puts(b, i ? ",{" : "{");
		polc_buf_json_member(b, "id", d->id);
		polc_buf_json_member(b, "title", d->title);
		polc_buf_json_member(b, "polc", d->polc);
		polc_buf_puts(b, "\"tetragon\":");
		polc_buf_json(b, d->tetragon);
		polc_buf_puts(b, "}");
	}
	polc_buf_puts(b, "]\n");
}

static struct polc_position position(struct polc *polc, const struct polc_trace_delta *delta)
{
	return polc_source_position(
		&polc->arena, &polc->sources, delta->span.source, delta->span.begin);
}

static void print_one(struct polc *polc, const struct polc_trace_delta *delta)
{
	const struct polc_source *source = polc_source_get(&polc->sources, delta->span.source);

	printf("%s:%u: %s: %s\n", source->path, position(polc, delta).line, delta->id, delta->text);
}

static void json_deltas(
	struct polc *polc, const struct polc_trace_delta *deltas, size_t n, struct polc_buf *b)
{
	polc_buf_puts(b, "[");
	for (size_t i = 0; i < n; i++) {
		polc_buf_puts(b, i ? ",{" : "{");
		polc_buf_json_member(
			b, "file", polc_source_get(&polc->sources, deltas[i].span.source)->path);
		polc_buf_printf(b, "\"line\":%u,", position(polc, &deltas[i]).line);
		polc_buf_json_member(b, "id", deltas[i].id);
		polc_buf_puts(b, "\"text\":");
		polc_buf_json(b, deltas[i].text);
		polc_buf_puts(b, "}");
	}
	polc_buf_puts(b, "]\n");
}

static void print_of_policies(
	struct polc *polc, const struct polc_tracing *tracing, struct polc_buf *json)
{
	struct polc_trace_delta *sorted =
		POLC_NEW_ARRAY(&polc->arena, tracing->n_deltas + 1, struct polc_trace_delta);

	if (!tracing->n_deltas && !json)
		puts("Tetragon does the same with these policies.");
	for (size_t i = 0; i < tracing->n_deltas; i++)
		sorted[i] = tracing->deltas[i];
	qsort(sorted, tracing->n_deltas, sizeof(*sorted), compare_places);
	for (size_t i = 0; !json && i < tracing->n_deltas; i++)
		print_one(polc, &sorted[i]);
	if (json)
		json_deltas(polc, sorted, tracing->n_deltas, json);
}

int polc_explain_tetragon_delta(struct polc_cmd *cmd, bool json)
{
	struct polc_buf text = {.arena = &cmd->polc.arena};
	int exit_code = cmd->operands.n ? polc_cmd_load(cmd) : POLC_EXIT_OK;

	if (!cmd->operands.n && json)
		json_list(&text);
	else if (!cmd->operands.n)
		print_list();
	else if (exit_code == POLC_EXIT_OK)
		print_of_policies(&cmd->polc, cmd->tracing, json ? &text : NULL);
	if (text.n)
		fwrite(text.p, 1, text.n, stdout);
	polc_cmd_print_diagnostics(cmd);
	return exit_code;
}
