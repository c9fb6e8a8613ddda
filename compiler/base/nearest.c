/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Did you mean: edit distance (insert, delete, replace, swap of neighbours), blind to case so that
 * `apiversion` finds `apiVersion`.
 */
#include "base.h"

#include <string.h>

#define WORD_MAX 64

static unsigned char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : (unsigned char)c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned rows[3][WORD_MAX + 1]; /* this row and the two before it */

	for (unsigned j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= n_a; i++) {
		unsigned *row = rows[i % 3], *last = rows[(i + 2) % 3], *older = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= n_b; j++) {
			unsigned char x = lower(a[i - 1]), y = lower(b[j - 1]);

			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]))
				row[j] = least(row[j], older[j - 2] + 1);
		}
	}
	return rows[n_a % 3][n_b];
}

/* A third of the word may be wrong, but never more than three letters. */
const char *polc_nearest(const char *word, const char *const *names, size_t n)
{
	size_t length = strlen(word);
	unsigned best = (unsigned)least((unsigned)(length < WORD_MAX ? length : 0) / 3, 3) + 1;
	const char *nearest = NULL;

	if (!length || length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(names[i]);
		unsigned distance;

		if (other > WORD_MAX || other > length + 3 || length > other + 3)
			continue;
		distance = edit_distance(word, length, names[i], other);
		if (distance < best && distance < other) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}
