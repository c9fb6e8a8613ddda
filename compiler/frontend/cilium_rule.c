/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One rule of a Cilium policy: its peers, and how absent, empty and filled lists combine
 * (reference 1.3, 1.4, 1.6, 1.7). Ports are cilium_ports.c's; namespace scoping is ir/'s business.
 */
#include <string.h>

#include "cilium.h"

void polc_cilium_unsupported(struct polc_cilium_rule *r, struct polc_span span, const char *reason)
{
	if (r->rule->unsupported)
		return;
	r->rule->unsupported = reason;
	r->rule->unsupported_span = span;
}

/* ---- selectors ---- */

/* In matchLabels and key: a word as it stands, or between quotes. */
static void offer_key(struct polc *polc, const struct polc_ast_requirement *req,
	struct polc_diagnostic *d, const char *key)
{
	uint32_t written = req->key_span.end - req->key_span.begin;

	polc_diagnostic_fix(polc, d, "replace it with %s", key);
	polc_diagnostic_edit(
		polc, d, req->key_span, written == strlen(req->key) ? "%s" : "\"%s\"", key);
}

/*
 * `k8s.io.kubernetes.pod.namespace` is a key of any source, hardly ever what was meant. Keys with a
 * domain, as k8s.io/name, are ordinary.
 */
static void check_key_dot(struct polc *polc, const struct polc_ast_requirement *req)
{
	static const char *const sources[] = {"k8s", "reserved", "any"};

	if (strchr(req->key, '/'))
		return;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(sources); i++) {
		size_t n = strlen(sources[i]);

		if (strncmp(req->key, sources[i], n) || req->key[n] != '.')
			continue;
		struct polc_diagnostic *d =
			polc_warn(polc, req->key_span, POLC_CODE_SELECTOR_KEY_DOT,
				"label key \"%s\" has no source: a source ends with ':', not '.'",
				req->key);
		const char *key =
			polc_arena_printf(&polc->arena, "%s:%s", sources[i], req->key + n + 1);

		polc_diagnostic_suggest(polc, d, "did you mean \"%s\"?", key);
		offer_key(polc, req, d, key);
	}
}

const struct polc_ast_selector *polc_cilium_selector(
	struct polc *polc, const struct polc_yaml *node, const char *path)
{
	const struct polc_ast_selector *selector = NULL;

	if (polc_yaml_expect(polc, node, POLC_YAML_MAPPING, path))
		selector = polc_parse_selector(polc, node, true, path);
	for (size_t i = 0; selector && i < selector->requirements.n; i++)
		check_key_dot(polc, &selector->requirements.items[i]);
	return selector;
}

/* ---- peers ---- */

static struct polc_ast_peer *add_peer(
	struct polc_cilium_rule *r, enum polc_peer_kind kind, const struct polc_yaml *node)
{
	struct polc_ast_peer *peer = polc_vec_push(&r->polc->arena, &r->rule->peers);

	*peer = (struct polc_ast_peer){.kind = kind, .span = polc_first_token(node)};
	return peer;
}

static void parse_endpoint(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	const struct polc_ast_selector *selector = polc_cilium_selector(r->polc, node, path);

	if (selector)
		add_peer(r, POLC_PEER_ENDPOINTS, node)->selector = selector;
}

static void parse_cidr(struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	struct polb_prefix cidr;

	if (polc_parse_prefix(r->polc, node, false, path, &cidr))
		add_peer(r, POLC_PEER_CIDR, node)->cidr = cidr;
}

struct cidr_rule_fields {
	const struct polc_yaml_entry *of[3]; /* cidr, cidrGroupRef, cidrGroupSelector */
	const struct polc_yaml_entry *except;
};

static const struct polc_field cidr_rule_table[] = {
	POLC_FIELD(struct cidr_rule_fields, of[0], "cidr", POLC_OPTIONAL),
	POLC_FIELD(struct cidr_rule_fields, of[1], "cidrGroupRef", POLC_OPTIONAL),
	POLC_FIELD(struct cidr_rule_fields, of[2], "cidrGroupSelector", POLC_OPTIONAL),
	POLC_FIELD(struct cidr_rule_fields, except, "except", POLC_OPTIONAL),
};

