/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connections by both of their ends: egress at the source and ingress at the destination. */
#include <netinet/in.h>

#include "reach_private.h"

typedef POLC_VEC(struct polc_product) product_list;

struct path {
	struct polc_reach *reach;
	struct reach_side *side;
	const struct polc_path_question *question;
	struct reach_search search;
	enum polc_class class[2]; /* source, destination */
	struct polc_product ports;
	bool unknown;
};

/* --- what is asked -------------------------------------------------------------------------- */

static const struct polc_set *range_set(struct polc_space *space, const struct polc_port_range *r)
{
	bool icmp = r->protocol == IPPROTO_ICMP || r->protocol == IPPROTO_ICMPV6;
	uint8_t family = r->protocol == IPPROTO_ICMPV6 ? 6 : 4;
	bool ports = icmp || polc_protocol_bit(r->protocol);
	uint32_t begin = polc_line_position(r->protocol, 0, family);
	uint16_t hi = icmp && r->hi > 255 ? 255 : r->hi;

	return polc_set_of_range(
		space->arena, begin + (ports ? r->lo : 0u), begin + (ports ? hi : 0u));
}

/* False: none is asked about. */
static bool ports_asked(struct path *p)
{
	struct polc_space *space = p->reach->space;
	const struct polc_set *set =
		p->question->n_ports ? NULL : space->everything[POLC_SLOT_PORT];
	polc_literals literals = {0};

	for (size_t i = 0; i < p->question->n_ports; i++) {
		const struct polc_set *one = range_set(space, &p->question->ports[i]);
		set = set ? polc_set_unite(space->arena, set, one) : one;
	}
	for (size_t i = 0; i < p->question->n_except; i++)
		set = polc_set_subtract(
			space->arena, set, range_set(space, &p->question->except[i]));
	set = polc_set_intersect(space->arena, set, space->everything[POLC_SLOT_PORT]);
	if (polc_set_is_empty(set))
		return false;
	*polc_vec_push(space->arena, &literals) = (struct polc_literal){POLC_SLOT_PORT, set};
	return polc_product_make(space, &literals, &p->ports);
}

static void parties_asked(struct path *p, const struct polc_parties *parties,
	enum polc_party_side side, enum polc_class class, product_list *out)
{
	for (size_t i = 0; i < parties->n; i++) {
		polc_literals literals = {0};
		struct polc_product product;
		if (polc_space_selector(p->reach->space, &parties->selectors[i], side, class, false,
			    &literals) &&
			polc_product_make(p->reach->space, &literals, &product))
			*polc_vec_push(p->reach->space->arena, out) = product;
	}
}

/* --- the search ----------------------------------------------------------------------------- */

static bool box_asked(struct path *p, struct polc_box *box)
{
	polc_box_init(box, p->reach->space, &p->reach->scratch, p->class[0], p -> class[1]);
	for (int i = 0; i < 3; i++)
		if (p->search.more[i] && !polc_box_narrow_product(box, p->search.more[i]))
			return false;
	return true;
}

static enum polc_answer find(struct path *p, const struct reach_region *const *regions, size_t n)
{
	enum polc_answer answer = reach_find_in(&p->search, p->class[0], p -> class[1], regions, n);

	p->unknown |= answer == POLC_UNKNOWN;
	return answer;
}

/* One end's verdict, and the other's if its region is given. */
static bool find_end(struct path *p, enum polc_direction direction, enum polb_verdict verdict,
	const struct reach_region *other);

static bool find_with(struct path *p, const struct reach_view *view, enum polb_verdict verdict,
	const struct reach_decider *d, const struct reach_region *other)
{
	bool both_ends = p->class[0] == POLC_CLASS_POD && p->class[1] == POLC_CLASS_POD;
	reach_regions regions = {0};

	reach_decider_regions(view, d, false, REACH_NO_ITEM, &regions);
	for (size_t i = 0; i < regions.n; i++) {
		const struct reach_region *all[] = {&regions.items[i], other};
		if (both_ends && verdict == POLB_VERDICT_ALLOW && !other) {
			if (find_end(p, POLC_INGRESS, verdict, &regions.items[i]))
				return true;
		} else if (find(p, all, other ? 2 : 1) == POLC_YES) {
			return true;
		}
	}
	return false;
}

