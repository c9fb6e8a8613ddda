/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * DSL text to tokens: runs the scanner over the whole file, unescapes strings, and settles which
 * words are keywords (in tracing blocks: pol_scan_tracing.c). A word is a keyword only where one
 * may stand, so that every word can be a name or a label: not after `=`, not in parentheses, not
 * where a name must follow, and not when it is followed by `=`, `!=`, `in (` or `not in (` itself.
 */
#include "pol.h"

#include <ctype.h>
#include <string.h>

#include "pol_keywords.h"
#include "pol_parser.h"
#include "pol_scanner.h"
#include "pol_lexer.h"
#include "pol_place.h"

static const struct pol_keyword keyword_list[] = {
#define X(token, text, follow) {text, POL_T_##token, follow},
	POL_KEYWORDS(X)
#undef X
};
static const struct pol_keywords keywords = {keyword_list, POLC_ARRAY_SIZE(keyword_list)};

const struct pol_keyword *pol_keyword_find(const struct pol_keywords *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].text, text) == 0)
			return &list->items[i];
	return NULL;
}

bool pol_name_follows(const struct pol_keywords *list, int kind)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].kind == kind)
			return list->items[i].follow == NAME;
	return false;
}

/* Strings */

static int hex_value(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* One escape at s (after the backslash); returns its length, or 0 when there is no such escape. */
static size_t unescape(const char *s, char *out)
{
	static const char letters[] = "nt\"\\", meanings[] = "\n\t\"\\";
	const char *letter = strchr(letters, *s);

	if (*s && letter) {
		*out = meanings[letter - letters];
		return 1;
	}
	if (*s != 'x' || hex_value(s[1]) < 0 || hex_value(s[2]) < 0)
		return 0;
	*out = (char)(hex_value(s[1]) << 4 | hex_value(s[2]));
	return 3;
}

static bool is_utf8(const char *text, size_t n)
{
	for (size_t at = 0; at < n;) {
		uint32_t c;
		unsigned len = polc_utf8_decode(text + at, n - at, &c);

		if (!len)
			return false;
		at += len;
	}
	return true;
}

static void make_bad(struct pol_token *token, const char *message)
{
	token->kind = POL_T_BAD;
	token->text = message;
}

/* Turns the quoted text into its meaning, or the token into a BAD one that points at the escape. */
static void string_unescape(struct polc_arena *arena, struct pol_token *token, const char *text)
{
	size_t len = token->span.end - token->span.begin - 1;
	char *out = polc_arena_alloc(arena, len + 1);
	size_t n = 0;

	for (size_t i = 1; i < len; i++) {
		size_t used;

		if (text[i] != '\\') {
			out[n++] = text[i];
			continue;
		}
		used = unescape(text + i + 1, &out[n++]);
		if (!used) {
			make_bad(token,
				polc_arena_printf(arena, "there is no escape '\\%c' in strings",
					text[i + 1]));
			token->span = pol_subspan(token->span, i, 2);
			return;
		}
		i += used;
	}
	out[n] = '\0';
	token->text = out;
	token->n = n;
	if (!is_utf8(out, n)) /* nothing that YAML could say */
		make_bad(token, "a string must be UTF-8");
}

static const char *bad_message(struct polc_arena *arena, const char *text, size_t len)
{
	if (*text == '"')
		return "a string ends on its line: the closing '\"' is missing";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return "control characters have no place here";
	return polc_arena_printf(
		arena, "'%.*s' has no place here", (int)(len < 20 ? len : 20), text);
}

static void token_fill(struct polc_arena *arena, struct pol_token *token, const char *text)
{
	size_t len = token->span.end - token->span.begin;

	if (token->kind == POL_T_STRING && memchr(text, '\0', len))
		token->kind = POL_T_BAD;
	if (token->kind == POL_T_STRING)
		string_unescape(arena, token, text);
	else if (token->kind == POL_T_BAD)
		token->text = bad_message(arena, text, len);
	else
		token->text = polc_arena_strndup(arena, text, len);
	if (token->kind != POL_T_STRING)
		token->n = strlen(token->text);
}

/* Keywords in their place */

/* The n-th token after `token` that is no comment; the list ends with YYEOF. */
const struct pol_token *pol_token_ahead(const struct pol_token *token, unsigned n)
{
	while (n > 0 && token->kind != POL_T_YYEOF) {
		token++;
		n -= token->kind != POL_T_COMMENT;
	}
	return token;
}

static bool is_word(const struct pol_token *token, const char *text)
{
	return token->kind == POL_T_WORD && strcmp(token->text, text) == 0;
}

/* `in (`, starting at the n-th token ahead. */
static bool in_list(const struct pol_token *token, unsigned n)
{
	return is_word(pol_token_ahead(token, n), "in") &&
	       pol_token_ahead(token, n + 1)->kind == '(';
}

/* Is this word the left side of a predicate? */
bool pol_is_key(const struct pol_place *place, const struct pol_token *token)
{
	int next = pol_token_ahead(token, 1)->kind;

	if (next == '=' || next == POL_T_NE)
		return true;
	if (place->kind == POL_T_WORD || place->kind == POL_T_STRING || place->kind == ')' ||
		place->kind == POL_T_ALL)
		return false; /* behind a key, a predicate or a selector: it joins */
	return in_list(token, 1) ||
	       (is_word(pol_token_ahead(token, 1), "not") && in_list(token, 2));
}

static bool must_be_name(const struct pol_place *place, const struct pol_token *token)
{
	if (place->parentheses || place->kind == '=' || place->kind == POL_T_NE)
		return true;
	if (pol_name_follows(&keywords, place->kind) || pol_is_key(place, token))
		return true;
	if (place->kind != ',' || place->statement == POL_T_ISOLATE)
		return false;
	return !is_word(token, "has") && !is_word(token, "not");
}

static bool ends_statement(int kind)
{
	return kind == ';' || kind == '{' || kind == '}' || kind == POL_T_YYEOF;
}

static void place_advance(struct pol_place *place, int kind)
{
	if (ends_statement(place->kind))
		place->statement = kind;
	if (kind == '(' || kind == ')' || ends_statement(kind))
		place->parentheses = kind == '(';
	place->kind = kind;
}

static void promote_network(struct pol_place *place, struct pol_token *token)
{
	const struct pol_keyword *keyword =
		token->kind == POL_T_WORD ? pol_keyword_find(&keywords, token->text) : NULL;

	if (keyword && !must_be_name(place, token))
		token->kind = keyword->kind;
	place_advance(place, token->kind);
}

static void refuse_nul(struct pol_token *token)
{
	if (token->kind == POL_T_STRING && strlen(token->text) != token->n)
		make_bad(token, "only values that are compared with arguments may hold NULs");
}

/* Blocks open and close; a test block may hold blocks. */
static void enter_block(struct pol_place *place, unsigned depth)
{
	if (depth == 0)
		place->block = place->inner = place->statement;
	else if (depth == 1 && place->block == POL_T_TEST)
		place->inner = place->statement;
}

/* What is in a tracing, test or assert block has keywords of its own. */
static void promote(struct polc_arena *arena, const pol_tokens *raw, pol_tokens *out)
{
	struct pol_place place = {.kind = POL_T_YYEOF};
	unsigned depth = 0;

	for (size_t i = 0; i < raw->n; i++) {
		struct pol_token *token = &raw->items[i];

		if (token->kind == '{')
			enter_block(&place, depth++);
		depth -= token->kind == '}' && depth > 0;
		if (token->kind == '}' && depth == 1)
			place.inner = place.block;
		if (token->kind == POL_T_COMMENT) {
			*polc_vec_push(arena, out) = *token;
		} else if (depth > 0 && place.inner == POL_T_TRACING) {
			pol_promote_tracing(arena, &place, token, out);
		} else if (depth > 0 &&
			   (place.inner == POL_T_TEST || place.inner == POL_T_ASSERT)) {
			refuse_nul(token);
			pol_promote_test(&place, token);
			*polc_vec_push(arena, out) = *token;
		} else {
			refuse_nul(token);
			promote_network(&place, token);
			*polc_vec_push(arena, out) = *token;
		}
	}
}

void pol_scan(
	struct polc_arena *arena, uint32_t source, const char *text, size_t len, pol_tokens *out)
{
	static const char mark[] = "\xef\xbb\xbf";
	pol_tokens raw = {0};
	size_t skip = len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
	struct pol_cursor cursor = {.end = (uint32_t)skip};
	yyscan_t scanner;
	int kind;

	if (pol_raw_lex_init_extra(&cursor, &scanner))
		POLC_BUG("scanner: no memory");
	pol_raw__scan_bytes(text + skip, (int)(len - skip), scanner);
	do {
		struct pol_token *token = polc_vec_push(arena, &raw);

		kind = pol_raw_lex(scanner);
		*token = (struct pol_token){
			.kind = kind, .span = {source, cursor.begin, cursor.end}};
		if (kind == POL_T_YYEOF)
			token->span.begin = token->span.end = (uint32_t)len;
		token_fill(arena, token, text + token->span.begin);
	} while (kind != POL_T_YYEOF);
	pol_raw_lex_destroy(scanner);
	promote(arena, &raw, out);
}

bool pol_opens_block(struct polc_arena *arena, const char *text, size_t len)
{
	static const int openings[] = {POL_T_NETWORK, POL_T_KUBERNETES, POL_T_CLUSTER, POL_T_ADMIN,
		POL_T_BASELINE, POL_T_ENDPOINT, POL_T_TRACING, POL_T_TEST, POL_T_ASSERT};
	pol_tokens tokens = {0};
	size_t first = 0;

	pol_scan(arena, 0, text, len, &tokens);
	while (tokens.items[first].kind == POL_T_COMMENT)
		first++;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(openings); i++)
		if (tokens.items[first].kind == openings[i])
			return true;
	return false;
}
