/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Aho-Corasick: a trie of the patterns, completed breadth first, written out as rows. */
#include <string.h>

#include "automaton.h"

struct trie {
	struct polc_arena *arena;
	uint8_t classes[256]; /* class of each byte; 0: in no pattern */
	uint32_t n_classes;
	POLC_VEC(struct trie_node) nodes; /* 0: the root */
};
struct trie_node {
	uint64_t bits;
	uint32_t *next; /* by class; 0: none yet (none leads to the root) */
	uint32_t fail;
};

static uint32_t node_new(struct trie *t)
{
	struct trie_node *node = polc_vec_push(t->arena, &t->nodes);

	*node = (struct trie_node){.next = POLC_NEW_ARRAY(t->arena, t->n_classes, uint32_t)};
	return (uint32_t)t->nodes.n - 1;
}

/* One class for each byte that a pattern has, one for all others: fewer than 256 unless all occur.
 */
static void classes_of(
	struct trie *t, const struct polc_automaton_pattern *patterns, size_t n, bool fold)
{
	bool used[256] = {false};
	unsigned all = 1;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < patterns[i].n; k++)
			used[(uint8_t)patterns[i].bytes[k]] = true;
	for (unsigned c = 0; c < 256; c++)
		all &= used[c];
	t->n_classes = all ? 0 : 1;
	for (unsigned c = 0; c < 256; c++)
		if (used[c])
			t->classes[c] = (uint8_t)t->n_classes++;
	for (unsigned c = 'A'; fold && c <= 'Z'; c++)
		t->classes[c] = t->classes[c - 'A' + 'a'];
}

static void pattern_add(struct trie *t, const struct polc_automaton_pattern *pattern)
{
	uint32_t at = 0;

	for (size_t i = 0; i < pattern->n; i++) {
		uint8_t class = t->classes[(uint8_t)pattern->bytes[i]];

		if (!t->nodes.items[at].next[class]) {
			uint32_t created = node_new(t);

			t->nodes.items[at].next[class] = created;
		}
		at = t->nodes.items[at].next[class];
	}
	t->nodes.items[at].bits |= pattern->bits;
}

/* The node behind `parent` on a class: its own, or where its longest proper suffix goes. */
static void complete(struct trie *t, uint32_t parent, uint32_t class, uint32_t *queue, size_t *n)
{
	struct trie_node *node = &t->nodes.items[parent];
	uint32_t suffix = parent ? t->nodes.items[node->fail].next[class] : 0;
	uint32_t child = node->next[class];

	if (!child) {
		node->next[class] = suffix;
		return;
	}
	t->nodes.items[child].fail = suffix;
	t->nodes.items[child].bits |= t->nodes.items[suffix].bits;
	queue[(*n)++] = child;
}

static void trie_complete(struct trie *t)
{
	uint32_t *queue = POLC_NEW_ARRAY(t->arena, t->nodes.n, uint32_t);
	size_t n = 1;

	for (size_t i = 0; i < n; i++)
		for (uint32_t class = 0; class < t->n_classes; class ++)
			complete(t, queue[i], class, queue, &n);
}

static void trie_write(const struct trie *t, polc_words *words, uint32_t root)
{
	uint32_t width = POLC_AUTOMATON_HEAD + t->n_classes;

	for (size_t i = 0; i < POLC_AUTOMATON_CLASSES; i++)
		*polc_vec_push(t->arena, words) = (uint32_t)t->classes[4 * i] |
						  (uint32_t)t->classes[4 * i + 1] << 8 |
						  (uint32_t)t->classes[4 * i + 2] << 16 |
						  (uint32_t)t->classes[4 * i + 3] << 24;
	for (size_t i = 0; i < t->nodes.n; i++) {
		const struct trie_node *node = &t->nodes.items[i];

		*polc_vec_push(t->arena, words) = (uint32_t)node->bits;
		*polc_vec_push(t->arena, words) = (uint32_t)(node->bits >> 32);
		for (uint32_t class = 0; class < t->n_classes; class ++) {
			uint32_t next = node->next[class];

			*polc_vec_push(t->arena, words) =
				(root + next * width) |
				(t->nodes.items[next].bits ? POLC_AUTOMATON_ENDS : 0);
		}
	}
}

uint32_t polc_automaton_build(struct polc_arena *arena, polc_words *words,
	const struct polc_automaton_pattern *patterns, size_t n, bool fold, size_t max)
{
	struct trie t = {.arena = arena};
	uint32_t root = (uint32_t)words->n + POLC_AUTOMATON_CLASSES;
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += patterns[i].n;
	classes_of(&t, patterns, n, fold);
	/* a bound on the trie first: it is as large as what is refused */
	if (bytes > max)
		return 0;
	node_new(&t);
	for (size_t i = 0; i < n; i++) {
		pattern_add(&t, &patterns[i]);
		if (root + t.nodes.n * (POLC_AUTOMATON_HEAD + (size_t)t.n_classes) > max)
			return 0;
	}
	trie_complete(&t);
	trie_write(&t, words, root);
	return root;
}

static uint64_t row_bits(const uint32_t *words, uint32_t row)
{
	return words[row] | (uint64_t)words[row + 1] << 32;
}

uint64_t polc_automaton_run(const uint32_t *words, uint32_t root, const char *text, size_t n)
{
	const uint32_t *classes = words + root - POLC_AUTOMATON_CLASSES;
	uint64_t bits = row_bits(words, root);
	uint32_t row = root;

	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)text[i];
		uint32_t class = classes[byte / 4] >> 8 * (byte % 4) & 0xff;
		uint32_t next = words[row + POLC_AUTOMATON_HEAD + class];

		row = next & ~POLC_AUTOMATON_ENDS;
		if (next & POLC_AUTOMATON_ENDS)
			bits |= row_bits(words, row);
	}
	return bits;
}
