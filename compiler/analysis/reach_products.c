/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The products of a level's items, and an index of them: every product is filed under the values
 * of its rarest label, so that a box about a few values finds the few that it may meet.
 */
#include <stdlib.h>
#include <string.h>

#include "reach_private.h"

/* --- the index ------------------------------------------------------------------------------ */

#define NOTHING UINT32_MAX

struct bucket_entry {
	uint32_t product, next;
};
struct bucket {
	uint32_t slot, value;
	uint32_t count; /* products with this value */
	uint32_t head;  /* of those filed here */
	bool used;
};
struct reach_index {
	struct bucket *buckets;
	size_t size; /* power of two */
	POLC_VEC(struct bucket_entry) entries;
	POLC_VEC(uint32_t) unfiled;
	POLC_VEC(struct filed_slot {
		uint32_t slot;
		POLC_VEC(uint32_t) products;
	})
	slots; /* that products are filed under */
};

static struct bucket *find_bucket(struct reach_index *index, uint32_t slot, uint32_t value)
{
	uint64_t hash = ((uint64_t)slot << 32 | value) * 0x9e3779b97f4a7c15ull;
	size_t i = (hash >> 20) & (index->size - 1);

	while (index->buckets[i].used &&
		(index->buckets[i].slot != slot || index->buckets[i].value != value))
		i = (i + 1) & (index->size - 1);
	return &index->buckets[i];
}

static bool can_be_filed(const struct polc_literal *literal)
{
	return literal->set->kind == POLC_SET_VALUES && !literal->set->complement;
}

static void count_values(struct reach_index *index, const struct polc_product *product)
{
	for (size_t i = 0; i < product->n; i++) {
		const struct polc_literal *l = &product->literals[i];
		for (size_t j = 0; can_be_filed(l) && j < l->set->n_values; j++) {
			struct bucket *b = find_bucket(index, l->slot, l->set->values[j]);
			if (!b->used)
				*b = (struct bucket){l->slot, l->set->values[j], 0, NOTHING, true};
			b->count++;
		}
	}
}

/* The literal that fewest others share a value with; NULL: none is of values. */
static const struct polc_literal *rarest(
	struct reach_index *index, const struct polc_product *product)
{
	const struct polc_literal *best = NULL;
	size_t best_count = SIZE_MAX;

	for (size_t i = 0; i < product->n; i++) {
		const struct polc_literal *l = &product->literals[i];
		size_t count = 0;
		if (!can_be_filed(l))
			continue;
		for (size_t j = 0; j < l->set->n_values; j++)
			count += find_bucket(index, l->slot, l->set->values[j])->count;
		if (count < best_count) {
			best_count = count;
			best = l;
		}
	}
	return best;
}

static struct filed_slot *filed_slot(
	struct polc_arena *arena, struct reach_index *index, uint32_t slot)
{
	for (size_t i = 0; i < index->slots.n; i++)
		if (index->slots.items[i].slot == slot)
			return &index->slots.items[i];
	struct filed_slot *s = polc_vec_push(arena, &index->slots);
	*s = (struct filed_slot){.slot = slot};
	return s;
}

static void file_product(struct polc_arena *arena, struct reach_index *index, uint32_t number,
	const struct polc_product *product)
{
	const struct polc_literal *key = rarest(index, product);

	if (!key) {
		*polc_vec_push(arena, &index->unfiled) = number;
		return;
	}
	*polc_vec_push(arena, &filed_slot(arena, index, key->slot)->products) = number;
	for (size_t i = 0; i < key->set->n_values; i++) {
		struct bucket *b = find_bucket(index, key->slot, key->set->values[i]);
		*polc_vec_push(arena, &index->entries) = (struct bucket_entry){number, b->head};
		b->head = (uint32_t)index->entries.n - 1;
	}
}

static void build_index(struct polc_arena *arena, struct reach_products *products)
{
	struct reach_index *index = POLC_NEW(arena, struct reach_index);
	size_t n_values = 1;

	for (size_t i = 0; i < products->list.n; i++)
		for (size_t j = 0; j < products->list.items[i].n; j++)
			n_values += products->list.items[i].literals[j].set->n_values;
	for (index->size = 16; index->size < 2 * n_values; index->size *= 2)
		;
	index->buckets = POLC_NEW_ARRAY(arena, index->size, struct bucket);
	for (size_t i = 0; i < products->list.n; i++)
		count_values(index, &products->list.items[i]);
	for (size_t i = 0; i < products->list.n; i++)
		file_product(arena, index, (uint32_t)i, &products->list.items[i]);
	products->index = index;
}

struct lookup {
	struct polc_reach *reach;
	const struct reach_products *products;
	const struct polc_box *box;
	uint32_t upto, skip;
	reach_list *out;
};

