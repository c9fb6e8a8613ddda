/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Mappings read by table: one table per kind of mapping names its fields and where each goes, so
 * that unknown, null and missing fields are reported alike everywhere. Knows no kind of object.
 */
#ifndef POLC_FIELDS_H
#define POLC_FIELDS_H

#include "yaml.h"

enum polc_field_need { POLC_OPTIONAL, POLC_REQUIRED };

struct polc_field {
	const char *name;
	size_t offset; /* of a `const struct polc_yaml_entry *` in the struct that is filled */
	enum polc_field_need need;
};

#define POLC_FIELD(type, member, text, need)                                                       \
	{                                                                                          \
		(text), offsetof(type, member), (need)                                             \
	}

/*
 * Fills `out` from a mapping; members of absent fields stay NULL. A field that is null is left out
 * with a warning, unknown ones and missing required ones are errors. False (reported) when the node
 * is no mapping.
 */
bool polc_fields_read(struct polc *polc, const struct polc_yaml *node, const char *path,
	const struct polc_field *fields, size_t n, void *out);
#define POLC_FIELDS_READ(polc, node, path, table, out)                                             \
	polc_fields_read((polc), (node), (path), (table), POLC_ARRAY_SIZE(table), (out))

/* True, with a warning, when an entry is null: the API server then drops the field. */
bool polc_field_is_null(struct polc *polc, const struct polc_yaml_entry *entry, const char *path);

/* Values of a mapping: a string; a list with 1..max items (0..max with empty_ok). */
bool polc_field_string(
	struct polc *polc, const struct polc_yaml_entry *entry, const char *path, const char **out);
bool polc_field_list(struct polc *polc, const struct polc_yaml_entry *entry, const char *path,
	size_t max, bool empty_ok);

/* The only one of n entries that is set; NULL (reported) when none or several are. */
const struct polc_yaml_entry *polc_fields_exactly_one(struct polc *polc,
	const struct polc_yaml *node, const char *path, const struct polc_yaml_entry *const *of,
	size_t n, const char *names);

/* "path.name" and "path[i]", in the arena. */
const char *polc_path_field(struct polc *polc, const char *path, const char *name);
const char *polc_path_item(struct polc *polc, const char *path, size_t i);

/* Where a node begins: its first key, or itself. What the span of a rule or policy is. */
struct polc_span polc_first_token(const struct polc_yaml *node);

/* The index of a word in a list, or -1. */
int polc_word_index(const char *word, const char *const *words, size_t n);

#endif
