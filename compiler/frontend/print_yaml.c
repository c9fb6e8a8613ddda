/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tree as Kubernetes YAML: one document per policy, fields in the order of their documentation,
 * two blanks per level, strings plain where YAML 1.1 and 1.2 both read them as strings.
 */
#include "pol.h"
#include "yaml_out.h"

#include <netinet/in.h>
#include <string.h>

#define CILIUM_PORTS_MAX 40
#define NETWORKS_MAX 25

/* Prefixes hold a slash: with a digit or letter first they are strings without quotes. */
static const char *prefix_text(struct polc_yaml_out *y, const struct polb_prefix *prefix)
{
	char out[POLB_ADDR_TEXT];

	polb_prefix_format(prefix, out);
	return polc_arena_printf(y->buf->arena, *out == ':' ? "\"%s\"" : "%s", out);
}

static void item_prefix(struct polc_yaml_out *y, const struct polb_prefix *prefix)
{
	polc_yaml_open_item(y);
	polc_yaml_indent(y);
	polc_buf_printf(y->buf, "%s\n", prefix_text(y, prefix));
	polc_yaml_close_item(y);
}

static void excepts(struct polc_yaml_out *y, const struct polc_ast_peer *peer)
{
	if (peer->excepts.n == 0)
		return;
	polc_yaml_open_key(y, "except");
	for (size_t i = 0; i < peer->excepts.n; i++)
		item_prefix(y, &peer->excepts.items[i]);
	polc_yaml_close_key(y);
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

static void kubernetes_peer(struct polc_yaml_out *y, const struct polc_ast_peer *peer)
{
	polc_yaml_open_item(y);
	if (peer->kind == POLC_PEER_CIDR) {
		polc_yaml_open_key(y, "ipBlock");
		polc_yaml_line_raw(y, "cidr", prefix_text(y, &peer->cidr));
		excepts(y, peer);
		polc_yaml_close_key(y);
	} else {
		if (peer->namespace_selector)
			polc_yaml_selector(y, "namespaceSelector", peer->namespace_selector);
		if (peer->pod_selector)
			polc_yaml_selector(y, "podSelector", peer->pod_selector);
	}
	polc_yaml_close_item(y);
}

static void kubernetes_port(struct polc_yaml_out *y, const struct polc_ast_port *port)
{
	polc_yaml_open_item(y);
	polc_yaml_line_raw(y, "protocol", protocol_name(port));
	if (port->kind == POLC_PORT_NAME)
		polc_yaml_line_text(y, "port", port->name);
	if (port->kind == POLC_PORT_RANGE)
		polc_yaml_line_number(y, "port", port->lo);
	if (port->kind == POLC_PORT_RANGE && port->hi != port->lo)
		polc_yaml_line_number(y, "endPort", port->hi);
	polc_yaml_close_item(y);
}

static void kubernetes_rule(struct polc_yaml_out *y, const struct polc_ast_rule *rule)
{
	polc_yaml_open_item(y);
	if (rule->peers.n) {
		polc_yaml_open_key(y, peer_keys[rule->direction]);
		for (size_t i = 0; i < rule->peers.n; i++)
			kubernetes_peer(y, &rule->peers.items[i]);
		polc_yaml_close_key(y);
	}
	if (rule->ports.n) {
		polc_yaml_open_key(y, "ports");
		for (size_t i = 0; i < rule->ports.n; i++)
			kubernetes_port(y, &rule->ports.items[i]);
		polc_yaml_close_key(y);
	}
	polc_yaml_close_item(y);
}

static void policy_types(struct polc_yaml_out *y, const struct polc_ast_spec *spec)
{
	if (!spec->policy_types[POLC_INGRESS] && !spec->policy_types[POLC_EGRESS])
		return;
	polc_yaml_open_key(y, "policyTypes");
	if (spec->policy_types[POLC_INGRESS])
		polc_yaml_item_text(y, "Ingress");
	if (spec->policy_types[POLC_EGRESS])
		polc_yaml_item_text(y, "Egress");
	polc_yaml_close_key(y);
}

typedef void rule_writer(struct polc_yaml_out *y, const struct polc_ast_rule *rule);

static bool rule_is(const struct polc_ast_rule *rule, unsigned direction, bool any, bool deny)
{
	return rule->direction == direction && (any || (rule->action == POLC_DENY) == deny);
}

/* The list of a direction's rules: all, or with !any those that deny, or do not. */
static bool rule_list(struct polc_yaml_out *y, const struct polc_ast_spec *spec, const char *key,
	unsigned direction, bool any, bool deny, rule_writer *write)
{
	bool found = false;

	for (size_t i = 0; i < spec->rules.n; i++) {
		const struct polc_ast_rule *rule = &spec->rules.items[i];

		if (!rule_is(rule, direction, any, deny))
			continue;
		if (!found)
			polc_yaml_open_key(y, key);
		found = true;
		write(y, rule);
	}
	if (found)
		polc_yaml_close_key(y);
	return found;
}

static void sections(struct polc_yaml_out *y, const struct polc_ast_spec *spec, rule_writer *write)
{
	for (unsigned d = 0; d < 2; d++)
		if (!rule_list(y, spec, direction_keys[d], d, true, false, write) &&
			spec->section[d])
			polc_yaml_line_raw(y, direction_keys[d], "[]");
}

static void kubernetes_spec(struct polc_yaml_out *y, const struct polc_ast_spec *spec)
{
	polc_yaml_selector(y, "podSelector", spec->subject.pod_selector);
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

static void cidr_set_item(struct polc_yaml_out *y, const struct polc_ast_peer *peer)
{
	polc_yaml_open_item(y);
	if (peer->kind == POLC_PEER_CIDR)
		polc_yaml_line_raw(y, "cidr", prefix_text(y, &peer->cidr));
	else if (peer->kind == POLC_PEER_CIDR_GROUP)
		polc_yaml_line_text(y, "cidrGroupRef", peer->name);
	else
		polc_yaml_selector(y, "cidrGroupSelector", peer->selector);
	excepts(y, peer);
	polc_yaml_close_item(y);
}

static void service_item(struct polc_yaml_out *y, const struct polc_ast_peer *peer)
{
	bool by_name = peer->kind == POLC_PEER_SERVICE;

	polc_yaml_open_item(y);
	polc_yaml_open_key(y, by_name ? "k8sService" : "k8sServiceSelector");
	if (by_name)
		polc_yaml_line_text(y, "serviceName", peer->name);
	else
		polc_yaml_selector(y, "selector", peer->selector);
	if (peer->namespace)
		polc_yaml_line_text(y, "namespace", peer->namespace);
	polc_yaml_close_key(y);
	polc_yaml_close_item(y);
}

static void selector_item(struct polc_yaml_out *y, const struct polc_ast_selector *s)
{
	polc_yaml_open_item(y);
	polc_yaml_selector_fields(y, s);
	polc_yaml_close_item(y);
}

static void cilium_peer(struct polc_yaml_out *y, const struct polc_ast_peer *peer, bool cidr_set)
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
		polc_yaml_item_text(y, peer->name);
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

static void cilium_peers(struct polc_yaml_out *y, const struct polc_ast_rule *rule)
{
	const char *member = cilium_member(rule);
	const char *key =
		polc_arena_printf(y->buf->arena, "%s%s", peer_keys[rule->direction], member);

	if (rule->peers_presence == POLC_ABSENT)
		return;
	if (rule->peers.n == 0) {
		polc_yaml_line_raw(y, key, "[]");
		return;
	}
	polc_yaml_open_key(y, key);
	for (size_t i = 0; i < rule->peers.n; i++)
		cilium_peer(y, &rule->peers.items[i], strcmp(member, "CIDRSet") == 0);
	polc_yaml_close_key(y);
}

static const char *cilium_port_text(struct polc_yaml_out *y, const struct polc_ast_port *port)
{
	if (port->kind == POLC_PORT_NAME)
		return port->name;
	return port->kind == POLC_PORT_ALL ? "0" : polc_arena_printf(y->buf->arena, "%u", port->lo);
}

static void cilium_port(struct polc_yaml_out *y, const struct polc_ast_port *port)
{
	polc_yaml_open_item(y);
	polc_yaml_line_text(y, "port", cilium_port_text(y, port));
	if (port->kind == POLC_PORT_RANGE && port->hi != port->lo)
		polc_yaml_line_number(y, "endPort", port->hi);
	polc_yaml_line_raw(y, "protocol", protocol_name(port));
	polc_yaml_close_item(y);
}

static void icmp_field(struct polc_yaml_out *y, const struct polc_ast_port *port)
{
	polc_yaml_open_item(y);
	polc_yaml_line_raw(y, "family", port->protocols == POLC_PROTO_ICMP ? "IPv4" : "IPv6");
	polc_yaml_line_number(y, "type", port->lo);
	polc_yaml_close_item(y);
}

static void cilium_ports(struct polc_yaml_out *y, const struct polc_ast_rule *rule)
{
	bool icmp = rule->ports.n &&
		    (rule->ports.items[0].protocols & (POLC_PROTO_ICMP | POLC_PROTO_ICMPV6));

	if (rule->ports_presence == POLC_ABSENT)
		return;
	polc_yaml_open_key(y, icmp ? "icmps" : "toPorts");
	for (size_t i = 0; i < rule->ports.n; i++) {
		if (i % CILIUM_PORTS_MAX == 0) {
			polc_yaml_open_item(y);
			polc_yaml_open_key(y, icmp ? "fields" : "ports");
		}
		if (icmp)
			icmp_field(y, &rule->ports.items[i]);
		else
			cilium_port(y, &rule->ports.items[i]);
		if ((i + 1) % CILIUM_PORTS_MAX == 0 || i + 1 == rule->ports.n) {
			polc_yaml_close_key(y);
			polc_yaml_close_item(y);
		}
	}
	if (rule->ports.n == 0) {
		polc_yaml_open_item(y);
		polc_yaml_close_item(y);
	}
	polc_yaml_close_key(y);
}

static void cilium_rule(struct polc_yaml_out *y, const struct polc_ast_rule *rule)
{
	if (rule->unsupported)
		polc_buf_printf(y->buf, "%*s# not in this version: %s\n", (int)(2 * y->level), "",
			rule->unsupported);
	polc_yaml_open_item(y);
	cilium_peers(y, rule);
	cilium_ports(y, rule);
	polc_yaml_close_item(y);
}

static void default_deny(struct polc_yaml_out *y, const struct polc_ast_spec *spec)
{
	if (spec->default_deny[0] == POLC_UNSET && spec->default_deny[1] == POLC_UNSET)
		return;
	polc_yaml_open_key(y, "enableDefaultDeny");
	for (unsigned d = 0; d < 2; d++)
		if (spec->default_deny[d] != POLC_UNSET)
			polc_yaml_line_raw(y, direction_keys[d],
				spec->default_deny[d] == POLC_TRUE ? "true" : "false");
	polc_yaml_close_key(y);
}

static void spec_labels(struct polc_yaml_out *y, const struct polc_ast_spec *spec)
{
	if (spec->labels.n == 0)
		return;
	polc_yaml_open_key(y, "labels");
	for (size_t i = 0; i < spec->labels.n; i++) {
		const struct polb_label *label = &spec->labels.items[i];

		polc_yaml_open_item(y);
		polc_yaml_line_text(y, "key", label->key);
		polc_yaml_line_text(y, "value", label->value);
		if (label->source && *label->source)
			polc_yaml_line_text(y, "source", label->source);
		polc_yaml_close_item(y);
	}
	polc_yaml_close_key(y);
}

static void cilium_spec(struct polc_yaml_out *y, const struct polc_ast_spec *spec)
{
	static const char *const deny_keys[] = {"ingressDeny", "egressDeny"};

	if (spec->description)
		polc_yaml_line_text(y, "description", spec->description);
	polc_yaml_selector(
		y, spec->unsupported ? "nodeSelector" : "endpointSelector", spec->subject.selector);
	default_deny(y, spec);
	for (unsigned d = 0; d < 2; d++) {
		bool some = rule_list(y, spec, direction_keys[d], d, false, false, cilium_rule);

		some |= rule_list(y, spec, deny_keys[d], d, false, true, cilium_rule);
		if (!some && spec->section[d])
			polc_yaml_line_raw(y, direction_keys[d], "[]");
	}
	spec_labels(y, spec);
	if (spec->log) {
		polc_yaml_open_key(y, "log");
		polc_yaml_line_text(y, "value", spec->log);
		polc_yaml_close_key(y);
	}
}

/* Policy API */

static void api_selection(struct polc_yaml_out *y, const struct polc_ast_peer *peer)
{
	if (peer->kind == POLC_PEER_NAMESPACES) {
		polc_yaml_selector(y, "namespaces", peer->namespace_selector);
		return;
	}
	polc_yaml_open_key(y, "pods");
	polc_yaml_selector(y, "namespaceSelector", peer->namespace_selector);
	polc_yaml_selector(y, "podSelector", peer->pod_selector);
	polc_yaml_close_key(y);
}

/* Neighbouring prefixes share a peer; returns how many were written. */
static size_t api_networks(struct polc_yaml_out *y, const struct polc_ast_rule *rule, size_t i)
{
	size_t n = 0;

	polc_yaml_open_key(y, "networks");
	for (; i + n < rule->peers.n && n < NETWORKS_MAX; n++) {
		if (rule->peers.items[i + n].kind != POLC_PEER_CIDR)
			break;
		item_prefix(y, &rule->peers.items[i + n].cidr);
	}
	polc_yaml_close_key(y);
	return n;
}

static void api_peers(struct polc_yaml_out *y, const struct polc_ast_rule *rule)
{
	polc_yaml_open_key(y, peer_keys[rule->direction]);
	for (size_t i = 0; i < rule->peers.n;) {
		const struct polc_ast_peer *peer = &rule->peers.items[i];

		polc_yaml_open_item(y);
		if (peer->kind == POLC_PEER_CIDR) {
			i += api_networks(y, rule, i);
		} else {
			if (peer->kind == POLC_PEER_NODES)
				polc_yaml_selector(y, "nodes", peer->selector);
			else
				api_selection(y, peer);
			i++;
		}
		polc_yaml_close_item(y);
	}
	polc_yaml_close_key(y);
}

static void alpha1_port(struct polc_yaml_out *y, const struct polc_ast_port *port)
{
	bool single = port->lo == port->hi;

	polc_yaml_open_item(y);
	if (port->kind == POLC_PORT_NAME) {
		polc_yaml_line_text(y, "namedPort", port->name);
	} else {
		polc_yaml_open_key(y, single ? "portNumber" : "portRange");
		polc_yaml_line_raw(y, "protocol", protocol_name(port));
		polc_yaml_line_number(y, single ? "port" : "start", port->lo);
		if (!single)
			polc_yaml_line_number(y, "end", port->hi);
		polc_yaml_close_key(y);
	}
	polc_yaml_close_item(y);
}

static void alpha2_destination(struct polc_yaml_out *y, const struct polc_ast_port *port)
{
	polc_yaml_open_key(y, port->protocols == POLC_PROTO_TCP   ? "tcp"
			      : port->protocols == POLC_PROTO_UDP ? "udp"
								  : "sctp");
	polc_yaml_open_key(y, "destinationPort");
	if (port->lo == port->hi) {
		polc_yaml_line_number(y, "number", port->lo);
	} else {
		polc_yaml_open_key(y, "range");
		polc_yaml_line_number(y, "start", port->lo);
		polc_yaml_line_number(y, "end", port->hi);
		polc_yaml_close_key(y);
	}
	polc_yaml_close_key(y);
	polc_yaml_close_key(y);
}

static void alpha2_port(struct polc_yaml_out *y, const struct polc_ast_port *port)
{
	polc_yaml_open_item(y);
	if (port->kind == POLC_PORT_NAME)
		polc_yaml_line_text(y, "destinationNamedPort", port->name);
	else
		alpha2_destination(y, port);
	polc_yaml_close_item(y);
}

static void api_rule(struct polc_yaml_out *y, const struct polc_ast_rule *rule, bool alpha2)
{
	const char *const actions[] = {alpha2 ? "Accept" : "Allow", "Deny", "Pass"};

	polc_yaml_open_item(y);
	if (rule->name)
		polc_yaml_line_text(y, "name", rule->name);
	polc_yaml_line_raw(y, "action", actions[rule->action]);
	api_peers(y, rule);
	if (rule->ports.n) {
		polc_yaml_open_key(y, alpha2 ? "protocols" : "ports");
		for (size_t i = 0; i < rule->ports.n; i++)
			(alpha2 ? alpha2_port : alpha1_port)(y, &rule->ports.items[i]);
		polc_yaml_close_key(y);
	}
	polc_yaml_close_item(y);
}

static void alpha1_rule(struct polc_yaml_out *y, const struct polc_ast_rule *rule)
{
	api_rule(y, rule, false);
}

static void alpha2_rule(struct polc_yaml_out *y, const struct polc_ast_rule *rule)
{
	api_rule(y, rule, true);
}

static void api_spec(
	struct polc_yaml_out *y, const struct polc_ast_spec *spec, enum polc_policy_kind kind)
{
	if (kind == POLC_KIND_CLUSTER)
		polc_yaml_line_raw(y, "tier", spec->tier == POLC_TIER_ADMIN ? "Admin" : "Baseline");
	if (kind != POLC_KIND_BASELINE_ADMIN)
		polc_yaml_line_number(y, "priority", spec->priority);
	polc_yaml_open_key(y, "subject");
	api_selection(y, &spec->subject);
	polc_yaml_close_key(y);
	sections(y, spec, kind == POLC_KIND_CLUSTER ? alpha2_rule : alpha1_rule);
}

/* Objects */

static void spec_fields(
	struct polc_yaml_out *y, const struct polc_ast_spec *spec, enum polc_policy_kind kind)
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

void polc_yaml_write_policy(struct polc_buf *out, const struct polc_ast_policy *policy)
{
	struct polc_yaml_out y = {.buf = out};

	polc_yaml_object_head(&y, polc_policy_kind_api(policy->kind),
		polc_policy_kind_name(policy->kind), policy->name,
		policy->namespace_written ? policy->namespace : NULL);
	if (policy->mode != POLC_MODE_FIXED) {
		polc_yaml_open_key(&y, "annotations");
		polc_yaml_line_text(&y, POLC_MODE_ANNOTATION, polc_policy_mode_name(policy->mode));
		polc_yaml_close_key(&y);
	}
	polc_yaml_close_key(&y);
	polc_yaml_open_key(&y, policy->specs.n == 1 ? "spec" : "specs");
	for (size_t i = 0; i < policy->specs.n; i++) {
		if (policy->specs.n > 1)
			polc_yaml_open_item(&y);
		spec_fields(&y, &policy->specs.items[i], policy->kind);
		if (policy->specs.n > 1)
			polc_yaml_close_item(&y);
	}
	polc_yaml_close_key(&y);
}

void polc_ast_print_yaml(const struct polc_ast *ast, struct polc_buf *out)
{
	for (size_t i = 0; i < ast->policies.n; i++) {
		polc_buf_puts(out, i == 0 ? "" : "---\n");
		polc_yaml_write_policy(out, ast->policies.items[i]);
	}
}
