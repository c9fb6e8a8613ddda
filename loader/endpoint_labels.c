/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who an endpoint is that is told by hand: its labels, its namespace's, the cluster's. */
#include <string.h>

#include "known.h"
#include "told.h"

struct labels {
	struct pold_pool *pool;
	pold_labels list;
};

static void push(struct labels *l, const char *source, const char *key, const char *value)
{
	*pold_list_push(l->pool, &l->list) = (struct polb_label){source, key, value};
}

/* "key=value", or "source:key=value"; the source is k8s when none is given. */
static int push_argument(struct labels *l, const char *text)
{
	const char *equals = strchr(text, '='), *colon = strchr(text, ':'), *source = "k8s";
	const char *key;

	if (colon && colon < equals) {
		source = pold_pool_text(l->pool, text, (size_t)(colon - text));
		text = colon + 1;
	}
	key = pold_pool_text(l->pool, text, (size_t)(equals - text));
	if (pold_label_is_derived(key))
		return pold_fail(POLD_USAGE, "--label: %s is derived from the namespace", key);
	push(l, source, key, equals + 1);
	return POLD_OK;
}

/* As other identities of the namespace have them, in the bundle or told. */
static void push_namespace(struct labels *l, const struct pold_state *state, const char *namespace)
{
	POLD_STORE store = POLD_STORE_INIT;
	pold_labels labels = {0};
	struct pold_known known;

	pold_store_open(&store, state->name, false);
	pold_known_init(&known, &state->bundle, &store);
	known.asked.namespace_labels(&known, namespace, l->pool, &labels);
	for (size_t i = 0; i < labels.n; i++) {
		const char *key = labels.items[i].key, *value = labels.items[i].value;
		size_t prefix = sizeof(POLD_LABEL_NAMESPACE_LABELS) - 1;
		char *derived = pold_pool_new(l->pool, prefix + strlen(key) + 1);

		strcpy(stpcpy(derived, POLD_LABEL_NAMESPACE_LABELS), key);
		push(l, "k8s", derived, pold_pool_text(l->pool, value, strlen(value)));
	}
	if (!labels.n)
		push(l, "k8s", POLD_LABEL_NAMESPACE_NAME, namespace);
}

int pold_pod_who(struct pold_pool *pool, const struct pold_state *state, const char *endpoint,
	const struct pold_options *options, struct pold_who *out)
{
	const char *cluster =
		polb_bundle_string(&state->bundle, state->bundle.manifest.cluster_name);
	const char *namespace = pold_pool_text(pool, endpoint, strcspn(endpoint, "/"));
	struct labels l = {.pool = pool};
	int code = POLD_OK;

	push(&l, "k8s", POLD_LABEL_NAMESPACE, namespace);
	push(&l, "k8s", POLD_LABEL_CLUSTER, *cluster ? cluster : "default");
	push_namespace(&l, state, namespace);
	for (uint32_t i = 0; !code && i < options->n_labels; i++)
		code = push_argument(&l, options->labels[i]);
	pold_labels_sort(l.list.items, l.list.n);
	*out = (struct pold_who){
		.kinds = POLB_KIND_POD, .labels = l.list.items, .n_labels = l.list.n};
	pold_who_record(pool, out);
	return code;
}
