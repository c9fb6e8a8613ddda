/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where polc does what the documentation of tracing policies means and Tetragon does something
 * else: the table of differences, and those that concern the policies of a run.
 */
#include <string.h>

#include "lower_tracing.h"
#include "trace_deltas.h"

const struct polc_trace_difference polc_trace_differences[] = {
#define X(id, title, polc, tetragon) {#id, title, polc, tetragon},
#include "trace_deltas.def"
#undef X
};
const size_t polc_n_trace_differences = POLC_ARRAY_SIZE(polc_trace_differences);

const struct polc_trace_difference *polc_trace_difference_find(const char *id)
{
	for (size_t i = 0; i < polc_n_trace_differences; i++)
		if (!strcmp(polc_trace_differences[i].id, id))
			return &polc_trace_differences[i];
	return NULL;
}

void polc_trace_delta(struct polc_trace_lowering *l, struct polc_span span, const char *id)
{
	const struct polc_trace_difference *known = polc_trace_difference_find(id);
	struct polc_arena *arena = &l->polc->arena;

	for (size_t j = l->first_delta; j < l->deltas.n; j++)
		if (!strcmp(l->deltas.items[j].id, id))
			return;
	if (!known)
		POLC_BUG("no text for the difference %s", id);
	*polc_vec_push(arena, &l->deltas) = (struct polc_trace_delta){span, known->id,
		polc_arena_printf(arena, "%s; Tetragon %s", known->polc, known->tetragon)};
}
