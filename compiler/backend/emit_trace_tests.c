/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Selectors: a function each, one block per test, the cheapest first. The tests of a selector are
 * pure and all must hold, so their order changes only the cost.
 */
#include <stdlib.h>
#include <string.h>

#include "emit_tracing.h"

/* ---- what a test asks for ---- */

typedef void (*each_item)(struct polc_emitter *, enum polc_emit_item_kind, uint32_t, uint32_t);

static void expression_items(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_expression *x, each_item each)
{
	if (!x)
		return;
	if (x->op == POLC_EXPR_VALUE)
		each(e, POLC_ITEM_NUMBER, polc_emit_value_index(e, member, x->number), 0);
	expression_items(e, member, x->left, each);
	expression_items(e, member, x->right, each);
}

static bool is_unix(const struct polc_emitter *e, uint32_t value)
{
	return polc_trace_type_class(e->values.items[value].value->type) == POLB_CLASS_UNIX;
}

void polc_emit_test_items(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *test, const struct polc_trace_lookup *lookup, each_item each)
{
	uint32_t value;

	switch (test->kind) {
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
		each(e, POLC_ITEM_NUMBER, polc_emit_value_index(e, member, test->value), 0);
		return;
	case POLC_TEST_CAPS_GAINED:
		each(e, POLC_ITEM_NUMBER, polc_emit_value_index(e, member, test->value), 0);
		each(e, POLC_ITEM_NUMBER, polc_emit_value_index(e, member, test->other), 0);
		return;
	case POLC_TEST_STRING:
		each(e, POLC_ITEM_BITS, polc_emit_value_index(e, member, test->value),
			lookup->domain);
		return;
	case POLC_TEST_FILE_TYPE:
		each(e, POLC_ITEM_MODE, polc_emit_value_index(e, member, test->value), 0);
		return;
	case POLC_TEST_ADDRESS:
	case POLC_TEST_PORT:
	case POLC_TEST_PROTOCOL:
	case POLC_TEST_FAMILY:
	case POLC_TEST_STATE:
		value = polc_emit_value_index(e, member, test->value);
		each(e, is_unix(e, value) ? POLC_ITEM_FAMILY : POLC_ITEM_NET, value, 0);
		return;
	case POLC_TEST_EXPRESSION:
		expression_items(e, member, test->expression, each);
		return;
	case POLC_TEST_PIDS:
	case POLC_TEST_BINARY:
	case POLC_TEST_NAMESPACE:
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_CAPABILITY_CHANGES:
	case POLC_TEST_WORKLOAD:
		return;
	}
	POLC_BUG("unknown test %d", (int)test->kind);
}

/* ---- sets of numbers ---- */

static void emit_number(struct polc_buf *out, uint64_t key, bool is_signed)
{
	int64_t n = (int64_t)(key ^ UINT64_C(1) << 63);

	if (!is_signed)
		polc_buf_printf(out, "%lluull", (unsigned long long)key);
	else if (n == INT64_MIN)
		polc_buf_puts(out, "(-0x7fffffffffffffffll - 1)");
	else
		polc_buf_printf(out, "%lldll", (long long)n);
}

static void emit_interval(struct polc_buf *out, const struct polc_interval *interval,
	const char *name, bool is_signed)
{
	const char *cast = is_signed ? "(__s64)" : "";

	polc_buf_printf(out, "(%s%s %s ", cast, name, interval->lo == interval->hi ? "==" : ">=");
	emit_number(out, interval->lo, is_signed);
	if (interval->lo != interval->hi) {
		polc_buf_printf(out, " && %s%s <= ", cast, name);
		emit_number(out, interval->hi, is_signed);
	}
	polc_buf_puts(out, ")");
}

/* "(v == 5 || ...)" over the variable `name`. */
static void emit_intervals(struct polc_emitter *e, const polc_intervals *intervals,
	const struct polc_trace_lookup *lookup, const char *name, bool is_signed)
{
	if (lookup->n) {
		polc_buf_printf(e->out, "polt_interval(%u, %u, %s%s)", lookup->first, lookup->n,
			name, is_signed ? " ^ 1ull << 63" : "");
		return;
	}
	polc_buf_puts(e->out, "(");
	for (size_t i = 0; i < intervals->n; i++) {
		polc_buf_puts(e->out, i ? " ||\n\t\t\t" : "");
		emit_interval(e->out, &intervals->items[i], name, is_signed);
	}
	polc_buf_puts(e->out, intervals->n ? ")" : "0)");
}

/* ---- tests on values: each leaves its result in r ---- */

