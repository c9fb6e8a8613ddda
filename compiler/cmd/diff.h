/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between the files of `polc diff`: the two sets, what changes between them, how that is printed.
 */
#ifndef POLC_DIFF_H
#define POLC_DIFF_H

#include "../analysis/diff_tracing.h"
#include "../analysis/reach.h"
#include "cmd.h"

/* OLD or NEW: a set of policies of its own, with diagnostics of its own. */
struct polc_diff_side {
	struct polc_cmd cmd; /* its only operand is where the set is from */
	const char *name;    /* as on the command line */
	void *bundle;        /* malloc'd bytes of a bundle that it was read from, or NULL */
};
/*
 * Reads and lowers what `cmd`'s operand names: a file or directory, a bundle, "REV:PATH" of git, or
 * /dev/null (no policy). cmd's options are taken over from `options`. An exit code; messages of the
 * environment were printed, diagnostics not.
 */
int polc_diff_side_load(
	struct polc_diff_side *side, const char *name, const struct polc_cmd *options);
void polc_diff_side_free(struct polc_diff_side *side);

struct polc_diff {
	struct polc *polc;            /* owns what is made here */
	struct polc_diff_side *sides; /* two */
	struct polc_changes network;
	struct polc_traced_changes tracing;
	bool programs; /* new ones are needed */
};

void polc_diff_print_text(struct polc_diff *diff, FILE *out);
void polc_diff_print_json(struct polc_diff *diff, FILE *out);

#endif