static bool parse_cidr_member(struct polc_cilium_rule *r, const struct cidr_rule_fields *fields,
	const char *path, struct polc_ast_peer *peer)
{
	if (fields->of[0]) {
		peer->kind = POLC_PEER_CIDR;
		return polc_parse_prefix(r->polc, fields->of[0]->value, false,
			polc_path_field(r->polc, path, "cidr"), &peer->cidr);
	}
	if (fields->of[1]) {
		peer->kind = POLC_PEER_CIDR_GROUP;
		return polc_field_string(r->polc, fields->of[1], path, &peer->name);
	}
	peer->kind = POLC_PEER_CIDR_GROUP_SELECTOR;
	peer->selector = polc_cilium_selector(
		r->polc, fields->of[2]->value, polc_path_field(r->polc, path, "cidrGroupSelector"));
	return peer->selector;
}

static void parse_cidr_rule(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	struct cidr_rule_fields fields = {0};
	struct polc_ast_peer peer = {.span = polc_first_token(node)};

	if (!POLC_FIELDS_READ(r->polc, node, path, cidr_rule_table, &fields) ||
		!polc_fields_exactly_one(r->polc, node, path, fields.of, POLC_ARRAY_SIZE(fields.of),
			"cidr, cidrGroupRef, cidrGroupSelector") ||
		!parse_cidr_member(r, &fields, path, &peer))
		return;
	if (fields.except)
		polc_parse_excepts(r->polc, fields.except->value, &peer);
	*polc_vec_push(&r->polc->arena, &r->rule->peers) = peer;
}

static void parse_entity(struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	static const char *const entities[] = {"all", "world", "world-ipv4", "world-ipv6", "host",
		"remote-node", "cluster", "cluster-mesh", "init", "ingress", "health", "unmanaged",
		"kube-apiserver", "none"};
	const char *name, *nearest;

	if (!polc_yaml_string(r->polc, node, path, &name))
		return;
	if (polc_word_index(name, entities, POLC_ARRAY_SIZE(entities)) >= 0) {
		add_peer(r, POLC_PEER_ENTITY, node)->name = name;
		return;
	}
	struct polc_diagnostic *d = polc_error(r->polc, node->span, POLC_CODE_UNKNOWN_VALUE,
		"%s: unknown entity \"%s\"", path, name);
	nearest = polc_nearest(name, entities, POLC_ARRAY_SIZE(entities));
	if (nearest)
		polc_diagnostic_did_you_mean(r->polc, d, nearest);
}

struct service_fields {
	const struct polc_yaml_entry *of[2]; /* k8sService, k8sServiceSelector */
};
static const struct polc_field service_table[] = {
	POLC_FIELD(struct service_fields, of[0], "k8sService", POLC_OPTIONAL),
	POLC_FIELD(struct service_fields, of[1], "k8sServiceSelector", POLC_OPTIONAL),
};

struct service_ref_fields {
	const struct polc_yaml_entry *what, *namespace;
};
static const struct polc_field service_name_table[] = {
	POLC_FIELD(struct service_ref_fields, what, "serviceName", POLC_REQUIRED),
	POLC_FIELD(struct service_ref_fields, namespace, "namespace", POLC_OPTIONAL),
};
static const struct polc_field service_selector_table[] = {
	POLC_FIELD(struct service_ref_fields, what, "selector", POLC_REQUIRED),
	POLC_FIELD(struct service_ref_fields, namespace, "namespace", POLC_OPTIONAL),
};

static bool parse_service_name(struct polc_cilium_rule *r, const struct polc_yaml_entry *e,
	const char *path, struct polc_ast_peer *peer)
{
	if (!polc_field_string(r->polc, e, path, &peer->name))
		return false;
	if (!*peer->name)
		polc_error(r->polc, e->value->span, POLC_CODE_BAD_NAME, "%s.serviceName is empty",
			path);
	return *peer->name;
}

