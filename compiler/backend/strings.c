/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tables that programs look strings up in (bpf-templates/tracing/strings.h): for each domain,
 * texts with the bits of the sets they satisfy, automata for substrings. A domain's sets may share
 * strings; what is found for a string is the union. What the dentries of a path say is
 * string_paths.c.
 */
#include <stdlib.h>
#include <string.h>

#include "../../runtime/trace_tables.h"
#include "automaton.h"
#include "strings.h"

enum { AUTOMATA_MAX_WORDS = 1 << 20 }; /* one value of an array map: 4 MB */

static const size_t max_bytes[POLC_N_STRING_OPS] = {
	[POLC_STRING_EQUAL] = POLB_PATH_BYTES,
	[POLC_STRING_PREFIX] = POLB_PREFIX_BYTES,
	[POLC_STRING_POSTFIX] = POLB_POSTFIX_BYTES,
	[POLC_STRING_SUBSTRING] = POLB_PATH_BYTES,
	[POLC_STRING_SUBSTRING_FOLDED] = POLB_PATH_BYTES,
};
static const char *const op_names[POLC_N_STRING_OPS] = {
	[POLC_STRING_EQUAL] = "equal",
	[POLC_STRING_PREFIX] = "prefix",
	[POLC_STRING_POSTFIX] = "postfix",
	[POLC_STRING_SUBSTRING] = "substring",
	[POLC_STRING_SUBSTRING_FOLDED] = "substring",
};

struct entry { /* a string of a domain and what it satisfies */
	struct polc_string text;
	uint64_t bits;
};
typedef POLC_VEC(struct entry) entries;

/* --- the strings of a domain
 * ---------------------------------------------------------------------- */

static int compare_bytes(const char *a, size_t a_n, const char *b, size_t b_n)
{
	int order = memcmp(a, b, a_n < b_n ? a_n : b_n);

	return order ? order : (a_n > b_n) - (a_n < b_n);
}

static int compare_forward(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return compare_bytes(x->text.bytes, x->text.n, y->text.bytes, y->text.n);
}

static int compare_backward(const void *a, const void *b)
{
	const struct polc_string *x = &((const struct entry *)a)->text;
	const struct polc_string *y = &((const struct entry *)b)->text;

	for (size_t i = 1; i <= x->n && i <= y->n; i++)
		if (x->bytes[x->n - i] != y->bytes[y->n - i])
			return (uint8_t)x->bytes[x->n - i] - (uint8_t)y->bytes[y->n - i];
	return (x->n > y->n) - (x->n < y->n);
}

static void collect(struct polc_arena *arena, const struct polc_string_domain *domain,
	enum polc_string_op op, entries *out)
{
	for (uint32_t set = 0; set < domain->n_sets; set++) {
		const polc_strings *strings = domain->sets[set].strings;

		for (size_t i = 0; domain->sets[set].op == op && i < strings->n; i++)
			*polc_vec_push(arena, out) = (struct entry){strings->items[i], 1ull << set};
	}
}

/* Sorts, and makes one entry of equal texts. */
static void unite(entries *e, int (*compare)(const void *, const void *))
{
	size_t n = 0;

	if (e->n)
		qsort(e->items, e->n, sizeof(*e->items), compare);
	for (size_t i = 0; i < e->n; i++) {
		if (n && !compare(&e->items[n - 1], &e->items[i]))
			e->items[n - 1].bits |= e->items[i].bits;
		else
			e->items[n++] = e->items[i];
	}
	e->n = n;
}

static bool begins(const struct polc_string *text, const struct polc_string *with, bool backward)
{
	size_t skip = backward ? text->n - with->n : 0;

	return with->n <= text->n && !memcmp(text->bytes + skip, with->bytes, with->n);
}

/*
 * An entry carries the bits of all entries that it begins (or ends) with: the longest match tells
 * all. Sorted, those come before it, and the nearest one has the bits of the others already.
 */
