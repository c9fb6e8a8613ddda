/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Boxes, and the search for a point that avoids products. Every step keeps what holds between the
 * dimensions: one family of addresses, what has a name is a port, and namespaces have their labels.
 * A box whose dimensions agree has a point whichever of their values one picks (but for the
 * addresses, which must differ: the caller of the search sees to that).
 */
#include <string.h>

#include "space.h"

/* --- boxes ---------------------------------------------------------------------------------- */

static void init_party(struct polc_box *box, enum polc_party_side party)
{
	static const uint32_t absent[] = {0};
	const struct polc_space *space = box->space;
	const struct polc_set *any = polc_set_of_values(box->arena, NULL, 0, true);

	box->sets[POLC_SLOT_KINDS + party] =
		polc_set_of_mask(box->arena, polc_kinds_mask(box->class[party], POLB_KIND_ANY));
	for (uint32_t i = 0; i < space->variables.n; i++)
		box->sets[polc_space_label_slot(space, party, i)] = any;
	if (box->class[party] == POLC_CLASS_POD)
		box->sets[polc_space_label_slot(space, party, 0)] =
			polc_set_of_values(box->arena, absent, 1, true);
}

void polc_box_init(struct polc_box *box, const struct polc_space *space, struct polc_arena *arena,
	enum polc_class source, enum polc_class destination)
{
	const struct polc_set *unnamed = polc_set_of_mask(
		arena, destination == POLC_CLASS_POD ? POLC_NAME_NO | POLC_NAME_YES : POLC_NAME_NO);

	*box = (struct polc_box){.space = space,
		.arena = arena,
		.class = {source, destination},
		.n = polc_space_slots(space)};
	box->sets = POLC_NEW_ARRAY(arena, box->n, const struct polc_set *);
	memcpy(box->sets, space->everything, sizeof(space->everything));
	for (size_t i = 0; i < space->names.n; i++)
		box->sets[POLC_SLOT_FIRST + i] = unnamed;
	init_party(box, POLC_SOURCE);
	init_party(box, POLC_DESTINATION);
}

static void replace(struct polc_box *box, uint32_t slot, const struct polc_set *set)
{
	*polc_vec_push(box->arena, &box->trail) = (struct polc_box_change){slot, box->sets[slot]};
	box->sets[slot] = set;
}

void polc_box_rewind(struct polc_box *box, size_t trail)
{
	while (box->trail.n > trail) {
		const struct polc_box_change *c = &box->trail.items[--box->trail.n];
		box->sets[c->slot] = c->before;
	}
}

/* --- families of addresses ------------------------------------------------------------------ */

static unsigned kinds_families(uint32_t mask)
{
	unsigned families = 0;

	for (size_t i = 0; i < polc_n_kinds_rows; i++)
		if (mask & 1u << i)
			families |= polc_kinds_rows[i].families;
	return families;
}

static unsigned families_of(const struct polc_box *box, uint32_t slot)
{
	const struct polc_set *set = box->sets[slot];

	if (slot == POLC_SLOT_PORT)
		return (polc_set_meets(set, box->space->by_family[1]) ? 1u : 0) |
		       (polc_set_meets(set, box->space->by_family[2]) ? 2u : 0);
	if (set->kind == POLC_SET_MASK)
		return kinds_families(set->mask);
	return (set->ranges[0].n ? 1u : 0) | (set->ranges[1].n ? 2u : 0);
}

static const struct polc_set *of_families(struct polc_box *box, uint32_t slot, unsigned families)
{
	const struct polc_set *set = box->sets[slot];
	struct polc_set *out = POLC_NEW(box->arena, struct polc_set);

	if (slot == POLC_SLOT_PORT)
		return polc_set_intersect(box->arena, set, box->space->by_family[families]);
	*out = *set;
	for (size_t i = 0; set->kind == POLC_SET_MASK && i < polc_n_kinds_rows; i++)
		if (!(polc_kinds_rows[i].families & families))
			out->mask &= ~(1u << i);
	for (int i = 0; set->kind == POLC_SET_RANGES && i < 2; i++)
		if (!(families & 1u << i))
			out->ranges[i].n = 0;
	return out;
}

