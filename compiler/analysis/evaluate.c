/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reference evaluator. It follows the texts of the specifications step by step (design 5,
 * reference 1.2, 1.3, 4.1 to 4.3) and shares nothing with the plan but the selector predicates.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../ir/labels.h"
#include "evaluate.h"

struct evaluation {
	struct polc_arena *arena;
	const struct polc_network *network;
	const struct polc_question *question;
	struct polb_identity_view subject, peer;
	/* that speak about the direction, in order of tiers */
	const struct polc_net_policy **selected;
	size_t n_selected;
	bool enforced; /* without the policies in audit mode */
	struct polc_decision *decision;
	POLC_VEC(uint32_t) candidates;
};

static bool any_selector_matches(const struct polc_network *network, const uint32_t *ids, size_t n,
	const struct polb_identity_view *view)
{
	for (size_t i = 0; i < n; i++)
		if (polb_selector_matches(&network->selectors[ids[i]], view))
			return true;
	return false;
}

static bool is_icmp(const struct polc_question *q)
{
	return (q->protocol == IPPROTO_ICMP && q->peer.family == 4) ||
	       (q->protocol == IPPROTO_ICMPV6 && q->peer.family == 6);
}

/* Whether a port item speaks about the packet's protocol; OTHER is decided by number. */
static bool protocol_matches(const struct polc_net_port *port, const struct polc_question *q)
{
	if (is_icmp(q))
		return port->protocols &
		       (q->peer.family == 4 ? POLC_PROTO_ICMP : POLC_PROTO_ICMPV6);
	switch (q->protocol) {
	case IPPROTO_TCP:
		return port->protocols & POLC_PROTO_TCP;
	case IPPROTO_UDP:
		return port->protocols & POLC_PROTO_UDP;
	case IPPROTO_SCTP:
		return port->protocols & POLC_PROTO_SCTP;
	default:
		return (port->protocols & POLC_PROTO_OTHER) && port->lo == q->protocol;
	}
}

/* A named port is the destination's: the subject's on ingress, the peer's on egress (1.8). */
static bool named_port_matches(const struct evaluation *e, const struct polc_net_port *port)
{
	const struct polc_question *q = e->question;
	const struct polb_identity_view *owner =
		q->direction == POLC_INGRESS ? &e->subject : &e->peer;

	for (size_t i = 0; i < owner->n_ports; i++)
		if (owner->ports[i].protocol == q->protocol && owner->ports[i].port == q->port &&
			!strcmp(owner->ports[i].name, port->name))
			return true;
	return false;
}

static bool port_matches(const struct evaluation *e, const struct polc_net_port *port)
{
	if (port->kind == POLC_PORT_ALL && !port->protocols)
		return true;
	if (!protocol_matches(port, e->question))
		return false;
	if (port->kind == POLC_PORT_ALL)
		return true;
	if (port->kind == POLC_PORT_RANGE)
		return port->lo <= e->question->port && e->question->port <= port->hi;
	return named_port_matches(e, port);
}

static bool rule_covers_port(const struct evaluation *e, const struct polc_net_rule *rule)
{
	for (size_t i = 0; i < rule->n_ports; i++)
		if (port_matches(e, &rule->ports[i]))
			return true;
	return false;
}

static bool rule_matches(const struct evaluation *e, const struct polc_net_rule *rule)
{
	return rule->direction == e->question->direction && rule_covers_port(e, rule) &&
	       any_selector_matches(e->network, rule->selectors, rule->n_selectors, &e->peer);
}

static void add_candidate(struct evaluation *e, const struct polc_net_rule *rule)
{
	*polc_vec_push(e->arena, &e->candidates) = rule->id;
}

static void consider(struct evaluation *e, const struct polc_net_rule *rule, bool decides)
{
	*polc_vec_push(e->arena, &e->decision->trace) = (struct polc_match){
		.rule = (uint32_t)(rule - e->network->rules), .decides = decides};
}

static void decide(
	struct evaluation *e, enum polb_verdict verdict, enum polc_tier tier, uint32_t rule)
{
	e->decision->verdict = verdict;
	e->decision->tier = tier;
	e->decision->rule = rule;
	e->decision->candidates = e->candidates.items;
	e->decision->n_candidates = e->candidates.n;
}

