/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The parts of a picture: what becomes a box, a frame, a line, a line of text in a box. */
#include <string.h>

#include "graph_layout.h"

enum { MAX_NAME = 30, MAX_OUTER_NAME = 44, MAX_LABEL = 30, MAX_LOOP = 24, N_COLOURS = 6 };

struct making {
	struct polc_picture *p;
	const struct polc_topology *t;
	uint32_t *source_box, *destination_box; /* by node */
	uint32_t *unit_of_cluster;
};

static bool is_outer(const struct polc_topology_node *node)
{
	return node->kind != POLC_TOPOLOGY_PODS;
}

int polc_text_width(const char *text, int tenths)
{
	return ((int)polc_graph_text_length(text) * tenths + 9) / 10;
}

/* Frames of clusters, and one invisible unit for every node without cluster. */
static uint32_t unit_of(struct making *m, uint32_t node)
{
	uint32_t cluster = m->t->nodes.items[node].cluster;

	if (cluster != POLC_TOPOLOGY_NO_CLUSTER && m->unit_of_cluster[cluster] != POLC_NO_UNIT)
		return m->unit_of_cluster[cluster];
	uint32_t unit = (uint32_t)m->p->units.n;
	struct polc_picture_unit *u = polc_vec_push(m->p->arena, &m->p->units);

	*u = (struct polc_picture_unit){.cluster = cluster};
	if (cluster != POLC_TOPOLOGY_NO_CLUSTER) {
		m->unit_of_cluster[cluster] = unit;
		u->label = polc_graph_shorten(
			m->p->arena, m->t->clusters.items[cluster].name, MAX_NAME);
	}
	return unit;
}

static uint32_t add_box(struct making *m, uint32_t node, bool right)
{
	const struct polc_topology_node *n = &m->t->nodes.items[node];
	bool outer = is_outer(n);
	struct polc_picture_box box = {
		.node = node,
		.unit = outer ? POLC_NO_UNIT : unit_of(m, node),
		.column = right ? -1 : 0, /* -1: the last one, not yet known */
		.label = polc_graph_shorten(m->p->arena, polc_graph_node_label(m->p->graph, n),
			outer ? MAX_OUTER_NAME : MAX_NAME),
	};

	*polc_vec_push(m->p->arena, &m->p->boxes) = box;
	return (uint32_t)(m->p->boxes.n - 1);
}

/* Outer nodes get the boxes that they need; without any edge, one on the left. */
static void add_boxes(struct making *m)
{
	bool *sends = POLC_NEW_ARRAY(m->p->arena, m->t->nodes.n, bool);
	bool *receives = POLC_NEW_ARRAY(m->p->arena, m->t->nodes.n, bool);

	for (size_t i = 0; i < m->t->edges.n; i++) {
		const struct polc_topology_edge *e = &m->t->edges.items[i];

		if (!e->from.is_cluster) {
			sends[e->from.index] = true;
			receives[e->from.index] |= e->both;
		}
		if (!e->to.is_cluster) {
			receives[e->to.index] = true;
			sends[e->to.index] |= e->both;
		}
	}
	for (uint32_t i = 0; i < m->t->nodes.n; i++) {
		bool outer = is_outer(&m->t->nodes.items[i]);

		if (!outer || sends[i] || !receives[i])
			m->source_box[i] = m->destination_box[i] = add_box(m, i, false);
		if (outer && receives[i])
			m->destination_box[i] = add_box(m, i, true);
	}
}

static struct polc_picture_end end_of(
	const struct making *m, struct polc_topology_end end, bool source)
{
	if (end.is_cluster)
		return (struct polc_picture_end){true, m->unit_of_cluster[end.index]};
	return (struct polc_picture_end){
		false, source ? m->source_box[end.index] : m->destination_box[end.index]};
}

static bool same_end(struct polc_picture_end a, struct polc_picture_end b)
{
	return a.is_unit == b.is_unit && a.index == b.index;
}

