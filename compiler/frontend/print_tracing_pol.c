/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracing policies in the DSL: a block with one blank between words; pol_layout.c gives the lines.
 * Words come from the tables that the reader goes by.
 */
#include "pol.h"
#include "tracing_read.h"

#include <string.h>

/* Words */

/* Where a keyword may stand, one that is a name is quoted. */
static void write_guarded(struct polc_buf *out, const char *text)
{
	if (pol_trace_is_keyword(text))
		polc_buf_printf(out, "\"%s\"", text);
	else
		polc_pol_write_word(out, text);
}

static void write_text(struct polc_buf *out, const char *before, const struct polc_ast_text *text)
{
	if (!text->text)
		return;
	polc_buf_puts(out, before);
	write_guarded(out, text->text);
}

static void write_name(struct polc_buf *out, const char *before, const struct polc_ast_text *text)
{
	if (!text->text)
		return;
	polc_buf_puts(out, before);
	polc_pol_write_word(out, text->text);
}

/* Values may hold NULs. */
static void write_value(struct polc_buf *out, const struct polc_ast_text *text)
{
	struct polc_buf quoted = {.arena = out->arena};

	if (text->n && strlen(text->text) == text->n) {
		polc_pol_write_word(out, text->text);
		return;
	}
	polc_buf_puts(out, "\"");
	for (size_t at = 0; at < text->n; at += strlen(text->text + at) + 1) {
		quoted.n = 0;
		polc_buf_printf(&quoted, "%s", text->text + at);
		polc_buf_puts(out, at ? "\\x00" : "");
		polc_pol_write_escaped(out, quoted.p);
	}
	if (text->n && !text->text[text->n - 1])
		polc_buf_puts(out, "\\x00");
	polc_buf_puts(out, "\"");
}

static void write_list(struct polc_buf *out, const char *before, const polc_ast_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		polc_buf_puts(out, i == 0 ? before : ", ");
		write_value(out, &texts->items[i]);
	}
}

/* Fields by their words; word NULL: the value alone. */

static void write_field(struct polc_buf *out, const char *word,
	const struct polc_trace_field *field, const void *from)
{
	const char *before = word ? polc_arena_printf(out->arena, " %s ", word) : " ";
	const void *member = (const char *)from + field->offset;
	const struct polc_ast_number *number = member;

	switch (field->kind) {
	case POLC_TRACE_TEXT:
	case POLC_TRACE_SCALAR:
		(word ? write_name : write_text)(out, before, member);
		return;
	case POLC_TRACE_NUMBER:
		if (number->written)
			polc_buf_printf(out, "%s%lld", before, (long long)number->value);
		return;
	case POLC_TRACE_ADDRESS:
		if (number->written)
			polc_buf_printf(out, "%s0x%llx", before, (unsigned long long)number->value);
		return;
	case POLC_TRACE_BOOL:
		if (*(const bool *)member)
			polc_buf_printf(out, " %s", word);
		return;
	case POLC_TRACE_TEXTS:
	case POLC_TRACE_INTEGERS:
		write_list(out, before, member);
		return;
	case POLC_TRACE_VALUES:
	case POLC_TRACE_NUMBERS:
	case POLC_TRACE_NODE:
		return;
	}
}

/* All but the field called `but`, which may be NULL. */
static void write_fields(struct polc_buf *out, const struct pol_trace_word *words,
	const struct polc_trace_table *table, const void *from, const char *but)
{
	for (; words->word; words++) {
		const struct polc_trace_field *field = polc_trace_field_find(table, words->name);

		if (field && !(but && !strcmp(but, words->name)))
			write_field(out, words->word, field, from);
	}
}

/* Arguments */

/* Only digits without quotes are a number, and a colon ends a label. */
static void write_label(struct polc_buf *out, const char *label)
{
	if (label[strspn(label, "0123456789")] && !strchr(label, ':')) {
		polc_pol_write_word(out, label);
	} else {
		polc_buf_puts(out, "\"");
		polc_pol_write_escaped(out, label);
		polc_buf_puts(out, "\"");
	}
	polc_buf_puts(out, ": ");
}

static void write_arg(struct polc_buf *out, const struct polc_ast_trace_arg *arg, bool index)
{
	if (index)
		polc_buf_printf(out, "%lld: ", (long long)arg->index.value);
	if (arg->label.text)
		write_label(out, arg->label.text);
	polc_pol_write_word(out, arg->type.text);
	write_fields(out, pol_trace_arg_words, &polc_trace_arg_table, arg, NULL);
}

