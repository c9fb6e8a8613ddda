/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Selector bits of one identity, and the entry of the class map that holds them. */
#ifndef POLD_CLASSES_H
#define POLD_CLASSES_H

#include "loader.h"

/*
 * The sparse class value of what `view` satisfies, malloc'd; -E2BIG when it needs more words than
 * the bundle's classes have.
 */
int pold_class_value(
	const struct polb_bundle *bundle, const struct polb_identity_view *view, void **out);
/*
 * Number of the class of this value in the map, written there when new; a class that no run-time
 * identity of `used` (bit per class) needs may be taken over. -ENOSPC when full.
 */
int pold_class_place(const struct polb_bundle *bundle, int classes_fd, const void *value,
	const uint8_t *used, uint32_t *out);

#endif
