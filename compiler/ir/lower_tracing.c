/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the syntax tree of tracing policies to their IR: policies in order, their options, hooks,
 * selectors with macros (reference 1.1, 1.4). Symbols, values, tests and actions have files of
 * their own.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lower_tracing.h"

size_t polc_trace_type_targets(const struct polc_trace_lowering *l)
{
	return l->options->n_targets ? l->options->n_targets : !!l->options->fallback;
}

const struct polc_target *polc_trace_type_target(const struct polc_trace_lowering *l, size_t i)
{
	return l->options->n_targets ? l->options->targets[i] : l->options->fallback;
}

/* --- options -------------------------------------------------------------------------------------
 */

typedef bool (*read_option)(struct polc_trace_lowering *l, const char *value);

static bool read_flag(const char *value, bool *out)
{
	static const char *const yes[] = {"1", "t", "true"}, *const no[] = {"0", "f", "false"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(yes); i++) {
		*out = !strcasecmp(value, yes[i]);
		if (*out || !strcasecmp(value, no[i]))
			return true;
	}
	return false;
}

static bool read_disable_kprobe_multi(struct polc_trace_lowering *l, const char *value)
{
	bool disable = false;
	bool ok = read_flag(value, &disable);

	l->one_program &= !disable;
	return ok;
}

static bool read_disable_uprobe_multi(struct polc_trace_lowering *l, const char *value)
{
	bool ignored;

	(void)l;
	return read_flag(value, &ignored);
}

static bool read_override_method(struct polc_trace_lowering *l, const char *value)
{
	if (!strcmp(value, "fmod-ret"))
		l->policy.override_method = POLC_OVERRIDE_FMOD_RET;
	else if (!strcmp(value, "override-return"))
		l->policy.override_method = POLC_OVERRIDE_RETURN;
	else
		return false;
	return true;
}

static bool read_policy_mode(struct polc_trace_lowering *l, const char *value)
{
	if (!strcmp(value, "enforce"))
		l->policy.mode = POLB_MODE_ENFORCE;
	else if (!strcmp(value, "monitor"))
		l->policy.mode = POLB_MODE_MONITOR;
	else
		return false;
	return true;
}

/* Size of a buffer of Tetragon's; ours are fixed. */
static bool read_preload_size(struct polc_trace_lowering *l, const char *value)
{
	uint64_t size;

	(void)l;
	return polc_parse_integer(value, strlen(value), 4, false, &size) == POLC_PARSED && size;
}

static const struct {
	const char *name;
	read_option read;
	const char *values;
} options[] = {
	{"disable-kprobe-multi", read_disable_kprobe_multi, "true or false"},
	{"disable-uprobe-multi", read_disable_uprobe_multi, "true or false"},
	{"override-method", read_override_method, "fmod-ret or override-return"},
	{"policy-mode", read_policy_mode, "enforce or monitor"},
	{"sleepable-preload-size", read_preload_size, "a number above 0"},
};

static void lower_option(struct polc_trace_lowering *l, const struct polc_ast_option *option)
{
	const char *names[POLC_ARRAY_SIZE(options)];
	const char *value = option->value.text ? option->value.text : "";

	for (size_t i = 0; i < POLC_ARRAY_SIZE(options); i++) {
		names[i] = options[i].name;
		if (strcmp(option->name.text, options[i].name))
			continue;
		if (!options[i].read(l, value))
			polc_error(l->polc, option->value.span, POLC_CODE_TRACE_OPTION,
				"'%s' is no value of option '%s': %s", value, options[i].name,
				options[i].values);
		return;
	}
	const char *near = polc_nearest(option->name.text, names, POLC_ARRAY_SIZE(options));
	struct polc_diagnostic *d = polc_warn(l->polc, option->name.span, POLC_CODE_TRACE_OPTION,
		"unknown option '%s' has no effect", option->name.text);

	if (near)
		polc_diagnostic_suggest(l->polc, d, "did you mean '%s'?", near);
}

