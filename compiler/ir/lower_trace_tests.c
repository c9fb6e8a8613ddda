/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Operators of matchArgs, matchData and matchReturnArgs on values (reference 1.5): one table says
 * on which classes of types an operator makes sense and what reads its values.
 */
#include <string.h>
#include <strings.h>

#include "lower_trace_tests.h"

/* --- the table -----------------------------------------------------------------------------------
 */

static bool read_expression(struct polc_test_context *c)
{
	c->test->expression = polc_trace_expression(
		c->scope->l->polc, &c->filter->values.items[0], &c->scope->spec);
	return c->test->expression;
}

static bool read_nothing(struct polc_test_context *c)
{
	(void)c;
	return true;
}

#define BIT(class) (1u << POLB_CLASS_##class)
#define NUMBERS (BIT(INT) | BIT(CAPS))
#define TEXTS (BIT(STRING) | BIT(BYTES) | BIT(PATH) | BIT(UNIX))
#define STRINGS(word, not, op)                                                                     \
	{                                                                                          \
		word, POLC_TEST_STRING, polc_trace_read_strings, TEXTS, not,                       \
			.string_op = POLC_STRING_##op,                                             \
			.maps = POLC_STRING_##op >= POLC_STRING_SUBSTRING ? POLC_MAP_SUBSTRINGS    \
									  : 0                      \
	}
#define NETWORK(word, kind, read, not, destination, maps)                                          \
	{                                                                                          \
		word, POLC_TEST_##kind, read, BIT(NET), not, destination, 0, maps                  \
	}

static const struct polc_trace_operation operations[] = {
	{"Equal", POLC_TEST_INTERVALS, polc_trace_read_equal, NUMBERS | TEXTS, .negate = false},
	{"NotEqual", POLC_TEST_INTERVALS, polc_trace_read_equal, NUMBERS | TEXTS, .negate = true},
	STRINGS("Prefix", false, PREFIX),
	STRINGS("NotPrefix", true, PREFIX),
	STRINGS("Postfix", false, POSTFIX),
	STRINGS("NotPostfix", true, POSTFIX),
	STRINGS("SubString", false, SUBSTRING),
	STRINGS("SubStringIgnCase", false, SUBSTRING_FOLDED),
	STRINGS("SubStringIgnoreCase", false, SUBSTRING_FOLDED),
	{"GreaterThan", POLC_TEST_INTERVALS, polc_trace_read_greater, NUMBERS, .negate = false},
	{"GT", POLC_TEST_INTERVALS, polc_trace_read_greater, NUMBERS, .negate = false},
	{"LessThan", POLC_TEST_INTERVALS, polc_trace_read_less, NUMBERS, .negate = false},
	{"LT", POLC_TEST_INTERVALS, polc_trace_read_less, NUMBERS, .negate = false},
	{"Mask", POLC_TEST_MASK, polc_trace_read_mask, NUMBERS, .negate = false},
	{"InRange", POLC_TEST_INTERVALS, polc_trace_read_ranges, NUMBERS, .negate = false},
	{"NotInRange", POLC_TEST_INTERVALS, polc_trace_read_ranges, NUMBERS, .negate = true},
	{"InMap", POLC_TEST_INTERVALS, polc_trace_read_map, NUMBERS, .negate = false,
		.maps = POLC_MAP_VALUES},
	{"NotInMap", POLC_TEST_INTERVALS, polc_trace_read_map, NUMBERS, .negate = true,
		.maps = POLC_MAP_VALUES},
	NETWORK("SAddr", ADDRESS, polc_trace_read_addresses, false, false, POLC_MAP_ADDRESSES),
	NETWORK("NotSAddr", ADDRESS, polc_trace_read_addresses, true, false, POLC_MAP_ADDRESSES),
	NETWORK("DAddr", ADDRESS, polc_trace_read_addresses, false, true, POLC_MAP_ADDRESSES),
	NETWORK("NotDAddr", ADDRESS, polc_trace_read_addresses, true, true, POLC_MAP_ADDRESSES),
	NETWORK("SPort", PORT, polc_trace_read_ports, false, false, POLC_MAP_VALUES),
	NETWORK("NotSPort", PORT, polc_trace_read_ports, true, false, POLC_MAP_VALUES),
	NETWORK("DPort", PORT, polc_trace_read_ports, false, true, POLC_MAP_VALUES),
	NETWORK("NotDPort", PORT, polc_trace_read_ports, true, true, POLC_MAP_VALUES),
	NETWORK("SPortPriv", PORT, polc_trace_read_privileged_ports, false, false, 0),
	NETWORK("NotSPortPriv", PORT, polc_trace_read_privileged_ports, true, false, 0),
	NETWORK("DPortPriv", PORT, polc_trace_read_privileged_ports, false, true, 0),
	NETWORK("NotDPortPriv", PORT, polc_trace_read_privileged_ports, true, true, 0),
	NETWORK("Protocol", PROTOCOL, polc_trace_read_protocols, false, false, POLC_MAP_VALUES),
	{"Family", POLC_TEST_FAMILY, polc_trace_read_families, BIT(NET) | BIT(UNIX),
		.negate = false, .maps = POLC_MAP_VALUES},
	NETWORK("State", STATE, polc_trace_read_states, false, false, POLC_MAP_VALUES),
	{"CapabilitiesGained", POLC_TEST_CAPS_GAINED, read_nothing, BIT(CAPS), .negate = false},
	{"FileType", POLC_TEST_FILE_TYPE, polc_trace_read_file_types, BIT(PATH), .negate = false},
	{"NotFileType", POLC_TEST_FILE_TYPE, polc_trace_read_file_types, BIT(PATH), .negate = true},
	{"CelExpr", POLC_TEST_EXPRESSION, read_expression, ~0u, .negate = false},
};

