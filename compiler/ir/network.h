/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Network IR: what the policies mean, all kinds in one form. A selector is a predicate on
 * (identity, address); a rule is alternatives of selectors x alternatives of ports in one direction
 * of one policy; tiers give their order. Immutable once lowered. The reference evaluator reads it
 * directly; the plan (backend/plan.h) turns it into bits, classes and rows.
 */
#ifndef POLC_NETWORK_IR_H
#define POLC_NETWORK_IR_H

#include "../../runtime/selector.h"
#include "../frontend/ast.h"
#include "../frontend/reader.h"

struct polc_net_port {
	enum polc_port_kind kind;
	uint8_t protocols; /* POLC_PROTO_*; 0 with kind ALL: every protocol, ICMP and all others
			      included */
	uint16_t lo, hi;
	const char *name;
};

/* POLC_PROTO_TCP, _UDP or _SCTP of an IP protocol number; 0 for others, which have no ports. */
uint8_t polc_protocol_bit(uint8_t protocol);
/* Order of struct polb_named_port: name, protocol, number. For qsort. */
int polc_named_port_compare(const void *a, const void *b);

struct polc_net_rule {
	uint32_t id; /* number in bundles and events: POLB_RULE_FIRST + index */
	uint32_t policy;
	enum polc_direction direction;
	enum polc_action action;
	/* Alternatives; none: matches nothing. Indices into polc_network.selectors, ascending. */
	const uint32_t *selectors;
	size_t n_selectors;
	/* Alternatives; none: matches nothing. */
	const struct polc_net_port *ports;
	size_t n_ports;
	const char *log; /* or NULL */
	struct polc_span span;
};

struct polc_net_policy {
	enum polc_policy_kind kind;
	const char *namespace; /* NULL: cluster-wide */
	const char *name;
	uint32_t spec; /* index within the object */
	struct polc_span span;
	enum polc_tier tier;
	uint32_t priority; /* ADMIN and BASELINE tiers; lower first, then name */
	/* Whom it governs: indices of selectors, alternatives. Only endpoints (pods) are subjects.
	 */
	const uint32_t *subjects;
	size_t n_subjects;
	/* 0: always enforced; else 1 + index into polc_network.switchables */
	uint32_t switchable;
	bool selects[2];              /* the policy speaks about this direction at all */
	bool isolates[2];             /* and denies there what nothing allows */
	uint32_t first_rule, n_rules; /* its rules, contiguous, in order */
};

/* Order of evaluation: tier, priority, name, then number; total over one network's policies. */
int polc_policy_compare_order(const struct polc_net_policy *a, const struct polc_net_policy *b);

/* Posture for endpoints that no policy selects (Cilium's enable-policy). */
enum polc_posture {
	POLC_POSTURE_ALLOW,  /* what nothing isolates is allowed */
	POLC_POSTURE_DENY,   /* endpoints that no policy selects in either direction are isolated in
				both */
	POLC_POSTURE_ALWAYS, /* every endpoint is isolated in both directions */
};

/* A policy object (all its specs) whose mode can be switched on the node. */
struct polc_switchable {
	enum polc_policy_kind kind;
	const char *namespace; /* NULL: cluster-wide */
	const char *name;
	struct polc_span span;
	bool audit; /* starts in audit mode: decides nothing, its denials are reported */
};
/* What a switchable policy denies by isolating has a rule number of its own, behind all rules. */
struct polc_isolation {
	uint32_t policy;
	enum polc_direction direction;
};

struct polc_network {
	/* Distinct peer and subject predicates, sorted by polb_selector_compare. */
	const struct polb_selector *selectors;
	size_t n_selectors;
	const struct polc_net_policy *policies; /* as in the input; ordered tiers sorted on use */
	size_t n_policies;
	const struct polc_net_rule *rules; /* rules[i].id == POLB_RULE_FIRST + i */
	size_t n_rules;
	const struct polc_switchable *switchables;
	size_t n_switchables;
	/* id: POLB_RULE_FIRST + n_rules + index */
	const struct polc_isolation *isolations;
	size_t n_isolations;
	enum polc_posture posture;
	bool ipblock_matches_pods; /* --dialect kubernetes */
	const char *cluster_name;  /* of every pod; NULL: the default */
};

