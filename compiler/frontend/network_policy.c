/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * networking.k8s.io/v1 NetworkPolicy. Its emptiness (reference 4.1): absent, null and empty
 * `from`, `to` and `ports` all mean everything; an empty peer is invalid; a rule `{}` is valid and
 * allows everything.
 */
#include "fields.h"
#include "objects.h"

#include <string.h>

struct section {
	enum polc_direction direction;
	const char *name, *peers; /* "ingress", "from" */
};

static const struct section sections[] = {
	{POLC_INGRESS, "ingress", "from"},
	{POLC_EGRESS, "egress", "to"},
};

/* Absent or null; a null that means "everything" deserves a word. */
static bool is_absent(struct polc *polc, const struct polc_yaml *node, const char *name)
{
	if (node && polc_yaml_is_null(node))
		polc_warn(polc, node->span, POLC_CODE_IGNORED_FIELD,
			"\"%s\" is null, which is the same as leaving it out", name);
	return polc_yaml_is_null(node);
}

/* Ports */

/* A service name: RFC 6335, as Kubernetes checks port names. */
static bool is_port_name(const char *s)
{
	size_t n = strlen(s);
	bool letter = false;

	if (!n || n > 15 || s[0] == '-' || s[n - 1] == '-' || strstr(s, "--"))
		return false;
	for (size_t i = 0; i < n; i++) {
		letter |= s[i] >= 'a' && s[i] <= 'z';
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", s[i]))
			return false;
	}
	return letter;
}

static bool read_protocol(struct polc *polc, const struct polc_yaml *node, uint8_t *out)
{
	static const char *const names[] = {"TCP", "UDP", "SCTP"};
	static const uint8_t bits[] = {POLC_PROTO_TCP, POLC_PROTO_UDP, POLC_PROTO_SCTP};
	struct polc_diagnostic *d;
	const char *text, *near;

	*out = POLC_PROTO_TCP;
	if (polc_yaml_is_null(node))
		return true;
	if (!polc_yaml_string(polc, node, "protocol", &text))
		return false;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		if (!strcmp(text, names[i])) {
			*out = bits[i];
			return true;
		}
	}
	d = polc_error(polc, node->span, POLC_CODE_BAD_PROTOCOL,
		"protocol \"%s\" is none of TCP, UDP, SCTP", text);
	near = polc_nearest(text, names, POLC_ARRAY_SIZE(names));
	if (near)
		polc_diagnostic_did_you_mean(polc, d, near);
	return false;
}

static bool read_port_name(
	struct polc *polc, const struct polc_yaml *node, struct polc_ast_port *port)
{
	struct polc_diagnostic *d;
	const char *name;

	if (node->kind != POLC_YAML_SCALAR || polc_yaml_resolve(node) != POLC_YAML_STRING) {
		polc_error(polc, node->span, POLC_CODE_WRONG_TYPE,
			"port must be a whole number or a port name");
		return false;
	}
	if (!polc_yaml_string(polc, node, "port", &name))
		return false;
	if (!is_port_name(name)) {
		d = polc_error(polc, node->span, POLC_CODE_BAD_PORT,
			"\"%s\" is not a port name: lower-case letters, digits and '-', at most "
			"15, with a letter",
			name);
		if (*name && !name[strspn(name, "0123456789")])
			polc_diagnostic_suggest(
				polc, d, "leave out the quotes for port number %s", name);
		return false;
	}
	port->kind = POLC_PORT_NAME;
	port->name = name;
	return true;
}

static bool read_end_port(struct polc *polc, const struct polc_yaml *node,
	const struct polc_yaml *first, struct polc_ast_port *port)
{
	struct polc_diagnostic *d;
	uint16_t last;

	if (port->kind != POLC_PORT_RANGE) {
		d = polc_error(polc, node->span, POLC_CODE_CONFLICTING_FIELDS,
			"endPort needs a numeric port");
		if (first)
			polc_diagnostic_relate(polc, d, first->span, "this is a name");
		return false;
	}
	if (!polc_parse_port_number(polc, node, false, "endPort", &last))
		return false;
	if (last < port->lo) {
		d = polc_error(polc, node->span, POLC_CODE_BAD_PORT, "endPort %u is below port %u",
			last, port->lo);
		polc_diagnostic_relate(polc, d, first->span, "the range begins here");
		return false;
	}
	port->hi = last;
	return true;
}

