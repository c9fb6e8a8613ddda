/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Filters on the process: pids, binaries, namespaces, capabilities, workloads (reference 1.4). A
 * filter that says two things at once becomes two tests.
 */
#include <string.h>
#include <strings.h>

#include "lower_tracing.h"

static bool read_set_operator(struct polc *polc, const struct polc_ast_filter *filter, bool *negate)
{
	*negate = !strcasecmp(filter->op.text, "NotIn");
	if (*negate || !strcasecmp(filter->op.text, "In"))
		return true;
	polc_error(polc, filter->op.span, POLC_CODE_TRACE_OPERATOR,
		"operator '%s' does not apply here: In or NotIn", filter->op.text);
	return false;
}

static bool need_values(struct polc *polc, const struct polc_ast_filter *filter)
{
	if (filter->values.n)
		return true;
	polc_error(polc, filter->span, POLC_CODE_TRACE_VALUE, "operator '%s' needs a value",
		filter->op.text);
	return false;
}

/* --- pids ----------------------------------------------------------------------------------------
 */

static bool lower_pids(struct polc_trace_scope *scope, const struct polc_ast_filter *filter,
	struct polc_trace_test *test)
{
	struct polc *polc = scope->l->polc;

	test->kind = POLC_TEST_PIDS;
	test->namespace_pid = filter->is_namespace_pid;
	test->follow_forks = filter->follow_forks;
	if (!read_set_operator(polc, filter, &test->negate))
		return false;
	for (size_t i = 0; i < filter->values.n; i++) {
		const struct polc_ast_text *text = &filter->values.items[i];
		uint64_t pid;

		if (polc_parse_integer(text->text, text->n, 4, false, &pid) != POLC_PARSED) {
			polc_error(polc, text->span, POLC_CODE_TRACE_VALUE, "'%s' is no pid",
				text->text);
			return false;
		}
		polc_intervals_add(&polc->arena, &test->pids, (struct polc_interval){pid, pid});
	}
	polc_intervals_normalise(&test->pids);
	if (filter->values.n > 4)
		polc_trace_delta(scope->l, filter->span, "T3");
	return true;
}

/* --- binaries ------------------------------------------------------------------------------------
 */

static bool read_binary_operator(
	struct polc *polc, const struct polc_ast_filter *filter, struct polc_trace_test *test)
{
	static const struct {
		const char *word;
		bool negate;
		enum polc_string_op op;
	} operators[] = {
		{"In", false, POLC_STRING_EQUAL},
		{"NotIn", true, POLC_STRING_EQUAL},
		{"Prefix", false, POLC_STRING_PREFIX},
		{"NotPrefix", true, POLC_STRING_PREFIX},
		{"Postfix", false, POLC_STRING_POSTFIX},
		{"NotPostfix", true, POLC_STRING_POSTFIX},
	};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(operators); i++) {
		if (strcasecmp(operators[i].word, filter->op.text))
			continue;
		test->negate = operators[i].negate;
		test->string_op = operators[i].op;
		return true;
	}
	polc_error(polc, filter->op.span, POLC_CODE_TRACE_OPERATOR,
		"operator '%s' does not apply to binaries: In, NotIn, Prefix, NotPrefix, Postfix "
		"or "
		"NotPostfix",
		filter->op.text);
	return false;
}

static bool add_binary(struct polc_trace_scope *scope, const struct polc_ast_text *text,
	struct polc_trace_test *test)
{
	struct polc *polc = scope->l->polc;
	struct polc_string s = {text->text, text->n};

	while (s.n && !s.bytes[s.n - 1])
		s.n--;
	if (!s.n || memchr(s.bytes, 0, s.n)) {
		polc_error(polc, text->span, POLC_CODE_TRACE_VALUE, "'%s' is no path", text->text);
		return false;
	}
	if (!polc_trace_check_length(polc, text->span, &s, test->string_op))
		return false;
	if (s.bytes[0] != '/' && test->string_op != POLC_STRING_POSTFIX)
		polc_warn(polc, text->span, POLC_CODE_NO_EFFECT,
			"the path of a binary is absolute: '%s' never matches", text->text);
	*polc_vec_push(&polc->arena, &test->strings) = s;
	return true;
}

