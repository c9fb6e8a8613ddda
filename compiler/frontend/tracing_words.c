/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The enumerated words of selectors and actions, and what goes with each. */
#include "tracing_read.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool polc_text_is(const struct polc_ast_text *text, const char *word)
{
	return text->text && text->n == strlen(word) && !strcmp(text->text, word);
}

static const char *find_word(const char *text, const struct polc_trace_words *w)
{
	for (size_t i = 0; i < w->n_aliases; i++)
		if (!strcasecmp(text, w->aliases[i][0]))
			return w->aliases[i][1];
	for (size_t i = 0; i < w->n; i++)
		if (!strcasecmp(text, w->words[i]))
			return w->words[i];
	return NULL;
}

bool polc_trace_word(
	struct polc *polc, struct polc_ast_text *text, const struct polc_trace_words *w)
{
	const char *word = strlen(text->text) == text->n ? find_word(text->text, w) : NULL;
	struct polc_diagnostic *d;

	if (word) {
		text->text = word;
		text->n = strlen(word);
		return true;
	}
	d = polc_error(polc, text->span, POLC_CODE_UNKNOWN_VALUE, "\"%.80s\" is no %s", text->text,
		w->what);
	word = polc_nearest(text->text, w->words, w->n);
	if (word)
		polc_diagnostic_did_you_mean(polc, d, word);
	else if (w->n <= 12)
		for (size_t i = 0; i < w->n; i++)
			polc_diagnostic_suggest(polc, d, "%s%s%s", i ? d->suggestion : "one of ",
				i ? ", " : "", w->words[i]);
	return false;
}

/* Operators */

static const char *const argument_operators[] = {"Equal", "NotEqual", "Prefix", "NotPrefix",
	"Postfix", "NotPostfix", "GT", "LT", "Mask", "SPort", "NotSPort", "SPortPriv",
	"NotSportPriv", "DPort", "NotDPort", "DPortPriv", "NotDPortPriv", "SAddr", "NotSAddr",
	"DAddr", "NotDAddr", "Protocol", "Family", "State", "InMap", "NotInMap",
	"CapabilitiesGained", "InRange", "NotInRange", "SubString", "SubStringIgnCase", "CelExpr",
	"FileType", "NotFileType"};
static const char *const argument_aliases[][2] = {{"GreaterThan", "GT"}, {"LessThan", "LT"},
	{"SubStringIgnoreCase", "SubStringIgnCase"}, {"eq", "Equal"}, {"neq", "NotEqual"}};
static const char *const bare_operators[] = {
	"SPortPriv", "NotSportPriv", "DPortPriv", "NotDPortPriv", "CapabilitiesGained"};
static const char *const binary_operators[] = {
	"In", "NotIn", "Prefix", "NotPrefix", "Postfix", "NotPostfix"};

bool polc_trace_operator_is_bare(const char *op)
{
	return polc_word_index(op, bare_operators, POLC_ARRAY_SIZE(bare_operators)) >= 0;
}

static const struct polc_trace_words *operators_of(enum polc_trace_filter_kind kind)
{
	static const struct polc_trace_words of_arguments = {"operator of arguments",
		argument_operators, POLC_ARRAY_SIZE(argument_operators), argument_aliases,
		POLC_ARRAY_SIZE(argument_aliases)};
	static const struct polc_trace_words of_binaries = {"operator of binaries",
		binary_operators, POLC_ARRAY_SIZE(binary_operators), NULL, 0};
	static const struct polc_trace_words of_sets = {
		"operator of this filter", binary_operators, 2, NULL, 0};

	switch (kind) {
	case POLC_FILTER_ARGS:
	case POLC_FILTER_DATA:
	case POLC_FILTER_RETURN_ARGS:
		return &of_arguments;
	case POLC_FILTER_BINARIES:
	case POLC_FILTER_PARENT_BINARIES:
		return &of_binaries;
	case POLC_FILTER_PIDS:
	case POLC_FILTER_NAMESPACES:
	case POLC_FILTER_NAMESPACE_CHANGES:
	case POLC_FILTER_CAPABILITIES:
	case POLC_FILTER_CAPABILITY_CHANGES:
	case POLC_FILTER_WORKLOADS:
	case POLC_N_FILTERS:
		break;
	}
	return &of_sets;
}

/* Filters */

static const char *const namespace_names[] = {
#define X(name, text) text,
	POLB_NAMESPACES(X)
#undef X
};
static const struct polc_trace_words namespace_words = {
	"namespace", namespace_names, POLC_ARRAY_SIZE(namespace_names), NULL, 0};

static const char *const capability_sets[] = {"Effective", "Inheritable", "Permitted"};
static const struct polc_trace_words capability_set_words = {
	"set of capabilities", capability_sets, POLC_ARRAY_SIZE(capability_sets), NULL, 0};

static const char *const error_meanings[] = {"match", "nomatch", "deny"};
static const struct polc_trace_words error_words = {
	"meaning of an unreadable value", error_meanings, POLC_ARRAY_SIZE(error_meanings), NULL, 0};

/* Numbers of processes are printed in one way. */
static void check_pid(struct polc *polc, struct polc_ast_text *value)
{
	char *end;
	unsigned long long pid = strtoull(value->text, &end, 0);

	if (!value->n || *end || end != value->text + value->n || strchr(value->text, '-') ||
		pid > UINT32_MAX) {
		polc_error(polc, value->span, POLC_CODE_TRACE_VALUE,
			"\"%.40s\" is no number of a process", value->text);
		return;
	}
	value->text = polc_arena_printf(&polc->arena, "%llu", pid);
	value->n = strlen(value->text);
}

