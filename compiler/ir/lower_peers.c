/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What peers and subjects mean: namespace scoping, label sources, entities, services and groups
 * (reference 1.5 to 1.7, 4.1 to 4.3) as predicates on identity and address.
 */
#include <string.h>

#include "lower.h"

typedef POLC_VEC(struct polb_requirement) requirements;

static void require(struct polc_lowering *l, requirements *reqs, enum polb_operator op,
	const char *source, const char *key, const char *value)
{
	struct polb_requirement r = {.op = op, .source = source, .key = key};

	if (value) {
		const char **values = POLC_NEW_ARRAY(&l->polc->arena, 1, const char *);
		values[0] = value;
		r.values = values;
		r.n_values = 1;
	}
	*polc_vec_push(&l->polc->arena, reqs) = r;
}

static void add_selector(
	struct polc_lowering *l, polc_ids *ids, uint32_t kinds, const requirements *reqs)
{
	struct polb_selector s = {.kinds = kinds};

	if (reqs) {
		s.requirements = reqs->items;
		s.n_requirements = reqs->n;
	}
	*polc_vec_push(&l->polc->arena, ids) = polc_lower_intern(l, &s);
}

static void copy_requirement(struct polc_lowering *l, requirements *reqs,
	const struct polc_ast_requirement *from, const char *source, const char *key)
{
	*polc_vec_push(&l->polc->arena, reqs) = (struct polb_requirement){.op = from->op,
		.source = source,
		.key = key,
		.values = from->values.items,
		.n_values = from->values.n};
}

/* Kubernetes label selector over labels of one source, keys below a prefix. */
static void add_kubernetes_requirements(struct polc_lowering *l, requirements *reqs,
	const struct polc_ast_selector *selector, const char *source, const char *prefix)
{
	for (size_t i = 0; selector && i < selector->requirements.n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];
		const char *key =
			*prefix ? polc_arena_printf(&l->polc->arena, "%s%s", prefix, r->key)
				: r->key;
		copy_requirement(l, reqs, r, source, key);
	}
}

/* Pod and namespace selector, both about pods with their own address (4.1, 4.2). */
static void lower_pods(struct polc_lowering *l, const struct polc_ast_policy *policy,
	const struct polc_ast_peer *peer, polc_ids *ids)
{
	requirements reqs = {0};

	add_kubernetes_requirements(l, &reqs, peer->pod_selector, "k8s", "");
	if (peer->namespace_selector)
		add_kubernetes_requirements(
			l, &reqs, peer->namespace_selector, "k8s", POLC_LABEL_NAMESPACE_LABELS);
	else
		require(l, &reqs, POLB_OP_IN, "k8s", POLC_LABEL_NAMESPACE, policy->namespace);
	add_selector(l, ids, POLB_KIND_POD, &reqs);
}

/* Cilium's label key grammar: "source:key", no source means any. */
static const char *split_key(struct polc_lowering *l, const char *written, const char **source)
{
	const char *colon = strchr(written, ':');

	*source = "any";
	if (!colon)
		return written;
	*source = polc_arena_strndup(&l->polc->arena, written, (size_t)(colon - written));
	return colon + 1;
}

struct mentions {
	bool namespace, namespace_labels, cluster, reserved;
};

static bool source_is_k8s(const char *source)
{
	return !strcmp(source, "any") || !strcmp(source, "k8s");
}

static void note_mention(struct mentions *m, const char *source, const char *key)
{
	if (!strcmp(source, "reserved"))
		m->reserved = true;
	if (!source_is_k8s(source))
		return;
	if (!strcmp(key, POLC_LABEL_NAMESPACE))
		m->namespace = true;
	if (!strcmp(key, POLC_LABEL_CLUSTER))
		m->cluster = true;
	if (!strncmp(key, POLC_LABEL_NAMESPACE_LABELS, strlen(POLC_LABEL_NAMESPACE_LABELS)))
		m->namespace_labels = true;
}

static void add_cilium_requirements(struct polc_lowering *l, requirements *reqs,
	const struct polc_ast_selector *selector, struct mentions *m)
{
	for (size_t i = 0; selector && i < selector->requirements.n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];
		const char *source, *key = split_key(l, r->key, &source);
		note_mention(m, source, key);
		copy_requirement(l, reqs, r, source, key);
	}
}

