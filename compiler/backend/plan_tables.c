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
	uint64_t *bits; /* select_policies(): selectors that hold */
	POLC_VEC(const struct polc_net_policy *) found;
	struct polc_combinations *combinations;
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
	uint64_t h =
		0xcbf29ce484222325ull ^ (uint64_t)k->direction << 2 ^ k->closed << 1 ^ k->isolated;

	h = hash_bytes(h, k->policies, k->n_policies * sizeof(*k->policies));
	for (size_t i = 0; i < k->n_ports; i++) {
		h = hash_bytes(h, k->ports[i].name, strlen(k->ports[i].name) + 1);
		h = hash_bytes(h, &k->ports[i].port, sizeof(k->ports[i].port));
	}
	return hash_bytes(h, k->elsewhere, k->n_elsewhere * sizeof(*k->elsewhere));
}

static bool same_ids(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
	return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof(*a)));
}

static bool same_table(const struct polc_table *a, const struct polc_table *b)
{
	if (a->hash != b->hash || a->direction != b->direction || a->isolated != b->isolated ||
		a->closed != b->closed || a->n_ports != b->n_ports || a->governed != b->governed ||
		!same_ids(a->policies, a->n_policies, b->policies, b->n_policies) ||
		!same_ids(a->elsewhere, a->n_elsewhere, b->elsewhere, b->n_elsewhere))
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
	if (!key->n_policies && !key->isolated && !key->n_elsewhere)
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
	t->bits = POLC_NEW_ARRAY(p->arena, (p->network->n_selectors + 63) / 64, uint64_t);
	t->subjects =
		polc_selector_index_build(p->arena, p->network->selectors, p->network->n_selectors);
}

static int compare_policies(const void *pa, const void *pb)
{
	return polc_policy_compare_order(*(const struct polc_net_policy *const *)pa,
		*(const struct polc_net_policy *const *)pb);
}

/* All policies that select the identity, each once, in order of evaluation; in t->found. */
static struct polc_selection select_policies(
	struct tables *t, const struct polb_identity_view *view)
{
	struct polc_planner *p = t->p;
	size_t n_words = (p->network->n_selectors + 63) / 64;
	struct polc_selection s = {0};

	if (n_words)
		memset(t->bits, 0, n_words * sizeof(*t->bits));
	t->found.n = 0;
	polc_selector_index_match(t->subjects, view, t->bits);
	for (size_t w = 0; w < n_words; w++)
		for (uint64_t rest = t->bits[w]; rest; rest &= rest - 1) {
			size_t sel = w * 64 + (size_t)__builtin_ctzll(rest);
			for (size_t i = 0; i < t->n_selector_policies[sel]; i++)
				*polc_vec_push(p->arena, &t->found) =
					&p->network->policies[t->selector_policies[sel][i]];
		}
	if (t->found.n)
		qsort(t->found.items, t->found.n, sizeof(*t->found.items), compare_policies);
	for (size_t i = 0; i < t->found.n; i++)
		if (!i || t->found.items[i] != t->found.items[s.n - 1])
			t->found.items[s.n++] = t->found.items[i];
	s.policies = t->found.items;
	return s;
}

static bool has_named_ingress(const struct tables *t, const struct polc_net_policy *policy)
{
	for (uint32_t j = 0; j < policy->n_rules; j++)
		if (t->rule_named[policy->first_rule + j])
			return true;
	return false;
}

static bool rule_names(const struct polc_net_rule *rule, const struct polb_named_port *port)
{
	if (rule->direction != POLC_INGRESS)
		return false;
	for (size_t i = 0; i < rule->n_ports; i++)
		if (rule->ports[i].kind == POLC_PORT_NAME &&
			(rule->ports[i].protocols & polc_protocol_bit(port->protocol)) &&
			!strcmp(rule->ports[i].name, port->name))
			return true;
	return false;
}

static bool is_named(
	const struct tables *t, const struct polc_selection *s, const struct polb_named_port *port)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct polc_net_policy *policy = s->policies[i];
		if (!policy->selects[POLC_INGRESS] || !has_named_ingress(t, policy))
			continue;
		for (uint32_t j = 0; j < policy->n_rules; j++)
			if (rule_names(&t->p->network->rules[policy->first_rule + j], port))
				return true;
	}
	return false;
}