static void check_values(struct polc *polc, struct polc_ast_filter *filter)
{
	const char *name = polc_trace_filter_names[filter->kind];
	bool bare = polc_trace_operator_is_bare(filter->op.text);

	if (!bare && !filter->values.n)
		polc_error(polc, filter->op.span, POLC_CODE_MISSING_FIELD,
			"operator %s of %s needs values", filter->op.text, name);
	if (bare && filter->values.n) {
		polc_warn(polc, filter->values.items[0].span, POLC_CODE_IGNORED_FIELD,
			"operator %s takes no values", filter->op.text);
		filter->values.n = 0;
	}
	for (size_t i = 0; i < filter->values.n; i++) {
		if (filter->kind == POLC_FILTER_PIDS)
			check_pid(polc, &filter->values.items[i]);
		if (filter->kind == POLC_FILTER_NAMESPACE_CHANGES)
			polc_trace_word(polc, &filter->values.items[i], &namespace_words);
	}
}

/* What a filter speaks about: `args` wins over `index`; there is but one return value. */
static void check_index(struct polc *polc, struct polc_ast_filter *filter)
{
	const char *name = polc_trace_filter_names[filter->kind];
	bool result = filter->kind == POLC_FILTER_RETURN_ARGS;

	if (result && (filter->args.n || filter->index.value))
		polc_warn(polc, filter->span, POLC_CODE_IGNORED_FIELD,
			"%s speaks about the return value: there is nothing to choose", name);
	else if (filter->args.n && filter->index.written)
		polc_warn(polc, filter->index.span, POLC_CODE_IGNORED_FIELD,
			"index of %s is ignored where args is given", name);
	if (result)
		filter->args.n = 0;
	if (result || filter->args.n)
		filter->index = (struct polc_ast_number){0};
	else
		filter->index.written = true;
}

static void check_workloads(struct polc *polc, const struct polc_ast_filter *filter)
{
	const struct polc_ast_workloads *w = &filter->workloads;

	if (!w->pods && !w->containers && !w->host)
		polc_error(polc, filter->span, POLC_CODE_MISSING_FIELD,
			"matchWorkloads selects nothing: it must have one of podSelector, "
			"containerSelector, hostSelector");
}

static void check_filter(struct polc *polc, struct polc_ast_filter *filter)
{
	if (filter->kind == POLC_FILTER_WORKLOADS) {
		check_workloads(polc, filter);
		return;
	}
	if (!polc_trace_word(polc, &filter->op, operators_of(filter->kind)))
		return;
	check_values(polc, filter);
	if (filter->kind <= POLC_FILTER_RETURN_ARGS)
		check_index(polc, filter);
	if (filter->kind == POLC_FILTER_NAMESPACES)
		polc_trace_word(polc, &filter->type, &namespace_words);
	if (filter->kind == POLC_FILTER_CAPABILITIES ||
		filter->kind == POLC_FILTER_CAPABILITY_CHANGES)
		polc_trace_word(polc, &filter->type, &capability_set_words);
	if (filter->on_error.text)
		polc_trace_word(polc, &filter->on_error, &error_words);
}

/* Actions */

static const char *const action_names[] = {
#define X(name, text) text,
	POLB_TRACE_ACTIONS(X)
#undef X
};
static const struct polc_trace_words action_words = {
	"action", action_names, POLC_ARRAY_SIZE(action_names), NULL, 0};
static const char *const removed_actions[] = {"FollowFD", "UnfollowFD", "CopyFD"};
static const struct polc_trace_words removed_words = {
	"action", removed_actions, POLC_ARRAY_SIZE(removed_actions), NULL, 0};
static const char *const scopes[] = {"thread", "process", "global"};
static const struct polc_trace_words scope_words = {
	"scope of a rate limit", scopes, POLC_ARRAY_SIZE(scopes), NULL, 0};

static void refuse_removed(struct polc *polc, const struct polc_ast_text *action)
{
	struct polc_diagnostic *d = polc_error(polc, action->span, POLC_CODE_REMOVED_FEATURE,
		"action %.20s does not exist any more", action->text);

	polc_diagnostic_suggest(polc, d,
		"leave it out: arguments of type fd are resolved to paths where they are used, and "
		"hooks like security_file_permission have the file itself");
}

void polc_trace_check_action(struct polc *polc, struct polc_ast_trace_action *action)
{
	unsigned targets = (action->new_symbol.text != NULL) + action->new_address.written +
			   action->new_offset.written;

	if (find_word(action->action.text, &removed_words)) {
		refuse_removed(polc, &action->action);
		return;
	}
	polc_trace_word(polc, &action->action, &action_words);
	if (action->rate_scope.text)
		polc_trace_word(polc, &action->rate_scope, &scope_words);
	if (targets > 1)
		polc_error(polc, action->span, POLC_CODE_CONFLICTING_FIELDS,
			"only one of argNewSymbol, argNewAddr and argNewOffset can be given");
}

/* Selectors */

/* Few per selector: insertion keeps those of one kind as they were written. */
static void sort_filters(struct polc_ast_filter *filters, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct polc_ast_filter filter = filters[i];
		size_t j = i;

		for (; j > 0 && filters[j - 1].kind > filter.kind; j--)
			filters[j] = filters[j - 1];
		filters[j] = filter;
	}
}

void polc_trace_check_selector(struct polc *polc, struct polc_ast_trace_selector *selector)
{
	for (size_t i = 0; i < selector->filters.n; i++)
		check_filter(polc, &selector->filters.items[i]);
	sort_filters(selector->filters.items, selector->filters.n);
	for (size_t i = 0; i < selector->actions.n; i++)
		polc_trace_check_action(polc, &selector->actions.items[i]);
	for (size_t i = 0; i < selector->return_actions.n; i++)
		polc_trace_check_action(polc, &selector->return_actions.items[i]);
}
