/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Shared by the files that lower tracing policies: the state of one run, parsers of values, facts
 * about types. Private to ir/, but for the parsers, which read described calls too
 * (analysis/call_words.c). Every function that takes a lowering or a scope reports what is
 * wrong itself, at the word that is wrong, and goes on.
 */
#ifndef POLC_LOWER_TRACING_H
#define POLC_LOWER_TRACING_H

#include "tracing.h"

/* --- facts about types (trace_types.c) -----------------------------------------------------------
 */

enum polc_type_fit { POLC_FITS, POLC_FITS_WIDTH, POLC_FITS_NOT };

bool polc_trace_type_parse(const char *text, uint8_t *out);
const char *polc_trace_type_nearest(const char *text); /* or NULL */
/* Name of the struct that the type is a pointer to, or NULL. */
const char *polc_trace_type_struct(uint8_t type);
/* The C type is a pointer to exactly that struct. */
bool polc_trace_type_exact(uint8_t type, const struct polc_value_type *c);
/* Whether a value of this C type can be read as `type`; WIDTH: an integer that is shorter. */
enum polc_type_fit polc_trace_type_fits(uint8_t type, const struct polc_value_type *c);
/* The type for `auto`; POLB_TYPE_AUTO when there is none. */
uint8_t polc_trace_type_of(const struct polc_value_type *c);
const char *polc_value_type_text(struct polc_arena *arena, const struct polc_value_type *c);

/* --- parsers (trace_values.c): none reports ------------------------------------------------------
 */

enum polc_parsed { POLC_PARSED, POLC_PARSED_NOT, POLC_PARSED_RANGE };

/*
 * An integer in base 0 (0x, 0b, 0o, leading 0: octal) of `width` bytes, sign-extended to 64 bits
 * when signed. RANGE: a number, but not of that width and sign.
 */
enum polc_parsed polc_parse_integer(
	const char *text, size_t n, unsigned width, bool is_signed, uint64_t *out);
/* "CAP_SYS_ADMIN", "SYS_ADMIN" too when loose. */
bool polc_parse_capability(const char *text, size_t n, unsigned *out);
const char *polc_capability_name(unsigned capability); /* "CAP_...", or NULL */
/* "CAP_A,CAP_B", a number, or one name: a mask. */
enum polc_parsed polc_parse_capabilities(const char *text, size_t n, uint64_t *out);
bool polc_parse_family(const char *text, size_t n, unsigned *out);
bool polc_parse_ip_protocol(const char *text, size_t n, unsigned *out);
bool polc_parse_tcp_state(const char *text, size_t n, unsigned *out);
bool polc_parse_file_type(const char *text, size_t n, unsigned *out);
/* A register of x86-64 by any of its names: offset in struct pt_regs and size in bytes. */
bool polc_parse_register(const char *text, size_t n, uint32_t *offset, uint32_t *size);
const char *polc_register_name(uint32_t offset, uint32_t size);
bool polc_parse_namespace(const char *text, enum polb_namespace *out);
/* "5", "5s", "10m", "1h" */
bool polc_parse_interval_ns(const char *text, uint64_t *out);
/* "rax=0x11", "rdi=%rsi", "rbp=8%rax", "rsp=-8(%rbp)"; false and *at: how far it was understood. */
bool polc_parse_assignment(const char *text, struct polc_trace_register *out, size_t *at);

/* Position of a value in the order of intervals. */
uint64_t polc_interval_key(uint64_t value, bool is_signed);
/* Least and greatest key of a type of `width` bytes. */
struct polc_interval polc_interval_domain(unsigned width, bool is_signed);
void polc_intervals_add(
	struct polc_arena *arena, polc_intervals *set, struct polc_interval interval);
/* Sorts, merges what overlaps or touches. */
void polc_intervals_normalise(polc_intervals *set);
void polc_strings_normalise(polc_strings *set);
void polc_prefixes_normalise(polc_prefixes *set);

/* --- the state of a run --------------------------------------------------------------------------
 */

struct polc_trace_lowering {
	struct polc *polc;
	const struct polc_input *input;
	const struct polc_tracing_options *options;
	POLC_VEC(struct polc_trace_policy) policies;
	POLC_VEC(struct polc_trace_spec) specs;
	POLC_VEC(struct polc_trace_workload) workloads;
	POLC_VEC(const char *) workload_keys;
	POLC_VEC(struct polc_trace_delta) deltas;
	uint32_t n_selectors;
	size_t first_delta; /* of the current spec */
	bool uses_loader;
	/* of the current policy */
	const struct polc_ast_tracing *ast;
	struct polc_trace_policy policy;
	bool one_program;      /* Tetragon would make one program of all kprobes (T1) */
	unsigned earlier_maps; /* MAP_* that earlier hooks of this policy use */
	bool enforces;
};

/* Prototype of one symbol on one target. */
struct polc_trace_prototype {
	const char *target; /* or NULL: built in */
	const struct polc_target *handle;
	const char *symbol;
	struct polc_function_type type;
};

