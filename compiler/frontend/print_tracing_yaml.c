/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracing policies as YAML, by the same tables as they are read: only what is not the default, the
 * fields of each mapping in the order of its table, what is nested behind them.
 */
#include "pol.h"
#include "tracing_read.h"
#include "yaml_out.h"

#include <string.h>

/* Values by their kind */

/* YAML's escape for NUL works in double quotes only; JSON's escapes are YAML's too. */
static void write_bytes(struct polc_buf *out, const struct polc_ast_text *text)
{
	struct polc_buf quoted = {.arena = out->arena};

	polc_buf_puts(out, "\"");
	for (size_t at = 0; at <= text->n; at += strlen(text->text + at) + 1) {
		quoted.n = 0;
		polc_buf_json(&quoted, text->text + at);
		polc_buf_puts(out, at ? "\\0" : "");
		polc_buf_add(out, quoted.p + 1, quoted.n - 2);
	}
	polc_buf_puts(out, "\"");
}

static void write_text(struct polc_yaml_out *y, const struct polc_ast_text *text)
{
	if (strlen(text->text) == text->n)
		polc_yaml_text(y, text->text);
	else
		write_bytes(y->buf, text);
}

static void write_number(
	struct polc_yaml_out *y, const struct polc_trace_field *field, int64_t value)
{
	if (field->kind == POLC_TRACE_ADDRESS)
		polc_buf_printf(y->buf, "0x%llx", (unsigned long long)value);
	else
		polc_buf_printf(y->buf, "%lld", (long long)value);
}

static void print_text(struct polc_yaml_out *y, const struct polc_trace_field *field,
	const struct polc_ast_text *text)
{
	if (text->text && !(field->unwritten && polc_text_is(text, field->unwritten)))
		polc_yaml_line_text(y, field->name, text->text);
}

static void print_number(struct polc_yaml_out *y, const struct polc_trace_field *field,
	const struct polc_ast_number *number)
{
	if (!number->written)
		return;
	polc_yaml_indent(y);
	polc_buf_printf(y->buf, "%s: ", field->name);
	write_number(y, field, number->value);
	polc_buf_puts(y->buf, "\n");
}

static void print_texts(
	struct polc_yaml_out *y, const struct polc_trace_field *field, const polc_ast_texts *texts)
{
	if (!texts->n)
		return;
	polc_yaml_open_key(y, field->name);
	for (size_t i = 0; i < texts->n; i++) {
		polc_yaml_open_item(y);
		polc_yaml_indent(y);
		if (field->kind == POLC_TRACE_INTEGERS)
			polc_buf_puts(y->buf, texts->items[i].text);
		else
			write_text(y, &texts->items[i]);
		polc_buf_puts(y->buf, "\n");
		polc_yaml_close_item(y);
	}
	polc_yaml_close_key(y);
}

static void print_numbers(struct polc_yaml_out *y, const struct polc_trace_field *field,
	const polc_ast_numbers *numbers)
{
	if (!numbers->n)
		return;
	polc_yaml_open_key(y, field->name);
	for (size_t i = 0; i < numbers->n; i++) {
		polc_yaml_open_item(y);
		polc_yaml_indent(y);
		write_number(y, field, numbers->items[i].value);
		polc_buf_puts(y->buf, "\n");
		polc_yaml_close_item(y);
	}
	polc_yaml_close_key(y);
}

static void print_field(
	struct polc_yaml_out *y, const struct polc_trace_field *field, const void *member)
{
	switch (field->kind) {
	case POLC_TRACE_TEXT:
	case POLC_TRACE_SCALAR:
		print_text(y, field, member);
		return;
	case POLC_TRACE_TEXTS:
	case POLC_TRACE_VALUES:
	case POLC_TRACE_INTEGERS:
		print_texts(y, field, member);
		return;
	case POLC_TRACE_NUMBER:
	case POLC_TRACE_ADDRESS:
		print_number(y, field, member);
		return;
	case POLC_TRACE_NUMBERS:
		print_numbers(y, field, member);
		return;
	case POLC_TRACE_BOOL:
		if (*(const bool *)member)
			polc_yaml_line_raw(y, field->name, "true");
		return;
	case POLC_TRACE_NODE:
		return;
	}
}

static void print_fields(
	struct polc_yaml_out *y, const struct polc_trace_table *table, const void *from)
{
	for (size_t i = 0; i < table->n; i++)
		print_field(y, &table->fields[i], (const char *)from + table->fields[i].offset);
}

