/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: the object and its specs
 * (reference 1.1, 1.2, 1.4). Rules are cilium_rule.c's. Records what was written; what it means is
 * ir/'s business.
 */
#include <string.h>

#include "cilium.h"

#define LOG_VALUE_MAX 32

struct spec_fields {
	const struct polc_yaml_entry *endpoint_selector, *node_selector;
	const struct polc_yaml_entry *lists[4]; /* as in rule_lists */
	const struct polc_yaml_entry *labels, *default_deny, *log, *description;
};

static const struct polc_field spec_table[] = {
	POLC_FIELD(struct spec_fields, endpoint_selector, "endpointSelector", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, node_selector, "nodeSelector", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, lists[0], "ingress", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, lists[1], "ingressDeny", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, lists[2], "egress", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, lists[3], "egressDeny", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, labels, "labels", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, default_deny, "enableDefaultDeny", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, log, "log", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, description, "description", POLC_OPTIONAL),
};

static const struct {
	enum polc_direction direction;
	bool deny;
} rule_lists[4] = {
	{POLC_INGRESS, false},
	{POLC_INGRESS, true},
	{POLC_EGRESS, false},
	{POLC_EGRESS, true},
};

static const char *const direction_names[2] = {"ingress", "egress"};

struct spec_reader {
	struct polc *polc;
	struct polc_ast_spec *spec;
	enum polc_policy_kind kind;
	const struct polc_yaml *node;
	const char *path;
	struct spec_fields fields;
};

/* ---- the subject ---- */

static void parse_node_selector(struct spec_reader *r)
{
	const struct polc_yaml_entry *e = r->fields.node_selector;

	r->spec->subject.selector = polc_cilium_selector(
		r->polc, e->value, polc_path_field(r->polc, r->path, "nodeSelector"));
	if (r->kind == POLC_KIND_CILIUM) {
		struct polc_diagnostic *d = polc_error(r->polc, e->key->span,
			POLC_CODE_NODE_SELECTOR,
			"%s.nodeSelector is not possible in a CiliumNetworkPolicy", r->path);
		polc_diagnostic_suggest(r->polc, d,
			"host policies are CiliumClusterwideNetworkPolicies; use endpointSelector "
			"to select pods");
		return;
	}
	r->spec->unsupported =
		"host policies (nodeSelector) need host endpoints, which this version "
		"does not have";
	r->spec->unsupported_span = e->key->span;
}

static void parse_subject(struct spec_reader *r)
{
	const struct polc_yaml_entry *pods = r->fields.endpoint_selector;
	const struct polc_yaml_entry *nodes = r->fields.node_selector;

	r->spec->subject.kind = POLC_PEER_ENDPOINTS;
	r->spec->subject.span = r->spec->span;
	if (pods && nodes) {
		struct polc_diagnostic *d =
			polc_error(r->polc, nodes->key->span, POLC_CODE_CONFLICTING_FIELDS,
				"%s has both endpointSelector and nodeSelector", r->path);
		polc_diagnostic_relate(r->polc, d, pods->key->span, "the other selector");
	}
	if (!pods && !nodes)
		polc_error(r->polc, r->spec->span, POLC_CODE_MISSING_FIELD,
			"%s.endpointSelector is missing; '{}' selects every pod", r->path);
	if (pods || nodes)
		r->spec->subject.span = (pods ? pods : nodes)->value->span;
	if (nodes)
		parse_node_selector(r);
	if (pods)
		r->spec->subject.selector = polc_cilium_selector(r->polc, pods->value,
			polc_path_field(r->polc, r->path, "endpointSelector"));
}

/* ---- rules ---- */

static void parse_list(struct spec_reader *r, size_t which)
{
	const struct polc_yaml_entry *e = r->fields.lists[which];
	enum polc_direction direction = rule_lists[which].direction;
	const char *path = polc_path_field(r->polc, r->path, e->key->value);

	r->spec->section[direction] = true;
	if (!polc_yaml_expect(r->polc, e->value, POLC_YAML_SEQUENCE, path)) {
		r->spec->has_rules[direction] = true; /* one report is enough */
		return;
	}
	for (size_t i = 0; i < e->value->n_items; i++)
		polc_cilium_parse_rule(r->polc, r->spec, e->value->items[i],
			polc_path_item(r->polc, path, i), direction, rule_lists[which].deny);
	r->spec->has_rules[direction] |= e->value->n_items > 0;
}

