/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * CelExpr: a boolean expression over the arguments of a hook, `argN` by position in `args`.
 * Integers are of 64 bits after they were extended from their type; uint64 stays apart, since no
 * integer of 64 bits holds both it and a signed value: such mixtures need a cast.
 *
 *     or      = and { "||" and }
 *     and     = compare { "&&" compare }
 *     compare = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
 *     sum     = unary { ("+" | "-") unary }
 *     unary   = { "!" | "-" } primary
 *     primary = number | "argN" | "(" or ")" | function "(" or { "," or } ")"
 *
 * Functions: int8 to int64 and uint8 to uint64 convert; and, or, xor, not work on bits.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lower_tracing.h"

enum { DEPTH_LIMIT = 64 };

struct parser {
	struct polc *polc;
	const struct polc_ast_text *text;
	const struct polc_trace_spec *spec;
	const char *p, *end;
	const char *word; /* that is being understood, or NULL */
	unsigned depth;
	bool failed;
};

typedef const struct polc_expression *node;

static node parse_or(struct parser *parser);

/* The place of `at` in the file: the rest of the text from there, when it stands there as it is. */
static bool place_of(const struct parser *parser, const char *at, struct polc_span *out)
{
	struct polc_span span = parser->text->span;
	size_t n = parser->text->n, offset = (size_t)(at - parser->text->text);
	const struct polc_source *source = polc_source_get(&parser->polc->sources, span.source);

	if (!span.source || span.begin >= source->len)
		return false;
	span.begin += source->text[span.begin] == '"' || source->text[span.begin] == '\'';
	if (span.begin + n > source->len ||
		memcmp(source->text + span.begin, parser->text->text, n))
		return false;
	out->source = span.source;
	out->begin = span.begin + (uint32_t)offset;
	out->end = span.begin + (uint32_t)(offset < n ? n : n + 1);
	return true;
}

/* The first thing that is wrong counts. */
static node fail(struct parser *parser, const char *fmt, ...) POLC_PRINTF(2, 3);
static node fail(struct parser *parser, const char *fmt, ...)
{
	va_list ap;

	if (parser->failed)
		return NULL;
	parser->failed = true;
	va_start(ap, fmt);
	const char *message = polc_arena_vprintf(&parser->polc->arena, fmt, ap);
	va_end(ap);
	const char *at = parser->word ? parser->word : parser->p;
	struct polc_span span = parser->text->span;
	bool placed = place_of(parser, at, &span);
	struct polc_diagnostic *d =
		polc_error(parser->polc, span, POLC_CODE_TRACE_EXPRESSION, "%s", message);

	if (!placed && at < parser->end)
		polc_diagnostic_suggest(parser->polc, d, "at character %zu: '%.24s'",
			(size_t)(at - parser->text->text) + 1, at);
	return NULL;
}

static void skip(struct parser *parser)
{
	while (parser->p < parser->end && isspace((unsigned char)*parser->p))
		parser->p++;
}

static bool take(struct parser *parser, const char *token)
{
	size_t n = strlen(token);

	skip(parser);
	if ((size_t)(parser->end - parser->p) < n || memcmp(parser->p, token, n))
		return false;
	parser->p += n;
	return true;
}

static bool is_boolean(node e)
{
	switch (e->op) {
	case POLC_EXPR_EQ:
	case POLC_EXPR_NE:
	case POLC_EXPR_LT:
	case POLC_EXPR_LE:
	case POLC_EXPR_GT:
	case POLC_EXPR_GE:
	case POLC_EXPR_AND:
	case POLC_EXPR_OR:
	case POLC_EXPR_NOT:
		return true;
	case POLC_EXPR_VALUE:
	case POLC_EXPR_CONSTANT:
	case POLC_EXPR_ADD:
	case POLC_EXPR_SUB:
	case POLC_EXPR_NEG:
	case POLC_EXPR_BIT_AND:
	case POLC_EXPR_BIT_OR:
	case POLC_EXPR_BIT_XOR:
	case POLC_EXPR_BIT_NOT:
	case POLC_EXPR_CAST:
		return false;
	}
	return false;
}

static bool is_uint64(node e)
{
	return e->width == 8 && !e->is_signed;
}

/* May stand beside a uint64. */
static bool fits_uint64(node e)
{
	return !e->is_signed || (e->op == POLC_EXPR_CONSTANT && e->constant >= 0);
}

static struct polc_expression *make(
	struct parser *parser, enum polc_expression_op op, node left, node right)
{
	struct polc_expression *e = POLC_NEW(&parser->polc->arena, struct polc_expression);

	e->op = op;
	e->left = left;
	e->right = right;
	e->width = 8;
	e->is_signed = true;
	return e;
}

