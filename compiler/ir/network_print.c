/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The network IR for people (golden tests, --dump-ir), and its structural verifier. */
#include <string.h>

#include "../../runtime/abi.h"
#include "network.h"

static void verify_ids(const uint32_t *ids, size_t n, size_t limit)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] >= limit || (i && ids[i] <= ids[i - 1]))
			POLC_BUG("selector numbers out of order or range");
}

void polc_network_verify(const struct polc_network *network)
{
	uint32_t next = 0;

	for (size_t i = 1; i < network->n_selectors; i++)
		if (polb_selector_compare(&network->selectors[i - 1], &network->selectors[i]) >= 0)
			POLC_BUG("selectors %zu and %zu are out of order", i - 1, i);
	for (size_t i = 0; i < network->n_policies; i++) {
		const struct polc_net_policy *p = &network->policies[i];
		verify_ids(p->subjects, p->n_subjects, network->n_selectors);
		if (p->first_rule != next || p->n_rules > network->n_rules - next)
			POLC_BUG("policy %zu's rules are not contiguous", i);
		next += p->n_rules;
	}
	if (next != network->n_rules)
		POLC_BUG("rules without policy");
	for (size_t i = 0; i < network->n_rules; i++) {
		const struct polc_net_rule *r = &network->rules[i];
		verify_ids(r->selectors, r->n_selectors, network->n_selectors);
		if (r->id != POLB_RULE_FIRST + i || r->policy >= network->n_policies)
			POLC_BUG("rule %zu is misnumbered", i);
	}
}

static const struct {
	uint32_t kind;
	const char *text;
} kind_names[] = {
#define X(bit, name, text) {POLB_KIND_##name, text},
	POLB_KINDS(X)
#undef X
};

static void print_kinds(uint32_t kinds, struct polc_buf *out)
{
	const char *separator = "";

	if (kinds == POLB_KIND_ANY) {
		polc_buf_puts(out, "any");
		return;
	}
	for (size_t i = 0; i < POLC_ARRAY_SIZE(kind_names); i++)
		if (kinds & kind_names[i].kind) {
			polc_buf_printf(out, "%s%s", separator, kind_names[i].text);
			separator = "|";
		}
}

static void print_requirement(const struct polb_requirement *r, struct polc_buf *out)
{
	static const char *const ops[] = {"in", "not-in", "exists", "does-not-exist"};

	polc_buf_printf(out, " %s:%s %s", r->source, r->key, ops[r->op]);
	for (size_t i = 0; i < r->n_values; i++)
		polc_buf_printf(out, "%s%s", i ? "," : " ", r->values[i]);
}

void polc_selector_print(const struct polb_selector *s, struct polc_buf *out)
{
	char text[POLB_ADDR_TEXT];

	print_kinds(s->kinds, out);
	for (size_t i = 0; i < s->n_requirements; i++)
		print_requirement(&s->requirements[i], out);
	if (s->has_prefix) {
		polb_prefix_format(&s->prefix, text);
		polc_buf_printf(out, " %s", text);
	}
	for (size_t i = 0; i < s->n_excepts; i++) {
		polb_prefix_format(&s->excepts[i], text);
		polc_buf_printf(out, " except %s", text);
	}
	if (s->port_name)
		polc_buf_printf(
			out, " port %s=%u/%u", s->port_name, s->port_protocol, s->port_number);
}

static void print_protocols(uint8_t protocols, struct polc_buf *out)
{
	static const char *const names[] = {"tcp", "udp", "sctp", "icmp", "icmpv6", "ip"};
	const char *separator = "";

	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++)
		if (protocols & (1u << i)) {
			polc_buf_printf(out, "%s%s", separator, names[i]);
			separator = "+";
		}
}

static void print_port(const struct polc_net_port *p, struct polc_buf *out)
{
	polc_buf_puts(out, " ");
	if (p->kind == POLC_PORT_ALL && !p->protocols) {
		polc_buf_puts(out, "everything");
		return;
	}
	print_protocols(p->protocols, out);
	if (p->kind == POLC_PORT_NAME)
		polc_buf_printf(out, "/%s", p->name);
	else if (p->kind == POLC_PORT_RANGE && p->lo == p->hi)
		polc_buf_printf(out, "/%u", p->lo);
	else if (p->kind == POLC_PORT_RANGE)
		polc_buf_printf(out, "/%u-%u", p->lo, p->hi);
	else if (p->protocols & POLC_PROTO_OTHER)
		polc_buf_printf(out, "/%u", p->lo);
}

static void print_ids(const char *word, const uint32_t *ids, size_t n, struct polc_buf *out)
{
	polc_buf_puts(out, word);
	for (size_t i = 0; i < n; i++)
		polc_buf_printf(out, "%s%u", i ? "," : " s", ids[i]);
	if (!n)
		polc_buf_puts(out, " nothing");
}

static void print_rule(const struct polc_net_rule *r, struct polc_buf *out)
{
	static const char *const actions[] = {"allow", "deny", "pass"};

	polc_buf_printf(out, "    rule %u %s %s", r->id,
		r->direction == POLC_INGRESS ? "ingress" : "egress", actions[r->action]);
	print_ids(
		r->direction == POLC_INGRESS ? " from" : " to", r->selectors, r->n_selectors, out);
	polc_buf_puts(out, r->n_ports ? " ports" : " ports none");
	for (size_t i = 0; i < r->n_ports; i++)
		print_port(&r->ports[i], out);
	if (r->log)
		polc_buf_printf(out, " log %s", r->log);
	polc_buf_puts(out, "\n");
}

static void print_policy(
	const struct polc_network *network, const struct polc_net_policy *p, struct polc_buf *out)
{
	static const char *const tiers[] = {"admin", "middle", "baseline"};
	static const char *const directions[] = {"ingress", "egress"};

	polc_buf_printf(out, "policy %s %s%s%s[%u] %s", polc_policy_kind_name(p->kind),
		p->namespace ? p->namespace : "", p->namespace ? "/" : "", p->name, p->spec,
		tiers[p->tier]);
	if (p->tier != POLC_TIER_MIDDLE)
		polc_buf_printf(out, " %u", p->priority);
	print_ids(" subject", p->subjects, p->n_subjects, out);
	for (int d = 0; d < 2; d++)
		if (p->selects[d])
			polc_buf_printf(
				out, " %s%s", directions[d], p->isolates[d] ? ":isolates" : "");
	if (p->switchable)
		polc_buf_printf(
			out, " mode %s", polc_policy_is_audited(network, p) ? "audit" : "enforce");
	polc_buf_puts(out, "\n");
	for (uint32_t i = 0; i < p->n_rules; i++)
		print_rule(&network->rules[p->first_rule + i], out);
}

void polc_network_print(
	const struct polc *polc, const struct polc_network *network, struct polc_buf *out)
{
	static const char *const postures[] = {"allow", "deny", "always"};

	(void)polc;
	polc_buf_printf(out, "posture %s\n", postures[network->posture]);
	for (size_t i = 0; i < network->n_selectors; i++) {
		polc_buf_printf(out, "s%zu ", i);
		polc_selector_print(&network->selectors[i], out);
		polc_buf_puts(out, "\n");
	}
	for (size_t i = 0; i < network->n_policies; i++)
		print_policy(network, &network->policies[i], out);
}