static bool lower_binaries(struct polc_trace_scope *scope, const struct polc_ast_filter *filter,
	struct polc_trace_test *test)
{
	test->kind = POLC_TEST_BINARY;
	test->parent = filter->kind == POLC_FILTER_PARENT_BINARIES;
	test->follow_children = filter->follow_children;
	scope->maps |= POLC_MAP_BINARIES;
	if (!read_binary_operator(scope->l->polc, filter, test))
		return false;
	for (size_t i = 0; i < filter->values.n; i++)
		if (!add_binary(scope, &filter->values.items[i], test))
			return false;
	polc_strings_normalise(&test->strings);
	return true;
}

/* --- namespaces ----------------------------------------------------------------------------------
 */

static bool read_namespace(
	struct polc *polc, const struct polc_ast_text *text, enum polb_namespace *out)
{
	if (text->text && polc_parse_namespace(text->text, out))
		return true;
	polc_error(polc, text->span, POLC_CODE_TRACE_VALUE,
		"'%s' is no namespace: Uts, Ipc, Mnt, Pid, PidForChildren, Net, Time, "
		"TimeForChildren, Cgroup or User",
		text->text ? text->text : "");
	return false;
}

static bool lower_namespaces(struct polc_trace_scope *scope, const struct polc_ast_filter *filter,
	struct polc_trace_test *test)
{
	struct polc *polc = scope->l->polc;
	uint64_t inum;

	test->kind = POLC_TEST_NAMESPACE;
	if (!read_set_operator(polc, filter, &test->negate) ||
		!read_namespace(polc, &filter->type, &test->ns))
		return false;
	for (size_t i = 0; i < filter->values.n; i++) {
		const struct polc_ast_text *text = &filter->values.items[i];

		if (!strcmp(text->text, "host_ns")) {
			test->host_namespace = true;
			continue;
		}
		if (polc_parse_integer(text->text, text->n, 4, false, &inum) != POLC_PARSED) {
			polc_error(polc, text->span, POLC_CODE_TRACE_VALUE,
				"'%s' is neither 'host_ns' nor the number of a namespace",
				text->text);
			return false;
		}
		polc_intervals_add(
			&polc->arena, &test->intervals, (struct polc_interval){inum, inum});
	}
	polc_intervals_normalise(&test->intervals);
	return true;
}

/* NotIn: some namespace changed that is not listed. */
static bool lower_namespace_changes(struct polc_trace_scope *scope,
	const struct polc_ast_filter *filter, struct polc_trace_test *test)
{
	struct polc *polc = scope->l->polc;
	uint32_t mask = 0;
	bool others;

	test->kind = POLC_TEST_NAMESPACE_CHANGES;
	if (!read_set_operator(polc, filter, &others))
		return false;
	for (size_t i = 0; i < filter->values.n; i++) {
		enum polb_namespace ns;

		if (!read_namespace(polc, &filter->values.items[i], &ns))
			return false;
		mask |= 1u << ns;
	}
	test->ns_mask = others ? ~mask & ((1u << POLB_N_NAMESPACES) - 1) : mask;
	if (test->ns_mask)
		return true;
	polc_error(polc, filter->span, POLC_CODE_TRACE_SELECTOR,
		"every namespace is listed: nothing is left that could change");
	return false;
}

/* --- capabilities --------------------------------------------------------------------------------
 */

