/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random policy sets with their inventory, as YAML text, from small universes so that things
 * collide. */
#ifndef ORACLE_GENERATE_H
#define ORACLE_GENERATE_H

#include "compiler/base/base.h"

struct rng {
	uint64_t state;
};
uint64_t rng_next(struct rng *rng);
unsigned rng_below(struct rng *rng, unsigned n);
bool rng_chance(struct rng *rng, unsigned percent);

/*
 * Appends documents of the inventory, then of the policies; every one starts with "---\n". A line
 * "# posture deny" or "# posture always" says that it is to be lowered so.
 */
void generate_set(struct rng *rng, struct polc_buf *out);

#endif
