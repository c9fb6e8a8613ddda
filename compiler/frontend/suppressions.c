/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Comments for polc: where they are, what they say, how far they reach. */
#include "suppressions.h"

#include <ctype.h>
#include <string.h>

#include "pol.h"

#include "pol_parser.h"

struct reading {
	struct polc *polc;
	bool report;
	uint32_t source;
	const char *text;
	size_t len;
	polc_suppressions *out;
};

typedef POLC_VEC(struct polc_span) spans;

/* Where comments are */

static size_t skip_blanks(const struct reading *r, size_t at)
{
	while (at < r->len && (r->text[at] == ' ' || r->text[at] == '\t'))
		at++;
	return at;
}

static size_t line_begin(const struct reading *r, size_t at)
{
	while (at && r->text[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const struct reading *r, size_t at)
{
	const char *end = memchr(r->text + at, '\n', r->len - at);

	return end ? (size_t)(end - r->text) : r->len;
}

/* Does the comment that begins here speak to polc? */
static bool speaks_to_polc(const struct reading *r, size_t at)
{
	at = skip_blanks(r, at + 1);
	return r->len - at > 5 && !memcmp(r->text + at, "polc:", 5);
}

static struct polc_span comment_span(const struct reading *r, size_t at)
{
	size_t end = line_end(r, at);

	while (end > at && isspace((unsigned char)r->text[end - 1]))
		end--;
	return (struct polc_span){r->source, (uint32_t)at, (uint32_t)end};
}

static void pol_comments(struct reading *r, spans *comments, spans *blocks)
{
	struct polc_arena *arena = &r->polc->arena;
	pol_tokens tokens = {0};
	unsigned depth = 0;
	uint32_t begin = UINT32_MAX;

	pol_scan(arena, r->source, r->text, r->len, &tokens);
	for (size_t i = 0; i < tokens.n; i++) {
		const struct pol_token *token = &tokens.items[i];

		if (token->kind == POL_T_COMMENT) {
			if (speaks_to_polc(r, token->span.begin))
				*polc_vec_push(arena, comments) =
					comment_span(r, token->span.begin);
			continue;
		}
		begin = begin < token->span.begin ? begin : token->span.begin;
		depth += token->kind == '{';
		depth -= token->kind == '}' && depth > 0;
		if (token->kind == '}' && !depth) {
			*polc_vec_push(arena, blocks) =
				(struct polc_span){r->source, begin, token->span.end};
			begin = UINT32_MAX;
		}
	}
}

static bool is_separator(const struct reading *r, size_t at)
{
	return r->len - at >= 3 &&
	       (!memcmp(r->text + at, "---", 3) || !memcmp(r->text + at, "...", 3));
}

/* A document ends with its last line of content. */
static void yaml_documents(struct reading *r, spans *blocks)
{
	struct polc_span document = {r->source, 0, 0};

	for (size_t at = 0; at < r->len; at = line_end(r, at) + 1) {
		size_t first = skip_blanks(r, at);

		if (is_separator(r, at)) {
			if (document.end)
				*polc_vec_push(&r->polc->arena, blocks) = document;
			document = (struct polc_span){r->source, (uint32_t)at, 0};
		} else if (first < r->len && !strchr("#\r\n", r->text[first])) {
			document.end = (uint32_t)line_end(r, at);
		}
	}
	if (document.end)
		*polc_vec_push(&r->polc->arena, blocks) = document;
}

static void yaml_comments(struct reading *r, spans *comments, spans *blocks)
{
	polc_places places = {0};

	polc_yaml_comment_places(&r->polc->arena, r->text, r->len, &places);
	for (size_t i = 0; i < places.n; i++)
		if (speaks_to_polc(r, places.items[i]))
			*polc_vec_push(&r->polc->arena, comments) =
				comment_span(r, places.items[i]);
	if (comments->n)
		yaml_documents(r, blocks);
}

/* How far they reach */

static struct polc_span line_scope(const struct reading *r, struct polc_span comment)
{
	size_t at = line_begin(r, comment.begin);

	while (at < r->len) {
		size_t first = skip_blanks(r, at);

		if (first < r->len && !strchr("#\r\n", r->text[first]))
			return (struct polc_span){
				r->source, (uint32_t)at, (uint32_t)line_end(r, at)};
		at = line_end(r, at) + 1;
	}
	return (struct polc_span){r->source, comment.end, comment.end};
}

static struct polc_span block_scope(
	const struct reading *r, struct polc_span comment, const spans *blocks)
{
	for (size_t i = 0; i < blocks->n; i++)
		if (blocks->items[i].end > comment.begin)
			return blocks->items[i];
	return (struct polc_span){r->source, comment.end, comment.end};
}

/* What they say */

static void complain(
	struct reading *r, struct polc_span span, const char *message, const char *suggestion)
{
	if (!r->report)
		return;
	struct polc_diagnostic *d =
		polc_error(r->polc, span, POLC_CODE_BAD_CONFIGURATION, "%s", message);

	if (suggestion)
		polc_diagnostic_suggest(r->polc, d, "%s", suggestion);
}

static void complain_about_name(
	struct reading *r, struct polc_span span, const char *name, const char *near)
{
	if (!r->report)
		return;
	struct polc_diagnostic *d = polc_error(r->polc, span, POLC_CODE_BAD_CONFIGURATION,
		"there is no warning and no lint called \"%s\"", name);

	if (near)
		polc_diagnostic_did_you_mean(r->polc, d, near);
}

/* One name of the list. Codes that are always errors cannot be suppressed. */
static bool read_name(struct reading *r, size_t begin, size_t end, struct polc_suppression *out)
{
	struct polc_span span = {r->source, (uint32_t)begin, (uint32_t)end};
	const char *name = polc_arena_strndup(&r->polc->arena, r->text + begin, end - begin);
	const char *near = NULL;
	enum polc_code code = polc_code_find(name, &near);

	if (!code) {
		complain_about_name(r, span, name, near);
		return false;
	}
	if (r->polc->levels && !r->polc->levels->defaults[code]) {
		complain(r, span,
			polc_arena_printf(&r->polc->arena,
				"%s is always an error: comments hide only warnings and lints",
				name),
			NULL);
		return false;
	}
	*polc_vec_push(&r->polc->arena, &out->codes) =
		(struct polc_suppressed_code){.code = code, .span = span};
	return true;
}

/* The names up to the parenthesis at `end`. */
static bool read_names(struct reading *r, size_t at, size_t end, struct polc_suppression *out)
{
	bool ok = true;

	while (at <= end) {
		const char *comma = memchr(r->text + at, ',', end - at);
		size_t stop = comma ? (size_t)(comma - r->text) : end, last = stop;

		at = skip_blanks(r, at);
		while (last > at && isspace((unsigned char)r->text[last - 1]))
			last--;
		if (at >= last) {
			complain(r, (struct polc_span){r->source, (uint32_t)stop, (uint32_t)stop},
				"the name of a warning or a lint is missing", NULL);
			return false;
		}
		ok &= read_name(r, at, last, out);
		at = stop + 1;
	}
	return ok;
}

static bool word_is(const struct reading *r, size_t at, size_t n, const char *word)
{
	return strlen(word) == n && !memcmp(r->text + at, word, n);
}

static const char form[] = "the form is '# polc: allow(NAME) REASON' or "
			   "'# polc: allow-policy(NAME) REASON'";

static void read_reason(struct reading *r, size_t at, struct polc_suppression *s)
{
	at = skip_blanks(r, at);
	if (at < s->span.end) {
		s->reason = polc_arena_strndup(&r->polc->arena, r->text + at, s->span.end - at);
		*polc_vec_push(&r->polc->arena, r->out) = *s;
		return;
	}
	if (!r->report)
		return;
	struct polc_diagnostic *d = polc_error(r->polc, s->span,
		POLC_CODE_SUPPRESSION_WITHOUT_REASON, "this comment gives no reason");

	polc_diagnostic_suggest(r->polc, d, "say behind it why this is as it should be");
}

/* `polc:` and then no word with a parenthesis is prose. */
static void read_comment(struct reading *r, struct polc_span comment, const spans *blocks)
{
	size_t at = skip_blanks(r, skip_blanks(r, comment.begin + 1) + 5), n = 0;
	struct polc_suppression s = {.span = comment};

	while (at + n < comment.end &&
		(isalnum((unsigned char)r->text[at + n]) || r->text[at + n] == '-'))
		n++;
	size_t open = skip_blanks(r, at + n);
	bool line = word_is(r, at, n, "allow"), policy = word_is(r, at, n, "allow-policy");

	if (!n || ((open >= comment.end || r->text[open] != '(') && !line && !policy))
		return;
	const char *close =
		open < comment.end ? memchr(r->text + open, ')', comment.end - open) : NULL;
	if ((!line && !policy) || !close || r->text[open] != '(') {
		complain(r, comment, "polc does not understand this comment", form);
		return;
	}
	s.scope = line ? line_scope(r, comment) : block_scope(r, comment, blocks);
	if (read_names(r, open + 1, (size_t)(close - r->text), &s))
		read_reason(r, (size_t)(close - r->text) + 1, &s);
}

void polc_suppressions_read(struct polc *polc, bool report, polc_suppressions *out)
{
	for (uint32_t i = 1; i < polc->sources.list.n; i++) {
		const struct polc_source *source = polc_source_get(&polc->sources, i);
		struct reading r = {polc, report, i, source->text, source->len, out};
		spans comments = {0}, blocks = {0};

		if (!memmem(source->text, source->len, "polc:", 5))
			continue;
		if (polc_source_is_pol(source))
			pol_comments(&r, &comments, &blocks);
		else
			yaml_comments(&r, &comments, &blocks);
		for (size_t k = 0; k < comments.n; k++)
			read_comment(&r, comments.items[k], &blocks);
	}
}