static bool read_port(struct polc *polc, const struct polc_yaml *node, struct polc_ast_port *out)
{
	static const char *const fields[] = {"protocol", "port", "endPort"};
	const struct polc_yaml *number = polc_yaml_get(node, "port");
	const struct polc_yaml *end = polc_yaml_get(node, "endPort");
	struct polc_ast_port port = {.kind = POLC_PORT_ALL, .hi = UINT16_MAX};

	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, "an entry of ports"))
		return false;
	polc_yaml_check_fields(
		polc, node, fields, POLC_ARRAY_SIZE(fields), "an entry of ports", POLC_ERROR);
	port.span = node->span;
	if (!read_protocol(polc, polc_yaml_get(node, "protocol"), &port.protocols))
		return false;
	if (polc_yaml_is_integer(number)) {
		if (!polc_parse_port_number(polc, number, false, "port", &port.lo))
			return false;
		port.kind = POLC_PORT_RANGE;
		port.hi = port.lo;
	} else if (!polc_yaml_is_null(number) && !read_port_name(polc, number, &port)) {
		return false;
	}
	if (!polc_yaml_is_null(end) &&
		!read_end_port(polc, end, polc_yaml_is_null(number) ? NULL : number, &port))
		return false;
	*out = port;
	return true;
}

static void read_ports(struct polc *polc, const struct polc_yaml *node, struct polc_ast_rule *rule)
{
	struct polc_ast_port port;

	if (is_absent(polc, node, "ports") ||
		!polc_yaml_expect(polc, node, POLC_YAML_SEQUENCE, "ports"))
		return;
	if (node->n_items)
		rule->ports_presence = POLC_PRESENT;
	for (size_t i = 0; i < node->n_items; i++)
		if (read_port(polc, node->items[i], &port))
			*polc_vec_push(&polc->arena, &rule->ports) = port;
}

/* Peers */

/* Kubernetes wants each exception to leave something of the prefix. */
static bool check_strictly_inside(
	struct polc *polc, const struct polc_yaml *node, const struct polc_ast_peer *peer)
{
	for (size_t i = 0; i < peer->excepts.n; i++) {
		if (polb_prefix_compare(&peer->excepts.items[i], &peer->cidr))
			continue;
		polc_error(polc, node->items[i]->span, POLC_CODE_EXCEPT_OUTSIDE,
			"except \"%s\" is the whole cidr", node->items[i]->value);
		return false;
	}
	return true;
}

static bool read_ip_block(
	struct polc *polc, const struct polc_yaml *node, struct polc_ast_peer *peer)
{
	static const char *const fields[] = {"cidr", "except"};
	const struct polc_yaml *cidr, *except;

	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, "ipBlock"))
		return false;
	polc_yaml_check_fields(polc, node, fields, POLC_ARRAY_SIZE(fields), "ipBlock", POLC_ERROR);
	peer->kind = POLC_PEER_CIDR;
	cidr = polc_yaml_get(node, "cidr");
	except = polc_yaml_get(node, "except");
	if (polc_yaml_is_null(cidr)) {
		polc_error(polc, node->span, POLC_CODE_MISSING_FIELD, "ipBlock needs a cidr");
		return false;
	}
	return polc_parse_prefix(polc, cidr, false, "cidr", &peer->cidr) &&
	       polc_parse_excepts(polc, except, peer) && check_strictly_inside(polc, except, peer);
}

static bool read_peer_selectors(struct polc *polc, const struct polc_yaml *pods,
	const struct polc_yaml *namespaces, struct polc_ast_peer *peer)
{
	peer->kind = POLC_PEER_PODS;
	if (pods)
		peer->pod_selector = polc_parse_selector(polc, pods, false, "podSelector");
	if (namespaces)
		peer->namespace_selector =
			polc_parse_selector(polc, namespaces, false, "namespaceSelector");
	return !pods == !peer->pod_selector && !namespaces == !peer->namespace_selector;
}

static const struct polc_yaml *get(const struct polc_yaml *mapping, const char *name)
{
	const struct polc_yaml *node = polc_yaml_get(mapping, name);

	return polc_yaml_is_null(node) ? NULL : node;
}

static bool conflicting(
	struct polc *polc, const struct polc_yaml *block, const struct polc_yaml *selector)
{
	struct polc_diagnostic *d = polc_error(polc, block->span, POLC_CODE_CONFLICTING_FIELDS,
		"ipBlock cannot stand beside a selector in one peer");

