// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Networks over very few labels, namespaces, prefixes and ports, so that their rules meet, cover
// each other in parts and fall into all tiers; and a second one that differs in a few places.
#include "networks.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/ir/labels.h"
#include "runtime/abi.h"

#define PICK(g, list) ((list)[rng_below((g)->rng, POLC_ARRAY_SIZE(list))])

enum { SELECTORS = 14, MAX_RULES = 40 };

struct gen {
	struct rng *rng;
	struct polc_arena *arena;
	const struct polb_selector *selectors;
	size_t n_selectors, n_subjects; /* the first are for subjects too */
	uint32_t first_name;
};

static bool chance(struct gen *g, unsigned percent)
{
	return rng_chance(g->rng, percent);
}

/* --- selectors ------------------------------------------------------------------------------ */

static const char *const apps[] = {"web", "api"}, *const namespaces[] = {"a", "b"},
			 *const teams[] = {"red", "blue"}, *const zones[] = {"z1"},
			 *const nothing[] = {""};
static const struct {
	const char *source, *key;
	const char *const *values;
	unsigned n;
} labels[] = {{"k8s", "app", apps, 2}, {"any", "app", apps, 2},
	{"k8s", POLC_LABEL_NAMESPACE, namespaces, 2}, {"k8s", POLC_LABEL_NAMESPACE, namespaces, 2},
	{"k8s", POLC_LABEL_NAMESPACE_LABELS "team", teams, 2},
	{"k8s", POLC_LABEL_NAMESPACE_LABELS "team", teams, 2},
	{"k8s", POLC_LABEL_NAMESPACE_LABELS "kubernetes.io/metadata.name", namespaces, 2},
	{"node", "zone", zones, 1}, {"reserved", "host", nothing, 1},
	{"reserved", "kube-apiserver", nothing, 1}};

static struct polb_requirement requirement(struct gen *g)
{
	unsigned i = rng_below(g->rng, POLC_ARRAY_SIZE(labels));
	struct polb_requirement r = {.op = (enum polb_operator)rng_below(g->rng, 4),
		.source = labels[i].source,
		.key = labels[i].key};

	if (r.op <= POLB_OP_NOT_IN) {
		r.values = &labels[i].values[rng_below(g->rng, labels[i].n)];
		r.n_values = 1;
	}
	return r;
}

static void prefix(struct gen *g, struct polb_selector *s)
{
	static const char *const all[] = {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "10.1.2.3/32",
		"0.0.0.0/0", "fd00::/8", "fd00::1/128", "::/0"};
	struct polb_prefix *except = POLC_NEW(g->arena, struct polb_prefix);

	s->has_prefix = true;
	polb_prefix_parse(PICK(g, all), false, &s->prefix);
	polb_prefix_parse(PICK(g, all), false, except);
	if (polb_prefix_covers(&s->prefix, except) && except->len > s->prefix.len) {
		s->excepts = except;
		s->n_excepts = 1;
	}
}

static struct polb_selector selector(struct gen *g, bool subject)
{
	static const uint32_t kinds[] = {POLB_KIND_ANY, POLB_KIND_ANY, POLB_KIND_POD, POLB_KIND_POD,
		POLB_KIND_WORLD, POLB_KIND_HOST, POLB_KIND_HOST | POLB_KIND_REMOTE_NODE,
		POLB_KIND_KUBE_APISERVER, POLB_KIND_WORLD_IPV6, POLB_KIND_HEALTH};
	struct polb_selector s = {.kinds = subject ? POLB_KIND_POD : PICK(g, kinds)};

	if (!subject && chance(g, 25)) {
		s.kinds = chance(g, 50) ? POLB_KIND_ANY : POLB_KIND_WORLD;
		prefix(g, &s);
		return s;
	}
	s.n_requirements = rng_below(g->rng, 3);
	struct polb_requirement *r =
		POLC_NEW_ARRAY(g->arena, s.n_requirements, struct polb_requirement);

	for (size_t i = 0; i < s.n_requirements; i++)
		r[i] = requirement(g);
	s.requirements = r;
	return s;
}

static int compare_selectors(const void *a, const void *b)
{
	return polb_selector_compare(a, b);
}

