/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tracing plan: the tracing IR turned into hooks, their alternatives and programs, and the data
 * the programs look up (string domains, intervals, networks, workload bits). Everything the emitter
 * prints and a bundle carries; nothing about ELF or clang.
 */
#ifndef POLC_PLAN_TRACING_H
#define POLC_PLAN_TRACING_H

#include "../../runtime/bundle.h"
#include "../ir/tracing.h"

struct polc_trace_program {
	const char *name; /* "polt_h3_fexit": the function in the object */
	enum polb_mechanism mechanism;
	const char *target, *symbol; /* as in struct polb_bundle_trace_program */
	uint64_t offset, ref_ctr_offset;
	uint32_t n_arguments;
	uint32_t flags; /* POLB_PROGRAM_* */
	const char *same_as;
	polc_strings digests;
	uint32_t usdt;
	bool entry, exit; /* judges at entry; completes at the return (both: fexit alone) */
	/* imaHash: sees whether the call's event takes the file's hash; has it made */
	bool looks, hashes;
};
struct polc_trace_alternative {
	const struct polc_trace_program *programs;
	uint32_t n_programs;
	const char *reason;
};
/* How a spec sees the hook that it is on. */
enum polc_member_kind {
	POLC_MEMBER_CALL,         /* the function's or tracepoint's own arguments */
	POLC_MEMBER_LIST,         /* system calls of a list, seen at sys_enter by their number */
	POLC_MEMBER_RAW_SYSCALLS, /* the record of raw_syscalls/sys_{enter,exit}, from the raw event
				   */
	POLC_MEMBER_SYSCALL,      /* likewise syscalls/sys_{enter,exit}_NAME: one number */
};
struct polc_trace_member { /* a spec on a hook; symbol: index in its list (LIST: all of it) */
	uint32_t spec, symbol;
	enum polc_member_kind kind;
	uint32_t number; /* SYSCALL: of the call */
};
/* What a hook hooks: specs of the same family and symbol share one. */
enum polc_hook_family {
	POLC_HOOK_TRACKING,
	POLC_HOOK_FUNCTION,
	POLC_HOOK_TRACEPOINT,
	POLC_HOOK_RAW_TRACEPOINT,
	POLC_HOOK_LSM,
	POLC_HOOK_UPROBE,
	POLC_HOOK_USDT,
	POLC_HOOK_LOADER,
};
struct polc_trace_hook {
	enum polc_hook_family family;
	uint32_t number;                    /* "h3": prefix of its functions */
	const char *symbol;                 /* function, event, "subsystem/event", file path */
	const struct polc_syscall *syscall; /* FUNCTION of a system call, or NULL */
	/* policies whose enforcer acts at this function (NotifyEnforcer) */
	const uint32_t *enforcers;
	uint32_t n_enforcers;
	const char *text;
	const struct polc_trace_member *members; /* by spec number */
	uint32_t n_members;
	const struct polc_trace_alternative *alternatives; /* best first */
	uint32_t n_alternatives;
	uint32_t flags; /* POLB_TRACE_* */
};

/* One domain: up to 64 sets of strings tested on one value (strings.h of the templates). */
struct polc_string_set {
	enum polc_string_op op;
	const polc_strings *strings;
};
struct polc_string_domain {
	uint32_t id;
	bool path; /* its texts are paths of kernel objects, whose dentries can be looked at first
		    */
	const struct polc_string_set *sets; /* bit = index */
	uint32_t n_sets;
	/* what strings.c found: see struct polt_domain */
	bool equal, prefix, postfix;
	uint32_t automaton, folded;
	bool leaf_only;
	uint64_t leaf_lengths[4];
	uint32_t n_tails; /* with leaf_only; 0: no such check */
	uint64_t tails[8], tail_masks[8];
	uint32_t n_roots; /* 0: no such check */
	uint64_t roots[8], root_masks[8];
};
/* The tables behind the domains: strings.c. */
struct polc_string_tables {
	uint32_t seed;
	POLC_VEC(struct polb_bundle_trace_string) strings; /* sorted by domain, op, bytes */
	POLC_VEC(uint8_t) bytes; /* each text from a new POLB_STRING_PIECE on, zero-padded */
	POLC_VEC(uint32_t) automata;
};
/*
 * Fills the found members of every domain, and the tables. Reports LIMIT at a string that is too
 * long (equal 4096, prefix 252, postfix 124, substring 4096 bytes); false then.
 * `path` domains get leaf_lengths and roots.
 */
bool polc_string_tables_build(struct polc *polc, struct polc_string_domain *domains, size_t n,
	struct polc_string_tables *out);
/* The bits that the tables give for a text: what the programs compute, for tests and polload. */
uint64_t polc_string_tables_classify(const struct polc_string_tables *tables,
	const struct polc_string_domain *domain, const char *text, size_t size);

/* Where the data of a test is, by selector number, then test (return tests last). */
struct polc_trace_lookup {
	uint32_t domain, bit; /* STRING, BINARY */
	uint32_t first, n;    /* intervals in the table; n 0: immediate comparisons */
	uint32_t net_set;     /* ADDRESS: families of which there are many */
	bool net4, net6;
};

struct polc_tracing_plan {
	const struct polc_tracing *tracing;
	const struct polc_trace_lookup *const *lookups;
	const struct polc_trace_hook *hooks; /* tracking first */
	uint32_t n_hooks;
	struct polc_string_domain *domains; /* the first binary_words are for binaries */
	uint32_t n_domains;
	struct polc_string_tables strings;
	uint32_t binary_words, workload_words;
	POLC_VEC(struct polb_bundle_trace_interval) intervals;
	POLC_VEC(struct polb_bundle_trace_net) nets;
};

/* NULL when a limit is exceeded (reported), or when there are no tracing policies. */
const struct polc_tracing_plan *polc_plan_tracing(struct polc *polc,
	const struct polc_tracing *tracing, const struct polc_tracing_options *options);
/* `explain --plan`: hook, mechanism, reason, what is looked up. */
void polc_plan_tracing_print(
	const struct polc_tracing_plan *plan, struct polc *polc, struct polc_buf *out);
/* Only the hooks that one spec is on. */
void polc_plan_tracing_print_spec(const struct polc_tracing_plan *plan, struct polc *polc,
	uint32_t spec, struct polc_buf *out);
void polc_plan_tracing_json(
	const struct polc_tracing_plan *plan, struct polc *polc, struct polc_buf *out);
/* polc_config.h's tracing part (macros) and polc_tracing.h (functions and programs). */
void polc_emit_tracing_config(const struct polc_tracing_plan *plan, struct polc_buf *out);
void polc_emit_tracing_programs(const struct polc_tracing_plan *plan, struct polc_buf *out);
/* Likewise, of programs that are run on described calls (run_call.h). */
void polc_emit_described_config(const struct polc_tracing_plan *plan, struct polc_buf *out);
void polc_emit_described_programs(const struct polc_tracing_plan *plan, struct polc_buf *out);

#endif
