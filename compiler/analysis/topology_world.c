/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One set of policies seen from its endpoints (which policies govern each) and from its peers
 * (which rules speak about each), each distinct answer numbered once.
 */
#include <stdlib.h>

#include "topology_internal.h"

static uint64_t hash_bytes(const uint8_t *bytes, size_t n)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

static uint32_t *find_slot(struct polc_intern *table, const void *bytes, size_t n)
{
	size_t at = hash_bytes(bytes, n) & (table->n_slots - 1);

	for (;; at = (at + 1) & (table->n_slots - 1)) {
		uint32_t slot = table->slots[at];

		if (!slot || (table->list.items[slot - 1].n == n &&
				     !memcmp(table->list.items[slot - 1].bytes, bytes, n)))
			return &table->slots[at];
	}
}

static void grow_slots(struct polc_intern *table)
{
	table->n_slots = table->n_slots ? table->n_slots * 2 : 64;
	table->slots = POLC_NEW_ARRAY(table->arena, table->n_slots, uint32_t);
	for (size_t i = 0; i < table->list.n; i++)
		*find_slot(table, table->list.items[i].bytes, table->list.items[i].n) =
			(uint32_t)i + 1;
}

uint32_t polc_intern(struct polc_intern *table, const void *bytes, size_t n)
{
	if (table->list.n * 2 >= table->n_slots)
		grow_slots(table);
	uint32_t *slot = find_slot(table, bytes, n);

	if (!*slot) {
		void *copy = polc_arena_alloc(table->arena, n + 1);

		memcpy(copy, bytes, n);
		polc_vec_push(table->arena, &table->list);
		table->list.items[table->list.n - 1].bytes = copy;
		table->list.items[table->list.n - 1].n = n;
		*slot = (uint32_t)table->list.n;
	}
	return *slot - 1;
}

void polc_topology_world_init(struct polc_topology_builder *b, size_t set)
{
	struct polc_topology_world *w = &b->worlds[set];
	const struct polc_network *network = w->set->network;
	bool *names = POLC_NEW_ARRAY(b->arena, network->n_rules, bool);

	w->view_table.arena = w->subject_table.arena = b->arena;
	w->rule_words = polc_bits_words(network->n_rules);
	w->selector_words = polc_bits_words(network->n_selectors);
	w->rule_ports = POLC_NEW_ARRAY(b->arena, network->n_rules, uint64_t *);
	w->rule_has_names = names;
	for (size_t i = 0; i < network->n_rules; i++) {
		const struct polc_net_rule *rule = &network->rules[i];

		w->rule_ports[i] = POLC_NEW_ARRAY(b->arena, b->space.words, uint64_t);
		for (size_t j = 0; j < rule->n_ports; j++) {
			if (rule->ports[j].kind == POLC_PORT_NAME)
				names[i] = w->names_matter = true;
			else
				polc_port_space_cover(
					&b->space, &rule->ports[j], NULL, 0, w->rule_ports[i]);
		}
	}
}

/* Bytes that are equal when rules cannot tell two parties' ports apart. */
static void add_ports_key(struct polc_buf *key, const struct polb_named_port *ports, size_t n_ports)
{
	for (size_t i = 0; i < n_ports; i++)
		polc_buf_printf(key, "%s/%u/%u,", ports[i].name, ports[i].protocol, ports[i].port);
}

static bool needs_address(const struct polb_selector *selector)
{
	return selector->has_prefix || selector->n_excepts || selector->port_name;
}

/* Selectors that look at labels and kinds alone, once for all pods of one identity number. */
static const uint64_t *match_labels(struct polc_topology_builder *b, struct polc_topology_world *w,
	uint32_t number, const struct polb_identity_view *view)
{
	bool shared = number >= 256; /* reserved numbers stand for many views */

	while (shared && w->label_matches.n <= number)
		*polc_vec_push(b->arena, &w->label_matches) = NULL;
	if (shared && w->label_matches.items[number])
		return w->label_matches.items[number];
	uint64_t *bits = POLC_NEW_ARRAY(b->arena, w->selector_words, uint64_t);

	for (size_t i = 0; i < w->set->network->n_selectors; i++)
		if (!needs_address(&w->set->network->selectors[i]) &&
			polb_selector_matches(&w->set->network->selectors[i], view))
			polc_bits_set(bits, i);
	if (shared)
		w->label_matches.items[number] = bits;
	return bits;
}

static void match_rules(struct polc_topology_builder *b, struct polc_topology_world *w,
	uint32_t number, const struct polb_identity_view *view, uint64_t *rules)
{
	const struct polc_network *network = w->set->network;
	const uint64_t *by_labels = match_labels(b, w, number, view);
	struct polc_arena scratch = {0};
	uint64_t *bits = POLC_NEW_ARRAY(&scratch, w->selector_words, uint64_t);

	polc_bits_add(bits, by_labels, w->selector_words);
	for (size_t i = 0; i < network->n_selectors; i++)
		if (needs_address(&network->selectors[i]) &&
			polb_selector_matches(&network->selectors[i], view))
			polc_bits_set(bits, i);
	for (size_t i = 0; i < network->n_rules; i++)
		for (size_t j = 0; j < network->rules[i].n_selectors; j++)
			if (polc_bits_has(bits, network->rules[i].selectors[j])) {
				polc_bits_set(rules, i);
				break;
			}
	polc_arena_free(&scratch);
}