/* A number behind a word: "burst 500"; moves on. */
static bool read_rate_part(const char **p, const char *word, uint32_t *out)
{
	size_t n = strlen(word);
	char *end;

	if (strncmp(*p, word, n))
		return true;
	unsigned long value = strtoul(*p + n, &end, 10);

	if (end == *p + n || !value || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	*p = end;
	return true;
}

/* "100/s", "100/s burst 500", "100/s burst 500 sample 10" */
static void lower_event_rate(struct polc_trace_lowering *l)
{
	const struct polc_ast_text *text = &l->ast->event_rate;
	struct polc_trace_policy *policy = &l->policy;
	const char *p = text->text;

	if (!p)
		return;
	bool ok = read_rate_part(&p, "", &policy->events_per_second) && !strncmp(p, "/s", 2);

	if (ok) {
		p += 2;
		policy->burst = policy->events_per_second;
		ok = read_rate_part(&p, " burst ", &policy->burst) &&
		     read_rate_part(&p, " sample ", &policy->sample) && !*p;
	}
	if (!ok)
		polc_error(l->polc, text->span, POLC_CODE_TRACE_VALUE,
			"'%s' is no rate of events, such as '100/s burst 500 sample 10'",
			text->text);
}

/* --- macros --------------------------------------------------------------------------------------
 */

static const char *const filter_names[POLC_N_FILTERS] = {
#define X(name, field) field,
	POLC_TRACE_FILTERS(X)
#undef X
};

static const struct polc_ast_macro *find_macro(
	struct polc_trace_lowering *l, const struct polc_ast_text *name)
{
	const char **names = POLC_NEW_ARRAY(&l->polc->arena, l->ast->macros.n + 1, const char *);

	for (size_t i = 0; i < l->ast->macros.n; i++) {
		names[i] = l->ast->macros.items[i].name.text;
		if (!strcmp(names[i], name->text))
			return &l->ast->macros.items[i];
	}
	const char *near = polc_nearest(name->text, names, l->ast->macros.n);
	struct polc_diagnostic *d = polc_error(l->polc, name->span, POLC_CODE_TRACE_MACRO,
		"no macro '%s' in this policy", name->text);

	if (near)
		polc_diagnostic_suggest(l->polc, d, "did you mean '%s'?", near);
	return NULL;
}

/* Fields of a selector as bits: filters, then the two lists of actions. */
static unsigned fields_of(const struct polc_ast_trace_selector *selector)
{
	unsigned fields = 0;

	for (size_t i = 0; i < selector->filters.n; i++)
		fields |= 1u << selector->filters.items[i].kind;
	if (selector->actions.n)
		fields |= 1u << POLC_N_FILTERS;
	if (selector->return_actions.n)
		fields |= 2u << POLC_N_FILTERS;
	return fields;
}

static const char *field_name(unsigned bit)
{
	if (bit < POLC_N_FILTERS)
		return filter_names[bit];
	return bit == POLC_N_FILTERS ? "matchActions" : "matchReturnActions";
}

static void append_macro(struct polc_trace_lowering *l, struct polc_ast_trace_selector *selector,
	const struct polc_ast_macro *macro)
{
	struct polc_arena *arena = &l->polc->arena;
	const struct polc_ast_trace_selector *from = &macro->selector;

	for (size_t i = 0; i < from->filters.n; i++)
		*polc_vec_push(arena, &selector->filters) = from->filters.items[i];
	for (size_t i = 0; i < from->actions.n; i++)
		*polc_vec_push(arena, &selector->actions) = from->actions.items[i];
	for (size_t i = 0; i < from->return_actions.n; i++)
		*polc_vec_push(arena, &selector->return_actions) = from->return_actions.items[i];
	if (!selector->label.text || !*selector->label.text)
		selector->label = from->label;
}

static void expand_macro(struct polc_trace_lowering *l, struct polc_ast_trace_selector *selector,
	const struct polc_ast_text *name)
{
	const struct polc_ast_macro *macro = find_macro(l, name);

	if (!macro || macro->selector.macros.n) /* nested: reported with the macro */
		return;
	unsigned both = fields_of(selector) & fields_of(&macro->selector);

	if (both) {
		struct polc_diagnostic *d = polc_error(l->polc, name->span, POLC_CODE_TRACE_MACRO,
			"%s is already there, macro '%s' has it too",
			field_name((unsigned)__builtin_ctz(both)), name->text);

		polc_diagnostic_relate(l->polc, d, macro->selector.span, "the macro");
		return;
	}
	append_macro(l, selector, macro);
}

/* The selector with its macros' fields; the tree itself stays as it is. */
static struct polc_ast_trace_selector expand(
	struct polc_trace_lowering *l, const struct polc_ast_trace_selector *written)
{
	struct polc_ast_trace_selector selector = *written;
	struct polc_arena *arena = &l->polc->arena;

	if (!written->macros.n)
		return selector;
	memset(&selector.filters, 0, sizeof(selector.filters));
	memset(&selector.actions, 0, sizeof(selector.actions));
	memset(&selector.return_actions, 0, sizeof(selector.return_actions));
	for (size_t i = 0; i < written->filters.n; i++)
		*polc_vec_push(arena, &selector.filters) = written->filters.items[i];
	for (size_t i = 0; i < written->actions.n; i++)
		*polc_vec_push(arena, &selector.actions) = written->actions.items[i];
	for (size_t i = 0; i < written->return_actions.n; i++)
		*polc_vec_push(arena, &selector.return_actions) = written->return_actions.items[i];
	for (size_t i = 0; i < written->macros.n; i++)
		expand_macro(l, &selector, &written->macros.items[i]);
	return selector;
}

static void check_macros(struct polc_trace_lowering *l)
{
	for (size_t i = 0; i < l->ast->macros.n; i++) {
		const struct polc_ast_macro *macro = &l->ast->macros.items[i];

		if (macro->selector.macros.n)
			polc_error(l->polc, macro->selector.macros.items[0].span,
				POLC_CODE_TRACE_MACRO, "macro '%s' uses a macro", macro->name.text);
	}
}

/* --- selectors -----------------------------------------------------------------------------------
 */

/* In the order in which a selector's filters are evaluated: the process, then values. */
static const enum polc_trace_filter_kind phases[] = {
	POLC_FILTER_WORKLOADS,
	POLC_FILTER_BINARIES,
	POLC_FILTER_PARENT_BINARIES,
	POLC_FILTER_PIDS,
	POLC_FILTER_NAMESPACES,
	POLC_FILTER_CAPABILITIES,
	POLC_FILTER_NAMESPACE_CHANGES,
	POLC_FILTER_CAPABILITY_CHANGES,
	POLC_FILTER_ARGS,
	POLC_FILTER_DATA,
	POLC_FILTER_RETURN_ARGS,
};

static bool only_first_counts(enum polc_trace_filter_kind kind)
{
	return kind == POLC_FILTER_PIDS || kind == POLC_FILTER_CAPABILITIES ||
	       kind == POLC_FILTER_CAPABILITY_CHANGES;
}

static void lower_value_filter(struct polc_trace_scope *scope, const struct polc_ast_filter *filter,
	struct polc_trace_selector *out)
{
	struct polc_arena *arena = &scope->l->polc->arena;
	struct polc_trace_test test;

	if (!polc_trace_lower_value_test(scope, filter, &test))
		return;
	if (filter->kind == POLC_FILTER_RETURN_ARGS)
		*polc_vec_push(arena, &out->return_tests) = test;
	else
		*polc_vec_push(arena, &out->tests) = test;
}

static void lower_phase(struct polc_trace_scope *scope, enum polc_trace_filter_kind kind,
	const struct polc_ast_trace_selector *selector, struct polc_trace_selector *out)
{
	bool on_value = kind == POLC_FILTER_ARGS || kind == POLC_FILTER_DATA ||
			kind == POLC_FILTER_RETURN_ARGS;
	unsigned n = 0;

	if (kind == POLC_FILTER_RETURN_ARGS && !scope->spec.has_return)
		return; /* reported */
	for (size_t i = 0; i < selector->filters.n; i++) {
		const struct polc_ast_filter *filter = &selector->filters.items[i];

		if (filter->kind != kind)
			continue;
		if (n++ && only_first_counts(kind))
			polc_trace_delta(scope->l, filter->span, "T2");
		if (on_value)
			lower_value_filter(scope, filter, out);
		else
			polc_trace_lower_process_test(scope, filter, out);
	}
}

/* The return side: fields that would be passed over in silence are errors. */
static void check_return_fields(
	struct polc_trace_scope *scope, const struct polc_ast_trace_selector *selector)
{
	unsigned fields = fields_of(selector);
	const char *field = fields & 1u << POLC_FILTER_RETURN_ARGS ? "matchReturnArgs"
			    : selector->return_actions.n           ? "matchReturnActions"
								   : NULL;

	if (!field)
		return;
	if (scope->spec.has_return) {
		polc_trace_delta(scope->l, selector->span, "T4");
		return;
	}
	struct polc_diagnostic *d = polc_error(scope->l->polc, selector->span,
		POLC_CODE_TRACE_SELECTOR, "%s without the return of the call", field);

	if (scope->hook->section == POLC_SECTION_LSM)
		polc_diagnostic_suggest(scope->l->polc, d, "an LSM hook is seen at its entry only");
	else
		polc_diagnostic_suggest(scope->l->polc, d, "add 'return: true' and returnArg");
}

static void lower_selector(
	struct polc_trace_scope *scope, const struct polc_ast_trace_selector *written)
{
	struct polc_ast_trace_selector selector = expand(scope->l, written);
	struct polc_trace_selector out = {
		.number = scope->l->n_selectors++,
		.span = written->span,
		.label = selector.label.text,
	};

	check_return_fields(scope, &selector);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(phases); i++)
		lower_phase(scope, phases[i], &selector, &out);
	polc_trace_lower_actions(scope, &selector, &out);
	*polc_vec_push(&scope->l->polc->arena, &scope->spec.selectors) = out;
}