static bool parse_service_ref(struct polc_cilium_rule *r, const struct polc_yaml_entry *e,
	const char *path, struct polc_ast_peer *peer)
{
	bool by_name = peer->kind == POLC_PEER_SERVICE;
	const struct polc_field *table = by_name ? service_name_table : service_selector_table;
	struct service_ref_fields fields = {0};

	path = polc_path_field(r->polc, path, e->key->value);
	if (!polc_fields_read(r->polc, e->value, path, table, 2, &fields))
		return false;
	if (fields.namespace &&
		!polc_field_string(r->polc, fields.namespace, path, &peer->namespace))
		return false;
	if (peer->namespace && !*peer->namespace)
		peer->namespace = NULL; /* any namespace (1.6) */
	if (!fields.what)
		return false;
	if (by_name)
		return parse_service_name(r, fields.what, path, peer);
	peer->selector = polc_cilium_selector(
		r->polc, fields.what->value, polc_path_field(r->polc, path, "selector"));
	return peer->selector;
}

static void parse_service(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	struct service_fields fields = {0};
	struct polc_ast_peer peer = {.span = polc_first_token(node)};

	if (!POLC_FIELDS_READ(r->polc, node, path, service_table, &fields) ||
		!polc_fields_exactly_one(r->polc, node, path, fields.of, POLC_ARRAY_SIZE(fields.of),
			"k8sService, k8sServiceSelector"))
		return;
	peer.kind = fields.of[0] ? POLC_PEER_SERVICE : POLC_PEER_SERVICE_SELECTOR;
	if (parse_service_ref(r, fields.of[0] ? fields.of[0] : fields.of[1], path, &peer))
		*polc_vec_push(&r->polc->arena, &r->rule->peers) = peer;
}

/* ---- peers that this version cannot enforce ---- */

static void parse_node(struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	polc_cilium_selector(r->polc, node, path);
	polc_cilium_unsupported(r, r->l3->key->span,
		"node selectors (fromNodes, toNodes) are not supported in this version");
}

static void parse_group(struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	polc_yaml_expect(r->polc, node, POLC_YAML_MAPPING, path);
	polc_cilium_unsupported(r, r->l3->key->span,
		"cloud provider groups (fromGroups, toGroups) cannot be resolved at build time");
}

/* ---- members of a rule ---- */

enum {
	INGRESS = 1 << POLC_INGRESS,
	EGRESS = 1 << POLC_EGRESS,
	BOTH = INGRESS | EGRESS,
	ALLOW_ONLY = 4,
	EMPTY_IS_OMITTED = 8, /* else an empty list selects no peer (1.4) */
};

typedef void (*item_parser)(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path);
struct member;
typedef void (*member_parser)(struct polc_cilium_rule *r, const struct member *member,
	const struct polc_yaml_entry *entry, const char *path);

struct member {
	const char *name;
	unsigned flags;
	member_parser parse;
	item_parser item;
};

static void parse_items(struct polc_cilium_rule *r, const struct polc_yaml *list, item_parser item,
	const char *path)
{
	for (size_t i = 0; i < list->n_items; i++)
		item(r, list->items[i], polc_path_item(r->polc, path, i));
}

static void report_second_l3(struct polc_cilium_rule *r, const struct polc_yaml_entry *entry)
{
	struct polc_diagnostic *d =
		polc_error(r->polc, entry->key->span, POLC_CODE_CONFLICTING_FIELDS,
			"%s and %s cannot be in one rule", r->l3->key->value, entry->key->value);

	polc_diagnostic_relate(r->polc, d, r->l3->key->span, "the other peers");
	polc_diagnostic_suggest(r->polc, d, "write two rules: what either allows is allowed");
}

