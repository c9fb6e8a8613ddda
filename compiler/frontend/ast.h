/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The syntax tree of network policies: what was written, not yet what it means. YAML and the DSL
 * build the same tree; fmt prints it in either spelling; ir/lower_network.c gives it its meaning.
 * It therefore keeps the difference between an absent, an empty and a filled list, and selector
 * keys as written. Everything is arena-owned and constant once built.
 */
#ifndef POLC_AST_H
#define POLC_AST_H

#include "../../runtime/address.h"
#include "../../runtime/selector.h"
#include "../base/diagnostic.h"

/* X(enumerator, kind as written, apiVersion, has a namespace) */
#define POLC_POLICY_KINDS(X)                                                                       \
	X(NETWORK_POLICY, "NetworkPolicy", "networking.k8s.io/v1", true)                           \
	X(CILIUM, "CiliumNetworkPolicy", "cilium.io/v2", true)                                     \
	X(CILIUM_CLUSTERWIDE, "CiliumClusterwideNetworkPolicy", "cilium.io/v2", false)             \
	X(CLUSTER, "ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", false)             \
	X(ADMIN, "AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", false)                 \
	X(BASELINE_ADMIN, "BaselineAdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", false)

enum polc_policy_kind {
#define X(name, kind, api, namespaced) POLC_KIND_##name,
	POLC_POLICY_KINDS(X)
#undef X
};

const char *polc_policy_kind_name(enum polc_policy_kind kind);
const char *polc_policy_kind_api(enum polc_policy_kind kind);
bool polc_policy_kind_namespaced(enum polc_policy_kind kind);

/* A list that may be absent, or present (n may be 0). */
enum polc_presence { POLC_ABSENT = 0, POLC_PRESENT = 1 };

/* matchLabels entries are IN with one value and from_match_labels set. */
struct polc_ast_requirement {
	enum polb_operator op;
	const char *key; /* as written, with any Cilium "source:" prefix */
	POLC_VEC(const char *) values;
	bool from_match_labels;
	struct polc_span span, key_span;
};

struct polc_ast_selector {
	POLC_VEC(struct polc_ast_requirement) requirements; /* none: everything in scope */
	struct polc_span span;
};

/*
 * X(enumerator, text). Which kinds of policy may hold which peer:
 * PODS: NetworkPolicy peers (either selector may be NULL, not both) and policy API "pods" (both
 * set) and NetworkPolicy subjects (pod_selector only). NAMESPACES: policy API "namespaces"
 * (namespace_selector only). ENDPOINTS: Cilium endpointSelector, from/toEndpoints (selector). CIDR:
 * ipBlock, from/toCIDR, from/toCIDRSet with cidr, and one per entry of policy API "networks".
 * CIDR_GROUP: cidrGroupRef (name, excepts). CIDR_GROUP_SELECTOR: cidrGroupSelector (selector,
 * excepts). ENTITY: from/toEntities (name). SERVICE: k8sService (name, namespace or NULL = any).
 * SERVICE_SELECTOR: k8sServiceSelector (selector, namespace or NULL). NODES: policy API "nodes"
 * (selector).
 */
#define POLC_PEER_KINDS(X)                                                                         \
	X(PODS, "pods")                                                                            \
	X(NAMESPACES, "namespaces")                                                                \
	X(ENDPOINTS, "endpoints")                                                                  \
	X(CIDR, "cidr")                                                                            \
	X(CIDR_GROUP, "cidr-group")                                                                \
	X(CIDR_GROUP_SELECTOR, "cidr-group-selector")                                              \
	X(ENTITY, "entity")                                                                        \
	X(SERVICE, "service")                                                                      \
	X(SERVICE_SELECTOR, "service-selector")                                                    \
	X(NODES, "nodes")

enum polc_peer_kind {
#define X(name, text) POLC_PEER_##name,
	POLC_PEER_KINDS(X)
#undef X
};

struct polc_ast_peer {
	enum polc_peer_kind kind;
	struct polc_span span;
	const struct polc_ast_selector *selector;           /* ENDPOINTS, *_SELECTOR, NODES */
	const struct polc_ast_selector *pod_selector;       /* PODS */
	const struct polc_ast_selector *namespace_selector; /* PODS, NAMESPACES */
	const char *name;                                   /* ENTITY, CIDR_GROUP, SERVICE */
	const char *namespace;   /* SERVICE, SERVICE_SELECTOR; NULL = any */
	struct polb_prefix cidr; /* CIDR */
	/* CIDR, CIDR_GROUP*: as in `except:`; checked to lie inside cidr for CIDR */
	POLC_VEC(struct polb_prefix) excepts;
};

/* Protocols of a port item, as a set of bits. */
enum {
	POLC_PROTO_TCP = 1,
	POLC_PROTO_UDP = 2,
	POLC_PROTO_SCTP = 4,
	POLC_PROTO_ICMP = 8,    /* lo is the type */
	POLC_PROTO_ICMPV6 = 16, /* lo is the type */
	POLC_PROTO_OTHER = 32,  /* extended protocol: lo is the IP protocol number, kind ALL */
	POLC_PROTO_ANY =
		POLC_PROTO_TCP | POLC_PROTO_UDP | POLC_PROTO_SCTP, /* Cilium's ANY: never ICMP */
};