	polc_diagnostic_relate(polc, d, selector->span, "the selector");
	polc_diagnostic_suggest(polc, d, "make them two entries of the list");
	return false;
}

static bool empty_peer(struct polc *polc, const struct polc_yaml *node, const char *list)
{
	struct polc_diagnostic *d = polc_error(polc, node->span, POLC_CODE_EMPTY_PEER,
		"an entry of %s needs podSelector, namespaceSelector or ipBlock", list);

	polc_diagnostic_suggest(polc, d,
		"podSelector: {} for all pods of the namespace, or no \"%s\" for every peer", list);
	return false;
}

static bool read_peer(struct polc *polc, const struct polc_yaml *node, const char *list,
	struct polc_ast_peer *out)
{
	static const char *const fields[] = {"podSelector", "namespaceSelector", "ipBlock"};
	const struct polc_yaml *pods = get(node, fields[0]), *namespaces = get(node, fields[1]);
	const struct polc_yaml *block = get(node, fields[2]);
	const char *what = polc_arena_printf(&polc->arena, "an entry of %s", list);
	unsigned errors = polc->n_errors;

	*out = (struct polc_ast_peer){.span = node->span};
	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, what))
		return false;
	polc_yaml_check_fields(polc, node, fields, POLC_ARRAY_SIZE(fields), what, POLC_ERROR);
	if (block && (pods || namespaces))
		return conflicting(polc, block, pods ? pods : namespaces);
	if (block)
		return read_ip_block(polc, block, out);
	if (!pods && !namespaces)
		return polc->n_errors == errors && empty_peer(polc, node, list);
	return read_peer_selectors(polc, pods, namespaces, out);
}

static void read_peers(struct polc *polc, const struct polc_yaml *node, const char *list,
	struct polc_ast_rule *rule)
{
	struct polc_ast_peer peer;

	if (is_absent(polc, node, list) || !polc_yaml_expect(polc, node, POLC_YAML_SEQUENCE, list))
		return;
	if (node->n_items)
		rule->peers_presence = POLC_PRESENT;
	for (size_t i = 0; i < node->n_items; i++)
		if (read_peer(polc, node->items[i], list, &peer))
			*polc_vec_push(&polc->arena, &rule->peers) = peer;
}

/* Rules */

static void read_rule(struct polc *polc, const struct polc_yaml *node,
	const struct section *section, struct polc_ast_spec *spec)
{
	const char *fields[] = {section->peers, "ports"};
	const char *what = polc_arena_printf(&polc->arena, "an entry of %s", section->name);
	struct polc_ast_rule rule = {.direction = section->direction, .action = POLC_ALLOW};

	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, what))
		return;
	polc_yaml_check_fields(polc, node, fields, POLC_ARRAY_SIZE(fields), what, POLC_ERROR);
	rule.span = polc_first_token(node);
	read_peers(polc, polc_yaml_get(node, section->peers), section->peers, &rule);
	read_ports(polc, polc_yaml_get(node, "ports"), &rule);
	*polc_vec_push(&polc->arena, &spec->rules) = rule;
}

static void read_section(struct polc *polc, const struct polc_yaml *node,
	const struct section *section, struct polc_ast_spec *spec)
{
	if (is_absent(polc, node, section->name) ||
		!polc_yaml_expect(polc, node, POLC_YAML_SEQUENCE, section->name))
		return;
	spec->section[section->direction] = true;
	spec->has_rules[section->direction] = node->n_items > 0;
	for (size_t i = 0; i < node->n_items; i++)
		read_rule(polc, node->items[i], section, spec);
}

/* Policy types */

static void read_policy_type(
	struct polc *polc, const struct polc_yaml *node, struct polc_ast_spec *spec)
{
	static const char *const names[] = {"Ingress", "Egress"};
	struct polc_diagnostic *d;
	const char *text, *near;

	if (!polc_yaml_string(polc, node, "a policy type", &text))
		return;
	for (unsigned i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]))
			continue;
		if (spec->policy_types[i])
			polc_warn(polc, node->span, POLC_CODE_POLICY_TYPES,
				"policy type %s is repeated", text);
		spec->policy_types[i] = true;
		return;
	}
	d = polc_error(polc, node->span, POLC_CODE_POLICY_TYPES,
		"policy type \"%s\" is neither Ingress nor Egress", text);
	near = polc_nearest(text, names, POLC_ARRAY_SIZE(names));
	if (near)
		polc_diagnostic_did_you_mean(polc, d, near);
}

