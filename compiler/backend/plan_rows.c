/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rows: what a table does with one port class, as ordered steps of selector masks. Consecutive
 * rules of one verdict share a step; equal rows are stored once.
 */
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

enum { INDEX_LIMIT = 1 << 24, STEP_WORDS_LIMIT = 1 << 24 };

/* A bit of a step and the rule that it stands for. */
struct step_bit {
	uint32_t bit, rule_id;
};

struct step {
	uint32_t action;
	POLC_VEC(struct step_bit) bits;
};

typedef POLC_VEC(struct step) steps;

typedef POLC_VEC(uint32_t) part_list;

struct subset {
	const uint32_t *parts;
	size_t n;
	uint64_t hash;
	uint32_t row;
};

struct rows {
	struct polc_planner *p;
	size_t n_words;
	POLC_VEC(struct polb_row) rows;
	POLC_VEC(uint64_t) row_hashes;
	POLC_VEC(struct polc_plan_step) steps;
	POLC_VEC(uint32_t) rule_ids;
	uint32_t *hash; /* row + 1 */
	size_t hash_size;
	uint32_t *index;
	uint32_t max_steps;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static enum polb_verdict action_of(const struct polc_net_rule *rule, enum polc_tier tier)
{
	if (rule->action == POLC_DENY)
		return POLB_VERDICT_DENY;
	/* Baseline's Pass leads to the default, which is to allow */
	return rule->action == POLC_PASS && tier == POLC_TIER_ADMIN ? POLB_VERDICT_PASS
								    : POLB_VERDICT_ALLOW;
}

static void add_bits(struct rows *r, struct step *step, const struct polc_rule_part *part)
{
	for (size_t i = 0; i < part->n_bits; i++)
		*polc_vec_push(r->p->arena, &step->bits) =
			(struct step_bit){part->bits[i], r->p->network->rules[part->rule].id};
}

static struct step *open_step(struct rows *r, steps *list, uint32_t action)
{
	struct step *step = polc_vec_push(r->p->arena, list);

	*step = (struct step){.action = action};
	return step;
}

static const struct polc_net_policy *policy_of(
	const struct rows *r, const struct polc_rule_part *part)
{
	return &r->p->network->policies[r->p->network->rules[part->rule].policy];
}

/* Admin or Baseline: in order, neighbours of one verdict together. */
static void ordered_steps(struct rows *r, const struct polc_table *table, const uint32_t *parts,
	size_t n, enum polc_tier tier, steps *list)
{
	struct step *open = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct polc_rule_part *part = &table->parts.items[parts[i]];
		if (policy_of(r, part)->tier != tier)
			continue;
		uint32_t action = action_of(&r->p->network->rules[part->rule], tier);
		if (!open || open->action != action)
			open = open_step(r, list, action);
		add_bits(r, open, part);
	}
}

static void middle_step(struct rows *r, const struct polc_table *table, const uint32_t *parts,
	size_t n, enum polc_action action, steps *list)
{
	struct step *open = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct polc_rule_part *part = &table->parts.items[parts[i]];
		if (policy_of(r, part)->tier != POLC_TIER_MIDDLE ||
			r->p->network->rules[part->rule].action != action)
			continue;
		if (!open)
			open = open_step(r, list,
				action == POLC_DENY ? POLB_VERDICT_DENY : POLB_VERDICT_ALLOW);
		add_bits(r, open, part);
	}
}

static void local_node_step(struct rows *r, const struct polc_table *table, steps *list)
{
	if (!table->isolated || table->closed || table->direction != POLC_INGRESS)
		return;
	struct step *step = open_step(r, list, POLB_VERDICT_ALLOW);
	*polc_vec_push(r->p->arena, &step->bits) =
		(struct step_bit){r->p->host_bit, POLB_RULE_LOCAL_NODE};
}

static int compare_bits(const void *pa, const void *pb)
{
	const struct step_bit *a = pa, *b = pb;

	if (a->bit != b->bit)
		return a->bit < b->bit ? -1 : 1;
	return (a->rule_id > b->rule_id) - (a->rule_id < b->rule_id);
}

/* Each bit once, for the first rule in source order. */
static void sort_bits(struct step *step)
{
	size_t kept = 0;

	qsort(step->bits.items, step->bits.n, sizeof(*step->bits.items), compare_bits);
	for (size_t i = 0; i < step->bits.n; i++)
		if (!i || step->bits.items[i].bit != step->bits.items[kept - 1].bit)
			step->bits.items[kept++] = step->bits.items[i];
	step->bits.n = kept;
}

static uint64_t hash_row(const steps *list, const struct polb_row *row)
{
	uint64_t h = mix(row->default_rule, row->default_verdict + 16u * row->pass_to);

	for (size_t i = 0; i < list->n; i++) {
		h = mix(h, list->items[i].action + 1000);
		for (size_t j = 0; j < list->items[i].bits.n; j++)
			h = mix(h, (uint64_t)list->items[i].bits.items[j].bit << 32 |
					   list->items[i].bits.items[j].rule_id);
	}
	return h;
}

