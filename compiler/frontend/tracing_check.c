/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What must hold of a tracing policy whichever way it is spelt: the rules of the CRD that are not
 * types of fields. Whether hooks, types and values make sense on a kernel is ir/lower_tracing's.
 */
#include "tracing_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Texts that go with events */

/* At most max bytes, and no part of a character. */
static void cut(struct polc *polc, struct polc_ast_text *text, size_t max, const char *what)
{
	size_t n = max;

	while (n && ((unsigned char)text->text[n] & 0xc0) == 0x80)
		n--;
	polc_warn(polc, text->span, POLC_CODE_IGNORED_FIELD,
		"%s is %zu bytes long: what is behind the first %zu is left out", what, text->n,
		max);
	text->text = polc_arena_strndup(&polc->arena, text->text, n);
	text->n = n;
}

static void check_length(
	struct polc *polc, struct polc_ast_text *text, size_t max, const char *what)
{
	if (text->n < 2)
		polc_error(polc, text->span, POLC_CODE_TRACE_VALUE, "%s has 2 to %zu characters",
			what, max);
	else if (text->n > max)
		cut(polc, text, max, what);
}

static void check_texts(struct polc *polc, struct polc_ast_hook *hook)
{
	if (hook->message.text)
		check_length(polc, &hook->message, 256, "a message");
	for (size_t i = 0; i < hook->tags.n; i++)
		check_length(polc, &hook->tags.items[i], 128, "a tag");
}

/* Arguments */

static const char *const types[] = {
#define X(name, text, class, width, is_signed) text,
	POLB_TRACE_TYPES(X)
#undef X
};
static const struct polc_trace_words type_words = {
	"type of arguments", types, POLC_ARRAY_SIZE(types), NULL, 0};
static const char *const sources[] = {"current_task", "pt_regs"};
static const struct polc_trace_words source_words = {"source of data", sources, 2, NULL, 0};

static void check_data(struct polc *polc, struct polc_ast_trace_arg *data)
{
	if (!data->source.text || !data->resolve.text)
		polc_error(polc, data->span, POLC_CODE_MISSING_FIELD, "an entry of data needs %s",
			data->source.text ? "resolve" : "a source");
	if (data->source.text)
		polc_trace_word(polc, &data->source, &source_words);
}

static void check_args(struct polc *polc, struct polc_ast_hook *hook)
{
	for (size_t i = 0; i < hook->args.n; i++) {
		struct polc_ast_trace_arg *arg = &hook->args.items[i];

		polc_trace_word(polc, &arg->type, &type_words);
		if (arg->source.text)
			polc_error(polc, arg->source.span, POLC_CODE_TRACE_ARGUMENT,
				"only entries of data have a source");
	}
	for (size_t i = 0; i < hook->data.n; i++) {
		polc_trace_word(polc, &hook->data.items[i].type, &type_words);
		check_data(polc, &hook->data.items[i]);
	}
}

/* Return values */

static void ignored(struct polc *polc, struct polc_span span, const char *what)
{
	polc_warn(polc, span, POLC_CODE_IGNORED_FIELD,
		"%s is ignored: the hook does not ask for the return value (return: true)", what);
}

static void check_return_action(struct polc *polc, struct polc_ast_hook *hook)
{
	static const char *const words[] = {"TrackSock", "UntrackSock", "Post"};
	static const struct polc_trace_words actions = {
		"action on return values", words, 3, NULL, 0};
	struct polc_ast_text *action = &hook->return_arg_action;

	if (!action->text || !polc_trace_word(polc, action, &actions))
		return;
	if (!hook->has_return)
		ignored(polc, action->span, "returnArgAction");
	if (!hook->has_return || polc_text_is(action, "Post")) /* what happens anyway */
		*action = (struct polc_ast_text){0};
}

static void check_return(struct polc *polc, struct polc_ast_hook *hook)
{
	struct polc_ast_trace_arg *arg;

	check_return_action(polc, hook);
	if (hook->has_return && !hook->return_arg)
		polc_error(polc, hook->span, POLC_CODE_MISSING_FIELD,
			"return: true needs a returnArg");
	if (!hook->has_return && hook->return_arg) {
		ignored(polc, hook->return_arg->span, "returnArg");
		hook->return_arg = NULL;
	}
	if (!hook->return_arg)
		return;
	arg = POLC_NEW(&polc->arena, struct polc_ast_trace_arg);
	*arg = *hook->return_arg;
	polc_trace_word(polc, &arg->type, &type_words);
	if (arg->source.text)
		polc_error(polc, arg->source.span, POLC_CODE_TRACE_ARGUMENT,
			"only entries of data have a source");
	hook->return_arg = arg;
}

