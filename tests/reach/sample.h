/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random connections at the boundaries of policy sets: any labels, addresses and ports. */
#ifndef REACH_SAMPLE_H
#define REACH_SAMPLE_H

#include "compiler/analysis/reach.h"
#include "tests/bpf/ask.h"

struct sampler {
	struct rng *rng;
	struct polc_arena *arena; /* of one sample: freed by the caller */
	const struct asker *askers[2];
};

/* A connection as a pod sees it. False: an address or protocol that the space leaves out. */
bool sample_connection(struct sampler *sampler, struct polc_witness *out);
void sample_print(const struct polc_witness *witness, FILE *out);

#endif
