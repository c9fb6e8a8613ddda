/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls of tests, asked of the reference evaluator of tracing policies. */
#include <stdlib.h>
#include <string.h>

#include "../backend/run_call.h"
#include "test.h"

struct asked {
	struct polc_test_run *run;
	struct polc_test_world *world;
	const struct polc_ast_case *one;
	struct polc_test_result *result;
	const struct polc_call *call;
	struct polc_call_decision decision;
};

static struct polc_arena *arena_of(const struct asked *a)
{
	return &a->run->cmd.polc.arena;
}

/* Names */

static const char *const action_names[] = {
#define X(name, text) text,
	POLB_TRACE_ACTIONS(X)
#undef X
};

/* NoPost is how Post does not come about: nothing that happens. */
#define HAPPENS (~(UINT64_C(1) << POLB_ACTION_NO_POST))

static uint64_t action_bit(const char *name)
{
	for (unsigned i = 0; i < POLC_ARRAY_SIZE(action_names); i++)
		if (!strcmp(action_names[i], name))
			return UINT64_C(1) << i & HAPPENS;
	return 0;
}

static void add_actions(struct polc_buf *out, uint64_t actions)
{
	size_t begin = out->n;

	for (unsigned i = 0; i < POLC_ARRAY_SIZE(action_names); i++)
		if (actions >> i & 1)
			polc_buf_printf(out, "%s%s", out->n > begin ? ", " : "", action_names[i]);
	if (out->n == begin)
		polc_buf_puts(out, "no action");
}

/* What selects */

static const struct polc_trace_selector *selector_of(
	const struct asked *a, const struct polc_call_match *match)
{
	const struct polc_trace_spec *spec = &a->world->tracing->specs[match->spec];

	for (size_t i = 0; i < spec->selectors.n; i++)
		if (spec->selectors.items[i].number == match->selector)
			return &spec->selectors.items[i];
	return NULL;
}

static bool policy_is(const struct polc_trace_policy *policy, const char *text)
{
	const char *slash = strchr(text, '/');

	if (!slash)
		return !strcmp(policy->name, text);
	return policy->namespaced && strlen(policy->namespace) == (size_t)(slash - text) &&
	       !strncmp(policy->namespace, text, (size_t)(slash - text)) &&
	       !strcmp(policy->name, slash + 1);
}

/* By its label, or its place in the list of its hook. */
static bool selector_is(
	const struct asked *a, const struct polc_call_match *match, const char *text)
{
	const struct polc_trace_spec *spec = &a->world->tracing->specs[match->spec];
	const struct polc_trace_selector *selector = selector_of(a, match);
	char *end;
	unsigned long index = strtoul(text, &end, 10);

	if (!selector)
		return false;
	if (selector->label && !strcmp(selector->label, text))
		return true;
	return *text && !*end && index < spec->selectors.n &&
	       &spec->selectors.items[index] == selector;
}

static bool matched(const struct polc_call_match *match)
{
	return match->matched == POLC_CALL_YES;
}

static bool by_policy(const struct asked *a)
{
	for (size_t i = 0; i < a->decision.matches.n; i++) {
		const struct polc_call_match *match = &a->decision.matches.items[i];

		if (matched(match) &&
			policy_is(
				&a->world->tracing->policies[match->policy], a->one->policy.text) &&
			(!a->one->selector.text || selector_is(a, match, a->one->selector.text)))
			return true;
	}
	return false;
}

/* False (reported) when the test has no such policy. */
static bool check_policy(struct asked *a)
{
	const struct polc_tracing *tracing = a->world->tracing;
	const char **names, *near;
	struct polc_diagnostic *d;

	if (!a->one->policy.text)
		return true;
	names = POLC_NEW_ARRAY(arena_of(a), tracing->n_policies, const char *);
	for (size_t i = 0; i < tracing->n_policies; i++) {
		if (policy_is(&tracing->policies[i], a->one->policy.text))
			return true;
		names[i] = tracing->policies[i].name;
	}
	d = polc_error(&a->run->cmd.polc, a->one->policy.span, POLC_CODE_BAD_TEST,
		"no tracing policy of this test is called '%.80s'", a->one->policy.text);
	near = polc_nearest(a->one->policy.text, names, tracing->n_policies);
	if (near)
		polc_diagnostic_suggest(&a->run->cmd.polc, d, "did you mean '%s'?", near);
	return false;
}

/* Expected and actual */