/* --- hooks ---------------------------------------------------------------------------------------
 */

enum { MESSAGE_MAX = 256, TAG_MAX = 128, TAGS_MAX = 16 };

/* A text of 2 to `max` characters; a longer one is cut. */
static const char *lower_text(struct polc_trace_lowering *l, const struct polc_ast_text *text,
	const char *field, size_t max)
{
	if (!text->text || !text->n)
		return NULL;
	if (text->n < 2)
		polc_error(l->polc, text->span, POLC_CODE_TRACE_VALUE,
			"a %s has at least 2 characters", field);
	if (text->n <= max)
		return text->text;
	polc_warn(l->polc, text->span, POLC_CODE_IGNORED_FIELD, "a %s is cut after %zu characters",
		field, max);
	return polc_arena_strndup(&l->polc->arena, text->text, max);
}

static void lower_texts(struct polc_trace_scope *scope)
{
	const struct polc_ast_hook *hook = scope->hook;

	scope->spec.message = lower_text(scope->l, &hook->message, "message", MESSAGE_MAX);
	if (hook->tags.n > TAGS_MAX)
		polc_error(scope->l->polc, hook->tags.items[TAGS_MAX].span, POLC_CODE_TOO_MANY,
			"a hook has at most %d tags", TAGS_MAX);
	for (size_t i = 0; i < hook->tags.n; i++) {
		const char *tag = lower_text(scope->l, &hook->tags.items[i], "tag", TAG_MAX);

		if (tag)
			*polc_vec_push(&scope->l->polc->arena, &scope->spec.tags) = tag;
	}
}

