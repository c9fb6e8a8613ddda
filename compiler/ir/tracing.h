/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tracing IR: what policies mean. One spec per entry of a section and function (a list of
 * functions makes one spec with several symbols); values parsed to their types; operators turned
 * into tests on values; macros expanded; what an operator cannot do on a type has been refused.
 * How it is carried out (mechanism, program, map) is the plan's business (backend/plan_tracing.h).
 * Immutable, arena-owned. Sets are sorted and without duplicates, so that two spellings are equal.
 */
#ifndef POLC_TRACING_H
#define POLC_TRACING_H

#include "../../runtime/trace_abi.h"
#include "../../runtime/workload.h"
#include "../frontend/reader.h"
#include "../frontend/tracing.h"
#include "target.h"

/* --- values --------------------------------------------------------------------------------------
 */

/* Where a value comes from, before `resolve`. */
enum polc_trace_origin {
	POLC_ORIGIN_ARGUMENT, /* number: parameter of the function, system call, raw tracepoint,
				 uprobe */
	POLC_ORIGIN_FIELD,    /* tracepoint: field */
	POLC_ORIGIN_RESULT,   /* the return value */
	POLC_ORIGIN_TASK,     /* current task_struct */
	POLC_ORIGIN_REGISTER, /* pt_regs: reg_offset, reg_size */
	POLC_ORIGIN_USDT,     /* number: argument of the probe */
};

struct polc_trace_value { /* an argument, a data entry or the return value of a spec */
	struct polc_span span;
	uint8_t type; /* enum polb_trace_type, never AUTO */
	enum polc_trace_origin origin;
	uint32_t number; /* as written in `index`: event shows it */
	const struct polc_tracepoint_field *field;
	uint32_t reg_offset, reg_size; /* offset in struct pt_regs of x86-64 */
	const struct polc_resolve_step *steps;
	size_t n_steps;
	/* What the targets' BTF all say about the origin; kind VOID when not known. With a POINTER
	 * to exactly the struct that `type` stands for, programs with typed arguments load
	 * directly. */
	struct polc_value_type c_type;
	bool typed;
	/* BYTES: where the size is */
	enum polc_size_from {
		POLC_SIZE_NONE,
		POLC_SIZE_ARGUMENT, /* size_argument */
		POLC_SIZE_RESULT,   /* returnCopy: the return value */
		POLC_SIZE_FIXED,    /* size_argument bytes (const_buf) */
	} size_from;
	uint32_t size_argument; /* position of the function's parameter, 0-based */
	bool return_copy;       /* captured at return; not usable in entry filters */
	bool max_data;          /* up to 327,360 bytes, in DATA events; else 4,095 */
	bool user_memory;       /* the pointer is a user one (system call, uprobe) */
	const char *label;      /* or NULL */
	bool failed;            /* reported: while lowering only, so that it is reported once */
};
typedef POLC_VEC(struct polc_trace_value) polc_trace_values;

/* --- tests ---------------------------------------------------------------------------------------
 */

struct polc_interval { /* inclusive, in the order of the value's type, mapped to unsigned:
				signed values are sign-extended to 64 bits and have bit 63 flipped
			*/
	uint64_t lo, hi;
};
typedef POLC_VEC(struct polc_interval) polc_intervals; /* sorted, disjoint, not adjacent */
struct polc_string {
	const char *bytes;
	size_t n;
};
typedef POLC_VEC(struct polc_string) polc_strings;  /* sorted, no duplicates */
typedef POLC_VEC(struct polb_prefix) polc_prefixes; /* sorted, none inside another */

/* How strings are compared. A test's strings are alternatives. */
enum polc_string_op {
	POLC_STRING_EQUAL,
	POLC_STRING_PREFIX,
	POLC_STRING_POSTFIX,
	POLC_STRING_SUBSTRING,
	POLC_STRING_SUBSTRING_FOLDED, /* ASCII case ignored; strings are lower case */
	POLC_N_STRING_OPS
};

enum polc_trace_test_kind {
	/* on a value; negate inverts a known result only */
	POLC_TEST_INTERVALS,   /* INT, CAPS: intervals contain the value */
	POLC_TEST_MASK,        /* INT, CAPS: value & mask != 0 (mask: union of the values) */
	POLC_TEST_STRING,      /* STRING, BYTES, PATH, UNIX */
	POLC_TEST_FILE_TYPE,   /* PATH: intervals over S_IFMT bits */
	POLC_TEST_ADDRESS,     /* NET: source or destination in prefixes */
	POLC_TEST_PORT,        /* NET: source or destination port in intervals */
	POLC_TEST_PROTOCOL,    /* NET: intervals */
	POLC_TEST_FAMILY,      /* NET, UNIX: intervals */
	POLC_TEST_STATE,       /* NET: intervals */
	POLC_TEST_CAPS_GAINED, /* value `other` has a bit that `value` has not */
	POLC_TEST_EXPRESSION,  /* CelExpr over values */
	/* on the process */
	POLC_TEST_PIDS,
	POLC_TEST_BINARY,
	POLC_TEST_NAMESPACE,
	POLC_TEST_NAMESPACE_CHANGES,
	POLC_TEST_CAPABILITIES,
	POLC_TEST_CAPABILITY_CHANGES,
	POLC_TEST_WORKLOAD,
};

