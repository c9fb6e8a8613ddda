/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From the draft to the graph: what nothing is connected to goes, the rest is sorted and worded. */
#include <stdlib.h>

#include "topology_internal.h"

#define GONE UINT32_MAX

static void drop_lonely(struct polc_topology_draft *d)
{
	struct polc_topology *t = d->out;
	bool *linked = POLC_NEW_ARRAY(d->builder->arena, t->nodes.n, bool);

	for (size_t i = 0; i < d->links.n; i++) {
		const struct polc_topology_end ends[] = {
			d->links.items[i].from, d->links.items[i].to};

		for (size_t e = 0; e < 2; e++)
			if (!ends[e].is_cluster)
				linked[ends[e].index] = true;
	}
	for (size_t i = 0; i < t->nodes.n; i++)
		if (!d->keep[i] && !linked[i])
			d->dropped[i] = true;
}

struct sorted_node {
	struct polc_topology_node node;
	uint32_t old;
};

static int compare_nodes(const void *pa, const void *pb)
{
	const struct sorted_node *a = pa, *b = pb;

	if (a->node.cluster != b->node.cluster)
		return a->node.cluster < b->node.cluster ? -1 : 1;
	if (a->node.kind != b->node.kind)
		return a->node.kind < b->node.kind ? -1 : 1;
	int order = strcmp(a->node.name, b->node.name);

	return order ? order : (a->old > b->old) - (a->old < b->old);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static uint32_t *renumber_clusters(struct polc_topology_draft *d)
{
	struct polc_topology *t = d->out;
	uint32_t *map = POLC_NEW_ARRAY(d->builder->arena, t->clusters.n + 1, uint32_t);
	size_t n = 0;

	for (size_t c = 0; c < t->clusters.n; c++) {
		struct polc_topology_cluster cluster = t->clusters.items[c];
		unsigned added = 0, removed = 0;

		cluster.n_nodes = 0;
		for (size_t i = 0; i < t->nodes.n; i++) {
			if (t->nodes.items[i].cluster != c || d->dropped[i])
				continue;
			cluster.n_nodes++;
			added += t->nodes.items[i].change == POLC_TOPOLOGY_ADDED;
			removed += t->nodes.items[i].change == POLC_TOPOLOGY_REMOVED;
		}
		if (added == cluster.n_nodes)
			cluster.change = POLC_TOPOLOGY_ADDED;
		if (removed == cluster.n_nodes)
			cluster.change = POLC_TOPOLOGY_REMOVED;
		map[c] = cluster.n_nodes ? (uint32_t)n : GONE;
		if (cluster.n_nodes)
			t->clusters.items[n++] = cluster;
	}
	t->clusters.n = n;
	return map;
}

static uint32_t *renumber_nodes(struct polc_topology_draft *d, const uint32_t *cluster_map)
{
	struct polc_topology *t = d->out;
	uint32_t *map = POLC_NEW_ARRAY(d->builder->arena, t->nodes.n, uint32_t);
	struct sorted_node *sorted =
		POLC_NEW_ARRAY(d->builder->arena, t->nodes.n, struct sorted_node);
	size_t n = 0;

	for (uint32_t i = 0; i < t->nodes.n; i++) {
		struct polc_topology_node *node = &t->nodes.items[i];

		map[i] = GONE;
		if (d->dropped[i])
			continue;
		if (node->cluster != POLC_TOPOLOGY_NO_CLUSTER)
			node->cluster = cluster_map[node->cluster];
		if (node->members.n)
			qsort(node->members.items, node->members.n, sizeof(char *), compare_texts);
		sorted[n++] = (struct sorted_node){*node, i};
	}
	qsort(sorted, n, sizeof(*sorted), compare_nodes);
	for (uint32_t i = 0; i < n; i++) {
		t->nodes.items[i] = sorted[i].node;
		map[sorted[i].old] = i;
	}
	t->nodes.n = n;
	return map;
}

static int compare_rules(const void *pa, const void *pb)
{
	const struct polc_topology_rule *a = pa, *b = pb;

	if (a->set != b->set)
		return a->set < b->set ? -1 : 1;
	if (a->direction != b->direction) /* egress first: that is where it begins */
		return a->direction == POLC_EGRESS ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static void sort_rules(struct polc_topology_edge *edge)
{
	size_t n = 0;

	if (!edge->rules.n)
		return;
	qsort(edge->rules.items, edge->rules.n, sizeof(*edge->rules.items), compare_rules);
	for (size_t i = 0; i < edge->rules.n; i++)
		if (!i || compare_rules(&edge->rules.items[i], &edge->rules.items[n - 1]))
			edge->rules.items[n++] = edge->rules.items[i];
	edge->rules.n = n;
}

/* Of one set: ports, then those that are known by name alone; NULL for none. */
static const char *set_text(struct polc_topology_draft *d, const uint64_t *ports, const char *names)
{
	const struct polc_port_space *space = &d->builder->space;

	if (!ports || !polc_bits_any(ports, space->words))
		return names;
	if (!names)
		return polc_port_space_text(space, ports);
	return polc_arena_printf(
		d->builder->arena, "%s; %s", polc_port_space_text(space, ports), names);
}

static const uint64_t *ports_of(const struct polc_topology_draft *d, uint32_t id)
{
	return id == UINT32_MAX ? NULL : d->port_sets.list.items[id].bytes;
}

/* What one set has that the other has not. */
static const char *difference(
	struct polc_topology_draft *d, const struct polc_topology_link *link, unsigned in)
{
	const uint64_t *a = ports_of(d, link->ports[in]), *b = ports_of(d, link->ports[!in]);
	uint64_t *bits = POLC_NEW_ARRAY(d->builder->arena, d->builder->space.words, uint64_t);
	const char *names = link->names[in];

	for (size_t i = 0; i < d->builder->space.words && a; i++)
		bits[i] = a[i] & ~(b ? b[i] : 0);
	if (names && link->names[!in] && !strcmp(names, link->names[!in]))
		names = NULL;
	return set_text(d, bits, names);
}

static void word_ports(struct polc_topology_draft *d, const struct polc_topology_link *link,
	struct polc_topology_edge *edge)
{
	const char *before = set_text(d, ports_of(d, link->ports[0]), link->names[0]);
	const char *after = NULL;

	if (d->builder->n_sets == 2)
		after = set_text(d, ports_of(d, link->ports[1]), link->names[1]);
	edge->ports = after ? after : before ? before : "none";
	if (link->change != POLC_TOPOLOGY_CHANGED)
		return;
	edge->gained = difference(d, link, 1);
	edge->lost = difference(d, link, 0);
}

static int compare_ends(struct polc_topology_end a, struct polc_topology_end b)
{
	if (a.is_cluster != b.is_cluster)
		return a.is_cluster ? 1 : -1;
	return (a.index > b.index) - (a.index < b.index);
}

static int compare_edges(const void *pa, const void *pb)
{
	const struct polc_topology_edge *a = pa, *b = pb;
	int order = compare_ends(a->from, b->from);

	if (!order)
		order = compare_ends(a->to, b->to);
	if (!order)
		order = (a->style > b->style) - (a->style < b->style);
	return order;
}

static void map_end(struct polc_topology_end *end, const uint32_t *nodes, const uint32_t *clusters)
{
	end->index = end->is_cluster ? clusters[end->index] : nodes[end->index];
}

static void make_edges(
	struct polc_topology_draft *d, const uint32_t *nodes, const uint32_t *clusters)
{
	struct polc_topology *t = d->out;

	for (size_t i = 0; i < d->links.n; i++) {
		const struct polc_topology_link *link = &d->links.items[i];
		struct polc_topology_edge *edge = polc_vec_push(d->builder->arena, &t->edges);

		*edge = (struct polc_topology_edge){
			.from = link->from,
			.to = link->to,
			.both = link->both,
			.style = link->style,
			.change = link->change,
		};
		map_end(&edge->from, nodes, clusters);
		map_end(&edge->to, nodes, clusters);
		for (size_t r = 0; r < link->rules.n; r++)
			*polc_vec_push(d->builder->arena, &edge->rules) = link->rules.items[r];
		sort_rules(edge);
		word_ports(d, link, edge);
	}
	if (t->edges.n)
		qsort(t->edges.items, t->edges.n, sizeof(*t->edges.items), compare_edges);
}

void polc_topology_finish(struct polc_topology_draft *d)
{
	drop_lonely(d);
	const uint32_t *clusters = renumber_clusters(d);
	const uint32_t *nodes = renumber_nodes(d, clusters);

	make_edges(d, nodes, clusters);
}