static void make_selectors(struct gen *g)
{
	struct polb_selector *all = POLC_NEW_ARRAY(g->arena, SELECTORS, struct polb_selector);
	size_t n = 0;

	for (int i = 0; i < SELECTORS; i++)
		all[i] = selector(g, i < SELECTORS / 2);
	qsort(all, SELECTORS, sizeof(*all), compare_selectors);
	for (int i = 0; i < SELECTORS; i++)
		if (!i || polb_selector_compare(&all[i], &all[n - 1]))
			all[n++] = all[i];
	g->selectors = all;
	g->n_selectors = n;
}

/* One or two as a rule, sometimes none. */
static const uint32_t *choose(struct gen *g, bool subject, size_t *n)
{
	uint32_t *ids = POLC_NEW_ARRAY(g->arena, g->n_selectors, uint32_t);
	uint32_t liked[2];

	*n = 0;
	for (int i = 0; i < 2; i++)
		liked[i] = chance(g, i ? 40 : 92) ? rng_below(g->rng, (unsigned)g->n_selectors)
						  : UINT32_MAX;
	for (uint32_t i = 0; i < g->n_selectors; i++)
		if ((i == liked[0] || i == liked[1]) &&
			(!subject || g->selectors[i].kinds == POLB_KIND_POD))
			ids[(*n)++] = i;
	if (subject && !*n)
		for (uint32_t i = 0; i < g->n_selectors && !*n; i++)
			if (g->selectors[i].kinds == POLB_KIND_POD && chance(g, 40))
				ids[(*n)++] = i;
	return ids;
}

/* --- rules ---------------------------------------------------------------------------------- */

static const struct polc_net_port ports[] = {{.kind = POLC_PORT_ALL}, {.kind = POLC_PORT_ALL},
	{.kind = POLC_PORT_ALL, .protocols = POLC_PROTO_TCP},
	{.kind = POLC_PORT_RANGE, .protocols = POLC_PROTO_TCP, .lo = 80, .hi = 80},
	{.kind = POLC_PORT_RANGE, .protocols = POLC_PROTO_ANY, .lo = 80, .hi = 443},
	{.kind = POLC_PORT_NAME, .protocols = POLC_PROTO_TCP, .name = "http"},
	{.kind = POLC_PORT_NAME, .protocols = POLC_PROTO_ANY, .name = "http"},
	{.kind = POLC_PORT_NAME, .protocols = POLC_PROTO_TCP, .name = "dns"},
	{.kind = POLC_PORT_RANGE, .protocols = POLC_PROTO_ICMPV6, .lo = 130, .hi = 130},
	{.kind = POLC_PORT_RANGE, .protocols = POLC_PROTO_ICMP, .lo = 8, .hi = 8},
	{.kind = POLC_PORT_ALL, .protocols = POLC_PROTO_OTHER, .lo = 1},
	{.kind = POLC_PORT_ALL, .protocols = POLC_PROTO_OTHER, .lo = 47}};

static struct polc_net_rule rule(struct gen *g, enum polc_tier tier)
{
	struct polc_net_rule r = {.direction = chance(g, 65) ? POLC_INGRESS : POLC_EGRESS,
		.action = (enum polc_action)rng_below(g->rng, tier == POLC_TIER_MIDDLE ? 2 : 3),
		.n_ports = 1};

	r.selectors = choose(g, false, &r.n_selectors);
	r.ports = &ports[rng_below(g->rng, POLC_ARRAY_SIZE(ports))];
	if (chance(g, 25) && r.ports + 1 < ports + POLC_ARRAY_SIZE(ports))
		r.n_ports = 2;
	return r;
}

struct draft {
	struct polc_net_policy policy;
	POLC_VEC(struct polc_net_rule) rules;
};
typedef POLC_VEC(struct draft) drafts;

static void add_draft(struct gen *g, drafts *out)
{
	struct draft *d = polc_vec_push(g->arena, out);

	*d = (struct draft){.policy = {.kind = POLC_KIND_CILIUM_CLUSTERWIDE,
				    .name = polc_arena_printf(g->arena, "p%u", g->first_name++),
				    .tier = (enum polc_tier)rng_below(g->rng, 3),
				    .priority = rng_below(g->rng, 20)}};
	struct polc_net_policy *p = &d->policy;
	bool middle = p->tier == POLC_TIER_MIDDLE;

	p->subjects = choose(g, true, &p->n_subjects);
	for (int i = 0; i < 2; i++) {
		p->selects[i] = chance(g, i ? 60 : 85);
		p->isolates[i] = middle && p->selects[i] && chance(g, 60);
	}
	for (unsigned n = rng_below(g->rng, 5); n; n--) {
		struct polc_net_rule r = rule(g, p->tier);
		if (p->selects[r.direction])
			*polc_vec_push(g->arena, &d->rules) = r;
	}
}

