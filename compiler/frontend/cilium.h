/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the files of the Cilium front end; private to them. */
#ifndef POLC_CILIUM_H
#define POLC_CILIUM_H

#include "fields.h"
#include "objects.h"

/* One rule being read. */
struct polc_cilium_rule {
	struct polc *polc;
	struct polc_ast_rule *rule;
	bool deny;
	const struct polc_yaml_entry *l3;    /* the member that names the peers, once seen */
	const struct polc_yaml_entry *empty; /* a member that is an empty list: no peer at all */
	const struct polc_yaml_entry *ports, *icmps; /* not empty */
};

/* cilium_rule.c: one element of ingress, ingressDeny, egress, egressDeny, appended to the spec. */
void polc_cilium_parse_rule(struct polc *polc, struct polc_ast_spec *spec,
	const struct polc_yaml *node, const char *path, enum polc_direction direction, bool deny);
/* A selector whose keys may have a source, with a warning for '.' in the place of ':'. */
const struct polc_ast_selector *polc_cilium_selector(
	struct polc *polc, const struct polc_yaml *node, const char *path);
/* Marks the rule as one that this version cannot enforce; the first reason stays. */
void polc_cilium_unsupported(struct polc_cilium_rule *r, struct polc_span span, const char *reason);

/* cilium_ports.c: one element of toPorts, of icmps. */
void polc_cilium_parse_port_rule(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path);
void polc_cilium_parse_icmp_rule(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path);

/* cilium_l7.c: what needs a proxy or an agent. Checked for mistakes and marked unsupported. */
struct polc_cilium_l7 {
	const struct polc_yaml_entry *rules, *terminating_tls, *originating_tls, *server_names,
		*listener;
};
/* `ports` are those of the same toPorts entry. */
void polc_cilium_parse_l7(struct polc_cilium_rule *r, const struct polc_cilium_l7 *l7,
	const struct polc_ast_port *ports, size_t n_ports, const char *path);
void polc_cilium_parse_authentication(
	struct polc_cilium_rule *r, const struct polc_yaml_entry *entry, const char *path);
void polc_cilium_parse_fqdn(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path);

#endif
