/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the policies on a hook make of a described call: per spec the first selector that holds,
 * what it does at entry and at the return, and all specs together. What is open is followed both
 * ways.
 */
#include <string.h>

#include "call_private.h"

#define BIT(action) (UINT64_C(1) << POLB_ACTION_##action)

enum { DEADLY = 9 };

static const uint64_t enforcing_actions =
	BIT(SIGKILL) | BIT(SIGNAL) | BIT(OVERRIDE) | BIT(NOTIFY_ENFORCER) | BIT(SET);

/* ---- effects ---- */

static uint32_t stronger_signal(uint32_t a, uint32_t b)
{
	return a == DEADLY || !b ? a : b;
}

/* Two things that both happen, or both may: the first error counts, one that is owed last. */
static void add_effect(struct polc_call_effect *to, const struct polc_call_effect *more)
{
	to->posts |= more->posts;
	to->actions |= more->actions;
	to->rewritten |= more->rewritten;
	to->signal = stronger_signal(to->signal, more->signal);
	if (!more->has_error || (to->has_error && (!to->owed || more->owed)))
		return;
	to->has_error = true;
	to->error = more->error;
	to->owed = more->owed;
}

/* What happens either way. */
static void common_effect(struct polc_call_effect *to, const struct polc_call_effect *other)
{
	to->posts &= other->posts;
	to->actions &= other->actions;
	to->rewritten &= other->rewritten;
	if (to->signal != other->signal)
		to->signal = 0;
	to->has_error &= other->has_error;
	to->owed = to->has_error && (to->owed || other->owed);
	if (!to->has_error)
		to->error = 0;
}

static bool same_effect(const struct polc_call_effect *a, const struct polc_call_effect *b)
{
	return a->posts == b->posts && a->actions == b->actions && a->has_error == b->has_error &&
	       a->error == b->error && a->owed == b->owed && a->rewritten == b->rewritten &&
	       a->signal == b->signal;
}

static void add_action(const struct polc_trace_spec *spec, const struct polc_trace_action *action,
	struct polc_call_effect *effect)
{
	struct polc_call_effect own = {.actions = UINT64_C(1) << action->kind};

	switch (action->kind) {
	case POLB_ACTION_SIGKILL:
		own.signal = DEADLY;
		break;
	case POLB_ACTION_SIGNAL:
		own.signal = action->signal;
		break;
	case POLB_ACTION_OVERRIDE:
		own.rewritten = spec->section == POLC_SECTION_UPROBE;
		own.error = own.rewritten ? 0 : action->error;
		break;
	case POLB_ACTION_NOTIFY_ENFORCER:
		own.error = action->error;
		own.owed = own.error != 0;
		own.signal = action->signal;
		break;
	case POLB_ACTION_SET:
		own.rewritten = true;
		break;
	case POLB_ACTION_POST:
	case POLB_ACTION_NO_POST:
	case POLB_ACTION_TRACK_SOCK:
	case POLB_ACTION_UNTRACK_SOCK:
	case POLB_ACTION_CLEANUP_ENFORCER:
	case POLB_ACTION_GET_URL:
	case POLB_ACTION_DNS_LOOKUP:
	case POLB_N_TRACE_ACTIONS:
		break;
	}
	own.has_error = own.error != 0;
	add_effect(effect, &own);
}

/* Actions that are carried out; those of Post are left to whoever knows that there is an event. */
static void add_actions(const struct polc_trace_spec *spec, const polc_trace_actions *actions,
	bool enforces, struct polc_call_effect *effect)
{
	for (size_t i = 0; i < actions->n; i++) {
		const struct polc_trace_action *action = &actions->items[i];
		uint64_t bit = UINT64_C(1) << action->kind;

		if (action->kind != POLB_ACTION_POST && (enforces || !(bit & enforcing_actions)))
			add_action(spec, action, effect);
	}
}

static void set_posts(struct polc_call_effect *effect, bool posts)
{
	effect->posts = posts;
	if (posts)
		effect->actions |= BIT(POST);
}

/* ---- tests and selectors ---- */

static enum polc_call_truth settle(enum polc_call_truth result, enum polc_on_error on_error)
{
	if (result != POLC_CALL_UNREADABLE)
		return result;
	return on_error == POLC_ON_ERROR_NO_MATCH ? POLC_CALL_NO : POLC_CALL_YES;
}

static enum polc_call_truth both(enum polc_call_truth a, enum polc_call_truth b)
{
	if (a == POLC_CALL_NO || b == POLC_CALL_NO)
		return POLC_CALL_NO;
	return a == POLC_CALL_YES ? b : a;
}

