/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One party of a witness: taken from the inventory, or made up with no more than what matters. */
#include <stdlib.h>
#include <string.h>

#include "../ir/labels.h"
#include "reach_private.h"

#define METADATA_NAME POLC_LABEL_NAMESPACE_LABELS "kubernetes.io/metadata.name"

static enum polc_class class_of(const struct reach_party *p)
{
	return p->box->class[p->side];
}

static uint32_t label_slot(const struct reach_party *p, uint32_t variable)
{
	return polc_space_label_slot(p->reach->space, p->side, variable);
}

static bool narrow_to_value(struct reach_party *p, uint32_t variable, uint32_t value)
{
	return polc_box_narrow(p->box, label_slot(p, variable),
		polc_set_of_values(p->box->arena, &value, 1, false));
}

/* --- of the inventory ------------------------------------------------------------------------- */

static const char *label_value(const struct polc_identity *id, const char *key)
{
	for (size_t i = 0; i < id->n_labels; i++)
		if (!strcmp(id->labels[i].key, key))
			return id->labels[i].value;
	return "";
}

/* Pods that are in the space: whose namespace is called what its label says, with own addresses. */
static bool is_usable(const struct polc_reach *reach, const struct polc_endpoint *endpoint)
{
	const struct polc_identity *id = &reach->inventory->identities.items[endpoint->identity];

	return !endpoint->pod->host_network && endpoint->pod->addrs.n &&
	       !strcmp(label_value(id, METADATA_NAME), endpoint->pod->namespace) &&
	       !strcmp(label_value(id, POLC_LABEL_CLUSTER), reach->space->cluster_name);
}

/* Row of endpoint i; its first value, the namespace's name, is 0 when it is of no use. */
static void make_row(struct polc_reach *reach, size_t i)
{
	const struct polc_endpoint *endpoint = &reach->inventory->endpoints.items[i];
	const struct polc_identity *id = &reach->inventory->identities.items[endpoint->identity];
	uint32_t *row = &reach->pod_values[i * reach->n_pod_variables];

	if (!is_usable(reach, endpoint))
		return;
	for (size_t j = 0; j < id->n_labels; j++) {
		uint32_t variable = polc_space_find_variable(reach->space, &id->labels[j]);
		if (variable < reach->n_pod_variables)
			row[variable] = polc_space_value(reach->space, id->labels[j].value);
	}
}

static const uint32_t *pod_row(struct polc_reach *reach, size_t index)
{
	size_t n = reach->inventory->endpoints.n;

	if (reach->n_pod_variables != reach->space->variables.n) {
		reach->n_pod_variables = reach->space->variables.n;
		reach->pod_values =
			POLC_NEW_ARRAY(reach->arena, n * reach->n_pod_variables, uint32_t);
		for (size_t i = 0; i < n; i++)
			make_row(reach, i);
	}
	return &reach->pod_values[index * reach->n_pod_variables];
}

size_t reach_party_candidates(const struct reach_party *p)
{
	if (!p->reach->inventory || class_of(p) == POLC_CLASS_OTHER)
		return 0;
	return class_of(p) == POLC_CLASS_POD ? p->reach->inventory->endpoints.n
					     : p->reach->inventory->addresses.n;
}

static bool has_port(const struct polc_identity *id, const char *name, uint32_t position)
{
	uint8_t protocol;
	uint16_t port;

	polc_line_port(position, &protocol, &port);
	for (size_t i = 0; i < id->n_ports; i++)
		if (id->ports[i].protocol == protocol && id->ports[i].port == port &&
			!strcmp(id->ports[i].name, name))
			return true;
	return false;
}