/* Counted on from 0, but for those that are numbered otherwise. */
static void write_args(struct polc_buf *out, const polc_ast_trace_args *args)
{
	int64_t next = 0;

	for (size_t i = 0; i < args->n; i++) {
		const struct polc_ast_trace_arg *arg = &args->items[i];

		polc_buf_puts(out, i == 0 ? "(" : ", ");
		write_arg(out, arg, arg->index.value != next);
		next = arg->index.value + 1;
	}
	polc_buf_puts(out, args->n ? ")" : "");
}

static void write_data(struct polc_buf *out, const polc_ast_trace_args *data)
{
	for (size_t i = 0; i < data->n; i++) {
		polc_buf_puts(out, i == 0 ? " data (" : ", ");
		write_arg(out, &data->items[i], data->items[i].index.written);
	}
	polc_buf_puts(out, data->n ? ")" : "");
}

static void write_return(struct polc_buf *out, const struct polc_ast_hook *hook)
{
	if (!hook->return_arg)
		return;
	polc_buf_puts(out, " returns ");
	write_arg(out, hook->return_arg, hook->return_arg->index.written);
	if (hook->return_arg_action.text)
		polc_buf_printf(out, " then %s",
			pol_trace_name_find(pol_trace_action_names, hook->return_arg_action.text)
				->word);
}

/* Tests */

static size_t n_labelled(const polc_ast_trace_args *args, const char *label)
{
	size_t n = 0;

	for (size_t i = 0; i < args->n; i++)
		n += args->items[i].label.text && !strcmp(args->items[i].label.text, label);
	return n;
}

static size_t n_numbered(const polc_ast_trace_args *args, int64_t index)
{
	size_t n = 0;

	for (size_t i = 0; i < args->n; i++)
		n += args->items[i].index.value == index;
	return n;
}

/* The label that says the same as an index, or NULL. */
static const char *label_of(
	const struct polc_ast_hook *hook, enum polc_trace_filter_kind kind, int64_t index)
{
	const struct polc_ast_trace_arg *arg = NULL;

	if (!hook)
		return NULL;
	if (kind == POLC_FILTER_DATA && index < (int64_t)hook->data.n)
		arg = &hook->data.items[index];
	for (size_t i = 0; kind == POLC_FILTER_ARGS && i < hook->args.n; i++)
		if (hook->args.items[i].index.value == index)
			arg = &hook->args.items[i];
	if (!arg || !arg->label.text || !pol_trace_is_subject(arg->label.text))
		return NULL;
	if (kind == POLC_FILTER_ARGS && n_numbered(&hook->args, index) > 1)
		return NULL;
	if (n_labelled(&hook->args, arg->label.text) + n_labelled(&hook->data, arg->label.text) > 1)
		return NULL;
	return arg->label.text;
}

static void write_argument(struct polc_buf *out, const struct polc_ast_hook *hook,
	const struct polc_ast_filter *filter)
{
	bool data = filter->kind == POLC_FILTER_DATA;
	const char *label = label_of(hook, filter->kind, filter->index.value);

	for (size_t i = 0; i < filter->args.n; i++)
		polc_buf_printf(out, "%s%lld",
			i      ? ", "
			: data ? "data-args ("
			       : "args (",
			(long long)filter->args.items[i].value);
	if (filter->args.n)
		polc_buf_puts(out, ")");
	else if (label)
		polc_pol_write_word(out, label);
	else
		polc_buf_printf(
			out, "%s%lld", data ? "data" : "arg", (long long)filter->index.value);
}

static void write_capability(struct polc_buf *out, const struct polc_ast_filter *filter)
{
	bool changes = filter->kind == POLC_FILTER_CAPABILITY_CHANGES;

	polc_buf_puts(out, changes ? "capability-changes" : "capability");
	if (!polc_text_is(&filter->type, "Effective"))
		write_text(out, " ", &filter->type);
}

static void write_subject(struct polc_buf *out, const struct polc_ast_hook *hook,
	const struct polc_ast_filter *filter)
{
	switch (filter->kind) {
	case POLC_FILTER_ARGS:
	case POLC_FILTER_DATA:
		write_argument(out, hook, filter);
		return;
	case POLC_FILTER_RETURN_ARGS:
		polc_buf_puts(out, "result");
		return;
	case POLC_FILTER_PIDS:
		polc_buf_puts(out, filter->is_namespace_pid ? "namespace-pid" : "pid");
		return;
	case POLC_FILTER_BINARIES:
		polc_buf_puts(out, "binary");
		return;
	case POLC_FILTER_PARENT_BINARIES:
		polc_buf_puts(out, "parent");
		return;
	case POLC_FILTER_NAMESPACES:
		write_name(out, "namespace ", &filter->type);
		return;
	case POLC_FILTER_NAMESPACE_CHANGES:
		polc_buf_puts(out, "namespace-changes");
		return;
	case POLC_FILTER_CAPABILITIES:
	case POLC_FILTER_CAPABILITY_CHANGES:
		write_capability(out, filter);
		return;
	case POLC_FILTER_WORKLOADS:
	case POLC_N_FILTERS:
		return;
	}
}