static void inherit(struct polc_arena *arena, entries *e, bool backward)
{
	POLC_VEC(const struct entry *) chain = {0};

	for (size_t i = 0; i < e->n; i++) {
		struct entry *entry = &e->items[i];

		while (chain.n && !begins(&entry->text, &chain.items[chain.n - 1]->text, backward))
			chain.n--;
		if (chain.n)
			entry->bits |= chain.items[chain.n - 1]->bits;
		*polc_vec_push(arena, &chain) = entry;
	}
}

/* --- tables
 * ---------------------------------------------------------------------------------------- */

static uint32_t append_bytes(
	struct polc_arena *arena, struct polc_string_tables *out, const struct polc_string *text)
{
	uint32_t offset = (uint32_t)out->bytes.n;
	size_t padded = (text->n + POLB_STRING_PIECE - 1) / POLB_STRING_PIECE * POLB_STRING_PIECE;

	for (size_t i = 0; i < padded; i++)
		*polc_vec_push(arena, &out->bytes) = i < text->n ? (uint8_t)text->bytes[i] : 0;
	return offset;
}

static bool append_strings(struct polc *polc, const struct polc_string_domain *domain,
	enum polc_string_op op, struct polc_string_tables *out)
{
	bool backward = op == POLC_STRING_POSTFIX;
	entries e = {0};

	collect(&polc->arena, domain, op, &e);
	unite(&e, backward ? compare_backward : compare_forward);
	if (op != POLC_STRING_EQUAL)
		inherit(&polc->arena, &e, backward);
	if (backward && e.n)
		qsort(e.items, e.n, sizeof(*e.items), compare_forward);
	for (size_t i = 0; i < e.n; i++)
		*polc_vec_push(&polc->arena, &out->strings) = (struct polb_bundle_trace_string){
			.domain = domain->id,
			.op = (uint32_t)op,
			.offset = append_bytes(&polc->arena, out, &e.items[i].text),
			.size = (uint32_t)e.items[i].text.n,
			.bits = e.items[i].bits,
		};
	return e.n;
}

/* The root's index; 0: no such strings, or (reported) too many. */
static uint32_t append_automaton(struct polc *polc, const struct polc_string_domain *domain,
	enum polc_string_op op, struct polc_string_tables *out)
{
	POLC_VEC(struct polc_automaton_pattern) patterns = {0};
	polc_words words = {out->automata.items, out->automata.n, out->automata.cap};
	entries e = {0};

	collect(&polc->arena, domain, op, &e);
	unite(&e, compare_forward);
	if (!e.n)
		return 0;
	for (size_t i = 0; i < e.n; i++)
		*polc_vec_push(&polc->arena, &patterns) = (struct polc_automaton_pattern){
			e.items[i].text.bytes, e.items[i].text.n, e.items[i].bits};
	uint32_t root = polc_automaton_build(&polc->arena, &words, patterns.items, patterns.n,
		op == POLC_STRING_SUBSTRING_FOLDED, AUTOMATA_MAX_WORDS);
	if (!root)
		polc_error(polc, (struct polc_span){0}, POLC_CODE_LIMIT,
			"the substrings of all policies need more than %d words of tables",
			AUTOMATA_MAX_WORDS);
	out->automata.items = words.items;
	out->automata.n = words.n;
	out->automata.cap = words.cap;
	return root;
}

/* --- the seed
 * -------------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct polb_string_key));
}

static bool seed_is_good(struct polc_arena *arena, const struct polc_string_tables *tables)
{
	struct polb_string_key *keys =
		POLC_NEW_ARRAY(arena, tables->strings.n, struct polb_string_key);
	size_t n = 0;

	for (size_t i = 0; i < tables->strings.n; i++) {
		const struct polb_bundle_trace_string *s = &tables->strings.items[i];
		const char *text = (const char *)tables->bytes.items + s->offset;

		if (s->op == POLC_STRING_EQUAL)
			keys[n++] = (struct polb_string_key){
				s->domain, s->size, polb_trace_hash(tables->seed, text, s->size)};
	}
	if (n)
		qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (!compare_keys(&keys[i - 1], &keys[i]))
			return false;
	return true;
}

/* --- the whole
 * -------------------------------------------------------------------------------------- */