static const struct polc_trace_operation *find_operation(
	struct polc *polc, const struct polc_ast_text *op)
{
	const char *names[POLC_ARRAY_SIZE(operations)];

	for (size_t i = 0; i < POLC_ARRAY_SIZE(operations); i++) {
		names[i] = operations[i].word;
		if (op->text && !strcasecmp(operations[i].word, op->text))
			return &operations[i];
	}
	const char *word = op->text ? op->text : "";
	const char *near = polc_nearest(word, names, POLC_ARRAY_SIZE(operations));
	struct polc_diagnostic *d = polc_error(
		polc, op->span, POLC_CODE_TRACE_OPERATOR, "'%s' is no operator on values", word);

	if (near)
		polc_diagnostic_suggest(polc, d, "did you mean '%s'?", near);
	return NULL;
}

/* Types that lack what others of their class have. */
static bool type_has(uint8_t type, const struct polc_trace_operation *operation)
{
	bool sockaddr = type == POLB_TYPE_SOCKADDR;

	switch (operation->kind) {
	case POLC_TEST_ADDRESS:
	case POLC_TEST_PORT:
		return !sockaddr || !operation->destination;
	case POLC_TEST_PROTOCOL:
		return !sockaddr;
	case POLC_TEST_STATE:
		return !sockaddr && type != POLB_TYPE_SKB;
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_STRING:
	case POLC_TEST_FILE_TYPE:
	case POLC_TEST_FAMILY:
	case POLC_TEST_CAPS_GAINED:
	case POLC_TEST_EXPRESSION:
	case POLC_TEST_PIDS:
	case POLC_TEST_BINARY:
	case POLC_TEST_NAMESPACE:
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_CAPABILITY_CHANGES:
	case POLC_TEST_WORKLOAD:
		return true;
	}
	return true;
}

static bool applies(const struct polc_trace_operation *operation, uint8_t type)
{
	return operation->classes >> polc_trace_type_class(type) & 1 && type_has(type, operation);
}

/* Another word for one that stands before it in the table. */
static bool is_alias(size_t i)
{
	const struct polc_trace_operation *a = &operations[i], *b = &operations[i ? i - 1 : 0];

	return i && a->kind == b->kind && a->read == b->read && a->negate == b->negate &&
	       a->string_op == b->string_op && a->destination == b->destination;
}

static void suggest_operators(struct polc *polc, struct polc_diagnostic *d, uint8_t type)
{
	struct polc_buf words = {.arena = &polc->arena};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(operations); i++)
		if (applies(&operations[i], type) && !is_alias(i) &&
			operations[i].kind != POLC_TEST_EXPRESSION)
			polc_buf_printf(&words, "%s%s", words.n ? ", " : "", operations[i].word);
	if (words.n)
		polc_diagnostic_suggest(
			polc, d, "type '%s' has %s", polc_trace_type_name(type), words.p);
	else
		polc_diagnostic_suggest(polc, d, "no operator compares it");
}

