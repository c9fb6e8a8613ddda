/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* For inventory.c: the hash table behind pold_inventory_address(). */
#ifndef POLD_INVENTORY_ADDRESSES_H
#define POLD_INVENTORY_ADDRESSES_H

#include "inventory.h"

/* Room for one more address; invalidates slots. */
void pold_addresses_grow(struct pold_inventory *inventory);
/* Where the address is, or the free slot where it would be; there must be slots. */
struct pold_address_slot *pold_addresses_slot(
	const struct pold_inventory *inventory, const struct polb_addr *addr);
/* A slot's tag, of pold_addr_hash(). */
uint32_t pold_addresses_tag(uint64_t hash);

#endif
