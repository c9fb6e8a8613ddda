/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* runtime/decide.c, which `polload explain` and `report` answer from, asked beside the programs. */
#ifndef ORACLE_DECISION_H
#define ORACLE_DECISION_H

#include "kernel.h"
#include "model.h"

/*
 * NULL, or how polb_decide() differs from what the programs did with the first packet of a flow in
 * `direction`; rule: POLB_RULE_NONE when the programs did not say it.
 */
const char *decision_differs(const struct kernel *kernel, const struct polb_bundle *bundle,
	uint32_t endpoint, const struct packet *packet, enum polc_direction direction,
	uint32_t verdict, const uint32_t *rule);

#endif
