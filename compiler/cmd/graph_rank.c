/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Columns. Within a unit: longest paths along its own connections, cycles cut where a depth-first
 * walk closes them. Then units are shifted as wholes, so that most connections between them go to
 * the right and none goes far. Default connections do not count: they go from everywhere to
 * everywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "graph_layout.h"

/* Longer chains are folded into so many columns; stacks higher than this are spread. */
enum { MAX_RANKS = 8, HIGH_STACK = 6, MAX_SPREAD = 4 };

/* Of a connection between units: for each column it spans, and for not going to the right. */
enum { SPAN_COST = 1, BACK_COST = 6, SHIFT_ROUNDS = 8 };

struct arc {
	uint32_t from, to;
	bool back;
};
struct ranking {
	struct polc_picture *p;
	POLC_VEC(struct arc) arcs; /* sorted by from */
	uint32_t *first;           /* by box: its arcs */
	uint8_t *state;            /* 0 new, 1 on the path, 2 done */
	uint32_t *done;            /* boxes in the order in which they were done */
	uint32_t n_done;
	bool *linked;
	bool inner;         /* only connections within a unit count */
	int *shift, *width; /* by unit: first column, number of columns */
	int n_ranks;
};

static bool counts(const struct ranking *r, const struct arc *arc)
{
	const struct polc_picture_box *boxes = r->p->boxes.items;

	return !r->inner || boxes[arc->from].unit == boxes[arc->to].unit;
}

static void add_arcs(struct ranking *r, struct polc_picture_end from, struct polc_picture_end to)
{
	const struct polc_picture *p = r->p;

	for (uint32_t i = 0; i < p->boxes.n; i++) {
		if (from.is_unit ? p->boxes.items[i].unit != from.index : i != from.index)
			continue;
		for (uint32_t j = 0; j < p->boxes.n; j++) {
			if (to.is_unit ? p->boxes.items[j].unit != to.index : j != to.index)
				continue;
			if (p->boxes.items[i].unit != POLC_NO_UNIT &&
				p->boxes.items[j].unit != POLC_NO_UNIT && i != j)
				*polc_vec_push(p->arena, &r->arcs) =
					(struct arc){.from = i, .to = j};
			r->linked[i] = r->linked[j] = true;
		}
	}
}

static int compare_arcs(const void *pa, const void *pb)
{
	const struct arc *a = pa, *b = pb;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->to > b->to) - (a->to < b->to);
}

static void find_arcs(struct ranking *r)
{
	struct polc_picture *p = r->p;

	for (size_t i = 0; i < p->wires.n; i++)
		if (p->wires.items[i].edge->style != POLC_TOPOLOGY_DEFAULT)
			add_arcs(r, p->wires.items[i].from, p->wires.items[i].to);
	if (r->arcs.n)
		qsort(r->arcs.items, r->arcs.n, sizeof(struct arc), compare_arcs);
	r->first = POLC_NEW_ARRAY(p->arena, p->boxes.n + 1, uint32_t);
	for (size_t i = 0; i < r->arcs.n; i++)
		r->first[r->arcs.items[i].from + 1]++;
	for (size_t i = 0; i < p->boxes.n; i++)
		r->first[i + 1] += r->first[i];
}

static void walk(struct ranking *r, uint32_t box)
{
	r->state[box] = 1;
	for (uint32_t i = r->first[box]; i < r->first[box + 1]; i++) {
		struct arc *arc = &r->arcs.items[i];

		if (!counts(r, arc))
			continue;
		if (r->state[arc->to] == 1)
			arc->back = true;
		else if (!r->state[arc->to])
			walk(r, arc->to);
	}
	r->state[box] = 2;
	r->done[r->n_done++] = box;
}

struct start {
	uint32_t box;
	int balance; /* arcs in minus arcs out: sources first */
};

static int compare_starts(const void *pa, const void *pb)
{
	const struct start *a = pa, *b = pb;

	if (a->balance != b->balance)
		return a->balance < b->balance ? -1 : 1;
	return (a->box > b->box) - (a->box < b->box);
}

static void walk_all(struct ranking *r)
{
	size_t n = r->p->boxes.n;
	struct start *starts = POLC_NEW_ARRAY(r->p->arena, n, struct start);

	memset(r->state, 0, n);
	r->n_done = 0;
	for (uint32_t i = 0; i < n; i++)
		starts[i].box = i;
	for (size_t i = 0; i < r->arcs.n; i++) {
		r->arcs.items[i].back = false;
		if (!counts(r, &r->arcs.items[i]))
			continue;
		starts[r->arcs.items[i].from].balance--;
		starts[r->arcs.items[i].to].balance++;
	}
	qsort(starts, n, sizeof(*starts), compare_starts);
	for (size_t i = 0; i < n; i++)
		if (!r->state[starts[i].box])
			walk(r, starts[i].box);
}

