/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a plain scalar means: YAML 1.1 as Kubernetes reads it. */
#include "yaml_scalar.h"

#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

static bool is_null_word(const char *s)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	return one_of(s, words, COUNT(words));
}

bool polb_yaml_is_true(const char *s)
{
	static const char *const words[] = {
		"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"};

	return one_of(s, words, COUNT(words));
}

static bool is_false_word(const char *s)
{
	static const char *const words[] = {
		"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"};

	return one_of(s, words, COUNT(words));
}

/* Skips digits of a base and underscores; true when there was a digit. */
static bool skip_digits(const char **s, const char *digits)
{
	size_t found = 0;

	for (; **s == '_' || (**s && strchr(digits, **s)); (*s)++)
		found += **s != '_';
	return found > 0;
}

static bool is_int_word(const char *s)
{
	if (*s == '-' || *s == '+')
		s++;
	if (*s == '_')
		return false;
	if (s[0] == '0' && s[1] && strchr("xX", s[1]))
		return s += 2, skip_digits(&s, "0123456789abcdefABCDEF") && !*s;
	if (s[0] == '0' && s[1] && strchr("bB", s[1]))
		return s += 2, skip_digits(&s, "01") && !*s;
	if (s[0] == '0' && s[1] && strchr("oO", s[1]))
		return s += 2, skip_digits(&s, "01234567") && !*s;
	return skip_digits(&s, "0123456789") && !*s;
}

static bool is_float_word(const char *s)
{
	static const char *const words[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF",
		"-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN"};
	bool digits;

	if (one_of(s, words, COUNT(words)))
		return true;
	if (*s == '-' || *s == '+')
		s++;
	if (*s == '_')
		return false;
	digits = skip_digits(&s, "0123456789");
	if (*s == '.') {
		s++;
		digits |= skip_digits(&s, "0123456789");
	}
	if (!digits || (*s != 'e' && *s != 'E'))
		return digits && !*s;
	s++;
	if (*s == '-' || *s == '+')
		s++;
	return skip_digits(&s, "0123456789") && !*s;
}

enum polb_yaml_scalar polb_yaml_resolve(const char *plain)
{
	if (is_null_word(plain))
		return POLB_YAML_NULL;
	if (polb_yaml_is_true(plain) || is_false_word(plain))
		return POLB_YAML_BOOL;
	if (is_int_word(plain))
		return POLB_YAML_INT;
	return is_float_word(plain) ? POLB_YAML_FLOAT : POLB_YAML_STRING;
}