static void print_item(
	struct polc_yaml_out *y, const struct polc_trace_table *table, const void *from)
{
	polc_yaml_open_item(y);
	print_fields(y, table, from);
	polc_yaml_close_item(y);
}

/* Selectors */

static void print_workloads(struct polc_yaml_out *y, const struct polc_ast_workloads *w)
{
	if (w->pods)
		polc_yaml_selector(y, "podSelector", w->pods);
	if (w->containers)
		polc_yaml_selector(y, "containerSelector", w->containers);
	if (w->host)
		polc_yaml_line_raw(y, "hostSelector", "{}");
}

static void print_filter(struct polc_yaml_out *y, const struct polc_ast_filter *filter)
{
	if (filter->kind != POLC_FILTER_WORKLOADS) {
		print_item(y, &polc_trace_filter_tables[filter->kind], filter);
		return;
	}
	polc_yaml_open_item(y);
	print_workloads(y, &filter->workloads);
	polc_yaml_close_item(y);
}

/* Filters are in the order of their kinds. */
static void print_filters(struct polc_yaml_out *y, const struct polc_ast_trace_selector *s)
{
	for (size_t i = 0; i < s->filters.n; i++) {
		const struct polc_ast_filter *filter = &s->filters.items[i];

		if (i == 0 || filter[-1].kind != filter->kind)
			polc_yaml_open_key(y, polc_trace_filter_names[filter->kind]);
		print_filter(y, filter);
		if (i + 1 == s->filters.n || filter[1].kind != filter->kind)
			polc_yaml_close_key(y);
	}
}

static void print_actions(
	struct polc_yaml_out *y, const char *key, const polc_ast_trace_actions *actions)
{
	if (!actions->n)
		return;
	polc_yaml_open_key(y, key);
	for (size_t i = 0; i < actions->n; i++)
		print_item(y, &polc_trace_action_table, &actions->items[i]);
	polc_yaml_close_key(y);
}

static void print_selector(struct polc_yaml_out *y, const struct polc_ast_trace_selector *s)
{
	print_fields(y, &polc_trace_selector_table, s);
	print_filters(y, s);
	print_actions(y, "matchActions", &s->actions);
	print_actions(y, "matchReturnActions", &s->return_actions);
}

static bool is_empty(const struct polc_ast_trace_selector *s)
{
	return !s->label.text && !s->macros.n && !s->filters.n && !s->actions.n &&
	       !s->return_actions.n;
}

/* Hooks */

/* The schema wants an index, needed or not. */
static void print_arg(struct polc_yaml_out *y, const struct polc_ast_trace_arg *arg)
{
	struct polc_ast_trace_arg shown = *arg;

	shown.index.written = true;
	print_fields(y, &polc_trace_arg_table, &shown);
}

static void print_args(struct polc_yaml_out *y, const char *key, const polc_ast_trace_args *args)
{
	if (!args->n)
		return;
	polc_yaml_open_key(y, key);
	for (size_t i = 0; i < args->n; i++) {
		polc_yaml_open_item(y);
		print_arg(y, &args->items[i]);
		polc_yaml_close_item(y);
	}
	polc_yaml_close_key(y);
}

static void print_return_arg(struct polc_yaml_out *y, const struct polc_ast_trace_arg *arg)
{
	if (!arg)
		return;
	polc_yaml_open_key(y, "returnArg");
	print_arg(y, arg);
	polc_yaml_close_key(y);
}

static void print_ignore(struct polc_yaml_out *y, const struct polc_ast_hook *hook)
{
	if (!hook->ignore_call_not_found && !hook->ignore_digest_failure)
		return;
	polc_yaml_open_key(y, "ignore");
	if (hook->ignore_call_not_found)
		polc_yaml_line_raw(y, "callNotFound", "true");
	if (hook->ignore_digest_failure)
		polc_yaml_line_raw(y, "digestVerificationFailure", "true");
	polc_yaml_close_key(y);
}

