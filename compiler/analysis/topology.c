/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The graph from its parts: parties become nodes at some level of grouping, decided pairs of their
 * classes become links, and the finest level that can still be read is kept.
 */
#include <stdlib.h>

#include "topology_internal.h"

/* What AUTO takes for readable. */
enum { MAX_NODES = 72, MAX_EDGES = 150 };

/* ---- nodes ---- */

/* Parties that are one node have the same key. */
static const char *node_key(const struct polc_topology_builder *b, enum polc_topology_group group,
	const struct polc_topology_party *party)
{
	if (!party->pod)
		return polc_arena_printf(b->arena, "\1%u", party->class_id);
	switch (group) {
	case POLC_TOPOLOGY_POD:
		return polc_arena_printf(b->arena, "%s/%s", party->namespace, party->name);
	case POLC_TOPOLOGY_WORKLOAD:
		return polc_arena_printf(
			b->arena, "%s/%s/%u", party->namespace, party->workload, party->class_id);
	case POLC_TOPOLOGY_CLASS:
		return polc_arena_printf(b->arena, "%s/%u", party->namespace, party->class_id);
	case POLC_TOPOLOGY_AUTO:
	case POLC_TOPOLOGY_NAMESPACE:
	case POLC_TOPOLOGY_SELECTORS:
		break;
	}
	return party->namespace;
}

struct grouping {
	struct polc_topology_draft *d;
	enum polc_topology_group group;
	uint32_t *node_of;                                  /* by party */
	POLC_VEC(const struct polc_topology_party *) first; /* by node */
};

static uint32_t cluster_of(struct polc_topology *t, struct polc_arena *arena, const char *name)
{
	size_t n = t->clusters.n;

	if (n && !strcmp(t->clusters.items[n - 1].name, name)) /* parties are sorted */
		return (uint32_t)(n - 1);
	*polc_vec_push(arena, &t->clusters) = (struct polc_topology_cluster){.name = name};
	return (uint32_t)n;
}

static void join_isolation(enum polc_topology_isolation *to, bool isolated)
{
	enum polc_topology_isolation one = isolated ? POLC_TOPOLOGY_ISOLATED : POLC_TOPOLOGY_OPEN;

	*to = *to == POLC_TOPOLOGY_UNGOVERNED || *to == one ? one : POLC_TOPOLOGY_PARTLY;
}

static void join_party(const struct polc_topology_builder *b, struct polc_topology_node *node,
	const struct polc_topology_party *party)
{
	node->count += party->pod != NULL;
	*polc_vec_push(b->arena, &node->members) =
		party->pod ? polc_arena_printf(b->arena, "%s/%s", party->namespace, party->name)
			   : party->name;
	for (size_t s = 0; s < b->n_sets; s++) {
		uint32_t subject = party->faces[s].subject;

		if (subject == POLC_NO_SUBJECT)
			continue;
		for (int dir = 0; dir < 2; dir++)
			join_isolation(&node->isolation[s][dir],
				b->worlds[s].subjects.items[subject].isolated[dir]);
	}
}

static uint32_t add_node(struct grouping *g, const struct polc_topology_party *party)
{
	struct polc_topology_builder *b = g->d->builder;
	struct polc_topology *t = g->d->out;
	bool clustered = party->pod && g->group != POLC_TOPOLOGY_NAMESPACE;
	uint32_t cluster =
		clustered ? cluster_of(t, b->arena, party->namespace) : POLC_TOPOLOGY_NO_CLUSTER;

	*polc_vec_push(b->arena, &t->nodes) = (struct polc_topology_node){
		.kind = party->pod ? POLC_TOPOLOGY_PODS : POLC_TOPOLOGY_OUTSIDE,
		.cluster = cluster,
	};
	*polc_vec_push(b->arena, &g->first) = party;
	if (clustered)
		t->clusters.items[cluster].n_nodes++;
	return (uint32_t)(t->nodes.n - 1);
}

/* Names of workloads of a class, once each: "cart, catalog +3". */
static const char *class_name(struct grouping *g, uint32_t node)
{
	struct polc_topology_builder *b = g->d->builder;
	struct polc_intern names = {.arena = b->arena};

	for (size_t i = 0; i < b->parties.n; i++)
		if (g->node_of[i] == node)
			polc_intern(&names, b->parties.items[i].workload,
				strlen(b->parties.items[i].workload));
	const char *first = names.list.items[0].bytes;

	if (names.list.n == 1)
		return first;
	const char *second = names.list.items[1].bytes;

	return names.list.n == 2 ? polc_arena_printf(b->arena, "%s, %s", first, second)
				 : polc_arena_printf(b->arena, "%s, %s +%zu", first, second,
					   names.list.n - 2);
}

