/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* For tests: are two trees equal, spans apart? Prints the first difference. */
#ifndef AST_EQUAL_H
#define AST_EQUAL_H

#include <stdio.h>
#include <string.h>

#include "compiler/frontend/ast.h"

#define DIFFER(cond, what)                                                                         \
	do {                                                                                       \
		if (cond) {                                                                        \
			fprintf(stderr, "trees differ: %s\n", what);                               \
			return false;                                                              \
		}                                                                                  \
	} while (0)

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_selector(const struct polc_ast_selector *a, const struct polc_ast_selector *b)
{
	DIFFER(!a != !b, "selector present");
	if (!a)
		return true;
	DIFFER(a->requirements.n != b->requirements.n, "number of requirements");
	for (size_t i = 0; i < a->requirements.n; i++) {
		const struct polc_ast_requirement *x = &a->requirements.items[i];
		const struct polc_ast_requirement *y = &b->requirements.items[i];

		DIFFER(x->op != y->op, "operator");
		DIFFER(!same_text(x->key, y->key), "key");
		DIFFER(x->from_match_labels != y->from_match_labels, "match labels");
		DIFFER(x->values.n != y->values.n, "number of values");
		for (size_t j = 0; j < x->values.n; j++)
			DIFFER(!same_text(x->values.items[j], y->values.items[j]), "value");
	}
	return true;
}

static bool same_peer(const struct polc_ast_peer *a, const struct polc_ast_peer *b)
{
	DIFFER(a->kind != b->kind, "kind of peer");
	DIFFER(!same_selector(a->selector, b->selector), "selector");
	DIFFER(!same_selector(a->pod_selector, b->pod_selector), "pod selector");
	DIFFER(!same_selector(a->namespace_selector, b->namespace_selector), "namespace selector");
	DIFFER(!same_text(a->name, b->name), "name of peer");
	DIFFER(!same_text(a->namespace, b->namespace), "namespace of peer");
	DIFFER(a->kind == POLC_PEER_CIDR && polb_prefix_compare(&a->cidr, &b->cidr), "prefix");
	DIFFER(a->excepts.n != b->excepts.n, "number of excepts");
	for (size_t i = 0; i < a->excepts.n; i++)
		DIFFER(polb_prefix_compare(&a->excepts.items[i], &b->excepts.items[i]), "except");
	return true;
}

static bool same_port(const struct polc_ast_port *a, const struct polc_ast_port *b)
{
	DIFFER(a->kind != b->kind, "kind of port");
	DIFFER(a->protocols != b->protocols, "protocols");
	DIFFER(!same_text(a->name, b->name), "name of port");
	if (a->kind == POLC_PORT_RANGE || a->protocols == POLC_PROTO_OTHER)
		DIFFER(a->lo != b->lo || a->hi != b->hi, "numbers of port");
	return true;
}

static bool same_rule(const struct polc_ast_rule *a, const struct polc_ast_rule *b)
{
	DIFFER(a->direction != b->direction || a->action != b->action, "direction or action");
	DIFFER(!same_text(a->name, b->name), "name of rule");
	DIFFER(a->selects_nothing != b->selects_nothing, "selects nothing");
	DIFFER(a->peers_presence != b->peers_presence || a->peers.n != b->peers.n, "peers");
	DIFFER(a->ports_presence != b->ports_presence || a->ports.n != b->ports.n, "ports");
	DIFFER(!a->unsupported != !b->unsupported, "unsupported");
	for (size_t i = 0; i < a->peers.n; i++)
		if (!same_peer(&a->peers.items[i], &b->peers.items[i]))
			return false;
	for (size_t i = 0; i < a->ports.n; i++)
		if (!same_port(&a->ports.items[i], &b->ports.items[i]))
			return false;
	return true;
}

static bool same_label(const struct polb_label *a, const struct polb_label *b)
{
	return same_text(a->source, b->source) && same_text(a->key, b->key) &&
	       same_text(a->value, b->value);
}

static bool same_spec(const struct polc_ast_spec *a, const struct polc_ast_spec *b)
{
	DIFFER(!same_peer(&a->subject, &b->subject), "subject");
	for (int d = 0; d < 2; d++) {
		DIFFER(a->has_rules[d] != b->has_rules[d], "has rules");
		DIFFER(a->section[d] != b->section[d], "section");
		DIFFER(a->policy_types[d] != b->policy_types[d], "policy types");
		DIFFER(a->default_deny[d] != b->default_deny[d], "default deny");
	}
	DIFFER(a->policy_types_presence != b->policy_types_presence, "policy types present");
	DIFFER(!same_text(a->log, b->log), "log");
	DIFFER(!same_text(a->description, b->description), "description");
	DIFFER(a->tier != b->tier || a->priority != b->priority, "tier or priority");
	DIFFER(!a->unsupported != !b->unsupported, "unsupported spec");
	DIFFER(a->labels.n != b->labels.n, "number of labels");
	for (size_t i = 0; i < a->labels.n; i++)
		DIFFER(!same_label(&a->labels.items[i], &b->labels.items[i]), "label");
	DIFFER(a->rules.n != b->rules.n, "number of rules");
	for (size_t i = 0; i < a->rules.n; i++)
		if (!same_rule(&a->rules.items[i], &b->rules.items[i]))
			return false;
	return true;
}

static bool same_policy(const struct polc_ast_policy *a, const struct polc_ast_policy *b)
{
	DIFFER(a->kind != b->kind, "kind of policy");
	DIFFER(!same_text(a->name, b->name), "name of policy");
	DIFFER(!same_text(a->namespace, b->namespace), "namespace of policy");
	DIFFER(a->namespace_written != b->namespace_written, "namespace written");
	DIFFER(a->specs.n != b->specs.n, "number of specs");
	for (size_t i = 0; i < a->specs.n; i++)
		if (!same_spec(&a->specs.items[i], &b->specs.items[i]))
			return false;
	return true;
}

static inline bool same_ast(const struct polc_ast *a, const struct polc_ast *b)
{
	DIFFER(a->policies.n != b->policies.n, "number of policies");
	for (size_t i = 0; i < a->policies.n; i++)
		if (!same_policy(a->policies.items[i], b->policies.items[i]))
			return false;
	return true;
}

#endif
