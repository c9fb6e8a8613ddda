/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What stands above what: units that talk to each other near each other, then the boxes of each
 * column by the mean of their neighbours (barycentre sweeps).
 */
#include <stdlib.h>
#include <string.h>

#include "graph_layout.h"

/* Sifting costs the square of the number of units times their connections. */
enum { SIFT_ROUNDS = 6, MAX_SIFTED = 120, SWEEPS = 6 };

static uint32_t unit_of_end(const struct polc_picture *p, struct polc_picture_end end)
{
	return end.is_unit ? end.index : p->boxes.items[end.index].unit;
}

int polc_picture_first_column(const struct polc_picture *p, struct polc_picture_end end)
{
	return end.is_unit ? p->units.items[end.index].first_column
			   : p->boxes.items[end.index].column;
}

int polc_picture_last_column(const struct polc_picture *p, struct polc_picture_end end)
{
	return end.is_unit ? p->units.items[end.index].last_column
			   : p->boxes.items[end.index].column;
}

/* ---- units ---- */

struct sifting {
	struct polc_picture *p;
	unsigned *weight;   /* n x n: lines between two units */
	uint32_t *position; /* by unit */
};

/* How far apart connected units are. */
static unsigned long long cost_of(const struct sifting *s)
{
	size_t n = s->p->units.n;
	unsigned long long cost = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (s->weight[i * n + j])
				cost += s->weight[i * n + j] *
					(unsigned long long)labs(
						(long)s->position[i] - (long)s->position[j]);
	return cost;
}

static void move_unit(struct sifting *s, size_t from, size_t to)
{
	uint32_t *order = s->p->unit_order, unit = order[from];

	if (from < to)
		memmove(order + from, order + from + 1, (to - from) * sizeof(*order));
	else
		memmove(order + to + 1, order + to, (from - to) * sizeof(*order));
	order[to] = unit;
	for (uint32_t i = 0; i < s->p->units.n; i++)
		s->position[order[i]] = i;
}

/* Tries every place for the unit; true when another one is better. */
static bool sift(struct sifting *s, uint32_t unit)
{
	size_t n = s->p->units.n, start = s->position[unit], best = start;
	unsigned long long best_cost = cost_of(s);

	for (size_t to = 0; to < n; to++) {
		move_unit(s, s->position[unit], to);
		unsigned long long cost = cost_of(s);

		if (cost < best_cost) {
			best_cost = cost;
			best = to;
		}
	}
	move_unit(s, s->position[unit], best);
	return best != start;
}

static void order_units(struct polc_picture *p)
{
	size_t n = p->units.n;
	struct sifting s = {.p = p};
	bool moved = n <= MAX_SIFTED;

	p->unit_order = POLC_NEW_ARRAY(p->arena, n, uint32_t);
	s.position = POLC_NEW_ARRAY(p->arena, n, uint32_t);
	for (uint32_t i = 0; i < n; i++)
		p->unit_order[i] = s.position[i] = i;
	if (!moved)
		return;
	s.weight = POLC_NEW_ARRAY(p->arena, n * n, unsigned);
	for (size_t i = 0; i < p->wires.n; i++) {
		uint32_t a = unit_of_end(p, p->wires.items[i].from);
		uint32_t b = unit_of_end(p, p->wires.items[i].to);

		if (a != b && a != POLC_NO_UNIT && b != POLC_NO_UNIT) {
			s.weight[a * n + b]++;
			s.weight[b * n + a]++;
		}
	}
	for (unsigned round = 0; moved && round < SIFT_ROUNDS; round++) {
		moved = false;
		for (uint32_t i = 0; i < n; i++)
			moved |= sift(&s, i);
	}
}

static bool fits_band(const struct polc_picture *p, size_t begin, size_t end, uint32_t unit)
{
	const struct polc_picture_unit *u = &p->units.items[unit];

	for (size_t i = begin; i < end; i++) {
		const struct polc_picture_unit *v = &p->units.items[p->unit_order[i]];

		if (u->first_column <= v->last_column && v->first_column <= u->last_column)
			return false;
	}
	return true;
}

