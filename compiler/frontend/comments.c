/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds comments, and those that stand before a block or object, which a conversion carries over.
 */
#include "pol.h"

#include <string.h>
#include <yaml.h>

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

/* YAML */

/* Where a '#' could begin a comment, as bytes and as characters, which libyaml counts. */
struct candidate {
	uint32_t begin;
	size_t character;
	bool in_scalar;
};
typedef POLC_VEC(struct candidate) candidates;

static void find_candidates(struct polc_arena *arena, const char *text, size_t len, candidates *out)
{
	size_t at = len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0, character = 0;

	for (size_t first = at; at < len; at++) {
		if (text[at] == '#' && (at == first || strchr(" \t\r\n", text[at - 1])))
			*polc_vec_push(arena, out) =
				(struct candidate){(uint32_t)at, character, false};
		character += ((unsigned char)text[at] & 0xc0) != 0x80;
	}
}

/* What looks like a comment but stands in a scalar is none; text that is no YAML has none. */
static void mark_scalars(const char *text, size_t len, candidates *all)
{
	size_t next = 0;
	yaml_parser_t parser;
	yaml_token_t token;
	bool more = true;

	if (!yaml_parser_initialize(&parser))
		return;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (more && next < all->n && yaml_parser_scan(&parser, &token)) {
		while (next < all->n && all->items[next].character < token.start_mark.index)
			next++;
		for (size_t i = next; token.type == YAML_SCALAR_TOKEN && i < all->n &&
				      all->items[i].character < token.end_mark.index;
			i++)
			all->items[i].in_scalar = true;
		more = token.type != YAML_STREAM_END_TOKEN && token.type != YAML_NO_TOKEN;
		yaml_token_delete(&token);
	}
	yaml_parser_delete(&parser);
}

void polc_yaml_comment_places(
	struct polc_arena *arena, const char *text, size_t len, polc_places *out)
{
	candidates all = {0};

	find_candidates(arena, text, len, &all);
	mark_scalars(text, len, &all);
	for (size_t i = 0; i < all.n; i++)
		if (!all.items[i].in_scalar)
			*polc_vec_push(arena, out) = all.items[i].begin;
}

static bool is_separator(const char *line)
{
	return strncmp(line, "---", 3) == 0 || strncmp(line, "...", 3) == 0;
}

/* The lines of a text, with the comments and the objects that begin in each. */
struct yaml_reading {
	struct collector collector;
	const char *text;
	polc_places comments;
	const uint32_t *begins;
	size_t n_begins, next_comment, next_begin;
	bool inside;
};

static bool begins_before(const struct yaml_reading *r, size_t end)
{
	return r->next_begin < r->n_begins && r->begins[r->next_begin] <= end;
}

static void read_line(struct yaml_reading *r, size_t end)
{
	const polc_places *comments = &r->comments;
	bool comment = r->next_comment < comments->n && comments->items[r->next_comment] <= end;
	size_t at = comment ? comments->items[r->next_comment] : end;

	while (begins_before(r, at)) {
		attach(&r->collector, r->begins[r->next_begin++]);
		r->inside = true;
	}
	if (comment && r->inside)
		r->collector.out->n_inside++;
	else if (comment)
		collect(&r->collector, r->text + at, end - at);
	/* one comment has all of them */
	while (r->next_comment < comments->n && comments->items[r->next_comment] <= end)
		r->next_comment++;
}

void polc_yaml_comments(struct polc_arena *arena, const char *text, const uint32_t *begins,
	size_t n, struct polc_comments *out)
{
	struct yaml_reading r = {
		.collector = {.arena = arena, .pending = {.arena = arena}, .out = out},
		.text = text,
		.begins = begins,
		.n_begins = n,
	};

	polc_yaml_comment_places(arena, text, strlen(text), &r.comments);
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		if (is_separator(line))
			r.inside = false;
		read_line(&r, (size_t)(line - text) + len);
		line += len + (line[len] == '\n');
	}
	finish(&r.collector);
}
