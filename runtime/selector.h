/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Selectors: the predicates over identities and addresses that become bits (design 5). The same
 * code decides in the compiler (pre-populating maps, the oracle) and in polload (new identities).
 */
#ifndef POLB_SELECTOR_H
#define POLB_SELECTOR_H

#include "address.h"

/*
 * What an address is, as seen from one node; several may hold at once. NODE means "some node,
 * not yet known whether ours": polb_kinds_localise() turns it into HOST or REMOTE_NODE.
 * Reserved identities: reference/cilium-policy 1.7.
 */
#define POLB_KINDS(X)                                                                              \
	X(0, POD, "pod")                                                                           \
	X(1, NODE, "node")                                                                         \
	X(2, HOST, "host")                                                                         \
	X(3, REMOTE_NODE, "remote-node")                                                           \
	X(4, KUBE_APISERVER, "kube-apiserver")                                                     \
	X(5, WORLD, "world")                                                                       \
	X(6, WORLD_IPV4, "world-ipv4")                                                             \
	X(7, WORLD_IPV6, "world-ipv6")                                                             \
	X(8, HEALTH, "health")                                                                     \
	X(9, INIT, "init")                                                                         \
	X(10, INGRESS, "ingress")                                                                  \
	X(11, UNMANAGED, "unmanaged")

enum {
#define X(bit, name, text) POLB_KIND_##name = 1u << (bit),
	POLB_KINDS(X)
#undef X
};
#define POLB_KIND_ANY 0xffffffffu

/* Label sources: Cilium's grammar "source:key=value"; ANY only in requirements. */
struct polb_label {
	const char *source; /* "k8s", "reserved", "cidr", "node" (a node object's labels), ... */
	const char *key, *value;
};

struct polb_named_port {
	const char *name;
	uint8_t protocol; /* IPPROTO_TCP, _UDP, _SCTP */
	uint16_t port;
};

/* One identity at one address, as selectors see it. All pointers are borrowed. */
struct polb_identity_view {
	uint32_t kinds;
	const struct polb_label *labels;
	size_t n_labels;
	const struct polb_named_port *ports;
	size_t n_ports;
	struct polb_addr addr;
};

enum polb_operator {
	POLB_OP_IN,
	POLB_OP_NOT_IN, /* also satisfied when the key is absent */
	POLB_OP_EXISTS,
	POLB_OP_DOES_NOT_EXIST,
};

struct polb_requirement {
	enum polb_operator op;
	const char *source; /* "any" matches every source but "node" and "reserved" */
	const char *key;
	const char *const *values;
	size_t n_values;
};

/*
 * A conjunction: kinds AND every requirement AND address AND named port. Rules take several
 * selectors as alternatives.
 */
struct polb_selector {
	uint32_t kinds; /* the identity has at least one of these; POLB_KIND_ANY = no condition */
	const struct polb_requirement *requirements;
	size_t n_requirements;
	bool has_prefix;
	struct polb_prefix prefix;
	const struct polb_prefix *excepts;
	size_t n_excepts;
	/* The identity has a port of this name, protocol (0 = any) and number; NULL = no condition.
	 */
	const char *port_name;
	uint8_t port_protocol;
	uint16_t port_number;
};

bool polb_selector_matches(
	const struct polb_selector *selector, const struct polb_identity_view *view);
bool polb_requirement_matches(const struct polb_requirement *requirement,
	const struct polb_label *labels, size_t n_labels);
/* Total order over content, for deduplication and deterministic numbering. */
int polb_selector_compare(const struct polb_selector *a, const struct polb_selector *b);
/* The kinds of a NODE address seen from a node: HOST when local, else REMOTE_NODE. */
uint32_t polb_kinds_localise(uint32_t kinds, bool local);
/* The kinds of an address no inventory knows. */
uint32_t polb_kinds_world(const struct polb_addr *addr);

#endif
