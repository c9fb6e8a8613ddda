/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Shared by the lints of network policies: the policies with the tree they came from, and who they
 * select. Private to lint_network*.c.
 */
#ifndef POLC_LINT_NETWORK_H
#define POLC_LINT_NETWORK_H

#include "evaluate.h"
#include "lint.h"

/* Some endpoints, as indices into the identities' list of them, ascending. */
struct polc_lint_endpoints {
	const uint32_t *items;
	size_t n;
};

/* One policy of the network and what was written. */
struct polc_lint_policy {
	const struct polc_net_policy *net;
	const struct polc_ast_policy *policy;
	const struct polc_ast_spec *spec;
	const struct polc_ast_rule **rules;   /* of net's rules, by their place in it */
	struct polc_lint_endpoints endpoints; /* that it selects */
};

/* One peer as written, and the selectors it stands for. */
struct polc_lint_peer {
	uint32_t policy; /* index */
	const struct polc_ast_rule *rule;
	const struct polc_ast_peer *peer;
	const struct polc_net_rule *meaning; /* a rule with this peer alone, of `peers_network` */
};

struct polc_network_lint {
	struct polc *polc;
	struct polc_arena *arena;
	const struct polc_lint_context *context;
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_inventory *inventory;
	struct polc_lint_policy *policies; /* as network->policies */
	/* the policies that select an endpoint, in order */
	struct polc_lint_selected {
		const uint32_t *policies;
		size_t n;
	} * selected; /* by endpoint */
	/* who satisfies each selector of the network (those with prefixes: nobody) */
	struct polc_lint_endpoints *by_selector;
	const struct polc_network *peers_network;
	POLC_VEC(struct polc_lint_peer) peers;
};

/* The groups of lints. Those after the first ones need input without errors. */
void polc_lint_policy_alone(const struct polc_network_lint *l, const struct polc_ast_policy *policy,
	const struct polc_ast_spec *spec);
void polc_lint_dns(const struct polc_network_lint *l);
void polc_lint_selections(const struct polc_network_lint *l);
void polc_lint_ports(const struct polc_network_lint *l);
void polc_lint_connections(const struct polc_network_lint *l);
void polc_lint_reach(const struct polc_network_lint *l);

/* May one endpoint satisfy both? False only when that is impossible. */
bool polc_lint_may_meet(const struct polb_selector *a, const struct polb_selector *b);
/* May a policy select an endpoint that the other selects? With an inventory: does it? */
bool polc_lint_may_share(const struct polc_network_lint *l, uint32_t a, uint32_t b);
/* Does an address of the inventory satisfy a selector, seen from some node? */
bool polc_lint_identity_matches(
	const struct polb_selector *selector, const struct polc_identity *identity);
/* Does a port item cover a port of a protocol (POLC_PROTO_TCP, _UDP, _SCTP)? Names: perhaps. */
bool polc_lint_port_covers(const struct polc_net_port *port, uint8_t protocol, uint16_t number);
const struct polc_identity *polc_lint_identity(
	const struct polc_network_lint *l, uint32_t endpoint);
const char *polc_lint_endpoint_name(const struct polc_network_lint *l, uint32_t endpoint);

static inline bool polc_lint_is_cilium(enum polc_policy_kind kind)
{
	return kind == POLC_KIND_CILIUM || kind == POLC_KIND_CILIUM_CLUSTERWIDE;
}

#endif
