/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tables: endpoints that the same policies govern in the same way share one per direction. Here the
 * policies that select an endpoint are found and their rules cut into parts, named ports resolved.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

typedef POLC_VEC(uint32_t) ids;

struct tables {
	struct polc_planner *p;
	const struct polc_selector_index *subjects;
	const uint32_t **selector_policies; /* per selector: policies whose subject it is */
	size_t *n_selector_policies;
	polc_rule_parts *rule_parts; /* per rule: parts that do not depend on the endpoint */
	bool *rule_named;            /* per rule: has named ingress ports */
	uint32_t *hash;              /* of tables, + 1 */
	size_t hash_size;
};

static uint32_t number_item(struct polc_planner *p, uint8_t protocol, uint16_t number)
{
	struct polc_net_port port = {.kind = POLC_PORT_RANGE,
		.protocols = polc_protocol_bit(protocol),
		.lo = number,
		.hi = number};

	return polc_plan_port_item(p, &port);
}

static void add_part(struct polc_planner *p, polc_rule_parts *parts, uint32_t rule, uint32_t item,
	const uint32_t *bits, size_t n_bits)
{
	if (n_bits)
		*polc_vec_push(p->arena, parts) = (struct polc_rule_part){rule, item, bits, n_bits};
}

/* Every (name, protocol, number) that any identity has, once. */
static struct polb_named_port *known_ports(struct polc_planner *p, size_t *n)
{
	POLC_VEC(struct polb_named_port) all = {0};

	for (size_t i = 0; i < p->identities->identities.n; i++) {
		const struct polc_identity *id = &p->identities->identities.items[i];
		for (size_t j = 0; j < id->n_ports; j++)
			*polc_vec_push(p->arena, &all) = id->ports[j];
	}
	*n = 0;
	if (all.n)
		qsort(all.items, all.n, sizeof(*all.items), polc_named_port_compare);
	for (size_t i = 0; i < all.n; i++)
		if (!*n || polc_named_port_compare(&all.items[*n - 1], &all.items[i]))
			all.items[(*n)++] = all.items[i];
	return all.items;
}

/*
 * A named port on egress is the peer's: for each number the name stands for, the rule speaks of
 * "selector, and has that port under that name" on that number.
 */
static void add_named_egress(struct tables *t, uint32_t rule, const struct polc_net_port *port,
	const struct polb_named_port *known, size_t n_known)
{
	const struct polc_net_rule *r = &t->p->network->rules[rule];

	for (size_t i = 0; i < n_known; i++) {
		if (strcmp(known[i].name, port->name) ||
			!(port->protocols & polc_protocol_bit(known[i].protocol)))
			continue;
		uint32_t *bits = POLC_NEW_ARRAY(t->p->arena, r->n_selectors, uint32_t);
		for (size_t j = 0; j < r->n_selectors; j++)
			bits[j] = polc_plan_port_bit(t->p, r->selectors[j], port->name,
				known[i].protocol, known[i].port);
		add_part(t->p, &t->rule_parts[rule], rule,
			number_item(t->p, known[i].protocol, known[i].port), bits, r->n_selectors);
	}
}

static void cut_rules(struct tables *t)
{
	struct polc_planner *p = t->p;
	size_t n_known;
	const struct polb_named_port *known = known_ports(p, &n_known);

	t->rule_parts = POLC_NEW_ARRAY(p->arena, p->network->n_rules, polc_rule_parts);
	t->rule_named = POLC_NEW_ARRAY(p->arena, p->network->n_rules, bool);
	for (uint32_t i = 0; i < p->network->n_rules; i++) {
		const struct polc_net_rule *r = &p->network->rules[i];
		size_t n_bits;
		const uint32_t *bits = polc_plan_rule_bits(p, r, &n_bits);
		for (size_t j = 0; j < r->n_ports; j++) {
			const struct polc_net_port *port = &r->ports[j];
			if (port->kind != POLC_PORT_NAME)
				add_part(p, &t->rule_parts[i], i, polc_plan_port_item(p, port),
					bits, n_bits);
			else if (r->direction == POLC_EGRESS)
				add_named_egress(t, i, port, known, n_known);
			else
				t->rule_named[i] = true;
		}
	}
}

static void add_named_ingress(struct tables *t, struct polc_table *table, uint32_t rule)
{
	const struct polc_net_rule *r = &t->p->network->rules[rule];
	size_t n_bits;
	const uint32_t *bits = polc_plan_rule_bits(t->p, r, &n_bits);

	for (size_t j = 0; j < r->n_ports; j++) {
		if (r->ports[j].kind != POLC_PORT_NAME)
			continue;
		for (size_t k = 0; k < table->n_ports; k++) {
			const struct polb_named_port *own = &table->ports[k];
			if (!strcmp(own->name, r->ports[j].name) &&
				(r->ports[j].protocols & polc_protocol_bit(own->protocol)))
				add_part(t->p, &table->parts, rule,
					number_item(t->p, own->protocol, own->port), bits, n_bits);
		}
	}
}