static void lower_return_arg_action(struct polc_trace_scope *scope)
{
	const struct polc_ast_text *text = &scope->hook->return_arg_action;
	struct polc_trace_spec *spec = &scope->spec;

	spec->return_arg_action = POLB_ACTION_POST;
	if (!text->text || !*text->text)
		return;
	if (!strcasecmp(text->text, "TrackSock"))
		spec->return_arg_action = POLB_ACTION_TRACK_SOCK;
	else if (!strcasecmp(text->text, "UntrackSock"))
		spec->return_arg_action = POLB_ACTION_UNTRACK_SOCK;
	else
		polc_error(scope->l->polc, text->span, POLC_CODE_TRACE_ACTION,
			"returnArgAction is TrackSock or UntrackSock, not '%s'", text->text);
	const struct polc_trace_value *value =
		spec->has_return_value ? &spec->values.items[spec->values.n - 1] : NULL;

	if (!value || (value->type != POLB_TYPE_SOCK && !value->failed))
		polc_error(scope->l->polc, text->span, POLC_CODE_TRACE_ACTION,
			"returnArgAction needs a returnArg of type 'sock'");
}

static void record_hook_deltas(struct polc_trace_scope *scope)
{
	struct polc_trace_lowering *l = scope->l;

	if (scope->spec.has_return)
		polc_trace_delta(l, scope->hook->span, "T29");
	if (scope->hook->section != POLC_SECTION_KPROBE)
		return;
	if (l->one_program && scope->maps & l->earlier_maps)
		polc_trace_delta(l, scope->hook->span, "T1");
	l->earlier_maps |= scope->maps;
}