/* The port is chosen already. */
static bool take_names(struct reach_party *p)
{
	const struct polc_space *space = p->reach->space;
	uint32_t position = (uint32_t)p->box->sets[POLC_SLOT_PORT]->ranges[0].items[0].lo;

	for (size_t i = 0; p->side == POLC_DESTINATION && i < space->names.n; i++) {
		uint32_t now = has_port(p->real, space->names.items[i], position) ? POLC_NAME_YES
										  : POLC_NAME_NO;
		if (!polc_box_narrow(p->box, (uint32_t)(POLC_SLOT_FIRST + i),
			    polc_set_of_mask(p->box->arena, now)))
			return false;
	}
	return true;
}

static bool take_addresses(struct reach_party *p, const struct polb_addr *addrs, size_t n)
{
	static const struct polc_set none = {.kind = POLC_SET_RANGES};
	const struct polc_set *set = &none;

	for (size_t i = 0; i < n; i++) {
		struct polb_prefix one = {addrs[i], addrs[i].family == 4 ? 32 : 128};
		set = polc_set_unite(
			p->box->arena, set, polc_set_of_prefix(p->box->arena, &one, NULL, 0));
	}
	return polc_box_narrow(p->box, (uint32_t)(POLC_SLOT_ADDRESS + p->side), set);
}

static bool row_fits(struct reach_party *p, const uint32_t *row)
{
	for (uint32_t i = 0; i < p->reach->n_pod_variables; i++)
		if (!polc_set_has_value(p->box->sets[label_slot(p, i)], row[i]))
			return false;
	return true;
}

static bool take_pod(struct reach_party *p, size_t index)
{
	const struct polc_endpoint *endpoint = &p->reach->inventory->endpoints.items[index];
	const uint32_t *row = pod_row(p->reach, index);

	if (!row[0] || !row_fits(p, row))
		return false;
	p->real = &p->reach->inventory->identities.items[endpoint->identity];
	for (uint32_t i = 0; i < p->reach->n_pod_variables; i++)
		if (!narrow_to_value(p, i, row[i]))
			return false;
	return take_names(p) &&
	       take_addresses(p, endpoint->pod->addrs.items, endpoint->pod->addrs.n);
}

static bool take_node(struct reach_party *p, size_t index)
{
	struct polc_space *space = p->reach->space;
	const struct polc_address_entry *entry = &p->reach->inventory->addresses.items[index];
	const struct polc_identity *id = &p->reach->inventory->identities.items[entry->identity];

	if (!(id->kinds & POLB_KIND_NODE) || !id->node ||
		!polc_set_has_addr(p->box->sets[POLC_SLOT_ADDRESS + p->side], &entry->addr))
		return false;
	p->real = id;
	for (uint32_t i = 0; i < space->variables.n; i++) {
		if (!space->variables.items[i].of_node)
			continue;
		uint32_t value = 0;
		for (size_t j = 0; j < id->n_labels; j++)
			if (!strcmp(id->labels[j].key, space->variables.items[i].key))
				value = polc_space_value(space, id->labels[j].value);
		if (!narrow_to_value(p, i, value))
			return false;
	}
	return take_addresses(p, &entry->addr, 1);
}

bool reach_party_take(struct reach_party *p, size_t index)
{
	p->real = NULL;
	return class_of(p) == POLC_CLASS_POD ? take_pod(p, index) : take_node(p, index);
}

/* --- made up -------------------------------------------------------------------------------- */

static bool is_listed(const struct polc_set *set, uint32_t value)
{
	return polc_set_has_value(set, value) != set->complement;
}

/* A value of the set that is neither "absent" nor `not`; the set has one. */
static uint32_t some_value(
	struct reach_party *p, const struct polc_set *set, const char *liked, uint32_t not )
{
	struct polc_space *space = p->reach->space;
	uint32_t value;

	for (size_t i = 0; !set->complement && i < set->n_values; i++)
		if (set->values[i] && set->values[i] != not )
			return set->values[i];
	for (unsigned i = 1;; i++) {
		value = polc_space_value(
			space, i == 1   ? liked
			       : i == 2 ? "other"
					: polc_arena_printf(space->arena, "other-%u", i));
		if (value != not &&!is_listed(set, value))
			return value;
	}
}

