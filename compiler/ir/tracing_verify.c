/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Invariants of the tracing IR, looked at after every lowering without errors. A broken one is a
 * bug of the compiler.
 */
#include <string.h>

#include "lower_tracing.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			POLC_BUG("tracing IR: %s", #condition);                                    \
	} while (0)

static void verify_intervals(const polc_intervals *set)
{
	for (size_t i = 0; i < set->n; i++) {
		CHECK(set->items[i].lo <= set->items[i].hi);
		CHECK(!i || set->items[i - 1].hi < UINT64_MAX);
		CHECK(!i || set->items[i - 1].hi + 1 < set->items[i].lo);
	}
}

static int compare_strings(const struct polc_string *a, const struct polc_string *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int order = n ? memcmp(a->bytes, b->bytes, n) : 0;

	return order ? order : (a->n > b->n) - (a->n < b->n);
}

static void verify_strings(const polc_strings *set)
{
	CHECK(set->n);
	for (size_t i = 1; i < set->n; i++)
		CHECK(compare_strings(&set->items[i - 1], &set->items[i]) < 0);
}

static void verify_prefixes(const polc_prefixes *set)
{
	CHECK(set->n);
	for (size_t i = 1; i < set->n; i++) {
		CHECK(polb_prefix_compare(&set->items[i - 1], &set->items[i]) < 0);
		CHECK(!polb_prefix_covers(&set->items[i - 1], &set->items[i]));
	}
}

static void verify_expression(const struct polc_trace_spec *spec, const struct polc_expression *e)
{
	CHECK(e->width == 1 || e->width == 2 || e->width == 4 || e->width == 8);
	if (e->op == POLC_EXPR_VALUE)
		CHECK(e->number < spec->n_args);
	else if (e->op != POLC_EXPR_CONSTANT)
		CHECK(e->left);
	if (e->left)
		verify_expression(spec, e->left);
	if (e->right)
		verify_expression(spec, e->right);
}

static enum polb_trace_class class_of(const struct polc_trace_spec *spec, uint32_t value)
{
	CHECK(value < spec->values.n);
	return polc_trace_type_class(spec->values.items[value].type);
}

static bool is_number(enum polb_trace_class class)
{
	return class == POLB_CLASS_INT || class == POLB_CLASS_CAPS;
}

static bool is_text(enum polb_trace_class class)
{
	return class == POLB_CLASS_STRING || class == POLB_CLASS_BYTES ||
	       class == POLB_CLASS_PATH || class == POLB_CLASS_UNIX;
}

static void verify_value_test(
	const struct polc_trace_spec *spec, const struct polc_trace_test *test)
{
	enum polb_trace_class class = class_of(spec, test->value);

	if (test->kind == POLC_TEST_INTERVALS)
		CHECK(is_number(class) && test->intervals.n);
	else if (test->kind == POLC_TEST_MASK)
		CHECK(is_number(class) && test->mask);
	else if (test->kind == POLC_TEST_STRING)
		CHECK(is_text(class));
	else if (test->kind == POLC_TEST_FILE_TYPE)
		CHECK(class == POLB_CLASS_PATH && test->intervals.n);
	else if (test->kind == POLC_TEST_CAPS_GAINED)
		CHECK(class == POLB_CLASS_CAPS && class_of(spec, test->other) == POLB_CLASS_CAPS);
	else if (test->kind == POLC_TEST_FAMILY)
		CHECK(class == POLB_CLASS_NET || class == POLB_CLASS_UNIX);
	else
		CHECK(class == POLB_CLASS_NET);
	if (test->kind == POLC_TEST_STRING)
		verify_strings(&test->strings);
	if (test->kind == POLC_TEST_ADDRESS)
		verify_prefixes(&test->prefixes);
}