enum polc_dialect { POLC_DIALECT_KUBERNETES, POLC_DIALECT_CILIUM };
enum polc_unsupported { POLC_UNSUPPORTED_ERROR, POLC_UNSUPPORTED_DENY };

struct polc_lower_options {
	enum polc_dialect dialect;
	enum polc_unsupported unsupported;
	enum polc_posture posture;
	const char *cluster_name; /* NULL: "default"; the value of io.cilium.k8s.policy.cluster */
};

/*
 * Gives the syntax tree its meaning, with the inventory for what needs it (services, CIDR groups,
 * named egress ports are kept symbolic). Reports what is unsupported or has no effect. Returns a
 * network even when errors were reported (for check); it must then not be compiled.
 */
const struct polc_network *polc_lower_network(struct polc *polc, const struct polc_input *input,
	const struct polc_lower_options *options);

/* modes.c */
bool polc_network_has_audit(const struct polc_network *network);
bool polc_policy_is_audited(
	const struct polc_network *network, const struct polc_net_policy *policy);
/* Rule number of a switchable policy's isolation. */
uint32_t polc_isolation_rule(
	const struct polc_network *network, uint32_t policy, enum polc_direction direction);
/* The isolation that a rule number is; NULL: it is another rule. */
const struct polc_isolation *polc_isolation_find(
	const struct polc_network *network, uint32_t rule_id);
/*
 * The network for those who know nothing of modes: as it is enforced (policies in audit mode select
 * nobody), or with every policy enforced. Numbers stay the same. The network itself when nothing is
 * in audit mode.
 */
enum polc_view { POLC_VIEW_ENFORCED, POLC_VIEW_ALL };
const struct polc_network *polc_network_view(
	struct polc_arena *arena, const struct polc_network *network, enum polc_view view);

/* Invariants of a network; POLC_BUG on violation. */
void polc_network_verify(const struct polc_network *network);
/* Stable text form, for golden tests and --dump-ir. */
void polc_network_print(
	const struct polc *polc, const struct polc_network *network, struct polc_buf *out);

/* POLB_KIND_* that an entity covers; 0: none. */
uint32_t polc_entity_kinds(const char *name);

void polc_selector_print(const struct polb_selector *selector, struct polc_buf *out);

/*
 * Identities: who the inventory says has which address. Built once from the inventory; the
 * evaluator and the plan both start from it.
 */
struct polc_identity {
	uint32_t number; /* reserved ones as in Cilium; label sets from 256, in order of labels */
	uint32_t kinds;  /* POLB_KIND_*; NODE not yet localised */
	const struct polb_label *labels; /* sorted by source, key */
	size_t n_labels;
	const struct polb_named_port *ports; /* sorted */
	size_t n_ports;
	const char *node;           /* NODE kinds: the node's name; pods: where they run; or NULL */
	const struct polc_pod *pod; /* the pod, for non-hostNetwork pods; or NULL */
};
struct polc_address_entry {
	struct polb_addr addr;
	uint32_t identity; /* index into identities */
};
/* A governed endpoint: a pod with its own network namespace, or one with a cgroup or interface
 * annotation. */
struct polc_endpoint {
	const struct polc_pod *pod;
	uint32_t identity; /* labels of the pod itself, also when it shares the host's address */
};
struct polc_identities {
	POLC_VEC(struct polc_identity) identities;
	POLC_VEC(struct polc_address_entry) addresses; /* sorted by address, unique */
	POLC_VEC(struct polc_endpoint) endpoints;      /* sorted by namespace, name */
};
/* One packet that opens a flow, as the governed endpoint sees it. */
struct polc_question {
	const struct polc_endpoint *endpoint;
	enum polc_direction direction; /* EGRESS: the endpoint sends to peer */
	struct polb_addr peer;
	uint8_t protocol; /* IP protocol number */
	uint16_t port;    /* destination port; ICMP: type; others: 0 */
};

const struct polc_identities *polc_identities_build(
	struct polc *polc, const struct polc_inventory *inventory, const char *cluster_name);
/* Who `addr` is as seen from node `local_node` (NULL: no node is local). Fills a view; world when
 * unknown. */
void polc_identity_view(const struct polc_identities *identities, const struct polb_addr *addr,
	const char *local_node, struct polb_identity_view *view, uint32_t *number);

#endif
