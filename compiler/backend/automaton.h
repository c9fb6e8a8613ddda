/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Aho-Corasick automata for substring tests, as words that BPF programs walk. Private to strings.c.
 */
#ifndef POLC_AUTOMATON_H
#define POLC_AUTOMATON_H

#include "plan_tracing.h"

typedef POLC_VEC(uint32_t) polc_words;

/*
 * A deterministic automaton: for each byte one look at its class and one at the row. The class of
 * each byte (u8[256]) lies before the root row; a row is the bits of the sets that end there (2
 * words), then for each class the index of the next row, with bit 31 when that one has bits.
 */
enum { POLC_AUTOMATON_CLASSES = 64, POLC_AUTOMATON_HEAD = 2 };
#define POLC_AUTOMATON_ENDS (1u << 31)

struct polc_automaton_pattern {
	const char *bytes;
	size_t n;
	uint64_t bits;
};

/* Appends it; the index of its root row (never 0), or 0 when `words` would exceed `max`. */
uint32_t polc_automaton_build(struct polc_arena *arena, polc_words *words,
	const struct polc_automaton_pattern *patterns, size_t n, bool fold, size_t max);
uint64_t polc_automaton_run(const uint32_t *words, uint32_t root, const char *text, size_t n);

#endif