/* Baseline's Pass leads to the default, which is to allow (4.3). */
static enum polb_verdict verdict_of(const struct polc_net_rule *rule, enum polc_tier tier)
{
	if (rule->action == POLC_DENY)
		return POLB_VERDICT_DENY;
	if (rule->action == POLC_PASS && tier == POLC_TIER_ADMIN)
		return POLB_VERDICT_PASS;
	return POLB_VERDICT_ALLOW;
}

/* Rules that follow the deciding one with the same verdict, up to the next other verdict for this
 * port. */
static void add_followers(struct evaluation *e, enum polc_tier tier, size_t policy, uint32_t rule,
	enum polb_verdict verdict)
{
	for (; policy < e->n_selected; policy++, rule = 0) {
		const struct polc_net_policy *p = e->selected[policy];
		if (p->tier != tier)
			continue;
		for (; rule < p->n_rules; rule++) {
			const struct polc_net_rule *r = &e->network->rules[p->first_rule + rule];
			if (r->direction != e->question->direction || !rule_covers_port(e, r))
				continue;
			if (verdict_of(r, tier) != verdict)
				return;
			if (rule_matches(e, r))
				add_candidate(e, r);
		}
	}
}

/* An ordered tier: the first rule that matches decides. True when the packet's fate is settled. */
static bool ordered_tier(struct evaluation *e, enum polc_tier tier)
{
	for (size_t i = 0; i < e->n_selected; i++) {
		const struct polc_net_policy *p = e->selected[i];
		if (p->tier != tier)
			continue;
		for (uint32_t j = 0; j < p->n_rules; j++) {
			const struct polc_net_rule *r = &e->network->rules[p->first_rule + j];
			if (!rule_matches(e, r))
				continue;
			enum polb_verdict verdict = verdict_of(r, tier);
			consider(e, r, verdict != POLB_VERDICT_PASS);
			if (verdict == POLB_VERDICT_PASS)
				return false;
			add_followers(e, tier, i, j, verdict);
			decide(e, verdict, tier, r->id);
			return true;
		}
	}
	return false;
}

static bool middle_action(struct evaluation *e, enum polc_action action)
{
	uint32_t first = POLB_RULE_NONE;

	for (size_t i = 0; i < e->n_selected; i++) {
		const struct polc_net_policy *p = e->selected[i];
		if (p->tier != POLC_TIER_MIDDLE)
			continue;
		for (uint32_t j = 0; j < p->n_rules; j++) {
			const struct polc_net_rule *r = &e->network->rules[p->first_rule + j];
			if (r->action != action || !rule_matches(e, r))
				continue;
			consider(e, r, first == POLB_RULE_NONE);
			if (first == POLB_RULE_NONE)
				first = r->id;
			add_candidate(e, r);
		}
	}
	if (first == POLB_RULE_NONE)
		return false;
	decide(e, action == POLC_DENY ? POLB_VERDICT_DENY : POLB_VERDICT_ALLOW, POLC_TIER_MIDDLE,
		first);
	return true;
}

/*
 * Whose isolation it is: nobody's in particular when a policy isolates that is always enforced, or
 * the posture; else the first one's.
 */
static uint32_t find_isolation(const struct evaluation *e)
{
	enum polc_direction direction = e->question->direction;
	uint32_t first = 0;

	for (size_t i = 0; i < e->n_selected; i++) {
		const struct polc_net_policy *p = e->selected[i];
		if (!p->isolates[direction])
			continue;
		if (!p->switchable)
			return 0;
		if (!first)
			first = polc_isolation_rule(
				e->network, (uint32_t)(p - e->network->policies), direction);
	}
	return e->network->posture == POLC_POSTURE_ALWAYS ? 0 : first;
}

/* Denials beat allows; what isolates decides the rest, but for the endpoint's own node (1.2). */
static bool middle_tier(struct evaluation *e)
{
	if (middle_action(e, POLC_DENY) || middle_action(e, POLC_ALLOW))
		return true;
	if (!e->decision->isolated)
		return false;
	if (e->question->direction == POLC_INGRESS && (e->peer.kinds & POLB_KIND_HOST))
		decide(e, POLB_VERDICT_ALLOW, POLC_TIER_MIDDLE, POLB_RULE_LOCAL_NODE);
	else
		decide(e, POLB_VERDICT_DENY, POLC_TIER_MIDDLE, POLB_RULE_DEFAULT_DENY);
	if (e->decision->rule == POLB_RULE_DEFAULT_DENY)
		e->decision->isolation = find_isolation(e);
	return true;
}

