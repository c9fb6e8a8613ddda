/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Variants of tables: what an endpoint may do in one direction, for each set of its switchable
 * policies that is enforced. The programs cannot take a policy out of merged rows; with a table for
 * each set, switching is one store.
 */
#include <string.h>

#include "../../runtime/bundle.h"
#include "plan_internal.h"

struct choice {
	uint32_t policies[POLB_MAX_SWITCHABLE_OF_TABLE]; /* switchable ones, ascending */
	uint32_t n;
};

static bool in_choice(const struct choice *c, uint32_t switchable, uint32_t enforced)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->policies[i] == switchable)
			return enforced >> i & 1;
	return false;
}

static void insert(struct choice *c, uint32_t switchable)
{
	uint32_t at = c->n++;

	for (; at && c->policies[at - 1] > switchable; at--)
		c->policies[at] = c->policies[at - 1];
	c->policies[at] = switchable;
}

static void report(struct polc_planner *p, const struct choice *c, uint32_t more)
{
	const struct polc_network *network = p->network;
	const struct polc_switchable *last = &network->switchables[more];
	struct polc_diagnostic *d = polc_error(p->polc, last->span, POLC_CODE_LIMIT,
		"more than %d policies that can be switched govern one endpoint in one direction",
		POLB_MAX_SWITCHABLE_OF_TABLE);

	for (uint32_t i = 0; i < c->n; i++)
		polc_diagnostic_relate(
			p->polc, d, network->switchables[c->policies[i]].span, "so does this one");
	p->failed = true;
}

/* False: too many. */
static bool add_policies(
	struct polc_planner *p, struct choice *c, const uint32_t *policies, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t switchable = p->network->policies[policies[i]].switchable;

		if (!switchable || in_choice(c, switchable - 1, UINT32_MAX))
			continue;
		if (c->n == POLB_MAX_SWITCHABLE_OF_TABLE) {
			report(p, c, switchable - 1);
			return false;
		}
		insert(c, switchable - 1);
	}
	return true;
}

static bool is_kept(
	const struct polc_planner *p, const struct choice *c, uint32_t policy, uint32_t enforced)
{
	uint32_t switchable = p->network->policies[policy].switchable;

	return !switchable || in_choice(c, switchable - 1, enforced);
}

/* Whether, with posture "deny", no policy is left that selects the endpoint. */
static bool is_unselected(const struct polc_planner *p, const struct polc_table *table,
	const struct choice *c, uint32_t enforced)
{
	bool left = table->governed;

	for (size_t i = 0; i < table->n_policies; i++)
		left |= is_kept(p, c, table->policies[i], enforced);
	for (size_t i = 0; i < table->n_elsewhere; i++)
		left |= is_kept(p, c, table->elsewhere[i], enforced);
	return !left;
}

/* The table with the enforced ones of the choice and all that are not switchable. */
static struct polc_table variant_key(struct polc_planner *p, const struct polc_table *table,
	const struct choice *c, uint32_t enforced)
{
	const struct polc_network *network = p->network;
	uint32_t *policies = POLC_NEW_ARRAY(p->arena, table->n_policies, uint32_t);
	struct polc_table key = {.direction = table->direction,
		.policies = policies,
		.ports = table->ports,
		.n_ports = table->n_ports};

	for (size_t i = 0; i < table->n_policies; i++) {
		if (!is_kept(p, c, table->policies[i], enforced))
			continue;
		policies[key.n_policies++] = table->policies[i];
		key.isolated |= network->policies[table->policies[i]].isolates[table->direction];
	}
	key.isolated |= network->posture == POLC_POSTURE_ALWAYS;
	key.isolated |=
		network->posture == POLC_POSTURE_DENY && is_unselected(p, table, c, enforced);
	return key;
}

static struct polc_plan_variant make_variant(struct polc_planner *p, uint32_t number,
	const struct choice *c, polc_table_intern *intern, void *context)
{
	uint32_t *tables = POLC_NEW_ARRAY(p->arena, (size_t)1 << c->n, uint32_t);
	uint32_t *policies = POLC_NEW_ARRAY(p->arena, c->n, uint32_t);

	memcpy(policies, c->policies, c->n * sizeof(*policies));
	for (uint32_t enforced = 0; enforced < 1u << c->n; enforced++) {
		/* interning moves the tables */
		const struct polc_table table = p->tables.items[number];
		struct polc_table key = variant_key(p, &table, c, enforced);

		tables[enforced] = intern(context, &key);
	}
	return (struct polc_plan_variant){
		.table = number, .policies = policies, .n_policies = c->n, .tables = tables};
}

void polc_plan_variants(struct polc_planner *p, polc_table_intern *intern, void *context)
{
	POLC_VEC(struct polc_plan_variant) variants = {0};
	uint32_t n = p->network->n_switchables ? (uint32_t)p->tables.n : 0;

	for (uint32_t i = 1; i < n && !p->failed; i++) {
		const struct polc_table *table = &p->tables.items[i];
		struct choice c = {.n = 0};

		if (!add_policies(p, &c, table->policies, table->n_policies) ||
			!add_policies(p, &c, table->elsewhere, table->n_elsewhere))
			return;
		if (c.n)
			*polc_vec_push(p->arena, &variants) =
				make_variant(p, i, &c, intern, context);
	}
	p->plan->variants = variants.items;
	p->plan->n_variants = (uint32_t)variants.n;
}

uint32_t polc_plan_isolation_rule(
	const struct polc_network *network, const struct polc_table *table)
{
	uint32_t first = POLB_RULE_DEFAULT_DENY;

	for (size_t i = 0; i < table->n_policies; i++) {
		const struct polc_net_policy *policy = &network->policies[table->policies[i]];
		if (!policy->isolates[table->direction])
			continue;
		if (!policy->switchable)
			return POLB_RULE_DEFAULT_DENY;
		if (first == POLB_RULE_DEFAULT_DENY)
			first = polc_isolation_rule(network, table->policies[i], table->direction);
	}
	return network->posture == POLC_POSTURE_ALWAYS ? POLB_RULE_DEFAULT_DENY : first;
}

const struct polc_plan_variant *polc_plan_variant_of(const struct polc_plan *plan, uint32_t table)
{
	for (uint32_t i = 0; i < plan->n_variants; i++)
		if (plan->variants[i].table == table)
			return &plan->variants[i];
	return NULL;
}
