/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Between the files of `polc graph`: how a topology is worded, laid out and written in each format.
 * polc_graph_write_diff() is what `polc diff --graph` calls.
 */
#ifndef POLC_GRAPH_H
#define POLC_GRAPH_H

#include "../analysis/topology.h"
#include "cmd.h"

enum polc_graph_format { POLC_GRAPH_SVG, POLC_GRAPH_DOT, POLC_GRAPH_MERMAID };
enum polc_graph_renderer { POLC_GRAPH_OWN, POLC_GRAPH_GRAPHVIZ };

struct polc_graph_options {
	enum polc_graph_format format;
	enum polc_graph_renderer renderer; /* of SVG */
	struct polc_topology_options topology;
};

/*
 * What changes from the old policies to the new ones, both loaded without errors: added green,
 * removed red, changed amber; connections that rules allow in both are drawn faintly. An exit code;
 * what is wrong has been printed, and then nothing was written.
 */
int polc_graph_write_diff(struct polc_cmd *old, struct polc_cmd *new,
	const struct polc_graph_options *options, FILE *out);

/* A topology and what its rules are called. */
struct polc_graph {
	struct polc_arena *arena;
	const struct polc_topology *topology;
	struct polc_cmd *cmds[2]; /* by set */
};

/* "api x12" */
const char *polc_graph_node_label(
	const struct polc_graph *graph, const struct polc_topology_node *node);
/* Members and isolation, a line each. */
const char *polc_graph_node_title(
	const struct polc_graph *graph, const struct polc_topology_node *node);
/* Ports, in at most `max` characters; whole when 0. */
const char *polc_graph_edge_label(
	const struct polc_graph *graph, const struct polc_topology_edge *edge, size_t max);
/* Who with whom, all ports, the deciding rules; a line each. */
const char *polc_graph_edge_title(
	const struct polc_graph *graph, const struct polc_topology_edge *edge);
/* "42 endpoints, 12 policies; one node per workload" */
const char *polc_graph_summary(const struct polc_graph *graph);
/* Characters, not bytes. */
size_t polc_graph_text_length(const char *text);
/* At most `max` characters, cut in the middle with an ellipsis. */
const char *polc_graph_shorten(struct polc_arena *arena, const char *text, size_t max);
/* What a node's or edge's line and class are called in every format: "allow", "added", ... */
const char *polc_graph_edge_class(
	const struct polc_graph *graph, const struct polc_topology_edge *edge);
/* "open", "isolated", "partly" or NULL; of the newest set that has the node. */
const char *polc_graph_isolation(const struct polc_graph *graph,
	const struct polc_topology_node *node, enum polc_direction direction);

void polc_graph_print_dot(const struct polc_graph *graph, struct polc_buf *out);
void polc_graph_print_mermaid(const struct polc_graph *graph, struct polc_buf *out);
void polc_graph_print_svg(const struct polc_graph *graph, struct polc_buf *out);
/* Pipes `dot` through graphviz. 0, or a message printed and -errno. */
int polc_graph_run_graphviz(
	struct polc_arena *arena, const struct polc_buf *dot, struct polc_buf *out);

#endif