/* One hook of the current policy while its spec is being built. */
struct polc_trace_scope {
	struct polc_trace_lowering *l;
	const struct polc_ast_hook *hook;
	struct polc_trace_spec spec;
	POLC_VEC(struct polc_trace_prototype) prototypes;
	bool prototypes_certain; /* they are of targets, not of the fallback */
	const struct polc_tracepoint_field *fields;
	size_t n_fields;
	unsigned maps; /* MAP_* used (T1) */
};

/* Kinds of maps that Tetragon numbers per hook but shares in one program (T1). */
enum {
	POLC_MAP_VALUES = 1, /* InMap, ports, protocols, families, states */
	POLC_MAP_ADDRESSES = 2,
	POLC_MAP_BINARIES = 4,
	POLC_MAP_SUBSTRINGS = 8,
};

/* Records a difference, once per spec and number; the text belongs to the number. */
void polc_trace_delta(struct polc_trace_lowering *l, struct polc_span span, const char *id);

/* Targets that types are taken from: those given, else the fallback. */
size_t polc_trace_type_targets(const struct polc_trace_lowering *l);
const struct polc_target *polc_trace_type_target(const struct polc_trace_lowering *l, size_t i);

/* lower_trace_symbols.c: lists, symbols, what targets know of them */
bool polc_trace_is_list(const struct polc_ast_text *text); /* "list:NAME" */
/* Reports and returns NULL when there is none. */
const struct polc_ast_list *polc_trace_find_list(
	struct polc_trace_lowering *l, const struct polc_ast_text *reference);
bool polc_trace_list_has_syscalls(const struct polc_ast_list *list);
/* Entries of a list with a type; one without means what its user makes of it. */
void polc_trace_list_symbols(
	struct polc_trace_lowering *l, const struct polc_ast_list *list, polc_trace_symbols *out);
void polc_trace_check_lists(struct polc_trace_lowering *l);
void polc_trace_lower_symbols(struct polc_trace_scope *scope);
void polc_trace_lower_enforcers(struct polc_trace_lowering *l);

/* lower_trace_origins.c: what each target says about where a value comes from */
struct polc_trace_source {
	const struct polc_target *handle; /* NULL: built in */
	const char *where;                /* "'vfs_read' of target 'x'" */
	struct polc_value_type type;
};
typedef POLC_VEC(struct polc_trace_source) polc_trace_origins;
bool polc_trace_syscall_tracepoint(const struct polc_trace_scope *scope);
bool polc_trace_has_prototypes(const struct polc_ast_hook *hook);
void polc_trace_find_prototypes(struct polc_trace_scope *scope);
void polc_trace_find_fields(struct polc_trace_scope *scope);
unsigned polc_trace_argument_limit(const struct polc_trace_scope *scope); /* parameters + 1 */
void polc_trace_add_origin(struct polc_trace_scope *scope, polc_trace_origins *out,
	const struct polc_trace_prototype *prototype, const struct polc_value_type *type);
/* These report and return false when there is no such value. */
bool polc_trace_argument_origins(struct polc_trace_scope *scope,
	const struct polc_ast_trace_arg *arg, polc_trace_origins *out);
bool polc_trace_field_origin(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value, polc_trace_origins *out);
bool polc_trace_task_origins(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	polc_trace_origins *out);

/* lower_trace_values.c */
void polc_trace_lower_values(struct polc_trace_scope *scope);
/* Index into the spec's values of an `index` as it is written in filters and actions; false when
 * there is none (reported). */
bool polc_trace_find_argument(struct polc_trace_scope *scope, const struct polc_ast_number *index,
	struct polc_span span, uint32_t *out);

/* lower_trace_tests.c */
bool polc_trace_read_on_error(
	struct polc *polc, const struct polc_ast_filter *filter, enum polc_on_error *out);
bool polc_trace_lower_value_test(struct polc_trace_scope *scope,
	const struct polc_ast_filter *filter, struct polc_trace_test *out);

/* Whether programs can compare a text of that length (reported when not). */
bool polc_trace_check_length(struct polc *polc, struct polc_span span, const struct polc_string *s,
	enum polc_string_op op);

/* lower_trace_process.c: appends one test, or several (all must hold) */
void polc_trace_lower_process_test(struct polc_trace_scope *scope,
	const struct polc_ast_filter *filter, struct polc_trace_selector *out);
/* Index of an equal workload selector of the run. */
uint32_t polc_trace_workload(struct polc_trace_lowering *l, const struct polc_ast_workloads *w);

/* lower_trace_actions.c */
void polc_trace_lower_actions(struct polc_trace_scope *scope,
	const struct polc_ast_trace_selector *selector, struct polc_trace_selector *out);
bool polc_trace_mask_enforces(uint64_t action_mask);

/* cel.c: the boolean expression of a CelExpr filter over the spec's args; NULL when reported. */
const struct polc_expression *polc_trace_expression(
	struct polc *polc, const struct polc_ast_text *text, const struct polc_trace_spec *spec);

#endif
