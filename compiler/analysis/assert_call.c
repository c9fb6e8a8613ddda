/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Claims about calls: a search for a call that breaks one. What the claim says of the call is
 * fixed; as long as the decision is open, something that it depends on is said in every way that
 * matters (assert_values.c) and decided again.
 */
#include <string.h>

#include "assert_private.h"

#define DECISIONS_MAX 5000

typedef POLC_VEC(struct polc_call_fact) fact_list;

struct search {
	const struct polc_assert_context *context;
	const struct polc_ast_assertion *assertion;
	const struct polc_ast_claim *claim;
	struct polc scratch; /* of cases: what is reported there is about values that were tried */
	fact_list facts;     /* of the case in hand */
	const polc_ast_facts *excepts; /* alternatives, keys as decisions name them */
	unsigned n_decisions;
	bool impossible;        /* the case in hand cannot be said */
	const char *incomplete; /* a key whose values were not all tried; or NULL */
	/* the counterexample */
	const struct polc_call *call;
	struct polc_call_decision decision;
};

static const struct polc_call *make(struct search *s)
{
	const struct polc_assert_context *context = s->context;

	return polc_call_make(&s->scratch, context->tracing, &context->input->inventory,
		s->claim->call.hook.text, s->claim->call.hook.span, s->facts.items, s->facts.n);
}

static const char *value_of(const struct search *s, const char *key)
{
	for (size_t i = 0; i < s->facts.n; i++)
		if (!strcmp(s->facts.items[i].key, key))
			return s->facts.items[i].value;
	return NULL;
}

static void say(struct search *s, const char *key, const char *value)
{
	*polc_vec_push(&s->scratch.arena, &s->facts) = (struct polc_call_fact){
		.key = key, .value = value, .span = s->claim->span, .key_span = s->claim->span};
}

/* ---- exceptions ---- */

/* YES: all its facts hold; NO: one does not; UNKNOWN: *open was not said. */
static enum polc_answer holds(
	const struct search *s, const polc_ast_facts *alternative, const char **open)
{
	enum polc_answer answer = POLC_YES;

	for (size_t i = 0; i < alternative->n; i++) {
		const struct polc_ast_fact *fact = &alternative->items[i];
		const char *value = value_of(s, fact->key.text);

		if (!value) {
			*open = fact->key.text;
			answer = POLC_UNKNOWN;
		} else if (!polc_assert_same(value, fact->value.text)) {
			return POLC_NO;
		}
	}
	return answer;
}

/* Is the case excepted? UNKNOWN: that depends on *open. */
static enum polc_answer excepted(const struct search *s, const char **open)
{
	enum polc_answer answer = POLC_NO;

	for (size_t i = 0; i < s->claim->excepts.n; i++) {
		enum polc_answer own = holds(s, &s->excepts[i], open);

		if (own == POLC_YES)
			return POLC_YES;
		if (own == POLC_UNKNOWN)
			answer = POLC_UNKNOWN;
	}
	return answer;
}

/* ---- the search ---- */

/* Does the call do what is claimed? UNKNOWN: it is open. */
static enum polc_answer as_claimed(
	const struct search *s, const struct polc_call_decision *decision)
{
	bool passes = s->claim->kind == POLC_CLAIM_EVERY_CALL;

	if (decision->passes)
		return passes ? POLC_YES : POLC_NO;
	if (!decision->may_pass)
		return passes ? POLC_NO : POLC_YES;
	return POLC_UNKNOWN;
}

static struct polc_assert_question question_of(struct search *s, const struct polc_call *call,
	const struct polc_call_decision *decision, const char *key)
{
	struct polc_assert_question q = {
		.arena = &s->scratch.arena, .context = s->context, .key = key};

	polc_assert_ask(&q, s->context->tracing, call, decision);
	for (size_t i = 0; i < s->claim->excepts.n; i++)
		for (size_t j = 0; j < s->excepts[i].n; j++)
			if (!strcmp(s->excepts[i].items[j].key.text, key))
				*polc_vec_push(&s->scratch.arena, &q.named) =
					s->excepts[i].items[j].value.text;
	return q;
}