static int compare_selected(const void *pa, const void *pb)
{
	const struct polc_net_policy *a = *(const struct polc_net_policy *const *)pa;
	const struct polc_net_policy *b = *(const struct polc_net_policy *const *)pb;

	return polc_policy_compare_order(a, b);
}

static void select_policies(struct evaluation *e)
{
	bool selected_at_all = false, isolated = false;
	const struct polc_network *network = e->network;

	e->selected = POLC_NEW_ARRAY(e->arena, network->n_policies, const struct polc_net_policy *);
	for (size_t i = 0; i < network->n_policies; i++) {
		const struct polc_net_policy *p = &network->policies[i];
		if (e->enforced && polc_policy_is_audited(network, p))
			continue;
		if (!any_selector_matches(network, p->subjects, p->n_subjects, &e->subject))
			continue;
		selected_at_all = true;
		if (!p->selects[e->question->direction])
			continue;
		isolated |= p->isolates[e->question->direction];
		e->selected[e->n_selected++] = p;
	}
	if (e->n_selected)
		qsort(e->selected, e->n_selected, sizeof(*e->selected), compare_selected);
	isolated |= network->posture == POLC_POSTURE_ALWAYS;
	isolated |= network->posture == POLC_POSTURE_DENY && !selected_at_all;
	e->decision->isolated = isolated;
}

/*
 * An endpoint with a network namespace of its own may always talk to itself, over its addresses and
 * loopback. In the host's namespace the same addresses are everybody's: nothing is known to be
 * itself. A question names no local address: with several addresses of one family this is wider
 * than the programs, which know self by source and destination being equal.
 */
static bool is_self(const struct polc_question *q)
{
	const struct polc_pod *pod = q->endpoint->pod;

	if (pod->host_network)
		return false;
	for (size_t i = 0; i < pod->addrs.n; i++)
		if (!polb_addr_compare(&pod->addrs.items[i], &q->peer))
			return true;
	return polc_addr_is_loopback(&q->peer);
}

/* Neighbour discovery, multicast listeners, packet too big: IPv6 does not work without them. */
static bool is_protocol_need(const struct polc_question *q)
{
	return q->protocol == IPPROTO_ICMPV6 && q->peer.family == 6 &&
	       (q->port == 2 || (q->port >= 130 && q->port <= 136) || q->port == 143);
}

static void view_subject(struct evaluation *e, const struct polc_identities *identities)
{
	const struct polc_identity *id =
		&identities->identities.items[e->question->endpoint->identity];

	e->subject = (struct polb_identity_view){.kinds = id->kinds,
		.labels = id->labels,
		.n_labels = id->n_labels,
		.ports = id->ports,
		.n_ports = id->n_ports};
}

static void evaluate(struct polc_arena *arena, const struct polc_network *network,
	const struct polc_identities *identities, const struct polc_question *question,
	bool enforced, struct polc_decision *decision)
{
	struct evaluation e = {.arena = arena,
		.network = network,
		.question = question,
		.enforced = enforced,
		.decision = decision};

	*decision = (struct polc_decision){.tier = POLC_TIER_MIDDLE};
	if (is_self(question)) {
		decide(&e, POLB_VERDICT_ALLOW, POLC_TIER_MIDDLE, POLB_RULE_SELF);
		return;
	}
	if (is_protocol_need(question)) {
		decide(&e, POLB_VERDICT_ALLOW, POLC_TIER_MIDDLE, POLB_RULE_PROTOCOL_NEED);
		return;
	}
	view_subject(&e, identities);
	polc_identity_view(
		identities, &question->peer, question->endpoint->pod->node, &e.peer, NULL);
	select_policies(&e);
	if (ordered_tier(&e, POLC_TIER_ADMIN) || middle_tier(&e) ||
		ordered_tier(&e, POLC_TIER_BASELINE))
		return;
	decide(&e, POLB_VERDICT_ALLOW, POLC_TIER_MIDDLE, POLB_RULE_NONE);
}

void polc_evaluate(struct polc_arena *arena, const struct polc_network *network,
	const struct polc_identities *identities, const struct polc_question *question,
	struct polc_decision *decision)
{
	struct polc_decision all;

	evaluate(arena, network, identities, question, true, decision);
	if (decision->verdict != POLB_VERDICT_ALLOW || !polc_network_has_audit(network))
		return;
	evaluate(arena, network, identities, question, false, &all);
	if (all.verdict != POLB_VERDICT_DENY)
		return;
	*decision = all;
	decision->verdict = POLB_VERDICT_AUDIT;
}