static bool read_capability_set(
	struct polc *polc, const struct polc_ast_filter *filter, unsigned *out)
{
	static const struct {
		const char *word;
		unsigned set;
	} sets[] = {
		{"Effective", POLB_CAPS_EFFECTIVE},
		{"Permitted", POLB_CAPS_PERMITTED},
		{"Inheritable", POLB_CAPS_INHERITABLE},
	};
	const char *word = filter->type.text ? filter->type.text : "Effective";

	for (size_t i = 0; i < POLC_ARRAY_SIZE(sets); i++) {
		if (!strcasecmp(sets[i].word, word)) {
			*out = sets[i].set;
			return true;
		}
	}
	polc_error(polc, filter->type.span, POLC_CODE_TRACE_SELECTOR,
		"'%s' is no set of capabilities: Effective, Permitted or Inheritable", word);
	return false;
}

static bool read_capability_mask(
	struct polc *polc, const struct polc_ast_filter *filter, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < filter->values.n; i++) {
		const struct polc_ast_text *text = &filter->values.items[i];
		const char *names[64];
		unsigned capability, n = 0;

		if (polc_parse_capability(text->text, text->n, &capability)) {
			*out |= 1ull << capability;
			continue;
		}
		while (polc_capability_name(n)) {
			names[n] = polc_capability_name(n);
			n++;
		}
		const char *near = polc_nearest(text->text, names, n);
		struct polc_diagnostic *d = polc_error(polc, text->span, POLC_CODE_TRACE_VALUE,
			"'%s' is no capability", text->text);

		if (near)
			polc_diagnostic_suggest(polc, d, "did you mean '%s'?", near);
		return false;
	}
	return true;
}

static bool lower_capabilities(struct polc_trace_scope *scope, const struct polc_ast_filter *filter,
	struct polc_trace_test *test)
{
	struct polc *polc = scope->l->polc;

	test->kind = filter->kind == POLC_FILTER_CAPABILITIES ? POLC_TEST_CAPABILITIES
							      : POLC_TEST_CAPABILITY_CHANGES;
	test->in_other_user_namespace = filter->is_namespace_capability;
	return read_set_operator(polc, filter, &test->negate) &&
	       read_capability_set(polc, filter, &test->caps) &&
	       read_capability_mask(polc, filter, &test->mask);
}

/* NotIn of changes: the listed ones are as they were, and some other is not. */
static void split_changes(struct polc_trace_scope *scope, const struct polc_trace_test *test,
	struct polc_trace_selector *out)
{
	struct polc_trace_test others = *test;

	if (test->kind != POLC_TEST_CAPABILITY_CHANGES || !test->negate)
		return;
	others.negate = false;
	others.mask = ~test->mask;
	*polc_vec_push(&scope->l->polc->arena, &out->tests) = others;
}

/* --- workloads -----------------------------------------------------------------------------------
 */

static void selector_key(struct polc_buf *key, const struct polc_ast_selector *selector)
{
	if (!selector) {
		polc_buf_puts(key, "-|");
		return;
	}
	for (size_t i = 0; i < selector->requirements.n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];

		polc_buf_printf(key, "%d", (int)r->op);
		polc_buf_json(key, r->key);
		for (size_t j = 0; j < r->values.n; j++)
			polc_buf_json(key, r->values.items[j]);
		polc_buf_puts(key, ";");
	}
	polc_buf_puts(key, "|");
}

static const struct polb_requirement *requirements_of(
	struct polc_arena *arena, const struct polc_ast_selector *selector)
{
	size_t n = selector ? selector->requirements.n : 0;
	struct polb_requirement *out = POLC_NEW_ARRAY(arena, n + 1, struct polb_requirement);

	for (size_t i = 0; i < n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];

		out[i] = (struct polb_requirement){.op = r->op,
			.key = r->key,
			.values = r->values.items,
			.n_values = r->values.n};
	}
	return out;
}