/* Leaves only families that kinds, addresses and ports all allow. */
static bool agree_on_family(struct polc_box *box)
{
	unsigned each[POLC_SLOT_FIRST], all = 3;

	for (uint32_t slot = 0; slot < POLC_SLOT_FIRST; slot++)
		all &= each[slot] = families_of(box, slot);
	for (uint32_t slot = 0; all && all != 3 && slot < POLC_SLOT_FIRST; slot++) {
		if (each[slot] != all)
			replace(box, slot, of_families(box, slot, all));
	}
	return all;
}

/* --- namespaces ----------------------------------------------------------------------------- */

static bool same_namespace(const struct polc_box *box)
{
	const struct polc_set *a = box->sets[polc_space_label_slot(box->space, POLC_SOURCE, 0)];
	const struct polc_set *b =
		box->sets[polc_space_label_slot(box->space, POLC_DESTINATION, 0)];

	return box->class[POLC_SOURCE] == POLC_CLASS_POD &&
	       box->class[POLC_DESTINATION] == POLC_CLASS_POD && !a->complement && !b->complement &&
	       a->n_values == 1 && b->n_values == 1 && a->values[0] == b->values[0];
}

/*
 * Two pods that must be of one namespace have its labels in common. When they need not be, they can
 * be of different ones, and nothing binds them.
 */
static bool agree_on_namespace(struct polc_box *box)
{
	if (!same_namespace(box))
		return true;
	for (uint32_t i = 1; i < box->space->variables.n; i++) {
		uint32_t slots[] = {polc_space_label_slot(box->space, POLC_SOURCE, i),
			polc_space_label_slot(box->space, POLC_DESTINATION, i)};
		const struct polc_set *a = box->sets[slots[0]], *b = box->sets[slots[1]];
		if (!box->space->variables.items[i].of_namespace || a == b)
			continue;
		const struct polc_set *common = polc_set_intersect(box->arena, a, b);
		if (polc_set_is_empty(common))
			return false;
		replace(box, slots[0], common);
		replace(box, slots[1], common);
	}
	return true;
}

/* --- narrowing ------------------------------------------------------------------------------ */

static bool is_variable_of_namespace(const struct polc_space *space, uint32_t slot)
{
	size_t variable = (slot - POLC_SLOT_FIRST - space->names.n) / 2;

	return !variable || space->variables.items[variable].of_namespace;
}

/* What follows for the other dimensions. */
static bool agree(struct polc_box *box, uint32_t slot)
{
	const struct polc_space *space = box->space;

	if (slot < POLC_SLOT_FIRST)
		return agree_on_family(box);
	if (slot < POLC_SLOT_FIRST + space->names.n)
		return box->sets[slot]->mask != POLC_NAME_YES ||
		       polc_box_narrow(box, POLC_SLOT_PORT, space->nameable);
	return !is_variable_of_namespace(space, slot) || agree_on_namespace(box);
}

static bool put(struct polc_box *box, uint32_t slot, const struct polc_set *set)
{
	if (polc_set_is_empty(set))
		return false;
	replace(box, slot, set);
	return agree(box, slot);
}

bool polc_box_narrow(struct polc_box *box, uint32_t slot, const struct polc_set *set)
{
	const struct polc_set *now = polc_set_intersect(box->arena, box->sets[slot], set);

	return now == box->sets[slot] || put(box, slot, now);
}

static bool narrow_away(struct polc_box *box, const struct polc_literal *literal)
{
	return put(box, literal->slot,
		polc_set_subtract(box->arena, box->sets[literal->slot], literal->set));
}

bool polc_box_narrow_product(struct polc_box *box, const struct polc_product *product)
{
	for (size_t i = 0; i < product->n; i++)
		if (!polc_box_narrow(box, product->literals[i].slot, product->literals[i].set))
			return false;
	return true;
}

