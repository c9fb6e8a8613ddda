/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What an item changes. Where verdicts with and without it differ, one of the two deciders is the
 * item itself, or the item is an Admin Pass that leads one side elsewhere: so its own deciders, or
 * those behind the Pass, are paired with all of the other side that have another verdict.
 */
#include <stdlib.h>

#include "reach_private.h"

static int compare_deciders(const void *pa, const void *pb)
{
	const struct reach_decider *a = pa, *b = pb;

	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	return (a->local_node > b->local_node) - (a->local_node < b->local_node);
}

static void sort_deciders(reach_deciders *list)
{
	size_t n = 0;

	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), compare_deciders);
	for (size_t i = 0; i < list->n; i++)
		if (!i || compare_deciders(&list->items[i], &list->items[n - 1]))
			list->items[n++] = list->items[i];
	list->n = n;
}

/* Deciders of a view with a verdict that meet an item of either. */
static void meeting_item(const struct reach_view *view, struct reach_level *level, uint32_t item,
	enum polb_verdict verdict, enum reach_level_kind from, reach_deciders *out)
{
	for (int class = 0; class < POLC_CLASSES; class ++) {
		const struct reach_products *p =
			reach_level_products(level, (enum polc_class) class);
		struct polc_box box;
		reach_box_init(&box, view->side->reach, view->direction, (enum polc_class) class);
		for (uint32_t i = p->first[item]; i < p->first[item + 1]; i++) {
			if (polc_box_narrow_product(&box, &p->list.items[i]))
				reach_deciders_meeting(view, &box, verdict, from, out);
			polc_box_rewind(&box, 0);
		}
	}
	sort_deciders(out);
}

static bool is_pass(const struct reach_pairs *pairs)
{
	return pairs->level->kind == REACH_ADMIN &&
	       reach_item_verdict(pairs->level, pairs->item) == POLB_VERDICT_PASS;
}

/* What decides where the item has a say. */
static void own_deciders(const struct reach_pairs *pairs, reach_deciders *out)
{
	struct polc_arena *scratch = &pairs->search->reach->scratch;
	struct reach_decider d = {.level = pairs->level->kind,
		.item = pairs->item,
		.verdict = reach_item_verdict(pairs->level, pairs->item)};

	if (is_pass(pairs)) {
		reach_deciders denying = {0};
		meeting_item(&pairs->with, pairs->level, pairs->item, POLB_VERDICT_ALLOW,
			REACH_DENIES, out);
		meeting_item(&pairs->with, pairs->level, pairs->item, POLB_VERDICT_DENY,
			REACH_DENIES, &denying);
		for (size_t i = 0; i < denying.n; i++)
			*polc_vec_push(scratch, out) = denying.items[i];
		return;
	}
	*polc_vec_push(scratch, out) = d;
	if (pairs->level->kind != REACH_ISOLATORS || pairs->with.direction != POLC_INGRESS)
		return;
	d.local_node = true;
	d.verdict = POLB_VERDICT_ALLOW;
	*polc_vec_push(scratch, out) = d;
}

/* Whether an item that decides on one side stands on the other side too. */
static bool stands_in_both(const struct reach_pairs *pairs, const struct reach_view *view,
	const struct reach_decider *d)
{
	const struct reach_item *item;

	if (d->level == REACH_DEFAULT)
		return false;
	item = &view->side->levels[view->direction][d->level].items.items[d->item];
	if (item->policy == POLC_NO_POLICY)
		return false;
	if (pairs->with.side != pairs->without.side)
		return item->common;
	return pairs->without.skip_level->kind != d->level || pairs->without.skip_item != d->item;
}