/* What an unknown result (value unreadable, file without path, process unknown) means. */
enum polc_on_error { POLC_ON_ERROR_NO_MATCH, POLC_ON_ERROR_MATCH, POLC_ON_ERROR_DENY };

struct polc_expression { /* CelExpr, as a tree; integers of 64 bits or booleans */
	enum polc_expression_op {
		POLC_EXPR_VALUE, /* number: position in the spec's values */
		POLC_EXPR_CONSTANT,
		POLC_EXPR_ADD,
		POLC_EXPR_SUB,
		POLC_EXPR_NEG,
		POLC_EXPR_BIT_AND,
		POLC_EXPR_BIT_OR,
		POLC_EXPR_BIT_XOR,
		POLC_EXPR_BIT_NOT,
		POLC_EXPR_EQ,
		POLC_EXPR_NE,
		POLC_EXPR_LT,
		POLC_EXPR_LE,
		POLC_EXPR_GT,
		POLC_EXPR_GE,
		POLC_EXPR_AND,
		POLC_EXPR_OR,
		POLC_EXPR_NOT,
		POLC_EXPR_CAST, /* to width bytes, is_signed */
	} op;
	const struct polc_expression *left, *right;
	int64_t constant;
	uint32_t number;
	uint8_t width;  /* of the value, after casts */
	bool is_signed; /* of a comparison: how its operands of 64 bits compare */
};

/* A set of strings to be matched, shared by equal tests. */
struct polc_trace_test {
	enum polc_trace_test_kind kind;
	bool negate;
	enum polc_on_error on_error;
	struct polc_span span;
	uint32_t value; /* index into the spec's values */
	uint32_t other; /* CAPS_GAINED */
	polc_intervals intervals;
	uint64_t mask;
	enum polc_string_op string_op; /* STRING, BINARY */
	polc_strings strings;          /* STRING, BINARY */
	bool destination;              /* ADDRESS, PORT */
	polc_prefixes prefixes;        /* ADDRESS */
	const struct polc_expression *expression;
	/* PIDS */
	bool namespace_pid, follow_forks;
	polc_intervals pids;
	/* BINARY */
	bool parent, follow_children;
	/* NAMESPACE: type, inums (intervals) and host; NAMESPACE_CHANGES: mask of types */
	enum polb_namespace ns;
	bool host_namespace; /* the initial one is among the values */
	uint32_t ns_mask;
	/* CAPABILITIES, CAPABILITY_CHANGES: mask; which set */
	unsigned caps;                /* POLB_CAPS_* */
	bool in_other_user_namespace; /* isNamespaceCapability */
	/* WORKLOAD: index into the IR's workloads */
	uint32_t workload;
};

/* --- actions -------------------------------------------------------------------------------------
 */

enum polc_rate_scope { POLC_SCOPE_THREAD, POLC_SCOPE_PROCESS, POLC_SCOPE_GLOBAL };
struct polc_trace_action {
	enum polb_trace_action kind; /* SIGKILL is its own kind, not SIGNAL 9 */
	struct polc_span span;
	uint64_t rate_interval_ns; /* POST: 0 unlimited */
	enum polc_rate_scope rate_scope;
	bool kernel_stack, user_stack, ima_hash;
	int32_t error;   /* OVERRIDE, NOTIFY_ENFORCER: -4095..0 */
	uint32_t signal; /* SIGNAL, NOTIFY_ENFORCER */
	uint32_t value;  /* SET: argument number; TRACK_SOCK, UNTRACK_SOCK: index into values */
	uint32_t set_to;
	const char *text; /* GET_URL, DNS_LOOKUP */
	/* OVERRIDE of uprobes */
	struct polc_trace_register {
		uint32_t offset, size; /* in struct pt_regs */
		uint64_t constant;
		bool from_register;
		uint32_t source_offset;
		bool is_memory; /* the source register plus constant points at the value */
	} * registers;
	size_t n_registers;
	const char *new_symbol;
	uint64_t new_address, new_offset; /* new_offset: into the file */
	bool has_new_address, has_new_offset;
};
typedef POLC_VEC(struct polc_trace_action) polc_trace_actions;
typedef POLC_VEC(struct polc_trace_test) polc_trace_tests;

struct polc_trace_selector {
	uint32_t number; /* over all specs; counters */
	struct polc_span span;
	const char *label;
	polc_trace_tests tests;        /* all must hold; in the order of phases */
	polc_trace_tests return_tests; /* on the return value; only with has_return */
	polc_trace_actions actions;    /* POST is explicit here unless NO_POST: added */
	/* empty without matchReturnActions: the entry's Post holds for the merged event */
	polc_trace_actions return_actions;
	uint64_t action_mask, return_action_mask; /* bits of enum polb_trace_action */
};

/* --- specs and policies --------------------------------------------------------------------------
 */

