/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between the files of the lints of tracing policies. */
#ifndef POLC_LINT_TRACING_H
#define POLC_LINT_TRACING_H

#include "lint.h"

struct polc_tracing_lint {
	struct polc *polc;
	const struct polc_tracing *tracing;
	const char *root; /* or NULL */
	/* what is being looked at */
	const struct polc_trace_policy *policy;
	const struct polc_trace_spec *spec;
	const struct polc_trace_selector *selector;
};

/* Does the policy apply to any process of the inventory? */
void polc_lint_trace_workload(
	const struct polc_tracing_lint *l, const struct polc_lint_context *context);
/* What `path` leads to in the file system below `root`; NULL when there is
 * nothing. */
const char *polc_lint_real_path(struct polc_arena *arena, const char *root, const char *path);

#endif
