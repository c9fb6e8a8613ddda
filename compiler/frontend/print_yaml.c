/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tree as Kubernetes YAML: one document per policy, fields in the order of their documentation,
 * two blanks per level, strings plain where YAML 1.1 and 1.2 both read them as strings.
 */
#include "pol.h"

#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#define CILIUM_PORTS_MAX 40
#define NETWORKS_MAX 25

/* A document being written: the level of the next line, and whether it begins a list item. */
struct yaml_out {
	struct polc_buf *buf;
	unsigned level;
	bool item;
};

/* Lines */

static void indent(struct yaml_out *y)
{
	unsigned level = y->level;

	polc_buf_printf(y->buf, "%*s", (int)(2 * (level - y->item)), "");
	if (y->item)
		polc_buf_puts(y->buf, "- ");
	y->item = false;
}

/* "key:" whose value follows on the next lines, one level deeper. */
static void open_key(struct yaml_out *y, const char *key)
{
	indent(y);
	polc_buf_printf(y->buf, "%s:\n", key);
	y->level++;
}

static void close_key(struct yaml_out *y)
{
	y->level--;
}

/* An item of the list whose key is open: its lines are one level deeper than the dash. */
static void open_item(struct yaml_out *y)
{
	y->level++;
	y->item = true;
}

/* An item without any line is an empty mapping. */
static void close_item(struct yaml_out *y)
{
	if (y->item) {
		indent(y);
		polc_buf_puts(y->buf, "{}\n");
	}
	y->level--;
}

