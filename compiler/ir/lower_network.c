/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the syntax tree to the network IR: what each kind's lists, defaults and tiers mean
 * (reference 1.2 to 1.4, 4.1 to 4.3). Peers and subjects are in lower_peers.c.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/abi.h"
#include "lower.h"

static uint64_t mix(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

static uint64_t mix_text(uint64_t h, const char *text)
{
	return mix(h, text ? text : "", text ? strlen(text) + 1 : 1);
}

static uint64_t mix_prefix(uint64_t h, const struct polb_prefix *p)
{
	h = mix(h, &p->addr.family, 1);
	h = mix(h, p->addr.bytes, sizeof(p->addr.bytes));
	return mix(h, &p->len, 1);
}

static uint64_t hash_selector(const struct polb_selector *s)
{
	uint64_t h = mix(0xcbf29ce484222325ull, &s->kinds, sizeof(s->kinds));

	for (size_t i = 0; i < s->n_requirements; i++) {
		const struct polb_requirement *r = &s->requirements[i];
		h = mix_text(mix_text(mix(h, &r->op, sizeof(r->op)), r->source), r->key);
		for (size_t j = 0; j < r->n_values; j++)
			h = mix_text(h, r->values[j]);
	}
	if (s->has_prefix)
		h = mix_prefix(h, &s->prefix);
	for (size_t i = 0; i < s->n_excepts; i++)
		h = mix_prefix(h, &s->excepts[i]);
	return h;
}

static void grow_table(struct polc_lowering *l)
{
	size_t size = l->table_size ? l->table_size * 2 : 256;
	uint32_t *table = POLC_NEW_ARRAY(&l->polc->arena, size, uint32_t);

	for (size_t i = 0; i < l->selectors.n; i++) {
		size_t slot = l->selectors.items[i].hash & (size - 1);
		while (table[slot])
			slot = (slot + 1) & (size - 1);
		table[slot] = (uint32_t)i + 1;
	}
	l->table = table;
	l->table_size = size;
}

uint32_t polc_lower_intern(struct polc_lowering *l, const struct polb_selector *selector)
{
	uint64_t hash = hash_selector(selector);

	if (l->selectors.n * 2 >= l->table_size)
		grow_table(l);
	size_t slot = hash & (l->table_size - 1);
	for (; l->table[slot]; slot = (slot + 1) & (l->table_size - 1)) {
		struct polc_selector_slot *s = &l->selectors.items[l->table[slot] - 1];
		if (s->hash == hash && !polb_selector_compare(&s->selector, selector))
			return l->table[slot] - 1;
	}
	*polc_vec_push(&l->polc->arena, &l->selectors) =
		(struct polc_selector_slot){.selector = *selector, .hash = hash};
	l->table[slot] = (uint32_t)l->selectors.n;
	return (uint32_t)l->selectors.n - 1;
}

static uint32_t any_selector(struct polc_lowering *l)
{
	struct polb_selector any = {.kinds = POLB_KIND_ANY};

	return polc_lower_intern(l, &any);
}

static bool is_cilium(enum polc_policy_kind kind)
{
	return kind == POLC_KIND_CILIUM || kind == POLC_KIND_CILIUM_CLUSTERWIDE;
}

static const struct polc_net_port every_port = {.kind = POLC_PORT_ALL};

uint8_t polc_protocol_bit(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return POLC_PROTO_TCP;
	case IPPROTO_UDP:
		return POLC_PROTO_UDP;
	default:
		return protocol == IPPROTO_SCTP ? POLC_PROTO_SCTP : 0;
	}
}

static bool port_is_known(const struct polc_inventory *inventory, const struct polc_ast_port *port)
{
	for (size_t i = 0; i < inventory->pods.n; i++) {
		const struct polc_pod *pod = &inventory->pods.items[i];
		for (size_t j = 0; j < pod->ports.n; j++)
			if (!strcmp(pod->ports.items[j].name, port->name) &&
				(polc_protocol_bit(pod->ports.items[j].protocol) & port->protocols))
				return true;
	}
	return false;
}

/* A name that no pod knows stands for no port at all (1.8). */
static void check_port_name(
	struct polc_lowering *l, const struct polc_ast_rule *rule, const struct polc_ast_port *port)
{
	static const char *const verbs[] = {"allows", "denies", "passes"};

