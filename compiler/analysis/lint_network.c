/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The facts on which the lints of network policies stand: which tree each policy came from, whom it
 * selects, what each peer means by itself; and the order of the lints.
 */
#include "lint_network.h"

#include <stdlib.h>
#include <string.h>

#include "../ir/selector_index.h"

/* Where each policy was written */

struct origin {
	const struct polc_ast_policy *policy;
	uint32_t spec;
};

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* The order in which lowering numbers policies. */
static int compare_origins(const void *pa, const void *pb)
{
	const struct origin *a = pa, *b = pb;
	int order = (a->policy->kind > b->policy->kind) - (a->policy->kind < b->policy->kind);

	if (!order)
		order = compare_texts(a->policy->namespace, b->policy->namespace);
	if (!order)
		order = compare_texts(a->policy->name, b->policy->name);
	return order ? order : (a->spec > b->spec) - (a->spec < b->spec);
}

static void link_rules(struct polc_network_lint *l, struct polc_lint_policy *p)
{
	size_t n = 0;

	p->rules = POLC_NEW_ARRAY(l->arena, p->net->n_rules, const struct polc_ast_rule *);
	for (size_t i = 0; i < p->spec->rules.n; i++)
		if (p->net->selects[p->spec->rules.items[i].direction])
			p->rules[n++] = &p->spec->rules.items[i];
	if (n != p->net->n_rules)
		POLC_BUG("%s has %zu rules and %u", p->net->name, n, p->net->n_rules);
}

/* Names are unique and every spec was lowered: there are no errors. */
static void link_policies(struct polc_network_lint *l)
{
	const struct polc_ast *ast = &l->context->input->ast;
	POLC_VEC(struct origin) origins = {0};

	for (size_t i = 0; i < ast->policies.n; i++)
		for (size_t j = 0; j < ast->policies.items[i]->specs.n; j++)
			*polc_vec_push(l->arena, &origins) =
				(struct origin){ast->policies.items[i], (uint32_t)j};
	if (origins.n)
		qsort(origins.items, origins.n, sizeof(*origins.items), compare_origins);
	if (origins.n != l->network->n_policies)
		POLC_BUG("%zu policies and %zu", origins.n, l->network->n_policies);
	l->policies = POLC_NEW_ARRAY(l->arena, origins.n, struct polc_lint_policy);
	for (size_t i = 0; i < origins.n; i++) {
		l->policies[i].net = &l->network->policies[i];
		l->policies[i].policy = origins.items[i].policy;
		l->policies[i].spec = &origins.items[i].policy->specs.items[origins.items[i].spec];
		link_rules(l, &l->policies[i]);
	}
}

/* Whom they select */

typedef POLC_VEC(uint32_t) numbers;

static bool bit(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static bool any_bit(const uint64_t *bits, const uint32_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bit(bits, ids[i]))
			return true;
	return false;
}

static void select_endpoint(struct polc_network_lint *l, const struct polc_selector_index *index,
	uint64_t *bits, uint32_t endpoint, numbers *of_policy)
{
	const struct polc_identity *id = polc_lint_identity(l, endpoint);
	const struct polb_identity_view view = {.kinds = id->kinds,
		.labels = id->labels,
		.n_labels = id->n_labels,
		.ports = id->ports,
		.n_ports = id->n_ports};
	numbers policies = {0};

	memset(bits, 0, (l->network->n_selectors + 63) / 64 * sizeof(*bits));
	polc_selector_index_match(index, &view, bits);
	for (uint32_t i = 0; i < l->network->n_policies; i++) {
		if (!any_bit(bits, l->network->policies[i].subjects,
			    l->network->policies[i].n_subjects))
			continue;
		*polc_vec_push(l->arena, &policies) = i;
		*polc_vec_push(l->arena, &of_policy[i]) = endpoint;
	}
	l->selected[endpoint] = (struct polc_lint_selected){policies.items, policies.n};
}

static void file_by_selector(
	struct polc_network_lint *l, const uint64_t *bits, uint32_t endpoint, numbers *lists)
{
	for (uint32_t i = 0; i < l->network->n_selectors; i++)
		if (bit(bits, i))
			*polc_vec_push(l->arena, &lists[i]) = endpoint;
}

