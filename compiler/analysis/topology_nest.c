/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Regions within regions. 203.0.113.0/24 is named by an egress rule and is cut out of the world for
 * it; as a source it is the world still. Such edges go, and a region whose part is treated
 * otherwise says so in its name.
 */
#include <stdlib.h>

#include "topology_internal.h"

enum { MAX_EXCEPTIONS = 2 };

struct nesting {
	struct polc_topology_draft *d;
	const uint32_t *node_of;
	uint32_t *parent; /* by node; or POLC_NO_PARENT */
	bool *implied[2]; /* by node; from it, to it: as the parent's */
};

static struct polc_topology_builder *builder(const struct nesting *n)
{
	return n->d->builder;
}

/* The node of which all members of the node are parts, if there is one. */
static void find_parents(struct nesting *n)
{
	size_t n_nodes = n->d->out->nodes.n;
	bool *mixed = POLC_NEW_ARRAY(builder(n)->arena, n_nodes, bool);

	n->parent = POLC_NEW_ARRAY(builder(n)->arena, n_nodes, uint32_t);
	for (size_t i = 0; i < n_nodes; i++)
		n->parent[i] = POLC_NO_PARENT;
	for (size_t i = 0; i < builder(n)->parties.n; i++) {
		const struct polc_topology_party *party = &builder(n)->parties.items[i];
		uint32_t node = n->node_of[i], parent = POLC_NO_PARENT;

		if (party->parent != POLC_NO_PARENT)
			parent = n->node_of[party->parent];
		if (party->pod || parent == node)
			continue;
		if (parent == POLC_NO_PARENT || party->external ||
			(n->parent[node] != POLC_NO_PARENT && n->parent[node] != parent))
			mixed[node] = true;
		n->parent[node] = parent;
	}
	for (size_t i = 0; i < n_nodes; i++)
		if (mixed[i])
			n->parent[i] = POLC_NO_PARENT;
}

struct region_link {
	uint32_t node, other, style, change, ports[2];
};

static struct region_link key_of(const struct polc_topology_link *link, bool to, uint32_t node)
{
	return (struct region_link){node, to ? link->from.index : link->to.index, link->style,
		link->change, {link->ports[0], link->ports[1]}};
}

static uint32_t end_node(const struct polc_topology_link *link, bool to)
{
	return to ? link->to.index : link->from.index;
}

/* Which regions have in this direction exactly the edges of their parents. */
static void find_implied(struct nesting *n, bool to)
{
	struct polc_topology_draft *d = n->d;
	struct polc_intern keys = {.arena = builder(n)->arena};
	uint32_t *counts = POLC_NEW_ARRAY(builder(n)->arena, d->out->nodes.n, uint32_t);
	uint32_t *shared = POLC_NEW_ARRAY(builder(n)->arena, d->out->nodes.n, uint32_t);

	n->implied[to] = POLC_NEW_ARRAY(builder(n)->arena, d->out->nodes.n, bool);
	for (size_t i = 0; i < d->links.n; i++) {
		uint32_t node = end_node(&d->links.items[i], to);
		struct region_link key = key_of(&d->links.items[i], to, node);

		polc_intern(&keys, &key, sizeof(key));
		counts[node]++;
	}
	size_t known = keys.list.n;

	for (size_t i = 0; i < d->links.n; i++) {
		uint32_t node = end_node(&d->links.items[i], to);

		if (n->parent[node] == POLC_NO_PARENT)
			continue;
		struct region_link key = key_of(&d->links.items[i], to, n->parent[node]);

		shared[node] += polc_intern(&keys, &key, sizeof(key)) < known;
	}
	for (size_t i = 0; i < d->out->nodes.n; i++)
		n->implied[to][i] = n->parent[i] != POLC_NO_PARENT && counts[i] == shared[i] &&
				    counts[i] == counts[n->parent[i]];
}

static void drop_implied(struct nesting *n)
{
	struct polc_topology_draft *d = n->d;
	size_t kept = 0;

	for (size_t i = 0; i < d->links.n; i++)
		if (!n->implied[0][end_node(&d->links.items[i], false)] &&
			!n->implied[1][end_node(&d->links.items[i], true)])
			d->links.items[kept++] = d->links.items[i];
	d->links.n = kept;
}

/* Whether a part is treated otherwise in a direction in which the whole has edges. */
static bool is_exception(const struct nesting *n, uint32_t part, uint32_t whole)
{
	bool used[2] = {false, false};

	for (size_t i = 0; i < n->d->links.n; i++)
		for (int to = 0; to < 2; to++)
			used[to] |= end_node(&n->d->links.items[i], to) == whole;
	return (used[0] && !n->implied[0][part]) || (used[1] && !n->implied[1][part]);
}

/* Whether the party was cut, in however many steps, out of one of the node. */
static bool has_ancestor(
	const struct nesting *n, const struct polc_topology_party *party, uint32_t node)
{
	while (party->parent != POLC_NO_PARENT) {
		if (n->node_of[party->parent] == node)
			return true;
		party = &builder(n)->parties.items[party->parent];
	}
	return false;
}

/* "world" for world and a part of it that is in the same node; "but" what is not. */
static void name_region(struct nesting *n, uint32_t node)
{
	struct polc_buf name = {.arena = builder(n)->arena}, but = {.arena = builder(n)->arena};
	unsigned names = 0, exceptions = 0;

	for (size_t i = 0; i < builder(n)->parties.n; i++) {
		const struct polc_topology_party *party = &builder(n)->parties.items[i];
		bool nested = party->parent != POLC_NO_PARENT;
		uint32_t parent = nested ? n->node_of[party->parent] : POLC_NO_PARENT;

		if (n->node_of[i] == node && !has_ancestor(n, party, node) && names++ < 2)
			polc_buf_printf(&name, "%s%s", name.n ? ", " : "", party->name);
		if (n->node_of[i] == node || parent != node ||
			!is_exception(n, n->node_of[i], node))
			continue;
		if (exceptions++ < MAX_EXCEPTIONS)
			polc_buf_printf(&but, "%s%s", but.n ? ", " : " but ", party->name);
	}
	if (names > 2)
		polc_buf_printf(&name, " +%u", names - 2);
	if (exceptions > MAX_EXCEPTIONS)
		polc_buf_printf(&but, " +%u", exceptions - MAX_EXCEPTIONS);
	n->d->out->nodes.items[node].name =
		polc_arena_printf(builder(n)->arena, "%s%s", name.p, but.n ? but.p : "");
}

void polc_topology_nest_regions(struct polc_topology_draft *d, const uint32_t *node_of)
{
	struct nesting n = {.d = d, .node_of = node_of};
	bool *named = POLC_NEW_ARRAY(d->builder->arena, d->out->nodes.n, bool);

	find_parents(&n);
	find_implied(&n, false);
	find_implied(&n, true);
	drop_implied(&n);
	for (size_t i = 0; i < d->builder->parties.n; i++) {
		const struct polc_topology_party *party = &d->builder->parties.items[i];

		/* regions: those that have a parent, and the worlds */
		if (party->pod || named[node_of[i]] ||
			(party->parent == POLC_NO_PARENT && strncmp(party->name, "world", 5)))
			continue;
		named[node_of[i]] = true;
		name_region(&n, node_of[i]);
	}
}