/* Two integers: the result has 64 bits, of the sign that both have. */
static node make_integers(struct parser *parser, enum polc_expression_op op, node left, node right)
{
	if (!left || !right)
		return NULL;
	if (is_boolean(left) || is_boolean(right))
		return fail(parser, "an integer is needed on both sides");
	bool unsigned64 = is_uint64(left) || is_uint64(right);

	if (unsigned64 && (!fits_uint64(left) || !fits_uint64(right)))
		return fail(parser, "a uint64 and a signed value have no common type; convert one, "
				    "as in int64(arg0)");
	struct polc_expression *e = make(parser, op, left, right);

	e->is_signed = !unsigned64;
	return e;
}

static node make_logic(struct parser *parser, enum polc_expression_op op, node left, node right)
{
	if (!left || (op != POLC_EXPR_NOT && !right))
		return NULL;
	if (!is_boolean(left) || (right && !is_boolean(right)))
		return fail(parser, "a condition is needed here, not an integer");
	struct polc_expression *e = make(parser, op, left, right);

	e->width = 1;
	e->is_signed = false;
	return e;
}

/* --- primaries -----------------------------------------------------------------------------------
 */

static node parse_number(struct parser *parser)
{
	const char *start = parser->p;
	uint64_t value;

	while (parser->p < parser->end && isalnum((unsigned char)*parser->p))
		parser->p++;
	size_t n = (size_t)(parser->p - start);
	bool is_unsigned = n > 1 && (start[n - 1] == 'u' || start[n - 1] == 'U');

	if (polc_parse_integer(start, n - is_unsigned, 8, false, &value) != POLC_PARSED) {
		parser->p = start;
		return fail(parser, "not a number of 64 bits");
	}
	struct polc_expression *e = make(parser, POLC_EXPR_CONSTANT, NULL, NULL);

	e->constant = (int64_t)value;
	e->is_signed = !is_unsigned && value <= INT64_MAX;
	return e;
}

static node make_value(struct parser *parser, const char *word, size_t n)
{
	uint64_t number;

	if (polc_parse_integer(word + 3, n - 3, 4, false, &number) != POLC_PARSED)
		return fail(parser, "'%.*s' is no argument", (int)n, word);
	if (number >= parser->spec->n_args)
		return fail(parser, "'%.*s': the hook has %u argument%s", (int)n, word,
			parser->spec->n_args, parser->spec->n_args == 1 ? "" : "s");
	const struct polc_trace_value *value = &parser->spec->values.items[number];
	enum polb_trace_class class = polc_trace_type_class(value->type);

	if (class != POLB_CLASS_INT && class != POLB_CLASS_CAPS)
		return fail(parser, "'%.*s' is of type '%s', not an integer", (int)n, word,
			polc_trace_type_name(value->type));
	if (value->return_copy)
		return fail(parser, "'%.*s' is copied at the return", (int)n, word);
	struct polc_expression *e = make(parser, POLC_EXPR_VALUE, NULL, NULL);

	e->number = (uint32_t)number;
	e->width = (uint8_t)polc_trace_type_width(value->type);
	e->is_signed = polc_trace_type_signed(value->type);
	return e;
}

static const struct {
	const char *name;
	enum polc_expression_op op;
	uint8_t n_operands, width;
	bool is_signed;
} functions[] = {
	{"int8", POLC_EXPR_CAST, 1, 1, true},
	{"int16", POLC_EXPR_CAST, 1, 2, true},
	{"int32", POLC_EXPR_CAST, 1, 4, true},
	{"int64", POLC_EXPR_CAST, 1, 8, true},
	{"uint8", POLC_EXPR_CAST, 1, 1, false},
	{"uint16", POLC_EXPR_CAST, 1, 2, false},
	{"uint32", POLC_EXPR_CAST, 1, 4, false},
	{"uint64", POLC_EXPR_CAST, 1, 8, false},
	{"and", POLC_EXPR_BIT_AND, 2, 8, true},
	{"or", POLC_EXPR_BIT_OR, 2, 8, true},
	{"xor", POLC_EXPR_BIT_XOR, 2, 8, true},
	{"not", POLC_EXPR_BIT_NOT, 1, 8, true},
};

static node make_call(struct parser *parser, size_t function, node left, node right)
{
	if (functions[function].n_operands == 2)
		return make_integers(parser, functions[function].op, left, right);
	if (!left)
		return NULL;
	if (is_boolean(left))
		return fail(parser, "'%s' needs an integer", functions[function].name);
	struct polc_expression *e = make(parser, functions[function].op, left, NULL);

	if (e->op == POLC_EXPR_CAST) {
		e->width = functions[function].width;
		e->is_signed = functions[function].is_signed;
	} else {
		e->is_signed = !is_uint64(left);
	}
	return e;
}

static node parse_call(struct parser *parser, const char *word, size_t n)
{
	node left, right = NULL;
	size_t i = 0;

	while (i < POLC_ARRAY_SIZE(functions) &&
		(strlen(functions[i].name) != n || memcmp(functions[i].name, word, n)))
		i++;
	if (i == POLC_ARRAY_SIZE(functions))
		return fail(parser,
			"unknown function '%.*s'; there are int8 to int64, uint8 to uint64, and, "
			"or, xor, not",
			(int)n, word);
	parser->word = NULL;
	left = parse_or(parser);
	if (left && functions[i].n_operands == 2) {
		if (!take(parser, ","))
			return fail(parser, "'%s' needs two values", functions[i].name);
		right = parse_or(parser);
	}
	if (!parser->failed && !take(parser, ")"))
		return fail(parser, "')' is missing");
	return make_call(parser, i, left, right);
}

