/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The picture as one self-contained SVG: no scripts, no fonts or files from elsewhere, colours for
 * light and dark. Deterministic: whole numbers, in the order of the topology.
 */
#include <string.h>

#include "graph_layout.h"

enum { CORNER = 6, ARROW = 8, MIN_WIDTH = 560, LEGEND_ROW = 20, LEGEND_SAMPLE = 34 };

static const char style[] =
	"<style>\n"
	"text{font-family:\"DejaVu Sans Mono\",Menlo,Consolas,\"Liberation Mono\",monospace;"
	"fill:#1f2328;white-space:pre}\n"
	".head{font-size:18px;font-weight:bold}.summary{font-size:12px;fill:#59636e}\n"
	".name{font-size:12px}.loop,.label,.legend text{font-size:10px}\n"
	".frame-name{font-size:12px;font-weight:bold;fill:#424a53}\n"
	".page{fill:#ffffff}.frame rect{fill:#f3f5f8;stroke:#c5ccd5}\n"
	".node rect.box{fill:#ffffff;stroke:#6e7781;stroke-width:1.2}\n"
	".outside rect.box{fill:#e8eef7;stroke:#57606a}\n"
	".any-open rect.box{stroke-dasharray:5 4}\n"
	".isolated{fill:#1a7f37;stroke:#1a7f37}.open{fill:none;stroke:#bc4c00;stroke-dasharray:3 "
	"2}\n"
	".partly{fill:#bc4c00;fill-opacity:.35;stroke:#bc4c00}\n"
	".wire path{fill:none;stroke:currentColor;stroke-width:1.6}\n"
	".wire path.tip{fill:currentColor;stroke:none}.wire .cross{stroke-width:2}\n"
	".wire .label,.loop{fill:currentColor}\n"
	".wire:hover path{stroke-width:3}.wire:hover .label{font-weight:bold}\n"
	"svg{color:#1f2328}.allow{color:#424a53}.c0{color:#0550ae}.c1{color:#0a6b5e}.c2{color:#"
	"7a28b8}.c3{color:#466a00}"
	".c4{color:#0b6e8f}.c5{color:#7d5500}\n"
	".default,.same{color:#6e7781}.default path{stroke-dasharray:5 4}.same "
	"path{stroke-width:1}\n"
	".deny{color:#cf222e}.one-sided{color:#bc4c00}.one-sided path{stroke-dasharray:9 4}\n"
	".added{color:#1a7f37}.removed{color:#cf222e}.changed{color:#9a6700}\n"
	".added path,.changed path,.removed path{stroke-width:2.2}.removed path{stroke-dasharray:7 "
	"4}\n"
	".node.added rect.box,.frame.added rect{stroke:#1a7f37;stroke-width:2.2}\n"
	".node.removed rect.box,.frame.removed rect{stroke:#cf222e;stroke-width:2.2;"
	"stroke-dasharray:7 4}\n"
	".node.changed rect.box{stroke:#9a6700;stroke-width:2.2}\n"
	"@media (prefers-color-scheme:dark){\n"
	"text{fill:#e6edf3}.summary{fill:#9198a1}.frame-name{fill:#c3ccd6}\n"
	".page{fill:#0d1117}.frame rect{fill:#161b22;stroke:#3d444d}\n"
	".node rect.box{fill:#21262d;stroke:#9198a1}.outside "
	"rect.box{fill:#1c2a3f;stroke:#8b96a5}\n"
	".isolated{fill:#3fb950;stroke:#3fb950}.open,.partly{stroke:#f0883e}.partly{fill:#f0883e}\n"
	".allow{color:#c3ccd6}.c0{color:#79b8ff}.c1{color:#39d3bb}.c2{color:#d2a8ff}.c3{color:#"
	"a5d63f}"
	".c4{color:#56d4f5}.c5{color:#e3b341}\n"
	".default,.same{color:#9198a1}.deny,.removed{color:#ff7b72}.one-sided{color:#f0883e}\n"
	".added{color:#3fb950}.changed{color:#e3b341}\n"
	".node.added rect.box,.frame.added rect{stroke:#3fb950}\n"
	".node.removed rect.box,.frame.removed rect{stroke:#ff7b72}\n"
	".node.changed rect.box{stroke:#e3b341}\n"
	"}\n"
	"</style>\n";

/* Text content and attribute values; what XML cannot hold becomes U+FFFD. */
static void add_text(struct polc_buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '&')
			polc_buf_puts(out, "&amp;");
		else if (c == '<')
			polc_buf_puts(out, "&lt;");
		else if (c == '>')
			polc_buf_puts(out, "&gt;");
		else if (c == '"')
			polc_buf_puts(out, "&quot;");
		else if ((c < 0x20 && c != '\n') || c == 0x7f)
			polc_buf_puts(out, "\ufffd");
		else
			polc_buf_add(out, text, 1);
	}
}

