/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The values of filters on values (reference 1.5): numbers within the width and sign of their
 * type, ranges, lists of system calls, strings, addresses, ports and words.
 */
#include <string.h>

#include "lower_trace_tests.h"

/* --- integers ------------------------------------------------------------------------------------
 */

static bool is_integer(const struct polc_test_context *c)
{
	return polc_trace_type_class(c->value->type) == POLB_CLASS_INT;
}

static unsigned width(const struct polc_test_context *c)
{
	return polc_trace_type_width(c->value->type);
}

static bool is_signed(const struct polc_test_context *c)
{
	return polc_trace_type_signed(c->value->type);
}

static void bad_value(struct polc_test_context *c, const struct polc_ast_text *text,
	enum polc_parsed parsed, const char *what)
{
	if (parsed == POLC_PARSED_RANGE)
		polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
			"'%s' does not fit into '%s'", text->text,
			polc_trace_type_name(c->value->type));
	else
		polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE, "'%s' is no %s",
			text->text, what);
}

/* One number of the value's type; capability names where they make sense. */
static enum polc_parsed parse_number(
	const struct polc_test_context *c, const char *text, size_t n, uint64_t *out)
{
	unsigned capability;

	if (!is_integer(c))
		return polc_parse_capabilities(text, n, out);
	if (polc_parse_capability(text, n, &capability)) {
		*out = capability;
		return POLC_PARSED;
	}
	return polc_parse_integer(text, n, width(c), is_signed(c), out);
}

static const char *number_noun(const struct polc_test_context *c)
{
	return is_integer(c) ? "number" : "number and no list of capabilities";
}

static bool read_number(
	struct polc_test_context *c, const struct polc_ast_text *text, uint64_t *out)
{
	enum polc_parsed parsed = parse_number(c, text->text, text->n, out);

	if (parsed == POLC_PARSED)
		return true;
	bad_value(c, text, parsed, number_noun(c));
	return false;
}

static void add_interval(struct polc_test_context *c, uint64_t lo, uint64_t hi)
{
	polc_intervals_add(
		&c->scope->l->polc->arena, &c->test->intervals, (struct polc_interval){lo, hi});
}

static void add_number(struct polc_test_context *c, uint64_t number)
{
	uint64_t key = polc_interval_key(number, is_signed(c));

	add_interval(c, key, key);
}

/* "5" or "min:max", both inclusive. */
static bool read_range(struct polc_test_context *c, const struct polc_ast_text *text, bool single)
{
	const char *colon = memchr(text->text, ':', text->n);
	uint64_t lo, hi;

	if (!colon && single) {
		if (!read_number(c, text, &lo))
			return false;
		add_number(c, lo);
		return true;
	}
	size_t n = colon ? (size_t)(colon - text->text) : text->n;
	enum polc_parsed first = parse_number(c, text->text, n, &lo);
	enum polc_parsed second =
		colon ? parse_number(c, colon + 1, text->n - n - 1, &hi) : POLC_PARSED_NOT;

	if (first != POLC_PARSED || second != POLC_PARSED) {
		bool range = first != POLC_PARSED_NOT && second != POLC_PARSED_NOT;

		bad_value(c, text, range ? POLC_PARSED_RANGE : POLC_PARSED_NOT, "range min:max");
		return false;
	}
	lo = polc_interval_key(lo, is_signed(c));
	hi = polc_interval_key(hi, is_signed(c));
	if (lo > hi) {
		polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
			"the range '%s' is empty", text->text);
		return false;
	}
	add_interval(c, lo, hi);
	return true;
}

/* Sign and width where Tetragon compares something else (T10). */
static void number_delta(struct polc_test_context *c, bool ordered)
{
	bool narrow = is_integer(c) && is_signed(c) && width(c) < 4;

	if (c->value->type == POLB_TYPE_SIZE_T || (narrow && ordered))
		polc_trace_delta(c->scope->l, c->filter->span, "T10");
}

static bool read_equal_numbers(struct polc_test_context *c)
{
	bool narrow = is_integer(c) && is_signed(c) && width(c) < 4;
	uint64_t number;

	number_delta(c, false);
	for (size_t i = 0; i < c->filter->values.n; i++) {
		if (!read_number(c, &c->filter->values.items[i], &number))
			return false;
		if (narrow && (int64_t)number < 0)
			polc_trace_delta(c->scope->l, c->filter->span, "T10");
		add_number(c, number);
	}
	return true;
}