/* Nothing of it is on any target: types that the kernel should tell cannot be told. */
static bool is_missing(const struct polc_trace_scope *scope)
{
	bool asks = false;

	for (size_t i = 0; i < scope->spec.symbols.n; i++)
		if (!scope->spec.symbols.items[i].missing)
			return false;
	for (size_t i = 0; i < scope->hook->args.n; i++) {
		const struct polc_ast_trace_arg *arg = &scope->hook->args.items[i];

		asks |= (arg->resolve.text && *arg->resolve.text) || !arg->type.text ||
			!strcmp(arg->type.text, "auto");
	}
	return asks && scope->spec.symbols.n;
}

static void lower_hook(struct polc_trace_lowering *l, const struct polc_ast_hook *hook)
{
	struct polc_trace_scope scope = {.l = l, .hook = hook};

	l->first_delta = l->deltas.n;
	scope.spec.number = (uint32_t)l->specs.n;
	scope.spec.policy = l->policy.number;
	scope.spec.span = hook->span;
	scope.spec.section = hook->section;
	scope.spec.ignore_not_found = hook->ignore_call_not_found;
	polc_trace_lower_symbols(&scope);
	if (!scope.spec.symbols.n && !scope.spec.offsets.n)
		return; /* nothing to say about its arguments */
	if (is_missing(&scope)) {
		*polc_vec_push(&l->polc->arena, &l->specs) = scope.spec;
		return;
	}
	polc_trace_lower_values(&scope);
	lower_return_arg_action(&scope);
	for (size_t i = 0; i < hook->selectors.n; i++)
		lower_selector(&scope, &hook->selectors.items[i]);
	lower_texts(&scope);
	record_hook_deltas(&scope);
	*polc_vec_push(&l->polc->arena, &l->specs) = scope.spec;
}

/* --- policies ------------------------------------------------------------------------------------
 */

static void lower_policy_workloads(struct polc_trace_lowering *l)
{
	const struct polc_ast_workloads *w = &l->ast->workloads;

	if (l->ast->namespaced && w->host)
		polc_error(l->polc, w->span, POLC_CODE_TRACE_SELECTOR,
			"a namespaced policy has no hostSelector");
	if (!w->pods && !w->containers && !w->host && !l->ast->namespaced)
		return;
	l->policy.has_workload = true;
	l->policy.workload = polc_trace_workload(l, w);
}

