/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ClusterNetworkPolicy v1alpha2, AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1:
 * objects, rules, subjects and peers (reference 4.2, 4.3). Ports are policy_api_ports.c's. Tiers
 * and their order are ir/'s business. An unknown or half-understood peer is always an error, so
 * nothing is widened.
 */
#include <string.h>

#include "policy_api.h"

#define PRIORITY_MAX 1000
#define NAME_MAX_CHARS 100

/* How the versions of the API differ. */
struct dialect {
	bool v1alpha1;
	const char *ports_field;
	size_t n_max; /* rules per direction, peers and ports per rule */
	const char *actions[3];
	enum polc_action meanings[3];
	size_t n_actions;
	enum polc_tier tier; /* v1alpha1 */
	bool domain_names;
};

static const struct dialect dialect_admin = {.v1alpha1 = true,
	.ports_field = "ports",
	.n_max = 100,
	.actions = {"Allow", "Deny", "Pass"},
	.meanings = {POLC_ALLOW, POLC_DENY, POLC_PASS},
	.n_actions = 3,
	.tier = POLC_TIER_ADMIN,
	.domain_names = true};
static const struct dialect dialect_baseline = {.v1alpha1 = true,
	.ports_field = "ports",
	.n_max = 100,
	.actions = {"Allow", "Deny"},
	.meanings = {POLC_ALLOW, POLC_DENY},
	.n_actions = 2,
	.tier = POLC_TIER_BASELINE};
static const struct dialect dialect_cluster = {.ports_field = "protocols",
	.n_max = 25,
	.actions = {"Accept", "Deny", "Pass"},
	.meanings = {POLC_ALLOW, POLC_DENY, POLC_PASS},
	.n_actions = 3,
	.domain_names = true};

struct reader {
	struct polc *polc;
	const struct dialect *dialect;
	struct polc_ast_policy *policy;
	struct polc_ast_spec *spec;
	struct polc_ast_rule *rule;
};

static const struct polc_ast_selector *parse_selector(
	struct reader *r, const struct polc_yaml_entry *entry, const char *path)
{
	return polc_parse_selector(
		r->polc, entry->value, false, polc_path_field(r->polc, path, entry->key->value));
}

/* ---- namespaces and pods ---- */

/* The shape that v1alpha1 peers had before v0.1.2 of the API, with the fields removed in v0.1.7. */
struct old_namespaces_fields {
	const struct polc_yaml_entry *namespace_selector, *same_labels, *not_same_labels;
};

static const struct polc_field old_namespaces_table[] = {
	POLC_FIELD(struct old_namespaces_fields, namespace_selector, "namespaceSelector",
		POLC_OPTIONAL),
	POLC_FIELD(struct old_namespaces_fields, same_labels, "sameLabels", POLC_OPTIONAL),
	POLC_FIELD(struct old_namespaces_fields, not_same_labels, "notSameLabels", POLC_OPTIONAL),
};

static bool is_old_namespaces(const struct reader *r, const struct polc_yaml *node)
{
	return r->dialect->v1alpha1 &&
	       (polc_yaml_get(node, "namespaceSelector") || polc_yaml_get(node, "sameLabels") ||
		       polc_yaml_get(node, "notSameLabels"));
}

static void refuse_same_labels(
	struct reader *r, const struct polc_yaml_entry *entry, const char *path)
{
	polc_error(r->polc, entry->key->span, POLC_CODE_REMOVED_FEATURE,
		"%s.%s was removed in v0.1.7 of the policy API", path, entry->key->value);
}

static const struct polc_ast_selector *parse_old_namespaces(
	struct reader *r, const struct polc_yaml *node, const char *path)
{
	struct old_namespaces_fields fields = {0};

	if (!POLC_FIELDS_READ(r->polc, node, path, old_namespaces_table, &fields))
		return NULL;
	if (fields.same_labels)
		refuse_same_labels(r, fields.same_labels, path);
	else if (fields.not_same_labels)
		refuse_same_labels(r, fields.not_same_labels, path);
	else if (fields.namespace_selector)
		return parse_selector(r, fields.namespace_selector, path);
	else
		polc_error(r->polc, polc_first_token(node), POLC_CODE_MISSING_FIELD,
			"%s.namespaceSelector is missing", path);
	return NULL;
}