static const struct polc_network *finish(
	struct gen *g, const drafts *list, enum polc_posture posture)
{
	struct polc_network *out = POLC_NEW(g->arena, struct polc_network);
	struct polc_net_policy *policies =
		POLC_NEW_ARRAY(g->arena, list->n, struct polc_net_policy);
	POLC_VEC(struct polc_net_rule) rules = {0};

	for (uint32_t i = 0; i < list->n; i++) {
		policies[i] = list->items[i].policy;
		policies[i].first_rule = (uint32_t)rules.n;
		policies[i].n_rules = (uint32_t)list->items[i].rules.n;
		for (size_t j = 0; j < list->items[i].rules.n; j++) {
			struct polc_net_rule r = list->items[i].rules.items[j];
			r.policy = i;
			r.id = POLB_RULE_FIRST + (uint32_t)rules.n;
			*polc_vec_push(g->arena, &rules) = r;
		}
	}
	*out = (struct polc_network){.selectors = g->selectors,
		.n_selectors = g->n_selectors,
		.policies = policies,
		.n_policies = list->n,
		.rules = rules.items,
		.n_rules = rules.n,
		.posture = posture};
	polc_network_verify(out);
	return out;
}

/* --- what changes --------------------------------------------------------------------------- */

static void change_rule(struct gen *g, struct draft *d, size_t i)
{
	struct polc_net_rule *r = &d->rules.items[i], other;
	size_t j = rng_below(g->rng, (unsigned)d->rules.n);

	switch (rng_below(g->rng, 5)) {
	case 0: /* places change */
		other = *r;
		*r = d->rules.items[j];
		d->rules.items[j] = other;
		break;
	case 1:
	case 2:
		r->action = (enum polc_action)rng_below(
			g->rng, d->policy.tier == POLC_TIER_MIDDLE ? 2 : 3);
		break;
	case 3:
		r->selectors = choose(g, false, &r->n_selectors);
		break;
	default:
		r->ports = &ports[rng_below(g->rng, POLC_ARRAY_SIZE(ports) - 1)];
	}
}

static void change_draft(struct gen *g, struct draft *d)
{
	/* rules are shared with the old network: a copy */
	struct draft copy = {.policy = d->policy};

	for (size_t i = 0; i < d->rules.n; i++)
		if (!chance(g, 10))
			*polc_vec_push(g->arena, &copy.rules) = d->rules.items[i];
	for (size_t i = 0; i < copy.rules.n; i++)
		if (chance(g, 30))
			change_rule(g, &copy, i);
	if (chance(g, 40))
		copy.policy.priority = rng_below(g->rng, 20);
	if (chance(g, 10))
		copy.policy.subjects = choose(g, true, &copy.policy.n_subjects);
	*d = copy;
}

void networks_generate(
	struct rng *rng, struct polc_arena *arena, const struct polc_network *networks[2])
{
	struct gen g = {.rng = rng, .arena = arena};
	drafts old = {0}, new = {0};
	enum polc_posture posture =
		rng_chance(rng, 60) ? POLC_POSTURE_ALLOW : (enum polc_posture)rng_below(rng, 3);

	make_selectors(&g);
	for (unsigned n = 1 + rng_below(rng, 6); n; n--)
		add_draft(&g, &old);
	networks[0] = finish(&g, &old, posture);
	for (size_t i = 0; i < old.n; i++)
		if (!rng_chance(rng, 10))
			*polc_vec_push(arena, &new) = old.items[i];
	for (size_t i = 0; i < new.n; i++)
		if (rng_chance(rng, 50))
			change_draft(&g, &new.items[i]);
	if (rng_chance(rng, 25))
		add_draft(&g, &new);
	if (rng_chance(rng, 10))
		posture = (enum polc_posture)rng_below(rng, 3);
	networks[1] = finish(&g, &new, posture);
}
