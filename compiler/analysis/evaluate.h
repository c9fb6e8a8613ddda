/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reference evaluator: the truth everything else is checked against. Slow, obvious, built on
 * the network IR alone: no bits, no classes, no rows.
 */
#ifndef POLC_EVALUATE_H
#define POLC_EVALUATE_H

#include "../../runtime/abi.h"
#include "../ir/network.h"

/* One rule that matched on the way, in the order in which it was considered. */
struct polc_match {
	uint32_t rule; /* index into network->rules */
	bool decides;
};
struct polc_decision {
	/*
	 * ALLOW or DENY; AUDIT: allowed, and denied if the policies in audit mode were enforced.
	 * All else says then why it would be denied.
	 */
	enum polb_verdict verdict;
	enum polc_tier tier; /* where it was decided; MIDDLE for isolation and the default */
	bool isolated;       /* some middle-tier policy isolates the endpoint here */
	/* The deciding rule's id, or a POLB_RULE_* reason. With several equal ones: the first in
	 * source order. */
	uint32_t rule;
	/* With rule DEFAULT_DENY: the rule number of the switchable policy that isolates, when no
	 * other does (polc_isolation_rule()); else 0. */
	uint32_t isolation;
	/* Every rule that would justify the same verdict in the deciding step (ids). */
	const uint32_t *candidates;
	size_t n_candidates;
	POLC_VEC(struct polc_match) trace;
};
void polc_evaluate(struct polc_arena *arena, const struct polc_network *network,
	const struct polc_identities *identities, const struct polc_question *question,
	struct polc_decision *decision);

#endif