/* A selector of namespaces, in either shape for peers. */
static const struct polc_ast_selector *parse_namespaces(
	struct reader *r, const struct polc_yaml_entry *entry, const char *path)
{
	if (r->rule && is_old_namespaces(r, entry->value))
		return parse_old_namespaces(
			r, entry->value, polc_path_field(r->polc, path, entry->key->value));
	return parse_selector(r, entry, path);
}

struct pods_fields {
	const struct polc_yaml_entry *namespace_selector, *pod_selector, *namespaces;
};

static const struct polc_field pods_table[] = {
	POLC_FIELD(struct pods_fields, pod_selector, "podSelector", POLC_REQUIRED),
	POLC_FIELD(struct pods_fields, namespace_selector, "namespaceSelector", POLC_REQUIRED),
};
static const struct polc_field old_pods_table[] = {
	POLC_FIELD(struct pods_fields, pod_selector, "podSelector", POLC_REQUIRED),
	POLC_FIELD(struct pods_fields, namespaces, "namespaces", POLC_REQUIRED),
};

/* Both selectors are needed; peers of old v1alpha1 had `namespaces` for the second. */
static bool parse_pods(struct reader *r, const struct polc_yaml_entry *entry, const char *path,
	struct polc_ast_peer *peer)
{
	bool old = r->rule && r->dialect->v1alpha1 && polc_yaml_get(entry->value, "namespaces");
	struct pods_fields fields = {0};

	path = polc_path_field(r->polc, path, entry->key->value);
	if (!polc_fields_read(
		    r->polc, entry->value, path, old ? old_pods_table : pods_table, 2, &fields))
		return false;
	if (fields.pod_selector)
		peer->pod_selector = parse_selector(r, fields.pod_selector, path);
	if (fields.namespace_selector)
		peer->namespace_selector = parse_selector(r, fields.namespace_selector, path);
	if (fields.namespaces)
		peer->namespace_selector = parse_namespaces(r, fields.namespaces, path);
	return peer->pod_selector && peer->namespace_selector;
}

/* ---- peers ---- */

enum { NAMESPACES, PODS, NODES, NETWORKS, DOMAIN_NAMES, N_PEERS };

struct peer_fields {
	const struct polc_yaml_entry *of[N_PEERS];
};

static const struct polc_field peer_table[] = {
	POLC_FIELD(struct peer_fields, of[NAMESPACES], "namespaces", POLC_OPTIONAL),
	POLC_FIELD(struct peer_fields, of[PODS], "pods", POLC_OPTIONAL),
	POLC_FIELD(struct peer_fields, of[NODES], "nodes", POLC_OPTIONAL),
	POLC_FIELD(struct peer_fields, of[NETWORKS], "networks", POLC_OPTIONAL),
	POLC_FIELD(struct peer_fields, of[DOMAIN_NAMES], "domainNames", POLC_OPTIONAL),
};
static const char *const peer_names[] = {"namespaces, pods", "namespaces, pods, nodes, networks",
	"namespaces, pods, nodes, networks, domainNames"};

#define NETWORKS_MAX 25

static void parse_networks(struct reader *r, const struct polc_yaml_entry *entry, const char *path)
{
	const char *list = polc_path_field(r->polc, path, "networks");

	if (!polc_field_list(r->polc, entry, path, NETWORKS_MAX, false))
		return;
	for (size_t i = 0; i < entry->value->n_items; i++) {
		const struct polc_yaml *item = entry->value->items[i];
		struct polc_ast_peer peer = {.kind = POLC_PEER_CIDR, .span = item->span};

		if (polc_parse_prefix(
			    r->polc, item, false, polc_path_item(r->polc, list, i), &peer.cidr))
			*polc_vec_push(&r->polc->arena, &r->rule->peers) = peer;
	}
}

/* Domain names must fail closed with every action: the whole rule is unsupported. */
static void parse_domain_names(
	struct reader *r, const struct polc_yaml_entry *entry, const char *path)
{
	const char *list = polc_path_field(r->polc, path, "domainNames"), *name;

	if (!polc_field_list(r->polc, entry, path, NETWORKS_MAX, false))
		return;
	for (size_t i = 0; i < entry->value->n_items; i++)
		polc_yaml_string(
			r->polc, entry->value->items[i], polc_path_item(r->polc, list, i), &name);
	if (r->rule->unsupported)
		return;
	r->rule->unsupported = "domainNames needs the answers of DNS, which this version does not "
			       "follow";
	r->rule->unsupported_span = entry->key->span;
}