static uint32_t net_of(
	struct polc_picture *p, struct polc_picture_end from, const char *class_name, bool both)
{
	for (size_t i = p->nets.n; i-- > 0;) /* edges are sorted by source: it is near the end */
		if (same_end(p->nets.items[i].from, from) && p->nets.items[i].both == both &&
			!strcmp(p->nets.items[i].class_name, class_name))
			return (uint32_t)i;
	*polc_vec_push(p->arena, &p->nets) = (struct polc_picture_net){
		.from = from,
		.class_name = class_name,
		.both = both,
		.colour = (unsigned)((from.index + (from.is_unit ? 3 : 0)) % N_COLOURS),
		.feeders = {{.gutter = -1}, {.gutter = -1}},
	};
	return (uint32_t)(p->nets.n - 1);
}

static void add_wire(struct making *m, const struct polc_topology_edge *edge,
	struct polc_topology_end from, struct polc_topology_end to, bool both)
{
	struct polc_picture *p = m->p;
	struct polc_picture_end source = end_of(m, from, true);

	*polc_vec_push(p->arena, &p->wires) = (struct polc_picture_wire){
		.edge = edge,
		.from = source,
		.to = end_of(m, to, false),
		.net = net_of(p, source, polc_graph_edge_class(p->graph, edge), both),
		.label = polc_graph_edge_label(p->graph, edge, MAX_LABEL),
	};
}

static bool touches_outer(const struct making *m, const struct polc_topology_edge *e)
{
	return (!e->from.is_cluster && is_outer(&m->t->nodes.items[e->from.index])) ||
	       (!e->to.is_cluster && is_outer(&m->t->nodes.items[e->to.index]));
}

static void add_loop(struct making *m, const struct polc_topology_edge *edge)
{
	struct polc_picture_end end = end_of(m, edge->from, true);
	polc_picture_loops *loops = end.is_unit ? &m->p->units.items[end.index].loops
						: &m->p->boxes.items[end.index].loops;
	const char *label = polc_graph_edge_label(m->p->graph, edge, MAX_LOOP);

	*polc_vec_push(m->p->arena, loops) = (struct polc_picture_loop){
		edge, polc_arena_printf(m->p->arena, "\u21bb %s", label)};
}

static void add_edges(struct making *m)
{
	for (size_t i = 0; i < m->t->edges.n; i++) {
		const struct polc_topology_edge *e = &m->t->edges.items[i];

		if (e->from.is_cluster == e->to.is_cluster && e->from.index == e->to.index) {
			add_loop(m, e);
		} else if (e->both && touches_outer(m, e)) {
			add_wire(m, e, e->from, e->to, false);
			add_wire(m, e, e->to, e->from, false);
		} else {
			add_wire(m, e, e->from, e->to, e->both);
		}
	}
}

void polc_picture_make(struct polc_picture *p)
{
	struct making m = {.p = p, .t = p->graph->topology};

	m.source_box = POLC_NEW_ARRAY(p->arena, m.t->nodes.n, uint32_t);
	m.destination_box = POLC_NEW_ARRAY(p->arena, m.t->nodes.n, uint32_t);
	m.unit_of_cluster = POLC_NEW_ARRAY(p->arena, m.t->clusters.n + 1, uint32_t);
	for (size_t i = 0; i < m.t->clusters.n; i++)
		m.unit_of_cluster[i] = POLC_NO_UNIT;
	add_boxes(&m);
	add_edges(&m);
}

struct polc_picture *polc_picture_lay_out(struct polc_arena *arena, const struct polc_graph *graph)
{
	struct polc_picture *p = POLC_NEW(arena, struct polc_picture);

	p->arena = arena;
	p->graph = graph;
	polc_picture_make(p);
	polc_picture_rank(p);
	polc_picture_order(p);
	polc_picture_place(p);
	polc_picture_route(p);
	return p;
}
