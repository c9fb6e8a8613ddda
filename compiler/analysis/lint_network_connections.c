/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Connections that one side allows and the other refuses: rules that let nothing through, as the
 * inventory is (reference 1.3, trap 24). Denials are not looked at: they are there on purpose.
 */
#include <string.h>

#include "lint_network.h"

#define PAIRS_MAX 4096 /* of one rule; with more of them the rule is taken to be of use */

/* One rule, looked at from the endpoint that it governs. */
struct side {
	const struct polc_network_lint *l;
	const struct polc_net_rule *rule;
	enum polc_direction other; /* the direction at the other end */
};

/* Ports */

struct range {
	uint8_t protocol; /* bit */
	uint16_t lo, hi;
};

/* A name is that of the destination's ports. */
static bool range_of(const struct polc_net_port *port, const struct polc_identity *destination,
	uint8_t protocol, struct range *out)
{
	*out = (struct range){protocol, 0, UINT16_MAX};
	if (port->kind == POLC_PORT_ALL && !port->protocols)
		return true;
	if (!(port->protocols & protocol))
		return false;
	if (port->kind == POLC_PORT_RANGE) {
		out->lo = port->lo;
		out->hi = port->hi;
	}
	if (port->kind != POLC_PORT_NAME)
		return true;
	for (size_t i = 0; i < destination->n_ports; i++) {
		const struct polb_named_port *named = &destination->ports[i];

		if (strcmp(named->name, port->name) ||
			polc_protocol_bit(named->protocol) != protocol)
			continue;
		out->lo = out->hi = named->port;
		return true;
	}
	return false;
}

static bool ports_meet(const struct polc_net_port *a, const struct polc_net_port *b,
	const struct polc_identity *destination)
{
	for (unsigned protocol = POLC_PROTO_TCP; protocol <= POLC_PROTO_OTHER; protocol <<= 1) {
		struct range x, y;

		if (range_of(a, destination, (uint8_t)protocol, &x) &&
			range_of(b, destination, (uint8_t)protocol, &y) && x.lo <= y.hi &&
			y.lo <= x.hi)
			return true;
	}
	return false;
}

static bool rule_ports_meet(const struct polc_net_rule *a, const struct polc_net_rule *b,
	const struct polc_identity *destination)
{
	for (size_t i = 0; i < a->n_ports; i++)
		for (size_t k = 0; k < b->n_ports; k++)
			if (ports_meet(&a->ports[i], &b->ports[k], destination))
				return true;
	return false;
}

/* The other end */

/* At any of its addresses. */
static bool matches_endpoint(
	const struct polc_network_lint *l, const struct polc_net_rule *rule, uint32_t endpoint)
{
	const struct polc_identity *id = polc_lint_identity(l, endpoint);
	const struct polc_pod *pod = l->identities->endpoints.items[endpoint].pod;
	struct polb_identity_view view = {.kinds = id->kinds,
		.labels = id->labels,
		.n_labels = id->n_labels,
		.ports = id->ports,
		.n_ports = id->n_ports};

	for (size_t k = 0; k < rule->n_selectors; k++) {
		const struct polb_selector *s = &l->network->selectors[rule->selectors[k]];

		if (polb_selector_matches(s, &view))
			return true;
		for (size_t i = 0; s->has_prefix && i < pod->addrs.n; i++) {
			view.addr = pod->addrs.items[i];
			if (polb_selector_matches(s, &view))
				return true;
		}
	}
	return false;
}

/* A policy that isolates an endpoint in a direction; -1: none, -2: the posture does. */
static int64_t isolator(
	const struct polc_network_lint *l, uint32_t endpoint, enum polc_direction direction)
{
	const struct polc_lint_selected *selected = &l->selected[endpoint];

	for (size_t i = 0; i < selected->n; i++)
		if (l->network->policies[selected->policies[i]].isolates[direction])
			return selected->policies[i];
	if (l->network->posture == POLC_POSTURE_ALWAYS ||
		(l->network->posture == POLC_POSTURE_DENY && !selected->n))
		return -2;
	return -1;
}