static void push_if(struct reader *r, bool ok, const struct polc_ast_peer *peer)
{
	if (ok)
		*polc_vec_push(&r->polc->arena, &r->rule->peers) = *peer;
}

static void parse_peer_member(
	struct reader *r, const struct peer_fields *fields, struct polc_span span, const char *path)
{
	struct polc_ast_peer peer = {.span = span};

	if (fields->of[NAMESPACES]) {
		peer.kind = POLC_PEER_NAMESPACES;
		peer.namespace_selector = parse_namespaces(r, fields->of[NAMESPACES], path);
		push_if(r, peer.namespace_selector, &peer);
	} else if (fields->of[PODS]) {
		peer.kind = POLC_PEER_PODS;
		push_if(r, parse_pods(r, fields->of[PODS], path, &peer), &peer);
	} else if (fields->of[NODES]) {
		peer.kind = POLC_PEER_NODES;
		peer.selector = parse_selector(r, fields->of[NODES], path);
		push_if(r, peer.selector, &peer);
	} else if (fields->of[NETWORKS]) {
		parse_networks(r, fields->of[NETWORKS], path);
	} else {
		parse_domain_names(r, fields->of[DOMAIN_NAMES], path);
	}
}

/* True when the peer is one that a named port cannot go with. */
static bool parse_peer(struct reader *r, const struct polc_yaml *node, const char *path)
{
	size_t n = r->rule->direction == POLC_INGRESS ? 2 : r->dialect->domain_names ? 5 : 4;
	struct peer_fields fields = {0};

	if (!polc_fields_read(r->polc, node, path, peer_table, n, &fields) ||
		!polc_fields_exactly_one(
			r->polc, node, path, fields.of, N_PEERS, peer_names[n < 4 ? 0 : n - 3]))
		return false;
	parse_peer_member(r, &fields, polc_first_token(node), path);
	return fields.of[NODES] || fields.of[NETWORKS] || fields.of[DOMAIN_NAMES];
}

/* ---- rules ---- */

struct rule_fields {
	const struct polc_yaml_entry *name, *action, *peers, *ports;
};

static void report_action(
	struct reader *r, const struct polc_yaml *node, const char *text, const char *path)
{
	const struct dialect *dialect = r->dialect;
	struct polc_diagnostic *d = polc_error(r->polc, node->span, POLC_CODE_BAD_ACTION,
		"%s.action: \"%s\" is not an action of %s", path, text,
		polc_policy_kind_name(r->policy->kind));
	bool allow = !strcasecmp(text, "Allow") || !strcasecmp(text, "Accept");
	const char *nearest = allow ? dialect->actions[0]
				    : polc_nearest(text, dialect->actions, dialect->n_actions);

	if (nearest)
		polc_diagnostic_did_you_mean(r->polc, d, nearest);
}

static void parse_action(struct reader *r, const struct polc_yaml_entry *entry, const char *path)
{
	const char *text;
	int which;

	if (!polc_field_string(r->polc, entry, path, &text))
		return;
	which = polc_word_index(text, r->dialect->actions, r->dialect->n_actions);
	if (which < 0)
		report_action(r, entry->value, text, path);
	else
		r->rule->action = r->dialect->meanings[which];
}

static void parse_rule_name(struct reader *r, const struct polc_yaml_entry *entry, const char *path)
{
	if (!polc_field_string(r->polc, entry, path, &r->rule->name))
		return;
	if (strlen(r->rule->name) > NAME_MAX_CHARS)
		polc_error(r->polc, entry->value->span, POLC_CODE_TOO_MANY,
			"%s.name is longer than %d characters", path, NAME_MAX_CHARS);
}

static bool parse_peers(struct reader *r, const struct polc_yaml_entry *entry, const char *path)
{
	const char *list = polc_path_field(r->polc, path, entry->key->value);
	bool no_named_port = false;

	if (!polc_field_list(r->polc, entry, path, r->dialect->n_max, false))
		return false;
	for (size_t i = 0; i < entry->value->n_items; i++)
		no_named_port |=
			parse_peer(r, entry->value->items[i], polc_path_item(r->polc, list, i));
	return no_named_port;
}

static void parse_ports(struct reader *r, const struct polc_yaml_entry *entry, const char *path)
{
	const char *list = polc_path_field(r->polc, path, entry->key->value);

	r->rule->ports_presence = POLC_PRESENT;
	if (!polc_field_list(r->polc, entry, path, r->dialect->n_max, false))
		return;
	for (size_t i = 0; i < entry->value->n_items; i++)
		(r->dialect->v1alpha1 ? polc_api_parse_port : polc_api_parse_protocol)(
			r->polc, r->rule, entry->value->items[i], polc_path_item(r->polc, list, i));
}

