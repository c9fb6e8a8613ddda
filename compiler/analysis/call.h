/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reference evaluator for tracing: a call as somebody describes it (a hook, values, a process),
 * and what the policies decide about it. Slow and obvious, on the tracing IR alone: no bits, no
 * tables, no programs. `explain --call`, `test`, assertions and diff stand on it, and the compiled
 * programs are compared with it.
 */
#ifndef POLC_CALL_H
#define POLC_CALL_H

#include "../ir/network.h"
#include "../ir/tracing.h"

/*
 * One thing said about a call. Keys:
 *   argN, or the label of an argument     its value, as in a policy of its type: "CAP_SYS_ADMIN",
 *                                         "/etc/passwd", "-1", "10.0.0.1:443"; see polc-test(5)
 *   return                                the result
 *   binary, parent, ancestors             paths (ancestors: from the grandparent on, by commas)
 *   pid, nspid, ancestor-pids             numbers
 *   ns.TYPE                               a number or "host"
 *   old-ns.TYPE                           likewise, before the call (NamespaceChanges)
 *   effective, permitted, inheritable     names of capabilities by commas; also with "old-"
 *   user-namespace                        "host" or "other"
 *   pod, container, labels, namespace     the workload
 * What is not said is unknown; "?" says that a value cannot be read.
 */
struct polc_call_fact {
	const char *key, *value;
	struct polc_span span, key_span;
};

struct polc_call; /* facts, understood; arena-owned */
/*
 * `hook` is "kprobe cap_capable", "lsm file_open", "tracepoint syscalls/sys_enter_openat", "uprobe
 * /bin/bash:readline", "usdt PATH:PROVIDER:NAME", "fentry f", "raw-tracepoint s/e", "syscall
 * openat" or a function's bare name. Facts that no policy on this hook could ask about are
 * reported (BAD_TEST) with a suggestion; NULL when something is wrong.
 */
const struct polc_call *polc_call_make(struct polc *polc, const struct polc_tracing *tracing,
	const struct polc_inventory *inventory, const char *hook, struct polc_span span,
	const struct polc_call_fact *facts, size_t n_facts);

enum polc_truth { POLC_FALSE_3, POLC_TRUE_3, POLC_UNKNOWN_3 };

/* One test of a selector, for explain. */
struct polc_call_test {
	const struct polc_trace_test *test;
	enum polc_truth result; /* before onError */
	bool holds;             /* after it */
	const char *text;       /* "arg2 == CAP_SYS_ADMIN: 21" */
};
/* What one spec (an entry of a section) makes of the call. */
struct polc_call_match {
	uint32_t policy, spec;
	/* the first selector that matches; POLC_NO_SELECTOR: none does, or the spec has none and
	 * every call is posted (`matched`) */
	uint32_t selector;
	bool matched;
	bool enforces; /* false in monitor mode: signals and results are not applied */
	uint64_t actions, return_actions; /* bits of enum polb_trace_action, as written */
	bool has_error;
	int32_t error;   /* of Override or NotifyEnforcer */
	uint32_t signal; /* of Signal, NotifyEnforcer; 9 for Sigkill; 0: none */
	/* every selector looked at, in order, with its tests up to the first that fails */
	POLC_VEC(struct polc_call_selector {
		const struct polc_trace_selector *selector;
		bool matched, at_return;
		POLC_VEC(struct polc_call_test) tests;
	})
	selectors;
};
struct polc_call_decision {
	POLC_VEC(struct polc_call_match) matches; /* one per spec on the hook, in their order */
	/* all together, monitor mode taken into account */
	uint64_t actions;
	bool has_error;
	int32_t error;
	uint32_t signal;
	/* nothing stops the call: neither Sigkill (before its effect or after) nor a result */
	bool passes;
};
void polc_call_decide(struct polc *polc, struct polc_arena *arena,
	const struct polc_tracing *tracing, const struct polc_call *call,
	struct polc_call_decision *decision);
/* "kprobe cap_capable(cap=CAP_SYS_ADMIN) by /usr/bin/x": for messages. */
const char *polc_call_text(struct polc_arena *arena, const struct polc_call *call);

#endif