static struct polc_call_test judge_test(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	struct polc_call_test out = {
		.test = test,
		.result = polc_call_test(j, test),
		.text = polc_call_test_text(j, test),
		.value = polc_call_test_value(j, test),
	};

	out.holds = settle(out.result, test->on_error);
	if (!test->in_other_user_namespace)
		return out;
	enum polc_call_truth first = polc_call_test_user_namespace(j);

	out.holds = both(settle(first, test->on_error), out.holds);
	if (first != POLC_CALL_YES && out.result != POLC_CALL_NO)
		out.result = first;
	return out;
}

static enum polc_call_truth judge_tests(
	const struct polc_call_judge *j, const polc_trace_tests *tests, polc_call_tests *out)
{
	enum polc_call_truth all = POLC_CALL_YES;

	for (size_t i = 0; i < tests->n && all != POLC_CALL_NO; i++) {
		struct polc_call_test *test = polc_vec_push(j->arena, out);

		*test = judge_test(j, &tests->items[i]);
		all = both(all, test->holds);
	}
	return all;
}

static struct polc_call_selector judge_selector(
	const struct polc_call_judge *j, const struct polc_trace_selector *selector)
{
	struct polc_call_selector out = {.selector = selector, .return_matched = POLC_CALL_YES};

	out.matched = judge_tests(j, &selector->tests, &out.tests);
	out.returned = j->spec->has_return && out.matched != POLC_CALL_NO;
	if (out.returned)
		out.return_matched = judge_tests(j, &selector->return_tests, &out.return_tests);
	return out;
}

/* ---- one spec ---- */

/* All that may become of a spec: one when nothing is open. */
struct possibilities {
	struct polc_arena *arena;
	struct polc_call_match *match;
	size_t n;
	bool differ;
};

static void add_possibility(struct possibilities *p, const struct polc_call_effect *effect)
{
	if (p->n++) {
		p->differ |= !same_effect(&p->match->sure, effect) ||
			     !same_effect(&p->match->possible, effect);
		common_effect(&p->match->sure, effect);
		add_effect(&p->match->possible, effect);
	} else {
		p->match->sure = p->match->possible = *effect;
	}
}

static void add_socket_actions(const struct polc_trace_spec *spec, struct polc_call_effect *effect)
{
	if (spec->has_return && spec->return_arg_action != POLB_ACTION_POST)
		effect->actions |= UINT64_C(1) << spec->return_arg_action;
}

/* A selector that matched, with its return or without. */
static void add_selector(struct possibilities *p, const struct polc_call_judge *j,
	const struct polc_call_selector *s)
{
	struct polc_call_effect effect = {0}, returned;
	bool posts = !(s->selector->action_mask & BIT(NO_POST));

	add_actions(j->spec, &s->selector->actions, p->match->enforces, &effect);
	if (s->returned)
		add_socket_actions(j->spec, &effect);
	if (s->return_matched != POLC_CALL_YES)
		add_possibility(p, &effect);
	if (s->return_matched == POLC_CALL_NO)
		return;
	returned = effect;
	if (s->returned) {
		add_actions(j->spec, &s->selector->return_actions, p->match->enforces, &returned);
		posts &= !(s->selector->return_action_mask & BIT(NO_POST));
	}
	set_posts(&returned, posts);
	add_possibility(p, &returned);
}

/* As written, of the selector that decides. */
static void describe(struct polc_call_match *match, const struct polc_trace_spec *spec,
	const struct polc_trace_selector *s)
{
	struct polc_call_effect written = {0};

	match->selector = s->number;
	match->actions = s->action_mask;
	match->return_actions = s->return_action_mask;
	add_actions(spec, &s->actions, true, &written);
	add_actions(spec, &s->return_actions, true, &written);
	match->has_error = written.has_error;
	match->error = written.error;
	match->signal = written.signal;
}

static void judge_selectors(struct possibilities *p, const struct polc_call_judge *j)
{
	struct polc_call_match *match = p->match;
	enum polc_call_truth found = POLC_CALL_NO;

	for (size_t i = 0; i < j->spec->selectors.n && found != POLC_CALL_YES; i++) {
		struct polc_call_selector *s = polc_vec_push(j->arena, &match->selectors);

		*s = judge_selector(j, &j->spec->selectors.items[i]);
		if (s->matched == POLC_CALL_NO)
			continue;
		if (s->matched == POLC_CALL_YES && found == POLC_CALL_NO &&
			match->workload == POLC_CALL_YES)
			describe(match, j->spec, s->selector);
		add_selector(p, j, s);
		p->differ |= s->matched == POLC_CALL_OPEN; /* another selector is another answer */
		match->matched = found == POLC_CALL_NO ? s->matched : match->matched;
		found = s->matched;
	}
	if (found == POLC_CALL_YES && match->matched == POLC_CALL_OPEN)
		match->matched = POLC_CALL_YES; /* one of them does */
	if (found != POLC_CALL_YES)
		add_possibility(p, &(struct polc_call_effect){0});
}

