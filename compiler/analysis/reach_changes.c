/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What differs between two networks: items that stand in both cancel each other, and every other is
 * a cause whose pairs of deciders are looked for (reach_pairs.c).
 */
#include <stdlib.h>
#include <string.h>

#include "../ir/name_table.h"
#include "reach_private.h"

/* Cells of the table for the longest common order of two tiers; beyond, only ends are compared. */
#define ORDER_CELLS ((size_t)4 << 20)
/* Steps of a whole comparison: what is spent on one cause is missing for none of the next few. */
#define CHANGES_STEPS (POLC_REACH_STEPS * 16)

struct changing {
	struct polc_reach *reach;
	struct polc_changes *changes;
	struct polc_name_table pairs; /* listed, by text */
	struct reach_search search;
	struct polc_witness witness;
};

/* --- what stands in both ---------------------------------------------------------------------- */

static void mark_unordered(struct reach_level *a, struct reach_level *b, uint32_t n_contents)
{
	bool *stands[2];
	struct reach_level *levels[2] = {a, b};

	for (int i = 0; i < 2; i++) {
		stands[i] = POLC_NEW_ARRAY(&a->side->reach->scratch, n_contents, bool);
		for (size_t j = 0; j < levels[i]->items.n; j++)
			stands[i][levels[i]->items.items[j].content] = true;
	}
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < levels[i]->items.n; j++) {
			struct reach_item *item = &levels[i]->items.items[j];
			item->common = stands[!i][item->content];
		}
}

static bool same(const struct reach_level *a, size_t i, const struct reach_level *b, size_t j)
{
	return a->items.items[i].content == b->items.items[j].content;
}

static void mark_pair(struct reach_level *a, size_t i, struct reach_level *b, size_t j)
{
	a->items.items[i].common = b->items.items[j].common = true;
}

/* The longest common subsequence of a[from, a_end) and b[from, b_end). */
static void mark_between(
	struct reach_level *a, struct reach_level *b, size_t from, size_t a_end, size_t b_end)
{
	size_t rows = a_end - from + 1, columns = b_end - from + 1;
	uint32_t *length;

	if (rows > ORDER_CELLS / columns)
		return;
	length = POLC_NEW_ARRAY(&a->side->reach->scratch, rows * columns, uint32_t);
	for (size_t i = rows - 1; i-- > 0;)
		for (size_t j = columns - 1; j-- > 0;) {
			uint32_t down = length[(i + 1) * columns + j],
				 right = length[i * columns + j + 1];
			length[i * columns + j] = same(a, from + i, b, from + j)
							  ? length[(i + 1) * columns + j + 1] + 1
						  : down > right ? down
								 : right;
		}
	for (size_t i = 0, j = 0; i + 1 < rows && j + 1 < columns;) {
		if (same(a, from + i, b, from + j))
			mark_pair(a, from + i++, b, from + j++);
		else if (length[(i + 1) * columns + j] >= length[i * columns + j + 1])
			i++;
		else
			j++;
	}
}

static void mark_ordered(struct reach_level *a, struct reach_level *b)
{
	size_t from = 0, a_end = a->items.n, b_end = b->items.n;

	for (; from < a_end && from < b_end && same(a, from, b, from); from++)
		mark_pair(a, from, b, from);
	for (; a_end > from && b_end > from && same(a, a_end - 1, b, b_end - 1); a_end--, b_end--)
		mark_pair(a, a_end - 1, b, b_end - 1);
	mark_between(a, b, from, a_end, b_end);
}

/* The posture isolates whom no policy selects: another thing when other policies select. */
static void mark_posture(struct reach_level *isolators, const struct reach_level *selected)
{
	for (size_t i = 0; i < selected->items.n; i++)
		if (!selected->items.items[i].common && isolators->items.n)
			isolators->items.items[isolators->items.n - 1].common = false;
}

