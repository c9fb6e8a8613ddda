/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Points in regions: one product of every union that a point must be in, then the search for a
 * point that avoids all others. */
#include "reach_private.h"

void reach_search_init(struct reach_search *search, struct polc_reach *reach,
	enum polc_direction direction, struct polc_witness *witness)
{
	*search = (struct reach_search){.reach = reach,
		.steps = reach->steps < POLC_REACH_STEPS ? reach->steps : POLC_REACH_STEPS,
		.direction = direction,
		.witness = witness};
}

void reach_box_init(struct polc_box *box, struct polc_reach *reach, enum polc_direction direction,
	enum polc_class peer_class)
{
	bool out = direction == POLC_EGRESS;

	polc_box_init(box, reach->space, &reach->scratch, out ? POLC_CLASS_POD : peer_class,
		out ? peer_class : POLC_CLASS_POD);
}

static void charge(struct polc_reach *reach, uint64_t steps)
{
	steps += POLC_REACH_SEARCH_STEPS;
	reach->steps -= steps < reach->steps ? steps : reach->steps;
}

struct finding {
	struct reach_search *search;
	struct polc_box box;
	const struct reach_region *const *regions;
	size_t n;
	POLC_VEC(struct reach_in) in; /* of all regions */
};

static bool accept(struct polc_box *box, void *context)
{
	const struct finding *f = context;

	return reach_witness_make(f->search->reach, box, f->search->direction, f->search->witness);
}

static bool accept_all(struct polc_box *box, void *context)
{
	(void)box;
	(void)context;
	return true;
}

/* Levels whose items are few, next to the rules of the middle tier. */
static bool is_short(const struct reach_level *level)
{
	return level->kind == REACH_ISOLATORS || level->kind == REACH_SELECTED;
}

static void gather_out(struct finding *f, bool of_short, reach_list *list)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t j = 0; j < f->regions[i]->n_out; j++) {
			const struct reach_out *out = &f->regions[i]->out[j];
			if (is_short(out->level) == of_short)
				reach_level_meeting(
					out->level, &f->box, out->upto, out->skip, list);
		}
}

static bool avoid_rest(struct finding *f)
{
	reach_list list = {0};
	size_t before = f->box.trail.n;

	f->search->reach->stamp++;
	gather_out(f, true, &list);
	/* who is not isolated by an earlier policy: often nobody */
	if (list.n && !polc_box_avoid(&f->box, list.items, list.n, accept_all, NULL))
		return false;
	polc_box_rewind(&f->box, before);
	gather_out(f, false, &list);
	for (size_t i = 0; i < f->n; i++) {
		const reach_list *avoid = f->regions[i]->avoid;
		for (size_t j = 0; avoid && j < avoid->n; j++)
			if (polc_box_meets(&f->box, avoid->items[j]))
				*polc_vec_push(f->box.arena, &list) = avoid->items[j];
	}
	return polc_box_avoid(&f->box, list.items, list.n, accept, f);
}

static bool choose_more(struct finding *f, size_t k);

/* One product of item k, and so on for the items behind it. */
static bool choose(struct finding *f, size_t k)
{
	size_t before = f->box.trail.n;

	if (k == f->in.n)
		return choose_more(f, 0);
	struct reach_level *level = f->in.items[k].level;
	const struct reach_products *products =
		reach_level_products(level, f->box.class[reach_peer(level->direction)]);
	uint32_t item = f->in.items[k].item;
	size_t first = item == REACH_ANY_ITEM ? 0 : products->first[item];
	size_t end = item == REACH_ANY_ITEM ? products->list.n : products->first[item + 1];

	for (size_t i = first; i < end && !f->box.exhausted; i++) {
		const struct polc_product *p = &products->list.items[i];
		if (!polc_box_meets(&f->box, p))
			continue;
		if (polc_box_narrow_product(&f->box, p) && choose(f, k + 1))
			return true;
		polc_box_rewind(&f->box, before);
	}
	return false;
}

static bool choose_more(struct finding *f, size_t k)
{
	size_t before = f->box.trail.n;

	if (k == POLC_ARRAY_SIZE(f->search->more))
		return avoid_rest(f);
	if (!f->search->more[k])
		return choose_more(f, k + 1);
	for (size_t i = 0; i < f->search->n_more[k] && !f->box.exhausted; i++) {
		const struct polc_product *p = &f->search->more[k][i];
		if (!polc_box_meets(&f->box, p))
			continue;
		if (polc_box_narrow_product(&f->box, p) && choose_more(f, k + 1))
			return true;
		polc_box_rewind(&f->box, before);
	}
	return false;
}

/* Kinds that a region asks of its peer, and the list of unions. */
static bool gather(struct finding *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct reach_region *r = f->regions[i];
		uint32_t slot = (uint32_t)(POLC_SLOT_KINDS + r->peer);
		for (size_t j = 0; j < r->n_in; j++)
			*polc_vec_push(f->box.arena, &f->in) = r->in[j];
		if (r->peer_kinds && !polc_box_narrow(&f->box, slot,
					     polc_set_of_mask(f->box.arena, r->peer_kinds)))
			return false;
	}
	return true;
}

enum polc_answer reach_find_in(struct reach_search *search, enum polc_class source,
	enum polc_class destination, const struct reach_region *const *regions, size_t n)
{
	struct finding f = {.search = search, .regions = regions, .n = n};
	bool found;

	if (!search->steps || !search->reach->steps)
		return POLC_UNKNOWN;
	polc_box_init(&f.box, search->reach->space, &search->reach->scratch, source, destination);
	f.box.steps = search->steps;
	f.box.used = search->used;
	found = gather(&f) && choose(&f, 0);
	charge(search->reach, search->steps - (f.box.exhausted ? 0 : f.box.steps));
	search->steps = f.box.exhausted ? 0 : f.box.steps;
	if (found)
		return POLC_YES;
	return f.box.exhausted ? POLC_UNKNOWN : POLC_NO;
}

enum polc_answer reach_find(
	struct reach_search *search, const struct reach_region *const *regions, size_t n)
{
	enum polc_answer answer = POLC_NO;

	for (int class = 0; class < POLC_CLASSES && answer == POLC_NO; class ++) {
		bool out = search->direction == POLC_EGRESS;
		enum polc_class peer = (enum polc_class) class;
		answer = reach_find_in(search, out ? POLC_CLASS_POD : peer,
			out ? peer : POLC_CLASS_POD, regions, n);
	}
	return answer;
}