static void add_title(struct polc_buf *out, const char *title)
{
	polc_buf_puts(out, "<title>");
	add_text(out, title);
	polc_buf_puts(out, "</title>\n");
}

static void add_line(struct polc_buf *out, const char *class_name, int x, int y, const char *text)
{
	polc_buf_printf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class_name, x, y);
	add_text(out, text);
	polc_buf_puts(out, "</text>\n");
}

static const char *change_class(enum polc_topology_change change)
{
	switch (change) {
	case POLC_TOPOLOGY_SAME:
		return "";
	case POLC_TOPOLOGY_ADDED:
		return " added";
	case POLC_TOPOLOGY_REMOVED:
		return " removed";
	case POLC_TOPOLOGY_CHANGED:
		return " changed";
	}
	return "";
}

/* ---- frames and boxes ---- */

/* Below a name whose line is at y. */
static void draw_loops(const struct polc_picture *p, const polc_picture_loops *loops, int x, int y,
	struct polc_buf *out)
{
	for (size_t i = 0; i < loops->n; i++) {
		const struct polc_picture_loop *loop = &loops->items[i];

		polc_buf_printf(
			out, "<g class=\"%s\">", polc_graph_edge_class(p->graph, loop->edge));
		add_title(out, polc_graph_edge_title(p->graph, loop->edge));
		add_line(out, "loop", x, y + POLC_ROW * (int)(i + 1), loop->text);
		polc_buf_puts(out, "</g>\n");
	}
}

static void draw_unit(
	const struct polc_picture *p, const struct polc_picture_unit *u, struct polc_buf *out)
{
	if (u->cluster == POLC_TOPOLOGY_NO_CLUSTER)
		return;
	const struct polc_topology_cluster *cluster =
		&p->graph->topology->clusters.items[u->cluster];

	polc_buf_printf(out, "<g class=\"frame%s\">", change_class(cluster->change));
	add_title(out, polc_arena_printf(p->arena, "namespace %s", cluster->name));
	polc_buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"10\"/>\n",
		u->x, u->y + 3, u->w, u->h - 4);
	add_line(out, "frame-name", u->x + 12, u->y + 20, u->label);
	draw_loops(p, &u->loops, u->x + 12, u->y + 20, out);
	polc_buf_puts(out, "</g>\n");
}

/* A bar at the side where connections come in or go out. */
static void draw_mark(
	struct polc_buf *out, const struct polc_picture_box *box, const char *isolation, bool right)
{
	if (isolation)
		polc_buf_printf(out,
			"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"4\" height=\"%d\" "
			"rx=\"1\"/>\n",
			isolation, right ? box->x + box->w - 8 : box->x + 4, box->y + 4,
			box->h - 8);
}

static const char *kind_class(enum polc_topology_kind kind)
{
	switch (kind) {
	case POLC_TOPOLOGY_PODS:
		return "node";
	case POLC_TOPOLOGY_OUTSIDE:
		return "node outside";
	case POLC_TOPOLOGY_ANY_OPEN:
		return "node any-open";
	}
	return "node";
}

static void draw_box(
	const struct polc_picture *p, const struct polc_picture_box *box, struct polc_buf *out)
{
	const struct polc_topology_node *node = &p->graph->topology->nodes.items[box->node];
	int lines = 1 + (int)box->loops.n;
	int y = box->y + (box->h - lines * POLC_ROW) / 2 + 12;

	polc_buf_printf(
		out, "<g class=\"%s%s\">", kind_class(node->kind), change_class(node->change));
	add_title(out, polc_graph_node_title(p->graph, node));
	polc_buf_printf(out,
		"<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n",
		box->x, box->y, box->w, box->h, node->kind == POLC_TOPOLOGY_PODS ? 5 : 13);
	draw_mark(out, box, polc_graph_isolation(p->graph, node, POLC_INGRESS), false);
	draw_mark(out, box, polc_graph_isolation(p->graph, node, POLC_EGRESS), true);
	add_line(out, "name", box->x + 16, y, box->label);
	draw_loops(p, &box->loops, box->x + 16, y, out);
	polc_buf_puts(out, "</g>\n");
}

/* ---- lines ---- */

