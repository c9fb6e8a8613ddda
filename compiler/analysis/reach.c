/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The questions about rules. Every witness is put to the evaluator before anybody sees it. */
#include "reach.h"

#include <string.h>

#include "../ir/labels.h"
#include "../ir/name_table.h"
#include "reach_private.h"

/* Pods carry it; networks that were made without lowering do not say. */
static const char *cluster_name(
	const struct polc_network *const *networks, const struct polc_identities *inventory)
{
	for (size_t i = 0; inventory && i < inventory->endpoints.n; i++) {
		const struct polc_identity *id =
			&inventory->identities.items[inventory->endpoints.items[i].identity];
		for (size_t j = 0; j < id->n_labels; j++)
			if (!strcmp(id->labels[j].key, POLC_LABEL_CLUSTER))
				return id->labels[j].value;
	}
	return networks[0]->cluster_name ? networks[0]->cluster_name : POLC_DEFAULT_CLUSTER;
}

struct polc_reach *polc_reach_new(struct polc_arena *arena,
	const struct polc_network *const *networks, size_t n_networks,
	const struct polc_identities *inventory)
{
	struct polc_reach *reach = POLC_NEW(arena, struct polc_reach);

	reach->arena = arena;
	reach->steps = UINT64_MAX;
	reach->inventory = inventory;
	reach->contents = POLC_NEW(arena, struct polc_name_table);
	reach->space = polc_space_new(arena, cluster_name(networks, inventory));
	for (size_t i = 0; i < n_networks; i++)
		polc_space_learn(reach->space, networks[i]);
	reach->n_sides = n_networks;
	reach->sides = POLC_NEW_ARRAY(arena, n_networks, struct reach_side);
	for (size_t i = 0; i < n_networks; i++)
		reach_side_build(&reach->sides[i], reach, networks[i]);
	return reach;
}

void polc_reach_limit(struct polc_reach *reach, uint64_t steps)
{
	reach->steps = steps;
}

static const struct reach_place *place_of(
	const struct polc_reach *reach, size_t network, uint32_t rule)
{
	if (network >= reach->n_sides || rule >= reach->sides[network].network->n_rules)
		POLC_BUG("no rule %u in network %zu", rule, network);
	return &reach->sides[network].places[rule];
}

static bool is_candidate(const struct polc_decision *decision, uint32_t id)
{
	for (size_t i = 0; i < decision->n_candidates; i++)
		if (decision->candidates[i] == id)
			return true;
	return false;
}

static bool was_considered(const struct polc_decision *decision, uint32_t rule)
{
	for (size_t i = 0; i < decision->trace.n; i++)
		if (decision->trace.items[i].rule == rule)
			return true;
	return false;
}

static enum polc_answer done(struct polc_reach *reach, enum polc_answer answer)
{
	polc_arena_free(&reach->scratch);
	return answer;
}

/* --- decides -------------------------------------------------------------------------------- */

static enum polc_answer find_any(struct reach_search *search, const reach_regions *regions)
{
	enum polc_answer answer = POLC_NO;

	for (size_t i = 0; i < regions->n; i++) {
		const struct reach_region *region = &regions->items[i];
		enum polc_answer one = reach_find(search, &region, 1);
		if (one == POLC_YES)
			return one;
		if (one == POLC_UNKNOWN)
			answer = one;
	}
	return answer;
}

/*
 * In an ordered tier, rules behind the deciding one with its verdict count as deciding too, up to
 * the next rule of another verdict for this port, whatever its peers.
 */
static enum polc_answer follows(
	struct reach_search *search, const struct reach_view *view, const struct reach_decider *d)
{
	struct reach_level *level = &view->side->levels[view->direction][d->level];
	enum polc_answer answer = POLC_NO;
	reach_list between = {0};

