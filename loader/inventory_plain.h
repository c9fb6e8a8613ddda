/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the plain inventory's lines say, before namespaces and conflicts are looked at. */
#ifndef POLD_INVENTORY_PLAIN_H
#define POLD_INVENTORY_PLAIN_H

#include "inventory.h"

struct pold_plain_draft { /* an identity without what is derived */
	uint32_t kinds, number;
	const char *node;
	const char *namespace; /* of a pod, else NULL */
	pold_labels labels;
};
struct pold_plain_line {
	struct pold_at at;
	struct polb_addr addr;
	uint32_t draft, ttl_s;
};
struct pold_plain {
	POLD_LIST(struct pold_plain_draft) drafts;
	POLD_LIST(struct pold_plain_line) lines;
};

#endif