static uint32_t the_value(const struct polc_set *set)
{
	return set->complement || set->n_values != 1 ? 0 : set->values[0];
}

/* Another namespace than the other party's, unless it must be the same: see agree_on_namespace().
 */
static bool invent_namespace(struct reach_party *p)
{
	const struct polc_set *set = p->box->sets[label_slot(p, 0)];
	enum polc_party_side other = p->side == POLC_SOURCE ? POLC_DESTINATION : POLC_SOURCE;
	uint32_t theirs = 0;

	if (the_value(set))
		return true;
	if (p->box->class[other] == POLC_CLASS_POD)
		theirs = the_value(p->box->sets[polc_space_label_slot(p->reach->space, other, 0)]);
	return narrow_to_value(p, 0, some_value(p, set, "default", theirs));
}

bool reach_party_invent(struct reach_party *p)
{
	const struct polc_space *space = p->reach->space;

	p->real = NULL;
	if (class_of(p) == POLC_CLASS_POD && !invent_namespace(p))
		return false;
	for (uint32_t i = 0; i < space->variables.n; i++) {
		const struct polc_set *set = p->box->sets[label_slot(p, i)];
		uint32_t value = polc_set_has_value(set, 0) ? 0 : some_value(p, set, "any", 0);
		if (!narrow_to_value(p, i, value))
			return false;
	}
	return true;
}

/* --- addresses ------------------------------------------------------------------------------ */

static bool is_among(const struct polb_addr *addr, const struct polb_addr *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!polb_addr_compare(addr, &list[i]))
			return true;
	return false;
}

static bool is_in_inventory(const struct polc_reach *reach, const struct polb_addr *addr)
{
	struct polb_identity_view view;
	uint32_t number;

	if (!reach->inventory)
		return false;
	polc_identity_view(reach->inventory, addr, NULL, &view, &number);
	return !(view.kinds & POLB_KIND_WORLD);
}

/* What addresses of a class look like, IPv4 and IPv6: the first is liked best. */
static const char *const liked[POLC_CLASSES][2][3] = {
	[POLC_CLASS_POD] = {{"10.0.0.1", "10.0.0.2", "10.0.0.3"},
		{"fd00::1", "fd00::2", "fd00::3"}},
	[POLC_CLASS_OTHER] = {{"203.0.113.1", "198.51.100.1", "203.0.113.2"},
		{"2001:db8::1", "2001:db8::2", "2001:db8::3"}},
	[POLC_CLASS_NODE] = {{"192.168.0.1", "192.168.0.2", "192.168.0.3"},
		{"fd01::1", "fd01::2", "fd01::3"}},
};

/* The best address of the set: `known`: even one of the inventory. */
static bool pick_address(struct reach_party *p, uint8_t family, const struct polb_addr * not,
	size_t n_not, bool known)
{
	const struct polc_set *set = p->box->sets[POLC_SLOT_ADDRESS + p->side];
	const struct polc_ranges *r = &set->ranges[family == 6];
	struct polb_addr addr;

	for (size_t i = 0; i < 3; i++)
		if (!polb_addr_parse(liked[class_of(p)][family == 6][i], &addr) &&
			polc_set_has_addr(set, &addr) && !is_among(&addr, not, n_not) &&
			(known || !is_in_inventory(p->reach, &addr))) {
			p->addr = addr;
			return true;
		}
	for (size_t i = 0; i < r->n; i++)
		for (polc_wide step = 0; step <= n_not + 8; step++) {
			/* the first address of a prefix looks like the prefix: the second before it
			 */
			polc_wide size = r->items[i].hi - r->items[i].lo;
			if (step > size && step - size > 1)
				break;
			addr = polc_addr_of_number(
				family, r->items[i].lo + (size > 1 ? step ^ 1 : step));
			if (polc_set_has_addr(set, &addr) && !is_among(&addr, not, n_not) &&
				(known || !is_in_inventory(p->reach, &addr))) {
				p->addr = addr;
				return true;
			}
		}
	return false;
}

