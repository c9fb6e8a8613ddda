/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rows: how high boxes and frames are, and which line arrives or leaves at which height of them.
 * Called again when it is known how many lines the gutters hold.
 */
#include <stdlib.h>
#include <string.h>

#include "graph_layout.h"

static unsigned *lines_in(struct polc_picture *p, struct polc_picture_end end)
{
	return end.is_unit ? &p->units.items[end.index].n_in : &p->boxes.items[end.index].n_in;
}

static unsigned *lines_out(struct polc_picture *p, struct polc_picture_end end)
{
	return end.is_unit ? &p->units.items[end.index].n_out : &p->boxes.items[end.index].n_out;
}

static int highest(int a, int b, int c)
{
	int most = a > b ? a : b;

	return most > c ? most : c;
}

static void size_boxes(struct polc_picture *p)
{
	for (size_t i = 0; i < p->wires.n; i++)
		p->wires.items[i].slot = (*lines_in(p, p->wires.items[i].to))++;
	for (size_t i = 0; i < p->nets.n; i++)
		p->nets.items[i].slot = (*lines_out(p, p->nets.items[i].from))++;
	for (size_t i = 0; i < p->boxes.n; i++) {
		struct polc_picture_box *box = &p->boxes.items[i];

		box->rows = highest(2 + (int)box->loops.n, (int)box->n_in, (int)box->n_out + 1);
	}
	for (size_t i = 0; i < p->units.n; i++) {
		struct polc_picture_unit *u = &p->units.items[i];

		if (u->cluster != POLC_TOPOLOGY_NO_CLUSTER)
			u->header_rows =
				highest(2 + (int)u->loops.n, (int)u->n_in, (int)u->n_out + 1);
	}
}

/* Boxes of a unit's column, one row apart; their order is in `row`. Returns the rows used. */
static int stack_column(struct polc_picture *p, uint32_t unit, int column, int *rows)
{
	int at = 0;

	for (int rank = 0;; rank++) {
		size_t i = 0;

		while (i < p->boxes.n &&
			(p->boxes.items[i].unit != unit || p->boxes.items[i].column != column ||
				p->boxes.items[i].row != rank))
			i++;
		if (i == p->boxes.n)
			return at ? at - 1 : 0;
		rows[i] = at;
		at += p->boxes.items[i].rows + 1;
	}
}

static void stack_units(struct polc_picture *p)
{
	int *rows = POLC_NEW_ARRAY(p->arena, p->boxes.n, int);

	for (uint32_t u = 0; u < p->units.n; u++) {
		struct polc_picture_unit *unit = &p->units.items[u];
		int most = 0;

		for (int c = unit->first_column; c <= unit->last_column; c++) {
			int used = stack_column(p, u, c, rows);

			most = used > most ? used : most;
		}
		unit->rows = unit->header_rows + most + (unit->cluster != POLC_TOPOLOGY_NO_CLUSTER);
	}
	for (size_t i = 0; i < p->boxes.n; i++)
		if (p->boxes.items[i].unit != POLC_NO_UNIT)
			p->boxes.items[i].row =
				rows[i] + p->units.items[p->boxes.items[i].unit].header_rows;
}

/* Rows of bands and gutters from the top; boxes' rows are within their unit until then. */
static void place_bands(struct polc_picture *p)
{
	int row = 0;

	for (uint32_t b = 0; b <= p->n_bands; b++) {
		p->gutter_row[b] = row;
		row += p->gutter_rows[b];
		if (b == p->n_bands)
			break;
		p->band_row[b] = row;
		row += p->band_rows[b];
	}
	for (size_t i = 0; i < p->units.n; i++)
		p->units.items[i].row = p->band_row[p->units.items[i].band];
}

static int box_row(const struct polc_picture *p, const struct polc_picture_box *box)
{
	return box->row + (box->unit == POLC_NO_UNIT ? 0 : p->units.items[box->unit].row);
}

double polc_picture_end_row(const struct polc_picture *p, struct polc_picture_end end)
{
	if (end.is_unit)
		return p->units.items[end.index].row + p->units.items[end.index].header_rows / 2.0;
	return box_row(p, &p->boxes.items[end.index]) + p->boxes.items[end.index].rows / 2.0;
}

/* ---- the outermost columns ---- */

struct wish {
	uint32_t box;
	double row;
};

static int compare_wishes(const void *pa, const void *pb)
{
	const struct wish *a = pa, *b = pb;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return (a->box > b->box) - (a->box < b->box);
}

static double mean_row(const struct polc_picture *p, uint32_t box)
{
	double sum = 0;
	unsigned n = 0;

	for (size_t i = 0; i < p->wires.n; i++) {
		const struct polc_picture_wire *w = &p->wires.items[i];
		bool from = !w->from.is_unit && w->from.index == box;
		bool to = !w->to.is_unit && w->to.index == box;

		if (from || to) {
			sum += polc_picture_end_row(p, from ? w->to : w->from);
			n++;
		}
	}
	return n ? sum / n : 0;
}

