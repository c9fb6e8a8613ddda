/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lines: which gutter a long one takes, in which order vertical lines stand in a channel so that
 * few of them cross, and then where everything is.
 */
#include <stdlib.h>
#include <string.h>

#include "graph_layout.h"

enum { RIGHT, LEFT };
enum { SWAP_ROUNDS = 60, LABEL_GAP = 10, MIN_COLUMN = 96, BOX_PAD = 18 };

static const struct polc_picture_net *net_of(
	const struct polc_picture *p, const struct polc_picture_wire *wire)
{
	return &p->nets.items[wire->net];
}

/* Which feeder a wire needs; -1: its channel is the net's own. */
static int side_of(const struct polc_picture *p, const struct polc_picture_wire *wire)
{
	int own = net_of(p, wire)->channel;

	return wire->channel == own ? -1 : wire->channel > own ? RIGHT : LEFT;
}

/* ---- gutters ---- */

/* How far the lines of the net's feeder go up and down if it takes this gutter. */
static double gutter_cost(const struct polc_picture *p, uint32_t net, int side, uint32_t gutter)
{
	double row = p->gutter_row[gutter] + p->gutter_rows[gutter] / 2.0;
	double from = polc_picture_end_row(p, p->nets.items[net].from) - row;
	double cost = (from < 0 ? -from : from) + p->gutter_tracks[gutter] / 2.0;

	for (size_t i = 0; i < p->wires.n; i++) {
		const struct polc_picture_wire *w = &p->wires.items[i];

		if (w->net != net || side_of(p, w) != side)
			continue;
		double to = polc_picture_end_row(p, w->to) - row;

		cost += to < 0 ? -to : to;
	}
	return cost;
}

struct interval {
	int gutter, track, lo, hi; /* channels */
};
typedef POLC_VEC(struct interval) intervals;

static int free_track(const intervals *taken, const struct interval *wanted)
{
	for (int track = 0;; track++) {
		bool free = true;

		for (size_t i = 0; i < taken->n && free; i++) {
			const struct interval *t = &taken->items[i];

			free = t->gutter != wanted->gutter || t->track != track ||
			       t->hi < wanted->lo || wanted->hi < t->lo;
		}
		if (free)
			return track;
	}
}

static void take_gutter(struct polc_picture *p, uint32_t index, int side, intervals *taken)
{
	struct polc_picture_net *net = &p->nets.items[index];
	int last = net->feeders[side].last_channel;
	struct interval interval = {.lo = side == RIGHT ? net->channel : last,
		.hi = side == RIGHT ? last : net->channel};
	double best = gutter_cost(p, index, side, 0);

	for (uint32_t g = 1; g <= p->n_bands; g++) {
		double cost = gutter_cost(p, index, side, g);

		if (cost < best) {
			best = cost;
			interval.gutter = (int)g;
		}
	}
	interval.track = free_track(taken, &interval);
	net->feeders[side].gutter = interval.gutter;
	net->feeders[side].track = interval.track;
	if (interval.track >= p->gutter_tracks[interval.gutter])
		p->gutter_tracks[interval.gutter] = interval.track + 1;
	*polc_vec_push(p->arena, taken) = interval;
}

static void choose_gutters(struct polc_picture *p)
{
	intervals taken = {0};
	bool *needs = POLC_NEW_ARRAY(p->arena, 2 * p->nets.n, bool);

	p->gutter_tracks = POLC_NEW_ARRAY(p->arena, p->n_bands + 1, int);
	for (size_t i = 0; i < p->nets.n; i++)
		p->nets.items[i].channel = polc_picture_last_column(p, p->nets.items[i].from);
	for (size_t i = 0; i < p->wires.n; i++) {
		struct polc_picture_wire *w = &p->wires.items[i];
		struct polc_picture_net *net = &p->nets.items[w->net];

		w->channel = polc_picture_first_column(p, w->to) - 1;
		int side = side_of(p, w);

		if (side < 0)
			continue;
		int *last = &net->feeders[side].last_channel;

		if (!needs[2 * w->net + side] || (side == RIGHT) == (w->channel > *last))
			*last = w->channel;
		needs[2 * w->net + side] = true;
	}
	for (uint32_t i = 0; i < p->nets.n; i++)
		for (int side = 0; side < 2; side++)
			if (needs[2 * i + side])
				take_gutter(p, i, side, &taken);
	for (uint32_t g = 0; g <= p->n_bands; g++) {
		int tracks = p->gutter_tracks[g];
		bool outermost = g == 0 || g == p->n_bands;

		p->gutter_rows[g] = tracks ? (tracks + 1) / 2 + !outermost : !outermost;
	}
	polc_picture_place_rows(p);
}

