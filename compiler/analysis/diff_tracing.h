/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a change of tracing policies does to calls. Entries that mean the same in both sets cancel,
 * whatever the names and order of policies; for the rest a call is looked for that the two sets
 * treat differently. As in assertions (assert.h), what a decision depends on is said in every way
 * that matters: a call that is found is exact; that there is none is known only where all tests in
 * question are of simple kinds, and is else said not to be settled.
 */
#ifndef POLC_DIFF_TRACING_H
#define POLC_DIFF_TRACING_H

#include "call.h"

struct polc_traced_set {
	const struct polc_input *input;
	const struct polc_tracing *tracing;
};

enum polc_traced_effect {
	POLC_TRACED_WEAKER,    /* was stopped, passes now */
	POLC_TRACED_STRONGER,  /* passed, is stopped now */
	POLC_TRACED_ACTIONS,   /* other actions or events */
	POLC_TRACED_UNSETTLED, /* no such call was found, but not all cases could be told apart */
};

/*
 * An entry that is in one set only, and a call that is treated differently because of it. When one
 * call shows the change of an old entry and of a new one, they are one change: the entry changed.
 */
struct polc_traced_change {
	bool in[2]; /* old, new */
	uint32_t spec[2];
	enum polc_traced_effect effect;
	/* Not for UNSETTLED. Texts are arena-owned. */
	const char *call;
	const char *outcome[2];
};
struct polc_traced_changes {
	/* by effect, then by spec; at most one per entry and effect */
	POLC_VEC(struct polc_traced_change) list;
};

/* Owns nothing of the sets; results live in polc's arena. */
void polc_traced_diff(
	struct polc *polc, const struct polc_traced_set sets[2], struct polc_traced_changes *out);

#endif
