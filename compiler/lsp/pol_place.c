/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where in a file of the policy language an offset is: the tokens before the word that is there. */
#include <ctype.h>
#include <string.h>

#include "lsp.h"
#include "pol_parser.h"

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_./:*+%@-", c));
}

static void find_block(const pol_tokens *tokens, struct lsp_pol_place *out)
{
	const struct pol_token *first = NULL;
	unsigned depth = 0;

	for (size_t i = 0; i < tokens->n; i++) {
		const struct pol_token *token = &tokens->items[i];

		if (!depth && !first)
			first = token;
		depth += token->kind == '{';
		if (token->kind == '}' && depth && !--depth)
			first = NULL;
	}
	out->policy_kind = depth && first ? first->text : NULL;
	out->tracing = depth && first && first->kind == POL_T_TRACING;
}

void lsp_pol_place(struct polc_arena *arena, const char *text, size_t n, size_t offset,
	struct lsp_pol_place *out)
{
	pol_tokens all = {0};
	size_t begin = offset, end = offset;

	*out = (struct lsp_pol_place){0};
	while (begin > 0 && is_word(text[begin - 1]))
		begin--;
	while (end < n && is_word(text[end]))
		end++;
	out->word_begin = begin;
	out->word_end = end;
	pol_scan(arena, 0, text, begin, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct pol_token *token = &all.items[i];

		if (token->kind == POL_T_COMMENT && token->span.end >= begin)
			out->in_comment = true;
		if (token->kind != POL_T_COMMENT && token->kind != POL_T_YYEOF)
			*polc_vec_push(arena, &out->tokens) = *token;
	}
	find_block(&out->tokens, out);
}
