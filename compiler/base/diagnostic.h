/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Diagnostics about the user's input, and the context every compiler function takes. Reporting
 * never stops the caller: go on, and look at polc_errors() at the end of a phase.
 */
#ifndef POLC_DIAGNOSTIC_H
#define POLC_DIAGNOSTIC_H

#include "codes.h"
#include "source.h"

enum polc_severity { POLC_ERROR, POLC_WARNING, POLC_NOTE };

struct polc_related {
	struct polc_span span;
	const char *message;
};

struct polc_diagnostic {
	enum polc_severity severity;
	enum polc_code code;
	struct polc_span span;
	const char *message;    /* lower case, no full stop */
	const char *suggestion; /* "did you mean ..." or NULL */
	struct polc_related related[3];
	unsigned n_related;
};

struct polc {
	struct polc_arena arena;
	struct polc_sources sources;
	POLC_VEC(struct polc_diagnostic *) diagnostics;
	unsigned n_errors, n_warnings;
};

void polc_init(struct polc *polc);
void polc_free(struct polc *polc);

/* Report; the returned diagnostic may be given related places and a suggestion. Never NULL. */
struct polc_diagnostic *polc_error(struct polc *polc, struct polc_span span, enum polc_code code,
	const char *fmt, ...) POLC_PRINTF(4, 5);
struct polc_diagnostic *polc_warn(struct polc *polc, struct polc_span span, enum polc_code code,
	const char *fmt, ...) POLC_PRINTF(4, 5);
void polc_diagnostic_relate(struct polc *polc, struct polc_diagnostic *d, struct polc_span span,
	const char *fmt, ...) POLC_PRINTF(4, 5);
void polc_diagnostic_suggest(struct polc *polc, struct polc_diagnostic *d, const char *fmt, ...)
	POLC_PRINTF(3, 4);

/* "polc: message" on stderr about the environment (no place): missing file, no clang, ... */
void polc_environment_error(const char *fmt, ...) POLC_PRINTF(1, 2);

/*
 * Print all diagnostics sorted by file and place: text with source line and carets, or one JSON
 * document (a list of objects). Colour only when `colour`.
 */
void polc_diagnostics_print_text(struct polc *polc, FILE *out, bool colour);
void polc_diagnostics_print_json(struct polc *polc, FILE *out);

#endif