/* Hooks */

/* Places in a file are printed in one way. */
static void check_places(struct polc *polc, polc_ast_texts *texts, const char *what)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct polc_ast_text *text = &texts->items[i];
		unsigned long long value;
		char *end;

		errno = 0;
		value = strtoull(text->text, &end, 0);
		if (errno || !text->n || *end || !isdigit((unsigned char)*text->text)) {
			polc_error(polc, text->span, POLC_CODE_TRACE_VALUE,
				"\"%.40s\" is no %s: it must be decimal or begin with 0x",
				text->text, what);
			continue;
		}
		text->text = polc_arena_printf(&polc->arena, "0x%llx", value);
		text->n = strlen(text->text);
	}
}

static void check_uprobe(struct polc *polc, struct polc_ast_hook *hook)
{
	size_t n = hook->symbols.n + hook->offsets.n + hook->addresses.n;
	unsigned kinds = (hook->symbols.n > 0) + (hook->offsets.n > 0) + (hook->addresses.n > 0);

	check_places(polc, &hook->offsets, "offset");
	check_places(polc, &hook->addresses, "address");
	check_places(polc, &hook->ref_ctr_offsets, "offset");
	if (kinds != 1)
		polc_error(polc, hook->span,
			kinds ? POLC_CODE_CONFLICTING_FIELDS : POLC_CODE_MISSING_FIELD,
			"a uprobe has exactly one of symbols, offsets and addrs");
	else if (hook->ref_ctr_offsets.n && hook->ref_ctr_offsets.n != n)
		polc_error(polc, hook->ref_ctr_offsets.items[0].span, POLC_CODE_CONFLICTING_FIELDS,
			"there are %zu refCtrOffsets for %zu places", hook->ref_ctr_offsets.n, n);
}

static void check_one_name(
	struct polc *polc, const struct polc_ast_text *name, const char *what, char mark)
{
	if (name->text && strchr(name->text, mark))
		polc_error(
			polc, name->span, POLC_CODE_BAD_NAME, "%s does not hold '%c'", what, mark);
}

static void check_hook(struct polc *polc, struct polc_ast_hook *hook)
{
	check_texts(polc, hook);
	check_args(polc, hook);
	check_return(polc, hook);
	if (hook->section == POLC_SECTION_UPROBE)
		check_uprobe(polc, hook);
	check_one_name(polc, &hook->subsystem, "the subsystem of a tracepoint", '/');
	check_one_name(polc, &hook->event, "the event of a tracepoint", '/');
	check_one_name(polc, &hook->provider, "the provider of a USDT probe", ':');
	for (size_t i = 0; i < hook->selectors.n; i++)
		polc_trace_check_selector(polc, &hook->selectors.items[i]);
}

/* Lists */

static const char *const list_types[] = {"", "syscalls", "generated_syscalls", "generated_ftrace"};
static const struct polc_trace_words list_type_words = {
	"type of lists", list_types, POLC_ARRAY_SIZE(list_types), NULL, 0};

static void check_list(struct polc *polc, struct polc_ast_list *list)
{
	bool generated, ftrace;

	if (!polc_trace_word(polc, &list->type, &list_type_words))
		return;
	generated = !strncmp(list->type.text, "generated", 9);
	ftrace = polc_text_is(&list->type, "generated_ftrace");
	if (generated && list->values.n)
		polc_error(polc, list->values.items[0].span, POLC_CODE_TRACE_LIST,
			"a list of type %s has no values of its own", list->type.text);
	if (!generated && !list->values.n)
		polc_error(polc, list->span, POLC_CODE_TRACE_LIST, "list %.80s is empty",
			list->name.text);
	if (ftrace && !list->pattern.text)
		polc_error(polc, list->span, POLC_CODE_TRACE_LIST,
			"a list of type generated_ftrace needs a pattern");
	if (!ftrace && list->pattern.text) {
		polc_warn(polc, list->pattern.span, POLC_CODE_IGNORED_FIELD,
			"only lists of type generated_ftrace have a pattern");
		list->pattern = (struct polc_ast_text){0};
	}
}

static void report_twice(struct polc *polc, enum polc_code code, const char *what,
	const struct polc_ast_text *first, const struct polc_ast_text *second)
{
	struct polc_diagnostic *d = polc_error(
		polc, second->span, code, "%s %.80s is defined twice", what, second->text);

	polc_diagnostic_relate(polc, d, first->span, "it is first defined here");
}

