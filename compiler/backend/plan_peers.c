/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Selector bits, and who satisfies which: classes of equal bit vectors, exact addresses, prefixes.
 * A prefix entry carries the bits of every prefix that covers it, minus excepts, so that a broad
 * denial holds under a narrower entry (reference, trap 26).
 */
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

static uint32_t add_bit(struct polc_planner *p, const struct polb_selector *s)
{
	*polc_vec_push(p->arena, &p->selectors) = *s;
	return (uint32_t)p->selectors.n - 1;
}

static bool isolates_ingress(const struct polc_network *network)
{
	for (size_t i = 0; i < network->n_policies; i++)
		if (network->policies[i].isolates[POLC_INGRESS])
			return true;
	return network->posture != POLC_POSTURE_ALLOW;
}

void polc_plan_number_selectors(struct polc_planner *p)
{
	const struct polc_network *network = p->network;
	struct polb_selector host = {.kinds = POLB_KIND_HOST};

	p->selector_bit = POLC_NEW_ARRAY(p->arena, network->n_selectors, uint32_t);
	for (size_t i = 0; i < network->n_rules; i++)
		for (size_t j = 0; j < network->rules[i].n_selectors; j++)
			p->selector_bit[network->rules[i].selectors[j]] = 1;
	p->host_bit = UINT32_MAX;
	for (size_t i = 0; i < network->n_selectors; i++) {
		if (!p->selector_bit[i])
			continue;
		p->selector_bit[i] = add_bit(p, &network->selectors[i]) + 1;
		if (!polb_selector_compare(&network->selectors[i], &host))
			p->host_bit = p->selector_bit[i] - 1;
	}
	if (p->host_bit == UINT32_MAX && isolates_ingress(network))
		p->host_bit = add_bit(p, &host);
}

const uint32_t *polc_plan_rule_bits(
	struct polc_planner *p, const struct polc_net_rule *rule, size_t *n)
{
	uint32_t *bits = POLC_NEW_ARRAY(p->arena, rule->n_selectors, uint32_t);

	for (size_t i = 0; i < rule->n_selectors; i++)
		bits[i] = p->selector_bit[rule->selectors[i]] - 1;
	*n = rule->n_selectors;
	return bits;
}

uint32_t polc_plan_port_bit(struct polc_planner *p, uint32_t selector, const char *name,
	uint8_t protocol, uint16_t number)
{
	struct polb_selector s = p->network->selectors[selector];

	s.port_name = name;
	s.port_protocol = protocol;
	s.port_number = number;
	for (size_t i = p->selectors.n; i-- > 0 && p->selectors.items[i].port_name;)
		if (!polb_selector_compare(&p->selectors.items[i], &s))
			return (uint32_t)i;
	return add_bit(p, &s);
}

struct classes {
	struct polc_planner *p;
	size_t n_words;
	POLC_VEC(struct polc_plan_class) list;
	uint32_t *hash; /* class + 1 */
	size_t size;
};

