/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The sections of a tracing policy: hooks with their arguments, from YAML. */
#include "tracing_read.h"

static bool read_arg(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_trace_arg *out)
{
	*out = (struct polc_ast_trace_arg){.span = polc_first_token(node)};
	return polc_trace_fields_read(polc, node, path, &polc_trace_arg_table, out);
}

/* Where an index of 0 says nothing, it counts as unwritten. */
static void forget_zero(struct polc_ast_number *index)
{
	index->written = index->value != 0;
}

static void read_args(
	struct polc *polc, const struct polc_yaml *hook, const char *path, polc_ast_trace_args *out)
{
	const struct polc_yaml *node = polc_trace_list(polc, hook, "args", path);

	path = polc_path_field(polc, path, "args");
	for (size_t i = 0; node && i < node->n_items; i++) {
		const char *item = polc_path_item(polc, path, i);
		struct polc_ast_trace_arg arg;

		if (!read_arg(polc, node->items[i], item, &arg))
			continue;
		if (!arg.index.written && !polc_trace_child(node->items[i], "index"))
			polc_error(polc, arg.span, POLC_CODE_MISSING_FIELD, "%s.index is missing",
				item);
		*polc_vec_push(&polc->arena, out) = arg;
	}
}

static void read_data(
	struct polc *polc, const struct polc_yaml *hook, const char *path, polc_ast_trace_args *out)
{
	const struct polc_yaml *node = polc_trace_list(polc, hook, "data", path);

	path = polc_path_field(polc, path, "data");
	for (size_t i = 0; node && i < node->n_items; i++) {
		struct polc_ast_trace_arg arg;

		if (!read_arg(polc, node->items[i], polc_path_item(polc, path, i), &arg))
			continue;
		forget_zero(&arg.index);
		*polc_vec_push(&polc->arena, out) = arg;
	}
}

static void read_return_arg(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_hook *hook)
{
	const struct polc_yaml *child = polc_trace_child(node, "returnArg");
	struct polc_ast_trace_arg *arg = POLC_NEW(&polc->arena, struct polc_ast_trace_arg);

	if (!child || !read_arg(polc, child, polc_path_field(polc, path, "returnArg"), arg))
		return;
	forget_zero(&arg->index);
	hook->return_arg = arg;
}

/* True where it is unwritten. */
static void read_syscall(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_hook *hook)
{
	const struct polc_yaml *child = polc_trace_child(node, "syscall");

	hook->syscall = true;
	hook->syscall_written = child;
	if (child)
		polc_yaml_bool(polc, child, polc_path_field(polc, path, "syscall"), &hook->syscall);
}

static bool has_syscall(enum polc_trace_section section)
{
	return section == POLC_SECTION_KPROBE || section == POLC_SECTION_FENTRY;
}

static void read_ignore(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_hook *hook)
{
	static const struct polc_trace_field call = {.name = "callNotFound",
		.kind = POLC_TRACE_BOOL,
		.offset = offsetof(struct polc_ast_hook, ignore_call_not_found)};
	static const struct polc_trace_field digest = {.name = "digestVerificationFailure",
		.kind = POLC_TRACE_BOOL,
		.offset = offsetof(struct polc_ast_hook, ignore_digest_failure)};
	struct polc_trace_table table = {"ignore", has_syscall(hook->section) ? &call : &digest, 1};
	const struct polc_yaml *child = polc_trace_child(node, "ignore");

	if (child)
		polc_trace_fields_read(
			polc, child, polc_path_field(polc, path, "ignore"), &table, hook);
}

static void read_selectors(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_hook *hook)
{
	const struct polc_yaml *list = polc_trace_list(polc, node, "selectors", path);

	path = polc_path_field(polc, path, "selectors");
	for (size_t i = 0; list && i < list->n_items; i++) {
		struct polc_ast_trace_selector selector = {0};

		if (polc_trace_read_selector(
			    polc, list->items[i], polc_path_item(polc, path, i), &selector))
			*polc_vec_push(&polc->arena, &hook->selectors) = selector;
	}
}

static bool read_hook(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_hook *hook)
{
	const struct polc_trace_table *table = &polc_trace_hook_tables[hook->section];

	hook->span = polc_first_token(node);
	if (!polc_trace_fields_read(polc, node, path, table, hook))
		return false;
	if (has_syscall(hook->section))
		read_syscall(polc, node, path, hook);
	read_args(polc, node, path, &hook->args);
	if (polc_trace_field_find(table, "data"))
		read_data(polc, node, path, &hook->data);
	if (polc_trace_field_find(table, "returnArg"))
		read_return_arg(polc, node, path, hook);
	if (polc_trace_field_find(table, "ignore"))
		read_ignore(polc, node, path, hook);
	read_selectors(polc, node, path, hook);
	return true;
}

void polc_trace_read_hooks(struct polc *polc, struct polc_ast_tracing *policy,
	const struct polc_yaml *spec, enum polc_trace_section section)
{
	const char *name = polc_trace_section_names[section];
	const struct polc_yaml *list = polc_trace_list(polc, spec, name, "spec");
	const char *path = polc_path_field(polc, "spec", name);

	for (size_t i = 0; list && i < list->n_items; i++) {
		struct polc_ast_hook hook = {.section = section};

		if (read_hook(polc, list->items[i], polc_path_item(polc, path, i), &hook))
			*polc_vec_push(&polc->arena, &policy->hooks) = hook;
	}
}
