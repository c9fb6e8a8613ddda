/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* TracingPolicy and TracingPolicyNamespaced: the object and what belongs to the whole policy. */
#include "tracing_read.h"
#include "objects.h"

#include <string.h>

#define NAMESPACE_MAX_BYTES 63

static const struct polc_trace_field policy_fields[] = {
#define X(number, text) {.name = (text), .kind = POLC_TRACE_NODE},
	POLC_TRACE_SECTIONS(X)
#undef X
		{.name = "loader",
			.kind = POLC_TRACE_BOOL,
			.offset = offsetof(struct polc_ast_tracing, loader)},
	{.name = "lists", .kind = POLC_TRACE_NODE},
	{.name = "enforcers", .kind = POLC_TRACE_NODE},
	{.name = "options", .kind = POLC_TRACE_NODE},
	{.name = "podSelector", .kind = POLC_TRACE_NODE},
	{.name = "containerSelector", .kind = POLC_TRACE_NODE},
	{.name = "hostSelector", .kind = POLC_TRACE_NODE},
	{.name = "nodeSelector", .kind = POLC_TRACE_NODE},
	{.name = "selectorsMacros", .kind = POLC_TRACE_NODE},
};
static const struct polc_trace_table policy_table = {
	"spec", policy_fields, POLC_ARRAY_SIZE(policy_fields)};

/* Metadata */

static void read_name(
	struct polc *polc, const struct polc_yaml *metadata, struct polc_ast_tracing *policy)
{
	const struct polc_yaml *node = polc_trace_child(metadata, "name");

	if (!node) {
		polc_error(
			polc, metadata->span, POLC_CODE_MISSING_FIELD, "metadata.name is missing");
		return;
	}
	policy->name_span = node->span;
	if (!polc_yaml_string(polc, node, "metadata.name", &policy->name))
		return;
	if (!polc_is_dns_subdomain(policy->name, strlen(policy->name)))
		polc_error(polc, node->span, POLC_CODE_BAD_NAME,
			"\"%s\" is not a valid name: lower-case letters, digits, '-' and '.', at "
			"most 253",
			policy->name);
}

static void read_namespace(
	struct polc *polc, const struct polc_yaml *metadata, struct polc_ast_tracing *policy)
{
	const struct polc_yaml *node = polc_trace_child(metadata, "namespace");
	const char *name;

	if (!node || !polc_yaml_string(polc, node, "metadata.namespace", &name) || !*name)
		return;
	if (!policy->namespaced) {
		polc_warn(polc, node->span, POLC_CODE_IGNORED_FIELD,
			"metadata.namespace is ignored: a TracingPolicy belongs to no namespace");
		return;
	}
	if (strlen(name) > NAMESPACE_MAX_BYTES || strchr(name, '.') ||
		!polc_is_dns_subdomain(name, strlen(name)))
		polc_error(polc, node->span, POLC_CODE_BAD_NAME,
			"\"%s\" is not a valid namespace: lower-case letters, digits and '-', at "
			"most 63",
			name);
	policy->namespace = name;
}

static void read_event_rate(
	struct polc *polc, const struct polc_yaml *metadata, struct polc_ast_tracing *policy)
{
	const struct polc_yaml *annotations = polc_trace_child(metadata, "annotations");
	const struct polc_yaml *node = polc_trace_child(annotations, POLC_EVENT_RATE);
	struct polc_ast_text rate;

	if (!node || !polc_yaml_string(polc, node, "annotation " POLC_EVENT_RATE, &rate.text))
		return;
	rate.n = node->length;
	rate.span = node->span;
	if (polc_trace_check_event_rate(polc, &rate))
		policy->event_rate = rate;
}

static void read_metadata(
	struct polc *polc, const struct polc_yaml *object, struct polc_ast_tracing *policy)
{
	const struct polc_yaml *metadata = polc_trace_child(object, "metadata");

