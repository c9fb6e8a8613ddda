/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Labels of one told by hand: what --label says, and what its namespace and cluster add. */
#include <string.h>

#include "known.h"
#include "loader.h"

struct polb_label pold_label_argument(struct pold_pool *pool, const char *text)
{
	const char *equals = strchr(text, '='), *colon = strchr(text, ':'), *source = "k8s";

	if (colon && colon < equals) {
		source = pold_pool_text(pool, text, (size_t)(colon - text));
		text = colon + 1;
	}
	return (struct polb_label){
		source, pold_pool_text(pool, text, (size_t)(equals - text)), equals + 1};
}

static void push(struct pold_pool *pool, pold_labels *out, const char *key, const char *value)
{
	*pold_list_push(pool, out) = (struct polb_label){"k8s", key, value};
}

/* As other identities of the namespace have them, in the bundle or told. */
static void push_namespace(struct pold_pool *pool, const struct polb_bundle *bundle,
	const struct pold_store *store, const char *namespace, pold_labels *out)
{
	const size_t prefix = sizeof(POLD_LABEL_NAMESPACE_LABELS) - 1;
	pold_labels labels = {0};
	struct pold_known known;

	pold_known_init(&known, bundle, store);
	known.asked.namespace_labels(&known, namespace, pool, &labels);
	for (size_t i = 0; i < labels.n; i++) {
		const char *key = labels.items[i].key, *value = labels.items[i].value;
		char *derived = pold_pool_new(pool, prefix + strlen(key) + 1);

		strcpy(stpcpy(derived, POLD_LABEL_NAMESPACE_LABELS), key);
		push(pool, out, derived, pold_pool_text(pool, value, strlen(value)));
	}
	if (!labels.n)
		push(pool, out, POLD_LABEL_NAMESPACE_NAME, namespace);
}

void pold_labels_push_derived(struct pold_pool *pool, const struct polb_bundle *bundle,
	const struct pold_store *store, const char *namespace, pold_labels *out)
{
	const char *cluster = polb_bundle_string(bundle, bundle->manifest.cluster_name);

	push(pool, out, POLD_LABEL_NAMESPACE, namespace);
	push(pool, out, POLD_LABEL_CLUSTER, *cluster ? cluster : "default");
	push_namespace(pool, bundle, store, namespace, out);
}
