/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a node needs to give tables to endpoints that the compiler did not see: the subjects,
 * policies of equal ones together, and tables for the combinations of subjects that an endpoint may
 * satisfy. Any that is missing is denied everything there, so guessing may stop anywhere.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/bundle.h"
#include "plan_internal.h"

enum {
	/* entries of tables x port classes that guesses may add: 1 MB for what differs by one thing
	 * from what is known, 256 kB for the rest */
	NEAR_ENTRIES = 1 << 18,
	FAR_ENTRIES = 1 << 16,
	LEAST_TABLES = 16,
	MAX_TABLES = 4096,
	MAX_PORT_LISTS = 32,
};

struct port_list {
	const struct polb_named_port *ports;
	size_t n;
};

struct polc_combinations {
	struct polc_planner *p;
	struct polc_table_maker maker;
	uint32_t *subject_of; /* per policy */
	POLC_VEC(struct polc_plan_subject) subjects;
	POLC_VEC(struct polc_plan_combination) list;
	uint32_t *hash; /* of list, + 1 */
	size_t hash_size;
	uint32_t *members; /* scratch: one per subject */
	POLC_VEC(struct port_list) port_lists;
	size_t near_tables, far_tables; /* guesses end at so many */
};

/* --- subjects ------------------------------------------------------------------------------- */

struct governed {
	const uint32_t *selectors; /* sorted */
	size_t n;
	uint32_t policy;
};

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int compare_lists(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
	for (size_t i = 0; i < n_a && i < n_b; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return (n_a > n_b) - (n_a < n_b);
}

static int compare_governed(const void *pa, const void *pb)
{
	const struct governed *a = pa, *b = pb;
	int order = compare_lists(a->selectors, a->n, b->selectors, b->n);

	return order ? order : compare_ids(&a->policy, &b->policy);
}

static struct governed governed_by(struct polc_planner *p, uint32_t policy)
{
	const struct polc_net_policy *from = &p->network->policies[policy];
	uint32_t *selectors = POLC_NEW_ARRAY(p->arena, from->n_subjects, uint32_t);

	if (from->n_subjects) {
		memcpy(selectors, from->subjects, from->n_subjects * sizeof(*selectors));
		qsort(selectors, from->n_subjects, sizeof(*selectors), compare_ids);
	}
	return (struct governed){selectors, from->n_subjects, policy};
}

struct named {
	struct polc_planner *p;
	POLC_VEC(struct polb_named_port) ports;
};

static void collect_named(struct named *named, const struct polc_net_policy *policy)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};

	for (uint32_t i = 0; i < policy->n_rules; i++) {
		const struct polc_net_rule *rule =
			&named->p->network->rules[policy->first_rule + i];
		for (size_t j = 0; rule->direction == POLC_INGRESS && j < rule->n_ports; j++)
			for (size_t k = 0; k < 3; k++)
				if (rule->ports[j].kind == POLC_PORT_NAME &&
					(rule->ports[j].protocols &
						polc_protocol_bit(protocols[k])))
					*polc_vec_push(named->p->arena, &named->ports) =
						(struct polb_named_port){
							rule->ports[j].name, protocols[k], 0};
	}
}

static size_t unique_ports(struct polb_named_port *ports, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(ports, n, sizeof(*ports), polc_named_port_compare);
	for (size_t i = 0; i < n; i++)
		if (!i || polc_named_port_compare(&ports[i], &ports[kept - 1]))
			ports[kept++] = ports[i];
	return kept;
}

/* One subject of the policies [first, end) of the sorted list, which govern the same. */
static void add_subject(
	struct polc_combinations *c, const struct governed *list, size_t first, size_t end)
{
	const struct polc_network *network = c->p->network;
	struct polc_plan_subject s = {
		.selectors = list[first].selectors, .n_selectors = list[first].n};
	struct named named = {.p = c->p};

	for (size_t i = first; i < end; i++) {
		const struct polc_net_policy *policy = &network->policies[list[i].policy];
		for (int d = 0; d < 2; d++)
			s.directions |= policy->selects[d] ? 1u << d : 0;
		if (policy->selects[POLC_INGRESS])
			collect_named(&named, policy);
		c->subject_of[list[i].policy] = (uint32_t)c->subjects.n;
	}
	/* who is audited in one direction may then isolate in the other (plan_variants.c) */
	if (network->posture == POLC_POSTURE_DENY && network->n_switchables)
		s.directions = 3;
	s.n_ports = unique_ports(named.ports.items, named.ports.n);
	s.ports = named.ports.items;
	*polc_vec_push(c->p->arena, &c->subjects) = s;
}

static void find_subjects(struct polc_combinations *c)
{
	size_t n = c->p->network->n_policies, first = 0;
	struct governed *list = POLC_NEW_ARRAY(c->p->arena, n, struct governed);

	for (size_t i = 0; i < n; i++)
		list[i] = governed_by(c->p, (uint32_t)i);
	if (n)
		qsort(list, n, sizeof(*list), compare_governed);
	for (size_t i = 1; i <= n; i++)
		if (i == n || compare_lists(list[first].selectors, list[first].n, list[i].selectors,
				      list[i].n)) {
			add_subject(c, list, first, i);
			first = i;
		}
}

