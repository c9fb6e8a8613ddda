/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Layout of YAML, see layout.h. There is no one layout that its authors would agree on: lines and
 * comments are kept. The DSL's layout is in pol_layout.c.
 */
#include "layout.h"

#include <string.h>

#include "pol.h"
#include "yaml.h"

static bool same_yaml(const struct polc_yaml *a, const struct polc_yaml *b);

static bool same_children(const struct polc_yaml *a, const struct polc_yaml *b)
{
	for (size_t i = 0; i < a->n_items; i++)
		if (!same_yaml(a->items[i], b->items[i]))
			return false;
	for (size_t i = 0; i < a->n_entries; i++)
		if (!same_yaml(a->entries[i].key, b->entries[i].key) ||
			!same_yaml(a->entries[i].value, b->entries[i].value))
			return false;
	return true;
}

static bool same_yaml(const struct polc_yaml *a, const struct polc_yaml *b)
{
	if (a->kind != b->kind || a->n_items != b->n_items || a->n_entries != b->n_entries)
		return false;
	if (a->kind == POLC_YAML_SCALAR)
		return a->plain == b->plain && a->length == b->length &&
		       memcmp(a->value, b->value, a->length) == 0;
	return same_children(a, b);
}

static void parse(struct polc *polc, const char *text, size_t n, polc_yaml_documents *out)
{
	polc_yaml_parse_bytes(
		polc, polc_source_add(&polc->arena, &polc->sources, "layout", text, n), out);
}

/* Do two texts hold the same documents? Blanks at line ends may be content of a block scalar. */
static bool same_documents(const char *text, size_t n, const struct polc_buf *changed)
{
	polc_yaml_documents a = {0}, b = {0};
	struct polc scratch;
	bool same;

	polc_init(&scratch);
	parse(&scratch, text, n, &a);
	parse(&scratch, changed->p ? changed->p : "", changed->n, &b);
	same = a.n == b.n && scratch.n_errors == 0;
	for (size_t i = 0; same && i < a.n; i++)
		same = same_yaml(a.items[i], b.items[i]);
	polc_free(&scratch);
	return same;
}

/* The line's end: nothing, "\n" or "\r\n". */
static size_t line_end(const char *line, size_t len)
{
	if (!len || line[len - 1] != '\n')
		return 0;
	return len > 1 && line[len - 2] == '\r' ? 2 : 1;
}

static size_t line_len(const char *text, size_t n)
{
	const char *newline = n ? memchr(text, '\n', n) : NULL;

	return newline ? (size_t)(newline - text) + 1 : n;
}

/* Lines without blanks at their ends; with `last`, no empty lines at the end and one line end. */
static void trim(const char *text, size_t n, bool last, struct polc_buf *out)
{
	size_t written = 0;
	const char *end = "\n";

	for (size_t at = 0; at < n;) {
		size_t len = line_len(text + at, n - at), tail = line_end(text + at, len);
		size_t kept = len - tail;

		while (kept > 0 && strchr(" \t\r", text[at + kept - 1]) && text[at + kept - 1])
			kept--;
		polc_buf_add(out, text + at, kept);
		if (kept)
			written = out->n;
		if (tail) {
			end = tail == 2 ? "\r\n" : "\n";
			polc_buf_puts(out, end);
		}
		at += len;
	}
	if (last && out->p) {
		out->n = written;
		out->p[written] = '\0';
		polc_buf_puts(out, written ? end : "");
	}
}

/* Documents of policies */

static bool is_policy(const struct polc_yaml *object)
{
	const struct polc_yaml *kind = polc_yaml_get(object, "kind");
	const struct polc_yaml *items = polc_yaml_get(object, "items");

	for (size_t i = 0; items && items->kind == POLC_YAML_SEQUENCE && i < items->n_items; i++)
		if (!is_policy(items->items[i]))
			return false;
	if (items && items->kind == POLC_YAML_SEQUENCE)
		return items->n_items > 0;
	return kind && kind->kind == POLC_YAML_SCALAR && polc_kind_is_policy(kind->value);
}

/* A part of a file, from a line "---" to the next: does it hold a policy and nothing else? */
static bool holds_policies(const char *text, size_t n)
{
	polc_yaml_documents documents = {0};
	struct polc scratch;
	bool policies;

	polc_init(&scratch);
	parse(&scratch, text, n, &documents);
	policies = scratch.n_errors == 0 && documents.n > 0;
	for (size_t i = 0; policies && i < documents.n; i++)
		policies = is_policy(documents.items[i]);
	polc_free(&scratch);
	return policies;
}

static bool is_separator(const char *line)
{
	return strncmp(line, "---", 3) == 0 && (!line[3] || strchr(" \t\r\n", line[3]));
}

static void layout_part(const char *text, size_t n, bool last, struct polc_buf *out)
{
	struct polc_buf trimmed = {.arena = out->arena};

	if (holds_policies(text, n))
		trim(text, n, last, &trimmed);
	if (trimmed.n && same_documents(text, n, &trimmed)) {
		polc_buf_add(out, trimmed.p, trimmed.n);
		return;
	}
	polc_buf_add(out, text, n);
}

static void layout_yaml(const char *text, size_t n, struct polc_buf *out)
{
	size_t begin = 0;

	for (size_t at = 0; at < n;) {
		size_t next = at + line_len(text + at, n - at);

		if (next == n || is_separator(text + next)) {
			layout_part(text + begin, next - begin, next == n, out);
			begin = next;
		}
		at = next;
	}
}

void polc_layout_text(
	struct polc_arena *arena, bool is_pol, const char *text, size_t n, struct polc_buf *out)
{
	struct polc_buf raw = {.arena = arena};

	if (is_pol) {
		pol_layout(text, n, out);
		return;
	}
	layout_yaml(text, n, &raw);
	/* the whole decides, too: directives speak about what follows them */
	if (raw.n && same_documents(text, n, &raw))
		polc_buf_add(out, raw.p, raw.n);
	else
		polc_buf_add(out, text, n);
}
