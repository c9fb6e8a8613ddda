/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Label selectors: matchLabels, matchExpressions, and the syntax of label keys and values. */
#include "objects.h"

#include <ctype.h>
#include <string.h>

#define LABEL_MAX_BYTES 63

static const char *const operator_names[] = {"In", "NotIn", "Exists", "DoesNotExist"};

/* Letters, digits, '-', '_' and '.', with letters or digits at both ends. */
static bool is_label_name(const char *s, size_t n)
{
	if (!n || n > LABEL_MAX_BYTES)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x80 || !(isalnum(c) || (i && i < n - 1 && strchr("-_.", c))))
			return false;
	}
	return true;
}

bool polc_is_label_key(const char *key)
{
	const char *slash = strchr(key, '/');

	if (!slash)
		return is_label_name(key, strlen(key));
	return polc_is_dns_subdomain(key, (size_t)(slash - key)) &&
	       is_label_name(slash + 1, strlen(slash + 1));
}

bool polc_is_label_value(const char *value)
{
	return !*value || is_label_name(value, strlen(value));
}

/* Is the source of a Cilium key one whose keys are not Kubernetes labels? */
static bool foreign_source(const char *key, size_t n)
{
	return !(n == 3 && (!memcmp(key, "k8s", 3) || !memcmp(key, "any", 3)));
}

/* Cilium: "source:key"; only what comes from Kubernetes has Kubernetes' syntax. */
static bool cilium_key_ok(const char *key)
{
	const char *colon = strchr(key, ':');

	if (!colon)
		return polc_is_label_key(key);
	if (colon == key || !colon[1])
		return false;
	return foreign_source(key, (size_t)(colon - key)) || polc_is_label_key(colon + 1);
}

static bool check_key(struct polc *polc, const struct polc_yaml *node,
	enum polc_label_syntax syntax, const char *what)
{
	const char *key = node->value;

	if (syntax ? cilium_key_ok(key) : polc_is_label_key(key))
		return true;
	polc_error(polc, node->span, POLC_CODE_BAD_SELECTOR,
		"\"%s\" in %s is not a valid label key", key, what);
	return false;
}

static bool check_value(struct polc *polc, const struct polc_yaml *node, const char *key,
	enum polc_label_syntax syntax, const char *what)
{
	const char *colon = syntax ? strchr(key, ':') : NULL;

	/* where an image is from */
	if (syntax == POLC_LABELS_OF_CONTAINERS && !strcmp(key, "repo"))
		return true;
	if (colon && foreign_source(key, (size_t)(colon - key)))
		return true;
	if (polc_is_label_value(node->value))
		return true;
	polc_error(polc, node->span, POLC_CODE_BAD_SELECTOR,
		"\"%s\" in %s is not a valid label value", node->value, what);
	return false;
}

/* matchLabels */

/* YAML keys are strings to JSON, but `on` or `1.10` would not arrive as they are written. */
static bool key_as_written(struct polc *polc, const struct polc_yaml *key, const char *what)
{
	const char *text;

	if (polc_yaml_is_integer(key))
		return true;
	return polc_yaml_string(
		polc, key, polc_arena_printf(&polc->arena, "a label key in %s", what), &text);
}

static bool read_match_label(struct polc *polc, const struct polc_yaml_entry *entry,
	enum polc_label_syntax syntax, const char *what, struct polc_ast_selector *selector)
{
	struct polc_ast_requirement requirement = {.op = POLB_OP_IN, .from_match_labels = true};
	const char *value;

	if (!key_as_written(polc, entry->key, what) || !check_key(polc, entry->key, syntax, what))
		return false;
	if (!polc_yaml_string(polc, entry->value,
		    polc_arena_printf(&polc->arena, "value of label %s", entry->key->value),
		    &value))
		return false;
	if (!check_value(polc, entry->value, entry->key->value, syntax, what))
		return false;
	requirement.key = entry->key->value;
	requirement.key_span = entry->key->span;
	requirement.span = polc_span_join(entry->key->span, entry->value->span);
	*polc_vec_push(&polc->arena, &requirement.values) = value;
	*polc_vec_push(&polc->arena, &selector->requirements) = requirement;
	return true;
}

static bool read_match_labels(struct polc *polc, const struct polc_yaml *node,
	enum polc_label_syntax syntax, const char *what, struct polc_ast_selector *selector)
{
	bool ok = true;

	if (polc_yaml_is_null(node))
		return true;
	what = polc_arena_printf(&polc->arena, "%s.matchLabels", what);
	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, what))
		return false;
	for (size_t i = 0; i < node->n_entries; i++)
		ok &= read_match_label(polc, &node->entries[i], syntax, what, selector);
	return ok;
}

/* matchExpressions */

static bool read_operator(struct polc *polc, const struct polc_yaml *expression, const char *what,
	enum polb_operator *out)
{
	const struct polc_yaml *node = polc_yaml_get(expression, "operator");
	const char *text, *near;
	struct polc_diagnostic *d;

