/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The addresses of an inventory by hash: each once. Knows nothing of who claims one. */
#include "inventory_addresses.h"

#include <string.h>

#include "inventory_plain.h"

/* The slot comes from the lower bits. */
uint32_t pold_addresses_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

void pold_addresses_grow(struct pold_inventory *inventory)
{
	size_t n = inventory->addresses.n, slots = inventory->address_slots;
	size_t expected = inventory->plain && !slots ? inventory->plain->lines.n : n;

	if (n * 2 < slots)
		return;
	for (slots = slots ? slots : 1024; expected * 2 >= slots; slots *= 2)
		;
	inventory->address_slots = slots;
	inventory->address_table =
		pold_pool_new(&inventory->pool, slots * sizeof(*inventory->address_table));
	for (size_t i = 0; i < n; i++) {
		uint64_t hash = pold_addr_hash(&inventory->addresses.items[i].addr);
		size_t slot = hash & (slots - 1);

		while (inventory->address_table[slot].index)
			slot = (slot + 1) & (slots - 1);
		inventory->address_table[slot] =
			(struct pold_address_slot){(uint32_t)i + 1, pold_addresses_tag(hash)};
	}
}

static bool same_addr(const struct polb_addr *a, const struct polb_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Where the address is in the table, or the free slot where it would be. */
struct pold_address_slot *pold_addresses_slot(
	const struct pold_inventory *inventory, const struct polb_addr *addr)
{
	uint64_t hash = pold_addr_hash(addr);
	size_t mask = inventory->address_slots - 1, at = hash & mask;
	struct pold_address_slot *slot = &inventory->address_table[at];

	while (slot->index &&
		(slot->tag != pold_addresses_tag(hash) ||
			!same_addr(&inventory->addresses.items[slot->index - 1].addr, addr))) {
		at = (at + 1) & mask;
		slot = &inventory->address_table[at];
	}
	return slot;
}

void pold_inventory_expect_slot(const struct pold_inventory *inventory, uint64_t hash)
{
	if (inventory->address_slots)
		__builtin_prefetch(
			&inventory->address_table[hash & (inventory->address_slots - 1)]);
}

void pold_inventory_expect_address(const struct pold_inventory *inventory, uint64_t hash)
{
	size_t at = hash & (inventory->address_slots - 1);

	if (inventory->address_slots && inventory->address_table[at].index)
		__builtin_prefetch(
			&inventory->addresses.items[inventory->address_table[at].index - 1]);
}

const struct pold_inventory_address *pold_inventory_address(
	const struct pold_inventory *inventory, const struct polb_addr *addr)
{
	uint32_t index = inventory->address_slots ? pold_addresses_slot(inventory, addr)->index : 0;

	return index ? &inventory->addresses.items[index - 1] : NULL;
}