static bool operator_applies(struct polc_test_context *c)
{
	uint8_t type = c->value->type;

	if (applies(c->operation, type))
		return true;
	if (c->value->failed)
		return false;
	struct polc_diagnostic *d = polc_error(c->scope->l->polc, c->filter->op.span,
		POLC_CODE_TRACE_OPERATOR, "operator '%s' does not apply to type '%s'",
		c->operation->word, polc_trace_type_name(type));

	suggest_operators(c->scope->l->polc, d, type);
	return false;
}

/* --- which value ---------------------------------------------------------------------------------
 */

static bool position(struct polc_trace_scope *scope, const struct polc_ast_filter *filter,
	const struct polc_ast_number *number, uint32_t *out)
{
	bool data = filter->kind == POLC_FILTER_DATA;
	uint32_t n = data ? scope->spec.n_data : scope->spec.n_args;

	if (number->value >= 0 && number->value < n) {
		*out = (uint32_t)number->value + (data ? scope->spec.n_args : 0);
		return true;
	}
	polc_error(scope->l->polc, number->written ? number->span : filter->span,
		POLC_CODE_TRACE_INDEX, "position %lld: the hook has %u %s",
		(long long)number->value, n, data ? "entries of data" : "args");
	return false;
}

static bool find_value(struct polc_trace_scope *scope, const struct polc_ast_filter *filter,
	const struct polc_trace_operation *operation, struct polc_trace_test *test)
{
	size_t wanted = operation->kind == POLC_TEST_CAPS_GAINED ? 2 : 1;

	if (filter->kind == POLC_FILTER_RETURN_ARGS) {
		test->value = (uint32_t)scope->spec.values.n - 1;
		if (scope->spec.has_return_value && wanted == 1)
			return true;
		polc_error(scope->l->polc, filter->span, POLC_CODE_TRACE_SELECTOR,
			wanted == 1 ? "matchReturnArgs needs returnArg"
				    : "CapabilitiesGained compares two args");
		return false;
	}
	if (!filter->args.n && wanted == 1 && filter->kind == POLC_FILTER_ARGS)
		return polc_trace_find_argument(scope, &filter->index,
			filter->index.written ? filter->index.span : filter->span, &test->value);
	if (!filter->args.n && wanted == 1)
		return position(scope, filter, &filter->index, &test->value);
	if (filter->args.n != wanted) {
		polc_error(scope->l->polc, filter->span, POLC_CODE_TRACE_SELECTOR,
			"operator '%s' needs %zu position%s in 'args'", operation->word, wanted,
			wanted == 1 ? "" : "s");
		return false;
	}
	return position(scope, filter, &filter->args.items[0], &test->value) &&
	       (wanted == 1 || position(scope, filter, &filter->args.items[1], &test->other));
}

static bool check_number_of_values(struct polc *polc, const struct polc_ast_filter *filter,
	const struct polc_trace_operation *operation)
{
	bool none = operation->read == polc_trace_read_privileged_ports ||
		    operation->read == read_nothing;

	if (none && filter->values.n) {
		polc_error(polc, filter->values.items[0].span, POLC_CODE_TRACE_VALUE,
			"operator '%s' takes no values", operation->word);
		return false;
	}
	if (!none && !filter->values.n) {
		polc_error(polc, filter->span, POLC_CODE_TRACE_VALUE, "operator '%s' needs a value",
			operation->word);
		return false;
	}
	if (operation->kind == POLC_TEST_EXPRESSION && filter->values.n > 1) {
		polc_error(polc, filter->values.items[1].span, POLC_CODE_TRACE_VALUE,
			"operator 'CelExpr' takes one expression");
		return false;
	}
	return true;
}

static bool readable_at_entry(struct polc_test_context *c)
{
	if (!c->value->return_copy || c->filter->kind == POLC_FILTER_RETURN_ARGS)
		return true;
	polc_error(c->scope->l->polc, c->filter->span, POLC_CODE_TRACE_OPERATOR,
		"a value with returnCopy is read at the return: it cannot be tested at entry");
	return false;
}

