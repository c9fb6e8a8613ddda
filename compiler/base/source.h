/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Source files and places in them. A span is byte offsets; lines and columns are computed late. */
#ifndef POLC_SOURCE_H
#define POLC_SOURCE_H

#include "base.h"

struct polc_source {
	const char
		*path; /* as shown to the user and recorded in bundles: never absolute in those */
	const char *file; /* as it is opened, to write to it; NULL: none; not to be shown */
	const char *text; /* whole file, NUL-terminated, len bytes before the NUL */
	size_t len;
	const uint32_t *line_starts; /* byte offset of each line; built on first use */
	size_t n_lines;
};

/* Bytes [begin, end) of sources.items[source]; source 0 means "no place". */
struct polc_span {
	uint32_t source, begin, end;
};

struct polc_sources {
	POLC_VEC(struct polc_source) list; /* list.items[0] is a dummy */
};

struct polc_position {
	unsigned line, column; /* both from 1; column in bytes */
};

/* Adds a file; text is copied into the arena. Returns its source number (> 0). */
uint32_t polc_source_add(struct polc_arena *arena, struct polc_sources *sources, const char *path,
	const char *text, size_t len);
struct polc_position polc_source_position(
	struct polc_arena *arena, struct polc_sources *sources, uint32_t source, uint32_t offset);
const struct polc_source *polc_source_get(const struct polc_sources *sources, uint32_t source);
struct polc_span polc_span_join(struct polc_span a, struct polc_span b);

#endif
