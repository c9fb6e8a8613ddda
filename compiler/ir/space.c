/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What can exist, and what selectors and ports of the network IR mean as sets. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "name_table.h"
#include "space.h"

struct polc_space_tables {
	struct polc_name_table variables[2]; /* k8s, node */
	struct polc_name_table values, names;
};

#define FAMILY_4 1
#define FAMILY_6 2
#define BOTH (FAMILY_4 | FAMILY_6)

/* Loopback addresses of a node are HOST too; they are not in the space. */
const struct polc_kinds_row polc_kinds_rows[] = {
	{POLB_KIND_POD, POLC_CLASS_POD, BOTH},
	{POLB_KIND_POD | POLB_KIND_KUBE_APISERVER, POLC_CLASS_POD, BOTH},
	{POLB_KIND_WORLD | POLB_KIND_WORLD_IPV4, POLC_CLASS_OTHER, FAMILY_4},
	{POLB_KIND_WORLD | POLB_KIND_WORLD_IPV6, POLC_CLASS_OTHER, FAMILY_6},
	{POLB_KIND_KUBE_APISERVER, POLC_CLASS_OTHER, BOTH},
	{POLB_KIND_HEALTH, POLC_CLASS_OTHER, BOTH},
	{POLB_KIND_INGRESS, POLC_CLASS_OTHER, BOTH},
	{POLB_KIND_INIT, POLC_CLASS_OTHER, BOTH},
	{POLB_KIND_UNMANAGED, POLC_CLASS_OTHER, BOTH},
	{POLB_KIND_HEALTH | POLB_KIND_KUBE_APISERVER, POLC_CLASS_OTHER, BOTH},
	{POLB_KIND_INGRESS | POLB_KIND_KUBE_APISERVER, POLC_CLASS_OTHER, BOTH},
	{POLB_KIND_REMOTE_NODE, POLC_CLASS_NODE, BOTH},
	{POLB_KIND_HOST, POLC_CLASS_NODE, BOTH},
	{POLB_KIND_REMOTE_NODE | POLB_KIND_KUBE_APISERVER, POLC_CLASS_NODE, BOTH},
	{POLB_KIND_HOST | POLB_KIND_KUBE_APISERVER, POLC_CLASS_NODE, BOTH},
};
const size_t polc_n_kinds_rows = POLC_ARRAY_SIZE(polc_kinds_rows);

uint32_t polc_kinds_mask(enum polc_class class, uint32_t kinds)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < polc_n_kinds_rows; i++)
		if (polc_kinds_rows[i].class == class && (polc_kinds_rows[i].kinds & kinds))
			mask |= 1u << i;
	return mask;
}

/* --- names ---------------------------------------------------------------------------------- */

static uint32_t find_variable(struct polc_space *space, const char *key, bool of_node)
{
	struct polc_name_table *table = &space->tables->variables[of_node];
	uint32_t number = polc_names_find(table, key);

	if (number != POLC_NO_NAME)
		return number;
	number = (uint32_t)space->variables.n;
	*polc_vec_push(space->arena, &space->variables) = (struct polc_variable){.key = key,
		.of_node = of_node,
		.of_namespace = !of_node && !strncmp(key, POLC_LABEL_NAMESPACE_LABELS,
						    strlen(POLC_LABEL_NAMESPACE_LABELS))};
	polc_names_add(space->arena, table, key, number);
	return number;
}

uint32_t polc_space_value(struct polc_space *space, const char *value)
{
	uint32_t number = polc_names_find(&space->tables->values, value);

	if (number != POLC_NO_NAME)
		return number;
	number = (uint32_t)space->values.n;
	*polc_vec_push(space->arena, &space->values) = value;
	polc_names_add(space->arena, &space->tables->values, value, number);
	return number;
}

uint32_t polc_space_find_variable(const struct polc_space *space, const struct polb_label *label)
{
	return polc_names_find(
		&space->tables->variables[!strcmp(label->source, "node")], label->key);
}

static void add_name(struct polc_space *space, const char *name)
{
	if (polc_names_find(&space->tables->names, name) != POLC_NO_NAME)
		return;
	polc_names_add(space->arena, &space->tables->names, name, (uint32_t)space->names.n);
	*polc_vec_push(space->arena, &space->names) = name;
}

size_t polc_space_slots(const struct polc_space *space)
{
	return POLC_SLOT_FIRST + space->names.n + 2 * space->variables.n;
}

uint32_t polc_space_name_slot(const struct polc_space *space, const char *name)
{
	return POLC_SLOT_FIRST + polc_names_find(&space->tables->names, name);
}

uint32_t polc_space_label_slot(
	const struct polc_space *space, enum polc_party_side party, uint32_t variable)
{
	return (uint32_t)(POLC_SLOT_FIRST + space->names.n + 2 * variable + party);
}