static bool in_unit(const struct polc_picture_box *box, uint32_t unit)
{
	return unit == POLC_NO_UNIT ? box->unit != POLC_NO_UNIT : box->unit == unit;
}

/* Folds long chains of a unit (POLC_NO_UNIT: of all); returns the number of columns. */
static int fold(struct ranking *r, uint32_t unit)
{
	int highest = 0;
	struct polc_picture_box *boxes = r->p->boxes.items;

	for (size_t i = 0; i < r->p->boxes.n; i++)
		if (in_unit(&boxes[i], unit) && boxes[i].column > highest)
			highest = boxes[i].column;
	if (highest < MAX_RANKS)
		return highest + 1;
	for (size_t i = 0; i < r->p->boxes.n; i++)
		if (in_unit(&boxes[i], unit))
			boxes[i].column = boxes[i].column * MAX_RANKS / (highest + 1);
	return MAX_RANKS;
}

/* Longest path from the left; the reverse of the order in which boxes were done is topological. */
static void rank_boxes(struct ranking *r)
{
	struct polc_picture_box *boxes = r->p->boxes.items;

	walk_all(r);
	for (size_t i = 0; i < r->p->boxes.n; i++)
		if (boxes[i].unit != POLC_NO_UNIT)
			boxes[i].column = 0;
	for (uint32_t k = r->n_done; k-- > 0;) {
		uint32_t box = r->done[k];

		for (uint32_t i = r->first[box]; i < r->first[box + 1]; i++) {
			const struct arc *arc = &r->arcs.items[i];

			if (counts(r, arc) && !arc->back &&
				boxes[arc->to].column <= boxes[box].column)
				boxes[arc->to].column = boxes[box].column + 1;
		}
	}
}

/* ---- units as wholes ---- */

/* Where the connected boxes of a unit are. */
static double mean_column(const struct ranking *r, uint32_t unit)
{
	double sum = 0;
	unsigned n = 0;

	for (size_t i = 0; i < r->p->boxes.n; i++) {
		if (r->p->boxes.items[i].unit == unit && r->linked[i]) {
			sum += r->p->boxes.items[i].column;
			n++;
		}
	}
	return n ? sum / n : 0;
}

/* What the connections of a unit to others cost when it begins at `shift`. */
static unsigned shift_cost(const struct ranking *r, uint32_t unit, int shift)
{
	const struct polc_picture_box *boxes = r->p->boxes.items;
	unsigned cost = 0;

	for (size_t i = 0; i < r->arcs.n; i++) {
		const struct polc_picture_box *from = &boxes[r->arcs.items[i].from];
		const struct polc_picture_box *to = &boxes[r->arcs.items[i].to];

		if (from->unit == to->unit || (from->unit != unit && to->unit != unit))
			continue;
		int span = to->column + (to->unit == unit ? shift : r->shift[to->unit]) -
			   from->column - (from->unit == unit ? shift : r->shift[from->unit]);

		cost += (unsigned)(span < 0 ? -span : span) * SPAN_COST;
		cost += span <= 0 ? BACK_COST : 0;
	}
	return cost;
}

static bool shift_unit(struct ranking *r, uint32_t unit)
{
	int before = r->shift[unit];
	unsigned best = shift_cost(r, unit, before);

	for (int shift = 0; shift + r->width[unit] <= r->n_ranks; shift++) {
		unsigned cost = shift_cost(r, unit, shift);

		if (cost < best) {
			best = cost;
			r->shift[unit] = shift;
		}
	}
	return r->shift[unit] != before;
}

/* Columns between units that nothing is in are closed. Returns the last column. */
static int close_columns(struct ranking *r)
{
	struct polc_picture_box *boxes = r->p->boxes.items;
	int *new_column = POLC_NEW_ARRAY(r->p->arena, (size_t)r->n_ranks + 1, int), n = 0;

	for (size_t i = 0; i < r->p->boxes.n; i++)
		if (boxes[i].unit != POLC_NO_UNIT)
			new_column[boxes[i].column] = 1;
	for (int c = 0; c <= r->n_ranks; c++) {
		bool used = new_column[c];

		new_column[c] = n;
		n += used;
	}
	for (size_t i = 0; i < r->p->boxes.n; i++)
		if (boxes[i].unit != POLC_NO_UNIT)
			boxes[i].column = new_column[boxes[i].column];
	return n ? n - 1 : 0;
}

