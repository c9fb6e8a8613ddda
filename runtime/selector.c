/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a selector means. Label semantics: reference/cilium-policy 1.5. */
#include "selector.h"

#include <string.h>

/* "any" is what a label key without a source means; nodes and reserved identities must be named. */
static bool source_matches(const char *wanted, const char *source)
{
	if (strcmp(wanted, "any") != 0)
		return strcmp(wanted, source) == 0;
	return strcmp(source, "node") != 0 && strcmp(source, "reserved") != 0;
}

static bool value_listed(const struct polb_requirement *requirement, const char *value)
{
	for (size_t i = 0; i < requirement->n_values; i++)
		if (strcmp(requirement->values[i], value) == 0)
			return true;
	return false;
}

bool polb_requirement_matches(const struct polb_requirement *requirement,
	const struct polb_label *labels, size_t n_labels)
{
	bool exists = false, listed = false;

	for (size_t i = 0; i < n_labels; i++) {
		if (strcmp(labels[i].key, requirement->key) != 0 ||
			!source_matches(requirement->source, labels[i].source))
			continue;
		exists = true;
		listed = listed || value_listed(requirement, labels[i].value);
	}
	switch (requirement->op) {
	case POLB_OP_IN:
		return listed;
	case POLB_OP_NOT_IN:
		return !listed;
	case POLB_OP_EXISTS:
		return exists;
	case POLB_OP_DOES_NOT_EXIST:
		return !exists;
	}
	return false;
}

static bool address_matches(const struct polb_selector *selector, const struct polb_addr *addr)
{
	if (!selector->has_prefix)
		return true;
	if (!polb_prefix_has(&selector->prefix, addr))
		return false;
	for (size_t i = 0; i < selector->n_excepts; i++)
		if (polb_prefix_has(&selector->excepts[i], addr))
			return false;
	return true;
}

static bool port_matches(
	const struct polb_selector *selector, const struct polb_identity_view *view)
{
	if (!selector->port_name)
		return true;
	for (size_t i = 0; i < view->n_ports; i++) {
		const struct polb_named_port *port = &view->ports[i];

		if (port->port == selector->port_number &&
			(!selector->port_protocol || port->protocol == selector->port_protocol) &&
			strcmp(port->name, selector->port_name) == 0)
			return true;
	}
	return false;
}

/* Reserved labels are not in the label list: an identity carries one for each kind that it has. */
static bool reserved_matches(const struct polb_requirement *requirement, uint32_t kinds)
{
	static const struct {
		const char *name;
		uint32_t kind;
	} names[] = {
#define X(bit, name, text) {text, POLB_KIND_##name},
		POLB_KINDS(X)
#undef X
	};
	bool exists = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, requirement->key) == 0)
			exists = (kinds & names[i].kind) != 0;
	return exists == (requirement->op == POLB_OP_IN || requirement->op == POLB_OP_EXISTS);
}

static bool requirement_holds(
	const struct polb_requirement *requirement, const struct polb_identity_view *view)
{
	if (strcmp(requirement->source, "reserved") == 0)
		return reserved_matches(requirement, view->kinds);
	return polb_requirement_matches(requirement, view->labels, view->n_labels);
}

bool polb_selector_matches(
	const struct polb_selector *selector, const struct polb_identity_view *view)
{
	if (selector->kinds != POLB_KIND_ANY && !(selector->kinds & view->kinds))
		return false;
	if (!address_matches(selector, &view->addr) || !port_matches(selector, view))
		return false;
	for (size_t i = 0; i < selector->n_requirements; i++)
		if (!requirement_holds(&selector->requirements[i], view))
			return false;
	return true;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_requirements(const struct polb_requirement *a, const struct polb_requirement *b)
{
	int order = strcmp(a->source, b->source);

	if (!order)
		order = strcmp(a->key, b->key);
	if (!order)
		order = compare_numbers(a->op, b->op);
	if (!order)
		order = compare_numbers(a->n_values, b->n_values);
	for (size_t i = 0; !order && i < a->n_values; i++)
		order = strcmp(a->values[i], b->values[i]);
	return order;
}

static int compare_prefixes(const struct polb_selector *a, const struct polb_selector *b)
{
	int order = compare_numbers(a->has_prefix, b->has_prefix);

	if (!order && a->has_prefix)
		order = polb_prefix_compare(&a->prefix, &b->prefix);
	if (!order)
		order = compare_numbers(a->n_excepts, b->n_excepts);
	for (size_t i = 0; !order && i < a->n_excepts; i++)
		order = polb_prefix_compare(&a->excepts[i], &b->excepts[i]);
	return order;
}

static int compare_ports(const struct polb_selector *a, const struct polb_selector *b)
{
	int order = compare_numbers(a->port_name != NULL, b->port_name != NULL);

	if (order || !a->port_name)
		return order;
	order = strcmp(a->port_name, b->port_name);
	if (!order)
		order = compare_numbers(a->port_protocol, b->port_protocol);
	return order ? order : compare_numbers(a->port_number, b->port_number);
}

int polb_selector_compare(const struct polb_selector *a, const struct polb_selector *b)
{
	int order = compare_numbers(a->kinds, b->kinds);

	if (!order)
		order = compare_numbers(a->n_requirements, b->n_requirements);
	for (size_t i = 0; !order && i < a->n_requirements; i++)
		order = compare_requirements(&a->requirements[i], &b->requirements[i]);
	if (!order)
		order = compare_prefixes(a, b);
	return order ? order : compare_ports(a, b);
}

uint32_t polb_kinds_localise(uint32_t kinds, bool local)
{
	if (!(kinds & POLB_KIND_NODE))
		return kinds;
	kinds &= ~(uint32_t)POLB_KIND_NODE;
	return kinds | (local ? POLB_KIND_HOST : POLB_KIND_REMOTE_NODE);
}

uint32_t polb_kinds_world(const struct polb_addr *addr)
{
	return POLB_KIND_WORLD | (addr->family == 4 ? POLB_KIND_WORLD_IPV4 : POLB_KIND_WORLD_IPV6);
}