static void select_endpoints(struct polc_network_lint *l)
{
	size_t n = l->identities->endpoints.n, n_selectors = l->network->n_selectors;
	const struct polc_selector_index *index =
		polc_selector_index_build(l->arena, l->network->selectors, n_selectors);
	uint64_t *bits = POLC_NEW_ARRAY(l->arena, n_selectors / 64 + 1, uint64_t);
	numbers *of_policy = POLC_NEW_ARRAY(l->arena, l->network->n_policies, numbers);
	numbers *of_selector = POLC_NEW_ARRAY(l->arena, n_selectors, numbers);

	l->selected = POLC_NEW_ARRAY(l->arena, n, struct polc_lint_selected);
	for (uint32_t i = 0; i < n; i++) {
		select_endpoint(l, index, bits, i, of_policy);
		file_by_selector(l, bits, i, of_selector);
	}
	for (size_t i = 0; i < l->network->n_policies; i++)
		l->policies[i].endpoints =
			(struct polc_lint_endpoints){of_policy[i].items, of_policy[i].n};
	l->by_selector = POLC_NEW_ARRAY(l->arena, n_selectors, struct polc_lint_endpoints);
	for (size_t i = 0; i < n_selectors; i++)
		l->by_selector[i] =
			(struct polc_lint_endpoints){of_selector[i].items, of_selector[i].n};
}

/* What each peer means */

static void split_rule(struct polc_network_lint *l, uint32_t policy,
	const struct polc_ast_rule *rule, struct polc_ast_spec *out)
{
	if (rule->unsupported || rule->selects_nothing)
		return;
	for (size_t i = 0; i < rule->peers.n; i++) {
		struct polc_ast_rule *one = polc_vec_push(l->arena, &out->rules);

		*one = *rule;
		one->peers.items = &rule->peers.items[i];
		one->peers.n = 1;
		*polc_vec_push(l->arena, &l->peers) = (struct polc_lint_peer){
			.policy = policy, .rule = rule, .peer = &rule->peers.items[i]};
	}
}

/*
 * Lowers the policies once more with a rule for each peer: what a peer means is said in one place
 * only. What that reports was reported before. One policy per spec, in the network's order.
 */
static void lower_peers_alone(struct polc_network_lint *l, struct polc *scratch)
{
	const struct polc_lower_options options = {.dialect = l->network->ipblock_matches_pods
								      ? POLC_DIALECT_KUBERNETES
								      : POLC_DIALECT_CILIUM,
		.unsupported = POLC_UNSUPPORTED_DENY,
		.cluster_name = l->context->cluster_name};
	struct polc_input input = {.inventory = *l->inventory};

	for (uint32_t i = 0; i < l->network->n_policies; i++) {
		struct polc_ast_policy *policy = POLC_NEW(l->arena, struct polc_ast_policy);
		struct polc_ast_spec *spec;

		*policy = *l->policies[i].policy;
		memset(&policy->specs, 0, sizeof(policy->specs));
		/* sorts as the network does */
		policy->name = polc_arena_printf(l->arena, "%010u", i);
		spec = polc_vec_push(l->arena, &policy->specs);
		*spec = *l->policies[i].spec;
		memset(&spec->rules, 0, sizeof(spec->rules));
		for (size_t k = 0; k < l->policies[i].net->n_rules; k++)
			split_rule(l, i, l->policies[i].rules[k], spec);
		*polc_vec_push(l->arena, &input.ast.policies) = policy;
	}
	l->peers_network = polc_lower_network(scratch, &input, &options);
	if (l->peers_network->n_rules != l->peers.n)
		POLC_BUG("%zu peers and %zu rules", l->peers.n, l->peers_network->n_rules);
	for (size_t i = 0; i < l->peers.n; i++)
		l->peers.items[i].meaning = &l->peers_network->rules[i];
}

/* Common questions */

static bool listed(const struct polb_requirement *r, const char *value)
{
	for (size_t i = 0; i < r->n_values; i++)
		if (!strcmp(r->values[i], value))
			return true;
	return false;
}

static bool excludes(const struct polb_requirement *a, const struct polb_requirement *b)
{
	bool none_left = true;

	if (strcmp(a->key, b->key) || (strcmp(a->source, b->source) && strcmp(a->source, "any") &&
					      strcmp(b->source, "any")))
		return false;
	if (b->op == POLB_OP_DOES_NOT_EXIST)
		return a->op == POLB_OP_IN || a->op == POLB_OP_EXISTS;
	if (a->op != POLB_OP_IN || (b->op != POLB_OP_IN && b->op != POLB_OP_NOT_IN))
		return false;
	for (size_t i = 0; i < a->n_values; i++)
		none_left &= listed(b, a->values[i]) == (b->op == POLB_OP_NOT_IN);
	return none_left;
}

