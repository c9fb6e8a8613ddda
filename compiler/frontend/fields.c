/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reading of mappings by table, see fields.h. */
#include <string.h>

#include "fields.h"

const char *polc_path_field(struct polc *polc, const char *path, const char *name)
{
	return polc_arena_printf(&polc->arena, "%s.%s", path, name);
}

const char *polc_path_item(struct polc *polc, const char *path, size_t i)
{
	return polc_arena_printf(&polc->arena, "%s[%zu]", path, i);
}

struct polc_span polc_first_token(const struct polc_yaml *node)
{
	if (node->kind == POLC_YAML_MAPPING && node->n_entries)
		return node->entries[0].key->span;
	return node->span;
}

int polc_word_index(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return (int)i;
	return -1;
}

bool polc_field_is_null(struct polc *polc, const struct polc_yaml_entry *entry, const char *path)
{
	if (!polc_yaml_is_null(entry->value))
		return false;
	polc_warn(polc, entry->key->span, POLC_CODE_IGNORED_FIELD,
		"%s.%s is null, which means that it is not set", path, entry->key->value);
	return true;
}

static const struct polc_field *field_find(
	const struct polc_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static void set_member(void *out, const struct polc_field *field, const struct polc_yaml_entry *e)
{
	memcpy((char *)out + field->offset, &e, sizeof(e));
}

static bool member_is_set(const void *out, const struct polc_field *field)
{
	const struct polc_yaml_entry *e;

	memcpy(&e, (const char *)out + field->offset, sizeof(e));
	return e;
}

static void check_required(struct polc *polc, const struct polc_yaml *node, const char *path,
	const struct polc_field *fields, size_t n, const void *out)
{
	for (size_t i = 0; i < n; i++)
		if (fields[i].need == POLC_REQUIRED && !member_is_set(out, &fields[i]))
			polc_error(polc, polc_first_token(node), POLC_CODE_MISSING_FIELD,
				"%s.%s is missing", path, fields[i].name);
}

bool polc_fields_read(struct polc *polc, const struct polc_yaml *node, const char *path,
	const struct polc_field *fields, size_t n, void *out)
{
	const char **names = POLC_NEW_ARRAY(&polc->arena, n, const char *);

	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, path))
		return false;
	for (size_t i = 0; i < n; i++)
		names[i] = fields[i].name;
	polc_yaml_check_fields(polc, node, names, n, path, POLC_ERROR);
	for (size_t i = 0; i < node->n_entries; i++) {
		const struct polc_yaml_entry *e = &node->entries[i];
		const struct polc_field *field = field_find(fields, n, e->key->value);

		if (field && !polc_field_is_null(polc, e, path))
			set_member(out, field, e);
	}
	check_required(polc, node, path, fields, n, out);
	return true;
}

bool polc_field_string(
	struct polc *polc, const struct polc_yaml_entry *entry, const char *path, const char **out)
{
	return polc_yaml_string(
		polc, entry->value, polc_path_field(polc, path, entry->key->value), out);
}

bool polc_field_list(struct polc *polc, const struct polc_yaml_entry *entry, const char *path,
	size_t max, bool empty_ok)
{
	const char *what = polc_path_field(polc, path, entry->key->value);

	if (!polc_yaml_expect(polc, entry->value, POLC_YAML_SEQUENCE, what))
		return false;
	if (entry->value->n_items > max)
		polc_error(polc, entry->key->span, POLC_CODE_TOO_MANY,
			"%s has %zu entries, at most %zu are possible", what, entry->value->n_items,
			max);
	if (entry->value->n_items || empty_ok)
		return true;
	polc_error(polc, entry->key->span, POLC_CODE_MISSING_FIELD,
		"%s must have at least one entry", what);
	return false;
}

static void report_second(struct polc *polc, const struct polc_yaml_entry *first,
	const struct polc_yaml_entry *second, const char *path, const char *names)
{
	struct polc_diagnostic *d = polc_error(polc, second->key->span,
		POLC_CODE_CONFLICTING_FIELDS, "%s must have exactly one of %s", path, names);

	polc_diagnostic_relate(polc, d, first->key->span, "the other one");
}

const struct polc_yaml_entry *polc_fields_exactly_one(struct polc *polc,
	const struct polc_yaml *node, const char *path, const struct polc_yaml_entry *const *of,
	size_t n, const char *names)
{
	const struct polc_yaml_entry *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (of[i] && first) {
			report_second(polc, first, of[i], path, names);
			return NULL;
		}
		first = of[i] ? of[i] : first;
	}
	if (!first)
		polc_error(polc, polc_first_token(node), POLC_CODE_MISSING_FIELD,
			"%s must have one of %s", path, names);
	return first;
}
