/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the YAML readers of tests and assertions; private to them. */
#ifndef POLC_TESTS_READ_H
#define POLC_TESTS_READ_H

#include "fields.h"
#include "objects.h"
#include "pol.h"

/* A string that is not empty; one or a list of them; a mapping of facts, numbers too. */
bool polc_test_text(struct polc *polc, const struct polc_yaml *node, const char *what,
	struct polc_ast_text *out);
void polc_test_texts(
	struct polc *polc, const struct polc_yaml *node, const char *what, polc_ast_texts *out);
void polc_test_facts(
	struct polc *polc, const struct polc_yaml *node, const char *what, polc_ast_facts *out);
/* apiVersion, name and what else is around the spec, which is returned; NULL: there is none. */
const struct polc_yaml *polc_test_object(struct polc *polc, const struct polc_yaml *object,
	struct polc_span *span, const char **name, struct polc_span *name_span);

#endif
