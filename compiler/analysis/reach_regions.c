/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What decides where: every decider as a union of regions, and the deciders that a box meets. */
#include "reach_private.h"

enum polb_verdict reach_item_verdict(const struct reach_level *level, uint32_t item)
{
	return level->items.items[item].verdict;
}

static struct reach_level *level_of(const struct reach_view *view, enum reach_level_kind kind)
{
	return &view->side->levels[view->direction][kind];
}

static bool is_skipped(
	const struct reach_view *view, const struct reach_level *level, uint32_t item)
{
	return view->skip_level == level && view->skip_item == item;
}

static void add_in(struct reach_region *region, struct reach_level *level, uint32_t item)
{
	region->in[region->n_in++] = (struct reach_in){level, item};
}

static void add_out(const struct reach_view *view, struct reach_region *region,
	enum reach_level_kind kind, size_t upto)
{
	struct reach_level *level = level_of(view, kind);

	region->out[region->n_out++] = (struct reach_out){
		level, (uint32_t)upto, view->skip_level == level ? view->skip_item : REACH_NO_ITEM};
}

static void add_out_all(
	const struct reach_view *view, struct reach_region *region, enum reach_level_kind kind)
{
	add_out(view, region, kind, level_of(view, kind)->items.n);
}

/* The posture's item among the isolators, behind those of policies. */
static size_t n_isolating_policies(const struct reach_view *view)
{
	return level_of(view, REACH_ISOLATORS)->items.n -
	       (view->side->network->posture != POLC_POSTURE_ALLOW);
}

static void require_isolation(
	const struct reach_view *view, const struct reach_decider *d, struct reach_region *region)
{
	uint32_t host = polc_kinds_mask(POLC_CLASS_NODE, POLB_KIND_HOST);
	bool by_nobody = d->item == n_isolating_policies(view) &&
			 view->side->network->posture == POLC_POSTURE_DENY;

	add_in(region, level_of(view, REACH_ISOLATORS), d->item);
	add_out(view, region, REACH_ISOLATORS, d->item);
	if (by_nobody)
		add_out_all(view, region, REACH_SELECTED);
	if (view->direction == POLC_INGRESS)
		region->peer_kinds = d->local_node ? host : ((1u << polc_n_kinds_rows) - 1) & ~host;
}

static void require_no_isolation(const struct reach_view *view, struct reach_region *region)
{
	bool by_nobody = view->side->network->posture == POLC_POSTURE_DENY;

	if (by_nobody)
		add_in(region, level_of(view, REACH_SELECTED), REACH_ANY_ITEM);
	add_out(view, region, REACH_ISOLATORS,
		by_nobody ? n_isolating_policies(view) : level_of(view, REACH_ISOLATORS)->items.n);
}

/* Behind the Admin tier. */
static void add_lower(const struct reach_view *view, const struct reach_decider *d, bool shared,
	struct reach_region *region)
{
	if (d->level > REACH_DENIES)
		add_out_all(view, region, REACH_DENIES);
	if (d->level > REACH_ALLOWS)
		add_out_all(view, region, REACH_ALLOWS);
	if (d->level == REACH_ISOLATORS)
		require_isolation(view, d, region);
	if (d->level > REACH_ISOLATORS)
		require_no_isolation(view, region);
	if (d->level == REACH_DEFAULT) {
		add_out_all(view, region, REACH_BASELINE);
	} else if (d->level != REACH_ISOLATORS) {
		add_in(region, level_of(view, d->level), d->item);
		if (!shared || d->level == REACH_BASELINE)
			add_out(view, region, d->level, d->item);
	}
}