static void fill_parts(struct tables *t, struct polc_table *table)
{
	for (size_t i = 0; i < table->n_policies; i++) {
		const struct polc_net_policy *policy = &t->p->network->policies[table->policies[i]];
		for (uint32_t j = 0; j < policy->n_rules; j++) {
			uint32_t rule = policy->first_rule + j;
			const polc_rule_parts *parts = &t->rule_parts[rule];
			if (t->p->network->rules[rule].direction != table->direction)
				continue;
			for (size_t k = 0; k < parts->n; k++)
				*polc_vec_push(t->p->arena, &table->parts) = parts->items[k];
			if (t->rule_named[rule])
				add_named_ingress(t, table, rule);
		}
	}
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
	const unsigned char *b = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ull;
	return h;
}

static uint64_t hash_table_key(const struct polc_table *k)
{
	uint64_t h = 0xcbf29ce484222325ull ^ (uint64_t)k->direction << 1 ^ k->isolated;

	h = hash_bytes(h, k->policies, k->n_policies * sizeof(*k->policies));
	for (size_t i = 0; i < k->n_ports; i++) {
		h = hash_bytes(h, k->ports[i].name, strlen(k->ports[i].name) + 1);
		h = hash_bytes(h, &k->ports[i].port, sizeof(k->ports[i].port));
	}
	return h;
}

static bool same_table(const struct polc_table *a, const struct polc_table *b)
{
	if (a->hash != b->hash || a->direction != b->direction || a->isolated != b->isolated ||
		a->n_policies != b->n_policies || a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_policies; i++)
		if (a->policies[i] != b->policies[i])
			return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (polc_named_port_compare(&a->ports[i], &b->ports[i]))
			return false;
	return true;
}

static void grow_hash(struct tables *t)
{
	t->hash_size = t->hash_size ? t->hash_size * 2 : 64;
	t->hash = POLC_NEW_ARRAY(t->p->arena, t->hash_size, uint32_t);
	for (size_t i = 1; i < t->p->tables.n; i++) {
		size_t slot = t->p->tables.items[i].hash & (t->hash_size - 1);
		while (t->hash[slot])
			slot = (slot + 1) & (t->hash_size - 1);
		t->hash[slot] = (uint32_t)i + 1;
	}
}

static uint32_t intern_table(struct tables *t, struct polc_table *key)
{
	if (!key->n_policies && !key->isolated)
		return 0;
	key->hash = hash_table_key(key);
	if (t->p->tables.n * 2 >= t->hash_size)
		grow_hash(t);
	size_t slot = key->hash & (t->hash_size - 1);
	for (; t->hash[slot]; slot = (slot + 1) & (t->hash_size - 1))
		if (same_table(&t->p->tables.items[t->hash[slot] - 1], key))
			return t->hash[slot] - 1;
	fill_parts(t, key);
	*polc_vec_push(t->p->arena, &t->p->tables) = *key;
	t->hash[slot] = (uint32_t)t->p->tables.n;
	return (uint32_t)t->p->tables.n - 1;
}

/* For each selector the policies that have it as a subject. */
static void index_subjects(struct tables *t)
{
	struct polc_planner *p = t->p;
	ids *lists = POLC_NEW_ARRAY(p->arena, p->network->n_selectors, ids);

	for (uint32_t i = 0; i < p->network->n_policies; i++)
		for (size_t j = 0; j < p->network->policies[i].n_subjects; j++) {
			uint32_t s = p->network->policies[i].subjects[j];
			*polc_vec_push(p->arena, &lists[s]) = i;
		}
	t->selector_policies = POLC_NEW_ARRAY(p->arena, p->network->n_selectors, const uint32_t *);
	t->n_selector_policies = POLC_NEW_ARRAY(p->arena, p->network->n_selectors, size_t);
	for (size_t i = 0; i < p->network->n_selectors; i++) {
		t->selector_policies[i] = lists[i].items;
		t->n_selector_policies[i] = lists[i].n;
	}
	t->subjects =
		polc_selector_index_build(p->arena, p->network->selectors, p->network->n_selectors);
}

struct selection {
	const struct polc_net_policy **policies;
	size_t n;
};

static int compare_policies(const void *pa, const void *pb)
{
	return polc_policy_compare_order(*(const struct polc_net_policy *const *)pa,
		*(const struct polc_net_policy *const *)pb);
}

