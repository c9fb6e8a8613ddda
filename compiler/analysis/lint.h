/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lints: what is legal and probably not what its author means. Each has a code (base/codes.h), a
 * name derived from it, a default severity (lints.def) and a section in compiler/diagnostics.md
 * with a bad and a good example. They look at the syntax tree, the IR and the inventory; they need
 * neither clang nor a kernel.
 */
#ifndef POLC_LINT_H
#define POLC_LINT_H

#include "../frontend/reader.h"
#include "../ir/network.h"
#include "../ir/tracing.h"

/* What lints look at. `input` and everything in it as lowered; errors may have been reported. */
struct polc_lint_context {
	struct polc *polc;
	const struct polc_input *input;
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_tracing *tracing;
	const struct polc_tracing_options *tracing_options;
	const char *root;         /* --root: where binaries are looked up for symlinks; or NULL */
	const char *cluster_name; /* as given to lowering, or NULL */
	bool has_inventory;
};

/* All lints of network policies (lint_network*.c), then those of tracing policies
 * (lint_tracing*.c). */
void polc_lint(const struct polc_lint_context *context);
void polc_lint_network(const struct polc_lint_context *context);
void polc_lint_tracing(const struct polc_lint_context *context);

/* What a lint says nothing without. */
enum polc_lint_need {
	POLC_LINT_NEEDS_NOTHING,
	POLC_LINT_NEEDS_INVENTORY,
	POLC_LINT_NEEDS_TARGET,
	POLC_LINT_NEEDS_ROOT,
};
enum polc_lint_need polc_lint_needs(enum polc_code code);
/* Fills levels->defaults: the severity of lints (lints.def), and of what comes as a warning. */
void polc_lint_defaults(struct polc_levels *levels);

/*
 * Reports a lint at its default severity; the levels in polc (diagnostic.h) may change that or
 * switch it off. Never NULL: what is off is kept apart and not printed.
 */
struct polc_diagnostic *polc_lint_report(struct polc *polc, struct polc_span span,
	enum polc_code code, const char *fmt, ...) POLC_PRINTF(4, 5);

/*
 * Hides what comments for polc suppress (frontend/suppressions.h); call before
 * polc_diagnostics_settle(). With a context, comments that are wrong are reported, and, when
 * `complete` (all lints ran), those that hide nothing. Context may be NULL: nothing is reported.
 */
void polc_suppress(struct polc *polc, const struct polc_lint_context *context, bool complete);

#endif
