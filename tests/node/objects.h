/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which pins and which of our kernel objects are there: what a killed command may not leave. */
#ifndef TESTS_NODE_OBJECTS_H
#define TESTS_NODE_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "kill_at.h"

struct inventory {
	uint32_t alive[N_OBJECT_KINDS]; /* of those that commands have made */
	uint32_t pins;
	char listing[8192]; /* their paths, sorted, numbers of generations replaced */
};

/* Dead ones leave the list: numbers are not used again. */
void objects_alive(struct objects *made, uint32_t alive[N_OBJECT_KINDS]);
/* Every object in this kernel, whoever made it. */
void objects_count_all(uint32_t counts[N_OBJECT_KINDS]);
void inventory_take(struct objects *made, struct inventory *out);
/* 0, or what is different: `why` says it. Waits, for the kernel frees objects later, some of them
 * only when every thread of the machine has slept. */
int inventory_differs(
	struct objects *made, const struct inventory *wanted, char *why, size_t why_size);

#endif