bool polc_lint_may_meet(const struct polb_selector *a, const struct polb_selector *b)
{
	if (a->kinds != POLB_KIND_ANY && b->kinds != POLB_KIND_ANY && !(a->kinds & b->kinds))
		return false;
	for (size_t i = 0; i < a->n_requirements; i++)
		for (size_t j = 0; j < b->n_requirements; j++)
			if (excludes(&a->requirements[i], &b->requirements[j]) ||
				excludes(&b->requirements[j], &a->requirements[i]))
				return false;
	return true;
}

bool polc_lint_may_share(const struct polc_network_lint *l, uint32_t a, uint32_t b)
{
	const struct polc_net_policy *p = &l->network->policies[a], *q = &l->network->policies[b];

	for (size_t i = 0; i < p->n_subjects; i++)
		for (size_t j = 0; j < q->n_subjects; j++)
			if (polc_lint_may_meet(&l->network->selectors[p->subjects[i]],
				    &l->network->selectors[q->subjects[j]]))
				return true;
	return false;
}

bool polc_lint_identity_matches(
	const struct polb_selector *selector, const struct polc_identity *identity)
{
	for (int local = 0; local < 2; local++) {
		const struct polb_identity_view view = {
			.kinds = polb_kinds_localise(identity->kinds, local),
			.labels = identity->labels,
			.n_labels = identity->n_labels,
			.ports = identity->ports,
			.n_ports = identity->n_ports};

		if (polb_selector_matches(selector, &view))
			return true;
	}
	return false;
}

bool polc_lint_port_covers(const struct polc_net_port *port, uint8_t protocol, uint16_t number)
{
	if (port->kind == POLC_PORT_ALL && !port->protocols)
		return true;
	if (!(port->protocols & protocol))
		return false;
	return port->kind != POLC_PORT_RANGE || (port->lo <= number && number <= port->hi);
}

const struct polc_identity *polc_lint_identity(const struct polc_network_lint *l, uint32_t endpoint)
{
	return &l->identities->identities.items[l->identities->endpoints.items[endpoint].identity];
}

const char *polc_lint_endpoint_name(const struct polc_network_lint *l, uint32_t endpoint)
{
	const struct polc_pod *pod = l->identities->endpoints.items[endpoint].pod;

	return polc_arena_printf(l->arena, "%s/%s", pod->namespace, pod->name);
}

/* All lints */

/*
 * Is a policy in the tree as it was written? What this version only cannot enforce, it is. Errors
 * between its first token and the next policy's are its own.
 */
static bool has_no_errors(const struct polc_network_lint *l, size_t i)
{
	const struct polc_ast *ast = &l->context->input->ast;
	struct polc_span here = ast->policies.items[i]->span;
	struct polc_span next =
		i + 1 < ast->policies.n ? ast->policies.items[i + 1]->span : (struct polc_span){0};

	for (size_t k = 0; l->polc->n_errors && k < l->polc->diagnostics.n; k++) {
		const struct polc_diagnostic *d = l->polc->diagnostics.items[k];

		if (d->severity == POLC_ERROR && d->code != POLC_CODE_UNSUPPORTED &&
			d->span.source == here.source && d->span.begin >= here.begin &&
			(next.source != here.source || d->span.begin < next.begin))
			return false;
	}
	return true;
}

static void lint_together(struct polc_network_lint *l)
{
	struct polc scratch;

	polc_init(&scratch);
	link_policies(l);
	select_endpoints(l);
	lower_peers_alone(l, &scratch);
	polc_lint_dns(l);
	polc_lint_reach(l);
	if (l->context->has_inventory && l->inventory->pods.n) {
		polc_lint_selections(l);
		polc_lint_ports(l);
		polc_lint_connections(l);
	}
	polc_free(&scratch);
}

void polc_lint_network(const struct polc_lint_context *context)
{
	struct polc_network_lint l = {.polc = context->polc,
		.arena = &context->polc->arena,
		.context = context,
		.network = context->network,
		.identities = context->identities,
		.inventory = &context->input->inventory};
	const struct polc_ast *ast = &context->input->ast;
	bool sound = !context->polc->n_errors;

	for (size_t i = 0; i < ast->policies.n; i++) {
		const struct polc_ast_policy *policy = ast->policies.items[i];

		for (size_t j = 0; j < policy->specs.n && has_no_errors(&l, i); j++)
			polc_lint_policy_alone(&l, policy, &policy->specs.items[j]);
	}
	/* with errors policies are missing, and what they allow would be missed */
	if (sound && ast->policies.n)
		lint_together(&l);
}
