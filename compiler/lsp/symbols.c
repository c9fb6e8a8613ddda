/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The outline of a document: policies and their rules, tracing policies and their hooks. */
#include <string.h>

#include "lsp.h"

/* The protocol's numbers of kinds of symbols. */
enum { SYMBOL_CLASS = 5, SYMBOL_METHOD = 6, SYMBOL_EVENT = 24 };

/* `whole` contains `name`, as clients insist. */
static json_t *symbol(struct lsp *lsp, const char *name, const char *detail, int kind,
	struct polc_span whole, struct polc_span at)
{
	if (at.begin < whole.begin || at.end > whole.end || at.source != whole.source)
		at = (struct polc_span){whole.source, whole.begin, whole.begin};
	return json_pack("{s:o,s:o,s:i,s:o,s:o}", "name", lsp_string(*name ? name : "?"), "detail",
		lsp_string(detail), "kind", kind, "range", lsp_span_range(lsp, whole),
		"selectionRange", lsp_span_range(lsp, at));
}

/* Where what begins at `begin` ends: before the next begin, without the blanks between. */
static uint32_t end_before(const struct lsp_file *file, uint32_t begin, uint32_t next)
{
	while (next > begin && strchr(" \t\r\n-", file->text[next - 1]))
		next--;
	return next;
}

static uint32_t next_policy(const struct lsp *lsp, const struct lsp_file *file, uint32_t begin)
{
	const struct polc_input *input = &lsp->analysis->input;
	uint32_t next = (uint32_t)file->n;

	for (size_t i = 0; i < input->ast.policies.n; i++) {
		struct polc_span span = input->ast.policies.items[i]->span;

		if (span.source == file->source && span.begin > begin && span.begin < next)
			next = span.begin;
	}
	for (size_t i = 0; i < input->tracings.n; i++) {
		struct polc_span span = input->tracings.items[i]->span;

		if (span.source == file->source && span.begin > begin && span.begin < next)
			next = span.begin;
	}
	return end_before(file, begin, next);
}

static const char *rule_name(struct lsp *lsp, const struct polc_ast_rule *rule)
{
	static const char *const actions[] = {"allow", "deny", "pass"};

	return polc_arena_printf(&lsp->scratch, "%s %s%s%s",
		rule->direction == POLC_INGRESS ? "ingress" : "egress", actions[rule->action],
		rule->name ? " " : "", rule->name ? rule->name : "");
}

static const char *rule_detail(struct lsp *lsp, const struct polc_ast_rule *rule)
{
	return polc_arena_printf(&lsp->scratch, "%zu peer%s, %zu port%s", rule->peers.n,
		rule->peers.n == 1 ? "" : "s", rule->ports.n, rule->ports.n == 1 ? "" : "s");
}

/* Rules are in order of directions, not of places: the next place ends one. */
static uint32_t rule_end(const struct lsp_file *file, const struct polc_ast_policy *policy,
	uint32_t begin, uint32_t end)
{
	for (size_t i = 0; i < policy->specs.n; i++)
		for (size_t j = 0; j < policy->specs.items[i].rules.n; j++) {
			uint32_t next = policy->specs.items[i].rules.items[j].span.begin;

			if (next > begin && next < end)
				end = next;
		}
	return end_before(file, begin, end);
}

static json_t *rules_of(struct lsp *lsp, const struct lsp_file *file,
	const struct polc_ast_policy *policy, uint32_t end)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->specs.n; i++) {
		const struct polc_ast_spec *spec = &policy->specs.items[i];

		for (size_t j = 0; j < spec->rules.n; j++) {
			const struct polc_ast_rule *rule = &spec->rules.items[j];
			struct polc_span whole = {rule->span.source, rule->span.begin,
				rule_end(file, policy, rule->span.begin, end)};

			json_array_append_new(
				list, symbol(lsp, rule_name(lsp, rule), rule_detail(lsp, rule),
					      SYMBOL_METHOD, whole, rule->span));
		}
	}
	return list;
}

static void add_policies(struct lsp *lsp, const struct lsp_file *file, json_t *out)
{
	const struct polc_ast *ast = &lsp->analysis->input.ast;

	for (size_t i = 0; i < ast->policies.n; i++) {
		const struct polc_ast_policy *policy = ast->policies.items[i];
		struct polc_span whole = policy->span;
		json_t *of;

		if (whole.source != file->source)
			continue;
		whole.end = next_policy(lsp, file, whole.begin);
		of = symbol(lsp, policy->name, polc_policy_kind_name(policy->kind), SYMBOL_CLASS,
			whole, policy->name_span);
		json_object_set_new(of, "children", rules_of(lsp, file, policy, whole.end));
		json_array_append_new(out, of);
	}
}

static const char *hook_name(const struct polc_ast_hook *hook)
{
	const struct polc_ast_text *names[] = {&hook->call, &hook->event, &hook->name, &hook->path};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++)
		if (names[i]->text)
			return names[i]->text;
	return "?";
}

static json_t *hooks_of(struct lsp *lsp, const struct lsp_file *file,
	const struct polc_ast_tracing *policy, uint32_t end)
{
	static const char *const sections[] = {
#define X(name, section) section,
		POLC_TRACE_SECTIONS(X)
#undef X
	};
	json_t *list = json_array();

	for (size_t i = 0; i < policy->hooks.n; i++) {
		const struct polc_ast_hook *hook = &policy->hooks.items[i];
		uint32_t next = end;

		for (size_t j = 0; j < policy->hooks.n; j++)
			if (policy->hooks.items[j].span.begin > hook->span.begin &&
				policy->hooks.items[j].span.begin < next)
				next = policy->hooks.items[j].span.begin;
		struct polc_span whole = {hook->span.source, hook->span.begin,
			end_before(file, hook->span.begin, next)};

		json_array_append_new(list, symbol(lsp, hook_name(hook), sections[hook->section],
						    SYMBOL_EVENT, whole, hook->span));
	}
	return list;
}

static void add_tracings(struct lsp *lsp, const struct lsp_file *file, json_t *out)
{
	const struct polc_input *input = &lsp->analysis->input;

	for (size_t i = 0; i < input->tracings.n; i++) {
		const struct polc_ast_tracing *policy = input->tracings.items[i];
		struct polc_span whole = policy->span;
		json_t *of;

		if (whole.source != file->source)
			continue;
		whole.end = next_policy(lsp, file, whole.begin);
		of = symbol(lsp, policy->name ? policy->name : "?",
			policy->namespaced ? "TracingPolicyNamespaced" : "TracingPolicy",
			SYMBOL_CLASS, whole, policy->name_span);
		json_object_set_new(of, "children", hooks_of(lsp, file, policy, whole.end));
		json_array_append_new(out, of);
	}
}

json_t *lsp_symbols(struct lsp *lsp, const json_t *params)
{
	struct lsp_file *file = lsp_document_read(lsp, params);
	json_t *out;

	if (!file)
		return NULL;
	out = json_array();
	if (file->source) {
		add_policies(lsp, file, out);
		add_tracings(lsp, file, out);
	}
	return out;
}
