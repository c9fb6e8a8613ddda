/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A hash from names to numbers, for the tens of thousands of names that a kernel has. */
#ifndef POLC_NAME_TABLE_H
#define POLC_NAME_TABLE_H

#include "../base/base.h"

#define POLC_NO_NAME UINT32_MAX

struct polc_name_table { /* {0} is empty; names are borrowed */
	struct polc_name_entry {
		const char *name;
		uint32_t value;
	} * slots;
	size_t n, size; /* size: power of two, at most half full */
};

/* The first value that a name was given stays. */
void polc_names_add(
	struct polc_arena *arena, struct polc_name_table *table, const char *name, uint32_t value);
uint32_t polc_names_find(const struct polc_name_table *table, const char *name); /* POLC_NO_NAME */

#endif
