/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * YAML line by line: two blanks per level, strings plain where YAML 1.1 and 1.2 both read them as
 * strings. Private to the printers.
 */
#ifndef POLC_YAML_OUT_H
#define POLC_YAML_OUT_H

#include "ast.h"

/* A document being written: the level of the next line, and whether it begins a list item. */
struct polc_yaml_out {
	struct polc_buf *buf;
	unsigned level;
	bool item;
};

void polc_yaml_indent(struct polc_yaml_out *y);
/* "key:" whose value follows on the next lines, one level deeper. */
void polc_yaml_open_key(struct polc_yaml_out *y, const char *key);
void polc_yaml_close_key(struct polc_yaml_out *y);
/* An item of the list whose key is open; one without any line is an empty mapping. */
void polc_yaml_open_item(struct polc_yaml_out *y);
void polc_yaml_close_item(struct polc_yaml_out *y);

void polc_yaml_text(struct polc_yaml_out *y, const char *value);
void polc_yaml_line_text(struct polc_yaml_out *y, const char *key, const char *value);
void polc_yaml_line_raw(struct polc_yaml_out *y, const char *key, const char *value);
void polc_yaml_line_number(struct polc_yaml_out *y, const char *key, unsigned value);
void polc_yaml_item_text(struct polc_yaml_out *y, const char *value);

/* A label selector as the value of a key; its fields alone, where the mapping is open. */
void polc_yaml_selector(
	struct polc_yaml_out *y, const char *key, const struct polc_ast_selector *s);
void polc_yaml_selector_fields(struct polc_yaml_out *y, const struct polc_ast_selector *s);

/* apiVersion, kind, metadata with what is not NULL; metadata stays open. */
void polc_yaml_object_head(struct polc_yaml_out *y, const char *api, const char *kind,
	const char *name, const char *namespace);

#endif
