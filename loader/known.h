/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a bundle and earlier syncs say about namespaces that an inventory does not speak about. */
#ifndef POLD_KNOWN_H
#define POLD_KNOWN_H

#include "inventory.h"
#include "runtime/bundle.h"
#include "store.h"

struct pold_known {
	const struct polb_bundle *bundle;
	const struct pold_store *store;                    /* or NULL */
	struct pold_inventory_known asked;                 /* for pold_inventory_finish() */
	POLD_LIST(struct pold_known_namespace) namespaces; /* asked about already */
};
void pold_known_init(
	struct pold_known *known, const struct polb_bundle *bundle, const struct pold_store *store);

/* label_arguments.c: "key=value", or "source:key=value"; the source is k8s when none is given. */
struct polb_label pold_label_argument(struct pold_pool *pool, const char *text);
/* What every pod of the namespace has besides its own; the store may be NULL. Copies. */
void pold_labels_push_derived(struct pold_pool *pool, const struct polb_bundle *bundle,
	const struct pold_store *store, const char *namespace, pold_labels *out);

#endif