/* As near to their neighbours as they can be without touching each other. */
static void place_outer(struct polc_picture *p, int column)
{
	struct wish *wishes = POLC_NEW_ARRAY(p->arena, p->boxes.n, struct wish);
	size_t n = 0;
	int total = p->gutter_row[p->n_bands] + p->gutter_rows[p->n_bands], at = 0;

	for (uint32_t i = 0; i < p->boxes.n; i++)
		if (p->boxes.items[i].unit == POLC_NO_UNIT && p->boxes.items[i].column == column)
			wishes[n++] = (struct wish){i, mean_row(p, i)};
	qsort(wishes, n, sizeof(*wishes), compare_wishes);
	for (size_t i = 0; i < n; i++) {
		struct polc_picture_box *box = &p->boxes.items[wishes[i].box];
		int row = (int)(wishes[i].row - box->rows / 2.0);

		box->row = row > at ? row : at;
		at = box->row + box->rows + 1;
	}
	for (size_t i = n; i-- > 0;) { /* back up from the bottom, as far as there is room */
		struct polc_picture_box *box = &p->boxes.items[wishes[i].box];

		if (box->row + box->rows > total)
			box->row = total - box->rows > 0 ? total - box->rows : 0;
		total = box->row - 1;
	}
	at = 0;
	for (size_t i = 0; i < n; i++) {
		struct polc_picture_box *box = &p->boxes.items[wishes[i].box];

		box->row = box->row > at ? box->row : at;
		at = box->row + box->rows + 1;
	}
}

void polc_picture_place_rows(struct polc_picture *p)
{
	place_bands(p);
	place_outer(p, 0);
	place_outer(p, p->n_columns - 1);
}

/* ---- slots ---- */

static int compare_wires(const void *pa, const void *pb)
{
	const struct polc_picture_wire *a = *(struct polc_picture_wire *const *)pa;
	const struct polc_picture_wire *b = *(struct polc_picture_wire *const *)pb;

	if (a->to.is_unit != b->to.is_unit)
		return a->to.is_unit ? 1 : -1;
	if (a->to.index != b->to.index)
		return a->to.index < b->to.index ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return (a > b) - (a < b);
}

/* Lines from above arrive above those from below. */
static void sort_entries(struct polc_picture *p)
{
	struct polc_picture_wire **sorted =
		POLC_NEW_ARRAY(p->arena, p->wires.n, struct polc_picture_wire *);

	for (size_t i = 0; i < p->wires.n; i++) {
		sorted[i] = &p->wires.items[i];
		sorted[i]->order = polc_picture_end_row(p, sorted[i]->from);
	}
	qsort(sorted, p->wires.n, sizeof(*sorted), compare_wires);
	for (size_t i = 0; i < p->wires.n; i++) {
		bool first = !i || sorted[i]->to.index != sorted[i - 1]->to.index ||
			     sorted[i]->to.is_unit != sorted[i - 1]->to.is_unit;

		sorted[i]->slot = first ? 0 : sorted[i - 1]->slot + 1;
	}
}

static int compare_nets(const void *pa, const void *pb)
{
	const struct polc_picture_net *a = *(struct polc_picture_net *const *)pa;
	const struct polc_picture_net *b = *(struct polc_picture_net *const *)pb;

	if (a->from.is_unit != b->from.is_unit)
		return a->from.is_unit ? 1 : -1;
	if (a->from.index != b->from.index)
		return a->from.index < b->from.index ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return (a > b) - (a < b);
}

static void sort_exits(struct polc_picture *p)
{
	struct polc_picture_net **sorted =
		POLC_NEW_ARRAY(p->arena, p->nets.n, struct polc_picture_net *);
	unsigned *counts = POLC_NEW_ARRAY(p->arena, p->nets.n, unsigned);

	for (size_t i = 0; i < p->nets.n; i++)
		p->nets.items[i].order = 0;
	for (size_t i = 0; i < p->wires.n; i++) {
		struct polc_picture_net *net = &p->nets.items[p->wires.items[i].net];

		net->order += polc_picture_end_row(p, p->wires.items[i].to);
		counts[p->wires.items[i].net]++;
	}
	for (size_t i = 0; i < p->nets.n; i++) {
		p->nets.items[i].order /= counts[i] ? counts[i] : 1;
		sorted[i] = &p->nets.items[i];
	}
	qsort(sorted, p->nets.n, sizeof(*sorted), compare_nets);
	for (size_t i = 0; i < p->nets.n; i++) {
		bool first = !i || sorted[i]->from.index != sorted[i - 1]->from.index ||
			     sorted[i]->from.is_unit != sorted[i - 1]->from.is_unit;

		sorted[i]->slot = first ? 0 : sorted[i - 1]->slot + 1;
	}
}

void polc_picture_place(struct polc_picture *p)
{
	p->band_row = POLC_NEW_ARRAY(p->arena, p->n_bands + 1, int);
	p->band_rows = POLC_NEW_ARRAY(p->arena, p->n_bands + 1, int);
	p->gutter_row = POLC_NEW_ARRAY(p->arena, p->n_bands + 1, int);
	p->gutter_rows = POLC_NEW_ARRAY(p->arena, p->n_bands + 1, int);
	size_boxes(p);
	stack_units(p);
	for (size_t i = 0; i < p->units.n; i++) {
		int *rows = &p->band_rows[p->units.items[i].band];

		*rows = p->units.items[i].rows > *rows ? p->units.items[i].rows : *rows;
	}
	for (uint32_t i = 0; i <= p->n_bands; i++)
		p->gutter_rows[i] = 1;
	polc_picture_place_rows(p);
	sort_entries(p);
	sort_exits(p);
}