/* --- combinations --------------------------------------------------------------------------- */

static int compare_combinations(const void *pa, const void *pb)
{
	const struct polc_plan_combination *a = pa, *b = pb;
	int order = (a->direction > b->direction) - (a->direction < b->direction);

	if (!order)
		order = (a->n_subjects > b->n_subjects) - (a->n_subjects < b->n_subjects);
	if (!order)
		order = compare_lists(a->subjects, a->n_subjects, b->subjects, b->n_subjects);
	if (!order)
		order = (a->n_ports > b->n_ports) - (a->n_ports < b->n_ports);
	for (size_t i = 0; !order && i < a->n_ports; i++)
		order = polc_named_port_compare(&a->ports[i], &b->ports[i]);
	return order;
}

static size_t hash_of(const struct polc_plan_combination *c)
{
	uint64_t h = c->direction + 1;

	for (size_t i = 0; i < c->n_subjects; i++)
		h = (h ^ c->subjects[i]) * 0x9e3779b97f4a7c15ull;
	for (size_t i = 0; i < c->n_ports; i++)
		h = (h ^ c->ports[i].port) * 0x9e3779b97f4a7c15ull;
	return (size_t)(h ^ h >> 32);
}

/* Where it is in the hash, or would be. */
static uint32_t *slot_of(
	const struct polc_combinations *c, const struct polc_plan_combination *wanted)
{
	size_t slot = hash_of(wanted) & (c->hash_size - 1);

	while (c->hash[slot] && compare_combinations(&c->list.items[c->hash[slot] - 1], wanted))
		slot = (slot + 1) & (c->hash_size - 1);
	return &c->hash[slot];
}

static void grow_hash(struct polc_combinations *c)
{
	c->hash_size = c->hash_size ? c->hash_size * 2 : 64;
	c->hash = POLC_NEW_ARRAY(c->p->arena, c->hash_size, uint32_t);
	for (size_t i = 0; i < c->list.n; i++)
		*slot_of(c, &c->list.items[i]) = (uint32_t)i + 1;
}

/* The subjects of the selected policies that speak about a direction, ascending, each once. */
static size_t members_of(struct polc_combinations *c, const struct polc_selection *selection,
	enum polc_direction direction)
{
	const struct polc_net_policy *policies = c->p->network->policies;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < selection->n; i++) {
		uint32_t subject = c->subject_of[selection->policies[i] - policies];
		if (c->subjects.items[subject].directions & 1u << direction)
			c->members[n++] = subject;
	}
	if (n)
		qsort(c->members, n, sizeof(*c->members), compare_ids);
	for (size_t i = 0; i < n; i++)
		if (!i || c->members[i] != c->members[kept - 1])
			c->members[kept++] = c->members[i];
	return kept;
}

static bool needs_none(const struct polc_combinations *c, const struct polc_selection *selection)
{
	enum polc_posture posture = c->p->network->posture;

	return posture == POLC_POSTURE_ALLOW || (posture == POLC_POSTURE_DENY && selection->n);
}

static void add_one(struct polc_combinations *c, const struct polc_selection *selection,
	const struct polb_named_port *ports, size_t n_ports, enum polc_direction direction)
{
	struct polc_arena *arena = c->p->arena;
	struct polc_plan_combination key = {.direction = direction,
		.subjects = c->members,
		.n_subjects = members_of(c, selection, direction)};
	struct polb_named_port *named = NULL;

	if (!key.n_subjects && needs_none(c, selection))
		return; /* no table: nothing is decided there */
	if (direction == POLC_INGRESS && n_ports) {
		named = POLC_NEW_ARRAY(arena, n_ports, struct polb_named_port);
		key.n_ports = c->maker.named(c->maker.context, selection, ports, n_ports, named);
		key.ports = named;
	}
	if (c->list.n * 2 >= c->hash_size)
		grow_hash(c);
	uint32_t *slot = slot_of(c, &key);
	if (*slot)
		return;
	uint32_t *subjects = POLC_NEW_ARRAY(arena, key.n_subjects, uint32_t);
	if (key.n_subjects)
		memcpy(subjects, c->members, key.n_subjects * sizeof(*subjects));
	key.subjects = subjects;
	key.table = c->maker.table(c->maker.context, selection, ports, n_ports, direction);
	*polc_vec_push(arena, &c->list) = key;
	*slot = (uint32_t)c->list.n;
}

void polc_combinations_add(struct polc_combinations *c, const struct polc_selection *selection,
	const struct polb_named_port *ports, size_t n_ports)
{
	for (int d = 0; d < 2; d++)
		add_one(c, selection, ports, n_ports, (enum polc_direction)d);
}