/* Empty is as good as absent: the API server fills in the default then. */
static void read_policy_types(
	struct polc *polc, const struct polc_yaml *node, struct polc_ast_spec *spec)
{
	if (is_absent(polc, node, "policyTypes") ||
		!polc_yaml_expect(polc, node, POLC_YAML_SEQUENCE, "policyTypes"))
		return;
	if (node->n_items)
		spec->policy_types_presence = POLC_PRESENT;
	for (size_t i = 0; i < node->n_items; i++)
		read_policy_type(polc, node->items[i], spec);
}

static void warn_ignored(struct polc *polc, const struct polc_yaml *types,
	const struct polc_yaml *rules, const struct section *section,
	const struct polc_ast_spec *spec)
{
	struct polc_diagnostic *d;

	if (spec->policy_types_presence == POLC_ABSENT || spec->policy_types[section->direction] ||
		!spec->has_rules[section->direction])
		return;
	d = polc_warn(polc, rules->items[0]->span, POLC_CODE_IGNORED_FIELD,
		"%s rules have no effect: policyTypes leaves the direction out", section->name);
	polc_diagnostic_relate(polc, d, types->span, "the policy types");
}

/* Spec */

/*
 * Published policies write `podSelector:` with nothing behind it; to the API server that is {}. A
 * selector that is not there at all is refused, as it is by kubectl.
 */
static const struct polc_ast_selector *null_subject(
	struct polc *polc, const struct polc_yaml *node, struct polc_ast_selector *everything)
{
	polc_warn(polc, node->span, POLC_CODE_IGNORED_FIELD,
		"\"podSelector\" is null, which selects all pods of the namespace");
	everything->span = node->span;
	return everything;
}

static void read_subject(
	struct polc *polc, const struct polc_yaml *spec_node, struct polc_ast_spec *spec)
{
	const struct polc_yaml *node = polc_yaml_get(spec_node, "podSelector");
	struct polc_diagnostic *d;

	spec->subject.kind = POLC_PEER_PODS;
	spec->subject.span = node ? node->span : polc_first_token(spec_node);
	if (!node) {
		d = polc_error(polc, spec->subject.span, POLC_CODE_MISSING_FIELD,
			"spec.podSelector is missing");
		polc_diagnostic_suggest(
			polc, d, "podSelector: {} selects all pods of the namespace");
	} else if (polc_yaml_is_null(node)) {
		spec->subject.pod_selector =
			null_subject(polc, node, POLC_NEW(&polc->arena, struct polc_ast_selector));
	} else {
		spec->subject.pod_selector = polc_parse_selector(polc, node, false, "podSelector");
	}
}

static void read_spec(struct polc *polc, const struct polc_yaml *node, struct polc_ast_spec *spec)
{
	static const char *const fields[] = {"podSelector", "policyTypes", "ingress", "egress"};
	const struct polc_yaml *types = polc_yaml_get(node, "policyTypes");

	polc_yaml_check_fields(polc, node, fields, POLC_ARRAY_SIZE(fields), "spec", POLC_ERROR);
	spec->span = node->span;
	spec->tier = POLC_TIER_MIDDLE;
	read_subject(polc, node, spec);
	read_policy_types(polc, types, spec);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(sections); i++) {
		const struct polc_yaml *rules = polc_yaml_get(node, sections[i].name);

		read_section(polc, rules, &sections[i], spec);
		warn_ignored(polc, types, rules, &sections[i], spec);
	}
}

void polc_parse_network_policy(
	struct polc *polc, struct polc_ast *ast, const struct polc_yaml *object)
{
	const struct polc_yaml *node;
	struct polc_ast_policy *policy =
		polc_parse_object(polc, object, POLC_KIND_NETWORK_POLICY, &node, NULL);
	struct polc_ast_spec spec = {0};

	if (!policy)
		return;
	if (!node) {
		polc_error(polc, object->span, POLC_CODE_MISSING_FIELD, "spec is missing");
		return;
	}
	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, "spec"))
		return;
	read_spec(polc, node, &spec);
	*polc_vec_push(&polc->arena, &policy->specs) = spec;
	*polc_vec_push(&polc->arena, &ast->policies) = policy;
}