/* Compares a stored step with one under construction, without building the latter. */
static bool same_step(
	const struct rows *r, const struct polc_plan_step *stored, const struct step *s)
{
	size_t total = 0;

	if (stored->action != s->action)
		return false;
	for (size_t w = 0; w < r->n_words; w++)
		total += (size_t)__builtin_popcountll(stored->mask[w]);
	if (total != s->bits.n)
		return false;
	for (size_t i = 0; i < s->bits.n; i++) {
		uint32_t bit = s->bits.items[i].bit, w = bit / 64;
		uint64_t below = stored->mask[w] & ((1ull << (bit % 64)) - 1);
		uint32_t at = stored->rule_base[w] + (uint32_t)__builtin_popcountll(below);
		if (!polc_bit_test(stored->mask, bit) ||
			r->rule_ids.items[at] != s->bits.items[i].rule_id)
			return false;
	}
	return true;
}

static bool same_row(
	const struct rows *r, uint32_t number, const struct polb_row *row, const steps *list)
{
	const struct polb_row *have = &r->rows.items[number];

	if (have->n_steps != list->n || have->pass_to != row->pass_to ||
		have->default_rule != row->default_rule ||
		have->default_verdict != row->default_verdict)
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (!same_step(r, &r->steps.items[have->first_step + i], &list->items[i]))
			return false;
	return true;
}

static void store_step(struct rows *r, const struct step *s)
{
	uint64_t *mask = POLC_NEW_ARRAY(r->p->arena, r->n_words, uint64_t);
	uint32_t *base = POLC_NEW_ARRAY(r->p->arena, r->n_words, uint32_t);
	size_t at = 0;

	for (uint32_t w = 0; w < r->n_words; w++) {
		base[w] = (uint32_t)r->rule_ids.n;
		for (; at < s->bits.n && s->bits.items[at].bit / 64 == w; at++) {
			polc_bit_set(mask, s->bits.items[at].bit);
			*polc_vec_push(r->p->arena, &r->rule_ids) = s->bits.items[at].rule_id;
		}
	}
	*polc_vec_push(r->p->arena, &r->steps) =
		(struct polc_plan_step){.action = s->action, .mask = mask, .rule_base = base};
}

static void grow_hash(struct rows *r)
{
	r->hash_size = r->hash_size ? r->hash_size * 2 : 256;
	r->hash = POLC_NEW_ARRAY(r->p->arena, r->hash_size, uint32_t);
	for (size_t i = 0; i < r->rows.n; i++) {
		size_t slot = r->row_hashes.items[i] & (r->hash_size - 1);
		while (r->hash[slot])
			slot = (slot + 1) & (r->hash_size - 1);
		r->hash[slot] = (uint32_t)i + 1;
	}
}

static uint32_t intern_row(struct rows *r, struct polb_row *row, const steps *list)
{
	uint64_t hash = hash_row(list, row);

	if (r->rows.n * 2 >= r->hash_size)
		grow_hash(r);
	size_t slot = hash & (r->hash_size - 1);
	for (; r->hash[slot]; slot = (slot + 1) & (r->hash_size - 1)) {
		uint32_t number = r->hash[slot] - 1;
		if (r->row_hashes.items[number] == hash && same_row(r, number, row, list))
			return number;
	}
	row->first_step = (uint32_t)r->steps.n;
	row->n_steps = (uint16_t)list->n;
	for (size_t i = 0; i < list->n; i++)
		store_step(r, &list->items[i]);
	if (list->n > r->max_steps)
		r->max_steps = (uint32_t)list->n;
	*polc_vec_push(r->p->arena, &r->rows) = *row;
	*polc_vec_push(r->p->arena, &r->row_hashes) = hash;
	r->hash[slot] = (uint32_t)r->rows.n;
	return (uint32_t)r->rows.n - 1;
}

static uint32_t build_row(
	struct rows *r, const struct polc_table *table, const uint32_t *parts, size_t n)
{
	steps list = {0};
	struct polb_row row = {
		.default_verdict = POLB_VERDICT_ALLOW, .default_rule = POLB_RULE_NONE};

	ordered_steps(r, table, parts, n, POLC_TIER_ADMIN, &list);
	row.pass_to = (uint16_t)list.n;
	middle_step(r, table, parts, n, POLC_DENY, &list);
	middle_step(r, table, parts, n, POLC_ALLOW, &list);
	local_node_step(r, table, &list);
	if (table->isolated) {
		row.default_verdict = POLB_VERDICT_DENY;
		row.default_rule = polc_plan_isolation_rule(r->p->network, table);
	} else {
		ordered_steps(r, table, parts, n, POLC_TIER_BASELINE, &list);
	}
	for (size_t i = 0; i < list.n; i++) {
		sort_bits(&list.items[i]);
		r->p->plan->uses_pass |= list.items[i].action == POLB_VERDICT_PASS;
	}
	if (list.n > UINT16_MAX) {
		polc_planner_limit(
			r->p, "changes of verdict in one ordered tier", list.n, UINT16_MAX);
		return 0;
	}
	return intern_row(r, &row, &list);
}