	policy->name = "";
	policy->name_span = polc_first_token(object);
	policy->namespace = policy->namespaced ? "default" : NULL;
	if (!metadata) {
		polc_error(polc, policy->name_span, POLC_CODE_MISSING_FIELD,
			"metadata.name is missing");
		return;
	}
	if (!polc_yaml_expect(polc, metadata, POLC_YAML_MAPPING, "metadata"))
		return;
	read_name(polc, metadata, policy);
	read_namespace(polc, metadata, policy);
	read_event_rate(polc, metadata, policy);
}

/* Lists, enforcers, options, macros */

static void read_lists(
	struct polc *polc, const struct polc_yaml *spec, struct polc_ast_tracing *policy)
{
	const struct polc_yaml *node = polc_trace_list(polc, spec, "lists", "spec");

	for (size_t i = 0; node && i < node->n_items; i++) {
		struct polc_ast_list list = {.span = polc_first_token(node->items[i])};

		if (polc_trace_fields_read(polc, node->items[i],
			    polc_path_item(polc, "spec.lists", i), &polc_trace_list_table, &list))
			*polc_vec_push(&polc->arena, &policy->lists) = list;
	}
}

static void read_options(
	struct polc *polc, const struct polc_yaml *spec, struct polc_ast_tracing *policy)
{
	const struct polc_yaml *node = polc_trace_list(polc, spec, "options", "spec");

	for (size_t i = 0; node && i < node->n_items; i++) {
		struct polc_ast_option option = {0};

		if (polc_trace_fields_read(polc, node->items[i],
			    polc_path_item(polc, "spec.options", i), &polc_trace_option_table,
			    &option))
			*polc_vec_push(&polc->arena, &policy->options) = option;
	}
}

static void read_enforcers(
	struct polc *polc, const struct polc_yaml *spec, struct polc_ast_tracing *policy)
{
	static const struct polc_trace_field fields[] = {
		{.name = "calls", .kind = POLC_TRACE_TEXTS, .need = POLC_REQUIRED}};
	static const struct polc_trace_table table = {"an enforcer", fields, 1};
	const struct polc_yaml *node = polc_trace_list(polc, spec, "enforcers", "spec");

	for (size_t i = 0; node && i < node->n_items; i++) {
		const char *path = polc_path_item(polc, "spec.enforcers", i);
		polc_ast_texts calls = {0};

		if (!polc_trace_fields_read(polc, node->items[i], path, &table, &calls))
			continue;
		if (!calls.n && polc_trace_child(node->items[i], "calls"))
			polc_error(polc, polc_first_token(node->items[i]), POLC_CODE_MISSING_FIELD,
				"%s.calls names no call", path);
		*polc_vec_push(&polc->arena, &policy->enforcers) = calls;
	}
}

static void read_macros(
	struct polc *polc, const struct polc_yaml *spec, struct polc_ast_tracing *policy)
{
	const struct polc_yaml *node = polc_trace_child(spec, "selectorsMacros");

	if (!node || !polc_yaml_expect(polc, node, POLC_YAML_MAPPING, "spec.selectorsMacros"))
		return;
	for (size_t i = 0; i < node->n_entries; i++) {
		const struct polc_yaml *key = node->entries[i].key;
		struct polc_ast_macro macro = {.name = {key->value, key->length, key->span}};
		const char *path = polc_path_field(polc, "spec.selectorsMacros", key->value);

		if (polc_trace_read_selector(polc, node->entries[i].value, path, &macro.selector))
			*polc_vec_push(&polc->arena, &policy->macros) = macro;
	}
}

/* Selectors of workloads and nodes */

static void read_host(struct polc *polc, const struct polc_yaml *node, const char *path, bool *out)
{
	const struct polc_yaml *host = polc_trace_child(node, "hostSelector");

	if (!host)
		return;
	path = polc_path_field(polc, path, "hostSelector");
	if (!polc_yaml_expect(polc, host, POLC_YAML_MAPPING, path))
		return;
	*out = host->n_entries == 0;
	if (!*out)
		polc_error(polc, polc_first_token(host), POLC_CODE_BAD_SELECTOR,
			"%s can only be {}, which selects the host", path);
}