static struct polb_workload_selector match_of(
	struct polc_arena *arena, const struct polc_ast_workloads *w, const char *namespace)
{
	return (struct polb_workload_selector){.namespace = namespace,
		.has_pods = w->pods != NULL,
		.has_containers = w->containers != NULL,
		.host = w->host,
		.pods = requirements_of(arena, w->pods),
		.n_pods = w->pods ? w->pods->requirements.n : 0,
		.containers = requirements_of(arena, w->containers),
		.n_containers = w->containers ? w->containers->requirements.n : 0};
}

uint32_t polc_trace_workload(struct polc_trace_lowering *l, const struct polc_ast_workloads *w)
{
	struct polc_arena *arena = &l->polc->arena;
	struct polc_buf key = {.arena = arena};
	const char *namespace = l->ast->namespaced ? l->ast->namespace : NULL;

	selector_key(&key, w->pods);
	selector_key(&key, w->containers);
	polc_buf_printf(&key, "%d|%s", w->host, namespace ? namespace : "");
	for (uint32_t i = 0; i < l->workload_keys.n; i++)
		if (!strcmp(l->workload_keys.items[i], key.p))
			return i;
	*polc_vec_push(arena, &l->workload_keys) = key.p;
	*polc_vec_push(arena, &l->workloads) = (struct polc_trace_workload){
		.selectors = w, .namespace = namespace, .match = match_of(arena, w, namespace)};
	return (uint32_t)l->workloads.n - 1;
}

static bool lower_workloads(struct polc_trace_scope *scope, const struct polc_ast_filter *filter,
	struct polc_trace_test *test)
{
	const struct polc_ast_workloads *w = &filter->workloads;

	test->kind = POLC_TEST_WORKLOAD;
	if (scope->l->ast->namespaced && w->host) {
		polc_error(scope->l->polc, w->span, POLC_CODE_TRACE_SELECTOR,
			"a namespaced policy has no hostSelector");
		return false;
	}
	if (!w->pods && !w->containers && !w->host) {
		polc_error(scope->l->polc, filter->span, POLC_CODE_TRACE_SELECTOR,
			"matchWorkloads needs a podSelector, a containerSelector or a "
			"hostSelector");
		return false;
	}
	test->workload = polc_trace_workload(scope->l, w);
	return true;
}

/* --- all -----------------------------------------------------------------------------------------
 */

static bool lower_filter(struct polc_trace_scope *scope, const struct polc_ast_filter *filter,
	struct polc_trace_test *test)
{
	switch (filter->kind) {
	case POLC_FILTER_PIDS:
		return lower_pids(scope, filter, test);
	case POLC_FILTER_BINARIES:
	case POLC_FILTER_PARENT_BINARIES:
		return lower_binaries(scope, filter, test);
	case POLC_FILTER_NAMESPACES:
		return lower_namespaces(scope, filter, test);
	case POLC_FILTER_NAMESPACE_CHANGES:
		return lower_namespace_changes(scope, filter, test);
	case POLC_FILTER_CAPABILITIES:
	case POLC_FILTER_CAPABILITY_CHANGES:
		return lower_capabilities(scope, filter, test);
	case POLC_FILTER_WORKLOADS:
		return lower_workloads(scope, filter, test);
	case POLC_FILTER_ARGS:
	case POLC_FILTER_DATA:
	case POLC_FILTER_RETURN_ARGS:
	case POLC_N_FILTERS:
		break;
	}
	POLC_BUG("filter kind %d is none on the process", filter->kind);
}

void polc_trace_lower_process_test(struct polc_trace_scope *scope,
	const struct polc_ast_filter *filter, struct polc_trace_selector *out)
{
	struct polc_trace_test test = {.span = filter->span};

	if (filter->kind != POLC_FILTER_WORKLOADS && !need_values(scope->l->polc, filter))
		return;
	if (!lower_filter(scope, filter, &test) ||
		!polc_trace_read_on_error(scope->l->polc, filter, &test.on_error))
		return;
	*polc_vec_push(&scope->l->polc->arena, &out->tests) = test;
	split_changes(scope, &test, out);
}