/* A weaker decider decides nothing where a stronger item of its own side matches. */
static bool exclude_each_other(const struct reach_pairs *pairs, const struct reach_decider *with,
	const struct reach_decider *without)
{
	bool with_is_stronger = with->level < without->level;
	const struct reach_decider *strong = with_is_stronger ? with : without;

	if (with->level == without->level || strong->level == REACH_ADMIN ||
		strong->level > REACH_ISOLATORS)
		return false;
	return stands_in_both(pairs, with_is_stronger ? &pairs->with : &pairs->without, strong);
}

/* Is the Admin tier the same on both sides? Then its rules decide the same, and lead on alike. */
static bool same_admin_tier(const struct reach_pairs *pairs)
{
	return pairs->with.side == pairs->without.side && pairs->level->kind != REACH_ADMIN;
}

static enum polc_answer find_pair(struct reach_pairs *pairs, const struct reach_decider *with,
	const struct reach_decider *without)
{
	uint32_t pass = is_pass(pairs) ? pairs->item : REACH_NO_ITEM;
	bool same_ways = same_admin_tier(pairs) && with->level != REACH_ADMIN &&
			 without->level != REACH_ADMIN;
	reach_regions ours = {0}, theirs = {0};
	enum polc_answer answer = POLC_NO;

	reach_decider_regions(&pairs->with, with, false, pass, &ours);
	reach_decider_regions(&pairs->without, without, false, REACH_NO_ITEM, &theirs);
	for (size_t i = 0; i < ours.n; i++)
		for (size_t j = same_ways ? i : 0; j < (same_ways ? i + 1 : theirs.n); j++) {
			const struct reach_region *both[] = {&ours.items[i], &theirs.items[j]};
			enum polc_answer one = reach_find(pairs->search, both, 2);
			if (one == POLC_YES)
				return one;
			if (one == POLC_UNKNOWN)
				answer = one;
		}
	return answer;
}

/* A few searches cost as much as asking first whether any can succeed. */
enum { FEW = 3 };

/*
 * Where a denial or an allow of the middle tier decides and the other side has no denials nor
 * allows of its own as strong: without such a point nothing weaker of the other side gets a say.
 */
static bool weaker_cannot_decide(struct reach_pairs *pairs, const struct reach_decider *with)
{
	struct reach_region rest = {.peer = reach_peer(pairs->with.direction)};
	struct reach_level *levels = pairs->without.side->levels[pairs->with.direction];
	struct polc_witness *witness = pairs->search->witness;
	reach_regions ours = {0};
	bool found = false;

	pairs->search->witness = NULL;
	for (int kind = REACH_DENIES; kind <= (int)with->level; kind++)
		rest.out[rest.n_out++] = (struct reach_out){&levels[kind],
			(uint32_t)levels[kind].items.n,
			pairs->without.skip_level == &levels[kind] ? pairs->without.skip_item
								   : REACH_NO_ITEM};
	reach_decider_regions(
		&pairs->with, with, false, is_pass(pairs) ? pairs->item : REACH_NO_ITEM, &ours);
	for (size_t i = 0; i < ours.n && !found; i++) {
		const struct reach_region *both[] = {&ours.items[i], &rest};
		found = reach_find(pairs->search, both, 2) != POLC_NO;
	}
	pairs->search->witness = witness;
	return !found;
}

static void drop_weaker(
	struct reach_pairs *pairs, const struct reach_decider *with, reach_deciders *others)
{
	size_t stronger = 0;

	/* they are sorted by strength */
	while (stronger < others->n && others->items[stronger].level <= with->level)
		stronger++;
	if (with->level != REACH_DENIES && with->level != REACH_ALLOWS)
		return;
	if ((others->n - stronger > FEW || pairs->search->used) &&
		weaker_cannot_decide(pairs, with))
		others->n = stronger;
}

/* Other deciders with a verdict where one of ours decides; of the Admin tier those that count. */
static void other_deciders(const struct reach_pairs *pairs, const struct reach_decider *with,
	enum polb_verdict verdict, reach_deciders *out)
{
	bool own = with->level == REACH_DEFAULT;
	bool same_admin = same_admin_tier(pairs) && !pairs->search->used;
	size_t n = 0;