/* All policies that select the identity, each once, in order of evaluation. */
static struct selection select_policies(struct tables *t, const struct polb_identity_view *view)
{
	struct polc_planner *p = t->p;
	size_t n_words = (p->network->n_selectors + 63) / 64;
	uint64_t *bits = POLC_NEW_ARRAY(p->arena, n_words, uint64_t);
	POLC_VEC(const struct polc_net_policy *) found = {0};
	struct selection s = {0};

	polc_selector_index_match(t->subjects, view, bits);
	for (size_t w = 0; w < n_words; w++)
		for (uint64_t rest = bits[w]; rest; rest &= rest - 1) {
			size_t sel = w * 64 + (size_t)__builtin_ctzll(rest);
			for (size_t i = 0; i < t->n_selector_policies[sel]; i++)
				*polc_vec_push(p->arena, &found) =
					&p->network->policies[t->selector_policies[sel][i]];
		}
	if (found.n)
		qsort(found.items, found.n, sizeof(*found.items), compare_policies);
	for (size_t i = 0; i < found.n; i++)
		if (!i || found.items[i] != found.items[s.n - 1])
			found.items[s.n++] = found.items[i];
	s.policies = found.items;
	return s;
}

static bool has_named_ingress(const struct tables *t, const struct polc_net_policy *policy)
{
	for (uint32_t j = 0; j < policy->n_rules; j++)
		if (t->rule_named[policy->first_rule + j])
			return true;
	return false;
}

static uint32_t table_for(struct tables *t, const struct selection *s,
	const struct polc_identity *identity, enum polc_direction direction)
{
	const struct polc_network *network = t->p->network;
	uint32_t *policies = POLC_NEW_ARRAY(t->p->arena, s->n, uint32_t);
	struct polc_table key = {.direction = direction, .policies = policies};

	for (size_t i = 0; i < s->n; i++) {
		const struct polc_net_policy *policy = s->policies[i];
		if (!policy->selects[direction])
			continue;
		policies[key.n_policies++] = (uint32_t)(policy - network->policies);
		key.isolated |= policy->isolates[direction];
		if (direction == POLC_INGRESS && has_named_ingress(t, policy)) {
			key.ports = identity->ports;
			key.n_ports = identity->n_ports;
		}
	}
	key.isolated |= network->posture == POLC_POSTURE_ALWAYS;
	key.isolated |= network->posture == POLC_POSTURE_DENY && !s->n;
	return intern_table(t, &key);
}

struct same {
	uint32_t endpoint;
	const struct polc_identity *identity;
};

static int compare_same(const void *pa, const void *pb)
{
	const struct same *a = pa, *b = pb;
	const struct polc_identity *x = a->identity, *y = b->identity;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	if (x->n_ports != y->n_ports)
		return x->n_ports < y->n_ports ? -1 : 1;
	for (size_t i = 0; i < x->n_ports; i++) {
		int c = polc_named_port_compare(&x->ports[i], &y->ports[i]);
		if (c)
			return c;
	}
	return 0;
}

/* Endpoints of equal labels and ports are decided once. */
static void assign_endpoints(struct tables *t)
{
	struct polc_planner *p = t->p;
	size_t n = p->identities->endpoints.n;
	struct same *order = POLC_NEW_ARRAY(p->arena, n, struct same);

	for (size_t i = 0; i < n; i++)
		order[i] = (struct same){
			(uint32_t)i, &p->identities->identities
					      .items[p->identities->endpoints.items[i].identity]};
	if (n)
		qsort(order, n, sizeof(*order), compare_same);
	p->endpoint_tables = POLC_NEW_ARRAY(p->arena, 2 * n, uint32_t);
	for (size_t i = 0; i < n; i++) {
		uint32_t *tables = &p->endpoint_tables[2 * order[i].endpoint];
		if (i && !compare_same(&order[i - 1], &order[i])) {
			memcpy(tables, &p->endpoint_tables[2 * order[i - 1].endpoint],
				2 * sizeof(*tables));
			continue;
		}
		const struct polc_identity *id = order[i].identity;
		struct polb_identity_view view = {.kinds = id->kinds,
			.labels = id->labels,
			.n_labels = id->n_labels,
			.ports = id->ports,
			.n_ports = id->n_ports};
		struct selection s = select_policies(t, &view);
		for (int d = 0; d < 2; d++)
			tables[d] = table_for(t, &s, id, (enum polc_direction)d);
	}
}

void polc_plan_tables(struct polc_planner *p)
{
	struct tables t = {.p = p};

	*polc_vec_push(p->arena, &p->tables) = (struct polc_table){0};
	cut_rules(&t);
	index_subjects(&t);
	assign_endpoints(&t);
}
