/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Filing selectors by the values that an identity must have, and looking them up by its labels. */
#include "selector_index.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t hash; /* of key and value */
	uint32_t selector;
};

struct polc_selector_index {
	const struct polb_selector *selectors;
	const struct entry *entries; /* sorted by hash, selector */
	size_t n_entries;
	const uint32_t *always; /* selectors without an In requirement */
	size_t n_always;
};

static uint64_t hash_text(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ull;
	return (h ^ 0xff) * 0x100000001b3ull;
}

static uint64_t hash_label(const char *key, const char *value)
{
	return hash_text(hash_text(0xcbf29ce484222325ull, key), value);
}

static int compare_entries(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return (a->selector > b->selector) - (a->selector < b->selector);
}

static size_t lower_bound(const struct entry *entries, size_t n, uint64_t hash)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (entries[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_filed_by(const struct polb_requirement *r)
{
	return r->op == POLB_OP_IN && strcmp(r->source, "reserved");
}

/* Every (key, value) of every In requirement, sorted: how often each occurs. */
static struct entry *all_values(
	struct polc_arena *arena, const struct polb_selector *selectors, size_t n, size_t *n_out)
{
	POLC_VEC(struct entry) all = {0};

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < selectors[i].n_requirements; j++) {
			const struct polb_requirement *r = &selectors[i].requirements[j];
			for (size_t k = 0; is_filed_by(r) && k < r->n_values; k++)
				*polc_vec_push(arena, &all) = (struct entry){
					hash_label(r->key, r->values[k]), (uint32_t)i};
		}
	if (all.n)
		qsort(all.items, all.n, sizeof(*all.items), compare_entries);
	*n_out = all.n;
	return all.items;
}

static size_t occurrences(const struct entry *all, size_t n, const struct polb_requirement *r)
{
	size_t total = 0;

	for (size_t k = 0; k < r->n_values; k++) {
		uint64_t hash = hash_label(r->key, r->values[k]);
		size_t end = hash == UINT64_MAX ? n : lower_bound(all, n, hash + 1);
		total += end - lower_bound(all, n, hash);
	}
	return total;
}

static const struct polb_requirement *rarest(
	const struct entry *all, size_t n, const struct polb_selector *selector)
{
	const struct polb_requirement *best = NULL;
	size_t best_count = SIZE_MAX;

	for (size_t j = 0; j < selector->n_requirements; j++) {
		const struct polb_requirement *r = &selector->requirements[j];
		size_t count = is_filed_by(r) ? occurrences(all, n, r) : SIZE_MAX;
		if (count < best_count) {
			best = r;
			best_count = count;
		}
	}
	return best;
}

const struct polc_selector_index *polc_selector_index_build(
	struct polc_arena *arena, const struct polb_selector *selectors, size_t n)
{
	struct polc_selector_index *index = POLC_NEW(arena, struct polc_selector_index);
	POLC_VEC(struct entry) entries = {0};
	POLC_VEC(uint32_t) always = {0};
	size_t n_all;
	const struct entry *all = all_values(arena, selectors, n, &n_all);

	for (size_t i = 0; i < n; i++) {
		if (selectors[i].has_prefix)
			continue;
		const struct polb_requirement *r = rarest(all, n_all, &selectors[i]);
		if (!r)
			*polc_vec_push(arena, &always) = (uint32_t)i;
		for (size_t k = 0; r && k < r->n_values; k++)
			*polc_vec_push(arena, &entries) =
				(struct entry){hash_label(r->key, r->values[k]), (uint32_t)i};
	}
	if (entries.n)
		qsort(entries.items, entries.n, sizeof(*entries.items), compare_entries);
	index->selectors = selectors;
	index->entries = entries.items;
	index->n_entries = entries.n;
	index->always = always.items;
	index->n_always = always.n;
	return index;
}

static void try_selector(const struct polc_selector_index *index, uint32_t i,
	const struct polb_identity_view *view, uint64_t *bits)
{
	if (polb_selector_matches(&index->selectors[i], view))
		bits[i / 64] |= 1ull << (i % 64);
}

void polc_selector_index_match(const struct polc_selector_index *index,
	const struct polb_identity_view *view, uint64_t *bits)
{
	for (size_t i = 0; i < index->n_always; i++)
		try_selector(index, index->always[i], view, bits);
	for (size_t l = 0; l < view->n_labels; l++) {
		uint64_t hash = hash_label(view->labels[l].key, view->labels[l].value);
		size_t i = lower_bound(index->entries, index->n_entries, hash);
		for (; i < index->n_entries && index->entries[i].hash == hash; i++)
			try_selector(index, index->entries[i].selector, view, bits);
	}
}