/* Narrows by what a region is in, when it is in one product of it only. */
static bool narrow_by(struct polc_box *box, const struct reach_region *region)
{
	for (size_t i = 0; region && i < region->n_in; i++) {
		const struct reach_in *in = &region->in[i];
		const struct reach_products *products = reach_level_products(
			in->level, box->class[reach_peer(in->level->direction)]);
		if (in->item == REACH_ANY_ITEM)
			continue;
		uint32_t first = products->first[in->item], end = products->first[in->item + 1];
		if (first == end || (end == first + 1 && !polc_box_narrow_product(box,
								 &products->list.items[first])))
			return false;
	}
	return true;
}

static bool find_end(struct path *p, enum polc_direction direction, enum polb_verdict verdict,
	const struct reach_region *other)
{
	const struct reach_view view = {.side = p->side, .direction = direction};
	reach_deciders deciders = {0};
	struct polc_box box;

	if (!box_asked(p, &box) || !narrow_by(&box, other))
		return false;
	reach_deciders_meeting(&view, &box, verdict, REACH_ADMIN, &deciders);
	for (size_t i = 0; i < deciders.n; i++)
		if (find_with(p, &view, verdict, &deciders.items[i], other))
			return true;
	return false;
}

/* Denied when one end denies, allowed when all do that are endpoints. */
static bool find_verdict(struct path *p)
{
	enum polb_verdict verdict = p->question->verdict;

	if (p->class[0] != POLC_CLASS_POD)
		return find_end(p, POLC_INGRESS, verdict, NULL);
	if (find_end(p, POLC_EGRESS, verdict, NULL))
		return true;
	return verdict == POLB_VERDICT_DENY && p->class[1] == POLC_CLASS_POD &&
	       find_end(p, POLC_INGRESS, verdict, NULL);
}

static bool find_between(struct path *p)
{
	product_list from = {0}, to = {0};

	parties_asked(p, &p->question->from, POLC_SOURCE, p->class[0], &from);
	parties_asked(p, &p->question->to, POLC_DESTINATION, p->class[1], &to);
	p->search.direction = p->class[0] == POLC_CLASS_POD ? POLC_EGRESS : POLC_INGRESS;
	for (size_t i = 0; i < from.n; i++)
		for (size_t j = 0; j < to.n; j++) {
			const struct polc_product *asked[] = {
				&from.items[i], &to.items[j], &p->ports};
			for (int k = 0; k < 3; k++) {
				p->search.more[k] = asked[k];
				p->search.n_more[k] = 1;
			}
			if (find_verdict(p))
				return true;
		}
	return false;
}

static void confirm(const struct path *p)
{
	const struct polc_witness *witness = p->search.witness;
	struct polc_witness turned;
	struct polc_decision own, other = {.verdict = POLB_VERDICT_ALLOW};

	polc_witness_decide(&p->reach->scratch, p->side->network, witness, &own);
	if (p->class[0] == POLC_CLASS_POD && p->class[1] == POLC_CLASS_POD) {
		reach_witness_turn(witness, &turned);
		polc_witness_decide(&p->reach->scratch, p->side->network, &turned, &other);
	}
	bool allowed = own.verdict == POLB_VERDICT_ALLOW && other.verdict == POLB_VERDICT_ALLOW;
	if (allowed != (p->question->verdict == POLB_VERDICT_ALLOW))
		POLC_BUG("the witness of a path has another verdict");
}

enum polc_answer polc_reach_path(struct polc_reach *reach, size_t network,
	const struct polc_path_question *question, struct polc_witness *witness)
{
	static const enum polc_class classes[][2] = {{POLC_CLASS_POD, POLC_CLASS_POD},
		{POLC_CLASS_POD, POLC_CLASS_OTHER}, {POLC_CLASS_OTHER, POLC_CLASS_POD},
		{POLC_CLASS_POD, POLC_CLASS_NODE}, {POLC_CLASS_NODE, POLC_CLASS_POD}};
	struct path p = {.reach = reach, .side = &reach->sides[network], .question = question};
	bool found = false;

	reach_search_init(&p.search, reach, POLC_EGRESS, witness);
	for (size_t i = 0; ports_asked(&p) && !found && i < POLC_ARRAY_SIZE(classes); i++) {
		p.class[0] = classes[i][0];
		p.class[1] = classes[i][1];
		found = find_between(&p);
		if (found && witness)
			confirm(&p);
	}
	polc_arena_free(&reach->scratch);
	if (found)
		return POLC_YES;
	return p.unknown ? POLC_UNKNOWN : POLC_NO;
}