	if (!node) {
		polc_error(polc, expression->span, POLC_CODE_MISSING_FIELD,
			"operator is missing in %s", what);
		return false;
	}
	if (!polc_yaml_string(polc, node, "operator", &text))
		return false;
	for (unsigned i = 0; i < POLC_ARRAY_SIZE(operator_names); i++) {
		if (!strcmp(text, operator_names[i])) {
			*out = (enum polb_operator)i;
			return true;
		}
	}
	d = polc_error(polc, node->span, POLC_CODE_UNKNOWN_VALUE,
		"operator \"%s\" is none of In, NotIn, Exists, DoesNotExist", text);
	near = polc_nearest(text, operator_names, POLC_ARRAY_SIZE(operator_names));
	if (near)
		polc_diagnostic_did_you_mean(polc, d, near);
	return false;
}

static bool read_key(struct polc *polc, const struct polc_yaml *expression,
	enum polc_label_syntax syntax, const char *what, struct polc_ast_requirement *out)
{
	const struct polc_yaml *node = polc_yaml_get(expression, "key");

	if (!node) {
		polc_error(polc, expression->span, POLC_CODE_MISSING_FIELD, "key is missing in %s",
			what);
		return false;
	}
	out->key_span = node->span;
	return polc_yaml_string(polc, node, "key", &out->key) &&
	       check_key(polc, node, syntax, what);
}

static bool read_values(struct polc *polc, const struct polc_yaml *node,
	enum polc_label_syntax syntax, const char *what, struct polc_ast_requirement *out)
{
	bool ok = true;

	if (polc_yaml_is_null(node))
		return true;
	if (!polc_yaml_expect(polc, node, POLC_YAML_SEQUENCE, "values"))
		return false;
	for (size_t i = 0; i < node->n_items; i++) {
		const char *value;

		if (polc_yaml_string(polc, node->items[i], "a label value", &value) &&
			check_value(polc, node->items[i], out->key, syntax, what))
			*polc_vec_push(&polc->arena, &out->values) = value;
		else
			ok = false;
	}
	return ok;
}

static bool check_count(struct polc *polc, const struct polc_yaml *expression,
	const struct polc_yaml *values, const struct polc_ast_requirement *requirement)
{
	bool wanted = requirement->op == POLB_OP_IN || requirement->op == POLB_OP_NOT_IN;

	if (wanted == (requirement->values.n > 0))
		return true;
	polc_error(polc, values ? values->span : expression->span, POLC_CODE_BAD_SELECTOR,
		wanted ? "operator %s needs at least one value" : "operator %s takes no values",
		operator_names[requirement->op]);
	return false;
}

static bool read_expression(struct polc *polc, const struct polc_yaml *node,
	enum polc_label_syntax syntax, const char *what, struct polc_ast_selector *selector)
{
	static const char *const fields[] = {"key", "operator", "values"};
	struct polc_ast_requirement requirement = {0};
	const struct polc_yaml *values = polc_yaml_get(node, "values");
	bool key_ok, operator_ok;

	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, what))
		return false;
	polc_yaml_check_fields(polc, node, fields, POLC_ARRAY_SIZE(fields), what, POLC_ERROR);
	requirement.span = node->span;
	key_ok = read_key(polc, node, syntax, what, &requirement);
	operator_ok = read_operator(polc, node, what, &requirement.op);
	if (!key_ok || !operator_ok)
		return false;
	if (!read_values(polc, values, syntax, what, &requirement) ||
		!check_count(polc, node, values, &requirement))
		return false;
	*polc_vec_push(&polc->arena, &selector->requirements) = requirement;
	return true;
}

static bool read_expressions(struct polc *polc, const struct polc_yaml *node,
	enum polc_label_syntax syntax, const char *what, struct polc_ast_selector *selector)
{
	bool ok = true;

	if (polc_yaml_is_null(node))
		return true;
	what = polc_arena_printf(&polc->arena, "%s.matchExpressions", what);
	if (!polc_yaml_expect(polc, node, POLC_YAML_SEQUENCE, what))
		return false;
	for (size_t i = 0; i < node->n_items; i++)
		ok &= read_expression(polc, node->items[i], syntax, what, selector);
	return ok;
}

const struct polc_ast_selector *polc_parse_selector(struct polc *polc, const struct polc_yaml *node,
	enum polc_label_syntax syntax, const char *what)
{
	static const char *const fields[] = {"matchLabels", "matchExpressions"};
	struct polc_ast_selector *selector;
	unsigned errors = polc->n_errors;
	bool ok;

	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, what))
		return NULL;
	selector = POLC_NEW(&polc->arena, struct polc_ast_selector);
	selector->span = node->span;
	polc_yaml_check_fields(polc, node, fields, POLC_ARRAY_SIZE(fields), what, POLC_ERROR);
	ok = read_match_labels(polc, polc_yaml_get(node, "matchLabels"), syntax, what, selector);
	ok &= read_expressions(
		polc, polc_yaml_get(node, "matchExpressions"), syntax, what, selector);
	return ok && polc->n_errors == errors ? selector : NULL;
}