/* from/toEndpoints: scoped to namespace and cluster unless the selector speaks of them (1.5). */
static void lower_endpoints(struct polc_lowering *l, const struct polc_ast_policy *policy,
	const struct polc_ast_selector *selector, polc_ids *ids)
{
	requirements reqs = {0};
	struct mentions m = {0};

	add_cilium_requirements(l, &reqs, selector, &m);
	if (!m.reserved) {
		if (!m.namespace && !policy->namespace)
			require(l, &reqs, POLB_OP_EXISTS, "k8s", POLC_LABEL_NAMESPACE, NULL);
		else if (!m.namespace && !m.namespace_labels)
			require(l, &reqs, POLB_OP_IN, "k8s", POLC_LABEL_NAMESPACE,
				policy->namespace);
		if (!m.cluster)
			require(l, &reqs, POLB_OP_IN, "k8s", POLC_LABEL_CLUSTER, l->cluster_name);
	}
	add_selector(l, ids, POLB_KIND_ANY, &reqs);
}

/* What each entity covers (1.7). "none" covers nothing and is handled by its absence here. */
static const struct {
	const char *name;
	uint32_t kinds;
} entities[] = {
	{"all", POLB_KIND_ANY},
	{"world", POLB_KIND_WORLD | POLB_KIND_WORLD_IPV4 | POLB_KIND_WORLD_IPV6},
	{"world-ipv4", POLB_KIND_WORLD_IPV4},
	{"world-ipv6", POLB_KIND_WORLD_IPV6},
	{"host", POLB_KIND_HOST},
	{"remote-node", POLB_KIND_REMOTE_NODE},
	{"kube-apiserver", POLB_KIND_KUBE_APISERVER},
	{"init", POLB_KIND_INIT},
	{"ingress", POLB_KIND_INGRESS},
	{"health", POLB_KIND_HEALTH},
	{"unmanaged", POLB_KIND_UNMANAGED},
	{"cluster", POLB_KIND_POD | POLB_KIND_HOST | POLB_KIND_REMOTE_NODE | POLB_KIND_INIT |
			    POLB_KIND_INGRESS | POLB_KIND_HEALTH | POLB_KIND_UNMANAGED |
			    POLB_KIND_KUBE_APISERVER},
	{"cluster-mesh", POLB_KIND_POD | POLB_KIND_HOST | POLB_KIND_REMOTE_NODE | POLB_KIND_INIT |
				 POLB_KIND_INGRESS | POLB_KIND_HEALTH | POLB_KIND_UNMANAGED |
				 POLB_KIND_KUBE_APISERVER},
};

uint32_t polc_entity_kinds(const char *name)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(entities); i++)
		if (!strcmp(entities[i].name, name))
			return entities[i].kinds;
	return 0;
}

static void lower_entity(struct polc_lowering *l, const char *name, polc_ids *ids)
{
	uint32_t kinds = polc_entity_kinds(name);

	if (kinds)
		add_selector(l, ids, kinds, NULL);
}

static void add_prefix(struct polc_lowering *l, uint32_t kinds, const struct polb_prefix *prefix,
	const struct polb_prefix *excepts, size_t n_excepts, polc_ids *ids)
{
	struct polb_selector s = {.kinds = kinds,
		.has_prefix = true,
		.prefix = *prefix,
		.excepts = excepts,
		.n_excepts = n_excepts};

	*polc_vec_push(&l->polc->arena, ids) = polc_lower_intern(l, &s);
}

/*
 * Cilium's CIDR rules match only addresses outside the cluster; ipBlock and networks match any
 * address, unless the dialect is Cilium's.
 */
static uint32_t cidr_kinds(const struct polc_lowering *l, const struct polc_ast_policy *policy)
{
	bool cilium =
		policy->kind == POLC_KIND_CILIUM || policy->kind == POLC_KIND_CILIUM_CLUSTERWIDE;

	return cilium || l->options->dialect == POLC_DIALECT_CILIUM ? POLB_KIND_WORLD
								    : POLB_KIND_ANY;
}

/* Excepts of the peer that lie inside one prefix of a group. */
static void add_group(struct polc_lowering *l, const struct polc_cidr_group *group,
	const struct polc_ast_peer *peer, polc_ids *ids)
{
	for (size_t i = 0; i < group->cidrs.n; i++) {
		const struct polb_prefix *cidr = &group->cidrs.items[i];
		POLC_VEC(struct polb_prefix) excepts = {0};
		bool covered = false;
		for (size_t j = 0; j < peer->excepts.n; j++) {
			const struct polb_prefix *except = &peer->excepts.items[j];
			covered |= polb_prefix_covers(except, cidr);
			if (polb_prefix_covers(cidr, except))
				*polc_vec_push(&l->polc->arena, &excepts) = *except;
		}
		if (!covered)
			add_prefix(l, POLB_KIND_WORLD, cidr, excepts.items, excepts.n, ids);
	}
}

