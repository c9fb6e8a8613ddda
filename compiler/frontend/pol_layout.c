/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The one layout of DSL text: a statement per line, four blanks per block, one blank between
 * tokens, lines of at most 100 columns broken before clauses. Works on tokens: the order of things,
 * comments and single blank lines stay as they are, nothing is lost.
 */
#include "pol.h"

#include <string.h>

#include "pol_parser.h"

#define COLUMNS 100
#define INDENT 4

struct layout {
	const char *text;
	struct polc_buf *out;
	unsigned depth; /* of blocks */
	size_t column;  /* of the next byte in the line that is being written */
	bool started;   /* something was written: a line may have to be ended first */
	bool opened;    /* the last thing written was `{` */
	bool closed;    /* ... was the `}` of a block at top level */
};

/* What stands between two tokens. */
static unsigned newlines_before(const struct layout *l, const struct pol_token *token)
{
	uint32_t at = token->span.begin;
	unsigned n = 0;

	while (at > 0 && strchr(" \t\r\n\f\v", l->text[at - 1]))
		n += l->text[--at] == '\n';
	return n;
}

static size_t token_len(const struct pol_token *token)
{
	return token->span.end - token->span.begin;
}

/* Behind these stands a function, with its arguments. */
static bool names_function(int kind)
{
	return kind == POL_T_KPROBE || kind == POL_T_SYSCALL || kind == POL_T_FENTRY ||
	       kind == POL_T_TRACEPOINT || kind == POL_T_LSM;
}

/* Is there a blank before token i of a statement, which is not its first? */
static bool blank_before(const struct pol_token *tokens, size_t i)
{
	int before = tokens[i - 1].kind, kind = tokens[i].kind;

	if (kind == '(' && (before == POL_T_WORD || before == POL_T_STRING))
		return i < 2 || !names_function(tokens[i - 2].kind);
	return before != '(' && kind != ')' && kind != ',' && kind != ';' && kind != ':';
}

static void write_text(struct layout *l, const char *text, size_t len)
{
	polc_buf_add(l->out, text, len);
	l->column += len;
}

/* Without trailing blanks, which comments may have. */
static void write_token(struct layout *l, const struct pol_token *token)
{
	const char *text = l->text + token->span.begin;
	size_t len = token_len(token);

	while (len > 0 && token->kind == POL_T_COMMENT && strchr(" \t\r", text[len - 1]))
		len--;
	write_text(l, text, len);
}

static void new_line(struct layout *l, size_t indent)
{
	if (l->started)
		polc_buf_add(l->out, "\n", 1);
	polc_buf_printf(l->out, "%*s", (int)indent, "");
	l->column = indent;
	l->started = true;
}

/* A new line for a statement, block or comment; keeps one blank line where there were some. */
static void new_item(struct layout *l, const struct pol_token *first)
{
	bool blank = newlines_before(l, first) > 1 && !l->opened && first->kind != '}';

	if (l->started && (blank || l->closed))
		polc_buf_add(l->out, "\n", 1);
	new_line(l, (size_t)l->depth * INDENT);
	l->opened = l->closed = false;
}

/* Width of tokens [i, n) on one line; more than any line when a comment is among them. */
static size_t width(const struct pol_token *tokens, size_t i, size_t n)
{
	size_t sum = 0;

	for (size_t j = i; j < n; j++) {
		if (tokens[j].kind == POL_T_COMMENT)
			return COLUMNS + 1;
		sum += token_len(&tokens[j]) + (j > i && blank_before(tokens, j));
	}
	return sum;
}

/* Where a line that is too long is best broken: before what joins, after what separates. */
static bool breakable(const struct pol_token *tokens, size_t i)
{
	int kind = tokens[i].kind;

	return kind == POL_T_OR || kind == POL_T_AND || kind == POL_T_EXCEPT ||
	       tokens[i - 1].kind == ',';
}

static size_t next_break(const struct pol_token *tokens, size_t i, size_t n)
{
	for (i++; i < n && !breakable(tokens, i); i++)
		;
	return i;
}

/* Tokens [i, n) after what is already in the line, filling lines. */
static void fill(
	struct layout *l, const struct pol_token *tokens, size_t i, size_t n, size_t indent)
{
	bool comment = false;

