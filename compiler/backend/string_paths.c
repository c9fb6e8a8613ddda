/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What can be said of a path by its dentries before its text is built: a necessary condition on the
 * last name (its length, its last bytes) and on the first one. Never wrong for a text that path.h
 * makes: absolute, or without its front and then not beginning with '/', with " (deleted)" behind
 * it when the file is unlinked. Where that cannot be promised the condition is left out.
 */
#include <string.h>

#include "strings.h"

#define DELETED " (deleted)"
enum { WORDS = 8, DELETED_BYTES = sizeof(DELETED) - 1, NAME_MAX_BYTES = 255 };

struct word { /* up to 8 bytes of text and which of them count */
	uint64_t value, mask;
};
typedef struct {
	struct word *items;
	size_t n;
} words;

/* --- reducing to few words
 * ------------------------------------------------------------------------ */

/* `a` lets pass whatever `b` does. */
static bool covers(const struct word *a, const struct word *b)
{
	return !(a->mask & ~b->mask) && !((a->value ^ b->value) & a->mask);
}

static size_t add_word(struct word out[WORDS + 1], size_t n, struct word w)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (covers(&out[i], &w))
			return n;
	for (size_t i = 0; i < n; i++)
		if (!covers(&w, &out[i]))
			out[kept++] = out[i];
	out[kept++] = w;
	return kept;
}

/* As many bytes of each as leave WORDS different ones at most; 0: not even with one byte. */
static uint32_t reduce(const words *all, const uint64_t widths[WORDS], uint64_t values[WORDS],
	uint64_t masks[WORDS])
{
	struct word out[WORDS + 1];

	for (int width = 0; width < WORDS; width++) {
		size_t n = 0;

		for (size_t i = 0; i < all->n && n <= WORDS; i++) {
			uint64_t mask = all->items[i].mask & widths[width];

			n = add_word(out, n, (struct word){all->items[i].value & mask, mask});
		}
		if (n > WORDS)
			continue;
		for (size_t i = 0; i < n; i++) {
			values[i] = out[i].value;
			masks[i] = out[i].mask;
		}
		return n == 1 && !masks[0] ? 0 : (uint32_t)n;
	}
	return 0;
}

static struct word load_word(const char *bytes, size_t n)
{
	struct word w = {0};

	for (size_t i = 0; i < n && i < 8; i++) {
		w.value |= (uint64_t)(uint8_t)bytes[i] << 8 * i;
		w.mask |= 0xffull << 8 * i;
	}
	return w;
}

/* The last bytes, the last one on top. */
static struct word load_tail(const char *bytes, size_t n)
{
	struct word w = n < 8 ? load_word(bytes, n) : load_word(bytes + n - 8, 8);

	if (n && n < 8) {
		w.value <<= 8 * (8 - n);
		w.mask <<= 8 * (8 - n);
	}
	return w;
}

/* --- the last name
 * --------------------------------------------------------------------------------- */

struct leaves {
	struct polc_string_domain *domain;
	words tails;
};

static void allow_leaf(struct leaves *l, const char *name, size_t n, bool whole)
{
	for (size_t length = n; length <= (whole ? n : NAME_MAX_BYTES); length++)
		if (length <= NAME_MAX_BYTES)
			l->domain->leaf_lengths[length / 64] |= 1ull << length % 64;
	l->tails.items[l->tails.n++] = load_tail(name, n);
}

/* False: any name may satisfy it. */
static bool add_leaf(struct leaves *l, const char *text, size_t n, bool postfix)
{
	const char *slash = n ? memrchr(text, '/', n) : NULL;
	const char *name = slash ? slash + 1 : text;
	size_t length = n - (size_t)(name - text);

	if (n == 0 || (n == 1 && slash))
		return false;
	/* no text but "/" ends with '/' */
	if (!length)
		return true;
	allow_leaf(l, name, length, slash || !postfix);
	return true;
}

