/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * For tests: are two trees of tracing policies equal? Places apart, and apart from where `syscall`
 * was left out. Prints the first difference.
 */
#ifndef TRACING_EQUAL_H
#define TRACING_EQUAL_H

#include "ast_equal.h"
#include "compiler/frontend/tracing_read.h"

#define SAME_N(a, b, list) DIFFER((a)->list.n != (b)->list.n, "number of " #list)

static bool same_ast_text(const struct polc_ast_text *a, const struct polc_ast_text *b)
{
	if (!a->text || !b->text)
		return a->text == b->text;
	return a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

static bool same_ast_number(const struct polc_ast_number *a, const struct polc_ast_number *b)
{
	return a->written == b->written && a->value == b->value;
}

static bool same_texts(const polc_ast_texts *a, const polc_ast_texts *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_ast_text(&a->items[i], &b->items[i]))
			return false;
	return true;
}

static bool same_numbers(const polc_ast_numbers *a, const polc_ast_numbers *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_ast_number(&a->items[i], &b->items[i]))
			return false;
	return true;
}

static bool same_member(const struct polc_trace_field *field, const void *a, const void *b)
{
	switch (field->kind) {
	case POLC_TRACE_TEXT:
	case POLC_TRACE_SCALAR:
		return same_ast_text(a, b);
	case POLC_TRACE_TEXTS:
	case POLC_TRACE_VALUES:
	case POLC_TRACE_INTEGERS:
		return same_texts(a, b);
	case POLC_TRACE_NUMBER:
	case POLC_TRACE_ADDRESS:
		return same_ast_number(a, b);
	case POLC_TRACE_NUMBERS:
		return same_numbers(a, b);
	case POLC_TRACE_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case POLC_TRACE_NODE:
		break;
	}
	return true;
}

static bool same_fields(const struct polc_trace_table *table, const void *a, const void *b)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct polc_trace_field *field = &table->fields[i];

		DIFFER(!same_member(field, (const char *)a + field->offset,
			       (const char *)b + field->offset),
			field->name);
	}
	return true;
}

static bool same_workloads(const struct polc_ast_workloads *a, const struct polc_ast_workloads *b)
{
	DIFFER(!same_selector(a->pods, b->pods), "pods");
	DIFFER(!same_selector(a->containers, b->containers), "containers");
	DIFFER(a->host != b->host, "host");
	return true;
}

static bool same_actions(const polc_ast_trace_actions *a, const polc_ast_trace_actions *b)
{
	DIFFER(a->n != b->n, "number of actions");
	for (size_t i = 0; i < a->n; i++)
		if (!same_fields(&polc_trace_action_table, &a->items[i], &b->items[i]))
			return false;
	return true;
}

static bool same_trace_selector(
	const struct polc_ast_trace_selector *a, const struct polc_ast_trace_selector *b)
{
	SAME_N(a, b, filters);
	for (size_t i = 0; i < a->filters.n; i++) {
		const struct polc_ast_filter *x = &a->filters.items[i], *y = &b->filters.items[i];

		DIFFER(x->kind != y->kind, "kind of filter");
		if (!same_fields(&polc_trace_filter_tables[x->kind], x, y) ||
			!same_workloads(&x->workloads, &y->workloads))
			return false;
	}
	return same_fields(&polc_trace_selector_table, a, b) &&
	       same_actions(&a->actions, &b->actions) &&
	       same_actions(&a->return_actions, &b->return_actions);
}

static bool same_args(const polc_ast_trace_args *a, const polc_ast_trace_args *b)
{
	DIFFER(a->n != b->n, "number of arguments");
	for (size_t i = 0; i < a->n; i++)
		if (!same_fields(&polc_trace_arg_table, &a->items[i], &b->items[i]))
			return false;
	return true;
}

static bool same_hook(const struct polc_ast_hook *a, const struct polc_ast_hook *b)
{
	DIFFER(a->section != b->section, "section");
	DIFFER(a->syscall != b->syscall, "syscall");
	DIFFER(a->ignore_call_not_found != b->ignore_call_not_found, "callNotFound");
	DIFFER(a->ignore_digest_failure != b->ignore_digest_failure, "digest failure");
	DIFFER(!a->return_arg != !b->return_arg, "return argument present");
	SAME_N(a, b, selectors);
	for (size_t i = 0; i < a->selectors.n; i++)
		if (!same_trace_selector(&a->selectors.items[i], &b->selectors.items[i]))
			return false;
	return same_fields(&polc_trace_hook_tables[a->section], a, b) &&
	       same_args(&a->args, &b->args) && same_args(&a->data, &b->data) &&
	       (!a->return_arg || same_fields(&polc_trace_arg_table, a->return_arg, b->return_arg));
}

static bool same_lists(const struct polc_ast_tracing *a, const struct polc_ast_tracing *b)
{
	SAME_N(a, b, lists);
	SAME_N(a, b, options);
	SAME_N(a, b, enforcers);
	SAME_N(a, b, macros);
	for (size_t i = 0; i < a->lists.n; i++)
		if (!same_fields(&polc_trace_list_table, &a->lists.items[i], &b->lists.items[i]))
			return false;
	for (size_t i = 0; i < a->options.n; i++)
		if (!same_fields(
			    &polc_trace_option_table, &a->options.items[i], &b->options.items[i]))
			return false;
	for (size_t i = 0; i < a->enforcers.n; i++)
		DIFFER(!same_texts(&a->enforcers.items[i], &b->enforcers.items[i]), "enforcer");
	for (size_t i = 0; i < a->macros.n; i++) {
		const struct polc_ast_macro *x = &a->macros.items[i], *y = &b->macros.items[i];

		DIFFER(!same_ast_text(&x->name, &y->name), "name of macro");
		if (!same_trace_selector(&x->selector, &y->selector))
			return false;
	}
	return true;
}

static bool same_tracing(const struct polc_ast_tracing *a, const struct polc_ast_tracing *b)
{
	DIFFER(!same_text(a->name, b->name), "name");
	DIFFER(!same_text(a->namespace, b->namespace), "namespace");
	DIFFER(a->namespaced != b->namespaced, "namespaced");
	DIFFER(a->loader != b->loader, "loader");
	DIFFER(!same_ast_text(&a->event_rate, &b->event_rate), "event rate");
	DIFFER(!same_selector(a->node_selector, b->node_selector), "node selector");
	SAME_N(a, b, hooks);
	for (size_t i = 0; i < a->hooks.n; i++)
		if (!same_hook(&a->hooks.items[i], &b->hooks.items[i]))
			return false;
	return same_workloads(&a->workloads, &b->workloads) && same_lists(a, b);
}

#endif
