/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who an endpoint is that is told by hand: its labels, its namespace's, the cluster's. */
#include <string.h>

#include "known.h"
#include "told.h"

int pold_pod_who(struct pold_pool *pool, const struct pold_state *state, const char *endpoint,
	const struct pold_options *options, struct pold_who *out)
{
	const char *namespace = pold_pool_text(pool, endpoint, strcspn(endpoint, "/"));
	POLD_STORE store = POLD_STORE_INIT;
	pold_labels labels = {0};

	pold_store_open(&store, state->name, false);
	pold_labels_push_derived(pool, &state->bundle, &store, namespace, &labels);
	for (uint32_t i = 0; i < options->n_labels; i++) {
		const struct polb_label label = pold_label_argument(pool, options->labels[i]);

		if (pold_label_is_derived(label.key))
			return pold_fail(
				POLD_USAGE, "--label: %s is derived from the namespace", label.key);
		*pold_list_push(pool, &labels) = label;
	}
	pold_labels_sort(labels.items, labels.n);
	*out = (struct pold_who){
		.kinds = POLB_KIND_POD, .labels = labels.items, .n_labels = labels.n};
	pold_who_record(pool, out);
	return POLD_OK;
}