static void parse_l3(struct polc_cilium_rule *r, const struct member *member,
	const struct polc_yaml_entry *entry, const char *path)
{
	if (!polc_yaml_expect(r->polc, entry->value, POLC_YAML_SEQUENCE, path))
		return;
	if (!entry->value->n_items && (member->flags & EMPTY_IS_OMITTED))
		polc_warn(r->polc, entry->key->span, POLC_CODE_NO_EFFECT,
			"%s is empty, which means that it is not set: it restricts nothing", path);
	else if (!entry->value->n_items)
		r->empty = entry;
	if (!entry->value->n_items)
		return;
	if (r->l3) {
		report_second_l3(r, entry);
		return;
	}
	r->l3 = entry;
	r->rule->peers_presence = POLC_PRESENT;
	parse_items(r, entry->value, member->item, path);
}

/* Ignoring a requirement would widen the policy. */
static void parse_requires(struct polc_cilium_rule *r, const struct member *member,
	const struct polc_yaml_entry *entry, const char *path)
{
	(void)member;
	if (!polc_yaml_expect(r->polc, entry->value, POLC_YAML_SEQUENCE, path))
		return;
	if (entry->value->n_items)
		polc_error(r->polc, entry->key->span, POLC_CODE_REMOVED_FEATURE,
			"%s: requirements were removed in Cilium 1.19; put the labels into every "
			"selector of the rule",
			path);
	else
		polc_warn(r->polc, entry->key->span, POLC_CODE_IGNORED_FIELD,
			"%s is empty and has no effect; the field was removed in Cilium 1.19",
			path);
}

static void parse_to_ports(struct polc_cilium_rule *r, const struct member *member,
	const struct polc_yaml_entry *entry, const char *path)
{
	if (!polc_yaml_expect(r->polc, entry->value, POLC_YAML_SEQUENCE, path) ||
		!entry->value->n_items)
		return;
	if (member->item == polc_cilium_parse_icmp_rule)
		r->icmps = entry;
	else
		r->ports = entry;
	r->rule->ports_presence = POLC_PRESENT;
	parse_items(r, entry->value, member->item, path);
}

static void parse_authentication(struct polc_cilium_rule *r, const struct member *member,
	const struct polc_yaml_entry *entry, const char *path)
{
	(void)member;
	polc_cilium_parse_authentication(r, entry, path);
}

static const struct member members[] = {
	{"fromEndpoints", INGRESS, parse_l3, parse_endpoint},
	{"fromRequires", INGRESS, parse_requires, NULL},
	{"fromCIDR", INGRESS, parse_l3, parse_cidr},
	{"fromCIDRSet", INGRESS, parse_l3, parse_cidr_rule},
	{"fromEntities", INGRESS, parse_l3, parse_entity},
	{"fromGroups", INGRESS | EMPTY_IS_OMITTED, parse_l3, parse_group},
	{"fromNodes", INGRESS, parse_l3, parse_node},
	{"toEndpoints", EGRESS, parse_l3, parse_endpoint},
	{"toRequires", EGRESS, parse_requires, NULL},
	{"toCIDR", EGRESS, parse_l3, parse_cidr},
	{"toCIDRSet", EGRESS, parse_l3, parse_cidr_rule},
	{"toEntities", EGRESS, parse_l3, parse_entity},
	{"toServices", EGRESS | EMPTY_IS_OMITTED, parse_l3, parse_service},
	{"toGroups", EGRESS | EMPTY_IS_OMITTED, parse_l3, parse_group},
	{"toNodes", EGRESS, parse_l3, parse_node},
	{"toFQDNs", EGRESS | ALLOW_ONLY | EMPTY_IS_OMITTED, parse_l3, polc_cilium_parse_fqdn},
	{"toPorts", BOTH, parse_to_ports, polc_cilium_parse_port_rule},
	{"icmps", BOTH, parse_to_ports, polc_cilium_parse_icmp_rule},
	{"authentication", BOTH | ALLOW_ONLY, parse_authentication, NULL},
};

static bool member_fits(const struct member *member, enum polc_direction direction)
{
	return member->flags & (1u << direction);
}

