/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds the selectors that an identity satisfies without trying each: every selector is filed under
 * the values of its rarest In requirement. Selectors with a prefix are left out (the prefix tree
 * finds them).
 */
#ifndef POLC_SELECTOR_INDEX_H
#define POLC_SELECTOR_INDEX_H

#include "../../runtime/selector.h"
#include "../base/base.h"

struct polc_selector_index;

/* Borrows the selectors; arena-owned. */
const struct polc_selector_index *polc_selector_index_build(
	struct polc_arena *arena, const struct polb_selector *selectors, size_t n);
/* Sets bit i of bits for every selector i (without prefix) that the view satisfies; clears none. */
void polc_selector_index_match(const struct polc_selector_index *index,
	const struct polb_identity_view *view, uint64_t *bits);

#endif