static void consider(const struct lookup *l, uint32_t number)
{
	const struct polc_product *p = &l->products->list.items[number];
	uint32_t item = l->reach->owners.items[p->number].item;
	uint32_t *stamp = &l->reach->stamps.items[p->number];

	if (item >= l->upto || item == l->skip || *stamp == l->reach->stamp ||
		!polc_box_meets(l->box, p))
		return;
	*stamp = l->reach->stamp;
	*polc_vec_push(l->box->arena, l->out) = p;
}

static void look_below_slot(const struct lookup *l, const struct filed_slot *slot)
{
	const struct polc_set *set = l->box->sets[slot->slot];
	struct reach_index *index = l->products->index;

	if (set->complement || set->n_values > slot->products.n) {
		for (size_t i = 0; i < slot->products.n; i++)
			consider(l, slot->products.items[i]);
		return;
	}
	for (size_t i = 0; i < set->n_values; i++) {
		const struct bucket *b = find_bucket(index, slot->slot, set->values[i]);
		uint32_t entry = b->used ? b->head : NOTHING;
		for (; entry != NOTHING; entry = index->entries.items[entry].next)
			consider(l, index->entries.items[entry].product);
	}
}

void reach_level_meeting(struct reach_level *level, const struct polc_box *box, uint32_t upto,
	uint32_t skip, reach_list *out)
{
	enum polc_class class = box->class[reach_peer(level->direction)];
	struct lookup l = {
		level->side->reach, reach_level_products(level, class), box, upto, skip, out};
	const struct reach_index *index = l.products->index;

	for (size_t i = 0; i < index->unfiled.n; i++)
		consider(&l, index->unfiled.items[i]);
	for (size_t i = 0; i < index->slots.n; i++)
		look_below_slot(&l, &index->slots.items[i]);
}

/* --- products ------------------------------------------------------------------------------- */

static const struct reach_compiled *compile(struct reach_side *side, enum polc_direction direction,
	uint32_t selector, enum polc_class class, bool subject)
{
	struct reach_compiled *c = subject ? &side->subjects[direction][selector]
					   : &side->peers[direction][class][selector];

	if (!c->done)
		c->possible =
			polc_space_selector(side->reach->space, &side->network->selectors[selector],
				subject ? reach_subject(direction) : reach_peer(direction), class,
				subject, &c->literals);
	c->done = true;
	return c;
}

/* Unions of literals about one party. */
typedef POLC_VEC(polc_literals) alternatives;

static bool says_only_address(const struct polb_selector *s)
{
	return s->has_prefix && !s->n_requirements;
}

/* Selectors that differ in nothing but their prefix become one. The address is their last literal.
 */
static void join_addresses(
	struct polc_reach *reach, const struct reach_compiled *c, polc_literals *joined)
{
	const struct polc_literal *address = &c->literals.items[c->literals.n - 1];

	if (joined->n) {
		struct polc_literal *sum = &joined->items[joined->n - 1];
		sum->set = polc_set_unite(reach->arena, sum->set, address->set);
		return;
	}
	for (size_t i = 0; i < c->literals.n; i++)
		*polc_vec_push(reach->arena, joined) = c->literals.items[i];
}

static void add_peers(struct reach_side *side, const struct polc_net_rule *rule,
	enum polc_class class, alternatives *out)
{
	struct polc_arena *arena = side->reach->arena;
	struct joined {
		uint32_t kinds;
		polc_literals literals;
	};
	POLC_VEC(struct joined) sums = {0};

	for (size_t i = 0; i < rule->n_selectors; i++) {
		const struct polb_selector *s = &side->network->selectors[rule->selectors[i]];
		const struct reach_compiled *c =
			compile(side, rule->direction, rule->selectors[i], class, false);
		size_t sum = 0;
		if (!c->possible)
			continue;
		if (!says_only_address(s)) {
			*polc_vec_push(arena, out) = c->literals;
			continue;
		}
		while (sum < sums.n && sums.items[sum].kinds != s->kinds)
			sum++;
		if (sum == sums.n)
			*polc_vec_push(arena, &sums) = (struct joined){.kinds = s->kinds};
		join_addresses(side->reach, c, &sums.items[sum].literals);
	}
	for (size_t i = 0; i < sums.n; i++)
		*polc_vec_push(arena, out) = sums.items[i].literals;
}

static void add_subjects(
	struct reach_side *side, enum polc_direction direction, uint32_t policy, alternatives *out)
{
	const struct polc_net_policy *p = &side->network->policies[policy];

	for (size_t i = 0; i < p->n_subjects; i++) {
		const struct reach_compiled *c =
			compile(side, direction, p->subjects[i], POLC_CLASS_POD, true);
		if (c->possible)
			*polc_vec_push(side->reach->arena, out) = c->literals;
	}
}

