/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The set algebra: sets of label values, addresses, ports and kinds; boxes (products of such sets)
 * over all connections that can exist; and the search for a point of a box that avoids a list of
 * products. The one place that reasons about ports, prefixes and label predicates as sets.
 *
 * A point of the space is one connection: a source, a destination, and a protocol with its port.
 * What can exist is what identities are built of (identity.c), whatever an inventory says today:
 *
 *   - Pods have labels of source k8s alone, so "any" means k8s there. They have a namespace, the
 *     cluster's one label, and the labels of their namespace: pods of one namespace share those,
 * and kubernetes.io/metadata.name is the namespace's name. Other io.cilium.k8s.* labels but the
 *     service account do not exist.
 *   - Nodes have labels of source node, all others (world, health, ...) have none.
 *   - An endpoint, as subject, is a pod and nothing else; as a peer it may be the API server too.
 *   - Any party may have any address, but loopback; the two differ, and are of one family.
 *   - ICMP goes with IPv4, ICMPv6 with IPv6; protocol 1 over IPv6 is just another protocol, and so
 *     is 58 over IPv4. What IPv6 cannot do without (neighbour discovery) is not in the space.
 *   - A destination that is a pod may call the port NAME, any number of names, if it is a port of
 *     TCP, UDP or SCTP above 0.
 */
#ifndef POLC_SPACE_H
#define POLC_SPACE_H

#include "network.h"

__extension__ typedef unsigned __int128 polc_wide;

/* --- sets ----------------------------------------------------------------------------------- */

struct polc_range { /* inclusive */
	polc_wide lo, hi;
};
struct polc_ranges { /* sorted, disjoint, not adjacent */
	const struct polc_range *items;
	size_t n;
};

/* X(enumerator): what a set holds. */
#define POLC_SET_KINDS(X)                                                                          \
	X(VALUES) /* of a label: numbers of values, or all but these; 0 is "no such label" */      \
	X(MASK)   /* bits */                                                                       \
	X(RANGES) /* addresses (IPv4 apart from IPv6) or ports */

enum polc_set_kind {
#define X(name) POLC_SET_##name,
	POLC_SET_KINDS(X)
#undef X
};

/* Immutable. Sets that meet in an operation are of one kind. */
struct polc_set {
	enum polc_set_kind kind;
	bool complement;
	const uint32_t *values; /* sorted */
	size_t n_values;
	uint32_t mask;
	struct polc_ranges ranges[2]; /* IPv4 and IPv6; ports: the first */
};

bool polc_set_is_empty(const struct polc_set *set);
bool polc_set_meets(const struct polc_set *a, const struct polc_set *b);
bool polc_set_within(const struct polc_set *inner, const struct polc_set *outer);
const struct polc_set *polc_set_intersect(
	struct polc_arena *arena, const struct polc_set *a, const struct polc_set *b);
const struct polc_set *polc_set_subtract(
	struct polc_arena *arena, const struct polc_set *a, const struct polc_set *b);
const struct polc_set *polc_set_unite(
	struct polc_arena *arena, const struct polc_set *a, const struct polc_set *b);

const struct polc_set *polc_set_of_mask(struct polc_arena *arena, uint32_t mask);
/* `values` is copied and sorted. */
const struct polc_set *polc_set_of_values(
	struct polc_arena *arena, const uint32_t *values, size_t n, bool complement);
bool polc_set_has_value(const struct polc_set *set, uint32_t value);
const struct polc_set *polc_set_of_prefix(struct polc_arena *arena,
	const struct polb_prefix *prefix, const struct polb_prefix *excepts, size_t n_excepts);
const struct polc_set *polc_set_of_range(struct polc_arena *arena, polc_wide lo, polc_wide hi);
bool polc_set_has_addr(const struct polc_set *set, const struct polb_addr *addr);
struct polb_addr polc_addr_of_number(uint8_t family, polc_wide number);
polc_wide polc_addr_number(const struct polb_addr *addr);

/* Ports of all protocols on one line: where each protocol's begin. */
enum {
	POLC_LINE_TCP = 0,
	POLC_LINE_UDP = 65536,
	POLC_LINE_SCTP = 2 * 65536,
	POLC_LINE_ICMP = 3 * 65536,         /* + type */
	POLC_LINE_ICMPV6 = 3 * 65536 + 256, /* + type */
	POLC_LINE_OTHER = 3 * 65536 + 512,  /* + IP protocol number */
	POLC_LINE_END = 3 * 65536 + 768,
};
void polc_line_port(uint32_t position, uint8_t *protocol, uint16_t *port);
uint32_t polc_line_position(uint8_t protocol, uint16_t port, uint8_t family);
/* "tcp/80", "tcp/80-90", "icmp/8", "ip/47"; several by commas. */
void polc_line_print(const struct polc_set *ports, struct polc_buf *out);

/* --- what can exist ------------------------------------------------------------------------- */

enum polc_party_side { POLC_SOURCE, POLC_DESTINATION };
/* What sort of thing a party is, as far as labels go. */
enum polc_class { POLC_CLASS_POD, POLC_CLASS_OTHER, POLC_CLASS_NODE, POLC_CLASSES };

