/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A network as levels of items (reach_private.h), and when two items mean the same. */
#include <stdlib.h>
#include <string.h>

#include "../ir/name_table.h"
#include "reach_private.h"

/* --- content: what an item means, as a text -------------------------------------------------- */

static int compare_texts(const void *pa, const void *pb)
{
	return strcmp(*(const char *const *)pa, *(const char *const *)pb);
}

static void add_sorted(struct polc_buf *key, const char **texts, size_t n)
{
	if (n)
		qsort(texts, n, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < n; i++)
		if (!i || strcmp(texts[i], texts[i - 1]) != 0) {
			polc_buf_puts(key, texts[i]);
			polc_buf_puts(key, ";");
		}
	polc_buf_puts(key, "|");
}

/* Selectors by content; they are sorted and unique, and so their order is one of content. */
static void add_selectors(
	struct reach_side *side, struct polc_buf *key, const uint32_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		polc_selector_print(&side->network->selectors[ids[i]], key);
		polc_buf_puts(key, ";");
	}
	polc_buf_puts(key, "|");
}

static void add_ports(
	struct reach_side *side, struct polc_buf *key, const struct polc_net_rule *rule)
{
	struct polc_arena *scratch = &side->reach->scratch;
	const struct polc_set *numbers =
		polc_space_ports(side->reach->space, rule->ports, rule->n_ports);
	const char **names = POLC_NEW_ARRAY(scratch, rule->n_ports, const char *);
	size_t n = 0;

	for (size_t i = 0; i < rule->n_ports; i++)
		if (rule->ports[i].kind == POLC_PORT_NAME)
			names[n++] = polc_arena_printf(
				scratch, "%u/%s", rule->ports[i].protocols, rule->ports[i].name);
	if (numbers) {
		struct polc_buf text = {.arena = scratch};
		polc_line_print(numbers, &text);
		polc_buf_puts(key, text.p);
	}
	polc_buf_puts(key, "|");
	add_sorted(key, names, n);
}

static uint32_t content_number(struct polc_reach *reach, const char *key)
{
	uint32_t number = polc_names_find(reach->contents, key);

	if (number != POLC_NO_NAME)
		return number;
	number = reach->n_contents++;
	polc_names_add(reach->arena, reach->contents,
		polc_arena_strndup(reach->arena, key, strlen(key)), number);
	return number;
}

static void set_content(
	struct reach_side *side, const struct reach_level *level, struct reach_item *item)
{
	struct polc_buf key = {.arena = &side->reach->scratch};
	const struct polc_network *network = side->network;

	polc_buf_printf(&key, "%d %d %d|", level->kind, level->direction, item->verdict);
	if (item->policy == POLC_NO_POLICY)
		polc_buf_printf(&key, "posture %d", network->posture);
	else
		add_selectors(side, &key, network->policies[item->policy].subjects,
			network->policies[item->policy].n_subjects);
	if (item->rule != REACH_NO_RULE) {
		const struct polc_net_rule *rule = &network->rules[item->rule];
		add_selectors(side, &key, rule->selectors, rule->n_selectors);
		add_ports(side, &key, rule);
	}
	item->content = content_number(side->reach, key.p);
}

/* --- items ---------------------------------------------------------------------------------- */

static struct reach_item *add_item(struct reach_side *side, struct reach_level *level,
	uint32_t rule, uint32_t policy, enum polb_verdict verdict)
{
	struct reach_item *item = polc_vec_push(side->reach->arena, &level->items);

	*item = (struct reach_item){.rule = rule, .policy = policy, .verdict = verdict};
	set_content(side, level, item);
	return item;
}

/* Baseline's Pass leads to the default, which is to allow. */
static enum polb_verdict verdict_of(const struct polc_net_rule *rule, enum polc_tier tier)
{
	if (rule->action == POLC_DENY)
		return POLB_VERDICT_DENY;
	return rule->action == POLC_PASS && tier == POLC_TIER_ADMIN ? POLB_VERDICT_PASS
								    : POLB_VERDICT_ALLOW;
}

static enum reach_level_kind level_of(const struct polc_net_rule *rule, enum polc_tier tier)
{
	if (tier == POLC_TIER_ADMIN)
		return REACH_ADMIN;
	if (tier == POLC_TIER_BASELINE)
		return REACH_BASELINE;
	return rule->action == POLC_DENY ? REACH_DENIES : REACH_ALLOWS;
}

