/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sets of label values, of addresses, of ports and of kinds: their algebra. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "space.h"

/* --- ranges --------------------------------------------------------------------------------- */

/* The first range that ends at `at` or later. */
static size_t first_from(const struct polc_ranges *r, polc_wide at)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (r->items[mid].hi < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool ranges_meet(const struct polc_ranges *a, const struct polc_ranges *b)
{
	const struct polc_ranges *few = a->n < b->n ? a : b, *many = few == a ? b : a;

	for (size_t i = 0; i < few->n; i++) {
		size_t j = first_from(many, few->items[i].lo);
		if (j < many->n && many->items[j].lo <= few->items[i].hi)
			return true;
	}
	return false;
}

static bool ranges_within(const struct polc_ranges *inner, const struct polc_ranges *outer)
{
	for (size_t i = 0; i < inner->n; i++) {
		size_t j = first_from(outer, inner->items[i].lo);
		if (j == outer->n || outer->items[j].lo > inner->items[i].lo ||
			outer->items[j].hi < inner->items[i].hi)
			return false;
	}
	return true;
}

static struct polc_ranges ranges_intersect(
	struct polc_arena *arena, const struct polc_ranges *a, const struct polc_ranges *b)
{
	struct polc_range *items = POLC_NEW_ARRAY(arena, a->n + b->n, struct polc_range);
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		for (size_t j = first_from(b, a->items[i].lo);
			j < b->n && b->items[j].lo <= a->items[i].hi; j++) {
			polc_wide lo = a->items[i].lo, hi = a->items[i].hi;
			items[n].lo = lo > b->items[j].lo ? lo : b->items[j].lo;
			items[n++].hi = hi < b->items[j].hi ? hi : b->items[j].hi;
		}
	return (struct polc_ranges){items, n};
}

static struct polc_ranges ranges_subtract(
	struct polc_arena *arena, const struct polc_ranges *a, const struct polc_ranges *b)
{
	struct polc_range *items = POLC_NEW_ARRAY(arena, a->n + b->n, struct polc_range);
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		polc_wide lo = a->items[i].lo, hi = a->items[i].hi;
		bool left = true;
		for (size_t j = first_from(b, lo); left && j < b->n && b->items[j].lo <= hi; j++) {
			if (b->items[j].lo > lo)
				items[n++] = (struct polc_range){lo, b->items[j].lo - 1};
			left = b->items[j].hi < hi;
			lo = b->items[j].hi + 1;
		}
		if (left)
			items[n++] = (struct polc_range){lo, hi};
	}
	return (struct polc_ranges){items, n};
}

static int compare_ranges(const void *pa, const void *pb)
{
	const struct polc_range *a = pa, *b = pb;

	return (a->lo > b->lo) - (a->lo < b->lo);
}

static struct polc_ranges ranges_unite(
	struct polc_arena *arena, const struct polc_ranges *a, const struct polc_ranges *b)
{
	struct polc_range *items = POLC_NEW_ARRAY(arena, a->n + b->n, struct polc_range);
	size_t all = a->n + b->n, n = 0;

	if (a->n)
		memcpy(items, a->items, a->n * sizeof(*items));
	if (b->n)
		memcpy(items + a->n, b->items, b->n * sizeof(*items));
	if (all)
		qsort(items, all, sizeof(*items), compare_ranges);
	for (size_t i = 0; i < all; i++) {
		struct polc_range *last = n ? &items[n - 1] : NULL;
		/* hi + 1 may wrap to 0: nothing can follow it then */
		if (last && (items[i].lo <= last->hi || items[i].lo == last->hi + 1)) {
			if (items[i].hi > last->hi)
				last->hi = items[i].hi;
		} else {
			items[n++] = items[i];
		}
	}
	return (struct polc_ranges){items, n};
}

/* --- values: finite sets, or all but a finite set --------------------------------------------- */

