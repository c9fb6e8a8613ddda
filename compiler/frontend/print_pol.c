/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tree in the DSL. Writes what there is to say, one blank between words; pol_layout.c gives
 * the lines. What YAML holds but no version can enforce is not in the tree: it becomes a comment,
 * and `polc fmt` refuses to convert it.
 */
#include "pol.h"

#include <netinet/in.h>
#include <string.h>

/* Words */

void polc_pol_write_escaped(struct polc_buf *out, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			polc_buf_printf(out, "\\%c", *c);
		else if (*c == '\n')
			polc_buf_puts(out, "\\n");
		else if (*c == '\t')
			polc_buf_puts(out, "\\t");
		else if (*c < ' ' || *c == 0x7f)
			polc_buf_printf(out, "\\x%02x", *c);
		else
			polc_buf_add(out, (const char *)c, 1);
	}
}

static void write_string(struct polc_buf *out, const char *text)
{
	polc_buf_puts(out, "\"");
	polc_pol_write_escaped(out, text);
	polc_buf_puts(out, "\"");
}

void polc_pol_write_word(struct polc_buf *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./:*+%@-";

	if (*text && text[strspn(text, plain)] == '\0')
		polc_buf_puts(out, text);
	else
		write_string(out, text);
}

static void write_prefix(struct polc_buf *out, const struct polb_prefix *prefix)
{
	char text[POLB_ADDR_TEXT];

	polb_prefix_format(prefix, text);
	polc_buf_puts(out, text);
}

/* Selectors */

static void write_values(struct polc_buf *out, const struct polc_ast_requirement *r)
{
	for (size_t i = 0; i < r->values.n; i++) {
		polc_buf_puts(out, i == 0 ? "(" : ", ");
		polc_pol_write_word(out, r->values.items[i]);
	}
	polc_buf_puts(out, ")");
}

/* `pods not in (a)` would be read as a key `pods`. */
static void write_key(struct polc_buf *out, const char *key)
{
	if (strcmp(key, "not") == 0)
		write_string(out, key);
	else
		polc_pol_write_word(out, key);
}

static void write_membership(struct polc_buf *out, const struct polc_ast_requirement *r,
	const char *one, const char *many)
{
	write_key(out, r->key);
	if (one) {
		polc_buf_puts(out, one);
		polc_pol_write_word(out, r->values.items[0]);
		return;
	}
	polc_buf_puts(out, many);
	write_values(out, r);
}

static void write_requirement(struct polc_buf *out, const struct polc_ast_requirement *r)
{
	switch (r->op) {
	case POLB_OP_IN:
		write_membership(out, r, r->from_match_labels ? " = " : NULL, " in ");
		return;
	case POLB_OP_NOT_IN:
		write_membership(out, r, r->values.n == 1 ? " != " : NULL, " not in ");
		return;
	case POLB_OP_EXISTS:
	case POLB_OP_DOES_NOT_EXIST:
		polc_buf_puts(out, r->op == POLB_OP_EXISTS ? "has " : "not has ");
		write_key(out, r->key);
		return;
	}
}

/* `all` when nothing is required; the noun is left out where it goes without saying. */
static void write_selector(
	struct polc_buf *out, const char *noun, bool needs_noun, const struct polc_ast_selector *s)
{
	bool all = !s || s->requirements.n == 0;

	if (needs_noun || (all && *noun))
		polc_buf_printf(out, "%s ", noun);
	if (all)
		polc_buf_puts(out, "all");
	for (size_t i = 0; !all && i < s->requirements.n; i++) {
		polc_buf_puts(out, i == 0 ? "" : " and ");
		write_requirement(out, &s->requirements.items[i]);
	}
}

void polc_pol_write_selector(struct polc_buf *out, const struct polc_ast_selector *selector)
{
	write_selector(out, "", false, selector);
}

/* Peers */

