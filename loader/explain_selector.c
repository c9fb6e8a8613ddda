/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A selector of the bundle, in the words of policies. */
#include "explain.h"

#include "runtime/cleanup.h"

static void requirement_text(struct polb_text *out, const struct polb_requirement *r)
{
	if (r->op == POLB_OP_DOES_NOT_EXIST)
		polb_text_puts(out, "!");
	polb_text_puts(out, r->key);
	if (r->op != POLB_OP_IN && r->op != POLB_OP_NOT_IN)
		return;
	if (r->n_values == 1) {
		polb_text_printf(out, "%s%s", r->op == POLB_OP_IN ? "=" : "!=", r->values[0]);
		return;
	}
	polb_text_puts(out, r->op == POLB_OP_IN ? " in (" : " not in (");
	for (size_t i = 0; i < r->n_values; i++)
		polb_text_printf(out, "%s%s", i ? "," : "", r->values[i]);
	polb_text_puts(out, ")");
}

static void kinds_text(struct polb_text *out, uint32_t kinds)
{
	static const char *const names[] = {
#define X(bit, name, text) [bit] = text,
		POLB_KINDS(X)
#undef X
	};
	const char *between = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (kinds >> i & 1) {
			polb_text_printf(out, "%s%s", between, names[i]);
			between = "|";
		}
}

void pold_selector_text(struct polb_text *out, const struct polb_bundle *bundle, size_t number)
{
	struct polb_selector selector;
	POLB_FREE void *scratch = NULL;
	char prefix[POLB_ADDR_TEXT];

	if (polb_bundle_selector(bundle, number, &selector, &scratch))
		return;
	if (selector.kinds != POLB_KIND_ANY)
		kinds_text(out, selector.kinds);
	else if (!selector.n_requirements && !selector.has_prefix)
		polb_text_puts(out, "any");
	for (size_t i = 0; i < selector.n_requirements; i++) {
		polb_text_puts(out, i || selector.kinds != POLB_KIND_ANY ? " and " : "");
		requirement_text(out, &selector.requirements[i]);
	}
	if (selector.has_prefix) {
		polb_prefix_format(&selector.prefix, prefix);
		polb_text_printf(out, " %s%s", prefix, selector.n_excepts ? " with excepts" : "");
	}
	if (selector.port_name)
		polb_text_printf(out, " port %s", selector.port_name);
}
