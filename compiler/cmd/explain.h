/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between the files of `polc explain`: what was found, and how it is printed. */
#ifndef POLC_EXPLAIN_H
#define POLC_EXPLAIN_H

#include "flow.h"

/* A policy that selects the endpoint in the direction asked about. */
struct polc_explained_policy {
	const struct polc_net_policy *policy;
	bool isolates;
	unsigned n_rules;                    /* of this direction */
	POLC_VEC(struct polc_match) matches; /* those that were considered and match */
};

struct polc_explained_side {
	enum polc_direction direction;
	const struct polc_party *party;
	bool governed;
	struct polc_decision decision;
	POLC_VEC(struct polc_explained_policy) policies; /* in order of tiers */
};

/* `sides` by enum polc_direction. */
void polc_explain_print_text(struct polc_cmd *cmd, const struct polc_flow *flow,
	const struct polc_explained_side sides[2], FILE *out);
void polc_explain_print_json(struct polc_cmd *cmd, const struct polc_flow *flow,
	const struct polc_explained_side sides[2], FILE *out);

/* Differences from Tetragon that concern the policies; all of them when there is no policy. */
int polc_explain_tetragon_delta(struct polc_cmd *cmd, bool json);

/* What tracing policies make of a call: a hook and KEY=VALUE facts (analysis/call.h). */
int polc_explain_call(
	struct polc_cmd *cmd, const char *hook, const polc_text_list *with, bool json);

#endif