/* Parts of every port (base) and of this class, merged in order of evaluation. */
static void merge(
	const part_list *base, const part_list *own, part_list *out, struct polc_arena *arena)
{
	size_t i = 0, j = 0;

	while (i < base->n || j < own->n) {
		bool from_base = j >= own->n || (i < base->n && base->items[i] < own->items[j]);
		*polc_vec_push(arena, out) = from_base ? base->items[i++] : own->items[j++];
	}
}

static uint64_t hash_parts(const part_list *list)
{
	uint64_t h = 1;

	for (size_t i = 0; i < list->n; i++)
		h = mix(h, list->items[i]);
	return h;
}

struct subsets {
	POLC_VEC(struct subset) list;
	uint32_t *hash; /* subset + 1; sized for all classes of a table */
	size_t size;
};

static uint32_t row_of_subset(struct rows *r, const struct polc_table *table, struct subsets *s,
	const part_list *base, const part_list *own)
{
	uint64_t hash = hash_parts(own);
	size_t slot = hash & (s->size - 1), bytes = own->n * sizeof(uint32_t);

	for (; s->hash[slot]; slot = (slot + 1) & (s->size - 1)) {
		struct subset *have = &s->list.items[s->hash[slot] - 1];
		if (have->hash == hash && have->n == own->n &&
			(!bytes || !memcmp(have->parts, own->items, bytes)))
			return have->row;
	}
	part_list all = {0};
	merge(base, own, &all, r->p->arena);
	*polc_vec_push(r->p->arena, &s->list) =
		(struct subset){own->items, own->n, hash, build_row(r, table, all.items, all.n)};
	s->hash[slot] = (uint32_t)s->list.n;
	return s->list.items[s->list.n - 1].row;
}

static void fill_table(struct rows *r, uint32_t number)
{
	const struct polc_table *table = &r->p->tables.items[number];
	uint32_t n_classes = r->p->plan->n_port_classes;
	part_list base = {0};
	part_list *own = POLC_NEW_ARRAY(r->p->arena, n_classes, part_list);
	struct subsets subsets = {.size = 16};

	for (uint32_t i = 0; i < table->parts.n; i++) {
		const struct polc_rule_part *part = &table->parts.items[i];
		if (part->item == POLC_ITEM_ALL) {
			*polc_vec_push(r->p->arena, &base) = i;
			continue;
		}
		const struct polc_port_item *item = &r->p->items.items[part->item];
		for (size_t k = 0; k < item->n_classes; k++)
			*polc_vec_push(r->p->arena, &own[item->classes[k]]) = i;
	}
	while (subsets.size < (size_t)n_classes * 2 + 2)
		subsets.size *= 2;
	subsets.hash = POLC_NEW_ARRAY(r->p->arena, subsets.size, uint32_t);
	for (uint32_t c = 0; c < n_classes; c++)
		r->index[(size_t)number * n_classes + c] =
			row_of_subset(r, table, &subsets, &base, &own[c]);
}

void polc_plan_rows(struct polc_planner *p)
{
	struct rows r = {.p = p, .n_words = p->selectors.n ? (p->selectors.n + 63) / 64 : 1};
	size_t n_index = p->tables.n * p->plan->n_port_classes;
	struct polb_row open = {
		.default_verdict = POLB_VERDICT_ALLOW, .default_rule = POLB_RULE_NONE};

	if (n_index > INDEX_LIMIT) {
		polc_planner_limit(p, "tables x port classes", n_index, INDEX_LIMIT);
		return;
	}
	r.index = POLC_NEW_ARRAY(p->arena, n_index, uint32_t);
	intern_row(&r, &open, &(steps){0}); /* row 0: no policy */
	for (uint32_t t = 1; t < p->tables.n && !p->failed; t++)
		fill_table(&r, t);
	if (r.steps.n * r.n_words > STEP_WORDS_LIMIT)
		polc_planner_limit(
			p, "steps x selector words", r.steps.n * r.n_words, STEP_WORDS_LIMIT);
	p->plan->rows = r.rows.items;
	p->plan->n_rows = (uint32_t)r.rows.n;
	p->plan->steps = r.steps.items;
	p->plan->n_steps = (uint32_t)r.steps.n;
	p->plan->rule_ids = r.rule_ids.items;
	p->plan->n_rule_ids = (uint32_t)r.rule_ids.n;
	p->plan->rows_index = r.index;
	p->plan->n_tables = (uint32_t)p->tables.n;
	p->plan->max_row_steps = r.max_steps;
}