/* ---- heights ---- */

static int row_y(int row)
{
	return POLC_HEAD + row * POLC_ROW;
}

static void place_heights(struct polc_picture *p)
{
	int bottom = p->gutter_row[p->n_bands] + p->gutter_rows[p->n_bands];

	for (size_t i = 0; i < p->units.n; i++) {
		struct polc_picture_unit *u = &p->units.items[i];

		u->y = row_y(u->row);
		u->h = u->rows * POLC_ROW;
	}
	for (size_t i = 0; i < p->boxes.n; i++) {
		struct polc_picture_box *box = &p->boxes.items[i];
		int row =
			box->row + (box->unit == POLC_NO_UNIT ? 0 : p->units.items[box->unit].row);

		box->y = row_y(row);
		box->h = box->rows * POLC_ROW;
		bottom = row + box->rows > bottom ? row + box->rows : bottom;
	}
	p->height = row_y(bottom);
}

static int entry_y(const struct polc_picture *p, const struct polc_picture_wire *w)
{
	const struct polc_picture_box *box = &p->boxes.items[w->to.index];
	const struct polc_picture_unit *u = &p->units.items[w->to.index];
	unsigned n = w->to.is_unit ? u->n_in : box->n_in;
	int rows = w->to.is_unit ? u->header_rows : box->rows;

	return (w->to.is_unit ? u->y : box->y) +
	       (((int)rows - (int)n) / 2 + (int)w->slot) * POLC_ROW + POLC_ENTRY_Y;
}

static int exit_y(const struct polc_picture *p, const struct polc_picture_net *net)
{
	const struct polc_picture_box *box = &p->boxes.items[net->from.index];
	const struct polc_picture_unit *u = &p->units.items[net->from.index];
	unsigned n = net->from.is_unit ? u->n_out : box->n_out;
	int rows = net->from.is_unit ? u->header_rows : box->rows;

	return (net->from.is_unit ? u->y : box->y) +
	       ((rows - 1 - (int)n) / 2 + (int)net->slot) * POLC_ROW + POLC_EXIT_Y;
}

static int feeder_y(const struct polc_picture *p, const struct polc_picture_net *net, int side)
{
	int track = net->feeders[side].track;

	return row_y(p->gutter_row[net->feeders[side].gutter] + track / 2) + (track % 2 ? 13 : 6);
}

/* ---- vertical lines ---- */

static struct polc_picture_trunk *trunk_of(struct polc_picture *p, uint32_t net, int channel)
{
	for (size_t i = p->trunks.n; i-- > 0;)
		if (p->trunks.items[i].net == net && p->trunks.items[i].channel == channel)
			return &p->trunks.items[i];
	struct polc_picture_trunk *trunk = polc_vec_push(p->arena, &p->trunks);

	*trunk = (struct polc_picture_trunk){
		.net = net, .channel = channel, .top = INT32_MAX, .bottom = INT32_MIN};
	return trunk;
}

static void join_trunk(struct polc_picture *p, struct polc_picture_trunk *trunk, bool right, int y)
{
	if (right)
		*polc_vec_push(p->arena, &trunk->right) = y;
	else
		*polc_vec_push(p->arena, &trunk->left) = y;
	trunk->top = y < trunk->top ? y : trunk->top;
	trunk->bottom = y > trunk->bottom ? y : trunk->bottom;
}