static enum polc_answer search(struct search *s);

/* Every value of a key that matters. */
static enum polc_answer split(struct search *s, const struct polc_call *call,
	const struct polc_call_decision *decision, const char *key)
{
	struct polc_assert_question q = question_of(s, call, decision, key);
	enum polc_answer answer = POLC_NO;
	struct polc_assert_cases cases;

	polc_assert_cases(&q, &cases);
	if (!cases.complete)
		s->incomplete = key;
	for (size_t i = 0; i < cases.list.n && answer != POLC_YES; i++) {
		const struct polc_assert_case *one = &cases.list.items[i];
		enum polc_answer own;

		say(s, one->key, one->value);
		s->impossible = false;
		own = search(s);
		s->facts.n--;
		if (s->impossible && strcmp(one->value, "?")) /* every key need not know "?" */
			s->incomplete = key;
		else if (!s->impossible && own != POLC_NO)
			answer = own;
		s->impossible = false;
	}
	return answer == POLC_NO && s->incomplete ? POLC_UNKNOWN : answer;
}

/* Is there a call like the case in hand that breaks the claim? */
static enum polc_answer search(struct search *s)
{
	struct polc_call_decision decision = {0};
	const struct polc_call *call;
	const char *open = NULL;
	enum polc_answer claimed, exception;

	if (s->n_decisions++ >= DECISIONS_MAX)
		return POLC_UNKNOWN;
	call = make(s);
	if (!call) {
		s->impossible = true;
		return POLC_UNKNOWN;
	}
	polc_call_decide(&s->scratch, &s->scratch.arena, s->context->tracing, call, &decision);
	claimed = as_claimed(s, &decision);
	exception = excepted(s, &open);
	if (claimed == POLC_YES || exception == POLC_YES)
		return POLC_NO;
	if (claimed == POLC_UNKNOWN && decision.depends_on.n)
		return split(s, call, &decision, decision.depends_on.items[0]);
	if (claimed == POLC_UNKNOWN)
		return POLC_UNKNOWN; /* an error that is owed to another call */
	if (exception == POLC_UNKNOWN)
		return split(s, call, &decision, open);
	s->call = call;
	s->decision = decision;
	return POLC_YES;
}

/* ---- what the claim says ---- */

/* What is wrong with a call, said of the claim; false. */
static bool refuse(struct search *s, struct polc_span span)
{
	struct polc *polc = s->context->polc;
	const struct polc_diagnostic *from =
		s->scratch.diagnostics.n ? s->scratch.diagnostics.items[0] : NULL;
	struct polc_diagnostic *d = polc_error(polc, from && from->span.source ? from->span : span,
		POLC_CODE_BAD_ASSERTION, "%s", from ? from->message : "there is no such call");

	if (from && from->suggestion)
		polc_diagnostic_suggest(polc, d, "%s", from->suggestion);
	return false;
}

/* A value may have several names; decisions use one of them. */
static const char *name_in_decisions(const struct polc_tracing *tracing,
	const struct polc_call *call, const struct polc_ast_fact *fact)
{
	for (size_t i = 0; i < call->members.n; i++) {
		const struct polc_call_member *member = &call->members.items[i];
		const struct polc_trace_spec *spec = &tracing->specs[member->spec];

		for (size_t j = 0; j < spec->values.n; j++)
			if (member->values[j].given == fact->value.text)
				return member->values[j].key;
	}
	return fact->key.text;
}

static bool read_exception(struct search *s, const struct polc_ast_fact *fact, polc_ast_facts *out)
{
	const char *said = value_of(s, fact->key.text);
	struct polc_ast_fact own = *fact;
	const struct polc_call *call;

	if (!said) {
		say(s, fact->key.text, fact->value.text);
		s->facts.items[s->facts.n - 1].span = fact->value.span;
		s->facts.items[s->facts.n - 1].key_span = fact->key.span;
		call = make(s);
		s->facts.n--;
		if (!call)
			return refuse(s, fact->key.span);
		own.key.text = name_in_decisions(s->context->tracing, call, fact);
	}
	*polc_vec_push(&s->scratch.arena, out) = own;
	return true;
}

