/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the lowering files: selector interning and the state of one run. Private to ir/. */
#ifndef POLC_LOWER_H
#define POLC_LOWER_H

#include "labels.h"
#include "network.h"

typedef POLC_VEC(uint32_t) polc_ids;

struct polc_selector_slot {
	struct polb_selector selector;
	uint64_t hash;
};

struct polc_lowering {
	struct polc *polc;
	const struct polc_input *input;
	const struct polc_lower_options *options;
	const char *cluster_name;
	POLC_VEC(struct polc_selector_slot) selectors; /* distinct, in order of appearance */
	uint32_t *table;                               /* hash table of selector index + 1 */
	size_t table_size;
	POLC_VEC(struct polc_net_policy) policies;
	POLC_VEC(struct polc_net_rule) rules;
	POLC_VEC(struct polc_switchable) switchables;
};

/* modes.c: what polc_net_policy.switchable is to be; then, of the lowered policies, the rest. */
uint32_t polc_lower_switchable(struct polc_lowering *l, const struct polc_ast_policy *policy);
void polc_lower_isolations(struct polc_lowering *l, struct polc_network *network);

/* The number of an equal selector, interned on first sight; all it points to must stay valid. */
uint32_t polc_lower_intern(struct polc_lowering *l, const struct polb_selector *selector);

/* Peers and subjects to selector numbers, appended to ids (lower_peers.c). */
void polc_lower_peer(struct polc_lowering *l, const struct polc_ast_policy *policy,
	const struct polc_ast_rule *rule, const struct polc_ast_peer *peer, polc_ids *ids);
void polc_lower_subject(struct polc_lowering *l, const struct polc_ast_policy *policy,
	const struct polc_ast_peer *subject, polc_ids *ids);

#endif
