/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The values of one key that a search for a counterexample tries: one of each class that the tests
 * in question tell apart, where they are of simple kinds; else what is likely to tell.
 */
#include "assert_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SIGN (UINT64_C(1) << 63)
#define PID_MAX 4194304
#define NAMESPACES_MAX 64

static void add(
	const struct polc_assert_question *q, struct polc_assert_cases *out, const char *value)
{
	for (size_t i = 0; i < out->list.n; i++)
		if (!strcmp(out->list.items[i].value, value))
			return;
	*polc_vec_push(q->arena, &out->list) = (struct polc_assert_case){q->key, value};
}

bool polc_assert_same(const char *a, const char *b)
{
	uint64_t x, y;

	if (!strcmp(a, b))
		return true;
	return polc_call_parse_integer(a, &x) && polc_call_parse_integer(b, &y) && x == y;
}

/* ---- the tests in question ---- */

static void ask_tests(struct polc_assert_question *q, const struct polc_call_judge *judge,
	const polc_call_tests *tests)
{
	for (size_t i = 0; i < tests->n; i++) {
		polc_call_keys keys = {0};

		if (tests->items[i].holds != POLC_CALL_OPEN)
			continue;
		polc_call_test_keys(judge, tests->items[i].test, &keys);
		if (!polc_call_has_key(&keys, q->key))
			continue;
		*polc_vec_push(q->arena, &q->tests) = tests->items[i].test;
		*polc_vec_push(q->arena, &q->specs) = judge->spec;
	}
}

void polc_assert_ask(struct polc_assert_question *q, const struct polc_tracing *tracing,
	const struct polc_call *call, const struct polc_call_decision *decision)
{
	for (size_t i = 0; i < decision->matches.n; i++) {
		const struct polc_call_match *match = &decision->matches.items[i];
		const struct polc_call_judge judge = {.arena = q->arena,
			.tracing = tracing,
			.call = call,
			.member = &call->members.items[i],
			.spec = &tracing->specs[match->spec]};

		for (size_t j = 0; j < match->selectors.n; j++) {
			ask_tests(q, &judge, &match->selectors.items[j].tests);
			ask_tests(q, &judge, &match->selectors.items[j].return_tests);
		}
	}
}

/* ---- numbers: the first of every region between boundaries ---- */

struct numbers {
	uint64_t min, max; /* in the order of intervals */
	bool is_signed;
	POLC_VEC(uint64_t) starts;
	uint64_t mask; /* of tests on bits; 0: none */
	bool masks_differ;
};

static void add_start(const struct polc_assert_question *q, struct numbers *n, uint64_t value)
{
	if (value >= n->min && value <= n->max)
		*polc_vec_push(q->arena, &n->starts) = value;
}

static void add_interval(
	const struct polc_assert_question *q, struct numbers *n, uint64_t lo, uint64_t hi)
{
	add_start(q, n, lo);
	if (hi != UINT64_MAX)
		add_start(q, n, hi + 1);
}

static void add_intervals(
	const struct polc_assert_question *q, struct numbers *n, const polc_intervals *intervals)
{
	for (size_t i = 0; i < intervals->n; i++)
		add_interval(q, n, intervals->items[i].lo, intervals->items[i].hi);
}

static void add_mask(struct numbers *n, uint64_t mask)
{
	n->masks_differ |= n->mask && n->mask != mask;
	n->mask |= mask;
}

static const char *number_text(
	const struct polc_assert_question *q, const struct numbers *n, uint64_t value)
{
	if (n->is_signed)
		return polc_arena_printf(q->arena, "%" PRId64, (int64_t)(value ^ SIGN));
	return polc_arena_printf(q->arena, "%" PRIu64, value);
}

static void number_cases(
	const struct polc_assert_question *q, struct numbers *n, struct polc_assert_cases *out)
{
	uint64_t value;

	for (size_t i = 0; i < q->named.n; i++) {
		if (!polc_call_parse_integer(q->named.items[i], &value))
			continue;
		add(q, out, q->named.items[i]);
		value ^= n->is_signed ? SIGN : 0;
		add_interval(q, n, value, value);
	}
	add_start(q, n, n->min);
	for (size_t i = 0; i < n->starts.n; i++)
		add(q, out, number_text(q, n, n->starts.items[i]));
	if (!n->mask)
		return;
	add(q, out, "0");
	for (unsigned bit = 0; bit < 64; bit++)
		if (n->mask >> bit & 1)
			add(q, out, polc_arena_printf(q->arena, "%" PRIu64, UINT64_C(1) << bit));
	out->complete &= !n->masks_differ && n->starts.n == 1 && !q->named.n;
}