static int towards(int from, int to, int distance)
{
	return from < to ? from + distance : from > to ? from - distance : from;
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static int length(const struct polc_picture_wire *w, unsigned i)
{
	int dx = w->x[i + 1] - w->x[i], dy = w->y[i + 1] - w->y[i];

	return (dx < 0 ? -dx : dx) + (dy < 0 ? -dy : dy);
}

static void draw_path(const struct polc_picture_wire *w, struct polc_buf *out)
{
	unsigned last = w->n_corners - 1;

	polc_buf_printf(out, "<path d=\"M%d %d", w->x[0], w->y[0]);
	for (unsigned i = 1; i < last; i++) {
		int r = smaller(CORNER, smaller(length(w, i - 1) / (i > 1 ? 2 : 1),
						length(w, i) / (i + 1 < last ? 2 : 1)));

		polc_buf_printf(out, "L%d %dQ%d %d %d %d", towards(w->x[i], w->x[i - 1], r),
			towards(w->y[i], w->y[i - 1], r), w->x[i], w->y[i],
			towards(w->x[i], w->x[i + 1], r), towards(w->y[i], w->y[i + 1], r));
	}
	polc_buf_printf(out, "L%d %d\"/>\n", w->x[last] - ARROW / 2, w->y[last]);
}

static void draw_tip(struct polc_buf *out, int x, int y, int direction)
{
	polc_buf_printf(
		out, "<path class=\"tip\" d=\"M%d %dl%d -4v8z\"/>\n", x, y, -direction * ARROW);
}

static void draw_cross(struct polc_buf *out, int x, int y)
{
	polc_buf_printf(out, "<path class=\"cross\" d=\"M%d %dl8 8m0 -8l-8 8\"/>\n", x - 10, y - 4);
}

static void draw_wire(
	const struct polc_picture *p, const struct polc_picture_wire *w, struct polc_buf *out)
{
	const struct polc_picture_net *net = &p->nets.items[w->net];
	bool coloured = !strcmp(net->class_name, "allow");
	unsigned last = w->n_corners - 1;

	polc_buf_printf(out, "<g class=\"wire %s", net->class_name);
	if (coloured)
		polc_buf_printf(out, " c%u", net->colour);
	polc_buf_puts(out, "\">");
	add_title(out, polc_graph_edge_title(p->graph, w->edge));
	draw_path(w, out);
	if (w->edge->style == POLC_TOPOLOGY_DENY || w->edge->style == POLC_TOPOLOGY_ONE_SIDED)
		draw_cross(out, w->x[last], w->y[last]);
	else
		draw_tip(out, w->x[last], w->y[last], 1);
	if (w->edge->both && net->both)
		draw_tip(out, w->x[0], w->y[0], -1);
	polc_buf_printf(out, "<text class=\"label\" text-anchor=\"end\" x=\"%d\" y=\"%d\">",
		p->column_x[w->channel + 1] - POLC_CHANNEL_PAD, w->y[last] - 3);
	add_text(out, w->label);
	polc_buf_puts(out, "</text>\n</g>\n");
}

/* ---- legend ---- */

struct legend {
	struct polc_buf *out;
	int x, y, width, widest;
};

/* Room for a sample and its text, in the next line when this one is full. */
static void next_entry(struct legend *l, const char *text)
{
	int width = LEGEND_SAMPLE + 8 + polc_text_width(text, POLC_LABEL_CHAR) + 24;

	if (l->x > POLC_MARGIN && l->x + width > l->width) {
		l->x = POLC_MARGIN;
		l->y += LEGEND_ROW;
	}
	add_line(l->out, "label", l->x + LEGEND_SAMPLE + 8, l->y + 4, text);
	l->x += width;
	l->widest = l->x > l->widest ? l->x : l->widest;
}

static void add_line_sample(
	struct legend *l, const char *class_name, bool crossed, const char *text)
{
	int x = l->x;

	polc_buf_printf(l->out, "<g class=\"wire %s\">\n", class_name);
	next_entry(l, text);
	x = l->x - (LEGEND_SAMPLE + 8 + polc_text_width(text, POLC_LABEL_CHAR) + 24);
	polc_buf_printf(l->out, "<path d=\"M%d %dh%d\"/>\n", x, l->y, LEGEND_SAMPLE - ARROW / 2);
	if (crossed)
		draw_cross(l->out, x + LEGEND_SAMPLE, l->y);
	else
		draw_tip(l->out, x + LEGEND_SAMPLE, l->y, 1);
	polc_buf_puts(l->out, "</g>\n");
}

static void add_mark_sample(struct legend *l, const char *class_name, const char *text)
{
	next_entry(l, text);
	int x = l->x - (LEGEND_SAMPLE + 8 + polc_text_width(text, POLC_LABEL_CHAR) + 24);

	polc_buf_printf(l->out,
		"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"4\" height=\"14\" rx=\"1\"/>\n",
		class_name, x + LEGEND_SAMPLE - 6, l->y - 7);
}

static bool has_class(const struct polc_picture *p, const char *class_name)
{
	const struct polc_topology *t = p->graph->topology;

	for (size_t i = 0; i < t->edges.n; i++)
		if (!strcmp(polc_graph_edge_class(p->graph, &t->edges.items[i]), class_name))
			return true;
	return false;
}

static bool has_isolation(const struct polc_picture *p, const char *isolation)
{
	const struct polc_topology *t = p->graph->topology;

	for (size_t i = 0; i < t->nodes.n; i++)
		for (int dir = 0; dir < 2; dir++) {
			const char *found = polc_graph_isolation(
				p->graph, &t->nodes.items[i], (enum polc_direction)dir);

			if (found && !strcmp(found, isolation))
				return true;
		}
	return false;
}

static bool has_loops(const struct polc_picture *p)
{
	for (size_t i = 0; i < p->boxes.n; i++)
		if (p->boxes.items[i].loops.n)
			return true;
	for (size_t i = 0; i < p->units.n; i++)
		if (p->units.items[i].loops.n)
			return true;
	return false;
}

static const struct {
	const char *class_name, *svg_class, *text;
	bool crossed;
} line_samples[] = {
	{"allow", "allow c0", "allowed (one colour per source)", false},
	{"default", "default", "allowed by default: no policy selects either side", false},
	{"deny", "deny", "denied by a rule", true},
	{"one-sided", "one-sided", "one side allows, the other does not", true},
	{"same", "same", "unchanged", false},
	{"added", "added", "added", false},
	{"removed", "removed", "removed", false},
	{"changed", "changed", "ports changed", false},
};

static const struct {
	const char *isolation, *text;
} mark_samples[] = {
	{"isolated", "isolated: only what rules allow (left bar ingress, right bar egress)"},
	{"open", "open: no policy isolates"},
	{"partly", "open for some of the members"},
};

/* Returns the height that it takes. */
static int draw_legend(const struct polc_picture *p, struct polc_buf *out, int y, int *width)
{
	struct legend l = {
		.out = out, .x = POLC_MARGIN, .y = y + 14, .width = *width - POLC_MARGIN};

	polc_buf_puts(out, "<g class=\"legend\">\n");
	for (size_t i = 0; i < POLC_ARRAY_SIZE(line_samples); i++)
		if (has_class(p, line_samples[i].class_name))
			add_line_sample(&l, line_samples[i].svg_class, line_samples[i].crossed,
				line_samples[i].text);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(mark_samples); i++)
		if (has_isolation(p, mark_samples[i].isolation))
			add_mark_sample(&l, mark_samples[i].isolation, mark_samples[i].text);
	if (has_loops(p))
		next_entry(&l, "\u21bb members among each other");
	polc_buf_puts(out, "</g>\n");
	*width = l.widest + POLC_MARGIN > *width ? l.widest + POLC_MARGIN : *width;
	return l.y + LEGEND_ROW - y;
}