static void mark_common(struct polc_reach *reach, enum polc_direction direction)
{
	struct reach_level *old = reach->sides[0].levels[direction];
	struct reach_level *new = reach->sides[1].levels[direction];
	bool posture = reach->sides[0].network->posture == POLC_POSTURE_DENY &&
		       reach->sides[1].network->posture == POLC_POSTURE_DENY;

	mark_ordered(&old[REACH_ADMIN], &new[REACH_ADMIN]);
	mark_ordered(&old[REACH_BASELINE], &new[REACH_BASELINE]);
	for (int kind = REACH_DENIES; kind <= REACH_SELECTED; kind++)
		mark_unordered(&old[kind], &new[kind], reach->n_contents);
	for (int i = 0; posture && i < 2; i++) {
		mark_posture(
			&old[REACH_ISOLATORS], i ? &old[REACH_SELECTED] : &new[REACH_SELECTED]);
		mark_posture(
			&new[REACH_ISOLATORS], i ? &old[REACH_SELECTED] : &new[REACH_SELECTED]);
	}
}

/* --- regions -------------------------------------------------------------------------------- */

static const struct polc_net_rule *rule_of(
	const struct reach_side *side, const struct polc_decider *decider)
{
	return decider->rule >= POLB_RULE_FIRST
		       ? &side->network->rules[decider->rule - POLB_RULE_FIRST]
		       : NULL;
}

static const struct polc_net_policy *policy_of(
	const struct reach_side *side, const struct polc_decider *decider)
{
	const struct polc_net_rule *rule = rule_of(side, decider);

	if (rule)
		return &side->network->policies[rule->policy];
	return decider->policy == POLC_NO_POLICY ? NULL : &side->network->policies[decider->policy];
}

/* Ports that all rules of a region have in common; NULL when one goes by a name. */
static const struct polc_set *common_ports(
	struct polc_reach *reach, const struct polc_net_rule *const *rules, size_t n)
{
	const struct polc_set *out = reach->space->everything[POLC_SLOT_PORT];

	for (size_t i = 0; i < n; i++) {
		if (!rules[i])
			continue;
		for (size_t j = 0; j < rules[i]->n_ports; j++)
			if (rules[i]->ports[j].kind == POLC_PORT_NAME)
				return NULL;
		const struct polc_set *ports =
			polc_space_ports(reach->space, rules[i]->ports, rules[i]->n_ports);
		if (ports)
			out = polc_set_intersect(reach->arena, out, ports);
	}
	return out;
}

/* Who and whom: the cause says, or else what it meets. */
static const char *region_text(struct polc_reach *reach, enum polc_direction direction,
	const struct polc_changed_region *region)
{
	struct polc_buf text = {.arena = reach->arena};
	unsigned by = region->cause_network;
	const struct reach_side *side = &reach->sides[by];
	const struct polc_net_rule *rules[] = {rule_of(side, &region->cause),
		rule_of(&reach->sides[0], &region->decider[0]),
		rule_of(&reach->sides[1], &region->decider[1])};
	const struct polc_set *ports = common_ports(reach, rules, POLC_ARRAY_SIZE(rules));
	const struct polc_net_rule *other = rules[1 + !by];

	if (rules[0] || !other)
		reach_describe(
			side, direction, policy_of(side, &region->cause), rules[0], ports, &text);
	else
		reach_describe(&reach->sides[!by], direction,
			policy_of(&reach->sides[!by], &region->decider[!by]), other, ports, &text);
	return text.p;
}

static const char *pair_key(struct reach_pairs *pairs, const struct reach_decider *with,
	const struct reach_decider *without)
{
	const struct reach_side *old = &pairs->search->reach->sides[0];
	bool with_is_old = pairs->with.side == old;
	const struct reach_decider *a = with_is_old ? with : without,
				   *b = with_is_old ? without : with;

	return polc_arena_printf(pairs->search->reach->arena, "%d %d %u %d %d %u %d",
		pairs->with.direction, a->level, a->item, a->local_node, b->level, b->item,
		b->local_node);
}

static bool is_known(struct reach_pairs *pairs, const struct reach_decider *with,
	const struct reach_decider *without)
{
	struct changing *c = pairs->context;

	return polc_names_find(&c->pairs, pair_key(pairs, with, without)) != POLC_NO_NAME;
}

static void confirm(struct changing *c, const struct polc_changed_region *region)
{
	for (int i = 0; i < 2; i++) {
		struct polc_decision decision;
		polc_witness_decide(&c->reach->scratch, c->reach->sides[i].network,
			&region->witness, &decision);
		if (decision.verdict != region->verdict[i] ||
			decision.rule != region->decider[i].rule)
			POLC_BUG("a changed connection is decided by %u, not %u", decision.rule,
				region->decider[i].rule);
	}
}

static struct polc_decider cause_of(const struct reach_pairs *pairs)
{
	const struct reach_decider item = {.level = pairs->level->kind, .item = pairs->item};