/* Whether `value` is among set->values, complement or not. */
static bool is_listed(const struct polc_set *set, uint32_t value)
{
	size_t lo = 0, hi = set->n_values;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (set->values[mid] == value)
			return true;
		if (set->values[mid] < value)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool polc_set_has_value(const struct polc_set *set, uint32_t value)
{
	return is_listed(set, value) != set->complement;
}

/* Those of a's values whose membership in b's list is `listed`, then all of b's when `both`. */
static const struct polc_set *pick_values(struct polc_arena *arena, const struct polc_set *a,
	const struct polc_set *b, bool listed, bool both)
{
	struct polc_set *out = POLC_NEW(arena, struct polc_set);
	uint32_t *values = POLC_NEW_ARRAY(arena, a->n_values + b->n_values, uint32_t);
	size_t i = 0, j = 0;

	while (i < a->n_values || (both && j < b->n_values)) {
		bool take_b = both && j < b->n_values &&
			      (i == a->n_values || b->values[j] <= a->values[i]);
		if (take_b) {
			i += i < a->n_values && a->values[i] == b->values[j];
			values[out->n_values++] = b->values[j++];
		} else {
			if (both || is_listed(b, a->values[i]) == listed)
				values[out->n_values++] = a->values[i];
			i++;
		}
	}
	out->values = values;
	return out;
}

/* a and b, where b counts as its complement if `flip`. */
static const struct polc_set *values_and(
	struct polc_arena *arena, const struct polc_set *a, const struct polc_set *b, bool flip)
{
	bool b_complement = b->complement != flip;

	if (!a->complement)
		return pick_values(arena, a, b, !b_complement, false);
	if (!b_complement)
		return pick_values(arena, b, a, false, false);
	struct polc_set *out = POLC_NEW(arena, struct polc_set);
	*out = *pick_values(arena, a, b, false, true);
	out->complement = true;
	return out;
}

static bool values_meet(const struct polc_set *a, const struct polc_set *b, bool flip)
{
	bool b_complement = b->complement != flip;

	if (a->complement && b_complement)
		return true;
	if (a->complement || (!b_complement && a->n_values > b->n_values)) {
		for (size_t i = 0; i < b->n_values; i++)
			if (is_listed(a, b->values[i]) != a->complement)
				return true;
		return false;
	}
	for (size_t i = 0; i < a->n_values; i++)
		if (is_listed(b, a->values[i]) != b_complement)
			return true;
	return false;
}

/* --- sets ----------------------------------------------------------------------------------- */

bool polc_set_is_empty(const struct polc_set *set)
{
	switch (set->kind) {
	case POLC_SET_VALUES:
		return !set->complement && !set->n_values;
	case POLC_SET_MASK:
		return !set->mask;
	case POLC_SET_RANGES:
		return !set->ranges[0].n && !set->ranges[1].n;
	}
	return true;
}

bool polc_set_meets(const struct polc_set *a, const struct polc_set *b)
{
	switch (a->kind) {
	case POLC_SET_VALUES:
		return values_meet(a, b, false);
	case POLC_SET_MASK:
		return a->mask & b->mask;
	case POLC_SET_RANGES:
		return ranges_meet(&a->ranges[0], &b->ranges[0]) ||
		       ranges_meet(&a->ranges[1], &b->ranges[1]);
	}
	return false;
}

bool polc_set_within(const struct polc_set *inner, const struct polc_set *outer)
{
	if (inner == outer)
		return true;
	switch (inner->kind) {
	case POLC_SET_VALUES:
		return !values_meet(inner, outer, true);
	case POLC_SET_MASK:
		return !(inner->mask & ~outer->mask);
	case POLC_SET_RANGES:
		return ranges_within(&inner->ranges[0], &outer->ranges[0]) &&
		       ranges_within(&inner->ranges[1], &outer->ranges[1]);
	}
	return false;
}

static const struct polc_set *of_ranges(
	struct polc_arena *arena, struct polc_ranges first, struct polc_ranges second)
{
	struct polc_set *out = POLC_NEW(arena, struct polc_set);

	*out = (struct polc_set){.kind = POLC_SET_RANGES, .ranges = {first, second}};
	return out;
}

const struct polc_set *polc_set_intersect(
	struct polc_arena *arena, const struct polc_set *a, const struct polc_set *b)
{
	if (polc_set_within(a, b))
		return a;
	switch (a->kind) {
	case POLC_SET_VALUES:
		return values_and(arena, a, b, false);
	case POLC_SET_MASK:
		return polc_set_of_mask(arena, a->mask & b->mask);
	case POLC_SET_RANGES:
		break;
	}
	return of_ranges(arena, ranges_intersect(arena, &a->ranges[0], &b->ranges[0]),
		ranges_intersect(arena, &a->ranges[1], &b->ranges[1]));
}

const struct polc_set *polc_set_subtract(
	struct polc_arena *arena, const struct polc_set *a, const struct polc_set *b)
{
	switch (a->kind) {
	case POLC_SET_VALUES:
		return values_and(arena, a, b, true);
	case POLC_SET_MASK:
		return polc_set_of_mask(arena, a->mask & ~b->mask);
	case POLC_SET_RANGES:
		break;
	}
	return of_ranges(arena, ranges_subtract(arena, &a->ranges[0], &b->ranges[0]),
		ranges_subtract(arena, &a->ranges[1], &b->ranges[1]));
}

static const struct polc_set *flipped(struct polc_arena *arena, const struct polc_set *set)
{
	struct polc_set *out = POLC_NEW(arena, struct polc_set);

	*out = *set;
	out->complement = !set->complement;
	return out;
}

const struct polc_set *polc_set_unite(
	struct polc_arena *arena, const struct polc_set *a, const struct polc_set *b)
{
	switch (a->kind) {
	case POLC_SET_VALUES:
		return flipped(arena, values_and(arena, flipped(arena, a), b, true));
	case POLC_SET_MASK:
		return polc_set_of_mask(arena, a->mask | b->mask);
	case POLC_SET_RANGES:
		break;
	}
	return of_ranges(arena, ranges_unite(arena, &a->ranges[0], &b->ranges[0]),
		ranges_unite(arena, &a->ranges[1], &b->ranges[1]));
}

/* --- making them ---------------------------------------------------------------------------- */

const struct polc_set *polc_set_of_mask(struct polc_arena *arena, uint32_t mask)
{
	struct polc_set *out = POLC_NEW(arena, struct polc_set);

	*out = (struct polc_set){.kind = POLC_SET_MASK, .mask = mask};
	return out;
}

static int compare_values(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return (a > b) - (a < b);
}

const struct polc_set *polc_set_of_values(
	struct polc_arena *arena, const uint32_t *values, size_t n, bool complement)
{
	struct polc_set *out = POLC_NEW(arena, struct polc_set);
	uint32_t *sorted = POLC_NEW_ARRAY(arena, n, uint32_t);

	*out = (struct polc_set){
		.kind = POLC_SET_VALUES, .complement = complement, .values = sorted};
	if (!n)
		return out;
	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_values);
	for (size_t i = 0; i < n; i++)
		if (!i || sorted[i] != sorted[i - 1])
			sorted[out->n_values++] = sorted[i];
	return out;
}