	if (l->input->inventory.given && !port_is_known(&l->input->inventory, port))
		polc_warn(l->polc, port->span, POLC_CODE_UNRESOLVED_PORT,
			"no pod of the inventory has a port named '%s' of this protocol: "
			"with it this rule %s nothing",
			port->name, verbs[rule->action]);
}

static void lower_ports(
	struct polc_lowering *l, const struct polc_ast_rule *rule, struct polc_net_rule *out)
{
	if (rule->ports_presence == POLC_ABSENT) {
		out->ports = &every_port;
		out->n_ports = 1;
		return;
	}
	struct polc_net_port *ports =
		POLC_NEW_ARRAY(&l->polc->arena, rule->ports.n, struct polc_net_port);
	for (size_t i = 0; i < rule->ports.n; i++) {
		const struct polc_ast_port *p = &rule->ports.items[i];
		if (p->kind == POLC_PORT_NAME)
			check_port_name(l, rule, p);
		ports[i] = (struct polc_net_port){.kind = p->kind,
			.protocols = p->protocols,
			.lo = p->lo,
			.hi = p->hi,
			.name = p->name};
	}
	out->ports = ports;
	out->n_ports = rule->ports.n;
}

static int compare_ids(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return (a > b) - (a < b);
}

static void lower_peers(struct polc_lowering *l, const struct polc_ast_policy *policy,
	const struct polc_ast_rule *rule, struct polc_net_rule *out)
{
	polc_ids ids = {0};

	if (rule->selects_nothing)
		return;
	if (rule->peers_presence == POLC_ABSENT)
		*polc_vec_push(&l->polc->arena, &ids) = any_selector(l);
	for (size_t i = 0; i < rule->peers.n; i++)
		polc_lower_peer(l, policy, rule, &rule->peers.items[i], &ids);
	out->selectors = ids.items;
	out->n_selectors = ids.n;
}

/*
 * --unsupported=deny: what cannot be enforced allows nothing, and denies (or passes) everything.
 * The specification asks the same of unknown peers (4.3).
 */
static void lower_unsupported(
	struct polc_lowering *l, const struct polc_ast_rule *rule, struct polc_net_rule *out)
{
	if (l->options->unsupported == POLC_UNSUPPORTED_ERROR) {
		polc_error(l->polc, rule->unsupported_span, POLC_CODE_UNSUPPORTED, "%s",
			rule->unsupported);
		return;
	}
	polc_warn(l->polc, rule->unsupported_span, POLC_CODE_UNSUPPORTED,
		"%s: this rule is compiled as %s", rule->unsupported,
		rule->action == POLC_ALLOW ? "nothing" : "a denial of everything");
	if (rule->action == POLC_ALLOW)
		return;
	uint32_t *ids = POLC_NEW_ARRAY(&l->polc->arena, 1, uint32_t);
	ids[0] = any_selector(l);
	out->action = POLC_DENY;
	out->selectors = ids;
	out->n_selectors = 1;
	out->ports = &every_port;
	out->n_ports = 1;
}

static void lower_rule(struct polc_lowering *l, const struct polc_ast_policy *policy,
	const struct polc_ast_spec *spec, const struct polc_ast_rule *rule)
{
	struct polc_net_rule out = {.id = POLB_RULE_FIRST + (uint32_t)l->rules.n,
		.policy = (uint32_t)l->policies.n,
		.direction = rule->direction,
		.action = rule->action,
		.log = spec->log,
		.span = rule->span};

	if (rule->unsupported) {
		lower_unsupported(l, rule, &out);
	} else {
		lower_peers(l, policy, rule, &out);
		lower_ports(l, rule, &out);
	}
	*polc_vec_push(&l->polc->arena, &l->rules) = out;
}

/* Isolation of a NetworkPolicy: policyTypes, by default ingress, and egress if it has egress rules
 * (4.1). */
static void network_policy_directions(const struct polc_ast_spec *spec, struct polc_net_policy *out)
{
	for (int d = 0; d < 2; d++) {
		bool listed = spec->policy_types_presence == POLC_PRESENT
				      ? spec->policy_types[d]
				      : d == POLC_INGRESS || spec->has_rules[d];
		out->selects[d] = out->isolates[d] = listed;
	}
}

