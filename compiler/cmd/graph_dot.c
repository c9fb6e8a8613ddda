/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The graph for graphviz: clusters as clusters, edges of clusters by lhead and ltail. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph.h"

/* A quoted string; newlines as left-justified line ends. Backslashes are dot's escapes. */
static void add_string(struct polc_buf *out, const char *text)
{
	polc_buf_puts(out, "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			polc_buf_puts(out, "\\");
		if (*text == '\n')
			polc_buf_puts(out, "\\n");
		else
			polc_buf_add(out, text, 1);
	}
	polc_buf_puts(out, "\"");
}

static void add_attribute(struct polc_buf *out, const char *name, const char *value)
{
	polc_buf_printf(out, ", %s=", name);
	add_string(out, value);
}

static const struct {
	const char *class_name, *attributes;
} looks[] = {
	{"allow", "color=\"#0550ae\", fontcolor=\"#0550ae\""},
	{"default", "color=\"#6e7781\", fontcolor=\"#6e7781\", style=dashed"},
	{"deny", "color=\"#cf222e\", fontcolor=\"#cf222e\", arrowhead=tee"},
	{"one-sided", "color=\"#bc4c00\", fontcolor=\"#bc4c00\", style=dashed, arrowhead=tee"},
	{"same", "color=\"#afb8c1\", fontcolor=\"#6e7781\""},
	{"added", "color=\"#1a7f37\", fontcolor=\"#1a7f37\", penwidth=2"},
	{"removed", "color=\"#cf222e\", fontcolor=\"#cf222e\", style=dashed, penwidth=2"},
	{"changed", "color=\"#9a6700\", fontcolor=\"#9a6700\", penwidth=2"},
};

static const char *change_look(enum polc_topology_change change)
{
	switch (change) {
	case POLC_TOPOLOGY_SAME:
		return "";
	case POLC_TOPOLOGY_ADDED:
		return ", color=\"#1a7f37\", penwidth=2";
	case POLC_TOPOLOGY_REMOVED:
		return ", color=\"#cf222e\", penwidth=2, style=dashed";
	case POLC_TOPOLOGY_CHANGED:
		return ", color=\"#9a6700\", penwidth=2";
	}
	return "";
}

static const char *kind_look(enum polc_topology_kind kind)
{
	switch (kind) {
	case POLC_TOPOLOGY_PODS:
		return "shape=box";
	case POLC_TOPOLOGY_OUTSIDE:
		return "shape=ellipse";
	case POLC_TOPOLOGY_ANY_OPEN:
		return "shape=ellipse, style=dashed";
	}
	return "shape=box";
}

/* The marks of the SVG's bars, in words under the name. */
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

	polc_buf_printf(out, "\tn%u [%s%s", i, kind_look(node->kind), change_look(node->change));
	add_attribute(out, "label", marked_label(graph, node));
	add_attribute(out, "tooltip", polc_graph_node_title(graph, node));
	polc_buf_puts(out, "];\n");
}

/* What is drawn as "members among each other" in the SVG is a line under the cluster's name. */
static void print_cluster(const struct polc_graph *graph, uint32_t c, struct polc_buf *out)
{
	const struct polc_topology *t = graph->topology;
	struct polc_buf label = {.arena = graph->arena};

	polc_buf_puts(&label, t->clusters.items[c].name);
	for (size_t i = 0; i < t->edges.n; i++) {
		const struct polc_topology_edge *e = &t->edges.items[i];

		if (e->from.is_cluster && e->to.is_cluster && e->from.index == c &&
			e->to.index == c)
			polc_buf_printf(&label, "\n\u21bb %s", polc_graph_edge_label(graph, e, 40));
	}
	polc_buf_printf(out, "\tsubgraph cluster_%u {\n\tgraph [style=rounded%s", c,
		change_look(t->clusters.items[c].change));
	add_attribute(out, "label", label.p);
	polc_buf_puts(out, "];\n");
	for (uint32_t i = 0; i < t->nodes.n; i++)
		if (t->nodes.items[i].cluster == c)
			print_node(graph, i, out);
	polc_buf_puts(out, "\t}\n");
}

