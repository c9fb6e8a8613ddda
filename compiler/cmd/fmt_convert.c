/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What `polc fmt` writes: a file's own spelling laid out, or the other spelling. Nothing of a
 * policy may get lost: what the tree does not hold is refused, and what was written in the DSL is
 * read again.
 */
#include "fmt.h"

#include <stdlib.h>
#include <string.h>

#include "../frontend/layout.h"
#include "../frontend/pol.h"

void polc_fmt_layout(struct polc *polc, struct polc_fmt_file *file)
{
	const struct polc_source *source = polc_source_get(&polc->sources, file->source);

	polc_layout_text(&polc->arena, file->spelling == POLC_SPELLING_POL, source->text,
		source->len, &file->out);
}

/* What cannot be converted */

static void refuse(struct polc *polc, struct polc_span span, const char *reason)
{
	polc_error(polc, span, POLC_CODE_UNSUPPORTED, "this cannot be converted: %s", reason);
}

static void refuse_unsupported(struct polc *polc, const struct polc_ast_spec *spec)
{
	if (spec->unsupported)
		refuse(polc, spec->unsupported_span, spec->unsupported);
	for (size_t i = 0; i < spec->rules.n; i++)
		if (spec->rules.items[i].unsupported)
			refuse(polc, spec->rules.items[i].unsupported_span,
				spec->rules.items[i].unsupported);
}

static void refuse_policies(struct polc *polc, const struct polc_ast *ast)
{
	for (size_t i = 0; i < ast->policies.n; i++)
		for (size_t s = 0; s < ast->policies.items[i]->specs.n; s++)
			refuse_unsupported(polc, &ast->policies.items[i]->specs.items[s]);
}

static bool holds_objects(const struct polc_inventory *inventory)
{
	return inventory->namespaces.n || inventory->nodes.n || inventory->services.n ||
	       inventory->cidr_groups.n || inventory->endpoint_sets.n;
}

static void refuse_inventory(struct polc *polc, const struct polc_fmt_file *file)
{
	const struct polc_inventory *inventory = &file->input.inventory;
	struct polc_span span = {file->source, 0, 0};

	if (file->spelling == POLC_SPELLING_POL)
		return;
	if (inventory->pods.n)
		span = inventory->pods.items[0].span;
	if (inventory->pods.n || holds_objects(inventory))
		refuse(polc, span, "the file holds objects that are no policies");
}

/* Objects of kinds that were passed over with a warning would vanish. */
static void refuse_unknown(struct polc *polc, const struct polc_fmt_file *file)
{
	for (size_t i = 0, n = polc->diagnostics.n; i < n; i++) {
		const struct polc_diagnostic *d = polc->diagnostics.items[i];

		if (d->code == POLC_CODE_UNKNOWN_KIND && d->span.source == file->source)
			refuse(polc, d->span, "the file holds objects that are no policies");
	}
}

/* Items in the order of the file */

struct item {
	uint32_t begin;
	const struct polc_ast_policy *policy; /* or */
	const struct polc_ast_tracing *tracing;
	const struct polc_pod *pod;
	const struct polc_ast_test *test;
	const struct polc_ast_assertion *assertion;
};

static int item_compare(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return (a->begin > b->begin) - (a->begin < b->begin);
}

static struct item *items_of(struct polc *polc, const struct polc_fmt_file *file, size_t *n)
{
	const struct polc_input *input = &file->input;
	struct item *items, *item;

	*n = input->ast.policies.n + input->tracings.n + input->inventory.pods.n + input->tests.n +
	     input->assertions.n;
	item = items = POLC_NEW_ARRAY(&polc->arena, *n, struct item);
	for (size_t i = 0; i < input->ast.policies.n; i++)
		*item++ = (struct item){.begin = input->ast.policies.items[i]->span.begin,
			.policy = input->ast.policies.items[i]};
	for (size_t i = 0; i < input->tracings.n; i++)
		*item++ = (struct item){.begin = input->tracings.items[i]->span.begin,
			.tracing = input->tracings.items[i]};
	for (size_t i = 0; i < input->inventory.pods.n; i++)
		*item++ = (struct item){.begin = input->inventory.pods.items[i].span.begin,
			.pod = &input->inventory.pods.items[i]};
	for (size_t i = 0; i < input->tests.n; i++)
		*item++ = (struct item){
			.begin = input->tests.items[i]->span.begin, .test = input->tests.items[i]};
	for (size_t i = 0; i < input->assertions.n; i++)
		*item++ = (struct item){.begin = input->assertions.items[i]->span.begin,
			.assertion = input->assertions.items[i]};
	if (*n)
		qsort(items, *n, sizeof(*items), item_compare);
	return items;
}