/* Isolation of a Cilium policy: any rule in the direction, unless enableDefaultDeny is false
 * (1.1, 1.2). */
static void cilium_directions(const struct polc_ast_spec *spec, struct polc_net_policy *out)
{
	for (int d = 0; d < 2; d++) {
		out->selects[d] = spec->has_rules[d];
		out->isolates[d] = spec->has_rules[d] && spec->default_deny[d] != POLC_FALSE;
	}
}

static void lower_directions(const struct polc_ast_policy *policy, const struct polc_ast_spec *spec,
	struct polc_net_policy *out)
{
	if (policy->kind == POLC_KIND_NETWORK_POLICY)
		network_policy_directions(spec, out);
	else if (is_cilium(policy->kind))
		cilium_directions(spec, out);
	else
		for (int d = 0; d < 2; d++)
			out->selects[d] = spec->has_rules[d];
}

static void lower_spec(struct polc_lowering *l, const struct polc_ast_policy *policy,
	uint32_t index, uint32_t switchable)
{
	const struct polc_ast_spec *spec = &policy->specs.items[index];
	struct polc_net_policy out = {.kind = policy->kind,
		.namespace = policy->namespace,
		.name = policy->name,
		.spec = index,
		.span = spec->span.source ? spec->span : policy->span,
		.tier = spec->tier,
		.priority = spec->priority,
		.switchable = switchable,
		.first_rule = (uint32_t)l->rules.n};
	polc_ids subjects = {0};

	if (spec->unsupported) {
		polc_error(l->polc, spec->unsupported_span, POLC_CODE_UNSUPPORTED, "%s",
			spec->unsupported);
		return;
	}
	polc_lower_subject(l, policy, &spec->subject, &subjects);
	out.subjects = subjects.items;
	out.n_subjects = subjects.n;
	lower_directions(policy, spec, &out);
	for (size_t i = 0; i < spec->rules.n; i++)
		if (out.selects[spec->rules.items[i].direction])
			lower_rule(l, policy, spec, &spec->rules.items[i]);
	out.n_rules = (uint32_t)l->rules.n - out.first_rule;
	*polc_vec_push(&l->polc->arena, &l->policies) = out;
}