	for (uint32_t first = d->item; first-- > 0;) {
		struct reach_decider leader = *d;
		reach_regions regions = {0};
		leader.item = first;
		if (reach_item_verdict(level, first) != d->verdict) {
			reach_rule_without_peers(
				view->side, level->items.items[first].rule, &between);
			continue;
		}
		reach_decider_regions(view, &leader, false, REACH_NO_ITEM, &regions);
		for (size_t i = 0; i < regions.n; i++) {
			struct reach_region *r = &regions.items[i];
			r->in[r->n_in++] = (struct reach_in){level, d->item};
			r->avoid = &between;
		}
		enum polc_answer one = find_any(search, &regions);
		if (one == POLC_YES)
			return one;
		if (one == POLC_UNKNOWN)
			answer = one;
	}
	return answer;
}

enum polc_answer polc_reach_rule_decides(
	struct polc_reach *reach, size_t network, uint32_t rule, struct polc_witness *witness)
{
	const struct reach_place *place = place_of(reach, network, rule);
	struct reach_side *side = &reach->sides[network];
	struct reach_search search;
	reach_regions regions = {0};
	struct polc_decision decision;

	if (!place->level)
		return POLC_NO;
	const struct reach_view view = {.side = side, .direction = place->level->direction};
	const struct reach_decider d = {.level = place->level->kind,
		.item = place->item,
		.verdict = reach_item_verdict(place->level, place->item)};
	reach_search_init(&search, reach, view.direction, witness);
	reach_decider_regions(&view, &d, true, REACH_NO_ITEM, &regions);
	enum polc_answer answer = find_any(&search, &regions);
	bool ordered = d.level == REACH_ADMIN || d.level == REACH_BASELINE;
	if (answer != POLC_YES && ordered && d.verdict != POLB_VERDICT_PASS) {
		enum polc_answer behind = follows(&search, &view, &d);
		answer = behind == POLC_NO ? answer : behind;
	}
	if (answer != POLC_YES || !witness)
		return done(reach, answer);
	polc_witness_decide(&reach->scratch, side->network, witness, &decision);
	if (d.verdict == POLB_VERDICT_PASS
			? !was_considered(&decision, rule)
			: !is_candidate(&decision, side->network->rules[rule].id))
		POLC_BUG("rule %u does not decide its witness", rule);
	return done(reach, answer);
}

/* --- matters -------------------------------------------------------------------------------- */

/* The network with a rule that matches nothing. */
static const struct polc_network *without_rule(
	struct polc_arena *arena, const struct polc_network *network, uint32_t rule)
{
	struct polc_network *out = POLC_NEW(arena, struct polc_network);
	struct polc_net_rule *rules = POLC_NEW_ARRAY(arena, network->n_rules, struct polc_net_rule);

	memcpy(rules, network->rules, network->n_rules * sizeof(*rules));
	rules[rule].n_selectors = 0;
	*out = *network;
	out->rules = rules;
	return out;
}

static void confirm_matters(
	struct polc_reach *reach, size_t network, uint32_t rule, const struct polc_witness *witness)
{
	const struct polc_network *with = reach->sides[network].network;
	struct polc_decision decisions[2];

	polc_witness_decide(&reach->scratch, with, witness, &decisions[0]);
	polc_witness_decide(
		&reach->scratch, without_rule(&reach->scratch, with, rule), witness, &decisions[1]);
	if (decisions[0].verdict == decisions[1].verdict)
		POLC_BUG("rule %u does not matter to its witness", rule);
}

/* Rules among the products that the failed search rested on, in order. */
static size_t used_rules(
	const struct polc_reach *reach, const uint64_t *used, uint32_t *cover, size_t max)
{
	const struct reach_side *side = NULL;
	size_t n = 0;
	bool *is_used = NULL;

	for (size_t i = 0; i < reach->owners.n; i++) {
		const struct reach_place *owner = &reach->owners.items[i];
		uint32_t rule = owner->level->items.items[owner->item].rule;
		if (!(used[i / 64] & (uint64_t)1 << i % 64) || rule == REACH_NO_RULE)
			continue;
		side = owner->level->side;
		if (!is_used)
			is_used =
				POLC_NEW_ARRAY(&side->reach->scratch, side->network->n_rules, bool);
		is_used[rule] = true;
	}
	for (uint32_t i = 0; is_used && i < side->network->n_rules && n < max; i++)
		if (is_used[i])
			cover[n++] = i;
	return n;
}