bool reach_party_address(
	struct reach_party *p, uint8_t family, const struct polb_addr * not, size_t n_not)
{
	return (!p->real && pick_address(p, family, not, n_not, false)) ||
	       pick_address(p, family, not, n_not, true);
}

/* --- what the caller gets --------------------------------------------------------------------- */

static int compare_labels(const void *pa, const void *pb)
{
	const struct polb_label *a = pa, *b = pb;
	int c = strcmp(a->source, b->source);

	return c ? c : strcmp(a->key, b->key);
}

static void add_label(
	struct polc_identity *id, struct polb_label *labels, const char *key, const char *value)
{
	labels[id->n_labels++] = (struct polb_label){"k8s", key, value};
}

/* The labels that the box has come down to, and those that every pod has. */
static void invented_labels(const struct reach_party *p, struct polc_identity *id)
{
	const struct polc_space *space = p->reach->space;
	bool pod = class_of(p) == POLC_CLASS_POD;
	struct polb_label *labels =
		POLC_NEW_ARRAY(p->reach->arena, space->variables.n + 3, struct polb_label);

	for (uint32_t i = 0; i < space->variables.n; i++) {
		const struct polc_variable *v = &space->variables.items[i];
		uint32_t value = the_value(p->box->sets[label_slot(p, i)]);
		if (!value || v->of_node == pod || class_of(p) == POLC_CLASS_OTHER)
			continue;
		labels[id->n_labels++] = (struct polb_label){
			v->of_node ? "node" : "k8s", v->key, space->values.items[value]};
	}
	if (pod) {
		uint32_t namespace = the_value(p->box->sets[label_slot(p, 0)]);
		add_label(id, labels, METADATA_NAME, space->values.items[namespace]);
		add_label(id, labels, POLC_LABEL_CLUSTER, space->cluster_name);
	}
	if (id->n_labels)
		qsort(labels, id->n_labels, sizeof(*labels), compare_labels);
	id->labels = labels;
}

static void invented_ports(
	const struct reach_party *p, uint8_t protocol, uint16_t port, struct polc_identity *id)
{
	const struct polc_space *space = p->reach->space;
	struct polb_named_port *ports =
		POLC_NEW_ARRAY(p->reach->arena, space->names.n, struct polb_named_port);

	for (size_t i = 0; p->side == POLC_DESTINATION && i < space->names.n; i++)
		if (p->box->sets[POLC_SLOT_FIRST + i]->mask == POLC_NAME_YES)
			ports[id->n_ports++] =
				(struct polb_named_port){space->names.items[i], protocol, port};
	if (id->n_ports)
		qsort(ports, id->n_ports, sizeof(*ports), polc_named_port_compare);
	id->ports = ports;
}

static const struct polc_pod *invented_pod(
	const struct reach_party *p, const struct polc_identity *id)
{
	struct polc_pod *pod = POLC_NEW(p->reach->arena, struct polc_pod);
	const struct polc_space *space = p->reach->space;

	pod->namespace = space->values.items[the_value(p->box->sets[label_slot(p, 0)])];
	pod->name = "any";
	pod->node = p->node;
	*polc_vec_push(p->reach->arena, &pod->addrs) = p->addr;
	for (size_t i = 0; i < id->n_labels; i++)
		if (strncmp(id->labels[i].key, POLC_LABEL_CILIUM_PREFIX,
			    strlen(POLC_LABEL_CILIUM_PREFIX)) != 0 &&
			strcmp(id->labels[i].key, POLC_LABEL_NAMESPACE) != 0)
			*polc_vec_push(p->reach->arena, &pod->labels) = id->labels[i];
	for (size_t i = 0; i < id->n_ports; i++)
		*polc_vec_push(p->reach->arena, &pod->ports) = id->ports[i];
	return pod;
}

