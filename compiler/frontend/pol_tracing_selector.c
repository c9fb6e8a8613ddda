/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Selectors of tracing blocks: the tests that must hold. Their actions are in pol_tracing_hook.c.
 */
#include "pol.h"
#include "tracing_read.h"

#include <stdlib.h>
#include <string.h>

#include "pol_parser.h"

void pol_trace_selector_open(struct pol_parser *p, struct polc_span span)
{
	p->selector = POLC_NEW(&p->polc->arena, struct polc_ast_trace_selector);
	p->selector->span = span;
	p->actions = &p->selector->actions;
}

void pol_trace_selector_close(struct pol_parser *p)
{
	*polc_vec_push(&p->polc->arena, &p->hook->selectors) = *p->selector;
}

void pol_trace_label(struct pol_parser *p, const struct pol_token *label)
{
	p->selector->label = pol_trace_text(p, label);
}

void pol_trace_use(struct pol_parser *p, const struct pol_token *macro)
{
	*polc_vec_push(&p->polc->arena, &p->selector->macros) = pol_trace_text(p, macro);
}

/* What a test is about */

void pol_trace_filter(struct pol_parser *p, enum polc_trace_filter_kind kind)
{
	p->filter = POLC_NEW(&p->polc->arena, struct polc_ast_filter);
	p->filter->kind = kind;
	if (kind == POLC_FILTER_CAPABILITIES || kind == POLC_FILTER_CAPABILITY_CHANGES)
		p->filter->type = (struct polc_ast_text){"Effective", 9, p->last->span};
}

static void set_position(struct pol_parser *p, enum polc_trace_filter_kind kind, int64_t index,
	struct polc_span span)
{
	pol_trace_filter(p, kind);
	p->filter->index = (struct polc_ast_number){.value = index, .written = true, .span = span};
}

/* argN and dataN. */
static bool read_position(struct pol_parser *p, const struct pol_token *word)
{
	bool data = !strncmp(word->text, "data", 4);
	const char *digits = word->text + (data ? 4 : 3);

	if (word->kind != POL_T_WORD || (!data && strncmp(word->text, "arg", 3)))
		return false;
	if (!*digits || strlen(digits) > 9 || digits[strspn(digits, "0123456789")])
		return false;
	set_position(p, data ? POLC_FILTER_DATA : POLC_FILTER_ARGS, atoll(digits), word->span);
	return true;
}

static bool is_alone(const polc_ast_trace_args *args, int64_t index)
{
	size_t n = 0;

	for (size_t i = 0; i < args->n; i++)
		n += args->items[i].index.value == index;
	return n == 1;
}

/* By its number where that is clear, else by its place among the arguments. */
static void set_argument(
	struct pol_parser *p, const polc_ast_trace_args *args, size_t i, struct polc_span span)
{
	int64_t index = args->items[i].index.value;

	set_position(p, POLC_FILTER_ARGS, index, span);
	if (is_alone(args, index))
		return;
	p->filter->index = (struct polc_ast_number){0};
	*polc_vec_push(&p->polc->arena, &p->filter->args) =
		(struct polc_ast_number){.value = (int64_t)i, .written = true, .span = span};
}

static bool read_label(struct pol_parser *p, const struct pol_token *word)
{
	for (size_t i = 0; p->hook && i < p->hook->args.n; i++) {
		if (polc_text_is(&p->hook->args.items[i].label, word->text)) {
			set_argument(p, &p->hook->args, i, word->span);
			return true;
		}
	}
	for (size_t i = 0; p->hook && i < p->hook->data.n; i++) {
		if (polc_text_is(&p->hook->data.items[i].label, word->text)) {
			set_position(p, POLC_FILTER_DATA, (int64_t)i, word->span);
			return true;
		}
	}
	return false;
}

static const char *nearest_label(struct pol_parser *p, const char *word)
{
	const char **names;
	size_t n = 0;

	if (!p->hook)
		return NULL;
	names = POLC_NEW_ARRAY(&p->polc->arena, p->hook->args.n + p->hook->data.n, const char *);
	for (size_t i = 0; i < p->hook->args.n; i++)
		if (p->hook->args.items[i].label.text)
			names[n++] = p->hook->args.items[i].label.text;
	for (size_t i = 0; i < p->hook->data.n; i++)
		if (p->hook->data.items[i].label.text)
			names[n++] = p->hook->data.items[i].label.text;
	return polc_nearest(word, names, n);
}