enum polc_answer polc_reach_rule_matters(struct polc_reach *reach, size_t network, uint32_t rule,
	struct polc_witness *witness, uint32_t *cover, size_t max, size_t *n_cover)
{
	const struct reach_place *place = place_of(reach, network, rule);
	struct reach_search search;

	if (n_cover)
		*n_cover = 0;
	if (!place->level)
		return POLC_NO;
	struct reach_view view = {
		.side = &reach->sides[network], .direction = place->level->direction};
	struct reach_pairs pairs = {.with = view,
		.without = view,
		.level = place->level,
		.item = place->item,
		.search = &search};
	pairs.without.skip_level = place->level;
	pairs.without.skip_item = place->item;
	reach_search_init(&search, reach, view.direction, witness);
	enum polc_answer answer = reach_pairs_find(&pairs);
	if (answer == POLC_YES && witness)
		confirm_matters(reach, network, rule, witness);
	if (answer == POLC_NO && cover && n_cover) {
		/* again, this time asking why not */
		reach_search_init(&search, reach, view.direction, NULL);
		search.used = POLC_NEW_ARRAY(&reach->scratch, reach->owners.n / 64 + 1, uint64_t);
		reach_pairs_find(&pairs);
		*n_cover = used_rules(reach, search.used, cover, max);
	}
	return done(reach, answer);
}

/* --- meet ----------------------------------------------------------------------------------- */

/* The network with one rule alone, and nothing that isolates. */
static const struct polc_network *rule_alone(
	struct polc_arena *arena, const struct polc_network *network, uint32_t rule)
{
	struct polc_network *out = POLC_NEW(arena, struct polc_network);
	struct polc_net_rule *rules = POLC_NEW_ARRAY(arena, network->n_rules, struct polc_net_rule);
	struct polc_net_policy *policies =
		POLC_NEW_ARRAY(arena, network->n_policies, struct polc_net_policy);

	memcpy(rules, network->rules, network->n_rules * sizeof(*rules));
	memcpy(policies, network->policies, network->n_policies * sizeof(*policies));
	for (uint32_t i = 0; i < network->n_rules; i++)
		if (i != rule)
			rules[i].n_selectors = 0;
	for (size_t i = 0; i < network->n_policies; i++)
		policies[i].isolates[0] = policies[i].isolates[1] = false;
	*out = *network;
	out->rules = rules;
	out->policies = policies;
	out->posture = POLC_POSTURE_ALLOW;
	return out;
}

static void confirm_match(
	struct polc_reach *reach, size_t network, uint32_t rule, const struct polc_witness *witness)
{
	const struct polc_network *alone =
		rule_alone(&reach->scratch, reach->sides[network].network, rule);
	struct polc_decision decision;

	polc_witness_decide(&reach->scratch, alone, witness, &decision);
	if (!was_considered(&decision, rule))
		POLC_BUG("rule %u does not match its witness", rule);
}

enum polc_answer polc_reach_rules_meet(struct polc_reach *reach, size_t network, uint32_t a,
	uint32_t b, struct polc_witness *witness)
{
	const struct reach_place *places[] = {
		place_of(reach, network, a), place_of(reach, network, b)};
	struct reach_region region = {.n_in = 2};
	const struct reach_region *one = &region;
	struct reach_search search;

	if (!places[0]->level || !places[1]->level ||
		places[0]->level->direction != places[1]->level->direction)
		return POLC_NO;
	for (int i = 0; i < 2; i++)
		region.in[i] = (struct reach_in){places[i]->level, places[i]->item};
	region.peer = reach_peer(places[0]->level->direction);
	reach_search_init(&search, reach, places[0]->level->direction, witness);
	enum polc_answer answer = reach_find(&search, &one, 1);
	if (answer == POLC_YES && witness) {
		confirm_match(reach, network, a, witness);
		confirm_match(reach, network, b, witness);
	}
	return done(reach, answer);
}
