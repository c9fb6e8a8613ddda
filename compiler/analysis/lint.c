/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What all lints share: the table of them, and how one is reported. */
#include "lint.h"

static const struct lint {
	enum polc_code code;
	enum polc_severity severity;
	enum polc_lint_need needs;
} lints[] = {
#define LINT(name, level, need) {POLC_CODE_##name, POLC_##level, POLC_LINT_NEEDS_##need},
#define WARNS(name)
#include "lints.def"
#undef LINT
#undef WARNS
};

static const enum polc_code warnings[] = {
#define LINT(name, level, need)
#define WARNS(name) POLC_CODE_##name,
#include "lints.def"
#undef LINT
#undef WARNS
};

static const struct lint *find_lint(enum polc_code code)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(lints); i++)
		if (lints[i].code == code)
			return &lints[i];
	return NULL;
}

void polc_lint_defaults(struct polc_levels *levels)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(warnings); i++)
		levels->defaults[warnings[i]] = POLC_WARNING + 1;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(lints); i++)
		levels->defaults[lints[i].code] = (uint8_t)(lints[i].severity + 1);
}

enum polc_lint_need polc_lint_needs(enum polc_code code)
{
	const struct lint *lint = find_lint(code);

	return lint ? lint->needs : POLC_LINT_NEEDS_NOTHING;
}

struct polc_diagnostic *polc_lint_report(
	struct polc *polc, struct polc_span span, enum polc_code code, const char *fmt, ...)
{
	const struct lint *lint = find_lint(code);
	struct polc_diagnostic *d;
	const char *message;
	va_list ap;

	if (!lint)
		POLC_BUG("no lint has code %d", (int)code);
	va_start(ap, fmt);
	message = polc_arena_vprintf(&polc->arena, fmt, ap);
	va_end(ap);
	d = polc_report(polc, polc_level(polc, code, lint->severity), span, code, message);
	d->adjustable = true;
	return d;
}

void polc_lint(const struct polc_lint_context *context)
{
	polc_lint_network(context);
	polc_lint_tracing(context);
}
