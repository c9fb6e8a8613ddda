/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The graph as a Mermaid flowchart, for Markdown that draws it. */
#include <string.h>

#include "graph.h"

/* A quoted label: what the parser or HTML would take for its own is written as an entity. */
static void add_string(struct polc_buf *out, const char *text)
{
	polc_buf_puts(out, "\"");
	for (; *text; text++) {
		if (*text == '\n')
			polc_buf_puts(out, "<br/>");
		else if (strchr("\"&<>#;`\\", *text) || (unsigned char)*text < 0x20)
			polc_buf_printf(out, "#%d;", (unsigned char)*text);
		else
			polc_buf_add(out, text, 1);
	}
	polc_buf_puts(out, "\"");
}

static const struct {
	const char *class_name, *arrow, *both, *look;
} lines[] = {
	{"allow", "-->", "<-->", "stroke:#0969da"},
	{"default", "-.->", "<-.->", "stroke:#6e7781"},
	{"deny", "--x", "x--x", "stroke:#cf222e"},
	{"one-sided", "--x", "x--x", "stroke:#bc4c00,stroke-dasharray:9 4"},
	{"same", "-->", "<-->", "stroke:#8c959f,stroke-width:1px"},
	{"added", "==>", "<==>", "stroke:#1a7f37"},
	{"removed", "-.->", "<-.->", "stroke:#cf222e,stroke-width:3px"},
	{"changed", "==>", "<==>", "stroke:#bf8700"},
};

static size_t line_of(const char *class_name)
{
	size_t i = 0;

	while (strcmp(lines[i].class_name, class_name))
		i++;
	return i;
}

static const char *change_name(enum polc_topology_change change)
{
	switch (change) {
	case POLC_TOPOLOGY_SAME:
		return NULL;
	case POLC_TOPOLOGY_ADDED:
		return "added";
	case POLC_TOPOLOGY_REMOVED:
		return "removed";
	case POLC_TOPOLOGY_CHANGED:
		return "changed";
	}
	return NULL;
}

static const char *marked_label(
	const struct polc_graph *graph, const struct polc_topology_node *node)
{
	const char *in = polc_graph_isolation(graph, node, POLC_INGRESS);
	const char *eg = polc_graph_isolation(graph, node, POLC_EGRESS);
	const char *label = polc_graph_node_label(graph, node);

	if (!in || !eg)
		return label;
	return polc_arena_printf(graph->arena, "%s\nin: %s, out: %s", label, in, eg);
}

static void print_node(const struct polc_graph *graph, uint32_t i, struct polc_buf *out)
{
	const struct polc_topology_node *node = &graph->topology->nodes.items[i];
	bool pods = node->kind == POLC_TOPOLOGY_PODS;
	const char *change = change_name(node->change);

	polc_buf_printf(out, "\tn%u%s", i, pods ? "[" : "([");
	add_string(out, marked_label(graph, node));
	polc_buf_printf(
		out, "%s%s%s\n", pods ? "]" : "])", change ? ":::" : "", change ? change : "");
}

static void print_cluster(const struct polc_graph *graph, uint32_t c, struct polc_buf *out)
{
	const struct polc_topology *t = graph->topology;

	polc_buf_printf(out, "\tsubgraph c%u[", c);
	add_string(out, t->clusters.items[c].name);
	polc_buf_puts(out, "]\n");
	for (uint32_t i = 0; i < t->nodes.n; i++)
		if (t->nodes.items[i].cluster == c)
			print_node(graph, i, out);
	polc_buf_puts(out, "\tend\n");
}

static void print_edges(const struct polc_graph *graph, struct polc_buf *out)
{
	const struct polc_topology *t = graph->topology;

	for (size_t i = 0; i < t->edges.n; i++) {
		const struct polc_topology_edge *e = &t->edges.items[i];
		size_t line = line_of(polc_graph_edge_class(graph, e));

		polc_buf_printf(out, "\t%c%u %s|", e->from.is_cluster ? 'c' : 'n', e->from.index,
			e->both ? lines[line].both : lines[line].arrow);
		add_string(out, polc_graph_edge_label(graph, e, 40));
		polc_buf_printf(out, "| %c%u\n", e->to.is_cluster ? 'c' : 'n', e->to.index);
	}
}

/* Mermaid numbers edges in the order of their appearance. */
static void print_styles(const struct polc_graph *graph, struct polc_buf *out)
{
	const struct polc_topology *t = graph->topology;

	for (size_t line = 0; line < POLC_ARRAY_SIZE(lines); line++) {
		struct polc_buf list = {.arena = graph->arena};

		for (size_t i = 0; i < t->edges.n; i++)
			if (line_of(polc_graph_edge_class(graph, &t->edges.items[i])) == line)
				polc_buf_printf(&list, "%s%zu", list.n ? "," : "", i);
		if (list.n)
			polc_buf_printf(out, "\tlinkStyle %s %s\n", list.p, lines[line].look);
	}
}

void polc_graph_print_mermaid(const struct polc_graph *graph, struct polc_buf *out)
{
	const struct polc_topology *t = graph->topology;

	polc_buf_printf(out, "%%%% %s\nflowchart LR\n", polc_graph_summary(graph));
	for (uint32_t c = 0; c < t->clusters.n; c++)
		print_cluster(graph, c, out);
	for (uint32_t i = 0; i < t->nodes.n; i++)
		if (t->nodes.items[i].cluster == POLC_TOPOLOGY_NO_CLUSTER)
			print_node(graph, i, out);
	print_edges(graph, out);
	print_styles(graph, out);
	if (t->n_sets == 2)
		polc_buf_puts(out, "\tclassDef added stroke:#1a7f37,stroke-width:3px\n"
				   "\tclassDef removed stroke:#cf222e,stroke-width:3px,"
				   "stroke-dasharray:7 4\n"
				   "\tclassDef changed stroke:#bf8700,stroke-width:3px\n");
}