static void write_namespace(struct polc_buf *out, const struct polc_ast_peer *peer)
{
	if (!peer->namespace)
		return;
	polc_buf_puts(out, " in ");
	polc_pol_write_word(out, peer->namespace);
}

static void write_excepts(struct polc_buf *out, const struct polc_ast_peer *peer)
{
	for (size_t i = 0; i < peer->excepts.n; i++) {
		polc_buf_puts(out, i == 0 ? " except " : ", ");
		write_prefix(out, &peer->excepts.items[i]);
	}
}

static void write_pods(struct polc_buf *out, const struct polc_ast_peer *peer)
{
	if (peer->namespace_selector)
		write_selector(out, "namespaces", true, peer->namespace_selector);
	if (peer->namespace_selector && peer->pod_selector)
		polc_buf_puts(out, " ");
	if (peer->pod_selector)
		write_selector(out, "pods", peer->namespace_selector, peer->pod_selector);
}

static void write_peer(struct polc_buf *out, const struct polc_ast_peer *peer)
{
	switch (peer->kind) {
	case POLC_PEER_PODS:
		write_pods(out, peer);
		return;
	case POLC_PEER_NAMESPACES:
		write_selector(out, "namespaces", true, peer->namespace_selector);
		return;
	case POLC_PEER_ENDPOINTS:
		write_selector(out, "endpoints", false, peer->selector);
		return;
	case POLC_PEER_NODES:
		write_selector(out, "nodes", true, peer->selector);
		return;
	case POLC_PEER_CIDR:
		polc_buf_puts(out, "cidr ");
		write_prefix(out, &peer->cidr);
		write_excepts(out, peer);
		return;
	case POLC_PEER_CIDR_GROUP:
		polc_buf_puts(out, "cidr-group ");
		polc_pol_write_word(out, peer->name);
		write_excepts(out, peer);
		return;
	case POLC_PEER_CIDR_GROUP_SELECTOR:
		write_selector(out, "cidr-groups", true, peer->selector);
		write_excepts(out, peer);
		return;
	case POLC_PEER_ENTITY:
		polc_buf_puts(out, "entity ");
		polc_pol_write_word(out, peer->name);
		return;
	case POLC_PEER_SERVICE:
		polc_buf_puts(out, "service ");
		polc_pol_write_word(out, peer->name);
		write_namespace(out, peer);
		return;
	case POLC_PEER_SERVICE_SELECTOR:
		write_selector(out, "services", true, peer->selector);
		write_namespace(out, peer);
		return;
	}
}

/* `entity a, b` and `cidr a, b` for neighbours that have nothing else to them. */
static bool joins_list(const struct polc_ast_peer *before, const struct polc_ast_peer *peer)
{
	if (before->kind != peer->kind || before->excepts.n || peer->excepts.n)
		return false;
	return peer->kind == POLC_PEER_ENTITY || peer->kind == POLC_PEER_CIDR;
}

static void write_peers(struct polc_buf *out, const struct polc_ast_rule *rule)
{
	for (size_t i = 0; i < rule->peers.n; i++) {
		const struct polc_ast_peer *peer = &rule->peers.items[i];

		if (i > 0 && joins_list(peer - 1, peer)) {
			polc_buf_puts(out, ", ");
			if (peer->kind == POLC_PEER_ENTITY)
				polc_pol_write_word(out, peer->name);
			else
				write_prefix(out, &peer->cidr);
			continue;
		}
		polc_buf_puts(out, i > 0 ? " or " : "");
		write_peer(out, peer);
	}
	if (rule->peers.n == 0)
		polc_buf_puts(out, rule->peers_presence == POLC_PRESENT ? "none" : "any");
}

/* Ports */

static const char *protocol_text(uint8_t protocols)
{
	switch (protocols) {
	case POLC_PROTO_TCP:
		return "tcp";
	case POLC_PROTO_UDP:
		return "udp";
	case POLC_PROTO_SCTP:
		return "sctp";
	case POLC_PROTO_ICMP:
		return "icmp";
	case POLC_PROTO_ICMPV6:
		return "icmpv6";
	default:
		return "any";
	}
}