void polc_trace_read_workloads(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_workloads *out)
{
	const struct polc_yaml *pods = polc_trace_child(node, "podSelector");
	const struct polc_yaml *containers = polc_trace_child(node, "containerSelector");

	out->span = polc_first_token(node);
	if (pods)
		out->pods = polc_parse_selector(polc, pods, POLC_LABELS_OF_CILIUM,
			polc_path_field(polc, path, "podSelector"));
	if (containers)
		out->containers = polc_parse_selector(polc, containers, POLC_LABELS_OF_CONTAINERS,
			polc_path_field(polc, path, "containerSelector"));
	read_host(polc, node, path, &out->host);
}

/* The object */

static bool check_api_version(struct polc *polc, const struct polc_yaml *object)
{
	const struct polc_yaml *node = polc_trace_child(object, "apiVersion");
	struct polc_diagnostic *d;
	const char *api;

	if (!node) {
		d = polc_error(polc, polc_first_token(object), POLC_CODE_MISSING_FIELD,
			"apiVersion is missing");
		polc_diagnostic_suggest(polc, d, "apiVersion: %s", POLC_TRACING_API);
		return false;
	}
	if (!polc_yaml_string(polc, node, "apiVersion", &api))
		return false;
	if (!strcmp(api, POLC_TRACING_API))
		return true;
	polc_error(polc, node->span, POLC_CODE_UNKNOWN_KIND,
		"a tracing policy of apiVersion %s is not known, expected %s", api,
		POLC_TRACING_API);
	return false;
}

static void read_spec(
	struct polc *polc, const struct polc_yaml *spec, struct polc_ast_tracing *policy)
{
	const struct polc_yaml *nodes = polc_trace_child(spec, "nodeSelector");

	if (!polc_trace_fields_read(polc, spec, "spec", &policy_table, policy))
		return;
	polc_trace_read_workloads(polc, spec, "spec", &policy->workloads);
	if (nodes)
		policy->node_selector = polc_parse_selector(
			polc, nodes, POLC_LABELS_OF_KUBERNETES, "spec.nodeSelector");
	read_lists(polc, spec, policy);
	read_enforcers(polc, spec, policy);
	read_options(polc, spec, policy);
	read_macros(polc, spec, policy);
	for (int i = 0; i < POLC_N_SECTIONS; i++)
		polc_trace_read_hooks(polc, policy, spec, (enum polc_trace_section)i);
}

void polc_parse_tracing(
	struct polc *polc, polc_ast_tracings *tracings, const struct polc_yaml *object)
{
	static const char *const fields[] = {"apiVersion", "kind", "metadata", "status", "spec"};
	struct polc_ast_tracing *policy = POLC_NEW(&polc->arena, struct polc_ast_tracing);
	const struct polc_yaml *kind = polc_yaml_get(object, "kind");
	const struct polc_yaml *spec = polc_trace_child(object, "spec");

	polc_yaml_check_fields(
		polc, object, fields, POLC_ARRAY_SIZE(fields), kind->value, POLC_WARNING);
	if (!check_api_version(polc, object))
		return;
	policy->namespaced = !strcmp(kind->value, "TracingPolicyNamespaced");
	policy->span = polc_first_token(object);
	read_metadata(polc, object, policy);
	if (spec) {
		unsigned errors = polc->n_errors;

		read_spec(polc, spec, policy);
		if (polc->n_errors == errors)
			polc_trace_check(polc, policy);
	} else {
		polc_error(polc, policy->span, POLC_CODE_MISSING_FIELD, "spec is missing");
	}
	*polc_vec_push(&polc->arena, tracings) = policy;
}
