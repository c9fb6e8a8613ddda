/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The fields of tracing policies as tables: one per kind of mapping, which the YAML reader, the
 * YAML printer and the checks of the DSL all go by. Private to the tracing front end.
 */
#ifndef POLC_TRACING_FIELDS_H
#define POLC_TRACING_FIELDS_H

#include "fields.h"
#include "tracing.h"

enum polc_trace_field_kind {
	POLC_TRACE_TEXT,     /* polc_ast_text: a string; an empty one is as good as none */
	POLC_TRACE_SCALAR,   /* the same, unquoted numbers too */
	POLC_TRACE_TEXTS,    /* polc_ast_texts: strings */
	POLC_TRACE_VALUES,   /* polc_ast_texts: strings that may hold NULs, unquoted numbers too */
	POLC_TRACE_INTEGERS, /* polc_ast_texts: whole numbers without quotes, in any base */
	POLC_TRACE_NUMBER,   /* polc_ast_number, decimal or 0x */
	POLC_TRACE_ADDRESS,  /* polc_ast_number, printed as 0x */
	POLC_TRACE_NUMBERS,  /* POLC_VEC(polc_ast_number) */
	POLC_TRACE_BOOL,     /* bool */
	POLC_TRACE_NODE,     /* read and printed by whoever knows what is below */
};

struct polc_trace_field {
	const char *name;
	enum polc_trace_field_kind kind;
	enum polc_field_need need;
	size_t offset;
	const char *unwritten; /* TEXT: what an absent field means, or NULL */
	int64_t min, max;      /* NUMBER, ADDRESS, NUMBERS */
};

struct polc_trace_table {
	const char *what; /* for messages */
	const struct polc_trace_field *fields;
	size_t n;
};

extern const struct polc_trace_table polc_trace_hook_tables[POLC_N_SECTIONS];
extern const struct polc_trace_table polc_trace_filter_tables[POLC_N_FILTERS];
extern const struct polc_trace_table polc_trace_arg_table;
extern const struct polc_trace_table polc_trace_action_table;
extern const struct polc_trace_table polc_trace_list_table;
extern const struct polc_trace_table polc_trace_option_table;
extern const struct polc_trace_table polc_trace_selector_table;

extern const char *const polc_trace_section_names[POLC_N_SECTIONS];
extern const char *const polc_trace_filter_names[POLC_N_FILTERS];

const struct polc_trace_field *polc_trace_field_find(
	const struct polc_trace_table *table, const char *name);

/*
 * Fills `out` from a mapping. Fields that are null are left out with a warning; unknown ones, wrong
 * types and missing required ones are errors. False when the node is no mapping.
 */
bool polc_trace_fields_read(struct polc *polc, const struct polc_yaml *node, const char *path,
	const struct polc_trace_table *table, void *out);
/* What a NODE field holds; NULL when it is absent or null. */
const struct polc_yaml *polc_trace_child(const struct polc_yaml *node, const char *name);
/* The same for one that must be a list; NULL (reported) when it is something else. */
const struct polc_yaml *polc_trace_list(
	struct polc *polc, const struct polc_yaml *node, const char *name, const char *path);

#endif