static void value_range(const struct polc_trace_value *value, struct numbers *n)
{
	unsigned bits = 8 * polc_trace_type_width(value->type);

	n->is_signed = polc_trace_type_signed(value->type);
	n->max = bits >= 64 || !bits ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
	if (!n->is_signed || !bits)
		return;
	n->max = bits >= 64 ? UINT64_MAX : SIGN + (UINT64_C(1) << (bits - 1)) - 1;
	n->min = bits >= 64 ? 0 : SIGN - (UINT64_C(1) << (bits - 1));
}

/* ---- strings: every prefix that is named, with and without more behind it ---- */

typedef POLC_VEC(const char *) string_list;

/* A byte that stands behind `base` in none of the strings. */
static char other_byte(const string_list *strings, const char *base)
{
	static const char letters[] =
		"~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"_-+=@";
	size_t n = strlen(base);

	for (const char *letter = letters; *letter; letter++) {
		bool used = false;

		for (size_t i = 0; i < strings->n; i++)
			used |= !strncmp(strings->items[i], base, n) &&
				strings->items[i][n] == *letter;
		if (!used)
			return *letter;
	}
	return 0;
}

static void string_cases(const struct polc_assert_question *q, const string_list *strings,
	bool path, struct polc_assert_cases *out)
{
	const char *root = path ? "/" : "";

	for (size_t i = 0; i <= strings->n; i++) {
		const char *base = i < strings->n ? strings->items[i] : root;
		char more = other_byte(strings, base);

		if (i < strings->n && (!path || *base == '/'))
			add(q, out, base);
		if (more && (!path || *base == '/'))
			add(q, out, polc_arena_printf(q->arena, "%s%c", base, more));
		out->complete &= more != 0;
	}
}

static bool plain_text(const struct polc_string *string)
{
	for (size_t i = 0; i < string->n; i++)
		if ((unsigned char)string->bytes[i] < ' ' || string->bytes[i] == '\\' ||
			(unsigned char)string->bytes[i] > '~')
			return false;
	return true;
}

static void add_strings(const struct polc_assert_question *q, const struct polc_trace_test *test,
	string_list *strings, struct polc_assert_cases *out)
{
	bool simple = test->string_op == POLC_STRING_EQUAL || test->string_op == POLC_STRING_PREFIX;

	out->complete &= simple;
	for (size_t i = 0; i < test->strings.n; i++) {
		const struct polc_string *string = &test->strings.items[i];

		out->complete &= plain_text(string);
		*polc_vec_push(q->arena, strings) =
			polc_arena_strndup(q->arena, string->bytes, string->n);
		if (!simple)
			add(q, out,
				polc_arena_printf(
					q->arena, "/x%.*s", (int)string->n, string->bytes));
	}
}

/* ---- by the kind of tests ---- */

/* What the tests of a key are about: one kind, or the question has no complete answer. */
enum about { ABOUT_NOTHING, ABOUT_NUMBERS, ABOUT_STRINGS, ABOUT_NAMESPACE, ABOUT_OTHER };

static enum about about_of(const struct polc_trace_test *test)
{
	switch (test->kind) {
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_PIDS:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_PORT:
	case POLC_TEST_PROTOCOL:
		return ABOUT_NUMBERS;
	case POLC_TEST_STRING:
	case POLC_TEST_BINARY:
		return ABOUT_STRINGS;
	case POLC_TEST_NAMESPACE:
		return ABOUT_NAMESPACE;
	case POLC_TEST_FILE_TYPE:
	case POLC_TEST_ADDRESS:
	case POLC_TEST_FAMILY:
	case POLC_TEST_STATE:
	case POLC_TEST_CAPS_GAINED:
	case POLC_TEST_EXPRESSION:
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITY_CHANGES:
	case POLC_TEST_WORKLOAD:
		return ABOUT_OTHER;
	}
	return ABOUT_OTHER;
}

