/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Policies whose mode can be switched: which they are, and networks with and without them. */
#include <string.h>

#include "../../runtime/abi.h"
#include "lower.h"

uint32_t polc_lower_switchable(struct polc_lowering *l, const struct polc_ast_policy *policy)
{
	if (policy->mode == POLC_MODE_FIXED)
		return 0;
	*polc_vec_push(&l->polc->arena, &l->switchables) = (struct polc_switchable){
		.kind = policy->kind,
		.namespace = policy->namespace,
		.name = policy->name,
		.span = policy->mode_span.source ? policy->mode_span : policy->name_span,
		.audit = policy->mode == POLC_MODE_AUDIT,
	};
	return (uint32_t)l->switchables.n;
}

void polc_lower_isolations(struct polc_lowering *l, struct polc_network *network)
{
	POLC_VEC(struct polc_isolation) found = {0};

	for (uint32_t i = 0; i < network->n_policies; i++)
		for (int d = 0; network->policies[i].switchable && d < 2; d++)
			if (network->policies[i].isolates[d])
				*polc_vec_push(&l->polc->arena, &found) =
					(struct polc_isolation){i, (enum polc_direction)d};
	network->switchables = l->switchables.items;
	network->n_switchables = l->switchables.n;
	network->isolations = found.items;
	network->n_isolations = found.n;
}

bool polc_network_has_audit(const struct polc_network *network)
{
	for (size_t i = 0; i < network->n_switchables; i++)
		if (network->switchables[i].audit)
			return true;
	return false;
}

bool polc_policy_is_audited(
	const struct polc_network *network, const struct polc_net_policy *policy)
{
	return policy->switchable && network->switchables[policy->switchable - 1].audit;
}

uint32_t polc_isolation_rule(
	const struct polc_network *network, uint32_t policy, enum polc_direction direction)
{
	for (uint32_t i = 0; i < network->n_isolations; i++)
		if (network->isolations[i].policy == policy &&
			network->isolations[i].direction == direction)
			return POLB_RULE_FIRST + (uint32_t)network->n_rules + i;
	return POLB_RULE_DEFAULT_DENY;
}

const struct polc_isolation *polc_isolation_find(
	const struct polc_network *network, uint32_t rule_id)
{
	size_t first = POLB_RULE_FIRST + network->n_rules;

	if (rule_id < first || rule_id - first >= network->n_isolations)
		return NULL;
	return &network->isolations[rule_id - first];
}

static void remove_audited(struct polc_net_policy *policy)
{
	policy->n_subjects = 0;
	for (int d = 0; d < 2; d++)
		policy->selects[d] = policy->isolates[d] = false;
}

const struct polc_network *polc_network_view(
	struct polc_arena *arena, const struct polc_network *network, enum polc_view view)
{
	if (!polc_network_has_audit(network))
		return network;
	struct polc_net_policy *policies =
		POLC_NEW_ARRAY(arena, network->n_policies, struct polc_net_policy);
	struct polc_switchable *switchables =
		POLC_NEW_ARRAY(arena, network->n_switchables, struct polc_switchable);
	struct polc_network *out = POLC_NEW(arena, struct polc_network);

	*out = *network;
	memcpy(policies, network->policies, network->n_policies * sizeof(*policies));
	memcpy(switchables, network->switchables, network->n_switchables * sizeof(*switchables));
	for (size_t i = 0; view == POLC_VIEW_ENFORCED && i < network->n_policies; i++)
		if (polc_policy_is_audited(network, &policies[i]))
			remove_audited(&policies[i]);
	for (size_t i = 0; i < network->n_switchables; i++)
		switchables[i].audit = false;
	out->policies = policies;
	out->switchables = switchables;
	return out;
}
