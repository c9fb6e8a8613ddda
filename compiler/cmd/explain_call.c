/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc explain --call`: what tracing policies make of a described call: per policy and entry on
 * the hook its selectors with their places, each test with what was said and its result, which
 * selector decides, and what happens.
 */
#include <string.h>

#include "../analysis/call.h"
#include "explain.h"

static const char *const sections[] = {
#define X(name, section) section,
	POLC_TRACE_SECTIONS(X)
#undef X
};
static const char *const actions[] = {
#define X(name, word) word,
	POLB_TRACE_ACTIONS(X)
#undef X
};

struct call_printer {
	struct polc_cmd *cmd;
	const struct polc_call *call;
	const struct polc_call_decision *decision;
	struct polc_buf *out;
};

static const char *file_of(struct polc_cmd *cmd, struct polc_span span)
{
	return polc_source_get(&cmd->polc.sources, span.source)->path;
}

static unsigned line_of(struct polc_cmd *cmd, struct polc_span span)
{
	return polc_source_position(&cmd->polc.arena, &cmd->polc.sources, span.source, span.begin)
		.line;
}

static const char *place_of(struct polc_cmd *cmd, struct polc_span span)
{
	return polc_arena_printf(&cmd->polc.arena, "%s:%u", file_of(cmd, span), line_of(cmd, span));
}

static const struct polc_trace_spec *spec_of(
	const struct call_printer *p, const struct polc_call_match *match)
{
	return &p->cmd->tracing->specs[match->spec];
}

static const struct polc_trace_policy *policy_of(
	const struct call_printer *p, const struct polc_call_match *match)
{
	return &p->cmd->tracing->policies[match->policy];
}

static const char *policy_name(const struct call_printer *p, const struct polc_trace_policy *policy)
{
	return polc_arena_printf(p->out->arena, "%s%s%s",
		policy->namespace ? policy->namespace : "", policy->namespace ? "/" : "",
		policy->name);
}

/* "selector 2", "selector 2 (shells)": by its position in the entry, from 1. */
static unsigned number_of(const struct polc_trace_spec *spec, const struct polc_trace_selector *s)
{
	return (unsigned)(s - spec->selectors.items) + 1;
}

/* ---- text ---- */

static void print_test(
	const struct call_printer *p, const struct polc_call_test *test, const char *place)
{
	const char *result = polc_call_truth_name(test->result);

	if (test->result == POLC_CALL_UNREADABLE)
		result = test->holds == POLC_CALL_YES ? "unreadable, taken for a match (onError)"
						      : "unreadable, no match (onError)";
	polc_buf_printf(p->out, "      %s%s", place, test->text);
	if (test->value)
		polc_buf_printf(p->out, ": %s", test->value);
	polc_buf_printf(p->out, " -> %s (%s)\n",
		test->result == POLC_CALL_OPEN ? "not said" : result,
		place_of(p->cmd, test->test->span));
}

static void print_tests(
	const struct call_printer *p, const polc_call_tests *tests, const char *place)
{
	for (size_t i = 0; i < tests->n; i++)
		print_test(p, &tests->items[i], place);
}

static const char *action_text(const struct call_printer *p, const struct polc_trace_action *a)
{
	struct polc_arena *arena = p->out->arena;

	switch (a->kind) {
	case POLB_ACTION_SIGNAL:
		return polc_arena_printf(arena, "Signal %u", a->signal);
	case POLB_ACTION_OVERRIDE:
		return a->error ? polc_arena_printf(arena, "Override %d", a->error) : "Override";
	case POLB_ACTION_NOTIFY_ENFORCER:
		return a->signal ? polc_arena_printf(arena, "NotifyEnforcer %d signal %u", a->error,
					   a->signal)
				 : polc_arena_printf(arena, "NotifyEnforcer %d", a->error);
	case POLB_ACTION_POST:
		return a->rate_interval_ns ? "Post (rate limited)" : "Post";
	case POLB_ACTION_NO_POST:
	case POLB_ACTION_SIGKILL:
	case POLB_ACTION_TRACK_SOCK:
	case POLB_ACTION_UNTRACK_SOCK:
	case POLB_ACTION_CLEANUP_ENFORCER:
	case POLB_ACTION_SET:
	case POLB_ACTION_GET_URL:
	case POLB_ACTION_DNS_LOOKUP:
	case POLB_N_TRACE_ACTIONS:
		break;
	}
	return actions[a->kind];
}

static void print_actions(
	const struct call_printer *p, const polc_trace_actions *list, const char *place)
{
	if (!list->n)
		return;
	polc_buf_printf(p->out, "      %s", place);
	for (size_t i = 0; i < list->n; i++)
		polc_buf_printf(p->out, "%s%s", i ? ", " : "do ", action_text(p, &list->items[i]));
	polc_buf_puts(p->out, "\n");
}

static void print_selector(const struct call_printer *p, const struct polc_call_match *match,
	const struct polc_call_selector *s)
{
	static const char *const words[] = {
		[POLC_CALL_NO] = "does not match",
		[POLC_CALL_YES] = "matches",
		[POLC_CALL_UNREADABLE] = "",
		[POLC_CALL_OPEN] = "may match",
	};
	const struct polc_trace_selector *selector = s->selector;
	bool decides = selector->number == match->selector;

	polc_buf_printf(p->out, "    selector %u%s%s%s (%s) %s%s\n",
		number_of(spec_of(p, match), selector), selector->label ? " '" : "",
		selector->label ? selector->label : "", selector->label ? "'" : "",
		place_of(p->cmd, selector->span), words[s->matched],
		decides ? "   <- decides" : "");
	print_tests(p, &s->tests, "");
	if (s->matched != POLC_CALL_NO)
		print_actions(p, &selector->actions, "");
	if (!s->returned)
		return;
	print_tests(p, &s->return_tests, "at the return: ");
	if (s->return_matched != POLC_CALL_NO)
		print_actions(p, &selector->return_actions, "at the return: ");
}

static const char *enforcing_note(const struct call_printer *p, const struct polc_call_match *match)
{
	return policy_of(p, match)->mode == POLB_MODE_MONITOR ? ", monitor mode" : "";
}

static bool is_held_back(const struct call_printer *p, const struct polc_call_match *match)
{
	return policy_of(p, match)->mode == POLB_MODE_MONITOR;
}

static void print_match(const struct call_printer *p, const struct polc_call_match *match)
{
	const struct polc_trace_spec *spec = spec_of(p, match);
	const struct polc_trace_policy *policy = policy_of(p, match);

	polc_buf_printf(p->out, "\npolicy %s (%s)%s\n  %s at %s\n", policy_name(p, policy),
		place_of(p->cmd, policy->span), enforcing_note(p, match), sections[spec->section],
		place_of(p->cmd, spec->span));
	if (match->workload == POLC_CALL_NO) {
		polc_buf_puts(p->out, "    is not for this workload\n");
		return;
	}
	if (match->workload == POLC_CALL_OPEN)
		polc_buf_puts(p->out, "    may not be for this workload: it was not said\n");
	for (size_t i = 0; i < match->selectors.n; i++)
		print_selector(p, match, &match->selectors.items[i]);
	if (!spec->selectors.n)
		polc_buf_puts(p->out, "    without selectors: every call makes an event\n");
	else if (match->matched == POLC_CALL_NO)
		polc_buf_puts(p->out, "    no selector matches\n");
	polc_buf_printf(p->out, "    effect: %s\n",
		match->certain
			? polc_call_effect_text(p->out->arena, &match->sure, is_held_back(p, match))
			: "open");
}

static void print_text(const struct call_printer *p)
{
	polc_buf_printf(p->out, "%s\n", polc_call_text(p->out->arena, p->call));
	for (size_t i = 0; i < p->decision->matches.n; i++)
		print_match(p, &p->decision->matches.items[i]);
	polc_buf_printf(
		p->out, "\neffect: %s\n", polc_call_decision_text(p->out->arena, p->decision));
}

/* ---- JSON ---- */

static void add_place(const struct call_printer *p, struct polc_span span)
{
	polc_buf_json_member(p->out, "file", file_of(p->cmd, span));
	polc_buf_printf(p->out, "\"line\":%u,", line_of(p->cmd, span));
}

static void add_action_names(const struct call_printer *p, const char *key, uint64_t mask)
{
	size_t n = 0;

	polc_buf_printf(p->out, "\"%s\":[", key);
	for (unsigned i = 0; i < POLB_N_TRACE_ACTIONS; i++)
		if (mask >> i & 1)
			polc_buf_printf(p->out, "%s\"%s\"", n++ ? "," : "", actions[i]);
	polc_buf_puts(p->out, "],");
}

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

static void add_effect(
	const struct call_printer *p, const char *key, const struct polc_call_effect *effect)
{
	polc_buf_printf(p->out, "\"%s\":{", key);
	add_action_names(p, "actions", effect->actions);
	polc_buf_printf(p->out, "\"event\":%s,\"error\":", json_bool(effect->posts));
	if (effect->has_error)
		polc_buf_printf(p->out, "%d", effect->error);
	else
		polc_buf_puts(p->out, "null");
	polc_buf_printf(p->out, ",\"owed\":%s,\"rewritten\":%s,\"signal\":%u}",
		json_bool(effect->owed), json_bool(effect->rewritten), effect->signal);
}

static void add_tests(const struct call_printer *p, const char *key, const polc_call_tests *tests)
{
	polc_buf_printf(p->out, "\"%s\":[", key);
	for (size_t i = 0; i < tests->n; i++) {
		const struct polc_call_test *test = &tests->items[i];

		polc_buf_puts(p->out, i ? ",{" : "{");
		polc_buf_json_member(p->out, "text", test->text);
		polc_buf_json_member(p->out, "value", test->value);
		polc_buf_json_member(p->out, "result", polc_call_truth_name(test->result));
		add_place(p, test->test->span);
		polc_buf_printf(p->out, "\"holds\":\"%s\"}", polc_call_truth_name(test->holds));
	}
	polc_buf_puts(p->out, "]");
}

static void add_selector(const struct call_printer *p, const struct polc_call_match *match,
	const struct polc_call_selector *s)
{
	polc_buf_printf(p->out, "{\"number\":%u,", number_of(spec_of(p, match), s->selector));
	polc_buf_json_member(p->out, "label", s->selector->label);
	add_place(p, s->selector->span);
	polc_buf_json_member(p->out, "matches", polc_call_truth_name(s->matched));
	polc_buf_printf(
		p->out, "\"decides\":%s,", json_bool(s->selector->number == match->selector));
	add_action_names(p, "actions", s->selector->action_mask);
	add_action_names(p, "return_actions", s->selector->return_action_mask);
	add_tests(p, "tests", &s->tests);
	polc_buf_puts(p->out, ",");
	polc_buf_json_member(p->out, "return_matches",
		s->returned ? polc_call_truth_name(s->return_matched) : NULL);
	add_tests(p, "return_tests", &s->return_tests);
	polc_buf_puts(p->out, "}");
}

static void add_match(const struct call_printer *p, const struct polc_call_match *match)
{
	static const char *const modes[] = {"enforce", "monitor", "monitor-only"};
	const struct polc_trace_policy *policy = policy_of(p, match);
	const struct polc_trace_spec *spec = spec_of(p, match);

	polc_buf_puts(p->out, "{");
	polc_buf_json_member(p->out, "namespace", policy->namespace);
	polc_buf_json_member(p->out, "policy", policy->name);
	polc_buf_json_member(p->out, "section", sections[spec->section]);
	add_place(p, spec->span);
	polc_buf_json_member(p->out, "mode", modes[policy->mode]);
	polc_buf_json_member(p->out, "workload", polc_call_truth_name(match->workload));
	polc_buf_json_member(p->out, "matches", polc_call_truth_name(match->matched));
	polc_buf_printf(p->out, "\"certain\":%s,\"selectors\":[", json_bool(match->certain));
	for (size_t i = 0; i < match->selectors.n; i++) {
		polc_buf_puts(p->out, i ? "," : "");
		add_selector(p, match, &match->selectors.items[i]);
	}
	polc_buf_puts(p->out, "],");
	add_effect(p, "effect", &match->sure);
	polc_buf_puts(p->out, ",");
	add_effect(p, "possible", &match->possible);
	polc_buf_puts(p->out, "}");
}

static void print_json(const struct call_printer *p)
{
	const struct polc_call_decision *decision = p->decision;

	polc_buf_puts(p->out, "{");
	polc_buf_json_member(p->out, "call", polc_call_text(p->out->arena, p->call));
	polc_buf_puts(p->out, "\"specs\":[");
	for (size_t i = 0; i < decision->matches.n; i++) {
		polc_buf_puts(p->out, i ? "," : "");
		add_match(p, &decision->matches.items[i]);
	}
	polc_buf_printf(p->out, "],\"certain\":%s,\"depends_on\":[", json_bool(decision->certain));
	for (size_t i = 0; i < decision->depends_on.n; i++) {
		polc_buf_puts(p->out, i ? "," : "");
		polc_buf_json(p->out, decision->depends_on.items[i]);
	}
	polc_buf_puts(p->out, "],");
	add_effect(p, "effect", &decision->sure);
	polc_buf_puts(p->out, ",");
	add_effect(p, "possible", &decision->possible);
	polc_buf_printf(p->out, ",\"passes\":%s,\"may_pass\":%s,", json_bool(decision->passes),
		json_bool(decision->may_pass));
	polc_buf_puts(p->out, "\"text\":");
	polc_buf_json(p->out, polc_call_decision_text(p->out->arena, decision));
	polc_buf_puts(p->out, "}\n");
}

/* ---- the command ---- */

/* "KEY=VALUE"; false when it is not. */
static bool parse_fact(struct polc_arena *arena, const char *text, struct polc_call_fact *out)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return false;
	*out = (struct polc_call_fact){
		.key = polc_arena_strndup(arena, text, (size_t)(equals - text)),
		.value = equals + 1,
	};
	return true;
}

static int explain(struct polc_cmd *cmd, const char *hook, const struct polc_call_fact *facts,
	size_t n_facts, bool json)
{
	struct polc_buf out = {.arena = &cmd->polc.arena};
	struct polc_call_decision decision;
	const struct polc_call *call = polc_call_make(&cmd->polc, cmd->tracing,
		&cmd->input.inventory, hook, (struct polc_span){0}, facts, n_facts);

	if (!call)
		return POLC_EXIT_BAD;
	polc_call_decide(&cmd->polc, &cmd->polc.arena, cmd->tracing, call, &decision);
	const struct call_printer p = {cmd, call, &decision, &out};

	(json ? print_json : print_text)(&p);
	fwrite(out.p, 1, out.n, stdout);
	return POLC_EXIT_OK;
}

int polc_explain_call(struct polc_cmd *cmd, const char *hook, const polc_text_list *with, bool json)
{
	struct polc_call_fact *facts =
		POLC_NEW_ARRAY(&cmd->polc.arena, with->n + 1, struct polc_call_fact);

	for (size_t i = 0; i < with->n; i++)
		if (!parse_fact(&cmd->polc.arena, with->items[i], &facts[i]))
			return polc_cmd_usage_error(
				cmd, "--with: '%s' is not KEY=VALUE", with->items[i]);
	int exit_code = polc_cmd_load(cmd);

	if (exit_code == POLC_EXIT_OK)
		exit_code = explain(cmd, hook, facts, with->n, json);
	polc_cmd_print_diagnostics(cmd);
	return exit_code;
}
