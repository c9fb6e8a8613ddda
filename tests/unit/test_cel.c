/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* CelExpr: what expressions mean, by an evaluator of trees, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/ir/lower_tracing.h"

/* int32 arg0, uint32 arg1, uint64 arg2, int64 arg3, string arg4 */
static struct polc_trace_value values[] = {
	{.type = POLB_TYPE_INT32},
	{.type = POLB_TYPE_UINT32},
	{.type = POLB_TYPE_UINT64},
	{.type = POLB_TYPE_INT64},
	{.type = POLB_TYPE_STRING},
};
static const struct polc_trace_spec spec = {
	.values = {.items = values, .n = POLC_ARRAY_SIZE(values)},
	.n_args = POLC_ARRAY_SIZE(values),
};

static int64_t cast(int64_t value, unsigned width, bool is_signed)
{
	unsigned shift = 64 - 8 * width;

	if (is_signed)
		return (int64_t)((uint64_t)value << shift) >> shift;
	return (int64_t)((uint64_t)value << shift >> shift);
}

static int compare(int64_t a, int64_t b, bool is_signed)
{
	if (is_signed)
		return (a > b) - (a < b);
	return ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b);
}

static int64_t evaluate(const struct polc_expression *e, const int64_t *args)
{
	int64_t a = e->left ? evaluate(e->left, args) : 0;
	int64_t b = e->right ? evaluate(e->right, args) : 0;

	switch (e->op) {
	case POLC_EXPR_VALUE:
		return cast(args[e->number], e->width, e->is_signed);
	case POLC_EXPR_CONSTANT:
		return e->constant;
	case POLC_EXPR_ADD:
		return (int64_t)((uint64_t)a + (uint64_t)b);
	case POLC_EXPR_SUB:
		return (int64_t)((uint64_t)a - (uint64_t)b);
	case POLC_EXPR_NEG:
		return (int64_t) - (uint64_t)a;
	case POLC_EXPR_BIT_AND:
		return a & b;
	case POLC_EXPR_BIT_OR:
		return a | b;
	case POLC_EXPR_BIT_XOR:
		return a ^ b;
	case POLC_EXPR_BIT_NOT:
		return ~a;
	case POLC_EXPR_EQ:
		return a == b;
	case POLC_EXPR_NE:
		return a != b;
	case POLC_EXPR_LT:
		return compare(a, b, e->is_signed) < 0;
	case POLC_EXPR_LE:
		return compare(a, b, e->is_signed) <= 0;
	case POLC_EXPR_GT:
		return compare(a, b, e->is_signed) > 0;
	case POLC_EXPR_GE:
		return compare(a, b, e->is_signed) >= 0;
	case POLC_EXPR_AND:
		return a && b;
	case POLC_EXPR_OR:
		return a || b;
	case POLC_EXPR_NOT:
		return !a;
	case POLC_EXPR_CAST:
		return cast(a, e->width, e->is_signed);
	}
	return 0;
}

static const struct polc_expression *parse(struct polc *polc, const char *text)
{
	struct polc_ast_text word = {.text = text, .n = strlen(text)};

	return polc_trace_expression(polc, &word, &spec);
}

static void meaning(void **state)
{
	static const int64_t args[] = {-5, 4000000000, -1, 7, 0};
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"arg0 == -5", 1},
		{"arg0==-5&&arg3==7", 1},
		{"arg0 < 0", 1},
		{"arg1 == 4000000000", 1},
		{"arg1 > arg0", 1},
		{"int32(arg1) < 0", 1},
		{"uint32(arg0) == 4294967291", 1},
		{"arg2 == 18446744073709551615", 1},
		{"arg2 == 0xffffffffffffffffu", 1},
		{"arg2 > 1", 1},
		{"int64(arg2) == -1", 1},
		{"int64(arg2) < arg0", 0},
		{"arg3 + 1 == 8", 1},
		{"arg3 - 1 - 1 == 5", 1},
		{"arg3 - (1 - 1) == 7", 1},
		{"-arg3 == -7", 1},
		{"and(arg3, 3) == 3", 1},
		{"or(arg3, 8) == 15", 1},
		{"xor(arg3, 7) == 0", 1},
		{"not(arg3) == -8", 1},
		{"and(not(arg3), 0xf) == 8", 1},
		{"!(arg3 == 7)", 0},
		{"!(arg3 == 7) || arg0 != 0", 1},
		{"arg3 == 1 || arg3 == 2 || arg3 == 7", 1},
		/* && binds closer than || */
		{"arg3 == 7 || arg0 == 1 && arg0 == 2", 1},
		{"(arg3 == 7 || arg0 == 1) && arg0 == 2", 0},
		{"arg3 >= 7 && arg3 <= 7 && arg3 != 8", 1},
		{"uint8(arg1) == 0", 1},
		{"int16(arg0) == -5", 1},
	};
	struct polc polc;

	(void)state;
	polc_init(&polc);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++) {
		const struct polc_expression *e = parse(&polc, cases[i].text);

		if (!e)
			polc_diagnostics_print_text(&polc, stderr, false);
		if (!e || evaluate(e, args) != cases[i].result)
			fail_msg("%s", cases[i].text);
	}
	assert_int_equal(polc.n_errors, 0);
	polc_free(&polc);
}

static void refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "ends too early"},
		{"arg0", "must be a condition"},
		{"arg0 + 1", "must be a condition"},
		{"arg0 ==", "ends too early"},
		{"arg0 == 1 arg1", "unexpected text"},
		{"arg0 == 1 == 2", "unexpected text"},
		{"(arg0 == 1", "')' is missing"},
		{"arg5 == 1", "has 5 arguments"},
		{"arg4 == 1", "of type 'string'"},
		{"argx == 1", "is no argument"},
		{"pid == 1", "unknown word"},
		{"min(arg0, 1) == 1", "unknown function"},
		{"and(arg0) == 1", "needs two values"},
		{"arg0 && arg1", "condition is needed"},
		{"!arg0", "condition is needed"},
		{"(arg0 == 1) + 1 == 2", "integer is needed"},
		{"int32(arg0 == 1) == 1", "needs an integer"},
		{"arg2 > arg0", "no common type"},
		{"arg2 > -1", "no common type"},
		{"arg0 == 99999999999999999999", "not a number"},
		{"arg0 == 1x", "not a number"},
		{"arg0 * 2 == 4", "unexpected text"},
		{"-(arg2) == 1", "signed integer"},
	};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++) {
		struct polc polc;

		polc_init(&polc);
		if (parse(&polc, cases[i].text))
			fail_msg("'%s' was taken", cases[i].text);
		assert_int_equal(polc.n_errors, 1);
		assert_int_equal(polc.diagnostics.items[0]->code, POLC_CODE_TRACE_EXPRESSION);
		if (!strstr(polc.diagnostics.items[0]->message, cases[i].why))
			fail_msg("'%s': %s", cases[i].text, polc.diagnostics.items[0]->message);
		polc_free(&polc);
	}
}

static void depth(void **state)
{
	static char text[4096];
	struct polc polc;

	(void)state;
	polc_init(&polc);
	memset(text, '(', 2000);
	assert_null(parse(&polc, text));
	memset(text, '!', 2000);
	assert_null(parse(&polc, text));
	memset(text, '-', 2000);
	assert_null(parse(&polc, text));
	assert_int_equal(polc.n_errors, 3);
	polc_free(&polc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meaning),
		cmocka_unit_test(refused),
		cmocka_unit_test(depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