static void check_names(struct polc *polc, const struct polc_yaml *node, const char *path,
	enum polc_direction direction)
{
	const char *names[POLC_ARRAY_SIZE(members)];
	size_t n = 0;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(members); i++)
		if (member_fits(&members[i], direction))
			names[n++] = members[i].name;
	polc_yaml_check_fields(polc, node, names, n, path, POLC_ERROR);
}

static void parse_member(struct polc_cilium_rule *r, const struct member *member,
	const struct polc_yaml_entry *entry, const char *path)
{
	if (polc_field_is_null(r->polc, entry, path))
		return;
	if (r->deny && (member->flags & ALLOW_ONLY)) {
		polc_error(r->polc, entry->key->span, POLC_CODE_CONFLICTING_FIELDS,
			"%s.%s is not possible in a deny rule", path, member->name);
		return;
	}
	member->parse(r, member, entry, polc_path_field(r->polc, path, member->name));
}

static void parse_members(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	for (size_t i = 0; i < node->n_entries; i++) {
		const struct polc_yaml_entry *entry = &node->entries[i];

		for (size_t j = 0; j < POLC_ARRAY_SIZE(members); j++)
			if (!strcmp(entry->key->value, members[j].name) &&
				member_fits(&members[j], r->rule->direction))
				parse_member(r, &members[j], entry, path);
	}
}

/* ---- emptiness (1.4) ---- */

static void no_effect(struct polc_cilium_rule *r, struct polc_span span, const char *why)
{
	polc_warn(r->polc, span, POLC_CODE_NO_EFFECT, "%s: this rule %s nothing", why,
		r->deny ? "denies" : "allows");
}

/* Any present and empty list of peers selects nothing, whatever else is there. */
static void apply_empty_list(struct polc_cilium_rule *r, bool sound)
{
	if (!r->empty)
		return;
	r->rule->peers_presence = POLC_PRESENT;
	memset(&r->rule->peers, 0, sizeof(r->rule->peers));
	if (sound)
		no_effect(r, r->empty->key->span,
			polc_arena_printf(&r->polc->arena, "an empty %s selects no peer",
				r->empty->key->value));
}

static void apply_emptiness(struct polc_cilium_rule *r, bool sound)
{
	struct polc_ast_rule *rule = r->rule;

	apply_empty_list(r, sound);
	rule->selects_nothing =
		rule->peers_presence == POLC_ABSENT && rule->ports_presence == POLC_ABSENT;
	if (sound && rule->selects_nothing && r->deny)
		no_effect(r, rule->span, "a deny rule without peers and ports only isolates");
	if (sound && rule->ports_presence == POLC_PRESENT && !rule->ports.n)
		no_effect(r, (r->ports ? r->ports : r->icmps)->key->span, "no port is listed");
}

static void check_icmps(struct polc_cilium_rule *r, const char *path)
{
	if (!r->ports || !r->icmps)
		return;
	struct polc_diagnostic *d = polc_error(r->polc, r->icmps->key->span,
		POLC_CODE_CONFLICTING_FIELDS, "%s has both toPorts and icmps", path);
	polc_diagnostic_relate(r->polc, d, r->ports->key->span, "toPorts");
	polc_diagnostic_suggest(r->polc, d, "write two rules: what either allows is allowed");
}

void polc_cilium_parse_rule(struct polc *polc, struct polc_ast_spec *spec,
	const struct polc_yaml *node, const char *path, enum polc_direction direction, bool deny)
{
	struct polc_ast_rule rule = {.direction = direction,
		.action = deny ? POLC_DENY : POLC_ALLOW,
		.span = polc_first_token(node)};
	struct polc_cilium_rule r = {.polc = polc, .rule = &rule, .deny = deny};
	unsigned n_errors = polc->n_errors;

	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, path))
		return;
	check_names(polc, node, path, direction);
	parse_members(&r, node, path);
	check_icmps(&r, path);
	apply_emptiness(&r, polc->n_errors == n_errors);
	*polc_vec_push(&polc->arena, &spec->rules) = rule;
}