static bool read_claim(struct search *s)
{
	const struct polc_ast_claim *claim = s->claim;
	polc_ast_facts *excepts =
		POLC_NEW_ARRAY(&s->scratch.arena, claim->excepts.n + 1, polc_ast_facts);

	for (size_t i = 0; i < claim->call.facts.n; i++) {
		const struct polc_ast_fact *fact = &claim->call.facts.items[i];

		*polc_vec_push(&s->scratch.arena, &s->facts) =
			(struct polc_call_fact){.key = fact->key.text,
				.value = fact->value.text,
				.span = fact->value.span,
				.key_span = fact->key.span};
	}
	if (!make(s))
		return refuse(s, claim->call.hook.span);
	for (size_t i = 0; i < claim->excepts.n; i++)
		for (size_t j = 0; j < claim->excepts.items[i].n; j++)
			if (!read_exception(s, &claim->excepts.items[i].items[j], &excepts[i]))
				return false;
	s->excepts = excepts;
	return true;
}

/* ---- reports ---- */

static void relate_match(
	struct search *s, struct polc_diagnostic *d, const struct polc_call_match *match)
{
	const struct polc_tracing *tracing = s->context->tracing;
	const struct polc_trace_spec *spec = &tracing->specs[match->spec];
	const char *policy = tracing->policies[match->policy].name;

	for (size_t i = 0; i < spec->selectors.n; i++) {
		if (spec->selectors.items[i].number != match->selector)
			continue;
		polc_diagnostic_relate(s->context->polc, d, spec->selectors.items[i].span,
			"policy %s: this selector decides%s", policy,
			match->enforces ? "" : ", in monitor mode");
		return;
	}
	polc_diagnostic_relate(s->context->polc, d, spec->span, "policy %s: no selector %s", policy,
		match->matched == POLC_CALL_OPEN ? "is sure to match" : "matches");
}

static void report_failure(struct search *s)
{
	struct polc *polc = s->context->polc;
	bool stopped = s->claim->kind == POLC_CLAIM_EVERY_CALL;
	struct polc_diagnostic *d = polc_error(polc, s->claim->span, POLC_CODE_ASSERTION_FAILED,
		"assertion '%s' does not hold: %s %s", s->assertion->name,
		polc_call_text(&polc->arena, s->call), stopped ? "is stopped" : "passes");
	bool unreadable = false;

	for (size_t i = 0; i < s->decision.matches.n; i++)
		relate_match(s, d, &s->decision.matches.items[i]);
	for (size_t i = 0; i < s->call->n_facts; i++)
		unreadable |= !strcmp(s->call->facts[i].value, "?");
	if (unreadable)
		polc_diagnostic_suggest(polc, d,
			"'?' is what cannot be read or is not known: 'on-error match' behind the "
			"test "
			"(onError in YAML) decides about it");
}

static void report_unknown(struct search *s)
{
	struct polc *polc = s->context->polc;

	polc_warn(polc, s->claim->span, POLC_CODE_ASSERTION_UNKNOWN,
		"assertion '%s' is not proved: no call breaks it among %u that were tried, but %s",
		s->assertion->name, s->n_decisions,
		s->n_decisions >= DECISIONS_MAX
			? "there are too many cases"
			: polc_arena_printf(&polc->arena, "those by '%s' cannot all be told apart",
				  s->incomplete ? s->incomplete : "a later call"));
}

void polc_assert_call(const struct polc_assert_context *context,
	const struct polc_ast_assertion *assertion, const struct polc_ast_claim *claim)
{
	struct search s = {.context = context, .assertion = assertion, .claim = claim};

	polc_init(&s.scratch);
	if (read_claim(&s)) {
		switch (search(&s)) {
		case POLC_NO:
			break;
		case POLC_YES:
			report_failure(&s);
			break;
		case POLC_UNKNOWN:
			report_unknown(&s);
			break;
		}
	}
	polc_free(&s.scratch);
}