static bool ends_with(const char *text, size_t n, const char *with, size_t with_n)
{
	return n >= with_n && !memcmp(text + n - with_n, with, with_n);
}

/* The text of an unlinked file goes on behind its name. */
static bool add_string(struct leaves *l, const struct polc_string *s, bool postfix)
{
	if (!add_leaf(l, s->bytes, s->n, postfix))
		return false;
	if (postfix && ends_with(DELETED, DELETED_BYTES, s->bytes, s->n))
		return false;
	if (!ends_with(s->bytes, s->n, DELETED, DELETED_BYTES))
		return true;
	return add_leaf(l, s->bytes, s->n - DELETED_BYTES, postfix);
}

static size_t n_strings(const struct polc_string_domain *domain)
{
	size_t n = 0;

	for (uint32_t i = 0; i < domain->n_sets; i++)
		n += domain->sets[i].strings->n;
	return n;
}

static bool add_leaves(struct leaves *l)
{
	for (uint32_t i = 0; i < l->domain->n_sets; i++) {
		const struct polc_string_set *set = &l->domain->sets[i];

		if (set->op != POLC_STRING_EQUAL && set->op != POLC_STRING_POSTFIX)
			return false;
		for (size_t k = 0; k < set->strings->n; k++)
			if (!add_string(l, &set->strings->items[k], set->op == POLC_STRING_POSTFIX))
				return false;
	}
	return true;
}

static void find_leaves(struct polc_arena *arena, struct polc_string_domain *domain)
{
	static const uint64_t widths[WORDS] = {~0ull, ~0ull << 8, ~0ull << 16, ~0ull << 24,
		~0ull << 32, ~0ull << 40, ~0ull << 48, ~0ull << 56};
	struct leaves l = {.domain = domain};

	l.tails.items = POLC_NEW_ARRAY(arena, 2 * n_strings(domain) + 1, struct word);
	domain->leaf_only = add_leaves(&l);
	if (domain->leaf_only)
		domain->n_tails = reduce(&l.tails, widths, domain->tails, domain->tail_masks);
	else
		memset(domain->leaf_lengths, 0, sizeof(domain->leaf_lengths));
}

/* --- the first name
 * -------------------------------------------------------------------------------- */

/* False: no condition holds for all texts that satisfy it. */
static bool add_root(words *roots, const struct polc_string *s, enum polc_string_op op)
{
	if (op != POLC_STRING_EQUAL && op != POLC_STRING_PREFIX)
		return false;
	if (!s->n || s->bytes[0] != '/')
		return false;
	if (s->n == 1) /* the root itself: no name is asked for it */
		return op == POLC_STRING_EQUAL;
	roots->items[roots->n++] = load_word(s->bytes + 1, s->n - 1);
	return true;
}

static void find_roots(struct polc_arena *arena, struct polc_string_domain *domain)
{
	static const uint64_t widths[WORDS] = {~0ull, ~0ull >> 8, ~0ull >> 16, ~0ull >> 24,
		~0ull >> 32, ~0ull >> 40, ~0ull >> 48, ~0ull >> 56};
	words roots = {POLC_NEW_ARRAY(arena, n_strings(domain) + 1, struct word), 0};

	for (uint32_t i = 0; i < domain->n_sets; i++) {
		const struct polc_string_set *set = &domain->sets[i];

		for (size_t k = 0; k < set->strings->n; k++)
			if (!add_root(&roots, &set->strings->items[k], set->op))
				return;
	}
	domain->n_roots = reduce(&roots, widths, domain->roots, domain->root_masks);
}

void polc_string_paths(struct polc_arena *arena, struct polc_string_domain *domain)
{
	memset(domain->leaf_lengths, 0, sizeof(domain->leaf_lengths));
	domain->n_tails = domain->n_roots = 0;
	find_leaves(arena, domain);
	find_roots(arena, domain);
}