static void emit_item_call(struct polc_emitter *e, enum polc_emit_item_kind kind, uint32_t value,
	uint32_t domain, const char *name)
{
	polc_buf_printf(e->out,
		"\t\t__u64 %s = 0;\n\t\tint known_%s = polt_h%u_i%u(ctx, how, parameters, h, "
		"&%s);\n",
		name, name, e->hook->number, polc_emit_item_index(e, kind, value, domain), name);
}

static bool value_is_signed(const struct polc_emitter *e, uint32_t value)
{
	return polc_trace_type_signed(e->values.items[value].value->type);
}

static void emit_value_test(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *test, const struct polc_trace_lookup *lookup)
{
	uint32_t value = polc_emit_value_index(e, member, test->value);

	emit_item_call(e,
		test->kind == POLC_TEST_FILE_TYPE ? POLC_ITEM_MODE
		: test->kind == POLC_TEST_STRING  ? POLC_ITEM_BITS
						  : POLC_ITEM_NUMBER,
		value, lookup->domain, "v");
	polc_buf_puts(e->out, "\t\tr = known_v < 0 ? -1 : ");
	if (test->kind == POLC_TEST_STRING)
		polc_buf_printf(e->out, "(int)(v >> %u & 1)", lookup->bit);
	else if (test->kind == POLC_TEST_MASK)
		polc_buf_printf(e->out, "(v & 0x%llxull) != 0", (unsigned long long)test->mask);
	else
		emit_intervals(e, &test->intervals, lookup, "v",
			test->kind == POLC_TEST_INTERVALS && value_is_signed(e, value));
	polc_buf_puts(e->out, ";\n");
}

static void emit_caps_gained(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *test)
{
	emit_item_call(e, POLC_ITEM_NUMBER, polc_emit_value_index(e, member, test->value), 0, "v");
	emit_item_call(e, POLC_ITEM_NUMBER, polc_emit_value_index(e, member, test->other), 0, "w");
	polc_buf_puts(e->out, "\t\tr = known_v < 0 || known_w < 0 ? -1 : (w & ~v) != 0;\n");
}