/* "remote-node a" and "remote-node b" are the remote nodes; prefixes are listed. */
static const char *outside_name(struct polc_topology_builder *b, const struct polc_topology_node *n)
{
	static const char *const kinds[][2] = {{"host ", "host"}, {"remote-node ", "remote nodes"}};
	struct polc_buf text = {.arena = b->arena};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(kinds); i++)
		if (!strncmp(n->members.items[0], kinds[i][0], strlen(kinds[i][0])))
			return kinds[i][1];
	for (size_t i = 0; i < n->members.n && i < 2; i++)
		polc_buf_printf(&text, "%s%s", i ? ", " : "", n->members.items[i]);
	if (n->members.n > 2)
		polc_buf_printf(&text, " +%zu", n->members.n - 2);
	return text.p;
}

static void name_node(struct grouping *g, uint32_t i)
{
	struct polc_topology_builder *b = g->d->builder;
	struct polc_topology_node *node = &g->d->out->nodes.items[i];
	const struct polc_topology_party *party = g->first.items[i];

	if (node->kind == POLC_TOPOLOGY_OUTSIDE)
		node->name = outside_name(b, node);
	else if (g->group == POLC_TOPOLOGY_NAMESPACE)
		node->name = party->namespace;
	else if (g->group == POLC_TOPOLOGY_POD)
		node->name = party->name;
	else if (g->group == POLC_TOPOLOGY_WORKLOAD)
		node->name = party->workload;
	else
		node->name = class_name(g, i);
}

/* Two nodes of one workload, which rules tell apart, are numbered. */
static void tell_apart(struct grouping *g)
{
	struct polc_topology *t = g->d->out;

	for (size_t i = 0; i < t->nodes.n; i++) {
		const char *name = t->nodes.items[i].name;
		unsigned n = 1;

		if (t->nodes.items[i].kind != POLC_TOPOLOGY_PODS)
			continue;
		for (size_t j = i + 1; j < t->nodes.n; j++)
			if (t->nodes.items[j].cluster == t->nodes.items[i].cluster &&
				!strcmp(t->nodes.items[j].name, name))
				t->nodes.items[j].name = polc_arena_printf(
					g->d->builder->arena, "%s #%u", name, ++n);
		if (n > 1)
			t->nodes.items[i].name =
				polc_arena_printf(g->d->builder->arena, "%s #1", name);
	}
}

static void find_change(struct grouping *g, uint32_t i)
{
	const struct polc_topology_builder *b = g->d->builder;
	struct polc_topology_node *node = &g->d->out->nodes.items[i];
	bool in[2] = {false, false};

	for (size_t p = 0; p < b->parties.n; p++)
		for (size_t s = 0; s < 2 && g->node_of[p] == i; s++)
			in[s] |= b->parties.items[p].faces[s].present;
	if (b->n_sets < 2 || node->kind == POLC_TOPOLOGY_OUTSIDE)
		return;
	if (!in[0] || !in[1])
		node->change = in[1] ? POLC_TOPOLOGY_ADDED : POLC_TOPOLOGY_REMOVED;
	else if (memcmp(node->isolation[0], node->isolation[1], sizeof(node->isolation[0])))
		node->change = POLC_TOPOLOGY_CHANGED;
}

/* "world" is focused on by that name, as are "host" and "remote-node" of every node. */
static bool is_focus(const struct polc_topology_builder *b, const struct polc_topology_party *party)
{
	const char *name = b->options->focus_name;

	if (!name || party->namespace)
		return party->focus;
	size_t n = strlen(name);

	return !strncmp(party->name, name, n) && (!party->name[n] || party->name[n] == ' ');
}

static void make_nodes(struct grouping *g)
{
	struct polc_topology_builder *b = g->d->builder;
	struct polc_topology *t = g->d->out;
	struct polc_intern keys = {.arena = b->arena};

	g->node_of = POLC_NEW_ARRAY(b->arena, b->parties.n, uint32_t);
	polc_topology_draft_flags(g->d, b->parties.n + 1);
	for (size_t i = 0; i < b->parties.n; i++) {
		const struct polc_topology_party *party = &b->parties.items[i];
		const char *key = node_key(b, g->group, party);
		uint32_t node = polc_intern(&keys, key, strlen(key));

		if (node == t->nodes.n)
			add_node(g, party);
		g->node_of[i] = node;
		join_party(b, &t->nodes.items[node], party);
		g->d->focus[node] |= is_focus(b, party);
		g->d->keep[node] |= party->pod || party->external || g->d->focus[node];
	}
	for (uint32_t i = 0; i < t->nodes.n; i++) {
		name_node(g, i);
		find_change(g, i);
	}
	tell_apart(g);
	for (size_t i = 0; i < t->clusters.n; i++)
		*polc_vec_push(b->arena, &g->d->cluster_sizes) = t->clusters.items[i].n_nodes;
}