/* An edge of a cluster is drawn from its middle node and cut at the frame. */
static uint32_t representative(const struct polc_topology *t, struct polc_topology_end end)
{
	uint32_t first = 0;

	if (!end.is_cluster)
		return end.index;
	while (t->nodes.items[first].cluster != end.index)
		first++;
	return first + t->clusters.items[end.index].n_nodes / 2;
}

static void print_edge(
	const struct polc_graph *graph, const struct polc_topology_edge *edge, struct polc_buf *out)
{
	const char *class_name = polc_graph_edge_class(graph, edge);

	if (edge->from.is_cluster && edge->to.is_cluster && edge->from.index == edge->to.index)
		return;
	polc_buf_printf(out, "\tn%u -> n%u [class=\"%s\"",
		representative(graph->topology, edge->from),
		representative(graph->topology, edge->to), class_name);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(looks); i++)
		if (!strcmp(looks[i].class_name, class_name))
			polc_buf_printf(out, ", %s", looks[i].attributes);
	if (edge->both)
		polc_buf_puts(out, ", dir=both");
	if (edge->from.is_cluster)
		polc_buf_printf(out, ", ltail=cluster_%u", edge->from.index);
	if (edge->to.is_cluster)
		polc_buf_printf(out, ", lhead=cluster_%u", edge->to.index);
	add_attribute(out, "label", polc_graph_edge_label(graph, edge, 40));
	add_attribute(out, "tooltip", polc_graph_edge_title(graph, edge));
	polc_buf_puts(out, "];\n");
}

void polc_graph_print_dot(const struct polc_graph *graph, struct polc_buf *out)
{
	const struct polc_topology *t = graph->topology;

	polc_buf_puts(out,
		"digraph polc {\n"
		"\tgraph [rankdir=LR, compound=true, fontname=\"Helvetica\", labeljust=l];\n"
		"\tnode [fontname=\"Helvetica\", fontsize=11];\n"
		"\tedge [fontname=\"Helvetica\", fontsize=9];\n"
		"\tlabelloc=t;\n\tlabel=");
	add_string(out, polc_graph_summary(graph));
	polc_buf_puts(out, ";\n");
	for (uint32_t c = 0; c < t->clusters.n; c++)
		print_cluster(graph, c, out);
	for (uint32_t i = 0; i < t->nodes.n; i++)
		if (t->nodes.items[i].cluster == POLC_TOPOLOGY_NO_CLUSTER)
			print_node(graph, i, out);
	for (size_t i = 0; i < t->edges.n; i++)
		print_edge(graph, &t->edges.items[i], out);
	polc_buf_puts(out, "}\n");
}

/* ---- graphviz itself ---- */

/* The child: dot reads the file and writes into the pipe. Does not return. */
static void become_dot(FILE *input, int output)
{
	dup2(fileno(input), STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	execlp("dot", "dot", "-Tsvg", (char *)NULL);
	_exit(errno == ENOENT ? 127 : 126);
}

static void read_all(int fd, struct polc_buf *out)
{
	char block[4096];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			polc_buf_add(out, block, (size_t)n);
}

static int judge(int status)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		polc_environment_error("--renderer dot needs graphviz: there is no program 'dot'");
	else
		polc_environment_error("graphviz failed to draw the graph");
	return -ENOENT;
}

/* `input` holds the whole text: dot may read and write at its own pace. */
static int run_dot(FILE *input, struct polc_buf *out)
{
	int pipe_fds[2], status = 0;

	if (pipe(pipe_fds) < 0)
		return -errno;
	pid_t child = fork();

	if (child == 0)
		become_dot(input, pipe_fds[1]);
	close(pipe_fds[1]);
	if (child > 0)
		read_all(pipe_fds[0], out);
	close(pipe_fds[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (child < 0) {
		polc_environment_error("cannot start graphviz: %s", strerror(errno));
		return -EAGAIN;
	}
	return judge(status);
}

int polc_graph_run_graphviz(
	struct polc_arena *arena, const struct polc_buf *dot, struct polc_buf *out)
{
	FILE *input = tmpfile();
	int result;

	*out = (struct polc_buf){.arena = arena};
	if (!input || fwrite(dot->p, 1, dot->n, input) != dot->n || fflush(input)) {
		polc_environment_error("cannot write a temporary file: %s", strerror(errno));
		result = -EIO;
	} else {
		rewind(input);
		result = run_dot(input, out);
	}
	if (input)
		fclose(input);
	return result;
}