static uint32_t word_of(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* The mask of a prefix length as a little-endian load of its bytes. */
static uint32_t mask_of(unsigned len)
{
	return len ? __builtin_bswap32(UINT32_MAX << (32 - len)) : 0;
}

static void emit_prefix(struct polc_emitter *e, const struct polb_prefix *prefix)
{
	const uint8_t *bytes = prefix->addr.bytes;

	if (prefix->addr.family == 4)
		polc_buf_printf(e->out, "\t\tr = polt_either(r, polt_net_in4(&a, 0x%x, 0x%x));\n",
			word_of(bytes), mask_of(prefix->len));
	else
		polc_buf_printf(e->out,
			"\t\tr = polt_either(r, polt_net_in6(&a, 0x%x, 0x%x, 0x%x, 0x%x, %u));\n",
			word_of(bytes), word_of(bytes + 4), word_of(bytes + 8), word_of(bytes + 12),
			prefix->len);
}

static void emit_address(struct polc_emitter *e, const struct polc_trace_test *test,
	const struct polc_trace_lookup *lookup)
{
	polc_buf_printf(e->out,
		"\t\tstruct polt_address a = {};\n\t\tif (net)\n"
		"\t\t\tpolt_net_address(net, %s, &a);\n\t\tr = a.family ? 0 : -1;\n",
		test->destination ? "true" : "false");
	if (lookup->net4 || lookup->net6)
		polc_buf_printf(e->out,
			"\t\tif (%s)\n\t\t\tr = polt_either(r, polt_net_set(&a, %u));\n",
			lookup->net4 && lookup->net6 ? "a.family"
			: lookup->net4               ? "a.family == POLT_AF_INET"
						     : "a.family == POLT_AF_INET6",
			lookup->net_set);
	for (size_t i = 0; i < test->prefixes.n; i++) {
		const struct polb_prefix *prefix = &test->prefixes.items[i];

		if (!(prefix->addr.family == 4 ? lookup->net4 : lookup->net6))
			emit_prefix(e, prefix);
	}
}

static void emit_net_test(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *test, const struct polc_trace_lookup *lookup)
{
	uint32_t value = polc_emit_value_index(e, member, test->value);

	if (is_unix(e, value)) {
		emit_item_call(e, POLC_ITEM_FAMILY, value, 0, "v");
		polc_buf_puts(e->out, "\t\tr = known_v < 0 ? -1 : ");
		emit_intervals(e, &test->intervals, lookup, "v", false);
		polc_buf_puts(e->out, ";\n");
		return;
	}
	polc_buf_printf(e->out,
		"\t\tconst struct polb_payload_net *net = polt_h%u_i%u(ctx, how, parameters, h);\n",
		e->hook->number, polc_emit_item_index(e, POLC_ITEM_NET, value, 0));
	if (test->kind == POLC_TEST_ADDRESS) {
		emit_address(e, test, lookup);
		return;
	}
	polc_buf_puts(e->out, "\t\t__s64 v = !net ? -1 : ");
	if (test->kind == POLC_TEST_PORT)
		polc_buf_printf(
			e->out, "polt_net_port(net, %s)", test->destination ? "true" : "false");
	else
		polc_buf_puts(e->out, test->kind == POLC_TEST_FAMILY  ? "polt_net_family(net)"
				      : test->kind == POLC_TEST_STATE ? "polt_net_state(net)"
								      : "polt_net_protocol(net)");
	polc_buf_puts(e->out, ";\n\t\tr = v < 0 ? -1 : ");
	emit_intervals(e, &test->intervals, lookup, "v", false);
	polc_buf_puts(e->out, ";\n");
}

/* ---- CelExpr ---- */

static const char *operator_text(enum polc_expression_op op)
{
	switch (op) {
	case POLC_EXPR_ADD:
		return "+";
	case POLC_EXPR_SUB:
	case POLC_EXPR_NEG:
		return "-";
	case POLC_EXPR_BIT_AND:
		return "&";
	case POLC_EXPR_BIT_OR:
		return "|";
	case POLC_EXPR_BIT_XOR:
		return "^";
	case POLC_EXPR_BIT_NOT:
		return "~";
	case POLC_EXPR_EQ:
		return "==";
	case POLC_EXPR_NE:
		return "!=";
	case POLC_EXPR_LT:
		return "<";
	case POLC_EXPR_LE:
		return "<=";
	case POLC_EXPR_GT:
		return ">";
	case POLC_EXPR_GE:
		return ">=";
	case POLC_EXPR_AND:
		return "&&";
	case POLC_EXPR_OR:
		return "||";
	case POLC_EXPR_NOT:
		return "!";
	case POLC_EXPR_VALUE:
	case POLC_EXPR_CONSTANT:
	case POLC_EXPR_CAST:
		break;
	}
	POLC_BUG("not an operator: %d", (int)op);
}

static bool is_comparison(enum polc_expression_op op)
{
	return op >= POLC_EXPR_EQ && op <= POLC_EXPR_GE;
}

/* Everything is computed in __u64, where overflow wraps; comparisons are of the operands' sign. */
static void emit_expression(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_expression *x)
{
	bool compares = is_comparison(x->op);
	bool is_signed = compares && (x->left->width < 8 || x->left->is_signed) &&
			 (x->right->width < 8 || x->right->is_signed);

	if (x->op == POLC_EXPR_VALUE) {
		polc_buf_printf(e->out, "x%u", polc_emit_value_index(e, member, x->number));
		return;
	}
	if (x->op == POLC_EXPR_CONSTANT) {
		polc_buf_printf(e->out, "0x%llxull", (unsigned long long)x->constant);
		return;
	}
	if (x->op == POLC_EXPR_CAST) {
		polc_buf_puts(e->out, "polt_extend(");
		emit_expression(e, member, x->left);
		polc_buf_printf(e->out, ", %u, %s)", x->width, x->is_signed ? "true" : "false");
		return;
	}
	polc_buf_puts(e->out, "(");
	if (x->right) {
		polc_buf_puts(e->out, is_signed ? "(__s64)" : "");
		emit_expression(e, member, x->left);
		polc_buf_printf(e->out, " %s %s", operator_text(x->op), is_signed ? "(__s64)" : "");
		emit_expression(e, member, x->right);
	} else {
		polc_buf_puts(e->out, operator_text(x->op));
		emit_expression(e, member, x->left);
	}
	polc_buf_puts(e->out, ")");
}

/* Its values, each once, as x<value of the hook>. */
static void expression_values(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_expression *x, bool *seen)
{
	if (!x)
		return;
	if (x->op == POLC_EXPR_VALUE) {
		uint32_t value = polc_emit_value_index(e, member, x->number);

		if (seen[value])
			return;
		seen[value] = true;
		emit_item_call(
			e, POLC_ITEM_NUMBER, value, 0, polc_arena_printf(e->arena, "x%u", value));
		polc_buf_printf(e->out, "\t\tknown &= known_x%u > 0;\n", value);
	}
	expression_values(e, member, x->left, seen);
	expression_values(e, member, x->right, seen);
}

static void emit_expression_test(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *test)
{
	bool *seen = POLC_NEW_ARRAY(e->arena, e->values.n, bool);

	polc_buf_puts(e->out, "\t\tbool known = true;\n");
	expression_values(e, member, test->expression, seen);
	polc_buf_puts(e->out, "\t\tr = !known ? -1 : ");
	emit_expression(e, member, test->expression);
	polc_buf_puts(e->out, " ? 1 : 0;\n");
}

/* ---- tests on the process ---- */

static void emit_pids(struct polc_emitter *e, const struct polc_trace_test *test,
	const struct polc_trace_lookup *lookup)
{
	const char *ns = test->namespace_pid ? "true" : "false";

	if (test->follow_forks) {
		polc_buf_printf(e->out,
			"\t\tr = polt_pid_follow(polt_need_record(&h->call), %u, %u, %s);\n",
			lookup->first, lookup->n, ns);
		return;
	}
	polc_buf_printf(e->out, "\t\t__u32 v = 0;\n\t\tr = !polt_pid(%s, %s, &v) ? -1 : ",
		test->namespace_pid ? "polt_need_record(&h->call)" : "NULL", ns);
	emit_intervals(e, &test->pids, lookup, "v", false);
	polc_buf_puts(e->out, ";\n");
}

static void emit_namespace(struct polc_emitter *e, const struct polc_trace_test *test,
	const struct polc_trace_lookup *lookup)
{
	polc_buf_printf(
		e->out, "\t\t__u32 v = polt_namespace(%d);\n\t\tr = !v ? -1 : ", (int)test->ns);
	if (test->host_namespace)
		polc_buf_printf(e->out, "v == polt_host_namespace(%d) || ", (int)test->ns);
	emit_intervals(e, &test->intervals, lookup, "v", false);
	polc_buf_puts(e->out, ";\n");
}

static void emit_process_test(struct polc_emitter *e, const struct polc_trace_test *test,
	const struct polc_trace_lookup *lookup)
{
	switch (test->kind) {
	case POLC_TEST_PIDS:
		emit_pids(e, test, lookup);
		return;
	case POLC_TEST_BINARY:
		polc_buf_printf(e->out,
			"\t\tr = polt_test_binary(polt_need_record(&h->call), %u, %u, %s, %s);\n",
			lookup->domain, lookup->bit, test->parent ? "true" : "false",
			test->follow_children ? "true" : "false");
		return;
	case POLC_TEST_NAMESPACE:
		emit_namespace(e, test, lookup);
		return;
	case POLC_TEST_NAMESPACE_CHANGES:
		polc_buf_printf(e->out,
			"\t\tr = polt_test_ns_changed(polt_need_record(&h->call), 0x%x, %s);\n",
			test->ns_mask, test->negate ? "true" : "false");
		return;
	case POLC_TEST_CAPABILITIES:
		polc_buf_printf(e->out, "\t\tr = polt_test_caps(%u, 0x%llxull);\n", test->caps,
			(unsigned long long)test->mask);
		return;
	case POLC_TEST_CAPABILITY_CHANGES:
		polc_buf_printf(e->out,
			"\t\tr = polt_test_caps_changed(polt_need_record(&h->call), %u, "
			"0x%llxull, %s);\n",
			test->caps, (unsigned long long)test->mask,
			test->negate ? "true" : "false");
		return;
	case POLC_TEST_WORKLOAD:
		polc_buf_printf(e->out, "\t\tr = polt_judge_workload(&h->call, %u, %u);\n",
			test->workload / 64, test->workload % 64);
		return;
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
	case POLC_TEST_EXPRESSION:
		break;
	}
	POLC_BUG("no test on the process: %d", (int)test->kind);
}

/* ---- selectors ---- */

static void emit_result(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *test, const struct polc_trace_lookup *lookup)
{
	switch (test->kind) {
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_STRING:
	case POLC_TEST_FILE_TYPE:
		emit_value_test(e, member, test, lookup);
		return;
	case POLC_TEST_ADDRESS:
	case POLC_TEST_PORT:
	case POLC_TEST_PROTOCOL:
	case POLC_TEST_FAMILY:
	case POLC_TEST_STATE:
		emit_net_test(e, member, test, lookup);
		return;
	case POLC_TEST_CAPS_GAINED:
		emit_caps_gained(e, member, test);
		return;
	case POLC_TEST_EXPRESSION:
		emit_expression_test(e, member, test);
		return;
	case POLC_TEST_PIDS:
	case POLC_TEST_BINARY:
	case POLC_TEST_NAMESPACE:
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_CAPABILITY_CHANGES:
	case POLC_TEST_WORKLOAD:
		emit_process_test(e, test, lookup);
		return;
	}
	POLC_BUG("unknown test %d", (int)test->kind);
}

/* The library negates these: what they negate is not their result. */
static bool negates_itself(enum polc_trace_test_kind kind)
{
	return kind == POLC_TEST_NAMESPACE_CHANGES || kind == POLC_TEST_CAPABILITY_CHANGES;
}

static void emit_test(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *test, const struct polc_trace_lookup *lookup,
	uint32_t selector)
{
	const char *on_error = test->on_error == POLC_ON_ERROR_NO_MATCH ? "false" : "true";

	polc_buf_puts(e->out, "\t{\n\t\tint r;\n");
	if (test->in_other_user_namespace)
		polc_buf_printf(e->out,
			"\t\tr = polt_test_other_user_namespace();\n"
			"\t\tif (!polt_holds(r, false, %s, %u))\n\t\t\treturn false;\n",
			on_error, selector);
	emit_result(e, member, test, lookup);
	polc_buf_printf(e->out, "\t\tif (!polt_holds(r, %s, %s, %u))\n\t\t\treturn false;\n\t}\n",
		test->negate && !negates_itself(test->kind) ? "true" : "false", on_error, selector);
}

static unsigned cost_of(const struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *test)
{
	static const unsigned costs[] = {
		[POLC_TEST_INTERVALS] = 1,
		[POLC_TEST_MASK] = 1,
		[POLC_TEST_CAPS_GAINED] = 2,
		[POLC_TEST_EXPRESSION] = 2,
		[POLC_TEST_WORKLOAD] = 10,
		[POLC_TEST_BINARY] = 11,
		[POLC_TEST_PIDS] = 12,
		[POLC_TEST_CAPABILITIES] = 13,
		[POLC_TEST_CAPABILITY_CHANGES] = 14,
		[POLC_TEST_NAMESPACE] = 15,
		[POLC_TEST_NAMESPACE_CHANGES] = 16,
		[POLC_TEST_FILE_TYPE] = 17,
		[POLC_TEST_FAMILY] = 20,
		[POLC_TEST_PROTOCOL] = 20,
		[POLC_TEST_STATE] = 20,
		[POLC_TEST_PORT] = 21,
		[POLC_TEST_ADDRESS] = 22,
		[POLC_TEST_STRING] = 30,
	};
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);

	if (test->kind == POLC_TEST_STRING &&
		polc_trace_type_class(spec->values.items[test->value].type) == POLB_CLASS_PATH)
		return 31;
	/* a number at the end of a path of pointers is dearer than a bit of the process */
	if (test->kind == POLC_TEST_INTERVALS && spec->values.items[test->value].n_steps)
		return 12;
	return costs[test->kind];
}