/* Everything strictly beyond each value, on one side of it. */
static bool read_beyond(struct polc_test_context *c, bool greater)
{
	struct polc_interval domain = polc_interval_domain(width(c), is_signed(c));
	uint64_t number;

	number_delta(c, true);
	for (size_t i = 0; i < c->filter->values.n; i++) {
		const struct polc_ast_text *text = &c->filter->values.items[i];

		if (!read_number(c, text, &number))
			return false;
		number = polc_interval_key(number, is_signed(c));
		if (number == (greater ? domain.hi : domain.lo)) {
			polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
				"no '%s' is %s than %s", polc_trace_type_name(c->value->type),
				greater ? "greater" : "less", text->text);
			return false;
		}
		if (greater)
			add_interval(c, number + 1, domain.hi);
		else
			add_interval(c, domain.lo, number - 1);
	}
	return true;
}

bool polc_trace_read_greater(struct polc_test_context *c)
{
	return read_beyond(c, true);
}

bool polc_trace_read_less(struct polc_test_context *c)
{
	return read_beyond(c, false);
}

/* Bits: a negative number or one of another sign is meant as its bits. */
bool polc_trace_read_mask(struct polc_test_context *c)
{
	uint64_t number, all = width(c) == 8 ? UINT64_MAX : (1ull << (8 * width(c))) - 1;

	for (size_t i = 0; i < c->filter->values.n; i++) {
		const struct polc_ast_text *text = &c->filter->values.items[i];
		enum polc_parsed parsed = parse_number(c, text->text, text->n, &number);

		if (parsed == POLC_PARSED_RANGE)
			parsed = polc_parse_integer(text->text, text->n, width(c), false, &number);
		if (parsed != POLC_PARSED) {
			bad_value(c, text, parsed, number_noun(c));
			return false;
		}
		c->test->mask |= number & all;
	}
	if (!c->test->mask) {
		polc_error(c->scope->l->polc, c->filter->span, POLC_CODE_TRACE_VALUE,
			"a mask without bits never matches");
		return false;
	}
	return true;
}

bool polc_trace_read_ranges(struct polc_test_context *c)
{
	number_delta(c, true);
	if (width(c) == 8 && !is_signed(c))
		polc_trace_delta(c->scope->l, c->filter->span, "T10");
	for (size_t i = 0; i < c->filter->values.n; i++)
		if (!read_range(c, &c->filter->values.items[i], false))
			return false;
	return true;
}

/* --- InMap ---------------------------------------------------------------------------------------
 */

static bool is_system_call_number(const struct polc_test_context *c)
{
	return c->value->type == POLB_TYPE_SYSCALL64 ||
	       (width(c) == 8 && !is_signed(c) && c->value->field &&
		       !strcmp(c->scope->hook->subsystem.text, "raw_syscalls"));
}

static void add_system_call(struct polc_test_context *c, const struct polc_syscall *call)
{
	uint64_t number = call->number;

	if (call->abi == POLC_ABI_I386)
		number |= 0x80000000;
	add_number(c, number);
}

/* Entries of a list without a type are system calls here: nothing else has a number. */
static bool add_untyped_list(struct polc_test_context *c, const struct polc_ast_list *list)
{
	for (size_t i = 0; i < list->values.n; i++) {
		const struct polc_ast_text *text = &list->values.items[i];
		struct polc_syscall call;

		if (!polc_syscall_parse(text->text, &call) || call.number == UINT32_MAX) {
			polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_LIST,
				"'%s' is no system call", text->text);
			return false;
		}
		add_system_call(c, &call);
	}
	return true;
}

static bool read_list(struct polc_test_context *c, const struct polc_ast_text *text)
{
	const struct polc_ast_list *list = polc_trace_find_list(c->scope->l, text);
	polc_trace_symbols symbols = {0};

	if (!list)
		return false;
	if (!is_system_call_number(c)) {
		polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
			"a list of system calls needs type 'syscall64', not '%s'",
			polc_trace_type_name(c->value->type));
		return false;
	}
	if (c->value->type != POLB_TYPE_SYSCALL64) {
		polc_trace_delta(c->scope->l, text->span, "P1");
		c->value->type = POLB_TYPE_SYSCALL64;
	}
	if (polc_trace_list_has_syscalls(list))
		polc_trace_list_symbols(c->scope->l, list, &symbols);
	else if (!list->type.text || !*list->type.text)
		return add_untyped_list(c, list);
	else
		polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
			"list '%s' has no system calls", list->name.text);
	for (size_t i = 0; i < symbols.n; i++)
		add_system_call(c, &symbols.items[i].syscall);
	return symbols.n;
}