const struct polc_set *polc_set_of_range(struct polc_arena *arena, polc_wide lo, polc_wide hi)
{
	struct polc_range *range = POLC_NEW(arena, struct polc_range);

	*range = (struct polc_range){lo, hi};
	return of_ranges(arena, (struct polc_ranges){range, 1}, (struct polc_ranges){NULL, 0});
}

polc_wide polc_addr_number(const struct polb_addr *addr)
{
	polc_wide number = 0;

	for (int i = 0; i < (addr->family == 4 ? 4 : 16); i++)
		number = number << 8 | addr->bytes[i];
	return number;
}

struct polb_addr polc_addr_of_number(uint8_t family, polc_wide number)
{
	struct polb_addr addr = {.family = family};

	for (int i = (family == 4 ? 4 : 16) - 1; i >= 0; i--, number >>= 8)
		addr.bytes[i] = (uint8_t)number;
	return addr;
}

bool polc_set_has_addr(const struct polc_set *set, const struct polb_addr *addr)
{
	const struct polc_ranges *r = &set->ranges[addr->family == 6];
	polc_wide number = polc_addr_number(addr);
	size_t i = first_from(r, number);

	return i < r->n && r->items[i].lo <= number;
}

static const struct polc_set *of_prefix(struct polc_arena *arena, const struct polb_prefix *prefix)
{
	struct polc_range *range = POLC_NEW(arena, struct polc_range);
	struct polc_ranges one = {range, 1}, none = {NULL, 0};
	unsigned host_bits = (prefix->addr.family == 4 ? 32u : 128u) - prefix->len;
	polc_wide host = host_bits == 128 ? ~(polc_wide)0 : ((polc_wide)1 << host_bits) - 1;

	range->lo = polc_addr_number(&prefix->addr) & ~host;
	range->hi = range->lo | host;
	return prefix->addr.family == 4 ? of_ranges(arena, one, none) : of_ranges(arena, none, one);
}