static void begin_policy(struct polc_trace_lowering *l, const struct polc_ast_tracing *ast)
{
	l->ast = ast;
	l->enforces = false;
	l->one_program = true;
	l->earlier_maps = 0;
	l->first_delta = l->deltas.n;
	l->policy = (struct polc_trace_policy){
		.number = (uint32_t)l->policies.n,
		.name = ast->name,
		.namespace = ast->namespace,
		.namespaced = ast->namespaced,
		.span = ast->span,
		.mode = POLB_MODE_ENFORCE,
		.loader = ast->loader,
		.first_spec = (uint32_t)l->specs.n,
	};
}

static void lower_policy(struct polc_trace_lowering *l, const struct polc_ast_tracing *ast)
{
	begin_policy(l, ast);
	l->uses_loader |= ast->loader;
	if (ast->node_selector)
		polc_warn(l->polc, ast->node_selector->span, POLC_CODE_NODE_SELECTOR,
			"nodeSelector is not evaluated: apply the bundle to those nodes");
	for (size_t i = 0; i < ast->options.n; i++)
		lower_option(l, &ast->options.items[i]);
	lower_event_rate(l);
	lower_policy_workloads(l);
	polc_trace_check_lists(l);
	check_macros(l);
	polc_trace_lower_enforcers(l);
	for (size_t i = 0; i < ast->hooks.n; i++)
		lower_hook(l, &ast->hooks.items[i]);
	if (!l->enforces)
		l->policy.mode = POLB_MODE_MONITOR_ONLY;
	l->policy.n_specs = (uint32_t)l->specs.n - l->policy.first_spec;
	*polc_vec_push(&l->polc->arena, &l->policies) = l->policy;
}

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_policies(const void *a, const void *b)
{
	const struct polc_ast_tracing *x = *(const struct polc_ast_tracing *const *)a;
	const struct polc_ast_tracing *y = *(const struct polc_ast_tracing *const *)b;
	int order = compare_text(x->namespace, y->namespace);

	if (!order)
		order = compare_text(x->name, y->name);
	if (!order)
		order = (x->span.source > y->span.source) - (x->span.source < y->span.source);
	return order ? order : (x->span.begin > y->span.begin) - (x->span.begin < y->span.begin);
}

/* A tree with errors may lack what the schema requires: what it means is not asked. */
static bool source_has_errors(const struct polc *polc, uint32_t source)
{
	for (size_t i = 0; i < polc->diagnostics.n; i++)
		if (polc->diagnostics.items[i]->severity == POLC_ERROR &&
			polc->diagnostics.items[i]->span.source == source)
			return true;
	return false;
}

static void lower_all(struct polc_trace_lowering *l)
{
	const polc_ast_tracings *all = &l->input->tracings;
	struct polc_ast_tracing **sorted =
		POLC_NEW_ARRAY(&l->polc->arena, all->n + 1, struct polc_ast_tracing *);
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (!source_has_errors(l->polc, all->items[i]->span.source))
			sorted[n++] = all->items[i];
	if (n)
		qsort(sorted, n, sizeof(struct polc_ast_tracing *), compare_policies);
	for (size_t i = 0; i < n; i++)
		lower_policy(l, sorted[i]);
}

const struct polc_tracing *polc_lower_tracing(struct polc *polc, const struct polc_input *input,
	const struct polc_tracing_options *tracing_options)
{
	struct polc_trace_lowering l = {.polc = polc, .input = input, .options = tracing_options};
	struct polc_tracing *tracing = POLC_NEW(&polc->arena, struct polc_tracing);
	unsigned errors_before = polc->n_errors;

	lower_all(&l);
	*tracing = (struct polc_tracing){
		.policies = l.policies.items,
		.n_policies = l.policies.n,
		.specs = l.specs.items,
		.n_specs = l.specs.n,
		.workloads = l.workloads.items,
		.n_workloads = l.workloads.n,
		.n_selectors = l.n_selectors,
		.deltas = l.deltas.items,
		.n_deltas = l.deltas.n,
		.uses_loader = l.uses_loader,
	};
	if (polc->n_errors == errors_before)
		polc_tracing_verify(tracing);
	return tracing;
}