static void add_ports(struct reach_side *side, const struct polc_net_rule *rule,
	enum polc_class class, alternatives *out)
{
	struct polc_space *space = side->reach->space;
	const struct polc_set *numbers = polc_space_ports(space, rule->ports, rule->n_ports);
	bool pod = rule->direction == POLC_INGRESS || class == POLC_CLASS_POD;

	if (numbers) {
		polc_literals l = {0};
		*polc_vec_push(space->arena, &l) = (struct polc_literal){POLC_SLOT_PORT, numbers};
		*polc_vec_push(space->arena, out) = l;
	}
	for (size_t i = 0; pod && i < rule->n_ports; i++) {
		const struct polc_net_port *port = &rule->ports[i];
		const struct polc_set *set =
			port->kind == POLC_PORT_NAME ? polc_space_named_ports(space, port) : NULL;
		polc_literals l = {0};
		if (!set)
			continue;
		*polc_vec_push(space->arena, &l) = (struct polc_literal){POLC_SLOT_PORT, set};
		*polc_vec_push(space->arena, &l) =
			(struct polc_literal){polc_space_name_slot(space, port->name),
				polc_set_of_mask(space->arena, POLC_NAME_YES)};
		*polc_vec_push(space->arena, out) = l;
	}
}

struct adding {
	struct reach_level *level;
	uint32_t item;
	struct reach_products *products; /* or NULL: */
	reach_list *loose;
};

static void add_product(const struct adding *a, const struct polc_product *product)
{
	struct polc_reach *reach = a->level->side->reach;
	struct polc_product *p;

	if (a->products) {
		p = polc_vec_push(reach->arena, &a->products->list);
	} else {
		p = POLC_NEW(reach->arena, struct polc_product);
		*polc_vec_push(reach->arena, a->loose) = p;
	}
	*p = *product;
	p->number = (uint32_t)reach->owners.n;
	*polc_vec_push(reach->arena, &reach->owners) = (struct reach_place){a->level, a->item};
	*polc_vec_push(reach->arena, &reach->stamps) = 0;
}

/* All combinations of the alternatives, as products. */
static void multiply(const struct adding *adding, const alternatives *factors, size_t n,
	const polc_literals *sofar)
{
	struct polc_reach *reach = adding->level->side->reach;
	struct polc_product product;

	if (!n) {
		if (polc_product_make(reach->space, sofar, &product))
			add_product(adding, &product);
		return;
	}
	for (size_t i = 0; i < factors->n; i++) {
		polc_literals more = {0};
		for (size_t j = 0; j < sofar->n; j++)
			*polc_vec_push(&reach->scratch, &more) = sofar->items[j];
		for (size_t j = 0; j < factors->items[i].n; j++)
			*polc_vec_push(&reach->scratch, &more) = factors->items[i].items[j];
		multiply(adding, factors + 1, n - 1, &more);
	}
}

static void build_item(struct reach_level *level, uint32_t item, enum polc_class class,
	struct reach_products *products)
{
	struct reach_side *side = level->side;
	const struct reach_item *it = &level->items.items[item];
	const struct adding adding = {.level = level, .item = item, .products = products};
	alternatives factors[3] = {0};
	polc_literals none = {0};
	size_t n = 0;

	if (it->policy != POLC_NO_POLICY)
		add_subjects(side, level->direction, it->policy, &factors[n++]);
	if (it->rule != REACH_NO_RULE) {
		const struct polc_net_rule *rule = &side->network->rules[it->rule];
		add_peers(side, rule, class, &factors[n++]);
		add_ports(side, rule, class, &factors[n++]);
	}
	multiply(&adding, factors, n, &none);
}

const struct reach_products *reach_level_products(
	struct reach_level *level, enum polc_class peer_class)
{
	struct reach_products *products = &level->products[peer_class];
	struct polc_arena *arena = level->side->reach->arena;

	if (products->built)
		return products;
	products->built = true;
	products->first = POLC_NEW_ARRAY(arena, level->items.n + 1, uint32_t);
	for (uint32_t i = 0; i < level->items.n; i++) {
		products->first[i] = (uint32_t)products->list.n;
		build_item(level, i, peer_class, products);
	}
	products->first[level->items.n] = (uint32_t)products->list.n;
	build_index(arena, products);
	return products;
}

void reach_rule_without_peers(struct reach_side *side, uint32_t rule, reach_list *out)
{
	const struct polc_net_rule *r = &side->network->rules[rule];
	const struct reach_place *place = &side->places[rule];
	const struct adding adding = {.level = place->level, .item = place->item, .loose = out};
	alternatives factors[2] = {0};
	polc_literals none = {0};

	add_subjects(side, r->direction, r->policy, &factors[0]);
	add_ports(side, r, POLC_CLASS_POD, &factors[1]);
	multiply(&adding, factors, 2, &none);
}
