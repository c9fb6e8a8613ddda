/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between the files of assertions. */
#ifndef POLC_ASSERT_PRIVATE_H
#define POLC_ASSERT_PRIVATE_H

#include "assert.h"
#include "call_private.h"
#include "reach.h"

void polc_assert_path(const struct polc_assert_context *context, struct polc_reach **reach,
	const struct polc_ast_assertion *assertion, const struct polc_ast_claim *claim);
void polc_assert_call(const struct polc_assert_context *context,
	const struct polc_ast_assertion *assertion, const struct polc_ast_claim *claim);

/* Values of one key that a search tries. */
struct polc_assert_case {
	const char *key, *value; /* the key may be another name of the same matter */
};
struct polc_assert_cases {
	POLC_VEC(struct polc_assert_case) list;
	bool complete; /* every value is decided like one of these */
};
/* What decides between values of a key: tests that are open, and values that the claim names. */
struct polc_assert_question {
	struct polc_arena *arena;
	const struct polc_assert_context *context;
	const char *key;
	POLC_VEC(const struct polc_trace_test *) tests;
	POLC_VEC(const struct polc_trace_spec *) specs; /* of each test */
	POLC_VEC(const char *) named;
};
/* Adds the tests that this decision leaves open and that ask for the key. */
void polc_assert_ask(struct polc_assert_question *question, const struct polc_tracing *tracing,
	const struct polc_call *call, const struct polc_call_decision *decision);
void polc_assert_cases(const struct polc_assert_question *question, struct polc_assert_cases *out);
/* Are these two the same value? */
bool polc_assert_same(const char *a, const char *b);

#endif
