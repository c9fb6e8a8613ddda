/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What polloads before labels_v2 kept: identities_v1, an address with its labels in one entry. */
#ifndef POLD_STORE_OLD_H
#define POLD_STORE_OLD_H

#include "store.h"

/* Moves its entries into the store, as told by hand, and removes it. 0 or -errno. */
int pold_store_take_over(struct pold_store *store);
/* A reader only says that it is there. 0. */
int pold_store_say_old(const char *name);
int pold_store_count_old(const char *name, uint32_t *out);

#endif
