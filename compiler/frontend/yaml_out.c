/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lines of YAML, see yaml_out.h. */
#include "yaml_out.h"
#include "pol.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Lines */

void polc_yaml_indent(struct polc_yaml_out *y)
{
	unsigned level = y->level;

	polc_buf_printf(y->buf, "%*s", (int)(2 * (level - y->item)), "");
	if (y->item)
		polc_buf_puts(y->buf, "- ");
	y->item = false;
}

/* "key:" whose value follows on the next lines, one level deeper. */
void polc_yaml_open_key(struct polc_yaml_out *y, const char *key)
{
	polc_yaml_indent(y);
	polc_buf_printf(y->buf, "%s:\n", key);
	y->level++;
}

void polc_yaml_close_key(struct polc_yaml_out *y)
{
	y->level--;
}

/* An item of the list whose key is open: its lines are one level deeper than the dash. */
void polc_yaml_open_item(struct polc_yaml_out *y)
{
	y->level++;
	y->item = true;
}

/* An item without any line is an empty mapping. */
void polc_yaml_close_item(struct polc_yaml_out *y)
{
	if (y->item) {
		polc_yaml_indent(y);
		polc_buf_puts(y->buf, "{}\n");
	}
	y->level--;
}

/* Is the text a string to every YAML reader without quotes? */
static bool is_plain(const char *text)
{
	static const char *const words[] = {
		"true", "false", "null", "yes", "no", "on", "off", "y", "n"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return false;
	if (!isalpha((unsigned char)*text))
		return false;
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_./-", *c) && !(*c == ':' && c[1]))
			return false;
	return true;
}

void polc_yaml_write_text(struct polc_buf *out, const char *value)
{
	if (is_plain(value))
		polc_buf_puts(out, value);
	else
		polc_buf_json(out, value);
}

void polc_yaml_text(struct polc_yaml_out *y, const char *value)
{
	polc_yaml_write_text(y->buf, value);
}

void polc_yaml_line_text(struct polc_yaml_out *y, const char *key, const char *value)
{
	polc_yaml_indent(y);
	polc_yaml_text(y, key);
	polc_buf_puts(y->buf, ": ");
	polc_yaml_text(y, value);
	polc_buf_puts(y->buf, "\n");
}

void polc_yaml_line_raw(struct polc_yaml_out *y, const char *key, const char *value)
{
	polc_yaml_indent(y);
	polc_buf_printf(y->buf, "%s: %s\n", key, value);
}

void polc_yaml_line_number(struct polc_yaml_out *y, const char *key, unsigned value)
{
	polc_yaml_indent(y);
	polc_buf_printf(y->buf, "%s: %u\n", key, value);
}

void polc_yaml_item_text(struct polc_yaml_out *y, const char *value)
{
	polc_yaml_open_item(y);
	polc_yaml_indent(y);
	polc_yaml_text(y, value);
	polc_buf_puts(y->buf, "\n");
	polc_yaml_close_item(y);
}

/* Selectors */

static void match_labels(struct polc_yaml_out *y, const struct polc_ast_selector *s)
{
	polc_yaml_open_key(y, "matchLabels");
	for (size_t i = 0; i < s->requirements.n; i++) {
		const struct polc_ast_requirement *r = &s->requirements.items[i];

		if (r->from_match_labels)
			polc_yaml_line_text(y, r->key, r->values.items[0]);
	}
	polc_yaml_close_key(y);
}

static void match_expression(struct polc_yaml_out *y, const struct polc_ast_requirement *r)
{
	static const char *const operators[] = {
		[POLB_OP_IN] = "In",
		[POLB_OP_NOT_IN] = "NotIn",
		[POLB_OP_EXISTS] = "Exists",
		[POLB_OP_DOES_NOT_EXIST] = "DoesNotExist",
	};

	polc_yaml_open_item(y);
	polc_yaml_line_text(y, "key", r->key);
	polc_yaml_line_text(y, "operator", operators[r->op]);
	if (r->values.n) {
		polc_yaml_open_key(y, "values");
		for (size_t i = 0; i < r->values.n; i++)
			polc_yaml_item_text(y, r->values.items[i]);
		polc_yaml_close_key(y);
	}
	polc_yaml_close_item(y);
}

static void match_expressions(struct polc_yaml_out *y, const struct polc_ast_selector *s)
{
	polc_yaml_open_key(y, "matchExpressions");
	for (size_t i = 0; i < s->requirements.n; i++)
		if (!s->requirements.items[i].from_match_labels)
			match_expression(y, &s->requirements.items[i]);
	polc_yaml_close_key(y);
}

/* The fields of a selector; the caller has opened its mapping. */
void polc_yaml_selector_fields(struct polc_yaml_out *y, const struct polc_ast_selector *s)
{
	size_t n = s ? s->requirements.n : 0, labels = 0;

	for (size_t i = 0; i < n; i++)
		labels += s->requirements.items[i].from_match_labels;
	if (labels)
		match_labels(y, s);
	if (labels < n)
		match_expressions(y, s);
}

void polc_yaml_selector(struct polc_yaml_out *y, const char *key, const struct polc_ast_selector *s)
{
	if (!s || s->requirements.n == 0) {
		polc_yaml_line_raw(y, key, "{}");
		return;
	}
	polc_yaml_open_key(y, key);
	polc_yaml_selector_fields(y, s);
	polc_yaml_close_key(y);
}

void polc_yaml_object_head(struct polc_yaml_out *y, const char *api, const char *kind,
	const char *name, const char *namespace)
{
	polc_yaml_line_raw(y, "apiVersion", api);
	polc_yaml_line_raw(y, "kind", kind);
	polc_yaml_open_key(y, "metadata");
	polc_yaml_line_text(y, "name", name);
	if (namespace)
		polc_yaml_line_text(y, "namespace", namespace);
}