/* Does a rule at the other end let this one's connections through? */
static bool is_answered(const struct side *side, uint32_t here, uint32_t there)
{
	const struct polc_network_lint *l = side->l;
	const struct polc_lint_selected *selected = &l->selected[there];
	const struct polc_identity *destination =
		polc_lint_identity(l, side->other == POLC_INGRESS ? there : here);

	for (size_t i = 0; i < selected->n; i++) {
		const struct polc_net_policy *p = &l->network->policies[selected->policies[i]];

		for (uint32_t k = p->first_rule; k < p->first_rule + p->n_rules; k++) {
			const struct polc_net_rule *rule = &l->network->rules[k];

			if (rule->direction == side->other && rule->action != POLC_DENY &&
				rule_ports_meet(side->rule, rule, destination) &&
				matches_endpoint(l, rule, here))
				return true;
		}
	}
	return false;
}

/* Rules */

/* Peers chosen by labels: who allows everybody does not promise that they answer. */
static bool is_by_labels(const struct polc_network_lint *l, const struct polc_net_rule *rule)
{
	for (size_t i = 0; i < rule->n_selectors; i++) {
		const struct polb_selector *s = &l->network->selectors[rule->selectors[i]];

		if (s->has_prefix || !s->n_requirements)
			return false;
	}
	return rule->n_selectors;
}

struct refused {
	bool found;
	uint32_t here, there;
	int64_t isolator;
};

/* False when some pair can talk, or there are too many to tell. */
static bool all_refused(
	const struct side *side, const struct polc_lint_endpoints *subjects, struct refused *out)
{
	const struct polc_network_lint *l = side->l;
	size_t n_pairs = 0;

	for (size_t s = 0; s < side->rule->n_selectors; s++) {
		const struct polc_lint_endpoints *peers = &l->by_selector[side->rule->selectors[s]];

		for (size_t p = 0; p < peers->n; p++) {
			uint32_t there = peers->items[p];
			int64_t by = isolator(l, there, side->other);

			if (by == -1)
				return false;
			for (size_t i = 0; i < subjects->n; i++) {
				uint32_t here = subjects->items[i];

				if (here == there)
					continue;
				if (++n_pairs > PAIRS_MAX || is_answered(side, here, there))
					return false;
				if (!out->found)
					*out = (struct refused){true, here, there, by};
			}
		}
	}
	return out->found;
}

static void report_refused(const struct polc_network_lint *l, const struct polc_net_rule *rule,
	const struct refused *r)
{
	const char *here = polc_lint_endpoint_name(l, r->here);
	const char *there = polc_lint_endpoint_name(l, r->there);
	bool egress = rule->direction == POLC_EGRESS;
	struct polc_diagnostic *d = polc_lint_report(l->polc, rule->span,
		POLC_CODE_ONE_SIDED_CONNECTION,
		"this rule lets nothing through: %s may %s %s, but %s of %s is isolated and no "
		"rule there allows it",
		here, egress ? "send to" : "receive from", there, egress ? "ingress" : "egress",
		there);

	if (r->isolator >= 0)
		polc_diagnostic_relate(l->polc, d, l->network->policies[r->isolator].span,
			"this policy isolates it");
	polc_diagnostic_suggest(l->polc, d, "allow the connection on both sides");
}

void polc_lint_connections(const struct polc_network_lint *l)
{
	for (size_t i = 0; i < l->network->n_policies; i++) {
		const struct polc_net_policy *p = &l->network->policies[i];

		for (uint32_t k = p->first_rule; k < p->first_rule + p->n_rules; k++) {
			const struct polc_net_rule *rule = &l->network->rules[k];
			const struct side side = {l, rule,
				rule->direction == POLC_EGRESS ? POLC_INGRESS : POLC_EGRESS};
			struct refused refused = {0};

			if (rule->action == POLC_ALLOW && is_by_labels(l, rule) &&
				all_refused(&side, &l->policies[i].endpoints, &refused))
				report_refused(l, rule, &refused);
		}
	}
}