static void add_rules(struct reach_side *side, uint32_t policy)
{
	const struct polc_net_policy *p = &side->network->policies[policy];

	for (uint32_t i = p->first_rule; i < p->first_rule + p->n_rules; i++) {
		const struct polc_net_rule *rule = &side->network->rules[i];
		struct reach_level *level = &side->levels[rule->direction][level_of(rule, p->tier)];
		if (!p->selects[rule->direction])
			continue;
		add_item(side, level, i, policy, verdict_of(rule, p->tier));
		side->places[i] = (struct reach_place){level, (uint32_t)level->items.n - 1};
	}
}

/* A union of subjects that is there already adds nothing. */
static void add_subjects(struct reach_side *side, struct reach_level *level, uint32_t policy,
	struct polc_name_table *seen)
{
	struct polc_arena *arena = side->reach->arena;
	struct reach_item *item = add_item(side, level, REACH_NO_RULE, policy, POLB_VERDICT_DENY);
	const char *key =
		polc_arena_printf(arena, "%d %d %u", level->kind, level->direction, item->content);

	if (polc_names_find(seen, key) != POLC_NO_NAME)
		level->items.n--;
	else
		polc_names_add(arena, seen, key, 0);
}

static void add_posture(struct reach_side *side, enum polc_direction direction)
{
	struct reach_level *level = &side->levels[direction][REACH_ISOLATORS];

	if (side->network->posture != POLC_POSTURE_ALLOW)
		add_item(side, level, REACH_NO_RULE, POLC_NO_POLICY, POLB_VERDICT_DENY);
}

static void add_policy(struct reach_side *side, uint32_t policy, struct polc_name_table *seen)
{
	const struct polc_net_policy *p = &side->network->policies[policy];

	add_rules(side, policy);
	for (int d = 0; d < 2; d++) {
		if (p->selects[d] && p->isolates[d])
			add_subjects(side, &side->levels[d][REACH_ISOLATORS], policy, seen);
		if (side->network->posture == POLC_POSTURE_DENY)
			add_subjects(side, &side->levels[d][REACH_SELECTED], policy, seen);
	}
}

static int compare_order(const void *pa, const void *pb, void *context)
{
	const struct polc_net_policy *policies = context;

	return polc_policy_compare_order(
		&policies[*(const uint32_t *)pa], &policies[*(const uint32_t *)pb]);
}

static void sort_policies(struct reach_side *side)
{
	size_t n = side->network->n_policies;

	side->policies = POLC_NEW_ARRAY(side->reach->arena, n, uint32_t);
	for (uint32_t i = 0; i < n; i++)
		side->policies[i] = i;
	if (n)
		qsort_r(side->policies, n, sizeof(*side->policies), compare_order,
			(void *)(uintptr_t)side->network->policies);
}

static void make_caches(struct reach_side *side)
{
	struct polc_arena *arena = side->reach->arena;
	size_t n = side->network->n_selectors;

	for (int d = 0; d < 2; d++) {
		side->subjects[d] = POLC_NEW_ARRAY(arena, n, struct reach_compiled);
		for (int class = 0; class < POLC_CLASSES; class ++)
			side->peers[d][class] = POLC_NEW_ARRAY(arena, n, struct reach_compiled);
	}
}

void reach_side_build(
	struct reach_side *side, struct polc_reach *reach, const struct polc_network *network)
{
	struct polc_name_table seen = {0};

	*side = (struct reach_side){.reach = reach, .network = network};
	side->places = POLC_NEW_ARRAY(reach->arena, network->n_rules, struct reach_place);
	for (int d = 0; d < 2; d++)
		for (int kind = 0; kind < REACH_LEVELS; kind++)
			side->levels[d][kind] =
				(struct reach_level){.kind = (enum reach_level_kind)kind,
					.direction = (enum polc_direction)d,
					.side = side};
	make_caches(side);
	sort_policies(side);
	for (size_t i = 0; i < network->n_policies; i++)
		add_policy(side, side->policies[i], &seen);
	add_posture(side, POLC_INGRESS);
	add_posture(side, POLC_EGRESS);
	polc_arena_free(&reach->scratch);
}
