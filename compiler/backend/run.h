/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bpf engine: a plan compiled, loaded into this kernel and asked with synthetic packets
 * (BPF_PROG_TEST_RUN), at every hook of the bundle. Attaches nothing. What `polc matrix --engine
 * bpf` asks.
 */
#ifndef POLC_RUN_H
#define POLC_RUN_H

#include "../../runtime/instance.h"
#include "bundle.h"
#include "packet.h"

struct polc_run;

struct polc_run_answer {
	enum polb_verdict verdict; /* ALLOW or DENY (AUDIT counts as ALLOW: the packet passes) */
	bool rule_known;
	uint32_t rule; /* from the flow entry when allowed, from the event when denied */
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
 * question->peer, as a fresh flow, at every hook. question->endpoint is one of the plan's
 * identities. 0; -EILSEQ when hooks disagree, or another -errno; printed.
 */
int polc_run_ask(struct polc_run *run, const struct polc_question *question,
	const struct polb_addr *local, struct polc_run_answer *answer);

#endif