static node parse_word(struct parser *parser)
{
	const char *word = parser->p;

	while (parser->p < parser->end && (isalnum((unsigned char)*parser->p) || *parser->p == '_'))
		parser->p++;
	size_t n = (size_t)(parser->p - word);

	parser->word = word;
	if (take(parser, "("))
		return parse_call(parser, word, n);
	if (n > 3 && !memcmp(word, "arg", 3)) {
		node value = make_value(parser, word, n);

		parser->word = NULL;
		return value;
	}
	return fail(parser, "unknown word '%.*s'; values are arg0, arg1 and so on", (int)n, word);
}

static node parse_primary(struct parser *parser)
{
	skip(parser);
	if (parser->p == parser->end)
		return fail(parser, "the expression ends too early");
	if (isdigit((unsigned char)*parser->p))
		return parse_number(parser);
	if (isalpha((unsigned char)*parser->p))
		return parse_word(parser);
	if (!take(parser, "("))
		return fail(parser, "a value is missing");
	node e = parse_or(parser);

	if (e && !take(parser, ")"))
		return fail(parser, "')' is missing");
	return e;
}

/* --- operators -----------------------------------------------------------------------------------
 */

static node negate(struct parser *parser, node e)
{
	if (!e)
		return NULL;
	if (is_boolean(e) || is_uint64(e))
		return fail(parser, "'-' needs a signed integer");
	if (e->op != POLC_EXPR_CONSTANT)
		return make(parser, POLC_EXPR_NEG, e, NULL);
	struct polc_expression *constant = make(parser, POLC_EXPR_CONSTANT, NULL, NULL);

	constant->constant = -e->constant;
	return constant;
}

static node parse_unary(struct parser *parser)
{
	node e;

	if (++parser->depth > DEPTH_LIMIT)
		return fail(parser, "nested more than %d deep", DEPTH_LIMIT);
	skip(parser);
	if (parser->end - parser->p >= 2 && !memcmp(parser->p, "!=", 2))
		e = fail(parser, "a value is missing");
	else if (take(parser, "!"))
		e = make_logic(parser, POLC_EXPR_NOT, parse_unary(parser), NULL);
	else if (take(parser, "-"))
		e = negate(parser, parse_unary(parser));
	else
		e = parse_primary(parser);
	parser->depth--;
	return e;
}

static node parse_sum(struct parser *parser)
{
	node e = parse_unary(parser);

	while (e) {
		if (take(parser, "+"))
			e = make_integers(parser, POLC_EXPR_ADD, e, parse_unary(parser));
		else if (take(parser, "-"))
			e = make_integers(parser, POLC_EXPR_SUB, e, parse_unary(parser));
		else
			break;
	}
	return e;
}

static node parse_compare(struct parser *parser)
{
	static const struct {
		const char *token;
		enum polc_expression_op op;
	} operators[] = {
		{"==", POLC_EXPR_EQ},
		{"!=", POLC_EXPR_NE},
		{"<=", POLC_EXPR_LE},
		{">=", POLC_EXPR_GE},
		{"<", POLC_EXPR_LT},
		{">", POLC_EXPR_GT},
	};
	node left = parse_sum(parser);

	for (size_t i = 0; left && i < POLC_ARRAY_SIZE(operators); i++) {
		if (!take(parser, operators[i].token))
			continue;
		/* its width and sign say how the operands compare */
		return make_integers(parser, operators[i].op, left, parse_sum(parser));
	}
	return left;
}

static node parse_and(struct parser *parser)
{
	node e = parse_compare(parser);

	while (e && take(parser, "&&"))
		e = make_logic(parser, POLC_EXPR_AND, e, parse_compare(parser));
	return e;
}

static node parse_or(struct parser *parser)
{
	if (++parser->depth > DEPTH_LIMIT)
		return fail(parser, "nested more than %d deep", DEPTH_LIMIT);
	node e = parse_and(parser);

	while (e && take(parser, "||"))
		e = make_logic(parser, POLC_EXPR_OR, e, parse_and(parser));
	parser->depth--;
	return e;
}

const struct polc_expression *polc_trace_expression(
	struct polc *polc, const struct polc_ast_text *text, const struct polc_trace_spec *spec)
{
	struct parser parser = {.polc = polc, .text = text, .spec = spec};

	parser.p = text->text;
	parser.end = text->text + text->n;
	node e = parse_or(&parser);

	skip(&parser);
	if (e && parser.p < parser.end)
		return fail(&parser, "unexpected text after the expression");
	if (e && !is_boolean(e))
		return fail(&parser, "the expression must be a condition, such as arg0 == 1");
	return e;
}