static bool labels_match(
	const struct polc_ast_selector *selector, const struct polb_label *labels, size_t n_labels)
{
	for (size_t i = 0; i < selector->requirements.n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];
		const char *colon = strchr(r->key, ':');
		struct polb_requirement req = {.op = r->op,
			.source = "any",
			.key = colon ? colon + 1 : r->key,
			.values = r->values.items,
			.n_values = r->values.n};
		if (!polb_requirement_matches(&req, labels, n_labels))
			return false;
	}
	return true;
}

/* A denial that cannot be resolved is an error: compiled as nothing it would silently be weaker. */
static void unresolved(struct polc_lowering *l, const struct polc_ast_rule *rule,
	struct polc_span span, enum polc_code code, const char *text)
{
	if (rule->action == POLC_DENY)
		polc_error(l->polc, span, code, "%s: this denial would deny nothing", text);
	else if (l->input->inventory.given)
		polc_warn(l->polc, span, code, "%s: this rule allows nothing", text);
	else
		polc_warn(l->polc, span, code, "%s (no inventory given): this rule allows nothing",
			text);
}

static void lower_cidr_group(struct polc_lowering *l, const struct polc_ast_rule *rule,
	const struct polc_ast_peer *peer, polc_ids *ids)
{
	const struct polc_inventory *inv = &l->input->inventory;
	size_t found = 0;

	for (size_t i = 0; i < inv->cidr_groups.n; i++) {
		const struct polc_cidr_group *group = &inv->cidr_groups.items[i];
		bool match = peer->kind == POLC_PEER_CIDR_GROUP
				     ? !strcmp(group->name, peer->name)
				     : labels_match(peer->selector, group->labels.items,
					       group->labels.n);
		if (match) {
			found++;
			add_group(l, group, peer, ids);
		}
	}
	if (!found)
		unresolved(l, rule, peer->span, POLC_CODE_UNRESOLVED_CIDR_GROUP,
			peer->kind == POLC_PEER_CIDR_GROUP
				? polc_arena_printf(&l->polc->arena,
					  "no CiliumCIDRGroup named '%s'", peer->name)
				: "no CiliumCIDRGroup has these labels");
}

/*
 * A service with a pod selector stands for those pods; one without for its endpoints' addresses,
 * outside the cluster only (1.6). Its own address is never matched.
 */
static void add_service(struct polc_lowering *l, const struct polc_service *service, polc_ids *ids)
{
	if (!service->has_selector) {
		for (size_t i = 0; i < service->backends.n; i++) {
			const struct polb_addr *a = &service->backends.items[i];
			struct polb_prefix p = {.addr = *a, .len = a->family == 4 ? 32 : 128};
			add_prefix(l, POLB_KIND_WORLD, &p, NULL, 0, ids);
		}
		return;
	}
	requirements reqs = {0};
	for (size_t i = 0; i < service->selector.n; i++)
		require(l, &reqs, POLB_OP_IN, "k8s", service->selector.items[i].key,
			service->selector.items[i].value);
	require(l, &reqs, POLB_OP_IN, "k8s", POLC_LABEL_NAMESPACE, service->namespace);
	add_selector(l, ids, POLB_KIND_POD, &reqs);
}

static void lower_service(struct polc_lowering *l, const struct polc_ast_rule *rule,
	const struct polc_ast_peer *peer, polc_ids *ids)
{
	const struct polc_inventory *inv = &l->input->inventory;
	size_t before = ids->n;

	for (size_t i = 0; i < inv->services.n; i++) {
		const struct polc_service *s = &inv->services.items[i];
		if (peer->namespace && strcmp(peer->namespace, s->namespace))
			continue;
		bool match = peer->kind == POLC_PEER_SERVICE
				     ? !strcmp(s->name, peer->name)
				     : labels_match(peer->selector, s->labels.items, s->labels.n);
		if (match)
			add_service(l, s, ids);
	}
	if (ids->n == before)
		unresolved(l, rule, peer->span, POLC_CODE_UNRESOLVED_SERVICE,
			peer->kind == POLC_PEER_SERVICE
				? polc_arena_printf(&l->polc->arena,
					  "no service '%s%s%s' with endpoints",
					  peer->namespace ? peer->namespace : "",
					  peer->namespace ? "/" : "", peer->name)
				: "no service with endpoints has these labels");
}

