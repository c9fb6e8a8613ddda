/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The syntax tree of tracing policies: what was written, with spans, checked against the schema
 * (known fields, types of fields, words of enumerations, counts; the CRD's and its CEL rules) but
 * not yet understood: ir/lower_tracing*.c does that. YAML and the DSL build the same tree.
 * Everything is arena-owned and constant once built. Defaults of the CRD are filled in here
 * (`*_written` says what was there).
 */
#ifndef POLC_FRONTEND_TRACING_H
#define POLC_FRONTEND_TRACING_H

#include "../../runtime/trace_abi.h"
#include "ast.h"

/* A word as written; n counts embedded NULs, text[n] is NUL. Absent: text is NULL. */
struct polc_ast_text {
	const char *text;
	size_t n;
	struct polc_span span;
};
typedef POLC_VEC(struct polc_ast_text) polc_ast_texts;
struct polc_ast_number {
	int64_t value;
	bool written;
	struct polc_span span;
};
typedef POLC_VEC(struct polc_ast_number) polc_ast_numbers;

/* args[], data[], returnArg */
struct polc_ast_trace_arg {
	struct polc_ast_number index; /* 0 when unwritten */
	struct polc_ast_text type;    /* "auto" when unwritten (CRD) */
	struct polc_ast_text resolve, btf_type, btf_module, label, source;
	struct polc_ast_number size_arg_index, max_data;
	bool return_copy, is_max_data; /* maxData is a bool in the CRD */
	struct polc_span span;
};
typedef POLC_VEC(struct polc_ast_trace_arg) polc_ast_trace_args;

/* The kinds of filters of a selector. X(enumerator, field) */
#define POLC_TRACE_FILTERS(X)                                                                      \
	X(ARGS, "matchArgs")                                                                       \
	X(DATA, "matchData")                                                                       \
	X(RETURN_ARGS, "matchReturnArgs")                                                          \
	X(PIDS, "matchPIDs")                                                                       \
	X(BINARIES, "matchBinaries")                                                               \
	X(PARENT_BINARIES, "matchParentBinaries")                                                  \
	X(NAMESPACES, "matchNamespaces")                                                           \
	X(NAMESPACE_CHANGES, "matchNamespaceChanges")                                              \
	X(CAPABILITIES, "matchCapabilities")                                                       \
	X(CAPABILITY_CHANGES, "matchCapabilityChanges")                                            \
	X(WORKLOADS, "matchWorkloads")
enum polc_trace_filter_kind {
#define X(name, field) POLC_FILTER_##name,
	POLC_TRACE_FILTERS(X)
#undef X
		POLC_N_FILTERS
};

/* podSelector, containerSelector, hostSelector: of a policy or of matchWorkloads. */
struct polc_ast_workloads {
	const struct polc_ast_selector *pods, *containers; /* NULL: absent */
	bool host;                                         /* hostSelector: {} */
	struct polc_span span;
};

struct polc_ast_filter { /* one list entry */
	enum polc_trace_filter_kind kind;
	struct polc_span span;
	struct polc_ast_text op; /* the operator's word */
	polc_ast_texts values;   /* numbers too, as written */
	/* ARGS, DATA, RETURN_ARGS */
	struct polc_ast_number index; /* when written */
	polc_ast_numbers args;
	/* PIDS */
	bool is_namespace_pid, follow_forks;
	/* BINARIES, PARENT_BINARIES */
	bool follow_children;
	/* NAMESPACES: "Pid"; CAPABILITIES, CAPABILITY_CHANGES: "Effective" when unwritten */
	struct polc_ast_text type;
	bool is_namespace_capability;
	/* WORKLOADS */
	struct polc_ast_workloads workloads;
	/* polc's own, reference T11: what an unreadable value means: "match", "nomatch" (default),
	 * "deny" */
	struct polc_ast_text on_error;
};

struct polc_ast_trace_action {
	struct polc_span span;
	struct polc_ast_text action;
	struct polc_ast_text url, fqdn;              /* argUrl, argFqdn */
	struct polc_ast_text rate_limit, rate_scope; /* as written: "5m", "process" */
	struct polc_ast_number error, signal, sock, index,
		value; /* argError, argSig, argSock, argIndex, argValue */
	bool kernel_stack, user_stack, ima_hash;
	polc_ast_texts registers;                       /* argRegs */
	struct polc_ast_text new_symbol;                /* argNewSymbol */
	struct polc_ast_number new_address, new_offset; /* argNewAddr, argNewOffset */
};
typedef POLC_VEC(struct polc_ast_trace_action) polc_ast_trace_actions;

struct polc_ast_trace_selector {
	struct polc_span span;
	struct polc_ast_text label;
	polc_ast_texts macros;
	POLC_VEC(struct polc_ast_filter) filters; /* in order of their kinds, then as written */
	polc_ast_trace_actions actions;
	polc_ast_trace_actions return_actions;
};

/* X(enumerator, section) */
#define POLC_TRACE_SECTIONS(X)                                                                     \
	X(KPROBE, "kprobes")                                                                       \
	X(FENTRY, "fentries")                                                                      \
	X(TRACEPOINT, "tracepoints")                                                               \
	X(LSM, "lsmhooks")                                                                         \
	X(UPROBE, "uprobes")                                                                       \
	X(USDT, "usdts")
enum polc_trace_section {
#define X(name, section) POLC_SECTION_##name,
	POLC_TRACE_SECTIONS(X)
#undef X
		POLC_N_SECTIONS
};

struct polc_ast_hook { /* one entry of a section */
	enum polc_trace_section section;
	struct polc_span span;
	/* KPROBE, FENTRY: call. LSM: hook. TRACEPOINT: subsystem and event. USDT: provider, name.
	 */
	struct polc_ast_text call, subsystem, event, provider, name;
	bool raw;     /* TRACEPOINT */
	bool syscall; /* KPROBE, FENTRY: true when unwritten (CRD) */
	bool syscall_written;
	bool has_return;
	/* UPROBE, USDT */
	struct polc_ast_text path, btf_path;
	polc_ast_texts symbols, offsets, addresses, ref_ctr_offsets, digests;
	polc_ast_trace_args args;
	polc_ast_trace_args data;
	const struct polc_ast_trace_arg *return_arg; /* or NULL */
	struct polc_ast_text return_arg_action;
	POLC_VEC(struct polc_ast_trace_selector) selectors;
	struct polc_ast_text message;
	polc_ast_texts tags;
	bool ignore_call_not_found, ignore_digest_failure;
};

struct polc_ast_list {
	struct polc_span span;
	struct polc_ast_text name, type, pattern; /* type "" when unwritten */
	polc_ast_texts values;
};
struct polc_ast_option {
	struct polc_ast_text name, value;
};
struct polc_ast_macro {
	struct polc_ast_text name;
	struct polc_ast_trace_selector selector;
};

struct polc_ast_tracing {
	const char *name;
	const char *namespace; /* TracingPolicyNamespaced; else NULL */
	bool namespaced;
	struct polc_span span, name_span;
	struct polc_ast_workloads workloads;
	const struct polc_ast_selector *node_selector; /* or NULL */
	bool loader;
	POLC_VEC(struct polc_ast_list) lists;
	POLC_VEC(polc_ast_texts) enforcers; /* calls of each */
	POLC_VEC(struct polc_ast_option) options;
	POLC_VEC(struct polc_ast_macro) macros;
	POLC_VEC(struct polc_ast_hook) hooks; /* in order of sections (above), then as written */
	/* annotation polc.dev/event-rate: "100/s", "100/s burst 500", "100/s burst 500 sample 10"
	 */
	struct polc_ast_text event_rate;
};

typedef POLC_VEC(struct polc_ast_tracing *) polc_ast_tracings;

struct polc_buf;
void polc_tracing_print_yaml(const struct polc_ast_tracing *policy, struct polc_buf *out);
void polc_tracing_print_pol(const struct polc_ast_tracing *policy, struct polc_buf *out);

#endif
