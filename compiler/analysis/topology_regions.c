/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The outside in regions: the whole world, and every prefix that a selector names or excepts, each
 * without the narrower ones and without what the inventory knows. Rules treat all addresses of a
 * region alike, so that one of them stands for all.
 */
#include <stdlib.h>

#include "topology_internal.h"

/* Known addresses in the way are stepped over one by one, at most so many. */
enum { MAX_STEPS = 4096 };

typedef POLC_VEC(struct polb_prefix) prefixes;

static int compare(const void *a, const void *b)
{
	return polb_prefix_compare(a, b);
}

static void add_prefixes(struct polc_topology_builder *b, prefixes *out)
{
	for (size_t s = 0; s < b->n_sets; s++) {
		const struct polc_network *network = b->worlds[s].set->network;

		for (size_t i = 0; i < network->n_selectors; i++) {
			const struct polb_selector *selector = &network->selectors[i];

			if (selector->has_prefix)
				*polc_vec_push(b->arena, out) = selector->prefix;
			for (size_t j = 0; j < selector->n_excepts; j++)
				*polc_vec_push(b->arena, out) = selector->excepts[j];
		}
	}
	*polc_vec_push(b->arena, out) = (struct polb_prefix){.addr = {.family = 4}};
	*polc_vec_push(b->arena, out) = (struct polb_prefix){.addr = {.family = 6}};
	qsort(out->items, out->n, sizeof(*out->items), compare);
	size_t n = 0;

	for (size_t i = 0; i < out->n; i++)
		if (!i || polb_prefix_compare(&out->items[i], &out->items[n - 1]))
			out->items[n++] = out->items[i];
	out->n = n;
}

/* The address after the last one of the prefix; false when there is none. */
static bool step_over(const struct polb_prefix *prefix, struct polb_addr *addr)
{
	unsigned size = prefix->addr.family == 4 ? 4 : 16;

	*addr = prefix->addr;
	for (unsigned bit = prefix->len; bit-- > 0;) {
		uint8_t mask = (uint8_t)(0x80 >> (bit % 8));

		addr->bytes[bit / 8] ^= mask;
		if (addr->bytes[bit / 8] & mask)
			return bit / 8 < size;
	}
	return false;
}

static bool is_outside(const struct polc_topology_builder *b, const struct polb_addr *addr)
{
	for (size_t s = 0; s < b->n_sets; s++) {
		struct polb_identity_view view;

		polc_identity_view(b->worlds[s].set->identities, addr, NULL, &view, NULL);
		if (!(view.kinds & POLB_KIND_WORLD))
			return false;
	}
	return true;
}

/* An address of prefixes[i] that is in none of the narrower ones, which follow it. */
static bool find_address(
	const struct polc_topology_builder *b, const prefixes *all, size_t i, struct polb_addr *out)
{
	const struct polb_prefix *outer = &all->items[i];
	size_t next = i + 1;

	*out = outer->addr;
	for (unsigned step = 0; step < MAX_STEPS; step++) {
		struct polb_prefix here = {.addr = *out, .len = out->family == 4 ? 32 : 128};

		while (next < all->n && polb_prefix_compare(&all->items[next], &here) < 0 &&
			!polb_prefix_has(&all->items[next], out))
			next++;
		if (next < all->n && polb_prefix_has(&all->items[next], out))
			here = all->items[next];
		else if (is_outside(b, out))
			return true;
		if (!step_over(&here, out) || !polb_prefix_has(outer, out))
			return false;
	}
	return false;
}

static const char *region_name(struct polc_topology_builder *b, const struct polb_prefix *prefix)
{
	char text[POLB_ADDR_TEXT];

	if (!prefix->len && b->families != 3)
		return "world";
	if (!prefix->len)
		return prefix->addr.family == 4 ? "world (IPv4)" : "world (IPv6)";
	polb_prefix_format(prefix, text);
	return polc_arena_printf(b->arena, "%s", text);
}

/* Both worlds are one when no rule treats them differently. */
static bool join_worlds(
	struct polc_topology_builder *b, uint32_t world4, const struct polb_addr *addr)
{
	struct polc_topology_party *party = &b->parties.items[world4];

	for (size_t s = 0; s < b->n_sets; s++) {
		struct polc_topology_world *w = &b->worlds[s];
		uint32_t view = polc_topology_view_of(b, s, addr, NULL);

		if (memcmp(w->views.items[view].rules,
			    w->views.items[party->faces[s].views[0]].rules,
			    w->rule_words * sizeof(uint64_t)))
			return false;
	}
	party->name = "world";
	for (size_t s = 0; s < b->n_sets; s++)
		polc_topology_add_view(b, party, s, addr, NULL);
	return true;
}

static void focus_on_region(struct polc_topology_builder *b, const prefixes *all,
	const uint32_t *parties, const struct polb_addr *addr)
{
	uint32_t best = UINT32_MAX;

	for (size_t i = 0; i < b->parties.n; i++)
		if (b->parties.items[i].focus)
			return;
	for (size_t i = 0; i < all->n; i++) /* the narrowest comes last */
		if (polb_prefix_has(&all->items[i], addr))
			best = parties[i];
	if (best != UINT32_MAX)
		b->parties.items[best].focus = true;
}

/* The region of the narrowest wider prefix; such prefixes come before. */
static uint32_t parent_of(const prefixes *all, const uint32_t *parties, size_t i)
{
	for (size_t j = i; j-- > 0;)
		if (parties[j] != UINT32_MAX && polb_prefix_covers(&all->items[j], &all->items[i]))
			return parties[j];
	return POLC_NO_PARENT;
}

void polc_topology_add_regions(struct polc_topology_builder *b)
{
	prefixes all = {0};
	uint32_t *parties, world4 = UINT32_MAX;

	add_prefixes(b, &all);
	parties = POLC_NEW_ARRAY(b->arena, all.n, uint32_t);
	for (size_t i = 0; i < all.n; i++) {
		struct polb_addr addr;

		parties[i] = UINT32_MAX;
		if (!(b->families & (all.items[i].addr.family == 4 ? 1u : 2u)) ||
			!find_address(b, &all, i, &addr))
			continue;
		if (!all.items[i].len && world4 != UINT32_MAX && join_worlds(b, world4, &addr)) {
			parties[i] = world4;
			continue;
		}
		struct polc_topology_party *party =
			polc_topology_add_party(b, NULL, region_name(b, &all.items[i]));

		parties[i] = (uint32_t)(b->parties.n - 1);
		party->parent = parent_of(&all, parties, i);
		if (!all.items[i].len)
			world4 = parties[i];
		for (size_t s = 0; s < b->n_sets; s++)
			polc_topology_add_view(b, party, s, &addr, NULL);
	}
	if (b->options->focus_addr.family)
		focus_on_region(b, &all, parties, &b->options->focus_addr);
}