/* A spec without selectors posts every call. */
static void judge_every_call(struct possibilities *p, const struct polc_call_judge *j)
{
	struct polc_call_effect effect = {0};

	add_socket_actions(j->spec, &effect);
	set_posts(&effect, true);
	p->match->matched = POLC_CALL_YES;
	p->match->actions = BIT(POST);
	add_possibility(p, &effect);
}

static void judge_member(struct polc_call_judge *j, const struct polc_call_member *member,
	struct polc_call_match *out)
{
	struct possibilities p = {.arena = j->arena, .match = out};

	j->member = member;
	j->spec = &j->tracing->specs[member->spec];
	const struct polc_trace_policy *policy = &j->tracing->policies[j->spec->policy];

	*out = (struct polc_call_match){
		.policy = j->spec->policy,
		.spec = member->spec,
		.symbol = member->symbol,
		.workload = POLC_CALL_YES,
		.selector = POLC_NO_SELECTOR,
		.enforces = policy->mode == POLB_MODE_ENFORCE,
	};
	if (policy->has_workload)
		out->workload = polc_call_workload(j, policy->workload);
	if (out->workload != POLC_CALL_YES)
		add_possibility(&p, &(struct polc_call_effect){0});
	if (out->workload != POLC_CALL_NO && j->spec->selectors.n)
		judge_selectors(&p, j);
	else if (out->workload != POLC_CALL_NO)
		judge_every_call(&p, j);
	if (out->workload == POLC_CALL_OPEN && out->matched != POLC_CALL_NO)
		out->matched = POLC_CALL_OPEN;
	out->certain = !p.differ;
	if (out->certain)
		out->possible = out->sure;
}

/* ---- the error that is owed ---- */

/* The policy's enforcer acts: some selector of it leaves an error. */
static bool leaves_errors(
	const struct polc_tracing *tracing, const struct polc_trace_policy *policy)
{
	for (uint32_t i = 0; i < policy->n_specs; i++) {
		const struct polc_trace_spec *spec = &tracing->specs[policy->first_spec + i];

		for (size_t j = 0; j < spec->selectors.n; j++)
			for (size_t k = 0; k < spec->selectors.items[j].actions.n; k++) {
				const struct polc_trace_action *action =
					&spec->selectors.items[j].actions.items[k];

				if (action->kind == POLB_ACTION_NOTIFY_ENFORCER && action->error)
					return true;
			}
	}
	return false;
}

static bool is_system_call(
	const struct polc_trace_symbol *symbol, enum polc_abi abi, uint32_t number)
{
	return symbol->syscall.name && symbol->syscall.abi == abi &&
	       symbol->syscall.number == number && number != UINT32_MAX;
}

/* The tracepoints before a system call: the number of the one that begins. */
static bool system_call_of(const struct polc_call_judge *j, const struct polc_call_member *member,
	struct polc_syscall *out)
{
	const struct polc_trace_spec *spec = &j->tracing->specs[member->spec];
	static const char enter[] = "syscalls/sys_enter_";

	if (spec->section != POLC_SECTION_TRACEPOINT || spec->raw)
		return false;
	if (!strncmp(j->call->name, enter, sizeof(enter) - 1))
		return polc_syscall_parse(j->call->name + sizeof(enter) - 1, out);
	if (strcmp(j->call->name, "raw_syscalls/sys_enter") != 0)
		return false;
	for (size_t i = 0; i < spec->values.n; i++) {
		const struct polc_trace_value *v = &spec->values.items[i];
		const struct polc_call_number *number = &member->values[i].number;

		if (!v->field || strcmp(v->field->name, "id") != 0 || number->said != POLC_SAID)
			continue;
		out->abi = number->value & 0x80000000 ? POLC_ABI_I386 : POLC_ABI_X64;
		out->number = (uint32_t)number->value & 0x7fffffff;
		return true;
	}
	return false;
}

