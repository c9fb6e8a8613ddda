/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Assertions: claims about all connections or all calls, checked against the whole set of policies.
 * Paths are proved or refuted exactly (reach.h). Calls are split into cases by every constant that
 * the tests in question and the assertion name, each case decided by the reference evaluator
 * (call.h): where all these tests are of simple kinds the cases are all there are, else what was
 * searched is no proof, and is said not to be.
 */
#ifndef POLC_ASSERT_H
#define POLC_ASSERT_H

#include "../ir/network.h"
#include "../ir/tracing.h"

struct polc_assert_context {
	struct polc *polc;
	const struct polc_input *input;
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_tracing *tracing;
};

/*
 * Checks every assertion of the input: ASSERTION_FAILED with a counterexample, ASSERTION_UNKNOWN
 * (an error for paths, a warning for calls), BAD_ASSERTION, VACUOUS_ASSERTION. For input without
 * errors.
 */
void polc_assert_check(const struct polc_assert_context *context);

#endif