/* Present but empty lists: an error when nothing else is there, else without any effect (1.4). */
static void check_empty_lists(struct spec_reader *r)
{
	const bool *has_rules = r->spec->has_rules;

	if (!has_rules[POLC_INGRESS] && !has_rules[POLC_EGRESS]) {
		struct polc_diagnostic *d = polc_error(r->polc, r->spec->span, POLC_CODE_EMPTY_SPEC,
			"%s has no rule: at least one of ingress, ingressDeny, egress, egressDeny "
			"must not be empty",
			r->path);
		polc_diagnostic_suggest(r->polc, d,
			"write 'ingress: [{}]' or 'egress: [{}]' to allow nothing in that "
			"direction");
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		const struct polc_yaml_entry *e = r->fields.lists[i];
		const char *direction = direction_names[rule_lists[i].direction];

		if (!e || has_rules[rule_lists[i].direction])
			continue;
		struct polc_diagnostic *d = polc_warn(r->polc, e->key->span, POLC_CODE_NO_EFFECT,
			"%s.%s is empty and has no effect: it does not isolate %s", r->path,
			e->key->value, direction);
		polc_diagnostic_suggest(
			r->polc, d, "write '%s: [{}]' to allow no %s", direction, direction);
	}
}

static void parse_lists(struct spec_reader *r)
{
	for (size_t i = 0; i < 4; i++)
		if (r->fields.lists[i])
			parse_list(r, i);
	check_empty_lists(r);
}

/* ---- the rest of a spec ---- */

struct default_deny_fields {
	const struct polc_yaml_entry *of[2];
};

static const struct polc_field default_deny_table[] = {
	POLC_FIELD(struct default_deny_fields, of[POLC_INGRESS], "ingress", POLC_OPTIONAL),
	POLC_FIELD(struct default_deny_fields, of[POLC_EGRESS], "egress", POLC_OPTIONAL),
};

static void parse_default_deny_of(struct spec_reader *r, const struct polc_yaml_entry *e,
	enum polc_direction direction, const char *path)
{
	bool value;

	if (!polc_yaml_bool(
		    r->polc, e->value, polc_path_field(r->polc, path, e->key->value), &value))
		return;
	r->spec->default_deny[direction] = value ? POLC_TRUE : POLC_FALSE;
	if (value && !r->spec->has_rules[direction])
		polc_warn(r->polc, e->key->span, POLC_CODE_NO_EFFECT,
			"%s.%s has no effect: the spec has no %s rule", path, e->key->value,
			direction_names[direction]);
}

static void parse_default_deny(struct spec_reader *r)
{
	const struct polc_yaml_entry *e = r->fields.default_deny;
	struct default_deny_fields fields = {0};
	const char *path = polc_path_field(r->polc, r->path, "enableDefaultDeny");

	if (!e || !POLC_FIELDS_READ(r->polc, e->value, path, default_deny_table, &fields))
		return;
	for (unsigned d = 0; d < 2; d++)
		if (fields.of[d])
			parse_default_deny_of(r, fields.of[d], (enum polc_direction)d, path);
}

struct label_fields {
	const struct polc_yaml_entry *key, *value, *source;
};

static const struct polc_field label_table[] = {
	POLC_FIELD(struct label_fields, key, "key", POLC_REQUIRED),
	POLC_FIELD(struct label_fields, value, "value", POLC_OPTIONAL),
	POLC_FIELD(struct label_fields, source, "source", POLC_OPTIONAL),
};

static void parse_label(struct spec_reader *r, const struct polc_yaml *node, const char *path)
{
	struct label_fields fields = {0};
	struct polb_label label = {.source = "", .key = "", .value = ""};

	if (!POLC_FIELDS_READ(r->polc, node, path, label_table, &fields))
		return;
	if (fields.key)
		polc_field_string(r->polc, fields.key, path, &label.key);
	if (fields.value)
		polc_field_string(r->polc, fields.value, path, &label.value);
	if (fields.source)
		polc_field_string(r->polc, fields.source, path, &label.source);
	*polc_vec_push(&r->polc->arena, &r->spec->labels) = label;
}