/* --- the whole ------------------------------------------------------------------------------ */

static const struct polc_set *line(struct polc_space *space, uint32_t lo, uint32_t hi)
{
	return polc_set_of_range(space->arena, lo, hi);
}

static const struct polc_set *without(
	struct polc_space *space, const struct polc_set *set, uint32_t lo, uint32_t hi)
{
	return polc_set_subtract(space->arena, set, line(space, lo, hi));
}

static void make_ports(struct polc_space *space)
{
	const struct polc_set *all = line(space, POLC_LINE_TCP, POLC_LINE_END - 1);

	all = without(space, all, POLC_LINE_OTHER + IPPROTO_TCP, POLC_LINE_OTHER + IPPROTO_TCP);
	all = without(space, all, POLC_LINE_OTHER + IPPROTO_UDP, POLC_LINE_OTHER + IPPROTO_UDP);
	all = without(space, all, POLC_LINE_OTHER + IPPROTO_SCTP, POLC_LINE_OTHER + IPPROTO_SCTP);
	/* always allowed: packet too big, multicast listeners, neighbour discovery */
	all = without(space, all, POLC_LINE_ICMPV6 + 2, POLC_LINE_ICMPV6 + 2);
	all = without(space, all, POLC_LINE_ICMPV6 + 130, POLC_LINE_ICMPV6 + 136);
	all = without(space, all, POLC_LINE_ICMPV6 + 143, POLC_LINE_ICMPV6 + 143);
	space->everything[POLC_SLOT_PORT] = space->by_family[BOTH] = all;

	const struct polc_set *v4 = without(space, all, POLC_LINE_ICMPV6, POLC_LINE_OTHER - 1);
	space->by_family[FAMILY_4] =
		without(space, v4, POLC_LINE_OTHER + IPPROTO_ICMP, POLC_LINE_OTHER + IPPROTO_ICMP);
	const struct polc_set *v6 = without(space, all, POLC_LINE_ICMP, POLC_LINE_ICMPV6 - 1);
	space->by_family[FAMILY_6] = without(
		space, v6, POLC_LINE_OTHER + IPPROTO_ICMPV6, POLC_LINE_OTHER + IPPROTO_ICMPV6);

	const struct polc_set *named = line(space, POLC_LINE_TCP, POLC_LINE_ICMP - 1);
	named = without(space, named, POLC_LINE_TCP, POLC_LINE_TCP);
	named = without(space, named, POLC_LINE_UDP, POLC_LINE_UDP);
	space->nameable = without(space, named, POLC_LINE_SCTP, POLC_LINE_SCTP);
}

static void make_addresses(struct polc_space *space)
{
	struct polb_prefix any4 = {.addr = {.family = 4}}, any6 = {.addr = {.family = 6}};
	const struct polb_prefix loopback4 = {.addr = {4, {127}}, .len = 8};
	const struct polb_prefix loopback6 = {.addr = {6, {[15] = 1}}, .len = 128};
	const struct polc_set *all =
		polc_set_unite(space->arena, polc_set_of_prefix(space->arena, &any4, &loopback4, 1),
			polc_set_of_prefix(space->arena, &any6, &loopback6, 1));

	space->everything[POLC_SLOT_ADDRESS] = space->everything[POLC_SLOT_ADDRESS + 1] = all;
}

struct polc_space *polc_space_new(struct polc_arena *arena, const char *cluster_name)
{
	struct polc_space *space = POLC_NEW(arena, struct polc_space);

	space->arena = arena;
	space->cluster_name = cluster_name;
	space->tables = POLC_NEW(arena, struct polc_space_tables);
	*polc_vec_push(arena, &space->values) = NULL;
	find_variable(space, POLC_LABEL_NAMESPACE, false);
	make_ports(space);
	make_addresses(space);
	space->everything[POLC_SLOT_KINDS] = space->everything[POLC_SLOT_KINDS + 1] =
		polc_set_of_mask(arena, (1u << polc_n_kinds_rows) - 1);
	return space;
}

/* --- selectors ------------------------------------------------------------------------------ */

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* Whether the requirement holds for a label that is `value`, or absent (NULL). */
static bool holds_for(const struct polb_requirement *r, const char *value)
{
	struct polb_label label = {.source = r->source, .key = r->key, .value = value};

	return polb_requirement_matches(r, &label, value ? 1 : 0);
}