static void find_trunks(struct polc_picture *p)
{
	for (uint32_t i = 0; i < p->nets.n; i++) {
		const struct polc_picture_net *net = &p->nets.items[i];
		struct polc_picture_trunk *own = trunk_of(p, i, net->channel);

		join_trunk(p, own, false, exit_y(p, net));
		for (int side = 0; side < 2; side++)
			if (net->feeders[side].gutter >= 0)
				join_trunk(p, own, side == RIGHT, feeder_y(p, net, side));
	}
	for (size_t i = 0; i < p->wires.n; i++) {
		const struct polc_picture_wire *w = &p->wires.items[i];
		struct polc_picture_trunk *trunk = trunk_of(p, w->net, w->channel);
		int side = side_of(p, w);

		join_trunk(p, trunk, true, entry_y(p, w));
		if (side >= 0)
			join_trunk(p, trunk, side == LEFT, feeder_y(p, net_of(p, w), side));
	}
}

/* Lines that cross when a stands left of b. */
static unsigned crossings(const struct polc_picture_trunk *a, const struct polc_picture_trunk *b)
{
	unsigned n = 0;

	for (size_t i = 0; i < a->right.n; i++)
		n += a->right.items[i] > b->top && a->right.items[i] < b->bottom;
	for (size_t i = 0; i < b->left.n; i++)
		n += b->left.items[i] > a->top && b->left.items[i] < a->bottom;
	return n;
}

static void order_trunks(struct polc_picture_trunk **order, size_t n)
{
	bool swapped = true;

	for (unsigned round = 0; swapped && round < SWAP_ROUNDS; round++) {
		swapped = false;
		for (size_t i = 0; i + 1 < n; i++) {
			if (crossings(order[i + 1], order[i]) >= crossings(order[i], order[i + 1]))
				continue;
			struct polc_picture_trunk *held = order[i];

			order[i] = order[i + 1];
			order[i + 1] = held;
			swapped = true;
		}
	}
}

/* Lines that do not meet share a track, the order kept. */
static void assign_tracks(struct polc_picture *p, int channel)
{
	struct polc_picture_trunk **order =
		POLC_NEW_ARRAY(p->arena, p->trunks.n, struct polc_picture_trunk *);
	size_t n = 0;

	for (size_t i = 0; i < p->trunks.n; i++)
		if (p->trunks.items[i].channel == channel)
			order[n++] = &p->trunks.items[i];
	order_trunks(order, n);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++)
			if (order[j]->bottom + POLC_ROW > order[i]->top &&
				order[i]->bottom + POLC_ROW > order[j]->top &&
				order[j]->track >= order[i]->track)
				order[i]->track = order[j]->track + 1;
		if (order[i]->track >= p->channel_tracks[channel])
			p->channel_tracks[channel] = order[i]->track + 1;
	}
}

/* ---- widths ---- */

static int texts_width(const char *label, const polc_picture_loops *loops)
{
	int widest = polc_text_width(label, POLC_NAME_CHAR);

	for (size_t i = 0; i < loops->n; i++) {
		int width = polc_text_width(loops->items[i].text, POLC_LABEL_CHAR);

		widest = width > widest ? width : widest;
	}
	return widest;
}

static void widen(int *width, int wanted)
{
	*width = wanted > *width ? wanted : *width;
}

static void size_columns(struct polc_picture *p)
{
	for (size_t i = 0; i < p->boxes.n; i++) {
		const struct polc_picture_box *box = &p->boxes.items[i];

		widen(&p->column_w[box->column], MIN_COLUMN);
		widen(&p->column_w[box->column],
			texts_width(box->label, &box->loops) + 2 * BOX_PAD);
	}
	for (size_t i = 0; i < p->units.n; i++) {
		const struct polc_picture_unit *u = &p->units.items[i];

		if (u->cluster != POLC_TOPOLOGY_NO_CLUSTER)
			widen(&p->column_w[u->first_column], texts_width(u->label, &u->loops));
	}
	for (size_t i = 0; i < p->wires.n; i++)
		widen(&p->channel_labels[p->wires.items[i].channel],
			polc_text_width(p->wires.items[i].label, POLC_LABEL_CHAR) + LABEL_GAP);
}

