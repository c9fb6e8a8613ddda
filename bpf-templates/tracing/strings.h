/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which sets of a domain a text satisfies: one bit each, exactly, at a cost that does not depend on
 * how many strings there are. The tables are made by compiler/backend/strings.c.
 *
 * The functions that loop are global: the verifier looks at each once per program, however often it
 * is called. They can only be given numbers, so a text is named by its slot and its offset in the
 * scratch. Their counters are hidden from the compiler (polt_forget), which else runs pointers that
 * start before the text: kernels from 7.0 on do not follow that.
 *
 * Budget (clang 14; verified on 5.10, 6.1, 6.12, 7.x):
 *   equal      10 instructions and 22 for each 32 bytes, twice that on a hit; one hash lookup
 *   prefix     30 and a longest-prefix lookup
 *   postfix    8 for each 8 of the last 124 bytes and a longest-prefix lookup
 *   substring  13 a byte, for all strings of a folding
 *   verifier   8,800 for equal, 4,600 for substring, 300 for the others
 */
#ifndef POLT_STRINGS_H
#define POLT_STRINGS_H

#include "scratch.h"

/* u32 words of polt_automata: a power of two. */
#ifndef POLT_AUTOMATA_WORDS
#define POLT_AUTOMATA_WORDS 4096
#endif

/* A constant in the generated code: every member folds away. */
struct polt_domain {
	__u32 id;
	bool equal, prefix, postfix;
	__u32 automaton, folded; /* root state in polt_automata, 0: none */
	/* paths: what the dentries alone say (path.h) */
	bool leaf_only;
	__u64 leaf_lengths[4];
	__u32 n_tails;
	__u64 tails[8], tail_masks[8];
	__u32 n_roots;
	__u64 roots[8], root_masks[8];
};

/* Set by the loader before load. */
const volatile __u32 polt_string_seed = 1;

/*
 * The text, with what the functions below read before and behind it; NULL: no such place. What is
 * tested is what is used then: the compiler is kept from testing a copy.
 */
static __always_inline char *polt_text_within(struct polt_scratch *s, __u64 text, const __u64 last)
{
	text -= POLT_PATH;
	polt_forget(text);
	if (!s || text > last - POLT_PATH)
		return NULL;
	return s->path + text;
}

static __always_inline char *polt_text_at(struct polt_scratch *s, __u64 text, const __u64 size)
{
	return size > POLB_PATH_BYTES ? NULL : polt_text_within(s, text, POLT_TEXT);
}
_Static_assert(POLT_PATH >= 128, "postfixes read up to 128 bytes before a text");

#if POLT_HAS_STRINGS
struct polt_string_piece {
	__u64 words[POLB_STRING_PIECE / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct polb_string_key);
	__type(value, struct polb_string_value);
} polt_strings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polt_string_piece);
} polt_string_pieces SEC(".maps");

/* The text is the one in the table. */
__noinline int polt_string_is(__u32 slot, __u32 text, __u32 n, __u32 piece)
{
	__u64 size = n;

	polt_forget(size);
	const char *p = polt_text_at(polt_scratch_at(slot), text, size);
	if (!p)
		return false;
	for (__u64 i = 0; i < POLB_PATH_BYTES; i += POLB_STRING_PIECE) {
		polt_forget(i);
		if (i >= size)
			break;
		const __u64 *mine = (const __u64 *)(p + i);
		const __u64 *theirs = polt_at(&polt_string_pieces, piece + i / POLB_STRING_PIECE);

		if (!theirs)
			return false;
		if ((mine[0] ^ theirs[0]) | (mine[1] ^ theirs[1]) | (mine[2] ^ theirs[2]) |
			(mine[3] ^ theirs[3]))
			return false;
	}
	return true;
}

__noinline __u64 polt_string_hash(__u32 slot, __u32 text, __u32 n)
{
	__u64 size = n, hash = polt_string_seed;

	polt_forget(size);
	const char *p = polt_text_at(polt_scratch_at(slot), text, size);
	if (!p)
		return 0;
	for (__u64 i = 0; i < POLB_PATH_BYTES; i += POLB_STRING_PIECE) {
		polt_forget(i);
		if (i >= size)
			break;
		hash = polb_string_hash_piece(hash, (const __u64 *)(p + i));
	}
	return hash;
}