static const char *operator_text(struct polc_arena *arena, const char *op)
{
	static const struct pol_trace_word signs[] = {{"==", "Equal"}, {"!=", "NotEqual"},
		{"<", "LT"}, {">", "GT"}, {"in", "In"}, {"not in", "NotIn"},
		{"expression", "CelExpr"}, {"not sport-priv", "NotSportPriv"}, {0}};
	const struct pol_trace_word *word = pol_trace_name_find(signs, op);
	bool negated = !word && !strncmp(op, "Not", 3);

	if (!word)
		word = pol_trace_name_find(pol_trace_operator_words, op + (negated ? 3 : 0));
	if (!word)
		POLC_BUG("no word for operator %s", op);
	return negated ? polc_arena_printf(arena, "not %s", word->word) : word->word;
}

static void write_places(struct polc_buf *out, const struct polc_ast_workloads *w)
{
	polc_buf_puts(out, "workload");
	if (w->pods) {
		polc_buf_puts(out, " pods (");
		polc_pol_write_selector(out, w->pods);
		polc_buf_puts(out, ")");
	}
	if (w->containers) {
		polc_buf_puts(out, " containers (");
		polc_pol_write_selector(out, w->containers);
		polc_buf_puts(out, ")");
	}
	polc_buf_puts(out, w->host ? " host" : "");
}

static void write_test(struct polc_buf *out, const struct polc_ast_hook *hook,
	const struct polc_ast_filter *filter)
{
	if (filter->kind == POLC_FILTER_WORKLOADS) {
		write_places(out, &filter->workloads);
		return;
	}
	write_subject(out, hook, filter);
	polc_buf_printf(out, " %s", operator_text(out->arena, filter->op.text));
	write_list(out, " ", &filter->values);
	polc_buf_puts(out, filter->follow_forks || filter->follow_children ? " follow" : "");
	polc_buf_puts(out, filter->is_namespace_capability ? " namespaced" : "");
	write_name(out, " on-error ", &filter->on_error);
}

/* Selectors */

/* `signal 9`: the action's own argument needs no word. */
static void write_action(struct polc_buf *out, const struct polc_ast_trace_action *action)
{
	const struct polc_trace_table *table = &polc_trace_action_table;
	const char *own = pol_trace_main_argument(action->action.text);

	polc_buf_puts(out, pol_trace_name_find(pol_trace_action_names, action->action.text)->word);
	if (own)
		write_field(out, NULL, polc_trace_field_find(table, own), action);
	write_fields(out, pol_trace_action_words, table, action, own);
	if (action->registers.n) {
		write_list(out, " registers (", &action->registers);
		polc_buf_puts(out, ")");
	}
}

static void write_actions(
	struct polc_buf *out, const char *before, const polc_ast_trace_actions *actions)
{
	for (size_t i = 0; i < actions->n; i++) {
		polc_buf_puts(out, i == 0 ? before : ", ");
		write_action(out, &actions->items[i]);
	}
}

static void write_conditions(struct polc_buf *out, const struct polc_ast_hook *hook,
	const struct polc_ast_trace_selector *selector)
{
	const char *before = " when ";

	for (size_t i = 0; i < selector->macros.n; i++, before = " and ") {
		polc_buf_printf(out, "%smacro ", before);
		write_value(out, &selector->macros.items[i]);
	}
	for (size_t i = 0; i < selector->filters.n; i++, before = " and ") {
		polc_buf_puts(out, before);
		write_test(out, hook, &selector->filters.items[i]);
	}
	if (!selector->macros.n && !selector->filters.n)
		polc_buf_puts(out, " when all");
}

static void write_selector(struct polc_buf *out, const struct polc_ast_hook *hook,
	const struct polc_ast_trace_selector *selector, bool alone)
{
	bool bare = alone && selector->actions.n && !selector->filters.n && !selector->macros.n &&
		    !selector->label.text;

	if (!bare)
		write_conditions(out, hook, selector);
	write_name(out, " as ", &selector->label);
	write_actions(out, " do ", &selector->actions);
	write_actions(out, " then ", &selector->return_actions);
}

/* Hooks */

static void write_function(struct polc_buf *out, const struct polc_ast_hook *hook)
{
	static const char *const words[2][2] = {
		{"kprobe", "syscall"}, {"fentry", "fentry syscall"}};

	polc_buf_printf(out, "%s ", words[hook->section == POLC_SECTION_FENTRY][hook->syscall]);
	write_guarded(out, hook->call.text);
}

