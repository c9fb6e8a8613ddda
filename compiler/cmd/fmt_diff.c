/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Two texts as a unified diff: the lines that stay are a longest common subsequence. */
#include "fmt.h"

#include <string.h>

#define CONTEXT 3
/* A table with more cells than this is not made: what is between the equal ends is then replaced.
 */
#define CELLS_MAX ((size_t)16 << 20)

struct line {
	const char *text;
	size_t n;
};
typedef POLC_VEC(struct line) lines;

/* One line of the script: ' ', '-' or '+'. */
struct step {
	char sign;
	struct line line;
};
typedef POLC_VEC(struct step) script;

static void split(struct polc_arena *arena, const char *text, size_t n, lines *out)
{
	for (size_t at = 0; at < n;) {
		const char *newline = memchr(text + at, '\n', n - at);
		size_t len = newline ? (size_t)(newline - text) + 1 - at : n - at;

		*polc_vec_push(arena, out) = (struct line){text + at, len};
		at += len;
	}
}

static bool same(const struct line *a, const struct line *b)
{
	return a->n == b->n && !memcmp(a->text, b->text, a->n);
}

static void add(struct polc_arena *arena, script *out, char sign, const struct line *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*polc_vec_push(arena, out) = (struct step){sign, from[i]};
}

/* lengths[i * (m + 1) + j]: of the longest common subsequence of a[i..] and b[j..]. */
static const uint32_t *common(
	struct polc_arena *arena, const struct line *a, size_t n, const struct line *b, size_t m)
{
	uint32_t *lengths = POLC_NEW_ARRAY(arena, (n + 1) * (m + 1), uint32_t);

	for (size_t i = n; i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			const uint32_t *below = &lengths[(i + 1) * (m + 1) + j];
			uint32_t *here = &lengths[i * (m + 1) + j];

			if (same(&a[i], &b[j]))
				*here = below[1] + 1;
			else
				*here = below[0] > here[1] ? below[0] : here[1];
		}
	return lengths;
}

static void compare(struct polc_arena *arena, const struct line *a, size_t n, const struct line *b,
	size_t m, script *out)
{
	const uint32_t *lengths = NULL;
	size_t i = 0, j = 0;

	if ((n + 1) <= CELLS_MAX / (m + 1))
		lengths = common(arena, a, n, b, m);
	while (lengths && i < n && j < m) {
		if (same(&a[i], &b[j])) {
			add(arena, out, ' ', &a[i++], 1);
			j++;
		} else if (lengths[(i + 1) * (m + 1) + j] >= lengths[i * (m + 1) + j + 1]) {
			add(arena, out, '-', &a[i++], 1);
		} else {
			add(arena, out, '+', &b[j++], 1);
		}
	}
	add(arena, out, '-', a + i, n - i);
	add(arena, out, '+', b + j, m - j);
}

static void print_step(struct polc_buf *out, const struct step *step)
{
	polc_buf_add(out, &step->sign, 1);
	polc_buf_add(out, step->line.text, step->line.n);
	if (step->line.text[step->line.n - 1] != '\n')
		polc_buf_puts(out, "\n\\ No newline at end of file\n");
}

/* Begin and length as a hunk's header has them: an empty side begins a line earlier. */
static void print_side(struct polc_buf *out, char sign, size_t before, size_t n)
{
	polc_buf_printf(out, "%c%zu", sign, n ? before + 1 : before);
	if (n != 1)
		polc_buf_printf(out, ",%zu", n);
}

static void print_hunk(struct polc_buf *out, const script *all, size_t begin, size_t end)
{
	size_t before[2] = {0}, n[2] = {0};

	for (size_t i = 0; i < end; i++) {
		before[0] += i < begin && all->items[i].sign != '+';
		before[1] += i < begin && all->items[i].sign != '-';
		n[0] += i >= begin && all->items[i].sign != '+';
		n[1] += i >= begin && all->items[i].sign != '-';
	}
	polc_buf_puts(out, "@@ ");
	print_side(out, '-', before[0], n[0]);
	polc_buf_puts(out, " ");
	print_side(out, '+', before[1], n[1]);
	polc_buf_puts(out, " @@\n");
	for (size_t i = begin; i < end; i++)
		print_step(out, &all->items[i]);
}

/* From a change on: to where more than twice the context stays the same. */
static size_t hunk_end(const script *all, size_t at)
{
	size_t last = at;

	for (; at < all->n && at - last <= 2 * CONTEXT; at++)
		if (all->items[at].sign != ' ')
			last = at;
	at = last + 1 + CONTEXT;
	return at < all->n ? at : all->n;
}

void polc_fmt_diff(struct polc_arena *arena, const char *path, const char *before, size_t n_before,
	const char *after, size_t n_after, struct polc_buf *out)
{
	lines a = {0}, b = {0};
	size_t head = 0, tail = 0;
	script all = {0};

	split(arena, before, n_before, &a);
	split(arena, after, n_after, &b);
	while (head < a.n && head < b.n && same(&a.items[head], &b.items[head]))
		head++;
	while (tail < a.n - head && tail < b.n - head &&
		same(&a.items[a.n - 1 - tail], &b.items[b.n - 1 - tail]))
		tail++;
	add(arena, &all, ' ', a.items, head);
	compare(arena, a.items + head, a.n - head - tail, b.items + head, b.n - head - tail, &all);
	add(arena, &all, ' ', a.items + a.n - tail, tail);
	polc_buf_printf(out, "--- %s\n+++ %s\n", path, path);
	for (size_t at = 0; at < all.n; at++) {
		if (all.items[at].sign == ' ')
			continue;
		size_t end = hunk_end(&all, at);

		print_hunk(out, &all, at > CONTEXT ? at - CONTEXT : 0, end);
		at = end - 1;
	}
}