/* ---- links ---- */

/* What the pairs of classes between two nodes add up to. */
struct sum {
	uint64_t *ports[2];
	POLC_VEC(struct polc_topology_rule) rules;
};

struct sums {
	uint32_t from, to; /* nodes */
	struct sum styles[POLC_TOPOLOGY_N_STYLES];
};

struct summing {
	struct grouping *g;
	struct polc_intern keys;
	POLC_VEC(struct sums) sums;
	/* classes of nodes: nodes_of[first[c]..first[c + 1]], with the number of parties */
	uint32_t *first, *nodes, *counts;
};

static void index_classes(struct summing *s)
{
	struct polc_topology_builder *b = s->g->d->builder;
	uint32_t n_classes = b->n_classes;
	uint32_t *fill = POLC_NEW_ARRAY(b->arena, n_classes + 1, uint32_t);

	s->first = POLC_NEW_ARRAY(b->arena, n_classes + 1, uint32_t);
	s->nodes = POLC_NEW_ARRAY(b->arena, b->parties.n, uint32_t);
	s->counts = POLC_NEW_ARRAY(b->arena, b->parties.n, uint32_t);
	for (size_t i = 0; i < b->parties.n; i++)
		s->first[b->parties.items[i].class_id + 1]++;
	for (uint32_t c = 0; c < n_classes; c++)
		s->first[c + 1] += s->first[c];
	for (size_t i = 0; i < b->parties.n; i++) {
		uint32_t c = b->parties.items[i].class_id, node = s->g->node_of[i], k = 0;

		while (k < fill[c] && s->nodes[s->first[c] + k] != node)
			k++;
		s->nodes[s->first[c] + k] = node;
		s->counts[s->first[c] + k]++;
		fill[c] = k == fill[c] ? k + 1 : fill[c];
	}
}

/* Default connections to the outside are what "open" marks say, unless they were asked for. */
static bool is_wanted(struct summing *s, uint32_t from, uint32_t to, enum polc_topology_style style)
{
	const struct polc_topology *t = s->g->d->out;
	const struct polc_topology_party *const *first = s->g->first.items;

	if (style != POLC_TOPOLOGY_DEFAULT || s->g->d->builder->n_sets == 2)
		return true;
	return (t->nodes.items[from].kind == POLC_TOPOLOGY_PODS || first[from]->external) &&
	       (t->nodes.items[to].kind == POLC_TOPOLOGY_PODS || first[to]->external);
}

static void add_pair(
	struct summing *s, const struct polc_topology_pair *pair, uint32_t from, uint32_t to)
{
	struct polc_topology_builder *b = s->g->d->builder;
	uint32_t key[2] = {from, to};
	uint32_t index = polc_intern(&s->keys, key, sizeof(key));

	if (index == s->sums.n) {
		polc_vec_push(b->arena, &s->sums);
		s->sums.items[index].from = from;
		s->sums.items[index].to = to;
	}
	for (int style = 0; style < POLC_TOPOLOGY_N_STYLES; style++) {
		struct sum *sum = &s->sums.items[index].styles[style];

		if (!is_wanted(s, from, to, (enum polc_topology_style)style))
			continue;
		for (size_t set = 0; set < b->n_sets; set++) {
			if (!pair->ports[set][style])
				continue;
			if (!sum->ports[set])
				sum->ports[set] =
					POLC_NEW_ARRAY(b->arena, b->space.words, uint64_t);
			polc_bits_add(sum->ports[set], pair->ports[set][style], b->space.words);
		}
		for (size_t i = 0; i < pair->rules[style].n; i++)
			*polc_vec_push(b->arena, &sum->rules) = pair->rules[style].items[i];
	}
}

static void expand_pair(struct summing *s, const struct polc_topology_pair *pair)
{
	for (uint32_t i = s->first[pair->from]; i < s->first[pair->from + 1]; i++) {
		for (uint32_t j = s->first[pair->to]; j < s->first[pair->to + 1]; j++) {
			if (!s->counts[i] || !s->counts[j])
				continue;
			/* an endpoint with itself is no connection */
			if (pair->from == pair->to && i == j && s->counts[i] < 2)
				continue;
			add_pair(s, pair, s->nodes[i], s->nodes[j]);
		}
	}
}

