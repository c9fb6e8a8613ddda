/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polload explain` in its parts. */
#ifndef POLD_EXPLAIN_H
#define POLD_EXPLAIN_H

#include "audited.h"
#include "loader.h"
#include "runtime/text.h"

/* One side of a connection as a bundle knows it. */
struct pold_party {
	const char *text; /* as written */
	bool has_addr;
	struct polb_addr addr;
	uint32_t identity; /* 0: not known */
	uint32_t endpoint; /* 0: none of this node */
	uint32_t n_alike;  /* endpoints of this node with the same labels */
	bool attached;
	uint64_t keys[2]; /* of its attachments, in flow keys; 0: none */
};
/* explain_who.c: "namespace/name", address, cgroup path, interface, entity. 0 or -errno. */
int pold_party_find(const struct pold_state *state, const struct polb_live *live, const char *text,
	struct pold_party *out);

/* explain_flow.c: entries of the flow table for this question. */
struct pold_cached {
	uint32_t flows, current; /* that match; of the epoch in force */
	uint8_t verdict;         /* of the youngest */
	uint32_t rule, epoch;
	double idle_s;
};
void pold_cached_find(const struct pold_state *state, const struct polb_live *live,
	const struct pold_party *own, const struct polb_question *question,
	const struct polb_decision *decision, struct pold_cached *out);

/* explain_selector.c: a selector of the bundle in words. */
void pold_selector_text(struct polb_text *out, const struct polb_bundle *bundle, size_t number);

/* explain_process.c: `explain --pid`. Exit code. */
int pold_explain_process(const struct pold_options *options, struct polb_text *out, bool json);

#endif