static void write_extended(struct polc_buf *out, unsigned number)
{
	const char *name = pol_protocol_name(number);

	for (; name && *name; name++)
		polc_buf_printf(out, "%c", *name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
}

void polc_pol_write_port(struct polc_buf *out, const struct polc_ast_port *port)
{
	if (port->protocols == POLC_PROTO_OTHER) {
		write_extended(out, port->lo);
		return;
	}
	polc_buf_printf(out, "%s/", protocol_text(port->protocols));
	switch (port->kind) {
	case POLC_PORT_ALL:
		polc_buf_puts(out, "*");
		return;
	case POLC_PORT_NAME:
		polc_buf_puts(out, port->name);
		return;
	case POLC_PORT_RANGE:
		polc_buf_printf(out, port->lo == port->hi ? "%u" : "%u-%u", port->lo, port->hi);
		return;
	}
}

static void write_ports(struct polc_buf *out, const struct polc_ast_rule *rule)
{
	if (rule->ports_presence == POLC_ABSENT)
		return;
	polc_buf_puts(out, " to ");
	for (size_t i = 0; i < rule->ports.n; i++) {
		polc_buf_puts(out, i == 0 ? "" : ", ");
		polc_pol_write_port(out, &rule->ports.items[i]);
	}
	if (rule->ports.n == 0)
		polc_buf_puts(out, "none");
}

/* Rules and policies */

static const char *const directions[] = {"ingress", "egress"};
static const char *const actions[] = {"allow", "deny", "pass"};

static void write_unsupported(struct polc_buf *out, const char *reason)
{
	if (reason)
		polc_buf_printf(out, "# not in this language: %s\n", reason);
}

static void write_rule(struct polc_buf *out, const struct polc_ast_rule *rule)
{
	bool egress = rule->direction == POLC_EGRESS;

	write_unsupported(out, rule->unsupported);
	polc_buf_printf(out, "%s %s", directions[rule->direction], actions[rule->action]);
	if (rule->selects_nothing) {
		polc_buf_puts(out, " nothing");
	} else if (rule->peers_presence == POLC_PRESENT || (egress && rule->ports_presence) ||
		   !rule->ports_presence) {
		polc_buf_puts(out, egress ? " to " : " from ");
		write_peers(out, rule);
	}
	write_ports(out, rule);
	if (rule->name) {
		polc_buf_puts(out, " as ");
		polc_pol_write_word(out, rule->name);
	}
	polc_buf_puts(out, ";\n");
}

static void write_text(struct polc_buf *out, const char *keyword, const char *text)
{
	if (!text)
		return;
	polc_buf_printf(out, "%s ", keyword);
	write_string(out, text);
	polc_buf_puts(out, ";\n");
}

static void write_isolate(struct polc_buf *out, const struct polc_ast_spec *spec)
{
	const char *before = "isolate ";

	if (spec->policy_types_presence == POLC_ABSENT)
		return;
	for (unsigned d = 0; d < 2; d++) {
		if (!spec->policy_types[d])
			continue;
		polc_buf_printf(out, "%s%s", before, directions[d]);
		before = ", ";
	}
	polc_buf_puts(out, *before == ',' ? ";\n" : "");
}

static void write_labels(struct polc_buf *out, const struct polc_ast_spec *spec)
{
	for (size_t i = 0; i < spec->labels.n; i++) {
		const struct polb_label *label = &spec->labels.items[i];
		bool source = label->source && *label->source;

		polc_buf_puts(out, i == 0 ? "labels " : ", ");
		polc_pol_write_word(out, !source ? label->key
						 : polc_arena_printf(out->arena, "%s:%s",
							   label->source, label->key));
		polc_buf_puts(out, " = ");
		polc_pol_write_word(out, label->value);
	}
	polc_buf_puts(out, spec->labels.n ? ";\n" : "");
}

static void write_subject(struct polc_buf *out, const struct polc_ast_peer *subject)
{
	polc_buf_puts(out, "subject ");
	if (subject->kind == POLC_PEER_ENDPOINTS)
		write_selector(out, "", false, subject->selector);
	else if (subject->kind == POLC_PEER_PODS && !subject->namespace_selector)
		write_selector(out, "", false, subject->pod_selector);
	else
		write_peer(out, subject);
	polc_buf_puts(out, ";\n");
}

static bool has_rules(const struct polc_ast_spec *spec, enum polc_direction direction)
{
	for (size_t i = 0; i < spec->rules.n; i++)
		if (spec->rules.items[i].direction == direction)
			return true;
	return false;
}

static void write_spec(struct polc_buf *out, const struct polc_ast_spec *spec)
{
	write_unsupported(out, spec->unsupported);
	write_text(out, "description", spec->description);
	write_subject(out, &spec->subject);
	write_isolate(out, spec);
	for (unsigned d = 0; d < 2; d++)
		if (spec->default_deny[d] != POLC_UNSET)
			polc_buf_printf(out, "%s default %s;\n", directions[d],
				spec->default_deny[d] == POLC_TRUE ? "deny" : "allow");
	for (unsigned d = 0; d < 2; d++)
		if (spec->section[d] && !has_rules(spec, (enum polc_direction)d))
			polc_buf_printf(out, "%s none;\n", directions[d]);
	for (size_t i = 0; i < spec->rules.n; i++)
		write_rule(out, &spec->rules.items[i]);
	write_labels(out, spec);
	write_text(out, "log", spec->log);
}

static void write_header(struct polc_buf *out, const struct polc_ast_policy *policy)
{
	static const char *const openings[] = {
		[POLC_KIND_NETWORK_POLICY] = "kubernetes network",
		[POLC_KIND_CILIUM] = "network",
		[POLC_KIND_CILIUM_CLUSTERWIDE] = "network",
		[POLC_KIND_CLUSTER] = "cluster network",
		[POLC_KIND_ADMIN] = "admin network",
		[POLC_KIND_BASELINE_ADMIN] = "baseline network",
	};
	const struct polc_ast_spec *spec = policy->specs.items;

	polc_buf_printf(out, "%s ", openings[policy->kind]);
	polc_pol_write_word(out, policy->name);
	if (polc_policy_kind_namespaced(policy->kind)) {
		polc_buf_puts(out, " in ");
		polc_pol_write_word(out, policy->namespace_written ? policy->namespace : ".");
	}
	if (policy->kind == POLC_KIND_CLUSTER)
		polc_buf_printf(
			out, " tier %s", spec->tier == POLC_TIER_ADMIN ? "admin" : "baseline");
	if (policy->kind == POLC_KIND_CLUSTER || policy->kind == POLC_KIND_ADMIN)
		polc_buf_printf(out, " priority %u", spec->priority);
	polc_buf_puts(out, " {\n");
}

void polc_pol_write_policy(struct polc_buf *out, const struct polc_ast_policy *policy)
{
	write_header(out, policy);
	if (policy->mode != POLC_MODE_FIXED)
		polc_buf_printf(out, "mode %s;\n", polc_policy_mode_name(policy->mode));
	for (size_t i = 0; i < policy->specs.n; i++) {
		polc_buf_puts(out, policy->specs.n == 1 ? "" : "spec {\n");
		write_spec(out, &policy->specs.items[i]);
		polc_buf_puts(out, policy->specs.n == 1 ? "" : "}\n");
	}
	polc_buf_puts(out, "}\n");
}

void polc_ast_print_pol(const struct polc_ast *ast, struct polc_buf *out)
{
	struct polc_buf raw = {.arena = out->arena};

	for (size_t i = 0; i < ast->policies.n; i++)
		polc_pol_write_policy(&raw, ast->policies.items[i]);
	if (raw.n)
		pol_layout(raw.p, raw.n, out);
}
