/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the files of the tracing front end, YAML and DSL; private to them. */
#ifndef POLC_TRACING_READ_H
#define POLC_TRACING_READ_H

#include "tracing_fields.h"

#define POLC_TRACING_API "cilium.io/v1alpha1"
#define POLC_EVENT_RATE "polc.dev/event-rate"

/* From YAML. The tree is as written, unchecked but for the types of fields. */
void polc_trace_read_hooks(struct polc *polc, struct polc_ast_tracing *policy,
	const struct polc_yaml *spec, enum polc_trace_section section);
/* False when it is no mapping. */
bool polc_trace_read_selector(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_trace_selector *out);
void polc_trace_read_actions(struct polc *polc, const struct polc_yaml *selector, const char *name,
	const char *path, polc_ast_trace_actions *out);
/* podSelector, containerSelector, hostSelector of a mapping. */
void polc_trace_read_workloads(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_workloads *out);

/*
 * The rules that no type of a field expresses, for both spellings. Brings words to the CRD's
 * spelling, puts filters in the order of their kinds (they are ANDed, and YAML knows no other
 * order) and drops, with a warning, what has no effect.
 */
void polc_trace_check(struct polc *polc, struct polc_ast_tracing *policy);
void polc_trace_check_selector(struct polc *polc, struct polc_ast_trace_selector *selector);
void polc_trace_check_action(struct polc *polc, struct polc_ast_trace_action *action);
/* "100/s burst 500 sample 10", with one blank between words; false (reported) when it is not. */
bool polc_trace_check_event_rate(struct polc *polc, struct polc_ast_text *rate);

/*
 * Replaces a text by the word of a list that it is, ignoring case; reports one that is none.
 * `aliases` are pairs {other spelling, word}, n of them, and may be NULL.
 */
struct polc_trace_words {
	const char *what; /* "operator" */
	const char *const *words;
	size_t n;
	const char *const (*aliases)[2];
	size_t n_aliases;
};
bool polc_trace_word(
	struct polc *polc, struct polc_ast_text *text, const struct polc_trace_words *words);
/* Does an operator of arguments take no values? */
bool polc_trace_operator_is_bare(const char *op);

bool polc_text_is(const struct polc_ast_text *text, const char *word);

#endif
