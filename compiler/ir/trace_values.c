/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Words and numbers in the values of filters and actions, and the sets made of them. Reports
 * nothing: callers know the place and what would have been right.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lower_tracing.h"
#include "trace_names.h"

struct name {
	const char *text;
	unsigned value;
};

static const struct name capabilities[] = {
#define X(name, value) {"CAP_" #name, value},
	POLC_CAPABILITIES(X)
#undef X
};
static const struct name families[] = {
#define X(name, value) {"AF_" #name, value},
	POLC_FAMILIES(X)
#undef X
};
static const struct name protocols[] = {
#define X(name, value) {"IPPROTO_" #name, value},
	POLC_IP_PROTOCOLS(X)
#undef X
};
static const struct name states[] = {
#define X(name, value) {"TCP_" #name, value},
	POLC_TCP_STATES(X)
#undef X
};
static const struct name file_types[] = {
#define X(word, long_word, value) {word, value}, {long_word, value},
	POLC_FILE_TYPES(X)
#undef X
};

/* --- integers ------------------------------------------------------------------------------------
 */

static unsigned read_base(const char **p, const char *end)
{
	if (end - *p < 2 || **p != '0')
		return 10;
	char c = (char)tolower((unsigned char)(*p)[1]);

	if (c == 'x' || c == 'b' || c == 'o') {
		*p += 2;
		return c == 'x' ? 16 : c == 'b' ? 2 : 8;
	}
	*p += 1;
	return 8;
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/* Magnitude of an unsigned literal. */
static enum polc_parsed read_magnitude(const char *p, const char *end, uint64_t *out)
{
	unsigned base = read_base(&p, end);
	bool overflow = false;

	*out = 0;
	if (p == end)
		return POLC_PARSED_NOT;
	for (; p < end; p++) {
		unsigned d = digit(*p);

		if (d >= base)
			return POLC_PARSED_NOT;
		overflow |= __builtin_mul_overflow(*out, base, out);
		overflow |= __builtin_add_overflow(*out, d, out);
	}
	return overflow ? POLC_PARSED_RANGE : POLC_PARSED;
}

enum polc_parsed polc_parse_integer(
	const char *text, size_t n, unsigned width, bool is_signed, uint64_t *out)
{
	const char *p = text, *end = text + n;
	bool negative = p < end && *p == '-';
	uint64_t top = is_signed ? 1ull << (8 * width - 1) : 0, magnitude;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	enum polc_parsed parsed = read_magnitude(p, end, &magnitude);

	if (parsed != POLC_PARSED)
		return parsed;
	if (negative) {
		*out = -magnitude;
		return magnitude <= top ? POLC_PARSED : POLC_PARSED_RANGE;
	}
	*out = magnitude;
	if (is_signed)
		return magnitude < top ? POLC_PARSED : POLC_PARSED_RANGE;
	return width == 8 || magnitude >> (8 * width) == 0 ? POLC_PARSED : POLC_PARSED_RANGE;
}

/* --- words ---------------------------------------------------------------------------------------
 */

static bool find_name(
	const struct name *names, size_t n_names, const char *text, size_t n, unsigned *out)
{
	for (size_t i = 0; i < n_names; i++) {
		if (strlen(names[i].text) == n && !strncasecmp(names[i].text, text, n)) {
			*out = names[i].value;
			return true;
		}
	}
	return false;
}

/* A word of the table, or a number up to `max`. */
static bool name_or_number(const struct name *names, size_t n_names, unsigned max, const char *text,
	size_t n, unsigned *out)
{
	uint64_t value;

	if (find_name(names, n_names, text, n, out))
		return true;
	if (polc_parse_integer(text, n, 4, false, &value) != POLC_PARSED || value > max)
		return false;
	*out = (unsigned)value;
	return true;
}

bool polc_parse_capability(const char *text, size_t n, unsigned *out)
{
	return find_name(capabilities, POLC_ARRAY_SIZE(capabilities), text, n, out);
}

const char *polc_capability_name(unsigned capability)
{
	return capability < POLC_ARRAY_SIZE(capabilities) ? capabilities[capability].text : NULL;
}

enum polc_parsed polc_parse_capabilities(const char *text, size_t n, uint64_t *out)
{
	const char *p = text, *end = text + n;
	unsigned capability;

	if (n && (isdigit((unsigned char)*p) || *p == '-' || *p == '+'))
		return polc_parse_integer(text, n, 8, false, out);
	*out = 0;
	while (p <= end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;

		while (p < stop && *p == ' ')
			p++;
		while (stop > p && stop[-1] == ' ')
			stop--;
		if (!polc_parse_capability(p, (size_t)(stop - p), &capability))
			return POLC_PARSED_NOT;
		*out |= 1ull << capability;
		if (!comma)
			break;
		p = comma + 1;
	}
	return POLC_PARSED;
}

bool polc_parse_family(const char *text, size_t n, unsigned *out)
{
	return name_or_number(families, POLC_ARRAY_SIZE(families), UINT16_MAX, text, n, out);
}

bool polc_parse_ip_protocol(const char *text, size_t n, unsigned *out)
{
	return name_or_number(protocols, POLC_ARRAY_SIZE(protocols), UINT16_MAX, text, n, out);
}

bool polc_parse_tcp_state(const char *text, size_t n, unsigned *out)
{
	return name_or_number(states, POLC_ARRAY_SIZE(states), UINT8_MAX, text, n, out);
}

bool polc_parse_file_type(const char *text, size_t n, unsigned *out)
{
	return find_name(file_types, POLC_ARRAY_SIZE(file_types), text, n, out);
}

bool polc_parse_namespace(const char *text, enum polb_namespace *out)
{
	static const char *const names[] = {
#define X(name, word) word,
		POLB_NAMESPACES(X)
#undef X
	};

	for (unsigned i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		if (!strcasecmp(names[i], text)) {
			*out = (enum polb_namespace)i;
			return true;
		}
	}
	return false;
}

bool polc_parse_interval_ns(const char *text, uint64_t *out)
{
	size_t n = strspn(text, "0123456789");
	uint64_t unit = 1, value;

	if (text[n] == 'm')
		unit = 60;
	else if (text[n] == 'h')
		unit = 3600;
	else if (text[n] && text[n] != 's')
		return false;
	if (!n || (text[n] && text[n + 1]))
		return false;
	value = strtoull(text, NULL, 10);
	/* a year is more than anybody waits for */
	if (n > 12 || value > 366ull * 24 * 3600 / unit)
		return false;
	*out = value * unit * 1000000000ull;
	return true;
}

/* --- registers -----------------------------------------------------------------------------------
 */

static const struct {
	const char *names[4];
	uint32_t offset;
} registers[] = {
#define X(name8, name4, name2, name1, offset) {{name8, name4, name2, name1}, offset},
	POLC_REGISTERS(X)
#undef X
};

bool polc_parse_register(const char *text, size_t n, uint32_t *offset, uint32_t *size)
{
	for (size_t i = 0; n && i < POLC_ARRAY_SIZE(registers); i++) {
		for (unsigned j = 0; j < 4; j++) {
			const char *name = registers[i].names[j];

			if (strlen(name) == n && !memcmp(name, text, n)) {
				*offset = registers[i].offset;
				*size = 8u >> j;
				return true;
			}
		}
	}
	return false;
}

const char *polc_register_name(uint32_t offset, uint32_t size)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(registers); i++)
		for (unsigned j = 0; j < 4; j++)
			if (registers[i].offset == offset && size == 8u >> j)
				return registers[i].names[j];
	return "";
}