static void refuse_named_ports(struct reader *r, const char *path)
{
	for (size_t i = 0; i < r->rule->ports.n; i++)
		if (r->rule->ports.items[i].kind == POLC_PORT_NAME)
			polc_error(r->polc, r->rule->ports.items[i].span,
				POLC_CODE_CONFLICTING_FIELDS,
				"%s: a named port needs peers that are pods, not networks, nodes "
				"or domainNames",
				path);
}

static void read_rule(struct reader *r, const struct rule_fields *fields, const char *path)
{
	bool no_named_port = false;

	r->rule->peers_presence = POLC_PRESENT;
	if (fields->name)
		parse_rule_name(r, fields->name, path);
	if (fields->action)
		parse_action(r, fields->action, path);
	if (fields->peers)
		no_named_port = parse_peers(r, fields->peers, path);
	if (fields->ports)
		parse_ports(r, fields->ports, path);
	if (no_named_port)
		refuse_named_ports(r, path);
}

static void parse_rule(struct reader *r, const struct polc_yaml *node,
	enum polc_direction direction, const char *path)
{
	const struct polc_field table[] = {
		POLC_FIELD(struct rule_fields, name, "name", POLC_OPTIONAL),
		POLC_FIELD(struct rule_fields, action, "action", POLC_REQUIRED),
		POLC_FIELD(struct rule_fields, peers, direction == POLC_INGRESS ? "from" : "to",
			POLC_REQUIRED),
		POLC_FIELD(struct rule_fields, ports, r->dialect->ports_field, POLC_OPTIONAL),
	};
	struct rule_fields fields = {0};
	struct polc_ast_rule rule = {
		.direction = direction, .action = POLC_DENY, .span = polc_first_token(node)};

	if (!POLC_FIELDS_READ(r->polc, node, path, table, &fields))
		return;
	r->rule = &rule;
	read_rule(r, &fields, path);
	r->rule = NULL;
	*polc_vec_push(&r->polc->arena, &r->spec->rules) = rule;
}

static void parse_rules(
	struct reader *r, const struct polc_yaml_entry *entry, enum polc_direction direction)
{
	const char *list = polc_path_field(r->polc, "spec", entry->key->value);

	r->spec->section[direction] = true;
	if (!polc_field_list(r->polc, entry, "spec", r->dialect->n_max, true))
		return;
	r->spec->has_rules[direction] = entry->value->n_items > 0;
	for (size_t i = 0; i < entry->value->n_items; i++)
		parse_rule(r, entry->value->items[i], direction, polc_path_item(r->polc, list, i));
}

/* ---- the spec ---- */

struct subject_fields {
	const struct polc_yaml_entry *of[2]; /* namespaces, pods */
};

static const struct polc_field subject_table[] = {
	POLC_FIELD(struct subject_fields, of[0], "namespaces", POLC_OPTIONAL),
	POLC_FIELD(struct subject_fields, of[1], "pods", POLC_OPTIONAL),
};

static void parse_subject(struct reader *r, const struct polc_yaml_entry *entry)
{
	struct polc_ast_peer *subject = &r->spec->subject;
	struct subject_fields fields = {0};

	subject->span = entry->value->span;
	if (!POLC_FIELDS_READ(r->polc, entry->value, "spec.subject", subject_table, &fields))
		return;
	if (!fields.of[0] == !fields.of[1]) {
		polc_error(r->polc, entry->key->span, POLC_CODE_BAD_SUBJECT,
			"spec.subject must have exactly one of namespaces, pods");
		return;
	}
	if (fields.of[1]) {
		subject->kind = POLC_PEER_PODS;
		parse_pods(r, fields.of[1], "spec.subject", subject);
	} else {
		subject->namespace_selector = parse_namespaces(r, fields.of[0], "spec.subject");
	}
}

static void parse_priority(struct reader *r, const struct polc_yaml_entry *entry)
{
	int64_t value;

	if (!polc_yaml_integer(r->polc, entry->value, "spec.priority", &value))
		return;
	if (value < 0 || value > PRIORITY_MAX)
		polc_error(r->polc, entry->value->span, POLC_CODE_BAD_PRIORITY,
			"spec.priority must be between 0 and %d", PRIORITY_MAX);
	else
		r->spec->priority = (uint32_t)value;
}

