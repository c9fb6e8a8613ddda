/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A set of policies as one text that does not depend on how and where they were written. */
#include <stdlib.h>
#include <string.h>

#include "reader.h"

static bool is_supported(const struct polc_ast_policy *policy)
{
	for (size_t i = 0; i < policy->specs.n; i++) {
		const struct polc_ast_spec *spec = &policy->specs.items[i];

		if (spec->unsupported)
			return false;
		for (size_t j = 0; j < spec->rules.n; j++)
			if (spec->rules.items[j].unsupported)
				return false;
	}
	return true;
}

static int compare_names(
	const char *namespace_a, const char *name_a, const char *namespace_b, const char *name_b)
{
	int order = strcmp(namespace_a ? namespace_a : "", namespace_b ? namespace_b : "");

	return order ? order : strcmp(name_a, name_b);
}

static int compare_policies(const void *left, const void *right)
{
	const struct polc_ast_policy *a = *(struct polc_ast_policy *const *)left;
	const struct polc_ast_policy *b = *(struct polc_ast_policy *const *)right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return compare_names(a->namespace, a->name, b->namespace, b->name);
}

static int compare_tracings(const void *left, const void *right)
{
	const struct polc_ast_tracing *a = *(struct polc_ast_tracing *const *)left;
	const struct polc_ast_tracing *b = *(struct polc_ast_tracing *const *)right;

	return compare_names(a->namespace, a->name, b->namespace, b->name);
}

bool polc_policy_text(struct polc *polc, const struct polc_input *input, struct polc_buf *out)
{
	struct polc_ast sorted = {0};
	polc_ast_tracings tracings = {0};

	for (size_t i = 0; i < input->ast.policies.n; i++) {
		if (!is_supported(input->ast.policies.items[i]))
			return false;
		*polc_vec_push(&polc->arena, &sorted.policies) = input->ast.policies.items[i];
	}
	for (size_t i = 0; i < input->tracings.n; i++)
		*polc_vec_push(&polc->arena, &tracings) = input->tracings.items[i];
	if (sorted.policies.n)
		qsort(sorted.policies.items, sorted.policies.n, sizeof(*sorted.policies.items),
			compare_policies);
	if (tracings.n)
		qsort(tracings.items, tracings.n, sizeof(*tracings.items), compare_tracings);
	polc_ast_print_yaml(&sorted, out);
	for (size_t i = 0; i < tracings.n; i++) {
		polc_buf_puts(out, out->n ? "---\n" : "");
		polc_tracing_print_yaml(tracings.items[i], out);
	}
	return true;
}
