/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Applies the comments for polc to what was reported. */
#include "../frontend/suppressions.h"
#include "lint.h"

/* The name in a comment that hides a diagnostic, or NULL. */
static struct polc_suppressed_code *find(
	struct polc_suppression *s, const struct polc_diagnostic *d)
{
	if (s->scope.source != d->span.source || d->span.begin < s->scope.begin ||
		d->span.begin > s->scope.end)
		return NULL;
	for (size_t i = 0; i < s->codes.n; i++)
		if (s->codes.items[i].code == d->code)
			return &s->codes.items[i];
	return NULL;
}

static void hide(struct polc *polc, polc_suppressions *list, struct polc_diagnostic *d)
{
	if (!d->adjustable || !d->span.source || d->suppressed ||
		polc_level(polc, d->code, d->severity) == POLC_OFF)
		return;
	for (size_t i = 0; i < list->n; i++) {
		struct polc_suppressed_code *code = find(&list->items[i], d);

		if (!code)
			continue;
		code->used = true;
		d->suppressed = list->items[i].reason;
	}
}

/* Could it have been reported in this run? */
static bool was_looked_for(const struct polc_lint_context *context, enum polc_code code)
{
	if (!polc_level_wanted(context->polc, code))
		return false;
	switch (polc_lint_needs(code)) {
	case POLC_LINT_NEEDS_NOTHING:
		return true;
	case POLC_LINT_NEEDS_INVENTORY:
		return context->has_inventory;
	case POLC_LINT_NEEDS_TARGET:
		return context->tracing_options->n_targets || context->tracing_options->fallback;
	case POLC_LINT_NEEDS_ROOT:
		return context->root;
	}
	return false;
}

static void report_unused(const struct polc_lint_context *context, const struct polc_suppression *s)
{
	for (size_t i = 0; i < s->codes.n; i++)
		if (!s->codes.items[i].used && was_looked_for(context, s->codes.items[i].code))
			polc_warn(context->polc, s->codes.items[i].span,
				POLC_CODE_UNUSED_SUPPRESSION, "%s: this comment hides nothing",
				polc_code_name(s->codes.items[i].code));
}

void polc_suppress(struct polc *polc, const struct polc_lint_context *context, bool complete)
{
	polc_suppressions list = {0};

	polc_suppressions_read(polc, context, &list);
	for (size_t i = 0; i < polc->diagnostics.n; i++)
		hide(polc, &list, polc->diagnostics.items[i]);
	for (size_t i = 0; complete && i < list.n; i++)
		report_unused(context, &list.items[i]);
}