bool polc_trace_read_map(struct polc_test_context *c)
{
	number_delta(c, false);
	for (size_t i = 0; i < c->filter->values.n; i++) {
		const struct polc_ast_text *text = &c->filter->values.items[i];

		if (polc_trace_is_list(text)) {
			if (!read_list(c, text))
				return false;
			continue;
		}
		if (*text->text == '-' || (*text->text == '0' && text->n > 1))
			polc_trace_delta(c->scope->l, text->span, "T10");
		if (!read_range(c, text, true))
			return false;
	}
	return true;
}

/* --- strings -------------------------------------------------------------------------------------
 */

bool polc_trace_check_length(struct polc *polc, struct polc_span span, const struct polc_string *s,
	enum polc_string_op op)
{
	size_t max = op == POLC_STRING_PREFIX    ? POLB_PREFIX_BYTES
		     : op == POLC_STRING_POSTFIX ? POLB_POSTFIX_BYTES
						 : POLB_PATH_BYTES;

	if (s->n <= max)
		return true;
	polc_error(polc, span, POLC_CODE_LIMIT, "a text of %zu bytes: at most %zu are compared%s",
		s->n, max,
		op == POLC_STRING_PREFIX    ? " by a prefix"
		: op == POLC_STRING_POSTFIX ? " by a postfix"
					    : "");
	return false;
}

static bool check_text(
	struct polc_test_context *c, const struct polc_ast_text *text, const struct polc_string *s)
{
	struct polc *polc = c->scope->l->polc;
	bool bytes = polc_trace_type_class(c->value->type) == POLB_CLASS_BYTES;

	if (!s->n && c->test->string_op != POLC_STRING_EQUAL) {
		polc_error(
			polc, text->span, POLC_CODE_TRACE_VALUE, "an empty text is in every value");
		return false;
	}
	if (!bytes && memchr(s->bytes, 0, s->n)) {
		polc_error(polc, text->span, POLC_CODE_TRACE_VALUE,
			"a value of type '%s' never holds a NUL",
			polc_trace_type_name(c->value->type));
		return false;
	}
	return polc_trace_check_length(polc, text->span, s, c->test->string_op);
}

static const char *fold(struct polc_arena *arena, const char *text, size_t n)
{
	char *copy = polc_arena_strndup(arena, text, n);

	for (size_t i = 0; i < n; i++)
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] - 'A' + 'a');
	return copy;
}

static void string_deltas(
	struct polc_test_context *c, const struct polc_ast_text *text, size_t trimmed)
{
	struct polc_trace_lowering *l = c->scope->l;

	if (trimmed && c->value->type != POLB_TYPE_STRING)
		polc_trace_delta(l, text->span, "T42");
	switch (c->value->type) {
	case POLB_TYPE_FILENAME:
	case POLB_TYPE_KIOCB:
	case POLB_TYPE_CHAR_IOVEC:
	case POLB_TYPE_IOV_ITER:
		polc_trace_delta(l, c->filter->span, "T9");
		break;
	case POLB_TYPE_SOCKADDR_UN:
		if (text->text[0] == '@')
			polc_trace_delta(l, text->span, "T39");
		break;
	default:
		break;
	}
}

bool polc_trace_read_strings(struct polc_test_context *c)
{
	struct polc_arena *arena = &c->scope->l->polc->arena;

	c->test->string_op = c->operation->string_op;
	for (size_t i = 0; i < c->filter->values.n; i++) {
		const struct polc_ast_text *text = &c->filter->values.items[i];
		struct polc_string s = {text->text, text->n};

		while (s.n && !s.bytes[s.n - 1])
			s.n--;
		string_deltas(c, text, text->n - s.n);
		if (!check_text(c, text, &s))
			return false;
		if (c->test->string_op == POLC_STRING_SUBSTRING_FOLDED)
			s.bytes = fold(arena, s.bytes, s.n);
		*polc_vec_push(arena, &c->test->strings) = s;
	}
	polc_strings_normalise(&c->test->strings);
	return true;
}

