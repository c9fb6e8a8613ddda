/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * YAML (and JSON, its subset) as trees, for inventories. Stricter than the compiler's reader: no
 * aliases, no tags, which kubectl never writes.
 */
#ifndef POLD_YAML_H
#define POLD_YAML_H

#include <stdbool.h>

#include "inventory.h"

enum pold_yaml_kind { POLD_YAML_SCALAR, POLD_YAML_SEQUENCE, POLD_YAML_MAPPING };

struct pold_yaml {
	enum pold_yaml_kind kind;
	bool plain; /* scalar without quotes: only then null, bool or number */
	uint32_t line;
	uint32_t n;                            /* children */
	const char *key;                       /* of an item of a mapping */
	const char *value;                     /* SCALAR */
	struct pold_yaml *first, *last, *next; /* children; the next sibling */
};

/*
 * Each document of a text in turn; its tree is gone when the call returns. What is no YAML is
 * reported in the inventory, and nothing behind it is read.
 */
void pold_yaml_each(struct pold_inventory *inventory, const char *path, const char *text,
	size_t size, void (*call)(void *context, const struct pold_yaml *document), void *context);

const struct pold_yaml *pold_yaml_get(const struct pold_yaml *mapping, const char *key); /* or NULL
											  */
bool pold_yaml_is_null(const struct pold_yaml *node); /* absent, or plain null, ~ or empty */
/* The text when the node is a scalar, else "". */
const char *pold_yaml_text(const struct pold_yaml *node);

#endif
