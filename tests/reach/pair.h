/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random pairs of policy sets: what a set is today, and what somebody makes of it. */
#ifndef REACH_PAIR_H
#define REACH_PAIR_H

#include "tests/bpf/battery.h"

/* The old text, and the new one over the same inventory. */
void pair_generate(struct rng *rng, struct polc_buf *old, struct polc_buf *new);

/* Reads and lowers; false when polc has errors. No plan is made. */
bool pair_open(struct subject *subject, const char *text, enum polc_dialect dialect,
	enum polc_posture posture);
void pair_close(struct subject *subject);

#endif