static void link_sum(struct summing *s, size_t i)
{
	struct polc_topology_builder *b = s->g->d->builder;
	struct sum *styles = s->sums.items[i].styles;
	const char *const no_names[2] = {NULL, NULL};

	for (int style = 0; style < POLC_TOPOLOGY_N_STYLES; style++) {
		const uint64_t *ports[2] = {styles[style].ports[0], styles[style].ports[1]};

		if (!ports[0] && !ports[1])
			continue;
		if (b->n_sets == 2 && style == POLC_TOPOLOGY_DEFAULT)
			continue;
		/* what nobody decides before and after is no news */
		const uint64_t *usual = styles[POLC_TOPOLOGY_DEFAULT].ports[1];

		if (b->n_sets == 2 && ports[0] && ports[1] && usual &&
			!memcmp(ports[0], ports[1], b->space.words * sizeof(uint64_t)) &&
			!memcmp(ports[1], usual, b->space.words * sizeof(uint64_t)))
			continue;
		polc_topology_add_link(s->g->d, s->sums.items[i].from, s->sums.items[i].to,
			(enum polc_topology_style)style, ports, no_names, styles[style].rules.items,
			styles[style].rules.n);
	}
}

static void make_links(struct grouping *g, const polc_topology_pairs *pairs)
{
	struct summing s = {.g = g, .keys = {.arena = g->d->builder->arena}};

	index_classes(&s);
	for (size_t i = 0; i < pairs->n; i++)
		expand_pair(&s, &pairs->items[i]);
	for (size_t i = 0; i < s.sums.n; i++)
		link_sum(&s, i);
}

/* ---- levels ---- */

static void count_set(struct polc_topology_builder *b, struct polc_topology *t)
{
	const struct polc_topology_set *newest = b->worlds[b->n_sets - 1].set;

	t->n_sets = (uint32_t)b->n_sets;
	t->n_endpoints = (uint32_t)newest->identities->endpoints.n;
	t->n_policies = (uint32_t)newest->network->n_policies;
}

static struct polc_topology *build_level(struct polc_topology_builder *b,
	enum polc_topology_group group, const polc_topology_pairs *pairs)
{
	struct polc_topology_draft d = {.builder = b,
		.out = POLC_NEW(b->arena, struct polc_topology),
		.port_sets = {.arena = b->arena}};
	struct grouping g = {.d = &d, .group = group};

	d.out->group = group;
	count_set(b, d.out);
	if (group == POLC_TOPOLOGY_SELECTORS) {
		polc_topology_of_selectors(&d);
	} else {
		make_nodes(&g);
		make_links(&g, pairs);
		polc_topology_nest_regions(&d, g.node_of);
		if (b->n_sets == 1)
			polc_topology_hub(&d);
	}
	if (!polc_topology_filter(&d))
		return NULL;
	if (group != POLC_TOPOLOGY_SELECTORS)
		polc_topology_bundle(&d);
	polc_topology_finish(&d);
	return d.out;
}

static struct polc_topology *build_auto(
	struct polc_topology_builder *b, const polc_topology_pairs *pairs)
{
	static const enum polc_topology_group levels[] = {
		POLC_TOPOLOGY_WORKLOAD, POLC_TOPOLOGY_CLASS, POLC_TOPOLOGY_NAMESPACE};
	struct polc_topology *t = NULL;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(levels); i++) {
		t = build_level(b, levels[i], pairs);
		if (!t || (t->nodes.n <= MAX_NODES && t->edges.n <= MAX_EDGES))
			break;
	}
	return t;
}

bool polc_topology_prepare(struct polc_topology_builder *b, struct polc_arena *arena,
	const struct polc_topology_set *sets, size_t n_sets,
	const struct polc_topology_options *options)
{
	bool endpoints = false;

	*b = (struct polc_topology_builder){.arena = arena, .options = options, .n_sets = n_sets};
	polc_port_space_build(&b->space, arena, sets, n_sets, options);
	for (size_t i = 0; i < n_sets; i++) {
		b->worlds[i].set = &sets[i];
		polc_topology_world_init(b, i);
		endpoints |= sets[i].identities->endpoints.n > 0;
	}
	if (endpoints)
		polc_topology_find_parties(b);
	return endpoints;
}

const struct polc_topology *polc_topology_build(struct polc_arena *arena,
	const struct polc_topology_set *sets, size_t n_sets,
	const struct polc_topology_options *options)
{
	struct polc_topology_builder b;
	polc_topology_pairs pairs = {0};

	if (!polc_topology_prepare(&b, arena, sets, n_sets, options))
		return build_level(&b, POLC_TOPOLOGY_SELECTORS, &pairs);
	polc_topology_find_pairs(&b, &pairs);
	if (options->group == POLC_TOPOLOGY_AUTO)
		return build_auto(&b, &pairs);
	return build_level(&b, options->group, &pairs);
}