	for (size_t first = i; i < n; i++) {
		const struct pol_token *token = &tokens[i];
		bool blank = i > first && blank_before(tokens, i);
		bool full = i > first && breakable(tokens, i) &&
			    l->column + 1 + width(tokens, i, next_break(tokens, i, n)) > COLUMNS;

		if (comment || full)
			new_line(l, indent);
		else if (blank)
			write_text(l, " ", 1);
		write_token(l, token);
		comment = token->kind == POL_T_COMMENT;
	}
}

static bool starts_clause(const struct pol_token *first, const struct pol_token *token)
{
	int kind = token->kind;

	if (first->kind == POL_T_ON || first->kind == POL_T_MACRO)
		return kind == POL_T_WHEN || kind == POL_T_DO || kind == POL_T_THEN ||
		       kind == POL_T_RETURNS || kind == POL_T_DATA || kind == POL_T_MESSAGE ||
		       kind == POL_T_TAGS;
	if (kind == POL_T_EXPECT || kind == POL_T_PASSES || kind == POL_T_IS)
		return true;
	return kind == POL_T_FROM || kind == POL_T_TO || kind == POL_T_AS;
}

static void write_clauses(struct layout *l, const struct pol_token *tokens, size_t n)
{
	size_t indent = (size_t)(l->depth + 1) * INDENT;

	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && !starts_clause(&tokens[0], &tokens[end]); end++)
			;
		if (i > 0)
			new_line(l, indent);
		fill(l, tokens, i, end, indent + INDENT);
	}
}

/* A rule or hook that does not fit, and hooks with conditions, have a line per clause. */
static bool has_clauses(const struct layout *l, const struct pol_token *tokens, size_t n)
{
	int kind = tokens[0].kind;

	for (size_t i = 0; kind == POL_T_ON && i < n; i++)
		if (tokens[i].kind == POL_T_WHEN)
			return true;
	return (kind == POL_T_INGRESS || kind == POL_T_EGRESS || kind == POL_T_ON ||
		       kind == POL_T_MACRO || kind == POL_T_CONNECT || kind == POL_T_CALL ||
		       kind == POL_T_NO || kind == POL_T_EVERY) &&
	       l->column + width(tokens, 0, n) > COLUMNS;
}

/* A statement with its `;`, or a header with its `{`. */
static void write_statement(struct layout *l, const struct pol_token *tokens, size_t n)
{
	new_item(l, &tokens[0]);
	if (has_clauses(l, tokens, n))
		write_clauses(l, tokens, n);
	else
		fill(l, tokens, 0, n, (size_t)(l->depth + 1) * INDENT);
	if (tokens[n - 1].kind == '{') {
		l->depth++;
		l->opened = true;
	}
}

static void write_comment(struct layout *l, const struct pol_token *token)
{
	bool trailing = l->started && newlines_before(l, token) == 0;

	if (trailing)
		write_text(l, " ", 1);
	else
		new_item(l, token);
	write_token(l, token);
	l->opened = false;
}

static void write_close(struct layout *l, const struct pol_token *token)
{
	if (l->depth > 0)
		l->depth--;
	if (l->opened) {
		write_token(l, token);
		l->opened = false;
	} else {
		new_item(l, token);
		write_token(l, token);
	}
	l->closed = l->depth == 0;
}

/* The end of the statement that starts at i: behind its `;` or `{`, or at what ends it early. */
static size_t statement_end(const struct pol_token *tokens, size_t i)
{
	for (;; i++) {
		int kind = tokens[i].kind;

		if (kind == ';' || kind == '{')
			return i + 1;
		if (kind == POL_T_YYEOF || kind == '}')
			return i;
	}
}

void pol_layout(const char *text, size_t len, struct polc_buf *out)
{
	struct layout l = {.text = text, .out = out};
	pol_tokens tokens = {0};

	pol_scan(out->arena, 0, text, len, &tokens);
	for (size_t i = 0; tokens.items[i].kind != POL_T_YYEOF;) {
		const struct pol_token *token = &tokens.items[i];
		size_t end = statement_end(tokens.items, i);

		if (token->kind == POL_T_COMMENT) {
			write_comment(&l, token);
			i++;
		} else if (token->kind == '}') {
			write_close(&l, token);
			i++;
		} else {
			write_statement(&l, token, end - i);
			i = end;
		}
	}
	if (l.started)
		polc_buf_add(out, "\n", 1);
}