static uint64_t hash_bits(const uint64_t *bits, size_t n_words)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < n_words; i++) {
		h = (h ^ bits[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	return h;
}

static void grow_classes(struct classes *c)
{
	c->size = c->size ? c->size * 2 : 64;
	c->hash = POLC_NEW_ARRAY(c->p->arena, c->size, uint32_t);
	for (size_t i = 0; i < c->list.n; i++) {
		size_t slot = hash_bits(c->list.items[i].bits, c->n_words) & (c->size - 1);
		while (c->hash[slot])
			slot = (slot + 1) & (c->size - 1);
		c->hash[slot] = (uint32_t)i + 1;
	}
}

/* The class of a bit vector, which is copied when new. The first two are added unconditionally. */
static uint32_t class_of(struct classes *c, const uint64_t *bits)
{
	size_t bytes = c->n_words * sizeof(uint64_t);

	if (c->list.n * 2 >= c->size)
		grow_classes(c);
	size_t slot = hash_bits(bits, c->n_words) & (c->size - 1);
	for (; c->hash[slot]; slot = (slot + 1) & (c->size - 1))
		if (!memcmp(c->list.items[c->hash[slot] - 1].bits, bits, bytes))
			return c->hash[slot] - 1;
	uint64_t *copy = POLC_NEW_ARRAY(c->p->arena, c->n_words, uint64_t);
	memcpy(copy, bits, bytes);
	*polc_vec_push(c->p->arena, &c->list) = (struct polc_plan_class){copy};
	c->hash[slot] = (uint32_t)c->list.n;
	return (uint32_t)c->list.n - 1;
}

/* All prefixes that selectors name (also as excepts), sorted, each with its covering one. */
struct prefix_node {
	struct polb_prefix prefix;
	int32_t parent;
	uint64_t *bits; /* of the prefix selectors that hold here */
};

struct tree {
	struct prefix_node *nodes;
	size_t n;
};

static int compare_prefixes(const void *pa, const void *pb)
{
	return polb_prefix_compare(pa, pb);
}

/* Where it has no entry of its own, an address of 127.0.0.0/8 is the host (ir/identity.c). */
static const struct polb_prefix loopback = {.addr = {4, {127}}, .len = 8};

static bool is_default_route(const struct polb_prefix *prefix)
{
	return prefix->len == 0;
}

static struct tree make_tree(struct polc_planner *p)
{
	POLC_VEC(struct polb_prefix) all = {0};
	struct tree t = {0};
	bool ipv4 = false;

	for (size_t i = 0; i < p->selectors.n; i++) {
		const struct polb_selector *s = &p->selectors.items[i];
		if (!s->has_prefix)
			continue;
		*polc_vec_push(p->arena, &all) = s->prefix;
		for (size_t j = 0; j < s->n_excepts; j++)
			*polc_vec_push(p->arena, &all) = s->excepts[j];
	}
	for (size_t i = 0; i < all.n; i++)
		ipv4 |= all.items[i].addr.family == 4 && !is_default_route(&all.items[i]);
	if (ipv4)
		*polc_vec_push(p->arena, &all) = loopback;
	t.nodes = POLC_NEW_ARRAY(p->arena, all.n, struct prefix_node);
	if (all.n)
		qsort(all.items, all.n, sizeof(*all.items), compare_prefixes);
	for (size_t i = 0; i < all.n; i++) {
		if (t.n && !polb_prefix_compare(&t.nodes[t.n - 1].prefix, &all.items[i]))
			continue;
		int32_t parent = (int32_t)t.n - 1;
		while (parent >= 0 && !polb_prefix_covers(&t.nodes[parent].prefix, &all.items[i]))
			parent = t.nodes[parent].parent;
		t.nodes[t.n++] = (struct prefix_node){.prefix = all.items[i], .parent = parent};
	}
	return t;
}

static size_t find_node(const struct tree *t, const struct polb_prefix *prefix)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = polb_prefix_compare(&t->nodes[mid].prefix, prefix);
		if (!c)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	POLC_BUG("prefix not in its own tree");
}

struct change {
	uint32_t node;
	uint32_t bit;
	bool clear;
};

/* Clears after sets: a prefix that is its own except selects nothing. */
static int compare_changes(const void *pa, const void *pb)
{
	const struct change *a = pa, *b = pb;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return (a->clear > b->clear) - (a->clear < b->clear);
}

/* Bits of a node: its parent's, plus the selectors of exactly this prefix, minus those that except
 * it. */
static void fill_tree(struct polc_planner *p, struct tree *t, size_t n_words)
{
	POLC_VEC(struct change) changes = {0};
	size_t at = 0;

	for (size_t i = 0; i < p->selectors.n; i++) {
		const struct polb_selector *s = &p->selectors.items[i];
		if (!s->has_prefix)
			continue;
		*polc_vec_push(p->arena, &changes) =
			(struct change){(uint32_t)find_node(t, &s->prefix), (uint32_t)i, false};
		for (size_t j = 0; j < s->n_excepts; j++)
			*polc_vec_push(p->arena, &changes) = (struct change){
				(uint32_t)find_node(t, &s->excepts[j]), (uint32_t)i, true};
	}
	if (changes.n)
		qsort(changes.items, changes.n, sizeof(*changes.items), compare_changes);
	for (size_t i = 0; i < t->n; i++) {
		struct prefix_node *node = &t->nodes[i];
		node->bits = POLC_NEW_ARRAY(p->arena, n_words, uint64_t);
		if (node->parent >= 0)
			memcpy(node->bits, t->nodes[node->parent].bits, n_words * sizeof(uint64_t));
		for (; at < changes.n && changes.items[at].node == i; at++) {
			uint32_t bit = changes.items[at].bit;
			if (changes.items[at].clear)
				node->bits[bit / 64] &= ~(1ull << (bit % 64));
			else
				polc_bit_set(node->bits, bit);
		}
	}
}

/* The longest prefix of the tree that has the address, or NULL. */
static const struct prefix_node *longest(const struct tree *t, const struct polb_addr *addr)
{
	struct polb_prefix host = {.addr = *addr, .len = addr->family == 4 ? 32 : 128};
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (polb_prefix_compare(&t->nodes[mid].prefix, &host) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	int32_t i = (int32_t)lo - 1;
	while (i >= 0 && !polb_prefix_has(&t->nodes[i].prefix, addr))
		i = t->nodes[i].parent;
	return i < 0 ? NULL : &t->nodes[i];
}

struct peers {
	struct polc_planner *p;
	const struct polc_selector_index *index;
	struct tree tree;
	struct classes classes;
	uint64_t *scratch;
};

/* Adds the prefix selectors in `from` whose other conditions the view meets. */
static void add_prefix_bits(
	struct peers *s, const uint64_t *from, const struct polb_identity_view *view)
{
	for (size_t w = 0; w < s->classes.n_words; w++)
		for (uint64_t rest = from[w]; rest; rest &= rest - 1) {
			uint32_t bit = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(rest);
			struct polb_selector other = s->p->selectors.items[bit];
			other.has_prefix = false;
			other.n_excepts = 0;
			if (polb_selector_matches(&other, view))
				polc_bit_set(s->scratch, bit);
		}
}

static uint32_t class_of_view(
	struct peers *s, const struct polb_identity_view *view, const struct prefix_node *node)
{
	memset(s->scratch, 0, s->classes.n_words * sizeof(uint64_t));
	polc_selector_index_match(s->index, view, s->scratch);
	if (node)
		add_prefix_bits(s, node->bits, view);
	return class_of(&s->classes, s->scratch);
}

/* The world of one family: addresses that no prefix but /0 covers. */
static void add_world(struct peers *s, uint8_t family)
{
	struct polb_addr unspecified = {.family = family};
	struct polb_identity_view view = {
		.kinds = polb_kinds_world(&unspecified), .addr = unspecified};
	const struct prefix_node *node = NULL;

	for (size_t i = 0; i < s->tree.n; i++)
		if (is_default_route(&s->tree.nodes[i].prefix) &&
			s->tree.nodes[i].prefix.addr.family == family)
			node = &s->tree.nodes[i];
	memset(s->scratch, 0, s->classes.n_words * sizeof(uint64_t));
	polc_selector_index_match(s->index, &view, s->scratch);
	if (node)
		add_prefix_bits(s, node->bits, &view);
	/* not through class_of(): both worlds keep their own number even when equal */
	uint64_t *copy = POLC_NEW_ARRAY(s->p->arena, s->classes.n_words, uint64_t);
	memcpy(copy, s->scratch, s->classes.n_words * sizeof(uint64_t));
	*polc_vec_push(s->p->arena, &s->classes.list) = (struct polc_plan_class){copy};
}

enum { IDENTITY_CIDR_FIRST = 0x01000001 };

static void add_cidrs(struct peers *s)
{
	struct polc_plan_cidr *out = POLC_NEW_ARRAY(s->p->arena, s->tree.n, struct polc_plan_cidr);
	uint32_t n = 0;

	for (size_t i = 0; i < s->tree.n; i++) {
		const struct prefix_node *node = &s->tree.nodes[i];
		struct polb_identity_view view = {
			.kinds = polb_prefix_covers(&loopback, &node->prefix)
					 ? POLB_KIND_HOST
					 : polb_kinds_world(&node->prefix.addr),
			.addr = node->prefix.addr};
		if (is_default_route(&node->prefix))
			continue;
		if (node->prefix.addr.family == 4)
			s->p->plan->uses_ipv4_cidr = true;
		else
			s->p->plan->uses_ipv6_cidr = true;
		out[n] = (struct polc_plan_cidr){.prefix = node->prefix,
			.identity_number = IDENTITY_CIDR_FIRST + n,
			.class_id = class_of_view(s, &view, node)};
		n++;
	}
	s->p->plan->cidrs = out;
	s->p->plan->n_cidrs = n;
}

static void add_exact(struct peers *s)
{
	const struct polc_identities *ids = s->p->identities;
	struct polc_plan_peer *out =
		POLC_NEW_ARRAY(s->p->arena, ids->addresses.n, struct polc_plan_peer);

	for (size_t i = 0; i < ids->addresses.n; i++) {
		const struct polc_address_entry *a = &ids->addresses.items[i];
		const struct polc_identity *id = &ids->identities.items[a->identity];
		const struct prefix_node *node = longest(&s->tree, &a->addr);
		struct polb_identity_view view;
		polc_identity_view(ids, &a->addr, NULL, &view, &out[i].identity_number);
		out[i].addr = a->addr;
		out[i].class_id = out[i].local_class_id = class_of_view(s, &view, node);
		if (!(id->kinds & POLB_KIND_NODE) || !id->node)
			continue;
		out[i].node = id->node;
		polc_identity_view(ids, &a->addr, id->node, &view, NULL);
		out[i].local_class_id = class_of_view(s, &view, node);
	}
	s->p->plan->peers = out;
	s->p->plan->n_peers = (uint32_t)ids->addresses.n;
}

static uint32_t round_up_power(uint32_t n, uint32_t limit)
{
	uint32_t power = 1;

	while (power < n)
		power *= 2;
	return power < limit ? power : limit;
}

/* Room for two more words than any class needs now, so that new identities fit (design 5). */
static void measure_classes(struct peers *s)
{
	uint32_t most = 0;

	for (size_t i = 0; i < s->classes.list.n; i++) {
		uint32_t n = 0;
		for (size_t w = 0; w < s->classes.n_words; w++)
			n += s->classes.list.items[i].bits[w] != 0;
		most = n > most ? n : most;
	}
	s->p->plan->class_words = round_up_power(most + 2, (uint32_t)s->classes.n_words);
}

void polc_plan_peers(struct polc_planner *p)
{
	size_t n_words = p->selectors.n ? (p->selectors.n + 63) / 64 : 1;
	struct peers s = {.p = p,
		.index = polc_selector_index_build(p->arena, p->selectors.items, p->selectors.n),
		.tree = make_tree(p),
		.classes = {.p = p, .n_words = n_words},
		.scratch = POLC_NEW_ARRAY(p->arena, n_words, uint64_t)};

	fill_tree(p, &s.tree, n_words);
	add_world(&s, 4);
	add_world(&s, 6);
	add_cidrs(&s);
	add_exact(&s);
	measure_classes(&s);
	p->plan->selectors = p->selectors.items;
	p->plan->n_selectors = (uint32_t)p->selectors.n;
	p->plan->n_words = (uint32_t)n_words;
	p->plan->classes = s.classes.list.items;
	p->plan->n_classes = (uint32_t)s.classes.list.n;
}