/* Combinations of kinds that identities have, as another endpoint sees them: bits of a mask. */
struct polc_kinds_row {
	uint32_t kinds;
	enum polc_class class;
	uint8_t families; /* 1: IPv4, 2: IPv6 */
};
extern const struct polc_kinds_row polc_kinds_rows[];
extern const size_t polc_n_kinds_rows;
/* Rows of a class with at least one of `kinds` (POLB_KIND_ANY: all). */
uint32_t polc_kinds_mask(enum polc_class class, uint32_t kinds);

/* Dimensions of the space: a set each. */
enum {
	POLC_SLOT_KINDS = 0,   /* + party: MASK of polc_kinds_rows */
	POLC_SLOT_ADDRESS = 2, /* + party */
	POLC_SLOT_PORT = 4,
	POLC_SLOT_FIRST = 5,
};
enum { POLC_NAME_NO = 1, POLC_NAME_YES = 2 }; /* masks of names of ports */

/* One dimension per name of a port, then two per label: space->n_names, variables. */
struct polc_variable {
	const char *key;
	bool of_node; /* source node, else k8s */
	bool of_namespace;
};
struct polc_space {
	struct polc_arena *arena;
	const char *cluster_name;
	POLC_VEC(struct polc_variable) variables; /* 0 is the namespace's name */
	POLC_VEC(const char *) values;            /* 0 is "no such label" */
	POLC_VEC(const char *) names;             /* of ports */
	struct polc_space_tables *tables;
	const struct polc_set *everything[POLC_SLOT_FIRST], *nameable, *by_family[4];
};

struct polc_space *polc_space_new(struct polc_arena *arena, const char *cluster_name);
/* Makes the labels and the names of ports known that a network speaks of; all networks before the
 * first slot of a label is asked for. */
void polc_space_learn(struct polc_space *space, const struct polc_network *network);
size_t polc_space_slots(const struct polc_space *space);
uint32_t polc_space_name_slot(const struct polc_space *space, const char *name);
uint32_t polc_space_label_slot(
	const struct polc_space *space, enum polc_party_side party, uint32_t variable);
/* The number of a value, a new one when nobody has mentioned it; never 0. */
uint32_t polc_space_value(struct polc_space *space, const char *value);
/* The variable of a label, UINT32_MAX when no selector asks for it. */
uint32_t polc_space_find_variable(const struct polc_space *space, const struct polb_label *label);

/* --- products ------------------------------------------------------------------------------- */

struct polc_literal {
	uint32_t slot;
	const struct polc_set *set;
};
/* A conjunction: at most one literal per slot, by slot. None: everything. */
struct polc_product {
	const struct polc_literal *literals;
	size_t n;
	uint32_t number; /* the caller's */
};
typedef POLC_VEC(struct polc_literal) polc_literals;

/*
 * What a selector asks of a party of a class, appended to `out`. Subjects are endpoints: pods
 * without an address. False: no party of this class satisfies it.
 */
bool polc_space_selector(struct polc_space *space, const struct polb_selector *selector,
	enum polc_party_side party, enum polc_class class, bool subject, polc_literals *out);
/* Ports that a rule gives by number; NULL: none. */
const struct polc_set *polc_space_ports(
	struct polc_space *space, const struct polc_net_port *ports, size_t n);
/* The ports that may go by a name: those of the item's protocols. */
const struct polc_set *polc_space_named_ports(
	struct polc_space *space, const struct polc_net_port *port);
/* Sorts and merges literals into a product; false when it is empty. */
bool polc_product_make(
	struct polc_space *space, const polc_literals *literals, struct polc_product *out);

/* --- boxes and the search ------------------------------------------------------------------- */

struct polc_box {
	const struct polc_space *space;
	struct polc_arena *arena; /* scratch */
	enum polc_class class[2];
	const struct polc_set **sets; /* by slot */
	size_t n;
	POLC_VEC(struct polc_box_change {
		uint32_t slot;
		const struct polc_set *before;
	})
	trail;
	uint64_t steps; /* left */
	bool exhausted; /* ran out of them: a false of the search is no answer */
	uint64_t *used; /* or NULL: bits of the numbers of products that a failure rested on */
};

/* Everything that a source and a destination of these classes can do. */
void polc_box_init(struct polc_box *box, const struct polc_space *space, struct polc_arena *arena,
	enum polc_class source, enum polc_class destination);
/* Intersects; false (box unusable until rewound) when nothing is left. */
bool polc_box_narrow(struct polc_box *box, uint32_t slot, const struct polc_set *set);
bool polc_box_narrow_product(struct polc_box *box, const struct polc_product *product);
void polc_box_rewind(struct polc_box *box, size_t trail);
bool polc_box_meets(const struct polc_box *box, const struct polc_product *product);
/*
 * Narrows the box to points that avoid every product; then calls `found`, which may refuse
 * (false) what it finds. True when a box was accepted: it is left as narrowed. When false is
 * returned, the box is as before.
 */
bool polc_box_avoid(struct polc_box *box, const struct polc_product *const *products, size_t n,
	bool (*found)(struct polc_box *box, void *context), void *context);

#endif
