/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a change of tracing policies does to calls. Entries that mean the same in both sets cancel,
 * whatever the names of policies; for the rest a call is looked for that the two sets
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
 * A call that is treated differently, and the entries that have to do with it. No two changes show
 * the same call, and every entry has at most one of each effect.
 */
struct polc_traced_change {
	enum polc_traced_effect effect;
	/* of what is on this hook all cases were tried: there is no other effect; false for
	 * UNSETTLED */
	bool settled;
	const char *hook;                   /* in the words of polc_call_make() */
	POLC_VEC(uint32_t) specs[2];        /* old, new: entries that the other set has not */
	const struct polc_call_fact *facts; /* the call, but for UNSETTLED: each set knows some */
	size_t n_facts;
	const char *call, *outcome[2]; /* as text */
};
struct polc_traced_changes { /* by effect, then by place of the first entry */
	POLC_VEC(struct polc_traced_change) list;
};

/* Borrows the sets; results live in polc's arena. */
void polc_traced_diff(
	struct polc *polc, const struct polc_traced_set sets[2], struct polc_traced_changes *out);

#endif