const struct polc_set *polc_set_of_prefix(struct polc_arena *arena,
	const struct polb_prefix *prefix, const struct polb_prefix *excepts, size_t n_excepts)
{
	const struct polc_set *out = of_prefix(arena, prefix);

	for (size_t i = 0; i < n_excepts; i++)
		out = polc_set_subtract(arena, out, of_prefix(arena, &excepts[i]));
	return out;
}

/* --- the line of ports ------------------------------------------------------------------------ */

/* In the order of the line. */
static const struct {
	uint32_t begin, end; /* exclusive */
	uint8_t protocol;    /* 0: by number */
	const char *name;
} lines[] = {
	{POLC_LINE_TCP, POLC_LINE_UDP, IPPROTO_TCP, "tcp"},
	{POLC_LINE_UDP, POLC_LINE_SCTP, IPPROTO_UDP, "udp"},
	{POLC_LINE_SCTP, POLC_LINE_ICMP, IPPROTO_SCTP, "sctp"},
	{POLC_LINE_ICMP, POLC_LINE_ICMPV6, IPPROTO_ICMP, "icmp"},
	{POLC_LINE_ICMPV6, POLC_LINE_OTHER, IPPROTO_ICMPV6, "icmpv6"},
	{POLC_LINE_OTHER, POLC_LINE_END, 0, "ip"},
};

void polc_line_port(uint32_t position, uint8_t *protocol, uint16_t *port)
{
	size_t i = 0;

	while (position >= lines[i].end)
		i++;
	uint32_t offset = position - lines[i].begin;
	*protocol = lines[i].protocol ? lines[i].protocol : (uint8_t)offset;
	*port = lines[i].protocol ? (uint16_t)offset : 0;
}

uint32_t polc_line_position(uint8_t protocol, uint16_t port, uint8_t family)
{
	bool other = (protocol == IPPROTO_ICMP && family == 6) ||
		     (protocol == IPPROTO_ICMPV6 && family == 4);

	for (size_t i = 0; !other && i + 1 < POLC_ARRAY_SIZE(lines); i++)
		if (lines[i].protocol == protocol)
			return lines[i].begin + port;
	return POLC_LINE_OTHER + protocol;
}

static void print_piece(size_t line, uint32_t lo, uint32_t hi, struct polc_buf *out)
{
	uint32_t begin = lines[line].begin;

	polc_buf_printf(out, "%s%s", out->n ? ", " : "", lines[line].name);
	if (lo == begin && hi + 1 == lines[line].end)
		return;
	polc_buf_printf(out, "/%u", lo - begin);
	if (hi != lo)
		polc_buf_printf(out, "-%u", hi - begin);
}

void polc_line_print(const struct polc_set *ports, struct polc_buf *out)
{
	struct polc_buf text = {.arena = out->arena};
	const struct polc_ranges *r = &ports->ranges[0];

	for (size_t i = 0; i < r->n; i++)
		for (size_t j = 0; j < POLC_ARRAY_SIZE(lines); j++) {
			uint32_t lo = (uint32_t)r->items[i].lo, hi = (uint32_t)r->items[i].hi;
			lo = lo > lines[j].begin ? lo : lines[j].begin;
			hi = hi < lines[j].end ? hi : lines[j].end - 1;
			if (lo <= hi)
				print_piece(j, lo, hi, &text);
		}
	polc_buf_puts(out, text.p ? text.p : "no port");
}