static void place_columns(struct polc_picture *p)
{
	int x = POLC_MARGIN;

	for (int c = 0; c < p->n_columns; c++) {
		p->column_x[c] = x;
		x += p->column_w[c];
		p->channel_x[c] = x + POLC_CHANNEL_PAD;
		if (c + 1 == p->n_columns)
			break;
		/* no column and no line on this side: no channel either */
		if (!p->column_w[c] && !p->channel_tracks[c] && c == 0)
			x = POLC_MARGIN + POLC_FRAME_PAD;
		else if (!p->column_w[c + 1] && !p->channel_tracks[c] && c + 2 == p->n_columns)
			x += POLC_FRAME_PAD;
		else
			x += 2 * POLC_CHANNEL_PAD + p->channel_tracks[c] * POLC_TRACK +
			     p->channel_labels[c];
	}
	p->width = x + POLC_MARGIN;
}

static void place_widths(struct polc_picture *p)
{
	for (size_t i = 0; i < p->boxes.n; i++) {
		p->boxes.items[i].x = p->column_x[p->boxes.items[i].column];
		p->boxes.items[i].w = p->column_w[p->boxes.items[i].column];
	}
	for (size_t i = 0; i < p->units.n; i++) {
		struct polc_picture_unit *u = &p->units.items[i];

		u->x = p->column_x[u->first_column] - POLC_FRAME_PAD;
		u->w = p->column_x[u->last_column] + p->column_w[u->last_column] + POLC_FRAME_PAD -
		       u->x;
	}
}

/* ---- corners ---- */

static int trunk_x(struct polc_picture *p, uint32_t net, int channel)
{
	return p->channel_x[channel] + trunk_of(p, net, channel)->track * POLC_TRACK;
}

static void add_corner(struct polc_picture_wire *w, int x, int y)
{
	w->x[w->n_corners] = x;
	w->y[w->n_corners++] = y;
}

static void draw_wire(struct polc_picture *p, struct polc_picture_wire *w)
{
	const struct polc_picture_net *net = net_of(p, w);
	const struct polc_picture_unit *units = p->units.items;
	const struct polc_picture_box *boxes = p->boxes.items;
	int side = side_of(p, w), trunk = trunk_x(p, w->net, net->channel);
	int begin = w->from.is_unit ? units[w->from.index].x + units[w->from.index].w
				    : boxes[w->from.index].x + boxes[w->from.index].w;
	int end = w->to.is_unit ? units[w->to.index].x : boxes[w->to.index].x;

	add_corner(w, begin, exit_y(p, net));
	add_corner(w, trunk, exit_y(p, net));
	if (side >= 0) {
		int y = feeder_y(p, net, side);

		add_corner(w, trunk, y);
		trunk = trunk_x(p, w->net, w->channel);
		add_corner(w, trunk, y);
	}
	add_corner(w, trunk, entry_y(p, w));
	add_corner(w, end, entry_y(p, w));
}

void polc_picture_route(struct polc_picture *p)
{
	size_t n = (size_t)p->n_columns;

	p->column_x = POLC_NEW_ARRAY(p->arena, n, int);
	p->column_w = POLC_NEW_ARRAY(p->arena, n, int);
	p->channel_x = POLC_NEW_ARRAY(p->arena, n, int);
	p->channel_tracks = POLC_NEW_ARRAY(p->arena, n, int);
	p->channel_labels = POLC_NEW_ARRAY(p->arena, n, int);
	choose_gutters(p);
	place_heights(p);
	find_trunks(p);
	for (int c = 0; c + 1 < p->n_columns; c++)
		assign_tracks(p, c);
	size_columns(p);
	place_columns(p);
	place_widths(p);
	for (size_t i = 0; i < p->wires.n; i++)
		draw_wire(p, &p->wires.items[i]);
}