struct polc_combinations *polc_combinations_begin(
	struct polc_planner *p, const struct polc_table_maker *maker)
{
	struct polc_combinations *c = POLC_NEW(p->arena, struct polc_combinations);

	c->p = p;
	c->maker = *maker;
	c->subject_of = POLC_NEW_ARRAY(p->arena, p->network->n_policies, uint32_t);
	c->members = POLC_NEW_ARRAY(p->arena, p->network->n_policies, uint32_t);
	find_subjects(c);
	return c;
}

/* --- guesses -------------------------------------------------------------------------------- */

static int compare_port_lists(const void *pa, const void *pb)
{
	const struct port_list *a = pa, *b = pb;
	int order = (a->n > b->n) - (a->n < b->n);

	for (size_t i = 0; !order && i < a->n; i++)
		order = polc_named_port_compare(&a->ports[i], &b->ports[i]);
	return order;
}

/* The distinct lists of named ports of the inventory, the shortest first, so many as are allowed.
 */
static void collect_port_lists(struct polc_combinations *c)
{
	const struct polc_identities *ids = c->p->identities;
	size_t kept = 0;

	for (size_t i = 0; i < ids->identities.n; i++)
		if (ids->identities.items[i].n_ports)
			*polc_vec_push(c->p->arena, &c->port_lists) = (struct port_list){
				ids->identities.items[i].ports, ids->identities.items[i].n_ports};
	if (c->port_lists.n)
		qsort(c->port_lists.items, c->port_lists.n, sizeof(*c->port_lists.items),
			compare_port_lists);
	for (size_t i = 0; i < c->port_lists.n && kept < MAX_PORT_LISTS; i++)
		if (!i ||
			compare_port_lists(&c->port_lists.items[i], &c->port_lists.items[kept - 1]))
			c->port_lists.items[kept++] = c->port_lists.items[i];
	c->port_lists.n = kept;
}

/* More switchable policies than variants are made of would be an error: nobody has it yet. */
static bool too_switchable(
	const struct polc_combinations *c, const struct polc_selection *selection)
{
	uint32_t seen[POLB_MAX_SWITCHABLE_OF_TABLE] = {0}, n = 0;

	for (size_t i = 0; c->p->network->n_switchables && i < selection->n; i++) {
		uint32_t switchable = selection->policies[i]->switchable, at = 0;
		while (at < n && seen[at] != switchable)
			at++;
		if (!switchable || at < n)
			continue;
		if (n == POLB_MAX_SWITCHABLE_OF_TABLE)
			return true;
		seen[n++] = switchable;
	}
	return false;
}

static bool names_ports(const struct polc_combinations *c, const struct polc_selection *selection)
{
	const struct polc_net_policy *policies = c->p->network->policies;

	for (size_t i = 0; i < selection->n; i++)
		if (c->subjects.items[c->subject_of[selection->policies[i] - policies]].n_ports)
			return true;
	return false;
}

static bool guess(void *context, const struct polb_label *labels, size_t n, unsigned distance)
{
	struct polc_combinations *c = context;
	const struct polb_identity_view view = {
		.kinds = POLB_KIND_POD, .labels = labels, .n_labels = n};
	struct polc_selection s = c->maker.select(c->maker.context, &view);
	size_t limit = distance < 2 ? c->near_tables : c->far_tables;

	if (c->p->tables.n >= limit)
		return false;
	if (too_switchable(c, &s))
		return true;
	polc_combinations_add(c, &s, NULL, 0);
	if (!names_ports(c, &s))
		return true;
	for (size_t i = 0; i < c->port_lists.n && c->p->tables.n < limit; i++)
		polc_combinations_add(
			c, &s, c->port_lists.items[i].ports, c->port_lists.items[i].n);
	return true;
}

static size_t tables_for(const struct polc_combinations *c, size_t entries)
{
	/* every range cuts ports at its ends; each variant is a table too */
	size_t n_classes = 2 * c->p->items.n + 1, n = entries / n_classes;

	if (c->p->network->n_switchables)
		n /= 4;
	n = n < LEAST_TABLES ? LEAST_TABLES : n;
	return c->p->tables.n + (n < MAX_TABLES ? n : MAX_TABLES);
}

void polc_combinations_end(struct polc_combinations *c)
{
	struct polc_planner *p = c->p;

	c->near_tables = tables_for(c, NEAR_ENTRIES);
	c->far_tables = tables_for(c, FAR_ENTRIES);
	collect_port_lists(c);
	polc_plan_vocabulary(p, guess, c);
	if (c->list.n)
		qsort(c->list.items, c->list.n, sizeof(*c->list.items), compare_combinations);
	*polc_vec_push(p->arena, &c->list) = (struct polc_plan_combination){
		.direction = POLB_COMBINATION_OTHER, .table = c->maker.closed(c->maker.context)};
	p->plan->subjects = c->subjects.items;
	p->plan->n_subjects = (uint32_t)c->subjects.n;
	p->plan->combinations = c->list.items;
	p->plan->n_combinations = (uint32_t)c->list.n;
}