/* ---- the whole ---- */

static void draw_parts(const struct polc_picture *p, struct polc_buf *out)
{
	for (size_t i = 0; i < p->units.n; i++)
		draw_unit(p, &p->units.items[i], out);
	for (size_t i = 0; i < p->wires.n; i++)
		draw_wire(p, &p->wires.items[i], out);
	for (size_t i = 0; i < p->boxes.n; i++)
		draw_box(p, &p->boxes.items[i], out);
}

void polc_graph_print_svg(const struct polc_graph *graph, struct polc_buf *out)
{
	const struct polc_picture *p = polc_picture_lay_out(graph->arena, graph);
	struct polc_buf legend = {.arena = graph->arena};
	const char *summary = polc_graph_summary(graph);
	const char *title = graph->topology->n_sets == 2 ? "What changes in who may talk to whom"
							 : "Who may talk to whom";
	int width = p->width > MIN_WIDTH ? p->width : MIN_WIDTH;
	int wanted = 2 * POLC_MARGIN + polc_text_width(summary, POLC_NAME_CHAR);

	width = wanted > width ? wanted : width;
	int height = p->height + 16;

	height += draw_legend(p, &legend, height, &width);
	polc_buf_printf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title desc\">\n",
		width, height, width, height);
	polc_buf_printf(out, "<title id=\"title\">%s</title>\n<desc id=\"desc\">", title);
	add_text(out, summary);
	polc_buf_printf(out, "; %zu nodes, %zu edges</desc>\n", graph->topology->nodes.n,
		graph->topology->edges.n);
	polc_buf_puts(out, style);
	polc_buf_printf(out, "<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", width, height);
	add_line(out, "head", POLC_MARGIN, 32, title);
	add_line(out, "summary", POLC_MARGIN, 52, summary);
	draw_parts(p, out);
	polc_buf_add(out, legend.p, legend.n);
	polc_buf_puts(out, "</svg>\n");
}