static void add_word(
	struct polc_buf *text, const char **separator, const char *key, const char *value)
{
	polc_buf_printf(text, "%s%s=%s", *separator, key, value);
	*separator = ", ";
}

static void pod_text(const struct polc_witness_party *out, struct polc_buf *text)
{
	const char *separator = " with ";
	size_t prefix = strlen(POLC_LABEL_NAMESPACE_LABELS);

	polc_buf_printf(text, "pod of namespace %s", out->pod->namespace);
	for (size_t i = 0; i < out->identity.n_labels; i++) {
		const struct polb_label *l = &out->identity.labels[i];
		if (!strncmp(l->key, POLC_LABEL_NAMESPACE_LABELS, prefix) &&
			strcmp(l->key, METADATA_NAME) != 0)
			add_word(text, &separator,
				polc_arena_printf(
					text->arena, "namespace label %s", l->key + prefix),
				l->value);
		if (!strcmp(l->key, POLC_LABEL_SERVICE_ACCOUNT))
			add_word(text, &separator, "service account", l->value);
	}
	for (size_t i = 0; i < out->pod->labels.n; i++)
		add_word(text, &separator, out->pod->labels.items[i].key,
			out->pod->labels.items[i].value);
	for (size_t i = 0; i < out->identity.n_ports; i++) {
		polc_buf_printf(text, "%sport %s", separator, out->identity.ports[i].name);
		separator = ", ";
	}
}

static void node_text(
	const struct reach_party *p, const struct polc_witness_party *out, struct polc_buf *text)
{
	const char *separator = " with ";
	bool local = polc_kinds_rows[p->row].kinds & POLB_KIND_HOST;

	if (p->real)
		polc_buf_printf(text, "node %s", out->node);
	else
		polc_buf_puts(text, local ? "its own node" : "another node");
	for (size_t i = 0; !p->real && i < out->identity.n_labels; i++)
		add_word(text, &separator, out->identity.labels[i].key,
			out->identity.labels[i].value);
}

static void address_text(
	const struct reach_party *p, const struct polc_witness_party *out, struct polc_buf *text)
{
	static const char *const names[] = {
#define X(bit, name, word) [bit] = word,
		POLB_KINDS(X)
#undef X
	};
	char addr[POLB_ADDR_TEXT];
	uint32_t kinds = polc_kinds_rows[p->row].kinds;

	polb_addr_format(&out->addr, addr);
	polc_buf_printf(text, "%s (%s)", addr, names[__builtin_ctz(kinds)]);
}

void reach_party_finish(
	struct reach_party *p, uint8_t protocol, uint16_t port, struct polc_witness_party *out)
{
	struct polc_buf text = {.arena = p->reach->arena};
	uint32_t kinds = polc_kinds_rows[p->row].kinds,
		 node = POLB_KIND_HOST | POLB_KIND_REMOTE_NODE;

	*out = (struct polc_witness_party){.addr = p->addr, .node = p->node, .invented = !p->real};
	if (p->real) {
		out->identity = *p->real;
		out->pod = p->real->pod;
	} else {
		invented_labels(p, &out->identity);
		invented_ports(p, protocol, port, &out->identity);
		if (class_of(p) == POLC_CLASS_POD)
			out->pod = invented_pod(p, &out->identity);
	}
	out->identity.kinds = kinds & node ? (kinds & ~node) | POLB_KIND_NODE : kinds;
	out->identity.number = 0;
	out->identity.node = p->node;
	out->identity.pod = out->pod;
	if (class_of(p) == POLC_CLASS_NODE)
		node_text(p, out, &text);
	else if (class_of(p) == POLC_CLASS_OTHER)
		address_text(p, out, &text);
	else if (p->real)
		polc_buf_printf(&text, "%s/%s", out->pod->namespace, out->pod->name);
	else
		pod_text(out, &text);
	out->text = text.p;
}