static void write_place(struct polc_buf *out, const struct polc_ast_hook *hook)
{
	switch (hook->section) {
	case POLC_SECTION_KPROBE:
	case POLC_SECTION_FENTRY:
		write_function(out, hook);
		return;
	case POLC_SECTION_TRACEPOINT:
		polc_buf_printf(out, "%stracepoint ", hook->raw ? "raw " : "");
		polc_pol_write_word(out, polc_arena_printf(out->arena, "%s/%s",
						 hook->subsystem.text, hook->event.text));
		return;
	case POLC_SECTION_LSM:
		write_name(out, "lsm ", &hook->call);
		return;
	case POLC_SECTION_UPROBE:
		write_name(out, "uprobe ", &hook->path);
		return;
	case POLC_SECTION_USDT:
		write_name(out, "usdt ", &hook->path);
		polc_buf_puts(out, " ");
		polc_pol_write_word(out, polc_arena_printf(out->arena, "%s:%s", hook->provider.text,
						 hook->name.text));
		return;
	case POLC_N_SECTIONS:
		return;
	}
}

static void write_hook(struct polc_buf *out, const struct polc_ast_hook *hook)
{
	polc_buf_puts(out, "on ");
	write_place(out, hook);
	write_fields(
		out, pol_trace_target_words, &polc_trace_hook_tables[hook->section], hook, NULL);
	write_args(out, &hook->args);
	write_data(out, &hook->data);
	write_return(out, hook);
	write_name(out, " message ", &hook->message);
	write_list(out, " tags ", &hook->tags);
	polc_buf_puts(out, hook->ignore_call_not_found ? " optional" : "");
	polc_buf_puts(out, hook->ignore_digest_failure ? " unverified" : "");
	for (size_t i = 0; i < hook->selectors.n; i++)
		write_selector(out, hook, &hook->selectors.items[i], hook->selectors.n == 1);
	polc_buf_puts(out, ";\n");
}

/* Settings */

static void write_option(struct polc_buf *out, const struct polc_ast_option *option)
{
	if (polc_text_is(&option->name, "policy-mode") && option->value.text) {
		write_name(out, "mode ", &option->value);
	} else {
		write_name(out, "option ", &option->name);
		write_name(out, " = ", &option->value);
	}
	polc_buf_puts(out, ";\n");
}

static void write_labels(
	struct polc_buf *out, const char *word, const struct polc_ast_selector *selector)
{
	if (!selector)
		return;
	polc_buf_puts(out, word);
	polc_pol_write_selector(out, selector);
	polc_buf_puts(out, ";\n");
}

static void write_list_of_calls(struct polc_buf *out, const struct polc_ast_list *list)
{
	const struct pol_trace_word *type =
		pol_trace_name_find(pol_trace_list_words, list->type.text);

	write_name(out, "list ", &list->name);
	polc_buf_printf(out, " = %s", type ? type->word : "");
	write_text(out, " ", &list->pattern);
	write_list(out, type ? " (" : "(", &list->values);
	polc_buf_puts(out, list->values.n ? ");\n" : ";\n");
}

static void write_settings(struct polc_buf *out, const struct polc_ast_tracing *policy)
{
	for (size_t i = 0; i < policy->options.n; i++)
		write_option(out, &policy->options.items[i]);
	if (policy->event_rate.text)
		polc_buf_printf(out, "limit %s;\n", policy->event_rate.text);
	polc_buf_puts(out, policy->loader ? "loader;\n" : "");
	write_labels(out, "pods ", policy->workloads.pods);
	write_labels(out, "containers ", policy->workloads.containers);
	polc_buf_puts(out, policy->workloads.host ? "host;\n" : "");
	write_labels(out, "nodes ", policy->node_selector);
	for (size_t i = 0; i < policy->lists.n; i++)
		write_list_of_calls(out, &policy->lists.items[i]);
	for (size_t i = 0; i < policy->enforcers.n; i++) {
		write_list(out, "enforce ", &policy->enforcers.items[i]);
		polc_buf_puts(out, ";\n");
	}
}

static void write_macro(struct polc_buf *out, const struct polc_ast_macro *macro)
{
	write_name(out, "macro ", &macro->name);
	write_selector(out, NULL, &macro->selector, false);
	polc_buf_puts(out, ";\n");
}

void polc_tracing_print_pol(const struct polc_ast_tracing *policy, struct polc_buf *out)
{
	polc_buf_puts(out, "tracing ");
	polc_pol_write_word(out, policy->name);
	if (policy->namespaced) {
		polc_buf_puts(out, " in ");
		polc_pol_write_word(out, policy->namespace);
	}
	polc_buf_puts(out, " {\n");
	write_settings(out, policy);
	for (size_t i = 0; i < policy->macros.n; i++)
		write_macro(out, &policy->macros.items[i]);
	for (size_t i = 0; i < policy->hooks.n; i++)
		write_hook(out, &policy->hooks.items[i]);
	polc_buf_puts(out, "}\n");
}