/* Labels come last and tell most boxes and products apart. */
bool polc_box_meets(const struct polc_box *box, const struct polc_product *product)
{
	for (size_t i = product->n; i-- > 0;)
		if (!polc_set_meets(box->sets[product->literals[i].slot], product->literals[i].set))
			return false;
	return true;
}

/* --- the search ----------------------------------------------------------------------------- */

/*
 * How many literals of a product are open: neither true nor false everywhere in the box. One
 * of them in *open; n + 1: one is false, the product is avoided.
 */
static size_t count_open(
	const struct polc_box *box, const struct polc_product *product, size_t *open)
{
	size_t n = 0;

	for (size_t i = product->n; i-- > 0;) {
		const struct polc_literal *l = &product->literals[i];
		if (polc_set_within(box->sets[l->slot], l->set))
			continue;
		if (!polc_set_meets(box->sets[l->slot], l->set))
			return product->n + 1;
		n++;
		*open = i;
	}
	return n;
}

struct search {
	struct polc_box *box;
	bool (*found)(struct polc_box *box, void *context);
	void *context;
};

static void note_used(struct polc_box *box, const struct polc_product *product)
{
	if (box->used)
		box->used[product->number / 64] |= (uint64_t)1 << product->number % 64;
}

struct open_list {
	const struct polc_product **items;
	size_t n;
	const struct polc_product *fewest; /* to branch on */
};

/* Drops what is avoided, avoids what can only be avoided in one way. False: one is covered. */
static bool propagate(struct polc_box *box, struct open_list *list)
{
	bool again = true;

	while (again) {
		size_t kept = 0, best = SIZE_MAX;
		again = false;
		for (size_t i = 0; i < list->n; i++) {
			const struct polc_product *p = list->items[i];
			size_t open = 0, n = count_open(box, p, &open);
			if (n > p->n)
				continue;
			if (n <= 1)
				note_used(box, p);
			if (!n || (n == 1 && !narrow_away(box, &p->literals[open])))
				return false;
			if (n == 1) {
				again = true;
				continue;
			}
			if (n < best) {
				best = n;
				list->fewest = p;
			}
			list->items[kept++] = p;
		}
		if (box->steps <= list->n) {
			box->exhausted = true;
			return false;
		}
		box->steps -= list->n;
		list->n = kept;
	}
	return true;
}

static bool solve(struct search *s, const struct polc_product *const *products, size_t n);

/* The first literal false; or the first true and the second false; and so on. */
static bool branch(struct search *s, const struct open_list *list)
{
	struct polc_box *box = s->box;
	const struct polc_product *p = list->fewest;
	size_t start = box->trail.n;

	note_used(box, p);
	for (size_t i = 0; i < p->n; i++) {
		const struct polc_literal *l = &p->literals[i];
		size_t before = box->trail.n;
		if (polc_set_within(box->sets[l->slot], l->set))
			continue;
		if (narrow_away(box, l) && solve(s, list->items, list->n))
			return true;
		polc_box_rewind(box, before);
		if (box->exhausted || !polc_box_narrow(box, l->slot, l->set))
			break;
	}
	polc_box_rewind(box, start);
	return false;
}

static bool solve(struct search *s, const struct polc_product *const *products, size_t n)
{
	struct polc_box *box = s->box;
	size_t start = box->trail.n;
	struct open_list list = {
		.items = POLC_NEW_ARRAY(box->arena, n, const struct polc_product *), .n = n};

	if (n)
		memcpy(list.items, products, n * sizeof(*list.items));
	if (propagate(box, &list) && (list.n ? branch(s, &list) : s->found(box, s->context)))
		return true;
	polc_box_rewind(box, start);
	return false;
}

bool polc_box_avoid(struct polc_box *box, const struct polc_product *const *products, size_t n,
	bool (*found)(struct polc_box *box, void *context), void *context)
{
	struct search s = {box, found, context};
	size_t open = 0;

	/* when somebody wants to know why not, one product that covers all is the best reason */
	for (size_t i = 0; box->used && i < n; i++)
		if (!count_open(box, products[i], &open)) {
			note_used(box, products[i]);
			return false;
		}
	return solve(&s, products, n);
}