void pol_trace_subject(struct pol_parser *p, const struct pol_token *word)
{
	struct polc_diagnostic *d;
	const char *near;

	if (read_position(p, word) || read_label(p, word))
		return;
	pol_trace_filter(p, POLC_FILTER_ARGS);
	d = polc_error(p->polc, word->span, POLC_CODE_TRACE_ARGUMENT,
		"'%.80s' is not the label of an argument%s", word->text,
		p->hook ? "" : ": macros know none");
	near = nearest_label(p, word->text);
	if (near)
		polc_diagnostic_suggest(p->polc, d, "did you mean '%s'?", near);
	else
		polc_diagnostic_suggest(
			p->polc, d, "name it: (%.40s: int), or write arg0, arg1, ...", word->text);
}

void pol_trace_positions(
	struct pol_parser *p, enum polc_trace_filter_kind kind, const pol_words *positions)
{
	pol_trace_filter(p, kind);
	for (size_t i = 0; i < positions->n; i++) {
		struct polc_ast_number number;

		if (pol_trace_number(p, positions->items[i], 0, UINT32_MAX, &number))
			*polc_vec_push(&p->polc->arena, &p->filter->args) = number;
	}
}

void pol_trace_process(struct pol_parser *p, const struct pol_token *keyword)
{
	static const struct {
		const char *word;
		enum polc_trace_filter_kind kind;
	} facts[] = {{"binary", POLC_FILTER_BINARIES}, {"parent", POLC_FILTER_PARENT_BINARIES},
		{"pid", POLC_FILTER_PIDS}, {"namespace-pid", POLC_FILTER_PIDS},
		{"namespace-changes", POLC_FILTER_NAMESPACE_CHANGES}};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(facts); i++)
		if (!strcmp(facts[i].word, keyword->text))
			pol_trace_filter(p, facts[i].kind);
	p->filter->is_namespace_pid = !strcmp(keyword->text, "namespace-pid");
}

void pol_trace_typed(
	struct pol_parser *p, const struct pol_token *keyword, const struct pol_token *type)
{
	if (!keyword)
		pol_trace_filter(p, POLC_FILTER_NAMESPACES);
	else if (!strcmp(keyword->text, "capability"))
		pol_trace_filter(p, POLC_FILTER_CAPABILITIES);
	else
		pol_trace_filter(p, POLC_FILTER_CAPABILITY_CHANGES);
	if (type)
		p->filter->type = pol_trace_text(p, type);
}

/* Operators and values */

void pol_trace_test(
	struct pol_parser *p, const char *op, struct polc_span span, const pol_words *values)
{
	p->filter->op = (struct polc_ast_text){op, strlen(op), span};
	for (size_t i = 0; values && i < values->n; i++) {
		const struct pol_token *value = values->items[i];

		*polc_vec_push(&p->polc->arena, &p->filter->values) =
			(struct polc_ast_text){value->text, value->n, value->span};
	}
}

void pol_trace_operator(
	struct pol_parser *p, const struct pol_token *keyword, bool negate, const pol_words *values)
{
	const char *name = pol_trace_word_find(pol_trace_operator_words, keyword->text)->name;

	if (negate)
		name = polc_arena_printf(&p->polc->arena, "Not%s", name);
	pol_trace_test(p, name, keyword->span, values);
}

void pol_trace_filter_flag(struct pol_parser *p, const struct pol_token *keyword)
{
	enum polc_trace_filter_kind kind = p->filter->kind;
	bool binary = kind == POLC_FILTER_BINARIES || kind == POLC_FILTER_PARENT_BINARIES;
	bool capability =
		kind == POLC_FILTER_CAPABILITIES || kind == POLC_FILTER_CAPABILITY_CHANGES;
	bool follow = !strcmp(keyword->text, "follow");

	if (follow && binary)
		p->filter->follow_children = true;
	else if (follow && kind == POLC_FILTER_PIDS)
		p->filter->follow_forks = true;
	else if (!follow && capability)
		p->filter->is_namespace_capability = true;
	else
		polc_error(p->polc, keyword->span, POLC_CODE_UNKNOWN_FIELD,
			follow ? "only tests of binaries and pids follow children"
			       : "only tests of capabilities are namespaced");
}

void pol_trace_on_error(struct pol_parser *p, const struct pol_token *meaning)
{
	p->filter->on_error = pol_trace_text(p, meaning);
}

void pol_trace_filter_close(struct pol_parser *p, struct polc_span span)
{
	p->filter->span = span;
	p->filter->workloads.span = span;
	*polc_vec_push(&p->polc->arena, &p->selector->filters) = *p->filter;
}
