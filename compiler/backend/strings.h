/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between strings.c and string_paths.c. */
#ifndef POLC_STRINGS_H
#define POLC_STRINGS_H

#include "plan_tracing.h"

/* Fills leaf_only, leaf_lengths, tails and roots of a domain of paths. */
void polc_string_paths(struct polc_arena *arena, struct polc_string_domain *domain);

#endif