/* A second value behind a long first one (T5). */
static void position_delta(struct polc_test_context *c)
{
	for (uint32_t i = 0; i < c->test->value && c->filter->kind == POLC_FILTER_ARGS; i++) {
		enum polb_trace_class class =
			polc_trace_type_class(c->scope->spec.values.items[i].type);

		if (class == POLB_CLASS_STRING || class == POLB_CLASS_BYTES ||
			class == POLB_CLASS_PATH)
			polc_trace_delta(c->scope->l, c->filter->span, "T5");
	}
}

/* What is compared is less than, or something else than, what the kernel has. */
static void warn_numbers(struct polc_test_context *c)
{
	const struct polc_value_type *type = &c->value->c_type;
	bool ordered = c->operation->read == polc_trace_read_greater ||
		       c->operation->read == polc_trace_read_less ||
		       c->operation->read == polc_trace_read_ranges;

	if (c->test->kind != POLC_TEST_INTERVALS ||
		polc_trace_type_class(c->value->type) != POLB_CLASS_INT || c->value->n_steps ||
		type->kind != POLC_VALUE_INT || c->value->origin != POLC_ORIGIN_ARGUMENT)
		return;
	if (type->size > polc_trace_type_width(c->value->type))
		polc_warn(c->scope->l->polc, c->filter->span, POLC_CODE_TRACE_SIGNATURE,
			"only the low %u of %u bytes of this argument are compared: it is '%s', "
			"declared as '%s'",
			polc_trace_type_width(c->value->type), type->size,
			polc_value_type_text(&c->scope->l->polc->arena, type),
			polc_trace_type_name(c->value->type));
	else if (type->size == polc_trace_type_width(c->value->type) &&
		 type->is_signed != polc_trace_type_signed(c->value->type) && ordered)
		polc_warn(c->scope->l->polc, c->filter->span, POLC_CODE_TRACE_SIGNATURE,
			"this argument is compared %s sign: it is '%s', declared as '%s'",
			polc_trace_type_signed(c->value->type) ? "with" : "without",
			polc_value_type_text(&c->scope->l->polc->arena, type),
			polc_trace_type_name(c->value->type));
}

static bool lower_on_value(struct polc_test_context *c)
{
	polc_trace_values *values = &c->scope->spec.values;

	c->value = &values->items[c->test->value];
	if (!operator_applies(c) || !readable_at_entry(c))
		return false;
	position_delta(c);
	warn_numbers(c);
	if (c->test->kind != POLC_TEST_CAPS_GAINED)
		return c->operation->read(c);
	c->value = &values->items[c->test->other];
	return operator_applies(c) && readable_at_entry(c);
}

bool polc_trace_read_on_error(
	struct polc *polc, const struct polc_ast_filter *filter, enum polc_on_error *out)
{
	static const char *const words[] = {"nomatch", "match", "deny"};

	if (!filter->on_error.text || !*filter->on_error.text)
		return true;
	for (unsigned i = 0; i < POLC_ARRAY_SIZE(words); i++) {
		if (!strcmp(words[i], filter->on_error.text)) {
			*out = (enum polc_on_error)i;
			return true;
		}
	}
	polc_error(polc, filter->on_error.span, POLC_CODE_TRACE_VALUE,
		"'%s' is none of match, nomatch and deny", filter->on_error.text);
	return false;
}

bool polc_trace_lower_value_test(struct polc_trace_scope *scope,
	const struct polc_ast_filter *filter, struct polc_trace_test *out)
{
	const struct polc_trace_operation *operation = find_operation(scope->l->polc, &filter->op);
	struct polc_test_context c = {scope, filter, operation, NULL, out};

	*out = (struct polc_trace_test){.span = filter->span};
	if (!operation || !check_number_of_values(scope->l->polc, filter, operation) ||
		!polc_trace_read_on_error(scope->l->polc, filter, &out->on_error))
		return false;
	out->kind = operation->kind;
	out->negate = operation->negate;
	scope->maps |= operation->maps;
	if (operation->kind == POLC_TEST_EXPRESSION) {
		if (filter->kind == POLC_FILTER_ARGS)
			return operation->read(&c);
		polc_error(scope->l->polc, filter->op.span, POLC_CODE_TRACE_OPERATOR,
			"operator 'CelExpr' is for matchArgs");
		return false;
	}
	bool ok = find_value(scope, filter, operation, out) && lower_on_value(&c);

	polc_intervals_normalise(&out->intervals);
	return ok;
}
