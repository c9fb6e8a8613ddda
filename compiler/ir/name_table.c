/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Open addressing, linear probing; nothing is ever removed. */
#include "name_table.h"

#include <string.h>

static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

/* The slot that has the name, or the empty one where it belongs. */
static struct polc_name_entry *slot_of(const struct polc_name_table *table, const char *name)
{
	size_t i = hash(name) & (table->size - 1);

	while (table->slots[i].name && strcmp(table->slots[i].name, name))
		i = (i + 1) & (table->size - 1);
	return &table->slots[i];
}

static void grow(struct polc_arena *arena, struct polc_name_table *table)
{
	struct polc_name_table bigger = {.n = table->n, .size = table->size ? table->size * 4 : 64};

	bigger.slots = POLC_NEW_ARRAY(arena, bigger.size, struct polc_name_entry);
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i].name)
			*slot_of(&bigger, table->slots[i].name) = table->slots[i];
	*table = bigger;
}

void polc_names_add(
	struct polc_arena *arena, struct polc_name_table *table, const char *name, uint32_t value)
{
	struct polc_name_entry *slot;

	if (table->n * 2 >= table->size)
		grow(arena, table);
	slot = slot_of(table, name);
	if (slot->name)
		return;
	*slot = (struct polc_name_entry){name, value};
	table->n++;
}

uint32_t polc_names_find(const struct polc_name_table *table, const char *name)
{
	const struct polc_name_entry *slot = table->size ? slot_of(table, name) : NULL;

	return slot && slot->name ? slot->value : POLC_NO_NAME;
}
