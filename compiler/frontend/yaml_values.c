/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Typed access to YAML trees: what a scalar means to Kubernetes (YAML 1.1 words for booleans, all
 * spellings of numbers), and the reports when a field holds something else.
 */
#include "yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/yaml_scalar.h"

static bool one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

enum polc_yaml_scalar polc_yaml_resolve(const struct polc_yaml *scalar)
{
	if (!scalar->plain)
		return POLC_YAML_STRING;
	switch (polb_yaml_resolve(scalar->value)) {
	case POLB_YAML_NULL:
		return POLC_YAML_NULL;
	case POLB_YAML_BOOL:
		return POLC_YAML_BOOL;
	case POLB_YAML_INT:
		return POLC_YAML_INT;
	case POLB_YAML_FLOAT:
		return POLC_YAML_FLOAT;
	case POLB_YAML_STRING:
		return POLC_YAML_STRING;
	}
	POLC_BUG("unknown scalar");
}

bool polc_yaml_is_null(const struct polc_yaml *node)
{
	return !node ||
	       (node->kind == POLC_YAML_SCALAR && polc_yaml_resolve(node) == POLC_YAML_NULL);
}

const struct polc_yaml *polc_yaml_get(const struct polc_yaml *mapping, const char *key)
{
	if (!mapping || mapping->kind != POLC_YAML_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->n_entries; i++)
		if (!strcmp(mapping->entries[i].key->value, key))
			return mapping->entries[i].value;
	return NULL;
}

static const char *kind_text(enum polc_yaml_kind kind)
{
	static const char *const texts[] = {"a scalar", "a list", "a mapping"};

	return texts[kind];
}

/* What a node is, with its article, for messages. */
static const char *type_text(const struct polc_yaml *node)
{
	static const char *const texts[] = {
		"null", "a boolean", "an integer", "a floating-point number", "a string"};

	if (node->kind != POLC_YAML_SCALAR)
		return kind_text(node->kind);
	return texts[polc_yaml_resolve(node)];
}

static struct polc_diagnostic *wrong_type(
	struct polc *polc, const struct polc_yaml *node, const char *what, const char *wanted)
{
	if (!node)
		return polc_error(polc, (struct polc_span){0}, POLC_CODE_MISSING_FIELD,
			"%s is missing", what);
	return polc_error(polc, node->span, POLC_CODE_WRONG_TYPE, "%s must be %s, not %s", what,
		wanted, type_text(node));
}

bool polc_yaml_string(
	struct polc *polc, const struct polc_yaml *node, const char *what, const char **out)
{
	struct polc_diagnostic *d;

	if (node && node->kind == POLC_YAML_SCALAR && strlen(node->value) != node->length)
		return polc_yaml_refuse_nul(polc, node);
	if (node && node->kind == POLC_YAML_SCALAR && polc_yaml_resolve(node) == POLC_YAML_STRING) {
		*out = node->value;
		return true;
	}
	d = wrong_type(polc, node, what, "a string");
	if (node && node->kind == POLC_YAML_SCALAR)
		polc_diagnostic_suggest(polc, d, "quote it: \"%s\"", node->value);
	return false;
}

static bool is_plain_decimal(const char *s)
{
	s += *s == '-';
	return (*s >= '1' && *s <= '9' && !s[strspn(s, "0123456789")]) || !strcmp(s, "0");
}

bool polc_yaml_is_integer(const struct polc_yaml *node)
{
	return node && node->kind == POLC_YAML_SCALAR && polc_yaml_resolve(node) == POLC_YAML_INT;
}

static void wrong_integer(struct polc *polc, const struct polc_yaml *node, const char *what)
{
	struct polc_diagnostic *d = wrong_type(polc, node, what, "an integer");

	if (node && node->kind == POLC_YAML_SCALAR && !node->plain && is_plain_decimal(node->value))
		polc_diagnostic_suggest(polc, d, "leave out the quotes: %s", node->value);
}

bool polc_yaml_integer(
	struct polc *polc, const struct polc_yaml *node, const char *what, int64_t *out)
{
	long long value;

	if (!polc_yaml_is_integer(node)) {
		wrong_integer(polc, node, what);
		return false;
	}
	if (!is_plain_decimal(node->value)) {
		polc_error(polc, node->span, POLC_CODE_WRONG_TYPE,
			"%s must be a plain decimal number: tools disagree about \"%s\"", what,
			node->value);
		return false;
	}
	errno = 0;
	value = strtoll(node->value, NULL, 10);
	if (errno) {
		polc_error(polc, node->span, POLC_CODE_WRONG_TYPE, "%s is out of range", what);
		return false;
	}
	*out = value;
	return true;
}

bool polc_yaml_bool(struct polc *polc, const struct polc_yaml *node, const char *what, bool *out)
{
	struct polc_diagnostic *d;
	bool scalar = node && node->kind == POLC_YAML_SCALAR;

	if (scalar && polc_yaml_resolve(node) == POLC_YAML_BOOL) {
		*out = polb_yaml_is_true(node->value);
		return true;
	}
	d = wrong_type(polc, node, what, "true or false");
	if (scalar && polb_yaml_resolve(node->value) == POLB_YAML_BOOL)
		polc_diagnostic_suggest(polc, d, "leave out the quotes: %s",
			polb_yaml_is_true(node->value) ? "true" : "false");
	return false;
}

bool polc_yaml_expect(
	struct polc *polc, const struct polc_yaml *node, enum polc_yaml_kind kind, const char *what)
{
	if (node && node->kind == kind)
		return true;
	wrong_type(polc, node, what, kind_text(kind));
	return false;
}

void polc_yaml_check_fields(struct polc *polc, const struct polc_yaml *mapping,
	const char *const *names, size_t n, const char *what, enum polc_severity severity)
{
	if (!mapping || mapping->kind != POLC_YAML_MAPPING)
		return;
	for (size_t i = 0; i < mapping->n_entries; i++) {
		const struct polc_yaml *key = mapping->entries[i].key;
		const char *near;
		struct polc_diagnostic *d;

		if (one_of(key->value, names, n))
			continue;
		d = (severity == POLC_ERROR ? polc_error : polc_warn)(polc, key->span,
			POLC_CODE_UNKNOWN_FIELD, "unknown field \"%s\" in %s", key->value, what);
		near = polc_nearest(key->value, names, n);
		if (!near)
			continue;
		polc_diagnostic_suggest(polc, d, "did you mean \"%s\"?", near);
		if (!polc_yaml_get(mapping, near))
			polc_diagnostic_replace(polc, d, near);
	}
}

bool polc_yaml_refuse_nul(struct polc *polc, const struct polc_yaml *node)
{
	bool ok = true;

	if (node->kind == POLC_YAML_SCALAR && strlen(node->value) != node->length) {
		polc_error(polc, node->span, POLC_CODE_ENCODING, "a string contains a NUL");
		ok = false;
	}
	for (size_t i = 0; i < node->n_items; i++)
		ok &= polc_yaml_refuse_nul(polc, node->items[i]);
	for (size_t i = 0; i < node->n_entries; i++)
		ok &= polc_yaml_refuse_nul(polc, node->entries[i].value);
	return ok;
}