static const char *skip_spaces(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static size_t word_length(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n;
}

/* "%reg" or "(%reg)" */
static const char *read_source(const char *p, struct polc_trace_register *out)
{
	uint32_t size;

	out->from_register = true;
	out->is_memory = *p == '(';
	if (out->is_memory)
		p = skip_spaces(p + 1);
	if (*p++ != '%')
		return NULL;
	size_t n = word_length(p);

	if (!polc_parse_register(p, n, &out->source_offset, &size) || size != 8)
		return NULL;
	p = skip_spaces(p + n);
	if (out->is_memory)
		return *p == ')' ? skip_spaces(p + 1) : NULL;
	return p;
}

/* A number of 64 bits, negative or not; as unsigned bits. */
static const char *read_constant(const char *p, uint64_t *out)
{
	size_t n = (*p == '-' || *p == '+') + word_length(p + (*p == '-' || *p == '+'));

	if (polc_parse_integer(p, n, 8, *p == '-', out) != POLC_PARSED)
		return NULL;
	return skip_spaces(p + n);
}

bool polc_parse_assignment(const char *text, struct polc_trace_register *out, size_t *at)
{
	const char *p = skip_spaces(text), *next;
	size_t n = word_length(p);

	*out = (struct polc_trace_register){0};
	*at = (size_t)(p - text);
	if (!polc_parse_register(p, n, &out->offset, &out->size))
		return false;
	p = skip_spaces(p + n);
	*at = (size_t)(p - text);
	if (*p++ != '=')
		return false;
	p = skip_spaces(p);
	*at = (size_t)(p - text);
	if (*p != '%' && *p != '(') {
		next = read_constant(p, &out->constant);
		if (!next)
			return false;
		p = next;
		*at = (size_t)(p - text);
	}
	if (*p == '%' || *p == '(') {
		p = read_source(p, out);
		if (!p)
			return false;
		*at = (size_t)(p - text);
	}
	return !*p;
}

/* --- sets ----------------------------------------------------------------------------------------
 */

uint64_t polc_interval_key(uint64_t value, bool is_signed)
{
	return is_signed ? value ^ (1ull << 63) : value;
}

struct polc_interval polc_interval_domain(unsigned width, bool is_signed)
{
	uint64_t half = 1ull << (8 * width - 1);

	if (is_signed)
		return (struct polc_interval){
			(1ull << 63) - half,
			(1ull << 63) + (half - 1),
		};
	return (struct polc_interval){0, half - 1 + half};
}

void polc_intervals_add(
	struct polc_arena *arena, polc_intervals *set, struct polc_interval interval)
{
	*polc_vec_push(arena, set) = interval;
}

static int compare_intervals(const void *a, const void *b)
{
	const struct polc_interval *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return (x->hi > y->hi) - (x->hi < y->hi);
}

void polc_intervals_normalise(polc_intervals *set)
{
	size_t n = 0;

	if (!set->n)
		return;
	qsort(set->items, set->n, sizeof(*set->items), compare_intervals);
	for (size_t i = 1; i < set->n; i++) {
		struct polc_interval *last = &set->items[n], *next = &set->items[i];

		if (last->hi == UINT64_MAX || next->lo <= last->hi + 1) {
			if (next->hi > last->hi)
				last->hi = next->hi;
		} else {
			set->items[++n] = *next;
		}
	}
	set->n = n + 1;
}

static int compare_strings(const void *a, const void *b)
{
	const struct polc_string *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = n ? memcmp(x->bytes, y->bytes, n) : 0;

	return order ? order : (x->n > y->n) - (x->n < y->n);
}

void polc_strings_normalise(polc_strings *set)
{
	size_t n = 0;

	if (!set->n)
		return;
	qsort(set->items, set->n, sizeof(*set->items), compare_strings);
	for (size_t i = 1; i < set->n; i++)
		if (compare_strings(&set->items[n], &set->items[i]))
			set->items[++n] = set->items[i];
	set->n = n + 1;
}

static int compare_prefixes(const void *a, const void *b)
{
	return polb_prefix_compare(a, b);
}

/* A shorter prefix sorts before what it covers. */
void polc_prefixes_normalise(polc_prefixes *set)
{
	size_t n = 0;

	if (!set->n)
		return;
	qsort(set->items, set->n, sizeof(*set->items), compare_prefixes);
	for (size_t i = 1; i < set->n; i++)
		if (!polb_prefix_covers(&set->items[n], &set->items[i]))
			set->items[++n] = set->items[i];
	set->n = n + 1;
}