	return reach_decider_public(pairs->with.side, pairs->with.direction, &item);
}

static bool add_region(struct reach_pairs *pairs, const struct reach_decider *with,
	const struct reach_decider *without)
{
	struct changing *c = pairs->context;
	unsigned by = pairs->with.side == &c->reach->sides[0] ? 0 : 1;
	struct polc_changed_region region = {.cause_network = by, .witness = c->witness};

	region.verdict[by] = with->verdict;
	region.verdict[!by] = without->verdict;
	region.decider[by] = reach_decider_public(pairs->with.side, pairs->with.direction, with);
	region.decider[!by] =
		reach_decider_public(pairs->without.side, pairs->with.direction, without);
	region.cause = cause_of(pairs);
	region.text = region_text(c->reach, pairs->with.direction, &region);
	confirm(c, &region);
	polc_names_add(c->reach->arena, &c->pairs, pair_key(pairs, with, without), 0);
	*polc_vec_push(c->reach->arena, &c->changes->regions) = region;
	return false;
}

/* --- causes --------------------------------------------------------------------------------- */

static void changes_of(
	struct changing *c, unsigned by, struct reach_level *level, uint32_t item, uint64_t *steps)
{
	struct reach_pairs pairs = {
		.with = {.side = &c->reach->sides[by], .direction = level->direction},
		.without = {.side = &c->reach->sides[!by], .direction = level->direction},
		.level = level,
		.item = item,
		.search = &c->search,
		.known = is_known,
		.found = add_region,
		.context = c};

	reach_search_init(&c->search, c->reach, level->direction, &c->witness);
	c->search.steps = *steps < POLC_REACH_STEPS ? *steps : POLC_REACH_STEPS;
	uint64_t given = c->search.steps;
	reach_pairs_find(&pairs);
	*steps -= given - c->search.steps;
	if (pairs.unknown) {
		struct polc_changed_region unknown = {
			.cause_network = by, .cause = cause_of(&pairs)};
		unknown.text = region_text(c->reach, level->direction, &unknown);
		*polc_vec_push(c->reach->arena, &c->changes->unknown) = unknown;
	}
	polc_arena_free(&c->reach->scratch);
}

static void changes_by(struct changing *c, unsigned by, uint64_t *steps)
{
	for (int d = 0; d < 2; d++)
		for (int kind = 0; kind < REACH_LEVELS; kind++) {
			struct reach_level *level = &c->reach->sides[by].levels[d][kind];
			for (uint32_t i = 0; kind != REACH_SELECTED && i < level->items.n; i++)
				if (!level->items.items[i].common)
					changes_of(c, by, level, i, steps);
		}
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_cause(const struct polc_changed_region *a, const struct polc_changed_region *b)
{
	int c = compare_numbers(b->cause_network, a->cause_network);

	if (!c)
		c = compare_numbers(a->cause.rule, b->cause.rule);
	return c ? c : compare_numbers(a->cause.policy, b->cause.policy);
}

static int compare_regions(const void *pa, const void *pb)
{
	const struct polc_changed_region *a = pa, *b = pb;
	int c = compare_numbers(a->verdict[1], b->verdict[1]);

	if (!c)
		c = compare_cause(a, b);
	for (int i = 0; !c && i < 2; i++) {
		c = compare_numbers(a->decider[!i].rule, b->decider[!i].rule);
		if (!c)
			c = compare_numbers(a->decider[!i].policy, b->decider[!i].policy);
	}
	return c ? c : compare_numbers(a->witness.direction, b->witness.direction);
}

void polc_reach_changes(struct polc_reach *reach, struct polc_changes *changes)
{
	struct changing c = {.reach = reach, .changes = changes};
	uint64_t steps = CHANGES_STEPS;

	if (reach->n_sides != 2)
		POLC_BUG("changes are between two networks");
	*changes = (struct polc_changes){0};
	mark_common(reach, POLC_INGRESS);
	mark_common(reach, POLC_EGRESS);
	polc_arena_free(&reach->scratch);
	/* what is new first: a pair of deciders is listed once, with the cause that people see */
	changes_by(&c, 1, &steps);
	changes_by(&c, 0, &steps);
	if (changes->regions.n)
		qsort(changes->regions.items, changes->regions.n, sizeof(*changes->regions.items),
			compare_regions);
}