static void comments_of(struct polc *polc, const struct polc_fmt_file *file,
	const struct item *items, size_t n, struct polc_comments *out)
{
	const struct polc_source *source = polc_source_get(&polc->sources, file->source);
	uint32_t *begins = POLC_NEW_ARRAY(&polc->arena, n, uint32_t);

	for (size_t i = 0; i < n; i++)
		begins[i] = items[i].begin;
	if (file->spelling == POLC_SPELLING_POL)
		polc_pol_comments(&polc->arena, source->text, source->len, out);
	else
		polc_yaml_comments(&polc->arena, source->text, begins, n, out);
}

static void write_comments(
	struct polc_buf *out, const struct polc_comments *comments, const struct item *item)
{
	for (size_t i = 0; i < comments->list.n; i++)
		if (comments->list.items[i].begin == item->begin)
			polc_buf_puts(out, comments->list.items[i].text);
}

static void write_item(struct polc_buf *out, const struct item *item, enum polc_spelling to)
{
	if (item->policy)
		(to == POLC_SPELLING_POL ? polc_pol_write_policy : polc_yaml_write_policy)(
			out, item->policy);
	else if (item->tracing)
		(to == POLC_SPELLING_POL ? polc_tracing_print_pol : polc_tracing_print_yaml)(
			item->tracing, out);
	else if (item->test)
		(to == POLC_SPELLING_POL ? polc_pol_write_test : polc_yaml_write_test)(
			out, item->test);
	else if (item->assertion)
		(to == POLC_SPELLING_POL ? polc_pol_write_assertion : polc_yaml_write_assertion)(
			out, item->assertion);
	else
		(to == POLC_SPELLING_POL ? polc_pol_write_endpoint : polc_yaml_write_endpoint)(
			out, item->pod);
}

static void print_all(const struct polc_input *input, struct polc_buf *out)
{
	polc_ast_print_yaml(&input->ast, out);
	for (size_t i = 0; i < input->tracings.n; i++)
		polc_tracing_print_yaml(input->tracings.items[i], out);
	for (size_t i = 0; i < input->tests.n; i++)
		polc_yaml_write_test(out, input->tests.items[i]);
	for (size_t i = 0; i < input->assertions.n; i++)
		polc_yaml_write_assertion(out, input->assertions.items[i]);
}

/* Reads what was written again: it must mean the same. A difference is reported, not written. */
static void check_written(struct polc *polc, const struct polc_fmt_file *file)
{
	struct polc_buf before = {.arena = &polc->arena}, after = {.arena = &polc->arena};
	struct polc_input again = {0};
	struct polc scratch;

	polc_init(&scratch);
	polc_parse_pol(&scratch, &again,
		polc_source_add(
			&scratch.arena, &scratch.sources, "written", file->out.p, file->out.n));
	print_all(&file->input, &before);
	print_all(&again, &after);
	if (scratch.n_errors)
		refuse(polc, (struct polc_span){file->source, 0, 0},
			polc_arena_printf(
				&polc->arena, "%s", scratch.diagnostics.items[0]->message));
	else if (before.n != after.n || memcmp(before.p, after.p, before.n) != 0)
		POLC_BUG("fmt: the written policies differ from those that were read");
	polc_free(&scratch);
}

size_t polc_fmt_convert(struct polc *polc, struct polc_fmt_file *file)
{
	bool to_pol = file->spelling == POLC_SPELLING_YAML;
	struct polc_buf raw = {.arena = &polc->arena};
	struct polc_comments comments = {0};
	unsigned errors = polc->n_errors;
	size_t n;
	struct item *items = items_of(polc, file, &n);

	refuse_policies(polc, &file->input.ast);
	for (size_t i = 0; i < file->input.tests.n; i++)
		refuse_policies(polc, &file->input.tests.items[i]->inside->ast);
	refuse_inventory(polc, file);
	refuse_unknown(polc, file);
	if (polc->n_errors != errors)
		return 0;
	comments_of(polc, file, items, n, &comments);
	for (size_t i = 0; i < n; i++) {
		polc_buf_puts(&raw, i > 0 && !to_pol ? "---\n" : "");
		write_comments(&raw, &comments, &items[i]);
		write_item(&raw, &items[i], to_pol ? POLC_SPELLING_POL : POLC_SPELLING_YAML);
	}
	polc_buf_puts(&raw, comments.rest);
	if (to_pol) {
		pol_layout(raw.p ? raw.p : "", raw.n, &file->out);
		check_written(polc, file);
	} else {
		file->out = raw;
	}
	return comments.n_inside;
}