static bool symbol_is_called(
	const struct polc_call_judge *j, const struct polc_trace_symbol *symbol)
{
	for (size_t i = 0; i < j->call->members.n; i++) {
		const struct polc_call_member *member = &j->call->members.items[i];
		const struct polc_trace_spec *spec = &j->tracing->specs[member->spec];
		struct polc_syscall call;

		if (system_call_of(j, member, &call) &&
			is_system_call(symbol, call.abi, call.number))
			return true;
		if (spec->section != POLC_SECTION_KPROBE && spec->section != POLC_SECTION_FENTRY)
			continue;
		const struct polc_trace_symbol *own = &spec->symbols.items[member->symbol];

		if (spec->syscall ? is_system_call(symbol, own->syscall.abi, own->syscall.number)
				  : !strcmp(symbol->name, own->name))
			return true;
	}
	return false;
}

/* Whether an error that is left at this hook becomes the call's result. */
static bool takes_errors(const struct polc_call_judge *j)
{
	for (size_t i = 0; i < j->tracing->n_policies; i++) {
		const struct polc_trace_policy *policy = &j->tracing->policies[i];

		for (size_t k = 0; k < policy->enforcer_calls.n; k++)
			if (!policy->enforcer_calls.items[k].missing &&
				symbol_is_called(j, &policy->enforcer_calls.items[k]) &&
				leaves_errors(j->tracing, policy))
				return true;
	}
	return false;
}

/* ---- what it depends on ---- */

static void add_open_keys(
	struct polc_call_judge *j, const polc_call_tests *tests, polc_call_keys *keys)
{
	for (size_t i = 0; i < tests->n; i++)
		if (tests->items[i].holds == POLC_CALL_OPEN)
			polc_call_test_keys(j, tests->items[i].test, keys);
}

static void add_match_keys(
	struct polc_call_judge *j, const struct polc_call_match *match, polc_call_keys *keys)
{
	if (match->workload == POLC_CALL_OPEN)
		polc_call_workload_keys(j, keys);
	for (size_t i = 0; i < match->selectors.n; i++) {
		const struct polc_call_selector *s = &match->selectors.items[i];

		if (s->matched == POLC_CALL_OPEN)
			add_open_keys(j, &s->tests, keys);
		if (s->return_matched == POLC_CALL_OPEN)
			add_open_keys(j, &s->return_tests, keys);
	}
}

/* ---- all specs ---- */

static void judge_all(struct polc_call_judge *j, struct polc_call_decision *out)
{
	*out = (struct polc_call_decision){.certain = true};
	for (size_t i = 0; i < j->call->members.n; i++) {
		struct polc_call_match *match = polc_vec_push(j->arena, &out->matches);

		judge_member(j, &j->call->members.items[i], match);
		out->certain &= match->certain;
		add_effect(&out->sure, &match->sure);
		add_effect(&out->possible, &match->possible);
	}
	if (out->certain)
		out->possible = out->sure;
}

static bool any_return(const struct polc_call_judge *j)
{
	for (size_t i = 0; i < j->call->members.n; i++)
		if (j->tracing->specs[j->call->members.items[i].spec].has_return)
			return true;
	return false;
}

static void settle_owed(const struct polc_call_judge *j, struct polc_call_decision *out)
{
	if (!(out->sure.owed || out->possible.owed) || !takes_errors(j))
		return;
	out->sure.owed = out->possible.owed = false;
	for (size_t i = 0; i < out->matches.n; i++)
		out->matches.items[i].sure.owed = out->matches.items[i].possible.owed = false;
}

static bool stops(const struct polc_call_effect *effect)
{
	return effect->signal == DEADLY || effect->rewritten ||
	       (effect->has_error && !effect->owed);
}

void polc_call_decide(struct polc *polc, struct polc_arena *arena,
	const struct polc_tracing *tracing, const struct polc_call *call,
	struct polc_call_decision *out)
{
	struct polc_call_judge j = {.arena = arena, .tracing = tracing, .call = call};

	(void)polc;
	judge_all(&j, out);
	settle_owed(&j, out);
	/* a call that did not happen returns what was put in its place */
	if (any_return(&j) && out->sure.has_error && !out->sure.owed) {
		j.replaced = true;
		j.error = out->sure.error;
		judge_all(&j, out);
		settle_owed(&j, out);
	}
	for (size_t i = 0; i < out->matches.n; i++) {
		j.member = &call->members.items[i];
		j.spec = &tracing->specs[j.member->spec];
		if (!out->matches.items[i].certain)
			add_match_keys(&j, &out->matches.items[i], &out->depends_on);
	}
	out->passes = !stops(&out->possible) && !out->possible.has_error;
	out->may_pass = !stops(&out->sure);
}
