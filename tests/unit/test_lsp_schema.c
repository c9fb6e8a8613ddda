/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The language server's tables of fields say what the front end reads: every field of theirs is
 * known to the readers at its place, and every field of tracing policies is in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/frontend/tracing_fields.h"
#include "compiler/lsp/lsp.h"

typedef POLC_VEC(const struct lsp_field *) path;

static void print_value(struct polc_buf *out, const path *p, size_t at)
{
	const struct lsp_field *field;

	if (at == p->n) {
		polc_buf_puts(out, "null");
		return;
	}
	field = p->items[at];
	if (at && p->items[at - 1]->values == LSP_VALUES_MACROS)
		polc_buf_puts(out, "{m: ");
	polc_buf_printf(out, "{%s: %s", field->name, field->list && at + 1 < p->n ? "[" : "");
	print_value(out, p, at + 1);
	polc_buf_puts(out, field->list && at + 1 < p->n ? "]}" : "}");
	if (at && p->items[at - 1]->values == LSP_VALUES_MACROS)
		polc_buf_puts(out, "}");
}

/* An object that says nothing but this field; the reader must not call the field unknown. */
static void check_path(const struct lsp_kind *kind, const path *p)
{
	struct polc_input input = {0};
	struct polc polc;

	if (p->n < 2 || strcmp(p->items[0]->name, "spec"))
		return;
	polc_init(&polc);
	struct polc_buf text = {.arena = &polc.arena};

	polc_buf_printf(&text, "apiVersion: %s\nkind: %s\nmetadata: {name: x}\nspec: ", kind->api,
		kind->name);
	print_value(&text, p, 1);
	polc_buf_puts(&text, "\n");
	polc_read_text(&polc, &input, "x.yaml", text.p, text.n);
	for (size_t i = 0; i < polc.diagnostics.n; i++)
		if (polc.diagnostics.items[i]->code == POLC_CODE_UNKNOWN_FIELD)
			fail_msg("%s: %s", text.p, polc.diagnostics.items[i]->message);
	polc_free(&polc);
}

static void walk(struct polc_arena *arena, const struct lsp_kind *kind,
	const struct lsp_shape *shape, path *p)
{
	for (size_t i = 0; shape && i < shape->n; i++) {
		*polc_vec_push(arena, p) = &shape->fields[i];
		check_path(kind, p);
		walk(arena, kind, shape->fields[i].below, p);
		p->n--;
	}
}

static void fields_are_read(void **state)
{
	struct polc_arena arena = {0};

	(void)state;
	for (size_t i = 0; i < lsp_n_kinds; i++) {
		path p = {0};

		walk(&arena, &lsp_kinds[i], lsp_kinds[i].shape, &p);
	}
	polc_arena_free(&arena);
}

static void has_all(const struct lsp_shape *shape, const struct polc_trace_table *table)
{
	assert_non_null(shape);
	for (size_t i = 0; i < table->n; i++)
		if (!lsp_shape_find(shape, table->fields[i].name))
			fail_msg("%s: no '%s'", table->what, table->fields[i].name);
}

static const struct lsp_shape *below(const struct lsp_shape *shape, const char *name)
{
	const struct lsp_field *field = lsp_shape_find(shape, name);

	return field ? field->below : NULL;
}

static void tracing_fields_are_there(void **state)
{
	const struct lsp_shape *selector = below(below(&lsp_trace_spec, "kprobes"), "selectors");

	(void)state;
	for (int i = 0; i < POLC_N_SECTIONS; i++)
		has_all(below(&lsp_trace_spec, polc_trace_section_names[i]),
			&polc_trace_hook_tables[i]);
	has_all(selector, &polc_trace_selector_table);
	for (int i = 0; i < POLC_N_FILTERS; i++)
		has_all(below(selector, polc_trace_filter_names[i]), &polc_trace_filter_tables[i]);
	has_all(below(selector, "matchActions"), &polc_trace_action_table);
	has_all(below(below(&lsp_trace_spec, "kprobes"), "args"), &polc_trace_arg_table);
	has_all(below(&lsp_trace_spec, "lists"), &polc_trace_list_table);
	has_all(below(&lsp_trace_spec, "options"), &polc_trace_option_table);
}

static void texts_are_sentences(void **state)
{
	const struct lsp_shape *shapes[] = {&lsp_trace_spec, &lsp_label_selector};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(shapes); i++)
		for (size_t j = 0; j < shapes[i]->n; j++) {
			const char *doc = shapes[i]->fields[j].doc;

			assert_non_null(doc);
			assert_true(doc[strlen(doc) - 1] == '.');
		}
	assert_non_null(lsp_code_text(POLC_CODE_UNKNOWN_FIELD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read),
		cmocka_unit_test(tracing_fields_are_there),
		cmocka_unit_test(texts_are_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
