/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random pairs of small, dense networks, made as IR: for what policy texts seldom combine. */
#ifndef REACH_NETWORKS_H
#define REACH_NETWORKS_H

#include "compiler/ir/network.h"
#include "tests/bpf/generate.h"

void networks_generate(
	struct rng *rng, struct polc_arena *arena, const struct polc_network *networks[2]);

#endif
