/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Endpoints of a bundle by name, and whether they live on this node. */
#include "loader.h"

#include <stdio.h>
#include <string.h>

void pold_endpoint_text(const struct polb_bundle *bundle, uint32_t number, char *out, size_t size)
{
	const struct polb_bundle_endpoint *endpoint;

	if (number == 0 || number > bundle->n_endpoints) {
		snprintf(out, size, "-");
		return;
	}
	endpoint = &bundle->endpoints[number - 1];
	snprintf(out, size, "%s/%s", polb_bundle_string(bundle, endpoint->namespace),
		polb_bundle_string(bundle, endpoint->name));
}

static bool is_named(
	const struct polb_bundle *bundle, const struct polb_bundle_endpoint *e, const char *text)
{
	const char *namespace = polb_bundle_string(bundle, e->namespace);
	size_t n = strlen(namespace);

	return strncmp(text, namespace, n) == 0 && text[n] == '/' &&
	       strcmp(text + n + 1, polb_bundle_string(bundle, e->name)) == 0;
}

uint32_t pold_endpoint_find(const struct polb_bundle *bundle, const char *text)
{
	for (size_t i = 0; i < bundle->n_endpoints; i++)
		if (is_named(bundle, &bundle->endpoints[i], text))
			return (uint32_t)i + 1;
	return 0;
}

bool pold_endpoint_local(const struct polb_bundle *bundle, uint32_t number, const char *node)
{
	const char *own = polb_bundle_string(bundle, bundle->endpoints[number - 1].node);

	return !*own || strcmp(own, node) == 0;
}
