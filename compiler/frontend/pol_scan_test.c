/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Keywords of test and assert blocks. As elsewhere a word is a name where only names can stand:
 * behind a keyword that wants one, behind `=`, in parentheses and before them, in lists; in the
 * list behind `expect` there may be `ingress` and `egress` again.
 */
#include "pol_place.h"

#include <string.h>

#include "pol_keywords.h"
#include "pol_parser.h"

static const struct pol_keyword test_list[] = {
#define X(token, text, follow) {text, POL_T_##token, follow},
	POL_TEST_KEYWORDS(X)
#undef X
};
static const struct pol_keyword assert_list[] = {
#define X(token, text, follow) {text, POL_T_##token, follow},
	POL_ASSERT_KEYWORDS(X)
#undef X
};
static const struct pol_keywords test_keywords = {test_list, POLC_ARRAY_SIZE(test_list)};
static const struct pol_keywords assert_keywords = {assert_list, POLC_ARRAY_SIZE(assert_list)};

static bool opens_statement(const struct pol_place *place)
{
	return place->kind == ';' || place->kind == '{' || place->kind == '}';
}

static bool is_name(const struct pol_place *place, const struct pol_token *token,
	const struct pol_keywords *keywords)
{
	bool in = !strcmp(token->text, "in");

	if (place->parentheses || place->kind == '=' || place->kind == POL_T_NE)
		return true;
	if (pol_name_follows(keywords, place->kind))
		return true;
	if (!opens_statement(place) && !in && pol_token_ahead(token, 1)->kind == '(')
		return true;
	if (keywords == &assert_keywords && pol_is_key(place, token))
		return true;
	if (place->kind != ',' || place->expecting)
		return false;
	return strcmp(token->text, "has") && strcmp(token->text, "not");
}

static void advance(struct pol_place *place, int kind)
{
	if (opens_statement(place))
		place->statement = kind;
	if (kind == '(' || kind == ')')
		place->parentheses = kind == '(';
	place->kind = kind;
	if (opens_statement(place))
		place->parentheses = place->expecting = false;
	else if (kind == POL_T_EXPECT)
		place->expecting = true;
}

void pol_promote_test(struct pol_place *place, struct pol_token *token)
{
	const struct pol_keywords *keywords =
		place->inner == POL_T_TEST ? &test_keywords : &assert_keywords;
	const struct pol_keyword *keyword =
		token->kind == POL_T_WORD ? pol_keyword_find(keywords, token->text) : NULL;

	if (keyword && !is_name(place, token, keywords))
		token->kind = keyword->kind;
	advance(place, token->kind);
}