/* Equal and NotEqual: by the class of the value. */
bool polc_trace_read_equal(struct polc_test_context *c)
{
	enum polb_trace_class class = polc_trace_type_class(c->value->type);

	if (class == POLB_CLASS_INT || class == POLB_CLASS_CAPS)
		return read_equal_numbers(c);
	c->test->kind = POLC_TEST_STRING;
	return polc_trace_read_strings(c);
}

bool polc_trace_read_file_types(struct polc_test_context *c)
{
	for (size_t i = 0; i < c->filter->values.n; i++) {
		const struct polc_ast_text *text = &c->filter->values.items[i];
		unsigned type;

		if (!polc_parse_file_type(text->text, text->n, &type)) {
			polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
				"'%s' is no type of file: reg, dir, lnk, blk, chr, fifo or sock",
				text->text);
			return false;
		}
		add_interval(c, type, type);
	}
	return true;
}

/* --- network -------------------------------------------------------------------------------------
 */

/* IPv4 written as ::ffff:a.b.c.d is IPv4 (reference T36). */
static void unmap(struct polb_prefix *prefix)
{
	if (prefix->len < 96 || !polb_addr_is_v4_mapped(&prefix->addr))
		return;
	struct polb_addr addr = {.family = 4};

	memcpy(addr.bytes, prefix->addr.bytes + 12, 4);
	prefix->addr = addr;
	prefix->len = (uint8_t)(prefix->len - 96);
}

bool polc_trace_read_addresses(struct polc_test_context *c)
{
	unsigned families = 0;

	c->test->destination = c->operation->destination;
	for (size_t i = 0; i < c->filter->values.n; i++) {
		const struct polc_ast_text *text = &c->filter->values.items[i];
		struct polb_prefix prefix;

		if (polb_prefix_parse(text->text, true, &prefix) < 0) {
			polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
				"'%s' is neither an address nor a network", text->text);
			return false;
		}
		unmap(&prefix);
		families |= prefix.addr.family;
		*polc_vec_push(&c->scope->l->polc->arena, &c->test->prefixes) = prefix;
	}
	polc_prefixes_normalise(&c->test->prefixes);
	if (families & 4 && c->value->type != POLB_TYPE_SOCKADDR)
		polc_trace_delta(c->scope->l, c->filter->span, "T36");
	return true;
}

static bool read_port(struct polc_test_context *c, const struct polc_ast_text *text)
{
	const char *colon = memchr(text->text, ':', text->n);
	size_t n = colon ? (size_t)(colon - text->text) : text->n;
	uint64_t lo, hi;

	if (polc_parse_integer(text->text, n, 2, false, &lo) == POLC_PARSED) {
		hi = lo;
		if ((!colon || polc_parse_integer(colon + 1, text->n - n - 1, 2, false, &hi) ==
				       POLC_PARSED) &&
			lo <= hi) {
			add_interval(c, lo, hi);
			return true;
		}
	}
	polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
		"'%s' is neither a port nor a range of ports", text->text);
	return false;
}

bool polc_trace_read_ports(struct polc_test_context *c)
{
	c->test->destination = c->operation->destination;
	for (size_t i = 0; i < c->filter->values.n; i++)
		if (!read_port(c, &c->filter->values.items[i]))
			return false;
	return true;
}

bool polc_trace_read_privileged_ports(struct polc_test_context *c)
{
	c->test->destination = c->operation->destination;
	add_interval(c, 0, 1023);
	return true;
}

static bool read_words(struct polc_test_context *c, const char *noun,
	bool (*parse)(const char *text, size_t n, unsigned *out))
{
	for (size_t i = 0; i < c->filter->values.n; i++) {
		const struct polc_ast_text *text = &c->filter->values.items[i];
		unsigned number;

		if (!parse(text->text, text->n, &number)) {
			polc_error(c->scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
				"'%s' is no %s", text->text, noun);
			return false;
		}
		add_interval(c, number, number);
	}
	return true;
}

bool polc_trace_read_protocols(struct polc_test_context *c)
{
	return read_words(c, "protocol (IPPROTO_ or a number)", polc_parse_ip_protocol);
}

bool polc_trace_read_families(struct polc_test_context *c)
{
	return read_words(c, "address family (AF_ or a number)", polc_parse_family);
}

bool polc_trace_read_states(struct polc_test_context *c)
{
	return read_words(c, "TCP state (TCP_ or a number)", polc_parse_tcp_state);
}
