/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Keywords of tracing blocks. A word is a name where only names can stand: behind a keyword that
 * wants one, behind a sign, in lists; among labels as in network blocks. In lists of arguments the
 * colon of `label: type` is a token of its own.
 */
#include "pol_place.h"

#include <string.h>

#include "pol_keywords.h"
#include "pol_parser.h"

static const struct pol_keyword keyword_list[] = {
#define X(token, text, follow) {text, POL_T_##token, follow},
	POL_TRACING_KEYWORDS(X)
#undef X
};
static const struct pol_keywords keywords = {keyword_list, POLC_ARRAY_SIZE(keyword_list)};

static bool is_sign(int kind)
{
	return kind == '=' || kind == '<' || kind == '>' || kind == '(' || kind == ',' ||
	       kind == ':' || kind == POL_T_EQ || kind == POL_T_NE;
}

static bool is_test(int kind)
{
	return kind == POL_T_EQ || kind == POL_T_NE || kind == '<' || kind == '>' ||
	       kind == POL_T_IN || kind == POL_T_OPERATOR || kind == POL_T_EXPRESSION;
}

static bool among_labels(const struct pol_place *place)
{
	return place->labels_at && place->depth + 1 == place->labels_at;
}

/* Labels: `in` and `not` join, `has` begins, all else is a key or a value. */
static bool is_name_among_labels(const struct pol_place *place, const struct pol_token *token)
{
	if (place->kind == '=' || place->kind == POL_T_NE || place->kind == POL_T_HAS)
		return true;
	if (pol_is_key(place, token))
		return true;
	return place->kind == ',' && strcmp(token->text, "has") && strcmp(token->text, "not");
}

static bool is_name(const struct pol_place *place, const struct pol_token *token, int kind)
{
	if (place->labels_at && place->depth + 1 > place->labels_at)
		return true;
	if (among_labels(place))
		return is_name_among_labels(place, token);
	if (kind == POL_T_OPERATOR || kind == POL_T_BARE_OPERATOR)
		if (place->kind == POL_T_WHEN || place->kind == POL_T_AND)
			return true;
	return is_sign(place->kind) || pol_name_follows(&keywords, place->kind);
}

static bool selects_labels(int kind)
{
	return kind == POL_T_PODS || kind == POL_T_CONTAINERS || kind == POL_T_NODES;
}

static bool ends_statement(int kind)
{
	return kind == ';' || kind == '{' || kind == '}';
}

static void enter_parentheses(struct pol_place *place)
{
	bool hook = place->statement == POL_T_ON && place->depth == 0;
	bool word = place->kind == POL_T_WORD || place->kind == POL_T_STRING;

	place->depth++;
	if (selects_labels(place->kind))
		place->labels_at = place->depth + 1;
	if ((hook && word) || place->kind == POL_T_DATA)
		place->arguments = true;
}

static void leave_parentheses(struct pol_place *place)
{
	if (place->depth > 0)
		place->depth--;
	if (place->labels_at > place->depth + 1)
		place->labels_at = 0;
	place->arguments = false;
}

static bool belongs_to_argument(int kind)
{
	return kind == POL_T_WORD || kind == POL_T_STRING || kind == ':' ||
	       kind == POL_T_ARG_OPTION || kind == POL_T_ARG_FLAG;
}

static void advance(struct pol_place *place, int kind)
{
	bool first = ends_statement(place->kind);

	if (first)
		place->statement = kind;
	if (kind == '(')
		enter_parentheses(place);
	else if (kind == ')')
		leave_parentheses(place);
	else if (kind == POL_T_RETURNS)
		place->arguments = true;
	else if (place->depth == 0 && !belongs_to_argument(kind))
		place->arguments = false;
	if (first && selects_labels(kind))
		place->labels_at = 1;
	if (ends_statement(kind)) {
		place->labels_at = place->depth = 0;
		place->arguments = false;
	}
	if (is_test(kind))
		place->values = !place->labels_at;
	else if (kind != ',' && kind != POL_T_WORD && kind != POL_T_STRING)
		place->values = false;
	place->kind = kind;
}

static void push(
	struct polc_arena *arena, struct pol_place *place, struct pol_token token, pol_tokens *out)
{
	*polc_vec_push(arena, out) = token;
	advance(place, token.kind);
}

/* The part of a word from `begin` on, n bytes long. */
static struct pol_token part(
	struct polc_arena *arena, const struct pol_token *token, size_t begin, size_t n, int kind)
{
	return (struct pol_token){.kind = kind,
		.span = pol_subspan(token->span, begin, n),
		.text = polc_arena_strndup(arena, token->text + begin, n),
		.n = n};
}

/* `label:`, `:type`, `4:label:type`: words and colons. */
static void push_parts(struct polc_arena *arena, struct pol_place *place,
	const struct pol_token *token, pol_tokens *out)
{
	for (size_t at = 0; at < token->n;) {
		size_t n = strcspn(token->text + at, ":");

		if (n)
			push(arena, place, part(arena, token, at, n, POL_T_WORD), out);
		at += n;
		if (at < token->n)
			push(arena, place, part(arena, token, at++, 1, ':'), out);
	}
}

void pol_promote_tracing(struct polc_arena *arena, struct pol_place *place,
	const struct pol_token *token, pol_tokens *out)
{
	const struct pol_keyword *keyword =
		token->kind == POL_T_WORD ? pol_keyword_find(&keywords, token->text) : NULL;
	bool value = place->values && (place->kind == ',' || is_test(place->kind));
	struct pol_token promoted = *token;

	if (token->kind == POL_T_WORD && place->arguments && strchr(token->text, ':') &&
		place->kind != POL_T_ARG_OPTION) {
		push_parts(arena, place, token, out);
		return;
	}
	if (keyword && !is_name(place, token, keyword->kind))
		promoted.kind = keyword->kind;
	if (token->kind == POL_T_STRING && strlen(token->text) != token->n && !value) {
		promoted.kind = POL_T_BAD;
		promoted.text = "only values that are compared with arguments may hold NULs";
	}
	push(arena, place, promoted, out);
}
