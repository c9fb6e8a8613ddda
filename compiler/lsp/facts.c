/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the analysis says about a place: policies, rules, hooks, and whom they select. */
#include <string.h>

#include "lsp.h"

/* Endpoints */

static void endpoint_view(const struct lsp_analysis *a, const struct polc_endpoint *endpoint,
	struct polb_identity_view *view)
{
	const struct polc_identity *identity = &a->identities->identities.items[endpoint->identity];

	*view = (struct polb_identity_view){
		.kinds = identity->kinds,
		.labels = identity->labels,
		.n_labels = identity->n_labels,
		.ports = identity->ports,
		.n_ports = identity->n_ports,
	};
	if (endpoint->pod->addrs.n)
		view->addr = endpoint->pod->addrs.items[0];
}

size_t lsp_count_selected(const struct lsp_analysis *a, const uint32_t *selectors, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < a->identities->endpoints.n; i++) {
		struct polb_identity_view view;
		bool selected = false;

		endpoint_view(a, &a->identities->endpoints.items[i], &view);
		for (size_t s = 0; s < n && !selected; s++)
			selected =
				polb_selector_matches(&a->network->selectors[selectors[s]], &view);
		count += selected;
	}
	return count;
}

/* Places */

const struct polc_net_policy *lsp_policy_at(const struct lsp *lsp, const struct lsp_place *place)
{
	const struct polc_network *network = lsp->analysis->network;
	const struct polc_net_policy *best = NULL;

	for (size_t i = 0; network && i < network->n_policies; i++) {
		const struct polc_net_policy *policy = &network->policies[i];

		if (policy->span.source == place->file->source && place->file->source &&
			policy->span.begin <= place->offset &&
			(!best || policy->span.begin >= best->span.begin))
			best = policy;
	}
	return best;
}

const struct polc_net_rule *lsp_rule_at(const struct lsp *lsp, const struct lsp_place *place)
{
	const struct polc_network *network = lsp->analysis->network;
	const struct polc_net_policy *policy = lsp_policy_at(lsp, place);
	const struct polc_net_rule *best = NULL;

	for (uint32_t i = 0; policy && i < policy->n_rules; i++) {
		const struct polc_net_rule *rule = &network->rules[policy->first_rule + i];

		if (rule->span.begin <= place->offset &&
			(!best || rule->span.begin > best->span.begin))
			best = rule;
	}
	/* a statement of the language ends at its semicolon */
	if (best && lsp_is_pol(place->file) &&
		memchr(place->file->text + best->span.begin, ';', place->offset - best->span.begin))
		return NULL;
	return best;
}

const struct polc_trace_spec *lsp_trace_spec_at(const struct polc_tracing *tracing, size_t offset)
{
	const struct polc_trace_spec *best = NULL;

	for (size_t i = 0; i < tracing->n_specs; i++) {
		const struct polc_trace_spec *spec = &tracing->specs[i];

		if (spec->span.begin <= offset && (!best || spec->span.begin > best->span.begin))
			best = spec;
	}
	return best;
}

/* Words */

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_port(struct polc_buf *out, const struct polc_net_port *port)
{
	static const char *const names[] = {"tcp", "udp", "sctp", "icmp", "icmpv6", "ip"};
	const char *separator = "";

	if (port->kind == POLC_PORT_ALL && !port->protocols) {
		polc_buf_puts(out, "every protocol");
		return;
	}
	for (unsigned i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		if (!(port->protocols >> i & 1))
			continue;
		polc_buf_printf(out, "%s%s/", separator, names[i]);
		if (port->kind == POLC_PORT_NAME)
			polc_buf_puts(out, port->name);
		else if (port->kind == POLC_PORT_ALL && 1u << i != POLC_PROTO_OTHER)
			polc_buf_puts(out, "\\*");
		else if (port->lo == port->hi || port->kind == POLC_PORT_ALL)
			polc_buf_printf(out, "%u", port->lo);
		else
			polc_buf_printf(out, "%u-%u", port->lo, port->hi);
		separator = ", ";
	}
}

static void print_ports(struct polc_buf *out, const struct polc_net_rule *rule)
{
	enum { SHOWN = 8 };

	if (!rule->n_ports)
		polc_buf_puts(out, "no port");
	for (size_t i = 0; i < rule->n_ports && i < SHOWN; i++) {
		polc_buf_puts(out, i ? ", " : "");
		print_port(out, &rule->ports[i]);
	}
	if (rule->n_ports > SHOWN)
		polc_buf_printf(out, " and %zu more", rule->n_ports - SHOWN);
}

void lsp_describe_policy(
	const struct lsp_analysis *a, const struct polc_net_policy *policy, struct polc_buf *out)
{
	static const char *const directions[] = {"ingress", "egress"};

	polc_buf_printf(out, "**%s %s%s%s**", polc_policy_kind_name(policy->kind),
		policy->namespace ? policy->namespace : "", policy->namespace ? "/" : "",
		policy->name);
	if (a->identities->endpoints.n) {
		size_t n = lsp_count_selected(a, policy->subjects, policy->n_subjects);

		polc_buf_printf(out, " governs %zu of the inventory's %zu endpoint%s", n,
			a->identities->endpoints.n, plural(a->identities->endpoints.n));
	}
	for (int d = 0; d < 2; d++)
		if (policy->isolates[d])
			polc_buf_printf(
				out, "; %s is denied but for what rules allow", directions[d]);
	polc_buf_puts(out, ".");
}

void lsp_describe_rule(
	const struct lsp_analysis *a, const struct polc_net_rule *rule, struct polc_buf *out)
{
	static const char *const actions[] = {"Allows", "Denies", "Passes on"};
	const struct polc_net_policy *policy = &a->network->policies[rule->policy];

	polc_buf_printf(out, "%s %s ", actions[rule->action],
		rule->direction == POLC_INGRESS ? "ingress from" : "egress to");
	if (a->identities->endpoints.n) {
		size_t n = lsp_count_selected(a, rule->selectors, rule->n_selectors);

		polc_buf_printf(out, "%zu endpoint%s of the inventory", n, plural(n));
	} else {
		polc_buf_printf(
			out, "%zu kind%s of peers", rule->n_selectors, plural(rule->n_selectors));
	}
	polc_buf_puts(out, " on ");
	print_ports(out, rule);
	if (a->identities->endpoints.n) {
		size_t n = lsp_count_selected(a, policy->subjects, policy->n_subjects);

		polc_buf_printf(out, ", for %zu governed endpoint%s", n, plural(n));
	}
	polc_buf_puts(out, ".");
}

const struct lsp_code_text *lsp_code_text(enum polc_code code)
{
	for (size_t i = 0; i < lsp_n_code_texts; i++)
		if (lsp_code_texts[i].code == (int)code)
			return &lsp_code_texts[i];
	return NULL;
}