uint32_t polc_topology_view_of(
	struct polc_topology_builder *b, size_t set, const struct polb_addr *addr, const char *node)
{
	struct polc_topology_world *w = &b->worlds[set];
	struct polb_identity_view view;
	uint32_t number;
	uint64_t *rules = POLC_NEW_ARRAY(b->arena, w->rule_words, uint64_t);
	struct polc_buf key = {.arena = b->arena};

	polc_identity_view(w->set->identities, addr, node, &view, &number);
	match_rules(b, w, number, &view, rules);
	struct polc_topology_view out = {.families = addr->family == 4 ? 1 : 2,
		.host = view.kinds & POLB_KIND_HOST,
		.rules = rules,
		.ports = view.ports,
		.n_ports = w->names_matter ? view.n_ports : 0};

	polc_buf_add(&key, (const char *)rules, w->rule_words * sizeof(*rules));
	polc_buf_printf(&key, "%u%d ", out.families, out.host);
	add_ports_key(&key, out.ports, out.n_ports);
	uint32_t id = polc_intern(&w->view_table, key.p, key.n);

	if (id == w->views.n)
		*polc_vec_push(b->arena, &w->views) = out;
	return id;
}

static int compare_policies(const void *pa, const void *pb)
{
	return polc_policy_compare_order(*(const struct polc_net_policy *const *)pa,
		*(const struct polc_net_policy *const *)pb);
}

static bool is_subject(const struct polc_network *network, const struct polc_net_policy *policy,
	const struct polb_identity_view *view)
{
	for (size_t i = 0; i < policy->n_subjects; i++)
		if (polb_selector_matches(&network->selectors[policy->subjects[i]], view))
			return true;
	return false;
}

static void govern(struct polc_topology_builder *b, const struct polc_network *network,
	const struct polb_identity_view *view, struct polc_topology_subject *out)
{
	bool selected = false;

	for (size_t i = 0; i < network->n_policies; i++) {
		const struct polc_net_policy *p = &network->policies[i];

		if (!is_subject(network, p, view))
			continue;
		selected = true;
		for (int dir = 0; dir < 2; dir++) {
			if (!p->selects[dir])
				continue;
			out->isolated[dir] |= p->isolates[dir];
			*polc_vec_push(b->arena, &out->policies[dir]) = p;
		}
	}
	for (int dir = 0; dir < 2; dir++) {
		out->isolated[dir] |= network->posture == POLC_POSTURE_ALWAYS;
		out->isolated[dir] |= network->posture == POLC_POSTURE_DENY && !selected;
		if (out->policies[dir].n)
			qsort(out->policies[dir].items, out->policies[dir].n,
				sizeof(*out->policies[dir].items), compare_policies);
	}
}

static void subject_key(const struct polc_topology_world *w, const struct polc_topology_subject *s,
	struct polc_buf *key)
{
	for (int dir = 0; dir < 2; dir++) {
		polc_buf_printf(key, "%d:", s->isolated[dir]);
		for (size_t i = 0; i < s->policies[dir].n; i++)
			polc_buf_printf(key, "%zu,",
				(size_t)(s->policies[dir].items[i] - w->set->network->policies));
	}
	add_ports_key(key, s->ports, s->n_ports);
}

uint32_t polc_topology_subject_of(
	struct polc_topology_builder *b, size_t set, const struct polc_endpoint *endpoint)
{
	struct polc_topology_world *w = &b->worlds[set];
	const struct polc_identity *id = &w->set->identities->identities.items[endpoint->identity];
	const struct polb_identity_view view = {.kinds = id->kinds,
		.labels = id->labels,
		.n_labels = id->n_labels,
		.ports = id->ports,
		.n_ports = id->n_ports};
	struct polc_topology_subject subject = {
		.ports = id->ports, .n_ports = w->names_matter ? id->n_ports : 0};
	struct polc_buf key = {.arena = b->arena};

	while (w->subjects_of.n <= id->number)
		*polc_vec_push(b->arena, &w->subjects_of) = POLC_NO_SUBJECT;
	uint32_t *known = &w->subjects_of.items[id->number];

	if (*known != POLC_NO_SUBJECT && !w->names_matter)
		return *known;
	govern(b, w->set->network, &view, &subject);
	subject_key(w, &subject, &key);
	*known = polc_intern(&w->subject_table, key.p, key.n);
	if (*known == w->subjects.n)
		*polc_vec_push(b->arena, &w->subjects) = subject;
	return *known;
}