static void lower_nodes(struct polc_lowering *l, const struct polc_ast_peer *peer, polc_ids *ids)
{
	requirements reqs = {0};

	add_kubernetes_requirements(l, &reqs, peer->selector, "node", "");
	add_selector(l, ids, POLB_KIND_NODE | POLB_KIND_HOST | POLB_KIND_REMOTE_NODE, &reqs);
}

static void lower_namespaces(
	struct polc_lowering *l, const struct polc_ast_peer *peer, polc_ids *ids)
{
	requirements reqs = {0};

	add_kubernetes_requirements(
		l, &reqs, peer->namespace_selector, "k8s", POLC_LABEL_NAMESPACE_LABELS);
	add_selector(l, ids, POLB_KIND_POD, &reqs);
}

void polc_lower_peer(struct polc_lowering *l, const struct polc_ast_policy *policy,
	const struct polc_ast_rule *rule, const struct polc_ast_peer *peer, polc_ids *ids)
{
	switch (peer->kind) {
	case POLC_PEER_PODS:
		lower_pods(l, policy, peer, ids);
		return;
	case POLC_PEER_NAMESPACES:
		lower_namespaces(l, peer, ids);
		return;
	case POLC_PEER_ENDPOINTS:
		lower_endpoints(l, policy, peer->selector, ids);
		return;
	case POLC_PEER_CIDR:
		add_prefix(l, cidr_kinds(l, policy), &peer->cidr, peer->excepts.items,
			peer->excepts.n, ids);
		return;
	case POLC_PEER_CIDR_GROUP:
	case POLC_PEER_CIDR_GROUP_SELECTOR:
		lower_cidr_group(l, rule, peer, ids);
		return;
	case POLC_PEER_ENTITY:
		lower_entity(l, peer->name, ids);
		return;
	case POLC_PEER_SERVICE:
	case POLC_PEER_SERVICE_SELECTOR:
		lower_service(l, rule, peer, ids);
		return;
	case POLC_PEER_NODES:
		lower_nodes(l, peer, ids);
		return;
	}
	POLC_BUG("peer kind %d", (int)peer->kind);
}

/*
 * A CNP's subject lies in the policy's namespace whatever its labels say: a contradicting namespace
 * label is overridden, as Cilium does (1.5, trap 16). Reserved subjects are not endpoints.
 */
static void lower_cilium_subject(struct polc_lowering *l, const struct polc_ast_policy *policy,
	const struct polc_ast_selector *selector, polc_ids *ids)
{
	requirements reqs = {0};

	for (size_t i = 0; selector && i < selector->requirements.n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];
		const char *source, *key = split_key(l, r->key, &source);
		bool overridden = policy->namespace && r->from_match_labels &&
				  source_is_k8s(source) && !strcmp(key, POLC_LABEL_NAMESPACE);
		if (!overridden)
			copy_requirement(l, &reqs, r, source, key);
		else if (r->values.n && strcmp(r->values.items[0], policy->namespace))
			polc_warn(l->polc, r->span, POLC_CODE_NO_EFFECT,
				"the subject of a CiliumNetworkPolicy lies in its own namespace "
				"'%s': this label is ignored",
				policy->namespace);
	}
	if (policy->namespace)
		require(l, &reqs, POLB_OP_IN, "k8s", POLC_LABEL_NAMESPACE, policy->namespace);
	add_selector(l, ids, POLB_KIND_POD, &reqs);
}

void polc_lower_subject(struct polc_lowering *l, const struct polc_ast_policy *policy,
	const struct polc_ast_peer *subject, polc_ids *ids)
{
	if (subject->kind == POLC_PEER_PODS)
		lower_pods(l, policy, subject, ids);
	else if (subject->kind == POLC_PEER_NAMESPACES)
		lower_namespaces(l, subject, ids);
	else if (subject->kind == POLC_PEER_ENDPOINTS)
		lower_cilium_subject(l, policy, subject->selector, ids);
	else
		POLC_BUG("subject of kind %d", (int)subject->kind);
}