void reach_decider_regions(const struct reach_view *view, const struct reach_decider *decider,
	bool shared, uint32_t pass, reach_regions *out)
{
	struct polc_arena *scratch = &view->side->reach->scratch;
	struct reach_level *admin = level_of(view, REACH_ADMIN);
	struct reach_region none = {.peer = reach_peer(view->direction)}, region;

	if (decider->level == REACH_ADMIN) {
		region = none;
		add_in(&region, admin, decider->item);
		add_out(view, &region, REACH_ADMIN, decider->item);
		*polc_vec_push(scratch, out) = region;
		return;
	}
	for (uint32_t i = 0; i < admin->items.n; i++) {
		if (reach_item_verdict(admin, i) != POLB_VERDICT_PASS ||
			is_skipped(view, admin, i) || (pass != REACH_NO_ITEM && pass != i) ||
			(view->admin && !view->admin[i]))
			continue;
		region = none;
		add_in(&region, admin, i);
		add_out(view, &region, REACH_ADMIN, i);
		add_lower(view, decider, shared, &region);
		*polc_vec_push(scratch, out) = region;
	}
	if (pass != REACH_NO_ITEM)
		return;
	region = none;
	add_out_all(view, &region, REACH_ADMIN);
	add_lower(view, decider, shared, &region);
	*polc_vec_push(scratch, out) = region;
}

/* --- deciders ------------------------------------------------------------------------------- */

struct meeting {
	const struct reach_view *view;
	const struct polc_box *box;
	enum polb_verdict verdict;
	reach_deciders *out;
};

static void add_decider(
	const struct meeting *m, enum reach_level_kind level, uint32_t item, bool local_node)
{
	*polc_vec_push(m->box->arena, m->out) = (struct reach_decider){
		.level = level, .item = item, .local_node = local_node, .verdict = m->verdict};
}

static void add_isolator(const struct meeting *m, uint32_t item)
{
	if (m->verdict == POLB_VERDICT_DENY)
		add_decider(m, REACH_ISOLATORS, item, false);
	else if (m->view->direction == POLC_INGRESS &&
		 m->box->class[POLC_SOURCE] == POLC_CLASS_NODE)
		add_decider(m, REACH_ISOLATORS, item, true);
}

static void add_level(const struct meeting *m, enum reach_level_kind kind)
{
	struct reach_level *level = level_of(m->view, kind);
	struct polc_reach *reach = m->view->side->reach;
	reach_list list = {0};
	bool *meets = POLC_NEW_ARRAY(m->box->arena, level->items.n, bool);

	reach->stamp++;
	reach_level_meeting(level, m->box, (uint32_t)level->items.n,
		m->view->skip_level == level ? m->view->skip_item : REACH_NO_ITEM, &list);
	for (size_t i = 0; i < list.n; i++)
		meets[reach->owners.items[list.items[i]->number].item] = true;
	for (uint32_t i = 0; i < level->items.n; i++) {
		if (!meets[i])
			continue;
		if (kind == REACH_ISOLATORS)
			add_isolator(m, i);
		else if (reach_item_verdict(level, i) == m->verdict)
			add_decider(m, kind, i, false);
	}
}

void reach_deciders_meeting(const struct reach_view *view, const struct polc_box *box,
	enum polb_verdict verdict, enum reach_level_kind from, reach_deciders *out)
{
	const struct meeting m = {view, box, verdict, out};
	bool deny = verdict == POLB_VERDICT_DENY;

	for (int kind = from; kind < REACH_LEVELS; kind++) {
		if (kind == REACH_SELECTED || kind == (deny ? REACH_ALLOWS : REACH_DENIES))
			continue;
		add_level(&m, (enum reach_level_kind)kind);
	}
	if (!deny)
		add_decider(&m, REACH_DEFAULT, REACH_NO_ITEM, false);
}

struct polc_decider reach_decider_public(
	const struct reach_side *side, enum polc_direction direction, const struct reach_decider *d)
{
	struct polc_decider out = {.rule = POLB_RULE_NONE, .policy = POLC_NO_POLICY};
	const struct reach_item *item;

	if (d->level == REACH_DEFAULT)
		return out;
	item = &side->levels[direction][d->level].items.items[d->item];
	if (item->rule != REACH_NO_RULE) {
		out.rule = side->network->rules[item->rule].id;
		return out;
	}
	out.rule = d->local_node ? POLB_RULE_LOCAL_NODE : POLB_RULE_DEFAULT_DENY;
	out.policy = item->policy;
	return out;
}