/* Of an endpoint's named ports, sorted, those that matter to its ingress table. */
static size_t named_ports(void *context, const struct polc_selection *s,
	const struct polb_named_port *ports, size_t n_ports, struct polb_named_port *out)
{
	size_t n = 0;

	for (size_t i = 0; i < n_ports; i++)
		if ((!n || polc_named_port_compare(&out[n - 1], &ports[i])) &&
			is_named(context, s, &ports[i]))
			out[n++] = ports[i];
	return n;
}

/*
 * With posture "deny" an endpoint that no policy selects in either direction is isolated in both:
 * who else may be in audit mode matters here, too.
 */
static void note_elsewhere(struct tables *t, const struct polc_selection *s, struct polc_table *key)
{
	const struct polc_network *network = t->p->network;
	uint32_t *elsewhere = POLC_NEW_ARRAY(t->p->arena, s->n, uint32_t);

	if (network->posture != POLC_POSTURE_DENY || !network->n_switchables)
		return;
	for (size_t i = 0; i < s->n; i++) {
		key->governed |= !s->policies[i]->switchable;
		if (!s->policies[i]->selects[key->direction])
			elsewhere[key->n_elsewhere++] =
				(uint32_t)(s->policies[i] - network->policies);
	}
	key->elsewhere = elsewhere;
	if (key->governed)
		key->n_elsewhere = 0;
}

static uint32_t table_for(void *context, const struct polc_selection *s,
	const struct polb_named_port *ports, size_t n_ports, enum polc_direction direction)
{
	struct tables *t = context;
	const struct polc_network *network = t->p->network;
	uint32_t *policies = POLC_NEW_ARRAY(t->p->arena, s->n, uint32_t);
	struct polc_table key = {.direction = direction, .policies = policies};

	for (size_t i = 0; i < s->n; i++) {
		const struct polc_net_policy *policy = s->policies[i];
		if (!policy->selects[direction])
			continue;
		policies[key.n_policies++] = (uint32_t)(policy - network->policies);
		key.isolated |= policy->isolates[direction];
	}
	if (direction == POLC_INGRESS && n_ports) {
		struct polb_named_port *own =
			POLC_NEW_ARRAY(t->p->arena, n_ports, struct polb_named_port);
		key.ports = own;
		key.n_ports = named_ports(t, s, ports, n_ports, own);
	}
	key.isolated |= network->posture == POLC_POSTURE_ALWAYS;
	key.isolated |= network->posture == POLC_POSTURE_DENY && !s->n;
	note_elsewhere(t, s, &key);
	return intern_table(t, &key);
}

/* Of a variant: ports matter only when one of the policies that are left names them. */
static uint32_t intern_variant(void *context, const struct polc_table *variant)
{
	struct tables *t = context;
	struct polc_table key = *variant;
	bool named = false;

	for (size_t i = 0; i < key.n_policies; i++)
		named |= has_named_ingress(t, &t->p->network->policies[key.policies[i]]);
	if (!named)
		key.n_ports = 0;
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
		struct polc_selection s = select_policies(t, &view);
		polc_combinations_add(t->combinations, &s, id->ports, id->n_ports);
		for (int d = 0; d < 2; d++)
			tables[d] =
				table_for(t, &s, id->ports, id->n_ports, (enum polc_direction)d);
	}
}

static struct polc_selection select_for(void *context, const struct polb_identity_view *view)
{
	return select_policies(context, view);
}

static uint32_t closed_table(void *context)
{
	struct polc_table key = {.direction = POLC_INGRESS, .isolated = true, .closed = true};

	return intern_table(context, &key);
}

void polc_plan_tables(struct polc_planner *p)
{
	struct tables t = {.p = p};
	const struct polc_table_maker maker = {.context = &t,
		.select = select_for,
		.table = table_for,
		.named = named_ports,
		.closed = closed_table};

	*polc_vec_push(p->arena, &p->tables) = (struct polc_table){0};
	cut_rules(&t);
	index_subjects(&t);
	t.combinations = polc_combinations_begin(p, &maker);
	assign_endpoints(&t);
	polc_combinations_end(t.combinations);
	polc_plan_variants(p, intern_variant, &t);
}
