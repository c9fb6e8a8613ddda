/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Questions to a bundle that has been read: text, rules, selectors as predicates. */
#include "bundle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"

const char *polb_bundle_string(const struct polb_bundle *bundle, __u32 offset)
{
	return offset < bundle->strings_size ? bundle->strings + offset : "";
}

static struct polb_prefix prefix_of(const struct polb_bundle_prefix *stored)
{
	struct polb_prefix prefix = {.addr.family = stored->family, .len = stored->len};

	memcpy(prefix.addr.bytes, stored->addr, sizeof(prefix.addr.bytes));
	return prefix;
}

/* What one selector needs in one block: requirements, their values, excepts. */
struct selector_block {
	struct polb_requirement *requirements;
	const char **values;
	struct polb_prefix *excepts;
};

static void *block_new(const struct polb_bundle *bundle, const struct polb_bundle_selector *stored,
	struct selector_block *out)
{
	size_t n_values = 0, bytes;
	char *block;

	for (__u32 i = 0; i < stored->n_requirements; i++)
		n_values += bundle->requirements[stored->first_requirement + i].n_values;
	bytes = stored->n_requirements * sizeof(struct polb_requirement);
	block = malloc(bytes + n_values * sizeof(char *) +
		       stored->n_excepts * sizeof(struct polb_prefix) + 1);
	if (!block)
		return NULL;
	out->requirements = (void *)block;
	out->values = (void *)(block + bytes);
	out->excepts = (void *)(block + bytes + n_values * sizeof(char *));
	return block;
}

static void fill_requirements(const struct polb_bundle *bundle,
	const struct polb_bundle_selector *stored, const struct selector_block *block)
{
	const char **values = block->values;

	for (__u32 i = 0; i < stored->n_requirements; i++) {
		const struct polb_bundle_requirement *from =
			&bundle->requirements[stored->first_requirement + i];

		block->requirements[i] =
			(struct polb_requirement){.op = (enum polb_operator)from->op,
				.source = polb_bundle_string(bundle, from->source),
				.key = polb_bundle_string(bundle, from->key),
				.values = values,
				.n_values = from->n_values};
		for (__u32 v = 0; v < from->n_values; v++)
			*values++ =
				polb_bundle_string(bundle, bundle->values[from->first_value + v]);
	}
}

int polb_bundle_selector(
	const struct polb_bundle *bundle, size_t index, struct polb_selector *out, void **scratch)
{
	if (index >= bundle->n_selectors)
		return -EINVAL;
	return polb_bundle_selector_of(bundle, &bundle->selectors[index], out, scratch);
}

int polb_bundle_selector_of(const struct polb_bundle *bundle,
	const struct polb_bundle_selector *stored, struct polb_selector *out, void **scratch)
{
	struct selector_block block;
	void *memory = block_new(bundle, stored, &block);

	if (!memory)
		return -ENOMEM;
	fill_requirements(bundle, stored, &block);
	for (__u32 i = 0; i < stored->n_excepts; i++)
		block.excepts[i] = prefix_of(&bundle->prefixes[stored->first_except + i]);
	*out = (struct polb_selector){.kinds = stored->kinds,
		.requirements = block.requirements,
		.n_requirements = stored->n_requirements,
		.has_prefix = stored->has_prefix,
		.excepts = block.excepts,
		.n_excepts = stored->n_excepts,
		.port_name =
			stored->port_name ? polb_bundle_string(bundle, stored->port_name) : NULL,
		.port_protocol = stored->port_protocol,
		.port_number = stored->port_number};
	if (stored->has_prefix)
		out->prefix = prefix_of(&stored->prefix);
	*scratch = memory;
	return 0;
}

static const char *reserved_text(__u32 rule_id)
{
	static const char *const texts[POLB_RULE_FIRST] = {
		[POLB_RULE_NONE] = "default allow",
		[POLB_RULE_DEFAULT_DENY] = "default deny",
		[POLB_RULE_LOCAL_NODE] = "local node",
		[POLB_RULE_SELF] = "endpoint itself",
		[POLB_RULE_MALFORMED] = "malformed packet",
		[POLB_RULE_FRAGMENT] = "unknown fragment",
		[POLB_RULE_RELATED] = "related to an allowed flow",
		[POLB_RULE_PROTOCOL_NEED] = "needed by the protocol",
		[POLB_RULE_NO_ENDPOINT] = "no endpoint",
		[POLB_RULE_NOT_IP] = "not IP",
		[POLB_RULE_EXPIRED] = "expired identity",
	};

	return texts[rule_id] ? texts[rule_id] : "reserved";
}

void polb_bundle_rule_text(const struct polb_bundle *bundle, __u32 rule_id, char *out, size_t size)
{
	const struct polb_bundle_rule *rule;
	const char *namespace;
	size_t index = (size_t)rule_id - POLB_RULE_FIRST;
	int n;

	if (rule_id < POLB_RULE_FIRST || index >= bundle->n_rules) {
		snprintf(out, size, "%s",
			rule_id < POLB_RULE_FIRST ? reserved_text(rule_id) : "unknown rule");
		return;
	}
	rule = &bundle->rules[index];
	namespace = polb_bundle_string(bundle, rule->policy_namespace);
	n = snprintf(out, size, "%s%s%s", namespace, *namespace ? "/" : "",
		polb_bundle_string(bundle, rule->policy_name));
	if (n < 0 || (size_t)n >= size)
		return;
	if (index < bundle->n_sources)
		snprintf(out + n, size - (size_t)n, " (%s:%u)",
			bundle->source_strings + bundle->sources[index].file,
			bundle->sources[index].line);
	else if (rule->index == POLB_RULE_INDEX_ISOLATION)
		snprintf(out + n, size - (size_t)n, " (default deny)");
	else
		snprintf(out + n, size - (size_t)n, " (rule %u)", rule->index);
}