static void check_lists(struct polc *polc, struct polc_ast_tracing *policy)
{
	for (size_t i = 0; i < policy->lists.n; i++) {
		struct polc_ast_list *list = &policy->lists.items[i];

		check_list(polc, list);
		for (size_t j = 0; j < i; j++)
			if (polc_text_is(&list->name, policy->lists.items[j].name.text))
				report_twice(polc, POLC_CODE_TRACE_LIST, "list",
					&policy->lists.items[j].name, &list->name);
	}
}

static void check_macros(struct polc *polc, struct polc_ast_tracing *policy)
{
	for (size_t i = 0; i < policy->macros.n; i++) {
		struct polc_ast_macro *macro = &policy->macros.items[i];

		if (!macro->name.n)
			polc_error(polc, macro->name.span, POLC_CODE_TRACE_MACRO,
				"a macro has a name");
		polc_trace_check_selector(polc, &macro->selector);
		for (size_t j = 0; j < i; j++)
			if (polc_text_is(&macro->name, policy->macros.items[j].name.text))
				report_twice(polc, POLC_CODE_TRACE_MACRO, "macro",
					&policy->macros.items[j].name, &macro->name);
	}
}

/* Rates */

static const char *skip_number(const char *s)
{
	const char *begin = s;

	while (isdigit((unsigned char)*s))
		s++;
	return s > begin && s - begin <= 9 && *begin != '0' ? s : NULL;
}

static const char *skip_keyword(const char *s, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(s, word, n) && s[n] == ' ' ? s + n + 1 : NULL;
}

/* N/s, then maybe " burst N", then maybe " sample N"; single blanks. */
static bool is_event_rate(const char *s)
{
	static const char *const words[] = {" burst", " sample"};

	s = skip_number(s);
	if (!s || s[0] != '/' || !s[1] || !strchr("smh", s[1]))
		return false;
	s += 2;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(words); i++) {
		const char *number = skip_keyword(s, words[i]);

		if (number)
			s = skip_number(number);
		if (!s)
			return false;
	}
	return !*s;
}

bool polc_trace_check_event_rate(struct polc *polc, struct polc_ast_text *rate)
{
	struct polc_buf clean = {.arena = &polc->arena};
	struct polc_diagnostic *d;

	polc_buf_puts(&clean, "");
	for (const char *s = rate->text; *(s += strspn(s, " \t"));) {
		size_t n = strcspn(s, " \t");

		polc_buf_puts(&clean, clean.n ? " " : "");
		polc_buf_add(&clean, s, n);
		s += n;
	}
	if (is_event_rate(clean.p)) {
		rate->text = clean.p;
		rate->n = clean.n;
		return true;
	}
	d = polc_error(polc, rate->span, POLC_CODE_TRACE_VALUE, "\"%.80s\" is no rate of events",
		rate->text);
	polc_diagnostic_suggest(polc, d, "100/s, 100/s burst 500, 100/s burst 500 sample 10");
	return false;
}

/* The policy */

static void check_content(struct polc *polc, const struct polc_ast_tracing *policy)
{
	if (policy->hooks.n || policy->loader || policy->enforcers.n)
		return;
	polc_error(polc, policy->name_span, POLC_CODE_EMPTY_SPEC,
		"the policy has no hook: it must have one of kprobes, fentries, tracepoints, "
		"lsmhooks, uprobes, usdts, loader, enforcers");
}

static int compare_sections(const struct polc_ast_hook *a, const struct polc_ast_hook *b)
{
	return (a->section > b->section) - (a->section < b->section);
}

static void sort_hooks(struct polc_ast_hook *hooks, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct polc_ast_hook hook = hooks[i];
		size_t j = i;

		for (; j > 0 && compare_sections(&hooks[j - 1], &hook) > 0; j--)
			hooks[j] = hooks[j - 1];
		hooks[j] = hook;
	}
}

void polc_trace_check(struct polc *polc, struct polc_ast_tracing *policy)
{
	check_content(polc, policy);
	check_lists(polc, policy);
	check_macros(polc, policy);
	for (size_t i = 0; i < policy->hooks.n; i++)
		check_hook(polc, &policy->hooks.items[i]);
	sort_hooks(policy->hooks.items, policy->hooks.n);
	if (policy->namespaced && policy->workloads.host)
		polc_error(polc, policy->workloads.span, POLC_CODE_CONFLICTING_FIELDS,
			"a policy of a namespace cannot select the host (hostSelector)");
}
