/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Diagnostics about the user's input, and the context every compiler function takes. Reporting
 * never stops the caller: go on, and look at polc_errors() at the end of a phase.
 */
#ifndef POLC_DIAGNOSTIC_H
#define POLC_DIAGNOSTIC_H

#include "codes.h"
#include "source.h"

enum polc_severity { POLC_ERROR, POLC_WARNING, POLC_NOTE, POLC_OFF /* not shown */ };

struct polc_related {
	struct polc_span span;
	const char *message;
};
struct polc_edit {
	struct polc_span span; /* empty: an insertion */
	const char *replacement;
};

struct polc_diagnostic {
	enum polc_severity severity;
	enum polc_code code;
	struct polc_span span;
	const char *message;    /* lower case, no full stop */
	const char *suggestion; /* "did you mean ..." or NULL */
	struct polc_related related[3];
	unsigned n_related;
	/* A change that certainly mends it: all edits together. No title: none. */
	const char *fix;
	struct polc_edit edits[4];
	unsigned n_edits;
	bool adjustable;        /* a warning or a lint: levels and comments may change it */
	const char *suppressed; /* the reason that a comment gives for hiding it, or NULL */
};

/*
 * What becomes of warnings and lints, by code. `of` is what the user says, `defaults` what applies
 * else; both hold a severity + 1, or 0: nothing said, and in `defaults`: always an error.
 */
#define POLC_CODES_END 2000
struct polc_levels {
	uint8_t of[POLC_CODES_END], defaults[POLC_CODES_END];
	bool all; /* -Wall: what is off by default is a note */
};

struct polc {
	struct polc_arena arena;
	struct polc_sources sources;
	POLC_VEC(struct polc_diagnostic *) diagnostics;
	unsigned n_errors, n_warnings;
	unsigned n_dropped;               /* reported after too many others */
	const struct polc_levels *levels; /* or NULL: as reported */
};

void polc_init(struct polc *polc);
void polc_free(struct polc *polc);

/* Report; the returned diagnostic may be given related places and a suggestion. Never NULL. */
struct polc_diagnostic *polc_error(struct polc *polc, struct polc_span span, enum polc_code code,
	const char *fmt, ...) POLC_PRINTF(4, 5);
struct polc_diagnostic *polc_warn(struct polc *polc, struct polc_span span, enum polc_code code,
	const char *fmt, ...) POLC_PRINTF(4, 5);
struct polc_diagnostic *polc_report(struct polc *polc, enum polc_severity severity,
	struct polc_span span, enum polc_code code, const char *message);
void polc_diagnostic_relate(struct polc *polc, struct polc_diagnostic *d, struct polc_span span,
	const char *fmt, ...) POLC_PRINTF(4, 5);
void polc_diagnostic_suggest(struct polc *polc, struct polc_diagnostic *d, const char *fmt, ...)
	POLC_PRINTF(3, 4);

/* The fix of a diagnostic: its title, then its edits; one edit too many drops the fix. */
void polc_diagnostic_fix(struct polc *polc, struct polc_diagnostic *d, const char *fmt, ...)
	POLC_PRINTF(3, 4);
void polc_diagnostic_edit(struct polc *polc, struct polc_diagnostic *d, struct polc_span span,
	const char *fmt, ...) POLC_PRINTF(4, 5);
/* The fix that puts `text` in the place of what the diagnostic points at. */
void polc_diagnostic_replace(struct polc *polc, struct polc_diagnostic *d, const char *text);
/* Suggests `did you mean "text"?`, with that fix. */
void polc_diagnostic_did_you_mean(struct polc *polc, struct polc_diagnostic *d, const char *text);

const char *polc_severity_name(enum polc_severity severity);
/* "unknown-field" of POLC_CODE_UNKNOWN_FIELD; NULL for no code. */
const char *polc_code_name(enum polc_code code);
/* Of a name, or "POLC0302"; 0 when there is none, with the nearest name in *near (or NULL). */
enum polc_code polc_code_find(const char *name, const char **near);

/* What levels make of a diagnostic of this code that was reported with this severity. */
enum polc_severity polc_level(
	const struct polc *polc, enum polc_code code, enum polc_severity severity);
/* Is it worth computing a lint? */
bool polc_level_wanted(const struct polc *polc, enum polc_code code);
/*
 * Applies levels and suppressions to what was reported; n_errors and n_warnings then count what is
 * shown. Call once, after everything was reported; without it all is shown as reported. Without
 * `raise` levels make no errors: for commands that do not judge.
 */
void polc_diagnostics_settle(struct polc *polc, bool raise);
static inline bool polc_diagnostic_shown(const struct polc_diagnostic *d)
{
	return d->severity != POLC_OFF && !d->suppressed;
}

/* "polc: message" on stderr about the environment (no place): missing file, no clang, ... */
void polc_environment_error(const char *fmt, ...) POLC_PRINTF(1, 2);

/*
 * Print all diagnostics sorted by file and place: text with source line and carets, or one JSON
 * document (a list of objects). Colour only when `colour`.
 */
void polc_diagnostics_print_text(struct polc *polc, FILE *out, bool colour);
void polc_diagnostics_print_json(struct polc *polc, FILE *out);
/* SARIF 2.1.0: one run, with what comments suppress. `version`: of polc. */
void polc_diagnostics_print_sarif(struct polc *polc, const char *version, FILE *out);

/* Diagnostics by place, then in the order of report; repetitions and what is off left out. */
const struct polc_diagnostic *const *polc_diagnostics_sorted(struct polc *polc, size_t *n);

#endif
