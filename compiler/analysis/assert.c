/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* All assertions of the input, and claims about paths: see assert.h. */
#include "assert_private.h"

#include <netinet/in.h>
#include <string.h>

#include "../ir/labels.h"

/* Parties */

typedef POLC_VEC(struct polb_requirement) requirements;
typedef POLC_VEC(struct polb_selector) selectors;
typedef POLC_VEC(struct polc_port_range) port_ranges;

static void require_all(struct polc_arena *arena, const struct polc_ast_selector *selector,
	const char *prefix, requirements *out)
{
	for (size_t i = 0; selector && i < selector->requirements.n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];

		*polc_vec_push(arena, out) = (struct polb_requirement){.op = r->op,
			.source = "k8s",
			.key = polc_arena_printf(arena, "%s%s", prefix, r->key),
			.values = r->values.items,
			.n_values = r->values.n};
	}
}

static void require_namespace(struct polc_arena *arena, const char *namespace, requirements *out)
{
	const char **value = POLC_NEW(arena, const char *);

	*value = namespace;
	*polc_vec_push(arena, out) = (struct polb_requirement){.op = POLB_OP_IN,
		.source = "k8s",
		.key = POLC_LABEL_NAMESPACE,
		.values = value,
		.n_values = 1};
}

static struct polb_selector selector_of(struct polc_arena *arena, const struct polc_ast_peer *peer)
{
	struct polb_selector out = {.kinds = POLB_KIND_POD};
	requirements list = {0};

	if (peer->kind == POLC_PEER_ENTITY) {
		out.kinds = polc_entity_kinds(peer->name);
		return out;
	}
	if (peer->kind == POLC_PEER_CIDR)
		return (struct polb_selector){.kinds = POLB_KIND_ANY,
			.has_prefix = true,
			.prefix = peer->cidr,
			.excepts = peer->excepts.items,
			.n_excepts = peer->excepts.n};
	require_all(arena, peer->pod_selector, "", &list);
	require_all(arena, peer->namespace_selector, POLC_LABEL_NAMESPACE_LABELS, &list);
	if (peer->namespace)
		require_namespace(arena, peer->namespace, &list);
	out.requirements = list.items;
	out.n_requirements = list.n;
	return out;
}

/* The entity `none` is nobody. */
static struct polc_parties parties_of(
	struct polc_arena *arena, const struct polc_ast_peer *peers, size_t n)
{
	selectors list = {0};

	for (size_t i = 0; i < n; i++) {
		struct polb_selector selector = selector_of(arena, &peers[i]);

		if (selector.kinds)
			*polc_vec_push(arena, &list) = selector;
	}
	return (struct polc_parties){list.items, list.n};
}

/* Ports */

static void add_ranges(struct polc_arena *arena, const struct polc_ast_port *port, port_ranges *out)
{
	static const uint8_t protocols[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6};
	bool all = port->kind == POLC_PORT_ALL;

	if (port->protocols == POLC_PROTO_OTHER)
		*polc_vec_push(arena, out) =
			(struct polc_port_range){.protocol = (uint8_t)port->lo};
	for (unsigned i = 0; i < POLC_ARRAY_SIZE(protocols); i++)
		if (port->protocols >> i & 1)
			*polc_vec_push(arena, out) = (struct polc_port_range){
				protocols[i], all ? 0 : port->lo, all ? UINT16_MAX : port->hi};
}

/* False (reported) for names: they are another number on each pod. */
static bool ranges_of(
	struct polc *polc, const struct polc_ast_port *ports, size_t n, port_ranges *out)
{
	bool fine = true;

	for (size_t i = 0; i < n; i++) {
		if (ports[i].kind == POLC_PORT_NAME) {
			polc_error(polc, ports[i].span, POLC_CODE_BAD_ASSERTION,
				"assertions are about port numbers: '%s' is another one on each "
				"pod",
				ports[i].name);
			fine = false;
			continue;
		}
		add_ranges(&polc->arena, &ports[i], out);
	}
	return fine;
}

/* The counterexample */

static bool is_endpoint(const struct polc_witness_party *party)
{
	return party->identity.kinds & POLB_KIND_POD;
}