static const char *expected_text(const struct asked *a)
{
	const struct polc_ast_case *one = a->one;
	struct polc_buf out = {.arena = arena_of(a)};
	uint64_t actions = 0;

	polc_buf_puts(&out, polc_outcome_words[one->outcome]);
	for (size_t i = 0; i < one->actions.n; i++)
		actions |= action_bit(one->actions.items[i].text);
	if (one->actions_written) {
		polc_buf_puts(&out, out.n ? ", " : "");
		add_actions(&out, actions);
	}
	if (one->error.written)
		polc_buf_printf(
			&out, "%serror %lld", out.n ? ", " : "", (long long)one->error.value);
	if (one->signal.written)
		polc_buf_printf(
			&out, "%ssignal %lld", out.n ? ", " : "", (long long)one->signal.value);
	if (one->policy.text)
		polc_buf_printf(&out, "%sby %s", out.n ? " " : "", one->policy.text);
	if (one->selector.text)
		polc_buf_printf(&out, " selector %s", one->selector.text);
	return out.p;
}

static void add_effect(struct polc_buf *out, const struct polc_call_effect *effect)
{
	add_actions(out, effect->actions & HAPPENS);
	if (effect->has_error)
		polc_buf_printf(out, ", error %d", effect->error);
	if (effect->signal)
		polc_buf_printf(out, ", signal %u", effect->signal);
}

static const char *actual_text(const struct asked *a)
{
	const struct polc_call_decision *decision = &a->decision;
	struct polc_buf out = {.arena = arena_of(a)};

	polc_buf_puts(&out, decision->passes     ? "passes, "
			    : decision->may_pass ? "may pass, "
						 : "stopped, ");
	add_effect(&out, &decision->sure);
	if (decision->certain)
		return out.p;
	polc_buf_puts(&out, " for sure, and perhaps ");
	add_effect(&out, &decision->possible);
	for (size_t i = 0; i < decision->depends_on.n; i++)
		polc_buf_printf(&out, "%s%s",
			i ? ", " : "; not said, and it matters: ", decision->depends_on.items[i]);
	return out.p;
}

static bool same_effect(const struct polc_ast_case *one, const struct polc_call_effect *effect)
{
	uint64_t actions = 0;

	for (size_t i = 0; i < one->actions.n; i++)
		actions |= action_bit(one->actions.items[i].text);
	if (one->actions_written && actions != (effect->actions & HAPPENS))
		return false;
	if (one->error.written && one->error.value != (effect->has_error ? effect->error : 0))
		return false;
	return !one->signal.written || one->signal.value == (int64_t)effect->signal;
}

/* What is open must come out as expected either way. */
static bool as_expected(const struct asked *a)
{
	const struct polc_call_decision *decision = &a->decision;

	switch (a->one->outcome) {
	case POLC_OUTCOME_UNSAID:
	case POLC_N_OUTCOMES:
		break;
	case POLC_OUTCOME_NOTHING:
		if (decision->possible.actions & HAPPENS)
			return false;
		break;
	case POLC_OUTCOME_PASSES:
		if (!decision->passes)
			return false;
		break;
	case POLC_OUTCOME_STOPPED:
		if (decision->may_pass)
			return false;
		break;
	}
	return same_effect(a->one, &decision->sure) && same_effect(a->one, &decision->possible) &&
	       (!a->one->policy.text || by_policy(a));
}

static const char *truth_of(const struct polc_call_match *match)
{
	if (match->workload == POLC_CALL_NO)
		return "not for this workload";
	return match->matched == POLC_CALL_YES  ? "matches"
	       : match->matched == POLC_CALL_NO ? "does not match"
						: "may match";
}

static void describe_match(struct asked *a, const struct polc_call_match *match)
{
	const struct polc_trace_policy *policy = &a->world->tracing->policies[match->policy];
	const struct polc_trace_selector *selector = selector_of(a, match);
	struct polc_span span =
		selector ? selector->span : a->world->tracing->specs[match->spec].span;

	*polc_vec_push(arena_of(a), &a->result->details) =
		polc_arena_printf(arena_of(a), "%s: %s%s%s%s%s (%s)", policy->name, truth_of(match),
			selector ? ", by selector" : "", selector && selector->label ? " " : "",
			selector && selector->label ? selector->label : "",
			match->enforces ? "" : ", monitored only", polc_test_place(a->run, span));
	if (selector && !a->result->rule)
		a->result->rule = polc_test_place(a->run, span);
}

