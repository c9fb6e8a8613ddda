/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Source files in memory, and lines and columns of byte offsets. Reads no files. */
#include "source.h"

#include <string.h>

uint32_t polc_source_add(struct polc_arena *arena, struct polc_sources *sources, const char *path,
	const char *text, size_t len)
{
	struct polc_source *source;

	if (len >= UINT32_MAX)
		POLC_BUG("source of %zu bytes", len);
	if (!sources->list.n)
		*polc_vec_push(arena, &sources->list) =
			(struct polc_source){.path = "", .text = ""};
	source = polc_vec_push(arena, &sources->list);
	*source = (struct polc_source){
		.path = polc_arena_strndup(arena, path, strlen(path)),
		.text = polc_arena_strndup(arena, text, len),
		.len = len,
	};
	return (uint32_t)(sources->list.n - 1);
}

const struct polc_source *polc_source_get(const struct polc_sources *sources, uint32_t source)
{
	if (source >= sources->list.n)
		POLC_BUG("no source %u", source);
	return &sources->list.items[source];
}

static void build_line_starts(struct polc_arena *arena, struct polc_source *source)
{
	const char *end = source->text + source->len, *p;
	uint32_t *starts;
	size_t n = 1;

	for (p = source->text; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	starts = POLC_NEW_ARRAY(arena, n, uint32_t);
	n = 1;
	for (p = source->text; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		starts[n++] = (uint32_t)(p + 1 - source->text);
	source->line_starts = starts;
	source->n_lines = n;
}

struct polc_position polc_source_position(
	struct polc_arena *arena, struct polc_sources *sources, uint32_t source, uint32_t offset)
{
	struct polc_source *s;
	size_t low = 0, high;

	if (!source)
		return (struct polc_position){1, 1};
	if (source >= sources->list.n)
		POLC_BUG("no source %u", source);
	s = &sources->list.items[source];
	if (!s->line_starts)
		build_line_starts(arena, s);
	if (offset > s->len)
		offset = (uint32_t)s->len;
	high = s->n_lines; /* line_starts[low] <= offset < line_starts[high] */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->line_starts[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return (struct polc_position){(unsigned)low + 1, offset - s->line_starts[low] + 1};
}

struct polc_span polc_span_join(struct polc_span a, struct polc_span b)
{
	if (!a.source)
		return b;
	if (a.source != b.source)
		return a;
	if (b.begin < a.begin)
		a.begin = b.begin;
	if (b.end > a.end)
		a.end = b.end;
	return a;
}