static bool isolates(const struct polc_network *network, const struct polc_net_policy *policy,
	const struct polc_witness *w)
{
	const struct polc_identity *identity = &w->subject.identity;
	const struct polb_identity_view view = {.kinds = identity->kinds,
		.labels = identity->labels,
		.n_labels = identity->n_labels,
		.ports = identity->ports,
		.n_ports = identity->n_ports,
		.addr = w->subject.addr};

	for (size_t i = 0; policy->isolates[w->direction] && i < policy->n_subjects; i++)
		if (polb_selector_matches(&network->selectors[policy->subjects[i]], &view))
			return true;
	return false;
}

/* `reasons`: what is to be said of a side that no rule allows; NULL: nothing. */
static void relate_side(const struct polc_assert_context *context, struct polc_diagnostic *d,
	const struct polc_witness *w, struct polc_buf *reasons)
{
	const char *side = w->direction == POLC_EGRESS ? "egress" : "ingress";
	const struct polc_network *network = context->network;
	struct polc_decision decision = {0};

	polc_witness_decide(&context->polc->arena, network, w, &decision);
	if (decision.rule >= POLB_RULE_FIRST) {
		polc_diagnostic_relate(context->polc, d,
			network->rules[decision.rule - POLB_RULE_FIRST].span, "%s: %s by this rule",
			side, decision.verdict == POLB_VERDICT_ALLOW ? "allowed" : "denied");
		return;
	}
	if (decision.verdict == POLB_VERDICT_ALLOW && reasons)
		polc_buf_printf(reasons, "%sno rule denies %s", reasons->n ? ", and " : "", side);
	for (size_t i = 0; decision.verdict != POLB_VERDICT_ALLOW && i < network->n_policies; i++) {
		if (!isolates(network, &network->policies[i], w))
			continue;
		polc_diagnostic_relate(context->polc, d, network->policies[i].span,
			"%s: isolated by this policy, and no rule allows this", side);
		return;
	}
}

static struct polc_witness mirrored(const struct polc_witness *w)
{
	struct polc_witness out = *w;

	out.direction = w->direction == POLC_EGRESS ? POLC_INGRESS : POLC_EGRESS;
	out.subject = w->peer;
	out.peer = w->subject;
	return out;
}

/* Of a claim about addresses: a pod that is one of them does not say so by its name. */
static const char *party_text(const struct polc_assert_context *context,
	const struct polc_ast_peer *peers, size_t n, const struct polc_witness_party *party)
{
	char addr[POLB_ADDR_TEXT];

	for (size_t i = 0; i < n; i++) {
		if (peers[i].kind != POLC_PEER_CIDR || !is_endpoint(party))
			continue;
		polb_addr_format(&party->addr, addr);
		return polc_arena_printf(
			&context->polc->arena, "%s with address %s", party->text, addr);
	}
	return party->text;
}

static void report_path(const struct polc_assert_context *context,
	const struct polc_ast_assertion *assertion, const struct polc_ast_claim *claim,
	const struct polc_witness *w, enum polb_verdict verdict)
{
	bool egress = w->direction == POLC_EGRESS, allowed = verdict == POLB_VERDICT_ALLOW;
	struct polc_buf reasons = {.arena = &context->polc->arena};
	const struct polc_witness other = mirrored(w);
	struct polc_diagnostic *d = polc_error(context->polc, claim->span,
		POLC_CODE_ASSERTION_FAILED, "assertion '%s' does not hold: %s -> %s on %s is %s",
		assertion->name,
		party_text(
			context, claim->from.items, claim->from.n, egress ? &w->subject : &w->peer),
		party_text(context, claim->to.items, claim->to.n, egress ? &w->peer : &w->subject),
		w->port_text, allowed ? "allowed" : "denied");

	relate_side(context, d, w, allowed ? &reasons : NULL);
	if (is_endpoint(&other.subject))
		relate_side(context, d, &other, allowed ? &reasons : NULL);
	if (reasons.n)
		d->message =
			polc_arena_printf(&context->polc->arena, "%s: %s", d->message, reasons.p);
}

/* Claims that hold because they are about nobody */

static bool is_in_inventory(
	const struct polc_assert_context *context, const struct polb_selector *selector)
{
	for (size_t i = 0; i < context->identities->identities.n; i++) {
		const struct polc_identity *id = &context->identities->identities.items[i];
		const struct polb_identity_view view = {
			.kinds = id->kinds, .labels = id->labels, .n_labels = id->n_labels};

		if (polb_selector_matches(selector, &view))
			return true;
	}
	return false;
}

