/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The two spellings of an inventory; pold_inventory_read() chooses. */
#ifndef POLD_INVENTORY_OBJECTS_H
#define POLD_INVENTORY_OBJECTS_H

#include "inventory.h"

/* Documents, Lists, JSON. */
void pold_inventory_objects(
	struct pold_inventory *inventory, const char *path, const char *text, size_t size);
/* One address a line. */
void pold_inventory_plain(
	struct pold_inventory *inventory, const char *path, const char *text, size_t size);

#endif