static void print_hook(struct polc_yaml_out *y, const struct polc_ast_hook *hook)
{
	bool function =
		hook->section == POLC_SECTION_KPROBE || hook->section == POLC_SECTION_FENTRY;

	polc_yaml_open_item(y);
	print_fields(y, &polc_trace_hook_tables[hook->section], hook);
	if (function) /* documentation and schema disagree about what is meant without it */
		polc_yaml_line_raw(y, "syscall", hook->syscall ? "true" : "false");
	print_ignore(y, hook);
	print_args(y, "args", &hook->args);
	print_args(y, "data", &hook->data);
	print_return_arg(y, hook->return_arg);
	if (hook->selectors.n)
		polc_yaml_open_key(y, "selectors");
	for (size_t i = 0; i < hook->selectors.n; i++) {
		polc_yaml_open_item(y);
		print_selector(y, &hook->selectors.items[i]);
		polc_yaml_close_item(y);
	}
	if (hook->selectors.n)
		polc_yaml_close_key(y);
	polc_yaml_close_item(y);
}

static void print_section(
	struct polc_yaml_out *y, const struct polc_ast_tracing *policy, enum polc_trace_section s)
{
	bool open = false;

	for (size_t i = 0; i < policy->hooks.n; i++) {
		if (policy->hooks.items[i].section != s)
			continue;
		if (!open)
			polc_yaml_open_key(y, polc_trace_section_names[s]);
		open = true;
		print_hook(y, &policy->hooks.items[i]);
	}
	if (open)
		polc_yaml_close_key(y);
}

/* The policy */

static void print_lists(struct polc_yaml_out *y, const struct polc_ast_tracing *policy)
{
	if (!policy->lists.n)
		return;
	polc_yaml_open_key(y, "lists");
	for (size_t i = 0; i < policy->lists.n; i++)
		print_item(y, &polc_trace_list_table, &policy->lists.items[i]);
	polc_yaml_close_key(y);
}

static void print_options(struct polc_yaml_out *y, const struct polc_ast_tracing *policy)
{
	if (!policy->options.n)
		return;
	polc_yaml_open_key(y, "options");
	for (size_t i = 0; i < policy->options.n; i++)
		print_item(y, &polc_trace_option_table, &policy->options.items[i]);
	polc_yaml_close_key(y);
}

static void print_enforcers(struct polc_yaml_out *y, const struct polc_ast_tracing *policy)
{
	static const struct polc_trace_field calls = {.name = "calls", .kind = POLC_TRACE_TEXTS};

	if (!policy->enforcers.n)
		return;
	polc_yaml_open_key(y, "enforcers");
	for (size_t i = 0; i < policy->enforcers.n; i++) {
		polc_yaml_open_item(y);
		print_texts(y, &calls, &policy->enforcers.items[i]);
		polc_yaml_close_item(y);
	}
	polc_yaml_close_key(y);
}

static void print_macro(struct polc_yaml_out *y, const struct polc_ast_macro *macro)
{
	polc_yaml_indent(y);
	polc_yaml_text(y, macro->name.text);
	polc_buf_puts(y->buf, is_empty(&macro->selector) ? ": {}\n" : ":\n");
	y->level++;
	print_selector(y, &macro->selector);
	y->level--;
}

static void print_macros(struct polc_yaml_out *y, const struct polc_ast_tracing *policy)
{
	if (!policy->macros.n)
		return;
	polc_yaml_open_key(y, "selectorsMacros");
	for (size_t i = 0; i < policy->macros.n; i++)
		print_macro(y, &policy->macros.items[i]);
	polc_yaml_close_key(y);
}

static void print_head(struct polc_yaml_out *y, const struct polc_ast_tracing *policy)
{
	polc_yaml_object_head(y, POLC_TRACING_API,
		policy->namespaced ? "TracingPolicyNamespaced" : "TracingPolicy", policy->name,
		policy->namespace);
	if (policy->event_rate.text) {
		polc_yaml_open_key(y, "annotations");
		polc_yaml_line_text(y, POLC_EVENT_RATE, policy->event_rate.text);
		polc_yaml_close_key(y);
	}
	polc_yaml_close_key(y);
}

void polc_tracing_print_yaml(const struct polc_ast_tracing *policy, struct polc_buf *out)
{
	struct polc_yaml_out y = {.buf = out};

	print_head(&y, policy);
	polc_yaml_open_key(&y, "spec");
	if (policy->loader)
		polc_yaml_line_raw(&y, "loader", "true");
	print_workloads(&y, &policy->workloads);
	if (policy->node_selector)
		polc_yaml_selector(&y, "nodeSelector", policy->node_selector);
	print_options(&y, policy);
	print_lists(&y, policy);
	print_enforcers(&y, policy);
	print_macros(&y, policy);
	for (int s = 0; s < POLC_N_SECTIONS; s++)
		print_section(&y, policy, (enum polc_trace_section)s);
	polc_yaml_close_key(&y);
}
