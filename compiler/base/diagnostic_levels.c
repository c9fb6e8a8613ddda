/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of codes, and what users say should become of warnings and lints. */
#include <ctype.h>
#include <string.h>

#include "diagnostic.h"

#define NAME_BYTES 40

static const struct code {
	enum polc_code code;
	const char *enumerator;
} codes[] = {
#define X(number, name) {POLC_CODE_##name, #name},
	POLC_CODES(X)
#undef X
};

#define X(number, name)                                                                            \
	_Static_assert((number) < POLC_CODES_END, "codes end before " #name);                      \
	_Static_assert(sizeof(#name) <= NAME_BYTES, "the name is too long: " #name);
POLC_CODES(X)
#undef X

/* The name of codes[i]; made on first use. */
static const char *name_at(size_t i)
{
	static char names[POLC_ARRAY_SIZE(codes)][NAME_BYTES];
	const char *from = codes[i].enumerator;

	for (size_t k = 0; from[k] && !names[i][k]; k++)
		names[i][k] = (char)(from[k] == '_' ? '-' : tolower((unsigned char)from[k]));
	return names[i];
}

const char *polc_code_name(enum polc_code code)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(codes); i++)
		if (codes[i].code == code)
			return name_at(i);
	return NULL;
}

/* "POLC0302", in capitals or not. */
static bool is_number_of(const char *text, enum polc_code code)
{
	char expected[16];

	snprintf(expected, sizeof(expected), "POLC%04u", (unsigned)code);
	return !strcasecmp(text, expected);
}

enum polc_code polc_code_find(const char *name, const char **near)
{
	const char *names[POLC_ARRAY_SIZE(codes)];

	for (size_t i = 0; i < POLC_ARRAY_SIZE(codes); i++) {
		names[i] = name_at(i);
		if (!strcmp(names[i], name) || is_number_of(name, codes[i].code))
			return codes[i].code;
	}
	*near = polc_nearest(name, names, POLC_ARRAY_SIZE(codes));
	return (enum polc_code)0;
}

const char *polc_severity_name(enum polc_severity severity)
{
	static const char *const names[] = {"error", "warning", "note", "off"};

	return names[severity];
}

enum polc_severity polc_level(
	const struct polc *polc, enum polc_code code, enum polc_severity severity)
{
	const struct polc_levels *levels = polc->levels;

	if (levels && levels->of[code])
		return (enum polc_severity)(levels->of[code] - 1);
	return levels && levels->all && severity == POLC_OFF ? POLC_NOTE : severity;
}

bool polc_level_wanted(const struct polc *polc, enum polc_code code)
{
	enum polc_severity severity = POLC_WARNING;

	if (polc->levels && polc->levels->defaults[code])
		severity = (enum polc_severity)(polc->levels->defaults[code] - 1);
	return polc_level(polc, code, severity) != POLC_OFF;
}

static enum polc_severity settled(
	const struct polc *polc, const struct polc_diagnostic *d, bool raise)
{
	enum polc_severity severity = polc_level(polc, d->code, d->severity);

	return d->adjustable && (severity != POLC_ERROR || raise) ? severity : d->severity;
}

void polc_diagnostics_settle(struct polc *polc, bool raise)
{
	for (size_t i = 0; i < polc->diagnostics.n; i++) {
		struct polc_diagnostic *d = polc->diagnostics.items[i];

		polc->n_errors -= d->severity == POLC_ERROR;
		polc->n_warnings -= d->severity == POLC_WARNING;
		d->severity = settled(polc, d, raise);
		if (!polc_diagnostic_shown(d))
			continue;
		polc->n_errors += d->severity == POLC_ERROR;
		polc->n_warnings += d->severity == POLC_WARNING;
	}
}
