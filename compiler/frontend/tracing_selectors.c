/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Selectors of tracing policies, from YAML: filters and actions. */
#include "tracing_read.h"

static bool read_filter(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_filter *filter)
{
	filter->span = polc_first_token(node);
	if (!polc_trace_fields_read(
		    polc, node, path, &polc_trace_filter_tables[filter->kind], filter))
		return false;
	if (filter->kind == POLC_FILTER_WORKLOADS)
		polc_trace_read_workloads(polc, node, path, &filter->workloads);
	return true;
}

static void read_entry(struct polc *polc, const struct polc_yaml *node, const char *path,
	enum polc_trace_filter_kind kind, struct polc_ast_trace_selector *out)
{
	struct polc_ast_filter filter = {.kind = kind};

	if (read_filter(polc, node, path, &filter))
		*polc_vec_push(&polc->arena, &out->filters) = filter;
}

/* matchWorkloads may also be one entry without a list around it. */
static void read_filters(struct polc *polc, const struct polc_yaml *selector, const char *path,
	enum polc_trace_filter_kind kind, struct polc_ast_trace_selector *out)
{
	const char *name = polc_trace_filter_names[kind];
	const struct polc_yaml *node = polc_trace_child(selector, name);
	const char *below = polc_path_field(polc, path, name);

	if (node && kind == POLC_FILTER_WORKLOADS && node->kind == POLC_YAML_MAPPING) {
		read_entry(polc, node, below, kind, out);
		return;
	}
	node = polc_trace_list(polc, selector, name, path);
	for (size_t i = 0; node && i < node->n_items; i++)
		read_entry(polc, node->items[i], polc_path_item(polc, below, i), kind, out);
}

bool polc_trace_read_selector(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_trace_selector *out)
{
	out->span = polc_first_token(node);
	if (!polc_trace_fields_read(polc, node, path, &polc_trace_selector_table, out))
		return false;
	for (int kind = 0; kind < POLC_N_FILTERS; kind++)
		read_filters(polc, node, path, (enum polc_trace_filter_kind)kind, out);
	polc_trace_read_actions(polc, node, "matchActions", path, &out->actions);
	polc_trace_read_actions(polc, node, "matchReturnActions", path, &out->return_actions);
	return true;
}

static void warn_removed_fields(struct polc *polc, const struct polc_yaml *node)
{
	static const char *const names[] = {"argFd", "argName"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++)
		if (polc_trace_child(node, names[i]))
			polc_warn(polc, polc_trace_child(node, names[i])->span,
				POLC_CODE_IGNORED_FIELD,
				"%s is ignored: it belongs to actions that do not exist any more",
				names[i]);
}

void polc_trace_read_actions(struct polc *polc, const struct polc_yaml *selector, const char *name,
	const char *path, polc_ast_trace_actions *out)
{
	const struct polc_yaml *node = polc_trace_list(polc, selector, name, path);

	path = polc_path_field(polc, path, name);
	for (size_t i = 0; node && i < node->n_items; i++) {
		struct polc_ast_trace_action action = {.span = polc_first_token(node->items[i])};

		if (!polc_trace_fields_read(polc, node->items[i], polc_path_item(polc, path, i),
			    &polc_trace_action_table, &action))
			continue;
		warn_removed_fields(polc, node->items[i]);
		*polc_vec_push(&polc->arena, out) = action;
	}
}