static const struct polc_set *values_of(struct polc_space *space, const struct polb_requirement *r)
{
	const uint32_t absent = 0;
	uint32_t *values;

	switch (r->op) {
	case POLB_OP_EXISTS:
		return polc_set_of_values(space->arena, &absent, 1, true);
	case POLB_OP_DOES_NOT_EXIST:
		return polc_set_of_values(space->arena, &absent, 1, false);
	case POLB_OP_IN:
	case POLB_OP_NOT_IN:
		break;
	}
	values = POLC_NEW_ARRAY(space->arena, r->n_values, uint32_t);
	for (size_t i = 0; i < r->n_values; i++)
		values[i] = polc_space_value(space, r->values[i]);
	return polc_set_of_values(space->arena, values, r->n_values, r->op == POLB_OP_NOT_IN);
}

static void add_literal(
	struct polc_space *space, polc_literals *out, uint32_t slot, const struct polc_set *set)
{
	*polc_vec_push(space->arena, out) = (struct polc_literal){slot, set};
}

static bool is_of_pods(const struct polb_requirement *r)
{
	return !strcmp(r->source, "any") || !strcmp(r->source, "k8s");
}

/* The variable behind a key of pods; false: it is a constant, `value` (NULL: absent). */
static bool pod_variable(
	struct polc_space *space, const char *key, uint32_t *variable, const char **value)
{
	*value = NULL;
	if (!strcmp(key, POLC_LABEL_NAMESPACE_LABELS "kubernetes.io/metadata.name"))
		key = POLC_LABEL_NAMESPACE;
	if (!strcmp(key, POLC_LABEL_CLUSTER)) {
		*value = space->cluster_name;
		return false;
	}
	if (starts_with(key, POLC_LABEL_CILIUM_PREFIX) &&
		!starts_with(key, POLC_LABEL_NAMESPACE_LABELS) &&
		strcmp(key, POLC_LABEL_SERVICE_ACCOUNT) != 0)
		return false;
	*variable = find_variable(space, key, false);
	return true;
}

void polc_space_learn(struct polc_space *space, const struct polc_network *network)
{
	for (size_t i = 0; i < network->n_rules; i++)
		for (size_t j = 0; j < network->rules[i].n_ports; j++)
			if (network->rules[i].ports[j].kind == POLC_PORT_NAME)
				add_name(space, network->rules[i].ports[j].name);
	for (size_t i = 0; i < network->n_selectors; i++)
		for (size_t j = 0; j < network->selectors[i].n_requirements; j++) {
			const struct polb_requirement *r = &network->selectors[i].requirements[j];
			const char *value;
			uint32_t variable;
			if (!strcmp(r->source, "node"))
				find_variable(space, r->key, true);
			else if (is_of_pods(r))
				pod_variable(space, r->key, &variable, &value);
		}
}

static bool add_requirement(struct polc_space *space, const struct polb_requirement *r,
	enum polc_party_side party, enum polc_class class, polc_literals *out)
{
	const char *value = NULL;
	uint32_t variable = 0;
	bool varies = false;

	if (class == POLC_CLASS_POD && is_of_pods(r))
		varies = pod_variable(space, r->key, &variable, &value);
	else if (class == POLC_CLASS_NODE && !strcmp(r->source, "node")) {
		variable = find_variable(space, r->key, true);
		varies = true;
	}
	if (!varies)
		return holds_for(r, value);
	add_literal(space, out, polc_space_label_slot(space, party, variable), values_of(space, r));
	return true;
}

/* Reserved labels are the kinds, and there are no values. */
static uint32_t reserved_mask(const struct polb_requirement *r, uint32_t mask, bool subject)
{
	const struct polb_selector selector = {
		.kinds = POLB_KIND_ANY, .requirements = r, .n_requirements = 1};
	uint32_t out = 0;

	for (size_t i = 0; i < polc_n_kinds_rows; i++) {
		struct polb_identity_view view = {
			.kinds = subject ? POLB_KIND_POD : polc_kinds_rows[i].kinds};
		if ((mask & 1u << i) && polb_selector_matches(&selector, &view))
			out |= 1u << i;
	}
	return out;
}

bool polc_space_selector(struct polc_space *space, const struct polb_selector *selector,
	enum polc_party_side party, enum polc_class class, bool subject, polc_literals *out)
{
	uint32_t whole = polc_kinds_mask(class, POLB_KIND_ANY);
	uint32_t mask = polc_kinds_mask(class, selector->kinds);

	if (selector->port_name)
		POLC_BUG("selectors with named ports belong to plans");
	if (subject)
		mask = class == POLC_CLASS_POD && (selector->kinds & POLB_KIND_POD) ? whole : 0;
	for (size_t i = 0; i < selector->n_requirements; i++) {
		const struct polb_requirement *r = &selector->requirements[i];
		if (!strcmp(r->source, "reserved"))
			mask = reserved_mask(r, mask, subject);
		else if (!add_requirement(space, r, party, class, out))
			return false;
	}
	if (!mask || (subject && selector->has_prefix))
		return false;
	if (mask != whole)
		add_literal(space, out, (uint32_t)(POLC_SLOT_KINDS + party),
			polc_set_of_mask(space->arena, mask));
	if (selector->has_prefix)
		add_literal(space, out, (uint32_t)(POLC_SLOT_ADDRESS + party),
			polc_set_of_prefix(space->arena, &selector->prefix, selector->excepts,
				selector->n_excepts));
	return true;
}

