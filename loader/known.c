/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Labels of a namespace, as another identity in it has them. */
#include "known.h"

#include <string.h>

struct pold_known_namespace {
	const char *name;
	pold_labels labels;
};

static const char prefix[] = POLD_LABEL_NAMESPACE_LABELS;

static void take(struct pold_pool *pool, const char *key, const char *value, pold_labels *out)
{
	if (strncmp(key, prefix, sizeof(prefix) - 1) == 0)
		*pold_list_push(pool, out) =
			(struct polb_label){"k8s", key + sizeof(prefix) - 1, value};
}

static bool from_store(const struct pold_store *store, const char *namespace,
	struct pold_pool *pool, pold_labels *out)
{
	for (size_t i = store ? store->sets.n : 0; i-- > 0;) {
		const struct pold_who *who = &store->sets.items[i].who;
		bool in_it = false;

		for (size_t l = 0; l < who->n_labels; l++)
			in_it |= strcmp(who->labels[l].key, POLD_LABEL_NAMESPACE) == 0 &&
				 strcmp(who->labels[l].value, namespace) == 0;
		for (size_t l = 0; in_it && l < who->n_labels; l++)
			take(pool, who->labels[l].key, who->labels[l].value, out);
		if (in_it)
			return true;
	}
	return false;
}

static void from_bundle(const struct polb_bundle *b, const char *namespace, struct pold_pool *pool,
	pold_labels *out)
{
	for (size_t i = 0; i < b->n_identities; i++) {
		const struct polb_bundle_identity *identity = &b->identities[i];
		const struct polb_bundle_label *labels = &b->labels[identity->first_label];
		bool in_it = false;

		for (uint32_t l = 0; l < identity->n_labels; l++)
			in_it |= strcmp(polb_bundle_string(b, labels[l].key),
					 POLD_LABEL_NAMESPACE) == 0 &&
				 strcmp(polb_bundle_string(b, labels[l].value), namespace) == 0;
		for (uint32_t l = 0; in_it && l < identity->n_labels; l++)
			take(pool, polb_bundle_string(b, labels[l].key),
				polb_bundle_string(b, labels[l].value), out);
		if (in_it)
			return;
	}
}

static void namespace_labels(
	void *context, const char *namespace, struct pold_pool *pool, pold_labels *out)
{
	struct pold_known *known = context;
	struct pold_known_namespace *entry;

	for (size_t i = 0; i < known->namespaces.n; i++)
		if (strcmp(known->namespaces.items[i].name, namespace) == 0) {
			*out = known->namespaces.items[i].labels;
			return;
		}
	entry = pold_list_push(pool, &known->namespaces);
	entry->name = pold_pool_text(pool, namespace, strlen(namespace));
	if (!from_store(known->store, namespace, pool, &entry->labels))
		from_bundle(known->bundle, namespace, pool, &entry->labels);
	*out = entry->labels;
}

void pold_known_init(
	struct pold_known *known, const struct polb_bundle *bundle, const struct pold_store *store)
{
	*known = (struct pold_known){.bundle = bundle, .store = store};
	known->asked = (struct pold_inventory_known){
		.cluster_name = polb_bundle_string(bundle, bundle->manifest.cluster_name),
		.namespace_labels = namespace_labels,
		.context = known};
}
