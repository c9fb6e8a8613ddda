/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What both spellings of tests are checked for: words, and what no single field says. */
#include "tests.h"

#include <string.h>
#include <strings.h>

const char *const polc_outcome_words[] = {
#define X(name, word) word,
	POLC_OUTCOMES(X)
#undef X
		NULL,
};

static const char *const actions[] = {
#define X(name, text) text,
	POLB_TRACE_ACTIONS(X)
#undef X
};

static bool same_but_dashes(const char *dashed, const char *name)
{
	for (; *dashed; dashed++) {
		if (*dashed == '-')
			continue;
		if (strncasecmp(dashed, name, 1) != 0)
			return false;
		name++;
	}
	return !*name;
}

/* "no-post" and "NoPost" alike; the one whose words differ by more has its own row. */
bool polc_test_check_action(struct polc *polc, struct polc_ast_text *action)
{
	const char *wanted = strcasecmp(action->text, "cleanup-enforcer")
				     ? action->text
				     : "CleanupEnforcerNotification";
	struct polc_diagnostic *d;
	const char *nearest;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(actions); i++) {
		if (!same_but_dashes(wanted, actions[i]))
			continue;
		action->text = actions[i];
		action->n = strlen(actions[i]);
		return true;
	}
	d = polc_error(
		polc, action->span, POLC_CODE_BAD_TEST, "'%.40s' is no action", action->text);
	nearest = polc_nearest(action->text, actions, POLC_ARRAY_SIZE(actions));
	if (nearest)
		polc_diagnostic_suggest(polc, d, "did you mean '%s'?", nearest);
	return false;
}

bool polc_test_check_word(struct polc *polc, const struct polc_ast_text *value, const char *what,
	const char *const *words)
{
	struct polc_buf list = {.arena = &polc->arena};
	struct polc_diagnostic *d;
	const char *nearest;
	size_t n = 0;

	for (; words[n]; n++) {
		if (!strcmp(value->text, words[n]))
			return true;
		if (*words[n])
			polc_buf_printf(&list, "%s%s", list.n ? ", " : "", words[n]);
	}
	d = polc_error(polc, value->span, POLC_CODE_BAD_TEST, "%s '%.40s' is none of %s", what,
		value->text, list.p);
	nearest = polc_nearest(value->text, words, n);
	if (nearest && *nearest)
		polc_diagnostic_suggest(polc, d, "did you mean '%s'?", nearest);
	return false;
}

const char *const polc_expected_verdicts[] = {"", "allow", "deny", "audit"};

enum polc_expected_verdict polc_expected_verdict_of(const char *word)
{
	if (!strcmp(word, "audit"))
		return POLC_EXPECT_AUDIT;
	return strcmp(word, "deny") ? POLC_EXPECT_ALLOW : POLC_EXPECT_DENY;
}

static void check_connection(struct polc *polc, const struct polc_ast_case *one)
{
	const char *missing = !one->from.n    ? "from"
			      : !one->to.n    ? "to"
			      : !one->ports.n ? "port"
					      : NULL;
	bool denied = one->side[POLC_INGRESS] == POLC_EXPECT_DENY ||
		      one->side[POLC_EGRESS] == POLC_EXPECT_DENY;

	if (missing)
		polc_error(polc, one->span, POLC_CODE_BAD_TEST, "a connection needs '%s'", missing);
	if (!one->verdict && !one->side[0] && !one->side[1] && !one->rule.text)
		polc_error(polc, one->span, POLC_CODE_BAD_TEST,
			"nothing is expected of this connection: say allow or deny");
	if (one->verdict == POLC_EXPECT_ALLOW && denied)
		polc_error(polc, one->span, POLC_CODE_BAD_TEST,
			"a connection that one side denies is not allowed");
}

static void check_call(struct polc *polc, const struct polc_ast_case *one)
{
	bool acts = one->actions.n || one->error.written || one->signal.written ||
		    one->policy.text || one->selector.text;

	if (one->outcome == POLC_OUTCOME_UNSAID && !one->actions_written && !acts)
		polc_error(polc, one->span, POLC_CODE_BAD_TEST,
			"nothing is expected of this call: name actions, or say nothing, passes or "
			"stopped");
	if (one->outcome == POLC_OUTCOME_NOTHING && acts)
		polc_error(polc, one->span, POLC_CODE_BAD_TEST,
			"a call of which nothing comes has no actions, error, signal or policy");
	if (one->selector.text && !one->policy.text)
		polc_error(polc, one->selector.span, POLC_CODE_BAD_TEST,
			"a selector is one of a policy: name that too");
}

void polc_test_check_case(struct polc *polc, const struct polc_ast_case *one)
{
	if (one->is_call)
		check_call(polc, one);
	else
		check_connection(polc, one);
}