/* Ties of priority go by name, then by number, which follows kind and name (see lower_policies). */
int polc_policy_compare_order(const struct polc_net_policy *a, const struct polc_net_policy *b)
{
	if (a->tier != b->tier)
		return a->tier < b->tier ? -1 : 1;
	if (a->tier != POLC_TIER_MIDDLE && a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	int c = a->tier == POLC_TIER_MIDDLE ? 0 : strcmp(a->name, b->name);
	return c ? c : (a->first_rule > b->first_rule) - (a->first_rule < b->first_rule);
}

static int compare_for_tie(const void *pa, const void *pb)
{
	return polc_policy_compare_order(*(const struct polc_net_policy *const *)pa,
		*(const struct polc_net_policy *const *)pb);
}

/* Equal priorities are undefined by the specification: said, and then decided by name. */
static void report_ties(struct polc_lowering *l)
{
	const struct polc_net_policy **ordered =
		POLC_NEW_ARRAY(&l->polc->arena, l->policies.n, const struct polc_net_policy *);
	size_t n = 0;

	for (size_t i = 0; i < l->policies.n; i++)
		if (l->policies.items[i].tier != POLC_TIER_MIDDLE)
			ordered[n++] = &l->policies.items[i];
	qsort(ordered, n, sizeof(*ordered), compare_for_tie);
	for (size_t i = 1; i < n; i++) {
		const struct polc_net_policy *a = ordered[i - 1], *b = ordered[i];
		bool together =
			(a->selects[0] && b->selects[0]) || (a->selects[1] && b->selects[1]);
		if (a->tier != b->tier || a->priority != b->priority || !together)
			continue;
		struct polc_diagnostic *d = polc_warn(l->polc, b->span, POLC_CODE_PRIORITY_TIE,
			"'%s' and '%s' have the same priority %u in the same tier: which of them "
			"decides is undefined (polc: by name)",
			a->name, b->name, a->priority);
		polc_diagnostic_relate(l->polc, d, a->span, "the other policy");
	}
}

struct numbered {
	const struct polb_selector *selector;
	uint32_t from;
};

static int compare_numbered(const void *pa, const void *pb)
{
	return polb_selector_compare(
		((const struct numbered *)pa)->selector, ((const struct numbered *)pb)->selector);
}

/* Sorted and without repetition; ids may be shared, so a new array is made. */
static const uint32_t *renumber(
	struct polc_lowering *l, const uint32_t *ids, size_t *n, const uint32_t *to)
{
	uint32_t *out = POLC_NEW_ARRAY(&l->polc->arena, *n, uint32_t);
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		out[i] = to[ids[i]];
	if (*n)
		qsort(out, *n, sizeof(*out), compare_ids);
	for (size_t i = 0; i < *n; i++)
		if (!i || out[i] != out[kept - 1])
			out[kept++] = out[i];
	*n = kept;
	return out;
}

/* Numbers selectors in the order of their content, so that spelling and order of rules do not
 * matter. */
static const struct polb_selector *sort_selectors(struct polc_lowering *l)
{
	size_t n = l->selectors.n;
	struct numbered *order = POLC_NEW_ARRAY(&l->polc->arena, n, struct numbered);
	struct polb_selector *sorted = POLC_NEW_ARRAY(&l->polc->arena, n, struct polb_selector);
	uint32_t *to = POLC_NEW_ARRAY(&l->polc->arena, n, uint32_t);

	for (size_t i = 0; i < n; i++)
		order[i] = (struct numbered){&l->selectors.items[i].selector, (uint32_t)i};
	qsort(order, n, sizeof(*order), compare_numbered);
	for (size_t i = 0; i < n; i++) {
		sorted[i] = *order[i].selector;
		to[order[i].from] = (uint32_t)i;
	}
	for (size_t i = 0; i < l->rules.n; i++) {
		struct polc_net_rule *r = &l->rules.items[i];
		r->selectors = renumber(l, r->selectors, &r->n_selectors, to);
	}
	for (size_t i = 0; i < l->policies.n; i++) {
		struct polc_net_policy *p = &l->policies.items[i];
		p->subjects = renumber(l, p->subjects, &p->n_subjects, to);
	}
	return sorted;
}

/*
 * Rule numbers must not depend on the order of files or documents: policies are lowered sorted by
 * kind, namespace and name.
 */
static int compare_policies(const void *pa, const void *pb)
{
	const struct polc_ast_policy *a = *(const struct polc_ast_policy *const *)pa;
	const struct polc_ast_policy *b = *(const struct polc_ast_policy *const *)pb;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int c = strcmp(a->namespace ? a->namespace : "", b->namespace ? b->namespace : "");
	return c ? c : strcmp(a->name, b->name);
}

static void lower_policies(struct polc_lowering *l)
{
	size_t n = l->input->ast.policies.n;
	const struct polc_ast_policy **order =
		POLC_NEW_ARRAY(&l->polc->arena, n, const struct polc_ast_policy *);

	for (size_t i = 0; i < n; i++)
		order[i] = l->input->ast.policies.items[i];
	if (n)
		qsort(order, n, sizeof(*order), compare_policies);
	for (size_t i = 0; i < n; i++) {
		uint32_t switchable = polc_lower_switchable(l, order[i]);

		for (size_t j = 0; j < order[i]->specs.n; j++)
			lower_spec(l, order[i], (uint32_t)j, switchable);
	}
}

const struct polc_network *polc_lower_network(
	struct polc *polc, const struct polc_input *input, const struct polc_lower_options *options)
{
	struct polc_lowering l = {.polc = polc,
		.input = input,
		.options = options,
		.cluster_name =
			options->cluster_name ? options->cluster_name : POLC_DEFAULT_CLUSTER};
	struct polc_network *network = POLC_NEW(&polc->arena, struct polc_network);

	lower_policies(&l);
	report_ties(&l);
	network->selectors = sort_selectors(&l);
	network->n_selectors = l.selectors.n;
	network->policies = l.policies.items;
	network->n_policies = l.policies.n;
	network->rules = l.rules.items;
	network->n_rules = l.rules.n;
	network->posture = options->posture;
	network->ipblock_matches_pods = options->dialect == POLC_DIALECT_KUBERNETES;
	network->cluster_name = l.cluster_name;
	polc_lower_isolations(&l, network);
	polc_network_verify(network);
	return network;
}
