/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the files of the policy API front end; private to them. */
#ifndef POLC_POLICY_API_H
#define POLC_POLICY_API_H

#include "fields.h"
#include "objects.h"

/* policy_api_ports.c: one element of v1alpha1 `ports`, of v1alpha2 `protocols`; appended to the
 * rule. */
void polc_api_parse_port(struct polc *polc, struct polc_ast_rule *rule,
	const struct polc_yaml *node, const char *path);
void polc_api_parse_protocol(struct polc *polc, struct polc_ast_rule *rule,
	const struct polc_yaml *node, const char *path);

#endif