static void verify_test(const struct polc_tracing *tracing, const struct polc_trace_spec *spec,
	const struct polc_trace_test *test)
{
	verify_intervals(&test->intervals);
	verify_intervals(&test->pids);
	switch (test->kind) {
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_STRING:
	case POLC_TEST_FILE_TYPE:
	case POLC_TEST_ADDRESS:
	case POLC_TEST_PORT:
	case POLC_TEST_PROTOCOL:
	case POLC_TEST_FAMILY:
	case POLC_TEST_STATE:
	case POLC_TEST_CAPS_GAINED:
		verify_value_test(spec, test);
		break;
	case POLC_TEST_EXPRESSION:
		verify_expression(spec, test->expression);
		break;
	case POLC_TEST_PIDS:
		CHECK(test->pids.n);
		break;
	case POLC_TEST_BINARY:
		verify_strings(&test->strings);
		break;
	case POLC_TEST_NAMESPACE:
		CHECK(test->intervals.n || test->host_namespace);
		break;
	case POLC_TEST_NAMESPACE_CHANGES:
		CHECK(test->ns_mask);
		break;
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_CAPABILITY_CHANGES:
		CHECK(test->mask && test->caps < POLB_N_CAPS);
		break;
	case POLC_TEST_WORKLOAD:
		CHECK(test->workload < tracing->n_workloads);
		break;
	}
}

static void verify_actions(
	const struct polc_trace_spec *spec, const polc_trace_actions *actions, uint64_t mask)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < actions->n; i++) {
		const struct polc_trace_action *action = &actions->items[i];

		CHECK(action->kind < POLB_N_TRACE_ACTIONS);
		CHECK(action->error <= 0 && action->error >= -4095);
		CHECK(action->signal <= 64);
		if (action->kind == POLB_ACTION_TRACK_SOCK ||
			action->kind == POLB_ACTION_UNTRACK_SOCK)
			CHECK(action->value < spec->values.n);
		seen |= 1ull << action->kind;
	}
	CHECK(seen == mask);
}

static void verify_selector(const struct polc_tracing *tracing, const struct polc_trace_spec *spec,
	const struct polc_trace_selector *selector)
{
	CHECK(selector->number < tracing->n_selectors);
	CHECK(spec->has_return || (!selector->return_tests.n && !selector->return_actions.n));
	for (size_t i = 0; i < selector->tests.n; i++)
		verify_test(tracing, spec, &selector->tests.items[i]);
	for (size_t i = 0; i < selector->return_tests.n; i++)
		verify_test(tracing, spec, &selector->return_tests.items[i]);
	CHECK(selector->actions.n);
	verify_actions(spec, &selector->actions, selector->action_mask);
	verify_actions(spec, &selector->return_actions, selector->return_action_mask);
}

static void verify_values(const struct polc_trace_spec *spec)
{
	CHECK(spec->values.n == spec->n_args + spec->n_data + spec->has_return_value);
	CHECK(spec->has_return || !spec->has_return_value);
	for (size_t i = 0; i < spec->values.n; i++) {
		const struct polc_trace_value *value = &spec->values.items[i];

		CHECK(value->type < POLB_N_TRACE_TYPES && value->type != POLB_TYPE_AUTO);
		CHECK(!value->failed);
		CHECK((value->origin == POLC_ORIGIN_FIELD) == !!value->field);
		CHECK(!value->n_steps || value->steps);
	}
}

static void verify_spec(const struct polc_tracing *tracing, const struct polc_trace_spec *spec)
{
	CHECK(spec->policy < tracing->n_policies);
	CHECK(spec->symbols.n || spec->offsets.n);
	verify_values(spec);
	for (size_t i = 0; i < spec->selectors.n; i++)
		verify_selector(tracing, spec, &spec->selectors.items[i]);
}

void polc_tracing_verify(const struct polc_tracing *tracing)
{
	uint32_t next = 0;

	for (size_t i = 0; i < tracing->n_policies; i++) {
		CHECK(tracing->policies[i].number == i);
		CHECK(tracing->policies[i].first_spec == next);
		next += tracing->policies[i].n_specs;
	}
	CHECK(next == tracing->n_specs);
	for (size_t i = 0; i < tracing->n_specs; i++) {
		CHECK(tracing->specs[i].number == i);
		verify_spec(tracing, &tracing->specs[i]);
	}
}