/* Neighbours in the order share a band when their columns differ. */
static void make_bands(struct polc_picture *p)
{
	size_t begin = 0;

	for (size_t i = 0; i < p->units.n; i++) {
		if (i && !fits_band(p, begin, i, p->unit_order[i])) {
			begin = i;
			p->n_bands++;
		}
		p->units.items[p->unit_order[i]].band = p->n_bands;
	}
	if (p->units.n)
		p->n_bands++;
}

/* ---- boxes ---- */

struct sweeping {
	struct polc_picture *p;
	double *height; /* by box, then by unit */
	double *sum;
	unsigned *count;
};

static size_t slot_of(const struct sweeping *s, struct polc_picture_end end)
{
	return end.is_unit ? s->p->boxes.n + end.index : end.index;
}

static int compare_boxes(const void *pa, const void *pb)
{
	const struct polc_picture_box *a = *(struct polc_picture_box *const *)pa;
	const struct polc_picture_box *b = *(struct polc_picture_box *const *)pb;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return (a->node > b->node) - (a->node < b->node);
}

/* Sorts the boxes of one unit and column; gives them heights. */
static void sort_stack(struct sweeping *s, uint32_t unit, int column, double base)
{
	struct polc_picture *p = s->p;
	struct polc_picture_box **stack =
		POLC_NEW_ARRAY(p->arena, p->boxes.n, struct polc_picture_box *);
	size_t n = 0;

	for (size_t i = 0; i < p->boxes.n; i++) {
		struct polc_picture_box *box = &p->boxes.items[i];

		if (box->unit != unit || box->column != column)
			continue;
		box->order = s->count[i] ? s->sum[i] / s->count[i] : s->height[i];
		stack[n++] = box;
	}
	qsort(stack, n, sizeof(*stack), compare_boxes);
	for (size_t i = 0; i < n; i++) {
		stack[i]->row = (int)i;
		s->height[stack[i] - p->boxes.items] = base + (double)i;
	}
}

static double band_base(const struct polc_picture *p, uint32_t unit)
{
	return p->units.items[unit].band * 100.0;
}

static void sum_neighbours(struct sweeping *s)
{
	size_t n = s->p->boxes.n + s->p->units.n;

	memset(s->sum, 0, n * sizeof(*s->sum));
	memset(s->count, 0, n * sizeof(*s->count));
	for (size_t i = 0; i < s->p->wires.n; i++) {
		size_t from = slot_of(s, s->p->wires.items[i].from);
		size_t to = slot_of(s, s->p->wires.items[i].to);

		s->sum[from] += s->height[to];
		s->sum[to] += s->height[from];
		s->count[from]++;
		s->count[to]++;
	}
}

static void sweep(struct sweeping *s)
{
	struct polc_picture *p = s->p;

	sum_neighbours(s);
	for (uint32_t u = 0; u < p->units.n; u++) {
		const struct polc_picture_unit *unit = &p->units.items[u];

		for (int c = unit->first_column; c <= unit->last_column; c++)
			sort_stack(s, u, c, band_base(p, u) + 1);
	}
	sum_neighbours(s);
	for (size_t i = 0; i < p->boxes.n; i++) /* outer boxes have no place of their own yet */
		if (p->boxes.items[i].unit == POLC_NO_UNIT && s->count[i])
			s->height[i] = s->sum[i] / s->count[i];
}

static void order_boxes(struct polc_picture *p)
{
	size_t n = p->boxes.n + p->units.n;
	struct sweeping s = {.p = p};

	s.height = POLC_NEW_ARRAY(p->arena, n, double);
	s.sum = POLC_NEW_ARRAY(p->arena, n, double);
	s.count = POLC_NEW_ARRAY(p->arena, n, unsigned);
	for (size_t i = 0; i < p->boxes.n; i++)
		if (p->boxes.items[i].unit != POLC_NO_UNIT)
			s.height[i] = band_base(p, p->boxes.items[i].unit) + (double)i / 1000;
	for (uint32_t u = 0; u < p->units.n; u++)
		s.height[p->boxes.n + u] = band_base(p, u);
	for (unsigned i = 0; i < SWEEPS; i++)
		sweep(&s);
}

void polc_picture_order(struct polc_picture *p)
{
	order_units(p);
	make_bands(p);
	order_boxes(p);
}