	meeting_item(&pairs->without,
		own ? pairs->level : &pairs->with.side->levels[pairs->with.direction][with->level],
		own ? pairs->item : with->item, verdict, same_admin ? REACH_DENIES : REACH_ADMIN,
		out);
	for (size_t i = 0; i < out->n; i++) {
		const struct reach_decider *d = &out->items[i];

		if (d->level != REACH_ADMIN || pairs->without.admin[d->item])
			out->items[n++] = *d;
	}
	out->n = n;
}

/*
 * Without one of its Passes the network's lower tiers decide as they do behind it: only another
 * rule of the Admin tier can say something else.
 */
static bool only_admin(const struct reach_pairs *pairs)
{
	return is_pass(pairs) && pairs->with.side == pairs->without.side;
}

static void admin_deciders(
	const struct reach_pairs *pairs, enum polb_verdict verdict, reach_deciders *out)
{
	struct reach_level *level = pairs->level;

	for (uint32_t i = pairs->item + 1; i < level->items.n; i++)
		if (pairs->without.admin[i] && reach_item_verdict(level, i) == verdict)
			*polc_vec_push(&level->side->reach->scratch, out) = (struct reach_decider){
				.level = REACH_ADMIN, .item = i, .verdict = verdict};
}

/* Pairs of one decider of ours; true: enough. */
static bool find_pairs_of(struct reach_pairs *pairs, const struct reach_decider *with, bool *any)
{
	reach_deciders others = {0};
	enum polb_verdict other =
		with->verdict == POLB_VERDICT_ALLOW ? POLB_VERDICT_DENY : POLB_VERDICT_ALLOW;

	if (only_admin(pairs))
		admin_deciders(pairs, other, &others);
	else
		other_deciders(pairs, with, other, &others);
	drop_weaker(pairs, with, &others);
	for (size_t i = 0; i < others.n; i++) {
		if (exclude_each_other(pairs, with, &others.items[i]) ||
			(pairs->known && pairs->known(pairs, with, &others.items[i])))
			continue;
		enum polc_answer answer = find_pair(pairs, with, &others.items[i]);
		pairs->unknown |= answer == POLC_UNKNOWN;
		if (answer != POLC_YES)
			continue;
		*any = true;
		if (!pairs->found || pairs->found(pairs, with, &others.items[i]))
			return true;
	}
	return false;
}

/* Items of the Admin tier that meet the item: where it changes something the others do not match.
 */
static void find_admin(struct reach_pairs *pairs, struct reach_view *view)
{
	static const enum polb_verdict verdicts[] = {
		POLB_VERDICT_ALLOW, POLB_VERDICT_DENY, POLB_VERDICT_PASS};
	const struct reach_level *level = &view->side->levels[view->direction][REACH_ADMIN];
	bool *admin = POLC_NEW_ARRAY(&view->side->reach->scratch, level->items.n, bool);

	for (size_t i = 0; i < POLC_ARRAY_SIZE(verdicts); i++) {
		reach_deciders list = {0};

		meeting_item(view, pairs->level, pairs->item, verdicts[i], REACH_ADMIN, &list);
		for (size_t k = 0; k < list.n; k++)
			if (list.items[k].level == REACH_ADMIN)
				admin[list.items[k].item] = true;
	}
	view->admin = admin;
}

enum polc_answer reach_pairs_find(struct reach_pairs *pairs)
{
	reach_deciders ours = {0};
	bool any = false;

	find_admin(pairs, &pairs->with);
	find_admin(pairs, &pairs->without);
	own_deciders(pairs, &ours);
	for (size_t i = 0; i < ours.n; i++)
		if (find_pairs_of(pairs, &ours.items[i], &any))
			break;
	if (any)
		return POLC_YES;
	return pairs->unknown ? POLC_UNKNOWN : POLC_NO;
}