/* Is the text a string to every YAML reader without quotes? */
static bool is_plain(const char *text)
{
	static const char *const words[] = {
		"true", "false", "null", "yes", "no", "on", "off", "y", "n"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return false;
	if (!isalpha((unsigned char)*text))
		return false;
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_./-", *c) && !(*c == ':' && c[1]))
			return false;
	return true;
}

void polc_yaml_write_text(struct polc_buf *out, const char *value)
{
	if (is_plain(value))
		polc_buf_puts(out, value);
	else
		polc_buf_json(out, value);
}

static void text(struct yaml_out *y, const char *value)
{
	polc_yaml_write_text(y->buf, value);
}

static void line_text(struct yaml_out *y, const char *key, const char *value)
{
	indent(y);
	text(y, key);
	polc_buf_puts(y->buf, ": ");
	text(y, value);
	polc_buf_puts(y->buf, "\n");
}

static void line_raw(struct yaml_out *y, const char *key, const char *value)
{
	indent(y);
	polc_buf_printf(y->buf, "%s: %s\n", key, value);
}

static void line_number(struct yaml_out *y, const char *key, unsigned value)
{
	indent(y);
	polc_buf_printf(y->buf, "%s: %u\n", key, value);
}

static void item_text(struct yaml_out *y, const char *value)
{
	open_item(y);
	indent(y);
	text(y, value);
	polc_buf_puts(y->buf, "\n");
	close_item(y);
}

/* Prefixes hold a slash: with a digit or letter first they are strings without quotes. */
static const char *prefix_text(struct yaml_out *y, const struct polb_prefix *prefix)
{
	char out[POLB_ADDR_TEXT];

	polb_prefix_format(prefix, out);
	return polc_arena_printf(y->buf->arena, *out == ':' ? "\"%s\"" : "%s", out);
}

static void item_prefix(struct yaml_out *y, const struct polb_prefix *prefix)
{
	open_item(y);
	indent(y);
	polc_buf_printf(y->buf, "%s\n", prefix_text(y, prefix));
	close_item(y);
}

/* Selectors */

static void match_labels(struct yaml_out *y, const struct polc_ast_selector *s)
{
	open_key(y, "matchLabels");
	for (size_t i = 0; i < s->requirements.n; i++) {
		const struct polc_ast_requirement *r = &s->requirements.items[i];

		if (r->from_match_labels)
			line_text(y, r->key, r->values.items[0]);
	}
	close_key(y);
}

static void match_expression(struct yaml_out *y, const struct polc_ast_requirement *r)
{
	static const char *const operators[] = {
		[POLB_OP_IN] = "In",
		[POLB_OP_NOT_IN] = "NotIn",
		[POLB_OP_EXISTS] = "Exists",
		[POLB_OP_DOES_NOT_EXIST] = "DoesNotExist",
	};

	open_item(y);
	line_text(y, "key", r->key);
	line_text(y, "operator", operators[r->op]);
	if (r->values.n) {
		open_key(y, "values");
		for (size_t i = 0; i < r->values.n; i++)
			item_text(y, r->values.items[i]);
		close_key(y);
	}
	close_item(y);
}

static void match_expressions(struct yaml_out *y, const struct polc_ast_selector *s)
{
	open_key(y, "matchExpressions");
	for (size_t i = 0; i < s->requirements.n; i++)
		if (!s->requirements.items[i].from_match_labels)
			match_expression(y, &s->requirements.items[i]);
	close_key(y);
}

/* The fields of a selector; the caller has opened its mapping. */
static void selector_fields(struct yaml_out *y, const struct polc_ast_selector *s)
{
	size_t n = s ? s->requirements.n : 0, labels = 0;

	for (size_t i = 0; i < n; i++)
		labels += s->requirements.items[i].from_match_labels;
	if (labels)
		match_labels(y, s);
	if (labels < n)
		match_expressions(y, s);
}

static void selector(struct yaml_out *y, const char *key, const struct polc_ast_selector *s)
{
	if (!s || s->requirements.n == 0) {
		line_raw(y, key, "{}");
		return;
	}
	open_key(y, key);
	selector_fields(y, s);
	close_key(y);
}

static void excepts(struct yaml_out *y, const struct polc_ast_peer *peer)
{
	if (peer->excepts.n == 0)
		return;
	open_key(y, "except");
	for (size_t i = 0; i < peer->excepts.n; i++)
		item_prefix(y, &peer->excepts.items[i]);
	close_key(y);
}

static const char *const direction_keys[] = {"ingress", "egress"};
static const char *const peer_keys[] = {"from", "to"};

static const char *protocol_name(const struct polc_ast_port *port)
{
	switch (port->protocols) {
	case POLC_PROTO_TCP:
		return "TCP";
	case POLC_PROTO_UDP:
		return "UDP";
	case POLC_PROTO_SCTP:
		return "SCTP";
	case POLC_PROTO_OTHER:
		return pol_protocol_name(port->lo);
	default:
		return "ANY";
	}
}

/* NetworkPolicy */

static void kubernetes_peer(struct yaml_out *y, const struct polc_ast_peer *peer)
{
	open_item(y);
	if (peer->kind == POLC_PEER_CIDR) {
		open_key(y, "ipBlock");
		line_raw(y, "cidr", prefix_text(y, &peer->cidr));
		excepts(y, peer);
		close_key(y);
	} else {
		if (peer->namespace_selector)
			selector(y, "namespaceSelector", peer->namespace_selector);
		if (peer->pod_selector)
			selector(y, "podSelector", peer->pod_selector);
	}
	close_item(y);
}

static void kubernetes_port(struct yaml_out *y, const struct polc_ast_port *port)
{
	open_item(y);
	line_raw(y, "protocol", protocol_name(port));
	if (port->kind == POLC_PORT_NAME)
		line_text(y, "port", port->name);
	if (port->kind == POLC_PORT_RANGE)
		line_number(y, "port", port->lo);
	if (port->kind == POLC_PORT_RANGE && port->hi != port->lo)
		line_number(y, "endPort", port->hi);
	close_item(y);
}

static void kubernetes_rule(struct yaml_out *y, const struct polc_ast_rule *rule)
{
	open_item(y);
	if (rule->peers.n) {
		open_key(y, peer_keys[rule->direction]);
		for (size_t i = 0; i < rule->peers.n; i++)
			kubernetes_peer(y, &rule->peers.items[i]);
		close_key(y);
	}
	if (rule->ports.n) {
		open_key(y, "ports");
		for (size_t i = 0; i < rule->ports.n; i++)
			kubernetes_port(y, &rule->ports.items[i]);
		close_key(y);
	}
	close_item(y);
}

static void policy_types(struct yaml_out *y, const struct polc_ast_spec *spec)
{
	if (!spec->policy_types[POLC_INGRESS] && !spec->policy_types[POLC_EGRESS])
		return;
	open_key(y, "policyTypes");
	if (spec->policy_types[POLC_INGRESS])
		item_text(y, "Ingress");
	if (spec->policy_types[POLC_EGRESS])
		item_text(y, "Egress");
	close_key(y);
}

typedef void rule_writer(struct yaml_out *y, const struct polc_ast_rule *rule);

static bool rule_is(const struct polc_ast_rule *rule, unsigned direction, bool any, bool deny)
{
	return rule->direction == direction && (any || (rule->action == POLC_DENY) == deny);
}

/* The list of a direction's rules: all, or with !any those that deny, or do not. */
static bool rule_list(struct yaml_out *y, const struct polc_ast_spec *spec, const char *key,
	unsigned direction, bool any, bool deny, rule_writer *write)
{
	bool found = false;

	for (size_t i = 0; i < spec->rules.n; i++) {
		const struct polc_ast_rule *rule = &spec->rules.items[i];

		if (!rule_is(rule, direction, any, deny))
			continue;
		if (!found)
			open_key(y, key);
		found = true;
		write(y, rule);
	}
	if (found)
		close_key(y);
	return found;
}

static void sections(struct yaml_out *y, const struct polc_ast_spec *spec, rule_writer *write)
{
	for (unsigned d = 0; d < 2; d++)
		if (!rule_list(y, spec, direction_keys[d], d, true, false, write) &&
			spec->section[d])
			line_raw(y, direction_keys[d], "[]");
}

static void kubernetes_spec(struct yaml_out *y, const struct polc_ast_spec *spec)
{
	selector(y, "podSelector", spec->subject.pod_selector);
	policy_types(y, spec);
	sections(y, spec, kubernetes_rule);
}

/* Cilium */

/* The member of a rule that holds such peers. */
static const char *cilium_member(const struct polc_ast_rule *rule)
{
	bool set = false;

	if (rule->peers.n == 0)
		return "Endpoints";
	for (size_t i = 0; i < rule->peers.n; i++)
		set |= rule->peers.items[i].kind != POLC_PEER_CIDR ||
		       rule->peers.items[i].excepts.n;
	switch (rule->peers.items[0].kind) {
	case POLC_PEER_CIDR:
	case POLC_PEER_CIDR_GROUP:
	case POLC_PEER_CIDR_GROUP_SELECTOR:
		return set ? "CIDRSet" : "CIDR";
	case POLC_PEER_ENTITY:
		return "Entities";
	case POLC_PEER_SERVICE:
	case POLC_PEER_SERVICE_SELECTOR:
		return "Services";
	case POLC_PEER_NODES:
		return "Nodes";
	case POLC_PEER_ENDPOINTS:
	case POLC_PEER_PODS:
	case POLC_PEER_NAMESPACES:
		return "Endpoints";
	}
	return "Endpoints";
}

static void cidr_set_item(struct yaml_out *y, const struct polc_ast_peer *peer)
{
	open_item(y);
	if (peer->kind == POLC_PEER_CIDR)
		line_raw(y, "cidr", prefix_text(y, &peer->cidr));
	else if (peer->kind == POLC_PEER_CIDR_GROUP)
		line_text(y, "cidrGroupRef", peer->name);
	else
		selector(y, "cidrGroupSelector", peer->selector);
	excepts(y, peer);
	close_item(y);
}

static void service_item(struct yaml_out *y, const struct polc_ast_peer *peer)
{
	bool by_name = peer->kind == POLC_PEER_SERVICE;

	open_item(y);
	open_key(y, by_name ? "k8sService" : "k8sServiceSelector");
	if (by_name)
		line_text(y, "serviceName", peer->name);
	else
		selector(y, "selector", peer->selector);
	if (peer->namespace)
		line_text(y, "namespace", peer->namespace);
	close_key(y);
	close_item(y);
}

static void selector_item(struct yaml_out *y, const struct polc_ast_selector *s)
{
	open_item(y);
	selector_fields(y, s);
	close_item(y);
}

static void cilium_peer(struct yaml_out *y, const struct polc_ast_peer *peer, bool cidr_set)
{
	switch (peer->kind) {
	case POLC_PEER_CIDR:
		if (cidr_set)
			cidr_set_item(y, peer);
		else
			item_prefix(y, &peer->cidr);
		return;
	case POLC_PEER_CIDR_GROUP:
	case POLC_PEER_CIDR_GROUP_SELECTOR:
		cidr_set_item(y, peer);
		return;
	case POLC_PEER_ENTITY:
		item_text(y, peer->name);
		return;
	case POLC_PEER_SERVICE:
	case POLC_PEER_SERVICE_SELECTOR:
		service_item(y, peer);
		return;
	case POLC_PEER_ENDPOINTS:
	case POLC_PEER_NODES:
		selector_item(y, peer->selector);
		return;
	case POLC_PEER_PODS:
	case POLC_PEER_NAMESPACES:
		return;
	}
}

static void cilium_peers(struct yaml_out *y, const struct polc_ast_rule *rule)
{
	const char *member = cilium_member(rule);
	const char *key =
		polc_arena_printf(y->buf->arena, "%s%s", peer_keys[rule->direction], member);

	if (rule->peers_presence == POLC_ABSENT)
		return;
	if (rule->peers.n == 0) {
		line_raw(y, key, "[]");
		return;
	}
	open_key(y, key);
	for (size_t i = 0; i < rule->peers.n; i++)
		cilium_peer(y, &rule->peers.items[i], strcmp(member, "CIDRSet") == 0);
	close_key(y);
}

static const char *cilium_port_text(struct yaml_out *y, const struct polc_ast_port *port)
{
	if (port->kind == POLC_PORT_NAME)
		return port->name;
	return port->kind == POLC_PORT_ALL ? "0" : polc_arena_printf(y->buf->arena, "%u", port->lo);
}

static void cilium_port(struct yaml_out *y, const struct polc_ast_port *port)
{
	open_item(y);
	line_text(y, "port", cilium_port_text(y, port));
	if (port->kind == POLC_PORT_RANGE && port->hi != port->lo)
		line_number(y, "endPort", port->hi);
	line_raw(y, "protocol", protocol_name(port));
	close_item(y);
}

static void icmp_field(struct yaml_out *y, const struct polc_ast_port *port)
{
	open_item(y);
	line_raw(y, "family", port->protocols == POLC_PROTO_ICMP ? "IPv4" : "IPv6");
	line_number(y, "type", port->lo);
	close_item(y);
}

static void cilium_ports(struct yaml_out *y, const struct polc_ast_rule *rule)
{
	bool icmp = rule->ports.n &&
		    (rule->ports.items[0].protocols & (POLC_PROTO_ICMP | POLC_PROTO_ICMPV6));

	if (rule->ports_presence == POLC_ABSENT)
		return;
	open_key(y, icmp ? "icmps" : "toPorts");
	for (size_t i = 0; i < rule->ports.n; i++) {
		if (i % CILIUM_PORTS_MAX == 0) {
			open_item(y);
			open_key(y, icmp ? "fields" : "ports");
		}
		if (icmp)
			icmp_field(y, &rule->ports.items[i]);
		else
			cilium_port(y, &rule->ports.items[i]);
		if ((i + 1) % CILIUM_PORTS_MAX == 0 || i + 1 == rule->ports.n) {
			close_key(y);
			close_item(y);
		}
	}
	if (rule->ports.n == 0) {
		open_item(y);
		close_item(y);
	}
	close_key(y);
}

static void cilium_rule(struct yaml_out *y, const struct polc_ast_rule *rule)
{
	if (rule->unsupported)
		polc_buf_printf(y->buf, "%*s# not in this version: %s\n", (int)(2 * y->level), "",
			rule->unsupported);
	open_item(y);
	cilium_peers(y, rule);
	cilium_ports(y, rule);
	close_item(y);
}

static void default_deny(struct yaml_out *y, const struct polc_ast_spec *spec)
{
	if (spec->default_deny[0] == POLC_UNSET && spec->default_deny[1] == POLC_UNSET)
		return;
	open_key(y, "enableDefaultDeny");
	for (unsigned d = 0; d < 2; d++)
		if (spec->default_deny[d] != POLC_UNSET)
			line_raw(y, direction_keys[d],
				spec->default_deny[d] == POLC_TRUE ? "true" : "false");
	close_key(y);
}

static void spec_labels(struct yaml_out *y, const struct polc_ast_spec *spec)
{
	if (spec->labels.n == 0)
		return;
	open_key(y, "labels");
	for (size_t i = 0; i < spec->labels.n; i++) {
		const struct polb_label *label = &spec->labels.items[i];

		open_item(y);
		line_text(y, "key", label->key);
		line_text(y, "value", label->value);
		if (label->source && *label->source)
			line_text(y, "source", label->source);
		close_item(y);
	}
	close_key(y);
}

static void cilium_spec(struct yaml_out *y, const struct polc_ast_spec *spec)
{
	static const char *const deny_keys[] = {"ingressDeny", "egressDeny"};

	if (spec->description)
		line_text(y, "description", spec->description);
	selector(
		y, spec->unsupported ? "nodeSelector" : "endpointSelector", spec->subject.selector);
	default_deny(y, spec);
	for (unsigned d = 0; d < 2; d++) {
		bool some = rule_list(y, spec, direction_keys[d], d, false, false, cilium_rule);

		some |= rule_list(y, spec, deny_keys[d], d, false, true, cilium_rule);
		if (!some && spec->section[d])
			line_raw(y, direction_keys[d], "[]");
	}
	spec_labels(y, spec);
	if (spec->log) {
		open_key(y, "log");
		line_text(y, "value", spec->log);
		close_key(y);
	}
}

/* Policy API */

static void api_selection(struct yaml_out *y, const struct polc_ast_peer *peer)
{
	if (peer->kind == POLC_PEER_NAMESPACES) {
		selector(y, "namespaces", peer->namespace_selector);
		return;
	}
	open_key(y, "pods");
	selector(y, "namespaceSelector", peer->namespace_selector);
	selector(y, "podSelector", peer->pod_selector);
	close_key(y);
}

/* Neighbouring prefixes share a peer; returns how many were written. */
static size_t api_networks(struct yaml_out *y, const struct polc_ast_rule *rule, size_t i)
{
	size_t n = 0;

	open_key(y, "networks");
	for (; i + n < rule->peers.n && n < NETWORKS_MAX; n++) {
		if (rule->peers.items[i + n].kind != POLC_PEER_CIDR)
			break;
		item_prefix(y, &rule->peers.items[i + n].cidr);
	}
	close_key(y);
	return n;
}

static void api_peers(struct yaml_out *y, const struct polc_ast_rule *rule)
{
	open_key(y, peer_keys[rule->direction]);
	for (size_t i = 0; i < rule->peers.n;) {
		const struct polc_ast_peer *peer = &rule->peers.items[i];

		open_item(y);
		if (peer->kind == POLC_PEER_CIDR) {
			i += api_networks(y, rule, i);
		} else {
			if (peer->kind == POLC_PEER_NODES)
				selector(y, "nodes", peer->selector);
			else
				api_selection(y, peer);
			i++;
		}
		close_item(y);
	}
	close_key(y);
}

static void alpha1_port(struct yaml_out *y, const struct polc_ast_port *port)
{
	bool single = port->lo == port->hi;

	open_item(y);
	if (port->kind == POLC_PORT_NAME) {
		line_text(y, "namedPort", port->name);
	} else {
		open_key(y, single ? "portNumber" : "portRange");
		line_raw(y, "protocol", protocol_name(port));
		line_number(y, single ? "port" : "start", port->lo);
		if (!single)
			line_number(y, "end", port->hi);
		close_key(y);
	}
	close_item(y);
}

static void alpha2_destination(struct yaml_out *y, const struct polc_ast_port *port)
{
	open_key(y, port->protocols == POLC_PROTO_TCP   ? "tcp"
		    : port->protocols == POLC_PROTO_UDP ? "udp"
							: "sctp");
	open_key(y, "destinationPort");
	if (port->lo == port->hi) {
		line_number(y, "number", port->lo);
	} else {
		open_key(y, "range");
		line_number(y, "start", port->lo);
		line_number(y, "end", port->hi);
		close_key(y);
	}
	close_key(y);
	close_key(y);
}

static void alpha2_port(struct yaml_out *y, const struct polc_ast_port *port)
{
	open_item(y);
	if (port->kind == POLC_PORT_NAME)
		line_text(y, "destinationNamedPort", port->name);
	else
		alpha2_destination(y, port);
	close_item(y);
}

static void api_rule(struct yaml_out *y, const struct polc_ast_rule *rule, bool alpha2)
{
	const char *const actions[] = {alpha2 ? "Accept" : "Allow", "Deny", "Pass"};

	open_item(y);
	if (rule->name)
		line_text(y, "name", rule->name);
	line_raw(y, "action", actions[rule->action]);
	api_peers(y, rule);
	if (rule->ports.n) {
		open_key(y, alpha2 ? "protocols" : "ports");
		for (size_t i = 0; i < rule->ports.n; i++)
			(alpha2 ? alpha2_port : alpha1_port)(y, &rule->ports.items[i]);
		close_key(y);
	}
	close_item(y);
}

static void alpha1_rule(struct yaml_out *y, const struct polc_ast_rule *rule)
{
	api_rule(y, rule, false);
}

static void alpha2_rule(struct yaml_out *y, const struct polc_ast_rule *rule)
{
	api_rule(y, rule, true);
}

static void api_spec(
	struct yaml_out *y, const struct polc_ast_spec *spec, enum polc_policy_kind kind)
{
	if (kind == POLC_KIND_CLUSTER)
		line_raw(y, "tier", spec->tier == POLC_TIER_ADMIN ? "Admin" : "Baseline");
	if (kind != POLC_KIND_BASELINE_ADMIN)
		line_number(y, "priority", spec->priority);
	open_key(y, "subject");
	api_selection(y, &spec->subject);
	close_key(y);
	sections(y, spec, kind == POLC_KIND_CLUSTER ? alpha2_rule : alpha1_rule);
}

/* Objects */

static void spec_fields(
	struct yaml_out *y, const struct polc_ast_spec *spec, enum polc_policy_kind kind)
{
	switch (kind) {
	case POLC_KIND_NETWORK_POLICY:
		kubernetes_spec(y, spec);
		return;
	case POLC_KIND_CILIUM:
	case POLC_KIND_CILIUM_CLUSTERWIDE:
		cilium_spec(y, spec);
		return;
	case POLC_KIND_CLUSTER:
	case POLC_KIND_ADMIN:
	case POLC_KIND_BASELINE_ADMIN:
		api_spec(y, spec, kind);
		return;
	}
}

static void object_head(struct yaml_out *y, const char *api, const char *kind, const char *name,
	const char *namespace)
{
	line_raw(y, "apiVersion", api);
	line_raw(y, "kind", kind);
	open_key(y, "metadata");
	line_text(y, "name", name);
	if (namespace)
		line_text(y, "namespace", namespace);
}

void polc_yaml_write_policy(struct polc_buf *out, const struct polc_ast_policy *policy)
{
	struct yaml_out y = {.buf = out};

	object_head(&y, polc_policy_kind_api(policy->kind), polc_policy_kind_name(policy->kind),
		policy->name, policy->namespace_written ? policy->namespace : NULL);
	close_key(&y);
	open_key(&y, policy->specs.n == 1 ? "spec" : "specs");
	for (size_t i = 0; i < policy->specs.n; i++) {
		if (policy->specs.n > 1)
			open_item(&y);
		spec_fields(&y, &policy->specs.items[i], policy->kind);
		if (policy->specs.n > 1)
			close_item(&y);
	}
	close_key(&y);
}

void polc_ast_print_yaml(const struct polc_ast *ast, struct polc_buf *out)
{
	for (size_t i = 0; i < ast->policies.n; i++) {
		polc_buf_puts(out, i == 0 ? "" : "---\n");
		polc_yaml_write_policy(out, ast->policies.items[i]);
	}
}
