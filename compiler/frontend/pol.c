/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads a DSL file: feeds the tokens to the parser, reports what the scanner refused. The tree is
 * built by pol_network.c, pol_peer.c, pol_port.c, pol_endpoint.c and pol_tracing*.c.
 */
#include "pol.h"

#include <string.h>

#include "pol_parser.h"

int pol_lex(POL_STYPE *value, struct polc_span *span, struct pol_parser *p);
void pol_error(const struct polc_span *span, struct pol_parser *p, const char *message);

/* Text for messages is cut: a word may be as long as the file. */
#define SHOWN_MAX 60

const char *pol_token_text(const struct pol_parser *p, const struct pol_token *token)
{
	struct polc_arena *arena = &p->polc->arena;

	if (token->kind == POL_T_YYEOF)
		return "end of file";
	if (token->kind == POL_T_STRING)
		return "string";
	return polc_arena_printf(arena, "'%.*s'", SHOWN_MAX, token->text);
}

const char *pol_symbol_text(const struct pol_parser *p, const char *name)
{
	bool plain = *name == '\'' || !strncmp(name, "a ", 2) || !strncmp(name, "an ", 3);

	return plain ? name : polc_arena_printf(&p->polc->arena, "'%s'", name);
}

static bool is_port_text(const char *text)
{
	return strncmp(text, "tcp/", 4) == 0 || strncmp(text, "udp/", 4) == 0 ||
	       strncmp(text, "sctp/", 5) == 0 || strncmp(text, "any/", 4) == 0;
}

void pol_syntax_hint(struct pol_parser *p, struct polc_diagnostic *d, bool peer_expected)
{
	const struct pol_token *before = p->before_last;

	if (p->policy && before && before->kind == POL_T_WORD && is_port_text(before->text))
		polc_diagnostic_suggest(p->polc, d,
			"'to' names peers first: write 'to any to %.*s'", SHOWN_MAX, before->text);
	else if (peer_expected && p->last->kind == POL_T_ALL)
		polc_diagnostic_suggest(p->polc, d,
			"say what: 'endpoints all', 'pods all', 'entity all', or 'any'");
	else if (p->last->kind == POL_T_EQ)
		polc_diagnostic_suggest(p->polc, d, "labels are compared with a single '='");
}

/* Only out of memory and stack depth come here: syntax errors have their own reporter. */
void pol_error(const struct polc_span *span, struct pol_parser *p, const char *message)
{
	polc_error(p->polc, *span, POLC_CODE_DSL_SYNTAX, "%s", message);
}

/* The next token the parser should see; comments are not for it. */
static const struct pol_token *next_token(struct pol_parser *p)
{
	for (;;) {
		const struct pol_token *token = &p->tokens->items[p->next];

		if (token->kind == POL_T_YYEOF)
			return token;
		p->next++;
		if (token->kind != POL_T_COMMENT)
			return token;
	}
}

int pol_lex(POL_STYPE *value, struct polc_span *span, struct pol_parser *p)
{
	const struct pol_token *token = next_token(p);

	p->before_last = p->last;
	p->last = token;
	*span = token->span;
	if (token->kind == POL_T_BAD) {
		polc_error(p->polc, token->span, POLC_CODE_DSL_LEXICAL, "%s", token->text);
		return POL_T_POL_error;
	}
	if (token->kind == POL_T_STRING)
		value->POL_T_STRING = token;
	else
		value->POL_T_WORD = token;
	return token->kind;
}

void polc_parse_pol(struct polc *polc, struct polc_input *input, uint32_t source)
{
	const struct polc_source *file = polc_source_get(&polc->sources, source);
	pol_tokens tokens = {0};
	struct pol_parser p = {.polc = polc, .input = input, .tokens = &tokens};

	pol_scan(&polc->arena, source, file->text, file->len, &tokens);
	pol_parse(&p);
}

void polc_pol_expected(struct polc *polc, const char *text, size_t len, struct pol_expected *out)
{
	static const char *const blocks[] = {"network", "kubernetes", "cluster", "admin",
		"baseline", "endpoint", "tracing", "test", "assert"};
	struct polc_input ignored = {0};
	pol_tokens tokens = {0};
	struct pol_parser p = {.polc = polc, .input = &ignored, .tokens = &tokens, .expected = out};

	pol_scan(&polc->arena, polc_source_add(&polc->arena, &polc->sources, "text", text, len),
		text, len, &tokens);
	pol_parse(&p);
	/* between blocks the end is no mistake, and nobody asked what else there could be */
	if (!out->words.n && !out->name)
		for (size_t i = 0; i < POLC_ARRAY_SIZE(blocks); i++)
			*polc_vec_push(&polc->arena, &out->words) = blocks[i];
}