static __always_inline __u64 polt_string_equal(
	struct polt_scratch *s, __u32 text, __u32 size, __u32 domain)
{
	struct polb_string_key key = {
		.domain = domain, .size = size, .hash = polt_string_hash(s->slot, text, size)};
	const struct polb_string_value *found = bpf_map_lookup_elem(&polt_strings, &key);

	if (likely(!found) || !polt_string_is(s->slot, text, size, found->piece))
		return 0;
	return found->bits;
}
#endif

#if POLT_HAS_PREFIXES
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct polb_prefix_key);
	__type(value, __u64);
} polt_prefixes SEC(".maps");

/* What is behind the key's bits is not looked at: it is whatever was there before. */
__noinline __u64 polt_string_prefix(__u32 slot, __u32 text, __u32 n, __u32 domain)
{
	__u64 size = n;

	polt_forget(size);
	struct polt_scratch *s = polt_scratch_at(slot);
	const char *p = polt_text_at(s, text, size);

	if (!s || !p)
		return 0;
	if (size > POLB_PREFIX_BYTES)
		size = POLB_PREFIX_BYTES;
	bpf_probe_read_kernel(s->lpm.text, size, p);
	s->lpm.bits = 32 + 8 * size;
	s->lpm.domain = domain;
	const __u64 *bits = bpf_map_lookup_elem(&polt_prefixes, &s->lpm);
	return bits ? *bits : 0;
}
#endif

#if POLT_HAS_POSTFIXES
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct polb_postfix_key);
	__type(value, __u64);
} polt_postfixes SEC(".maps");

__noinline __u64 polt_string_postfix(__u32 slot, __u32 text, __u32 n, __u32 domain)
{
	__u64 size = n;

	polt_forget(size);
	struct polt_scratch *s = polt_scratch_at(slot);
	const char *p = polt_text_at(s, text, size);

	if (!s || !p)
		return 0;
	p += size;
	for (__u64 i = 0; i < POLB_POSTFIX_BYTES; i += 8) {
		polt_forget(i);
		if (i >= size)
			break;
		s->lpm.text[i / 8] = __builtin_bswap64(*(const __u64 *)(p - i - 8));
	}
	if (size > POLB_POSTFIX_BYTES)
		size = POLB_POSTFIX_BYTES;
	s->lpm.bits = 32 + 8 * size;
	s->lpm.domain = domain;
	const __u64 *bits = bpf_map_lookup_elem(&polt_postfixes, &s->lpm);
	return bits ? *bits : 0;
}
#endif

#if POLT_HAS_AUTOMATA
/*
 * From `root` on: rows of 2 words (bits of the sets that end here) and one word per class of bytes,
 * the next row's index, with bit 31 when it has bits. Before the root: the class of each byte,
 * u8[256].
 */
enum { POLT_AUTOMATON_ENDS = 1u << 31, POLT_AUTOMATON_STEP = 16, POLT_AUTOMATON_RUN = 128 };
struct polt_automata_words {
	__u32 words[POLT_AUTOMATA_WORDS];
};
_Static_assert((POLT_AUTOMATA_WORDS & (POLT_AUTOMATA_WORDS - 1)) == 0, "a power of two");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polt_automata_words);
} polt_automata SEC(".maps");

static __always_inline __u32 polt_automaton_next(
	const struct polt_automata_words *a, __u32 classes, __u32 row, __u8 byte)
{
	__u32 class = ((const __u8 *)a->words)[(classes + byte) & (4 * POLT_AUTOMATA_WORDS - 1)];

	return a->words[(row + 2 + class) & (POLT_AUTOMATA_WORDS - 1)];
}

static __always_inline __u64 polt_automaton_bits(const struct polt_automata_words *a, __u32 row)
{
	return a->words[row & (POLT_AUTOMATA_WORDS - 1)] |
	       (__u64)a->words[(row + 1) & (POLT_AUTOMATA_WORDS - 1)] << 32;
}

/* Bits of the sets that end within POLT_AUTOMATON_STEP bytes, of which `left` belong to the text.
 */