/* --- ports ---------------------------------------------------------------------------------- */

static const struct {
	uint8_t bit;
	uint32_t begin, last;
} segments[] = {
	{POLC_PROTO_TCP, POLC_LINE_TCP, 65535},
	{POLC_PROTO_UDP, POLC_LINE_UDP, 65535},
	{POLC_PROTO_SCTP, POLC_LINE_SCTP, 65535},
	{POLC_PROTO_ICMP, POLC_LINE_ICMP, 255},
	{POLC_PROTO_ICMPV6, POLC_LINE_ICMPV6, 255},
};

static const struct polc_set *port_set(struct polc_space *space, const struct polc_net_port *port)
{
	static const struct polc_set none = {.kind = POLC_SET_RANGES};
	const struct polc_set *out = &none;

	if (port->kind == POLC_PORT_ALL && !port->protocols)
		return space->everything[POLC_SLOT_PORT];
	for (size_t i = 0; i < POLC_ARRAY_SIZE(segments); i++) {
		uint32_t lo = port->kind == POLC_PORT_RANGE ? port->lo : 0;
		uint32_t hi = port->kind == POLC_PORT_RANGE ? port->hi : segments[i].last;
		hi = hi < segments[i].last ? hi : segments[i].last;
		if ((port->protocols & segments[i].bit) && lo <= hi)
			out = polc_set_unite(space->arena, out,
				line(space, segments[i].begin + lo, segments[i].begin + hi));
	}
	/* a range is one of ports, and other protocols have none but 0 */
	bool other = port->protocols & POLC_PROTO_OTHER && port->lo <= 255;
	if (other && (port->kind == POLC_PORT_ALL || !port->lo))
		out = polc_set_unite(space->arena, out,
			line(space, POLC_LINE_OTHER + port->lo, POLC_LINE_OTHER + port->lo));
	return polc_set_intersect(space->arena, out, space->everything[POLC_SLOT_PORT]);
}

const struct polc_set *polc_space_ports(
	struct polc_space *space, const struct polc_net_port *ports, size_t n)
{
	const struct polc_set *out = NULL;

	for (size_t i = 0; i < n; i++) {
		if (ports[i].kind == POLC_PORT_NAME)
			continue;
		const struct polc_set *set = port_set(space, &ports[i]);
		out = out ? polc_set_unite(space->arena, out, set) : set;
	}
	return out && !polc_set_is_empty(out) ? out : NULL;
}

const struct polc_set *polc_space_named_ports(
	struct polc_space *space, const struct polc_net_port *port)
{
	struct polc_net_port all = {.kind = POLC_PORT_ALL,
		.protocols = port->protocols & (POLC_PROTO_TCP | POLC_PROTO_UDP | POLC_PROTO_SCTP)};

	if (!all.protocols)
		return NULL;
	return polc_set_intersect(space->arena, port_set(space, &all), space->nameable);
}

/* --- products ------------------------------------------------------------------------------- */

static int compare_literals(const void *pa, const void *pb)
{
	const struct polc_literal *a = pa, *b = pb;

	return (a->slot > b->slot) - (a->slot < b->slot);
}

static bool says_nothing(const struct polc_space *space, const struct polc_literal *literal)
{
	const struct polc_set *set = literal->set;

	if (set->kind == POLC_SET_VALUES)
		return set->complement && !set->n_values;
	return literal->slot < POLC_SLOT_FIRST &&
	       polc_set_within(space->everything[literal->slot], set);
}

bool polc_product_make(
	struct polc_space *space, const polc_literals *literals, struct polc_product *out)
{
	size_t n_literals = literals->n, n = 0;
	struct polc_literal *items = POLC_NEW_ARRAY(space->arena, n_literals, struct polc_literal);

	if (n_literals)
		memcpy(items, literals->items, n_literals * sizeof(*items));
	if (n_literals)
		qsort(items, n_literals, sizeof(*items), compare_literals);
	for (size_t i = 0; i < n_literals; i++) {
		if (says_nothing(space, &items[i]))
			continue;
		if (n && items[n - 1].slot == items[i].slot)
			items[n - 1].set =
				polc_set_intersect(space->arena, items[n - 1].set, items[i].set);
		else
			items[n++] = items[i];
		if (polc_set_is_empty(items[n - 1].set))
			return false;
	}
	*out = (struct polc_product){.literals = items, .n = n};
	return true;
}
