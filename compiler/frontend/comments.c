/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the comments that stand before a block or object, so that a conversion can carry them over.
 */
#include "pol.h"

#include <string.h>

#include "pol_parser.h"

struct collector {
	struct polc_arena *arena;
	struct polc_buf pending;
	struct polc_comments *out;
};

static void collect(struct collector *c, const char *line, size_t len)
{
	while (len > 0 && strchr(" \t\r", line[len - 1]))
		len--;
	polc_buf_add(&c->pending, line, len);
	polc_buf_puts(&c->pending, "\n");
}

static void attach(struct collector *c, uint32_t begin)
{
	if (!c->pending.n)
		return;
	*polc_vec_push(c->arena, &c->out->list) =
		(struct polc_comment){.begin = begin, .text = c->pending.p};
	c->pending = (struct polc_buf){.arena = c->arena};
}

static void finish(struct collector *c)
{
	c->out->rest = c->pending.n ? c->pending.p : "";
}

void polc_pol_comments(
	struct polc_arena *arena, const char *text, size_t len, struct polc_comments *out)
{
	struct collector c = {.arena = arena, .pending = {.arena = arena}, .out = out};
	pol_tokens tokens = {0};
	unsigned depth = 0;
	bool inside = false;

	pol_scan(arena, 0, text, len, &tokens);
	for (size_t i = 0; i < tokens.n; i++) {
		const struct pol_token *token = &tokens.items[i];

		if (token->kind == POL_T_COMMENT && inside)
			out->n_inside++;
		else if (token->kind == POL_T_COMMENT)
			collect(&c, token->text, strlen(token->text));
		else if (!inside)
			attach(&c, token->span.begin);
		depth += token->kind == '{';
		depth -= token->kind == '}' && depth > 0;
		if (token->kind != POL_T_COMMENT)
			inside = depth > 0 || token->kind != '}';
	}
	/* what was pending at the end of the file is attached to its end */
	out->rest = "";
	if (out->list.n && out->list.items[out->list.n - 1].begin == len)
		out->rest = out->list.items[--out->list.n].text;
}

static bool is_separator(const char *line)
{
	return strncmp(line, "---", 3) == 0 || strncmp(line, "...", 3) == 0;
}

void polc_yaml_comments(struct polc_arena *arena, const char *text, const uint32_t *begins,
	size_t n, struct polc_comments *out)
{
	struct collector c = {.arena = arena, .pending = {.arena = arena}, .out = out};
	bool inside = false;
	size_t next = 0;

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), blanks = strspn(line, " \t");

		if (is_separator(line))
			inside = false;
		if (line[blanks] == '#' && inside)
			out->n_inside++;
		else if (line[blanks] == '#')
			collect(&c, line + blanks, len - blanks);
		for (; next < n && begins[next] <= (size_t)(line - text) + len; next++) {
			attach(&c, begins[next]);
			inside = true;
		}
		line += len + (line[len] == '\n');
	}
	finish(&c);
}