static bool is_workload(const char *key)
{
	static const char *const keys[] = {
		"pod", "workload", "namespace", "labels", "container", "image"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

static enum about subject(const struct polc_assert_question *q)
{
	enum about about = ABOUT_NOTHING;

	if (is_workload(q->key))
		return ABOUT_OTHER;
	if (!strncmp(q->key, "ns.", 3)) {
		for (size_t i = 0; i < q->tests.n; i++)
			if (q->tests.items[i]->kind == POLC_TEST_NAMESPACE_CHANGES)
				return ABOUT_OTHER;
		return ABOUT_NAMESPACE;
	}

	for (size_t i = 0; i < q->tests.n; i++) {
		enum about own = about_of(q->tests.items[i]);

		if (about != ABOUT_NOTHING && own != about)
			return ABOUT_OTHER;
		about = own;
	}
	return about;
}

static void about_numbers(const struct polc_assert_question *q, struct polc_assert_cases *out)
{
	struct numbers n = {.max = UINT64_MAX};

	for (size_t i = 0; i < q->tests.n; i++) {
		const struct polc_trace_test *test = q->tests.items[i];

		if (test->kind == POLC_TEST_PIDS) {
			n.min = test->namespace_pid ? 0 : 1;
			n.max = PID_MAX;
			add_intervals(q, &n, &test->pids);
			out->complete &= !test->follow_forks;
		} else if (test->kind == POLC_TEST_CAPABILITIES) {
			add_mask(&n, test->mask);
		} else {
			if (test->kind == POLC_TEST_PORT)
				n.max = UINT16_MAX;
			else if (test->kind == POLC_TEST_PROTOCOL)
				n.max = UINT8_MAX;
			else
				value_range(&q->specs.items[i]->values.items[test->value], &n);
			if (test->kind == POLC_TEST_MASK)
				add_mask(&n, test->mask);
			else
				add_intervals(q, &n, &test->intervals);
		}
	}
	/* the same value read with different types is not the same number */
	for (size_t i = 1; i < q->tests.n; i++)
		if (q->tests.items[i]->kind <= POLC_TEST_MASK &&
			q->tests.items[0]->kind <= POLC_TEST_MASK)
			out->complete &=
				q->specs.items[i]->values.items[q->tests.items[i]->value].type ==
				q->specs.items[0]->values.items[q->tests.items[0]->value].type;
	number_cases(q, &n, out);
}

static void about_strings(const struct polc_assert_question *q, struct polc_assert_cases *out)
{
	bool process = false, several = !strcmp(q->key, "ancestors"), path = false;
	string_list strings = {0};

	for (size_t i = 0; i < q->tests.n; i++) {
		const struct polc_trace_test *test = q->tests.items[i];

		process |= test->kind == POLC_TEST_BINARY;
		if (test->kind == POLC_TEST_STRING)
			path |= polc_trace_type_class(
					q->specs.items[i]->values.items[test->value].type) ==
				POLB_CLASS_PATH;
		add_strings(q, test, &strings, out);
	}
	for (size_t i = 0; i < q->named.n; i++)
		*polc_vec_push(q->arena, &strings) = q->named.items[i];
	/* of a list one is tried, so that more than one string is not settled */
	out->complete &= !several || strings.n <= 1;
	if (path)
		add(q, out, "");
	string_cases(q, &strings, process || path, out);
}

static void about_namespace(const struct polc_assert_question *q, struct polc_assert_cases *out)
{
	for (size_t i = 0; i < q->tests.n; i++) {
		const polc_intervals *intervals = &q->tests.items[i]->intervals;
		bool names = q->tests.items[i]->kind == POLC_TEST_NAMESPACE;

		for (size_t j = 0; names && j < intervals->n; j++) {
			uint64_t lo = intervals->items[j].lo, hi = intervals->items[j].hi;

			for (uint64_t k = lo; k <= hi && k - lo < NAMESPACES_MAX; k++)
				add(q, out, polc_arena_printf(q->arena, "%" PRIu64, k));
			out->complete &= hi - lo < NAMESPACES_MAX;
		}
	}
	add(q, out, "host");
	add(q, out, "other");
}

/* Workloads: those of the inventory, and none. */
static void about_other(const struct polc_assert_question *q, struct polc_assert_cases *out)
{
	const struct polc_inventory *inventory = &q->context->input->inventory;

	out->complete = false;
	for (size_t i = 0; i < q->named.n; i++)
		add(q, out, q->named.items[i]);
	if (strcmp(q->key, "pod"))
		return;
	*polc_vec_push(q->arena, &out->list) = (struct polc_assert_case){"workload", "host"};
	for (size_t i = 0; i < inventory->pods.n && i < NAMESPACES_MAX; i++)
		add(q, out,
			polc_arena_printf(q->arena, "%s/%s", inventory->pods.items[i].namespace,
				inventory->pods.items[i].name));
}

/* Nothing but the claim speaks of it. */
static void about_nothing(const struct polc_assert_question *q, struct polc_assert_cases *out)
{
	uint64_t value;

	if (q->named.n && polc_call_parse_integer(q->named.items[0], &value)) {
		struct numbers n = {.max = INT32_MAX};

		number_cases(q, &n, out);
		return;
	}
	about_strings(q, out);
}

void polc_assert_cases(const struct polc_assert_question *q, struct polc_assert_cases *out)
{
	*out = (struct polc_assert_cases){.complete = true};
	switch (subject(q)) {
	case ABOUT_NOTHING:
		about_nothing(q, out);
		break;
	case ABOUT_NUMBERS:
		about_numbers(q, out);
		break;
	case ABOUT_STRINGS:
		about_strings(q, out);
		break;
	case ABOUT_NAMESPACE:
		about_namespace(q, out);
		break;
	case ABOUT_OTHER:
		about_other(q, out);
		break;
	}
	add(q, out, "?"); /* what cannot be read, or is not known */
}
