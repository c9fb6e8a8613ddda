/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The list of intentional differences from Tetragon (trace_deltas.def). */
#ifndef POLC_TRACE_DELTAS_H
#define POLC_TRACE_DELTAS_H

#include <stddef.h>

struct polc_trace_difference {
	const char *id;       /* "T2", "P1" */
	const char *title;    /* a few words */
	const char *polc;     /* what polc does: a sentence */
	const char *tetragon; /* what Tetragon does: a verb and its objects */
};

extern const struct polc_trace_difference polc_trace_differences[];
extern const size_t polc_n_trace_differences;

/* NULL when there is none of that id. */
const struct polc_trace_difference *polc_trace_difference_find(const char *id);

#endif
