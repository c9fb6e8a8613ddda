/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bpf engine: a plan compiled, loaded into this kernel and asked with synthetic packets
 * (BPF_PROG_TEST_RUN), at every hook of the bundle. Attaches nothing. Used by `polc matrix --engine
 * bpf`, the oracle test and the benchmarks.
 */
#ifndef POLC_RUN_H
#define POLC_RUN_H

#include "../../runtime/instance.h"
#include "../analysis/evaluate.h"
#include "bundle.h"
#include "packet.h"

struct polc_run;

struct polc_run_answer {
	enum polb_verdict verdict; /* ALLOW or DENY (AUDIT counts as ALLOW: the packet passes) */
	bool rule_known;
	uint32_t rule; /* what decided: from the flow entry when allowed, from the event when denied
			*/
};

/*
 * Builds the bundle with `options` (hooks 0 means cgroup and tc) and reads it back; nothing is
 * loaded before the first question. Borrows `polc` and `plan`. 0, or -errno with a message printed.
 */
int polc_run_open(struct polc *polc, const struct polc_plan *plan,
	const struct polc_build_options *options, struct polc_run **out);
void polc_run_free(struct polc_run *run); /* NULL is fine */

/*
 * Asks one question: an opening packet between `local` (the endpoint's own address) and
 * question->peer, as a fresh flow, at every hook. 0; -EILSEQ when hooks disagree, or another
 * -errno; printed.
 */
int polc_run_ask(struct polc_run *run, const struct polc_question *question,
	const struct polb_addr *local, struct polc_run_answer *answer);

/*
 * For tests that build their own packets. `endpoint` is an index into plan->endpoints; the instance
 * of that endpoint's node is loaded on first use.
 */
int polc_run_endpoint_of(const struct polc_run *run, const struct polc_pod *pod); /* or -ENOENT */
uint32_t polc_run_hooks(const struct polc_run *run);
/* Runs one frame at one hook (POLB_HOOK_CGROUP or POLB_HOOK_TC). 0 and whether it passes, or
 * -errno, printed. */
int polc_run_frame(struct polc_run *run, uint32_t endpoint, uint32_t hook,
	enum polc_direction direction, const void *frame, size_t size, bool *passes);
/* The loaded instance of an endpoint's node, for direct access to maps; NULL with a message
 * printed. */
struct polb_instance *polc_run_instance(struct polc_run *run, uint32_t endpoint);
/* Makes every cached verdict stale / forgets every flow and fragment, in all instances. 0 or
 * -errno. */
int polc_run_next_epoch(struct polc_run *run);
int polc_run_forget_flows(struct polc_run *run);
const struct polb_bundle *polc_run_bundle(const struct polc_run *run);

#endif