static void describe(struct asked *a)
{
	a->result->expected = expected_text(a);
	a->result->actual = actual_text(a);
	for (size_t i = 0; i < a->decision.matches.n; i++)
		describe_match(a, &a->decision.matches.items[i]);
}

static void count(struct asked *a)
{
	for (size_t i = 0; i < a->decision.matches.n; i++) {
		const struct polc_call_match *match = &a->decision.matches.items[i];

		if (!matched(match))
			continue;
		if (match->selector == POLC_NO_SELECTOR)
			a->world->spec_hits[match->spec]++;
		else
			a->world->selector_hits[match->selector]++;
	}
}

static void fail(struct asked *a)
{
	struct polc_diagnostic *d = polc_test_fail(a->run, a->result);

	for (size_t i = 0; i < a->decision.matches.n; i++) {
		const struct polc_call_match *match = &a->decision.matches.items[i];
		const struct polc_trace_selector *selector = selector_of(a, match);

		polc_diagnostic_relate(&a->run->cmd.polc, d,
			selector ? selector->span : a->world->tracing->specs[match->spec].span,
			"policy %s: %s", a->world->tracing->policies[match->policy].name,
			selector ? "this selector matches" : truth_of(match));
	}
}

/* True when the compiled programs say the same; else reported. */
static bool programs_agree(struct asked *a)
{
	struct polc_cmd *cmd = &a->run->cmd;
	struct polc_call_run ran = {0};
	const char *difference;

	if (polc_run_calls(&cmd->polc, cmd->tracing, &cmd->tracing_options, &a->call, 1, &ran) <
			0 ||
		ran.why) {
		a->run->environment = true;
		polc_test_error(a->run, a->result,
			ran.why ? polc_arena_printf(arena_of(a),
					  "the programs cannot be run on it: %s", ran.why)
				: "the compiled programs could not be asked");
		return false;
	}
	difference = polc_call_run_difference(arena_of(a), &a->decision, &ran);
	if (!difference)
		return true;
	a->result->expected = polc_arena_printf(arena_of(a), "%s (evaluator)", a->result->actual);
	a->result->actual = polc_arena_printf(
		arena_of(a), "another answer of the compiled programs: %s", difference);
	fail(a);
	return false;
}

static bool make_call(struct asked *a)
{
	struct polc_cmd *cmd = &a->run->cmd;
	const polc_ast_facts *facts = &a->one->call.facts;
	struct polc_call_fact *list =
		POLC_NEW_ARRAY(&cmd->polc.arena, facts->n + 1, struct polc_call_fact);

	for (size_t i = 0; i < facts->n; i++)
		list[i] = (struct polc_call_fact){.key = facts->items[i].key.text,
			.value = facts->items[i].value.text,
			.span = facts->items[i].value.span,
			.key_span = facts->items[i].key.span};
	a->call = polc_call_make(&cmd->polc, cmd->tracing, &cmd->input.inventory,
		a->one->call.hook.text, a->one->call.hook.span, list, facts->n);
	return a->call && check_policy(a);
}

static const char *question_text(struct polc_test_run *run, const struct polc_ast_call *call)
{
	struct polc_buf out = {.arena = &run->cmd.polc.arena};

	polc_buf_printf(&out, "%s (", call->hook.text);
	for (size_t i = 0; i < call->facts.n; i++)
		polc_buf_printf(&out, "%s%s = %s", i ? ", " : "", call->facts.items[i].key.text,
			call->facts.items[i].value.text);
	polc_buf_puts(&out, ")");
	return out.p;
}

void polc_test_call(struct polc_test_run *run, struct polc_test_world *world,
	const struct polc_ast_test *test, const struct polc_ast_case *one)
{
	struct asked a = {.run = run, .world = world, .one = one};

	a.result = polc_test_begin(run, test, one, question_text(run, &one->call));
	if (!a.result)
		return;
	if (!world || !make_call(&a)) {
		polc_test_error(run, a.result,
			world ? "the question has errors"
			      : "the policies or the inventory have errors");
		return;
	}
	polc_call_decide(&run->cmd.polc, arena_of(&a), world->tracing, a.call, &a.decision);
	count(&a);
	describe(&a);
	if (run->engine == POLC_TEST_BPF && !programs_agree(&a))
		return;
	if (as_expected(&a))
		polc_test_pass(run, a.result);
	else
		fail(&a);
}
