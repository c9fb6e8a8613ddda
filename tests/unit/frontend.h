/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* For tests of front ends: objects from strings, and what was reported about them. */
#ifndef TESTS_FRONTEND_H
#define TESTS_FRONTEND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "frontend/reader.h"

struct parsed {
	struct polc polc;
	struct polc_input input;
};

static inline void parse_object(struct parsed *p, const struct polc_yaml *object)
{
	const struct polc_yaml *kind = polc_yaml_get(object, "kind");

	assert_non_null(kind);
	for (int i = POLC_KIND_CILIUM; i <= POLC_KIND_BASELINE_ADMIN; i++) {
		if (strcmp(kind->value, polc_policy_kind_name((enum polc_policy_kind)i)) != 0)
			continue;
		if (i <= POLC_KIND_CILIUM_CLUSTERWIDE)
			polc_parse_cilium(
				&p->polc, &p->input.ast, object, (enum polc_policy_kind)i);
		else
			polc_parse_policy_api(
				&p->polc, &p->input.ast, object, (enum polc_policy_kind)i);
		return;
	}
	polc_inventory_add(&p->polc, &p->input.inventory, object);
}

/* Parses every document of the text; call parsed_free() at the end. */
static inline void parse_text(struct parsed *p, const char *text)
{
	polc_yaml_documents documents = {0};

	memset(p, 0, sizeof(*p));
	polc_init(&p->polc);
	polc_yaml_parse(&p->polc,
		polc_source_add(&p->polc.arena, &p->polc.sources, "test.yaml", text, strlen(text)),
		&documents);
	for (size_t i = 0; i < documents.n; i++)
		parse_object(p, documents.items[i]);
	polc_inventory_finish(&p->polc, &p->input.inventory);
}

static inline void parsed_free(struct parsed *p)
{
	polc_free(&p->polc);
}

static inline size_t count_reports(const struct parsed *p, enum polc_severity severity, int code)
{
	size_t n = 0;

	for (size_t i = 0; i < p->polc.diagnostics.n; i++) {
		const struct polc_diagnostic *d = p->polc.diagnostics.items[i];

		n += d->severity == severity && (int)d->code == code;
	}
	return n;
}

/* Exactly these many errors and warnings; what was said is printed when it differs. */
static inline void expect_counts(
	struct parsed *p, const char *text, unsigned n_errors, unsigned n_warnings)
{
	if (p->polc.n_errors != n_errors || p->polc.n_warnings != n_warnings) {
		polc_diagnostics_print_text(&p->polc, stderr, false);
		fail_msg("%u errors, %u warnings in: %s", p->polc.n_errors, p->polc.n_warnings,
			text);
	}
}

/* A text and the only report about it; code 0: none at all. */
struct report_case {
	const char *text;
	enum polc_severity severity;
	int code;
	const char *suggestion; /* a part of it, or NULL */
};

static inline void expect_report(struct parsed *p, const struct report_case *c)
{
	if (!c->code) {
		expect_counts(p, c->text, 0, 0);
		return;
	}
	expect_counts(p, c->text, c->severity == POLC_ERROR, c->severity == POLC_WARNING);
	if (count_reports(p, c->severity, c->code) != 1)
		fail_msg("POLC%04d, wanted POLC%04d: %s", p->polc.diagnostics.items[0]->code,
			c->code, c->text);
	if (!c->suggestion)
		return;
	assert_non_null(p->polc.diagnostics.items[0]->suggestion);
	assert_non_null(strstr(p->polc.diagnostics.items[0]->suggestion, c->suggestion));
}

#endif
