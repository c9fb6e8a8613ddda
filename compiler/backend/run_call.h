/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Described calls (analysis/call.h) on compiled programs: the programs of production, but for their
 * sections, loaded into this kernel as raw tracepoints and run with BPF_PROG_TEST_RUN on memory in
 * which the call's arguments and its process lie as this kernel's structures. Attaches nothing and
 * does nothing to any process. What the evaluator is compared with, and the bpf engine of `test`.
 */
#ifndef POLC_RUN_CALL_H
#define POLC_RUN_CALL_H

#include "../analysis/call.h"

/* What the programs made of one spec of a call, in the order of the evaluator's matches. */
struct polc_call_run_match {
	bool matched;
	uint32_t selector; /* its number; POLC_NO_SELECTOR: the spec has none, or none matched */
	bool posts;
};
struct polc_call_run {
	/* why the call was not run: something of it cannot be laid out; NULL: it was */
	const char *why;
	const struct polc_call_run_match *matches;
	size_t n_matches;
	bool has_error;
	int32_t error;
	bool owed;        /* the error was left to the enforcer's calls */
	uint64_t signals; /* bit n & 63: signal n was sent */
};

/*
 * Compiles and loads once, runs all. 0, or -errno with a message printed: no clang, or a kernel
 * that cannot (BTF, raw tracepoints with test runs: 5.10; permission).
 */
int polc_run_calls(struct polc *polc, const struct polc_tracing *tracing,
	const struct polc_tracing_options *options, const struct polc_call *const *calls, size_t n,
	struct polc_call_run *results);
/*
 * Where the programs and a decision of the evaluator differ, in words; NULL: they agree, or the
 * decision is open, or the call was not run.
 */
const char *polc_call_run_difference(struct polc_arena *arena,
	const struct polc_call_decision *decision, const struct polc_call_run *run);

#endif