struct polc_trace_symbol {
	const char *name; /* kernel symbol, LSM hook without security_, "subsystem/event", user
			     symbol */
	struct polc_syscall syscall; /* when spec->syscall */
	struct polc_span span;
	bool missing; /* not in any target and ignore.callNotFound: no program */
};
typedef POLC_VEC(struct polc_trace_symbol) polc_trace_symbols;

struct polc_trace_spec {
	uint32_t number; /* over all policies: in events */
	uint32_t policy;
	struct polc_span span;
	enum polc_trace_section section;
	bool raw;                   /* TRACEPOINT */
	bool syscall;               /* arguments are those of the system call */
	polc_trace_symbols symbols; /* at least one; lists have more */
	bool from_list;
	bool ignore_not_found;
	bool by_pattern; /* the list has functions that match */
	/* UPROBE, USDT */
	const char *path, *provider, *name;
	POLC_VEC(uint64_t) offsets; /* then symbols is empty; into the file, or addresses */
	bool offsets_are_addresses;
	POLC_VEC(uint64_t) ref_ctr_offsets;
	polc_strings digests;
	bool ignore_digest_failure;
	/* args, then data entries; the return value is last when has_return_value */
	polc_trace_values values;
	uint32_t n_args, n_data;
	bool has_return; /* the return is seen at all */
	bool has_return_value;
	enum polb_trace_action return_arg_action;       /* TRACK_SOCK, UNTRACK_SOCK; POST: none */
	POLC_VEC(struct polc_trace_selector) selectors; /* none: every call is posted */
	const char *message;                            /* or NULL */
	POLC_VEC(const char *) tags;
};

struct polc_trace_workload { /* distinct workload selectors of the set */
	const struct polc_ast_workloads *selectors;
	const char *namespace;               /* only pods of it; NULL: any */
	struct polb_workload_selector match; /* both, as they are decided by */
};

struct polc_trace_policy {
	uint32_t number;
	const char *name, *namespace;
	bool namespaced;
	struct polc_span span;
	enum polb_policy_mode mode; /* MONITOR_ONLY when nothing is enforced */
	bool has_workload;
	uint32_t workload; /* index into the IR's workloads, when has_workload */
	bool loader;
	uint32_t events_per_second, burst, sample; /* 0: unlimited */
	enum polc_override_method {
		POLC_OVERRIDE_AUTO,
		POLC_OVERRIDE_FMOD_RET,
		POLC_OVERRIDE_RETURN
	} override_method;
	/* system calls that NotifyEnforcer of this policy acts on */
	polc_trace_symbols enforcer_calls; /* syscall, or security_ function */
	uint32_t first_spec, n_specs;
};

/* Where polc does what the documentation means and Tetragon does something else. */
struct polc_trace_delta {
	struct polc_span span;
	const char *id;   /* "T2": number in the documentation of differences */
	const char *text; /* one line */
};

struct polc_tracing {
	const struct polc_trace_policy *policies; /* sorted by namespace, name */
	size_t n_policies;
	const struct polc_trace_spec *specs; /* by policy, then as written */
	size_t n_specs;
	const struct polc_trace_workload *workloads;
	size_t n_workloads;
	uint32_t n_selectors;
	const struct polc_trace_delta *deltas;
	size_t n_deltas;
	bool uses_loader;
};

struct polc_tracing_options {
	struct polc_target *const *targets; /* checked against all; none: nothing is known */
	size_t n_targets;
	/* when no target is given: used for `resolve`, `data` and tracepoint fields only; or NULL
	 */
	struct polc_target *fallback;
};

/* Lowers every tracing policy of the input; reports and leaves out what is wrong. Never NULL. */
const struct polc_tracing *polc_lower_tracing(struct polc *polc, const struct polc_input *input,
	const struct polc_tracing_options *options);
void polc_tracing_print(
	const struct polc_tracing *tracing, struct polc *polc, struct polc_buf *out);
/*
 * One spec with what its policy says about all of them, but without names and numbers: equal texts
 * mean the same.
 */
void polc_trace_spec_print(const struct polc_tracing *tracing, const struct polc_trace_spec *spec,
	struct polc_buf *out);
void polc_trace_test_print(const struct polc_tracing *tracing, const struct polc_trace_spec *spec,
	const struct polc_trace_test *test, struct polc_buf *out);
/* "kprobe cap_capable", "syscall openat and 3 more": as messages name it. */
const char *polc_trace_spec_text(struct polc_arena *arena, const struct polc_trace_spec *spec);
void polc_tracing_verify(const struct polc_tracing *tracing); /* POLC_BUG on a broken invariant */

/* An LSM hook of which imaHash can be had; NULL: it is none. */
struct polc_ima_hook {
	const char *name;
	bool is_binprm; /* its first parameter: else a file */
};
const struct polc_ima_hook *polc_ima_hook(const char *name);
bool polc_trace_takes_hash(const struct polc_trace_selector *selector);

#define POLC_NO_SELECTOR UINT32_MAX
/* Facts about types. */
const char *polc_trace_type_name(uint8_t type);
enum polb_trace_class polc_trace_type_class(uint8_t type);
unsigned polc_trace_type_width(uint8_t type); /* bytes compared */
bool polc_trace_type_signed(uint8_t type);

#endif
