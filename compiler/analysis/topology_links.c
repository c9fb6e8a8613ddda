/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fewer lines that say the same: edges that a whole cluster shares become the cluster's, equal
 * edges in both directions become one, and the many default connections between open endpoints go
 * by way of one node. What is merged is equal; nothing is left out but by the user's filters.
 */
#include <stdlib.h>

#include "topology_internal.h"

/* Default edges up to here are drawn one by one. */
enum { MAX_DEFAULT_EDGES = 12 };

#define NO_PORTS UINT32_MAX

void polc_topology_draft_flags(struct polc_topology_draft *d, size_t max)
{
	bool *flags = POLC_NEW_ARRAY(d->builder->arena, 3 * max, bool);

	d->focus = flags;
	d->keep = flags + max;
	d->dropped = flags + 2 * max;
}

static uint32_t port_set(struct polc_topology_draft *d, const uint64_t *ports)
{
	size_t words = d->builder->space.words;

	if (!ports || !polc_bits_any(ports, words))
		return NO_PORTS;
	return polc_intern(&d->port_sets, ports, words * sizeof(*ports));
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static enum polc_topology_change change_of(
	const struct polc_topology_draft *d, const struct polc_topology_link *link)
{
	if (d->builder->n_sets < 2 ||
		(link->ports[0] == link->ports[1] && same_text(link->names[0], link->names[1])))
		return POLC_TOPOLOGY_SAME;
	if (link->ports[0] == NO_PORTS && !link->names[0])
		return POLC_TOPOLOGY_ADDED;
	return link->ports[1] == NO_PORTS && !link->names[1] ? POLC_TOPOLOGY_REMOVED
							     : POLC_TOPOLOGY_CHANGED;
}

void polc_topology_add_link(struct polc_topology_draft *d, uint32_t from, uint32_t to,
	enum polc_topology_style style, const uint64_t *const ports[2], const char *const names[2],
	const struct polc_topology_rule *rules, size_t n_rules)
{
	struct polc_topology_link *link = polc_vec_push(d->builder->arena, &d->links);

	*link = (struct polc_topology_link){
		.from = {.index = from},
		.to = {.index = to},
		.style = style,
		.ports = {port_set(d, ports[0]), port_set(d, ports[1])},
		.names = {names[0], names[1]},
	};
	link->change = change_of(d, link);
	for (size_t i = 0; i < n_rules; i++)
		*polc_vec_push(d->builder->arena, &link->rules) = rules[i];
}

static bool same_end(struct polc_topology_end a, struct polc_topology_end b)
{
	return a.is_cluster == b.is_cluster && a.index == b.index;
}

static bool is_loop(const struct polc_topology_link *link)
{
	return same_end(link->from, link->to);
}

/* Takes out the links that are marked; `marks` by link. */
static void remove_links(struct polc_topology_draft *d, const bool *marks)
{
	size_t n = 0;

	for (size_t i = 0; i < d->links.n; i++)
		if (!marks[i])
			d->links.items[n++] = d->links.items[i];
	d->links.n = n;
}

/* ---- the hub of default connections ---- */

struct hub {
	struct polc_topology_draft *d;
	size_t n;         /* nodes */
	uint32_t ports;   /* what the hub stands for */
	bool *from, *to;  /* by node: goes by way of the hub */
	uint64_t *linked; /* n x n bits */
};

static bool is_candidate(const struct hub *hub, const struct polc_topology_link *link)
{
	return link->style == POLC_TOPOLOGY_DEFAULT && !is_loop(link) &&
	       link->ports[0] == hub->ports;
}

/* Pairs of from x to that have no such edge, by from (or by to). */
static size_t missing(const struct hub *hub, size_t node, bool of_from)
{
	size_t n = 0;

	for (size_t other = 0; other < hub->n; other++) {
		size_t from = of_from ? node : other, to = of_from ? other : node;

		n += from != to && hub->from[from] && hub->to[to] &&
		     !polc_bits_has(hub->linked, from * hub->n + to);
	}
	return n;
}

/* Takes the node with most missing edges out, until every source reaches every destination. */
static void shrink_to_complete(struct hub *hub)
{
	for (;;) {
		size_t most = 0, worst = 0;
		bool worst_is_from = false;

		for (size_t i = 0; i < hub->n; i++) {
			size_t a = hub->from[i] ? missing(hub, i, true) : 0;
			size_t b = hub->to[i] ? missing(hub, i, false) : 0;

			if (a > most || b > most) {
				worst = i;
				worst_is_from = a >= b;
				most = a > b ? a : b;
			}
		}
		if (!most)
			return;
		(worst_is_from ? hub->from : hub->to)[worst] = false;
	}
}

static uint32_t most_common_ports(struct polc_topology_draft *d)
{
	uint32_t *counts = POLC_NEW_ARRAY(d->builder->arena, d->port_sets.list.n + 1, uint32_t);
	uint32_t best = NO_PORTS;

	for (size_t i = 0; i < d->links.n; i++) {
		uint32_t ports = d->links.items[i].ports[0];

		if (d->links.items[i].style != POLC_TOPOLOGY_DEFAULT || is_loop(&d->links.items[i]))
			continue;
		counts[ports]++;
		if (best == NO_PORTS || counts[ports] > counts[best])
			best = ports;
	}
	return best == NO_PORTS || counts[best] <= MAX_DEFAULT_EDGES ? NO_PORTS : best;
}

static void link_hub(struct hub *hub)
{
	struct polc_topology_draft *d = hub->d;
	const uint64_t *const ports[2] = {d->port_sets.list.items[hub->ports].bytes, NULL};
	const char *const names[2] = {NULL, NULL};
	uint32_t node = (uint32_t)d->out->nodes.n;

	*polc_vec_push(d->builder->arena, &d->out->nodes) = (struct polc_topology_node){
		.kind = POLC_TOPOLOGY_ANY_OPEN,
		.name = "any open endpoint",
		.cluster = POLC_TOPOLOGY_NO_CLUSTER,
	};
	for (uint32_t i = 0; i < hub->n; i++) {
		if (hub->from[i])
			polc_topology_add_link(
				d, i, node, POLC_TOPOLOGY_DEFAULT, ports, names, NULL, 0);
		if (hub->to[i])
			polc_topology_add_link(
				d, node, i, POLC_TOPOLOGY_DEFAULT, ports, names, NULL, 0);
	}
}

void polc_topology_hub(struct polc_topology_draft *d)
{
	struct polc_arena scratch = {0};
	struct hub hub = {.d = d, .n = d->out->nodes.n, .ports = most_common_ports(d)};
	size_t n_from = 0, n_to = 0;

	if (hub.ports == NO_PORTS)
		return;
	hub.from = POLC_NEW_ARRAY(&scratch, hub.n, bool);
	hub.to = POLC_NEW_ARRAY(&scratch, hub.n, bool);
	hub.linked = POLC_NEW_ARRAY(&scratch, polc_bits_words(hub.n * hub.n), uint64_t);
	for (size_t i = 0; i < d->links.n; i++) {
		const struct polc_topology_link *link = &d->links.items[i];

		if (!is_candidate(&hub, link))
			continue;
		hub.from[link->from.index] = hub.to[link->to.index] = true;
		polc_bits_set(hub.linked, link->from.index * hub.n + link->to.index);
	}
	shrink_to_complete(&hub);
	for (size_t i = 0; i < hub.n; i++)
		n_from += hub.from[i], n_to += hub.to[i];
	if (n_from * n_to > MAX_DEFAULT_EDGES) {
		bool *marks = POLC_NEW_ARRAY(&scratch, d->links.n, bool);

		for (size_t i = 0; i < d->links.n; i++)
			marks[i] = is_candidate(&hub, &d->links.items[i]) &&
				   hub.from[d->links.items[i].from.index] &&
				   hub.to[d->links.items[i].to.index];
		remove_links(d, marks);
		link_hub(&hub);
	}
	polc_arena_free(&scratch);
}

/* ---- filters ---- */

static bool in_namespace(const struct polc_topology_draft *d, uint32_t i)
{
	const struct polc_topology_node *node = &d->out->nodes.items[i];
	const char *name = d->builder->options->namespace;

	if (node->cluster != POLC_TOPOLOGY_NO_CLUSTER)
		return !strcmp(d->out->clusters.items[node->cluster].name, name);
	return node->kind == POLC_TOPOLOGY_PODS && !strcmp(node->name, name);
}

/* Keeps links that touch a chosen node, and the nodes that they touch. */
static bool keep_around(struct polc_topology_draft *d, const bool *chosen)
{
	struct polc_arena scratch = {0};
	bool *near = POLC_NEW_ARRAY(&scratch, d->out->nodes.n, bool);
	bool *marks = POLC_NEW_ARRAY(&scratch, d->links.n, bool);
	bool any = false;

	for (size_t i = 0; i < d->links.n; i++) {
		uint32_t from = d->links.items[i].from.index, to = d->links.items[i].to.index;

		marks[i] = !chosen[from] && !chosen[to];
		if (!marks[i])
			near[from] = near[to] = true;
	}
	remove_links(d, marks);
	for (size_t i = 0; i < d->out->nodes.n; i++) {
		any |= chosen[i];
		d->dropped[i] |= !chosen[i] && !near[i];
	}
	polc_arena_free(&scratch);
	return any;
}

bool polc_topology_filter(struct polc_topology_draft *d)
{
	const struct polc_topology_options *options = d->builder->options;

	if (options->namespace) {
		bool *chosen = POLC_NEW_ARRAY(d->builder->arena, d->out->nodes.n, bool);

		for (uint32_t i = 0; i < d->out->nodes.n; i++)
			chosen[i] = in_namespace(d, i);
		if (!keep_around(d, chosen))
			return false;
	}
	if (options->focus_pod || options->focus_name || options->focus_addr.family)
		return keep_around(d, d->focus);
	return true;
}

/* ---- bundles ---- */

/* What must be equal for links to be one. */
struct signature {
	uint32_t style, change, ports[2];
};

static struct signature signature_of(const struct polc_topology_link *link)
{
	return (struct signature){link->style, link->change, {link->ports[0], link->ports[1]}};
}

static uint32_t cluster_of(const struct polc_topology_draft *d, struct polc_topology_end end)
{
	return end.is_cluster ? end.index : d->out->nodes.items[end.index].cluster;
}

/* All of the cluster's nodes are drawn, and there are several: an edge may be all of theirs. */
static bool can_bundle(const struct polc_topology_draft *d, uint32_t cluster)
{
	size_t n = 0;

	if (cluster == POLC_TOPOLOGY_NO_CLUSTER || d->cluster_sizes.items[cluster] < 2)
		return false;
	for (size_t i = 0; i < d->out->nodes.n; i++)
		n += d->out->nodes.items[i].cluster == cluster && !d->dropped[i];
	return n == d->cluster_sizes.items[cluster];
}

static bool *bundle_table(struct polc_topology_draft *d)
{
	bool *table = POLC_NEW_ARRAY(d->builder->arena, d->out->clusters.n + 1, bool);

	for (uint32_t i = 0; i < d->out->clusters.n; i++)
		table[i] = can_bundle(d, i);
	return table;
}

struct bundle_key {
	struct signature signature;
	uint32_t cluster, other_is_cluster, other;
};

/* One candidate: links that may become the cluster's. */
struct bundle {
	uint32_t n;     /* links found */
	uint32_t first; /* of the replacing link: where the rules are gathered */
};
struct bundling {
	struct polc_topology_draft *d;
	const bool *can;
	struct polc_intern keys;
	POLC_VEC(struct bundle) bundles;
	uint32_t *bundle_of; /* by link: index + 1, or 0 */
};

static void count_link(struct bundling *b, size_t i, const struct bundle_key *key)
{
	uint32_t index = polc_intern(&b->keys, key, sizeof(*key));

	if (index == b->bundles.n)
		*polc_vec_push(b->d->builder->arena, &b->bundles) =
			(struct bundle){.first = (uint32_t)i};
	b->bundles.items[index].n++;
	b->bundle_of[i] = index + 1;
}

static struct bundling start_bundling(struct polc_topology_draft *d, const bool *can)
{
	return (struct bundling){
		.d = d,
		.can = can,
		.keys = {.arena = d->builder->arena},
		.bundle_of = POLC_NEW_ARRAY(d->builder->arena, d->links.n, uint32_t),
	};
}

/* The links of complete bundles become the first of them; `to`: which ends become the cluster. */
static void replace(struct bundling *b, bool from, bool to, const uint32_t *wanted)
{
	struct polc_topology_draft *d = b->d;
	bool *marks = POLC_NEW_ARRAY(d->builder->arena, d->links.n, bool);

	for (size_t i = 0; i < d->links.n; i++) {
		uint32_t index = b->bundle_of[i];

		if (!index || b->bundles.items[index - 1].n != wanted[index - 1])
			continue;
		struct polc_topology_link *link = &d->links.items[i];
		struct polc_topology_link *first =
			&d->links.items[b->bundles.items[index - 1].first];

		if (link != first) {
			marks[i] = true;
			for (size_t r = 0; r < link->rules.n; r++)
				*polc_vec_push(d->builder->arena, &first->rules) =
					link->rules.items[r];
			continue;
		}
		if (from)
			link->from = (struct polc_topology_end){true, cluster_of(d, link->from)};
		if (to)
			link->to = (struct polc_topology_end){true, cluster_of(d, link->to)};
	}
	remove_links(d, marks);
}

static const struct bundle_key *key_of(const struct bundling *b, size_t bundle)
{
	return b->keys.list.items[bundle].bytes;
}

/* One end of the same is every node of a cluster, the other is elsewhere. */
static void bundle_ends(struct polc_topology_draft *d, const bool *can, bool to)
{
	struct bundling b = start_bundling(d, can);

	for (size_t i = 0; i < d->links.n; i++) {
		const struct polc_topology_link *link = &d->links.items[i];
		struct polc_topology_end end = to ? link->to : link->from;
		struct polc_topology_end other = to ? link->from : link->to;
		uint32_t cluster = cluster_of(d, end);
		const struct bundle_key key = {
			signature_of(link), cluster, other.is_cluster, other.index};

		if (!end.is_cluster && cluster != POLC_TOPOLOGY_NO_CLUSTER && can[cluster] &&
			cluster_of(d, other) != cluster)
			count_link(&b, i, &key);
	}
	uint32_t *wanted = POLC_NEW_ARRAY(d->builder->arena, b.bundles.n, uint32_t);

	for (size_t i = 0; i < b.bundles.n; i++)
		wanted[i] = d->cluster_sizes.items[key_of(&b, i)->cluster];
	replace(&b, !to, to, wanted);
}

/* How many edges the nodes of a cluster have among each other when all have them. */
static uint32_t inner_edges(const struct polc_topology_draft *d, uint32_t cluster, bool loops_too)
{
	uint32_t n = d->cluster_sizes.items[cluster], loops = 0;

	for (size_t i = 0; i < d->out->nodes.n; i++)
		loops += d->out->nodes.items[i].cluster == cluster &&
			 d->out->nodes.items[i].count > 1;
	return n * (n - 1) + (loops_too ? loops : 0);
}

/*
 * Every node with every other of its cluster. Members of one node among each other must have it
 * too, or the edges stay single.
 */
static void bundle_inner(struct polc_topology_draft *d, const bool *can)
{
	struct bundling b = start_bundling(d, can);

	for (size_t i = 0; i < d->links.n; i++) {
		const struct polc_topology_link *link = &d->links.items[i];
		uint32_t cluster = cluster_of(d, link->from);
		const struct bundle_key key = {signature_of(link), cluster, 0, 0};

		if (cluster != POLC_TOPOLOGY_NO_CLUSTER && can[cluster] &&
			cluster == cluster_of(d, link->to))
			count_link(&b, i, &key);
	}
	uint32_t *wanted = POLC_NEW_ARRAY(d->builder->arena, b.bundles.n, uint32_t);

	for (size_t i = 0; i < b.bundles.n; i++)
		wanted[i] = inner_edges(d, key_of(&b, i)->cluster, true);
	replace(&b, true, true, wanted);
}

/* ---- both directions ---- */

struct direction_key {
	struct signature signature;
	struct polc_topology_end from, to;
};

static uint32_t number_direction(
	struct polc_intern *keys, const struct polc_topology_link *link, bool reverse)
{
	struct direction_key key;

	memset(&key, 0, sizeof(key)); /* padding is compared */
	key.signature = signature_of(link);
	key.from.is_cluster = reverse ? link->to.is_cluster : link->from.is_cluster;
	key.from.index = reverse ? link->to.index : link->from.index;
	key.to.is_cluster = reverse ? link->from.is_cluster : link->to.is_cluster;
	key.to.index = reverse ? link->from.index : link->to.index;
	return polc_intern(keys, &key, sizeof(key));
}

static void merge_directions(struct polc_topology_draft *d)
{
	struct polc_intern keys = {.arena = d->builder->arena};
	bool *marks = POLC_NEW_ARRAY(d->builder->arena, d->links.n, bool);

	for (size_t i = 0; i < d->links.n; i++)
		number_direction(&keys, &d->links.items[i], false); /* unique: link i is i */
	for (size_t i = 0; i < d->links.n; i++) {
		struct polc_topology_link *link = &d->links.items[i];
		uint32_t back = number_direction(&keys, link, true);

		if (back >= d->links.n || back <= i || marks[i])
			continue;
		marks[back] = link->both = true;
		for (size_t r = 0; r < d->links.items[back].rules.n; r++)
			*polc_vec_push(d->builder->arena, &link->rules) =
				d->links.items[back].rules.items[r];
	}
	remove_links(d, marks);
}

void polc_topology_bundle(struct polc_topology_draft *d)
{
	const bool *can = bundle_table(d);

	bundle_inner(d, can);
	bundle_ends(d, can, true);
	bundle_ends(d, can, false);
	merge_directions(d);
}