static bool check_sizes(struct polc *polc, const struct polc_string_domain *domain)
{
	bool fine = true;

	for (uint32_t set = 0; set < domain->n_sets; set++) {
		enum polc_string_op op = domain->sets[set].op;
		const polc_strings *strings = domain->sets[set].strings;

		for (size_t i = 0; i < strings->n; i++) {
			if (strings->items[i].n <= max_bytes[op])
				continue;
			fine = false;
			polc_error(polc, (struct polc_span){0}, POLC_CODE_LIMIT,
				"a %s string has %zu bytes, and at most %zu are compared: %.40s...",
				op_names[op], strings->items[i].n, max_bytes[op],
				strings->items[i].bytes);
		}
	}
	return fine;
}

static bool build_domain(
	struct polc *polc, struct polc_string_domain *domain, struct polc_string_tables *out)
{
	unsigned errors = polc->n_errors;

	if (domain->n_sets > 64)
		POLC_BUG("domain %u has %u sets", domain->id, domain->n_sets);
	if (!check_sizes(polc, domain))
		return false;
	domain->equal = append_strings(polc, domain, POLC_STRING_EQUAL, out);
	domain->prefix = append_strings(polc, domain, POLC_STRING_PREFIX, out);
	domain->postfix = append_strings(polc, domain, POLC_STRING_POSTFIX, out);
	domain->automaton = append_automaton(polc, domain, POLC_STRING_SUBSTRING, out);
	domain->folded = append_automaton(polc, domain, POLC_STRING_SUBSTRING_FOLDED, out);
	if (domain->path)
		polc_string_paths(&polc->arena, domain);
	return polc->n_errors == errors;
}

bool polc_string_tables_build(struct polc *polc, struct polc_string_domain *domains, size_t n,
	struct polc_string_tables *out)
{
	bool fine = true;

	*out = (struct polc_string_tables){.seed = 1};
	for (size_t i = 0; i < n; i++)
		fine &= build_domain(polc, &domains[i], out);
	while (fine && !seed_is_good(&polc->arena, out))
		out->seed++;
	return fine;
}

/* --- what the programs compute
 * -------------------------------------------------------------------- */

/* The entry with exactly this text, by binary search; or NULL. */
static const struct polb_bundle_trace_string *find(const struct polc_string_tables *tables,
	uint32_t domain, enum polc_string_op op, const char *text, size_t size)
{
	size_t lo = 0, hi = tables->strings.n;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;
		const struct polb_bundle_trace_string *s = &tables->strings.items[middle];
		const char *own = (const char *)tables->bytes.items + s->offset;
		int order = (s->domain > domain) - (s->domain < domain);

		if (!order)
			order = (s->op > op) - (s->op < op);
		if (!order)
			order = compare_bytes(own, s->size, text, size);
		if (!order)
			return s;
		if (order < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return NULL;
}

/* The longest beginning (or end) of the text that is in the table. */
static uint64_t longest(const struct polc_string_tables *tables, uint32_t domain,
	enum polc_string_op op, const char *text, size_t size)
{
	size_t most = size < max_bytes[op] ? size : max_bytes[op];

	for (size_t n = most + 1; n-- > 0;) {
		const char *part = op == POLC_STRING_POSTFIX ? text + size - n : text;
		const struct polb_bundle_trace_string *s = find(tables, domain, op, part, n);

		if (s)
			return s->bits;
	}
	return 0;
}

uint64_t polc_string_tables_classify(const struct polc_string_tables *tables,
	const struct polc_string_domain *domain, const char *text, size_t size)
{
	const struct polb_bundle_trace_string *equal =
		find(tables, domain->id, POLC_STRING_EQUAL, text, size);
	uint64_t bits = equal ? equal->bits : 0;

	bits |= longest(tables, domain->id, POLC_STRING_PREFIX, text, size);
	bits |= longest(tables, domain->id, POLC_STRING_POSTFIX, text, size);
	if (domain->automaton)
		bits |= polc_automaton_run(tables->automata.items, domain->automaton, text, size);
	if (domain->folded)
		bits |= polc_automaton_run(tables->automata.items, domain->folded, text, size);
	return bits;
}