/* Pods that are asked for by labels, and none of the inventory has them. */
static bool is_absent(const struct polc_assert_context *context, const struct polc_parties *parties)
{
	for (size_t i = 0; i < parties->n; i++) {
		const struct polb_selector *s = &parties->selectors[i];

		if (s->has_prefix || !s->n_requirements || is_in_inventory(context, s))
			return false;
	}
	return context->identities->endpoints.n;
}

/* Is there no connection at all that the question is about? */
static bool is_about_nothing(struct polc_reach *reach, struct polc_path_question question)
{
	question.verdict =
		question.verdict == POLB_VERDICT_ALLOW ? POLB_VERDICT_DENY : POLB_VERDICT_ALLOW;
	return polc_reach_path(reach, 0, &question, NULL) == POLC_NO;
}

static void warn_vacuous(const struct polc_assert_context *context, struct polc_reach *reach,
	const struct polc_ast_assertion *assertion, const struct polc_ast_claim *claim,
	const struct polc_path_question *question)
{
	const char *nobody = !question->from.n || is_absent(context, &question->from) ? "from"
			     : !question->to.n || is_absent(context, &question->to)   ? "to"
										      : NULL;
	bool nothing = !question->from.n || !question->to.n || is_about_nothing(reach, *question);

	if (nothing)
		polc_warn(context->polc, claim->span, POLC_CODE_VACUOUS_ASSERTION,
			"assertion '%s' holds, but it is about nothing: there can be no such "
			"connection",
			assertion->name);
	else if (nobody)
		polc_warn(context->polc, claim->span, POLC_CODE_VACUOUS_ASSERTION,
			"assertion '%s' holds, but nobody in the inventory is its '%s'",
			assertion->name, nobody);
}

void polc_assert_path(const struct polc_assert_context *context, struct polc_reach **reach,
	const struct polc_ast_assertion *assertion, const struct polc_ast_claim *claim)
{
	struct polc *polc = context->polc;
	bool deny = claim->kind == POLC_CLAIM_EVERY_PATH && !claim->denied;
	struct polc_path_question question = {
		.from = parties_of(&polc->arena, claim->from.items, claim->from.n),
		.to = parties_of(&polc->arena, claim->to.items, claim->to.n),
		.verdict = deny ? POLB_VERDICT_DENY : POLB_VERDICT_ALLOW,
	};
	port_ranges ports = {0}, excepts = {0};
	struct polc_witness witness = {0};

	if (!ranges_of(polc, claim->ports.items, claim->ports.n, &ports) ||
		!ranges_of(polc, claim->except_ports.items, claim->except_ports.n, &excepts))
		return;
	question.ports = ports.items;
	question.n_ports = ports.n;
	question.except = excepts.items;
	question.n_except = excepts.n;
	if (!*reach)
		*reach = polc_reach_new(&polc->arena, &context->network, 1, context->identities);
	switch (question.from.n && question.to.n ? polc_reach_path(*reach, 0, &question, &witness)
						 : POLC_NO) {
	case POLC_NO:
		warn_vacuous(context, *reach, assertion, claim, &question);
		return;
	case POLC_YES:
		report_path(context, assertion, claim, &witness, question.verdict);
		return;
	case POLC_UNKNOWN:
		polc_error(polc, claim->span, POLC_CODE_ASSERTION_UNKNOWN,
			"assertion '%s' is neither proved nor refuted: the search was given up",
			assertion->name);
		return;
	}
}

void polc_assert_check(const struct polc_assert_context *context)
{
	const polc_ast_assertions *assertions = &context->input->assertions;
	struct polc_reach *reach = NULL;

	for (size_t i = 0; i < assertions->n; i++) {
		const struct polc_ast_assertion *assertion = assertions->items[i];

		for (size_t j = 0; j < assertion->claims.n; j++) {
			const struct polc_ast_claim *claim = &assertion->claims.items[j];

			if (claim->kind == POLC_CLAIM_NO_PATH ||
				claim->kind == POLC_CLAIM_EVERY_PATH)
				polc_assert_path(context, &reach, assertion, claim);
			else
				polc_assert_call(context, assertion, claim);
		}
	}
}