__noinline __u64 polt_automaton_collect(__u32 slot, __u32 text, __u32 root, __u32 row, __u32 left)
{
	const char *p = polt_text_within(polt_scratch_at(slot), text, POLT_TEXT + POLB_PATH_BYTES);
	const struct polt_automata_words *a = polt_at(&polt_automata, 0);
	__u64 bits = 0;

	if (!p || !a)
		return 0;
	for (__u64 i = 0; i < POLT_AUTOMATON_STEP; i++) {
		polt_forget(i);
		if (i >= left)
			break;
		row = polt_automaton_next(a, 4 * (root - 64), row, p[i]);
		bits |= polt_automaton_bits(a, row);
	}
	return bits;
}

/*
 * From `row` on over POLT_AUTOMATON_RUN bytes at most: the row then, without its flag; sets that
 * were found are added to scratch->found.
 */
__noinline __u32 polt_automaton_run(__u32 slot, __u32 text, __u32 root, __u32 row, __u32 left)
{
	struct polt_scratch *s = polt_scratch_at(slot);
	const struct polt_automata_words *a = polt_at(&polt_automata, 0);
	const char *p = polt_text_within(s, text, POLT_TEXT + POLB_PATH_BYTES - POLT_AUTOMATON_RUN);
	__u32 ends, first;

	if (!s || !p || !a)
		return root;
	for (__u64 i = 0; i < POLT_AUTOMATON_RUN; i += POLT_AUTOMATON_STEP) {
		polt_forget(i);
		if (i >= left)
			break;
		first = row;
		ends = 0;
#pragma unroll
		for (__u32 j = 0; j < POLT_AUTOMATON_STEP; j++) {
			row = polt_automaton_next(a, 4 * (root - 64), row, p[i + j]);
			ends |= row;
		}
		if (ends & POLT_AUTOMATON_ENDS)
			s->found |= polt_automaton_collect(slot, text + i, root, first, left - i);
	}
	return row;
}

static __noinline __u64 polt_string_contains(
	struct polt_scratch *s, __u32 text, __u32 size, __u32 root)
{
	const __u32 *words = polt_at(&polt_automata, 0);
	__u32 row = root;

	if (!words)
		return 0;
	s->found = polt_automaton_bits((const struct polt_automata_words *)words, root);
	for (__u32 i = 0; i < POLB_PATH_BYTES; i += POLT_AUTOMATON_RUN) {
		polt_forget(i);
		if (i >= size)
			break;
		row = polt_automaton_run(s->slot, text + i, root, row, size - i);
	}
	return s->found;
}
#endif

/* Behind a path there are only zeros. */
static __always_inline void polt_text_pad(struct polt_scratch *s, __u32 text, __u32 size)
{
	if (text != POLT_TEXT || size > POLB_PATH_BYTES)
		return;
	__u64 *end = (__u64 *)(s->text + size);
	for (int i = 0; i < POLT_TEXT_STEP / 8; i++)
		end[i] = 0;
}

/*
 * Bits of the sets of a domain that a text in the scratch satisfies: `text` is POLT_TEXT, or
 * POLT_PATH plus what polt_path_text() returned; size at most POLB_PATH_BYTES.
 */
static __always_inline __u64 polt_classify(
	struct polt_scratch *s, __u32 text, __u32 size, const struct polt_domain *domain)
{
	__u64 bits = 0;

	polt_text_pad(s, text, size);
#if POLT_HAS_STRINGS
	if (domain->equal)
		bits |= polt_string_equal(s, text, size, domain->id);
#endif
#if POLT_HAS_PREFIXES
	if (domain->prefix)
		bits |= polt_string_prefix(s->slot, text, size, domain->id);
#endif
#if POLT_HAS_POSTFIXES
	if (domain->postfix)
		bits |= polt_string_postfix(s->slot, text, size, domain->id);
#endif
#if POLT_HAS_AUTOMATA
	if (domain->automaton)
		bits |= polt_string_contains(s, text, size, domain->automaton);
	if (domain->folded)
		bits |= polt_string_contains(s, text, size, domain->folded);
#endif
	return bits;
}

#endif