enum polc_port_kind {
	POLC_PORT_ALL,   /* every port of the protocols */
	POLC_PORT_RANGE, /* lo..hi inclusive; a single port has lo == hi; ICMP: the type */
	POLC_PORT_NAME,  /* resolved on the destination's pod */
};

struct polc_ast_port {
	enum polc_port_kind kind;
	uint8_t protocols; /* POLC_PROTO_*; for a name: the protocols it may resolve to */
	uint16_t lo, hi;
	const char *name; /* NAME: lower-cased for Cilium */
	struct polc_span span;
};

enum polc_action { POLC_ALLOW, POLC_DENY, POLC_PASS };

struct polc_ast_rule {
	enum polc_direction {
		POLC_INGRESS,
		POLC_EGRESS
	} direction; /* same values as enum polb_direction */
	enum polc_action action;
	const char *name;      /* policy API rule name, or NULL */
	struct polc_span span; /* the rule's first token: what a rule id resolves to */
	/*
	 * ABSENT: any peer. PRESENT and empty: no peer at all (Cilium's `fromEndpoints: []`).
	 * The front end maps each kind's emptiness (reference 1.4, 4.1) onto these two, except:
	 * a Cilium rule with neither peers nor ports nor icmps (`- {}`) has `selects_nothing`.
	 */
	enum polc_presence peers_presence;
	POLC_VEC(struct polc_ast_peer) peers;
	/* ABSENT: everything, all protocols. PRESENT and empty: nothing (Cilium's `toPorts: [{}]`).
	 */
	enum polc_presence ports_presence;
	POLC_VEC(struct polc_ast_port) ports;
	bool selects_nothing;
	/*
	 * What this version cannot enforce (toFQDNs, rules.http, ...): the reason and its place.
	 * The front end fills it in and goes on; lowering refuses, or compiles what
	 * --unsupported=deny says.
	 */
	const char *unsupported;
	struct polc_span unsupported_span;
};

enum polc_tristate { POLC_UNSET = 0, POLC_FALSE, POLC_TRUE };
enum polc_tier { POLC_TIER_ADMIN, POLC_TIER_MIDDLE, POLC_TIER_BASELINE };

/* One subject and its rules: a whole object, or one element of a Cilium object's spec/specs. */
struct polc_ast_spec {
	struct polc_span span;
	struct polc_ast_peer subject; /* PODS, NAMESPACES or ENDPOINTS */
	POLC_VEC(struct polc_ast_rule)
	rules;             /* ingress then egress, each in order; Cilium: allows, then denies */
	bool has_rules[2]; /* the direction's list (or deny list) is present and not empty */
	bool section[2];   /* the direction's list is present, maybe empty */
	/* NetworkPolicy */
	enum polc_presence policy_types_presence;
	bool policy_types[2];
	/* Cilium */
	enum polc_tristate default_deny[2];
	const char *log;                    /* log.value or NULL */
	const char *description;            /* or NULL */
	POLC_VEC(struct polb_label) labels; /* spec.labels: no effect on matching; kept for fmt */
	/* policy API */
	enum polc_tier tier; /* ADMIN kind: ADMIN; BASELINE_ADMIN: BASELINE; CLUSTER: as written;
				else MIDDLE */
	uint32_t priority;
	/* a whole spec that cannot be enforced (nodeSelector: host policy); as in rules */
	const char *unsupported;
	struct polc_span unsupported_span;
};

/*
 * Annotation polc.dev/mode, `mode` in the DSL: with it the policy's mode can be switched on the
 * node, and this is the one it starts in.
 */
enum polc_policy_mode { POLC_MODE_FIXED = 0, POLC_MODE_ENFORCE, POLC_MODE_AUDIT };
#define POLC_MODE_ANNOTATION "polc.dev/mode"
/* "audit" or "enforce"; false for other words. */
bool polc_policy_mode_parse(const char *text, enum polc_policy_mode *out);
const char *polc_policy_mode_name(enum polc_policy_mode mode); /* not of FIXED */

struct polc_ast_policy {
	enum polc_policy_kind kind;
	const char *name;
	const char *namespace; /* NULL when the kind has none; "default" when unwritten */
	struct polc_span span; /* the object's first token */
	struct polc_span name_span;
	bool namespace_written;
	enum polc_policy_mode mode;
	struct polc_span mode_span;
	POLC_VEC(struct polc_ast_spec) specs; /* one, but for Cilium's specs */
};

struct polc_ast {
	POLC_VEC(struct polc_ast_policy *) policies; /* in order of appearance */
};

/*
 * --audit-policy and --switchable: sets the modes of the policies called "name" or
 * "namespace/name", of every kind; reports names that no policy has.
 */
void polc_ast_set_modes(struct polc *polc, const struct polc_ast *ast, const char *const *names,
	size_t n, enum polc_policy_mode mode);

/* Prints policies as YAML documents or DSL; both re-read to an equal tree (tests say so). */
void polc_ast_print_yaml(const struct polc_ast *ast, struct polc_buf *out);
void polc_ast_print_pol(const struct polc_ast *ast, struct polc_buf *out);

#endif