static void parse_tier(struct reader *r, const struct polc_yaml_entry *entry)
{
	static const char *const tiers[] = {"Admin", "Baseline"};
	const char *text, *nearest;
	int which;

	if (!polc_field_string(r->polc, entry, "spec", &text))
		return;
	which = polc_word_index(text, tiers, POLC_ARRAY_SIZE(tiers));
	if (which >= 0) {
		r->spec->tier = which ? POLC_TIER_BASELINE : POLC_TIER_ADMIN;
		return;
	}
	struct polc_diagnostic *d = polc_error(r->polc, entry->value->span, POLC_CODE_UNKNOWN_VALUE,
		"spec.tier: \"%s\" is not a tier", text);
	nearest = polc_nearest(text, tiers, POLC_ARRAY_SIZE(tiers));
	if (nearest)
		polc_diagnostic_did_you_mean(r->polc, d, nearest);
}

struct spec_fields {
	const struct polc_yaml_entry *subject, *ingress, *egress, *priority, *tier;
};

static const struct polc_field spec_table[] = {
	POLC_FIELD(struct spec_fields, subject, "subject", POLC_REQUIRED),
	POLC_FIELD(struct spec_fields, ingress, "ingress", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, egress, "egress", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, priority, "priority", POLC_REQUIRED),
	POLC_FIELD(struct spec_fields, tier, "tier", POLC_REQUIRED),
};

/* How many fields of spec_table the kind has. */
static size_t n_spec_fields(enum polc_policy_kind kind)
{
	return kind == POLC_KIND_CLUSTER ? 5 : kind == POLC_KIND_ADMIN ? 4 : 3;
}

static void parse_spec(struct reader *r, const struct polc_yaml *node)
{
	struct spec_fields fields = {0};

	r->spec = polc_vec_push(&r->polc->arena, &r->policy->specs);
	*r->spec = (struct polc_ast_spec){.span = polc_first_token(node),
		.subject = {.kind = POLC_PEER_NAMESPACES, .span = polc_first_token(node)},
		.tier = r->dialect->tier};
	if (!polc_fields_read(
		    r->polc, node, "spec", spec_table, n_spec_fields(r->policy->kind), &fields))
		return;
	if (fields.subject)
		parse_subject(r, fields.subject);
	if (fields.priority)
		parse_priority(r, fields.priority);
	if (fields.tier)
		parse_tier(r, fields.tier);
	if (fields.ingress)
		parse_rules(r, fields.ingress, POLC_INGRESS);
	if (fields.egress)
		parse_rules(r, fields.egress, POLC_EGRESS);
	if (!r->spec->rules.n && (!fields.ingress || !fields.ingress->value->n_items) &&
		(!fields.egress || !fields.egress->value->n_items))
		polc_warn(r->polc, r->spec->span, POLC_CODE_NO_EFFECT,
			"%s has no rule and therefore no effect",
			polc_policy_kind_name(r->policy->kind));
}

static const struct dialect *dialect_of(enum polc_policy_kind kind)
{
	if (kind == POLC_KIND_CLUSTER)
		return &dialect_cluster;
	return kind == POLC_KIND_ADMIN ? &dialect_admin : &dialect_baseline;
}

static void check_name(struct polc *polc, const struct polc_ast_policy *policy)
{
	if (policy->kind == POLC_KIND_BASELINE_ADMIN && strcmp(policy->name, "default") != 0)
		polc_error(polc, policy->name_span, POLC_CODE_BAD_NAME,
			"a BaselineAdminNetworkPolicy must be named \"default\"");
}

void polc_parse_policy_api(struct polc *polc, struct polc_ast *ast, const struct polc_yaml *object,
	enum polc_policy_kind kind)
{
	const struct polc_yaml *spec, *specs = NULL;
	struct reader r = {.polc = polc, .dialect = dialect_of(kind)};

	r.policy = polc_parse_object(polc, object, kind, &spec, &specs);
	if (!r.policy)
		return;
	check_name(polc, r.policy);
	if (polc_yaml_is_null(spec)) {
		polc_error(polc, r.policy->span, POLC_CODE_MISSING_FIELD, "%s \"%s\" has no spec",
			polc_policy_kind_name(kind), r.policy->name);
		return;
	}
	parse_spec(&r, spec);
	*polc_vec_push(&polc->arena, &ast->policies) = r.policy;
}