/* From where each unit would be in one ranking of all, to where its connections are short. */
static int shift_units(struct ranking *r, const double *wishes)
{
	size_t n = r->p->units.n;
	bool moved = true;

	for (uint32_t u = 0; u < n; u++) {
		int wish = (int)(wishes[u] - mean_column(r, u) + 0.5);
		int room = r->n_ranks - r->width[u];

		r->shift[u] = wish < 0 ? 0 : wish > room ? room : wish;
	}
	for (unsigned round = 0; moved && round < SHIFT_ROUNDS; round++) {
		moved = false;
		for (uint32_t u = 0; u < n; u++)
			moved |= shift_unit(r, u);
	}
	for (size_t i = 0; i < r->p->boxes.n; i++)
		if (r->p->boxes.items[i].unit != POLC_NO_UNIT)
			r->p->boxes.items[i].column += r->shift[r->p->boxes.items[i].unit];
	return close_columns(r);
}

static int rank_units(struct ranking *r)
{
	size_t n = r->p->units.n;
	double *wishes = POLC_NEW_ARRAY(r->p->arena, n, double);

	r->shift = POLC_NEW_ARRAY(r->p->arena, n, int);
	r->width = POLC_NEW_ARRAY(r->p->arena, n, int);
	rank_boxes(r);
	r->n_ranks = fold(r, POLC_NO_UNIT);
	for (uint32_t u = 0; u < n; u++)
		wishes[u] = mean_column(r, u);
	r->inner = true;
	rank_boxes(r);
	for (uint32_t u = 0; u < n; u++) {
		r->width[u] = fold(r, u);
		r->n_ranks = r->width[u] > r->n_ranks ? r->width[u] : r->n_ranks;
	}
	return shift_units(r, wishes);
}

/* ---- boxes that are connected to nothing ---- */

static unsigned stack_height(const struct ranking *r, uint32_t unit, int column)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->p->boxes.n; i++)
		n += r->p->boxes.items[i].unit == unit && r->p->boxes.items[i].column == column;
	return n;
}

static int unit_column(const struct ranking *r, uint32_t unit, bool last)
{
	int found = -1;

	for (size_t i = 0; i < r->p->boxes.n; i++) {
		int column = r->p->boxes.items[i].column;

		if (r->p->boxes.items[i].unit == unit && r->linked[i] &&
			(found < 0 || (last ? column > found : column < found)))
			found = column;
	}
	return found;
}

/* Boxes without lines fill up the columns of their unit, and widen it when it gets high. */
static int spread_unlinked(struct ranking *r, uint32_t unit, int highest)
{
	int lo = unit_column(r, unit, false), hi = unit_column(r, unit, true);

	if (lo < 0)
		lo = hi = 0;
	for (size_t i = 0; i < r->p->boxes.n; i++) {
		int best = lo;

		if (r->p->boxes.items[i].unit != unit || r->linked[i])
			continue;
		r->p->boxes.items[i].column = -1;
		for (int c = lo; c <= hi; c++)
			if (stack_height(r, unit, c) < stack_height(r, unit, best))
				best = c;
		if (stack_height(r, unit, best) >= HIGH_STACK && hi - lo + 1 < MAX_SPREAD)
			best = ++hi;
		r->p->boxes.items[i].column = best;
	}
	return hi > highest ? hi : highest;
}

static void shift_columns(struct polc_picture *p, int highest)
{
	p->n_columns = highest + 3;
	for (size_t i = 0; i < p->boxes.n; i++) {
		struct polc_picture_box *box = &p->boxes.items[i];

		if (box->unit != POLC_NO_UNIT)
			box->column++;
		else if (box->column < 0)
			box->column = p->n_columns - 1;
	}
	for (size_t u = 0; u < p->units.n; u++) {
		struct polc_picture_unit *unit = &p->units.items[u];

		unit->first_column = p->n_columns;
		for (size_t i = 0; i < p->boxes.n; i++) {
			int column = p->boxes.items[i].column;

			if (p->boxes.items[i].unit != u)
				continue;
			if (column < unit->first_column)
				unit->first_column = column;
			if (column > unit->last_column)
				unit->last_column = column;
		}
	}
}

void polc_picture_rank(struct polc_picture *p)
{
	struct ranking r = {.p = p};

	r.linked = POLC_NEW_ARRAY(p->arena, p->boxes.n, bool);
	r.state = POLC_NEW_ARRAY(p->arena, p->boxes.n, uint8_t);
	r.done = POLC_NEW_ARRAY(p->arena, p->boxes.n, uint32_t);
	find_arcs(&r);
	int highest = rank_units(&r);

	for (uint32_t u = 0; u < p->units.n; u++)
		highest = spread_unlinked(&r, u, highest);
	shift_columns(p, highest);
}
