/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Words for nodes and edges, the same in all formats. */
#include <string.h>

#include "graph.h"

/* Members and rules listed in a title before the rest is only counted. */
enum { MAX_LISTED = 12 };

size_t polc_graph_text_length(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Byte offset of the nth character. */
static size_t offset_of(const char *text, size_t n)
{
	size_t i = 0;

	for (; text[i]; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80 && !n--)
			break;
	return i;
}

const char *polc_graph_shorten(struct polc_arena *arena, const char *text, size_t max)
{
	size_t n = polc_graph_text_length(text), head = max / 2, tail = max - head - 1;

	if (n <= max)
		return text;
	return polc_arena_printf(arena, "%.*s\u2026%s", (int)offset_of(text, head), text,
		text + offset_of(text, n - tail));
}

const char *polc_graph_node_label(
	const struct polc_graph *graph, const struct polc_topology_node *node)
{
	if (node->count > 1)
		return polc_arena_printf(graph->arena, "%s \u00d7%u", node->name, node->count);
	return node->name;
}

static uint32_t newest_set(const struct polc_graph *graph, enum polc_topology_change change)
{
	return graph->topology->n_sets == 2 && change != POLC_TOPOLOGY_REMOVED;
}

const char *polc_graph_isolation(const struct polc_graph *graph,
	const struct polc_topology_node *node, enum polc_direction direction)
{
	switch (node->isolation[newest_set(graph, node->change)][direction]) {
	case POLC_TOPOLOGY_UNGOVERNED:
		return NULL;
	case POLC_TOPOLOGY_OPEN:
		return "open";
	case POLC_TOPOLOGY_ISOLATED:
		return "isolated";
	case POLC_TOPOLOGY_PARTLY:
		return "partly";
	}
	return NULL;
}

static const char *isolation_text(enum polc_topology_isolation isolation)
{
	switch (isolation) {
	case POLC_TOPOLOGY_UNGOVERNED:
		return "nothing";
	case POLC_TOPOLOGY_OPEN:
		return "open (no policy isolates)";
	case POLC_TOPOLOGY_ISOLATED:
		return "isolated (only what rules allow)";
	case POLC_TOPOLOGY_PARTLY:
		return "open for some, isolated for others";
	}
	return "nothing";
}

static void add_isolation(
	const struct polc_graph *graph, const struct polc_topology_node *node, struct polc_buf *out)
{
	static const struct {
		enum polc_direction direction;
		const char *text;
	} directions[] = {{POLC_INGRESS, "ingress"}, {POLC_EGRESS, "egress"}};
	uint32_t set = newest_set(graph, node->change);

	for (size_t i = 0; i < POLC_ARRAY_SIZE(directions); i++) {
		enum polc_direction direction = directions[i].direction;
		enum polc_topology_isolation now = node->isolation[set][direction];
		enum polc_topology_isolation old = node->isolation[0][direction];

		if (now == POLC_TOPOLOGY_UNGOVERNED)
			continue;
		polc_buf_printf(out, "\n%s: %s", directions[i].text, isolation_text(now));
		if (node->change == POLC_TOPOLOGY_CHANGED && old != now)
			polc_buf_printf(out, ", before: %s", isolation_text(old));
	}
}

const char *polc_graph_node_title(
	const struct polc_graph *graph, const struct polc_topology_node *node)
{
	struct polc_buf out = {.arena = graph->arena};

	polc_buf_puts(&out, polc_graph_node_label(graph, node));
	add_isolation(graph, node, &out);
	for (size_t i = 0; i < node->members.n && i < MAX_LISTED; i++)
		if (node->members.n > 1 || strcmp(node->members.items[i], node->name))
			polc_buf_printf(&out, "\n%s", node->members.items[i]);
	if (node->members.n > MAX_LISTED)
		polc_buf_printf(&out, "\nand %zu more", node->members.n - MAX_LISTED);
	return out.p;
}

/* Cut after an item, with an ellipsis. */
static const char *cut_list(struct polc_arena *arena, const char *text, size_t max)
{
	size_t end = 0;

	if (!max || strlen(text) <= max)
		return text;
	for (size_t i = 0; text[i] && i < max; i++)
		if (text[i] == ',' || text[i] == ';')
			end = i;
	if (!end)
		return polc_graph_shorten(arena, text, max);
	return polc_arena_printf(arena, "%.*s,\u2026", (int)end, text);
}

static const char *change_label(
	const struct polc_graph *graph, const struct polc_topology_edge *edge, size_t max)
{
	size_t part = edge->gained && edge->lost ? max / 2 : max;
	struct polc_buf out = {.arena = graph->arena};

	if (edge->gained)
		polc_buf_printf(
			&out, "+%s", cut_list(graph->arena, edge->gained, part ? part - 1 : 0));
	if (edge->lost)
		polc_buf_printf(&out, "%s\u2212%s", edge->gained ? " " : "",
			cut_list(graph->arena, edge->lost, part ? part - 2 : 0));
	return out.n ? out.p : edge->ports;
}

const char *polc_graph_edge_label(
	const struct polc_graph *graph, const struct polc_topology_edge *edge, size_t max)
{
	if (edge->change == POLC_TOPOLOGY_CHANGED)
		return change_label(graph, edge, max);
	if (edge->style == POLC_TOPOLOGY_DEFAULT && !strcmp(edge->ports, "all"))
		return "default";
	return cut_list(graph->arena, edge->ports, max);
}

const char *polc_graph_edge_class(
	const struct polc_graph *graph, const struct polc_topology_edge *edge)
{
	static const char *const styles[] = {
#define X(name, text) text,
		POLC_TOPOLOGY_STYLES(X)
#undef X
	};

	switch (edge->change) {
	case POLC_TOPOLOGY_SAME:
		break;
	case POLC_TOPOLOGY_ADDED:
		return "added";
	case POLC_TOPOLOGY_REMOVED:
		return "removed";
	case POLC_TOPOLOGY_CHANGED:
		return "changed";
	}
	return graph->topology->n_sets == 2 ? "same" : styles[edge->style];
}

static const char *end_text(const struct polc_graph *graph, struct polc_topology_end end)
{
	const struct polc_topology *t = graph->topology;

	if (end.is_cluster)
		return polc_arena_printf(
			graph->arena, "all of %s", t->clusters.items[end.index].name);
	const struct polc_topology_node *node = &t->nodes.items[end.index];
	const char *label = polc_graph_node_label(graph, node);

	if (node->cluster == POLC_TOPOLOGY_NO_CLUSTER)
		return label;
	return polc_arena_printf(
		graph->arena, "%s/%s", t->clusters.items[node->cluster].name, label);
}

static const char *style_text(enum polc_topology_style style)
{
	switch (style) {
	case POLC_TOPOLOGY_ALLOW:
		return "allowed";
	case POLC_TOPOLOGY_DEFAULT:
		return "allowed by default: no policy selects either side";
	case POLC_TOPOLOGY_DENY:
		return "denied by a rule";
	case POLC_TOPOLOGY_ONE_SIDED:
		return "one side allows, the other does not";
	}
	return "";
}

static const char *tier_text(const struct polc_graph *graph, const struct polc_topology_rule *rule)
{
	const struct polc_network *network = graph->cmds[rule->set]->network;

	if (rule->id < POLB_RULE_FIRST)
		return "";
	switch (network->policies[network->rules[rule->id - POLB_RULE_FIRST].policy].tier) {
	case POLC_TIER_ADMIN:
		return ", admin tier";
	case POLC_TIER_MIDDLE:
		return "";
	case POLC_TIER_BASELINE:
		return ", baseline tier";
	}
	return "";
}

static void add_rules(
	const struct polc_graph *graph, const struct polc_topology_edge *edge, struct polc_buf *out)
{
	for (size_t i = 0; i < edge->rules.n && i < MAX_LISTED; i++) {
		const struct polc_topology_rule *rule = &edge->rules.items[i];

		polc_buf_printf(out, "\n%s%s: %s%s",
			graph->topology->n_sets < 2 ? ""
			: rule->set                 ? "new "
						    : "old ",
			rule->direction == POLC_EGRESS ? "egress" : "ingress",
			polc_cmd_rule_text(graph->cmds[rule->set], rule->id),
			tier_text(graph, rule));
	}
	if (edge->rules.n > MAX_LISTED)
		polc_buf_printf(out, "\nand %zu more rules", edge->rules.n - MAX_LISTED);
}

const char *polc_graph_edge_title(
	const struct polc_graph *graph, const struct polc_topology_edge *edge)
{
	struct polc_buf out = {.arena = graph->arena};
	bool loop =
		edge->from.is_cluster == edge->to.is_cluster && edge->from.index == edge->to.index;

	if (loop)
		polc_buf_printf(&out, "%s among each other", end_text(graph, edge->from));
	else
		polc_buf_printf(&out, "%s %s %s", end_text(graph, edge->from),
			edge->both ? "\u2194" : "\u2192", end_text(graph, edge->to));
	polc_buf_printf(&out, "\n%s", polc_graph_edge_label(graph, edge, 0));
	if (graph->topology->n_sets == 2)
		polc_buf_printf(&out, "\n%s", polc_graph_edge_class(graph, edge));
	else
		polc_buf_printf(&out, "\n%s", style_text(edge->style));
	add_rules(graph, edge, &out);
	return out.p;
}

static const char *group_text(enum polc_topology_group group)
{
	switch (group) {
	case POLC_TOPOLOGY_POD:
		return "a node per endpoint";
	case POLC_TOPOLOGY_AUTO:
	case POLC_TOPOLOGY_WORKLOAD:
		return "a node per workload";
	case POLC_TOPOLOGY_NAMESPACE:
		return "a node per namespace";
	case POLC_TOPOLOGY_CLASS:
		return "a node per group of a namespace that rules treat alike";
	case POLC_TOPOLOGY_SELECTORS:
		return "policies alone: a node per selector";
	}
	return "";
}

const char *polc_graph_summary(const struct polc_graph *graph)
{
	const struct polc_topology *t = graph->topology;
	const char *what = t->group == POLC_TOPOLOGY_SELECTORS
				   ? ""
				   : polc_arena_printf(graph->arena, "%u endpoint%s, ",
					     t->n_endpoints, t->n_endpoints == 1 ? "" : "s");

	return polc_arena_printf(graph->arena, "%s%u polic%s; %s", what, t->n_policies,
		t->n_policies == 1 ? "y" : "ies", group_text(t->group));
}