static void parse_labels(struct spec_reader *r)
{
	const struct polc_yaml_entry *e = r->fields.labels;
	const char *path = polc_path_field(r->polc, r->path, "labels");

	if (!e || !polc_yaml_expect(r->polc, e->value, POLC_YAML_SEQUENCE, path))
		return;
	for (size_t i = 0; i < e->value->n_items; i++)
		parse_label(r, e->value->items[i], polc_path_item(r->polc, path, i));
}

/* At most 32 characters, none of them a control character. */
static bool log_value_is_valid(const char *text)
{
	size_t len = strlen(text), n = 0;

	for (size_t i = 0; i < len; n++) {
		uint32_t c;
		unsigned bytes = polc_utf8_decode(text + i, len - i, &c);

		if (!bytes || c < 0x20 || (c >= 0x7f && c < 0xa0))
			return false;
		i += bytes;
	}
	return n <= LOG_VALUE_MAX;
}

struct log_fields {
	const struct polc_yaml_entry *value;
};

static const struct polc_field log_table[] = {
	POLC_FIELD(struct log_fields, value, "value", POLC_OPTIONAL),
};

static void parse_log(struct spec_reader *r)
{
	struct log_fields fields = {0};
	const char *path = polc_path_field(r->polc, r->path, "log");

	if (!r->fields.log ||
		!POLC_FIELDS_READ(r->polc, r->fields.log->value, path, log_table, &fields) ||
		!fields.value || !polc_field_string(r->polc, fields.value, path, &r->spec->log))
		return;
	if (!log_value_is_valid(r->spec->log))
		polc_error(r->polc, fields.value->value->span, POLC_CODE_UNKNOWN_VALUE,
			"%s.value must be at most %d printable characters", path, LOG_VALUE_MAX);
}

static void parse_spec(struct polc *polc, struct polc_ast_policy *policy,
	const struct polc_yaml *node, const char *path)
{
	struct polc_ast_spec *spec = polc_vec_push(&polc->arena, &policy->specs);
	struct spec_reader r = {
		.polc = polc, .spec = spec, .kind = policy->kind, .node = node, .path = path};

	*spec = (struct polc_ast_spec){.span = polc_first_token(node), .tier = POLC_TIER_MIDDLE};
	spec->subject.kind = POLC_PEER_ENDPOINTS;
	if (!POLC_FIELDS_READ(polc, node, path, spec_table, &r.fields))
		return;
	parse_subject(&r);
	parse_lists(&r);
	parse_default_deny(&r);
	parse_labels(&r);
	parse_log(&r);
	if (r.fields.description)
		polc_field_string(polc, r.fields.description, path, &spec->description);
}

static void parse_specs(
	struct polc *polc, struct polc_ast_policy *policy, const struct polc_yaml *node)
{
	if (!polc_yaml_expect(polc, node, POLC_YAML_SEQUENCE, "specs"))
		return;
	for (size_t i = 0; i < node->n_items; i++)
		parse_spec(polc, policy, node->items[i], polc_path_item(polc, "specs", i));
}

/* An empty `specs` is as none (1.1). */
static bool has_specs(const struct polc_yaml *specs)
{
	return !polc_yaml_is_null(specs) &&
	       (specs->kind != POLC_YAML_SEQUENCE || specs->n_items > 0);
}

void polc_parse_cilium(struct polc *polc, struct polc_ast *ast, const struct polc_yaml *object,
	enum polc_policy_kind kind)
{
	const struct polc_yaml *spec, *specs;
	struct polc_ast_policy *policy = polc_parse_object(polc, object, kind, &spec, &specs);

	if (!policy)
		return;
	if (polc_yaml_is_null(spec) && !has_specs(specs)) {
		polc_error(polc, policy->span, POLC_CODE_MISSING_FIELD,
			"%s \"%s\" has neither spec nor specs", polc_policy_kind_name(kind),
			policy->name);
		return;
	}
	if (!polc_yaml_is_null(spec))
		parse_spec(polc, policy, spec, "spec");
	if (has_specs(specs))
		parse_specs(polc, policy, specs);
	*polc_vec_push(&polc->arena, &ast->policies) = policy;
}