/* Positions of the tests by cost, stable. */
static uint32_t *by_cost(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *tests, size_t n)
{
	uint32_t *order = POLC_NEW_ARRAY(e->arena, n + 1, uint32_t);

	for (uint32_t i = 0; i < n; i++) {
		unsigned cost = cost_of(e, member, &tests[i]);
		uint32_t j = i;

		for (; j && cost_of(e, member, &tests[order[j - 1]]) > cost; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
	return order;
}

static void emit_function(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *s, const char *letter,
	const struct polc_trace_test *tests, size_t n, const struct polc_trace_lookup *lookups)
{
	const uint32_t *order = by_cost(e, member, tests, n);

	polc_buf_printf(e->out,
		"static __always_inline bool polt_h%u_%s%u_%u(" POLC_EMIT_CONTEXT
		", struct polt_h%u *h)\n{\n",
		e->hook->number, letter, s->number, (unsigned)(member - e->hook->members),
		e->hook->number);
	for (size_t i = 0; i < n; i++)
		emit_test(e, member, &tests[order[i]], &lookups[order[i]], s->number);
	polc_buf_puts(e->out, "\treturn true;\n}\n");
}

void polc_emit_selector(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *s)
{
	const struct polc_trace_lookup *lookups = e->plan->lookups[s->number];

	emit_function(e, member, s, "s", s->tests.items, s->tests.n, lookups);
	if (s->return_tests.n)
		emit_function(e, member, s, "q", s->return_tests.items, s->return_tests.n,
			lookups + s->tests.n);
}
